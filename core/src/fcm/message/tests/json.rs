//! Messages that come as JSON.

use super::*;

#[test]
fn json_is_read_in_both_spellings() {
    let message = Message::from_json(
        br##"{"message":{"topic":"news","android":{"priority":"high","ttl":"3.5s","collapseKey":"k",
        "notification":{"notificationCount":3,"eventTime":"2026-11-22T08:00:00+01:00","extra":{"newField":[1]},
        "light_settings":{"color":"#0aff0080","lightOnDuration":"1s","light_off_duration":"0.25s"}}},
        "fcmOptions":{"analyticsLabel":"l"},"apns":null},"validateOnly":true}"##,
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
        (r#"{"token":"t","name":"projects/x"}"#, ErrorKind::InvalidPayload),
        (
            r#"{"token":"t","extra":{"name":"projects/x"}}"#,
            ErrorKind::InvalidTarget,
        ),
        (r#"{"token":"t","extra":{"topic":"x"}}"#, ErrorKind::InvalidTarget),
        (r#"{"token":"t","extra":[]}"#, ErrorKind::InvalidPayload),
        (
            r#"{"token":"t","data":{"a":"b"},"extra":{"data":"x"}}"#,
            ErrorKind::Conflict,
        ),
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
            Some("android") => tree["android"]["notification"]["extra"] = json!({"new": {"deep": [1]}}),
            Some(name) => tree["extra"] = json!({name: {"deep": [1]}}),
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
fn unknown_fields_are_refused_by_their_path() {
    for (json, expected) in [
        (
            r#"{"token":"t","notifcation":{}}"#,
            "message.notifcation: unknown field",
        ),
        (
            r#"{"message":{"token":"t","notifcation":null}}"#,
            "message.notifcation: unknown field",
        ),
        (
            r#"{"token":"t","android":{"notification":{"titel":"x"}}}"#,
            "message.android.notification.titel: unknown field",
        ),
        (
            r##"{"token":"t","android":{"notification":{"light_settings":{"color":{"rot":1}}}}}"##,
            "message.android.notification.light_settings.color.rot: unknown field",
        ),
        (
            r#"{"message":{"token":"t"},"validateonly":true}"#,
            "validateonly: unknown field beside message",
        ),
        (
            r#"{"message":{"token":"t","data":{"a":"1","a":"2"}}}"#,
            "message.data.a: the key is there twice",
        ),
    ] {
        let error = Message::from_json(json.as_bytes()).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidPayload);
        assert!(error.context().starts_with(expected), "{error}");
    }
}

#[test]
fn extra_is_merged_where_it_stands_and_comes_back_under_its_name() {
    let form = r#"{"message":{"token":"t","android":{"ttl":"3s","notification":{"title":"T","extra":{"a":[1]}},"extra":{"notification":{"b":2}}},"extra":{"c":{}}},"validate_only":true}"#;
    let message = Message::from_json(form.as_bytes()).unwrap();
    assert_eq!(
        text(&message),
        r#"{"message":{"token":"t","android":{"ttl":"3s","notification":{"title":"T","a":[1],"b":2}},"c":{}},"validate_only":true}"#
    );
    assert_eq!(String::from_utf8(message.to_json()).unwrap(), form);
    let plain = Message::from_json(br#"{"token":"t","data":{"k":"v"}}"#).unwrap();
    assert_eq!(plain.to_json(), plain.body());
}
