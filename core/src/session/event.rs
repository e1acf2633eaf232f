//! What a session tells its owner beside outcomes: actions to carry out, and events for logs and metrics. No
//! secret, no token.

use std::time::Duration;

use super::id::LinkId;
use crate::error::ErrorKind;
use crate::http::Authority;
use crate::outcome::{Scope, Suspects};

/// A task for the driver.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Action {
    /// Resolve the host anew, ask [`Session::allow_address`](super::Session::allow_address) about each address,
    /// connect (through a proxy only where [`Session::is_direct`](super::Session::is_direct) is false), then
    /// call [`Session::connected`](super::Session::connected) or
    /// [`Session::connect_failed`](super::Session::connect_failed).
    Connect {
        /// The connection.
        link: LinkId,
        /// The host and port to connect to.
        authority: Authority,
    },
    /// Write what `transmit` still shows, as far as that goes without waiting, then close the
    /// socket. The link is gone already: there is nothing to report back.
    Close {
        /// The connection.
        link: LinkId,
        /// The bytes that were left to write: a last GOAWAY, an alert.
        final_bytes: Vec<u8>,
    },
}

/// Something worth a line in a log or a tick of a counter. A session keeps the
/// last 1,024 that nobody has fetched.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SessionEvent {
    /// A connection is ready for requests.
    Connected {
        /// The connection.
        link: LinkId,
    },
    /// A connection could not be made, or ended.
    Disconnected {
        /// The connection.
        link: LinkId,
        /// Why; `None` for an orderly end.
        error: Option<ErrorKind>,
        /// The same in words.
        text: Box<str>,
    },
    /// The server changed the number of streams it allows on a connection.
    SettingsChanged {
        /// The connection.
        link: LinkId,
        /// MAX_CONCURRENT_STREAMS.
        max_concurrent_streams: u32,
    },
    /// The server said GOAWAY; what it had not processed moves to another connection.
    GoAway {
        /// The connection.
        link: LinkId,
        /// The error code, 0 for a graceful shutdown.
        code: u32,
        /// The service's reason (APNs), or the debug data as text, at most 256 bytes.
        reason: Box<str>,
    },
    /// An access token or provider token was made or fetched.
    TokenRenewed,
    /// The token endpoint did not give a token.
    TokenFailed {
        /// What kind of failure.
        error: ErrorKind,
        /// The same in words.
        text: Box<str>,
    },
    /// A message went back to the queue.
    Requeued {
        /// Why its attempt failed; `Unknown` where no answer came in time (at least once).
        error: ErrorKind,
    },
    /// The service asked to slow down: with a 429 or 503, or by resetting a stream with
    /// ENHANCE_YOUR_CALM (scope `Connection`: that connection pauses, and has at most half as
    /// many requests in flight afterwards).
    Throttled {
        /// What has to wait.
        scope: Scope,
        /// For how long.
        after: Duration,
    },
    /// The service refused a token that we dated by a wrong clock: set this machine's clock. Tokens are
    /// dated by the service's meanwhile, if it is not more than a day off.
    ClockSkew {
        /// How far the service's clock is ahead of ours; negative when it is behind.
        seconds: i64,
    },
    /// A connection is alive, but of no use, and gets replaced: after an expired provider token,
    /// with one server error after the other, or when three requests in a row got no
    /// answer in time although PINGs are answered.
    Wedged {
        /// The connection.
        link: LinkId,
    },
    /// Many answers in a row blame the tokens: environment, topic, sender, VAPID key or payload are probably
    /// wrong. Do not delete the tokens; see [`is_mix_up_suspected`](super::Session::is_mix_up_suspected).
    MixUpSuspected {
        /// Everything that could be at fault.
        suspects: Suspects,
        /// The number of answers so far that could be explained by these suspects.
        answers: u64,
    },
    /// The service refuses the credentials: what waited for it ends as `NotSent`, and one message after a pause tries
    /// them again.
    CredentialsRefused {
        /// The refusal in words.
        text: Box<str>,
    },
    /// The service takes the credentials again.
    CredentialsAccepted,
    /// The session has found a fault in its own books ([`ErrorKind::Internal`]): a bug of ours, please report
    /// it. Messages still end, but [`Stats`](super::Stats) may be wrong from now on.
    Internal {
        /// The fault, in words.
        text: Box<str>,
    },
}
