//! Credentials and connections together: messages go in, outcomes come out.
//!
//! A [`Session`] owns the queue, the tokens and the connections of one service.
//! It opens no socket: the owner of the sockets (the driver) asks it what to do.
//!
//! ```text
//!       submit(message), flush()                     poll_outcome()
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
//!   They never fail: failure is an outcome or an event. They flush.
//! * C, commands: [`submit`](Session::submit), [`flush`](Session::flush), [`cancel`](Session::cancel),
//!   [`close`](Session::close)
//! * D, outputs: [`poll_action`](Session::poll_action), [`transmit`](Session::transmit) and
//!   [`transmitted`](Session::transmitted), [`poll_outcome`](Session::poll_outcome), [`poll_event`](Session::poll_event).
//!   They send nothing.
//!
//! 1. Submit as many messages as there are and as `capacity` allows; then `flush`, once for all of them.
//! 2. Carry out every action of `poll_action`.
//! 3. For every link, write what `transmit` shows, and say with `transmitted` how much went out.
//! 4. Fetch the outcomes.
//! 5. Wait for a readable socket, at most until `poll_timeout`; then `receive`, or `handle_timeout`.
//!
//! `poll_timeout` says "now" while submitted messages are not flushed: a driver that forgets to flush is late by
//! one turn of its loop, and loses nothing.
//!
//! # Accounting
//!
//! Every submitted message (and every [exchange](Session::exchange)) ends exactly once, with an [`Ending`]: the
//! service's answer, or `NotSent`, `Unknown`, `Expired` or `Cancelled`. [`Stats::is_balanced`]
//! holds after every call.
//!
//! # Inside
//!
//! The session itself only passes on: to the ledger (where each message is, and the counts), the hosts (queues,
//! pauses, back-off, dialling), the links (one connection each), `retry` (decisions), the limits and the
//! fetch of the token.

mod backoff;
mod config;
mod crowd;
mod ending;
mod event;
mod gate;
mod host;
mod hosts;
mod id;
mod latency;
mod ledger;
mod limits;
mod link;
mod metrics;
mod plan;
mod queue;
mod report;
mod retry;
mod service;
mod stats;
#[cfg(test)]
mod tests;
mod timers;
mod token;

use std::collections::VecDeque;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

pub use config::{Delivery, Priority, SendOptions, SessionConfig};
pub use ending::{Ended, Ending};
pub use event::{Action, DialReason, EventLevel, EventParts, LetGoReason, SessionEvent};
pub use id::{LinkId, Ticket};
pub use latency::{Histogram, Latencies};
pub use metrics::Metrics;
pub use report::{ConnectionReport, HostReport, WaitsFor};
pub use stats::Stats;

use crowd::Crowd;
use ending::Unanswered;
use gate::{Allowance, Gates};
use host::{BatchAuthorization, Host};
use hosts::Hosts;
use id::HostId;
use ledger::{Again, Doubt, Entrant, Ledger, Manner, Marks, Place, Purpose, Withdrawal};
use limits::Limits;
use link::{Link, LinkEvent, Links, Terms, refusal};
use retry::{AfterFailure, Remedy};
use service::{Context, Permit, Service};
use token::TokenFetch;

use crate::backend::Traffic;
use crate::error::{Error, ErrorKind};
use crate::http::{Authority, HeaderBlock, Request, Response, retry_after};
use crate::net::h2::{HeaderBytes, check_path, error_code as code};
use crate::net::{Connection, Processed, Security, SendError};
use crate::outcome::{Circumstances, Observed, OnSuspicion, Outcome, Scope, Suspect, Witness};
use crate::service::{AsMessage, Call};
use crate::time::Now;

/// The number of events that are kept for an owner that does not fetch them.
const MAX_EVENTS: usize = 1024;

/// The number of doubtful answers that are held back at a time: a few kilobytes each at most.
const MOST_HELD: usize = 1000;

/// The longest time that a doubtful answer is held back: other answers of a bulk send come within milliseconds, and its
/// caller waits.
const LONGEST_HELD: Duration = Duration::from_secs(5);

/// The name that gRPC's servers have for a client that asks too often whether they are there (GOAWAY's debug
/// data). The client is to ask half as often from then on.
const TOO_MANY_PINGS: &str = "too_many_pings";

/// Messages in, outcomes out, for one service and one credential.
#[derive(Debug)]
pub struct Session {
    config: Arc<SessionConfig>,
    service: Service,
    ledger: Ledger,
    hosts: Hosts,
    links: Links,
    crowd: Crowd,
    limits: Limits,
    token: TokenFetch,
    witness: Witness<Doubt>,
    gates: Gates,
    /// The service has begun to take the key: what waits everywhere can go out.
    opened: bool,
    /// Messages wait for an authorization, perhaps for one that its owner brings without telling.
    unauthorized: bool,
    actions: VecDeque<Action>,
    events: VecDeque<SessionEvent>,
    /// The bytes of header blocks on connections that are gone.
    header_bytes: HeaderBytes,
    /// The latest time seen; monotonic clocks that step back are held here.
    now: Now,
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
    /// As [`SessionConfig::check`]; `InvalidCredential` when the credentials are a certificate that `security` does
    /// not present.
    pub fn new(
        service: impl Into<crate::service::Service>,
        security: Security,
        config: SessionConfig,
        now: Now,
    ) -> Result<Self, Error> {
        config.check()?;
        let seed = config.seed.unwrap_or_else(crate::crypto::random_u64);
        let service = Service::new(service.into(), security, &config)?;
        let call_rate = config.call_rate.or(service.call_rate());
        Ok(Self {
            ledger: Ledger::new(config.response_timeout),
            hosts: Hosts::new(seed),
            links: Links::default(),
            crowd: Crowd::default(),
            limits: Limits::new(config.rate, call_rate, now.monotonic),
            token: TokenFetch::default(),
            witness: Witness::holding(MOST_HELD),
            gates: Gates::new(service.key_is_judged_by_origin(), &config, seed),
            opened: false,
            unauthorized: false,
            actions: VecDeque::new(),
            events: VecDeque::new(),
            header_bytes: HeaderBytes::default(),
            config: Arc::new(config),
            service,
            now,
            closing: false,
        })
    }

    // A. Getters

    /// Returns the service that the session sends to.
    pub fn service(&self) -> &crate::service::Service {
        self.service.value()
    }

    /// How many more messages `submit` takes now.
    #[inline]
    pub fn capacity(&self) -> usize {
        if self.closing {
            0
        } else {
            self.config
                .max_queued
                .saturating_sub(self.ledger.queued() as usize)
        }
    }

    /// How many more messages a bulk send is to hand in now: none while all that waits is waiting for the end of a pause
    /// that the service has asked for; otherwise [`Session::capacity`], less the places that are kept for interactive messages.
    pub fn bulk_capacity(&self) -> usize {
        self.capacity_for(&SendOptions::default().bulk())
    }

    /// How many more messages with these options are to be handed in now: [`Session::bulk_capacity`] for a bulk send, and
    /// [`Session::capacity`] for messages that somebody waits for.
    pub fn capacity_for(&self, options: &SendOptions) -> usize {
        let now = self.now.monotonic;
        match options.bulk && self.ledger.queued() > 0 && self.hosts.are_paused(now) {
            true => 0,
            false => self.capacity_of(options.effective_priority()),
        }
    }

    /// How many more messages of a priority are taken now.
    #[inline]
    fn capacity_of(&self, priority: Priority) -> usize {
        match priority {
            Priority::Interactive => self.capacity(),
            Priority::Bulk => self.capacity().saturating_sub(self.config.max_queued / 8),
        }
    }

    /// How many messages are where.
    pub fn stats(&self) -> Stats {
        self.ledger.stats()
    }

    /// Returns every connection as it is now: what an operator wants to see.
    pub fn connections(&self) -> Vec<ConnectionReport> {
        let report = |link: &Link| {
            let host = self.hosts.get(link.host())?;
            Some(link.report(host.authority().clone()))
        };
        self.links.iter().filter_map(report).collect()
    }

