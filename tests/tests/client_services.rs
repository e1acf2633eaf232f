//! The client against the sandbox: each service accepts, refuses, and the accounting holds.

use std::collections::HashMap;

use pushcore::apns::{self, Alert, Aps, DeviceToken, KeyId, Payload, PushType, TeamId, Topic};
use pushcore::crypto::Es256Key;
use pushcore::http::Authority;
use pushcore::net::Security;
use pushcore::net::tls::TlsConfig;
use pushcore::{Outcome, adm, baidu, fcm, webpush};
use pushcore_client::{Client, ClientConfig};
use pushcore_sandbox::{Config, Sandbox};
use serde_json::Value;

struct World {
    sandbox: Sandbox,
    ready: Value,
}

impl World {
    fn new() -> Self {
        let sandbox = Sandbox::start(Config::default()).expect("the sandbox starts");
        let ready = sandbox.ready().clone();
        Self { sandbox, ready }
    }

    fn text(&self, path: &str) -> String {
        let value = self
            .ready
            .pointer(path)
            .unwrap_or_else(|| panic!("{path} in the ready line"));
        value
            .as_str()
            .unwrap_or_else(|| panic!("{path} is text"))
            .to_owned()
    }

    fn authority(&self, path: &str) -> Authority {
        Authority::parse(&self.text(path)).expect("an authority")
    }

    fn file(&self, path: &str) -> Vec<u8> {
        std::fs::read(self.text(path)).expect("a readable file")
    }

    fn config(&self) -> ClientConfig {
        let tls = TlsConfig::builder()
            .without_bundled_roots()
            .add_roots(self.file("/ca_file"))
            .build()
            .expect("tls");
        let mut config = ClientConfig::new();
        config.security = Some(Security::Tls(tls));
        config
    }

    fn apns(&self) -> Client {
        let key = Es256Key::read(&self.file("/apns/p8_file")).expect("a key");
        let key_id = KeyId::parse(&self.text("/apns/key_id")).expect("a key id");
        let team_id = TeamId::parse(&self.text("/apns/team_id")).expect("a team id");
        let hosts = apns::Environment::Sandbox
            .hosts()
            .with_device(self.authority("/apns/authority"));
        Client::new(
            pushcore::apns::Service::new(apns::Credentials::token(key_id, team_id, key), hosts),
            self.config(),
        )
        .expect("a client")
    }

    fn alert(&self, token: &str) -> apns::Message {
        let payload = Payload::new(Aps::new().alert(Alert::new().title("Hello").body("world")));
        apns::Message::builder(PushType::Alert)
            .topic(Topic::parse(&self.text("/apns/topic")).expect("a topic"))
            .payload(payload)
            .device(DeviceToken::parse(token).expect("a token"))
            .build()
            .expect("a message")
    }
}

fn reason(outcome: &Outcome) -> &str {
    outcome.reason().map_or("", |reason| reason.as_str())
}

#[test]
fn apns_accepts_and_refuses() {
    let world = World::new();
    let client = world.apns();
    let accepted = client
        .send(&world.alert(&world.text("/apns/tokens/valid")))
        .expect("an answer");
    assert!(accepted.is_accepted(), "{accepted:?}");
    let gone = client
        .send(&world.alert(&world.text("/apns/tokens/unregistered")))
        .expect("an answer");
    let Outcome::TokenGone(gone) = gone else {
        panic!("{gone:?}")
    };
    let since = gone.since.expect("a time").as_millis();
    assert_eq!(
        Some(since),
        world
            .ready
            .pointer("/apns/unregistered_at_ms")
            .and_then(Value::as_u64)
    );
    // The same message was accepted for another token: only the token is left to blame.
    let unknown = client
        .send(&world.alert(&world.text("/apns/tokens/unknown")))
        .expect("an answer");
    assert_eq!(
        (unknown.name(), reason(&unknown)),
        ("token_gone", "BadDeviceToken")
    );
    assert_eq!(client.stats().submitted, 3);
    assert!(client.stats().is_balanced());
    client.close().expect("closed");
    assert_eq!(world.sandbox.log().len(), 3);
}

#[test]
fn apns_send_many_counts_everything_once() {
    let world = World::new();
    let client = world.apns();
    let message = world.alert(&world.text("/apns/tokens/valid"));
    let tokens = ["valid", "valid_2", "valid_3", "unregistered"]
        .map(|name| world.text(&format!("/apns/tokens/{name}")));
    let messages = (0..2000).map(|i| {
        (
            i,
            message.to(DeviceToken::parse(&tokens[i % 4]).expect("a token")),
        )
    });
    let mut seen = vec![0; 2000];
    let mut counts: HashMap<&str, usize> = HashMap::new();
    for ((index, _), result) in client.send_many(messages) {
        seen[index] += 1;
        *counts.entry(result.expect("an answer").name()).or_default() += 1;
    }
    assert!(seen.iter().all(|count| *count == 1));
    assert_eq!(counts, HashMap::from([("accepted", 1500), ("token_gone", 500)]));
    assert_eq!(world.sandbox.log().len(), 2000);
    assert!(client.stats().is_balanced());
}

