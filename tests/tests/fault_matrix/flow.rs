//! Rows 37 to 41: flow control, settings, slowness.

use pushcore_tests::sim::frame::{self, MAX_31, code, setting};

use super::*;

fn streams(count: u32) -> Act {
    Act::Settings(vec![(setting::MAX_CONCURRENT_STREAMS, count)])
}

#[test]
fn row_37_stream_limit_up_and_down() {
    for seed in seeds(SEEDS) {
        let respond = |seen: &Seen, _: &mut Rng| match seen.nth {
            200 => vec![streams(1), ok()],
            400 => vec![streams(100), ok()],
            _ => vec![Act::Wait(millis(3)), ok()],
        };
        let mut world = World::new(
            seed,
            |config| config.max_connections = 1,
            move |_, _| Script::new(respond).into(),
        );
        world.submit(N);
        let stats = world.finish();
        assert_eq!((stats.accepted, world.log.duplicates()), (N, 0), "{stats:?}");
    }
}

/// As Apple's servers do: one stream until the first push is taken, and again one after each refusal.
#[test]
fn row_37_stream_limit_as_apple_moves_it() {
    for seed in seeds(SEEDS) {
        let mut limit = 1;
        let respond = move |seen: &Seen, _: &mut Rng| {
            let bad = seen.number().unwrap_or(0) % 100 == 99;
            let wanted = if bad { 1 } else { 1000 };
            let mut acts = Vec::new();
            if std::mem::replace(&mut limit, wanted) != wanted {
                acts.push(streams(wanted));
            }
            acts.push(if bad {
                Act::Answer(Answer::refusal(400, "BadDeviceToken"))
            } else {
                ok()
            });
            acts
        };
        let mut script = Some(Script::new(respond).streams(1));
        let mut world = World::new(
            seed,
            |config| config.max_connections = 1,
            move |_, _| script.take().map_or(Dial::BlackHole, Dial::from),
        );
        world.submit(N);
        let stats = world.finish();
        assert_eq!(
            (stats.accepted, stats.token_gone),
            (N - N / 100, N / 100),
            "{stats:?}"
        );
    }
}

#[test]
fn row_38_no_streams_at_all() {
    for seed in seeds(SEEDS) {
        let none = || Script::accepting().streams(0).at(seconds(5), [Act::Ping([3; 8])]);
        let mut world = world(seed, move |_, _| none().into());
        world.submit(N);
        let stats = world.finish();
        assert_eq!((stats.expired, stats.unknown), (N, 0), "{stats:?}");
        assert!(world.log.acknowledgements() > 0);
        assert_eq!(world.log.requests(), 0);
    }
}

/// No window at first; then it opens an octet at a time.
#[test]
fn row_39_windows_of_one_octet() {
    for seed in seeds(SEEDS) {
        let drops = || {
            let mut script = Script::accepting().greeting([Act::Settings(vec![
                (setting::MAX_CONCURRENT_STREAMS, 10),
                (setting::INITIAL_WINDOW_SIZE, 0),
            ])]);
            script.replenish = false;
            script.on_headers = Some(Box::new(|_, _| {
                let drop = [
                    Act::Wait(millis(2)),
                    Act::StreamWindow(1),
                    Act::ConnectionWindow(1),
                ];
                (0..200).flat_map(|_| drop.clone()).collect()
            }));
            script
        };
        let mut world = world(seed, move |_, _| drops().into());
        world.submit(40);
        let stats = world.finish();
        assert_eq!((stats.accepted, stats.unknown), (40, 0), "{stats:?}");
    }
}

/// INITIAL_WINDOW_SIZE shrinks under bodies that have begun: windows become negative, then open again.
#[test]
fn row_39_negative_windows() {
    for seed in seeds(SEEDS) {
        let shrinking = || {
            let mut script = Script::accepting().greeting([Act::Settings(vec![
                (setting::MAX_CONCURRENT_STREAMS, 100),
                (setting::INITIAL_WINDOW_SIZE, 60),
            ])]);
            script.replenish = false;
            let window = |size| Act::Settings(vec![(setting::INITIAL_WINDOW_SIZE, size)]);
            script.on_headers = Some(Box::new(move |seen, _| match seen.nth {
                1 => vec![
                    Act::Wait(millis(100)),
                    window(10),
                    Act::Wait(millis(500)),
                    window(50),
                    Act::Wait(millis(500)),
                    window(65_535),
                ],
                _ => Vec::new(),
            }));
            script
        };
        let mut world = World::new(
            seed,
            |config| config.max_connections = 1,
            move |_, _| shrinking().into(),
        );
        world.submit(100);
        let stats = world.finish();
        assert_eq!((stats.accepted, stats.unknown), (100, 0), "{stats:?}");
    }
}

