use super::*;
use crate::error::ErrorKind::{EndpointNotAllowed, InvalidSubscription};

const ENDPOINT: &str = "https://updates.push.services.mozilla.com/wpush/v2/abc";
const P256DH: &str =
    "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4";
const AUTH: &str = "BTBZMqHH6r4Tts7J_aSIgg";

fn parse(json: &str) -> Result<Subscription, Error> {
    Subscription::parse(json.as_bytes(), &EndpointPolicy::default())
}

fn new(p256dh: &str, auth: &str) -> Result<Subscription, Error> {
    Subscription::new(ENDPOINT, p256dh, auth, &EndpointPolicy::default())
}

#[test]
fn every_form_of_the_json() {
    let expected = new(P256DH, AUTH).unwrap();
    let keys = format!(r#""keys":{{"p256dh":"{P256DH}","auth":"{AUTH}"}}"#);
    let plain = format!(r#"{{"endpoint":"{ENDPOINT}",{keys}}}"#);
    let padded = |text: &str, pad| text.replace('-', "+").replace('_', "/") + pad;
    for json in [
        plain.clone(),
        format!(r#"{{"endpoint":"{ENDPOINT}","expirationTime":null,{keys}}}"#),
        format!(r#"{{"endpoint":"{ENDPOINT}","contentEncoding":"aes128gcm","x":{{}},{keys}}}"#),
        format!(r#"{{"endpoint":"{ENDPOINT}","p256dh":"{P256DH}","auth":"{AUTH}"}}"#),
        format!(
            r#"{{"endpoint":"{ENDPOINT}","keys":{{"p256dh":"{}","auth":"{}"}}}}"#,
            padded(P256DH, "="),
            padded(AUTH, "==")
        ),
        serde_json::to_string(&plain).unwrap(),
    ] {
        assert_eq!(parse(&json).unwrap(), expected, "{json}");
    }
    let timed = parse(&format!(
        r#"{{"endpoint":"{ENDPOINT}","expirationTime":1700000000000,{keys}}}"#
    ))
    .unwrap();
    assert_eq!(timed.expires(), Some(UnixTime::from_secs(1_700_000_000)));
    assert_eq!(parse(&timed.to_json()).unwrap(), timed);
    assert!(
        parse(&format!(
            r#"{{"endpoint":"{ENDPOINT}","expirationTime":1.5e12,{keys}}}"#
        ))
        .is_ok()
    );
    let bare = parse(&format!(r#"{{"endpoint":"{ENDPOINT}"}}"#)).unwrap();
    assert!(!bare.has_keys());
    assert_eq!(parse(&bare.to_json()).unwrap(), bare);
    assert_eq!(expected.provider(), Provider::Mozilla);
}

#[test]
fn malformed_subscriptions_are_refused() {
    for json in [
        "",
        "null",
        "[]",
        "7",
        "\"x\"",
        "{}",
        r#"{"endpoint":7}"#,
        r#"{"endpoint":""}"#,
        &format!(r#"{{"endpoint":"{ENDPOINT}","keys":7}}"#),
        &format!(r#"{{"endpoint":"{ENDPOINT}","keys":{{"p256dh":"{P256DH}"}}}}"#),
        &format!(r#"{{"endpoint":"{ENDPOINT}","keys":{{"auth":"{AUTH}"}}}}"#),
        &format!(r#"{{"endpoint":"{ENDPOINT}","keys":{{"p256dh":1,"auth":"{AUTH}"}}}}"#),
        &format!(
            r#"{{"endpoint":"https://fcm.googleapis.com/{}"}}"#,
            "a".repeat(1 << 20)
        ),
    ] {
        let error = parse(json).unwrap_err();
        assert_eq!(error.kind(), InvalidSubscription, "{error}");
        assert!(error.to_string().len() < 256);
    }
    let json = r#"{"endpoint":"https://169.254.169.254/"}"#;
    assert_eq!(parse(json).unwrap_err().kind(), EndpointNotAllowed);
}

#[test]
fn keys_are_checked_when_they_are_read() {
    let point = crypto::base64::decode(P256DH).unwrap();
    let with = |change: &dyn Fn(&mut Vec<u8>)| {
        let mut point = point.clone();
        change(&mut point);
        crypto::base64::encode(&point)
    };
    let too_big = with(&|p| p[1..33].fill(0xff));
    for p256dh in [
        "",
        "AAAA",
        "not base64!",
        &with(&|p| p.truncate(64)),
        &with(&|p| p.push(0)),
        &with(&|p| {
            p.truncate(33);
            p[0] = 2;
        }),
        &with(&|p| p[0] = 2),
        &with(&|p| p[0] = 3),
        &with(&|p| p[0] = 6),
        &with(&|p| p[0] = 0),
        &with(&|p| p[64] ^= 1),
        &with(&|p| p[1..].fill(0)),
        &crypto::base64::encode(&[0]),
        &too_big,
        &"A".repeat(1 << 20),
    ] {
        assert_eq!(
            new(p256dh, AUTH).unwrap_err().kind(),
            InvalidSubscription,
            "{p256dh:.100}"
        );
    }
    for len in [0, 1, 15, 17, 32] {
        let auth = crypto::base64::encode(&vec![1; len]);
        assert_eq!(
            new(P256DH, &auth).unwrap_err().kind(),
            InvalidSubscription,
            "{len}"
        );
    }
}

#[test]
fn debug_shows_neither_keys_nor_the_path() {
    let text = format!("{:?}", new(P256DH, AUTH).unwrap());
    assert!(
        !text.contains("wpush") && !text.contains("BCVx") && !text.contains("BTBZ"),
        "{text}"
    );
}

#[test]
fn reads_what_other_libraries_store() {
    const P: &str = "BMjQIp55pdbU8pfCBKyXcZjlmER_mXt5LqNrN1hrXbdBS5EnhIbMu3Au-RV53iIpztzNXkGI56BFB1udQ8Bq_H4";
    const A: &str = "AAECAwQFBgcICQoLDA0ODw";
    const E: &str = "https://fcm.googleapis.com/fcm/send/x";
    let policy = EndpointPolicy::default();
    for form in [
        // node, Go, Rust, Java: what browsers write.
        format!(r#"{{"endpoint":"{E}","expirationTime":null,"keys":{{"p256dh":"{P}","auth":"{A}"}}}}"#),
        // PHP, and its older names.
        format!(r#"{{"endpoint":"{E}","publicKey":"{P}","authToken":"{A}","contentEncoding":"aes128gcm"}}"#),
        format!(r#"{{"endpoint":"{E}","key":"{P}","token":"{A}"}}"#),
        // Laravel's, Rails' and Mastodon's tables.
        format!(r#"{{"endpoint":"{E}","public_key":"{P}","auth_token":"{A}"}}"#),
        format!(r#"{{"endpoint":"{E}","p256dh_key":"{P}","auth_key":"{A}","id":7}}"#),
        format!(r#"{{"endpoint":"{E}","key_p256dh":"{P}","key_auth":"{A}"}}"#),
        // .NET.
        format!(r#"{{"Endpoint":"{E}","P256DH":"{P}","Auth":"{A}"}}"#),
        format!(r#"{{"Endpoint":"{E}","Keys":{{"p256dh":"{P}","auth":"{A}"}}}}"#),
        // What pages post to Django and others.
        format!(
            r#"{{"subscription":{{"endpoint":"{E}","keys":{{"p256dh":"{P}","auth":"{A}"}}}},"browser":"x"}}"#
        ),
        format!("\u{feff}{{\"endpoint\":\"{E}\",\"p256dh\":\"{P}=\",\"auth\":\"{A}==\"}}"),
        format!(r#"{{"pushSubscription":{{"endpoint":"{E}","keys":{{"p256dh":"{P}","auth":"{A}"}}}}}}"#),
        // UnifiedPush for Android.
        format!(r#"{{"url":"{E}","pubKeySet":{{"pubKey":"{P}","auth":"{A}"}}}}"#),
        // Columns of JSON that were encoded twice.
        format!(r#"{{"endpoint":"{E}","keys":"{{\"p256dh\":\"{P}\",\"auth\":\"{A}\"}}"}}"#),
        format!(r#"{{"subscription":"{{\"endpoint\":\"{E}\",\"p256dh\":\"{P}\",\"auth\":\"{A}\"}}"}}"#),
        // The README of web-push for Java, and a dict that Python's str wrote.
        format!("{{'endpoint':'{E}','keys':{{'p256dh':'{P}=','auth':'{A}=='}}}}"),
        format!("{{'endpoint': '{E}', 'expirationTime': None, 'keys': {{'p256dh': '{P}', 'auth': '{A}'}}}}"),
    ] {
        let read = Subscription::parse(form.as_bytes(), &policy);
        let read = read.unwrap_or_else(|error| panic!("{error}: {form}"));
        assert!(read.has_keys(), "{form}");
        assert_eq!(read.endpoint().url(), E, "{form}");
    }
    for form in [
        format!("{{'endpoint':'{E}','keys':{{\"p256dh\":'{P}'}}}}"),
        format!("{{'endpoint':'{E}'"),
        format!(r#"{{"endpoint":"{E}","keys":"x"}}"#),
        format!(r#"{{"endpoint":"{E}","keys":"[]"}}"#),
        r#"{"subscription":"{\"subscription\":{}}"}"#.to_owned(),
        format!(r#"[{{"endpoint":"{E}"}}]"#),
    ] {
        let error = Subscription::parse(form.as_bytes(), &policy).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidSubscription, "{form}");
    }
    for (written, expected) in [
        ("1893456000000", Some(1_893_456_000_000)),
        ("1893456000000.5", Some(1_893_456_000_000)),
        ("1.893456E12", Some(1_893_456_000_000)),
        ("-1", None),
        ("1e300", None),
        ("null", None),
    ] {
        let json = format!(r#"{{"endpoint":"{E}","expirationTime":{written}}}"#);
        let read = Subscription::parse(json.as_bytes(), &policy).unwrap();
        assert_eq!(read.expires().map(UnixTime::as_millis), expected, "{written}");
    }
}

#[test]
fn a_subscription_that_the_browser_removed_is_told_as_dead() {
    let json = br#"{"endpoint":"https://permanently-removed.invalid/fcm/send/x","keys":{}}"#;
    for error in [
        Subscription::parse(json, &EndpointPolicy::default()).unwrap_err(),
        Subscription::read(json).unwrap_err(),
        Subscription::without_keys(
            "https://permanently-removed.invalid/y",
            &EndpointPolicy::default(),
        )
        .unwrap_err(),
    ] {
        assert_eq!(error.kind(), ErrorKind::SubscriptionRemoved);
        assert!(error.to_string().contains("delete it"));
    }
}

#[test]
fn what_is_read_without_a_policy_is_still_a_subscription() {
    let inside = br#"{"endpoint":"https://10.0.0.1:8443/x"}"#;
    assert!(Subscription::read(inside).is_ok());
    assert!(Subscription::parse(inside, &EndpointPolicy::default()).is_err());
    assert!(Subscription::read(br#"{"endpoint":"http://push.example.net/x"}"#).is_err());
}
