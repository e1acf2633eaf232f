use super::*;
use crate::error::ErrorKind::{DecryptionFailed, InvalidCiphertext, InvalidHeader, InvalidKey};

#[test]
fn rfc8291_appendix_a() {
    let keys = ReceiverKeys::import(
        b"q1dXpw3UpT5VOmu_cf_v6ih07Aems3njxI-JWgLcM94",
        "BTBZMqHH6r4Tts7J_aSIgg",
    )
    .unwrap();
    assert_eq!(
        keys.p256dh(),
        "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4"
    );
    let body = crypto::base64::decode("DGv6ra1nlYgDCS1FRnbzlwAAEABBBP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27mlmlMoZIIgDll6e3vCYLocInmYWAmS6TlzAC8wEqKK6PBru3jl7A_yl95bQpu6cVPTpK4Mqgkf1CXztLVBSt2Ks3oZwbuwXPXLWyouBWLVWGNWQexSgSxsj_Qulcy4a-fN").unwrap();
    assert_eq!(
        keys.decrypt(&body).unwrap(),
        b"When I grow up, I want to be a watermelon"
    );
    assert_eq!(keys.decrypt(&body[..100]).unwrap_err().kind(), InvalidCiphertext);
    let other = ReceiverKeys::generate().unwrap();
    assert_eq!(other.decrypt(&body).unwrap_err().kind(), DecryptionFailed);
}

#[test]
fn keys_survive_export() {
    let keys = ReceiverKeys::generate().unwrap();
    let back = ReceiverKeys::import(keys.export().expose_secret().as_bytes(), &keys.auth()).unwrap();
    assert_eq!((back.p256dh(), back.auth()), (keys.p256dh(), keys.auth()));
    for auth in ["", "AAAA", "BTBZMqHH6r4Tts7J_aSIggAA"] {
        let error = ReceiverKeys::import(keys.export().expose_secret().as_bytes(), auth).unwrap_err();
        assert_eq!(error.kind(), InvalidKey);
    }
    assert_eq!(format!("{keys:?}"), "ReceiverKeys([redacted])");
}

#[test]
fn legacy_headers() {
    let keys = ReceiverKeys::import(
        b"9FWl15_QUQAWDaD3k3l50ZBZQJ4au27F1V4F0uLSD_M",
        "R29vIGdvbyBnJyBqb29iIQ",
    )
    .unwrap();
    let body = crypto::base64::decode("6nqAQUME8hNqw5J3kl8cpVVJylXKYqZOeseZG8UueKpA").unwrap();
    let dh = "BNoRDbb84JGm8g5Z5CFxurSqsXWJ11ItfXEWYVLE85Y7CYkDjXsIEc4aqxYaQ1G8BqkXCJ6DPpDrWtdWj_mugHU";
    for (crypto_key, encryption) in [
        (format!("dh={dh}"), "salt=lngarbyKfMoi9Z75xYXmkg"),
        (
            format!("dh={dh};p256ecdsa=AAAA"),
            "salt=lngarbyKfMoi9Z75xYXmkg;rs=4096",
        ),
        (
            format!("p256ecdsa=AAAA, DH=\"{dh}\""),
            "keyid=x; salt=\"lngarbyKfMoi9Z75xYXmkg\"; rs=4096",
        ),
    ] {
        let plain = keys.decrypt_aesgcm(&body, &crypto_key, encryption).unwrap();
        assert_eq!(plain, b"I am the walrus");
    }
    for (crypto_key, encryption) in [
        ("", "salt=lngarbyKfMoi9Z75xYXmkg"),
        ("dh=AAAA", "salt=lngarbyKfMoi9Z75xYXmkg"),
        (&format!("dh={dh}"), ""),
        (&format!("dh={dh}"), "salt=AA"),
        (&format!("dh={dh}"), "salt=lngarbyKfMoi9Z75xYXmkg;rs=-1"),
        (&format!("dh={dh}"), "salt=lngarbyKfMoi9Z75xYXmkg;rs=99999999999"),
    ] {
        let error = keys.decrypt_aesgcm(&body, crypto_key, encryption).unwrap_err();
        assert_eq!(error.kind(), InvalidHeader, "{crypto_key} {encryption}");
    }
}

#[test]
fn what_is_received_is_told_apart() {
    let declarative = Declarative::new("t", "https://example.com/").to_json().unwrap();
    assert!(matches!(
        Received::parse(declarative.into()),
        Received::Declarative(_)
    ));
    assert!(matches!(
        Received::parse(br#"{"web_push":8030}"#.to_vec()),
        Received::Json(_)
    ));
    for bytes in [&b"hello"[..], b"", b"[1]", b"\xff\xfe"] {
        assert_eq!(Received::parse(bytes.to_vec()), Received::Bytes(bytes.to_vec()));
    }
}

/// RFC 8291 §3.2: sixteen octets of a random source.
#[test]
fn every_subscription_has_an_auth_secret_of_its_own() {
    let secrets: Vec<Vec<u8>> = (0..64)
        .map(|_| crypto::base64::decode(&ReceiverKeys::generate().unwrap().auth()).unwrap())
        .collect();
    assert!(secrets.iter().all(|secret| secret.len() == 16));
    let different: std::collections::HashSet<&Vec<u8>> = secrets.iter().collect();
    assert_eq!(different.len(), 64);
    // Each of the 128 bits was set in one and clear in another; chance misses a bit once in 2^56.
    for bit in 0..128 {
        let set = secrets
            .iter()
            .filter(|secret| secret[bit / 8] >> (bit % 8) & 1 == 1)
            .count();
        assert!((1..64).contains(&set), "bit {bit} was set {set} times");
    }
}
