mod responses;

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

/// As the transport counts: what was taken back never reached it.
#[test]
fn a_request_that_was_taken_back_is_not_counted() {
    let mut engine = Engine::new(CONFIG);
    let id = engine.send(&request("/a")).unwrap();
    engine.cancel(id);
    let id = engine.send(&request("/b")).unwrap();
    assert_eq!(engine.processed(id), Processed::No);
    let length = engine.transmit().len();
    engine.transmitted(length);
    engine.handed_over(length as u64);
    assert_eq!(engine.processed(id), Processed::Unknown);
    engine.receive(b"HTTP/1.1 204 N\r\n\r\n");
    assert_eq!(events(&mut engine), ["Ready", "failed No Cancelled", "204 \"\""]);
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

#[test]
fn the_answer_to_a_head_has_no_body_whatever_its_headers_say() {
    let mut engine = Engine::new(CONFIG);
    assert_eq!(events(&mut engine), ["Ready"]);
    let mut head = request("/count");
    head.method = Method::Head;
    head.body = Body::Empty;
    engine.send(&head).unwrap();
    assert!(write_all(&mut engine).starts_with(b"HEAD /count HTTP/1.1\r\n"));
    engine.receive(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n");
    assert_eq!(events(&mut engine), ["200 \"\""]);
    // The next answer has its body again.
    engine.send(&request("/b")).unwrap();
    write_all(&mut engine);
    engine.receive(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
    assert_eq!(events(&mut engine), ["200 \"ok\""]);
}
