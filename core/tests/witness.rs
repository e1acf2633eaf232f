//! The circumstances of an answer, as the services' messages tell them.

#![allow(clippy::unwrap_used, reason = "a test says what went wrong by failing")]

use std::time::Duration;

use pushcore::http::Response;
use pushcore::outcome::{Circumstances, Observed, Witness};
use pushcore::time::{Now, UnixTime};
use pushcore::webpush::EndpointPolicy;
use pushcore::{Outcome, apns, baidu, fcm, webpush};

const NOW: Now = Now::new(Duration::ZERO, UnixTime::from_secs(1_800_000_000));

fn push(topic: &str, alert: &str, token: &str) -> apns::Message {
    apns::Message::builder(apns::PushType::Alert)
        .topic(apns::Topic::parse(topic).unwrap())
        .device(apns::DeviceToken::parse(token).unwrap())
        .payload(apns::Aps::new().alert(alert))
        .build()
        .unwrap()
}

#[test]
fn apns_by_topic_and_payload() {
    let push = push;
    let first = push("com.example.a", "x", "ab").circumstances();
    assert_eq!(
        first,
        push("com.example.a", "x", "cd").circumstances(),
        "built anew"
    );
    let campaign = push("com.example.a", "x", "ab");
    let other = campaign.to(apns::DeviceToken::parse("ef").unwrap());
    assert_eq!(first, other.circumstances());
    assert_ne!(first, push("com.example.b", "x", "ab").circumstances());
    assert_ne!(first, push("com.example.a", "y", "ab").circumstances());
}

fn fcm_message(json: &str) -> fcm::Message {
    fcm::Message::from_json(json.as_bytes()).unwrap()
}

/// A good answer, then a token that is blamed; says what the second becomes.
fn after_a_good_one(bad: &Outcome, at: Circumstances) -> &'static str {
    let mut witness = Witness::holding(10);
    let good = fcm::outcome(&Response::new(200, r#"{"name":"projects/p/messages/1"}"#), NOW);
    let Observed::Held = witness.observe(1, bad.clone(), at, b"bad") else {
        return bad.name();
    };
    assert!(matches!(
        witness.observe(2, good, at, b"good"),
        Observed::Now(2, _)
    ));
    witness.poll_settled().expect("its end").1.name()
}

#[test]
fn fcm_by_message_and_never_where_only_apples_devices_get_a_part() {
    let plain = fcm_message(r#"{"token":"a","data":{"k":"v"}}"#).circumstances();
    assert_eq!(
        plain,
        fcm_message(r#"{"token":"b","data":{"k":"v"}}"#).circumstances()
    );
    assert_ne!(
        plain,
        fcm_message(r#"{"token":"a","data":{"k":"w"}}"#).circumstances()
    );
    let apns = r#"{"token":"a","data":{"k":"v"},"apns":{"payload":{"aps":{"content-available":1}}}}"#;
    let varies = fcm_message(apns).circumstances();
    let blamed = r#"{"error":{"status":"INVALID_ARGUMENT","message":"The registration token is not a valid FCM registration token"}}"#;
    let blamed = fcm::outcome(&Response::new(400, blamed), NOW);
    assert_eq!(after_a_good_one(&blamed, plain), "token_gone");
    assert_eq!(after_a_good_one(&blamed, varies), "token_mismatch");
    // The sender is the same for every part of a message.
    let other = r#"{"error":{"details":[{"@type":"google.firebase.fcm.v1.FcmError","errorCode":"SENDER_ID_MISMATCH"}]}}"#;
    let other = fcm::outcome(&Response::new(403, other), NOW);
    assert_eq!(after_a_good_one(&other, varies), "token_gone");
}

#[test]
fn web_push_by_payload_and_push_service() {
    let subscription = |url: &str| {
        webpush::Subscription::without_keys(url, &EndpointPolicy::default()).expect("a subscription")
    };
    let wake = |url: &str| {
        let message = webpush::Message::builder(subscription(url))
            .build()
            .expect("a message");
        message.circumstances()
    };
    let fcm = wake("https://fcm.googleapis.com/fcm/send/a");
    assert_eq!(fcm, wake("https://fcm.googleapis.com/fcm/send/b"));
    assert_ne!(fcm, wake("https://updates.push.services.mozilla.com/wpush/v1/a"));
}

#[test]
fn baidu_by_message_and_environment() {
    let ios = |status, text: &str, channel: &str| {
        let payload = format!(r#"{{"aps":{{"alert":"{text}"}}}}"#);
        let message = baidu::Message::ios(payload.as_bytes())
            .unwrap()
            .deploy_status(status);
        message
            .build(baidu::Target::device(channel).unwrap())
            .unwrap()
            .circumstances()
    };
    let first = ios(baidu::DeployStatus::Production, "x", "1");
    assert_eq!(first, ios(baidu::DeployStatus::Production, "x", "2"));
    assert_ne!(first, ios(baidu::DeployStatus::Development, "x", "1"));
    assert_ne!(first, ios(baidu::DeployStatus::Production, "y", "1"));
}
