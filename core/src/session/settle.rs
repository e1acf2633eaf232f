//! How a message ends, or goes back to the queue.

use super::calm::code;
use super::entry::{Ended, Ending, Purpose, State, Ticket};
use super::link::LinkId;
use super::pool::Lane;
use super::{Delivery, Session, SessionEvent, copy_of};
use crate::error::{Error, ErrorKind};
use crate::http::{Response, retry_after};
use crate::net::Processed;
use crate::outcome::{Outcome, Scope};
use crate::time::Now;

impl Session {
    /// The service answered.
    #[inline]
    pub(super) fn answered(&mut self, slot: u32, outcome: Outcome, link: LinkId, now: Now) {
        self.watch(&outcome, link, now);
        if !matches!(outcome, Outcome::Accepted(_)) {
            if let Some(seconds) = self.service.clock_is_wrong(&outcome) {
                self.note(SessionEvent::ClockSkew { seconds });
            }
            if self.sent_again(slot, &outcome, link, now) {
                return;
            }
            if let Outcome::RetryLater(arm) = &outcome {
                self.throttled(slot, arm.scope, arm.after, now);
            }
        }
        self.end_answered(slot, outcome);
    }

    /// A call was answered.
    pub(super) fn called(&mut self, slot: u32, response: Response, link: LinkId, now: Now) {
        let verdict = self.service.verdict(&response, now);
        if !verdict.is_some_and(|outcome| self.sent_again(slot, &outcome, link, now)) {
            if response.status == 429 {
                self.calls_throttled(slot, retry_after(&response, now), now);
            }
            self.end_call(slot, response);
        }
    }

