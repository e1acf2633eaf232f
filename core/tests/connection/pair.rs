//! A client connection and a server wired back to back: no socket, and a clock that only
//! moves when a test says so.

use std::future::Future;
use std::io::{Read, Write};
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use pushcore::http::{Authority, Body, Indexing, Request};
use pushcore::net::tls::{TlsConfig, TlsConfigBuilder};
use pushcore::net::{CloseReason, Connection, ConnectionConfig, Event, Protocols, Security};
use pushcore::{Now, UnixTime};
use rustls::crypto::ring;
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig, ServerConnection};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use crate::certificates::{self, Issued};

/// 2026-06-01, in the middle of every certificate's life.
pub(crate) const START: Now = Now::new(Duration::ZERO, UnixTime::from_secs(1_780_272_000));

pub(crate) fn host() -> Authority {
    Authority::parse("push.example").unwrap()
}

pub(crate) fn request(path: &str) -> Request {
    request_with_body(path, 2)
}

pub(crate) fn request_with_body(path: &str, len: usize) -> Request {
    let mut request = Request::new();
    request.authority = Some(host());
    request.path.push_str(path);
    request
        .headers
        .push("content-type", "application/json", Indexing::Incremental)
        .unwrap();
    request.body = Body::Own(vec![b'x'; len]);
    request
}

pub(crate) fn client_tls(ca: &certificates::Authority) -> TlsConfigBuilder {
    TlsConfig::builder().without_bundled_roots().add_roots(ca.pem())
}

pub(crate) fn client_config(tls: TlsConfigBuilder, protocols: Protocols) -> Arc<ConnectionConfig> {
    let mut config = ConnectionConfig::new(Security::Tls(tls.build().unwrap()));
    config.protocols = protocols;
    Arc::new(config)
}

pub(crate) fn server_config(
    issued: &Issued,
    alpn: &[&str],
    client_ca: Option<&certificates::Authority>,
) -> ServerConfig {
    server_config_of(rustls::ALL_VERSIONS, issued, alpn, client_ca)
}

pub(crate) fn server_config_of(
    versions: &[&'static rustls::SupportedProtocolVersion],
    issued: &Issued,
    alpn: &[&str],
    client_ca: Option<&certificates::Authority>,
) -> ServerConfig {
    let provider = Arc::new(ring::default_provider());
    let builder = ServerConfig::builder_with_provider(provider.clone())
        .with_protocol_versions(versions)
        .unwrap();
    let builder = match client_ca {
        None => builder.with_no_client_auth(),
        Some(ca) => {
            let mut roots = RootCertStore::empty();
            roots.add(ca.der()).unwrap();
            builder.with_client_cert_verifier(
                WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider)
                    .build()
                    .unwrap(),
            )
        }
    };
    let mut config = builder
        .with_single_cert(issued.chain.clone(), issued.key())
        .unwrap();
    config.alpn_protocols = alpn.iter().map(|name| name.as_bytes().to_vec()).collect();
    config
}

/// Every event until there is none, one line each.
pub(crate) fn events(client: &mut Connection) -> Vec<String> {
    let mut seen = Vec::new();
    while let Some(event) = client.poll_event() {
        match event {
            Event::Response { response, .. } => seen.push(format!(
                "{} {}{}",
                response.status,
                String::from_utf8_lossy(&response.body),
                if response.truncated { " truncated" } else { "" }
            )),
            Event::Failed { processed, error, .. } => {
                seen.push(format!("failed {processed:?} {}", error.kind()));
            }
            Event::Draining(goaway) => seen.push(format!("draining {}", goaway.code)),
            Event::Closed(CloseReason::Failed(error)) => {
                seen.push(format!("closed {}: {error}", error.kind()))
            }
            Event::Closed(reason) => seen.push(format!("closed {reason:?}")),
            Event::SettingsChanged { .. } => {}
            other => seen.push(format!("{other:?}")),
        }
    }
    seen
}

/// How bytes are cut between the two sides.
#[derive(Clone, Copy)]
pub(crate) enum Cut {
    Whole,
    Single,
    Random(u64),
}

impl Cut {
    fn next(&mut self, len: usize) -> usize {
        match self {
            Cut::Whole => len,
            Cut::Single => len.min(1),
            Cut::Random(state) => {
                *state ^= *state << 13;
                *state ^= *state >> 7;
                *state ^= *state << 17;
                len.min(1 + (*state % 1500) as usize)
            }
        }
    }
}

/// The server's HTTP, behind its TLS: plaintext in, plaintext out.
pub(crate) trait App {
    fn serve(&mut self, input: &[u8], eof: bool) -> Vec<u8>;
}

/// Says nothing.
pub(crate) struct Silent;

impl App for Silent {
    fn serve(&mut self, _: &[u8], _: bool) -> Vec<u8> {
        Vec::new()
    }
}

impl<F: FnMut(&[u8]) -> Vec<u8>> App for F {
    fn serve(&mut self, input: &[u8], _: bool) -> Vec<u8> {
        self(input)
    }
}

pub(crate) struct Pair {
    pub(crate) client: Connection,
    pub(crate) server: ServerConnection,
    pub(crate) app: Box<dyn App>,
    pub(crate) now: Now,
    pub(crate) cut: Cut,
    pub(crate) log: Vec<String>,
    /// What the server's TLS said when it failed.
    pub(crate) server_error: Option<rustls::Error>,
    /// Application bytes that reached the server.
    pub(crate) plaintext: usize,
    /// Whether the client said close_notify.
    pub(crate) client_closed: bool,
}

impl Pair {
    pub(crate) fn new(config: &Arc<ConnectionConfig>, server: ServerConfig, app: impl App + 'static) -> Self {
        Self::at(START, config, Arc::new(server), app)
    }

