//! One stream: its request, its judgement, and the script that it may be played by.

use super::h1::BODY_LIMIT;
use super::h2c::Connection;
use super::wire::Command;
use crate::exchange::{Exchange, HeaderAudit, Origin, Reply};
use crate::fault::{Action, CloseHow};
use bytes::Bytes;
use h2::RecvStream;
use h2::server::SendResponse;
use http::request::Parts;
use std::future::{pending, poll_fn};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::task::{Context, Poll, ready};
use std::time::Duration;

/// A request whose body may still be coming.
pub(super) struct Arrival {
    parts: Parts,
    incoming: RecvStream,
    body: Vec<u8>,
    respond: SendResponse<Bytes>,
    header_block: (usize, Option<HeaderAudit>),
}

/// The answer to a request, and its delay.
pub(super) struct Answer {
    pub(super) respond: SendResponse<Bytes>,
    pub(super) reply: Reply,
    pub(super) delay: Duration,
}

/// The result of a request.
pub(super) enum Next {
    Answer(Answer),
    Script(Script),
}

/// A fault script at work on one stream.
pub(super) struct Script {
    answer: Answer,
    /// `None`: a GOAWAY has disowned the stream.
    action: Option<Action>,
    /// The last stream id, when the action is a GOAWAY.
    last_stream: u32,
}

/// Reads a body that takes its time, and does what comes of the request.
pub(super) async fn wait(connection: Arc<Connection>, mut arrival: Arrival) {
    if poll_fn(|cx| arrival.poll_body(cx)).await.is_err() {
        return connection.ended();
    }
    match arrival.judge(&connection) {
        Next::Answer(answer) => answer.send(&connection).await,
        Next::Script(script) => script.play(connection).await,
    }
}

impl Arrival {
    pub(super) fn new(
        request: http::Request<RecvStream>,
        respond: SendResponse<Bytes>,
        header_block: (usize, Option<HeaderAudit>),
    ) -> Self {
        let (parts, incoming) = request.into_parts();
        Self {
            parts,
            incoming,
            body: Vec::new(),
            respond,
            header_block,
        }
    }

    /// Reads the body as far as it is there.
    pub(super) fn poll_body(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), h2::Error>> {
        while let Some(chunk) = ready!(self.incoming.poll_data(cx)) {
            let chunk = chunk?;
            self.incoming.flow_control().release_capacity(chunk.len())?;
            if self.body.len() + chunk.len() <= BODY_LIMIT {
                self.body.extend_from_slice(&chunk);
            }
        }
        Poll::Ready(Ok(()))
    }

    /// Has the service judge the request, once its body is whole.
    pub(super) fn judge(self, connection: &Connection) -> Next {
        let Self { parts, respond, .. } = self;
        let host = || parts.headers.get("host").and_then(|value| value.to_str().ok());
        let authority = parts.uri.authority().map(|authority| authority.as_str());
        let exchange = Exchange {
            path: parts.uri.path().to_owned(),
            query: parts.uri.query().map(str::to_owned),
            authority: authority.or_else(host).unwrap_or_default().to_owned(),
            method: parts.method,
            headers: parts.headers,
            body: connection.body(&self.body),
            origin: Origin {
                connection: connection.id,
                stream: u32::from(respond.stream_id()),
                header_block: self.header_block.0,
                audit: self.header_block.1,
            },
        };
        let answer = |reply, delay| Answer {
            respond,
            reply,
            delay,
        };
        let Some((verdict, last_stream)) = connection.judge(&exchange) else {
            return Next::Script(Script {
                answer: answer(Reply::default(), Duration::ZERO),
                action: None,
                last_stream: 0,
            });
        };
        // Before the answer is on the wire: the client may open its next stream the
        // moment it has read it.
        if let Some(max) = verdict.reply.after.max_streams {
            if connection.limit.swap(max, Ordering::SeqCst) != max {
                connection.wire.send(Command::Settings(vec![(3, max)]));
            }
        }
        let answer = answer(verdict.reply, verdict.delay);
        match verdict.fault {
            None | Some(Action::Answer { .. } | Action::Delay { .. } | Action::Latency { .. }) => {
                Next::Answer(answer)
            }
            action => Next::Script(Script {
                answer,
                action,
                last_stream,
            }),
        }
    }
}

impl Answer {
    /// Sends it when it is due.
    async fn send(self, connection: &Connection) {
        if !self.delay.is_zero() {
            tokio::time::sleep(self.delay).await;
        }
        connection.answer(self.respond, self.reply);
    }
}

impl Script {
    /// Does what the script says, and sends the answer if it is to be sent.
    pub(super) async fn play(self, connection: Arc<Connection>) {
        let Self {
            mut answer,
            action,
            last_stream,
        } = self;
        let respond = &mut answer.respond;
        let stream = u32::from(respond.stream_id());
        let wire = &connection.wire;
        let Some(action) = action else {
            // No answer, nothing happens.
            return drop(poll_fn(|cx| respond.poll_reset(cx)).await);
        };
        match action {
            Action::Answer { .. } | Action::Delay { .. } | Action::Latency { .. } => {}
            Action::NoAnswer => {
                // Until the client gives the stream up, or the connection ends.
                let _ = poll_fn(|cx| respond.poll_reset(cx)).await;
                return connection.ended();
            }
            Action::Silence => {
                wire.send(Command::Silence);
                pending().await
            }
            Action::Rst { code } => {
                connection.ended();
                respond.send_reset(h2::Reason::from(code));
                return;
            }
            Action::Close { how } => {
                wire.send(Command::Close(how));
                pending().await
            }
            Action::Goaway {
                code,
                debug,
                close,
                answer,
                ..
            } => {
                wire.send_and_wait(Command::Goaway {
                    last: last_stream,
                    code,
                    debug,
                })
                .await;
                match (answer, close) {
                    (true, true) => wire.send(Command::CloseAfter { stream }),
                    (false, true) => wire.send(Command::Close(CloseHow::Clean)),
                    _ => {}
                }
                if !answer {
                    pending().await
                }
            }
            Action::Settings { values } => {
                if let Some((_, max)) = values.iter().rev().find(|(id, _)| *id == 3) {
                    connection.limit.store(*max, Ordering::SeqCst);
                }
                wire.send_and_wait(Command::Settings(values)).await;
            }
            Action::SlowRead { bytes_per_second } => wire.slow_read(bytes_per_second),
            Action::StarveWindow => wire.send_and_wait(Command::StarveWindow).await,
            Action::Shape { data, pad, fragment } => {
                wire.send_and_wait(Command::Shape { data, pad, fragment }).await;
            }
            Action::Interim { statuses } => {
                for status in statuses {
                    if let Ok(interim) = http::Response::builder().status(status).body(()) {
                        let _ = respond.send_informational(interim);
                    }
                }
            }
            Action::Raw { hex, repeat } => {
                let hex = hex.replace("{stream}", &format!("{stream:08x}"));
                wire.send_and_wait(Command::Raw(super::frame::unhex(&hex), repeat))
                    .await;
            }
        }
        answer.send(&connection).await;
    }
}
