//! Messages: every field of the service's schema, checked, and encoded once.

pub(crate) mod android;
pub(crate) mod android_v2;
pub(crate) mod apns;
pub(crate) mod condition;
pub(crate) mod rules;
pub(crate) mod target;
pub(crate) mod webpush;

use std::fmt;
use std::sync::{Arc, LazyLock, OnceLock};
use std::time::Duration;

use serde_json::{Map, Value};

use self::android::AndroidConfig;
use self::android_v2::AndroidConfigV2;
use self::apns::ApnsConfig;
use self::target::Target;
use self::webpush::WebpushConfig;
use super::project::{Hosts, ProjectId};
use super::wire::map::StringMap;
use super::wire::object::{no_rules, object};
use super::wire::{Path, Wire};
use crate::error::{Error, ErrorKind};
use crate::http::{HeaderBlock, Headers, Indexing, Request};
use crate::json;
use crate::outcome::{Circumstances, Suspect};
use crate::time::Now;

/// One checked message for one target. Cheap to clone; [`Message::to`] makes the
/// same message for another target without encoding anything again.
#[derive(Clone)]
pub struct Message {
    encoded: Arc<Encoded>,
    target: Target,
    validate_only: bool,
}

/// A message with a hole where its target belongs: `{"message":{` target, `rest`.
struct Encoded {
    /// The text after the target: `,"notification":{…}`, up to the end of the message object.
    rest: Box<[u8]>,
    /// Bytes of payload, as the service counts them against its limits.
    size: usize,
    /// Only Apple's devices get a part of it, which FCM checks for them alone.
    has_apns: bool,
    /// Made when first asked for, because a message that is built for one device only may never need them.
    circumstances: OnceLock<Circumstances>,
    /// The text after the target in [`Message::to_json`], where an `extra` makes it differ from `rest`; `None` where it is `rest`.
    form: Option<Box<[u8]>>,
}

/// One checked message without a target. Cheap to clone.
#[derive(Clone)]
pub struct Template {
    encoded: Arc<Encoded>,
    validate_only: bool,
}

impl Template {
    /// The message for `target`. It may be too large for a topic; [`Message::write`] says so.
    pub fn to(&self, target: Target) -> Message {
        Message {
            encoded: Arc::clone(&self.encoded),
            target,
            validate_only: self.validate_only,
        }
    }

    pub(crate) fn from_object(map: Map<String, Value>) -> Result<Self, Error> {
        let (mut map, validate_only) = unwrap(map)?;
        for name in TARGETS {
            if map.get(name).is_some_and(|value| !value.is_null()) {
                return Err(Path::MESSAGE.field(name).error(
                    ErrorKind::InvalidTarget,
                    "belongs to one message, not to a template",
                ));
            }
            map.shift_remove(name);
        }
        let builder = MessageBuilder::read(Value::Object(map), &Path::MESSAGE)?;
        Ok(Self {
            encoded: Arc::new(builder.encode()?),
            validate_only,
        })
    }

    pub(crate) fn write_form(&self, out: &mut Vec<u8>) {
        let Self {
            encoded,
            validate_only,
        } = self;
        out.extend_from_slice(b"{\"message\":{");
        // The comma that follows a target.
        out.extend_from_slice(match encoded.form() {
            [b',', rest @ ..] => rest,
            all => all,
        });
        out.extend_from_slice(if *validate_only {
            b",\"validate_only\":true}"
        } else {
            b"}"
        });
    }
}

impl fmt::Debug for Template {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Template")
            .field("payload_size", &self.encoded.size)
            .field("validate_only", &self.validate_only)
            .finish_non_exhaustive()
    }
}

impl Encoded {
    fn form(&self) -> &[u8] {
        self.form.as_deref().unwrap_or(&self.rest)
    }
}

impl Message {
    /// Begins a message.
    pub fn builder() -> MessageBuilder {
        MessageBuilder::new()
    }

    /// Reads the JSON of a whole request, `{"message":{…},"validate_only":true}`, or of a
    /// message alone. Both `snake_case` and `camelCase` are read. Fields that this version does not
    /// know are refused, unless they stand in an object `extra` beside the known ones: that is merged
    /// into the object in which it stands.
    ///
    /// # Errors
    /// The context begins with the path of the field.
    /// `InvalidPayload` when it is not JSON, holds a key twice, an unknown field or a value of the wrong type;
    /// `InvalidTarget` when there is not exactly one target; and as [`MessageBuilder::build`].
    pub fn from_json(text: &[u8]) -> Result<Self, Error> {
        match json::Node::document(text, "message")?.value() {
            Value::Object(map) => Self::from_object(map),
            _ => Err(Path::MESSAGE.error(ErrorKind::InvalidPayload, "not an object")),
        }
    }

