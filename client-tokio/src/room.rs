//! The line of those who wait for room in the queue.

use std::collections::{BTreeMap, BTreeSet};
use std::task::Waker;

/// Callers that wait for room in the session's queue, in the order of their arrival. A caller that is called has a place kept
/// until the caller submits or leaves, so that no newcomer is faster.
#[derive(Debug, Default)]
pub(crate) struct Room {
    waiting: BTreeMap<u64, Waker>,
    called: BTreeSet<u64>,
    next: u64,
}

impl Room {
    /// Whether a newcomer may submit at once, where the queue takes `capacity` more messages.
    pub(crate) fn admits(&self, capacity: usize) -> bool {
        capacity > self.claims()
    }

    /// The number of places in the queue that are spoken for.
    pub(crate) fn claims(&self) -> usize {
        self.waiting.len() + self.called.len()
    }

    /// Whether the caller of this number may submit now.
    pub(crate) fn is_called(&self, number: u64) -> bool {
        self.called.contains(&number)
    }

    /// Waits: at the end of the line (`None`), or at the place that the caller has. Returns the number of the place.
    pub(crate) fn wait(&mut self, number: Option<u64>, waker: &Waker) -> u64 {
        let number = number.unwrap_or_else(|| {
            self.next = self.next.wrapping_add(1);
            self.next
        });
        self.called.remove(&number);
        self.waiting.insert(number, waker.clone());
        number
    }

    /// Leaves the line, because the caller has submitted or given up.
    pub(crate) fn leave(&mut self, number: u64) {
        self.called.remove(&number);
        self.waiting.remove(&number);
    }

    /// Calls as many as there is room for; their wakers go to `wake`.
    pub(crate) fn call(&mut self, capacity: usize, wake: &mut Vec<Waker>) {
        while self.called.len() < capacity {
            let Some((number, waker)) = self.waiting.pop_first() else {
                return;
            };
            self.called.insert(number);
            wake.push(waker);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn first_come_first_served() {
        let (mut room, mut wake) = (Room::default(), Vec::new());
        assert!(room.admits(1));
        let first = room.wait(None, Waker::noop());
        let second = room.wait(None, Waker::noop());
        assert!(!room.admits(2), "both places are spoken for");
        assert!(room.admits(3));
        room.call(1, &mut wake);
        assert_eq!(
            (wake.len(), room.is_called(first), room.is_called(second)),
            (1, true, false)
        );
        room.call(1, &mut wake);
        assert!(!room.is_called(second), "the place is kept for the first");
        room.leave(first);
        room.call(1, &mut wake);
        assert!(room.is_called(second));
        // Refused all the same: its place in the line is the old one.
        room.wait(Some(second), Waker::noop());
        let third = room.wait(None, Waker::noop());
        room.call(1, &mut wake);
        assert_eq!((room.is_called(second), room.is_called(third)), (true, false));
    }
}
