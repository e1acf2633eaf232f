//! The messages that wait for a stream, in the order in which they were submitted.

use std::collections::{BTreeMap, VecDeque};

use super::config::Priority;
use super::id::Ticket;
use super::ledger::Ledger;

/// The number of interactive messages in a row after which a bulk message that waits has its turn: one stream in eight, so that no
/// stream of lone messages stops a campaign.
const MOST_IN_A_ROW: u8 = 7;

/// The messages that wait for the streams of one host: one queue for each priority.
#[derive(Debug, Default)]
pub(super) struct Queues {
    interactive: Queue,
    bulk: Queue,
    /// The interactive messages that have left in a row while bulk messages waited.
    in_a_row: u8,
}

impl Queues {
    #[inline]
    pub(super) fn is_empty(&self) -> bool {
        self.interactive.is_empty() && self.bulk.is_empty()
    }

    /// The number of messages.
    pub(super) fn len(&self) -> usize {
        self.interactive.len() + self.bulk.len()
    }

    /// The priority of the message that is to leave next.
    #[inline]
    fn next(&self) -> Priority {
        match self.interactive.is_empty() {
            true => Priority::Bulk,
            false if self.in_a_row < MOST_IN_A_ROW || self.bulk.is_empty() => Priority::Interactive,
            false => Priority::Bulk,
        }
    }

    #[inline]
    fn of(&mut self, priority: Priority) -> &mut Queue {
        match priority {
            Priority::Interactive => &mut self.interactive,
            Priority::Bulk => &mut self.bulk,
        }
    }

    /// The next ticket; while the queues are not tidy it may be of a message that has ended:
    /// [`Queues::skip`].
    #[inline]
    pub(super) fn front(&self) -> Option<Ticket> {
        match self.next() {
            Priority::Interactive => self.interactive.front(),
            Priority::Bulk => self.bulk.front(),
        }
    }

    /// The slots of the messages that have waited for longest, one of each priority.
    pub(super) fn oldest(&self, ledger: &Ledger) -> impl Iterator<Item = u32> {
        let oldest = [self.interactive.first(ledger), self.bulk.first(ledger)];
        oldest.into_iter().flatten()
    }

    /// Removes the place of [`Queues::front`], which is empty.
    pub(super) fn skip(&mut self) {
        let next = self.next();
        self.of(next).skip();
    }

    /// Adds a message that has never left the queue.
    #[inline]
    pub(super) fn push_back(&mut self, priority: Priority, ticket: Ticket) {
        self.of(priority).push_back(ticket);
    }

    /// Puts a message that has come back to its place in the order of submission.
    pub(super) fn restore(&mut self, priority: Priority, number: u64, ticket: Ticket) {
        self.of(priority).restore(number, ticket);
    }

    /// Removes the message of [`Queues::front`]. The queues are tidy again after [`Queues::tidy`].
    #[inline]
    pub(super) fn pop_front(&mut self) {
        match self.next() {
            Priority::Interactive => {
                self.interactive.pop_front();
                self.in_a_row = match self.bulk.is_empty() {
                    true => 0,
                    false => self.in_a_row.saturating_add(1),
                };
            }
            Priority::Bulk => {
                self.bulk.pop_front();
                self.in_a_row = 0;
            }
        }
    }

    /// A message that waited has ended, wherever it stood.
    pub(super) fn note_ended(&mut self, priority: Priority, number: u64, ledger: &Ledger) {
        self.of(priority).note_ended(number, ledger);
    }

    /// Clears empty places at the front.
    pub(super) fn tidy(&mut self, ledger: &Ledger) {
        self.interactive.tidy(ledger);
        self.bulk.tidy(ledger);
    }

    /// Takes every message out; returns their slots.
    pub(super) fn take(&mut self, ledger: &Ledger) -> Vec<u32> {
        let mut slots = self.interactive.take(ledger);
        slots.extend(self.bulk.take(ledger));
        slots
    }
}

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
struct Queue {
    /// The messages that have come back, by their numbers in the order of submission.
    returned: BTreeMap<u64, Ticket>,
    fresh: VecDeque<Ticket>,
    /// The empty places in `fresh`.
    empty: usize,
}

impl Queue {
    fn is_empty(&self) -> bool {
        self.returned.is_empty() && self.fresh.is_empty()
    }

    /// The number of messages that wait.
    fn len(&self) -> usize {
        (self.returned.len() + self.fresh.len()).saturating_sub(self.empty)
    }

    /// The first ticket; while the queue is not tidy it may be of a message that has ended:
    /// [`Queue::skip`].
    #[inline]
    fn front(&self) -> Option<Ticket> {
        match self.returned.is_empty() {
            true => self.fresh.front().copied(),
            false => self.returned.first_key_value().map(|(_, ticket)| *ticket),
        }
    }

    /// The slot of the first message.
    fn first(&self, ledger: &Ledger) -> Option<u32> {
        self.front().and_then(|ticket| ledger.find(ticket))
    }

    /// Removes the first place, which is empty.
    fn skip(&mut self) {
        if self.returned.pop_first().is_none() {
            self.fresh.pop_front();
            self.empty = self.empty.saturating_sub(1);
        }
    }

    /// Adds a message that has never left the queue.
    #[inline]
    fn push_back(&mut self, ticket: Ticket) {
        self.fresh.push_back(ticket);
    }

    /// Puts a message that has come back to its place in the order of submission.
    fn restore(&mut self, number: u64, ticket: Ticket) {
        self.returned.insert(number, ticket);
    }

    /// Removes the first message. The queue is tidy again after [`Queue::tidy`].
    #[inline]
    fn pop_front(&mut self) {
        match self.returned.is_empty() {
            true => self.fresh.pop_front(),
            false => self.returned.pop_first().map(|(_, ticket)| ticket),
        };
    }

    /// A message that waited has ended, wherever it stood.
    fn note_ended(&mut self, number: u64, ledger: &Ledger) {
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
    fn tidy(&mut self, ledger: &Ledger) {
        while let Some(ticket) = self.front() {
            if ledger.find(ticket).is_some() {
                break;
            }
            self.skip();
        }
    }

    /// Takes every message out; returns their slots.
    fn take(&mut self, ledger: &Ledger) -> Vec<u32> {
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

    /// Seven interactive messages, then one of the campaign: neither waits for all of the others.
    #[test]
    fn both_priorities_have_their_turn() {
        let mut queues = Queues::default();
        for number in 0..20 {
            queues.push_back(Priority::Bulk, Ticket::new(number, 0));
            queues.push_back(Priority::Interactive, Ticket::new(100 + number, 0));
        }
        let order: Vec<_> = std::iter::from_fn(|| {
            let first = queues.front()?;
            queues.pop_front();
            Some(first.number())
        })
        .collect();
        let turns = [100..107, 0..1, 107..114, 1..2, 114..120, 2..20];
        assert_eq!(order, turns.into_iter().flatten().collect::<Vec<u32>>());
        assert!(queues.is_empty());
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
