//! The driver of [`pushcore`]: owns the sockets, the clock and the poll loop. Blocking, without
//! threads of its own.

#![forbid(unsafe_code)]

mod batch;
mod client;
mod clock;
mod config;
mod dial;
mod driver;
mod exchange;
mod progress;
mod proxy;
mod resolve;
mod send_many;
mod services;
mod socket;

pub use batch::Batch;
pub use client::Client;
pub use config::ClientConfig;
pub use progress::Progress;
pub use proxy::{Handshake, Proxy};
pub use resolve::Resolver;
pub use send_many::SendMany;
