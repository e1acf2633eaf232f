//! What happens between the session and its servers.

use std::sync::Arc;
use std::time::Duration;

use pushcore::Error;
use pushcore::http::Authority;
use pushcore::session::LinkId;
use rustls::ServerConfig;

use super::super::script::Script;
use super::super::tls::Endpoint;
use super::super::wire::Wire;
use super::{Dial, World};

/// The most that a session may keep ready to be written.
const MOST_BUFFERED: usize = 4 << 20;

impl World {
    pub(super) fn finish_dials(&mut self) {
        let now = self.now.monotonic;
        let due = self
            .dialling
            .iter()
            .filter(|(_, (at, _))| at.is_some_and(|at| at <= now));
        for link in due.map(|(link, _)| *link).collect::<Vec<_>>() {
            match self.dialling.remove(&link) {
                Some((_, Dial::Connects(script) | Dial::Slowly(_, script))) => {
                    self.connect(link, script, None)
                }
                Some((_, Dial::Tls(config, script))) => self.connect(link, script, Some(config)),
                Some((_, Dial::Fails(kind))) => {
                    self.session
                        .connect_failed(link, Error::new(kind, "as the test wants it"), self.now);
                }
                _ => {}
            }
            self.settle();
        }
    }

    pub(super) fn connect(&mut self, link: LinkId, script: Script, tls: Option<Arc<ServerConfig>>) {
        self.note(|| format!("{link:?} connects"));
        let mut rng = self.rng.fork();
        let peer = Endpoint::new(script, tls, self.log.clone(), rng.fork(), self.now.monotonic);
        self.wires.insert(link, Wire::new(link, peer, self.book.opaque));
        self.session.connected(link, self.now);
    }

    /// Servers read what has arrived, and act.
    pub(super) fn serve(&mut self) {
        let (now, latency) = (self.now.monotonic, self.latency);
        for wire in self.wires.values_mut().chain(&mut self.orphans) {
            while wire.peer.is_reading() {
                let Some(bytes) = wire.up.arrived(now, usize::MAX) else {
                    break;
                };
                wire.peer.receive(&bytes, now);
            }
            wire.peer.handle_timeout(now);
            wire.collect(now, latency, &mut |bytes| {
                if let Some(garble) = &mut self.garble {
                    garble(bytes, &mut self.rng);
                }
            });
        }
        self.orphans
            .retain(|wire| wire.next_event_of_orphan().is_some() && wire.peer.end().is_none());
    }

    /// The client reads what has arrived.
    pub(super) fn arrive(&mut self, link: LinkId) {
        loop {
            let limit = if self.read_at_most == 0 {
                usize::MAX
            } else {
                self.rng.between(1, self.read_at_most) as usize
            };
            let Some(wire) = self.wires.get_mut(&link) else {
                return;
            };
            if wire.writable_at <= self.now.monotonic {
                wire.writable_at = Duration::ZERO;
            }
            let Some(bytes) = wire.down.arrived(self.now.monotonic, limit) else {
                break;
            };
            wire.overhear(&bytes, &mut self.book);
            self.session.receive(link, &bytes, self.now);
            self.settle();
        }
        let ended = self.wires.get(&link).is_some_and(|wire| {
            wire.end_at.is_some_and(|at| at <= self.now.monotonic) && wire.down.under_way() == 0
        });
        if ended {
            self.note(|| format!("{link:?} sees the end of the stream"));
            self.session.receive_eof(link, self.now);
        }
        self.settle();
    }

    pub(super) fn dial(&mut self, link: LinkId, authority: &Authority) {
        self.dials.push(self.now.monotonic);
        self.book.note_host(authority);
        self.transcript
            .told(self.now.monotonic, &(link, "dials", authority));
        let dial = (self.network)(self.dials.len() as u32, authority, &mut self.rng);
        self.note(|| format!("{link:?} dials {authority:?}: {dial:?}"));
        let now = self.now.monotonic;
        let at = match &dial {
            Dial::Connects(_) | Dial::Tls(..) => Some(now + self.latency * 2),
            Dial::Slowly(after, _) => Some(now + *after),
            Dial::Fails(_) => Some(now + self.latency),
            Dial::BlackHole => None,
        };
        self.dialling.insert(link, (at, dial));
    }

    pub(super) fn write(&mut self, link: LinkId) -> bool {
        let mut busy = false;
        loop {
            let Some(wire) = self.wires.get_mut(&link) else {
                return busy;
            };
            let shown = self.session.transmit(link);
            if shown.is_empty() {
                wire.backlogged = false;
            }
            if shown.is_empty() || wire.writable_at > self.now.monotonic || wire.end_at.is_some() {
                return busy;
            }
            if shown.len() > MOST_BUFFERED {
                let length = shown.len();
                self.fail(&format!("{length} octets wait to be written (I4)"));
            }
            let room = self.socket_buffer.saturating_sub(wire.up.under_way());
            let limit = if self.write_at_most == 0 {
                room
            } else {
                self.rng.between(1, self.write_at_most) as usize
            };
            let count = shown.len().min(limit).min(room);
            if count == 0 {
                wire.backlogged = true;
                return busy;
            }
            let (bytes, rest) = shown.split_at(count);
            let (bytes, partial) = (bytes.to_vec(), !rest.is_empty());
            let handed = wire.hand_over(&bytes, &mut self.book);
            wire.backlogged = partial;
            if partial {
                wire.writable_at = self.now.monotonic + Duration::from_micros(20);
            }
            self.transcript.wrote(self.now.monotonic, link, &bytes);
            wire.up.push(self.now.monotonic + self.latency, bytes);
            self.session.transmitted(link, count);
            if let Err(text) = handed {
                self.fail(&text);
            }
            busy = true;
        }
    }
}
