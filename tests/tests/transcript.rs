//! The same seed, the same run: every octet that the client writes, everything that it tells, and when.

use std::collections::BTreeSet;
use std::time::Duration;

use pushcore::ErrorKind;
use pushcore::session::{Delivery, Stats};
use pushcore_tests::sim::frame::code;
use pushcore_tests::sim::{Act, Answer, Dial, Last, Rng, Script, Seen, World, seeds};

/// Each third of the seeds cuts the bytes in another way.
const SEEDS: u64 = 6;

fn millis(count: u64) -> Duration {
    Duration::from_millis(count)
}

/// Answers late, refuses, resets, and leaves in every way.
fn unsteady(rng: &mut Rng) -> Script {
    let life = rng.between(20, 120) as u32;
    let respond = move |seen: &Seen, rng: &mut Rng| {
        if seen.nth == life {
            return vec![
                Act::GoAway(Last::Processed, code::NO_ERROR, b"bye".to_vec()),
                [Act::Close, Act::Abort, Act::Silence][rng.below(3) as usize].clone(),
            ];
        }
        match rng.below(20) {
            0 => vec![Act::Reset(code::REFUSED_STREAM)],
            1 => vec![Act::Process, Act::Reset(code::INTERNAL_ERROR)],
            2 => vec![Act::Answer(Answer::refusal(429, "TooManyRequests"))],
            3 => vec![Act::Answer(Answer::refusal(410, "Unregistered"))],
            4 => vec![Act::Process],
            _ => vec![Act::Wait(millis(rng.between(0, 40))), Act::Answer(Answer::ok())],
        }
    };
    Script::new(respond).streams([1, 7, 100][rng.below(3) as usize])
}

fn network(nth: u32, rng: &mut Rng) -> Dial {
    match rng.below(10) {
        0 => Dial::Fails(ErrorKind::ConnectRefused),
        1 => Dial::Slowly(millis(rng.between(1, 900)), unsteady(rng)),
        _ if nth == 2 => Dial::BlackHole,
        _ => unsteady(rng).into(),
    }
}

/// A short life with everything in it, an hour's sleep and a second process too.
fn run(seed: u64, delivery: Delivery) -> (u64, Stats) {
    let mut world = World::new(
        seed,
        |config| {
            config.delivery = delivery;
            config.max_connections = 3;
            config.deadline = Duration::from_secs(600);
        },
        network,
    );
    world.with_ids();
    world.submit(300);
    world.run_for(millis(400));
    world.kill(delivery == Delivery::AtLeastOnce);
    world.cancel(10);
    world.run();
    world.sleep(Duration::from_secs(3600));
    world.submit(300);
    world.run();
    // Longer than a provider token is used.
    world.run_for(Duration::from_secs(2 * 3600));
    world.submit(20);
    let stats = world.finish();
    (world.transcript(), stats)
}

#[test]
fn the_same_seed_gives_the_same_transcript() {
    for seed in seeds(SEEDS) {
        for delivery in [Delivery::AtMostOnce, Delivery::AtLeastOnce] {
            assert_eq!(run(seed, delivery), run(seed, delivery), "seed {seed}");
        }
    }
}

/// FCM: with its access tokens, which are fetched with signatures of RS256 (the same each time).
#[test]
fn the_same_seed_gives_the_same_transcript_of_fcm() {
    let run = |seed| {
        let mut world = World::fcm(
            seed,
            |_| {},
            |_, is_token_endpoint, rng| {
                if !is_token_endpoint {
                    return unsteady(rng).into();
                }
                let token = r#"{"access_token":"one","expires_in":3599,"token_type":"Bearer"}"#;
                let answer = move || Act::Answer(Answer::ok().with_body(token));
                Script::new(move |_, _| vec![answer()]).into()
            },
        );
        world.submit(200);
        let stats = world.finish();
        (world.transcript(), stats)
    };
    for seed in seeds(3) {
        assert_eq!(run(seed), run(seed), "seed {seed}");
    }
}

/// What is compared is not a constant.
#[test]
fn another_seed_gives_another_transcript() {
    let transcripts: BTreeSet<u64> = (1..=SEEDS)
        .map(|seed| run(seed, Delivery::AtMostOnce).0)
        .collect();
    assert_eq!(transcripts.len() as u64, SEEDS);
}

/// One octet more in one message, one moment later: another transcript.
#[test]
fn a_transcript_is_of_every_octet_and_every_moment() {
    let run = |length: usize, latency: u64| {
        let mut world = World::new(1, |_| {}, |_, _| Script::accepting().into());
        world.latency = millis(latency);
        let template = pushcore_tests::sim::fixture::message(length);
        world.message = Box::new(move |_| template.clone().into());
        world.submit(1);
        world.finish();
        world.transcript()
    };
    assert_eq!(run(10, 5), run(10, 5));
    assert_ne!(run(10, 5), run(11, 5));
    assert_ne!(run(10, 5), run(10, 6));
}
