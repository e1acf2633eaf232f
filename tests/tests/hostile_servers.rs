//! The table of hostile servers, each beside a healthy one. Three bounds for each row, measured: the time to the
//! end of every message, the growth of the resident memory, and the accounting.

use std::future::poll_fn;
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_core::Stream;
use pushcore::crypto::Es256Key;
use pushcore::http::Authority as Host;
use pushcore::net::Security;
use pushcore::session::Stats;
use pushcore::{fcm, webpush};
use pushcore_client::{Client, ClientConfig, Proxy, Resolver};
use pushcore_tests::sim::certificates::Authority;
use pushcore_tests::sim::fixture;
use pushcore_tests::sim::hostile::{Behaviour, Hostile, Wire, healthy};
use pushcore_tests::sim::{hostile_answers, hostile_rows};

const DEADLINE: Duration = Duration::from_millis(600);
/// Beyond the deadline. The machine may be busy with other tests.
const SLACK: Duration = Duration::from_millis(500);
/// The most that the process may grow while a row runs, the server included.
const MOST_GROWTH: u64 = 32 * 1024 * 1024;
const MESSAGES: usize = 20;

/// The resident memory of this process at its highest, and at the moment.
fn memory() -> (u64, u64) {
    let status = std::fs::read_to_string("/proc/self/status").expect("linux");
    let of = |name: &str| {
        let line = status
            .lines()
            .find(|line| line.starts_with(name))
            .expect("a line");
        let number = line.split_whitespace().nth(1).expect("a number");
        number.parse::<u64>().expect("a number") * 1024
    };
    (of("VmHWM:"), of("VmRSS:"))
}

/// What a row came to.
struct Measured {
    took: Duration,
    slowest_healthy: Duration,
    grown: u64,
    stats: Stats,
}

/// Runs one row and says what of it does not hold.
fn check(name: &str, healthy: u64, run: impl FnOnce() -> Measured) -> Vec<String> {
    // The peak is counted from here (proc(5)).
    std::fs::write("/proc/self/clear_refs", "5").expect("linux");
    let before = memory().1;
    let mut measured = run();
    measured.grown = memory().0.saturating_sub(before);
    let Measured {
        took,
        slowest_healthy,
        grown,
        stats,
    } = &measured;
    println!(
        "{name:60} {:>5} ms {:>5} ms {:>6} KiB  not sent {} unknown {} expired {} answered {}",
        took.as_millis(),
        slowest_healthy.as_millis(),
        grown / 1024,
        stats.not_sent,
        stats.unknown,
        stats.expired,
        stats.ended() - stats.not_sent - stats.unknown - stats.expired,
    );
    let mut faults = Vec::new();
    let mut must = |holds: bool, text: String| {
        if !holds {
            faults.push(format!("{name}: {text}"));
        }
    };
    must(*took < DEADLINE + SLACK, format!("ended after {took:?}"));
    must(
        *slowest_healthy < DEADLINE,
        format!("a healthy one took {slowest_healthy:?}"),
    );
    must(*grown < MOST_GROWTH, format!("grew by {} KiB", grown / 1024));
    must(stats.is_balanced(), format!("{stats:?}"));
    must(stats.ended() == MESSAGES as u64 + healthy, format!("{stats:?}"));
    must(
        stats.accepted >= healthy,
        format!("healthy messages are missing: {stats:?}"),
    );
    faults
}

fn settings(ca: &Authority, config: &mut ClientConfig) {
    let tls = fixture::trusting(ca).build().expect("a configuration");
    config.security = Some(Security::Tls(tls));
    config.session.deadline = DEADLINE;
    config.session.first_backoff = Duration::from_millis(50);
}

/// A message with a body, which a closed window holds up.
fn message(policy: &webpush::EndpointPolicy, host: &str, number: usize) -> webpush::Message {
    // The receiver of RFC 8291, appendix A.
    let json = format!(
        r#"{{"endpoint":"https://{host}/p/{number}","keys":{{
        "p256dh":"BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4",
        "auth":"BTBZMqHH6r4Tts7J_aSIgg"}}}}"#
    );
    let subscription = webpush::Subscription::parse(json.as_bytes(), policy).expect("a subscription");
    let builder = webpush::Message::builder(subscription).payload("hello");
    builder.build().expect("a message")
}

/// A client of Web Push, and messages to these hosts.
struct Pusher {
    client: Client,
    policy: Arc<webpush::EndpointPolicy>,
}

impl Pusher {
    fn new(ca: &Authority, hosts: &[&str], change: impl FnOnce(&mut ClientConfig)) -> Self {
        let trust = |policy: webpush::EndpointPolicy, host: &&str| {
            policy.trust(Host::parse(host).expect("an authority"))
        };
        let any = webpush::EndpointPolicy::default().allow_any_public_host();
        let policy = Arc::new(hosts.iter().fold(any, trust));
        let mut config = ClientConfig::new();
        settings(ca, &mut config);
        change(&mut config);
        let key = Es256Key::generate().expect("a key");
        let credentials = webpush::Credentials::new(key, "mailto:ops@example.org").expect("credentials");
        let service = webpush::Service::new(credentials, Arc::clone(&policy));
        Self {
            client: Client::new(service, config).expect("a client"),
            policy,
        }
    }

