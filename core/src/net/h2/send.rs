//! The sending half: requests on their way out, and the windows that the server gives (RFC 9113 §5.2, §6.9).

use std::cmp::Reverse;
use std::collections::BTreeSet;

use super::error_code as code;
use super::fault::Fault;
use super::frame::{DEFAULT_MAX_FRAME, MAX_31, flag, kind};
use super::hpack::{ENTRY_OVERHEAD, Encoder, list_size};
use super::settings::Setting;
use super::stream::{PendingBody, Stream};
use super::streams::Streams;
use super::write_buffer::WriteBuffer;
use crate::error::{Error, ErrorKind};
use crate::http::Request;
use crate::net::{RequestId, SendError};

/// The octets of bodies that had to wait and are written ahead of the transport: 64 KiB, four full TLS records.
/// More would only lie in a buffer, out of reach of a GOAWAY.
const WRITE_AHEAD: usize = 64 * 1024;
/// The waiting streams that are looked at in one turn: so many bodies of 1 KiB fill [`WRITE_AHEAD`].
const STREAMS_PER_TURN: usize = 64;

/// The windows that the server grants, and the bodies that wait for them.
///
/// Streams wait in two orders: those that the connection's window holds up by age, those that their own
/// window holds up by the size of that window. So no frame of the server's makes anything look at streams that it lets go
/// no further, and each turn looks at [`STREAMS_PER_TURN`] at most.
pub(super) struct Send {
    encoder: Encoder,
    max_streams: u32,
    max_frame: usize,
    /// The largest header list that the server takes; `None` when it did not say.
    max_header_list: Option<u32>,
    /// The window that streams begin with.
    initial_window: i64,
    /// The window of the connection.
    window: i64,
    /// The widest window that the connection has had.
    widest_window: i64,
    /// Streams that wait for the connection's window.
    ready: BTreeSet<u32>,
    /// Streams that wait for their own window: its offset, then the oldest last.
    waiting: BTreeSet<(i64, Reverse<u32>)>,
    /// Streams whose window is above the initial one, by its offset: a new initial window must not take any above 2^31-1.
    raised: BTreeSet<(i64, u32)>,
    /// Whether a turn may find something to write.
    due: bool,
    /// Whether the last turn ended before everything that could go was looked at, and wrote nothing.
    unfinished: bool,
    /// The octets of all header blocks, without frame heads.
    header_octets: u64,
}

/// The effect of a WINDOW_UPDATE on a stream.
pub(super) enum Update {
    Done,
    /// The stream is to be reset with this code.
    Faulty(u32, &'static str),
}

impl Send {
    pub(super) fn new(encoder: Encoder) -> Self {
        Self {
            encoder,
            max_streams: u32::MAX,
            max_frame: DEFAULT_MAX_FRAME,
            max_header_list: None,
            initial_window: 65_535,
            window: 65_535,
            widest_window: 65_535,
            ready: BTreeSet::new(),
            waiting: BTreeSet::new(),
            raised: BTreeSet::new(),
            due: false,
            unfinished: false,
            header_octets: 0,
        }
    }

    /// Returns the server's SETTINGS_MAX_CONCURRENT_STREAMS.
    #[inline]
    pub(super) fn max_streams(&self) -> u32 {
        self.max_streams
    }

    /// Returns the window of the connection.
    #[inline]
    pub(super) fn window(&self) -> i64 {
        self.window
    }

    /// Returns whether a new stream can send a body of this length at once, as far as the windows go.
    #[inline]
    pub(super) fn takes_body(&self, length: usize) -> bool {
        length == 0 || (self.initial_window > 0 && usize::try_from(self.window).unwrap_or(0) >= length)
    }

    /// Returns the widest window that the connection has had.
    pub(super) fn widest_window(&self) -> i64 {
        self.widest_window
    }

    pub(super) fn header_octets(&self) -> u64 {
        self.header_octets
    }

    /// Returns whether another [turn](Self::fill) is needed although there is nothing to transmit.
    pub(super) fn is_unfinished(&self) -> bool {
        self.unfinished
    }

    /// Opens a stream for `request` and writes as much of it as the windows allow.
    ///
    /// # Errors
    /// The request has no authority, or its header list is larger than the server takes.
    #[inline]
    pub(super) fn request(
        &mut self,
        request: &Request,
        label: u32,
        streams: &mut Streams,
        out: &mut WriteBuffer,
    ) -> Result<RequestId, SendError> {
        let Some(authority) = &request.authority else {
            return Err(invalid("request has no authority"));
        };
        self.check_list_size(request, authority.as_str())?;
        let id = streams.next_id();
        let body = request.body.as_bytes();
        let Self {
            encoder, max_frame, ..
        } = self;
        let length = out.headers(id, body.is_empty(), *max_frame, |buffer| {
            encoder.request(request, authority, buffer);
        });
        self.header_octets += length as u64;
        let mut stream = Stream::new(label, out.end());
        if !body.is_empty() {
            let length = body.len() as i64;
            if length <= self.window
                && length <= self.initial_window
                && body.len() <= self.max_frame
                && self.ready.is_empty()
            {
                out.frame(kind::DATA, flag::END_STREAM, id, body);
                self.window -= length;
                stream.set_window_offset(-length);
            } else {
                self.queue(id, &mut stream, request, out);
            }
        }
        let sent = stream.request(id);
        streams.open(stream);
        Ok(sent)
    }

