//! One connection of a session, and what its events mean.

use std::time::Duration;

use super::id::{HostId, LinkId};
use crate::backend::Health;
use crate::error::{Error, ErrorKind};
use crate::http::{Request, Response};
use crate::net::h2::HeaderBytes;
use crate::net::{CloseReason, Connection, Event, GoAway, HttpVersion, Processed, RequestId, SendError};
use crate::time::Now;

/// Above this many requests in flight a connection that was asked to be calm is like any other: more
/// streams than any of the services allows.
const UNTHROTTLED: usize = 1000;

/// The number of requests in a row that got no answer in time, on a connection that is alive, after which
/// the next ones are better sent over another one.
const MAX_TIMEOUTS: u32 = 3;

/// An event of a connection, for its session. The link has taken notice of it already.
#[derive(Debug)]
pub(super) enum LinkEvent<'a> {
    /// A request was answered.
    Answered {
        request: RequestId,
        response: &'a Response,
    },
    /// A request will not be answered.
    Failed {
        request: RequestId,
        processed: Processed,
        error: Error,
        /// The service's word, where it has refused the credentials of this connection and has not
        /// processed the request: another attempt would end the same way.
        refused: Option<&'a str>,
    },
    /// Requests can be sent.
    Ready,
    /// MAX_CONCURRENT_STREAMS is another.
    Settings(u32),
    /// The server sent GOAWAY.
    Draining(&'a GoAway),
    /// The connection is over; the error is `None` for an orderly end.
    Closed(Option<Error>),
    /// A PING was answered.
    RoundTrip,
}

/// The requests on a connection: how many there are, and how many there may be.
#[derive(Debug)]
struct Load {
    /// Requests sent whose end has not been fetched.
    in_flight: usize,
    /// The most requests in flight: `usize::MAX` until the server asks for calm.
    max_in_flight: usize,
    /// Answers that count towards one more request in flight.
    credits: usize,
    /// The time before which there are no new requests; `None` where there may be now.
    resumes_at: Option<Duration>,
    /// Requests in a row that were not answered in time.
    timeouts: u32,
    /// Answers in a row that make one doubt the connection ([`Health::Fault`]).
    faults: u32,
    /// Since when nothing is in flight.
    idle_since: Duration,
    /// Whether a response has come over the connection.
    answered: bool,
    /// Whether more requests have ended than were sent: a bug of ours.
    unbalanced: bool,
}

impl Load {
    fn new(now: Duration) -> Self {
        Self {
            in_flight: 0,
            max_in_flight: usize::MAX,
            credits: 0,
            resumes_at: None,
            timeouts: 0,
            faults: 0,
            idle_since: now,
            answered: false,
            unbalanced: false,
        }
    }

    /// One request has ended. Books that do not balance are told of, and never panic.
    #[inline]
    fn end_one(&mut self, now: Duration) {
        match self.in_flight.checked_sub(1) {
            Some(rest) => self.in_flight = rest,
            None => self.unbalanced = true,
        }
        self.idle_since = now;
    }

    /// A response came: the service answers here, and may be trusted with a little more at a time.
    #[inline]
    fn note_answer(&mut self) {
        self.answered = true;
        self.timeouts = 0;
        if self.max_in_flight < UNTHROTTLED {
            self.credits += 1;
            if self.credits >= self.max_in_flight {
                self.max_in_flight += 1;
                self.credits = 0;
            }
        } else {
            self.max_in_flight = usize::MAX;
        }
    }

    /// No new requests until `resumes_at`, and afterwards at most half as many as now.
    fn throttle(&mut self, resumes_at: Duration) {
        self.resumes_at = Some(resumes_at);
        // The request that was reset has ended already.
        let now = self.max_in_flight.min(self.in_flight.saturating_add(1));
        self.max_in_flight = (now / 2).max(1);
        self.credits = 0;
    }
}

/// How long the answer to a PING after a pause may take before another connection is made beside this one:
/// longer than any round trip on Earth, and shorter than anybody waits for a push.
const ANSWER_EXPECTED: Duration = Duration::from_millis(500);

