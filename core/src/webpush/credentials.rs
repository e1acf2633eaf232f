//! VAPID (RFC 8292): who the sender is.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use serde_json::{Value, json};

use super::message::Message;
use crate::crypto::{Es256Key, Es256PublicKey, jwt};
use crate::error::{Error, ErrorKind};
use crate::http::{Authority, HeaderBlock, Headers, Indexing};
use crate::time::{Now, UnixTime};

/// How long a token is good for: half of the 24 hours that RFC 8292 §2 allows, as
/// room for clocks that differ.
const LIFETIME: u64 = 12 * 3600;
/// A token is used for half of its life. Apple wants one no more often than hourly.
const REFRESH: u64 = LIFETIME / 2;
/// Senders meet about four push services; UnifiedPush users may bring their own. An
/// attacker who invents origins only pushes others out.
const CACHED: usize = 256;

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

struct Token {
    block: Arc<HeaderBlock>,
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

    fn block(&self, origin: &Authority, legacy: bool, now: Now) -> Result<Arc<HeaderBlock>, Error> {
        // Signing takes tens of microseconds; under the lock it happens once.
        let mut tokens = self.tokens.lock().unwrap_or_else(PoisonError::into_inner);
        tokens.clock = tokens.clock.saturating_add(1);
        let clock = tokens.clock;
        let key = (origin.clone(), legacy);
        if let Some(token) = tokens.entries.get_mut(&key) {
            if token.is_fresh(now.unix) {
                token.used = clock;
                return Ok(Arc::clone(&token.block));
            }
        }
        let block = HeaderBlock::new(self.sign(origin, legacy, now.unix)?);
        if tokens.entries.len() >= CACHED && !tokens.entries.contains_key(&key) {
            let oldest = tokens.entries.iter().min_by_key(|(_, token)| token.used);
            if let Some(oldest) = oldest.map(|(key, _)| key.clone()) {
                tokens.entries.remove(&oldest);
            }
        }
        let token = Token {
            block: Arc::clone(&block),
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
        match now.as_secs().checked_sub(self.minted.as_secs()) {
            Some(age) => age < REFRESH,
            // The clock went back. Far enough, and `exp` is more than 24 hours ahead of it.
            None => self.minted.as_secs() - now.as_secs() < LIFETIME,
        }
    }
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
