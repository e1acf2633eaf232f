//! Level 3 without the driver: a `Session` in a loop of one's own. Each socket has a thread that
//! reads; everything else happens in this one. An event loop would wait for readiness instead.

mod common;

use std::collections::HashMap;
use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, TcpStream, ToSocketAddrs};
use std::process::ExitCode;
use std::sync::mpsc::{self, Sender};
use std::time::{Duration, Instant};

use common::{Arguments, Result, alert, now, show};
use pushcore::apns::DeviceToken;
use pushcore::http::Authority;
use pushcore::session::{Action, LinkId, SendOptions, Session, SessionConfig};
use pushcore::{Error, ErrorKind as Kind};

const USAGE: &str = "\
usage: session_loop KEY.p8 KEY_ID TEAM_ID TOPIC TOKEN... [options]

  --text TEXT
  --environment production|sandbox   the one that the tokens belong to
  --host NAME:PORT                   instead of Apple's
  --ca FILE                          trust this certificate only";

/// What a reading thread saw; no bytes are the end of the stream.
type Heard = (LinkId, Vec<u8>);

fn main() -> Result<ExitCode> {
    let Some(arguments) = Arguments::read(USAGE, 5) else {
        return Ok(ExitCode::FAILURE);
    };
    let epoch = Instant::now();
    let mut session = Session::new(
        pushcore::apns::Service::new(arguments.apns_credentials()?, arguments.apns_hosts()?),
        arguments.security()?,
        SessionConfig::default(),
        now(epoch),
    )?;
    let text = arguments.option("text").unwrap_or("Hello");
    let template = alert(arguments.word(3), "00", text)?;
    let tokens: Vec<&str> = (4..)
        .map(|index| arguments.word(index))
        .take_while(|t| !t.is_empty())
        .collect();
    let mut waiting = tokens.iter();
    let mut names = HashMap::new();
    let mut sockets: HashMap<LinkId, TcpStream> = HashMap::new();
    let (heard, listen) = mpsc::channel::<Heard>();
    let mut all_accepted = true;

    loop {
        // Messages, as there is room for them; after the last one, the end is asked for.
        while session.capacity() > 0 {
            let Some(token) = waiting.next() else {
                session.close(now(epoch));
                break;
            };
            let message = template.to(DeviceToken::parse(token)?);
            let ticket = session.submit(&message, SendOptions::default(), now(epoch))?;
            names.insert(ticket, *token);
        }
        // 1. What the session asks for.
        while let Some(action) = session.poll_action() {
            match action {
                Action::Connect { link, authority } => match dial(&session, link, &authority, &heard) {
                    Ok(socket) => {
                        sockets.insert(link, socket);
                        session.connected(link, now(epoch));
                    }
                    Err(error) => session.connect_failed(link, error, now(epoch)),
                },
                Action::Close { link, last_words } => {
                    if let Some(mut socket) = sockets.remove(&link) {
                        let _ = socket.write_all(&last_words);
                        let _ = socket.shutdown(Shutdown::Both);
                    }
                }
                _ => {}
            }
        }
        // 2. Bytes for the sockets. A broken one is noticed by the thread that reads it.
        for (link, socket) in &mut sockets {
            while !session.transmit(*link).is_empty() {
                match socket.write(session.transmit(*link)) {
                    Ok(written) => session.transmitted(*link, written),
                    Err(_) => break,
                }
            }
        }
        // 3. What has ended.
        while let Some((ticket, result)) = session.poll_outcome() {
            let token = names.remove(&ticket).unwrap_or_default();
            all_accepted &= result.as_ref().is_ok_and(|outcome| outcome.is_accepted());
            match result {
                Ok(outcome) => println!("{token} {}", show(&outcome)),
                Err(error) => println!("{token} no answer: {error}"),
            }
        }
        if session.is_closed() {
            break;
        }
        // 4. Bytes or time.
        let due = session
            .poll_timeout()
            .map(|at| at.saturating_sub(epoch.elapsed()));
        match listen.recv_timeout(due.unwrap_or(Duration::from_millis(100))) {
            Ok((link, bytes)) if bytes.is_empty() => session.receive_eof(link, now(epoch)),
            Ok((link, bytes)) => session.receive(link, &bytes, now(epoch)),
            Err(_) => session.handle_timeout(now(epoch)),
        }
    }
    Ok(if all_accepted {
        ExitCode::SUCCESS
    } else {
        ExitCode::from(2)
    })
}

/// Connects, if the session allows the address, and starts the thread that reads.
fn dial(
    session: &Session,
    link: LinkId,
    authority: &Authority,
    heard: &Sender<Heard>,
) -> std::result::Result<TcpStream, Error> {
    let failed = |kind: Kind, error: std::io::Error| {
        let text = format!("{}: {error}", authority.as_str());
        Error::new(kind, text)
    };
    let addresses = (authority.host(), authority.port())
        .to_socket_addrs()
        .map_err(|error| failed(Kind::NameNotResolved, error))?;
    let mut last = Error::new(Kind::NameNotResolved, "the name has no address");
    for address in addresses {
        session.allow_address(authority, address.ip())?;
        match TcpStream::connect_timeout(&address, Duration::from_secs(5)) {
            Ok(socket) => {
                let _ = socket.set_nodelay(true);
                let reader = socket
                    .try_clone()
                    .map_err(|error| failed(Kind::ConnectRefused, error))?;
                let heard = heard.clone();
                std::thread::spawn(move || listen(link, reader, &heard));
                return Ok(socket);
            }
            Err(error) => last = failed(Kind::ConnectRefused, error),
        }
    }
    Err(last)
}

/// Hands on everything that the socket says.
fn listen(link: LinkId, mut socket: TcpStream, heard: &Sender<Heard>) {
    let mut buffer = [0; 16 * 1024];
    loop {
        let bytes = match socket.read(&mut buffer) {
            Ok(count) => buffer.get(..count).unwrap_or_default().to_vec(),
            Err(error) if error.kind() == ErrorKind::Interrupted => continue,
            Err(_) => Vec::new(),
        };
        let over = bytes.is_empty();
        if heard.send((link, bytes)).is_err() || over {
            return;
        }
    }
}
