//! ES256 keys (RFC 7518 §3.4): ECDSA on P-256 with SHA-256.

use std::fmt;

use ring::rand::SystemRandom;
use ring::signature::{
    ECDSA_P256_SHA256_FIXED, ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, UnparsedPublicKey,
};
use zeroize::Zeroizing;

use super::base64;
use super::keys::{self, Material};
use super::private::{PrivateKey, out_of_range, wrong_curve};
use crate::error::{Error, ErrorKind};
use crate::secret::Secret;

/// A P-256 private key that signs.
///
/// Its own copies are overwritten when it is dropped; `ring`'s are not.
pub struct Es256Key {
    pair: EcdsaKeyPair,
    scalar: Zeroizing<[u8; 32]>,
    public: Es256PublicKey,
    random: SystemRandom,
}

impl Es256Key {
    /// Reads a key in any form that people have, told apart by looking:
    ///
    /// * PEM: `PRIVATE KEY` (PKCS#8, an APNs `.p8` file) and `EC PRIVATE KEY`
    ///   (SEC1, with or without an `EC PARAMETERS` block before it), also with CRLF,
    ///   a byte order mark, `\n` written as two characters, quotes around it, or no
    ///   final newline;
    /// * DER of either, with or without the public key inside, and base64 of it;
    /// * a JSON Web Key, and the JSON of `web-push generate-vapid-keys --json`;
    /// * the 32 bytes of the private key, raw or in base64 (either alphabet, padded or not).
    ///
    /// # Errors
    /// * `InvalidKey`: none of these, cut short, bytes after the key, two keys in
    ///   one text, out of range, or longer than 64 KiB;
    /// * `WrongKeyType`: RSA, Ed25519, a public key, a certificate ...;
    /// * `WrongCurve`: P-384, secp256k1 ...;
    /// * `EncryptedKey`: needs a password; PKCS#12 too;
    /// * `KeyMismatch`: the public key inside belongs to another private key.
    pub fn read(input: &[u8]) -> Result<Self, Error> {
        Self::of(&PrivateKey::read(input)?)
    }

    /// Reads a key as [`Es256Key::read`] does, under the name of the usual form.
    ///
    /// # Errors
    /// As [`Es256Key::read`].
    pub fn from_pem(pem: &[u8]) -> Result<Self, Error> {
        Self::read(pem)
    }

    /// From the 32 bytes of the private scalar, big-endian.
    ///
    /// # Errors
    /// `InvalidKey` when the scalar is zero or not below the group order.
    pub fn from_scalar(scalar: &[u8; 32]) -> Result<Self, Error> {
        Self::of(&PrivateKey::from_scalar(scalar)?)
    }

    /// A new key from the system's generator.
    ///
    /// # Errors
    /// `Internal` when the system gives no randomness.
    pub fn generate() -> Result<Self, Error> {
        Self::of(&PrivateKey::generate()?)
    }

    fn of(key: &PrivateKey) -> Result<Self, Error> {
        let random = SystemRandom::new();
        let pair = EcdsaKeyPair::from_private_key_and_public_key(
            &ECDSA_P256_SHA256_FIXED_SIGNING,
            key.scalar(),
            key.point(),
            &random,
        )
        .map_err(|_| out_of_range())?;
        Ok(Self {
            pair,
            scalar: Zeroizing::new(*key.scalar()),
            public: Es256PublicKey { point: *key.point() },
            random,
        })
    }

    /// The public key as an uncompressed point (0x04, X, Y).
    pub fn public(&self) -> &[u8; 65] {
        &self.public.point
    }

    /// The public key.
    pub fn public_key(&self) -> &Es256PublicKey {
        &self.public
    }

