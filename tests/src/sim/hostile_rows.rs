//! The table of what hostile servers do.

use super::frame::{data, flag, frame, goaway, headers, kind, ping, reset, setting, settings, window_update};
use super::hostile::{Behaviour, Wire, unknown, windowless};

/// SETTINGS that allow many streams.
pub(super) fn many() -> Vec<u8> {
    settings(&[(setting::MAX_CONCURRENT_STREAMS, 10_000)])
}

/// `:status 201`, as a literal.
pub(super) const CREATED: &[u8] = b"\x08\x03201";

/// Every kind of frame without end, at full speed and at three others.
pub fn floods() -> Vec<Behaviour> {
    let kinds: [(&str, Vec<u8>); 16] = [
        ("WINDOW_UPDATE of the connection", window_update(0, 1)),
        ("WINDOW_UPDATE of a stream", window_update(1, 1)),
        ("SETTINGS, empty", settings(&[])),
        (
            "SETTINGS, initial window",
            [
                settings(&[(setting::INITIAL_WINDOW_SIZE, 0)]),
                settings(&[(setting::INITIAL_WINDOW_SIZE, 1)]),
            ]
            .concat(),
        ),
        (
            "SETTINGS, acknowledgement",
            frame(kind::SETTINGS, flag::ACK, 0, b""),
        ),
        ("PING", ping(false, [1; 8])),
        ("PING, acknowledgement", ping(true, [1; 8])),
        ("PRIORITY", frame(kind::PRIORITY, 0, 1, &[0, 0, 0, 0, 1])),
        ("RST_STREAM", reset(1, 8)),
        ("an unknown type", unknown()),
        ("DATA, empty", data(1, false, b"")),
        ("DATA, one octet", data(1, false, b"x")),
        ("HEADERS, interim", headers(1, false, b"\x08\x03103")),
        ("GOAWAY", goaway(0x7fff_ffff, 0, b"")),
        (
            "CONTINUATION",
            [
                frame(kind::HEADERS, 0, 1, b"\x08"),
                frame(kind::CONTINUATION, 0, 1, b"").repeat(100),
            ]
            .concat(),
        ),
        (
            "PUSH_PROMISE",
            frame(kind::PUSH_PROMISE, flag::END_HEADERS, 1, &[0, 0, 0, 2, 0x82]),
        ),
    ];
    let mut rows = Vec::new();
    for (name, flood) in kinds {
        for rate in [0, 100_000, 1_000_000] {
            let speed = match rate {
                0 => "at full speed".to_owned(),
                rate => format!("at {} kB/s", rate / 1000),
            };
            let row = Behaviour::new(format!("flood: {name}, {speed}"), Wire::H2, windowless());
            rows.push(row.floods(flood.clone(), rate, 10));
        }
    }
    rows
}

