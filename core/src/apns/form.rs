//! APNs messages as JSON: the tables of their fields. `docs/messages.md` is written from them.

#[cfg(test)]
use serde_json::{Value, json};

use super::alert::{Alert, Text};
use super::aps::{Aps, InterruptionLevel};
use super::broadcast::{Broadcast, BroadcastBuilder};
use super::builder::MessageBuilder;
use super::channels::{ChannelId, StoragePolicy};
use super::expiration::Expiration;
use super::header_policy::HeaderPolicy;
use super::ids::{ApnsId, BundleId, CollapseId, Topic};
use super::live_activity::{InputPush, LiveActivity};
use super::message::{Message, Template};
use super::payload::Payload;
use super::push_type::{Priority, PushType};
use super::sound::Sound;
use crate::error::{Error, ErrorKind};
#[cfg(test)]
use crate::json::form::Table;
use crate::json::form::{Form, RawText, form, text_form, word_form};
use crate::json::{Json, Members, Node, Path};
use crate::time::UnixTime;

form! {
    /// One push to one device. Exactly one of `bundle`, `topic` and `topic_of_certificate`. A template is the same
    /// without `device`, `lenient`, `id` and `registered_at_ms`.
    MessageForm "APNs: message"
    {
        /// The kind of push.
        push_type: PushType, "required", "must fit the payload", "header `apns-push-type`";
        /// The app's bundle id; the push type adds its suffix.
        bundle: BundleId, "", "1 to 255 letters, digits, `.`, `-`, `_`", "header `apns-topic`";
        /// The whole topic, suffix included; for `mdm` the UID of the push certificate.
        topic: Topic, "", "1 to 255 letters, digits, `.`, `-`, `_`", "header `apns-topic`";
        /// Means the single topic of the client certificate: no topic is sent. Impossible with a token key.
        topic_of_certificate: bool, "false", "", "no header";
        /// The device token.
        device: String, "required", "2 to 200 hex digits, an even number; with `lenient` 1 to 200 bytes of anything", "path";
        /// Lets APNs judge a device token that is not hex.
        lenient: bool, "false", "", "";
        /// The id of the push.
        id: ApnsId, "APNs makes one", "UUID", "header `apns-id`";
        /// How long APNs keeps the push.
        expiration: Expiration, "`\"once\"` for `pushtotalk`, else `\"absent\"`", "seconds from 1", "header `apns-expiration`";
        /// How urgent the push is.
        priority: Priority, "5 for `background`, 10 for `pushtotalk`, else none: APNs takes 10", "`background`: 5; `location`, `liveactivity`: 5, 10", "header `apns-priority`";
        /// Notifications with the same id are shown as one.
        collapse_id: CollapseId, "none", "1 to 64 bytes", "header `apns-collapse-id`";
        /// When the app last registered the device token, in milliseconds since 1970: an answer 410 that is older is no `TokenGone`.
        registered_at_ms: u64, "unknown", "", "not sent";
        /// Which of Apple's two rules for header compression is followed.
        header_policy: HeaderPolicy, "`\"connection\"`", "", "HPACK";
        /// The body.
        payload: Payload, "`content-available` for `background`, `content-changed` for `widgets` and `controls`; else required", "4096 bytes, 5120 for `voip`", "body";
    }
}

form! {
    /// One update or end of a Live Activity to everyone who follows a channel. `channel` makes a message for APNs a broadcast.
    BroadcastForm "APNs: broadcast"
    {
        /// The app's bundle id.
        bundle: BundleId, "required", "without a push type's suffix", "path";
        /// The channel.
        channel: ChannelId, "required", "1 to 255 characters of base64", "header `apns-channel-id`";
        /// The channel's storage policy: 0 stores nothing, 1 the most recent broadcast.
        storage_policy: StoragePolicy, "required", "0, 1", "decides on `expiration`";
        /// The body: an update or an end.
        payload: Payload, "required", "5120 bytes", "body";
        /// How urgent the broadcast is.
        priority: Priority, "10", "5, 10", "header `apns-priority`";
        /// How long APNs keeps the broadcast.
        expiration: Expiration, "`\"once\"`", "at most 8 hours ahead; `\"once\"` where the channel stores nothing", "header `apns-expiration`";
        /// The id of the request.
        id: ApnsId, "APNs makes one", "UUID", "header `apns-request-id`";
        /// Which of Apple's two rules for header compression is followed.
        header_policy: HeaderPolicy, "`\"connection\"`", "", "HPACK";
    }
}

