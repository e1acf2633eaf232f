//! Exponential back-off with jitter.

use std::time::Duration;

/// The first of the short waits: a listener that is replaced is away for some ten milliseconds.
const FIRST_SHORT_WAIT: Duration = Duration::from_millis(10);

/// A series of waits that double from `first` to `longest`, each shortened or lengthened by up to a fifth.
///
/// The jitter comes from a seed, so that a simulation repeats itself to the letter.
#[derive(Clone, Debug)]
pub(super) struct Backoff {
    first: Duration,
    longest: Duration,
    attempt: u32,
    /// The short waits before the series began.
    short: u32,
    random: Random,
}

impl Backoff {
    /// Begins a series; `seed` decides the jitter, so that every host is given its own.
    pub(super) fn new(first: Duration, longest: Duration, seed: u64) -> Self {
        Self {
            first,
            longest,
            attempt: 0,
            short: 0,
            random: Random(seed),
        }
    }

    /// Returns the wait before the next attempt.
    pub(super) fn next_wait(&mut self) -> Duration {
        let doubled = self
            .first
            .saturating_mul(1u32 << self.attempt.min(16))
            .min(self.longest);
        self.attempt = self.attempt.saturating_add(1);
        self.spread(doubled)
    }

    /// Returns the wait before the next attempt, where the last one failed in a way that is usually over soon:
    /// 10 ms, then twice as long each time, until the series of [`Backoff::next_wait`] goes on.
    pub(super) fn next_short_wait(&mut self) -> Duration {
        let wait = FIRST_SHORT_WAIT.saturating_mul(1u32 << self.short.min(16));
        if self.attempt > 0 || wait >= self.first {
            return self.next_wait();
        }
        self.short += 1;
        self.spread(wait)
    }

    /// Returns `wait`, shortened or lengthened by up to a fifth.
    pub(super) fn spread(&mut self, wait: Duration) -> Duration {
        // 80 % to 120 %, in 1024 steps.
        let permille = 819 + (self.random.next() % 410) as u32;
        wait.saturating_mul(permille) / 1024
    }

    /// Returns `wait`, lengthened by up to a fifth.
    pub(super) fn spread_up(&mut self, wait: Duration) -> Duration {
        let permille = 1024 + (self.random.next() % 205) as u32;
        wait.saturating_mul(permille) / 1024
    }

    /// The number of attempts since the last success.
    pub(super) fn attempts(&self) -> u32 {
        self.attempt.saturating_add(self.short)
    }

    /// Notes a success: the next wait is the first one again.
    pub(super) fn reset(&mut self) {
        self.attempt = 0;
        self.short = 0;
    }
}

/// splitmix64: good enough to spread reconnects, no secret depends on it.
#[derive(Clone, Debug)]
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn doubles_within_jitter_and_stops_at_the_longest() {
        let mut backoff = Backoff::new(Duration::from_secs(1), Duration::from_secs(60), 7);
        for expected in [1, 2, 4, 8, 16, 32, 60, 60, 60] {
            let wait = backoff.next_wait().as_secs_f64();
            assert!(
                (0.79..=1.21).contains(&(wait / f64::from(expected))),
                "{wait} for {expected}"
            );
        }
        backoff.reset();
        assert!(backoff.next_wait() < Duration::from_millis(1250));
    }

    /// What is usually over soon is tried again soon, and in the end as rarely as everything else.
    #[test]
    fn short_waits_come_before_the_others() {
        let mut backoff = Backoff::new(Duration::from_secs(1), Duration::from_secs(60), 7);
        for expected in [10, 20, 40, 80, 160, 320, 640, 1000, 2000, 4000] {
            let wait = backoff.next_short_wait().as_secs_f64() * 1000.0;
            assert!(
                (0.79..=1.21).contains(&(wait / f64::from(expected))),
                "{wait} for {expected}"
            );
        }
        assert_eq!(backoff.attempts(), 10);
        backoff.reset();
        assert!(backoff.next_wait() > Duration::from_millis(790));
        // Not after trouble of another kind.
        assert!(backoff.next_short_wait() > Duration::from_millis(1500));
    }

    #[test]
    fn different_seeds_spread() {
        let first = |seed| Backoff::new(Duration::from_secs(1), Duration::from_secs(60), seed).next_wait();
        let waits: std::collections::HashSet<_> = (0..100).map(first).collect();
        assert!(waits.len() > 50);
    }
}
