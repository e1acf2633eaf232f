//! A P-256 private key before anybody signs or agrees with it.

use p256::elliptic_curve::sec1::ToEncodedPoint;
use ring::rand::{SecureRandom, SystemRandom};
use zeroize::Zeroizing;

use super::keys::{self, Material, invalid};
use crate::error::{Error, ErrorKind};

/// The scalar of a P-256 private key, checked to be in range, and its point.
///
/// Keys that sign and keys that agree are both made from it, because an app that only receives would otherwise carry the tables of a signer.
pub(super) struct PrivateKey {
    scalar: Zeroizing<[u8; 32]>,
    point: [u8; 65],
}

impl PrivateKey {
    /// Reads a key in any form; [`super::Es256Key::read`] lists the forms and the errors.
    pub(super) fn read(input: &[u8]) -> Result<Self, Error> {
        match keys::read(input)? {
            Material::EcPrivate { scalar, public } => {
                let key = Self::from_scalar(&scalar)?;
                match public {
                    Some(public) if public != key.point => Err(keys::mismatch()),
                    _ => Ok(key),
                }
            }
            Material::EcPublic(_) => Err(keys::wrong_type("a public key", "a private one")),
            Material::RsaPkcs8(_) | Material::RsaPkcs1(_) => {
                Err(keys::wrong_type("an rsa key", "a p-256 key"))
            }
            Material::OtherCurve(curve) => Err(wrong_curve(curve)),
            Material::Other(what) => Err(keys::wrong_type(what, "a p-256 private key")),
        }
    }

    /// From the 32 bytes of the scalar, big-endian.
    ///
    /// # Errors
    /// `InvalidKey` when the scalar is zero or not below the group order.
    pub(super) fn from_scalar(scalar: &[u8; 32]) -> Result<Self, Error> {
        let secret = p256::SecretKey::from_slice(scalar).map_err(|_| out_of_range())?;
        let point = secret.public_key().to_encoded_point(false);
        let point = <[u8; 65]>::try_from(point.as_bytes()).map_err(|_| out_of_range())?;
        Ok(Self {
            scalar: Zeroizing::new(*scalar),
            point,
        })
    }

    /// A new key from the system's generator.
    ///
    /// # Errors
    /// `Internal` when the system gives no randomness.
    pub(super) fn generate() -> Result<Self, Error> {
        let random = SystemRandom::new();
        let mut scalar = Zeroizing::new([0; 32]);
        // One try in 2^32 falls outside the range; eight in a row mean a broken generator.
        for _ in 0..8 {
            if random.fill(scalar.as_mut_slice()).is_err() {
                break;
            }
            if let Ok(key) = Self::from_scalar(&scalar) {
                return Ok(key);
            }
        }
        Err(Error::new(ErrorKind::Internal, "the system gives no randomness"))
    }

    pub(super) fn scalar(&self) -> &[u8; 32] {
        &self.scalar
    }

    /// The uncompressed point (0x04, X, Y).
    pub(super) fn point(&self) -> &[u8; 65] {
        &self.point
    }
}

pub(super) fn out_of_range() -> Error {
    invalid("the private key is out of the range of p-256")
}

pub(super) fn wrong_curve(curve: &str) -> Error {
    Error::new(
        ErrorKind::WrongCurve,
        format!("a key on {curve} where p-256 is needed"),
    )
}