    /// Returns every host that is connected or that messages wait for, with what they wait for.
    pub fn hosts(&self) -> Vec<HostReport> {
        let now = self.now.monotonic;
        let hosts = self.hosts.iter().filter(|(_, host)| host.is_of_interest());
        hosts.map(|(_, host)| host.report(&self.links, now)).collect()
    }

    /// Returns the counts and latencies of the session, for a monitoring system.
    pub fn metrics(&self) -> Metrics {
        Metrics {
            service: self.service.value().kind(),
            stats: self.stats(),
            latencies: *self.ledger.latencies(),
        }
    }

    /// The session's configuration.
    pub fn config(&self) -> &SessionConfig {
        &self.config
    }

    /// When `handle_timeout` has to be called, on the monotonic clock; `None` is never. Now, while submitted
    /// messages wait for [`Session::flush`].
    pub fn poll_timeout(&self) -> Option<Duration> {
        if self.hosts.are_dirty() {
            return Some(self.now.monotonic);
        }
        let (limits, token) = (self.limits.next_at(), self.service.poll_timeout());
        let hosts = self
            .hosts
            .poll_timeout(&self.ledger, &self.links, &self.config, limits, token);
        let held = self
            .witness
            .oldest()
            .map(|doubt| doubt.since.saturating_add(LONGEST_HELD));
        let gates = self.gates.next_at();
        let timers = [
            self.links.poll_timeout(),
            hosts,
            self.ledger.next_due(),
            held,
            gates,
            self.crowd.next_at(),
        ];
        timers.into_iter().flatten().min()
    }

    /// The connections there are, whatever their state.
    pub fn links(&self) -> impl Iterator<Item = LinkId> {
        self.links.iter().map(Link::id)
    }

    /// Returns the number that the driver gave a message ([`SendOptions::driver_data`]); `None` where the message has ended.
    pub fn driver_data(&self, ticket: Ticket) -> Option<u64> {
        let pending = self.ledger.get(self.ledger.find(ticket)?)?;
        Some(pending.marks().driver_data)
    }

    /// Every unfinished message, and whether the service may have acted on it: what a journal
    /// needs to know before the process ends.
    pub fn unfinished(&self) -> impl Iterator<Item = (Ticket, Processed)> {
        let all = self.ledger.unfinished();
        let callers = all.filter(|(_, pending)| pending.purpose() != Purpose::Token);
        callers.map(|(ticket, pending)| {
            let processed = match self.ledger.place(ticket) {
                _ if pending.is_in_doubt() => Processed::Unknown,
                Some(Place::Open { link, request }) => match self.links.get(link) {
                    Some(link) => link.processed(request),
                    None => Processed::Unknown,
                },
                _ => Processed::No,
            };
            (ticket, processed)
        })
    }

    /// Whether the driver may connect to this address: the endpoint policy's last word, after
    /// name resolution.
    ///
    /// # Errors
    /// `AddressNotAllowed`.
    pub fn allow_address(&self, authority: &Authority, address: IpAddr) -> Result<(), Error> {
        self.service.allow_address(authority, address)
    }

    /// Whether the driver connects `link` without its proxy: the machine's metadata server is
    /// reached without leaving the machine, or not at all.
    pub fn is_direct(&self, link: LinkId) -> bool {
        let host = self.links.get(link).and_then(|link| self.hosts.get(link.host()));
        host.is_some_and(|host| host.traffic() == Traffic::Metadata)
    }

    /// Whether the answers look as if environment, topic, sender, VAPID key or payload were wrong, and
    /// not the tokens. See [`Witness`].
    pub fn is_mix_up_suspected(&self) -> bool {
        self.witness.is_suspected()
    }

    /// The bytes of all header blocks on all HTTP/2 connections of the session, those that are gone
    /// included: what a push costs beside its body. The difference between two calls, divided by the number of
    /// pushes between them, is the cost of one; see [`HeaderPolicy`](crate::apns::HeaderPolicy).
    pub fn header_bytes(&self) -> HeaderBytes {
        let mut total = self.header_bytes;
        for link in self.links.iter() {
            total += link.header_bytes();
        }
        total
    }

    /// Whether every message has ended and every connection is gone.
    pub fn is_closed(&self) -> bool {
        self.closing && self.ledger.is_idle() && self.links.iter().next().is_none()
    }

    // B. Inputs

    /// The socket of `link` is connected.
    pub fn connected(&mut self, link: LinkId, now: Now) {
        let now = self.tick(now);
        if let Some(link) = self.links.get_mut(link) {
            link.note_dialled();
        }
        self.drain(link, now);
        self.finish_input(now);
    }

    /// The socket of `link` could not be connected. The driver forgets the link.
    pub fn connect_failed(&mut self, link: LinkId, error: Error, now: Now) {
        let now = self.tick(now);
        self.remove_link(link, Some(error), now);
        self.finish_input(now);
    }

    /// Bytes from the socket of `link`.
    pub fn receive(&mut self, link: LinkId, bytes: &[u8], now: Now) {
        let now = self.tick(now);
        if let Some(link) = self.links.get_mut(link) {
            link.receive(bytes, now);
        }
        self.drain(link, now);
        self.finish_input(now);
    }

    /// The socket of `link` has come to its end (or failed: that is the same to HTTP).
    pub fn receive_eof(&mut self, link: LinkId, now: Now) {
        let now = self.tick(now);
        if let Some(link) = self.links.get_mut(link) {
            link.receive_eof(now);
        }
        self.drain(link, now);
        // A connection that ends without saying so is over all the same.
        self.remove_link(link, None, now);
        self.finish_input(now);
    }

    /// Time has passed: at least until the last `poll_timeout`, or not; calling too often does no harm.
    pub fn handle_timeout(&mut self, now: Now) {
        let now = self.tick(now);
        self.limits.fill(now.monotonic);
        // Everybody who may have waited for one of these is asked.
        let permits = self.limits.are_any() || self.service.poll_timeout().is_some() || self.unauthorized;
        let late = self.gates.wait_no_longer(now.monotonic);
        self.unauthorized = false;
        self.links.settle();
        for id in self.links.due(now.monotonic) {
            self.link_timeout(id, now);
        }
        if self.ledger.next_due().is_some_and(|due| due <= now.monotonic) {
            self.expire(now);
        }
        let long_ago = now.monotonic.saturating_sub(LONGEST_HELD);
        if self.witness.oldest().is_some_and(|doubt| doubt.since <= long_ago) {
            self.witness.release_if(|doubt| doubt.since <= long_ago);
            self.tell_doubts(now);
        }
        self.fill_dirty(now);
        self.hosts.settle(&self.ledger, &self.links, &self.config);
        let mut hosts = self.hosts.due(now.monotonic);
        if permits || late {
            hosts.extend(self.hosts.waiting().map(|(id, _)| id));
        }
        hosts.sort_unstable();
        hosts.dedup();
        for id in hosts {
            self.fill(id, now);
        }
        self.finish_input(now);
    }

    // C. Commands

    /// Takes a message, to be sent as soon as a stream is free: at the next [`Session::flush`] at the earliest.
    ///
    /// # Errors
    /// `QueueFull` above [`SessionConfig::max_queued`]; `Closed` after [`Session::close`]; `Misuse`
    /// when the message is for another service; and what the message's service finds wrong with it.
    /// A message that is not taken is not counted.
    pub fn submit(
        &mut self,
        message: &(impl AsMessage + ?Sized),
        options: SendOptions,
        now: Now,
    ) -> Result<Ticket, Error> {
        let now = self.tick(now);
        self.check_capacity(options)?;
        let (slot, request) = self.ledger.reserve()?;
        let message = message.as_message();
        match self.service.write(message, request, now) {
            Ok(context) => {
                let circumstances = self.service.circumstances(message);
                self.enqueue(slot, Purpose::Push, context, circumstances, options, now)
            }
            Err(error) => {
                self.ledger.release(slot);
                Err(error)
            }
        }
    }

    /// Takes a call: channels, topics, groups, withdrawals. Its answer comes from
    /// [`Session::poll_response`] and is read with [`Call::read`]. `None` while the access token that
    /// the call needs is being fetched: ask again.
    ///
    /// # Errors
    /// As [`Call::request`], [`Session::fetch_authorization`] and [`Session::exchange`].
    pub fn call(
        &mut self,
        call: &(impl Call + ?Sized),
        options: SendOptions,
        now: Now,
    ) -> Result<Option<Ticket>, Error> {
        let request = match call.request(self.service(), now) {
            Err(error) if error.kind() == ErrorKind::TokenNeeded => {
                if !self.fetch_authorization(now)? {
                    return Ok(None);
                }
                call.request(self.service(), now)?
            }
            made => made?,
        };
        self.exchange(request, options, now).map(Some)
    }

