//! Firebase Cloud Messaging, HTTP v1.
//!
//! [`Credentials`] hold a Google identity and its access token, [`Message`] is one
//! checked message for one target, [`request`] joins them, [`outcome`] reads the
//! answer. [`topics`] subscribes devices to topics.
//!
//! ```
//! use pushcore::fcm::{AndroidConfig, AndroidPriority, Message, Notification, Target};
//!
//! let message = Message::builder()
//!     .notification(Notification::new().title("Portugal vs. Denmark").body("great match!"))
//!     .android(AndroidConfig::new().priority(AndroidPriority::High))
//!     .build(Target::token("bk3RNwTe3H0:CI2k_HHwgIpoDKCIZvvDMExUdFQ3P1")?)?;
//! // The same message for another device: nothing is encoded again.
//! let next = message.to(Target::token("cR1rjyj4_Kc:APA91bGusqbypSuMdsh7jSNrW4nz")?);
//! # Ok::<(), pushcore::Error>(())
//! ```

mod answer;
mod credentials;
mod message;
mod project;
mod service;
mod topic_calls;
mod wire;

pub mod topics;

pub use answer::outcome;
pub use credentials::{
    Credentials, Subject, SubjectSource, allow_metadata_address, metadata_project, metadata_project_request,
};
pub use message::android::{
    AndroidConfig, AndroidFcmOptions, AndroidNotification, AndroidPriority, LightSettings,
    NotificationPriority, Proxy, Visibility,
};
pub use message::android_v2::{
    AndroidBackgroundSyncMessage, AndroidConfigV2, AndroidNotificationV2, AndroidRemoteNotification,
};
pub use message::apns::{ApnsConfig, ApnsFcmOptions, LiveActivityToken};
pub use message::target::{RegistrationId, Target, Topic};
pub use message::webpush::{WebpushConfig, WebpushFcmOptions};
pub use message::{FcmOptions, Message, MessageBuilder, Notification, Template};
pub use project::{Hosts, ProjectId};
pub use service::Service;
pub use wire::color::Color;
pub use wire::map::{JsonObject, StringMap};
pub use wire::timestamp::Timestamp;

use crate::error::Error;
use crate::http::Request;
use crate::time::Now;

/// One complete request: the message with the authorization at hand.
///
/// # Errors
/// `TokenNeeded` when no access token is at hand; `PayloadTooLarge` when the message
/// was made for a device, is sent to a topic, and is larger than topics take.
pub fn request(
    message: &Message,
    credentials: &Credentials,
    hosts: &Hosts,
    now: Now,
) -> Result<Request, Error> {
    let mut request = Request::new();
    message.write(hosts, credentials.project(), &mut request)?;
    request.authorization = Some(credentials.authorization(now)?);
    Ok(request)
}

/// The tables of a message's form, for `docs/messages.md`.
#[cfg(test)]
pub(crate) const FORM: fn(&mut Vec<crate::json::form::Table>) = <MessageBuilder as wire::Wire>::tables;
