//! One rule of the session at a time, where leaving it out would go unnoticed elsewhere.

use super::rate::topic_call;
use super::*;
use crate::backend::Traffic;
use crate::net::Processed;
use crate::session::limits::TokenBucket;
use crate::session::{Delivery, SendOptions};

const MISMATCH: &str = r#"{"error":{"code":403,"status":"PERMISSION_DENIED","details":[{"@type":"type.googleapis.com/google.firebase.fcm.v1.FcmError","errorCode":"SENDER_ID_MISMATCH"}]}}"#;
const EXHAUSTED: &str = r#"{"error":{"status":"RESOURCE_EXHAUSTED"}}"#;

/// The first so many requests are refused with these pauses, all later ones taken.
fn refusals(pauses: &'static [u64]) -> impl FnMut(&str, Duration) -> String {
    let mut nth = 0;
    move |_, _| {
        let pause = pauses.get(nth);
        nth += 1;
        match pause {
            Some(pause) => answer(429, &format!("retry-after: {pause}\r\n"), EXHAUSTED),
            None => answer(200, "", FCM_OK),
        }
    }
}

/// The pause that is asked for last is not always the longest.
#[test]
fn a_shorter_pause_does_not_end_a_longer_one() {
    let mut world = World::fcm(|config| config.max_connections = 1, refusals(&[]));
    // Two answers in one go, to what was under way together.
    world.respond = Box::new(refusals(&[30, 5]));
    let begun = world.now.monotonic;
    let suspect = SendOptions::default().suspect();
    let now = world.now;
    world.session.submit(&fcm_message(), suspect, now).unwrap();
    world.submit(1);
    assert_eq!(world.ends().len(), 2);
    world.submit(1);
    world.session.submit(&fcm_message(), suspect, now).unwrap();
    world.run_for(secs(45));
    let late = &world.pushes()[2..];
    assert_eq!(late.len(), 2);
    assert!(late.iter().all(|at| *at >= begun + secs(30)), "{late:?}");
    assert_eq!(world.ends().len(), 2);
}

/// A pause of calls, of which several are under way, is not ended either.
#[test]
fn a_shorter_pause_of_calls_does_not_end_a_longer_one() {
    let mut nth = 0;
    let mut world = World::fcm(
        |config| config.max_connections = 2,
        move |_, _| {
            nth += 1;
            match nth {
                // No answer yet.
                1 => String::new(),
                2 => answer(429, "retry-after: 30\r\n", "{}"),
                _ => answer(200, "", "{}"),
            }
        },
    );
    let begun = world.now.monotonic;
    for number in 0..3 {
        let now = world.now;
        let request = topic_call(number);
        world
            .session
            .exchange(request, SendOptions::default(), now)
            .unwrap();
    }
    world.run_for(secs(1));
    assert_eq!(world.requests.len(), 2, "each over a connection of its own");
    let first = *world.inboxes.keys().next().unwrap();
    let shorter = answer(429, "retry-after: 5\r\n", "{}");
    world.session.receive(first, shorter.as_bytes(), world.now);
    world.run_for(secs(28));
    assert_eq!(world.requests.len(), 2);
    world.run_for(secs(10));
    assert_eq!(world.requests.len(), 3);
    assert!(world.requests[2].0 >= begun + secs(30));
}

/// 429 halves the rate of calls, once for a burst, and what it was comes back.
#[test]
fn calls_that_are_too_many_come_at_half_the_rate() {
    let begun = start().monotonic;
    let mut refused = 0;
    let mut world = World::fcm(
        |config| {
            config.call_rate = Some(100);
            config.deadline = secs(600);
        },
        move |_, at| match at >= begun + secs(1) && refused < 5 {
            true => {
                refused += 1;
                answer(429, "retry-after: 0\r\n", "{}")
            }
            false => answer(200, "", "{}"),
        },
    );
    for number in 0..1500 {
        let now = world.now;
        let request = topic_call(number);
        world
            .session
            .exchange(request, SendOptions::default(), now)
            .unwrap();
    }
    world.run_for(secs(10));
    let during = |from: u64, to: u64| {
        let (from, to) = (begun + secs(from), begun + secs(to));
        let calls = world.requests.iter().map(|(at, _)| *at);
        calls.filter(|at| (from..to).contains(at)).count()
    };
    assert!((95..=115).contains(&during(0, 1)), "{}", during(0, 1));
    assert!((45..=65).contains(&during(1, 2)), "{}", during(1, 2));
    assert!((95..=105).contains(&during(8, 9)), "{}", during(8, 9));
}