    /// Takes a request to one of the service's hosts, made by its module (`apns::channel_request`,
    /// `fcm::topics`, `webpush::delete` and so on). Where it carries no authorization, the
    /// session's own is added when it is sent. It ends in [`Session::poll_response`], and is
    /// counted in [`Stats::exchanges_answered`] or where a message would be.
    ///
    /// It is never sent again once it was written, whatever [`Delivery`] says,
    /// except after an answer that refuses the authorization: then once, with another one.
    ///
    /// # Errors
    /// As [`Session::submit`]; `Misuse` when the request is for none of the service's hosts:
    /// its credentials would get into the wrong hands; `InvalidValue` when its path is not visible ASCII
    /// beginning with `/`; what the endpoint policy says (Web Push).
    pub fn exchange(&mut self, request: Request, options: SendOptions, now: Now) -> Result<Ticket, Error> {
        let now = self.tick(now);
        self.check_capacity(options)?;
        self.service.check_host(&request)?;
        if let Err(SendError::Invalid(error)) = check_path(&request.path) {
            return Err(error);
        }
        let slot = self.ledger.reserve_with(request)?;
        self.enqueue(slot, Purpose::Call, Context::None, None, options, now)
    }

    /// Puts the messages submitted since the last flush on streams, as far as that goes now. Call it once after
    /// many calls of `submit`: then many messages leave in one write. The inputs flush by themselves.
    pub fn flush(&mut self, now: Now) {
        let now = self.tick(now);
        self.fill_dirty(now);
        self.admit(now);
        self.settle();
    }

    /// Ends a message as `Cancelled`. What was written already may still be shown by a device.
    /// Returns false when the message has ended already.
    pub fn cancel(&mut self, ticket: Ticket, now: Now) -> bool {
        let now = self.tick(now);
        let cancelled = self.withdraw(ticket, Withdrawal::Cancelled, now);
        self.close_when_idle(now);
        cancelled
    }

    /// [`Session::cancel`] of many at once: those that wait first, so that none of them takes the stream of another. Returns how
    /// many had not ended.
    pub fn cancel_all(&mut self, tickets: &[Ticket], now: Now) -> usize {
        let now = self.tick(now);
        let (waiting, others): (Vec<_>, Vec<_>) = tickets
            .iter()
            .partition(|ticket| matches!(self.ledger.place(**ticket), Some(Place::Queued { .. })));
        let cancel = |ticket: &Ticket| self.withdraw(*ticket, Withdrawal::Cancelled, now);
        let cancelled = waiting
            .into_iter()
            .chain(others)
            .copied()
            .collect::<Vec<Ticket>>();
        let cancelled = cancelled.iter().map(cancel).filter(|done| *done).count();
        self.close_when_idle(now);
        cancelled
    }

    /// The number of doubtful answers that are held back (see [`SendOptions::bulk`]) for the messages whose [`SendOptions::driver_data`] is chosen.
    pub fn held(&self, mut chosen: impl FnMut(u64) -> bool) -> usize {
        self.witness
            .tickets()
            .filter(|doubt| chosen(doubt.marks.driver_data))
            .count()
    }

    /// Ends the messages whose [`SendOptions::driver_data`] is chosen and whose doubtful answers are held back: no other answer will make them
    /// certain. Call it when the last message of a bulk send has been answered.
    pub fn release_held(&mut self, mut chosen: impl FnMut(u64) -> bool, now: Now) {
        let now = self.tick(now);
        if self.witness.held() > 0 {
            self.witness.release_if(|doubt| chosen(doubt.marks.driver_data));
            self.tell_doubts(now);
        }
    }

    /// Asks for an access token ahead of the requests that need it. Returns whether requests can be authorized
    /// now; if not, an access token is being fetched, or
    /// waits for its endpoint to recover. For the services' functions that say `TokenNeeded`: ask
    /// again until it is true. Never necessary for [`Session::submit`].
    ///
    /// # Errors
    /// The answer of the token endpoint, when it refused the credential; what makes a token request
    /// or a provider token impossible.
    pub fn fetch_authorization(&mut self, now: Now) -> Result<bool, Error> {
        let now = self.tick(now);
        if self.closing {
            return Err(Error::new(ErrorKind::Closed, "the session is closed"));
        }
        let (ready, fetch) = match self.service.authorize(now) {
            Permit::Go { fetch, .. } => (true, fetch),
            Permit::Each => (true, None),
            Permit::Wait { fetch } => (false, fetch),
            Permit::Refuse(error) => return Err(error),
        };
        match (fetch, self.token.refusal()) {
            (Some(request), _) => self.fetch_token(request, now),
            (None, Some(error)) if !ready => return Err(error.clone()),
            (None, _) => {}
        }
        Ok(ready)
    }

    /// Takes no more messages; those taken go on to their end, then the connections are closed.
    pub fn close(&mut self, now: Now) {
        let now = self.tick(now);
        self.closing = true;
        self.close_when_idle(now);
    }

    /// Ends every message now: `NotSent` where nothing was written, `Unknown` otherwise. For an
    /// owner that goes away. The outcomes can still be fetched.
    pub fn abandon(&mut self, now: Now) {
        let now = self.tick(now);
        self.closing = true;
        for id in self.hosts.waiting().map(|(id, _)| id).collect::<Vec<_>>() {
            if let Some(host) = self.hosts.get_mut(id) {
                host.take_waiting(&self.ledger);
            }
        }
        for ticket in self.ledger.tickets() {
            self.withdraw(ticket, Withdrawal::Abandoned, now);
        }
        self.close_when_idle(now);
    }

    // D. Outputs

    /// The next thing for the driver to do.
    pub fn poll_action(&mut self) -> Option<Action> {
        self.actions.pop_front()
    }

    /// The next connection that may have bytes to write: each is named once after each change. For drivers with many connections;
    /// a socket that does not take all of its bytes has to be remembered by the driver.
    pub fn poll_writable(&mut self) -> Option<LinkId> {
        self.links.poll_writable()
    }

    /// The bytes that are to be written to the socket of `link` now. Ask again after every other call.
    pub fn transmit(&mut self, link: LinkId) -> &[u8] {
        match self.links.get_to_write(link) {
            Some(link) => link.transmit(),
            None => &[],
        }
    }

    /// The first `count` bytes of what `transmit` showed have been written.
    pub fn transmitted(&mut self, link: LinkId, count: usize) {
        if let Some(link) = self.links.get_to_write(link) {
            link.transmitted(count);
        }
    }

    /// The next message that has ended.
    #[inline]
    pub fn poll_outcome(&mut self) -> Option<(Ticket, Result<Outcome, Error>)> {
        let ended = self.ledger.poll_outcome()?;
        Some((ended.ticket, ended.into_result()))
    }

    /// Appends every message that has ended to `ended`, at once. The memory of an empty `ended` is used for
    /// the next ones.
    pub fn take_outcomes(&mut self, ended: &mut VecDeque<Ended>) {
        self.ledger.take_outcomes(ended);
    }

    /// The next exchange that has ended.
    pub fn poll_response(&mut self) -> Option<(Ticket, Result<Response, Error>)> {
        let (ticket, ending) = self.ledger.poll_response()?;
        Some((ticket, ending.into_result()))
    }

    /// The next thing that happened, for logs and metrics.
    pub fn poll_event(&mut self) -> Option<SessionEvent> {
        if self.ledger.take_fault() {
            self.note_fault("more messages have left a place than had come there");
        }
        self.events.pop_front()
    }

    // Taking messages

    #[inline]
    fn check_capacity(&self, options: SendOptions) -> Result<(), Error> {
        if self.closing {
            return Err(Error::new(ErrorKind::Closed, "the session is closed"));
        }
        match self.capacity_of(options.effective_priority()) {
            0 => Err(Error::new(
                ErrorKind::QueueFull,
                "the queue is full: fetch outcomes first",
            )),
            _ => Ok(()),
        }
    }