/// How long that answer may take before the connection is given up.
const ANSWER_AWAITED: Duration = Duration::from_secs(10);

/// A question whether the server is still there, which has not been answered.
#[derive(Clone, Copy, Debug)]
struct Question {
    at: Duration,
    /// Whether the answer should have come.
    overdue: bool,
}

impl Question {
    /// When the next step is due.
    fn due(self) -> Duration {
        let patience = match self.overdue {
            false => ANSWER_EXPECTED,
            true => ANSWER_AWAITED,
        };
        self.at.saturating_add(patience)
    }
}

/// The terms on which a session makes a connection.
#[derive(Debug)]
pub(super) struct Terms {
    pub(super) host: HostId,
    /// When the connection has to be usable.
    pub(super) connect_by: Duration,
    /// How long the connection may be idle; `None` is for ever.
    pub(super) idle_timeout: Option<Duration>,
    /// How long the connection may be silent before it is asked whether it still works, and not trusted with
    /// requests before it has answered; `None` trusts it for ever.
    pub(super) probe_after: Option<Duration>,
}

#[derive(Debug)]
pub(super) struct Link {
    id: LinkId,
    terms: Terms,
    connection: Connection,
    /// Whether the driver has reported the socket as connected.
    dialled: bool,
    /// Whether HTTP is up: requests have been or can be sent.
    ready: bool,
    /// Whether there are no new requests here: GOAWAY, a spoiled token, or idleness.
    retired: bool,
    /// Whether we ended the connection ourselves: then its end says nothing about the host.
    ended_by_us: bool,
    /// The service's word when it refused the credentials of this connection (GOAWAY); `None` where it
    /// has not.
    refused: Option<Box<str>>,
    /// When something came from the server for the last time.
    heard_at: Now,
    /// The question whether the server is still there; `None` where none is open.
    question: Option<Question>,
    load: Load,
}

impl Link {
    pub(super) fn new(id: LinkId, connection: Connection, terms: Terms, now: Now) -> Self {
        Self {
            id,
            terms,
            connection,
            dialled: false,
            ready: false,
            retired: false,
            ended_by_us: false,
            refused: None,
            heard_at: now,
            question: None,
            load: Load::new(now.monotonic),
        }
    }

    // Getters

    #[inline]
    pub(super) fn id(&self) -> LinkId {
        self.id
    }

    pub(super) fn host(&self) -> HostId {
        self.terms.host
    }

    pub(super) fn is_ready(&self) -> bool {
        self.ready
    }

    pub(super) fn is_retired(&self) -> bool {
        self.retired
    }

    /// The number of requests in flight.
    pub(super) fn in_flight(&self) -> usize {
        self.load.in_flight
    }

    /// Whether requests are in flight here.
    pub(super) fn is_busy(&self) -> bool {
        self.load.in_flight > 0
    }

    /// Whether the end of the connection says that its host does not work: it never answered anything, and
    /// we did not end it. A connection that was forgotten on the way while it was idle says nothing of the kind.
    pub(super) fn is_a_failure(&self) -> bool {
        !self.load.answered && !self.ended_by_us && self.question.is_none()
    }

    pub(super) fn is_throttled(&self) -> bool {
        self.load.resumes_at.is_some()
    }

    /// Whether a request can go out here now.
    pub(super) fn can_send(&self) -> bool {
        self.ready
            && !self.retired
            && self.connection.capacity() > 0
            && self.may_have_more()
            && !self.is_throttled()
            && self.question.is_none()
    }

    /// Whether the server, having asked for calm, puts up with one more request in flight.
    #[inline]
    pub(super) fn may_have_more(&self) -> bool {
        self.load.in_flight < self.load.max_in_flight
    }

    /// Whether the server's flow control takes a body of this size now. A request that it does not take would
    /// sit in a buffer, out of reach of a better connection. With nothing in flight no window
    /// update will come unasked: then the request goes out.
    #[inline]
    pub(super) fn fits_window(&self, body: usize) -> bool {
        self.connection.window() >= body || self.load.in_flight == 0
    }

