//! The session itself: it only passes on.

use std::collections::VecDeque;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use super::config::{SendOptions, SessionConfig};
use super::dispatch::Dispatch;
use super::ending::Ended;
use super::event::{Action, SessionEvent};
use super::gate::Gates;
use super::hosts::Hosts;
use super::id::{LinkId, Ticket};
use super::intake::Intake;
use super::ledger::{Ledger, Place, Purpose, Withdrawal};
use super::limits::Limits;
use super::link::{Link, Links};
use super::metrics::Metrics;
use super::outbox::Outbox;
use super::report::{ConnectionReport, HostReport};
use super::service::Service;
use super::shared::Shared;
use super::stats::Stats;
use crate::backend::Traffic;
use crate::error::{Error, ErrorKind};
use crate::http::{Authority, Request, Response};
use crate::net::h2::HeaderBytes;
use crate::net::{Processed, Security};
use crate::outcome::Outcome;
use crate::service::{AsMessage, Call};
use crate::time::Now;

/// Messages in, outcomes out, for one service and one credential.
#[derive(Debug)]
pub struct Session {
    shared: Shared,
    intake: Intake,
    dispatch: Dispatch,
    /// The latest time seen; monotonic clocks that step back are held here.
    now: Now,
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
        let gates = Gates::new(service.key_is_judged_by_origin(), &config, seed);
        let shared = Shared {
            ledger: Ledger::new(config.response_timeout),
            hosts: Hosts::new(seed),
            links: Links::default(),
            limits: Limits::new(config.rate, call_rate, now.monotonic),
            outbox: Outbox::default(),
            config: Arc::new(config),
            service,
        };
        Ok(Self {
            shared,
            intake: Intake::default(),
            dispatch: Dispatch::new(gates),
            now,
        })
    }

    // A. Getters

    /// Returns the service that the session sends to.
    pub fn service(&self) -> &crate::service::Service {
        self.shared.service.value()
    }

    /// How many more messages `submit` takes now.
    #[inline]
    pub fn capacity(&self) -> usize {
        self.intake.capacity(&self.shared)
    }

    /// How many more messages a bulk send is to hand in now: none while all that waits is waiting for the end of a pause
    /// that the service has asked for; otherwise [`Session::capacity`], less the places that are kept for interactive messages.
    pub fn bulk_capacity(&self) -> usize {
        self.capacity_for(&SendOptions::default().bulk())
    }

    /// How many more messages with these options are to be handed in now: [`Session::bulk_capacity`] for a bulk send, and
    /// [`Session::capacity`] for messages that somebody waits for.
    pub fn capacity_for(&self, options: &SendOptions) -> usize {
        self.intake.capacity_for(&self.shared, options, self.now)
    }

    /// How many messages are where.
    pub fn stats(&self) -> Stats {
        self.shared.ledger.stats()
    }

    /// Returns every connection as it is now: what an operator wants to see.
    pub fn connections(&self) -> Vec<ConnectionReport> {
        let report = |link: &Link| {
            let host = self.shared.hosts.get(link.host())?;
            Some(link.report(host.authority().clone()))
        };
        self.shared.links.iter().filter_map(report).collect()
    }

    /// Returns every host that is connected or that messages wait for, with what they wait for.
    pub fn hosts(&self) -> Vec<HostReport> {
        let now = self.now.monotonic;
        let hosts = self.shared.hosts.iter().filter(|(_, host)| host.is_of_interest());
        hosts
            .map(|(_, host)| host.report(&self.shared.links, now))
            .collect()
    }

    /// Returns the counts and latencies of the session, for a monitoring system.
    pub fn metrics(&self) -> Metrics {
        Metrics {
            service: self.service().kind(),
            stats: self.stats(),
            latencies: *self.shared.ledger.latencies(),
        }
    }

    /// The session's configuration.
    pub fn config(&self) -> &SessionConfig {
        &self.shared.config
    }

    /// When `handle_timeout` has to be called, on the monotonic clock; `None` is never. Now, while submitted
    /// messages wait for [`Session::flush`].
    pub fn poll_timeout(&self) -> Option<Duration> {
        if self.shared.hosts.are_dirty() {
            return Some(self.now.monotonic);
        }
        self.dispatch.poll_timeout(&self.shared)
    }

    /// The connections there are, whatever their state.
    pub fn links(&self) -> impl Iterator<Item = LinkId> {
        self.shared.links.iter().map(Link::id)
    }

    /// Returns the number that the driver gave a message ([`SendOptions::driver_data`]); `None` where the message has ended.
    pub fn driver_data(&self, ticket: Ticket) -> Option<u64> {
        let pending = self.shared.ledger.get(self.shared.ledger.find(ticket)?)?;
        Some(pending.marks().driver_data)
    }

    /// Every unfinished message, and whether the service may have acted on it: what a journal
    /// needs to know before the process ends.
    pub fn unfinished(&self) -> impl Iterator<Item = (Ticket, Processed)> {
        let all = self.shared.ledger.unfinished();
        let callers = all.filter(|(_, pending)| pending.purpose() != Purpose::Token);
        callers.map(|(ticket, pending)| {
            let processed = match self.shared.ledger.place(ticket) {
                _ if pending.is_in_doubt() => Processed::Unknown,
                Some(Place::Open { link, request }) => match self.shared.links.get(link) {
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
        self.shared.service.allow_address(authority, address)
    }

    /// Whether the driver connects `link` without its proxy: the machine's metadata server is
    /// reached without leaving the machine, or not at all.
    pub fn is_direct(&self, link: LinkId) -> bool {
        let host = self
            .shared
            .links
            .get(link)
            .and_then(|link| self.shared.hosts.get(link.host()));
        host.is_some_and(|host| host.traffic() == Traffic::Metadata)
    }

    /// Whether the answers look as if environment, topic, sender, VAPID key or payload were wrong, and
    /// not the tokens. See [`Witness`](crate::outcome::Witness).
    pub fn is_mix_up_suspected(&self) -> bool {
        self.dispatch.answers().doubts().are_suspicious()
    }

    /// The bytes of all header blocks on all HTTP/2 connections of the session, those that are gone
    /// included: what a push costs beside its body. The difference between two calls, divided by the number of
    /// pushes between them, is the cost of one; see [`HeaderPolicy`](crate::apns::HeaderPolicy).
    pub fn header_bytes(&self) -> HeaderBytes {
        self.dispatch.header_bytes(&self.shared)
    }

    /// Whether every message has ended and every connection is gone.
    pub fn is_closed(&self) -> bool {
        self.intake.is_closed() && self.shared.ledger.is_idle() && self.shared.links.iter().next().is_none()
    }

    // B. Inputs

    /// The socket of `link` is connected.
    pub fn connected(&mut self, link: LinkId, now: Now) {
        let now = self.tick(now);
        if let Some(link) = self.shared.links.get_mut(link) {
            link.note_dialled();
        }
        self.dispatch.drain(&mut self.shared, link, now);
        self.finish_input(now);
    }

    /// The socket of `link` could not be connected. The driver forgets the link.
    pub fn connect_failed(&mut self, link: LinkId, error: Error, now: Now) {
        let now = self.tick(now);
        self.dispatch
            .remove_link(&mut self.shared, link, Some(error), now);
        self.finish_input(now);
    }

    /// Bytes from the socket of `link`.
    pub fn receive(&mut self, link: LinkId, bytes: &[u8], now: Now) {
        let now = self.tick(now);
        if let Some(link) = self.shared.links.get_mut(link) {
            link.receive(bytes, now);
        }
        self.dispatch.drain(&mut self.shared, link, now);
        self.finish_input(now);
    }

    /// The socket of `link` has come to its end (or failed: that is the same to HTTP).
    pub fn receive_eof(&mut self, link: LinkId, now: Now) {
        let now = self.tick(now);
        if let Some(link) = self.shared.links.get_mut(link) {
            link.receive_eof(now);
        }
        self.dispatch.drain(&mut self.shared, link, now);
        // A connection that ends without saying so is over all the same.
        self.dispatch.remove_link(&mut self.shared, link, None, now);
        self.finish_input(now);
    }

    /// Time has passed: at least until the last `poll_timeout`, or not; calling too often does no harm.
    pub fn handle_timeout(&mut self, now: Now) {
        let now = self.tick(now);
        self.dispatch.handle_timeout(&mut self.shared, now);
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
        self.intake
            .take_message(&mut self.shared, message.as_message(), options, now)
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
    /// It is never sent again once it was written, whatever [`Delivery`](super::Delivery) says,
    /// except after an answer that refuses the authorization: then once, with another one.
    ///
    /// # Errors
    /// As [`Session::submit`]; `Misuse` when the request is for none of the service's hosts:
    /// its credentials would get into the wrong hands; `InvalidValue` when its path is not visible ASCII
    /// beginning with `/`; what the endpoint policy says (Web Push).
    pub fn exchange(&mut self, request: Request, options: SendOptions, now: Now) -> Result<Ticket, Error> {
        let now = self.tick(now);
        self.intake.take_request(&mut self.shared, request, options, now)
    }

    /// Puts the messages submitted since the last flush on streams, as far as that goes now. Call it once after
    /// many calls of `submit`: then many messages leave in one write. The inputs flush by themselves.
    pub fn flush(&mut self, now: Now) {
        let now = self.tick(now);
        self.dispatch.flush(&mut self.shared, now);
        self.shared.settle();
    }

    /// Ends a message as `Cancelled`. What was written already may still be shown by a device.
    /// Returns false when the message has ended already.
    pub fn cancel(&mut self, ticket: Ticket, now: Now) -> bool {
        let now = self.tick(now);
        let cancelled = self
            .dispatch
            .withdraw(&mut self.shared, ticket, Withdrawal::Cancelled, now);
        self.close_when_idle(now);
        cancelled
    }

    /// [`Session::cancel`] of many at once: those that wait first, so that none of them takes the stream of another. Returns how
    /// many had not ended.
    pub fn cancel_all(&mut self, tickets: &[Ticket], now: Now) -> usize {
        let now = self.tick(now);
        let (waiting, others): (Vec<_>, Vec<_>) = tickets
            .iter()
            .partition(|ticket| matches!(self.shared.ledger.place(**ticket), Some(Place::Queued { .. })));
        let (dispatch, shared) = (&mut self.dispatch, &mut self.shared);
        let cancel = |ticket: &Ticket| dispatch.withdraw(shared, *ticket, Withdrawal::Cancelled, now);
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
    pub fn held(&self, chosen: impl FnMut(u64) -> bool) -> usize {
        self.dispatch.answers().doubts().held(chosen)
    }

    /// Ends the messages whose [`SendOptions::driver_data`] is chosen and whose doubtful answers are held back: no other answer will make them
    /// certain. Call it when the last message of a bulk send has been answered.
    pub fn release_held(&mut self, chosen: impl FnMut(u64) -> bool, now: Now) {
        self.tick(now);
        let doubts = self.dispatch.answers_mut().doubts_mut();
        doubts.release(&mut self.shared, chosen);
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
        self.intake.check_open()?;
        self.dispatch.fetch_authorization(&mut self.shared, now)
    }

    /// Takes no more messages; those taken go on to their end, then the connections are closed.
    pub fn close(&mut self, now: Now) {
        let now = self.tick(now);
        self.take_no_more();
        self.close_when_idle(now);
    }

    /// Ends every message now: `NotSent` where nothing was written, `Unknown` otherwise. For an
    /// owner that goes away. The outcomes can still be fetched.
    pub fn abandon(&mut self, now: Now) {
        let now = self.tick(now);
        self.take_no_more();
        self.dispatch.abandon(&mut self.shared, now);
        self.close_when_idle(now);
    }

    // D. Outputs

    /// The next thing for the driver to do.
    pub fn poll_action(&mut self) -> Option<Action> {
        self.shared.outbox.poll_action()
    }

    /// The next connection that may have bytes to write: each is named once after each change. For drivers with many connections;
    /// a socket that does not take all of its bytes has to be remembered by the driver.
    pub fn poll_writable(&mut self) -> Option<LinkId> {
        self.shared.links.poll_writable()
    }

    /// The bytes that are to be written to the socket of `link` now. Ask again after every other call.
    pub fn transmit(&mut self, link: LinkId) -> &[u8] {
        match self.shared.links.get_to_write(link) {
            Some(link) => link.transmit(),
            None => &[],
        }
    }

    /// The first `count` bytes of what `transmit` showed have been written.
    pub fn transmitted(&mut self, link: LinkId, count: usize) {
        if let Some(link) = self.shared.links.get_to_write(link) {
            link.transmitted(count);
        }
    }

    /// The next message that has ended.
    #[inline]
    pub fn poll_outcome(&mut self) -> Option<(Ticket, Result<Outcome, Error>)> {
        let ended = self.shared.ledger.poll_outcome()?;
        Some((ended.ticket, ended.into_result()))
    }

    /// Appends every message that has ended to `ended`, at once. The memory of an empty `ended` is used for
    /// the next ones.
    pub fn take_outcomes(&mut self, ended: &mut VecDeque<Ended>) {
        self.shared.ledger.take_outcomes(ended);
    }

    /// The next exchange that has ended.
    pub fn poll_response(&mut self) -> Option<(Ticket, Result<Response, Error>)> {
        let (ticket, ending) = self.shared.ledger.poll_response()?;
        Some((ticket, ending.into_result()))
    }

    /// The next thing that happened, for logs and metrics.
    pub fn poll_event(&mut self) -> Option<SessionEvent> {
        if self.shared.ledger.take_fault() {
            let text = "more messages have left a place than had come there";
            self.shared.outbox.note_fault(text);
        }
        self.shared.outbox.poll_event()
    }

    // The rest

    /// The state that the parts work on, for tests.
    #[cfg(test)]
    pub(super) fn shared(&self) -> &Shared {
        &self.shared
    }

    /// The same, to be changed.
    #[cfg(test)]
    pub(super) fn shared_mut(&mut self) -> &mut Shared {
        &mut self.shared
    }

    /// The number of hosts that wait for a connection, for tests.
    #[cfg(test)]
    pub(super) fn wanting(&self) -> usize {
        self.dispatch.wanting()
    }

    /// Begins to close: the messages that are there go on, and no doubtful answer waits for others.
    fn take_no_more(&mut self) {
        self.intake.close();
        self.dispatch.answers_mut().doubts_mut().decide_at_once();
    }

    /// Closes the connections when the session is closing and has nothing left to do.
    fn close_when_idle(&mut self, now: Now) {
        if self.intake.is_closed() {
            self.dispatch.close_when_idle(&mut self.shared, now);
        }
    }

    /// Completes an input: sends what can be sent, and closes what is not needed.
    #[inline]
    fn finish_input(&mut self, now: Now) {
        self.dispatch.flush(&mut self.shared, now);
        self.close_when_idle(now);
        self.shared.settle();
    }

    /// Clocks that step back are held: timers never run backwards.
    fn tick(&mut self, now: Now) -> Now {
        if now.monotonic > self.now.monotonic {
            self.now.monotonic = now.monotonic;
        }
        self.now.unix = now.unix;
        self.shared.ledger.note_time(self.now.monotonic);
        self.now
    }
}
