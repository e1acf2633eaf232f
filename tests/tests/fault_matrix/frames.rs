//! Rows 28 and 29: frames that RFC 9113 forbids a server, and some that it allows. Row 27 is
//! `conformance.rs`.

use pushcore_tests::sim::frame::{self, code, flag, kind, setting};

use super::*;

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
