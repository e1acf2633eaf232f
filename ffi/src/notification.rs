//! One notification, every device: what an app wants to say, who gets it, and what a result means for the device.

use pushcore::notification::{self, Device as AnyDevice, LossKind, Platform};
use pushcore::{Error, ErrorKind, Outcome as Answer, UnixTime};

use crate::bytes::Bytes;
use crate::error::ErrorObject;
#[cfg(feature = "net")]
use crate::guard::Failure;
use crate::guard::{Status, entry, give, value, wanted};
use crate::handle::{borrow, free, handles};
use crate::kinds::{scope_number, service_number, suspects_number};
use crate::message::{Message, Template};
use crate::outcome::Outcome;
use crate::policy::{EndpointPolicy, policy};
use crate::view::{CNow, Versioned, View, fill};

/// One notification for the devices of every service. Immutable; may be shared between threads.
pub struct Notification {
    pub(crate) notification: notification::Notification,
}

/// A device of one app: service, environment, token or subscription. Immutable; may be shared between threads.
pub struct Device {
    pub(crate) device: AnyDevice,
}

/// A notification as the message to all devices of one app, encoded once, and what the service cannot show of it. Immutable; may be shared
/// between threads.
pub struct Rendered {
    rendered: notification::Rendered,
}

/// What a result means for the caller's table of devices. Immutable; may be shared between threads.
pub struct Feedback {
    pub(crate) feedback: notification::Feedback,
}

handles! {
    Notification = 21 "pushcore_notification",
    Device = 22 "pushcore_device",
    Rendered = 23 "pushcore_rendered",
    Feedback = 24 "pushcore_feedback",
}

/// Android.
pub const PUSHCORE_PLATFORM_ANDROID: u32 = 1;
/// Apple's systems.
pub const PUSHCORE_PLATFORM_APPLE: u32 = 2;
/// A browser.
pub const PUSHCORE_PLATFORM_WEB: u32 = 3;

/// The field is not in the message.
pub const PUSHCORE_LOSS_DROPPED: u32 = 1;
/// The message says something similar.
pub const PUSHCORE_LOSS_CHANGED: u32 = 2;
/// A text is cut to fit the service's limit.
pub const PUSHCORE_LOSS_SHORTENED: u32 = 3;

/// Nothing is wrong with the device.
pub const PUSHCORE_FEEDBACK_KEEP: u32 = 1;
/// The token is dead: delete the device.
pub const PUSHCORE_FEEDBACK_DELETE: u32 = 2;
/// The service names another token: store `replacement`.
pub const PUSHCORE_FEEDBACK_REPLACE: u32 = 3;
/// Send nothing more to `scope` until `until_ms`.
pub const PUSHCORE_FEEDBACK_WAIT: u32 = 4;
/// The configuration may be why it failed, as `cause` says: keep the device.
pub const PUSHCORE_FEEDBACK_CHECK_CONFIGURATION: u32 = 5;

/// A part of a notification that a service does not take as it is.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct CLoss {
    /// sizeof(pushcore_loss), set by the caller.
    pub struct_size: u32,
    /// A PUSHCORE_LOSS_ constant.
    pub kind: u32,
    /// The PUSHCORE_PLATFORM_ that loses the field; 0 when every device of the app does.
    pub platform: u32,
    /// Zero: takes the place of padding.
    pub reserved: u32,
    /// The field of the notification, by its name in JSON. The text is static.
    pub field: View,
    /// The reason, for a person. The text is static.
    pub reason: View,
}

// SAFETY: repr(C), begins with struct_size, zeroes are a value.
unsafe impl Versioned for CLoss {
    const FIRST: usize = size_of::<Self>();
}

/// Everything that a feedback says. A field that its action does not have is 0 or empty.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct CFeedbackParts {
    /// sizeof(pushcore_feedback_parts), set by the caller.
    pub struct_size: u32,
    /// A PUSHCORE_FEEDBACK_ constant.
    pub action: u32,
    /// A PUSHCORE_SCOPE_ constant: the messages that have to wait.
    pub scope: u32,
    /// PUSHCORE_SUSPECT_ bits: the settings to check.
    pub suspects: u32,
    /// The earliest time of the next message, in milliseconds since 1970; 0 where nothing names a time.
    pub until_ms: u64,
    /// The error of this machine's clock in seconds.
    pub clock_skew_s: i64,
    /// The new token.
    pub replacement: View,
    /// "suspects", "credentials", "clock", "device" or "connection". The text is static.
    pub cause: View,
}

