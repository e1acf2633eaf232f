//! Messages: checked, and encoded once for any number of targets.

use std::fmt;
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use serde_json::{Map, Value};

use super::form::{MessageForm, MessageKind};
use super::notification::AndroidNotification;
use super::sign::Credentials;
use super::target::{Kind, Target};
use crate::error::{Error, ErrorKind};
use crate::http::{Authority, HeaderBlock, Headers, Indexing, Request};
use crate::json::form::{RawText, Word};
use crate::json::{self, Item, Object, Path};
use crate::outcome::{Circumstances, Suspect};
use crate::percent;
use crate::time::{Now, UnixTime};

/// The most bytes of `msg`.
const LARGEST: usize = 4096;
/// The longest life of a message: a week.
const LONGEST_LIFE: Duration = Duration::from_secs(604_800);
const YEAR: Duration = Duration::from_secs(366 * 86_400);

/// The platform that a message is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum DeviceType {
    /// `3`
    Android,
    /// `4`
    Ios,
}

impl DeviceType {
    pub(super) fn as_str(self) -> &'static str {
        match self {
            DeviceType::Android => "3",
            DeviceType::Ios => "4",
        }
    }
}

/// Which certificate of the iOS app is used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum DeployStatus {
    /// `1`
    Development,
    /// `2`
    Production,
}

/// The content of a message that has no target yet.
#[derive(Clone)]
pub struct MessageBuilder {
    kind: MessageKind,
    msg: String,
    expires: Option<Duration>,
    deploy: Option<DeployStatus>,
    topic_id: Option<String>,
    send_time: Option<UnixTime>,
}

impl MessageBuilder {
    /// The builder that a form describes, and its target. A field that is added to either does not
    /// compile until it stands here.
    pub(super) fn from_form(form: MessageForm, at: &Path<'_>) -> Result<(Self, Option<Target>), Error> {
        let MessageForm {
            kind,
            msg,
            notification,
            target,
            expires_after,
            topic_id,
            send_at,
            deploy_status,
        } = form;
        let kind = kind.ok_or_else(|| at.missing("kind"))?;
        let read = |RawText(text): RawText| match kind {
            MessageKind::Android => Ok(AndroidNotification::from_json(text.as_bytes())?.into_text()),
            MessageKind::AndroidRaw => Ok(object_text(text.as_bytes())?.1),
            MessageKind::Ios => ios_text(text.as_bytes()),
        };
        let msg = match (msg, notification) {
            (Some(msg), None) => read(msg).map_err(|error| at.field("msg").wrap(&error))?,
            (None, Some(notification)) if kind == MessageKind::Android => notification.into_text(),
            (None, Some(_)) => {
                return Err(at
                    .field("notification")
                    .error(ErrorKind::Conflict, "is for kind android only"));
            }
            (None, None) => return Err(at.missing("msg")),
            (Some(_), Some(_)) => return Err(at.error(ErrorKind::Conflict, "msg and notification")),
        };
        check_msg(&msg).map_err(|error| at.wrap(&error))?;
        let builder = Self {
            kind,
            msg,
            expires: expires_after.map(Duration::from_secs),
            deploy: deploy_status,
            topic_id,
            send_time: send_at,
        };
        Ok((builder, target))
    }

    /// How long it is kept: 1 second to a week, whole seconds. Five hours if unset.
    #[must_use]
    pub fn ttl(self, ttl: Duration) -> Self {
        self.expires_after(ttl)
    }

    /// [`MessageBuilder::ttl`] under the name that it had first.
    #[must_use]
    pub fn expires_after(mut self, life: Duration) -> Self {
        self.expires = Some(life);
        self
    }

    /// Which certificate of the iOS app is used. Required for iOS, refused for Android.
    #[must_use]
    pub fn deploy_status(mut self, status: DeployStatus) -> Self {
        self.deploy = Some(status);
        self
    }

    /// A name of 1 to 128 characters that statistics are kept under; for devices only.
    #[must_use]
    pub fn topic_id(mut self, id: impl Into<String>) -> Self {
        self.topic_id = Some(id.into());
        self
    }

    /// When it is sent: a minute to a year ahead; for [`Target::all`] and tags only.
    #[must_use]
    pub fn send_at(mut self, time: UnixTime) -> Self {
        self.send_time = Some(time);
        self
    }

