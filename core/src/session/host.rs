//! One host: what waits for it, when it may be sent to, and when it is connected to.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use super::backoff::Backoff;
use super::config::{Priority, SessionConfig};
use super::id::{LinkId, Ticket};
use super::ledger::{Ledger, Pending};
use super::limits::{NextAt, TokenBucket};
use super::link::{Link, Links};
use super::plan::{self, Bounds, Demand, DialBudget, Supply};
use super::queue::Queues;
use super::report::{HostReport, WaitsFor};
use super::retry;
use super::service::Service;
use crate::backend::Traffic;
use crate::error::{Error, ErrorKind};
use crate::http::{Authority, HeaderBlock};
use crate::net::{ConnectionConfig, SendError};
use crate::time::Now;

/// The number of failed attempts that end the messages that wait, when no connection to this host has ever
/// worked: a wrong host name or port should not look like a slow network.
const FIRST_CONTACT_ATTEMPTS: u32 = 3;

/// The number of connections that take no more requests, but still owe answers, beside which no new one is made. A
/// server that ends each connection after one request and answers slowly would otherwise be sent as
/// many connections as there are messages.
const MOST_LEAVING: usize = 32;

/// The longest silence before a PING, however often a server complained: an hour, after which most
/// middleboxes have forgotten the connection anyway.
const RAREST_PING: Duration = Duration::from_secs(3600);

/// The authorization that the requests of a queue go out with, once there is one.
#[derive(Debug)]
pub(super) enum BatchAuthorization {
    /// All with the same one; `None` is without any.
    Shared(Option<Arc<HeaderBlock>>),
    /// Each with its own, which the service makes.
    Each,
}

/// One authority and class of traffic: the messages that wait for a stream, and the connections that have streams.
#[derive(Debug)]
pub(super) struct Host {
    authority: Authority,
    traffic: Traffic,
    links: Vec<LinkId>,
    waiting: Queues,
    /// The messages that were refused again and again, and when they may join the queue.
    resting: BTreeSet<(Duration, Ticket)>,
    /// The last rest that was given, and when it ends: what is refused together comes back together.
    last_rest: (Duration, Duration),
    backoff: Backoff,
    /// The answers that came from the host: its progress.
    answers: u64,
    /// No new connection before this time.
    dial_after: Duration,
    /// The connections that may still be made in this minute.
    dials: DialBudget,
    /// Whether the host waits for its turn to have a connection.
    wanting: bool,
    /// Since when the host has its turn: a connection has been ready. `None` where none has been since there was none.
    turn_began: Option<Duration>,
    /// Whether the turn is over: what is in flight ends, and no connection is made before the last one is gone.
    yields: bool,
    /// No new request before this time (429 for the whole project).
    paused_until: Duration,
    /// When the queue was last looked at. A timer of the queue that is later is still to come;
    /// the session's clock may have passed it meanwhile on another host's business.
    filled_at: Duration,
    /// Whether messages have come since the last [`Session::flush`](super::Session::flush).
    dirty: bool,
    /// When the host was last of use.
    used_at: Duration,
    /// Whether a connection has been ready at least once.
    ever_ready: bool,
    /// Why the last connection failed: the cause given to messages that expire waiting. `None` where it
    /// did not fail.
    last_failure: Option<Error>,
    /// How many connections in a row an answer has spoiled.
    spoiled: u32,
    /// How often the time between two PINGs was doubled, because the host complained.
    ping_doublings: u32,
}

impl Host {
    pub(super) fn new(authority: Authority, traffic: Traffic, backoff: Backoff, now: Duration) -> Self {
        Self {
            authority,
            traffic,
            links: Vec::new(),
            waiting: Queues::default(),
            resting: BTreeSet::new(),
            last_rest: (Duration::ZERO, Duration::ZERO),
            backoff,
            answers: 0,
            dial_after: Duration::ZERO,
            dials: DialBudget::default(),
            wanting: false,
            turn_began: None,
            yields: false,
            paused_until: Duration::ZERO,
            filled_at: Duration::ZERO,
            dirty: false,
            used_at: now,
            ever_ready: false,
            last_failure: None,
            spoiled: 0,
            ping_doublings: 0,
        }
    }

