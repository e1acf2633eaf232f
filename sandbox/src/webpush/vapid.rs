//! RFC 8292: who sends.

use super::provider::{Provider, Wrong};
use crate::exchange::Exchange;
use crate::ids::{from_b64_any, from_b64url};
use crate::jose::Token;
use crate::shared::{Moment, Profile};
use serde_json::{Map, Value};
use std::collections::HashMap;
use std::sync::Arc;

const DAY: i64 = 86_400;

/// Tokens that are remembered; beyond, all are forgotten and verified anew.
const LIMIT: usize = 4096;

/// The verified application server key, and what it signed.
pub(super) struct Key {
    /// 65 bytes, uncompressed.
    pub(super) point: Vec<u8>,
    claims: Map<String, Value>,
}

/// Tokens whose signature is good, with their keys: a sender uses one for as long as it lives.
#[derive(Default)]
pub(super) struct Verified {
    /// By the key's and the token's text.
    keys: HashMap<String, Arc<Key>>,
}

impl Verified {
    /// The key and the claims of a token that verifies. `tolerant` takes the key in any base64.
    fn key(&mut self, jwt: &str, key: &str, tolerant: bool) -> Result<Arc<Key>, Wrong> {
        let strictness = if tolerant { "any" } else { "strict" };
        let text = [strictness, key, jwt].join(" ");
        if let Some(known) = self.keys.get(&text) {
            return Ok(known.clone());
        }
        let point = if tolerant {
            from_b64_any(key)
        } else {
            from_b64url(key)
        };
        let point = point.filter(|point| point.len() == 65).ok_or(Wrong::PublicKey)?;
        p256::PublicKey::from_sec1_bytes(&point).map_err(|_| Wrong::PublicKey)?;

        let token = Token::read(jwt)
            .filter(|token| token.strict_base64)
            .ok_or(Wrong::Jwt("webpush.vapid.jwt"))?;
        if token.header_text("alg") != Some("ES256") || !token.verifies_es256(&point) {
            return Err(Wrong::Jwt("webpush.vapid.signature"));
        }
        let claims = token.claims;
        let key = Arc::new(Key { point, claims });
        if self.keys.len() >= LIMIT {
            self.keys.clear();
        }
        self.keys.insert(text, key.clone());
        Ok(key)
    }
}

/// One `name=value` of a header like `vapid t=..., k=...` or `dh=...;p256ecdsa=...`.
pub(super) fn parameter(text: &str, name: &str) -> Option<String> {
    text.split([',', ';']).find_map(|part| {
        let (key, value) = part.trim().split_once('=')?;
        (key.trim().eq_ignore_ascii_case(name)).then(|| value.trim().trim_matches('"').to_owned())
    })
}

pub(super) fn verify(
    exchange: &Exchange,
    origin: &str,
    now: Moment,
    profile: Profile,
    provider: Provider,
    verified: &mut Verified,
) -> Result<Arc<Key>, Wrong> {
    let header = exchange.header("authorization").ok_or(Wrong::AuthMissing)?;
    let (scheme, rest) = header.split_once(' ').ok_or(Wrong::AuthForm)?;
    let (jwt, key) = match scheme.to_ascii_lowercase().as_str() {
        "vapid" => (
            parameter(rest, "t").ok_or(Wrong::AuthForm)?,
            parameter(rest, "k").ok_or(Wrong::PublicKey)?,
        ),
        // The form of the first draft, which goes with aesgcm.
        "webpush" | "bearer" if provider != Provider::Apple => {
            let key = exchange
                .header("crypto-key")
                .and_then(|text| parameter(text, "p256ecdsa"));
            (rest.trim().to_owned(), key.ok_or(Wrong::PublicKey)?)
        }
        _ => return Err(Wrong::AuthForm),
    };
    // Mozilla takes padded and standard base64, the others do not.
    let tolerant = provider == Provider::Mozilla || profile != Profile::Strict;
    let key = verified.key(&jwt, &key, tolerant)?;
    let claims = &key.claims;
    let audience = match claims.get("aud") {
        Some(Value::String(audience)) => audience == origin,
        Some(Value::Array(audiences)) => audiences.iter().any(|audience| audience == origin),
        _ => false,
    };
    if !audience {
        return Err(Wrong::Jwt("webpush.vapid.aud"));
    }
    let exp = claims
        .get("exp")
        .and_then(Value::as_i64)
        .ok_or(Wrong::Jwt("webpush.vapid.exp"))?;
    let seconds = now.unix_ms / 1000;
    if exp < seconds {
        return Err(Wrong::Jwt("webpush.vapid.exp.past"));
    }
    if exp > seconds.saturating_add(DAY) {
        return Err(Wrong::Jwt("webpush.vapid.exp.far"));
    }
    match claims.get("sub") {
        Some(sub) if provider == Provider::Apple && !sub.as_str().is_some_and(apple_subject) => {
            Err(Wrong::Jwt("webpush.vapid.sub"))
        }
        None if provider == Provider::Apple => Err(Wrong::Jwt("webpush.vapid.sub")),
        _ => Ok(key),
    }
}

/// Apple wants a contact that could exist.
fn apple_subject(sub: &str) -> bool {
    let host = match sub.strip_prefix("mailto:") {
        Some(address) => match address.split_once('@') {
            Some((user, host)) if !user.is_empty() && !user.contains(':') => host,
            _ => return false,
        },
        None => match sub.strip_prefix("https://") {
            Some(rest) => rest.split(['/', ':', '?', '#']).next().unwrap_or_default(),
            None => return false,
        },
    };
    let last = host.rsplit('.').next().unwrap_or_default();
    host.contains('.')
        && !sub.contains(char::is_whitespace)
        && !["localhost", "local", "invalid"].contains(&last)
        && !last.is_empty()
}