    /// Checks the message for `target`.
    ///
    /// # Errors
    /// `InvalidValue` for a life or topic id outside its range; `MissingField` for iOS
    /// without `deploy_status`; `Conflict` for what the target or platform does not take.
    pub fn build(&self, target: Target) -> Result<Message, Error> {
        self.template()?.to(target)
    }

    /// Checks the message, without a target.
    ///
    /// # Errors
    /// As [`MessageBuilder::build`], but for what depends on the target.
    pub fn template(&self) -> Result<Template, Error> {
        let (device_type, msg_type) = match self.kind {
            MessageKind::Android => (DeviceType::Android, "1"),
            MessageKind::AndroidRaw => (DeviceType::Android, "0"),
            MessageKind::Ios => (DeviceType::Ios, "1"),
        };
        let mut fixed: Vec<(&'static str, String)> = vec![
            ("device_type", device_type.as_str().to_owned()),
            ("msg", self.msg.clone()),
            ("msg_type", msg_type.to_owned()),
        ];
        if let Some(life) = self.expires {
            if !(Duration::from_secs(1)..=LONGEST_LIFE).contains(&life) {
                return Err(Error::new(
                    ErrorKind::InvalidValue,
                    "msg_expires is not 1 to 604800 seconds",
                ));
            }
            fixed.push(("msg_expires", life.as_secs().to_string()));
        }
        match (device_type, self.deploy) {
            (DeviceType::Ios, None) => {
                return Err(Error::new(
                    ErrorKind::MissingField,
                    "deploy_status: required for ios",
                ));
            }
            (DeviceType::Android, Some(_)) => {
                return Err(Error::new(ErrorKind::Conflict, "deploy_status is for ios only"));
            }
            (DeviceType::Ios, Some(DeployStatus::Development)) => fixed.push(("deploy_status", "1".into())),
            (DeviceType::Ios, Some(DeployStatus::Production)) => fixed.push(("deploy_status", "2".into())),
            (DeviceType::Android, None) => {}
        }
        if let Some(id) = &self.topic_id {
            if id.is_empty() || id.chars().count() > 128 {
                return Err(Error::new(
                    ErrorKind::InvalidValue,
                    "topic_id is not 1 to 128 characters",
                ));
            }
            fixed.push(("topic_id", id.clone()));
        }
        let message = Template(Arc::new(Content {
            fixed,
            kind: self.kind,
            device_type,
            expires: self.expires,
            deploy: self.deploy,
            send_time: self.send_time,
        }));
        Ok(message)
    }
}

/// One checked message. Cheap to clone; [`Message::to`] makes the same message for another
/// target. What is signed differs from target to target, so each request is signed anew.
#[derive(Clone)]
pub struct Message {
    content: Arc<Content>,
    target: Target,
}

/// One checked message without a target. Cheap to clone.
#[derive(Clone)]
pub struct Template(Arc<Content>);

/// The part that the same message to several targets shares.
struct Content {
    /// The parameters that do not depend on the target.
    fixed: Vec<(&'static str, String)>,
    kind: MessageKind,
    device_type: DeviceType,
    expires: Option<Duration>,
    deploy: Option<DeployStatus>,
    send_time: Option<UnixTime>,
}

impl Content {
    fn parameter(&self, name: &str) -> Option<&str> {
        let found = self.fixed.iter().find(|(known, _)| *known == name);
        found.map(|(_, value)| value.as_str())
    }

    /// The members of the form that do not depend on the target. A field that is added does not compile
    /// until it stands here.
    fn form(&self) -> Object<'_> {
        let Self {
            fixed: _,
            kind,
            device_type: _,
            expires,
            deploy,
            send_time,
        } = self;
        let mut form = Object::new();
        form.insert("kind", kind.word());
        // As a string, so that it survives whatever stores the form.
        form.insert("msg", self.parameter("msg").unwrap_or_default());
        if let Some(life) = expires {
            form.insert("expires_after", life.as_secs());
        }
        if let Some(id) = self.parameter("topic_id") {
            form.insert("topic_id", id);
        }
        if let Some(time) = send_time {
            form.insert("send_at", time.as_secs());
        }
        if let Some(status) = deploy {
            form.insert("deploy_status", status.word());
        }
        form
    }
}

impl Template {
    /// The message for `target`; what it says is shared.
    ///
    /// # Errors
    /// `Conflict` for what the target does not take.
    pub fn to(&self, target: Target) -> Result<Message, Error> {
        let message = Message {
            content: Arc::clone(&self.0),
            target,
        };
        message.check()?;
        Ok(message)
    }

