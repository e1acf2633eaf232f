//! What each push service calls an error.

use crate::exchange::Reply;
use serde::{Deserialize, Serialize};
use serde_json::json;

/// The push service whose manners an endpoint has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Provider {
    /// The RFCs and nothing else.
    #[default]
    Plain,
    /// autopush: JSON with `errno`.
    Mozilla,
    /// fcm.googleapis.com for browsers: text.
    Fcm,
    /// web.push.apple.com: `{"reason": ...}`, decodes topics, checks `sub`.
    Apple,
    /// Windows Notification Service: errors in headers only.
    Wns,
}

/// The fault of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Wrong {
    Method,
    Unknown,
    Gone,
    Throttled,
    AuthMissing,
    AuthForm,
    PublicKey,
    /// A claim or the signature; the rule says which.
    Jwt(&'static str),
    KeyMismatch,
    KeyReused,
    TtlMissing,
    TtlForm,
    TtlNegative,
    CachePolicy,
    Urgency,
    Topic,
    Encoding,
    CryptoHeaders,
    TooLarge,
    Undecryptable(&'static str),
}

impl Wrong {
    /// The rule's id.
    pub(super) fn rule(&self) -> &'static str {
        match self {
            Self::Method => "webpush.method",
            Self::Unknown => "webpush.subscription.unknown",
            Self::Gone => "webpush.subscription.gone",
            Self::Throttled => "webpush.subscription.rate",
            Self::AuthMissing => "webpush.vapid.missing",
            Self::AuthForm => "webpush.vapid.form",
            Self::PublicKey => "webpush.vapid.key",
            Self::Jwt(rule) => rule,
            Self::KeyMismatch => "webpush.vapid.key.bound",
            Self::KeyReused => "webpush.vapid.key.reused",
            Self::TtlMissing => "webpush.ttl.missing",
            Self::TtlForm => "webpush.ttl",
            Self::TtlNegative => "webpush.ttl.negative",
            Self::CachePolicy => "webpush.ttl.wns-cache-policy",
            Self::Urgency => "webpush.urgency",
            Self::Topic => "webpush.topic",
            Self::Encoding => "webpush.encoding",
            Self::CryptoHeaders => "webpush.encoding.headers",
            Self::TooLarge => "webpush.body.size",
            Self::Undecryptable(_) => "webpush.body.decrypt",
        }
    }

    fn text(&self) -> String {
        match self {
            Self::Undecryptable(why) => format!("the body cannot be decrypted: {why}"),
            other => format!("refused by rule {}", other.rule()),
        }
    }

    /// The status where a provider has no ideas of its own.
    fn status(&self) -> u16 {
        match self {
            Self::Method => 405,
            Self::Unknown => 404,
            Self::Gone => 410,
            Self::Throttled => 429,
            Self::AuthMissing => 401,
            Self::Jwt(_) | Self::KeyMismatch => 403,
            Self::TooLarge => 413,
            _ => 400,
        }
    }
}

impl Provider {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Plain, Self::Mozilla, Self::Fcm, Self::Apple, Self::Wns];

    /// Path and query of a push resource.
    pub(super) fn path(self, id: &str) -> String {
        match self {
            Self::Plain => format!("/push/{id}"),
            Self::Mozilla => format!("/wpush/v2/{id}"),
            Self::Fcm => format!("/fcm/send/{id}"),
            Self::Apple => format!("/apple/{id}"),
            Self::Wns => format!("/w/?token={id}"),
        }
    }

    pub(super) fn of_path(path: &str) -> Self {
        match path.trim_start_matches('/').split('/').next() {
            Some("wpush") => Self::Mozilla,
            Some("fcm") => Self::Fcm,
            Some("apple") => Self::Apple,
            Some("w") => Self::Wns,
            _ => Self::Plain,
        }
    }

    /// The longest TTL it keeps, seconds; more is silently lowered.
    pub(super) fn ttl_cap(self) -> u64 {
        match self {
            Self::Fcm => 2_419_200,
            _ => 2_592_000,
        }
    }

    /// The refusal in the provider's shape, and the reason word for the log.
    pub(super) fn refuse(self, wrong: &Wrong, retry_after: u64) -> (Reply, String) {
        let (reply, reason) = match self {
            Self::Plain => (
                Reply::status(wrong.status()).with_body(wrong.text()),
                wrong.rule().to_owned(),
            ),
            Self::Mozilla => mozilla(wrong),
            Self::Fcm => fcm(wrong),
            Self::Apple => apple(wrong),
            Self::Wns => wns(wrong),
        };
        let reply = match wrong {
            Wrong::Throttled => reply.with("retry-after", retry_after.to_string()),
            Wrong::AuthMissing => reply.with("www-authenticate", "vapid"),
            _ => reply,
        };
        (reply, reason)
    }
}

