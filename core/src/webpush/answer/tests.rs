//! One row for each answer that a push service has been seen to give.

mod services;

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
    assert_eq!(mismatch.name(), "token_mismatch");
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
    assert_eq!(outcome_for(&mismatch, &born(0), now()).name(), "token_mismatch");
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

/// A redirect is refused whatever its body says, because following it would carry the message elsewhere.
#[test]
fn a_redirect_is_refused_whatever_it_says() {
    for body in [
        r#"{"errno":201,"code":503}"#,
        r#"{"reason":"TooManyRequests"}"#,
        "",
    ] {
        for status in [300, 307, 399] {
            assert_eq!(read(status, &[], body).name(), "rejected", "{status} {body}");
        }
    }
}

/// Words about tokens in an answer of another status than 400 to 410 come from something in between.
#[test]
fn texts_are_believed_of_some_statuses_alone() {
    for (status, name) in [
        (400, "fix_credentials"),
        (410, "fix_credentials"),
        (411, "rejected"),
        (500, "retry_later"),
    ] {
        assert_eq!(read(status, &[], "the token expired").name(), name, "{status}");
    }
    // JSON that is none of the services' is read as a text.
    assert_eq!(read(400, &[], r#"{"x":"NotRegistered"}"#).name(), "token_gone");
}

#[test]
fn what_microsoft_describes() {
    let described = |text: &str| read(401, &[("x-wns-error-description", text)], "");
    assert_eq!(
        described("The public key is not that of the channel").name(),
        "token_mismatch"
    );
    for text in ["The public key is malformed", "The channel is malformed"] {
        assert_eq!(described(text).name(), "fix_credentials", "{text}");
    }
    let reason = described("Ttl value conflicts with a header of yours")
        .reason()
        .cloned()
        .unwrap();
    assert_eq!(reason.as_str(), "Ttl value conflicts with X-WNS-Cache-Policy.");
    assert!(reason.is_known());
}

/// 48 octets of a word and 160 of a line: a subscription's token is longer.
#[test]
fn reasons_have_an_end() {
    let reason = |text: &str| {
        read(418, &[], text)
            .reason()
            .map(|reason| reason.as_str().to_owned())
            .unwrap()
    };
    let word = |length: usize| "w".repeat(length);
    assert_eq!(reason(&word(48)), word(48));
    assert_eq!(reason(&word(49)), "[...]");
    // Three words of 40 octets and two blanks are 122; the blank before the last word is not counted.
    let line = |last: usize| [word(40), word(40), word(40), word(last)].join(" ");
    assert_eq!(reason(&line(38)), line(38));
    assert_eq!(reason(&line(39)), line(38)[..122]);
}
