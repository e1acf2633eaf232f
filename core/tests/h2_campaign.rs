//! What a push costs on the wire when a campaign's headers repeat, and what must not leak.

#![allow(clippy::unwrap_used, reason = "tests may panic")]

mod h2_support;

use h2_support::*;
use pushcore::http::{HeaderBlock, Headers, Indexing, Request};
use pushcore::net::h2::Config;

fn campaign(authorization: &str) -> Request {
    let mut request = request(b"{}");
    let mut headers = Headers::new();
    headers
        .push_sensitive("authorization", authorization, Indexing::Incremental)
        .unwrap();
    request.authorization = Some(HeaderBlock::new(headers));
    let mut headers = Headers::new();
    for (name, value) in [
        ("apns-topic", "com.example.app"),
        ("apns-push-type", "alert"),
        ("apns-priority", "10"),
    ] {
        headers.push(name, value, Indexing::Incremental).unwrap();
    }
    request.common = Some(HeaderBlock::new(headers));
    request
}

/// Header octets of one push.
fn cost(client: &mut Client, request: &Request) -> u64 {
    let before = client.connection.header_bytes().sent;
    client.connection.send(request, client.now).unwrap();
    client.connection.header_bytes().sent - before
}

#[test]
fn constant_headers_become_an_octet_each() {
    let mut client = Client::ready(Config::default());
    let first = campaign(&format!("bearer {}", "a".repeat(180)));
    // :method, :scheme, :authority, 4 constant headers; and the path with its index and length.
    let steady = 3 + 4 + 2 + first.path.len() as u64;
    assert!(cost(&mut client, &first) > 180);
    for _ in 0..10 {
        assert_eq!(cost(&mut client, &first), steady);
    }
    // Another campaign and a new token: paid once.
    let second = campaign(&format!("bearer {}", "b".repeat(180)));
    assert!(cost(&mut client, &second) > 100);
    for _ in 0..10 {
        assert_eq!(cost(&mut client, &second), steady);
        assert_eq!(cost(&mut client, &first), steady);
    }
    // The server takes the table away, and gives it back.
    client.receive(&settings(&[(1, 0)]));
    let (once, again) = (cost(&mut client, &first), cost(&mut client, &first));
    assert!(
        again > 150 && once == again + 1,
        "{once} {again}: a size update the first time"
    );
    client.receive(&settings(&[(1, 65_536)]));
    cost(&mut client, &first);
    assert_eq!(cost(&mut client, &first), steady);
}

#[test]
fn the_servers_table_is_a_limit() {
    let mut client = Client::fresh(Config::default());
    client.receive(&settings(&[(1, 300)]));
    let request = campaign(&format!("bearer {}", "a".repeat(400)));
    let costs: Vec<u64> = (0..4).map(|_| cost(&mut client, &request)).collect();
    // The authorization does not fit and goes as it is; the rest is remembered.
    assert_eq!(costs[1..], [costs[2]; 3]);
    assert!(costs[0] > costs[1] && costs[1] > 250, "{costs:?}");
}

#[test]
fn nothing_secret_is_printed() {
    let mut client = Client::ready(Config::default());
    client
        .connection
        .send(&campaign("bearer topsecret"), client.now)
        .unwrap();
    let printed = format!("{:?}", client.connection);
    assert!(
        !printed.contains("topsecret") && !printed.contains("/3/device"),
        "{printed}"
    );
    assert!(printed.len() < 300);
}
