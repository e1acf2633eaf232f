//! Where every message of a session is, from `submit` to its end.
//!
//! The [`Ledger`] alone changes the state of a message and the [`Stats`].

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use super::config::Priority;
use super::ending::{Ended, Ending, Unanswered};
use super::id::{HostId, LinkId, Ticket};
use super::latency::Latencies;
use super::service::Context;
use super::stats::Stats;
use crate::error::{Error, ErrorKind};
use crate::http::{HeaderBlock, Request, Response};
use crate::net::RequestId;
use crate::outcome::{Circumstances, OnSuspicion, Outcome};
use crate::time::Now;

/// The number of refusals in a row after which a message does not rest for longer each time, where its host answers
/// others meanwhile: the sixth is followed by 800 ms, about the time in which a burst is over.
const MAX_REFUSALS_OF_BUSY_HOST: u8 = 6;

/// The purpose of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Purpose {
    /// A caller's message.
    Push,
    /// A caller's request of another kind, whose answer is handed back as it came.
    Call,
    /// A request of the session's own to a token endpoint; the caller never sees it, and it is not counted.
    Token,
}

/// Why a message is taken off its stream or out of its queue. How it ends depends on whether anything of
/// it was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Withdrawal {
    Cancelled,
    TimedOut,
    Abandoned,
}

/// Where an unfinished message is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// In the queue of its host; apart from the queue until `rests_until`, where that is given.
    Queued {
        host: HostId,
        number: u64,
        rests_until: Option<Duration>,
        priority: Priority,
    },
    /// On a stream.
    Open { link: LinkId, request: RequestId },
}

/// The facts about a message that joins a queue for the first time.
#[derive(Clone, Copy, Debug)]
pub(super) struct Entrant {
    pub(super) purpose: Purpose,
    pub(super) host: HostId,
    pub(super) marks: Marks,
    /// When the message has to have ended, on the monotonic clock.
    pub(super) deadline: Duration,
    /// What could explain a doubtful answer beside the token; `None` where nothing is known of that.
    pub(super) circumstances: Option<Circumstances>,
    /// What the caller says of the message as one of many.
    pub(super) manner: Manner,
}

/// The numbers that go with a message from `submit` to its end.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Marks {
    /// The caller's: [`SendOptions::user_data`](super::SendOptions::user_data).
    pub(super) user_data: u64,
    /// The driver's: [`SendOptions::driver_data`](super::SendOptions::driver_data).
    pub(super) driver_data: u64,
}

/// How a message is treated as one of many.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Manner {
    /// Whether a doubtful answer may wait for others.
    pub(super) bulk: bool,
    /// Whether the message's deadline is the session's, and begins again after a pause that the service asked for.
    pub(super) patient: bool,
    /// The queue that the message waits in.
    pub(super) priority: Priority,
    /// What a suspicion does to the message.
    pub(super) on_suspicion: OnSuspicion,
}

/// A message that was answered by a doubtful refusal and waits for other answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Doubt {
    pub(super) ticket: Ticket,
    pub(super) marks: Marks,
    /// When it was answered.
    pub(super) since: Duration,
}

/// The facts about a message on which it depends whether the message may be sent again: for [`retry`](super::retry).
#[derive(Clone, Copy, Debug)]
pub(super) struct Attempt {
    pub(super) purpose: Purpose,
    /// Why the attempt was taken off its stream; `None` where it was not.
    pub(super) withdrawal: Option<Withdrawal>,
    /// Whether the deadline of the message is still to come.
    pub(super) in_time: bool,
    /// Times that the message went back to the queue because an attempt failed, as far as that counts.
    pub(super) requeues: u8,
    /// The answers that its host had given when the message went back to the queue for the last time; 0
    /// where it never did.
    pub(super) answers_seen: u64,
    /// Times that the message was sent again after an answer.
    pub(super) replays: u8,
}