    // Getters

    pub(super) fn authority(&self) -> &Authority {
        &self.authority
    }

    #[inline]
    pub(super) fn traffic(&self) -> Traffic {
        self.traffic
    }

    pub(super) fn links(&self) -> &[LinkId] {
        &self.links
    }

    /// The answers that have come from the host.
    pub(super) fn answers(&self) -> u64 {
        self.answers
    }

    /// Why the last connection failed; `None` where it did not.
    pub(super) fn last_failure(&self) -> Option<&Error> {
        self.last_failure.as_ref()
    }

    /// Whether no message waits for a stream, neither in the queue nor apart.
    pub(super) fn is_idle(&self) -> bool {
        self.waiting.is_empty() && self.resting.is_empty()
    }

    /// When the host may be sent to or connected to again.
    fn resumes_at(&self) -> Duration {
        self.dial_after.max(self.paused_until)
    }

    /// When the queue has to be looked at again for a reason of the host's own; `None` is never.
    pub(super) fn poll_timeout(
        &self,
        ledger: &Ledger,
        links: &Links,
        config: &SessionConfig,
    ) -> Option<Duration> {
        let wakes = self.next_to_wake();
        if self.waiting.is_empty() {
            return wakes;
        }
        let crowded = self.oldest(ledger).map(|oldest| {
            let patience = plan::patience(self.round_trip(links), config.queue_wait_before_dial);
            oldest.saturating_add(patience)
        });
        let dials = self.dials.next_at(config.dials_per_minute, self.filled_at);
        let timers = [Some(self.dial_after), Some(self.paused_until), crowded, dials];
        let to_come = timers.into_iter().flatten().filter(|at| *at > self.filled_at);
        to_come.chain(wakes).min()
    }

    /// When the queue has to be looked at again because the limits or the token let requests pass then; `None` is never.
    pub(super) fn permit_timeout(&self, limits: NextAt, token: Option<Duration>) -> Option<Duration> {
        if self.waiting.is_empty() {
            return None;
        }
        let timers = [limits.of(self.traffic), token];
        timers
            .into_iter()
            .flatten()
            .filter(|at| *at > self.filled_at)
            .min()
    }

    fn next_to_wake(&self) -> Option<Duration> {
        self.resting.first().map(|(until, _)| *until)
    }

    /// Since when the message waits that has waited for longest; `None` where none waits.
    fn oldest(&self, ledger: &Ledger) -> Option<Duration> {
        let oldest = self.waiting.oldest(ledger).filter_map(|slot| ledger.get(slot));
        oldest.map(Pending::queued_at).min()
    }

    /// Whether a connection may yet be of use.
    pub(super) fn has_hope(&self, links: &Links) -> bool {
        self.hopeful(links).next().is_some()
    }

    /// Whether the host is connected or messages wait for it.
    pub(super) fn is_of_interest(&self) -> bool {
        !self.is_idle() || !self.links.is_empty()
    }

    /// The host as it is now.
    pub(super) fn report(&self, links: &Links, now: Duration) -> HostReport {
        let waiting = self.waiting.len() + self.resting.len();
        let ready = self.hopeful(links).any(Link::is_ready);
        let reason = match () {
            () if self.is_paused(now) => WaitsFor::Pause,
            () if self.wanting => WaitsFor::Room,
            () if ready => WaitsFor::Stream,
            () if self.is_left_alone(now) => WaitsFor::BackOff,
            () if self.links.is_empty() => WaitsFor::Stream,
            () => WaitsFor::Connection,
        };
        HostReport {
            authority: self.authority.clone(),
            waiting,
            in_flight: self.in_flight(links),
            connections: self.links.len(),
            waits_for: (waiting > 0).then_some(reason),
        }
    }

