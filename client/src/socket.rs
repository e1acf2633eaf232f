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
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ready {
    /// Nothing about reading.
    Not,
    /// There is something to read.
    ToRead,
    /// And then comes the end, an error, or who knows what.
    ToEnd,
}

/// Read at once; two full TLS records' worth, so that a busy connection needs few calls.
const READ_BUFFER: usize = 64 * 1024;

impl Socket {
    pub(crate) fn new(link: LinkId, authority: Authority, race: Race) -> Self {
        Self {
            link,
            authority,
            stage: Stage::Dialling(race),
        }
    }

    pub(crate) fn link(&self) -> LinkId {
        self.link
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

    /// Goes on from where it is, as far as the socket allows without waiting.
    pub(crate) fn advance(
        &mut self,
        session: &mut Session,
        registry: &mio::Registry,
        token: &mut impl FnMut() -> mio::Token,
        proxy: Option<&Proxy>,
        mut ready: Ready,
        buffer: &mut Vec<u8>,
    ) -> Verdict {
        if let Stage::Dialling(race) = &mut self.stage {
            match race.advance(registry, token, clock::now().monotonic) {
                Standing::Open => return Verdict::Alive,
                Standing::Lost(error) => {
                    return Verdict::Failed(match proxy {
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
        // How it ends is known.
        let _ = self.read(session, Ready::ToEnd, buffer);
    }

    /// Writes what the session has for this link.
    pub(crate) fn write(&mut self, session: &mut Session) -> Verdict {
        let Stage::Open(stream) = &mut self.stage else {
            return Verdict::Alive;
        };
        loop {
            let bytes = session.transmit(self.link);
            if bytes.is_empty() {
                return Verdict::Alive;
            }
            match stream.write(bytes) {
                Ok(0) => return Verdict::Ended,
                Ok(count) => session.transmitted(self.link, count),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Verdict::Alive,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(_) => return Verdict::Ended,
            }
        }
    }

    /// Reads until the socket has nothing more: readiness is reported once only. A read that does
    /// not fill the buffer has emptied the socket; only the end of the stream can hide behind it,
    /// which is reported anew, unless it was reported with this readiness.
    fn read(&mut self, session: &mut Session, ready: Ready, buffer: &mut Vec<u8>) -> Verdict {
        let Stage::Open(stream) = &mut self.stage else {
            return Verdict::Alive;
        };
        buffer.resize(READ_BUFFER, 0);
        loop {
            match stream.read(buffer) {
                Ok(0) => return Verdict::Ended,
                Ok(count) => {
                    session.receive(self.link, buffer.get(..count).unwrap_or_default(), clock::now());
                    if count < READ_BUFFER && ready == Ready::ToRead {
                        return Verdict::Alive;
                    }
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Verdict::Alive,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(_) => return Verdict::Ended,
            }
        }
    }

    /// The session is done with the link: last words, then the end.
    pub(crate) fn close(self, final_bytes: &[u8], registry: &mio::Registry) {
        match self.stage {
            Stage::Dialling(mut race) => race.abandon(registry),
            Stage::Tunnelling(mut stream, _) | Stage::Open(mut stream) => {
                // A courtesy to the peer; the link is over whether it arrives or not.
                let _ = stream.write(final_bytes);
                let _ = stream.shutdown(std::net::Shutdown::Write);
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
