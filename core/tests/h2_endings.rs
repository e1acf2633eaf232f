//! How requests and connections end, and what is known of a request that got no answer.

#![allow(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    reason = "tests may panic, read files and open sockets"
)]

mod h2_support;

use h2_support::*;
use pushcore::net::SendError;
use pushcore::net::h2::Config;

const REFUSED: u32 = 7;

#[test]
fn nothing_is_sent_before_the_servers_settings() {
    let mut client = Client::fresh(Config::default());
    assert_eq!(client.connection.capacity(), 0);
    assert!(matches!(
        client.connection.send(&request(b""), client.now),
        Err(SendError::Full)
    ));
    client.receive(&settings(&[(3, 2)]));
    assert_eq!(client.events, ["ready"]);
    assert_eq!(client.connection.capacity(), 2);
}

#[test]
fn an_http1_server_is_recognised() {
    let mut client = Client::fresh(Config::default());
    client.receive(b"HTTP/1.1 400 Bad Request\r\n\r\n");
    assert!(client.connection.is_closed());
    assert!(
        client.events[0].starts_with("closed Http2Protocol"),
        "{:?}",
        client.events
    );
}

#[test]
fn a_broken_server_gets_no_more_requests() {
    let mut client = Client::ready(Config::default());
    client.connection.send(&request(b"{}"), client.now).unwrap();
    // One octet is on its way: that frame must be finished. What is behind it is withdrawn.
    client.take(1);
    client.connection.send(&request(b"{}"), client.now).unwrap();
    client.receive(&frame(DATA, 0, 0, b"x"));
    let kinds: Vec<_> = client.sent().iter().map(|f| (f.0, f.2)).collect();
    assert_eq!(kinds, [(HEADERS, 1), (GOAWAY, 0)]);
    assert!(client.events[0].starts_with("failed 1 Unknown Http2Protocol"));
    assert!(client.events[1].starts_with("failed 3 No Http2Protocol"));
    assert!(client.events[2].starts_with("closed Http2Protocol"));
}

