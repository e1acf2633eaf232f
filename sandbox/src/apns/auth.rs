//! Provider tokens, judged as strictly as Apple's pages allow, and what a
//! connection is bound to after its first good one.

use super::certificate::Certificate;
use super::{Apns, Environment, EnvironmentKeyReason, Refusal};
use crate::exchange::Exchange;
use crate::jose::Token;
use crate::record::Record;
use crate::shared::{Moment, Profile};
use jsonwebtoken::{Algorithm, DecodingKey};
use serde_json::Value;
use std::collections::HashMap;

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

/// What one connection has seen so far.
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
    /// What the client presented in TLS.
    pub(super) certificate: Option<Certificate>,
    /// Set once the connection carried an expired token (quirk profile).
    wedged: bool,
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
        let invalid = |rule| Refusal::new(403, "InvalidProviderToken", rule);
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
        let token = Token::read(jwt).ok_or_else(|| invalid("apns.auth.jwt.form"))?;
        let mut forgive = |rule: &'static str| {
            if lenient {
                record.warnings.push(rule.to_owned());
                Ok(())
            } else {
                Err(invalid(rule))
            }
        };
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
            .and_then(|kid| self.keys.iter().find(|key| key.kid == kid))
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
        let seen = binding.tokens.get(&key.kid);
        let known = seen.is_some_and(|(known, _)| known == jwt);
        if !known && !token.verifies(Algorithm::ES256, &key.decoding) {
            if !token.verifies_der(&key.point) {
                return Err(invalid("apns.auth.jwt.signature"));
            }
            forgive("apns.auth.jwt.signature.der")?;
        }
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
        binding.team = Some(key.team.clone());
        binding
            .key
            .get_or_insert_with(|| (key.kid.clone(), key.related.clone()));
        binding.bundles.get_or_insert_with(|| self.bundles.clone());
        binding.scope.clone_from(&key.topics);
        Ok(())
    }
}