    /// The connections that may yet be of use.
    fn hopeful<'a>(&'a self, links: &'a Links) -> impl Iterator<Item = &'a Link> {
        let links = self.links.iter().filter_map(|link| links.get(*link));
        links.filter(|link| link.is_hopeful())
    }

    /// The time from a request to its answer, on the connection that is quickest; `None` before the first answer.
    pub(super) fn round_trip(&self, links: &Links) -> Option<Duration> {
        let links = self.links.iter().filter_map(|link| links.get(*link));
        links.filter_map(Link::round_trip).min()
    }

    /// How many connections are to be made now.
    pub(super) fn connections_to_add(
        &self,
        ledger: &Ledger,
        links: &Links,
        config: &SessionConfig,
        now: Duration,
    ) -> usize {
        let Some(front) = self.waiting.front().and_then(|ticket| ledger.find(ticket)) else {
            return 0;
        };
        let body = ledger.request(front).map_or(0, |request| request.body.len());
        let ready = || self.hopeful(links).filter(|link| link.is_ready());
        let hopeful = self.hopeful(links).count();
        let supply = Supply {
            dialling: hopeful - ready().count(),
            ready: ready().count(),
            answered: ready().filter(|link| link.has_answered()).count(),
            full: ready().all(|link| link.is_full(body)),
            share: ready().map(|link| link.share(body)).max().unwrap_or(1),
            round_trip: self.round_trip(links),
        };
        let waited = self
            .oldest(ledger)
            .map_or(Duration::ZERO, |since| now.saturating_sub(since));
        let demand = Demand {
            waiting: self.waiting.len(),
            waited,
            in_flight: self.in_flight(links),
        };
        // After trouble one connection has to get an answer before there are more again.
        let in_trouble = self.backoff.attempts() > 0;
        let bounds = Bounds {
            most: match self.traffic.is_for_tokens() || in_trouble {
                true => 1,
                false => config.max_connections.max(1),
            },
            budget: self.dials.left(config.dials_per_minute, now),
            patience: config.queue_wait_before_dial,
        };
        let leaving = self.links.len().saturating_sub(hopeful);
        if leaving >= MOST_LEAVING.max(config.max_connections.saturating_add(1))
            || now < self.resumes_at()
            || self.yields
        {
            return 0;
        }
        plan::connections_to_add(demand, supply, bounds)
    }

    /// Returns `config` with the PINGs that this host puts up with.
    pub(super) fn with_its_pings(&self, config: Arc<ConnectionConfig>) -> Arc<ConnectionConfig> {
        let Some(mut ping) = config.http2.ping.filter(|_| self.ping_doublings > 0) else {
            return config;
        };
        let factor = 1u32 << self.ping_doublings.min(16);
        ping.idle = ping.idle.saturating_mul(factor).min(RAREST_PING.max(ping.idle));
        let mut config = ConnectionConfig::clone(&config);
        config.http2.ping = Some(ping);
        Arc::new(config)
    }

    // The queue

    /// Adds a message that waits for the first time. Returns whether the host is dirty only now.
    #[inline]
    pub(super) fn push_back(&mut self, priority: Priority, ticket: Ticket, now: Duration) -> bool {
        self.waiting.push_back(priority, ticket);
        self.used_at = now;
        !std::mem::replace(&mut self.dirty, true)
    }

    /// Adds a request for a token, which is sent at once.
    pub(super) fn push_token_request(&mut self, ticket: Ticket) {
        self.waiting.push_back(Priority::Interactive, ticket);
    }

    /// A message is back: at the place in the queue that its `number` in the order of submission gives it; or
    /// apart from the queue until `rests_until`, where that is given.
    pub(super) fn push_again(
        &mut self,
        ticket: Ticket,
        priority: Priority,
        number: u64,
        rests_until: Option<Duration>,
    ) {
        match rests_until {
            Some(until) => {
                self.resting.insert((until, ticket));
            }
            None => self.waiting.restore(priority, number, ticket),
        }
    }

