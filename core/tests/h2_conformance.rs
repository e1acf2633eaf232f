//! What a server may send and what a client must do about it: 57 cases after the client side of
//! h2spec, checked against RFC 9113. Each also arrives octet by octet and in random pieces, and
//! must have the same effect.

#![allow(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    reason = "tests may panic, read files and open sockets"
)]

mod h2_support;

use h2_support::*;
use pushcore::net::h2::Config;

enum Must {
    /// No error; and the exchange on stream 1 goes on, or is over.
    Accept,
    /// No error, and this frame is sent.
    Answer(u8, u8, &'static [u8]),
    /// No error, and nothing is sent.
    Ignore,
    /// RST_STREAM on stream 1 with this code, and the connection lives.
    Reset(u32),
    /// GOAWAY with this code, then the end.
    Close(u32),
}

use Must::{Accept, Answer, Close, Ignore, Reset};

const PROTOCOL_ERROR: u32 = 1;
const FLOW_CONTROL_ERROR: u32 = 3;
const STREAM_CLOSED: u32 = 5;
const FRAME_SIZE_ERROR: u32 = 6;
const COMPRESSION_ERROR: u32 = 9;

struct Case {
    section: &'static str,
    name: &'static str,
    /// After SETTINGS and with one request, stream 1, in flight.
    server: Vec<u8>,
    client: Must,
}

fn join(parts: &[Vec<u8>]) -> Vec<u8> {
    parts.concat()
}

fn cases() -> Vec<Case> {
    let mut cases = Vec::new();
    let mut case = |section, name, server: Vec<u8>, client| {
        cases.push(Case {
            section,
            name,
            server,
            client,
        });
    };
    let open = || frame(HEADERS, END_HEADERS, 1, OK);
    let unfinished = || frame(HEADERS, 0, 1, OK);
    let more = |flags, stream| frame(CONTINUATION, flags, stream, &literal("x-a", "b"));
    let reset_1 = || reset(1, 8);

    case(
        "1",
        "ordinary preface",
        settings(&[(3, 100)]),
        Answer(SETTINGS, ACK, &[]),
    );

    case("4.1", "unknown type", frame(0xff, 0, 0, &[0; 8]), Ignore);
    case(
        "4.1",
        "undefined flags",
        frame(PING, 0xfe, 0, b"12345678"),
        Answer(PING, ACK, b"12345678"),
    );
    case(
        "4.1",
        "reserved bit",
        frame(PING, 0, 0x8000_0000, b"12345678"),
        Answer(PING, ACK, b"12345678"),
    );
    case(
        "4.2",
        "data of 2^14",
        join(&[open(), frame(DATA, END_STREAM, 1, &[b'x'; 16_384])]),
        Accept,
    );
    // A stream error is enough for the RFC; a connection error is allowed and simpler (§4.2).
    case(
        "4.2",
        "data too large",
        join(&[open(), frame(DATA, END_STREAM, 1, &[b'x'; 16_385])]),
        Close(FRAME_SIZE_ERROR),
    );
    case(
        "4.2",
        "headers too large",
        frame(HEADERS, END_HEADERS | END_STREAM, 1, &[0x88; 16_385]),
        Close(FRAME_SIZE_ERROR),
    );
    case(
        "4.3",
        "broken header block",
        frame(HEADERS, END_HEADERS | END_STREAM, 1, b"\x40\x0a:"),
        Close(COMPRESSION_ERROR),
    );

    case(
        "5.1.1",
        "headers on a server's stream",
        answer(2),
        Close(PROTOCOL_ERROR),
    );
    case(
        "5.1",
        "idle: data",
        frame(DATA, 0, 3, b"x"),
        Close(PROTOCOL_ERROR),
    );
    case("5.1", "idle: rst_stream", reset(3, 8), Close(PROTOCOL_ERROR));
    case(
        "5.1",
        "idle: window_update",
        window_update(3, 100),
        Close(PROTOCOL_ERROR),
    );
    case(
        "5.1",
        "idle: continuation",
        more(END_HEADERS, 3),
        Close(PROTOCOL_ERROR),
    );
    case(
        "5.1",
        "reset: data",
        join(&[open(), reset_1(), frame(DATA, END_STREAM, 1, b"x")]),
        Reset(STREAM_CLOSED),
    );
    case(
        "5.1",
        "reset: headers",
        join(&[reset_1(), answer(1)]),
        Reset(STREAM_CLOSED),
    );
    // RFC 9113 §6.10: without a HEADERS before it this is PROTOCOL_ERROR whatever the stream's
    // state. The case list, after RFC 7540, has STREAM_CLOSED.
    case(
        "5.1",
        "reset: continuation",
        join(&[reset_1(), more(END_HEADERS, 1)]),
        Close(PROTOCOL_ERROR),
    );
    case(
        "5.1",
        "closed: data",
        join(&[answer(1), frame(DATA, END_STREAM, 1, b"x")]),
        Close(STREAM_CLOSED),
    );
    case(
        "5.1",
        "closed: headers",
        join(&[answer(1), answer(1)]),
        Close(STREAM_CLOSED),
    );
    // As above.
    case(
        "5.1",
        "closed: continuation",
        join(&[answer(1), more(END_HEADERS, 1)]),
        Close(PROTOCOL_ERROR),
    );

    case(
        "5.4.1",
        "broken ping closes",
        frame(PING, 0, 3, &[0; 8]),
        Close(PROTOCOL_ERROR),
    );
    case(
        "5.4.1",
        "goaway comes first",
        frame(PING, 0, 0, &[0; 6]),
        Close(FRAME_SIZE_ERROR),
    );
    case(
        "5.5",
        "unknown extension frame",
        frame(0xff, 0xff, 1, &[0; 8]),
        Ignore,
    );

    case(
        "6.1",
        "data on stream 0",
        frame(DATA, END_STREAM, 0, b"x"),
        Close(PROTOCOL_ERROR),
    );
    case(
        "6.1",
        "data on a stream not open",
        join(&[reset_1(), frame(DATA, 0, 1, b"x")]),
        Reset(STREAM_CLOSED),
    );
    case(
        "6.1",
        "bad pad length",
        join(&[open(), frame(DATA, END_STREAM | PADDED, 1, b"\x06hello")]),
        Close(PROTOCOL_ERROR),
    );
    case(
        "6.2",
        "headers then priority",
        join(&[unfinished(), frame(PRIORITY, 0, 1, &[0, 0, 0, 0, 255])]),
        Close(PROTOCOL_ERROR),
    );
    case("6.2", "headers on stream 0", answer(0), Close(PROTOCOL_ERROR));
    case(
        "6.2",
        "bad pad length",
        frame(HEADERS, END_STREAM | END_HEADERS | PADDED, 1, &[2, 0x88]),
        Close(PROTOCOL_ERROR),
    );
    case(
        "6.3",
        "priority on stream 0",
        frame(PRIORITY, 0, 0, &[0; 5]),
        Close(PROTOCOL_ERROR),
    );
    case(
        "6.3",
        "priority of a bad length",
        frame(PRIORITY, 0, 1, &[0; 4]),
        Reset(FRAME_SIZE_ERROR),
    );
    case(
        "6.4",
        "rst_stream on stream 0",
        reset(0, 8),
        Close(PROTOCOL_ERROR),
    );
    case(
        "6.4",
        "rst_stream on an idle stream",
        reset(5, 8),
        Close(PROTOCOL_ERROR),
    );
    case(
        "6.4",
        "rst_stream of a bad length",
        frame(RST_STREAM, 0, 1, &[0; 3]),
        Close(FRAME_SIZE_ERROR),
    );
    case(
        "6.5",
        "settings ack with payload",
        frame(SETTINGS, ACK, 0, &[0; 6]),
        Close(FRAME_SIZE_ERROR),
    );
    case(
        "6.5",
        "settings on a stream",
        frame(SETTINGS, 0, 1, &[]),
        Close(PROTOCOL_ERROR),
    );
    case(
        "6.5",
        "settings of a bad length",
        frame(SETTINGS, 0, 0, &[0; 3]),
        Close(FRAME_SIZE_ERROR),
    );
    case(
        "6.5.2",
        "initial window above 2^31-1",
        settings(&[(4, 0x8000_0000)]),
        Close(FLOW_CONTROL_ERROR),
    );
    case(
        "6.5.2",
        "max frame size too small",
        settings(&[(5, 16_383)]),
        Close(PROTOCOL_ERROR),
    );
    case(
        "6.5.2",
        "max frame size too large",
        settings(&[(5, 0x0100_0000)]),
        Close(PROTOCOL_ERROR),
    );
    case(
        "6.5.2",
        "unknown identifier",
        settings(&[(0xff, 1)]),
        Answer(SETTINGS, ACK, &[]),
    );
    case(
        "6.5.3",
        "settings are acknowledged",
        settings(&[(4, 100)]),
        Answer(SETTINGS, ACK, &[]),
    );
    case(
        "6.7",
        "ping",
        frame(PING, 0, 0, b"abcdefgh"),
        Answer(PING, ACK, b"abcdefgh"),
    );
    case("6.7", "ping ack", frame(PING, ACK, 0, b"abcdefgh"), Ignore);
    case(
        "6.7",
        "ping on a stream",
        frame(PING, 0, 1, b"abcdefgh"),
        Close(PROTOCOL_ERROR),
    );
    case(
        "6.7",
        "ping of a bad length",
        frame(PING, 0, 0, b"abcdefg"),
        Close(FRAME_SIZE_ERROR),
    );
    case(
        "6.8",
        "goaway on a stream",
        frame(GOAWAY, 0, 1, &[0; 8]),
        Close(PROTOCOL_ERROR),
    );
    case(
        "6.9",
        "window update of 0: connection",
        window_update(0, 0),
        Close(PROTOCOL_ERROR),
    );
    case(
        "6.9",
        "window update of 0: stream",
        window_update(1, 0),
        Reset(PROTOCOL_ERROR),
    );
    case(
        "6.9",
        "window update of a bad length",
        frame(WINDOW_UPDATE, 0, 0, &[0, 0, 1]),
        Close(FRAME_SIZE_ERROR),
    );
    case(
        "6.9.1",
        "window above 2^31-1: connection",
        join(&[window_update(0, 0x7fff_ffff), window_update(0, 0x7fff_ffff)]),
        Close(FLOW_CONTROL_ERROR),
    );
    case(
        "6.9.1",
        "window above 2^31-1: stream",
        join(&[window_update(1, 0x7fff_ffff), window_update(1, 0x7fff_ffff)]),
        Reset(FLOW_CONTROL_ERROR),
    );
    case(
        "6.10",
        "several continuations",
        join(&[
            frame(HEADERS, END_STREAM, 1, OK),
            more(0, 1),
            more(0, 1),
            more(END_HEADERS, 1),
        ]),
        Accept,
    );
    case(
        "6.10",
        "continuation then another frame",
        join(&[unfinished(), more(0, 1), frame(DATA, END_STREAM, 1, b"x")]),
        Close(PROTOCOL_ERROR),
    );
    case(
        "6.10",
        "continuation on stream 0",
        join(&[unfinished(), more(END_HEADERS, 0)]),
        Close(PROTOCOL_ERROR),
    );
    case(
        "6.10",
        "continuation after complete headers",
        join(&[open(), more(END_HEADERS, 1)]),
        Close(PROTOCOL_ERROR),
    );
    case(
        "6.10",
        "continuation after complete continuation",
        join(&[unfinished(), more(END_HEADERS, 1), more(END_HEADERS, 1)]),
        Close(PROTOCOL_ERROR),
    );
    case(
        "6.10",
        "continuation after data",
        join(&[open(), frame(DATA, 0, 1, b"x"), more(END_HEADERS, 1)]),
        Close(PROTOCOL_ERROR),
    );
    cases
}

fn run(server: &[u8], mut piece: impl FnMut() -> usize) -> Client {
    let mut client = Client::with_requests(Config::default(), 1);
    let mut rest = server;
    while !rest.is_empty() {
        let (now, later) = rest.split_at(piece().clamp(1, rest.len()));
        client.receive(now);
        rest = later;
    }
    client
}

#[test]
fn all_57_cases() {
    let cases = cases();
    assert_eq!(cases.len(), 57);
    for Case {
        section,
        name,
        server,
        client: must,
    } in &cases
    {
        let mut client = run(server, || usize::MAX);
        let label = format!(
            "§{section} {name}: sent {:?}, events {:?}",
            client.sent(),
            client.events
        );
        match must {
            Close(code) => {
                assert_eq!(client.goaway(), Some(*code), "{label}");
                assert!(client.connection.is_closed(), "{label}");
                assert!(
                    client.events.last().unwrap().starts_with("closed Http2Protocol"),
                    "{label}"
                );
                assert_eq!(client.connection.in_flight(), 0, "{label}");
                continue;
            }
            Reset(code) => assert_eq!(client.resets(), [(1, *code)], "{label}"),
            Answer(kind, flags, payload) => {
                assert_eq!(client.sent(), [(*kind, *flags, 0, payload.to_vec())], "{label}");
            }
            Ignore => assert_eq!(client.sent(), [], "{label}"),
            Accept => {
                assert_eq!(client.resets(), [], "{label}");
                assert!(
                    client.events.iter().any(|e| e.starts_with("response 1 200")),
                    "{label}"
                );
            }
        }
        assert_eq!(client.goaway(), None, "{label}");
        // The connection is as good as before: what is open is answered, and a new request too.
        if client.connection.in_flight() == 1 {
            client.receive(&answer(1));
        }
        client.connection.send(&request(b""), client.now).unwrap();
        client.receive(&answer(3));
        assert_eq!(client.events.last().unwrap(), "response 3 200 \"\"", "{label}");
        let terminal = |e: &&String| e.starts_with("response 1") || e.starts_with("failed 1");
        assert_eq!(client.events.iter().filter(terminal).count(), 1, "{label}");
    }
}

#[test]
fn pieces_make_no_difference() {
    let mut random = Random::new(57);
    for case in cases() {
        let whole = run(&case.server, || usize::MAX);
        let octets = run(&case.server, || 1);
        assert_eq!(
            (&whole.out, &whole.events),
            (&octets.out, &octets.events),
            "{}",
            case.name
        );
        for _ in 0..8 {
            let pieces = run(&case.server, || 1 + random.below(20));
            assert_eq!(
                (&whole.out, &whole.events),
                (&pieces.out, &pieces.events),
                "{}",
                case.name
            );
        }
    }
}
