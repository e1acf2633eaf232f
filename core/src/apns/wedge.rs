//! Notices a connection that answers, but never again usefully.

use crate::outcome::{Outcome, Reason};

/// Watches one connection. After an expired token, and sometimes for no reason
/// seen, APNs answers everything on a connection with `ExpiredProviderToken` or
/// `InternalServerError`, for hours; another connection is fine.
///
/// Keep one for each connection, feed it every outcome, and replace the
/// connection when [`WedgeDetector::record`] says so.
#[derive(Clone, Copy, Debug, Default)]
pub struct WedgeDetector {
    server_errors: u32,
    wedged: bool,
}

impl WedgeDetector {
    /// So many `InternalServerError` in a row, with nothing else between, are no coincidence.
    const IN_A_ROW: u32 = 8;

    /// Nothing seen yet.
    pub const fn new() -> Self {
        Self {
            server_errors: 0,
            wedged: false,
        }
    }

    /// Counts an outcome of the connection. Returns whether it has to be
    /// replaced: at once after `ExpiredProviderToken`, and after eight
    /// `InternalServerError` in a row. Once wedged, it stays so.
    pub fn record(&mut self, outcome: &Outcome) -> bool {
        match outcome.reason().map(Reason::as_str) {
            Some("ExpiredProviderToken") => self.wedged = true,
            Some("InternalServerError") => self.server_errors = self.server_errors.saturating_add(1),
            _ => self.server_errors = 0,
        }
        self.wedged |= self.server_errors >= Self::IN_A_ROW;
        self.wedged
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::apns::outcome;
    use crate::http::Response;
    use crate::time::{Now, UnixTime};

    fn answer(status: u16, reason: &str) -> Outcome {
        let now = Now::new(Duration::ZERO, UnixTime::from_secs(0));
        outcome(&Response::new(status, format!(r#"{{"reason":"{reason}"}}"#)), now)
    }

    #[test]
    fn a_connection_that_only_fails_is_replaced() {
        let mut detector = WedgeDetector::new();
        for _ in 0..7 {
            assert!(!detector.record(&answer(500, "InternalServerError")));
        }
        assert!(!detector.record(&answer(410, "Unregistered")), "it still works");
        for _ in 0..7 {
            assert!(!detector.record(&answer(500, "InternalServerError")));
        }
        assert!(detector.record(&answer(500, "InternalServerError")));
        assert!(detector.record(&answer(200, "")), "and stays wedged");
    }

    #[test]
    fn a_connection_that_saw_an_expired_token_is_replaced() {
        let mut detector = WedgeDetector::new();
        assert!(!detector.record(&answer(403, "InvalidProviderToken")));
        assert!(detector.record(&answer(403, "ExpiredProviderToken")));
    }
}
