//! One link's socket, from dialling to its end.

use std::io::{self, Read, Write};
use std::time::Duration;

use mio::net::TcpStream;
use pushcore::Error;
use pushcore::http::Authority;
use pushcore::session::{LinkId, Session};

use crate::clock;
use crate::dial::{Race, Standing};
use crate::proxy::{Handshake, Proxy};

/// Where a socket is on its way.
#[derive(Debug)]
enum Stage {
    /// Racing the addresses of the host or of the proxy.
    Dialling(Race),
    /// Asking the proxy for a tunnel.
    Tunnelling(TcpStream, Handshake),
    /// The session's bytes.
    Open(TcpStream),
}

/// A link's socket.
#[derive(Debug)]
pub(crate) struct Socket {
    link: LinkId,
    authority: Authority,
    stage: Stage,
    /// What a turn left unread: readiness is reported once only, and it was.
    unread: Ready,
    /// Whether a turn left bytes unwritten that the socket would have taken.
    unwritten: bool,
    /// Whether the socket waits for its next turn.
    queued: bool,
}

/// Whether a socket lives on.
#[derive(Debug)]
pub(crate) enum Verdict {
    Alive,
    /// It never got as far as the session's bytes.
    Failed(Error),
    /// The peer closed it, or it broke.
    Ended,
}

/// The readiness of a socket, as the poll reported it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Ready {
    /// Nothing about reading.
    Not,
    /// There is something to read.
    ToRead,
    /// And then comes the end, an error, or who knows what.
    ToEnd,
}

/// The most octets read from one socket in a turn: four full TLS records, so that a busy connection needs few
/// calls, and the session's work for them takes milliseconds (`docs/faults.md`).
const READ_BUFFER: usize = 64 * 1024;

/// The most octets written to one socket in a turn.
const MOST_WRITTEN: usize = 1024 * 1024;

/// The most turns in which the rest of a connection that takes no more bytes is read: 1 MiB holds
/// the answers to some ten thousand pushes.
const MOST_OF_REST: usize = 16;
/// The most reads of input that nobody wants any more, at the end of a connection: 1 MiB in all.
const MAX_DISCARDED: usize = 64;

impl Socket {
    pub(crate) fn new(link: LinkId, authority: Authority, race: Race) -> Self {
        Self {
            link,
            authority,
            stage: Stage::Dialling(race),
            unread: Ready::Not,
            unwritten: false,
            queued: false,
        }
    }

    /// Whether there is more to do at once, of which no readiness will tell: a turn ended before it.
    pub(crate) fn is_unfinished(&self) -> bool {
        self.unread != Ready::Not || self.unwritten
    }

    /// Remembers what the poll said until it is this socket's turn.
    pub(crate) fn remember(&mut self, ready: Ready) {
        self.unread = self.unread.max(ready);
    }

    /// The socket waits for its next turn from now on. Returns whether it did not before.
    pub(crate) fn queue_up(&mut self) -> bool {
        !std::mem::replace(&mut self.queued, true)
    }

    /// It is the socket's turn.
    pub(crate) fn begin_turn(&mut self) {
        self.queued = false;
    }

    pub(crate) fn poll_timeout(&self) -> Option<Duration> {
        match &self.stage {
            Stage::Dialling(race) => race.poll_timeout(),
            _ => None,
        }
    }

    /// Where the connection goes.
    pub(crate) fn authority(&self) -> &Authority {
        &self.authority
    }

    /// Goes on from where it is, as far as the socket allows without waiting, for one turn: at most
    /// 64 KiB are read. [`Socket::is_unfinished`] says whether the socket needs another turn.
    pub(crate) fn advance(
        &mut self,
        session: &mut Session,
        registry: &mio::Registry,
        token: &mut impl FnMut() -> mio::Token,
        proxy: Option<&Proxy>,
        buffer: &mut Vec<u8>,
    ) -> Verdict {
        // While it dials, readiness is about the race; a tunnel is read to its end below.
        let mut ready = std::mem::replace(&mut self.unread, Ready::Not);
        if let Stage::Dialling(race) = &mut self.stage {
            match race.advance(registry, token, clock::now().monotonic) {
                Standing::Open => return Verdict::Alive,
                Standing::Lost(error) => {
                    return Verdict::Failed(match proxy {
                        // Nobody was asked: it is this machine.
                        Some(_) if error.kind() == pushcore::ErrorKind::OutOfDescriptors => error,
                        // Not the service's port: a program must be able to tell one from the other.
                        Some(_) => {
                            Error::new(pushcore::ErrorKind::ProxyRefused, "the proxy cannot be reached")
                                .with_source(error)
                        }
                        None => error,
                    });
                }
                Standing::Won(stream) => match proxy {
                    Some(proxy) => {
                        self.stage = Stage::Tunnelling(stream, Handshake::new(proxy, &self.authority));
                    }
                    None => {
                        self.stage = Stage::Open(stream);
                        session.connected(self.link, clock::now());
                    }
                },
            }
        }
        if let Stage::Tunnelling(stream, handshake) = &mut self.stage {
            match tunnel(stream, handshake) {
                Ok(None) => return Verdict::Alive,
                Err(error) => return Verdict::Failed(error),
                Ok(Some(early)) => {
                    let Stage::Tunnelling(stream, _) =
                        std::mem::replace(&mut self.stage, Stage::Dialling(Race::new(Default::default())))
                    else {
                        return Verdict::Ended;
                    };
                    self.stage = Stage::Open(stream);
                    session.connected(self.link, clock::now());
                    if !early.is_empty() {
                        session.receive(self.link, &early, clock::now());
                    }
                    // More may have come behind it, of which no readiness will tell.
                    ready = Ready::ToEnd;
                }
            }
        }
        let wrote = self.write(session);
        if matches!(wrote, Verdict::Ended) {
            ready = Ready::ToEnd;
        }
        if ready != Ready::Not {
            if let Verdict::Ended = self.read(session, ready, buffer) {
                return Verdict::Ended;
            }
            // What was read usually asks for something to be written.
            return self.write(session);
        }
        wrote
    }

