//! Rows 27 to 29: frames that RFC 9113 forbids a server, and some that it allows.

use pushcore_tests::sim::frame::{self, code, flag, kind, setting};

use super::*;

/// One of each kind of trouble; the whole list is the simulator's, every octet of it is the same here.
#[test]
fn row_27_malformed_frames() {
    let raw = |kind, flags, stream, payload: &[u8]| frame::frame(kind, flags, stream, payload);
    for (what, bytes, code) in [
        (
            "DATA on stream 0",
            raw(kind::DATA, 0, 0, b"x"),
            code::PROTOCOL_ERROR,
        ),
        (
            "HEADERS on an idle stream",
            frame::headers(99, true, &[0x88]),
            code::PROTOCOL_ERROR,
        ),
        (
            "an unknown index",
            frame::headers(1, true, &[0xbe]),
            code::COMPRESSION_ERROR,
        ),
        (
            "RST_STREAM of 3 octets",
            raw(kind::RST_STREAM, 0, 1, &[0; 3]),
            code::FRAME_SIZE_ERROR,
        ),
        (
            "INITIAL_WINDOW_SIZE of 2^31",
            frame::settings(&[(setting::INITIAL_WINDOW_SIZE, 1 << 31)]),
            code::FLOW_CONTROL_ERROR,
        ),
        (
            "a header block interrupted",
            [raw(kind::HEADERS, 0, 1, &[0x88]), frame::ping(false, [0; 8])].concat(),
            code::PROTOCOL_ERROR,
        ),
    ] {
        let row = Row::first(move || after_holding(10, vec![Act::Raw(bytes.clone())])).lenient();
        let sent = row.send(N / 10, |_| {});
        let stats = &sent.stats;
        assert_eq!(
            (stats.unknown, stats.accepted),
            (10, N as u64 / 10 - 10),
            "{what}: {stats:?}"
        );
        row.first_goaway(code, what);
    }
}

#[test]
fn row_28_too_large_and_unknown_frames() {
    let large = vec![Act::Raw(frame::data(1, false, &[0; 16_385]))];
    let row = Row::first(move || after_holding(10, large.clone()));
    let sent = row.send(N, |_| {});
    let stats = &sent.stats;
    assert_eq!((stats.unknown, stats.accepted), (10, N as u64 - 10), "{stats:?}");
    row.first_goaway(code::FRAME_SIZE_ERROR, "a large frame");

    let odd = [
        frame::frame(0xbe, 0xff, 0, b"a frame of a kind to come"),
        frame::frame(0xbe, 0xff, 1, b"the same on a stream"),
        frame::frame(kind::PING, 0xfe, 0, &[0; 8]),
        frame::frame(kind::PRIORITY, 0, 1, &[0, 0, 0, 0, 9]),
    ]
    .concat();
    let row = Row::new(move |_| {
        let odd = odd.clone();
        let greeting = vec![(setting::MAX_CONCURRENT_STREAMS, 100), (0xf00, 7), (9, 1)];
        Script::new(move |_, _| vec![Act::Raw(odd.clone()), ok()]).greeting([Act::Settings(greeting)])
    });
    let sent = row.send(100, |_| {});
    assert_eq!(sent.stats.accepted, 100, "{:?}", sent.stats);
    assert_eq!(row.server.log().connections(), 1);
}

#[test]
fn row_29_push_promise() {
    let promise = frame::frame(kind::PUSH_PROMISE, flag::END_HEADERS, 1, &[0, 0, 0, 2, 0x88]);
    let row = Row::first(move || after_holding(50, vec![Act::Raw(promise.clone())]));
    let sent = row.send(N, |_| {});
    let stats = &sent.stats;
    assert_eq!((stats.unknown, stats.accepted), (50, N as u64 - 50), "{stats:?}");
    row.first_goaway(code::PROTOCOL_ERROR, "a promise");
}
