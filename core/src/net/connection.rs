//! A connection to a push service: TLS, and HTTP/2 or HTTP/1.1 on it.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use super::config::{ConnectionConfig, HttpVersion, Protocols, Security};
use super::h2::{self, HeaderBytes};
use super::protocol::Protocol;
use super::tls::{Flow, TlsStream};
use super::{Event, Processed, RequestId, SendError};
use crate::error::{Error, ErrorKind};
use crate::http::{Authority, Request};
use crate::time::Now;

/// One connection as a state machine: bytes and time in, bytes, timers and events out.
/// It owns no socket; whoever does drives it.
///
/// The methods come in four kinds:
///
/// * **A. Getters** take `&self` and change nothing: [`capacity`](Self::capacity),
///   [`window`](Self::window), [`in_flight`](Self::in_flight), [`protocol`](Self::protocol),
///   [`is_ready`](Self::is_ready), [`is_draining`](Self::is_draining),
///   [`is_closed`](Self::is_closed), [`is_resumed`](Self::is_resumed).
/// * **B. Inputs** tell what happened outside: [`receive`](Self::receive),
///   [`receive_eof`](Self::receive_eof), [`handle_timeout`](Self::handle_timeout). They never
///   fail; what goes wrong becomes an event.
/// * **C. Commands** of the owner: [`send`](Self::send), [`cancel`](Self::cancel),
///   [`close`](Self::close), [`ping`](Self::ping).
/// * **D. Outputs**, to be looked at after every B and C, in this order:
///   [`transmit`](Self::transmit) with [`transmitted`](Self::transmitted),
///   [`poll_event`](Self::poll_event) until `None`, [`poll_timeout`](Self::poll_timeout).
///   They may be called at any time, in any order, as often as one likes.
///
/// ```text
///              requests        events
///                 |  send        ^  poll_event
///           +-----v--------------+-----+
///           |   HTTP/2  or  HTTP/1.1   |
///           +-----+--------------^-----+
///           |            TLS           |
///           +-----v--------------+-----+
///        transmit |              | receive
///                 socket of the owner
/// ```
///
/// The run loop of an owner:
///
/// 1. Write what [`transmit`](Self::transmit) shows to the socket, and say with
///    [`transmitted`](Self::transmitted) how much of it was taken. Repeat until it is empty or
///    the socket is full. Many requests leave in one write.
/// 2. Drain [`poll_event`](Self::poll_event).
/// 3. When [`is_closed`](Self::is_closed) and [`transmit`](Self::transmit) is empty, close the socket.
/// 4. Send as many requests as [`capacity`](Self::capacity) allows; if any, go to 1.
/// 5. Wait until the socket is readable (or writable, if 1 left something), or the time of
///    [`poll_timeout`](Self::poll_timeout) has come, and call the B method for it.
///
/// # Bounded work
///
/// A server cannot make a call cost more than what it sent:
///
/// * [`receive`](Self::receive) does work in proportion to the bytes it is given, however many requests
///   are in flight, and leads to at most one event for each 9 bytes. No control frame walks over the open requests
///   (`docs/faults.md` has the table).
/// * [`transmit`](Self::transmit) adds request bodies that had waited for a window in turns of at most 64 requests,
///   and none while 64 KiB wait for the transport. Where a turn ends before everything was looked at and nothing is there to
///   transmit, [`poll_timeout`](Self::poll_timeout) is the present: the next
///   [`handle_timeout`](Self::handle_timeout) takes the next turn.
///
/// An owner that reads at most 64 KiB from one socket before it looks at the clock, at its other sockets and at signals
/// is therefore never kept busy by one of them, even where that socket is always readable. Readiness that is reported once only
/// (edge-triggered) has to be remembered across such turns.
///
/// A request that [`send`](Self::send) took ends in exactly one `Response` or `Failed` event,
/// before `Closed`. `Processed::No` is said only of requests whose header block was not
/// handed to the socket whole, or that the server itself disclaimed; what is left of them
/// will not be shown by `transmit` any more (`docs/decisions/0010-not-processed.md`).
pub struct Connection {
    config: Arc<ConnectionConfig>,
    authority: Authority,
    transport: Transport,
    protocol: Protocol,
    /// When the handshake must be over; `None` once it is.
    deadline: Option<Duration>,
    now: Now,
    /// The end has been carried through to the transport.
    close_notify_sent: bool,
}

