//! ES256 signing keys (RFC 7518 §3.4): ECDSA on P-256 with SHA-256.

use std::fmt;

use p256::elliptic_curve::sec1::ToEncodedPoint;
use p256::pkcs8::DecodePrivateKey;
use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair};
use zeroize::Zeroizing;

use crate::error::{Error, ErrorKind};

/// A P-256 private key that signs.
pub struct Es256Key {
    pair: EcdsaKeyPair,
    public: [u8; 65],
    random: SystemRandom,
}

impl Es256Key {
    /// Reads a `.p8` file: PKCS#8 in PEM.
    ///
    /// # Errors
    /// `InvalidKey` when it cannot be read.
    pub fn from_pem(pem: &[u8]) -> Result<Self, Error> {
        let text = std::str::from_utf8(pem)
            .map_err(|_| Error::new(ErrorKind::InvalidKey, "the key file is not text in pem form"))?;
        let secret = p256::SecretKey::from_pkcs8_pem(text).map_err(|_| {
            Error::new(
                ErrorKind::InvalidKey,
                "the key is not a p-256 private key in pkcs#8 pem form",
            )
        })?;
        let scalar = Zeroizing::new(<[u8; 32]>::from(secret.to_bytes()));
        Self::from_scalar(&scalar)
    }

    /// From the 32 bytes of the private scalar, big-endian.
    ///
    /// # Errors
    /// `InvalidKey` when the scalar is zero or not below the group order.
    pub fn from_scalar(scalar: &[u8; 32]) -> Result<Self, Error> {
        let invalid = || Error::new(ErrorKind::InvalidKey, "not a p-256 private key");
        let secret = p256::SecretKey::from_slice(scalar).map_err(|_| invalid())?;
        let point = secret.public_key().to_encoded_point(false);
        let public = <[u8; 65]>::try_from(point.as_bytes()).map_err(|_| invalid())?;
        let random = SystemRandom::new();
        let pair = EcdsaKeyPair::from_private_key_and_public_key(
            &ECDSA_P256_SHA256_FIXED_SIGNING,
            scalar,
            &public,
            &random,
        )
        .map_err(|_| invalid())?;
        Ok(Self { pair, public, random })
    }

    /// The public key as an uncompressed point (0x04, X, Y).
    pub fn public(&self) -> &[u8; 65] {
        &self.public
    }

    /// Signs `message`: 64 bytes, r then s (RFC 7518 §3.4).
    ///
    /// # Errors
    /// `Internal` when the system gives no randomness.
    pub fn sign(&self, message: &[u8]) -> Result<[u8; 64], Error> {
        let failed = || Error::new(ErrorKind::Internal, "signing failed");
        let signature = self.pair.sign(&self.random, message).map_err(|_| failed())?;
        <[u8; 64]>::try_from(signature.as_ref()).map_err(|_| failed())
    }
}

impl fmt::Debug for Es256Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Es256Key([redacted])")
    }
}