    /// Puts a slot whose request has been written into the queue of its host.
    #[inline]
    fn enqueue(
        &mut self,
        slot: u32,
        purpose: Purpose,
        context: Context,
        circumstances: Option<Circumstances>,
        options: SendOptions,
        now: Now,
    ) -> Result<Ticket, Error> {
        let traffic = match purpose {
            Purpose::Call if self.limits.bound_calls() => Traffic::Calls,
            _ if options.suspect => Traffic::Suspect,
            _ => Traffic::Main,
        };
        let host = match self.host_of(slot, traffic, now) {
            Ok(host) => host,
            Err(error) => {
                self.ledger.release(slot);
                return Err(error);
            }
        };
        let deadline = options.deadline.unwrap_or(self.config.deadline);
        let manner = Manner {
            bulk: options.bulk,
            patient: options.bulk && options.deadline.is_none(),
            priority: options.effective_priority(),
            on_suspicion: options.on_suspicion,
        };
        let begins = match manner.patient {
            true => self
                .hosts
                .get(host)
                .map_or(now.monotonic, |host| host.sends_from(now.monotonic)),
            false => now.monotonic,
        };
        let entrant = Entrant {
            purpose,
            host,
            marks: Marks {
                user_data: options.user_data,
                driver_data: options.driver_data,
            },
            deadline: begins.saturating_add(deadline),
            circumstances,
            manner,
        };
        let ticket = self.ledger.queue(slot, entrant, context, now.monotonic)?;
        self.hosts.push_back(host, manner.priority, ticket, now.monotonic);
        Ok(ticket)
    }

    /// The host for the request in a slot.
    #[inline]
    fn host_of(&mut self, slot: u32, traffic: Traffic, now: Now) -> Result<HostId, Error> {
        let request = self.ledger.request(slot);
        let Some(authority) = request.and_then(|request| request.authority.as_ref()) else {
            return Err(Error::new(ErrorKind::Misuse, "the request names no host"));
        };
        if let Some(id) = self.hosts.find(authority, traffic) {
            return Ok(id);
        }
        let authority = authority.clone();
        Ok(self.host(&authority, traffic, now))
    }

    /// The host of `authority` and `traffic`, made when there is none yet. Callers whose users name hosts (Web Push) do not have
    /// their memory filled with them: hosts without messages and connections are forgotten.
    fn host(&mut self, authority: &Authority, traffic: Traffic, now: Now) -> HostId {
        match self.hosts.find(authority, traffic) {
            Some(id) => id,
            None => self.hosts.make(authority, traffic, &self.config, now.monotonic),
        }
    }

    // Connections and those who compete for them

    /// Whether a host may have its first connection.
    fn has_room(&mut self, now: Now) -> bool {
        self.crowd.raise(now.monotonic);
        self.hosts.connected() < self.config.max_hosts.max(2) && self.crowd.allows_another(self.links.len())
    }

    /// Makes room for a host's first connection: lets hosts go that have nothing to do, those first that were not used for
    /// longest. Returns whether there is room.
    fn make_room(&mut self, now: Now) -> bool {
        while !self.has_room(now) {
            self.settle();
            let Some(id) = self.hosts.least_missed() else {
                return false;
            };
            let links = self.hosts.get(id).map(|host| host.links().to_vec());
            for link in links.into_iter().flatten() {
                let reason = LetGoReason::MadeRoom;
                self.note(SessionEvent::LetGo { link, reason });
                self.close_link(link, now);
            }
            if self.hosts.get(id).is_some_and(|host| !host.links().is_empty()) {
                return false;
            }
        }
        true
    }

    /// Gives connections to the hosts that wait for one, as far as there is room. What waits for hosts that are connected is sent
    /// first, because only a host that nothing waits for is let go.
    fn admit(&mut self, now: Now) {
        while let Some(id) = self.crowd.first() {
            if self.hosts.get(id).is_some_and(Host::wants_link) && !self.make_room(now) {
                return;
            }
            self.crowd.pop();
            let wanted = match self.hosts.get_mut(id) {
                Some(host) => host.wants_link() & host.set_wanting(false),
                None => false,
            };
            if wanted {
                self.fill(id, now);
            }
        }
    }

    /// Enters what has changed where it belongs.
    fn settle(&mut self) {
        self.links.settle();
        self.hosts.settle(&self.ledger, &self.links, &self.config);
    }

    // Sending

    /// Fills the hosts that were given messages since the last flush.
    fn fill_dirty(&mut self, now: Now) {
        while let Some(id) = self.hosts.next_dirty() {
            self.fill(id, now);
        }
    }

    /// Sends what waits for this host, as far as streams, windows and limits allow; asks for a
    /// connection where that is not far enough.
    fn fill(&mut self, id: HostId, now: Now) {
        let Some(host) = self.hosts.get_mut(id) else {
            return;
        };
        if !host.begin_filling(&mut self.ledger, now.monotonic) {
            return;
        }
        let mut room = usize::MAX;
        if !host.traffic().is_for_tokens() {
            match self.gates.ask(host.authority(), now.monotonic) {
                Allowance::Free => {}
                Allowance::AtMost(count) => room = count.saturating_sub(host.in_flight(&self.links)),
                Allowance::Refuse(cause) => return self.end_waiting(id, &cause, now),
            }
        }
        if room == 0 {
            return;
        }
        self.ask_doubtful(id, now);
        let Some(host) = self.hosts.get(id) else {
            return;
        };
        let permit = match host.traffic() {
            Traffic::Token | Traffic::Metadata => Permit::Go {
                authorization: None,
                fetch: None,
            },
            Traffic::Main | Traffic::Suspect | Traffic::Calls => self.service.authorize(now),
        };
        let (authorization, fetch) = match permit {
            Permit::Go { authorization, fetch } => (Some(BatchAuthorization::Shared(authorization)), fetch),
            Permit::Each => (Some(BatchAuthorization::Each), None),
            Permit::Wait { fetch } => {
                // What is submitted after a refusal does not wait until the endpoint may be asked again, in half a minute.
                if let Some(refusal) = self.token.refusal().filter(|_| fetch.is_none()) {
                    let refusal = refusal.clone();
                    return self.fail_host(id, refusal, now);
                }
                self.unauthorized = true;
                (None, fetch)
            }
            Permit::Refuse(error) => return self.fail_host(id, error, now),
        };
        if let Some(authorization) = authorization {
            if let BatchAuthorization::Shared(Some(block)) = &authorization {
                self.note_minted(block);
            }
            self.fill_streams(id, &authorization, room, now);
        }
        self.dial(id, now);
        if let Some(request) = fetch {
            self.fetch_token(request, now);
        }
    }

    /// Asks the connections of a host that were silent for long whether they still work, because something is
    /// to be sent over them.
    fn ask_doubtful(&mut self, id: HostId, now: Now) {
        let doubtful = |session: &Self| {
            let host = session.hosts.get(id)?;
            let mut links = host.links().iter().filter_map(|link| session.links.get(*link));
            links.find(|link| link.is_doubtful(now)).map(Link::id)
        };
        while let Some(link) = doubtful(self) {
            if let Some(link) = self.links.get_mut(link) {
                link.ask(now);
            }
            self.drain(link, now);
        }
    }

    fn fill_streams(&mut self, id: HostId, authorization: &BatchAuthorization, room: usize, now: Now) {
        let Some(host) = self.hosts.get_mut(id) else {
            return;
        };
        let limit = self.limits.of(host.traffic());
        let (links, ledger) = (&mut self.links, &mut self.ledger);
        let rejected = host.fill(links, ledger, limit, room, authorization, &self.service, now);
        for (slot, error) in rejected {
            self.end_unsent(slot, error, now);
        }
    }

    /// A provider token is made without a fetch.
    fn note_minted(&mut self, block: &HeaderBlock) {
        if self.service.mints_tokens() && self.token.is_new(block) {
            self.note(SessionEvent::TokenRenewed);
        }
    }