/// HTTP/2 that breaks rules, once.
pub fn frames() -> Vec<Behaviour> {
    let row = |name: &str, hello: Vec<u8>| Behaviour::new(format!("h2: {name}"), Wire::H2, hello);
    let then = |bytes: Vec<u8>| [many(), bytes].concat();
    vec![
        row("says nothing", Vec::new()),
        row("closes without a word", Vec::new()).closes(),
        row("closes after SETTINGS", many()).closes(),
        row("no answers", many()),
        row(
            "HTTP/1.1 on HTTP/2",
            b"HTTP/1.1 400 Bad Request\r\nconnection: close\r\n\r\n".to_vec(),
        ),
        row("html", b"<html><body>please log in</body></html>".repeat(20)),
        row("zeros", vec![0; 100_000]),
        row("ones", vec![0xff; 100_000]),
        row(
            "a frame of 16 MiB",
            [many(), vec![0xff, 0xff, 0xff, 0, 0, 0, 0, 0, 1], vec![0; 50_000]].concat(),
        ),
        row(
            "no streams allowed",
            settings(&[(setting::MAX_CONCURRENT_STREAMS, 0)]),
        ),
        row(
            "tiny header lists",
            settings(&[(setting::MAX_HEADER_LIST_SIZE, 1)]),
        ),
        row(
            "a window above 2^31",
            settings(&[(setting::INITIAL_WINDOW_SIZE, u32::MAX)]),
        ),
        row("frames of no size", settings(&[(setting::MAX_FRAME_SIZE, 0)])),
        row(
            "a table of 4 GiB",
            settings(&[(setting::HEADER_TABLE_SIZE, u32::MAX), (3, 100)]),
        ),
        row("ENABLE_PUSH of a server", settings(&[(setting::ENABLE_PUSH, 1)])),
        row("five thousand settings", settings(&[(0x77, 7); 2000])),
        row("SETTINGS on a stream", frame(kind::SETTINGS, 0, 1, b"")),
        row("SETTINGS of five octets", frame(kind::SETTINGS, 0, 0, b"12345")),
        row("PING of seven octets", then(frame(kind::PING, 0, 0, b"1234567"))),
        row("DATA on stream 0", then(data(0, false, b"x"))),
        row("DATA on an idle stream", then(data(999, false, b"x"))),
        row("HEADERS on stream 2", then(headers(2, true, CREATED))),
        row("WINDOW_UPDATE of 0", then(window_update(0, 0))),
        row(
            "the window overflows",
            then(window_update(0, 0x7fff_ffff).repeat(3)),
        ),
        row(
            "a lone CONTINUATION",
            then(frame(kind::CONTINUATION, flag::END_HEADERS, 1, CREATED)),
        ),
        row("GOAWAY at once", then(goaway(0, 0, b""))),
        row("GOAWAY with an error", then(goaway(0, 1, b"\x1b[2J"))),
        row("GOAWAY: calm down", then(goaway(0, 11, b"too_many_pings"))),
        row(
            "GOAWAY that rises",
            then([goaway(1, 0, b""), goaway(99, 0, b"")].concat()),
        ),
        row("GOAWAY with 16 KiB", then(goaway(0, 2, &[b'x'; 16_000]))),
        row("resets each stream", many()).answers(|id| reset(id, 2)),
        row("refuses each stream", many()).answers(|id| reset(id, 7)),
        row("HTTP_1_1_REQUIRED", many()).answers(|id| reset(id, 13)),
        row("closes at the first request", many())
            .answers(|_| b"\0".to_vec())
            .closes(),
        row("no :status", many()).answers(|id| headers(id, true, b"\0\x01a\x01b")),
        row("a status of letters", many()).answers(|id| headers(id, true, b"\x08\x03abc")),
        row("status 99", many()).answers(|id| headers(id, true, b"\x08\x0299")),
        row("status 101", many()).answers(|id| headers(id, true, b"\x08\x03101")),
        row("a header block of rubbish", many()).answers(|id| headers(id, true, &[0xff; 40])),
        row("an index beyond the table", many()).answers(|id| headers(id, true, &[0xfe])),
        row("upper case", many()).answers(|id| headers(id, true, b"\x08\x03201\0\x01A\x01b")),
        row("half an answer", many()).answers(|id| headers(id, false, CREATED)),
        row("interim answers only", many()).answers(|id| headers(id, false, b"\x08\x03103").repeat(3)),
        row("less than content-length", many()).answers(|id| {
            [
                headers(id, false, b"\x08\x03201\x0f\x0d\x0299"),
                data(id, true, b"x"),
            ]
            .concat()
        }),
        row("a body beyond the window", many()).answers(|id| {
            [
                headers(id, false, b"\x08\x03400"),
                data(id, false, &[b'x'; 16_384]).repeat(40),
            ]
            .concat()
        }),
        row("answers twice", many()).answers(|id| headers(id, true, CREATED).repeat(2)),
        row("answers to others", many()).answers(|id| headers(id + 200, true, CREATED)),
        row("control characters", many()).answers(|id| {
            [
                headers(id, false, b"\x08\x03400"),
                data(id, true, b"\x1b[2J\x07\r\n=cmd()"),
            ]
            .concat()
        }),
        row("403 with 16 KiB of html", many()).answers(|id| {
            [
                headers(id, false, b"\x08\x03403"),
                data(id, true, &[b'<'; 16_000]),
            ]
            .concat()
        }),
        row("302", many()).answers(|id| headers(id, true, b"\x08\x03302")),
        row("500", many()).answers(|id| headers(id, true, b"\x8e")),
        row("retry-after of a thousand years", many())
            .answers(|id| headers(id, true, b"\x08\x03429\x0f\x26\x0b31536000000")),
    ]
}

