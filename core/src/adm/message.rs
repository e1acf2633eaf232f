//! Messages: checked, and encoded once for any number of registration ids.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use md5::{Digest, Md5};
use serde_json::Value;

use super::audience::{Audience, AudienceMessage, Group, Topic};
use super::form::MessageForm;
use super::registration_id::RegistrationId;
use crate::error::{Error, ErrorKind};
use crate::http::{Authority, HeaderBlock, Headers, Indexing, Request};
use crate::json::form::{RawText, Texts, Word};
use crate::json::{self, Item, Members, Node, Object, Path};
use crate::percent;

/// The most bytes of a message.
const LARGEST: usize = 6144;
/// ADM keeps a message for 60 seconds at least …
const SHORTEST_LIFE: Duration = Duration::from_secs(60);
/// … and 31 days at most; a week unless told.
const LONGEST_LIFE: Duration = Duration::from_secs(2_678_400);

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
    /// How many members of the body do not come from `extra`: they stand first.
    typed: u8,
    target: RegistrationId,
}

impl Message {
    /// Begins a message.
    pub fn builder() -> MessageBuilder {
        MessageBuilder::default()
    }

    /// Returns the same message for another device.
    #[must_use]
    pub fn to(&self, target: RegistrationId) -> Self {
        Self {
            body: Arc::clone(&self.body),
            typed: self.typed,
            target,
        }
    }

    /// The message without its target.
    pub fn template(&self) -> Template {
        Template::of_body(Arc::clone(&self.body), self.typed)
    }

    /// The message as JSON (`docs/messages.md`). A field that is added does not compile until it stands here.
    pub(crate) fn write_form(&self, out: &mut Vec<u8>) {
        let Self { body, typed, target } = self;
        write_form(body, *typed, Some(("registration_id", target.as_str())), out);
    }

    /// Returns the target of the message.
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

/// The content of a message that has no target yet.
#[derive(Clone, Debug, Default)]
pub struct MessageBuilder {
    data: Vec<(String, String)>,
    notification: Option<String>,
    priority: Option<Priority>,
    consolidation_key: Option<String>,
    expires_after: Option<Duration>,
    checksum: bool,
    extra: Members,
}

impl MessageBuilder {
    /// Adds an entry to what the app gets.
    #[must_use]
    pub fn data(mut self, key: impl Into<String>, value: impl Into<String>) -> Self {
        self.data.push((key.into(), value.into()));
        self
    }

    /// The visible notification (a beta of Amazon's): a JSON object with `title`, `body`, `icon`,
    /// `color`, `sound`, `tag`, `click_action`, `channel_id`, `image` and the like.
    ///
    /// # Errors
    /// `InvalidPayload` when it is not one JSON object.
    pub fn notification(mut self, json: &[u8]) -> Result<Self, Error> {
        json::parse_object(json)?;
        // Sent byte for byte; it has been parsed, so it is UTF-8.
        self.notification = Some(String::from_utf8_lossy(json.trim_ascii()).into_owned());
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
        let value: Value = value.into();
        self.extra.insert(name.into(), value);
        self
    }

    /// The builder that a form describes, and its targets. A field that is added to either does not
    /// compile until it stands here.
    pub(super) fn from_form(form: MessageForm, at: &Path<'_>) -> Result<(Self, Targets), Error> {
        let MessageForm {
            registration_id,
            topic,
            group,
            data,
            notification,
            priority,
            consolidation_key,
            expires_after,
            md5,
            extra,
        } = form;
        let notification = match notification {
            None => None,
            Some(RawText(text)) => {
                json::parse_object(text.as_bytes()).map_err(|error| at.field("notification").wrap(&error))?;
                Some(text)
            }
        };
        let builder = Self {
            data: data.map(|Texts(pairs)| pairs).unwrap_or_default(),
            notification,
            priority,
            consolidation_key,
            expires_after: expires_after.map(Duration::from_secs),
            checksum: md5.unwrap_or_default(),
            extra: extra.unwrap_or_default(),
        };
        Ok((builder, (registration_id, topic, group)))
    }

    /// Checks the message and encodes it.
    ///
    /// # Errors
    /// `PayloadEmpty` without data, notification and consolidation key; `InvalidValue` for a key
    /// or a life outside its range; `Conflict` when a data key is given twice or a field is also
    /// in `extra`; `PayloadTooLarge` above 6144 bytes of data and notification.
    pub fn build(&self, target: RegistrationId) -> Result<Message, Error> {
        Ok(self.template()?.to(target))
    }

    /// Checks the message and encodes it, without a target.
    ///
    /// # Errors
    /// As [`MessageBuilder::build`].
    pub fn template(&self) -> Result<Template, Error> {
        let (body, typed) = self.encode()?;
        Ok(Template {
            body: body.into(),
            typed,
            names_audience: self.extra.contains_key("topic") || self.extra.contains_key("group"),
        })
    }

