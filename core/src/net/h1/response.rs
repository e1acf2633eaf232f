//! Reading one response (RFC 9112 §4–§7), however it is cut into pieces.

use std::time::Duration;

use crate::error::{Error, ErrorKind};
use crate::http::Response;

/// Details header fields than any service sends.
const MAX_FIELDS: usize = 96;
/// Interim (1xx) responses before the final one.
const MAX_INTERIM: u32 = 32;
/// A chunk's size line with its extensions, which are ignored.
const MAX_CHUNK_LINE: usize = 4 * 1024;

/// Where the reader is within a response.
#[derive(Debug)]
enum State {
    Head,
    /// This many bytes of body are to come.
    Fixed(u64),
    ChunkSize,
    ChunkData(u64),
    ChunkEnd,
    Trailers,
    UntilEof,
}

/// The result of feeding bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Progress {
    /// The response goes on.
    Details,
    /// The response is complete (or cut at the body limit).
    Done {
        /// Whether another request may follow on this connection.
        keep_alive: bool,
    },
}

/// Reads one response.
#[derive(Debug)]
pub(super) struct Reader {
    max_head: usize,
    max_body: usize,
    state: State,
    /// The head, a chunk's line, or the trailers, until complete.
    buffer: Vec<u8>,
    interim: u32,
    /// Whether the request was a HEAD, whose answer has no body whatever its headers say (RFC 9112 §6.3).
    bodiless: bool,
    keep_alive: bool,
    idle_limit: Option<Duration>,
}

impl Reader {
    pub(super) fn new(max_head: usize, max_body: usize) -> Self {
        Self {
            max_head,
            max_body,
            state: State::Head,
            buffer: Vec::new(),
            interim: 0,
            bodiless: false,
            keep_alive: false,
            idle_limit: None,
        }
    }

    /// How long the server keeps the connection after the last response that said so (`Keep-Alive: timeout=5`);
    /// `None` where none did.
    pub(super) fn idle_limit(&self) -> Option<Duration> {
        self.idle_limit
    }

    /// Ready for the next response; `bodiless` when the request was a HEAD.
    pub(super) fn reset(&mut self, bodiless: bool) {
        self.bodiless = bodiless;
        self.state = State::Head;
        self.buffer.clear();
        self.interim = 0;
    }

    /// Whether the final status is known: from then on nothing can take it away.
    pub(super) fn has_status(&self) -> bool {
        !matches!(self.state, State::Head)
    }

    /// The byte stream has ended. Whether the body was complete: `clean` is whether
    /// the end was announced (close_notify), without which a body that runs to the
    /// end may have been cut.
    pub(super) fn ends_well(&self, clean: bool) -> bool {
        matches!(self.state, State::UntilEof) && clean
    }

    /// Takes bytes from the front of `bytes` until the response is complete.
    ///
    /// # Errors
    /// `Http1Protocol` or `LimitExceeded`. With [`has_status`](Self::has_status) the
    /// response holds what came before the fault.
    pub(super) fn feed(&mut self, bytes: &mut &[u8], response: &mut Response) -> Result<Progress, Error> {
        // A body of no bytes is complete before its first byte.
        loop {
            match self.state {
                State::Fixed(0) => return Ok(self.done()),
                _ if bytes.is_empty() => return Ok(Progress::Details),
                State::Head => {
                    if self.take_head(bytes)? {
                        self.read_head(response)?;
                    }
                }
                State::Fixed(left) => {
                    let piece = take(bytes, left);
                    self.state = State::Fixed(left - piece.len() as u64);
                    if !self.append(piece, response) {
                        return Ok(Progress::Done { keep_alive: false });
                    }
                }
                State::UntilEof => {
                    let piece = std::mem::take(bytes);
                    if !self.append(piece, response) {
                        return Ok(Progress::Done { keep_alive: false });
                    }
                }
                State::ChunkSize => {
                    if self.take_line(bytes, MAX_CHUNK_LINE)? {
                        self.state = match self.chunk_size()? {
                            0 => State::Trailers,
                            size => State::ChunkData(size),
                        };
                        self.buffer.clear();
                    }
                }
                State::ChunkData(left) => {
                    let piece = take(bytes, left);
                    self.state = match left - piece.len() as u64 {
                        0 => State::ChunkEnd,
                        left => State::ChunkData(left),
                    };
                    if !self.append(piece, response) {
                        return Ok(Progress::Done { keep_alive: false });
                    }
                }
                State::ChunkEnd => {
                    let missing = 2u64.saturating_sub(self.buffer.len() as u64);
                    self.buffer.extend_from_slice(take(bytes, missing));
                    if self.buffer.len() == 2 {
                        if self.buffer != b"\r\n" {
                            return Err(broken("chunk is longer than its size says"));
                        }
                        self.buffer.clear();
                        self.state = State::ChunkSize;
                    }
                }
                State::Trailers => {
                    let line = self.take_line(bytes, self.max_head)?;
                    if line && (self.buffer == b"\r\n" || self.buffer.ends_with(b"\r\n\r\n")) {
                        self.check_trailers()?;
                        return Ok(self.done());
                    }
                }
            }
        }
    }

