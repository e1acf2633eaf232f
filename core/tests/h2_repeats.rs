//! Header blocks that come again: whatever is remembered of them, they say what the table says.

#![allow(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    reason = "tests may panic, read files and open sockets"
)]

mod h2_support;

use h2_support::*;
use pushcore::net::h2::Config;

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
fn an_index_means_what_it_means_now() {
    let mut client = Client::with_requests(Config::default(), 8);
    let newest = [0x88, 0x80 | 62];
    for (at, block) in [
        &entering("apns-unique-id", "one")[..],
        &newest,
        &newest,
        &newest,
        // The same octets twice: both enter the table.
        &entering("server", "two"),
        &entering("server", "two"),
        &[0x88, 0x80 | 64],
        &newest,
    ]
    .into_iter()
    .enumerate()
    {
        client.receive(&response(at as u32 * 2 + 1, block, None));
    }
    let one = "200 apns-unique-id=one \"\"";
    let two = "200 server=two \"\"";
    let all = [one, one, one, one, two, two, one, two];
    assert_eq!(said(&client, (1..16).step_by(2)), all);
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
