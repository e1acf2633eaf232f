//! Rows 46 to 49: what HTTP means.

use super::*;

/// Every request gets this answer, over one connection.
fn answered(answer: &Answer) -> Sent {
    let answer = answer.clone();
    let row = Row::new(move |_| {
        let answer = answer.clone();
        Script::new(move |_, _| vec![Act::Answer(answer.clone())])
    });
    let sent = row.send(100, |_| {});
    assert_eq!(
        (sent.stats.unknown, sent.stats.not_sent),
        (0, 0),
        "{:?}",
        sent.stats
    );
    assert_eq!(
        (row.server.log().connections(), row.server.log().requests()),
        (1, 100)
    );
    sent
}

#[test]
fn row_46_interim_responses_and_trailers() {
    let trailers = [("grpc-status", "0"), ("x", "y")];
    for answer in [
        Answer::ok().after(&[100, 102, 103, 103]),
        Answer::ok()
            .after(&[103])
            .with_body("{}")
            .in_pieces(1)
            .with_trailers(&trailers),
        Answer::ok().with_trailers(&trailers),
    ] {
        assert_eq!(answered(&answer).stats.accepted, 100);
    }
    let trailers_alone = Answer::status(503).with_field("grpc-status", "14");
    assert_eq!(answered(&trailers_alone).stats.retry_later, 100);
}

/// Refused with that status, and with that reason.
fn refused(answer: &Answer, status: u16, reason: Option<&str>) {
    let sent = answered(answer);
    let outcome = sent.result(7).as_ref().expect("an answer");
    assert_eq!(outcome.status(), status);
    assert_eq!(
        outcome.reason().map(|reason| reason.as_str()),
        reason,
        "{outcome:?}"
    );
    assert!(!outcome.is_accepted());
}

#[test]
fn row_47_bodies_in_pieces_missing_and_of_the_wrong_length() {
    let bad = || Answer::refusal(400, "BadDeviceToken");
    refused(&bad().in_pieces(1), 400, Some("BadDeviceToken"));
    let mut padded = bad().in_pieces(3);
    padded.pad = Some(11);
    refused(&padded, 400, Some("BadDeviceToken"));
    let mut continued = bad();
    continued.header_chunk = 3;
    refused(&continued, 400, Some("BadDeviceToken"));
    refused(&Answer::status(400), 400, None);
    refused(&Answer::status(400).with_body(vec![b'x'; 70_000]), 400, None);
    for lie in ["7", "7000"] {
        refused(&bad().with_field("content-length", lie), 400, None);
    }
}

#[test]
fn row_48_bodies_that_are_no_json() {
    for body in [&b"{"[..], b"\xff\xfe\x00reason", b"[]", br#"{"reason":"\ud800"}"#] {
        refused(&Answer::status(400).with_body(body), 400, None);
    }
    refused(&Answer::status(400).with_body(vec![b'['; 60_000]), 400, None);
    let page = "<html><body><h1>502 Bad Gateway</h1></body></html>";
    let sent = answered(&Answer::status(502).with_body(page));
    assert_eq!(sent.stats.retry_later, 100);
    assert_eq!(
        sent.result(0).as_ref().expect("an answer").body(),
        page.as_bytes()
    );
}

#[test]
fn row_49_redirects_are_not_followed() {
    for status in [301, 307] {
        let answer = Answer::status(status).with_field("location", "https://127.0.0.1/steal");
        let sent = answered(&answer);
        assert_eq!(sent.stats.rejected, 100, "{:?}", sent.stats);
        assert_eq!(sent.result(0).as_ref().expect("an answer").status(), status);
    }
}