enum Transport {
    /// All bytes that the transport took.
    Clear(u64),
    Tls(Box<TlsStream>),
}

impl Connection {
    /// Begins a connection to `authority`, whose host is what the server's certificate must be
    /// for. The first bytes wait in [`transmit`](Self::transmit).
    ///
    /// # Errors
    /// `InvalidValue` when the host is neither a DNS name nor an address, and so cannot be
    /// verified by TLS.
    pub fn new(config: &Arc<ConnectionConfig>, authority: &Authority, now: Now) -> Result<Self, Error> {
        let (transport, protocol) = match &config.security {
            Security::Tls(tls) => {
                let stream = TlsStream::new(tls, authority.host(), config.protocols.alpn(), now)?;
                (Transport::Tls(Box::new(stream)), Protocol::undecided())
            }
            Security::Cleartext if config.protocols == Protocols::Http1Only => {
                (Transport::Clear(0), Protocol::http1(config))
            }
            Security::Cleartext => (Transport::Clear(0), Protocol::http2(config, now)),
        };
        let mut connection = Self {
            deadline: Some(now.monotonic.saturating_add(config.handshake_timeout)),
            config: Arc::clone(config),
            authority: authority.clone(),
            transport,
            protocol,
            now,
            close_notify_sent: false,
        };
        connection.settle();
        Ok(connection)
    }

    // A. Getters

    /// Where it leads.
    pub fn authority(&self) -> &Authority {
        &self.authority
    }

    /// How many requests [`send`](Self::send) would take at this moment. 0 before `Ready`, while
    /// draining and when closed; on HTTP/1.1 at most 1, and 0 until the response before has been
    /// polled. May change after every B and C call.
    pub fn capacity(&self) -> usize {
        self.protocol.capacity()
    }

    /// How many bytes of request bodies the server's flow control lets go at this moment. What is
    /// above waits inside and counts as not sent until it goes. HTTP/1.1 has no such limit.
    pub fn window(&self) -> usize {
        self.protocol.window()
    }

    /// Whether the server's flow control lets the body of another request go at once: its connection's window is wide
    /// enough, and the window that it gives new streams is not shut.
    #[inline]
    pub(crate) fn takes_body(&self, length: usize) -> bool {
        self.protocol.takes_body(length)
    }

    /// The requests that may be in flight at a time: 0 before HTTP is up, 1 on HTTP/1.1.
    pub(crate) fn stream_limit(&self) -> usize {
        self.protocol.stream_limit()
    }

    /// The widest window for request bodies that the server has granted so far, in octets; `None` on HTTP/1.1, and
    /// before HTTP is up.
    pub(crate) fn widest_window(&self) -> Option<usize> {
        self.protocol.widest_window()
    }

    /// Requests sent and neither answered nor failed.
    pub fn in_flight(&self) -> usize {
        self.protocol.in_flight()
    }

    /// Whether the server may have acted on a request that has not ended: what its end would say if
    /// the connection broke now. `Unknown` for one that has ended.
    pub fn processed(&self, id: RequestId) -> Processed {
        self.protocol.processed(id)
    }

    /// The bytes of all HTTP/2 header blocks so far, as HPACK has them; none on HTTP/1.1.
    pub fn header_bytes(&self) -> HeaderBytes {
        self.protocol.header_bytes()
    }

    /// Returns how long the connection may be idle before its end has to be expected: somewhat less than the server has
    /// said (HTTP/1.1's `Keep-Alive: timeout`), because a request that meets the server's end on its way is in
    /// doubt. `None` where the server has said nothing.
    #[inline]
    pub(crate) fn keeps_idle_for(&self) -> Option<Duration> {
        let limit = self.protocol.idle_limit()?;
        // The answer took its time to come, and the next request takes as long: a second, or half of what there is.
        Some(limit - Duration::from_secs(1).min(limit / 2))
    }

