use super::*;
use crate::http::{Authority, Body, Indexing, Method};

const CONFIG: Config = Config {
    max_head: 16 * 1024,
    max_body: 64 * 1024,
};

fn request(path: &str) -> Request {
    let mut request = Request::new();
    request.authority = Some(Authority::parse("push.example").unwrap());
    request.path.push_str(path);
    request.body = Body::Own(b"{}".to_vec());
    request
}

fn write_all(engine: &mut Engine) -> Vec<u8> {
    let out = engine.transmit().to_vec();
    engine.transmitted(out.len());
    engine.handed_over(engine.written);
    out
}

/// Every event until there is none, one line each.
fn events(engine: &mut Engine) -> Vec<String> {
    let mut seen = Vec::new();
    while let Some(event) = engine.poll_event() {
        seen.push(match event {
            Event::Response { response, .. } => format!(
                "{} {:?}{}",
                response.status,
                String::from_utf8_lossy(&response.body),
                if response.truncated { " truncated" } else { "" }
            ),
            Event::Failed { processed, error, .. } => format!("failed {processed:?} {}", error.kind()),
            Event::Closed(CloseReason::Failed(error)) => format!("closed {}", error.kind()),
            Event::Closed(reason) => format!("closed {reason:?}"),
            other => format!("{other:?}"),
        });
    }
    seen
}

/// One request, the answer in pieces, then perhaps the end of the stream.
fn answer(pieces: &[&[u8]], eof: Option<bool>) -> Vec<String> {
    let mut engine = Engine::new(CONFIG);
    assert_eq!(events(&mut engine), ["Ready"]);
    engine.send(&request("/a")).unwrap();
    write_all(&mut engine);
    for piece in pieces {
        engine.receive(piece);
    }
    if let Some(clean) = eof {
        engine.receive_eof(clean);
    }
    let seen = events(&mut engine);
    if !engine.is_closed() && engine.in_flight() == 0 {
        engine.send(&request("/b")).expect("kept alive");
        write_all(&mut engine);
        engine.receive(b"HTTP/1.1 200 OK\r\ncontent-length: 1\r\n\r\nx");
        assert_eq!(
            events(&mut engine),
            ["200 \"x\""],
            "the next response is read cleanly"
        );
    }
    seen
}

/// The same answer whole, byte by byte, and in pieces of every small size.
fn check(bytes: &[u8], eof: Option<bool>, expected: &[&str]) {
    let shown = String::from_utf8_lossy(&bytes[..bytes.len().min(200)]).into_owned();
    assert_eq!(answer(&[bytes], eof), expected, "{shown:?} whole");
    for size in [1, 2, 3, 5, 7, 11, 64] {
        let pieces: Vec<_> = bytes.chunks(size).collect();
        assert_eq!(answer(&pieces, eof), expected, "{shown:?} by {size}");
    }
}

#[test]
fn reads_good_responses_however_they_are_cut() {
    let ok = &["200 \"hello\""][..];
    for text in [
        "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello",
        "HTTP/1.1 200 \r\nContent-Length:5\r\n\r\nhello",
        "HTTP/1.1 200\r\nContent-Length: 5\r\n\r\nhello",
        "\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello",
        "HTTP/1.1 200 OK\nContent-Length: 5\n\nhello",
        "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 5\r\n\r\nhello",
        "HTTP/1.1 200 OK\r\nContent-Length: 5, 5\r\n\r\nhello",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: Chunked\r\n\r\n1\r\nh\r\n04\r\nello\r\n000\r\n\r\n",
        "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5;a=b;c=\"d\"\r\nhello\r\n0;e\r\n\r\n",
        "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\nX-Sum: 1\r\nY: 2\r\n\r\n",
        "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello",
        "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 102 P\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello",
        "HTTP/1.0 200 OK\r\nConnection: Keep-Alive\r\nContent-Length: 5\r\n\r\nhello",
        "HTTP/1.1 200 OK\r\nConnection: keep-alive\r\nX: \u{e9}\r\nContent-Length: 5\r\n\r\nhello",
    ] {
        check(text.as_bytes(), None, ok);
    }
    for (text, expected) in [
        ("HTTP/1.1 204 No Content\r\n\r\n", "204 \"\""),
        (
            "HTTP/1.1 304 Not Modified\r\nContent-Length: 900\r\n\r\n",
            "304 \"\"",
        ),
        ("HTTP/1.1 201 Created\r\nContent-Length: 0\r\n\r\n", "201 \"\""),
        // A redirect is an answer like any other.
        (
            "HTTP/1.1 307 T\r\nLocation: http://169.254.169.254/\r\nContent-Length: 0\r\n\r\n",
            "307 \"\"",
        ),
        (
            "HTTP/1.1 503 Busy\r\nContent-Length: 2\r\n\r\n\u{c3}\u{a9}",
            "503 \"é\"",
        ),
    ] {
        let bytes: Vec<u8> = text
            .chars()
            .map(|c| u8::try_from(u32::from(c)).unwrap())
            .collect();
        check(&bytes, None, &[expected]);
    }
}

