//! Limits on frames that cost us more than they cost the server.

use std::time::Duration;

use super::budget::Budget;
use super::fault::Fault;

/// The number of cheap frames that a server may send at once; a tenth comes back every second.
///
/// Cheap frames carry little or nothing and call for no answer: WINDOW_UPDATE, PRIORITY, frames of unknown
/// types, DATA of less than 256 octets that does not end its stream, RST_STREAM, DATA and HEADERS on streams
/// that have ended. 10,000 of them cost about a millisecond. The reason for so many: APNs resets each stream
/// above a limit that it has just lowered twice, which is 2,000 frames for 1,000 streams, and answers to
/// 1,000 cancelled requests may still be on their way.
const CHEAP: u32 = 10_000;

/// The number of cheap frames that each request gives back.
///
/// Servers that were looked at need at most eight: nginx raises the window of each stream once; Go gives back both windows
/// for each 4 KiB that were read (bodies of pushes are no longer); HAProxy and Apple give the connection's
/// window back in steps (Apple: 32,822 octets, which is one frame for about eight pushes); each of them may
/// reset a stream after an early answer. An error body that comes in single octets is not covered by this,
/// and has the 10,000.
const CHEAP_PER_REQUEST: u32 = 16;

/// The number of cheap frames that each DATA frame gives back which a window had held up: the two
/// WINDOW_UPDATEs, for the stream and for the connection, that let it go. A server with windows of one octet is slow, but no flood.
const CHEAP_PER_DELAYED_DATA: u32 = 2;

/// The number of PING frames at once: 200, and 20 a second. Each is answered with 17 octets. Servers
/// send one in seconds (nghttp2, Envoy: keep-alive) or one for each round trip they measure (gRPC, at most one in flight).
/// Acknowledgements of PINGs that were never sent count here, too.
const PINGS: u32 = 200;

/// The number of SETTINGS frames at once: 100, and ten a second. Each is answered with 9 octets.
/// Acknowledgements of SETTINGS that were never sent count here, too.
const SETTINGS: u32 = 100;

/// The number of SETTINGS frames that each request gives back: APNs' limit of streams falls to 1 after a refused push
/// and rises again after a good one.
const SETTINGS_PER_REQUEST: u32 = 2;

/// The number of stream errors of the server's at once: 100, and ten a second. Each is answered with RST_STREAM.
/// 100 is what `specs/reliability.md` §1.4 proposes for a client; the h2 crate allows 1,024.
const STREAM_ERRORS: u32 = 100;

/// The number of further GOAWAY frames at once: 20, and two a second. A graceful shutdown has two (RFC 9113
/// §6.8), APNs was seen to send three.
const GOAWAYS: u32 = 20;

/// The number of interim responses (1xx) at once: 1,000, and 100 a second. A header block has to be decoded for each.
const INTERIM: u32 = 1_000;

/// The number of interim responses that each request gives back: a proxy may say 100 or 103 before each answer.
const INTERIM_PER_REQUEST: u32 = 2;

/// The budgets of one connection.
#[derive(Debug)]
pub(super) struct Flood {
    now: Duration,
    /// The requests sent on this connection.
    requests: u32,
    cheap: Budget,
    pings: Budget,
    settings: Budget,
    stream_errors: Budget,
    goaways: Budget,
    interim: Budget,
}

impl Flood {
    pub(super) fn new(now: Duration) -> Self {
        Self {
            now,
            requests: 0,
            cheap: Budget::new(CHEAP, CHEAP_PER_REQUEST, now),
            pings: Budget::new(PINGS, 0, now),
            settings: Budget::new(SETTINGS, SETTINGS_PER_REQUEST, now),
            stream_errors: Budget::new(STREAM_ERRORS, 0, now),
            goaways: Budget::new(GOAWAYS, 0, now),
            interim: Budget::new(INTERIM, INTERIM_PER_REQUEST, now),
        }
    }

    /// Sets the clock for the frames that follow.
    #[inline]
    pub(super) fn clock(&mut self, now: Duration) {
        self.now = now;
    }

    /// Counts a request that was sent.
    #[inline]
    pub(super) fn request_sent(&mut self) {
        self.requests = self.requests.saturating_add(1);
    }

    /// Counts DATA frames that windows had held up.
    pub(super) fn delayed_data_sent(&mut self, frames: u32) {
        self.cheap.earn(frames.saturating_mul(CHEAP_PER_DELAYED_DATA));
    }

    /// Counts a frame that says little; `text` names it, should it be one too many.
    pub(super) fn cheap(&mut self, text: &'static str) -> Result<(), Fault> {
        allow(self.cheap.spend(self.now, self.requests), text)
    }

    /// Counts a PING, or an acknowledgement of none of ours.
    pub(super) fn ping(&mut self) -> Result<(), Fault> {
        allow(self.pings.spend(self.now, self.requests), "too many pings")
    }

    /// Counts a SETTINGS frame, or an acknowledgement of none of ours.
    pub(super) fn settings(&mut self) -> Result<(), Fault> {
        let text = "too many settings frames";
        allow(self.settings.spend(self.now, self.requests), text)
    }

    /// Counts a mistake of the server's that costs it one stream.
    pub(super) fn stream_error(&mut self) -> Result<(), Fault> {
        let text = "too many stream errors";
        allow(self.stream_errors.spend(self.now, self.requests), text)
    }

    /// Counts a GOAWAY after the first.
    pub(super) fn goaway(&mut self) -> Result<(), Fault> {
        let text = "too many goaway frames";
        allow(self.goaways.spend(self.now, self.requests), text)
    }

    /// Counts an interim response.
    pub(super) fn interim(&mut self) -> Result<(), Fault> {
        let text = "too many informational responses";
        allow(self.interim.spend(self.now, self.requests), text)
    }
}

fn allow(allowed: bool, text: &'static str) -> Result<(), Fault> {
    match allowed {
        true => Ok(()),
        false => Err(Fault::flood(text)),
    }
}
