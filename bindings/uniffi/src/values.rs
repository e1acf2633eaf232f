//! Times and durations: `kotlin.time.Duration` and `java.time.Instant`, `TimeInterval` and `Date`.
//!
//! Both travel as a number of seconds, because uniffi's own conversions end a Swift program where a duration is negative
//! or a date is far away.

use std::time::Duration;

use pushcore::{Now, UnixTime};

use crate::error::{PushError, invalid};

/// A number of seconds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Seconds(f64);

uniffi::custom_type!(Seconds, f64, {
    lower: |seconds| seconds.0,
    try_lift: |seconds| Ok(Seconds(seconds)),
});

impl Seconds {
    /// Returns the duration that a caller means.
    pub(crate) fn duration(self) -> Result<Duration, PushError> {
        let text = "a duration is a finite number of seconds, not negative";
        Duration::try_from_secs_f64(self.0).map_err(|_| invalid(text))
    }

    /// Returns the duration, where one is given.
    pub(crate) fn optional(seconds: Option<Self>) -> Result<Option<Duration>, PushError> {
        seconds.map(Self::duration).transpose()
    }
}

impl From<Duration> for Seconds {
    fn from(duration: Duration) -> Self {
        Self(duration.as_secs_f64())
    }
}

/// A point in time, in seconds since 1970.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Time(f64);

uniffi::custom_type!(Time, f64, {
    lower: |time| time.0,
    try_lift: |time| Ok(Time(time)),
});

impl Time {
    /// Returns the point in time that a caller means.
    pub(crate) fn unix(self) -> Result<UnixTime, PushError> {
        let text = "a time is a finite number of seconds since 1970, not negative";
        let since = Duration::try_from_secs_f64(self.0).map_err(|_| invalid(text))?;
        Ok(UnixTime::default().saturating_add(since))
    }

    /// Returns both clocks: calendar time as given, else the system's.
    pub(crate) fn now(at: Option<Self>) -> Result<Now, PushError> {
        let now = clock();
        match at {
            Some(at) => Ok(Now::new(now.monotonic, at.unix()?)),
            None => Ok(now),
        }
    }
}

impl From<UnixTime> for Time {
    #[allow(clippy::cast_precision_loss, reason = "a double holds milliseconds for 285,000 years")]
    fn from(time: UnixTime) -> Self {
        Self(time.as_millis() as f64 / 1000.0)
    }
}

/// The clocks of the clients, because a token's age is measured by whichever of them asks.
#[cfg(feature = "whole")]
fn clock() -> Now {
    pushcore_client::now()
}

#[cfg(not(feature = "whole"))]
fn clock() -> Now {
    use std::sync::LazyLock;
    use std::time::{Instant, SystemTime, UNIX_EPOCH};

    static EPOCH: LazyLock<Instant> = LazyLock::new(Instant::now);
    let monotonic = EPOCH.elapsed();
    let unix = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Now::new(monotonic, UnixTime::default().saturating_add(unix))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_duration_and_no_time_is_an_error() {
        for number in [-0.001, f64::NAN, f64::INFINITY, 1e300] {
            assert_eq!(Seconds(number).duration().unwrap_err().failure().number, 209);
            assert_eq!(Time(number).unix().unwrap_err().failure().number, 209);
        }
        assert_eq!(Seconds(1.5).duration().unwrap(), Duration::from_millis(1500));
        assert_eq!(Time(1.5).unix().unwrap(), UnixTime::from_millis(1500));
        assert_eq!(Time::from(UnixTime::from_millis(1_700_000_000_123)), Time(1_700_000_000.123));
    }
}
