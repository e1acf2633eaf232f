//! Every case of the drivers' suite (`tests/drivers`), with the blocking client.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use pushcore::apns::{self, KeyId, TeamId};
use pushcore::crypto::Es256Key;
use pushcore::http::Authority;
use pushcore::net::Security;
use pushcore::net::h2::PingPolicy;
use pushcore::net::tls::TlsConfig;
use pushcore::service::{Message, Service};
use pushcore::webpush::EndpointPolicy;
use pushcore::{Error, ErrorKind, Outcome, fcm, webpush};
use pushcore_client::{Client, ClientConfig, Proxy, Resolver};
use pushcore_tests::drivers::cases;
use pushcore_tests::sim::fixture;
use pushcore_tests::sim::log::token_of;
use serde_json::{Value, json};

/// The end of one message: its number, how it ended, and why.
type End = (usize, String, String);

#[test]
fn every_case() {
    let names: Vec<String> = cases()
        .iter()
        .filter(|case| case.lacks("rust").is_none())
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
struct Peer {
    process: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
}

impl Peer {
    fn start(name: &str) -> (Self, Value) {
        let mut process = Command::new(env!("CARGO_BIN_EXE_pushcore-peer"))
            .arg(name)
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

    fn ask(&mut self, line: &Value) -> Value {
        writeln!(self.input, "{line}").expect("a pipe");
        self.line()
    }

    fn until(&mut self, wanted: &Value) {
        let mut wanted = wanted.clone();
        wanted.as_object_mut().expect("a step").remove("do");
        let answer = self.ask(&json!({"until": wanted}));
        assert_eq!(answer["until"], true, "the peer never saw {wanted}");
    }

    fn end(self) {
        let Self {
            mut process, input, ..
        } = self;
        drop(input);
        process.wait().expect("an end");
    }
}

/// Plays a case; returns the peer's report.
fn play(name: &str) -> Value {
    let (mut peer, told) = Peer::start(name);
    let began = Instant::now();
    let mut played = Played::new(&told);
    for step in told["steps"].as_array().expect("steps") {
        played.step(&mut peer, step);
    }
    played.client.close().expect("closed");
    let mut results = json!({
        "ends": played.ends.into_inner().expect("a lock"),
        "seconds": began.elapsed().as_secs_f64(),
    });
    if let Some(taken) = played.taken {
        results["taken"] = taken.into();
    }
    let report = peer.ask(&results);
    peer.end();
    report
}

struct Played<'a> {
    told: &'a Value,
    client: Client,
    ends: Mutex<Vec<End>>,
    next: usize,
    taken: Option<usize>,
}

impl<'a> Played<'a> {
    fn new(told: &'a Value) -> Self {
        Self {
            told,
            client: client(told),
            ends: Mutex::default(),
            next: 0,
            taken: None,
        }
    }

    fn ended(&self, number: usize, result: &Result<Outcome, Error>) {
        let (end, cause) = words(result);
        self.ends.lock().expect("a lock").push((number, end, cause));
    }

    fn message(&self, number: usize) -> Message {
        match self.told["service"].as_str() {
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
                let size = self.told["size"].as_u64().expect("a size") as usize;
                fixture::message(size).to(fixture::device(number)).into()
            }
        }
    }

    fn step(&mut self, peer: &mut Peer, step: &Value) {
        let count = step
            .get("count")
            .map_or(0, |count| count.as_u64().expect("a number") as usize);
        let numbers = self.next..self.next + count;
        self.next = numbers.end;
        match step["do"].as_str().expect("a step") {
            "bulk" => {
                let messages = numbers.map(|number| (number, self.message(number)));
                for ((number, _), result) in self.client.send_many(messages) {
                    self.ended(number, &result);
                }
            }
            "one_by_one" => numbers.for_each(|number| self.one(number)),
            "together" => std::thread::scope(|scope| {
                let this = &*self;
                numbers.for_each(|number| drop(scope.spawn(move || this.one(number))));
            }),
            "together_closed" => std::thread::scope(|scope| {
                let this = &*self;
                numbers.for_each(|number| drop(scope.spawn(move || this.one(number))));
                peer.until(&step["until"]);
                this.client.close().expect("closed");
            }),
            what @ ("bulk_left" | "unfetched") => {
                let taken = AtomicUsize::new(0);
                let messages = numbers.clone().map(|number| {
                    taken.fetch_add(1, Ordering::SeqCst);
                    (number, self.message(number))
                });
                let mut results = self.client.send_many(messages);
                let fetch = step["fetch"].as_u64().expect("a number") as usize;
                for ((number, _), result) in results.by_ref().take(fetch) {
                    self.ended(number, &result);
                }
                if what == "unfetched" {
                    std::thread::sleep(seconds(&step["pause"]));
                    let seen = taken.load(Ordering::SeqCst);
                    for ((number, _), result) in results {
                        self.ended(number, &result);
                    }
                    self.taken = Some(seen);
                    return;
                }
                drop(results);
                let mut ends = self.ends.lock().expect("a lock");
                let left = numbers.filter(|number| ends.iter().all(|(other, ..)| other != number));
                let left: Vec<End> = left
                    .map(|number| (number, "left".into(), String::new()))
                    .collect();
                ends.extend(left);
            }
            "call" => {
                for number in numbers {
                    let registration = fcm::RegistrationId::new(&token_of(number)).expect("a registration");
                    let topic = fcm::Topic::new("news").expect("a topic");
                    let call = fcm::topics::Subscribe::new(registration, topic);
                    self.ended(number, &self.client.call(&call));
                }
            }
            "until" => peer.until(step),
            "pause" => std::thread::sleep(seconds(&step["seconds"])),
            other => panic!("the blocking driver lacks the step {other}"),
        }
    }

    fn one(&self, number: usize) {
        let result = self.client.send(&self.message(number));
        self.ended(number, &result);
    }
}

