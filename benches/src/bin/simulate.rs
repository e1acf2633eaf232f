//! `simulate COUNT` sends COUNT messages through a session whose server is a loop in this program, and
//! prints resident memory on the way: it must not grow with the number of sends.

use std::time::Duration;

use pushcore::apns;
use pushcore::net::Security;
use pushcore::session::{Action, SendOptions, Session, SessionConfig};
use pushcore::{Error, Now, Outcome, UnixTime};
use pushcore_benches::{Campaign, Kind, apns_credentials, failed, peak_resident_kib, resident_kib};

const HEAD: usize = 9;

fn main() -> Result<(), Error> {
    let count: u64 = std::env::args()
        .nth(1)
        .and_then(|text| text.parse().ok())
        .unwrap_or(1_000_000);
    let mut micros = 0u64;
    let mut tick = || {
        micros += 10;
        let clock = Duration::from_micros(micros);
        Now::new(clock, UnixTime::from_secs(1_795_000_000 + clock.as_secs()))
    };
    let hosts = apns::Environment::Sandbox.hosts();
    let mut session = Session::new(
        apns::Service::new(apns_credentials()?, hosts),
        Security::Cleartext,
        SessionConfig::default(),
        tick(),
    )?;
    let mut messages = Campaign::new(Kind::Shared)?;
    let (mut submitted, mut ended) = (0u64, 0u64);
    let mut links = Vec::new();
    let mut early = 0;
    let (mut input, mut output) = (Vec::new(), Vec::new());
    while ended < count {
        while submitted < count && session.capacity() > 0 {
            session.submit(&messages.next_message()?, SendOptions::default(), tick())?;
            submitted += 1;
        }
        while let Some(action) = session.poll_action() {
            match action {
                Action::Connect { link, .. } => {
                    session.connected(link, tick());
                    // SETTINGS of 1000 streams; all the window there is.
                    let hello = b"\0\0\x06\x04\0\0\0\0\0\0\x03\0\0\x03\xe8\0\0\x04\x08\0\0\0\0\0\x70\0\0\0";
                    session.receive(link, hello, tick());
                    links.push((link, 24usize, 0u32));
                }
                Action::Close { link, .. } => links.retain(|(other, ..)| *other != link),
                _ => {}
            }
        }
        for (link, preface, consumed) in &mut links {
            input.clear();
            loop {
                let bytes = session.transmit(*link);
                if bytes.is_empty() {
                    break;
                }
                input.extend_from_slice(bytes);
                let taken = bytes.len();
                session.transmitted(*link, taken);
            }
            let mut at = std::mem::take(preface);
            output.clear();
            while let Some([a, b, c, kind, flags, s0, s1, s2, s3]) = input.get(at..at + HEAD) {
                at += HEAD + u32::from_be_bytes([0, *a, *b, *c]) as usize;
                match (*kind, flags & 1) {
                    (0 | 1, 1) => output.extend_from_slice(&[0, 0, 1, 1, 5, *s0, *s1, *s2, *s3, 0x88]),
                    (4, 0) => output.extend_from_slice(b"\0\0\0\x04\x01\0\0\0\0"),
                    _ => {}
                }
                if *kind == 0 {
                    *consumed += u32::from_be_bytes([0, *a, *b, *c]);
                }
            }
            if *consumed > 1 << 20 {
                output.extend_from_slice(b"\0\0\x04\x08\0\0\0\0\0");
                output.extend_from_slice(&std::mem::take(consumed).to_be_bytes());
            }
            if !output.is_empty() {
                session.receive(*link, &output, tick());
            }
        }
        session.handle_timeout(tick());
        while let Some((_, result)) = session.poll_outcome() {
            if !matches!(result?, Outcome::Accepted(_)) {
                return Err(failed("not accepted"));
            }
            ended += 1;
            if ended % (count / 10).max(1) == 0 {
                let now = resident_kib().map_err(failed)?;
                if early == 0 {
                    early = now;
                }
                println!("sent={ended} rss_kib={now}");
            }
        }
        while session.poll_event().is_some() {}
    }
    let stats = session.stats();
    if !stats.is_balanced() || stats.accepted != count {
        return Err(failed(format!("{stats:?}")));
    }
    let grown = resident_kib().map_err(failed)?.saturating_sub(early) * 1024;
    println!(
        "peak_kib={} bytes_per_send={:.4}",
        peak_resident_kib().map_err(failed)?,
        grown as f64 / (count as f64 * 0.9)
    );
    Ok(())
}
