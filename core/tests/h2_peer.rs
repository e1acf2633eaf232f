//! The engine against an independent HTTP/2 server: the `h2` crate, in memory.

#![allow(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    reason = "tests may panic, read files and open sockets"
)]

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use pushcore::http::{Authority, HeaderBlock, Headers, Indexing, Request};
use pushcore::net::{Connection, ConnectionConfig, Event, Processed, RequestId, Security};
use pushcore::{Now, UnixTime};
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream};

fn now() -> Now {
    Now::new(Duration::from_secs(1), UnixTime::from_secs(1_700_000_000))
}

fn request(path: &str, body: &[u8]) -> Request {
    let mut request = Request::new();
    request.authority = Some(Authority::new("api.push.apple.com", 443).unwrap());
    request.path.push_str(path);
    request.body.own().extend_from_slice(body);
    request
}

fn cleartext() -> Connection {
    let authority = Authority::new("api.push.apple.com", 443).unwrap();
    let config = Arc::new(ConnectionConfig::new(Security::Cleartext));
    Connection::new(&config, &authority, now()).unwrap()
}

type Answer = (RequestId, u16, Vec<(String, String)>, Vec<u8>);

#[derive(Default)]
struct Seen {
    ready: bool,
    responses: Vec<Answer>,
    failed: usize,
    not_processed: Vec<RequestId>,
    unknown: Vec<RequestId>,
    closed: bool,
}

struct Client {
    connection: Connection,
    io: DuplexStream,
    seen: Seen,
}

impl Client {
    /// Moves octets one way and the other, without waiting for either.
    async fn turn(&mut self) {
        let mut buffer = [0; 8192];
        let out = self.connection.transmit().to_vec();
        if out.is_empty() {
            tokio::select! {
                biased;
                read = self.io.read(&mut buffer) => self.connection.receive(&buffer[..read.unwrap()], now()),
                () = tokio::task::yield_now() => {}
            }
        } else {
            let (mut reader, mut writer) = tokio::io::split(&mut self.io);
            tokio::select! {
                biased;
                read = reader.read(&mut buffer) => self.connection.receive(&buffer[..read.unwrap()], now()),
                wrote = writer.write(&out) => {
                    self.connection.transmitted(wrote.unwrap());
                }
            }
        }
        self.events();
    }

    fn events(&mut self) {
        while let Some(event) = self.connection.poll_event() {
            match event {
                Event::Ready => self.seen.ready = true,
                Event::Response { id, response } => {
                    let headers = response
                        .headers
                        .iter()
                        .map(|h| (h.name.to_owned(), h.value.to_owned()))
                        .collect();
                    assert!(!response.truncated);
                    self.seen
                        .responses
                        .push((id, response.status, headers, response.body.clone()));
                }
                Event::Failed { id, processed, .. } => {
                    self.seen.failed += 1;
                    match processed {
                        Processed::No => self.seen.not_processed.push(id),
                        _ => self.seen.unknown.push(id),
                    }
                }
                Event::Closed(_) => self.seen.closed = true,
                _ => {}
            }
        }
    }
}

/// Answers with the request's own facts: path, authority and headers in headers, body echoed.
async fn serve(io: DuplexStream, window: u32) {
    let mut connection = h2::server::Builder::new()
        .initial_window_size(window)
        .max_concurrent_streams(10)
        .handshake::<_, Bytes>(io)
        .await
        .unwrap();
    while let Some(accepted) = connection.accept().await {
        let Ok((request, mut respond)) = accepted else {
            break;
        };
        tokio::task::spawn_local(async move {
            let (head, mut body) = request.into_parts();
            let mut echoed = Vec::new();
            while let Some(data) = body.data().await {
                let data = data.unwrap();
                body.flow_control().release_capacity(data.len()).unwrap();
                echoed.extend_from_slice(&data);
            }
            let mut response = http::Response::builder()
                .status(200)
                .header("x-path", head.uri.path())
                .header("x-authority", head.uri.authority().unwrap().as_str())
                .header("x-method", head.method.as_str());
            for (name, value) in &head.headers {
                response = response.header(format!("x-echo-{name}"), value);
            }
            let mut stream = respond.send_response(response.body(()).unwrap(), false).unwrap();
            stream.send_data(Bytes::from(echoed), true).unwrap();
        });
    }
}

fn run(test: impl Future<Output = ()>) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    tokio::task::LocalSet::new().block_on(&runtime, test);
}

