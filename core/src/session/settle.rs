//! How a message ends, or goes back to the queue.

use super::entry::{Ending, Purpose, State};
use super::link::LinkId;
use super::pool::Lane;
use super::{Delivery, Session, SessionEvent};
use crate::error::{Error, ErrorKind};
use crate::http::Request;
use crate::net::Processed;
use crate::outcome::{Outcome, Scope};
use crate::time::Now;

impl Session {
    /// The service answered.
    pub(super) fn answered(&mut self, slot: u32, outcome: Outcome, link: LinkId, now: Now) {
        match &outcome {
            Outcome::FixCredentials(arm) => {
                let (refreshable, reconnect) = (arm.refreshable, arm.reconnect);
                if reconnect {
                    self.replace(link, now);
                }
                let used = self
                    .entries
                    .get(slot)
                    .and_then(|e| e.request.authorization.as_ref())
                    .map(|b| b.id());
                let renewed = refreshable && self.service.refused(&outcome, used, now);
                if (renewed || (reconnect && !refreshable)) && self.replay(slot, ErrorKind::TokenNeeded, now)
                {
                    return;
                }
            }
            Outcome::RetryLater(arm) if arm.scope == Scope::Connection => {
                // The service says that this connection, not the message, is the problem: it has
                // not processed it, and another connection will do.
                self.replace(link, now);
                if self.replay(slot, ErrorKind::GoAway, now) {
                    return;
                }
            }
            Outcome::RetryLater(arm) => self.throttled(slot, arm.scope, arm.after, now),
            _ => {}
        }
        self.end(slot, Ok(outcome));
    }

