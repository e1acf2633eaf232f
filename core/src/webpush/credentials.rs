//! VAPID (RFC 8292): who the sender is.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use serde_json::{Value, json};

use super::message::Message;
use crate::crypto::{Es256Key, Es256PublicKey, jwt};
use crate::error::{Error, ErrorKind};
use crate::http::{Authority, HeaderBlock, Headers, Indexing, Response, clock_skew};
use crate::time::{Now, UnixTime};

/// How long a token is good for: half of the 24 hours that RFC 8292 §2 allows, as
/// room for clocks that differ.
const LIFETIME: u64 = 12 * 3600;
/// A token is used for half of its life. Apple wants one no more often than hourly.
const REFRESH: u64 = LIFETIME / 2;
/// The farthest that `exp` may lie ahead (RFC 8292 §2).
const LONGEST: u64 = 24 * 3600;
/// A push service's clock that differs more than this from ours is not believed.
const SKEW_BOUND: u64 = 24 * 3600;
/// Two answers' dates may differ by so much without telling of another clock.
const SKEW_IGNORED: u64 = 60;
/// Senders meet about four push services; UnifiedPush users may bring their own, and a campaign may go to thousands in turn. An
/// attacker who invents origins only pushes others out. A token takes about 700 octets: 11 MB at most.
const CACHED: usize = 16_384;

/// A key and a contact, and the tokens made from them: one for each origin, since
/// a token is a bearer for all subscriptions of this key there.
///
/// Shared by reference between threads; a token is signed once, whoever asks first.
pub struct Credentials {
    key: Es256Key,
    subject: Box<str>,
    public: Box<str>,
    tokens: Mutex<Tokens>,
}

#[derive(Default)]
struct Tokens {
    entries: HashMap<(Authority, bool), Token>,
    clock: u64,
}

impl Tokens {
    /// Forgets the half that was not used for longest: so the cost of finding it is that of one token, whatever their number.
    fn forget_half(&mut self) {
        let mut used: Vec<u64> = self.entries.values().map(|token| token.used).collect();
        let middle = used.len() / 2;
        if middle > 0 {
            let bound = *used.select_nth_unstable(middle).1;
            self.entries.retain(|_, token| token.used >= bound);
        }
    }
}

struct Token {
    block: Arc<HeaderBlock>,
    /// How many seconds the push service's clock is ahead of ours, where that had to be learned.
    skew: i64,
    /// Made before that was learned.
    wrong: bool,
    minted: UnixTime,
    used: u64,
}

impl Credentials {
    /// `subject` is where the push service can reach the sender: `mailto:` and an
    /// address, or an `https` URL.
    ///
    /// # Errors
    /// `InvalidCredential` when the subject is malformed, or is one that Apple answers
    /// `BadJwtToken` to: a blank, `mailto:` twice, or a host that is `localhost`, has no dot or
    /// ends in `.local`, `.localhost`, `.invalid` or `.test`.
    pub fn new(key: Es256Key, subject: &str) -> Result<Self, Error> {
        check_subject(subject)?;
        Self::with_any_subject(key, subject)
    }

    /// Like [`Credentials::new`], without Apple's rules: for tests and self-hosted services.
    ///
    /// # Errors
    /// `InvalidCredential` when the subject has neither scheme, or holds a blank or
    /// anything outside visible ASCII.
    pub fn with_any_subject(key: Es256Key, subject: &str) -> Result<Self, Error> {
        let scheme = subject.starts_with("mailto:") || subject.starts_with("https://");
        if !scheme || subject.len() > 1024 || !subject.bytes().all(|b| b.is_ascii_graphic()) {
            return Err(invalid(
                "the subject is neither mailto: nor https://, or holds a blank",
            ));
        }
        Ok(Self {
            public: key.public_key().to_base64().into(),
            key,
            subject: subject.into(),
            tokens: Mutex::default(),
        })
    }

    /// The public key: what the browser needs as `applicationServerKey`
    /// ([`Es256PublicKey::to_base64`]) to subscribe to this sender.
    pub fn public_key(&self) -> &Es256PublicKey {
        self.key.public_key()
    }

    /// The `authorization` header for a push service: `vapid t=..., k=...` (RFC 8292 §3).
    /// The token lives 12 hours and is renewed after 6; within that time every
    /// call for an origin gives the same block.
    ///
    /// # Errors
    /// `Internal` when the system gives no randomness.
    pub fn authorization(&self, origin: &Authority, now: Now) -> Result<Arc<HeaderBlock>, Error> {
        self.block(origin, false, now)
    }

    /// The authorization that fits the message's endpoint and encoding.
    ///
    /// # Errors
    /// As [`Credentials::authorization`]; `KeyMismatch` when the legacy encoding names another key.
    pub fn authorization_for(&self, message: &Message, now: Now) -> Result<Arc<HeaderBlock>, Error> {
        let origin = message.subscription().endpoint().authority();
        #[cfg(feature = "aesgcm")]
        if let Some(key) = message.legacy_key() {
            if key != self.public_key() {
                return Err(Error::new(
                    ErrorKind::KeyMismatch,
                    "the message's encoding names another vapid key than the credentials",
                ));
            }
            return self.block(origin, true, now);
        }
        self.block(origin, false, now)
    }