    fn message(&self, host: &str, number: usize) -> webpush::Message {
        message(&self.policy, host, number)
    }

    /// Sends to the hostile host, and one after the other to the healthy one meanwhile.
    fn run(&self, hostile: &str, healthy: Option<&str>) -> Measured {
        let started = Instant::now();
        let bad: Vec<_> = (0..MESSAGES)
            .map(|number| self.message(hostile, number))
            .collect();
        let (mut took, mut slowest_healthy) = (Duration::ZERO, Duration::ZERO);
        std::thread::scope(|scope| {
            let ending = scope.spawn(|| {
                assert_eq!(self.client.send_many(&bad).count(), MESSAGES);
                started.elapsed()
            });
            for number in 0..if healthy.is_some() { HEALTHY } else { 0 } {
                let began = Instant::now();
                // Whether it was accepted is seen in the counters.
                let _ = self
                    .client
                    .send(&self.message(healthy.unwrap_or_default(), number));
                slowest_healthy = slowest_healthy.max(began.elapsed());
                std::thread::sleep(DEADLINE / (2 * HEALTHY as u32));
            }
            took = ending.join().expect("no panic");
        });
        Measured {
            took,
            slowest_healthy,
            grown: 0,
            stats: self.client.stats(),
        }
    }
}

const HEALTHY: usize = 5;