form! {
    /// The body of a push. Exactly one of `aps`, `raw`, `mdm` and `file_provider`.
    PayloadForm "APNs: payload"
    {
        /// The `aps` dictionary.
        aps: Aps, "", "must fit the push type", "`aps`";
        /// JSON of the caller's own, for what the other members cannot say.
        raw: RawText, "", "one JSON object, no key twice", "the whole body";
        /// The push magic of an `mdm` push.
        mdm: String, "", "", "`mdm`";
        /// The body of a `fileprovider` push.
        file_provider: FileProviderForm, "", "", "body";
        /// The app's own keys, beside `aps`; not with `raw`.
        custom: Members, "none", "not `aps`", "beside `aps`";
    }
}

form! {
    /// The body of a `fileprovider` push.
    FileProviderForm "APNs: file_provider"
    {
        /// The container that changed.
        container_identifier: String, "required", "", "`container-identifier`";
        /// The domain.
        domain: String, "required", "", "`domain`";
    }
}

form! {
    /// The `aps` dictionary.
    ApsForm "APNs: aps"
    {
        /// The alert that the user sees; a string is the short form.
        alert: Alert, "none", "", "`alert`";
        /// The number on the app's icon; 0 removes the number.
        badge: u32, "unchanged", "", "`badge`";
        /// The sound that the user hears: a file of the app or `default`, or a critical sound.
        sound: Sound, "silence", "", "`sound`; inside `alert` for a Live Activity";
        /// Groups notifications.
        thread_id: String, "none", "", "`thread-id`";
        /// The notification's category: which buttons the notification has.
        category: String, "none", "", "`category`";
        /// Wakes the app to fetch content.
        content_available: bool, "false", "the whole `aps` of a `background` push", "`content-available`";
        /// Hands the notification to the app's service extension first.
        mutable_content: bool, "false", "needs `alert`", "`mutable-content`";
        /// The window that is brought forward.
        target_content_id: String, "none", "", "`target-content-id`";
        /// How much the notification may interrupt.
        interruption_level: InterruptionLevel, "`\"active\"`", "", "`interruption-level`";
        /// Which notification the summary features.
        relevance_score: f64, "none", "0 to 1; any finite number for a Live Activity", "`relevance-score`";
        /// The text that the system compares with the current Focus' filter.
        filter_criteria: String, "none", "", "`filter-criteria`";
        /// The texts for the placeholders of a Safari website push (legacy).
        url_args: Vec<String>, "none", "", "`url-args`";
        /// Tells WidgetKit to reload: the whole `aps` of a `widgets` or `controls` push.
        content_changed: bool, "false", "", "`content-changed`";
        /// The state of a Live Activity.
        live_activity: LiveActivity, "none", "needs `liveactivity`", "`event`, `timestamp`, ...";
        /// Other keys of `aps`; one of the same name replaces a typed key.
        extra: Members, "none", "", "`aps`";
    }
}

form! {
    /// An alert. A string in its place is the short form.
    AlertForm "APNs: alert"
    {
        /// The first line.
        title: Text, "none", "", "`title`, or `title-loc-key` and `title-loc-args`";
        /// The second line.
        subtitle: Text, "none", "", "`subtitle`, or `subtitle-loc-key` and `subtitle-loc-args`";
        /// The text.
        body: Text, "none", "", "`body`, or `loc-key` and `loc-args`";
        /// The file to show while the app starts.
        launch_image: String, "none", "", "`launch-image`";
        /// Other keys of the alert; one of the same name replaces a typed key.
        extra: Members, "none", "", "`alert`";
    }
}

form! {
    /// A text that the app looks up in its `Localizable.strings`.
    LocalizedForm "APNs: localised text"
    {
        /// The key of the text.
        key: String, "required", "", "`loc-key`";
        /// The texts for the placeholders.
        args: Vec<String>, "none", "", "`loc-args`";
    }
}

form! {
    /// A critical sound, which plays also when the device is muted; needs Apple's permission.
    SoundForm "APNs: critical sound"
    {
        /// A file of the app, or `default`.
        name: String, "required", "", "`sound.name`";
        /// The volume.
        volume: f64, "required", "0 to 1", "`sound.volume`";
    }
}