    /// Returns the version of HTTP that is spoken; `None` until the TLS handshake is over.
    pub fn protocol(&self) -> Option<HttpVersion> {
        self.protocol.version()
    }

    /// Whether the handshake is over, SETTINGS included.
    pub fn is_ready(&self) -> bool {
        self.protocol.is_ready()
    }

    /// Whether no new request is taken, while those in flight may still be answered.
    pub fn is_draining(&self) -> bool {
        self.protocol.is_draining()
    }

    /// Whether it has ended. What [`transmit`](Self::transmit) still shows (GOAWAY, a TLS alert)
    /// tells the server why.
    pub fn is_closed(&self) -> bool {
        self.protocol.is_closed()
    }

    /// Whether the TLS session of an earlier connection was resumed.
    pub fn is_resumed(&self) -> bool {
        match &self.transport {
            Transport::Clear(_) => false,
            Transport::Tls(tls) => tls.is_resumed(),
        }
    }

    // B. Inputs

    /// Takes bytes that came from the transport. The work is in proportion to their number: an owner bounds its turn by
    /// how much it reads (64 KiB is a good measure).
    pub fn receive(&mut self, bytes: &[u8], now: Now) {
        self.now = now;
        if self.protocol.is_closed() {
            return;
        }
        let protocol = &mut self.protocol;
        match &mut self.transport {
            Transport::Clear(_) => protocol.receive(bytes, now),
            Transport::Tls(tls) => {
                let config = &self.config;
                let result = tls.receive(bytes, now, |tls, plaintext| {
                    protocol.decide(tls.alpn(), config, now);
                    protocol.receive(plaintext, now);
                });
                if !tls.is_handshaking() && protocol.is_undecided() {
                    protocol.decide(tls.alpn(), config, now);
                }
                match result {
                    Ok(Flow::Open) => {}
                    Ok(Flow::Ended) => protocol.receive_eof(true, now),
                    Err(error) => protocol.fail(error, now),
                }
            }
        }
        self.settle();
    }

    /// The transport ended: the server closed it, or it broke.
    pub fn receive_eof(&mut self, now: Now) {
        self.now = now;
        if !self.protocol.is_closed() {
            // Without TLS the end of TCP is all the announcement there is; with TLS it would
            // have been close_notify, and anybody can end TCP.
            let clean = matches!(self.transport, Transport::Clear(_));
            self.protocol.receive_eof(clean, now);
            self.settle();
        }
    }

    /// The time of [`poll_timeout`](Self::poll_timeout) has come. Harmless at any other time.
    pub fn handle_timeout(&mut self, now: Now) {
        self.now = now;
        match self.deadline {
            Some(deadline) if deadline <= now.monotonic && !self.protocol.is_closed() => {
                let error = match self.protocol.is_undecided() {
                    true => "tls handshake was not done in time",
                    false => "server sent no http/2 settings in time",
                };
                self.protocol
                    .fail(Error::new(ErrorKind::ConnectTimeout, error), now);
            }
            _ => self.protocol.handle_timeout(now),
        }
        self.settle();
    }

    // C. Commands

    /// Takes a request. It leaves with the next [`transmit`](Self::transmit).
    ///
    /// # Errors
    /// The request was not taken and nothing of it will be sent: `Full` when
    /// [`capacity`](Self::capacity) is 0, `Closed` when draining or closed, `Invalid` when it cannot
    /// be written as HTTP.
    pub fn send(&mut self, request: &Request, now: Now) -> Result<RequestId, SendError> {
        h2::check_path(&request.path)?;
        self.send_checked(request, 0, now)
    }

