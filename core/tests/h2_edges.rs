//! Limits to the octet: at the edge the connection goes on, one beyond it, it or the stream ends.

#![allow(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    reason = "tests may panic, read files and open sockets"
)]

mod h2_support;

use h2_support::*;
use pushcore::http::Indexing;
use pushcore::net::h2::Config;

const PROTOCOL_ERROR: u32 = 1;
const FLOW_CONTROL_ERROR: u32 = 3;
const STREAM_CLOSED: u32 = 5;
const CANCEL: u32 = 8;
const COMPRESSION_ERROR: u32 = 9;
const ENHANCE_YOUR_CALM: u32 = 11;

/// The largest window (RFC 9113 §6.9.1).
const LARGEST: u32 = 0x7fff_ffff;
/// Where every window begins (§6.9.2).
const FIRST: u32 = 65_535;

fn one() -> Client {
    Client::with_requests(Config::default(), 1)
}

#[test]
fn the_connections_window_may_be_full() {
    let mut client = Client::ready(Config::default());
    client.receive(&window_update(0, LARGEST - FIRST));
    assert_eq!((client.goaway(), client.connection.is_closed()), (None, false));
    client.receive(&window_update(0, 1));
    assert_eq!(client.goaway(), Some(FLOW_CONTROL_ERROR));
}

#[test]
fn a_streams_window_may_be_full() {
    // The request took two octets of it.
    let mut client = one();
    client.receive(&window_update(1, LARGEST - FIRST + 2));
    assert_eq!(client.resets(), []);
    client.receive(&window_update(1, 1));
    assert_eq!(client.resets(), [(1, FLOW_CONTROL_ERROR)]);
    assert_eq!(client.goaway(), None, "of the stream only");
}

#[test]
fn the_first_window_may_be_full() {
    let mut client = Client::ready(Config::default());
    client.receive(&settings(&[(4, LARGEST)]));
    assert_eq!(client.goaway(), None);
    client.receive(&settings(&[(4, LARGEST + 1)]));
    assert_eq!(client.goaway(), Some(FLOW_CONTROL_ERROR));
}

#[test]
fn settings_may_fill_a_streams_window() {
    let filled = |more: u32| {
        let mut client = one();
        client.receive(&window_update(1, 12 + more));
        // 2 were spent and 12 came: 10 more than the first window.
        client.receive(&settings(&[(4, LARGEST - 10)]));
        client.goaway()
    };
    assert_eq!(filled(0), None);
    assert_eq!(filled(1), Some(FLOW_CONTROL_ERROR));
}

#[test]
fn frames_may_be_as_large_as_their_length_field_can_say() {
    for (size, expected) in [
        (16_383, Some(PROTOCOL_ERROR)),
        (16_384, None),
        (0x00ff_ffff, None),
        (0x0100_0000, Some(PROTOCOL_ERROR)),
    ] {
        let mut client = Client::ready(Config::default());
        client.receive(&settings(&[(5, size)]));
        assert_eq!(client.goaway(), expected, "{size}");
    }
}

