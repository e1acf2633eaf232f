//! What a push costs through a hub, beside the same push through the plain client: `hub plain AUTHORITY CA COUNT` and
//! `hub hub AUTHORITY CA COUNT` send one notification to COUNT devices over one connection; `tokio-plain` and `tokio` do the same on tokio.
//! `hub make COUNT` only makes the devices, `hub seen COUNT` also remembers them.
//!
//! `benches/hub.sh` counts the instructions of each.

use std::future::poll_fn;
use std::pin::Pin;

use pushcore::apns;
use pushcore::http::Authority;
use pushcore::net::Security;
use pushcore::net::tls::TlsConfig;
use pushcore::notification::{App, Campaign, Device, Environment, Notification, Seen};
use pushcore::service::{Kind, Message, Service};
use pushcore::{Error, Outcome};
use pushcore_benches::{TOPIC, Tokens, apns_credentials, failed};
use pushcore_client::{Client, ClientConfig, hub, now};
use pushcore_tokio::hub as tokio_hub;

fn main() -> Result<(), Error> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let word = |at: usize| arguments.get(at).map_or("", String::as_str);
    let count = |at: usize| word(at).parse().map_err(|_| failed("not a number"));
    let accepted = match word(0) {
        "make" => {
            for device in devices(count(1)?) {
                std::hint::black_box(&device);
            }
            return Ok(());
        }
        "seen" => {
            let mut seen = Seen::new(1 << 20);
            let new = devices(count(1)?).filter(|(_, device)| seen.is_new(device));
            println!("new={}", new.count());
            return Ok(());
        }
        "plain" => plain(word(1), word(2), count(3)?)?,
        "hub" => through_hub(word(1), word(2), count(3)?)?,
        "tokio-plain" => plain_on_tokio(word(1), word(2), count(3)?)?,
        "tokio" => on_tokio(word(1), word(2), count(3)?)?,
        _ => return Err(failed("make, seen, plain, hub, tokio-plain or tokio?")),
    };
    println!("accepted={accepted}");
    match accepted == count(3)? {
        true => Ok(()),
        false => Err(failed("not all were accepted")),
    }
}

fn app() -> Result<App, Error> {
    App::new(Kind::Apns)
        .named(TOPIC)?
        .in_environment(Environment::Sandbox)
}

fn devices(count: usize) -> impl Iterator<Item = (usize, Device)> {
    let mut tokens = Tokens::default();
    (0..count).filter_map(move |number| {
        let builder = Device::builder(Kind::Apns)
            .app(TOPIC)
            .environment(Environment::Sandbox);
        Some((number, builder.token(tokens.next_text()).build().ok()?))
    })
}

fn notification() -> Result<Notification, Error> {
    let notification = Notification::builder()
        .title("Your order is on its way")
        .body("It left the warehouse this morning and should arrive tomorrow before noon.");
    notification.build()
}

fn service(authority: &str) -> Result<Service, Error> {
    let hosts = apns::Environment::Sandbox
        .hosts()
        .with_device(Authority::parse(authority)?);
    Ok(apns::Service::new(apns_credentials()?, hosts).into())
}

fn security(ca: &str) -> Result<Security, Error> {
    let tls = TlsConfig::builder()
        .without_bundled_roots()
        .add_roots(std::fs::read(ca).map_err(failed)?);
    Ok(Security::Tls(tls.build()?))
}

fn config(ca: &str) -> Result<ClientConfig, Error> {
    let mut config = ClientConfig::new();
    config.security = Some(security(ca)?);
    config.session.max_connections = 1;
    Ok(config)
}

/// Each device with its message.
fn messages(count: usize) -> Result<impl Iterator<Item = ((usize, Device), Message)>, Error> {
    let mut campaign = Campaign::new(notification()?);
    Ok(devices(count).filter_map(move |(number, device)| {
        let message = campaign.message(&device, now()).ok()?;
        Some(((number, device), message))
    }))
}

fn plain(authority: &str, ca: &str, count: usize) -> Result<usize, Error> {
    let client = Client::new(service(authority)?, config(ca)?)?;
    let messages = messages(count)?;
    let mut accepted = 0;
    for (row, result) in client.send_many(messages) {
        accepted += usize::from(matches!(result?, Outcome::Accepted(_)));
        std::hint::black_box(&row);
    }
    Ok(accepted)
}

fn through_hub(authority: &str, ca: &str, count: usize) -> Result<usize, Error> {
    let hub = hub::Hub::builder()
        .client(app()?, service(authority)?, config(ca)?)
        .build()?;
    let mut accepted = 0;
    for delivery in hub.notify(notification()?, devices(count)) {
        accepted += usize::from(matches!(delivery.result, Ok(Outcome::Accepted(_))));
        std::hint::black_box(&delivery);
    }
    Ok(accepted)
}

/// A runtime in this thread.
fn runtime() -> Result<tokio::runtime::Runtime, Error> {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(failed)
}

/// The configuration of a client on tokio.
fn tokio_config(ca: &str) -> Result<pushcore_tokio::ClientConfig, Error> {
    let mut config = pushcore_tokio::ClientConfig::new();
    config.security = Some(security(ca)?);
    config.session.max_connections = 1;
    Ok(config)
}

fn plain_on_tokio(authority: &str, ca: &str, count: usize) -> Result<usize, Error> {
    let messages = messages(count)?;
    runtime()?.block_on(async {
        let client = pushcore_tokio::Client::new(service(authority)?, tokio_config(ca)?)?;
        let mut results = client.send_many(messages);
        let mut accepted = 0;
        while let Some((row, result)) =
            poll_fn(|context| futures_core::Stream::poll_next(Pin::new(&mut results), context)).await
        {
            accepted += usize::from(matches!(result?, Outcome::Accepted(_)));
            std::hint::black_box(&row);
        }
        Ok(accepted)
    })
}

fn on_tokio(authority: &str, ca: &str, count: usize) -> Result<usize, Error> {
    let hub = tokio_hub::Hub::builder()
        .client(app()?, service(authority)?, tokio_config(ca)?)
        .build()?;
    runtime()?.block_on(async {
        let mut deliveries = hub.notify(notification()?, devices(count));
        let mut accepted = 0;
        while let Some(delivery) =
            poll_fn(|context| futures_core::Stream::poll_next(Pin::new(&mut deliveries), context)).await
        {
            accepted += usize::from(matches!(delivery.result, Ok(Outcome::Accepted(_))));
            std::hint::black_box(&delivery);
        }
        Ok(accepted)
    })
}