    /// The body, and how many of its members do not come from `extra`.
    fn encode(&self) -> Result<(Vec<u8>, u8), Error> {
        if self.data.is_empty() && self.notification.is_none() && self.consolidation_key.is_none() {
            return Err(Error::new(
                ErrorKind::PayloadEmpty,
                "neither data, nor notification, nor consolidationKey",
            ));
        }
        let mut seen = BTreeSet::new();
        if self.data.iter().any(|(key, _)| !seen.insert(key)) {
            return Err(Error::new(
                ErrorKind::Conflict,
                "data: the same key is given twice",
            ));
        }
        let mut body = Fields::default();
        // Kept even when empty: a consolidation key alone still needs it.
        let data = body.member("data");
        data.push(b'{');
        for (number, (key, value)) in self.data.iter().enumerate() {
            if number > 0 {
                data.push(b',');
            }
            json::write_text(key, data);
            data.push(b':');
            json::write_text(value, data);
        }
        data.push(b'}');
        if let Some(notification) = &self.notification {
            body.item("notification", Item::Raw(notification));
        }
        // With the brace that follows.
        let payload = body.text.len() + 1;
        if payload > LARGEST {
            return Err(Error::new(
                ErrorKind::PayloadTooLarge,
                format!("{payload} bytes of data and notification, {LARGEST} is the limit"),
            ));
        }
        if let Some(priority) = self.priority {
            body.item("priority", Item::Text(priority.word()));
        }
        if let Some(key) = &self.consolidation_key {
            if key.is_empty() || key.chars().count() > 64 {
                return Err(Error::new(
                    ErrorKind::InvalidValue,
                    "consolidationKey is not 1 to 64 characters",
                ));
            }
            body.item("consolidationKey", Item::Text(key));
        }
        if let Some(life) = self.expires_after {
            if !(SHORTEST_LIFE..=LONGEST_LIFE).contains(&life) {
                return Err(Error::new(
                    ErrorKind::InvalidValue,
                    "expiresAfter is not 60 to 2678400 seconds",
                ));
            }
            body.item("expiresAfter", Item::Number(life.as_secs()));
        }
        if self.checksum {
            let pairs = self.data.iter().map(|(k, v)| (k.as_str(), v.as_str()));
            body.item("md5", Item::Text(&md5(pairs)));
        }
        let set = [
            ("data", true),
            ("notification", self.notification.is_some()),
            ("priority", self.priority.is_some()),
            ("consolidationKey", self.consolidation_key.is_some()),
            ("expiresAfter", self.expires_after.is_some()),
            ("md5", self.checksum),
        ];
        let typed = body.count;
        for (name, value) in self.extra.iter() {
            if set.contains(&(name.as_str(), true)) {
                return Err(Error::new(
                    ErrorKind::Conflict,
                    "extra names a field that is also set by its type",
                ));
            }
            body.item(name, value.into());
        }
        body.text.push(b'}');
        Ok((body.text, typed))
    }
}

/// The targets that a form names, of which a message has exactly one.
pub(super) type Targets = (Option<RegistrationId>, Option<Topic>, Option<Group>);

/// A JSON object under way.
#[derive(Default)]
struct Fields {
    text: Vec<u8>,
    count: u8,
}

impl Fields {
    /// Begins a member, whose value is appended to the text.
    fn member(&mut self, name: &str) -> &mut Vec<u8> {
        self.text.push(if self.text.is_empty() { b'{' } else { b',' });
        json::write_text(name, &mut self.text);
        self.text.push(b':');
        self.count = self.count.saturating_add(1);
        &mut self.text
    }

    fn item(&mut self, name: &str, item: Item<'_>) {
        item.write(self.member(name));
    }
}

/// One checked message without a target. Cheap to clone.
#[derive(Clone)]
pub struct Template {
    body: Arc<[u8]>,
    typed: u8,
    names_audience: bool,
}

impl Template {
    /// `body` is one of our own making.
    pub(super) fn of_body(body: Arc<[u8]>, typed: u8) -> Self {
        let members = Node::document(&body, "body").ok().and_then(Node::members);
        let members = members.unwrap_or_default();
        let names_audience = members
            .iter()
            .any(|(name, _)| matches!(name.as_str(), "topic" | "group"));
        Self {
            body,
            typed,
            names_audience,
        }
    }

    /// The message for one device; the body is shared.
    pub fn to(&self, target: RegistrationId) -> Message {
        Message {
            body: Arc::clone(&self.body),
            typed: self.typed,
            target,
        }
    }

    /// The message for a topic or a group, whose name stands in the body.
    ///
    /// # Errors
    /// `Conflict` when `extra` names a topic or group.
    pub fn to_audience(&self, audience: Audience) -> Result<AudienceMessage, Error> {
        if self.names_audience {
            return Err(Error::new(ErrorKind::Conflict, "extra names the target"));
        }
        Ok(AudienceMessage::new(&self.body, self.typed, audience))
    }

    /// The message without a target as JSON (`docs/messages.md`).
    pub(crate) fn write_form(&self, out: &mut Vec<u8>) {
        let Self {
            body,
            typed,
            names_audience: _,
        } = self;
        write_form(body, *typed, None, out);
    }
}

impl fmt::Debug for Template {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Template")
            .field("body_len", &self.body.len())
            .finish_non_exhaustive()
    }
}

/// Writes the form of a message with this body, whose first `typed` members do not come from `extra`.
pub(super) fn write_form(body: &[u8], typed: u8, target: Option<(&str, &str)>, out: &mut Vec<u8>) {
    let mut form = Object::new();
    if let Some((field, name)) = target {
        form.insert(field, name);
    }
    // The body is of our own making.
    let members = Node::document(body, "body").ok().and_then(Node::members);
    let members = members.unwrap_or_default();
    let mut extra = Object::new();
    for (number, (name, value)) in members.iter().enumerate() {
        let item = Item::Raw(value.text());
        match name.as_str() {
            _ if number >= usize::from(typed) => extra.insert(name, item),
            "consolidationKey" => form.insert("consolidation_key", item),
            "expiresAfter" => form.insert("expires_after", item),
            "md5" => form.insert("md5", true),
            // As a string, so that it survives whatever stores the form.
            "notification" => form.insert("notification", Item::Own(value.text().into())),
            _ => form.insert(name, item),
        }
    }
    if members.len() > usize::from(typed) {
        form.insert("extra", extra);
    }
    form.write(out);
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
