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
            client.connection.send(&request(b""), client.now).unwrap();
            client.drain();
            client.forget();
            client.receive(&frame(HEADERS, END_HEADERS | flags, 1, b""));
            client.receive(&frame(DATA, END_STREAM, 1, b"x"));
            let first = client.events.first().map(String::as_str).unwrap_or_default();
            assert!(first.starts_with("failed 1 Unknown Http2Protocol"), "{first}");
        }
    }
}

/// `:status 200`, and a field that enters the table.
fn entering(name: &str, value: &str) -> Vec<u8> {
    let mut block = [OK, &literal(name, value)].concat();
    block[1] = 0x40;
    block
}

/// A response of that block, and of a body where there is one.
fn response(stream: u32, block: &[u8], body: Option<&[u8]>) -> Vec<u8> {
    match body {
        None => frame(HEADERS, END_HEADERS | END_STREAM, stream, block),
        Some(body) => [
            frame(HEADERS, END_HEADERS, stream, block),
            frame(DATA, END_STREAM, stream, body),
        ]
        .concat(),
    }
}

/// What the answers to 1, 3, 5 ... were, without their numbers.
fn said(client: &Client, streams: impl Iterator<Item = u32>) -> Vec<String> {
    let ends = streams.map(|stream| {
        let start = format!("response {stream} ");
        let mut found = client
            .events
            .iter()
            .filter_map(|event| event.strip_prefix(&start));
        let first = found.next().unwrap().to_owned();
        assert_eq!(found.next(), None);
        first
    });
    ends.collect()
}

#[test]
fn answers_wait_their_turn() {
    let mut client = Client::with_requests(Config::default(), 7);
    let gone = b"\x00\x07:status\x03410";
    let mut all = Vec::new();
    // Nobody looks at the events before all of it was read.
    for (at, block) in [OK, OK, OK, gone, gone, gone, OK].into_iter().enumerate() {
        all.extend(response(at as u32 * 2 + 1, block, None));
    }
    client.receive(&all);
    let codes = ["200", "200", "200", "410", "410", "410", "200"];
    assert_eq!(
        said(&client, (1..14).step_by(2)),
        codes.map(|code| format!("{code} \"\""))
    );
}

#[test]
fn trailers_and_early_answers_are_no_first_answers() {
    let mut client = Client::with_requests(Config::default(), 3);
    let plain = literal("grpc-status", "0");
    for stream in [1, 3] {
        client.receive(&response(stream, &[OK, &plain].concat(), None));
    }
    // The block that is known, as trailers: a status has no place there.
    let known = [OK, &plain].concat();
    client.receive(&frame(HEADERS, END_HEADERS, 5, &known));
    client.receive(&frame(HEADERS, END_HEADERS | END_STREAM, 5, &known));
    assert_eq!(client.resets(), [(5, 1)]);
    assert!(
        client
            .events
            .last()
            .unwrap()
            .starts_with("response 5 200 grpc-status=0")
    );
    assert!(client.events.last().unwrap().ends_with("truncated"));
    // And on a stream that has ended.
    client.receive(&frame(HEADERS, END_HEADERS | END_STREAM, 3, &known));
    assert_eq!(client.goaway(), Some(5));
}

/// The same answers once one after the other, and once with an answer between every two of them that is
/// like none before, so that nothing comes again.
#[test]
fn what_is_remembered_changes_nothing() {
    for seed in 0..200 {
        let mut random = Random::new(seed);
        let mut blocks: Vec<Vec<u8>> = vec![OK.to_vec(), [OK, &literal("content-length", "3")].concat()];
        for at in 0..3 {
            blocks.push(entering("x-name", &format!("value-{at}")));
        }
        for index in 62..66 {
            blocks.push(vec![0x88, 0x80 | index]);
        }
        // The table is made smaller, and larger again.
        blocks.push([&[0x20 | 30][..], OK].concat());
        blocks.push([&[0x3f, 0xe1, 0x1f][..], OK].concat());
        let (mut bare, mut mixed) = (Client::with_requests(Config::default(), 60), {
            Client::with_requests(Config::default(), 120)
        });
        let (mut entries, mut pick, mut small) = (0usize, 0, false);
        let mut pieces = Vec::new();
        for at in 0..60u32 {
            // Mostly the same again.
            if random.below(4) == 0 {
                pick = random.below(blocks.len());
            }
            // Only what the table holds can be referred to.
            if (5..9).contains(&pick) && pick - 5 >= entries {
                pick = 0;
            }
            match pick {
                2..=4 if !small => entries = (entries + 1).min(4),
                9 => (entries, small) = (0, true),
                10 => small = false,
                _ => {}
            }
            let body = [None, Some(&b"abc"[..])][random.below(2)];
            pieces.extend(response(at * 2 + 1, &blocks[pick], body));
            mixed.receive(&response(at * 4 + 1, &blocks[pick], body));
            let unlike = [OK, &literal("x-unlike", &format!("{at:04}"))].concat();
            mixed.receive(&response(at * 4 + 3, &unlike, None));
            if random.below(3) == 0 {
                bare.receive(&std::mem::take(&mut pieces));
            }
        }
        bare.receive(&pieces);
        assert_eq!(
            said(&bare, (1..120).step_by(2)),
            said(&mixed, (1..240).step_by(4)),
            "seed {seed}"
        );
        assert_eq!((bare.goaway(), mixed.goaway()), (None, None));
    }
}
