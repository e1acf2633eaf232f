//! Row 26: who asks too often whether a server is there, is shown out.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use pushcore::session::SessionEvent;
use pushcore_tests::sim::Last;
use pushcore_tests::sim::frame::code;

use super::*;

/// How gRPC's servers count (`keepalive.md`): a PING less than five minutes after the one before, with
/// no answer sent in between, is a strike, and so is one without a stream; the third strike is the end. An answer
/// in between forgives everything.
const PERMITTED: Duration = seconds(300);
const STRIKES: u32 = 2;

/// What the front ends of all connections of a test saw.
#[derive(Clone, Default)]
struct Front {
    answers: Arc<AtomicU32>,
    idle_pings: Arc<AtomicU32>,
}

impl Front {
    /// A server that answers like this, and counts.
    fn script(&self, mut respond: impl FnMut(&Seen, &mut Rng) -> Vec<Act> + Send + 'static) -> Script {
        let answers = self.answers.clone();
        let mut script = Script::new(move |seen, rng| {
            // Counted when it is decided on, which is before it is sent: the server is strict.
            answers.fetch_add(1, Ordering::Relaxed);
            respond(seen, rng)
        });
        let (front, mut strikes, mut last, mut heard) = (self.clone(), 0, None, 0);
        script.on_ping = Some(Box::new(move |at, open| {
            let answers = front.answers.load(Ordering::Relaxed);
            if answers != heard {
                strikes = 0;
            } else if open == 0 {
                front.idle_pings.fetch_add(1, Ordering::Relaxed);
                strikes += 1;
            } else if last.is_some_and(|last| at - last < PERMITTED) {
                strikes += 1;
            }
            (last, heard) = (Some(at), answers);
            match strikes > STRIKES {
                true => vec![
                    Act::GoAway(Last::Seen, code::ENHANCE_YOUR_CALM, b"too_many_pings".to_vec()),
                    Act::Close,
                ],
                false => Vec::new(),
            }
        }));
        script
    }
}

fn shown_out(world: &World) -> usize {
    let calm = |event: &&SessionEvent| matches!(event, SessionEvent::GoAway { code, .. } if *code == code::ENHANCE_YOUR_CALM);
    world.events().iter().filter(calm).count()
}

/// An hour of bursts with slow answers among them, and of idleness between them.
fn an_hour(world: &mut World, front: &Front) {
    let mut sent = 0;
    for pause in [240, 290, 650, 240, 1000, 240, 290, 240, 240, 170] {
        world.submit(40);
        sent += 40;
        world.run();
        world.run_for(seconds(pause));
    }
    assert!(world.now().monotonic >= seconds(1000 + 3600));
    let stats = world.finish();
    assert_eq!((stats.accepted, stats.unknown), (sent, 0), "{stats:?}");
    assert_eq!(front.idle_pings.load(Ordering::Relaxed), 0);
    assert_eq!(shown_out(world), 0);
}

fn slow_now_and_then(answer: Answer) -> impl FnMut(&Seen, &mut Rng) -> Vec<Act> + Send + 'static {
    move |seen, rng| match seen.nth % 10 {
        3 => vec![
            Act::Wait(millis(rng.between(10_000, 29_000))),
            Act::Answer(answer.clone()),
        ],
        _ => vec![Act::Wait(millis(20)), Act::Answer(answer.clone())],
    }
}

/// Once after each of the five pauses, ahead of the next burst, and never otherwise.
#[test]
fn row_26_apns_is_pinged_once_after_a_pause() {
    for seed in seeds(SEEDS) {
        let mut world = world(seed, |_, _| Script::accepting().into());
        for _ in 0..6 {
            world.submit(20);
            world.run();
            world.run_for(seconds(600));
        }
        let stats = world.finish();
        assert_eq!((stats.accepted, world.log.pings()), (120, 5), "{stats:?}");
        assert_eq!(world.dials().len(), 1);
    }
}

#[test]
fn row_26_fcm_in_an_hour_of_idleness_and_bursts() {
    for seed in seeds(SEEDS) {
        let front = Front::default();
        let server = front.clone();
        let mut world = World::fcm(
            seed,
            |_| {},
            move |_, token, _| match token {
                true => oauth().into(),
                false => server.script(slow_now_and_then(fcm_ok())).into(),
            },
        );
        an_hour(&mut world, &front);
    }
}

#[test]
fn row_26_web_push_in_an_hour_of_idleness_and_bursts() {
    for seed in seeds(SEEDS) {
        let front = Front::default();
        let server = front.clone();
        let network = move |_: u32, _: &mut Rng| server.script(slow_now_and_then(Answer::status(201))).into();
        let mut world = World::web_push(seed, |_| {}, network);
        an_hour(&mut world, &front);
    }
}

/// With a request that takes minutes: after each minute of silence, and no oftener.
#[test]
fn row_26_the_interval_is_the_profiles() {
    for seed in seeds(SEEDS) {
        let pings: Arc<std::sync::Mutex<Vec<u64>>> = Arc::default();
        let seen = pings.clone();
        let network = move |_: u32, _: &mut Rng| {
            let mut script =
                Script::new(|_, _| vec![Act::Wait(seconds(200)), Act::Answer(Answer::status(201))]);
            let seen = seen.clone();
            script.on_ping = Some(Box::new(move |at, open| {
                assert_eq!(open, 1);
                seen.lock().expect("a lock").push(at.as_secs());
                Vec::new()
            }));
            script.into()
        };
        let configure = |config: &mut SessionConfig| {
            config.response_timeout = seconds(300);
            config.deadline = seconds(300);
        };
        let mut world = World::web_push(seed, configure, network);
        world.submit(1);
        let stats = world.finish();
        assert_eq!(stats.accepted, 1, "{stats:?}");
        assert_eq!(*pings.lock().expect("a lock"), [60, 120, 180]);
    }
}
