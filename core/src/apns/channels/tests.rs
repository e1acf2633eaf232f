use std::time::Duration;

use super::*;
use crate::apns::{Environment, KeyId, KeyScope, TeamId};
use crate::crypto::Es256Key;
use crate::time::UnixTime;

const CHANNEL: &str = "dHN0LXNyY2gtY2hubA==";

fn now() -> Now {
    Now::new(Duration::ZERO, UnixTime::from_secs(1_700_000_000))
}

fn credentials(scope: KeyScope) -> Credentials {
    Credentials::token_with(
        KeyId::parse("ABC123DEFG").unwrap(),
        TeamId::parse("DEF123GHIJ").unwrap(),
        Es256Key::from_scalar(&[7; 32]).unwrap(),
        scope,
        HeaderPolicy::default(),
    )
}

fn channel() -> ChannelId {
    ChannelId::parse(CHANNEL).unwrap()
}

fn made(call: &ChannelCall) -> Request {
    let bundle = BundleId::parse("com.example.app").unwrap();
    let id = ApnsId::from_bytes([0; 16]);
    let hosts = Environment::Sandbox.hosts();
    channel_request(
        call,
        &bundle,
        Some(id),
        &credentials(KeyScope::Team),
        &hosts,
        now(),
    )
    .unwrap()
}

#[test]
fn each_call_is_the_request_that_apple_describes() {
    let create = |policy| ChannelCall::Create(policy);
    let rows: &[(ChannelCall, &str, &str, Option<&str>, &str)] = &[
        (
            create(StoragePolicy::NoStorage),
            "POST",
            "channels",
            None,
            r#"{"message-storage-policy":0,"push-type":"LiveActivity"}"#,
        ),
        (
            create(StoragePolicy::MostRecent),
            "POST",
            "channels",
            None,
            r#"{"message-storage-policy":1,"push-type":"LiveActivity"}"#,
        ),
        (ChannelCall::Read(channel()), "GET", "channels", Some(CHANNEL), ""),
        (
            ChannelCall::Delete(channel()),
            "DELETE",
            "channels",
            Some(CHANNEL),
            "",
        ),
        (ChannelCall::List, "GET", "all-channels", None, ""),
    ];
    for (call, method, leaf, header, body) in rows {
        let request = made(call);
        assert_eq!(request.method.as_str(), *method);
        assert_eq!(
            request.url(),
            format!("https://api-manage-broadcast.sandbox.push.apple.com:2195/1/apps/com.example.app/{leaf}")
        );
        assert_eq!(request.header("apns-channel-id"), *header);
        assert_eq!(request.body.as_bytes(), body.as_bytes());
        assert!(request.header("authorization").is_some());
        let id = Some("00000000-0000-0000-0000-000000000000");
        assert_eq!(request.header("apns-request-id"), id);
        assert_eq!(request.header("apns-id"), None);
    }
}

#[test]
fn answers_are_typed() {
    let ask = |call: &ChannelCall, response: Response| channel_outcome(call, &response, now());
    let create = ChannelCall::Create(StoragePolicy::MostRecent);
    assert_eq!(
        ask(
            &create,
            Response::new(201, "").with_header("apns-channel-id", CHANNEL)
        ),
        ChannelOutcome::Created(Some(channel()))
    );
    assert_eq!(
        ask(&create, Response::new(201, "")),
        ChannelOutcome::Created(None)
    );
    let read = ChannelCall::Read(channel());
    for (body, policy) in [
        (
            r#"{"message-storage-policy":1,"push-type":"LiveActivity"}"#,
            Some(StoragePolicy::MostRecent),
        ),
        (
            r#"{"message-storage-policy":0,"push-type":"LiveActivity"}"#,
            Some(StoragePolicy::NoStorage),
        ),
        (r#"{"message-storage-policy":2}"#, None),
        ("[]", None),
        ("<html>", None),
    ] {
        assert_eq!(ask(&read, Response::new(200, body)), ChannelOutcome::Read(policy));
    }
    let delete = ChannelCall::Delete(channel());
    assert_eq!(ask(&delete, Response::new(204, "")), ChannelOutcome::Deleted);
    let listed = ask(
        &ChannelCall::List,
        Response::new(200, format!(r#"{{"channels":["{CHANNEL}","no base64",7]}}"#)),
    );
    assert_eq!(listed, ChannelOutcome::Listed(vec![channel()]));
    assert_eq!(
        ask(&ChannelCall::List, Response::new(200, "")),
        ChannelOutcome::Listed(Vec::new())
    );
}

#[test]
fn refusals_are_outcomes() {
    let refused = |status, reason: &str| {
        let response = Response::new(status, format!(r#"{{"reason":"{reason}"}}"#));
        match channel_outcome(&ChannelCall::List, &response, now()) {
            ChannelOutcome::Refused(outcome) => outcome.name(),
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(refused(400, "CannotCreateChannelConfig"), "rejected");
    assert_eq!(refused(400, "FeatureNotEnabled"), "fix_credentials");
    assert_eq!(refused(403, "TopicMismatch"), "fix_credentials");
    assert_eq!(refused(503, "Service Unavailable"), "retry_later");
}

#[test]
fn channel_ids_are_base64_of_any_length() {
    for text in ["a", CHANNEL, "a+/b", "a-_b", &"A".repeat(255)] {
        assert_eq!(ChannelId::parse(text).unwrap().as_str(), text);
    }
    assert!(
        ChannelId::parse("")
            .unwrap_err()
            .context()
            .contains("MissingChannelId")
    );
    for text in ["a b", "a\r\nb", "é", &"A".repeat(256)] {
        assert!(
            ChannelId::parse(text)
                .unwrap_err()
                .context()
                .contains("BadChannelId")
        );
    }
}

#[test]
fn a_topic_key_manages_its_apps_only() {
    let scope = KeyScope::Topics(vec![BundleId::parse("com.example.other").unwrap()]);
    let bundle = BundleId::parse("com.example.app").unwrap();
    let hosts = Environment::Sandbox.hosts();
    let error = channel_request(
        &ChannelCall::List,
        &bundle,
        None,
        &credentials(scope),
        &hosts,
        now(),
    );
    assert!(error.unwrap_err().context().contains("TopicDisallowed"));
}
