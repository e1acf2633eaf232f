//! Outgoing octets, and how far they really went.

use super::frame::{HEAD, Head, PREFACE, flag, kind};

/// Outgoing octets with absolute positions, counted from the first octet of the connection.
#[derive(Default)]
pub(super) struct WriteBuffer {
    /// Begins on a frame boundary (or with the preface).
    buffer: Vec<u8>,
    /// The octets of `buffer` that the next layer took.
    taken: usize,
    /// The absolute position of the beginning of `buffer`.
    base: u64,
    /// The octets that the transport has.
    written: u64,
}

/// Above this a buffer that is taken piece by piece is moved to its front.
const COMPACT: usize = 64 * 1024;
/// Above this a buffer that is hardly used gives memory back.
const LARGE: usize = 1024 * 1024;

impl WriteBuffer {
    /// Appends the client preface.
    pub(super) fn preface(&mut self) {
        self.buffer.extend_from_slice(PREFACE);
    }

    /// Appends a frame.
    #[inline]
    pub(super) fn frame(&mut self, kind: u8, flags: u8, stream: u32, payload: &[u8]) {
        let head = Head {
            length: payload.len(),
            kind,
            flags,
            stream,
        };
        self.buffer.extend_from_slice(&head.bytes());
        self.buffer.extend_from_slice(payload);
    }

    /// Appends RST_STREAM.
    pub(super) fn reset(&mut self, stream: u32, code: u32) {
        self.frame(kind::RST_STREAM, 0, stream, &code.to_be_bytes());
    }

    /// Appends WINDOW_UPDATE.
    pub(super) fn window_update(&mut self, stream: u32, increment: u32) {
        self.frame(kind::WINDOW_UPDATE, 0, stream, &increment.to_be_bytes());
    }

    /// Appends GOAWAY.
    pub(super) fn goaway(&mut self, code: u32, text: &str) {
        let mut payload = Vec::with_capacity(8 + text.len());
        // The last stream of the server's that we acted on: there is none.
        payload.extend_from_slice(&0u32.to_be_bytes());
        payload.extend_from_slice(&code.to_be_bytes());
        payload.extend_from_slice(text.as_bytes());
        self.frame(kind::GOAWAY, 0, 0, &payload);
    }

    /// Appends HEADERS, and CONTINUATION where one frame of `max` octets is not enough. Returns the length of
    /// the block that `encode` appends.
    #[inline]
    pub(super) fn headers(
        &mut self,
        stream: u32,
        end_stream: bool,
        max: usize,
        encode: impl FnOnce(&mut Vec<u8>),
    ) -> usize {
        let start = self.buffer.len();
        self.buffer.extend_from_slice(&[0; HEAD]);
        encode(&mut self.buffer);
        let length = self.buffer.len() - start - HEAD;
        let end = if end_stream { flag::END_STREAM } else { 0 };
        let head = Head {
            length: length.min(max),
            kind: kind::HEADERS,
            flags: end | if length <= max { flag::END_HEADERS } else { 0 },
            stream,
        };
        if let Some(space) = self.buffer.get_mut(start..start + HEAD) {
            space.copy_from_slice(&head.bytes());
        }
        if length > max {
            let rest = self.buffer.split_off(start + HEAD + max);
            let mut pieces = rest.chunks(max).peekable();
            while let Some(piece) = pieces.next() {
                let last = pieces.peek().is_none();
                let flags = if last { flag::END_HEADERS } else { 0 };
                self.frame(kind::CONTINUATION, flags, stream, piece);
            }
        }
        length
    }

    /// Returns the absolute position of the end.
    #[inline]
    pub(super) fn end(&self) -> u64 {
        self.base + self.buffer.len() as u64
    }

    /// Returns how many octets of all the transport has.
    #[inline]
    pub(super) fn written(&self) -> u64 {
        self.written
    }

    /// Returns whether the next layer took octets that it has not written to the transport.
    pub(super) fn has_unwritten(&self) -> bool {
        self.written < self.base + self.taken as u64
    }

    /// Returns the octets for the next layer.
    pub(super) fn pending(&self) -> &[u8] {
        self.buffer.get(self.taken..).unwrap_or_default()
    }

    /// The next layer took `count` of the [`pending`](Self::pending) octets.
    pub(super) fn take(&mut self, count: usize) {
        self.taken = self.taken.saturating_add(count).min(self.buffer.len());
        if self.taken == self.buffer.len() {
            self.base += self.taken as u64;
            if self.buffer.capacity() > LARGE && self.taken < self.buffer.capacity() / 4 {
                self.buffer.shrink_to(2 * self.taken);
            }
            self.taken = 0;
            self.buffer.clear();
        } else if self.taken >= COMPACT && self.taken >= self.buffer.len() / 2 {
            let start = self.boundary(false);
            self.buffer.drain(..start);
            self.base += start as u64;
            self.taken -= start;
        }
    }

