//! Responses: header lists, bodies, and the rules that they keep (RFC 9113 §8).

use super::engine::Engine;
use super::frame::{Head, code, flag, kind};
use super::hpack::ENTRY_OVERHEAD;
use super::queued::Queued;
use super::receive::{Fault, unpad};
use super::stream::{Ended, Stream};
use crate::error::ErrorKind;
use crate::http::{Response, is_name};

/// DATA frames below this cost more than they carry.
const SMALL_DATA: usize = 256;
/// What a complete response gives back of the budget for small frames.
const SMALL_DATA_PER_RESPONSE: u32 = 16;
/// A header list this many times over the limit ends the connection.
const ABUSE: usize = 4;

impl Engine {
    /// A complete header block.
    pub(super) fn on_block(&mut self, id: u32, end_stream: bool, block: &[u8]) -> Result<(), Fault> {
        self.header_bytes.received += block.len() as u64;
        let generation = self.decoder.generation();
        if self.known.is(block, generation) && self.on_known_block(id, end_stream) {
            return Ok(());
        }
        let limit = self.config.max_header_list as usize;
        let abuse = limit.saturating_mul(ABUSE);
        let Some(stream) = self.streams.get_mut(u64::from(id)) else {
            // Even a block that nobody wants has to be decoded: it changes the table.
            let mut size = 0usize;
            self.decoder
                .decode(block, |name, value| {
                    size = size.saturating_add(name.len() + value.len() + ENTRY_OVERHEAD)
                })
                .map_err(|error| Fault::compression(error.0))?;
            if size > abuse {
                return Err(Fault::flood("header list far above the limit"));
            }
            return self.on_ended(id);
        };
        let trailers = stream.incoming.is_some();
        let mut incoming = match trailers {
            true => None,
            false => Some(self.pool.pop().unwrap_or_default()),
        };
        if let Some(incoming) = &mut incoming {
            incoming.begin(self.config.initial_window);
        }
        let response = incoming.as_deref_mut().map(|incoming| &mut incoming.response);
        let mut list = List::new(limit, response);
        let decoded = self.decoder.decode(block, |name, value| list.field(name, value));
        let List {
            status,
            size,
            verdict,
            content_length,
            ..
        } = list;
        if let Err(error) = decoded {
            return Err(Fault::compression(error.0));
        }
        if size > abuse {
            return Err(Fault::flood("header list far above the limit"));
        }
        let malformed = |text| (code::PROTOCOL_ERROR, ErrorKind::Http2Protocol, text);
        let verdict = match verdict {
            Some(text) => Some(malformed(text)),
            None if trailers && !end_stream => Some(malformed("trailers that do not end the stream")),
            None if !trailers && status == 0 => Some(malformed("response without a status")),
            None if status == 101 => Some(malformed("switching protocols on http/2")),
            None if (100..200).contains(&status) && end_stream => {
                Some(malformed("informational response that ends the stream"))
            }
            None if size > limit => Some((
                code::ENHANCE_YOUR_CALM,
                ErrorKind::LimitExceeded,
                "header list above the limit",
            )),
            None => None,
        };
        let Some(mut incoming) = incoming else {
            // Trailers say nothing that a push service's answer depends on.
            return match verdict {
                Some((code, kind, text)) => self.stream_fault(id, code, kind, text),
                None => {
                    self.complete(id);
                    Ok(())
                }
            };
        };
        incoming.response.status = status;
        match verdict {
            Some((code, kind, text)) => {
                // Too long a list is cut, and its status counts; a malformed one counts for nothing.
                if kind == ErrorKind::LimitExceeded && status >= 200 {
                    stream.incoming = Some(incoming);
                } else {
                    self.recycle(incoming);
                }
                self.stream_fault(id, code, kind, text)
            }
            None if status < 200 => {
                self.recycle(incoming);
                match self.budgets.informational.spend(self.now) {
                    true => Ok(()),
                    false => Err(Fault::flood("too many informational responses")),
                }
            }
            None => {
                incoming.content_length = content_length;
                // One that changed the table has to change it every time.
                if self.known.comes_again(block) && generation == self.decoder.generation() {
                    self.known.learn(block, generation, &incoming);
                }
                stream.incoming = Some(incoming);
                if end_stream {
                    self.complete(id);
                }
                Ok(())
            }
        }
    }

