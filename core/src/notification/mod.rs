//! One notification, many devices: a notification and a device make a service's message, and a result says what to
//! do with the device and whether to send again. Pure: no connection, no clock.

mod app;
mod device;
mod feedback;
mod form;
mod retries;

pub use app::{App, Platform};
pub use device::{Device, DeviceBuilder};
pub use feedback::{Cause, Feedback, FeedbackParts, feedback};
pub use retries::{Attempts, Retries, RetriesBuilder, Retry, Stop};

pub use crate::apns::Environment;
