//! The streams of a connection: those that are open, and how the latest others ended.

use super::fault::Fault;
use super::frame::MAX_31;
use super::stream::Stream;
use crate::net::IdTable;

/// How a stream came to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum StreamEnd {
    /// The server sent END_STREAM.
    Complete,
    /// The server reset it.
    ByServer,
    /// We reset it: what the server sent before it knew is dropped.
    ByUs,
}

/// The streams of a connection. Their ids are odd and ascend.
pub(super) struct Streams {
    open: IdTable<Stream>,
    history: History,
    first: u32,
    next: u32,
    /// The highest id that may be open: GOAWAY lowers it.
    ceiling: u32,
}

impl Streams {
    /// Returns no streams; the first will be `first`, or the next odd number.
    pub(super) fn new(first: u32) -> Self {
        let first = first.min(MAX_31) | 1;
        Self {
            open: IdTable::default(),
            history: History::default(),
            first,
            next: first,
            ceiling: MAX_31,
        }
    }

    /// Returns the number of open streams.
    #[inline]
    pub(super) fn len(&self) -> usize {
        self.open.len()
    }

    #[inline]
    pub(super) fn is_empty(&self) -> bool {
        self.open.is_empty()
    }

    /// Returns how many more streams can be opened on this connection at all (§5.1.1).
    #[inline]
    pub(super) fn ids_left(&self) -> usize {
        match self.next > MAX_31 {
            true => 0,
            false => ((MAX_31 - self.next) / 2 + 1) as usize,
        }
    }

    /// Returns the id of the next stream.
    #[inline]
    pub(super) fn next_id(&self) -> u32 {
        self.next
    }

    /// Refuses frames on streams that never were: stream 0, the server's, and idle ones (§5.1).
    #[inline]
    pub(super) fn check_opened(&self, id: u32) -> Result<(), Fault> {
        if id % 2 == 0 || id >= self.next || id < self.first {
            return Err(Fault::protocol("frame on a stream that was never opened"));
        }
        Ok(())
    }

    #[inline]
    pub(super) fn get(&self, id: u32) -> Option<&Stream> {
        self.open.get(u64::from(id))
    }

    #[inline]
    pub(super) fn get_mut(&mut self, id: u32) -> Option<&mut Stream> {
        self.open.get_mut(u64::from(id))
    }

    pub(super) fn contains(&self, id: u32) -> bool {
        self.open.contains(u64::from(id))
    }

    /// Opens the [next](Self::next_id) stream.
    #[inline]
    pub(super) fn open(&mut self, stream: Stream) {
        self.open.insert(u64::from(self.next), stream);
        self.next += 2;
    }

    /// Takes a stream out.
    #[inline]
    pub(super) fn remove(&mut self, id: u32) -> Option<Stream> {
        self.open.remove(u64::from(id))
    }

    /// Puts a stream back that was only taken out to be looked at.
    pub(super) fn put_back(&mut self, id: u32, stream: Stream) {
        self.open.insert(u64::from(id), stream);
    }

    /// Remembers how a stream ended.
    #[inline]
    pub(super) fn ended(&mut self, id: u32, how: StreamEnd) {
        self.history.push(id, how);
    }

    /// Returns how a stream ended, as far as that is remembered.
    pub(super) fn end_of(&self, id: u32) -> StreamEnd {
        self.history.get(id)
    }

    /// Returns the open streams above `last` in ascending order, which GOAWAY says were not processed. No
    /// stream is opened after that.
    ///
    /// Each id is looked for once in the life of a connection, however many GOAWAYs come.
    pub(super) fn above(&mut self, last: u32) -> Vec<u32> {
        let highest = self.ceiling.min(self.next.saturating_sub(2));
        self.ceiling = self.ceiling.min(last);
        let lowest = (last.saturating_add(1) | 1).max(self.first);
        if self.open.is_empty() || lowest > highest {
            return Vec::new();
        }
        if ((highest - lowest) / 2) as usize <= self.open.places() {
            return (lowest..=highest)
                .step_by(2)
                .filter(|id| self.contains(*id))
                .collect();
        }
        let mut ids = self.ids();
        ids.retain(|id| *id >= lowest);
        ids
    }

    /// Returns the ids of the open streams in ascending order.
    pub(super) fn ids(&self) -> Vec<u32> {
        // Only ids of 31 bits are ever put in.
        let mut ids: Vec<u32> = self.open.ids().map(|id| id as u32).collect();
        ids.sort_unstable();
        ids
    }
}

/// How the latest streams ended. What is older counts as reset by us: better to drop a late
/// frame than to lose a connection over it.
struct History([(u32, StreamEnd); REMEMBERED]);

const REMEMBERED: usize = 256;

impl Default for History {
    fn default() -> Self {
        Self([(0, StreamEnd::ByUs); REMEMBERED])
    }
}

impl History {
    /// Client ids are odd: neighbours have places side by side.
    fn place(id: u32) -> usize {
        (id >> 1) as usize % REMEMBERED
    }

    #[inline]
    fn push(&mut self, id: u32, how: StreamEnd) {
        if let Some(place) = self.0.get_mut(Self::place(id)) {
            *place = (id, how);
        }
    }

    fn get(&self, id: u32) -> StreamEnd {
        match self.0.get(Self::place(id)) {
            Some((there, how)) if *there == id => *how,
            _ => StreamEnd::ByUs,
        }
    }
}
