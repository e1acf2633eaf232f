//! What header compression costs per push, by policy: the core's count against the sandbox's.

use pushcore::apns::{
    self, Alert, Aps, DeviceToken, HeaderPolicy, KeyId, KeyScope, Payload, PushType, TeamId, Topic,
};
use pushcore::crypto::Es256Key;
use pushcore::http::Authority;
use pushcore::net::Security;
use pushcore::net::tls::TlsConfig;
use pushcore_client::{Client, ClientConfig};
use pushcore_sandbox::{Config, Sandbox};

/// Pushes before the tables are full of what they will hold.
const WARM_UP: usize = 10;
const PUSHES: usize = 200;

/// Ids that differ in all their bytes, as random ones do.
fn random_id(index: usize) -> apns::ApnsId {
    let mix = (index as u128 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835);
    apns::ApnsId::from_bytes(mix.to_be_bytes())
}

/// The mean size of a header block in the steady state.
fn measure(policy: HeaderPolicy, varying: bool, compact: bool) -> f64 {
    let sandbox = Sandbox::start(Config::default()).expect("the sandbox starts");
    let ready = sandbox.ready().clone();
    let text = |path: &str| {
        let value = ready.pointer(path).and_then(|value| value.as_str());
        value.unwrap_or_else(|| panic!("{path} in the ready line"))
    };
    let file = |path: &str| std::fs::read(text(path)).expect("a readable file");
    let tls = TlsConfig::builder()
        .without_bundled_roots()
        .add_roots(file("/ca_file"))
        .build()
        .expect("tls");
    let mut config = ClientConfig::new();
    config.security = Some(Security::Tls(tls));
    // One connection: the next one would begin with empty tables.
    config.session.max_connections = 1;
    config.session.compact_headers = compact;
    // It counts beside settings of HTTP/2 as well.
    config.session.http2 = compact.then(pushcore::net::h2::Config::default);
    let credentials = apns::Credentials::token_with(
        KeyId::parse(text("/apns/key_id")).expect("a key id"),
        TeamId::parse(text("/apns/team_id")).expect("a team id"),
        Es256Key::read(&file("/apns/p8_file")).expect("a key"),
        KeyScope::Team,
        policy,
    );
    let authority = Authority::parse(text("/apns/authority")).expect("an authority");
    let hosts = apns::Environment::Sandbox.hosts().with_device(authority);
    let client = Client::new(pushcore::apns::Service::new(credentials, hosts), config).expect("a client");
    let tokens = ["valid", "valid_2", "valid_3"].map(|name| text(&format!("/apns/tokens/{name}")));
    for index in 0..WARM_UP + PUSHES {
        let mut builder = apns::Message::builder(PushType::Alert)
            .topic(Topic::parse(text("/apns/topic")).expect("a topic"))
            .header_policy(policy)
            .payload(Payload::new(Aps::new().alert(Alert::new().title("Hello"))))
            .device(DeviceToken::parse(tokens[index % 3]).expect("a token"));
        if varying {
            builder = builder.id(random_id(index));
        }
        let outcome = client
            .send(&builder.build().expect("a message"))
            .expect("an answer");
        assert!(outcome.is_accepted(), "{outcome:?}");
    }
    let log = sandbox.log();
    let seen: Vec<usize> = log.iter().map(|record| record.header_block).collect();
    assert_eq!(seen.len(), WARM_UP + PUSHES);
    // Two counts of the same bytes, one on either side of TLS.
    let total: usize = seen.iter().sum();
    assert_eq!(client.header_bytes().sent, total as u64);
    assert!(client.header_bytes().received > 0);
    let steady: usize = seen.iter().skip(WARM_UP).sum();
    steady as f64 / PUSHES as f64
}

#[test]
fn authorization_in_the_table_saves_most_of_the_headers() {
    // Exact where nothing is left to chance: six indices and 76 bytes of path, or 115 of path and
    // id. The provider token's signature differs in every run, and with it what Huffman makes
    // of it: 158 bytes, a few more or fewer. `core/tests/apns_header_bytes.rs` has the exact numbers
    // for a given token, and those of an independent encoder.
    let exactly = |value: f64| value..=value;
    let about = |value: f64| value - 8.0..=value + 8.0;
    for (policy, varying, compact, expected) in [
        (HeaderPolicy::Connection, false, false, exactly(82.0)),
        (HeaderPolicy::Connection, true, false, exactly(121.0)),
        (HeaderPolicy::Connection, false, true, about(61.0)),
        (HeaderPolicy::Connection, true, true, about(91.0)),
        (HeaderPolicy::Sending, false, false, about(239.0)),
        (HeaderPolicy::Sending, true, false, about(278.0)),
        (HeaderPolicy::Sending, false, true, about(218.0)),
        (HeaderPolicy::Sending, true, true, about(248.0)),
    ] {
        let mean = measure(policy, varying, compact);
        println!("{policy:?}, own id {varying}, compact {compact}: {mean:.1} bytes of headers a push");
        assert!(
            expected.contains(&mean),
            "{policy:?}, own id {varying}, compact {compact}: {mean}"
        );
    }
}