/// How a message goes back to the queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Again {
    /// Whether this counts against [`SessionConfig::max_requeues`](super::SessionConfig::max_requeues).
    pub(super) counts: bool,
    /// Whether the failed attempt may have been processed.
    pub(super) in_doubt: bool,
    /// Whether the server refused the stream (REFUSED_STREAM).
    pub(super) refused: bool,
    /// The kind of error that is told with the event.
    pub(super) reported: ErrorKind,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Free,
    Queued,
    Open { link: LinkId, request: RequestId },
}

/// A message that has not ended.
#[derive(Debug)]
pub(super) struct Pending {
    generation: u32,
    state: State,
    purpose: Purpose,
    host: HostId,
    /// The place of the message in the order of submission.
    number: u64,
    /// Whether a call's request came with an authorization of the caller's.
    signed: bool,
    marks: Marks,
    /// The request as it goes on the wire; written once at `submit`, sent again as it is.
    request: Request,
    deadline: Duration,
    /// The nearer of `deadline` and, while open, the response timeout.
    due: Duration,
    /// When the message was submitted.
    submitted_at: Duration,
    /// When the message joined the queue this time.
    queued_at: Duration,
    /// When the message was put on its stream.
    opened_at: Duration,
    /// When the message joins the queue, where it waits apart from the queue; `None` where it does not.
    rests_until: Option<Duration>,
    /// Times in a row that the message's stream was refused.
    refusals: u8,
    /// Times that the message went back to the queue because an attempt failed, as far as that counts.
    requeues: u8,
    /// The answers that its host had given when the message went back to the queue for the last time.
    answers_seen: u64,
    /// Times that the message was answered with a fault of the credential or the connection and sent again.
    replays: u8,
    /// Whether an earlier attempt was written and got no answer: it may have been processed.
    in_doubt: bool,
    /// The facts against which the answer has to be read.
    context: Context,
    circumstances: Option<Circumstances>,
    manner: Manner,
    /// Why the message is being taken off its stream; `None` where it is not.
    withdrawal: Option<Withdrawal>,
}

impl Pending {
    fn new() -> Self {
        Self {
            generation: 0,
            state: State::Free,
            purpose: Purpose::Push,
            host: HostId::NONE,
            number: 0,
            signed: false,
            marks: Marks::default(),
            request: Request::new(),
            deadline: Duration::ZERO,
            due: Duration::ZERO,
            submitted_at: Duration::ZERO,
            queued_at: Duration::ZERO,
            opened_at: Duration::ZERO,
            rests_until: None,
            refusals: 0,
            requeues: 0,
            answers_seen: 0,
            replays: 0,
            in_doubt: false,
            context: Context::None,
            circumstances: None,
            manner: Manner::default(),
            withdrawal: None,
        }
    }

    pub(super) fn purpose(&self) -> Purpose {
        self.purpose
    }

    pub(super) fn host(&self) -> HostId {
        self.host
    }

    pub(super) fn marks(&self) -> Marks {
        self.marks
    }

    pub(super) fn request(&self) -> &Request {
        &self.request
    }

    pub(super) fn context(&self) -> &Context {
        &self.context
    }

    /// What could explain a doubtful answer beside the token; `None` where nothing is known of that.
    #[inline]
    pub(super) fn circumstances(&self) -> Option<Circumstances> {
        self.circumstances
    }

    pub(super) fn manner(&self) -> Manner {
        self.manner
    }

    pub(super) fn queued_at(&self) -> Duration {
        self.queued_at
    }

    /// Whether an earlier attempt was written and got no answer.
    pub(super) fn is_in_doubt(&self) -> bool {
        self.in_doubt
    }

    /// Whether the deadline has passed.
    #[inline]
    pub(super) fn is_overdue(&self, now: Duration) -> bool {
        self.deadline <= now
    }

    /// Whether the request goes out with the authorization that it came with: the session's own to a
    /// token endpoint, and a caller's that is authorized already.
    #[inline]
    pub(super) fn keeps_authorization(&self) -> bool {
        match self.purpose {
            Purpose::Push => false,
            Purpose::Call => self.signed,
            Purpose::Token => true,
        }
    }

    /// Gives the request an authorization that many requests share; `None` takes it away.
    #[inline]
    pub(super) fn authorize(&mut self, shared: Option<&Arc<HeaderBlock>>) {
        match shared {
            Some(shared) => self.request.authorize(shared),
            None => self.request.authorization = None,
        }
    }

