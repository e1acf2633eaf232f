//! One rule of the session at a time, over HTTP/2, on a clock that jumps: what leaving it out would cost.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use pushcore::net::h2::{Config, PingPolicy};
use pushcore::session::{Priority, SendOptions, SessionEvent};
use pushcore_tests::sim::frame::{code, setting};
use pushcore_tests::sim::{Act, Answer, Dial, Last, Rng, Script, Seen, World, fixture, seeds};

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

/// What was moved to another connection has its deadline again, not what was left of the time for an answer.
#[test]
fn a_second_attempt_waits_for_its_deadline() {
    for seed in seeds(SEEDS) {
        let mut world = World::new(
            seed,
            |config| {
                config.max_connections = 1;
                config.response_timeout = seconds(5);
            },
            |nth, _| match nth {
                1 => {
                    let bye = Act::GoAway(Last::Id(0), code::NO_ERROR, Vec::new());
                    let leave = vec![Act::Wait(seconds(4)), bye, Act::Close];
                    Script::new(move |_, _| leave.clone()).into()
                }
                _ => Dial::Slowly(seconds(8), Script::accepting()),
            },
        );
        world.submit(1);
        let stats = world.finish();
        assert_eq!((stats.accepted, stats.requeued), (1, 1), "{stats:?}");
    }
}

/// The patience that opens another connection is with those who wait, and begins when they do.
#[test]
fn who_comes_back_to_the_queue_begins_to_wait_then() {
    for seed in seeds(SEEDS) {
        let mut world = World::new(
            seed,
            |config| {
                config.max_connections = 2;
                config.queue_wait_before_dial = seconds(10);
                config.response_timeout = seconds(100);
                config.deadline = seconds(200);
            },
            |nth, _| {
                let respond = move |seen: &Seen, _: &mut Rng| match (nth, seen.nth) {
                    (1, 1) => vec![Act::Wait(seconds(60)), ok()],
                    (1, 2) => vec![
                        Act::Wait(seconds(15)),
                        Act::Settings(vec![(setting::MAX_CONCURRENT_STREAMS, 1)]),
                        Act::Reset(code::REFUSED_STREAM),
                    ],
                    _ => vec![ok()],
                };
                Script::new(respond).streams(2).into()
            },
        );
        world.submit(2);
        let stats = world.finish();
        assert_eq!((stats.accepted, stats.requeued), (2, 1), "{stats:?}");
        let dials = world.dials();
        assert_eq!(dials.len(), 2, "{dials:?}");
        let waited = dials[1] - dials[0] - seconds(15);
        assert!((seconds(10)..seconds(11)).contains(&waited), "{waited:?}");
    }
}

/// The rate is one of messages that go out. What the server's settings forbid does not.
#[test]
fn what_cannot_be_sent_costs_nothing_of_the_rate() {
    for seed in seeds(SEEDS) {
        let mut world = World::new(
            seed,
            |config| {
                config.rate = Some(1);
                config.deadline = seconds(600);
            },
            |_, _| {
                let small = vec![(6, 60), (setting::MAX_CONCURRENT_STREAMS, 100)];
                Script::accepting().greeting([Act::Settings(small)]).into()
            },
        );
        let start = world.now().monotonic;
        world.submit(20);
        let stats = world.finish();
        assert_eq!(stats.not_sent, 20, "{stats:?}");
        let took = world.now().monotonic - start;
        assert!(took < seconds(2), "{took:?}");
        assert_eq!(world.log.requests(), 0);
    }
}

/// A token is told of when it is made, not whenever it is used.
#[test]
fn a_token_is_told_of_once() {
    for seed in seeds(SEEDS) {
        let mut world = World::new(seed, |_| {}, |_, _| Script::accepting().into());
        for _ in 0..20 {
            world.submit(50);
            world.run();
            world.run_for(seconds(60));
        }
        let renewed = |event: &&SessionEvent| **event == SessionEvent::TokenRenewed;
        assert_eq!(world.events().iter().filter(renewed).count(), 1);
        assert_eq!(world.finish().accepted, 1000);
    }
}

/// Web Push may name many hosts, and the session remembers a few: never at the cost of a message that
/// rests because its host was busy.
#[test]
fn a_host_with_messages_at_rest_is_not_forgotten() {
    let hosts = [
        fixture::PUSH_HOSTS[0],
        fixture::PUSH_HOSTS[1],
        "updates.push.services.mozilla.com",
        "fcm.googleapis.com",
    ];
    for seed in seeds(SEEDS) {
        let mut world = World::of(
            seed,
            |config| {
                config.max_hosts = 2;
                config.max_requeues = u8::MAX;
            },
            fixture::web_push_session,
            move |number| fixture::web_push_message(hosts[number], number).into(),
            move |_, to, _| {
                let busy = to.host() == hosts[0];
                let respond = move |seen: &Seen, _: &mut Rng| match busy && seen.at < seconds(1020) {
                    true => vec![Act::Reset(code::REFUSED_STREAM)],
                    false => vec![Act::Answer(Answer::status(201))],
                };
                Script::new(respond).into()
            },
        );
        world.submit(1);
        world.run_for(seconds(5));
        for _ in 1..hosts.len() {
            world.submit(1);
            world.run_for(seconds(1));
        }
        let stats = world.finish();
        assert_eq!(stats.accepted, 4, "{stats:?}");
    }
}