    /// Learns a push service's clock from the `date` of its refusal (401 or 403), so that
    /// the next token for it, and only for it, is dated by that clock. Differences that leave a token
    /// valid are ignored: less than 6 hours ahead of ours, or 12 behind. Those above a day are not believed.
    ///
    /// The user is told by [`FixCredentials::clock_skew`](crate::outcome::FixCredentials::clock_skew):
    /// it is this machine's clock that needs setting.
    pub fn observe_date(&self, origin: &Authority, response: &Response, now: Now) {
        let Some(skew) = clock_skew(response, now) else {
            return;
        };
        let skew = match (spoils_tokens(skew), can_be_corrected(skew)) {
            (false, _) => 0,
            (true, true) => skew,
            (true, false) => return,
        };
        let mut tokens = self.tokens.lock().unwrap_or_else(PoisonError::into_inner);
        for legacy in [false, true] {
            if let Some(token) = tokens.entries.get_mut(&(origin.clone(), legacy)) {
                // Many requests may have gone out with the same token: the first refusal tells.
                if token.skew.abs_diff(skew) > SKEW_IGNORED {
                    token.skew = skew;
                    token.wrong = true;
                }
            }
        }
    }

    fn block(&self, origin: &Authority, legacy: bool, now: Now) -> Result<Arc<HeaderBlock>, Error> {
        // Signing takes tens of microseconds; under the lock it happens once.
        let mut tokens = self.tokens.lock().unwrap_or_else(PoisonError::into_inner);
        tokens.clock = tokens.clock.saturating_add(1);
        let clock = tokens.clock;
        let key = (origin.clone(), legacy);
        let mut skew = 0;
        if let Some(token) = tokens.entries.get_mut(&key) {
            if token.is_fresh(now.unix) {
                token.used = clock;
                return Ok(Arc::clone(&token.block));
            }
            skew = token.skew;
        }
        let dated = UnixTime::from_secs(now.unix.as_secs().saturating_add_signed(skew));
        let block = HeaderBlock::new(self.sign(origin, legacy, dated)?);
        if tokens.entries.len() >= CACHED && !tokens.entries.contains_key(&key) {
            tokens.forget_half();
        }
        let token = Token {
            block: Arc::clone(&block),
            skew,
            wrong: false,
            minted: now.unix,
            used: clock,
        };
        tokens.entries.insert(key, token);
        Ok(block)
    }

    fn sign(&self, origin: &Authority, legacy: bool, now: UnixTime) -> Result<Headers, Error> {
        // The origin as browsers serialise it: no port when it is 443 (RFC 6454 §6.1).
        let claims: Value = json!({
            "aud": format!("https://{origin}"),
            "exp": now.as_secs().saturating_add(LIFETIME),
            "sub": &*self.subject,
        });
        let token = jwt::es256(&json!({"typ": "JWT", "alg": "ES256"}), &claims, &self.key)?;
        let value = match legacy {
            true => format!("WebPush {token}"),
            false => format!("vapid t={token}, k={}", self.public),
        };
        let mut headers = Headers::new();
        headers.push_sensitive("authorization", &value, Indexing::Incremental)?;
        Ok(headers)
    }
}

impl Token {
    fn is_fresh(&self, now: UnixTime) -> bool {
        if self.wrong {
            return false;
        }
        match now.as_secs().checked_sub(self.minted.as_secs()) {
            Some(age) => age < REFRESH,
            // The clock went back. Far enough, and `exp` is more than 24 hours ahead of it.
            None => self.minted.as_secs() - now.as_secs() < LIFETIME,
        }
    }
}

/// Whether a service whose clock is ahead by so many seconds (behind, if negative) has a reason to
/// refuse a token of ours: ahead, it sees one that is half through its life as expired; behind, it sees
/// a new one expire in more than the 24 hours that RFC 8292 §2 allows.
pub(super) fn spoils_tokens(skew: i64) -> bool {
    match skew.unsigned_abs() {
        ahead if skew > 0 => ahead >= LIFETIME - REFRESH,
        behind => behind >= LONGEST - LIFETIME,
    }
}

/// Whether a token dated by the other clock is worth another try.
pub(super) fn can_be_corrected(skew: i64) -> bool {
    skew.unsigned_abs() <= SKEW_BOUND
}

fn check_subject(subject: &str) -> Result<(), Error> {
    let host = if let Some(address) = subject.strip_prefix("mailto:") {
        let (name, host) = address
            .split_once('@')
            .ok_or_else(|| invalid("the subject's mail address has no @"))?;
        if name.is_empty() || name.contains([':', '<', '>', ',', '?']) || host.contains('@') {
            return Err(invalid("the subject is not mailto: and one plain address"));
        }
        host
    } else if let Some(rest) = subject.strip_prefix("https://") {
        let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
        let (authority, _) = rest.split_at_checked(end).unwrap_or((rest, ""));
        authority.split_once(':').map_or(authority, |(host, _)| host)
    } else {
        return Err(invalid("the subject is neither mailto: nor https://"));
    };
    let host = host.to_ascii_lowercase();
    let top = host.rsplit('.').next().unwrap_or_default();
    let label =
        |label: &str| !label.is_empty() && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
    let made_up = matches!(top, "local" | "localhost" | "invalid" | "test" | "localdomain");
    if !host.contains('.') || !host.split('.').all(label) || made_up {
        return Err(invalid(
            "the subject's host is not a public name; apple refuses it",
        ));
    }
    Ok(())
}

fn invalid(context: &'static str) -> Error {
    Error::new(ErrorKind::InvalidCredential, context)
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credentials")
            .field("public_key", &self.public)
            .field("subject", &self.subject)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
