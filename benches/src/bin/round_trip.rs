//! `round_trip TARGET CA SECONDS MILLIS BODY STREAMS WINDOW` sends messages with bodies of BODY octets for SECONDS, with the defaults of a
//! client, through a proxy with a round trip of MILLIS (`delay_proxy`), while another thread sends one message after the other.
//! The server grants STREAMS streams and gives its window back in steps of WINDOW octets (0: the window is no limit).
//!
//! Prints messages a second; when how many connections there were; how long a lone message took; and how much of the
//! bound was used: what the connections carry at most in one round trip. The proxy has no loss, no limit of its own and
//! no slow start: what is measured is what the client makes of a round trip.

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use pushcore::apns::{self, Message, Payload, PushType, Topic};
use pushcore::http::Authority;
use pushcore::net::Security;
use pushcore::net::tls::TlsConfig;
use pushcore::{Error, Outcome};
use pushcore_benches::{TOPIC, Tokens, apns_credentials, failed, peak_resident_kib};
use pushcore_client::{Client, ClientConfig};

/// How often the connections are counted.
const LOOK: Duration = Duration::from_millis(20);

/// What was there at one time.
struct Sample {
    at: Duration,
    connections: usize,
    accepted: u64,
}

fn main() -> Result<(), Error> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let word = |at: usize| arguments.get(at).map_or("", String::as_str);
    let number = |at: usize| word(at).parse::<u64>().map_err(|_| failed("not a number"));
    let seconds = Duration::from_secs(number(2)?);
    let round_trip = Duration::from_millis(number(3)?);
    let (body, streams, window) = (number(4)?, number(5)?, number(6)?);
    let client = client(word(0), word(1))?;
    let running = AtomicBool::new(true);
    let idle = idle_ticks().map_err(failed)?;
    let started = Instant::now();
    let (sent, lone, samples) = thread::scope(|scope| {
        let lone = scope.spawn(|| lone(&client, &running));
        let samples = scope.spawn(|| look(&client, &running));
        let sent = campaign(&client, body as usize, started + seconds);
        running.store(false, Ordering::Relaxed);
        let other = "a thread panicked";
        let lone = lone.join().map_err(|_| failed(other));
        let samples = samples.join().map_err(|_| failed(other));
        (sent, lone.flatten_now(), samples)
    });
    let (sent, mut lone, samples) = (sent?, lone?, samples?);
    let idle = (idle_ticks().map_err(failed)? - idle) as f64 / 100.0;
    let cores = thread::available_parallelism().map_or(1, usize::from) as f64;
    let busy = 1.0 - idle / cores / started.elapsed().as_secs_f64();
    lone.sort();
    let at = |part: f64| lone.get(((lone.len().max(1) - 1) as f64 * part) as usize);
    let millis = |time: Option<&Duration>| time.map_or(0.0, |time| time.as_secs_f64() * 1e3);
    let connections = samples.last().map_or(0, |sample| sample.connections);
    // What one connection carries in a round trip: its streams, or what the server gives back of the window meanwhile.
    let each = match window {
        0 => streams,
        _ => streams.min((window / body.max(1)).max(1)),
    };
    let bound = connections as f64 * each as f64 / round_trip.as_secs_f64();
    let (reached, best) = used(&samples, round_trip, bound);
    println!(
        "sent={sent} per_second={:.0} connections={connections} bound={bound:.0} best_used={best:.2} used_80_at={} machine_busy={busy:.2} lone={} lone_p50_ms={:.0} lone_max_ms={:.0} peak_kib={}",
        sent as f64 / seconds.as_secs_f64(),
        reached.map_or("never".to_owned(), |at| format!("{:.2}", at.as_secs_f64())),
        lone.len(),
        millis(at(0.5)),
        millis(at(1.0)),
        peak_resident_kib().map_err(failed)?,
    );
    let mut most = 0;
    let grown = samples.iter().filter(|sample| {
        let more = sample.connections > most;
        most = most.max(sample.connections);
        more
    });
    let grown = grown.map(|sample| format!("{} at {:.2} s", sample.connections, sample.at.as_secs_f64()));
    println!("connections: {}", grown.collect::<Vec<_>>().join(", "));
    Ok(())
}

