//! What the runners in Rust share: the peer's process, and the values that a case names.

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use pushcore::apns::{self, KeyId, TeamId};
use pushcore::crypto::Es256Key;
use pushcore::http::Authority;
use pushcore::net::Security;
use pushcore::net::h2::PingPolicy;
use pushcore::net::tls::TlsConfig;
use pushcore::service::{Message, Service};
use pushcore::session::SessionConfig;
use pushcore::webpush::EndpointPolicy;
use pushcore::{Error, ErrorKind, Outcome, fcm, webpush};
use serde_json::{Value, json};

use super::cases;
use crate::sim::fixture;
use crate::sim::log::token_of;

/// The end of one message: its number, how it ended, and why.
pub type End = (usize, String, String);

/// Plays every case that `driver` does not lack; `play` returns the peer's report.
///
/// # Panics
/// Where a report has faults.
pub fn every_case(driver: &str, play: impl Fn(&str) -> Value + Sync) {
    let names: Vec<String> = cases()
        .iter()
        .filter(|case| case.lacks(driver).is_none())
        .map(|case| case.name().to_owned())
        .collect();
    // Most of the time of a case is waiting.
    let (next, failed) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                while let Some(name) = names.get(next.fetch_add(1, Ordering::SeqCst)) {
                    let report = play(name);
                    if report["faults"] != json!([]) {
                        failed.lock().expect("a lock").push(report.to_string());
                    }
                }
            });
        }
    });
    let failed = failed.into_inner().expect("a lock");
    let shown: Vec<&str> = failed
        .iter()
        .map(|report| &report[..report.len().min(1500)])
        .collect();
    assert!(
        failed.is_empty(),
        "{} of {}:\n{}",
        failed.len(),
        names.len(),
        shown.join("\n")
    );
}

/// One case being played.
#[derive(Debug)]
pub struct Peer {
    process: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
}

impl Peer {
    /// Starts the program with a case, which `driver` plays; returns what it tells.
    ///
    /// # Panics
    /// Where it does not start, or does not speak.
    pub fn start(program: impl AsRef<Path>, name: &str, driver: &str) -> (Self, Value) {
        let mut process = Command::new(program.as_ref())
            .args([name, driver])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("the peer");
        let input = process.stdin.take().expect("a pipe");
        let output = BufReader::new(process.stdout.take().expect("a pipe"));
        let mut peer = Self {
            process,
            input,
            output,
        };
        let told = peer.line();
        (peer, told)
    }

    fn line(&mut self) -> Value {
        let mut line = String::new();
        self.output.read_line(&mut line).expect("a line");
        serde_json::from_str(&line).expect("JSON")
    }

    /// Writes a line and reads one.
    ///
    /// # Panics
    /// Where the peer is gone.
    pub fn ask(&mut self, line: &Value) -> Value {
        writeln!(self.input, "{line}").expect("a pipe");
        self.line()
    }

    /// Waits until the peer has seen so much.
    ///
    /// # Panics
    /// Where it never did.
    pub fn until(&mut self, wanted: &Value) {
        let mut wanted = wanted.clone();
        wanted.as_object_mut().expect("a step").remove("do");
        let answer = self.ask(&json!({"until": wanted}));
        assert_eq!(answer["until"], true, "the peer never saw {wanted}");
    }

    /// Waits for the end of the process.
    ///
    /// # Panics
    /// Where it does not end.
    pub fn end(self) {
        let Self {
            mut process, input, ..
        } = self;
        drop(input);
        process.wait().expect("an end");
    }
}

/// An end and its cause in the words that all languages share.
pub fn words(result: &Result<Outcome, Error>) -> (String, String) {
    let error = match result {
        Ok(outcome) => return (outcome.name().to_owned(), String::new()),
        Err(error) => error,
    };
    let mut cause = error;
    while let Some(deeper) = cause.cause() {
        cause = deeper;
    }
    let cause = if std::ptr::eq(cause, error) {
        String::new()
    } else {
        kind(cause.kind())
    };
    (kind(error.kind()), cause)
}

fn kind(kind: ErrorKind) -> String {
    format!("{kind:?}")
}

/// A number of seconds.
///
/// # Panics
/// Where it is none.
pub fn seconds(value: &Value) -> Duration {
    Duration::from_secs_f64(value.as_f64().expect("seconds"))
}

