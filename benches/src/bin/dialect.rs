//! A request to Pinpoint beside the native message that it becomes, on one core and without a network: from the raw
//! request to the reply, its signature verified, every question answered from memory; and a message of the same content
//! from its JSON form to the request that is sent.

use std::hint::black_box;
use std::time::{Duration, Instant};

use pushcore::dialect::{Action, Ask, Dialect, System};
use pushcore::fcm::{Hosts, ProjectId};
use pushcore::http::{Authority, Incoming, Request, Response};
use pushcore::service::{AsMessage, Kind, Message, MessageRef};
use pushcore::{Error, Now, Outcome, UnixTime};
use pushcore_benches::failed;

/// Measured so often, each time alone: the fastest counts, because everything else is the machine's other work, and a
/// long measurement would be interrupted.
const ROUNDS: u32 = 3000;

const APP: &str = "4f2a9c0d8e7b6a5f4e3d2c1b0a998877";
const KEY: &str = "AKIDBENCH";
/// 2027-01-15T08:00:00Z.
const AT: u64 = 1_800_000_000;

fn main() -> Result<(), Error> {
    let bench = Bench::new()?;
    let native = fastest(|| bench.native())?;
    let one = fastest(|| bench.pinpoint(&bench.one, 1))?;
    let hundred = fastest(|| bench.pinpoint(&bench.hundred, 100))?;
    let personal = fastest(|| bench.pinpoint(&bench.personal, 100))?;
    let micros = |time: Duration| time.as_secs_f64() * 1e6;
    println!(
        "a native message of FCM, from its JSON form      {:8.2} µs",
        micros(native)
    );
    println!(
        "a call of Pinpoint with one address              {:8.2} µs",
        micros(one)
    );
    println!(
        "a call with 100 addresses, one content, each     {:8.2} µs",
        micros(hundred) / 100.0
    );
    println!(
        "a call with 100 addresses, each its own, each    {:8.2} µs",
        micros(personal) / 100.0
    );
    println!(
        "translations a second, 100 addresses a call      {:8.0}",
        100.0 / hundred.as_secs_f64()
    );
    println!(
        "translations a second, each its own content      {:8.0}",
        100.0 / personal.as_secs_f64()
    );
    Ok(())
}

fn fastest(mut work: impl FnMut() -> Result<(), Error>) -> Result<Duration, Error> {
    let mut best = Duration::MAX;
    for _ in 0..ROUNDS {
        let started = Instant::now();
        work()?;
        best = best.min(started.elapsed());
    }
    Ok(best)
}

struct Bench {
    dialect: Dialect,
    one: Incoming,
    hundred: Incoming,
    personal: Incoming,
    form: Vec<u8>,
    secret: String,
    hosts: Hosts,
    project: ProjectId,
    accepted: Outcome,
}

