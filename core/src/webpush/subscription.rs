//! What the browser hands out: `PushSubscription.toJSON()` (W3C push-api).

use std::fmt;

use serde_json::{Map, Value};

use super::endpoint::Endpoint;
use super::policy::EndpointPolicy;
use super::provider::Provider;
use crate::crypto::ece::ReceiverPublic;
use crate::crypto::{self, Es256PublicKey};
use crate::error::{Error, ErrorKind};
use crate::time::UnixTime;

/// The host that Edge and Chrome put into the endpoint of a subscription that they have given up.
const REMOVED: &str = "permanently-removed.invalid";

/// The names that libraries and database tables have for the three values, without case, underscores and hyphens.
const ENDPOINT: &[&str] = &["endpoint", "pushendpoint", "url"];
const P256DH: &[&str] = &[
    "p256dh",
    "p256dhkey",
    "keyp256dh",
    "publickey",
    "userpublickey",
    "pubkey",
    "key",
];
const AUTH: &[&str] = &[
    "auth",
    "authkey",
    "keyauth",
    "authtoken",
    "authsecret",
    "userauth",
    "userauthtoken",
    "token",
];

/// The names of the object with the keys; the second is UnifiedPush's.
const KEYS: &[&str] = &["keys", "pubkeyset"];
/// The names of the object with the subscription in what a page posted.
const AROUND: &[&str] = &["subscription", "pushsubscription"];

/// The longest JSON text that is looked at.
const LONGEST: usize = 16 * 1024;

/// A subscription whose endpoint the policy allows and whose keys are valid:
/// checked once, when it is read, and not again for each message.
#[derive(Clone, PartialEq, Eq)]
pub struct Subscription {
    endpoint: Endpoint,
    keys: Option<ReceiverPublic>,
    expires: Option<UnixTime>,
    created: Option<UnixTime>,
}

impl Subscription {
    /// Reads the JSON of a subscription:
    /// `{"endpoint", "expirationTime", "keys": {"p256dh", "auth"}}`; also with the keys beside
    /// the endpoint, without keys, inside a JSON string (the whole, or `keys`) or below `subscription`, in single
    /// quotes as Python and Java's README write them, with padded or standard base64, with a byte order mark, and with the member names of other languages' libraries and tables:
    /// `publicKey` and `authToken` (PHP), `P256DH` (.NET), `p256dh_key` and `auth_key` (Ruby), `pubKeySet` (UnifiedPush);
    /// the whole list is in `docs/other-libraries.md`.
    /// Unknown members are ignored.
    ///
    /// # Errors
    /// * `InvalidSubscription`: anything malformed, or longer than 16 KiB;
    /// * `SubscriptionRemoved`: the browser has removed it for good;
    /// * `EndpointNotAllowed`: `policy` refuses the endpoint.
    pub fn parse(json: &[u8], policy: &EndpointPolicy) -> Result<Self, Error> {
        let subscription = Self::read(json)?;
        policy.check(&subscription.endpoint)?;
        Ok(subscription)
    }

    /// [`Subscription::parse`] without a policy: a [`Session`](crate::session::Session) asks its own about each
    /// endpoint before it connects. Whoever sends the request of [`request`](super::request) with another client
    /// calls [`EndpointPolicy::check`] first.
    ///
    /// # Errors
    /// As [`Subscription::parse`], without `EndpointNotAllowed` by a policy.
    pub fn read(json: &[u8]) -> Result<Self, Error> {
        if json.len() > LONGEST {
            return Err(invalid("the subscription is longer than 16 kib"));
        }
        let json = json.strip_prefix(b"\xef\xbb\xbf").unwrap_or(json);
        let value = match crate::json::parse(json) {
            Ok(value) => value,
            Err(error) => single_quoted(json).ok_or_else(|| not_json(error))?,
        };
        let mut map = object(value)?.ok_or_else(|| invalid("the subscription is not a json object"))?;
        if member(&map, ENDPOINT).is_none() {
            if let Some(inner) = member(&map, AROUND).cloned() {
                map = object(inner)?.ok_or_else(|| invalid("the subscription has no endpoint"))?;
            }
        }
        let endpoint = string(&map, ENDPOINT)?.ok_or_else(|| invalid("the subscription has no endpoint"))?;
        let inner = match member(&map, KEYS) {
            None | Some(Value::Null) => None,
            Some(keys) => {
                let keys = object(keys.clone())?;
                Some(keys.ok_or_else(|| invalid("the member keys is not an object"))?)
            }
        };
        let keys = inner.as_ref().unwrap_or(&map);
        let mut subscription = Self::at(endpoint)?;
        subscription.keys = match (string(keys, P256DH)?, string(keys, AUTH)?) {
            (Some(p256dh), Some(auth)) => Some(receiver(p256dh, auth)?),
            (None, None) => None,
            (None, Some(_)) => return Err(invalid("the subscription has no p256dh")),
            (Some(_), None) => return Err(invalid("the subscription has no auth")),
        };
        subscription.expires = member(&map, &["expirationtime"]).and_then(milliseconds);
        Ok(subscription)
    }

    /// From the three texts that databases hold.
    ///
    /// # Errors
    /// As [`Subscription::parse`]: `p256dh` must be 65 bytes, an uncompressed point on
    /// the curve, `auth` 16 bytes.
    pub fn new(endpoint: &str, p256dh: &str, auth: &str, policy: &EndpointPolicy) -> Result<Self, Error> {
        let mut subscription = Self::without_keys(endpoint, policy)?;
        subscription.keys = Some(receiver(p256dh, auth)?);
        Ok(subscription)
    }

