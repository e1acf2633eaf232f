//! Nothing secret is printed: every key, access token, device token and payload of the sandbox is
//! a canary, and none may appear in any `Debug` or `Display` of what a caller can reach.

use std::error::Error as _;
use std::fmt::Debug;

use pushcore::apns::{self, Alert, Aps, DeviceToken, KeyId, Payload, PushType, TeamId, Topic};
use pushcore::crypto::Es256Key;
use pushcore::http::{Authority, Response};
use pushcore::net::Security;
use pushcore::net::tls::TlsConfig;
use pushcore::service::AsMessage;
use pushcore::{Error, Now, Outcome, UnixTime, adm, baidu, fcm, webpush};
use pushcore_client::{Client, ClientConfig};
use pushcore_sandbox::{Config, Sandbox};
use serde_json::Value;

const PAYLOAD: &str = "canary-payload-3f9a";

struct World {
    sandbox: Sandbox,
    ready: Value,
    /// What was printed, and what by.
    printed: Vec<(String, String)>,
    canaries: Vec<(String, String)>,
}

impl World {
    fn new() -> Self {
        let sandbox = Sandbox::start(Config::default()).expect("the sandbox starts");
        let ready = sandbox.ready().clone();
        let mut world = Self {
            sandbox,
            ready,
            printed: Vec::new(),
            canaries: Vec::new(),
        };
        world.canary("payload", PAYLOAD);
        for path in ["/adm/client_secret", "/baidu/secret_key"] {
            let secret = world.text(path);
            world.canary(path, &secret);
        }
        for path in [
            "/apns/tokens",
            "/fcm/tokens",
            "/adm/registrations",
            "/baidu/channels",
        ] {
            let tokens = world.ready.pointer(path).and_then(Value::as_object).cloned();
            for (name, token) in tokens.expect("targets") {
                world.canary(&format!("{path}/{name}"), token.as_str().unwrap_or_default());
            }
        }
        let subscriptions = world.ready.pointer("/webpush/subscriptions").cloned();
        for (name, subscription) in subscriptions
            .as_ref()
            .and_then(Value::as_object)
            .expect("subscriptions")
        {
            for key in ["/keys/auth", "/keys/p256dh"] {
                let text = subscription.pointer(key).and_then(Value::as_str).expect("a key");
                world.canary(&format!("{name}{key}"), text);
            }
            let endpoint = subscription["endpoint"].as_str().expect("an endpoint");
            let path = endpoint.rsplit('/').next().expect("a path");
            world.canary(&format!("{name}/endpoint"), path);
        }
        for path in ["/apns/p8_file", "/webpush/vapid/pem_file"] {
            let pem = String::from_utf8(world.file(path)).expect("utf-8");
            for line in pem.lines().filter(|line| line.len() > 20 && !line.contains('-')) {
                world.canary(path, line);
            }
        }
        let account: Value = serde_json::from_slice(&world.file("/fcm/service_account_file")).expect("json");
        let pem = account["private_key"].as_str().expect("a key");
        for line in pem.lines().filter(|line| line.len() > 20 && !line.contains('-')) {
            world.canary("service account", line);
        }
        world
    }

    fn canary(&mut self, name: &str, text: &str) {
        assert!(text.len() >= 8, "{name} is too short to look for: {text:?}");
        self.canaries.push((name.to_owned(), text.to_owned()));
    }

    fn text(&self, path: &str) -> String {
        let value = self.ready.pointer(path).and_then(Value::as_str);
        value
            .unwrap_or_else(|| panic!("{path} in the ready line"))
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
            .add_roots(self.file("/ca_file"));
        let mut config = ClientConfig::new();
        config.security = Some(Security::Tls(tls.build().expect("tls")));
        config
    }

    fn print(&mut self, what: &str, value: &dyn Debug) {
        self.printed.push((what.to_owned(), format!("{value:?}")));
        self.printed.push((what.to_owned(), format!("{value:#?}")));
    }

    fn error(&mut self, what: &str, error: &Error) {
        self.print(what, error);
        self.printed.push((what.to_owned(), error.to_string()));
        let mut source = error.source();
        while let Some(error) = source {
            self.printed
                .push((what.to_owned(), format!("{error} {error:?} {error:#?}")));
            source = error.source();
        }
    }

