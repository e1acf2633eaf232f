//! How a message ends, or goes back to the queue.

use super::entry::{Ending, Purpose, State, Ticket};
use super::link::LinkId;
use super::pool::Lane;
use super::{Delivery, Session, SessionEvent, copy_of};
use crate::error::{Error, ErrorKind};
use crate::http::Response;
use crate::net::Processed;
use crate::outcome::{Outcome, Scope};
use crate::time::Now;

impl Session {
    /// The service answered.
    pub(super) fn answered(&mut self, slot: u32, outcome: Outcome, link: LinkId, now: Now) {
        self.watch(slot, &outcome, link, now);
        if !self.sent_again(slot, &outcome, link, now) {
            if let Outcome::RetryLater(arm) = &outcome {
                self.throttled(slot, arm.scope, arm.after, now);
            }
            self.end(slot, Ok(outcome));
        }
    }

    /// A call was answered.
    pub(super) fn called(&mut self, slot: u32, response: Response, link: LinkId, now: Now) {
        let verdict = self.service.verdict(&response, now);
        if !verdict.is_some_and(|outcome| self.sent_again(slot, &outcome, link, now)) {
            self.end_call(slot, response);
        }
    }

    /// Where the answer is about the credential or the connection, and not about the message,
    /// another one may bring another answer: then it goes back to the queue, once.
    fn sent_again(&mut self, slot: u32, outcome: &Outcome, link: LinkId, now: Now) -> bool {
        match outcome {
            Outcome::FixCredentials(arm) => {
                if arm.reconnect {
                    self.replace(link, now);
                }
                let request = self.entries.get(slot).map(|entry| &entry.request);
                let used = request
                    .and_then(|request| request.authorization.as_ref())
                    .map(|block| block.id());
                let authority = request.and_then(|request| request.authority.as_ref());
                let renewed = arm.refreshable && self.service.refused(outcome, authority, used, now);
                (renewed || (arm.reconnect && !arm.refreshable))
                    && self.replay(slot, ErrorKind::TokenNeeded, now)
            }
            Outcome::RetryLater(arm) if arm.scope == Scope::Connection => {
                // The service says that this connection, not the message, is the problem: it has
                // not processed it, and another connection will do.
                self.replace(link, now);
                self.replay(slot, ErrorKind::GoAway, now)
            }
            _ => false,
        }
    }

    /// Looks for what only a series of answers shows.
    fn watch(&mut self, slot: u32, outcome: &Outcome, id: LinkId, now: Now) {
        let Some(link) = self.links.get_mut(id) else {
            return;
        };
        if link.wedge.as_mut().is_some_and(|wedge| wedge.record(outcome)) {
            self.replace(id, now);
        }
        if let Some(seconds) = self.service.clock_is_wrong(outcome) {
            self.note(SessionEvent::ClockSkew { seconds });
        }
        let pool = self.entries.get(slot).map(|entry| entry.pool);
        let pool = pool.and_then(|pool| self.pools.get(pool.index()));
        // Tokens never seen good say nothing when they are bad.
        if pool.is_some_and(|pool| pool.lane == Lane::Main) && self.service.mix_up_begins(outcome) {
            self.note(SessionEvent::MixUpSuspected);
        }
    }

    /// The request ended without an answer.
    pub(super) fn unanswered(&mut self, slot: u32, processed: Processed, error: Error, now: Now) {
        let Some(entry) = self.entries.get_mut(slot) else {
            return;
        };
        if let Some(ending) = entry.ending {
            return self.withdrawn(slot, ending, processed, now);
        }
        let again = match (processed, entry.purpose) {
            // To ask for a token twice does no harm.
            (Processed::No, _) | (Processed::Unknown, Purpose::Token) => true,
            (Processed::Unknown, Purpose::Push) => self.config.delivery == Delivery::AtLeastOnce,
            // It may be anything, and need not be safe to repeat.
            (Processed::Unknown, Purpose::Call) => false,
        };
        let in_time = now.monotonic < entry.deadline;
        if again && in_time && entry.requeues < self.config.max_requeues {
            entry.requeues += 1;
            entry.in_doubt |= processed == Processed::Unknown;
            self.note(SessionEvent::Requeued { error: error.kind() });
            return self.requeue(slot, now);
        }
        if entry.purpose == Purpose::Token {
            return self.token_ended(slot, Err(error), false, now);
        }
        let (kind, context) = match processed {
            Processed::No => (
                ErrorKind::NotSent,
                "not processed by the service, and no attempt is left",
            ),
            Processed::Unknown => (ErrorKind::Unknown, "written, but no answer came"),
        };
        self.end(slot, Err(Error::new(kind, context).with_source(error)));
    }

