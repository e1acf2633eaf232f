//! Apple counts a collapse id in bytes of UTF-8: what the core sends, another HTTP/2 stack receives.

use pushcore::apns::{self, Alert, Aps, CollapseId, DeviceToken, KeyId, Payload, PushType, TeamId, Topic};
use pushcore::crypto::Es256Key;
use pushcore::http::Authority;
use pushcore::net::Security;
use pushcore::net::tls::TlsConfig;
use pushcore_client::{Client, ClientConfig};
use pushcore_sandbox::{Config, Sandbox};

#[test]
fn a_collapse_id_outside_ascii_arrives_byte_for_byte() {
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
    let credentials = apns::Credentials::token(
        KeyId::parse(text("/apns/key_id")).expect("a key id"),
        TeamId::parse(text("/apns/team_id")).expect("a team id"),
        Es256Key::read(&file("/apns/p8_file")).expect("a key"),
    );
    let authority = Authority::parse(text("/apns/authority")).expect("an authority");
    let hosts = apns::Environment::Sandbox.hosts().with_device(authority);
    let client = Client::new(pushcore::apns::Service::new(credentials, hosts), config).expect("a client");
    // Each 64 bytes long: characters of one, two, three and four bytes.
    let ids = [
        "x".repeat(64),
        "é".repeat(32),
        "昨".repeat(21) + "x",
        "🏆".repeat(16),
    ];
    // Twice each: the second time from the compression table.
    for id in ids.iter().chain(&ids) {
        let message = apns::Message::builder(PushType::Alert)
            .topic(Topic::parse(text("/apns/topic")).expect("a topic"))
            .collapse_id(CollapseId::parse(id).expect("a collapse id"))
            .payload(Payload::new(Aps::new().alert(Alert::new().title("Hello"))))
            .device(DeviceToken::parse(text("/apns/tokens/valid")).expect("a token"))
            .build()
            .expect("a message");
        let outcome = client.send(&message).expect("an answer");
        assert!(outcome.is_accepted(), "{id}: {outcome:?}");
        let log = sandbox.log();
        let seen = log.last().expect("a record").headers["apns-collapse-id"].clone();
        assert_eq!(seen, id.as_str());
        assert_eq!(sandbox.apns_stored()[0].collapse_id.as_deref(), Some(id.as_str()));
    }
}