    /// The message in the form that [`Message::from_json`] reads: the body of the request, where
    /// what the types do not know stands under `extra`. It holds the target.
    pub fn to_json(&self) -> Vec<u8> {
        let mut out = Vec::new();
        self.write_around(self.encoded.form(), &mut out);
        out
    }

    /// The message without its target.
    pub fn template(&self) -> Template {
        let Self {
            encoded,
            target: _,
            validate_only,
        } = self;
        Template {
            encoded: Arc::clone(encoded),
            validate_only: *validate_only,
        }
    }

    /// [`Message::from_json`] of an object that has been parsed already, or was never text.
    ///
    /// # Errors
    /// As [`Message::from_json`].
    pub fn from_object(map: Map<String, Value>) -> Result<Self, Error> {
        let (mut map, validate_only) = unwrap(map)?;
        let target = take_target(&mut map)?;
        let builder = MessageBuilder::read(Value::Object(map), &Path::MESSAGE)?;
        Ok(builder.build(target)?.validate_only(validate_only))
    }

    /// Returns the same message for another target. When the target changes from a device to a topic, the message may be
    /// too large for that; [`Message::write`] says so.
    #[must_use]
    pub fn to(&self, target: Target) -> Self {
        Self {
            encoded: Arc::clone(&self.encoded),
            target,
            validate_only: self.validate_only,
        }
    }

    /// The message with a time to live on each platform: `android.ttl` (or `android_v2.ttl`), the header
    /// `apns-expiration` counted from `now`, and the header `TTL` of Web Push. What the message says itself stays.
    ///
    /// # Errors
    /// `InvalidValue` above four weeks, the longest that FCM keeps a message; and as [`MessageBuilder::build`].
    pub fn with_ttl(&self, ttl: Duration, now: Now) -> Result<Self, Error> {
        let secs = ttl.as_secs();
        let until = match secs {
            0 => 0,
            secs => now.unix.as_secs().saturating_add(secs),
        };
        let mut map = json::parse_object(&self.body())?;
        let Some(Value::Object(message)) = map.get_mut("message") else {
            return Err(Error::new(ErrorKind::Internal, "a message that is not an object"));
        };
        let android = match message.contains_key("android_v2") {
            true => "android_v2",
            false => "android",
        };
        if let Some(android) = object_in(message, android) {
            android.entry("ttl").or_insert_with(|| format!("{secs}s").into());
        }
        for (platform, name, value) in [
            ("apns", "apns-expiration", until.to_string()),
            ("webpush", "TTL", secs.to_string()),
        ] {
            let headers = object_in(message, platform).and_then(|platform| object_in(platform, "headers"));
            if let Some(headers) = headers {
                if !headers.keys().any(|known| known.eq_ignore_ascii_case(name)) {
                    headers.insert(name.to_owned(), value.into());
                }
            }
        }
        Self::from_object(map)
    }

    /// Asks the service to check the message and not to deliver it.
    #[must_use]
    pub fn validate_only(mut self, validate_only: bool) -> Self {
        self.validate_only = validate_only;
        self
    }

    /// Returns the target of the message.
    pub fn target(&self) -> &Target {
        &self.target
    }

    /// Returns what could explain an answer beside the token: the message; see [`Witness`](crate::outcome::Witness). The sender
    /// is the credentials'.
    pub fn circumstances(&self) -> Circumstances {
        let encoded = &*self.encoded;
        *encoded.circumstances.get_or_init(|| {
            let message = Circumstances::new().with(Suspect::Payload, &encoded.rest);
            match encoded.has_apns {
                true => message.that_vary(),
                false => message,
            }
        })
    }

    /// Bytes of payload as the service counts them: keys and values of the data that Android
    /// gets (`android.data` replaces `data`) and of `notification`. At most 4096 for a
    /// device, 2048 for a topic or condition.
    pub fn payload_size(&self) -> usize {
        self.encoded.size
    }

    /// The body of the request: JSON.
    pub fn body(&self) -> Vec<u8> {
        let mut body = Vec::new();
        self.write_body(&mut body);
        body
    }

    /// Writes the request, without authorization, into a cleared `request`. Allocates nothing
    /// once its buffers have grown.
    ///
    /// # Errors
    /// `PayloadTooLarge` when the target takes less than the message holds.
    pub fn write(&self, hosts: &Hosts, project: &ProjectId, request: &mut Request) -> Result<(), Error> {
        self.check_size()?;
        request.authority = Some(hosts.fcm.clone());
        request.path.push_str("/v1/projects/");
        request.path.push_str(project.as_str());
        request.path.push_str("/messages:send");
        request.common = Some(Arc::clone(&COMMON));
        self.write_body(request.body.own());
        Ok(())
    }

