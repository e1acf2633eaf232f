//! The events of a connection, in order, until the owner fetches them.

use std::collections::VecDeque;
use std::time::Duration;

use super::incoming::Incoming;
use super::recv::Recv;
use crate::error::Error;
use crate::net::{CloseReason, Event, GoAway, Processed, RequestId};

/// An event that owns its data; small, because nearly all are responses.
pub(super) enum OwnedEvent {
    Ready,
    Response(RequestId, Box<Incoming>),
    /// The complete response of [`RepeatedHeaders`](super::repeated::RepeatedHeaders).
    Repeated(RequestId),
    Failed(RequestId, Box<(Processed, Error)>),
    SettingsChanged(u32),
    Draining(Box<GoAway>),
    RoundTrip(Duration),
    Closed(Box<CloseReason>),
}

/// Events on their way to the owner.
#[derive(Default)]
pub(super) struct Events {
    queue: VecDeque<OwnedEvent>,
    /// The event that the owner looks at; `None` when it needs no keeping.
    current: Option<OwnedEvent>,
}

impl Events {
    #[inline]
    pub(super) fn push(&mut self, event: OwnedEvent) {
        self.queue.push_back(event);
    }

    pub(super) fn failed(&mut self, id: RequestId, processed: Processed, error: Error) {
        self.push(OwnedEvent::Failed(id, Box::new((processed, error))));
    }

    /// Returns the next event, borrowed until the next call.
    pub(super) fn poll<'a>(&'a mut self, recv: &'a mut Recv) -> Option<Event<'a>> {
        if let Some(OwnedEvent::Response(_, incoming)) = self.current.take() {
            recv.recycle(incoming);
        }
        let event = self.queue.pop_front()?;
        if let OwnedEvent::Repeated(id) = event {
            // By far the most frequent; there is nothing to keep.
            let response = recv.repeated_response();
            return Some(Event::Response { id, response });
        }
        Some(match &*self.current.insert(event) {
            OwnedEvent::Repeated(id) => Event::Response {
                id: *id,
                response: recv.repeated_response(),
            },
            OwnedEvent::Ready => Event::Ready,
            OwnedEvent::Response(id, incoming) => Event::Response {
                id: *id,
                response: incoming.response(),
            },
            OwnedEvent::Failed(id, failure) => Event::Failed {
                id: *id,
                processed: failure.0,
                error: &failure.1,
            },
            OwnedEvent::SettingsChanged(limit) => Event::SettingsChanged {
                max_concurrent_streams: *limit,
            },
            OwnedEvent::Draining(goaway) => Event::Draining(goaway),
            OwnedEvent::RoundTrip(time) => Event::RoundTrip(*time),
            OwnedEvent::Closed(reason) => Event::Closed(reason),
        })
    }
}