    /// Whether the connection may yet be of use: connecting or connected, not retired, and not silent for too long.
    pub(super) fn is_hopeful(&self) -> bool {
        let silent = self.question.is_some_and(|question| question.overdue);
        !self.retired && !silent && !self.connection.is_draining() && !self.connection.is_closed()
    }

    /// Whether the connection was silent for so long that it is to be asked before it is trusted with a request.
    #[inline]
    pub(super) fn is_doubtful(&self, now: Now) -> bool {
        let Some(limit) = self.trusted_for() else {
            return false;
        };
        self.ready
            && !self.retired
            && self.question.is_none()
            && silence(self.heard_at, now) >= limit
            // On HTTP/1.1 that is the time of the server for its answer.
            && (self.load.in_flight == 0 || self.connection.protocol() == Some(HttpVersion::Http2))
    }

    /// How long the connection is trusted without a word from the server; `None` is for ever.
    #[inline]
    fn trusted_for(&self) -> Option<Duration> {
        match (self.terms.probe_after, self.connection.keeps_idle_for()) {
            (Some(own), Some(servers)) => Some(own.min(servers)),
            (own, servers) => own.or(servers),
        }
    }

    /// Whether the connection is usable, but takes no body of this size now. One that has been asked whether it still
    /// works is not full: it is about to answer.
    pub(super) fn is_full(&self, body: usize) -> bool {
        self.ready && self.question.is_none() && !(self.can_send() && self.fits_window(body))
    }

    /// Whether the service may have acted on a request that is in flight.
    pub(super) fn processed(&self, request: RequestId) -> Processed {
        self.connection.processed(request)
    }

    pub(super) fn header_bytes(&self) -> HeaderBytes {
        self.connection.header_bytes()
    }

    /// Whether dialling has taken too long.
    pub(super) fn is_late(&self, now: Now) -> bool {
        !self.ready && self.terms.connect_by <= now.monotonic
    }

    /// Whether the connection has been idle for too long, or has not answered for too long.
    pub(super) fn is_stale(&self, now: Now) -> bool {
        let silent = self.question.filter(|question| question.overdue);
        let silent = silent.is_some_and(|question| question.due() <= now.monotonic);
        !self.retired && (silent || self.idle_at().is_some_and(|at| at <= now.monotonic))
    }

    /// When [`Link::handle_timeout`] has to be called; `None` is never.
    pub(super) fn poll_timeout(&self) -> Option<Duration> {
        let connecting = (!self.ready).then_some(self.terms.connect_by);
        let timers = [
            self.connection.poll_timeout(),
            connecting,
            self.idle_at(),
            self.load.resumes_at,
            self.question.filter(|_| !self.retired).map(Question::due),
        ];
        timers.into_iter().flatten().min()
    }

    fn idle_at(&self) -> Option<Duration> {
        if !self.ready || self.retired || self.is_busy() {
            return None;
        }
        let timeout = match (self.terms.idle_timeout, self.connection.keeps_idle_for()) {
            (Some(own), Some(servers)) => own.min(servers),
            (own, servers) => own.or(servers)?,
        };
        self.load.idle_since.checked_add(timeout)
    }

    // Inputs

    pub(super) fn receive(&mut self, bytes: &[u8], now: Now) {
        self.heard_at = now;
        self.connection.receive(bytes, now);
    }

    pub(super) fn receive_eof(&mut self, now: Now) {
        self.connection.receive_eof(now);
    }

    pub(super) fn handle_timeout(&mut self, now: Now) {
        self.connection.handle_timeout(now);
        self.load.resumes_at = self.load.resumes_at.filter(|at| *at > now.monotonic);
        if let Some(question) = &mut self.question {
            question.overdue |= question.due() <= now.monotonic;
        }
    }

    /// The driver has connected the socket.
    pub(super) fn note_dialled(&mut self) {
        self.dialled = true;
    }

    // Commands

