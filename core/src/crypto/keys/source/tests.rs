use ::base64::Engine;
use ::base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};

use super::*;
use crate::crypto::Es256Key;

fn is_path(text: &str) -> bool {
    matches!(KeySource::of(text.as_bytes()), KeySource::Path(path) | KeySource::Either(path) if path == text)
}

/// The forms of a good key that people reported, without the ones that `keys::tests` has.
fn wrapped(pem: &str) -> Vec<Vec<u8>> {
    let der = STANDARD
        .decode(
            pem.lines()
                .filter(|line| !line.starts_with('-'))
                .collect::<String>(),
        )
        .unwrap();
    let one_line = pem.replace('\n', "\\n");
    let body = STANDARD.encode(&der);
    let utf16 = |big: bool, bom: bool| -> Vec<u8> {
        let units = bom.then_some(0xfeff).into_iter().chain(pem.encode_utf16());
        units
            .flat_map(|unit| {
                if big {
                    unit.to_be_bytes()
                } else {
                    unit.to_le_bytes()
                }
            })
            .collect()
    };
    vec![
        format!("\"{one_line}\"").into(),
        format!("'{one_line}'").into(),
        format!("'\"{one_line}\"'").into(),
        format!("\"{pem}\"").into(),
        serde_json::to_string(pem).unwrap().into(),
        serde_json::to_string(&serde_json::to_string(pem).unwrap())
            .unwrap()
            .into(),
        body.clone().into(),
        format!("\"{body}\"").into(),
        format!("  {body}\n").into(),
        URL_SAFE_NO_PAD.encode(&der).into(),
        STANDARD.encode(pem).into(),
        STANDARD.encode(format!("\u{feff}{pem}")).into(),
        STANDARD.encode(STANDARD.encode(pem)).into(),
        format!("`{}`", STANDARD.encode(pem)).into(),
        utf16(false, true),
        utf16(true, true),
        utf16(false, false),
        utf16(true, false),
        STANDARD.encode(utf16(false, true)).into(),
        pem.replace("-----", "\u{2014}\u{2014}-").into(),
        pem.replace("-----", "\u{2013}----").into(),
        pem.replace('\n', "\u{2028}").into(),
        pem.replace(' ', "\u{a0}").into(),
        format!("\u{200b}{pem}\u{200b}").into(),
        der,
    ]
}

#[test]
fn content_is_recognised_and_read_in_every_form() {
    let key = Es256Key::generate().unwrap();
    let pems = [key.to_pkcs8_pem(), key.to_sec1_pem()];
    let mut forms: Vec<Vec<u8>> = pems.iter().flat_map(|pem| wrapped(pem.expose_secret())).collect();
    let scalar = key.to_base64();
    let scalar = scalar.expose_secret();
    let mut long = vec![0];
    long.extend(URL_SAFE_NO_PAD.decode(scalar).unwrap());
    let public = key.public_key().to_base64();
    forms.extend([
        scalar.clone().into_bytes(),
        format!("\"{scalar}\"").into_bytes(),
        URL_SAFE_NO_PAD.encode(&long).into_bytes(),
        STANDARD.encode(&long).into_bytes(),
        long,
        format!("Public Key:\n{public}\n\nPrivate Key:\n{scalar}\n").into_bytes(),
        format!("VAPID_PUBLIC_KEY={public}\nVAPID_PRIVATE_KEY='{scalar}'\n").into_bytes(),
        format!("{{\\\"privateKey\\\":\\\"{scalar}\\\"}}").into_bytes(),
        format!("{{\"PublicKey\":\"{public}\",\"PrivateKey\":\"{scalar}\"}}").into_bytes(),
        format!("{{\"private_key\":\"{scalar}\"}}").into_bytes(),
        STANDARD.encode(key.to_jwk().expose_secret()).into_bytes(),
    ]);
    for form in forms {
        let shown = String::from_utf8_lossy(&form).into_owned();
        let KeySource::Content(content) = KeySource::of(&form) else {
            panic!("taken for a path: {shown}");
        };
        for input in [&form, content.expose_secret()] {
            let read = Es256Key::read(input).unwrap_or_else(|error| panic!("{error}: {shown}"));
            assert_eq!(read.public_key().to_base64(), public, "{shown}");
        }
    }
}

