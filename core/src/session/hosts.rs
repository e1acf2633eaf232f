//! The hosts of a session: found by their authority, and looked at when something is due or has changed.

use std::collections::{BTreeSet, HashMap};
use std::time::Duration;

use super::backoff::Backoff;
use super::config::{Priority, SessionConfig};
use super::host::Host;
use super::id::{HostId, LinkId, Ticket};
use super::ledger::Ledger;
use super::limits::NextAt;
use super::link::{Link, Links};
use super::timers::Timers;
use crate::backend::Traffic;
use crate::http::Authority;

/// The classes of traffic: a host is one authority and one of them.
const CLASSES: usize = 5;

/// The hosts without connections and messages that are remembered, with the pauses that they have asked for. Where others name
/// hosts (Web Push), they must not fill the memory.
const MOST_SPARE: usize = 1024;

/// The remembered hosts among which one is looked for that has not asked for a pause, when one has to be forgotten.
const SPARE_LOOKED_AT: usize = 16;

/// A host, and where it is entered. What is entered is brought up to date by [`Hosts::settle`].
#[derive(Debug)]
struct Place {
    host: Host,
    /// Whether the host has changed since the last [`Hosts::settle`].
    touched: bool,
    /// Whether the host is entered as one for which messages wait.
    waiting: bool,
    timer: Option<Duration>,
    idle: Option<Duration>,
    spare: Option<Duration>,
    turn: Option<Duration>,
}

/// The hosts of a session.
///
/// Nothing here asks every host: a host that is changed is noted, and [`Hosts::settle`] enters it anew where it belongs.
#[derive(Debug)]
pub(super) struct Hosts {
    places: Vec<Place>,
    /// The hosts of each authority, one for each class of traffic.
    index: HashMap<Authority, [HostId; CLASSES]>,
    /// The host that was found last: most messages go where the one before went.
    recent: HostId,
    /// Places without a host.
    vacant: Vec<HostId>,
    /// The hosts that were given messages since the last flush.
    dirty: Vec<HostId>,
    /// The hosts that have changed since the last [`Hosts::settle`].
    touched: Vec<HostId>,
    /// The hosts for which messages wait.
    waiting: BTreeSet<HostId>,
    timers: Timers<HostId>,
    /// The hosts with connections and nothing to do, by the time of their last use.
    idle: Timers<HostId>,
    /// The hosts without connections and with nothing to do, by the time of their last use.
    spare: Timers<HostId>,
    /// The hosts with connections, by the time at which their turn began.
    turns: Timers<HostId>,
    /// The hosts of callers' messages that have connections.
    connected: usize,
    /// The hosts, of those, whose turn is over.
    yielding: usize,
    seed: u64,
}

impl Hosts {
    /// `seed` decides the jitter of the hosts' back-off.
    pub(super) fn new(seed: u64) -> Self {
        Self {
            places: Vec::new(),
            index: HashMap::new(),
            recent: HostId::NONE,
            vacant: Vec::new(),
            dirty: Vec::new(),
            touched: Vec::new(),
            waiting: BTreeSet::new(),
            timers: Timers::default(),
            idle: Timers::default(),
            spare: Timers::default(),
            turns: Timers::default(),
            connected: 0,
            yielding: 0,
            seed,
        }
    }

    // Getters

