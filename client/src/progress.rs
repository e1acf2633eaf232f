//! How far a bulk send is.

use std::time::{Duration, Instant};

use pushcore::{Error, ErrorKind, Outcome};

/// Counts of one `send_many`.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Progress {
    /// How many messages there are in all, if the iterator knows.
    pub expected: Option<usize>,
    /// Taken from the iterator.
    pub taken: u64,
    /// Taken, and not handed over with its end yet; doubtful answers that are held back are among them.
    pub in_flight: u64,
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
    /// Ended: certainly not processed, cancelled, or expired in the queue.
    pub not_sent: u64,
    /// Ended: written, no answer.
    pub unknown: u64,
    /// Since the start.
    pub elapsed: Duration,
    pub(crate) started: Instant,
}

impl Progress {
    /// The start of a bulk send of so many messages, where that is known. For those who drive a
    /// [`Session`](pushcore::session::Session) themselves and want the same counts.
    pub fn new(expected: Option<usize>) -> Self {
        Self {
            expected,
            taken: 0,
            in_flight: 0,
            accepted: 0,
            token_gone: 0,
            token_mismatch: 0,
            retry_later: 0,
            fix_credentials: 0,
            rejected: 0,
            not_sent: 0,
            unknown: 0,
            elapsed: Duration::ZERO,
            started: Instant::now(),
        }
    }

    /// Messages that have ended.
    pub fn ended(&self) -> u64 {
        self.accepted
            + self.token_gone
            + self.token_mismatch
            + self.retry_later
            + self.fix_credentials
            + self.rejected
            + self.not_sent
            + self.unknown
    }

    /// Ended messages a second since the start.
    pub fn rate(&self) -> f64 {
        let seconds = self.elapsed.as_secs_f64();
        if seconds > 0.0 {
            self.ended() as f64 / seconds
        } else {
            0.0
        }
    }

    /// Counts the end of a message; `taken`, `in_flight` and `elapsed` are the caller's to keep.
    pub fn count(&mut self, result: Result<&Outcome, &Error>) {
        let place = match result {
            Ok(Outcome::Accepted(_)) => &mut self.accepted,
            Ok(Outcome::TokenGone(_)) => &mut self.token_gone,
            Ok(Outcome::TokenMismatch(_)) => &mut self.token_mismatch,
            Ok(Outcome::RetryLater(_)) => &mut self.retry_later,
            Ok(Outcome::FixCredentials(_)) => &mut self.fix_credentials,
            Ok(_) => &mut self.rejected,
            Err(error) if error.kind() == ErrorKind::Unknown => &mut self.unknown,
            Err(_) => &mut self.not_sent,
        };
        *place += 1;
    }
}