    /// The request ended without an answer.
    pub(super) fn unanswered(&mut self, slot: u32, processed: Processed, error: Error, now: Now) {
        let Some(entry) = self.entries.get_mut(slot) else {
            return;
        };
        if let Some(ending) = entry.ending {
            return self.withdrawn(slot, ending, processed, now);
        }
        if entry.purpose == Purpose::Token {
            return self.token_answered(slot, Err(error), now);
        }
        let again = match processed {
            Processed::No => true,
            Processed::Unknown => self.config.delivery == Delivery::AtLeastOnce,
        };
        let in_time = now.monotonic < entry.deadline;
        if again && in_time && entry.requeues < self.config.max_requeues {
            entry.requeues += 1;
            self.note(SessionEvent::Requeued { error: error.kind() });
            return self.requeue(slot, now);
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
        if entry.replays > 0 || entry.deadline <= now.monotonic {
            return false;
        }
        entry.replays += 1;
        self.note(SessionEvent::Requeued { error: why });
        self.requeue(slot, now);
        true
    }

    /// Back to the head of the queue: it has waited longest.
    fn requeue(&mut self, slot: u32, now: Now) {
        let Some(entry) = self.entries.get_mut(slot) else {
            return;
        };
        if matches!(entry.state, State::Open { .. }) && entry.purpose == Purpose::Push {
            self.stats.open -= 1;
            self.stats.queued += 1;
            self.stats.requeued += 1;
        }
        entry.state = State::Queued;
        entry.due = entry.deadline;
        entry.queued_at = now.monotonic;
        if let Some(pool) = self.pools.get_mut(entry.pool.0 as usize) {
            pool.waiting.push_front(slot);
        }
    }

    /// No new requests on this connection; it closes when those in flight have ended.
    fn replace(&mut self, id: LinkId, now: Now) {
        let Some(link) = self.links.get_mut(id) else {
            return;
        };
        if !link.retired {
            link.retired = true;
            link.connection.close(now);
            self.note(SessionEvent::Wedged { link: id });
        }
    }

    fn throttled(&mut self, slot: u32, scope: Scope, after: Option<std::time::Duration>, now: Now) {
        let after = after.unwrap_or_default();
        if scope == Scope::Project {
            let pool = self
                .entries
                .get(slot)
                .and_then(|entry| self.pools.get_mut(entry.pool.0 as usize));
            if let Some(pool) = pool {
                pool.paused_until = pool.paused_until.max(now.monotonic.saturating_add(after));
            }
            if let Some(bucket) = &mut self.bucket {
                bucket.slow_down(now.monotonic);
            }
        }
        self.note(SessionEvent::Throttled { scope, after });
    }

    /// Ends what has passed its time.
    pub(super) fn expire(&mut self, now: Now) {
        let due: Vec<(u32, bool)> = self
            .entries
            .live()
            .filter(|(_, entry)| entry.due <= now.monotonic)
            .map(|(slot, entry)| (slot, matches!(entry.state, State::Open { .. })))
            .collect();
        if due.iter().any(|(_, open)| !open) {
            let entries = &self.entries;
            for pool in &mut self.pools {
                pool.waiting
                    .retain(|slot| entries.get(*slot).is_some_and(|entry| entry.due > now.monotonic));
            }
        }
        for (slot, _) in due {
            self.withdraw(slot, Ending::TimedOut, now);
        }
        self.next_due = self.entries.live().map(|(_, entry)| entry.due).min();
    }

    /// Takes an entry off its stream or out of its queue, and ends it as `ending` says.
    pub(super) fn withdraw(&mut self, slot: u32, ending: Ending, now: Now) {
        let Some(entry) = self.entries.get_mut(slot) else {
            return;
        };
        match entry.state {
            State::Free => {}
            State::Queued => {
                if let Some(pool) = self.pools.get_mut(entry.pool.0 as usize) {
                    pool.waiting.retain(|other| *other != slot);
                }
                self.withdrawn(slot, ending, Processed::No, now);
            }
            State::Open {
                link: id,
                id: request,
            } => {
                entry.ending = Some(ending);
                let Some(link) = self.links.get_mut(id) else {
                    return;
                };
                // Its last event says whether anything was written; or that the answer was faster.
                link.connection.cancel(request, now);
                self.drain(id, now);
            }
        }
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
                let pool = self.pools.get(entry.pool.0 as usize);
                match pool.and_then(|pool| pool.last_failure.as_ref()) {
                    Some(cause) => expired.with_source(Error::new(cause.kind(), cause.to_string())),
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
            Purpose::Push => self.end(slot, Err(error)),
            Purpose::Token => self.token_answered(slot, Err(error), now),
        }
    }

    /// Nothing was sent, and nothing will be: `cause` says why.
    pub(super) fn fail_entry(&mut self, slot: u32, cause: Error) {
        let purpose = self.entries.get(slot).map(|entry| entry.purpose);
        match purpose {
            Some(Purpose::Push) => {
                let error = Error::new(ErrorKind::NotSent, "not sent").with_source(cause);
                self.end(slot, Err(error));
            }
            Some(Purpose::Token) => {
                let now = Now::new(self.clock, crate::time::UnixTime::default());
                self.token_answered(slot, Err(cause), now);
            }
            None => {}
        }
    }

    /// The one place where a message ends.
    pub(super) fn end(&mut self, slot: u32, result: Result<Outcome, Error>) {
        let Some(entry) = self.entries.get(slot) else {
            return;
        };
        match entry.state {
            State::Free => return,
            State::Queued => self.stats.queued -= 1,
            State::Open { .. } => self.stats.open -= 1,
        }
        match &result {
            Ok(outcome) => self.stats.count_outcome(outcome),
            Err(error) => self.stats.count_error(error.kind()),
        }
        self.outcomes.push_back((self.entries.ticket(slot), result));
        self.entries.release(slot);
    }

    /// Sends a request of ours to a token endpoint.
    pub(super) fn fetch_token(&mut self, request: Request, now: Now) {
        let Some(authority) = request.authority.clone() else {
            return;
        };
        let Ok(slot) = self.entries.reserve() else { return };
        let pool = self.pool(&authority, Lane::Token);
        if let Some(entry) = self.entries.get_mut(slot) {
            entry.purpose = Purpose::Token;
            entry.state = State::Queued;
            entry.pool = pool;
            entry.request = request;
            entry.deadline = now.monotonic.saturating_add(self.config.response_timeout);
            entry.due = entry.deadline;
            entry.queued_at = now.monotonic;
            self.next_due = Some(self.next_due.map_or(entry.due, |due| due.min(entry.due)));
        }
        if let Some(pool) = self.pools.get_mut(pool.0 as usize) {
            pool.waiting.push_back(slot);
        }
        self.pump(pool, now);
    }

    /// The token endpoint answered, or did not.
    pub(super) fn token_answered(&mut self, slot: u32, result: Result<Option<Request>, Error>, now: Now) {
        self.entries.release(slot);
        match result {
            Ok(None) => self.note(SessionEvent::TokenRenewed),
            // One step of several: the fetch goes on.
            Ok(Some(request)) => return self.fetch_token(request, now),
            Err(error) => {
                self.service.token_failed(&error, now);
                self.note(SessionEvent::TokenFailed {
                    error: error.kind(),
                    text: error.to_string().into(),
                });
                let final_word = matches!(
                    error.kind(),
                    ErrorKind::TokenRefused
                        | ErrorKind::TokenAnswerInvalid
                        | ErrorKind::CertificateUnknownIssuer
                );
                let pushes: Vec<_> = (0..self.pools.len())
                    .filter(|i| self.pools[*i].lane != Lane::Token)
                    .collect();
                for index in pushes {
                    let cause = Error::new(error.kind(), error.to_string());
                    if final_word {
                        self.fail_pool(super::pool::PoolId(index as u32), cause);
                    } else {
                        self.pools[index].last_failure = Some(cause);
                    }
                }
            }
        }
        for index in 0..self.pools.len() {
            if self.pools[index].lane != Lane::Token {
                self.pump(super::pool::PoolId(index as u32), now);
            }
        }
    }
}
