//! Rows 15 to 30: faults of the whole connection.

use pushcore::session::SessionEvent;
use pushcore_tests::sim::frame::{self, MAX_31, code, flag, kind, setting};
use pushcore_tests::sim::{Last, Pings};

use super::*;

#[test]
fn row_16_no_settings_or_garbage() {
    let greetings: [(Vec<Act>, ErrorKind); 4] = [
        (Vec::new(), ErrorKind::ConnectTimeout),
        (
            vec![Act::Raw(
                b"HTTP/1.1 400 Bad Request\r\nconnection: close\r\n\r\n".to_vec(),
            )],
            ErrorKind::Http2Protocol,
        ),
        (vec![Act::Raw(vec![0xff; 64])], ErrorKind::Http2Protocol),
        (vec![Act::Ping([0; 8])], ErrorKind::Http2Protocol),
    ];
    for (greeting, cause) in greetings {
        for seed in seeds(SEEDS) {
            let greeting = greeting.clone();
            let mut world = world(seed, move |_, _| {
                let mut script = Script::accepting().greeting(greeting.clone());
                script.acknowledge = false;
                script.into()
            });
            world.submit(N);
            let stats = world.finish();
            assert_eq!(
                (stats.not_sent + stats.expired, stats.unknown),
                (N, 0),
                "{stats:?}"
            );
            assert_eq!(world.log.requests(), 0);
            let found = causes(&world);
            assert!(
                found.contains(&cause),
                "{cause}: {:?}, {:?}",
                found.first(),
                result(&world, 0)
            );
        }
    }
}

#[test]
fn row_17_graceful_goaway() {
    for seed in seeds(SEEDS) {
        let leaving = || {
            let respond = |seen: &Seen, _: &mut Rng| match seen.nth {
                300 => vec![
                    Act::GoAway(Last::Max, code::NO_ERROR, Vec::new()),
                    Act::Wait(millis(200)),
                    Act::GoAway(Last::Seen, code::NO_ERROR, Vec::new()),
                    Act::AnswerHeld(Answer::ok()),
                    Act::Close,
                ],
                nth if nth > 300 => vec![Act::Wait(millis(50)), ok()],
                _ => vec![ok()],
            };
            Script::new(respond)
        };
        let mut world = World::new(
            seed,
            |config| config.max_connections = 1,
            first_then_good(leaving),
        );
        world.submit(N);
        let stats = world.finish();
        assert_eq!(
            (stats.accepted, stats.unknown, world.log.duplicates()),
            (N, 0, 0),
            "{stats:?}"
        );
        // No new stream after the first GOAWAY has arrived: one connection more, no storm.
        assert_eq!(world.dials().len(), 2);
    }
}

/// 60 open, none answered, the first 41 may have been processed (30 were).
#[test]
fn row_18_abrupt_goaway() {
    for seed in seeds(SEEDS) {
        let abrupt = || {
            let respond = |seen: &Seen, _: &mut Rng| match seen.nth {
                1..=30 => vec![Act::Process],
                60 => vec![Act::GoAway(Last::Id(81), code::NO_ERROR, Vec::new()), Act::Close],
                _ => Vec::new(),
            };
            Script::new(respond)
        };
        let mut world = world(seed, first_then_good(abrupt));
        world.submit(N);
        let stats = world.finish();
        assert_eq!((stats.unknown, stats.accepted), (41, N - 41), "{stats:?}");
        assert_eq!(world.log.duplicates(), 0);
        assert_eq!(world.log.total_processed(), N - 41 + 30);
    }
}