    /// A subscription that can only be woken up, without a payload.
    ///
    /// # Errors
    /// As [`Subscription::parse`].
    pub fn without_keys(endpoint: &str, policy: &EndpointPolicy) -> Result<Self, Error> {
        let subscription = Self::at(endpoint)?;
        policy.check(&subscription.endpoint)?;
        Ok(subscription)
    }

    fn at(endpoint: &str) -> Result<Self, Error> {
        let endpoint = Endpoint::parse(endpoint)?;
        if endpoint.authority().host() == REMOVED {
            return Err(Error::new(
                ErrorKind::SubscriptionRemoved,
                "the browser has removed this subscription for good: delete it",
            ));
        }
        Ok(Self {
            endpoint,
            keys: None,
            expires: None,
            created: None,
        })
    }

    /// Returns the same subscription, known to be made at `created`. FCM answers 410 to
    /// some subscriptions in their first seconds; knowing the age, such an answer is
    /// read as "retry" instead of "gone".
    #[must_use]
    pub fn created_at(mut self, created: UnixTime) -> Self {
        self.created = Some(created);
        self
    }

    /// When it was made, if the caller said so.
    pub fn created(&self) -> Option<UnixTime> {
        self.created
    }

    /// When the browser says that it expires.
    pub fn expires(&self) -> Option<UnixTime> {
        self.expires
    }

    /// Where messages go.
    pub fn endpoint(&self) -> &Endpoint {
        &self.endpoint
    }

    /// Returns the provider of the push service.
    pub fn provider(&self) -> Provider {
        self.endpoint.provider()
    }

    /// Whether it can receive a payload.
    pub fn has_keys(&self) -> bool {
        self.keys.is_some()
    }

    /// The JSON that browsers make of it. It holds the `auth` secret and the endpoint:
    /// for the caller's own storage, not for logs.
    pub fn to_json(&self) -> String {
        let mut keys = Map::new();
        if let Some(receiver) = &self.keys {
            keys.insert("p256dh".into(), crypto::base64::encode(&receiver.point).into());
            keys.insert("auth".into(), crypto::base64::encode(&receiver.auth).into());
        }
        let expires = self.expires.map_or(Value::Null, |time| time.as_millis().into());
        serde_json::json!({
            "endpoint": self.endpoint.url(),
            "expirationTime": expires,
            "keys": keys,
        })
        .to_string()
    }

    pub(super) fn keys(&self) -> Option<&ReceiverPublic> {
        self.keys.as_ref()
    }
}

fn not_json(error: Error) -> Error {
    invalid("the subscription is not a json object").with_source(error)
}

/// The object that a value is, or that its text holds: columns of JSON are often encoded twice. `None` for other values.
fn object(value: Value) -> Result<Option<Map<String, Value>>, Error> {
    match value {
        Value::Object(map) => Ok(Some(map)),
        Value::String(text) => match crate::json::parse(text.as_bytes()).map_err(not_json)? {
            Value::Object(map) => Ok(Some(map)),
            _ => Ok(None),
        },
        _ => Ok(None),
    }
}

/// An object in single quotes, as the README of web-push for Java has it, and as Python's `str` writes a dict; `None` where
/// that is not what the text is. No endpoint and no key holds a quote.
fn single_quoted(text: &[u8]) -> Option<Value> {
    let text = std::str::from_utf8(text).ok()?.trim();
    if !text.starts_with("{'") || text.contains(['"', '\\']) {
        return None;
    }
    let text = text.replace('\'', "\"").replace(": None", ": null");
    crate::json::parse(text.as_bytes()).ok()
}

fn receiver(p256dh: &str, auth: &str) -> Result<ReceiverPublic, Error> {
    let point: [u8; 65] =
        crypto::base64::decode_array(p256dh).ok_or_else(|| invalid("p256dh is not 65 bytes in base64url"))?;
    Es256PublicKey::read(&point).map_err(|_| invalid("p256dh is not a point of p-256"))?;
    let auth: [u8; 16] =
        crypto::base64::decode_array(auth).ok_or_else(|| invalid("auth is not 16 bytes in base64url"))?;
    Ok(ReceiverPublic { point, auth })
}

/// Milliseconds since 1970, as `Date.now()` counts. The push API says a double, so Java and others write
/// `1.893456E12`. `None` for null, text, and what is before 1970.
fn milliseconds(value: &Value) -> Option<UnixTime> {
    let number = value.as_f64().filter(|number| (0.0..1e16).contains(number))?;
    // In range: checked above, so the conversion loses the fraction only.
    Some(UnixTime::from_millis(number as u64)).filter(|time| time.is_believable())
}

/// The member of the first of these names that there is, in any library's spelling: upper and lower case,
/// with underscores or hyphens.
fn member<'a>(map: &'a Map<String, Value>, names: &[&str]) -> Option<&'a Value> {
    let plain = |key: &str| key.replace(['_', '-'], "").to_ascii_lowercase();
    names
        .iter()
        .find_map(|name| map.iter().find(|(key, _)| plain(key) == *name))
        .map(|(_, value)| value)
}

fn string<'a>(map: &'a Map<String, Value>, names: &[&str]) -> Result<Option<&'a str>, Error> {
    match member(map, names) {
        Some(Value::String(text)) => Ok(Some(text)),
        None | Some(Value::Null) => Ok(None),
        Some(_) => Err(invalid("a member of the subscription is not a string")),
    }
}

fn invalid(context: &'static str) -> Error {
    Error::new(ErrorKind::InvalidSubscription, context)
}

impl fmt::Debug for Subscription {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Subscription")
            .field("endpoint", &self.endpoint)
            .field("keys", &self.keys.as_ref().map(|_| "[redacted]"))
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
