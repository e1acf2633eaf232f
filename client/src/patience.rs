//! The deadline of a call that may have to wait before anything is submitted.

use std::time::Duration;

use pushcore::{Error, ErrorKind};

use crate::clock;

/// A deadline that runs from the call and not from the submission: the queue may be full, or an access token
/// may be on its way. For callers of [`Batch`](crate::Batch) and [`Exchange`](crate::Exchange), who wait in a loop of their own.
#[derive(Clone, Copy, Debug)]
pub struct Patience {
    deadline: Duration,
    since: Duration,
}

impl Patience {
    /// A call begins that is to end after `deadline` at the latest.
    pub fn new(deadline: Duration) -> Self {
        Self {
            deadline,
            since: clock::now().monotonic,
        }
    }

    /// What is left of the deadline: zero when the call is to end with [`Patience::expired`].
    pub fn left(&self) -> Duration {
        let waited = clock::now().monotonic.saturating_sub(self.since);
        self.deadline.saturating_sub(waited)
    }

    /// The error of a call that nothing was submitted for in time.
    pub fn expired() -> Error {
        let context = "neither room in the queue nor an access token came in time";
        Error::new(ErrorKind::Expired, context)
    }
}
