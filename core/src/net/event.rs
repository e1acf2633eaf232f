//! What a connection tells its owner.

use std::fmt;

use crate::error::Error;
use crate::http::Response;

/// One request on one connection; never reused on that connection.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RequestId {
    /// The stream's id; on HTTP/1.1 it counts up.
    pub(crate) number: u64,
    /// The owner's own name for the request, 0 where there is none.
    pub(crate) label: u32,
}

impl fmt::Debug for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RequestId({})", self.number)
    }
}

/// Whether the service may have acted on a request that failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[allow(
    clippy::exhaustive_enums,
    reason = "a caller who decides about a second attempt must see every case"
)]
pub enum Processed {
    /// Certainly not: never handed to the transport, refused (REFUSED_STREAM), or above the
    /// last stream id of GOAWAY (RFC 9113 §6.8, §8.7). Safe to send again.
    No,
    /// Perhaps: handed to the transport, and no answer came.
    Unknown,
}

/// A GOAWAY from the server (RFC 9113 §6.8).
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct GoAway {
    /// The highest stream id that the server may have acted on.
    pub last_stream_id: u32,
    /// The error code; 0 is a graceful shutdown.
    pub code: u32,
    /// Additional debug data, cut at 4 KiB. APNs puts JSON with a `reason` here.
    pub debug_data: Vec<u8>,
}

impl fmt::Debug for GoAway {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("GoAway")
            .field("last_stream_id", &self.last_stream_id)
            .field("code", &self.code)
            .field(
                "debug_data",
                &String::from_utf8_lossy(&self.debug_data)
                    .escape_debug()
                    .to_string(),
            )
            .finish()
    }
}

/// Why a connection ended.
#[derive(Debug)]
#[non_exhaustive]
pub enum CloseReason {
    /// The owner closed it and everything in flight was answered.
    Local,
    /// The server closed it in an orderly way (GOAWAY, then end of stream; `connection: close`).
    Remote,
    /// It failed; the error says how.
    Failed(Error),
}

/// An event of a connection, borrowed from the connection until the next call.
#[derive(Debug)]
#[non_exhaustive]
pub enum Event<'a> {
    /// Handshake done and, on HTTP/2, the server's SETTINGS received: requests can be sent.
    Ready,
    /// The final response to a request. Terminal for `id`.
    Response {
        /// The request.
        id: RequestId,
        /// The answer of the server.
        response: &'a Response,
    },
    /// No response will come. Terminal for `id`.
    Failed {
        /// The request.
        id: RequestId,
        /// Whether the service may have acted on it.
        processed: Processed,
        /// Why (`StreamReset`, `ConnectionLost`, `GoAway` ...).
        error: &'a Error,
    },
    /// The server changed its settings; [`capacity`](super::Connection::capacity) may differ now.
    SettingsChanged {
        /// The server's MAX_CONCURRENT_STREAMS.
        max_concurrent_streams: u32,
    },
    /// The server sent GOAWAY: no new request on this connection; those it may still answer go on.
    Draining(&'a GoAway),
    /// A PING was answered; the round trip took this long.
    RoundTrip(std::time::Duration),
    /// The end. Every request in flight has had its own event before this one.
    Closed(&'a CloseReason),
}

/// Why a request was not taken. It has not been sent, and the request is the caller's to keep.
#[derive(Debug)]
#[non_exhaustive]
pub enum SendError {
    /// No stream can be opened now: ask `capacity()` first.
    Full,
    /// The connection is draining or closed: use another one.
    Closed,
    /// The request itself is unusable.
    Invalid(Error),
}
