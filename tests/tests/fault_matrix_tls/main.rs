//! The rows of the fault matrix that are about sockets and TLS, over real sockets of this machine:
//! `pushcore-client` on one side, a peer that shares no code with it on the other.

mod http;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use pushcore::http::Authority as Host;
use pushcore::net::Security;
use pushcore::net::tls::TlsConfig;
use pushcore::session::Stats;
use pushcore::{Error, ErrorKind, Outcome, apns};
use pushcore_client::{Client, ClientConfig, Resolver};
use pushcore_tests::sim::certificates::Authority;
use pushcore_tests::sim::frame::code;
use pushcore_tests::sim::log::number_of;
use pushcore_tests::sim::{Act, Answer, Last, Rng, Script, Seen, Server, fixture};
use rcgen::{ExtendedKeyUsagePurpose, date_time_ymd};
use rustls::ServerConfig;

const N: usize = 1000;
const H2: &[&str] = &["h2"];

type Results = Vec<((usize, apns::Message), Result<Outcome, Error>)>;

fn client(ca: &Authority, host: &str, change: impl FnOnce(&mut ClientConfig)) -> Client {
    let tls = TlsConfig::builder()
        .without_bundled_roots()
        .add_roots(ca.pem())
        .build();
    let mut config = ClientConfig::new();
    config.security = Some(Security::Tls(tls.expect("a configuration")));
    config.session.max_connections = 1;
    config.session.first_backoff = Duration::from_millis(10);
    change(&mut config);
    let hosts = apns::Environment::Sandbox
        .hosts()
        .with_device(Host::parse(host).expect("a host"));
    Client::apns(fixture::credentials(), hosts, config).expect("a client")
}

fn messages(range: std::ops::Range<usize>) -> impl Iterator<Item = (usize, apns::Message)> {
    let template = fixture::message(64);
    range.map(move |number| {
        (
            number,
            template.to(fixture::device(number)).with_id(fixture::id(number)),
        )
    })
}

