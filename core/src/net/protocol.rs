//! HTTP/2 or HTTP/1.1, or neither yet: one surface for [`Connection`](super::Connection).

use std::time::Duration;

use super::config::{ConnectionConfig, HttpVersion, Protocols};
use super::{CloseReason, Event, Processed, RequestId, SendError, h1, h2};
use crate::error::{Error, ErrorKind};
use crate::http::Request;
use crate::time::Now;

/// The longest HTTP/1.1 response head, and the longest trailers.
const MAX_HEAD: usize = 16 * 1024;

/// The protocol engine of a connection.
pub(super) enum Protocol {
    /// The TLS handshake has not said which it will be.
    Undecided(Undecided),
    Http1(Box<h1::Engine>),
    Http2(Box<h2::Engine>),
}

/// A connection without HTTP: it can only end.
#[derive(Default)]
pub(super) struct Undecided {
    ended: bool,
    event: Option<CloseReason>,
    shown: Option<CloseReason>,
}

impl Undecided {
    fn end(&mut self, reason: CloseReason) {
        if !self.ended {
            self.ended = true;
            self.event = Some(reason);
        }
    }
}

impl Protocol {
    pub(super) fn undecided() -> Self {
        Protocol::Undecided(Undecided::default())
    }

    pub(super) fn http1(config: &ConnectionConfig) -> Self {
        let limits = h1::Config {
            max_head: MAX_HEAD,
            max_body: config.body_limit,
        };
        Protocol::Http1(Box::new(h1::Engine::new(limits)))
    }

    pub(super) fn http2(config: &ConnectionConfig, now: Now) -> Self {
        let mut choices = config.http2.clone();
        choices.max_response_body = config.body_limit;
        Protocol::Http2(Box::new(h2::Engine::new(choices, now)))
    }

    /// The handshake is done and the server chose `alpn`.
    pub(super) fn decide(&mut self, alpn: Option<&[u8]>, config: &ConnectionConfig, now: Now) {
        let Protocol::Undecided(Undecided { ended: false, .. }) = self else {
            return;
        };
        match (config.protocols, alpn) {
            (Protocols::Http2Only | Protocols::Http2OrHttp1, Some(b"h2")) => *self = Self::http2(config, now),
            (Protocols::Http2Only, _) => self.fail(
                Error::new(
                    ErrorKind::NoApplicationProtocol,
                    "server does not offer http/2 (alpn h2); is a proxy between that takes tls apart?",
                ),
                now,
            ),
            // A server without ALPN speaks HTTP/1.1.
            (Protocols::Http2OrHttp1 | Protocols::Http1Only, _) => *self = Self::http1(config),
        }
    }

    pub(super) fn version(&self) -> Option<HttpVersion> {
        match self {
            Protocol::Undecided(_) => None,
            Protocol::Http1(_) => Some(HttpVersion::Http1),
            Protocol::Http2(_) => Some(HttpVersion::Http2),
        }
    }

    /// How long the server keeps the connection while it is idle; `None` where it has not said.
    #[inline]
    pub(super) fn idle_limit(&self) -> Option<Duration> {
        match self {
            Protocol::Http1(engine) => engine.idle_limit(),
            Protocol::Undecided(_) | Protocol::Http2(_) => None,
        }
    }

    pub(super) fn is_undecided(&self) -> bool {
        matches!(self, Protocol::Undecided(_))
    }

    pub(super) fn capacity(&self) -> usize {
        match self {
            Protocol::Undecided(_) => 0,
            Protocol::Http1(engine) => engine.capacity(),
            Protocol::Http2(engine) => engine.capacity(),
        }
    }

    pub(super) fn window(&self) -> usize {
        match self {
            Protocol::Undecided(_) => 0,
            Protocol::Http1(_) => usize::MAX,
            Protocol::Http2(engine) => engine.window(),
        }
    }

    #[inline]
    pub(super) fn takes_body(&self, length: usize) -> bool {
        match self {
            Protocol::Undecided(_) => false,
            Protocol::Http1(_) => true,
            Protocol::Http2(engine) => engine.takes_body(length),
        }
    }

    pub(super) fn stream_limit(&self) -> usize {
        match self {
            Protocol::Undecided(_) => 0,
            Protocol::Http1(_) => 1,
            Protocol::Http2(engine) => engine.max_streams(),
        }
    }

    pub(super) fn widest_window(&self) -> Option<usize> {
        match self {
            Protocol::Undecided(_) | Protocol::Http1(_) => None,
            Protocol::Http2(engine) => Some(engine.widest_window()),
        }
    }

    pub(super) fn in_flight(&self) -> usize {
        match self {
            Protocol::Undecided(_) => 0,
            Protocol::Http1(engine) => engine.in_flight(),
            Protocol::Http2(engine) => engine.in_flight(),
        }
    }

    pub(super) fn processed(&self, id: RequestId) -> Processed {
        match self {
            Protocol::Undecided(_) => Processed::No,
            Protocol::Http1(engine) => engine.processed(id),
            Protocol::Http2(engine) => engine.processed(id),
        }
    }

