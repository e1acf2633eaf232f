//! The sandbox with a client for it.

use std::time::Duration;

use pushcore::apns::{self, Alert, Aps, DeviceToken, KeyId, Payload, PushType, TeamId, Topic};
use pushcore::crypto::Es256Key;
use pushcore::fcm;
use pushcore::http::Authority;
use pushcore::net::Security;
use pushcore::net::tls::TlsConfig;
use pushcore_client::{Client, ClientConfig};
use pushcore_sandbox::{Action, Config, Fault, Sandbox};
use serde_json::Value;

pub(crate) struct World {
    pub(crate) sandbox: Sandbox,
    pub(crate) ready: Value,
}

/// A wait that no working machine needs.
pub(crate) const LONG: Duration = Duration::from_secs(30);

impl World {
    pub(crate) fn new() -> Self {
        Self::with(Config::default())
    }

    pub(crate) fn with(config: Config) -> Self {
        let sandbox = Sandbox::start(config).expect("the sandbox starts");
        let ready = sandbox.ready().clone();
        Self { sandbox, ready }
    }

    pub(crate) fn text(&self, path: &str) -> String {
        let value = self.ready.pointer(path).and_then(Value::as_str);
        value
            .unwrap_or_else(|| panic!("{path} in the ready line"))
            .to_owned()
    }

    pub(crate) fn authority(&self, path: &str) -> Authority {
        Authority::parse(&self.text(path)).expect("an authority")
    }

    pub(crate) fn file(&self, path: &str) -> Vec<u8> {
        std::fs::read(self.text(path)).expect("a readable file")
    }

    pub(crate) fn config(&self) -> ClientConfig {
        let tls = TlsConfig::builder()
            .without_bundled_roots()
            .add_roots(self.file("/ca_file"))
            .build()
            .expect("tls");
        let mut config = ClientConfig::new();
        config.security = Some(Security::Tls(tls));
        config
    }

    pub(crate) fn apns_credentials(&self) -> apns::Credentials {
        let key = Es256Key::read(&self.file("/apns/p8_file")).expect("a key");
        let key_id = KeyId::parse(&self.text("/apns/key_id")).expect("a key id");
        let team_id = TeamId::parse(&self.text("/apns/team_id")).expect("a team id");
        apns::Credentials::token(key_id, team_id, key)
    }

    pub(crate) fn apns(&self, configure: impl FnOnce(&mut ClientConfig)) -> Client {
        self.apns_at(self.authority("/apns/authority"), configure)
    }

    pub(crate) fn apns_at(&self, device: Authority, configure: impl FnOnce(&mut ClientConfig)) -> Client {
        let mut config = self.config();
        configure(&mut config);
        let hosts = apns::Environment::Sandbox.hosts().with_device(device);
        Client::new(
            pushcore::apns::Service::new(self.apns_credentials(), hosts),
            config,
        )
        .expect("a client")
    }

    /// An alert to the token of that name.
    pub(crate) fn alert(&self, name: &str) -> apns::Message {
        alert(
            &self.text("/apns/topic"),
            &self.text(&format!("/apns/tokens/{name}")),
        )
    }

    pub(crate) fn fcm_credentials(&self) -> fcm::Credentials {
        let file = self.file("/fcm/service_account_file");
        fcm::Credentials::from_file_trusting(&file, None, &self.authority("/fcm/authority"))
            .expect("credentials")
    }

    pub(crate) fn fcm_hosts(&self) -> fcm::Hosts {
        fcm::Hosts::all(&self.authority("/fcm/authority"))
    }

    pub(crate) fn fcm(&self) -> Client {
        Client::new(
            fcm::Service::new(self.fcm_credentials(), self.fcm_hosts()),
            self.config(),
        )
        .expect("a client")
    }

    pub(crate) fn fcm_message(&self) -> fcm::Message {
        fcm::Message::builder()
            .notification(fcm::Notification::new().title("Hello"))
            .build(fcm::Target::token(&self.text("/fcm/tokens/valid")).expect("a target"))
            .expect("a message")
    }

    /// Something to happen to every APNs request.
    pub(crate) fn fault(&self, action: Action) {
        self.sandbox.fault(fault(action));
    }
}

pub(crate) fn alert(topic: &str, token: &str) -> apns::Message {
    apns::Message::builder(PushType::Alert)
        .topic(Topic::parse(topic).expect("a topic"))
        .payload(Payload::new(Aps::new().alert(Alert::new().title("Hello"))))
        .device(DeviceToken::parse(token).expect("a token"))
        .build()
        .expect("a message")
}

pub(crate) fn fault(action: Action) -> Fault {
    Fault {
        service: None,
        contains: None,
        connection: None,
        skip: 0,
        times: None,
        every: 0,
        probability: None,
        seed: None,
        processed: false,
        action,
    }
}
