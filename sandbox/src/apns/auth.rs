//! Provider tokens, judged as strictly as Apple's pages allow, and what a
//! connection is bound to after its first good one.

use super::certificate::Certificate;
use super::{Apns, Environment, EnvironmentKeyReason, Refusal};
use crate::exchange::Exchange;
use crate::jose::Token;
use crate::record::{LENIENT, Record};
use crate::shared::{Moment, Profile};
use foldhash::HashMap;
use jsonwebtoken::{Algorithm, DecodingKey};
use serde_json::Value;

/// A token may be used for an hour after `iat`.
const LIFETIME_MS: i64 = 3_600_000;
/// A connection may not see two tokens within twenty minutes.
const CHANGE_MS: i64 = 1_200_000;
/// Tolerated clock skew of a provider; Apple names none.
const SKEW_MS: i64 = 60_000;

/// A registered signing key: its public half.
pub(crate) struct Key {
    kid: String,
    team: String,
    point: Vec<u8>,
    decoding: DecodingKey,
    /// `None` for keys of both environments.
    environment: Option<Environment>,
    /// The bundles it may push to; `None` is all of the team's.
    topics: Option<Vec<String>>,
    /// The one other key that it shares connections with.
    related: Option<String>,
}

impl Key {
    pub(crate) fn new(kid: &str, team: &str, point: Vec<u8>) -> Self {
        let decoding = DecodingKey::from_ec_der(&point);
        Self {
            kid: kid.to_owned(),
            team: team.to_owned(),
            point,
            decoding,
            environment: None,
            topics: None,
            related: None,
        }
    }

    /// For one environment only.
    pub(crate) fn of(mut self, environment: Environment) -> Self {
        self.environment = Some(environment);
        self
    }

    /// Topic-specific: for these bundles only.
    pub(crate) fn topics(mut self, topics: &[&str]) -> Self {
        self.topics = Some(topics.iter().map(|&topic| topic.to_owned()).collect());
        self
    }

    /// Related to that key.
    pub(crate) fn related(mut self, kid: &str) -> Self {
        self.related = Some(kid.to_owned());
        self
    }
}

/// The provider tokens that one connection has seen so far.
#[derive(Default)]
pub(super) struct Binding {
    /// By key: the token in use and when it was first seen here.
    tokens: HashMap<String, (String, i64)>,
    /// The key of the first good token, and the one related to it.
    key: Option<(String, Option<String>)>,
    team: Option<String>,
    /// The bundles there were at the first good token.
    pub(super) bundles: Option<Vec<String>>,
    /// The bundles of the latest request's key, when it is topic-specific.
    pub(super) scope: Option<Vec<String>>,
    /// The certificate that the client presented in TLS.
    pub(super) certificate: Option<Certificate>,
    /// The latest token that was good in itself: the next request most likely has the same.
    read: Option<ProviderToken>,
    /// Set once the connection carried an expired token (quirk profile).
    wedged: bool,
}

/// A provider token that verifies; whether it is still good, and good here, is another matter.
struct ProviderToken {
    jwt: String,
    kid: String,
    iat_ms: i64,
    /// Rules that it breaks, and that the profile let pass.
    forgiven: Vec<&'static str>,
}

fn invalid(rule: &'static str) -> Refusal {
    Refusal::new(403, "InvalidProviderToken", rule)
}

