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

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn tokens_have_three_parts_and_a_signature_that_holds() {
        let key = Es256Key::generate().unwrap();
        let claims = json!({"b": 1, "a": "é\r\n\""});
        for _ in 0..300 {
            let token = es256(&json!({"alg": "ES256", "kid": "K"}), &claims, &key).unwrap();
            let (input, signature) = token.rsplit_once('.').unwrap();
            let signature = URL_SAFE_NO_PAD.decode(signature).unwrap();
            // Leading zeros of r and s are kept: about one signature in 128 has one.
            assert_eq!(signature.len(), 64);
            assert!(key.public_key().verifies(input.as_bytes(), &signature));
            let (header, body) = input.split_once('.').unwrap();
            assert_eq!(
                URL_SAFE_NO_PAD.decode(header).unwrap(),
                br#"{"alg":"ES256","kid":"K"}"#
            );
            assert_eq!(
                URL_SAFE_NO_PAD.decode(body).unwrap(),
                claims.to_string().as_bytes()
            );
        }
        let rsa = include_bytes!("../../tests/keys/rsa2048_pkcs8.pem");
        let key = Rs256Key::read(rsa).unwrap();
        let token = rs256(&json!({"alg": "RS256"}), &claims, &key).unwrap();
        let (input, signature) = token.rsplit_once('.').unwrap();
        assert_eq!(
            URL_SAFE_NO_PAD.encode(key.sign(input.as_bytes()).unwrap()),
            signature
        );
    }
}
