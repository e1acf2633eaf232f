//! The driver of [`pushcore`]: owns the sockets, the clock and the poll loop. Blocking, without
//! threads of its own but those, at most 64 and short-lived, that look names up; [`Resolver::blocking`] does without.
//!
//! A [`Client`] speaks to one service with one credential, over as many connections as the load asks for. Share it between threads.
//!
//! ```no_run
//! use pushcore::Outcome;
//! use pushcore::apns::{self, Alert, Aps, DeviceToken, KeyId, Payload, PushType, TeamId, Topic};
//! use pushcore::crypto::Es256Key;
//! use pushcore_client::{Client, ClientConfig};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let key = Es256Key::read(&std::fs::read("AuthKey_ABC123DEFG.p8")?)?;
//! let credentials = apns::Credentials::token(KeyId::parse("ABC123DEFG")?, TeamId::parse("DEF123GHIJ")?, key);
//! let client = Client::new(pushcore::apns::Service::new(credentials, apns::Environment::Production.hosts()), ClientConfig::new())?;
//!
//! let message = apns::Message::builder(PushType::Alert)
//!     .topic(Topic::parse("com.example.app")?)
//!     .payload(Payload::new(Aps::new().alert(Alert::new().title("Hello").body("world"))))
//!     .device(DeviceToken::parse("00fc13adff785122b4ad28809a3420982341241421348097878e577c991de8f0")?)
//!     .build()?;
//! match client.send(&message)? {
//!     Outcome::Accepted(accepted) => println!("taken as {:?}", accepted.id),
//!     Outcome::TokenGone(_) => println!("delete the token"),
//!     other => println!("{}", other.advice()),
//! }
//!
//! // The same to many: lazily, with bounded memory. The payload is encoded once.
//! let tokens = std::fs::read_to_string("tokens.txt")?;
//! let messages = tokens.lines().filter_map(|line| Some(message.to(DeviceToken::parse(line).ok()?)));
//! for (message, result) in client.send_many(messages) {
//!     match result {
//!         Ok(outcome) if outcome.is_accepted() => {}
//!         Ok(outcome) => println!("{message:?}: {}", outcome.advice()),
//!         Err(error) => println!("no answer: {error}"), // NotSent, Unknown, Expired, Cancelled ...
//!     }
//! }
//! client.close()?;
//! # Ok(())
//! # }
//! ```
//!
//! [`hub::Hub`] sends one notification to devices of several services.
//!
//! [`Batch`] is `send_many` with the loop turned inside out, [`Proxy`] reads `HTTPS_PROXY` and its like, and `Client::exchange` sends a request that is not a push.
//! In an event loop of your own, use [`pushcore::session::Session`] directly.
//!
//! # Features
//!
//! * `pkcs12` (on): client certificates from PKCS#12 files.
//! * `log`, `tracing` (off): what happens in a session goes to the program's log, with the target `pushcore` and a level by
//!   [`SessionEvent::level`](pushcore::session::SessionEvent::level). [`Client::poll_event`] yields the same events.

#![forbid(unsafe_code)]

mod batch;
mod client;
mod clock;
mod config;
mod dial;
mod driver;
mod exchange;
mod gather;
pub mod hub;
mod lookups;
mod patience;
mod progress;
mod proxy;
mod resolve;
mod send_many;
mod shared;
mod socket;
mod watch;

/// What dialling knows beside sockets, for drivers on another event loop. No part of the stable interface.
#[doc(hidden)]
pub mod dialling {
    pub use crate::dial::{HEAD_START, in_turn, keep_alive, refused, unresolved};
}

pub use batch::{Batch, Canceller};
pub use client::Client;
pub use clock::now;
pub use config::ClientConfig;
pub use exchange::Exchange;
pub use patience::Patience;
pub use progress::Progress;
pub use proxy::{Handshake, Proxy};
pub use resolve::Resolver;
pub use send_many::SendMany;
pub use shared::stopped;
#[doc(hidden)]
pub use watch::{WATCHED, report};