/// HTTP/1.1 that breaks rules.
pub fn http1() -> Vec<Behaviour> {
    let row = |name: &str| Behaviour::new(format!("h1: {name}"), Wire::H1, Vec::new());
    vec![
        row("says nothing"),
        row("closes without a word").closes(),
        row("closes at the request").answers(|_| b"\0".to_vec()).closes(),
        row("html").answers(|_| b"<html>please log in</html>".to_vec()),
        row("half a status line").answers(|_| b"HTTP/1.1 20".to_vec()),
        row("a status of letters").answers(|_| b"HTTP/1.1 abc OK\r\n\r\n".to_vec()),
        row("headers without end")
            .answers(|_| b"HTTP/1.1 201 Created\r\n".to_vec())
            .floods(b"a: b\r\n".to_vec(), 0, 1),
        row("one header without end")
            .answers(|_| b"HTTP/1.1 201 Created\r\na: ".to_vec())
            .floods(b"b".to_vec(), 0, 1),
        row("a body without end")
            .answers(|_| b"HTTP/1.1 400 Bad\r\ntransfer-encoding: chunked\r\n\r\n".to_vec())
            .floods(b"1\r\nx\r\n".to_vec(), 0, 1),
        row("a slow body without end")
            .answers(|_| b"HTTP/1.1 400 Bad\r\ntransfer-encoding: chunked\r\n\r\n".to_vec())
            .floods(b"1\r\nx\r\n".to_vec(), 1000, 1),
        row("a chunk of 16 EiB").answers(|_| {
            b"HTTP/1.1 201 Created\r\ntransfer-encoding: chunked\r\n\r\nffffffffffffffff\r\n".to_vec()
        }),
        row("a chunk extension without end")
            .answers(|_| b"HTTP/1.1 201 Created\r\ntransfer-encoding: chunked\r\n\r\n1;".to_vec())
            .floods(b"x".to_vec(), 0, 1),
        row("content-length of 10^18")
            .answers(|_| b"HTTP/1.1 201 Created\r\ncontent-length: 1000000000000000000\r\n\r\nx".to_vec()),
        row("content-length twice").answers(|_| {
            b"HTTP/1.1 201 Created\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\nxx".to_vec()
        }),
        row("content-length and chunked").answers(|_| {
            b"HTTP/1.1 201 Created\r\ncontent-length: 1\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n"
                .to_vec()
        }),
        row("interim answers without end")
            .answers(|_| b"HTTP/1.1 103 Early Hints\r\n\r\n".to_vec())
            .floods(b"HTTP/1.1 103 Early Hints\r\n\r\n".to_vec(), 0, 1),
        row("101").answers(|_| b"HTTP/1.1 101 Switching\r\n\r\n".to_vec()),
        row("answers before it was asked").answers(|_| Vec::new()).floods(
            b"HTTP/1.1 201 Created\r\ncontent-length: 0\r\n\r\n".to_vec(),
            0,
            0,
        ),
        row("302").answers(|_| {
            b"HTTP/1.1 302 Found\r\nlocation: http://127.0.0.1/\r\ncontent-length: 0\r\n\r\n".to_vec()
        }),
        row("control characters")
            .answers(|_| b"HTTP/1.1 400 \x1b[2J\r\nx: \x1b[2J\r\ncontent-length: 4\r\n\r\n\x1b[2J".to_vec()),
    ]
}

