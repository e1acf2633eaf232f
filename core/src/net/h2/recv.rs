//! The receiving half: responses, and the windows that we give (RFC 9113 §6.9, §8.1).

use super::config::Config;
use super::error_code as code;
use super::fault::Fault;
use super::flood::Flood;
use super::frame::{Head, flag};
use super::frame_reader::unpad;
use super::header_list::HeaderList;
use super::hpack::{Decoder, ENTRY_OVERHEAD};
use super::incoming::Incoming;
use super::repeated::RepeatedHeaders;
use super::stream::Stream;
use super::streams::Streams;
use super::write_buffer::WriteBuffer;
use crate::error::ErrorKind;
use crate::http::Response;

/// The octets of DATA below which a frame costs more than it carries.
const SMALL_DATA: usize = 256;
/// A header list this many times over the limit ends the connection.
const ABUSE: usize = 4;
/// The responses that are kept for other streams, and the octets of body buffer that stay with each: 4 MiB in all.
const POOL: usize = 1024;
const POOLED_BODY: usize = 4096;
/// The octets of response bodies that a connection holds at a time, from their arrival until their event has been looked at: 1 MiB,
/// as much as one answer of a token endpoint may be. 1,000 answers of services are 200 KiB; only error pages are larger.
const MAX_HELD: usize = 1024 * 1024;
/// The octets of its body that each response keeps although others hold [`MAX_HELD`]: reasons are shorter.
const KEPT_ANYWAY: usize = 1024;

/// Our limits, what of them the server has used, and the state of decompression.
pub(super) struct Recv {
    decoder: Decoder,
    repeated: RepeatedHeaders,
    max_header_list: usize,
    max_body: usize,
    stream_window: u32,
    connection_window: u32,
    /// The octets that the server may still send.
    window: i64,
    /// The octets received since the last WINDOW_UPDATE.
    consumed: u32,
    /// The octets of bodies that are held.
    held: usize,
    /// The octets of all header blocks, without frame heads.
    header_octets: u64,
    #[expect(
        clippy::vec_box,
        reason = "the boxes move on into streams and events as they are"
    )]
    pool: Vec<Box<Incoming>>,
}

/// The meaning of a header block or of DATA for its stream.
pub(super) enum Received {
    /// The response goes on.
    More,
    /// The response is complete.
    Complete,
    /// The body is longer than what is kept; the server has `ended` the stream, or has more.
    TooLong { ended: bool },
    /// The stream is not open.
    NotOpen,
    /// The server made a mistake that costs it the stream.
    Faulty(StreamFault),
}

/// A stream error (§5.4.2).
pub(super) struct StreamFault {
    pub(super) code: u32,
    pub(super) kind: ErrorKind,
    pub(super) text: &'static str,
}

impl StreamFault {
    /// Returns an error of the protocol.
    pub(super) fn new(code: u32, text: &'static str) -> Self {
        Self {
            code,
            kind: ErrorKind::Http2Protocol,
            text,
        }
    }
}

impl Recv {
    pub(super) fn new(config: &Config) -> Self {
        Self {
            decoder: Decoder::new(config.header_table_size as usize),
            repeated: RepeatedHeaders::default(),
            max_header_list: config.max_header_list as usize,
            max_body: config.max_response_body,
            stream_window: config.initial_window,
            connection_window: config.connection_window,
            window: i64::from(config.connection_window),
            consumed: 0,
            held: 0,
            header_octets: 0,
            pool: Vec::new(),
        }
    }

    pub(super) fn header_octets(&self) -> u64 {
        self.header_octets
    }

    /// Notes that the server acknowledged our SETTINGS, which allow a table of `size`.
    pub(super) fn settings_acknowledged(&mut self, size: u32) {
        self.decoder.acknowledged(size as usize);
    }

