//! Frames as octets (RFC 9113 §4.1).

pub(super) const DATA: u8 = 0;
pub(super) const HEADERS: u8 = 1;
pub(super) const SETTINGS: u8 = 4;
pub(super) const GOAWAY: u8 = 7;
pub(super) const WINDOW_UPDATE: u8 = 8;
pub(super) const CONTINUATION: u8 = 9;
pub(super) const END_STREAM: u8 = 1;
pub(super) const END_HEADERS: u8 = 4;
pub(super) const PADDED: u8 = 8;
pub(super) const PRIORITY: u8 = 0x20;
/// Larger frames are an offence that `h2` judges by their first nine bytes.
const FRAME_LIMIT: usize = 1 << 16;

/// The length of the first frame, header included, if all of it is there.
pub(super) fn whole_frame(buffer: &[u8]) -> Option<usize> {
    let head = buffer.get(..9)?;
    let length = usize::from(head[0]) << 16 | usize::from(head[1]) << 8 | usize::from(head[2]);
    if length > FRAME_LIMIT {
        return Some(buffer.len());
    }
    (buffer.len() >= 9 + length).then_some(9 + length)
}

pub(super) fn stream_of(frame: &[u8]) -> u32 {
    u32::from_be_bytes([frame[5] & 0x7f, frame[6], frame[7], frame[8]])
}

pub(super) fn frame_header(length: usize, kind: u8, flags: u8, stream: u32, out: &mut Vec<u8>) {
    // Callers keep payloads far below 2^24.
    let length = u32::try_from(length).unwrap_or(0).to_be_bytes();
    out.extend_from_slice(&length[1..]);
    out.extend_from_slice(&[kind, flags]);
    out.extend_from_slice(&stream.to_be_bytes());
}

pub(super) fn settings(values: &[(u16, u32)], out: &mut Vec<u8>) {
    frame_header(values.len() * 6, SETTINGS, 0, 0, out);
    for (id, value) in values {
        out.extend_from_slice(&id.to_be_bytes());
        out.extend_from_slice(&value.to_be_bytes());
    }
}

pub(super) fn goaway(last: u32, code: u32, debug: &str, out: &mut Vec<u8>) {
    frame_header(8 + debug.len(), GOAWAY, 0, 0, out);
    out.extend_from_slice(&last.to_be_bytes());
    out.extend_from_slice(&code.to_be_bytes());
    out.extend_from_slice(debug.as_bytes());
}

/// The server's preface and its last words, in one.
pub(super) fn turn_away(debug: &str) -> Vec<u8> {
    let mut out = Vec::new();
    settings(&[], &mut out);
    goaway(0, 0, debug, &mut out);
    out
}

/// Hexadecimal to bytes, skipping what is not a digit.
pub(super) fn unhex(text: &str) -> Vec<u8> {
    let digits: Vec<u8> = text
        .chars()
        .filter_map(|c| c.to_digit(16))
        .filter_map(|d| u8::try_from(d).ok())
        .collect();
    digits
        .chunks_exact(2)
        .map(|pair| pair[0] << 4 | pair[1])
        .collect()
}
