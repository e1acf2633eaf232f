//! Credentials and connections together: messages go in, outcomes come out.
//!
//! A [`Session`] owns the queue, the tokens and the connections of one service.
//! It opens no socket: the owner of the sockets (the driver) asks it what to do.
//!
//! ```text
//!            submit(message)                          poll_outcome()
//!                 |                                         ^
//!                 v                                         |
//!   +---------------------------- Session ---------------------------+
//!   |  queue -> (a stream is free) -> connection <-> token authority |
//!   +----------------------------------------------------------------+
//!      | poll_action: Connect, Close     | transmit       ^ receive
//!      v                                 v                |
//!    dial, then connected()            socket           socket
//! ```
//!
//! # The run loop
//!
//! Methods are of four kinds, and may be called in any order at any time:
//!
//! * A, getters: [`capacity`](Session::capacity), [`stats`](Session::stats), [`poll_timeout`](Session::poll_timeout)
//! * B, inputs: [`connected`](Session::connected), [`connect_failed`](Session::connect_failed),
//!   [`receive`](Session::receive), [`receive_eof`](Session::receive_eof), [`handle_timeout`](Session::handle_timeout).
//!   They never fail: failure is an outcome or an event.
//! * C, commands: [`submit`](Session::submit), [`cancel`](Session::cancel), [`close`](Session::close)
//! * D, outputs: [`poll_action`](Session::poll_action), [`transmit`](Session::transmit) and
//!   [`transmitted`](Session::transmitted), [`poll_outcome`](Session::poll_outcome), [`poll_event`](Session::poll_event).
//!
//! 1. Carry out every action of `poll_action`.
//! 2. For every link, write what `transmit` shows, and say with `transmitted` how much went out.
//! 3. Fetch the outcomes.
//! 4. Wait for a readable socket, at most until `poll_timeout`; then `receive`, or `handle_timeout`.
//!
//! # Accounting
//!
//! Every submitted message ends exactly once: with `Ok(Outcome)` when the service answered, or
//! with an `Err` of kind `NotSent`, `Unknown`, `Expired` or `Cancelled`. [`Stats::is_balanced`]
//! holds after every call.

mod backoff;
mod config;
mod dial;
mod drive;
mod entry;
mod event;
mod link;
mod message;
mod open;
mod pool;
mod rate;
mod service;
mod settle;
mod stats;

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

pub use backoff::Backoff;
pub use config::{Delivery, SendOptions, SessionConfig};
pub use dial::Action;
pub use entry::Ticket;
pub use event::SessionEvent;
pub use link::LinkId;
pub use message::{AsMessage, Message, MessageRef};
pub use stats::Stats;

use entry::{Ending, Entries, Purpose, State};
use link::Links;
use pool::{Lane, Pool, PoolId};
use rate::TokenBucket;
use service::Service;

use crate::error::{Error, ErrorKind};
use crate::outcome::Outcome;
use crate::time::Now;

/// How many events are kept for an owner that does not fetch them.
const MAX_EVENTS: usize = 1024;

/// Messages in, outcomes out, for one service and one credential.
#[derive(Debug)]
pub struct Session {
    config: Arc<SessionConfig>,
    service: Service,
    entries: Entries,
    links: Links,
    pools: Vec<Pool>,
    actions: VecDeque<Action>,
    outcomes: VecDeque<(Ticket, Result<Outcome, Error>)>,
    events: VecDeque<SessionEvent>,
    stats: Stats,
    bucket: Option<TokenBucket>,
    /// No entry is due before this time; may be early, never late.
    next_due: Option<Duration>,
    /// The latest monotonic time seen: clocks that step back are held here.
    clock: Duration,
    seed: u64,
    closing: bool,
}

impl Session {
    fn new(service: Service, config: SessionConfig, now: Now) -> Self {
        let seed = config.seed.unwrap_or_else(crate::crypto::random_u64);
        let bucket = config.rate.map(|rate| TokenBucket::new(rate, now.monotonic));
        Self {
            config: Arc::new(config),
            service,
            entries: Entries::default(),
            links: Links::default(),
            pools: Vec::new(),
            actions: VecDeque::new(),
            outcomes: VecDeque::new(),
            events: VecDeque::new(),
            stats: Stats::default(),
            bucket,
            next_due: None,
            clock: now.monotonic,
            seed,
            closing: false,
        }
    }

    /// How many more messages `submit` takes now.
    pub fn capacity(&self) -> usize {
        if self.closing {
            0
        } else {
            self.config.max_queued.saturating_sub(self.stats.queued as usize)
        }
    }

    /// How many messages are where.
    pub fn stats(&self) -> Stats {
        self.stats
    }

    /// How the session was told to behave.
    pub fn config(&self) -> &SessionConfig {
        &self.config
    }

