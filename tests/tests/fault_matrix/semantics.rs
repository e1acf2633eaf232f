//! Rows 46 to 49: what HTTP means.

use pushcore::session::SessionEvent;

use super::*;

/// Every request gets this answer, and one more message shows that the connection lives on.
fn answered(seed: u64, answer: &Answer) -> World {
    let answer_is_large = answer.body.len() > 10_000;
    let answer = answer.clone();
    let respond = move |_: &Seen, _: &mut Rng| vec![Act::Answer(answer.clone())];
    let mut world = World::new(
        seed,
        |config| config.max_connections = 1,
        move |_, _| Script::new(respond.clone()).into(),
    );
    if answer_is_large {
        // Seven octets at a time would take the day.
        world.read_at_most *= 500;
    }
    world.submit(100);
    world.finish();
    let clean = |event: &&SessionEvent| matches!(event, SessionEvent::Disconnected { error: Some(_), .. });
    assert_eq!(world.events().iter().filter(clean).count(), 0);
    assert_eq!(world.dials().len(), 1);
    world
}

#[test]
fn row_46_interim_responses_and_trailers() {
    let trailers = [("grpc-status", "0"), ("x", "y")];
    let empty_body = Answer::ok().with_trailers(&trailers);
    for answer in [
        Answer::ok().after(&[100]),
        Answer::ok().after(&[100, 102, 103, 103]),
        Answer::ok().with_body("{}").with_trailers(&trailers),
        Answer::ok()
            .after(&[103])
            .with_body("{}")
            .in_pieces(1)
            .with_trailers(&trailers),
        empty_body,
    ] {
        for seed in seeds(SEEDS) {
            let stats = answered(seed, &answer).stats();
            assert_eq!((stats.accepted, stats.unknown), (100, 0), "{answer:?}: {stats:?}");
        }
    }
    // Trailers alone: HEADERS with END_STREAM is the whole answer.
    for seed in seeds(SEEDS) {
        let world = answered(seed, &Answer::status(503).with_field("grpc-status", "14"));
        assert_eq!(world.stats().retry_later, 100);
    }
}

/// Refused with that status, and with that reason.
fn refused(answer: &Answer, status: u16, reason: Option<&str>) {
    for seed in seeds(SEEDS) {
        let world = answered(seed, answer);
        let stats = world.stats();
        // BadDeviceToken says more than no: it blames the token.
        let (rejected, blamed) = if reason.is_some() { (0, 100) } else { (100, 0) };
        assert_eq!(
            (stats.rejected, stats.token_mismatch),
            (rejected, blamed),
            "{stats:?}"
        );
        for (number, result) in world.results() {
            let outcome = result.as_ref().expect("an answer");
            assert_eq!(outcome.status(), status, "{number}");
            assert_eq!(
                outcome.reason().map(|reason| reason.as_str()),
                reason,
                "{number}: {outcome:?}"
            );
        }
    }
}

#[test]
fn row_47_bodies_in_pieces_missing_and_of_the_wrong_length() {
    let bad = || Answer::refusal(400, "BadDeviceToken");
    let length = bad().body.len();
    refused(&bad().in_pieces(1), 400, Some("BadDeviceToken"));
    let mut padded = bad().in_pieces(3);
    padded.pad = Some(11);
    refused(&padded, 400, Some("BadDeviceToken"));
    let mut continued = bad();
    continued.header_chunk = 3;
    refused(&continued, 400, Some("BadDeviceToken"));
    refused(&Answer::status(400), 400, None);
    refused(&Answer::status(400).with_body(vec![b'x'; 70_000]), 400, None);
    refused(
        &bad().with_field("content-length", length.to_string()),
        400,
        Some("BadDeviceToken"),
    );
}

/// A `content-length` that is not the body's (RFC 9113 §8.1.1): the status counts all the same.
#[test]
fn row_47_content_length_that_lies() {
    for (answer, declared) in [
        (Answer::refusal(400, "BadDeviceToken"), "7"),
        (Answer::refusal(400, "BadDeviceToken"), "7000"),
        (Answer::status(400), "12"),
    ] {
        let answer = answer.with_field("content-length", declared);
        for seed in seeds(SEEDS) {
            let world = answered(seed, &answer);
            assert_eq!(
                (world.stats().rejected, world.stats().unknown),
                (100, 0),
                "{declared}: {:?}",
                world.stats()
            );
            let outcome = result(&world, 3).as_ref().expect("an answer");
            assert_eq!((outcome.status(), outcome.reason()), (400, None), "{outcome:?}");
        }
    }
}

#[test]
fn row_48_bodies_that_are_no_json() {
    let bodies: Vec<Vec<u8>> = vec![
        b"{".to_vec(),
        b"not json".to_vec(),
        b"\xff\xfe\x00reason".to_vec(),
        b"[]".to_vec(),
        b"null".to_vec(),
        br#"{"reason":7}"#.to_vec(),
        br#"{"reason":"\ud800"}"#.to_vec(),
        vec![b'['; 60_000],
        [b"{\"reason\":".to_vec(), vec![b'9'; 60_000], b"}".to_vec()].concat(),
        b"{\"reason\":\"BadDeviceToken\"".to_vec(),
    ];
    for body in bodies {
        refused(&Answer::status(400).with_body(body), 400, None);
    }
    let html = "<html><body><h1>502 Bad Gateway</h1></body></html>";
    for seed in seeds(SEEDS) {
        let world = answered(seed, &Answer::status(502).with_body(html));
        assert_eq!((world.stats().retry_later, world.stats().unknown), (100, 0));
        assert_eq!(
            result(&world, 0).as_ref().expect("an answer").body(),
            html.as_bytes()
        );
    }
    let twice = br#"{"reason":"BadTopic","reason":"BadDeviceToken"}"#;
    for seed in seeds(SEEDS) {
        let world = answered(seed, &Answer::status(400).with_body(twice.to_vec()));
        assert_eq!((world.stats().accepted, world.stats().unknown), (0, 0));
        assert_eq!(result(&world, 0).as_ref().expect("an answer").status(), 400);
    }
}

#[test]
fn row_49_redirects_are_not_followed() {
    for status in [301, 302, 303, 307, 308] {
        let answer = Answer::status(status).with_field("location", "https://127.0.0.1/steal");
        for seed in seeds(SEEDS) {
            let world = answered(seed, &answer);
            assert_eq!(world.stats().rejected, 100, "{:?}", world.stats());
            assert_eq!((world.log.requests(), world.dials().len()), (100, 1));
            assert_eq!(result(&world, 0).as_ref().expect("an answer").status(), status);
        }
    }
}
