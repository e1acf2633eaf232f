//! The scripts for FCM in docs/sandbox.md, and short-lived tokens, with the client.

use pushcore::outcome::Outcome;
use pushcore_client::Client;
use pushcore_sandbox::{Config, Fault};

use crate::world::World;

/// What FCM says, the script, and the outcomes that may come of it.
fn rows() -> Vec<(String, Fault, Vec<String>)> {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/sandbox.md");
    let document = std::fs::read_to_string(path).expect("the document");
    let (_, section) = document.split_once("### Scripts for FCM").expect("the section");
    let (section, _) = section.split_once("\n## ").expect("the next section");
    let rows = section
        .lines()
        .filter(|line| line.starts_with("| ") && line.contains('{'));
    rows.map(|row| {
        let name = row[2..].split(" |").next().expect("a name").to_owned();
        let code: Vec<&str> = row.split('`').skip(1).step_by(2).collect();
        let fault = serde_json::from_str(code[0]).unwrap_or_else(|error| panic!("{name}: {error}"));
        let outcomes = code[1..].iter().map(|word| (*word).to_owned()).collect();
        (name, fault, outcomes)
    })
    .collect()
}

fn client(world: &World) -> Client {
    Client::new(
        pushcore::fcm::Service::new(world.fcm_credentials(), world.fcm_hosts()),
        world.config(),
    )
    .expect("a client")
}

#[test]
fn every_documented_script_has_its_outcome() {
    let rows = rows();
    assert!(rows.len() >= 12, "{}", rows.len());
    let world = World::new();
    for (name, fault, outcomes) in rows {
        world.sandbox.reset();
        fault.check().unwrap_or_else(|error| panic!("{name}: {error}"));
        let sends = if fault.probability.is_some() { 20 } else { 1 };
        world.sandbox.fault(fault);
        let mut seen = Vec::new();
        for _ in 0..sends {
            // A client of its own for each: a pause that is asked for is kept.
            let outcome = client(&world).send(&world.fcm_message()).expect("an answer");
            assert!(
                outcomes.iter().any(|word| word == outcome.name()),
                "{name}: {outcome:?}"
            );
            seen.push(outcome.name());
        }
        if sends > 1 {
            // Chance has struck some of them, and not all.
            assert!(
                seen.contains(&"accepted") && seen.contains(&"retry_later"),
                "{seen:?}"
            );
        }
        // What is no verdict on a device never drops one.
        if !outcomes.contains(&"token_gone".to_owned()) {
            assert!(!seen.contains(&"token_gone"), "{name}");
        }
    }
}

#[test]
fn tokens_of_two_minutes_are_fetched_again_and_nothing_is_lost() {
    let world = World::with(Config {
        token_lifetime: 120,
        ..Config::default()
    });
    let client = client(&world);
    for (minutes, minted) in [(0, 1), (3, 2), (6, 3)] {
        // The sandbox's clock goes on, the client's does not: the service refuses a token that the
        // client thinks good.
        world.sandbox.set_clock_offset_ms(minutes * 60_000);
        let outcome = client.send(&world.fcm_message()).expect("an answer");
        assert!(outcome.is_accepted(), "{outcome:?}");
        assert_eq!(world.sandbox.tokens_minted(), minted);
    }
    let log = world.sandbox.log();
    let expired = log
        .iter()
        .filter(|record| record.rule.as_deref() == Some("fcm.auth.expired"));
    assert_eq!(expired.count(), 2);
}

#[test]
fn a_throttled_device_says_how_long_it_waits() {
    let world = World::new();
    let client = client(&world);
    let throttled = pushcore::fcm::Target::token(&world.text("/fcm/tokens/throttled")).expect("a target");
    let message = world.fcm_message();
    match client.send(&message.to(throttled)).expect("an answer") {
        Outcome::RetryLater(later) => assert!(later.after.is_some_and(|after| after.as_secs() == 60)),
        other => panic!("{other:?}"),
    }
}
