//! The sandbox with a population of users and their devices.

use std::collections::BTreeMap;
use std::time::Duration;

use pushcore::apns::{self, KeyId, TeamId};
use pushcore::crypto::Es256Key;
use pushcore::http::Authority;
use pushcore::net::Security;
use pushcore::net::tls::TlsConfig;
use pushcore::notification::{App, Device, Environment, Feedback, Notification};
use pushcore::service::{Kind, Service, Target};
use pushcore::webpush::{EndpointPolicy, Subscription};
use pushcore::{Error, ErrorKind, Outcome, fcm, webpush};
use pushcore_client::ClientConfig;
use pushcore_client::hub::{Delivery, Hub, HubBuilder};
use pushcore_sandbox::{
    Action, Config, DeviceToken, Fault, Gone, NewSubscription, Registration, Sandbox, SubscriptionState,
};
use serde_json::Value;

/// A key of the test's own: the number of the device.
pub(crate) type Row = (u32, Device);

pub(crate) struct World {
    pub(crate) sandbox: Sandbox,
    topic: String,
    policy: EndpointPolicy,
}

impl World {
    pub(crate) fn new() -> Self {
        // The log of a long storm would take gigabytes; nothing here reads it but for the last pushes.
        let config = Config {
            log_limit: 64 << 20,
            governor: false,
            ..Config::default()
        };
        let sandbox = Sandbox::start(config).expect("the sandbox starts");
        let mut world = Self {
            topic: String::new(),
            policy: EndpointPolicy::default(),
            sandbox,
        };
        world.topic = world.text("/apns/topic");
        world.policy = EndpointPolicy::default().trust(world.authority("/webpush/authority"));
        world
    }

    pub(crate) fn text(&self, path: &str) -> String {
        let value = self.sandbox.ready().pointer(path).and_then(Value::as_str);
        value
            .unwrap_or_else(|| panic!("{path} in the ready line"))
            .to_owned()
    }

    pub(crate) fn authority(&self, path: &str) -> Authority {
        Authority::parse(&self.text(path)).expect("an authority")
    }

    fn file(&self, path: &str) -> Vec<u8> {
        std::fs::read(self.text(path)).expect("a readable file")
    }

    pub(crate) fn security(&self) -> Security {
        let tls = TlsConfig::builder()
            .without_bundled_roots()
            .add_roots(self.file("/ca_file"))
            .build();
        Security::Tls(tls.expect("tls"))
    }

    pub(crate) fn app(&self, kind: Kind) -> App {
        let app = App::new(kind);
        match kind {
            Kind::Apns => app
                .named(&self.topic)
                .and_then(|app| app.in_environment(Environment::Sandbox))
                .expect("an app"),
            _ => app,
        }
    }

    pub(crate) fn service(&self, kind: Kind) -> Service {
        match kind {
            Kind::Apns => {
                let key = Es256Key::read(&self.file("/apns/p8_file")).expect("a key");
                let key_id = KeyId::parse(&self.text("/apns/key_id")).expect("a key id");
                let team_id = TeamId::parse(&self.text("/apns/team_id")).expect("a team id");
                let hosts = apns::Environment::Sandbox.hosts();
                let hosts = hosts.with_device(self.authority("/apns/authority"));
                apns::Service::new(apns::Credentials::token(key_id, team_id, key), hosts).into()
            }
            Kind::Fcm => {
                let (file, host) = (
                    self.file("/fcm/service_account_file"),
                    self.authority("/fcm/authority"),
                );
                let credentials =
                    fcm::Credentials::from_file_trusting(&file, None, &host).expect("credentials");
                fcm::Service::new(credentials, fcm::Hosts::all(&host)).into()
            }
            Kind::WebPush => {
                let key = Es256Key::read(&self.file("/webpush/vapid/pem_file")).expect("a key");
                let subject = self.text("/webpush/vapid/subject");
                let credentials = webpush::Credentials::with_any_subject(key, &subject).expect("vapid");
                webpush::Service::new(credentials, self.policy.clone()).into()
            }
            other => panic!("no {other} here"),
        }
    }

    pub(crate) fn config(&self, configure: impl FnOnce(&mut ClientConfig)) -> ClientConfig {
        let mut config = ClientConfig::new();
        config.security = Some(self.security());
        configure(&mut config);
        config
    }

    /// A hub of the three services; those for FCM give up soon.
    pub(crate) fn hub(&self, configure: impl FnOnce(HubBuilder) -> HubBuilder) -> Hub {
        let mut builder = Hub::builder();
        for kind in [Kind::Apns, Kind::Fcm, Kind::WebPush] {
            let config = self.config(|config| soon(kind, &mut config.session));
            builder = builder.client(self.app(kind), self.service(kind), config);
        }
        configure(builder).build().expect("a hub")
    }