    /// Sends, and prints the message, the answer, the client and its events.
    fn send<M: AsMessage + Debug>(&mut self, what: &str, client: &Client, message: &M) -> Option<Outcome> {
        self.print(what, message);
        let result = client.send(message);
        self.print(what, client);
        while let Some(event) = client.poll_event() {
            self.print(what, &event);
        }
        match result {
            Ok(outcome) => {
                self.printed.push((what.to_owned(), outcome.advice().to_string()));
                self.print(what, &outcome);
                Some(outcome)
            }
            Err(error) => {
                self.error(what, &error);
                None
            }
        }
    }

    /// No canary in anything printed, and nothing that looks like a token made on the way: a JWT, or
    /// an access token of the sandbox's two endpoints.
    fn check(self) {
        let bytes: usize = self.printed.iter().map(|(_, text)| text.len()).sum();
        assert!(bytes > 1000, "{bytes} bytes printed");
        for (name, canary) in &self.canaries {
            for (what, text) in &self.printed {
                assert!(
                    !text.contains(canary.as_str()),
                    "{name} is printed by {what}: {text}"
                );
            }
        }
        for (what, text) in &self.printed {
            for mark in ["eyJ", "ya29.", "Atc|", "PRIVATE KEY"] {
                assert!(!text.contains(mark), "{mark} is printed by {what}: {text}");
            }
        }
        assert!(!self.sandbox.log().is_empty(), "nothing reached the sandbox");
    }
}

fn now() -> Now {
    Now::new(std::time::Duration::ZERO, UnixTime::from_secs(1_700_000_000))
}

/// Nobody listens there.
fn nowhere() -> Authority {
    Authority::parse("127.0.0.1:9").expect("an authority")
}

#[test]
fn apns() {
    let mut world = World::new();
    let credentials = apns::Credentials::token(
        KeyId::parse(&world.text("/apns/key_id")).expect("a key id"),
        TeamId::parse(&world.text("/apns/team_id")).expect("a team id"),
        Es256Key::read(&world.file("/apns/p8_file")).expect("a key"),
    );
    let message = |world: &World, token: &str| {
        apns::Message::builder(PushType::Alert)
            .topic(Topic::parse(&world.text("/apns/topic")).expect("a topic"))
            .payload(Payload::new(
                Aps::new().alert(Alert::new().title(PAYLOAD).body("world")),
            ))
            .device(DeviceToken::parse(&world.text(&format!("/apns/tokens/{token}"))).expect("a token"))
            .build()
            .expect("a message")
    };
    let hosts = apns::Environment::Sandbox.hosts();
    let good = hosts.clone().with_device(world.authority("/apns/authority"));
    let request = apns::request(&message(&world, "valid"), &credentials, &good, now()).expect("a request");
    let bearer = request.header("authorization").expect("a token").to_owned();
    world.canary("provider token", bearer.trim_start_matches("bearer "));
    world.print("apns request", &request);
    world.print("apns credentials", &credentials);
    let client = Client::new(
        pushcore::apns::Service::new(credentials.clone(), good),
        world.config(),
    )
    .expect("a client");
    for token in ["valid", "unregistered", "unknown"] {
        let message = message(&world, token);
        assert!(world.send("apns", &client, &message).is_some());
    }
    let dead = Client::new(
        pushcore::apns::Service::new(credentials, hosts.with_device(nowhere())),
        world.config(),
    )
    .expect("a client");
    let message = message(&world, "valid");
    assert!(world.send("apns, dead", &dead, &message).is_none());
    let token = world.text("/apns/tokens/valid");
    let error = DeviceToken::parse(&format!("{token}zz")).expect_err("not hex");
    world.error("apns token", &error);
    world.check();
}

