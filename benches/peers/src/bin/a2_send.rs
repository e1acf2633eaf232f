//! `a2_send KEY COUNT IN_FLIGHT [SECONDS]` sends COUNT pushes with a2, to distinct tokens, over one connection to
//! localhost:9473 (see prepare.sh), and stops after SECONDS. The same body as pushcore's benchmark sends.

use std::cell::Cell;
use std::rc::Rc;
use std::time::Instant;

use a2::{Client, ClientConfig, DefaultNotificationBuilder, Endpoint, NotificationBuilder, NotificationOptions};

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let mut key = std::fs::File::open(&arguments[0]).expect("a key");
    let count: u64 = arguments[1].parse().expect("a number");
    let in_flight: u64 = arguments[2].parse().expect("a number");
    let seconds: f64 = arguments.get(3).map_or(f64::INFINITY, |text| text.parse().expect("a number"));
    let config = ClientConfig::new(Endpoint::Sandbox);
    let client = Client::token(&mut key, "ABCDE12345", "TEAMID1234", config).expect("a client");
    if seconds.is_infinite() {
        send(&client, 0).await;
    }
    let accepted = Rc::new(Cell::new(0u64));
    let next = Rc::new(Cell::new(1u64));
    let started = Instant::now();
    let local = tokio::task::LocalSet::new();
    for _ in 0..in_flight {
        let (client, next, accepted) = (client.clone(), next.clone(), accepted.clone());
        local.spawn_local(async move {
            loop {
                let number = next.get();
                if number > count || started.elapsed().as_secs_f64() > seconds {
                    break;
                }
                next.set(number + 1);
                send(&client, number).await;
                accepted.set(accepted.get() + u64::from(started.elapsed().as_secs_f64() <= seconds));
            }
        });
    }
    local.await;
    let (count, wall) = (accepted.get(), started.elapsed().as_secs_f64().min(seconds));
    let status = std::fs::read_to_string("/proc/self/schedstat").expect("schedstat");
    let cpu = status.split(' ').next().and_then(|n| n.parse::<f64>().ok()).unwrap_or(0.0) / 1e9;
    println!(
        "sent={count} in_flight={in_flight} wall={wall:.3} cpu={cpu:.3} per_second={:.0} per_cpu_second={:.0} us_each={:.1}",
        count as f64 / wall,
        count as f64 / cpu,
        wall / count as f64 * 1e6 * in_flight as f64,
    );
}

async fn send(client: &Client, number: u64) {
    let word = number.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let token = format!("{word:016x}{number:016x}{word:016x}{number:016x}");
    let options = NotificationOptions {
        apns_topic: Some("com.example.app"),
        ..Default::default()
    };
    let payload = DefaultNotificationBuilder::new()
        .set_title("Your order is on its way")
        .set_body("It left the warehouse this morning and should arrive tomorrow before noon.")
        .set_sound("default")
        .set_badge(1)
        .build(&token, options);
    let answer = client.send(payload).await.expect("an answer");
    assert_eq!(answer.code, 200);
}
