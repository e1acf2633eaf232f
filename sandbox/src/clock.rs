//! The sandbox's clock: the system's, moved by a settable offset, so that a test
//! can let a token grow old without waiting.

use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

/// Far enough for any test, near enough that no sum overflows.
const CENTURY_MS: i64 = 3_155_760_000_000;

/// Wall clock in Unix milliseconds.
#[derive(Debug, Default)]
pub(crate) struct Clock {
    offset_ms: AtomicI64,
}

impl Clock {
    /// Now, in Unix milliseconds.
    pub(crate) fn now_ms(&self) -> i64 {
        let system = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .map_or(0, |elapsed| elapsed.as_millis());
        i64::try_from(system)
            .unwrap_or(i64::MAX)
            .saturating_add(self.offset_ms.load(Ordering::Relaxed))
    }

    /// Moves the clock; the offset is absolute, not cumulative, and at most a century.
    pub(crate) fn set_offset_ms(&self, offset: i64) {
        self.offset_ms
            .store(offset.clamp(-CENTURY_MS, CENTURY_MS), Ordering::Relaxed);
    }
}
