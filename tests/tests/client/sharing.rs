//! One client, many threads; one token, many connections.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use pushcore::ErrorKind;
use pushcore::apns::ApnsId;
use pushcore::session::SendOptions;
use pushcore_tests::sim::certificates::Authority as Ca;
use pushcore_tests::sim::{Act, Answer, Script, Seen, Server, fixture};

use crate::world::{LONG, World};

#[test]
fn sixteen_threads_send_each_message_once() {
    let world = World::new();
    let client = world.apns(|_| {});
    let message = world.alert("valid");
    std::thread::scope(|scope| {
        for thread in 0..16u8 {
            let (client, message) = (&client, &message);
            scope.spawn(move || {
                for number in 0..25u8 {
                    let mut uuid = [0; 16];
                    (uuid[0], uuid[15]) = (thread, number);
                    let one = message.clone().with_id(ApnsId::from_bytes(uuid));
                    assert!(client.send(&one).expect("an answer").is_accepted());
                }
            });
        }
    });
    let log = world.sandbox.log();
    let ids: std::collections::BTreeSet<_> = log.iter().filter_map(|record| record.id.clone()).collect();
    assert_eq!((log.len(), ids.len()), (400, 400));
    assert_eq!(client.stats().accepted, 400);
}

/// Results and messages stay together when several iterators share the connections.
#[test]
fn batches_of_several_threads_do_not_mix() {
    let world = World::new();
    let client = world.apns(|config| config.session.max_queued = 50);
    let message = world.alert("valid");
    let sum = AtomicU64::new(0);
    std::thread::scope(|scope| {
        for thread in 0..8u64 {
            let (client, message, sum) = (&client, &message, &sum);
            scope.spawn(move || {
                let mut seen = vec![0; 300];
                let keys = (0..300).map(|n| ((thread, n), message.clone()));
                for (((owner, n), _), result) in client.send_many(keys) {
                    assert_eq!(owner, thread);
                    assert!(result.expect("an answer").is_accepted());
                    seen[n] += 1;
                    sum.fetch_add(1, Ordering::Relaxed);
                }
                assert!(seen.iter().all(|count| *count == 1), "{seen:?}");
            });
        }
    });
    assert_eq!(sum.into_inner(), 2400);
    assert_eq!(world.sandbox.log().len(), 2400);
}

#[test]
fn sixteen_threads_fetch_one_access_token() {
    let world = World::new();
    let client = Arc::new(world.fcm());
    let message = world.fcm_message();
    std::thread::scope(|scope| {
        for _ in 0..16 {
            scope.spawn(|| {
                for _ in 0..5 {
                    assert!(client.send(&message).expect("an answer").is_accepted());
                }
            });
        }
    });
    assert_eq!(world.sandbox.tokens_minted(), 1);
    assert_eq!(
        world
            .sandbox
            .log()
            .iter()
            .filter(|record| record.is_push())
            .count(),
        80
    );
}

#[test]
fn a_revoked_access_token_is_replaced_once() {
    let world = World::new();
    let client = world.fcm();
    let message = world.fcm_message();
    assert!(client.send(&message).expect("an answer").is_accepted());
    world.sandbox.revoke_access_tokens();
    let mut seen = vec![0; 200];
    for ((n, _), result) in client.send_many((0..200).map(|n| (n, message.clone()))) {
        let outcome = result.expect("an answer");
        assert!(outcome.is_accepted(), "{n}: {outcome:?}");
        seen[n] += 1;
    }
    assert!(seen.iter().all(|count| *count == 1));
    assert_eq!(world.sandbox.tokens_minted(), 2);
    let log = world.sandbox.log();
    let accepted = log
        .iter()
        .filter(|record| record.is_push() && record.accepted)
        .count();
    assert_eq!(accepted, 201);
}

/// One thread waits at the sockets for an answer that does not come; another has less time, and is told at
/// its own time.
#[test]
fn a_thread_with_less_time_does_not_wait_for_the_other() {
    let ca = Ca::new();
    let server = Server::start(1, Some(ca.server(&["h2"], |_| {})), |_| {
        Script::new(|seen: &Seen, _| match seen.number() {
            Some(2) => vec![Act::AnswerHeld(Answer::ok())],
            _ => Vec::new(),
        })
    });
    let host = format!("localhost:{}", server.address().port());
    let client = fixture::client(&ca, &host, |_| {});
    let messages: Vec<_> = fixture::messages(10, 0..3).map(|(_, message)| message).collect();
    std::thread::scope(|scope| {
        let first = scope.spawn(|| client.send(&messages[0]));
        let start = Instant::now();
        while server.log().requests() < 1 {
            assert!(start.elapsed() < LONG);
            std::thread::sleep(Duration::from_millis(5));
        }
        let start = Instant::now();
        let little = SendOptions::default().deadline(Duration::from_millis(200));
        let error = client.send_with(&messages[1], little).expect_err("no answer");
        let took = start.elapsed();
        assert!(client.send(&messages[2]).expect("an answer").is_accepted());
        assert!(first.join().expect("a thread").expect("an answer").is_accepted());
        assert_eq!(error.kind(), ErrorKind::Unknown, "{error}");
        // The other's PING would wake both after 15 s.
        assert!(took < LONG / 3, "{took:?}");
    });
}
