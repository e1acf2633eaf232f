//! PING (RFC 9113 §6.7): whether a silent server is still there.

use std::time::Duration;

use super::config::PingPolicy;

/// When a PING is due, and which one is under way.
pub(super) struct KeepAlive {
    /// When to ask; `None` leaves it to the owner.
    policy: Option<PingPolicy>,
    /// The PING under way; `None` when there is none.
    ping: Option<Ping>,
    count: u64,
    last_received: Duration,
    /// When the first of the streams now open was opened.
    active_since: Duration,
}

struct Ping {
    payload: [u8; 8],
    sent: Duration,
    /// When the answer must have come; `None` when no answer is insisted on.
    deadline: Option<Duration>,
}

/// The purpose of the timer that is due.
pub(super) enum Due {
    /// A PING should go out.
    Ask,
    /// The server did not answer one.
    GiveUp,
}

impl KeepAlive {
    pub(super) fn new(policy: Option<PingPolicy>, now: Duration) -> Self {
        Self {
            policy,
            ping: None,
            count: 0,
            last_received: now,
            active_since: now,
        }
    }

    /// Returns whether a PING is under way.
    pub(super) fn is_asking(&self) -> bool {
        self.ping.is_some()
    }

    /// Returns when something is due, where there are streams (`active`) or not; `None` is never.
    pub(super) fn poll_timeout(&self, ready: bool, active: bool) -> Option<Duration> {
        if let Some(deadline) = self.ping.as_ref().and_then(|ping| ping.deadline) {
            return Some(deadline);
        }
        let policy = self.policy.as_ref()?;
        if !ready || !(active || policy.without_streams) {
            return None;
        }
        let since = match active {
            true => self.last_received.max(self.active_since),
            false => self.last_received,
        };
        Some(since.saturating_add(policy.idle))
    }

    /// Returns what is due at `now`; `None` when nothing is.
    pub(super) fn due(&self, ready: bool, active: bool, now: Duration) -> Option<Due> {
        self.poll_timeout(ready, active).filter(|due| *due <= now)?;
        let insists = self.ping.as_ref().is_some_and(|ping| ping.deadline.is_some());
        Some(if insists { Due::GiveUp } else { Due::Ask })
    }

    /// Notes that octets arrived: whatever they are, the server lives.
    #[inline]
    pub(super) fn received(&mut self, now: Duration) {
        self.last_received = now;
        if let (Some(ping), Some(policy)) = (&mut self.ping, &self.policy) {
            if ping.deadline.is_some() {
                ping.deadline = Some(now.saturating_add(policy.acknowledge));
            }
        }
    }

    /// Notes that the first of the streams now open was opened.
    pub(super) fn active(&mut self, now: Duration) {
        self.active_since = now;
    }

    /// Begins a PING; returns its payload.
    pub(super) fn ask(&mut self, now: Duration) -> [u8; 8] {
        self.count += 1;
        let payload = self.count.to_be_bytes();
        let deadline = self
            .policy
            .as_ref()
            .map(|policy| now.saturating_add(policy.acknowledge));
        self.ping = Some(Ping {
            payload,
            sent: now,
            deadline,
        });
        payload
    }

    /// Takes an acknowledgement; returns the round trip, or `None` when it is not of the PING under way.
    pub(super) fn acknowledge(&mut self, payload: &[u8], now: Duration) -> Option<Duration> {
        let ping = self.ping.take_if(|ping| ping.payload == payload)?;
        Some(now.saturating_sub(ping.sent))
    }
}
