//! The state that all parts of a session work on.

use std::sync::Arc;
use std::time::Duration;

use super::config::SessionConfig;
use super::ending::Unanswered;
use super::event::SessionEvent;
use super::host::Host;
use super::hosts::Hosts;
use super::id::{HostId, LinkId, Ticket};
use super::ledger::{Again, Ledger, Pending, Purpose, Withdrawal};
use super::limits::Limits;
use super::link::{Link, Links};
use super::outbox::Outbox;
use super::retry::{self, AfterFailure};
use super::service::Service;
use crate::backend::Traffic;
use crate::error::{Error, ErrorKind};
use crate::http::Authority;
use crate::net::Processed;
use crate::outcome::Scope;
use crate::time::Now;

/// The messages, hosts and connections of a session, its service, and what its owner is told.
///
/// Each field guards its own state; the methods here are the steps that several of them take together. The parts that decide
/// (`Intake`, `Dispatch`, `Answers`, `Doubts`, `Dialler`, `TokenFetch`) are handed this one.
#[derive(Debug)]
pub(super) struct Shared {
    pub(super) config: Arc<SessionConfig>,
    pub(super) service: Service,
    pub(super) ledger: Ledger,
    pub(super) hosts: Hosts,
    pub(super) links: Links,
    pub(super) limits: Limits,
    pub(super) outbox: Outbox,
}

impl Shared {
    // Hosts