// SAFETY: repr(C), begins with struct_size, zeroes are a value.
unsafe impl Versioned for CFeedbackParts {
    const FIRST: usize = size_of::<Self>();
}

/// The number of a feedback's action; 0 for one that this ABI has no number for, which a test excludes.
pub(crate) fn action_number(feedback: &notification::Feedback) -> u32 {
    match feedback {
        notification::Feedback::Keep => PUSHCORE_FEEDBACK_KEEP,
        notification::Feedback::Delete => PUSHCORE_FEEDBACK_DELETE,
        notification::Feedback::Replace(_) => PUSHCORE_FEEDBACK_REPLACE,
        notification::Feedback::Wait { .. } => PUSHCORE_FEEDBACK_WAIT,
        notification::Feedback::CheckConfiguration(_) => PUSHCORE_FEEDBACK_CHECK_CONFIGURATION,
        _ => 0,
    }
}

fn platform_number(platform: Option<Platform>) -> u32 {
    match platform {
        Some(Platform::Android) => PUSHCORE_PLATFORM_ANDROID,
        Some(Platform::Apple) => PUSHCORE_PLATFORM_APPLE,
        Some(Platform::Web) => PUSHCORE_PLATFORM_WEB,
        _ => 0,
    }
}

/// The platform of a number; `None` for 0.
#[cfg(feature = "net")]
pub(crate) fn platform_of(number: u32) -> Result<Option<Platform>, Failure> {
    if number == 0 {
        return Ok(None);
    }
    let mut all = Platform::ALL.into_iter();
    let known = all.find(|platform| platform_number(Some(*platform)) == number);
    known.map(Some).ok_or_else(|| crate::view::no_such("platform"))
}

/// Reads a notification in the form of docs/notification.md.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pushcore_notification_from_json(
    json: View,
    out: *mut *mut Notification,
    error: *mut *mut ErrorObject,
) -> Status {
    entry!(error, {
        let notification = notification::Notification::from_json(json.bytes("json")?)?;
        give(out, Notification { notification })
    })
}

/// Writes the notification as JSON, which pushcore_notification_from_json reads.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pushcore_notification_to_json(
    notification: *const Notification,
    out: *mut *mut Bytes,
    error: *mut *mut ErrorObject,
) -> Status {
    entry!(error, {
        let json = borrow(notification, "notification")?.notification.to_json();
        give(out, Bytes::new(json))
    })
}

/// Makes the message to all devices of the app that `device` is of.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pushcore_notification_render(
    notification: *const Notification,
    device: *const Device,
    now: CNow,
    out: *mut *mut Rendered,
    error: *mut *mut ErrorObject,
) -> Status {
    entry!(error, {
        let (notification, device) = (borrow(notification, "notification")?, borrow(device, "device")?);
        let rendered = notification
            .notification
            .render(device.device.app(), now.into())?;
        give(out, Rendered { rendered })
    })
}

/// Gives the notification back.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pushcore_notification_free(notification: *mut Notification) {
    value!((), { free(notification) });
}

/// Makes the message to one device of the app.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pushcore_rendered_to(
    rendered: *const Rendered,
    device: *const Device,
    now: CNow,
    out: *mut *mut Message,
    error: *mut *mut ErrorObject,
) -> Status {
    entry!(error, {
        let (rendered, device) = (borrow(rendered, "rendered")?, borrow(device, "device")?);
        let message = rendered.rendered.to(&device.device, now.into())?;
        give(out, Message { message })
    })
}

/// Gives the template of the message, for pushcore_batch_submit.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pushcore_rendered_template(
    rendered: *const Rendered,
    out: *mut *mut Template,
    error: *mut *mut ErrorObject,
) -> Status {
    entry!(error, {
        let template = borrow(rendered, "rendered")?.rendered.template().clone();
        give(out, Template { template })
    })
}

/// Returns the number of parts that the service cannot show as they are; 0 for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pushcore_rendered_loss_count(rendered: *const Rendered) -> usize {
    value!(0, { borrow(rendered, "rendered")?.rendered.losses().len() })
}

