//! A client on both sides of a fork: the child gets `Misuse` and leaves the parent's connections alone,
//! a client of its own has its own; the parent loses nothing and counts nothing twice.
//!
//! Without the test harness, whose threads would be in the way; the server is another process.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use pushcore::ErrorKind;
use pushcore::http::{Authority as Host, Request};
use pushcore::net::Security;
use pushcore::net::tls::TlsConfig;
use pushcore::session::{SendOptions, Stats};
use pushcore_client::{Batch, Client, ClientConfig, Exchange};
use pushcore_fork_tests::in_a_child;
use pushcore_tests::sim::certificates::Authority;
use pushcore_tests::sim::log::path_of;
use pushcore_tests::sim::{Act, Answer, Script, Seen, Server, fixture};

/// From this message on, the server keeps its answers to itself,
const HELD: usize = 500;
/// until it gets this one.
const RELEASE: usize = 999;

/// A wait that no working machine needs.
const LONG: Duration = Duration::from_secs(30);

fn main() {
    if std::env::args().any(|argument| argument == "--serve") {
        return serve();
    }
    if std::env::args().any(|argument| argument == "--list") {
        return println!("0 tests, 0 benchmarks");
    }
    a_fork_with_messages_in_flight();
    a_fork_while_another_thread_waits();
    println!("2 forks, nothing lost, nothing twice");
}

/// The server: its address and its authority's certificate, then a report for each line it is given.
fn serve() {
    let ca = Authority::new();
    let server = Server::start(1, Some(ca.server(&["h2"], |_| {})), |_| {
        Script::new(|seen: &Seen, _| match seen.number() {
            Some(RELEASE) => vec![Act::AnswerHeld(Answer::ok())],
            Some(HELD..) => Vec::new(),
            _ => vec![Act::Answer(Answer::ok())],
        })
    });
    println!("localhost:{}", server.address().port());
    println!("{}", ca.pem().trim().replace('\n', "|"));
    let log = server.log();
    for _ in std::io::stdin().lines() {
        println!(
            "{} {} {} {} {}",
            log.connections(),
            log.requests(),
            log.total_processed(),
            log.duplicates(),
            log.violations().len()
        );
    }
}

/// What a server process has seen.
#[derive(Debug, PartialEq, Eq)]
struct Report {
    connections: u64,
    requests: u64,
    processed: u64,
    duplicates: u64,
    violations: u64,
}

struct World {
    process: Child,
    input: Option<ChildStdin>,
    output: BufReader<ChildStdout>,
    host: String,
    ca: String,
}

impl World {
    fn new() -> Self {
        let mut process = Command::new(std::env::current_exe().expect("this program"))
            .arg("--serve")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("a server");
        let input = process.stdin.take();
        let mut output = BufReader::new(process.stdout.take().expect("a pipe"));
        let mut line = || {
            let mut text = String::new();
            output.read_line(&mut text).expect("a line");
            text.trim().replace('|', "\n")
        };
        let (host, ca) = (line(), line());
        Self {
            process,
            input,
            output,
            host,
            ca,
        }
    }

    fn client(&self) -> Client {
        let tls = TlsConfig::builder()
            .without_bundled_roots()
            .add_roots(self.ca.as_bytes())
            .build();
        let mut config = ClientConfig::new();
        config.security = Some(Security::Tls(tls.expect("tls")));
        config.session.max_connections = 1;
        let hosts = pushcore::apns::Environment::Sandbox
            .hosts()
            .with_device(Host::parse(&self.host).expect("a host"));
        Client::new(
            pushcore::apns::Service::new(fixture::credentials(), hosts),
            config,
        )
        .expect("a client")
    }

    fn report(&mut self) -> Report {
        let input = self.input.as_mut().expect("an open pipe");
        input.write_all(b"report\n").expect("a server");
        let mut line = String::new();
        self.output.read_line(&mut line).expect("a report");
        let numbers: Vec<u64> = line
            .split_whitespace()
            .map(|n| n.parse().expect("a number"))
            .collect();
        let [connections, requests, processed, duplicates, violations] = numbers[..] else {
            panic!("{line}")
        };
        Report {
            connections,
            requests,
            processed,
            duplicates,
            violations,
        }
    }

    /// Until the server has got so many requests; `meanwhile` moves the bytes.
    fn wait_for(&mut self, requests: u64, mut meanwhile: impl FnMut()) {
        let start = Instant::now();
        while self.report().requests < requests {
            assert!(start.elapsed() < LONG, "{:?}", self.report());
            meanwhile();
        }
    }
}

impl Drop for World {
    fn drop(&mut self) {
        // The end of its input is the end of the server.
        drop(self.input.take());
        let _ = self.process.wait();
    }
}

fn message(number: usize) -> pushcore::apns::Message {
    let (_, message) = fixture::messages(64, number..number + 1)
        .next()
        .expect("a message");
    message
}

/// The request of that message, not as a message.
fn call(host: &str, number: usize) -> Request {
    let mut request = Request::new();
    request.authority = Some(Host::parse(host).expect("a host"));
    request.path = path_of(number);
    request
}

fn accepted(client: &Client, number: usize) -> bool {
    client
        .send(&message(number))
        .is_ok_and(|outcome| outcome.is_accepted())
}

