//! Blocking calls in steps: whoever makes them looks around in between.

use std::sync::Arc;
use std::time::{Duration, Instant};

use pushcore::apns::Message;
use pushcore::http::{Authority, Response};
use pushcore::session::{Ended, SendOptions};
use pushcore::{Error, ErrorKind};
use pushcore_client::{Batch, Exchange};
use pushcore_sandbox::{Action, ConnectFault};
use pushcore_tests::sim::fixture;

use crate::peer::Peer;
use crate::world::{LONG, World, fault};

/// One look around.
pub(crate) const STEP: Duration = Duration::from_millis(20);
/// No step takes as long; and nothing else wakes a client so soon: a connection has 10 s, its PING comes after 15.
const TOO_LONG: Duration = Duration::from_secs(5);

/// In the caller's loop, to the end.
fn finish(exchange: &mut Exchange) -> Result<Response, Error> {
    let start = Instant::now();
    loop {
        if let Some(response) = exchange.wait(STEP)? {
            return Ok(response);
        }
        assert!(start.elapsed() < LONG, "no answer");
    }
}

fn until(what: &str, mut done: impl FnMut() -> bool) -> Duration {
    let start = Instant::now();
    while !done() {
        assert!(start.elapsed() < LONG, "{what}");
    }
    start.elapsed()
}

#[test]
fn an_exchange_gives_its_answer_once() {
    let peer = Peer::new(|_| {});
    let mut exchange = peer.begin("/one");
    let response = finish(&mut exchange).expect("an answer");
    assert_eq!((response.status, &response.body[..]), (200, &b"/one"[..]));
    let ended = exchange.wait(STEP).expect_err("it has ended");
    assert_eq!(ended.kind(), ErrorKind::Misuse);
    drop(exchange);
    let stats = peer.client.stats();
    assert_eq!(
        (stats.exchanges_answered, stats.cancelled, stats.submitted),
        (1, 0, 1)
    );
}

/// Two at a time, in one thread: each gets what it asked for, whoever waits first.
#[test]
fn exchanges_do_not_mix() {
    let peer = Peer::new(|_| {});
    let (mut held, mut second) = (peer.begin("/hold"), peer.begin("/two"));
    let mut third = peer.begin("/three");
    assert_eq!(finish(&mut third).expect("an answer").body, *b"/three");
    assert_eq!(finish(&mut second).expect("an answer").body, *b"/two");
    assert_eq!(held.wait(STEP).expect("no end yet"), None);
    let mut release = peer.begin("/release");
    assert_eq!(finish(&mut held).expect("an answer").body, *b"released");
    assert_eq!(finish(&mut release).expect("an answer").body, *b"released");
}

/// `wait` comes back when its time is over, and not before an answer could.
#[test]
fn a_wait_without_an_answer_is_as_long_as_it_was_asked_to_be() {
    let peer = Peer::new(|_| {});
    let mut held = peer.begin("/hold");
    peer.wait_for(1, &mut held);
    let (start, long) = (Instant::now(), Duration::from_millis(300));
    let mut waits = 0;
    while start.elapsed() < long {
        assert_eq!(held.wait(long).expect("no end yet"), None);
        waits += 1;
    }
    assert!(start.elapsed() < TOO_LONG);
    assert!(waits < 50, "{waits} waits in 300 ms are a busy loop");
}

#[test]
fn an_exchange_that_is_dropped_is_cancelled() {
    let peer = Peer::new(|_| {});
    let mut held = peer.begin("/hold");
    peer.wait_for(1, &mut held);
    drop(held);
    let stats = peer.client.stats();
    assert_eq!((stats.open, stats.cancelled), (0, 1), "{stats:?}");
    assert!(stats.is_balanced());
    // CANCEL reaches the server, on a connection that goes on.
    assert_eq!(peer.get("/on").body, *b"/on");
    until("RST_STREAM", || peer.server.log().resets() == [8]);
    assert_eq!(peer.server.log().connections(), 1);
}

/// The answer has come while another call moved the bytes: it counts, and nothing is cancelled.
#[test]
fn an_exchange_that_is_dropped_with_its_answer_is_not_cancelled() {
    let peer = Peer::new(|_| {});
    let mut held = peer.begin("/hold");
    peer.wait_for(1, &mut held);
    let mut release = peer.begin("/release");
    finish(&mut release).expect("an answer");
    // Streams are answered in order: the held one came before.
    drop(held);
    let stats = peer.client.stats();
    assert_eq!((stats.exchanges_answered, stats.cancelled), (2, 0), "{stats:?}");
    assert_eq!(peer.get("/on").body, *b"/on");
    assert_eq!(peer.server.log().resets(), Vec::<u32>::new());
}

