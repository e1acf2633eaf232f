//! Devices and notifications as JSON: the tables of their fields. `docs/notification.md` is written from them.

#[cfg(test)]
use serde_json::json;
use serde_json::{Map, Value};

use super::app::Platform;
use super::content::{Action, Button, Text, Urgency};
use crate::apns::{Alert, ApnsId, BundleId, ChannelId, Environment, Priority, Sound, StoragePolicy};
use crate::error::{Error, ErrorKind};
#[cfg(test)]
use crate::json::form::Table;
use crate::json::form::{Form, RawText, Texts, form, text_form, word_form};
use crate::json::{Node, Path};
use crate::outcome::Scope;
use crate::service::Kind;
use crate::time::UnixTime;

form! {
    /// One device of one user. `token`, or for `web_push` `subscription`.
    DeviceForm "Device"
    {
        /// The push service.
        service: Kind, "required", "", "";
        /// The environment that the token belongs to.
        environment: Environment, "`\"production\"`", "`\"sandbox\"` for `apns` and `baidu` only", "";
        /// The system that the device runs: needed for Apple's devices behind `baidu`, makes messages of `fcm` smaller.
        platform: Platform, "unknown", "one that the service reaches", "";
        /// The app: the bundle id (`apns`), the project id (`fcm`), or a name of the caller's own.
        app: String, "none", "required to send to `apns`", "";
        /// The token, or an object such as `{"fid": "..."}`: the texts that targets are read from.
        token: RawText, "", "of the form of the service's tokens", "";
        /// The subscription, as `PushSubscription.toJSON()` gives it.
        subscription: RawText, "", "an endpoint that the policy allows", "";
        /// When the app registered the token last, in milliseconds since 1970.
        registered_at_ms: u64, "unknown", "a date from 2001 to 2299", "";
        /// The caller's own key.
        key: String, "none", "", "";
    }
}

form! {
    /// One thing to say, on every service. `title` or `body` or `badge`, unless `silent`.
    NotificationForm "Notification"
    {
        /// The first line.
        title: Text, "none; where a service requires one, `body` takes its place", "not empty", "";
        /// The second line.
        subtitle: Text, "none", "not empty", "";
        /// The text.
        body: Text, "none", "not empty", "";
        /// The URL of a picture.
        image: String, "none", "an absolute http or https URL", "";
        /// The icon: a URL for browsers, or the name of a drawable of the app for Android.
        icon: String, "the app's", "not empty", "";
        /// The target of a tap.
        action: Action, "`\"open\"`", "", "";
        /// Buttons.
        buttons: Vec<Button>, "none", "with different ids", "";
        /// The number on the app's icon; 0 removes the number.
        badge: u32, "unchanged", "", "";
        /// The sound: a file of the app, or `default`.
        sound: String, "the service's: silence on Apple's devices, the channel's sound on Android", "not empty", "";
        /// Groups notifications.
        thread: String, "none", "not empty", "";
        /// The category, under which an app for Apple's devices registers buttons.
        category: String, "none", "not empty", "";
        /// The notification channel of Android 8 and later.
        channel: String, "the app's default", "not empty", "";
        /// How soon the device is woken.
        urgency: Urgency, "the service's", "", "";
        /// How many seconds the service keeps the notification for a device that is away.
        ttl: u32, "the service's", "raised or lowered to what the service takes", "";
        /// A notification with the same key replaces this one, delivered or not.
        collapse_key: String, "none", "not empty; hashed where a service does not take it", "";
        /// The app's own texts.
        data: Texts, "none", "no key that `action` or `image` needs", "";
        /// Shows nothing, and wakes the app with `data`.
        silent: bool, "false", "without anything that is shown", "";
        /// Cuts texts that are too long for a service, at a character and with an ellipsis.
        shorten: bool, "false: too long a text is refused", "", "";
        /// Members of the services' own messages, which replace or complete what is made of the other fields.
        overrides: OverridesForm, "none", "", "";
    }
}

form! {
    /// A text that the app looks up in its own resources.
    TextForm "Notification: text"
    {
        /// The key of the text.
        key: String, "required", "not empty", "";
        /// The texts for the placeholders.
        args: Vec<String>, "none", "", "";
        /// The text for services that look up nothing.
        text: String, "none: such a service does not show the text", "not empty", "";
    }
}

form! {
    /// The target of a tap. Exactly one member. The word `open` in its place opens the app.
    ActionForm "Notification: action"
    {
        /// A web page.
        url: String, "", "an absolute http or https URL", "";
        /// A place in the app.
        deep_link: String, "", "a URL of any scheme", "";
    }
}

