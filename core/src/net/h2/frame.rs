//! Frames (RFC 9113 §4 and §6): the head, types and flags.

pub(super) const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
pub(super) const HEAD: usize = 9;
/// The smallest and initial SETTINGS_MAX_FRAME_SIZE; what we accept.
pub(super) const DEFAULT_MAX_FRAME: usize = 16_384;
/// The largest flow-control window and stream id.
pub(super) const MAX_31: u32 = 0x7fff_ffff;

pub(super) mod kind {
    pub(in crate::net::h2) const DATA: u8 = 0;
    pub(in crate::net::h2) const HEADERS: u8 = 1;
    pub(in crate::net::h2) const PRIORITY: u8 = 2;
    pub(in crate::net::h2) const RST_STREAM: u8 = 3;
    pub(in crate::net::h2) const SETTINGS: u8 = 4;
    pub(in crate::net::h2) const PUSH_PROMISE: u8 = 5;
    pub(in crate::net::h2) const PING: u8 = 6;
    pub(in crate::net::h2) const GOAWAY: u8 = 7;
    pub(in crate::net::h2) const WINDOW_UPDATE: u8 = 8;
    pub(in crate::net::h2) const CONTINUATION: u8 = 9;
}

pub(super) mod flag {
    pub(in crate::net::h2) const END_STREAM: u8 = 0x1;
    pub(in crate::net::h2) const ACK: u8 = 0x1;
    pub(in crate::net::h2) const END_HEADERS: u8 = 0x4;
    pub(in crate::net::h2) const PADDED: u8 = 0x8;
    pub(in crate::net::h2) const PRIORITY: u8 = 0x20;
}

/// The nine octets before every frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Head {
    pub(super) length: usize,
    pub(super) kind: u8,
    pub(super) flags: u8,
    pub(super) stream: u32,
}

impl Head {
    /// The head at the front of `input`; the reserved bit is ignored (§4.1).
    pub(super) fn parse(input: &[u8]) -> Option<Self> {
        let [a, b, c, kind, flags, s0, s1, s2, s3] = *input.first_chunk::<HEAD>()?;
        Some(Self {
            length: u32::from_be_bytes([0, a, b, c]) as usize,
            kind,
            flags,
            stream: u32::from_be_bytes([s0, s1, s2, s3]) & MAX_31,
        })
    }

    /// The head as it goes onto the wire. `length` is below 2^24: the caller splits.
    pub(super) fn bytes(self) -> [u8; HEAD] {
        let [_, _, _, _, _, a, b, c] = (self.length as u64).to_be_bytes();
        let [s0, s1, s2, s3] = self.stream.to_be_bytes();
        [a, b, c, self.kind, self.flags, s0, s1, s2, s3]
    }

    pub(super) fn has(&self, flag: u8) -> bool {
        self.flags & flag != 0
    }
}

/// A big-endian number at the front of `input`.
pub(super) fn u32_at(input: &[u8]) -> Option<u32> {
    input.first_chunk::<4>().map(|bytes| u32::from_be_bytes(*bytes))
}
