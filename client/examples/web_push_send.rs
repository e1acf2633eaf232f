//! One encrypted message to a browser, in the declarative form that Safari shows by itself and
//! `examples/webpush/service-worker.js` shows everywhere else.

mod common;

use std::process::ExitCode;
use std::time::Duration;

use common::{Arguments, Result, exit, show};
use pushcore::crypto::Es256Key;
use pushcore::http::Authority;
use pushcore::webpush::{Credentials, Declarative, EndpointPolicy, Message, Subscription};
use pushcore_client::{Client, ClientConfig};

const USAGE: &str = "\
usage: web_push_send VAPID_KEY SUBJECT SUBSCRIPTION.json [TITLE [URL]] [options]

SUBJECT is how the push service reaches you: mailto:you@your.domain or https://your.domain.
SUBSCRIPTION.json is what the browser's PushSubscription gave.

  --trust NAME:PORT   a push service of one's own; others than the public ones are refused
  --ca FILE           trust this certificate only";

fn main() -> Result<ExitCode> {
    let Some(arguments) = Arguments::read(USAGE, 3) else {
        return Ok(ExitCode::FAILURE);
    };
    let key = Es256Key::read(&std::fs::read(arguments.word(0))?)?;
    let (credentials, policy) = match arguments.option("trust") {
        Some(host) => (
            Credentials::with_any_subject(key, arguments.word(1))?,
            EndpointPolicy::default().trust(Authority::parse(host)?),
        ),
        None => (
            Credentials::new(key, arguments.word(1))?,
            EndpointPolicy::default(),
        ),
    };
    // The endpoint is a URL from outside: the policy decides whether this server talks to it.
    let subscription = Subscription::parse(&std::fs::read(arguments.word(2))?, &policy)?;
    let payload = Declarative::new(
        arguments.word_or(3, "Hello"),
        arguments.word_or(4, "https://example.com/"),
    )
    .to_json()?;
    let message = Message::builder(subscription)
        .payload(payload)
        .ttl(Duration::from_secs(86_400))
        .build()?;
    let mut config = ClientConfig::new();
    config.security = Some(arguments.security()?);
    let client = Client::new(pushcore::webpush::Service::new(credentials, policy), config)?;
    let outcome = client.send(&message)?;
    println!("{}", show(&outcome));
    client.close()?;
    Ok(exit(&outcome))
}
