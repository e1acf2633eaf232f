//! Notifies every device of every user, deletes the dead, and keeps for later what could not be sent.
//!
//! The table of devices is a file of JSON lines, one device a line, in the form of `docs/notification.md`.

mod common;

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{BufRead, BufReader, BufWriter, Write};
use std::path::Path;

use common::{Arguments, Result};
use pushcore::fcm;
use pushcore::http::Authority;
use pushcore::notification::{App, Device, Environment, Feedback, Notification};
use pushcore::service::Kind;
use pushcore::{UnixTime, apns};
use pushcore_client::ClientConfig;
use pushcore_client::hub::Hub;

const USAGE: &str = "\
usage: notify_everyone AuthKey.p8 KEY_ID TEAM_ID BUNDLE_ID SERVICE_ACCOUNT.json DEVICES.jsonl TITLE [BODY] [options]

  --environment production|sandbox
  --host NAME:PORT       instead of Apple's
  --fcm-host NAME:PORT   instead of Google's; access tokens are fetched there as well
  --ca FILE              trust this certificate only

DEVICES.jsonl is written anew without the dead, and DEVICES.jsonl.later has what is to be sent again.";

fn main() -> Result<()> {
    let Some(arguments) = Arguments::read(USAGE, 7) else {
        return Err("see the usage".into());
    };
    let hub = hub(&arguments)?;
    let notification = Notification::builder()
        .title(arguments.word(6))
        .body(arguments.word_or(7, ""))
        .shorten()
        .build()?;
    let counts = notify_everyone(&hub, notification, Path::new(arguments.word(5)))?;
    hub.close()?;
    println!("{counts:?}");
    Ok(())
}

/// The part that a program of one's own has: the table, the notification, and what becomes of each device.
pub(crate) fn notify_everyone(
    hub: &Hub,
    notification: Notification,
    table: &Path,
) -> Result<BTreeMap<&'static str, usize>> {
    let mut counts = BTreeMap::new();
    let mut kept = BufWriter::new(File::create(table.with_extension("new"))?);
    let mut later = BufWriter::new(File::create(table.with_extension("jsonl.later"))?);
    let lines = BufReader::new(File::open(table)?)
        .lines()
        .map_while(|line| line.ok());
    let devices = lines.filter_map(|line| Device::from_json(line.as_bytes()).ok());
    for delivery in hub.notify(notification, devices) {
        let device = &delivery.item;
        *counts.entry(delivery.feedback.name()).or_default() += 1;
        match &delivery.feedback {
            Feedback::Delete => continue,
            Feedback::Replace(token) => {
                let device = device.with_token(token, UnixTime::from_secs(now()))?;
                writeln!(kept, "{}", device.to_json())?;
                continue;
            }
            // The hub has tried as often as its policy says, or has handed the device back.
            Feedback::Wait { .. } => writeln!(later, "{}", device.to_json())?,
            _ => {}
        }
        writeln!(kept, "{}", device.to_json())?;
    }
    kept.flush()?;
    later.flush()?;
    fs::rename(table.with_extension("new"), table)?;
    Ok(counts)
}

fn now() -> u64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    since.unwrap_or_default().as_secs()
}

fn hub(arguments: &Arguments) -> Result<Hub> {
    let config = || -> Result<ClientConfig> {
        let mut config = ClientConfig::new();
        config.security = Some(arguments.security()?);
        Ok(config)
    };
    let apns_app = App::new(Kind::Apns).named(arguments.word(3))?;
    let apns_app = match arguments.option("environment") {
        Some("sandbox") => apns_app.in_environment(Environment::Sandbox)?,
        _ => apns_app,
    };
    let apns = apns::Service::new(arguments.apns_credentials()?, arguments.apns_hosts()?);
    let file = fs::read(arguments.word(4))?;
    let fcm = match arguments.option("fcm-host").map(Authority::parse).transpose()? {
        // A file that sends the key's signature anywhere but to Google is refused unless trusted by name.
        Some(host) => fcm::Service::new(
            fcm::Credentials::from_file_trusting(&file, None, &host)?,
            fcm::Hosts::all(&host),
        ),
        None => fcm::Service::new(fcm::Credentials::service_account(&file)?, fcm::Hosts::default()),
    };
    let hub = Hub::builder()
        .client(apns_app, apns, config()?)
        .client(App::new(Kind::Fcm), fcm, config()?);
    Ok(hub.build()?)
}