    /// Sends an answered message once more, because the answer was about the credential or the
    /// connection. Once only: false when that has happened already.
    fn replay(&mut self, slot: u32, why: ErrorKind, now: Now) -> bool {
        let Some(entry) = self.entries.get_mut(slot) else {
            return false;
        };
        // Whoever cancels it, or has run out of time, wants no second attempt.
        if entry.replays > 0 || entry.ending.is_some() || entry.deadline <= now.monotonic {
            return false;
        }
        entry.replays += 1;
        entry.signed = false;
        self.note(SessionEvent::Requeued { error: why });
        self.requeue(slot, now);
        true
    }

    /// Back to the head of the queue: it has waited longest.
    fn requeue(&mut self, slot: u32, now: Now) {
        let Some(entry) = self.entries.get_mut(slot) else {
            return;
        };
        if matches!(entry.state, State::Open { .. }) && entry.purpose != Purpose::Token {
            self.stats.open -= 1;
            self.stats.queued += 1;
            self.stats.requeued += 1;
        }
        entry.state = State::Queued;
        entry.due = entry.deadline;
        entry.queued_at = now.monotonic;
        let pool = entry.pool;
        let ticket = self.entries.ticket(slot);
        if let Some(pool) = self.pools.get_mut(pool.index()) {
            pool.waiting.push_front(ticket);
        }
    }

    /// No new requests on this connection; it closes when those in flight have ended.
    fn replace(&mut self, id: LinkId, now: Now) {
        let Some(link) = self.links.get_mut(id) else {
            return;
        };
        if !link.retired {
            link.let_go(now);
            self.note(SessionEvent::Wedged { link: id });
        }
    }

    fn throttled(&mut self, slot: u32, scope: Scope, after: Option<std::time::Duration>, now: Now) {
        let after = after.unwrap_or_default();
        if scope == Scope::Project {
            let until = now.monotonic.saturating_add(after);
            let authority = self
                .entries
                .get(slot)
                .and_then(|entry| entry.request.authority.as_ref());
            // Both lanes to the host: the quota is the project's (on Web Push, the origin's).
            for pool in &mut self.pools {
                if pool.lane != Lane::Token && Some(&pool.authority) == authority {
                    pool.paused_until = pool.paused_until.max(until);
                }
            }
            if let Some(bucket) = &mut self.bucket {
                bucket.slow_down(now.monotonic);
            }
        }
        self.note(SessionEvent::Throttled { scope, after });
    }

    /// Ends what has passed its time.
    pub(super) fn expire(&mut self, now: Now) {
        // Those in the queue first: the end of an open one makes room, and nobody whose time
        // has passed is to take it.
        for open in [false, true] {
            let due = self.entries.live().filter(|(_, entry)| {
                entry.due <= now.monotonic && matches!(entry.state, State::Open { .. }) == open
            });
            let due: Vec<Ticket> = due.map(|(slot, _)| self.entries.ticket(slot)).collect();
            for ticket in due {
                self.withdraw(ticket, Ending::TimedOut, now);
            }
        }
        self.next_due = self.entries.live().map(|(_, entry)| entry.due).min();
    }

