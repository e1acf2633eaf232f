//! What the connection tells its owner, in order.

use std::time::Duration;

use super::engine::Engine;
use super::stream::Incoming;
use crate::error::Error;
use crate::net::{CloseReason, Event, GoAway, Processed, RequestId};

/// How many responses are kept for re-use, and how large a body buffer may stay with one.
const POOL: usize = 1024;
const POOLED_BODY: usize = 4096;

/// An event that owns what it speaks of; small, because nearly all are responses.
pub(super) enum Queued {
    Ready,
    Response(RequestId, Box<Incoming>),
    /// The response that is [known](super::known::Known), and complete.
    Known(RequestId),
    Failed(RequestId, Box<(Processed, Error)>),
    SettingsChanged(u32),
    Draining(Box<GoAway>),
    RoundTrip(Duration),
    Closed(Box<CloseReason>),
}

impl Engine {
    /// The next event, borrowed until the next call.
    pub fn poll_event(&mut self) -> Option<Event<'_>> {
        if let Some(Queued::Response(_, incoming)) = self.current.take() {
            self.recycle(incoming);
        }
        let event = self.events.pop_front()?;
        if let Queued::Known(id) = event {
            // By far the most frequent; there is nothing to keep.
            let response = self.known.fetch();
            return Some(Event::Response { id, response });
        }
        Some(match &*self.current.insert(event) {
            Queued::Known(id) => Event::Response {
                id: *id,
                response: self.known.fetch(),
            },
            Queued::Ready => Event::Ready,
            Queued::Response(id, incoming) => Event::Response {
                id: *id,
                response: &incoming.response,
            },
            Queued::Failed(id, failure) => Event::Failed {
                id: *id,
                processed: failure.0,
                error: &failure.1,
            },
            Queued::SettingsChanged(limit) => Event::SettingsChanged {
                max_concurrent_streams: *limit,
            },
            Queued::Draining(goaway) => Event::Draining(goaway),
            Queued::RoundTrip(time) => Event::RoundTrip(*time),
            Queued::Closed(reason) => Event::Closed(reason),
        })
    }

    pub(super) fn recycle(&mut self, mut incoming: Box<Incoming>) {
        if self.pool.len() < POOL {
            let body = &mut incoming.response.body;
            body.clear();
            body.shrink_to(POOLED_BODY);
            self.pool.push(incoming);
        }
    }
}