#[test]
fn a_thousand_requests_arrive_as_they_were_sent() {
    run(async {
        let (io, server) = tokio::io::duplex(4096);
        tokio::task::spawn_local(serve(server, 700));
        let mut client = Client {
            connection: cleartext(),
            io,
            seen: Seen::default(),
        };
        assert_eq!(client.connection.capacity(), 0);
        while !client.seen.ready {
            client.turn().await;
        }
        let mut common = Headers::new();
        common
            .push("apns-topic", "com.example", Indexing::Incremental)
            .unwrap();
        let common = HeaderBlock::new(common);
        let mut sent = Vec::new();
        while client.seen.responses.len() < 1000 {
            while sent.len() < 1000 && client.connection.capacity() > 0 {
                let n = sent.len();
                let body = vec![n as u8; (n * 37) % 3000];
                let mut request = request(&format!("/3/device/{n:064x}"), &body);
                request.common = Some(common.clone());
                request
                    .headers
                    .push("apns-id", &n.to_string(), Indexing::Without)
                    .unwrap();
                let id = client.connection.send(&request, now()).unwrap();
                sent.push((id, request.path.clone(), body));
            }
            client.turn().await;
            assert_eq!(client.seen.failed, 0);
            assert!(!client.seen.closed);
        }
        client.seen.responses.sort();
        for (n, ((id, path, body), (seen_id, status, headers, echoed))) in
            sent.iter().zip(&client.seen.responses).enumerate()
        {
            assert_eq!((id, 200, body), (seen_id, *status, echoed));
            let get = |name: &str| {
                headers
                    .iter()
                    .find(|(n, _)| n == name)
                    .map(|(_, value)| value.as_str())
            };
            assert_eq!(get("x-path"), Some(path.as_str()));
            assert_eq!(get("x-method"), Some("POST"));
            assert_eq!(get("x-authority"), Some("api.push.apple.com"));
            assert_eq!(get("x-echo-apns-topic"), Some("com.example"));
            assert_eq!(get("x-echo-apns-id"), Some(n.to_string().as_str()));
        }
        client.connection.close(now());
        client.events();
        assert!(client.seen.closed);
    });
}

/// Refuses every third request, cancels every fourth, answers the others without reading them
/// to their end, and shuts down after forty.
async fn refuse(io: DuplexStream) {
    let mut connection = h2::server::handshake(io).await.unwrap();
    let mut count = 0;
    while let Some(accepted) = connection.accept().await {
        let Ok((_request, mut respond)) = accepted else {
            break;
        };
        count += 1;
        if count % 3 == 0 {
            respond.send_reset(h2::Reason::REFUSED_STREAM);
        } else if count % 4 == 0 {
            respond.send_reset(h2::Reason::INTERNAL_ERROR);
        } else {
            let response = http::Response::builder().status(413).body(()).unwrap();
            respond.send_response(response, true).unwrap();
        }
        if count == 40 {
            connection.graceful_shutdown();
        }
    }
}

#[test]
fn refusals_resets_and_a_graceful_shutdown_are_told_apart() {
    run(async {
        let (io, server) = tokio::io::duplex(64 * 1024);
        tokio::task::spawn_local(refuse(server));
        let mut client = Client {
            connection: cleartext(),
            io,
            seen: Seen::default(),
        };
        let mut sent = 0;
        while !client.seen.closed {
            // One at a time, so that the server's count is the order of sending.
            if client.connection.in_flight() == 0 && client.connection.capacity() > 0 {
                client.connection.send(&request("/x", &[7; 2000]), now()).unwrap();
                sent += 1;
            }
            client.turn().await;
        }
        let (answered, refused, lost) = (
            client.seen.responses.len(),
            client.seen.not_processed.len(),
            client.seen.unknown.len(),
        );
        assert_eq!(answered + refused + lost, sent);
        assert!(sent >= 40);
        let position = |id: &RequestId| {
            let text = format!("{id:?}");
            let digits = text.trim_matches(|c: char| !c.is_ascii_digit());
            digits.parse::<usize>().unwrap().div_ceil(2)
        };
        assert!(client.seen.responses.iter().all(|answer| answer.1 == 413));
        assert!(client.seen.not_processed.iter().all(|id| position(id) % 3 == 0));
        assert!(client.seen.unknown.iter().all(|id| position(id) % 4 == 0));
        assert!(refused >= 13 && lost >= 6 && answered >= 20);
    });
}
