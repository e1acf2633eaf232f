//! Names to addresses.

use std::fmt;
use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;

/// A lookup under way.
pub(crate) type Lookup = Pin<Box<dyn Future<Output = io::Result<Vec<SocketAddr>>> + Send>>;

type Resolve = dyn Fn(&str, u16) -> Lookup + Send + Sync;

/// How host names become addresses. The default asks the system, on tokio's threads for blocking calls.
///
/// The resolver is asked anew for each connection. Connections to one name share a lookup, and there are at most 64 lookups
/// at a time. A connection waits for its lookup no longer than
/// [`connect_timeout`](pushcore::session::SessionConfig::connect_timeout); a lookup of the system's then goes on without it.
#[derive(Clone)]
pub struct Resolver {
    resolve: Arc<Resolve>,
    system: bool,
}

impl Resolver {
    /// Returns a resolver of the caller's own: host and port in; addresses out, the preferred one first. The lookup is dropped
    /// when no connection waits for it any more.
    pub fn new<F>(resolve: impl Fn(String, u16) -> F + Send + Sync + 'static) -> Self
    where
        F: Future<Output = io::Result<Vec<SocketAddr>>> + Send + 'static,
    {
        Self {
            resolve: Arc::new(move |host, port| Box::pin(resolve(host.to_owned(), port))),
            system: false,
        }
    }

    /// Returns the system's resolver.
    pub fn system() -> Self {
        Self {
            system: true,
            ..Self::new(
                |host, port| async move { Ok(tokio::net::lookup_host((host, port)).await?.collect()) },
            )
        }
    }

    pub(crate) fn is_system(&self) -> bool {
        self.system
    }

    pub(crate) fn start(&self, host: &str, port: u16) -> Lookup {
        (self.resolve)(host, port)
    }
}

impl Default for Resolver {
    fn default() -> Self {
        Self::system()
    }
}

impl fmt::Debug for Resolver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Resolver").finish_non_exhaustive()
    }
}
