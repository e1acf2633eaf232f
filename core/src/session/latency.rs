//! How long messages take, counted in fixed steps.

use std::ops::AddAssign;
use std::time::Duration;

/// Durations, counted by the step of [`Histogram::BOUNDS`] that they fall into.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Histogram {
    counts: [u64; Histogram::BOUNDS.len() + 1],
    /// In nanoseconds: a sum that is added to for every message has to cost little.
    sum: u128,
}

/// The nanoseconds of a second.
const SECOND: u128 = 1_000_000_000;

/// [`Histogram::BOUNDS`] in nanoseconds.
const BOUNDS: [u64; Histogram::BOUNDS.len()] = {
    let mut bounds = [0; Histogram::BOUNDS.len()];
    let mut at = 0;
    while at < bounds.len() {
        bounds[at] = Histogram::BOUNDS[at].as_nanos() as u64;
        at += 1;
    }
    bounds
};

/// The number of bounds below every number of so many bits: where the search for the step of such a number begins. It ends soon,
/// because each bound is at least twice the one before.
const FIRST_STEPS: [u8; 65] = {
    let mut steps = [0; 65];
    let mut bits = 1;
    while bits < steps.len() {
        let smallest = 1 << (bits - 1);
        let mut step = 0;
        while step < BOUNDS.len() && BOUNDS[step] < smallest {
            step += 1;
        }
        steps[bits] = step as u8;
        bits += 1;
    }
    steps
};

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
        let nanos = duration.as_nanos();
        let short = u64::try_from(nanos).unwrap_or(u64::MAX);
        let bits = u64::BITS - short.leading_zeros();
        let first = FIRST_STEPS
            .get(bits as usize)
            .map_or(0, |step| usize::from(*step));
        let more = BOUNDS
            .iter()
            .skip(first)
            .take_while(|bound| short > **bound)
            .count();
        if let Some(count) = self.counts.get_mut(first + more) {
            *count += 1;
        }
        self.sum = self.sum.saturating_add(nanos);
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
        let seconds = u64::try_from(self.sum / SECOND).unwrap_or(u64::MAX);
        Duration::new(seconds, (self.sum % SECOND) as u32)
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
        assert!(Histogram::BOUNDS.windows(2).all(|two| two[0] * 2 <= two[1]));
    }

    /// The step that is found is the first whose bound is not below the duration, for every bound and power of two and what is beside.
    #[test]
    fn every_duration_is_in_its_step() {
        let beside = |nanos: u64| [nanos.saturating_sub(1), nanos, nanos.saturating_add(1)];
        let powers = (0..u64::BITS).map(|bits| 1u64 << bits);
        for nanos in BOUNDS
            .into_iter()
            .chain(powers)
            .flat_map(beside)
            .chain([u64::MAX])
        {
            let duration = Duration::from_nanos(nanos);
            let mut histogram = Histogram::default();
            histogram.record(duration);
            let step = histogram.steps().position(|(_, count)| count > 0);
            let expected = Histogram::BOUNDS.iter().position(|bound| duration <= *bound);
            assert_eq!(step, Some(expected.unwrap_or(Histogram::BOUNDS.len())), "{nanos}");
            assert_eq!(histogram.sum(), duration);
        }
        let mut histogram = Histogram::default();
        histogram.record(Duration::MAX);
        histogram.record(Duration::MAX);
        assert_eq!(histogram.steps().last(), Some((None, 2)));
        assert_eq!(histogram.sum().as_secs(), u64::MAX);
    }
}
