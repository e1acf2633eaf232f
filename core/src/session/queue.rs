//! What waits for a stream, in order.

use std::collections::VecDeque;

use super::entry::{Entries, Ticket};

/// Tickets in the order in which they are to be sent. One that ends while it waits leaves its
/// place behind; the first place is never an empty one, and the empty ones are never the most.
#[derive(Debug, Default)]
pub(super) struct Queue {
    places: VecDeque<Ticket>,
    empty: usize,
}

impl Queue {
    pub(super) fn is_empty(&self) -> bool {
        self.places.is_empty()
    }

    /// The first; perhaps one that has ended, whom one would [`Queue::skip`].
    pub(super) fn front(&self) -> Option<Ticket> {
        self.places.front().copied()
    }

    /// The slot of the first.
    pub(super) fn first(&self, entries: &Entries) -> Option<u32> {
        self.places.front().and_then(|ticket| entries.find(*ticket))
    }

    /// The first place is empty: the next moves up.
    pub(super) fn skip(&mut self) {
        self.places.pop_front();
        self.empty = self.empty.saturating_sub(1);
    }

    pub(super) fn push_back(&mut self, ticket: Ticket) {
        self.places.push_back(ticket);
    }

    pub(super) fn push_front(&mut self, ticket: Ticket) {
        self.places.push_front(ticket);
    }

    /// The first leaves. Who calls it calls [`Queue::tidy`] in the end.
    pub(super) fn pop_front(&mut self) {
        self.places.pop_front();
    }

    /// One that waited has ended, wherever it stood.
    pub(super) fn left(&mut self, entries: &Entries) {
        self.empty += 1;
        self.tidy(entries);
        if self.empty > 32 && self.empty * 2 > self.places.len() {
            self.places.retain(|ticket| entries.find(*ticket).is_some());
            self.empty = 0;
        }
    }

    /// Clears empty places at the front.
    pub(super) fn tidy(&mut self, entries: &Entries) {
        while let Some(ticket) = self.places.front() {
            if entries.find(*ticket).is_some() {
                break;
            }
            self.skip();
        }
    }

    /// Everyone who waits; afterwards nobody does.
    pub(super) fn take(&mut self, entries: &Entries) -> Vec<u32> {
        self.empty = 0;
        let places = std::mem::take(&mut self.places);
        places
            .into_iter()
            .filter_map(|ticket| entries.find(ticket))
            .collect()
    }
}
