//! HTTP/1.1 by ALPN.

use std::sync::Arc;

use pushcore::net::{ConnectionConfig, HttpVersion, Protocols, Security};

use crate::certificates::Authority;
use crate::pair::{Cut, Pair, client_config, client_tls, events, request, server_config};

/// Answers each request, once it is whole, with its target.
fn responder() -> impl FnMut(&[u8]) -> Vec<u8> {
    let mut buffer = Vec::new();
    move |bytes| {
        buffer.extend_from_slice(bytes);
        let text = String::from_utf8(buffer.clone()).unwrap();
        let Some((head, body)) = text.split_once("\r\n\r\n") else {
            return Vec::new();
        };
        if body.len() < 2 {
            return Vec::new();
        }
        assert_eq!(body, "xx", "one request at a time");
        assert!(head.contains("\r\nhost: push.example\r\n") && head.contains("\r\ncontent-length: 2"));
        let target = head.split(' ').nth(1).unwrap().to_owned();
        buffer.clear();
        format!(
            "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n{:x};x=y\r\n{target}\r\n0\r\nt: 1\r\n\r\n",
            target.len()
        )
        .into_bytes()
    }
}

#[test]
fn the_server_chooses_by_alpn() {
    let ca = Authority::new();
    for (protocols, offered) in [
        (Protocols::Http2OrHttp1, &["http/1.1"][..]),
        (Protocols::Http2OrHttp1, &[]),
        (Protocols::Http1Only, &["h2", "http/1.1"]),
        (Protocols::Http1Only, &[]),
    ] {
        for cut in [Cut::Whole, Cut::Single, Cut::Random(11), Cut::Random(12)] {
            let config = client_config(client_tls(&ca), protocols);
            let mut pair = Pair::new(&config, server_config(&ca.server(), offered, None), responder());
            pair.cut = cut;
            assert_eq!(pair.drive(), ["Ready"]);
            assert_eq!(pair.client.protocol(), Some(HttpVersion::Http1));
            for n in 0..3 {
                assert_eq!(pair.client.capacity(), 1);
                pair.client.send(&request(&format!("/{n}")), pair.now).unwrap();
                assert_eq!(pair.drive(), [format!("200 /{n}")]);
            }
            assert!(!pair.client.ping(pair.now), "http/1.1 has no ping");
            pair.client.close(pair.now);
            assert_eq!(pair.drive(), ["closed Local"]);
            assert!(pair.client_closed);
        }
    }
}

#[test]
fn h2_is_preferred_where_the_server_has_it() {
    let ca = Authority::new();
    let config = client_config(client_tls(&ca), Protocols::Http2OrHttp1);
    let server = server_config(&ca.server(), &["http/1.1", "h2"], None);
    let mut pair = Pair::new(&config, server, crate::pair::H2Server::new(usize::MAX));
    pair.drive();
    // rustls' server follows its own order; ours must then speak what was agreed.
    let version = pair.client.protocol();
    let agreed = pair.server.alpn_protocol().map(<[u8]>::to_vec);
    match agreed.as_deref() {
        Some(b"h2") => assert_eq!(version, Some(HttpVersion::Http2)),
        _ => assert_eq!(version, Some(HttpVersion::Http1)),
    }
}

#[test]
fn a_body_cut_off_by_anybody_is_marked() {
    let ca = Authority::new();
    let config = client_config(client_tls(&ca), Protocols::Http1Only);
    for announced in [false, true] {
        let app = |bytes: &[u8]| match bytes.is_empty() {
            true => Vec::new(),
            false => b"HTTP/1.1 200 OK\r\n\r\nto the end".to_vec(),
        };
        let mut pair = Pair::new(&config, server_config(&ca.server(), &[], None), app);
        pair.drive();
        pair.client.send(&request("/"), pair.now).unwrap();
        assert!(pair.drive().is_empty());
        if announced {
            pair.server.send_close_notify();
            assert_eq!(pair.drive(), ["200 to the end", "closed Remote"]);
        } else {
            assert_eq!(pair.cut_off(), ["200 to the end truncated", "closed Remote"]);
        }
    }
}

#[test]
fn cancelling_ends_an_http1_connection() {
    let ca = Authority::new();
    let config = client_config(client_tls(&ca), Protocols::Http1Only);
    let mut pair = Pair::new(
        &config,
        server_config(&ca.server(), &[], None),
        crate::pair::Silent,
    );
    pair.drive();
    // Encrypted, but nothing of it has gone: it never goes.
    let id = pair.client.send(&request("/"), pair.now).unwrap();
    assert!(!pair.client.transmit().is_empty());
    assert!(pair.client.cancel(id, pair.now));
    assert_eq!(events(&mut pair.client), ["failed No Cancelled", "closed Local"]);
    assert!(!pair.client.cancel(id, pair.now));
    pair.drive();
    assert_eq!(pair.plaintext, 0);
}

#[test]
fn a_large_answer_in_one_piece_passes_through_tls() {
    let ca = Authority::new();
    let mut config = ConnectionConfig::new(Security::Tls(client_tls(&ca).build().unwrap()));
    config.protocols = Protocols::Http1Only;
    config.body_limit = 1024 * 1024;
    let config = Arc::new(config);
    let len = 700_000;
    let app = move |bytes: &[u8]| match bytes.is_empty() {
        true => Vec::new(),
        false => {
            let mut answer = format!("HTTP/1.1 200 OK\r\nContent-Length: {len}\r\n\r\n").into_bytes();
            answer.resize(answer.len() + len, b'z');
            answer
        }
    };
    let mut pair = Pair::new(&config, server_config(&ca.server(), &[], None), app);
    pair.server.set_buffer_limit(None);
    pair.drive();
    pair.client.send(&request("/"), pair.now).unwrap();
    assert_eq!(pair.drive(), [format!("200 {}", "z".repeat(len))]);
}