    /// Writes what the windows allow of a body that does not go at once, and queues the rest behind older ones.
    #[cold]
    fn queue(&mut self, id: u32, stream: &mut Stream, request: &Request, out: &mut WriteBuffer) {
        let body = request.body.as_bytes();
        let sent = match self.ready.is_empty() {
            true => self.write_data(id, body, stream, out).0,
            false => 0,
        };
        if sent < body.len() {
            *stream.pending_mut() = Some(Box::new(PendingBody::new(&request.body, sent)));
            self.wait(id, stream);
        }
    }

    fn check_list_size(&mut self, request: &Request, authority: &str) -> Result<(), SendError> {
        let Some(limit) = self.max_header_list else {
            return Ok(());
        };
        let pseudo = ":method:scheme:path:authorityhttps".len()
            + request.method.as_str().len()
            + request.path.len()
            + authority.len()
            + 4 * ENTRY_OVERHEAD;
        let mut size = pseudo + list_size(&request.headers);
        for block in [&request.authorization, &request.common].into_iter().flatten() {
            size += self.encoder.block_list_size(block);
        }
        if size > limit as usize {
            return Err(invalid("header list is larger than the server takes"));
        }
        Ok(())
    }

    /// Writes DATA as far as the windows allow; returns the octets and frames written. The last octet of
    /// `body` ends the stream.
    fn write_data(
        &mut self,
        id: u32,
        body: &[u8],
        stream: &mut Stream,
        out: &mut WriteBuffer,
    ) -> (usize, u32) {
        let (mut sent, mut frames) = (0, 0);
        let mut offset = stream.window_offset();
        while sent < body.len() {
            let rest = body.get(sent..).unwrap_or_default();
            let window = self.window.min(self.initial_window + offset);
            let allowed = usize::try_from(window).unwrap_or(0);
            let length = rest.len().min(allowed).min(self.max_frame);
            if length == 0 {
                break;
            }
            let (piece, rest) = rest.split_at(length);
            let flags = if rest.is_empty() { flag::END_STREAM } else { 0 };
            out.frame(kind::DATA, flags, id, piece);
            self.window -= length as i64;
            offset -= length as i64;
            sent += length;
            frames += 1;
        }
        self.move_window(id, stream, offset);
        (sent, frames)
    }

    /// Sets the offset of a stream's window.
    fn move_window(&mut self, id: u32, stream: &mut Stream, offset: i64) {
        let before = stream.window_offset();
        if before > 0 {
            self.raised.remove(&(before, id));
        }
        if offset > 0 {
            self.raised.insert((offset, id));
        }
        stream.set_window_offset(offset);
    }

    /// Puts a stream with a body into one of the two orders.
    fn wait(&mut self, id: u32, stream: &mut Stream) {
        let offset = stream.window_offset();
        let own = self.initial_window + offset <= 0;
        if let Some(pending) = stream.pending_mut() {
            pending.set_waits_for_own_window(own);
            match own {
                true => self.waiting.insert((offset, Reverse(id))),
                false => self.ready.insert(id),
            };
            self.due |= !own;
        }
    }

    /// Forgets a stream that has ended.
    #[inline]
    pub(super) fn forget(&mut self, id: u32, stream: &Stream) {
        if stream.pending().is_some() || stream.window_offset() > 0 {
            self.forget_waiting(id, stream);
        }
    }

    #[cold]
    fn forget_waiting(&mut self, id: u32, stream: &Stream) {
        let offset = stream.window_offset();
        if let Some(pending) = stream.pending() {
            match pending.waits_for_own_window() {
                true => self.waiting.remove(&(offset, Reverse(id))),
                false => self.ready.remove(&id),
            };
        }
        self.raised.remove(&(offset, id));
    }

    /// Forgets every stream: the connection is over.
    pub(super) fn close(&mut self) {
        self.ready = BTreeSet::new();
        self.waiting = BTreeSet::new();
        self.raised = BTreeSet::new();
        self.due = false;
        self.unfinished = false;
    }

    /// Writes bodies that waited, the oldest first, as far as the windows allow: one bounded turn. Returns how
    /// many DATA frames that were.
    #[inline]
    pub(super) fn fill(&mut self, streams: &mut Streams, out: &mut WriteBuffer) -> u32 {
        match self.due {
            true => self.turn(streams, out),
            false => 0,
        }
    }

