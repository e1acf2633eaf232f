//! When a session dials, gives up dialling, and what the end of a connection means: one rule at a time, on
//! a clock that jumps.

use std::time::Duration;

use pushcore::ErrorKind;
use pushcore::session::{DialReason, LetGoReason, SessionEvent};
use pushcore_tests::sim::frame::code;
use pushcore_tests::sim::{Act, Answer, Dial, Last, Rng, Script, Seen, World, seeds};

/// Each cuts the bytes in another way.
const SEEDS: u64 = 3;

const fn seconds(count: u64) -> Duration {
    Duration::from_secs(count)
}

const fn millis(count: u64) -> Duration {
    Duration::from_millis(count)
}

fn ok() -> Act {
    Act::Answer(Answer::ok())
}

/// Answers once, and leaves.
fn once() -> Script {
    Script::new(|_: &Seen, _: &mut Rng| vec![ok(), Act::Close])
}

fn ends(world: &World) -> Vec<Option<ErrorKind>> {
    let ended = world.events().iter().filter_map(|event| match event {
        SessionEvent::Disconnected { error, .. } => Some(*error),
        _ => None,
    });
    ended.collect()
}

/// Nothing comes back at all: as long as was said, and no longer.
#[test]
fn dialling_is_given_up_after_its_time() {
    for seed in seeds(SEEDS) {
        let mut world = World::new(
            seed,
            |config| config.connect_timeout = seconds(3),
            |nth, _| match nth {
                1 => Dial::BlackHole,
                _ => Script::accepting().into(),
            },
        );
        world.submit(1);
        world.run();
        assert_eq!(ends(&world), [Some(ErrorKind::ConnectTimeout)]);
        let dials = world.dials();
        let waited = dials[1] - dials[0];
        // And then a step of the back-off: a second, spread by a fifth.
        assert!((millis(3790)..millis(4210)).contains(&waited), "{waited:?}");
        assert_eq!(world.finish().accepted, 1);
    }
}

/// The server takes the connection and says nothing: the same.
#[test]
fn a_server_without_settings_is_given_up_after_the_same_time() {
    for seed in seeds(SEEDS) {
        let mut world = World::new(
            seed,
            |config| config.connect_timeout = seconds(3),
            |nth, _| match nth {
                1 => {
                    let mut mute = Script::accepting().greeting([]);
                    mute.acknowledge = false;
                    mute.into()
                }
                _ => Script::accepting().into(),
            },
        );
        world.submit(1);
        world.run();
        assert_eq!(ends(&world), [Some(ErrorKind::ConnectTimeout)]);
        let dials = world.dials();
        assert!(dials[1] - dials[0] < millis(4210), "{dials:?}");
        assert_eq!(world.finish().accepted, 1);
    }
}

/// After an answer the back-off begins anew.
#[test]
fn an_answer_ends_the_backoff() {
    for seed in seeds(SEEDS) {
        let mut world = World::new(
            seed,
            |config| config.deadline = seconds(600),
            |nth, _| match nth {
                // Five steps: 1, 2, 4, 8, 16 seconds.
                2..=6 | 8 => Dial::Fails(ErrorKind::NameNotResolved),
                _ => once().into(),
            },
        );
        for _ in 0..3 {
            world.submit(1);
            world.run();
        }
        let dials = world.dials().to_vec();
        assert_eq!(dials.len(), 9, "{dials:?}");
        let (fifth, first) = (dials[6] - dials[5], dials[8] - dials[7]);
        assert!(fifth >= seconds(12), "{dials:?}");
        assert!((millis(800)..millis(1400)).contains(&first), "{dials:?}");
        assert_eq!(world.finish().accepted, 3);
    }
}

/// The service refuses the credentials with GOAWAY: those that it may have processed are in doubt, those
/// that wait hear why they are not sent.
#[test]
fn refused_credentials_do_not_undo_what_was_sent() {
    for seed in seeds(SEEDS) {
        let respond = |seen: &Seen, _: &mut Rng| match seen.nth {
            1..=9 => vec![Act::Process],
            10 => vec![
                Act::Process,
                Act::GoAway(
                    Last::Seen,
                    code::NO_ERROR,
                    br#"{"reason":"InvalidProviderToken"}"#.to_vec(),
                ),
                Act::Close,
            ],
            _ => Vec::new(),
        };
        let mut world = World::new(
            seed,
            |config| config.max_connections = 1,
            move |_, _| Script::new(respond).streams(10).into(),
        );
        world.submit(100);
        let stats = world.finish();
        assert_eq!((stats.unknown, stats.not_sent), (10, 90), "{stats:?}");
        let told = world
            .results()
            .iter()
            .filter_map(|(_, result)| result.as_ref().err())
            .filter(|error| error.kind() == ErrorKind::NotSent)
            .all(|error| error.cause().map(pushcore::Error::kind) == Some(ErrorKind::InvalidCredential));
        assert!(told, "each hears why");
    }
}

