//! A Web Push service (RFC 8030, 8291, 8292) with the manners of five providers.

mod ece;
mod messages;
mod provider;
mod sealed;
mod vapid;

pub use provider::Provider;

use crate::exchange::{Exchange, Reply};
use crate::ids::{b64url, from_b64_any, from_b64url, random};
use crate::record::Record;
use crate::shared::{Moment, Profile};
use http::Method;
use messages::Messages;
use p256::SecretKey;
use p256::elliptic_curve::rand_core::OsRng;
use p256::elliptic_curve::sec1::ToEncodedPoint;
use provider::Wrong;
use sealed::Coding;
pub(crate) use sealed::Sealed;
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use std::sync::Arc;
use vapid::Verified;

/// Bytes of a push body every service must take.
const BODY_LIMIT: usize = 4096;

/// Whether a subscription is in use.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SubscriptionState {
    /// Pushes are taken.
    #[default]
    Active,
    /// 410: unsubscribed or expired.
    Expired,
    /// 429 (406 at WNS) with `Retry-After`.
    Throttled,
}

/// The kind of a new subscription.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct NewSubscription {
    /// The push service whose manners the endpoint has.
    pub provider: Provider,
    /// Its state.
    pub state: SubscriptionState,
    /// The only VAPID public key allowed (65 bytes, base64url); absent: any key.
    pub application_server_key: Option<String>,
}

/// A subscription as `PushSubscription.toJSON()` prints it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Subscription {
    /// The push resource.
    pub endpoint: String,
    /// Always null here.
    #[serde(rename = "expirationTime")]
    pub expiration_time: Option<i64>,
    /// The public key that the sender encrypts to.
    pub keys: SubscriptionKeys,
}

/// The receiver's public key and the shared secret.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct SubscriptionKeys {
    /// 65-byte uncompressed point, base64url.
    pub p256dh: String,
    /// 16 bytes, base64url.
    pub auth: String,
}

struct Receiver {
    provider: Provider,
    state: SubscriptionState,
    server_key: Option<Vec<u8>>,
    keys: Arc<ece::Keys>,
}

/// The Web Push world of one sandbox.
pub(crate) struct WebPush {
    pub(crate) profile: Profile,
    /// `https://host:port`.
    pub(crate) origin: String,
    /// `Retry-After` seconds for throttled subscriptions.
    pub(crate) retry_after: u64,
    receivers: HashMap<String, Receiver>,
    /// Message resources that can still be deleted.
    messages: Messages,
    /// Tokens that were verified.
    verified: Verified,
}

impl WebPush {
    pub(crate) fn new(profile: Profile) -> Self {
        Self {
            profile,
            origin: String::new(),
            retry_after: 30,
            receivers: HashMap::new(),
            messages: Messages::default(),
            verified: Verified::default(),
        }
    }

    /// Makes a subscription with keys of its own. `None` when the key is no 65-byte point.
    pub(crate) fn subscribe(&mut self, wanted: &NewSubscription) -> Option<Subscription> {
        let server_key = match &wanted.application_server_key {
            Some(text) => {
                let point = from_b64_any(text)?;
                p256::PublicKey::from_sec1_bytes(&point).ok()?;
                Some(point)
            }
            None => None,
        };
        let secret = SecretKey::random(&mut OsRng);
        let public = secret.public_key().to_encoded_point(false).as_bytes().to_vec();
        let (id, auth) = (b64url(&random::<24>()), random::<16>());
        let subscription = Subscription {
            endpoint: format!("{}{}", self.origin, wanted.provider.path(&id)),
            expiration_time: None,
            keys: SubscriptionKeys {
                p256dh: b64url(&public),
                auth: b64url(&auth),
            },
        };
        let receiver = Receiver {
            provider: wanted.provider,
            state: wanted.state,
            server_key,
            keys: Arc::new(ece::Keys { secret, public, auth }),
        };
        self.receivers.insert(id, receiver);
        Some(subscription)
    }

    /// Changes the state of the subscription with this endpoint; false when there is none.
    pub(crate) fn set_state(&mut self, endpoint: &str, state: SubscriptionState) -> bool {
        let id = endpoint.rsplit(['/', '=']).next().unwrap_or_default();
        match self.receivers.get_mut(id) {
            Some(receiver) => {
                receiver.state = state;
                true
            }
            None => false,
        }
    }

    pub(crate) fn handle(&mut self, exchange: &Exchange, now: Moment) -> (Reply, Record) {
        let mut record = Record::begin("webpush", "push", exchange, now);
        let provider = Provider::of_path(&exchange.path);
        let reply = match self.judge(provider, exchange, now, &mut record) {
            Ok(reply) => {
                record.accepted = true;
                reply
            }
            Err(wrong) => {
                record.rule = Some(wrong.rule().to_owned());
                let (reply, reason) = provider.refuse(&wrong, self.retry_after);
                record.reason = Some(reason);
                reply
            }
        };
        record.status = reply.status;
        (reply, record)
    }

