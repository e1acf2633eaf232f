//! Responses: what is read from them, and what a malformed or excessive one leads to.

#![allow(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    reason = "tests may panic, read files and open sockets"
)]

mod h2_support;

use h2_support::*;
use pushcore::net::h2::Config;

fn ended(fields: &[(&str, &str)]) -> Vec<u8> {
    list(END_STREAM, 1, fields)
}

/// The events after `server` was received with stream 1 in flight.
fn events(server: &[u8]) -> (Vec<String>, Client) {
    let mut client = Client::with_requests(Config::default(), 1);
    client.receive(server);
    (client.events.clone(), client)
}

#[test]
fn informational_responses_and_trailers_are_passed_over() {
    let server = [
        list(0, 1, &[(":status", "100")]),
        list(0, 1, &[(":status", "103"), ("link", "</x>")]),
        list(0, 1, &[(":status", "429"), ("retry-after", "7")]),
        frame(DATA, 0, 1, b"{\"reason\":"),
        frame(DATA, PADDED, 1, b"\x03\"TooMany\"}abc"),
        list(END_STREAM, 1, &[("grpc-status", "8")]),
    ]
    .concat();
    let (seen, client) = events(&server);
    assert_eq!(
        seen,
        [r#"response 1 429 retry-after=7 "{\"reason\":\"TooMany\"}""#]
    );
    assert!(client.out.is_empty());
}

#[test]
fn malformed_header_lists_end_the_stream_only() {
    let ok = (":status", "200");
    for fields in [
        &[("server", "x")][..],
        &[("server", "x"), ok],
        &[ok, ok],
        &[ok, (":path", "/")],
        &[ok, (":unknown", "/")],
        &[(":status", "20")],
        &[(":status", "2000")],
        &[(":status", "2x0")],
        &[(":status", "+20")],
        &[(":status", "000")],
        &[(":status", "101")],
        &[(":status", "100")],
        &[ok, ("Server", "x")],
        &[ok, ("ser ver", "x")],
        &[ok, ("", "x")],
        &[ok, ("server", "a\r\nb")],
        &[ok, ("server", "a\0")],
        &[ok, ("server", " a")],
        &[ok, ("server", "a ")],
        &[ok, ("server", "\x7f")],
        &[ok, ("connection", "close")],
        &[ok, ("transfer-encoding", "chunked")],
        &[ok, ("keep-alive", "1")],
        &[ok, ("content-length", "1x")],
        &[ok, ("content-length", "-1")],
        &[ok, ("content-length", "99999999999999999999")],
        &[ok, ("content-length", "1"), ("content-length", "2")],
    ] {
        let (seen, client) = events(&ended(fields));
        assert_eq!(seen.len(), 1, "{fields:?} {seen:?}");
        assert!(
            seen[0].starts_with("failed 1 Unknown Http2Protocol"),
            "{fields:?} {seen:?}"
        );
        assert_eq!(client.resets(), [(1, 1)], "{fields:?}");
        assert_eq!(client.goaway(), None);
    }
}

#[test]
fn malformed_trailers_and_missing_headers() {
    let open = frame(HEADERS, END_HEADERS, 1, OK);
    for trailers in [
        list(END_STREAM, 1, &[(":status", "200")]),
        list(END_STREAM, 1, &[("Upper", "x")]),
        list(0, 1, &[("x", "not the end")]),
    ] {
        let (seen, client) = events(&[open.clone(), trailers].concat());
        assert_eq!(seen, ["response 1 200 \"\" truncated"]);
        assert_eq!(client.resets(), [(1, 1)]);
    }
    let (seen, client) = events(&frame(DATA, END_STREAM, 1, b"x"));
    assert!(
        seen[0].starts_with("failed 1 Unknown Http2Protocol: data before headers"),
        "{seen:?}"
    );
    assert_eq!(client.resets(), [(1, 1)]);
}

#[test]
fn a_wrong_content_length_marks_the_body_and_keeps_the_status() {
    let with = |length: &str, body: &[u8]| {
        let head = list(0, 1, &[(":status", "400"), ("content-length", length)]);
        events(&[head, frame(DATA, END_STREAM, 1, body)].concat()).0
    };
    assert_eq!(with("4", b"body"), ["response 1 400 content-length=4 \"body\""]);
    assert_eq!(
        with("5", b"body"),
        ["response 1 400 content-length=5 \"body\" truncated"]
    );
    assert_eq!(
        with("3", b"body"),
        ["response 1 400 content-length=3 \"body\" truncated"]
    );
    assert_eq!(
        events(&ended(&[(":status", "410"), ("content-length", "9")])).0,
        ["response 1 410 content-length=9 \"\" truncated"]
    );
    assert_eq!(
        events(&ended(&[(":status", "204"), ("content-length", "9")])).0,
        ["response 1 204 content-length=9 \"\""]
    );
}

#[test]
fn a_body_above_the_limit_is_cut() {
    let mut config = Config::default();
    config.max_response_body = 20_000;
    let mut client = Client::with_requests(config, 2);
    client.receive(&list(0, 1, &[(":status", "500")]));
    client.receive(&frame(DATA, 0, 1, &[b'x'; 16_000]));
    assert!(client.events.is_empty());
    client.receive(&frame(DATA, 0, 1, &[b'x'; 16_000]));
    assert_eq!(
        client.events,
        [format!("response 1 500 {:?} truncated", "x".repeat(20_000))]
    );
    assert_eq!(client.resets(), [(1, 8)]);
    // What is still under way is dropped.
    client.receive(&frame(DATA, END_STREAM, 1, b"x"));
    client.receive(&answer(3));
    assert_eq!(client.events.len(), 2);
    assert_eq!(client.goaway(), None);
}

#[test]
fn bytes_outside_ascii_are_replaced() {
    let mut block = OK.to_vec();
    block.extend_from_slice(b"\x00\x06server\x03a\xffb");
    let (seen, _) = events(&frame(HEADERS, END_HEADERS | END_STREAM, 1, &block));
    assert_eq!(seen, ["response 1 200 server=a\u{fffd}b \"\""]);
}

#[test]
fn an_excessive_header_list_is_cut_and_a_bomb_ends_the_connection() {
    // An entry of 4000 octets, named again and again: each octet of wire is 4 KB of headers.
    let mut block = OK.to_vec();
    block.extend_from_slice(&[0x40, 1, b'x', 0x7f, 0xa1, 0x1e]);
    block.extend_from_slice(&[b'y'; 4000]);
    block.extend_from_slice(&[0xbe; 4]);
    let (seen, client) = events(&frame(HEADERS, END_HEADERS | END_STREAM, 1, &block));
    assert!(seen[0].starts_with("response 1 200 x=yyy") && seen[0].ends_with(" truncated"));
    assert!(seen[0].len() < 17_000);
    assert_eq!((client.resets(), client.goaway()), (vec![(1, 11)], None));

    block.extend_from_slice(&[0xbe; 1000]);
    let (seen, client) = events(&frame(HEADERS, END_HEADERS | END_STREAM, 1, &block));
    assert_eq!(client.goaway(), Some(11));
    assert!(seen[0].starts_with("failed 1 Unknown LimitExceeded"), "{seen:?}");
    assert!(seen[1].starts_with("closed LimitExceeded"));

    // Ten thousand tiny fields: 34 octets each as the limit counts, most of them overhead.
    let mut block = OK.to_vec();
    block.extend(b"\x00\x01x\x01y".repeat(1000));
    let (seen, client) = events(&frame(HEADERS, END_HEADERS | END_STREAM, 1, &block));
    assert!(seen[0].starts_with("response 1 200") && seen[0].ends_with("truncated"));
    assert_eq!(client.goaway(), None);
}

/// Feeds `flood` until the engine has had enough; how often that was, or `None` after `limit`.
fn until_closed(mut client: Client, flood: &[u8], limit: usize) -> Option<usize> {
    for count in 0..limit {
        client.receive(flood);
        if client.connection.is_closed() {
            assert_eq!(client.goaway(), Some(11), "{:?}", client.events);
            assert!(client.events.last().unwrap().starts_with("closed LimitExceeded"));
            return Some(count);
        }
    }
    None
}

#[test]
fn floods_end_the_connection() {
    let one = || Client::with_requests(Config::default(), 1);
    let open = || {
        let mut client = one();
        client.receive(&frame(HEADERS, END_HEADERS, 1, OK));
        client
    };
    // One request has been sent, which is good for 16 cheap frames, two SETTINGS and two interim responses more.
    let ping = frame(PING, 0, 0, &[0; 8]);
    assert_eq!(until_closed(one(), &ping, 1000), Some(200));
    assert_eq!(until_closed(one(), &settings(&[(3, 9)]), 1000), Some(101));
    assert_eq!(
        until_closed(open(), &frame(DATA, 0, 1, b""), 100_000),
        Some(10_016)
    );
    assert_eq!(
        until_closed(open(), &frame(DATA, 0, 1, b"x"), 100_000),
        Some(10_016)
    );
    let padded = frame(DATA, PADDED, 1, &[&[254u8][..], &[0; 255]].concat());
    assert_eq!(until_closed(open(), &padded, 100_000), Some(10_016));
    // The first reset ends its stream; those after it are honest in their hundreds.
    assert_eq!(until_closed(one(), &reset(1, 5), 100_000), Some(10_017));
    assert_eq!(
        until_closed(one(), &list(0, 1, &[(":status", "100")]), 10_000),
        Some(1002)
    );
    let mut client = one();
    client.receive(&frame(HEADERS, 0, 1, OK));
    assert_eq!(
        until_closed(client, &frame(CONTINUATION, 0, 1, b""), 100),
        Some(5)
    );
    let mut client = Client::with_requests(Config::default(), 101);
    for n in 0..100 {
        client.receive(&list(END_STREAM, 2 * n + 1, &[("no", "status")]));
    }
    assert_eq!(client.resets().len(), 100);
    assert_eq!(
        until_closed(client, &list(END_STREAM, 201, &[("no", "status")]), 1),
        Some(0)
    );
}

#[test]
fn what_is_flood_in_a_second_is_fine_in_an_hour() {
    let mut client = Client::with_requests(Config::default(), 1);
    for second in 0..3600 {
        client.at(second).receive(&frame(PING, 0, 0, &[0; 8]));
        client.receive(&settings(&[(3, 10)]));
    }
    assert!(!client.connection.is_closed());
}

#[test]
fn a_body_in_single_octets_is_put_together() {
    let mut client = Client::ready(Config::default());
    let body = br#"{"reason":"BadDeviceToken"}"#;
    for n in 0..1000u32 {
        client.connection.send(&request(b""), client.now).unwrap();
        client.receive(&list(0, 2 * n + 1, &[(":status", "400")]));
        for octet in body.chunks(1) {
            client.receive(&frame(DATA, 0, 2 * n + 1, octet));
        }
        client.receive(&frame(DATA, END_STREAM, 2 * n + 1, b""));
        if n == 300 {
            client.at(3600);
        }
        if client.connection.is_closed() {
            panic!("closed after {n}");
        }
        assert_eq!(
            client.events.pop().unwrap(),
            format!("response {} 400 {:?}", 2 * n + 1, String::from_utf8_lossy(body))
        );
    }
}

/// A thousand answers of 60 KiB that nobody looks at: their bodies are held up to a limit in all, each a little, and
/// the limit is free again when they have been looked at.
#[test]
fn bodies_are_bounded_in_total() {
    let mut client = Client::with_requests(Config::default(), 1000);
    let error_page = |client: &mut Client, stream: u32| {
        let now = client.now;
        client
            .connection
            .receive(&list(0, stream, &[(":status", "503")]), now);
        for _ in 0..4 {
            client
                .connection
                .receive(&frame(DATA, 0, stream, &[b'x'; 15_000]), now);
        }
        client
            .connection
            .receive(&frame(DATA, END_STREAM, stream, b""), now);
    };
    for nth in 0..1000 {
        error_page(&mut client, 2 * nth + 1);
    }
    let (mut held, mut whole, mut count) = (0, 0, 0);
    while let Some(event) = client.connection.poll_event() {
        let pushcore::net::Event::Response { response, .. } = event else {
            panic!("{event:?}");
        };
        assert_eq!(response.status, 503);
        assert!(response.body.len() >= 1024);
        assert_eq!(response.truncated, response.body.len() < 60_000);
        held += response.body.len();
        whole += usize::from(!response.truncated);
        count += 1;
    }
    assert_eq!((count, whole), (1000, 17));
    assert!(held <= (1 << 20) + 1000 * 1024, "{held}");
    client.forget();
    client.connection.send(&request(b""), client.now).unwrap();
    error_page(&mut client, 2001);
    client.drain();
    assert!(client.events[0].starts_with("response 2001 503"));
    assert!(!client.events[0].ends_with("truncated"));
}

/// One large answer, a token's, is held whole.
#[test]
fn one_body_may_be_as_large_as_its_limit() {
    let mut config = Config::default();
    config.max_response_body = 3 << 20;
    let mut client = Client::with_requests(config, 1);
    client.receive(&list(0, 1, &[(":status", "200")]));
    for _ in 0..192 {
        client.receive(&frame(DATA, 0, 1, &[b'x'; 16_384]));
    }
    client.receive(&frame(DATA, END_STREAM, 1, b""));
    assert!(client.events[0].ends_with("x\""));
}
