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

/// Each bad message, its error, and the path that the error begins with.
#[test]
fn what_the_service_would_refuse_is_refused_here() {
    let m = Message::builder;
    let android = |config: AndroidConfig| m().android(config);
    let drawn = |it: AndroidNotification| android(AndroidConfig::new().notification(it));
    let n = AndroidNotification::new;
    let v2 = |config: AndroidConfigV2| m().android_v2(config);
    let apns_header = |name: &str, value: &str| {
        m().notification(Notification::new().title("t"))
            .apns(ApnsConfig::new().headers([(name, value)]))
    };
    let web_header = |name: &str, value: &str| m().webpush(WebpushConfig::new().headers([(name, value)]));
    let silent = |payload: &str| {
        m().apns(
            ApnsConfig::new()
                .headers([("apns-priority", "10")])
                .payload(object(payload)),
        )
    };
    let cases = [
        (
            m().data([("from", "x")]),
            ErrorKind::ReservedKey,
            "message.data.from:",
        ),
        (
            m().data([("message_type", "x")]),
            ErrorKind::ReservedKey,
            "message.data.message_type:",
        ),
        (
            m().data([("gcm", "x")]),
            ErrorKind::ReservedKey,
            "message.data.gcm:",
        ),
        (
            m().data([("google.a", "x")]),
            ErrorKind::ReservedKey,
            "message.data.google.a:",
        ),
        (
            m().data([("gcm.notification.x", "x")]),
            ErrorKind::ReservedKey,
            "message.data.gcm.notification.x:",
        ),
        (
            m().data([("a", "1"), ("a", "2")]),
            ErrorKind::Conflict,
            "message.data.a:",
        ),
        (
            android(AndroidConfig::new().data([("from", "x")])),
            ErrorKind::ReservedKey,
            "message.android.data.from:",
        ),
        (
            v2(AndroidConfigV2::new().data([("from", "x")])),
            ErrorKind::ReservedKey,
            "message.android_v2.data.from:",
        ),
        (
            m().android(AndroidConfig::new())
                .android_v2(AndroidConfigV2::new()),
            ErrorKind::Conflict,
            "message:",
        ),
        (
            v2(AndroidConfigV2::new()
                .remote_notification(AndroidRemoteNotification::new())
                .background_sync(AndroidBackgroundSyncMessage::new())),
            ErrorKind::Conflict,
            "message.android_v2:",
        ),
        (
            android(AndroidConfig::new().ttl(Duration::from_secs(2_419_201))),
            ErrorKind::InvalidValue,
            "message.android.ttl:",
        ),
        (
            android(AndroidConfig::new().ttl(Duration::new(2_419_200, 1))),
            ErrorKind::InvalidValue,
            "message.android.ttl:",
        ),
        (
            android(AndroidConfig::new().ttl(Duration::MAX)),
            ErrorKind::InvalidValue,
            "message.android.ttl:",
        ),
        (
            drawn(n().color("0aff00")),
            ErrorKind::InvalidValue,
            "message.android.notification.color:",
        ),
        (
            drawn(n().color("#0aff0")),
            ErrorKind::InvalidValue,
            "message.android.notification.color:",
        ),
        (
            drawn(n().body_loc_args(vec!["a".to_owned()])),
            ErrorKind::MissingField,
            "message.android.notification.body_loc_args:",
        ),
        (
            drawn(n().title_loc_args(vec!["a".to_owned()])),
            ErrorKind::MissingField,
            "message.android.notification.title_loc_args:",
        ),
        (
            drawn(n().notification_count(-1)),
            ErrorKind::InvalidValue,
            "message.android.notification.notification_count:",
        ),
        (
            drawn(n().light_settings(LightSettings::new().color(Color::from_hex("#ff0000").unwrap()))),
            ErrorKind::MissingField,
            "message.android.notification.light_settings.light_on_duration:",
        ),
        (
            drawn(n().vibrate_timings(vec![Duration::MAX])),
            ErrorKind::InvalidValue,
            "message.android.notification.vibrate_timings:",
        ),
        (
            v2(AndroidConfigV2::new().remote_notification(
                AndroidRemoteNotification::new()
                    .notification(AndroidNotificationV2::new().image("http://a.example/x.png")),
            )),
            ErrorKind::InvalidValue,
            "message.android_v2.remote_notification.notification.image:",
        ),
        (
            m().fcm_options(FcmOptions::new().analytics_label("a b")),
            ErrorKind::InvalidValue,
            "message.fcm_options.analytics_label:",
        ),
        (
            m().fcm_options(FcmOptions::new().analytics_label("x".repeat(51))),
            ErrorKind::InvalidValue,
            "message.fcm_options.analytics_label:",
        ),
        (
            m().apns(ApnsConfig::new().fcm_options(ApnsFcmOptions::new().analytics_label(""))),
            ErrorKind::InvalidValue,
            "message.apns.fcm_options.analytics_label:",
        ),
        (
            m().webpush(WebpushConfig::new().fcm_options(WebpushFcmOptions::new().link("http://a.example/"))),
            ErrorKind::InvalidValue,
            "message.webpush.fcm_options.link:",
        ),
        (
            web_header("TTL", "-1"),
            ErrorKind::InvalidHeader,
            "message.webpush.headers.TTL:",
        ),
        (
            web_header("ttl", "1.5"),
            ErrorKind::InvalidHeader,
            "message.webpush.headers.TTL:",
        ),
        (
            web_header("Urgency", "urgent"),
            ErrorKind::InvalidHeader,
            "message.webpush.headers.Urgency:",
        ),
        (
            web_header("Topic", &"a".repeat(33)),
            ErrorKind::InvalidHeader,
            "message.webpush.headers.Topic:",
        ),
        (
            web_header("X", "a\r\nb"),
            ErrorKind::InvalidHeader,
            "message.webpush.headers.X:",
        ),
        (
            web_header("a b", "x"),
            ErrorKind::InvalidHeader,
            "message.webpush.headers.a?b:",
        ),
        (
            apns_header("apns-priority", "7"),
            ErrorKind::InvalidHeader,
            "message.apns.headers.apns-priority:",
        ),
        (
            apns_header("apns-topic", "é"),
            ErrorKind::InvalidHeader,
            "message.apns.headers.apns-topic:",
        ),
        (
            apns_header("apns-collapse-id", &"x".repeat(65)),
            ErrorKind::InvalidHeader,
            "message.apns.headers.apns-collapse-id:",
        ),
        (
            apns_header("apns-expiration", "-1"),
            ErrorKind::InvalidHeader,
            "message.apns.headers.apns-expiration:",
        ),
        (
            m().notification(Notification::new().title("t"))
                .apns(ApnsConfig::new().headers([("apns-priority", "5"), ("APNS-Priority", "10")])),
            ErrorKind::Conflict,
            "message.apns.headers.APNS-Priority:",
        ),
        (
            silent(r#"{"aps":{"content-available":1}}"#),
            ErrorKind::InvalidValue,
            "message.apns.headers.apns-priority:",
        ),
        (
            silent("{}"),
            ErrorKind::InvalidValue,
            "message.apns.headers.apns-priority:",
        ),
        (
            m().apns(ApnsConfig::new().live_activity_token("a b")),
            ErrorKind::InvalidToken,
            "message.apns.live_activity_token:",
        ),
        (
            m().extra("token", "x"),
            ErrorKind::InvalidTarget,
            "message.token:",
        ),
        (
            m().data([("a", "b")]).extra("data", json!({ "a": "c" })),
            ErrorKind::Conflict,
            "message.data.a:",
        ),
        (
            android(AndroidConfig::new().collapse_key("a").extra("collapseKey", "b")),
            ErrorKind::Conflict,
            "message.android.collapseKey:",
        ),
    ];
    for (builder, kind, path) in cases {
        let error = builder.build(token()).unwrap_err();
        assert_eq!(error.kind(), kind, "{error}");
        assert!(
            error.context().starts_with(path),
            "{error} should begin with {path}"
        );
        assert!(error.to_string().len() <= 256);
    }
}

#[test]
fn what_is_at_the_edge_is_taken() {
    let m = Message::builder;
    for builder in [
        m().android(AndroidConfig::new().ttl(Duration::ZERO)),
        m().android(AndroidConfig::new().ttl(Duration::from_secs(2_419_200))),
        m().data([("fromage", "x"), ("gcmx", "y"), ("", "")]),
        m().apns(
            ApnsConfig::new()
                .headers([("apns-priority", "5")])
                .payload(object(r#"{"aps":{"content-available":1}}"#)),
        ),
        m().apns(
            ApnsConfig::new()
                .headers([("apns-priority", "10")])
                .payload(object(r#"{"aps":{"alert":"x"}}"#)),
        ),
        m().apns(
            ApnsConfig::new()
                .headers([("apns-priority", "10")])
                .live_activity_token("abc"),
        ),
        m().webpush(WebpushConfig::new().headers([("TTL", "0"), ("Urgency", "very-low"), ("Topic", "a-_9")])),
        m().fcm_options(FcmOptions::new().analytics_label("x".repeat(50))),
        m().data([("a", "b")]).extra("data", json!({ "c": "d" })),
        m().extra("new", json!({ "deep": [1, 2.5, null] })),
    ] {
        assert!(builder.build(token()).is_ok(), "{builder:?}");
    }
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
fn json_is_read_in_both_spellings() {
    let message = Message::from_json(
        br##"{"message":{"topic":"news","android":{"priority":"high","ttl":"3.5s","collapseKey":"k",
        "notification":{"notificationCount":3,"eventTime":"2026-11-22T08:00:00+01:00","newField":[1],
        "light_settings":{"color":"#0aff0080","lightOnDuration":"1s","light_off_duration":"0.25s"}}},
        "fcmOptions":{"analyticsLabel":"l"},"validator":null},"validateOnly":true}"##,
    )
    .unwrap();
    let body: Value = serde_json::from_slice(&message.body()).unwrap();
    let half = 128.0 / 255.0;
    assert_eq!(
        body,
        json!({ "message": {
            "topic": "news",
            "android": {
                "priority": "HIGH", "ttl": "3.500s", "collapse_key": "k",
                "notification": {
                    "notification_count": 3, "event_time": "2026-11-22T07:00:00Z", "newField": [1],
                    "light_settings": {
                        "color": { "red": 10.0 / 255.0, "green": 1.0, "blue": 0.0, "alpha": half },
                        "light_on_duration": "1s", "light_off_duration": "0.250s",
                    },
                },
            },
            "fcm_options": { "analytics_label": "l" },
        }, "validate_only": true })
    );
    let bare = Message::from_json(br#"{"token":"t","data":{"a":"b"}}"#).unwrap();
    assert_eq!(text(&bare), r#"{"message":{"token":"t","data":{"a":"b"}}}"#);
}

#[test]
fn what_is_written_is_what_the_tree_says() {
    let full = json!({
        "data": {"k": "v\"\\\n", "é": ""},
        "notification": {"title": "t", "body": "b", "image": "https://example.com/i.png"},
        "android": {
            "ttl": "3.5s", "priority": "normal", "direct_boot_ok": true, "data": {},
            "notification": {
                "title_loc_key": "k", "title_loc_args": ["a", "\""], "notification_count": 3,
                "light_settings": {"color": "#0aff0080", "light_on_duration": "1s", "light_off_duration": "0.25s"},
                "vibrate_timings": ["1s", "0.5s"],
            },
        },
        "apns": {"headers": {"apns-priority": "5"}, "payload": {"aps": {"badge": 1.5, "x": [null, -1]}}},
        "webpush": {"headers": {"TTL": "5"}, "notification": {"actions": [{}]}},
        "fcm_options": {"analytics_label": "l"},
    });
    for unknown in [None, Some("new"), Some("android")] {
        let mut tree = full.clone();
        match unknown {
            Some("android") => tree["android"]["notification"]["new"] = json!({"deep": [1]}),
            Some(name) => tree[name] = json!({"deep": [1]}),
            None => {}
        }
        let builder = MessageBuilder::read(tree, &Path::MESSAGE).unwrap();
        let mut written = Vec::new();
        builder.write(&Path::MESSAGE, &mut written).unwrap();
        let value = builder.to_value(&Path::MESSAGE).unwrap();
        assert_eq!(
            String::from_utf8(written).unwrap(),
            value.to_string(),
            "{unknown:?}"
        );
    }
}

#[test]
fn json_of_the_wrong_shape_is_refused() {
    for (json, kind) in [
        ("", ErrorKind::InvalidPayload),
        ("[]", ErrorKind::InvalidPayload),
        (r#"{"message":[]}"#, ErrorKind::InvalidPayload),
        (r#"{"message":{"token":"t"},"x":1}"#, ErrorKind::InvalidPayload),
        (
            r#"{"message":{"token":"t"},"validate_only":"yes"}"#,
            ErrorKind::InvalidPayload,
        ),
        (r#"{"data":{"a":"b"}}"#, ErrorKind::InvalidTarget),
        (r#"{"token":"t","topic":"x"}"#, ErrorKind::InvalidTarget),
        (r#"{"fid":"t","token":"x"}"#, ErrorKind::InvalidTarget),
        (r#"{"token":1}"#, ErrorKind::InvalidPayload),
        (r#"{"token":""}"#, ErrorKind::InvalidToken),
        (r#"{"topic":"/topics/x"}"#, ErrorKind::InvalidTopic),
        (r#"{"condition":"x"}"#, ErrorKind::InvalidCondition),
        (r#"{"token":"t","name":"projects/x"}"#, ErrorKind::InvalidTarget),
        (r#"{"token":"t","data":{"a":1}}"#, ErrorKind::InvalidPayload),
        (
            r#"{"token":"t","data":{"a":"1","a":"2"}}"#,
            ErrorKind::InvalidPayload,
        ),
        (r#"{"token":"t","data":[]}"#, ErrorKind::InvalidPayload),
        (r#"{"token":"t","notification":"x"}"#, ErrorKind::InvalidPayload),
        (r#"{"token":"t","android":{"ttl":3}}"#, ErrorKind::InvalidValue),
        (
            r#"{"token":"t","android":{"ttl":"-3s"}}"#,
            ErrorKind::InvalidValue,
        ),
        (
            r#"{"token":"t","android":{"priority":"URGENT"}}"#,
            ErrorKind::InvalidValue,
        ),
        (
            r#"{"token":"t","android":{"collapse_key":"a","collapseKey":"a"}}"#,
            ErrorKind::Conflict,
        ),
        (
            r#"{"token":"t","android":{"notification":{"notification_count":2147483648}}}"#,
            ErrorKind::InvalidPayload,
        ),
        (
            r#"{"token":"t","android":{"notification":{"sticky":"true"}}}"#,
            ErrorKind::InvalidPayload,
        ),
        (
            r#"{"token":"t","android":{"notification":{"event_time":"today"}}}"#,
            ErrorKind::InvalidValue,
        ),
        (
            r#"{"token":"t","apns":{"payload":"{}"}}"#,
            ErrorKind::InvalidPayload,
        ),
    ] {
        let error = Message::from_json(json.as_bytes()).unwrap_err();
        assert_eq!(error.kind(), kind, "{json}: {error}");
    }
    let personal =
        r#"{"token":"t","data":{"a very long key with a secret 0123456789 0123456789 0123456789":1}}"#;
    let error = Message::from_json(personal.as_bytes()).unwrap_err().to_string();
    assert!(error.len() < 100 && error.is_ascii(), "{error}");
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
