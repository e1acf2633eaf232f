//! Name lookups that do not hold up the client: each in a thread of its own.

use std::collections::{HashMap, HashSet, VecDeque};
use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};

use pushcore::http::Authority;
use pushcore::session::LinkId;
use pushcore::{Error, ErrorKind};

use crate::dial;
use crate::resolve::Resolver;

pub(crate) type Addresses = Result<VecDeque<SocketAddr>, Error>;

/// The most threads at a time: as many as there can be silent name servers before one of them holds up
/// the names of others. Most clients need one.
const MOST_THREADS: usize = 64;

/// The lookups under way.
pub(crate) struct Lookups {
    resolver: Resolver,
    waker: Arc<mio::Waker>,
    /// The links that have not been given their addresses.
    links: HashSet<LinkId>,
    /// The links that wait for a name, and where they want to go, by the name.
    waiting: HashMap<Authority, Vec<(LinkId, Authority)>>,
    /// The names that a thread is asking for; also those that nobody waits for any more.
    running: HashSet<Authority>,
    /// The names that have to wait for a thread.
    queue: VecDeque<Authority>,
    /// The answers for the links that wait.
    answers: VecDeque<(LinkId, Authority, Addresses)>,
    sender: Sender<(Authority, Addresses)>,
    receiver: Receiver<(Authority, Addresses)>,
}

impl Lookups {
    /// `waker` ends the wait for sockets when one is done.
    pub(crate) fn new(resolver: Resolver, waker: Arc<mio::Waker>) -> Self {
        let (sender, receiver) = channel();
        Self {
            resolver,
            waker,
            links: HashSet::new(),
            waiting: HashMap::new(),
            running: HashSet::new(),
            queue: VecDeque::new(),
            answers: VecDeque::new(),
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
        // The system has no need to ask anybody for an address; a resolver of the caller's may.
        let literal = self.resolver.is_system() && target.host().parse::<IpAddr>().is_ok();
        if literal || !self.resolver.is_on_threads() {
            return Some(dial::resolve(&self.resolver, target));
        }
        self.links.insert(link);
        let waiting = self.waiting.entry(target.clone()).or_default();
        waiting.push((link, authority.clone()));
        // One thread for a name: a silent name server takes one, however often it is asked.
        if !self.running.contains(target) && waiting.len() == 1 {
            self.queue.push_back(target.clone());
            self.start_threads();
        }
        None
    }

    fn start_threads(&mut self) {
        while self.running.len() < MOST_THREADS {
            let Some(target) = self.queue.pop_front() else {
                return;
            };
            if !self.waiting.contains_key(&target) {
                continue;
            }
            let (resolver, asked) = (self.resolver.clone(), target.clone());
            let (sender, waker) = (self.sender.clone(), Arc::clone(&self.waker));
            let thread = std::thread::Builder::new().name("pushcore lookup".into());
            let started = thread.spawn(move || {
                // A resolver of the caller's may panic: then its name would be asked for no more.
                let resolve = AssertUnwindSafe(|| dial::resolve(&resolver, &asked));
                let panicked = |_| Err(Error::new(ErrorKind::NameNotResolved, "the resolver panicked"));
                let addresses = catch_unwind(resolve).unwrap_or_else(panicked);
                // Nobody is there to hear it when the client is gone.
                if sender.send((asked, addresses)).is_ok() {
                    let _ = waker.wake();
                }
            });
            match started {
                Ok(_) => {
                    self.running.insert(target);
                }
                Err(source) => {
                    let context = "the system gives no thread to look a name up";
                    let error = Error::new(ErrorKind::NameNotResolved, context).with_source(source);
                    self.answer(&target, &Err(error));
                }
            }
        }
    }

    /// Gives everybody who waits for `target` its addresses.
    fn answer(&mut self, target: &Authority, addresses: &Addresses) {
        for (link, authority) in self.waiting.remove(target).into_iter().flatten() {
            let addresses = match addresses {
                Ok(addresses) => Ok(addresses.clone()),
                Err(error) => Err(Error::new(error.kind(), error.to_string())),
            };
            self.answers.push_back((link, authority, addresses));
        }
    }

    /// The next lookup that has come to its end, for somebody who still waits for it.
    pub(crate) fn finished(&mut self) -> Option<(LinkId, Authority, Addresses)> {
        while let Ok((target, addresses)) = self.receiver.try_recv() {
            self.running.remove(&target);
            self.answer(&target, &addresses);
        }
        self.start_threads();
        let answer = self.answers.pop_front()?;
        self.links.remove(&answer.0);
        Some(answer)
    }

    /// Whether answers are there that no wake-up will tell of.
    pub(crate) fn is_unfinished(&self) -> bool {
        !self.answers.is_empty()
    }

    /// Nobody waits for it any more.
    pub(crate) fn forget(&mut self, link: LinkId) {
        if !self.links.remove(&link) {
            return;
        }
        self.answers.retain(|(other, ..)| *other != link);
        self.waiting.retain(|_, links| {
            links.retain(|(other, _)| *other != link);
            !links.is_empty()
        });
    }
}

impl fmt::Debug for Lookups {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Lookups")
            .field("waiting", &self.waiting.len())
            .finish_non_exhaustive()
    }
}
