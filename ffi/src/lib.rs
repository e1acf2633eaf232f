//! The C ABI of `pushcore`. It converts and calls: no header name, no JSON key, no default is
//! decided here.
//!
//! The rules of the ABI stand at the top of `include/pushcore.h` (their source is `cbindgen.toml`), and are the safety contract of every
//! exported function. Every entry point is one `entry!` or `value!` of the module `guard`, which turns an error into a status and a panic
//! into `PUSHCORE_PANIC`. Values live behind the handles of the module `handle`.

// The receiver's build uses a part of what all builds share.
#![cfg_attr(not(feature = "l1"), allow(dead_code))]

#[cfg(feature = "l1")]
mod adm;
#[cfg(feature = "l1")]
mod apns;
#[cfg(feature = "l1")]
mod baidu;
#[cfg(feature = "net")]
mod batch;
mod bytes;
#[cfg(feature = "l1")]
mod call;
#[cfg(feature = "net")]
mod client;
#[cfg(feature = "net")]
mod connection;
#[cfg(feature = "dialects")]
mod dialect;
mod error;
#[cfg(feature = "net")]
mod event;
#[cfg(feature = "l1")]
mod fcm;
mod guard;
mod handle;
#[cfg(feature = "l1")]
mod http;
#[cfg(feature = "net")]
mod http2;
#[cfg(feature = "net")]
mod hub;
#[cfg(feature = "net")]
mod hub_batch;
#[cfg(feature = "l1")]
mod keys;
#[cfg(feature = "l1")]
mod kinds;
#[cfg(feature = "l1")]
mod message;
#[cfg(feature = "net")]
mod metrics;
#[cfg(feature = "net")]
mod network;
#[cfg(feature = "l1")]
mod notification;
#[cfg(feature = "net")]
mod offers;
#[cfg(feature = "l1")]
mod outcome;
#[cfg(feature = "l1")]
mod policy;
mod receiver;
#[cfg(feature = "net")]
mod result;
#[cfg(feature = "l1")]
mod service;
#[cfg(feature = "net")]
mod session;
mod view;
#[cfg(feature = "l1")]
mod web_push;

#[cfg(feature = "l1")]
pub use adm::*;
#[cfg(feature = "l1")]
pub use apns::*;
#[cfg(feature = "l1")]
pub use baidu::*;
#[cfg(feature = "net")]
pub use batch::*;
pub use bytes::*;
#[cfg(feature = "l1")]
pub use call::*;
#[cfg(feature = "net")]
pub use client::*;
#[cfg(feature = "net")]
pub use connection::*;
#[cfg(feature = "dialects")]
pub use dialect::*;
pub use error::*;
#[cfg(feature = "net")]
pub use event::*;
#[cfg(feature = "l1")]
pub use fcm::*;
pub use guard::Status;
#[cfg(feature = "l1")]
pub use http::*;
#[cfg(feature = "net")]
pub use http2::*;
#[cfg(feature = "net")]
pub use hub::*;
#[cfg(feature = "net")]
pub use hub_batch::*;
#[cfg(feature = "l1")]
pub use keys::*;
#[cfg(feature = "l1")]
pub use kinds::*;
#[cfg(feature = "l1")]
pub use message::*;
#[cfg(feature = "net")]
pub use metrics::*;
#[cfg(feature = "net")]
pub use network::*;
#[cfg(feature = "l1")]
pub use notification::*;
#[cfg(feature = "l1")]
pub use outcome::*;
#[cfg(feature = "l1")]
pub use policy::*;
pub use receiver::*;
#[cfg(feature = "net")]
pub use result::*;
#[cfg(feature = "l1")]
pub use service::*;
#[cfg(feature = "net")]
pub use session::*;
pub use view::{CNow, Pair, View};
#[cfg(feature = "l1")]
pub use web_push::*;

/// The version of the library, e.g. "0.1.0". The text is static.
#[unsafe(no_mangle)]
pub extern "C" fn pushcore_version() -> View {
    View::of(env!("CARGO_PKG_VERSION").as_bytes())
}

/// The version of the ABI that the library was built with; compare it with PUSHCORE_ABI_VERSION.
#[unsafe(no_mangle)]
pub extern "C" fn pushcore_abi_version() -> u32 {
    ABI_VERSION
}

/// Raised when something that existed changes; additions do not raise it.
const ABI_VERSION: u32 = 1;

/// Returns the number of handles that have been given out and not freed: 0 at the end of a program that frees everything. Tools that look
/// for leaks do not see a handle that was forgotten, because the library still knows it.
#[unsafe(no_mangle)]
pub extern "C" fn pushcore_live_handles() -> usize {
    handle::live()
}
