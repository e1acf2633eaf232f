//! The same push to every token of a file, with progress, and a line for each token that says what
//! to do with it.
//!
//! Tokens are read as there is room for them: a file of any size costs no memory.

mod common;

use std::fs::File;
use std::io::{BufRead, BufReader, BufWriter, Write};
use std::process::ExitCode;
use std::time::Duration;

use common::{Arguments, Result, alert};
use pushcore::apns::DeviceToken;
use pushcore_client::{Client, ClientConfig, Progress};

const USAGE: &str = "\
usage: send_many KEY.p8 KEY_ID TEAM_ID TOPIC TOKENS.txt [TEXT] [options] > RESULTS.tsv

Writes a line for each token: token, result, reason, what to do.

  --rate N                           messages a second at most
  --environment production|sandbox   the one that the tokens belong to
  --host NAME:PORT                   instead of Apple's
  --ca FILE                          trust this certificate only";

fn main() -> Result<ExitCode> {
    let Some(arguments) = Arguments::read(USAGE, 5) else {
        return Ok(ExitCode::FAILURE);
    };
    let mut config = ClientConfig::new();
    config.security = Some(arguments.security()?);
    config.session.rate = arguments.option("rate").map(str::parse).transpose()?;
    let client = Client::new(
        pushcore::apns::Service::new(arguments.apns_credentials()?, arguments.apns_hosts()?),
        config,
    )?;

    // Encoded once; `to` only changes the target.
    let template = alert(arguments.word(3), "00", arguments.word_or(5, "Hello"))?;
    let lines = BufReader::new(File::open(arguments.word(4))?).lines();
    let messages = lines.map_while(|line| line.ok()).filter_map(|line| {
        let token = line.trim();
        match DeviceToken::parse(token) {
            Ok(device) => Some((token.to_owned(), template.to(device))),
            Err(_) if token.is_empty() => None,
            Err(error) => {
                eprintln!("\rskipped a line: {error}");
                None
            }
        }
    });

    let mut results = BufWriter::new(std::io::stdout().lock());
    let mut complete = true;
    let sending = client
        .send_many(messages)
        .on_progress(Duration::from_millis(250), draw);
    for ((token, _), result) in sending {
        let (name, reason, advice) = match &result {
            Ok(outcome) => {
                let reason = outcome.reason().map_or("", |reason| reason.as_str());
                (outcome.name().to_owned(), reason.to_owned(), outcome.advice())
            }
            // `NotSent` and `Expired` certainly not; `Unknown` may have been shown.
            Err(error) => (format!("{:?}", error.kind()), error.to_string(), "send it again"),
        };
        complete &= result.is_ok();
        writeln!(results, "{token}\t{name}\t{reason}\t{advice}")?;
    }
    results.flush()?;
    eprintln!();
    client.close()?;
    Ok(if complete {
        ExitCode::SUCCESS
    } else {
        ExitCode::from(2)
    })
}

fn draw(progress: &Progress) {
    eprint!(
        "\r{} ended ({} accepted, {} gone, {} later), {} in flight, {:.0}/s ",
        progress.ended(),
        progress.accepted,
        progress.token_gone,
        progress.retry_later,
        progress.in_flight,
        progress.rate(),
    );
}
