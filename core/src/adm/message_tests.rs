use super::*;

fn target() -> RegistrationId {
    RegistrationId::new("amzn1.adm-registration.v2.abc/+=").unwrap()
}

fn text(message: &Message) -> &str {
    std::str::from_utf8(message.body()).unwrap()
}

#[test]
fn md5_vectors() {
    // The first is that of the Pigeon project; the order of the last is by bytes.
    assert_eq!(md5([("message", "your message")]), "qzF+HgArKZjJrpfcTbiFxg==");
    assert_eq!(
        md5([("key2", "value2"), ("key1", "value1")]),
        "mysMS9RLodXKUzD3uiNpYw=="
    );
    assert_eq!(md5([]), "1B2M2Y8AsgTpgAmY7PhCfg==");
    assert_eq!(
        md5([("b", "2"), ("a", "1"), ("é", "x"), ("Z", "z")]),
        "NoXmVqmDv765FW2lloqEug=="
    );
}

#[test]
fn every_field_is_written() {
    let message = Message::builder()
        .data("key2", "value2")
        .data("key1", "value1")
        .notification(br#"{"title":"t","body":"b"}"#)
        .unwrap()
        .priority(Priority::High)
        .consolidation_key("k")
        .expires_after(Duration::from_secs(86_400))
        .with_md5()
        .extra("new", 1)
        .build(target())
        .unwrap();
    assert_eq!(
        text(&message),
        concat!(
            r#"{"data":{"key2":"value2","key1":"value1"},"notification":{"title":"t","body":"b"},"#,
            r#""priority":"high","consolidationKey":"k","expiresAfter":86400,"#,
            r#""md5":"mysMS9RLodXKUzD3uiNpYw==","new":1}"#
        )
    );
    let empty = Message::builder()
        .consolidation_key("sync")
        .build(target())
        .unwrap();
    assert_eq!(text(&empty), r#"{"data":{},"consolidationKey":"sync"}"#);
}

#[test]
fn the_request_and_its_copy_share_the_body() {
    let message = Message::builder().data("a", "b").build(target()).unwrap();
    let mut request = Request::new();
    message
        .write(&super::super::default_authority(), &mut request)
        .unwrap();
    assert_eq!(
        request.url(),
        "https://api.amazon.com/messaging/registrations/amzn1.adm-registration.v2.abc%2F%2B%3D/messages"
    );
    assert_eq!(
        request.header("x-amzn-type-version"),
        Some("com.amazon.device.messaging.ADMMessage@1.0")
    );
    assert_eq!(
        request.header("x-amzn-accept-type"),
        Some("com.amazon.device.messaging.ADMSendResult@1.0")
    );
    let other = message.to(RegistrationId::new("x").unwrap());
    assert!(Arc::ptr_eq(&message.body, &other.body));
    assert!(!format!("{message:?}").contains("amzn1"));
}

#[test]
fn limits() {
    let build = |builder: MessageBuilder| builder.build(target()).map_err(|error| error.kind());
    let overhead = r#"{"data":{"k":""}}"#.len();
    assert!(build(Message::builder().data("k", "x".repeat(6144 - overhead))).is_ok());
    assert_eq!(
        build(Message::builder().data("k", "x".repeat(6145 - overhead))).unwrap_err(),
        ErrorKind::PayloadTooLarge
    );
    let base = || Message::builder().data("a", "b");
    for (secs, fits) in [
        (0, false),
        (59, false),
        (60, true),
        (2_678_400, true),
        (2_678_401, false),
        (u64::MAX, false),
    ] {
        let built = build(base().expires_after(Duration::from_secs(secs)));
        assert_eq!(built.is_ok(), fits, "{secs}");
    }
    assert!(build(base().consolidation_key("é".repeat(64))).is_ok());
    for (builder, kind) in [
        (Message::builder(), ErrorKind::PayloadEmpty),
        (base().consolidation_key("x".repeat(65)), ErrorKind::InvalidValue),
        (base().consolidation_key(""), ErrorKind::InvalidValue),
        (base().data("a", "c"), ErrorKind::Conflict),
        (base().extra("data", 1), ErrorKind::Conflict),
    ] {
        assert_eq!(build(builder).unwrap_err(), kind);
    }
    assert!(Message::builder().notification(b"[]").is_err());
    for bad in ["", "a b", "a\r\n", "é", &"x".repeat(4096)] {
        assert!(RegistrationId::new(bad).is_err(), "{bad:?}");
    }
}
