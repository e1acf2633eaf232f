//! Letting answers gather while a bulk send is under way.

use std::time::Duration;

/// How long to leave the sockets alone before the next look at them.
///
/// A service that answers in drops wakes its client for each of them, and a wake-up costs as much as
/// a dozen pushes. While many pushes are in flight and only a few answers come at a time, the client looks a little
/// later: a quarter of what is in flight may gather, so that the service never runs out of work. A lone
/// push never waits.
#[derive(Debug)]
pub(crate) struct Gather {
    longest: Duration,
    pause: Duration,
}

/// Below so many in flight every answer counts.
const MANY: u64 = 256;
/// The number of answers at once that are worth a wake-up.
const ENOUGH: u64 = 64;
/// The first pause. Shorter ones are not kept by the system.
const SHORTEST: Duration = Duration::from_micros(60);

impl Gather {
    pub(crate) fn new(longest: Duration) -> Self {
        Self {
            longest,
            pause: Duration::ZERO,
        }
    }

    /// How long to pause now, with so many in flight.
    pub(crate) fn pause(&self, in_flight: u64) -> Duration {
        match in_flight >= MANY {
            true => self.pause,
            false => Duration::ZERO,
        }
    }

    /// After a pause so many answers were there, of so many that had been in flight.
    pub(crate) fn learn(&mut self, answers: u64, in_flight: u64) {
        if in_flight < MANY || answers > in_flight / 4 {
            self.pause /= 2;
            if self.pause < SHORTEST {
                self.pause = Duration::ZERO;
            }
        } else if answers < ENOUGH {
            self.pause = (self.pause * 2).max(SHORTEST).min(self.longest);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A service that answers `rate` a millisecond: the pauses that it leads to.
    fn settled(rate: u64, in_flight: u64, longest: Duration) -> (Duration, u64) {
        let mut gather = Gather::new(longest);
        let mut answers = 0;
        for _ in 0..100 {
            let pause = gather.pause(in_flight).max(Duration::from_micros(10));
            answers = (rate * pause.as_micros() as u64 / 1000).clamp(1, in_flight);
            gather.learn(answers, in_flight);
        }
        (gather.pause(in_flight), answers)
    }

    #[test]
    fn drops_gather() {
        let longest = Duration::from_millis(1);
        let (pause, answers) = settled(100, 1000, longest);
        assert!((ENOUGH..=250).contains(&answers), "{answers} after {pause:?}");
        // Slower than can be waited for.
        let (pause, _) = settled(5, 1000, longest);
        assert_eq!(pause, longest);
    }

    #[test]
    fn nobody_runs_dry() {
        let longest = Duration::from_millis(1);
        for rate in [1000, 5000, 50_000] {
            let (_, answers) = settled(rate, 1000, longest);
            assert!(answers <= 500, "{answers} of 1000 at once");
        }
        assert_eq!(settled(100, MANY - 1, longest).0, Duration::ZERO);
        assert_eq!(settled(100, 1000, Duration::ZERO).0, Duration::ZERO);
    }
}
