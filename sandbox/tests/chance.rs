//! Latencies and faults left to chance: the same seed gives the same course of events.

mod common;

use common::{Client, at, last, provider_token, run};
use pushcore_sandbox::{Action, Config, Fault, Latency, Sandbox};
use serde_json::json;
use std::time::{Duration, Instant};

fn seeded(seed: u64) -> Config {
    Config {
        seed,
        ..Config::default()
    }
}

/// The statuses of so many pushes, one after the other.
fn pushes(sandbox: &Sandbox, count: usize) -> Vec<u16> {
    let ready = sandbox.ready();
    let auth = provider_token(ready);
    let path = format!("/3/device/{}", at(ready, "/apns/tokens/valid"));
    let headers = [
        ("authorization", auth.as_str()),
        ("apns-topic", "com.example.app"),
        ("apns-push-type", "alert"),
    ];
    run(async {
        let mut client = Client::connect(sandbox, at(ready, "/apns/authority")).await;
        let mut statuses = Vec::new();
        for _ in 0..count {
            let answer = client.send("POST", &path, &headers, "{}").await.expect("answer");
            statuses.push(answer.status);
        }
        statuses
    })
}

fn delays(sandbox: &Sandbox) -> Vec<u64> {
    sandbox.log().iter().map(|record| record.delay_us).collect()
}

#[test]
fn a_seed_gives_the_same_latencies_in_every_run() {
    let run = |seed| {
        let sandbox = Sandbox::start(Config {
            latency: vec![(
                Some("apns".to_owned()),
                "log-normal:2,0.5".parse().expect("a latency"),
            )],
            ..seeded(seed)
        })
        .expect("the sandbox starts");
        let began = Instant::now();
        assert_eq!(pushes(&sandbox, 20), [200; 20]);
        let delays = delays(&sandbox);
        // The answers really came that late.
        assert!(began.elapsed() >= Duration::from_micros(delays.iter().sum()));
        assert!(delays.iter().all(|delay| *delay > 0));
        // A reset begins the course anew, as a new sandbox would.
        sandbox.reset();
        pushes(&sandbox, 20);
        assert_eq!(
            sandbox
                .log()
                .iter()
                .map(|record| record.delay_us)
                .collect::<Vec<_>>(),
            delays
        );
        delays
    };
    let first = run(1);
    assert_eq!(first, run(1));
    assert_ne!(first, run(2));
}

#[test]
fn every_service_can_be_slow() {
    let sandbox = Sandbox::start(seeded(3)).expect("the sandbox starts");
    let ready = sandbox.ready().clone();
    sandbox
        .set_latency(
            None,
            Some(Latency::Uniform {
                min_ms: 1.0,
                max_ms: 3.0,
            }),
        )
        .expect("set");
    run(async {
        for service in ["apns", "fcm", "webpush", "adm", "baidu"] {
            let authority = at(&ready, &format!("/{service}/authority")).to_owned();
            let mut client = Client::connect(&sandbox, &authority).await;
            let began = Instant::now();
            client.send("POST", "/", &[], "{}").await.expect("answer");
            let record = last(&sandbox);
            assert_eq!(record.service, service);
            assert!((1000..3000).contains(&record.delay_us), "{}", record.delay_us);
            assert!(began.elapsed() >= Duration::from_micros(record.delay_us));
        }
        // Of one service alone, it is taken away again.
        sandbox.set_latency(Some("fcm"), None).expect("set");
        let mut client = Client::connect(&sandbox, at(&ready, "/fcm/authority")).await;
        client.send("POST", "/", &[], "{}").await.expect("answer");
        assert_eq!(last(&sandbox).delay_us, 0);
        let mut client = Client::connect(&sandbox, at(&ready, "/adm/authority")).await;
        client.send("POST", "/", &[], "{}").await.expect("answer");
        assert!(last(&sandbox).delay_us >= 1000);
    });
    assert!(sandbox.set_latency(Some("hms"), None).is_err());
}

#[test]
fn http_1_is_as_slow() {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let sandbox = Sandbox::start(Config {
        latency: vec![(None, "fixed:30".parse().expect("a latency"))],
        ..Config::default()
    })
    .expect("the sandbox starts");
    run(async {
        let authority = at(sandbox.ready(), "/adm/authority");
        let mut tls = common::tls(&sandbox, authority, &[b"http/1.1"])
            .await
            .expect("TLS");
        let began = Instant::now();
        tls.write_all(b"GET / HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n")
            .await
            .expect("write");
        let mut answer = String::new();
        tls.read_to_string(&mut answer).await.expect("an answer");
        assert!(answer.starts_with("HTTP/1.1 404"), "{answer}");
        assert!(began.elapsed() >= Duration::from_millis(30));
        assert_eq!(last(&sandbox).delay_us, 30_000);
    });
}