    /// A message that waited has ended; apart from the queue, where `rests_until` is given.
    pub(super) fn note_ended(
        &mut self,
        ticket: Ticket,
        priority: Priority,
        number: u64,
        rests_until: Option<Duration>,
        ledger: &Ledger,
    ) {
        match rests_until {
            Some(until) => {
                self.resting.remove(&(until, ticket));
            }
            None => self.waiting.note_ended(priority, number, ledger),
        }
    }

    /// Takes every message out of the queue; returns their slots.
    pub(super) fn take_waiting(&mut self, ledger: &Ledger) -> Vec<u32> {
        self.waiting.take(ledger)
    }

    /// Takes every message out, those that wait apart too; returns their slots.
    pub(super) fn take_all(&mut self, ledger: &Ledger) -> Vec<u32> {
        let mut slots = self.waiting.take(ledger);
        let resting = std::mem::take(&mut self.resting);
        slots.extend(resting.into_iter().filter_map(|(_, ticket)| ledger.find(ticket)));
        slots
    }

    // Sending

    /// Looks at the queue: messages that have rested join it. Returns whether it may be sent from now.
    pub(super) fn begin_filling(&mut self, ledger: &mut Ledger, now: Duration) -> bool {
        self.filled_at = now;
        self.wake(ledger, now);
        !self.waiting.is_empty() && now >= self.paused_until
    }

    /// The messages that have rested long enough join the queue, each at its place.
    fn wake(&mut self, ledger: &mut Ledger, now: Duration) {
        while let Some(first) = self.resting.first().copied().filter(|(at, _)| *at <= now) {
            self.resting.remove(&first);
            if let Some((number, priority)) = ledger.wake(first.1, now) {
                self.waiting.restore(priority, number, first.1);
            }
        }
    }

    /// Opens a stream for each message that waits, as far as streams, windows, deadlines, `limit` and `room` allow.
    /// Returns the slots of the requests that a connection finds unusable, and why.
    #[allow(clippy::too_many_arguments)]
    pub(super) fn fill(
        &mut self,
        links: &mut Links,
        ledger: &mut Ledger,
        limit: Option<&mut TokenBucket>,
        room: usize,
        authorization: &BatchAuthorization,
        service: &Service,
        now: Now,
    ) -> Vec<(u32, Error)> {
        ledger.begin_opening(now.monotonic);
        let mut rejected = Vec::new();
        self.fill_links(
            links,
            ledger,
            limit,
            room,
            authorization,
            service,
            now,
            &mut rejected,
        );
        self.waiting.tidy(ledger);
        rejected
    }

    #[allow(clippy::too_many_arguments)]
    fn fill_links(
        &mut self,
        links: &mut Links,
        ledger: &mut Ledger,
        mut limit: Option<&mut TokenBucket>,
        mut room: usize,
        authorization: &BatchAuthorization,
        service: &Service,
        now: Now,
        rejected: &mut Vec<(u32, Error)>,
    ) {
        for id in &self.links {
            let Some(link) = links.get_mut(*id).filter(|link| link.can_send()) else {
                continue;
            };
            while link.may_have_more() {
                if room == 0 {
                    return;
                }
                let Some(ticket) = self.waiting.front() else {
                    return;
                };
                let Some((slot, pending)) = ledger.find_mut(ticket) else {
                    self.waiting.skip();
                    continue;
                };
                if pending.is_overdue(now.monotonic) {
                    // Its end is due, and filling goes on after it.
                    return;
                }
                if !link.fits_window(pending.request().body.len()) {
                    break;
                }
                if limit
                    .as_deref_mut()
                    .is_some_and(|bucket| !bucket.take(now.monotonic))
                {
                    return;
                }
                let authorized = match authorization {
                    _ if pending.keeps_authorization() => Ok(()),
                    BatchAuthorization::Shared(shared) => {
                        pending.authorize(shared.as_ref());
                        Ok(())
                    }
                    BatchAuthorization::Each => service
                        .authorization_of(pending.context(), &self.authority, now)
                        .map(|own| pending.authorize_alone(own)),
                };
                let sent = match authorized {
                    Ok(()) => link.send(pending.request(), slot, now),
                    Err(error) => Err(SendError::Invalid(error)),
                };
                match sent {
                    Ok(request) => {
                        room -= 1;
                        self.waiting.pop_front();
                        ledger.open(slot, *id, request, now.monotonic);
                    }
                    Err(refusal) => {
                        if let Some(bucket) = limit.as_deref_mut() {
                            bucket.put_back();
                        }
                        match refusal {
                            SendError::Invalid(error) => {
                                self.waiting.pop_front();
                                rejected.push((slot, error));
                            }
                            SendError::Full | SendError::Closed => break,
                        }
                    }
                }
            }
        }
    }