#[test]
fn an_exchange_that_gets_no_answer_is_unknown_and_then_over() {
    let peer = Peer::new(|_| {});
    let options = SendOptions::default().deadline(Duration::from_millis(300));
    let mut held = peer.try_begin("/hold", options).expect("open").expect("room");
    let error = finish(&mut held).expect_err("no answer");
    assert_eq!(error.kind(), ErrorKind::Unknown, "{error}");
    assert_eq!(
        held.wait(STEP).expect_err("it has ended").kind(),
        ErrorKind::Misuse
    );
    drop(held);
    let stats = peer.client.stats();
    assert_eq!((stats.unknown, stats.cancelled), (1, 0), "{stats:?}");
}

#[test]
fn a_full_queue_says_so_and_empties() {
    let peer = Peer::new(|config| config.session.max_queued = 1);
    // The first waits for a connection: no room for a second.
    let mut first = peer.begin("/first");
    let mut refusals = 0;
    let mut second = None;
    until("room", || {
        second = peer.try_begin("/second", SendOptions::default()).expect("open");
        refusals += u32::from(second.is_none());
        second.is_some()
    });
    assert!(refusals > 0, "it was full");
    assert_eq!(
        finish(&mut second.expect("room")).expect("an answer").body,
        *b"/second"
    );
    assert_eq!(finish(&mut first).expect("an answer").body, *b"/first");
    assert_eq!(peer.client.stats().submitted, 2, "what is refused is not taken");
}

#[test]
fn an_exchange_with_another_host_is_misuse() {
    let peer = Peer::new(|_| {});
    let mut request = peer.request("/");
    request.authority = Some(Authority::parse("localhost:9").expect("a host"));
    let refused = Exchange::new(Arc::clone(&peer.client), &request, SendOptions::default());
    assert_eq!(refused.expect_err("not a host of ours").kind(), ErrorKind::Misuse);
    assert_eq!(peer.client.stats().submitted, 0);
}

/// Steps are as good as one long wait: false while something is under way, true when all has ended.
#[test]
fn closing_in_steps_waits_for_what_was_taken() {
    let peer = Peer::new(|_| {});
    let (mut held, mut released) = (peer.begin("/hold/1"), peer.begin("/hold/2"));
    peer.wait_for(2, &mut held);
    let start = Instant::now();
    assert!(!peer.client.close_for(STEP).expect("our process"));
    assert!(!peer.client.close_for(STEP).expect("our process"));
    assert!(start.elapsed() < TOO_LONG);
    // Nothing is taken any more.
    let refused = peer.try_begin("/late", SendOptions::default());
    assert_eq!(refused.expect_err("it is closed").kind(), ErrorKind::Closed);
    let refused = peer.client.authorization_for(STEP);
    assert_eq!(refused.expect_err("it is closed").kind(), ErrorKind::Closed);
    assert_eq!(released.wait(STEP).expect("no end yet"), None);
    let stats = peer.client.stats();
    assert_eq!((stats.submitted, stats.open), (2, 2), "{stats:?}");
    drop((held, released));
    until("closed", || peer.client.close_for(STEP).expect("our process"));
    assert!(
        peer.client.close_for(STEP).expect("our process"),
        "it stays closed"
    );
    let stats = peer.client.stats();
    assert_eq!((stats.cancelled, stats.open), (2, 0), "{stats:?}");
    until("the server sees the end", || peer.server.log().ended() == 1);
}

#[test]
fn what_was_never_used_closes_at_once() {
    let peer = Peer::new(|_| {});
    assert!(peer.client.close_for(Duration::ZERO).expect("our process"));
    assert_eq!(peer.server.log().connections(), 0);
}

/// A message that is in flight when the closing begins still gets its answer.
#[test]
fn closing_in_steps_loses_no_answer() {
    let world = World::new();
    let mut late = fault(Action::Delay { ms: 200 });
    late.times = Some(1);
    world.sandbox.fault(late);
    let client = Arc::new(world.apns(|_| {}));
    let mut batch = Batch::new(Arc::clone(&client), Some(1)).expect("a batch");
    let message = world.alert("valid");
    let taken = batch.submit([(&message, 0)], SendOptions::default(), |ticket| {
        assert!(ticket.is_ok())
    });
    assert!(taken.expect("an open client"));
    until("closed", || client.close_for(STEP).expect("our process"));
    let ends: Vec<_> = batch.wait(STEP).expect("a wait").collect();
    assert_eq!(ends.len(), 1);
    for end in ends {
        assert!(end.into_result().expect("an answer").is_accepted());
    }
    let refused = client.send(&message).expect_err("it is closed");
    assert_eq!(refused.kind(), ErrorKind::Closed);
}

