//! The vectors of RFC 8291, RFC 8188, the drafts, and other implementations.

use ring::aead::Aad;
use ring::hkdf::{HKDF_SHA256, Salt};

use super::*;
use crate::crypto::base64::{decode, decode_array, encode};
use crate::error::ErrorKind::{DecryptionFailed, InvalidCiphertext};

struct Receiver {
    secret: EcdhSecret,
    public: ReceiverPublic,
}

impl Receiver {
    fn new(private: &str, auth: &str) -> Self {
        let secret = EcdhSecret::read(private.as_bytes()).unwrap();
        let point = *secret.public();
        let auth = decode_array(auth).unwrap();
        Self {
            secret,
            public: ReceiverPublic { point, auth },
        }
    }

    fn private(&self) -> ReceiverPrivate<'_> {
        ReceiverPrivate {
            secret: &self.secret,
            public: &self.public,
        }
    }
}

fn rfc8291() -> Receiver {
    Receiver::new(
        "q1dXpw3UpT5VOmu_cf_v6ih07Aems3njxI-JWgLcM94",
        "BTBZMqHH6r4Tts7J_aSIgg",
    )
}

const RFC8291_BODY: &str = "DGv6ra1nlYgDCS1FRnbzlwAAEABBBP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27mlmlMoZIIgDll6e3vCYLocInmYWAmS6TlzAC8wEqKK6PBru3jl7A_yl95bQpu6cVPTpK4Mqgkf1CXztLVBSt2Ks3oZwbuwXPXLWyouBWLVWGNWQexSgSxsj_Qulcy4a-fN";
const WATERMELON: &[u8] = b"When I grow up, I want to be a watermelon";

#[test]
fn rfc8291_appendix_a_byte_for_byte() {
    let receiver = rfc8291();
    assert_eq!(
        encode(&receiver.public.point),
        "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4"
    );
    let sender = Receiver::new(
        "yfWPiYE-n46HLnH0KqZOF1fJJU3MYrct3AELtAQ-oRw",
        "BTBZMqHH6r4Tts7J_aSIgg",
    );
    let ecdh_secret = sender.private().agree(&receiver.public.point).unwrap();
    assert_eq!(
        encode(ecdh_secret.as_slice()),
        "kyrL1jIIOHEzg3sM2ZWRHDRB62YACZhhSlknJ672kSs"
    );
    assert_eq!(
        *receiver.private().agree(&sender.public.point).unwrap(),
        *ecdh_secret
    );
    let half = SenderHalf {
        ecdh_secret: ecdh_secret.as_slice(),
        public: &sender.public.point,
        salt: &decode_array("DGv6ra1nlYgDCS1FRnbzlw").unwrap(),
    };
    let mut body = b"kept".to_vec();
    seal_aes128gcm_with(&receiver.public, &half, &[WATERMELON, &[2]].concat(), &mut body).unwrap();
    assert_eq!(&body[..4], b"kept");
    assert_eq!(encode(&body[4..]), RFC8291_BODY);
    assert_eq!(receiver.private().open_aes128gcm(&body[4..]).unwrap(), WATERMELON);
}

/// RFC 8188 §3.1 and §3.2: its keying material is given, there is no key agreement.
#[test]
fn rfc8188_key_schedule_and_records() {
    let keys = |ikm: &str, salt: &str| {
        let prk = Salt::new(HKDF_SHA256, &decode(salt).unwrap()).extract(&decode(ikm).unwrap());
        Keys::expand(
            &prk,
            &[b"Content-Encoding: aes128gcm\0"],
            &[b"Content-Encoding: nonce\0"],
        )
        .unwrap()
    };
    let one = keys("yqdlZ-tYemfogSmv7Ws5PQ", "I1BsxtFttlv3u_Oo94xnmw");
    assert_eq!(encode(&one.nonce), "Bcs8gkIRKLI8GeI8");
    let mut out = Vec::new();
    one.seal(b"I am the walrus\x02", &mut out).unwrap();
    assert_eq!(encode(&out), "-NAVub2qFgBEuQKRapoZu-IxkIva3MEB1PD-ly8Thjg");

    let two = keys("BO3ZVPxUlnLORbVGMpbT1Q", "uNCkWiNYzKTnBN9ji3-qWA");
    assert_eq!(encode(&two.nonce), "VqylG1rdt-mJrNgP");
    assert_eq!(encode(two.nonce(1).as_ref()), "VqylG1rdt-mJrNgO");
    let body = decode(
        "uNCkWiNYzKTnBN9ji3-qWAAAABkCYTHOG8chz_gnvgOqdGYovxyjuqRyJFjEDyoF1Fvkj6hQPdPHI51OEUKEpgz3SsLWIqS_uA",
    )
    .unwrap();
    let records = &body[16 + 4 + 1 + 2..];
    let mut plain = Vec::new();
    two.open(0, &records[..25], &mut plain).unwrap();
    assert_eq!(plain, b"I am th\x01\x00");
    plain.clear();
    two.open(1, &records[25..], &mut plain).unwrap();
    assert_eq!(plain, b"e walrus\x02");
}

