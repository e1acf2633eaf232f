//! The connection: its state, and what it tells its owner.

use std::collections::VecDeque;
use std::fmt;
use std::time::Duration;

use super::budget::Budget;
use super::config::Config;
use super::frame::{HEAD, MAX_31, PREFACE, kind};
use super::hpack::{Decoder, Encoder};
use super::known::Known;
use super::out::Output;
use super::queued::Queued;
use super::receive::Continuation;
use super::settings::{self, PeerSettings};
use super::stream::{History, Incoming, Streams};
use crate::net::{GoAway, Processed, RequestId};
use crate::time::Now;

/// Octets of header blocks, HPACK-coded, without the frame heads.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct HeaderBytes {
    /// Sent since the connection began.
    pub sent: u64,
    /// Received since the connection began.
    pub received: u64,
}

impl std::ops::AddAssign for HeaderBytes {
    /// Holds at the largest number rather than overflow.
    fn add_assign(&mut self, other: Self) {
        self.sent = self.sent.saturating_add(other.sent);
        self.received = self.received.saturating_add(other.received);
    }
}

/// An HTTP/2 client connection without the transport under it.
///
/// Feed it with [`receive`](Self::receive), carry away what [`transmit`](Self::transmit) shows,
/// report with [`handed_over`](Self::handed_over) how much of it the transport took, call
/// [`handle_timeout`](Self::handle_timeout) when [`poll_timeout`](Self::poll_timeout) says so,
/// and after each of these drain [`poll_event`](Self::poll_event).
///
/// Inputs never fail: what goes wrong becomes an event. Every request that
/// [`send`](Self::send) took ends in exactly one `Response` or `Failed`, before `Closed`.
pub struct Engine {
    pub(super) config: Config,
    pub(super) now: Duration,
    pub(super) out: Output,
    /// A frame of which only the beginning has been received.
    pub(super) partial: Vec<u8>,
    /// A header block that CONTINUATION frames will complete.
    pub(super) block: Vec<u8>,
    pub(super) continuation: Option<Continuation>,
    pub(super) encoder: Encoder,
    pub(super) decoder: Decoder,
    /// The last response's header block of those that come again.
    pub(super) known: Known,
    pub(super) streams: Streams,
    /// Streams with a body that waits for a window, oldest first.
    pub(super) blocked: VecDeque<u32>,
    pub(super) history: History,
    pub(super) next_id: u32,
    pub(super) peer: PeerSettings,
    pub(super) send_window: i64,
    pub(super) receive_window: i64,
    pub(super) consumed: u32,
    pub(super) phase: Phase,
    pub(super) ready: bool,
    pub(super) goaway: Option<GoAway>,
    pub(super) settings_deadline: Option<Duration>,
    pub(super) acknowledged: bool,
    pub(super) ping: Option<Ping>,
    pub(super) ping_count: u64,
    pub(super) last_received: Duration,
    /// When the first of the streams now open was opened.
    pub(super) active_since: Duration,
    pub(super) budgets: Budgets,
    pub(super) header_bytes: HeaderBytes,
    pub(super) events: VecDeque<Queued>,
    pub(super) current: Option<Queued>,
    #[expect(
        clippy::vec_box,
        reason = "the boxes move on into streams and events as they are"
    )]
    pub(super) pool: Vec<Box<Incoming>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Phase {
    Open,
    /// No new requests; `by_owner` unless the server began it.
    Draining {
        by_owner: bool,
    },
    Closed,
}

pub(super) struct Ping {
    pub(super) payload: [u8; 8],
    pub(super) sent: Duration,
    /// `None` when no answer is insisted on.
    pub(super) deadline: Option<Duration>,
}

pub(super) struct Budgets {
    pub(super) pings: Budget,
    pub(super) settings: Budget,
    pub(super) small_data: Budget,
    pub(super) resets: Budget,
    pub(super) informational: Budget,
}

