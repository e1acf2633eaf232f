//! How much of what costs us more than it costs the peer we put up with.

use std::time::Duration;

/// Tokens that are spent per event and come back with time.
#[derive(Debug)]
pub(crate) struct Budget {
    cap: u32,
    left: u32,
    per_second: u32,
    refilled: Duration,
}

impl Budget {
    /// `cap` events at once, and a tenth of that (at least one) every second.
    pub(crate) fn new(cap: u32, now: Duration) -> Self {
        Self {
            cap,
            left: cap,
            per_second: (cap / 10).max(1),
            refilled: now,
        }
    }

    /// Spends one token; `false` when there is none.
    pub(crate) fn spend(&mut self, now: Duration) -> bool {
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

    /// Puts tokens back for something useful that the peer did.
    pub(crate) fn earn(&mut self, tokens: u32) {
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
