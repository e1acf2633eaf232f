//! The one place that reads clocks.

use std::sync::LazyLock;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use pushcore::{Now, UnixTime};

/// One epoch for the whole process: clients share credentials, and a token's age is measured by
/// whichever of them asks.
static EPOCH: LazyLock<Instant> = LazyLock::new(Instant::now);

/// Both clocks, as the clients of this process read them.
///
/// For calls beside a client with credentials that it shares, `apns::request` for one. Another
/// monotonic epoch would age the token wrongly.
pub fn now() -> Now {
    let monotonic = EPOCH.elapsed();
    let unix = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let millis = u64::try_from(unix.as_millis()).unwrap_or(u64::MAX);
    Now::new(monotonic, UnixTime::from_millis(millis))
}

/// Reads both clocks.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Clock;

impl Clock {
    pub(crate) fn new() -> Self {
        Self
    }

    #[expect(clippy::unused_self, reason = "whoever holds a clock may read it")]
    pub(crate) fn now(&self) -> Now {
        now()
    }

    /// The one that timers go by.
    #[expect(clippy::unused_self, reason = "whoever holds a clock may read it")]
    pub(crate) fn monotonic(&self) -> Duration {
        EPOCH.elapsed()
    }
}
