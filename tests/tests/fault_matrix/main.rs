//! The fault matrix of a push sender: each row a test, each count as the matrix has it.
//!
//! Invariants are checked by [`World`] after every event: every message is in exactly one place
//! (I1), `Unknown` and `NotSent` are what the bytes on the wire say (I2), no server acts twice on
//! a message and every `Accepted` is in a server's log (I3), limits are kept (I4), nothing waits
//! beyond its deadline (I5). A failure prints the seed; `PUSHCORE_SEED` runs it again.

mod abuse;
mod auth;
mod conformance;
mod connect;
mod connection;
mod flow;
mod frames;
mod pings;
mod process;
mod semantics;
mod silence;
mod streams;
mod throttle;
mod tls;

use std::collections::BTreeSet;
use std::path::Path;
use std::time::Duration;

use pushcore::session::SessionConfig;
use pushcore::{Error, ErrorKind, Outcome};
use pushcore_tests::sim::{Act, Answer, Dial, Rng, Script, Seen, World, seeds};

/// How many messages a row sends, where it does not say otherwise.
const N: u64 = 1000;
/// How many seeds a row runs with: each cuts the bytes in another way.
const SEEDS: u64 = 3;

const fn seconds(count: u64) -> Duration {
    Duration::from_secs(count)
}

const fn millis(count: u64) -> Duration {
    Duration::from_millis(count)
}

/// A world with the default configuration.
fn world(seed: u64, network: impl FnMut(u32, &mut Rng) -> Dial + 'static) -> World {
    World::new(seed, |_| {}, network)
}

/// The first connection follows `faulty`, all later ones accept everything.
fn first_then_good(mut faulty: impl FnMut() -> Script + 'static) -> impl FnMut(u32, &mut Rng) -> Dial {
    move |nth, _| {
        if nth == 1 {
            faulty().into()
        } else {
            Script::accepting().into()
        }
    }
}

/// `count` streams at a time; the first `count` requests get no answer, then `acts` happen.
fn after_holding(count: u32, acts: Vec<Act>) -> Script {
    let respond = move |seen: &Seen, _: &mut Rng| {
        if seen.nth == count {
            acts.clone()
        } else {
            Vec::new()
        }
    };
    Script::new(respond).streams(count)
}

fn ok() -> Act {
    Act::Answer(Answer::ok())
}

/// FCM took it.
fn fcm_ok() -> Answer {
    Answer::ok().with_body(r#"{"name":"projects/p/messages/1"}"#)
}

/// A token endpoint that answers with another token each time, good for an hour.
fn oauth() -> Script {
    Script::new(|seen, _| {
        vec![Act::Answer(access_token(&format!(
            "{}.{}",
            seen.connection, seen.nth
        )))]
    })
}

fn access_token(token: &str) -> Answer {
    let body = format!(r#"{{"access_token":"{token}","expires_in":3599,"token_type":"Bearer"}}"#);
    Answer::ok().with_body(body)
}

/// The error that every `Unknown` and `NotSent` of a world names as its cause.
fn causes(world: &World) -> Vec<ErrorKind> {
    let errors = world
        .results()
        .iter()
        .filter_map(|(_, result)| result.as_ref().err());
    errors.filter_map(|error| error.cause().map(deepest)).collect()
}

fn deepest(error: &Error) -> ErrorKind {
    error.cause().map_or(error.kind(), deepest)
}

/// How message `number` ended.
fn result(world: &World, number: usize) -> &Result<Outcome, Error> {
    let found = world.results().iter().find(|(other, _)| *other == number);
    &found.expect("an end").1
}

/// `docs/fault-matrix.md` names every test of a row, here and over TLS, and none that is not there.
#[test]
fn the_document_names_every_row() {
    let tests = Path::new(env!("CARGO_MANIFEST_DIR"));
    let read = |path: &Path| std::fs::read_to_string(path).expect("a readable file");
    let document = read(&tests.join("../docs/fault-matrix.md"));
    let mut there = BTreeSet::new();
    for folder in ["tests/fault_matrix", "tests/fault_matrix_tls"] {
        for file in std::fs::read_dir(tests.join(folder)).expect("a folder") {
            let text = read(&file.expect("a file").path());
            let names = text.lines().filter_map(|line| line.strip_prefix("fn row"));
            there.extend(names.filter_map(|rest| Some(format!("row{}", rest.split_once('(')?.0))));
        }
    }
    let named: BTreeSet<String> = document
        .split('`')
        .filter(|word| word.starts_with("row_") || word.starts_with("rows_"))
        .map(str::to_owned)
        .collect();
    assert_eq!(named, there);
    let covered = |row: u32| {
        let cell = document.lines().filter_map(|line| line.strip_prefix("| "));
        cell.filter_map(|line| line.split([' ', '|']).next())
            .any(|cell| match cell.split_once('–') {
                Some((first, last)) => {
                    (first.parse().unwrap_or(99)..=last.parse().unwrap_or(0)).contains(&row)
                }
                None => cell.parse() == Ok(row),
            })
    };
    assert_eq!((1..=52).find(|row| !covered(*row)), None);
}