    /// Asks for the connections that the host needs now.
    fn dial(&mut self, id: HostId, now: Now) {
        let Some(host) = self.hosts.get(id) else {
            return;
        };
        let count = host.connections_to_add(&self.ledger, &self.links, &self.config, now.monotonic);
        let reason = match host.has_hope(&self.links) {
            true => DialReason::Full,
            false => DialReason::First,
        };
        for _ in 0..count {
            if !self.dial_one(id, reason, now) {
                return;
            }
        }
    }

    /// Asks for a connection. Returns whether there may be another one.
    fn dial_one(&mut self, id: HostId, reason: DialReason, now: Now) -> bool {
        let has_room = self.has_room(now);
        let may_be_surplus = self.crowd.allows_another(self.links.len());
        let Some(host) = self.hosts.get_mut(id) else {
            return false;
        };
        let surplus = !host.links().is_empty();
        let (authority, traffic) = (host.authority().clone(), host.traffic());
        if surplus && !may_be_surplus {
            return false;
        }
        // What waits for a token can end only with the token, so its connection may be one too many.
        let is_allowed = surplus || has_room || (traffic.is_for_tokens() && may_be_surplus);
        if !is_allowed {
            if host.set_wanting(true) {
                self.crowd.push(id);
            }
            return false;
        }
        let config = host.with_its_pings(self.service.connection_config(traffic, &authority));
        let connection = match Connection::new(&config, &authority, now) {
            Ok(connection) => connection,
            Err(error) => {
                self.fail_host(id, error, now);
                return false;
            }
        };
        let terms = Terms {
            host: id,
            connect_by: now.monotonic.saturating_add(self.config.connect_timeout),
            idle_timeout: self.service.idle_timeout(traffic, self.config.idle_timeout),
            probe_after: self.service.probe_after(self.config.probe_after),
            surplus: surplus && self.config.idle_timeout.is_none(),
        };
        let link = self.links.insert(|link| Link::new(link, connection, terms, now));
        self.hosts.add_link(id, link, &self.config, now.monotonic);
        self.note(SessionEvent::Dialling {
            link,
            authority: authority.clone(),
            reason,
        });
        self.actions.push_back(Action::Connect { link, authority });
        true
    }

    /// Ends everything that waits for this host: `error` says why nothing can be sent.
    fn fail_host(&mut self, id: HostId, error: Error, now: Now) {
        self.end_waiting(id, &error, now);
        if let Some(host) = self.hosts.get_mut(id) {
            host.note_failure(error);
        }
    }

    /// Ends everything that waits for this host now: `cause` says why it is not sent.
    fn end_waiting(&mut self, id: HostId, cause: &Error, now: Now) {
        let Some(host) = self.hosts.get_mut(id) else {
            return;
        };
        for slot in host.take_all(&self.ledger) {
            self.end_unsent(slot, cause.clone(), now);
        }
    }

    // The events of a connection

    /// Fetches and settles every event of a connection, then sends what can be sent.
    fn drain(&mut self, id: LinkId, now: Now) {
        loop {
            let Some(link) = self.links.get_mut(id) else {
                return;
            };
            let Some(event) = link.poll_event(now) else {
                break;
            };
            match event {
                LinkEvent::Answered { request, response } => {
                    let Some((slot, pending)) = self.ledger.carried(id, request) else {
                        continue;
                    };
                    match pending.purpose() {
                        Purpose::Push => {
                            let outcome = self.service.outcome(response, pending.context(), now);
                            self.push_answered(slot, outcome, id, now);
                        }
                        Purpose::Call => {
                            let response = response.clone();
                            self.call_answered(slot, response, id, now);
                        }
                        Purpose::Token => {
                            let result = self.service.accept_token(response, now);
                            let refused = !token::is_temporary(response);
                            self.note_host_works(id);
                            self.token_ended(slot, result, refused, now);
                        }
                    }
                }
                LinkEvent::Failed {
                    request,
                    processed,
                    error,
                    refused,
                } => {
                    let refused = refused.map(refusal);
                    let Some((slot, _)) = self.ledger.carried(id, request) else {
                        continue;
                    };
                    if retry::asks_for_calm(&error) {
                        self.throttle_link(id, now);
                    }
                    match refused {
                        Some(cause) => self.end_unsent(slot, cause, now),
                        None => self.attempt_failed(slot, processed, error, now),
                    }
                }
                LinkEvent::Ready => self.link_ready(id),
                LinkEvent::Settings(max_concurrent_streams) => self.note(SessionEvent::SettingsChanged {
                    link: id,
                    max_concurrent_streams,
                }),
                LinkEvent::Draining(goaway) => {
                    let code = goaway.code;
                    let reason = self.service.go_away_reason(goaway);
                    let refused = self.service.refuses_credentials(goaway);
                    self.going_away(id, code, reason, refused, now);
                }
                LinkEvent::Closed(error) => return self.remove_link(id, error, now),
                LinkEvent::RoundTrip => {}
            }
        }
        let Some(link) = self.links.get_mut(id) else {
            return;
        };
        let (host, unbalanced) = (link.host(), link.take_fault());
        if unbalanced {
            self.note_fault("more requests of a connection have ended than were sent");
        }
        self.fill(host, now);
        if std::mem::take(&mut self.opened) {
            self.fill_all_with_the_key_of(host, now);
        }
    }

    /// Fills every host for which messages wait and where the key is judged as at `id`.
    fn fill_all_with_the_key_of(&mut self, id: HostId, now: Now) {
        let hosts = match self.gates.are_by_origin() {
            true => self
                .hosts
                .get(id)
                .map(|host| self.hosts.siblings(host.authority()))
                .unwrap_or_default(),
            false => self.hosts.of_waiting_callers(),
        };
        for id in hosts {
            self.fill(id, now);
        }
    }

    fn link_ready(&mut self, id: LinkId) {
        let host = self.links.get(id).map(Link::host);
        if let Some(host) = host.and_then(|host| self.hosts.get_mut(host)) {
            host.note_ready();
        }
        self.note(SessionEvent::Connected { link: id });
    }

    /// Notes that a response came over this link: its host works.
    fn note_host_works(&mut self, id: LinkId) {
        let host = self.links.get(id).map(Link::host);
        if let Some(host) = host.and_then(|host| self.hosts.get_mut(host)) {
            host.note_answer();
        }
    }

    /// A stream was reset with ENHANCE_YOUR_CALM: its connection pauses for a step of the back-off,
    /// and has at most half as many requests in flight afterwards. One step for one burst of resets.
    fn throttle_link(&mut self, id: LinkId, now: Now) {
        let Some(link) = self.links.get_mut(id).filter(|link| !link.is_throttled()) else {
            return;
        };
        let Some(host) = self.hosts.get_mut(link.host()) else {
            return;
        };
        // What is left of a step that is nearly over would be no pause.
        let after = host.back_off(now.monotonic, self.config.first_backoff * 4 / 5);
        link.throttle(now.monotonic.saturating_add(after));
        let scope = Scope::Connection;
        self.note(SessionEvent::Throttled { scope, after });
    }

    /// GOAWAY: where it asks for calm, there is no new connection for a while; where it refuses the credentials,
    /// what waits ends now and not at its deadline, because another connection would end the same way.
    fn going_away(&mut self, id: LinkId, code: u32, reason: String, refused: bool, now: Now) {
        if let Some(link) = self.links.get_mut(id) {
            let host = link.host();
            if refused {
                link.note_refusal(&reason);
                self.fail_host(host, refusal(&reason), now);
            }
            let calm = code == code::ENHANCE_YOUR_CALM;
            if let Some(host) = self.hosts.get_mut(host).filter(|_| calm) {
                host.back_off(now.monotonic, Duration::ZERO);
                if reason.contains(TOO_MANY_PINGS) {
                    host.ping_less();
                }
            }
        }
        self.note(SessionEvent::GoAway {
            link: id,
            code,
            reason: reason.into(),
        });
    }

    fn link_timeout(&mut self, id: LinkId, now: Now) {
        let Some(link) = self.links.get_mut(id) else {
            return;
        };
        link.handle_timeout(now);
        if link.is_late(now) {
            let error = Error::new(ErrorKind::ConnectTimeout, "no usable connection in time");
            self.drain(id, now);
            return self.remove_link(id, Some(error), now);
        }
        if let Some(reason) = link.idle_too_long(now) {
            link.retire(now);
            self.note(SessionEvent::LetGo { link: id, reason });
        } else if link.is_stale(now) {
            link.retire(now);
        }
        self.drain(id, now);
    }