    /// The message without a target as JSON (`docs/messages.md`).
    pub(crate) fn write_form(&self, out: &mut Vec<u8>) {
        self.0.form().write(out);
    }
}

impl fmt::Debug for Template {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Template")
            .field("device_type", &self.0.device_type)
            .finish_non_exhaustive()
    }
}

impl Message {
    /// The message as Baidu gets it, under `msg`.
    pub(crate) fn msg(&self) -> &str {
        self.content.parameter("msg").unwrap_or_default()
    }

    /// A notification for Android.
    ///
    /// # Errors
    /// `PayloadTooLarge` above 4096 bytes.
    pub fn android(notification: AndroidNotification) -> Result<MessageBuilder, Error> {
        builder(MessageKind::Android, notification.into_text())
    }

    /// A message that the Android app handles itself (`msg_type` 0): one JSON object.
    ///
    /// # Errors
    /// `InvalidPayload` when it is not one JSON object; `PayloadTooLarge` above 4096 bytes.
    pub fn android_raw(json: &[u8]) -> Result<MessageBuilder, Error> {
        builder(MessageKind::AndroidRaw, object_text(json)?.1)
    }

    /// A notification for iOS: APNs' payload, `aps` and custom keys.
    ///
    /// # Errors
    /// `InvalidPayload` when it is not one JSON object with an object `aps`; `PayloadTooLarge`
    /// above 4096 bytes.
    pub fn ios(payload: &[u8]) -> Result<MessageBuilder, Error> {
        builder(MessageKind::Ios, ios_text(payload)?)
    }

    /// Returns the same message for another target. [`Message::write`] says if the target does not take it.
    #[must_use]
    pub fn to(&self, target: Target) -> Self {
        Self {
            target,
            ..self.clone()
        }
    }

    /// Returns what could explain an answer beside the channel: the message and its `deploy_status`; see
    /// [`Witness`](crate::outcome::Witness). The app is the credentials'.
    pub fn circumstances(&self) -> Circumstances {
        self.content
            .fixed
            .iter()
            .fold(Circumstances::new(), |all, (name, value)| {
                let suspect = match *name {
                    "deploy_status" => Suspect::Environment,
                    _ => Suspect::Payload,
                };
                all.with(suspect, value.as_bytes())
            })
    }

    /// The message without its target.
    pub fn template(&self) -> Template {
        Template(Arc::clone(&self.content))
    }

    /// The message as JSON (`docs/messages.md`). A field that is added does not compile until it stands here.
    pub(crate) fn write_form(&self, out: &mut Vec<u8>) {
        let Self { content, target } = self;
        let mut form = content.form();
        let mut inner = Object::new();
        let (name, value) = target.form();
        inner.insert(name, value);
        form.insert("target", Item::Object(inner));
        form.write(out);
    }

    /// Returns the target of the message.
    pub fn target(&self) -> &Target {
        &self.target
    }

    /// Writes the signed request into a cleared `request`.
    ///
    /// # Errors
    /// `Conflict` when the target does not take the message; `InvalidValue` when its send time
    /// is not 60 seconds to a year after `now`.
    pub fn write(
        &self,
        authority: &Authority,
        credentials: &Credentials,
        now: Now,
        request: &mut Request,
    ) -> Result<(), Error> {
        self.check()?;
        let send_time = self.content.send_time.map(|time| time.as_secs().to_string());
        let mut parameters: Vec<(&str, &str)> = Vec::new();
        if let (Some(time), Some(text)) = (self.content.send_time, &send_time) {
            let ahead = time.saturating_since(now.unix);
            if ahead <= Duration::from_secs(60) || ahead > YEAR {
                return Err(Error::new(
                    ErrorKind::InvalidValue,
                    "send_time is not more than 60 seconds and at most a year ahead",
                ));
            }
            parameters.push(("send_time", text));
        }
        match &self.target.0 {
            Kind::Device(id) => parameters.push(("channel_id", id)),
            Kind::Devices(ids) => parameters.push(("channel_ids", ids)),
            Kind::All => {}
            Kind::Tag(tag) => parameters.extend([("type", "1"), ("tag", &**tag)]),
            Kind::Selector(selector) => parameters.extend([("type", "6"), ("selector", &**selector)]),
        }
        parameters.extend(
            self.content
                .fixed
                .iter()
                .map(|(name, value)| (*name, value.as_str())),
        );
        let method = self.target.method();
        sign_into(method, parameters, authority, credentials, now, request);
        Ok(())
    }