    fn done(&self) -> Progress {
        Progress::Done {
            keep_alive: self.keep_alive,
        }
    }

    /// Moves bytes into the buffer until it holds a head: true when it does.
    fn take_head(&mut self, bytes: &mut &[u8]) -> Result<bool, Error> {
        while self.take_line(bytes, self.max_head)? {
            // Empty lines before the status line are to be ignored (§2.2).
            if self.buffer == b"\r\n" || self.buffer == b"\n" {
                self.buffer.clear();
            } else if !self.buffer.starts_with(b"HTTP/1.") {
                // Not to be waited for: the rest of a head may never come.
                return Err(broken("server does not speak http/1.1"));
            }
            if self.buffer.ends_with(b"\n\r\n") || self.buffer.ends_with(b"\n\n") {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Moves bytes into the buffer up to the next line feed: true when one came.
    fn take_line(&mut self, bytes: &mut &[u8], limit: usize) -> Result<bool, Error> {
        let end = bytes.iter().position(|byte| *byte == b'\n').map(|at| at + 1);
        let (piece, rest) = bytes.split_at(end.unwrap_or(bytes.len()));
        if self.buffer.len() + piece.len() > limit {
            return Err(Error::new(
                ErrorKind::LimitExceeded,
                format!("head, trailers or a chunk line of the response is longer than {limit} bytes"),
            ));
        }
        self.buffer.extend_from_slice(piece);
        *bytes = rest;
        Ok(end.is_some())
    }

    fn read_head(&mut self, response: &mut Response) -> Result<(), Error> {
        let mut fields = [httparse::EMPTY_HEADER; MAX_FIELDS];
        let mut head = httparse::Response::new(&mut fields);
        match head.parse(&self.buffer) {
            Ok(httparse::Status::Complete(_)) => {}
            Ok(httparse::Status::Partial) => return Err(broken("response head is incomplete")),
            Err(httparse::Error::TooManyHeaders) => {
                return Err(Error::new(
                    ErrorKind::LimitExceeded,
                    format!("response has more than {MAX_FIELDS} header fields"),
                ));
            }
            Err(error) => return Err(broken("response head is malformed").with_source(error)),
        }
        let (Some(status), Some(version)) = (head.code, head.version) else {
            return Err(broken("response head is incomplete"));
        };
        match status {
            0..=99 => return Err(broken("response status is below 100")),
            101 => return Err(broken("server switches protocols unasked")),
            100..=199 => {
                self.interim += 1;
                if self.interim > MAX_INTERIM {
                    return Err(Error::new(
                        ErrorKind::LimitExceeded,
                        format!("more than {MAX_INTERIM} interim responses"),
                    ));
                }
                self.buffer.clear();
                return Ok(());
            }
            _ => {}
        }
        let framing = framing(status, version, head.headers)?;
        self.keep_alive = keep_alive(version, head.headers);
        self.idle_limit = idle_limit(head.headers).or(self.idle_limit);
        response.clear();
        response.status = status;
        for field in head.headers.iter() {
            response
                .headers
                .push_received(field.name.to_ascii_lowercase().as_bytes(), field.value);
        }
        self.buffer.clear();
        self.state = match self.bodiless {
            true => State::Fixed(0),
            false => framing,
        };
        Ok(())
    }

    fn chunk_size(&self) -> Result<u64, Error> {
        // httparse takes a line without any digit for a size of zero.
        let digit = self.buffer.first().is_some_and(u8::is_ascii_hexdigit);
        match httparse::parse_chunk_size(&self.buffer) {
            Ok(httparse::Status::Complete((used, size))) if digit && used == self.buffer.len() => Ok(size),
            _ => Err(broken("chunk size is malformed")),
        }
    }

    fn check_trailers(&self) -> Result<(), Error> {
        let mut fields = [httparse::EMPTY_HEADER; MAX_FIELDS];
        match httparse::parse_headers(&self.buffer, &mut fields) {
            Ok(httparse::Status::Complete(_)) => Ok(()),
            _ => Err(broken("trailers are malformed")),
        }
    }

    /// Appends to the body: false when the limit cut it.
    fn append(&self, piece: &[u8], response: &mut Response) -> bool {
        let room = self.max_body.saturating_sub(response.body.len());
        let fits = piece.get(..room).unwrap_or(piece);
        response.body.extend_from_slice(fits);
        response.truncated |= fits.len() < piece.len();
        !response.truncated
    }
}

fn take<'a>(bytes: &mut &'a [u8], at_most: u64) -> &'a [u8] {
    let len = usize::try_from(at_most).map_or(bytes.len(), |most| most.min(bytes.len()));
    let (piece, rest) = bytes.split_at(len);
    *bytes = rest;
    piece
}

/// How the body is delimited (§6.3). What two readers could take for two different
/// lengths is refused.
fn framing(status: u16, version: u8, fields: &[httparse::Header<'_>]) -> Result<State, Error> {
    let mut length = None;
    for value in values(fields, "content-length") {
        for item in value.split(|byte| *byte == b',') {
            let item = parse_length(item.trim_ascii())?;
            if length.is_some_and(|earlier| earlier != item) {
                return Err(broken("response has two different content-lengths"));
            }
            length = Some(item);
        }
    }
    let mut codings = values(fields, "transfer-encoding");
    let chunked = match codings.next() {
        None => false,
        Some(_) if length.is_some() => {
            return Err(broken("response has both transfer-encoding and content-length"));
        }
        Some(_) if version == 0 => return Err(broken("response in http/1.0 has a transfer-encoding")),
        Some(value) if value.trim_ascii().eq_ignore_ascii_case(b"chunked") && codings.next().is_none() => {
            true
        }
        Some(_) => return Err(broken("response has a transfer-encoding that was not asked for")),
    };
    Ok(match (status, chunked, length) {
        (204 | 304, _, _) => State::Fixed(0),
        (_, true, _) => State::ChunkSize,
        (_, false, Some(length)) => State::Fixed(length),
        (_, false, None) => State::UntilEof,
    })
}

fn parse_length(text: &[u8]) -> Result<u64, Error> {
    let digits = !text.is_empty() && text.iter().all(u8::is_ascii_digit);
    let number = std::str::from_utf8(text).ok().and_then(|text| text.parse().ok());
    match number {
        Some(number) if digits => Ok(number),
        _ => Err(broken("content-length is not a number")),
    }
}

fn keep_alive(version: u8, fields: &[httparse::Header<'_>]) -> bool {
    let has = |token: &[u8]| {
        values(fields, "connection")
            .flat_map(|value| value.split(|byte| *byte == b','))
            .any(|item| item.trim_ascii().eq_ignore_ascii_case(token))
    };
    !has(b"close") && (version == 1 || has(b"keep-alive"))
}

/// The `timeout` of `Keep-Alive` (RFC 2068 §19.7.1.1, which servers still send): for how many seconds an idle
/// connection is kept. What cannot be read is not there.
fn idle_limit(fields: &[httparse::Header<'_>]) -> Option<Duration> {
    let mut items = values(fields, "keep-alive").flat_map(|value| value.split(|byte| *byte == b','));
    items.find_map(|item| {
        let (name, value) = std::str::from_utf8(item).ok()?.split_once('=')?;
        let timeout = name.trim().eq_ignore_ascii_case("timeout");
        let seconds: u32 = value.trim().trim_matches('"').parse().ok().filter(|_| timeout)?;
        Some(Duration::from_secs(seconds.into()))
    })
}

fn values<'a>(fields: &'a [httparse::Header<'a>], name: &'static str) -> impl Iterator<Item = &'a [u8]> {
    fields
        .iter()
        .filter(move |field| field.name.eq_ignore_ascii_case(name))
        .map(|field| field.value)
}

fn broken(context: &'static str) -> Error {
    Error::new(ErrorKind::Http1Protocol, context)
}
