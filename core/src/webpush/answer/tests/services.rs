//! The answers of each service, as it gives them.

use super::*;

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
    row(
        401,
        r#"{"code":401,"errno":109,"error":"Unauthorized","message":"VAPID public key mismatch","more_info":"U"}"#,
        "token_mismatch",
        Some("errno 109: vapid public key mismatch"),
    );
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
        (400, "VapidPkHashMismatch", "token_mismatch"),
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
        (403, mismatch, "token_mismatch", Some("KeyMismatch")),
        (
            403,
            "the key in the authorization header does not correspond to the sender ID used to subscribe this user.",
            "token_mismatch",
            Some("KeyMismatch"),
        ),
        (
            403,
            "<HTML><TITLE>MismatchSenderId</TITLE>",
            "token_mismatch",
            Some("MismatchSenderId"),
        ),
        (
            410,
            "push subscription has unsubscribed or expired.\n",
            "token_gone",
            Some("UnsubscribedOrExpired"),
        ),
        (
            400,
            "UnauthorizedRegistration",
            "token_mismatch",
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
        // Microsoft's table: authenticated, but not for this channel.
        (403, &[status("dropped")], "token_mismatch", Some("dropped")),
        (401, &[status("dropped")], "fix_credentials", Some("dropped")),
        (
            401,
            &[(
                "X-WNS-Error-Description",
                "The public key in the token is not that of the channel Url.",
            )],
            "token_mismatch",
            Some("The public key in the token is not that of the channel Url."),
        ),
        (
            401,
            &[(
                "X-WNS-Error-Description",
                "JWT Authentication Failed, unable to validate token signature",
            )],
            "fix_credentials",
            Some("JWT Authentication Failed, unable to validate token signature"),
        ),
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
