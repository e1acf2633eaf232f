//! Rows of the table of hostile servers: answers whose headers, lengths and numbers lie.

use super::frame::{data, flag, frame, headers, kind, padded_data, setting, settings};
use super::hostile::{Behaviour, Wire, windowless};
use super::hostile_rows::{CREATED, many};

/// A literal field without indexing, with a new name (RFC 7541 §6.2.2).
fn field(name: &[u8], value: &[u8]) -> Vec<u8> {
    let mut out = vec![0];
    text(&mut out, name);
    text(&mut out, value);
    out
}

/// A string without Huffman code, its length as an integer of seven bits and more (RFC 7541 §5.1, §5.2).
fn text(out: &mut Vec<u8>, value: &[u8]) {
    if value.len() < 127 {
        out.push(value.len() as u8);
    } else {
        out.push(127);
        let mut rest = value.len() - 127;
        while rest >= 128 {
            out.push((rest % 128) as u8 | 128);
            rest /= 128;
        }
        out.push(rest as u8);
    }
    out.extend_from_slice(value);
}

/// `:status 429`.
const THROTTLED: &[u8] = b"\x08\x03429";

/// An answer of 201 with one more field.
fn created_with(id: u32, name: &[u8], value: &[u8]) -> Vec<u8> {
    headers(id, true, &[CREATED, &field(name, value)].concat())
}

fn throttled_until(id: u32, value: &[u8]) -> Vec<u8> {
    headers(id, true, &[THROTTLED, &field(b"retry-after", value)].concat())
}

/// A header block in one HEADERS frame and CONTINUATIONs of `piece` octets.
fn in_pieces(id: u32, block: &[u8], piece: usize) -> Vec<u8> {
    let mut pieces = block.chunks(piece);
    let mut out = frame(
        kind::HEADERS,
        flag::END_STREAM,
        id,
        pieces.next().unwrap_or_default(),
    );
    let rest: Vec<&[u8]> = pieces.collect();
    for (number, part) in rest.iter().enumerate() {
        let last = number + 1 == rest.len();
        let flags = if last { flag::END_HEADERS } else { 0 };
        out.extend(frame(kind::CONTINUATION, flags, id, part));
    }
    out
}

/// Header blocks of HTTP/2 that are cheap to send and dear to keep, or no header blocks.
pub fn header_blocks() -> Vec<Behaviour> {
    let row = |name: &str| Behaviour::new(format!("hpack: {name}"), Wire::H2, many());
    vec![
        row("an entry of 4,000 octets, named 10,000 times").answers(|id| {
            // Index 62 is the first of the dynamic table (RFC 7541 §2.3.3).
            let mut block = CREATED.to_vec();
            block.push(0x40);
            text(&mut block, b"a");
            text(&mut block, &[b'b'; 4000]);
            block.extend([0xbe; 10_000]);
            headers(id, true, &block)
        }),
        row("an entry for the table in every answer").answers(|id| {
            let mut block = CREATED.to_vec();
            block.push(0x40);
            text(&mut block, format!("x-{id}").as_bytes());
            text(&mut block, &[b'b'; 3000]);
            headers(id, true, &block)
        }),
        row("ten thousand empty fields").answers(|id| {
            let mut block = CREATED.to_vec();
            block.extend(field(b"a", b"").repeat(4000));
            headers(id, true, &block)
        }),
        row("in pieces of one octet").answers(|id| {
            let block = [CREATED, &field(b"a", b"b").repeat(10)].concat();
            in_pieces(id, &block, 1)
        }),
        row("in five pieces").answers(|id| in_pieces(id, &[CREATED, &field(b"a", b"b")].concat(), 3)),
        row("that never ends").answers(|id| frame(kind::HEADERS, flag::END_STREAM, id, CREATED)),
        row("with another frame in its middle").answers(|id| {
            let mut out = frame(kind::HEADERS, flag::END_STREAM, id, CREATED);
            out.extend(data(id, false, b"x"));
            out
        }),
        row("a name of 15,000 octets").answers(|id| created_with(id, &[b'a'; 15_000], b"")),
        row("a name of no octets").answers(|id| created_with(id, b"", b"x")),
        row("a name with a blank").answers(|id| created_with(id, b"a b", b"x")),
        row("a value with line ends").answers(|id| created_with(id, b"location", b"/x\r\nset-cookie: a")),
        row("a value with NUL").answers(|id| created_with(id, b"location", b"/\0")),
        row("a length beyond 2^64")
            .answers(|id| headers(id, true, &[CREATED, &[0, 0x7f], &[0xff; 12], &[1]].concat())),
        row("a length beyond the block")
            .answers(|id| headers(id, true, &[CREATED, &[0, 0x7e, b'a']].concat())),
        row("Huffman code that says EOS").answers(|id| {
            headers(
                id,
                true,
                &[CREATED, &[0, 0x84, 0xff, 0xff, 0xff, 0xff, 1, b'x']].concat(),
            )
        }),
        row("ten thousand changes of the table's size")
            .answers(|id| headers(id, true, &[&[0x20; 10_000][..], CREATED].concat())),
        row("a table larger than was allowed")
            .answers(|id| headers(id, true, &[&[0x3f, 0xff, 0xff, 0x7f], CREATED].concat())),
        row("two statuses").answers(|id| headers(id, true, &CREATED.repeat(2))),
        row("a status behind a field")
            .answers(|id| headers(id, true, &[&field(b"a", b"b"), CREATED].concat())),
        row("a request's pseudo-header").answers(|id| headers(id, true, &[CREATED, &[0x82]].concat())),
        row("a status of four digits").answers(|id| headers(id, true, b"\x08\x042011")),
        row("an empty status").answers(|id| headers(id, true, b"\x08\x00")),
        row("connection and transfer-encoding").answers(|id| {
            let fields = [
                field(b"connection", b"close"),
                field(b"transfer-encoding", b"chunked"),
            ]
            .concat();
            headers(id, true, &[CREATED, &fields].concat())
        }),
    ]
}

