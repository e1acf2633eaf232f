//! Networks as they are: servers that grant nothing for a while, windows that stay shut, round trips that grow, hosts that
//! are silent, descriptors that run out and come back, machines that sleep. Each with the figures that the rule of
//! `docs/connections.md` gives.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::rc::Rc;
use std::time::Duration;

use pushcore::net::Security;
use pushcore::session::{LetGoReason, SendOptions, Session, SessionConfig, SessionEvent};
use pushcore::{ErrorKind, Now};
use pushcore_tests::origins::{host, message, policy, service};
use pushcore_tests::sim::frame::setting;
use pushcore_tests::sim::{Act, Answer, Dial, Script, World};

const fn seconds(count: u64) -> Duration {
    Duration::from_secs(count)
}

const fn millis(count: u64) -> Duration {
    Duration::from_millis(count)
}

fn streams(count: u32) -> Act {
    Act::Settings(vec![(setting::MAX_CONCURRENT_STREAMS, count)])
}

/// When connections were asked for, since `begun`, and how many: what follows within 20 ms is one round.
fn rounds(world: &World, begun: Duration) -> Vec<(Duration, usize)> {
    let mut rounds: Vec<(Duration, usize)> = Vec::new();
    for at in world.dials() {
        let after = *at - begun;
        match rounds.last_mut() {
            Some((last, count)) if after - *last < millis(20) => *count += 1,
            _ => rounds.push((after, 1)),
        }
    }
    rounds
}

/// A world with a round trip of 40 ms.
fn apns(configure: impl FnOnce(&mut SessionConfig), network: impl FnMut(u32) -> Dial + 'static) -> World {
    let mut network = network;
    let mut world = World::new(3, configure, move |nth, _| network(nth));
    world.latency = millis(20);
    world
}

/// No stream for a second, one for two seconds, then a thousand, on each connection: while there is none, two connections ask;
/// then there are four for each one that has answered.
#[test]
fn no_stream_then_one_then_a_thousand() {
    let mut world = apns(
        |_| {},
        |_| {
            let script = Script::accepting().streams(0);
            script
                .at(seconds(1), [streams(1)])
                .at(seconds(3), [streams(1000)])
                .into()
        },
    );
    let begun = world.now().monotonic;
    world.submit(20_000);
    world.run_for(millis(999));
    let stats = world.stats();
    assert_eq!((stats.open, stats.accepted), (0, 0), "{stats:?}");
    assert_eq!(rounds(&world, begun), [(millis(0), 1), (millis(100), 1)]);
    world.run_for(seconds(2));
    // The first two may send after 1.04 and 1.14 s, the second round of two after 2.14 s, and so on.
    let counts: Vec<usize> = rounds(&world, begun)
        .into_iter()
        .map(|(_, count)| count)
        .collect();
    assert_eq!(counts, [1, 1, 2, 4, 8, 16]);
    // Two connections with a message each 40 ms from then on, and later eight.
    let stats = world.stats();
    assert!((195..=215).contains(&stats.accepted), "{stats:?}");
    world.run_for(seconds(2));
    assert_eq!(world.stats().accepted, 20_000, "{:?}", world.stats());
    assert_eq!(world.finish().accepted, 20_000);
    assert_eq!(world.dials().len(), 32);
}

/// The window of each connection is used up and stays so for a minute: what waits is sent afterwards. One request a connection was
/// under way with a part of its body, because some servers give nothing back before that.
#[test]
fn a_window_of_nothing_for_a_minute() {
    let mut world = apns(
        |config| {
            config.deadline = seconds(300);
            config.max_connections = 4;
        },
        |_| {
            let mut script = Script::accepting().at(seconds(60), [Act::ConnectionWindow(1 << 24)]);
            script.replenish = false;
            script.into()
        },
    );
    let begun = world.now().monotonic;
    world.submit(20_000);
    world.run_for(seconds(59));
    let stats = world.stats();
    // Bodies of 84 octets: 64, and twenty around them.
    assert_eq!(stats.accepted, 4 * (65_535 / 84), "{stats:?}");
    assert_eq!((stats.open, stats.unknown), (0, 4), "{stats:?}");
    assert_eq!(rounds(&world, begun), [(millis(0), 1), (millis(100), 3)]);
    let stats = world.finish();
    assert_eq!((stats.accepted, stats.unknown), (19_996, 4), "{stats:?}");
    assert!(world.now().monotonic - begun < seconds(63));
}

