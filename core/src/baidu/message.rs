//! Messages: checked, and encoded once for any number of targets.

use std::fmt;
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use serde_json::{Map, Value};

use super::notification::AndroidNotification;
use super::sign::Credentials;
use super::target::{Kind, Target};
use crate::error::{Error, ErrorKind};
use crate::http::{Authority, HeaderBlock, Headers, Indexing, Request};
use crate::time::{Now, UnixTime};
use crate::{json, percent};

/// The most bytes of `msg`.
const LARGEST: usize = 4096;
/// The longest life of a message: a week.
const LONGEST_LIFE: Duration = Duration::from_secs(604_800);
const YEAR: Duration = Duration::from_secs(366 * 86_400);

/// The platform that a message is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
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
pub enum DeployStatus {
    /// `1`
    Development,
    /// `2`
    Production,
}

/// What a message says, before it has a target.
#[derive(Clone)]
pub struct MessageBuilder {
    device_type: DeviceType,
    msg_type: u8,
    msg: String,
    expires: Option<Duration>,
    deploy: Option<DeployStatus>,
    topic_id: Option<String>,
    send_time: Option<UnixTime>,
}

impl MessageBuilder {
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
        let mut fixed: Vec<(&'static str, String)> = vec![
            ("device_type", self.device_type.as_str().to_owned()),
            ("msg", self.msg.clone()),
            ("msg_type", self.msg_type.to_string()),
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
        match (self.device_type, self.deploy) {
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
        let message = Message {
            fixed: fixed.into(),
            device_type: self.device_type,
            send_time: self.send_time,
            target,
        };
        message.check()?;
        Ok(message)
    }
}

/// One checked message. Cheap to clone; [`Message::to`] makes the same message for another
/// target. What is signed differs from target to target, so each request is signed anew.
#[derive(Clone)]
pub struct Message {
    fixed: Arc<[(&'static str, String)]>,
    device_type: DeviceType,
    send_time: Option<UnixTime>,
    target: Target,
}

impl Message {
    /// A notification for Android.
    ///
    /// # Errors
    /// `PayloadTooLarge` above 4096 bytes.
    pub fn android(notification: AndroidNotification) -> Result<MessageBuilder, Error> {
        builder(DeviceType::Android, 1, notification.0)
    }

    /// A message that the Android app handles itself (`msg_type` 0): one JSON object.
    ///
    /// # Errors
    /// `InvalidPayload` when it is not one JSON object; `PayloadTooLarge` above 4096 bytes.
    pub fn android_raw(json: &[u8]) -> Result<MessageBuilder, Error> {
        builder(DeviceType::Android, 0, json::parse_object(json)?)
    }

    /// A notification for iOS: APNs' payload, `aps` and custom keys.
    ///
    /// # Errors
    /// `InvalidPayload` when it is not one JSON object with an object `aps`; `PayloadTooLarge`
    /// above 4096 bytes.
    pub fn ios(payload: &[u8]) -> Result<MessageBuilder, Error> {
        let payload = json::parse_object(payload)?;
        if !payload.get("aps").is_some_and(Value::is_object) {
            return Err(Error::new(ErrorKind::InvalidPayload, "msg: no object called aps"));
        }
        builder(DeviceType::Ios, 1, payload)
    }

    /// The same message for another target. [`Message::write`] says if the target does not take it.
    #[must_use]
    pub fn to(&self, target: Target) -> Self {
        Self {
            target,
            ..self.clone()
        }
    }

    /// Whom it is for.
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
        let send_time = self.send_time.map(|time| time.as_secs().to_string());
        let mut parameters: Vec<(&str, &str)> = Vec::new();
        if let (Some(time), Some(text)) = (self.send_time, &send_time) {
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
        parameters.extend(self.fixed.iter().map(|(name, value)| (*name, value.as_str())));
        let method = self.target.method();
        sign_into(method, parameters, authority, credentials, now, request);
        Ok(())
    }

    fn check(&self) -> Result<(), Error> {
        let has_topic = self.fixed.iter().any(|(name, _)| *name == "topic_id");
        let conflict = if self.target.android_only() && self.device_type == DeviceType::Ios {
            "batch_device and selectors are for android only"
        } else if self.send_time.is_some() && self.target.to_devices() {
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
            .field("device_type", &self.device_type)
            .finish_non_exhaustive()
    }
}

fn builder(device_type: DeviceType, msg_type: u8, msg: Map<String, Value>) -> Result<MessageBuilder, Error> {
    let msg = Value::Object(msg).to_string();
    if msg.len() > LARGEST {
        return Err(Error::new(
            ErrorKind::PayloadTooLarge,
            format!("msg: {} bytes, {LARGEST} is the limit", msg.len()),
        ));
    }
    Ok(MessageBuilder {
        device_type,
        msg_type,
        msg,
        expires: None,
        deploy: None,
        topic_id: None,
        send_time: None,
    })
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
