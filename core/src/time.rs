//! Clocks as values. The core never reads a clock: every call that depends on
//! time takes one [`Now`].

use std::fmt;
use std::time::Duration;

use crate::error::{Error, ErrorKind};

/// A point in calendar time, in milliseconds since the UNIX epoch (UTC).
///
/// Milliseconds because APNs reports the time at which a token became invalid
/// in milliseconds; everything else is given in whole seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct UnixTime {
    millis: u64,
}

impl UnixTime {
    /// From whole seconds since the epoch; saturates instead of wrapping.
    pub const fn from_secs(secs: u64) -> Self {
        Self {
            millis: secs.saturating_mul(1000),
        }
    }

    /// From milliseconds since the epoch.
    pub const fn from_millis(millis: u64) -> Self {
        Self { millis }
    }

    /// Whole seconds since the epoch, rounded down.
    pub const fn as_secs(self) -> u64 {
        self.millis / 1000
    }

    /// Milliseconds since the epoch.
    pub const fn as_millis(self) -> u64 {
        self.millis
    }

    /// This time plus `duration`, saturating at the far end of time.
    pub const fn saturating_add(self, duration: Duration) -> Self {
        Self {
            millis: self.millis.saturating_add(millis_of(duration)),
        }
    }

    /// The time from `earlier` to `self`; zero when `earlier` is later.
    pub const fn saturating_since(self, earlier: Self) -> Duration {
        Duration::from_millis(self.millis.saturating_sub(earlier.millis))
    }
}

/// The earliest time that a caller can mean as a date, in seconds: 9 September 2001. No push service is older,
/// and a number below it is 31 years as a duration.
const EARLIEST_DATE: u64 = 1_000_000_000;
/// The latest time that a caller can mean as a date, in seconds: 1 January 2300. Milliseconds since 1970, taken
/// for seconds, have been above it since May 1970.
const LATEST_DATE: u64 = 10_413_792_000;

impl UnixTime {
    /// Whether the time lies before the year 2300. A later one in an answer is a mistake, and no calendar holds it.
    pub(crate) fn is_believable(self) -> bool {
        self.as_secs() < LATEST_DATE
    }

    /// Checks that the time is a date from 2001 to 2299, rather than a duration or a number of milliseconds
    /// that was taken for seconds. `what` names the date in the error.
    ///
    /// # Errors
    /// `InvalidValue`; the text says what to write instead.
    pub fn check_date(self, what: &str) -> Result<(), Error> {
        let refuse = |text: String| Err(Error::new(ErrorKind::InvalidValue, text));
        match self.as_secs() {
            0..EARLIEST_DATE => refuse(format!(
                "the {what} lies before 2001: seconds since 1970 are wanted, not a duration; write the time of now plus the duration"
            )),
            EARLIEST_DATE..LATEST_DATE => Ok(()),
            _ => refuse(format!(
                "the {what} lies after the year 2299: seconds since 1970 are wanted, not milliseconds; divide by 1000"
            )),
        }
    }
}

impl fmt::Display for UnixTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{:03}", self.millis / 1000, self.millis % 1000)
    }
}

const fn millis_of(duration: Duration) -> u64 {
    let millis = duration.as_millis();
    if millis > u64::MAX as u128 {
        u64::MAX
    } else {
        millis as u64
    }
}

/// The time on the caller's two clocks, handed to every call that depends on time.
///
/// * `monotonic` drives timers, deadlines and back-off. Its epoch is the
///   caller's choice (process start is usual); it must never go backwards. A
///   value lower than an earlier one is treated as equal to it.
/// * `unix` goes into tokens, expirations and certificate checks. It may jump.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Now {
    /// Time since an epoch of the caller's choice; never goes backwards.
    pub monotonic: Duration,
    /// Calendar time.
    pub unix: UnixTime,
}

impl Now {
    /// Both clocks, read together.
    pub const fn new(monotonic: Duration, unix: UnixTime) -> Self {
        Self { monotonic, unix }
    }

    /// Returns the instant `duration` later on both clocks.
    pub const fn after(self, duration: Duration) -> Self {
        Self {
            monotonic: self.monotonic.saturating_add(duration),
            unix: self.unix.saturating_add(duration),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unix_time_saturates() {
        assert_eq!(UnixTime::from_secs(u64::MAX).as_millis(), u64::MAX);
        assert_eq!(
            UnixTime::from_millis(5).saturating_add(Duration::MAX).as_millis(),
            u64::MAX
        );
        assert_eq!(
            UnixTime::from_secs(1).saturating_since(UnixTime::from_secs(9)),
            Duration::ZERO
        );
    }

    #[test]
    fn a_duration_and_milliseconds_are_no_dates() {
        for (secs, word) in [
            (0, Some("duration")),
            (3600, Some("duration")),
            (999_999_999, Some("duration")),
            (1_000_000_000, None),
            (1_764_422_709, None),
            (10_413_791_999, None),
            (10_413_792_000, Some("milliseconds")),
            (1_764_422_709_000, Some("milliseconds")),
            (1_764_422_709_000_000, Some("milliseconds")),
            (u64::MAX, Some("milliseconds")),
        ] {
            let error = UnixTime::from_secs(secs).check_date("expiration").err();
            let text = error.as_ref().map(ToString::to_string).unwrap_or_default();
            assert_eq!(error.is_some(), word.is_some(), "{secs}: {text}");
            assert!(text.contains(word.unwrap_or_default()), "{secs}: {text}");
        }
    }

    #[test]
    fn after_moves_both_clocks() {
        let now =
            Now::new(Duration::from_secs(1), UnixTime::from_secs(10)).after(Duration::from_millis(1500));
        assert_eq!(now.monotonic, Duration::from_millis(2500));
        assert_eq!(now.unix.as_millis(), 11_500);
    }
}
