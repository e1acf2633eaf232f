//! The connection: its parts, and the order in which they act on each other.

use std::fmt;
use std::time::Duration;

use super::block_reader::BlockReader;
use super::config::Config;
use super::error_code as code;
use super::event::{Events, OwnedEvent};
use super::fault::Fault;
use super::flood::Flood;
use super::frame::{Head, MAX_31, flag, kind, u32_at};
use super::frame_reader::{FrameReader, Next};
use super::header_bytes::HeaderBytes;
use super::hpack::Encoder;
use super::keep_alive::{Due, KeepAlive};
use super::lifecycle::{Lifecycle, goaway_error};
use super::recv::{Received, Recv, StreamFault};
use super::send::{Send, Update, is_path};
use super::settings::{self, Exchange};
use super::stream::Stream;
use super::streams::{StreamEnd, Streams};
use super::write_buffer::WriteBuffer;
use crate::error::{Error, ErrorKind};
use crate::http::Request;
use crate::net::{CloseReason, Event, GoAway, Processed, RequestId, SendError};
use crate::time::Now;

/// An HTTP/2 client connection without the transport under it.
///
/// Feed it with [`receive`](Self::receive), carry away what [`transmit`](Self::transmit) shows,
/// report with [`written`](Self::written) how much of it the transport took, call
/// [`handle_timeout`](Self::handle_timeout) when [`poll_timeout`](Self::poll_timeout) says so,
/// and after each of these drain [`poll_event`](Self::poll_event).
///
/// Inputs never fail: what goes wrong becomes an event. Every request that
/// [`send`](Self::send) took ends in exactly one `Response` or `Failed`, before `Closed`.
///
/// Each frame costs as much as it is long, however many streams are open: see `docs/faults.md`.
pub(crate) struct Engine {
    now: Duration,
    max_in_flight: u32,
    header_table_size: u32,
    out: WriteBuffer,
    frames: FrameReader,
    blocks: BlockReader,
    streams: Streams,
    send: Send,
    recv: Recv,
    exchange: Exchange,
    lifecycle: Lifecycle,
    keep_alive: KeepAlive,
    flood: Flood,
    events: Events,
}

impl Engine {
    /// Returns a new connection; the client preface and SETTINGS wait in [`transmit`](Self::transmit).
    pub(crate) fn new(mut config: Config, now: Now) -> Self {
        config.initial_window = config.initial_window.clamp(65_535, MAX_31);
        config.connection_window = config.connection_window.clamp(65_535, MAX_31);
        let now = now.monotonic;
        let mut out = WriteBuffer::default();
        out.preface();
        settings::write(&config, &mut out);
        let more = config.connection_window - 65_535;
        if more > 0 {
            out.window_update(0, more);
        }
        let encoder = Encoder::new(config.encoder_table_size as usize, config.huffman_literals);
        Self {
            now,
            max_in_flight: config.max_in_flight,
            header_table_size: config.header_table_size,
            out,
            frames: FrameReader::default(),
            blocks: BlockReader::default(),
            streams: Streams::new(config.initial_stream_id),
            send: Send::new(encoder),
            recv: Recv::new(&config),
            exchange: Exchange::new(now.saturating_add(config.settings_timeout)),
            lifecycle: Lifecycle::new(),
            keep_alive: KeepAlive::new(config.ping, now),
            flood: Flood::new(now),
            events: Events::default(),
        }
    }

    // A. Getters

    /// Returns how many requests can be sent at this moment: 0 before the server's SETTINGS, while
    /// draining, and when closed.
    #[inline]
    pub(crate) fn capacity(&self) -> usize {
        if !self.exchange.is_received() || !self.lifecycle.is_open() {
            return 0;
        }
        let free = self.max_streams().saturating_sub(self.streams.len());
        free.min(self.streams.ids_left())
    }

    /// Returns how many streams may be open at a time.
    #[inline]
    pub(crate) fn max_streams(&self) -> usize {
        self.send.max_streams().min(self.max_in_flight) as usize
    }

