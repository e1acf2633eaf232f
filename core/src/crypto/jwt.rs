//! JSON Web Tokens (RFC 7519), signing side only. The algorithm follows from the
//! key's type, never from text (RFC 8725 §3.1).

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::Value;

use super::{Es256Key, Rs256Key};
use crate::error::Error;

/// Signs `claims` with ES256. `header` and `claims` are written as they are, in their order.
pub(crate) fn es256(header: &Value, claims: &Value, key: &Es256Key) -> Result<String, Error> {
    let mut token = signing_input(header, claims);
    let signature = key.sign(token.as_bytes())?;
    append_signature(&mut token, &signature);
    Ok(token)
}

/// Signs `claims` with RS256. `header` and `claims` are written as they are, in their order.
#[allow(dead_code, reason = "the fcm room signs its grants with it")]
pub(crate) fn rs256(header: &Value, claims: &Value, key: &Rs256Key) -> Result<String, Error> {
    let mut token = signing_input(header, claims);
    let signature = key.sign(token.as_bytes())?;
    append_signature(&mut token, &signature);
    Ok(token)
}

fn signing_input(header: &Value, claims: &Value) -> String {
    let mut token = URL_SAFE_NO_PAD.encode(header.to_string());
    token.push('.');
    URL_SAFE_NO_PAD.encode_string(claims.to_string(), &mut token);
    token
}

fn append_signature(token: &mut String, signature: &[u8]) {
    token.push('.');
    URL_SAFE_NO_PAD.encode_string(signature, token);
}
