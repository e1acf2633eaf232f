//! When connections are made and given up.

use std::net::IpAddr;
use std::time::Duration;

use super::link::{Link, LinkId};
use super::pool::{Lane, PoolId};
use super::{Session, SessionEvent};
use crate::error::{Error, ErrorKind};
use crate::http::Authority;
use crate::net::Connection;
use crate::time::Now;

/// What the driver has to do.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Action {
    /// Resolve the host anew, ask [`Session::allow_address`] about each address, connect (through
    /// a proxy only where [`Session::is_direct`] is false), then
    /// call [`Session::connected`] or [`Session::connect_failed`].
    Connect {
        /// The connection.
        link: LinkId,
        /// Where to.
        authority: Authority,
    },
    /// Write what `transmit` still shows, as far as that goes without waiting, then close the
    /// socket. The link is gone already: there is nothing to report back.
    Close {
        /// The connection.
        link: LinkId,
        /// What was left to write: a last GOAWAY, an alert.
        last_words: Vec<u8>,
    },
}

/// How many failed attempts end the messages that wait, when no connection to this host has ever
/// worked: a wrong host name or port should not look like a slow network.
const FIRST_CONTACT_ATTEMPTS: u32 = 3;

impl Session {
    /// The next thing for the driver to do.
    pub fn poll_action(&mut self) -> Option<Action> {
        self.catch_up();
        self.actions.pop_front()
    }

    /// Whether the driver may connect to this address: the endpoint policy's last word, after
    /// name resolution.
    ///
    /// # Errors
    /// `AddressNotAllowed`.
    pub fn allow_address(&self, authority: &Authority, address: IpAddr) -> Result<(), Error> {
        self.service.allow_address(authority, address)
    }

    /// Whether the driver connects `link` without its proxy: the machine's metadata server is
    /// reached without leaving the machine, or not at all.
    pub fn is_direct(&self, link: LinkId) -> bool {
        let pool = self.links.get(link).map(|link| link.pool.index());
        let pool = pool.and_then(|index| self.pools.get(index));
        pool.is_some_and(|pool| pool.lane == Lane::Metadata)
    }

    /// The socket of `link` is connected.
    pub fn connected(&mut self, link: LinkId, now: Now) {
        let now = self.tick(now);
        if let Some(link) = self.links.get_mut(link) {
            link.dialled = true;
        }
        self.drain(link, now);
        self.retire_when_idle(now);
    }

    /// The socket of `link` could not be connected. The driver forgets the link.
    pub fn connect_failed(&mut self, link: LinkId, error: Error, now: Now) {
        let now = self.tick(now);
        self.lose(link, Some(error), now);
        self.retire_when_idle(now);
    }

    /// Asks for a connection if the pool needs one now.
    pub(super) fn dial_if_needed(&mut self, id: PoolId, now: Now) {
        let Some(pool) = self.pools.get(id.index()) else {
            return;
        };
        let oldest = pool.waiting.first(&self.entries);
        let Some(oldest) = oldest.and_then(|slot| self.entries.get(slot)) else {
            return;
        };
        let links = || {
            pool.links
                .iter()
                .filter_map(|link| self.links.get(*link))
                .filter(|link| link.is_hopeful())
        };
        let limit = if pool.lane.is_for_tokens() {
            1
        } else {
            self.config.max_connections.max(1)
        };
        let body = oldest.request.body.len();
        let busy = |link: &Link| link.ready && !(link.can_send() && link.takes(body));
        let crowded = now.monotonic >= oldest.queued_at.saturating_add(self.config.patience);
        let count = links().count();
        // After trouble one connection has to get an answer before there are more again.
        let in_trouble = pool.backoff.attempts() > 0;
        let more = crowded && !in_trouble && count < limit && links().all(busy);
        let wanted = count == 0 || more;
        if !wanted || now.monotonic < pool.dial_after.max(pool.paused_until) {
            return;
        }
        let authority = pool.authority.clone();
        let idle_timeout = self.service.idle_timeout(pool.lane, self.config.idle_timeout);
        let config = self.service.connection_config(pool.lane, &authority);
        let config = pool.with_its_pings(config);
        let connect_by = now.monotonic.saturating_add(self.config.connect_timeout);
        match Connection::new(&config, &authority, now) {
            Ok(connection) => {
                let link = self.links.insert(|link| Link {
                    id: link,
                    pool: id,
                    connection,
                    dialled: false,
                    ready: false,
                    retired: false,
                    let_go: false,
                    refused: None,
                    answered: false,
                    faults: 0,
                    idle_timeout,
                    connect_by,
                    idle_since: now.monotonic,
                    in_flight: 0,
                    most: usize::MAX,
                    earned: 0,
                    resumes_at: None,
                    timeouts: 0,
                });
                if let Some(pool) = self.pools.get_mut(id.index()) {
                    pool.links.push(link);
                }
                self.actions.push_back(Action::Connect { link, authority });
            }
            Err(error) => self.fail_pool(id, error, now),
        }
    }

