//! `pushcore` speaks every push service correctly: APNs, FCM HTTP v1, Web Push
//! (both directions), Amazon ADM and Baidu Cloud Push.
//!
//! It is sans-IO: it opens no socket, starts no thread, reads no clock, needs no
//! async runtime. Bytes, time and randomness of the system's generator go in;
//! bytes, timers and outcomes come out. `pushcore-client` is the driver that
//! owns the sockets.

#![forbid(unsafe_code)]

mod json;
mod percent;

pub mod adm;
pub mod apns;
pub mod baidu;
pub mod crypto;
pub mod error;
pub mod fcm;
pub mod http;
pub mod net;
pub mod oauth;
pub mod outcome;
pub mod secret;
pub mod session;
pub mod time;
pub mod webpush;

pub use error::{Error, ErrorKind};
pub use outcome::Outcome;
pub use secret::Secret;
pub use time::{Now, UnixTime};
