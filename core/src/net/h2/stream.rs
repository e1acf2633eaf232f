//! One request in flight.

use crate::http::{Body, Response};
use crate::net::{IdTable, RequestId};

/// The part of a body that the windows did not allow yet.
pub(crate) struct PendingBody {
    pub(crate) body: Body,
    pub(crate) at: usize,
}

impl PendingBody {
    pub(crate) fn rest(&self) -> &[u8] {
        self.body.as_bytes().get(self.at..).unwrap_or_default()
    }
}

pub(crate) struct Stream {
    /// What the owner calls the request.
    pub(crate) label: u32,
    /// The absolute output position behind the header block: before that point is handed
    /// over, the server cannot have seen the request.
    pub(crate) headers_end: u64,
    /// What the server still takes; negative after it shrank its initial window (§6.9.2).
    pub(crate) send_window: i64,
    pub(crate) pending: Option<Box<PendingBody>>,
    /// There is one as soon as the final header list was received.
    pub(crate) incoming: Option<Box<Incoming>>,
}

impl Stream {
    /// The request that this stream carries, of which `id` is its own.
    pub(crate) fn request(&self, id: u32) -> RequestId {
        RequestId {
            number: u64::from(id),
            label: self.label,
        }
    }
}

/// The response so far, and what goes with it. Kept for the next stream when it has been read.
#[derive(Default)]
pub(crate) struct Incoming {
    pub(crate) response: Response,
    pub(crate) content_length: Option<u64>,
    pub(crate) received: u64,
    /// What the server may still send, and what it used of it since the last WINDOW_UPDATE.
    pub(crate) window: i64,
    pub(crate) consumed: u32,
}

impl Incoming {
    /// Empties it for a stream that may bring `window` octets; the buffers stay.
    pub(crate) fn begin(&mut self, window: u32) {
        self.response.clear();
        self.content_length = None;
        self.received = 0;
        self.window = i64::from(window);
        self.consumed = 0;
    }
}

pub(crate) type Streams = IdTable<Stream>;

/// How a stream came to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ended {
    /// The server sent END_STREAM.
    Complete,
    /// The server reset it.
    ByServer,
    /// We reset it: what the server sent before it knew is dropped.
    ByUs,
}

/// How the latest streams ended. What is older counts as reset by us: better to drop a late
/// frame than to lose a connection over it.
pub(crate) struct History([(u32, Ended); REMEMBERED]);

const REMEMBERED: usize = 256;

impl Default for History {
    fn default() -> Self {
        Self([(0, Ended::ByUs); REMEMBERED])
    }
}

impl History {
    /// Client ids are odd: neighbours have places side by side.
    fn place(id: u32) -> usize {
        (id >> 1) as usize % REMEMBERED
    }

    pub(crate) fn push(&mut self, id: u32, how: Ended) {
        if let Some(place) = self.0.get_mut(Self::place(id)) {
            *place = (id, how);
        }
    }

    pub(crate) fn get(&self, id: u32) -> Ended {
        match self.0.get(Self::place(id)) {
            Some((there, how)) if *there == id => *how,
            _ => Ended::ByUs,
        }
    }
}
