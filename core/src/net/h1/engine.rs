//! The connection: which request is open, what was written, what may follow.

use std::collections::VecDeque;
use std::time::Duration;

use super::request;
use super::response::{Progress, Reader};
use crate::error::{Error, ErrorKind};
use crate::http::{Method, Request, Response};
use crate::net::{CloseReason, Event, Processed, RequestId, SendError};

/// Limits of an HTTP/1.1 connection.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Config {
    /// The longest response head, and the longest trailers, in bytes.
    pub(crate) max_head: usize,
    /// The number of bytes of a response body that are kept.
    pub(crate) max_body: usize,
}

/// One HTTP/1.1 connection without its transport. The methods are those of
/// [`Connection`](crate::net::Connection).
#[derive(Debug)]
pub(crate) struct Engine {
    state: State,
    next_id: u64,
    open: Option<Open>,
    /// Request bytes; the first `taken` have been taken out.
    out: Vec<u8>,
    taken: usize,
    /// All bytes ever written into `out`, and those that reached the transport.
    written: u64,
    handed: u64,
    reader: Reader,
    response: Response,
    events: VecDeque<Pending>,
    shown: Option<Pending>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Open,
    /// No new request; the open one may still be answered.
    Draining,
    Closed,
}

/// The request that waits for its response.
#[derive(Clone, Copy, Debug)]
struct Open {
    id: RequestId,
    /// Where it begins and ends in the stream of all bytes written.
    begin: u64,
    end: u64,
}

#[derive(Debug)]
enum Pending {
    Ready,
    Response(RequestId),
    Failed(RequestId, Processed, Error),
    Closed(CloseReason),
}

impl Engine {
    pub(crate) fn new(config: Config) -> Self {
        Self {
            state: State::Open,
            next_id: 0,
            open: None,
            out: Vec::new(),
            taken: 0,
            written: 0,
            handed: 0,
            reader: Reader::new(config.max_head, config.max_body),
            response: Response::default(),
            events: VecDeque::from([Pending::Ready]),
            shown: None,
        }
    }

    /// 1 when a request can be sent now, else 0. The response before must have been polled.
    pub(crate) fn capacity(&self) -> usize {
        let unread = self
            .events
            .iter()
            .any(|event| matches!(event, Pending::Response(_)));
        usize::from(self.state == State::Open && self.open.is_none() && !unread)
    }

    pub(crate) fn in_flight(&self) -> usize {
        usize::from(self.open.is_some())
    }

    /// Whether the server may have begun to read this request.
    pub(crate) fn processed(&self, id: RequestId) -> Processed {
        match self.open.filter(|open| open.id == id) {
            Some(open) if self.handed <= open.begin => Processed::No,
            _ => Processed::Unknown,
        }
    }

    /// How long the server keeps the connection while it is idle; `None` where it has not said.
    pub(crate) fn idle_limit(&self) -> Option<Duration> {
        self.reader.idle_limit()
    }

    pub(crate) fn is_draining(&self) -> bool {
        self.state == State::Draining
    }

    pub(crate) fn is_closed(&self) -> bool {
        self.state == State::Closed
    }

    pub(crate) fn receive(&mut self, mut bytes: &[u8]) {
        while !bytes.is_empty() && self.state != State::Closed {
            // What arrives before a byte of the request has left cannot be its answer;
            // it would be taken for one (response queue poisoning).
            let Some(open) = self.open.filter(|open| self.handed > open.begin) else {
                let error = Error::new(ErrorKind::Http1Protocol, "server sent a response to no request");
                return self.fail(error);
            };
            match self.reader.feed(&mut bytes, &mut self.response) {
                Ok(Progress::Details) => {}
                Ok(Progress::Done { keep_alive }) => {
                    let whole = self.handed >= open.end;
                    self.answered(open.id);
                    if !keep_alive || !whole {
                        return self.end(CloseReason::Remote);
                    }
                    if self.state == State::Draining {
                        return self.end(CloseReason::Local);
                    }
                }
                Err(error) => return self.fail(error),
            }
        }
    }

    /// The byte stream has ended; `clean` when the peer announced it (close_notify).
    pub(crate) fn receive_eof(&mut self, clean: bool) {
        match self.open {
            _ if self.state == State::Closed => {}
            Some(open) if self.reader.has_status() => {
                self.response.truncated |= !self.reader.ends_well(clean);
                self.answered(open.id);
                self.end(CloseReason::Remote);
            }
            Some(_) => self.fail(Error::new(
                ErrorKind::ConnectionLost,
                "server closed the connection before it answered",
            )),
            None => self.end(CloseReason::Remote),
        }
    }

