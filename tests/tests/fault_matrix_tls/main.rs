//! The fault matrix over real TLS on real sockets of this machine: `pushcore-client` on one side, a
//! peer that shares no code with it on the other.
//!
//! `docs/fault-matrix.md` says which row is shown where, and what is left to the simulator (`tests/fault_matrix/`) and
//! why; `table.rs` checks that the tests exist. `roads.rs` has faults that the matrix does not number.

mod abuse;
mod auth;
mod connection;
mod dial;
mod flow;
mod frames;
mod process;
mod roads;
mod semantics;
mod streams;
mod table;
mod threads;
mod tls;

use std::sync::Arc;
use std::time::{Duration, Instant};

use pushcore::session::{SessionEvent, Stats};
use pushcore::{Error, ErrorKind, Outcome, apns};
use pushcore_client::{Client, ClientConfig};
use pushcore_tests::sim::certificates::Authority;
use pushcore_tests::sim::fixture::{self, client};
use pushcore_tests::sim::{Act, Answer, Rng, Script, Seen, Server};

/// How many messages a row sends, where it does not say otherwise.
const N: usize = 1000;
const H2: &[&str] = &["h2"];
/// A wait that no working machine needs.
const LONG: Duration = Duration::from_secs(30);

type Results = Vec<((usize, apns::Message), Result<Outcome, Error>)>;

const fn millis(count: u64) -> Duration {
    Duration::from_millis(count)
}

/// A server of its own authority, and what a client needs to trust it.
struct Row {
    ca: Authority,
    server: Server,
    /// Some attacks make the server's own idea of its streams wrong.
    lenient: bool,
}

impl Row {
    /// Every connection follows a script made by `scripts`, which is told its number, from 1.
    fn new(scripts: impl FnMut(u32) -> Script + Send + 'static) -> Self {
        let ca = Authority::new();
        let server = Server::start(1, Some(ca.server(H2, |_| {})), scripts);
        Self {
            ca,
            server,
            lenient: false,
        }
    }

    /// The first connection follows `faulty`, all later ones accept everything.
    fn first(faulty: impl Fn() -> Script + Send + 'static) -> Self {
        Self::new(move |nth| if nth == 1 { faulty() } else { Script::accepting() })
    }

    fn lenient(mut self) -> Self {
        self.lenient = true;
        self
    }

    fn host(&self) -> String {
        format!("localhost:{}", self.server.address().port())
    }

    /// A client with one connection at a time and little patience between them.
    fn client(&self, change: impl FnOnce(&mut ClientConfig)) -> Client {
        client(&self.ca, &self.host(), change)
    }

    /// Sends messages `0..count`; every invariant that a socket shows is checked.
    fn send(&self, count: usize, change: impl FnOnce(&mut ClientConfig)) -> Sent {
        let client = self.client(change);
        let results = send(&client, &[&self.server], count);
        if !self.lenient {
            assert_eq!(self.server.log().violations(), Vec::<String>::new());
        }
        Sent::new(client, results)
    }

    /// The code of the client's first GOAWAY, which it has sent, but which need not have arrived.
    fn first_goaway(&self, expected: u32, what: &str) {
        let log = self.server.log();
        eventually(|| !log.goaways().is_empty(), what);
        assert_eq!(log.goaways()[0], expected, "{what}");
    }
}

/// What came of a row.
struct Sent {
    client: Client,
    stats: Stats,
    results: Results,
}

impl Sent {
    fn new(client: Client, results: Results) -> Self {
        let stats = client.stats();
        Self {
            client,
            stats,
            results,
        }
    }

    fn result(&self, number: usize) -> &Result<Outcome, Error> {
        let found = self.results.iter().find(|((other, _), _)| *other == number);
        &found.expect("an end").1
    }

    /// What every message without an answer names as its cause.
    fn causes(&self) -> Vec<ErrorKind> {
        let errors = self
            .results
            .iter()
            .filter_map(|(_, result)| result.as_ref().err());
        errors.map(deepest).collect()
    }

    fn events(&self) -> Vec<SessionEvent> {
        std::iter::from_fn(|| self.client.poll_event()).collect()
    }
}

fn messages(range: std::ops::Range<usize>) -> impl Iterator<Item = (usize, apns::Message)> {
    fixture::messages(64, range)
}

fn send(client: &Client, servers: &[&Server], count: usize) -> Results {
    let results: Results = client.send_many(messages(0..count)).collect();
    check(client, servers, &results, count);
    results
}

/// The invariants, where the messages `0..count` are all that this client was given: each ended
/// once (I1, I5), as the servers saw it (I2), and nowhere twice (I3). I4, the servers watch.
fn check(client: &Client, servers: &[&Server], results: &Results, count: usize) {
    let stats = client.stats();
    assert!(stats.is_balanced(), "{stats:?}");
    assert_eq!((stats.queued, stats.open), (0, 0), "{stats:?}");
    assert_eq!((results.len(), stats.ended()), (count, count as u64));
    let mut seen = vec![0; count];
    for ((number, _), result) in results {
        seen[*number] += 1;
        let processed: u32 = servers.iter().map(|server| server.log().processed(*number)).sum();
        assert!(processed <= 1, "{number} was processed {processed} times");
        match result {
            Ok(outcome) if outcome.is_accepted() => assert_eq!(processed, 1, "{number}: {outcome:?}"),
            Err(error) if matches!(error.kind(), ErrorKind::NotSent | ErrorKind::Expired) => {
                assert_eq!(processed, 0, "{number}: {error}");
            }
            _ => {}
        }
    }
    assert!(seen.iter().all(|count| *count == 1));
}

fn deepest(error: &Error) -> ErrorKind {
    error.cause().map_or(error.kind(), deepest)
}

/// What the other side of a socket will see in its own time.
fn eventually(mut happened: impl FnMut() -> bool, what: &str) {
    let start = Instant::now();
    while !happened() {
        assert!(start.elapsed() < LONG, "never: {what}");
        std::thread::yield_now();
    }
}

/// `count` streams at a time; the first `count` requests get no answer, then `acts` happen.
fn after_holding(count: u32, acts: Vec<Act>) -> Script {
    let respond = move |seen: &Seen, _: &mut Rng| {
        if seen.nth == count {
            acts.clone()
        } else {
            Vec::new()
        }
    };
    Script::new(respond).streams(count)
}

fn ok() -> Act {
    Act::Answer(Answer::ok())
}

/// A dead peer is found within a fifth of a second.
fn impatient(config: &mut ClientConfig) {
    fixture::ping(config, millis(100), millis(100));
}

/// A server's configuration behind a script.
fn start(config: Arc<rustls::ServerConfig>, scripts: impl FnMut(u32) -> Script + Send + 'static) -> Server {
    Server::start(1, Some(config), scripts)
}
