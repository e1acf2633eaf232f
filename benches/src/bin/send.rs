//! `send many AUTHORITY CA COUNT shared|own` sends COUNT messages over one connection and says what that took;
//! `send make COUNT shared|own` only makes them. `send one AUTHORITY CA COUNT` sends one at a time;
//! `send pingpong ADDRESS CA COUNT` moves as many bytes with nothing but rustls and a blocking socket.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::Arc;
use std::time::{Duration, Instant};

use pushcore::apns;
use pushcore::http::Authority;
use pushcore::net::Security;
use pushcore::net::tls::TlsConfig;
use pushcore::{Error, Outcome};
use pushcore_benches::{
    BODY, Campaign, Kind, apns_credentials, cpu_seconds, failed, peak_resident_kib, resident_kib,
};
use pushcore_client::{Client, ClientConfig};
use rustls::{ClientConfig as ClientConfigOfTls, ClientConnection, RootCertStore, StreamOwned};
use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject;

fn main() -> Result<(), Error> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let word = |at: usize| arguments.get(at).map_or("", String::as_str);
    match word(0) {
        "make" => make(number(word(1))?, kind(word(2))?),
        "many" => many(&client(word(1), word(2))?, number(word(3))?, kind(word(4))?, true),
        // A server of files answers 404; that is an outcome too.
        "refused" => many(
            &client(word(1), word(2))?,
            number(word(3))?,
            kind(word(4))?,
            false,
        ),
        "body" => {
            print!("{BODY}");
            Ok(())
        }
        "pingpong" => pingpong(word(1), word(2), number(word(3))?),
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
    Client::new(apns::Service::new(apns_credentials()?, hosts), config)
}

fn make(count: usize, kind: Kind) -> Result<(), Error> {
    for message in Campaign::new(kind)?.take(count) {
        std::hint::black_box(&message);
    }
    Ok(())
}

fn many(client: &Client, count: usize, kind: Kind, accept: bool) -> Result<(), Error> {
    let (started, used) = (Instant::now(), cpu_seconds().map_err(failed)?);
    let mut as_expected = 0usize;
    for (message, result) in client.send_many(Campaign::new(kind)?.take(count)) {
        as_expected += usize::from(matches!(result?, Outcome::Accepted(_)) == accept);
        std::hint::black_box(&message);
    }
    let wall = started.elapsed().as_secs_f64();
    let cpu = cpu_seconds().map_err(failed)? - used;
    let stats = client.stats();
    if as_expected != count || stats.ended() != count as u64 || !stats.is_balanced() {
        return Err(failed(format!("{as_expected} of {count} as expected: {stats:?}")));
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
    report(times);
    Ok(())
}

/// A TLS record of the size of a push, and one of the size of an answer.
fn pingpong(address: &str, ca: &str, count: usize) -> Result<(), Error> {
    let mut roots = RootCertStore::empty();
    let certificate = CertificateDer::from_pem_file(ca).map_err(failed)?;
    roots.add(certificate).map_err(failed)?;
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfigOfTls::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(failed)?
        .with_root_certificates(roots)
        .with_no_client_auth();
    let name = "localhost".try_into().map_err(failed)?;
    let tls = ClientConnection::new(Arc::new(config), name).map_err(failed)?;
    let socket = TcpStream::connect(address).map_err(failed)?;
    socket.set_nodelay(true).map_err(failed)?;
    let mut line = StreamOwned::new(tls, socket);
    let mut times = Vec::with_capacity(count);
    let mut answer = [0; 40];
    for number in 0..=count {
        let started = Instant::now();
        line.write_all(&[7; 300]).map_err(failed)?;
        line.read_exact(&mut answer).map_err(failed)?;
        if number > 0 {
            times.push(started.elapsed());
        }
    }
    report(times);
    Ok(())
}

fn report(mut times: Vec<Duration>) {
    times.sort();
    let micros = |part: f64| times[((times.len() - 1) as f64 * part) as usize].as_secs_f64() * 1e6;
    println!(
        "sent={} median_us={:.1} p10_us={:.1} p90_us={:.1}",
        times.len(),
        micros(0.5),
        micros(0.1),
        micros(0.9)
    );
}
