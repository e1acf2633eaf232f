//! Messages: the form of docs/messages.md for all of them, typed fields for the everyday ones.

use std::collections::HashMap;

use pushcore::apns::{self, Alert, Aps, LiveActivity, Payload};
use pushcore::service::{self, Kind, Target, Template};
use pushcore::webpush::EndpointPolicy;
use pushcore::{Error, ErrorKind, fcm, webpush};
use serde_json::Value;

use crate::error::PushError;
use crate::outcome::mirror;
use crate::values::{Seconds, Time};

mirror! {
    /// A push service.
    ServiceKind of Kind, Apns:
    /// Amazon Device Messaging.
    Adm
    /// Apple Push Notification service.
    Apns
    /// Baidu Cloud Push.
    Baidu
    /// Firebase Cloud Messaging.
    Fcm
    /// Web Push.
    WebPush
}

impl From<ServiceKind> for Kind {
    fn from(kind: ServiceKind) -> Self {
        match kind {
            ServiceKind::Adm => Kind::Adm,
            ServiceKind::Apns => Kind::Apns,
            ServiceKind::Baidu => Kind::Baidu,
            ServiceKind::Fcm => Kind::Fcm,
            ServiceKind::WebPush => Kind::WebPush,
        }
    }
}

/// A message to one of the services, in the form of docs/messages.md.
#[derive(Clone, PartialEq, Eq, uniffi::Record)]
pub struct Message {
    /// The service.
    pub service: ServiceKind,
    /// The message. With a `target` beside it, it has none of its own.
    pub json: String,
    /// The device token, or for Web Push the subscription's JSON, or an object such as `{"topic": "news"}`; nil where
    /// `json` says it, and in a template.
    #[uniffi(default = None)]
    pub target: Option<String>,
}

impl Message {
    /// Reads the message whole.
    pub(crate) fn read(&self, policy: &EndpointPolicy) -> Result<service::Message, Error> {
        let kind = self.service.into();
        match &self.target {
            None => service::Message::from_json_under(kind, self.json.as_bytes(), policy),
            Some(target) => self.template()?.to(&Target::parse_under(kind, target, policy)?),
        }
    }

    /// Reads the message without a target.
    pub(crate) fn template(&self) -> Result<Template, Error> {
        Template::from_json(self.service.into(), self.json.as_bytes())
    }

    fn of(service: ServiceKind, template: &Template) -> Self {
        Self { service, json: template.to_json(), target: None }
    }
}

/// An alert for APNs. What is not here (Live Activities, broadcasts, critical sounds) a [`Message`]'s JSON says.
#[derive(Clone, Debug, PartialEq, uniffi::Record)]
pub struct ApnsAlert {
    /// The app's bundle id.
    pub bundle: String,
    /// The first line.
    #[uniffi(default = None)]
    pub title: Option<String>,
    /// The second line.
    #[uniffi(default = None)]
    pub subtitle: Option<String>,
    /// The text.
    #[uniffi(default = None)]
    pub body: Option<String>,
    /// The number on the app's icon; 0 removes it, nil leaves it as it is.
    #[uniffi(default = None)]
    pub badge: Option<u32>,
    /// The name of a sound, `default` for the system's; nil is silent.
    #[uniffi(default = None)]
    pub sound: Option<String>,
    /// The id of the group that the system shows the notification in.
    #[uniffi(default = None)]
    pub thread_id: Option<String>,
    /// The category that brings the buttons.
    #[uniffi(default = None)]
    pub category: Option<String>,
    /// Notifications with the same id are shown as one.
    #[uniffi(default = None)]
    pub collapse_id: Option<String>,
    /// Whether a Notification Service Extension gets the message first.
    #[uniffi(default = false)]
    pub mutable_content: bool,
    /// A JSON object with the app's own keys, beside `aps`.
    #[uniffi(default = None)]
    pub custom_json: Option<String>,
}

