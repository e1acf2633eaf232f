//! What rules a session at a moment: its connections and its hosts, for operators.

use std::time::Duration;

use super::id::LinkId;
use crate::http::Authority;

/// A connection as it is now.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ConnectionReport {
    /// The connection.
    pub link: LinkId,
    /// The host and port that it goes to.
    pub authority: Authority,
    /// Whether requests can be sent; `false` while it is being made.
    pub ready: bool,
    /// Whether no new request goes out here: it ends when the requests in flight have ended.
    pub retired: bool,
    /// Whether it is one beside others, which is let go when it has nothing to do for a minute.
    pub surplus: bool,
    /// Requests without an answer.
    pub in_flight: usize,
    /// The requests that may be in flight at a time: the server's stream limit, or less after the server asked for calm.
    pub streams: usize,
    /// The octets of request bodies that the server's flow control allows now; `None` on HTTP/1.1 and before it is ready.
    pub window: Option<usize>,
    /// The widest window that the server has granted so far, in octets; `None` as for [`ConnectionReport::window`].
    pub widest_window: Option<usize>,
    /// The time from a request to its answer, smoothed; `None` before the first answer.
    pub round_trip: Option<Duration>,
}

/// A host that messages wait for, or that is connected.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct HostReport {
    /// The host and port.
    pub authority: Authority,
    /// Messages that wait for a stream.
    pub waiting: usize,
    /// Requests without an answer.
    pub in_flight: usize,
    /// The connections, whatever their state.
    pub connections: usize,
    /// What the messages that wait are waiting for; `None` where none waits.
    pub waits_for: Option<WaitsFor>,
}

/// What messages wait for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum WaitsFor {
    /// The end of a pause that the service has asked for.
    Pause,
    /// Room for a connection: there are as many as [`SessionConfig::max_hosts`](super::SessionConfig::max_hosts) or the
    /// system's limit on descriptors allows.
    Room,
    /// The end of a back-off after connections that failed.
    BackOff,
    /// A connection that is being made.
    Connection,
    /// A stream, or room in the flow-control window; also a rate limit, an access token, or the first answer about a new key.
    Stream,
}

impl WaitsFor {
    /// Returns the name in snake case, the same in every language.
    pub const fn name(self) -> &'static str {
        match self {
            WaitsFor::Pause => "pause",
            WaitsFor::Room => "room",
            WaitsFor::BackOff => "back_off",
            WaitsFor::Connection => "connection",
            WaitsFor::Stream => "stream",
        }
    }
}