    /// The host for the request in a slot.
    #[inline]
    pub(super) fn host_of(&mut self, slot: u32, traffic: Traffic, now: Now) -> Result<HostId, Error> {
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
    pub(super) fn host(&mut self, authority: &Authority, traffic: Traffic, now: Now) -> HostId {
        match self.hosts.find(authority, traffic) {
            Some(id) => id,
            None => self.hosts.make(authority, traffic, &self.config, now.monotonic),
        }
    }

    /// Enters what has changed where it belongs.
    pub(super) fn settle(&mut self) {
        self.links.settle();
        self.hosts.settle(&self.ledger, &self.links, &self.config);
    }

    /// Notes that a response came over this link: its host works.
    pub(super) fn note_host_works(&mut self, id: LinkId) {
        let host = self.links.get(id).map(Link::host);
        if let Some(host) = host.and_then(|host| self.hosts.get_mut(host)) {
            host.note_answer();
        }
    }

    /// Puts a message back into the queue of its host; apart from the queue, where `rests_until` says until when.
    pub(super) fn requeue(&mut self, slot: u32, rests_until: Option<Duration>, now: Now) {
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

    /// The answers that have come from the host of a message.
    pub(super) fn answers_of_host(&self, slot: u32) -> u64 {
        let host = self.ledger.get(slot).map(|pending| pending.host());
        let host = host.and_then(|host| self.hosts.get(host));
        host.map_or(0, Host::answers)
    }

    /// Puts a connection out of use that is alive, but does no good; it closes when its requests have ended.
    /// Returns whether it was in use until now.
    pub(super) fn replace_link(&mut self, id: LinkId, now: Now) -> bool {
        let Some(link) = self.links.get_mut(id).filter(|link| !link.is_retired()) else {
            return false;
        };
        link.retire(now);
        self.outbox.note(SessionEvent::Wedged { link: id });
        true
    }

    // Connections

    /// Requests can be sent over a connection.
    pub(super) fn note_ready(&mut self, id: LinkId, now: Now) {
        let host = self.links.get(id).map(Link::host);
        if let Some(host) = host.and_then(|host| self.hosts.get_mut(host)) {
            host.note_ready(now.monotonic);
        }
        self.outbox.note(SessionEvent::Connected { link: id });
    }

    /// A stream was reset with ENHANCE_YOUR_CALM: its connection pauses for a step of the back-off,
    /// and has at most half as many requests in flight afterwards. One step for one burst of resets.
    pub(super) fn throttle_link(&mut self, id: LinkId, now: Now) {
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
        self.outbox.note(SessionEvent::Throttled { scope, after });
    }

    /// A request got no answer in time, although its connection is alive (or its PING would have shown
    /// that it is not). Several in a row, and the connection is replaced. A deadline that left the
    /// request hardly any time says nothing about the connection.
    pub(super) fn count_timeout(&mut self, ticket: Ticket, now: Now) {
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

    // Attempts without an answer

    /// An attempt got no answer: its message goes back to the queue, or ends. `no_token` says why there is no access token,
    /// where that is so. Returns the error that a request of the session's own has failed with, which has not ended.
    pub(super) fn attempt_failed(
        &mut self,
        slot: u32,
        processed: Processed,
        error: Error,
        no_token: Option<&Error>,
        now: Now,
    ) -> Option<Error> {
        let attempt = self.ledger.attempt(slot, now)?;
        if attempt.purpose == Purpose::Push && error.kind() == ErrorKind::StreamReset {
            // Some resets are as good as an answer.
            let code = error.http2_code();
            if let Some(outcome) = code.and_then(|code| self.service.reset_outcome(code)) {
                self.ledger.end_answered(slot, outcome);
                return None;
            }
        }
        let answers = self.answers_of_host(slot);
        let progress = answers > attempt.answers_seen;
        match retry::after_failure(&attempt, processed, &error, progress, &self.config) {
            AfterFailure::SendAgain(again) => self.requeue_failed(slot, again, answers, now),
            AfterFailure::Withdrawn(withdrawal) => {
                return self.end_withdrawn(slot, withdrawal, processed, no_token, now);
            }
            AfterFailure::TokenFailed => return Some(error),
            AfterFailure::End => {
                let ending = retry::no_answer(processed, error);
                self.ledger.end_unanswered(slot, ending);
            }
        }
        None
    }

    /// Puts a message back into the queue: at once, or after a while where the stream was refused before (REFUSED_STREAM).
    fn requeue_failed(&mut self, slot: u32, again: Again, answers: u64, now: Now) {
        let error = again.reported;
        self.outbox.note(SessionEvent::Requeued { error });
        let refusals = self.ledger.count_failure(slot, again, answers);
        let rest = retry::rest_after_refusals(refusals, self.config.longest_backoff);
        let host = self.ledger.get(slot).map(|pending| pending.host());
        let host = host.and_then(|host| self.hosts.get_mut(host));
        let until = host.and_then(|host| host.rest(rest, now.monotonic));
        self.requeue(slot, until, now);
    }

    /// Ends a message that was withdrawn. `no_token` and the result are as in [`Shared::attempt_failed`].
    pub(super) fn end_withdrawn(
        &mut self,
        slot: u32,
        withdrawal: Withdrawal,
        processed: Processed,
        no_token: Option<&Error>,
        now: Now,
    ) -> Option<Error> {
        let pending = self.ledger.get(slot)?;
        let (purpose, host) = (pending.purpose(), self.hosts.get(pending.host()));
        let ending = retry::withdrawn(withdrawal, processed, || {
            if host.is_some_and(|host| host.is_paused(now.monotonic)) {
                return Some(Error::new(
                    ErrorKind::Paused,
                    "the service has asked for a pause that lasts longer",
                ));
            }
            let failure = host.and_then(|host| host.last_failure());
            failure.or(no_token).cloned()
        });
        match purpose {
            Purpose::Push | Purpose::Call => {
                self.ledger.end_unanswered(slot, ending);
                None
            }
            Purpose::Token => Some(ending.into_error()),
        }
    }

    // Ends

    /// Ends a message or a call of which nothing was sent and nothing will be; `cause` says why. Returns whether the request in the
    /// slot is the session's own instead: then it has not ended, and the fetch of the token has to hear of it.
    pub(super) fn end_unsent(&mut self, slot: u32, cause: &Error) -> bool {
        match self.ledger.get(slot).map(Pending::purpose) {
            Some(Purpose::Push | Purpose::Call) => {
                let ending = Unanswered::not_sent("not sent").because_of(cause.clone());
                self.ledger.end_unanswered(slot, ending);
                false
            }
            Some(Purpose::Token) => true,
            None => false,
        }
    }

    /// Ends every message and call that waits for this host now: `cause` says why they are not sent. Returns the slots of the
    /// session's own requests that waited, which have not ended.
    pub(super) fn end_waiting(&mut self, id: HostId, cause: &Error) -> Vec<u32> {
        let Some(host) = self.hosts.get_mut(id) else {
            return Vec::new();
        };
        let mut slots = host.take_all(&self.ledger);
        slots.retain(|slot| self.end_unsent(*slot, cause));
        slots
    }

    /// Ends every message and call that waits at a host of callers' messages; `error` says why nothing can be sent.
    pub(super) fn fail_callers_of(&mut self, id: HostId, error: Error) {
        // Such a host has no requests of the session's own.
        self.end_waiting(id, &error);
        if let Some(host) = self.hosts.get_mut(id) {
            host.note_failure(error);
        }
    }
}
