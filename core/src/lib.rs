//! `pushcore` speaks every push service correctly: APNs, FCM HTTP v1, Web Push
//! (both directions), Amazon ADM and Baidu Cloud Push.
//!
//! It is sans-IO: it opens no socket, starts no thread, reads no clock, needs no
//! async runtime. Bytes, time and randomness of the system's generator go in;
//! bytes, timers and outcomes come out. `pushcore-client` is the driver that
//! owns the sockets.
//!
//! # Three levels
//!
//! | | you bring | you get |
//! |---|---|---|
//! | **L1**, a room such as [`apns`] | an HTTP client | `request(message, credentials, ..)` and `outcome(response, ..)` |
//! | **L2**, [`net::Connection`] | a socket and a clock | TLS and HTTP/2 (or HTTP/1.1) as a state machine |
//! | **L3**, [`session::Session`] | sockets and a clock | queue, tokens, connections, accounting |
//!
//! The rooms are [`apns`], [`fcm`], [`webpush`], [`adm`] and [`baidu`]. Each has `Credentials`, `Message`, `request` and `outcome`.
//!
//! Above them, [`notification`] has one notification for devices of every service, what a result says about the device, and when to send again.
//!
//! ## L1: messages
//!
//! Pure functions. A message that the service would refuse is refused by `build`, before anything is sent.
//!
//! ```
//! use std::time::Duration;
//! use pushcore::adm::{self, Message, RegistrationId};
//! use pushcore::http::Response;
//! use pushcore::{Now, Outcome, UnixTime};
//!
//! # fn main() -> Result<(), pushcore::Error> {
//! let now = Now::new(Duration::ZERO, UnixTime::from_secs(1_700_000_000));
//! let message = Message::builder().data("score", "3:1").build(RegistrationId::new("amzn1.adm-registration.v3.abc")?)?;
//! let another = message.to(RegistrationId::new("amzn1.adm-registration.v3.def")?);
//! assert_eq!(another.body(), message.body());
//!
//! // Whatever answered, and however: reading it cannot fail.
//! let response = Response::new(400, r#"{"reason":"Unregistered"}"#);
//! let Outcome::TokenGone(gone) = adm::outcome(&response, message.target(), now) else { unreachable!() };
//! assert_eq!(gone.since, None);
//! # Ok(())
//! # }
//! ```
//!
//! ## L2: a connection
//!
//! Two byte pipes, one to the peer and one from it, and requests and events on the other side.
//!
//! ```text
//!          requests        events
//!             |  send        ^  poll_event
//!       +-----v--------------+-----+
//!       |   HTTP/2  or  HTTP/1.1   |
//!       |            TLS           |
//!       +-----+--------------^-----+
//!    transmit |              | receive
//!             v              |
//!             socket of the owner
//! ```
//!
//! The run loop: write what [`transmit`](net::Connection::transmit) shows and say how much was taken; drain
//! [`poll_event`](net::Connection::poll_event); send what [`capacity`](net::Connection::capacity) allows; wait for the socket or until
//! [`poll_timeout`](net::Connection::poll_timeout); call [`receive`](net::Connection::receive), `receive_eof` or `handle_timeout`. None of these three
//! fails: failure is an event.
//!
//! ```
//! use std::sync::Arc;
//! use std::time::Duration;
//! use pushcore::http::Authority;
//! # #[cfg(feature = "net")]
//! use pushcore::net::{Connection, ConnectionConfig, Security};
//! use pushcore::{Now, UnixTime};
//!
//! # #[cfg(not(feature = "net"))] fn main() {}
//! # #[cfg(feature = "net")]
//! # fn main() -> Result<(), pushcore::Error> {
//! let config = Arc::new(ConnectionConfig::new(Security::Cleartext));
//! let mut now = Now::new(Duration::ZERO, UnixTime::from_secs(1_700_000_000));
//! let mut connection = Connection::new(&config, &Authority::parse("localhost:8443")?, now)?;
//! assert!(connection.transmit().starts_with(b"PRI * HTTP/2.0"));
//! let written = connection.transmit().len();
//! connection.transmitted(written);
//! assert_eq!(connection.capacity(), 0); // nothing is sent before the server's SETTINGS
//! now = now.after(Duration::from_secs(60));
//! connection.handle_timeout(now); // ... which never came
//! assert!(connection.is_closed());
//! # Ok(())
//! # }
//! ```
//!
//! ## L3: a session
//!
//! Messages in, outcomes out; [`session`] draws its run loop. The owner of the sockets does what [`poll_action`](session::Session::poll_action) says.
//!
//! ```
//! use std::time::Duration;
//! use pushcore::adm::{Credentials, Message, RegistrationId};
//! use pushcore::http::Authority;
//! # #[cfg(feature = "net")]
//! use pushcore::net::Security;
//! # #[cfg(feature = "net")]
//! use pushcore::session::{Action, SendOptions, Session, SessionConfig};
//! use pushcore::{Error, ErrorKind, Now, UnixTime};
//!
//! # #[cfg(not(feature = "net"))] fn main() {}
//! # #[cfg(feature = "net")]
//! # fn main() -> Result<(), Error> {
//! let now = Now::new(Duration::ZERO, UnixTime::from_secs(1_700_000_000));
//! let credentials = Credentials::new("amzn1.application-oa2-client.1", "client-secret")?
//!     .with_token_authority(Authority::parse("localhost:8443")?);
//! let mut session = Session::new(pushcore::adm::Service::new(credentials, Authority::parse("localhost:8443")?), Security::Cleartext, SessionConfig::default(), now)?;
//! let message = Message::builder().data("score", "3:1").build(RegistrationId::new("amzn1.adm-registration.v3.abc")?)?;
//! let ticket = session.submit(&message, SendOptions::default(), now)?;
//! session.flush(now); // once, after as many calls of `submit` as there are messages
//!
//! let Some(Action::Connect { .. }) = session.poll_action() else { unreachable!() };
//! assert!(session.cancel(ticket, now));
//! let (ended, result) = session.poll_outcome().expect("it has ended");
//! assert_eq!((ended, result.unwrap_err().kind()), (ticket, ErrorKind::Cancelled));
//! assert!(session.stats().is_balanced());
//! # Ok(())
//! # }
//! ```
//!
//! # What an answer means
//!
//! A service's "no" is an [`Outcome`], not an error.
//!
//! | outcome | meaning | what to do |
//! |---|---|---|
//! | [`Accepted`](Outcome::Accepted) | the service took it; nobody says that it was shown | store `replacement` if there is one |
//! | [`TokenGone`](Outcome::TokenGone) | this token or subscription is dead, whatever is sent to it | delete it, unless registered again after `since` |
//! | [`TokenMismatch`](Outcome::TokenMismatch) | the token is blamed, but a wrong environment, topic, sender, key or payload could explain it | keep the token, check the `suspects` |
//! | [`RetryLater`](Outcome::RetryLater) | not now; `scope` says what waits | wait `after` |
//! | [`FixCredentials`](Outcome::FixCredentials) | the key, certificate or project is at fault | fix it, keep the token |
//! | [`Rejected`](Outcome::Rejected) | this message can never be accepted | fix the message |
//!
//! An [`Error`] means that there is no answer, and its [`ErrorKind`] says why: below 300 the input was refused before anything was sent; `NotSent` was
//! certainly never processed; `Unknown` was written and may have been.
//!
//! # Other push systems' clients
//!
//! [`dialect`] answers the requests of other push systems (Amazon Pinpoint among them) as those systems answer, and sends native pushes.
//!
//! # Features
//!
//! * `net` (on): L2 and L3, that is [`net`] and [`session`], with rustls, httparse and the bundled roots. Without it the crate is L1:
//!   for apps and servers with an HTTP client of their own.
//! * `certificate` (on): client certificates for APNs, `apns::ClientCertificate`.
//! * `aesgcm` (off): sending Web Push payloads in the legacy encoding, `webpush::Encoding::AesGcm`. Receiving them needs no feature.
//! * `pkcs12` (off): client certificates from PKCS#12 files, `net::tls::ClientIdentity::from_pkcs12`. PEM needs no feature.

#![forbid(unsafe_code)]
// Services grow; an enum that does not says why.
#![deny(clippy::exhaustive_enums)]
// Without `net` nobody asks what a session asks of a service.
#![cfg_attr(not(feature = "net"), allow(dead_code, unused_imports))]

mod backend;
mod json;
mod percent;
mod printable;

pub mod adm;
pub mod apns;
pub mod baidu;
pub mod crypto;
pub mod dialect;
pub mod error;
pub mod fcm;
pub mod http;
#[cfg(feature = "net")]
pub mod net;
pub mod notification;
pub mod oauth;
pub mod outcome;
pub mod secret;
pub mod service;
#[cfg(feature = "net")]
pub mod session;
pub mod time;
pub mod webpush;

pub use error::{Error, ErrorKind};
pub use outcome::Outcome;
pub use secret::Secret;
pub use time::{Now, UnixTime};