form! {
    /// A button.
    ButtonForm "Notification: button"
    {
        /// The id that the app is told.
        id: String, "required", "not empty", "";
        /// The text.
        title: String, "required", "not empty", "";
        /// The web page that the button opens.
        url: String, "the notification's", "an absolute http or https URL", "";
        /// The URL of an icon.
        icon: String, "none", "an absolute http or https URL", "";
    }
}

form! {
    /// Members of the services' own messages, in the forms of `messages.md` without a target. Objects are merged member by member; any
    /// other value replaces ours, and `null` removes ours.
    OverridesForm "Notification: overrides"
    {
        /// Members of a message to ADM.
        adm: Overlay, "none", "", "";
        /// Members of a message to APNs.
        apns: Overlay, "none", "", "";
        /// Members of a message to Baidu.
        baidu: Overlay, "none", "", "";
        /// Members of a message to FCM.
        fcm: Overlay, "none", "`snake_case`", "";
        /// Members of a message to Web Push.
        web_push: Overlay, "none", "", "";
    }
}

form! {
    /// A Live Activity, as the sender knows it.
    ActivityForm "Activity"
    {
        /// The app's bundle id.
        bundle: BundleId, "required", "", "";
        /// The phase of the activity.
        phase: Phase, "required", "", "";
        /// The update token that the app has sent.
        token: String, "none", "not with `channel`; required while `running` without one", "";
        /// The channel whose broadcasts update the activity.
        channel: ChannelId, "none", "with `storage_policy`", "";
        /// The channel's storage policy.
        storage_policy: StoragePolicy, "none", "with `channel`", "";
        /// The push-to-start token that the activity was started by.
        started_by: String, "none", "", "";
        /// When the activity was started.
        started_at: UnixTime, "unknown", "", "";
        /// The timestamp of the last push, in seconds since 1970.
        timestamp: u64, "none", "", "";
        /// From when on the last state counts as out of date.
        stale_date: UnixTime, "none", "", "";
        /// When the activity ended.
        ended_at: UnixTime, "none", "", "";
    }
}

form! {
    /// The beginning of a Live Activity.
    StartForm "Activity: start"
    {
        /// The name of the app's `ActivityAttributes` type.
        attributes_type: String, "required", "", "`attributes-type`";
        /// The attributes that this type decodes from.
        attributes: Any, "required", "not null", "`attributes`";
    }
}

form! {
    /// A change of a Live Activity. Times are whole seconds since 1970.
    ChangeForm "Activity: change"
    {
        /// The state that the app's `ContentState` decodes from.
        content_state: Any, "required, but for an end", "not null", "`content-state`";
        /// The alert that the user sees.
        alert: Alert, "none; required for a start", "", "`alert`";
        /// The sound of the alert.
        sound: Sound, "none", "", "`alert.sound`";
        /// From when on the state counts as out of date.
        stale_date: UnixTime, "none", "later than the timestamp", "`stale-date`";
        /// When an ended activity leaves the screen.
        dismissal_date: UnixTime, "four hours", "for an end; at most four hours ahead", "`dismissal-date`";
        /// Which of several activities of the app is shown first.
        relevance_score: f64, "none", "", "`relevance-score`";
        /// How urgent the push is.
        priority: Priority, "APNs takes 10", "5, 10", "header `apns-priority`";
        /// When the state was true.
        timestamp: UnixTime, "now, or a second after the last push", "later than that of the last push", "`timestamp`";
    }
}

form! {
    /// A policy of sending again. A field that is left out is as in the standard policy.
    RetriesForm "Retries"
    {
        /// The most attempts, the first one included.
        attempts: u32, "5", "1 to 1000", "";
        /// The longest time from the first attempt to the last, in milliseconds.
        total_ms: u64, "600000", "at most four weeks", "";
        /// The first wait where the service names none, in milliseconds; it doubles with every attempt.
        first_wait_ms: u64, "1000", "at most `longest_wait_ms`", "";
        /// The longest wait where the service names none, in milliseconds.
        longest_wait_ms: u64, "60000", "at most four weeks", "";
        /// Sends again what the service may have taken.
        resend_unknown: bool, "false", "", "";
    }
}

form! {
    /// The state of one message under a policy of sending again.
    AttemptsForm "Attempts"
    {
        /// The number of attempts that have ended.
        made: u32, "0", "", "";
        /// When the first attempt began, in milliseconds since 1970.
        began_at_ms: u64, "required", "", "";
        /// The earliest time of the next attempt, in milliseconds since 1970.
        next_at_ms: u64, "none", "", "";
        /// The messages that wait until then.
        scope: Scope, "`\"message\"`", "with `next_at_ms`", "";
        /// Whether an attempt is under way.
        in_flight: bool, "false", "", "";
        /// The id that all attempts have in common.
        id: ApnsId, "none", "UUID", "header `apns-id`";
        /// The seed of the waits' jitter.
        seed: u32, "0", "", "";
    }
}

