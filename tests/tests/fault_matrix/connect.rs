//! Rows 1 to 5 and 14: the way to a connection.

use super::*;

/// Everybody hears that nothing was sent, and nobody hammers the host. The matrix lets messages wait
/// for their deadline here; a host that has never once been reached is told of after three attempts,
/// because a wrong name or port is no slow network.
fn never_connects(dial: fn() -> Dial, cause: ErrorKind) {
    for seed in seeds(SEEDS) {
        let mut world = world(seed, move |_, _| dial());
        world.submit(N);
        let stats = world.finish();
        assert_eq!((stats.not_sent, world.log.requests()), (N, 0), "{stats:?}");
        let causes = causes(&world);
        assert!(
            causes.len() as u64 == N && causes.iter().all(|kind| *kind == cause),
            "{causes:?}"
        );
        assert_eq!(world.dials().len(), 3);
    }
}

/// It worked once: then the wait doubles from 1 s, and messages wait until their deadline. Where nobody listens (`absent`),
/// there are short waits before: 10 ms to 640 ms.
fn stops_connecting(dial: fn() -> Dial, lost: Duration, absent: bool) {
    for seed in seeds(SEEDS) {
        let once = |_: &Seen, _: &mut Rng| vec![ok(), Act::Wait(seconds(1)), Act::Close];
        let mut world = world(seed, move |nth, _| {
            if nth == 1 {
                Script::new(once).into()
            } else {
                dial()
            }
        });
        world.submit(1);
        world.run_for(seconds(5));
        world.submit(N);
        let stats = world.finish();
        assert_eq!((stats.accepted, stats.expired, stats.unknown), (1, N, 0));
        let waits: Vec<_> = world
            .dials()
            .windows(2)
            .map(|pair| pair[1] - pair[0])
            .skip(1)
            .collect();
        for (attempt, wait) in waits.iter().enumerate() {
            let short = if absent { 7 } else { 0 };
            let expected = match attempt < short {
                true => millis(10 << attempt),
                false => seconds(1 << (attempt - short).min(6)).min(seconds(60)),
            };
            let (least, most) = (
                expected * 79 / 100 + lost,
                expected * 121 / 100 + lost + millis(200),
            );
            assert!(
                (least..=most).contains(wait),
                "wait {attempt} is {wait:?}: {waits:?}"
            );
        }
        assert!(waits.len() >= 2, "{waits:?}");
    }
}

/// It does not work at first.
fn connects_at_last(dial: fn() -> Dial) {
    for seed in seeds(SEEDS) {
        let mut world = world(seed, move |nth, _| {
            if nth <= 2 {
                dial()
            } else {
                Script::accepting().into()
            }
        });
        world.submit(N);
        let stats = world.finish();
        assert_eq!((stats.accepted, world.log.duplicates()), (N, 0), "{stats:?}");
        assert_eq!(stats.requeued, 0, "{stats:?}");
    }
}

fn every_way(dial: fn() -> Dial, cause: ErrorKind, lost: Duration) {
    never_connects(dial, cause);
    stops_connecting(dial, lost, cause == ErrorKind::ConnectRefused);
    connects_at_last(dial);
}

#[test]
fn row_01_connect_refused() {
    every_way(
        || Dial::Fails(ErrorKind::ConnectRefused),
        ErrorKind::ConnectRefused,
        Duration::ZERO,
    );
}

#[test]
fn row_02_black_hole() {
    every_way(|| Dial::BlackHole, ErrorKind::ConnectTimeout, seconds(10));
}

#[test]
fn row_03_name_does_not_resolve() {
    every_way(
        || Dial::Fails(ErrorKind::NameNotResolved),
        ErrorKind::NameNotResolved,
        Duration::ZERO,
    );
}

/// Every new connection is an `Action::Connect` of its own, and that is where the driver
/// resolves; the old connection drains.
#[test]
fn row_04_address_changes_between_connections() {
    for seed in seeds(SEEDS) {
        let leaving = || {
            let respond = |seen: &Seen, _: &mut Rng| match seen.nth {
                300 => vec![ok(), Act::GoAway(pushcore_tests::sim::Last::Max, 0, Vec::new())],
                _ => vec![Act::Wait(millis(30)), ok()],
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
        assert_eq!((stats.accepted, world.log.duplicates()), (N, 0), "{stats:?}");
        assert_eq!((stats.unknown, world.dials().len()), (0, 2));
    }
}

/// The driver tries one address after the other; all that the session sees is a slow connect.
#[test]
fn row_05_first_of_several_addresses_is_dead() {
    for seed in seeds(SEEDS) {
        let mut world = world(seed, |_, _| Dial::Slowly(seconds(5), Script::accepting()));
        world.submit(N);
        let stats = world.finish();
        assert_eq!((stats.accepted, world.log.duplicates()), (N, 0), "{stats:?}");
    }
}