/// A text.
///
/// # Panics
/// Where it is none.
pub fn text(value: &Value) -> &str {
    value.as_str().expect("text")
}

/// The message of this number.
///
/// # Panics
/// Where the case is not what it ought to be.
pub fn message(told: &Value, number: usize) -> Message {
    match told["service"].as_str() {
        Some("web_push") => {
            let endpoint = format!("https://push.example.org/p/{}", token_of(number));
            let policy = EndpointPolicy::default().allow_any_public_host();
            let subscription =
                webpush::Subscription::without_keys(&endpoint, &policy).expect("a subscription");
            webpush::Message::builder(subscription)
                .build()
                .expect("a message")
                .into()
        }
        _ => {
            let size = told["size"].as_u64().expect("a size") as usize;
            fixture::message(size).to(fixture::device(number)).into()
        }
    }
}

/// TLS that trusts the authority of a case alone.
///
/// # Panics
/// Where there is none.
pub fn security(told: &Value) -> Security {
    let ca = std::fs::read(text(&told["ca"])).expect("certificates");
    let ca = String::from_utf8(ca).expect("PEM");
    let tls = TlsConfig::builder().without_bundled_roots().add_roots(ca).build();
    Security::Tls(tls.expect("a configuration"))
}

/// The topic subscription of this number.
///
/// # Panics
/// Never: the token is made here.
pub fn subscribe(number: usize) -> fcm::topics::Subscribe {
    let registration = fcm::RegistrationId::new(&token_of(number)).expect("a registration");
    let topic = fcm::Topic::new("news").expect("a topic");
    fcm::topics::Subscribe::new(registration, topic)
}

/// Sets an option of a case.
///
/// # Panics
/// Where no option is called so.
pub fn option(session: &mut SessionConfig, name: &str, value: &Value) {
    let number = || value.as_u64().expect("a number");
    match name {
        "max_connections" => session.max_connections = number() as usize,
        "max_queued" => session.max_queued = number() as usize,
        "max_requeues" => session.max_requeues = u8::try_from(number()).expect("an octet"),
        "first_backoff" => session.first_backoff = seconds(value),
        "connect_timeout" => session.connect_timeout = seconds(value),
        "response_timeout" => session.response_timeout = seconds(value),
        "deadline" => session.deadline = seconds(value),
        "seed" => session.seed = Some(number()),
        "http2" => {
            let http2 = session.http2.get_or_insert_default();
            let mut ping: Option<PingPolicy> = None;
            for (name, value) in value.as_object().expect("settings") {
                match name.as_str() {
                    "ping_after" => ping.get_or_insert_default().idle = seconds(value),
                    "ping_timeout" => ping.get_or_insert_default().acknowledge = seconds(value),
                    "settings_timeout" => http2.settings_timeout = seconds(value),
                    "max_in_flight" => http2.max_in_flight = value.as_u64().expect("a number") as u32,
                    other => panic!("no setting is called {other}"),
                }
            }
            http2.ping = ping.or(http2.ping);
        }
        other => panic!("no option is called {other}"),
    }
}

/// The service of a case.
///
/// # Panics
/// Where what the case names is not there.
pub fn service(told: &Value) -> Service {
    let key = || Es256Key::read(&std::fs::read(text(&told["key"])).expect("a key")).expect("a key");
    let host = Authority::parse(text(&told["host"])).expect("a host");
    match text(&told["service"]) {
        "apns" => {
            let key_id = KeyId::parse("ABC123DEFG").expect("a key id");
            let team_id = TeamId::parse("DEF123GHIJ").expect("a team id");
            let hosts = apns::Environment::Sandbox.hosts();
            let hosts = hosts
                .with_device(host.clone())
                .with_management(host.clone())
                .with_broadcast(host);
            apns::Service::new(apns::Credentials::token(key_id, team_id, key()), hosts).into()
        }
        "web_push" => {
            let credentials =
                webpush::Credentials::new(key(), "mailto:ops@example.org").expect("credentials");
            webpush::Service::new(credentials, EndpointPolicy::default().allow_any_public_host()).into()
        }
        _ => {
            let account = std::fs::read(text(&told["account"])).expect("an account");
            let credentials = fcm::Credentials::service_account(&account).expect("credentials");
            let credentials = credentials.with_token_authority(host.clone());
            fcm::Service::new(credentials, fcm::Hosts::all(&host)).into()
        }
    }
}
