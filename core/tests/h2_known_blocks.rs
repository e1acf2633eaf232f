//! A header block that comes again means the same only while the table is the same, and only where a
//! response begins.

#![allow(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    reason = "tests may panic, read files and open sockets"
)]

mod h2_support;

use h2_support::*;
use pushcore::net::h2::Config;

const PROTOCOL_ERROR: u32 = 1;
const COMPRESSION_ERROR: u32 = 9;

/// :status 200, and then the newest entry of the dynamic table.
const WITH_NEWEST: &[u8] = &[0x88, 0xbe];

/// A connection on which `x: y` is in the table, and has been named several times.
fn knows_a_field(left: usize) -> Client {
    let mut client = Client::with_requests(Config::default(), 6 + left);
    let inserts = [&[0x88][..], &[0x40, 1, b'x', 1, b'y']].concat();
    client.receive(&frame(HEADERS, END_HEADERS | END_STREAM, 1, &inserts));
    for stream in [3, 5, 7, 9, 11] {
        client.receive(&frame(HEADERS, END_HEADERS | END_STREAM, stream, WITH_NEWEST));
        let line = format!(r#"response {stream} 200 x=y """#);
        assert_eq!(client.events.last(), Some(&line));
    }
    client.forget();
    client
}

#[test]
fn a_table_that_was_emptied_holds_nothing() {
    let mut client = knows_a_field(2);
    // Down to nothing, up to 4096 again (RFC 7541 §6.3).
    let emptied = [&[0x20, 0x3f, 0xe1, 0x1f][..], OK].concat();
    client.receive(&frame(HEADERS, END_HEADERS | END_STREAM, 13, &emptied));
    assert_eq!(client.events, [r#"response 13 200 """#]);
    client.receive(&frame(HEADERS, END_HEADERS | END_STREAM, 15, WITH_NEWEST));
    assert_eq!(client.goaway(), Some(COMPRESSION_ERROR));
}

#[test]
fn an_index_names_what_is_newest_now() {
    let mut client = knows_a_field(2);
    let inserts = [&[0x88][..], &[0x40, 1, b'a', 1, b'b']].concat();
    client.receive(&frame(HEADERS, END_HEADERS | END_STREAM, 13, &inserts));
    client.receive(&frame(HEADERS, END_HEADERS | END_STREAM, 15, WITH_NEWEST));
    assert_eq!(
        client.events,
        [r#"response 13 200 a=b """#, r#"response 15 200 a=b """#]
    );
}

/// The block of a response that has a body to come, once more behind a part of that body.
#[test]
fn no_response_begins_twice() {
    for flags in [END_STREAM, 0] {
        let mut client = Client::with_requests(Config::default(), 6);
        let begin = |stream| list(0, stream, &[(":status", "400"), ("content-length", "4")]);
        for stream in [1, 3, 5, 7, 9] {
            client.receive(&begin(stream));
            client.receive(&frame(DATA, END_STREAM, stream, b"body"));
        }
        assert_eq!(client.events.len(), 5);
        client.forget();
        client.receive(&begin(11));
        client.receive(&frame(DATA, 0, 11, b"bo"));
        client.receive(&list(flags, 11, &[(":status", "400"), ("content-length", "4")]));
        assert_eq!(
            client.events,
            [r#"response 11 400 content-length=4 "bo" truncated"#]
        );
        assert_eq!(client.resets(), [(11, PROTOCOL_ERROR)]);
    }
}

/// The first block of all may be an empty one, and nothing is known of it: neither before nor after our
/// smaller table is acknowledged.
#[test]
fn an_empty_block_is_no_response() {
    for acknowledged in [false, true] {
        for flags in [END_STREAM, 0] {
            let mut config = Config::default();
            config.header_table_size = 100;
            let mut client = Client::fresh(config);
            client.receive(&settings(&[]));
            if acknowledged {
                client.receive(&settings_ack());
            }
            client.engine.send(&request(b""), client.now).unwrap();
            client.drain();
            client.forget();
            client.receive(&frame(HEADERS, END_HEADERS | flags, 1, b""));
            client.receive(&frame(DATA, END_STREAM, 1, b"x"));
            let first = client.events.first().map(String::as_str).unwrap_or_default();
            assert!(first.starts_with("failed 1 Unknown Http2Protocol"), "{first}");
        }
    }
}