/// After a pause not all clients come back at the same moment.
#[test]
fn pauses_are_spread() {
    let first_after = |seed: u64| {
        let mut world = World::fcm(|config| config.seed = Some(seed), refusals(&[50]));
        world.submit(1);
        world.submit(1);
        world.run_for(secs(70));
        world.pushes()[1] - start().monotonic
    };
    let mut waits: Vec<Duration> = (0..20).map(first_after).collect();
    assert!(
        waits.iter().all(|wait| (secs(50)..=secs(60)).contains(wait)),
        "{waits:?}"
    );
    waits.sort_unstable();
    waits.dedup();
    assert!(waits.len() > 15, "{waits:?}");
    assert!(
        waits[0] < secs(53) && *waits.last().unwrap() > secs(57),
        "{waits:?}"
    );
}

/// Tokens never seen good say nothing about the others when they are bad.
#[test]
fn suspects_are_no_mix_up() {
    let told = |suspect: bool| {
        let mut world = World::fcm(|_| {}, |_, _| answer(403, "", MISMATCH));
        for _ in 0..100 {
            let now = world.now;
            let options = match suspect {
                true => SendOptions::default().suspect(),
                false => SendOptions::default(),
            };
            world.session.submit(&fcm_message(), options, now).unwrap();
        }
        world.run_for(secs(1));
        assert_eq!(world.ends().len(), 100);
        (
            world
                .events
                .iter()
                .any(|event| matches!(event, SessionEvent::MixUpSuspected { .. })),
            world.session.is_mix_up_suspected(),
        )
    };
    assert_eq!(told(false), (true, true));
    assert_eq!(told(true), (false, false));
}

