//! Row 27: what a server may send and what it must not: the 57 client cases of h2spec, re-derived
//! from RFC 9113, and the 22 error vectors of http2jp/http2-frame-test-case, each with ten requests
//! in flight. What the engine says on the wire to each is looked at, octet by octet too, in
//! `core/tests/h2_conformance.rs`; here it is what becomes of the messages.

use pushcore_tests::sim::cases::Must::{Accept, Acknowledge, Close, Reset};
use pushcore_tests::sim::cases::{Case, One, cases};
use pushcore_tests::sim::frame::code;

use super::*;

/// In flight when it happens.
const OPEN: u64 = 10;
/// All messages of a case.
const ALL: u64 = 60;

/// Ten in flight, then this, then the answers of whatever is still open; the second connection,
/// if there is one, accepts everything.
fn world_of(seed: u64, acts: &[Act], one: One) -> World {
    let mut acts = acts.to_vec();
    if one != One::Open {
        acts.push(Act::Forget(1));
    }
    acts.extend([Act::Wait(seconds(1)), Act::AnswerHeld(Answer::ok())]);
    let respond = move |seen: &Seen, _: &mut Rng| match u64::from(seen.nth) {
        1 if one == One::Answered => vec![Act::Process],
        0..OPEN => Vec::new(),
        OPEN => acts.clone(),
        _ => vec![ok()],
    };
    let first = move || Script::new(respond.clone()).streams(u32::try_from(OPEN).expect("ten"));
    let mut world = World::new(seed, |config| config.max_connections = 1, first_then_good(first));
    world.lenient();
    world.submit(OPEN);
    // Only when it has happened: who takes a stream that it frees is left to chance otherwise.
    world.run_for(millis(500));
    world.submit(ALL - OPEN);
    world
}

#[test]
fn row_27_all_57_client_cases() {
    let cases = cases();
    assert_eq!(cases.len(), 57);
    for Case {
        name,
        acts,
        must,
        one,
    } in &cases
    {
        for seed in seeds(SEEDS) {
            let mut world = world_of(seed, acts, *one);
            let stats = world.finish();
            let doubt = match must {
                Close(_) => OPEN - u64::from(*one == One::Answered),
                _ => u64::from(*one == One::Doubt),
            };
            assert_eq!(
                (stats.unknown, stats.accepted),
                (doubt, ALL - doubt),
                "{name}: {stats:?}"
            );
            assert_eq!(world.log.duplicates(), 0, "{name}");
            let (goaways, resets) = (world.log.goaways(), world.log.resets());
            match must {
                Close(code) => {
                    assert_eq!(goaways.first(), Some(code), "{name}");
                    assert_eq!(world.dials().len(), 2, "{name}: another connection");
                }
                Reset(code) => assert_eq!(resets, [*code], "{name}"),
                Acknowledge => assert_eq!(world.log.acknowledgements(), 1, "{name}"),
                Accept => assert_eq!(resets, [0; 0], "{name}"),
            }
            if !matches!(must, Close(_)) {
                assert!(
                    goaways.iter().all(|code| *code == code::NO_ERROR),
                    "{name}: {goaways:?}"
                );
                assert_eq!(
                    world.dials().len(),
                    1,
                    "{name}: the connection is as good as before"
                );
            }
        }
    }
}

fn octets(hex: &str) -> Vec<u8> {
    let octet = |at| u8::from_str_radix(&hex[at..at + 2], 16).expect("hexadecimal");
    (0..hex.len()).step_by(2).map(octet).collect()
}

#[test]
fn row_27_all_22_error_vectors() {
    let text = include_str!("../../../core/tests/data/http2jp/frames.json");
    let vectors: Vec<serde_json::Value> = serde_json::from_str(text).expect("the vectors");
    assert_eq!(vectors.len(), 22);
    for vector in vectors {
        let (name, allowed) = (&vector["name"], vector["error"].as_array().expect("codes"));
        let wire = octets(vector["wire"].as_str().expect("octets"));
        for seed in seeds(SEEDS) {
            let mut world = world_of(seed, &[Act::Raw(wire.clone())], One::Open);
            let stats = world.finish();
            let (goaways, resets) = (world.log.goaways(), world.log.resets());
            let fault = goaways.iter().find(|code| **code != code::NO_ERROR);
            let (code, doubt) = match fault {
                Some(code) => (Some(code), OPEN),
                None => (resets.first(), 1),
            };
            let code = code.unwrap_or_else(|| panic!("{name} was accepted"));
            assert!(allowed.contains(&(*code).into()), "{name}: {code}");
            assert_eq!(
                (stats.unknown, stats.accepted),
                (doubt, ALL - doubt),
                "{name}: {stats:?}"
            );
            assert_eq!(world.log.duplicates(), 0, "{name}");
        }
    }
}
