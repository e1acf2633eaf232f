//! Many users with one to five devices each on three services, of which one does not answer: `make storm-hub`.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use pushcore::notification::Retries;
use pushcore::service::Kind;

use crate::world::{Row, World, hello, tally};

/// How many users: 100,000 in `make storm-hub`.
fn users() -> u32 {
    let number = std::env::var("PUSHCORE_STORM_HUB_USERS");
    number.map_or(600, |number| number.parse().expect("a number"))
}

/// When the last device of a service other than FCM ended, and the counts.
fn run(world: &World, rows: &[Row], queue: usize) -> (Duration, BTreeMap<(Kind, String), usize>) {
    let hub = world.hub(|builder| builder.queue(queue).retries(Retries::standard()));
    let began = Instant::now();
    let mut last = Duration::ZERO;
    let deliveries = hub.notify(hello(), rows.iter().cloned());
    let deliveries = deliveries.inspect(|delivery| {
        if delivery.item.1.service() != Kind::Fcm {
            last = began.elapsed();
        }
    });
    let numbers = rows.len();
    let tally = tally(deliveries, numbers);
    hub.close_for(Duration::from_secs(20)).expect("this process");
    (last, tally)
}

#[test]
fn a_service_that_stalls_holds_nobody_back() {
    storm(run);
}

#[test]
fn nor_does_it_on_tokio() {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build();
    let runtime = runtime.expect("a runtime");
    storm(|world, rows, queue| runtime.block_on(crate::on_tokio::run(world, rows, queue)));
}

/// Runs a hub with all services, then with one that stalls.
fn storm(run: impl Fn(&World, &[Row], usize) -> (Duration, BTreeMap<(Kind, String), usize>)) {
    let world = World::new();
    let rows = world.population(users());
    let queue = (rows.len() / 10).clamp(20, 5000);
    let count = |kind: Kind| rows.iter().filter(|row| row.1.service() == kind).count();
    let of = |tally: &BTreeMap<(Kind, String), usize>, kind: Kind, word: &str| {
        tally.get(&(kind, word.to_owned())).copied().unwrap_or_default()
    };
    // All three answer.
    let (healthy, tally) = run(&world, &rows, queue);
    for kind in [Kind::Apns, Kind::Fcm, Kind::WebPush] {
        let (accepted, gone) = (of(&tally, kind, "accepted"), of(&tally, kind, "token_gone"));
        assert_eq!(accepted + gone, count(kind), "{tally:?}");
        assert!(gone > 0, "{tally:?}");
    }
    // FCM stops after a tenth of its devices.
    let answered = count(Kind::Fcm) / 10;
    world.stall_fcm(answered as u64);
    let (stalled, tally) = run(&world, &rows, queue);
    println!(
        "{} devices of {} users; the others were done after {healthy:?} with FCM, after {stalled:?} while it stalls: {tally:?}",
        rows.len(),
        users()
    );
    for kind in [Kind::Apns, Kind::WebPush] {
        let (accepted, gone) = (of(&tally, kind, "accepted"), of(&tally, kind, "token_gone"));
        assert_eq!(accepted + gone, count(kind), "{tally:?}");
    }
    let settled = of(&tally, Kind::Fcm, "accepted") + of(&tally, Kind::Fcm, "token_gone");
    assert!(settled <= answered, "{tally:?}");
    let fcm = ["Unknown", "Expired", "NotSent", "HandedBack"].map(|word| of(&tally, Kind::Fcm, word));
    assert_eq!(settled + fcm.iter().sum::<usize>(), count(Kind::Fcm), "{tally:?}");
    assert!(of(&tally, Kind::Fcm, "HandedBack") > 0, "{tally:?}");
    // Two seconds without an answer, and one for a busy machine; FCM's own work is no longer done.
    let most = healthy.mul_f64(1.5) + Duration::from_secs(3);
    assert!(
        stalled <= most,
        "{stalled:?}, where {healthy:?} was without the stall"
    );
}
