//! TLS for connections. Nothing outside this folder imports `rustls`.
//!
//! A [`TlsConfig`] is built once and shared by every connection with the same
//! trust anchors and client certificate: it holds the session tickets, so the
//! second connection to a host resumes the first one's session.

mod clock;
mod config;
mod failure;
mod identity;
mod stream;

#[cfg(feature = "pkcs12")]
mod pkcs12;

pub use config::{TlsConfig, TlsConfigBuilder};
pub use identity::ClientIdentity;
pub(crate) use stream::{Flow, TlsStream};
