//! What waits to be sent, and how far it really went.

use super::frame::{HEAD, Head, PREFACE};

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
