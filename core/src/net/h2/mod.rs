//! HTTP/2 (RFC 9113), the client side, without TLS: octets in, octets out.
//!
//! Two things are peculiar to it: a request goes out only when a stream can be opened at once, so
//! there is no queue in here; and when no answer comes, the failure says whether the server
//! can have seen the request.
//!
//! ```text
//!                Engine: getters, inputs, commands, outputs; endings
//!      Send (windows, waiting bodies)      Recv (responses, our windows)
//!      Streams        Events      Exchange   Lifecycle   KeepAlive   Flood
//!      WriteBuffer    FrameReader, BlockReader      hpack
//! ```

mod block_reader;
mod budget;
mod config;
mod engine;
pub(crate) mod error_code;
mod event;
mod fault;
mod flood;
mod frame;
mod frame_reader;
mod header_bytes;
mod header_list;
mod hpack;
mod huffman;
mod incoming;
mod keep_alive;
mod lifecycle;
mod recv;
mod repeated;
mod send;
mod settings;
mod stream;
mod streams;
mod write_buffer;

#[cfg(test)]
mod tests;

pub use config::{Config, PingPolicy};
pub(crate) use engine::Engine;
pub use header_bytes::HeaderBytes;
pub(crate) use send::check_path;
