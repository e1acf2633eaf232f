//! The connections to one host, and what waits for them.

use std::collections::BTreeSet;
use std::time::Duration;

use super::Session;
use super::backoff::Backoff;
use super::entry::{Entries, Ticket};
use super::link::LinkId;
use super::queue::Queue;
use crate::error::Error;
use crate::http::Authority;
use crate::time::Now;

pub(super) use crate::backend::Traffic as Lane;

/// A pool's place in the session's table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct PoolId(pub(super) u32);

impl PoolId {
    pub(super) const NONE: Self = Self(u32::MAX);

    pub(super) fn index(self) -> usize {
        self.0 as usize
    }
}

#[derive(Debug)]
pub(super) struct Pool {
    pub(super) authority: Authority,
    pub(super) lane: Lane,
    pub(super) links: Vec<LinkId>,
    /// What waits for a stream.
    pub(super) waiting: Queue,
    /// What was refused again and again, and when it may join the queue.
    resting: BTreeSet<(Duration, Ticket)>,
    pub(super) backoff: Backoff,
    /// No new connection before this time.
    pub(super) dial_after: Duration,
    /// No new request before this time (429 for the whole project).
    pub(super) paused_until: Duration,
    /// When those who wait were last looked at. A timer of theirs that is later is still to come;
    /// the session's clock may have passed it meanwhile on another pool's business.
    pub(super) pumped_at: Duration,
    /// It is in the session's list of pools to be pumped.
    pub(super) fed: bool,
    /// When it was last of use.
    pub(super) used_at: Duration,
    /// A connection has been ready at least once.
    pub(super) ever_ready: bool,
    /// Why the last connection failed: the cause given to messages that expire waiting.
    pub(super) last_failure: Option<Error>,
    /// How often the time between two PINGs was doubled, because the host complained.
    pub(super) ping_doublings: u32,
}

impl Pool {
    pub(super) fn new(authority: Authority, lane: Lane, backoff: Backoff) -> Self {
        Self {
            authority,
            lane,
            links: Vec::new(),
            waiting: Queue::default(),
            resting: BTreeSet::new(),
            backoff,
            dial_after: Duration::ZERO,
            paused_until: Duration::ZERO,
            pumped_at: Duration::ZERO,
            fed: false,
            used_at: Duration::ZERO,
            ever_ready: false,
            last_failure: None,
            ping_doublings: 0,
        }
    }

    /// Whether nobody waits for a stream, neither in the queue nor apart.
    pub(super) fn is_idle(&self) -> bool {
        self.waiting.is_empty() && self.resting.is_empty()
    }

    /// Lets a message wait apart from the queue until then.
    pub(super) fn rest(&mut self, ticket: Ticket, until: Duration) {
        self.resting.insert((until, ticket));
    }

    /// One that waited apart has ended.
    pub(super) fn left_rest(&mut self, ticket: Ticket, until: Duration) {
        self.resting.remove(&(until, ticket));
    }

    /// When the next of those joins the queue.
    pub(super) fn next_to_wake(&self) -> Option<Duration> {
        self.resting.first().map(|(until, _)| *until)
    }

    /// Those whose time has come join the queue, at its head: they have waited longest.
    pub(super) fn wake(&mut self, entries: &mut Entries, now: Duration) {
        if self.next_to_wake().is_none_or(|at| at > now) {
            return;
        }
        let mut due = Vec::new();
        while let Some(first) = self.resting.first().copied().filter(|(at, _)| *at <= now) {
            self.resting.remove(&first);
            due.push(first.1);
        }
        for ticket in due.into_iter().rev() {
            if let Some(entry) = entries.find(ticket).and_then(|slot| entries.get_mut(slot)) {
                entry.rests_until = None;
                entry.queued_at = now;
                self.waiting.push_front(ticket);
            }
        }
    }

    /// Everyone who waits apart; afterwards nobody does.
    pub(super) fn take_resting(&mut self, entries: &Entries) -> Vec<u32> {
        let resting = std::mem::take(&mut self.resting);
        let tickets = resting.into_iter().filter_map(|(_, ticket)| entries.find(ticket));
        tickets.collect()
    }
}

impl Session {
    /// The pool of `authority` and `lane`, made when there is none yet: `None` when all that may
    /// be are busy. Who may name hosts (Web Push) must not be able to fill the memory with them.
    pub(super) fn pool(&mut self, authority: &Authority, lane: Lane, now: Now) -> Option<PoolId> {
        if let Some(id) = self.known_pool(authority, lane) {
            return Some(id);
        }
        self.seed = self.seed.wrapping_add(1);
        let backoff = Backoff::new(self.config.first_backoff, self.config.longest_backoff, self.seed);
        let mut pool = Pool::new(authority.clone(), lane, backoff);
        pool.used_at = now.monotonic;
        // A host that asked for a pause asked it of every lane, but that for calls is of calls.
        let siblings = self.pools.iter().filter(|other| {
            let pushes = !other.lane.is_for_tokens() && other.lane != Lane::Calls;
            pushes && other.authority == *authority
        });
        let until = siblings.map(|other| other.paused_until).max();
        if let Some(until) = until.filter(|_| !lane.is_for_tokens()) {
            pool.paused_until = until;
        }
        if self.pools.len() < self.config.max_hosts.max(2) {
            self.pools.push(pool);
            return Some(PoolId((self.pools.len() - 1) as u32));
        }
        let id = self.idle_pool(now)?;
        let links = self.pools.get(id.index())?.links.clone();
        for link in links {
            self.let_go(link, now);
        }
        let place = self
            .pools
            .get_mut(id.index())
            .filter(|pool| pool.links.is_empty())?;
        *place = pool;
        Some(id)
    }

    /// The pool that is missed least: nothing waits or is in flight; not one that is
    /// to be left alone for a while, if there are others; unused for longest.
    fn idle_pool(&self, now: Now) -> Option<PoolId> {
        let busy = |link: &LinkId| self.links.get(*link).is_some_and(|link| link.in_flight > 0);
        self.pools
            .iter()
            .enumerate()
            .filter(|(_, pool)| pool.is_idle() && !pool.links.iter().any(busy))
            .min_by_key(|(_, pool)| {
                (
                    pool.dial_after.max(pool.paused_until) > now.monotonic,
                    pool.used_at,
                )
            })
            .map(|(index, _)| PoolId(index as u32))
    }
}
