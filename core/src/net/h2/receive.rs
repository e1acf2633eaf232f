//! Frames on their way in.

use super::engine::{Engine, Phase, Ping};
use super::frame::{DEFAULT_MAX_FRAME, HEAD, Head, MAX_31, code, flag, kind, u32_at};
use super::queued::Queued;
use super::stream::Ended;
use crate::error::ErrorKind;
use crate::net::GoAway;
use crate::time::Now;

/// What makes the whole connection unusable: a connection error (RFC 9113 §5.4.1).
#[derive(Clone, Debug)]
pub(super) struct Fault {
    pub(super) code: u32,
    pub(super) kind: ErrorKind,
    pub(super) text: &'static str,
}

impl Fault {
    fn new(code: u32, text: &'static str) -> Self {
        Self {
            code,
            kind: ErrorKind::Http2Protocol,
            text,
        }
    }

    pub(super) fn protocol(text: &'static str) -> Self {
        Self::new(code::PROTOCOL_ERROR, text)
    }

    pub(super) fn frame_size(text: &'static str) -> Self {
        Self::new(code::FRAME_SIZE_ERROR, text)
    }

    pub(super) fn flow(text: &'static str) -> Self {
        Self::new(code::FLOW_CONTROL_ERROR, text)
    }

    pub(super) fn closed(text: &'static str) -> Self {
        Self::new(code::STREAM_CLOSED, text)
    }

    pub(super) fn compression(text: &'static str) -> Self {
        Self::new(code::COMPRESSION_ERROR, text)
    }

    pub(super) fn flood(text: &'static str) -> Self {
        Self {
            code: code::ENHANCE_YOUR_CALM,
            kind: ErrorKind::LimitExceeded,
            text,
        }
    }
}

/// A header block under way.
pub(super) struct Continuation {
    pub(super) stream: u32,
    pub(super) end_stream: bool,
    pub(super) frames: u32,
}

/// A header list within our limit fits into far fewer.
const MAX_CONTINUATIONS: u32 = 5;
/// How much of a GOAWAY's debug data is kept.
const MAX_DEBUG_DATA: usize = 4096;

impl Engine {
    /// Takes octets from the server, in pieces of any size. Nothing is read once the
    /// connection is closed.
    pub fn receive(&mut self, mut input: &[u8], now: Now) {
        self.clock(now);
        if input.is_empty() || self.phase == Phase::Closed {
            return;
        }
        self.last_received = self.now;
        if let (Some(ping), Some(policy)) = (&mut self.ping, &self.config.ping) {
            // Whatever arrives shows that the server lives.
            if ping.deadline.is_some() {
                ping.deadline = Some(self.now.saturating_add(policy.acknowledge));
            }
        }
        while !input.is_empty() && self.phase != Phase::Closed {
            let result = match self.partial.is_empty() {
                true => self.whole(&mut input),
                false => self.pieced(&mut input),
            };
            if let Err(fault) = result {
                self.fail(&fault);
            }
        }
    }

    /// Handles the frame at the front of `input` where it stands, or keeps its beginning.
    fn whole(&mut self, input: &mut &[u8]) -> Result<(), Fault> {
        let Some(head) = Head::parse(input) else {
            self.partial.extend_from_slice(input);
            *input = &[];
            return Ok(());
        };
        check_length(head)?;
        match input.get(HEAD..HEAD + head.length) {
            Some(payload) => {
                *input = input.get(HEAD + head.length..).unwrap_or_default();
                self.frame(head, payload)
            }
            None => {
                self.partial.extend_from_slice(input);
                *input = &[];
                Ok(())
            }
        }
    }

    /// Adds to the frame of which a beginning is kept.
    fn pieced(&mut self, input: &mut &[u8]) -> Result<(), Fault> {
        self.gather(HEAD, input);
        let Some(head) = Head::parse(&self.partial) else {
            return Ok(());
        };
        check_length(head)?;
        self.gather(HEAD + head.length, input);
        if self.partial.len() < HEAD + head.length {
            return Ok(());
        }
        let mut whole = std::mem::take(&mut self.partial);
        let result = self.frame(head, whole.get(HEAD..).unwrap_or_default());
        whole.clear();
        self.partial = whole;
        result
    }

