//! The fault matrix over real TLS on real sockets of this machine: `pushcore-client` on one side, a
//! peer that shares no code with it on the other.
//!
//! Which row is shown where, and what is left to the simulator (`tests/fault_matrix/`) and why.
//! `table.rs` checks that the tests exist.
//!
//! | row | fault | simulator | sockets | remark |
//! |---|---|---|---|---|
//! | 1 | connect refused | `row_01_connect_refused` | `row_01_connect_refused` |  |
//! | 2 | black hole | `row_02_black_hole` | `row_02_black_hole` | SYNs dropped by a full queue |
//! | 3 | name does not resolve | `row_03_name_does_not_resolve` | `row_03_name_does_not_resolve` |  |
//! | 4 | address changes | `row_04_address_changes_between_connections` | `row_04_address_changes_between_connections` |  |
//! | 5 | first address dead | `row_05_first_of_several_addresses_is_dead` | `row_05_first_of_several_addresses_is_dead` |  |
//! | 6 | certificate expired | `row_06_expired_certificate` | `row_06_expired_certificate` |  |
//! | 7 | not yet valid | `row_07_certificate_not_valid_yet` | `row_07_certificate_not_valid_yet` |  |
//! | 8 | wrong name | `row_08_certificate_for_another_name` | `row_08_certificate_for_another_name` |  |
//! | 9 | unknown CA | `row_09_unknown_issuer` | `row_09_unknown_issuer` |  |
//! | 10 | wrong purpose, CA as leaf, bad signature | `row_10_wrong_purpose_an_authority_as_a_server_or_a_bad_signature` | `row_10_wrong_purpose_an_authority_as_a_server_or_a_bad_signature` |  |
//! | 11 | old TLS | `row_11_old_tls` | `row_11_old_tls` |  |
//! | 12 | no h2 by ALPN | `row_12_no_http2_by_alpn` | `row_12_no_http2_by_alpn` |  |
//! | 13 | client certificate refused | `row_13_client_certificate_required` | `row_13_client_certificate_required` | after the first write: `row_13_alert_after_the_first_write`; others' and revoked ones: `tests/tls_sockets.rs` |
//! | 14 | handshake cut short | `row_14_handshake_cut_short` | `row_14_handshake_cut_short` | after any octet: `roads.rs` |
//! | 15 | FIN without close_notify | `row_15_end_without_close_notify_after_goaway` | `row_15_end_without_close_notify_after_goaway` |  |
//! | 16 | no SETTINGS, garbage | `row_16_no_settings_or_garbage` | `row_16_no_settings_or_garbage` |  |
//! | 17 | graceful GOAWAY | `row_17_graceful_goaway` | `row_17_graceful_goaway` |  |
//! | 18 | abrupt GOAWAY | `row_18_abrupt_goaway` | `row_18_abrupt_goaway` |  |
//! | 19 | GOAWAY(0) with a reason | `row_19_goaway_zero_with_a_reason` | `row_19_goaway_zero_with_a_reason` |  |
//! | 20 | GOAWAY(ENHANCE_YOUR_CALM) | `row_20_enhance_your_calm` | `row_20_enhance_your_calm` | with a back-off of 10 ms |
//! | 21 | two GOAWAYs | `row_21_two_goaways` | `row_21_two_goaways` |  |
//! | 22 | GOAWAY on every connection | `row_22_goaway_on_every_connection` | `row_22_goaway_on_every_connection` | and `tests/storm_tls.rs` |
//! | 23 | lost without GOAWAY | `row_23_lost_without_goaway` | `row_23_lost_without_goaway` | FIN and RST; after any octet: `roads.rs` |
//! | 24 | half-open | `row_24_half_open` | `row_24_half_open` | with a fifth of a second; 15 s and 10 s are the simulator's |
//! | 25 | PING ACK late or wrong, PING flood | `row_25_ping_acknowledgements_late_or_wrong_and_ping_floods` | `row_25_ping_acknowledgements_late_or_wrong_and_ping_floods` |  |
//! | 26 | no PING when idle | `row_26_apns_is_not_pinged_without_streams` | `row_26_no_ping_without_streams` | an hour of bursts and idleness is the simulator's |
//! | 27 | malformed frames | `row_27_all_57_client_cases` | `row_27_all_57_client_cases` | the 22 error vectors: the simulator's |
//! | 28 | too large and unknown frames | `row_28_too_large_and_unknown_frames` | `row_28_too_large_and_unknown_frames` |  |
//! | 29 | PUSH_PROMISE | `row_29_push_promise` | `row_29_push_promise` |  |
//! | 30 | stream ids run out | `row_30_stream_ids_run_out` | `row_30_stream_ids_run_out` |  |
//! | 31 | REFUSED_STREAM | `row_31_some_streams_refused` | `row_31_some_streams_refused` |  |
//! | 32 | REFUSED_STREAM for ever | `row_32_all_streams_refused_for_ever` | `row_32_all_streams_refused_for_ever` |  |
//! | 33 | every other reset code | `row_33_every_other_reset_code` | `row_33_every_other_reset_code` |  |
//! | 34 | reset after the response | `row_34_reset_after_the_response` | `row_34_reset_after_the_response` |  |
//! | 35 | two resets | `row_35_two_resets_for_one_stream` | `row_35_two_resets_for_one_stream` |  |
//! | 36 | response after cancel | `row_36_response_to_a_cancelled_request` | `row_36_response_to_a_cancelled_request` |  |
//! | 37 | stream limit 100, 1, 100 | `row_37_stream_limit_up_and_down` | `row_37_stream_limit_up_and_down` |  |
//! | 38 | stream limit 0 | `row_38_no_streams_at_all` | `row_38_no_streams_at_all` |  |
//! | 39 | windows exhausted | `row_39_windows_of_one_octet` | `row_39_windows_of_one_octet` | TCP's own window: `roads.rs` |
//! | 40 | window and SETTINGS floods | `row_40_window_and_settings_floods` | `row_40_window_and_settings_floods` | and `row_40_settings_never_acknowledged` |
//! | 41 | slow loris | `row_41_slow_loris` | `row_41_slow_loris` |  |
//! | 42 | CONTINUATION flood | `row_42_continuation_flood` | `row_42_continuation_flood` |  |
//! | 43 | HPACK bomb | `row_43_hpack_bomb` | `row_43_hpack_bomb` |  |
//! | 44 | forbidden header sections | `row_44_header_sections_that_are_not_allowed` | `row_44_header_sections_that_are_not_allowed` | five of fifteen; how they are read has nothing to do with sockets |
//! | 45 | empty and padded DATA | `row_45_empty_and_padded_data` | `row_45_empty_and_padded_data` |  |
//! | 46 | 1xx, trailers | `row_46_interim_responses_and_trailers` | `row_46_interim_responses_and_trailers` |  |
//! | 47 | bodies in pieces, lying lengths | `row_47_bodies_in_pieces_missing_and_of_the_wrong_length` | `row_47_bodies_in_pieces_missing_and_of_the_wrong_length` |  |
//! | 48 | bodies that are no JSON | `row_48_bodies_that_are_no_json` | `row_48_bodies_that_are_no_json` |  |
//! | 49 | redirects | `row_49_redirects_are_not_followed` | `row_49_redirects_are_not_followed` |  |
//! | 50 | provider tokens | `row_50_expired_provider_token` | `row_50_refusal_of_a_young_token` | what takes 20 minutes or a wrong clock is the simulator's |
//! | 51 | Retry-After | `row_51_retry_after_in_every_form` | `row_51_retry_after` | one form; how they are read has nothing to do with sockets |
//! | 52 | kill, fork, sleep, let go | `row_52_killed_at_any_moment` | `row_52_killed_and_started_again` | a real SIGKILL here, a fork in `tests/fork/`; sleep is the simulator's |
//!
//! Faults of sockets that the matrix does not number are in `roads.rs`: octets that dribble, a connection
//! cut off after any octet in either direction (FIN, RST, half-close, silence), a server that stops reading.
//! Proxies are in `tests/client/proxies.rs`.

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
