//! One request in flight.

use super::incoming::Incoming;
use crate::http::Body;
use crate::net::RequestId;

/// The part of a body that the windows did not allow yet.
pub(super) struct PendingBody {
    body: Body,
    at: usize,
    /// Whether the stream's own window holds it up, rather than the connection's.
    own_window: bool,
}

impl PendingBody {
    /// Keeps what is left of `body` behind its first `sent` octets.
    pub(super) fn new(body: &Body, sent: usize) -> Self {
        let (body, at) = match body {
            Body::Shared(shared) => (Body::Shared(shared.clone()), sent),
            _ => {
                let rest = body.as_bytes().get(sent..).unwrap_or_default();
                (Body::Own(rest.to_vec()), 0)
            }
        };
        Self {
            body,
            at,
            own_window: false,
        }
    }

    pub(super) fn rest(&self) -> &[u8] {
        self.body.as_bytes().get(self.at..).unwrap_or_default()
    }

    pub(super) fn advance(&mut self, count: usize) {
        self.at += count;
    }

    pub(super) fn waits_for_own_window(&self) -> bool {
        self.own_window
    }

    pub(super) fn set_waits_for_own_window(&mut self, own_window: bool) {
        self.own_window = own_window;
    }
}

/// A stream between its request's header block and the end of its response.
pub(super) struct Stream {
    /// The owner's name of the request.
    label: u32,
    /// The absolute output position behind the header block: before that point is written,
    /// the server cannot have seen the request.
    headers_end: u64,
    /// The stream's send window, less the initial window that the server's SETTINGS say: so a change of
    /// these applies to every stream at no cost (§6.9.2).
    window_offset: i64,
    /// The rest of the request's body; `None` when all of it is on its way.
    pending: Option<Box<PendingBody>>,
    /// The response; `None` until its final header list was received.
    incoming: Option<Box<Incoming>>,
}

impl Stream {
    pub(super) fn new(label: u32, headers_end: u64) -> Self {
        Self {
            label,
            headers_end,
            window_offset: 0,
            pending: None,
            incoming: None,
        }
    }

    /// Returns the request that this stream carries, of which `id` is its own.
    #[inline]
    pub(super) fn request(&self, id: u32) -> RequestId {
        RequestId {
            number: u64::from(id),
            label: self.label,
        }
    }

    #[inline]
    pub(super) fn headers_end(&self) -> u64 {
        self.headers_end
    }

    #[inline]
    pub(super) fn window_offset(&self) -> i64 {
        self.window_offset
    }

    #[inline]
    pub(super) fn set_window_offset(&mut self, offset: i64) {
        self.window_offset = offset;
    }

    /// Returns the rest of the request's body; `None` when all of it is on its way.
    #[inline]
    pub(super) fn pending(&self) -> Option<&PendingBody> {
        self.pending.as_deref()
    }

    #[inline]
    pub(super) fn pending_mut(&mut self) -> &mut Option<Box<PendingBody>> {
        &mut self.pending
    }

    /// Returns the response; `None` until its final header list was received.
    #[inline]
    pub(super) fn incoming(&self) -> Option<&Incoming> {
        self.incoming.as_deref()
    }

    #[inline]
    pub(super) fn incoming_mut(&mut self) -> &mut Option<Box<Incoming>> {
        &mut self.incoming
    }
}
