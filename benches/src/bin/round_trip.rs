//! `round_trip TARGET CA MILLIS COUNT [BODY]` sends COUNT messages with bodies of BODY octets (200 unless given) through a proxy that
//! delays each direction by half of MILLIS, with the defaults of a client, while another thread sends one message after the
//! other; prints messages a second, when how many connections there were, and how long a lone message took.
//!
//! The proxy has no loss, no limit of its own and no slow start: what is measured is what the client makes of a round trip.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, channel};
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
const LOOK: Duration = Duration::from_millis(50);

fn main() -> Result<(), Error> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let word = |at: usize| arguments.get(at).map_or("", String::as_str);
    let number = |at: usize| word(at).parse::<usize>().map_err(|_| failed("not a number"));
    let (target, millis, count) = (word(0).to_owned(), number(2)?, number(3)?);
    let body = number(4).unwrap_or(200);
    let port = start_proxy(target, Duration::from_micros(millis as u64 * 500)).map_err(failed)?;
    let client = client(port, word(1))?;
    let running = AtomicBool::new(true);
    let started = Instant::now();
    let (sent, lone, counts) = thread::scope(|scope| {
        let lone = scope.spawn(|| lone(&client, &running));
        let counts = scope.spawn(|| count_connections(&client, &running));
        let sent = campaign(&client, body, count);
        let took = started.elapsed().as_secs_f64();
        running.store(false, Ordering::Relaxed);
        let other = "a thread panicked";
        let lone = lone.join().map_err(|_| failed(other));
        let counts = counts.join().map_err(|_| failed(other));
        (sent.map(|sent| (sent, took)), lone.flatten_now(), counts)
    });
    let ((sent, took), mut lone, counts) = (sent?, lone?, counts?);
    lone.sort();
    let at = |part: f64| lone.get(((lone.len().max(1) - 1) as f64 * part) as usize);
    let millis = |time: Option<&Duration>| time.map_or(0.0, |time| time.as_secs_f64() * 1e3);
    println!(
        "sent={sent} wall={took:.2} per_second={:.0} connections={} lone={} lone_p50_ms={:.0} lone_max_ms={:.0} peak_kib={}",
        sent as f64 / took,
        counts.last().map_or(0, |(_, count)| *count),
        lone.len(),
        millis(at(0.5)),
        millis(at(1.0)),
        peak_resident_kib().map_err(failed)?,
    );
    let grown = counts
        .iter()
        .map(|(at, count)| format!("{count} at {:.2} s", at.as_secs_f64()));
    println!("connections: {}", grown.collect::<Vec<_>>().join(", "));
    Ok(())
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

fn client(port: u16, ca: &str) -> Result<Client, Error> {
    let tls = TlsConfig::builder()
        .without_bundled_roots()
        .add_roots(std::fs::read(ca).map_err(failed)?)
        .build()?;
    let hosts = apns::Environment::Sandbox
        .hosts()
        .with_device(Authority::new("localhost", port)?);
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

fn campaign(client: &Client, body: usize, count: usize) -> Result<usize, Error> {
    let mut accepted = 0;
    for (_, result) in client.send_many(messages(body, 0)?.take(count)) {
        accepted += usize::from(matches!(result?, Outcome::Accepted(_)));
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

/// When how many connections were ready, each time that there were more than before.
fn count_connections(client: &Client, running: &AtomicBool) -> Vec<(Duration, usize)> {
    let (started, mut counts) = (Instant::now(), Vec::new());
    let mut most = 0;
    while running.load(Ordering::Relaxed) {
        let ready = client.connections().iter().filter(|one| one.ready).count();
        if ready > most {
            most = ready;
            counts.push((started.elapsed(), ready));
        }
        thread::sleep(LOOK);
    }
    counts
}

/// Listens on a port of its own and hands everything on after `delay`, in both directions; returns the port.
fn start_proxy(target: String, delay: Duration) -> std::io::Result<u16> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let port = listener.local_addr()?.port();
    thread::spawn(move || {
        for near in listener.incoming().flatten() {
            let target = target.clone();
            thread::spawn(move || {
                // A connection takes a round trip to be made, too: half of it has passed when the server is reached.
                thread::sleep(delay * 2);
                let Ok(far) = TcpStream::connect(&target) else {
                    return;
                };
                for (from, to) in [(&near, &far), (&far, &near)] {
                    let _ = from.set_nodelay(true);
                    if let (Ok(from), Ok(to)) = (from.try_clone(), to.try_clone()) {
                        hand_on(from, to, delay);
                    }
                }
            });
        }
    });
    Ok(port)
}

fn hand_on(mut from: TcpStream, to: TcpStream, delay: Duration) {
    let (sender, receiver) = channel();
    thread::spawn(move || write_later(to, &receiver));
    thread::spawn(move || {
        let mut buffer = vec![0; 256 * 1024];
        while let Ok(count @ 1..) = from.read(&mut buffer) {
            let piece = buffer[..count].to_vec();
            if sender.send((Instant::now() + delay, piece)).is_err() {
                break;
            }
        }
    });
}

fn write_later(mut to: TcpStream, pieces: &Receiver<(Instant, Vec<u8>)>) {
    while let Ok((due, piece)) = pieces.recv() {
        thread::sleep(due.saturating_duration_since(Instant::now()));
        if to.write_all(&piece).is_err() {
            return;
        }
    }
    let _ = to.shutdown(std::net::Shutdown::Write);
}