    /// Gives the request an authorization of its own; `None` takes it away.
    pub(super) fn authorize_alone(&mut self, own: Option<Arc<HeaderBlock>>) {
        self.request.authorization = own;
    }

    /// Moves the deadline of a queued message, where it is the session's.
    fn postpone(&mut self, late: Duration) {
        if self.manner.patient {
            self.deadline = self.deadline.max(late);
            self.due = self.deadline;
        }
    }

    fn ticket(&self, slot: u32) -> Ticket {
        Ticket::new(slot, self.generation)
    }

    fn is_open(&self) -> bool {
        matches!(self.state, State::Open { .. })
    }

    /// Ends the message; the request's buffers are kept for the next one in this slot.
    fn clear(&mut self) {
        self.state = State::Free;
        self.generation = self.generation.wrapping_add(1);
        self.request.park();
        self.signed = false;
        self.rests_until = None;
        self.refusals = 0;
        self.requeues = 0;
        self.answers_seen = 0;
        self.replays = 0;
        self.in_doubt = false;
        self.context = Context::None;
        self.withdrawal = None;
    }
}

/// The facts that are told of a message that has just ended.
struct Finished {
    ticket: Ticket,
    marks: Marks,
    purpose: Purpose,
    in_doubt: bool,
}

/// The messages of a session in slots that are used again and again, their ends until they are fetched,
/// their deadlines and their counts.
#[derive(Debug)]
pub(super) struct Ledger {
    slots: Vec<Pending>,
    free: Vec<u32>,
    outcomes: VecDeque<Ended>,
    responses: VecDeque<(Ticket, Ending<Response>)>,
    stats: Stats,
    latencies: Latencies,
    /// The time of the call that is being worked on.
    now: Duration,
    /// The messages queued so far: the next one's place in the order of submission.
    numbers: u64,
    response_timeout: Duration,
    /// When a request that is opened now has to be answered: set by [`Ledger::begin_opening`].
    answer_by: Duration,
    /// The time before which no message is due; may be early, never late. `None` is never.
    next_due: Option<Duration>,
    /// Whether a count would have become negative since the last [`Ledger::take_fault`].
    unbalanced: bool,
}

impl Ledger {
    /// `response_timeout` is the time from the opening of a stream to the answer at the latest.
    pub(super) fn new(response_timeout: Duration) -> Self {
        Self {
            slots: Vec::new(),
            free: Vec::new(),
            outcomes: VecDeque::new(),
            responses: VecDeque::new(),
            stats: Stats::default(),
            latencies: Latencies::default(),
            now: Duration::ZERO,
            numbers: 0,
            response_timeout,
            answer_by: Duration::ZERO,
            next_due: None,
            unbalanced: false,
        }
    }

    // Getters

    pub(super) fn stats(&self) -> Stats {
        self.stats
    }

    pub(super) fn latencies(&self) -> &Latencies {
        &self.latencies
    }

    /// Takes note of the time, for the latencies of what ends in this call.
    #[inline]
    pub(super) fn note_time(&mut self, now: Duration) {
        self.now = now;
    }

    /// Messages that wait for a stream.
    #[inline]
    pub(super) fn queued(&self) -> u64 {
        self.stats.queued
    }

    /// Whether no message waits or is on a stream.
    pub(super) fn is_idle(&self) -> bool {
        self.stats.queued == 0 && self.stats.open == 0
    }

    /// When the next message may be due; `None` is never.
    pub(super) fn next_due(&self) -> Option<Duration> {
        self.next_due
    }

    /// The unfinished message in a slot.
    pub(super) fn get(&self, slot: u32) -> Option<&Pending> {
        self.slots
            .get(slot as usize)
            .filter(|pending| pending.state != State::Free)
    }

    /// The request in a slot, which may be only reserved.
    #[inline]
    pub(super) fn request(&self, slot: u32) -> Option<&Request> {
        self.slots.get(slot as usize).map(|pending| &pending.request)
    }

