//! Names to addresses.

use std::fmt;
use std::io;
use std::net::{SocketAddr, ToSocketAddrs};
use std::sync::Arc;

type Lookup = dyn Fn(&str, u16) -> io::Result<Vec<SocketAddr>> + Send + Sync;

/// How host names become addresses. The default asks the system (`getaddrinfo`).
///
/// It is asked anew for each connection, in a thread that ends with the lookup, so that a name server that is
/// silent holds up nothing but its own host. A client has at most 64 of them at a time, one for each name;
/// further names wait. They are the only threads that a client starts. A lookup that outlives
/// [`connect_timeout`](pushcore::session::SessionConfig::connect_timeout) is left to itself.
/// [`Resolver::blocking`] does without threads.
#[derive(Clone)]
pub struct Resolver {
    lookup: Arc<Lookup>,
    on_threads: bool,
    system: bool,
}

impl Resolver {
    /// A resolver of one's own: host and port in; addresses out, the preferred one first.
    pub fn new(lookup: impl Fn(&str, u16) -> io::Result<Vec<SocketAddr>> + Send + Sync + 'static) -> Self {
        Self {
            lookup: Arc::new(lookup),
            on_threads: true,
            system: false,
        }
    }

    /// The system's.
    pub fn system() -> Self {
        Self {
            system: true,
            ..Self::new(|host, port| Ok((host, port).to_socket_addrs()?.collect()))
        }
    }

    /// Asks in the thread that drives the client: it starts no thread then, and nothing of it moves while a
    /// lookup lasts, deadlines and signals included. For a resolver that never waits, or a process that must not have threads.
    #[must_use]
    pub fn blocking(mut self) -> Self {
        self.on_threads = false;
        self
    }

    /// Asks in threads, as is the default: takes [`Resolver::blocking`] back.
    #[must_use]
    pub fn on_threads(mut self) -> Self {
        self.on_threads = true;
        self
    }

    pub(crate) fn is_system(&self) -> bool {
        self.system
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
