//! One payload to every subscription of a file, sealed and sent on several threads.
//!
//! Encryption is what a Web Push campaign costs, about 80 µs a message and core. A client works on
//! the threads that call it and has none of its own, so each thread here has a client; they share the credentials,
//! and so the VAPID tokens, and the template, which holds the payload and the headers, prepared once.

mod common;

use std::fs::File;
use std::io::{BufRead, BufReader, BufWriter, Write};
use std::process::ExitCode;
use std::sync::{Arc, Mutex, PoisonError, mpsc};

use common::{Arguments, Result};
use pushcore::Outcome;
use pushcore::crypto::Es256Key;
use pushcore::http::Authority;
use pushcore::webpush::{Credentials, EndpointPolicy, Subscription, Template};
use pushcore_client::{Client, ClientConfig};

const USAGE: &str = "\
usage: web_push_many VAPID_KEY SUBJECT SUBSCRIPTIONS.jsonl [TEXT] [options] > RESULTS.tsv

A subscription a line, as the browser's JSON. Writes a line for each: number of the line, result, reason, what to do.

  --threads N         default: one for each processor
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
    let (credentials, policy) = (Arc::new(credentials), Arc::new(policy));
    let template = Template::builder()
        .payload(arguments.word_or(3, "Hello"))
        .build()?;
    let threads = match arguments.option("threads") {
        Some(number) => number.parse()?,
        None => std::thread::available_parallelism()?.get(),
    };
    let clients = (0..threads)
        .map(|_| {
            let mut config = ClientConfig::new();
            config.security = Some(arguments.security()?);
            Ok(Client::new(
                pushcore::webpush::Service::new(credentials.clone(), policy.clone()),
                config,
            )?)
        })
        .collect::<Result<Vec<_>>>()?;

    // Whoever has room takes the next line: a file of any size costs no memory.
    let lines = BufReader::new(File::open(arguments.word(2))?).lines();
    let lines = Mutex::new(lines.map_while(|line| line.ok()).enumerate());
    let next = || lines.lock().unwrap_or_else(PoisonError::into_inner).next();
    let (results, received) = mpsc::channel();
    std::thread::scope(|scope| -> Result<()> {
        for client in &clients {
            let (results, template, policy, next) = (results.clone(), &template, &policy, &next);
            scope.spawn(move || {
                let messages = std::iter::from_fn(next).filter_map(|(number, line)| {
                    let message = Subscription::parse(line.as_bytes(), policy).and_then(|it| template.to(it));
                    match message {
                        Ok(message) => Some((number, message)),
                        Err(error) => {
                            let _ = results.send((number, Err(error)));
                            None
                        }
                    }
                });
                for ((number, _), result) in client.send_many(messages) {
                    let _ = results.send((number, result));
                }
            });
        }
        drop(results);
        let mut out = BufWriter::new(std::io::stdout().lock());
        for (number, result) in received {
            let (name, reason, advice) = match &result {
                Ok(outcome) => {
                    let reason = outcome.reason().map_or("", |reason| reason.as_str());
                    (outcome.name(), reason.to_owned(), outcome.advice())
                }
                // Refused before anything was sent: the endpoint is not a push service's, or the keys are broken.
                Err(error) if error.kind().code() < 300 => {
                    (error.kind().name(), error.to_string(), "delete it")
                }
                Err(error) => (error.kind().name(), error.to_string(), "send it again"),
            };
            if let Ok(Outcome::FixCredentials(_)) = &result {
                eprintln!("line {}: {advice}", number + 1);
            }
            writeln!(out, "{}\t{name}\t{reason}\t{advice}", number + 1)?;
        }
        Ok(out.flush()?)
    })?;
    Ok(ExitCode::SUCCESS)
}
