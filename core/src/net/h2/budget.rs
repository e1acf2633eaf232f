//! A token bucket.

use std::time::Duration;

/// Tokens that events spend and that time gives back.
#[derive(Debug)]
pub(super) struct Budget {
    cap: u32,
    left: u32,
    per_second: u32,
    refilled: Duration,
}

impl Budget {
    /// Returns a full budget: `cap` events at once, and a tenth of that (at least one) each second.
    pub(super) fn new(cap: u32, now: Duration) -> Self {
        Self {
            cap,
            left: cap,
            per_second: (cap / 10).max(1),
            refilled: now,
        }
    }

    /// Spends one token; `false` when there is none.
    pub(super) fn spend(&mut self, now: Duration) -> bool {
        if self.left == 0 {
            let seconds = now.saturating_sub(self.refilled).as_secs();
            let seconds = u32::try_from(seconds).unwrap_or(u32::MAX);
            self.earn(seconds.saturating_mul(self.per_second));
            self.refilled = now;
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
    #[inline]
    pub(super) fn earn(&mut self, tokens: u32) {
        self.left = self.left.saturating_add(tokens).min(self.cap);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comes_back_with_time_and_no_further_than_the_cap() {
        let mut budget = Budget::new(20, Duration::ZERO);
        assert!((0..20).all(|_| budget.spend(Duration::ZERO)));
        assert!(!budget.spend(Duration::ZERO));
        assert!(budget.spend(Duration::from_secs(1)) && budget.spend(Duration::from_secs(1)));
        assert!(!budget.spend(Duration::from_secs(1)));
        let late = Duration::from_secs(1000);
        assert!((0..20).all(|_| budget.spend(late)));
        assert!(!budget.spend(late));
    }
}
