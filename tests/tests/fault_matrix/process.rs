//! Row 52: the process ends, sleeps, or lets go.

use pushcore::net::Processed;
use pushcore::session::{Delivery, Stats};

use super::*;

/// Half are open, half wait; the owner lets go.
#[test]
fn row_52_the_owner_goes_away() {
    for seed in seeds(SEEDS) {
        let mut world = World::new(
            seed,
            |config| config.max_connections = 1,
            |_, _| after_holding(100, Vec::new()).into(),
        );
        world.submit(N);
        world.run_for(seconds(1));
        assert_eq!((world.stats().open, world.stats().queued), (100, N - 100));
        let unfinished: Vec<_> = world.session.unfinished().collect();
        let unknown = unfinished
            .iter()
            .filter(|(_, processed)| *processed == Processed::Unknown)
            .count();
        assert_eq!((unfinished.len() as u64, unknown), (N, 100));
        world.abandon();
        let stats = world.finish();
        assert_eq!((stats.unknown, stats.not_sent), (100, N - 100), "{stats:?}");
    }
}

/// Killed at a moment of the seed's choosing; a new process goes on with what the journal of the old one
/// calls not processed. Nothing is lost, nothing is there twice, and what may have been processed is
/// no more than what can be open.
#[test]
fn row_52_killed_at_any_moment() {
    for seed in seeds(SEEDS * 5) {
        let (mut world, before) = until_killed(seed, Delivery::AtMostOnce);
        let (not_processed, doubtful) = world.kill(false);
        assert_eq!(before.ended() + not_processed + doubtful, N, "{before:?}");
        assert!(doubtful <= 50, "{doubtful} is more than can be open");
        let stats = world.finish();
        assert_eq!(stats.accepted, not_processed, "{stats:?}");
        assert_eq!(world.log.duplicates(), 0);
        let processed = (0..N as usize)
            .filter(|number| world.log.processed(*number) == 1)
            .count();
        assert!(
            processed as u64 >= N - doubtful,
            "{processed}, {doubtful} in doubt"
        );
    }
}

/// At least once, the new process sends those in doubt as well: none is lost, and the copies are no
/// more than they, with the same ids.
#[test]
fn row_52_killed_and_sent_again() {
    for seed in seeds(SEEDS * 5) {
        let (mut world, before) = until_killed(seed, Delivery::AtLeastOnce);
        let (not_processed, doubtful) = world.kill(true);
        assert_eq!(before.ended() + not_processed + doubtful, N, "{before:?}");
        let stats = world.finish();
        assert_eq!(stats.accepted, not_processed + doubtful, "{stats:?}");
        assert!((0..N as usize).all(|number| world.log.processed(number) >= 1));
        assert!(
            world.log.duplicates() <= doubtful.min(50),
            "{}",
            world.log.duplicates()
        );
        assert_eq!(world.log.copies_with_other_ids(), 0);
    }
}

fn until_killed(seed: u64, delivery: Delivery) -> (World, Stats) {
    let slow = |_: &Seen, rng: &mut Rng| vec![Act::Process, Act::Wait(millis(rng.between(0, 80))), ok()];
    let mut world = World::new(
        seed,
        |config| {
            config.max_connections = 1;
            config.delivery = delivery;
        },
        move |_, _| Script::new(slow).streams(50).into(),
    );
    world.with_ids();
    world.submit(N);
    world.run_for(millis(Rng::new(seed).between(1, 1500)));
    let stats = world.stats();
    (world, stats)
}

/// The machine sleeps for an hour with streams open and messages waiting.
#[test]
fn row_52_clock_jumps_an_hour() {
    for seed in seeds(SEEDS) {
        let mut world = World::new(
            seed,
            |config| config.max_connections = 1,
            first_then_good(|| after_holding(100, vec![Act::Silence])),
        );
        world.submit(N);
        world.run_for(seconds(1));
        world.sleep(seconds(3600));
        let stats = world.stats();
        assert_eq!((stats.queued, stats.open), (0, 0), "{stats:?}");
        assert_eq!((stats.unknown, stats.expired), (100, N - 100), "{stats:?}");
        // The connection on which all those were not answered is not used any more.
        world.submit(N);
        let stats = world.finish();
        assert_eq!((stats.unknown, stats.accepted), (100, N), "{stats:?}");
        assert_eq!(world.dials().len(), 2);
    }
}

/// At least once: what may have been processed is sent again with the same id, and the copies are
/// no more than what was in doubt.
#[test]
fn row_52_at_least_once() {
    for seed in seeds(SEEDS) {
        let lost = || {
            let respond = |seen: &Seen, _: &mut Rng| match seen.nth {
                1..=30 => vec![Act::Process],
                50 => vec![Act::Abort],
                _ => Vec::new(),
            };
            Script::new(respond).streams(50)
        };
        let mut world = World::new(
            seed,
            |config| config.delivery = Delivery::AtLeastOnce,
            first_then_good(lost),
        );
        world.with_ids();
        world.submit(N);
        let stats = world.finish();
        assert_eq!((stats.accepted, stats.unknown), (N, 0), "{stats:?}");
        assert_eq!(
            (world.log.duplicates(), world.log.copies_with_other_ids()),
            (30, 0)
        );
        assert!(stats.requeued >= 50);
    }
}

/// At least once, no answer in time is as good as a lost connection: sent again, with the same id, while the
/// deadline is to come. At most once it is `Unknown`.
#[test]
fn row_52_at_least_once_after_a_time_out() {
    for seed in seeds(SEEDS) {
        for delivery in [Delivery::AtLeastOnce, Delivery::AtMostOnce] {
            let mute = || {
                Script::new(|seen, _| match seen.nth {
                    1..=10 => vec![Act::Process],
                    _ => vec![ok()],
                })
            };
            let mut world = World::new(
                seed,
                |config| {
                    config.delivery = delivery;
                    config.max_connections = 1;
                },
                first_then_good(mute),
            );
            world.with_ids();
            world.submit(N);
            let stats = world.finish();
            let doubt = if delivery == Delivery::AtMostOnce { 10 } else { 0 };
            assert_eq!((stats.unknown, stats.accepted), (doubt, N - doubt), "{stats:?}");
            assert_eq!(world.log.duplicates(), 10 - doubt);
            assert_eq!(world.log.copies_with_other_ids(), 0);
        }
    }
}

/// In doubt once, never again on a stream: that is `Unknown`, not `Expired` and not `NotSent`.
#[test]
fn row_52_doubt_is_not_forgotten() {
    for seed in seeds(SEEDS) {
        for refuse in [false, true] {
            let network = move |nth: u32, _: &mut Rng| match nth {
                1 => {
                    let respond = |seen: &Seen, _: &mut Rng| match seen.nth {
                        1..50 => vec![Act::Process],
                        _ => vec![Act::Process, Act::Abort],
                    };
                    Script::new(respond).streams(50).into()
                }
                _ if refuse => Script::new(|_, _| vec![Act::Reset(7)]).into(),
                _ => Dial::Fails(ErrorKind::ConnectRefused),
            };
            let mut world = World::new(seed, |config| config.delivery = Delivery::AtLeastOnce, network);
            world.with_ids();
            world.submit(60);
            let stats = world.finish();
            assert_eq!(
                (stats.unknown, stats.not_sent + stats.expired),
                (50, 10),
                "{stats:?}"
            );
        }
    }
}
