//! Encrypted content encoding for Web Push: `aes128gcm` (RFC 8188 with RFC 8291)
//! and the legacy `aesgcm` (draft-ietf-webpush-encryption-04).
//!
//! Sealing runs on `ring` alone. Opening needs an imported ECDH key, which `ring`
//! does not have: `p256` agrees, `ring` decrypts.

mod keys;

use ring::agreement::{ECDH_P256, EphemeralPrivateKey, UnparsedPublicKey, agree_ephemeral};
use ring::rand::{SecureRandom, SystemRandom};
use zeroize::Zeroizing;

use self::keys::Keys;
use super::private::PrivateKey;
use crate::error::{Error, ErrorKind};
use crate::secret::Secret;

/// The length of a GCM tag.
pub(crate) const TAG: usize = 16;
/// The `aes128gcm` header of a push: salt, record size, key id length, key id (RFC 8188 §2.1).
pub(crate) const HEADER: usize = 16 + 4 + 1 + 65;
/// The record size that is announced, and the largest body that every push
/// service must take (RFC 8030 §7.2). Browsers read one record only.
pub(crate) const RECORD_SIZE: u32 = 4096;

/// The recipient of a sealed message: the subscription's `p256dh` and `auth`.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct ReceiverPublic {
    /// An uncompressed point, checked to be on the curve.
    pub(crate) point: [u8; 65],
    pub(crate) auth: [u8; 16],
}

/// The sender's half of one message, new for each: RFC 8291 §3.1 forbids re-use.
pub(crate) struct SenderHalf<'a> {
    pub(crate) ecdh_secret: &'a [u8],
    pub(crate) public: &'a [u8; 65],
    pub(crate) salt: &'a [u8; 16],
}

/// Appends the body of a message: header, one record, tag. `record` is the
/// plaintext, its delimiter and its padding, prepared once for all receivers.
///
/// # Errors
/// `InvalidSubscription` when the point is off the curve; `Internal` without randomness.
pub(crate) fn seal_aes128gcm(
    receiver: &ReceiverPublic,
    record: &[u8],
    out: &mut Vec<u8>,
) -> Result<(), Error> {
    with_fresh_half(receiver, |half| seal_aes128gcm_with(receiver, half, record, out))
}

/// [`seal_aes128gcm`] with the sender's half given.
pub(crate) fn seal_aes128gcm_with(
    receiver: &ReceiverPublic,
    half: &SenderHalf<'_>,
    record: &[u8],
    out: &mut Vec<u8>,
) -> Result<(), Error> {
    out.reserve(HEADER + record.len() + TAG);
    out.extend_from_slice(half.salt);
    out.extend_from_slice(&RECORD_SIZE.to_be_bytes());
    out.push(65);
    out.extend_from_slice(half.public);
    let keys = Keys::aes128gcm(
        half.ecdh_secret,
        half.salt,
        &receiver.auth,
        &receiver.point,
        half.public,
    )?;
    keys.seal(record, out)
}

/// Appends one `aesgcm` record and returns the salt and the sender's public key,
/// which travel in the headers. `record` begins with the padding.
///
/// # Errors
/// As [`seal_aes128gcm`].
#[cfg(any(test, feature = "aesgcm"))]
pub(crate) fn seal_aesgcm(
    receiver: &ReceiverPublic,
    record: &[u8],
    out: &mut Vec<u8>,
) -> Result<([u8; 16], [u8; 65]), Error> {
    with_fresh_half(receiver, |half| {
        seal_aesgcm_with(receiver, half, record, out)?;
        Ok((*half.salt, *half.public))
    })
}

/// [`seal_aesgcm`] with the sender's half given.
#[cfg(any(test, feature = "aesgcm"))]
pub(crate) fn seal_aesgcm_with(
    receiver: &ReceiverPublic,
    half: &SenderHalf<'_>,
    record: &[u8],
    out: &mut Vec<u8>,
) -> Result<(), Error> {
    out.reserve(record.len() + TAG);
    let keys = Keys::aesgcm(
        half.ecdh_secret,
        half.salt,
        &receiver.auth,
        &receiver.point,
        half.public,
    )?;
    keys.seal(record, out)
}