    /// The number of hosts that are remembered.
    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.places.len() - self.vacant.len()
    }

    /// The hosts of callers' messages that have connections, whatever their state.
    pub(super) fn connected(&self) -> usize {
        self.connected
    }

    #[inline]
    pub(super) fn find(&mut self, authority: &Authority, traffic: Traffic) -> Option<HostId> {
        if let Some(place) = self.places.get(self.recent.index()) {
            if place.host.traffic() == traffic && place.host.authority().same(authority) {
                return Some(self.recent);
            }
        }
        let id = self.index.get(authority)?[traffic as usize];
        if id == HostId::NONE {
            return None;
        }
        self.recent = id;
        Some(id)
    }

    #[inline]
    pub(super) fn get(&self, id: HostId) -> Option<&Host> {
        self.places.get(id.index()).map(|place| &place.host)
    }

    /// The host, which may change: its entries are looked at again by [`Hosts::settle`].
    #[inline]
    pub(super) fn get_mut(&mut self, id: HostId) -> Option<&mut Host> {
        let place = self.places.get_mut(id.index())?;
        if !place.touched {
            place.touched = true;
            self.touched.push(id);
        }
        Some(&mut place.host)
    }

    /// The hosts of callers' messages of an authority.
    pub(super) fn siblings(&self, authority: &Authority) -> Vec<HostId> {
        let ids = self.index.get(authority).into_iter().flatten().copied();
        ids.filter(|id| self.get(*id).is_some_and(|host| !host.traffic().is_for_tokens()))
            .collect()
    }

    /// The hosts for which messages wait. Some may wait no longer.
    pub(super) fn waiting(&self) -> impl Iterator<Item = (HostId, &Host)> {
        let ids = self.waiting.iter().chain(&self.touched);
        ids.filter_map(|id| Some((*id, self.get(*id)?)))
            .filter(|(_, host)| !host.is_idle())
    }

    /// The hosts of callers' messages for which messages wait.
    pub(super) fn of_waiting_callers(&self) -> Vec<HostId> {
        let callers = self.waiting().filter(|(_, host)| !host.traffic().is_for_tokens());
        let ids: BTreeSet<HostId> = callers.map(|(id, _)| id).collect();
        ids.into_iter().collect()
    }

    /// Every host with its number.
    pub(super) fn iter(&self) -> impl Iterator<Item = (HostId, &Host)> {
        let hosts = self.places.iter().enumerate();
        hosts.map(|(index, place)| (HostId::new(index), &place.host))
    }

    /// Whether every host for which messages wait is paused by the service.
    pub(super) fn are_paused(&self, now: Duration) -> bool {
        let mut any = false;
        for (_, host) in self.waiting().filter(|(_, host)| !host.traffic().is_for_tokens()) {
            if !host.is_paused(now) {
                return false;
            }
            any = true;
        }
        any
    }

    /// When a host has to be looked at; `None` is never. `limits` and `token` are when the limits and the token let requests pass.
    pub(super) fn poll_timeout(
        &self,
        ledger: &Ledger,
        links: &Links,
        config: &SessionConfig,
        limits: NextAt,
        token: Option<Duration>,
    ) -> Option<Duration> {
        let is_settled = |id: &HostId| self.places.get(id.index()).is_some_and(|place| !place.touched);
        let settled = self.timers.iter().find(|(_, id)| is_settled(id));
        let touched = self.touched.iter().filter_map(|id| self.get(*id));
        let touched = touched.filter_map(|host| host.poll_timeout(ledger, links, config));
        let permits = match limits.is_none() && token.is_none() {
            true => None,
            false => self
                .waiting()
                .filter_map(|(_, host)| host.permit_timeout(limits, token))
                .min(),
        };
        touched.chain(settled.map(|(at, _)| at)).chain(permits).min()
    }

    /// The hosts that have to be looked at for a reason of their own. Everything is settled.
    pub(super) fn due(&self, now: Duration) -> Vec<HostId> {
        self.timers.due(now)
    }

    // Messages

    /// Whether a host was given messages since the last flush.
    #[inline]
    pub(super) fn are_dirty(&self) -> bool {
        !self.dirty.is_empty()
    }

    /// The next host that was given messages since the last flush; it is clean afterwards.
    pub(super) fn next_dirty(&mut self) -> Option<HostId> {
        let id = self.dirty.pop()?;
        if let Some(host) = self.get_mut(id) {
            host.clean();
        }
        Some(id)
    }

    /// Adds a message to the queue of a host.
    #[inline]
    pub(super) fn push_back(&mut self, id: HostId, priority: Priority, ticket: Ticket, now: Duration) {
        let dirty_now = self
            .get_mut(id)
            .is_some_and(|host| host.push_back(priority, ticket, now));
        if dirty_now {
            self.dirty.push(id);
        }
    }

    // Hosts and their connections

    /// Makes a host, which is not in the table yet; forgets one that is not missed where there are many.
    pub(super) fn make(
        &mut self,
        authority: &Authority,
        traffic: Traffic,
        config: &SessionConfig,
        now: Duration,
    ) -> HostId {
        self.seed = self.seed.wrapping_add(1);
        let backoff = Backoff::new(config.first_backoff, config.longest_backoff, self.seed);
        let mut host = Host::new(authority.clone(), traffic, backoff, now);
        // A pause that was asked for holds for all traffic to the host; but that of calls for calls only.
        if !traffic.is_for_tokens() {
            let siblings = self.siblings(authority).into_iter().filter_map(|id| self.get(id));
            let pushes = siblings.filter(|other| other.traffic() != Traffic::Calls);
            if let Some(until) = pushes.map(Host::paused_until).max() {
                host.pause_until(until);
            }
        }
        if self.spare.len() > MOST_SPARE {
            self.forget_one(now);
        }
        let place = Place {
            host,
            touched: false,
            waiting: false,
            timer: None,
            idle: None,
            spare: None,
            turn: None,
        };
        let id = match self.vacant.pop() {
            Some(id) => {
                if let Some(vacant) = self.places.get_mut(id.index()) {
                    *vacant = place;
                }
                id
            }
            None => {
                self.places.push(place);
                HostId::new(self.places.len() - 1)
            }
        };
        let entry = self.index.entry(authority.clone());
        entry.or_insert([HostId::NONE; CLASSES])[traffic as usize] = id;
        // A host that is never used is to be entered as one, too.
        self.get_mut(id);
        id
    }

    /// Forgets a host that has nothing to do and no connections: the one that was not used for longest, of those that have not
    /// asked for a pause.
    fn forget_one(&mut self, now: Duration) {
        let spare = |(_, id): (Duration, HostId)| {
            let place = self.places.get(id.index())?;
            (!place.touched).then_some((id, place.host.is_left_alone(now)))
        };
        let mut candidates = self.spare.iter().filter_map(spare).take(SPARE_LOOKED_AT);
        let first = candidates.next();
        let chosen = match first {
            Some((_, true)) => candidates.find(|(_, left_alone)| !left_alone).or(first),
            other => other,
        };
        drop(candidates);
        let Some((id, _)) = chosen else { return };
        let Some(place) = self.places.get_mut(id.index()) else {
            return;
        };
        self.spare.set(id, &mut place.spare, None);
        self.timers.set(id, &mut place.timer, None);
        let (authority, traffic) = (place.host.authority().clone(), place.host.traffic());
        if let Some(ids) = self.index.get_mut(&authority) {
            ids[traffic as usize] = HostId::NONE;
            if ids.iter().all(|id| *id == HostId::NONE) {
                self.index.remove(&authority);
            }
        }
        if self.recent == id {
            self.recent = HostId::NONE;
        }
        self.vacant.push(id);
    }

    /// The host with connections that is missed least: nothing waits or is in flight, and it was not used for longest;
    /// `None` when all have something to do. Everything is settled.
    pub(super) fn least_missed(&self) -> Option<HostId> {
        self.idle.iter().next().map(|(_, id)| id)
    }

    /// A connection of a host is being made.
    pub(super) fn add_link(&mut self, id: HostId, link: LinkId, config: &SessionConfig, now: Duration) {
        if let Some(host) = self.get_mut(id) {
            let is_first = host.links().is_empty() && !host.traffic().is_for_tokens();
            host.add_link(link, config.dials_per_minute, now);
            self.connected += usize::from(is_first);
        }
    }

    /// A host of callers' messages has lost its last connection.
    pub(super) fn note_unconnected(&mut self, id: HostId) {
        self.connected = self.connected.saturating_sub(1);
        if self.get_mut(id).is_some_and(Host::note_unconnected) {
            self.yielding = self.yielding.saturating_sub(1);
        }
    }

    /// The host whose turn began first, and when; `None` where none has a turn. Everything is settled.
    pub(super) fn longest_turn(&self) -> Option<(Duration, HostId)> {
        self.turns.iter().next()
    }

    /// The number of hosts whose turn is over and which still have connections.
    pub(super) fn yielding(&self) -> usize {
        self.yielding
    }

    /// A host gives its place to another one as soon as its connections have ended.
    pub(super) fn end_turn(&mut self, id: HostId) {
        if let Some(host) = self.get_mut(id) {
            host.end_turn();
            self.yielding += 1;
        }
    }

    /// Enters every host that has changed where it belongs now.
    pub(super) fn settle(&mut self, ledger: &Ledger, links: &Links, config: &SessionConfig) {
        while let Some(id) = self.touched.pop() {
            let Some(place) = self.places.get_mut(id.index()) else {
                continue;
            };
            place.touched = false;
            let host = &place.host;
            let timer = host.poll_timeout(ledger, links, config);
            let waits = !host.is_idle();
            let caller = !host.traffic().is_for_tokens();
            let free = caller
                && !waits
                && !host
                    .links()
                    .iter()
                    .any(|link| links.get(*link).is_some_and(Link::is_busy));
            let since = free.then_some(host.used_at());
            let connected = !host.links().is_empty();
            self.timers.set(id, &mut place.timer, timer);
            self.idle.set(id, &mut place.idle, since.filter(|_| connected));
            self.spare.set(id, &mut place.spare, since.filter(|_| !connected));
            self.turns
                .set(id, &mut place.turn, host.turn_began().filter(|_| caller));
            if waits != place.waiting {
                place.waiting = waits;
                match waits {
                    true => self.waiting.insert(id),
                    false => self.waiting.remove(&id),
                };
            }
        }
    }
}