    /// Takes an entry off its stream or out of its queue, and ends it as `ending` says. False
    /// when it has ended already.
    pub(super) fn withdraw(&mut self, ticket: Ticket, ending: Ending, now: Now) -> bool {
        let Some(slot) = self.entries.find(ticket) else {
            return false;
        };
        let Some(entry) = self.entries.get_mut(slot) else {
            return false;
        };
        match entry.state {
            State::Free => return false,
            State::Queued => {
                let pool = entry.pool;
                self.withdrawn(slot, ending, Processed::No, now);
                if let Some(pool) = self.pools.get_mut(pool.index()) {
                    pool.waiting.left(&self.entries);
                }
            }
            State::Open {
                link: id,
                id: request,
            } => {
                entry.ending = Some(ending);
                if let Some(link) = self.links.get_mut(id) {
                    // Its last event says whether anything was written; or that the answer was faster.
                    link.connection.cancel(request, now);
                    self.drain(id, now);
                }
            }
        }
        true
    }

    /// The end of an entry that was withdrawn.
    fn withdrawn(&mut self, slot: u32, ending: Ending, processed: Processed, now: Now) {
        let Some(entry) = self.entries.get(slot) else {
            return;
        };
        let error = match (ending, processed) {
            (Ending::Cancelled, Processed::No) => {
                Error::new(ErrorKind::Cancelled, "cancelled before it was written")
            }
            (Ending::Cancelled, Processed::Unknown) => {
                Error::new(ErrorKind::Cancelled, "cancelled after it had been written")
            }
            (Ending::TimedOut, Processed::Unknown) => {
                Error::new(ErrorKind::Unknown, "written, but no answer came in time")
            }
            (Ending::TimedOut, Processed::No) => {
                let expired = Error::new(ErrorKind::Expired, "the deadline passed before it was written");
                let pool = self.pools.get(entry.pool.index());
                let cause = pool.and_then(|pool| pool.last_failure.as_ref());
                match cause.or(self.token_failure.as_ref()) {
                    Some(cause) => expired.with_source(copy_of(cause)),
                    None => expired,
                }
            }
            (Ending::Abandoned, Processed::Unknown) => {
                Error::new(ErrorKind::Unknown, "abandoned after it had been written")
            }
            (Ending::Abandoned, Processed::No) => {
                Error::new(ErrorKind::NotSent, "abandoned before it was written")
            }
        };
        match entry.purpose {
            Purpose::Push | Purpose::Call => self.end(slot, Err(error)),
            Purpose::Token => self.token_ended(slot, Err(error), false, now),
        }
    }

    /// The one place where a message ends; and a call without an answer.
    pub(super) fn end(&mut self, slot: u32, result: Result<Outcome, Error>) {
        let Some(ticket) = self.leave(slot) else { return };
        let Some(entry) = self.entries.get(slot) else {
            return;
        };
        let call = entry.purpose == Purpose::Call;
        let in_doubt = entry.in_doubt;
        let result = result.map_err(|error| match error.kind() {
            ErrorKind::NotSent | ErrorKind::Expired if in_doubt => {
                let context = "an earlier attempt was written and got no answer";
                Error::new(ErrorKind::Unknown, context).with_source(error)
            }
            _ => error,
        });
        match &result {
            Ok(outcome) => self.stats.count_outcome(outcome),
            Err(error) => self.stats.count_error(error.kind()),
        }
        match result {
            Err(error) if call => self.responses.push_back((ticket, Err(error))),
            result => self.outcomes.push_back((ticket, result)),
        }
        self.entries.finish(slot);
    }

    /// The end of a call that was answered.
    fn end_call(&mut self, slot: u32, response: Response) {
        let Some(ticket) = self.leave(slot) else { return };
        self.stats.answered += 1;
        self.responses.push_back((ticket, Ok(response)));
        self.entries.finish(slot);
    }

    /// Takes an entry from the place where it is counted.
    fn leave(&mut self, slot: u32) -> Option<Ticket> {
        match self.entries.get(slot)?.state {
            State::Free => return None,
            State::Queued => self.stats.queued -= 1,
            State::Open { .. } => self.stats.open -= 1,
        }
        Some(self.entries.ticket(slot))
    }
}