impl Engine {
    /// A new connection; the client preface and SETTINGS wait in [`transmit`](Self::transmit).
    pub fn new(mut config: Config, now: Now) -> Self {
        config.initial_window = config.initial_window.clamp(65_535, MAX_31);
        config.connection_window = config.connection_window.clamp(65_535, MAX_31);
        let flood = config.flood;
        let now = now.monotonic;
        let mut engine = Self {
            now,
            out: Output::default(),
            partial: Vec::new(),
            block: Vec::new(),
            continuation: None,
            encoder: Encoder::new(config.encoder_table_size as usize, config.huffman_literals),
            decoder: Decoder::new(config.header_table_size as usize),
            known: Known::default(),
            streams: Streams::default(),
            blocked: VecDeque::new(),
            history: History::default(),
            next_id: config.initial_stream_id.min(MAX_31) | 1,
            peer: PeerSettings::default(),
            send_window: 65_535,
            receive_window: i64::from(config.connection_window),
            consumed: 0,
            phase: Phase::Open,
            ready: false,
            goaway: None,
            settings_deadline: Some(now.saturating_add(config.settings_timeout)),
            acknowledged: false,
            ping: None,
            ping_count: 0,
            last_received: now,
            active_since: now,
            budgets: Budgets {
                pings: Budget::new(flood.pings, now),
                settings: Budget::new(flood.settings, now),
                small_data: Budget::new(flood.small_data, now),
                resets: Budget::new(flood.resets, now),
                informational: Budget::new(flood.informational, now),
            },
            header_bytes: HeaderBytes::default(),
            events: VecDeque::new(),
            current: None,
            pool: Vec::new(),
            config,
        };
        engine.out.buffer().extend_from_slice(PREFACE);
        settings::write(&engine.config, &mut engine.out);
        let more = engine.config.connection_window - 65_535;
        if more > 0 {
            engine.out.frame(kind::WINDOW_UPDATE, 0, 0, &more.to_be_bytes());
        }
        engine
    }

    /// How many requests can be sent at this moment: 0 before the server's SETTINGS, while
    /// draining, and when closed.
    pub fn capacity(&self) -> usize {
        if !self.ready || self.phase != Phase::Open || self.next_id > MAX_31 {
            return 0;
        }
        let ids = ((MAX_31 - self.next_id) / 2 + 1) as usize;
        self.max_streams().saturating_sub(self.streams.len()).min(ids)
    }

    /// How many streams may be open at a time.
    pub(super) fn max_streams(&self) -> usize {
        self.peer.max_concurrent_streams.min(self.config.max_in_flight) as usize
    }

    /// How many octets of request bodies the connection's window allows at this moment.
    pub fn window(&self) -> usize {
        usize::try_from(self.send_window).unwrap_or(0)
    }

    /// Requests sent and not yet answered.
    pub fn in_flight(&self) -> usize {
        self.streams.len()
    }

    /// Whether the server may have seen this request: `No` while its header block has not been
    /// [handed over](Self::handed_over) whole, `Unknown` from then on.
    pub fn processed(&self, id: RequestId) -> Processed {
        match self.streams.get(id.number) {
            Some(stream) if stream.headers_end > self.out.handed_over() => Processed::No,
            _ => Processed::Unknown,
        }
    }

    /// Whether the server's SETTINGS have been received.
    pub fn is_ready(&self) -> bool {
        self.ready && self.phase != Phase::Closed
    }

    /// Whether no new request is taken because the server or the owner ends the connection,
    /// or the stream ids are used up (there is no event for that: look after a send).
    pub fn is_draining(&self) -> bool {
        matches!(self.phase, Phase::Draining { .. })
    }

    /// Whether the connection has ended. What [`transmit`](Self::transmit) still shows (a GOAWAY)
    /// is worth sending.
    pub fn is_closed(&self) -> bool {
        self.phase == Phase::Closed
    }

    /// The server's SETTINGS_MAX_CONCURRENT_STREAMS; `None` before its SETTINGS.
    pub fn peer_max_concurrent_streams(&self) -> Option<u32> {
        self.ready.then_some(self.peer.max_concurrent_streams)
    }

    /// The octets of header blocks so far.
    pub fn header_bytes(&self) -> HeaderBytes {
        self.header_bytes
    }

    /// What is to be sent next.
    pub fn transmit(&self) -> &[u8] {
        self.out.pending()
    }

