//! When things are due: one time for each, in order.

use std::collections::BTreeSet;
use std::time::Duration;

/// The times at which connections or hosts have to be looked at, so that nobody asks all of them.
///
/// Each keeps the time that it is entered with, because an entry is found by it.
#[derive(Debug)]
pub(super) struct Timers<K> {
    due: BTreeSet<(Duration, K)>,
}

impl<K> Default for Timers<K> {
    fn default() -> Self {
        Self { due: BTreeSet::new() }
    }
}

impl<K: Ord + Copy> Timers<K> {
    /// Moves the entry of `key` from the time `entered` to the time `at`; `None` is no entry.
    pub(super) fn set(&mut self, key: K, entered: &mut Option<Duration>, at: Option<Duration>) {
        if *entered == at {
            return;
        }
        if let Some(old) = *entered {
            self.due.remove(&(old, key));
        }
        if let Some(new) = at {
            self.due.insert((new, key));
        }
        *entered = at;
    }

    /// The entries, the earliest first.
    pub(super) fn iter(&self) -> impl Iterator<Item = (Duration, K)> {
        self.due.iter().copied()
    }

    /// Every entry whose time has come.
    pub(super) fn due(&self, now: Duration) -> Vec<K> {
        let due = self.due.iter().take_while(|(at, _)| *at <= now);
        due.map(|(_, key)| *key).collect()
    }

    pub(super) fn len(&self) -> usize {
        self.due.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_is_at_one_time_only() {
        let second = Duration::from_secs;
        let (mut timers, mut entered) = (Timers::default(), None);
        timers.set(7, &mut entered, Some(second(5)));
        timers.set(7, &mut entered, Some(second(3)));
        timers.set(8, &mut None, Some(second(4)));
        assert_eq!(
            timers.iter().collect::<Vec<_>>(),
            [(second(3), 7), (second(4), 8)]
        );
        assert_eq!(timers.due(second(3)), [7]);
        timers.set(7, &mut entered, None);
        assert_eq!((timers.len(), entered), (1, None));
    }
}