#[test]
fn the_connection_ends_when_the_server_says_so() {
    let closed = ["200 \"hello\"", "closed Remote"];
    for text in [
        "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 5\r\n\r\nhello",
        "HTTP/1.1 200 OK\r\nConnection: foo, Close\r\nContent-Length: 5\r\n\r\nhello",
        "HTTP/1.0 200 OK\r\nContent-Length: 5\r\n\r\nhello",
    ] {
        check(text.as_bytes(), None, &closed);
        check(text.as_bytes(), Some(false), &closed);
    }
    // A body that runs to the end: whole only when the end was announced.
    let open_ended = b"HTTP/1.1 200 OK\r\n\r\nhello";
    check(open_ended, None, &[]);
    check(open_ended, Some(true), &closed);
    check(
        open_ended,
        Some(false),
        &["200 \"hello\" truncated", "closed Remote"],
    );
}

#[test]
fn a_known_status_outlives_a_broken_body() {
    for text in [
        "HTTP/1.1 410 Gone\r\nContent-Length: 9\r\n\r\nhello",
        "HTTP/1.1 410 Gone\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n",
        "HTTP/1.1 410 Gone\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n",
        "HTTP/1.1 410 Gone\r\nTransfer-Encoding: chunked\r\n\r\n9\r\nhello",
    ] {
        for clean in [true, false] {
            check(
                text.as_bytes(),
                Some(clean),
                &["410 \"hello\" truncated", "closed Remote"],
            );
        }
    }
    for rest in [
        "x\r\n",
        "-1\r\n",
        "\r\n",
        "5 5\r\n",
        "fffffffffffffffff\r\n",
        "0\r\nno colon\r\n\r\n",
    ] {
        let text = format!("HTTP/1.1 410 Gone\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n{rest}");
        check(
            text.as_bytes(),
            None,
            &["410 \"hello\" truncated", "closed Http1Protocol"],
        );
    }
    let long = "HTTP/1.1 410 Gone\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello!\r\n";
    check(
        long.as_bytes(),
        None,
        &["410 \"hello\" truncated", "closed Http1Protocol"],
    );
}

#[test]
fn refuses_heads_that_two_readers_could_read_differently() {
    let failed = ["failed Unknown Http1Protocol", "closed Http1Protocol"];
    for text in [
        "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello",
        "HTTP/1.1 200 OK\r\nContent-Length: 5, 6\r\n\r\nhello",
        "HTTP/1.1 200 OK\r\nContent-Length: +5\r\n\r\nhello",
        "HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\nhello",
        "HTTP/1.1 200 OK\r\nContent-Length: 0x5\r\n\r\nhello",
        "HTTP/1.1 200 OK\r\nContent-Length:\r\n\r\nhello",
        "HTTP/1.1 200 OK\r\nContent-Length: 5,\r\n\r\nhello",
        "HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999\r\n\r\nhello",
        "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: identity\r\n\r\nhello",
        "HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n folded\r\n\r\nhello",
        "HTTP/1.1 200 OK\r\nContent-Length : 5\r\n\r\nhello",
        "HTTP/1.1 200 OK\r\nX: a\0b\r\n\r\nhello",
        "HTTP/1.1 200 OK\r\nno colon\r\n\r\nhello",
        "HTTP/2 200 OK\r\n\r\n",
        "HTTP/1.1 20 OK\r\n\r\n",
        "HTTP/1.1 099 Low\r\n\r\n",
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: h2c\r\n\r\n",
        "ICY 200 OK\r\n\r\n",
        "<html>\r\n\r\n",
        "SSH-2.0-OpenSSH_9.2\r\n\r\n",
    ] {
        check(text.as_bytes(), None, &failed);
    }
}

