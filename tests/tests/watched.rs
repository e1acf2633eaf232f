//! What a program's log is told (the features `log` and `tracing` of the clients), and what it is not.

use std::fmt::Write;
use std::sync::{Mutex, PoisonError};

use pushcore::http::Authority;
use pushcore::net::Security;
use pushcore::session::SessionEvent;
use pushcore::{ErrorKind, apns};
use pushcore_client::{Client, ClientConfig};
use pushcore_tests::sim::fixture;
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};

/// Everything that both logs were told in this process: each test looks for its own words.
static TOLD: Mutex<Vec<String>> = Mutex::new(Vec::new());

fn note(line: String) {
    TOLD.lock().unwrap_or_else(PoisonError::into_inner).push(line);
}

struct Log;

impl log::Log for Log {
    fn enabled(&self, _: &log::Metadata<'_>) -> bool {
        true
    }

    fn log(&self, record: &log::Record<'_>) {
        note(format!(
            "log {} {} {}",
            record.level(),
            record.target(),
            record.args()
        ));
    }

    fn flush(&self) {}
}

struct Subscriber;

struct Text(String);

impl Visit for Text {
    fn record_debug(&mut self, field: &Field, value: &dyn std::fmt::Debug) {
        write!(self.0, " {field}={value:?}").expect("a string");
    }
}

impl tracing::Subscriber for Subscriber {
    fn enabled(&self, _: &tracing::Metadata<'_>) -> bool {
        true
    }

    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, event: &tracing::Event<'_>) {
        let mut text = Text(format!(
            "tracing {} {}",
            event.metadata().level(),
            event.metadata().target()
        ));
        event.record(&mut text);
        note(text.0);
    }

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}

fn listen() {
    static ONCE: std::sync::Once = std::sync::Once::new();
    ONCE.call_once(|| {
        log::set_logger(&Log).expect("the only one");
        log::set_max_level(log::LevelFilter::Trace);
        tracing::subscriber::set_global_default(Subscriber).expect("the only one");
    });
}

/// A port on which nobody listens.
fn nobody() -> Authority {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = listener.local_addr().expect("an address").port();
    Authority::parse(&format!("127.0.0.1:{port}")).expect("an authority")
}

fn service(host: &Authority) -> apns::Service {
    let hosts = apns::Environment::Sandbox.hosts().with_device(host.clone());
    apns::Service::new(fixture::credentials(), hosts)
}

/// What was told of a connection to `host`, and nothing that was told names a token or a key.
fn told(host: &Authority) -> Vec<String> {
    let told = TOLD.lock().unwrap_or_else(PoisonError::into_inner).clone();
    let token = pushcore_tests::sim::log::token_of(1);
    for line in &told {
        assert!(!line.contains(&token) && !line.contains("bearer"), "{line}");
    }
    let address = host.to_string();
    told.into_iter().filter(|line| line.contains(&address)).collect()
}

fn expected(lines: &[String]) {
    let starts = |words: &str| lines.iter().any(|line| line.starts_with(words));
    assert!(starts("log WARN pushcore apns: disconnected: "), "{lines:?}");
    assert!(starts("tracing WARN pushcore "), "{lines:?}");
    let event = "service=\"apns\" event=\"disconnected\"";
    assert!(lines.iter().any(|line| line.contains(event)), "{lines:?}");
}

#[test]
fn the_blocking_client_tells_both_logs_and_its_caller() {
    listen();
    let host = nobody();
    let mut config = ClientConfig::new();
    config.security = Some(Security::Cleartext);
    let client = Client::new(service(&host), config).expect("a client");
    let error = client
        .send(&fixture::message(5).to(fixture::device(1)))
        .expect_err("nobody");
    assert_eq!(error.kind(), ErrorKind::NotSent);
    expected(&told(&host));
    let events: Vec<SessionEvent> = std::iter::from_fn(|| client.poll_event()).collect();
    let lost = |event: &SessionEvent| matches!(event, SessionEvent::Disconnected { error: Some(_), .. });
    assert!(events.iter().any(lost), "{events:?}");
}

#[tokio::test]
async fn the_client_for_tokio_does_too() {
    listen();
    let host = nobody();
    let mut config = pushcore_tokio::ClientConfig::new();
    config.security = Some(Security::Cleartext);
    let client = pushcore_tokio::Client::new(service(&host), config).expect("a client");
    let message = fixture::message(5).to(fixture::device(1));
    let error = client.send(&message).await.expect_err("nobody");
    assert_eq!(error.kind(), ErrorKind::NotSent);
    client.close().await;
    expected(&told(&host));
    let events: Vec<SessionEvent> = std::iter::from_fn(|| client.poll_event()).collect();
    let lost = |event: &SessionEvent| matches!(event, SessionEvent::Disconnected { error: Some(_), .. });
    assert!(events.iter().any(lost), "{events:?}");
}