/// What is no TLS, or no end to it.
pub fn tls() -> Vec<Behaviour> {
    let row = |name: &str, hello: &[u8]| Behaviour::new(format!("tls: {name}"), Wire::Tcp, hello);
    vec![
        row("says nothing", b""),
        row("closes", b"").closes(),
        row("http", b"HTTP/1.1 400 Bad Request\r\n\r\n"),
        row("zeros", &[0; 20_000]),
        row("an alert", &[21, 3, 3, 0, 2, 2, 40]),
        row("warnings without end", b"").floods(vec![21, 3, 3, 0, 2, 1, 100], 0, 0),
        row("a record of 64 KiB", &[22, 3, 3, 0xff, 0xff, 1, 2, 3]),
        row("half a ServerHello", &[22, 3, 3, 0, 100, 2, 0, 0, 96, 3, 3]),
        row("empty records without end", b"").floods(vec![22, 3, 3, 0, 0], 0, 0),
        row("a handshake of 16 MiB", b"").floods(
            [&[22, 3, 3, 0x40, 0, 2, 0xff, 0xff, 0xff][..], &[0; 16_380]].concat(),
            0,
            0,
        ),
        row("noise without end", b"").floods(b"\x17\x03\x03\x00\x05hello".to_vec(), 0, 0),
        row("a slow ServerHello", &[22, 3, 3, 0x10, 0, 2, 0, 0x0f, 0xfc]).floods(vec![0], 50, 0),
        Behaviour::new("tls: no alpn", Wire::NoAlpn, many()),
        row("records of no type", &[]).floods(vec![99, 3, 3, 0, 1, 0], 0, 0),
        row("SSL 2", &[0x80, 0x2e, 1, 0, 2, 0, 0x15]),
        row("HTTP/2 without TLS", &many()),
        row("another hello without end", &[]).floods(
            // A HelloRetryRequest's first octets, again and again.
            [&[22, 3, 3, 0, 6, 2, 0, 0, 2, 3, 3][..]].concat(),
            0,
            0,
        ),
        row("handshakes by drops", &[22, 3, 3, 0x3f, 0xff]).floods(vec![2, 0, 0, 0], 20, 0),
        Behaviour::new("tls: records of 32 octets", Wire::H2, many())
            .shaped(|config| config.max_fragment_size = Some(32))
            .answers(|id| headers(id, true, CREATED)),
        Behaviour::new("tls: a thousand tickets", Wire::H2, many())
            .shaped(|config| {
                // The number is only taken where tickets are made.
                config.ticketer = rustls::crypto::ring::Ticketer::new().expect("a ticketer");
                config.send_tls13_tickets = 1000;
            })
            .answers(|id| headers(id, true, CREATED)),
        Behaviour::new("tls: new keys without end", Wire::H2, many()).renews_keys(),
    ]
}

