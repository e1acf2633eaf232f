//! The receiving side of RFC 8291 and of the draft before it, on `p256`, `hkdf`
//! and `aes-gcm`.

use aes_gcm::Aes128Gcm;
use aes_gcm::aead::{Aead, KeyInit};
use hkdf::Hkdf;
use p256::{PublicKey, SecretKey};
use sha2::Sha256;

/// A subscription's key material.
pub(super) struct Keys {
    pub(super) secret: SecretKey,
    pub(super) public: Vec<u8>,
    pub(super) auth: [u8; 16],
}

/// Why a body cannot be read.
pub(super) type Why = &'static str;

/// The key id of an `aes128gcm` body: the sender's public point.
pub(super) fn sender_key(body: &[u8]) -> Option<&[u8]> {
    let length = usize::from(*body.get(20)?);
    body.get(21..21 + length)
}

/// One record, as RFC 8291 §4 wants it.
pub(super) fn aes128gcm(keys: &Keys, body: &[u8]) -> Result<Vec<u8>, Why> {
    let salt = body.get(..16).ok_or("shorter than its header")?;
    let rs = body
        .get(16..20)
        .and_then(|rs| rs.try_into().ok())
        .map(u32::from_be_bytes);
    let rs = usize::try_from(rs.ok_or("shorter than its header")?).map_err(|_| "record size out of range")?;
    let sender = sender_key(body).ok_or("shorter than its header")?;
    if sender.len() != 65 {
        return Err("the key id is not a 65-byte public key");
    }
    if !(18..1 << 31).contains(&rs) {
        return Err("record size out of range");
    }
    let record = body.get(86..).unwrap_or_default();
    if record.len() > rs {
        return Err("more than one record");
    }
    let shared = agree(keys, sender)?;
    let info = [b"WebPush: info\0".as_slice(), &keys.public, sender].concat();
    let ikm: [u8; 32] = expand(&keys.auth, &shared, &info)?;
    let cek: [u8; 16] = expand(salt, &ikm, b"Content-Encoding: aes128gcm\0")?;
    let nonce: [u8; 12] = expand(salt, &ikm, b"Content-Encoding: nonce\0")?;
    let mut plain = open(&cek, &nonce, record)?;
    while plain.last() == Some(&0) {
        plain.pop();
    }
    match plain.pop() {
        Some(2) => Ok(plain),
        Some(1) => Err("the only record is not marked as the last"),
        _ => Err("no delimiter"),
    }
}

/// One record of the legacy encoding: padding first, key and salt in headers.
pub(super) fn aesgcm(keys: &Keys, salt: &[u8], sender: &[u8], body: &[u8]) -> Result<Vec<u8>, Why> {
    if salt.len() != 16 || sender.len() != 65 {
        return Err("salt or dh has the wrong length");
    }
    let shared = agree(keys, sender)?;
    let ikm: [u8; 32] = expand(&keys.auth, &shared, b"Content-Encoding: auth\0")?;
    let context = [b"P-256\0\0\x41".as_slice(), &keys.public, b"\0\x41", sender].concat();
    let info = |what: &[u8]| [b"Content-Encoding: ", what, b"\0", context.as_slice()].concat();
    let cek: [u8; 16] = expand(salt, &ikm, &info(b"aesgcm"))?;
    let nonce: [u8; 12] = expand(salt, &ikm, &info(b"nonce"))?;
    let plain = open(&cek, &nonce, body)?;
    let pad = plain
        .get(..2)
        .and_then(|pad| pad.try_into().ok())
        .map(u16::from_be_bytes);
    let pad = usize::from(pad.ok_or("no padding length")?);
    let padding = plain.get(2..2 + pad).ok_or("padding longer than the record")?;
    if padding.iter().any(|byte| *byte != 0) {
        return Err("padding is not zero");
    }
    Ok(plain.get(2 + pad..).unwrap_or_default().to_vec())
}

fn agree(keys: &Keys, sender: &[u8]) -> Result<Vec<u8>, Why> {
    let sender = PublicKey::from_sec1_bytes(sender).map_err(|_| "the sender's key is not on the curve")?;
    let shared = p256::ecdh::diffie_hellman(keys.secret.to_nonzero_scalar(), sender.as_affine());
    Ok(shared.raw_secret_bytes().to_vec())
}

