//! Many single sends at a time: as tasks of the client for tokio, and with the blocking client in `spawn_blocking`.

use std::sync::Arc;
use std::time::Instant;

use pushcore::apns::Aps;
use pushcore::apns::{DeviceToken, Message, PushType, Topic};
use pushcore::service::Kind;
use pushcore_sandbox::Latency;
use tokio::task::{JoinSet, spawn_blocking};

use crate::world::World;

const SENDS: usize = 2000;

/// Seconds of processor time of this process, the sandbox in it included.
#[cfg(target_os = "linux")]
fn cpu_seconds() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").expect("stat");
    let fields: Vec<&str> = stat
        .rsplit(')')
        .next()
        .expect("fields")
        .split_whitespace()
        .collect();
    let ticks: f64 = [fields[11], fields[12]]
        .iter()
        .map(|field| field.parse::<f64>().expect("ticks"))
        .sum();
    // USER_HZ is 100 on every Linux that Rust runs on.
    ticks / 100.0
}

fn message(world: &World) -> Message {
    let (_, device) = world.device(Kind::Apns, 1, false);
    let builder = Message::builder(PushType::Alert)
        .topic(Topic::parse(&world.text("/apns/topic")).expect("a topic"))
        .payload(Aps::new().alert("hello"));
    let token = DeviceToken::parse(&device.token()).expect("a token");
    builder.device(token).build().expect("a message")
}

/// 2,000 sends at a time to a service that takes 80 ms: a thread for each of them is what the blocking client needs.
#[cfg(target_os = "linux")]
#[test]
fn a_task_costs_less_than_a_thread() {
    let world = World::new();
    let late = Some(Latency::Fixed { ms: 80.0 });
    world.sandbox.set_latency(Some("apns"), late).expect("a service");
    let message = Arc::new(message(&world));
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build();
    let runtime = runtime.expect("a runtime");
    let measure = |what: &str, send: &dyn Fn(&mut JoinSet<bool>)| {
        let (began, used) = (Instant::now(), cpu_seconds());
        let accepted = runtime.block_on(async {
            let mut tasks = JoinSet::new();
            (0..SENDS).for_each(|_| send(&mut tasks));
            tasks
                .join_all()
                .await
                .into_iter()
                .filter(|accepted| *accepted)
                .count()
        });
        assert_eq!(accepted, SENDS, "{what}");
        let (wall, cpu) = (began.elapsed(), cpu_seconds() - used);
        println!("{what}: {SENDS} sends in {wall:?}, {cpu:.2} s of processor time with the sandbox's");
        cpu
    };
    let client = runtime.block_on(async {
        let mut config = pushcore_tokio::ClientConfig::new();
        config.security = Some(world.security());
        pushcore_tokio::Client::new(world.service(Kind::Apns), config).expect("a client")
    });
    let tasks = measure("tokio", &|tasks| {
        let (client, message) = (client.clone(), Arc::clone(&message));
        tasks.spawn(async move {
            client
                .send(&*message)
                .await
                .is_ok_and(|outcome| outcome.is_accepted())
        });
    });
    let blocking = pushcore_client::Client::new(world.service(Kind::Apns), world.config(|_| {}));
    let blocking = Arc::new(blocking.expect("a client"));
    let threads = measure("spawn_blocking", &|tasks| {
        let (client, message) = (Arc::clone(&blocking), Arc::clone(&message));
        tasks.spawn(async move {
            let send =
                spawn_blocking(move || client.send(&*message).is_ok_and(|outcome| outcome.is_accepted()));
            send.await.expect("an end")
        });
    });
    assert!(tasks < threads, "{tasks} s in tasks, {threads} s in threads");
}
