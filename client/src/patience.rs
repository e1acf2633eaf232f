//! The deadline of a call that may have to wait before anything is submitted.

use std::time::Duration;

use pushcore::session::{SendOptions, SessionConfig};
use pushcore::{Error, ErrorKind, Now};

use crate::clock;

/// A deadline that runs from the call and not from the submission: the queue may be full, or an access token
/// may be on its way.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Patience {
    /// `None` is the session's own.
    deadline: Option<Duration>,
    since: Duration,
}

impl Patience {
    /// The call begins.
    pub(crate) fn new(options: SendOptions) -> Self {
        Self {
            deadline: options.deadline,
            since: clock::now().monotonic,
        }
    }

    /// What is left of the deadline.
    pub(crate) fn left(&self, config: &SessionConfig, now: Now) -> Duration {
        let waited = now.monotonic.saturating_sub(self.since);
        self.deadline.unwrap_or(config.deadline).saturating_sub(waited)
    }

    /// Nothing is left of it.
    pub(crate) fn expired() -> Error {
        let context = "neither room in the queue nor an access token came in time";
        Error::new(ErrorKind::Expired, context)
    }
}
