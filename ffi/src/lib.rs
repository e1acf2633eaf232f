//! The C ABI of `pushcore`. It converts and calls: no header name, no JSON key, no default is
//! decided here.
//!
//! The rules of the ABI stand at the top of `include/pushcore.h`. Every entry point runs inside
//! [`guard`], which turns an error into a status and a panic into `PUSHCORE_PANIC`.

mod apns;
mod error;
mod guard;
mod request;
mod view;

pub use apns::*;
pub use error::*;
pub use guard::Status;
pub use request::*;
pub use view::{CNow, View};

/// The version of the library, e.g. "0.1.0".
#[unsafe(no_mangle)]
pub extern "C" fn pushcore_version() -> View {
    View::of(env!("CARGO_PKG_VERSION").as_bytes())
}

/// The version of the ABI that the library was built with; compare it with PUSHCORE_ABI_VERSION.
#[unsafe(no_mangle)]
pub extern "C" fn pushcore_abi_version() -> u32 {
    1
}
