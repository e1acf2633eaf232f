//! Signatures, key agreement and sealing. The only importer of `ring`, and of
//! `p256` for what `ring` cannot do: import a bare scalar, derive a public key,
//! import an ECDH key.

pub(crate) mod base64;
pub(crate) mod jwt;

pub(crate) mod ece;

mod es256;
mod keys;
mod random;
mod rs256;

pub use es256::{Es256Key, Es256PublicKey};
pub use keys::KeySource;
pub(crate) use keys::{content, escape_raw_controls};
pub(crate) use random::random_u64;
pub use rs256::Rs256Key;

/// SHA-256 (FIPS 180-4).
pub(crate) fn sha256(bytes: &[u8]) -> [u8; 32] {
    let mut out = [0; 32];
    let digest = ring::digest::digest(&ring::digest::SHA256, bytes);
    out.copy_from_slice(digest.as_ref());
    out
}

#[cfg(test)]
mod wycheproof;
