//! Requests on their way out.

use super::engine::{EMPTY_HEAD, Engine, Phase};
use super::frame::{HEAD, Head, MAX_31, flag, kind};
use super::hpack::{ENTRY_OVERHEAD, list_size};
use super::stream::{PendingBody, Stream};
use crate::error::{Error, ErrorKind};
use crate::http::{Authority, Body, Request};
use crate::net::{RequestId, SendError};
use crate::time::Now;

impl Engine {
    /// Opens a stream for `request` and writes as much of it as the windows allow; the rest of
    /// the body follows by itself. `request` can be used again at once.
    ///
    /// # Errors
    /// `Full` when [`capacity`](Self::capacity) is 0 for the moment, `Closed` when no request
    /// will be taken any more, `Invalid` when the request has no authority, its path is not
    /// visible ASCII beginning with `/`, or its header list is larger than the server takes.
    /// Nothing has been sent then.
    pub fn send(&mut self, request: &Request, now: Now) -> Result<RequestId, SendError> {
        check_path(&request.path)?;
        self.send_checked(request, 0, now)
    }

    /// [`send`](Self::send) for a request whose path has been [checked](check_path), with the owner's name for it.
    pub(crate) fn send_checked(
        &mut self,
        request: &Request,
        label: u32,
        now: Now,
    ) -> Result<RequestId, SendError> {
        debug_assert!(is_path(&request.path), "a path that was not checked");
        self.clock(now);
        if self.phase != Phase::Open {
            return Err(SendError::Closed);
        }
        // While it is open there are stream ids left.
        if !self.ready || self.streams.len() >= self.max_streams() {
            return Err(SendError::Full);
        }
        let Some(authority) = &request.authority else {
            return Err(invalid("request has no authority"));
        };
        self.check_list_size(request, authority.as_str())?;

        let id = self.next_id;
        let body = request.body.as_bytes();
        let end = if body.is_empty() { flag::END_STREAM } else { 0 };
        self.write_headers(id, request, authority, end);
        if self.streams.is_empty() {
            self.active_since = self.now;
        }
        self.next_id += 2;

        let mut stream = Stream {
            label,
            headers_end: self.out.end(),
            send_window: i64::from(self.peer.initial_window),
            pending: None,
            incoming: None,
        };
        let sent = self.write_data(id, body, &mut stream.send_window);
        if sent < body.len() {
            stream.pending = Some(Box::new(match &request.body {
                Body::Shared(shared) => PendingBody {
                    body: Body::Shared(shared.clone()),
                    at: sent,
                },
                _ => PendingBody {
                    body: Body::Own(body.get(sent..).unwrap_or_default().to_vec()),
                    at: 0,
                },
            }));
            self.blocked.push_back(id);
        }
        let sent = stream.request(id);
        self.streams.insert(u64::from(id), stream);
        if self.next_id > MAX_31 {
            // The last id: the owner goes on with another connection (§5.1.1).
            self.phase = Phase::Draining { by_owner: true };
        }
        Ok(sent)
    }

    fn check_list_size(&mut self, request: &Request, authority: &str) -> Result<(), SendError> {
        let Some(limit) = self.peer.max_header_list else {
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

    /// HEADERS, and CONTINUATION where one frame is not enough.
    fn write_headers(&mut self, id: u32, request: &Request, authority: &Authority, end: u8) {
        let Self { encoder, out, .. } = self;
        let buffer = out.buffer();
        let start = buffer.len();
        buffer.extend_from_slice(&EMPTY_HEAD);
        encoder.request(request, authority, buffer);

        let length = buffer.len() - start - HEAD;
        self.header_bytes.sent += length as u64;
        let max = self.peer.max_frame;
        let flags = end | if length <= max { flag::END_HEADERS } else { 0 };
        let head = Head {
            length: length.min(max),
            kind: kind::HEADERS,
            flags,
            stream: id,
        };
        if let Some(space) = buffer.get_mut(start..start + HEAD) {
            space.copy_from_slice(&head.bytes());
        }
        if length > max {
            let rest = buffer.split_off(start + HEAD + max);
            let mut pieces = rest.chunks(max).peekable();
            while let Some(piece) = pieces.next() {
                let last = if pieces.peek().is_none() {
                    flag::END_HEADERS
                } else {
                    0
                };
                out.frame(kind::CONTINUATION, last, id, piece);
            }
        }
    }

    /// DATA as far as the windows allow; the number of octets written. The last of them ends the stream.
    pub(super) fn write_data(&mut self, id: u32, body: &[u8], window: &mut i64) -> usize {
        let mut sent = 0;
        let whole = body.len() as i64;
        if !body.is_empty()
            && whole <= self.send_window
            && whole <= *window
            && body.len() <= self.peer.max_frame
        {
            self.out.frame(kind::DATA, flag::END_STREAM, id, body);
            self.send_window -= whole;
            *window -= whole;
            return body.len();
        }
        while sent < body.len() {
            let rest = body.get(sent..).unwrap_or_default();
            let allowed = usize::try_from(self.send_window.min(*window)).unwrap_or(0);
            let length = rest.len().min(allowed).min(self.peer.max_frame);
            if length == 0 {
                break;
            }
            let (piece, rest) = rest.split_at(length);
            let flags = if rest.is_empty() { flag::END_STREAM } else { 0 };
            self.out.frame(kind::DATA, flags, id, piece);
            self.send_window -= length as i64;
            *window -= length as i64;
            sent += length;
        }
        sent
    }

    /// Sends what waits for windows, oldest stream first.
    pub(super) fn flush_bodies(&mut self) {
        if self.blocked.is_empty() || self.send_window <= 0 {
            return;
        }
        let mut blocked = std::mem::take(&mut self.blocked);
        blocked.retain(|&id| {
            // The stream is taken out so that its body can be read while the rest is written to.
            let Some(mut stream) = self.streams.remove(u64::from(id)) else {
                return false;
            };
            let mut waits = false;
            if let Some(mut pending) = stream.pending.take() {
                pending.at += self.write_data(id, pending.rest(), &mut stream.send_window);
                waits = !pending.rest().is_empty();
                stream.pending = waits.then_some(pending);
            }
            self.streams.insert(u64::from(id), stream);
            waits
        });
        self.blocked = blocked;
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

fn is_path(path: &str) -> bool {
    // Without an early end, in whole bytes: so it is done many at a time.
    let bad = path
        .bytes()
        .fold(0, |bad, b| bad | u8::from(b.wrapping_sub(0x21) >= 0x5e));
    path.starts_with('/') && bad == 0
}

fn invalid(text: &'static str) -> SendError {
    SendError::Invalid(Error::new(ErrorKind::InvalidValue, text))
}
