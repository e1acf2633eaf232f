//! One connection of a session, and which message each of its requests carries.

use std::fmt;
use std::time::Duration;

use super::pool::PoolId;
use crate::backend::Health;
use crate::net::Connection;
use crate::time::Now;

/// One connection of a session; never reused.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct LinkId {
    index: u32,
    generation: u32,
}

impl LinkId {
    /// As one integer, for languages without structs.
    pub fn to_u64(self) -> u64 {
        u64::from(self.generation) << 32 | u64::from(self.index)
    }

    /// The inverse of [`LinkId::to_u64`].
    pub fn from_u64(value: u64) -> Self {
        Self {
            index: (value & 0xffff_ffff) as u32,
            generation: (value >> 32) as u32,
        }
    }

    /// A small number that no other open connection of the session has.
    pub fn index(self) -> usize {
        self.index as usize
    }
}

impl fmt::Debug for LinkId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "LinkId({}.{})", self.index, self.generation)
    }
}

#[derive(Debug)]
pub(super) struct Link {
    pub(super) id: LinkId,
    pub(super) pool: PoolId,
    pub(super) connection: Connection,
    /// The driver has reported the socket as connected.
    pub(super) dialled: bool,
    /// HTTP is up: requests have been or can be sent.
    pub(super) ready: bool,
    /// No new requests here: GOAWAY, a spoiled token, or idleness.
    pub(super) retired: bool,
    /// We ended it ourselves: its end says nothing about the host.
    pub(super) let_go: bool,
    /// The service's word when it refused the credentials of this connection (GOAWAY).
    pub(super) refused: Option<Box<str>>,
    /// A response has come over it.
    pub(super) answered: bool,
    /// Answers in a row that make one doubt the connection ([`Health::Fault`]).
    pub(super) faults: u32,
    /// Closed after being idle for so long; `None` is never.
    pub(super) idle_timeout: Option<Duration>,
    /// When dialling has to be over.
    pub(super) connect_by: Duration,
    /// Since when nothing is in flight.
    pub(super) idle_since: Duration,
    /// Requests sent whose end has not been fetched.
    pub(super) in_flight: usize,
    /// The most requests in flight here, where the server asked for calm.
    pub(super) most: usize,
    /// Answers that count towards one more.
    pub(super) earned: usize,
    /// No new requests before this time; cleared when it has come.
    pub(super) resumes_at: Option<Duration>,
    /// Requests in a row that were not answered in time.
    pub(super) timeouts: u32,
}

impl Link {
    /// Takes note of what an answer says about the connection. Returns whether the connection has to be
    /// replaced: at once where it is spoiled, and after `faults_in_a_row` faults with nothing else between them.
    pub(super) fn is_wedged_after(&mut self, health: Health, faults_in_a_row: u32) -> bool {
        self.faults = match health {
            Health::Good => 0,
            Health::Fault => self.faults.saturating_add(1),
            Health::Spoiled => return true,
        };
        self.faults >= faults_in_a_row
    }

    /// Whether a request can go out here now.
    pub(super) fn can_send(&self) -> bool {
        self.ready && !self.retired && self.has_room()
    }

    fn has_room(&self) -> bool {
        self.connection.capacity() > 0 && self.in_flight < self.most && self.resumes_at.is_none()
    }

    /// Whether the server's flow control takes a body of this size now. One that it does not would
    /// sit in a buffer, out of reach of a better connection. With nothing in flight no window
    /// update will come unasked: then it goes out.
    pub(super) fn takes(&self, body: usize) -> bool {
        self.connection.window() >= body || self.in_flight == 0
    }

    /// Takes no more requests, and ends when those in flight have been answered.
    pub(super) fn let_go(&mut self, now: Now) {
        self.retired = true;
        self.let_go = true;
        self.connection.close(now);
    }

    /// When it will have been idle for too long.
    pub(super) fn idle_at(&self) -> Option<Duration> {
        let idle = self.ready && !self.retired && self.in_flight == 0;
        self.idle_timeout
            .filter(|_| idle)
            .and_then(|timeout| self.idle_since.checked_add(timeout))
    }

    /// Whether it may yet be of use: connecting or connected, and not retired.
    pub(super) fn is_hopeful(&self) -> bool {
        !self.retired && !self.connection.is_draining() && !self.connection.is_closed()
    }
}

/// A slab of links.
#[derive(Debug, Default)]
pub(super) struct Links {
    slots: Vec<(u32, Option<Link>)>,
}

impl Links {
    pub(super) fn insert(&mut self, make: impl FnOnce(LinkId) -> Link) -> LinkId {
        let index = match self.slots.iter().position(|(_, link)| link.is_none()) {
            Some(index) => index,
            None => {
                self.slots.push((0, None));
                self.slots.len() - 1
            }
        };
        let slot = &mut self.slots[index];
        slot.0 = slot.0.wrapping_add(1);
        // A session never has 2^32 connections: each costs a socket.
        let id = LinkId {
            index: index as u32,
            generation: slot.0,
        };
        slot.1 = Some(make(id));
        id
    }

    pub(super) fn remove(&mut self, id: LinkId) -> Option<Link> {
        let slot = self.slots.get_mut(id.index())?;
        if slot.0 == id.generation {
            slot.1.take()
        } else {
            None
        }
    }

    pub(super) fn get(&self, id: LinkId) -> Option<&Link> {
        self.slots
            .get(id.index())
            .and_then(|(_, link)| link.as_ref())
            .filter(|link| link.id == id)
    }

    pub(super) fn get_mut(&mut self, id: LinkId) -> Option<&mut Link> {
        self.slots
            .get_mut(id.index())
            .and_then(|(_, link)| link.as_mut())
            .filter(|link| link.id == id)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Link> {
        self.slots.iter().filter_map(|(_, link)| link.as_ref())
    }

    pub(super) fn ids(&self) -> Vec<LinkId> {
        self.iter().map(|link| link.id).collect()
    }
}
