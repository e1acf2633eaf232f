//! HTTP/2 (RFC 9113), the client side, without TLS: octets in, octets out.
//!
//! What is peculiar to it: a request goes out only when a stream can be opened at once, so
//! there is no queue in here; and when no answer comes, the failure says whether the server
//! can have seen the request.

mod budget;
mod closing;
mod config;
mod engine;
mod frame;
mod hpack;
mod huffman;
mod known;
mod out;
mod queued;
mod receive;
mod respond;
mod send;
mod settings;
mod stream;

pub use config::{Config, FloodLimits, PingPolicy};
pub use engine::{Engine, HeaderBytes};
pub(crate) use frame::code;
pub(crate) use send::check_path;
