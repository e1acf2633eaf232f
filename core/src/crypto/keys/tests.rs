//! Keys written by OpenSSL (`core/tests/keys`), and every way to break them.

use crate::crypto::{Es256Key, Es256PublicKey, Rs256Key, base64};
use crate::error::ErrorKind::{self, *};

macro_rules! file {
    ($name:literal) => {
        include_bytes!(concat!("../../../tests/keys/", $name)).as_slice()
    };
}

/// The private and public key that all `p256_*` files hold.
const D: &str = "IQ9Ur0ykXoHS9gzfYX0aBjy9lvdrjx_PFUXmie9YRcY";
const Q: &str = "BMjQIp55pdbU8pfCBKyXcZjlmER_mXt5LqNrN1hrXbdBS5EnhIbMu3Au-RV53iIpztzNXkGI56BFB1udQ8Bq_H4";
const PEMS: [&[u8]; 4] = [
    file!("p256_sec1.pem"),
    file!("p256_sec1_params.pem"),
    file!("p256_pkcs8.pem"),
    file!("p256_sec1_compressed.pem"),
];
const DERS: [&[u8]; 3] = [
    file!("p256_sec1.der"),
    file!("p256_sec1_min.der"),
    file!("p256_pkcs8.der"),
];

fn refused(input: &[u8], kind: ErrorKind) {
    let error = Es256Key::read(input).expect_err("must be refused");
    assert_eq!(
        error.kind(),
        kind,
        "{error} for {:?}",
        String::from_utf8_lossy(input)
    );
    let text = error.to_string();
    assert!(text.len() < 256 && text.is_ascii(), "{text}");
}

fn is_the_key(input: &[u8]) {
    let key = Es256Key::read(input)
        .unwrap_or_else(|error| panic!("{error} for {:?}", String::from_utf8_lossy(input)));
    assert_eq!(key.public_key().to_base64(), Q);
}

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap()
}