fn expand<const N: usize>(salt: &[u8], ikm: &[u8], info: &[u8]) -> Result<[u8; N], Why> {
    let mut out = [0; N];
    Hkdf::<Sha256>::new(Some(salt), ikm)
        .expand(info, &mut out)
        .map_err(|_| "key derivation failed")?;
    Ok(out)
}

fn open(key: &[u8; 16], nonce: &[u8; 12], sealed: &[u8]) -> Result<Vec<u8>, Why> {
    let cipher = Aes128Gcm::new(key.into());
    cipher
        .decrypt(nonce.into(), sealed)
        .map_err(|_| "authentication failed: wrong keys or damaged")
}

#[cfg(test)]
mod tests {
    use super::{Keys, aes128gcm, aesgcm};
    use crate::ids::from_b64url;
    use p256::SecretKey;
    use p256::elliptic_curve::sec1::ToEncodedPoint;

    fn read(
        encoding: &str,
        secret: &str,
        auth: &str,
        headers: Option<(&str, &str)>,
        body: &str,
    ) -> Result<Vec<u8>, &'static str> {
        let bytes = |text: &str| from_b64url(text).expect("vector");
        let secret = SecretKey::from_slice(&bytes(secret)).expect("vector");
        let public = secret.public_key().to_encoded_point(false).as_bytes().to_vec();
        let auth: [u8; 16] = bytes(auth).try_into().expect("vector");
        let keys = Keys { secret, public, auth };
        match (encoding, headers) {
            ("aesgcm", Some((salt, dh))) => aesgcm(&keys, &bytes(salt), &bytes(dh), &bytes(body)),
            _ => aes128gcm(&keys, &bytes(body)),
        }
    }

    const SECRET: &str = "q1dXpw3UpT5VOmu_cf_v6ih07Aems3njxI-JWgLcM94";
    const AUTH: &str = "BTBZMqHH6r4Tts7J_aSIgg";
    const BODY: &str = "DGv6ra1nlYgDCS1FRnbzlwAAEABBBP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27mlmlMoZIIgDll6e3vCYLocInmYWAmS6TlzAC8wEqKK6PBru3jl7A_yl95bQpu6cVPTpK4Mqgkf1CXztLVBSt2Ks3oZwbuwXPXLWyouBWLVWGNWQexSgSxsj_Qulcy4a-fN";

    #[test]
    fn rfc_8291_appendix_a() {
        let plain = read("aes128gcm", SECRET, AUTH, None, BODY).expect("opens");
        assert_eq!(plain, b"When I grow up, I want to be a watermelon");
    }

    #[test]
    fn smallest_record_of_rust_ece() {
        let plain = read(
            "aes128gcm",
            "J0M_q4lws8tShLYRg--0YoZWLNKnMw2MrpYJEaVXHQw",
            "1loE35Xy215gSDn3F9zeeQ",
            None,
            "fK69vCCTjuNAqUbxvU9o8QAAABJBBDfP21Ij2fleqgL27ZQP8i6vBbNiLpSdw86fM15u-bJq6qzKD3QICos2RZLyzMbV7d1DAEtwuRiH0UTZ-pPxbDvH6mj0_VR6lOyoSxbhOKYIAXc",
        );
        assert_eq!(plain.expect("opens"), b"1");
    }

    #[test]
    fn legacy_draft_vector() {
        let plain = read(
            "aesgcm",
            "9FWl15_QUQAWDaD3k3l50ZBZQJ4au27F1V4F0uLSD_M",
            "R29vIGdvbyBnJyBqb29iIQ",
            Some((
                "lngarbyKfMoi9Z75xYXmkg",
                "BNoRDbb84JGm8g5Z5CFxurSqsXWJ11ItfXEWYVLE85Y7CYkDjXsIEc4aqxYaQ1G8BqkXCJ6DPpDrWtdWj_mugHU",
            )),
            "6nqAQUME8hNqw5J3kl8cpVVJylXKYqZOeseZG8UueKpA",
        );
        assert_eq!(plain.expect("opens"), b"I am the walrus");
    }

    #[test]
    fn a_flipped_bit_is_noticed_everywhere() {
        let body = from_b64url(BODY).expect("vector");
        for at in (0..body.len()).filter(|at| !(16..20).contains(at)) {
            let mut broken = body.clone();
            broken[at] ^= 1;
            assert!(
                read("aes128gcm", SECRET, AUTH, None, &crate::ids::b64url(&broken)).is_err(),
                "byte {at}"
            );
        }
    }
}
