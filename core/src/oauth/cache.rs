//! One access token, shared by every connection and thread.

use std::collections::hash_map::RandomState;
use std::fmt;
use std::hash::BuildHasher;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use zeroize::Zeroizing;

use super::answer::{Failure, Grant};
use crate::error::Error;
use crate::http::{HeaderBlock, Headers, Indexing};
use crate::time::{Now, UnixTime};

/// A fetch that has not ended after this long is taken for lost, and handed out again.
const FETCH_LIMIT: Duration = Duration::from_secs(60);

/// A token that the service refuses within this time after it was fetched was
/// never good: fetching the next one is held back.
const FRESH: Duration = Duration::from_secs(60);

/// The next step towards a token.
#[derive(Debug)]
#[non_exhaustive]
pub enum TokenState {
    /// Use this authorization.
    Ready(Arc<HeaderBlock>),
    /// Use this authorization, and fetch the next token meanwhile: this caller, and no other.
    ReadyAndFetch(Arc<HeaderBlock>, Fetch),
    /// There is no token: fetch one; this caller, and no other.
    Fetch(Fetch),
    /// There is no token, and nothing to do: another caller fetches, or the
    /// endpoint refused and is left alone for a while.
    Wait {
        /// Poll again when a fetch ends, or at this time of [`Now::monotonic`].
        until: Duration,
    },
}

impl TokenState {
    /// The authorization to use now, if there is one.
    pub fn authorization(&self) -> Option<&Arc<HeaderBlock>> {
        match self {
            TokenState::Ready(block) | TokenState::ReadyAndFetch(block, _) => Some(block),
            TokenState::Fetch(_) | TokenState::Wait { .. } => None,
        }
    }

    /// Returns the fetch that is this caller's to do; `None` where there is none.
    pub fn fetch(&self) -> Option<Fetch> {
        match self {
            TokenState::Fetch(fetch) | TokenState::ReadyAndFetch(_, fetch) => Some(*fetch),
            TokenState::Ready(_) | TokenState::Wait { .. } => None,
        }
    }
}

/// A fetch that has to be done. A caller who is handed one must end it: with the answer,
/// or by saying that it failed. One that is dropped is handed out again after a minute.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Fetch {
    /// Call `token_request`, send it, hand the response to `accept_token`, or call `token_failed`.
    Request,
    /// Read the subject token where the credential says, hand it to
    /// `supply_subject_token`, then go on as for [`Fetch::Request`].
    SubjectToken,
    /// The host mints the tokens: hand one to `supply_token`.
    HostToken,
}

/// The cache: none, fetching or ready. At most one fetch is under way at a time.
///
/// A token is refreshed early: five minutes or a tenth of its life before it
/// ends, whichever is more, but never in the first half of its life, so that
/// tokens of two minutes work. The old token serves until it ends. Failed
/// fetches are held back 1, 2, 4 … 60 s when the endpoint may recover, 30 s … 5
/// min when it refused the credential.
pub struct TokenCache {
    inner: Mutex<Inner>,
    extra: Vec<(&'static str, String)>,
    /// Spreads the refreshes of many processes: 0 … 255 of 2560 of the margin.
    spread: u8,
}

#[derive(Default)]
struct Inner {
    held: Option<Held>,
    /// When the fetch under way began.
    fetching: Option<Now>,
    failures: u32,
    refusals: u32,
    not_before: Duration,
    latest: Duration,
}

struct Held {
    block: Arc<HeaderBlock>,
    since: Duration,
    refresh: Deadline,
    expiry: Deadline,
}

/// A time by both clocks, reached when either says so: the monotonic clock may
/// stand still while a machine sleeps, the calendar may be set back.
#[derive(Clone, Copy)]
struct Deadline {
    monotonic: Duration,
    unix: UnixTime,
}

impl Deadline {
    fn new(from: Now, after: Duration) -> Self {
        let at = from.after(after);
        Self {
            monotonic: at.monotonic,
            unix: at.unix,
        }
    }

    fn reached(&self, now: Now) -> bool {
        now.monotonic >= self.monotonic || now.unix >= self.unix
    }
}

impl TokenCache {
    /// An empty cache.
    pub fn new() -> Self {
        let spread = RandomState::new().hash_one(0u8).to_be_bytes();
        Self {
            inner: Mutex::default(),
            extra: Vec::new(),
            spread: spread.first().copied().unwrap_or(0),
        }
    }

    /// A header that goes out with every token, e.g. the project that pays.
    pub(crate) fn with_header(mut self, name: &'static str, value: &str) -> Self {
        self.extra.push((name, value.to_owned()));
        self
    }

    /// Returns the cache without the random spread of refreshes.
    #[cfg(test)]
    pub(crate) fn without_spread(mut self) -> Self {
        self.spread = 0;
        self
    }

