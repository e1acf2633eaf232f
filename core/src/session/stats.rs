//! Counting: every message is in exactly one place.

use std::ops::AddAssign;

use super::ending::Ending;
use crate::http::Response;
use crate::outcome::Outcome;

/// How many messages are where. `submitted` is the sum of all the others that
/// name a place; [`Stats::is_balanced`] says whether that holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Stats {
    /// Messages taken by `submit`.
    pub submitted: u64,
    /// Waiting for a stream.
    pub queued: u64,
    /// On a stream, no answer yet.
    pub open: u64,
    /// Answered by a doubtful refusal that waits for other answers; see
    /// [`SendOptions::bulk`](super::SendOptions::bulk).
    pub held: u64,
    /// Ended: taken by the service.
    pub accepted: u64,
    /// Ended: the token is dead.
    pub token_gone: u64,
    /// Ended: the token is blamed, and may be good.
    pub token_mismatch: u64,
    /// Ended: not now.
    pub retry_later: u64,
    /// Ended: the credentials are at fault.
    pub fix_credentials: u64,
    /// Ended: can never be accepted.
    pub rejected: u64,
    /// Ended: an exchange that was answered, whatever the answer.
    pub exchanges_answered: u64,
    /// Ended: certainly not processed.
    pub not_sent: u64,
    /// Ended: written, no answer.
    pub unknown: u64,
    /// Ended: the deadline passed before it was written.
    pub expired: u64,
    /// Ended: cancelled by the caller.
    pub cancelled: u64,
    /// Times a message went back to the queue (not a place).
    pub requeued: u64,
}

impl AddAssign<&Stats> for Stats {
    fn add_assign(&mut self, other: &Stats) {
        // All fields: one that is added and not counted here does not compile.
        let Stats {
            submitted,
            queued,
            open,
            held,
            accepted,
            token_gone,
            token_mismatch,
            retry_later,
            fix_credentials,
            rejected,
            exchanges_answered,
            not_sent,
            unknown,
            expired,
            cancelled,
            requeued,
        } = other;
        self.submitted += submitted;
        self.queued += queued;
        self.open += open;
        self.held += held;
        self.accepted += accepted;
        self.token_gone += token_gone;
        self.token_mismatch += token_mismatch;
        self.retry_later += retry_later;
        self.fix_credentials += fix_credentials;
        self.rejected += rejected;
        self.exchanges_answered += exchanges_answered;
        self.not_sent += not_sent;
        self.unknown += unknown;
        self.expired += expired;
        self.cancelled += cancelled;
        self.requeued += requeued;
    }
}

impl Stats {
    /// Returns every count with its name, the same in every language.
    pub const fn list(&self) -> [(&'static str, u64); 16] {
        let Self {
            submitted,
            queued,
            open,
            held,
            accepted,
            token_gone,
            token_mismatch,
            retry_later,
            fix_credentials,
            rejected,
            exchanges_answered,
            not_sent,
            unknown,
            expired,
            cancelled,
            requeued,
        } = *self;
        [
            ("submitted", submitted),
            ("queued", queued),
            ("open", open),
            ("held", held),
            ("accepted", accepted),
            ("token_gone", token_gone),
            ("token_mismatch", token_mismatch),
            ("retry_later", retry_later),
            ("fix_credentials", fix_credentials),
            ("rejected", rejected),
            ("answered", exchanges_answered),
            ("not_sent", not_sent),
            ("unknown", unknown),
            ("expired", expired),
            ("cancelled", cancelled),
            ("requeued", requeued),
        ]
    }

    /// Messages that have ended.
    pub const fn ended(&self) -> u64 {
        self.accepted
            + self.token_gone
            + self.token_mismatch
            + self.retry_later
            + self.fix_credentials
            + self.rejected
            + self.exchanges_answered
            + self.not_sent
            + self.unknown
            + self.expired
            + self.cancelled
    }

    /// Nothing lost, nothing counted twice (invariant I1).
    pub const fn is_balanced(&self) -> bool {
        self.submitted == self.queued + self.open + self.held + self.ended()
    }

    /// Counts the end of a push.
    #[inline]
    pub(super) fn count_push(&mut self, ending: &Ending) {
        self.count(ending, |stats, outcome| match outcome {
            Outcome::Accepted(_) => &mut stats.accepted,
            Outcome::TokenGone(_) => &mut stats.token_gone,
            Outcome::TokenMismatch(_) => &mut stats.token_mismatch,
            Outcome::RetryLater(_) => &mut stats.retry_later,
            Outcome::FixCredentials(_) => &mut stats.fix_credentials,
            Outcome::Rejected(_) => &mut stats.rejected,
        });
    }

    /// Counts the end of a request that is not a message.
    pub(super) fn count_call(&mut self, ending: &Ending<Response>) {
        self.count(ending, |stats, _| &mut stats.exchanges_answered);
    }

    #[inline]
    fn count<T>(
        &mut self,
        ending: &Ending<T>,
        answered: impl for<'a> FnOnce(&'a mut Self, &T) -> &'a mut u64,
    ) {
        let place = match ending {
            Ending::Answered(answer) => answered(self, answer),
            Ending::NotSent(_) => &mut self.not_sent,
            Ending::Unknown(_) => &mut self.unknown,
            Ending::Expired(_) => &mut self.expired,
            Ending::Cancelled(_) => &mut self.cancelled,
        };
        *place += 1;
    }
}
