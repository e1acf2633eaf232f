//! How a client reaches the network.

use pushcore::Error;
use pushcore::net::Security;
use pushcore::net::tls::TlsConfig;
use pushcore::session::SessionConfig;

use crate::proxy::Proxy;
use crate::resolve::Resolver;

/// How a client reaches the network; everything else is in [`SessionConfig`].
#[derive(Debug, Default)]
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