    /// The slot of an unfinished message.
    #[inline]
    pub(super) fn find(&self, ticket: Ticket) -> Option<u32> {
        let pending = self.slots.get(ticket.slot())?;
        (pending.generation == ticket.generation() && pending.state != State::Free).then_some(ticket.number())
    }

    /// An unfinished message, and its slot.
    #[inline]
    pub(super) fn find_mut(&mut self, ticket: Ticket) -> Option<(u32, &mut Pending)> {
        let pending = self.slots.get_mut(ticket.slot())?;
        (pending.generation == ticket.generation() && pending.state != State::Free)
            .then_some((ticket.number(), pending))
    }

    /// Where an unfinished message is.
    pub(super) fn place(&self, ticket: Ticket) -> Option<Place> {
        let pending = self.get(self.find(ticket)?)?;
        match pending.state {
            State::Free => None,
            State::Queued => Some(Place::Queued {
                host: pending.host,
                number: pending.number,
                rests_until: pending.rests_until,
                priority: pending.manner.priority,
            }),
            State::Open { link, request } => Some(Place::Open { link, request }),
        }
    }

    /// The link of a message that is on a stream, and since when it is there.
    pub(super) fn opened(&self, ticket: Ticket) -> Option<(LinkId, Duration)> {
        let pending = self.get(self.find(ticket)?)?;
        match pending.state {
            State::Open { link, .. } => Some((link, pending.opened_at)),
            State::Free | State::Queued => None,
        }
    }

    /// The message that `request` on `link` carries, and its slot, with which the request is labelled.
    #[inline]
    pub(super) fn carried(&self, link: LinkId, request: RequestId) -> Option<(u32, &Pending)> {
        let pending = self.slots.get(request.label as usize)?;
        (pending.state == State::Open { link, request }).then_some((request.label, pending))
    }

    /// The slots of the messages that are open on a link.
    pub(super) fn on_link(&self, id: LinkId) -> Vec<u32> {
        let open = self
            .unfinished()
            .filter(|(_, pending)| matches!(pending.state, State::Open { link, .. } if link == id));
        open.map(|(ticket, _)| ticket.number()).collect()
    }

    /// Every unfinished message.
    pub(super) fn unfinished(&self) -> impl Iterator<Item = (Ticket, &Pending)> {
        let numbered = self.slots.iter().enumerate();
        numbered
            .filter(|(_, pending)| pending.state != State::Free)
            .map(|(slot, pending)| (pending.ticket(slot as u32), pending))
    }

    /// The tickets of every unfinished message.
    pub(super) fn tickets(&self) -> Vec<Ticket> {
        self.unfinished().map(|(ticket, _)| ticket).collect()
    }

    /// The messages whose time has passed, of those on a stream or of those in a queue.
    pub(super) fn due(&self, open: bool, now: Duration) -> Vec<Ticket> {
        let due = self
            .unfinished()
            .filter(|(_, pending)| pending.due <= now && pending.is_open() == open);
        due.map(|(ticket, _)| ticket).collect()
    }

    /// The facts on which it depends whether the message in a slot may be sent again.
    pub(super) fn attempt(&self, slot: u32, now: Now) -> Option<Attempt> {
        self.get(slot).map(|pending| Attempt {
            purpose: pending.purpose,
            withdrawal: pending.withdrawal,
            in_time: !pending.is_overdue(now.monotonic),
            requeues: pending.requeues,
            answers_seen: pending.answers_seen,
            replays: pending.replays,
        })
    }

    // The way of a message

    /// Reserves a slot, whose request is to be written.
    ///
    /// # Errors
    /// `QueueFull` when there are 2^32 messages.
    #[inline]
    pub(super) fn reserve(&mut self) -> Result<(u32, &mut Request), Error> {
        let slot = match self.free.pop() {
            Some(slot) => slot,
            None => {
                let slot = u32::try_from(self.slots.len())
                    .map_err(|_| Error::new(ErrorKind::QueueFull, "too many messages at once"))?;
                self.slots.push(Pending::new());
                slot
            }
        };
        match self.slots.get_mut(slot as usize) {
            Some(pending) => Ok((slot, &mut pending.request)),
            None => Err(missing()),
        }
    }