impl Bench {
    fn new() -> Result<Self, Error> {
        let mut secret = [0; 30];
        ring::rand::SecureRandom::fill(&ring::rand::SystemRandom::new(), &mut secret).map_err(failed)?;
        let secret = hex(&secret);
        let call = |addresses: &str| {
            let message = r#"{"Action":"URL","Body":"This is a sample message.","Priority":"normal","SilentPush":false,"Title":"Test message","TimeToLive":30,"Url":"https://www.example.com"}"#;
            let body = format!(
                r#"{{"Addresses":{{{addresses}}},"MessageConfiguration":{{"GCMMessage":{message}}}}}"#
            );
            signed(&format!("/v1/apps/{APP}/messages"), &body, &secret)
        };
        let address = |number: u32| format!("d0LoZm8:{}{number:03}", "APA91b".repeat(24));
        let many = |own: &dyn Fn(u32) -> String| {
            let one = |number| format!(r#""{}":{{"ChannelType":"GCM"{}}}"#, address(number), own(number));
            (0..100).map(one).collect::<Vec<_>>().join(",")
        };
        let one = call(&format!(r#""{}":{{"ChannelType":"GCM"}}"#, address(0)))?;
        let hundred = call(&many(&|_| String::new()))?;
        let personal = call(&many(&|number| format!(r#","BodyOverride":"Hello {number}""#)))?;
        let now = Now::new(Duration::ZERO, UnixTime::from_secs(AT));
        let mut bench = Self {
            dialect: Dialect::new(System::Pinpoint, br#"{"replay":"allow"}"#)?,
            one,
            hundred,
            personal,
            form: Vec::new(),
            secret,
            hosts: Hosts::all(&Authority::parse("localhost:8443")?),
            project: ProjectId::new("bench-project")?,
            accepted: pushcore::fcm::outcome(&Response::new(200, r#"{"name":"projects/p/messages/1"}"#), now),
        };
        // The native message is the very one that the call becomes.
        let mut job = bench.dialect.begin(bench.one.clone(), UnixTime::from_secs(AT));
        while let Some(step) = job.steps().first().cloned() {
            match step.action() {
                Action::Ask(ask) => job.answer(step.id(), bench.answer(ask).as_bytes())?,
                Action::Send(send) => {
                    bench.form = send.message.to_json().into_bytes();
                    job.sent(step.id(), Ok(&bench.accepted))?;
                }
                _ => return Err(failed("no broadcast was asked for")),
            }
        }
        match job.reply().map(|reply| reply.status()) {
            Some(200) if !bench.form.is_empty() => Ok(bench),
            other => Err(failed(format!("replied {other:?}"))),
        }
    }

    fn answer(&self, ask: &Ask) -> String {
        match ask {
            Ask::Secret { .. } => format!(r#"{{"secret":"{}"}}"#, self.secret),
            Ask::Get { ids, .. } if ids.iter().any(|id| id == "GCM") => r#"{"GCM":{}}"#.to_owned(),
            Ask::Get { .. } => format!(r#"{{"{APP}":{{}}}}"#),
            _ => "null".to_owned(),
        }
    }

    fn native(&self) -> Result<(), Error> {
        let message = Message::from_json(Kind::Fcm, black_box(&self.form))?;
        self.write(&message)
    }

    fn write(&self, message: &Message) -> Result<(), Error> {
        let MessageRef::Fcm(message) = message.as_message() else {
            return Err(failed("not a message of FCM"));
        };
        let mut request = Request::new();
        message.write(&self.hosts, &self.project, &mut request)?;
        black_box(&request);
        Ok(())
    }

    fn pinpoint(&self, incoming: &Incoming, addresses: usize) -> Result<(), Error> {
        let mut job = self
            .dialect
            .begin(black_box(incoming.clone()), UnixTime::from_secs(AT));
        let mut sent = 0;
        while job.reply().is_none() {
            let steps = job.steps().to_vec();
            for step in &steps {
                match step.action() {
                    Action::Ask(ask) => job.answer(step.id(), self.answer(ask).as_bytes())?,
                    Action::Send(send) => {
                        self.write(&send.message)?;
                        job.sent(step.id(), Ok(&self.accepted))?;
                        sent += 1;
                    }
                    _ => return Err(failed("no broadcast was asked for")),
                }
            }
        }
        match sent == addresses && black_box(job.reply()).is_some_and(|reply| reply.status() == 200) {
            true => Ok(()),
            false => Err(failed("the call was refused")),
        }
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// A request with a signature of AWS Signature Version 4.
fn signed(target: &str, body: &str, secret: &str) -> Result<Incoming, Error> {
    const DATE: &str = "20270115T080000Z";
    let hash = |text: &str| hex(ring::digest::digest(&ring::digest::SHA256, text.as_bytes()).as_ref());
    let canonical = format!(
        "POST\n{target}\n\nhost:localhost\nx-amz-date:{DATE}\n\nhost;x-amz-date\n{}",
        hash(body)
    );
    let scope = "20270115/eu-west-1/mobiletargeting/aws4_request";
    let to_sign = format!("AWS4-HMAC-SHA256\n{DATE}\n{scope}\n{}", hash(&canonical));
    let mut key = format!("AWS4{secret}").into_bytes();
    for part in [
        "20270115",
        "eu-west-1",
        "mobiletargeting",
        "aws4_request",
        &to_sign,
    ] {
        let with = ring::hmac::Key::new(ring::hmac::HMAC_SHA256, &key);
        key = ring::hmac::sign(&with, part.as_bytes()).as_ref().to_vec();
    }
    Ok(Incoming::new("POST", target, body)?
        .with_header("Host", "localhost")
        .with_header("X-Amz-Date", DATE)
        .with_header(
            "Authorization",
            format!(
                "AWS4-HMAC-SHA256 Credential={KEY}/{scope}, SignedHeaders=host;x-amz-date, Signature={}",
                hex(&key)
            ),
        ))
}