form! {
    /// The state of a Live Activity. Times are whole seconds since 1970.
    LiveActivityForm "APNs: live_activity"
    {
        /// The change to the activity.
        event: Event, "required", "`\"start\"` needs `alert`; not in a broadcast", "`event`";
        /// When the state was true: the newest one wins.
        timestamp: UnixTime, "required", "", "`timestamp`";
        /// The state that the app's `ContentState` decodes from.
        content_state: Json, "required, but for `\"end\"`", "", "`content-state`";
        /// The name of the app's `ActivityAttributes` type.
        attributes_type: String, "required for `\"start\"`", "for `\"start\"` only", "`attributes-type`";
        /// The attributes that this type decodes from.
        attributes: Json, "required for `\"start\"`", "for `\"start\"` only", "`attributes`";
        /// How the started activity gets its updates.
        input_push: InputPush, "none", "for `\"start\"` only", "`input-push-token` or `input-push-channel`";
        /// From when on the content counts as out of date.
        stale_date: UnixTime, "none", "", "`stale-date`";
        /// When an ended activity leaves the screen.
        dismissal_date: UnixTime, "four hours", "", "`dismissal-date`";
    }
}

form! {
    /// Updates from the broadcasts of a channel.
    InputChannelForm "APNs: input_push"
    {
        /// The channel.
        channel: ChannelId, "required", "1 to 255 characters of base64", "`input-push-channel`";
    }
}

/// The change to a Live Activity.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Event {
    Start,
    Update,
    End,
}

word_form!(Event {
    Event::Start => "start" = Event::Start,
    Event::Update => "update" = Event::Update,
    Event::End => "end" = Event::End,
});

word_form!(HeaderPolicy {
    HeaderPolicy::Connection => "connection" = HeaderPolicy::Connection,
    HeaderPolicy::Sending => "sending" = HeaderPolicy::Sending,
});

word_form!(InterruptionLevel {
    InterruptionLevel::Passive => "passive" = InterruptionLevel::Passive,
    InterruptionLevel::Active => "active" = InterruptionLevel::Active,
    InterruptionLevel::TimeSensitive => "time-sensitive" = InterruptionLevel::TimeSensitive,
    InterruptionLevel::Critical => "critical" = InterruptionLevel::Critical,
});

text_form!(BundleId, BundleId::parse, "string", {"type": "string", "pattern": "^[A-Za-z0-9._-]{1,255}$"});
text_form!(Topic, Topic::parse, "string", {"type": "string", "pattern": "^[A-Za-z0-9._-]{1,255}$"});
text_form!(CollapseId, CollapseId::parse, "string", {"type": "string", "minLength": 1, "maxLength": 64});
text_form!(ChannelId, ChannelId::parse, "string", {"type": "string", "pattern": "^[A-Za-z0-9+/_=-]{1,255}$"});
text_form!(ApnsId, ApnsId::parse, "string",
    {"type": "string", "pattern": "^[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}$"});

impl Form for PushType {
    fn read(node: Node<'_>, at: &Path<'_>) -> Result<Self, Error> {
        PushType::from_name(&String::read(node, at)?)
            .ok_or_else(|| at.error(ErrorKind::InvalidValue, "not a push type"))
    }

    #[cfg(test)]
    fn schema() -> Value {
        json!({"enum": PushType::ALL.iter().map(|kind| kind.as_str()).collect::<Vec<_>>()})
    }

    #[cfg(test)]
    fn kind() -> String {
        let words = PushType::ALL
            .iter()
            .map(|kind| format!("`\"{}\"`", kind.as_str()));
        words.collect::<Vec<_>>().join(", ")
    }
}

impl Form for Priority {
    fn read(node: Node<'_>, at: &Path<'_>) -> Result<Self, Error> {
        Priority::from_u8(u8::read(node, at)?)
            .ok_or_else(|| at.error(ErrorKind::InvalidValue, "not 10, 5 or 1 (BadPriority)"))
    }

    #[cfg(test)]
    fn schema() -> Value {
        json!({"enum": [10, 5, 1]})
    }

    #[cfg(test)]
    fn kind() -> String {
        "10, 5, 1".to_owned()
    }
}

impl Form for StoragePolicy {
    fn read(node: Node<'_>, at: &Path<'_>) -> Result<Self, Error> {
        StoragePolicy::from_u8(u8::read(node, at)?)
            .ok_or_else(|| at.error(ErrorKind::InvalidValue, "not 0 or 1"))
    }

    #[cfg(test)]
    fn schema() -> Value {
        json!({"enum": [0, 1]})
    }

    #[cfg(test)]
    fn kind() -> String {
        "0, 1".to_owned()
    }
}

