//! HTTP/1.1 (RFC 9112), client side, plaintext: one request at a time on a
//! connection that is kept open. For token endpoints, ADM, Baidu and push
//! services that do not speak HTTP/2.
//!
//! No pipelining, no redirects, no upgrade, no `expect: 100-continue`, no content coding.

mod engine;
mod request;
mod response;

pub(crate) use engine::{Config, Engine};
