//! An HTTP/2 connection: the `h2` crate does the protocol, the frame filter between
//! it and TLS does what `h2` will not (live SETTINGS, misbehaviour).

use super::h1::BODY_LIMIT;
use super::late::Late;
use super::wire::{Command, Filter, PIPE, WireHandle};
use crate::connections::Note;
use crate::exchange::{Exchange, HeaderAudit, Origin, Reply};
use crate::fault::{Action, LastStream};
use crate::shared::{Door, Shared, Verdict};
use bytes::Bytes;
use h2::server::SendResponse;
use std::future::poll_fn;
use std::io;
use std::pin::Pin;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::Poll;
use std::time::Duration;
use tokio::net::TcpStream;
use tokio_rustls::server::TlsStream;

/// What the tasks of one connection share.
struct Connection {
    shared: Arc<Shared>,
    door: Door,
    id: u64,
    wire: WireHandle,
    /// MAX_CONCURRENT_STREAMS as last announced.
    limit: AtomicU32,
    open: AtomicU32,
    progress: Mutex<Progress>,
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
    fn judge(&self, exchange: &Exchange) -> Option<(Verdict, u32)> {
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
            return Some(Arrival {
                request,
                respond,
                header_block,
            });
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

    /// Sends an answer; a client that has given the stream up needs none.
    fn answer(&self, respond: SendResponse<Bytes>, reply: Reply) {
        self.open.fetch_sub(1, Ordering::SeqCst);
        let _ = send(respond, reply);
    }
}

/// A request whose body may still be coming.
struct Arrival {
    request: http::Request<h2::RecvStream>,
    respond: SendResponse<Bytes>,
    header_block: (usize, Option<HeaderAudit>),
}

/// What a request is answered with, and how late.
pub(super) struct Answer {
    pub(super) respond: SendResponse<Bytes>,
    pub(super) reply: Reply,
    pub(super) delay: Duration,
}

pub(super) async fn serve(
    shared: Arc<Shared>,
    door: Door,
    id: u64,
    note: Note,
    tls: TlsStream<TcpStream>,
) -> io::Result<()> {
    let limit = shared.initial_max_streams(door, id);
    let (inner, outer) = tokio::io::duplex(PIPE);
    let (filter, wire) = Filter::new(shared.initial_settings(door, limit), note);
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
        for arrival in arrived.drain(..) {
            let mut stream = Box::pin(stream(connection.clone(), arrival));
            // Most bodies are there, and most answers need nothing to wait for.
            match poll_fn(|cx| Poll::Ready(stream.as_mut().poll(cx))).await {
                Poll::Ready(Ok(Some(answer))) if answer.delay.is_zero() => {
                    connection.answer(answer.respond, answer.reply);
                }
                Poll::Ready(Ok(Some(answer))) => late.push(answer),
                Poll::Ready(_) => {}
                Poll::Pending => drop(tokio::spawn(wait(connection.clone(), stream))),
            }
        }
        if let Some(ended) = ended {
            return ended;
        }
    }
}

/// A stream whose body, or whose script, takes its time.
async fn wait(
    connection: Arc<Connection>,
    stream: Pin<Box<impl Future<Output = Result<Option<Answer>, h2::Error>>>>,
) {
    if let Ok(Some(answer)) = stream.await {
        if !answer.delay.is_zero() {
            tokio::time::sleep(answer.delay).await;
        }
        connection.answer(answer.respond, answer.reply);
    }
}

