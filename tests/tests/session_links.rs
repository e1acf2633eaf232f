//! Connections that end, fall asleep or are gone for a moment: nothing is lost, nothing is in doubt, and
//! the order of submission is kept.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use pushcore::ErrorKind;
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

fn leave(last: Last) -> [Act; 2] {
    [Act::GoAway(last, code::NO_ERROR, Vec::new()), Act::Close]
}

/// The messages that were answered, in the order in which they were.
type Answered = Arc<Mutex<Vec<usize>>>;

/// Answers `count` requests, and leaves in an orderly way.
fn answering(count: u32, answered: &Answered) -> Script {
    let answered = Arc::clone(answered);
    Script::new(move |seen: &Seen, _: &mut Rng| {
        if seen.nth > count {
            return Vec::new();
        }
        answered.lock().expect("a lock").extend(seen.number());
        let mut acts = vec![ok()];
        if seen.nth == count {
            acts.extend(leave(Last::Seen));
        }
        acts
    })
}

/// A server that is restarted, or that limits the requests of a connection (nginx: `keepalive_requests`),
/// disowns most of a burst again and again. While it answers at all, that costs no message anything.
#[test]
fn graceful_goaways_cost_no_attempt_while_the_server_answers() {
    for (count, messages) in [(50, 1000), (10, 500), (1, 100)] {
        for seed in seeds(SEEDS) {
            let answered = Answered::default();
            let mut world = World::new(seed, |_| {}, move |_, _| answering(count, &answered).into());
            world.submit(messages);
            let stats = world.finish();
            assert_eq!(
                (stats.accepted, stats.not_sent, stats.expired),
                (messages, 0, 0),
                "{count} a connection: {stats:?}"
            );
        }
    }
}

/// A server that turns everybody away is asked ever more rarely, and until the deadline.
#[test]
fn a_server_that_accepts_nothing_is_not_hammered() {
    for seed in seeds(SEEDS) {
        let mut world = World::new(
            seed,
            |config| config.max_connections = 1,
            |_, _| Script::new(|_, _| leave(Last::Id(0)).to_vec()).into(),
        );
        world.submit(20);
        let stats = world.finish();
        assert_eq!(stats.expired, 20, "{stats:?}");
        // 1, 2, 4, 8, 16 and 32 seconds between them, spread by a fifth.
        let dials = world.dials().len();
        assert!((5..=8).contains(&dials), "{dials} connections in a minute");
    }
}

/// One request a connection, and an answer only after seconds: the connections that owe one are bounded.
#[test]
fn slow_answers_on_many_leaving_connections_are_bounded() {
    for seed in seeds(SEEDS) {
        let respond = |seen: &Seen, _: &mut Rng| match seen.nth {
            1 => vec![
                Act::GoAway(Last::Seen, code::NO_ERROR, Vec::new()),
                Act::Wait(seconds(5)),
                ok(),
                Act::Close,
            ],
            _ => Vec::new(),
        };
        // The budget of dials would bound them as well.
        let mut world = World::new(
            seed,
            |config| config.dials_per_minute = 10_000,
            move |_, _| Script::new(respond).streams(2).into(),
        );
        world.submit(100);
        let mut most = 0;
        world.run_for(seconds(1));
        while world.stats().ended() < 100 {
            world.run_for(millis(500));
            most = most.max(world.session.links().count());
        }
        // 33 that owe an answer, and beside them no more than are planned at a time.
        assert!((8..=65).contains(&most), "{most} connections");
        assert_eq!(world.finish().accepted, 100);
    }
}

/// Refused streams while others are answered: no attempt is lost.
#[test]
fn refused_streams_cost_no_attempt_while_others_are_answered() {
    for seed in seeds(SEEDS) {
        let respond = |seen: &Seen, _: &mut Rng| match seen.nth % 4 {
            0 => vec![ok()],
            _ => vec![Act::Reset(code::REFUSED_STREAM)],
        };
        let mut world = World::new(
            seed,
            |config| config.max_connections = 1,
            move |_, _| Script::new(respond).into(),
        );
        world.submit(200);
        let stats = world.finish();
        assert_eq!(stats.accepted, 200, "{stats:?}");
    }
}