    fn check(&self) -> Result<(), Error> {
        let has_topic = self.content.parameter("topic_id").is_some();
        let conflict = if self.target.android_only() && self.content.device_type == DeviceType::Ios {
            "batch_device and selectors are for android only"
        } else if self.content.send_time.is_some() && self.target.to_devices() {
            "send_time is for all and tags only"
        } else if has_topic && !self.target.to_devices() {
            "topic_id is for devices only"
        } else {
            return Ok(());
        };
        Err(Error::new(ErrorKind::Conflict, conflict))
    }
}

impl fmt::Debug for Message {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Message")
            .field("target", &self.target)
            .field("device_type", &self.content.device_type)
            .finish_non_exhaustive()
    }
}

fn builder(kind: MessageKind, msg: String) -> Result<MessageBuilder, Error> {
    check_msg(&msg)?;
    Ok(MessageBuilder {
        kind,
        msg,
        expires: None,
        deploy: None,
        topic_id: None,
        send_time: None,
    })
}

fn check_msg(msg: &str) -> Result<(), Error> {
    if msg.len() > LARGEST {
        return Err(Error::new(
            ErrorKind::PayloadTooLarge,
            format!("msg: {} bytes, {LARGEST} is the limit", msg.len()),
        ));
    }
    Ok(())
}

/// JSON text that is sent byte for byte: one object.
fn object_text(json: &[u8]) -> Result<(Map<String, Value>, String), Error> {
    let map = json::parse_object(json)?;
    // It has been parsed, so it is UTF-8.
    Ok((map, String::from_utf8_lossy(json.trim_ascii()).into_owned()))
}

/// The payload of APNs.
fn ios_text(json: &[u8]) -> Result<String, Error> {
    let (map, text) = object_text(json)?;
    if !map.get("aps").is_some_and(Value::is_object) {
        return Err(Error::new(ErrorKind::InvalidPayload, "msg: no object called aps"));
    }
    Ok(text)
}

/// Writes a form with these parameters and its signature into a cleared `request`. `method` has its class, as in
/// `push/all`.
pub(super) fn sign_into<'a>(
    method: &str,
    parameters: impl IntoIterator<Item = (&'a str, &'a str)>,
    authority: &Authority,
    credentials: &'a Credentials,
    now: Now,
    request: &mut Request,
) {
    let timestamp = now.unix.as_secs().to_string();
    let mut all: Vec<(&str, &str)> = vec![("apikey", credentials.api_key()), ("timestamp", &timestamp)];
    // Shortened here, so that what is made above and below lives long enough.
    all.extend(
        parameters
            .into_iter()
            .map(|(name, value): (&str, &str)| (name, value)),
    );
    all.sort_unstable_by_key(|(name, _)| *name);
    request.authority = Some(authority.clone());
    request.path.push_str("/rest/3.0/");
    request.path.push_str(method);
    request.common = Some(Arc::clone(&COMMON));
    let sign = credentials.sign("POST", &request.url(), &all);
    all.push(("sign", &sign));
    let mut body = String::new();
    for (name, value) in all {
        percent::pair(&mut body, name, value);
    }
    request.body.own().extend_from_slice(body.as_bytes());
}

/// The headers of every request. Baidu wants a user agent of the shape its own SDKs have.
static COMMON: LazyLock<Arc<HeaderBlock>> = LazyLock::new(|| {
    let agent = format!(
        "BCCS_SDK/3.0 ({}; {}; {}) Rust/{} (Baidu Push Server SDK V3.0.0)",
        std::env::consts::OS,
        std::env::consts::FAMILY,
        std::env::consts::ARCH,
        env!("CARGO_PKG_VERSION"),
    );
    let mut headers = Headers::new();
    for (name, value) in [
        ("content-type", "application/x-www-form-urlencoded;charset=utf-8"),
        ("user-agent", agent.as_str()),
    ] {
        headers
            .push(name, value, Indexing::Incremental)
            .expect("constant headers");
    }
    HeaderBlock::new(headers)
});

#[cfg(test)]
#[path = "message_tests.rs"]
mod tests;
