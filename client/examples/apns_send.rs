//! One push through APNs.

mod common;

use std::process::ExitCode;

use common::{Arguments, Result, alert, exit, show};
use pushcore_client::{Client, ClientConfig};

const USAGE: &str = "\
usage: apns_send KEY.p8 KEY_ID TEAM_ID TOPIC TOKEN [TEXT] [options]

  --environment production|sandbox   the one that the token belongs to
  --host NAME:PORT                   instead of Apple's
  --ca FILE                          trust this certificate only";

fn main() -> Result<ExitCode> {
    let Some(arguments) = Arguments::read(USAGE, 5) else {
        return Ok(ExitCode::FAILURE);
    };
    let mut config = ClientConfig::new();
    config.security = Some(arguments.security()?);
    let client = Client::new(
        pushcore::apns::Service::new(arguments.apns_credentials()?, arguments.apns_hosts()?),
        config,
    )?;
    let message = alert(
        arguments.word(3),
        arguments.word(4),
        arguments.word_or(5, "Hello"),
    )?;
    // An error is no answer; a service's "no" is an outcome.
    let outcome = client.send(&message)?;
    println!("{}", show(&outcome));
    client.close()?;
    Ok(exit(&outcome))
}
