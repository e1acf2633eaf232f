//! HTTP/2 over TLS against the `h2` crate and rustls.

use std::sync::Arc;
use std::time::Duration;

use pushcore::net::tls::ClientIdentity;
use pushcore::net::{Connection, ConnectionConfig, HttpVersion, Protocols, Security, SendError};

use crate::certificates::Authority;
use crate::pair::{
    App, Cut, H2Server, Pair, START, Silent, client_config, client_tls, events, host, request,
    request_with_body, server_config, server_config_of,
};

fn pair(last: usize) -> Pair {
    let ca = Authority::new();
    let config = client_config(client_tls(&ca), Protocols::Http2Only);
    Pair::new(
        &config,
        server_config(&ca.server(), &["h2"], None),
        H2Server::new(last),
    )
}

#[test]
fn requests_are_answered_however_bytes_are_cut() {
    let mut expected = None;
    let cuts = [Cut::Whole, Cut::Single]
        .into_iter()
        .chain((1..=6).map(|seed| Cut::Random(seed * 7919)));
    for cut in cuts {
        let mut pair = pair(usize::MAX);
        pair.cut = cut;
        assert!(matches!(
            pair.client.send(&request("/early"), pair.now),
            Err(SendError::Full)
        ));
        assert_eq!(pair.drive(), ["Ready"]);
        assert_eq!(pair.client.protocol(), Some(HttpVersion::Http2));
        for n in 0..40 {
            pair.client
                .send(&request_with_body(&format!("/3/device/{n}"), 50 * n), pair.now)
                .unwrap();
        }
        assert_eq!(pair.client.in_flight(), 40);
        let mut seen = pair.drive();
        seen.sort();
        assert_eq!(seen.len(), 40);
        assert_eq!(expected.get_or_insert_with(|| seen.clone()), &seen);
        pair.client.close(pair.now);
        assert_eq!(pair.drive(), ["closed Local"]);
        assert!(pair.client_closed, "close_notify follows GOAWAY");
    }
}

/// Application records: the lengths of their ciphertext.
fn records(mut bytes: &[u8]) -> Vec<usize> {
    let mut lengths = Vec::new();
    while let [23, 3, 3, high, low, rest @ ..] = bytes {
        let length = usize::from(*high) << 8 | usize::from(*low);
        lengths.push(length);
        bytes = &rest[length..];
    }
    assert!(bytes.is_empty(), "ends on a record");
    lengths
}

#[test]
fn a_lone_push_is_one_record_and_many_fill_theirs() {
    let mut pair = pair(usize::MAX);
    pair.drive();
    pair.client.send(&request("/3/device/aa"), pair.now).unwrap();
    assert_eq!(records(pair.client.transmit()).len(), 1);
    pair.drive();
    for n in 0..400 {
        pair.client
            .send(&request_with_body(&format!("/3/device/{n:064}"), 40), pair.now)
            .unwrap();
    }
    let lengths = records(pair.client.transmit());
    let (last, full) = lengths.split_last().unwrap();
    assert!(
        !full.is_empty() && full.iter().all(|length| *length > 16 * 1024),
        "{lengths:?}"
    );
    assert!(*last <= 16 * 1024 + 17);
    assert_eq!(pair.drive().len(), 400);
}

#[test]
fn a_second_connection_resumes_the_session() {
    let ca = Authority::new();
    for (tls, resumed) in [
        (client_tls(&ca), true),
        (client_tls(&ca).resumption(false), false),
    ] {
        let config = client_config(tls, Protocols::Http2Only);
        let server = Arc::new(server_config(&ca.server(), &["h2"], None));
        let mut first = Pair::at(
            crate::pair::START,
            &config,
            Arc::clone(&server),
            H2Server::new(usize::MAX),
        );
        first.drive();
        assert!(!first.client.is_resumed());
        let mut second = Pair::at(crate::pair::START, &config, server, H2Server::new(usize::MAX));
        assert_eq!(second.drive(), ["Ready"]);
        assert_eq!(second.client.is_resumed(), resumed);
    }
}

#[test]
fn row_15_the_end_without_close_notify_after_goaway_is_no_error() {
    let mut pair = pair(3);
    pair.drive();
    for n in 0..3 {
        pair.client.send(&request(&format!("/{n}")), pair.now).unwrap();
    }
    let mut seen = pair.drive();
    seen.extend(pair.cut_off());
    let answers = seen.iter().filter(|line| line.starts_with("200 /")).count();
    assert_eq!(answers, 3, "{seen:?}");
    assert!(seen.iter().any(|line| line == "draining 0"), "{seen:?}");
    assert_eq!(seen.last().map(String::as_str), Some("closed Remote"), "{seen:?}");
    assert!(!seen.iter().any(|line| line.starts_with("failed")), "{seen:?}");
}

