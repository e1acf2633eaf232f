//! Connections: TLS, HTTP/2 and HTTP/1.1 as state machines. Bytes in, bytes out,
//! timers, events; no socket, no clock, no thread.

mod config;
mod connection;
mod event;
mod h1;
mod id_table;
mod protocol;
#[cfg(test)]
mod work;

pub mod h2;
pub mod tls;

pub use config::{ConnectionConfig, HttpVersion, Protocols, Security};
pub use connection::Connection;
pub(crate) use id_table::IdTable;

pub use event::{CloseReason, Event, GoAway, Processed, RequestId, SendError};
