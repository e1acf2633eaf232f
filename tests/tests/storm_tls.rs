//! The storm of `storm.rs` over real TLS on real sockets: a server (not ours: the tests' own framing)
//! that says GOAWAY with any last id, resets streams, closes, resets and forgets connections, and a
//! network that cuts them off anywhere.
//!
//! The short form runs always. The long form is asked for (`make storm-tls`):
//! `PUSHCORE_STORM_TLS_MESSAGES=100000 cargo test --release -p pushcore-tests --test storm_tls`.
//! `PUSHCORE_SEED` chooses what the servers do; when they do it is the machine's.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use pushcore::session::{Delivery, Stats};
use pushcore::{Error, ErrorKind};
use pushcore_tests::sim::certificates::Authority;
use pushcore_tests::sim::frame::code;
use pushcore_tests::sim::road::{Cut, Relay, Road};
use pushcore_tests::sim::{Act, Answer, Last, Log, Rng, Script, Seen, Server, fixture, seeds};

fn size() -> usize {
    match std::env::var("PUSHCORE_STORM_TLS_MESSAGES") {
        Ok(text) => text.parse().expect("a number"),
        Err(_) => 5000,
    }
}

/// One connection of a stormy server.
fn stormy(rng: &mut Rng) -> Script {
    let streams = [1, 10, 30, 100][rng.below(4) as usize];
    let life = rng.between(2, 300) as u32;
    let silent = rng.chance(10);
    // Each connection answers at least one request: otherwise there is no progress to be made.
    let respond = move |seen: &Seen, rng: &mut Rng| {
        if seen.nth < life || seen.nth == 1 {
            return request(rng);
        }
        if seen.nth > life {
            // Between the warning and the end.
            return match rng.chance(700) {
                true => vec![ok()],
                false => vec![Act::Process],
            };
        }
        if silent {
            return vec![Act::Silence];
        }
        end(rng)
    };
    Script::new(respond).streams(streams)
}

fn ok() -> Act {
    Act::Answer(Answer::ok())
}

fn pause(rng: &mut Rng, longest: u64) -> Act {
    Act::Wait(Duration::from_millis(rng.between(1, longest)))
}

/// What becomes of an ordinary request.
fn request(rng: &mut Rng) -> Vec<Act> {
    match rng.below(1000) {
        0..25 => vec![Act::Reset(code::REFUSED_STREAM)],
        25..50 => {
            let reset = Act::Reset([code::CANCEL, code::INTERNAL_ERROR, 0xff][rng.below(3) as usize]);
            match rng.chance(500) {
                true => vec![Act::Process, reset],
                false => vec![reset],
            }
        }
        50..60 => vec![Act::Answer(Answer::refusal(400, "BadDeviceToken"))],
        60..65 => vec![Act::Answer(
            Answer::refusal(503, "ServiceUnavailable").in_pieces(3),
        )],
        65..70 => vec![Act::Process],
        70..250 => vec![pause(rng, 20), ok()],
        _ => vec![ok()],
    }
}

