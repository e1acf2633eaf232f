//! The hosts that compete for connections, when there cannot be one for each.

use std::collections::VecDeque;
use std::time::Duration;

use super::id::HostId;

/// How long nothing more is dialled than there is, after the system had no descriptor left: others may give theirs back any time.
const DESCRIPTORS_MISSED: Duration = Duration::from_secs(1);

/// How long a host has its connections at least while others wait for their places: long enough that a handshake costs
/// little beside it, and short enough that a dozen hosts have one place within a deadline of a minute.
const TURN: Duration = Duration::from_secs(5);

/// The hosts with messages and without a connection, those first that have waited for longest, and what the system allows.
#[derive(Debug, Default)]
pub(super) struct Crowd {
    wanting: VecDeque<HostId>,
    /// The host that may take a place now; `None` where none may that has to wait.
    admitted: Option<HostId>,
    /// The most connections at a time, because the system had no descriptor for another one; `None` where
    /// no such limit is known.
    ceiling: Option<usize>,
    /// When the ceiling is raised.
    raised_at: Duration,
}

impl Crowd {
    pub(super) fn is_empty(&self) -> bool {
        self.wanting.is_empty()
    }

    /// The number of hosts that wait for a connection.
    pub(super) fn len(&self) -> usize {
        self.wanting.len()
    }

    /// Whether there may be another connection beside `links`.
    pub(super) fn allows_another(&self, links: usize) -> bool {
        self.ceiling.is_none_or(|ceiling| links < ceiling)
    }

    /// A host waits for a connection from now on.
    pub(super) fn push(&mut self, host: HostId) {
        self.wanting.push_back(host);
    }

    /// The host that has waited for longest.
    pub(super) fn first(&self) -> Option<HostId> {
        self.wanting.front().copied()
    }

    /// That host waits no longer; it may take a place until [`Crowd::close`].
    pub(super) fn admit(&mut self) {
        self.admitted = self.wanting.pop_front();
    }

    /// No host may take a place while others wait.
    pub(super) fn close(&mut self) {
        self.admitted = None;
    }

    /// Whether `host` takes the place of none that has waited longer.
    pub(super) fn lets(&self, host: HostId) -> bool {
        self.wanting.is_empty() || self.admitted == Some(host)
    }

    /// When a turn that `began` then is over: its host gives its place to one that waits.
    pub(super) fn over_at(began: Duration) -> Duration {
        began.saturating_add(TURN)
    }

    /// The system had no descriptor for a connection beside `links`.
    pub(super) fn note_ceiling(&mut self, links: usize, now: Duration) {
        self.ceiling = Some(links.min(self.ceiling.unwrap_or(links)));
        self.raised_at = now.saturating_add(DESCRIPTORS_MISSED);
    }

    /// Raises the ceiling where it is time: by a quarter, so that descriptors that have come back are found soon.
    pub(super) fn raise(&mut self, now: Duration) {
        if let Some(ceiling) = self.ceiling.filter(|_| self.raised_at <= now) {
            self.ceiling = Some(ceiling.saturating_add(ceiling / 4 + 1));
            self.raised_at = now.saturating_add(DESCRIPTORS_MISSED);
        }
    }

    /// When [`Crowd::raise`] has to be called; `None` is never.
    pub(super) fn next_at(&self) -> Option<Duration> {
        (self.ceiling.is_some() && !self.is_empty()).then_some(self.raised_at)
    }
}
