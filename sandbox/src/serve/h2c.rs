//! An HTTP/2 connection: the `h2` crate does the protocol, the frame filter between
//! it and TLS does what `h2` will not (live SETTINGS, misbehaviour).

use super::Tls;
use super::late::Late;
use super::refused::Refused;
use super::stream::{self, Arrival, Next};
use super::wire::{Command, Filter, PIPE, WireHandle};
use crate::connections::Note;
use crate::exchange::{Exchange, Reply};
use crate::fault::{Action, LastStream};
use crate::shared::{Door, Shared, Verdict};
use bytes::Bytes;
use h2::server::SendResponse;
use http::{HeaderName, HeaderValue, StatusCode};
use std::borrow::Cow;
use std::future::poll_fn;
use std::io;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::Poll;

/// The state that the tasks of one connection share.
pub(super) struct Connection {
    shared: Arc<Shared>,
    door: Door,
    pub(super) id: u64,
    pub(super) wire: WireHandle,
    /// MAX_CONCURRENT_STREAMS as last announced.
    pub(super) limit: AtomicU32,
    open: AtomicU32,
    progress: Mutex<Progress>,
    /// The latest request's.
    body: Mutex<Arc<[u8]>>,
}

/// How far the connection has come. A GOAWAY must not disown a stream that was
/// processed, and no stream above it may be processed later: the log is an oracle.
struct Progress {
    /// The highest stream that a service saw.
    highest: u32,
    /// The last stream id of the GOAWAY that was sent.
    ceiling: u32,
}

impl Connection {
    /// Has the request judged, unless a GOAWAY has disowned its stream; the last
    /// stream id, when a GOAWAY is to be sent.
    pub(super) fn judge(&self, exchange: &Exchange) -> Option<(Verdict, u32)> {
        let stream = exchange.origin.stream;
        let mut progress = self.progress.lock().unwrap_or_else(PoisonError::into_inner);
        if stream > progress.ceiling {
            return None;
        }
        let verdict = self.shared.dispatch(self.door, exchange);
        if verdict.judged {
            progress.highest = progress.highest.max(stream);
        }
        let Some(Action::Goaway { last, .. }) = &verdict.fault else {
            return Some((verdict, 0));
        };
        let last = match last {
            LastStream::This => progress.highest.max(stream),
            LastStream::Before => progress.highest,
            LastStream::Zero => 0,
            LastStream::Max => 0x7fff_ffff,
            LastStream::Id(id) => id & 0x7fff_ffff,
        };
        progress.ceiling = last;
        Some((verdict, last))
    }

    /// Takes a request in, unless the client has too many open.
    fn let_in(
        &self,
        request: http::Request<h2::RecvStream>,
        mut respond: SendResponse<Bytes>,
    ) -> Option<Arrival> {
        let stream = u32::from(respond.stream_id());
        let header_block = self.wire.take_header_block(stream);
        let open = self.open.fetch_add(1, Ordering::SeqCst) + 1;
        if open <= self.limit.load(Ordering::SeqCst) {
            return Some(Arrival::new(request, respond, header_block));
        }
        self.open.fetch_sub(1, Ordering::SeqCst);
        self.shared.stream_refused(self.id);
        match self.shared.over_limit_goaway(self.door) {
            Some(debug) => {
                // All streams below were let in and will be processed.
                let last = stream.saturating_sub(2);
                let mut progress = self.progress.lock().unwrap_or_else(PoisonError::into_inner);
                progress.ceiling = progress.ceiling.min(last);
                drop(progress);
                self.wire.send(Command::Goaway { last, code: 7, debug });
            }
            None => respond.send_reset(h2::Reason::REFUSED_STREAM),
        }
        None
    }

    /// A body, held once for requests in a row that have the same: that is what a campaign is.
    pub(super) fn body(&self, body: &[u8]) -> Arc<[u8]> {
        let mut latest = self.body.lock().unwrap_or_else(PoisonError::into_inner);
        if **latest != *body {
            *latest = Arc::from(body);
        }
        latest.clone()
    }

    /// Sends an answer; a client that has given the stream up needs none.
    pub(super) fn answer(&self, respond: SendResponse<Bytes>, reply: Reply) {
        self.ended();
        let _ = send(respond, reply);
    }

    /// A stream has ended, or will get no answer.
    pub(super) fn ended(&self) {
        self.open.fetch_sub(1, Ordering::SeqCst);
    }
}

