use super::*;
use crate::adm::Message;
use crate::http::Method;
use crate::time::UnixTime;
use std::time::Duration;

const NOW: Now = Now::new(Duration::ZERO, UnixTime::from_secs(1_800_000_000));

fn credentials() -> Credentials {
    let credentials = Credentials::new("id", "secret").unwrap();
    let token = r#"{"access_token":"t","expires_in":3600,"token_type":"bearer","scope":"messaging:push"}"#;
    credentials.accept_token(&Response::new(200, token), NOW).unwrap();
    credentials
}

fn host() -> Authority {
    crate::adm::default_authority()
}

fn json(request: &Request) -> Value {
    serde_json::from_slice(request.body.as_bytes()).unwrap()
}

#[test]
fn a_topic_or_group_is_named_in_the_body() {
    let builder = Message::builder().data("k", "v").consolidation_key("c");
    let topic = Audience::Topic(Topic::new("weather in Köln").unwrap());
    let group = Audience::Group(Group::new("app_group_name").unwrap());
    for (audience, path, name, value) in [
        (topic, "/v1/messaging/topic/messages", "topic", "weather in Köln"),
        (group, "/v1/messaging/group/messages", "group", "app_group_name"),
    ] {
        let message = builder.build_for(audience).unwrap();
        let request = audience_request(&message, &credentials(), &host(), NOW).unwrap();
        assert_eq!((request.method, request.path.as_str()), (Method::Post, path));
        assert_eq!(request.header("authorization"), Some("Bearer t"));
        assert_eq!(
            request.header("x-amzn-type-version"),
            Some("com.amazon.device.messaging.ADMMessage@1.0")
        );
        assert_eq!(
            json(&request),
            json!({ "data": { "k": "v" }, "consolidationKey": "c", name: value })
        );
    }
    let twice = builder.extra("topic", "x");
    let error = twice
        .build_for(Audience::Topic(Topic::new("y").unwrap()))
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Conflict);
}

#[test]
fn names_are_checked() {
    for name in ["", "a b", "a/b", "é", "a\n", &"x".repeat(513)] {
        assert_eq!(
            Group::new(name).unwrap_err().kind(),
            ErrorKind::InvalidTarget,
            "{name:?}"
        );
    }
    for name in ["", "a\n", "a\u{85}", &"x".repeat(513)] {
        assert_eq!(
            Topic::new(name).unwrap_err().kind(),
            ErrorKind::InvalidTarget,
            "{name:?}"
        );
    }
    assert!(Group::new(&"x".repeat(512)).is_ok() && Topic::new("a/b é").is_ok());
}

#[test]
fn a_group_is_made_and_changed() {
    let group = Group::new("household7").unwrap();
    let members = ["regId1", "regId2"].map(|id| RegistrationId::new(id).unwrap());
    for (call, word) in [
        (GroupCall::Create, "create"),
        (GroupCall::Add, "add"),
        (GroupCall::Remove, "remove"),
    ] {
        let request = group_request(call, &group, &members, &credentials(), &host(), NOW).unwrap();
        assert_eq!(
            request.url(),
            "https://api.amazon.com/v1/messaging/group/operations"
        );
        assert_eq!(request.header("content-type"), Some("application/json"));
        assert_eq!(
            json(&request),
            json!({ "operation": word, "group_name": "household7", "registration_ids": ["regId1", "regId2"] })
        );
    }
    let error = group_request(GroupCall::Add, &group, &[], &credentials(), &host(), NOW).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidValue);
    let cold = Credentials::new("id", "secret").unwrap();
    let error = group_request(GroupCall::Add, &group, &members, &cold, &host(), NOW).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::TokenNeeded);
}

#[test]
fn a_groups_answer_names_those_that_failed() {
    // Both samples are those of Amazon's page.
    let partly = r#"{"success":1,"failure":2,"failed_registration_ids":["regId1","regId2"]}"#;
    let whole = r#"{"success":3,"failure":0}"#;
    let read = |status, body: &str| group_outcome(&Response::new(status, body), NOW);
    assert_eq!(
        read(200, partly),
        GroupOutcome::Done {
            succeeded: 1,
            failed: vec!["regId1".into(), "regId2".into()]
        }
    );
    assert_eq!(
        read(200, whole),
        GroupOutcome::Done {
            succeeded: 3,
            failed: Vec::new()
        }
    );
    for (status, body, name) in [
        (400, r#"{"reason":"InvalidData"}"#, "rejected"),
        (401, r#"{"reason":"AccessTokenExpired"}"#, "fix_credentials"),
        (429, "", "retry_later"),
        (503, "<html>", "retry_later"),
    ] {
        match read(status, body) {
            GroupOutcome::Refused(outcome) => assert_eq!(outcome.name(), name, "{status}"),
            other => panic!("{other:?}"),
        }
    }
    // What cannot be read is not taken for done.
    assert!(matches!(read(200, "ok"), GroupOutcome::Refused(_)));
}

#[test]
fn an_audience_has_no_registration_to_lose() {
    for (status, body, name) in [
        (200, r#"{"registrationID":"x"}"#, "accepted"),
        (400, r#"{"reason":"InvalidRegistrationId"}"#, "rejected"),
        (400, r#"{"reason":"Unregistered"}"#, "rejected"),
        (413, r#"{"reason":"MessageTooLarge"}"#, "rejected"),
        (429, r#"{"reason":"MaxRateExceeded"}"#, "retry_later"),
    ] {
        let outcome = audience_outcome(&Response::new(status, body), NOW);
        assert_eq!(outcome.name(), name, "{status} {body}");
        if let Outcome::Accepted(accepted) = outcome {
            assert_eq!(accepted.replacement(), None);
        }
    }
}
