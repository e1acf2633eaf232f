//! `POST /3/device/<token>`: the rules, one check each, in an order that can be changed.

use super::content::Content;
use super::request::{Device, Push};
use super::{Apns, Fate, Gone, Refusal, is_uuid, refuse, topic};
use crate::exchange::{Exchange, Reply};
use crate::record::{LENIENT, Record};
use crate::shared::{Moment, Profile};
use serde::{Deserialize, Serialize};

/// One step of the validation. Apple does not publish the order; [`Check::ALL`] is the
/// one that the evidence favours, and a test may permute it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Check {
    /// `:method` is POST.
    Method,
    /// `:path` is `/3/device/<something>`.
    Path,
    /// The provider token.
    Auth,
    /// No header twice.
    DuplicateHeaders,
    /// `apns-id` is a UUID.
    ApnsId,
    /// `apns-push-type` is one of Apple's.
    PushType,
    /// `apns-topic` is there and well formed.
    TopicPresent,
    /// The topic's bundle belongs to the key.
    TopicAllowed,
    /// The topic's suffix is the push type's.
    TopicSuffix,
    /// `apns-priority` is 1, 5 or 10 and fits the push type.
    Priority,
    /// `apns-expiration` is a number.
    Expiration,
    /// `apns-collapse-id` has at most 64 bytes.
    CollapseId,
    /// There is a body.
    PayloadPresent,
    /// The body is not too large.
    PayloadSize,
    /// The body is a JSON object.
    PayloadJson,
    /// The token is hexadecimal, of even length.
    TokenSyntax,
    /// The token is registered, in this environment.
    TokenKnown,
    /// The token belongs to the topic.
    TokenTopic,
    /// The token is active.
    TokenActive,
    /// The token is not being hammered.
    TokenRate,
}

impl Check {
    /// All checks, in the default order.
    pub const ALL: [Self; 20] = [
        Self::Method,
        Self::Path,
        Self::Auth,
        Self::DuplicateHeaders,
        Self::ApnsId,
        Self::PushType,
        Self::TopicPresent,
        Self::TopicAllowed,
        Self::TopicSuffix,
        Self::Priority,
        Self::Expiration,
        Self::CollapseId,
        Self::PayloadPresent,
        Self::PayloadSize,
        Self::PayloadJson,
        Self::TokenSyntax,
        Self::TokenKnown,
        Self::TokenTopic,
        Self::TokenActive,
        Self::TokenRate,
    ];
}

/// A push type: its name, its topic's suffix, its body limit.
pub(super) const PUSH_TYPES: [(&str, &str, usize); 11] = [
    ("alert", "", 4096),
    ("background", "", 4096),
    ("voip", ".voip", 5120),
    ("complication", ".complication", 4096),
    ("fileprovider", ".pushkit.fileprovider", 4096),
    ("mdm", "", 4096),
    ("location", ".location-query", 4096),
    ("liveactivity", ".push-type.liveactivity", 4096),
    ("pushtotalk", ".voip-ptt", 4096),
    ("widgets", ".push-type.widgets", 4096),
    ("controls", ".push-type.controls", 4096),
];

impl Apns {
    pub(super) fn push(&mut self, exchange: &Exchange, now: Moment, record: &mut Record) -> Reply {
        let push = Push::of(exchange);
        let id = match push.id {
            Some(id) if is_uuid(id) => id.to_owned(),
            _ => crate::ids::uuid(),
        };
        // The quirk profile answers as older servers did.
        let id = if self.profile == Profile::Quirk {
            id.to_uppercase()
        } else {
            id
        };
        record.id = Some(id.clone());
        record.target = push.token.map(str::to_owned);
        let mut next = 0;
        while let Some(check) = self.order.get(next) {
            if let Err(refusal) = self.check(*check, &push, now, record) {
                return refuse(&refusal, "apns-id", &id, record);
            }
            next += 1;
        }
        record.accepted = true;
        let topic = self.topic_of(&push);
        let bundle = topic.and_then(|topic| self.bundle_of(topic).cloned());
        if record.dropped {
            self.tell(self.next_seq, Fate::Dropped, now.unix_ms, None);
        } else if let Some(bundle) = bundle {
            let delay = if record.delayed { self.content_delay_ms } else { 0 };
            let not_before = now.unix_ms.saturating_add(delay);
            self.deliver(&push, bundle, &id, not_before, now);
        }
        let reply = Reply::status(200).with("apns-id", id);
        match self.environment {
            super::Environment::Development => reply.with("apns-unique-id", crate::ids::uuid()),
            super::Environment::Production => reply,
        }
    }

    /// The request's topic, or the connection's.
    fn topic_of<'a>(&'a self, push: &Push<'a>) -> Option<&'a str> {
        push.topic
            .or_else(|| self.default_topic(push.exchange.origin.connection))
    }