/// Two batches and a lone message on one client: each end brings its caller's number back.
#[test]
fn the_callers_numbers_come_back() {
    let world = World::new();
    let client = Arc::new(world.apns(|_| {}));
    let message = world.alert("valid");
    let numbers = [u64::MAX, 0, 1 << 32, 7];
    let mut batches = [0, 1].map(|_| Batch::new(Arc::clone(&client), None).expect("a batch"));
    for batch in &mut batches {
        let pairs = numbers.iter().map(|number| (&message, *number));
        let taken = batch.submit(pairs, SendOptions::default().user_data(99), |ticket| {
            assert!(ticket.is_ok())
        });
        assert!(taken.expect("an open client"), "there is room for four");
    }
    assert!(client.send(&message).expect("an answer").is_accepted());
    for batch in &mut batches {
        let (start, mut back) = (Instant::now(), Vec::new());
        while back.len() < numbers.len() {
            back.extend(
                batch
                    .wait(STEP)
                    .expect("our process")
                    .map(|ended| ended.user_data),
            );
            assert!(start.elapsed() < LONG, "{back:?}");
        }
        back.sort_unstable();
        assert_eq!(back, [0, 7, 1 << 32, u64::MAX]);
    }
}

/// A batch of one message, which the server holds.
fn held(peer: &Peer) -> Batch {
    let mut batch = Batch::new(Arc::clone(&peer.client), None).expect("our process");
    let taken = offer(&mut batch, &fixture::message(10));
    assert!(matches!(taken, Ok((true, 1))), "{taken:?}");
    let start = Instant::now();
    while peer.server.log().requests() < 1 {
        assert!(start.elapsed() < LONG);
        assert_eq!(batch.wait(STEP).expect("our process").count(), 0);
    }
    batch
}

/// Whether all were taken, and how many.
fn offer(batch: &mut Batch, message: &Message) -> Result<(bool, usize), Error> {
    let mut taken = 0;
    let all = batch.submit([(message, 0)], SendOptions::default(), |ticket| {
        taken += usize::from(ticket.is_ok());
    })?;
    Ok((all, taken))
}

#[test]
fn a_batchs_wait_is_as_long_as_it_was_asked_to_be() {
    let peer = Peer::new(|_| {});
    let mut batch = held(&peer);
    let start = Instant::now();
    for _ in 0..3 {
        assert_eq!(batch.wait(STEP).expect("our process").count(), 0);
    }
    assert!(start.elapsed() < TOO_LONG);
}

/// Results are fetched before more is taken: who never looks holds no more of them than were in flight.
#[test]
fn a_batch_takes_no_more_before_its_results_are_fetched() {
    let peer = Peer::new(|_| {});
    let mut batch = held(&peer);
    // Its answer lands while a call moves the bytes.
    assert_eq!(peer.get("/release").body, *b"released");
    let second = fixture::message(10);
    assert_eq!(offer(&mut batch, &second).expect("open"), (false, 0));
    assert_eq!(batch.wait(STEP).expect("our process").count(), 1);
    assert_eq!(offer(&mut batch, &second).expect("open"), (true, 1));
    assert_eq!(batch.progress().taken, 2);
}

/// What a journal may send again, and what it may not: the service has one of two.
#[test]
fn a_batch_takes_back_what_the_service_has_not_seen() {
    // One message a second: the second one waits.
    let peer = Peer::new(|config| config.session.rate = Some(1));
    let mut batch = held(&peer);
    let second = fixture::message(10);
    assert_eq!(offer(&mut batch, &second).expect("open"), (true, 1));
    assert_eq!(batch.withdraw(), 1);
    let ended: Vec<_> = batch
        .wait(STEP)
        .expect("our process")
        .map(Ended::into_result)
        .collect();
    assert_eq!(ended.len(), 1);
    assert_eq!(
        ended[0].as_ref().expect_err("taken back").kind(),
        ErrorKind::Cancelled
    );
    assert_eq!(batch.withdraw(), 0, "the other one is on its stream");
    assert_eq!(peer.get("/release").body, *b"released");
    let mut accepted = 0;
    until("the answer", || {
        accepted += batch
            .wait(STEP)
            .expect("our process")
            .filter(|ended| ended.result().is_ok())
            .count();
        accepted == 1
    });
    assert_eq!(peer.server.log().requests(), 2, "one push and the call");
}

