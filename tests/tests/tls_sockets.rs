//! TLS as a server sees it on real sockets: resumption, SNI, client certificates, records.

use std::process::Command;
use std::sync::Arc;

use pushcore::net::Security;
use pushcore::net::tls::{ClientIdentity, TlsConfig};
use pushcore::{Error, ErrorKind};
use pushcore_client::{Client, ClientConfig, Resolver};
use pushcore_tests::sim::certificates::{Authority, Issued};
use pushcore_tests::sim::road::{Relay, Road};
use pushcore_tests::sim::{Act, Answer, Last, Script, Server, fixture};
use rustls::{ProtocolVersion, ServerConfig};

const H2: &[&str] = &["h2"];

fn start(config: Arc<ServerConfig>) -> Server {
    Server::start(1, Some(config), |_| Script::accepting())
}

fn host(server: &Server) -> String {
    format!("localhost:{}", server.address().port())
}

/// Sends messages `0..count`, and all are taken.
fn send(client: &Client, count: usize) {
    let results: Vec<_> = client.send_many(fixture::messages(64, 0..count)).collect();
    assert_eq!(results.len(), count);
    for ((number, _), result) in results {
        assert!(result.expect("an answer").is_accepted(), "{number}");
    }
    assert!(client.stats().is_balanced());
}

fn with_tls(tls: Arc<TlsConfig>) -> impl FnOnce(&mut ClientConfig) {
    move |config| config.security = Some(Security::Tls(tls))
}

/// Every connection but the first goes on from the session of the one before, also those of another
/// client that shares the configuration; where that is turned off, none does.
#[test]
fn sessions_are_resumed() {
    for tls12 in [false, true] {
        for on in [true, false] {
            let ca = Authority::new();
            let config = match tls12 {
                true => ca.server_of_tls12(H2),
                false => ca.server(H2, |_| {}),
            };
            let leaving = |_| {
                Script::new(|seen, _| match seen.nth {
                    10 => vec![
                        Act::Answer(Answer::ok()),
                        Act::GoAway(Last::Seen, 0, Vec::new()),
                        Act::AnswerHeld(Answer::ok()),
                        Act::Close,
                    ],
                    _ => vec![Act::Answer(Answer::ok())],
                })
                .streams(1)
            };
            let server = Server::start(1, Some(config), leaving);
            let tls = fixture::trusting(&ca).resumption(on).build().expect("tls");
            let client = fixture::client(&ca, &host(&server), with_tls(Arc::clone(&tls)));
            send(&client, 30);
            let other = fixture::client(&ca, &host(&server), with_tls(tls));
            send(&other, 5);
            let resumed: Vec<bool> = server.log().handshakes().iter().map(|h| h.resumed).collect();
            assert_eq!(resumed, [false, on, on, on], "tls 1.2: {tls12}");
            let version = match tls12 {
                true => ProtocolVersion::TLSv1_2,
                false => ProtocolVersion::TLSv1_3,
            };
            assert!(
                server
                    .log()
                    .handshakes()
                    .iter()
                    .all(|h| h.version == Some(version))
            );
        }
    }
}

/// The name of the service, whatever its address; none where the host is an address (RFC 6066 §3).
#[test]
fn the_server_is_told_the_name() {
    let ca = Authority::new();
    let server = start(ca.server(H2, |_| {}));
    let address = server.address();
    for (host, told) in [
        (
            "api.sandbox.push.apple.com:443",
            Some("api.sandbox.push.apple.com"),
        ),
        ("localhost:443", Some("localhost")),
        ("127.0.0.1:443", None),
    ] {
        let client = fixture::client(&ca, host, |config| {
            config.resolver = Resolver::new(move |_, _| Ok(vec![address]));
        });
        send(&client, 1);
        let last = server.log().handshakes().pop().expect("a handshake");
        assert_eq!(last.server_name.as_deref(), told);
    }
}

/// As `openssl pkcs12 -export` writes it.
fn pkcs12(issued: &Issued, password: &str) -> Vec<u8> {
    static NUMBER: std::sync::atomic::AtomicU32 = std::sync::atomic::AtomicU32::new(0);
    let number = NUMBER.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
    let folder = std::env::temp_dir().join(format!("pushcore-tls-{}-{number}", std::process::id()));
    std::fs::create_dir_all(&folder).expect("a folder");
    std::fs::write(
        folder.join("all.pem"),
        format!("{}{}", issued.certificate, issued.key),
    )
    .expect("a file");
    let output = Command::new("openssl")
        .args(["pkcs12", "-export", "-in", "all.pem", "-passout"])
        .arg(format!("pass:{password}"))
        .current_dir(&folder)
        .output()
        .expect("openssl is installed");
    std::fs::remove_dir_all(&folder).expect("the folder");
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    output.stdout
}

fn presenting(ca: &Authority, identity: ClientIdentity) -> Arc<TlsConfig> {
    fixture::trusting(ca).identity(identity).build().expect("tls")
}

fn from_pem(issued: &Issued) -> ClientIdentity {
    ClientIdentity::from_pem(issued.certificate.as_bytes(), issued.key.as_bytes()).expect("an identity")
}

