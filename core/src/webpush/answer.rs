//! What a push service answered. The services agree on the status codes of RFC 8030
//! about half of the time; the rest is told by Mozilla's `errno`, Apple's `reason`,
//! WNS's headers and FCM's English.

use std::borrow::Cow;
use std::time::Duration;

use serde_json::Value;

use super::credentials::{can_be_corrected, spoils_tokens};
use super::link;
use super::provider::Provider;
use super::subscription::Subscription;
use crate::http::{Response, clock_skew, retry_after};
use crate::outcome::{
    Accepted, Details, Evidence, FixCredentials, MessageId, Outcome, Reason, Rejected, RetryLater, Scope,
    Suspect, TokenGone, TokenMismatch,
};
use crate::printable::is_obeyed;
use crate::time::Now;

/// FCM may answer 410 in the first seconds of a subscription's life.
const FRESH: Duration = Duration::from_secs(60);
/// The wait in that case; browsers' own tests wait as long.
const FRESH_RETRY: Duration = Duration::from_secs(2);

/// Reads an answer without knowing whom it is from. Total: every response is an outcome.
///
/// A 404 is `TokenGone` (RFC 8030 §7.3), unless it is a web page of some proxy. A subscription that was made
/// with another VAPID key is `TokenMismatch`, because a wrong key brings the same answer for every
/// subscription: where it is this subscription's fault, delete it and let the browser subscribe anew.
///
/// Where a wrong clock explains a 401 or 403, `FixCredentials` says by how much it is wrong; with
/// [`Credentials::observe_date`](super::Credentials::observe_date) the next token is dated by the service's.
pub fn outcome(response: &Response, now: Now) -> Outcome {
    read(response, now, None)
}

/// Like [`outcome`], knowing the subscription: a 410 of FCM within a minute of
/// [`Subscription::created`] is `RetryLater`.
pub fn outcome_for(response: &Response, subscription: &Subscription, now: Now) -> Outcome {
    let fresh = subscription.provider() == Provider::Fcm
        && subscription
            .created()
            .is_some_and(|created| now.unix.saturating_since(created) < FRESH);
    match read(response, now, Some(subscription.provider())) {
        Outcome::TokenGone(gone) if fresh && response.status == 410 => Outcome::RetryLater(RetryLater {
            after: Some(retry_after(response, now).unwrap_or(FRESH_RETRY)),
            scope: Scope::Device,
            evidence: gone.evidence,
        }),
        outcome => outcome,
    }
}

fn read(response: &Response, now: Now, provider: Option<Provider>) -> Outcome {
    let told = Told::by(response);
    let status = response.status;
    let evidence = || Evidence::new(status, told.reason.clone(), &response.body);
    let retry = |scope| {
        Outcome::RetryLater(RetryLater {
            after: told.after.or_else(|| retry_after(response, now)),
            scope,
            evidence: evidence(),
        })
    };
    let gone = || {
        Outcome::TokenGone(TokenGone {
            evidence: evidence(),
            ..TokenGone::default()
        })
    };
    let mismatch = || {
        Outcome::TokenMismatch(TokenMismatch {
            suspects: Suspect::Key.into(),
            evidence: evidence(),
        })
    };
    let clock_skew =
        clock_skew(response, now).filter(|skew| matches!(status, 401 | 403) && spoils_tokens(*skew));
    let fix = |refreshable| {
        Outcome::FixCredentials(FixCredentials {
            refreshable: refreshable || clock_skew.is_some_and(can_be_corrected),
            clock_skew,
            evidence: evidence(),
            ..FixCredentials::default()
        })
    };
    let rejected = || Outcome::Rejected(Rejected { evidence: evidence() });
    match (status, told.verdict) {
        (200..=299, Some(Verdict::Throttled)) => retry(Scope::Device),
        (200..=299, Some(Verdict::Dropped)) => rejected(),
        (200..=299, _) => Outcome::Accepted(accepted(response, evidence())),
        // A redirect is never followed: it would carry the message and the token elsewhere.
        (300..=399, _) => rejected(),
        // Only a 4xx may cost a subscription its life, whatever else the answer says.
        (400..=499, Some(Verdict::Gone)) => gone(),
        (400..=499, Some(Verdict::KeyMismatch)) => mismatch(),
        (_, Some(Verdict::Credentials)) => fix(false),
        (_, Some(Verdict::Expired)) => fix(true),
        (_, Some(Verdict::Message)) => rejected(),
        (_, Some(Verdict::Throttled)) => retry(Scope::Device),
        (_, Some(Verdict::Again)) => retry(Scope::Message),
        // WNS: authenticated, but not for this channel. A clock that explains it comes first.
        (403, None) if clock_skew.is_none() && (told.is_wns || provider == Some(Provider::Wns)) => mismatch(),
        (401 | 403, _) => fix(false),
        (404, _) if is_foreign_page(response, provider) => rejected(),
        (404 | 410, _) => gone(),
        // WNS says so when the sender is over its share.
        (406, _) => match provider {
            Some(Provider::Wns) => retry(Scope::Project),
            None if told.is_wns || response.header("retry-after").is_some() => retry(Scope::Project),
            _ => rejected(),
        },
        (408 | 425, _) => retry(Scope::Message),
        (421, _) => retry(Scope::Connection),
        (429, _) => retry(Scope::Device),
        (501 | 505, _) => rejected(),
        (500..=599, _) => retry(Scope::Message),
        _ => rejected(),
    }
}