/// Sends everything, checks that every message ended once and as the servers saw it.
fn send(client: &Client, server: &Server, count: usize) -> (Stats, Results) {
    let results: Results = client.send_many(messages(0..count)).collect();
    let stats = client.stats();
    assert!(stats.is_balanced(), "{stats:?}");
    assert_eq!((results.len(), stats.ended()), (count, count as u64));
    let mut seen = vec![0; count];
    for ((number, _), result) in &results {
        seen[*number] += 1;
        let processed = server.log().processed(*number);
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
    assert_eq!(server.log().violations(), Vec::<String>::new());
    (stats, results)
}

fn deepest(error: &Error) -> ErrorKind {
    error.cause().map_or(error.kind(), deepest)
}

/// A server whose first connection follows `faulty`; the others accept everything.
fn faulty(ca: &Authority, faulty: impl Fn() -> Script + Send + 'static) -> Server {
    let scripts = move |nth| if nth == 1 { faulty() } else { Script::accepting() };
    Server::start(1, Some(ca.server(H2, |_| {})), scripts)
}

fn address(server: &Server) -> String {
    format!("localhost:{}", server.address().port())
}

/// The first `count` requests get no answer, then `acts` happen.
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

/// Nothing reaches the server, and everybody hears why.
fn refuses(ca: &Authority, config: Arc<ServerConfig>, expected: &[ErrorKind]) {
    let server = Server::start(1, Some(config), |_| Script::accepting());
    let client = client(ca, &address(&server), |_| {});
    let (stats, results) = send(&client, &server, 100);
    assert_eq!((stats.not_sent, stats.unknown), (100, 0), "{stats:?}");
    assert_eq!(server.log().requests(), 0);
    for (_, result) in &results {
        let error = result.as_ref().expect_err("nothing is sent");
        assert!(expected.contains(&deepest(error)), "{error:?}");
    }
}

#[test]
fn row_01_connect_refused() {
    let ca = Authority::new();
    let server = faulty(&ca, Script::accepting);
    let closed = std::net::TcpListener::bind("127.0.0.1:0")
        .expect("a port")
        .local_addr()
        .expect("an address");
    let client = client(&ca, &format!("127.0.0.1:{}", closed.port()), |_| {});
    let (stats, results) = send(&client, &server, N);
    assert_eq!(
        (stats.not_sent + stats.expired, stats.unknown),
        (N as u64, 0),
        "{stats:?}"
    );
    let error = results[0].1.as_ref().expect_err("nothing is sent");
    assert_eq!(deepest(error), ErrorKind::ConnectRefused, "{error:?}");
}

#[test]
fn row_03_name_does_not_resolve() {
    let ca = Authority::new();
    let server = faulty(&ca, Script::accepting);
    let client = client(&ca, "no-such-host.invalid", |_| {});
    let (stats, results) = send(&client, &server, 100);
    assert_eq!(
        (stats.not_sent + stats.expired, stats.unknown),
        (100, 0),
        "{stats:?}"
    );
    let error = results[0].1.as_ref().expect_err("nothing is sent");
    assert_eq!(deepest(error), ErrorKind::NameNotResolved, "{error:?}");
}

/// Each new connection asks anew where the host is: first here, then there. The old one drains.
#[test]
fn row_04_address_changes_between_connections() {
    let ca = Authority::new();
    let here = Server::start(1, Some(ca.server(H2, |_| {})), |_| {
        Script::new(|seen, _| match seen.nth {
            300 => vec![ok(), Act::GoAway(Last::Max, code::NO_ERROR, Vec::new())],
            _ => vec![ok()],
        })
    });
    let there = Server::start(1, Some(ca.server(H2, |_| {})), |_| Script::accepting());
    let asked = Arc::new(AtomicUsize::new(0));
    let (counter, addresses) = (asked.clone(), [here.address(), there.address()]);
    let client = client(&ca, "localhost:443", |config| {
        config.resolver = Resolver::new(move |_, _| {
            let nth = counter.fetch_add(1, Ordering::SeqCst);
            Ok(vec![addresses[nth.min(1)]])
        });
    });
    let results: Results = client.send_many(messages(0..N)).collect();
    assert!(
        results
            .iter()
            .all(|(_, result)| result.as_ref().is_ok_and(Outcome::is_accepted))
    );
    for number in 0..N {
        assert_eq!(
            here.log().processed(number) + there.log().processed(number),
            1,
            "{number}"
        );
    }
    assert_eq!(asked.load(Ordering::SeqCst), 2);
    assert!(here.log().total_processed() >= 300 && there.log().total_processed() > 0);
}

/// The first address refuses; the second is where the server is.
#[test]
fn row_05_first_of_several_addresses_is_dead() {
    let ca = Authority::new();
    let server = faulty(&ca, Script::accepting);
    let closed = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let dead = closed.local_addr().expect("an address");
    drop(closed);
    let live = server.address();
    let client = client(&ca, "localhost:443", |config| {
        config.resolver = Resolver::new(move |_, _| Ok(vec![dead, live]));
    });
    let (stats, _) = send(&client, &server, N);
    assert_eq!((stats.accepted, stats.requeued), (N as u64, 0), "{stats:?}");
    assert_eq!(server.log().connections(), 1);
}

#[test]
fn rows_06_to_10_certificates() {
    let ca = Authority::new();
    let changed = |change: fn(&mut rcgen::CertificateParams)| ca.server(H2, change);
    refuses(
        &ca,
        changed(|p| p.not_after = date_time_ymd(2025, 6, 1)),
        &[ErrorKind::CertificateExpired],
    );
    refuses(
        &ca,
        changed(|p| p.not_before = date_time_ymd(2034, 1, 1)),
        &[ErrorKind::CertificateNotYetValid],
    );
    let other_name = changed(|p| {
        let names = rcgen::CertificateParams::new(vec!["push.example".to_owned()]).expect("a name");
        p.subject_alt_names = names.subject_alt_names;
    });
    refuses(&ca, other_name, &[ErrorKind::CertificateWrongName]);
    let unknown = [ErrorKind::CertificateUnknownIssuer, ErrorKind::CertificateInvalid];
    refuses(&ca, Authority::new().server(H2, |_| {}), &unknown);
    let purpose = changed(|p| p.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth]);
    refuses(&ca, purpose, &[ErrorKind::CertificateInvalid]);
    refuses(
        &ca,
        ca.server_with_ca_as_leaf(H2),
        &[ErrorKind::CertificateInvalid],
    );
}

#[test]
fn row_12_no_http2_by_alpn() {
    let ca = Authority::new();
    refuses(&ca, ca.server(&[], |_| {}), &[ErrorKind::NoApplicationProtocol]);
    refuses(
        &ca,
        ca.server(&["http/1.1"], |_| {}),
        &[ErrorKind::NoApplicationProtocol],
    );
}

#[test]
fn row_13_client_certificate_required() {
    let ca = Authority::new();
    let expected = [ErrorKind::TlsAlert, ErrorKind::ConnectionLost];
    refuses(&ca, ca.server_with(H2, true, |_| {}), &expected);
}

#[test]
fn row_14_handshake_cut_short() {
    let ca = Authority::new();
    for greeting in [
        vec![Act::Close],
        vec![
            Act::Raw(vec![0x16, 3, 3, 0, 122, 2, 0, 0, 118, 3, 3, 1, 2, 3]),
            Act::Close,
        ],
        vec![Act::Raw(vec![0x15, 3, 3, 0, 2, 1, 0]), Act::Close],
        vec![Act::Raw(b"HTTP/1.1 400 Bad Request\r\n\r\n".to_vec()), Act::Close],
    ] {
        let server = Server::start(1, None, move |_| {
            let mut script = Script::accepting().greeting(greeting.clone());
            script.deaf = true;
            script
        });
        let client = client(&ca, &address(&server), |_| {});
        let (stats, _) = send(&client, &server, 100);
        assert_eq!((stats.not_sent, stats.unknown), (100, 0), "{stats:?}");
    }
}