    /// Takes a message, to be sent as soon as a stream is free.
    ///
    /// # Errors
    /// `QueueFull` above [`SessionConfig::max_queued`]; `Closed` after [`Session::close`]; `Misuse`
    /// when the message is for another service; and what the message's room finds wrong with it.
    /// A message that is not taken is not counted.
    pub fn submit(
        &mut self,
        message: &(impl AsMessage + ?Sized),
        options: SendOptions,
        now: Now,
    ) -> Result<Ticket, Error> {
        let now = self.tick(now);
        if self.closing {
            return Err(Error::new(ErrorKind::Closed, "the session is closed"));
        }
        if self.capacity() == 0 {
            return Err(Error::new(
                ErrorKind::QueueFull,
                "the queue is full: fetch outcomes first",
            ));
        }
        let slot = self.entries.reserve()?;
        let written = match self.entries.get_mut(slot) {
            Some(entry) => self.service.write(message.as_message(), &mut entry.request, now),
            None => Err(Error::new(ErrorKind::Internal, "a reserved slot is missing")),
        };
        let context = match written {
            Ok(context) => context,
            Err(error) => {
                self.entries.release(slot);
                return Err(error);
            }
        };
        let authority = self
            .entries
            .get(slot)
            .and_then(|entry| entry.request.authority.clone());
        let Some(authority) = authority else {
            self.entries.release(slot);
            return Err(Error::new(ErrorKind::Internal, "the request names no host"));
        };
        let lane = if options.suspect {
            Lane::Suspect
        } else {
            Lane::Main
        };
        let pool = self.pool(&authority, lane);
        let ticket = self.entries.ticket(slot);
        if let Some(entry) = self.entries.get_mut(slot) {
            entry.purpose = Purpose::Push;
            entry.state = State::Queued;
            entry.pool = pool;
            entry.deadline = now
                .monotonic
                .saturating_add(options.deadline.unwrap_or(self.config.deadline));
            entry.due = entry.deadline;
            entry.queued_at = now.monotonic;
            entry.context = context;
            self.next_due = Some(self.next_due.map_or(entry.due, |due| due.min(entry.due)));
        }
        self.stats.submitted += 1;
        self.stats.queued += 1;
        if let Some(pool) = self.pools.get_mut(pool.0 as usize) {
            pool.waiting.push_back(slot);
        }
        self.pump(pool, now);
        Ok(ticket)
    }

    /// Ends a message as `Cancelled`. What was written already may still be shown by a device.
    /// Returns false when the message has ended already.
    pub fn cancel(&mut self, ticket: Ticket, now: Now) -> bool {
        let now = self.tick(now);
        let Some(slot) = self.entries.find(ticket) else {
            return false;
        };
        self.withdraw(slot, Ending::Cancelled, now);
        true
    }

    /// No more messages; those taken go on to their end, then the connections are closed.
    pub fn close(&mut self, now: Now) {
        let now = self.tick(now);
        self.closing = true;
        self.retire_when_idle(now);
    }

    /// Whether every message has ended and every connection is gone.
    pub fn is_closed(&self) -> bool {
        self.closing && self.stats.queued == 0 && self.stats.open == 0 && self.links.iter().next().is_none()
    }

    /// Ends every message now: `NotSent` where nothing was written, `Unknown` otherwise. For an
    /// owner that goes away. The outcomes can still be fetched.
    pub fn abandon(&mut self, now: Now) {
        let now = self.tick(now);
        self.closing = true;
        let slots: Vec<u32> = self.entries.live().map(|(slot, _)| slot).collect();
        for pool in &mut self.pools {
            pool.waiting.clear();
        }
        for slot in slots {
            self.withdraw(slot, Ending::Abandoned, now);
        }
        self.retire_when_idle(now);
    }

    /// Every unfinished message, and whether the service may have acted on it: what a journal
    /// needs to know before the process ends.
    pub fn unfinished(&self) -> impl Iterator<Item = (Ticket, crate::net::Processed)> {
        let pushes = self
            .entries
            .live()
            .filter(|(_, entry)| entry.purpose == Purpose::Push);
        pushes.map(|(slot, entry)| {
            let processed = match entry.state {
                State::Open { .. } => crate::net::Processed::Unknown,
                _ => crate::net::Processed::No,
            };
            (self.entries.ticket(slot), processed)
        })
    }

    /// The next message that has ended.
    pub fn poll_outcome(&mut self) -> Option<(Ticket, Result<Outcome, Error>)> {
        self.outcomes.pop_front()
    }

    /// The next thing that happened, for logs and metrics.
    pub fn poll_event(&mut self) -> Option<SessionEvent> {
        self.events.pop_front()
    }

    fn note(&mut self, event: SessionEvent) {
        if self.events.len() == MAX_EVENTS {
            self.events.pop_front();
        }
        self.events.push_back(event);
    }

    /// The pool of `authority` and `lane`, made when there is none yet.
    fn pool(&mut self, authority: &crate::http::Authority, lane: Lane) -> PoolId {
        let found = self
            .pools
            .iter()
            .position(|pool| pool.lane == lane && pool.authority == *authority);
        let index = found.unwrap_or_else(|| {
            self.seed = self.seed.wrapping_add(1);
            let backoff = Backoff::new(self.config.first_backoff, self.config.longest_backoff, self.seed);
            self.pools.push(Pool::new(authority.clone(), lane, backoff));
            self.pools.len() - 1
        });
        PoolId(index as u32)
    }

    /// Clocks that step back are held: timers never run backwards.
    fn tick(&mut self, now: Now) -> Now {
        self.clock = self.clock.max(now.monotonic);
        Now::new(self.clock, now.unix)
    }
}