fn beside_a_healthy_one(rows: Vec<Behaviour>) {
    let ca = Authority::new();
    let good = Hostile::start(&ca, healthy());
    let mut faults = Vec::new();
    let count = rows.len();
    for row in rows {
        let (name, hostile) = (row.name.clone(), Hostile::start(&ca, row));
        let pusher = Pusher::new(&ca, &[&hostile.host(), &good.host()], |_| {});
        faults.extend(check(&name, HEALTHY as u64, || {
            pusher.run(&hostile.host(), Some(&good.host()))
        }));
    }
    println!("{count} rows");
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn floods() {
    beside_a_healthy_one(hostile_rows::floods());
}

#[test]
fn frames() {
    beside_a_healthy_one(hostile_rows::frames());
}

#[test]
fn http1() {
    beside_a_healthy_one(hostile_rows::http1());
}

#[test]
fn tls() {
    beside_a_healthy_one(hostile_rows::tls());
}

#[test]
fn header_blocks() {
    beside_a_healthy_one(hostile_answers::header_blocks());
}

#[test]
fn answers() {
    beside_a_healthy_one(hostile_answers::answers());
}

#[test]
fn http1_answers() {
    beside_a_healthy_one(hostile_answers::http1_answers());
}

/// The rows once more, with the client for tokio: each on one thread that hears of everything.
#[test]
fn tokio() {
    let tables = [
        hostile_rows::floods(),
        hostile_rows::frames(),
        hostile_rows::http1(),
        hostile_rows::tls(),
        hostile_answers::header_blocks(),
        hostile_answers::answers(),
        hostile_answers::http1_answers(),
    ];
    let ca = Authority::new();
    let good = Hostile::start(&ca, healthy());
    let mut faults = Vec::new();
    for row in tables.into_iter().flatten() {
        let (name, hostile) = (format!("tokio: {}", row.name), Hostile::start(&ca, row));
        faults.extend(check(&name, HEALTHY as u64, || {
            on_tokio(&ca, &hostile.host(), &good.host())
        }));
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

fn on_tokio(ca: &Authority, hostile: &str, good: &str) -> Measured {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.expect("a runtime").block_on(async {
        let any = webpush::EndpointPolicy::default();
        let trust =
            |policy: webpush::EndpointPolicy, host| policy.trust(Host::parse(host).expect("an authority"));
        let policy = Arc::new([hostile, good].into_iter().fold(any, trust));
        let mut config = pushcore_tokio::ClientConfig::new();
        let tls = fixture::trusting(ca).build().expect("a configuration");
        config.security = Some(Security::Tls(tls));
        config.session.deadline = DEADLINE;
        config.session.first_backoff = Duration::from_millis(50);
        let key = Es256Key::generate().expect("a key");
        let credentials = webpush::Credentials::new(key, "mailto:ops@example.org").expect("credentials");
        let service = webpush::Service::new(credentials, Arc::clone(&policy));
        let client = pushcore_tokio::Client::new(service, config).expect("a client");
        let started = Instant::now();
        let bad: Vec<_> = (0..MESSAGES)
            .map(|number| message(&policy, hostile, number))
            .collect();
        let well: Vec<_> = (0..HEALTHY)
            .map(|number| message(&policy, good, number))
            .collect();
        let attacked = async {
            let mut results = std::pin::pin!(client.send_many(&bad));
            let mut count = 0;
            while poll_fn(|task| results.as_mut().poll_next(task)).await.is_some() {
                count += 1;
            }
            assert_eq!(count, MESSAGES);
            started.elapsed()
        };
        let beside = async {
            let mut slowest = Duration::ZERO;
            for one in &well {
                let began = Instant::now();
                // Whether it was accepted is seen in the counters.
                let _ = client.send(one).await;
                slowest = slowest.max(began.elapsed());
                tokio::time::sleep(DEADLINE / (2 * HEALTHY as u32)).await;
            }
            slowest
        };
        let (took, slowest_healthy) = tokio::join!(attacked, beside);
        let stats = client.stats();
        client.close().await;
        Measured {
            took,
            slowest_healthy,
            grown: 0,
            stats,
        }
    })
}

/// Names whose servers are silent, wrong or lavish; the healthy host has a name, too.
#[test]
fn names() {
    let ca = Authority::new();
    let good = Hostile::start(&ca, healthy());
    let here = good.address();
    type Lookup = fn() -> std::io::Result<Vec<std::net::SocketAddr>>;
    let rows: [(&str, Lookup); 12] = [
        ("dns: silent", || {
            std::thread::sleep(Duration::from_secs(5));
            Ok(Vec::new())
        }),
        ("dns: slower than the deadline", || {
            std::thread::sleep(Duration::from_millis(800));
            Err(std::io::ErrorKind::NotFound.into())
        }),
        ("dns: no such name", || Err(std::io::ErrorKind::NotFound.into())),
        ("dns: no address", || Ok(Vec::new())),
        ("dns: 100,000 addresses", || {
            Ok(vec![([127, 0, 0, 1], 9).into(); 100_000])
        }),
        ("dns: an address inside", || Ok(vec![([10, 0, 0, 1], 443).into()])),
        ("dns: hundreds that are nowhere", || {
            Ok((0..300).map(|n| ([127, 0, 1, n as u8], 9).into()).collect())
        }),
        ("dns: no address at all", || Ok(vec![([0, 0, 0, 0], 443).into()])),
        ("dns: the metadata server", || {
            Ok(vec![([169, 254, 169, 254], 80).into()])
        }),
        ("dns: everybody", || Ok(vec![([255, 255, 255, 255], 443).into()])),
        ("dns: port 0 of a name of our own", || {
            Ok(vec![([127, 0, 0, 1], 0).into()])
        }),
        ("dns: a panic", || std::panic::resume_unwind(Box::new(()))),
    ];
    let mut faults = Vec::new();
    for (name, lookup) in rows {
        let host = "hostile.example.org:443";
        let pusher = Pusher::new(&ca, &[&good.host()], |config| {
            config.resolver = Resolver::new(move |host, _| match host {
                "localhost" => Ok(vec![here]),
                _ => lookup(),
            });
        });
        faults.extend(check(name, HEALTHY as u64, || {
            pusher.run(host, Some(&good.host()))
        }));
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn proxies() {
    let ca = Authority::new();
    let mut faults = Vec::new();
    for (row, scheme) in hostile_rows::proxies() {
        let (name, hostile) = (row.name.clone(), Hostile::start(&ca, row));
        let host = "localhost:9";
        let pusher = Pusher::new(&ca, &[host], |config| {
            let url = format!("{scheme}://{}", hostile.address());
            config.proxy = Some(Proxy::parse(&url).expect("a proxy"));
        });
        faults.extend(check(&name, 0, || pusher.run(host, None)));
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn tokens() {
    let ca = Authority::new();
    let mut faults = Vec::new();
    for row in hostile_rows::tokens() {
        let (name, hostile) = (row.name.clone(), Hostile::start(&ca, row));
        let good = Hostile::start(
            &ca,
            Behaviour::new("fcm", Wire::H2, healthy().hello).answers(healthy().answer),
        );
        let file = include_bytes!("../../core/tests/data/fcm_service_account.json");
        let credentials = fcm::Credentials::service_account(file)
            .expect("credentials")
            .with_token_authority(Host::parse(&hostile.host()).expect("an authority"));
        let hosts = fcm::Hosts::all(&Host::parse(&good.host()).expect("an authority"));
        let mut config = ClientConfig::new();
        settings(&ca, &mut config);
        let client = Client::new(fcm::Service::new(credentials, hosts), config).expect("a client");
        faults.extend(check(&name, 0, || {
            let started = Instant::now();
            let messages = (0..MESSAGES).map(|_| fixture::fcm_message());
            assert_eq!(client.send_many(messages).count(), MESSAGES);
            Measured {
                took: started.elapsed(),
                slowest_healthy: Duration::ZERO,
                grown: 0,
                stats: client.stats(),
            }
        }));
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}