/// Fills in a loss by its position, 0 to count - 1. PUSHCORE_ERROR_MISUSE when there is none at `index`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pushcore_rendered_loss_at(
    rendered: *const Rendered,
    index: usize,
    loss: *mut CLoss,
    error: *mut *mut ErrorObject,
) -> Status {
    entry!(error, {
        wanted(loss, "loss")?;
        let rendered = borrow(rendered, "rendered")?;
        let found = rendered.rendered.losses().get(index);
        let found = found.ok_or_else(|| Error::new(ErrorKind::Misuse, "there is no loss at this index"))?;
        let made = CLoss {
            struct_size: 0,
            kind: match found.kind {
                LossKind::Dropped => PUSHCORE_LOSS_DROPPED,
                LossKind::Changed => PUSHCORE_LOSS_CHANGED,
                LossKind::Shortened => PUSHCORE_LOSS_SHORTENED,
                _ => 0,
            },
            platform: platform_number(found.platform),
            reserved: 0,
            field: View::of(found.field.as_bytes()),
            reason: View::of(found.reason.as_bytes()),
        };
        fill(loss, &made, "loss")
    })
}

/// Gives the rendered notification back.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pushcore_rendered_free(rendered: *mut Rendered) {
    value!((), { free(rendered) });
}

/// Reads a device in the form of docs/notification.md. `endpoints` is for Web Push and may be NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pushcore_device_from_json(
    json: View,
    endpoints: *const EndpointPolicy,
    out: *mut *mut Device,
    error: *mut *mut ErrorObject,
) -> Status {
    entry!(error, {
        let device = AnyDevice::from_json_under(json.bytes("json")?, &policy(endpoints)?)?;
        give(out, Device { device })
    })
}

/// Writes the device as JSON, with its token: for the caller's own storage, not for logs.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pushcore_device_to_json(
    device: *const Device,
    out: *mut *mut Bytes,
    error: *mut *mut ErrorObject,
) -> Status {
    entry!(error, {
        let json = borrow(device, "device")?.device.to_json();
        give(out, Bytes::new(json))
    })
}

/// Returns the PUSHCORE_SERVICE_ constant of the device's service; 0 for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pushcore_device_service(device: *const Device) -> u32 {
    value!(0, { service_number(borrow(device, "device")?.device.service()) })
}

/// Returns the caller's own key of the device; empty where there is none.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pushcore_device_key(device: *const Device) -> View {
    value!(View::EMPTY, {
        View::of_text(borrow(device, "device")?.lasting().device.key())
    })
}

/// Makes the same device with another token, registered at `now`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pushcore_device_with_token(
    device: *const Device,
    token: View,
    now: CNow,
    out: *mut *mut Device,
    error: *mut *mut ErrorObject,
) -> Status {
    entry!(error, {
        let device = borrow(device, "device")?;
        let time = UnixTime::from_millis(now.unix_ms);
        let device = device.device.with_token(token.text("token")?, time)?;
        give(out, Device { device })
    })
}

/// Gives the device back.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pushcore_device_free(device: *mut Device) {
    value!((), { free(device) });
}

/// Tells what the result of a message means for its device: the result is `outcome`, or `failure` for a message without an answer. Exactly
/// one of the two is not NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pushcore_feedback_of(
    outcome: *const Outcome,
    failure: *const ErrorObject,
    device: *const Device,
    now: CNow,
    out: *mut *mut Feedback,
    error: *mut *mut ErrorObject,
) -> Status {
    entry!(error, {
        let device = borrow(device, "device")?;
        let result: Result<Answer, Error> = match (outcome.is_null(), failure.is_null()) {
            (false, true) => Ok(borrow(outcome, "outcome")?.outcome.clone()),
            (true, false) => Err(borrow(failure, "failure")?.error()),
            _ => {
                let context = "exactly one of outcome and failure is wanted";
                return Err(Error::new(ErrorKind::Misuse, context).into());
            }
        };
        let time = UnixTime::from_millis(now.unix_ms);
        let feedback = notification::feedback(&result, &device.device, time);
        give(out, Feedback { feedback })
    })
}

/// Fills in everything that the feedback says, up to `struct_size`. The views live as long as the feedback.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pushcore_feedback_parts_of(
    feedback: *const Feedback,
    parts: *mut CFeedbackParts,
    error: *mut *mut ErrorObject,
) -> Status {
    entry!(error, {
        let feedback = borrow(feedback, "feedback")?;
        let all = feedback.lasting().feedback.parts();
        let made = CFeedbackParts {
            struct_size: 0,
            action: action_number(&feedback.feedback),
            scope: scope_number(all.scope),
            suspects: suspects_number(all.suspects),
            until_ms: all.until.map_or(0, UnixTime::as_millis),
            clock_skew_s: all.clock_skew.unwrap_or_default(),
            replacement: View::of_text(all.replacement),
            cause: View::of_text(all.cause),
        };
        fill(parts, &made, "parts")
    })
}

/// Gives the feedback back.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pushcore_feedback_free(feedback: *mut Feedback) {
    value!((), { free(feedback) });
}