/// Twenty updates of one message: the last one is what the device is to show.
#[test]
fn what_a_goaway_disowns_goes_out_in_the_order_of_submission() {
    for disowned_at in [1, 7, 20] {
        for seed in seeds(SEEDS) {
            let answered = Answered::default();
            let second = Arc::clone(&answered);
            let mut world = World::new(
                seed,
                |config| config.max_connections = 1,
                move |nth, _| match nth {
                    1 => Script::new(move |seen: &Seen, _: &mut Rng| match seen.nth {
                        nth if nth == disowned_at => leave(Last::Id(0)).to_vec(),
                        _ => Vec::new(),
                    })
                    .into(),
                    _ => answering(1000, &second).into(),
                },
            );
            world.submit(40);
            assert_eq!(world.finish().accepted, 40);
            let expected: Vec<_> = (0..40).collect();
            assert_eq!(
                *answered.lock().expect("a lock"),
                expected,
                "GOAWAY at {disowned_at}"
            );
        }
    }
}

/// The same over several connections that end one after the other.
#[test]
fn order_survives_many_goaways() {
    for seed in seeds(SEEDS) {
        let answered = Answered::default();
        let log = Arc::clone(&answered);
        let mut world = World::new(
            seed,
            |config| config.max_connections = 1,
            move |_, _| answering(7, &log).into(),
        );
        world.submit(100);
        assert_eq!(world.finish().accepted, 100);
        let expected: Vec<_> = (0..100).collect();
        assert_eq!(*answered.lock().expect("a lock"), expected);
    }
}

/// What rested because its stream was refused goes before what has waited for less.
#[test]
fn what_has_rested_goes_to_its_place() {
    for seed in seeds(SEEDS) {
        let answered = Answered::default();
        let log = Arc::clone(&answered);
        let mut world = World::new(
            seed,
            |config| config.max_connections = 1,
            move |_, _| {
                let log = Arc::clone(&log);
                let respond = move |seen: &Seen, _: &mut Rng| match seen.nth {
                    // Four are refused twice, and rest: as many as a key may have on the way before its first answer.
                    1..=8 => vec![Act::Reset(code::REFUSED_STREAM)],
                    _ => {
                        log.lock().expect("a lock").extend(seen.number());
                        vec![Act::Wait(seconds(1)), ok()]
                    }
                };
                Script::new(respond).streams(4).into()
            },
        );
        world.submit(4);
        world.run_for(seconds(1));
        world.submit(20);
        assert_eq!(world.finish().accepted, 24);
        let answered = answered.lock().expect("a lock").clone();
        assert_eq!(answered, (0..24).collect::<Vec<_>>());
    }
}

/// What the network does to a connection that was idle for half a minute.
#[derive(Clone, Copy, Debug)]
enum Forgotten {
    /// It answers whatever comes with RST.
    Reset,
    /// It drops whatever comes.
    Silence,
}

/// A flow that the network forgets when it is idle; the second connection is another flow.
fn forgetful(nth: u32, how: Forgotten) -> Script {
    if nth > 1 {
        return Script::accepting();
    }
    match how {
        Forgotten::Silence => Script::accepting().at(seconds(30), [Act::Silence]),
        Forgotten::Reset => {
            let respond = |seen: &Seen, _: &mut Rng| match seen.nth {
                1 => vec![ok()],
                _ => vec![Act::Abort],
            };
            let mut script = Script::new(respond);
            script.on_ping = Some(Box::new(|since, _| match since > seconds(30) {
                true => vec![Act::Abort],
                false => Vec::new(),
            }));
            script
        }
    }
}

/// After a pause the connection is asked before anything is entrusted to it: one push or a hundred move to a
/// new connection, and none is in doubt.
#[test]
fn a_forgotten_flow_costs_a_round_trip_and_no_push() {
    for how in [Forgotten::Reset, Forgotten::Silence] {
        for burst in [1, 100] {
            for seed in seeds(SEEDS) {
                let mut world = World::new(
                    seed,
                    |config| config.max_connections = 1,
                    move |nth, _| forgetful(nth, how).into(),
                );
                world.submit(1);
                world.run();
                world.run_for(seconds(600));
                let start = world.now().monotonic;
                world.submit(burst);
                world.run();
                let took = world.now().monotonic - start;
                let stats = world.stats();
                assert_eq!(
                    (stats.accepted, stats.unknown),
                    (burst + 1, 0),
                    "{how:?} {burst}: {stats:?}"
                );
                // One round trip to hear of it, one to connect, one for SETTINGS, one for the push; and where
                // nothing is heard, the time that is left for an answer. Small pieces take a little longer.
                let bound = match how {
                    Forgotten::Reset => world.latency * 8 + millis(50),
                    Forgotten::Silence => world.latency * 8 + millis(550),
                };
                assert!(
                    took <= bound,
                    "{how:?} {burst}: {took:?}, latency {:?}",
                    world.latency
                );
                world.finish();
            }
        }
    }
}

