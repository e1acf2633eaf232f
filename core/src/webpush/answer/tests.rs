//! One row for each answer that a push service has been seen to give.

use super::*;
use crate::UnixTime;
use crate::webpush::EndpointPolicy;

fn now() -> Now {
    Now::new(Duration::ZERO, UnixTime::from_secs(1_800_000_000))
}

fn read(status: u16, headers: &[(&str, &str)], body: &str) -> Outcome {
    let response = headers
        .iter()
        .fold(Response::new(status, body), |response, (name, value)| {
            response.with_header(name, value)
        });
    outcome(&response, now())
}

fn row(status: u16, body: &str, name: &str, reason: Option<&str>) {
    let outcome = read(status, &[], body);
    assert_eq!(outcome.name(), name, "{status} {body}");
    assert_eq!(outcome.reason().map(Reason::as_str), reason, "{status} {body}");
    assert_eq!((outcome.status(), outcome.body()), (status, body.as_bytes()));
}

#[test]
fn statuses_alone() {
    for (status, name) in [
        (200, "accepted"),
        (201, "accepted"),
        (202, "accepted"),
        (204, "accepted"),
        (301, "rejected"),
        (302, "rejected"),
        (307, "rejected"),
        (308, "rejected"),
        (400, "rejected"),
        (401, "fix_credentials"),
        (402, "rejected"),
        (403, "fix_credentials"),
        (404, "token_gone"),
        (405, "rejected"),
        (406, "rejected"),
        (408, "retry_later"),
        (409, "rejected"),
        (410, "token_gone"),
        (411, "rejected"),
        (413, "rejected"),
        (414, "rejected"),
        (418, "rejected"),
        (421, "retry_later"),
        (429, "retry_later"),
        (500, "retry_later"),
        (501, "rejected"),
        (502, "retry_later"),
        (503, "retry_later"),
        (504, "retry_later"),
        (599, "retry_later"),
        (0, "rejected"),
        (100, "rejected"),
        (999, "rejected"),
    ] {
        row(status, "", name, None);
    }
}

#[test]
fn acceptance_keeps_what_is_needed_later() {
    let headers = [
        ("Location", "https://updates.push.services.mozilla.com/m/gAAAA"),
        ("TTL", "2592000"),
        ("apns-id", "8A5C4C5D-0000-0000-0000-000000000000"),
    ];
    let Outcome::Accepted(accepted) = read(201, &headers, "") else {
        panic!("not accepted")
    };
    assert_eq!(
        accepted.location(),
        Some("https://updates.push.services.mozilla.com/m/gAAAA")
    );
    assert_eq!(accepted.ttl(), Some(Duration::from_secs(2_592_000)));
    assert_eq!(
        accepted.id.unwrap().as_str(),
        "8A5C4C5D-0000-0000-0000-000000000000"
    );
}

#[test]
fn a_receipt_is_somewhere_else() {
    let link = r#"</receipt-subscription/3ZtI>; rel="urn:ietf:params:push:receipt""#;
    let Outcome::Accepted(accepted) = read(202, &[("Link", link), ("Location", "/message/qDIY")], "") else {
        panic!("not accepted")
    };
    assert_eq!(accepted.receipt(), Some("/receipt-subscription/3ZtI"));
    assert_eq!(accepted.location(), Some("/message/qDIY"));
    assert!(!format!("{accepted:?}").contains("3ZtI"), "it is a capability");
}

/// Our clock is `secs` behind the push service's.
fn skewed(status: u16, secs: i64, body: &str) -> Outcome {
    let theirs = now().unix.as_secs().saturating_add_signed(secs);
    let date = httpdate::fmt_http_date(std::time::UNIX_EPOCH + Duration::from_secs(theirs));
    read(status, &[("Date", &date)], body)
}

