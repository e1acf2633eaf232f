//! One transport between the session and a peer.

use std::collections::{HashMap, VecDeque};
use std::time::Duration;

use pushcore::session::LinkId;

use super::book::{Book, Fate};
use super::frame::{Reader, code, flag, kind};
use super::peer::End;
use super::tap::Tap;
use super::tls::Endpoint;

/// Bytes on their way, in one direction.
#[derive(Debug, Default)]
pub(super) struct Pipe {
    chunks: VecDeque<(Duration, Vec<u8>)>,
    /// How much of the first has been read.
    read: usize,
    under_way: usize,
}

impl Pipe {
    pub(super) fn push(&mut self, arrives: Duration, bytes: Vec<u8>) {
        if !bytes.is_empty() {
            self.under_way += bytes.len();
            self.chunks.push_back((arrives, bytes));
        }
    }

    pub(super) fn under_way(&self) -> usize {
        self.under_way
    }

    pub(super) fn next_arrival(&self) -> Option<Duration> {
        self.chunks.front().map(|(at, _)| *at)
    }

    /// What has arrived by `now`, at most `limit` octets of it.
    pub(super) fn arrived(&mut self, now: Duration, limit: usize) -> Option<Vec<u8>> {
        let (_, bytes) = self.chunks.front_mut().filter(|(at, _)| *at <= now)?;
        let rest = bytes.get(self.read..).unwrap_or_default();
        let piece = match rest.len() <= limit {
            true if self.read == 0 => std::mem::take(bytes),
            true => rest.to_vec(),
            false => rest.get(..limit).unwrap_or_default().to_vec(),
        };
        self.read += piece.len();
        if self.read >= bytes.len() {
            self.chunks.pop_front();
            self.read = 0;
        }
        self.under_way -= piece.len();
        Some(piece)
    }
}

/// A connected transport.
pub(super) struct Wire {
    pub(super) link: LinkId,
    pub(super) peer: Endpoint,
    /// What goes over it cannot be read.
    pub(super) opaque: bool,
    pub(super) up: Pipe,
    pub(super) down: Pipe,
    /// When the client sees the end of the stream.
    pub(super) end_at: Option<Duration>,
    /// The socket takes no more bytes before this time.
    pub(super) writable_at: Duration,
    /// Whether bytes wait for room in the socket.
    pub(super) backlogged: bool,
    tap: Tap,
    ear: Reader,
    streams: HashMap<u32, usize>,
    goaway_last: Option<u32>,
    /// A header block above that has been handed over since.
    finished_one: bool,
}

impl Wire {
    pub(super) fn new(link: LinkId, peer: Endpoint, opaque: bool) -> Self {
        Self {
            link,
            peer,
            opaque,
            up: Pipe::default(),
            down: Pipe::default(),
            end_at: None,
            writable_at: Duration::ZERO,
            backlogged: false,
            tap: Tap::new(),
            ear: Reader::default(),
            streams: HashMap::new(),
            goaway_last: None,
            finished_one: false,
        }
    }

    /// The client hands over `bytes`.
    pub(super) fn hand_over(&mut self, bytes: &[u8], book: &mut Book) -> Result<(), String> {
        if self.opaque {
            return Ok(());
        }
        for begun in self.tap.hand_over(bytes) {
            let Some(number) = begun.number else { continue };
            if let Some(last) = self.goaway_last.filter(|last| begun.stream > *last) {
                // A frame of which some octets had left has to be finished; the server ignores it.
                // There can be one such, and no more.
                if std::mem::replace(&mut self.finished_one, true) {
                    let stream = begun.stream;
                    return Err(format!(
                        "message {number} is put on {:?}/{stream} after GOAWAY({last})",
                        self.link
                    ));
                }
                continue;
            }
            book.note_leaving(number, !self.backlogged);
            book.handed_over(number, self.link, begun.stream)?;
            self.streams.insert(begun.stream, number);
        }
        Ok(())
    }

    /// `bytes` arrive at the client: what do they tell it?
    pub(super) fn overhear(&mut self, bytes: &[u8], book: &mut Book) {
        if self.opaque {
            return;
        }
        self.ear.push(bytes);
        while let Some(frame) = self.ear.next_frame() {
            let fate = match frame.kind {
                kind::GOAWAY => {
                    let last = frame.word().unwrap_or(0) & 0x7fff_ffff;
                    self.goaway_last = Some(last);
                    self.finished_one = false;
                    for (stream, number) in self.streams.iter().filter(|(stream, _)| **stream > last) {
                        book.settle(*number, self.link, *stream, Fate::Above);
                    }
                    continue;
                }
                kind::RST_STREAM if frame.word() == Some(code::REFUSED_STREAM) => Fate::Refused,
                kind::RST_STREAM => Fate::Reset,
                kind::HEADERS | kind::DATA if frame.has(flag::END_STREAM) => Fate::Answered,
                _ => continue,
            };
            if let Some(number) = self.streams.get(&frame.stream) {
                book.settle(*number, self.link, frame.stream, fate);
                if fate == Fate::Answered {
                    self.streams.remove(&frame.stream);
                }
            }
        }
    }

    /// Moves what the peer has said onto the wire.
    pub(super) fn collect(
        &mut self,
        now: Duration,
        latency: Duration,
        garble: &mut impl FnMut(&mut Vec<u8>),
    ) {
        let mut said = self.peer.take_output();
        if !said.is_empty() {
            garble(&mut said);
        }
        self.down.push(now + latency, said);
        match self.peer.end() {
            Some(end) if self.end_at.is_none() => {
                self.end_at = Some(now + latency);
                if end == End::Aborted {
                    self.down = Pipe::default();
                }
            }
            _ => {}
        }
    }

    /// The client's process is gone: what was handed over still arrives, then the end.
    pub(super) fn orphan(&mut self) {
        self.down = Pipe::default();
    }

    /// The client has closed it: what was handed over still arrives, and the server still acts.
    pub(super) fn next_event_of_orphan(&self) -> Option<Duration> {
        let up = self.up.next_arrival().filter(|_| self.peer.is_reading());
        [up, self.peer.poll_timeout()].into_iter().flatten().min()
    }

    /// When something happens here next.
    pub(super) fn next_event(&self) -> Option<Duration> {
        let up = self.up.next_arrival().filter(|_| self.peer.is_reading());
        let writable = Some(self.writable_at).filter(|at| *at > Duration::ZERO);
        [
            up,
            self.down.next_arrival(),
            self.end_at,
            self.peer.poll_timeout(),
            writable,
        ]
        .into_iter()
        .flatten()
        .min()
    }
}
