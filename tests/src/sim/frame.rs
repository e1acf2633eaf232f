//! HTTP/2 frames (RFC 9113 §4, §6), written and read without a care for what is allowed.

/// Frame types.
pub mod kind {
    #![allow(missing_docs, reason = "the names of RFC 9113 §6")]
    pub const DATA: u8 = 0;
    pub const HEADERS: u8 = 1;
    pub const PRIORITY: u8 = 2;
    pub const RST_STREAM: u8 = 3;
    pub const SETTINGS: u8 = 4;
    pub const PUSH_PROMISE: u8 = 5;
    pub const PING: u8 = 6;
    pub const GOAWAY: u8 = 7;
    pub const WINDOW_UPDATE: u8 = 8;
    pub const CONTINUATION: u8 = 9;
}

/// Flags. END_STREAM and ACK are the same bit.
pub mod flag {
    #![allow(missing_docs, reason = "the names of RFC 9113 §6")]
    pub const ACK: u8 = 0x1;
    pub const END_STREAM: u8 = 0x1;
    pub const END_HEADERS: u8 = 0x4;
    pub const PADDED: u8 = 0x8;
    pub const PRIORITY: u8 = 0x20;
}

/// Settings (RFC 9113 §6.5.2).
pub mod setting {
    #![allow(missing_docs, reason = "the names of RFC 9113 §6.5.2")]
    pub const HEADER_TABLE_SIZE: u16 = 1;
    pub const ENABLE_PUSH: u16 = 2;
    pub const MAX_CONCURRENT_STREAMS: u16 = 3;
    pub const INITIAL_WINDOW_SIZE: u16 = 4;
    pub const MAX_FRAME_SIZE: u16 = 5;
    pub const MAX_HEADER_LIST_SIZE: u16 = 6;
}

/// Error codes (RFC 9113 §7).
pub mod code {
    #![allow(missing_docs, reason = "the names of RFC 9113 §7")]
    pub const NO_ERROR: u32 = 0;
    pub const PROTOCOL_ERROR: u32 = 1;
    pub const INTERNAL_ERROR: u32 = 2;
    pub const FLOW_CONTROL_ERROR: u32 = 3;
    pub const SETTINGS_TIMEOUT: u32 = 4;
    pub const STREAM_CLOSED: u32 = 5;
    pub const FRAME_SIZE_ERROR: u32 = 6;
    pub const REFUSED_STREAM: u32 = 7;
    pub const CANCEL: u32 = 8;
    pub const COMPRESSION_ERROR: u32 = 9;
    pub const CONNECT_ERROR: u32 = 10;
    pub const ENHANCE_YOUR_CALM: u32 = 11;
    pub const INADEQUATE_SECURITY: u32 = 12;
    pub const HTTP_1_1_REQUIRED: u32 = 13;
}

/// What a client says first (RFC 9113 §3.4).
pub const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
/// The highest stream id and the largest window.
pub const MAX_31: u32 = 0x7fff_ffff;

/// One frame.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Frame {
    /// The type.
    pub kind: u8,
    /// The flags.
    pub flags: u8,
    /// The stream, without the reserved bit.
    pub stream: u32,
    /// Everything after the nine octets of the head.
    pub payload: Vec<u8>,
}

impl Frame {
    /// Whether a flag is set.
    pub fn has(&self, flag: u8) -> bool {
        self.flags & flag != 0
    }

    /// The payload of HEADERS or DATA without padding and priority; `None` when they do not fit.
    pub fn content(&self) -> Option<&[u8]> {
        let mut rest = self.payload.as_slice();
        let mut pad = 0;
        if self.has(flag::PADDED) {
            let (first, after) = rest.split_first()?;
            pad = usize::from(*first);
            rest = after;
        }
        if self.kind == kind::HEADERS && self.has(flag::PRIORITY) {
            rest = rest.get(5..)?;
        }
        rest.get(..rest.len().checked_sub(pad)?)
    }

    /// The first four octets of the payload as a number.
    pub fn word(&self) -> Option<u32> {
        Some(u32::from_be_bytes(self.payload.get(..4)?.try_into().ok()?))
    }
}

/// Any frame at all.
pub fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len())
        .expect("a frame of less than 4 GiB")
        .to_be_bytes();
    let mut out = Vec::with_capacity(9 + payload.len());
    out.extend_from_slice(&length[1..]);
    out.extend_from_slice(&[kind, flags]);
    out.extend_from_slice(&stream.to_be_bytes());
    out.extend_from_slice(payload);
    out
}

/// SETTINGS.
pub fn settings(values: &[(u16, u32)]) -> Vec<u8> {
    let mut payload = Vec::new();
    for (id, value) in values {
        payload.extend_from_slice(&id.to_be_bytes());
        payload.extend_from_slice(&value.to_be_bytes());
    }
    frame(kind::SETTINGS, 0, 0, &payload)
}

