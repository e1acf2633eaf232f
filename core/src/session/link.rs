//! One connection of a session, and what its events mean.

use std::collections::VecDeque;
use std::time::Duration;

use super::event::LetGoReason;
use super::id::{HostId, LinkId};
use super::report::ConnectionReport;
use super::timers::Timers;
use crate::backend::Health;
use crate::error::{Error, ErrorKind};
use crate::http::{Authority, Request, Response};
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

/// How long a connection beside others may have nothing to do before it is let go: a campaign that pauses for less finds its
/// connections again.
const SURPLUS_IDLE: Duration = Duration::from_secs(60);

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
    /// Whether the connection is one beside others, which is let go when it has nothing to do for a minute.
    pub(super) surplus: bool,
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
    /// The request whose answer is timed, and when it was sent; `None` where none is.
    timed: Option<(RequestId, Duration)>,
    /// The time from a request to its answer, smoothed; `None` before the first answer.
    round_trip: Option<Duration>,
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
            timed: None,
            round_trip: None,
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
    /// sit in a buffer, out of reach of a better connection, and end as unknown although it was never whole. With nothing
    /// in flight no window update may come unasked, because some servers give a window back only when it is used up, and
    /// that of a stream only when they see the stream: then one request goes out, unless the server would get no octet of it.
    #[inline]
    pub(super) fn fits_window(&self, body: usize) -> bool {
        self.connection.takes_body(body) || (self.load.in_flight == 0 && self.connection.window() > 0)
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

    /// Whether a response has come over the connection.
    pub(super) fn has_answered(&self) -> bool {
        self.load.answered
    }

    /// The time from a request to its answer, smoothed; `None` before the first answer.
    pub(super) fn round_trip(&self) -> Option<Duration> {
        self.round_trip
    }

    /// The server's stream limit, as far as it may be used.
    pub(super) fn streams(&self) -> usize {
        self.connection.stream_limit().min(self.load.max_in_flight)
    }

    /// The widest flow-control window that the server has granted to the connection, in octets; `None` where there is none.
    pub(super) fn widest_window(&self) -> Option<usize> {
        self.connection.widest_window()
    }

    /// The number of requests with a body of this size that the connection holds at a time.
    pub(super) fn share(&self, body: usize) -> usize {
        let bodies = self
            .widest_window()
            .map_or(usize::MAX, |window| window / body.max(1));
        self.streams().min(bodies).max(1)
    }

    /// The last connection that a host has is kept for as long as the service wishes.
    pub(super) fn keep(&mut self) {
        self.terms.surplus = false;
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

    /// Whether the connection has not answered for too long.
    pub(super) fn is_stale(&self, now: Now) -> bool {
        let silent = self.question.filter(|question| question.overdue);
        !self.retired && silent.is_some_and(|question| question.due() <= now.monotonic)
    }

    /// Why the connection is let go, where it has been idle for too long; `None` where it has not.
    pub(super) fn idle_too_long(&self, now: Now) -> Option<LetGoReason> {
        self.idle_at().filter(|at| *at <= now.monotonic)?;
        Some(match self.terms.surplus {
            true => LetGoReason::Surplus,
            false => LetGoReason::Idle,
        })
    }

    /// The connection as it is now.
    pub(super) fn report(&self, authority: Authority) -> ConnectionReport {
        let widest_window = self.connection.widest_window();
        ConnectionReport {
            link: self.id,
            authority,
            ready: self.ready,
            retired: self.retired,
            surplus: self.terms.surplus,
            in_flight: self.load.in_flight,
            streams: self.streams(),
            window: widest_window.map(|_| self.connection.window()),
            widest_window,
            round_trip: self.round_trip,
        }
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
            (own, servers) => match self.terms.surplus {
                true => own.or(servers).unwrap_or(SURPLUS_IDLE),
                false => own.or(servers)?,
            },
        };
        let timeout = match self.terms.surplus {
            true => timeout.min(SURPLUS_IDLE),
            false => timeout,
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
        if self.timed.is_none() {
            self.timed = Some((id, now.monotonic));
        }
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
        let (timed, event) = (&mut self.timed, self.connection.poll_event()?);
        Some(match event {
            Event::Response { id, response } => {
                self.load.end_one(now.monotonic);
                self.load.note_answer();
                note_time(timed, &mut self.round_trip, id, true, now.monotonic);
                LinkEvent::Answered {
                    request: id,
                    response,
                }
            }
            Event::Failed { id, processed, error } => {
                self.load.end_one(now.monotonic);
                note_time(timed, &mut self.round_trip, id, false, now.monotonic);
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

/// Takes note of the end of a request: the one that is timed tells the round trip.
#[inline]
fn note_time(
    timed: &mut Option<(RequestId, Duration)>,
    round_trip: &mut Option<Duration>,
    id: RequestId,
    answered: bool,
    now: Duration,
) {
    let Some((_, sent)) = timed.filter(|(timed, _)| *timed == id) else {
        return;
    };
    *timed = None;
    if answered {
        let time = now.saturating_sub(sent);
        *round_trip = Some(round_trip.map_or(time, |old| (old * 3 + time) / 4));
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

/// A place for a connection.
#[derive(Debug, Default)]
struct Slot {
    generation: u32,
    link: Option<Link>,
    /// When the connection is entered as due; `None` where it is not.
    timer: Option<Duration>,
    /// Whether the connection has changed since the last [`Links::settle`].
    touched: bool,
    /// Whether the connection is among those that may have bytes to write.
    writable: bool,
}

/// The connections of a session, in slots that are used again and again.
///
/// Nothing here asks every connection: one that is changed is noted, as one whose timers have to be looked at and as one that may
/// have bytes to write.
#[derive(Debug, Default)]
pub(super) struct Links {
    slots: Vec<Slot>,
    free: Vec<u32>,
    timers: Timers<LinkId>,
    touched: Vec<LinkId>,
    writable: VecDeque<LinkId>,
}

impl Links {
    /// The number of connections, whatever their state.
    pub(super) fn len(&self) -> usize {
        self.slots.len() - self.free.len()
    }

    pub(super) fn insert(&mut self, make: impl FnOnce(LinkId) -> Link) -> LinkId {
        let index = self.free.pop().unwrap_or_else(|| {
            self.slots.push(Slot::default());
            // A session never has 2^32 connections: each costs a socket.
            (self.slots.len() - 1) as u32
        });
        let Some(slot) = self.slots.get_mut(index as usize) else {
            return LinkId::new(index, 0);
        };
        slot.generation = slot.generation.wrapping_add(1);
        let id = LinkId::new(index, slot.generation);
        slot.link = Some(make(id));
        self.get_mut(id);
        id
    }

    pub(super) fn remove(&mut self, id: LinkId) -> Option<Link> {
        let slot = self.slots.get_mut(id.index())?;
        if slot.generation != id.generation() {
            return None;
        }
        let link = slot.link.take()?;
        self.timers.set(id, &mut slot.timer, None);
        (slot.touched, slot.writable) = (false, false);
        self.free.push(id.index() as u32);
        Some(link)
    }

    #[inline]
    pub(super) fn get(&self, id: LinkId) -> Option<&Link> {
        self.slots
            .get(id.index())
            .and_then(|slot| slot.link.as_ref())
            .filter(|link| link.id == id)
    }

    /// The connection, which may change and have bytes to write afterwards.
    #[inline]
    pub(super) fn get_mut(&mut self, id: LinkId) -> Option<&mut Link> {
        let slot = self.slots.get_mut(id.index())?;
        let link = slot.link.as_mut().filter(|link| link.id == id)?;
        if !slot.touched {
            slot.touched = true;
            self.touched.push(id);
        }
        if !slot.writable {
            slot.writable = true;
            self.writable.push_back(id);
        }
        Some(link)
    }

    /// The connection whose bytes are about to be written: that gives it no others.
    #[inline]
    pub(super) fn get_to_write(&mut self, id: LinkId) -> Option<&mut Link> {
        let slot = self.slots.get_mut(id.index())?;
        let link = slot.link.as_mut().filter(|link| link.id == id)?;
        if !slot.touched {
            slot.touched = true;
            self.touched.push(id);
        }
        Some(link)
    }

    /// The next connection that may have bytes to write. It is told once after each change.
    pub(super) fn poll_writable(&mut self) -> Option<LinkId> {
        while let Some(id) = self.writable.pop_front() {
            let slot = self.slots.get_mut(id.index());
            if let Some(slot) = slot.filter(|slot| slot.generation == id.generation() && slot.link.is_some())
            {
                slot.writable = false;
                return Some(id);
            }
        }
        None
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Link> {
        self.slots.iter().filter_map(|slot| slot.link.as_ref())
    }

    pub(super) fn ids(&self) -> Vec<LinkId> {
        self.iter().map(|link| link.id).collect()
    }

    /// When [`Link::handle_timeout`] has to be called for one of them; `None` is never.
    pub(super) fn poll_timeout(&self) -> Option<Duration> {
        let is_settled = |id: &LinkId| self.slots.get(id.index()).is_some_and(|slot| !slot.touched);
        let settled = self.timers.iter().find(|(_, id)| is_settled(id));
        let touched = self.touched.iter().filter_map(|id| self.get(*id));
        let touched = touched.filter_map(Link::poll_timeout);
        touched.chain(settled.map(|(at, _)| at)).min()
    }

    /// Those whose time has come. Everything is settled.
    pub(super) fn due(&self, now: Duration) -> Vec<LinkId> {
        self.timers.due(now)
    }

    /// Enters the timers of every connection that has changed.
    pub(super) fn settle(&mut self) {
        while let Some(id) = self.touched.pop() {
            let Some(slot) = self.slots.get_mut(id.index()) else {
                continue;
            };
            let Some(link) = slot.link.as_ref().filter(|link| link.id == id) else {
                continue;
            };
            slot.touched = false;
            let at = link.poll_timeout();
            self.timers.set(id, &mut slot.timer, at);
        }
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