/// Returns the message of an alert, without a target.
#[uniffi::export]
pub fn apns_alert(alert: ApnsAlert) -> Result<Message, PushError> {
    let mut shown = Alert::new();
    shown = alert.title.into_iter().fold(shown, Alert::title);
    shown = alert.subtitle.into_iter().fold(shown, Alert::subtitle);
    shown = alert.body.into_iter().fold(shown, Alert::body);
    let mut aps = Aps::new().alert(shown);
    aps = alert.badge.into_iter().fold(aps, Aps::badge);
    aps = alert.sound.iter().map(String::as_str).fold(aps, Aps::sound);
    aps = alert.thread_id.into_iter().fold(aps, Aps::thread_id);
    aps = alert.category.into_iter().fold(aps, Aps::category);
    if alert.mutable_content {
        aps = aps.mutable_content();
    }
    let mut payload = Payload::new(aps);
    for (key, value) in object(alert.custom_json.as_deref())? {
        payload = payload.custom(key, value)?;
    }
    let mut builder = apns::Message::builder(apns::PushType::Alert)
        .bundle(apns::BundleId::parse(&alert.bundle)?)
        .payload(payload);
    if let Some(id) = &alert.collapse_id {
        builder = builder.collapse_id(apns::CollapseId::parse(id)?);
    }
    Ok(Message::of(ServiceKind::Apns, &Template::Apns(builder.template()?)))
}

/// A push that updates or ends a Live Activity. What is not here (a start, an alert, a channel) a [`Message`]'s JSON says.
#[derive(Clone, Debug, PartialEq, uniffi::Record)]
pub struct ApnsLiveActivity {
    /// The app's bundle id.
    pub bundle: String,
    /// The JSON of the state, as the app's `ContentState` decodes it; nil only where the activity ends, and leaves the last
    /// state standing.
    pub state_json: Option<String>,
    /// When the state was true: the newest one wins.
    pub timestamp: Time,
    /// Whether the activity ends.
    #[uniffi(default = false)]
    pub ends: bool,
    /// When the content counts as out of date; nil is never.
    #[uniffi(default = None)]
    pub stale: Option<Time>,
    /// When an ended activity leaves the screen; nil leaves it to the system.
    #[uniffi(default = None)]
    pub dismissal: Option<Time>,
    /// Whether the push may wait for a better moment (priority 5).
    #[uniffi(default = false)]
    pub may_wait: bool,
}

/// Returns the message of a Live Activity, without a target: the activity's own push token.
#[uniffi::export]
pub fn apns_live_activity(activity: ApnsLiveActivity) -> Result<Message, PushError> {
    let timestamp = activity.timestamp.unix()?;
    let state = activity.state_json.as_deref().map(|json| object(Some(json)).map(Value::Object)).transpose()?;
    let mut live = match (activity.ends, state) {
        (true, state) => LiveActivity::end(timestamp, state),
        (false, Some(state)) => LiveActivity::update(timestamp, state),
        (false, None) => {
            let text = "an update of a live activity has a state";
            return Err(Error::new(ErrorKind::MissingField, text).into());
        }
    };
    if let Some(stale) = activity.stale {
        live = live.stale_date(stale.unix()?);
    }
    if let Some(dismissal) = activity.dismissal {
        live = live.dismissal_date(dismissal.unix()?);
    }
    let mut builder = apns::Message::builder(apns::PushType::LiveActivity)
        .bundle(apns::BundleId::parse(&activity.bundle)?)
        .payload(Payload::new(Aps::new().live_activity(live)));
    if activity.may_wait {
        builder = builder.priority(apns::Priority::PowerAware);
    }
    Ok(Message::of(ServiceKind::Apns, &Template::Apns(builder.template()?)))
}

/// A notification for FCM. What is not here (options of one platform) a [`Message`]'s JSON says.
#[derive(Clone, Debug, PartialEq, uniffi::Record)]
pub struct FcmNotification {
    /// The first line.
    #[uniffi(default = None)]
    pub title: Option<String>,
    /// The text.
    #[uniffi(default = None)]
    pub body: Option<String>,
    /// The URL of an image.
    #[uniffi(default = None)]
    pub image: Option<String>,
    /// The texts that the app gets.
    #[uniffi(default)]
    pub data: HashMap<String, String>,
}