    /// A link is over. What it carried has been settled by its events; forget it, and decide
    /// what that means for those who wait.
    pub(super) fn lose(&mut self, id: LinkId, error: Option<Error>, now: Now) {
        let Some(mut link) = self.links.remove(id) else {
            return;
        };
        self.header_bytes += link.connection.header_bytes();
        let last_words = if link.dialled {
            link.connection.transmit().to_vec()
        } else {
            Vec::new()
        };
        self.actions.push_back(Action::Close { link: id, last_words });
        // No event can come any more: whatever is left was never answered.
        let left: Vec<u32> = match link.in_flight {
            0 => Vec::new(),
            _ => self.entries.on_link(id),
        };
        for slot in left {
            let cause = Error::new(ErrorKind::ConnectionLost, "the connection is gone");
            self.unanswered(slot, crate::net::Processed::Unknown, cause, now);
        }
        let text = error
            .as_ref()
            .map_or_else(|| "closed".into(), |error| error.to_string());
        self.note(SessionEvent::Disconnected {
            link: id,
            error: error.as_ref().map(Error::kind),
            text: text.into(),
        });
        let Some(pool) = self.pools.get_mut(link.pool.index()) else {
            return;
        };
        pool.used_at = now.monotonic;
        pool.links.retain(|other| *other != id);
        // A connection that did its work and then ended is replaced at once. One that never
        // answered anything is not: a server that turns everybody away is not to be hammered.
        if !link.answered && !link.let_go {
            pool.back_off(now.monotonic, Duration::ZERO);
        }
        if let Some(error) = error {
            let first_contact = !pool.ever_ready && pool.backoff.attempts() >= FIRST_CONTACT_ATTEMPTS;
            if is_permanent(&error) || first_contact {
                self.fail_pool(link.pool, error, now);
            } else {
                pool.last_failure = Some(error);
            }
        }
        self.pump(link.pool, now);
    }
}

/// The alerts about our certificate (RFC 8446 §6.2): bad, unsupported, revoked, expired, unknown, of an
/// unknown authority, without access, missing.
const REFUSED_CERTIFICATE: [u8; 8] = [42, 43, 44, 45, 46, 48, 49, 116];

/// Failures that the next attempt cannot mend: who waits should hear of them now.
pub(super) fn is_permanent(error: &Error) -> bool {
    let alert = error.tls_alert();
    alert.is_some_and(|alert| REFUSED_CERTIFICATE.contains(&alert))
        || matches!(
            error.kind(),
            ErrorKind::CertificateExpired
                | ErrorKind::CertificateNotYetValid
                | ErrorKind::CertificateWrongName
                | ErrorKind::CertificateUnknownIssuer
                | ErrorKind::CertificateInvalid
                | ErrorKind::NoApplicationProtocol
                | ErrorKind::TlsIncompatible
                | ErrorKind::AddressNotAllowed
        )
}
