//! Name lookups: one for a name, however many connections wait for it.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::task::{Context, Poll};

use pushcore::http::Authority;
use pushcore::session::LinkId;
use pushcore::{Error, ErrorKind};
use pushcore_client::dialling::{in_turn, unresolved};

use crate::ready::{ReadySet, Source};
use crate::resolve::{Lookup, Resolver};

pub(crate) type Addresses = Result<VecDeque<SocketAddr>, Error>;

/// The most lookups at a time: as many silent name servers as there can be before one of them holds up the names of others. The
/// system's lookups take a thread each.
const MOST: usize = 64;

/// The lookups under way.
pub(crate) struct Lookups {
    resolver: Resolver,
    ready: Arc<ReadySet>,
    /// The links that wait for a name, and where they want to go, by the name.
    waiting: HashMap<Authority, Vec<(LinkId, Authority)>>,
    running: BTreeMap<u64, (Authority, Lookup)>,
    next: u64,
    /// The names that have to wait until fewer lookups are under way.
    queue: VecDeque<Authority>,
    /// The answers for the links that wait.
    answers: VecDeque<(LinkId, Authority, Addresses)>,
}

impl Lookups {
    pub(crate) fn new(resolver: Resolver, ready: Arc<ReadySet>) -> Self {
        Self {
            resolver,
            ready,
            waiting: HashMap::new(),
            running: BTreeMap::new(),
            next: 0,
            queue: VecDeque::new(),
            answers: VecDeque::new(),
        }
    }

    /// Asks for the addresses of `target`, through which `link` gets to `authority`. They come from [`Lookups::finished`].
    pub(crate) fn start(&mut self, link: LinkId, authority: &Authority, target: &Authority) {
        // The system has no need to ask anybody for an address; a resolver of the caller's may.
        let literal = target.host().parse::<IpAddr>().ok();
        if let Some(address) = literal.filter(|_| self.resolver.is_system()) {
            let addresses = Ok(VecDeque::from([SocketAddr::new(address, target.port())]));
            self.answers.push_back((link, authority.clone(), addresses));
            return;
        }
        let waiting = self.waiting.entry(target.clone()).or_default();
        waiting.push((link, authority.clone()));
        if waiting.len() == 1 && !self.running.values().any(|(name, _)| name == target) {
            self.queue.push_back(target.clone());
            self.start_more();
        }
    }

    fn start_more(&mut self) {
        while self.running.len() < MOST {
            let Some(target) = self.queue.pop_front() else {
                return;
            };
            if !self.waiting.contains_key(&target) {
                continue;
            }
            self.next = self.next.wrapping_add(1);
            let number = self.next;
            let start = AssertUnwindSafe(|| self.resolver.start(target.host(), target.port()));
            match catch_unwind(start) {
                Ok(lookup) => {
                    self.running.insert(number, (target, lookup));
                    self.poll(number);
                }
                Err(_) => self.answer(&target, Err(panicked())),
            }
        }
    }

    /// Looks at a lookup that has something to say.
    pub(crate) fn poll(&mut self, number: u64) {
        let Some((target, lookup)) = self.running.get_mut(&number) else {
            return;
        };
        let waker = self.ready.waker(Source::Lookup(number));
        // A resolver of the caller's may panic: that is no reason for the task to end.
        let poll = AssertUnwindSafe(|| lookup.as_mut().poll(&mut Context::from_waker(&waker)));
        let result = match catch_unwind(poll) {
            Ok(Poll::Pending) => return,
            Ok(Poll::Ready(result)) => result.map_err(|source| unresolved(target.host(), source)),
            Err(_) => Err(panicked()),
        };
        let target = target.clone();
        self.running.remove(&number);
        let addresses = result.and_then(|addresses| in_turn(addresses, &target));
        self.answer(&target, addresses);
        self.start_more();
    }

    /// Gives every link that waits for `target` its addresses.
    fn answer(&mut self, target: &Authority, addresses: Addresses) {
        for (link, authority) in self.waiting.remove(target).into_iter().flatten() {
            self.answers.push_back((link, authority, addresses.clone()));
        }
    }

    /// The next lookup that has come to its end, for a link that still waits for it.
    pub(crate) fn finished(&mut self) -> Option<(LinkId, Authority, Addresses)> {
        self.answers.pop_front()
    }

    /// The link is gone.
    pub(crate) fn forget(&mut self, link: LinkId) {
        self.answers.retain(|(other, ..)| *other != link);
        self.waiting.retain(|_, links| {
            links.retain(|(other, _)| *other != link);
            !links.is_empty()
        });
        // The system's lookup occupies its thread until it ends, and asking again would occupy another one.
        if !self.resolver.is_system() {
            let waiting = &self.waiting;
            self.running.retain(|_, (target, _)| waiting.contains_key(target));
        }
    }
}

fn panicked() -> Error {
    Error::new(ErrorKind::NameNotResolved, "the resolver panicked")
}

impl fmt::Debug for Lookups {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Lookups")
            .field("waiting", &self.waiting.len())
            .field("running", &self.running.len())
            .finish_non_exhaustive()
    }
}