/// A message that is refused again and again waits longer each time, up to the longest back-off.
#[test]
fn refusals_wait_no_longer_than_the_longest_backoff() {
    for seed in seeds(SEEDS) {
        let respond = |seen: &Seen, _: &mut Rng| match seen.nth {
            1..=12 => vec![Act::Reset(code::REFUSED_STREAM)],
            _ => vec![ok()],
        };
        let mut world = World::new(
            seed,
            |config| {
                config.max_connections = 1;
                config.max_requeues = u8::MAX;
                config.longest_backoff = millis(200);
            },
            move |_, _| Script::new(respond).into(),
        );
        let start = world.now().monotonic;
        world.submit(1);
        world.run();
        // Twelve waits of a fifth of a second, spread by a fifth, and as many round trips of up to 80 ms.
        let took = world.now().monotonic - start;
        assert!((millis(1500)..millis(4200)).contains(&took), "{took:?}");
        assert_eq!(world.finish().accepted, 1);
    }
}

/// A server that complains of PINGs gets half as many each time, but not none: a dead connection is found.
#[test]
fn pings_do_not_become_rarer_than_one_an_hour() {
    for seed in seeds(SEEDS) {
        let mut world = World::new(
            seed,
            |config| {
                config.max_connections = 1;
                config.response_timeout = seconds(3 * 3600);
                config.deadline = seconds(10 * 3600);
                let mut http2 = Config::default();
                http2.ping = Some(PingPolicy::new(seconds(1800), seconds(10)));
                config.http2 = Some(http2);
            },
            |nth, _| {
                let bye = Act::GoAway(Last::Id(0), code::ENHANCE_YOUR_CALM, b"too_many_pings".to_vec());
                let acts = match nth {
                    1..=3 => vec![bye, Act::Close],
                    _ => vec![Act::Wait(seconds(100 * 60)), ok()],
                };
                Script::new(move |_, _| acts.clone()).into()
            },
        );
        world.submit(1);
        let stats = world.finish();
        assert_eq!((stats.accepted, world.dials().len()), (1, 4), "{stats:?}");
        // Half an hour, one hour, and then no two, nor four.
        assert_eq!(world.log.pings(), 1);
    }
}

/// Asked for calm with one request in flight: the connection still takes one at a time.
#[test]
fn a_calm_connection_takes_one_at_a_time_at_least() {
    for seed in seeds(SEEDS) {
        let respond = |seen: &Seen, _: &mut Rng| match seen.nth {
            1..=3 => vec![Act::Reset(code::ENHANCE_YOUR_CALM)],
            _ => vec![ok()],
        };
        let mut script = Some(Script::new(respond));
        let mut world = World::new(
            seed,
            |config| config.max_connections = 1,
            move |_, _| script.take().map_or(Dial::BlackHole, Dial::from),
        );
        for _ in 0..6 {
            world.submit(1);
            world.run();
        }
        let stats = world.finish();
        assert_eq!((stats.unknown, stats.accepted), (3, 3), "{stats:?}");
        assert_eq!(world.dials().len(), 1);
    }
}

/// Several connections complain of the same thing at the same moment: that is one step of the back-off.
#[test]
fn complaints_of_one_moment_are_one_step() {
    for seed in seeds(SEEDS) {
        let mut world = World::new(
            seed,
            |config| config.max_connections = 4,
            |nth, _| match nth {
                1..=4 => {
                    let bye = Act::GoAway(Last::Seen, code::ENHANCE_YOUR_CALM, Vec::new());
                    // One answer, for which the others are made: a host that says nothing has two connections.
                    let respond = |seen: &Seen, _: &mut Rng| match seen.nth {
                        1 => vec![ok()],
                        _ => vec![Act::Wait(seconds(5)), ok()],
                    };
                    // All four at about the same time, whenever they were dialled.
                    let leave = seconds(3) - millis(20) * (nth - 1);
                    Script::new(respond).streams(1).at(leave, [bye]).into()
                }
                _ => Script::accepting().into(),
            },
        );
        world.submit(10);
        world.run_for(millis(3500));
        assert_eq!(world.dials().len(), 4, "{:?}", world.dials());
        let goaway = |event: &&SessionEvent| matches!(event, SessionEvent::GoAway { .. });
        assert_eq!(world.events().iter().filter(goaway).count(), 4);
        let stats = world.finish();
        assert_eq!(stats.accepted, 10, "{stats:?}");
        let (first, next) = (world.dials()[0], world.dials()[4]);
        // A second, spread by a fifth; four steps would be fifteen.
        assert!(next - first < millis(4800), "{:?}", world.dials());
    }
}