#[test]
fn keeps_its_limits() {
    let limit = ["failed Unknown LimitExceeded", "closed LimitExceeded"];
    let padded = |len: usize| {
        let fixed = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nX: \r\n\r\n".len();
        format!(
            "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nX: {}\r\n\r\n",
            "a".repeat(len - fixed)
        )
    };
    check(padded(16 * 1024).as_bytes(), None, &["200 \"\""]);
    check(padded(16 * 1024 + 1).as_bytes(), None, &limit);
    let fields = |count| {
        format!(
            "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n{}\r\n",
            "a: b\r\n".repeat(count)
        )
    };
    check(fields(95).as_bytes(), None, &["200 \"\""]);
    check(fields(96).as_bytes(), None, &limit);
    check("HTTP/1.1 100 C\r\n\r\n".repeat(33).as_bytes(), None, &limit);
    check(&vec![b'a'; 20_000], None, &limit);

    let body = |len: usize| {
        format!(
            "HTTP/1.1 200 OK\r\nContent-Length: {len}\r\n\r\n{}",
            "b".repeat(len)
        )
    };
    let full = format!("200 {:?}", "b".repeat(64 * 1024));
    check(body(64 * 1024).as_bytes(), None, &[&full]);
    check(
        body(64 * 1024 + 1).as_bytes(),
        None,
        &[&format!("{full} truncated"), "closed Remote"],
    );
    // A size that nobody can hold costs nothing.
    let huge = "HTTP/1.1 200 OK\r\nContent-Length: 18446744073709551615\r\n\r\nhello";
    check(
        huge.as_bytes(),
        Some(false),
        &["200 \"hello\" truncated", "closed Remote"],
    );
    let chunk = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffff\r\nhello";
    check(
        chunk.as_bytes(),
        Some(false),
        &["200 \"hello\" truncated", "closed Remote"],
    );
    let line = format!(
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5;{}",
        "e".repeat(5000)
    );
    check(
        line.as_bytes(),
        None,
        &["200 \"\" truncated", "closed LimitExceeded"],
    );
}

#[test]
fn says_whether_a_request_can_have_been_processed() {
    // Nothing handed over.
    let mut engine = Engine::new(CONFIG);
    engine.send(&request("/a")).unwrap();
    engine.receive_eof(false);
    assert_eq!(
        events(&mut engine),
        ["Ready", "failed No ConnectionLost", "closed ConnectionLost"]
    );
    // Taken out, but no byte reached the transport.
    let mut engine = Engine::new(CONFIG);
    engine.send(&request("/a")).unwrap();
    engine.transmitted(engine.transmit().len());
    engine.receive_eof(true);
    assert_eq!(
        events(&mut engine),
        ["Ready", "failed No ConnectionLost", "closed ConnectionLost"]
    );
    // One byte did.
    let mut engine = Engine::new(CONFIG);
    engine.send(&request("/a")).unwrap();
    engine.transmitted(1);
    engine.handed_over(1);
    engine.receive_eof(true);
    assert_eq!(
        events(&mut engine),
        ["Ready", "failed Unknown ConnectionLost", "closed ConnectionLost"]
    );
    // The idle connection closed under the second request.
    let mut engine = Engine::new(CONFIG);
    engine.send(&request("/a")).unwrap();
    write_all(&mut engine);
    engine.receive(b"HTTP/1.1 204 N\r\n\r\n");
    assert_eq!(events(&mut engine), ["Ready", "204 \"\""]);
    engine.send(&request("/b")).unwrap();
    engine.receive_eof(true);
    assert_eq!(
        events(&mut engine),
        ["failed No ConnectionLost", "closed ConnectionLost"]
    );
}

