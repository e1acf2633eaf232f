//! Rows 24 and 25: servers that say nothing, or nothing useful.

use pushcore::session::SessionEvent;
use pushcore_tests::sim::Pings;
use pushcore_tests::sim::frame::{self, code};

use super::*;

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
