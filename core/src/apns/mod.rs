//! Apple Push Notification service: the provider API over HTTP/2.
//!
//! [`Message::builder`] makes one push; [`Message::to`] sends the same
//! notification to another device without encoding it again. [`request`] turns a
//! message and [`Credentials`] into an HTTP request, [`outcome`] reads the answer.
//! Channels and broadcasts have the same pair: [`channel_request`] and
//! [`channel_outcome`], [`broadcast_request`] and [`outcome`].
//!
//! Where APNs would refuse, `build()` refuses first, and the error's text holds
//! the word that APNs would have used (`BadTopic`, `PayloadTooLarge` ...).
//!
//! ```
//! use std::time::Duration;
//!
//! use pushcore::apns::{
//!     self, Alert, Aps, BundleId, Credentials, DeviceToken, Environment, KeyId, Message, PushType, TeamId,
//! };
//! use pushcore::crypto::Es256Key;
//! use pushcore::http::Response;
//! use pushcore::{Now, Outcome, UnixTime};
//!
//! # fn main() -> Result<(), pushcore::Error> {
//! # let key = Es256Key::from_scalar(&[7; 32])?;
//! // let key = Es256Key::from_pem(&std::fs::read("AuthKey_ABC123DEFG.p8")?)?;
//! let credentials = Credentials::token(KeyId::parse("ABC123DEFG")?, TeamId::parse("DEF123GHIJ")?, key);
//! let message = Message::builder(PushType::Alert)
//!     .bundle(BundleId::parse("com.example.app")?)
//!     .device(DeviceToken::parse("00fc13adff785122b4ad28809a3420982341241421348097878e577c991de8f0")?)
//!     .payload(Aps::new().alert(Alert::new().title("Dinner").body("is ready")).badge(1))
//!     .build()?;
//!
//! let now = Now::new(Duration::ZERO, UnixTime::from_secs(1_700_000_000));
//! let request = apns::request(&message, &credentials, &Environment::Sandbox.hosts(), now)?;
//! assert!(request.url().starts_with("https://api.sandbox.push.apple.com/3/device/00fc13ad"));
//!
//! // Send it with any HTTP/2 client; then:
//! let response = Response::new(410, r#"{"reason":"Unregistered","timestamp":1699999999000}"#);
//! match message.judge(apns::outcome(&response, now)) {
//!     Outcome::Accepted(accepted) => println!("taken as {:?}", accepted.id),
//!     Outcome::TokenGone(_) => println!("delete the token"),
//!     other => println!("{}", other.advice()),
//! }
//! # Ok(())
//! # }
//! ```

mod alert;
mod answer;
mod aps;
mod broadcast;
mod builder;
#[cfg(feature = "certificate")]
mod certificate;
#[cfg(not(feature = "certificate"))]
#[path = "no_certificate.rs"]
mod certificate;
mod channels;
mod credentials;
mod environment;
mod expiration;
pub(crate) mod form;
mod go_away;
mod header_policy;
mod ids;
mod live_activity;
mod manage_channel;
mod message;
mod payload;
mod provider_token;
mod push_type;
mod reasons;
mod request;
mod service;
mod sound;
mod token;

pub use alert::{Alert, Text};
pub use answer::outcome;
pub use aps::{Aps, InterruptionLevel};
pub use broadcast::{Broadcast, BroadcastBuilder, broadcast_outcome, broadcast_request};
pub use builder::MessageBuilder;
#[cfg(feature = "certificate")]
pub use certificate::ClientCertificate;
pub use channels::{ChannelCall, ChannelId, ChannelOutcome, StoragePolicy, channel_outcome, channel_request};
pub use credentials::{Credentials, KeyScope, Reaction};
pub use environment::{Environment, Hosts};
pub use expiration::Expiration;
pub use go_away::{go_away_outcome, go_away_reason, reset_outcome};
pub use header_policy::HeaderPolicy;
pub use ids::{ApnsId, BundleId, CollapseId, KeyId, TeamId, Topic};
pub use live_activity::{InputPush, LiveActivity};
pub use manage_channel::ManageChannel;
pub use message::{Message, Template};
pub use payload::Payload;
pub use push_type::{Priority, PushType};
pub use request::request;
pub use service::Service;
pub use sound::Sound;
pub use token::DeviceToken;
