//! What waits to be sent, and how far it really went.

use super::frame::{HEAD, Head, PREFACE, kind};

/// Outgoing octets with absolute positions, counted from the first octet of the connection.
#[derive(Default)]
pub(crate) struct Output {
    /// Begins on a frame boundary (or with the preface).
    buffer: Vec<u8>,
    /// How much of `buffer` the next layer took.
    taken: usize,
    /// The absolute position of the beginning of `buffer`.
    base: u64,
    /// How many octets the transport has.
    handed_over: u64,
}

/// Above this a buffer that is taken piece by piece is moved to its front.
const COMPACT: usize = 64 * 1024;
/// Above this a buffer that is hardly used gives memory back.
const LARGE: usize = 1024 * 1024;

impl Output {
    pub(crate) fn buffer(&mut self) -> &mut Vec<u8> {
        &mut self.buffer
    }

    /// Appends a frame.
    pub(crate) fn frame(&mut self, kind: u8, flags: u8, stream: u32, payload: &[u8]) {
        let head = Head {
            length: payload.len(),
            kind,
            flags,
            stream,
        };
        self.buffer.extend_from_slice(&head.bytes());
        self.buffer.extend_from_slice(payload);
    }

    /// The absolute position of the end.
    pub(crate) fn end(&self) -> u64 {
        self.base + self.buffer.len() as u64
    }

    pub(crate) fn handed_over(&self) -> u64 {
        self.handed_over
    }

    /// Whether the next layer took octets that it has not handed to the transport.
    pub(crate) fn is_held_back(&self) -> bool {
        self.handed_over < self.base + self.taken as u64
    }

    pub(crate) fn pending(&self) -> &[u8] {
        self.buffer.get(self.taken..).unwrap_or_default()
    }

    pub(crate) fn take(&mut self, count: usize) {
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
    pub(crate) fn hand_over(&mut self, total: u64) {
        let taken = self.base + self.taken as u64;
        self.handed_over = self.handed_over.max(total.min(taken));
    }

    /// Drops every frame of which nothing was taken yet, and says where the rest ends.
    pub(crate) fn retract(&mut self) -> u64 {
        let keep = self.boundary(true);
        self.buffer.truncate(keep);
        self.end()
    }

    /// Drops every frame on a stream above `last` of which nothing was taken yet. No request may follow
    /// on this connection: what their header blocks did to the compression would be missed. Returns
    /// the octets of DATA among them, which the connection's window has back.
    pub(crate) fn withdraw_above(&mut self, last: u32) -> usize {
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
    pub(crate) fn clear(&mut self) {
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
    fn frames(out: &Output, skip: usize) -> Vec<(u8, u32)> {
        let mut rest = out.pending().get(skip..).unwrap_or_default();
        let mut found = Vec::new();
        while let Some(head) = Head::parse(rest) {
            found.push((head.kind, head.stream));
            rest = rest.get(HEAD + head.length..).unwrap_or_default();
        }
        assert!(rest.is_empty());
        found
    }

    fn filled() -> Output {
        let mut out = Output::default();
        out.buffer().extend_from_slice(PREFACE);
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