fn with_fresh_half<T>(
    receiver: &ReceiverPublic,
    seal: impl FnOnce(&SenderHalf<'_>) -> Result<T, Error>,
) -> Result<T, Error> {
    // Holds nothing: it asks the operating system each time, so a fork is no danger.
    let random = &SystemRandom::new();
    let mut salt = [0; 16];
    random.fill(&mut salt).map_err(|_| no_randomness())?;
    let private = EphemeralPrivateKey::generate(&ECDH_P256, random).map_err(|_| no_randomness())?;
    let public = private.compute_public_key().map_err(|_| no_randomness())?;
    let public = <[u8; 65]>::try_from(public.as_ref()).map_err(|_| internal())?;
    let peer = UnparsedPublicKey::new(&ECDH_P256, &receiver.point);
    agree_ephemeral(private, &peer, |ecdh_secret| {
        seal(&SenderHalf {
            ecdh_secret,
            public: &public,
            salt: &salt,
        })
    })
    .map_err(|_| Error::new(ErrorKind::InvalidSubscription, "p256dh is not a point of p-256"))?
}

/// A private key for key agreement, with its public key. The private half is overwritten when it is dropped.
pub(crate) struct EcdhSecret {
    key: p256::SecretKey,
    point: [u8; 65],
}

impl EcdhSecret {
    /// Reads a key in any form that [`super::Es256Key::read`] takes, with the same errors.
    pub(crate) fn read(input: &[u8]) -> Result<Self, Error> {
        Self::of(&PrivateKey::read(input)?)
    }

    /// A new key from the system's generator.
    ///
    /// # Errors
    /// `Internal` when the system gives no randomness.
    pub(crate) fn generate() -> Result<Self, Error> {
        Self::of(&PrivateKey::generate()?)
    }

    fn of(key: &PrivateKey) -> Result<Self, Error> {
        Ok(Self {
            key: p256::SecretKey::from_slice(key.scalar()).map_err(|_| internal())?,
            point: *key.point(),
        })
    }

    /// The uncompressed point (0x04, X, Y).
    pub(crate) fn public(&self) -> &[u8; 65] {
        &self.point
    }

    /// A JSON Web Key with its private member.
    pub(crate) fn to_jwk(&self) -> Secret<String> {
        let scalar = Zeroizing::new(<[u8; 32]>::from(self.key.to_bytes()));
        let mut jwk = super::keys::write_jwk(Some(&scalar), &self.point);
        Secret::new(std::mem::take(&mut *jwk))
    }
}

/// The receiver's private half.
pub(crate) struct ReceiverPrivate<'a> {
    pub(crate) secret: &'a EcdhSecret,
    pub(crate) public: &'a ReceiverPublic,
}