/// Answers of HTTP/2 that say what is not so.
pub fn answers() -> Vec<Behaviour> {
    let row = |name: &str| Behaviour::new(format!("h2: {name}"), Wire::H2, many());
    vec![
        row("trailers without an end").answers(|id| {
            [
                headers(id, false, CREATED),
                headers(id, false, &field(b"a", b"b")),
            ]
            .concat()
        }),
        row("trailers with a status")
            .answers(|id| [headers(id, false, CREATED), headers(id, true, CREATED)].concat()),
        row("three lists of trailers").answers(|id| {
            [
                headers(id, false, CREATED),
                headers(id, false, &field(b"a", b"b")).repeat(3),
            ]
            .concat()
        }),
        row("trailers of 15 kB").answers(|id| {
            [
                headers(id, false, CREATED),
                headers(id, true, &field(b"a", &[b'b'; 15_000])),
            ]
            .concat()
        }),
        row("DATA before HEADERS").answers(|id| data(id, true, b"x")),
        row("DATA after the end").answers(|id| [headers(id, true, CREATED), data(id, true, b"x")].concat()),
        row("padding and nothing else").answers(|id| {
            [
                headers(id, false, CREATED),
                padded_data(id, false, b"", 255).repeat(50),
                data(id, true, b""),
            ]
            .concat()
        }),
        row("padding longer than its frame").answers(|id| {
            [
                headers(id, false, CREATED),
                frame(kind::DATA, flag::PADDED, id, &[200, 1, 2]),
            ]
            .concat()
        }),
        row("a stream that depends on itself").answers(|id| {
            let mut block = id.to_be_bytes().to_vec();
            block.push(15);
            block.extend_from_slice(CREATED);
            frame(
                kind::HEADERS,
                flag::END_HEADERS | flag::END_STREAM | flag::PRIORITY,
                id,
                &block,
            )
        }),
        row("more than content-length").answers(|id| {
            [
                headers(id, false, &[CREATED, &field(b"content-length", b"1")].concat()),
                data(id, true, b"xyz"),
            ]
            .concat()
        }),
        row("content-length of letters").answers(|id| created_with(id, b"content-length", b"abc")),
        row("content-length below zero").answers(|id| created_with(id, b"content-length", b"-1")),
        row("content-length of 10^30").answers(|id| created_with(id, b"content-length", &[b'9'; 30])),
        row("content-length twice").answers(|id| {
            let both = [field(b"content-length", b"0"), field(b"content-length", b"1")].concat();
            headers(id, true, &[CREATED, &both].concat())
        }),
        row("204 with a body")
            .answers(|id| [headers(id, false, b"\x08\x03204"), data(id, true, b"x")].concat()),
        row("a location of 10 kB").answers(|id| created_with(id, b"location", &[b'/'; 10_000])),
        row("an id of 10 kB").answers(|id| created_with(id, b"apns-id", &[b'a'; 10_000])),
        row("a thousand links").answers(|id| {
            headers(
                id,
                true,
                &[CREATED, &field(b"link", b"<https://127.0.0.1/>").repeat(400)].concat(),
            )
        }),
        row("a redirect inside").answers(|id| {
            headers(
                id,
                true,
                &[
                    &b"\x08\x03307"[..],
                    &field(b"location", b"http://169.254.169.254/"),
                ]
                .concat(),
            )
        }),
        row("retry-after of 10^18").answers(|id| throttled_until(id, b"1000000000000000000")),
        row("retry-after of 10^400").answers(|id| throttled_until(id, &[b'9'; 400])),
        row("retry-after below zero").answers(|id| throttled_until(id, b"-5")),
        row("retry-after of NaN").answers(|id| throttled_until(id, b"NaN")),
        row("retry-after in 1970").answers(|id| throttled_until(id, b"Thu, 01 Jan 1970 00:00:00 GMT")),
        row("retry-after in 9999").answers(|id| throttled_until(id, b"Fri, 31 Dec 9999 23:59:59 GMT")),
        row("retry-after of rubbish").answers(|id| throttled_until(id, &[0xfe; 200])),
        row("a date in 1970").answers(|id| {
            headers(
                id,
                true,
                &[
                    &b"\x08\x03401"[..],
                    &field(b"date", b"Thu, 01 Jan 1970 00:00:00 GMT"),
                ]
                .concat(),
            )
        }),
        row("a date in 9999").answers(|id| {
            headers(
                id,
                true,
                &[
                    &b"\x08\x03401"[..],
                    &field(b"date", b"Fri, 31 Dec 9999 23:59:59 GMT"),
                ]
                .concat(),
            )
        }),
        row("410 with a time beyond range").answers(|id| {
            let body = br#"{"reason":"Unregistered","timestamp":1e400}"#;
            [headers(id, false, b"\x08\x03410"), data(id, true, body)].concat()
        }),
        row("an error number beyond range").answers(|id| {
            let body = br#"{"code":1e308,"errno":99999999999999999999,"error":"x","message":"y"}"#;
            [headers(id, false, b"\x08\x03400"), data(id, true, body)].concat()
        }),
        row("json of 5,000 brackets")
            .answers(|id| [headers(id, false, b"\x08\x03400"), data(id, true, &[b'['; 5000])].concat()),
        row("json with a key 2,000 times").answers(|id| {
            let mut body = b"{".to_vec();
            body.extend(br#""reason":"x","#.repeat(1000));
            body.extend(br#""reason":"x"}"#);
            [headers(id, false, b"\x08\x03400"), data(id, true, &body)].concat()
        }),
        row("text that is not UTF-8")
            .answers(|id| [headers(id, false, b"\x08\x03400"), data(id, true, &[0xff; 4000])].concat()),
        row("ALTSVC and ORIGIN that lead elsewhere").answers(|id| {
            // RFC 7838 §4 and RFC 8336 §2: types 10 and 12, which this client has no use for.
            let elsewhere = b"\x00\x00h2=\"127.0.0.1:9\"; ma=86400";
            let origin = b"\x00\x15https://evil.invalid/";
            [
                frame(10, 0, 0, elsewhere),
                frame(12, 0, 0, origin),
                headers(id, true, &[CREATED, &field(b"alt-svc", b"h3=\":9\"")].concat()),
            ]
            .concat()
        }),
        row("PRIORITY_UPDATE and GREASE").answers(|id| {
            [
                frame(16, 0, 0, &[0, 0, 0, 1, b'u']),
                frame(0x0b + 0x1f * 3, 0xff, id, b"grease"),
                headers(id, true, CREATED),
            ]
            .concat()
        }),
        Behaviour::new("h2: SETTINGS by drops", Wire::H2, Vec::new()).floods(many(), 20, 0),
        Behaviour::new(
            "h2: one stream at a time, and none answered",
            Wire::H2,
            settings(&[(setting::MAX_CONCURRENT_STREAMS, 1)]),
        ),
        Behaviour::new("h2: an answer by drops", Wire::H2, windowless()).floods(
            [headers(1, false, CREATED), data(1, false, b"x").repeat(1000)].concat(),
            50,
            1,
        ),
        Behaviour::new("h2: tables that grow and shrink", Wire::H2, many()).floods(
            [
                settings(&[(setting::HEADER_TABLE_SIZE, 0)]),
                settings(&[(setting::HEADER_TABLE_SIZE, u32::MAX)]),
            ]
            .concat(),
            0,
            1,
        ),
        Behaviour::new("h2: streams that come and go", Wire::H2, many()).floods(
            [
                settings(&[(setting::MAX_CONCURRENT_STREAMS, 0)]),
                settings(&[(setting::MAX_CONCURRENT_STREAMS, 100)]),
            ]
            .concat(),
            0,
            1,
        ),
        Behaviour::new("h2: interim answers of 15 kB", Wire::H2, windowless()).floods(
            headers(
                1,
                false,
                &[&b"\x08\x03103"[..], &field(b"link", &[b'x'; 15_000])].concat(),
            ),
            0,
            1,
        ),
        Behaviour::new("h2: padding without end", Wire::H2, windowless()).floods(
            [
                headers(1, false, CREATED),
                padded_data(1, false, b"", 255).repeat(200),
            ]
            .concat(),
            0,
            1,
        ),
    ]
}

/// Answers of HTTP/1.1 that say what is not so.
pub fn http1_answers() -> Vec<Behaviour> {
    let row = |name: &str| Behaviour::new(format!("h1: {name}"), Wire::H1, Vec::new());
    vec![
        row("two answers to one request").answers(|_| {
            b"HTTP/1.1 201 Created\r\ncontent-length: 0\r\n\r\nHTTP/1.1 410 Gone\r\ncontent-length: 0\r\n\r\n".to_vec()
        }),
        row("more than content-length").answers(|_| b"HTTP/1.1 201 Created\r\ncontent-length: 1\r\n\r\nxyz".to_vec()),
        row("content-length below zero").answers(|_| b"HTTP/1.1 201 Created\r\ncontent-length: -1\r\n\r\nx".to_vec()),
        row("content-length with a sign").answers(|_| b"HTTP/1.1 201 Created\r\ncontent-length: +1\r\n\r\nx".to_vec()),
        row("content-length as a list").answers(|_| b"HTTP/1.1 201 Created\r\ncontent-length: 1, 1\r\n\r\nx".to_vec()),
        row("content-length in hex").answers(|_| b"HTTP/1.1 201 Created\r\ncontent-length: 0x1\r\n\r\nx".to_vec()),
        row("a transfer coding of no name").answers(|_| b"HTTP/1.1 201 Created\r\ntransfer-encoding: x\r\n\r\nx".to_vec()),
        row("chunked, and then another").answers(|_| {
            b"HTTP/1.1 201 Created\r\ntransfer-encoding: chunked, identity\r\n\r\n0\r\n\r\n".to_vec()
        }),
        row("chunked with a vertical tab").answers(|_| {
            b"HTTP/1.1 201 Created\r\ntransfer-encoding: \x0bchunked\r\n\r\n0\r\n\r\n".to_vec()
        }),
        row("a chunk below zero").answers(|_| b"HTTP/1.1 201 Created\r\ntransfer-encoding: chunked\r\n\r\n-1\r\nx\r\n".to_vec()),
        row("a chunk size of blanks").answers(|_| b"HTTP/1.1 201 Created\r\ntransfer-encoding: chunked\r\n\r\n  \r\n".to_vec()),
        row("a chunk that does not end").answers(|_| {
            b"HTTP/1.1 201 Created\r\ntransfer-encoding: chunked\r\n\r\n1\r\nxy\r\n0\r\n\r\n".to_vec()
        }),
        row("a thousand chunks with extensions").answers(|_| {
            let mut out = b"HTTP/1.1 201 Created\r\ntransfer-encoding: chunked\r\n\r\n".to_vec();
            out.extend(b"1;name=\"value\"\r\nx\r\n".repeat(1000));
            out.extend(b"0\r\n\r\n");
            out
        }),
        row("trailers without end")
            .answers(|_| b"HTTP/1.1 201 Created\r\ntransfer-encoding: chunked\r\n\r\n0\r\n".to_vec())
            .floods(b"a: b\r\n".to_vec(), 0, 1),
        row("trailers that change the length").answers(|_| {
            b"HTTP/1.1 201 Created\r\ntransfer-encoding: chunked\r\n\r\n0\r\ncontent-length: 5\r\n\r\nHTTP/1.1 410 Gone\r\n\r\n".to_vec()
        }),
        row("a thousand headers").answers(|_| {
            let mut out = b"HTTP/1.1 201 Created\r\ncontent-length: 0\r\n".to_vec();
            out.extend(b"a: b\r\n".repeat(1000));
            out.extend(b"\r\n");
            out
        }),
        row("a header name of 60 kB").answers(|_| {
            [b"HTTP/1.1 201 Created\r\n".to_vec(), vec![b'a'; 60_000], b": b\r\n\r\n".to_vec()].concat()
        }),
        row("a header folded over lines").answers(|_| b"HTTP/1.1 201 Created\r\nx: a\r\n b\r\ncontent-length: 0\r\n\r\n".to_vec()),
        row("a blank before the colon").answers(|_| b"HTTP/1.1 201 Created\r\ncontent-length : 0\r\n\r\n".to_vec()),
        row("NUL in a header").answers(|_| b"HTTP/1.1 201 Created\r\nx: \0\r\ncontent-length: 0\r\n\r\n".to_vec()),
        row("line feeds alone").answers(|_| b"HTTP/1.1 201 Created\ncontent-length: 0\n\n".to_vec()),
        row("carriage returns alone").answers(|_| b"HTTP/1.1 201 Created\rcontent-length: 0\r\r".to_vec()),
        row("HTTP/0.9").answers(|_| b"201".to_vec()).closes(),
        row("HTTP/3.0").answers(|_| b"HTTP/3.0 201 Created\r\ncontent-length: 0\r\n\r\n".to_vec()),
        row("a status of five digits").answers(|_| b"HTTP/1.1 20100 Created\r\ncontent-length: 0\r\n\r\n".to_vec()),
        row("a reason of 60 kB").answers(|_| {
            [b"HTTP/1.1 201 ".to_vec(), vec![b'a'; 60_000], b"\r\ncontent-length: 0\r\n\r\n".to_vec()].concat()
        }),
        row("100 by drops").floods(b"HTTP/1.1 100 Continue\r\n\r\n".to_vec(), 100, 1),
        row("a body until the end, and no end").answers(|_| b"HTTP/1.1 400 Bad\r\n\r\nx".to_vec()),
        row("a gzip bomb").answers(|_| {
            [b"HTTP/1.1 400 Bad\r\ncontent-encoding: gzip\r\ncontent-length: 2000\r\n\r\n".to_vec(), vec![0x1f; 2000]].concat()
        }),
        row("keep-alive of 10^30 seconds").answers(|_| {
            b"HTTP/1.1 201 Created\r\nkeep-alive: timeout=1000000000000000000000000000000\r\ncontent-length: 0\r\n\r\n".to_vec()
        }),
        row("keep-alive of no time").answers(|_| b"HTTP/1.1 201 Created\r\nkeep-alive: timeout=0, max=0\r\ncontent-length: 0\r\n\r\n".to_vec()),
        row("an upgrade that nobody asked for").answers(|_| {
            b"HTTP/1.1 101 Switching\r\nconnection: upgrade\r\nupgrade: h2c\r\n\r\n\0\0\0\x04\0\0\0\0\0".to_vec()
        }),
        row("HTTP/2 in place of an answer").answers(|_| settings(&[])),
    ]
}