/// Streams have no window for a minute: one request a connection asks, and ends unanswered after 30 s; the others wait.
#[test]
fn streams_without_a_window_for_a_minute() {
    let mut world = apns(
        |config| config.deadline = seconds(300),
        |nth| {
            let size = |octets| Act::Settings(vec![(setting::INITIAL_WINDOW_SIZE, octets)]);
            let script = Script::accepting();
            match nth {
                1 | 2 => script
                    .greeting([streams(100), size(0)])
                    .at(seconds(60), [size(65_535)]),
                _ => script,
            }
            .into()
        },
    );
    let begun = world.now().monotonic;
    world.submit(3000);
    world.run_for(seconds(59));
    let stats = world.stats();
    // Two connections, and 30 s for each answer.
    assert_eq!(
        (stats.open, stats.unknown, stats.accepted),
        (2, 2, 0),
        "{stats:?}"
    );
    assert_eq!(world.dials().len(), 2, "{:?}", rounds(&world, begun));
    let stats = world.finish();
    // The second request of each ends a moment before the window opens.
    assert_eq!((stats.accepted, stats.unknown), (2996, 4), "{stats:?}");
    assert!(world.now().monotonic - begun < seconds(63));
}

/// A server that opens the window of each stream when it has seen its header section: slow, but everything arrives.
#[test]
fn a_server_that_opens_each_stream_by_itself() {
    let mut world = apns(
        |_| {},
        |_| {
            let size = Act::Settings(vec![(setting::INITIAL_WINDOW_SIZE, 0)]);
            let mut script = Script::accepting().greeting([streams(100), size]);
            script.on_headers = Some(Box::new(|_, _| vec![Act::StreamWindow(4096)]));
            script.into()
        },
    );
    world.submit(200);
    assert_eq!(world.finish().accepted, 200);
}

/// Ten times the round trip in the middle of a campaign: nothing is lost, no connection is given up, and what is measured follows.
#[test]
fn round_trips_that_grow_tenfold() {
    let mut world = apns(|_| {}, |_| Script::accepting().streams(500).into());
    world.submit(30_000);
    world.run_for(seconds(1));
    assert_eq!(world.stats().accepted, 30_000);
    let before = world.dials().len();
    // (500 + 2,000) / 500 at first; more while the queue is filled again and again.
    assert!((5..=32).contains(&before), "{before}");
    world.latency = millis(200);
    world.submit(60_000);
    world.run_for(seconds(5));
    assert_eq!(world.stats().accepted, 60_000 + 30_000, "{:?}", world.stats());
    assert!(world.dials().len() <= 32, "{:?}", world.dials());
    let report = world.session.connections();
    let measured = report.iter().filter_map(|one| one.round_trip);
    assert!(
        measured
            .clone()
            .all(|time| time > millis(300) && time <= millis(400)),
        "{report:?}"
    );
    let gone = |event: &SessionEvent| {
        matches!(
            event,
            SessionEvent::Disconnected { .. } | SessionEvent::Requeued { .. }
        )
    };
    assert!(!world.events().iter().any(gone));
    assert_eq!(world.finish().accepted, 90_000);
}

/// A machine that sleeps for ten minutes in the middle of a campaign: what was under way is unknown, what waited is expired, each
/// once; what comes afterwards goes over the old connections, which are asked first, and those that owed three answers or more are
/// replaced.
#[test]
fn a_machine_that_sleeps() {
    let mut world = apns(|_| {}, |_| Script::accepting().into());
    world.submit(5000);
    world.run_for(millis(300));
    let awake = world.stats();
    assert!(awake.open > 1000 && awake.queued > 500, "{awake:?}");
    let dials = world.dials().len();
    world.sleep(seconds(600));
    let stats = world.stats();
    assert_eq!(
        (stats.unknown, stats.expired),
        (awake.open, awake.queued),
        "{stats:?}"
    );
    assert_eq!((stats.accepted, stats.open + stats.queued), (awake.accepted, 0));
    world.submit(500);
    let pings = world.log.pings();
    world.run();
    assert!(world.log.pings() > pings, "no connection was asked");
    assert_eq!(
        world.stats().accepted,
        awake.accepted + 500,
        "{:?}",
        world.stats()
    );
    assert!(world.dials().len() <= dials + 16, "{:?}", world.dials());
    world.finish();
}

