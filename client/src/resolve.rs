//! Names to addresses.

use std::fmt;
use std::io;
use std::net::{SocketAddr, ToSocketAddrs};
use std::sync::Arc;

type Lookup = dyn Fn(&str, u16) -> io::Result<Vec<SocketAddr>> + Send + Sync;

/// How host names become addresses. The default asks the system (`getaddrinfo`).
///
/// It is asked anew for each connection, in the thread that drives the client: while it blocks,
/// nothing else of that client moves. [`Resolver::on_threads`] is the way out.
#[derive(Clone)]
pub struct Resolver {
    lookup: Arc<Lookup>,
    on_threads: bool,
}

impl Resolver {
    /// A resolver of one's own: host and port in; addresses out, the preferred one first.
    pub fn new(lookup: impl Fn(&str, u16) -> io::Result<Vec<SocketAddr>> + Send + Sync + 'static) -> Self {
        Self {
            lookup: Arc::new(lookup),
            on_threads: false,
        }
    }

    /// The system's.
    pub fn system() -> Self {
        Self::new(|host, port| Ok((host, port).to_socket_addrs()?.collect()))
    }

    /// Asks in a thread of its own for each connection that is made to a name, so that all else goes on
    /// meanwhile: the only threads that a client ever starts, one at most for each connection that is
    /// being made. A lookup that outlives
    /// [`connect_timeout`](pushcore::session::SessionConfig::connect_timeout) is left to itself.
    #[must_use]
    pub fn on_threads(mut self) -> Self {
        self.on_threads = true;
        self
    }

    pub(crate) fn is_on_threads(&self) -> bool {
        self.on_threads
    }

    pub(crate) fn lookup(&self, host: &str, port: u16) -> io::Result<Vec<SocketAddr>> {
        (self.lookup)(host, port)
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