    /// Returns how many octets of request bodies the connection's window allows at this moment.
    #[inline]
    pub(crate) fn window(&self) -> usize {
        usize::try_from(self.send.window()).unwrap_or(0)
    }

    /// Returns whether the body of another request can go at once, as far as the windows go.
    #[inline]
    pub(crate) fn takes_body(&self, length: usize) -> bool {
        self.send.takes_body(length)
    }

    /// Returns the widest window that the connection has had, in octets of request bodies.
    pub(crate) fn widest_window(&self) -> usize {
        usize::try_from(self.send.widest_window()).unwrap_or(0)
    }

    /// Returns the number of requests sent and not yet answered.
    #[inline]
    pub(crate) fn in_flight(&self) -> usize {
        self.streams.len()
    }

    /// Returns whether the server may have seen this request: `No` while its header block has not been
    /// [written](Self::written) whole, `Unknown` from then on.
    pub(crate) fn processed(&self, id: RequestId) -> Processed {
        let stream = u32::try_from(id.number).ok().and_then(|id| self.streams.get(id));
        match stream {
            Some(stream) if stream.headers_end() > self.out.written() => Processed::No,
            _ => Processed::Unknown,
        }
    }

    /// Returns whether the server's SETTINGS have been received.
    #[inline]
    pub(crate) fn is_ready(&self) -> bool {
        self.exchange.is_received() && !self.lifecycle.is_closed()
    }

    /// Returns whether no new request is taken because the server or the owner ends the connection,
    /// or the stream ids are used up (there is no event for that: look after a send).
    pub(crate) fn is_draining(&self) -> bool {
        self.lifecycle.is_draining()
    }

    /// Returns whether the connection has ended. What [`transmit`](Self::transmit) still shows (a GOAWAY)
    /// is worth sending.
    #[inline]
    pub(crate) fn is_closed(&self) -> bool {
        self.lifecycle.is_closed()
    }

    /// Returns the octets of header blocks so far.
    pub(crate) fn header_bytes(&self) -> HeaderBytes {
        HeaderBytes {
            sent: self.send.header_octets(),
            received: self.recv.header_octets(),
        }
    }

    // B. Inputs

    /// Takes octets from the server, in pieces of any size. Nothing is read once the
    /// connection is closed.
    pub(crate) fn receive(&mut self, mut input: &[u8], now: Now) {
        self.clock(now);
        if input.is_empty() || self.lifecycle.is_closed() {
            return;
        }
        self.keep_alive.received(self.now);
        self.flood.clock(self.now);
        while !input.is_empty() && !self.lifecycle.is_closed() {
            let result = match self.frames.next(&mut input) {
                Ok(Next::Whole(head, payload)) => self.on_frame(head, payload),
                Ok(Next::Pieced(head, frame)) => {
                    let result = self.on_frame(head, frame.payload());
                    self.frames.give_back(frame);
                    result
                }
                Ok(Next::More) => Ok(()),
                Err(fault) => Err(fault),
            };
            if let Err(fault) = result {
                self.fail(&fault);
            }
        }
        self.fill();
    }

    /// Takes the end of the transport: the server closed it, or it failed. Nothing is sent
    /// any more, and the layers below must drop what they hold: a request whose header block had
    /// not been [written](Self::written) fails as `Processed::No`, the others as
    /// `Processed::Unknown`.
    pub(crate) fn receive_eof(&mut self, now: Now) {
        self.clock(now);
        if self.lifecycle.is_closed() {
            return;
        }
        let (reason, text, code) = self.lifecycle.reason_at_eof();
        let written = self.out.written();
        self.out.clear();
        self.end_all(written, |_| {
            let error = Error::new(ErrorKind::ConnectionLost, text);
            match code {
                Some(code) => error.with_http2_code(code),
                None => error,
            }
        });
        self.closed(reason);
    }