/// The window never opens: the message waits to its time, then RST_STREAM(CANCEL), and nobody
/// pretends that its HEADERS were not sent.
#[test]
fn row_39_window_that_never_opens() {
    for seed in seeds(SEEDS) {
        let shut = || {
            let mut script = Script::accepting();
            script.greeting = vec![Act::Settings(vec![
                (setting::MAX_CONCURRENT_STREAMS, 10),
                (setting::INITIAL_WINDOW_SIZE, 50),
            ])];
            script.replenish = false;
            script
        };
        let mut world = World::new(
            seed,
            |config| config.max_connections = 1,
            move |_, _| shut().into(),
        );
        let start = world.now().monotonic;
        world.submit(30);
        world.run();
        let ended = world.now().monotonic;
        let stats = world.finish();
        // Ten for 30 s; the connection is retired, and ten go out over another one, for the 30 s that
        // are left. The last ten never had a stream.
        assert_eq!((stats.unknown, stats.expired), (20, 10), "{stats:?}");
        assert_eq!(world.log.resets(), [code::CANCEL; 20]);
        assert_eq!(world.dials().len(), 2);
        assert!(ended - start <= seconds(60), "{:?}", ended - start);
    }
}

#[test]
fn row_40_window_and_settings_floods() {
    for (what, acts, expected) in [
        (
            "overflow",
            vec![Act::Raw(frame::window_update(0, MAX_31))],
            code::FLOW_CONTROL_ERROR,
        ),
        (
            "nothing",
            vec![Act::Raw(frame::window_update(0, 0))],
            code::PROTOCOL_ERROR,
        ),
        (
            "settings",
            vec![Act::Settings(Vec::new()); 100_000],
            code::ENHANCE_YOUR_CALM,
        ),
    ] {
        for seed in seeds(SEEDS) {
            let acts = acts.clone();
            let mut world = world(seed, first_then_good(move || after_holding(20, acts.clone())));
            world.lenient();
            world.read_at_most *= 100;
            world.submit(N / 10);
            let stats = world.finish();
            assert_eq!(
                (stats.unknown, stats.accepted),
                (20, N / 10 - 20),
                "{what}: {stats:?}"
            );
            assert_eq!(world.log.goaways().first(), Some(&expected), "{what}");
        }
    }
    for seed in seeds(SEEDS) {
        let never = || {
            let mut script = after_holding(20, Vec::new());
            script.acknowledge = false;
            script
        };
        let mut world = World::new(seed, |config| config.max_connections = 1, first_then_good(never));
        world.submit(N / 10);
        let stats = world.finish();
        assert_eq!((stats.unknown, stats.accepted), (20, N / 10 - 20), "{stats:?}");
        assert_eq!(world.log.goaways().first(), Some(&code::SETTINGS_TIMEOUT));
    }
}

/// Overflow and zero on one stream end that stream alone.
#[test]
fn row_40_window_faults_of_one_stream() {
    for seed in seeds(SEEDS) {
        for raw in [
            |id| frame::window_update(id, MAX_31),
            |id| frame::window_update(id, 0),
        ] {
            let raw: fn(u32) -> Vec<u8> = raw;
            let respond = move |seen: &Seen, _: &mut Rng| match seen.nth {
                5 => vec![Act::Process, Act::RawFor(raw)],
                _ => vec![Act::Wait(millis(20)), ok()],
            };
            let mut world = World::new(
                seed,
                |config| config.max_connections = 1,
                move |_, _| Script::new(respond).into(),
            );
            world.submit(100);
            let stats = world.finish();
            // On a closed stream (the request is complete) it may be ignored: then the time runs out.
            assert_eq!((stats.unknown, stats.accepted), (1, 99), "{stats:?}");
        }
    }
}

/// An octet of response a second: the deadline is the request's, not the read's.
#[test]
fn row_41_slow_loris() {
    for seed in seeds(SEEDS) {
        let slow = |_: &Seen, _: &mut Rng| {
            let mut bytes = frame::headers(1, false, &[0x88]);
            bytes.extend(frame::data(1, true, &[b' '; 200]));
            vec![Act::Process, Act::Trickle(bytes, seconds(1))]
        };
        let mut world = World::new(
            seed,
            |config| config.max_connections = 1,
            first_then_good(move || Script::new(slow).streams(1)),
        );
        let start = world.now().monotonic;
        world.submit(1);
        world.run();
        let took = world.now().monotonic - start;
        assert!((seconds(30)..seconds(31)).contains(&took), "{took:?}");
        let stats = world.finish();
        assert_eq!(stats.unknown, 1, "{stats:?}");
    }
}
