//! Level 1: a signed request, and no connection. It is printed as a command for curl; an HTTP
//! client of one's own (hyper, reqwest, libcurl) takes the same parts.
//!
//! The command holds a provider token that is good for an hour: do not leave it in a shell history.

mod common;

use std::process::ExitCode;
use std::time::Instant;

use common::{Arguments, Result, alert, now};
use pushcore::apns;

const USAGE: &str = "\
usage: l1_request KEY.p8 KEY_ID TEAM_ID TOPIC TOKEN [TEXT] [options] | sh

  --environment production|sandbox   the one that the token belongs to
  --host NAME:PORT                   instead of Apple's
  --ca FILE                          trust this certificate only";

fn main() -> Result<ExitCode> {
    let Some(arguments) = Arguments::read(USAGE, 5) else {
        return Ok(ExitCode::FAILURE);
    };
    let message = alert(
        arguments.word(3),
        arguments.word(4),
        arguments.word_or(5, "Hello"),
    )?;
    let request = apns::request(
        &message,
        &arguments.apns_credentials()?,
        &arguments.apns_hosts()?,
        now(Instant::now()),
    )?;
    println!("curl --http2 --silent --show-error --include \\");
    if let Some(file) = arguments.option("ca") {
        println!("  --cacert {} \\", quoted(file));
    }
    println!("  --request {} \\", request.method.as_str());
    for header in request.all_headers() {
        println!(
            "  --header {} \\",
            quoted(&format!("{}: {}", header.name, header.value))
        );
    }
    let body = String::from_utf8(request.body.as_bytes().to_vec())?;
    println!("  --data-binary {} \\", quoted(&body));
    println!("  {}", quoted(&request.url()));
    // What comes back goes to `message.judge(apns::outcome(&response, now))`.
    Ok(ExitCode::SUCCESS)
}

/// For a POSIX shell.
fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', r"'\''"))
}
