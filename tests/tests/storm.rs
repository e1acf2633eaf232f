//! A storm: GOAWAY after every few streams with any last id, resets, lost connections, silence.
//!
//! The short form runs always. The long form, 100 seeds of 1,000,000 messages, is asked for:
//! `PUSHCORE_STORM_SEEDS=100 PUSHCORE_STORM_MESSAGES=1000000 cargo test --release -p pushcore-tests --test storm`.

use std::time::Duration;

use pushcore::session::{Delivery, Stats};
use pushcore_tests::sim::frame::code;
use pushcore_tests::sim::{Act, Answer, Dial, Last, Rng, Script, Seen, World, seeds};

/// How many seeds, and how many messages each.
fn size() -> (Vec<u64>, u64) {
    let number = |name: &str| {
        std::env::var(name)
            .ok()
            .map(|text| text.parse().expect("a number"))
    };
    let seeds = match number("PUSHCORE_SEED") {
        Some(seed) => vec![seed],
        None => (1..=number("PUSHCORE_STORM_SEEDS").unwrap_or(3)).collect(),
    };
    (seeds, number("PUSHCORE_STORM_MESSAGES").unwrap_or(20_000))
}

/// One connection of a stormy server.
fn stormy(rng: &mut Rng) -> Script {
    let streams = [1, 10, 100, 500][rng.below(4) as usize];
    let life = rng.between(2, 200) as u32;
    let silent = rng.chance(10);
    // Each connection answers at least one request: otherwise there is no progress to be made.
    let respond = move |seen: &Seen, rng: &mut Rng| {
        let late = |acts: Vec<Act>, rng: &mut Rng| match rng.below(4) {
            0 => [vec![Act::Wait(Duration::from_millis(rng.between(1, 300)))], acts].concat(),
            _ => acts,
        };
        if seen.nth < life || seen.nth == 1 {
            return match rng.below(1000) {
                0..25 => vec![Act::Reset(code::REFUSED_STREAM)],
                25..50 => {
                    let reset = Act::Reset([code::CANCEL, code::INTERNAL_ERROR, 0xff][rng.below(3) as usize]);
                    if rng.chance(500) {
                        vec![Act::Process, reset]
                    } else {
                        vec![reset]
                    }
                }
                50..60 => vec![Act::Answer(Answer::refusal(400, "BadDeviceToken"))],
                60..65 => vec![Act::Answer(
                    Answer::refusal(503, "ServiceUnavailable").in_pieces(3),
                )],
                65..70 => vec![Act::Process],
                _ => late(vec![Act::Answer(Answer::ok())], rng),
            };
        }
        if seen.nth > life {
            // Between the warning and the end.
            return if rng.chance(700) {
                vec![Act::Answer(Answer::ok())]
            } else {
                vec![Act::Process]
            };
        }
        if silent {
            return vec![Act::Silence];
        }
        let last = if rng.chance(500) {
            Last::Processed
        } else {
            Last::Seen
        };
        let code = [code::NO_ERROR, code::NO_ERROR, code::INTERNAL_ERROR][rng.below(3) as usize];
        match rng.below(8) {
            0 => vec![Act::Abort],
            1 => vec![Act::Close],
            2 => vec![Act::GoAway(last, code, Vec::new()), Act::Abort],
            3 => vec![
                Act::GoAway(Last::Max, code::NO_ERROR, Vec::new()),
                Act::Wait(Duration::from_millis(rng.between(1, 500))),
                Act::GoAway(last, code, br#"{"reason":"Shutdown"}"#.to_vec()),
                Act::AnswerHeld(Answer::ok()),
                Act::Close,
            ],
            4 => vec![
                Act::GoAway(Last::Seen, code, Vec::new()),
                Act::Wait(Duration::from_millis(rng.between(1, 50))),
                Act::GoAway(Last::Processed, code, Vec::new()),
                Act::Close,
            ],
            _ => vec![Act::GoAway(last, code, Vec::new()), Act::Close],
        }
    };
    Script::new(respond).streams(streams)
}

fn storm(seed: u64, messages: u64, delivery: Delivery) -> (World, Stats) {
    let mut world = World::new(
        seed,
        |config| {
            config.delivery = delivery;
            config.max_requeues = u8::MAX;
            config.deadline = Duration::from_secs(24 * 3600);
        },
        |_, rng| match rng.below(100) {
            0 => Dial::Fails(pushcore::ErrorKind::ConnectRefused),
            1 => Dial::Slowly(Duration::from_millis(rng.between(1, 3000)), stormy(rng)),
            _ => stormy(rng).into(),
        },
    );
    // Pieces that cut most frames, and yet are not the whole work.
    (world.read_at_most, world.write_at_most) = (400, 2000);
    world.forget_results();
    if delivery == Delivery::AtLeastOnce {
        world.with_ids();
    }
    world.submit(messages);
    let stats = world.finish();
    assert!(stats.is_balanced(), "{stats:?}");
    assert_eq!(stats.ended(), messages, "{stats:?}");
    (world, stats)
}

/// Nothing lost, nothing unaccounted, nothing twice.
#[test]
fn at_most_once() {
    let (seeds, messages) = size();
    for seed in seeds {
        let (world, stats) = storm(seed, messages, Delivery::AtMostOnce);
        assert_eq!(world.log.duplicates(), 0);
        let processed = world.log.total_processed();
        assert!(
            (stats.accepted..=stats.accepted + stats.unknown).contains(&processed),
            "{stats:?}"
        );
        // The storm takes about half of them with it. A client that sends nothing would be caught.
        assert!(stats.accepted > messages / 4, "{stats:?}");
        println!(
            "seed {seed}: {} connections, {} requeued, {} copies, {processed} processed, transcript {:016x}, {stats:?}",
            world.log.connections(),
            stats.requeued,
            world.log.duplicates(),
            world.transcript(),
        );
    }
}

/// A seed is all there is to a storm: what is found in one can be looked at again.
#[test]
fn the_same_storm_twice() {
    for seed in seeds(3) {
        let counters = |delivery| {
            let (world, stats) = storm(seed, 2000, delivery);
            let log = (
                world.log.connections(),
                world.log.requests(),
                world.log.total_processed(),
            );
            (stats, log, world.log.duplicates(), world.transcript())
        };
        for delivery in [Delivery::AtMostOnce, Delivery::AtLeastOnce] {
            assert_eq!(counters(delivery), counters(delivery), "seed {seed}");
        }
    }
}

/// Every message gets an answer: who gets none in time is sent again, with the same id, as long as its
/// deadline and the cap of attempts allow, and here they do. (The world compares, after every
/// event, the copies with the attempts that were made in doubt.)
#[test]
fn at_least_once() {
    let (seeds, messages) = size();
    for seed in seeds {
        let (world, stats) = storm(seed, messages, Delivery::AtLeastOnce);
        assert_eq!(world.log.copies_with_other_ids(), 0);
        assert_eq!(
            stats.accepted + stats.token_gone + stats.token_mismatch + stats.retry_later,
            messages,
            "{stats:?}"
        );
        println!("seed {seed}: {} copies, {stats:?}", world.log.duplicates());
    }
}
