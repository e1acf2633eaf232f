//! What the examples share: arguments, clocks, and how an outcome is printed.

#![allow(dead_code, reason = "every example uses a part of it")]

use std::collections::HashMap;
use std::error::Error;
use std::process::ExitCode;
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use pushcore::apns::{self, Alert, Aps, DeviceToken, KeyId, Payload, PushType, TeamId, Topic};
use pushcore::crypto::Es256Key;
use pushcore::http::Authority;
use pushcore::net::Security;
use pushcore::net::tls::TlsConfig;
use pushcore::{Now, Outcome, UnixTime};

/// Any error will do for an example.
pub(crate) type Result<T> = std::result::Result<T, Box<dyn Error>>;

/// The command line: words, and `--name value`.
pub(crate) struct Arguments {
    words: Vec<String>,
    options: HashMap<String, String>,
}

impl Arguments {
    /// Reads them; `None` when the usage has been printed instead.
    pub(crate) fn read(usage: &str, at_least: usize) -> Option<Self> {
        let mut read = Self {
            words: Vec::new(),
            options: HashMap::new(),
        };
        let mut arguments = std::env::args().skip(1);
        let mut complete = true;
        while let Some(argument) = arguments.next() {
            match argument.strip_prefix("--") {
                Some(name) => match arguments.next() {
                    Some(value) => {
                        read.options.insert(name.to_owned(), value);
                    }
                    None => complete = false,
                },
                None => read.words.push(argument),
            }
        }
        if complete && read.words.len() >= at_least {
            return Some(read);
        }
        eprintln!("{usage}");
        None
    }

    /// The word at that place.
    pub(crate) fn word(&self, index: usize) -> &str {
        self.words.get(index).map_or("", String::as_str)
    }

    /// The word at that place, if it was given.
    pub(crate) fn word_or<'a>(&'a self, index: usize, otherwise: &'a str) -> &'a str {
        self.words.get(index).map_or(otherwise, String::as_str)
    }

    /// An option.
    pub(crate) fn option(&self, name: &str) -> Option<&str> {
        self.options.get(name).map(String::as_str)
    }

    /// `--host name:port`: another host than the service's own.
    pub(crate) fn host(&self) -> Result<Option<Authority>> {
        Ok(self.option("host").map(Authority::parse).transpose()?)
    }

    /// TLS with the bundled roots, or with the certificates of `--ca file` alone.
    pub(crate) fn security(&self) -> Result<Security> {
        let tls = match self.option("ca") {
            Some(file) => TlsConfig::builder()
                .without_bundled_roots()
                .add_roots(std::fs::read(file)?)
                .build()?,
            None => TlsConfig::new()?,
        };
        Ok(Security::Tls(tls))
    }

    /// APNs credentials from three words: the `.p8` file, the key id, the team id.
    pub(crate) fn apns_credentials(&self) -> Result<apns::Credentials> {
        let key = Es256Key::read(&std::fs::read(self.word(0))?)?;
        let key_id = KeyId::parse(self.word(1))?;
        let team_id = TeamId::parse(self.word(2))?;
        Ok(apns::Credentials::token(key_id, team_id, key))
    }

    /// Apple's hosts of `--environment production` or `sandbox`, or `--host`.
    pub(crate) fn apns_hosts(&self) -> Result<apns::Hosts> {
        let hosts = match self.option("environment") {
            None | Some("production") => apns::Environment::Production.hosts(),
            Some("sandbox") => apns::Environment::Sandbox.hosts(),
            Some(_) => return Err("--environment is production or sandbox".into()),
        };
        Ok(match self.host()? {
            Some(host) => hosts.with_device(host),
            None => hosts,
        })
    }
}

/// An alert of one line.
pub(crate) fn alert(topic: &str, token: &str, text: &str) -> Result<apns::Message> {
    Ok(apns::Message::builder(PushType::Alert)
        .topic(Topic::parse(topic)?)
        .device(DeviceToken::parse(token)?)
        .payload(Payload::new(Aps::new().alert(Alert::line(text))))
        .build()?)
}

/// Both clocks; the monotonic one counts from `epoch`.
pub(crate) fn now(epoch: Instant) -> Now {
    let unix = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let millis = u64::try_from(unix.as_millis()).unwrap_or(u64::MAX);
    Now::new(epoch.elapsed(), UnixTime::from_millis(millis))
}

/// One line: what the service said, and what to do.
pub(crate) fn show(outcome: &Outcome) -> String {
    let reason = outcome.reason().map_or("", |reason| reason.as_str());
    let id = match outcome {
        Outcome::Accepted(accepted) => accepted.id.as_ref().map_or("", |id| id.as_str()),
        _ => "",
    };
    let words = [outcome.name(), reason, id];
    let said: Vec<&str> = words.into_iter().filter(|word| !word.is_empty()).collect();
    format!("{} {}: {}", outcome.status(), said.join(" "), outcome.advice())
}

/// 0 when the service took it, 2 when it did not.
pub(crate) fn exit(outcome: &Outcome) -> ExitCode {
    if outcome.is_accepted() {
        ExitCode::SUCCESS
    } else {
        ExitCode::from(2)
    }
}
