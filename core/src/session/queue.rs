//! The messages that wait for a stream, in the order in which they were submitted.

use std::collections::{BTreeMap, VecDeque};

use super::id::Ticket;
use super::ledger::Ledger;

/// Tickets in the order in which they are to be sent: that of submission
/// (`docs/decisions/0015-progress-and-order.md`).
///
/// Messages leave from the front and come back only after they had left, so each message that has come back
/// was submitted before all those that have never left. Hence two queues, one after the other: the
/// messages that have come back, in their order, and the new ones, which cost no more than a place at the end.
///
/// A new message that ends while it waits leaves an empty place behind; the first place is never an
/// empty one, and the empty ones are never the most.
#[derive(Debug, Default)]
pub(super) struct Queue {
    /// The messages that have come back, by their numbers in the order of submission.
    returned: BTreeMap<u64, Ticket>,
    fresh: VecDeque<Ticket>,
    /// The empty places in `fresh`.
    empty: usize,
}

impl Queue {
    pub(super) fn is_empty(&self) -> bool {
        self.returned.is_empty() && self.fresh.is_empty()
    }

    /// The first ticket; while the queue is not tidy it may be of a message that has ended:
    /// [`Queue::skip`].
    #[inline]
    pub(super) fn front(&self) -> Option<Ticket> {
        match self.returned.is_empty() {
            true => self.fresh.front().copied(),
            false => self.returned.first_key_value().map(|(_, ticket)| *ticket),
        }
    }

    /// The slot of the first message.
    pub(super) fn first(&self, ledger: &Ledger) -> Option<u32> {
        self.front().and_then(|ticket| ledger.find(ticket))
    }

    /// Removes the first place, which is empty.
    pub(super) fn skip(&mut self) {
        if self.returned.pop_first().is_none() {
            self.fresh.pop_front();
            self.empty = self.empty.saturating_sub(1);
        }
    }

    /// Adds a message that has never left the queue.
    #[inline]
    pub(super) fn push_back(&mut self, ticket: Ticket) {
        self.fresh.push_back(ticket);
    }

    /// Puts a message that has come back to its place in the order of submission.
    pub(super) fn restore(&mut self, number: u64, ticket: Ticket) {
        self.returned.insert(number, ticket);
    }

    /// Removes the first message. The queue is tidy again after [`Queue::tidy`].
    #[inline]
    pub(super) fn pop_front(&mut self) {
        match self.returned.is_empty() {
            true => self.fresh.pop_front(),
            false => self.returned.pop_first().map(|(_, ticket)| ticket),
        };
    }

    /// A message that waited has ended, wherever it stood.
    pub(super) fn note_ended(&mut self, number: u64, ledger: &Ledger) {
        if self.returned.remove(&number).is_some() {
            return self.tidy(ledger);
        }
        self.empty += 1;
        self.tidy(ledger);
        if self.empty > 32 && self.empty * 2 > self.fresh.len() {
            self.fresh.retain(|ticket| ledger.find(*ticket).is_some());
            self.empty = 0;
        }
    }

    /// Clears empty places at the front.
    pub(super) fn tidy(&mut self, ledger: &Ledger) {
        while let Some(ticket) = self.front() {
            if ledger.find(ticket).is_some() {
                break;
            }
            self.skip();
        }
    }

    /// Takes every message out; returns their slots.
    pub(super) fn take(&mut self, ledger: &Ledger) -> Vec<u32> {
        self.empty = 0;
        let (returned, fresh) = (
            std::mem::take(&mut self.returned),
            std::mem::take(&mut self.fresh),
        );
        returned
            .into_values()
            .chain(fresh)
            .filter_map(|ticket| ledger.find(ticket))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn drained(queue: &mut Queue) -> Vec<u32> {
        std::iter::from_fn(|| {
            let first = queue.front()?;
            queue.pop_front();
            Some(first.number())
        })
        .collect()
    }

    /// Ten leave, and come back in any order, some of them twice: they leave in their own order.
    #[test]
    fn what_comes_back_goes_to_its_place() {
        let ticket = |number| Ticket::new(number, 0);
        let mut queue = Queue::default();
        for number in 0..20 {
            queue.push_back(ticket(number));
        }
        for _ in 0..10 {
            queue.pop_front();
        }
        for number in [7, 3, 9, 0, 4, 1, 8, 2, 6, 5] {
            queue.restore(number, ticket(number as u32));
        }
        queue.pop_front();
        queue.pop_front();
        queue.restore(0, ticket(0));
        queue.push_back(ticket(20));
        let expected: Vec<_> = std::iter::once(0).chain(2..=20).collect();
        assert_eq!(drained(&mut queue), expected);
        assert!(queue.is_empty());
    }
}
