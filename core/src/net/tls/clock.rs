//! The caller's calendar, as rustls wants to read it.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use rustls::time_provider::TimeProvider;

use crate::time::UnixTime;

/// The calendar time of the latest call into any connection of one configuration.
///
/// Certificates and tickets are dated in seconds, and a configuration lives in
/// one process with one calendar, so sharing the value between connections on
/// different threads is harmless.
#[derive(Debug, Default)]
pub(super) struct Clock(AtomicU64);

impl Clock {
    pub(super) fn set(&self, time: UnixTime) {
        self.0.store(time.as_secs(), Ordering::Relaxed);
    }
}

impl TimeProvider for Clock {
    fn current_time(&self) -> Option<rustls_pki_types::UnixTime> {
        let secs = Duration::from_secs(self.0.load(Ordering::Relaxed));
        Some(rustls_pki_types::UnixTime::since_unix_epoch(secs))
    }
}
