//! How long messages take, counted in fixed steps.

use std::ops::AddAssign;
use std::time::Duration;

/// Durations, counted by the step of [`Histogram::BOUNDS`] that they fall into.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Histogram {
    counts: [u64; Histogram::BOUNDS.len() + 1],
    sum: Duration,
}

impl Histogram {
    /// The upper bounds of the steps, each included in its step; longer durations are counted in one more step without a bound.
    /// One millisecond is a service on the same machine, a minute is the longest deadline that most senders have.
    pub const BOUNDS: [Duration; 15] = [
        Duration::from_millis(1),
        Duration::from_micros(2500),
        Duration::from_millis(5),
        Duration::from_millis(10),
        Duration::from_millis(25),
        Duration::from_millis(50),
        Duration::from_millis(100),
        Duration::from_millis(250),
        Duration::from_millis(500),
        Duration::from_secs(1),
        Duration::from_millis(2500),
        Duration::from_secs(5),
        Duration::from_secs(10),
        Duration::from_secs(30),
        Duration::from_secs(60),
    ];

    /// Counts one duration.
    #[inline]
    pub fn record(&mut self, duration: Duration) {
        let step = Self::BOUNDS.iter().take_while(|bound| duration > **bound).count();
        if let Some(count) = self.counts.get_mut(step) {
            *count += 1;
        }
        self.sum = self.sum.saturating_add(duration);
    }

    /// Returns every step with its upper bound, which is `None` for the last one, and the number of durations in this step alone.
    pub fn steps(&self) -> impl Iterator<Item = (Option<Duration>, u64)> {
        let bounds = Self::BOUNDS.into_iter().map(Some).chain([None]);
        bounds.zip(self.counts)
    }

    /// Returns the number of durations.
    pub fn count(&self) -> u64 {
        self.counts.iter().sum()
    }

    /// Returns the sum of all durations.
    pub fn sum(&self) -> Duration {
        self.sum
    }
}

impl AddAssign<&Histogram> for Histogram {
    fn add_assign(&mut self, other: &Histogram) {
        for (count, more) in self.counts.iter_mut().zip(other.counts) {
            *count += more;
        }
        self.sum = self.sum.saturating_add(other.sum);
    }
}

/// How long the messages of a session took. Calls and fetches of tokens are not counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Latencies {
    /// From [`submit`](super::Session::submit) to the stream: the wait for a connection, a stream or a limit, and attempts that
    /// failed before. Messages that never got a stream are not counted here.
    pub queue: Histogram,
    /// From the stream to the end, mostly the service's answer. Messages that never got a stream are not counted here.
    pub wire: Histogram,
    /// From [`submit`](super::Session::submit) to the end of every message.
    pub whole: Histogram,
}

impl Latencies {
    /// Returns every histogram with its name, the same in every language.
    pub const fn list(&self) -> [(&'static str, &Histogram); 3] {
        [
            ("queue", &self.queue),
            ("wire", &self.wire),
            ("whole", &self.whole),
        ]
    }
}

impl AddAssign<&Latencies> for Latencies {
    fn add_assign(&mut self, other: &Latencies) {
        self.queue += &other.queue;
        self.wire += &other.wire;
        self.whole += &other.whole;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bound_is_in_its_step_and_the_last_step_has_none() {
        let mut histogram = Histogram::default();
        for millis in [0, 1, 2, 60_000, 60_001] {
            histogram.record(Duration::from_millis(millis));
        }
        let steps: Vec<_> = histogram.steps().filter(|(_, count)| *count > 0).collect();
        let millis = |millis| Some(Duration::from_millis(millis));
        let expected = [
            (millis(1), 2),
            (Some(Duration::from_micros(2500)), 1),
            (millis(60_000), 1),
            (None, 1),
        ];
        assert_eq!(steps, expected);
        assert_eq!(histogram.count(), 5);
        assert_eq!(histogram.sum(), Duration::from_millis(120_004));
        let mut both = histogram;
        both += &histogram;
        assert_eq!((both.count(), both.sum()), (10, Duration::from_millis(240_008)));
    }

    #[test]
    fn the_bounds_rise() {
        assert!(Histogram::BOUNDS.windows(2).all(|two| two[0] < two[1]));
    }
}
