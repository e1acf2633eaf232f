//! Rows 27 to 29: frames that RFC 9113 forbids a server, and some that it allows.

use pushcore_tests::sim::frame::{self, MAX_31, code, flag, kind, setting};

use super::*;

/// What RFC 9113 forbids a server, and the code that the client has to give for it.
fn malformed() -> Vec<(&'static str, Vec<u8>, u32)> {
    let raw = |kind, flags, stream, payload: &[u8]| frame::frame(kind, flags, stream, payload);
    vec![
        (
            "DATA on stream 0",
            raw(kind::DATA, 0, 0, b"x"),
            code::PROTOCOL_ERROR,
        ),
        (
            "DATA padded beyond its end",
            raw(kind::DATA, flag::PADDED, 1, &[9, 0]),
            code::PROTOCOL_ERROR,
        ),
        (
            "HEADERS on stream 0",
            raw(kind::HEADERS, flag::END_HEADERS, 0, &[0x88]),
            code::PROTOCOL_ERROR,
        ),
        (
            "HEADERS padded beyond its end",
            raw(kind::HEADERS, flag::PADDED | flag::END_HEADERS, 1, &[9, 0x88]),
            code::PROTOCOL_ERROR,
        ),
        (
            "HEADERS on an idle stream",
            frame::headers(99, true, &[0x88]),
            code::PROTOCOL_ERROR,
        ),
        (
            "HEADERS that do not decompress",
            frame::headers(1, true, &[0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff]),
            code::COMPRESSION_ERROR,
        ),
        (
            "an unknown index",
            frame::headers(1, true, &[0xbe]),
            code::COMPRESSION_ERROR,
        ),
        (
            "RST_STREAM on stream 0",
            frame::reset(0, code::CANCEL),
            code::PROTOCOL_ERROR,
        ),
        (
            "RST_STREAM on an idle stream",
            frame::reset(99, code::CANCEL),
            code::PROTOCOL_ERROR,
        ),
        (
            "RST_STREAM of 3 octets",
            raw(kind::RST_STREAM, 0, 1, &[0; 3]),
            code::FRAME_SIZE_ERROR,
        ),
        (
            "SETTINGS on a stream",
            raw(kind::SETTINGS, 0, 1, &[]),
            code::PROTOCOL_ERROR,
        ),
        (
            "SETTINGS of 5 octets",
            raw(kind::SETTINGS, 0, 0, &[0; 5]),
            code::FRAME_SIZE_ERROR,
        ),
        (
            "SETTINGS acknowledged with content",
            raw(kind::SETTINGS, flag::ACK, 0, &[0; 6]),
            code::FRAME_SIZE_ERROR,
        ),
        (
            "ENABLE_PUSH of 1",
            frame::settings(&[(setting::ENABLE_PUSH, 1)]),
            code::PROTOCOL_ERROR,
        ),
        (
            "INITIAL_WINDOW_SIZE of 2^31",
            frame::settings(&[(setting::INITIAL_WINDOW_SIZE, 1 << 31)]),
            code::FLOW_CONTROL_ERROR,
        ),
        (
            "MAX_FRAME_SIZE of 100",
            frame::settings(&[(setting::MAX_FRAME_SIZE, 100)]),
            code::PROTOCOL_ERROR,
        ),
        (
            "PING on a stream",
            raw(kind::PING, 0, 1, &[0; 8]),
            code::PROTOCOL_ERROR,
        ),
        (
            "PING of 6 octets",
            raw(kind::PING, 0, 0, &[0; 6]),
            code::FRAME_SIZE_ERROR,
        ),
        (
            "GOAWAY on a stream",
            raw(kind::GOAWAY, 0, 1, &[0; 8]),
            code::PROTOCOL_ERROR,
        ),
        (
            "WINDOW_UPDATE of 0 on the connection",
            frame::window_update(0, 0),
            code::PROTOCOL_ERROR,
        ),
        (
            "WINDOW_UPDATE of 3 octets",
            raw(kind::WINDOW_UPDATE, 0, 0, &[0; 3]),
            code::FRAME_SIZE_ERROR,
        ),
        (
            "WINDOW_UPDATE beyond 2^31-1",
            frame::window_update(0, MAX_31),
            code::FLOW_CONTROL_ERROR,
        ),
        (
            "CONTINUATION out of place",
            raw(kind::CONTINUATION, flag::END_HEADERS, 1, &[0x88]),
            code::PROTOCOL_ERROR,
        ),
        (
            "a header block interrupted",
            [raw(kind::HEADERS, 0, 1, &[0x88]), frame::ping(false, [0; 8])].concat(),
            code::PROTOCOL_ERROR,
        ),
    ]
}

#[test]
fn row_27_malformed_frames() {
    for (what, bytes, code) in malformed() {
        for seed in seeds(SEEDS) {
            let bytes = bytes.clone();
            let mut world = world(
                seed,
                first_then_good(move || after_holding(10, vec![Act::Raw(bytes.clone())])),
            );
            world.lenient();
            world.submit(N / 10);
            let stats = world.finish();
            assert_eq!(
                (stats.unknown, stats.accepted),
                (10, N / 10 - 10),
                "{what}: {stats:?}"
            );
            assert_eq!(world.log.goaways().first(), Some(&code), "{what}");
        }
    }
}

#[test]
fn row_28_too_large_and_unknown_frames() {
    for seed in seeds(SEEDS) {
        let large = vec![Act::Raw(frame::data(1, false, &[0; 16_385]))];
        let mut first = world(seed, first_then_good(move || after_holding(10, large.clone())));
        first.submit(N);
        let stats = first.finish();
        assert_eq!((stats.unknown, stats.accepted), (10, N - 10), "{stats:?}");
        assert_eq!(first.log.goaways().first(), Some(&code::FRAME_SIZE_ERROR));

        let odd = [
            frame::frame(0xbe, 0xff, 0, b"a frame of a kind to come"),
            frame::frame(0xbe, 0xff, 1, b"the same on a stream"),
            frame::frame(kind::PING, 0xfe, 0, &[0; 8]),
            frame::frame(kind::PRIORITY, 0, 1, &[0, 0, 0, 0, 9]),
        ];
        let odd = odd.concat();
        let respond = move |_: &Seen, _: &mut Rng| vec![Act::Raw(odd.clone()), ok()];
        let greeting = vec![(setting::MAX_CONCURRENT_STREAMS, 100), (0xf00, 7), (9, 1)];
        let mut second = world(seed, move |_, _| {
            Script::new(respond.clone())
                .greeting([Act::Settings(greeting.clone())])
                .into()
        });
        second.submit(100);
        let stats = second.finish();
        assert_eq!(stats.accepted, 100, "{stats:?}");
        assert_eq!(second.dials().len(), 1);
    }
}

#[test]
fn row_29_push_promise() {
    for seed in seeds(SEEDS) {
        let promise = frame::frame(kind::PUSH_PROMISE, flag::END_HEADERS, 1, &[0, 0, 0, 2, 0x88]);
        let mut world = world(
            seed,
            first_then_good(move || after_holding(50, vec![Act::Raw(promise.clone())])),
        );
        world.submit(N);
        let stats = world.finish();
        assert_eq!((stats.unknown, stats.accepted), (50, N - 50), "{stats:?}");
        assert_eq!(world.log.goaways().first(), Some(&code::PROTOCOL_ERROR));
    }
}
