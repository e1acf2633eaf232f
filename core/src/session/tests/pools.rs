//! Hosts, their timers, and calls.

use super::*;
use crate::backend::Traffic;
use crate::http::{Method, Request};

#[test]
fn hosts_are_forgotten_before_they_fill_the_memory() {
    let mut world = World::fcm(|config| config.max_hosts = 10, |_, _| answer(200, "", FCM_OK));
    world.submit(1);
    for n in 0..3000 {
        world.at(world.now.monotonic + Duration::from_millis(1));
        let host = authority(&format!("h{n}.example"));
        let id = world.session.shared_mut().host(&host, Traffic::Main, world.now);
        assert_eq!(
            world.session.shared_mut().hosts.find(&host, Traffic::Main),
            Some(id)
        );
        world.session.flush(world.now);
        assert!(world.session.shared().hosts.len() <= 1030, "{n}");
    }
    let forgotten = authority("h0.example");
    assert_eq!(
        world.session.shared_mut().hosts.find(&forgotten, Traffic::Main),
        None
    );
    // The one with a connection is not among them.
    world.submit(1);
    assert_eq!((world.ends().len(), world.dials.len()), (2, 1));
}

/// One connection at a time too few: the host that has nothing to do gives way, and the others wait for their turn.
#[test]
fn hosts_take_turns_where_there_are_too_few_connections() {
    let mut world = World::fcm(|config| config.max_hosts = 2, |_, _| String::new());
    let (now, suspect) = (world.now, crate::session::SendOptions::default().suspect());
    world.submit(1);
    world.session.submit(&fcm_message(), suspect, now).unwrap();
    world.settle();
    assert_eq!(
        (world.dials.len(), world.session.shared().hosts.connected()),
        (2, 2)
    );
    // Calls have connections of their own, and both places are taken by hosts that owe an answer.
    let call = super::rate::topic_call(1);
    world.session.exchange(call, Default::default(), now).unwrap();
    world.settle();
    assert_eq!((world.dials.len(), world.session.wanting()), (2, 1));
    let link = *world.inboxes.keys().next().unwrap();
    world
        .session
        .receive(link, answer(200, "", FCM_OK).as_bytes(), now);
    world.settle();
    assert_eq!(world.ends().len(), 1);
    assert_eq!((world.dials.len(), world.session.wanting()), (3, 0));
    assert_eq!(world.session.shared().hosts.connected(), 2);
}

/// The machine has no descriptor left: nothing is lost, what there is goes on, and a second later more is tried.
#[test]
fn missing_descriptors_are_waited_for() {
    let mut world = World::fcm(|_| {}, |_, _| answer(200, "", FCM_OK));
    let now = world.now;
    for _ in 0..2 {
        world
            .session
            .submit(&fcm_message(), Default::default(), now)
            .unwrap();
    }
    world.session.flush(now);
    for attempt in 0..5 {
        let Some(Action::Connect { link, .. }) = world.session.poll_action() else {
            panic!("attempt {attempt} is missing");
        };
        let error = Error::new(ErrorKind::OutOfDescriptors, "too many open files");
        world.session.connect_failed(link, error, world.now);
        assert!(matches!(world.session.poll_action(), Some(Action::Close { .. })));
        assert_eq!(world.session.poll_action(), None, "not at once");
        assert_eq!(world.session.stats().queued, 2);
        let missed = world.now.monotonic;
        while world.now.monotonic < missed + secs(1) {
            assert_eq!(
                world.session.poll_action(),
                None,
                "not before a second has passed"
            );
            let due = world.session.poll_timeout().expect("a timer");
            assert!(due > world.now.monotonic);
            world.at(due);
            world.session.handle_timeout(world.now);
        }
    }
    world.settle();
    assert_eq!(world.ends().len(), 2);
    assert_eq!(world.session.stats().accepted, 2);
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

/// Cancelled one by one, in any order: each ends, and the queue is empty.
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