    /// A peer that takes no more bytes may have said why, and answered what it had: all that before
    /// the end of the connection counts.
    pub(crate) fn read_rest(&mut self, session: &mut Session, buffer: &mut Vec<u8>) {
        for _ in 0..MOST_OF_REST {
            // How it ends is known.
            let _ = self.read(session, Ready::ToEnd, buffer);
            if self.unread == Ready::Not {
                break;
            }
        }
    }

    /// Writes what the session has for this link, at most 1 MiB of it.
    pub(crate) fn write(&mut self, session: &mut Session) -> Verdict {
        let Stage::Open(stream) = &mut self.stage else {
            return Verdict::Alive;
        };
        self.unwritten = false;
        let mut written = 0;
        loop {
            let bytes = session.transmit(self.link);
            if bytes.is_empty() {
                return Verdict::Alive;
            }
            if written >= MOST_WRITTEN {
                self.unwritten = true;
                return Verdict::Alive;
            }
            match stream.write(bytes) {
                Ok(0) => return Verdict::Ended,
                Ok(count) => {
                    session.transmitted(self.link, count);
                    written = written.saturating_add(count);
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Verdict::Alive,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(_) => return Verdict::Ended,
            }
        }
    }

    /// Reads for one turn, and remembers what is left: readiness is reported once only. A read that does
    /// not fill the buffer has emptied the socket; only the end of the stream can hide behind it,
    /// which is reported anew, unless it was reported with this readiness.
    fn read(&mut self, session: &mut Session, ready: Ready, buffer: &mut Vec<u8>) -> Verdict {
        self.unread = Ready::Not;
        let Stage::Open(stream) = &mut self.stage else {
            return Verdict::Alive;
        };
        buffer.resize(READ_BUFFER, 0);
        let mut left = READ_BUFFER;
        while left > 0 {
            let room = buffer.get_mut(..left).unwrap_or_default();
            match stream.read(room) {
                Ok(0) => return Verdict::Ended,
                Ok(count) => {
                    session.receive(self.link, room.get(..count).unwrap_or_default(), clock::now());
                    if count < left && ready == Ready::ToRead {
                        return Verdict::Alive;
                    }
                    left = left.saturating_sub(count);
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Verdict::Alive,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(_) => return Verdict::Ended,
            }
        }
        self.unread = ready;
        Verdict::Alive
    }

    /// The session is done with the link: last words, then the end.
    pub(crate) fn close(self, final_bytes: &[u8], registry: &mio::Registry) {
        match self.stage {
            Stage::Dialling(mut race) => race.abandon(registry),
            Stage::Tunnelling(mut stream, _) | Stage::Open(mut stream) => {
                // A courtesy to the peer; the link is over whether it arrives or not.
                let _ = stream.write(final_bytes);
                let _ = stream.shutdown(std::net::Shutdown::Write);
                // Because of unread input the system resets the connection, and the reset may overtake the last words.
                let mut unread = [0u8; 16_384];
                for _ in 0..MAX_DISCARDED {
                    if !matches!(stream.read(&mut unread), Ok(1..)) {
                        break;
                    }
                }
                let _ = registry.deregister(&mut stream);
            }
        }
    }
}

fn tunnel(stream: &mut TcpStream, handshake: &mut Handshake) -> Result<Option<Vec<u8>>, Error> {
    let lost = |source: io::Error| {
        Error::new(
            pushcore::ErrorKind::ProxyRefused,
            "the proxy closed the connection",
        )
        .with_source(source)
    };
    let mut buffer = [0u8; 2048];
    loop {
        while !handshake.transmit().is_empty() {
            match stream.write(handshake.transmit()) {
                Ok(0) => return Err(lost(io::ErrorKind::WriteZero.into())),
                Ok(count) => handshake.transmitted(count),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(lost(error)),
            }
        }
        match stream.read(&mut buffer) {
            Ok(0) => return Err(lost(io::ErrorKind::UnexpectedEof.into())),
            Ok(count) => {
                if let Some(early) = handshake.receive(buffer.get(..count).unwrap_or_default())? {
                    return Ok(Some(early));
                }
            }
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(None),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(lost(error)),
        }
    }
}