/// The phase of a Live Activity.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Phase {
    New,
    Starting,
    Running,
    Ended,
}

word_form!(Phase {
    Phase::New => "new" = Phase::New,
    Phase::Starting => "starting" = Phase::Starting,
    Phase::Running => "running" = Phase::Running,
    Phase::Ended => "ended" = Phase::Ended,
});

/// Any value, as a tree.
pub(crate) struct Any(pub(crate) Value);

impl Form for Any {
    fn read(node: Node<'_>, _at: &Path<'_>) -> Result<Self, Error> {
        Ok(Self(node.value()))
    }

    #[cfg(test)]
    fn schema() -> Value {
        json!(true)
    }

    #[cfg(test)]
    fn kind() -> String {
        "any JSON".to_owned()
    }
}

word_form!(Urgency {
    Urgency::VeryLow => "very_low" = Urgency::VeryLow,
    Urgency::Low => "low" = Urgency::Low,
    Urgency::Normal => "normal" = Urgency::Normal,
    Urgency::High => "high" = Urgency::High,
});

/// Declares a type that is read from a string, or from its form.
macro_rules! from_form {
    ($type:ident, $form:ident, $short:expr) => {
        impl Form for $type {
            fn read(node: Node<'_>, at: &Path<'_>) -> Result<Self, Error> {
                if let Some(text) = node.string() {
                    let short: fn(String, &Path<'_>) -> Result<Self, Error> = $short;
                    return short(text, at);
                }
                Self::from_form($form::read(node, at)?, at)
            }

            #[cfg(test)]
            fn schema() -> Value {
                json!({"anyOf": [{"type": "string"}, $form::schema()]})
            }

            #[cfg(test)]
            fn kind() -> String {
                format!("string, or {}", $form::kind())
            }

            #[cfg(test)]
            fn tables(into: &mut Vec<Table>) {
                $form::tables(into);
            }
        }
    };
}

from_form!(Text, TextForm, |text, _| Ok(Text::plain(text)));
from_form!(Action, ActionForm, |text, at| match text.as_str() {
    "open" => Ok(Action::Open),
    _ => Err(at.error(
        ErrorKind::InvalidValue,
        "not open, nor an object with url or deep_link"
    )),
});

impl Form for Button {
    fn read(node: Node<'_>, at: &Path<'_>) -> Result<Self, Error> {
        Self::from_form(ButtonForm::read(node, at)?, at)
    }

    #[cfg(test)]
    fn schema() -> Value {
        ButtonForm::schema()
    }

    #[cfg(test)]
    fn kind() -> String {
        ButtonForm::kind()
    }

    #[cfg(test)]
    fn tables(into: &mut Vec<Table>) {
        ButtonForm::tables(into);
    }
}

/// Members of a service's own message.
pub(crate) struct Overlay(pub(crate) Map<String, Value>);

impl Form for Overlay {
    fn read(node: Node<'_>, at: &Path<'_>) -> Result<Self, Error> {
        match node.value() {
            Value::Object(map) => Ok(Self(map)),
            _ => Err(at.error(ErrorKind::InvalidPayload, "not an object")),
        }
    }

    #[cfg(test)]
    fn schema() -> Value {
        json!({"type": "object"})
    }

    #[cfg(test)]
    fn kind() -> String {
        "object".to_owned()
    }
}

word_form!(Scope {
    Scope::Message => "message" = Scope::Message,
    Scope::Device => "device" = Scope::Device,
    Scope::Topic => "topic" = Scope::Topic,
    Scope::Project => "project" = Scope::Project,
    Scope::Connection => "connection" = Scope::Connection,
});

text_form!(Kind, Kind::parse, "`\"adm\"`, `\"apns\"`, `\"baidu\"`, `\"fcm\"`, `\"web_push\"`", {"enum": ["adm", "apns", "baidu", "fcm", "web_push"]});

word_form!(Environment {
    Environment::Production => "production" = Environment::Production,
    Environment::Sandbox => "sandbox" = Environment::Sandbox,
});

word_form!(Platform {
    Platform::Android => "android" = Platform::Android,
    Platform::Apple => "apple" = Platform::Apple,
    Platform::Web => "web" = Platform::Web,
});
