//! The names of messages, connections and hosts.

use std::fmt;

/// One submitted message. Unique in its session until the session has gone
/// through 2^32 messages in one slot.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Ticket {
    slot: u32,
    generation: u32,
}

impl Ticket {
    #[inline]
    pub(super) fn new(slot: u32, generation: u32) -> Self {
        Self { slot, generation }
    }

    /// The slot, as the ledger counts slots.
    #[inline]
    pub(super) fn number(self) -> u32 {
        self.slot
    }

    /// How many messages the slot had before.
    #[inline]
    pub(super) fn generation(self) -> u32 {
        self.generation
    }

    /// A small number that no other message of the session has whose end has not been fetched: an
    /// index into a table of the caller's own.
    pub fn slot(self) -> usize {
        self.slot as usize
    }

    /// Returns the ticket as one integer, for languages without structs.
    pub fn to_u64(self) -> u64 {
        u64::from(self.generation) << 32 | u64::from(self.slot)
    }

    /// The inverse of [`Ticket::to_u64`].
    pub fn from_u64(value: u64) -> Self {
        Self {
            slot: (value & 0xffff_ffff) as u32,
            generation: (value >> 32) as u32,
        }
    }
}

impl fmt::Debug for Ticket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Ticket({}.{})", self.slot, self.generation)
    }
}

/// One connection of a session; never reused.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct LinkId {
    index: u32,
    generation: u32,
}

impl LinkId {
    pub(super) fn new(index: u32, generation: u32) -> Self {
        Self { index, generation }
    }

    /// How many connections the index had before.
    #[inline]
    pub(super) fn generation(self) -> u32 {
        self.generation
    }

    /// Returns the id as one integer, for languages without structs.
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

/// A host's place in the session's table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct HostId(u32);

impl HostId {
    /// No host: the place of a message that has not been queued.
    pub(super) const NONE: Self = Self(u32::MAX);

    pub(super) fn new(index: usize) -> Self {
        // A host is far larger than an octet: a table never has 2^32 of them.
        Self(index as u32)
    }

    #[inline]
    pub(super) fn index(self) -> usize {
        self.0 as usize
    }
}