    fn judge(
        &mut self,
        provider: Provider,
        exchange: &Exchange,
        now: Moment,
        record: &mut Record,
    ) -> Result<Reply, Wrong> {
        if let Some(message) = exchange.path.strip_prefix("/m/") {
            return self.message(message, exchange, record);
        }
        let id = match provider {
            Provider::Wns => exchange
                .query
                .as_deref()
                .and_then(|query| query.strip_prefix("token=")),
            _ => exchange.path.rsplit('/').next(),
        };
        let id = id.unwrap_or_default();
        let receiver = self
            .receivers
            .get(id)
            .filter(|receiver| receiver.provider == provider)
            .ok_or(Wrong::Unknown)?;
        record.target = Some(id.to_owned());
        if exchange.method != Method::POST {
            return Err(Wrong::Method);
        }
        let key = vapid::verify(
            exchange,
            &self.origin,
            now,
            self.profile,
            provider,
            &mut self.verified,
        )?;
        if receiver
            .server_key
            .as_ref()
            .is_some_and(|bound| *bound != key.point)
        {
            return Err(Wrong::KeyMismatch);
        }
        match receiver.state {
            SubscriptionState::Expired => return Err(Wrong::Gone),
            SubscriptionState::Throttled => return Err(Wrong::Throttled),
            SubscriptionState::Active => {}
        }
        let ttl = headers(exchange, provider)?;
        if exchange.body.len() > BODY_LIMIT {
            return Err(Wrong::TooLarge);
        }
        if let Some(sealed) = sealed(receiver, exchange, &key, self.profile != Profile::Strict)? {
            if self.profile == Profile::Strict {
                let payload = sealed.open(&exchange.body).map_err(Wrong::Undecryptable)?;
                record.decrypted = Some(payload);
            } else {
                record.raw.seal(sealed);
            }
        }
        let message = b64url(&random::<18>());
        let location = format!("{}/m/{message}", self.origin);
        record.id = Some(location.clone());
        self.messages.insert(&message);
        let reply = Reply::status(201)
            .with("location", location)
            .with("ttl", ttl.min(provider.ttl_cap()).to_string());
        Ok(match provider {
            Provider::Apple => reply.with("apns-id", crate::ids::uuid()),
            Provider::Wns => reply
                .with("x-wns-status", "received")
                .with("x-wns-notificationstatus", "received")
                .with("x-wns-msg-id", crate::ids::hex(&random::<8>())),
            _ => reply,
        })
    }

    fn message(&mut self, id: &str, exchange: &Exchange, record: &mut Record) -> Result<Reply, Wrong> {
        "message.delete".clone_into(&mut record.operation);
        record.target = Some(id.to_owned());
        if exchange.method != Method::DELETE {
            return Err(Wrong::Method);
        }
        if !self.messages.remove(id) {
            return Err(Wrong::Unknown);
        }
        Ok(Reply::status(204))
    }
}

/// The payload, when there is a body.
/// With `padded` the two parameters of `aesgcm` may be padded base64url, as web-push for Java writes `dh`.
fn sealed(
    receiver: &Receiver,
    exchange: &Exchange,
    key: &vapid::Key,
    padded: bool,
) -> Result<Option<Sealed>, Wrong> {
    if exchange.body.is_empty() {
        return Ok(None);
    }
    let coding = match exchange.header("content-encoding") {
        Some("aes128gcm") => {
            if ece::sender_key(&exchange.body) == Some(key.point.as_slice()) {
                return Err(Wrong::KeyReused);
            }
            Coding::Aes128gcm
        }
        _ => {
            let parameter = |header: &str, name: &str| {
                exchange
                    .header(header)
                    .and_then(|text| vapid::parameter(text, name))
                    .and_then(|t| from_b64url(if padded { t.trim_end_matches('=') } else { &t }))
            };
            match (parameter("encryption", "salt"), parameter("crypto-key", "dh")) {
                (Some(salt), Some(dh)) => Coding::Aesgcm { salt, dh },
                _ => return Err(Wrong::CryptoHeaders),
            }
        }
    };
    let keys = receiver.keys.clone();
    Ok(Some(Sealed { keys, coding }))
}

/// TTL, Urgency, Topic and the encoding headers; the TTL in seconds.
fn headers(exchange: &Exchange, provider: Provider) -> Result<u64, Wrong> {
    let ttl = exchange.header("ttl").ok_or(Wrong::TtlMissing)?;
    if ttl.starts_with('-') {
        return Err(Wrong::TtlNegative);
    }
    if ttl.is_empty() || ttl.len() > 18 || !ttl.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(Wrong::TtlForm);
    }
    let ttl: u64 = ttl.parse().map_err(|_| Wrong::TtlForm)?;
    if provider == Provider::Wns {
        match exchange.header("x-wns-cache-policy") {
            None if ttl == 0 => return Err(Wrong::CachePolicy),
            Some("cache") if ttl == 0 => return Err(Wrong::CachePolicy),
            Some("no-cache") if ttl > 0 => return Err(Wrong::CachePolicy),
            _ => {}
        }
    }
    if let Some(urgency) = exchange.header("urgency") {
        if !["very-low", "low", "normal", "high"].contains(&urgency) {
            return Err(Wrong::Urgency);
        }
    }
    if let Some(topic) = exchange.headers.get("topic").map(http::HeaderValue::as_bytes) {
        let alphabet = topic
            .iter()
            .all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(byte));
        // Apple decodes the topic, and no base64url text has such a length.
        let apple = provider == Provider::Apple && topic.len() % 4 == 1;
        if topic.is_empty() || topic.len() > 32 || !alphabet || apple {
            return Err(Wrong::Topic);
        }
    }
    let encoding = exchange.header("content-encoding");
    if exchange.body.is_empty() {
        return Ok(ttl);
    }
    match encoding {
        Some("aes128gcm") => {
            let has = |header: &str, name: &str| {
                exchange
                    .header(header)
                    .is_some_and(|text| vapid::parameter(text, name).is_some())
            };
            if has("encryption", "salt") || has("crypto-key", "dh") {
                return Err(Wrong::CryptoHeaders);
            }
        }
        Some("aesgcm") if provider != Provider::Apple => {}
        _ => return Err(Wrong::Encoding),
    }
    Ok(ttl)
}