#[test]
fn a_wrong_clock_is_told() {
    let jwt = r#"{"reason":"BadJwtToken"}"#;
    let errno = r#"{"code":401,"errno":109,"message":"Request did not validate expiration"}"#;
    for (status, body) in [
        (401, errno),
        (403, jwt),
        (403, "the token has expired"),
        (401, ""),
    ] {
        for hours in [6, 13, 24, -12, -13, -24] {
            let outcome = skewed(status, hours * 3600, body);
            let Outcome::FixCredentials(fix) = &outcome else {
                panic!("{outcome:?}")
            };
            assert_eq!(fix.clock_skew, Some(hours * 3600), "{status} {body}");
            assert!(fix.refreshable, "a token dated by their clock may do");
            assert_eq!(outcome.advice(), "set this machine's clock, then send again");
        }
        // Less than that leaves the token valid: the clock is not why.
        for secs in [0, 59, -3600, 6 * 3600 - 1, 1 - 12 * 3600] {
            let Outcome::FixCredentials(fix) = skewed(status, secs, body) else {
                panic!("{status} {body}")
            };
            assert_eq!(fix.clock_skew, None, "{secs}");
        }
    }
    // Years off: told, but not believed enough to date a token by.
    let Outcome::FixCredentials(fix) = skewed(403, 40_000_000, jwt) else {
        panic!("403")
    };
    assert_eq!((fix.clock_skew, fix.refreshable), (Some(40_000_000), false));
    // Not every refusal of the credentials can be the clock's fault.
    let Outcome::FixCredentials(fix) = skewed(400, 50_000, r#"{"reason":"BadVapidPublicKey"}"#) else {
        panic!("400")
    };
    assert_eq!(fix.clock_skew, None);
    let mismatch = skewed(403, 50_000, "do not correspond to the credentials used");
    assert_eq!(mismatch.name(), "token_gone");
}

