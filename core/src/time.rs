//! Clocks as values. The core never reads a clock: every call that depends on
//! time takes one [`Now`].

use std::fmt;
use std::time::Duration;

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

/// What the caller's two clocks say, handed to every call that depends on time.
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

    /// The same instant moved `duration` ahead on both clocks.
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
    fn after_moves_both_clocks() {
        let now =
            Now::new(Duration::from_secs(1), UnixTime::from_secs(10)).after(Duration::from_millis(1500));
        assert_eq!(now.monotonic, Duration::from_millis(2500));
        assert_eq!(now.unix.as_millis(), 11_500);
    }
}
