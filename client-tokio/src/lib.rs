//! The driver of [`pushcore`] for tokio: one task moves the bytes of a session, and every call is awaited.
//!
//! ```no_run
//! use pushcore::Outcome;
//! use pushcore::apns::{self, Alert, Aps, DeviceToken, KeyId, Payload, PushType, TeamId, Topic};
//! use pushcore::crypto::Es256Key;
//! use pushcore_tokio::{Client, ClientConfig};
//!
//! # async fn send() -> Result<(), Box<dyn std::error::Error>> {
//! let key = Es256Key::read(&std::fs::read("AuthKey_ABC123DEFG.p8")?)?;
//! let credentials = apns::Credentials::token(KeyId::parse("ABC123DEFG")?, TeamId::parse("DEF123GHIJ")?, key);
//! let service = apns::Service::new(credentials, apns::Environment::Production.hosts());
//! let client = Client::new(service, ClientConfig::new())?;
//!
//! let message = apns::Message::builder(PushType::Alert)
//!     .topic(Topic::parse("com.example.app")?)
//!     .payload(Payload::new(Aps::new().alert(Alert::new().title("Hello").body("world"))))
//!     .device(DeviceToken::parse("00fc13adff785122b4ad28809a3420982341241421348097878e577c991de8f0")?)
//!     .build()?;
//! match client.send(&message).await? {
//!     Outcome::Accepted(accepted) => println!("taken as {:?}", accepted.id),
//!     Outcome::TokenGone(_) => println!("delete the token"),
//!     other => println!("{}", other.advice()),
//! }
//! client.close().await;
//! # Ok(())
//! # }
//! ```
//!
//! [`Client::send_many`] takes an iterator and [`Client::send_stream`] a stream; both yield each message with its end. The blocking
//! client of the same words is `pushcore-client`.
//!
//! [`hub::Hub`] sends one notification to devices of several services.
//!
//! # The runtime
//!
//! The runtime needs its I/O and its timers (`enable_all`). Both flavours will do; the driver is one task, so that a client uses one
//! worker at a time, and gives way to other tasks every five milliseconds.
//!
//! # Features
//!
//! * `pkcs12` (on): client certificates from PKCS#12 files.
//! * `log`, `tracing` (off): what happens in a session goes to the program's log, with the target `pushcore` and a level by
//!   [`SessionEvent::level`](pushcore::session::SessionEvent::level). [`Client::poll_event`] yields the same events.

#![forbid(unsafe_code)]

mod client;
mod config;
mod dial;
mod driver;
pub mod hub;
mod link;
mod lookups;
mod ready;
mod resolve;
mod room;
mod send_many;
mod sending;
mod shared;
mod sync;

pub use client::Client;
pub use config::ClientConfig;
pub use pushcore_client::{Progress, Proxy};
pub use resolve::Resolver;
pub use send_many::{Iter, SendMany};
pub use sending::Sending;