#[test]
fn smallest_record_of_another_implementation() {
    let receiver = Receiver::new(
        "J0M_q4lws8tShLYRg--0YoZWLNKnMw2MrpYJEaVXHQw",
        "1loE35Xy215gSDn3F9zeeQ",
    );
    let body = decode("fK69vCCTjuNAqUbxvU9o8QAAABJBBDfP21Ij2fleqgL27ZQP8i6vBbNiLpSdw86fM15u-bJq6qzKD3QICos2RZLyzMbV7d1DAEtwuRiH0UTZ-pPxbDvH6mj0_VR6lOyoSxbhOKYIAXc").unwrap();
    assert_eq!(receiver.private().open_aes128gcm(&body).unwrap(), b"1");
}

#[test]
fn aesgcm_vectors() {
    let receiver = Receiver::new(
        "9FWl15_QUQAWDaD3k3l50ZBZQJ4au27F1V4F0uLSD_M",
        "R29vIGdvbyBnJyBqb29iIQ",
    );
    let sender = Receiver::new(
        "nCScek-QpEjmOOlT-rQ38nZzvdPlqa00Zy0i6m2OJvY",
        "R29vIGdvbyBnJyBqb29iIQ",
    );
    let salt = decode_array("lngarbyKfMoi9Z75xYXmkg").unwrap();
    let ecdh_secret = sender.private().agree(&receiver.public.point).unwrap();
    assert_eq!(
        encode(ecdh_secret.as_slice()),
        "RNjC-NVW4BGJbxWPW7G2mowsLeDa53LYKYm4--NOQ6Y"
    );
    let half = SenderHalf {
        ecdh_secret: ecdh_secret.as_slice(),
        public: &sender.public.point,
        salt: &salt,
    };
    let mut body = Vec::new();
    seal_aesgcm_with(&receiver.public, &half, b"\0\0I am the walrus", &mut body).unwrap();
    assert_eq!(encode(&body), "6nqAQUME8hNqw5J3kl8cpVVJylXKYqZOeseZG8UueKpA");
    let open = |body: &[u8]| {
        receiver
            .private()
            .open_aesgcm(&sender.public.point, &salt, 4096, body)
    };
    assert_eq!(open(&body).unwrap(), b"I am the walrus");

    let receiver = Receiver::new(
        "yerDmA9uNFoaUnSt2TkWWLwPseG1qtzS2zdjUl8Z7tc",
        "LsuUOBKVQRY6-l7_Ajo-Ag",
    );
    let dh = decode_array(
        "BCX7KJ_1Em-LjeB56E2KDoMjKDhTaDhjv8c6dwbvZQZ_Gsfp3AT54x2zYUPcBwd1GVyGsk55ProJ98cFrVxrPz4",
    )
    .unwrap();
    let body = decode("Ua3-WW5kTbt11dBTiXBP6_hLBYhBNOtDFfue5QHMTd2DicL0wutDnt5z9pjRJ76w562egPq5qro95YLnsX0NWGmDQbsQ0Azds6jcBGsxHPt0p5GELAtR4AJj2OsB_LV7dTuGHN2SqsyXLARjTFN2wsF3xWhmuw").unwrap();
    let salt = decode_array("x2I2OZpSCoe-Cc5UW36Nng").unwrap();
    let plain = receiver.private().open_aesgcm(&dh, &salt, 4096, &body).unwrap();
    assert_eq!(plain, b"Tabs are the real indent");
}

#[test]
fn fresh_bodies_open_again_and_never_repeat() {
    let receiver = rfc8291();
    let mut seen = std::collections::HashSet::new();
    for len in [0, 1, 2, 15, 16, 17, 255, 1000, 3993] {
        let plain: Vec<u8> = (0..len).map(|i: u32| i.to_le_bytes()[0]).collect();
        let mut body = Vec::new();
        seal_aes128gcm(&receiver.public, &[&plain[..], &[2]].concat(), &mut body).unwrap();
        assert_eq!(body.len(), plain.len() + 103);
        assert_eq!(body[16..21], [0, 0, 16, 0, 65]);
        assert!(seen.insert(body[..16].to_vec()) && seen.insert(body[21..86].to_vec()));
        assert_eq!(receiver.private().open_aes128gcm(&body).unwrap(), plain);
        let mut old = Vec::new();
        let record = [&[0, 3, 0, 0, 0], &plain[..]].concat();
        let (salt, dh) = seal_aesgcm(&receiver.public, &record, &mut old).unwrap();
        assert_eq!(
            receiver.private().open_aesgcm(&dh, &salt, 4096, &old).unwrap(),
            plain
        );
    }
}