#[test]
fn an_answer_before_the_request_is_no_answer() {
    let mut engine = Engine::new(CONFIG);
    engine.send(&request("/a")).unwrap();
    engine.receive(b"HTTP/1.1 408 Request Timeout\r\nConnection: close\r\nContent-Length: 0\r\n\r\n");
    assert_eq!(
        events(&mut engine),
        ["Ready", "failed No Http1Protocol", "closed Http1Protocol"]
    );
    // Two answers to one request: the second is not kept for the next request.
    assert_eq!(
        answer(
            &[b"HTTP/1.1 204 N\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"],
            None
        ),
        ["204 \"\"", "closed Http1Protocol"]
    );
}

#[test]
fn an_early_answer_counts_and_ends_the_connection() {
    let mut engine = Engine::new(CONFIG);
    engine.send(&request("/a")).unwrap();
    engine.transmitted(10);
    engine.handed_over(10);
    engine.receive(b"HTTP/1.1 413 Too Large\r\nContent-Length: 0\r\n\r\n");
    assert_eq!(events(&mut engine), ["Ready", "413 \"\"", "closed Remote"]);
    assert!(engine.transmit().is_empty(), "the rest is not sent");
}

#[test]
fn one_request_at_a_time_and_the_response_first() {
    let mut engine = Engine::new(CONFIG);
    assert_eq!(engine.capacity(), 1);
    engine.send(&request("/a")).unwrap();
    assert_eq!((engine.capacity(), engine.in_flight()), (0, 1));
    assert!(matches!(engine.send(&request("/b")), Err(SendError::Full)));
    write_all(&mut engine);
    engine.receive(b"HTTP/1.1 204 N\r\n\r\n");
    assert_eq!(
        (engine.capacity(), engine.in_flight()),
        (0, 0),
        "the response is not read yet"
    );
    events(&mut engine);
    assert_eq!(engine.capacity(), 1);
}

#[test]
fn cancelling_and_closing() {
    // Not yet taken: the connection stays.
    let mut engine = Engine::new(CONFIG);
    let id = engine.send(&request("/a")).unwrap();
    engine.cancel(id);
    assert_eq!(events(&mut engine), ["Ready", "failed No Cancelled"]);
    assert!(engine.transmit().is_empty());
    engine.send(&request("/b")).unwrap();
    write_all(&mut engine);
    engine.receive(b"HTTP/1.1 204 N\r\n\r\n");
    assert_eq!(events(&mut engine), ["204 \"\""]);
    // On its way: the connection goes with it.
    let id = engine.send(&request("/c")).unwrap();
    write_all(&mut engine);
    engine.cancel(id);
    assert_eq!(events(&mut engine), ["failed Unknown Cancelled", "closed Local"]);
    // Close waits for the answer.
    let mut engine = Engine::new(CONFIG);
    engine.send(&request("/a")).unwrap();
    write_all(&mut engine);
    engine.close();
    assert!(engine.is_draining() && matches!(engine.send(&request("/b")), Err(SendError::Closed)));
    engine.receive(b"HTTP/1.1 204 N\r\n\r\n");
    assert_eq!(events(&mut engine), ["Ready", "204 \"\"", "closed Local"]);
    engine.receive(b"late");
    engine.receive_eof(true);
    assert!(events(&mut engine).is_empty(), "one end only");
}

