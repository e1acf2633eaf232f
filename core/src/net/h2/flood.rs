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

/// The number of SETTINGS frames at once: 100, and ten a second. Each is answered with 9 octets. APNs
/// sends one after each refused push, when its limit of streams falls to 1 and rises again. Acknowledgements of SETTINGS that were
/// never sent count here, too.
const SETTINGS: u32 = 100;

/// The number of stream errors of the server's at once: 100, and ten a second. Each is answered with RST_STREAM.
/// 100 is what `specs/reliability.md` §1.4 proposes for a client; the h2 crate allows 1,024.
const STREAM_ERRORS: u32 = 100;

/// The number of further GOAWAY frames at once: 20, and two a second. A graceful shutdown has two (RFC 9113
/// §6.8), APNs was seen to send three.
const GOAWAYS: u32 = 20;

/// The number of interim responses (1xx) at once beyond the first of each stream: 1,000, and 100 a second.
/// A header block has to be decoded for each.
const INTERIM: u32 = 1_000;

/// The budgets of one connection.
#[derive(Debug)]
pub(super) struct Flood {
    cheap: Budget,
    pings: Budget,
    settings: Budget,
    stream_errors: Budget,
    goaways: Budget,
    interim: Budget,
}

fn spend(budget: &mut Budget, now: Duration, text: &'static str) -> Result<(), Fault> {
    match budget.spend(now) {
        true => Ok(()),
        false => Err(Fault::flood(text)),
    }
}

impl Flood {
    pub(super) fn new(now: Duration) -> Self {
        let budget = |cap| Budget::new(cap, now);
        Self {
            cheap: budget(CHEAP),
            pings: budget(PINGS),
            settings: budget(SETTINGS),
            stream_errors: budget(STREAM_ERRORS),
            goaways: budget(GOAWAYS),
            interim: budget(INTERIM),
        }
    }

    /// Counts a frame that says little; `text` names it, should it be one too many.
    pub(super) fn cheap(&mut self, now: Duration, text: &'static str) -> Result<(), Fault> {
        spend(&mut self.cheap, now, text)
    }

    /// Counts a PING, or an acknowledgement of none of ours.
    pub(super) fn ping(&mut self, now: Duration) -> Result<(), Fault> {
        spend(&mut self.pings, now, "too many pings")
    }

    /// Counts a SETTINGS frame, or an acknowledgement of none of ours.
    pub(super) fn settings(&mut self, now: Duration) -> Result<(), Fault> {
        spend(&mut self.settings, now, "too many settings frames")
    }

    /// Counts a mistake of the server's that ends one stream.
    pub(super) fn stream_error(&mut self, now: Duration) -> Result<(), Fault> {
        spend(&mut self.stream_errors, now, "too many stream errors")
    }

    /// Counts a GOAWAY after the first.
    pub(super) fn goaway(&mut self, now: Duration) -> Result<(), Fault> {
        spend(&mut self.goaways, now, "too many goaway frames")
    }

    /// Counts an interim response that is not the first of its stream.
    pub(super) fn interim(&mut self, now: Duration) -> Result<(), Fault> {
        spend(&mut self.interim, now, "too many informational responses")
    }

    /// Gives back what a request may cost.
    #[inline]
    pub(super) fn request_sent(&mut self) {
        self.cheap.earn(CHEAP_PER_REQUEST);
    }

    /// Gives back what `count` DATA frames took to be let go.
    pub(super) fn delayed_data_sent(&mut self, count: u32) {
        self.cheap.earn(count.saturating_mul(CHEAP_PER_DELAYED_DATA));
    }
}
