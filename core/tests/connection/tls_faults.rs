//! Rows 6 to 14 of the fault matrix: what is wrong with the server's TLS, and what is said of it.
//! Never does a byte of HTTP leave.

use std::sync::Arc;
use std::time::Duration;

use pushcore::net::{Connection, Protocols};
use pushcore::{Now, UnixTime};
use rcgen::{BasicConstraints, ExtendedKeyUsagePurpose, IsCa, date_time_ymd};
use rustls::ServerConfig;

use crate::certificates::{Authority, Issued};
use crate::pair::{H2Server, Pair, START, Silent, client_config, client_tls, events, host, server_config};

fn outcome_at(now: Now, ca: &Authority, server: ServerConfig) -> (Vec<String>, Pair) {
    let config = client_config(client_tls(ca), Protocols::Http2Only);
    let mut pair = Pair::at(now, &config, Arc::new(server), H2Server::new(usize::MAX));
    let seen = pair.drive();
    assert_eq!(pair.plaintext, 0, "nothing was sent");
    assert!(pair.client.is_closed() && pair.client.poll_timeout().is_none());
    (seen, pair)
}

/// The only event, and the alert that reached the server.
fn refused(ca: &Authority, issued: &Issued) -> (String, String) {
    let (seen, pair) = outcome_at(START, ca, server_config(issued, &["h2"], None));
    let [only] = &seen[..] else { panic!("{seen:?}") };
    (
        only.clone(),
        format!("{:?}", pair.server_error.expect("an alert reached the server")),
    )
}

#[test]
fn rows_6_and_7_expired_and_not_yet_valid() {
    let ca = Authority::new();
    let expired = ca.issue(|params| params.not_after = date_time_ymd(2026, 5, 1));
    let (event, alert) = refused(&ca, &expired);
    assert_eq!(
        event,
        "closed CertificateExpired: certificate of push.example expired on Fri, 01 May 2026 00:00:00 GMT, \
         the clock says Mon, 01 Jun 2026 00:00:00 GMT"
    );
    assert_eq!(alert, "AlertReceived(CertificateExpired)");
    let early = ca.issue(|params| params.not_before = date_time_ymd(2026, 7, 1));
    let (event, _) = refused(&ca, &early);
    assert!(
        event.starts_with("closed CertificateNotYetValid: certificate of push.example is valid from"),
        "{event}"
    );
    // The same certificate, and another calendar: the clock is the caller's.
    let later = Now::new(Duration::ZERO, UnixTime::from_secs(1_800_000_000 + 365 * 86_400));
    let (seen, _) = outcome_at(later, &ca, server_config(&ca.server(), &["h2"], None));
    assert!(seen[0].starts_with("closed CertificateExpired"), "{seen:?}");
}

#[test]
fn row_8_another_name() {
    let ca = Authority::new();
    let other = ca.issue(|params| {
        params.subject_alt_names = rcgen::CertificateParams::new(vec!["other.example".to_owned()])
            .unwrap()
            .subject_alt_names;
    });
    let (event, _) = refused(&ca, &other);
    assert_eq!(
        event,
        "closed CertificateWrongName: certificate of the server is not for push.example: check the host name"
    );
}

#[test]
fn row_9_unknown_issuer() {
    let (event, alert) = refused(&Authority::new(), &Authority::named("Another CA").server());
    assert!(
        event.starts_with("closed CertificateUnknownIssuer: certificate of push.example"),
        "{event}"
    );
    assert!(alert.contains("UnknownCA"), "{alert}");
}

#[test]
fn row_10_not_a_server_certificate() {
    let ca = Authority::new();
    let client_only =
        ca.issue(|params| params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth]);
    let (event, _) = refused(&ca, &client_only);
    assert!(
        event.starts_with("closed CertificateInvalid") && event.contains("not meant for servers"),
        "{event}"
    );
    let authority = ca.issue(|params| params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained));
    let (event, _) = refused(&ca, &authority);
    assert!(event.starts_with("closed CertificateInvalid"), "{event}");
    assert!(event.contains("CaUsedAsEndEntity"), "{event}");
    let mut forged = ca.server();
    let mut der = forged.chain[0].to_vec();
    *der.last_mut().unwrap() ^= 1;
    forged.chain[0] = der.into();
    let (event, _) = refused(&ca, &forged);
    assert!(
        event.starts_with("closed CertificateInvalid: signature"),
        "{event}"
    );
}