    /// Takes a whole header block.
    #[inline]
    pub(super) fn headers(
        &mut self,
        id: u32,
        end_stream: bool,
        block: &[u8],
        streams: &mut Streams,
        flood: &mut Flood,
    ) -> Result<Received, Fault> {
        self.header_octets += block.len() as u64;
        if !end_stream && self.repeated.matches(block, self.decoder.generation()) {
            if let Some(received) = self.repeated_headers(id, streams) {
                return Ok(received);
            }
        }
        match streams.get_mut(id) {
            None => self.unwanted_headers(block),
            Some(stream) if stream.incoming().is_some() => self.trailers(end_stream, block),
            Some(stream) => self.response_headers(end_stream, block, stream, flood),
        }
    }

    /// Returns whether `block` is a complete response, and the same as the last one: there is nothing to decode then, its fields
    /// have been found to be good.
    #[inline]
    pub(super) fn is_repeated(&self, block: &[u8]) -> bool {
        self.repeated.matches(block, self.decoder.generation()) && self.repeated.is_complete()
    }

    /// Takes a block that [is repeated](Self::is_repeated), in place of [`headers`](Self::headers).
    #[inline]
    pub(super) fn repeat(&mut self, block: &[u8]) {
        self.header_octets += block.len() as u64;
        self.repeated.retain();
    }

    /// Takes the block of the last response once more, before a body. `None` where the stream does not begin its
    /// response with it.
    fn repeated_headers(&mut self, id: u32, streams: &mut Streams) -> Option<Received> {
        let stream = streams.get_mut(id)?;
        if stream.incoming().is_some() {
            return None;
        }
        let mut incoming = self.pool.pop().unwrap_or_default();
        incoming.begin(self.stream_window);
        self.repeated.fill(&mut incoming);
        *stream.incoming_mut() = Some(incoming);
        Some(Received::More)
    }

    /// Decodes a block that nobody wants: it changes the table all the same.
    fn unwanted_headers(&mut self, block: &[u8]) -> Result<Received, Fault> {
        let mut size = 0usize;
        self.decoder
            .decode(block, |name, value| {
                size = size.saturating_add(name.len() + value.len() + ENTRY_OVERHEAD)
            })
            .map_err(|error| Fault::compression(error.0))?;
        self.check_abuse(size)?;
        Ok(Received::NotOpen)
    }

    fn check_abuse(&self, size: usize) -> Result<(), Fault> {
        match size > self.max_header_list.saturating_mul(ABUSE) {
            true => Err(Fault::flood("header list far above the limit")),
            false => Ok(()),
        }
    }

    /// Takes trailers. They say nothing that a push service's answer depends on.
    fn trailers(&mut self, end_stream: bool, block: &[u8]) -> Result<Received, Fault> {
        let mut list = HeaderList::new(self.max_header_list, None);
        self.decoder
            .decode(block, |name, value| list.field(name, value))
            .map_err(|error| Fault::compression(error.0))?;
        let summary = list.finish();
        self.check_abuse(summary.size)?;
        let broken = summary
            .broken
            .or((!end_stream).then_some("trailers that do not end the stream"));
        Ok(match broken {
            Some(text) => Received::Faulty(StreamFault::new(code::PROTOCOL_ERROR, text)),
            None if summary.size > self.max_header_list => Received::Faulty(list_too_long()),
            None => Received::Complete,
        })
    }