#[test]
fn row_19_goaway_zero_with_a_reason() {
    for (code, debug, reason) in [
        (code::NO_ERROR, &br#"{"reason":"Shutdown"}"#[..], "Shutdown"),
        (
            code::INTERNAL_ERROR,
            br#"{"reason":"IdleTimeout"}"#,
            "IdleTimeout",
        ),
        (
            code::REFUSED_STREAM,
            b"Maximum active streams violated for this endpoint.",
            "Maximum active",
        ),
        (code::NO_ERROR, b"", ""),
    ] {
        for seed in seeds(SEEDS) {
            let acts = vec![Act::GoAway(Last::Id(0), code, debug.to_vec()), Act::Close];
            let mut world = world(seed, first_then_good(move || after_holding(100, acts.clone())));
            world.submit(N);
            let stats = world.finish();
            assert_eq!(
                (stats.accepted, stats.unknown, world.log.duplicates()),
                (N, 0, 0),
                "{stats:?}"
            );
            let told = |event: &SessionEvent| {
                matches!(event, SessionEvent::GoAway { reason: text, code: told, .. }
                if text.starts_with(reason) && *told == code)
            };
            assert!(world.events().iter().any(told), "{:?}", world.events());
        }
    }
}

#[test]
fn row_20_enhance_your_calm() {
    let calm = || {
        after_holding(
            10,
            vec![
                Act::GoAway(Last::Id(0), code::ENHANCE_YOUR_CALM, b"too_many_pings".to_vec()),
                Act::Close,
            ],
        )
    };
    for seed in seeds(SEEDS) {
        // Three times, then it is well again.
        let mut world = World::new(
            seed,
            |config| config.max_connections = 1,
            move |nth, _| {
                if nth <= 3 {
                    calm().into()
                } else {
                    Script::accepting().into()
                }
            },
        );
        world.submit(N);
        let stats = world.finish();
        assert_eq!(
            (stats.accepted, stats.unknown, world.log.duplicates()),
            (N, 0, 0),
            "{stats:?}"
        );
        for (step, pair) in world.dials().windows(2).enumerate() {
            let least = seconds(1 << step) * 79 / 100;
            assert!(pair[1] - pair[0] >= least, "{:?}", world.dials());
        }
    }
    for seed in seeds(SEEDS) {
        // For ever: no loop without end.
        let mut world = world(seed, move |_, _| calm().into());
        world.submit(N);
        let stats = world.finish();
        assert_eq!(
            (stats.not_sent + stats.expired, stats.unknown),
            (N, 0),
            "{stats:?}"
        );
        assert!(world.dials().len() <= 8, "{:?}", world.dials());
    }
}

#[test]
fn row_21_two_goaways() {
    for seed in seeds(SEEDS) {
        let smaller = vec![
            Act::GoAway(Last::Id(81), code::NO_ERROR, Vec::new()),
            Act::Wait(millis(5)),
            Act::GoAway(Last::Id(41), code::NO_ERROR, Vec::new()),
            Act::Close,
        ];
        let mut first = world(seed, first_then_good(move || after_holding(60, smaller.clone())));
        first.submit(N);
        let stats = first.finish();
        assert_eq!((stats.unknown, stats.accepted), (21, N - 21), "{stats:?}");

        let larger = vec![
            Act::GoAway(Last::Id(41), code::NO_ERROR, Vec::new()),
            Act::Wait(millis(5)),
            Act::GoAway(Last::Id(81), code::NO_ERROR, Vec::new()),
        ];
        let mut second = world(seed, first_then_good(move || after_holding(60, larger.clone())));
        second.submit(N);
        let stats = second.finish();
        assert_eq!((stats.unknown, stats.accepted), (21, N - 21), "{stats:?}");
        assert_eq!(second.log.goaways().first(), Some(&code::PROTOCOL_ERROR));
    }
}

/// Every connection ends after 1 to 100 answers. The long form is `storm.rs`.
#[test]
fn row_22_goaway_on_every_connection() {
    for seed in seeds(SEEDS) {
        let mut world = World::new(
            seed,
            |config| config.max_requeues = u8::MAX,
            |_, rng| {
                let answers = rng.between(1, 100) as u32;
                let respond = move |seen: &Seen, _: &mut Rng| {
                    if seen.nth == answers {
                        vec![
                            ok(),
                            Act::GoAway(Last::Processed, code::NO_ERROR, Vec::new()),
                            Act::Close,
                        ]
                    } else {
                        vec![ok()]
                    }
                };
                Script::new(respond).into()
            },
        );
        world.submit(N);
        let stats = world.finish();
        assert_eq!(
            (stats.accepted, stats.unknown, world.log.duplicates()),
            (N, 0, 0),
            "{stats:?}"
        );
    }
}

#[test]
fn row_23_lost_without_goaway() {
    for end in [Act::Abort, Act::Close] {
        for seed in seeds(SEEDS) {
            let end = end.clone();
            let mut world = world(
                seed,
                first_then_good(move || after_holding(50, vec![end.clone()])),
            );
            world.submit(N);
            let stats = world.finish();
            assert_eq!((stats.unknown, stats.accepted), (50, N - 50), "{stats:?}");
            assert_eq!(world.log.total_processed(), N - 50);
        }
    }
}

#[test]
fn row_24_half_open() {
    for seed in seeds(SEEDS) {
        let respond = |seen: &Seen, _: &mut Rng| match seen.nth {
            101 => vec![Act::Silence],
            _ => vec![ok()],
        };
        let silent = move || Script::new(respond).streams(50);
        let mut world = World::new(seed, |config| config.max_connections = 1, first_then_good(silent));
        let start = world.now().monotonic;
        world.submit(N);
        world.run_until(|world| world.stats().unknown > 0);
        let detected = world.now().monotonic - start;
        assert!(detected <= seconds(25) + millis(500), "{detected:?}");
        let stats = world.finish();
        assert_eq!(stats.accepted + stats.unknown, N, "{stats:?}");
        assert!((1..=50).contains(&stats.unknown), "{stats:?}");
        assert!(
            causes(&world).iter().all(|cause| *cause == ErrorKind::PeerSilent),
            "{:?}",
            causes(&world)
        );
    }
}

#[test]
fn row_25_ping_acknowledgements_late_or_wrong_and_ping_floods() {
    for seed in seeds(SEEDS) {
        // Late, but in time: nothing is lost.
        let slow = || {
            let respond = |_: &Seen, _: &mut Rng| vec![Act::Wait(seconds(25)), ok()];
            Script::new(respond).pings(Pings::Late(seconds(8)))
        };
        let mut late = world(seed, move |_, _| slow().into());
        late.submit(N / 10);
        let stats = late.finish();
        assert_eq!(
            (stats.accepted, late.log.pings() > 0),
            (N / 10, true),
            "{stats:?}"
        );

        // Wrong: as good as none, or an error of its own. Each message ends once.
        let wrong = || {
            let respond = |_: &Seen, _: &mut Rng| vec![Act::Wait(seconds(40)), ok()];
            Script::new(respond).pings(Pings::Wrong)
        };
        let mut world = world(seed, first_then_good(wrong));
        world.submit(N / 10);
        let stats = world.finish();
        assert_eq!(stats.accepted + stats.unknown, N / 10, "{stats:?}");
    }
    for seed in seeds(SEEDS) {
        let flood: Vec<u8> = (0..5000).flat_map(|_| frame::ping(false, [7; 8])).collect();
        let mut world = world(
            seed,
            first_then_good(move || after_holding(10, vec![Act::Raw(flood.clone())])),
        );
        world.submit(N);
        let stats = world.finish();
        assert_eq!((stats.unknown, stats.accepted), (10, N - 10), "{stats:?}");
        assert_eq!(world.log.goaways().first(), Some(&code::ENHANCE_YOUR_CALM));
        assert!(world.log.acknowledgements() <= 1000);
    }
}

/// An hour of idleness with a burst every ten minutes: not one PING without a stream.
#[test]
fn row_26_no_ping_without_streams() {
    for seed in seeds(SEEDS) {
        let mut world = world(seed, |_, _| Script::accepting().into());
        for _ in 0..6 {
            world.submit(20);
            world.run();
            world.run_for(seconds(600));
        }
        let stats = world.finish();
        assert_eq!((stats.accepted, world.log.pings()), (120, 0), "{stats:?}");
        assert_eq!(world.dials().len(), 1);
    }
}

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