/// Since when at least 80 % of `bound` messages a second were answered, and the largest part of it that was ever reached,
/// both over whole round trips, because answers come once in each.
fn used(samples: &[Sample], round_trip: Duration, bound: f64) -> (Option<Duration>, f64) {
    let span = round_trip * (300 / round_trip.as_millis().max(1) as u32).max(2);
    let (mut reached, mut best) = (None, 0.0f64);
    for (index, from) in samples.iter().enumerate() {
        let Some(to) = samples[index..].iter().find(|to| to.at >= from.at + span) else {
            break;
        };
        let rate = (to.accepted - from.accepted) as f64 / (to.at - from.at).as_secs_f64();
        best = best.max(rate / bound);
        if rate >= 0.8 * bound && reached.is_none() {
            reached = Some(from.at);
        }
    }
    (reached, best)
}

/// What all processors together have idled, in hundredths of a second (Linux).
fn idle_ticks() -> std::io::Result<u64> {
    let text = std::fs::read_to_string("/proc/stat")?;
    let fields = text.lines().next().unwrap_or_default().split_whitespace();
    // Idle, and waiting for a disk.
    Ok(fields
        .skip(4)
        .take(2)
        .filter_map(|field| field.parse::<u64>().ok())
        .sum())
}

/// A result of a result as one.
trait FlattenNow<T> {
    fn flatten_now(self) -> Result<T, Error>;
}

impl<T> FlattenNow<T> for Result<Result<T, Error>, Error> {
    fn flatten_now(self) -> Result<T, Error> {
        self.and_then(|inner| inner)
    }
}

fn client(target: &str, ca: &str) -> Result<Client, Error> {
    let tls = TlsConfig::builder()
        .without_bundled_roots()
        .add_roots(std::fs::read(ca).map_err(failed)?)
        .build()?;
    let hosts = apns::Environment::Sandbox
        .hosts()
        .with_device(Authority::parse(target)?);
    let mut config = ClientConfig::new();
    config.security = Some(Security::Tls(tls));
    Client::new(apns::Service::new(apns_credentials()?, hosts), config)
}

/// Messages to distinct devices with one body of `body` octets.
fn messages(body: usize, seed: u64) -> Result<impl Iterator<Item = Message>, Error> {
    let text = "x".repeat(body.saturating_sub(r#"{"aps":{"alert":""}}"#.len()));
    let template = Message::builder(PushType::Alert)
        .topic(Topic::parse(TOPIC)?)
        .payload(Payload::raw(
            format!(r#"{{"aps":{{"alert":"{text}"}}}}"#).into_bytes(),
        )?)
        .template()?;
    let mut tokens = Tokens::default();
    for _ in 0..seed {
        tokens.word();
    }
    Ok(std::iter::from_fn(move || {
        tokens.next_token().ok().map(|device| template.to(device))
    }))
}

fn campaign(client: &Client, body: usize, end: Instant) -> Result<usize, Error> {
    let mut accepted = 0;
    let messages = messages(body, 0)?.take_while(|_| Instant::now() < end);
    for (_, result) in client.send_many(messages) {
        accepted += usize::from(matches!(result?, Outcome::Accepted(_)) && Instant::now() < end);
    }
    Ok(accepted)
}

/// One message after the other, each as soon as the one before has its answer.
fn lone(client: &Client, running: &AtomicBool) -> Result<Vec<Duration>, Error> {
    let mut times = Vec::new();
    let mut messages = messages(200, 1)?;
    // The campaign comes first.
    thread::sleep(Duration::from_millis(300));
    while running.load(Ordering::Relaxed) {
        let Some(message) = messages.next() else { break };
        let started = Instant::now();
        client.send(&message)?;
        times.push(started.elapsed());
    }
    Ok(times)
}

/// Counts connections and answers, as long as the campaign runs.
fn look(client: &Client, running: &AtomicBool) -> Vec<Sample> {
    let (started, mut samples) = (Instant::now(), Vec::new());
    while running.load(Ordering::Relaxed) {
        samples.push(Sample {
            at: started.elapsed(),
            connections: client.connections().iter().filter(|one| one.ready).count(),
            accepted: client.stats().accepted,
        });
        thread::sleep(LOOK);
    }
    samples
}