/// A third of the pushes fail, by chance.
fn sometimes(seed: Option<u64>) -> Fault {
    let answer = Action::Answer {
        status: 503,
        headers: Vec::new(),
        body: Some(json!({"reason": "ServiceUnavailable"})),
    };
    Fault {
        times: None,
        probability: Some(1.0 / 3.0),
        seed,
        ..Fault::new("apns", 0, answer)
    }
}

#[test]
fn faults_strike_by_chance_and_by_the_seed() {
    let run = |seed, own| {
        let sandbox = Sandbox::start(Config {
            faults: vec![sometimes(own)],
            ..seeded(seed)
        })
        .expect("the sandbox starts");
        let statuses = pushes(&sandbox, 300);
        let struck = statuses.iter().filter(|status| **status == 503).count();
        assert!((70..=130).contains(&struck), "{struck} of 300");
        // Every answer of 200 is a push in the log, and no other.
        let token = at(sandbox.ready(), "/apns/tokens/valid").to_owned();
        assert_eq!(sandbox.accepted("apns", &token), 300 - struck);
        statuses
    };
    let first = run(1, None);
    assert_eq!(first, run(1, None));
    assert_ne!(first, run(2, None));
    // A script's own seed stands above the sandbox's.
    assert_eq!(run(1, Some(9)), run(2, Some(9)));
}

#[test]
fn a_probability_of_one_strikes_always_and_of_zero_never() {
    let sandbox = Sandbox::start(seeded(0)).expect("the sandbox starts");
    for (probability, status) in [(0.0, 200), (1.0, 503)] {
        sandbox.fault(Fault {
            probability: Some(probability),
            ..sometimes(None)
        });
        assert_eq!(pushes(&sandbox, 5), [status; 5]);
    }
}

#[test]
fn a_scripts_latency_comes_on_top_of_the_services() {
    let sandbox = Sandbox::start(seeded(0)).expect("the sandbox starts");
    let fixed = |ms| Latency::Fixed { ms };
    sandbox.set_latency(Some("apns"), Some(fixed(2.0))).expect("set");
    sandbox.fault(Fault::new(
        "apns",
        1,
        Action::Latency {
            distribution: fixed(3.0),
        },
    ));
    sandbox.fault(Fault::new("apns", 1, Action::Delay { ms: 4 }));
    let lost = Fault::new("apns", 1, Action::Rst { code: 8 });
    assert_eq!(pushes(&sandbox, 3), [200; 3]);
    assert_eq!(delays(&sandbox), [5000, 6000, 2000]);
    let kinds: Vec<_> = sandbox.log().into_iter().map(|record| record.fault).collect();
    assert_eq!(
        kinds,
        [Some("latency".to_owned()), Some("delay".to_owned()), None]
    );
    assert!(lost.check().is_ok());
}

#[test]
fn a_slow_reader_fills_the_pipe() {
    let sandbox = Sandbox::start(seeded(0)).expect("the sandbox starts");
    let ready = sandbox.ready();
    // 200 kB a second from the first request on: 40 kB of the second take a fifth of one.
    sandbox.fault(Fault::new(
        "fcm",
        1,
        Action::SlowRead {
            bytes_per_second: 200_000,
        },
    ));
    run(async {
        let mut client = Client::connect(&sandbox, at(ready, "/fcm/authority")).await;
        // What the pipe may take adds up from here on, however long this test is kept waiting.
        let began = Instant::now();
        client.send("POST", "/", &[], "{}").await.expect("answer");
        client
            .send("POST", "/", &[], vec![b'x'; 40_000])
            .await
            .expect("answer");
        assert!(
            began.elapsed() >= Duration::from_millis(150),
            "{:?}",
            began.elapsed()
        );
    });
}

#[test]
fn nonsense_in_a_script_or_a_configuration_is_refused() {
    let started = |config| Sandbox::start(config).map(drop);
    let fault = |probability| Fault {
        probability: Some(probability),
        ..sometimes(None)
    };
    for probability in [-0.1, 1.1, f64::NAN] {
        assert!(fault(probability).check().is_err());
        assert!(
            started(Config {
                faults: vec![fault(probability)],
                ..Config::default()
            })
            .is_err()
        );
    }
    let unknown = Fault::new("apple", 1, Action::NoAnswer);
    assert_eq!(
        unknown.check(),
        Err(r#""apple" is none of apns, fcm, webpush, adm, baidu"#.to_owned())
    );
    let backwards = Action::Latency {
        distribution: Latency::Uniform {
            min_ms: 2.0,
            max_ms: 1.0,
        },
    };
    assert!(Fault::new("apns", 1, backwards).check().is_err());
    assert!(
        started(Config {
            latency: vec![(Some("apple".to_owned()), Latency::Fixed { ms: 1.0 })],
            ..Config::default()
        })
        .is_err()
    );
}
