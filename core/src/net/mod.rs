//! Connections: TLS, HTTP/2 and HTTP/1.1 as state machines. Bytes in, bytes out,
//! timers, events; no socket, no clock, no thread.

mod event;

pub mod h2;

pub use event::{CloseReason, Event, GoAway, Processed, RequestId, SendError};
