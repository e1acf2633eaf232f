//! What an owner can choose about a connection.

use std::sync::Arc;
use std::time::Duration;

use super::h2;
use super::tls::TlsConfig;

/// How a connection is protected.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Security {
    /// TLS 1.2 or 1.3, with the server's certificate verified.
    Tls(Arc<TlsConfig>),
    /// Nothing: for tests and for a proxy on the same machine that adds TLS. HTTP/2
    /// "with prior knowledge" (RFC 9113 §3.3), or HTTP/1.1 with [`Protocols::Http1Only`].
    Cleartext,
}

/// Which versions of HTTP may be spoken. With TLS the server chooses among them (ALPN, RFC 7301).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum Protocols {
    /// HTTP/2 or nothing: APNs.
    Http2Only,
    /// HTTP/2 where the server has it, else HTTP/1.1.
    #[default]
    Http2OrHttp1,
    /// HTTP/1.1.
    Http1Only,
}

impl Protocols {
    /// The names to offer in ALPN, the preferred one first.
    pub(super) fn alpn(self) -> &'static [&'static [u8]] {
        match self {
            Protocols::Http2Only => &[b"h2"],
            Protocols::Http2OrHttp1 => &[b"h2", b"http/1.1"],
            Protocols::Http1Only => &[b"http/1.1"],
        }
    }
}

/// The version of HTTP that a connection speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum HttpVersion {
    /// HTTP/1.1 (RFC 9112).
    Http1,
    /// HTTP/2 (RFC 9113).
    Http2,
}

/// The choices of a [`Connection`](super::Connection). Made once, shared by many.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ConnectionConfig {
    /// How it is protected.
    pub security: Security,
    /// The versions of HTTP that may be spoken.
    pub protocols: Protocols,
    /// How long TLS and, on HTTP/2, the server's SETTINGS may take together, counted from
    /// [`Connection::new`](super::Connection::new). 10 s by default.
    pub handshake_timeout: Duration,
    /// The longest response body that is kept, in bytes; the rest is dropped and the response
    /// marked as truncated. 64 KiB by default, ample for an error; token endpoints
    /// want 1 MiB. Takes the place of [`h2::Config::max_response_body`].
    pub body_limit: usize,
    /// The choices that are peculiar to HTTP/2.
    pub http2: h2::Config,
}

impl ConnectionConfig {
    /// The defaults, with this protection.
    pub fn new(security: Security) -> Self {
        Self {
            security,
            protocols: Protocols::default(),
            handshake_timeout: Duration::from_secs(10),
            body_limit: 64 * 1024,
            http2: h2::Config::default(),
        }
    }
}
