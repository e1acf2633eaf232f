//! What a server may send and what it must not: the 57 client cases of h2spec, re-derived from RFC 9113.

use super::Act;
use super::frame::{MAX_31, code, data, flag, frame, headers, kind, ping, reset, settings, window_update};

/// What the client has to do about it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Must {
    /// Go on.
    Accept,
    /// Go on, and acknowledge the PING.
    Acknowledge,
    /// RST_STREAM on stream 1.
    Reset(u32),
    /// GOAWAY; all requests in flight are in doubt, another connection takes the rest.
    Close(u32),
}

use Must::{Accept, Acknowledge, Close, Reset};

/// What is known of the request on stream 1 in the end.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum One {
    /// Still open: the server answers it afterwards, if it can.
    Open,
    /// Its header section came: its status counts, whatever followed.
    Answered,
    /// Reset by either side.
    Doubt,
}

/// One of them.
#[derive(Clone, Debug)]
pub struct Case {
    /// What the list calls it.
    pub name: &'static str,
    /// What the server does.
    pub acts: Vec<Act>,
    /// What the client has to do.
    pub must: Must,
    /// What becomes of the request on stream 1.
    pub one: One,
}

/// A field that is a literal without indexing: `x-a: b`.
const LITERAL: &[u8] = b"\x00\x03x-a\x01b";
const OK: &[u8] = &[0x88];
/// A stream that nobody has opened.
const IDLE: u32 = 99;