    /// The block of the last response once more: what is in it has been found to be good. False where
    /// the stream does not begin its response with it.
    fn on_known_block(&mut self, id: u32, end_stream: bool) -> bool {
        if end_stream && self.known.is_whole() {
            let Some(stream) = self.streams.remove(u64::from(id)) else {
                return false;
            };
            if stream.incoming.is_none() {
                self.known.quote();
                self.completed(id, &stream, Queued::Known(stream.request(id)));
                return true;
            }
            self.streams.insert(u64::from(id), stream);
            return false;
        }
        let Some(stream) = self.streams.get_mut(u64::from(id)) else {
            return false;
        };
        if stream.incoming.is_some() {
            return false;
        }
        let mut incoming = self.pool.pop().unwrap_or_default();
        incoming.begin(self.config.initial_window);
        self.known.tell(&mut incoming);
        stream.incoming = Some(incoming);
        if end_stream {
            self.complete(id);
        }
        true
    }

    pub(super) fn on_data(&mut self, head: Head, payload: &[u8]) -> Result<(), Fault> {
        self.check_used(head.stream)?;
        let data = unpad(head, payload)?;
        let end_stream = head.has(flag::END_STREAM);
        // Padding counts, and so does what arrives for streams that have ended (§6.9).
        self.receive_window -= head.length as i64;
        if self.receive_window < 0 {
            return Err(Fault::flow("data beyond the connection window"));
        }
        let used = head.length as u32;
        self.consumed += used;
        if self.consumed >= self.config.connection_window / 2 {
            self.out
                .frame(kind::WINDOW_UPDATE, 0, 0, &self.consumed.to_be_bytes());
            self.receive_window += i64::from(self.consumed);
            self.consumed = 0;
        }
        if data.len() < SMALL_DATA && !end_stream && !self.budgets.small_data.spend(self.now) {
            return Err(Fault::flood("too many small data frames"));
        }
        let id = head.stream;
        let Some(stream) = self.streams.get_mut(u64::from(id)) else {
            return self.on_ended(id);
        };
        let Some(incoming) = stream.incoming.as_deref_mut() else {
            return self.stream_error(id, code::PROTOCOL_ERROR, "data before headers");
        };
        incoming.window -= head.length as i64;
        if incoming.window < 0 {
            return self.stream_error(id, code::FLOW_CONTROL_ERROR, "data beyond the stream window");
        }
        incoming.received += data.len() as u64;
        let response = &mut incoming.response;
        let room = self.config.max_response_body.saturating_sub(response.body.len());
        if data.len() > room {
            response
                .body
                .extend_from_slice(data.get(..room).unwrap_or_default());
            response.truncated = true;
            if !end_stream {
                self.write_reset(id, code::CANCEL);
            }
            self.end_with_response(id, if end_stream { Ended::Complete } else { Ended::ByUs });
            return Ok(());
        }
        response.body.extend_from_slice(data);
        if end_stream {
            self.complete(id);
            return Ok(());
        }
        incoming.consumed += used;
        if incoming.consumed >= self.config.initial_window / 2 {
            self.out
                .frame(kind::WINDOW_UPDATE, 0, id, &incoming.consumed.to_be_bytes());
            incoming.window += i64::from(incoming.consumed);
            incoming.consumed = 0;
        }
        Ok(())
    }

    /// The server ended the stream after a final response.
    fn complete(&mut self, id: u32) {
        if let Some(mut stream) = self.streams.remove(u64::from(id)) {
            if let Some(event) = response_of(&mut stream, id) {
                self.completed(id, &stream, event);
            }
        }
    }

    /// `stream` is out of the table.
    #[inline]
    fn completed(&mut self, id: u32, stream: &Stream, event: Queued) {
        // An answer before the whole request was sent: the rest is of no use (§8.1).
        let early = stream.pending.is_some();
        if early {
            self.write_reset(id, code::CANCEL);
        }
        self.budgets.small_data.earn(SMALL_DATA_PER_RESPONSE);
        self.ended(id, event, if early { Ended::ByUs } else { Ended::Complete });
    }

    fn end_with_response(&mut self, id: u32, how: Ended) {
        if let Some(mut stream) = self.streams.remove(u64::from(id)) {
            if let Some(event) = response_of(&mut stream, id) {
                self.ended(id, event, how);
            }
        }
    }