fn mozilla(wrong: &Wrong) -> (Reply, String) {
    let (status, errno) = match wrong {
        Wrong::Unknown => (404, Some(102)),
        Wrong::Gone => (410, Some(106)),
        Wrong::TooLarge => (413, Some(104)),
        Wrong::AuthMissing | Wrong::AuthForm | Wrong::PublicKey | Wrong::Jwt(_) | Wrong::KeyMismatch => {
            (401, Some(109))
        }
        Wrong::Encoding | Wrong::CryptoHeaders | Wrong::Undecryptable(_) | Wrong::KeyReused => {
            (400, Some(110))
        }
        Wrong::TtlMissing | Wrong::TtlForm => (400, Some(111)),
        Wrong::TtlNegative => (400, Some(114)),
        Wrong::Topic => (400, Some(113)),
        // Not every error has a number.
        other => (other.status(), None),
    };
    let body = json!({
        "code": status,
        "errno": errno,
        "error": http::StatusCode::from_u16(status).ok().and_then(|code| code.canonical_reason()),
        "message": match wrong {
            // Word for word, because senders tell this one apart by it: all failures of VAPID have its number.
            Wrong::KeyMismatch => "VAPID public key mismatch".to_owned(),
            _ => wrong.text().to_string(),
        },
        "more_info": "http://autopush.readthedocs.io/en/latest/http.html#error-codes",
    });
    let reply = Reply::json(status, &body);
    let reply = if status == 410 {
        reply.with("cache-control", "max-age=86400")
    } else {
        reply
    };
    (
        reply,
        errno.map_or_else(|| "null".to_owned(), |errno| errno.to_string()),
    )
}

fn fcm(wrong: &Wrong) -> (Reply, String) {
    let (status, text) = match wrong {
        Wrong::TooLarge => (400, "message payload must be less than 4096 bytes".to_owned()),
        Wrong::KeyMismatch => (
            403,
            "the VAPID credentials in the authorization header do not correspond to the credentials used to \
             create the subscriptions."
                .to_owned(),
        ),
        Wrong::PublicKey => (
            403,
            "the public key included in the authorization header must be 65 bytes, base64url.".to_owned(),
        ),
        Wrong::Jwt("webpush.vapid.aud") => (
            403,
            "invalid 'aud': the 'aud' claim in the JWT MUST include the unicode serialization of the origin."
                .to_owned(),
        ),
        Wrong::Jwt("webpush.vapid.exp.far") => (
            403,
            "the 'exp' claim in the JWT MUST NOT be more than 24 hours from the time of the request."
                .to_owned(),
        ),
        Wrong::Jwt("webpush.vapid.exp.past") => {
            (403, "the JWT in the authorization header is expired.".to_owned())
        }
        Wrong::Jwt(_) => (403, "invalid JWT provided".to_owned()),
        Wrong::Gone => (410, "push subscription has unsubscribed or expired.".to_owned()),
        other => (other.status(), other.text()),
    };
    (
        Reply::status(status)
            .with("content-type", "text/plain; charset=utf-8")
            .with_body(text.clone()),
        text,
    )
}

fn apple(wrong: &Wrong) -> (Reply, String) {
    let (status, reason) = match wrong {
        Wrong::Method => (405, "MethodNotAllowed"),
        Wrong::Unknown => (404, "BadPath"),
        Wrong::Gone => (410, "Unregistered"),
        Wrong::Throttled => (429, "TooManyRequests"),
        Wrong::AuthMissing | Wrong::Jwt(_) => (403, "BadJwtToken"),
        Wrong::AuthForm => (400, "BadAuthorizationHeader"),
        Wrong::PublicKey => (400, "BadVapidPublicKey"),
        Wrong::KeyMismatch => (400, "VapidPkHashMismatch"),
        Wrong::TtlMissing | Wrong::TtlForm | Wrong::TtlNegative => (400, "BadTtl"),
        Wrong::Urgency => (400, "BadUrgency"),
        Wrong::Topic => (400, "BadWebPushTopic"),
        Wrong::TooLarge => (413, "PayloadTooLarge"),
        _ => (400, "BadWebPushRequest"),
    };
    (
        Reply::json(status, &json!({ "reason": reason })),
        reason.to_owned(),
    )
}

fn wns(wrong: &Wrong) -> (Reply, String) {
    let (status, notification, description) = match wrong {
        Wrong::Throttled => (
            406,
            "channelthrottled",
            "The application exceeded its throttle limit.".to_owned(),
        ),
        Wrong::CachePolicy => (
            400,
            "dropped",
            "Ttl value conflicts with X-WNS-Cache-Policy.".to_owned(),
        ),
        Wrong::AuthMissing => (401, "dropped", "Authorization is missing.".to_owned()),
        other => (other.status(), "dropped", other.text()),
    };
    let reply = Reply::status(status)
        .with("x-wns-status", "dropped")
        .with("x-wns-notificationstatus", notification)
        .with("x-wns-error-description", description.clone());
    (reply, description)
}