#[test]
fn row_16_a_server_that_says_something_else_or_nothing() {
    let ca = Authority::new();
    let config = client_config(client_tls(&ca), Protocols::Http2Only);
    for text in [
        "HTTP/1.1 400 Bad Request\r\n\r\n",
        "\0\0\0\0\0\0\0\0\0\0\0\0\0",
        "220 mail ready\r\n",
    ] {
        let mut sent = false;
        let app = move |_: &[u8]| match std::mem::replace(&mut sent, true) {
            false => text.as_bytes().to_vec(),
            true => Vec::new(),
        };
        let mut pair = Pair::new(&config, server_config(&ca.server(), &["h2"], None), app);
        let seen = pair.drive();
        assert_eq!(seen.len(), 1, "{seen:?}");
        assert!(
            seen[0].starts_with("closed Http2Protocol") || seen[0].starts_with("closed LimitExceeded"),
            "{seen:?}"
        );
        assert!(pair.client.is_closed() && pair.client.transmit().is_empty());
    }
    // TLS, and then nothing.
    let mut pair = Pair::new(&config, server_config(&ca.server(), &["h2"], None), Silent);
    assert!(pair.drive().is_empty());
    assert_eq!((pair.client.capacity(), pair.client.is_ready()), (0, false));
    let due = pair.client.poll_timeout().unwrap();
    assert!(due <= Duration::from_secs(10));
    pair.client
        .handle_timeout(pair.now.after(due - Duration::from_millis(1)));
    assert!(pair.drive().is_empty());
    pair.now = pair.now.after(due);
    pair.client.handle_timeout(pair.now);
    assert_eq!(
        pair.drive(),
        ["closed ConnectTimeout: server sent no http/2 settings in time"]
    );
    assert_eq!(pair.client.poll_timeout(), None);
}

#[test]
fn a_transport_that_is_never_empty_loses_nothing() {
    let mut pair = pair(usize::MAX);
    pair.drive();
    pair.cut = Cut::Random(99);
    for n in 0..500 {
        pair.client
            .send(&request_with_body(&format!("/{n}"), 1000), pair.now)
            .unwrap();
    }
    // More than half a megabyte leaves in pieces, refilled before each.
    let mut seen = pair.drive();
    seen.sort();
    let mut expected: Vec<_> = (0..500).map(|n| format!("200 /{n}")).collect();
    expected.sort();
    assert_eq!(seen, expected);
}

#[test]
fn without_tls_to_a_proxy_on_the_same_machine() {
    let config = Arc::new(ConnectionConfig::new(Security::Cleartext));
    let mut client = Connection::new(&config, &host(), START).unwrap();
    let mut server = H2Server::new(usize::MAX);
    let exchange = |client: &mut Connection, server: &mut H2Server| {
        let mut seen = Vec::new();
        loop {
            let out = client.transmit().to_vec();
            client.transmitted(out.len());
            let answer = server.serve(&out, false);
            client.receive(&answer, START);
            seen.extend(events(client));
            if out.is_empty() && answer.is_empty() {
                return seen;
            }
        }
    };
    assert_eq!(exchange(&mut client, &mut server), ["Ready"]);
    client.send(&request("/a"), START).unwrap();
    assert_eq!(exchange(&mut client, &mut server), ["200 /a"]);
    client.send(&request("/b"), START).unwrap();
    client.receive_eof(START);
    assert_eq!(
        events(&mut client),
        [
            "failed No ConnectionLost",
            "closed ConnectionLost: connection closed by the server"
        ]
    );
}

#[test]
fn tls_1_2_will_do() {
    let ca = Authority::new();
    let client = ca.client();
    let identity =
        ClientIdentity::from_pem(client.certificate_pem.as_bytes(), client.key_pem.as_bytes()).unwrap();
    let config = client_config(client_tls(&ca).identity(identity), Protocols::Http2Only);
    let versions = &[&rustls::version::TLS12];
    let server = Arc::new(server_config_of(versions, &ca.server(), &["h2"], Some(&ca)));
    for (round, cut) in [Cut::Whole, Cut::Single, Cut::Random(5)].into_iter().enumerate() {
        let mut pair = Pair::at(START, &config, Arc::clone(&server), H2Server::new(usize::MAX));
        pair.cut = cut;
        assert_eq!(pair.drive(), ["Ready"]);
        assert_eq!(
            pair.server.protocol_version(),
            Some(rustls::ProtocolVersion::TLSv1_2)
        );
        assert_eq!(pair.server.peer_certificates().unwrap()[0], client.chain[0]);
        assert_eq!(pair.client.is_resumed(), round > 0);
        for n in 0..100 {
            pair.client
                .send(&request_with_body(&format!("/{n}"), 300), pair.now)
                .unwrap();
        }
        assert_eq!(pair.drive().len(), 100);
        pair.client.close(pair.now);
        assert_eq!(pair.drive(), ["closed Local"]);
        assert!(pair.client_closed);
    }
}

#[test]
fn aes_128_is_our_wish_and_the_server_chooses() {
    use rustls::CipherSuite;
    let ca = Authority::new();
    let config = client_config(client_tls(&ca), Protocols::Http2Only);
    let versions = [&rustls::version::TLS13, &rustls::version::TLS12];
    let ours = [
        CipherSuite::TLS13_AES_128_GCM_SHA256,
        CipherSuite::TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256,
    ];
    let theirs = [
        CipherSuite::TLS13_AES_256_GCM_SHA384,
        CipherSuite::TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384,
    ];
    for at in 0..2 {
        for (own_order, wanted) in [(false, ours[at]), (true, theirs[at])] {
            let mut server = server_config_of(&versions[at..=at], &ca.server(), &["h2"], None);
            server.ignore_client_order = own_order;
            let mut pair = Pair::new(&config, server, H2Server::new(usize::MAX));
            assert_eq!(pair.drive(), ["Ready"]);
            let suite = pair.server.negotiated_cipher_suite().unwrap();
            assert_eq!(suite.suite(), wanted);
        }
    }
}
