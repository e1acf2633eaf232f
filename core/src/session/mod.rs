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
//! Every submitted message (and every [exchange](Session::exchange)) ends exactly once: with `Ok(Outcome)` when the service answered, or
//! with an `Err` of kind `NotSent`, `Unknown`, `Expired` or `Cancelled`. [`Stats::is_balanced`]
//! holds after every call.

mod backoff;
mod calm;
mod config;
mod dial;
mod drive;
mod entry;
mod event;
mod exchange;
mod link;
mod pool;
mod queue;
mod rate;
mod send;
mod service;
mod settle;
mod stats;
mod submit;
#[cfg(test)]
mod tests;
mod tokens;

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

pub use backoff::Backoff;
pub use config::{Delivery, SendOptions, SessionConfig};
pub use dial::Action;
pub use entry::{Ended, Ticket};
pub use event::SessionEvent;
pub use link::LinkId;
pub use stats::Stats;

use entry::{Ending, Entries, Purpose, State};
use link::Links;
use pool::{Pool, PoolId};
use rate::TokenBucket;
use service::Service;

use crate::error::Error;
use crate::http::Response;
use crate::net::h2::HeaderBytes;
use crate::net::{Processed, Security};
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
    outcomes: VecDeque<Ended>,
    responses: VecDeque<(Ticket, Result<Response, Error>)>,
    events: VecDeque<SessionEvent>,
    stats: Stats,
    /// Of the connections that are gone.
    header_bytes: HeaderBytes,
    bucket: Option<TokenBucket>,
    /// Of calls; where there is none, they are messages like others.
    calls: Option<TokenBucket>,
    /// Why there is no access token; and whether asking again would not help.
    token_failure: Option<Error>,
    token_refused: bool,
    /// The authorization last used, where tokens are made without a fetch.
    token_seen: Option<u64>,
    /// No entry is due before this time; may be early, never late.
    next_due: Option<Duration>,
    /// The latest time seen; monotonic clocks that step back are held here.
    now: Now,
    /// The pools that were given messages since they were last pumped. Pumping waits until somebody
    /// looks at what the session has to say: then many messages are sent in one go.
    fed: Vec<PoolId>,
    seed: u64,
    closing: bool,
}