/// A body of the records given, for the key of RFC 8291.
fn multi_record(record_size: u32, records: &[&[u8]]) -> Vec<u8> {
    let receiver = rfc8291();
    let sender = Receiver::new(
        "yfWPiYE-n46HLnH0KqZOF1fJJU3MYrct3AELtAQ-oRw",
        "BTBZMqHH6r4Tts7J_aSIgg",
    );
    let salt = [9; 16];
    let ecdh = sender.private().agree(&receiver.public.point).unwrap();
    let public = &sender.public.point;
    let keys = Keys::aes128gcm(
        ecdh.as_slice(),
        &salt,
        &receiver.public.auth,
        &receiver.public.point,
        public,
    )
    .unwrap();
    let mut body = [&salt[..], &record_size.to_be_bytes(), &[65], public].concat();
    for (index, record) in records.iter().enumerate() {
        let mut sealed = record.to_vec();
        let nonce = keys.nonce(index);
        keys.cek
            .seal_in_place_append_tag(nonce, Aad::empty(), &mut sealed)
            .unwrap();
        body.extend_from_slice(&sealed);
    }
    body
}

#[test]
fn several_records_are_read_and_malformed_ones_named() {
    let receiver = rfc8291();
    let open = |size, records: &[&[u8]]| receiver.private().open_aes128gcm(&multi_record(size, records));
    assert_eq!(
        open(25, &[b"I am th\x01\0", b"e walrus\x02"]).unwrap(),
        b"I am the walrus"
    );
    assert_eq!(open(18, &[b"a\x01", b"b\x01", b"c\x02"]).unwrap(), b"abc");
    assert_eq!(open(4096, &[b"\x02\0\0\0"]).unwrap(), b"");
    assert_eq!(open(u32::MAX, &[b"x\x02"]).unwrap(), b"x");
    assert_eq!(
        open(4096, &[b"\x02\x02"]).unwrap(),
        b"\x02",
        "only the last delimiter counts"
    );
    for (size, records) in [
        (25, &[&b"I am th\x02\0"[..], b"e walrus\x02"][..]), // the end in the middle
        (25, &[b"I am th\x01\0", b"e walrus\x01"]),          // no end
        (4096, &[b"x\x03"]),                                 // unknown delimiter
        (4096, &[b"\0\0\0"]),                                // nothing but padding
        (4096, &[b""]),                                      // nothing at all
        (17, &[b"\x02"]),                                    // below the smallest size
        (0, &[b"x\x02"]),
    ] {
        assert_eq!(
            open(size, records).unwrap_err().kind(),
            InvalidCiphertext,
            "{size} {records:?}"
        );
    }
}

#[test]
fn malformed_bodies_are_named() {
    let receiver = rfc8291();
    let good = decode(RFC8291_BODY).unwrap();
    let kind = |body: &[u8]| receiver.private().open_aes128gcm(body).unwrap_err().kind();
    for len in 0..=HEADER + TAG {
        assert_eq!(kind(&good[..len]), InvalidCiphertext, "cut to {len}");
    }
    for len in HEADER + TAG + 1..good.len() {
        assert_eq!(kind(&good[..len]), DecryptionFailed, "cut to {len}");
    }
    for id_len in [0, 1, 64, 66, 255] {
        let mut body = good.clone();
        body[20] = id_len;
        assert_eq!(kind(&body), InvalidCiphertext, "{id_len}");
    }
    for (at, byte) in [(21, 2), (21, 6), (21, 0), (85, 0)] {
        let mut body = good.clone();
        body[at] = byte;
        assert_eq!(kind(&body), InvalidCiphertext, "the key is off the curve");
    }
    for at in (0..16).chain(HEADER..good.len()) {
        let mut body = good.clone();
        body[at] ^= 1;
        assert_eq!(kind(&body), DecryptionFailed, "byte {at} changed");
    }
    let mut other = rfc8291();
    other.public.auth[0] ^= 1;
    assert_eq!(
        other.private().open_aes128gcm(&good).unwrap_err().kind(),
        DecryptionFailed
    );

    let sender = receiver.public.point;
    for (size, body) in [(2, &[0; 40][..]), (4096, &[]), (24, &[0; 40]), (4096, &[0; 16])] {
        let error = receiver
            .private()
            .open_aesgcm(&sender, &[0; 16], size, body)
            .unwrap_err();
        assert_eq!(error.kind(), InvalidCiphertext, "{size} {}", body.len());
    }
    let error = receiver
        .private()
        .open_aesgcm(&sender, &[0; 16], 4096, &[0; 40])
        .unwrap_err();
    assert_eq!(error.kind(), DecryptionFailed);
}

#[test]
fn aesgcm_padding_is_checked() {
    let receiver = rfc8291();
    for record in [&b"\0\x01\x01x"[..], b"\0\x05ab", b"\0", b"\xff\xffx"] {
        let mut body = Vec::new();
        let (salt, dh) = seal_aesgcm(&receiver.public, record, &mut body).unwrap();
        let error = receiver
            .private()
            .open_aesgcm(&dh, &salt, 4096, &body)
            .unwrap_err();
        assert_eq!(error.kind(), InvalidCiphertext, "{record:?}");
    }
}