    /// The transport, or the server's HTTP, is broken: the end.
    pub(crate) fn fail(&mut self, error: Error) {
        if self.state == State::Closed {
            return;
        }
        if let Some(open) = self.open {
            if self.reader.has_status() {
                // The status counts whatever became of the body.
                self.response.truncated = true;
                self.answered(open.id);
            } else {
                let own = Error::new(error.kind(), error.context().to_owned()).with_codes_of(&error);
                self.unanswered(open, own);
            }
        }
        self.end(CloseReason::Failed(error));
    }

    #[cfg(test)]
    fn send(&mut self, request: &Request) -> Result<RequestId, SendError> {
        self.send_labelled(request, 0)
    }

    /// `label` is what the owner calls the request.
    pub(crate) fn send_labelled(&mut self, request: &Request, label: u32) -> Result<RequestId, SendError> {
        if self.state != State::Open {
            return Err(SendError::Closed);
        }
        if self.capacity() == 0 {
            return Err(SendError::Full);
        }
        let before = self.out.len();
        request::write(request, &mut self.out).map_err(SendError::Invalid)?;
        let begin = self.written;
        self.written += (self.out.len() - before) as u64;
        let number = self.next_id;
        let id = RequestId { number, label };
        self.next_id += 1;
        self.open = Some(Open {
            id,
            begin,
            end: self.written,
        });
        self.reader.reset(request.method == Method::Head);
        self.response.clear();
        Ok(id)
    }

    /// Withdraws a request. Once a byte of it is on its way the connection ends with it:
    /// HTTP/1.1 has no other way to take a request back.
    pub(crate) fn cancel(&mut self, id: RequestId) -> bool {
        let Some(open) = self.open.filter(|open| open.id == id) else {
            return false;
        };
        let untouched = self.written - (self.out.len() - self.taken) as u64 <= open.begin;
        self.unanswered(open, Error::new(ErrorKind::Cancelled, "request was cancelled"));
        if untouched {
            self.written = open.begin;
            self.out.clear();
            self.taken = 0;
            if self.state == State::Draining {
                self.end(CloseReason::Local);
            }
        } else {
            self.end(CloseReason::Local);
        }
        true
    }

    pub(crate) fn close(&mut self) {
        match (self.state, self.open) {
            (State::Closed, _) => {}
            (_, Some(_)) => self.state = State::Draining,
            (_, None) => self.end(CloseReason::Local),
        }
    }

    pub(crate) fn transmit(&self) -> &[u8] {
        self.out.get(self.taken..).unwrap_or_default()
    }

    pub(crate) fn transmitted(&mut self, n: usize) {
        self.taken = self.taken.saturating_add(n).min(self.out.len());
        if self.taken == self.out.len() {
            self.out.clear();
            self.taken = 0;
        }
    }

    /// How many of all bytes written have reached the transport.
    pub(crate) fn handed_over(&mut self, total: u64) {
        self.handed = self.handed.max(total);
    }

    pub(crate) fn poll_event(&mut self) -> Option<Event<'_>> {
        self.shown = self.events.pop_front();
        Some(match self.shown.as_ref()? {
            Pending::Ready => Event::Ready,
            Pending::Response(id) => Event::Response {
                id: *id,
                response: &self.response,
            },
            Pending::Failed(id, processed, error) => Event::Failed {
                id: *id,
                processed: *processed,
                error,
            },
            Pending::Closed(reason) => Event::Closed(reason),
        })
    }

    fn answered(&mut self, id: RequestId) {
        self.open = None;
        self.events.push_back(Pending::Response(id));
    }

    fn unanswered(&mut self, open: Open, error: Error) {
        self.open = None;
        let processed = match self.handed > open.begin {
            true => Processed::Unknown,
            false => Processed::No,
        };
        self.events.push_back(Pending::Failed(open.id, processed, error));
    }

    fn end(&mut self, reason: CloseReason) {
        self.state = State::Closed;
        self.out.clear();
        self.taken = 0;
        self.events.push_back(Pending::Closed(reason));
    }
}

#[cfg(test)]
mod tests;