    /// Takes an interim or final response.
    #[inline]
    fn response_headers(
        &mut self,
        end_stream: bool,
        block: &[u8],
        stream: &mut Stream,
        flood: &mut Flood,
    ) -> Result<Received, Fault> {
        let mut incoming = self.pool.pop().unwrap_or_default();
        incoming.begin(self.stream_window);
        let generation = self.decoder.generation();
        let mut list = HeaderList::new(self.max_header_list, Some(incoming.response_mut()));
        self.decoder
            .decode(block, |name, value| list.field(name, value))
            .map_err(|error| Fault::compression(error.0))?;
        let summary = list.finish();
        self.check_abuse(summary.size)?;
        let status = summary.status;
        incoming.response_mut().status = status;
        let broken = match summary.broken {
            Some(text) => Some(text),
            None if status == 0 => Some("response without a status"),
            None if status == 101 => Some("switching protocols on http/2"),
            None if status < 200 && end_stream => Some("informational response that ends the stream"),
            None => None,
        };
        if let Some(text) = broken {
            self.recycle(incoming);
            return Ok(Received::Faulty(StreamFault::new(code::PROTOCOL_ERROR, text)));
        }
        if summary.size > self.max_header_list {
            // Too long a list is cut, and its status counts.
            match status >= 200 {
                true => *stream.incoming_mut() = Some(incoming),
                false => self.recycle(incoming),
            }
            return Ok(Received::Faulty(list_too_long()));
        }
        if status < 200 {
            self.recycle(incoming);
            flood.interim()?;
            return Ok(Received::More);
        }
        incoming.set_content_length(summary.content_length);
        // One that changed the table has to change it every time.
        if self.repeated.comes_again(block) && generation == self.decoder.generation() {
            self.repeated.remember(block, generation, &incoming);
        }
        *stream.incoming_mut() = Some(incoming);
        Ok(match end_stream {
            true => Received::Complete,
            false => Received::More,
        })
    }

    /// Takes DATA.
    pub(super) fn data(
        &mut self,
        head: Head,
        payload: &[u8],
        streams: &mut Streams,
        out: &mut WriteBuffer,
        flood: &mut Flood,
    ) -> Result<Received, Fault> {
        let data = unpad(head, payload)?;
        let end_stream = head.has(flag::END_STREAM);
        self.spend_window(head.length, out)?;
        if data.len() < SMALL_DATA && !end_stream {
            flood.cheap("too many small data frames")?;
        }
        let Some(stream) = streams.get_mut(head.stream) else {
            return Ok(Received::NotOpen);
        };
        let Some(incoming) = stream.incoming_mut() else {
            let fault = StreamFault::new(code::PROTOCOL_ERROR, "data before headers");
            return Ok(Received::Faulty(fault));
        };
        if !incoming.spend_window(head.length) {
            let fault = StreamFault::new(code::FLOW_CONTROL_ERROR, "data beyond the stream window");
            return Ok(Received::Faulty(fault));
        }
        let before = incoming.response().body.len();
        let free = MAX_HELD.max(self.max_body).saturating_sub(self.held);
        let limit = self.max_body.min(KEPT_ANYWAY.max(before + free));
        let whole = incoming.append(data, limit);
        self.held += incoming.response().body.len() - before;
        if !whole {
            return Ok(Received::TooLong { ended: end_stream });
        }
        if end_stream {
            return Ok(Received::Complete);
        }
        if let Some(increment) = incoming.consume(head.length as u32, self.stream_window / 2) {
            out.window_update(head.stream, increment);
        }
        Ok(Received::More)
    }

    /// Takes octets from the connection's window, and gives them back once they are half of it. Padding counts, and
    /// so does what arrives for streams that have ended (§6.9).
    fn spend_window(&mut self, octets: usize, out: &mut WriteBuffer) -> Result<(), Fault> {
        self.window -= octets as i64;
        if self.window < 0 {
            return Err(Fault::flow("data beyond the connection window"));
        }
        self.consumed += octets as u32;
        if self.consumed >= self.connection_window / 2 {
            out.window_update(0, self.consumed);
            self.window += i64::from(self.consumed);
            self.consumed = 0;
        }
        Ok(())
    }

    /// Returns the repeated response for one of the events that refer to it.
    #[inline]
    pub(super) fn repeated_response(&mut self) -> &Response {
        self.repeated.take()
    }

    /// Takes back a response that has been read, for another stream.
    pub(super) fn recycle(&mut self, mut incoming: Box<Incoming>) {
        let body = &mut incoming.response_mut().body;
        self.held = self.held.saturating_sub(body.len());
        if self.pool.len() < POOL {
            body.clear();
            body.shrink_to(POOLED_BODY);
            self.pool.push(incoming);
        }
    }
}

fn list_too_long() -> StreamFault {
    StreamFault {
        code: code::ENHANCE_YOUR_CALM,
        kind: ErrorKind::LimitExceeded,
        text: "header list above the limit",
    }
}