#[test]
fn row_11_no_common_version() {
    // What an old server answers: the fatal alert protocol_version, in a TLS 1.0 record.
    let ca = Authority::new();
    let config = client_config(client_tls(&ca), Protocols::Http2Only);
    let mut client = Connection::new(&config, &host(), START).unwrap();
    client.receive(&[21, 3, 1, 0, 2, 2, 70], START);
    assert_eq!(
        events(&mut client),
        ["closed TlsIncompatible: server speaks neither tls 1.2 nor tls 1.3 (alert protocol_version)"]
    );
    // One that chooses TLS 1.1 all the same: a ServerHello of version 3.2.
    let mut hello = vec![22, 3, 2, 0, 42, 2, 0, 0, 38, 3, 2];
    hello.extend_from_slice(&[9; 32]);
    hello.extend_from_slice(&[0, 0xc0, 0x13, 0]);
    let mut client = Connection::new(&config, &host(), START).unwrap();
    client.receive(&hello, START);
    let seen = events(&mut client);
    assert!(
        seen[0].starts_with("closed TlsIncompatible") || seen[0].starts_with("closed TlsProtocol"),
        "{seen:?}"
    );
    // No cipher suite in common.
    let mut client = Connection::new(&config, &host(), START).unwrap();
    client.receive(&[21, 3, 3, 0, 2, 2, 40], START);
    assert!(events(&mut client)[0].starts_with("closed TlsIncompatible"));
}

#[test]
fn row_12_no_alpn_or_http1_only() {
    let ca = Authority::new();
    // No ALPN at all: the handshake succeeds, and that is where it ends.
    let (seen, pair) = outcome_at(START, &ca, server_config(&ca.server(), &[], None));
    assert!(
        seen[0].starts_with("closed NoApplicationProtocol: server does not offer http/2"),
        "{seen:?}"
    );
    assert!(pair.client_closed);
    // Another protocol only: the server refuses.
    let (seen, _) = outcome_at(START, &ca, server_config(&ca.server(), &["http/1.1"], None));
    assert!(seen[0].starts_with("closed NoApplicationProtocol"), "{seen:?}");
}

#[test]
fn row_13_client_certificate_wanted() {
    let ca = Authority::new();
    let (seen, _) = outcome_at(START, &ca, server_config(&ca.server(), &["h2"], Some(&ca)));
    let [only] = &seen[..] else { panic!("{seen:?}") };
    assert!(
        only.starts_with("closed TlsAlert: server wants a client certificate and none is configured"),
        "{only}"
    );
}

#[test]
fn row_13_an_alert_names_itself_to_requests_in_flight() {
    let ca = Authority::new();
    let config = client_config(client_tls(&ca), Protocols::Http1Only);
    let mut pair = Pair::new(&config, server_config(&ca.server(), &[], None), Silent);
    pair.drive();
    pair.client.send(&crate::pair::request("/"), pair.now).unwrap();
    pair.drive();
    // rustls' server sends this alert when its own side is fed garbage.
    pair.server_receives(&[
        23, 3, 3, 0, 18, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
    ]);
    let seen = pair.drive();
    assert_eq!(
        seen,
        [
            "failed Unknown TlsAlert",
            "closed TlsAlert: server sent the tls alert BadRecordMac"
        ]
    );
}