    fn gather(&mut self, wanted: usize, input: &mut &[u8]) {
        let missing = wanted.saturating_sub(self.partial.len()).min(input.len());
        let (piece, rest) = input.split_at(missing);
        self.partial.extend_from_slice(piece);
        *input = rest;
    }

    fn frame(&mut self, head: Head, payload: &[u8]) -> Result<(), Fault> {
        if let Some(block) = &self.continuation {
            if head.kind != kind::CONTINUATION || head.stream != block.stream {
                return Err(Fault::protocol("header block interrupted by another frame"));
            }
        }
        if !self.ready && (head.kind != kind::SETTINGS || head.has(flag::ACK)) {
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
            _ => Ok(()),
        }
    }

    fn on_headers(&mut self, head: Head, payload: &[u8]) -> Result<(), Fault> {
        self.check_used(head.stream)?;
        let mut fragment = unpad(head, payload)?;
        if head.has(flag::PRIORITY) {
            fragment = fragment
                .get(5..)
                .ok_or(Fault::frame_size("headers too short for their priority"))?;
        }
        let end_stream = head.has(flag::END_STREAM);
        if head.has(flag::END_HEADERS) {
            return self.on_block(head.stream, end_stream, fragment);
        }
        self.block.extend_from_slice(fragment);
        self.continuation = Some(Continuation {
            stream: head.stream,
            end_stream,
            frames: 0,
        });
        Ok(())
    }

    fn on_continuation(&mut self, head: Head, payload: &[u8]) -> Result<(), Fault> {
        let Some(block) = &mut self.continuation else {
            return Err(Fault::protocol("continuation without headers"));
        };
        block.frames += 1;
        if block.frames > MAX_CONTINUATIONS {
            return Err(Fault::flood("too many continuation frames"));
        }
        let (stream, end_stream) = (block.stream, block.end_stream);
        self.block.extend_from_slice(payload);
        if head.has(flag::END_HEADERS) {
            self.continuation = None;
            let mut block = std::mem::take(&mut self.block);
            let result = self.on_block(stream, end_stream, &block);
            block.clear();
            self.block = block;
            return result;
        }
        Ok(())
    }

    /// Priorities mean nothing to a client (RFC 9113 §5.3.2), only their form is checked.
    fn on_priority(&mut self, head: Head) -> Result<(), Fault> {
        if head.stream == 0 {
            return Err(Fault::protocol("priority on stream 0"));
        }
        if head.length == 5 {
            return Ok(());
        }
        if !self.streams.contains(u64::from(head.stream)) {
            return Err(Fault::frame_size("priority of a broken length"));
        }
        self.stream_error(head.stream, code::FRAME_SIZE_ERROR, "priority of a broken length")
    }

    fn on_reset(&mut self, head: Head, payload: &[u8]) -> Result<(), Fault> {
        let (4, Some(code)) = (payload.len(), u32_at(payload)) else {
            return Err(Fault::frame_size("reset of a broken length"));
        };
        self.check_used(head.stream)?;
        if self.streams.contains(u64::from(head.stream)) {
            self.reset_by_server(head.stream, code);
            return Ok(());
        }
        // The first reset decided, and a reset may cross one of ours. Honest servers send one after each
        // early response (§8.1), and APNs two for each stream above a limit it has just lowered:
        // a thousand at once are no attack.
        match self.budgets.small_data.spend(self.now) {
            true => Ok(()),
            false => Err(Fault::flood("too many resets of ended streams")),
        }
    }

    fn on_ping(&mut self, head: Head, payload: &[u8]) -> Result<(), Fault> {
        if head.stream != 0 {
            return Err(Fault::protocol("ping on a stream"));
        }
        if payload.len() != 8 {
            return Err(Fault::frame_size("ping of a broken length"));
        }
        if !head.has(flag::ACK) {
            if !self.budgets.pings.spend(self.now) {
                return Err(Fault::flood("too many pings"));
            }
            self.out.frame(kind::PING, flag::ACK, 0, payload);
            return Ok(());
        }
        if let Some(Ping { sent, .. }) = self.ping.take_if(|ping| ping.payload == payload) {
            self.events
                .push_back(Queued::RoundTrip(self.now.saturating_sub(sent)));
        }
        Ok(())
    }