#[test]
fn reads_every_form_of_a_private_key() {
    let raw = base64::decode(D).unwrap();
    is_the_key(&raw);
    is_the_key(D.as_bytes());
    is_the_key(format!(" {D}=\n").as_bytes());
    is_the_key(D.replace('_', "/").as_bytes());
    for der in DERS {
        is_the_key(der);
        is_the_key(base64::encode(der).as_bytes());
    }
    // RFC 5958's shortest form, which `ring` cannot read.
    let mut short = b"\x30\x41\x02\x01\x00\x30\x13\x06\x07\x2a\x86\x48\xce\x3d\x02\x01\x06\x08\x2a\x86\x48\xce\x3d\x03\x01\x07\x04\x27\x30\x25\x02\x01\x01\x04\x20".to_vec();
    short.extend_from_slice(&raw);
    is_the_key(&short);
    let point = base64::decode(Q).unwrap();
    let (x, y) = (base64::encode(&point[1..33]), base64::encode(&point[33..]));
    is_the_key(
        format!(r#"{{"kty":"EC","crv":"P-256","x":"{x}","y":"{y}","d":"{D}","ext":true}}"#).as_bytes(),
    );
    is_the_key(format!(r#"{{"kty":"EC","crv":"P-256","d":"{D}"}}"#).as_bytes());
    is_the_key(format!(r#"{{"publicKey":"{Q}","privateKey":"{D}"}}"#).as_bytes());
}

/// What the Web Push libraries of other languages write, with the private key at `D` (`docs/other-libraries.md`).
#[test]
fn reads_what_other_libraries_write() {
    let spki = base64::encode(file!("p256_spki.der"));
    let pkcs8 = base64::encode(file!("p256_pkcs8.der"));
    let raw = base64::decode(D).unwrap();
    let zero = base64::encode(&[&[0], raw.as_slice()].concat());
    let point = base64::decode(Q).unwrap();
    let (x, y) = (base64::encode(&point[1..33]), base64::encode(&point[33..]));
    let public = format!(
        r#"{{"kty":"EC","crv":"P-256","alg":"ES256","x":"{x}","y":"{y}","key_ops":["verify"],"ext":true}}"#
    );
    let private = format!(
        r#"{{"kty":"EC","crv":"P-256","alg":"ES256","x":"{x}","y":"{y}","d":"{D}","key_ops":["sign"],"ext":true}}"#
    );
    let other = "BGgL7I82SAQM78oyGwaJdrQFhVfZqL9h4Y18BLtgJQ-9pSGXwxqAWQudqmcv41RcWgk1ssUeItv4-8khxbhYveM=";
    for (library, form) in [
        (
            "java, command",
            format!("PublicKey:\n{Q}=\n\nPrivateKey:\n{zero}\n"),
        ),
        ("java, BigInteger", zero.clone()),
        ("kotlin, file", format!("{spki}\n{pkcs8}\n")),
        ("kotlin, the other way round", format!("{pkcs8}\n{spki}\n")),
        ("kotlin, private", pkcs8.clone()),
        (
            "node, command",
            format!("\n====\n\nPublic Key:\n{Q}\n\nPrivate Key:\n{D}\n\n====\n"),
        ),
        (
            "node, --json",
            format!(r#"{{"publicKey":"{Q}","privateKey":"{D}"}}"#),
        ),
        (
            "webcrypto",
            format!(r#"{{"subject":"mailto:a@example.com","publicKey":"{Q}","privateKey":"{D}"}}"#),
        ),
        (
            "php",
            format!(
                r#"{{"VAPID":{{"subject":"mailto:a@example.com","publicKey":"{Q}","privateKey":"{D}"}}}}"#
            ),
        ),
        (
            "laravel",
            format!("VAPID_PUBLIC_KEY={Q}\nVAPID_PRIVATE_KEY={D}\n"),
        ),
        (
            "laravel, quoted",
            format!("VAPID_PRIVATE_KEY=\"{D}\"\nVAPID_PUBLIC_KEY=\"{Q}\"\n"),
        ),
        ("go, printed", format!("{D} {Q}")),
        ("ruby", format!(r#"{{"public_key":"{Q}=","private_key":"{D}="}}"#)),
        (
            ".net",
            format!(
                r#"{{"VapidDetails":{{"Subject":"mailto:a@example.com","PublicKey":"{Q}","PrivateKey":"{D}"}}}}"#
            ),
        ),
        (
            "swift",
            format!(
                r#"{{"contactInformation":"mailto:a@example.com","expirationDuration":79200,"primaryKey":"{D}=","validityDuration":72000}}"#
            ),
        ),
        (
            "swift, keys",
            format!(r#"{{"contactInformation":"mailto:a@example.com","keys":["{D}="]}}"#),
        ),
        (
            "deno",
            format!(r#"{{"publicKey":{public},"privateKey":{private}}}"#),
        ),
        ("jwk set", format!(r#"{{"keys":[{private}]}}"#)),
        (
            "elixir",
            format!("config :web_push, :vapid,\n  public_key: \"{Q}\",\n  private_key: \"{D}\"\n"),
        ),
        (
            "environment as json",
            format!(r#"{{"VAPID_PUBLIC_KEY":"{Q}","VAPID_PRIVATE_KEY":"{D}"}}"#),
        ),
        (
            "der in json",
            format!(r#"{{"publicKey":"{spki}","privateKey":"{pkcs8}"}}"#),
        ),
    ] {
        let key = Es256Key::read(form.as_bytes()).unwrap_or_else(|error| panic!("{library}: {error}"));
        assert_eq!(key.public_key().to_base64(), Q, "{library}");
    }
    // A public key that is another's is noticed wherever it stands.
    for form in [
        format!(r#"{{"publicKey":"{other}","privateKey":"{D}"}}"#),
        format!(r#"{{"VAPID":{{"publicKey":"{other}","privateKey":"{D}"}}}}"#),
        format!("{D} {other}"),
    ] {
        refused(form.as_bytes(), KeyMismatch);
    }
    for form in [
        // Which of two?
        format!(r#"{{"keys":[{private},{private}]}}"#),
        format!(r#"{{"keys":["{D}","{D}"]}}"#),
        format!("{D} {D}"),
        format!("{D} {Q} {Q}"),
        // Hex is base64 of something else, and no library writes it.
        raw.iter().map(|octet| format!("{octet:02x}")).collect(),
        r#"{"vapid":{"vapid":{"vapid":{"vapid":{}}}}}"#.to_owned(),
        r#"{"privateKey":7}"#.to_owned(),
        r#"{"privateKey":{}}"#.to_owned(),
    ] {
        refused(form.as_bytes(), InvalidKey);
    }
    refused(
        format!(r#"{{"private_key":{:?}}}"#, text(file!("rsa2048_pkcs8.pem"))).as_bytes(),
        WrongKeyType,
    );
}

#[test]
fn reads_pem_as_it_comes_out_of_an_environment() {
    for pem in PEMS.map(text) {
        is_the_key(pem.as_bytes());
        is_the_key(pem.trim_end().as_bytes());
        is_the_key(pem.replace('\n', "\r\n").as_bytes());
        is_the_key(pem.replace('\n', "\r").as_bytes());
        is_the_key(pem.replace('\n', "\\n").as_bytes());
        is_the_key(pem.replace('\n', "\\r\\n").as_bytes());
        is_the_key(pem.replace('\n', "\\\\n").as_bytes());
        is_the_key(pem.replace('\n', " ").as_bytes());
        is_the_key(format!("\u{feff}{pem}").as_bytes());
        is_the_key(format!("\"{}\"", pem.replace('\n', "\\n")).as_bytes());
        is_the_key(format!("Bag Attributes\n    friendlyName: a\n{pem}").as_bytes());
        is_the_key(base64::encode(pem.as_bytes()).as_bytes());
        is_the_key(format!("{pem}{}", text(file!("p256_cert.pem"))).as_bytes());
        is_the_key(format!("{pem}{}", text(file!("p256_spki.pem"))).as_bytes());
    }
}

#[test]
fn names_what_is_wrong() {
    for (input, kind) in [
        (file!("rsa2048_pkcs8.pem"), WrongKeyType),
        (file!("rsa2048_pkcs1.pem"), WrongKeyType),
        (file!("rsa2048_spki.pem"), WrongKeyType),
        (file!("ed25519.pem"), WrongKeyType),
        (file!("x25519.pem"), WrongKeyType),
        (file!("p256_spki.pem"), WrongKeyType),
        (file!("p256_spki.der"), WrongKeyType),
        (file!("p256_cert.pem"), WrongKeyType),
        (Q.as_bytes(), WrongKeyType),
        (br#"{"kty":"RSA","n":"AQAB","e":"AQAB"}"#, WrongKeyType),
        (br#"{"kty":"oct","k":"AQAB"}"#, WrongKeyType),
        (br#"{"kty":"OKP","crv":"Ed25519","x":"AQAB"}"#, WrongKeyType),
        (
            b"-----BEGIN OPENSSH PRIVATE KEY-----\nAAAA\n-----END OPENSSH PRIVATE KEY-----",
            WrongKeyType,
        ),
        (file!("p384_sec1.pem"), WrongCurve),
        (file!("p384_pkcs8.pem"), WrongCurve),
        (file!("p384_spki.pem"), WrongCurve),
        (file!("p521_sec1.pem"), WrongCurve),
        (file!("p521_pkcs8.pem"), WrongCurve),
        (file!("secp256k1_sec1.pem"), WrongCurve),
        (file!("secp256k1_pkcs8.pem"), WrongCurve),
        (file!("p256_explicit.pem"), WrongCurve),
        (br#"{"kty":"EC","crv":"P-384","d":"AQAB"}"#, WrongCurve),
        (file!("p256_pkcs8_encrypted.pem"), EncryptedKey),
        (file!("p256_pkcs8_encrypted.der"), EncryptedKey),
        (file!("p256_sec1_proctype.pem"), EncryptedKey),
        (file!("p256.p12"), EncryptedKey),
        (b"", InvalidKey),
        (b" ", InvalidKey),
        (b"\0", InvalidKey),
        (b"hello", InvalidKey),
        (b"{", InvalidKey),
        (b"{}", InvalidKey),
        (b"/etc/keys/vapid.pem", InvalidKey),
        (b"-----BEGIN PRIVATE KEY-----", InvalidKey),
        (
            b"-----BEGIN PRIVATE KEY-----\n-----END PRIVATE KEY-----",
            InvalidKey,
        ),
        (
            b"-----BEGIN PRIVATE KEY-----\n!!!!\n-----END PRIVATE KEY-----",
            InvalidKey,
        ),
        (
            b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PUBLIC KEY-----",
            InvalidKey,
        ),
        (br#"{"kty":"EC","crv":"P-256","d":7}"#, InvalidKey),
        (br#"{"kty":"EC","crv":"P-256","x":"AQAB","d":"AQAB"}"#, InvalidKey),
        (&[0; 32], InvalidKey),
        (&[0xff; 32], InvalidKey),
        (&[7; 31], InvalidKey),
        (&[7; 33], InvalidKey),
    ] {
        refused(input, kind);
    }
}

#[test]
fn refuses_two_keys_and_anything_after_the_key() {
    let pem = text(file!("p256_pkcs8.pem"));
    refused(format!("{pem}{pem}").as_bytes(), InvalidKey);
    refused(
        format!("{pem}{}", text(file!("p256_sec1.pem"))).as_bytes(),
        InvalidKey,
    );
    for der in DERS {
        refused(&[der, &[0]].concat(), InvalidKey);
        refused(base64::encode(&[der, &[0]].concat()).as_bytes(), InvalidKey);
        for len in 0..der.len() {
            let error = Es256Key::read(&der[..len]).expect_err("cut short");
            assert_eq!(error.kind(), InvalidKey, "{len}");
        }
    }
    refused(format!("{D}A").as_bytes(), InvalidKey);
    refused(&vec![b'A'; 10 << 20], InvalidKey);
    refused(format!("{pem}{}", " ".repeat(10 << 20)).as_bytes(), InvalidKey);
}

#[test]
fn finds_a_public_part_that_is_another_keys() {
    let other = Es256Key::generate().unwrap();
    let q = base64::decode(Q).unwrap();
    let swap = |der: &[u8]| {
        let at = der
            .windows(65)
            .position(|window| window == q)
            .expect("holds the public key");
        let mut der = der.to_vec();
        der[at..at + 65].copy_from_slice(other.public());
        der
    };
    refused(&swap(file!("p256_sec1.der")), KeyMismatch);
    refused(&swap(file!("p256_pkcs8.der")), KeyMismatch);
    let other_q = other.public_key().to_base64();
    refused(
        format!(r#"{{"publicKey":"{other_q}","privateKey":"{D}"}}"#).as_bytes(),
        KeyMismatch,
    );
    for pem in PEMS.map(text) {
        refused(
            format!("{pem}{}", other.public_key().to_pem()).as_bytes(),
            KeyMismatch,
        );
    }
    let rsa = text(file!("rsa2048_spki.pem"));
    refused(format!("{}{rsa}", text(PEMS[0])).as_bytes(), KeyMismatch);
    let key = Es256Key::read(D.as_bytes()).unwrap();
    assert!(key.check_public(Q.as_bytes()).is_ok());
    assert!(key.check_public(file!("p256_spki.pem")).is_ok());
    assert_eq!(key.check_public(other.public()).unwrap_err().kind(), KeyMismatch);
    // Off the curve is not a mismatch: it is no key at all.
    let mut off = swap(file!("p256_sec1.der"));
    let last = off.len() - 1;
    off[last] ^= 1;
    refused(&off, InvalidKey);
}

#[test]
fn no_single_bit_of_der_can_be_flipped_unnoticed_into_another_key() {
    // Attributes and such may be ignored, but the key that comes out must be the
    // key that went in, or none: both parts are there to check one another.
    for der in [file!("p256_sec1.der"), file!("p256_pkcs8.der")] {
        for bit in 0..der.len() * 8 {
            let mut der = der.to_vec();
            der[bit / 8] ^= 1 << (bit % 8);
            if let Ok(key) = Es256Key::read(&der) {
                assert_eq!(key.public_key().to_base64(), Q, "bit {bit}");
            }
        }
    }
}

#[test]
fn writes_what_openssl_writes() {
    let key = Es256Key::read(D.as_bytes()).unwrap();
    assert_eq!(
        key.to_sec1_pem().expose_secret().as_bytes(),
        file!("p256_sec1.pem")
    );
    assert_eq!(
        key.to_pkcs8_pem().expose_secret().as_bytes(),
        file!("p256_pkcs8.pem")
    );
    assert_eq!(key.to_sec1_der().expose_secret(), file!("p256_sec1.der"));
    assert_eq!(key.to_pkcs8_der().expose_secret(), file!("p256_pkcs8.der"));
    assert_eq!(key.public_key().to_pem().as_bytes(), file!("p256_spki.pem"));
    assert_eq!(key.public_key().to_der(), file!("p256_spki.der"));
    assert_eq!(key.to_base64().expose_secret(), D);
}

#[test]
fn generated_keys_come_back_from_every_form() {
    for _ in 0..20 {
        let key = Es256Key::generate().unwrap();
        for form in [
            key.to_sec1_pem(),
            key.to_pkcs8_pem(),
            key.to_jwk(),
            key.to_base64(),
        ] {
            let back = Es256Key::read(form.expose_secret().as_bytes()).unwrap();
            assert_eq!(back.public(), key.public());
        }
        for form in [key.to_sec1_der(), key.to_pkcs8_der()] {
            assert_eq!(
                Es256Key::read(form.expose_secret()).unwrap().public(),
                key.public()
            );
        }
        let public = key.public_key();
        for form in [public.to_pem(), public.to_jwk(), public.to_base64()] {
            assert_eq!(&Es256PublicKey::read(form.as_bytes()).unwrap(), public);
        }
        assert_eq!(&Es256PublicKey::read(&public.to_der()).unwrap(), public);
        assert_eq!(&Es256PublicKey::read(key.public()).unwrap(), public);
        let signature = key.sign(b"message").unwrap();
        assert!(public.verifies(b"message", &signature));
        assert!(!public.verifies(b"massage", &signature));
    }
}

#[test]
fn short_scalars_are_padded() {
    let mut scalar = [0; 32];
    scalar[31] = 5;
    let key = Es256Key::from_scalar(&scalar).unwrap();
    let der = [
        &b"\x30\x14\x02\x01\x01\x04\x01\x05\xa0\x0a\x06\x08\x2a\x86\x48\xce\x3d\x03\x01\x07"[..],
        &[],
    ]
    .concat();
    let mut der = der;
    der[1] = u8::try_from(der.len() - 2).unwrap();
    assert_eq!(Es256Key::read(&der).unwrap().public(), key.public());
}

#[test]
fn rsa_keys_and_their_errors() {
    let mut expected = base64::decode(text(file!("rsa2048_signature_of_data.b64"))).unwrap();
    let pem = text(file!("rsa2048_pkcs8.pem"));
    for input in [
        pem.to_owned(),
        text(file!("rsa2048_pkcs1.pem")).to_owned(),
        pem.replace('\n', "\\n"),
        pem.replace('\n', "\r\n"),
        pem.trim_end().to_owned(),
        format!("\u{feff}{pem}"),
    ] {
        let key = Rs256Key::read(input.as_bytes()).unwrap();
        assert_eq!(
            key.sign(b"data").unwrap(),
            expected,
            "PKCS#1 v1.5 is deterministic"
        );
    }
    expected.clear();
    for (input, kind) in [
        (file!("p256_pkcs8.pem"), WrongKeyType),
        (file!("p384_pkcs8.pem"), WrongKeyType),
        (file!("ed25519.pem"), WrongKeyType),
        (file!("rsa2048_spki.pem"), WrongKeyType),
        (file!("p256_cert.pem"), WrongKeyType),
        (file!("p256_pkcs8_encrypted.pem"), EncryptedKey),
        (file!("rsa1024_pkcs8.pem"), InvalidKey),
        (b"", InvalidKey),
        (b"notasecret", InvalidKey),
        (&[b'A'; 100_000], InvalidKey),
    ] {
        assert_eq!(Rs256Key::read(input).unwrap_err().kind(), kind);
    }
    let twice = format!("{pem}{pem}");
    assert_eq!(Rs256Key::read(twice.as_bytes()).unwrap_err().kind(), InvalidKey);
}

#[test]
fn random_bytes_never_panic() {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state
    };
    let seeds: Vec<&[u8]> = PEMS
        .into_iter()
        .chain(DERS)
        .chain([file!("rsa2048_pkcs8.pem")])
        .collect();
    for _ in 0..3000 {
        let mut input = seeds[usize::try_from(next() % 8).unwrap() % seeds.len()].to_vec();
        for _ in 0..=next() % 4 {
            let at = usize::try_from(next()).unwrap() % input.len();
            input[at] = next().to_le_bytes()[0];
        }
        let cut = usize::try_from(next()).unwrap() % (input.len() + 1);
        let _ = Es256Key::read(&input);
        let _ = Es256Key::read(&input[..cut]);
        let _ = Rs256Key::read(&input[cut..]);
    }
}