/// Proxies, for clients that go through one; the second half is of SOCKS5.
pub fn proxies() -> Vec<(Behaviour, &'static str)> {
    let row = |name: &str, hello: &[u8]| Behaviour::new(format!("proxy: {name}"), Wire::Tcp, hello);
    vec![
        (row("says nothing", b""), "http"),
        (row("closes", b"").closes(), "http"),
        (row("407", b"HTTP/1.1 407 Log in\r\n\r\n"), "http"),
        (row("html", b"<html>please log in</html>\r\n\r\n"), "http"),
        (row("a status of escapes", b"HTTP/1.1 2\x1b[ OK\r\n\r\n"), "http"),
        (row("status 999", b"HTTP/1.1 999 What\r\n\r\n"), "http"),
        (
            row(
                "a redirect",
                b"HTTP/1.1 302 Found\r\nlocation: http://127.0.0.1/\r\n\r\n",
            ),
            "http",
        ),
        (
            row(
                "200 with a body",
                b"HTTP/1.1 200 OK\r\ncontent-length: 26\r\n\r\n<html>please log in</html>",
            ),
            "http",
        ),
        (
            row(
                "200 in chunks",
                b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\n",
            ),
            "http",
        ),
        (
            row("200, and closes", b"HTTP/1.1 200 OK\r\n\r\n").closes(),
            "http",
        ),
        (row("line feeds alone", b"HTTP/1.1 200 OK\n\n"), "http"),
        (
            row(
                "407 with a challenge of 60 kB",
                b"HTTP/1.1 407 Log in\r\nproxy-authenticate: ",
            )
            .floods(vec![b'x'; 100], 0, 0),
            "http",
        ),
        (
            row("100 without end", b"").floods(b"HTTP/1.1 100 Continue\r\n\r\n".to_vec(), 0, 0),
            "http",
        ),
        (row("octets of no meaning", &[0xff; 4000]), "http"),
        (
            row("an answer without end", b"HTTP/1.1 200 OK\r\n").floods(b"a: b\r\n".to_vec(), 0, 0),
            "http",
        ),
        (
            row("a slow answer without end", b"HTTP/1.1 200 OK\r\n").floods(b"a: b\r\n".to_vec(), 100, 0),
            "http",
        ),
        (
            row("rubbish through the tunnel", b"HTTP/1.1 200 OK\r\n\r\n").floods(vec![0], 0, 0),
            "http",
        ),
        (
            row("nothing through the tunnel", b"HTTP/1.1 200 OK\r\n\r\n"),
            "http",
        ),
        (row("socks: says nothing", b""), "socks5"),
        (row("socks: closes", b"").closes(), "socks5"),
        (row("socks: no method", &[5, 0xff]), "socks5"),
        (
            row("socks: refuses", &[5, 0, 5, 2, 0, 1, 0, 0, 0, 0, 0, 0]),
            "socks5",
        ),
        (row("socks: http", b"HTTP/1.1 400 Bad\r\n\r\n"), "socks5"),
        (
            row("socks: a name of 255 octets", &[5, 0, 5, 0, 0, 3, 255, b'x']),
            "socks5",
        ),
        (row("socks: half an answer", &[5, 0, 5]), "socks5"),
        (row("socks: version 4", &[0, 90, 0, 0, 0, 0, 0, 0]), "socks5"),
        (row("socks: wants a login", &[5, 2]), "socks5"),
        (row("socks: a login refused", &[5, 2, 1, 1]), "socks5"),
        (
            row("socks: an address of no kind", &[5, 0, 5, 0, 0, 99, 1, 2, 3]),
            "socks5",
        ),
        (row("socks: by drops", &[5]).floods(vec![0], 5, 0), "socks5"),
        (
            row("socks: an answer without end", &[5, 0]).floods(vec![5, 0, 0, 3, 255], 0, 0),
            "socks5",
        ),
        (
            row("socks: rubbish behind it", &[5, 0, 5, 0, 0, 1, 0, 0, 0, 0, 0, 0]).floods(vec![7], 0, 0),
            "socks5",
        ),
    ]
}