fn accepted(response: &Response, evidence: Evidence) -> Accepted {
    let id = response
        .header("apns-id")
        .or_else(|| response.header("x-wns-msg-id"));
    let ttl = response.header("ttl").and_then(|text| text.trim().parse().ok());
    Accepted::new(id.map(MessageId::new), evidence).with_details(Details {
        location: response.header("location").map(Into::into),
        receipt: link::target(response, link::RECEIPT).map(Into::into),
        ttl: ttl.map(Duration::from_secs),
        ..Details::default()
    })
}

/// A 404 with a web page, from a host that has no habit of sending pages: some
/// proxy between, or a service that moved. No reason to delete every subscription.
fn is_foreign_page(response: &Response, provider: Option<Provider>) -> bool {
    let body = lower(response);
    let html = body.trim_ascii_start().starts_with('<')
        || response
            .header("content-type")
            .is_some_and(|value| value.starts_with("text/html"));
    html && provider != Some(Provider::Fcm) && !body.contains("subscription")
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Verdict {
    Gone,
    /// The subscription belongs to another VAPID key.
    KeyMismatch,
    Credentials,
    /// The token's time has passed: a new one may help.
    Expired,
    Message,
    Throttled,
    Dropped,
    Again,
}

/// What the service said besides the status.
#[derive(Default)]
struct Told {
    verdict: Option<Verdict>,
    reason: Option<Reason>,
    after: Option<Duration>,
    is_wns: bool,
}

impl Told {
    fn by(response: &Response) -> Self {
        if let Some(told) = Self::wns(response) {
            return told;
        }
        if (200..=299).contains(&response.status) {
            return Self::default();
        }
        match serde_json::from_slice::<Value>(&response.body) {
            Ok(Value::Object(map)) => match (map.get("reason"), map.contains_key("errno")) {
                (Some(Value::String(reason)), false) => Self::apple(reason),
                _ if map.contains_key("errno") || map.contains_key("code") => {
                    {
                        // ntfy has `code` too, and says `error` where Mozilla's services say `message`.
                        let text = map.get("message").or_else(|| map.get("error"));
                        Self::mozilla(map.get("errno").and_then(Value::as_u64), text)
                    }
                }
                _ => Self::text(response),
            },
            _ => Self::text(response),
        }
    }

    /// Microsoft answers in headers only; a 2xx may be none.
    fn wns(response: &Response) -> Option<Self> {
        let status = response
            .header("x-wns-notificationstatus")
            .or(response.header("x-wns-status"));
        let description = response.header("x-wns-error-description");
        if status.is_none() && description.is_none() {
            return None;
        }
        let (verdict, word) = match status.unwrap_or_default().to_ascii_lowercase().as_str() {
            "dropped" => (Some(Verdict::Dropped), Some(Reason::known("dropped"))),
            "channelthrottled" => (Some(Verdict::Throttled), Some(Reason::known("channelthrottled"))),
            _ => (None, None),
        };
        // A dropped message that has an error status is judged by the status.
        let success = (200..=299).contains(&response.status);
        let verdict = verdict.filter(|verdict| success || *verdict != Verdict::Dropped);
        let described = match description {
            Some(text) if text.starts_with("Ttl value conflicts") => {
                Some(Reason::known("Ttl value conflicts with X-WNS-Cache-Policy."))
            }
            Some(text) => Some(other(text)),
            None => None,
        };
        let reason = if verdict.is_some() {
            word.or(described)
        } else {
            described.or(word)
        };
        // It says that the token's key is not the channel's.
        let of_channel = description.is_some_and(|text| {
            let text = text.to_ascii_lowercase();
            text.contains("public key") && text.contains("channel")
        });
        let verdict = verdict.or((of_channel && response.status == 401).then_some(Verdict::KeyMismatch));
        Some(Self {
            verdict,
            reason,
            after: None,
            is_wns: true,
        })
    }

    fn apple(reason: &str) -> Self {
        use Verdict::{Credentials, Gone, KeyMismatch, Message, Throttled};
        const REASONS: &[(&str, Option<Verdict>)] = &[
            ("BadAuthorizationHeader", Some(Credentials)),
            ("BadJwtToken", Some(Credentials)),
            ("BadPath", Some(Message)),
            ("BadTtl", Some(Message)),
            ("BadUrgency", Some(Message)),
            ("BadVapidPublicKey", Some(Credentials)),
            ("BadWebPushRequest", Some(Message)),
            ("BadWebPushTopic", Some(Message)),
            ("ExpiredToken", Some(Gone)),
            ("IdleTimeout", Some(Verdict::Again)),
            ("InternalServerError", Some(Verdict::Again)),
            ("MethodNotAllowed", Some(Message)),
            ("PayloadTooLarge", Some(Message)),
            ("ServiceUnavailable", Some(Verdict::Again)),
            ("Shutdown", Some(Verdict::Again)),
            ("TooManyRequests", Some(Throttled)),
            ("Unregistered", Some(Gone)),
            ("VapidPkHashMismatch", Some(KeyMismatch)),
        ];
        match REASONS.iter().find(|(word, _)| *word == reason) {
            Some((word, verdict)) => Self {
                verdict: *verdict,
                reason: Some(Reason::known(word)),
                ..Self::default()
            },
            None => Self {
                reason: Some(other(reason)),
                ..Self::default()
            },
        }
    }

    /// Mozilla's `errno`, which may be null: then the status speaks.
    fn mozilla(errno: Option<u64>, message: Option<&Value>) -> Self {
        use Verdict::{Again, Credentials, Gone, Message};
        const NUMBERS: &[(u64, &str, Verdict)] = &[
            (101, "errno 101: missing crypto keys", Message),
            (102, "errno 102: invalid endpoint", Gone),
            (103, "errno 103: expired endpoint", Gone),
            (104, "errno 104: payload too large", Message),
            (105, "errno 105: user deleted", Gone),
            (106, "errno 106: subscription not found", Gone),
            (108, "errno 108: invalid router type", Message),
            (109, "errno 109: vapid", Credentials),
            (110, "errno 110: invalid encryption headers", Message),
            (111, "errno 111: missing or invalid ttl", Message),
            (112, "errno 112: ttl out of range", Message),
            (113, "errno 113: invalid topic", Message),
            (114, "errno 114: negative ttl", Message),
            (201, "errno 201: back off", Again),
            (202, "errno 202: try again", Again),
            (900, "errno 900: bridge misconfigured", Again),
            (901, "errno 901: bridge refused us", Again),
            (902, "errno 902: bridge unreachable", Again),
            (903, "errno 903: bridge timeout", Again),
            (999, "errno 999: unknown", Again),
        ];
        // The number is that of every failure of VAPID; the words tell this one from the others.
        let text = message.and_then(Value::as_str).unwrap_or_default();
        if errno == Some(109) && text.contains("public key mismatch") {
            return Self {
                verdict: Some(Verdict::KeyMismatch),
                reason: Some(Reason::known("errno 109: vapid public key mismatch")),
                ..Self::default()
            };
        }
        match errno.and_then(|errno| NUMBERS.iter().find(|(number, _, _)| *number == errno)) {
            Some((number, text, verdict)) => Self {
                verdict: Some(*verdict),
                reason: Some(Reason::known(text)),
                // 202 says that trying at once is fine.
                after: (*number == 202).then_some(Duration::ZERO),
                is_wns: false,
            },
            None => Self {
                reason: message.and_then(Value::as_str).map(other),
                ..Self::default()
            },
        }
    }

    /// FCM's English (chromium `components/gcm_driver/web_push_common.cc` lists it).
    fn text(response: &Response) -> Self {
        use Verdict::{Credentials, Expired, Gone, KeyMismatch, Message};
        const TEXTS: &[(&str, &str, Verdict)] = &[
            ("do not correspond to the credentials", "KeyMismatch", KeyMismatch),
            ("does not correspond to the sender", "KeyMismatch", KeyMismatch),
            ("mismatchsenderid", "MismatchSenderId", KeyMismatch),
            ("has unsubscribed or expired", "UnsubscribedOrExpired", Gone),
            (
                "unauthorizedregistration",
                "UnauthorizedRegistration",
                KeyMismatch,
            ),
            ("invalidregistration", "InvalidRegistration", Gone),
            ("notregistered", "NotRegistered", Gone),
            ("must be less than 4096 bytes", "PayloadTooLarge", Message),
            ("must not be more than 24 hours", "ExpirationTooLong", Credentials),
            ("token has expired", "TokenExpired", Expired),
            ("token expired", "TokenExpired", Expired),
            ("invalid jwt", "InvalidJwt", Credentials),
            ("'aud'", "InvalidAudience", Credentials),
            ("invalid aud", "InvalidAudience", Credentials),
        ];
        let body = lower(response);
        match TEXTS.iter().find(|(part, _, _)| body.contains(part)) {
            // A credential problem is what 400, 401 and 403 speak of, nothing else.
            Some((_, word, verdict)) if (400..=410).contains(&response.status) => Self {
                verdict: Some(*verdict),
                reason: Some(Reason::known(word)),
                ..Self::default()
            },
            _ => {
                let text = String::from_utf8_lossy(response.body.get(..512).unwrap_or(&response.body));
                let plain = !text.trim_ascii().is_empty() && !text.trim_ascii_start().starts_with('<');
                Self {
                    reason: plain.then(|| other(&text)),
                    ..Self::default()
                }
            }
        }
    }
}

/// The body's beginning in lower case.
fn lower(response: &Response) -> Cow<'_, str> {
    let head = response.body.get(..4096).unwrap_or(&response.body);
    Cow::Owned(String::from_utf8_lossy(head).to_ascii_lowercase())
}

/// A reason in the service's words: one line, without control characters, and
/// without words long enough to be a subscription's token.
fn other(text: &str) -> Reason {
    let line = text.trim().lines().next().unwrap_or_default();
    let words = line
        .split_whitespace()
        .map(|word| if word.len() > 48 { "[...]" } else { word });
    let mut out = String::new();
    for word in words {
        if out.len() + word.len() > 160 {
            break;
        }
        if !out.is_empty() {
            out.push(' ');
        }
        out.extend(word.chars().filter(|c| !is_obeyed(*c)));
    }
    Reason::other(out)
}

#[cfg(test)]
mod tests;