    /// The next layer took `count` octets of [`transmit`](Self::transmit).
    pub fn transmitted(&mut self, count: usize) {
        self.out.take(count);
    }

    /// The transport itself has taken the first `total` octets of everything ever transmitted.
    ///
    /// A layer between (TLS) may hold octets back. A request of which the header block never got to the
    /// transport fails as `Processed::No`. When the engine has closed, that layer must
    /// drop what it still holds back. Without TLS call this right after
    /// [`transmitted`](Self::transmitted) with the running sum.
    pub fn handed_over(&mut self, total: u64) {
        self.out.hand_over(total);
    }

    /// When to call [`handle_timeout`](Self::handle_timeout), on the monotonic clock.
    pub fn poll_timeout(&self) -> Option<Duration> {
        if self.phase == Phase::Closed {
            return None;
        }
        [self.settings_deadline, self.ping_due()]
            .into_iter()
            .flatten()
            .min()
    }

    fn ping_due(&self) -> Option<Duration> {
        if let Some(Ping {
            deadline: Some(deadline),
            ..
        }) = &self.ping
        {
            return Some(*deadline);
        }
        let policy = self.config.ping.as_ref()?;
        if !self.ready || (self.streams.is_empty() && !policy.without_streams) {
            return None;
        }
        let since = match self.streams.is_empty() {
            true => self.last_received,
            false => self.last_received.max(self.active_since),
        };
        Some(since.saturating_add(policy.idle))
    }

    /// Does what is due: gives up a server that is silent, or asks it with a PING.
    pub fn handle_timeout(&mut self, now: Now) {
        self.clock(now);
        if self.phase == Phase::Closed {
            return;
        }
        if self
            .settings_deadline
            .is_some_and(|deadline| deadline <= self.now)
        {
            self.fail_settings_timeout();
            return;
        }
        if self.ping_due().is_some_and(|due| due <= self.now) {
            if matches!(
                &self.ping,
                Some(Ping {
                    deadline: Some(_),
                    ..
                })
            ) {
                self.fail_silent();
            } else {
                let patience = self.config.ping.as_ref().map(|policy| policy.acknowledge);
                self.send_ping(patience);
            }
        }
    }

    /// Sends a PING; its answer becomes [`Event::RoundTrip`]. `false` when one is under way
    /// already or the connection is closed.
    pub fn ping(&mut self, now: Now) -> bool {
        self.clock(now);
        if self.phase == Phase::Closed || self.ping.is_some() {
            return false;
        }
        let patience = self.config.ping.as_ref().map(|policy| policy.acknowledge);
        self.send_ping(patience);
        true
    }

    fn send_ping(&mut self, patience: Option<Duration>) {
        self.ping_count += 1;
        let payload = self.ping_count.to_be_bytes();
        self.out.frame(kind::PING, 0, 0, &payload);
        self.ping = Some(Ping {
            payload,
            sent: self.now,
            deadline: patience.map(|patience| self.now.saturating_add(patience)),
        });
    }

    /// Time never goes backwards, whatever the caller says.
    pub(super) fn clock(&mut self, now: Now) {
        self.now = self.now.max(now.monotonic);
    }

    /// The ids of the streams that are open, in no order.
    pub(super) fn stream_ids(&self) -> impl Iterator<Item = u32> {
        // Only ids of 31 bits are ever put in.
        self.streams.ids().map(|id| id as u32)
    }

    /// The highest stream id used so far; 0 when none was.
    pub(super) fn highest_id(&self) -> u32 {
        match self.next_id > (self.config.initial_stream_id.min(MAX_31) | 1) {
            true => self.next_id - 2,
            false => 0,
        }
    }
}

impl fmt::Debug for Engine {
    /// No buffer: they hold tokens.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Engine")
            .field("phase", &self.phase)
            .field("ready", &self.ready)
            .field("in_flight", &self.streams.len())
            .field("capacity", &self.capacity())
            .field("window", &self.send_window)
            .field("next_stream_id", &self.next_id)
            .field("to_transmit", &self.out.pending().len())
            .finish_non_exhaustive()
    }
}

/// Room for the head of a frame whose payload is not known yet.
pub(super) const EMPTY_HEAD: [u8; HEAD] = [0; HEAD];
