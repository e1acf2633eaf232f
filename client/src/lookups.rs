//! Name lookups that do not hold up the client: each in a thread of its own.

use std::collections::{HashMap, VecDeque};
use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};

use pushcore::Error;
use pushcore::http::Authority;
use pushcore::session::LinkId;

use crate::dial;
use crate::resolve::Resolver;

pub(crate) type Addresses = Result<VecDeque<SocketAddr>, Error>;

/// The lookups under way.
pub(crate) struct Lookups {
    resolver: Resolver,
    waker: Arc<mio::Waker>,
    /// The links that wait for a lookup, and where they want to go.
    waiting: HashMap<LinkId, Authority>,
    sender: Sender<(LinkId, Addresses)>,
    receiver: Receiver<(LinkId, Addresses)>,
}

impl Lookups {
    /// `waker` ends the wait for sockets when one is done.
    pub(crate) fn new(resolver: Resolver, waker: Arc<mio::Waker>) -> Self {
        let (sender, receiver) = channel();
        Self {
            resolver,
            waker,
            waiting: HashMap::new(),
            sender,
            receiver,
        }
    }

    /// Whether asking for this host blocks.
    pub(crate) fn blocks(&self, target: &Authority) -> bool {
        !self.resolver.is_on_threads() && target.host().parse::<IpAddr>().is_err()
    }

    /// The addresses of `target`, through which `link` gets to `authority`; `None` when they will come from
    /// [`Lookups::finished`].
    pub(crate) fn start(
        &mut self,
        link: LinkId,
        authority: &Authority,
        target: &Authority,
    ) -> Option<Addresses> {
        let literal = target.host().parse::<IpAddr>().is_ok();
        if literal || !self.resolver.is_on_threads() {
            return Some(dial::resolve(&self.resolver, target));
        }
        let (resolver, asked) = (self.resolver.clone(), target.clone());
        let (sender, waker) = (self.sender.clone(), Arc::clone(&self.waker));
        let thread = std::thread::Builder::new().name("pushcore lookup".into());
        let started = thread.spawn(move || {
            // Nobody is there to hear it when the client is gone.
            if sender.send((link, dial::resolve(&resolver, &asked))).is_ok() {
                let _ = waker.wake();
            }
        });
        if started.is_err() {
            // No thread to be had: slowly, then.
            return Some(dial::resolve(&self.resolver, target));
        }
        self.waiting.insert(link, authority.clone());
        None
    }

    /// The next lookup that has come to its end, for somebody who still waits for it.
    pub(crate) fn finished(&mut self) -> Option<(LinkId, Authority, Addresses)> {
        while let Ok((link, addresses)) = self.receiver.try_recv() {
            if let Some(authority) = self.waiting.remove(&link) {
                return Some((link, authority, addresses));
            }
        }
        None
    }

    /// Nobody waits for it any more.
    pub(crate) fn forget(&mut self, link: LinkId) {
        self.waiting.remove(&link);
    }
}

impl fmt::Debug for Lookups {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Lookups")
            .field("waiting", &self.waiting.len())
            .finish_non_exhaustive()
    }
}