    /// Puts a connection out of use that is alive, but does no good; it closes when its requests have ended.
    /// Returns whether it was in use until now.
    fn replace_link(&mut self, id: LinkId, now: Now) -> bool {
        let Some(link) = self.links.get_mut(id).filter(|link| !link.is_retired()) else {
            return false;
        };
        link.retire(now);
        self.note(SessionEvent::Wedged { link: id });
        true
    }

    /// Replaces a connection that an answer has spoiled. The next one is tried with one message; where it is spoiled, too,
    /// the one after it comes after a pause, which grows.
    fn replace_spoiled(&mut self, id: LinkId, outcome: &Outcome, now: Now) {
        if !self.replace_link(id, now) {
            return;
        }
        let host = self.links.get(id).map(Link::host);
        let Some(host) = host.and_then(|host| self.hosts.get_mut(host)) else {
            return;
        };
        self.gates.doubted(host.authority());
        if host.note_spoiled(now.monotonic) {
            let word = outcome
                .reason()
                .map_or_else(|| outcome.status().to_string(), ToString::to_string);
            let text = format!("the service spoils one connection after the other ({word})");
            host.note_failure(Error::new(ErrorKind::GoAway, text));
        }
    }

    /// Closes a connection that is not needed any more.
    fn close_link(&mut self, id: LinkId, now: Now) {
        let Some(link) = self.links.get_mut(id) else {
            return;
        };
        if !link.is_ready() {
            link.give_up();
            self.remove_link(id, None, now);
        } else if !link.is_retired() {
            link.retire(now);
            self.drain(id, now);
        }
    }

    /// A connection is over. The requests that it carried have been settled by its events; its host decides
    /// what the end means for the messages that wait.
    fn remove_link(&mut self, id: LinkId, error: Option<Error>, now: Now) {
        let Some(mut link) = self.links.remove(id) else {
            return;
        };
        self.header_bytes += link.header_bytes();
        let final_bytes = link.transmit().to_vec();
        self.actions.push_back(Action::Close {
            link: id,
            final_bytes,
        });
        // No event can come any more: whatever is left was never answered.
        let left = match link.is_busy() {
            true => self.ledger.on_link(id),
            false => Vec::new(),
        };
        for slot in left {
            let cause = Error::new(ErrorKind::ConnectionLost, "the connection is gone");
            self.attempt_failed(slot, Processed::Unknown, cause, now);
        }
        let text = match &error {
            Some(error) => error.to_string().into(),
            None => "closed".into(),
        };
        self.note(SessionEvent::Disconnected {
            link: id,
            error: error.as_ref().map(Error::kind),
            text,
        });
        if error
            .as_ref()
            .is_some_and(|error| error.kind() == ErrorKind::OutOfDescriptors)
        {
            self.crowd.note_ceiling(self.links.len(), now.monotonic);
        }
        let Some(host) = self.hosts.get_mut(link.host()) else {
            return;
        };
        let failed = host.remove_link(id, &link, error, now.monotonic);
        let (kept, for_tokens) = (host.links().first().copied(), host.traffic().is_for_tokens());
        match kept {
            Some(kept) => {
                if let Some(kept) = self.links.get_mut(kept) {
                    kept.keep();
                }
            }
            None if !for_tokens => self.hosts.note_unconnected(),
            None => {}
        }
        if let Some(error) = failed {
            self.fail_host(link.host(), error, now);
        }
        self.fill(link.host(), now);
    }

    // Answers

    #[inline]
    fn push_answered(&mut self, slot: u32, outcome: Outcome, link: LinkId, now: Now) {
        let known_tokens = self.watch(&outcome, link, now);
        if let Outcome::Accepted(_) = outcome {
            if self.token.is_in_doubt() {
                self.token.taken(self.authorization_of(slot), now.monotonic);
            }
            if known_tokens {
                self.bear_witness(slot, &outcome, now);
            }
            return self.ledger.end_answered(slot, outcome);
        }
        self.refused(slot, outcome, link, known_tokens, now);
    }

    /// A push was answered, and not accepted.
    fn refused(&mut self, slot: u32, mut outcome: Outcome, link: LinkId, known_tokens: bool, now: Now) {
        if let Some(seconds) = self.service.clock_is_wrong(&outcome) {
            self.note(SessionEvent::ClockSkew { seconds });
        }
        if self.send_again(slot, &outcome, link, now) {
            return;
        }
        if let Outcome::FixCredentials(arm) = &mut outcome {
            // What the session can renew it has renewed.
            arm.refreshable = false;
        }
        self.judge_key(slot, &outcome, now);
        match &outcome {
            Outcome::RetryLater(arm) => self.throttled(slot, arm.scope, arm.after, now),
            Outcome::TokenMismatch(_) if known_tokens => return self.doubt(slot, outcome, now),
            _ => {}
        }
        self.ledger.end_answered(slot, outcome);
    }

    fn call_answered(&mut self, slot: u32, response: Response, link: LinkId, now: Now) {
        self.note_host_works(link);
        let verdict = self.service.verdict(&response, now);
        if let Some(outcome) = &verdict {
            if self.send_again(slot, outcome, link, now) {
                return;
            }
            // A caller's own authorization is not the session's key.
            let own = self
                .ledger
                .get(slot)
                .is_some_and(|pending| pending.keeps_authorization());
            if !own {
                self.judge_key(slot, outcome, now);
            }
        }
        if response.status == 429 {
            self.calls_throttled(slot, retry_after(&response, now), now);
        }
        self.ledger.end_call_answered(slot, response);
    }

    /// Notes that the host works, and what only a series of answers shows. Returns whether the message went to a token
    /// that was seen good before: others say nothing when they are bad.
    #[inline]
    fn watch(&mut self, outcome: &Outcome, id: LinkId, now: Now) -> bool {
        let Some(link) = self.links.get_mut(id) else {
            return false;
        };
        let (health, limit) = self.service.health(outcome);
        let wedged = link.is_wedged_after(health, limit);
        let spoiled = !outcome.is_accepted() && retry::after_answer(outcome).spoils_connection();
        let mut reopened = false;
        let known_tokens = match self.hosts.get_mut(link.host()) {
            Some(host) => {
                if !spoiled {
                    host.note_answer();
                }
                if !self.gates.are_open() && outcome.is_accepted() {
                    let was_shut = self.gates.is_shut(host.authority());
                    self.opened |= self.gates.accepted(host.authority());
                    reopened = was_shut;
                }
                host.traffic() == Traffic::Main
            }
            None => false,
        };
        if reopened {
            self.note(SessionEvent::CredentialsAccepted);
        }
        if spoiled {
            self.replace_spoiled(id, outcome, now);
        } else if wedged {
            self.replace_link(id, now);
        }
        known_tokens
    }

    /// What an answer other than an acceptance says of the key, when the message is not sent again.
    fn judge_key(&mut self, slot: u32, outcome: &Outcome, now: Now) {
        let request = self.ledger.request(slot);
        let Some(authority) = request.and_then(|request| request.authority.as_ref()) else {
            return;
        };
        if self.service.refuses_key(outcome) {
            let was_shut = self.gates.is_shut(authority);
            let Some(cause) = self.gates.refused(authority, outcome, now.monotonic) else {
                return;
            };
            if !was_shut {
                let text = cause.to_string().into();
                self.note(SessionEvent::CredentialsRefused { text });
            }
            // Filling asks the gate, and ends what waits.
            if let Some(host) = self.ledger.get(slot).map(|pending| pending.host()) {
                self.fill_all_with_the_key_of(host, now);
            }
            return;
        }
        if !self.gates.are_open() {
            self.opened |= match outcome {
                // Answers of front ends, which know nothing of the key.
                Outcome::RetryLater(arm) if arm.scope == Scope::Connection => false,
                Outcome::RetryLater(_) | Outcome::FixCredentials(_) => self.gates.answered(authority),
                _ => self.gates.accepted(authority),
            };
        }
    }

    // Doubtful answers

