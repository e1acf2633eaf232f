//! The one place that reads clocks.

use std::time::{Instant, SystemTime, UNIX_EPOCH};

use pushcore::{Now, UnixTime};

/// Reads both clocks; the monotonic epoch is the making of this value.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Clock {
    epoch: Instant,
}

impl Clock {
    pub(crate) fn new() -> Self {
        Self {
            epoch: Instant::now(),
        }
    }

    pub(crate) fn now(&self) -> Now {
        let unix = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let millis = u64::try_from(unix.as_millis()).unwrap_or(u64::MAX);
        Now::new(self.epoch.elapsed(), UnixTime::from_millis(millis))
    }
}