    /// The transport has the first `total` octets.
    pub(super) fn set_written(&mut self, total: u64) {
        let taken = self.base + self.taken as u64;
        self.written = self.written.max(total.min(taken));
    }

    /// Drops every frame of which nothing was taken yet, and says where the rest ends.
    pub(super) fn retract(&mut self) -> u64 {
        let keep = self.boundary(true);
        self.buffer.truncate(keep);
        self.end()
    }

    /// Drops every frame on a stream above `last` of which nothing was taken yet. No request may follow
    /// on this connection: what their header blocks did to the compression would be missed. Returns
    /// the octets of DATA among them, which the connection's window has back.
    pub(super) fn withdraw_above(&mut self, last: u32) -> usize {
        let mut at = self.boundary(true);
        // The rest of a header block that has begun has to follow.
        while let Some(head) = self.buffer.get(at..).and_then(Head::parse) {
            if head.kind != kind::CONTINUATION {
                break;
            }
            at = at.saturating_add(HEAD + head.length).min(self.buffer.len());
        }
        let (mut kept, mut data) = (at, 0);
        while let Some(head) = self.buffer.get(at..).and_then(Head::parse) {
            #[cfg(test)]
            crate::net::work::add(1);
            let end = at.saturating_add(HEAD + head.length).min(self.buffer.len());
            if head.stream <= last {
                self.buffer.copy_within(at..end, kept);
                kept += end - at;
            } else if head.kind == kind::DATA {
                data += head.length;
            }
            at = end;
        }
        self.buffer.truncate(kept);
        data
    }

    /// Drops everything.
    pub(super) fn clear(&mut self) {
        self.base += self.taken as u64;
        self.taken = 0;
        self.buffer.clear();
    }

    /// The frame boundary at `taken`, or the nearest one after (`up`) or before it.
    fn boundary(&self, up: bool) -> usize {
        let mut at = if self.base == 0 { PREFACE.len() } else { 0 };
        if self.taken == 0 && self.base > 0 {
            return 0;
        }
        let mut before = 0;
        while at < self.taken {
            let Some(head) = self.buffer.get(at..).and_then(Head::parse) else {
                break;
            };
            #[cfg(test)]
            crate::net::work::add(1);
            before = at;
            at += HEAD + head.length;
        }
        if up || at == self.taken { at } else { before }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The kind and stream of each frame behind the first `skip` octets.
    fn frames(out: &WriteBuffer, skip: usize) -> Vec<(u8, u32)> {
        let mut rest = out.pending().get(skip..).unwrap_or_default();
        let mut found = Vec::new();
        while let Some(head) = Head::parse(rest) {
            found.push((head.kind, head.stream));
            rest = rest.get(HEAD + head.length..).unwrap_or_default();
        }
        assert!(rest.is_empty());
        found
    }

    fn filled() -> WriteBuffer {
        let mut out = WriteBuffer::default();
        out.preface();
        for (kind, stream) in [
            (kind::SETTINGS, 0),
            (kind::HEADERS, 1),
            (kind::HEADERS, 3),
            (kind::CONTINUATION, 3),
            (kind::DATA, 1),
            (kind::PING, 0),
            (kind::DATA, 3),
            (kind::HEADERS, 5),
        ] {
            out.frame(kind, 0, stream, &[0; 5]);
        }
        out
    }

    #[test]
    fn what_lies_above_is_withdrawn_and_the_rest_stays_in_order() {
        let mut out = filled();
        assert_eq!(out.withdraw_above(1), 5);
        let left = [
            (kind::SETTINGS, 0),
            (kind::HEADERS, 1),
            (kind::DATA, 1),
            (kind::PING, 0),
        ];
        assert_eq!(frames(&out, PREFACE.len()), left);
    }

    #[test]
    fn what_has_begun_is_not_torn_apart() {
        let mut out = filled();
        // The preface, two frames, and one octet of HEADERS on stream 3.
        out.take(PREFACE.len() + 2 * (HEAD + 5) + 1);
        assert_eq!(out.withdraw_above(1), 5);
        let left = [(kind::CONTINUATION, 3), (kind::DATA, 1), (kind::PING, 0)];
        assert_eq!(frames(&out, HEAD + 5 - 1), left);
        let end = out.end();
        out.take(usize::MAX);
        assert_eq!((out.pending(), out.end()), (&[][..], end));
    }
}
