//! A token bucket.

use std::time::Duration;

/// Tokens that events spend, and that time and requests give back.
#[derive(Debug)]
pub(super) struct Budget {
    cap: u32,
    left: u32,
    per_second: u32,
    per_request: u32,
    /// The time, and the number of requests, up to which the budget has been given back.
    refilled: (Duration, u32),
}

impl Budget {
    /// Returns a full budget: `cap` events at once, a tenth of that (at least one) for each second, and
    /// `per_request` for each request that we send.
    pub(super) fn new(cap: u32, per_request: u32, now: Duration) -> Self {
        Self {
            cap,
            left: cap,
            per_second: (cap / 10).max(1),
            per_request,
            refilled: (now, 0),
        }
    }

    /// Spends one token, after `requests` requests; `false` when there is none.
    ///
    /// Tokens come back when there are none left, so that requests need not be counted in each budget.
    pub(super) fn spend(&mut self, now: Duration, requests: u32) -> bool {
        if self.left == 0 {
            let seconds = now.saturating_sub(self.refilled.0).as_secs();
            let seconds = u32::try_from(seconds).unwrap_or(u32::MAX);
            let sent = requests.saturating_sub(self.refilled.1);
            self.earn(seconds.saturating_mul(self.per_second));
            self.earn(sent.saturating_mul(self.per_request));
            self.refilled = (now, requests);
        }
        match self.left.checked_sub(1) {
            Some(left) => {
                self.left = left;
                true
            }
            None => false,
        }
    }

    /// Gives tokens back, up to the cap.
    pub(super) fn earn(&mut self, tokens: u32) {
        self.left = self.left.saturating_add(tokens).min(self.cap);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comes_back_with_time_and_no_further_than_the_cap() {
        let mut budget = Budget::new(20, 0, Duration::ZERO);
        assert!((0..20).all(|_| budget.spend(Duration::ZERO, 9)));
        assert!(!budget.spend(Duration::ZERO, 9));
        let second = Duration::from_secs(1);
        assert!(budget.spend(second, 9) && budget.spend(second, 9));
        assert!(!budget.spend(second, 9));
        let late = Duration::from_secs(1000);
        assert!((0..20).all(|_| budget.spend(late, 9)));
        assert!(!budget.spend(late, 9));
    }

    #[test]
    fn comes_back_with_requests_and_no_further_than_the_cap() {
        let mut budget = Budget::new(20, 3, Duration::ZERO);
        assert!((0..23).all(|_| budget.spend(Duration::ZERO, 1)));
        assert!(!budget.spend(Duration::ZERO, 1));
        assert!((0..6).all(|_| budget.spend(Duration::ZERO, 3)));
        assert!(!budget.spend(Duration::ZERO, 3));
        assert!((0..20).all(|_| budget.spend(Duration::ZERO, 1000)));
        assert!(!budget.spend(Duration::ZERO, 1000));
    }
}