impl ReceiverPrivate<'_> {
    /// The x-coordinate of the shared point, leading zeros kept.
    ///
    /// # Errors
    /// `InvalidCiphertext` when the sender's key is not an uncompressed point of the curve.
    pub(crate) fn agree(&self, sender: &[u8; 65]) -> Result<Zeroizing<[u8; 32]>, Error> {
        let malformed = || ciphertext("the sender's public key is not a point of p-256");
        if sender[0] != 4 {
            return Err(malformed());
        }
        let sender = p256::PublicKey::from_sec1_bytes(sender).map_err(|_| malformed())?;
        let shared = p256::ecdh::diffie_hellman(self.secret.key.to_nonzero_scalar(), sender.as_affine());
        Ok(Zeroizing::new((*shared.raw_secret_bytes()).into()))
    }

    /// Decrypts a body of one or more records (RFC 8188 §2).
    ///
    /// # Errors
    /// `InvalidCiphertext` for a body that is malformed, `DecryptionFailed` for one that
    /// is not for this key or was changed on the way.
    pub(crate) fn open_aes128gcm(&self, body: &[u8]) -> Result<Vec<u8>, Error> {
        let (salt, rest) = body
            .split_first_chunk::<16>()
            .ok_or_else(|| ciphertext("the body is shorter than its header"))?;
        let (record_size, rest) = rest
            .split_first_chunk::<4>()
            .ok_or_else(|| ciphertext("the body is shorter than its header"))?;
        let record_size = u32::from_be_bytes(*record_size);
        if record_size < 18 {
            return Err(ciphertext("the record size is below 18"));
        }
        let (id_len, rest) = rest
            .split_first_chunk::<1>()
            .ok_or_else(|| ciphertext("the body is shorter than its header"))?;
        if id_len[0] != 65 {
            return Err(ciphertext("the key id is not a public key of 65 bytes"));
        }
        let (sender, records) = rest
            .split_first_chunk::<65>()
            .ok_or_else(|| ciphertext("the body is shorter than its header"))?;
        if records.is_empty() {
            return Err(ciphertext("the body holds no record"));
        }
        let ecdh_secret = self.agree(sender)?;
        let keys = Keys::aes128gcm(
            ecdh_secret.as_slice(),
            salt,
            &self.public.auth,
            &self.public.point,
            sender,
        )?;
        // Nothing is allocated by what the header says: the body's length is the bound.
        let record_size = usize::try_from(record_size).unwrap_or(usize::MAX);
        let mut plain = Vec::with_capacity(records.len());
        let count = records.len().div_ceil(record_size);
        for (index, record) in records.chunks(record_size).enumerate() {
            let start = plain.len();
            keys.open(index, record, &mut plain)?;
            let padded = plain.get(start..).unwrap_or_default();
            let end = padded
                .iter()
                .rposition(|byte| *byte != 0)
                .ok_or_else(|| ciphertext("a record without its delimiter"))?;
            match (padded.get(end), index + 1 == count) {
                (Some(1), false) | (Some(2), true) => plain.truncate(start + end),
                (Some(1), true) => return Err(ciphertext("the last record is missing")),
                (Some(2), false) => return Err(ciphertext("there are records after the last one")),
                _ => return Err(ciphertext("a record with an unknown delimiter")),
            }
        }
        Ok(plain)
    }

    /// Decrypts an `aesgcm` body. `record_size` counts plaintext only.
    ///
    /// # Errors
    /// As [`ReceiverPrivate::open_aes128gcm`].
    pub(crate) fn open_aesgcm(
        &self,
        sender: &[u8; 65],
        salt: &[u8; 16],
        record_size: u32,
        body: &[u8],
    ) -> Result<Vec<u8>, Error> {
        if record_size < 3 {
            return Err(ciphertext("the record size is below 3"));
        }
        let chunk = usize::try_from(record_size)
            .unwrap_or(usize::MAX)
            .saturating_add(TAG);
        // A full last record means that the one after it, the end mark, was cut off.
        if body.is_empty() || body.len() % chunk == 0 {
            return Err(ciphertext("the last record is missing"));
        }
        let ecdh_secret = self.agree(sender)?;
        let keys = Keys::aesgcm(
            ecdh_secret.as_slice(),
            salt,
            &self.public.auth,
            &self.public.point,
            sender,
        )?;
        let mut plain = Vec::with_capacity(body.len());
        for (index, record) in body.chunks(chunk).enumerate() {
            let start = plain.len();
            keys.open(index, record, &mut plain)?;
            let padded = plain.get(start..).unwrap_or_default();
            let (pad, rest) = padded
                .split_first_chunk::<2>()
                .ok_or_else(|| ciphertext("a record without its padding length"))?;
            let pad = usize::from(u16::from_be_bytes(*pad));
            match rest.get(..pad) {
                Some(zeros) if zeros.iter().all(|byte| *byte == 0) => {}
                _ => return Err(ciphertext("a record whose padding is malformed")),
            }
            plain.drain(start..start + 2 + pad);
        }
        Ok(plain)
    }
}

fn ciphertext(context: &'static str) -> Error {
    Error::new(ErrorKind::InvalidCiphertext, context)
}

/// 16 bytes from the system's generator.
pub(crate) fn random_auth() -> Result<[u8; 16], Error> {
    let mut auth = [0; 16];
    SystemRandom::new().fill(&mut auth).map_err(|_| no_randomness())?;
    Ok(auth)
}

fn no_randomness() -> Error {
    Error::new(ErrorKind::Internal, "the system gives no randomness")
}

fn internal() -> Error {
    Error::new(ErrorKind::Internal, "sealing failed")
}

#[cfg(test)]
mod tests;
