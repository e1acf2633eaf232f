//! What APNs does to its connections.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use pushcore::ErrorKind;
use pushcore::apns::DeviceToken;
use pushcore::outcome::OnSuspicion;
use pushcore::session::{SendOptions, SessionEvent};
use pushcore_client::Batch;
use pushcore_sandbox::{Action, Config};

use crate::world::World;

/// One stream until the first good token, one again after each rejection.
#[test]
fn governor_with_penalties_loses_nothing() {
    let config = Config {
        governor: true,
        governor_penalty: true,
        ..Config::default()
    };
    let world = World::with(config);
    let client = world.apns(|_| {});
    let good = world.alert("valid");
    let bad = world.text("/apns/tokens/unknown");
    let messages = (0..2000).map(|n| match n % 100 {
        50 => (n, good.to(DeviceToken::parse(&bad).expect("a token"))),
        _ => (n, good.clone()),
    });
    let mut seen = vec![0; 2000];
    let mut counts: HashMap<String, usize> = HashMap::new();
    for ((n, _), result) in client.send_many(messages) {
        seen[n] += 1;
        let outcome = result.expect("an answer");
        *counts.entry(outcome.name().into()).or_default() += 1;
    }
    assert!(seen.iter().all(|count| *count == 1));
    assert_eq!(
        counts,
        HashMap::from([("accepted".into(), 1980), ("token_gone".into(), 20)])
    );
    let pushes = world
        .sandbox
        .log()
        .iter()
        .filter(|record| record.is_push())
        .count();
    assert_eq!(pushes, 1980);
    assert!(client.stats().is_balanced());
}

#[test]
fn suspects_have_a_connection_of_their_own() {
    let world = World::new();
    let client = world.apns(|_| {});
    let good = world.alert("valid");
    assert!(client.send(&good).expect("an answer").is_accepted());
    let suspect = SendOptions::default().suspect();
    client
        .send_with(&world.alert("unknown"), suspect)
        .expect("an answer");
    assert!(client.send(&good).expect("an answer").is_accepted());
    let log = world.sandbox.log();
    assert_eq!(log.len(), 3);
    assert_eq!(log[0].connection, log[2].connection);
    assert_ne!(log[0].connection, log[1].connection);
}

#[test]
fn connections_grow_with_the_load_up_to_the_limit() {
    let world = World::new();
    let client = world.apns(|config| {
        config.session.max_connections = 3;
        config.session.max_queued = 6000;
    });
    world.fault(Action::Delay { ms: 300 });
    let message = world.alert("valid");
    let results = client.send_many((0..6000).map(|n| (n, message.clone())));
    assert_eq!(results.filter(|(_, result)| result.is_ok()).count(), 6000);
    let used: std::collections::BTreeSet<_> = world.sandbox.log().iter().map(|r| r.connection).collect();
    assert!((2..=3).contains(&used.len()), "{used:?}");
    assert!(world.sandbox.connections() <= 3);
}

#[test]
fn an_idle_connection_is_closed_and_another_made_when_needed() {
    let world = World::new();
    let client = world.apns(|config| config.session.idle_timeout = Some(Duration::from_millis(100)));
    let message = world.alert("valid");
    assert!(client.send(&message).expect("an answer").is_accepted());
    // The other lane keeps the client busy for longer than that.
    let mut fault = crate::world::fault(Action::Delay { ms: 700 });
    fault.times = Some(1);
    world.sandbox.fault(fault);
    client
        .send_with(&message, SendOptions::default().suspect())
        .expect("an answer");
    let closed = std::iter::from_fn(|| client.poll_event())
        .any(|event| matches!(event, SessionEvent::Disconnected { error: None, .. }));
    assert!(closed);
    assert!(client.send(&message).expect("an answer").is_accepted());
    let log = world.sandbox.log();
    assert_ne!(log[0].connection, log[2].connection);
}

/// The server closed it while nobody was in the client: the next message must not be lost on it.
#[test]
fn a_connection_that_died_during_a_pause_costs_nothing() {
    let world = World::new();
    let client = world.apns(|_| {});
    let message = world.alert("valid");
    let mut fault = crate::world::fault(Action::Goaway {
        last: pushcore_sandbox::LastStream::This,
        code: 0,
        debug: String::new(),
        close: true,
        answer: true,
    });
    fault.times = Some(1);
    world.sandbox.fault(fault);
    assert!(client.send(&message).expect("an answer").is_accepted());
    std::thread::sleep(Duration::from_millis(500));
    assert!(client.send(&message).expect("an answer").is_accepted());
    assert_eq!(client.stats().accepted, 2);
}

/// A list of the other environment: no token is told as gone, and the send stops where it is told to.
#[test]
fn a_bulk_send_stops_when_many_answers_blame_the_tokens() {
    let world = World::new();
    let client = world.apns(|_| {});
    let wrong = world.alert("other_environment");
    let messages = (0..20_000).map(|_| wrong.clone());
    let results = client.send_many(messages).on_suspicion(OnSuspicion::Stop);
    let (mut blamed, mut kept) = (0, 0);
    for (_, result) in results {
        match result {
            Ok(outcome) => {
                assert_eq!(outcome.name(), "token_mismatch");
                blamed += 1;
            }
            Err(error) => {
                let cause = error.cause().map(pushcore::Error::kind);
                assert_eq!(
                    (error.kind(), cause),
                    (ErrorKind::NotSent, Some(ErrorKind::MixUpSuspected))
                );
                kept += 1;
            }
        }
    }
    assert!(blamed >= 16 && blamed + kept < 10_000, "{blamed} {kept}");
}

/// The end of a batch settles what is held back, and nobody waits five seconds for it.
#[test]
fn a_finished_batch_holds_nothing_back() {
    let world = World::new();
    let client = Arc::new(world.apns(|_| {}));
    let mut batch = Batch::new(client.clone(), None).expect("a batch");
    let started = Instant::now();
    let mut taken = 0;
    let message = world.alert("other_environment");
    batch
        .submit([(&message, 0)], SendOptions::default(), |_| taken += 1)
        .expect("an open client");
    batch.finish();
    let ended = loop {
        let next = batch
            .wait(Duration::from_millis(20))
            .expect("the same process")
            .next();
        if let Some(ended) = next {
            break ended;
        }
        assert!(started.elapsed() < Duration::from_secs(4), "it is held back");
    };
    assert_eq!(
        (taken, ended.into_result().expect("an answer").name()),
        (1, "token_mismatch")
    );
}

/// A wrong key: a handful of requests, and the rest is not sent.
#[test]
fn a_wrong_key_costs_a_handful_of_requests() {
    let world = World::new();
    let mut refusal = crate::world::fault(Action::Answer {
        status: 403,
        headers: Default::default(),
        body: Some(serde_json::json!({ "reason": "InvalidProviderToken" })),
    });
    refusal.times = None;
    world.sandbox.fault(refusal);
    let client = world.apns(|_| {});
    let message = world.alert("valid");
    let mut kept = 0;
    for (_, result) in client.send_many((0..20_000).map(|_| message.clone())) {
        match result {
            Ok(outcome) => assert_eq!(outcome.name(), "fix_credentials"),
            Err(error) => {
                let cause = error.cause().map(pushcore::Error::kind);
                assert_eq!(cause, Some(ErrorKind::CredentialsRefused), "{error}");
                kept += 1;
            }
        }
    }
    let requests = world.sandbox.log().len();
    assert!(requests <= 10, "{requests}");
    assert_eq!(kept + requests, 20_000);
}
