//! The key schedule of one message (RFC 8291 §3.3 and §3.4, RFC 8188 §2.2 and
//! §2.3) and its records.

use ring::aead::{AES_128_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use ring::hkdf::{HKDF_SHA256, KeyType, Prk, Salt};
use zeroize::Zeroizing;

use super::{TAG, ciphertext, internal};
use crate::error::{Error, ErrorKind};

/// The content-encryption key and the nonce base of one message.
pub(super) struct Keys {
    pub(super) cek: LessSafeKey,
    pub(super) nonce: [u8; 12],
}

impl Keys {
    pub(super) fn aes128gcm(
        ecdh_secret: &[u8],
        salt: &[u8; 16],
        auth: &[u8; 16],
        receiver: &[u8; 65],
        sender: &[u8; 65],
    ) -> Result<Self, Error> {
        let info = [b"WebPush: info\0", &receiver[..], &sender[..]];
        let mut ikm = Zeroizing::new([0; 32]);
        expand(
            &Salt::new(HKDF_SHA256, auth).extract(ecdh_secret),
            &info,
            ikm.as_mut_slice(),
        )?;
        let prk = Salt::new(HKDF_SHA256, salt).extract(ikm.as_slice());
        Self::expand(
            &prk,
            &[b"Content-Encoding: aes128gcm\0"],
            &[b"Content-Encoding: nonce\0"],
        )
    }

    pub(super) fn aesgcm(
        ecdh_secret: &[u8],
        salt: &[u8; 16],
        auth: &[u8; 16],
        receiver: &[u8; 65],
        sender: &[u8; 65],
    ) -> Result<Self, Error> {
        let mut ikm = Zeroizing::new([0; 32]);
        let combine = Salt::new(HKDF_SHA256, auth).extract(ecdh_secret);
        expand(&combine, &[b"Content-Encoding: auth\0"], ikm.as_mut_slice())?;
        let prk = Salt::new(HKDF_SHA256, salt).extract(ikm.as_slice());
        let with_context = |label: &'static [u8]| -> [&[u8]; 6] {
            [label, b"P-256\0", b"\0\x41", receiver, b"\0\x41", sender]
        };
        Self::expand(
            &prk,
            &with_context(b"Content-Encoding: aesgcm\0"),
            &with_context(b"Content-Encoding: nonce\0"),
        )
    }

    pub(super) fn expand(prk: &Prk, key_info: &[&[u8]], nonce_info: &[&[u8]]) -> Result<Self, Error> {
        let mut key = Zeroizing::new([0; 16]);
        let mut nonce = [0; 12];
        expand(prk, key_info, key.as_mut_slice())?;
        expand(prk, nonce_info, &mut nonce)?;
        let cek = UnboundKey::new(&AES_128_GCM, key.as_slice()).map_err(|_| internal())?;
        Ok(Self {
            cek: LessSafeKey::new(cek),
            nonce,
        })
    }

    /// The nonce of record `index`: the base xor the index (RFC 8188 §2.3).
    pub(super) fn nonce(&self, index: usize) -> Nonce {
        let mut nonce = self.nonce;
        let index = u64::try_from(index).unwrap_or(u64::MAX).to_be_bytes();
        for (byte, other) in nonce[4..].iter_mut().zip(index) {
            *byte ^= other;
        }
        Nonce::assume_unique_for_key(nonce)
    }

    /// Appends the one record, encrypted, and its tag.
    pub(super) fn seal(&self, record: &[u8], out: &mut Vec<u8>) -> Result<(), Error> {
        let start = out.len();
        out.extend_from_slice(record);
        let plain = out.get_mut(start..).ok_or_else(internal)?;
        let tag = self
            .cek
            .seal_in_place_separate_tag(self.nonce(0), Aad::empty(), plain)
            .map_err(|_| internal())?;
        out.extend_from_slice(tag.as_ref());
        Ok(())
    }

    /// Appends one record, decrypted. On failure `out` may have grown; it holds no plaintext.
    pub(super) fn open(&self, index: usize, record: &[u8], out: &mut Vec<u8>) -> Result<(), Error> {
        if record.len() <= TAG {
            return Err(ciphertext("a record shorter than its tag"));
        }
        let start = out.len();
        out.extend_from_slice(record);
        let sealed = out.get_mut(start..).ok_or_else(internal)?;
        let len = self
            .cek
            .open_in_place(self.nonce(index), Aad::empty(), sealed)
            .map_err(|_| {
                Error::new(
                    ErrorKind::DecryptionFailed,
                    "not for this key, or changed on the way",
                )
            })?
            .len();
        out.truncate(start + len);
        Ok(())
    }
}

/// HKDF-Expand to the length of `out`.
fn expand(prk: &Prk, info: &[&[u8]], out: &mut [u8]) -> Result<(), Error> {
    struct Len(usize);
    impl KeyType for Len {
        fn len(&self) -> usize {
            self.0
        }
    }
    prk.expand(info, Len(out.len()))
        .and_then(|okm| okm.fill(out))
        .map_err(|_| internal())
}
