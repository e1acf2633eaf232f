//! The blocking hub.

use std::time::{Duration, Instant};

use pushcore::ErrorKind;
use pushcore::notification::{Cause, Device, Feedback, Retries, Stop};
use pushcore::service::Kind;
use pushcore_client::hub::Hub;
use pushcore_sandbox::{Action, Fault};

use crate::world::{Row, World, every, hello, never, tally, word};

const KINDS: [Kind; 3] = [Kind::Apns, Kind::Fcm, Kind::WebPush];

#[test]
fn one_list_reaches_every_service() {
    let world = World::new();
    let hub = world.hub(|builder| builder);
    let rows: Vec<Row> = (0..90)
        .map(|number| world.device(KINDS[number as usize % 3], number, number % 30 < 3))
        .collect();
    let mut deliveries = hub.notify(hello(), rows.clone());
    let tally = tally(&mut deliveries, rows.len());
    for kind in KINDS {
        assert_eq!(tally[&(kind, "accepted".to_owned())], 27, "{tally:?}");
        assert_eq!(tally[&(kind, "token_gone".to_owned())], 3, "{tally:?}");
    }
    for (app, progress) in deliveries.progress() {
        let counts = (
            progress.taken,
            progress.accepted,
            progress.token_gone,
            progress.in_flight,
        );
        assert_eq!(counts, (30, 27, 3, 0), "{app:?}");
    }
    let text = hub.open_metrics().expect("this process");
    assert!(
        text.contains(r#"service="fcm",app="",environment="production",outcome="token_gone"} 3"#),
        "{text}"
    );
    drop(deliveries);
    hub.close().expect("closed");
}

/// Clients are opened when they are needed, and a device without one is no reason for the others to wait.
#[test]
fn a_device_of_a_service_that_is_not_configured_ends_alone() {
    let world = World::new();
    let config = world.config(|_| {});
    let hub = Hub::builder().client(world.app(Kind::Apns), world.service(Kind::Apns), config);
    let hub = hub.build().expect("a hub");
    let rows = vec![
        world.device(Kind::Fcm, 0, false),
        world.device(Kind::Apns, 1, false),
    ];
    let mut ends: Vec<_> = hub.notify(hello(), rows).collect();
    ends.sort_by_key(|delivery| delivery.item.0);
    let error = ends[0].result.as_ref().expect_err("no client");
    assert_eq!(error.kind(), ErrorKind::Misuse);
    assert!(
        error
            .to_string()
            .contains("no client of the hub serves fcm production"),
        "{error}"
    );
    assert_eq!(ends[0].feedback, Feedback::CheckConfiguration(Cause::Device));
    assert_eq!(ends[0].attempts.made(), 0);
    assert_eq!(word(&ends[1].result), "accepted");
    // A hub that sends nothing opens nothing.
    assert_eq!(hub.metrics().expect("this process").len(), 1);
}

/// A bundle that the device does not name is an error of the item.
#[test]
fn a_message_that_cannot_be_made_ends_alone() {
    let world = World::new();
    let nameless = pushcore::notification::App::new(Kind::Apns)
        .in_environment(pushcore::notification::Environment::Sandbox)
        .expect("an app");
    let config = world.config(|_| {});
    let hub = Hub::builder().client(nameless, world.service(Kind::Apns), config);
    let hub = hub.build().expect("a hub");
    let without = Device::builder(Kind::Apns)
        .environment(pushcore::notification::Environment::Sandbox)
        .token(&"ab".repeat(32))
        .build()
        .expect("a device");
    let rows = vec![(0, without), world.device(Kind::Apns, 1, false)];
    let mut ends: Vec<_> = hub.notify(hello(), rows).collect();
    ends.sort_by_key(|delivery| delivery.item.0);
    let error = ends[0].result.as_ref().expect_err("no bundle id");
    assert_eq!(error.kind(), ErrorKind::MissingField);
    assert_eq!(word(&ends[1].result), "accepted");
}

#[test]
fn what_may_be_sent_again_is_and_waits_as_it_was_told() {
    let world = World::new();
    let hub = world.hub(|builder| builder);
    let busy = Action::Answer {
        status: 503,
        headers: vec![("retry-after".to_owned(), "1".to_owned())],
        body: None,
    };
    world.sandbox.fault(Fault {
        times: Some(1),
        contains: Some("messages:send".to_owned()),
        ..every("fcm", busy)
    });
    let began = Instant::now();
    let ends: Vec<_> = hub
        .notify(hello(), vec![world.device(Kind::Fcm, 0, false)])
        .collect();
    assert_eq!(ends.len(), 1);
    assert_eq!(word(&ends[0].result), "accepted");
    assert_eq!((ends[0].attempts.made(), ends[0].stop), (2, Some(Stop::Accepted)));
    assert!(began.elapsed() >= Duration::from_secs(1), "{:?}", began.elapsed());
}

#[test]
fn a_policy_of_one_attempt_sends_nothing_again() {
    let world = World::new();
    let hub = world.hub(|builder| builder.retries(Retries::none()));
    let busy = Action::Answer {
        status: 503,
        headers: Vec::new(),
        body: None,
    };
    world.sandbox.fault(every("apns", busy));
    let ends: Vec<_> = hub
        .notify(hello(), vec![world.device(Kind::Apns, 0, false)])
        .collect();
    assert_eq!(word(&ends[0].result), "retry_later");
    assert_eq!((ends[0].attempts.made(), ends[0].stop), (1, Some(Stop::Attempts)));
}

/// The second row of a token is told apart from every other end, and nothing else is disturbed.
#[test]
fn a_token_that_comes_twice_is_sent_to_once() {
    let world = World::new();
    let hub = world.hub(|builder| builder);
    let twins: Vec<Row> = KINDS
        .into_iter()
        .zip(0..)
        .flat_map(|(kind, number)| {
            let (_, device) = world.device(kind, number, false);
            [(2 * number, device.clone()), (2 * number + 1, device)]
        })
        .collect();
    let mut deliveries = hub.notify(hello(), twins.clone());
    let mut ends: Vec<_> = deliveries.by_ref().collect();
    ends.sort_by_key(|delivery| delivery.item.0);
    for pair in ends.chunks(2) {
        assert_eq!(word(&pair[0].result), "accepted");
        let error = pair[1].result.as_ref().expect_err("a duplicate");
        assert_eq!(error.kind(), ErrorKind::DuplicateDevice);
        assert_eq!(pair[1].feedback, Feedback::CheckConfiguration(Cause::Device));
    }
    for (_, progress) in deliveries.progress() {
        assert_eq!((progress.taken, progress.accepted), (1, 1));
    }
    drop(deliveries);
    // Another list is another notification.
    let again = tally(
        hub.notify(
            hello(),
            twins
                .into_iter()
                .step_by(2)
                .map(|(number, device)| (number / 2, device)),
        ),
        3,
    );
    assert_eq!(again.values().sum::<usize>(), 3);
    assert!(again.keys().all(|(_, word)| word == "accepted"), "{again:?}");
    hub.close().expect("closed");
}

/// Everything ends in time, also what waits behind a service that does not answer.
#[test]
fn a_total_deadline_ends_what_waits_and_what_is_under_way() {
    let world = World::new();
    let config = world.config(|config| never(&mut config.session));
    let hub = Hub::builder()
        .client(world.app(Kind::Fcm), world.service(Kind::Fcm), config)
        .queue(10)
        .total_deadline(Duration::from_millis(1500))
        .build()
        .expect("a hub");
    world.stall_fcm(0);
    let rows: Vec<Row> = (0..112)
        .map(|number| world.device(Kind::Fcm, number, false))
        .collect();
    let began = Instant::now();
    let tally = tally(hub.notify(hello(), rows), 112);
    // What got a stream in time was written.
    let known = |word: &str| ["Expired", "Unknown"].contains(&word);
    assert!(tally.keys().all(|(_, word)| known(word)), "{tally:?}");
    // Three seconds: the last devices are taken when the first ones have ended. A client alone waits for a minute.
    assert!(began.elapsed() < Duration::from_secs(30), "{:?}", began.elapsed());
    hub.close_for(Duration::from_secs(5)).expect("this process");
}

/// A policy's wait that would end too late is not begun, so that the caller hears at once.
#[test]
fn a_wait_beyond_the_total_deadline_is_not_begun() {
    let world = World::new();
    let hub = world.hub(|builder| builder.total_deadline(Duration::from_secs(20)));
    let busy = Action::Answer {
        status: 503,
        headers: vec![("retry-after".to_owned(), "60".to_owned())],
        body: None,
    };
    world.sandbox.fault(Fault {
        contains: Some("messages:send".to_owned()),
        ..every("fcm", busy)
    });
    let began = Instant::now();
    let ends: Vec<_> = hub
        .notify(hello(), vec![world.device(Kind::Fcm, 0, false)])
        .collect();
    assert_eq!(word(&ends[0].result), "retry_later");
    assert_eq!((ends[0].attempts.made(), ends[0].stop), (1, Some(Stop::Time)));
    assert!(began.elapsed() < Duration::from_secs(15), "{:?}", began.elapsed());
}

/// A hub that is closed by another thread reads no further, and every device that was read ends.
#[test]
fn a_hub_closed_half_way_ends_what_it_took() {
    let world = World::new();
    let hub = world.hub(|builder| builder.remember(0));
    let device = world.device(Kind::Apns, 0, false).1;
    let mut taken = 0;
    let endless = (0u32..).map(|number| {
        taken = number + 1;
        (number, device.clone())
    });
    let mut ended = 0;
    let mut deliveries = hub.notify(hello(), endless);
    for delivery in deliveries.by_ref().take(300) {
        assert_eq!(word(&delivery.result), "accepted");
        ended += 1;
    }
    std::thread::scope(|scope| {
        let closer = scope.spawn(|| hub.close().expect("this process"));
        for delivery in deliveries.by_ref() {
            let word = word(&delivery.result);
            assert!(
                ["accepted", "Closed", "NotSent"].contains(&word.as_str()),
                "{delivery:?}"
            );
            ended += 1;
        }
        closer.join().expect("closed");
    });
    drop(deliveries);
    assert_eq!(ended, taken);
}

/// Nothing is read after `finish`, what was read goes on to its end, and what waits for another attempt ends with what is known.
#[test]
fn a_drain_ends_in_order() {
    let world = World::new();
    let hub = world.hub(|builder| builder);
    let busy = Action::Answer {
        status: 503,
        headers: vec![("retry-after".to_owned(), "60".to_owned())],
        body: None,
    };
    world.sandbox.fault(Fault {
        contains: Some("messages:send".to_owned()),
        ..every("fcm", busy)
    });
    let mut taken = 0;
    let rows = (0u32..).map(|number| {
        taken += 1;
        world.device([Kind::Apns, Kind::Fcm][number as usize % 2], number, false)
    });
    let mut deliveries = hub.notify(hello(), rows);
    assert_eq!(word(&deliveries.next().expect("one").result), "accepted");
    let began = Instant::now();
    deliveries.finish();
    let mut ended = 1;
    for delivery in deliveries.by_ref() {
        let expected: &[&str] = match delivery.item.1.service() {
            Kind::Apns => &["accepted", "NotSent"],
            _ => &["retry_later", "NotSent"],
        };
        let word = word(&delivery.result);
        assert!(expected.contains(&word.as_str()), "{delivery:?}");
        ended += 1;
    }
    assert!(began.elapsed() < Duration::from_secs(20), "{:?}", began.elapsed());
    drop(deliveries);
    assert_eq!(ended, taken);
    hub.close().expect("closed");
}

/// A source for each service: none is in the way of another, even where one does not answer at all.
#[test]
fn sources_by_service_are_never_in_each_others_way() {
    let world = World::new();
    let hub = world.hub(|builder| builder.queue(10).remember(0));
    world.stall_fcm(0);
    let of = |kind: Kind, first: u32, count: u32| -> Vec<Row> {
        let device = world.device(kind, first, false).1;
        (first..first + count)
            .map(|number| (number, device.clone()))
            .collect()
    };
    let fcm = of(Kind::Fcm, 0, 40);
    let apns = of(Kind::Apns, 40, 400);
    let tally = tally(hub.notify(hello(), fcm).and(apns), 440);
    assert_eq!(tally[&(Kind::Apns, "accepted".to_owned())], 400);
    assert!(!tally.keys().any(|(_, word)| word == "HandedBack"), "{tally:?}");
}

/// What is left undone is cancelled, and the client is free for others.
#[test]
fn dropping_the_deliveries_cancels_the_rest() {
    let world = World::new();
    let hub = world.hub(|builder| builder);
    world.stall_fcm(0);
    let rows: Vec<Row> = vec![
        world.device(Kind::Fcm, 0, false),
        world.device(Kind::Apns, 1, false),
    ];
    let mut deliveries = hub.notify(hello(), rows);
    assert_eq!(deliveries.next().expect("one").item.0, 1);
    drop(deliveries);
    let app = world.app(Kind::Fcm);
    let client = hub.client(&app).expect("opened").expect("configured");
    assert_eq!(client.stats().cancelled, 1);
    hub.close().expect("closed");
}