/// Reads a request to its end and has it judged; the answer, unless there is to be none.
async fn stream(connection: Arc<Connection>, arrival: Arrival) -> Result<Option<Answer>, h2::Error> {
    let Arrival {
        request,
        mut respond,
        header_block: (header_block, audit),
    } = arrival;
    let stream = u32::from(respond.stream_id());
    let (parts, mut incoming) = request.into_parts();
    let mut body = Vec::new();
    while let Some(chunk) = incoming.data().await {
        let chunk = match chunk {
            Ok(chunk) => chunk,
            Err(error) => {
                connection.open.fetch_sub(1, Ordering::SeqCst);
                return Err(error);
            }
        };
        incoming.flow_control().release_capacity(chunk.len())?;
        if body.len() + chunk.len() <= BODY_LIMIT {
            body.extend_from_slice(&chunk);
        }
    }
    let authority = parts
        .uri
        .authority()
        .map(|authority| authority.as_str().to_owned());
    let exchange = Exchange {
        method: parts.method,
        path: parts.uri.path().to_owned(),
        query: parts.uri.query().map(str::to_owned),
        authority: authority
            .or_else(|| {
                parts
                    .headers
                    .get("host")
                    .and_then(|value| value.to_str().ok())
                    .map(str::to_owned)
            })
            .unwrap_or_default(),
        headers: parts.headers,
        body,
        origin: Origin {
            connection: connection.id,
            stream,
            header_block,
            audit,
        },
    };
    let Some((verdict, last_stream)) = connection.judge(&exchange) else {
        // Disowned by a GOAWAY: no answer, nothing happens.
        return poll_fn(|cx| respond.poll_reset(cx)).await.map(|_| None);
    };
    // Before the answer is on the wire: the client may open its next stream the
    // moment it has read it.
    if let Some(max) = verdict.reply.after.max_streams {
        if connection.limit.swap(max, Ordering::SeqCst) != max {
            connection.wire.send(Command::Settings(vec![(3, max)]));
        }
    }
    let wire = &connection.wire;
    match verdict.fault {
        None | Some(Action::Answer { .. } | Action::Delay { .. } | Action::Latency { .. }) => {}
        Some(Action::NoAnswer) => {
            // Until the client gives the stream up, or the connection ends.
            let given_up = poll_fn(|cx| respond.poll_reset(cx)).await;
            connection.open.fetch_sub(1, Ordering::SeqCst);
            return given_up.map(|_| None);
        }
        Some(Action::Silence) => {
            wire.send(Command::Silence);
            std::future::pending().await
        }
        Some(Action::Rst { code }) => {
            connection.open.fetch_sub(1, Ordering::SeqCst);
            respond.send_reset(h2::Reason::from(code));
            return Ok(None);
        }
        Some(Action::Close { how }) => {
            wire.send(Command::Close(how));
            std::future::pending().await
        }
        Some(Action::Goaway {
            code,
            debug,
            close,
            answer,
            ..
        }) => {
            wire.send_and_wait(Command::Goaway {
                last: last_stream,
                code,
                debug,
            })
            .await;
            match (answer, close) {
                (true, true) => wire.send(Command::CloseAfter { stream }),
                (false, true) => wire.send(Command::Close(crate::fault::CloseHow::Clean)),
                _ => {}
            }
            if !answer {
                std::future::pending().await
            }
        }
        Some(Action::Settings { values }) => {
            if let Some((_, max)) = values.iter().rev().find(|(id, _)| *id == 3) {
                connection.limit.store(*max, Ordering::SeqCst);
            }
            wire.send_and_wait(Command::Settings(values)).await;
        }
        Some(Action::SlowRead { bytes_per_second }) => wire.slow_read(bytes_per_second),
        Some(Action::StarveWindow) => wire.send_and_wait(Command::StarveWindow).await,
        Some(Action::Shape { data, pad, fragment }) => {
            wire.send_and_wait(Command::Shape { data, pad, fragment }).await;
        }
        Some(Action::Interim { statuses }) => {
            for status in statuses {
                if let Ok(interim) = http::Response::builder().status(status).body(()) {
                    respond.send_informational(interim)?;
                }
            }
        }
        Some(Action::Raw { hex, repeat }) => {
            let hex = hex.replace("{stream}", &format!("{stream:08x}"));
            wire.send_and_wait(Command::Raw(super::frame::unhex(&hex), repeat))
                .await;
        }
    }
    Ok(Some(Answer {
        respond,
        reply: verdict.reply,
        delay: verdict.delay,
    }))
}

fn send(mut respond: SendResponse<Bytes>, reply: Reply) -> Result<(), h2::Error> {
    let mut response = http::Response::builder().status(reply.status);
    for (name, value) in reply.headers {
        response = response.header(name, value);
    }
    let Ok(response) = response.body(()) else {
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