    /// Checks that `public`, in any form that [`Es256PublicKey::read`] takes, is this key's own.
    ///
    /// # Errors
    /// `KeyMismatch`, or those of [`Es256PublicKey::read`].
    pub fn check_public(&self, public: &[u8]) -> Result<(), Error> {
        match Es256PublicKey::read(public)? == self.public {
            true => Ok(()),
            false => Err(keys::mismatch()),
        }
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

    /// PKCS#8 in PEM (`PRIVATE KEY`), the public key inside.
    pub fn to_pkcs8_pem(&self) -> Secret<String> {
        pem(
            "PRIVATE KEY",
            &keys::write_pkcs8(&self.scalar, &self.public.point),
        )
    }

    /// PKCS#8 in DER, the public key inside: 138 bytes.
    pub fn to_pkcs8_der(&self) -> Secret<Vec<u8>> {
        take(keys::write_pkcs8(&self.scalar, &self.public.point))
    }

    /// SEC1 in PEM (`EC PRIVATE KEY`), curve and public key inside.
    pub fn to_sec1_pem(&self) -> Secret<String> {
        pem(
            "EC PRIVATE KEY",
            &keys::write_sec1(&self.scalar, &self.public.point),
        )
    }

    /// SEC1 in DER, curve and public key inside: 121 bytes.
    pub fn to_sec1_der(&self) -> Secret<Vec<u8>> {
        take(keys::write_sec1(&self.scalar, &self.public.point))
    }

    /// A JSON Web Key with its private member.
    pub fn to_jwk(&self) -> Secret<String> {
        take(keys::write_jwk(Some(&self.scalar), &self.public.point))
    }

    /// The 32 bytes of the private key in unpadded base64url: 43 characters, the
    /// form of `web-push generate-vapid-keys`.
    pub fn to_base64(&self) -> Secret<String> {
        Secret::new(base64::encode(self.scalar.as_slice()))
    }
}

impl fmt::Debug for Es256Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Es256Key([redacted])")
    }
}

/// A P-256 public key: a point known to be on the curve.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Es256PublicKey {
    point: [u8; 65],
}

impl Es256PublicKey {
    /// Reads a public key in any form: `PUBLIC KEY` PEM, DER (SPKI), JWK, or the
    /// point raw or in base64.
    ///
    /// # Errors
    /// As [`Es256Key::read`]; `WrongKeyType` for a private key.
    pub fn read(input: &[u8]) -> Result<Self, Error> {
        match keys::read(input)? {
            Material::EcPublic(point) => Ok(Self { point }),
            Material::EcPrivate { .. } => Err(keys::wrong_type("a private key", "a public one")),
            Material::RsaPkcs8(_) | Material::RsaPkcs1(_) => {
                Err(keys::wrong_type("an rsa key", "a p-256 public key"))
            }
            Material::OtherCurve(curve) => Err(wrong_curve(curve)),
            Material::Other(what) => Err(keys::wrong_type(what, "a p-256 public key")),
        }
    }

    /// The uncompressed point (0x04, X, Y).
    pub fn as_bytes(&self) -> &[u8; 65] {
        &self.point
    }

    /// The point in unpadded base64url: 87 characters, what JavaScript takes as
    /// `applicationServerKey`.
    pub fn to_base64(&self) -> String {
        base64::encode(&self.point)
    }

    /// SPKI in PEM (`PUBLIC KEY`).
    pub fn to_pem(&self) -> String {
        let mut pem = keys::write_pem("PUBLIC KEY", &keys::write_spki(&self.point));
        std::mem::take(&mut *pem)
    }

    /// SPKI in DER: 91 bytes.
    pub fn to_der(&self) -> Vec<u8> {
        keys::write_spki(&self.point)
    }

    /// A JSON Web Key.
    pub fn to_jwk(&self) -> String {
        std::mem::take(&mut *keys::write_jwk(None, &self.point))
    }

    /// Whether `signature` (64 bytes, r then s) over `message` was made by this key's owner.
    pub fn verifies(&self, message: &[u8], signature: &[u8]) -> bool {
        UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, &self.point)
            .verify(message, signature)
            .is_ok()
    }
}

impl fmt::Debug for Es256PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Es256PublicKey({})", self.to_base64())
    }
}

fn pem(label: &str, der: &[u8]) -> Secret<String> {
    take(keys::write_pem(label, der))
}

/// Moves the value out of one overwriting wrapper into the other, without a copy.
fn take<T: zeroize::Zeroize + Default>(mut value: Zeroizing<T>) -> Secret<T> {
    Secret::new(std::mem::take(&mut *value))
}