#[test]
fn fcm() {
    let mut world = World::new();
    let file = world.file("/fcm/service_account_file");
    let authority = world.authority("/fcm/authority");
    let credentials = || fcm::Credentials::from_file_trusting(&file, None, &authority).expect("credentials");
    world.print("fcm credentials", &credentials());
    let broken = String::from_utf8(file.clone())
        .expect("utf-8")
        .replace("BEGIN PRIVATE", "BEGIN PUBLIC");
    if let Err(error) = fcm::Credentials::from_file_trusting(broken.as_bytes(), None, &authority) {
        world.error("fcm file", &error);
    }
    let client = Client::new(
        fcm::Service::new(credentials(), fcm::Hosts::all(&authority)),
        world.config(),
    )
    .expect("a client");
    let message = |world: &World, token: &str| {
        let token = world.text(&format!("/fcm/tokens/{token}"));
        fcm::Message::builder()
            .notification(fcm::Notification::new().title(PAYLOAD).body("world"))
            .build(fcm::Target::token(&token).expect("a target"))
            .expect("a message")
    };
    for token in ["valid", "unregistered", "other_project"] {
        let message = message(&world, token);
        assert!(world.send("fcm", &client, &message).is_some());
    }
    let dead = Client::new(
        fcm::Service::new(credentials(), fcm::Hosts::all(&nowhere())),
        world.config(),
    )
    .expect("a client");
    let message = message(&world, "valid");
    assert!(world.send("fcm, dead", &dead, &message).is_none());
    world.check();
}

#[test]
fn web_push() {
    let mut world = World::new();
    let key = Es256Key::read(&world.file("/webpush/vapid/pem_file")).expect("a key");
    world.print("vapid key", &key);
    let credentials =
        webpush::Credentials::with_any_subject(key, &world.text("/webpush/vapid/subject")).expect("vapid");
    world.print("vapid", &credentials);
    let policy = webpush::EndpointPolicy::default().trust(world.authority("/webpush/authority"));
    let messages: Vec<_> = ["active", "expired"]
        .iter()
        .map(|name| {
            let json = world.ready.pointer(&format!("/webpush/subscriptions/{name}"));
            let json = json.expect("a subscription").to_string();
            let subscription =
                webpush::Subscription::parse(json.as_bytes(), &policy).expect("a subscription");
            world.print("subscription", &subscription);
            webpush::Message::builder(subscription)
                .payload(PAYLOAD)
                .build()
                .expect("a message")
        })
        .collect();
    let request = webpush::request(&messages[0], &credentials, now()).expect("a request");
    world.print("web push request", &request);
    let client = Client::new(webpush::Service::new(credentials, policy), world.config()).expect("a client");
    for message in &messages {
        assert!(world.send("web push", &client, message).is_some());
    }
    world.check();
}

#[test]
fn adm_and_baidu() {
    let mut world = World::new();
    let credentials = |world: &World, authority: &Authority| {
        adm::Credentials::new(&world.text("/adm/client_id"), &world.text("/adm/client_secret"))
            .expect("credentials")
            .with_token_authority(authority.clone())
    };
    let authority = world.authority("/adm/authority");
    let of_adm = credentials(&world, &authority);
    let form = of_adm.token_request(now()).expect("a request");
    world.print("adm credentials", &of_adm);
    world.print("adm token request", &form);
    let client = Client::new(adm::Service::new(of_adm, authority.clone()), world.config()).expect("a client");
    let message = |world: &World, name: &str| {
        let id = world.text(&format!("/adm/registrations/{name}"));
        adm::Message::builder()
            .data("k", PAYLOAD)
            .build(adm::RegistrationId::new(&id).expect("an id"))
            .expect("a message")
    };
    for name in ["valid", "unregistered", "replaced"] {
        let message = message(&world, name);
        assert!(world.send("adm", &client, &message).is_some());
    }
    let dead = Client::new(
        adm::Service::new(credentials(&world, &nowhere()), nowhere()),
        world.config(),
    )
    .expect("a client");
    let to_nobody = message(&world, "valid");
    assert!(world.send("adm, dead", &dead, &to_nobody).is_none());

    let of_baidu = baidu::Credentials::new(&world.text("/baidu/api_key"), &world.text("/baidu/secret_key"))
        .expect("credentials");
    world.print("baidu credentials", &of_baidu);
    let client = Client::new(
        baidu::Service::new(of_baidu, world.authority("/baidu/authority")),
        world.config(),
    )
    .expect("a client");
    for name in ["valid", "unknown"] {
        let channel = world.text(&format!("/baidu/channels/{name}"));
        let message = baidu::Message::android(baidu::AndroidNotification::new(PAYLOAD))
            .and_then(|builder| builder.build(baidu::Target::device(&channel)?))
            .expect("a message");
        assert!(world.send("baidu", &client, &message).is_some());
    }
    world.check();
}

#[test]
fn a_response_shows_no_body() {
    let response = Response::new(200, PAYLOAD).with_header("authorization", "x");
    assert!(!format!("{response:?} {response:#?}").contains(PAYLOAD));
}
