//! How many messages and calls a second may go out, and how that reacts to 429.

use std::time::Duration;

use crate::backend::Traffic;

/// The limits of a session: one for messages, one for calls. Each is `None` where there is no limit.
#[derive(Debug)]
pub(super) struct Limits {
    messages: Option<TokenBucket>,
    calls: Option<TokenBucket>,
}

impl Limits {
    /// `messages` and `calls` are the most a second; `None` is no limit.
    pub(super) fn new(messages: Option<u32>, calls: Option<u32>, now: Duration) -> Self {
        let bucket = |rate: u32| TokenBucket::new(rate, now);
        Self {
            messages: messages.map(bucket),
            calls: calls.map(bucket),
        }
    }

    /// Whether calls have a limit of their own; where they have none, they are sent like messages.
    #[inline]
    pub(super) fn bound_calls(&self) -> bool {
        self.calls.is_some()
    }

    /// Whether there is a limit at all.
    pub(super) fn are_any(&self) -> bool {
        self.messages.is_some() || self.calls.is_some()
    }

    /// The bucket for a class of traffic; `None` where they have no limit.
    pub(super) fn of(&mut self, traffic: Traffic) -> Option<&mut TokenBucket> {
        match traffic {
            Traffic::Main | Traffic::Suspect => self.messages.as_mut(),
            Traffic::Calls => self.calls.as_mut(),
            Traffic::Token | Traffic::Metadata => None,
        }
    }

    /// Adds what time has brought to every bucket.
    pub(super) fn fill(&mut self, now: Duration) {
        for bucket in [&mut self.messages, &mut self.calls].into_iter().flatten() {
            bucket.fill(now);
        }
    }

    /// When the next request of each kind, a call or another, may pass; `None` is at once.
    pub(super) fn next_at(&self) -> NextAt {
        let [messages, calls] =
            [&self.messages, &self.calls].map(|bucket| bucket.as_ref().and_then(TokenBucket::next_at));
        NextAt { messages, calls }
    }

    /// The service said 429 to a message for the whole project.
    pub(super) fn slow_messages(&mut self, now: Duration) {
        if let Some(bucket) = &mut self.messages {
            bucket.slow_down(now);
        }
    }

    /// The service said 429 to a call.
    pub(super) fn slow_calls(&mut self, now: Duration) {
        if let Some(bucket) = &mut self.calls {
            bucket.slow_down(now);
        }
    }
}

/// When the next request may pass the limit of its kind; `None` is at once.
#[derive(Clone, Copy, Debug)]
pub(super) struct NextAt {
    messages: Option<Duration>,
    calls: Option<Duration>,
}

impl NextAt {
    /// Whether requests of every kind may pass at once.
    pub(super) fn is_none(self) -> bool {
        self.messages.is_none() && self.calls.is_none()
    }

    pub(super) fn of(self, traffic: Traffic) -> Option<Duration> {
        match traffic {
            Traffic::Calls => self.calls,
            Traffic::Main | Traffic::Suspect | Traffic::Token | Traffic::Metadata => self.messages,
        }
    }
}

/// A token bucket that lets `rate` requests a second pass, in bursts of at most a tenth of a second's
/// worth; slowed down by additive increase and multiplicative decrease.
#[derive(Clone, Debug)]
pub(super) struct TokenBucket {
    /// The rate that the configuration allows, requests a second.
    ceiling: f64,
    /// The rate that is allowed now, requests a second.
    rate: f64,
    tokens: f64,
    filled_at: Duration,
    slowed_at: Option<Duration>,
}

/// The part of the ceiling that comes back every second after a slow-down: full speed within five
/// seconds of a halving.
const INCREASE: f64 = 0.1;

impl TokenBucket {
    pub(super) fn new(rate: u32, now: Duration) -> Self {
        let ceiling = f64::from(rate.max(1));
        Self {
            ceiling,
            rate: ceiling,
            tokens: burst(ceiling),
            filled_at: now,
            slowed_at: None,
        }
    }

    /// Takes one request's worth, if there is one.
    #[inline]
    pub(super) fn take(&mut self, now: Duration) -> bool {
        self.fill(now);
        let ready = self.tokens >= 1.0;
        if ready {
            self.tokens -= 1.0;
        }
        ready
    }

    /// Puts one back, because the request did not go out after all.
    pub(super) fn put_back(&mut self) {
        self.tokens = (self.tokens + 1.0).min(burst(self.rate));
    }

    /// When the next request may pass, later than the last [`TokenBucket::fill`]; `None` is at once.
    pub(super) fn next_at(&self) -> Option<Duration> {
        let missing = Some(1.0 - self.tokens).filter(|missing| *missing > 0.0)?;
        let wait = Duration::from_secs_f64((missing / self.rate).min(60.0));
        // A rounded-down nanosecond must not make a time that has come without its token.
        Some(
            self.filled_at
                .saturating_add(wait)
                .saturating_add(Duration::from_micros(1)),
        )
    }

    /// Halves the rate, at most once a second: the service said 429.
    pub(super) fn slow_down(&mut self, now: Duration) {
        if self
            .slowed_at
            .is_some_and(|at| now.saturating_sub(at) < Duration::from_secs(1))
        {
            return;
        }
        self.fill(now);
        self.slowed_at = Some(now);
        self.rate = (self.rate / 2.0).max(1.0);
        self.tokens = self.tokens.min(burst(self.rate));
    }

    /// Adds what time has brought.
    pub(super) fn fill(&mut self, now: Duration) {
        let elapsed = now.saturating_sub(self.filled_at).as_secs_f64();
        self.filled_at = now;
        self.tokens = (self.tokens + elapsed * self.rate).min(burst(self.rate));
        self.rate = (self.rate + elapsed * INCREASE * self.ceiling).min(self.ceiling);
    }
}

fn burst(rate: f64) -> f64 {
    (rate / 10.0).max(1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn passed(bucket: &mut TokenBucket, from_ms: u64, to_ms: u64) -> u32 {
        let mut passed = 0;
        for ms in from_ms..to_ms {
            while bucket.take(Duration::from_millis(ms)) {
                passed += 1;
            }
        }
        passed
    }

    #[test]
    fn holds_the_rate() {
        let mut bucket = TokenBucket::new(1000, Duration::ZERO);
        let count = passed(&mut bucket, 0, 10_000);
        assert!((9_990..=10_110).contains(&count), "{count}");
    }

    #[test]
    fn halves_and_recovers() {
        let mut bucket = TokenBucket::new(1000, Duration::ZERO);
        passed(&mut bucket, 0, 1000);
        bucket.slow_down(Duration::from_secs(1));
        bucket.slow_down(Duration::from_millis(1001));
        let slow = passed(&mut bucket, 1000, 2000);
        assert!((490..=620).contains(&slow), "{slow}");
        passed(&mut bucket, 2000, 7000);
        let full = passed(&mut bucket, 7000, 8000);
        assert!((990..=1010).contains(&full), "{full}");
    }

    #[test]
    fn says_when_to_come_back() {
        let mut bucket = TokenBucket::new(10, Duration::ZERO);
        assert!(bucket.take(Duration::ZERO));
        assert!(!bucket.take(Duration::ZERO));
        let at = bucket.next_at().expect("it is empty");
        assert!((100_000..=100_010).contains(&at.as_micros()), "{at:?}");
        assert!(bucket.take(at));
        bucket.fill(Duration::from_secs(2));
        assert_eq!(bucket.next_at(), None);
    }
}
