//! The making of connections: how many there may be, and who waits for one.

use std::time::Duration;

use super::crowd::Crowd;
use super::event::{Action, DialReason, SessionEvent};
use super::id::HostId;
use super::link::{Link, Terms};
use super::shared::Shared;
use crate::error::Error;
use crate::net::Connection;
use crate::time::Now;

/// The part of a session that asks for connections.
#[derive(Debug, Default)]
pub(super) struct Dialler {
    crowd: Crowd,
}

impl Dialler {
    /// The number of hosts that wait for a connection.
    #[cfg(test)]
    pub(super) fn waiting(&self) -> usize {
        self.crowd.len()
    }

    /// When the hosts that wait for a connection have to be looked at; `None` is never.
    pub(super) fn next_at(&self) -> Option<Duration> {
        self.crowd.next_at()
    }

    /// The host that has waited for a connection for longest.
    pub(super) fn first_waiting(&self) -> Option<HostId> {
        self.crowd.first()
    }

    /// When a turn ends that hosts wait for; `None` where none is waited for.
    pub(super) fn turn_ends_at(&self, shared: &Shared) -> Option<Duration> {
        if shared.hosts.yielding() >= self.crowd.len() {
            return None;
        }
        let (began, _) = shared.hosts.longest_turn()?;
        Some(Crowd::over_at(began))
    }

    /// Ends the turn that has lasted for longest, where it has lasted for long and more hosts wait than give their places already.
    /// Returns its host, whose connections are to end. Everything is settled.
    pub(super) fn end_turn(&mut self, shared: &mut Shared, now: Now) -> Option<HostId> {
        let at = self.turn_ends_at(shared)?;
        let (_, id) = shared.hosts.longest_turn().filter(|_| at <= now.monotonic)?;
        shared.hosts.end_turn(id);
        Some(id)
    }

    /// The host that has waited for longest waits no longer, and may take a place until [`Dialler::end_admission`]. Returns the
    /// host where it still needs the connection.
    pub(super) fn admit_first(&mut self, shared: &mut Shared) -> Option<HostId> {
        let id = self.crowd.first()?;
        self.crowd.admit();
        let host = shared.hosts.get_mut(id)?;
        (host.wants_link() & host.set_wanting(false)).then_some(id)
    }

    /// No host may take a place while others wait.
    pub(super) fn end_admission(&mut self) {
        self.crowd.close();
    }

    /// The system had no descriptor for another connection.
    pub(super) fn note_ceiling(&mut self, shared: &Shared, now: Now) {
        self.crowd.note_ceiling(shared.links.len(), now.monotonic);
    }

    /// Whether a host may have its first connection.
    pub(super) fn has_room(&mut self, shared: &mut Shared, now: Now) -> bool {
        self.crowd.raise(now.monotonic);
        shared.hosts.connected() < shared.config.max_hosts.max(2)
            && self.crowd.allows_another(shared.links.len())
    }

    /// Asks for the connections that the host needs now.
    ///
    /// # Errors
    /// The reason why there can be no connection, now or later.
    pub(super) fn dial(&mut self, shared: &mut Shared, id: HostId, now: Now) -> Result<(), Error> {
        let Some(host) = shared.hosts.get(id) else {
            return Ok(());
        };
        let count = host.connections_to_add(&shared.ledger, &shared.links, &shared.config, now.monotonic);
        let reason = match host.has_hope(&shared.links) {
            true => DialReason::Full,
            false => DialReason::First,
        };
        for _ in 0..count {
            if !self.dial_one(shared, id, reason, now)? {
                break;
            }
        }
        Ok(())
    }

    /// Asks for a connection. Returns whether there may be another one.
    fn dial_one(
        &mut self,
        shared: &mut Shared,
        id: HostId,
        reason: DialReason,
        now: Now,
    ) -> Result<bool, Error> {
        let has_room = self.has_room(shared, now) && self.crowd.lets(id);
        let may_be_surplus = self.crowd.allows_another(shared.links.len());
        let Some(host) = shared.hosts.get_mut(id) else {
            return Ok(false);
        };
        let surplus = !host.links().is_empty();
        let (authority, traffic) = (host.authority().clone(), host.traffic());
        if surplus && !may_be_surplus {
            return Ok(false);
        }
        // What waits for a token can end only with the token, so its connection may be one too many.
        let is_allowed = surplus || has_room || (traffic.is_for_tokens() && may_be_surplus);
        if !is_allowed {
            if host.set_wanting(true) {
                self.crowd.push(id);
            }
            return Ok(false);
        }
        let config = host.with_its_pings(shared.service.connection_config(traffic, &authority));
        let connection = Connection::new(&config, &authority, now)?;
        let terms = Terms {
            host: id,
            connect_by: now.monotonic.saturating_add(shared.config.connect_timeout),
            idle_timeout: shared.service.idle_timeout(traffic, shared.config.idle_timeout),
            probe_after: shared.service.probe_after(shared.config.probe_after),
            surplus: surplus && shared.config.idle_timeout.is_none(),
        };
        let link = shared
            .links
            .insert(|link| Link::new(link, connection, terms, now));
        shared.hosts.add_link(id, link, &shared.config, now.monotonic);
        shared.outbox.note(SessionEvent::Dialling {
            link,
            authority: authority.clone(),
            reason,
        });
        shared.outbox.ask(Action::Connect { link, authority });
        Ok(true)
    }
}
