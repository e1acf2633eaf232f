//! One hostile endpoint beside a healthy one: a server that gives streams no window and talks without end.
//! Deadlines hold for its messages and for everybody else's.

use std::sync::Arc;
use std::time::{Duration, Instant};

use pushcore::crypto::Es256Key;
use pushcore::http::Authority as Host;
use pushcore::net::Security;
use pushcore::{ErrorKind, webpush};
use pushcore_client::{Client, ClientConfig};
use pushcore_tests::sim::certificates::Authority;
use pushcore_tests::sim::fixture;
use pushcore_tests::sim::frame::window_update;
use pushcore_tests::sim::hostile::{Behaviour, Hostile, Wire, healthy, windowless};

struct Two {
    client: Client,
    hostile: Hostile,
    healthy: Hostile,
    policy: webpush::EndpointPolicy,
}

impl Two {
    fn new(behaviour: Behaviour, deadline: Duration) -> Self {
        let ca = Authority::new();
        let (hostile, healthy) = (Hostile::start(&ca, behaviour), Hostile::start(&ca, healthy()));
        let trust = |policy: webpush::EndpointPolicy, one: &Hostile| {
            policy.trust(Host::parse(&one.host()).expect("an authority"))
        };
        let policy = trust(trust(webpush::EndpointPolicy::default(), &hostile), &healthy);
        let mut config = ClientConfig::new();
        let tls = fixture::trusting(&ca).build().expect("a configuration");
        config.security = Some(Security::Tls(tls));
        config.session.deadline = deadline;
        config.session.max_connections = 1;
        config.session.max_queued = 10_000;
        let key = Es256Key::generate().expect("a key");
        let credentials = webpush::Credentials::new(key, "mailto:ops@example.org").expect("credentials");
        let service = webpush::Service::new(credentials, Arc::new(policy.clone()));
        Self {
            client: Client::new(service, config).expect("a client"),
            hostile,
            healthy,
            policy,
        }
    }

    /// A message with a body, which a closed window holds up.
    fn message(&self, host: &Hostile, number: usize) -> webpush::Message {
        // The receiver of RFC 8291, appendix A.
        let json = format!(
            r#"{{"endpoint":"https://{}/p/{number}","keys":{{
            "p256dh":"BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4",
            "auth":"BTBZMqHH6r4Tts7J_aSIgg"}}}}"#,
            host.host()
        );
        let subscription =
            webpush::Subscription::parse(json.as_bytes(), &self.policy).expect("a subscription");
        let builder = webpush::Message::builder(subscription).payload("hello");
        builder.build().expect("a message")
    }
}

/// Sends so many to the hostile one, and one after the other to the healthy one meanwhile.
fn attack(streams: usize, rate: usize, deadline: Duration) {
    let behaviour = Behaviour::new("the attack", Wire::H2, windowless());
    let two = Two::new(behaviour.floods(window_update(0, 1), rate, streams), deadline);
    let started = Instant::now();
    let messages: Vec<_> = (0..streams)
        .map(|number| two.message(&two.hostile, number))
        .collect();
    let good: Vec<_> = (0..20).map(|number| two.message(&two.healthy, number)).collect();
    println!("{streams} streams: made in {:?}", started.elapsed());
    let started = Instant::now();
    let mut slowest = Duration::ZERO;
    std::thread::scope(|scope| {
        let bad = scope.spawn(|| {
            let results: Vec<_> = two.client.send_many(&messages).collect();
            (results.len(), started.elapsed())
        });
        for message in &good {
            let began = Instant::now();
            let outcome = two.client.send(message).expect("an answer");
            assert!(outcome.is_accepted(), "{outcome:?}");
            slowest = slowest.max(began.elapsed());
            std::thread::sleep(deadline / 25);
        }
        let (count, took) = bad.join().expect("no panic");
        println!(
            "{streams} streams at {rate} B/s: ended after {took:?}, the slowest healthy one took {slowest:?}"
        );
        assert_eq!(count, streams);
        assert!(took < deadline + Duration::from_millis(500), "{took:?}");
        assert!(slowest < Duration::from_millis(500), "{slowest:?}");
    });
    let stats = two.client.stats();
    assert!(stats.is_balanced(), "{stats:?}");
    assert_eq!(stats.ended(), 20 + streams as u64);
    assert_eq!(stats.accepted, 20);
}

#[test]
fn nine_hundred_streams_at_full_speed() {
    attack(900, 0, Duration::from_secs(3));
}

#[test]
fn any_rate_and_number_of_streams() {
    for rate in [100_000, 500_000, 1_000_000, 0] {
        for streams in [1, 100, 1000] {
            attack(streams, rate, Duration::from_secs(1));
        }
    }
}

/// Alone, without another thread to move things on.
#[test]
fn a_lone_message() {
    let behaviour = Behaviour::new("alone", Wire::H2, windowless());
    let deadline = Duration::from_secs(1);
    let two = Two::new(behaviour.floods(window_update(0, 1), 0, 1), deadline);
    let started = Instant::now();
    let error = two
        .client
        .send(&two.message(&two.hostile, 0))
        .expect_err("no window");
    assert!(
        matches!(
            error.kind(),
            ErrorKind::Expired | ErrorKind::NotSent | ErrorKind::Unknown
        ),
        "{error}"
    );
    assert!(started.elapsed() < deadline + Duration::from_millis(300));
}
