//! Level 2: one `Connection` driven by a loop of one's own over a blocking `TcpStream`.
//!
//! No dependency but `pushcore`: this is all that a driver has to do.

mod common;

use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, Instant};

use common::{Arguments, Result, alert, exit, now, show};
use pushcore::apns;
use pushcore::net::{Connection, ConnectionConfig, Event, Protocols};

const USAGE: &str = "\
usage: l2_connection KEY.p8 KEY_ID TEAM_ID TOPIC TOKEN [TEXT] [options]

  --environment production|sandbox   the one that the token belongs to
  --host NAME:PORT                   instead of Apple's
  --ca FILE                          trust this certificate only";

fn main() -> Result<ExitCode> {
    let Some(arguments) = Arguments::read(USAGE, 5) else {
        return Ok(ExitCode::FAILURE);
    };
    let epoch = Instant::now();
    let message = alert(
        arguments.word(3),
        arguments.word(4),
        arguments.word_or(5, "Hello"),
    )?;
    let hosts = arguments.apns_hosts()?;
    let request = apns::request(&message, &arguments.apns_credentials()?, &hosts, now(epoch))?;

    let mut config = ConnectionConfig::new(arguments.security()?);
    config.protocols = Protocols::Http2Only;
    let authority = hosts.device();
    let mut socket = TcpStream::connect((authority.host(), authority.port()))?;
    socket.set_nodelay(true)?;
    let mut connection = Connection::new(&Arc::new(config), authority, now(epoch))?;

    let mut unsent = Some(request);
    let mut outcome = None;
    let mut buffer = [0; 16 * 1024];
    loop {
        // 1. What is to be written.
        while !connection.transmit().is_empty() {
            let written = socket.write(connection.transmit())?;
            connection.transmitted(written);
        }
        // 2. What has happened.
        while let Some(event) = connection.poll_event() {
            match event {
                Event::Response { response, .. } => {
                    outcome = Some(message.judge(apns::outcome(response, now(epoch))));
                }
                Event::Failed { processed, error, .. } => {
                    return Err(format!("no answer ({processed:?}): {error}").into());
                }
                Event::Closed(reason) if outcome.is_none() => return Err(format!("{reason:?}").into()),
                _ => {}
            }
        }
        // 3. The end: GOAWAY and close_notify are written, the server has nothing more to say.
        if connection.is_closed() && connection.transmit().is_empty() {
            break;
        }
        // 4. A request goes out when there is a stream for it, and not before.
        if connection.capacity() > 0 {
            if let Some(request) = unsent.take() {
                if let Err(error) = connection.send(&request, now(epoch)) {
                    return Err(format!("not sent: {error:?}").into());
                }
                continue;
            }
        }
        if outcome.is_some() && !connection.is_closed() {
            connection.close(now(epoch));
            continue;
        }
        // 5. Bytes or time.
        let due = connection
            .poll_timeout()
            .map(|at| at.saturating_sub(epoch.elapsed()));
        // A time-out of zero would mean none at all.
        socket.set_read_timeout(due.map(|due| due.max(Duration::from_millis(1))))?;
        match socket.read(&mut buffer) {
            Ok(0) => connection.receive_eof(now(epoch)),
            Ok(count) => connection.receive(buffer.get(..count).unwrap_or_default(), now(epoch)),
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {}
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(error.into()),
        }
        connection.handle_timeout(now(epoch));
    }
    let outcome = outcome.ok_or("the connection ended without an answer")?;
    println!("{}", show(&outcome));
    Ok(exit(&outcome))
}
