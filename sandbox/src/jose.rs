//! JSON Web Tokens, taken apart by hand and verified by RustCrypto's `p256` and `rsa`.
//!
//! The structure is read here so that each service can say exactly which of its
//! rules was broken; only the signature is left to the libraries. They are not `ring`,
//! because the core signs with `ring`, and would agree with itself.

use crate::ids::{from_b64_any, from_b64url};
use p256::ecdsa::signature::Verifier;
use p256::ecdsa::{Signature, VerifyingKey};
use rsa::{Pkcs1v15Sign, RsaPublicKey};
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};

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

    /// ES256 (RFC 7518 §3.4): the signature is r and s, 32 octets each.
    pub(crate) fn verifies_es256(&self, public_point: &[u8]) -> bool {
        self.verifies_ecdsa(public_point, Signature::from_slice(&self.signature))
    }

    /// RS256 (RFC 7518 §3.3): RSASSA-PKCS1-v1_5 with SHA-256.
    pub(crate) fn verifies_rs256(&self, key: &RsaPublicKey) -> bool {
        let digest = Sha256::digest(self.signed.as_bytes());
        key.verify(Pkcs1v15Sign::new::<Sha256>(), &digest, &self.signature)
            .is_ok()
    }

    /// ES256 with a DER signature in place of the raw one: what some peers send
    /// and APNs has been seen to take.
    pub(crate) fn verifies_der(&self, public_point: &[u8]) -> bool {
        self.verifies_ecdsa(public_point, Signature::from_der(&self.signature))
    }

    fn verifies_ecdsa(
        &self,
        public_point: &[u8],
        signature: p256::ecdsa::signature::Result<Signature>,
    ) -> bool {
        let key = VerifyingKey::from_sec1_bytes(public_point);
        key.and_then(|key| key.verify(self.signed.as_bytes(), &signature?))
            .is_ok()
    }
}