/// An end and its cause in the words that all languages share.
fn words(result: &Result<Outcome, Error>) -> (String, String) {
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

fn seconds(value: &Value) -> Duration {
    Duration::from_secs_f64(value.as_f64().expect("seconds"))
}

fn text(value: &Value) -> &str {
    value.as_str().expect("text")
}

fn client(told: &Value) -> Client {
    let mut config = ClientConfig::new();
    let ca = std::fs::read(text(&told["ca"])).expect("certificates");
    let ca = String::from_utf8(ca).expect("PEM");
    let tls = TlsConfig::builder().without_bundled_roots().add_roots(ca).build();
    config.security = Some(Security::Tls(tls.expect("a configuration")));
    config.proxy = told["proxy"]
        .as_str()
        .map(|url| Proxy::parse(url).expect("a proxy"));
    for (name, value) in told["options"].as_object().expect("options") {
        option(&mut config, name, value);
    }
    if let Some(lookups) = told["lookups"].as_array() {
        config.resolver = resolver(lookups.clone());
    }
    Client::new(service(told), config).expect("a client")
}

fn option(config: &mut ClientConfig, name: &str, value: &Value) {
    let number = || value.as_u64().expect("a number");
    let session = &mut config.session;
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

/// Answers in the order of the case; the last one for ever.
fn resolver(lookups: Vec<Value>) -> Resolver {
    let asked = AtomicUsize::new(0);
    Resolver::new(move |_, _| {
        let nth = asked.fetch_add(1, Ordering::SeqCst).min(lookups.len() - 1);
        let lookup = &lookups[nth];
        if let Some(wait) = lookup.get("wait") {
            std::thread::sleep(seconds(wait));
        }
        match lookup["addresses"].as_array() {
            Some(addresses) => Ok(addresses
                .iter()
                .map(|each| text(each).parse().expect("an address"))
                .collect()),
            None => Err(std::io::ErrorKind::NotFound.into()),
        }
    })
}

fn service(told: &Value) -> Service {
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