/// All 57, in the order of `http2_client_cases.md`; where RFC 9113 differs from the list, which is
/// after RFC 7540, the comment says so.
#[rustfmt::skip]
pub fn cases() -> Vec<Case> {
    let mut cases = Vec::new();
    let mut case = |name, parts: &[Vec<u8>], must, one| {
        cases.push(Case { name, acts: vec![Act::Raw(parts.concat())], must, one });
    };
    let open = || headers(1, false, OK);
    let answer = |id| headers(id, true, OK);
    let unfinished = || frame(kind::HEADERS, 0, 1, OK);
    let more = |flags, id| frame(kind::CONTINUATION, flags, id, LITERAL);
    let canceled = || reset(1, code::CANCEL);
    let (protocol, size) = (Close(code::PROTOCOL_ERROR), Close(code::FRAME_SIZE_ERROR));
    let end = flag::END_STREAM;
    let whole = flag::END_HEADERS;

    // §1: the preface is what every test begins with; see `as_acts` below.
    // §4.1
    case("unknown type", &[frame(0xff, 0, 0, &[0; 8])], Accept, One::Open);
    case("undefined flags", &[frame(kind::PING, 0xfe, 0, &[7; 8])], Acknowledge, One::Open);
    case("reserved bit", &[frame(kind::PING, 0, 0x8000_0000, &[7; 8])], Acknowledge, One::Open);
    // §4.2: for DATA a stream error is enough; a connection error is allowed, and simpler.
    case("data of 2^14", &[open(), data(1, true, &[b'x'; 16_384])], Accept, One::Answered);
    case("data too large", &[open(), data(1, true, &[b'x'; 16_385])], size, One::Answered);
    case("headers too large", &[frame(kind::HEADERS, whole | end, 1, &[0x88; 16_385])], size, One::Open);
    // §4.3
    case("broken header block", &[headers(1, true, b"\x40\x0a:")], Close(code::COMPRESSION_ERROR), One::Open);
    // §5.1.1
    case("headers on a server's stream", &[answer(2)], protocol, One::Open);
    // §5.1
    case("idle: data", &[data(IDLE, false, b"x")], protocol, One::Open);
    case("idle: rst_stream", &[reset(IDLE, 8)], protocol, One::Open);
    case("idle: window_update", &[window_update(IDLE, 100)], protocol, One::Open);
    case("idle: continuation", &[more(whole, IDLE)], protocol, One::Open);
    case("reset: data", &[canceled(), data(1, true, b"x")], Reset(code::STREAM_CLOSED), One::Doubt);
    case("reset: headers", &[canceled(), answer(1)], Reset(code::STREAM_CLOSED), One::Doubt);
    // RFC 9113 §6.10: without HEADERS before it, PROTOCOL_ERROR in any state.
    case("reset: continuation", &[canceled(), more(whole, 1)], protocol, One::Doubt);
    case("closed: data", &[answer(1), data(1, true, b"x")], Close(code::STREAM_CLOSED), One::Answered);
    case("closed: headers", &[answer(1), answer(1)], Close(code::STREAM_CLOSED), One::Answered);
    case("closed: continuation", &[answer(1), more(whole, 1)], protocol, One::Answered);
    // §5.4.1
    case("broken ping closes", &[frame(kind::PING, 0, 3, &[0; 8])], protocol, One::Open);
    case("goaway comes first", &[frame(kind::PING, 0, 0, &[0; 6])], size, One::Open);
    // §5.5
    case("unknown extension frame", &[frame(0xff, 0xff, 1, &[0; 8])], Accept, One::Open);
    // §6.1
    case("data on stream 0", &[data(0, true, b"x")], protocol, One::Open);
    case("data on a stream not open", &[canceled(), data(1, false, b"x")], Reset(code::STREAM_CLOSED), One::Doubt);
    case("data: bad pad length", &[open(), frame(kind::DATA, end | flag::PADDED, 1, b"\x06hello")], protocol, One::Answered);
    // §6.2
    case("headers then priority", &[unfinished(), frame(kind::PRIORITY, 0, 1, &[0, 0, 0, 0, 255])], protocol, One::Open);
    case("headers on stream 0", &[answer(0)], protocol, One::Open);
    case("headers: bad pad length", &[frame(kind::HEADERS, end | whole | flag::PADDED, 1, &[2, 0x88])], protocol, One::Open);
    // §6.3
    case("priority on stream 0", &[frame(kind::PRIORITY, 0, 0, &[0; 5])], protocol, One::Open);
    case("priority of a bad length", &[frame(kind::PRIORITY, 0, 1, &[0; 4])], Reset(code::FRAME_SIZE_ERROR), One::Doubt);
    // §6.4
    case("rst_stream on stream 0", &[reset(0, 8)], protocol, One::Open);
    case("rst_stream on an idle stream", &[reset(IDLE, 8)], protocol, One::Open);
    case("rst_stream of a bad length", &[frame(kind::RST_STREAM, 0, 1, &[0; 3])], size, One::Open);
    // §6.5
    case("settings ack with payload", &[frame(kind::SETTINGS, flag::ACK, 0, &[0; 6])], size, One::Open);
    case("settings on a stream", &[frame(kind::SETTINGS, 0, 1, &[])], protocol, One::Open);
    case("settings of a bad length", &[frame(kind::SETTINGS, 0, 0, &[0; 3])], size, One::Open);
    // §6.5.2
    case("initial window above 2^31-1", &[settings(&[(4, 1 << 31)])], Close(code::FLOW_CONTROL_ERROR), One::Open);
    case("max frame size too small", &[settings(&[(5, 16_383)])], protocol, One::Open);
    case("max frame size too large", &[settings(&[(5, 0x0100_0000)])], protocol, One::Open);
    // §6.7
    case("ping", &[ping(false, [7; 8])], Acknowledge, One::Open);
    case("ping ack", &[ping(true, [7; 8])], Accept, One::Open);
    case("ping on a stream", &[frame(kind::PING, 0, 1, &[7; 8])], protocol, One::Open);
    case("ping of a bad length", &[frame(kind::PING, 0, 0, &[7; 7])], size, One::Open);
    // §6.8
    case("goaway on a stream", &[frame(kind::GOAWAY, 0, 1, &[0; 8])], protocol, One::Open);
    // §6.9
    case("window update of 0: connection", &[window_update(0, 0)], protocol, One::Open);
    case("window update of 0: stream", &[window_update(1, 0)], Reset(code::PROTOCOL_ERROR), One::Doubt);
    case("window update of a bad length", &[frame(kind::WINDOW_UPDATE, 0, 0, &[0, 0, 1])], size, One::Open);
    // §6.9.1
    case("window above 2^31-1: connection", &[window_update(0, MAX_31), window_update(0, MAX_31)], Close(code::FLOW_CONTROL_ERROR), One::Open);
    case("window above 2^31-1: stream", &[window_update(1, MAX_31), window_update(1, MAX_31)], Reset(code::FLOW_CONTROL_ERROR), One::Doubt);
    // §6.10
    case("several continuations", &[frame(kind::HEADERS, end, 1, OK), more(0, 1), more(0, 1), more(whole, 1)], Accept, One::Answered);
    case("continuation then another frame", &[unfinished(), more(0, 1), data(1, true, b"x")], protocol, One::Open);
    case("continuation on stream 0", &[unfinished(), more(whole, 0)], protocol, One::Open);
    case("continuation after complete headers", &[open(), more(whole, 1)], protocol, One::Answered);
    case("continuation after complete continuation", &[unfinished(), more(whole, 1), more(whole, 1)], protocol, One::Answered);
    case("continuation after data", &[open(), data(1, false, b"x"), more(whole, 1)], protocol, One::Answered);

    // What the peer has to know of, so that it does not complain about the acknowledgement.
    let mut as_acts = |name, values: &[(u16, u32)]| {
        cases.push(Case { name, acts: vec![Act::Settings(values.to_vec())], must: Accept, one: One::Open });
    };
    as_acts("§1 ordinary preface", &[(3, 100)]);
    as_acts("§6.5.2 unknown identifier", &[(0xff, 1)]);
    as_acts("§6.5.3 settings are acknowledged", &[(4, 100)]);
    cases
}