    /// Sends a request, labelled with its slot.
    #[inline]
    pub(super) fn send(&mut self, request: &Request, slot: u32, now: Now) -> Result<RequestId, SendError> {
        let id = self.connection.send_checked(request, slot, now)?;
        self.load.in_flight += 1;
        Ok(id)
    }

    /// Takes a request off its stream. An event says whether anything of it was written; or that the answer
    /// was faster.
    pub(super) fn cancel(&mut self, request: RequestId, now: Now) {
        self.connection.cancel(request, now);
    }

    /// Takes no more requests, and ends when those in flight have been answered.
    pub(super) fn retire(&mut self, now: Now) {
        self.retired = true;
        self.ended_by_us = true;
        self.connection.close(now);
    }

    /// The connection is given up before it was ready: its end says nothing about the host.
    pub(super) fn give_up(&mut self) {
        self.ended_by_us = true;
    }

    /// Asks the server whether it is still there; until it has answered, no request is sent. HTTP/1.1 has no way
    /// to ask: there the connection ends, and another one takes its place.
    pub(super) fn ask(&mut self, now: Now) {
        if self.connection.protocol() != Some(HttpVersion::Http2) {
            return self.retire(now);
        }
        // Where a PING is under way already, its answer is as good.
        self.connection.ping(now);
        self.question = Some(Question {
            at: now.monotonic,
            overdue: false,
        });
    }

    /// No new requests until `resumes_at`, and afterwards at most half as many at a time as now.
    pub(super) fn throttle(&mut self, resumes_at: Duration) {
        self.load.throttle(resumes_at);
    }

    /// The service has refused the credentials of this connection, with this word.
    pub(super) fn note_refusal(&mut self, reason: &str) {
        self.refused = Some(reason.into());
    }

    /// A request was not answered in time. Returns whether too many in a row were not.
    pub(super) fn note_timeout(&mut self) -> bool {
        self.load.timeouts = self.load.timeouts.saturating_add(1);
        self.load.timeouts >= MAX_TIMEOUTS
    }

    /// Takes note of what an answer says about the connection. Returns whether the connection has to be
    /// replaced: at once where it is spoiled, and after `faults_in_a_row` faults with nothing else between them.
    #[inline]
    pub(super) fn is_wedged_after(&mut self, health: Health, faults_in_a_row: u32) -> bool {
        self.load.faults = match health {
            Health::Good => 0,
            Health::Fault => self.load.faults.saturating_add(1),
            Health::Spoiled => return true,
        };
        self.load.faults >= faults_in_a_row
    }

    // Outputs

    /// The bytes that are to be written to the socket now.
    pub(super) fn transmit(&mut self) -> &[u8] {
        match self.dialled {
            true => self.connection.transmit(),
            false => &[],
        }
    }

    pub(super) fn transmitted(&mut self, count: usize) {
        self.connection.transmitted(count);
    }

    /// The next event, of which the link has taken notice.
    #[inline]
    pub(super) fn poll_event(&mut self, now: Now) -> Option<LinkEvent<'_>> {
        Some(match self.connection.poll_event()? {
            Event::Response { id, response } => {
                self.load.end_one(now.monotonic);
                self.load.note_answer();
                LinkEvent::Answered {
                    request: id,
                    response,
                }
            }
            Event::Failed { id, processed, error } => {
                self.load.end_one(now.monotonic);
                LinkEvent::Failed {
                    request: id,
                    processed,
                    error: error.clone(),
                    refused: self.refused.as_deref().filter(|_| processed == Processed::No),
                }
            }
            Event::Ready => {
                self.ready = true;
                self.heard_at = now;
                self.load.idle_since = now.monotonic;
                LinkEvent::Ready
            }
            Event::SettingsChanged {
                max_concurrent_streams,
            } => LinkEvent::Settings(max_concurrent_streams),
            Event::Draining(goaway) => {
                self.retired = true;
                LinkEvent::Draining(goaway)
            }
            Event::Closed(CloseReason::Failed(error)) => LinkEvent::Closed(Some(error.clone())),
            Event::Closed(_) => LinkEvent::Closed(None),
            Event::RoundTrip(_) => {
                self.question = None;
                LinkEvent::RoundTrip
            }
        })
    }

    /// Whether more requests have ended than were sent since the last call: a bug of ours.
    #[inline]
    pub(super) fn take_fault(&mut self) -> bool {
        std::mem::take(&mut self.load.unbalanced)
    }
}

