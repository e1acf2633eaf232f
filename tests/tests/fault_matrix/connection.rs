//! Rows 16 to 25: faults of the whole connection.

use std::sync::{Arc, Mutex};

use pushcore::session::SessionEvent;
use pushcore_tests::sim::frame::{self, code};
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
        // As many as are open at a time: nobody hears that their answers do not come.
        assert_eq!((stats.unknown, stats.accepted), (50, N - 50), "{stats:?}");
        assert_eq!((world.log.duplicates(), world.dials().len()), (0, 2));
        assert!(
            causes(&world).iter().all(|cause| *cause == ErrorKind::PeerSilent),
            "{:?}",
            causes(&world)
        );
    }
}

/// It answers PINGs, and nothing else any more: after three time-outs in a row new requests go out over
/// another connection, and an event says so. No message beyond those in flight is lost to it.
#[test]
fn row_24_alive_but_mute() {
    for seed in seeds(SEEDS) {
        let respond = |seen: &Seen, _: &mut Rng| match seen.nth {
            1..=100 => vec![ok()],
            _ => vec![Act::Process],
        };
        let mute = move || Script::new(respond).streams(50);
        let mut world = World::new(seed, |config| config.max_connections = 1, first_then_good(mute));
        world.submit(N);
        let stats = world.finish();
        // The fifty in flight, and the two that take the places of the first to time out, where those
        // were sent a moment before the others.
        assert_eq!(stats.unknown + stats.accepted, N, "{stats:?}");
        assert!((50..=52).contains(&stats.unknown), "{stats:?}");
        assert!(world.log.pings() > 0);
        assert_eq!((world.log.duplicates(), world.dials().len()), (0, 2));
        let retired = world
            .events()
            .iter()
            .filter(|event| matches!(event, SessionEvent::Wedged { .. }));
        assert_eq!(retired.count(), 1);
    }
}

/// One request after the other, each alone: the third time-out is the last.
#[test]
fn row_24_three_lone_time_outs_retire_a_connection() {
    for seed in seeds(SEEDS) {
        // Seen again after an answer in between, two time-outs are no series.
        let respond = |seen: &Seen, _: &mut Rng| match seen.nth {
            3 => vec![ok()],
            _ => vec![Act::Process],
        };
        let mute = move || Script::new(respond);
        let mut world = World::new(seed, |config| config.max_connections = 1, first_then_good(mute));
        for _ in 0..7 {
            world.submit(1);
            world.run();
        }
        let stats = world.finish();
        assert_eq!((stats.unknown, stats.accepted), (5, 2), "{stats:?}");
        assert_eq!(world.dials().len(), 2);
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
        let start = world.now().monotonic;
        world.run();
        let took = world.now().monotonic - start;
        assert!((seconds(25)..seconds(26)).contains(&took), "{took:?}");
        let stats = world.finish();
        assert_eq!(stats.unknown, N / 10, "{stats:?}");
        assert!(causes(&world).iter().all(|cause| *cause == ErrorKind::PeerSilent));

        // Too late: the connection is given up ten seconds after the PING.
        let slow = || {
            let respond = |_: &Seen, _: &mut Rng| vec![Act::Wait(seconds(29)), ok()];
            Script::new(respond).pings(Pings::Late(seconds(11)))
        };
        let mut world = self::world(seed, first_then_good(slow));
        world.submit(N / 10);
        let stats = world.finish();
        assert_eq!(stats.unknown, N / 10, "{stats:?}");
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