#[test]
fn mozilla() {
    let body =
        |errno: &str| format!(r#"{{"code":400,"errno":{errno},"error":"E","message":"M","more_info":"U"}}"#);
    for (status, errno, name) in [
        (400, "101", "rejected"),
        (404, "102", "token_gone"),
        (410, "103", "token_gone"),
        (413, "104", "rejected"),
        (410, "105", "token_gone"),
        (410, "106", "token_gone"),
        (400, "108", "rejected"),
        (401, "109", "fix_credentials"),
        (400, "110", "rejected"),
        (400, "111", "rejected"),
        (400, "112", "rejected"),
        (400, "113", "rejected"),
        (400, "114", "rejected"),
        (503, "201", "retry_later"),
        (503, "202", "retry_later"),
        (502, "900", "retry_later"),
        (502, "901", "retry_later"),
        (502, "902", "retry_later"),
        (502, "903", "retry_later"),
        (500, "999", "retry_later"),
        (418, "999", "retry_later"),
    ] {
        let outcome = read(status, &[], &body(errno));
        assert_eq!(outcome.name(), name, "{status} {errno}");
        let reason = outcome.reason().expect("a reason");
        assert!(reason.is_known() && reason.as_str().contains(errno), "{reason}");
    }
    for (status, errno, name) in [
        (500, "null", "retry_later"),
        (503, "null", "retry_later"),
        (413, "null", "rejected"),
        (410, "null", "token_gone"),
        (400, "12345", "rejected"),
        (401, "\"109\"", "fix_credentials"),
    ] {
        row(status, &body(errno), name, Some("M"));
    }
    row(
        500,
        r#"{"code":500,"error":"E","message":"M"}"#,
        "retry_later",
        Some("M"),
    );
    let wait = |status, errno: &str, headers: &[_]| match read(status, headers, &body(errno)) {
        Outcome::RetryLater(retry) => retry.after,
        other => panic!("{other:?}"),
    };
    assert_eq!(
        wait(503, "201", &[("retry-after", "120")]),
        Some(Duration::from_secs(120))
    );
    assert_eq!(wait(503, "202", &[("retry-after", "120")]), Some(Duration::ZERO));
    assert_eq!(wait(503, "201", &[]), None);
}

#[test]
fn apple() {
    for (status, reason, name) in [
        (400, "BadTtl", "rejected"),
        (400, "BadUrgency", "rejected"),
        (400, "BadWebPushTopic", "rejected"),
        (400, "BadWebPushRequest", "rejected"),
        (400, "BadAuthorizationHeader", "fix_credentials"),
        (400, "BadVapidPublicKey", "fix_credentials"),
        (400, "VapidPkHashMismatch", "token_gone"),
        (403, "BadJwtToken", "fix_credentials"),
        (404, "BadPath", "rejected"),
        (405, "MethodNotAllowed", "rejected"),
        (410, "Unregistered", "token_gone"),
        (410, "ExpiredToken", "token_gone"),
        (413, "PayloadTooLarge", "rejected"),
        (429, "TooManyRequests", "retry_later"),
        (500, "InternalServerError", "retry_later"),
        (503, "ServiceUnavailable", "retry_later"),
        (503, "Shutdown", "retry_later"),
        (400, "IdleTimeout", "retry_later"),
        (400, "SomethingNew", "rejected"),
        (410, "SomethingNew", "token_gone"),
        (500, "Unregistered", "retry_later"),
    ] {
        row(status, &format!(r#"{{"reason":"{reason}"}}"#), name, Some(reason));
    }
}

#[test]
fn fcm() {
    let mismatch = "the VAPID credentials in the authorization header do not correspond to the credentials used to create the subscriptions.";
    for (status, body, name, reason) in [
        (403, mismatch, "token_gone", Some("KeyMismatch")),
        (
            410,
            "push subscription has unsubscribed or expired.\n",
            "token_gone",
            Some("UnsubscribedOrExpired"),
        ),
        (
            400,
            "UnauthorizedRegistration",
            "token_gone",
            Some("UnauthorizedRegistration"),
        ),
        (
            400,
            "<H1>InvalidRegistration</H1>",
            "token_gone",
            Some("InvalidRegistration"),
        ),
        (
            404,
            "<HTML>A valid push subscription endpoint should be specified",
            "token_gone",
            None,
        ),
        (
            400,
            "payload must be less than 4096 bytes",
            "rejected",
            Some("PayloadTooLarge"),
        ),
        (
            403,
            "the JWT 'exp' must not be more than 24 hours ahead",
            "fix_credentials",
            Some("ExpirationTooLong"),
        ),
        (
            403,
            "the token has expired",
            "fix_credentials",
            Some("TokenExpired"),
        ),
        (403, "invalid JWT provided", "fix_credentials", Some("InvalidJwt")),
        (
            401,
            "authorization header must be specified.",
            "fix_credentials",
            Some("authorization header must be specified."),
        ),
        (
            403,
            "sender not authenticated",
            "fix_credentials",
            Some("sender not authenticated"),
        ),
        (
            500,
            "InvalidRegistration",
            "retry_later",
            Some("InvalidRegistration"),
        ),
    ] {
        row(status, body, name, reason);
    }
    assert!(matches!(
        read(403, &[], "the token has expired"),
        Outcome::FixCredentials(FixCredentials {
            refreshable: true,
            ..
        })
    ));
}

#[test]
fn wns() {
    let status = |word| ("X-WNS-NotificationStatus", word);
    for (code, headers, name, reason) in [
        (
            201,
            &[status("received"), ("X-WNS-Msg-ID", "4711")][..],
            "accepted",
            None,
        ),
        (201, &[status("dropped")], "rejected", Some("dropped")),
        (
            200,
            &[status("channelthrottled")],
            "retry_later",
            Some("channelthrottled"),
        ),
        (
            406,
            &[status("channelthrottled"), ("Retry-After", "60")],
            "retry_later",
            Some("channelthrottled"),
        ),
        (406, &[("Retry-After", "60")], "retry_later", None),
        (
            400,
            &[(
                "X-WNS-Error-Description",
                "Ttl value conflicts with X-WNS-Cache-Policy.",
            )],
            "rejected",
            Some("Ttl value conflicts with X-WNS-Cache-Policy."),
        ),
        (
            410,
            &[
                status("dropped"),
                ("X-WNS-Error-Description", "The channel expired."),
            ],
            "token_gone",
            Some("The channel expired."),
        ),
        (404, &[status("dropped")], "token_gone", Some("dropped")),
        (413, &[status("dropped")], "rejected", Some("dropped")),
        (500, &[status("dropped")], "retry_later", Some("dropped")),
    ] {
        let outcome = read(code, headers, "");
        assert_eq!(outcome.name(), name, "{code} {headers:?}");
        assert_eq!(outcome.reason().map(Reason::as_str), reason, "{code} {headers:?}");
    }
    let Outcome::Accepted(accepted) = read(201, &[status("received"), ("X-WNS-Msg-ID", "4711")], "") else {
        panic!("not accepted")
    };
    assert_eq!(accepted.id.unwrap().as_str(), "4711");
}

#[test]
fn a_stray_page_costs_no_subscription() {
    row(404, "<html><title>404 Not Found</title></html>", "rejected", None);
    row(404, " <!DOCTYPE html>", "rejected", None);
    assert_eq!(
        read(404, &[("Content-Type", "text/html; charset=utf-8")], "nginx").name(),
        "rejected"
    );
    row(410, "<html>Gone</html>", "token_gone", None);
}

#[test]
fn a_young_subscription_is_given_another_chance() {
    let subscription = |url| Subscription::without_keys(url, &EndpointPolicy::default()).unwrap();
    let fcm = subscription("https://fcm.googleapis.com/fcm/send/x");
    let born = |ago: u64| fcm.clone().created_at(UnixTime::from_secs(1_800_000_000 - ago));
    let gone = Response::new(410, "push subscription has unsubscribed or expired.");
    let name = |subscription: &Subscription| outcome_for(&gone, subscription, now()).name();
    assert_eq!(name(&born(0)), "retry_later");
    assert_eq!(name(&born(59)), "retry_later");
    assert_eq!(name(&born(60)), "token_gone");
    assert_eq!(name(&fcm), "token_gone", "its age is not known");
    let mozilla = subscription("https://updates.push.services.mozilla.com/x").created_at(now().unix);
    assert_eq!(name(&mozilla), "token_gone");
    let mismatch = Response::new(403, "credentials do not correspond to the credentials used");
    assert_eq!(outcome_for(&mismatch, &born(0), now()).name(), "token_gone");
}

#[test]
fn throttling_says_what_has_to_wait() {
    let scope = |status, headers: &[_], body| match read(status, headers, body) {
        Outcome::RetryLater(retry) => (retry.scope, retry.after.map(|after| after.as_secs())),
        other => panic!("{other:?}"),
    };
    assert_eq!(scope(429, &[("retry-after", "7")], ""), (Scope::Device, Some(7)));
    assert_eq!(scope(406, &[("retry-after", "7")], ""), (Scope::Project, Some(7)));
    assert_eq!(scope(421, &[], ""), (Scope::Connection, None));
    assert_eq!(scope(500, &[], "{"), (Scope::Message, None));
}

#[test]
fn hostile_bodies_leave_no_trace_in_the_reason() {
    let token = "a".repeat(150);
    let outcome = read(
        400,
        &[],
        &format!("bad\u{1b}[31m token {token} \u{7}here\nsecond line"),
    );
    assert_eq!(outcome.reason().unwrap().as_str(), "bad[31m token [...] here");
    let long = "word ".repeat(10_000);
    assert!(read(500, &[], &long).reason().unwrap().as_str().len() <= 160);
    for body in [
        "{",
        "[]",
        "null",
        "\"x\"",
        r#"{"reason":7}"#,
        r#"{"errno":-1}"#,
        &"[".repeat(100_000),
    ] {
        assert_eq!(read(400, &[], body).name(), "rejected", "{body:.20}");
    }
    let bytes: Vec<u8> = (0..=255).collect();
    assert_eq!(outcome_of(&bytes), "rejected");
}

fn outcome_of(body: &[u8]) -> &'static str {
    outcome(&Response::new(400, body), now()).name()
}
