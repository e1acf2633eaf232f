//! A notification to one device: its message, and the parts that the device's service cannot show.

use pushcore::notification::{self, Device, Feedback as CoreFeedback, FeedbackParts};
use pushcore::webpush::EndpointPolicy;

use crate::error::PushError;
use crate::message::Message;
use crate::outcome::{Scope, Suspect};
use crate::values::Time;

/// A part of a notification that a service does not take as it is.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct NotificationLoss {
    /// The field of the notification, by its name in JSON.
    pub field: String,
    /// The platform that loses the field; nil when every device of the app does.
    pub platform: Option<String>,
    /// The kind of loss: `dropped`, `changed` or `shortened`.
    pub kind: String,
    /// The reason, in a few words for a person.
    pub reason: String,
}

/// The message of a notification to one device.
#[derive(Clone, PartialEq, Eq, uniffi::Record)]
pub struct Rendered {
    /// The message, with its target.
    pub message: Message,
    /// The parts that the device's service cannot show.
    pub losses: Vec<NotificationLoss>,
}

/// Returns the message of a notification to one device, both in the form of docs/notification.md. `at` is for tests; nil is now.
#[uniffi::export(default(at = None))]
pub fn render_notification(
    notification_json: String,
    device_json: String,
    at: Option<Time>,
) -> Result<Rendered, PushError> {
    let notification = notification::Notification::from_json(notification_json.as_bytes())?;
    let device = device(&device_json)?;
    let (message, losses) = notification::message(&notification, &device, Time::now(at)?)?;
    Ok(Rendered {
        message: Message {
            service: message.kind().into(),
            json: message.to_json(),
            target: None,
        },
        losses: losses
            .iter()
            .map(|loss| NotificationLoss {
                field: loss.field.to_owned(),
                platform: loss.platform.map(|platform| platform.as_str().to_owned()),
                kind: loss.kind.name().to_owned(),
                reason: loss.reason.to_owned(),
            })
            .collect(),
    })
}

/// Reads a device. An endpoint is judged where it is sent to, by the policy of its service.
pub(crate) fn device(json: &str) -> Result<Device, PushError> {
    let policy = EndpointPolicy::default().allow_any_public_host();
    Ok(Device::from_json_under(json.as_bytes(), &policy)?)
}

/// The change that a result asks for in the caller's table of devices; docs/notification.md says which result asks for which.
#[derive(Clone, PartialEq, uniffi::Record)]
pub struct Feedback {
    /// The action: `keep`, `delete`, `replace`, `wait` or `check_configuration`.
    pub action: String,
    /// The new token of the device (`replace`); nil for every other action.
    pub replacement: Option<String>,
    /// The earliest time of the next message (`wait`); nil where nothing names a time.
    pub until: Option<Time>,
    /// The messages that have to wait (`wait`); nil for every other action.
    pub scope: Option<Scope>,
    /// The part of the configuration that may be at fault (`check_configuration`); nil for every other action.
    pub cause: Option<String>,
    /// The settings that could be at fault beside the token.
    pub suspects: Vec<Suspect>,
    /// How many seconds the service's clock is ahead of this machine's; nil where the clock is not to blame.
    pub clock_skew: Option<i64>,
}

impl From<&CoreFeedback> for Feedback {
    fn from(feedback: &CoreFeedback) -> Self {
        let FeedbackParts {
            action,
            replacement,
            until,
            scope,
            cause,
            suspects,
            clock_skew,
            ..
        } = feedback.parts();
        Self {
            action: action.to_owned(),
            replacement: replacement.map(str::to_owned),
            until: until.map(Time::from),
            scope: scope.map(Scope::from),
            cause: cause.map(str::to_owned),
            suspects: suspects.iter().map(Suspect::from).collect(),
            clock_skew,
        }
    }
}
