//! Messages: checked, and encoded once for any number of registration ids.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use md5::{Digest, Md5};
use serde_json::{Map, Value};

use crate::error::{Error, ErrorKind};
use crate::http::{Authority, HeaderBlock, Headers, Indexing, Request};
use crate::{json, percent};

/// The most bytes of a message.
const LARGEST: usize = 6144;
/// ADM keeps a message for 60 seconds at least …
const SHORTEST_LIFE: Duration = Duration::from_secs(60);
/// … and 31 days at most; a week unless told.
const LONGEST_LIFE: Duration = Duration::from_secs(2_678_400);

/// The id of one app on one device.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct RegistrationId(Arc<str>);

impl RegistrationId {
    /// Takes what the app handed over.
    ///
    /// # Errors
    /// `InvalidToken` when it is empty, 4 KiB or longer, or holds anything but visible ASCII.
    pub fn new(text: &str) -> Result<Self, Error> {
        if text.is_empty() || text.len() >= 4096 || !text.bytes().all(|b| b.is_ascii_graphic()) {
            return Err(Error::new(
                ErrorKind::InvalidToken,
                "a registration id is 1 to 4095 visible ascii characters",
            ));
        }
        Ok(Self(text.into()))
    }

    /// The id.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for RegistrationId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RegistrationId([redacted])")
    }
}

/// How eagerly a message is delivered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Priority {
    /// When the device is awake.
    Normal,
    /// At once.
    High,
}

/// One checked message for one device. Cheap to clone; [`Message::to`] makes the same message
/// for another device without encoding anything again.
#[derive(Clone)]
pub struct Message {
    body: Arc<[u8]>,
    target: RegistrationId,
}

impl Message {
    /// Begins a message.
    pub fn builder() -> MessageBuilder {
        MessageBuilder::default()
    }

    /// The same message for another device.
    #[must_use]
    pub fn to(&self, target: RegistrationId) -> Self {
        Self {
            body: Arc::clone(&self.body),
            target,
        }
    }

    /// Whom it is for.
    pub fn target(&self) -> &RegistrationId {
        &self.target
    }

    /// The body of the request: JSON.
    pub fn body(&self) -> &[u8] {
        &self.body
    }

    /// Writes the request, without authorization, into a cleared `request`.
    ///
    /// # Errors
    /// None today; a rule that depends on the target would show here.
    pub fn write(&self, authority: &Authority, request: &mut Request) -> Result<(), Error> {
        request.path.push_str("/messaging/registrations/");
        percent::segment(&mut request.path, self.target.as_str());
        request.path.push_str("/messages");
        request.share(authority, &COMMON, &self.body);
        Ok(())
    }
}

impl fmt::Debug for Message {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Message")
            .field("target", &self.target)
            .field("body_len", &self.body.len())
            .finish()
    }
}

/// The headers of every message.
pub(super) static COMMON: LazyLock<Arc<HeaderBlock>> = LazyLock::new(|| {
    let mut headers = Headers::new();
    for (name, value) in [
        ("content-type", "application/json"),
        ("accept", "application/json"),
        (
            "x-amzn-type-version",
            "com.amazon.device.messaging.ADMMessage@1.0",
        ),
        (
            "x-amzn-accept-type",
            "com.amazon.device.messaging.ADMSendResult@1.0",
        ),
    ] {
        headers
            .push(name, value, Indexing::Incremental)
            .expect("constant headers");
    }
    HeaderBlock::new(headers)
});

/// What a message says, before it has a target.
#[derive(Clone, Debug, Default)]
pub struct MessageBuilder {
    data: Vec<(String, String)>,
    notification: Option<Map<String, Value>>,
    priority: Option<Priority>,
    consolidation_key: Option<String>,
    expires_after: Option<Duration>,
    checksum: bool,
    extra: Map<String, Value>,
}

impl MessageBuilder {
    /// Adds an entry to what the app gets.
    #[must_use]
    pub fn data(mut self, key: impl Into<String>, value: impl Into<String>) -> Self {
        self.data.push((key.into(), value.into()));
        self
    }

    /// What the user sees (a beta of Amazon's): a JSON object with `title`, `body`, `icon`,
    /// `color`, `sound`, `tag`, `click_action`, `channel_id`, `image` and the like.
    ///
    /// # Errors
    /// `InvalidPayload` when it is not one JSON object.
    pub fn notification(mut self, json: &[u8]) -> Result<Self, Error> {
        self.notification = Some(json::parse_object(json)?);
        Ok(self)
    }

    /// How eagerly it is delivered.
    #[must_use]
    pub fn priority(mut self, priority: Priority) -> Self {
        self.priority = Some(priority);
        self
    }