    /// Returns the next step towards a token. `what` is the kind of fetch.
    pub fn poll(&self, what: Fetch, now: Now) -> TokenState {
        let mut inner = self.lock();
        let now = inner.forward(now);
        if inner.held.as_ref().is_some_and(|held| held.expiry.reached(now)) {
            inner.held = None;
        }
        if inner
            .fetching
            .is_some_and(|began| now.monotonic >= began.monotonic.saturating_add(FETCH_LIMIT))
        {
            inner.fetching = None;
        }
        let due = inner.held.as_ref().is_none_or(|held| held.refresh.reached(now));
        let fetch = due && inner.fetching.is_none() && now.monotonic >= inner.not_before;
        if fetch {
            inner.fetching = Some(now);
        }
        match (&inner.held, fetch) {
            (Some(held), false) => TokenState::Ready(Arc::clone(&held.block)),
            (Some(held), true) => TokenState::ReadyAndFetch(Arc::clone(&held.block), what),
            (None, true) => TokenState::Fetch(what),
            (None, false) => TokenState::Wait {
                until: match inner.fetching {
                    Some(began) => began.monotonic.saturating_add(FETCH_LIMIT),
                    None => inner.not_before,
                },
            },
        }
    }

    /// The authorization to use now, without taking on a fetch.
    pub fn current(&self, now: Now) -> Option<Arc<HeaderBlock>> {
        let mut inner = self.lock();
        let now = inner.forward(now);
        let held = inner.held.as_ref().filter(|held| !held.expiry.reached(now))?;
        Some(Arc::clone(&held.block))
    }

    /// Takes a token. Its life counts from the moment its fetch began, if one was under way.
    ///
    /// # Errors
    /// `InvalidHeader` when the token cannot be a header; [`Grant::new`] has seen to that.
    pub fn accept(&self, grant: &Grant, now: Now) -> Result<(), Error> {
        let value = Zeroizing::new(format!("Bearer {}", grant.token().expose_secret()));
        let mut headers = Headers::new();
        headers.push_sensitive("authorization", &value, Indexing::Incremental)?;
        for (name, value) in &self.extra {
            headers.push(name, value, Indexing::Incremental)?;
        }
        let mut inner = self.lock();
        let now = inner.forward(now);
        let began = inner.fetching.take().unwrap_or(now);
        let life = grant.lifetime();
        inner.held = Some(Held {
            block: HeaderBlock::new(headers),
            since: now.monotonic,
            refresh: Deadline::new(began, life.saturating_sub(self.margin(life))),
            expiry: Deadline::new(began, life),
        });
        inner.failures = 0;
        inner.not_before = Duration::ZERO;
        Ok(())
    }

    /// Ends a fetch that brought no token. `temporary`: the endpoint may answer
    /// otherwise soon; `after`: how long it asks us to stay away.
    pub fn fail(&self, temporary: bool, after: Option<Duration>, now: Now) {
        let mut inner = self.lock();
        let now = inner.forward(now);
        inner.fetching = None;
        inner.failures = inner.failures.saturating_add(1);
        let wait = back_off(inner.failures, temporary).max(after.unwrap_or_default());
        inner.not_before = now.monotonic.saturating_add(wait);
    }

    /// Drops the token that the service refused, known by the id of its header
    /// block ([`HeaderBlock::id`]). Does nothing when another token has taken its
    /// place since: a hundred refusals of one token cost one fetch. True when this
    /// was the current one.
    ///
    /// A token refused within a minute after it was fetched holds the next fetch
    /// back: 0, 1, 2, 4 … 60 s, so that a service that refuses every token is not
    /// answered with a flood of fetches.
    pub fn invalidate(&self, id: u64, now: Now) -> bool {
        let mut inner = self.lock();
        let now = inner.forward(now);
        let Some(held) = inner.held.take_if(|held| held.block.id() == id) else {
            return false;
        };
        if now.monotonic < held.since.saturating_add(FRESH) {
            let wait = match inner.refusals {
                0 => Duration::ZERO,
                count => back_off(count, true),
            };
            inner.refusals = inner.refusals.saturating_add(1);
            inner.not_before = inner.not_before.max(now.monotonic.saturating_add(wait));
        } else {
            inner.refusals = 0;
        }
        true
    }

    pub(crate) fn fail_with(&self, failure: Failure, now: Now) -> Error {
        self.fail(failure.temporary, failure.after, now);
        failure.error
    }

    fn margin(&self, life: Duration) -> Duration {
        let margin = (life / 10).max(Duration::from_secs(300)).min(life / 2);
        margin - margin * u32::from(self.spread) / 2560
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        // Every change below is complete before anything can panic.
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inner {
    /// A clock reading that never goes backwards.
    fn forward(&mut self, now: Now) -> Now {
        self.latest = self.latest.max(now.monotonic);
        Now::new(self.latest, now.unix)
    }
}

fn back_off(failures: u32, temporary: bool) -> Duration {
    let (first, longest) = if temporary { (1u64, 60) } else { (30, 300) };
    let doublings = failures.saturating_sub(1).min(16);
    Duration::from_secs(first.saturating_mul(1 << doublings).min(longest))
}

impl Default for TokenCache {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for TokenCache {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let inner = self.lock();
        f.debug_struct("TokenCache")
            .field("ready", &inner.held.is_some())
            .field("fetching", &inner.fetching.is_some())
            .field("failures", &inner.failures)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
#[path = "cache_tests.rs"]
mod tests;