/// A connection that is alive after a pause costs one round trip, once; a warm one costs nothing.
#[test]
fn a_warm_connection_is_not_asked() {
    for seed in seeds(SEEDS) {
        let mut world = World::new(seed, |_| {}, |_, _| Script::accepting().into());
        let push = |world: &mut World| {
            let start = world.now().monotonic;
            world.submit(1);
            world.run();
            world.now().monotonic - start
        };
        push(&mut world);
        let mut warm = Duration::ZERO;
        for _ in 0..20 {
            world.run_for(seconds(50));
            warm = push(&mut world);
        }
        assert_eq!(world.log.pings(), 0);
        world.run_for(seconds(1000));
        let cold = push(&mut world);
        assert_eq!((world.log.pings(), world.dials().len()), (1, 1));
        let more = cold.saturating_sub(warm);
        assert!(
            more <= world.latency * 2 + millis(5),
            "{more:?} for a round trip of {:?}",
            world.latency * 2
        );
        assert_eq!(world.finish().accepted, 22);
    }
}

/// An answer to the PING that comes late, but comes: the connection goes on, and no second one is needed later.
#[test]
fn a_slow_answer_to_the_ping_is_an_answer() {
    for seed in seeds(SEEDS) {
        let mut world = World::new(
            seed,
            |_| {},
            |_, _| {
                Script::accepting()
                    .pings(pushcore_tests::sim::Pings::Late(seconds(3)))
                    .into()
            },
        );
        world.submit(1);
        world.run();
        world.run_for(seconds(600));
        let start = world.now().monotonic;
        world.submit(1);
        world.run();
        let took = world.now().monotonic - start;
        assert!(took < millis(1000), "{took:?}");
        let stats = world.finish();
        assert_eq!((stats.accepted, world.dials().len()), (2, 2), "{stats:?}");
    }
}

/// Without any habit of asking while requests are in flight a silent connection is given up all the same.
#[test]
fn a_connection_that_does_not_answer_is_given_up() {
    for seed in seeds(SEEDS) {
        let mut world = World::new(
            seed,
            |config| config.http2.get_or_insert_default().ping = None,
            move |nth, _| forgetful(nth, Forgotten::Silence).into(),
        );
        world.submit(1);
        world.run();
        world.run_for(seconds(600));
        world.submit(1);
        world.run_for(seconds(30));
        assert_eq!(world.stats().accepted, 2);
        assert_eq!(world.session.links().count(), 1);
        world.finish();
    }
}

/// A server that restarts refuses one or two connections: that costs tens of milliseconds, not a second; and
/// one that stays away is not hammered.
#[test]
fn a_gap_of_a_server_that_has_worked_is_short() {
    for (refusals, at_most) in [(1, 15), (2, 40), (3, 90), (10, 16_000)] {
        for seed in seeds(SEEDS) {
            let answered = Answered::default();
            let mut world = World::new(
                seed,
                |config| config.max_connections = 1,
                move |nth, _| match nth {
                    2.. if nth < 2 + refusals => Dial::Fails(ErrorKind::ConnectRefused),
                    _ => answering(1, &answered).into(),
                },
            );
            world.submit(1);
            world.run();
            world.run_for(seconds(1));
            let start = world.now().monotonic;
            world.submit(1);
            world.run();
            let took = world.now().monotonic - start;
            // Each refusal takes one way, a connection and its answer six.
            let least = world.latency * (refusals + 8);
            assert!(took <= least + millis(at_most), "{refusals}: {took:?}");
            assert_eq!(world.finish().accepted, 2);
        }
    }
}
