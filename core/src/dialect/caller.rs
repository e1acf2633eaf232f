//! The caller of a request, without its secret.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::crypto;

/// What a request says of its caller. Read once, when a job begins; the headers that held it are dropped then.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "caller", rename_all = "snake_case")]
#[non_exhaustive]
pub enum Caller {
    /// The request names nobody.
    Unnamed,
    /// The request has an API key or a bearer token.
    Token {
        /// The SHA-256 of the key, 64 lower-case hex digits.
        sha256: String,
    },
    /// The request has a signature of AWS Signature Version 4.
    Signed(Signed),
    /// The request names somebody in a form that cannot be read.
    Unreadable {
        /// The fault, a short word of the dialect's own.
        fault: String,
    },
}

/// A signature of AWS Signature Version 4, with the text that it must be of.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Signed {
    /// The id of the access key.
    pub access_key: String,
    /// The day of the key's scope, `yyyymmdd`.
    pub day: String,
    /// The region of the key's scope.
    pub region: String,
    /// The service of the key's scope.
    pub service: String,
    /// The time of the signature, in seconds since 1970.
    pub signed_at: u64,
    /// The text that is signed.
    pub string_to_sign: String,
    /// The signature, 64 lower-case hex digits.
    pub signature: String,
    /// The names of the headers that the signature covers.
    pub headers: Vec<String>,
}

impl fmt::Debug for Signed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The signature is good for five minutes, for whoever has the rest of the request.
        f.debug_struct("Signed")
            .field("access_key", &self.access_key)
            .field("region", &self.region)
            .field("service", &self.service)
            .field("signed_at", &self.signed_at)
            .finish_non_exhaustive()
    }
}

impl Caller {
    /// The caller who presented this key.
    pub(super) fn token(key: &str) -> Self {
        Caller::Token {
            sha256: token_digest(key),
        }
    }
}

/// Returns the SHA-256 of an API key or bearer token, as [`Ask::Token`](super::Ask::Token) asks for it and as a store keeps
/// it: 64 lower-case hex digits.
pub fn token_digest(key: &str) -> String {
    crypto::hex(&crypto::sha256(key.as_bytes()))
}