#[test]
fn row_14_the_handshake_breaks_off() {
    let ca = Authority::new();
    let config = client_config(client_tls(&ca), Protocols::Http2Only);
    // At every byte of the server's first flight.
    let mut probe = Pair::new(&config, server_config(&ca.server(), &["h2"], None), Silent);
    let hello = probe.client.transmit().to_vec();
    probe.server_receives(&hello);
    let mut flight = Vec::new();
    while probe.server.wants_write() {
        probe.server.write_tls(&mut flight).unwrap();
    }
    for end in (0..flight.len()).step_by(7) {
        let mut pair = Pair::new(&config, server_config(&ca.server(), &["h2"], None), Silent);
        let hello = pair.client.transmit().to_vec();
        pair.client.transmitted(hello.len());
        pair.server_receives(&hello);
        let mut flight = Vec::new();
        while pair.server.wants_write() {
            pair.server.write_tls(&mut flight).unwrap();
        }
        let end = end.min(flight.len() - 1);
        pair.client.receive(&flight[..end], START);
        pair.client.receive_eof(START);
        let seen = events(&mut pair.client);
        assert_eq!(seen.len(), 1, "{end}: {seen:?}");
        assert!(seen[0].starts_with("closed ConnectionLost"), "{end}: {seen:?}");
        pair.client.receive(&flight[end..], START);
        pair.client.receive_eof(START);
        assert!(events(&mut pair.client).is_empty(), "one end only");
    }
    // close_notify in the middle (RUSTSEC-2024-0336), then the end.
    let mut client = Connection::new(&config, &host(), START).unwrap();
    client.receive(&[21, 3, 3, 0, 2, 1, 0], START);
    client.receive_eof(START);
    let seen = events(&mut client);
    assert_eq!(seen.len(), 1, "{seen:?}");
    assert!(client.is_closed());
    // Another protocol on that port.
    for text in [
        &b"HTTP/1.1 400 Bad Request\r\n\r\n"[..],
        b"SSH-2.0-OpenSSH_9.2\r\n",
    ] {
        let mut client = Connection::new(&config, &host(), START).unwrap();
        client.receive(text, START);
        let seen = events(&mut client);
        assert_eq!(seen.len(), 1, "{seen:?}");
        assert!(
            seen[0].starts_with("closed TlsProtocol: server does not speak tls on this port"),
            "{seen:?}"
        );
    }
    // Silence.
    let mut client = Connection::new(&config, &host(), START).unwrap();
    let due = client.poll_timeout().unwrap();
    assert_eq!(due, Duration::from_secs(10));
    client.handle_timeout(START.after(due));
    assert_eq!(
        events(&mut client),
        ["closed ConnectTimeout: tls handshake was not done in time"]
    );
}

#[test]
fn damaged_bytes_never_do_more_than_end_the_connection() {
    let ca = Authority::new();
    let config = client_config(client_tls(&ca), Protocols::Http2Only);
    let server = Arc::new(server_config(&ca.server(), &["h2"], None));
    let mut state = 0x2545_f491_4f6c_dd1d_u64;
    let mut random = move |below: usize| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 16) as usize % below
    };
    for round in 0..300 {
        let mut pair = Pair::at(START, &config, Arc::clone(&server), H2Server::new(usize::MAX));
        let hello = pair.client.transmit().to_vec();
        pair.client.transmitted(hello.len());
        pair.server_receives(&hello);
        let mut flight = Vec::new();
        while pair.server.wants_write() {
            pair.server.write_tls(&mut flight).unwrap();
        }
        let at = random(flight.len());
        flight[at] ^= 1 << random(8);
        let mut rest = &flight[..];
        while !rest.is_empty() {
            let (piece, after) = rest.split_at(1 + random(rest.len()));
            pair.client.receive(piece, START);
            rest = after;
        }
        let mut seen = events(&mut pair.client);
        assert!(!pair.client.is_ready(), "round {round}: byte {at} is protected");
        pair.client.receive_eof(START);
        seen.extend(events(&mut pair.client));
        let [only] = &seen[..] else {
            panic!("round {round}: {seen:?}")
        };
        assert!(only.starts_with("closed "), "round {round}: {only}");
        assert!(!only.contains("Internal"), "round {round}: {only}");
    }
}

#[test]
fn a_name_that_no_certificate_can_be_for() {
    let ca = Authority::new();
    let config = client_config(client_tls(&ca), Protocols::Http2Only);
    for host in ["a..b", ".", "-"] {
        let authority = pushcore::http::Authority::new(host, 443).unwrap();
        let error = Connection::new(&config, &authority, START).expect_err(host);
        assert_eq!(error.kind(), pushcore::ErrorKind::InvalidValue);
    }
}

#[test]
fn the_server_is_told_the_name() {
    let ca = Authority::new();
    let config = client_config(client_tls(&ca), Protocols::Http2Only);
    let mut pair = Pair::new(&config, server_config(&ca.server(), &["h2"], None), Silent);
    pair.drive();
    assert_eq!(pair.server.server_name(), Some("push.example"));
}

#[test]
fn connections_move_between_threads_and_their_configuration_is_shared() {
    fn moves<T: Send>() {}
    fn shared<T: Send + Sync>() {}
    moves::<Connection>();
    shared::<pushcore::net::tls::TlsConfig>();
    shared::<pushcore::net::ConnectionConfig>();
    shared::<pushcore::net::tls::ClientIdentity>();
}
