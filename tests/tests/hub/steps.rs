//! The blocking hub in steps.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use pushcore::ErrorKind;
use pushcore::service::Kind;
use pushcore_client::hub::{Batch, Delivery};

use crate::world::{Row, World, hello, word};

const KINDS: [Kind; 3] = [Kind::Apns, Kind::Fcm, Kind::WebPush];
const STEP: Duration = Duration::from_millis(20);
const LONG: Duration = Duration::from_secs(60);

/// Offers every row, and waits for every end; a row that found no room is offered again.
fn send(batch: &mut Batch<Row>, rows: Vec<Row>, mut each: impl FnMut(Delivery<Row>)) {
    let start = Instant::now();
    let mut rows = rows.into_iter();
    let mut next = rows.next();
    loop {
        while let Some(row) = next.take() {
            match batch.offer(row) {
                Ok(()) => next = rows.next(),
                Err(row) => {
                    next = Some(row);
                    break;
                }
            }
        }
        if next.is_none() {
            batch.finish();
        }
        let ended: Vec<_> = batch.wait(STEP).collect();
        ended.into_iter().for_each(&mut each);
        if next.is_none() && batch.is_idle() {
            return;
        }
        assert!(start.elapsed() < LONG, "no end");
    }
}

#[test]
fn what_is_offered_ends_once() {
    let world = World::new();
    // With three places for each service, the rows come back more often than not.
    let hub = Arc::new(world.hub(|builder| builder.queue(3)));
    let rows: Vec<Row> = (0..90)
        .map(|number| world.device(KINDS[number as usize % 3], number, number % 30 < 3))
        .collect();
    let mut batch = Batch::of_notification(Arc::clone(&hub), hello());
    assert_eq!(batch.wait(LONG).count(), 0, "nothing is under way");
    let (mut seen, mut tally) = (vec![0; 90], BTreeMap::new());
    send(&mut batch, rows, |delivery| {
        seen[delivery.item.0 as usize] += 1;
        *tally.entry(word(&delivery.result)).or_insert(0) += 1;
    });
    assert_eq!(seen, [1; 90]);
    assert_eq!(
        tally,
        BTreeMap::from([("accepted".into(), 81), ("token_gone".into(), 9)])
    );
    for (app, progress) in batch.progress() {
        assert_eq!((progress.taken, progress.in_flight), (30, 0), "{app:?}");
    }
    assert!(!batch.is_open());
    let row = world.device(Kind::Apns, 90, false);
    assert_eq!(batch.offer(row).expect_err("finished").0, 90);
    drop(batch);
    hub.close().expect("closed");
}

/// What was accepted stays so; everything else ends as cancelled, and nothing is sent after it.
#[test]
fn a_cancelled_batch_tells_every_end() {
    let world = World::new();
    world.stall_fcm(5);
    let hub = Arc::new(world.hub(|builder| builder.queue(1000)));
    let mut batch = Batch::of_notification(Arc::clone(&hub), hello());
    for number in 0..200 {
        let row = world.device(Kind::Fcm, number, false);
        batch.offer(row).expect("room");
    }
    let (start, mut ends) = (Instant::now(), Vec::new());
    while ends.len() < 5 {
        ends.extend(batch.wait(STEP));
        assert!(start.elapsed() < LONG, "no answers");
    }
    batch.cancel();
    assert!(batch.is_idle() && !batch.is_open());
    ends.extend(batch.wait(STEP));
    let mut seen: Vec<u32> = ends.iter().map(|delivery| delivery.item.0).collect();
    seen.sort_unstable();
    assert_eq!(seen, (0..200).collect::<Vec<_>>());
    let (taken, others): (Vec<_>, Vec<_>) = ends.iter().partition(|delivery| delivery.result.is_ok());
    assert_eq!(taken.len(), 5);
    for delivery in others {
        let error = delivery.result.as_ref().expect_err("no answer");
        assert_eq!(error.kind(), ErrorKind::Cancelled, "{error}");
    }
    assert_eq!(batch.wait(LONG).count(), 0);
}

/// A batch that is dropped lets its hub go.
#[test]
fn a_dropped_batch_leaves_its_hub_whole() {
    let world = World::new();
    let hub = Arc::new(world.hub(|builder| builder));
    let mut batch = Batch::of_notification(Arc::clone(&hub), hello());
    for number in 0..50 {
        let row = world.device(Kind::Apns, number, false);
        batch.offer(row).expect("room");
    }
    let _ = batch.wait(Duration::ZERO).count();
    drop(batch);
    let hub = Arc::into_inner(hub).expect("nobody else has it");
    let row = world.device(Kind::Apns, 50, false);
    let ends: Vec<_> = hub.notify(hello(), [row]).collect();
    assert_eq!(word(&ends[0].result), "accepted");
    assert!(hub.close_for(LONG).expect("this process"));
    let mut closed = Batch::of_notification(Arc::new(hub), hello());
    assert!(!closed.is_open());
    let ends: Vec<_> = match closed.offer(world.device(Kind::Apns, 51, false)) {
        Ok(()) => closed.wait(LONG).collect(),
        Err(_) => Vec::new(),
    };
    assert!(ends.iter().all(|delivery| delivery.result.is_err()), "{ends:?}");
}
