//! Servers that ask for patience: less at a time, later, or seldomer.

use std::sync::Arc;
use std::time::Duration;

use super::entry::{State, Ticket};
use super::link::{Link, LinkId};
use super::pool::{Pool, PoolId};
use super::{Session, SessionEvent};
use crate::net::ConnectionConfig;
use crate::net::h2::code;
use crate::outcome::Scope;
use crate::time::Now;

/// How gRPC's servers call a client that asks too often whether they are there (GOAWAY's debug
/// data). The client is to ask half as often from then on.
const TOO_MANY_PINGS: &str = "too_many_pings";
/// The longest silence before a PING, however often a server complained.
const RAREST_PING: Duration = Duration::from_secs(3600);

/// Above this many requests at a time a connection that was asked to be calm is like any other.
const CALM_NO_MORE: usize = 1000;

/// The first wait of a message that is refused a second time in a row; it doubles with every
/// refusal more. The first time it goes out again at once: the server only asked for that.
const REFUSED_TWICE: Duration = Duration::from_millis(50);

/// Requests in a row that got no answer in time, on a connection that is alive, before
/// the next ones are better sent over another one.
const TIMEOUTS: u32 = 3;

impl Session {
    /// A stream was reset with ENHANCE_YOUR_CALM: its connection pauses for a step of the back-off,
    /// and has at most half as many requests in flight afterwards. One step for one burst of resets.
    pub(super) fn calm_down(&mut self, id: LinkId, now: Now) {
        let Some(link) = self.links.get_mut(id) else {
            return;
        };
        let Some(pool) = self.pools.get_mut(link.pool.index()) else {
            return;
        };
        if link.resumes_at.is_some() {
            return;
        }
        // What is left of a step that is nearly over would be no pause.
        let after = pool.back_off(now.monotonic, self.config.first_backoff * 4 / 5);
        link.resumes_at = Some(now.monotonic.saturating_add(after));
        // The one that was reset has left already.
        link.most = (link.most.min(link.in_flight.saturating_add(1)) / 2).max(1);
        link.earned = 0;
        let scope = Scope::Connection;
        self.note(SessionEvent::Throttled { scope, after });
    }

    /// GOAWAY: no new requests here; where it asks for calm, no new connection for a while either.
    pub(super) fn going_away(&mut self, id: LinkId, code: u32, reason: String, now: Now) {
        if let Some(link) = self.links.get_mut(id) {
            link.retired = true;
            let calm_down = code == code::ENHANCE_YOUR_CALM;
            if let Some(pool) = self.pools.get_mut(link.pool.index()).filter(|_| calm_down) {
                pool.back_off(now.monotonic, Duration::ZERO);
                if reason.contains(TOO_MANY_PINGS) {
                    pool.ping_doublings = pool.ping_doublings.saturating_add(1);
                }
            }
        }
        self.note(SessionEvent::GoAway {
            link: id,
            code,
            reason: reason.into(),
        });
    }

    /// A request got no answer in time, although its connection is alive (or its PING would have shown
    /// that it is not). Several in a row, and the connection is replaced. A deadline that left the
    /// request hardly any time says nothing about the connection.
    pub(super) fn not_answered(&mut self, ticket: Ticket, now: Now) {
        let entry = self.entries.find(ticket).and_then(|slot| self.entries.get(slot));
        let Some((State::Open { link, .. }, opened_at)) = entry.map(|entry| (entry.state, entry.opened_at))
        else {
            return;
        };
        let waited = now.monotonic.saturating_sub(opened_at);
        if let Some(state) = self
            .links
            .get_mut(link)
            .filter(|_| waited >= self.config.response_timeout / 2)
        {
            state.timeouts = state.timeouts.saturating_add(1);
            if state.timeouts >= TIMEOUTS {
                self.replace(link, now);
            }
        }
    }

    /// How long a message waits that has been refused `times` times in a row.
    pub(super) fn refusal_wait(&mut self, pool: PoolId, times: u8) -> Duration {
        let Some(doublings) = times.checked_sub(2) else {
            return Duration::ZERO;
        };
        let wait = REFUSED_TWICE.saturating_mul(1 << u32::from(doublings).min(16));
        let wait = wait.min(self.config.longest_backoff);
        self.pools
            .get_mut(pool.index())
            .map_or(wait, |pool| pool.backoff.spread(wait))
    }
}

impl Link {
    /// A response came: the service answers here, and may be trusted with a little more at a time.
    pub(super) fn answer_came(&mut self, now: Now) {
        self.idle_since = now.monotonic;
        self.answered = true;
        self.timeouts = 0;
        if self.most < CALM_NO_MORE {
            self.earned += 1;
            if self.earned >= self.most {
                self.most += 1;
                self.earned = 0;
            }
        } else {
            self.most = usize::MAX;
        }
    }
}

impl Pool {
    /// No new connection for the next step of the back-off. Where such a step is under way, and more
    /// than `least` of it is left, this is about the same trouble, and that step is all. Returns
    /// how long it still takes.
    pub(super) fn back_off(&mut self, now: Duration, least: Duration) -> Duration {
        if self.dial_after.saturating_sub(now) <= least {
            let wait = self.backoff.next_wait();
            self.dial_after = now.saturating_add(wait);
        }
        self.dial_after.saturating_sub(now)
    }

    /// The same, with the PINGs that this host puts up with.
    pub(super) fn with_its_pings(&self, config: Arc<ConnectionConfig>) -> Arc<ConnectionConfig> {
        let Some(mut ping) = config.http2.ping.filter(|_| self.ping_doublings > 0) else {
            return config;
        };
        let factor = 1u32 << self.ping_doublings.min(16);
        ping.idle = ping.idle.saturating_mul(factor).min(RAREST_PING.max(ping.idle));
        let mut config = ConnectionConfig::clone(&config);
        config.http2.ping = Some(ping);
        Arc::new(config)
    }
}