impl ProviderToken {
    /// Reads and verifies a token. One that the connection has used before was verified then.
    fn read(
        jwt: &str,
        keys: &[Key],
        used: &HashMap<String, (String, i64)>,
        mut forgive: impl FnMut(&'static str) -> Result<(), Refusal>,
    ) -> Result<Self, Refusal> {
        let token = Token::read(jwt).ok_or_else(|| invalid("apns.auth.jwt.form"))?;
        if !token.strict_base64 {
            forgive("apns.auth.jwt.base64url")?;
        }
        if token.header_text("alg") != Some("ES256") {
            return Err(invalid("apns.auth.jwt.alg"));
        }
        if token.header.keys().any(|name| name != "alg" && name != "kid") {
            forgive("apns.auth.jwt.header")?;
        }
        if token.claims.keys().any(|name| name != "iss" && name != "iat") {
            forgive("apns.auth.jwt.claims")?;
        }
        let key = token
            .header_text("kid")
            .and_then(|kid| keys.iter().find(|key| key.kid == kid))
            .ok_or_else(|| invalid("apns.auth.jwt.kid"))?;
        if token.claim_text("iss") != Some(key.team.as_str()) {
            return Err(invalid("apns.auth.jwt.iss"));
        }
        let iat = match token.claims.get("iat") {
            Some(Value::Number(number)) => number.as_i64(),
            Some(Value::String(text)) => {
                forgive("apns.auth.jwt.iat")?;
                text.parse().ok()
            }
            _ => None,
        };
        let iat_ms = iat
            .and_then(|iat| iat.checked_mul(1000))
            .ok_or_else(|| invalid("apns.auth.jwt.iat"))?;
        // A token that this connection has used before was verified then.
        let seen = used.get(&key.kid);
        let known = seen.is_some_and(|(known, _)| known == jwt);
        if !known && !token.verifies(Algorithm::ES256, &key.decoding) {
            if !token.verifies_der(&key.point) {
                return Err(invalid("apns.auth.jwt.signature"));
            }
            forgive("apns.auth.jwt.signature.der")?;
        }
        Ok(Self {
            jwt: jwt.to_owned(),
            kid: key.kid.clone(),
            iat_ms,
            forgiven: Vec::new(),
        })
    }
}

impl Binding {
    /// A request with a good token, or a good certificate, has been seen.
    pub(super) fn trusted(&self) -> bool {
        self.certificate.is_some() || !self.tokens.is_empty()
    }
}

impl Apns {
    /// The `authorization` header against the keys and the connection's history.
    pub(super) fn authorize(
        &mut self,
        exchange: &Exchange,
        now: Moment,
        record: &mut Record,
    ) -> Result<(), Refusal> {
        let lenient = self.profile != Profile::Strict;
        let binding = self.bindings.entry(exchange.origin.connection).or_default();
        if binding.certificate.is_some() {
            // Then the header is ignored.
            return Ok(());
        }
        let Some(header) = exchange.header("authorization") else {
            return Err(Refusal::new(403, "MissingProviderToken", "apns.auth.missing"));
        };
        let jwt = match header.split_once(' ') {
            Some((scheme, jwt)) if scheme.eq_ignore_ascii_case("bearer") => jwt.trim(),
            _ => return Err(invalid("apns.auth.scheme")),
        };
        if jwt.is_empty() {
            return Err(Refusal::new(403, "MissingProviderToken", "apns.auth.missing"));
        }
        if binding.wedged {
            return Err(Refusal::new(403, "ExpiredProviderToken", "apns.auth.wedged"));
        }
        // A stricter profile forgives less than the one that read the token.
        let read = match binding.read.take() {
            Some(read) if read.jwt == jwt && (lenient || read.forgiven.is_empty()) => read,
            _ => {
                let mut forgiven = Vec::new();
                let mut forgivable = false;
                let read = ProviderToken::read(jwt, &self.keys, &binding.tokens, |rule| {
                    if !lenient {
                        forgivable = true;
                        return Err(invalid(rule));
                    }
                    forgiven.push(rule);
                    Ok(())
                });
                match read {
                    Ok(read) => ProviderToken { forgiven, ..read },
                    Err(refusal) => {
                        record.hint = forgivable.then_some(LENIENT);
                        record.warnings.extend(forgiven.into_iter().map(str::to_owned));
                        return Err(refusal);
                    }
                }
            }
        };
        let read = binding.read.insert(read);
        record
            .warnings
            .extend(read.forgiven.iter().map(|&rule| rule.to_owned()));
        let iat_ms = read.iat_ms;
        let key = self.keys.iter().find(|key| key.kid == read.kid);
        let key = key.ok_or_else(|| invalid("apns.auth.jwt.kid"))?;
        let seen = binding.tokens.get(&key.kid);
        if iat_ms > now.unix_ms + SKEW_MS {
            return Err(invalid("apns.auth.jwt.future"));
        }
        if now.unix_ms.saturating_sub(iat_ms) > LIFETIME_MS {
            binding.wedged = self.profile == Profile::Quirk;
            return Err(Refusal::new(403, "ExpiredProviderToken", "apns.auth.jwt.expired"));
        }
        if key
            .environment
            .is_some_and(|environment| environment != self.environment)
        {
            // Apple documents one spelling and its servers have been seen to send the other.
            let reason = match (self.environment_key_reason, self.profile) {
                (Some(EnvironmentKeyReason::BadEnvironmentKeyInToken), _) | (None, Profile::Quirk) => {
                    "BadEnvironmentKeyInToken"
                }
                _ => "BadEnvironmentKeyIdInToken",
            };
            return Err(Refusal::new(403, reason, "apns.auth.key.environment"));
        }
        if binding.team.as_ref().is_some_and(|team| *team != key.team) {
            return Err(invalid("apns.auth.connection.team"));
        }
        let unrelated = binding.key.as_ref().is_some_and(|(first, related)| {
            *first != key.kid && related.as_ref() != Some(&key.kid) && key.related.as_ref() != Some(first)
        });
        if unrelated {
            return Err(Refusal::new(
                403,
                "UnrelatedKeyIdInToken",
                "apns.auth.connection.key",
            ));
        }
        match seen {
            Some((known, _)) if known == jwt => {}
            Some((_, since)) if now.unix_ms - since < CHANGE_MS => {
                return Err(Refusal::new(
                    429,
                    "TooManyProviderTokenUpdates",
                    "apns.auth.connection.update",
                ));
            }
            _ => {
                binding
                    .tokens
                    .insert(key.kid.clone(), (jwt.to_owned(), now.unix_ms));
            }
        }
        binding.team.get_or_insert_with(|| key.team.clone());
        binding
            .key
            .get_or_insert_with(|| (key.kid.clone(), key.related.clone()));
        binding.bundles.get_or_insert_with(|| self.bundles.clone());
        if binding.scope != key.topics {
            binding.scope.clone_from(&key.topics);
        }
        Ok(())
    }
}
