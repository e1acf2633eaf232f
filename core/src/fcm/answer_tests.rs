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
        // The subject comes before the sentence.
        (
            "",
            failure("project:1", "Device message rate exceeded."),
            Scope::Project,
        ),
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

fn now() -> Now {
    Now::new(Duration::ZERO, UnixTime::from_secs(1_800_000_000))
}

/// Google's words decide, one by one and whatever the HTTP status beside them; 418 decides nothing.
#[test]
fn each_word_alone_has_its_verdict() {
    let fcm = |word: &str| {
        format!(
            r#"{{"error":{{"details":[{{"@type":"type.googleapis.com/google.firebase.fcm.v1.FcmError","errorCode":"{word}"}}]}}}}"#
        )
    };
    let info = |word: &str| {
        format!(
            r#"{{"error":{{"details":[{{"@type":"type.googleapis.com/google.rpc.ErrorInfo","reason":"{word}"}}]}}}}"#
        )
    };
    let status = |word: &str| format!(r#"{{"error":{{"status":"{word}"}}}}"#);
    type Row<'a> = (&'a dyn Fn(&str) -> String, &'a [&'a str], &'a str);
    let table: [Row<'_>; 15] = [
        // firebase.google.com/docs/reference/fcm/rest/v1/ErrorCode
        (&fcm, &["UNREGISTERED"], "token_gone"),
        (&fcm, &["SENDER_ID_MISMATCH"], "token_mismatch"),
        (
            &fcm,
            &["QUOTA_EXCEEDED", "UNAVAILABLE", "INTERNAL"],
            "retry_later",
        ),
        (
            &fcm,
            &["THIRD_PARTY_AUTH_ERROR", "APNS_AUTH_ERROR"],
            "fix_credentials",
        ),
        (&fcm, &["INVALID_ARGUMENT", "SOMETHING_NEW"], "rejected"),
        // google.api.ErrorReason; the first ones an access token of the endpoint may mend.
        (
            &info,
            &[
                "ACCESS_TOKEN_EXPIRED",
                "ACCESS_TOKEN_INVALID",
                "CREDENTIALS_MISSING",
                "ACCESS_TOKEN_TYPE_UNSUPPORTED",
            ],
            "refresh",
        ),
        (
            &info,
            &[
                "SERVICE_DISABLED",
                "ACCESS_TOKEN_SCOPE_INSUFFICIENT",
                "IAM_PERMISSION_DENIED",
                "BILLING_DISABLED",
            ],
            "fix_credentials",
        ),
        (
            &info,
            &["CONSUMER_INVALID", "CONSUMER_SUSPENDED", "ACCOUNT_STATE_INVALID"],
            "fix_credentials",
        ),
        (
            &info,
            &["API_KEY_INVALID", "API_KEY_SERVICE_BLOCKED"],
            "fix_credentials",
        ),
        (
            &info,
            &["RATE_LIMIT_EXCEEDED", "RESOURCE_QUOTA_EXCEEDED"],
            "retry_later",
        ),
        // google.rpc.Code
        (&status, &["UNAUTHENTICATED"], "refresh"),
        (&status, &["PERMISSION_DENIED", "NOT_FOUND"], "fix_credentials"),
        (
            &status,
            &[
                "RESOURCE_EXHAUSTED",
                "UNAVAILABLE",
                "INTERNAL",
                "DEADLINE_EXCEEDED",
                "ABORTED",
                "UNKNOWN",
                "CANCELLED",
            ],
            "retry_later",
        ),
        (&status, &["SOMETHING_NEW"], "rejected"),
        (&info, &["SOMETHING_NEW"], "rejected"),
    ];
    for (body, words, expected) in table {
        for word in words {
            let outcome = outcome(&Response::new(418, body(word)), now());
            let said = match &outcome {
                Outcome::FixCredentials(arm) if arm.refreshable => "refresh",
                other => other.name(),
            };
            assert_eq!(said, expected, "{word}");
            assert_eq!(outcome.reason().map(|reason| reason.as_str()), Some(*word));
        }
    }
    // Words that refuse for good do so where the HTTP status would say "later".
    for word in [
        "INVALID_ARGUMENT",
        "FAILED_PRECONDITION",
        "OUT_OF_RANGE",
        "UNIMPLEMENTED",
        "ALREADY_EXISTS",
    ] {
        assert_eq!(
            outcome(&Response::new(503, status(word)), now()).name(),
            "rejected",
            "{word}"
        );
    }
}

#[test]
fn what_the_http_status_says_alone() {
    let table: [(u16, &str); 9] = [
        (401, "fix_credentials"),
        (403, "fix_credentials"),
        (404, "fix_credentials"),
        (408, "retry_later"),
        (421, "retry_later"),
        (429, "retry_later"),
        (500, "retry_later"),
        (599, "retry_later"),
        (418, "rejected"),
    ];
    for (status, expected) in table {
        assert_eq!(
            outcome(&Response::new(status, ""), now()).name(),
            expected,
            "{status}"
        );
    }
    // RFC 9110 §15.5.20: over another connection, at once.
    let Outcome::RetryLater(later) = outcome(&Response::new(421, ""), now()) else {
        panic!("421")
    };
    assert_eq!(
        (later.scope, later.after),
        (Scope::Connection, Some(Duration::ZERO))
    );
}

/// A list of violations without a field says nothing about the device.
#[test]
fn an_empty_list_of_fields_accuses_nobody() {
    for (violations, expected) in [
        ("", "rejected"),
        (r#"{"description":"x"}"#, "rejected"),
        (r#"{"field":"message.token"}"#, "token_mismatch"),
        (
            r#"{"field":"message.token"},{"field":"message.data"}"#,
            "rejected",
        ),
    ] {
        let body = format!(
            r#"{{"error":{{"status":"INVALID_ARGUMENT","details":[{{"@type":"type.googleapis.com/google.rpc.BadRequest","fieldViolations":[{violations}]}}]}}}}"#
        );
        assert_eq!(
            outcome(&Response::new(400, body), now()).name(),
            expected,
            "{violations}"
        );
    }
}

/// `RetryInfo` of no seconds is an answer, and not the lack of one.
#[test]
fn a_delay_of_nothing_is_said() {
    let after = |delay: &str| {
        let body = format!(
            r#"{{"error":{{"status":"UNAVAILABLE","details":[{{"@type":"type.googleapis.com/google.rpc.RetryInfo","retryDelay":"{delay}"}}]}}}}"#
        );
        match outcome(&Response::new(503, body), now()) {
            Outcome::RetryLater(later) => later.after,
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(after("0s"), Some(Duration::ZERO));
    assert_eq!(after("1.5s"), Some(Duration::from_millis(1500)));
    // Unreadable, or in the past: as without it.
    assert_eq!((after("-1s"), after("1.5")), (after(""), after("")));
    assert_ne!(after(""), Some(Duration::ZERO));
}
