//! The hub for tokio.

use std::collections::BTreeMap;
use std::future::poll_fn;
use std::pin::Pin;
use std::task::Poll;
use std::time::{Duration, Instant};

use futures_core::Stream;
use pushcore::ErrorKind;
use pushcore::notification::{Cause, Feedback, Stop};
use pushcore::service::Kind;
use pushcore_client::hub::Delivery;
use pushcore_sandbox::{Action, Fault};
use pushcore_tokio::ClientConfig;
use pushcore_tokio::hub::{Hub, HubBuilder};

use crate::world::{Row, World, every, hello, never, soon, tally, word};

const KINDS: [Kind; 3] = [Kind::Apns, Kind::Fcm, Kind::WebPush];

fn config(world: &World, kind: Kind) -> ClientConfig {
    let mut config = ClientConfig::new();
    config.security = Some(world.security());
    soon(kind, &mut config.session);
    config
}

pub(crate) fn hub(world: &World, configure: impl FnOnce(HubBuilder) -> HubBuilder) -> Hub {
    let mut builder = Hub::builder();
    for kind in KINDS {
        builder = builder.client(world.app(kind), world.service(kind), config(world, kind));
    }
    configure(builder).build().expect("a hub")
}

pub(crate) async fn next<S: Stream + Unpin>(stream: &mut S) -> Option<S::Item> {
    poll_fn(|context| -> Poll<Option<S::Item>> { Pin::new(&mut *stream).poll_next(context) }).await
}

async fn collect<S: Stream + Unpin>(mut stream: S) -> Vec<S::Item> {
    let mut all = Vec::new();
    while let Some(item) = next(&mut stream).await {
        all.push(item);
    }
    all
}

