//! Pushes that a job wants sent.

use std::fmt;

use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use super::ask::Collection;
use super::step::no_step;
use crate::error::Error;
use crate::service::{Kind, Message, Template};
use crate::time::UnixTime;

/// The way that a message takes: which of the host's credentials it is sent with.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Channel {
    /// The service.
    pub service: Kind,
    /// The app or project whose credentials are used.
    pub scope: String,
    /// The channel as the foreign system calls it, for example `APNS_SANDBOX`.
    pub name: String,
    /// Whether the message goes to the sandbox environment of APNs.
    pub sandbox: bool,
}

/// One message to one target.
#[derive(Clone)]
#[non_exhaustive]
pub struct Send {
    /// The way.
    pub channel: Channel,
    /// The target as the caller wrote it, an address or a token; or the id of the record that the target comes from.
    /// Feedback on a dead token goes to this key.
    pub key: String,
    /// The collection of the record whose id the key is; `None` where the key is the target itself.
    pub record: Option<Collection>,
    /// The message, complete with its target.
    pub message: Message,
    /// When the host begins to send; `None` for now. A host writes a message for later down, and answers at once with
    /// `{"outcome": "scheduled"}`.
    pub at: Option<UnixTime>,
    /// The id of the record in [`Collection::Notifications`] that a message for later belongs to: what becomes of the
    /// message is told there. `None` for a message that is sent now.
    pub notification: Option<String>,
}

/// One message to everyone whom a filter selects: the host runs over its store, not the job over a list.
///
/// The host writes the broadcast down and answers at once, with `{"id": "...", "count": 7}`: the id that it gave the
/// broadcast, and the number of records that the filter selects now. It sends in its own time.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Broadcast {
    /// The way.
    pub channel: Channel,
    /// The message without a target.
    pub template: Template,
    /// The kind of record that holds the targets.
    pub collection: Collection,
    /// The filter, in the words of `docs/dialects.md`.
    pub filter: Value,
    /// When the host begins to send, and looks up the targets; `None` for now.
    pub at: Option<UnixTime>,
    /// The record that is kept of it in [`Collection::Notifications`].
    pub record: Value,
}

impl Channel {
    pub(super) fn new(service: Kind, scope: &str, name: &str) -> Self {
        Self {
            service,
            scope: scope.to_owned(),
            name: name.to_owned(),
            sandbox: false,
        }
    }

    fn read(step: &Value) -> Result<Self, Error> {
        let value = step.get("channel").ok_or_else(no_step)?;
        Ok(Self {
            service: Kind::parse(text(value, "service")?)?,
            scope: text(value, "scope")?.to_owned(),
            name: text(value, "name")?.to_owned(),
            sandbox: member(value, "sandbox")?,
        })
    }

    pub(super) fn value(&self) -> Value {
        let mut map = Map::new();
        map.insert("service".into(), self.service.as_str().into());
        map.insert("scope".into(), self.scope.as_str().into());
        map.insert("name".into(), self.name.as_str().into());
        map.insert("sandbox".into(), self.sandbox.into());
        Value::Object(map)
    }
}

impl fmt::Debug for Send {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The key is mostly a device's token.
        f.debug_struct("Send")
            .field("channel", &self.channel)
            .field("key", &format_args!("[{} bytes]", self.key.len()))
            .field("record", &self.record)
            .field("message", &self.message)
            .field("at", &self.at)
            .field("notification", &self.notification)
            .finish()
    }
}

impl Send {
    /// A message that is sent now.
    pub(super) fn now(channel: Channel, key: &str, record: Option<Collection>, message: Message) -> Self {
        Self {
            channel,
            key: key.to_owned(),
            record,
            message,
            at: None,
            notification: None,
        }
    }

    pub(super) fn read(value: &Value) -> Result<Self, Error> {
        let channel = Channel::read(value)?;
        let message = value.get("message").ok_or_else(no_step)?.to_string();
        let at: Option<u64> = member(value, "at")?;
        Ok(Self {
            key: text(value, "key")?.to_owned(),
            record: member(value, "record")?,
            message: Message::from_json(channel.service, message.as_bytes())?,
            at: at.map(UnixTime::from_secs),
            notification: member(value, "notification")?,
            channel,
        })
    }

    pub(super) fn value(&self) -> Value {
        let mut map = Map::new();
        map.insert("channel".into(), self.channel.value());
        map.insert("key".into(), self.key.as_str().into());
        map.insert("record".into(), serde_json::json!(self.record));
        map.insert("message".into(), tree(&self.message.to_json()));
        if let Some(at) = self.at {
            map.insert("at".into(), at.as_secs().into());
            map.insert("notification".into(), serde_json::json!(self.notification));
        }
        Value::Object(map)
    }
}

impl Broadcast {
    pub(super) fn read(value: &Value) -> Result<Self, Error> {
        let channel = Channel::read(value)?;
        let template = value.get("template").ok_or_else(no_step)?.to_string();
        let at: Option<u64> = member(value, "at")?;
        Ok(Self {
            template: Template::from_json(channel.service, template.as_bytes())?,
            channel,
            collection: member(value, "collection")?,
            filter: value.get("filter").cloned().unwrap_or_default(),
            at: at.map(UnixTime::from_secs),
            record: value.get("record").cloned().unwrap_or_default(),
        })
    }

    pub(super) fn value(&self) -> Value {
        let mut map = Map::new();
        map.insert("channel".into(), self.channel.value());
        map.insert("template".into(), tree(&self.template.to_json()));
        map.insert("collection".into(), serde_json::json!(self.collection));
        map.insert("filter".into(), self.filter.clone());
        map.insert("at".into(), self.at.map_or(Value::Null, |at| at.as_secs().into()));
        map.insert("record".into(), self.record.clone());
        Value::Object(map)
    }
}

/// Payloads stand in the form as strings, so nothing of them is lost in a tree.
fn tree(form: &str) -> Value {
    serde_json::from_str(form).unwrap_or_default()
}

fn text<'a>(value: &'a Value, name: &str) -> Result<&'a str, Error> {
    value.get(name).and_then(Value::as_str).ok_or_else(no_step)
}

fn member<T: DeserializeOwned>(value: &Value, name: &str) -> Result<T, Error> {
    let member = value.get(name).cloned().unwrap_or_default();
    serde_json::from_value(member).map_err(|_| no_step())
}
