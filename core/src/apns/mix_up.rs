//! Tells dead tokens from a mixed-up environment.

use crate::outcome::Outcome;

/// Watches the share of `BadDeviceToken`. A list of tokens decays slowly; when
/// suddenly most tokens are bad, they are probably of the other environment,
/// and deleting them would lose every device.
///
/// Keep one for each pool of connections, feed it every outcome, and do not
/// delete tokens while [`MixUpDetector::is_suspected`].
#[derive(Clone, Debug, Default)]
pub struct MixUpDetector {
    /// The last 128 verdicts on tokens, the newest in the lowest bit; 1 is a bad one.
    verdicts: u128,
    seen: u32,
    suspected: bool,
}

impl MixUpDetector {
    /// Judged by the newest so many verdicts.
    const RECENT: u32 = 32;

    /// Nothing seen yet.
    pub const fn new() -> Self {
        Self {
            verdicts: 0,
            seen: 0,
            suspected: false,
        }
    }

    /// Counts an outcome. Only acceptance and `BadDeviceToken` say something.
    /// Returns whether the suspicion arose with this one.
    pub fn record(&mut self, outcome: &Outcome) -> bool {
        let bad = match outcome {
            Outcome::Accepted(_) => false,
            Outcome::TokenGone(_) if outcome.reason().is_some_and(|r| r.as_str() == "BadDeviceToken") => true,
            _ => return false,
        };
        self.count(bad)
    }

    /// Counts a verdict on a token. Returns whether the suspicion arose with this one.
    pub(crate) fn count(&mut self, bad: bool) -> bool {
        if !bad && self.verdicts == 0 && self.seen == u128::BITS {
            // All is well, and has been for long.
            return false;
        }
        self.verdicts = (self.verdicts << 1) | u128::from(bad);
        self.seen = self.seen.saturating_add(1).min(u128::BITS);
        if self.seen < Self::RECENT || (!bad && !self.suspected) {
            // A good token raises no suspicion.
            return false;
        }
        let recent = (self.verdicts & ((1 << Self::RECENT) - 1)).count_ones();
        let earlier = (self.verdicts >> Self::RECENT).count_ones();
        let before = self.suspected;
        self.suspected = match before {
            false => recent * 2 >= Self::RECENT && earlier * 8 <= self.seen - Self::RECENT,
            true => recent * 4 > Self::RECENT,
        };
        !before && self.suspected
    }

    /// Whether the environments are probably mixed up. Begins when at least half of
    /// the last 32 tokens judged were bad, while of the 96 before them (or as many as
    /// there were) at most one in eight was; ends when no more than a quarter is.
    pub fn is_suspected(&self) -> bool {
        self.suspected
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::apns::outcome;
    use crate::http::Response;
    use crate::time::{Now, UnixTime};
    use std::time::Duration;

    fn answer(status: u16, reason: &str) -> Outcome {
        let body = if status == 200 {
            String::new()
        } else {
            format!(r#"{{"reason":"{reason}"}}"#)
        };
        outcome(
            &Response::new(status, body),
            Now::new(Duration::ZERO, UnixTime::from_secs(0)),
        )
    }

    #[test]
    fn a_jump_in_bad_tokens_is_suspected_once() {
        let mut detector = MixUpDetector::new();
        for _ in 0..1000 {
            assert!(!detector.record(&answer(200, "")));
        }
        let alarms = (0..200)
            .filter(|_| detector.record(&answer(400, "BadDeviceToken")))
            .count();
        assert_eq!(alarms, 1);
        assert!(detector.is_suspected());
        for _ in 0..24 {
            detector.record(&answer(200, ""));
        }
        assert!(!detector.is_suspected(), "the right environment again");
    }

    #[test]
    fn all_bad_from_the_start_is_suspected() {
        let mut detector = MixUpDetector::new();
        let alarm = (0..100).position(|_| detector.record(&answer(400, "BadDeviceToken")));
        assert_eq!(alarm, Some(31));
    }

    #[test]
    fn a_decayed_list_is_not_suspected() {
        let mut detector = MixUpDetector::new();
        for n in 0..10_000 {
            let outcome = match n % 4 {
                0 => answer(400, "BadDeviceToken"),
                1 => answer(410, "Unregistered"),
                _ => answer(200, ""),
            };
            assert!(!detector.record(&outcome), "{n}");
        }
    }
}