    /// A device, known to its service: alive or not.
    pub(crate) fn device(&self, kind: Kind, number: u32, dead: bool) -> Row {
        let builder = match kind {
            Kind::Apns => {
                let token = format!("{number:064x}");
                self.sandbox.register_apns(DeviceToken {
                    token: token.clone(),
                    bundle: self.topic.clone(),
                    environment: pushcore_sandbox::Environment::Development,
                    unregistered_at: dead.then_some(1_700_000_000_000),
                    gone: Gone::Unregistered,
                    throttled: false,
                });
                let builder = Device::builder(kind).app(&self.topic).token(&token);
                builder.environment(Environment::Sandbox)
            }
            Kind::Fcm => {
                let token = format!("device-{number}:{}", "t".repeat(40));
                let state = if dead {
                    Registration::Unregistered
                } else {
                    Registration::Active
                };
                self.sandbox.register_fcm(&token, state);
                Device::builder(kind).token(&token)
            }
            _ => {
                let wanted = NewSubscription {
                    state: if dead {
                        SubscriptionState::Expired
                    } else {
                        SubscriptionState::Active
                    },
                    ..NewSubscription::default()
                };
                let made = self.sandbox.subscribe(&wanted).expect("a subscription");
                let json = serde_json::to_string(&made).expect("json");
                let made = Subscription::parse(json.as_bytes(), &self.policy).expect("a subscription");
                Device::builder(kind).target(Target::WebPush(made.into()))
            }
        };
        (number, builder.build().expect("a device"))
    }

    /// Users with one to five devices each on the three services, of which 3 in 100 are dead.
    pub(crate) fn population(&self, users: u32) -> Vec<Row> {
        let kinds = [Kind::Apns, Kind::Fcm, Kind::WebPush];
        let mut rows = Vec::new();
        // Knuth's constants: any sequence will do, the same in every run.
        let mut state: u64 = 1;
        let mut draw = |below: u32| {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            (state >> 33) as u32 % below
        };
        for _ in 0..users {
            for _ in 0..=draw(5) {
                let (kind, dead) = (kinds[draw(3) as usize], draw(100) < 3);
                rows.push(self.device(kind, rows.len() as u32, dead));
            }
        }
        rows
    }

    /// FCM takes pushes and answers none of them, after the first `answered`.
    pub(crate) fn stall_fcm(&self, answered: u64) {
        self.sandbox.fault(Fault {
            skip: answered,
            contains: Some("messages:send".to_owned()),
            ..every("fcm", Action::NoAnswer)
        });
    }
}

/// What stalls is given up soon, so that a test ends.
pub(crate) fn soon(kind: Kind, session: &mut pushcore::session::SessionConfig) {
    let long = std::env::var("PUSHCORE_STORM_HUB_USERS").is_ok();
    match (kind, long) {
        // What is only late is not to be given up: the sandbox serves each connection alike, and APNs has few of them with many streams.
        (Kind::Fcm, true) => {
            session.response_timeout = Duration::from_secs(15);
            session.deadline = Duration::from_secs(30);
        }
        (_, true) => {
            session.response_timeout = Duration::from_secs(120);
            session.deadline = Duration::from_secs(600);
        }
        (Kind::Fcm, false) => {
            session.response_timeout = Duration::from_secs(2);
            session.deadline = Duration::from_secs(4);
            // A stall is to be felt with few devices, too.
            session.max_queued = 50;
            session.max_connections = 1;
            session.http2.get_or_insert_default().max_in_flight = 50;
        }
        (_, false) => {}
    }
}

/// What stalls is waited for: a minute for each answer, few at a time.
pub(crate) fn never(session: &mut pushcore::session::SessionConfig) {
    session.response_timeout = Duration::from_secs(60);
    session.deadline = Duration::from_secs(60);
    session.max_queued = 50;
    session.max_connections = 1;
    session.http2.get_or_insert_default().max_in_flight = 50;
}

/// Something to happen to every request of a service.
pub(crate) fn every(service: &str, action: Action) -> Fault {
    Fault {
        service: Some(service.to_owned()),
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

pub(crate) fn hello() -> Notification {
    Notification::builder()
        .title("Hello")
        .body("world")
        .build()
        .expect("a notification")
}

/// How a device ended: its service and the end in a word.
pub(crate) fn word(result: &Result<Outcome, Error>) -> String {
    match result {
        Ok(outcome) => outcome.name().to_owned(),
        Err(error) => match error.cause() {
            Some(cause) if cause.kind() == ErrorKind::QueueFull => "HandedBack".to_owned(),
            _ => format!("{:?}", error.kind()),
        },
    }
}

/// The ends by service, counted; every row exactly once.
pub(crate) fn tally(
    deliveries: impl Iterator<Item = Delivery<Row>>,
    rows: usize,
) -> BTreeMap<(Kind, String), usize> {
    let mut seen = vec![false; rows];
    let mut tally = BTreeMap::new();
    for delivery in deliveries {
        let (number, device) = &delivery.item;
        assert!(
            !std::mem::replace(&mut seen[*number as usize], true),
            "{number} ended twice"
        );
        let gone = matches!(&delivery.result, Ok(Outcome::TokenGone(_)));
        assert_eq!(gone, delivery.feedback == Feedback::Delete, "{delivery:?}");
        *tally
            .entry((device.service(), word(&delivery.result)))
            .or_default() += 1;
    }
    assert!(seen.iter().all(|seen| *seen), "some never ended");
    tally
}