/// Graceful GOAWAY, the last answers, then TCP's end without close_notify.
#[test]
fn rows_15_and_17_graceful_goaway() {
    let ca = Authority::new();
    let server = faulty(&ca, || {
        Script::new(|seen, _| match seen.nth {
            300 => vec![
                Act::GoAway(Last::Max, code::NO_ERROR, Vec::new()),
                Act::Wait(Duration::from_millis(100)),
                Act::GoAway(Last::Seen, code::NO_ERROR, Vec::new()),
                Act::AnswerHeld(Answer::ok()),
                Act::Close,
            ],
            _ => vec![ok()],
        })
    });
    let client = client(&ca, &address(&server), |_| {});
    let (stats, _) = send(&client, &server, N);
    assert_eq!((stats.accepted, stats.unknown), (N as u64, 0), "{stats:?}");
    assert_eq!(server.log().connections(), 2);
}

#[test]
fn row_18_abrupt_goaway() {
    let ca = Authority::new();
    let server = faulty(&ca, || {
        Script::new(|seen, _| match seen.nth {
            1..=30 => vec![Act::Process],
            60 => vec![Act::GoAway(Last::Id(81), code::NO_ERROR, Vec::new()), Act::Close],
            _ => Vec::new(),
        })
    });
    let client = client(&ca, &address(&server), |_| {});
    let (stats, _) = send(&client, &server, N);
    assert_eq!((stats.unknown, stats.accepted), (41, N as u64 - 41), "{stats:?}");
    assert_eq!(server.log().total_processed(), N as u64 - 41 + 30);
}

#[test]
fn row_19_goaway_zero_with_a_reason() {
    let ca = Authority::new();
    let acts = vec![
        Act::GoAway(Last::Id(0), code::NO_ERROR, br#"{"reason":"Shutdown"}"#.to_vec()),
        Act::Close,
    ];
    let server = faulty(&ca, move || after_holding(100, acts.clone()));
    let client = client(&ca, &address(&server), |_| {});
    let (stats, _) = send(&client, &server, N);
    assert_eq!((stats.accepted, stats.unknown), (N as u64, 0), "{stats:?}");
}

#[test]
fn row_23_lost_without_goaway() {
    for end in [Act::Close, Act::Abort] {
        let ca = Authority::new();
        let server = faulty(&ca, move || after_holding(50, vec![end.clone()]));
        let client = client(&ca, &address(&server), |_| {});
        let (stats, _) = send(&client, &server, N);
        assert_eq!((stats.unknown, stats.accepted), (50, N as u64 - 50), "{stats:?}");
    }
}

#[test]
fn row_31_some_streams_refused() {
    let ca = Authority::new();
    let server = faulty(&ca, || {
        Script::new(|seen, _| match seen.nth % 10 {
            3 => vec![Act::Reset(code::REFUSED_STREAM)],
            _ => vec![ok()],
        })
    });
    let client = client(&ca, &address(&server), |config| config.session.max_requeues = 20);
    let (stats, _) = send(&client, &server, N);
    assert_eq!((stats.accepted, stats.unknown), (N as u64, 0), "{stats:?}");
}

#[test]
fn row_41_slow_answers_have_a_deadline() {
    let ca = Authority::new();
    let server = faulty(&ca, || Script::new(|_, _| Vec::new()));
    let client = client(&ca, &address(&server), |config| {
        config.session.response_timeout = Duration::from_millis(300);
    });
    let start = Instant::now();
    let (stats, _) = send(&client, &server, 10);
    assert_eq!(stats.unknown, 10, "{stats:?}");
    assert!(start.elapsed() >= Duration::from_millis(300));
}

/// Four threads share a client: each gets its own messages' answers, and the id says so.
#[test]
fn threads_get_their_own_answers() {
    let ca = Authority::new();
    let echo = || {
        Script::new(|seen, _| {
            let id = seen.field("apns-id").unwrap_or_default().to_owned();
            vec![Act::Answer(Answer::ok().with_field("apns-id", id))]
        })
    };
    let server = Server::start(1, Some(ca.server(H2, |_| {})), move |_| echo());
    let client = client(&ca, &address(&server), |config| {
        config.session.max_connections = 2
    });
    std::thread::scope(|scope| {
        for thread in 0..4 {
            let client = &client;
            scope.spawn(move || {
                let mut seen = vec![0; 2000];
                let first = thread * 2000;
                for ((number, _), result) in client.send_many(messages(first..first + 2000)) {
                    seen[number - first] += 1;
                    let Ok(Outcome::Accepted(accepted)) = result else {
                        panic!("{number}: {result:?}")
                    };
                    let id = accepted.id.expect("an id");
                    assert_eq!(
                        id.as_str().to_lowercase(),
                        fixture::id(number).as_str().to_lowercase()
                    );
                }
                assert!(seen.iter().all(|count| *count == 1));
            });
        }
    });
    assert!(client.stats().is_balanced());
    assert_eq!((client.stats().accepted, server.log().duplicates()), (8000, 0));
    assert_eq!(number_of("/3/device/"), None);
}
