//! Damaged conversations: every request has exactly one end, and octets mean the same however they arrive.
//!
//! Seeded: a failure names its round. A server that does anything at any moment is in `src/net/h2/tests/random.rs`.

#![allow(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    reason = "tests may panic, read files and open sockets"
)]

mod h2_support;

use h2_support::*;
use pushcore::net::h2::Config;

/// What a server says in a lively connection with four requests.
fn conversation() -> Vec<u8> {
    [
        settings_ack(),
        window_update(0, 100_000),
        list(0, 1, &[(":status", "103"), ("link", "x")]),
        frame(HEADERS, 0, 1, &[0x88, 0x40, 3, b'x', b'-', b'a', 1, b'b']),
        frame(CONTINUATION, END_HEADERS, 1, &[0xbe, 0x5c, 1, b'4']),
        frame(DATA, PADDED, 1, b"\x02bo\0\0"),
        frame(PING, 0, 0, b"12345678"),
        frame(DATA, END_STREAM, 1, b"dy"),
        frame(HEADERS, END_HEADERS, 3, &[0x8d, 0xbe]),
        reset(3, 0),
        frame(PRIORITY, 0, 5, &[0; 5]),
        reset(5, 7),
        list(0, 7, &[(":status", "400")]),
        frame(DATA, 0, 7, b"{}"),
        list(END_STREAM, 7, &[("grpc-status", "3")]),
        goaway(7, 11, b"calm down"),
    ]
    .concat()
}

/// Four requests after the first SETTINGS, then everything else in pieces.
fn hear(bytes: &[u8], mut piece: impl FnMut() -> usize) -> (Vec<u8>, Vec<String>) {
    let mut client = Client::fresh(Config::default());
    client.receive(&settings(&[(1, 4096), (3, 100), (4, 65_535), (5, 16_384)]));
    for _ in 0..4 {
        client.connection.send(&request(b"{}"), client.now).unwrap();
    }
    client.drain();
    let mut rest = bytes;
    while !rest.is_empty() {
        let (now, later) = rest.split_at(piece().clamp(1, rest.len()));
        // Nothing is taken in between: a failure withdraws what is not yet taken.
        client.connection.receive(now, client.now);
        client.poll();
        rest = later;
    }
    client.drain();
    client.eof();
    let ends = |e: &&String| e.starts_with("response") || e.starts_with("failed");
    assert_eq!(
        client.events.iter().filter(ends).count(),
        4,
        "{:?}",
        client.events
    );
    assert!(client.events.last().unwrap().starts_with("closed"));
    (client.out, client.events)
}

#[test]
fn damaged_conversations_are_survived_whole_and_in_pieces() {
    let clean = conversation();
    assert_eq!(
        hear(&clean, || 9).1,
        [
            "ready",
            "response 1 200 x-a=b x-a=b content-length=4 \"body\"",
            "response 3 404 content-length=4 \"\" truncated",
            "failed 5 No StreamReset: stream reset by the server: REFUSED_STREAM (7)",
            "response 7 400 \"{}\"",
            "draining 7 11 \"calm down\"",
            "closed GoAway: server closes the connection: ENHANCE_YOUR_CALM (11)",
        ]
    );
    let mut random = Random::new(9);
    for round in 0..5000 {
        let mut damaged = clean.clone();
        for _ in 0..random.below(4) {
            let at = random.below(damaged.len());
            match random.below(4) {
                0 => damaged[at] ^= 1 << random.below(8),
                1 => damaged[at] = random.below(256) as u8,
                2 => damaged.truncate(at + 1),
                _ => drop(damaged.drain(at..(at + random.below(9)).min(damaged.len()))),
            }
        }
        let whole = hear(&damaged, || usize::MAX);
        assert_eq!(whole, hear(&damaged, || 1), "round {round}");
        assert_eq!(whole, hear(&damaged, || 1 + random.below(30)), "round {round}");
    }
}