/// Returns how long it has been silent since `heard_at`. The monotonic clock may stand still while the machine
/// sleeps, but the calendar does not: whichever saw more time pass is believed.
fn silence(heard_at: Now, now: Now) -> Duration {
    let calendar = now.unix.as_secs().saturating_sub(heard_at.unix.as_secs());
    now.monotonic
        .saturating_sub(heard_at.monotonic)
        .max(Duration::from_secs(calendar))
}

/// The error of a request that a service refuses to process because of the connection's credentials.
pub(super) fn refusal(reason: &str) -> Error {
    let context = format!("the service refuses these credentials: {reason}");
    Error::new(ErrorKind::InvalidCredential, context)
}

/// The connections of a session, in slots that are used again and again.
#[derive(Debug, Default)]
pub(super) struct Links {
    slots: Vec<(u32, Option<Link>)>,
}

impl Links {
    pub(super) fn insert(&mut self, make: impl FnOnce(LinkId) -> Link) -> LinkId {
        let index = match self.slots.iter().position(|(_, link)| link.is_none()) {
            Some(index) => index,
            None => {
                self.slots.push((0, None));
                self.slots.len() - 1
            }
        };
        let slot = &mut self.slots[index];
        slot.0 = slot.0.wrapping_add(1);
        // A session never has 2^32 connections: each costs a socket.
        let id = LinkId::new(index as u32, slot.0);
        slot.1 = Some(make(id));
        id
    }

    pub(super) fn remove(&mut self, id: LinkId) -> Option<Link> {
        let slot = self.slots.get_mut(id.index())?;
        if slot.0 == id.generation() {
            slot.1.take()
        } else {
            None
        }
    }

    #[inline]
    pub(super) fn get(&self, id: LinkId) -> Option<&Link> {
        self.slots
            .get(id.index())
            .and_then(|(_, link)| link.as_ref())
            .filter(|link| link.id == id)
    }

    #[inline]
    pub(super) fn get_mut(&mut self, id: LinkId) -> Option<&mut Link> {
        self.slots
            .get_mut(id.index())
            .and_then(|(_, link)| link.as_mut())
            .filter(|link| link.id == id)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Link> {
        self.slots.iter().filter_map(|(_, link)| link.as_ref())
    }

    pub(super) fn ids(&self) -> Vec<LinkId> {
        self.iter().map(|link| link.id).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn a_throttled_connection_wins_back_a_request_for_each_round_of_answers() {
        let mut load = Load::new(Duration::ZERO);
        load.in_flight = 9;
        load.throttle(SECOND);
        assert_eq!((load.max_in_flight, load.resumes_at), (5, Some(SECOND)));
        for _ in 0..5 {
            assert_eq!(load.max_in_flight, 5);
            load.note_answer();
        }
        assert_eq!(load.max_in_flight, 6);
        load.max_in_flight = UNTHROTTLED;
        load.note_answer();
        assert_eq!(load.max_in_flight, usize::MAX);
    }

    #[test]
    fn one_request_at_a_time_is_always_allowed() {
        let mut load = Load::new(Duration::ZERO);
        load.throttle(SECOND);
        load.throttle(SECOND);
        assert_eq!(load.max_in_flight, 1);
    }

    #[test]
    fn books_that_do_not_balance_are_told_of_and_do_not_panic() {
        let mut load = Load::new(Duration::ZERO);
        load.in_flight = 1;
        load.end_one(SECOND);
        assert_eq!((load.in_flight, load.unbalanced), (0, false));
        load.end_one(SECOND);
        assert_eq!((load.in_flight, load.unbalanced), (0, true));
    }
}