/// The configuration is wrong for every token: not one is told to be gone, and the session says what it suspects.
#[test]
fn a_wrong_configuration_keeps_every_token() {
    let world = World::new();
    for name in ["unknown", "other_topic"] {
        let client = world.apns();
        let message = world.alert(&world.text(&format!("/apns/tokens/{name}")));
        let results = client.send_many((0..300).map(|n| (n, message.clone())));
        let names = results.map(|(_, result)| result.expect("an answer").name());
        assert_eq!(
            names.filter(|name| *name == "token_mismatch").count(),
            300,
            "{name}"
        );
        let stats = client.stats();
        assert_eq!((stats.token_mismatch, stats.token_gone), (300, 0), "{name}");
        assert!(client.is_mix_up_suspected() && stats.is_balanced(), "{name}");
    }
}

#[test]
fn fcm_fetches_one_token_and_sends() {
    let world = World::new();
    let file = world.file("/fcm/service_account_file");
    let credentials = fcm::Credentials::from_file_trusting(&file, None, &world.authority("/fcm/authority"))
        .expect("credentials");
    let hosts = fcm::Hosts::all(&world.authority("/fcm/authority"));
    let client = Client::new(fcm::Service::new(credentials, hosts), world.config()).expect("a client");
    let target =
        |name: &str| fcm::Target::token(&world.text(&format!("/fcm/tokens/{name}"))).expect("a target");
    let message = fcm::Message::builder()
        .notification(fcm::Notification::new().title("Hello").body("world"))
        .build(target("valid"))
        .expect("a message");
    assert!(client.send(&message).expect("an answer").is_accepted());
    let other = client
        .send(&message.to(target("other_project")))
        .expect("an answer");
    assert_eq!(
        (other.name(), reason(&other)),
        ("token_gone", "SENDER_ID_MISMATCH")
    );
    let gone = client
        .send(&message.to(target("unregistered")))
        .expect("an answer");
    assert_eq!((gone.name(), reason(&gone)), ("token_gone", "UNREGISTERED"));
    let tokens = world
        .sandbox
        .log()
        .iter()
        .filter(|record| record.operation == "oauth.token")
        .count();
    assert_eq!(tokens, 1);
}

#[test]
fn web_push_is_decrypted_on_the_other_side() {
    let world = World::new();
    let key = Es256Key::read(&world.file("/webpush/vapid/pem_file")).expect("a key");
    let credentials =
        webpush::Credentials::with_any_subject(key, &world.text("/webpush/vapid/subject")).expect("vapid");
    let policy = webpush::EndpointPolicy::default().trust(world.authority("/webpush/authority"));
    let client =
        Client::new(webpush::Service::new(credentials, policy.clone()), world.config()).expect("a client");
    let subscription = |name: &str| {
        let json = world
            .ready
            .pointer(&format!("/webpush/subscriptions/{name}"))
            .expect("a subscription")
            .to_string();
        webpush::Subscription::parse(json.as_bytes(), &policy).expect("a subscription")
    };
    let message = webpush::Message::builder(subscription("active"))
        .payload("When I grow up")
        .build()
        .expect("a message");
    let outcome = client.send(&message).expect("an answer");
    assert!(outcome.is_accepted(), "{outcome:?}");
    let gone = client
        .send(&message.to(subscription("expired")).expect("a message"))
        .expect("an answer");
    assert_eq!(gone.name(), "token_gone");
    let log = world.sandbox.log();
    let decrypted = log
        .iter()
        .find_map(|record| record.decrypted.as_ref())
        .expect("something decrypted");
    assert!(decrypted.to_string().contains("When I grow up"), "{decrypted}");
}

#[test]
fn adm_and_baidu_answer() {
    let world = World::new();
    let credentials = adm::Credentials::new(&world.text("/adm/client_id"), &world.text("/adm/client_secret"))
        .expect("credentials")
        .with_token_authority(world.authority("/adm/authority"));
    let client = Client::new(
        adm::Service::new(credentials, world.authority("/adm/authority")),
        world.config(),
    )
    .expect("a client");
    let target = |name: &str| {
        adm::RegistrationId::new(&world.text(&format!("/adm/registrations/{name}"))).expect("an id")
    };
    let message = adm::Message::builder()
        .data("k", "v")
        .build(target("valid"))
        .expect("a message");
    assert!(client.send(&message).expect("an answer").is_accepted());
    let Ok(Outcome::Accepted(replaced)) = client.send(&message.to(target("replaced"))) else {
        panic!("not accepted")
    };
    assert_eq!(
        replaced.replacement(),
        Some(world.text("/adm/registrations/replacement").as_str())
    );

    let credentials =
        baidu::Credentials::new(&world.text("/baidu/api_key"), &world.text("/baidu/secret_key"))
            .expect("credentials");
    let client = Client::new(
        baidu::Service::new(credentials, world.authority("/baidu/authority")),
        world.config(),
    )
    .expect("a client");
    let channel = |name: &str| {
        baidu::Target::device(&world.text(&format!("/baidu/channels/{name}"))).expect("a channel")
    };
    let message = baidu::Message::android(baidu::AndroidNotification::new("Hello"))
        .and_then(|builder| builder.build(channel("valid")))
        .expect("a message");
    assert!(client.send(&message).expect("an answer").is_accepted());
    assert_eq!(
        client
            .send(&message.to(channel("unknown")))
            .expect("an answer")
            .name(),
        "token_gone"
    );
}