    #[cold]
    fn turn(&mut self, streams: &mut Streams, out: &mut WriteBuffer) -> u32 {
        let (mut left, mut written) = (STREAMS_PER_TURN, 0);
        self.unfinished = false;
        while let Some(&(offset, Reverse(id))) = self.waiting.last() {
            if self.initial_window + offset <= 0 {
                break;
            }
            if left == 0 {
                self.unfinished = true;
                break;
            }
            left -= 1;
            self.waiting.pop_last();
            if let Some(stream) = streams.get_mut(id) {
                self.wait(id, stream);
            }
        }
        let mut left = STREAMS_PER_TURN;
        while self.window > 0 && out.pending().len() < WRITE_AHEAD {
            let Some(&id) = self.ready.first() else { break };
            if left == 0 {
                self.unfinished = true;
                break;
            }
            left -= 1;
            #[cfg(test)]
            crate::net::work::add(1);
            self.ready.pop_first();
            // The stream gives its body away so that it can be read while the rest is written to.
            let Some(stream) = streams.get_mut(id) else {
                continue;
            };
            let Some(mut pending) = stream.pending_mut().take() else {
                continue;
            };
            let (sent, frames) = self.write_data(id, pending.rest(), stream, out);
            pending.advance(sent);
            written += frames;
            if !pending.rest().is_empty() {
                *stream.pending_mut() = Some(pending);
                self.wait(id, stream);
            }
        }
        let opened = self
            .waiting
            .last()
            .is_some_and(|(offset, _)| self.initial_window + offset > 0);
        self.due = opened || (self.window > 0 && !self.ready.is_empty());
        // What is in the buffer brings the next turn about: its transmission.
        self.unfinished &= out.pending().is_empty();
        written
    }

    /// Takes a setting of the server's, at no cost for any stream.
    pub(super) fn apply(&mut self, setting: Setting) -> Result<(), Fault> {
        match setting {
            Setting::HeaderTableSize(size) => self.encoder.peer_limit(size as usize),
            Setting::MaxConcurrentStreams(count) => self.max_streams = count,
            Setting::InitialWindow(window) => {
                let highest = self.raised.last().map_or(0, |(offset, _)| *offset);
                if i64::from(window) + highest > i64::from(MAX_31) {
                    return Err(Fault::flow("stream window above 2^31-1"));
                }
                self.initial_window = i64::from(window);
                self.due |= !self.waiting.is_empty();
            }
            Setting::MaxFrame(size) => self.max_frame = size as usize,
            Setting::MaxHeaderList(size) => self.max_header_list = Some(size),
        }
        Ok(())
    }

    /// Takes WINDOW_UPDATE for the connection.
    pub(super) fn raise_window(&mut self, increment: u32) -> Result<(), Fault> {
        if increment == 0 {
            return Err(Fault::protocol("window update of zero"));
        }
        self.window += i64::from(increment);
        self.widest_window = self.widest_window.max(self.window);
        self.due |= !self.ready.is_empty();
        if self.window > i64::from(MAX_31) {
            return Err(Fault::flow("connection window above 2^31-1"));
        }
        Ok(())
    }

    /// Takes WINDOW_UPDATE for a stream.
    pub(super) fn raise_stream(&mut self, id: u32, stream: &mut Stream, increment: u32) -> Update {
        if increment == 0 {
            return Update::Faulty(code::PROTOCOL_ERROR, "window update of zero");
        }
        let before = stream.window_offset();
        let offset = before + i64::from(increment);
        if self.initial_window + offset > i64::from(MAX_31) {
            return Update::Faulty(code::FLOW_CONTROL_ERROR, "stream window above 2^31-1");
        }
        let waits = stream.pending().is_some_and(PendingBody::waits_for_own_window);
        if waits {
            self.waiting.remove(&(before, Reverse(id)));
        }
        self.move_window(id, stream, offset);
        if waits {
            self.wait(id, stream);
        }
        Update::Done
    }

    /// Gives the connection's window back what DATA that was withdrawn had taken.
    pub(super) fn give_back(&mut self, octets: usize) {
        self.window += i64::try_from(octets).unwrap_or(0);
        self.due |= !self.ready.is_empty();
    }
}

/// Refuses a path that cannot be written as it stands.
pub(crate) fn check_path(path: &str) -> Result<(), SendError> {
    match is_path(path) {
        true => Ok(()),
        false => Err(invalid(
            "path of the request is not visible ascii beginning with /",
        )),
    }
}

/// Returns whether a path can be written as it stands.
pub(super) fn is_path(path: &str) -> bool {
    // Without an early end, in whole bytes: so it is done many at a time.
    let bad = path
        .bytes()
        .fold(0, |bad, b| bad | u8::from(b.wrapping_sub(0x21) >= 0x5e));
    path.starts_with('/') && bad == 0
}

fn invalid(text: &'static str) -> SendError {
    SendError::Invalid(Error::new(ErrorKind::InvalidValue, text))
}