#[test]
fn broken_content_is_no_path() {
    let key = Es256Key::generate().unwrap();
    let pem = key.to_pkcs8_pem();
    let pem = pem.expose_secret();
    let body: String = pem.lines().filter(|line| !line.starts_with('-')).collect();
    for broken in [
        body[1..].to_owned(),
        body[..body.len() - 3].to_owned(),
        format!("{}*{}", &body[..60], &body[60..]),
        format!("BEGIN PRIVATE KEY {body} END PRIVATE KEY"),
        format!("----BEGIN PRIVATE KEY---- {body}"),
        format!("{{\"private_key\": \"{body}"),
        format!("'{{\"private_key\": \"{body}"),
        STANDARD.encode(pem)[..120].to_owned(),
        String::new(),
        " ".into(),
    ] {
        // One that lost its first character begins like nothing: what opens files never quotes it.
        let lost_its_beginning = broken == body[1..];
        assert!(lost_its_beginning || !is_path(&broken), "{broken}");
    }
}

#[test]
fn names_of_files_are_paths() {
    for path in [
        "AuthKey_ABC123DEFG.p8",
        "/etc/keys/AuthKey_ABC123DEFG.p8",
        "./key.pem",
        "../keys/service-account.json",
        "C:\\new\\keys\\r.p8",
        "secrets/production/apns_signing_key",
        "/run/secrets/fcmServiceAccountCredentials",
        "Schlüssel für Müller.p8",
        "key",
        "~/keys/a b.p8",
        "MIIkey.pem",
        "eyJ.json",
        "/proc/self/fd/12",
    ] {
        assert!(is_path(path), "{path}");
    }
    for content in ["line\nline", "{\"type\":1}", &"x".repeat(300), "[1]", "a\0b"] {
        assert!(!is_path(content), "{content}");
    }
}

#[test]
fn line_ends_inside_json_strings_become_blanks() {
    for (json, plain) in [
        (
            "{\n \"a\": \"x\ny\t\\\"z\r\n\"}\n",
            "{\n \"a\": \"x y \\\"z  \"}\n",
        ),
        (r#"{"a":"x\ny\r\nz\t"}"#, r#"{"a":"x y  z "}"#),
        // Escaped twice, and a backslash that is meant.
        (r#"{"a":"x\\ny\\\\nz\\"}"#, r#"{"a":"x y\\ z\\"}"#),
        (
            r#"{"a":"\u003d\/\u0022\u005c\u00e9\u000a"}"#,
            r#"{"a":"=/\u0022\u005c\u00e9 "}"#,
        ),
        // What is no escape is left for the parser to refuse.
        (r#"{"a":"\x\u12"}"#, r#"{"a":"\x\u12"}"#),
        ("{\"a\":\"x\\", "{\"a\":\"x\\"),
    ] {
        assert_eq!(*plain_json(json), plain, "{json}");
    }
}

#[test]
fn json_strings_are_read_as_serde_reads_them() {
    for text in [
        r#""""#,
        r#""a\"\\\/\b\f\n\r\t\u00e9""#,
        r#""\ud83d\ude00 \uD83D\uDE00""#,
        r#""\ud83d""#,
        r#""\ude00""#,
        r#""\ud83d\n""#,
        r#""\ud83dx""#,
        r#""\u12""#,
        r#""\u+123""#,
        r#""\x""#,
        r#""a"b""#,
        r#""a\""#,
        "\"",
        "a",
    ] {
        assert_eq!(
            json_string(text),
            serde_json::from_str::<String>(text).ok(),
            "{text}"
        );
    }
    // And what it does not read: line ends of a shell.
    assert_eq!(json_string("\"a\nb\"").as_deref(), Some("a\nb"));
}

#[test]
fn a_text_without_any_shape_may_be_either() {
    for text in ["key", "not a file", "AuthKey", &"A".repeat(20)] {
        assert!(
            matches!(KeySource::of(text.as_bytes()), KeySource::Either(_)),
            "{text}"
        );
    }
    for text in ["key.p8", "keys/key", "/etc/key", "C:\\key"] {
        assert!(
            matches!(KeySource::of(text.as_bytes()), KeySource::Path(_)),
            "{text}"
        );
    }
}