    #[inline]
    fn ended(&mut self, id: u32, event: Queued, how: Ended) {
        self.history.push(id, how);
        self.events.push_back(event);
        self.finish_if_drained();
    }
}

/// The response that `stream` has received, as an event.
fn response_of(stream: &mut Stream, id: u32) -> Option<Queued> {
    let mut incoming = stream.incoming.take()?;
    if !is_whole(
        incoming.response.status,
        incoming.content_length,
        incoming.received,
    ) {
        incoming.response.truncated = true;
    }
    Some(Queued::Response(stream.request(id), incoming))
}

/// Whether so many octets of a body are all of it.
pub(super) fn is_whole(status: u16, content_length: Option<u64>, received: u64) -> bool {
    // 204 and 304 have no body, whatever the length says (RFC 9110 §8.6).
    matches!(status, 204 | 304) || content_length.is_none_or(|length| length == received)
}

/// A header list while it is decoded.
struct List<'a> {
    limit: usize,
    /// `None` for trailers.
    response: Option<&'a mut Response>,
    status: u16,
    size: usize,
    regular: bool,
    content_length: Option<u64>,
    /// What is wrong with it.
    verdict: Option<&'static str>,
}

impl<'a> List<'a> {
    fn new(limit: usize, response: Option<&'a mut Response>) -> Self {
        Self {
            limit,
            response,
            status: 0,
            size: 0,
            regular: false,
            content_length: None,
            verdict: None,
        }
    }

    fn field(&mut self, name: &[u8], value: &[u8]) {
        self.size = self
            .size
            .saturating_add(name.len() + value.len() + ENTRY_OVERHEAD);
        if self.size > self.limit || self.verdict.is_some() {
            return;
        }
        if let Err(text) = self.check(name, value) {
            self.verdict = Some(text);
        }
    }

    fn check(&mut self, name: &[u8], value: &[u8]) -> Result<(), &'static str> {
        if name.first() == Some(&b':') {
            if name != b":status" || self.response.is_none() {
                return Err("pseudo-header that has no place in a response");
            }
            if self.status != 0 || self.regular {
                return Err("status twice or after other headers");
            }
            self.status = parse_status(value).ok_or("status is not three digits")?;
            return Ok(());
        }
        self.regular = true;
        if !is_name(name) {
            return Err("header name is not a lower-case token");
        }
        if !is_value(value) {
            return Err("header value with control characters or outer spaces");
        }
        match name {
            b"connection" | b"transfer-encoding" | b"keep-alive" | b"proxy-connection" | b"upgrade" => {
                return Err("connection-specific header");
            }
            b"content-length" => {
                let length = parse_length(value).ok_or("content-length is not a number")?;
                if self.content_length.is_some_and(|before| before != length) {
                    return Err("two different content-lengths");
                }
                self.content_length = Some(length);
            }
            _ => {}
        }
        if let Some(response) = &mut self.response {
            response.headers.push_received(name, value);
        }
        Ok(())
    }
}

fn parse_status(value: &[u8]) -> Option<u16> {
    let [a, b, c] = *value.first_chunk::<3>()?;
    if value.len() != 3 || ![a, b, c].iter().all(u8::is_ascii_digit) || a == b'0' {
        return None;
    }
    let digit = |byte: u8| u16::from(byte - b'0');
    Some(digit(a) * 100 + digit(b) * 10 + digit(c))
}

fn parse_length(value: &[u8]) -> Option<u64> {
    if value.is_empty() || !value.iter().all(u8::is_ascii_digit) {
        return None;
    }
    std::str::from_utf8(value).ok()?.parse().ok()
}

/// No CR, LF, NUL, nor any other control character but TAB, and no space or TAB at either end.
fn is_value(value: &[u8]) -> bool {
    let outer = |byte: Option<&u8>| matches!(byte, Some(b' ' | b'\t'));
    // Without an early end, in whole bytes: so it is done many at a time.
    let bad = value.iter().fold(0, |bad, &b| {
        bad | u8::from((b < 0x20) & (b != b'\t')) | u8::from(b == 0x7f)
    });
    bad == 0 && !outer(value.first()) && !outer(value.last())
}