#[tokio::test]
async fn one_list_reaches_every_service() {
    let world = World::new();
    let hub = hub(&world, |builder| builder);
    let rows: Vec<Row> = (0..90)
        .map(|number| world.device(KINDS[number as usize % 3], number, number % 30 < 3))
        .collect();
    let mut deliveries = hub.notify(hello(), rows.clone());
    let mut all = Vec::new();
    while let Some(delivery) = next(&mut deliveries).await {
        all.push(delivery);
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
    let tally = tally(all.into_iter(), rows.len());
    for kind in KINDS {
        assert_eq!(tally[&(kind, "accepted".to_owned())], 27, "{tally:?}");
    }
    let text = hub.open_metrics().expect("labels");
    assert!(
        text.contains(r#"service="web_push",app="",environment="production",outcome="accepted"} 27"#),
        "{text}"
    );
    hub.close().await;
}

#[tokio::test]
async fn a_device_of_a_service_that_is_not_configured_ends_alone() {
    let world = World::new();
    let hub = Hub::builder().client(
        world.app(Kind::Apns),
        world.service(Kind::Apns),
        config(&world, Kind::Apns),
    );
    let hub = hub.build().expect("a hub");
    let rows = vec![
        world.device(Kind::Fcm, 0, false),
        world.device(Kind::Apns, 1, false),
    ];
    let mut ends = collect(hub.notify(hello(), rows)).await;
    ends.sort_by_key(|delivery| delivery.item.0);
    assert_eq!(
        ends[0].result.as_ref().expect_err("no client").kind(),
        ErrorKind::Misuse
    );
    assert_eq!(ends[0].feedback, Feedback::CheckConfiguration(Cause::Device));
    assert_eq!(word(&ends[1].result), "accepted");
}

#[tokio::test]
async fn what_may_be_sent_again_is_and_waits_as_it_was_told() {
    let world = World::new();
    let hub = hub(&world, |builder| builder);
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
    let ends = collect(hub.notify(hello(), vec![world.device(Kind::Fcm, 0, false)])).await;
    assert_eq!(word(&ends[0].result), "accepted");
    assert_eq!((ends[0].attempts.made(), ends[0].stop), (2, Some(Stop::Accepted)));
    assert!(began.elapsed() >= Duration::from_secs(1), "{:?}", began.elapsed());
}

#[tokio::test]
async fn a_token_that_comes_twice_is_sent_to_once() {
    let world = World::new();
    let hub = hub(&world, |builder| builder);
    let (_, device) = world.device(Kind::WebPush, 0, false);
    let mut ends = collect(hub.notify(hello(), vec![(0, device.clone()), (1, device)])).await;
    ends.sort_by_key(|delivery| delivery.item.0);
    assert_eq!(word(&ends[0].result), "accepted");
    assert_eq!(word(&ends[1].result), "DuplicateDevice");
    assert_eq!(ends[1].feedback, Feedback::CheckConfiguration(Cause::Device));
    hub.close().await;
}

#[tokio::test]
async fn a_total_deadline_ends_what_waits_and_what_is_under_way() {
    let world = World::new();
    let mut config = config(&world, Kind::Fcm);
    never(&mut config.session);
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
    let tally = tally(collect(hub.notify(hello(), rows)).await.into_iter(), 112);
    // What got a stream in time was written.
    let known = |word: &str| ["Expired", "Unknown"].contains(&word);
    assert!(tally.keys().all(|(_, word)| known(word)), "{tally:?}");
    assert!(began.elapsed() < Duration::from_secs(30), "{:?}", began.elapsed());
}

/// Nothing is read after `finish`, what was read goes on to its end, and what waits for another attempt ends with what is known.
#[tokio::test]
async fn a_drain_ends_in_order() {
    let world = World::new();
    let hub = hub(&world, |builder| builder);
    let busy = Action::Answer {
        status: 503,
        headers: vec![("retry-after".to_owned(), "60".to_owned())],
        body: None,
    };
    world.sandbox.fault(Fault {
        contains: Some("messages:send".to_owned()),
        ..every("fcm", busy)
    });
    let rows =
        (0u32..).map(|number| world.device([Kind::Apns, Kind::Fcm][number as usize % 2], number, false));
    let mut taken = 0;
    let mut deliveries = hub.notify(hello(), rows.inspect(|_| taken += 1));
    let first = next(&mut deliveries).await.expect("one");
    assert_eq!(word(&first.result), "accepted");
    let began = Instant::now();
    deliveries.finish();
    let mut ended = 1;
    while let Some(delivery) = next(&mut deliveries).await {
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
    hub.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hub_closed_half_way_ends_what_it_took() {
    let world = World::new();
    let hub = hub(&world, |builder| builder.remember(0));
    let device = world.device(Kind::Apns, 0, false).1;
    let taken = std::sync::Arc::new(std::sync::atomic::AtomicU32::new(0));
    let counter = std::sync::Arc::clone(&taken);
    let endless = (0u32..).map(move |number| {
        counter.store(number + 1, std::sync::atomic::Ordering::SeqCst);
        (number, device.clone())
    });
    let mut deliveries = hub.notify(hello(), endless);
    for _ in 0..300 {
        assert_eq!(
            word(&next(&mut deliveries).await.expect("one").result),
            "accepted"
        );
    }
    let closer = {
        let hub = hub.clone();
        tokio::spawn(async move { hub.close().await })
    };
    let mut ended = 300;
    while let Some(delivery) = next(&mut deliveries).await {
        let word = word(&delivery.result);
        assert!(
            ["accepted", "Closed", "NotSent"].contains(&word.as_str()),
            "{delivery:?}"
        );
        ended += 1;
    }
    closer.await.expect("closed");
    assert_eq!(ended, taken.load(std::sync::atomic::Ordering::SeqCst));
}

#[tokio::test]
async fn dropping_the_deliveries_cancels_the_rest() {
    let world = World::new();
    let hub = hub(&world, |builder| builder);
    world.stall_fcm(0);
    let rows: Vec<Row> = vec![
        world.device(Kind::Fcm, 0, false),
        world.device(Kind::Apns, 1, false),
    ];
    let mut deliveries = hub.notify(hello(), rows);
    assert_eq!(next(&mut deliveries).await.expect("one").item.0, 1);
    drop(deliveries);
    let app = world.app(Kind::Fcm);
    let client = hub.client(&app).expect("opened").expect("configured");
    assert_eq!(client.stats().cancelled, 1);
    hub.close().await;
}

/// As the storm with threads: a service that stalls holds the others back for two seconds at most.
pub(crate) async fn run(
    world: &World,
    rows: &[Row],
    queue: usize,
) -> (Duration, BTreeMap<(Kind, String), usize>) {
    let hub = hub(world, |builder| builder.queue(queue));
    let began = Instant::now();
    let (mut last, mut all) = (Duration::ZERO, Vec::<Delivery<Row>>::new());
    let mut deliveries = hub.notify(hello(), rows.iter().cloned());
    while let Some(delivery) = next(&mut deliveries).await {
        if delivery.item.1.service() != Kind::Fcm {
            last = began.elapsed();
        }
        all.push(delivery);
    }
    drop(deliveries);
    let _ = tokio::time::timeout(Duration::from_secs(20), hub.close()).await;
    (last, tally(all.into_iter(), rows.len()))
}