#[test]
fn client_certificates_arrive_from_pem_and_pkcs12() {
    let ca = Authority::new();
    let issued = ca.client(7, |_| {});
    let file = pkcs12(&issued, "hunter2");
    for identity in [
        from_pem(&issued),
        ClientIdentity::from_pkcs12(&file, "hunter2").expect("an identity"),
    ] {
        let server = start(ca.server_with(H2, true, |_| {}));
        let client = fixture::client(&ca, &host(&server), with_tls(presenting(&ca, identity)));
        send(&client, 100);
        let handshakes = server.log().handshakes();
        assert_eq!(handshakes.len(), 1);
        assert_eq!(handshakes[0].client_certificate.as_ref(), Some(&issued.der));
    }
    // Where nobody asks for it, it is not shown.
    let server = start(ca.server(H2, |_| {}));
    let client = fixture::client(&ca, &host(&server), with_tls(presenting(&ca, from_pem(&issued))));
    send(&client, 1);
    assert_eq!(server.log().handshakes()[0].client_certificate, None);
}

/// Row 13 of the fault matrix in all its forms. With TLS 1.3 the refusal comes when the client believes
/// that all is well: as no request leaves before SETTINGS, none is in doubt, and each hears the reason.
#[test]
fn refused_client_certificates_are_named() {
    let ca = Authority::new();
    let asks = || ca.server_with(H2, true, |_| {});
    let good = ca.client(7, |_| {});
    let expired = ca.client(8, |params| params.not_after = rcgen::date_time_ymd(2025, 6, 1));
    let purpose = ca.client(9, |params| {
        params.extended_key_usages = vec![rcgen::ExtendedKeyUsagePurpose::ServerAuth]
    });
    let stranger = Authority::named("Another CA").client(10, |_| {});
    for (what, identity, server, alert) in [
        ("none", None, asks(), "certificate_required"),
        ("a stranger's", Some(from_pem(&stranger)), asks(), "unknown_ca"),
        ("expired", Some(from_pem(&expired)), asks(), "certificate_expired"),
        (
            "a server's",
            Some(from_pem(&purpose)),
            asks(),
            "unsupported_certificate",
        ),
        (
            "revoked",
            Some(from_pem(&good)),
            ca.server_that_revoked(H2, 7),
            "certificate_revoked",
        ),
    ] {
        let server = start(server);
        let tls = match identity {
            Some(identity) => presenting(&ca, identity),
            None => fixture::trusting(&ca).build().expect("tls"),
        };
        let client = fixture::client(&ca, &host(&server), with_tls(tls));
        let results: Vec<_> = client.send_many(fixture::messages(64, 0..200)).collect();
        let stats = client.stats();
        assert!(stats.is_balanced());
        assert_eq!((stats.not_sent, stats.ended()), (200, 200), "{what}: {stats:?}");
        for (_, result) in results {
            let error = result.expect_err("refused");
            let cause = error.cause().expect("a cause");
            assert_eq!(cause.kind(), ErrorKind::TlsAlert, "{what}: {error}");
            assert!(cause.to_string().contains(alert), "{what}: {cause}");
        }
        assert_eq!((server.log().requests(), server.log().authorizations()), (0, 0));
    }
}

/// The lengths of the TLS records in what a client said; all of them application data.
fn records(mut bytes: &[u8]) -> Vec<usize> {
    let mut lengths = Vec::new();
    while let [23, 3, 3, high, low, rest @ ..] = bytes {
        let length = usize::from(*high) << 8 | usize::from(*low);
        lengths.push(length);
        bytes = rest.get(length..).expect("a whole record");
    }
    assert!(bytes.is_empty(), "{} octets that are no record", bytes.len());
    lengths
}

/// Each push that goes alone arrives as one record, in one piece: HEADERS and DATA together, nothing
/// before and nothing after. Many together fill their records.
#[test]
fn a_lone_push_is_one_record_in_one_piece() {
    let ca = Authority::new();
    let server = start(ca.server(H2, |_| {}));
    let road = |_: u32, _: &mut _| Road {
        taped: true,
        ..Road::smooth()
    };
    let relay = Relay::start(1, server.address(), road);
    let client = fixture::client(&ca, &format!("localhost:{}", relay.address().port()), |_| {});
    let mut messages = fixture::messages(64, 0..2000);
    // The first brings the handshake and SETTINGS with it.
    for lone in 0..20 {
        let (_, message) = messages.next().expect("a message");
        let outcome: Result<_, Error> = client.send(&message);
        assert!(outcome.expect("an answer").is_accepted());
        let pieces = relay.tape();
        if lone > 0 {
            assert_eq!(pieces.len(), 1, "in pieces of {:?}", pieces.iter().map(Vec::len));
            assert_eq!(records(&pieces[0]).len(), 1);
        }
    }
    let rest = client
        .send_many(messages)
        .filter(|(_, result)| result.is_ok())
        .count();
    assert_eq!(rest, 1980);
    let lengths = records(&relay.tape().concat());
    let (count, octets) = (lengths.len(), lengths.iter().sum::<usize>());
    assert!(octets / count > 4000, "{count} records for {octets} octets");
}