/// Endpoints of access tokens.
pub fn tokens() -> Vec<Behaviour> {
    fn json(text: &str) -> Vec<u8> {
        let length = text.len();
        format!("HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {length}\r\n\r\n{text}")
            .into()
    }
    let row = |name: &str| Behaviour::new(format!("token: {name}"), Wire::H1, Vec::new());
    vec![
        row("says nothing"),
        row("closes").closes(),
        row("html").answers(|_| json("<html>please log in</html>")),
        row("empty").answers(|_| json("")),
        row("no token").answers(|_| json("{}")),
        row("a token of lines").answers(|_| json(r#"{"access_token":"a\r\nx: y","expires_in":3599}"#)),
        row("a token of 60 KiB").answers(|_| {
            json(&format!(
                r#"{{"access_token":"{}","expires_in":3599}}"#,
                "x".repeat(60_000)
            ))
        }),
        row("expired at once").answers(|_| json(r#"{"access_token":"t","expires_in":0}"#)),
        row("expires in -1").answers(|_| json(r#"{"access_token":"t","expires_in":-1}"#)),
        row("expires in 10^300").answers(|_| json(r#"{"access_token":"t","expires_in":1e300}"#)),
        row("a token of 1 MB")
            .answers(|_| {
                b"HTTP/1.1 200 OK\r\ncontent-length: 1000040\r\n\r\n{\"expires_in\":3599,\"access_token\":\""
                    .to_vec()
            })
            .floods(b"x".to_vec(), 0, 1),
        row("a token of 4,097 octets").answers(|_| {
            json(&format!(
                r#"{{"access_token":"{}","expires_in":3599}}"#,
                "x".repeat(4097)
            ))
        }),
        row("a token that is a number").answers(|_| json(r#"{"access_token":7,"expires_in":3599}"#)),
        row("a token of other letters")
            .answers(|_| json("{\"access_token\":\"\u{e9}\u{202e}\",\"expires_in\":3599}")),
        row("a token of another type")
            .answers(|_| json(r#"{"access_token":"t","token_type":"mac","expires_in":3599}"#)),
        row("a token twice")
            .answers(|_| json(r#"{"access_token":"t","access_token":"u","expires_in":3599}"#)),
        row("expires in a list").answers(|_| json(r#"{"access_token":"t","expires_in":[3599]}"#)),
        row("expires in NaN").answers(|_| json(r#"{"access_token":"t","expires_in":"NaN"}"#)),
        row("expires in 1e999").answers(|_| json(r#"{"access_token":"t","expires_in":1e999}"#)),
        row("expires in a text of infinity").answers(|_| json(r#"{"access_token":"t","expires_in":"inf"}"#)),
        row("json behind a byte order mark").answers(|_| json("\u{feff}{\"access_token\":\"t\"}")),
        row("429 until the year 9999").answers(|_| {
            b"HTTP/1.1 429 No\r\nretry-after: Fri, 31 Dec 9999 23:59:59 GMT\r\ncontent-length: 0\r\n\r\n"
                .to_vec()
        }),
        row("429 of 10^18 seconds").answers(|_| {
            b"HTTP/1.1 429 No\r\nretry-after: 1000000000000000000\r\ncontent-length: 0\r\n\r\n".to_vec()
        }),
        row("503 since 1970").answers(|_| {
            b"HTTP/1.1 503 No\r\nretry-after: Thu, 01 Jan 1970 00:00:00 GMT\r\ncontent-length: 0\r\n\r\n"
                .to_vec()
        }),
        row("an error of escapes").answers(|_| {
            let body = "{\"error\":\"\u{1b}[2J\",\"error_description\":\"\u{202e}\u{7}=cmd()\"}";
            format!("HTTP/1.1 400 No\r\ncontent-length: {}\r\n\r\n{body}", body.len()).into()
        }),
        row("an error of 60 kB").answers(|_| {
            let body = format!("{{\"error\":\"{}\"}}", "x".repeat(60_000));
            format!("HTTP/1.1 400 No\r\ncontent-length: {}\r\n\r\n{body}", body.len()).into()
        }),
        row("an answer by drops")
            .answers(|_| b"HTTP/1.1 200 OK\r\ncontent-length: 60\r\n\r\n".to_vec())
            .floods(b" ".to_vec(), 20, 1),
        row("401")
            .answers(|_| b"HTTP/1.1 401 No\r\nwww-authenticate: Basic\r\ncontent-length: 0\r\n\r\n".to_vec()),
        row("204").answers(|_| b"HTTP/1.1 204 No\r\n\r\n".to_vec()),
        row("nested").answers(|_| json(&"[".repeat(10_000))),
        row("a body without end")
            .answers(|_| b"HTTP/1.1 200 OK\r\n\r\n".to_vec())
            .floods(b" ".to_vec(), 0, 1),
        row("500").answers(|_| b"HTTP/1.1 500 No\r\ncontent-length: 0\r\n\r\n".to_vec()),
        row("400").answers(|_| {
            b"HTTP/1.1 400 Bad\r\ncontent-length: 25\r\n\r\n{\"error\":\"invalid_grant\"}".to_vec()
        }),
        row("302").answers(|_| {
            b"HTTP/1.1 302 F\r\nlocation: http://127.0.0.1/\r\ncontent-length: 0\r\n\r\n".to_vec()
        }),
    ]
}
