//! APNs with a client certificate, from the client's credentials to the sandbox's judgement.

use pushcore::apns::{self, Alert, Aps, ClientCertificate, DeviceToken, Payload, PushType, Topic};
use pushcore::http::Authority;
use pushcore::net::Security;
use pushcore::net::tls::{ClientIdentity, TlsConfig};
use pushcore::session::SessionEvent;
use pushcore::{Error, ErrorKind, Outcome};
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

    fn text(&self, path: &str) -> &str {
        let value = self.ready.pointer(path).and_then(Value::as_str);
        value.unwrap_or_else(|| panic!("{path} in the ready line"))
    }

    fn file(&self, path: &str) -> Vec<u8> {
        std::fs::read(self.text(path)).expect("a readable file")
    }

    /// A client that presents the sandbox's certificate of that name.
    fn client(&self, name: &str) -> Client {
        let certificate = self.file(&format!("/apns/certificates/{name}/certificate_file"));
        let key = self.file(&format!("/apns/certificates/{name}/key_file"));
        let tls = TlsConfig::builder()
            .without_bundled_roots()
            .add_roots(self.file("/ca_file"))
            .identity(ClientIdentity::from_pem(&certificate, &key).expect("an identity"))
            .build()
            .expect("tls");
        let mut config = ClientConfig::new();
        config.security = Some(Security::Tls(tls));
        let certificate = ClientCertificate::from_pem(&certificate, &key).expect("a certificate");
        // Two parsers, one list.
        let listed: Vec<&str> = self.ready["apns"]["certificates"][name]["topics"]
            .as_array()
            .expect("topics")
            .iter()
            .filter_map(Value::as_str)
            .collect();
        assert_eq!(certificate.topics(), listed);
        let authority = Authority::parse(self.text("/apns/authority")).expect("an authority");
        let hosts = apns::Environment::Sandbox.hosts().with_device(authority);
        Client::new(
            pushcore::apns::Service::new(apns::Credentials::certificate(certificate), hosts),
            config,
        )
        .expect("a client")
    }

    fn send(&self, client: &Client, kind: PushType, topic: Option<&str>) -> Result<Outcome, Error> {
        let payload = Payload::new(Aps::new().alert(Alert::new().title("Hello").body("world")));
        let mut builder = apns::Message::builder(kind);
        builder = match topic {
            Some(topic) => builder.topic(Topic::parse(topic).expect("a topic")),
            None => builder.topic_of_certificate(),
        };
        let message = builder
            .payload(payload)
            .device(DeviceToken::parse(self.text("/apns/tokens/valid")).expect("a token"))
            .build()
            .expect("a message");
        client.send(&message)
    }
}

#[test]
fn certificates_push_to_their_topics() {
    let world = World::new();
    let client = world.client("universal");
    for (kind, topic) in [
        (PushType::Alert, "com.example.app"),
        (PushType::Voip, "com.example.app.voip"),
    ] {
        let outcome = world.send(&client, kind, Some(topic)).expect("an answer");
        assert!(outcome.is_accepted(), "{outcome:?}");
    }
    // With one topic it need not be named.
    let client = world.client("single");
    let outcome = world.send(&client, PushType::Alert, None).expect("an answer");
    assert!(outcome.is_accepted(), "{outcome:?}");
    let log = world.sandbox.log();
    assert_eq!(log.iter().filter(|record| record.accepted).count(), 3);
    assert!(log.iter().all(|record| record.headers["authorization"].is_null()));
    assert!(log[2].headers["apns-topic"].is_null());
}

#[test]
fn refused_certificates_are_named_by_the_connection() {
    let world = World::new();
    for (name, reason) in [
        ("untrusted", "BadCertificate"),
        ("other_environment", "BadCertificateEnvironment"),
    ] {
        let client = world.client(name);
        let result = world.send(&client, PushType::Alert, Some("com.example.app"));
        let error = result.expect_err("refused");
        assert_eq!(error.kind(), ErrorKind::NotSent);
        let cause = error.cause().expect("a cause");
        assert_eq!(cause.kind(), ErrorKind::InvalidCredential);
        assert!(cause.to_string().ends_with(reason), "{cause}");
        let told = std::iter::from_fn(|| client.poll_event())
            .any(|event| matches!(event, SessionEvent::GoAway { reason: said, .. } if *said == *reason));
        assert!(told, "{name}");
        let log = world.sandbox.log();
        let last = log.last().expect("something was logged");
        assert_eq!(
            (last.operation.as_str(), last.reason.as_deref()),
            ("connection", Some(reason))
        );
    }
    assert!(world.sandbox.log().iter().all(|record| !record.accepted));
}
