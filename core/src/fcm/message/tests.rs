mod json;
mod refused;

use std::time::Duration;

use serde_json::json;

use super::*;
use crate::fcm::{
    AndroidBackgroundSyncMessage, AndroidNotification, AndroidNotificationV2, AndroidPriority,
    AndroidRemoteNotification, ApnsFcmOptions, Color, JsonObject, LightSettings, WebpushFcmOptions,
};
use crate::http::Body;

fn token() -> Target {
    Target::token("abc:def").unwrap()
}

fn topic() -> Target {
    Target::topic("news").unwrap()
}

fn text(message: &Message) -> String {
    String::from_utf8(message.body()).unwrap()
}

fn object(text: &str) -> JsonObject {
    JsonObject::parse(text.as_bytes()).unwrap()
}

#[test]
fn the_target_is_spliced_in() {
    let message = Message::builder()
        .notification(Notification::new().title("t\"é").body("b"))
        .data([("z", "1"), ("a", "2")])
        .build(token())
        .unwrap();
    let rest = r#","data":{"z":"1","a":"2"},"notification":{"title":"t\"é","body":"b"}}"#;
    assert_eq!(
        text(&message),
        format!(r#"{{"message":{{"token":"abc:def"{rest}}}"#)
    );
    let cases = [
        (Target::fid(r#"a"b\c"#).unwrap(), r#""fid":"a\"b\\c""#),
        (Target::topic("news").unwrap(), r#""topic":"news""#),
        (
            Target::condition("'a' in topics && !('b' in topics)").unwrap(),
            r#""condition":"'a' in topics && !('b' in topics)""#,
        ),
    ];
    for (target, field) in cases {
        let other = message.to(target.clone());
        assert!(Arc::ptr_eq(&message.encoded, &other.encoded));
        assert_eq!(text(&other), format!(r#"{{"message":{{{field}{rest}}}"#));
        assert_eq!(other.target(), &target);
        assert!(serde_json::from_str::<Value>(&text(&other)).is_ok());
    }
    let empty = Message::builder().build(token()).unwrap();
    assert_eq!(text(&empty), r#"{"message":{"token":"abc:def"}}"#);
    assert_eq!(
        text(&empty.validate_only(true)),
        r#"{"message":{"token":"abc:def"},"validate_only":true}"#
    );
}

#[test]
fn a_request_is_written_into_the_buffers_of_the_last_one() {
    let message = Message::builder().data([("k", "v")]).build(token()).unwrap();
    let (hosts, project) = (Hosts::default(), ProjectId::new("my-app").unwrap());
    let mut request = Request::new();
    message.write(&hosts, &project, &mut request).unwrap();
    assert_eq!(
        request.url(),
        "https://fcm.googleapis.com/v1/projects/my-app/messages:send"
    );
    assert_eq!(request.header("content-type"), Some("application/json"));
    assert_eq!(request.body.as_bytes(), message.body());
    let Body::Own(body) = &request.body else {
        panic!("a body of its own")
    };
    let (before, block) = (body.as_ptr(), request.common.clone().unwrap().id());
    request.clear();
    message
        .to(Target::token("x").unwrap())
        .write(&hosts, &project, &mut request)
        .unwrap();
    assert_eq!(request.body.as_bytes().as_ptr(), before, "the same buffer");
    assert_eq!(request.common.unwrap().id(), block, "the same headers");
}

#[test]
fn payload_limits_to_the_byte() {
    let sized = |bytes: usize| {
        Message::builder().data([(
            "key",
            "é".repeat((bytes - 3) / 2) + if bytes % 2 == 0 { "x" } else { "" },
        )])
    };
    for (target, limit) in [
        (token(), 4096),
        (Target::fid("f").unwrap(), 4096),
        (topic(), 2048),
        (Target::condition("'a' in topics").unwrap(), 2048),
    ] {
        let fits = sized(limit).build(target.clone()).unwrap();
        assert_eq!(fits.payload_size(), limit);
        let error = sized(limit + 1).build(target.clone()).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::PayloadTooLarge);
        assert_eq!(
            error.context(),
            format!(
                "message: {} bytes of payload, {limit} is the limit for this target",
                limit + 1
            )
        );
    }
    let device = sized(4096).build(token()).unwrap();
    let error = device
        .to(topic())
        .write(
            &Hosts::default(),
            &ProjectId::new("p").unwrap(),
            &mut Request::new(),
        )
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::PayloadTooLarge);
    let replaced = Message::builder()
        .data([("a", "x".repeat(9000))])
        .android(AndroidConfig::new().data([("b", "y")]))
        .build(token());
    assert_eq!(
        replaced.unwrap().payload_size(),
        2,
        "android's data replaces the message's"
    );
}

#[test]
fn extra_fields_merge_at_every_level() {
    let message = Message::builder()
        .android(
            AndroidConfig::new()
                .priority(AndroidPriority::High)
                .notification(AndroidNotification::new().title("t").extra("glow", true))
                .extra("satellite", 2),
        )
        .extra(
            "android",
            json!({ "more": { "x": 1 }, "notification": { "fade": "in" } }),
        )
        .build(token())
        .unwrap();
    assert_eq!(
        text(&message),
        concat!(
            r#"{"message":{"token":"abc:def","android":{"priority":"HIGH","#,
            r#""notification":{"title":"t","glow":true,"fade":"in"},"satellite":2,"more":{"x":1}}}}"#
        )
    );
}

#[test]
fn targets() {
    for bad in ["", "a b", "a\r\nb", "a\0", "a\x7f", "é", &"x".repeat(4096)] {
        assert_eq!(
            Target::token(bad).unwrap_err().kind(),
            ErrorKind::InvalidToken,
            "{bad:?}"
        );
        assert_eq!(
            Target::fid(bad).unwrap_err().kind(),
            ErrorKind::InvalidToken,
            "{bad:?}"
        );
    }
    assert!(Target::token(&"x".repeat(4095)).is_ok());
    for bad in ["", "/topics/a", "a b", "a/b", "a+b", "é", &"x".repeat(901)] {
        assert_eq!(
            Target::topic(bad).unwrap_err().kind(),
            ErrorKind::InvalidTopic,
            "{bad:?}"
        );
    }
    assert!(Target::topic(&"x".repeat(900)).is_ok() && Target::topic("a-_.~%9").is_ok());
    let message = Message::builder()
        .apns(ApnsConfig::new().live_activity_token("secret1"))
        .build(Target::token("secret2").unwrap())
        .unwrap();
    let shown = format!(
        "{message:?} {:?}",
        ApnsConfig::new().live_activity_token("secret3")
    );
    assert!(!shown.contains("secret"), "{shown}");
}
