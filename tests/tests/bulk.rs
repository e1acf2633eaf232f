//! What a bulk send owes its caller besides results: memory that does not grow, small pieces from a slow iterator, and room for
//! others once it is dropped.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use pushcore::apns::{self, Alert, Aps, DeviceToken, KeyId, Payload, PushType, TeamId, Topic};
use pushcore::crypto::Es256Key;
use pushcore::http::Authority;
use pushcore::net::Security;
use pushcore::net::tls::TlsConfig;
use pushcore::session::SendOptions;
use pushcore_client::{Batch, Client, ClientConfig};
use pushcore_sandbox::{Action, Config, Fault, Sandbox};
use serde_json::Value;

/// Much less than the fifteen seconds after which a silent connection is asked for a sign of life.
const SOON: Duration = Duration::from_secs(5);

fn text(sandbox: &Sandbox, path: &str) -> String {
    let value = sandbox.ready().pointer(path).and_then(Value::as_str);
    value
        .unwrap_or_else(|| panic!("{path} in the ready line"))
        .to_owned()
}

fn client(sandbox: &Sandbox, configure: impl FnOnce(&mut ClientConfig)) -> Client {
    let file = |path: &str| std::fs::read(text(sandbox, path)).expect("a readable file");
    let tls = TlsConfig::builder()
        .without_bundled_roots()
        .add_roots(file("/ca_file"))
        .build()
        .expect("tls");
    let mut config = ClientConfig::new();
    config.security = Some(Security::Tls(tls));
    configure(&mut config);
    let key = Es256Key::read(&file("/apns/p8_file")).expect("a key");
    let key_id = KeyId::parse(&text(sandbox, "/apns/key_id")).expect("a key id");
    let team_id = TeamId::parse(&text(sandbox, "/apns/team_id")).expect("a team id");
    let device = Authority::parse(&text(sandbox, "/apns/authority")).expect("an authority");
    let hosts = apns::Environment::Sandbox.hosts().with_device(device);
    let service = apns::Service::new(apns::Credentials::token(key_id, team_id, key), hosts);
    Client::new(service, config).expect("a client")
}

fn message(sandbox: &Sandbox) -> apns::Message {
    apns::Message::builder(PushType::Alert)
        .topic(Topic::parse(&text(sandbox, "/apns/topic")).expect("a topic"))
        .payload(Payload::new(Aps::new().alert(Alert::new().title("Hello"))))
        .device(DeviceToken::parse(&text(sandbox, "/apns/tokens/valid")).expect("a token"))
        .build()
        .expect("a message")
}

/// No answer to one request, after `skip` more.
fn one_gets_no_answer(sandbox: &Sandbox, skip: u64) {
    sandbox.fault(Fault {
        service: Some("apns".to_owned()),
        contains: None,
        connection: None,
        skip,
        times: Some(1),
        every: 0,
        probability: None,
        seed: None,
        processed: false,
        action: Action::NoAnswer,
    });
}

/// Resident memory of this process, in octets.
#[cfg(target_os = "linux")]
fn resident() -> usize {
    let text = std::fs::read_to_string("/proc/self/statm").expect("statm");
    let pages = text.split(' ').nth(1).and_then(|text| text.parse::<usize>().ok());
    pages.expect("a number of pages") * 4096
}

/// A message leaves its place when its result is fetched: 3,000 messages of 16 KiB each would be 48 MiB.
#[cfg(target_os = "linux")]
#[test]
fn memory_does_not_grow_with_the_number_of_messages() {
    let sandbox = Sandbox::start(Config::default()).expect("the sandbox starts");
    let client = client(&sandbox, |config| {
        config.session.max_queued = 20;
        config.session.max_connections = 1;
    });
    let message = message(&sandbox);
    // What is accepted of so many, and the most memory that the process had meanwhile.
    let run = |count: usize| {
        let messages = (0..count).map(|n| ([n; 2048], message.clone()));
        let (mut accepted, mut most) = (0, 0);
        for (_, result) in client.send_many(messages) {
            accepted += usize::from(result.is_ok_and(|outcome| outcome.is_accepted()));
            if accepted % 100 == 0 {
                most = most.max(resident());
            }
        }
        (accepted, most)
    };
    let (accepted, before) = run(500);
    assert_eq!(accepted, 500);
    let (accepted, most) = run(3000);
    assert_eq!(accepted, 3000);
    let grown = most.saturating_sub(before);
    println!("{grown} octets more");
    // The sandbox's log of 2,500 more requests is in this process too.
    assert!(grown < 24 << 20, "{grown} octets more");
}

/// An iterator that takes its time gets pieces of one: when it is asked for the next message, the one before has been handed out.
#[test]
fn a_slow_iterator_is_never_far_ahead_of_the_results() {
    let sandbox = Sandbox::start(Config::default()).expect("the sandbox starts");
    let client = client(&sandbox, |_| {});
    let message = message(&sandbox);
    assert!(client.send(&message).expect("an answer").is_accepted());
    let taken = AtomicUsize::new(0);
    let messages = (0..40).map(|_| {
        std::thread::sleep(Duration::from_millis(25));
        taken.fetch_add(1, Ordering::Relaxed);
        message.clone()
    });
    let mut most = 0;
    for (ended, (_, result)) in client.send_many(messages).enumerate() {
        assert!(result.expect("an answer").is_accepted());
        most = most.max(taken.load(Ordering::Relaxed) - ended);
    }
    // Pieces that doubled would be of 1, 2, 4, 8 and 16 messages.
    assert!(most <= 4, "{most} ahead");
}

/// Sends a message from another thread while a bulk send keeps the only stream, and returns how long that took
/// from the moment when `leave` gave the bulk send up.
fn sent_after(client: &Client, message: &apns::Message, leave: impl FnOnce()) -> Duration {
    std::thread::scope(|scope| {
        let other = scope.spawn(|| client.send(message).expect("an answer").is_accepted());
        std::thread::sleep(Duration::from_millis(300));
        assert!(!other.is_finished(), "it waits for the stream");
        let left = Instant::now();
        leave();
        assert!(other.join().expect("no panic"));
        left.elapsed()
    })
}

/// Dropping a batch frees its streams at once, for whoever waits in another thread.
#[test]
fn a_dropped_batch_makes_room_at_once() {
    let sandbox = Sandbox::start(Config::default()).expect("the sandbox starts");
    // An APNs connection has one stream until its first good token.
    let client = Arc::new(client(&sandbox, |config| config.session.max_connections = 1));
    let message = message(&sandbox);
    one_gets_no_answer(&sandbox, 0);
    let mut batch = Batch::new(client.clone(), None).expect("a batch");
    let taken = batch
        .submit(vec![(message.clone(), 0); 3], SendOptions::default(), |ticket| {
            ticket.expect("a ticket");
        })
        .expect("an open client");
    assert!(taken);
    while sandbox.log().is_empty() {
        assert_eq!(
            batch
                .wait(Duration::from_millis(20))
                .expect("its process")
                .count(),
            0
        );
    }
    let took = sent_after(&client, &message, || drop(batch));
    assert!(took < SOON, "{took:?}");
}