    /// Messages with one key, at most 64 characters, replace each other while the device is away.
    #[must_use]
    pub fn consolidation_key(mut self, key: impl Into<String>) -> Self {
        self.consolidation_key = Some(key.into());
        self
    }

    /// How long it is kept for a device that is away: 60 seconds to 31 days, whole seconds; a
    /// week if unset.
    #[must_use]
    pub fn ttl(self, ttl: Duration) -> Self {
        self.expires_after(ttl)
    }

    /// [`MessageBuilder::ttl`] under the name of ADM's field, `expiresAfter`.
    #[must_use]
    pub fn expires_after(mut self, life: Duration) -> Self {
        self.expires_after = Some(life);
        self
    }

    /// Adds the checksum of the data, for ADM and the app to check.
    #[must_use]
    pub fn with_md5(mut self) -> Self {
        self.checksum = true;
        self
    }

    /// Adds a top-level field that this version does not know.
    #[must_use]
    pub fn extra(mut self, name: impl Into<String>, value: impl Into<Value>) -> Self {
        self.extra.insert(name.into(), value.into());
        self
    }

    /// Checks the message and encodes it.
    ///
    /// # Errors
    /// `PayloadEmpty` without data, notification and consolidation key; `InvalidValue` for a key
    /// or a life outside its range; `Conflict` when a data key is given twice or a field is also
    /// in `extra`; `PayloadTooLarge` above 6144 bytes of data and notification.
    pub fn build(&self, target: RegistrationId) -> Result<Message, Error> {
        let body = self.fields()?;
        Ok(Message {
            body: Value::Object(body).to_string().into_bytes().into(),
            target,
        })
    }

    /// The checked fields of the body.
    pub(super) fn fields(&self) -> Result<Map<String, Value>, Error> {
        if self.data.is_empty() && self.notification.is_none() && self.consolidation_key.is_none() {
            return Err(Error::new(
                ErrorKind::PayloadEmpty,
                "neither data, nor notification, nor consolidationKey",
            ));
        }
        let mut data = Map::new();
        for (key, value) in &self.data {
            if data.insert(key.clone(), value.clone().into()).is_some() {
                return Err(Error::new(
                    ErrorKind::Conflict,
                    "data: the same key is given twice",
                ));
            }
        }
        let mut body = Map::new();
        // Kept even when empty: a consolidation key alone still needs it.
        body.insert("data".into(), Value::Object(data));
        if let Some(notification) = &self.notification {
            body.insert("notification".into(), Value::Object(notification.clone()));
        }
        let payload = Value::Object(body.clone()).to_string().len();
        if payload > LARGEST {
            return Err(Error::new(
                ErrorKind::PayloadTooLarge,
                format!("{payload} bytes of data and notification, {LARGEST} is the limit"),
            ));
        }
        if let Some(priority) = self.priority {
            let word = match priority {
                Priority::Normal => "normal",
                Priority::High => "high",
            };
            body.insert("priority".into(), word.into());
        }
        if let Some(key) = &self.consolidation_key {
            if key.is_empty() || key.chars().count() > 64 {
                return Err(Error::new(
                    ErrorKind::InvalidValue,
                    "consolidationKey is not 1 to 64 characters",
                ));
            }
            body.insert("consolidationKey".into(), key.clone().into());
        }
        if let Some(life) = self.expires_after {
            if !(SHORTEST_LIFE..=LONGEST_LIFE).contains(&life) {
                return Err(Error::new(
                    ErrorKind::InvalidValue,
                    "expiresAfter is not 60 to 2678400 seconds",
                ));
            }
            body.insert("expiresAfter".into(), life.as_secs().into());
        }
        if self.checksum {
            let pairs = self.data.iter().map(|(k, v)| (k.as_str(), v.as_str()));
            body.insert("md5".into(), md5(pairs).into());
        }
        for (name, value) in &self.extra {
            if body.insert(name.clone(), value.clone()).is_some() {
                return Err(Error::new(
                    ErrorKind::Conflict,
                    "extra names a field that is also set by its type",
                ));
            }
        }
        Ok(body)
    }
}

/// ADM's checksum of a message's data: MD5, in base64, of `key:value` pairs joined with commas
/// in the order of their keys' UTF-8 bytes. It guards against accidents, not against anyone.
pub fn md5<'a>(data: impl IntoIterator<Item = (&'a str, &'a str)>) -> String {
    let sorted: BTreeMap<&str, &str> = data.into_iter().collect();
    let mut hash = Md5::new();
    for (index, (key, value)) in sorted.into_iter().enumerate() {
        if index > 0 {
            hash.update(b",");
        }
        hash.update(key);
        hash.update(b":");
        hash.update(value);
    }
    STANDARD.encode(hash.finalize())
}

#[cfg(test)]
#[path = "message_tests.rs"]
mod tests;