    // Connections

    /// A connection is being made; `a_minute` is how many may be made in a minute.
    pub(super) fn add_link(&mut self, link: LinkId, a_minute: u32, now: Duration) {
        self.links.push(link);
        self.dials.spend(a_minute, now);
        self.wanting = false;
    }

    /// The host waits for its turn to have a connection, or does not any more. Returns whether that is news.
    pub(super) fn set_wanting(&mut self, wanting: bool) -> bool {
        std::mem::replace(&mut self.wanting, wanting) != wanting
    }

    /// Whether the host still needs the connection that it waits for.
    pub(super) fn wants_link(&self) -> bool {
        self.wanting && self.links.is_empty() && !self.waiting.is_empty()
    }

    /// Since when the host has its turn; `None` where it has none, or where the turn is over.
    pub(super) fn turn_began(&self) -> Option<Duration> {
        self.turn_began.filter(|_| !self.yields)
    }

    /// The host gives its place to another one.
    pub(super) fn end_turn(&mut self) {
        self.yields = true;
    }

    /// The last connection is gone. Returns whether the host has given its place to another one.
    pub(super) fn note_unconnected(&mut self) -> bool {
        self.turn_began = None;
        std::mem::take(&mut self.yields)
    }

    /// Whether the host is to be left alone for a while.
    pub(super) fn is_left_alone(&self, now: Duration) -> bool {
        self.resumes_at() > now
    }

    pub(super) fn used_at(&self) -> Duration {
        self.used_at
    }

    /// Makes the host clean. Returns whether it was given messages since the last flush.
    pub(super) fn clean(&mut self) -> bool {
        std::mem::take(&mut self.dirty)
    }

    /// Until when the service has asked for a pause.
    pub(super) fn paused_until(&self) -> Duration {
        self.paused_until
    }

    /// Takes over the pause that was asked for other traffic to the same host.
    pub(super) fn pause_until(&mut self, until: Duration) {
        self.paused_until = self.paused_until.max(until);
    }

    /// A connection can be sent over.
    pub(super) fn note_ready(&mut self, now: Duration) {
        self.ever_ready = true;
        self.turn_began.get_or_insert(now);
        self.last_failure = None;
    }

    /// A response came: the host works.
    #[inline]
    pub(super) fn note_answer(&mut self) {
        self.answers += 1;
        self.backoff.reset();
        self.spoiled = 0;
    }

    /// An answer has spoiled a connection. Returns whether the one before it was spoiled, too: then the next one has to
    /// wait, longer each time.
    pub(super) fn note_spoiled(&mut self, now: Duration) -> bool {
        self.spoiled = self.spoiled.saturating_add(1);
        let again = self.spoiled > 1;
        if again {
            self.back_off(now, Duration::ZERO);
        }
        again
    }

    /// The number of requests on its connections.
    pub(super) fn in_flight(&self, links: &Links) -> usize {
        let links = self.links.iter().filter_map(|link| links.get(*link));
        links.map(Link::in_flight).sum()
    }

