//! `send many AUTHORITY CA COUNT shared|own` sends COUNT messages over one connection and says what that took;
//! `send make COUNT shared|own` only makes them. `send one AUTHORITY CA COUNT` sends one at a time.

use std::time::Instant;

use pushcore::apns;
use pushcore::http::Authority;
use pushcore::net::Security;
use pushcore::net::tls::TlsConfig;
use pushcore::{Error, Outcome};
use pushcore_benches::{
    Campaign, Kind, apns_credentials, cpu_seconds, failed, peak_resident_kib, resident_kib,
};
use pushcore_client::{Client, ClientConfig};

fn main() -> Result<(), Error> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let word = |at: usize| arguments.get(at).map_or("", String::as_str);
    match word(0) {
        "make" => make(number(word(1))?, kind(word(2))?),
        "many" => many(&client(word(1), word(2))?, number(word(3))?, kind(word(4))?),
        "one" => one(&client(word(1), word(2))?, number(word(3))?),
        _ => Err(failed("make, many or one?")),
    }
}

fn number(word: &str) -> Result<usize, Error> {
    word.parse().map_err(|_| failed("not a number"))
}

fn kind(word: &str) -> Result<Kind, Error> {
    match word {
        "shared" => Ok(Kind::Shared),
        "own" => Ok(Kind::Own),
        _ => Err(failed("shared or own?")),
    }
}

fn client(authority: &str, ca: &str) -> Result<Client, Error> {
    let tls = TlsConfig::builder()
        .without_bundled_roots()
        .add_roots(std::fs::read(ca).map_err(failed)?)
        .build()?;
    let hosts = apns::Environment::Sandbox
        .hosts()
        .with_device(Authority::parse(authority)?);
    let mut config = ClientConfig::new();
    config.security = Some(Security::Tls(tls));
    // One connection, as the peers have.
    config.session.max_connections = 1;
    Client::apns(apns_credentials()?, hosts, config)
}

fn make(count: usize, kind: Kind) -> Result<(), Error> {
    for message in Campaign::new(kind)?.take(count) {
        std::hint::black_box(&message);
    }
    Ok(())
}

fn many(client: &Client, count: usize, kind: Kind) -> Result<(), Error> {
    let (started, used) = (Instant::now(), cpu_seconds().map_err(failed)?);
    let mut accepted = 0usize;
    for (message, result) in client.send_many(Campaign::new(kind)?.take(count)) {
        accepted += usize::from(matches!(result?, Outcome::Accepted(_)));
        std::hint::black_box(&message);
    }
    let wall = started.elapsed().as_secs_f64();
    let cpu = cpu_seconds().map_err(failed)? - used;
    let stats = client.stats();
    if accepted != count || stats.accepted != count as u64 || !stats.is_balanced() {
        return Err(failed(format!("{accepted} of {count} accepted: {stats:?}")));
    }
    println!(
        "sent={count} wall={wall:.3} cpu={cpu:.3} per_second={:.0} per_cpu_second={:.0} rss_kib={} peak_kib={}",
        count as f64 / wall,
        count as f64 / cpu,
        resident_kib().map_err(failed)?,
        peak_resident_kib().map_err(failed)?,
    );
    Ok(())
}

fn one(client: &Client, count: usize) -> Result<(), Error> {
    let mut campaign = Campaign::new(Kind::Shared)?;
    let mut times = Vec::with_capacity(count);
    client.send(&campaign.next_message()?)?;
    for _ in 0..count {
        let message = campaign.next_message()?;
        let started = Instant::now();
        let outcome = client.send(&message)?;
        times.push(started.elapsed());
        if !matches!(outcome, Outcome::Accepted(_)) {
            return Err(failed("not accepted"));
        }
    }
    times.sort();
    let micros = |part: f64| times[((times.len() - 1) as f64 * part) as usize].as_secs_f64() * 1e6;
    println!(
        "sent={count} median_us={:.1} p10_us={:.1} p90_us={:.1}",
        micros(0.5),
        micros(0.1),
        micros(0.9)
    );
    Ok(())
}
