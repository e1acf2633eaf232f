//! Rows 16 to 23: faults of the whole connection.

use std::sync::{Arc, Mutex};

use pushcore::session::SessionEvent;
use pushcore_tests::sim::Last;
use pushcore_tests::sim::frame::code;

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
            assert_eq!(stats.not_sent, N, "{stats:?}");
            assert_eq!((world.log.requests(), world.dials().len()), (0, 3));
            let found = causes(&world);
            assert!(
                found.iter().all(|found| *found == cause),
                "{:?}",
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

/// A hundred streams are open, and the socket takes hardly anything: what GOAWAY disclaims and has not
/// left, does not leave any more, although the connection lives on for those that are processed.
#[test]
fn row_19_what_goaway_disclaims_is_withdrawn() {
    for seed in seeds(SEEDS) {
        let respond = |seen: &Seen, _: &mut Rng| match seen.nth {
            5 => vec![
                Act::GoAway(Last::Seen, code::NO_ERROR, Vec::new()),
                Act::Wait(seconds(5)),
                Act::AnswerHeld(Answer::ok()),
                Act::Close,
            ],
            _ => Vec::new(),
        };
        let mut world = World::new(
            seed,
            |config| config.max_connections = 1,
            first_then_good(move || Script::new(respond)),
        );
        world.socket_buffer = 1500;
        world.submit(N);
        let stats = world.finish();
        assert_eq!((stats.accepted, stats.unknown), (N, 0), "{stats:?}");
        assert_eq!((world.log.duplicates(), world.dials().len()), (0, 2));
        // What was on the wire already; the buffer held more than eighty.
        assert!(
            world.log.requests_ignored() <= 20,
            "{}",
            world.log.requests_ignored()
        );
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
        one_connection_a_step(world.dials());
    }
    for seed in seeds(SEEDS) {
        // For ever: no loop without end, and nobody gives a message up before its time.
        let mut world = world(seed, move |_, _| calm().into());
        world.submit(N);
        let stats = world.finish();
        assert_eq!(stats.expired, N, "{stats:?}");
        let cause = |result: &Result<Outcome, Error>| result.as_ref().err().and_then(Error::http2_code);
        let codes = world.results().iter().map(|(_, result)| cause(result));
        assert!(
            codes
                .into_iter()
                .all(|code| code == Some(code::ENHANCE_YOUR_CALM))
        );
        // Before the first complaint arrives, a second connection may have been opened.
        let first = world
            .dials()
            .windows(2)
            .take_while(|pair| pair[1] - pair[0] < millis(500))
            .count();
        assert!(first <= 1, "{:?}", world.dials());
        one_connection_a_step(&world.dials()[first..]);
        assert!(world.dials().len() <= 8, "{:?}", world.dials());
    }
}

/// The waits between connections double from 1 s, give or take a fifth.
fn one_connection_a_step(dials: &[Duration]) {
    assert!(dials.len() >= 3, "{dials:?}");
    for (step, pair) in dials.windows(2).enumerate() {
        let least = seconds(1 << step) * 79 / 100;
        assert!(pair[1] - pair[0] >= least, "{dials:?}");
    }
}

/// `too_many_pings`: from then on half as often.
#[test]
fn row_20_too_many_pings() {
    for seed in seeds(SEEDS) {
        let pinged: Arc<Mutex<Vec<Duration>>> = Arc::default();
        let network = {
            let pinged = pinged.clone();
            move |nth: u32, _: &mut Rng| {
                // The first two complain at the first PING, the third answers after a while.
                let respond = move |_: &Seen, _: &mut Rng| match nth {
                    3 => vec![Act::Wait(seconds(150)), ok()],
                    _ => Vec::new(),
                };
                let pinged = pinged.clone();
                let mut script = Script::new(respond);
                script.on_ping = Some(Box::new(move |after, _| {
                    pinged.lock().expect("a lock").push(after);
                    match nth {
                        3 => Vec::new(),
                        _ => vec![
                            Act::GoAway(Last::Id(0), code::ENHANCE_YOUR_CALM, b"too_many_pings".to_vec()),
                            Act::Close,
                        ],
                    }
                }));
                script.into()
            }
        };
        let mut world = World::new(
            seed,
            |config| {
                config.max_connections = 1;
                config.response_timeout = seconds(200);
                config.deadline = seconds(1000);
            },
            network,
        );
        world.submit(20);
        let stats = world.finish();
        assert_eq!((stats.accepted, world.log.duplicates()), (20, 0), "{stats:?}");
        let pinged: Vec<u64> = pinged
            .lock()
            .expect("a lock")
            .iter()
            .map(Duration::as_secs)
            .collect();
        assert_eq!(
            pinged,
            [15, 30, 60, 120],
            "after so many seconds of each connection"
        );
        one_connection_a_step(world.dials());
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
