use super::*;
use crate::apns::{Aps, BundleId, DeviceToken, Message, PushType, broadcast_outcome, reasons};

fn now() -> Now {
    Now::new(Duration::ZERO, UnixTime::from_secs(1_700_000_000))
}

fn error(status: u16, reason: &str) -> Response {
    Response::new(status, format!(r#"{{"reason":"{reason}"}}"#)).with_header("apns-id", "X")
}

/// Arm, scope or `refreshable,reconnect`, and minutes to wait: written from
/// Apple's tables, not from `reasons.rs`.
#[test]
fn every_documented_reason_has_its_outcome() {
    let rows: &[(u16, &str, &str)] = &[
        (400, "BadCollapseId", "rejected"),
        (400, "BadExpirationDate", "rejected"),
        (400, "BadMessageId", "rejected"),
        (400, "BadPriority", "rejected"),
        (400, "BadTopic", "rejected"),
        (400, "InvalidPushType", "rejected"),
        (400, "MissingDeviceToken", "rejected"),
        (400, "MissingTopic", "rejected"),
        (400, "PayloadEmpty", "rejected"),
        (400, "DuplicateHeaders", "rejected"),
        (400, "BadDeviceToken", "token_mismatch environment"),
        (400, "DeviceTokenNotForTopic", "token_mismatch topic"),
        (400, "TopicDisallowed", "fix_credentials"),
        (400, "IdleTimeout", "retry_later connection"),
        (403, "BadCertificate", "fix_credentials"),
        (403, "BadCertificateEnvironment", "fix_credentials"),
        (
            403,
            "ExpiredProviderToken",
            "fix_credentials refreshable reconnect",
        ),
        (403, "InvalidProviderToken", "fix_credentials"),
        (403, "MissingProviderToken", "fix_credentials"),
        (403, "Forbidden", "fix_credentials"),
        (403, "UnrelatedKeyIdInToken", "retry_later connection"),
        (403, "BadEnvironmentKeyIdInToken", "fix_credentials"),
        (403, "BadEnvironmentKeyInToken", "fix_credentials"),
        (404, "BadPath", "rejected"),
        (405, "MethodNotAllowed", "rejected"),
        (410, "Unregistered", "token_gone"),
        (410, "ExpiredToken", "token_gone"),
        (413, "PayloadTooLarge", "rejected"),
        (429, "TooManyProviderTokenUpdates", "retry_later connection"),
        (429, "TooManyRequests", "retry_later device"),
        (500, "InternalServerError", "retry_later message 900"),
        (503, "ServiceUnavailable", "retry_later message 900"),
        (503, "Shutdown", "retry_later connection"),
        // Channels and broadcasts.
        (400, "FeatureNotEnabled", "fix_credentials"),
        (400, "MissingChannelId", "rejected"),
        (400, "BadChannelId", "rejected"),
        (400, "ChannelNotRegistered", "rejected"),
        (400, "BadRequestParams", "rejected"),
        (400, "BadRequestPayload", "rejected"),
        (400, "MissingPushType", "rejected"),
        (400, "CannotCreateChannelConfig", "rejected"),
        (400, "MissingChannelQueueSize", "rejected"),
        (403, "TopicMismatch", "fix_credentials"),
        (503, "Service Unavailable", "retry_later message 900"),
    ];
    for (status, reason, expected) in rows {
        let outcome = outcome(&error(*status, reason), now());
        assert_eq!(summary(&outcome), *expected, "{reason}");
        assert_eq!(outcome.status(), *status);
        let kept = outcome.reason().unwrap();
        assert!(kept.is_known() && kept.as_str() == *reason);
        assert!(!outcome.body().is_empty());
        assert_eq!(reasons::find(reason).unwrap().status, *status);
    }
    assert_eq!(rows.len(), reasons::REASONS.len(), "a reason without a row here");
}

fn summary(outcome: &Outcome) -> String {
    let mut text = outcome.name().to_owned();
    match outcome {
        Outcome::RetryLater(retry) => {
            text += &format!(" {}", retry.scope.name());
            text += &retry
                .after
                .map(|after| format!(" {}", after.as_secs()))
                .unwrap_or_default();
        }
        Outcome::FixCredentials(fix) => {
            text += if fix.refreshable { " refreshable" } else { "" };
            text += if fix.reconnect { " reconnect" } else { "" };
        }
        Outcome::TokenMismatch(arm) => text += &format!(" {}", arm.suspects),
        _ => {}
    }
    text
}

#[test]
fn acceptance_keeps_both_ids() {
    let response = Response::new(200, "")
        .with_header("apns-id", "123E4567-E89B-12D3-A456-426655440000")
        .with_header("apns-unique-id", "push-console");
    let Outcome::Accepted(accepted) = outcome(&response, now()) else {
        panic!("not accepted");
    };
    assert_eq!(
        accepted.id.as_ref().unwrap().as_str(),
        "123E4567-E89B-12D3-A456-426655440000"
    );
    assert_eq!(accepted.unique_id(), Some("push-console"));
    let bare = outcome(&Response::new(200, ""), now());
    assert!(matches!(bare, Outcome::Accepted(accepted) if accepted.id.is_none()));
    let broadcast = Response::new(200, "").with_header("apns-request-id", "r");
    assert!(
        matches!(outcome(&broadcast, now()), Outcome::Accepted(a) if a.id.as_ref().unwrap().as_str() == "r")
    );
}

#[test]
fn a_410_is_dated_in_milliseconds() {
    let since = |body: &str| match outcome(&Response::new(410, body), now()) {
        Outcome::TokenGone(gone) => gone.since.map(UnixTime::as_millis),
        other => panic!("{other:?}"),
    };
    assert_eq!(
        since(r#"{"reason":"Unregistered","timestamp":1454402113123}"#),
        Some(1_454_402_113_123)
    );
    assert_eq!(since(r#"{"reason":"ExpiredToken","timestamp":"12"}"#), Some(12));
    for broken in ["-1", "1.5", "null", "{}", "1e30", "\"x\"", "9007199254740993"] {
        let body = format!(r#"{{"reason":"Unregistered","timestamp":{broken}}}"#);
        assert_eq!(since(&body), None, "{broken}");
    }
    let bad = Response::new(400, r#"{"reason":"BadDeviceToken","timestamp":5}"#);
    assert!(matches!(outcome(&bad, now()), Outcome::TokenMismatch(_)));
}

#[test]
fn a_token_registered_since_is_not_gone() {
    let gone = || {
        let body = r#"{"reason":"Unregistered","timestamp":2000}"#;
        outcome(&Response::new(410, body), now())
    };
    let message = Message::builder(PushType::Alert)
        .bundle(BundleId::parse("a.b").unwrap())
        .device(DeviceToken::parse("ab").unwrap())
        .payload(Aps::new().alert("x"))
        .build()
        .unwrap();
    let judged = |millis| {
        message
            .clone()
            .with_registered_at(UnixTime::from_millis(millis))
            .judge(gone())
    };
    assert_eq!(summary(&judged(1999)), "token_gone");
    assert_eq!(summary(&judged(2000)), "retry_later device");
    assert_eq!(judged(2001).reason().unwrap().as_str(), "Unregistered");
    assert_eq!(summary(&message.judge(gone())), "token_gone");
}

#[test]
fn an_unknown_reason_is_kept_and_judged_by_its_status() {
    for (status, expected) in [
        (400, "rejected"),
        (401, "fix_credentials"),
        (403, "fix_credentials"),
        (404, "rejected"),
        (408, "retry_later device"),
        (421, "retry_later connection"),
        (429, "retry_later device"),
        (410, "token_gone"),
        (418, "rejected"),
        (500, "retry_later message 900"),
        (504, "retry_later message 900"),
        (599, "retry_later message 900"),
        (302, "rejected"),
        (0, "rejected"),
    ] {
        let outcome = outcome(&error(status, "Brand New"), now());
        assert_eq!(summary(&outcome), expected, "{status}");
        let reason = outcome.reason().unwrap();
        assert!(!reason.is_known() && reason.as_str() == "Brand New");
    }
}

#[test]
fn a_body_that_is_missing_or_not_json_loses_nothing() {
    for body in [
        "",
        "null",
        "[]",
        "{",
        "{}",
        r#"{"reason":7}"#,
        r#"{"reason":""}"#,
        "<html>no</html>",
        "\u{0}",
    ] {
        for (status, expected) in [
            (400, "rejected"),
            (403, "fix_credentials"),
            (404, "rejected"),
            (503, "retry_later message 900"),
        ] {
            let outcome = outcome(&Response::new(status, body), now());
            assert_eq!(summary(&outcome), expected, "{status} {body}");
            assert_eq!((outcome.status(), outcome.body()), (status, body.as_bytes()));
            assert!(outcome.reason().is_none());
        }
    }
    let not_utf8 = outcome(&Response::new(400, vec![0xff, 0xfe]), now());
    assert_eq!(not_utf8.body(), [0xff, 0xfe]);
}

#[test]
fn only_apns_itself_can_say_that_a_token_is_gone() {
    let plain = |status, body: &str| summary(&outcome(&Response::new(status, body), now()));
    assert_eq!(plain(410, ""), "token_gone", "headers only, as APNs may do");
    assert_eq!(plain(410, "<html>gone</html>"), "rejected");
    assert_eq!(plain(404, ""), "rejected");
    assert_eq!(plain(401, ""), "fix_credentials");
    assert_eq!(
        plain(503, r#"{"reason":"BadDeviceToken"}"#),
        "retry_later message 900"
    );
    let cut = Response::new(410, r#"{"reason":"Unregis"#).with_header("apns-id", "x");
    assert_eq!(summary(&outcome(&cut, now())), "token_gone");
}

#[test]
fn a_wait_that_apns_asks_for_is_kept() {
    let ask = |status, reason| {
        summary(&outcome(
            &error(status, reason).with_header("Retry-After", "30"),
            now(),
        ))
    };
    assert_eq!(ask(429, "TooManyRequests"), "retry_later device 30");
    assert_eq!(ask(503, "ServiceUnavailable"), "retry_later message 30");
    assert_eq!(ask(500, "InternalServerError"), "retry_later message 30");
}

#[test]
fn a_broadcast_speaks_of_channels_not_devices() {
    let summary = |status, reason| summary(&broadcast_outcome(&error(status, reason), now()));
    assert_eq!(summary(429, "TooManyRequests"), "retry_later topic");
    assert_eq!(summary(410, "Unregistered"), "rejected");
    assert_eq!(
        summary(403, "ExpiredProviderToken"),
        "fix_credentials refreshable reconnect"
    );
}

#[test]
fn a_wrong_clock_is_told() {
    let told = |status, reason: &str, secs: i64| {
        let theirs = now().unix.as_secs().saturating_add_signed(secs);
        let date = httpdate::fmt_http_date(std::time::UNIX_EPOCH + Duration::from_secs(theirs));
        let body = format!(r#"{{"reason":"{reason}"}}"#);
        match outcome(&Response::new(status, body).with_header("date", &date), now()) {
            Outcome::FixCredentials(arm) => arm.clock_skew,
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(told(403, "ExpiredProviderToken", 4200), Some(4200));
    assert_eq!(told(403, "InvalidProviderToken", -4200), Some(-4200));
    assert_eq!(told(403, "ExpiredProviderToken", 60), None);
    assert_eq!(told(403, "BadCertificate", 4200), None, "it has no date of ours");
}

/// RFC 9110 §5.2 lets a field come twice where it is not meant to: the first was written by the service, later ones by who stands between.
#[test]
fn the_first_of_two_ids_counts() {
    let response = Response::new(200, "")
        .with_header("apns-id", "first")
        .with_header("apns-id", "second");
    let Outcome::Accepted(accepted) = outcome(&response, now()) else {
        panic!("not accepted")
    };
    assert_eq!(accepted.id.as_ref().map(|id| id.as_str()), Some("first"));
}

/// Apple's reasons are words in one spelling; another spelling is nobody's reason, and the status decides.
#[test]
fn a_reason_in_another_case_is_not_known() {
    for (status, reason) in [
        (410, "unregistered"),
        (400, "baddevicetoken"),
        (403, "EXPIREDPROVIDERTOKEN"),
    ] {
        let outcome = outcome(&error(status, reason), now());
        let said = outcome.reason().unwrap();
        assert_eq!((said.as_str(), said.is_known()), (reason, false));
        assert_ne!(outcome.name(), "token_mismatch", "{reason}");
    }
}