/// How a connection ends.
fn end(rng: &mut Rng) -> Vec<Act> {
    let last = match rng.chance(500) {
        true => Last::Processed,
        false => Last::Seen,
    };
    let code = [code::NO_ERROR, code::NO_ERROR, code::INTERNAL_ERROR][rng.below(3) as usize];
    match rng.below(8) {
        0 => vec![Act::Abort],
        1 => vec![Act::Close],
        2 => vec![Act::GoAway(last, code, Vec::new()), Act::Abort],
        3 => vec![
            Act::GoAway(Last::Max, code::NO_ERROR, Vec::new()),
            pause(rng, 50),
            Act::GoAway(last, code, br#"{"reason":"Shutdown"}"#.to_vec()),
            Act::AnswerHeld(Answer::ok()),
            Act::Close,
        ],
        4 => vec![
            Act::GoAway(Last::Seen, code, Vec::new()),
            pause(rng, 10),
            Act::GoAway(Last::Processed, code, Vec::new()),
            Act::Close,
        ],
        _ => vec![Act::GoAway(last, code, Vec::new()), Act::Close],
    }
}

/// One connection in five is cut off after some octets in one direction; in the handshake, perhaps.
fn bad_road(_: u32, rng: &mut Rng) -> Road {
    let mut road = Road::smooth();
    if rng.chance(200) {
        let cut = [Cut::Close, Cut::Reset, Cut::Reset, Cut::HalfClose][rng.below(4) as usize];
        let octets = rng.between(0, 30_000);
        match rng.chance(500) {
            true => road.up = Some((octets, cut)),
            false => road.down = Some((octets, cut)),
        }
    }
    road
}

struct Storm {
    log: Log,
    stats: Stats,
}

fn storm(seed: u64, delivery: Delivery, bad_roads: bool) -> Storm {
    let count = size();
    let (ca, mut rng) = (Authority::new(), Rng::new(seed));
    let server = Server::start(seed, Some(ca.server(&["h2"], |_| {})), move |_| stormy(&mut rng));
    let relay = bad_roads.then(|| Relay::start(seed, server.address(), bad_road));
    let address = relay.as_ref().map_or(server.address(), |relay| relay.address());

    let client = fixture::client(&ca, &format!("localhost:{}", address.port()), |config| {
        let session = &mut config.session;
        session.delivery = delivery;
        session.max_requeues = u8::MAX;
        session.max_connections = 4;
        session.longest_backoff = Duration::from_millis(100);
        session.deadline = Duration::from_secs(3600);
        session.response_timeout = Duration::from_millis(500);
        fixture::ping(config, Duration::from_millis(100), Duration::from_millis(100));
    });
    let messages = fixture::messages(64, 0..count);
    let (start, mut ends) = (Instant::now(), vec![0u8; count]);
    let mut causes = BTreeMap::new();
    for ((number, _), result) in client.send_many(messages) {
        ends[number] += 1;
        let processed = server.log().processed(number);
        match result {
            Ok(outcome) if outcome.is_accepted() => assert!(processed >= 1, "{number}: {outcome:?}"),
            Ok(_) => {}
            Err(error) => {
                assert_eq!(error.kind(), ErrorKind::Unknown, "{number}: {error}");
                let cause = error.cause().map_or(error.kind(), Error::kind);
                *causes.entry(cause.name()).or_insert(0u32) += 1;
            }
        }
    }
    let (stats, log) = (client.stats(), server.log().clone());
    assert!(ends.iter().all(|ends| *ends == 1), "each ends once");
    assert!(stats.is_balanced(), "{stats:?}");
    assert_eq!((stats.submitted, stats.ended()), (count as u64, count as u64));
    assert_eq!(log.violations(), Vec::<String>::new());
    println!(
        "seed {seed}: {count} messages in {:.1} s over {} connections: {} processed, {} copies, {stats:?}, unknown for {causes:?}",
        start.elapsed().as_secs_f64(),
        log.connections(),
        log.total_processed(),
        log.duplicates(),
    );
    Storm { log, stats }
}

/// Nothing lost, nothing unaccounted, nothing twice.
fn at_most_once(bad_roads: bool) {
    for seed in seeds(1) {
        let Storm { log, stats } = storm(seed, Delivery::AtMostOnce, bad_roads);
        assert_eq!(log.duplicates(), 0);
        let processed = log.total_processed();
        assert!(
            (stats.accepted..=stats.accepted + stats.unknown).contains(&processed),
            "{processed}: {stats:?}"
        );
        assert!(stats.accepted > size() as u64 / 2, "{stats:?}");
    }
}

#[test]
fn a_stormy_server() {
    at_most_once(false);
}

#[test]
fn a_stormy_server_behind_a_bad_network() {
    at_most_once(true);
}

/// Copies are no more than what was in doubt, and carry the same id.
#[test]
fn at_least_once() {
    for seed in seeds(1) {
        let Storm { log, stats } = storm(seed, Delivery::AtLeastOnce, true);
        assert_eq!(log.copies_with_other_ids(), 0);
        assert!(log.duplicates() <= stats.requeued, "{stats:?}");
        assert!(stats.accepted > size() as u64 * 9 / 10, "{stats:?}");
    }
}