    /// Takes the end of the layer underneath, which broke for a reason of its own (a TLS alert, worn-out keys):
    /// [`receive_eof`](Self::receive_eof) with that reason.
    pub(crate) fn receive_failure(&mut self, error: Error, now: Now) {
        self.clock(now);
        if self.lifecycle.is_closed() {
            return;
        }
        let written = self.out.written();
        self.out.clear();
        let (kind, text) = (error.kind(), error.context().to_owned());
        self.end_all(written, |_| Error::new(kind, text.clone()).with_codes_of(&error));
        self.closed(CloseReason::Failed(error));
    }

    /// Does what is due: gives up a server that is silent, asks it with a PING, or goes on with bodies
    /// that wait.
    pub(crate) fn handle_timeout(&mut self, now: Now) {
        self.clock(now);
        if self.lifecycle.is_closed() {
            return;
        }
        if let Some(fault) = self.exchange.overdue(self.now) {
            self.fail(&fault);
            return;
        }
        match self
            .keep_alive
            .due(self.exchange.is_received(), !self.streams.is_empty(), self.now)
        {
            Some(Due::GiveUp) => self.fail(&Fault::silent("server does not answer a ping")),
            Some(Due::Ask) => self.send_ping(),
            None => {}
        }
        if self.send.is_unfinished() {
            self.fill();
        }
    }

    // C. Commands

    /// Opens a stream for `request` and writes as much of it as the windows allow; the rest of
    /// the body follows by itself. The path has been [checked](super::check_path). `label` is the owner's name for the request,
    /// which can be used again at once.
    ///
    /// # Errors
    /// `Full` when [`capacity`](Self::capacity) is 0 for the moment, `Closed` when no request
    /// will be taken any more, `Invalid` when the request has no authority, or its header list is larger than
    /// the server takes. Nothing has been sent then.
    pub(crate) fn send(&mut self, request: &Request, label: u32, now: Now) -> Result<RequestId, SendError> {
        debug_assert!(is_path(&request.path), "a path that was not checked");
        self.clock(now);
        if !self.lifecycle.is_open() {
            return Err(SendError::Closed);
        }
        // While it is open there are stream ids left.
        if !self.exchange.is_received() || self.streams.len() >= self.max_streams() {
            return Err(SendError::Full);
        }
        let sent = self
            .send
            .request(request, label, &mut self.streams, &mut self.out)?;
        self.flood.request_sent();
        if self.streams.len() == 1 {
            self.keep_alive.active(self.now);
        }
        if self.streams.ids_left() == 0 {
            // The last id: the owner goes on with another connection (§5.1.1).
            self.lifecycle.drain();
        }
        Ok(sent)
    }

    /// Gives a request up (RST_STREAM CANCEL); it ends as `Failed` with `Processed::Unknown` and
    /// `ErrorKind::Cancelled`, whatever the server still sends. `false`, and nothing happens,
    /// when it has ended already (its event may still wait to be polled).
    pub(crate) fn cancel(&mut self, id: RequestId, now: Now) -> bool {
        self.clock(now);
        let Some((number, mut stream)) = u32::try_from(id.number)
            .ok()
            .and_then(|number| Some((number, self.take_out(number)?)))
        else {
            return false;
        };
        self.out.reset(number, code::CANCEL);
        self.streams.ended(number, StreamEnd::ByUs);
        if let Some(incoming) = stream.incoming_mut().take() {
            self.recv.recycle(incoming);
        }
        let error = Error::new(ErrorKind::Cancelled, "request cancelled");
        self.events.failed(id, Processed::Unknown, error);
        self.finish_if_drained();
        true
    }

    /// Takes no more requests, waits for the answers to those in flight, then closes.
    pub(crate) fn close(&mut self, now: Now) {
        self.clock(now);
        self.lifecycle.drain();
        self.finish_if_drained();
    }

    /// Sends a PING; its answer becomes [`Event::RoundTrip`]. `false` when one is under way
    /// already or the connection is closed.
    pub(crate) fn ping(&mut self, now: Now) -> bool {
        self.clock(now);
        if self.lifecycle.is_closed() || self.keep_alive.is_asking() {
            return false;
        }
        self.send_ping();
        true
    }

    // D. Outputs