    fn write_body(&self, body: &mut Vec<u8>) {
        self.write_around(&self.encoded.rest, body);
    }

    fn write_around(&self, rest: &[u8], body: &mut Vec<u8>) {
        let (field, value) = self.target.field();
        body.reserve(value.len() + rest.len() + 64);
        body.extend_from_slice(b"{\"message\":{\"");
        body.extend_from_slice(field.as_bytes());
        body.extend_from_slice(b"\":\"");
        if self.target.is_plain() {
            body.extend_from_slice(value.as_bytes());
        } else {
            for &byte in value.as_bytes() {
                if matches!(byte, b'"' | b'\\') {
                    body.push(b'\\');
                }
                body.push(byte);
            }
        }
        body.push(b'"');
        body.extend_from_slice(rest);
        if self.validate_only {
            body.extend_from_slice(b",\"validate_only\":true");
        }
        body.push(b'}');
    }

    pub(crate) fn check_size(&self) -> Result<(), Error> {
        let (size, limit) = (self.encoded.size, self.target.limit());
        if size > limit {
            return Err(Error::new(
                ErrorKind::PayloadTooLarge,
                format!("message: {size} bytes of payload, {limit} is the limit for this target"),
            ));
        }
        Ok(())
    }
}

/// The object of this name, made where there is none; `None` where something else has the name.
fn object_in<'a>(map: &'a mut Map<String, Value>, name: &str) -> Option<&'a mut Map<String, Value>> {
    map.entry(name)
        .or_insert_with(|| Value::Object(Map::new()))
        .as_object_mut()
}

/// The headers of every request to FCM. The version asks for errors in the form that the
/// answer's reader knows, as Google's own clients do.
pub(super) static COMMON: LazyLock<Arc<HeaderBlock>> = LazyLock::new(|| {
    let mut headers = Headers::new();
    for (name, value) in [
        ("content-type", "application/json"),
        ("accept", "application/json"),
        ("x-goog-api-format-version", "2"),
    ] {
        headers
            .push(name, value, Indexing::Incremental)
            .expect("constant headers");
    }
    HeaderBlock::new(headers)
});

/// The fields of which a message has exactly one.
const TARGETS: [&str; 4] = ["fid", "token", "topic", "condition"];

/// The message in a request, or alone.
fn unwrap(mut map: Map<String, Value>) -> Result<(Map<String, Value>, bool), Error> {
    let Some(message) = map.shift_remove("message") else {
        return Ok((map, false));
    };
    let mut validate_only = false;
    for (key, value) in map {
        let at = Path::root(&key);
        match (key.as_str(), value) {
            ("validate_only" | "validateOnly", Value::Bool(flag)) => validate_only = flag,
            ("validate_only" | "validateOnly", Value::Null) => {}
            ("validate_only" | "validateOnly", _) => {
                return Err(at.error(ErrorKind::InvalidPayload, "not a boolean"));
            }
            _ => return Err(at.error(ErrorKind::InvalidPayload, "unknown field beside message")),
        }
    }
    match message {
        Value::Object(message) => Ok((message, validate_only)),
        _ => Err(Path::MESSAGE.error(ErrorKind::InvalidPayload, "not an object")),
    }
}

fn take_target(map: &mut Map<String, Value>) -> Result<Target, Error> {
    let mut found = None;
    type Make = fn(&str) -> Result<Target, Error>;
    let makes: [Make; 4] = [Target::fid, Target::token, Target::topic, Target::condition];
    for (name, make) in TARGETS.into_iter().zip(makes) {
        let text = match map.shift_remove(name) {
            None | Some(Value::Null) => continue,
            Some(Value::String(text)) => text,
            Some(_) => {
                let at = Path::MESSAGE;
                return Err(at.field(name).error(ErrorKind::InvalidPayload, "not a string"));
            }
        };
        let target = make(&text).map_err(|error| Path::MESSAGE.field(name).wrap(&error))?;
        if found.replace(target).is_some() {
            return Err(Error::new(
                ErrorKind::InvalidTarget,
                "message: more than one of fid, token, topic and condition",
            ));
        }
    }
    found.ok_or_else(|| {
        Error::new(
            ErrorKind::InvalidTarget,
            "message: none of fid, token, topic and condition",
        )
    })
}