/// The same with time left: nothing is lost.
#[test]
fn a_machine_that_sleeps_within_its_deadlines() {
    let mut world = apns(
        |config| {
            config.deadline = seconds(3600);
            config.response_timeout = seconds(3600);
        },
        |_| Script::accepting().into(),
    );
    world.submit(5000);
    world.run_for(millis(300));
    assert!(world.stats().open > 1000);
    world.sleep(seconds(600));
    assert_eq!(world.finish().accepted, 5000);
}

/// A world with many push services, where message `number` goes to host `to(number)`; with the number of connections to each.
fn many(
    hosts: usize,
    configure: impl FnOnce(&mut SessionConfig),
    to: impl Fn(usize) -> usize + 'static,
    mut network: impl FnMut(usize) -> Dial + 'static,
) -> (World, Rc<Cell<Vec<usize>>>) {
    let policy = policy(hosts, 443);
    let shared = policy.clone();
    let numbers: BTreeMap<String, usize> = (0..hosts).map(|number| (host(number, 443), number)).collect();
    let dials = Rc::new(Cell::new(vec![0; hosts]));
    let counted = dials.clone();
    let mut world = World::of(
        3,
        configure,
        move |config: SessionConfig, now: Now| {
            Session::new(service(shared.clone()), Security::Cleartext, config, now).expect("a session")
        },
        move |number| message(&policy, &host(to(number), 443), number).into(),
        move |_, authority, _| {
            let name = format!("{}:443", authority.host());
            let number = numbers.get(&name).copied().expect("a host of the test");
            let mut counts = counted.take();
            counts[number] += 1;
            counted.set(counts);
            network(number)
        },
    );
    world.latency = millis(20);
    (world, dials)
}

fn taken() -> Script {
    Script::new(|_, _| vec![Act::Answer(Answer::status(201))])
}

/// Twenty thousand subscriptions, or as many as `SUBSCRIPTIONS` says, of which one host has half: it has as many connections as the
/// plan gives it, each of the others has one.
#[test]
fn one_host_has_half_of_the_subscriptions() {
    let count = std::env::var("SUBSCRIPTIONS").map_or(20_000, |text| text.parse().expect("a number"));
    let hosts = 501;
    let to = move |number: usize| match number % 2 {
        0 => 0,
        _ => 1 + number / 2 % (hosts - 1),
    };
    let (mut world, dials) = many(hosts, |_| {}, to, |_| taken().into());
    world.forget_results();
    world.send_as_bulk(SendOptions::default());
    let begun = world.now().monotonic;
    world.submit(count);
    let stats = world.finish();
    assert_eq!(stats.accepted, count, "{stats:?}");
    let counts = dials.take();
    assert!((4..=32).contains(&counts[0]), "{}", counts[0]);
    assert!(counts[1..].iter().all(|count| *count == 1), "{counts:?}");
    // Half of them for one host, 2,500 a second on each connection, and the time until there are so many.
    let took = world.now().monotonic - begun;
    assert!(took < seconds(2) + seconds(count) / 30_000, "{took:?}");
}

/// No descriptor is left beside twenty connections for ten seconds: what is there goes on, one more is tried in a second, and
/// everything goes out when there are some again.
#[test]
fn descriptors_that_run_out_and_come_back() {
    let (hosts, each) = (60, 5);
    let missing = Rc::new(Cell::new(true));
    let (seen, asked) = (missing.clone(), Cell::new(0));
    let (mut world, dials) = many(
        hosts,
        |_| {},
        move |number| number % hosts,
        move |_| {
            asked.set(asked.get() + 1);
            match seen.get() && asked.get() > 20 {
                true => Dial::Fails(ErrorKind::OutOfDescriptors),
                false => taken().into(),
            }
        },
    );
    world.submit((hosts * each) as u64);
    world.run_for(seconds(10));
    let stats = world.stats();
    assert_eq!((stats.accepted, stats.queued), (100, 200), "{stats:?}");
    let tried = world.dials().len();
    assert!(tried <= 60 + 30, "{tried}");
    missing.set(false);
    let back = world.now().monotonic;
    world.run();
    let took = world.now().monotonic - back;
    assert!(took < seconds(5), "{took:?}");
    let stats = world.finish();
    assert_eq!(stats.accepted, 300, "{stats:?}");
    drop(dials);
}

