//! Drives one session over real sockets: carries out its actions, moves its bytes, keeps its time.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::net::SocketAddr;
use std::time::Duration;

use mio::event::Event;
use pushcore::Error;
use pushcore::http::Authority;
use pushcore::session::{Action, LinkId, Session};

use crate::clock::Clock;
use crate::dial::Race;
use crate::lookups::{Addresses, Lookups};
use crate::proxy::Proxy;
use crate::socket::{Ready, Socket, Verdict};

/// The token of the waker; sockets count up from one.
pub(crate) const WAKER: mio::Token = mio::Token(0);

#[derive(Debug)]
pub(crate) struct Driver {
    pub(crate) session: Session,
    pub(crate) clock: Clock,
    sockets: BTreeMap<LinkId, Socket>,
    /// Which link a socket's readiness is about. Several sockets of one link while it dials.
    tokens: BTreeMap<mio::Token, LinkId>,
    /// The tokens of each link.
    tokens_of: BTreeMap<LinkId, Vec<mio::Token>>,
    /// The links that have more addresses to try at a time of their own.
    racing: BTreeSet<LinkId>,
    next_token: usize,
    registry: mio::Registry,
    proxy: Option<Proxy>,
    lookups: Lookups,
    /// The links whose sockets have something to do, in the order of their turns; some may be gone.
    turns: VecDeque<LinkId>,
    /// The bytes that were read from a socket, for as long as the session looks at them.
    buffer: Vec<u8>,
}

/// How long sockets get their turns before the clock, signals and callers get theirs. One socket's turn
/// takes milliseconds.
const ROUND: Duration = Duration::from_millis(20);

impl Driver {
    pub(crate) fn new(
        session: Session,
        clock: Clock,
        registry: mio::Registry,
        proxy: Option<Proxy>,
        lookups: Lookups,
    ) -> Self {
        Self {
            session,
            clock,
            sockets: BTreeMap::new(),
            tokens: BTreeMap::new(),
            tokens_of: BTreeMap::new(),
            racing: BTreeSet::new(),
            next_token: WAKER.0 + 1,
            registry,
            proxy,
            lookups,
            turns: VecDeque::new(),
            buffer: Vec::new(),
        }
    }

    /// How long to wait at most for a socket, where it is `now`.
    pub(crate) fn wait(&self, now: Duration) -> Option<Duration> {
        if self.is_unfinished() {
            return Some(Duration::ZERO);
        }
        let due = self
            .racing_timeouts()
            .map(|(at, _)| at)
            .chain(self.session.poll_timeout())
            .min()?;
        Some(due.saturating_sub(now))
    }

    fn racing_timeouts(&self) -> impl Iterator<Item = (Duration, LinkId)> {
        let racing = self.racing.iter();
        racing.filter_map(|link| Some((self.sockets.get(link)?.poll_timeout()?, *link)))
    }

    /// Whether sockets have more to do at once, of which the poll will not tell.
    pub(crate) fn is_unfinished(&self) -> bool {
        !self.turns.is_empty() || self.lookups.is_unfinished()
    }

    /// Sends what was submitted: carries out every action of the session and writes its bytes.
    pub(crate) fn flush(&mut self) {
        self.session.flush(self.clock.now());
        loop {
            self.act();
            if !self.write() {
                break;
            }
        }
    }

    /// Writes what the session has for connections that have changed. Returns whether one of them has ended.
    fn write(&mut self) -> bool {
        let mut ended = false;
        while let Some(link) = self.session.poll_writable() {
            let Some(socket) = self.sockets.get_mut(&link) else {
                continue;
            };
            if let Verdict::Ended = socket.write(&mut self.session) {
                socket.read_rest(&mut self.session, &mut self.buffer);
                self.session.receive_eof(link, self.clock.now());
                ended = true;
            } else if socket.is_unfinished() && socket.queue_up() {
                self.turns.push_back(link);
            }
        }
        ended
    }