    pub(super) fn header_bytes(&self) -> h2::HeaderBytes {
        match self {
            Protocol::Undecided(_) | Protocol::Http1(_) => h2::HeaderBytes::default(),
            Protocol::Http2(engine) => engine.header_bytes(),
        }
    }

    pub(super) fn is_ready(&self) -> bool {
        match self {
            Protocol::Undecided(_) => false,
            Protocol::Http1(engine) => !engine.is_closed(),
            Protocol::Http2(engine) => engine.is_ready(),
        }
    }

    pub(super) fn is_draining(&self) -> bool {
        match self {
            Protocol::Undecided(_) => false,
            Protocol::Http1(engine) => engine.is_draining(),
            Protocol::Http2(engine) => engine.is_draining(),
        }
    }

    pub(super) fn is_closed(&self) -> bool {
        match self {
            Protocol::Undecided(undecided) => undecided.ended,
            Protocol::Http1(engine) => engine.is_closed(),
            Protocol::Http2(engine) => engine.is_closed(),
        }
    }

    pub(super) fn receive(&mut self, bytes: &[u8], now: Now) {
        match self {
            Protocol::Undecided(_) => {}
            Protocol::Http1(engine) => engine.receive(bytes),
            Protocol::Http2(engine) => engine.receive(bytes, now),
        }
    }

    /// The byte stream has ended; `clean` when the peer announced it.
    pub(super) fn receive_eof(&mut self, clean: bool, now: Now) {
        match self {
            Protocol::Undecided(_) => self.fail(
                Error::new(
                    ErrorKind::ConnectionLost,
                    "server closed the connection during the tls handshake",
                ),
                now,
            ),
            Protocol::Http1(engine) => engine.receive_eof(clean),
            // Frames say how long they are: nothing can be cut unseen.
            Protocol::Http2(engine) => engine.receive_eof(now),
        }
    }

    /// Ends all requests, because the transport is broken.
    pub(super) fn fail(&mut self, error: Error, now: Now) {
        match self {
            Protocol::Undecided(undecided) => undecided.end(CloseReason::Failed(error)),
            Protocol::Http1(engine) => engine.fail(error),
            Protocol::Http2(engine) => engine.receive_failure(error, now),
        }
    }

    pub(super) fn handle_timeout(&mut self, now: Now) {
        if let Protocol::Http2(engine) = self {
            engine.handle_timeout(now);
        }
    }

    pub(super) fn send(&mut self, request: &Request, label: u32, now: Now) -> Result<RequestId, SendError> {
        match self {
            Protocol::Undecided(Undecided { ended: true, .. }) => Err(SendError::Closed),
            Protocol::Undecided(_) => Err(SendError::Full),
            Protocol::Http1(engine) => engine.send_labelled(request, label),
            Protocol::Http2(engine) => engine.send(request, label, now),
        }
    }

    pub(super) fn cancel(&mut self, id: RequestId, now: Now) -> bool {
        match self {
            Protocol::Undecided(_) => false,
            Protocol::Http1(engine) => engine.cancel(id),
            Protocol::Http2(engine) => engine.cancel(id, now),
        }
    }

    pub(super) fn close(&mut self, now: Now) {
        match self {
            Protocol::Undecided(undecided) => undecided.end(CloseReason::Local),
            Protocol::Http1(engine) => engine.close(),
            Protocol::Http2(engine) => engine.close(now),
        }
    }

    pub(super) fn ping(&mut self, now: Now) -> bool {
        match self {
            Protocol::Undecided(_) | Protocol::Http1(_) => false,
            Protocol::Http2(engine) => engine.ping(now),
        }
    }

    pub(super) fn transmit(&mut self) -> &[u8] {
        match self {
            Protocol::Undecided(_) => &[],
            Protocol::Http1(engine) => engine.transmit(),
            Protocol::Http2(engine) => engine.transmit(),
        }
    }

    pub(super) fn transmitted(&mut self, n: usize) {
        match self {
            Protocol::Undecided(_) => {}
            Protocol::Http1(engine) => engine.transmitted(n),
            Protocol::Http2(engine) => engine.transmitted(n),
        }
    }

    pub(super) fn written(&mut self, total: u64) {
        match self {
            Protocol::Undecided(_) => {}
            Protocol::Http1(engine) => engine.handed_over(total),
            Protocol::Http2(engine) => engine.written(total),
        }
    }

    pub(super) fn poll_event(&mut self) -> Option<Event<'_>> {
        match self {
            Protocol::Undecided(undecided) => {
                undecided.shown = undecided.event.take();
                undecided.shown.as_ref().map(Event::Closed)
            }
            Protocol::Http1(engine) => engine.poll_event(),
            Protocol::Http2(engine) => engine.poll_event(),
        }
    }

    pub(super) fn poll_timeout(&self) -> Option<Duration> {
        match self {
            Protocol::Undecided(_) | Protocol::Http1(_) => None,
            Protocol::Http2(engine) => engine.poll_timeout(),
        }
    }
}
