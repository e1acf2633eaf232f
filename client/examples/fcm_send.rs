//! One push through FCM. The access token is fetched by the client.

mod common;

use std::process::ExitCode;

use common::{Arguments, Result, exit, show};
use pushcore::fcm::{Credentials, Hosts, Message, Notification, Target};
use pushcore_client::{Client, ClientConfig};

const USAGE: &str = "\
usage: fcm_send SERVICE_ACCOUNT.json TOKEN [TITLE [BODY]] [options]

  --host NAME:PORT   instead of Google's; access tokens are fetched there as well
  --ca FILE          trust this certificate only";

fn main() -> Result<ExitCode> {
    let Some(arguments) = Arguments::read(USAGE, 2) else {
        return Ok(ExitCode::FAILURE);
    };
    let file = std::fs::read(arguments.word(0))?;
    let (credentials, hosts) = match arguments.host()? {
        // A file that sends the key's signature anywhere but to Google is refused unless trusted by name.
        Some(host) => (
            Credentials::from_file_trusting(&file, None, &host)?,
            Hosts::all(&host),
        ),
        None => (Credentials::service_account(&file)?, Hosts::default()),
    };
    let mut config = ClientConfig::new();
    config.security = Some(arguments.security()?);
    let client = Client::new(pushcore::fcm::Service::new(credentials, hosts), config)?;
    let notification = Notification::new()
        .title(arguments.word_or(2, "Hello"))
        .body(arguments.word_or(3, "world"));
    let message = Message::builder()
        .notification(notification)
        .build(Target::token(arguments.word(1))?)?;
    let outcome = client.send(&message)?;
    println!("{}", show(&outcome));
    client.close()?;
    Ok(exit(&outcome))
}
