//! One notification, many devices: a notification and a device make a service's message, and a result says what to
//! do with the device and whether to send again. Pure: no connection, no clock.

mod activity;
mod app;
mod campaign;
mod content;
mod device;
mod feedback;
mod form;
mod loss;
#[allow(clippy::module_inception, reason = "one type, one file")]
mod notification;
mod render;
mod rendered;
mod retries;
mod seen;
mod shorten;

pub use activity::{Activity, Change, Start};
pub use app::{App, Platform};
pub use campaign::Campaign;
pub use content::{Action, Button, Text, Urgency};
pub use device::{Device, DeviceBuilder};
pub use feedback::{Cause, Feedback, FeedbackParts, feedback};
pub use loss::{Loss, LossKind};
pub use notification::{Notification, NotificationBuilder};
pub use rendered::{Rendered, message};
pub use retries::{Attempts, Retries, RetriesBuilder, Retry, Stop};
pub use seen::Seen;

pub use crate::apns::Environment;

#[cfg(test)]
mod tests;
