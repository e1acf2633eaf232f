//! The messages that wait for a stream, in order.

use std::collections::VecDeque;

use super::id::Ticket;
use super::ledger::Ledger;

/// Tickets in the order in which they are to be sent. A message that ends while it waits leaves an
/// empty place behind; the first place is never an empty one, and the empty ones are never the most.
#[derive(Debug, Default)]
pub(super) struct Queue {
    places: VecDeque<Ticket>,
    empty: usize,
}

impl Queue {
    pub(super) fn is_empty(&self) -> bool {
        self.places.is_empty()
    }

    /// The first ticket; while the queue is not tidy it may be of a message that has ended:
    /// [`Queue::skip`].
    #[inline]
    pub(super) fn front(&self) -> Option<Ticket> {
        self.places.front().copied()
    }

    /// The slot of the first message.
    pub(super) fn first(&self, ledger: &Ledger) -> Option<u32> {
        self.places.front().and_then(|ticket| ledger.find(*ticket))
    }

    /// Removes the first place, which is empty.
    pub(super) fn skip(&mut self) {
        self.places.pop_front();
        self.empty = self.empty.saturating_sub(1);
    }

    #[inline]
    pub(super) fn push_back(&mut self, ticket: Ticket) {
        self.places.push_back(ticket);
    }

    pub(super) fn push_front(&mut self, ticket: Ticket) {
        self.places.push_front(ticket);
    }

    /// Removes the first message. The queue is tidy again after [`Queue::tidy`].
    #[inline]
    pub(super) fn pop_front(&mut self) {
        self.places.pop_front();
    }

    /// A message that waited has ended, wherever it stood.
    pub(super) fn note_ended(&mut self, ledger: &Ledger) {
        self.empty += 1;
        self.tidy(ledger);
        if self.empty > 32 && self.empty * 2 > self.places.len() {
            self.places.retain(|ticket| ledger.find(*ticket).is_some());
            self.empty = 0;
        }
    }

    /// Clears empty places at the front.
    pub(super) fn tidy(&mut self, ledger: &Ledger) {
        while let Some(ticket) = self.places.front() {
            if ledger.find(*ticket).is_some() {
                break;
            }
            self.skip();
        }
    }

    /// Takes every message out; returns their slots.
    pub(super) fn take(&mut self, ledger: &Ledger) -> Vec<u32> {
        self.empty = 0;
        let places = std::mem::take(&mut self.places);
        places
            .into_iter()
            .filter_map(|ticket| ledger.find(ticket))
            .collect()
    }
}
