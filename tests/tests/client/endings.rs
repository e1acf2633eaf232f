//! How messages end: deadlines, cancelling, closing, dropping.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use pushcore::ErrorKind;
use pushcore::http::Authority;
use pushcore::session::SendOptions;
use pushcore_client::Batch;
use pushcore_sandbox::{Action, ConnectFault};
use pushcore_tests::sim::certificates::Authority as Ca;
use pushcore_tests::sim::{Script, Server, fixture};

use crate::world::{LONG, World};

#[test]
fn never_written_is_expired_and_says_why() {
    let world = World::new();
    let closed = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = closed.local_addr().expect("an address").port();
    drop(closed);
    let nobody = Authority::new("127.0.0.1", port).expect("an authority");
    let client = world.apns_at(nobody, |config| {
        config.session.deadline = Duration::from_millis(500)
    });
    let error = client.send(&world.alert("valid")).expect_err("nobody is there");
    assert_eq!(error.kind(), ErrorKind::Expired, "{error}");
    assert_eq!(
        error.cause().map(pushcore::Error::kind),
        Some(ErrorKind::ConnectRefused),
        "{error}"
    );
    assert_eq!((client.stats().expired, client.stats().unknown), (1, 0));
}

#[test]
fn a_handshake_that_is_never_answered_expires() {
    let world = World::new();
    world.sandbox.connect_fault("apns", ConnectFault::Hold);
    let client = world.apns(|config| config.session.deadline = Duration::from_millis(400));
    let error = client.send(&world.alert("valid")).expect_err("no answer");
    assert_eq!(error.kind(), ErrorKind::Expired, "{error}");
    assert!(world.sandbox.log().is_empty());
}

#[test]
fn written_and_not_answered_is_unknown() {
    let world = World::new();
    world.fault(Action::NoAnswer);
    let client = world.apns(|_| {});
    let options = SendOptions::default().deadline(Duration::from_millis(400));
    let error = client
        .send_with(&world.alert("valid"), options)
        .expect_err("no answer");
    assert_eq!(error.kind(), ErrorKind::Unknown, "{error}");
    assert_eq!(client.stats().unknown, 1);
}

#[test]
fn dropping_the_results_cancels_the_rest() {
    let world = World::new();
    let client = world.apns(|_| {});
    let message = world.alert("valid");
    let mut results = client.send_many(std::iter::repeat(message.clone()));
    for _ in 0..10 {
        let (_, result) = results.next().expect("an endless iterator");
        assert!(result.expect("an answer").is_accepted());
    }
    drop(results);
    let stats = client.stats();
    assert!(stats.is_balanced(), "{stats:?}");
    assert_eq!((stats.queued, stats.open), (0, 0), "{stats:?}");
    assert!(
        client.send(&message).expect("an answer").is_accepted(),
        "it goes on"
    );
}

#[test]
fn an_endless_iterator_is_taken_no_faster_than_it_is_sent() {
    let world = World::new();
    let client = world.apns(|config| {
        config.session.max_queued = 100;
        config.session.max_connections = 1;
    });
    let message = world.alert("valid");
    let taken = AtomicUsize::new(0);
    let messages = std::iter::repeat_with(|| {
        taken.fetch_add(1, Ordering::Relaxed);
        message.clone()
    });
    let mut ended = 0;
    for (_, result) in client.send_many(messages).take(5000) {
        assert!(result.expect("an answer").is_accepted());
        ended += 1;
        let ahead = taken.load(Ordering::Relaxed) - ended;
        // The queue and a connection's streams, now and as they were when the last results landed.
        assert!(ahead <= 2 * (100 + 1000) + 1, "{ahead} ahead");
    }
    assert_eq!(ended, 5000);
}

#[test]
fn a_slow_iterator_does_not_hold_back_the_results() {
    let world = World::new();
    let client = world.apns(|_| {});
    let message = world.alert("valid");
    let taken = AtomicUsize::new(0);
    let messages = (0..20).map(|_| {
        std::thread::sleep(Duration::from_millis(100));
        taken.fetch_add(1, Ordering::Relaxed);
        message.clone()
    });
    let mut results = client.send_many(messages);
    assert!(results.next().is_some());
    assert!(taken.load(Ordering::Relaxed) < 20, "the first came with the last");
    assert_eq!(results.count(), 19);
}