/// What a child may do with its parent's client: nothing, and it is told so at once.
fn is_refused(client: &Client) {
    let misuse = |error: pushcore::Error| assert_eq!(error.kind(), ErrorKind::Misuse, "{error}");
    misuse(client.send(&message(1)).expect_err("not in a child"));
    misuse(client.close().expect_err("not in a child"));
    misuse(client.close_for(LONG).expect_err("not in a child"));
    misuse(client.authorization_for(LONG).expect_err("not in a child"));
    let results: Vec<_> = client.send_many(fixture::messages(64, 2..5)).collect();
    assert_eq!(results.len(), 3);
    for (_, result) in results {
        misuse(result.expect_err("not in a child"));
    }
    assert_eq!(client.stats(), Stats::default());
    assert_eq!(client.poll_event(), None);
    assert!(!client.is_mix_up_suspected());
}

fn a_fork_with_messages_in_flight() {
    let mut world = World::new();
    let client = Arc::new(world.client());
    assert!(accepted(&client, 0));
    let mut batch = Batch::new(Arc::clone(&client), Some(50)).expect("a batch");
    let held: Vec<_> = (HELD..HELD + 50).map(message).collect();
    let all = batch.submit(held.iter().zip(0..), SendOptions::default(), |ticket| {
        assert!(ticket.is_ok())
    });
    assert!(all.expect("an open client"), "there is room for fifty");
    // And a call, in its caller's own steps.
    let call = call(&world.host, HELD + 50);
    let begun = Exchange::new(Arc::clone(&client), &call, SendOptions::default());
    let exchange = begun.expect("an open client").expect("room");
    let mut early = 0;
    let (world_ref, batch_ref) = (&mut world, &mut batch);
    world_ref.wait_for(52, || {
        early += batch_ref.wait(Duration::from_millis(5)).expect("a wait").count();
    });
    assert_eq!(early, 0, "they are held");
    let before = client.stats();
    assert_eq!((before.open, before.accepted), (51, 1), "{before:?}");

    let (mut client, mut batch, mut exchange) = (Some(client), Some(batch), Some(exchange));
    let status = in_a_child(|| {
        is_refused(client.as_ref().expect("it is still there"));
        let their_batch = batch.as_mut().expect("it is still there");
        let refused = their_batch.submit([(&held[0], 0)], SendOptions::default(), |_| ());
        assert_eq!(refused.expect_err("not in a child").kind(), ErrorKind::Misuse);
        let refused = their_batch.wait(LONG).map(Iterator::count);
        assert_eq!(refused.expect_err("not in a child").kind(), ErrorKind::Misuse);
        let their_exchange = exchange.as_mut().expect("it is still there");
        let refused = their_exchange.wait(LONG).map(|response| response.is_some());
        assert_eq!(refused.expect_err("not in a child").kind(), ErrorKind::Misuse);
        let shared = client.clone().expect("it is still there");
        let of_the_child = Exchange::new(shared, &call, SendOptions::default());
        assert_eq!(
            of_the_child.map(|_| ()).expect_err("not in a child").kind(),
            ErrorKind::Misuse
        );
        // What the child forgets, the parent still has.
        drop((exchange.take(), batch.take(), client.take()));
        let own = world.client();
        assert!(accepted(&own, 10));
        own.close().expect("closed");
        assert_eq!(own.stats().accepted, 1);
        0
    });
    assert_eq!(status.expect("a fork"), 0, "the child failed");
    let (client, mut batch) = (client.expect("a client"), batch.expect("a batch"));
    let mut exchange = exchange.expect("an exchange");

    assert_eq!(client.stats(), before, "nothing has happened here");
    assert!(accepted(&client, RELEASE));
    let (start, mut late) = (Instant::now(), 0);
    while late < 50 {
        for ended in batch.wait(Duration::from_millis(5)).expect("a wait") {
            assert!(ended.into_result().expect("an answer").is_accepted());
            late += 1;
        }
        assert!(start.elapsed() < LONG, "{late} of 50");
    }
    drop(batch);
    let answer = loop {
        if let Some(answer) = exchange.wait(Duration::from_millis(5)).expect("an answer") {
            break answer;
        }
        assert!(start.elapsed() < LONG, "no answer");
    };
    assert_eq!(answer.status, 200);
    let stats = client.stats();
    assert!(stats.is_balanced(), "{stats:?}");
    assert_eq!(
        (
            stats.submitted,
            stats.accepted,
            stats.exchanges_answered,
            stats.requeued
        ),
        (53, 52, 1, 0),
        "{stats:?}"
    );
    // The parent's connection and the child's; the parent's went on through the fork.
    assert_eq!(
        world.report(),
        Report {
            connections: 2,
            requests: 54,
            processed: 54,
            duplicates: 0,
            violations: 0,
        }
    );
    client.close().expect("closed");
}

/// At the fork another thread is in the poll, with a message in flight: the child must not wait for it.
fn a_fork_while_another_thread_waits() {
    let mut world = World::new();
    let client = world.client();
    assert!(accepted(&client, 0));
    std::thread::scope(|scope| {
        let waiting = scope.spawn(|| accepted(&client, HELD));
        world.wait_for(2, || std::thread::sleep(Duration::from_millis(1)));
        let status = in_a_child(|| {
            is_refused(&client);
            0
        });
        assert_eq!(status.expect("a fork"), 0, "the child failed");
        assert!(accepted(&client, RELEASE));
        assert!(waiting.join().expect("a thread"));
    });
    let stats = client.stats();
    assert!(stats.is_balanced(), "{stats:?}");
    assert_eq!(stats.accepted, 3, "{stats:?}");
    let report = world.report();
    assert_eq!(
        (report.connections, report.processed, report.duplicates),
        (1, 3, 0)
    );
}
