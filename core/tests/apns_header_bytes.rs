//! What headers cost per push, exactly, by Apple's two rules for HPACK: the table in docs/apns.md.
//!
//! `tests/interop/apns/header_bytes.py` comes to the same numbers with Python's `hpack`, for the
//! same 1000 pushes.

#![allow(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    reason = "tests may panic, read files and open sockets"
)]

mod h2_support;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use h2_support::{answer, at, connection, settings};
use pushcore::apns::{
    self, Alert, ApnsId, Aps, Credentials, DeviceToken, Environment, Expiration, HeaderPolicy, KeyId,
    KeyScope, Payload, Priority, PushType, TeamId, Topic,
};
use pushcore::net::h2::Config;
use pushcore::{Now, UnixTime};
use ring::digest::{SHA256, SHA512, digest};

const PUSHES: u64 = 1000;
/// Pushes until the tables hold what they will hold.
const WARM_UP: u64 = 10;
const IAT: u64 = 1_437_179_036;

fn b64url(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

fn sha256(name: &str, index: u64) -> [u8; 32] {
    let hash = digest(&SHA256, format!("{name} {index}").as_bytes());
    hash.as_ref().try_into().unwrap()
}

/// A provider token of the usual 184 bytes.
fn provider_token() -> String {
    let token = [
        b64url(br#"{"alg":"ES256","kid":"ABC123DEFG"}"#),
        b64url(format!(r#"{{"iss":"DEF123GHIJ","iat":{IAT}}}"#).as_bytes()),
        b64url(digest(&SHA512, b"signature").as_ref()),
    ]
    .join(".");
    assert_eq!(token.len(), 184);
    token
}

/// What all headers of [`PUSHES`] pushes cost in the steady state.
fn measure(policy: HeaderPolicy, individual: bool, huffman_literals: bool) -> u64 {
    let now = Now::new(at(0).monotonic, UnixTime::from_secs(IAT));
    let mut config = Config::default();
    config.huffman_literals = huffman_literals;
    let mut connection = connection(config, now);
    connection.receive(&settings(&[]), now);
    let credentials = Credentials::imported_with(
        KeyId::parse("ABC123DEFG").unwrap(),
        TeamId::parse("DEF123GHIJ").unwrap(),
        KeyScope::Team,
        policy,
    );
    credentials.import_token(&provider_token(), now).unwrap();
    let hosts = Environment::Production.hosts();
    let campaign = apns::Message::builder(PushType::Alert)
        .topic(Topic::parse("com.example.app").unwrap())
        .priority(Priority::Immediate)
        .expiration(Expiration::Until(UnixTime::from_secs(IAT)))
        .header_policy(policy)
        .payload(Payload::new(Aps::new().alert(Alert::new().title("Hello"))))
        .device(DeviceToken::from_bytes(&sha256("token", 0)).unwrap())
        .build()
        .unwrap();
    let mut before = 0;
    for index in 0..WARM_UP + PUSHES {
        if index == WARM_UP {
            before = connection.header_bytes().sent;
        }
        let mut message = campaign.to(DeviceToken::from_bytes(&sha256("token", index)).unwrap());
        if individual {
            let id = sha256("id", index)[..16].try_into().unwrap();
            message = message
                .with_id(ApnsId::from_bytes(id))
                .with_expiration(Expiration::Until(UnixTime::from_secs(IAT + index)));
        }
        let request = apns::request(&message, &credentials, &hosts, now).unwrap();
        connection.send(&request, now).unwrap();
        let length = connection.transmit().len();
        connection.transmitted(length);
        // Answered, or the stream limit would be reached.
        let stream = u32::try_from(index * 2 + 1).unwrap();
        connection.receive(&answer(stream), now);
        while connection.poll_event().is_some() {}
    }
    connection.header_bytes().sent - before
}

/// `| policy | shape | plain | huffman |` of the table in docs/apns.md.
fn documented() -> Vec<(String, String, u64, u64)> {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/apns.md");
    let document = std::fs::read_to_string(path).unwrap();
    let number = |cell: &str| cell.trim().replace(',', "").parse().unwrap();
    let rows = document
        .lines()
        .filter_map(|line| line.strip_prefix("| `HeaderPolicy::"));
    rows.map(|row| {
        let cells: Vec<&str> = row.split('|').collect();
        let name = |at: usize| cells[at].trim().trim_end_matches('`').to_owned();
        (name(0), name(1), number(cells[2]), number(cells[3]))
    })
    .collect()
}

#[test]
fn header_bytes_are_exactly_those_of_the_table() {
    let mut rows = Vec::new();
    for (name, policy) in [
        ("Connection", HeaderPolicy::Connection),
        ("Sending", HeaderPolicy::Sending),
    ] {
        for (shape, individual) in [("campaign", false), ("individual", true)] {
            let plain = measure(policy, individual, false);
            let huffman = measure(policy, individual, true);
            println!("| `HeaderPolicy::{name}` | {shape} | {plain} | {huffman} |");
            rows.push((name.to_owned(), shape.to_owned(), plain, huffman));
        }
    }
    assert_eq!(rows, documented());
}
