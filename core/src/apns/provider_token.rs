//! The one provider token of a key ("Establishing a token-based connection to APNs").

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, UNIX_EPOCH};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

use super::header_policy::HeaderPolicy;
use super::ids::{KeyId, TeamId};
use crate::crypto::{Es256Key, jwt};
use crate::error::{Error, ErrorKind};
use crate::http::{HeaderBlock, Headers};
use crate::secret::Secret;
use crate::time::Now;

/// A token is replaced at this age ...
const REUSED: Duration = Duration::from_secs(50 * 60);
/// ... never before this one (APNs: `TooManyProviderTokenUpdates`) ...
const FLOOR: Duration = Duration::from_secs(20 * 60);
/// ... and never used beyond this one (APNs: `ExpiredProviderToken`).
const CEILING: Duration = Duration::from_secs(60 * 60);
/// A service's clock that differs less than this from ours is not corrected for.
pub(super) const SKEW_IGNORED: i64 = 60;
/// The largest difference between two clocks that is believed; a larger one is taken for a mistake.
const SKEW_BOUND: i64 = 24 * 3600;

/// Makes and hands out the provider token of one key, for all connections.
///
/// Everything happens under one lock, the signing too: however many threads
/// ask, one of them makes the token and the others get it.
///
/// A token's age is what either clock says, whichever is more: the monotonic
/// clock is deaf to a machine that slept, calendar time to its own jumps. Two
/// tokens are at least 20 minutes apart by the monotonic clock, with one
/// exception: a token that is dated wrongly, because the clock was wrong or the
/// machine slept, is refused by the service anyway and may be replaced early,
/// once in 20 minutes.
pub(crate) struct Authority {
    key_id: KeyId,
    team_id: TeamId,
    key: Option<Es256Key>,
    policy: HeaderPolicy,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    current: Option<Current>,
    /// The service refused the current token as expired.
    renewal_wanted: bool,
    /// The service complained of too many tokens: make none before.
    held_until: Option<Duration>,
    /// When a wrongly dated token was last replaced early.
    corrected_at: Option<Duration>,
    /// The number of seconds that the service's clock is ahead of ours.
    skew: i64,
}

struct Current {
    block: Arc<HeaderBlock>,
    token: Secret<String>,
    /// By the service's clock, as well as we know it.
    issued_at: u64,
    made_at: Duration,
    /// The skew of the service's clock as it was known when the token was made.
    skew: i64,
}

/// The next step for the token.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Verdict {
    Reuse,
    Make,
    /// In place of a wrongly dated one, sooner than 20 minutes after it.
    MakeEarly,
    /// Too old to use, too soon to make another.
    Wait,
}

impl Current {
    fn monotonic_age(&self, now: Now) -> Duration {
        now.monotonic.saturating_sub(self.made_at)
    }

    fn age(&self, now: Now, skew: i64) -> Duration {
        let by_calendar = service_time(now, skew).saturating_sub(self.issued_at);
        self.monotonic_age(now).max(Duration::from_secs(by_calendar))
    }

    /// Dated so far ahead of the service's clock that it may be refused.
    fn is_from_the_future(&self, now: Now, skew: i64) -> bool {
        self.issued_at > service_time(now, skew).saturating_add(5 * 60)
    }
}

fn service_time(now: Now, skew: i64) -> u64 {
    now.unix.as_secs().saturating_add_signed(skew)
}

impl Authority {
    pub(crate) fn new(key_id: KeyId, team_id: TeamId, key: Option<Es256Key>, policy: HeaderPolicy) -> Self {
        Self {
            key_id,
            team_id,
            key,
            policy,
            state: Mutex::default(),
        }
    }

    pub(crate) fn key_id(&self) -> KeyId {
        self.key_id
    }

    pub(crate) fn team_id(&self) -> TeamId {
        self.team_id
    }

    /// The state is whole at every moment at which a panic could happen, so a poisoned lock is as good.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The `authorization` header of now.
    pub(crate) fn header(&self, now: Now) -> Result<Arc<HeaderBlock>, Error> {
        self.with_token(now, |current| current.block.clone())
    }

    /// The token of now, for another process.
    pub(crate) fn token(&self, now: Now) -> Result<Secret<String>, Error> {
        self.with_token(now, |current| Secret::new(current.token.expose_secret().clone()))
    }

    fn with_token<T>(&self, now: Now, hand_out: impl Fn(&Current) -> T) -> Result<T, Error> {
        let mut state = self.lock();
        let verdict = self.verdict(&state, now);
        match (&state.current, verdict) {
            (Some(current), Verdict::Reuse) => return Ok(hand_out(current)),
            (_, Verdict::Wait) => {
                return Err(Error::new(
                    ErrorKind::TokenNeeded,
                    "the provider token is too old and the next may not be made yet (TooManyProviderTokenUpdates)",
                ));
            }
            _ => {}
        }
        let Some(key) = &self.key else {
            return Err(Error::new(
                ErrorKind::TokenNeeded,
                "no provider token younger than an hour: import one",
            ));
        };
        let skew = state.skew;
        let issued_at = service_time(now, skew);
        let header = json!({ "alg": "ES256", "kid": self.key_id.as_str() });
        let claims = json!({ "iss": self.team_id.as_str(), "iat": issued_at });
        let token = jwt::es256(&header, &claims, key)?;
        let current = self.hold(token, issued_at, now.monotonic, skew)?;
        let out = hand_out(&current);
        if verdict == Verdict::MakeEarly {
            state.corrected_at = Some(now.monotonic);
        }
        state.renewal_wanted = false;
        state.current = Some(current);
        Ok(out)
    }

