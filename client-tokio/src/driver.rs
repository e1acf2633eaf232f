//! The task that drives one session: carries out its actions, moves its bytes, keeps its time.

use std::collections::{BTreeMap, VecDeque};
use std::future::Future;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use pushcore::Error;
use pushcore::http::Authority;
use pushcore::service::Kind;
use pushcore::session::{Action, LinkId, Session, SessionEvent};
use pushcore_client::{Proxy, now, report};
use tokio::time::{Instant, Sleep, sleep};

use crate::dial::dial;
use crate::link::{Link, Verdict};
use crate::lookups::{Addresses, Lookups};
use crate::ready::{ReadySet, Source};
use crate::resolve::Resolver;
use crate::shared::{Locked, Shared};

/// How long sockets get their turns before other tasks of the runtime get theirs.
const ROUND: Duration = Duration::from_millis(5);

/// The driver task of a client.
pub(crate) struct Driver {
    shared: Arc<Shared>,
    service: Kind,
    ready: Arc<ReadySet>,
    links: BTreeMap<LinkId, Link>,
    /// The links that have something to do, in the order of their turns. Each is here once at most; some may be gone.
    turns: VecDeque<LinkId>,
    lookups: Lookups,
    proxy: Option<Proxy>,
    timer: Option<Pin<Box<Sleep>>>,
    /// What the timer is set to, on the session's monotonic clock.
    timer_at: Option<Duration>,
    /// The bytes that were read from a socket, for as long as the session looks at them.
    buffer: Vec<u8>,
}

impl Driver {
    pub(crate) fn new(shared: Arc<Shared>, resolver: Resolver, proxy: Option<Proxy>) -> Self {
        let ready = Arc::new(ReadySet::default());
        let service = shared.lock().session.service().kind();
        Self {
            shared,
            service,
            lookups: Lookups::new(resolver, Arc::clone(&ready)),
            ready,
            links: BTreeMap::new(),
            turns: VecDeque::new(),
            proxy,
            timer: None,
            timer_at: None,
            buffer: Vec::new(),
        }
    }

    /// Tells the program's log. The lock is free, because a log may send messages, too.
    fn report(&self, events: &[SessionEvent]) {
        for event in events {
            report(self.service, event);
        }
    }

    /// Takes note of the sources that have woken the task.
    fn gather(&mut self, context: &Context<'_>) {
        for source in self.ready.take(context.waker()) {
            match source {
                Source::Link(link) => self.wants_turn(link),
                Source::Lookup(number) => self.lookups.poll(number),
            }
        }
    }

    fn wants_turn(&mut self, id: LinkId) {
        if self.links.get_mut(&id).is_some_and(Link::queue_up) {
            self.turns.push_back(id);
        }
    }

    /// Gives every link that wants one a turn. The lock is free between turns, so that callers on other threads can submit.
    fn take_turns(&mut self) {
        let until = now().monotonic.saturating_add(ROUND);
        for _ in 0..self.turns.len() {
            let Some(id) = self.turns.pop_front() else { break };
            let shared = Arc::clone(&self.shared);
            let mut state = shared.lock();
            self.advance(id, &mut state);
            drop(state);
            if now().monotonic >= until {
                break;
            }
        }
    }

    fn advance(&mut self, id: LinkId, state: &mut Locked<'_>) {
        let Some(link) = self.links.get_mut(&id) else {
            return;
        };
        link.begin_turn();
        let verdict = link.advance(&mut state.session, &mut self.buffer);
        self.settle(id, verdict, state);
    }

    fn settle(&mut self, id: LinkId, verdict: Verdict, state: &mut Locked<'_>) {
        match verdict {
            Verdict::Waits => {}
            Verdict::Unfinished => self.wants_turn(id),
            Verdict::Failed(error) => {
                self.forget(id, &[]);
                state.session.connect_failed(id, error, now());
            }
            Verdict::Ended => state.session.receive_eof(id, now()),
        }
    }

    /// Sends what was submitted: carries out every action of the session and writes the bytes of the connections that have
    /// changed. A socket that does not take all of them wakes its link when it has room.
    fn flush(&mut self, state: &mut Locked<'_>) {
        state.session.flush(now());
        loop {
            self.act(state);
            let mut ended = false;
            while let Some(id) = state.session.poll_writable() {
                let Some(link) = self.links.get_mut(&id) else {
                    continue;
                };
                let verdict = link.flush(&mut state.session, &mut self.buffer);
                ended |= matches!(verdict, Verdict::Failed(_) | Verdict::Ended);
                self.settle(id, verdict, state);
            }
            if !ended {
                return;
            }
        }
    }

