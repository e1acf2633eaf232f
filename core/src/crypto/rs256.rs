//! RS256 signing keys (RFC 7518 §3.3): RSASSA-PKCS1-v1_5 with SHA-256.

use std::fmt;

use ring::rand::SystemRandom;
use ring::signature::{RSA_PKCS1_SHA256, RsaKeyPair};
use rustls_pki_types::PrivatePkcs8KeyDer;
use rustls_pki_types::pem::PemObject;

use crate::error::{Error, ErrorKind};

/// An RSA private key that signs, 2048 to 4096 bits.
pub struct Rs256Key {
    pair: RsaKeyPair,
    random: SystemRandom,
}

impl Rs256Key {
    /// Reads PKCS#8 in PEM, the form of a Google service account's `private_key`.
    ///
    /// # Errors
    /// `InvalidKey` when it cannot be read.
    pub fn from_pem(pem: &[u8]) -> Result<Self, Error> {
        let der = PrivatePkcs8KeyDer::from_pem_slice(pem)
            .map_err(|_| Error::new(ErrorKind::InvalidKey, "the key is not in pkcs#8 pem form"))?;
        let pair = RsaKeyPair::from_pkcs8(der.secret_pkcs8_der()).map_err(|_| {
            Error::new(
                ErrorKind::InvalidKey,
                "not an rsa private key of 2048 to 4096 bits",
            )
        })?;
        Ok(Self {
            pair,
            random: SystemRandom::new(),
        })
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

impl fmt::Debug for Rs256Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Rs256Key([redacted])")
    }
}