impl Session {
    /// Opens a session that sends messages of one service with one set of credentials.
    ///
    /// Connections speak HTTP/2 or HTTP/1.1 as the service does, are asked by a PING when they
    /// are silent with messages in flight, and kept while idle as long as the service wishes; `config` can
    /// say otherwise.
    ///
    /// # Errors
    /// `InvalidCredential` when the credentials are a certificate that `security` does not present.
    pub fn new(
        service: impl Into<crate::service::Service>,
        security: Security,
        config: SessionConfig,
        now: Now,
    ) -> Result<Self, Error> {
        let seed = config.seed.unwrap_or_else(crate::crypto::random_u64);
        let service = Service::new(service.into(), security, &config)?;
        let bucket = config.rate.map(|rate| TokenBucket::new(rate, now.monotonic));
        let call_rate = config.call_rate.or(service.call_rate());
        let calls = call_rate.map(|rate| TokenBucket::new(rate, now.monotonic));
        Ok(Self {
            config: Arc::new(config),
            service,
            entries: Entries::default(),
            links: Links::default(),
            pools: Vec::new(),
            actions: VecDeque::new(),
            outcomes: VecDeque::new(),
            responses: VecDeque::new(),
            events: VecDeque::new(),
            stats: Stats::default(),
            header_bytes: HeaderBytes::default(),
            bucket,
            calls,
            token_failure: None,
            token_refused: false,
            token_seen: None,
            next_due: None,
            now,
            fed: Vec::new(),
            seed,
            closing: false,
        })
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

    /// The bytes of all header blocks on all its HTTP/2 connections, those that are gone
    /// included: what a push costs beside its body. Divide what two calls differ by through
    /// the number of pushes between them; see [`HeaderPolicy`](crate::apns::HeaderPolicy).
    pub fn header_bytes(&self) -> HeaderBytes {
        let mut total = self.header_bytes;
        for link in self.links.iter() {
            total += link.connection.header_bytes();
        }
        total
    }

    /// How the session was told to behave.
    pub fn config(&self) -> &SessionConfig {
        &self.config
    }

    /// Ends a message as `Cancelled`. What was written already may still be shown by a device.
    /// Returns false when the message has ended already.
    pub fn cancel(&mut self, ticket: Ticket, now: Now) -> bool {
        let now = self.tick(now);
        let cancelled = self.withdraw(ticket, Ending::Cancelled, now);
        self.retire_when_idle(now);
        cancelled
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
        for pool in &mut self.pools {
            pool.waiting.take(&self.entries);
        }
        for ticket in self.entries.live_tickets() {
            self.withdraw(ticket, Ending::Abandoned, now);
        }
        self.retire_when_idle(now);
    }

    /// Every unfinished message, and whether the service may have acted on it: what a journal
    /// needs to know before the process ends.
    pub fn unfinished(&self) -> impl Iterator<Item = (Ticket, Processed)> {
        let pushes = self
            .entries
            .live()
            .filter(|(_, entry)| entry.purpose != Purpose::Token);
        pushes.map(|(slot, entry)| {
            let processed = match entry.state {
                _ if entry.in_doubt => Processed::Unknown,
                State::Open { link, id } => match self.links.get(link) {
                    Some(link) => link.connection.processed(id),
                    None => Processed::Unknown,
                },
                _ => Processed::No,
            };
            (self.entries.ticket(slot), processed)
        })
    }

    /// The next message that has ended.
    #[inline]
    pub fn poll_outcome(&mut self) -> Option<(Ticket, Result<Outcome, Error>)> {
        if !self.fed.is_empty() {
            self.catch_up();
        }
        let ended = self.outcomes.pop_front()?;
        self.entries.give_back(ended.ticket);
        Some((ended.ticket, ended.result))
    }

    /// Every message that has ended, at once: appends them to `ended`, whose room is used for the next
    /// ones where it is empty.
    pub fn take_outcomes(&mut self, ended: &mut VecDeque<Ended>) {
        self.catch_up();
        for message in &self.outcomes {
            self.entries.give_back(message.ticket);
        }
        match ended.is_empty() {
            true => std::mem::swap(ended, &mut self.outcomes),
            false => ended.append(&mut self.outcomes),
        }
    }

    /// What its sender called a message that has not ended.
    pub fn tag(&self, ticket: Ticket) -> Option<u64> {
        let entry = self.entries.get(self.entries.find(ticket)?)?;
        Some(entry.tag)
    }

    /// The next exchange that has ended.
    pub fn poll_response(&mut self) -> Option<(Ticket, Result<Response, Error>)> {
        self.catch_up();
        let ended = self.responses.pop_front()?;
        self.entries.give_back(ended.0);
        Some(ended)
    }

    /// Whether the answers look as if environment, topic, sender, VAPID key or payload were wrong, and
    /// not the tokens. See [`Witness`](crate::outcome::Witness).
    pub fn is_mix_up_suspected(&self) -> bool {
        self.service.is_mix_up_suspected()
    }

    /// The next thing that happened, for logs and metrics.
    pub fn poll_event(&mut self) -> Option<SessionEvent> {
        self.catch_up();
        self.events.pop_front()
    }

    fn note(&mut self, event: SessionEvent) {
        if self.events.len() == MAX_EVENTS {
            self.events.pop_front();
        }
        self.events.push_back(event);
    }

    /// Clocks that step back are held: timers never run backwards.
    fn tick(&mut self, now: Now) -> Now {
        if now.monotonic > self.now.monotonic {
            self.now.monotonic = now.monotonic;
        }
        self.now.unix = now.unix;
        self.now
    }
}

/// An error that two have to hear of.
fn copy_of(error: &Error) -> Error {
    Error::new(error.kind(), error.to_string()).with_codes_of(error)
}
