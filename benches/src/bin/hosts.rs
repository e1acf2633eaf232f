//! `hosts HOSTS COUNT` sends COUNT messages to HOSTS push services in turn, through a session whose servers are a loop in this program, and
//! prints processor time and connections for a message: the time must not grow with the number of hosts.
//!
//! The messages have no payload, so that what is measured is the session and not the encryption.

use std::collections::HashMap;
use std::time::Duration;

use pushcore::net::Security;
use pushcore::session::{Action, LinkId, SendOptions, Session, SessionConfig};
use pushcore::webpush::{self, EndpointPolicy};
use pushcore::{Error, Now, UnixTime};
use pushcore_benches::{cpu_seconds, failed, peak_resident_kib};

const HEAD: usize = 9;

fn main() -> Result<(), Error> {
    let argument = |at: usize, usual: usize| {
        let text = std::env::args().nth(at);
        text.and_then(|text| text.parse().ok()).unwrap_or(usual)
    };
    let hosts = argument(1, 1000);
    let count = argument(2, 10 * hosts);
    let mut micros = 0u64;
    let mut tick = || {
        micros += 10;
        let clock = Duration::from_micros(micros);
        Now::new(clock, UnixTime::from_secs(1_795_000_000 + clock.as_secs()))
    };
    let policy = EndpointPolicy::default().allow_any_public_host();
    let key = pushcore::crypto::Es256Key::generate()?;
    let credentials = webpush::Credentials::new(key, "mailto:ops@example.org")?;
    let mut config = SessionConfig::default();
    config.max_hosts = hosts.max(2);
    let service = webpush::Service::new(credentials, policy.clone());
    let mut session = Session::new(service, Security::Cleartext, config, tick())?;
    let message = |number: usize| {
        let endpoint = format!("https://h{}.example.org/p/{number:032x}", number % hosts);
        let subscription = webpush::Subscription::without_keys(&endpoint, &policy)?;
        webpush::Message::builder(subscription).build()
    };
    // One message for each host makes its connection and its VAPID token; the rest is measured.
    let (mut submitted, mut ended, mut connections) = (0, 0, 0);
    let mut links: HashMap<LinkId, usize> = HashMap::new();
    let (mut input, mut output) = (Vec::new(), Vec::new());
    let mut begun = None;
    while ended < count + hosts {
        if submitted == hosts && ended == hosts && begun.is_none() {
            begun = Some(cpu_seconds().map_err(failed)?);
        }
        let target = if begun.is_some() { count + hosts } else { hosts };
        while submitted < target && session.capacity() > 0 {
            session.submit(&message(submitted)?, SendOptions::default(), tick())?;
            submitted += 1;
        }
        session.flush(tick());
        while let Some(action) = session.poll_action() {
            match action {
                Action::Connect { link, .. } => {
                    connections += 1;
                    session.connected(link, tick());
                    let hello = b"\0\0\x06\x04\0\0\0\0\0\0\x03\0\0\0\x64\0\0\x04\x08\0\0\0\0\0\x70\0\0\0";
                    session.receive(link, hello, tick());
                    links.insert(link, 24);
                }
                Action::Close { link, .. } => {
                    links.remove(&link);
                }
                _ => {}
            }
        }
        while let Some(link) = session.poll_writable() {
            let Some(preface) = links.get_mut(&link) else {
                continue;
            };
            input.clear();
            loop {
                let bytes = session.transmit(link);
                if bytes.is_empty() {
                    break;
                }
                input.extend_from_slice(bytes);
                let taken = bytes.len();
                session.transmitted(link, taken);
            }
            let mut at = std::mem::take(preface);
            output.clear();
            while let Some([a, b, c, kind, flags, s0, s1, s2, s3]) = input.get(at..at + HEAD) {
                at += HEAD + u32::from_be_bytes([0, *a, *b, *c]) as usize;
                match (*kind, flags & 1) {
                    // 201, as a literal.
                    (0 | 1, 1) => output
                        .extend_from_slice(&[0, 0, 5, 1, 5, *s0, *s1, *s2, *s3, 0x08, 3, b'2', b'0', b'1']),
                    (4, 0) => output.extend_from_slice(b"\0\0\0\x04\x01\0\0\0\0"),
                    _ => {}
                }
            }
            if !output.is_empty() {
                session.receive(link, &output, tick());
            }
        }
        if session.poll_timeout().is_some_and(|due| due <= tick().monotonic) {
            session.handle_timeout(tick());
        }
        while let Some((_, result)) = session.poll_outcome() {
            if !result?.is_accepted() {
                return Err(failed("not accepted"));
            }
            ended += 1;
        }
        while session.poll_event().is_some() {}
    }
    let took = cpu_seconds().map_err(failed)? - begun.unwrap_or_default();
    println!(
        "hosts={hosts} messages={count} us_a_message={:.2} connections={connections} peak_kib={}",
        took * 1e6 / count as f64,
        peak_resident_kib().map_err(failed)?,
    );
    Ok(())
}