object! {
    /// The content of a message that has no target yet.
    MessageBuilder, rules = message_rules,
    {
        /// The data that the app gets: text by text. Keys must not be `from`, `message_type` or `gcm`, nor
        /// begin with `google` or `gcm.notification.`.
        data: StringMap,
        /// The notification that the user sees, on every platform.
        notification: Notification,
        /// The part of the message that only Android devices see.
        android: AndroidConfig,
        /// The part of the message that only Android devices see, newer form; excludes `android`.
        android_v2: AndroidConfigV2,
        /// The part of a message that only browsers see.
        webpush: WebpushConfig,
        /// The part of a message that only Apple's devices see.
        apns: ApnsConfig,
        /// Options of the SDKs on every platform.
        fcm_options: FcmOptions,
    }
}

impl MessageBuilder {
    /// Checks the message and encodes it for `target`.
    ///
    /// # Errors
    /// The context begins with the path of the field. `InvalidValue`, `InvalidHeader`,
    /// `InvalidToken`, `MissingField`, `ReservedKey`: a field the service would refuse;
    /// `Conflict`: two that exclude each other, or a key given twice; `PayloadTooLarge`.
    pub fn build(&self, target: Target) -> Result<Message, Error> {
        let message = Message {
            encoded: Arc::new(self.encode()?),
            target,
            validate_only: false,
        };
        message.check_size()?;
        Ok(message)
    }

    /// Checks the message and encodes it, for whatever target.
    fn encode(&self) -> Result<Encoded, Error> {
        for name in ["name", "fid", "token", "topic", "condition"] {
            if self.extra.contains_key(name) {
                return Err(Path::MESSAGE.field(name).error(
                    ErrorKind::InvalidTarget,
                    "set by the service or by the target, not by extra",
                ));
            }
        }
        self.check(&Path::MESSAGE)?;
        let mut text = Vec::with_capacity(256);
        self.write(&Path::MESSAGE, &mut text)?;
        let form = match self.has_extra() {
            true => Some(after_target(self.to_form(&Path::MESSAGE)?.to_string().into())),
            false => None,
        };
        Ok(Encoded {
            rest: after_target(text),
            size: self.size(),
            has_apns: self.apns.is_some(),
            circumstances: OnceLock::new(),
            form,
        })
    }

    fn size(&self) -> usize {
        let android = self.android.as_ref().and_then(|android| android.data.as_ref());
        let android_v2 = self.android_v2.as_ref().and_then(|android| android.data.as_ref());
        let data = android.or(android_v2).or(self.data.as_ref());
        let data = data.map_or(0, StringMap::size);
        let text = |name: &str, text: Option<&String>| text.map_or(0, |text| name.len() + text.len());
        let notification = self.notification.as_ref().map_or(0, |notification| {
            text("title", notification.title.as_ref())
                + text("body", notification.body.as_ref())
                + text("image", notification.image.as_ref())
        });
        data.saturating_add(notification)
    }
}

/// `{"data":…}` becomes `,"data":…}`, and `{}` becomes `}`.
fn after_target(mut text: Vec<u8>) -> Box<[u8]> {
    match text.as_mut_slice() {
        [_, b'}'] => {
            text.remove(0);
        }
        [first, ..] => *first = b',',
        [] => {}
    }
    text.into()
}

fn message_rules(message: &MessageBuilder, at: &Path<'_>) -> Result<(), Error> {
    if message.android.is_some() && message.android_v2.is_some() {
        return Err(at.error(ErrorKind::Conflict, "android and android_v2 exclude each other"));
    }
    rules::data(message.data.as_ref(), at)?;
    let Some(apns) = &message.apns else {
        return Ok(());
    };
    let priority = apns
        .headers
        .as_ref()
        .and_then(|headers| headers.get_header("apns-priority"));
    let silent = message.notification.is_none() && !apns.is_visible() && apns.live_activity_token.is_none();
    if silent && priority == Some("10") {
        return Err(at.field("apns").field("headers").field("apns-priority").error(
            ErrorKind::InvalidValue,
            "a message of data alone goes to apple devices with priority 5 only",
        ));
    }
    Ok(())
}

object! {
    /// The notification that the user sees, on every platform.
    Notification, rules = no_rules,
    {
        /// The title.
        title: String,
        /// The text.
        body: String,
        /// The URL of an image, at most 1 MB on Android.
        image: String,
    }
}

object! {
    /// Options of the SDKs on every platform.
    FcmOptions, rules = |options: &FcmOptions, at| rules::analytics_label(options.analytics_label.as_ref(), at),
    {
        /// A label for the message's statistics: 1 to 50 of `a-z A-Z 0-9 - _ . ~ %`.
        analytics_label: String,
    }
}

impl fmt::Debug for Message {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Message")
            .field("target", &self.target)
            .field("payload_size", &self.encoded.size)
            .field("validate_only", &self.validate_only)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
