//! Provider tokens, judged as strictly as Apple's pages allow, and what a
//! connection is bound to after its first good one.

use super::{Apns, Environment, Refusal};
use crate::exchange::Exchange;
use crate::jose::Token;
use crate::record::Record;
use crate::shared::{Moment, Profile};
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
}

impl Key {
    pub(super) fn new(kid: &str, team: &str, point: Vec<u8>, environment: Option<Environment>) -> Self {
        let decoding = DecodingKey::from_ec_der(&point);
        Self {
            kid: kid.to_owned(),
            team: team.to_owned(),
            point,
            decoding,
            environment,
        }
    }
}

/// What one connection has seen so far.
#[derive(Default)]
pub(super) struct Binding {
    /// The token in use and when it was first seen here.
    token: Option<(String, i64)>,
    kid: Option<String>,
    team: Option<String>,
    /// Set once the connection carried an expired token (quirk profile).
    wedged: bool,
}

impl Binding {
    /// A request with a good token has been seen.
    pub(super) fn trusted(&self) -> bool {
        self.token.is_some()
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
        let binding = self.bindings.entry(exchange.origin.connection).or_default();
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
        let known = binding.token.as_ref().is_some_and(|(known, _)| known == jwt);
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
            let reason = match self.profile {
                Profile::Quirk => "BadEnvironmentKeyInToken",
                _ => "BadEnvironmentKeyIdInToken",
            };
            return Err(Refusal::new(403, reason, "apns.auth.key.environment"));
        }
        if binding.team.as_ref().is_some_and(|team| *team != key.team) {
            return Err(invalid("apns.auth.connection.team"));
        }
        if binding.kid.as_ref().is_some_and(|kid| *kid != key.kid) {
            return Err(Refusal::new(
                403,
                "UnrelatedKeyIdInToken",
                "apns.auth.connection.key",
            ));
        }
        match &binding.token {
            Some((known, _)) if known == jwt => {}
            Some((_, since)) if now.unix_ms - since < CHANGE_MS => {
                return Err(Refusal::new(
                    429,
                    "TooManyProviderTokenUpdates",
                    "apns.auth.connection.update",
                ));
            }
            _ => binding.token = Some((jwt.to_owned(), now.unix_ms)),
        }
        binding.kid = Some(key.kid.clone());
        binding.team = Some(key.team.clone());
        Ok(())
    }
}