#[test]
fn goaway_says_what_was_not_processed_and_why() {
    let mut client = Client::with_requests(Config::default(), 3);
    client.receive(&goaway(3, 0, br#"{"reason":"Shutdown"}"#));
    assert_eq!(
        client.events,
        [
            r#"draining 3 0 "{\"reason\":\"Shutdown\"}""#,
            "failed 5 No GoAway: server closes the connection: NO_ERROR (0)",
        ]
    );
    assert!(client.connection.is_draining());
    assert!(matches!(
        client.connection.send(&request(b""), client.now),
        Err(SendError::Closed)
    ));
    client.forget();
    client.receive(&answer(1));
    client.receive(&answer(3));
    assert_eq!(
        client.events,
        ["response 1 200 \"\"", "response 3 200 \"\"", "closed Remote"]
    );
    assert_eq!(client.goaway(), Some(0));
}

#[test]
fn a_second_goaway_may_lower_but_not_raise_the_last_stream() {
    let mut client = Client::with_requests(Config::default(), 3);
    client.receive(&goaway(0x7fff_ffff, 0, b""));
    assert_eq!(client.connection.in_flight(), 3);
    client.receive(&goaway(1, 0, b""));
    assert_eq!(client.connection.in_flight(), 1);
    client.forget();
    client.receive(&goaway(3, 0, b""));
    assert_eq!(client.goaway(), Some(1));
    assert!(client.events[0].starts_with("failed 1 Unknown Http2Protocol: goaway raises"));
}

#[test]
fn goaway_with_an_error_names_it_at_the_end() {
    let mut client = Client::with_requests(Config::default(), 2);
    client.receive(&goaway(1, 11, b"too_many_pings"));
    client.eof();
    assert_eq!(
        client.events,
        [
            r#"draining 1 11 "too_many_pings""#,
            "failed 3 No GoAway: server closes the connection: ENHANCE_YOUR_CALM (11)",
            "failed 1 Unknown ConnectionLost: connection closed by the server after goaway with an error",
            "closed GoAway: server closes the connection: ENHANCE_YOUR_CALM (11)",
        ]
    );
}

#[test]
fn every_reset_code_ends_its_request_once() {
    for code in (0..=0xd).chain([0xff]) {
        let mut client = Client::with_requests(Config::default(), 2);
        client.receive(&reset(1, code));
        // The first decides (REFUSED_STREAM, then STREAM_CLOSED was seen on APNs).
        client.receive(&reset(1, 7));
        client.receive(&reset(1, 5));
        assert_eq!(client.events.len(), 1, "{:?}", client.events);
        let fate = if code == REFUSED {
            "failed 1 No StreamReset"
        } else {
            "failed 1 Unknown StreamReset"
        };
        assert!(client.events[0].starts_with(fate), "{:?}", client.events);
        assert!(client.events[0].ends_with(&format!("({code})")));
        assert_eq!(client.connection.in_flight(), 1);
    }
}

#[test]
fn a_response_wins_over_a_later_reset_and_a_status_over_its_body() {
    let mut client = Client::with_requests(Config::default(), 3);
    client.receive(&[answer(1), reset(1, 0)].concat());
    client.receive(&[list(0, 3, &[(":status", "410")]), reset(3, 2)].concat());
    client.receive(&[list(0, 5, &[(":status", "400")]), frame(DATA, 0, 5, b"{\"rea")].concat());
    client.eof();
    assert_eq!(
        client.events,
        [
            "response 1 200 \"\"",
            "response 3 410 \"\" truncated",
            "response 5 400 \"{\\\"rea\" truncated",
            "closed ConnectionLost: connection closed by the server",
        ]
    );
}

#[test]
fn an_early_response_ends_an_unfinished_request() {
    let mut client = Client::fresh(Config::default());
    client.receive(&settings(&[(4, 10)]));
    client.receive(&settings_ack());
    client
        .connection
        .send(&request(&[b'x'; 100]), client.now)
        .unwrap();
    client.drain();
    client.forget();
    client.receive(&[list(END_STREAM, 1, &[(":status", "413")]), reset(1, 0)].concat());
    assert_eq!(client.events, ["response 1 413 \"\""]);
    assert_eq!(client.resets(), [(1, 8)]);
    client.receive(&window_update(1, 1000));
    assert_eq!(client.sent().len(), 1, "no more of the body");
}

#[test]
fn cancelling_is_final() {
    let mut client = Client::ready(Config::default());
    let id = client.connection.send(&request(b"{}"), client.now).unwrap();
    client.drain();
    client.forget();
    assert!(client.connection.cancel(id, client.now));
    assert!(!client.connection.cancel(id, client.now));
    client.drain();
    assert_eq!(client.events, ["failed 1 Unknown Cancelled: request cancelled"]);
    assert_eq!(client.resets(), [(1, 8)]);
    client.forget();
    // What crosses the reset is dropped, but keeps the compression in step.
    let block = [&[0x88][..], &[0x40, 1, b'x', 1, b'y']].concat();
    client.receive(&frame(HEADERS, END_HEADERS, 1, &block));
    client.receive(&frame(DATA, END_STREAM, 1, b"late"));
    assert!(
        client.events.is_empty() && client.out.is_empty(),
        "{:?}",
        client.events
    );
    client.connection.send(&request(b"{}"), client.now).unwrap();
    client.receive(&frame(HEADERS, END_HEADERS | END_STREAM, 3, &[0x88, 0xbe]));
    assert_eq!(client.events, ["response 3 200 x=y \"\""]);
}

#[test]
fn closing_waits_for_answers() {
    let mut client = Client::with_requests(Config::default(), 1);
    client.connection.close(client.now);
    client.drain();
    assert!(client.events.is_empty() && client.connection.is_draining());
    assert!(matches!(
        client.connection.send(&request(b""), client.now),
        Err(SendError::Closed)
    ));
    client.receive(&answer(1));
    assert_eq!(client.events, ["response 1 200 \"\"", "closed Local"]);
    assert_eq!(client.goaway(), Some(0));
    client.eof();
    client.timeout();
    client.receive(&answer(1));
    assert_eq!(client.events.len(), 2, "nothing after the end");
}

#[test]
fn the_stream_ids_run_out_before_they_overflow() {
    let mut config = Config::default();
    config.initial_stream_id = 0x7fff_fffb;
    let mut client = Client::ready(config);
    assert_eq!(client.connection.capacity(), 3);
    for left in [2, 1, 0] {
        client.connection.send(&request(b""), client.now).unwrap();
        assert_eq!(client.connection.capacity(), left);
    }
    assert!(client.connection.is_draining());
    assert!(matches!(
        client.connection.send(&request(b""), client.now),
        Err(SendError::Closed)
    ));
    client.drain();
    client.forget();
    for id in [0x7fff_fffbu32, 0x7fff_fffd, 0x7fff_ffff] {
        client.receive(&answer(id));
    }
    assert_eq!(client.events.len(), 4);
    assert_eq!(client.events[3], "closed Local");
}

#[test]
fn unusable_requests_are_refused_whole() {
    let mut client = Client::fresh(Config::default());
    client.receive(&settings(&[(6, 200)]));
    client.forget();
    let mut no_authority = request(b"");
    no_authority.authority = None;
    let mut bad_path = request(b"");
    bad_path.path.push('\n');
    let mut relative = request(b"");
    relative.path = "x".to_owned();
    let mut too_large = request(b"");
    too_large.path.push_str(&"x".repeat(60));
    for request in [no_authority, bad_path, relative, too_large] {
        let sent = client.connection.send(&request, client.now);
        assert!(matches!(sent, Err(SendError::Invalid(_))), "{sent:?}");
    }
    client.drain();
    assert!(client.out.is_empty());
    client.connection.send(&request(b""), client.now).unwrap();
}

/// The last stream of a connection that drains may end by a mistake of the server's: the connection ends with it.
#[test]
fn a_draining_connection_ends_after_its_last_streams_error() {
    let mut client = Client::with_requests(Config::default(), 2);
    client.receive(&goaway(3, 0, b""));
    client.receive(&answer(1));
    assert!(!client.connection.is_closed());
    // RFC 9113 §6.9: an increment of 0 is an error of the stream.
    client.receive(&window_update(3, 0));
    assert_eq!(client.resets(), [(3, 1)]);
    assert!(client.connection.is_closed());
    assert_eq!(client.events.last().map(String::as_str), Some("closed Remote"));
}

/// What the disclaimed streams held of the connection's window goes to the bodies that wait.
#[test]
fn bodies_that_waited_for_a_window_go_out_at_goaway() {
    let mut client = Client::fresh(Config::default());
    // Streams begin with a window of ten octets; the connection has 65,535 (RFC 9113 §6.9.2).
    client.receive(&settings(&[(4, 10)]));
    client.receive(&settings_ack());
    client
        .connection
        .send(&request(&[b'a'; 100]), client.now)
        .unwrap();
    client
        .connection
        .send(&request(&[b'b'; 70_000]), client.now)
        .unwrap();
    client.drain();
    client.forget();
    // The second takes all that is left of the connection's window, but none of it has been written yet ...
    client.connection.receive(&window_update(3, 70_000), client.now);
    // ... so that the first has a window of its own and still cannot go on.
    client.connection.receive(&window_update(1, 90), client.now);
    client.connection.receive(&goaway(1, 0, b""), client.now);
    client.drain();
    let data: Vec<(u32, usize)> = client
        .sent()
        .iter()
        .filter(|frame| frame.0 == DATA)
        .map(|frame| (frame.2, frame.3.len()))
        .collect();
    assert_eq!(data, [(1, 90)]);
}
