//! Hosts, their timers, and calls.

use super::*;
use crate::backend::Traffic;
use crate::http::{Method, Request};

#[test]
fn hosts_are_bounded_and_the_least_missed_goes() {
    let mut world = World::fcm(|config| config.max_hosts = 10, |_, _| answer(200, "", FCM_OK));
    world.submit(1);
    let busy = world.session.hosts.len();
    for n in 0..1000 {
        world.at(world.now.monotonic + Duration::from_millis(1));
        let host = authority(&format!("h{n}.example"));
        assert!(world.session.host(&host, Traffic::Main, world.now).is_some());
        assert!(world.session.hosts.len() <= 10);
    }
    assert!(busy >= 1);
    // Its connection was let go with it.
    world.settle();
    assert_eq!(world.inboxes.len(), 0);
    world.submit(1);
    assert_eq!(world.ends().len(), 2);
}

#[test]
fn busy_hosts_are_not_thrown_out() {
    let mut world = World::fcm(|config| config.max_hosts = 2, |_, _| answer(200, "", FCM_OK));
    world.reachable = false;
    world.submit(1);
    let suspect = crate::session::SendOptions::default().suspect();
    let now = world.now;
    world.session.submit(&fcm_message(), suspect, now).unwrap();
    assert!(
        world
            .session
            .host(&authority("third.example"), Traffic::Main, now)
            .is_none()
    );
    world.run_for(secs(70));
    assert!(
        world
            .session
            .host(&authority("third.example"), Traffic::Main, world.now)
            .is_some()
    );
}

/// The clock may pass one pool's timer while it looks at another's bytes.
#[test]
fn a_timer_passed_on_other_business_still_fires() {
    let mut world = World::fcm(|_| {}, |_, _| answer(200, "", FCM_OK));
    world.submit(1);
    let link = *world.inboxes.keys().next().unwrap();
    world.reachable = false;
    let suspect = crate::session::SendOptions::default().suspect();
    let now = world.now;
    world.session.submit(&fcm_message(), suspect, now).unwrap();
    world.settle();
    assert_eq!(world.dials.len(), 2);
    world.reachable = true;
    // Far past the back-off, and the first that the session hears is about the other traffic.
    world.at(world.now.monotonic + secs(5));
    world.session.receive(link, b"", world.now);
    world.settle();
    assert!(
        world
            .session
            .poll_timeout()
            .is_some_and(|due| due <= world.now.monotonic)
    );
    world.run_for(Duration::from_millis(1));
    assert_eq!(world.ends().len(), 2);
}

#[test]
fn a_jump_in_sender_mismatch_is_reported_once() {
    let body = r#"{"error":{"code":403,"status":"PERMISSION_DENIED","details":[{"@type":"type.googleapis.com/google.firebase.fcm.v1.FcmError","errorCode":"SENDER_ID_MISMATCH"}]}}"#;
    let mut world = World::fcm(|_| {}, move |_, _| answer(403, "", body));
    world.submit(100);
    world.run_for(secs(1));
    assert_eq!(world.ends().len(), 100);
    let told = world
        .events
        .iter()
        .filter(|event| matches!(event, SessionEvent::MixUpSuspected { .. }));
    assert_eq!(told.count(), 1);
    assert!(world.session.is_mix_up_suspected());
}

#[test]
fn calls_are_counted_and_handed_back() {
    let mut world = World::fcm(
        |_| {},
        |line, _| match line.starts_with("GET") {
            true => answer(404, "", "nothing"),
            false => answer(200, "", FCM_OK),
        },
    );
    let mut request = Request::new();
    request.method = Method::Get;
    request.authority = Some(authority("push.example"));
    request.path.push_str("/x");
    let now = world.now;
    let ticket = world
        .session
        .exchange(request.clone(), Default::default(), now)
        .unwrap();
    world.settle();
    let (other, response) = world.session.poll_response().unwrap();
    assert_eq!((other, response.unwrap().status), (ticket, 404));
    assert_eq!(world.session.stats().exchanges_answered, 1);

    request.authority = Some(authority("elsewhere.example"));
    let error = world
        .session
        .exchange(request.clone(), Default::default(), now)
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Misuse);

    world.reachable = false;
    world.session.abandon(now);
    request.authority = Some(authority("push.example"));
    let error = world
        .session
        .exchange(request, Default::default(), now)
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Closed);
}

#[test]
fn closing_ends_with_the_last_answer() {
    let mut world = World::adm(|_| {}, |line, _| adm_ok(line));
    world.submit(20);
    world.session.close(world.now);
    world.settle();
    assert_eq!(world.ends().len(), 20);
    assert!(world.session.is_closed(), "{:?}", world.session.stats());
    assert_eq!(world.session.poll_timeout(), None);
}

/// Cancelled one by one, in any order: each at a cost that does not grow with the queue.
#[test]
fn a_long_queue_is_cancelled_from_the_middle() {
    let mut world = World::fcm(
        |config| config.max_queued = 20_000,
        |_, _| answer(200, "", FCM_OK),
    );
    world.reachable = false;
    let now = world.now;
    let tickets: Vec<_> = (0..20_000)
        .map(|_| {
            world
                .session
                .submit(&fcm_message(), Default::default(), now)
                .unwrap()
        })
        .collect();
    for ticket in tickets
        .iter()
        .skip(1)
        .step_by(2)
        .chain(tickets.iter().step_by(2).rev())
    {
        assert!(world.session.cancel(*ticket, now));
    }
    world.settle();
    assert_eq!(
        (world.session.stats().cancelled, world.session.stats().queued),
        (20_000, 0)
    );
    assert!(!world.session.cancel(tickets[7], now));
}