#[test]
fn progress_is_told_and_ends_complete() {
    let world = World::new();
    let client = world.apns(|_| {});
    let message = world.alert("valid");
    let told = Arc::new(std::sync::Mutex::new(Vec::new()));
    let sink = Arc::clone(&told);
    let results = client
        .send_many((0..300).map(|n| (n, message.clone())))
        .on_progress(Duration::from_millis(1), move |progress| {
            sink.lock()
                .expect("a lock")
                .push((progress.taken, progress.ended(), progress.accepted));
        });
    assert_eq!(results.count(), 300);
    let told = told.lock().expect("a lock");
    assert_eq!(told.last(), Some(&(300, 300, 300)));
    assert!(told.windows(2).all(|pair| pair[0].1 <= pair[1].1));
}

/// As often as was asked for, and once at the end: not for each result.
#[test]
fn progress_is_told_no_more_often_than_asked() {
    let world = World::new();
    let client = world.apns(|_| {});
    let message = world.alert("valid");
    let told = Arc::new(AtomicUsize::new(0));
    let sink = Arc::clone(&told);
    let results = client.send_many((0..300).map(|_| message.clone())).on_progress(
        Duration::from_secs(3600),
        move |_| {
            sink.fetch_add(1, Ordering::Relaxed);
        },
    );
    assert_eq!(results.count(), 300);
    assert_eq!(told.load(Ordering::Relaxed), 1);
}

#[test]
fn close_waits_for_those_under_way() {
    let world = World::new();
    world.fault(Action::Delay { ms: 400 });
    let client = world.apns(|_| {});
    let message = world.alert("valid");
    std::thread::scope(|scope| {
        let sends: Vec<_> = (0..4).map(|_| scope.spawn(|| client.send(&message))).collect();
        let started = Instant::now();
        while client.stats().submitted < 4 && started.elapsed() < LONG {
            std::thread::sleep(Duration::from_millis(5));
        }
        client.close().expect("closed");
        let stats = client.stats();
        assert_eq!((stats.submitted, stats.accepted), (4, 4), "{stats:?}");
        for send in sends {
            assert!(send.join().expect("a thread").expect("an answer").is_accepted());
        }
    });
    let error = client.send(&message).expect_err("it is closed");
    assert_eq!(error.kind(), ErrorKind::Closed);
    // The message is handed back, and the iterator is left alone.
    let mut rest = 0..;
    let mut results = client.send_many(rest.by_ref().map(|n| (n, message.clone())));
    assert_eq!(
        results.next().expect("the message").1.expect_err("closed").kind(),
        ErrorKind::Closed
    );
    assert!(results.next().is_none());
    drop(results);
    assert_eq!(rest.next(), Some(1));
}

#[test]
fn dropping_the_client_does_not_wait() {
    let world = World::new();
    world.fault(Action::NoAnswer);
    let client = Arc::new(world.apns(|_| {}));
    let message = world.alert("valid");
    let mut batch = Batch::new(Arc::clone(&client), None).expect("a batch");
    let all = batch
        .submit([(&message, 0), (&message, 1)], SendOptions::default(), |ticket| {
            assert!(ticket.is_ok())
        })
        .expect("an open client");
    assert!(all);
    assert_eq!(batch.wait(Duration::from_millis(200)).expect("a wait").count(), 0);
    let started = Instant::now();
    drop(client);
    drop(batch);
    assert!(started.elapsed() < Duration::from_secs(10));
}

/// Nobody waits for it, but the server is told: GOAWAY before the end.
#[test]
fn a_client_that_is_dropped_says_so() {
    let ca = Ca::new();
    let server = Server::start(1, Some(ca.server(&["h2"], |_| {})), |_| Script::accepting());
    let host = format!("localhost:{}", server.address().port());
    let client = fixture::client(&ca, &host, |_| {});
    assert!(
        client
            .send(&fixture::message(10))
            .expect("an answer")
            .is_accepted()
    );
    assert!(server.log().goaways().is_empty());
    drop(client);
    let start = Instant::now();
    while server.log().ended() == 0 {
        assert!(start.elapsed() < LONG, "the connection is still there");
        std::thread::sleep(Duration::from_millis(5));
    }
    assert_eq!(server.log().goaways(), [0_u32]);
}