    /// Reserves a slot for a request that has been written.
    ///
    /// # Errors
    /// As [`Ledger::reserve`].
    pub(super) fn reserve_with(&mut self, request: Request) -> Result<u32, Error> {
        let signed = request.authorization.is_some();
        let (slot, place) = self.reserve()?;
        *place = request;
        if let Some(pending) = self.slots.get_mut(slot as usize) {
            pending.signed = signed;
        }
        Ok(slot)
    }

    /// The message in a reserved slot waits for a stream from now on.
    ///
    /// # Errors
    /// `Internal` when the slot is not there.
    #[inline]
    pub(super) fn queue(
        &mut self,
        slot: u32,
        entrant: Entrant,
        context: Context,
        now: Duration,
    ) -> Result<Ticket, Error> {
        let Some(pending) = self.slots.get_mut(slot as usize) else {
            return Err(missing());
        };
        pending.purpose = entrant.purpose;
        pending.marks = entrant.marks;
        pending.state = State::Queued;
        pending.host = entrant.host;
        pending.number = self.numbers;
        self.numbers = self.numbers.wrapping_add(1);
        pending.deadline = entrant.deadline;
        pending.due = entrant.deadline;
        pending.submitted_at = now;
        pending.queued_at = now;
        pending.context = context;
        pending.circumstances = entrant.circumstances;
        pending.manner = entrant.manner;
        let ticket = pending.ticket(slot);
        self.expect_by(entrant.deadline);
        if entrant.purpose != Purpose::Token {
            self.stats.submitted += 1;
            self.stats.queued += 1;
        }
        Ok(ticket)
    }

    /// Messages are about to be opened now: [`Ledger::open`].
    pub(super) fn begin_opening(&mut self, now: Duration) {
        self.answer_by = now.saturating_add(self.response_timeout);
        // Deadlines were looked at when the messages came.
        self.expect_by(self.answer_by);
    }

    /// A queued message has been put on a stream.
    #[inline]
    pub(super) fn open(&mut self, slot: u32, link: LinkId, request: RequestId, now: Duration) {
        let Some(pending) = self.slots.get_mut(slot as usize) else {
            return;
        };
        pending.state = State::Open { link, request };
        pending.opened_at = now;
        pending.due = pending.deadline.min(self.answer_by);
        if pending.purpose != Purpose::Token {
            take_one(&mut self.stats.queued, &mut self.unbalanced);
            self.stats.open += 1;
        }
    }

    /// A message that waited apart joins the queue. Returns its place in the order of submission; `None` where
    /// the message does not wait any more.
    pub(super) fn wake(&mut self, ticket: Ticket, now: Duration) -> Option<(u64, Priority)> {
        let (_, pending) = self.find_mut(ticket)?;
        pending.rests_until = None;
        pending.queued_at = now;
        Some((pending.number, pending.manner.priority))
    }

    /// A message is being taken off its stream; the connection will say how its attempt ended.
    pub(super) fn mark_withdrawn(&mut self, ticket: Ticket, withdrawal: Withdrawal) {
        if let Some((_, pending)) = self.find_mut(ticket) {
            pending.withdrawal = Some(withdrawal);
        }
    }

    /// Counts a failed attempt after which the message is sent again; its host has given `answers` so far.
    /// Returns how often in a row the stream of the message has been refused.
    pub(super) fn count_failure(&mut self, slot: u32, again: Again, answers: u64) -> u8 {
        let Some(pending) = self.slots.get_mut(slot as usize) else {
            return 0;
        };
        pending.requeues = pending.requeues.saturating_add(u8::from(again.counts));
        pending.answers_seen = answers;
        pending.in_doubt |= again.in_doubt;
        pending.withdrawal = None;
        pending.refusals = match again.refused {
            true if again.counts => pending.refusals.saturating_add(1),
            // The host answers others: it is busy, and soon has room.
            true => pending.refusals.saturating_add(1).min(MAX_REFUSALS_OF_BUSY_HOST),
            false => 0,
        };
        pending.refusals
    }

