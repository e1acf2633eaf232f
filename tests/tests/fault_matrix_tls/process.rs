//! Row 52: the process ends, or lets go. What a fork does is in `tests/fork/`.

use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};

use pushcore::http::Authority as Host;
use pushcore::net::Security;
use pushcore::net::tls::TlsConfig;
use pushcore::session::Delivery;

use super::*;

/// At least once: what may have been processed is sent again with the same id, and the copies are
/// no more than what was in doubt.
#[test]
fn row_52_at_least_once() {
    let row = Row::first(|| {
        Script::new(|seen, _| match seen.nth {
            1..=30 => vec![Act::Process],
            50 => vec![Act::Abort],
            _ => Vec::new(),
        })
        .streams(50)
    });
    let client = row.client(|config| config.session.delivery = Delivery::AtLeastOnce);
    let results: Results = client.send_many(messages(0..N)).collect();
    let stats = client.stats();
    assert!(stats.is_balanced(), "{stats:?}");
    assert_eq!(
        (results.len(), stats.accepted, stats.unknown),
        (N, N as u64, 0),
        "{stats:?}"
    );
    let log = row.server.log();
    assert_eq!((log.duplicates(), log.copies_with_other_ids()), (30, 0));
    assert_eq!(log.violations(), Vec::<String>::new());
}

/// How many streams the killed process may have open.
const STREAMS: u32 = 50;
const ADDRESS: &str = "PUSHCORE_TEST_ADDRESS";
const CA: &str = "PUSHCORE_TEST_CA";
const ENDED: &str = "PUSHCORE_TEST_ENDED";

/// The part that is killed: it sends all that is not in its journal, and its output is the journal.
fn child(address: &str) {
    // The harness may have begun a line.
    println!();
    let ended = std::env::var(ENDED).expect("a list");
    let ended: Vec<usize> = ended
        .split_whitespace()
        .map(|n| n.parse().expect("a number"))
        .collect();
    let tls = TlsConfig::builder()
        .without_bundled_roots()
        .add_roots(std::env::var(CA).expect("a certificate"))
        .build();
    let mut config = ClientConfig::new();
    config.security = Some(Security::Tls(tls.expect("a configuration")));
    config.session.max_connections = 1;
    let hosts = apns::Environment::Sandbox
        .hosts()
        .with_device(Host::parse(address).expect("a host"));
    let client = Client::new(
        pushcore::apns::Service::new(fixture::credentials(), hosts),
        config,
    )
    .expect("a client");
    let rest = messages(0..N).filter(|(number, _)| !ended.contains(number));
    for ((number, _), result) in client.send_many(rest) {
        assert!(result.expect("an answer").is_accepted());
        println!("ended {number}");
    }
    println!("complete");
}

/// Runs the child; kills it after it has written `lines` lines. What it wrote, and whether it ended
/// by itself.
fn run(row: &Row, ended: &[usize], lines: usize) -> (Vec<usize>, bool) {
    let ended: Vec<String> = ended.iter().map(usize::to_string).collect();
    let mut child = Command::new(std::env::current_exe().expect("this test"))
        .args([
            "--exact",
            "process::row_52_killed_and_started_again",
            "--nocapture",
        ])
        .env(ADDRESS, row.host())
        .env(CA, row.ca.pem())
        .env(ENDED, ended.join(" "))
        .stdout(Stdio::piped())
        .spawn()
        .expect("a child");
    let output = BufReader::new(child.stdout.take().expect("a pipe"));
    let (mut journal, mut complete) = (Vec::new(), false);
    for line in output.lines() {
        let line = line.expect("text");
        if let Some(number) = line.strip_prefix("ended ") {
            journal.push(number.parse().expect("a number"));
        }
        complete |= line == "complete";
        if journal.len() == lines {
            // SIGKILL. What it had written can still be read.
            child.kill().expect("a living child");
        }
    }
    child.wait().expect("an end");
    (journal, complete)
}

/// Killed at three moments and started again with its journal: nothing is lost, nothing in the journal
/// is sent again, and the copies are no more than what was open, or had landed and not been written down.
#[test]
fn row_52_killed_and_started_again() {
    if let Ok(address) = std::env::var(ADDRESS) {
        return child(&address);
    }
    let row = Row::new(|_| Script::accepting().streams(STREAMS));
    let mut journal = Vec::new();
    for lines in [1, 137, 400] {
        let (written, complete) = run(&row, &journal, lines);
        assert!(!complete && written.len() >= lines, "it was killed");
        journal.extend(written);
    }
    let (written, complete) = run(&row, &journal, usize::MAX);
    assert!(complete, "it was left alone");
    journal.extend(written);
    journal.sort_unstable();
    assert!(
        journal.iter().copied().eq(0..N),
        "{} ends, not each once",
        journal.len()
    );
    let log = row.server.log();
    assert!((0..N).all(|number| log.processed(number) >= 1), "lost");
    let copies = log.duplicates();
    assert!(copies <= 3 * 2 * u64::from(STREAMS), "{copies} copies");
    assert_eq!(log.copies_with_other_ids(), 0);
}
