//! APNs, FCM with its OAuth endpoint, a Web Push service, Amazon ADM and Baidu
//! Cloud Push on loopback, over real TLS and HTTP/2: as strict as the services' own
//! texts allow, and scriptable to misbehave.
//!
//! The sandbox is the other side. It shares no table, enum or parser with any
//! client library; it verifies and decrypts with crates of its own, so that
//! agreement means something. `docs/sandbox.md` holds the usage, the control API and
//! the table of rules.
//!
//! [`Sandbox::ready`] says where everything listens and which credentials, tokens and files a client
//! needs; [`Sandbox::log`] holds one [`Record`] for each processed request, so that a test can assert
//! "exactly once"; a [`Fault`] makes the next answers late, wrong or missing. [`Profile`] says how strict it is.
//!
//! ```no_run
//! use pushcore_sandbox::{Config, Sandbox};
//! let sandbox = Sandbox::start(Config::default())?;
//! println!("push to {}", sandbox.ready()["apns"]["authority"]);
//! println!("a good token: {}", sandbox.ready()["apns"]["tokens"]["valid"]);
//! // ... point any client at it, trusting the file ready()["ca_file"], then:
//! for record in sandbox.log() {
//!     println!("{} {}", record.operation, record.status);
//! }
//! # Ok::<(), std::io::Error>(())
//! ```
//!
//! The binary `pushcore-sandbox` prints the same `ready` as one line of JSON and takes faults over HTTP.

#![forbid(unsafe_code)]

mod adm;
mod apns;
mod baidu;
mod clock;
mod config;
mod connections;
mod control;
mod date;
mod door;
mod exchange;
mod fault;
mod fcm;
mod files;
mod http_date;
mod ids;
mod jose;
mod latency;
mod log;
mod random;
mod raw;
mod ready;
mod record;
mod sandbox;
mod serve;
mod shared;
mod state;
mod tls;
mod webpush;
mod workers;

pub use adm::AdmRegistration;
pub use apns::{
    Check, ContentMismatch, Delivery, DeviceToken, Environment, EnvironmentKeyReason, Fate, Gone,
    StoredNotification,
};
pub use config::{Config, Ports};
pub use connections::Connection;
pub use date::DateHeader;
pub use exchange::{Coding, HeaderAudit};
pub use fault::{Action, CloseHow, ConnectFault, Fault, LastStream};
pub use fcm::Registration;
pub use latency::Latency;
pub use record::Record;
pub use sandbox::Sandbox;
pub use shared::Profile;
pub use webpush::{NewSubscription, Provider, Subscription, SubscriptionKeys, SubscriptionState};