    /// Counts an answer after which the message is sent again, with the session's own authorization.
    pub(super) fn count_replay(&mut self, slot: u32) {
        if let Some(pending) = self.slots.get_mut(slot as usize) {
            pending.replays = pending.replays.saturating_add(1);
            pending.signed = false;
        }
    }

    /// A message goes back to the queue of the host that is returned, to the place in the order of submission
    /// that is returned with it; apart from the queue, where `rests_until` says until when.
    pub(super) fn requeue(
        &mut self,
        slot: u32,
        rests_until: Option<Duration>,
        now: Duration,
    ) -> Option<(Ticket, u64, Priority, HostId)> {
        let pending = self.slots.get_mut(slot as usize)?;
        if pending.is_open() && pending.purpose != Purpose::Token {
            take_one(&mut self.stats.open, &mut self.unbalanced);
            self.stats.queued += 1;
            self.stats.requeued += 1;
        }
        pending.state = State::Queued;
        pending.due = pending.deadline;
        pending.queued_at = now;
        pending.rests_until = rests_until;
        Some((
            pending.ticket(slot),
            pending.number,
            pending.manner.priority,
            pending.host,
        ))
    }

    // The end of a message

    /// Ends a push with the service's answer.
    #[inline]
    pub(super) fn end_answered(&mut self, slot: u32, outcome: Outcome) {
        if let Some(Finished { ticket, marks, .. }) = self.finish(slot) {
            self.end_push(ticket, marks, Ending::Answered(outcome));
        }
    }

    /// A push was answered by a doubtful refusal, and waits for [`Ledger::end_held`].
    pub(super) fn hold(&mut self, slot: u32, now: Duration) -> Option<Doubt> {
        let Finished { ticket, marks, .. } = self.finish(slot)?;
        self.stats.held += 1;
        Some(Doubt {
            ticket,
            marks,
            since: now,
        })
    }

    /// Ends a push that waited.
    pub(super) fn end_held(&mut self, doubt: Doubt, outcome: Outcome) {
        take_one(&mut self.stats.held, &mut self.unbalanced);
        self.end_push(doubt.ticket, doubt.marks, Ending::Answered(outcome));
    }

    /// The messages in the queue of a host that a suspicion stops.
    pub(super) fn stoppable(&self) -> Vec<Ticket> {
        let waiting = self.unfinished().filter(|(_, pending)| {
            pending.state == State::Queued && pending.manner.on_suspicion == OnSuspicion::Stop
        });
        waiting.map(|(ticket, _)| ticket).collect()
    }

    /// The service has asked for a pause until then: the messages that wait for this host, and whose deadline is the
    /// session's, have `deadline` from its end.
    pub(super) fn postpone(&mut self, host: HostId, until: Duration, deadline: Duration) {
        let late = until.saturating_add(deadline);
        for pending in &mut self.slots {
            if pending.state == State::Queued && pending.host == host {
                pending.postpone(late);
            }
        }
    }

    /// The same for the message in one slot.
    pub(super) fn postpone_one(&mut self, slot: u32, until: Duration, deadline: Duration) {
        if let Some(pending) = self.slots.get_mut(slot as usize) {
            pending.postpone(until.saturating_add(deadline));
        }
    }

    /// Ends a call with the service's answer.
    pub(super) fn end_call_answered(&mut self, slot: u32, response: Response) {
        if let Some(Finished { ticket, .. }) = self.finish(slot) {
            self.end_call(ticket, Ending::Answered(response));
        }
    }

    /// Ends a push or a call without an answer.
    pub(super) fn end_unanswered(&mut self, slot: u32, ending: Unanswered) {
        let Some(finished) = self.finish(slot) else {
            return;
        };
        let ending = match finished.in_doubt {
            true => ending.in_doubt(),
            false => ending,
        };
        match finished.purpose {
            Purpose::Push => self.end_push(finished.ticket, finished.marks, ending.of()),
            Purpose::Call => self.end_call(finished.ticket, ending.of()),
            // Nobody has its ticket, so that nobody would ever fetch its end.
            Purpose::Token => self.free.push(finished.ticket.number()),
        }
    }