    /// Whether the service has asked for a pause that is not over.
    pub(super) fn is_paused(&self, now: Duration) -> bool {
        self.paused_until > now
    }

    /// When requests may go out: now, or at the end of a pause that the service has asked for.
    #[inline]
    pub(super) fn sends_from(&self, now: Duration) -> Duration {
        self.paused_until.max(now)
    }

    /// The messages that wait cannot be sent, for this reason.
    pub(super) fn note_failure(&mut self, error: Error) {
        self.last_failure = Some(error);
    }

    /// A connection is over, perhaps with an error. Returns the error where the messages that wait are to
    /// end because of it.
    pub(super) fn remove_link(
        &mut self,
        id: LinkId,
        link: &Link,
        error: Option<Error>,
        now: Duration,
    ) -> Option<Error> {
        self.used_at = now;
        self.links.retain(|other| *other != id);
        if error
            .as_ref()
            .is_some_and(|error| error.kind() == ErrorKind::OutOfDescriptors)
        {
            // It says nothing of the host: the messages wait until this machine has room.
            self.last_failure = error;
            return None;
        }
        // A connection that did its work and then ended is replaced at once. One that never
        // answered anything is not: a server that turns everybody away is not to be hammered.
        if link.is_a_failure() {
            // A server that restarts is back in a moment.
            let absent = !link.is_ready() && error.as_ref().is_some_and(retry::is_absence);
            match absent && self.answers > 0 {
                true => self.back_off_by(Backoff::next_short_wait, now, Duration::ZERO),
                false => self.back_off(now, Duration::ZERO),
            };
        }
        let error = error?;
        let first_contact = !self.ever_ready && self.backoff.attempts() >= FIRST_CONTACT_ATTEMPTS;
        if retry::is_permanent(&error) || first_contact {
            return Some(error);
        }
        self.last_failure = Some(error);
        None
    }

    /// Makes no new connection for the next step of the back-off. Where such a step is under way, and more
    /// than `least` of it is left, this is about the same trouble, and that step is all. Returns
    /// how long it still takes.
    pub(super) fn back_off(&mut self, now: Duration, least: Duration) -> Duration {
        self.back_off_by(Backoff::next_wait, now, least)
    }

    fn back_off_by(
        &mut self,
        next: fn(&mut Backoff) -> Duration,
        now: Duration,
        least: Duration,
    ) -> Duration {
        if self.dial_after.saturating_sub(now) <= least {
            let wait = next(&mut self.backoff);
            self.dial_after = now.saturating_add(wait);
        }
        self.dial_after.saturating_sub(now)
    }

    /// Sends no request for `wait` at least. A shorter pause does not end a longer one.
    pub(super) fn pause(&mut self, wait: Duration, now: Duration) {
        self.paused_until = self.paused_until.max(now.saturating_add(wait));
    }

    /// Sends no request for `wait` at least, and a little longer, so that not all clients come back at once.
    pub(super) fn pause_spread(&mut self, wait: Duration, now: Duration) {
        if self.paused_until < now.saturating_add(wait) {
            let wait = self.backoff.spread_up(wait);
            self.paused_until = now.saturating_add(wait);
        }
    }

    /// Returns until when a message rests for `rest`, shortened or lengthened by the jitter of this host; `None`
    /// where it does not rest. Messages that are refused together rest together: each with a
    /// jitter of its own, they would change their order.
    pub(super) fn rest(&mut self, rest: Duration, now: Duration) -> Option<Duration> {
        if rest.is_zero() {
            return None;
        }
        let (length, until) = self.last_rest;
        if length != rest || until.saturating_sub(now) < rest * 3 / 4 {
            let spread = self.backoff.spread(rest);
            self.last_rest = (rest, now.saturating_add(spread));
        }
        Some(self.last_rest.1)
    }

    /// The host has complained of the client's PINGs: from now on they are half as frequent.
    pub(super) fn ping_less(&mut self) {
        self.ping_doublings = self.ping_doublings.saturating_add(1);
    }
}
