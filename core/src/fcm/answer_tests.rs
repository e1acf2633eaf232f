//! Reading answers the short way.

use super::*;
use crate::time::UnixTime;

#[test]
fn the_short_way_says_what_the_parser_says() {
    let now = Now::new(Duration::ZERO, UnixTime::from_secs(1_700_000_000));
    for body in [
        r#"{"name":"projects/p/messages/0:1"}"#,
        "{\n  \"name\": \"projects/p/messages/0:1\"\n}\n",
        r#"{"name":""}"#,
        r#"{"name":"é"}"#,
        r#"{"name":"a\"b"}"#,
        r#"{"name":"a\u0041"}"#,
        r#"{"name":"a","name":"b"}"#,
        r#"{"name":"a","other":"b"}"#,
        r#"{"other":"b","name":"a"}"#,
        r#"{"name":1}"#,
        r#"{"name":"a"]"#,
        r#"{"name":"a}"#,
        r#"{"name""a"}"#,
        r#"{"name":"a"}}"#,
        "{\"name\":\"a\u{1}b\"}",
        "{}",
        "",
        "<html>",
    ] {
        let response = Response::new(200, body);
        let parsed = Answer::new(&response, now).name().map(str::to_owned);
        if let Some(name) = only_name(body.as_bytes()) {
            assert_eq!(Some(name), parsed.as_deref(), "{body}");
        }
        // FCM names every message that it takes: without a name it is not FCM that answered.
        if parsed.as_deref().unwrap_or_default().is_empty() {
            let outcome = outcome(&response, now);
            assert_eq!((outcome.name(), outcome.body()), ("retry_later", body.as_bytes()));
            continue;
        }
        let Outcome::Accepted(accepted) = outcome(&response, now) else {
            panic!("not accepted: {body}")
        };
        assert_eq!(
            accepted.id.as_ref().map(MessageId::as_str),
            parsed.as_deref(),
            "{body}"
        );
    }
    assert_eq!(only_name(b"{\"name\":\"\xff\"}"), None);
    assert_eq!(only_name(br#"{ "name" : "x" }"#), Some("x"));
}

/// A scope is read from the fields that name it, and not from words that are part of an id.
#[test]
fn whose_quota_it_is() {
    let now = Now::new(Duration::ZERO, UnixTime::from_secs(1_800_000_000));
    let scope = |message: &str, details: &str| {
        let body = format!(
            r#"{{"error":{{"code":429,"status":"RESOURCE_EXHAUSTED","message":"{message}","details":[{details}]}}}}"#
        );
        match outcome(&Response::new(429, body), now) {
            Outcome::RetryLater(later) => later.scope,
            other => panic!("{other:?}"),
        }
    };
    let failure = |subject: &str, description: &str| {
        format!(
            r#"{{"@type":"type.googleapis.com/google.rpc.QuotaFailure","violations":[{{"subject":"{subject}","description":"{description}"}}]}}"#
        )
    };
    let limit = |name: &str| {
        format!(
            r#"{{"@type":"type.googleapis.com/google.rpc.ErrorInfo","reason":"RATE_LIMIT_EXCEEDED","metadata":{{"quota_limit":"{name}","consumer":"projects/topic-news"}}}}"#
        )
    };
    for (message, details, expected) in [
        ("", failure("project:smart-device-prod", ""), Scope::Project),
        ("", failure("device:abc", ""), Scope::Device),
        ("", failure("topic:project", ""), Scope::Topic),
        ("", failure("", "Device message rate exceeded."), Scope::Device),
        (
            "Quota exceeded for consumer 'projects/topic-news'",
            String::new(),
            Scope::Project,
        ),
        (
            "Quota exceeded for consumer 'project_number:1' of smart-device-prod",
            String::new(),
            Scope::Project,
        ),
        ("Topic message rate exceeded", String::new(), Scope::Topic),
        ("", limit("SendsPerMinutePerProject"), Scope::Project),
        ("", limit("SendsPerMinutePerDevice"), Scope::Device),
        (
            "the device's quota",
            limit("SendsPerMinutePerTopic"),
            Scope::Topic,
        ),
        ("", String::new(), Scope::Project),
    ] {
        assert_eq!(scope(message, &details), expected, "{message} {details}");
    }
}