    fn on_goaway(&mut self, head: Head, payload: &[u8]) -> Result<(), Fault> {
        if head.stream != 0 {
            return Err(Fault::protocol("goaway on a stream"));
        }
        let (Some(last), Some(code)) = (u32_at(payload), payload.get(4..).and_then(u32_at)) else {
            return Err(Fault::frame_size("goaway too short"));
        };
        let last = last & MAX_31;
        if self
            .goaway
            .as_ref()
            .is_some_and(|before| last > before.last_stream_id)
        {
            return Err(Fault::protocol("goaway raises its last stream id"));
        }
        if self.goaway.is_some() && !self.budgets.resets.spend(self.now) {
            return Err(Fault::flood("too many goaway frames"));
        }
        let debug_data = payload.get(8..).unwrap_or_default();
        let goaway = GoAway {
            last_stream_id: last,
            code,
            debug_data: debug_data.get(..MAX_DEBUG_DATA).unwrap_or(debug_data).to_vec(),
        };
        self.goaway_by_server(goaway);
        Ok(())
    }

    fn on_window_update(&mut self, head: Head, payload: &[u8]) -> Result<(), Fault> {
        let (4, Some(increment)) = (payload.len(), u32_at(payload)) else {
            return Err(Fault::frame_size("window update of a broken length"));
        };
        let increment = increment & MAX_31;
        let limit = i64::from(MAX_31);
        if head.stream == 0 {
            if increment == 0 {
                return Err(Fault::protocol("window update of zero"));
            }
            self.send_window += i64::from(increment);
            if self.send_window > limit {
                return Err(Fault::flow("connection window above 2^31-1"));
            }
            self.flush_bodies();
            return Ok(());
        }
        self.check_used(head.stream)?;
        let Some(stream) = self.streams.get_mut(u64::from(head.stream)) else {
            return Ok(());
        };
        if increment == 0 {
            return self.stream_error(head.stream, code::PROTOCOL_ERROR, "window update of zero");
        }
        stream.send_window += i64::from(increment);
        if stream.send_window > limit {
            return self.stream_error(
                head.stream,
                code::FLOW_CONTROL_ERROR,
                "stream window above 2^31-1",
            );
        }
        if stream.pending.is_some() {
            self.flush_bodies();
        }
        Ok(())
    }

    /// Refuses frames on streams that never were: stream 0, the server's, and idle ones (§5.1).
    pub(super) fn check_used(&self, id: u32) -> Result<(), Fault> {
        if id % 2 == 0 || id > self.highest_id() || id < (self.config.initial_stream_id.min(MAX_31) | 1) {
            return Err(Fault::protocol("frame on a stream that was never opened"));
        }
        Ok(())
    }

    /// DATA or HEADERS on a stream that has ended (§5.1).
    pub(super) fn on_ended(&mut self, id: u32) -> Result<(), Fault> {
        match self.history.get(id) {
            Ended::ByUs => Ok(()),
            Ended::Complete => Err(Fault::closed("frame after the end of its stream")),
            Ended::ByServer => {
                self.spend_reset()?;
                self.write_reset(id, code::STREAM_CLOSED);
                Ok(())
            }
        }
    }

    pub(super) fn write_reset(&mut self, id: u32, code: u32) {
        self.out.frame(kind::RST_STREAM, 0, id, &code.to_be_bytes());
    }

    pub(super) fn spend_reset(&mut self) -> Result<(), Fault> {
        match self.budgets.resets.spend(self.now) {
            true => Ok(()),
            false => Err(Fault::flood("too many stream errors")),
        }
    }
}

fn check_length(head: Head) -> Result<(), Fault> {
    match head.length > DEFAULT_MAX_FRAME {
        true => Err(Fault::frame_size("frame is larger than allowed")),
        false => Ok(()),
    }
}

/// The payload without its padding (§6.1).
pub(super) fn unpad(head: Head, payload: &[u8]) -> Result<&[u8], Fault> {
    if !head.has(flag::PADDED) {
        return Ok(payload);
    }
    let (&padding, rest) = payload
        .split_first()
        .ok_or(Fault::frame_size("padded frame without a length"))?;
    rest.len()
        .checked_sub(usize::from(padding))
        .and_then(|length| rest.get(..length))
        .ok_or(Fault::protocol("padding is longer than the frame"))
}