/// A token is refused, and so is the next: that is the end, and not another round.
#[test]
fn a_message_is_sent_again_with_another_token_once() {
    let mut tokens = 0;
    let mut world = World::adm(
        |_| {},
        move |line, _| match line.contains("O2/token") {
            true => {
                tokens += 1;
                let token = TOKEN.replace("\"t\"", &format!("\"t{tokens}\""));
                answer(200, "", &token)
            }
            false => answer(401, "", r#"{"reason":"AccessTokenExpired"}"#),
        },
    );
    world.submit(1);
    world.run_for(secs(120));
    assert_eq!(world.pushes().len(), 2);
    let ends = world.ends();
    assert!(matches!(ends[..], [Ok("fix_credentials")]), "{ends:?}");
}

/// A host that asked to be left alone is remembered, even where another is to be forgotten.
#[test]
fn a_paused_host_is_forgotten_last() {
    let mut world = World::fcm(|_| {}, refusals(&[400]));
    let begun = world.now.monotonic;
    world.submit(1);
    assert_eq!(world.ends().len(), 1);
    let link = *world.inboxes.keys().next().expect("a connection");
    world.session.receive_eof(link, world.now);
    // Other hosts come later, and stay longer unused than nobody.
    for n in 0..3000 {
        world.at(world.now.monotonic + Duration::from_millis(100));
        let host = authority(&format!("h{n}.example"));
        world.session.shared_mut().host(&host, Traffic::Main, world.now);
        world.session.flush(world.now);
    }
    assert!(world.session.shared().hosts.len() < 1100);
    let options = SendOptions::default().deadline(secs(1000));
    let now = world.now;
    world.session.submit(&fcm_message(), options, now).unwrap();
    world.run_for(secs(600));
    let pushes = world.pushes();
    assert_eq!(pushes.len(), 2);
    assert!(pushes[1] >= begun + secs(400), "{pushes:?}");
}

/// The lanes to a host that wants a pause begin with it, whichever is made later.
#[test]
fn a_lane_made_later_keeps_the_pause() {
    let mut world = World::fcm(|_| {}, refusals(&[40]));
    let begun = world.now.monotonic;
    world.submit(1);
    assert_eq!(world.session.shared().hosts.len(), 1);
    let suspect = SendOptions::default().suspect();
    let now = world.now;
    world.session.submit(&fcm_message(), suspect, now).unwrap();
    world.run_for(secs(50));
    let pushes = world.pushes();
    assert!(pushes.len() == 2 && pushes[1] >= begun + secs(40), "{pushes:?}");
}

/// With every place taken, a host that owes an answer is not the one to go.
#[test]
fn a_host_that_owes_an_answer_is_not_forgotten() {
    let mut nth = 0;
    let mut world = World::fcm(
        |config| config.max_hosts = 2,
        move |_, _| {
            nth += 1;
            match nth {
                1 => String::new(),
                _ => answer(200, "", FCM_OK),
            }
        },
    );
    world.submit(1);
    assert_eq!((world.ends().len(), world.session.stats().open), (0, 1));
    for n in 0..20 {
        world.at(world.now.monotonic + Duration::from_millis(100));
        let host = authority(&format!("h{n}.example"));
        world.session.shared_mut().host(&host, Traffic::Main, world.now);
        world.settle();
    }
    let link = *world.inboxes.keys().next().expect("the connection is kept");
    let late = answer(200, "", FCM_OK);
    world.session.receive(link, late.as_bytes(), world.now);
    let ends = world.ends();
    assert!(matches!(ends[..], [Ok("accepted")]), "{ends:?}");
}

/// However often it is halved, a rate is one a second at least.
#[test]
fn a_rate_does_not_fall_below_one_a_second() {
    let mut bucket = TokenBucket::new(1, Duration::ZERO);
    assert!(bucket.take(Duration::ZERO));
    bucket.slow_down(Duration::ZERO);
    assert!(!bucket.take(Duration::from_millis(999)));
    assert!(bucket.take(Duration::from_millis(1001)));
}

/// Tokens that were saved up at the old rate are not spent at the new one.
#[test]
fn slowing_down_halves_what_was_saved() {
    let mut bucket = TokenBucket::new(1000, Duration::ZERO);
    bucket.slow_down(Duration::ZERO);
    let now = (0..1000).take_while(|_| bucket.take(Duration::ZERO)).count();
    assert_eq!(now, 50, "a tenth of a second's worth of 500");
}

/// A token taken for nothing is given back, and nothing on top.
#[test]
fn what_is_put_back_was_there_before() {
    let mut bucket = TokenBucket::new(50, Duration::ZERO);
    assert!(bucket.take(Duration::ZERO));
    bucket.put_back();
    bucket.put_back();
    let now = (0..1000).take_while(|_| bucket.take(Duration::ZERO)).count();
    assert_eq!(now, 5, "a tenth of a second's worth");
}

/// An answer that comes when nobody waits any more is an answer, and no reason to begin again: the
/// machine slept, and what woke it first was the socket.
#[test]
fn after_its_deadline_no_message_is_sent_again() {
    let mut world = World::adm(
        |_| {},
        |line, _| match line.contains("O2/token") {
            true => answer(200, "", TOKEN),
            false => String::new(),
        },
    );
    world.submit(1);
    assert_eq!(world.pushes().len(), 1);
    // Dialled for the message, before the one to the token endpoint.
    let link = *world.inboxes.keys().next().expect("a connection");
    world.at(world.now.monotonic + secs(61));
    let refused = answer(401, "", r#"{"reason":"AccessTokenExpired"}"#);
    world.session.receive(link, refused.as_bytes(), world.now);
    let ends = world.ends();
    assert!(matches!(ends[..], [Ok("fix_credentials")]), "{ends:?}");
    world.run_for(secs(60));
    assert_eq!(world.pushes().len(), 1);
}

/// The journal of a process that may be killed: over HTTP/1.1 a message may have been processed from its
/// first octet on, and not before.
#[test]
fn the_journal_knows_what_has_left_over_http1() {
    let mut world = World::fcm(|_| {}, |_, _| String::new());
    let now = world.now;
    let ticket = world
        .session
        .submit(&fcm_message(), SendOptions::default(), now)
        .unwrap();
    let journal = |world: &World| world.session.unfinished().collect::<Vec<_>>();
    assert_eq!(journal(&world), [(ticket, Processed::No)]);
    world.session.flush(now);
    let Some(Action::Connect { link, .. }) = world.session.poll_action() else {
        panic!("no connection is asked for")
    };
    world.session.connected(link, now);
    assert!(!world.session.transmit(link).is_empty(), "on its stream");
    assert_eq!(journal(&world), [(ticket, Processed::No)]);
    world.session.transmitted(link, 1);
    assert_eq!(journal(&world), [(ticket, Processed::Unknown)]);
}

/// A token that nobody will use keeps nobody.
#[test]
fn closing_does_not_wait_for_a_token() {
    let mut world = World::adm(|config| config.deadline = secs(1), |_, _| String::new());
    world.submit(1);
    world.run_for(secs(2));
    let ends = world.ends();
    assert!(matches!(&ends[..], [Err(error)] if error.kind() == ErrorKind::Expired));
    assert_eq!(world.requests.len(), 1, "the token's");
    let now = world.now;
    world.session.close(now);
    world.settle();
    assert!(world.session.is_closed());
}

/// Outputs send nothing: what was submitted waits for `flush`.
#[test]
fn messages_are_sent_by_flush() {
    let mut world = World::fcm(|_| {}, |_, _| answer(200, "", FCM_OK));
    let now = world.now;
    let take = |world: &mut World| {
        world
            .session
            .submit(&fcm_message(), SendOptions::default(), now)
            .unwrap()
    };
    take(&mut world);
    assert!(world.session.poll_action().is_none());
    assert_eq!(world.session.poll_timeout(), Some(now.monotonic), "now");
    world.session.flush(now);
    assert_ne!(world.session.poll_timeout(), Some(now.monotonic));
    let Some(Action::Connect { link, .. }) = world.session.poll_action() else {
        panic!("no connection is asked for")
    };
    world.session.connected(link, now);
    let first = world.session.transmit(link).len();
    assert!(first > 0, "on its stream");
    world.session.transmitted(link, first);
    world
        .session
        .receive(link, answer(200, "", FCM_OK).as_bytes(), now);
    take(&mut world);
    assert!(world.session.poll_outcome().is_some());
    assert!(world.session.poll_event().is_some() && world.session.poll_response().is_none());
    assert!(
        world.session.transmit(link).is_empty(),
        "nothing is sent by looking"
    );
    world.session.flush(now);
    assert!(!world.session.transmit(link).is_empty());
}

/// A driver that forgets to flush is told to come back now, and then everything goes its way.
#[test]
fn a_driver_that_never_flushes_is_late_and_not_wrong() {
    let mut world = World::fcm(|_| {}, |_, _| answer(200, "", FCM_OK));
    let now = world.now;
    for _ in 0..3 {
        world
            .session
            .submit(&fcm_message(), SendOptions::default(), now)
            .unwrap();
        assert_eq!(world.session.poll_timeout(), Some(now.monotonic));
        world.session.handle_timeout(now);
        assert!(world.session.poll_timeout().is_none_or(|at| at > now.monotonic));
    }
    world.run_for(secs(1));
    let ends = world.ends();
    assert!(
        matches!(ends[..], [Ok("accepted"), Ok("accepted"), Ok("accepted")]),
        "{ends:?}"
    );
}

/// The first answer is waited for, but not for long; and a host that says nothing has two connections, not eight.
#[test]
fn a_key_that_nobody_answers_for_holds_nothing_up_for_long() {
    let mut world = World::fcm(|config| config.max_connections = 8, |_, _| String::new());
    world.submit(8);
    let at_once = world.pushes().len();
    world.run_for(secs(1));
    assert_eq!((at_once, world.pushes().len()), (1, 2), "{:?}", world.pushes());
}

/// Deadlines are kept in the order in which they come, not in that of the messages.
#[test]
fn the_nearest_deadline_is_the_next_timer() {
    for order in [[20, 5, 10], [5, 10, 20], [10, 20, 5]] {
        let mut world = World::fcm(|config| config.max_connections = 1, |_, _| String::new());
        let begun = world.now.monotonic;
        for deadline in order {
            let (now, options) = (world.now, SendOptions::default().deadline(secs(deadline)));
            world.session.submit(&fcm_message(), options, now).unwrap();
        }
        for (at, ended) in [(4, 0), (5, 1), (9, 0), (10, 1), (19, 0), (20, 1)] {
            let left = begun + secs(at) - world.now.monotonic;
            world.run_for(left);
            assert_eq!(world.ends().len(), ended, "{order:?} after {at} s");
        }
    }
}

/// A call may create a channel or join a group: once its request has been written, a lost connection ends it, whatever
/// the session may do with messages.
#[test]
fn a_call_on_a_lost_connection_is_not_repeated() {
    for delivery in [Delivery::AtMostOnce, Delivery::AtLeastOnce] {
        let mut world = World::fcm(|config| config.delivery = delivery, |_, _| String::new());
        let now = world.now;
        let request = topic_call(0);
        world
            .session
            .exchange(request, SendOptions::default(), now)
            .unwrap();
        world.settle();
        assert_eq!(world.requests.len(), 1);
        let link = *world.inboxes.keys().next().expect("a connection");
        world.session.receive_eof(link, world.now);
        world.run_for(secs(120));
        assert_eq!(world.requests.len(), 1, "{delivery:?}");
        let (_, result) = world.session.poll_response().expect("an end");
        assert_eq!(result.unwrap_err().kind(), ErrorKind::Unknown, "{delivery:?}");
    }
}