    /// A message was accepted: others that were refused under the same circumstances may be certain now.
    #[inline]
    fn bear_witness(&mut self, slot: u32, outcome: &Outcome, now: Now) {
        let pending = self.ledger.get(slot);
        match pending.and_then(|pending| Some((pending, pending.circumstances()?))) {
            Some((pending, at)) => {
                let service = &self.service;
                self.witness.accept(at, || service.token_in(pending.request()));
            }
            None => self.witness.note(outcome),
        }
        if self.witness.has_news() {
            self.tell_doubts(now);
        }
    }

    /// A token is blamed for what the configuration or the payload could explain.
    fn doubt(&mut self, slot: u32, outcome: Outcome, now: Now) {
        let Some(pending) = self.ledger.get(slot) else {
            return;
        };
        let manner = pending.manner();
        let Some(at) = pending.circumstances() else {
            self.witness.note(&outcome);
            self.tell_doubts(now);
            return self.ledger.end_answered(slot, outcome);
        };
        let token = self.service.token_in(pending.request()).to_vec();
        let Some(doubt) = self.ledger.hold(slot, now.monotonic) else {
            return;
        };
        let observed = match manner.bulk && !self.closing {
            true => self.witness.observe(doubt, outcome, at, &token),
            false => self.witness.observe_at_once(doubt, outcome, at, &token),
        };
        if let Observed::Now(doubt, outcome) = observed {
            self.ledger.end_held(doubt, outcome);
        }
        self.tell_doubts(now);
        if self.witness.is_suspected() && manner.on_suspicion == OnSuspicion::Stop {
            self.stop_suspected(now);
        }
    }

    /// Ends what is certain now, and tells of a suspicion that has arisen.
    fn tell_doubts(&mut self, now: Now) {
        while let Some((doubt, outcome)) = self.witness.poll_settled() {
            self.ledger.end_held(doubt, outcome);
        }
        while let Some(suspicion) = self.witness.poll_suspicion() {
            self.note(SessionEvent::MixUpSuspected {
                suspects: suspicion.suspects,
                answers: suspicion.answers,
            });
            self.stop_suspected(now);
        }
    }

    /// Ends the messages that have not been written and whose sender wants no more of them sent when the configuration
    /// seems to be wrong.
    fn stop_suspected(&mut self, now: Now) {
        let names: Vec<_> = self.witness.suspects().iter().map(Suspect::name).collect();
        let text = format!(
            "many answers in a row blame the tokens: check {} first",
            names.join(", ")
        );
        let cause = Error::new(ErrorKind::MixUpSuspected, text);
        for ticket in self.ledger.stoppable() {
            let Some(Place::Queued {
                host,
                number,
                rests_until,
                priority,
            }) = self.ledger.place(ticket)
            else {
                continue;
            };
            if let Some(slot) = self.ledger.find(ticket) {
                self.end_unsent(slot, cause.clone(), now);
            }
            if let Some(host) = self.hosts.get_mut(host) {
                host.note_ended(ticket, priority, number, rests_until, &self.ledger);
            }
        }
    }

    /// Sends an answered message once more, where the answer is about the credential or the connection. Returns
    /// whether it does.
    fn send_again(&mut self, slot: u32, outcome: &Outcome, link: LinkId, now: Now) -> bool {
        let why = match retry::after_answer(outcome) {
            Remedy::None => return false,
            Remedy::Reauthorize { reconnect } => {
                if reconnect {
                    self.replace_spoiled(link, outcome, now);
                }
                let used = self.authorization_of(slot);
                let again = self
                    .ledger
                    .attempt(slot, now)
                    .is_some_and(|attempt| attempt.replays > 0);
                let fetched = !self.service.mints_tokens();
                if fetched && !self.token.is_to_blame(used, again, now.monotonic) {
                    return false;
                }
                let request = self.ledger.request(slot);
                let authority = request.and_then(|request| request.authority.as_ref());
                if !self.service.refused(outcome, authority, used, now) {
                    return false;
                }
                ErrorKind::TokenNeeded
            }
            Remedy::Reconnect => {
                self.replace_spoiled(link, outcome, now);
                ErrorKind::TokenNeeded
            }
            Remedy::Leave => {
                self.service.heed(outcome, now);
                self.replace_spoiled(link, outcome, now);
                ErrorKind::GoAway
            }
        };
        let attempt = self.ledger.attempt(slot, now);
        if !attempt.is_some_and(|attempt| retry::may_replay(&attempt)) {
            return false;
        }
        self.ledger.count_replay(slot);
        self.note(SessionEvent::Requeued { error: why });
        self.requeue(slot, None, now);
        true
    }

    /// The id of the authorization that a message or call was sent with; `None` where it has none.
    fn authorization_of(&self, slot: u32) -> Option<u64> {
        let request = self.ledger.request(slot)?;
        request.authorization.as_ref().map(|block| block.id())
    }

    /// The service asks for less; where it asks the whole project, all wait.
    fn throttled(&mut self, slot: u32, scope: Scope, after: Option<Duration>, now: Now) {
        let after = after.unwrap_or_default();
        if scope == Scope::Project {
            let request = self.ledger.request(slot);
            let authority = request.and_then(|request| request.authority.as_ref());
            let mut paused = Vec::new();
            // All traffic to the host: the quota is the project's (on Web Push, the origin's).
            let siblings = authority.map(|authority| self.hosts.siblings(authority));
            for id in siblings.into_iter().flatten() {
                if let Some(host) = self.hosts.get_mut(id) {
                    host.pause_spread(after, now.monotonic);
                    paused.push((id, host.sends_from(now.monotonic)));
                }
            }
            // The pause is the service's wish, and not the time that the caller gives its bulk send.
            for (id, until) in paused {
                self.ledger.postpone(id, until, self.config.deadline);
            }
            self.limits.slow_messages(now.monotonic);
        }
        self.note(SessionEvent::Throttled { scope, after });
    }

    /// Too many calls: those that follow wait, and come at half the rate. Pushes do not.
    fn calls_throttled(&mut self, slot: u32, after: Option<Duration>, now: Now) {
        let host = self.ledger.get(slot).map(|pending| pending.host());
        let host = host.and_then(|host| self.hosts.get_mut(host));
        let Some(host) = host.filter(|host| host.traffic() == Traffic::Calls) else {
            return;
        };
        let after = after.unwrap_or_default();
        host.pause(after, now.monotonic);
        self.limits.slow_calls(now.monotonic);
        let scope = Scope::Project;
        self.note(SessionEvent::Throttled { scope, after });
    }

    // Attempts without an answer

    fn attempt_failed(&mut self, slot: u32, processed: Processed, error: Error, now: Now) {
        let Some(attempt) = self.ledger.attempt(slot, now) else {
            return;
        };
        if attempt.purpose == Purpose::Push && error.kind() == ErrorKind::StreamReset {
            // Some resets are as good as an answer.
            let code = error.http2_code();
            if let Some(outcome) = code.and_then(|code| self.service.reset_outcome(code)) {
                return self.ledger.end_answered(slot, outcome);
            }
        }
        let answers = self.answers_of_host(slot);
        let progress = answers > attempt.answers_seen;
        match retry::after_failure(&attempt, processed, &error, progress, &self.config) {
            AfterFailure::SendAgain(again) => self.requeue_failed(slot, again, answers, now),
            AfterFailure::Withdrawn(withdrawal) => self.end_withdrawn(slot, withdrawal, processed, now),
            AfterFailure::TokenFailed => self.token_ended(slot, Err(error), false, now),
            AfterFailure::End => {
                let ending = retry::no_answer(processed, error);
                self.ledger.end_unanswered(slot, ending);
            }
        }
    }

    /// Puts a message back into the queue: at once, or after a while where the stream was refused before (REFUSED_STREAM).
    fn requeue_failed(&mut self, slot: u32, again: Again, answers: u64, now: Now) {
        let error = again.reported;
        self.note(SessionEvent::Requeued { error });
        let refusals = self.ledger.count_failure(slot, again, answers);
        let rest = retry::rest_after_refusals(refusals, self.config.longest_backoff);
        let host = self.ledger.get(slot).map(|pending| pending.host());
        let host = host.and_then(|host| self.hosts.get_mut(host));
        let until = host.and_then(|host| host.rest(rest, now.monotonic));
        self.requeue(slot, until, now);
    }

