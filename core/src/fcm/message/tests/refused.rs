//! What the service would refuse, and what it just takes.

use super::*;

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