/// What is left of a pause that another connection has earned is no pause.
#[test]
fn each_connection_that_wants_calm_gets_a_whole_step() {
    for seed in seeds(SEEDS) {
        let mut world = World::new(
            seed,
            |config| config.max_connections = 2,
            |nth, _| {
                let after = if nth == 1 { millis(1000) } else { millis(1450) };
                let respond = move |seen: &Seen, _: &mut Rng| match seen.nth {
                    1 => vec![Act::Wait(after), Act::Reset(code::ENHANCE_YOUR_CALM)],
                    _ => vec![ok()],
                };
                Script::new(respond).streams(1).into()
            },
        );
        world.submit(2);
        world.run();
        let pauses: Vec<Duration> = world
            .events()
            .iter()
            .filter_map(|event| match event {
                SessionEvent::Throttled { after, .. } => Some(*after),
                _ => None,
            })
            .collect();
        assert_eq!((pauses.len(), world.dials().len()), (2, 2), "{pauses:?}");
        assert!(pauses.iter().all(|pause| *pause >= millis(790)), "{pauses:?}");
        world.finish();
    }
}

/// After a complaint half as many are in flight, counting the one that was reset; and then, answer by
/// answer, more again.
#[test]
fn a_calm_connection_is_trusted_again_by_and_by() {
    for seed in seeds(SEEDS) {
        let seen: Arc<Mutex<Vec<(Duration, usize)>>> = Arc::default();
        let log = seen.clone();
        let respond = move |request: &Seen, _: &mut Rng| {
            log.lock().expect("a lock").push((request.at, request.open));
            match request.nth {
                1 => vec![Act::Wait(millis(50)), Act::Reset(code::ENHANCE_YOUR_CALM)],
                2..=4 => vec![Act::Wait(seconds(4)), Act::Reset(code::CANCEL)],
                _ => vec![Act::Wait(millis(200)), ok()],
            }
        };
        let mut script = Some(Script::new(respond));
        let mut world = World::new(
            seed,
            |config| config.max_connections = 1,
            move |_, _| script.take().map_or(Dial::BlackHole, Dial::from),
        );
        world.submit(4);
        world.run();
        world.submit(300);
        let stats = world.finish();
        assert_eq!((stats.unknown, stats.accepted), (4, 300), "{stats:?}");
        let seen = seen.lock().expect("a lock");
        let after = &seen[4..];
        // Nothing was answered meanwhile that could have earned one more.
        let together = after
            .iter()
            .filter(|(at, _)| *at < after[0].0 + millis(150))
            .count();
        assert_eq!(together, 2, "{:?}", &after[..6]);
        let most = after.iter().map(|(_, open)| *open).max();
        assert!(most.is_some_and(|most| (10..40).contains(&most)), "{most:?}");
    }
}

/// A lone message does not wait behind a campaign: it gets the next stream that is free, and its answer a round trip later.
#[test]
fn a_lone_message_overtakes_a_campaign() {
    for seed in seeds(SEEDS) {
        let mut world = World::new(
            seed,
            |config| {
                config.max_queued = 5000;
                config.max_connections = 1;
            },
            |_, _| Script::accepting().into(),
        );
        let round_trip = world.latency * 2;
        world.send_as_bulk(SendOptions::default());
        world.submit(4000);
        world.run_for(millis(500));
        let campaign = world.stats();
        assert!(campaign.queued > 1000, "{campaign:?}");
        let begun = world.now().monotonic;
        world.send_as_bulk(SendOptions::default().priority(Priority::Interactive));
        world.submit(1);
        world.run_until(|world| world.results().iter().any(|(number, _)| *number == 4000));
        let took = world.now().monotonic - begun;
        assert!(took <= round_trip * 2 + millis(5), "{took:?} at {round_trip:?}");
        assert!(world.stats().queued > 1000);
        assert_eq!(world.finish().accepted, 4001);
    }
}

/// Lone messages without end do not stop a campaign: it has one stream in eight.
#[test]
fn lone_messages_do_not_stop_a_campaign() {
    for seed in seeds(SEEDS) {
        let mut world = World::new(
            seed,
            |config| {
                config.max_queued = 5000;
                config.max_connections = 1;
            },
            |_, _| Script::accepting().streams(8).into(),
        );
        world.send_as_bulk(SendOptions::default());
        world.submit(100);
        world.send_as_bulk(SendOptions::default().priority(Priority::Interactive));
        world.submit(4000);
        world.run_until(|world| {
            let bulk = world.results().iter().filter(|(number, _)| *number < 100);
            bulk.count() == 100
        });
        let lone = world.results().len() - 100;
        assert!((600..=720).contains(&lone), "{lone}");
        assert_eq!(world.finish().accepted, 4100);
    }
}