#[test]
fn writes_the_request() {
    let mut post = request("/v1/x?y=1");
    post.headers
        .push("content-type", "application/json", Indexing::Incremental)
        .unwrap();
    post.headers
        .push("content-length", "2", Indexing::Without)
        .unwrap();
    let mut engine = Engine::new(CONFIG);
    engine.send(&post).unwrap();
    assert_eq!(
        String::from_utf8(write_all(&mut engine)).unwrap(),
        "POST /v1/x?y=1 HTTP/1.1\r\nhost: push.example\r\ncontent-type: application/json\r\n\
         content-length: 2\r\n\r\n{}"
    );
    let mut get = request("/");
    get.method = Method::Get;
    get.body = Body::Empty;
    get.authority = Some(Authority::parse("[::1]:8443").unwrap());
    let mut engine = Engine::new(CONFIG);
    engine.send(&get).unwrap();
    assert_eq!(
        String::from_utf8(write_all(&mut engine)).unwrap(),
        "GET / HTTP/1.1\r\nhost: [::1]:8443\r\n\r\n"
    );
}

#[test]
fn refuses_requests_that_would_frame_themselves() {
    let mut bad = Vec::new();
    for path in ["", "a", "/a b", "/a\r\nx: y", "/é", "*"] {
        bad.push(request(path));
    }
    for (name, value) in [
        ("host", "other"),
        ("transfer-encoding", "chunked"),
        ("connection", "close"),
        ("content-length", "3"),
    ] {
        let mut with = request("/");
        with.headers.push(name, value, Indexing::Incremental).unwrap();
        bad.push(with);
    }
    let mut nowhere = request("/");
    nowhere.authority = None;
    bad.push(nowhere);
    for request in bad {
        let mut engine = Engine::new(CONFIG);
        assert!(
            matches!(engine.send(&request), Err(SendError::Invalid(_))),
            "{request:?}"
        );
        assert!(engine.transmit().is_empty() && engine.capacity() == 1);
    }
}

#[test]
fn an_idle_connection_may_be_closed_by_the_server() {
    for clean in [true, false] {
        let mut engine = Engine::new(CONFIG);
        engine.receive_eof(clean);
        assert_eq!(events(&mut engine), ["Ready", "closed Remote"]);
        assert!(matches!(engine.send(&request("/")), Err(SendError::Closed)));
    }
}

/// Marsaglia's xorshift: the same numbers in every run.
fn random(state: &mut u64) -> usize {
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    (*state >> 16) as usize
}

#[test]
fn garbled_responses_end_the_same_way_however_they_are_cut() {
    let good: [&[u8]; 4] = [
        b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nConnection: keep-alive\r\n\r\nhello",
        b"HTTP/1.1 103 Hint\r\n\r\nHTTP/1.1 404 No\r\nTransfer-Encoding: chunked\r\n\r\n5;a=b\r\nhello\r\n0\r\nt: x\r\n\r\n",
        b"HTTP/1.1 204 No Content\r\nX: y\r\n\r\n",
        b"HTTP/1.0 500 Oh\r\nConnection: close\r\n\r\nhello",
    ];
    let interesting = b"\r\n\0 :;,0123456789abcdefGHTP/\xff\t-+";
    let mut state = 0x9e37_79b9_7f4a_7c15;
    for round in 0..4000 {
        let mut bytes = good[random(&mut state) % good.len()].to_vec();
        for _ in 0..=random(&mut state) % 3 {
            let at = random(&mut state) % bytes.len();
            let byte = interesting[random(&mut state) % interesting.len()];
            match random(&mut state) % 3 {
                0 => bytes[at] = byte,
                1 => bytes.insert(at, byte),
                _ => drop(bytes.remove(at)),
            }
        }
        let eof = [None, Some(true), Some(false)][random(&mut state) % 3];
        let whole = answer(&[&bytes], eof);
        let mut pieces = Vec::new();
        let mut rest = &bytes[..];
        while !rest.is_empty() {
            let (piece, after) = rest.split_at(1 + random(&mut state) % rest.len());
            pieces.push(piece);
            rest = after;
        }
        let shown = String::from_utf8_lossy(&bytes);
        assert_eq!(answer(&pieces, eof), whole, "round {round}: {shown:?}");
        assert!(whole.len() <= 2, "round {round}: {whole:?}");
        if eof.is_some() {
            assert!(
                whole.last().is_some_and(|last| last.starts_with("closed")),
                "round {round}: {whole:?}"
            );
        }
    }
}