pub(super) async fn serve(shared: Arc<Shared>, door: Door, id: u64, note: Note, tls: Tls) -> io::Result<()> {
    let limit = shared.initial_max_streams(door, id);
    let (inner, outer) = tokio::io::duplex(PIPE);
    let watcher = shared.clone();
    let watch = move |refused: Refused| {
        let rule = match refused.stream {
            0 => "http2.connection",
            _ => "http2.request",
        };
        watcher.refused_below_http(door, id, refused.stream, rule, &refused.reason());
    };
    // Node's SDK of Google's sends `:scheme: https:`, and Google's front ends take it.
    let any_scheme = door == Door::Fcm;
    let (filter, wire) = Filter::new(
        shared.initial_settings(door, limit),
        note,
        any_scheme,
        Box::new(watch),
    );
    let filter = filter.run(tls, outer);
    let connection = Arc::new(Connection {
        shared,
        door,
        id,
        wire,
        limit: AtomicU32::new(limit),
        open: AtomicU32::new(0),
        progress: Mutex::new(Progress {
            highest: 0,
            ceiling: u32::MAX,
        }),
        body: Mutex::default(),
    });
    let protocol = accept_loop(connection, inner);
    tokio::pin!(filter, protocol);
    tokio::select! {
        done = &mut filter => done,
        done = &mut protocol => match done {
            // Whatever h2 still had to say (its GOAWAY) goes out before the filter ends.
            Ok(()) | Err(_) => filter.await,
        },
    }
}

async fn accept_loop(connection: Arc<Connection>, io: tokio::io::DuplexStream) -> io::Result<()> {
    // The filter announces the limit; `h2` itself must never be the one that enforces it.
    let mut h2 = h2::server::Builder::new()
        .max_concurrent_streams(u32::MAX / 4)
        .initial_window_size(65_535)
        .initial_connection_window_size(65_535)
        .max_header_list_size(64 * 1024)
        .max_concurrent_reset_streams(100_000)
        .max_pending_accept_reset_streams(100_000)
        .handshake::<_, Bytes>(io)
        .await
        .map_err(io::Error::other)?;
    let mut late = Late::default();
    let mut arrived = Vec::new();
    loop {
        let mut next = tokio::select! {
            biased;
            next = h2.accept() => next,
            () = late.due() => {
                for (respond, reply) in late.take_due() {
                    connection.answer(respond, reply);
                }
                continue;
            }
        };
        // All that one read brought is let in before any of it is judged: so it counts against the
        // limit together, and the answers leave together.
        let ended = loop {
            match next {
                None => break Some(Ok(())),
                Some(Err(error)) => break Some(Err(io::Error::other(error))),
                Some(Ok((request, respond))) => arrived.extend(connection.let_in(request, respond)),
            }
            match poll_fn(|cx| Poll::Ready(h2.poll_accept(cx))).await {
                Poll::Ready(more) => next = more,
                Poll::Pending => break None,
            }
        };
        for mut arrival in arrived.drain(..) {
            // Most bodies are there.
            match poll_fn(|cx| Poll::Ready(arrival.poll_body(cx))).await {
                Poll::Ready(Ok(())) => {}
                Poll::Ready(Err(_)) => {
                    connection.ended();
                    continue;
                }
                Poll::Pending => {
                    tokio::spawn(stream::wait(connection.clone(), arrival));
                    continue;
                }
            }
            match arrival.judge(&connection) {
                Next::Answer(answer) if answer.delay.is_zero() => {
                    connection.answer(answer.respond, answer.reply);
                }
                Next::Answer(answer) => late.push(answer),
                Next::Script(script) => {
                    // Begun at once, so that what follows on the connection follows the script.
                    let mut play = Box::pin(script.play(connection.clone()));
                    if poll_fn(|cx| Poll::Ready(play.as_mut().poll(cx)))
                        .await
                        .is_pending()
                    {
                        tokio::spawn(play);
                    }
                }
            }
        }
        if let Some(ended) = ended {
            return ended;
        }
    }
}

fn send(mut respond: SendResponse<Bytes>, reply: Reply) -> Result<(), h2::Error> {
    let Some(response) = head(reply.status, reply.headers) else {
        respond.send_reset(h2::Reason::INTERNAL_ERROR);
        return Ok(());
    };
    let empty = reply.body.is_empty();
    let mut stream = respond.send_response(response, empty)?;
    if !empty {
        stream.send_data(Bytes::from(reply.body), true)?;
    }
    Ok(())
}

/// Status and headers; `None` when a script wants what HTTP does not have.
fn head(status: u16, headers: Vec<(Cow<'static, str>, String)>) -> Option<http::Response<()>> {
    let mut response = http::Response::new(());
    *response.status_mut() = StatusCode::from_u16(status).ok()?;
    for (name, value) in headers {
        let name = HeaderName::from_bytes(name.as_bytes()).ok()?;
        let value = HeaderValue::try_from(value).ok()?;
        response.headers_mut().append(name, value);
    }
    Some(response)
}
