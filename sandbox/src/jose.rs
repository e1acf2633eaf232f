//! JSON Web Tokens, taken apart by hand and verified by `jsonwebtoken`.
//!
//! The structure is read here so that each service can say exactly which of its
//! rules was broken; only the signature is left to the library.

use crate::ids::{from_b64_any, from_b64url};
use jsonwebtoken::{Algorithm, DecodingKey};
use serde_json::{Map, Value};

/// A token, decoded but not trusted.
#[derive(Clone, Debug)]
pub(crate) struct Token {
    pub(crate) header: Map<String, Value>,
    pub(crate) claims: Map<String, Value>,
    /// `header.claims` as they were signed.
    signed: String,
    pub(crate) signature: Vec<u8>,
    /// Every segment was unpadded base64url.
    pub(crate) strict_base64: bool,
}

impl Token {
    /// Reads a compact token; `None` when it has no three decodable segments of JSON objects.
    pub(crate) fn read(text: &str) -> Option<Self> {
        let (signed, signature) = text.rsplit_once('.')?;
        let (header, claims) = signed.split_once('.')?;
        if claims.contains('.') {
            return None;
        }
        let strict_base64 = [header, claims, signature]
            .iter()
            .all(|part| from_b64url(part).is_some());
        Some(Self {
            header: serde_json::from_slice(&from_b64_any(header)?).ok()?,
            claims: serde_json::from_slice(&from_b64_any(claims)?).ok()?,
            signed: signed.to_owned(),
            signature: from_b64_any(signature)?,
            strict_base64,
        })
    }

    pub(crate) fn header_text(&self, name: &str) -> Option<&str> {
        self.header.get(name).and_then(Value::as_str)
    }

    pub(crate) fn claim_text(&self, name: &str) -> Option<&str> {
        self.claims.get(name).and_then(Value::as_str)
    }

    pub(crate) fn verifies(&self, algorithm: Algorithm, key: &DecodingKey) -> bool {
        let signature = crate::ids::b64url(&self.signature);
        jsonwebtoken::crypto::verify(&signature, self.signed.as_bytes(), key, algorithm).unwrap_or(false)
    }

    /// ES256 with a DER signature in place of the raw one: what some peers send
    /// and APNs has been seen to take.
    pub(crate) fn verifies_der(&self, public_point: &[u8]) -> bool {
        use p256::ecdsa::signature::Verifier;
        let Ok(key) = p256::ecdsa::VerifyingKey::from_sec1_bytes(public_point) else {
            return false;
        };
        let Ok(signature) = p256::ecdsa::Signature::from_der(&self.signature) else {
            return false;
        };
        key.verify(self.signed.as_bytes(), &signature).is_ok()
    }
}
