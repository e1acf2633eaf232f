//! The messages that a session holds, in slots that are used again and again.

use std::fmt;
use std::time::Duration;

use super::link::LinkId;
use super::pool::PoolId;
use super::service::Context;
use crate::error::{Error, ErrorKind};
use crate::http::Request;
use crate::net::RequestId;
use crate::outcome::Outcome;

/// One submitted message. Unique in its session until the session has gone
/// through 2^32 messages in one slot.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Ticket {
    slot: u32,
    generation: u32,
}

impl Ticket {
    /// A small number that no other message of the session has whose end has not been fetched: an
    /// index into a table of the caller's own.
    pub fn slot(self) -> usize {
        self.slot as usize
    }

    /// As one integer, for languages without structs.
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

/// The end of a message.
#[derive(Debug)]
pub struct Ended {
    /// Which message.
    pub ticket: Ticket,
    /// What its sender called it: [`SendOptions::tag`](super::SendOptions::tag).
    pub tag: u64,
    /// The service's answer, or why there is none.
    pub result: Result<Outcome, Error>,
}

/// What an entry is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Purpose {
    /// A caller's message.
    Push,
    /// A caller's request of another kind, whose answer is handed back as it came.
    Call,
    /// A request of ours to a token endpoint; the caller never sees it.
    Token,
}

/// Where an entry is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum State {
    Free,
    Queued,
    Open { link: LinkId, id: RequestId },
}

/// How a message that has been withdrawn from its stream is to end, once the connection says
/// whether anything of it was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ending {
    Cancelled,
    TimedOut,
    Abandoned,
}

#[derive(Debug)]
pub(super) struct Entry {
    generation: u32,
    pub(super) state: State,
    pub(super) purpose: Purpose,
    pub(super) pool: PoolId,
    /// A call's request came with an authorization.
    pub(super) signed: bool,
    /// What the caller calls it.
    pub(super) tag: u64,
    /// What goes on the wire; written once at `submit`, sent again as it is.
    pub(super) request: Request,
    /// From `submit` to the end.
    pub(super) deadline: Duration,
    /// The nearer of `deadline` and, once open, the response timeout.
    pub(super) due: Duration,
    /// When it joined the queue this time.
    pub(super) queued_at: Duration,
    /// When it was put on its stream.
    pub(super) opened_at: Duration,
    /// It waits apart from the queue until then, because it was refused again and again.
    pub(super) rests_until: Option<Duration>,
    /// Times in a row that its stream was refused.
    pub(super) refusals: u8,
    /// Times it went back to the queue because nothing had been processed.
    pub(super) requeues: u8,
    /// Times it was answered with a fault of the credential or the connection and sent again.
    pub(super) replays: u8,
    /// An earlier attempt was written and got no answer: whatever comes, it may have been processed.
    pub(super) in_doubt: bool,
    /// What its answer has to be read against.
    pub(super) context: Context,
    /// Set while a withdrawal is under way.
    pub(super) ending: Option<Ending>,
}

impl Entry {
    /// The one that it has in this slot.
    pub(super) fn ticket(&self, slot: u32) -> Ticket {
        Ticket {
            slot,
            generation: self.generation,
        }
    }

    /// Ends it; the request's buffers are kept for the next message.
    pub(super) fn finish(&mut self) {
        self.state = State::Free;
        self.generation = self.generation.wrapping_add(1);
        self.request.park();
        self.signed = false;
        self.rests_until = None;
        self.refusals = 0;
        self.requeues = 0;
        self.replays = 0;
        self.in_doubt = false;
        self.context = Context::None;
        self.ending = None;
    }
}

/// A slab of entries.
#[derive(Debug, Default)]
pub(super) struct Entries {
    slots: Vec<Entry>,
    free: Vec<u32>,
}

impl Entries {
    /// A slot with a parked request to be filled; in state `Free` until its owner sets another.
    pub(super) fn reserve(&mut self) -> Result<u32, Error> {
        if let Some(slot) = self.free.pop() {
            return Ok(slot);
        }
        let slot = u32::try_from(self.slots.len())
            .map_err(|_| Error::new(ErrorKind::QueueFull, "too many messages at once"))?;
        self.slots.push(Entry {
            generation: 0,
            state: State::Free,
            purpose: Purpose::Push,
            pool: PoolId::NONE,
            signed: false,
            tag: 0,
            request: Request::new(),
            deadline: Duration::ZERO,
            due: Duration::ZERO,
            queued_at: Duration::ZERO,
            opened_at: Duration::ZERO,
            rests_until: None,
            refusals: 0,
            requeues: 0,
            replays: 0,
            in_doubt: false,
            context: Context::None,
            ending: None,
        });
        Ok(slot)
    }

    /// Ends what is in the slot. The slot is not used again before [`Entries::give_back`].
    pub(super) fn finish(&mut self, slot: u32) {
        if let Some(entry) = self.slots.get_mut(slot as usize) {
            entry.finish();
        }
    }

    /// The end of `ticket` has been fetched, its slot may be used again: nobody can take the next
    /// message for this one.
    pub(super) fn give_back(&mut self, ticket: Ticket) {
        self.free.push(ticket.slot);
    }

    /// Both at once, for what the caller never had a ticket of.
    pub(super) fn release(&mut self, slot: u32) {
        self.finish(slot);
        self.free.push(slot);
    }

    pub(super) fn get(&self, slot: u32) -> Option<&Entry> {
        self.slots.get(slot as usize)
    }

    pub(super) fn get_mut(&mut self, slot: u32) -> Option<&mut Entry> {
        self.slots.get_mut(slot as usize)
    }

    pub(super) fn ticket(&self, slot: u32) -> Ticket {
        let generation = self.slots.get(slot as usize).map_or(0, |entry| entry.generation);
        Ticket { slot, generation }
    }

    /// The slot of an unfinished message.
    pub(super) fn find(&self, ticket: Ticket) -> Option<u32> {
        let entry = self.slots.get(ticket.slot as usize)?;
        (entry.generation == ticket.generation && entry.state != State::Free).then_some(ticket.slot)
    }

    /// An unfinished message.
    #[inline]
    pub(super) fn find_mut(&mut self, ticket: Ticket) -> Option<&mut Entry> {
        let entry = self.slots.get_mut(ticket.slot as usize)?;
        (entry.generation == ticket.generation && entry.state != State::Free).then_some(entry)
    }

    /// The ticket of every unfinished entry.
    pub(super) fn live_tickets(&self) -> Vec<Ticket> {
        self.live().map(|(slot, _)| self.ticket(slot)).collect()
    }

    /// The slots of those that are open on this connection.
    pub(super) fn on_link(&self, id: LinkId) -> Vec<u32> {
        let open = self
            .live()
            .filter(|(_, entry)| matches!(entry.state, State::Open { link, .. } if link == id));
        open.map(|(slot, _)| slot).collect()
    }

    /// The entry whose request this is, sent over that connection; and its slot, after which the request
    /// is labelled.
    #[inline]
    pub(super) fn carried(&self, link: LinkId, id: RequestId) -> Option<(u32, &Entry)> {
        let entry = self.slots.get(id.label as usize)?;
        (entry.state == State::Open { link, id }).then_some((id.label, entry))
    }

    /// Every unfinished entry.
    pub(super) fn live(&self) -> impl Iterator<Item = (u32, &Entry)> {
        let numbered = self
            .slots
            .iter()
            .enumerate()
            .map(|(slot, entry)| (slot as u32, entry));
        numbered.filter(|(_, entry)| entry.state != State::Free)
    }
}