    /// Deals with what the poll reported, and with time; says when that was.
    ///
    /// Sockets take turns, each of which is bounded, for 20 ms in all: what is left waits for the next call,
    /// so that no peer keeps the clock from being looked at, however fast it talks.
    pub(crate) fn process<'a>(&mut self, events: impl Iterator<Item = &'a Event>) -> Duration {
        for event in events {
            if let Some(link) = self.tokens.get(&event.token()).copied() {
                let ready = if event.is_read_closed() || event.is_error() {
                    Ready::ToEnd
                } else if event.is_readable() {
                    Ready::ToRead
                } else {
                    Ready::Not
                };
                if let Some(socket) = self.sockets.get_mut(&link) {
                    socket.remember(ready);
                    if socket.queue_up() {
                        self.turns.push_back(link);
                    }
                }
            }
        }
        let until = self.clock.monotonic().saturating_add(ROUND);
        for _ in 0..self.turns.len() {
            let Some(link) = self.turns.pop_front() else { break };
            self.advance(link);
            if self.clock.monotonic() >= until {
                break;
            }
        }
        while let Some((link, authority, addresses)) = self.lookups.finished() {
            self.dial(link, authority, addresses);
        }
        let now = self.clock.monotonic();
        let due = self.racing_timeouts().filter(|(at, _)| *at <= now);
        for link in due.map(|(_, link)| link).collect::<Vec<_>>() {
            self.advance(link);
        }
        if self.session.poll_timeout().is_some_and(|due| due <= now) {
            self.session.handle_timeout(self.clock.now());
        }
        self.flush();
        now
    }

    fn advance(&mut self, link: LinkId) {
        let Some(socket) = self.sockets.get_mut(&link) else {
            return;
        };
        socket.begin_turn();
        let proxy = proxy_for(self.proxy.as_ref(), &self.session, link, socket.authority());
        let (tokens, next) = (&mut self.tokens, &mut self.next_token);
        let own = self.tokens_of.entry(link).or_default();
        let mut token = || {
            let token = new_token(tokens, next, link);
            own.push(token);
            token
        };
        let verdict = socket.advance(
            &mut self.session,
            &self.registry,
            &mut token,
            proxy,
            &mut self.buffer,
        );
        match socket.poll_timeout() {
            Some(_) => self.racing.insert(link),
            None => self.racing.remove(&link),
        };
        match verdict {
            Verdict::Alive => {
                if socket.is_unfinished() && socket.queue_up() {
                    self.turns.push_back(link);
                }
            }
            Verdict::Failed(error) => {
                self.forget(link, &[]);
                self.session.connect_failed(link, error, self.clock.now());
            }
            Verdict::Ended => self.session.receive_eof(link, self.clock.now()),
        }
    }

    fn act(&mut self) {
        while let Some(action) = self.session.poll_action() {
            match action {
                Action::Connect { link, authority } => {
                    let proxy = proxy_for(self.proxy.as_ref(), &self.session, link, &authority);
                    let target = proxy.map_or(&authority, Proxy::authority).clone();
                    if self.lookups.blocks(&target) {
                        // It may take long, and the time of what has been opened runs already.
                        self.write();
                    }
                    if let Some(addresses) = self.lookups.start(link, &authority, &target) {
                        self.dial(link, authority, addresses);
                    }
                }
                Action::Close { link, final_bytes } => self.forget(link, &final_bytes),
                _ => {}
            }
        }
    }

    /// The addresses are known, or there are none.
    fn dial(&mut self, link: LinkId, authority: Authority, addresses: Addresses) {
        // A proxy is the operator's choice; what the endpoint policy judges is the push service's own
        // address.
        let direct = proxy_for(self.proxy.as_ref(), &self.session, link, &authority).is_none();
        let allowed = addresses.and_then(|addresses| {
            if direct {
                self.veto(&authority, &addresses)?;
            }
            Ok(addresses)
        });
        match allowed {
            Ok(addresses) => {
                let socket = Socket::new(link, authority, Race::new(addresses));
                self.sockets.insert(link, socket);
                self.advance(link);
            }
            Err(error) => self.session.connect_failed(link, error, self.clock.now()),
        }
    }

    /// One refused address refuses them all: a name that mixes public and private addresses is
    /// an attack, not a mistake.
    fn veto(&self, authority: &Authority, addresses: &VecDeque<SocketAddr>) -> Result<(), Error> {
        for address in addresses.iter() {
            self.session.allow_address(authority, address.ip())?;
        }
        Ok(())
    }

    fn forget(&mut self, link: LinkId, final_bytes: &[u8]) {
        if let Some(socket) = self.sockets.remove(&link) {
            socket.close(final_bytes, &self.registry);
        }
        self.lookups.forget(link);
        self.racing.remove(&link);
        for token in self.tokens_of.remove(&link).into_iter().flatten() {
            self.tokens.remove(&token);
        }
    }
}

fn new_token(tokens: &mut BTreeMap<mio::Token, LinkId>, next: &mut usize, link: LinkId) -> mio::Token {
    let token = mio::Token(*next);
    // 2^64 sockets are not reached; zero is the waker's.
    *next = next.checked_add(1).unwrap_or(WAKER.0 + 1);
    tokens.insert(token, link);
    token
}

/// The proxy that a connection goes through; `None` where it is made directly.
fn proxy_for<'a>(
    proxy: Option<&'a Proxy>,
    session: &Session,
    link: LinkId,
    authority: &Authority,
) -> Option<&'a Proxy> {
    proxy.filter(|proxy| proxy.serves(authority.host()) && !session.is_direct(link))
}
