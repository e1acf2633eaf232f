//! How a client reaches the network.

use pushcore::Error;
use pushcore::net::Security;
use pushcore::net::tls::TlsConfig;
use pushcore::session::SessionConfig;
use pushcore_client::Proxy;

use crate::resolve::Resolver;

/// How a client reaches the network; everything else is in [`SessionConfig`].
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct ClientConfig {
    /// How the session behaves.
    pub session: SessionConfig,
    /// A proxy for every connection of the client; `None` connects directly.
    pub proxy: Option<Proxy>,
    /// How names become addresses. With a proxy the resolver is asked for the proxy's name only.
    pub resolver: Resolver,
    /// TLS; `None` is TLS with the bundled roots.
    pub security: Option<Security>,
}

impl ClientConfig {
    /// Returns the defaults: no proxy, TLS with the bundled roots.
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