/// §4.1: the bit before a window's increment or a stream's id means nothing.
#[test]
fn reserved_bits_are_ignored() {
    let mut client = Client::fresh(Config::default());
    client.receive(&settings(&[(4, 10)]));
    client.connection.send(&request(&[7; 30]), client.now).unwrap();
    client.drain();
    client.forget();
    client.receive(&window_update(1, 0x8000_0000 | 5));
    client.receive(&window_update(0, 0x8000_0000 | 5));
    assert_eq!((client.resets(), client.goaway()), (vec![], None));
    let sent: Vec<_> = client.sent().iter().map(|f| (f.0, f.3.len())).collect();
    assert_eq!(sent, [(DATA, 5)]);

    let mut client = Client::with_requests(Config::default(), 3);
    client.receive(&goaway(0x8000_0000 | 3, 0, b""));
    assert_eq!(client.events[0], r#"draining 3 0 """#);
    assert_eq!(client.connection.in_flight(), 2);
}

#[test]
fn a_goaway_may_be_said_again_and_not_for_ever() {
    let mut client = one();
    client.receive(&goaway(1, 0, b""));
    client.receive(&goaway(1, 0, b""));
    assert!(!client.connection.is_closed(), "{:?}", client.events);
    // As often as other things that cost more than they say.
    for _ in 0..200 {
        client.receive(&goaway(1, 0, b""));
    }
    assert_eq!(client.goaway(), Some(ENHANCE_YOUR_CALM));
    assert!(
        client
            .events
            .iter()
            .any(|event| event.starts_with("failed 1 Unknown LimitExceeded")),
        "{:?}",
        client.events
    );
}

#[test]
fn a_goaway_that_talks_much_is_cut() {
    let mut client = one();
    client.receive(&goaway(1, 0, &[b'x'; 16_000]));
    assert_eq!(client.events, [format!("draining 1 0 {:?}", "x".repeat(4096))]);
    let mut client = one();
    client.receive(&goaway(1, 0, &[b'x'; 4095]));
    assert_eq!(client.events, [format!("draining 1 0 {:?}", "x".repeat(4095))]);
}

/// A connection that begins with a later stream has never opened the earlier ones.
#[test]
fn streams_before_the_first_were_never_opened() {
    for server in [
        answer(99),
        reset(99, 0),
        window_update(99, 1),
        frame(DATA, 0, 99, b"x"),
    ] {
        let mut config = Config::default();
        config.initial_stream_id = 101;
        let mut client = Client::with_requests(config, 1);
        client.receive(&server);
        assert_eq!(client.goaway(), Some(PROTOCOL_ERROR), "{server:?}");
    }
}

/// The server resets a stream and goes on with it: told so, and not for ever.
#[test]
fn a_server_that_goes_on_after_its_reset_is_told_and_then_left() {
    let mut client = one();
    client.receive(&reset(1, 0));
    client.forget();
    let late = frame(DATA, END_STREAM, 1, &[b'x'; 300]);
    client.receive(&late);
    assert_eq!(client.resets(), [(1, STREAM_CLOSED)]);
    assert_eq!(client.goaway(), None);
    for _ in 0..200 {
        client.receive(&late);
    }
    assert_eq!(client.goaway(), Some(ENHANCE_YOUR_CALM));
    assert!(client.resets().len() <= 100, "{}", client.resets().len());
}

/// A header list that grows a thousandfold costs as much on a stream that nobody waits for.
#[test]
fn a_bomb_on_a_cancelled_stream_is_one() {
    let mut client = Client::ready(Config::default());
    let id = client.connection.send(&request(b""), client.now).unwrap();
    client.connection.cancel(id, client.now);
    client.drain();
    client.forget();
    let mut block = OK.to_vec();
    block.extend_from_slice(&[0x40, 1, b'x', 0x7f, 0xa1, 0x1e]);
    block.extend_from_slice(&[b'y'; 4000]);
    let small = [&block[..], &[0xbe; 4]].concat();
    client.receive(&frame(HEADERS, END_HEADERS, 1, &small));
    assert_eq!(client.goaway(), None);
    block.extend_from_slice(&[0xbe; 1000]);
    client.receive(&frame(HEADERS, END_HEADERS, 1, &block));
    assert_eq!(client.goaway(), Some(ENHANCE_YOUR_CALM));
}

/// §8.6: HTTP/2 knows no 101, not even as one of several.
#[test]
fn switching_protocols_is_no_interim_response() {
    let mut client = one();
    client.receive(&list(0, 1, &[(":status", "101")]));
    assert_eq!(client.resets(), [(1, PROTOCOL_ERROR)]);
    assert!(client.events[0].starts_with("failed 1 Unknown Http2Protocol"));
}

/// Ten thousand answers that cross our cancellations are the work of an honest server.
#[test]
fn late_answers_are_no_flood() {
    let mut client = Client::ready(Config::default());
    for n in 0..10_100u32 {
        let id = client.connection.send(&request(b""), client.now).unwrap();
        assert!(client.connection.cancel(id, client.now));
        let stream = 2 * n + 1;
        client.receive(&list(0, stream, &[(":status", "400")]));
        client.receive(&frame(DATA, END_STREAM, stream, b"{}"));
        assert!(!client.connection.is_closed(), "after {n}");
    }
}

#[test]
fn a_body_of_exactly_the_limit_is_whole() {
    for (length, whole) in [(19_999, true), (20_000, true), (20_001, false)] {
        for (flags, rest) in [(END_STREAM, None), (0, Some(frame(DATA, END_STREAM, 1, b"")))] {
            let mut config = Config::default();
            config.max_response_body = 20_000;
            let mut client = Client::with_requests(config, 1);
            client.receive(&list(0, 1, &[(":status", "500")]));
            client.receive(&frame(DATA, 0, 1, &[b'x'; 10_000]));
            client.receive(&frame(DATA, flags, 1, &vec![b'x'; length - 10_000]));
            client.receive(&rest.unwrap_or_default());
            assert_eq!(client.events.len(), 1, "{length}");
            assert_eq!(!client.events[0].ends_with(" truncated"), whole, "{length}");
            // A server that has said all is not told to stop.
            let resets = if whole || flags == END_STREAM {
                vec![]
            } else {
                vec![(1, CANCEL)]
            };
            assert_eq!(client.resets(), resets, "{length}");
            assert_eq!(client.goaway(), None);
        }
    }
}

/// §6.5.2: what a request's header list counts, field by field, against what the server takes.
#[test]
fn a_header_list_of_exactly_what_the_server_takes_goes_out() {
    let mut request = request(b"");
    request.headers.push("x-a", "yes", Indexing::Without).unwrap();
    let fields = [
        (":method", request.method.as_str()),
        (":scheme", "https"),
        (":authority", "example.com"),
        (":path", request.path.as_str()),
        ("x-a", "yes"),
    ];
    let size: usize = fields
        .iter()
        .map(|(name, value)| name.len() + value.len() + 32)
        .sum();
    let taken = |limit: usize| {
        let mut client = Client::fresh(Config::default());
        client.receive(&settings(&[(6, u32::try_from(limit).unwrap())]));
        client.connection.send(&request, client.now).is_ok()
    };
    assert!(taken(size + 1) && taken(size));
    assert!(!taken(size - 1));
}

/// §6.2, §6.10: one frame when the block fits, a CONTINUATION when it is an octet longer.
#[test]
fn a_header_block_of_exactly_one_frame_ends_there() {
    let frames = |value: usize| {
        let mut client = Client::ready(Config::default());
        let mut request = request(b"");
        let value = "~".repeat(value);
        request
            .headers
            .push("x-large", &value, Indexing::Without)
            .unwrap();
        client.connection.send(&request, client.now).unwrap();
        client.drain();
        let sent = client.sent();
        let shape = sent.iter().map(|f| (f.0, f.1 & END_HEADERS != 0, f.3.len()));
        shape.collect::<Vec<_>>()
    };
    let other = frames(16_000)[0].2 - 16_000;
    let fits = 16_384 - other;
    assert_eq!(frames(fits - 1), [(HEADERS, true, 16_383)]);
    assert_eq!(frames(fits), [(HEADERS, true, 16_384)]);
    assert_eq!(
        frames(fits + 1),
        [(HEADERS, false, 16_384), (CONTINUATION, true, 1)]
    );
    assert_eq!(
        frames(fits + 16_383),
        // The length of the value takes an octet more.
        [(HEADERS, false, 16_384), (CONTINUATION, true, 16_384)]
    );
}

#[test]
fn a_path_is_visible_ascii() {
    let mut client = Client::ready(Config::default());
    for octet in 0..=0x7f_u8 {
        let mut request = request(b"");
        request.path = format!("/{}", char::from(octet));
        let visible = (0x21..=0x7e).contains(&octet);
        let sent = client.connection.send(&request, client.now).is_ok();
        assert_eq!(sent, visible, "{octet:#x}");
    }
}

/// §6.5.2: a server may say 0, and nothing else.
#[test]
fn a_server_cannot_enable_push() {
    for (value, expected) in [(0, None), (1, Some(PROTOCOL_ERROR)), (2, Some(PROTOCOL_ERROR))] {
        let mut client = one();
        client.receive(&settings(&[(2, value)]));
        assert_eq!(client.goaway(), expected, "{value}");
    }
}

/// RFC 7541 §4.2: from our SETTINGS' acknowledgement on, the server keeps to the table that they allow.
#[test]
fn our_table_size_holds_from_its_acknowledgement() {
    let table_of = |size: u32| {
        // A size update (001 and five bits), then :status 200.
        let rest = size - 31;
        let low = u8::try_from(rest & 0x7f).unwrap() | 0x80;
        let block = [0x3f, low, u8::try_from(rest >> 7).unwrap(), 0x88];
        frame(HEADERS, END_HEADERS | END_STREAM, 1, &block)
    };
    let answered = |acknowledged: bool, size: u32| {
        let mut config = Config::default();
        config.header_table_size = 200;
        let mut client = Client::fresh(config);
        client.receive(&settings(&[]));
        if acknowledged {
            client.receive(&settings_ack());
        }
        client.connection.send(&request(b""), client.now).unwrap();
        client.drain();
        client.forget();
        client.receive(&table_of(size));
        (client.goaway(), client.events.len())
    };
    // What it began with is 4096, and it may not know better yet.
    assert_eq!(answered(false, 4096), (None, 1));
    assert_eq!(answered(true, 200), (None, 1));
    assert_eq!(answered(true, 201).0, Some(COMPRESSION_ERROR));
    assert_eq!(answered(true, 4096).0, Some(COMPRESSION_ERROR));
}

/// Whoever was told that it is over, by us, is not the one who ended it.
#[test]
fn a_goaway_after_our_own_close_is_still_our_close() {
    let mut client = one();
    client.connection.close(client.now);
    client.receive(&goaway(1, 0, b""));
    client.receive(&answer(1));
    assert_eq!(
        client.events,
        [r#"draining 1 0 """#, r#"response 1 200 """#, "closed Local"]
    );
    // But an error is one.
    let mut client = one();
    client.connection.close(client.now);
    client.receive(&goaway(1, 2, b""));
    client.receive(&answer(1));
    let last = client.events.last().unwrap();
    assert!(last.starts_with("closed GoAway"), "{last}");
}

/// What is sent again goes out in the order in which it went out before.
#[test]
fn requests_end_in_the_order_in_which_they_were_sent() {
    let stream = |event: &String| event.split(' ').nth(1).and_then(|id| id.parse::<u32>().ok());
    for answered in 0..80u32 {
        // One after the other, and then twenty at a time.
        let open = || {
            let mut client = Client::ready(Config::default());
            for n in 0..answered {
                client.connection.send(&request(b""), client.now).unwrap();
                client.drain();
                client.receive(&answer(2 * n + 1));
            }
            for _ in 0..20 {
                client.connection.send(&request(b""), client.now).unwrap();
            }
            client.drain();
            client.forget();
            client
        };
        let first = 2 * answered + 1;
        let all: Vec<u32> = (first..first + 40).step_by(2).collect();
        let mut lost = open();
        lost.eof();
        let ids: Vec<u32> = lost.events.iter().filter_map(stream).collect();
        assert_eq!(ids, all);
        let mut refused = open();
        refused.receive(&goaway(first + 8, 0, b""));
        let ids: Vec<u32> = refused.events[1..].iter().filter_map(stream).collect();
        assert_eq!(ids, all[5..]);
    }
}
