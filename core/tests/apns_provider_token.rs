//! Provider tokens, checked by OpenSSL: another implementation of ECDSA than the one that signed.

#![allow(clippy::unwrap_used, reason = "a test says what went wrong by failing")]

use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use pushcore::apns::{Credentials, KeyId, TeamId};
use pushcore::crypto::Es256Key;
use pushcore::{Now, UnixTime};

struct Directory(PathBuf);

impl Directory {
    fn new() -> Self {
        let path = std::env::temp_dir().join(format!("pushcore-provider-token-{}", std::process::id()));
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    fn write(&self, name: &str, bytes: &[u8]) -> String {
        let path = self.0.join(name);
        std::fs::write(&path, bytes).unwrap();
        path.to_str().unwrap().to_owned()
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// A private key in PKCS#8, made by OpenSSL, as Apple's `.p8` files are.
fn p8() -> Vec<u8> {
    let output = Command::new("openssl")
        .args([
            "genpkey",
            "-algorithm",
            "EC",
            "-pkeyopt",
            "ec_paramgen_curve:P-256",
        ])
        .output()
        .expect("openssl is installed");
    assert!(output.status.success());
    output.stdout
}

/// The public key as `SubjectPublicKeyInfo` (RFC 5480) in PEM.
fn public_pem(point: &[u8; 65]) -> String {
    let mut der = vec![
        0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a, 0x86,
        0x48, 0xce, 0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00,
    ];
    der.extend_from_slice(point);
    let text = STANDARD.encode(der);
    let (one, two) = text.split_at(64);
    format!("-----BEGIN PUBLIC KEY-----\n{one}\n{two}\n-----END PUBLIC KEY-----\n")
}

/// r and s as the sequence of integers that OpenSSL reads.
fn der_signature(raw: &[u8]) -> Vec<u8> {
    let integer = |bytes: &[u8]| {
        let bytes = &bytes[bytes.iter().take_while(|byte| **byte == 0).count()..];
        let pad = bytes.first().is_some_and(|byte| *byte >= 0x80);
        let mut der = vec![0x02, (bytes.len() + usize::from(pad)) as u8];
        der.extend(pad.then_some(0));
        der.extend_from_slice(bytes);
        der
    };
    let body = [integer(&raw[..32]), integer(&raw[32..])].concat();
    [vec![0x30, body.len() as u8], body].concat()
}

#[test]
fn openssl_verifies_every_provider_token() {
    let directory = Directory::new();
    let p8 = p8();
    let key = Es256Key::from_pem(&p8).unwrap();
    let public = directory.write("public.pem", public_pem(key.public()).as_bytes());
    let credentials = Credentials::token(
        KeyId::parse("ABC123DEFG").unwrap(),
        TeamId::parse("DEF123GHIJ").unwrap(),
        key,
    );
    for hour in 0..8 {
        let secs = hour * 3600;
        let now = Now::new(
            Duration::from_secs(secs),
            UnixTime::from_secs(1_700_000_000 + secs),
        );
        let token = credentials.provider_token(now).unwrap();
        let (input, signature) = token.expose_secret().rsplit_once('.').unwrap();
        let raw = URL_SAFE_NO_PAD.decode(signature).unwrap();
        let verified = |input: &str| {
            let output = Command::new("openssl")
                .args(["dgst", "-sha256", "-verify", &public, "-signature"])
                .arg(directory.write("signature", &der_signature(&raw)))
                .arg(directory.write("input", input.as_bytes()))
                .output()
                .unwrap();
            output.status.success()
        };
        assert!(verified(input));
        assert!(!verified(&format!("{input}x")), "the check can fail");
        let claims = URL_SAFE_NO_PAD.decode(input.rsplit_once('.').unwrap().1).unwrap();
        let expected = format!(r#"{{"iss":"DEF123GHIJ","iat":{}}}"#, 1_700_000_000 + secs);
        assert_eq!(String::from_utf8(claims).unwrap(), expected);
    }
}