/// GOAWAY.
pub fn goaway(last: u32, code: u32, debug: &[u8]) -> Vec<u8> {
    let mut payload = last.to_be_bytes().to_vec();
    payload.extend_from_slice(&code.to_be_bytes());
    payload.extend_from_slice(debug);
    frame(kind::GOAWAY, 0, 0, &payload)
}

/// RST_STREAM.
pub fn reset(stream: u32, code: u32) -> Vec<u8> {
    frame(kind::RST_STREAM, 0, stream, &code.to_be_bytes())
}

/// WINDOW_UPDATE.
pub fn window_update(stream: u32, increment: u32) -> Vec<u8> {
    frame(kind::WINDOW_UPDATE, 0, stream, &increment.to_be_bytes())
}

/// PING.
pub fn ping(ack: bool, payload: [u8; 8]) -> Vec<u8> {
    frame(kind::PING, u8::from(ack), 0, &payload)
}

/// HEADERS with END_HEADERS.
pub fn headers(stream: u32, end: bool, block: &[u8]) -> Vec<u8> {
    frame(kind::HEADERS, flag::END_HEADERS | u8::from(end), stream, block)
}

/// DATA.
pub fn data(stream: u32, end: bool, body: &[u8]) -> Vec<u8> {
    frame(kind::DATA, u8::from(end), stream, body)
}

/// DATA with `pad` octets of padding.
pub fn padded_data(stream: u32, end: bool, body: &[u8], pad: u8) -> Vec<u8> {
    let mut payload = vec![pad];
    payload.extend_from_slice(body);
    payload.resize(payload.len() + usize::from(pad), 0);
    frame(kind::DATA, flag::PADDED | u8::from(end), stream, &payload)
}

/// A header block as HEADERS and CONTINUATION frames of `size` octets each.
pub fn split_headers(stream: u32, end: bool, block: &[u8], size: usize) -> Vec<u8> {
    let pieces: Vec<&[u8]> = if block.is_empty() {
        vec![block]
    } else {
        block.chunks(size.max(1)).collect()
    };
    let mut out = Vec::new();
    for (index, piece) in pieces.iter().enumerate() {
        let last = if index + 1 == pieces.len() {
            flag::END_HEADERS
        } else {
            0
        };
        if index == 0 {
            out.extend(frame(kind::HEADERS, last | u8::from(end), stream, piece));
        } else {
            out.extend(frame(kind::CONTINUATION, last, stream, piece));
        }
    }
    out
}

/// Cuts a byte stream into frames.
#[derive(Clone, Debug, Default)]
pub struct Reader {
    buffer: Vec<u8>,
    start: usize,
}

impl Reader {
    /// More bytes.
    pub fn push(&mut self, bytes: &[u8]) {
        if self.start > 0 {
            self.buffer.drain(..self.start);
            self.start = 0;
        }
        self.buffer.extend_from_slice(bytes);
    }

    /// The next whole frame.
    pub fn next_frame(&mut self) -> Option<Frame> {
        let (frame, length) = parse(self.buffer.get(self.start..)?)?;
        self.start += length;
        Some(frame)
    }

    /// What has been pushed and is not yet a whole frame.
    pub fn partial(&self) -> &[u8] {
        self.buffer.get(self.start..).unwrap_or_default()
    }
}

/// The frame at the head of `bytes`, and how long it is on the wire.
pub fn parse(bytes: &[u8]) -> Option<(Frame, usize)> {
    let head = bytes.get(..9)?;
    let length = usize::from(head[0]) << 16 | usize::from(head[1]) << 8 | usize::from(head[2]);
    let payload = bytes.get(9..9 + length)?.to_vec();
    let stream = u32::from_be_bytes([head[5] & 0x7f, head[6], head[7], head[8]]);
    Some((
        Frame {
            kind: head[3],
            flags: head[4],
            stream,
            payload,
        },
        9 + length,
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The octets of RFC 9113 §6.8 and §6.7, by hand.
    #[test]
    fn goaway_and_ping_are_what_the_rfc_draws() {
        assert_eq!(
            goaway(5, 2, b"x"),
            [0, 0, 9, 7, 0, 0, 0, 0, 0, 0, 0, 0, 5, 0, 0, 0, 2, b'x']
        );
        assert_eq!(
            ping(true, [1; 8]),
            [0, 0, 8, 6, 1, 0, 0, 0, 0, 1, 1, 1, 1, 1, 1, 1, 1]
        );
    }

    #[test]
    fn frames_come_back_from_single_bytes() {
        let mut reader = Reader::default();
        let wire = [
            settings(&[(3, 1)]),
            split_headers(1, true, &[1; 25], 10),
            padded_data(1, true, b"ab", 3),
        ]
        .concat();
        let mut frames = Vec::new();
        for byte in wire {
            reader.push(&[byte]);
            frames.extend(std::iter::from_fn(|| reader.next_frame()));
        }
        assert_eq!(frames.len(), 5);
        assert_eq!(frames[1].flags, flag::END_STREAM);
        assert_eq!(frames[3].flags, flag::END_HEADERS);
        assert_eq!(frames[4].content(), Some(&b"ab"[..]));
        assert!(reader.partial().is_empty());
    }
}