    /// The answers that have come from the host of a message.
    fn answers_of_host(&self, slot: u32) -> u64 {
        let host = self.ledger.get(slot).map(|pending| pending.host());
        let host = host.and_then(|host| self.hosts.get(host));
        host.map_or(0, Host::answers)
    }

    fn requeue(&mut self, slot: u32, rests_until: Option<Duration>, now: Now) {
        let Some((ticket, number, priority, host)) = self.ledger.requeue(slot, rests_until, now.monotonic)
        else {
            return;
        };
        if let Some(host) = self.hosts.get_mut(host) {
            host.push_again(ticket, priority, number, rests_until);
            if host.is_paused(now.monotonic) {
                let until = host.sends_from(now.monotonic);
                self.ledger.postpone_one(slot, until, self.config.deadline);
            }
        }
    }

    /// Ends what has passed its time.
    fn expire(&mut self, now: Now) {
        // Those in the queue first: the end of an open one makes room, and no message whose time
        // has passed is to take it.
        for open in [false, true] {
            let due = self.ledger.due(open, now.monotonic);
            // All of them before the first is withdrawn: its stream is not for the next message, if
            // its connection is of no use.
            for ticket in &due {
                self.count_timeout(*ticket, now);
            }
            let mut hosts = Vec::new();
            for ticket in due {
                if let Some(Place::Queued { host, .. }) = self.ledger.place(ticket) {
                    hosts.push(host);
                }
                self.withdraw(ticket, Withdrawal::TimedOut, now);
            }
            // What stood behind them may go.
            hosts.sort_unstable();
            hosts.dedup();
            for id in hosts {
                self.fill(id, now);
            }
        }
        self.ledger.find_next_due();
    }

    /// A request got no answer in time, although its connection is alive (or its PING would have shown
    /// that it is not). Several in a row, and the connection is replaced. A deadline that left the
    /// request hardly any time says nothing about the connection.
    fn count_timeout(&mut self, ticket: Ticket, now: Now) {
        let Some((id, opened_at)) = self.ledger.opened(ticket) else {
            return;
        };
        let waited = now.monotonic.saturating_sub(opened_at);
        if waited < self.config.response_timeout / 2 {
            return;
        }
        if self.links.get_mut(id).is_some_and(Link::note_timeout) {
            self.replace_link(id, now);
        }
    }

    /// Takes a message off its stream or out of its queue, and ends it as `withdrawal` says. Returns false
    /// when it has ended already.
    fn withdraw(&mut self, ticket: Ticket, withdrawal: Withdrawal, now: Now) -> bool {
        let Some(place) = self.ledger.place(ticket) else {
            return false;
        };
        match place {
            Place::Queued {
                host,
                number,
                rests_until,
                priority,
            } => {
                if let Some(slot) = self.ledger.find(ticket) {
                    self.end_withdrawn(slot, withdrawal, Processed::No, now);
                }
                if let Some(host) = self.hosts.get_mut(host) {
                    host.note_ended(ticket, priority, number, rests_until, &self.ledger);
                }
            }
            Place::Open { link: id, request } => {
                self.ledger.mark_withdrawn(ticket, withdrawal);
                if let Some(link) = self.links.get_mut(id) {
                    link.cancel(request, now);
                    self.drain(id, now);
                }
            }
        }
        true
    }

    fn end_withdrawn(&mut self, slot: u32, withdrawal: Withdrawal, processed: Processed, now: Now) {
        let Some(pending) = self.ledger.get(slot) else {
            return;
        };
        let (purpose, host) = (pending.purpose(), self.hosts.get(pending.host()));
        let ending = retry::withdrawn(withdrawal, processed, || {
            if host.is_some_and(|host| host.is_paused(now.monotonic)) {
                return Some(Error::new(
                    ErrorKind::Paused,
                    "the service has asked for a pause that lasts longer",
                ));
            }
            let failure = host.and_then(|host| host.last_failure());
            failure.or(self.token.failure()).cloned()
        });
        match purpose {
            Purpose::Push | Purpose::Call => self.ledger.end_unanswered(slot, ending),
            Purpose::Token => self.token_ended(slot, Err(ending.into_error()), false, now),
        }
    }

    /// Ends a message of which nothing was sent and nothing will be; `cause` says why.
    fn end_unsent(&mut self, slot: u32, cause: Error, now: Now) {
        match self.ledger.get(slot).map(|pending| pending.purpose()) {
            Some(Purpose::Push | Purpose::Call) => {
                let ending = Unanswered::not_sent("not sent").because_of(cause);
                self.ledger.end_unanswered(slot, ending);
            }
            Some(Purpose::Token) => self.token_ended(slot, Err(cause), false, now),
            None => {}
        }
    }

    // Access tokens

    /// Sends a request of the session's own to a token endpoint.
    fn fetch_token(&mut self, request: Request, now: Now) {
        let Some(authority) = request.authority.clone() else {
            return;
        };
        self.token.asked();
        let traffic = self.service.token_traffic();
        let host = self.host(&authority, traffic, now);
        let Ok(slot) = self.ledger.reserve_with(request) else {
            // The cache hands the fetch out again.
            let error = Error::new(ErrorKind::QueueFull, "no room for a token request");
            return self.service.token_failed(&error, now);
        };
        let entrant = Entrant {
            purpose: Purpose::Token,
            host,
            marks: Marks::default(),
            deadline: now.monotonic.saturating_add(self.config.response_timeout),
            circumstances: None,
            manner: Manner::default(),
        };
        let queued = self.ledger.queue(slot, entrant, Context::None, now.monotonic);
        if let (Ok(ticket), Some(host)) = (queued, self.hosts.get_mut(host)) {
            host.push_token_request(ticket);
        }
        self.fill(host, now);
    }

    /// The token endpoint answered, or did not; `refused` says that asking again would not help.
    fn token_ended(&mut self, slot: u32, result: Result<Option<Request>, Error>, refused: bool, now: Now) {
        if self.ledger.get(slot).is_none() {
            return;
        }
        self.ledger.release(slot);
        match result {
            // One step of several: the fetch goes on.
            Ok(Some(request)) => return self.fetch_token(request, now),
            Ok(None) => {
                self.token.succeeded();
                self.note(SessionEvent::TokenRenewed);
            }
            Err(error) => {
                self.service.token_failed(&error, now);
                self.note(SessionEvent::TokenFailed {
                    error: error.kind(),
                    text: error.to_string().into(),
                });
                let refused = refused || retry::is_permanent(&error);
                if refused {
                    for id in self.hosts.of_waiting_callers() {
                        self.fail_host(id, error.clone(), now);
                    }
                }
                self.token.failed(error, refused);
            }
        }
        for id in self.hosts.of_waiting_callers() {
            self.fill(id, now);
        }
    }

    // The rest

    /// Completes an input: sends what can be sent, and closes what is not needed.
    #[inline]
    fn finish_input(&mut self, now: Now) {
        self.fill_dirty(now);
        self.admit(now);
        self.close_when_idle(now);
        self.settle();
    }

    /// When closing: connections with nothing left to do are closed.
    fn close_when_idle(&mut self, now: Now) {
        if !self.closing || !self.ledger.is_idle() {
            return;
        }
        // No answer comes any more that could make them certain.
        self.release_held(|_| true, now);
        // A request for a token that nobody will use.
        for ticket in self.ledger.tickets() {
            self.withdraw(ticket, Withdrawal::Abandoned, now);
        }
        self.ledger.find_next_due();
        for id in self.links.ids() {
            self.close_link(id, now);
        }
    }

    fn note(&mut self, event: SessionEvent) {
        if self.events.len() == MAX_EVENTS {
            self.events.pop_front();
        }
        self.events.push_back(event);
    }

    fn note_fault(&mut self, text: &str) {
        self.note(SessionEvent::Internal { text: text.into() });
    }

    /// Clocks that step back are held: timers never run backwards.
    fn tick(&mut self, now: Now) -> Now {
        if now.monotonic > self.now.monotonic {
            self.now.monotonic = now.monotonic;
        }
        self.now.unix = now.unix;
        self.ledger.note_time(self.now.monotonic);
        self.now
    }
}