    fn act(&mut self, state: &mut Locked<'_>) {
        loop {
            while let Some((link, authority, addresses)) = self.lookups.finished() {
                self.dial(link, authority, addresses, state);
            }
            match state.session.poll_action() {
                Some(Action::Connect { link, authority }) => {
                    let proxy = proxy_for(self.proxy.as_ref(), &state.session, link, &authority);
                    let target = proxy.map_or(&authority, Proxy::authority).clone();
                    self.lookups.start(link, &authority, &target);
                }
                Some(Action::Close { link, final_bytes }) => self.forget(link, &final_bytes),
                Some(_) => {}
                None => return,
            }
        }
    }

    /// The addresses are known, or there are none.
    fn dial(&mut self, id: LinkId, authority: Authority, addresses: Addresses, state: &mut Locked<'_>) {
        let proxy = proxy_for(self.proxy.as_ref(), &state.session, id, &authority).cloned();
        // A proxy is the operator's choice; what the endpoint policy judges is the push service's own address.
        let allowed = addresses.and_then(|addresses| {
            if proxy.is_none() {
                veto(&state.session, &authority, &addresses)?;
            }
            Ok(addresses)
        });
        match allowed {
            Ok(addresses) => {
                let waker = self.ready.waker(Source::Link(id));
                let dial = dial(addresses, proxy, authority.clone());
                self.links.insert(id, Link::new(id, authority, dial, waker));
                self.advance(id, state);
            }
            Err(error) => state.session.connect_failed(id, error, now()),
        }
    }

    fn forget(&mut self, id: LinkId, final_bytes: &[u8]) {
        if let Some(link) = self.links.remove(&id) {
            link.close(final_bytes);
        }
        self.lookups.forget(id);
    }

    /// Sets the timer to what the session asks for. Returns false where that time has come.
    fn set_timer(&mut self, due: Option<Duration>, context: &mut Context<'_>) -> bool {
        let Some(due) = due else {
            self.timer_at = None;
            return true;
        };
        // A timer that is set too early costs one look; setting it anew in every turn costs more.
        if self.timer_at.is_none_or(|at| at > due) {
            let left = due.saturating_sub(now().monotonic);
            if left.is_zero() {
                return false;
            }
            let at = Instant::now() + left;
            match &mut self.timer {
                Some(timer) => timer.as_mut().reset(at),
                None => self.timer = Some(Box::pin(sleep(left))),
            }
            self.timer_at = Some(due);
        }
        let fired = self
            .timer
            .as_mut()
            .is_some_and(|timer| timer.as_mut().poll(context).is_ready());
        if fired {
            self.timer_at = None;
        }
        !fired
    }
}

impl Future for Driver {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        let this = &mut *self;
        let until = now().monotonic.saturating_add(ROUND);
        loop {
            this.shared.lock().begin_turn();
            this.gather(context);
            this.take_turns();
            let shared = Arc::clone(&this.shared);
            let mut state = shared.lock();
            let at = now();
            if state.is_left() {
                state.session.abandon(at);
            } else if state
                .session
                .poll_timeout()
                .is_some_and(|due| due <= at.monotonic)
            {
                state.session.handle_timeout(at);
            }
            this.flush(&mut state);
            state.deliver(at);
            let events = state.take_events();
            let over = state.is_left() || state.session.is_closed();
            let due = state.session.poll_timeout();
            drop(state);
            this.report(&events);
            if over {
                return Poll::Ready(());
            }
            let waits = this.set_timer(due, context);
            let mut state = shared.lock();
            let rests = waits && this.turns.is_empty() && state.rest(context.waker());
            drop(state);
            if rests {
                return Poll::Pending;
            }
            if now().monotonic >= until {
                // Other tasks of the runtime want to run, too.
                context.waker().wake_by_ref();
                return Poll::Pending;
            }
        }
    }
}

impl Drop for Driver {
    fn drop(&mut self) {
        // The task has ended, was dropped with its runtime, or has panicked: nobody is to wait for it.
        let shared = Arc::clone(&self.shared);
        let mut state = shared.lock();
        state.driver_ends(now());
        while let Some(action) = state.session.poll_action() {
            if let Action::Close { link, final_bytes } = action {
                self.forget(link, &final_bytes);
            }
        }
        let events = state.take_events();
        drop(state);
        self.report(&events);
    }
}

/// One refused address refuses them all: a name that mixes public and private addresses is an attack, not a mistake.
fn veto(session: &Session, authority: &Authority, addresses: &VecDeque<SocketAddr>) -> Result<(), Error> {
    for address in addresses {
        session.allow_address(authority, address.ip())?;
    }
    Ok(())
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