/// That nothing is taken any more is not the fault of one message.
#[test]
fn a_batch_of_a_closed_client_is_told_so() {
    let peer = Peer::new(|_| {});
    let mut batch = Batch::new(Arc::clone(&peer.client), None).expect("our process");
    assert!(peer.client.close_for(STEP).expect("our process"));
    let refused = offer(&mut batch, &fixture::message(10)).expect_err("it is closed");
    assert_eq!(refused.kind(), ErrorKind::Closed);
    assert_eq!((batch.progress().taken, batch.progress().ended()), (0, 0));
}

/// A provider token is made here, at once.
#[test]
fn authorization_is_ready_where_it_is_made_here() {
    let peer = Peer::new(|_| {});
    assert!(peer.client.authorization_for(Duration::ZERO).expect("a key"));
    assert_eq!(peer.server.log().connections(), 0, "for which nobody is asked");
}

#[test]
fn authorization_in_steps_fetches_one_token() {
    let world = World::new();
    let mut late = fault(Action::Delay { ms: 100 });
    late.contains = Some("token".to_owned());
    world.sandbox.fault(late);
    let client = world.fcm();
    assert!(
        !client.authorization_for(Duration::ZERO).expect("a key"),
        "not before it is there"
    );
    until("a token", || client.authorization_for(STEP).expect("a key"));
    assert!(client.authorization_for(STEP).expect("a key"), "it is kept");
    assert_eq!(world.sandbox.tokens_minted(), 1);
    assert!(
        client
            .send(&world.fcm_message())
            .expect("an answer")
            .is_accepted()
    );
    assert_eq!(world.sandbox.tokens_minted(), 1);
}

/// The endpoint refuses the key: that is told, not waited for.
#[test]
fn a_refused_credential_is_told() {
    let world = World::new();
    let mut refused = fault(Action::Answer {
        status: 400,
        headers: Vec::new(),
        body: Some(serde_json::json!({"error": "invalid_grant"})),
    });
    refused.contains = Some("token".to_owned());
    world.sandbox.fault(refused);
    let client = world.fcm();
    let mut told = None;
    until("a refusal", || {
        told = client.authorization_for(STEP).err();
        told.is_some()
    });
    let error = told.expect("a refusal");
    assert_eq!(error.kind(), ErrorKind::TokenRefused, "{error}");
}

/// The endpoint is not there: that may change, so it is neither an error nor a token, and every call
/// comes back in its time.
#[test]
fn an_endpoint_that_holds_still_keeps_nobody() {
    let world = World::new();
    world.sandbox.connect_fault("fcm", ConnectFault::Hold);
    let client = world.fcm();
    for _ in 0..5 {
        let start = Instant::now();
        assert!(!client.authorization_for(STEP).expect("a key"));
        assert!(start.elapsed() < TOO_LONG);
    }
    assert_eq!(world.sandbox.tokens_minted(), 0);
}

/// A queue that is shorter than what the streams take is emptied by a write: it does not wait for answers.
#[test]
fn a_short_queue_fills_every_stream() {
    let peer = Peer::new(|config| {
        config.session.max_queued = 7;
        config.session.max_connections = 1;
    });
    let mut batch = held(&peer);
    // The gate of a new key opens after 400 ms without an answer.
    std::thread::sleep(Duration::from_millis(500));
    let message = fixture::message(10);
    let mut taken = 0;
    let all = batch.submit(vec![(&message, 0); 60], SendOptions::default(), |ticket| {
        taken += usize::from(ticket.is_ok());
    });
    assert!(all.expect("an open client"), "{taken} of 60 in one call");
    until("the requests", || {
        assert_eq!(
            batch.wait(STEP).expect("our process").count(),
            0,
            "none is answered"
        );
        peer.server.log().requests() == 61
    });
    drop(batch);
}

/// The same for an iterator, and for a caller that waits for one answer while the queue is full.
#[test]
fn a_short_queue_does_not_make_an_iterator_wait_for_answers() {
    let peer = Peer::new(|config| {
        config.session.max_queued = 7;
        config.session.max_connections = 1;
    });
    std::thread::scope(|scope| {
        let bulk = scope.spawn(|| {
            let messages = std::iter::repeat_n(fixture::message(10), 60);
            let ended = peer.client.send_many(messages);
            ended
                .filter(|(_, end)| end.as_ref().is_ok_and(pushcore::Outcome::is_accepted))
                .count()
        });
        until("the requests", || peer.server.log().requests() == 60);
        assert_eq!(peer.get("/release").body, *b"released");
        assert_eq!(bulk.join().expect("no panic"), 60);
    });
}