impl Form for Expiration {
    fn read(node: Node<'_>, at: &Path<'_>) -> Result<Self, Error> {
        match node.string().as_deref() {
            Some("absent") => Ok(Expiration::Absent),
            Some("once") => Ok(Expiration::Once),
            Some(_) => Err(at.error(ErrorKind::InvalidValue, "not absent, once or seconds since 1970")),
            None => match UnixTime::read(node, at)? {
                time if time.as_secs() == 0 => Err(at.error(
                    ErrorKind::InvalidValue,
                    "0 would mean: try once, store nothing; say once (BadExpirationDate)",
                )),
                time => Ok(Expiration::Until(time)),
            },
        }
    }

    #[cfg(test)]
    fn schema() -> Value {
        json!({"anyOf": [{"enum": ["absent", "once"]}, {"type": "integer", "minimum": 1, "maximum": crate::json::form::LAST_SECOND}]})
    }

    #[cfg(test)]
    fn kind() -> String {
        "`\"absent\"`, `\"once\"`, or seconds since 1970".to_owned()
    }
}

/// Declares a type that is read from its form, or where there is a short form from a string.
macro_rules! from_form {
    ($type:ident, $form:ident $(, $short:expr)?) => {
        impl Form for $type {
            fn read(node: Node<'_>, at: &Path<'_>) -> Result<Self, Error> {
                $(
                    if let Some(text) = node.string() {
                        let short: fn(String, &Path<'_>) -> Result<Self, Error> = $short;
                        return short(text, at);
                    }
                )?
                Self::from_form($form::read(node, at)?, at)
            }

            #[cfg(test)]
            fn schema() -> Value {
                let short: &[&str] = &[$(stringify!($short))?];
                match short.is_empty() {
                    true => $form::schema(),
                    false => json!({"anyOf": [{"type": "string"}, $form::schema()]}),
                }
            }

            #[cfg(test)]
            fn kind() -> String {
                let short: &[&str] = &[$(stringify!($short))?];
                match short.is_empty() {
                    true => $form::kind(),
                    false => format!("string, or {}", $form::kind()),
                }
            }

            #[cfg(test)]
            fn tables(into: &mut Vec<Table>) {
                $form::tables(into);
            }
        }
    };
}

from_form!(Payload, PayloadForm);
from_form!(Aps, ApsForm);
from_form!(Alert, AlertForm, |text, _| Ok(Alert::line(text)));
from_form!(Text, LocalizedForm, |text, _| Ok(Text::Plain(text)));
from_form!(Sound, SoundForm, |text, _| Ok(Sound::named(text)));
from_form!(LiveActivity, LiveActivityForm);
from_form!(InputPush, InputChannelForm, |text, at| match text.as_str() {
    "token" => Ok(InputPush::Token),
    _ => Err(at.error(ErrorKind::InvalidValue, "not token, nor an object with a channel")),
});

/// A message or broadcast, as [`read`] finds it.
pub(crate) enum Either {
    Message(Message),
    Broadcast(Broadcast),
}

/// Reads a message, or where there is a `channel` a broadcast.
pub(crate) fn read(node: Node<'_>, at: &Path<'_>) -> Result<Either, Error> {
    let members = node.members().unwrap_or_default();
    if members
        .iter()
        .any(|(key, value)| key == "channel" && !value.is_null())
    {
        let builder = BroadcastBuilder::from_form(BroadcastForm::read(node, at)?, at)?;
        return builder
            .build()
            .map(Either::Broadcast)
            .map_err(|error| at.wrap(&error));
    }
    let builder = MessageBuilder::from_form(MessageForm::read(node, at)?, at)?;
    builder
        .build()
        .map(Either::Message)
        .map_err(|error| at.wrap(&error))
}

/// Reads a message without a device.
pub(crate) fn read_template(node: Node<'_>, at: &Path<'_>) -> Result<Template, Error> {
    let form = MessageForm::read(node, at)?;
    for (name, set) in [
        ("device", form.device.is_some()),
        ("lenient", form.lenient.is_some()),
        ("id", form.id.is_some()),
        ("registered_at_ms", form.registered_at_ms.is_some()),
    ] {
        if set {
            return Err(at
                .field(name)
                .error(ErrorKind::InvalidTarget, "belongs to one push, not to a template"));
        }
    }
    let builder = MessageBuilder::from_form(form, at)?;
    builder.template().map_err(|error| at.wrap(&error))
}
