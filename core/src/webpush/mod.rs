//! Web Push, both ways (RFC 8030, 8188, 8291, 8292).
//!
//! A sender parses the [`Subscription`] that the browser made, under an
//! [`EndpointPolicy`], builds a [`Message`] for it and gets a request that any HTTP
//! client can send; the answer becomes an [`Outcome`](crate::Outcome). A receiver
//! (an app with UnifiedPush, a Notification Service Extension) keeps
//! [`ReceiverKeys`] and decrypts.
//!
//! ```
//! use std::time::Duration;
//! use pushcore::webpush::{self, Credentials, EndpointPolicy, Message, ReceiverKeys, Subscription};
//! use pushcore::{Now, UnixTime, crypto::Es256Key};
//!
//! # fn main() -> Result<(), pushcore::Error> {
//! // The receiver's side, usually a browser.
//! let keys = ReceiverKeys::generate()?;
//! let json = keys.subscription_json("https://updates.push.services.mozilla.com/wpush/v2/abc");
//!
//! // The sender's side.
//! let credentials = Credentials::new(Es256Key::generate()?, "mailto:push@example.com")?;
//! let subscription = Subscription::parse(json.as_bytes(), &EndpointPolicy::default())?;
//! let message = Message::builder(subscription).payload("hello").ttl(Duration::from_secs(60)).build()?;
//! let now = Now::new(Duration::ZERO, UnixTime::from_secs(1_800_000_000));
//! let request = webpush::request(&message, &credentials, now)?;
//! assert_eq!(request.url(), "https://updates.push.services.mozilla.com/wpush/v2/abc");
//!
//! // The receiver again.
//! assert_eq!(keys.decrypt(request.body.as_bytes())?, b"hello");
//! # Ok(())
//! # }
//! ```
//!
//! "Encrypt once for everyone" is impossible: each subscription has its own keys
//! (RFC 8291 §3). What is shared is prepared once, by [`Template`].

mod answer;
mod builder;
mod credentials;
mod declarative;
mod encoding;
mod endpoint;
pub(crate) mod form;
mod link;
mod message;
mod policy;
mod provider;
mod receiver;
mod request;
mod resource;
mod resource_calls;
mod service;
mod subscription;
mod topic;

pub use answer::{outcome, outcome_for};
pub use builder::{MessageBuilder, TemplateBuilder};
pub use credentials::Credentials;
pub use declarative::{Action, Declarative, Direction, Notification};
pub use encoding::Encoding;
pub use endpoint::Endpoint;
pub use message::{Message, Padding, Template, Urgency};
pub use policy::{EndpointPolicy, is_public_address};
pub use provider::Provider;
pub use receiver::{Received, ReceiverKeys};
pub use request::{request, request_into};
pub use resource::{Receipt, delete, receipts};
pub use resource_calls::{AskForReceipts, Withdraw};
pub use service::Service;
pub use subscription::Subscription;
pub use topic::Topic;