/// Deadlines that leave hardly any time say nothing about a connection; full ones do, three in a row.
#[test]
fn short_deadlines_cost_no_connection() {
    for seed in seeds(SEEDS) {
        let respond = |_: &Seen, _: &mut Rng| vec![Act::Wait(seconds(1)), ok()];
        let mut world = World::new(
            seed,
            |config| config.max_connections = 1,
            move |_, _| Script::new(respond).into(),
        );
        world.set_deadline(millis(700));
        for _ in 0..10 {
            world.submit(1);
            world.run();
        }
        let stats = world.stats();
        assert_eq!(stats.unknown, 10, "{stats:?}");
        world.set_deadline(seconds(60));
        world.submit(1);
        let stats = world.finish();
        assert_eq!((stats.accepted, world.dials().len()), (1, 1), "{stats:?}");
    }
}

/// Two time-outs, an answer, and two more: no three in a row.
#[test]
fn an_answer_between_time_outs_counts() {
    for seed in seeds(SEEDS) {
        let respond = |seen: &Seen, _: &mut Rng| match seen.nth % 3 {
            0 => vec![ok()],
            _ => Vec::new(),
        };
        let mut world = World::new(
            seed,
            |config| {
                config.max_connections = 1;
                config.response_timeout = seconds(5);
            },
            move |_, _| Script::new(respond).into(),
        );
        for _ in 0..12 {
            world.submit(1);
            world.run();
        }
        let wedged = |event: &&SessionEvent| matches!(event, SessionEvent::Wedged { .. });
        assert_eq!(world.events().iter().filter(wedged).count(), 0);
        let stats = world.finish();
        assert_eq!((stats.accepted, stats.unknown), (4, 8), "{stats:?}");
        assert_eq!(world.dials().len(), 1);
        assert!(
            world
                .results()
                .iter()
                .filter_map(|(_, result)| result.as_ref().err())
                .all(|error| error.kind() == ErrorKind::Unknown)
        );
    }
}

/// The rule of `docs/connections.md` at 40 ms and 100 streams: one connection, then four, sixteen and thirty-two, each time as soon as
/// the ones before have answered; when there is nothing to do for a minute, one is left.
#[test]
fn connections_are_planned_and_let_go() {
    let mut world = World::new(3, |_| {}, |_, _| Script::accepting().into());
    world.latency = millis(20);
    let begun = world.now().monotonic;
    world.submit(40_000);
    world.run();
    let mut rounds: Vec<(Duration, usize)> = Vec::new();
    for at in world.dials() {
        let after = *at - begun;
        match rounds.last_mut() {
            Some((last, count)) if after - *last < millis(20) => *count += 1,
            _ => rounds.push((after, 1)),
        }
    }
    let counts: Vec<usize> = rounds.iter().map(|(_, count)| *count).collect();
    assert_eq!(counts, [1, 3, 12, 16], "{rounds:?}");
    assert!(rounds[3].0 < millis(700), "{rounds:?}");
    let reasons = |wanted: DialReason| {
        let told = |event: &&SessionEvent| matches!(event, SessionEvent::Dialling { reason, .. } if *reason == wanted);
        world.events().iter().filter(told).count()
    };
    assert_eq!((reasons(DialReason::First), reasons(DialReason::Full)), (1, 31));
    let report = world.session.connections();
    assert!(
        report
            .iter()
            .all(|one| one.streams == 100 && one.round_trip.is_some_and(|time| time >= millis(40)))
    );
    world.run_for(seconds(70));
    let surplus = SessionEvent::LetGo {
        link: report[1].link,
        reason: LetGoReason::Surplus,
    };
    assert!(world.events().contains(&surplus));
    let left = world.session.connections();
    assert!(left.len() == 1 && !left[0].surplus, "{left:?}");
    // Apple asks to keep connections.
    world.run_for(seconds(3600));
    assert_eq!(world.session.connections().len(), 1);
    assert_eq!(world.finish().accepted, 40_000);
}

/// Round trips that grow tenfold, and a budget: no more dials than it allows, whatever waits.
#[test]
fn the_budget_of_a_minute_is_kept() {
    let mut world = World::new(
        3,
        |config| {
            config.dials_per_minute = 6;
            config.deadline = seconds(3600);
        },
        |_, _| Script::accepting().streams(10).into(),
    );
    world.latency = millis(20);
    world.submit(3000);
    world.run_for(seconds(2));
    world.latency = millis(200);
    world.submit(20_000);
    world.run_for(seconds(28));
    // The first, five more at once, and one every ten seconds.
    assert!((7..=9).contains(&world.dials().len()), "{:?}", world.dials());
    assert_eq!(world.finish().accepted, 23_000);
}