    fn check(
        &mut self,
        check: Check,
        push: &Push<'_>,
        now: Moment,
        record: &mut Record,
    ) -> Result<(), Refusal> {
        let bad = |reason, rule| Err(Refusal::new(400, reason, rule));
        let Push {
            exchange,
            token,
            kind,
            ..
        } = *push;
        match check {
            Check::Method if exchange.method != http::Method::POST => {
                Err(Refusal::new(405, "MethodNotAllowed", "apns.method"))
            }
            Check::Path => match token {
                None if exchange.path == "/3/device" => bad("MissingDeviceToken", "apns.path.token.missing"),
                None => Err(Refusal::new(404, "BadPath", "apns.path")),
                Some("") => bad("MissingDeviceToken", "apns.path.token.missing"),
                Some(token) if token.contains('/') => Err(Refusal::new(404, "BadPath", "apns.path")),
                Some(_) => Ok(()),
            },
            Check::Auth => self.authorize(exchange, now, record),
            Check::DuplicateHeaders if push.duplicates => bad("DuplicateHeaders", "apns.header.duplicate"),
            Check::ApnsId => match push.id {
                Some(id) if !is_uuid(id) => bad("BadMessageId", "apns.header.id"),
                Some(id) if id.bytes().any(|byte| byte.is_ascii_uppercase()) => {
                    self.forgive("BadMessageId", "apns.header.id.case", record)
                }
                _ => Ok(()),
            },
            Check::PushType => match (push.push_type, kind) {
                (Some(_), None) => bad("InvalidPushType", "apns.header.push-type"),
                (None, _) => self.forgive("InvalidPushType", "apns.header.push-type.missing", record),
                _ => Ok(()),
            },
            Check::TopicPresent => match self.topic_of(push) {
                None => bad("MissingTopic", "apns.header.topic.missing"),
                Some(topic) if !topic::is_well_formed(topic) => bad("BadTopic", "apns.header.topic"),
                Some(_) => Ok(()),
            },
            Check::TopicAllowed => match self.topic_of(push) {
                Some(topic) => {
                    self.check_topic(exchange.origin.connection, topic, kind.map(|(name, ..)| *name))
                }
                None => Ok(()),
            },
            Check::TopicSuffix => match (self.topic_of(push), kind) {
                (Some(topic), Some((name, suffix, _))) => self.check_suffix(topic, name, suffix),
                _ => Ok(()),
            },
            Check::Priority => priority(push.priority, kind.map(|(name, ..)| *name)),
            Check::Expiration => match push.expiration {
                Some(text)
                    if text.is_empty() || text.len() > 12 || !text.bytes().all(|b| b.is_ascii_digit()) =>
                {
                    bad("BadExpirationDate", "apns.header.expiration")
                }
                _ => Ok(()),
            },
            Check::CollapseId => match push.collapse_id {
                Some(id) if id.len() > 64 => bad("BadCollapseId", "apns.header.collapse-id"),
                _ => Ok(()),
            },
            Check::PayloadPresent if exchange.body.is_empty() => bad("PayloadEmpty", "apns.payload.empty"),
            Check::PayloadSize if exchange.body.len() > kind.map_or(4096, |(.., limit)| *limit) => {
                Err(Refusal::new(413, "PayloadTooLarge", "apns.payload.size"))
            }
            Check::PayloadJson => match Content::read(&exchange.body, &mut self.content) {
                Some(content) => self.check_content(kind.map(|(name, ..)| *name), content, record),
                None => bad("BadRequestPayload", "apns.payload.json"),
            },
            Check::TokenSyntax => match token {
                Some(token) if token.len() % 2 == 0 && token.bytes().all(|b| b.is_ascii_hexdigit()) => Ok(()),
                _ => bad("BadDeviceToken", "apns.token.syntax"),
            },
            Check::TokenKnown | Check::TokenTopic | Check::TokenActive | Check::TokenRate => {
                self.check_registration(check, push, now)
            }
            Check::Method | Check::DuplicateHeaders | Check::PayloadPresent | Check::PayloadSize => Ok(()),
        }
    }

    /// Refuses in the strict profile, warns in the others.
    fn forgive(&self, reason: &'static str, rule: &'static str, record: &mut Record) -> Result<(), Refusal> {
        if self.profile == Profile::Strict {
            record.hint = Some(LENIENT);
            return Err(Refusal::new(400, reason, rule));
        }
        record.warnings.push(rule.to_owned());
        Ok(())
    }

    fn check_registration(&self, check: Check, push: &Push<'_>, now: Moment) -> Result<(), Refusal> {
        let bad = |reason, rule| Err(Refusal::new(400, reason, rule));
        let Some(device) = push.device(|| self.device(push)) else {
            return bad("BadDeviceToken", "apns.token.unknown");
        };
        match check {
            Check::TokenKnown if !device.here => bad("BadDeviceToken", "apns.token.environment"),
            Check::TokenTopic if !device.of_topic => bad("DeviceTokenNotForTopic", "apns.token.topic"),
            Check::TokenActive => match device.unregistered_at {
                Some(since) if since <= now.unix_ms => {
                    let (reason, rule) = match device.gone {
                        Gone::Unregistered => ("Unregistered", "apns.token.unregistered"),
                        Gone::ExpiredToken => ("ExpiredToken", "apns.token.expired"),
                    };
                    Err(Refusal {
                        timestamp: Some(since),
                        ..Refusal::new(410, reason, rule)
                    })
                }
                _ => Ok(()),
            },
            Check::TokenRate if device.throttled => {
                Err(Refusal::new(429, "TooManyRequests", "apns.token.rate"))
            }
            _ => Ok(()),
        }
    }

    /// The registry's entry for the push's device.
    fn device(&self, push: &Push<'_>) -> Option<Device> {
        let device = self.tokens.get(push.key.as_ref())?;
        let bundle = self.topic_of(push).and_then(|topic| self.bundle_of(topic));
        Some(Device {
            here: device.environment == self.environment,
            of_topic: bundle == Some(&device.bundle),
            unregistered_at: device.unregistered_at,
            gone: device.gone,
            throttled: device.throttled,
        })
    }
}

fn priority(text: Option<&str>, kind: Option<&str>) -> Result<(), Refusal> {
    let bad = |rule| Err(Refusal::new(400, "BadPriority", rule));
    match (text, kind) {
        (Some(text), _) if !["1", "5", "10"].contains(&text) => bad("apns.header.priority"),
        // Absent means 10, and 10 is an error for background pushes.
        (None | Some("10"), Some("background")) => bad("apns.header.priority.background"),
        (Some("1"), Some("liveactivity")) => bad("apns.header.priority.liveactivity"),
        _ => Ok(()),
    }
}
