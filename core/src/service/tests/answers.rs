//! An answer is read against what its message knows, with credentials and without.

use std::time::Duration;

use crate::http::Response;
use crate::service::{Kind, Message, Service};
use crate::time::{Now, UnixTime};
use crate::{adm, apns};

fn now() -> Now {
    Now::new(Duration::ZERO, UnixTime::from_secs(1_700_000_000))
}

fn message(kind: Kind, json: &str) -> Message {
    Message::from_json(kind, json.as_bytes()).unwrap()
}

#[test]
fn a_message_reads_its_answer_as_its_service_does() {
    let device = "ab".repeat(32);
    let apns = |more: &str| {
        let text = format!(
            r#"{{"push_type":"alert","bundle":"a.b","device":"{device}","payload":{{"aps":{{"alert":"x"}}}}{more}}}"#
        );
        message(Kind::Apns, &text)
    };
    // In 2022, before the token was registered: another life of the token.
    let gone = Response::new(410, r#"{"reason":"Unregistered","timestamp":1650000000000}"#);
    assert_eq!(apns("").outcome(&gone, now()).name(), "token_gone");
    let registered = apns(r#","registered_at_ms":1672531200000"#);
    assert_eq!(registered.outcome(&gone, now()).name(), "retry_later");

    let moved = Response::new(200, r#"{"registrationID":"new"}"#);
    let adm = |id: &str| {
        message(
            Kind::Adm,
            &format!(r#"{{"registration_id":"{id}","data":{{"a":"b"}}}}"#),
        )
    };
    assert_eq!(adm("old").outcome(&moved, now()).parts().replacement, Some("new"));
    assert_eq!(adm("new").outcome(&moved, now()).parts().replacement, None);

    let imported = apns::Credentials::imported(
        apns::KeyId::parse("ABC123DEFG").unwrap(),
        apns::TeamId::parse("DEF123GHIJ").unwrap(),
    );
    let service = Service::from(apns::Service::new(imported, apns::Environment::Sandbox));
    assert_eq!(
        service.outcome(&registered, &gone, now()),
        registered.outcome(&gone, now())
    );
    let credentials = adm::Credentials::new("client", "secret").unwrap();
    let service = Service::from(adm::Service::new(credentials, adm::default_authority()));
    assert_eq!(
        service.outcome(&adm("old"), &moved, now()),
        adm("old").outcome(&moved, now())
    );
}

#[test]
fn a_payload_is_what_the_caller_wrote() {
    let text = |message: &Message| String::from_utf8(message.payload().into_owned()).unwrap();
    let baidu = message(
        Kind::Baidu,
        r#"{"kind":"android_raw","msg":"{\"a\": 1}","target":{"all":true}}"#,
    );
    assert_eq!(text(&baidu), r#"{"a": 1}"#);
    // The receiver's keys are those of RFC 8291, appendix A.
    let push = |more: &str| {
        let text = format!(
            r#"{{"subscription":{{"endpoint":"https://fcm.googleapis.com/fcm/send/x","keys":{{
            "p256dh":"BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4",
            "auth":"BTBZMqHH6r4Tts7J_aSIgg"}}}}{more}}}"#
        );
        message(Kind::WebPush, &text)
    };
    assert_eq!(
        text(&push(r#","payload":"When I grow up","padding":{"to_length":64}"#)),
        "When I grow up"
    );
    assert_eq!(text(&push("")), "");
    let apns = message(
        Kind::Apns,
        r#"{"push_type":"alert","bundle":"a.b","device":"abab","payload":{"raw":"{\"aps\": {\"alert\":\"x\"}}"}}"#,
    );
    assert_eq!(text(&apns), r#"{"aps": {"alert":"x"}}"#);
}