/// Four hosts that are never without messages, room for four, and eight others: a host that has had its turn of five seconds gives
/// its place, and has it again afterwards.
#[test]
fn busy_hosts_do_not_starve_the_others() {
    let to = |number: usize| match number {
        0..6000 => number % 4,
        _ => 4 + number % 8,
    };
    let configure = |config: &mut SessionConfig| {
        config.max_hosts = 4;
        config.max_connections = 1;
        config.max_queued = 10_000;
        config.deadline = seconds(300);
    };
    let (mut world, dials) = many(12, configure, to, |_| taken().streams(1).into());
    let begun = world.now().monotonic;
    world.submit(6000);
    world.run_for(millis(200));
    world.submit(40);
    world.run_until(|world| {
        let others = world.results().iter().filter(|(number, _)| *number >= 6000);
        others.count() == 40
    });
    let took = world.now().monotonic - begun;
    assert!((seconds(5)..seconds(7)).contains(&took), "{took:?}");
    let stats = world.finish();
    assert_eq!(stats.accepted, 6040, "{stats:?}");
    // One connection for each of the others, and a second one for each of the busy ones.
    assert_eq!(dials.take(), [2, 2, 2, 2, 1, 1, 1, 1, 1, 1, 1, 1]);
    let told = |event: &&SessionEvent| {
        matches!(
            event,
            SessionEvent::LetGo {
                reason: LetGoReason::MadeRoom,
                ..
            }
        )
    };
    assert_eq!(world.events().iter().filter(told).count(), 12);
}

/// Twelve hosts that are never without messages, and room for four: all have their turns, and no more connections are made than
/// one for each turn of five seconds.
#[test]
fn busy_hosts_have_their_turns() {
    let configure = |config: &mut SessionConfig| {
        config.max_hosts = 4;
        config.max_connections = 1;
        config.max_queued = 20_000;
        config.deadline = seconds(900);
    };
    let (mut world, dials) = many(12, configure, |number| number % 12, |_| taken().streams(1).into());
    world.submit(12_000);
    world.run_for(seconds(60));
    let mut each = [0; 12];
    for (number, _) in world.results() {
        each[number % 12] += 1;
    }
    // A third of the time, 25 a second: 500, give or take a turn.
    assert!(each.iter().all(|count| (370..=640).contains(count)), "{each:?}");
    let counts = dials.take();
    let made: usize = counts.iter().sum();
    assert!(made <= 4 + 4 * 60 / 5, "{counts:?}");
    dials.set(counts);
    assert_eq!(world.finish().accepted, 12_000);
}

/// Twenty of forty hosts accept connections and stay silent, with room for ten: they hold their places for ten seconds each, and
/// keep nobody else from being sent to for longer.
#[test]
fn hosts_that_accept_and_stay_silent() {
    let (hosts, each) = (40, 3);
    let (mut world, dials) = many(
        hosts,
        |config| {
            config.max_hosts = 10;
            config.deadline = seconds(120);
        },
        move |number| number % hosts,
        |number| match number % 2 {
            0 => taken().greeting([Act::Silence]).into(),
            _ => taken().into(),
        },
    );
    let begun = world.now().monotonic;
    world.submit((hosts * each) as u64);
    world.run_until(|world| world.stats().accepted == 60);
    let took = world.now().monotonic - begun;
    assert!(took < seconds(12), "{took:?}");
    world.run();
    let stats = world.stats();
    assert_eq!((stats.accepted, stats.not_sent), (60, 60), "{stats:?}");
    // Three attempts of ten seconds for each, ten at a time, and the last step of the back-off.
    let took = world.now().monotonic - begun;
    assert!((seconds(60)..seconds(75)).contains(&took), "{took:?}");
    let counts = dials.take();
    assert!(counts.iter().step_by(2).all(|count| *count == 3), "{counts:?}");
    assert!(
        counts.iter().skip(1).step_by(2).all(|count| *count == 1),
        "{counts:?}"
    );
    let causes = world
        .results()
        .iter()
        .filter_map(|(_, result)| result.as_ref().err());
    let kinds = causes.map(|error| {
        let cause =
            std::error::Error::source(error).and_then(|cause| cause.downcast_ref::<pushcore::Error>());
        cause.map(pushcore::Error::kind)
    });
    assert!(
        kinds
            .into_iter()
            .all(|kind| kind == Some(ErrorKind::ConnectTimeout))
    );
    world.finish();
}
