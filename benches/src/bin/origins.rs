//! `origins blocking|tokio PORT CA HOSTS COUNT [MAX_HOSTS]` sends COUNT Web Push messages of 200 octets to HOSTS push services in turn, over
//! sockets, and prints processor time and connections for a message. Every name leads to PORT of this machine (`responder http2 PORT
//! FOLDER 100 created many`); MAX_HOSTS is that of the session, HOSTS unless given.

use std::fs;
use std::future::poll_fn;
use std::net::{Ipv4Addr, SocketAddr};
use std::pin::Pin;
use std::time::Instant;

use futures_core::Stream;
use pushcore::Error;
use pushcore::http::Authority;
use pushcore::net::Security;
use pushcore::net::tls::TlsConfig;
use pushcore::session::SessionEvent;
use pushcore::webpush::{self, EndpointPolicy, ReceiverKeys, Subscription};
use pushcore_benches::{failed, peak_resident_kib};
use pushcore_client::{Client, ClientConfig, Resolver};

/// What was sent, and how.
#[derive(Default)]
struct Sent {
    accepted: usize,
    dialled: usize,
}

impl Sent {
    fn count(&mut self, event: &SessionEvent) {
        self.dialled += usize::from(matches!(event, SessionEvent::Dialling { .. }));
    }
}

fn main() -> Result<(), Error> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let word = |at: usize| arguments.get(at).map_or("", String::as_str);
    let number = |at: usize| word(at).parse::<usize>().map_err(|_| failed("not a number"));
    let (port, hosts, count) = (number(1)? as u16, number(3)?, number(4)?);
    let key = pushcore::crypto::Es256Key::generate()?;
    let credentials = webpush::Credentials::new(key, "mailto:ops@example.org")?;
    // The names lead into this machine, which only trusted hosts may.
    let mut policy = EndpointPolicy::default();
    for host in 0..hosts {
        policy = policy.trust(Authority::new(&name(host), 443)?);
    }
    let service = webpush::Service::new(credentials, policy.clone());
    let keys = ReceiverKeys::generate()?;
    let (key, secret) = (keys.p256dh(), keys.auth());
    let message = move |number: usize| {
        let endpoint = format!("https://{}/p/{number:032x}", name(number % hosts));
        let subscription = Subscription::new(&endpoint, &key, &secret, &policy).ok()?;
        let builder = webpush::Message::builder(subscription);
        builder.payload(vec![b'x'; 200]).build().ok()
    };
    let messages = (0..count).map_while(message);
    let tls = TlsConfig::builder()
        .without_bundled_roots()
        .add_roots(fs::read(word(2)).map_err(failed)?)
        .build()?;
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    let most = number(5).unwrap_or(hosts).max(2);
    let (started, used) = (Instant::now(), processor_seconds()?);
    let sent = match word(0) {
        "blocking" => {
            let mut config = ClientConfig::new();
            config.security = Some(Security::Tls(tls));
            config.session.max_hosts = most;
            config.resolver = Resolver::new(move |_, _| Ok(vec![address])).blocking();
            blocking(&Client::new(service, config)?, messages)?
        }
        "tokio" => {
            let mut config = pushcore_tokio::ClientConfig::new();
            config.security = Some(Security::Tls(tls));
            config.session.max_hosts = most;
            config.resolver =
                pushcore_tokio::Resolver::new(move |_, _| std::future::ready(Ok(vec![address])));
            let runtime = tokio::runtime::Builder::new_current_thread();
            let runtime = { runtime }.enable_all().build().map_err(failed)?;
            runtime.block_on(async {
                on_tokio(&pushcore_tokio::Client::new(service, config)?, messages).await
            })?
        }
        _ => return Err(failed("blocking or tokio?")),
    };
    let (wall, used) = (started.elapsed().as_secs_f64(), processor_seconds()? - used);
    println!(
        "hosts={hosts} messages={count} accepted={} us_a_message={:.0} connections={} wall={wall:.1} peak_kib={}",
        sent.accepted,
        used * 1e6 / count as f64,
        sent.dialled,
        peak_resident_kib().map_err(failed)?,
    );
    Ok(())
}

fn name(host: usize) -> String {
    format!("h{host}.push.test")
}

fn blocking(client: &Client, messages: impl Iterator<Item = webpush::Message>) -> Result<Sent, Error> {
    let mut sent = Sent::default();
    for (_, result) in client.send_many(messages) {
        sent.accepted += usize::from(result.is_ok_and(|outcome| outcome.is_accepted()));
        while let Some(event) = client.poll_event() {
            sent.count(&event);
        }
    }
    Ok(sent)
}

async fn on_tokio(
    client: &pushcore_tokio::Client,
    messages: impl Iterator<Item = webpush::Message> + Unpin,
) -> Result<Sent, Error> {
    let mut sent = Sent::default();
    let mut results = client.send_many(messages);
    while let Some((_, result)) = poll_fn(|context| Pin::new(&mut results).poll_next(context)).await {
        sent.accepted += usize::from(result.is_ok_and(|outcome| outcome.is_accepted()));
        while let Some(event) = client.poll_event() {
            sent.count(&event);
        }
    }
    Ok(sent)
}

/// The seconds of processor that all threads of this process have used (Linux, whose clock ticks a hundred times a second).
fn processor_seconds() -> Result<f64, Error> {
    let text = fs::read_to_string("/proc/self/stat").map_err(failed)?;
    let fields = text.rsplit(')').next().unwrap_or_default().split_whitespace();
    let ticks = fields
        .skip(11)
        .take(2)
        .filter_map(|field| field.parse::<f64>().ok());
    Ok(ticks.sum::<f64>() / 100.0)
}
