//! The connections to one host, and what waits for them.

use std::time::Duration;

use super::backoff::Backoff;
use super::link::LinkId;
use super::queue::Queue;
use crate::error::Error;
use crate::http::Authority;

/// A pool's place in the session's table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct PoolId(pub(super) u32);

impl PoolId {
    pub(super) const NONE: Self = Self(u32::MAX);

    pub(super) fn index(self) -> usize {
        self.0 as usize
    }
}

/// Which messages share connections. Two lanes to one host never do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Lane {
    /// Pushes.
    Main,
    /// Pushes to tokens never seen good: a BadDeviceToken throttles its whole APNs connection.
    Suspect,
    /// Requests to a token endpoint.
    Token,
}

#[derive(Debug)]
pub(super) struct Pool {
    pub(super) authority: Authority,
    pub(super) lane: Lane,
    pub(super) links: Vec<LinkId>,
    /// What waits for a stream.
    pub(super) waiting: Queue,
    pub(super) backoff: Backoff,
    /// No new connection before this time.
    pub(super) dial_after: Duration,
    /// No new request before this time (429 for the whole project).
    pub(super) paused_until: Duration,
    /// When those who wait were last looked at. A timer of theirs that is later is still to come;
    /// the session's clock may have passed it meanwhile on another pool's business.
    pub(super) pumped_at: Duration,
    /// When it was last of use.
    pub(super) used_at: Duration,
    /// A connection has been ready at least once.
    pub(super) ever_ready: bool,
    /// Why the last connection failed: the cause given to messages that expire waiting.
    pub(super) last_failure: Option<Error>,
}

impl Pool {
    pub(super) fn new(authority: Authority, lane: Lane, backoff: Backoff) -> Self {
        Self {
            authority,
            lane,
            links: Vec::new(),
            waiting: Queue::default(),
            backoff,
            dial_after: Duration::ZERO,
            paused_until: Duration::ZERO,
            pumped_at: Duration::ZERO,
            used_at: Duration::ZERO,
            ever_ready: false,
            last_failure: None,
        }
    }
}
