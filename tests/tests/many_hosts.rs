//! Many hosts, as Web Push has them: connections are made once, none is let go that is still wanted, and descriptors that run out
//! are waited for.

use std::process::Command;
use std::time::Duration;

use pushcore::crypto::Es256Key;
use pushcore::http::Authority;
use pushcore::net::Security;
use pushcore::session::{Session, SessionConfig};
use pushcore::webpush::{self, EndpointPolicy};
use pushcore::{ErrorKind, Now};
use pushcore_client::{Client, ClientConfig};
use pushcore_tests::sim::{Act, Answer, Dial, Script, Server, World};

/// Trusts `count` hosts, to which [`host`] gives their names.
fn policy(count: usize, port: u16) -> EndpointPolicy {
    (0..count).fold(EndpointPolicy::default(), |policy, number| {
        policy.trust(Authority::parse(&host(number, port)).expect("an authority"))
    })
}

fn host(number: usize, port: u16) -> String {
    format!("127.1.{}.{}:{port}", number / 250, 1 + number % 250)
}

fn service(policy: EndpointPolicy) -> webpush::Service {
    let key = Es256Key::generate().expect("a key");
    let credentials = webpush::Credentials::new(key, "mailto:ops@example.org").expect("credentials");
    webpush::Service::new(credentials, policy)
}

fn message(policy: &EndpointPolicy, host: &str, number: usize) -> webpush::Message {
    let endpoint = format!("https://{host}/p/{number:064x}");
    let subscription = webpush::Subscription::without_keys(&endpoint, policy).expect("a subscription");
    webpush::Message::builder(subscription)
        .build()
        .expect("a message")
}

fn taken() -> Script {
    Script::new(|_, _| vec![Act::Answer(Answer::status(201))])
}

/// Sends `each` messages to each of `hosts` hosts in turn; returns the connections that were made.
fn connections(hosts: usize, each: usize, most: usize, in_turn: bool) -> usize {
    let policy = policy(hosts, 443);
    let shared = policy.clone();
    let mut world = World::of(
        1,
        move |config| {
            config.max_hosts = most;
            config.deadline = Duration::from_secs(600);
        },
        move |config: SessionConfig, now: Now| {
            let service = service(shared.clone());
            Session::new(service, Security::Cleartext, config, now).expect("a session")
        },
        move |number| {
            let to = match in_turn {
                true => number % hosts,
                false => number / each,
            };
            message(&policy, &host(to, 443), number).into()
        },
        |_, _, _| Dial::Connects(taken()),
    );
    world.submit((hosts * each) as u64);
    let stats = world.finish();
    assert_eq!(stats.accepted as usize, hosts * each, "{stats:?}");
    world.dials().len()
}

/// With room for all of them, each host is connected to once, whatever the order.
#[test]
fn each_host_is_connected_to_once() {
    assert_eq!(connections(60, 6, 1000, true), 60);
    assert_eq!(connections(60, 6, 1000, false), 60);
}

/// With room for a fifth of them: everything that waits for a host goes out before it is let go, and what is waiting is most of
/// the campaign.
#[test]
fn a_host_is_not_let_go_while_messages_wait_for_it() {
    let (hosts, each) = (60, 6);
    let sorted = connections(hosts, each, 12, false);
    assert_eq!(sorted, hosts, "one after the other");
    let in_turn = connections(hosts, each, 12, true);
    // All messages fit into the queue, so that a host that has its turn gets all of its messages.
    assert!(in_turn <= hosts + 12, "{in_turn} connections for {hosts} hosts");
}

/// The name of the variable that tells the second process where the servers are.
const PORT: &str = "PUSHCORE_TEST_PORT";
const HOSTS: usize = 200;
const MESSAGES: usize = 2000;

/// `ulimit -n 80` with 200 hosts: the messages wait until connections are closed, and none is lost.
#[cfg(target_os = "linux")]
#[test]
fn descriptors_that_run_out_are_waited_for() {
    let server = Server::start_at([0, 0, 0, 0], 1, None, |_| taken());
    let here = std::env::current_exe().expect("this program");
    let child = Command::new("sh")
        .args(["-c", "ulimit -n 80 && exec \"$@\"", "sh"])
        .arg(here)
        .args(["--exact", "with_few_descriptors", "--ignored", "--nocapture"])
        .env(PORT, server.address().port().to_string())
        .output()
        .expect("a shell");
    let text = String::from_utf8_lossy(&child.stdout);
    assert!(
        child.status.success(),
        "{text}\n{}",
        String::from_utf8_lossy(&child.stderr)
    );
    assert!(text.contains("2000 accepted"), "{text}");
}

/// The other half of the test above, which calls it in a process of its own.
#[test]
#[ignore = "run by descriptors_that_run_out_are_waited_for in a process with few descriptors"]
fn with_few_descriptors() {
    let port = std::env::var(PORT).ok().and_then(|port| port.parse().ok());
    let port: u16 = port.expect("the port of the servers");
    let policy = policy(HOSTS, port);
    let mut config = ClientConfig::new();
    config.security = Some(Security::Cleartext);
    let client = Client::new(service(policy.clone()), config).expect("a client");
    let messages = (0..MESSAGES).map(|number| message(&policy, &host(number % HOSTS, port), number));
    let (mut accepted, mut missed) = (0, 0);
    let mut look = || {
        while let Some(event) = client.poll_event() {
            missed += usize::from(event.parts().code == Some(u32::from(ErrorKind::OutOfDescriptors.code())));
        }
    };
    for (_, result) in client.send_many(messages) {
        look();
        match result {
            Ok(outcome) => accepted += usize::from(outcome.is_accepted()),
            Err(error) => panic!("{error}"),
        }
    }
    assert!(
        missed > 0,
        "there were enough descriptors: the test shows nothing"
    );
    println!("{accepted} accepted, {missed} times without a descriptor");
}
