//! RS256 signing keys (RFC 7518 §3.3): RSASSA-PKCS1-v1_5 with SHA-256.

use std::fmt;

use ring::error::KeyRejected;
use ring::rand::SystemRandom;
use ring::signature::{RSA_PKCS1_SHA256, RsaKeyPair};

use super::keys::{self, Material};
use crate::error::{Error, ErrorKind};

/// An RSA private key that signs, 2048 to 4096 bits.
pub struct Rs256Key {
    pair: RsaKeyPair,
    random: SystemRandom,
}

impl Rs256Key {
    /// Reads PKCS#8 (`PRIVATE KEY`, the form of a Google service account's
    /// `private_key`) or PKCS#1 (`RSA PRIVATE KEY`), in PEM, DER or base64 of DER; also
    /// with CRLF, a byte order mark, or `\n` written as two characters.
    ///
    /// # Errors
    /// * `InvalidKey`: none of these, cut short, bytes after the key, two keys in
    ///   one text, fewer than 2048 or more than 4096 bits, or longer than 64 KiB;
    /// * `WrongKeyType`: an elliptic-curve key, a public key, a certificate ...;
    /// * `EncryptedKey`: needs a password.
    pub fn read(input: &[u8]) -> Result<Self, Error> {
        let pair = match keys::read(input)? {
            Material::RsaPkcs8(der) => RsaKeyPair::from_pkcs8(&der).map_err(rejected)?,
            Material::RsaPkcs1(der) => RsaKeyPair::from_der(&der).map_err(rejected)?,
            Material::EcPrivate { .. } | Material::EcPublic(_) | Material::OtherCurve(_) => {
                return Err(keys::wrong_type("an elliptic-curve key", "an rsa key"));
            }
            Material::Other(what) => {
                return Err(keys::wrong_type(what, "an rsa private key in pkcs#8 form"));
            }
        };
        Ok(Self {
            pair,
            random: SystemRandom::new(),
        })
    }

    /// Reads a key as [`Rs256Key::read`] does, under the name of the usual form.
    ///
    /// # Errors
    /// As [`Rs256Key::read`].
    pub fn from_pem(pem: &[u8]) -> Result<Self, Error> {
        Self::read(pem)
    }

    /// Signs `message`.
    ///
    /// # Errors
    /// `Internal` when the system gives no randomness.
    pub fn sign(&self, message: &[u8]) -> Result<Vec<u8>, Error> {
        let mut signature = vec![0; self.pair.public().modulus_len()];
        self.pair
            .sign(&RSA_PKCS1_SHA256, &self.random, message, &mut signature)
            .map_err(|_| Error::new(ErrorKind::Internal, "signing failed"))?;
        Ok(signature)
    }
}

/// `ring` says why in one word, which holds nothing of the key.
fn rejected(error: KeyRejected) -> Error {
    let context = match error.to_string().as_str() {
        "TooSmall" => "an rsa key of fewer than 2048 bits",
        "TooLarge" => "an rsa key of more than 4096 bits",
        "InconsistentComponents" => "the parts of the rsa key do not belong together",
        _ => "not an rsa private key of 2048 to 4096 bits",
    };
    keys::invalid(context)
}

impl fmt::Debug for Rs256Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Rs256Key([redacted])")
    }
}