    fn verdict(&self, state: &State, now: Now) -> Verdict {
        let Some(current) = &state.current else {
            return Verdict::Make;
        };
        let age = current.age(now, state.skew);
        let usable = age < CEILING;
        if self.key.is_none() {
            return if usable { Verdict::Reuse } else { Verdict::Make };
        }
        let ahead = current.is_from_the_future(now, state.skew);
        let wanted = age >= REUSED || state.renewal_wanted || ahead;
        if wanted && state.held_until.is_none_or(|until| now.monotonic >= until) {
            if current.monotonic_age(now) >= FLOOR {
                return Verdict::Make;
            }
            // Only what the service's own clock says proves a date wrong that lies ahead.
            let wrong = age >= FLOOR || (ahead && state.skew != current.skew);
            let first = |at: Duration| now.monotonic.saturating_sub(at) >= FLOOR;
            if wrong && state.corrected_at.is_none_or(first) {
                return Verdict::MakeEarly;
            }
        }
        if usable { Verdict::Reuse } else { Verdict::Wait }
    }

    fn hold(&self, token: String, issued_at: u64, made_at: Duration, skew: i64) -> Result<Current, Error> {
        let mut headers = Headers::new();
        let value = Secret::new(format!("bearer {token}"));
        headers.push_sensitive(
            "authorization",
            value.expose_secret(),
            self.policy.constant("authorization"),
        )?;
        Ok(Current {
            block: HeaderBlock::new(headers),
            token: Secret::new(token),
            issued_at,
            made_at,
            skew,
        })
    }

    /// Takes over a token that was made elsewhere. `false` when the present one is as new.
    pub(crate) fn import(&self, token: &str, now: Now) -> Result<bool, Error> {
        let issued_at = read(token, self.key_id, self.team_id)?;
        let mut state = self.lock();
        if state
            .current
            .as_ref()
            .is_some_and(|current| current.issued_at >= issued_at)
        {
            return Ok(false);
        }
        let age = service_time(now, state.skew).saturating_sub(issued_at);
        if age >= CEILING.as_secs() {
            return Err(Error::new(
                ErrorKind::InvalidCredential,
                "the provider token is older than an hour (ExpiredProviderToken)",
            ));
        }
        let made_at = now.monotonic.saturating_sub(Duration::from_secs(age));
        let current = self.hold(token.to_owned(), issued_at, made_at, state.skew)?;
        state.current = Some(current);
        state.renewal_wanted = false;
        Ok(true)
    }

    /// The service refused a token as expired. Whether the next call makes a new one.
    pub(crate) fn expired(&self, now: Now) -> bool {
        let mut state = self.lock();
        let skew = state.skew;
        // A younger one is not the one that expired, unless it is dated wrongly.
        if state
            .current
            .as_ref()
            .is_some_and(|current| current.age(now, skew) >= FLOOR)
        {
            state.renewal_wanted = true;
            if self.key.is_none() {
                state.current = None;
            }
        }
        drop(state);
        self.renews(now)
    }

    /// Whether the next call makes a new token.
    pub(crate) fn renews(&self, now: Now) -> bool {
        let verdict = self.verdict(&self.lock(), now);
        self.key.is_some() && matches!(verdict, Verdict::Make | Verdict::MakeEarly)
    }

    /// The service saw too many tokens: none is made for 20 minutes.
    pub(crate) fn hold_on(&self, now: Now) {
        let mut state = self.lock();
        state.renewal_wanted = false;
        state.held_until = Some(now.monotonic.saturating_add(FLOOR));
    }

    /// Learns the service's clock from the `date` of an answer.
    pub(crate) fn observe_date(&self, date: &str, now: Now) {
        let Some(theirs) = httpdate::parse_http_date(date)
            .ok()
            .and_then(|date| date.duration_since(UNIX_EPOCH).ok())
            .and_then(|since| i64::try_from(since.as_secs()).ok())
        else {
            return;
        };
        let Ok(ours) = i64::try_from(now.unix.as_secs()) else {
            return;
        };
        let skew = theirs.saturating_sub(ours);
        if skew.abs() <= SKEW_BOUND {
            self.lock().skew = if skew.abs() <= SKEW_IGNORED { 0 } else { skew };
        }
    }
}

/// The time of issue of a token that belongs to that key and team. Its
/// signature is for the service to check: there is no public key here.
fn read(token: &str, key_id: KeyId, team_id: TeamId) -> Result<u64, Error> {
    let invalid = |text: &'static str| Error::new(ErrorKind::InvalidCredential, text);
    let not_a_token = || invalid("not a provider token in the form header.claims.signature");
    let mut parts = token.split('.');
    let (Some(header), Some(claims), Some(signature), None) =
        (parts.next(), parts.next(), parts.next(), parts.next())
    else {
        return Err(not_a_token());
    };
    let decode = |part: &str| URL_SAFE_NO_PAD.decode(part).map_err(|_| not_a_token());
    if decode(signature)?.len() != 64 {
        return Err(invalid("the provider token's signature is not one of es256"));
    }
    let object = |part: &str| crate::json::parse_object(&decode(part)?).map_err(|_| not_a_token());
    let (header, claims) = (object(header)?, object(claims)?);
    let text = |value: Option<&Value>, expected: &str| value.and_then(Value::as_str) == Some(expected);
    if !text(header.get("alg"), "ES256") {
        return Err(invalid("the provider token's algorithm is not es256"));
    }
    if !text(header.get("kid"), key_id.as_str()) || !text(claims.get("iss"), team_id.as_str()) {
        return Err(invalid("the provider token is of another key or team"));
    }
    claims
        .get("iat")
        .and_then(Value::as_u64)
        .ok_or_else(|| invalid("the provider token's iat is not a number of seconds"))
}

#[cfg(test)]
mod tests;