    #[inline]
    fn end_push(&mut self, ticket: Ticket, marks: Marks, ending: Ending) {
        self.stats.count_push(&ending);
        self.outcomes.push_back(Ended {
            ticket,
            user_data: marks.user_data,
            driver_data: marks.driver_data,
            ending,
        });
    }

    fn end_call(&mut self, ticket: Ticket, ending: Ending<Response>) {
        self.stats.count_call(&ending);
        self.responses.push_back((ticket, ending));
    }

    /// Frees a slot that was only reserved, or held a request for a token. Neither is counted.
    pub(super) fn release(&mut self, slot: u32) {
        if let Some(pending) = self.slots.get_mut(slot as usize) {
            pending.clear();
            self.free.push(slot);
        }
    }

    /// Takes a message from the place where it is counted. Its slot is not used again before its end has
    /// been fetched, so that nobody can take the next message for this one.
    #[inline]
    fn finish(&mut self, slot: u32) -> Option<Finished> {
        let pending = self.slots.get_mut(slot as usize)?;
        let place = match (pending.state, pending.purpose) {
            (State::Free, _) => return None,
            (_, Purpose::Token) => None,
            (State::Queued, _) => Some(&mut self.stats.queued),
            (State::Open { .. }, _) => Some(&mut self.stats.open),
        };
        if let Some(place) = place {
            take_one(place, &mut self.unbalanced);
        }
        if pending.purpose == Purpose::Push {
            if pending.is_open() {
                let queue = pending.opened_at.saturating_sub(pending.submitted_at);
                self.latencies.queue.record(queue);
                self.latencies
                    .wire
                    .record(self.now.saturating_sub(pending.opened_at));
            }
            let whole = self.now.saturating_sub(pending.submitted_at);
            self.latencies.whole.record(whole);
        }
        let finished = Finished {
            ticket: pending.ticket(slot),
            marks: pending.marks,
            purpose: pending.purpose,
            in_doubt: pending.in_doubt,
        };
        pending.clear();
        Some(finished)
    }

    // What its owner fetches

    /// The next push that has ended.
    #[inline]
    pub(super) fn poll_outcome(&mut self) -> Option<Ended> {
        let ended = self.outcomes.pop_front()?;
        self.free.push(ended.ticket.number());
        Some(ended)
    }

    /// Appends every push that has ended to `ended`, whose memory is used for the next ones where `ended`
    /// is empty.
    pub(super) fn take_outcomes(&mut self, ended: &mut VecDeque<Ended>) {
        self.free
            .extend(self.outcomes.iter().map(|message| message.ticket.number()));
        match ended.is_empty() {
            true => std::mem::swap(ended, &mut self.outcomes),
            false => ended.append(&mut self.outcomes),
        }
    }

    /// The next call that has ended.
    pub(super) fn poll_response(&mut self) -> Option<(Ticket, Ending<Response>)> {
        let ended = self.responses.pop_front()?;
        self.free.push(ended.0.number());
        Some(ended)
    }

    /// Whether a count would have become negative since the last call: a bug of ours.
    #[inline]
    pub(super) fn take_fault(&mut self) -> bool {
        std::mem::take(&mut self.unbalanced)
    }

    // Deadlines

    /// Looks anew for the next message that is due.
    pub(super) fn find_next_due(&mut self) {
        self.next_due = self.unfinished().map(|(_, pending)| pending.due).min();
    }

    #[inline]
    fn expect_by(&mut self, due: Duration) {
        if self.next_due.is_none_or(|next| due < next) {
            self.next_due = Some(due);
        }
    }
}

/// Takes one from a count. A count that would become negative stays, because a panic would be worse for a
/// caller than a wrong number; `unbalanced` tells.
#[inline]
fn take_one(count: &mut u64, unbalanced: &mut bool) {
    match count.checked_sub(1) {
        Some(rest) => *count = rest,
        None => *unbalanced = true,
    }
}

/// Never: slots are reserved before they are filled.
fn missing() -> Error {
    Error::new(ErrorKind::Internal, "a reserved slot is missing")
}

#[cfg(test)]
mod tests;