    /// Returns the octets to be sent next.
    #[inline]
    pub(crate) fn transmit(&mut self) -> &[u8] {
        self.fill();
        self.out.pending()
    }

    /// Notes that the next layer took `count` octets of [`transmit`](Self::transmit).
    #[inline]
    pub(crate) fn transmitted(&mut self, count: usize) {
        self.out.take(count);
    }

    /// Notes that the transport itself has taken the first `total` octets of everything ever transmitted.
    ///
    /// A layer between (TLS) may hold octets back. A request of which the header block never got to the
    /// transport fails as `Processed::No`. When the engine has closed, that layer must
    /// drop what it still holds back. Without TLS this comes right after
    /// [`transmitted`](Self::transmitted) with the running sum.
    #[inline]
    pub(crate) fn written(&mut self, total: u64) {
        self.out.set_written(total);
    }

    /// Returns the next event, borrowed until the next call.
    #[inline]
    pub(crate) fn poll_event(&mut self) -> Option<Event<'_>> {
        self.events.poll(&mut self.recv)
    }

    /// Returns when to call [`handle_timeout`](Self::handle_timeout), on the monotonic clock; `None` is never.
    pub(crate) fn poll_timeout(&self) -> Option<Duration> {
        if self.lifecycle.is_closed() {
            return None;
        }
        let ping = self
            .keep_alive
            .poll_timeout(self.exchange.is_received(), !self.streams.is_empty());
        let turn = self.send.is_unfinished().then_some(self.now);
        [self.exchange.deadline(), ping, turn].into_iter().flatten().min()
    }

    // Frames

    fn on_frame(&mut self, head: Head, payload: &[u8]) -> Result<(), Fault> {
        self.blocks.check(head)?;
        if !self.exchange.is_received() && (head.kind != kind::SETTINGS || head.has(flag::ACK)) {
            return Err(Fault::protocol("server does not begin with settings: not http/2"));
        }
        match head.kind {
            kind::DATA => self.on_data(head, payload),
            kind::HEADERS => self.on_headers(head, payload),
            kind::PRIORITY => self.on_priority(head),
            kind::RST_STREAM => self.on_reset(head, payload),
            kind::SETTINGS => self.on_settings(head, payload),
            kind::PUSH_PROMISE => Err(Fault::protocol("push promise although push is disabled")),
            kind::PING => self.on_ping(head, payload),
            kind::GOAWAY => self.on_goaway(head, payload),
            kind::WINDOW_UPDATE => self.on_window_update(head, payload),
            kind::CONTINUATION => self.on_continuation(head, payload),
            // Extensions are ignored (§5.5).
            _ => self.flood.cheap("too many frames of unknown types"),
        }
    }

    fn on_headers(&mut self, head: Head, payload: &[u8]) -> Result<(), Fault> {
        self.streams.check_opened(head.stream)?;
        match self.blocks.headers(head, payload)? {
            Some(block) => self.on_block(head.stream, head.has(flag::END_STREAM), block),
            None => Ok(()),
        }
    }

    fn on_continuation(&mut self, head: Head, payload: &[u8]) -> Result<(), Fault> {
        let Some(block) = self.blocks.continuation(head, payload)? else {
            return Ok(());
        };
        let result = self.on_block(block.stream, block.end_stream, block.octets());
        self.blocks.give_back(block);
        result
    }

    fn on_block(&mut self, id: u32, end_stream: bool, block: &[u8]) -> Result<(), Fault> {
        if end_stream && self.recv.is_repeated(block) {
            // By far the most frequent frame there is.
            if let Some(stream) = self.streams.remove(id) {
                if stream.incoming().is_none() {
                    self.recv.repeat(block);
                    self.send.forget(id, &stream);
                    self.completed(id, &stream, OwnedEvent::Repeated(stream.request(id)));
                    return Ok(());
                }
                self.streams.put_back(id, stream);
            }
        }
        let received = self
            .recv
            .headers(id, end_stream, block, &mut self.streams, &mut self.flood)?;
        self.on_received(id, received)
    }

    fn on_data(&mut self, head: Head, payload: &[u8]) -> Result<(), Fault> {
        self.streams.check_opened(head.stream)?;
        let received = self
            .recv
            .data(head, payload, &mut self.streams, &mut self.out, &mut self.flood)?;
        self.on_received(head.stream, received)
    }

    #[inline]
    fn on_received(&mut self, id: u32, received: Received) -> Result<(), Fault> {
        match received {
            Received::More => Ok(()),
            Received::Complete => {
                if let Some(mut stream) = self.take_out(id) {
                    if let Some(event) = response_of(&mut stream, id) {
                        self.completed(id, &stream, event);
                    }
                }
                Ok(())
            }
            Received::TooLong { ended } => {
                if let Some(mut stream) = self.take_out(id) {
                    if !ended {
                        self.out.reset(id, code::CANCEL);
                    }
                    if let Some(event) = response_of(&mut stream, id) {
                        let how = if ended {
                            StreamEnd::Complete
                        } else {
                            StreamEnd::ByUs
                        };
                        self.end(id, event, how);
                    }
                }
                Ok(())
            }
            Received::NotOpen => self.on_ended(id),
            Received::Faulty(fault) => self.stream_fault(id, fault),
        }
    }

    /// Takes DATA or HEADERS on a stream that has ended (§5.1).
    fn on_ended(&mut self, id: u32) -> Result<(), Fault> {
        match self.streams.end_of(id) {
            StreamEnd::ByUs => self.flood.cheap("too many frames on ended streams"),
            StreamEnd::Complete => Err(Fault::closed("frame after the end of its stream")),
            StreamEnd::ByServer => {
                self.flood.stream_error()?;
                self.out.reset(id, code::STREAM_CLOSED);
                Ok(())
            }
        }
    }

    /// Takes PRIORITY, which means nothing to a client (RFC 9113 §5.3.2): only its form is checked.
    fn on_priority(&mut self, head: Head) -> Result<(), Fault> {
        if head.stream == 0 {
            return Err(Fault::protocol("priority on stream 0"));
        }
        if head.length == 5 {
            return self.flood.cheap("too many priority frames");
        }
        let text = "priority of a broken length";
        match self.streams.contains(head.stream) {
            true => self.stream_fault(head.stream, StreamFault::new(code::FRAME_SIZE_ERROR, text)),
            false => Err(Fault::frame_size(text)),
        }
    }

    fn on_reset(&mut self, head: Head, payload: &[u8]) -> Result<(), Fault> {
        let (4, Some(code)) = (payload.len(), u32_at(payload)) else {
            return Err(Fault::frame_size("reset of a broken length"));
        };
        self.streams.check_opened(head.stream)?;
        let Some(stream) = self.take_out(head.stream) else {
            // The first reset decided, and a reset may cross one of ours.
            return self.flood.cheap("too many resets of ended streams");
        };
        self.streams.ended(head.stream, StreamEnd::ByServer);
        let processed = match code {
            code::REFUSED_STREAM => Processed::No,
            _ => Processed::Unknown,
        };
        let text = format!("stream reset by the server: {} ({code})", code::name(code));
        let error = Error::new(ErrorKind::StreamReset, text).with_http2_code(code);
        self.break_off(head.stream, stream, processed, error);
        self.finish_if_drained();
        Ok(())
    }

    fn on_settings(&mut self, head: Head, payload: &[u8]) -> Result<(), Fault> {
        if head.stream != 0 {
            return Err(Fault::protocol("settings on a stream"));
        }
        if head.has(flag::ACK) {
            if !payload.is_empty() {
                return Err(Fault::frame_size("settings acknowledgement with a payload"));
            }
            if !self.exchange.acknowledge() {
                return self.flood.settings();
            }
            self.recv.settings_acknowledged(self.header_table_size);
            return Ok(());
        }
        if payload.len() % 6 != 0 {
            return Err(Fault::frame_size("settings of a broken length"));
        }
        self.flood.settings()?;
        for setting in settings::parse(payload) {
            self.send.apply(setting?)?;
        }
        self.out.frame(kind::SETTINGS, flag::ACK, 0, &[]);
        let event = match self.exchange.receive() {
            true => OwnedEvent::Ready,
            false => OwnedEvent::SettingsChanged(self.send.max_streams()),
        };
        self.events.push(event);
        Ok(())
    }

    fn on_ping(&mut self, head: Head, payload: &[u8]) -> Result<(), Fault> {
        if head.stream != 0 {
            return Err(Fault::protocol("ping on a stream"));
        }
        if payload.len() != 8 {
            return Err(Fault::frame_size("ping of a broken length"));
        }
        if !head.has(flag::ACK) {
            self.flood.ping()?;
            self.out.frame(kind::PING, flag::ACK, 0, payload);
            return Ok(());
        }
        match self.keep_alive.acknowledge(payload, self.now) {
            Some(time) => self.events.push(OwnedEvent::RoundTrip(time)),
            None => self.flood.ping()?,
        }
        Ok(())
    }

    fn on_goaway(&mut self, head: Head, payload: &[u8]) -> Result<(), Fault> {
        if head.stream != 0 {
            return Err(Fault::protocol("goaway on a stream"));
        }
        let (goaway, first) = self.lifecycle.read_goaway(payload)?;
        if !first {
            self.flood.goaway()?;
        }
        self.events.push(OwnedEvent::Draining(Box::new(goaway.clone())));
        let above = self.streams.above(goaway.last_stream_id);
        if !above.is_empty() {
            self.disclaimed(above, &goaway);
        }
        self.lifecycle.goaway(goaway);
        self.finish_if_drained();
        Ok(())
    }

    /// Ends the streams that the server will not process.
    fn disclaimed(&mut self, ids: Vec<u32>, goaway: &GoAway) {
        // The server would ignore their frames; and they may be on their way over another connection soon.
        let data = self.out.withdraw_above(goaway.last_stream_id);
        self.send.give_back(data);
        for id in ids {
            if let Some(stream) = self.take_out(id) {
                self.streams.ended(id, StreamEnd::ByUs);
                self.break_off(id, stream, Processed::No, goaway_error(goaway));
            }
        }
    }

    fn on_window_update(&mut self, head: Head, payload: &[u8]) -> Result<(), Fault> {
        let (4, Some(increment)) = (payload.len(), u32_at(payload)) else {
            return Err(Fault::frame_size("window update of a broken length"));
        };
        let increment = increment & MAX_31;
        if head.stream == 0 {
            self.send.raise_window(increment)?;
        } else {
            self.streams.check_opened(head.stream)?;
            if let Some(stream) = self.streams.get_mut(head.stream) {
                let update = self.send.raise_stream(head.stream, stream, increment);
                if let Update::Faulty(code, text) = update {
                    return self.stream_fault(head.stream, StreamFault::new(code, text));
                }
            }
        }
        self.flood.cheap("too many window updates")
    }

    // Endings

    /// Takes a stream out, wherever it waits.
    #[inline]
    fn take_out(&mut self, id: u32) -> Option<Stream> {
        let stream = self.streams.remove(id)?;
        self.send.forget(id, &stream);
        Some(stream)
    }

    /// Ends a stream of which the server has ended the response. `stream` has been taken out.
    #[inline]
    fn completed(&mut self, id: u32, stream: &Stream, event: OwnedEvent) {
        // An answer before the whole request was sent: the rest is of no use (§8.1).
        let early = stream.pending().is_some();
        if early {
            self.out.reset(id, code::CANCEL);
        }
        let how = if early {
            StreamEnd::ByUs
        } else {
            StreamEnd::Complete
        };
        self.end(id, event, how);
    }

    #[inline]
    fn end(&mut self, id: u32, event: OwnedEvent, how: StreamEnd) {
        self.streams.ended(id, how);
        self.events.push(event);
        self.finish_if_drained();
    }

    /// Ends a request whose exchange broke off: with what is known of the response, because
    /// a status says more than how its body ended.
    fn break_off(&mut self, id: u32, mut stream: Stream, processed: Processed, error: Error) {
        let request = stream.request(id);
        match stream.incoming_mut().take() {
            Some(mut incoming) => {
                incoming.cut();
                self.events.push(OwnedEvent::Response(request, incoming));
            }
            None => self.events.failed(request, processed, error),
        }
    }

    /// Resets a stream for a mistake of the server's (§5.4.2), and ends its request.
    fn stream_fault(&mut self, id: u32, fault: StreamFault) -> Result<(), Fault> {
        self.flood.stream_error()?;
        if let Some(stream) = self.take_out(id) {
            self.out.reset(id, fault.code);
            self.streams.ended(id, StreamEnd::ByUs);
            let error = Error::new(fault.kind, fault.text);
            self.break_off(id, stream, Processed::Unknown, error);
            self.finish_if_drained();
        }
        Ok(())
    }

    /// Ends every request, in the order in which they were sent. The server never saw those whose header block
    /// ends behind the first `written` octets.
    fn end_all(&mut self, written: u64, error: impl Fn(u32) -> Error) {
        self.send.close();
        for id in self.streams.ids() {
            if let Some(stream) = self.streams.remove(id) {
                let processed = match stream.headers_end() > written {
                    true => Processed::No,
                    false => Processed::Unknown,
                };
                self.break_off(id, stream, processed, error(id));
            }
        }
    }

    /// Ends the connection for a mistake of the server's: with GOAWAY.
    #[cold]
    fn fail(&mut self, fault: &Fault) {
        if self.lifecycle.is_closed() {
            return;
        }
        // Requests of which nothing has left are not sent any more, so that they can be
        // said not to have been.
        let written = match self.out.has_unwritten() {
            false => {
                let written = self.out.retract();
                self.out.goaway(fault.code(), fault.text());
                written
            }
            // The layer between drops what it holds back; what came after would make no sense.
            true => {
                self.out.clear();
                self.out.written()
            }
        };
        let (kind, text) = (fault.kind(), fault.text());
        self.end_all(written, |_| Error::new(kind, text));
        self.closed(CloseReason::Failed(Error::new(kind, text)));
    }

    /// Closes once nothing is in flight and nothing will be.
    #[inline]
    fn finish_if_drained(&mut self) {
        if self.lifecycle.is_draining() && self.streams.is_empty() {
            self.out.goaway(code::NO_ERROR, "");
            self.closed(self.lifecycle.reason_when_drained());
        }
    }

    fn closed(&mut self, reason: CloseReason) {
        self.lifecycle.close();
        self.frames.close();
        self.blocks.close();
        self.send.close();
        self.events.push(OwnedEvent::Closed(Box::new(reason)));
    }

    // The rest

    /// Sets the clock, which never goes backwards, whatever the caller says.
    #[inline]
    fn clock(&mut self, now: Now) {
        self.now = self.now.max(now.monotonic);
    }

    fn send_ping(&mut self) {
        let payload = self.keep_alive.ask(self.now);
        self.out.frame(kind::PING, 0, 0, &payload);
    }

    /// Writes bodies that waited, as far as the windows and one turn allow.
    #[inline]
    fn fill(&mut self) {
        let frames = self.send.fill(&mut self.streams, &mut self.out);
        if frames > 0 {
            self.flood.delayed_data_sent(frames);
        }
    }
}

/// Returns the response that `stream` has received, as an event; `None` when there is none.
#[inline]
fn response_of(stream: &mut Stream, id: u32) -> Option<OwnedEvent> {
    let mut incoming = stream.incoming_mut().take()?;
    incoming.finish();
    Some(OwnedEvent::Response(stream.request(id), incoming))
}

impl fmt::Debug for Engine {
    /// Shows no buffer: they hold tokens.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Engine")
            .field("lifecycle", &self.lifecycle)
            .field("in_flight", &self.streams.len())
            .field("capacity", &self.capacity())
            .field("window", &self.window())
            .finish_non_exhaustive()
    }
}