    /// Too many calls: those that follow wait, and come at half the rate. Pushes do not.
    fn calls_throttled(&mut self, slot: u32, after: Option<std::time::Duration>, now: Now) {
        let pool = self.entries.get(slot).map(|entry| entry.pool.index());
        let pool = pool.and_then(|index| self.pools.get_mut(index));
        let Some(pool) = pool.filter(|pool| pool.lane == Lane::Calls) else {
            return;
        };
        let after = after.unwrap_or_default();
        pool.paused_until = pool.paused_until.max(now.monotonic.saturating_add(after));
        if let Some(bucket) = &mut self.calls {
            bucket.slow_down(now.monotonic);
        }
        let scope = Scope::Project;
        self.note(SessionEvent::Throttled { scope, after });
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
                self.service.heed(outcome, now);
                self.replace(link, now);
                self.replay(slot, ErrorKind::GoAway, now)
            }
            _ => false,
        }
    }

    /// The host works; and what only a series of answers shows.
    #[inline]
    fn watch(&mut self, outcome: &Outcome, id: LinkId, now: Now) {
        let Some(link) = self.links.get_mut(id) else {
            return;
        };
        link.answer_came(now);
        let (health, limit) = self.service.health(outcome);
        let wedged = link.is_wedged_after(health, limit);
        // Tokens never seen good say nothing when they are bad.
        let known_tokens = self.pools.get_mut(link.pool.index()).is_some_and(|pool| {
            pool.backoff.reset();
            pool.lane == Lane::Main
        });
        if wedged {
            self.replace(id, now);
        }
        if known_tokens && self.service.mix_up_begins(outcome) {
            self.note(SessionEvent::MixUpSuspected);
        }
    }

    /// The request ended without an answer.
    pub(super) fn unanswered(&mut self, slot: u32, processed: Processed, error: Error, now: Now) {
        let Some(entry) = self.entries.get_mut(slot) else {
            return;
        };
        if entry.purpose == Purpose::Push && error.kind() == ErrorKind::StreamReset {
            // Some resets are as good as an answer.
            let code = error.http2_code();
            if let Some(outcome) = code.and_then(|code| self.service.reset_outcome(code)) {
                return self.end_answered(slot, outcome);
            }
        }
        let again = match (processed, entry.purpose) {
            // To ask for a token twice does no harm.
            (Processed::No, _) | (Processed::Unknown, Purpose::Token) => true,
            (Processed::Unknown, Purpose::Push) => self.config.delivery == Delivery::AtLeastOnce,
            // It may be anything, and need not be safe to repeat.
            (Processed::Unknown, Purpose::Call) => false,
        };
        // A time-out of this attempt is not the end of the message while its deadline is to come.
        let wanted = matches!(entry.ending, None | Some(Ending::TimedOut));
        let in_time = now.monotonic < entry.deadline;
        let told_to_wait = processed == Processed::No
            && error.kind() == ErrorKind::GoAway
            && error.http2_code() == Some(code::ENHANCE_YOUR_CALM);
        let left = told_to_wait || entry.requeues < self.config.max_requeues;
        if again && wanted && in_time && left {
            entry.requeues = entry.requeues.saturating_add(u8::from(!told_to_wait));
            entry.in_doubt |= processed == Processed::Unknown;
            let kind = match entry.ending.take() {
                Some(_) => ErrorKind::Unknown,
                None => error.kind(),
            };
            self.note(SessionEvent::Requeued { error: kind });
            return self.requeue_after(slot, &error, now);
        }
        if let Some(ending) = entry.ending {
            return self.withdrawn(slot, ending, processed, now);
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
        self.end_unanswered(slot, Error::new(kind, context).with_source(error));
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

    /// Back to the queue: at once, or after a while where it was refused before (REFUSED_STREAM).
    fn requeue_after(&mut self, slot: u32, error: &Error, now: Now) {
        let refused =
            error.kind() == ErrorKind::StreamReset && error.http2_code() == Some(code::REFUSED_STREAM);
        let Some(entry) = self.entries.get_mut(slot) else {
            return;
        };
        entry.refusals = match refused {
            true => entry.refusals.saturating_add(1),
            false => 0,
        };
        let (pool, refusals) = (entry.pool, entry.refusals);
        let wait = self.refusal_wait(pool, refusals);
        if wait > std::time::Duration::ZERO {
            if let Some(entry) = self.entries.get_mut(slot) {
                entry.rests_until = Some(now.monotonic.saturating_add(wait));
            }
        }
        self.requeue(slot, now);
    }

    /// Back to the head of the queue, which it has waited for longest; or apart from it, where it is to rest.
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
        let (pool, rests_until) = (entry.pool, entry.rests_until);
        let ticket = self.entries.ticket(slot);
        if let Some(pool) = self.pools.get_mut(pool.index()) {
            match rests_until {
                Some(until) => pool.rest(ticket, until),
                None => pool.waiting.push_front(ticket),
            }
        }
    }

    /// No new requests on this connection; it closes when those in flight have ended.
    pub(super) fn replace(&mut self, id: LinkId, now: Now) {
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
                let paused = !pool.lane.is_for_tokens() && Some(&pool.authority) == authority;
                if paused && pool.paused_until < until {
                    // Never sooner than asked; a little later, so that not all come back at once.
                    let wait = pool.backoff.spread_up(after);
                    pool.paused_until = now.monotonic.saturating_add(wait);
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
            // All of them before the first is withdrawn: its stream is not for the next message, if
            // its connection is of no use.
            for ticket in &due {
                self.not_answered(*ticket, now);
            }
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
                let (pool, rests_until) = (entry.pool, entry.rests_until);
                self.withdrawn(slot, ending, Processed::No, now);
                if let Some(pool) = self.pools.get_mut(pool.index()) {
                    match rests_until {
                        Some(until) => pool.left_rest(ticket, until),
                        None => pool.waiting.left(&self.entries),
                    }
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
            Purpose::Push | Purpose::Call => self.end_unanswered(slot, error),
            Purpose::Token => self.token_ended(slot, Err(error), false, now),
        }
    }

    /// The end of a message that was answered.
    #[inline]
    fn end_answered(&mut self, slot: u32, outcome: Outcome) {
        let Some(Left { ticket, tag, .. }) = self.leave(slot) else {
            return;
        };
        self.stats.count_outcome(&outcome);
        self.outcomes.push_back(Ended {
            ticket,
            tag,
            result: Ok(outcome),
        });
    }

    /// The end of a message, or a call, that was not answered.
    pub(super) fn end_unanswered(&mut self, slot: u32, error: Error) {
        let Some(left) = self.leave(slot) else { return };
        let error = match error.kind() {
            ErrorKind::NotSent | ErrorKind::Expired if left.in_doubt => {
                let context = "an earlier attempt was written and got no answer";
                Error::new(ErrorKind::Unknown, context).with_source(error)
            }
            _ => error,
        };
        self.stats.count_error(error.kind());
        match left.purpose {
            Purpose::Call => self.responses.push_back((left.ticket, Err(error))),
            Purpose::Push | Purpose::Token => self.outcomes.push_back(Ended {
                ticket: left.ticket,
                tag: left.tag,
                result: Err(error),
            }),
        }
    }

    /// The end of a call that was answered.
    fn end_call(&mut self, slot: u32, response: Response) {
        let Some(Left { ticket, .. }) = self.leave(slot) else {
            return;
        };
        self.stats.answered += 1;
        self.responses.push_back((ticket, Ok(response)));
    }

    /// Takes an entry from the place where it is counted, and ends it.
    #[inline]
    fn leave(&mut self, slot: u32) -> Option<Left> {
        let entry = self.entries.get_mut(slot)?;
        match entry.state {
            State::Free => return None,
            State::Queued => self.stats.queued -= 1,
            State::Open { .. } => self.stats.open -= 1,
        }
        let left = Left {
            ticket: entry.ticket(slot),
            tag: entry.tag,
            purpose: entry.purpose,
            in_doubt: entry.in_doubt,
        };
        entry.finish();
        Some(left)
    }
}

/// What is told of an entry that has ended.
struct Left {
    ticket: Ticket,
    tag: u64,
    purpose: Purpose,
    in_doubt: bool,
}