    /// [`send`](Self::send) for a request whose path has been checked where it came in: by a room, or by
    /// the session. `label` is what the owner calls it; its events bring it back.
    pub(crate) fn send_checked(
        &mut self,
        request: &Request,
        label: u32,
        now: Now,
    ) -> Result<RequestId, SendError> {
        self.now = now;
        self.protocol.send(request, label, now)
    }

    /// Gives up a request: a `Failed` event with `Cancelled` follows. `false`, and nothing
    /// happens, when it has ended already (its event may still wait to be polled). On HTTP/1.1
    /// the connection ends with it once a byte of it is on its way.
    pub fn cancel(&mut self, id: RequestId, now: Now) -> bool {
        self.now = now;
        let cancelled = self.protocol.cancel(id, now);
        self.settle();
        cancelled
    }

    /// Takes no more requests, and closes when those in flight have ended.
    pub fn close(&mut self, now: Now) {
        self.now = now;
        self.protocol.close(now);
        self.settle();
    }

    /// Asks whether the server is there; its answer becomes `RoundTrip`. `false` when one is under way,
    /// when not ready, and on HTTP/1.1, which has nothing of the kind.
    pub fn ping(&mut self, now: Now) -> bool {
        self.now = now;
        let sent = self.protocol.is_ready() && self.protocol.ping(now);
        self.settle();
        sent
    }

    // D. Outputs

    /// Returns the bytes that the transport should take next, as many as possible in one piece. The same
    /// bytes, perhaps with more behind them, until [`transmitted`](Self::transmitted).
    pub fn transmit(&mut self) -> &[u8] {
        if let Transport::Tls(tls) = &mut self.transport {
            while tls.has_room() && !self.protocol.transmit().is_empty() {
                let taken = tls.encrypt(self.protocol.transmit());
                self.protocol.transmitted(taken);
                if taken == 0 {
                    let error = "tls keys of this connection are used up";
                    self.protocol
                        .fail(Error::new(ErrorKind::ConnectionLost, error), self.now);
                    break;
                }
            }
        }
        self.settle();
        match &self.transport {
            Transport::Clear(_) => self.protocol.transmit(),
            Transport::Tls(tls) => tls.pending(),
        }
    }

    /// The transport took the first `n` bytes of [`transmit`](Self::transmit).
    pub fn transmitted(&mut self, n: usize) {
        match &mut self.transport {
            Transport::Clear(total) => {
                let n = n.min(self.protocol.transmit().len());
                *total += n as u64;
                self.protocol.transmitted(n);
                self.protocol.written(*total);
            }
            Transport::Tls(tls) => {
                let total = tls.transmitted(n);
                self.protocol.written(total);
            }
        }
    }

    /// Returns the next event, oldest first; `None` when there is no more.
    pub fn poll_event(&mut self) -> Option<Event<'_>> {
        self.protocol.poll_event()
    }

    /// Returns when to call [`handle_timeout`](Self::handle_timeout), on the monotonic clock; `None` when
    /// there is nothing to wait for. May change after every B, C and D call; the present when there is more to do at once.
    pub fn poll_timeout(&self) -> Option<Duration> {
        [self.deadline, self.protocol.poll_timeout()]
            .into_iter()
            .flatten()
            .min()
    }

    /// After every change: is the handshake over, has it ended?
    fn settle(&mut self) {
        let closed = self.protocol.is_closed();
        if closed || self.protocol.is_ready() {
            self.deadline = None;
        }
        if !closed {
            return;
        }
        if let Transport::Tls(tls) = &mut self.transport {
            if !self.close_notify_sent {
                tls.discard_untouched();
                self.close_notify_sent = true;
            }
            // After the last words of HTTP (GOAWAY), the last word of TLS.
            if self.protocol.transmit().is_empty() {
                tls.close();
            }
        }
    }
}

impl fmt::Debug for Connection {
    /// No buffer: they hold tokens.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connection")
            .field("authority", &self.authority)
            .field("protocol", &self.protocol())
            .field("ready", &self.is_ready())
            .field("closed", &self.is_closed())
            .field("in_flight", &self.in_flight())
            .finish_non_exhaustive()
    }
}
