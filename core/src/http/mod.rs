//! HTTP values: what a service room writes and reads, and the connection moves.
//! Nothing here knows a service, a header's meaning, or the wire.
//!
//! A [`Request`] is made to be re-used. What a whole campaign has in common (the
//! authorization, the constant headers, the body) sits behind `Arc`s; what
//! differs for each device (the path, an id) is written into buffers that keep
//! their capacity. A million pushes with one payload fill one `Request` a million
//! times without an allocation, and the connection can encode the common part once.

mod authority;
mod block;
mod body;
mod clock_skew;
mod headers;
mod incoming;
mod request;
mod response;
mod retry_after;

pub use authority::Authority;
pub use block::HeaderBlock;
pub use body::Body;
pub use clock_skew::clock_skew;
pub(crate) use headers::is_name;
pub use headers::{Headers, Indexing};
pub use incoming::Incoming;
pub use request::{Method, Request};
pub use response::Response;
pub use retry_after::retry_after;
