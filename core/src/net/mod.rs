//! Connections: TLS, HTTP/2 and HTTP/1.1 as state machines. Bytes in, bytes out,
//! timers, events; no socket, no clock, no thread.

mod event;

mod h1;

pub mod h2;
pub mod tls;

pub use event::{CloseReason, Event, GoAway, Processed, RequestId, SendError};