    pub(crate) fn at(
        now: Now,
        config: &Arc<ConnectionConfig>,
        server: Arc<ServerConfig>,
        app: impl App + 'static,
    ) -> Self {
        Self {
            client: Connection::new(config, &host(), now).unwrap(),
            server: ServerConnection::new(server).unwrap(),
            app: Box::new(app),
            now,
            cut: Cut::Whole,
            log: Vec::new(),
            server_error: None,
            plaintext: 0,
            client_closed: false,
        }
    }

    /// Moves bytes both ways until neither side has anything to say; returns the new events.
    pub(crate) fn drive(&mut self) -> Vec<String> {
        let before = self.log.len();
        for _ in 0..1_000_000 {
            let mut moved = self.client_to_server();
            let answer = self.app.serve(&[], false);
            // A failed session takes nothing more.
            let _ = self.server.writer().write_all(&answer);
            moved |= self.server_to_client();
            let mut new = events(&mut self.client);
            self.log.append(&mut new);
            if !moved && answer.is_empty() {
                return self.log[before..].to_vec();
            }
        }
        panic!("the two sides never come to rest");
    }

    fn client_to_server(&mut self) -> bool {
        let shown = self.client.transmit();
        let piece = shown[..self.cut.next(shown.len())].to_vec();
        self.client.transmitted(piece.len());
        self.server_receives(&piece);
        !piece.is_empty()
    }

    pub(crate) fn server_receives(&mut self, mut bytes: &[u8]) {
        while !bytes.is_empty() && self.server_error.is_none() {
            match self.server.read_tls(&mut bytes) {
                Ok(0) | Err(_) => break,
                Ok(_) => {}
            }
            match self.server.process_new_packets() {
                Ok(state) => self.client_closed |= state.peer_has_closed(),
                Err(error) => self.server_error = Some(error),
            }
            let mut plaintext = Vec::new();
            let _ = self.server.reader().read_to_end(&mut plaintext);
            self.plaintext += plaintext.len();
            let answer = self.app.serve(&plaintext, false);
            let _ = self.server.writer().write_all(&answer);
        }
    }

    fn server_to_client(&mut self) -> bool {
        let mut out = Vec::new();
        while self.server.wants_write() {
            self.server.write_tls(&mut out).unwrap();
        }
        let mut rest = &out[..];
        while !rest.is_empty() {
            let (piece, after) = rest.split_at(self.cut.next(rest.len()));
            self.client.receive(piece, self.now);
            rest = after;
        }
        !out.is_empty()
    }

    /// The end of the transport, without close_notify.
    pub(crate) fn cut_off(&mut self) -> Vec<String> {
        self.client.receive_eof(self.now);
        self.drive()
    }
}

/// An HTTP/2 server of the `h2` crate, polled by hand.
pub(crate) struct H2Server {
    /// The paths of all requests that the server has seen.
    pub(crate) seen: Arc<Mutex<Vec<String>>>,
    pipe: Arc<Mutex<Pipe>>,
    task: Pin<Box<dyn Future<Output = ()>>>,
    done: bool,
}

#[derive(Default)]
struct Pipe {
    input: Vec<u8>,
    output: Vec<u8>,
    eof: bool,
}

struct PipeEnd(Arc<Mutex<Pipe>>);

impl H2Server {
    /// Answers every request with 200 and its path; after `last` requests it says GOAWAY.
    pub(crate) fn new(last: usize) -> Self {
        let pipe = Arc::new(Mutex::new(Pipe::default()));
        let end = PipeEnd(Arc::clone(&pipe));
        let seen = Arc::new(Mutex::new(Vec::new()));
        let log = Arc::clone(&seen);
        let task = Box::pin(async move {
            let mut builder = h2::server::Builder::new();
            builder
                .initial_connection_window_size(1 << 24)
                .max_concurrent_streams(500);
            let Ok(mut connection) = builder.handshake::<_, bytes::Bytes>(end).await else {
                return;
            };
            let mut count = 0;
            while let Some(Ok((request, mut respond))) = connection.accept().await {
                count += 1;
                if count == last {
                    connection.graceful_shutdown();
                }
                let response = http::Response::builder().status(200).body(()).unwrap();
                let path = request.uri().path().to_owned();
                log.lock().unwrap().push(path.clone());
                if let Ok(mut body) = respond.send_response(response, false) {
                    let _ = body.send_data(path.into(), true);
                }
            }
        });
        Self {
            seen,
            pipe,
            task,
            done: false,
        }
    }
}

impl App for H2Server {
    fn serve(&mut self, input: &[u8], eof: bool) -> Vec<u8> {
        {
            let mut pipe = self.pipe.lock().unwrap();
            pipe.input.extend_from_slice(input);
            pipe.eof |= eof;
        }
        if !self.done {
            let mut context = Context::from_waker(Waker::noop());
            self.done = self.task.as_mut().poll(&mut context).is_ready();
        }
        std::mem::take(&mut self.pipe.lock().unwrap().output)
    }
}

impl AsyncRead for PipeEnd {
    fn poll_read(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<std::io::Result<()>> {
        let mut pipe = self.0.lock().unwrap();
        if pipe.input.is_empty() && !pipe.eof {
            return Poll::Pending;
        }
        let len = pipe.input.len().min(buf.remaining());
        buf.put_slice(&pipe.input[..len]);
        pipe.input.drain(..len);
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for PipeEnd {
    fn poll_write(self: Pin<&mut Self>, _: &mut Context<'_>, bytes: &[u8]) -> Poll<std::io::Result<usize>> {
        self.0.lock().unwrap().output.extend_from_slice(bytes);
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}
