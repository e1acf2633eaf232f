//! One connection's socket, from dialling to its end.

use std::io;
use std::task::{Context, Poll, Waker};

use pushcore::Error;
use pushcore::http::Authority;
use pushcore::session::{LinkId, Session};
use pushcore_client::now;
use socket2::SockRef;
use tokio::net::TcpStream;

use crate::dial::{Dial, is_transient};

/// The most octets read from one socket in a turn: four full TLS records, so that a busy connection needs few calls, and the
/// lock is held for a millisecond or so.
const READ_BUFFER: usize = 64 * 1024;

/// The most octets written to one socket in a turn.
const MOST_WRITTEN: usize = 1024 * 1024;

/// The most turns in which the rest of a connection that takes no more bytes is read: 1 MiB holds the answers to some ten
/// thousand pushes.
const MOST_OF_REST: usize = 16;
/// The most reads of input that nobody wants any more, at the end of a connection: 1 MiB in all.
const MAX_DISCARDED: usize = 64;

enum Stage {
    /// Racing the addresses, asking the proxy.
    Dialling(Dial),
    /// The session's bytes.
    Open(TcpStream),
}

/// A link's socket.
pub(crate) struct Link {
    id: LinkId,
    authority: Authority,
    stage: Stage,
    /// The waker that names this link to the driver task.
    waker: Waker,
    /// Whether the link is among those that wait for their turn.
    queued: bool,
}

/// How a turn of a link ended.
#[derive(Debug)]
pub(crate) enum Verdict {
    /// The socket has nothing more to do; its waker tells when it has.
    Waits,
    /// The link needs another turn, of which no waker tells.
    Unfinished,
    /// It never got as far as the session's bytes.
    Failed(Error),
    /// The peer closed the connection, or it broke.
    Ended,
}

/// How far a socket went.
enum Went {
    /// To the end of what there is.
    All,
    /// To the bound of a turn.
    Part,
    /// To the end of the connection.
    Ended,
}

impl Link {
    pub(crate) fn new(id: LinkId, authority: Authority, dial: Dial, waker: Waker) -> Self {
        Self {
            id,
            authority,
            stage: Stage::Dialling(dial),
            waker,
            queued: false,
        }
    }

    /// The link wants a turn. Returns whether it does not wait for one already.
    pub(crate) fn queue_up(&mut self) -> bool {
        !std::mem::replace(&mut self.queued, true)
    }

    /// The turn of the link has come.
    pub(crate) fn begin_turn(&mut self) {
        self.queued = false;
    }

    /// Goes on from where it is for one turn.
    pub(crate) fn advance(&mut self, session: &mut Session, buffer: &mut Vec<u8>) -> Verdict {
        if let Stage::Dialling(dial) = &mut self.stage {
            match dial.as_mut().poll(&mut Context::from_waker(&self.waker)) {
                Poll::Pending => return Verdict::Waits,
                Poll::Ready(Err(error)) => return Verdict::Failed(error),
                Poll::Ready(Ok(dialled)) => {
                    self.stage = Stage::Open(dialled.stream);
                    session.connected(self.id, now());
                    if !dialled.early.is_empty() {
                        session.receive(self.id, &dialled.early, now());
                    }
                }
            }
        }
        let read = self.read(session, buffer);
        if let Went::Ended = read {
            return Verdict::Ended;
        }
        // What was read usually asks for something to be written.
        match (read, self.write(session)) {
            (_, Went::Ended) => {
                self.read_rest(session, buffer);
                Verdict::Ended
            }
            (Went::All, Went::All) => Verdict::Waits,
            _ => Verdict::Unfinished,
        }
    }

    /// Writes what the session has for this link.
    pub(crate) fn flush(&mut self, session: &mut Session, buffer: &mut Vec<u8>) -> Verdict {
        match self.write(session) {
            Went::All => Verdict::Waits,
            Went::Part => Verdict::Unfinished,
            Went::Ended => {
                self.read_rest(session, buffer);
                Verdict::Ended
            }
        }
    }

    /// A peer that takes no more bytes may have said why, and answered what it had: all that before the end of the
    /// connection counts.
    fn read_rest(&mut self, session: &mut Session, buffer: &mut Vec<u8>) {
        for _ in 0..MOST_OF_REST {
            if !matches!(self.read(session, buffer), Went::Part) {
                break;
            }
        }
    }

    fn write(&mut self, session: &mut Session) -> Went {
        let Stage::Open(stream) = &self.stage else {
            return Went::All;
        };
        let mut written: usize = 0;
        loop {
            let bytes = session.transmit(self.id);
            if bytes.is_empty() {
                return Went::All;
            }
            if written >= MOST_WRITTEN {
                return Went::Part;
            }
            match stream.try_write(bytes) {
                Ok(0) => return Went::Ended,
                Ok(count) => {
                    session.transmitted(self.id, count);
                    written = written.saturating_add(count);
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    match stream.poll_write_ready(&mut Context::from_waker(&self.waker)) {
                        Poll::Pending => return Went::All,
                        Poll::Ready(Ok(())) => {}
                        Poll::Ready(Err(_)) => return Went::Ended,
                    }
                }
                Err(_) => return Went::Ended,
            }
        }
    }

    fn read(&mut self, session: &mut Session, buffer: &mut Vec<u8>) -> Went {
        let Stage::Open(stream) = &self.stage else {
            return Went::All;
        };
        buffer.resize(READ_BUFFER, 0);
        let mut left = READ_BUFFER;
        while left > 0 {
            let room = buffer.get_mut(..left).unwrap_or_default();
            match stream.try_read(room) {
                Ok(0) => return Went::Ended,
                Ok(count) => {
                    session.receive(self.id, room.get(..count).unwrap_or_default(), now());
                    left = left.saturating_sub(count);
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    match stream.poll_read_ready(&mut Context::from_waker(&self.waker)) {
                        Poll::Pending => return Went::All,
                        Poll::Ready(Ok(())) => {}
                        Poll::Ready(Err(_)) => return Went::Ended,
                    }
                }
                Err(_) => return Went::Ended,
            }
        }
        Went::Part
    }

    /// The session is done with the link: last words, then the end.
    pub(crate) fn close(self, final_bytes: &[u8]) {
        if let Stage::Open(stream) = self.stage {
            // A courtesy to the peer; the link is over whether it arrives or not.
            let mut left = final_bytes;
            while !left.is_empty() {
                match stream.try_write(left) {
                    Ok(count) if count > 0 => left = left.get(count..).unwrap_or_default(),
                    Err(error) if is_transient(&error) && error.kind() == io::ErrorKind::Interrupted => {}
                    _ => break,
                }
            }
            let _ = SockRef::from(&stream).shutdown(std::net::Shutdown::Write);
            // Because of unread input the system resets the connection, and the reset may overtake the last words.
            let mut unread = [0u8; 16_384];
            for _ in 0..MAX_DISCARDED {
                if !matches!(stream.try_read(&mut unread), Ok(1..)) {
                    break;
                }
            }
        }
    }
}

impl std::fmt::Debug for Link {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Link")
            .field("id", &self.id)
            .field("authority", &self.authority)
            .finish_non_exhaustive()
    }
}