/// Returns the message of a notification, without a target.
#[uniffi::export]
pub fn fcm_notification(notification: FcmNotification) -> Result<Message, PushError> {
    let FcmNotification { title, body, image, data } = notification;
    let mut builder = fcm::Message::builder();
    if title.is_some() || body.is_some() || image.is_some() {
        let mut shown = fcm::Notification::default();
        shown = title.into_iter().fold(shown, fcm::Notification::title);
        shown = body.into_iter().fold(shown, fcm::Notification::body);
        shown = image.into_iter().fold(shown, fcm::Notification::image);
        builder = builder.notification(shown);
    }
    if !data.is_empty() {
        // A map has no order: the same message is the same text.
        let mut data: Vec<_> = data.into_iter().collect();
        data.sort();
        builder = builder.data(data.into_iter().collect::<fcm::StringMap>());
    }
    let any = fcm::Target::topic("any")?;
    Ok(Message::of(ServiceKind::Fcm, &Template::Fcm(builder.build(any)?.template())))
}

/// How urgent a Web Push is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, uniffi::Enum)]
pub enum Urgency {
    /// On power and Wi-Fi.
    VeryLow,
    /// On either.
    Low,
    /// On neither.
    Normal,
    /// Low battery.
    High,
}

/// A message for Web Push. What is not here (padding, receipts) a [`Message`]'s JSON says.
#[derive(Clone, Debug, PartialEq, uniffi::Record)]
pub struct WebPushPayload {
    /// The payload; nil wakes the app without one.
    #[uniffi(default = None)]
    pub payload: Option<Vec<u8>>,
    /// How long the push service keeps the message; nil is four weeks.
    #[uniffi(default = None)]
    pub ttl: Option<Seconds>,
    /// How urgent the message is; nil leaves it to the push service.
    #[uniffi(default = None)]
    pub urgency: Option<Urgency>,
    /// A later message with the same topic replaces this one.
    #[uniffi(default = None)]
    pub topic: Option<String>,
}

/// Returns the message of a payload, without a target.
#[uniffi::export]
pub fn web_push(payload: WebPushPayload) -> Result<Message, PushError> {
    let mut builder = webpush::Template::builder();
    builder = payload.payload.into_iter().fold(builder, |builder, payload| builder.payload(payload));
    if let Some(ttl) = Seconds::optional(payload.ttl)? {
        builder = builder.ttl(ttl);
    }
    if let Some(urgency) = payload.urgency {
        builder = builder.urgency(match urgency {
            Urgency::VeryLow => webpush::Urgency::VeryLow,
            Urgency::Low => webpush::Urgency::Low,
            Urgency::Normal => webpush::Urgency::Normal,
            Urgency::High => webpush::Urgency::High,
        });
    }
    if let Some(topic) = &payload.topic {
        builder = builder.topic(webpush::Topic::new(topic)?);
    }
    Ok(Message::of(ServiceKind::WebPush, &Template::WebPush(builder.build()?)))
}

/// Reads a message and writes it anew, as it is sent: an error says what is wrong with it.
#[uniffi::export]
pub fn check_message(message: Message) -> Result<Message, PushError> {
    // An endpoint is judged where it is sent to, by the service's own policy.
    let policy = EndpointPolicy::default().allow_any_public_host();
    let read = message.read(&policy)?;
    Ok(Message { service: message.service, json: read.to_json(), target: None })
}

/// The members of a JSON object; none where nothing is given.
fn object(json: Option<&str>) -> Result<serde_json::Map<String, Value>, Error> {
    let Some(json) = json else { return Ok(serde_json::Map::new()) };
    Ok(fcm::JsonObject::parse(json.as_bytes())?.as_map().clone())
}
