//! How a client reaches the network.

use std::time::Duration;

use pushcore::Error;
use pushcore::net::Security;
use pushcore::net::tls::TlsConfig;
use pushcore::session::SessionConfig;

use crate::proxy::Proxy;
use crate::resolve::Resolver;

/// How a client reaches the network; everything else is in [`SessionConfig`].
#[derive(Debug)]
#[non_exhaustive]
pub struct ClientConfig {
    /// How the session behaves.
    pub session: SessionConfig,
    /// A proxy for every connection of this client.
    pub proxy: Option<Proxy>,
    /// How names become addresses. With a proxy it is asked for the proxy's name only.
    pub resolver: Resolver,
    /// TLS; `None` is TLS with the bundled roots.
    pub security: Option<Security>,
    /// How long answers to a bulk send may gather at most before they are fetched; default 1 ms, zero is
    /// off. Only while at least 256 pushes are in flight and few answers come at a time, and never while
    /// a single [`send`](crate::Client::send) waits: it saves most of the wake-ups, and with them most of
    /// the processor time, when a service answers more slowly than the client could send.
    pub gather: Duration,
}

impl Default for ClientConfig {
    fn default() -> Self {
        Self {
            session: SessionConfig::default(),
            proxy: None,
            resolver: Resolver::default(),
            security: None,
            gather: Duration::from_millis(1),
        }
    }
}

impl ClientConfig {
    /// The defaults: no proxy, TLS with the bundled roots.
    pub fn new() -> Self {
        Self::default()
    }

    pub(crate) fn take_security(&mut self) -> Result<Security, Error> {
        match self.security.take() {
            Some(security) => Ok(security),
            None => Ok(Security::Tls(TlsConfig::new()?)),
        }
    }
}
