//! The state that callers and the driver task share: the session, and who waits for what.
//!
//! One lock guards all of it. Nobody holds the lock across an `.await`, and wakers are woken after the lock is free.

use std::collections::VecDeque;
use std::collections::btree_map::{BTreeMap, Entry};
use std::ops::{Deref, DerefMut};
use std::sync::PoisonError;
use std::task::{Context, Poll, Waker};

use pushcore::http::{Request, Response};
use pushcore::outcome::OnSuspicion;
use pushcore::service::{Call, MessageRef};
use pushcore::session::{Ended, SendOptions, Session, SessionEvent, Ticket};
use pushcore::{Error, ErrorKind, Now, Outcome};

use crate::room::Room;
use crate::sync::{Mutex, MutexGuard};

/// The number of events that are kept for a caller that does not fetch them; as many as a session keeps.
const MAX_EVENTS: usize = 1024;

/// The lock around the [`State`].
#[derive(Debug)]
pub(crate) struct Shared {
    state: Mutex<State>,
}

impl Shared {
    pub(crate) fn new(session: Session) -> Self {
        Self {
            state: Mutex::new(State::new(session)),
        }
    }

    pub(crate) fn lock(&self) -> Locked<'_> {
        // Nothing in here panics half-way through a change; a poisoned lock is still whole.
        let guard = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        Locked {
            guard,
            wake: Wakes::default(),
        }
    }
}

/// The state under its lock. The fields are dropped in this order: the lock first, then the wakers wake, because a task that wakes
/// may want the lock.
pub(crate) struct Locked<'a> {
    guard: MutexGuard<'a, State>,
    wake: Wakes,
}

impl Deref for Locked<'_> {
    type Target = State;

    fn deref(&self) -> &State {
        &self.guard
    }
}

impl DerefMut for Locked<'_> {
    fn deref_mut(&mut self) -> &mut State {
        &mut self.guard
    }
}

impl Drop for Locked<'_> {
    fn drop(&mut self) {
        std::mem::swap(&mut self.wake.0, &mut self.guard.wake);
    }
}

/// Wakers that wake when they are dropped.
#[derive(Default)]
struct Wakes(Vec<Waker>);

impl Drop for Wakes {
    fn drop(&mut self) {
        for waker in self.0.drain(..) {
            waker.wake();
        }
    }
}

/// One that waits for the end of a single message.
#[derive(Debug)]
enum Waiter {
    Waiting(Waker),
    Ended(Result<Outcome, Error>),
    /// The caller has gone, and the end has not come.
    Left,
}

/// A single message that has been submitted: its ticket, and the place of its waiter.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Single {
    ticket: Ticket,
    place: u32,
}

/// One that waits for the answer to a request that is not a message.
#[derive(Debug)]
enum CallWaiter {
    Waiting(Waker),
    Ended(Result<Response, Error>),
}

/// A bulk send.
#[derive(Debug, Default)]
struct Batch {
    landed: VecDeque<Ended>,
    /// The messages that have not ended.
    in_flight: u64,
    /// Whether no message follows.
    finished: bool,
    /// Whether the sender has more messages and waits for room.
    hungry: bool,
    waker: Option<Waker>,
}

/// Everything that callers and the driver task share.
#[derive(Debug)]
pub(crate) struct State {
    pub(crate) session: Session,
    waiters: Vec<Option<Waiter>>,
    free: Vec<u32>,
    calls: BTreeMap<Ticket, CallWaiter>,
    batches: BTreeMap<u32, Batch>,
    next_batch: u32,
    room: Room,
    /// The driver task's waker; `None` while the task is awake.
    driver: Option<Waker>,
    /// Whether the driver task has something to do of which no socket tells.
    attention: bool,
    closers: Vec<Waker>,
    events: VecDeque<SessionEvent>,
    /// On its way from the session to those who wait; empty in between.
    ended: VecDeque<Ended>,
    wake: Vec<Waker>,
    /// Whether no message is taken any more.
    closing: bool,
    /// Whether every handle is gone.
    left: bool,
    /// Whether the driver task is gone.
    gone: bool,
}

impl State {
    fn new(session: Session) -> Self {
        Self {
            session,
            waiters: Vec::new(),
            free: Vec::new(),
            calls: BTreeMap::new(),
            batches: BTreeMap::new(),
            next_batch: 1,
            room: Room::default(),
            driver: None,
            attention: false,
            closers: Vec::new(),
            events: VecDeque::new(),
            ended: VecDeque::new(),
            wake: Vec::new(),
            closing: false,
            left: false,
            gone: false,
        }
    }

    // The driver task's side

    /// Makes the driver task look at the session.
    pub(crate) fn call_driver(&mut self) {
        self.attention = true;
        self.wake.extend(self.driver.take());
    }

    /// The end of the driver task's turn: false where something has come up meanwhile, so that the task has to look again.
    pub(crate) fn rest(&mut self, task: &Waker) -> bool {
        if std::mem::take(&mut self.attention) {
            return false;
        }
        self.driver = Some(task.clone());
        true
    }

    /// Begins a turn of the driver task: callers need not wake it before it rests.
    pub(crate) fn begin_turn(&mut self) {
        self.attention = false;
        self.driver = None;
    }

    /// Whether every handle is gone: the task ends then.
    pub(crate) fn is_left(&self) -> bool {
        self.left
    }

    /// The last handle has gone.
    pub(crate) fn leave(&mut self) {
        self.left = true;
        self.call_driver();
    }

    /// The driver task ends: whatever has not ended ends now, and no message is taken any more.
    pub(crate) fn driver_ends(&mut self, now: Now) {
        self.gone = true;
        self.session.abandon(now);
        self.deliver(now);
        self.wake.append(&mut self.closers);
        self.call_all();
    }

    /// Hands every end to the one who waits for it, and room to those who wait for room.
    pub(crate) fn deliver(&mut self, now: Now) {
        self.hand_out();
        if self.session.stats().held > 0 && self.release_last(now) {
            self.hand_out();
        }
        while let Some((ticket, result)) = self.session.poll_response() {
            if let Some(place) = self.calls.get_mut(&ticket) {
                if let CallWaiter::Waiting(waker) = std::mem::replace(place, CallWaiter::Ended(result)) {
                    self.wake.push(waker);
                }
            }
        }
        self.offer_room();
    }

    /// Fetches what happened: returns the events since the last call, and keeps a copy of each for [`State::poll_event`].
    pub(crate) fn take_events(&mut self) -> Vec<SessionEvent> {
        let mut new = Vec::new();
        while let Some(event) = self.session.poll_event() {
            if self.events.len() >= MAX_EVENTS {
                self.events.pop_front();
            }
            self.events.push_back(event.clone());
            new.push(event);
        }
        new
    }

    fn hand_out(&mut self) {
        let mut ended = std::mem::take(&mut self.ended);
        self.session.take_outcomes(&mut ended);
        for one in ended.drain(..) {
            let (number, place) = (
                (one.driver_data >> 32) as u32,
                (one.driver_data & 0xffff_ffff) as u32,
            );
            if number > 0 {
                // Nobody waits for the ends of a bulk send that was dropped.
                if let Some(batch) = self.batches.get_mut(&number) {
                    batch.in_flight = batch.in_flight.saturating_sub(1);
                    batch.landed.push_back(one);
                    self.wake.extend(batch.waker.take());
                }
                continue;
            }
            let Some(waiter) = self.waiters.get_mut(place as usize) else {
                continue;
            };
            match waiter.take() {
                Some(Waiter::Waiting(waker)) => {
                    *waiter = Some(Waiter::Ended(one.into_result()));
                    self.wake.push(waker);
                }
                Some(Waiter::Left) => self.free.push(place),
                // A message ends once.
                other => *waiter = other,
            }
        }
        self.ended = ended;
    }

    /// Ends the messages of finished bulk sends whose doubtful answers are all that is left of them. Returns whether
    /// there were any.
    fn release_last(&mut self, now: Now) -> bool {
        let mut released = false;
        for (number, batch) in &self.batches {
            if !batch.finished || batch.in_flight == 0 {
                continue;
            }
            let is_ours = |data: u64| (data >> 32) as u32 == *number;
            if self.session.held(is_ours) as u64 == batch.in_flight {
                self.session.release_held(is_ours, now);
                released = true;
            }
        }
        released
    }

    fn offer_room(&mut self) {
        let capacity = self.session.capacity();
        self.room.call(capacity, &mut self.wake);
        if self.room.admits(self.session.bulk_capacity()) {
            for batch in self.batches.values_mut().filter(|batch| batch.hungry) {
                self.wake.extend(batch.waker.take());
            }
        }
    }

    // A single message

    /// Submits a message whose end one caller waits for. `waiting` is the caller's place in the line for room; `None` for a newcomer.
    /// Pending is no room: the caller has a place in the line then.
    pub(crate) fn submit(
        &mut self,
        message: MessageRef<'_>,
        options: SendOptions,
        waiting: &mut Option<u64>,
        now: Now,
        context: &Context<'_>,
    ) -> Poll<Result<Single, Error>> {
        if self.gone {
            return Poll::Ready(Err(closed()));
        }
        let capacity = self.session.capacity();
        let called = match *waiting {
            Some(number) => self.room.is_called(number),
            None => self.room.admits(capacity),
        };
        // A closed session has no room either, and says so.
        if !called && !self.closing {
            *waiting = Some(self.room.wait(*waiting, context.waker()));
            return Poll::Pending;
        }
        let place = self.free.pop().unwrap_or_else(|| {
            self.waiters.push(None);
            // As many places as messages that have not ended: the session holds fewer than 2^32.
            (self.waiters.len() - 1) as u32
        });
        let submitted = self
            .session
            .submit(&message, options.driver_data(u64::from(place)), now);
        let ticket = match submitted {
            Ok(ticket) => ticket,
            Err(error) => {
                self.free.push(place);
                if error.kind() == ErrorKind::QueueFull {
                    *waiting = Some(self.room.wait(*waiting, context.waker()));
                    return Poll::Pending;
                }
                self.leave_line(waiting);
                return Poll::Ready(Err(error));
            }
        };
        self.leave_line(waiting);
        if let Some(waiter) = self.waiters.get_mut(place as usize) {
            *waiter = Some(Waiter::Waiting(context.waker().clone()));
        }
        self.call_driver();
        Poll::Ready(Ok(Single { ticket, place }))
    }

    /// A caller that waited for room has submitted or gives up; its place goes to the next one.
    pub(crate) fn leave_line(&mut self, waiting: &mut Option<u64>) {
        if let Some(number) = waiting.take() {
            self.room.leave(number);
            self.offer_room();
        }
    }

    /// The end of a single message.
    pub(crate) fn poll_single(
        &mut self,
        single: Single,
        context: &Context<'_>,
    ) -> Poll<Result<Outcome, Error>> {
        let Some(place) = self.waiters.get_mut(single.place as usize) else {
            return Poll::Pending;
        };
        match place.take() {
            Some(Waiter::Ended(result)) => {
                self.free.push(single.place);
                Poll::Ready(result)
            }
            Some(Waiter::Waiting(mut waker)) => {
                waker.clone_from(context.waker());
                *place = Some(Waiter::Waiting(waker));
                Poll::Pending
            }
            other => {
                *place = other;
                Poll::Pending
            }
        }
    }

    /// Nobody waits for a single message any more: it is cancelled.
    pub(crate) fn forget_single(&mut self, single: Single, now: Now) {
        let Some(place) = self.waiters.get_mut(single.place as usize) else {
            return;
        };
        match place.take() {
            Some(Waiter::Waiting(_)) => {
                *place = Some(Waiter::Left);
                self.session.cancel(single.ticket, now);
                self.call_driver();
            }
            Some(Waiter::Ended(_)) => self.free.push(single.place),
            other => *place = other,
        }
    }

    // Requests that are not messages

    /// Submits a call; pending where there is no room or no access token yet.
    pub(crate) fn submit_call<C: Call + ?Sized>(
        &mut self,
        asked: &Asked<'_, C>,
        options: SendOptions,
        now: Now,
        context: &Context<'_>,
    ) -> Poll<Result<Ticket, Error>> {
        if self.gone {
            return Poll::Ready(Err(closed()));
        }
        let taken = match asked {
            Asked::Call(call) => self.session.call(*call, options, now),
            Asked::Request(request) => self.session.exchange((*request).clone(), options, now).map(Some),
        };
        self.call_driver();
        match taken {
            Ok(Some(ticket)) => {
                let waiter = CallWaiter::Waiting(context.waker().clone());
                self.calls.insert(ticket, waiter);
                Poll::Ready(Ok(ticket))
            }
            Ok(None) => Poll::Pending,
            Err(error) if error.kind() == ErrorKind::QueueFull => Poll::Pending,
            Err(error) => Poll::Ready(Err(error)),
        }
    }

    /// The answer to a call.
    pub(crate) fn poll_call(
        &mut self,
        ticket: Ticket,
        context: &Context<'_>,
    ) -> Poll<Result<Response, Error>> {
        match self.calls.entry(ticket) {
            Entry::Occupied(mut place) => match place.get_mut() {
                CallWaiter::Waiting(waker) => {
                    waker.clone_from(context.waker());
                    Poll::Pending
                }
                CallWaiter::Ended(_) => match place.remove() {
                    CallWaiter::Ended(result) => Poll::Ready(result),
                    CallWaiter::Waiting(_) => Poll::Pending,
                },
            },
            Entry::Vacant(_) => Poll::Pending,
        }
    }

    /// Nobody waits for a call any more: it is cancelled.
    pub(crate) fn forget_call(&mut self, ticket: Ticket, now: Now) {
        if let Some(CallWaiter::Waiting(_)) = self.calls.remove(&ticket) {
            self.session.cancel(ticket, now);
            self.call_driver();
        }
    }

    // Bulk sends

    /// Returns the number of a new bulk send, under which its results are kept.
    pub(crate) fn begin_batch(&mut self) -> u32 {
        loop {
            let number = self.next_batch;
            self.next_batch = number.wrapping_add(1).max(1);
            if let Entry::Vacant(place) = self.batches.entry(number) {
                place.insert(Batch::default());
                return number;
            }
        }
    }

    /// The number of messages that a bulk send is to hand in now.
    pub(crate) fn batch_room(&self) -> usize {
        self.session.bulk_capacity().saturating_sub(self.room.claims())
    }

    /// Submits one message of a bulk send.
    pub(crate) fn submit_of_batch(
        &mut self,
        message: MessageRef<'_>,
        options: SendOptions,
        number: u32,
        place: u32,
        now: Now,
    ) -> Result<Ticket, Error> {
        if self.gone {
            return Err(closed());
        }
        let data = u64::from(number) << 32 | u64::from(place);
        let ticket = self.session.submit(&message, options.driver_data(data), now)?;
        if let Some(batch) = self.batches.get_mut(&number) {
            batch.in_flight += 1;
        }
        Ok(ticket)
    }

    /// The results of a bulk send that have landed, in exchange for an empty list. Where there are none the sender is woken by the
    /// next one, and by room where it is `hungry`.
    pub(crate) fn poll_batch(
        &mut self,
        number: u32,
        landed: &mut VecDeque<Ended>,
        hungry: bool,
        finished: bool,
        now: Now,
        context: &Context<'_>,
    ) {
        let Some(batch) = self.batches.get_mut(&number) else {
            return;
        };
        batch.finished = finished;
        if finished && batch.landed.is_empty() && self.session.stats().held > 0 && self.release_last(now) {
            self.hand_out();
        }
        let Some(batch) = self.batches.get_mut(&number) else {
            return;
        };
        std::mem::swap(&mut batch.landed, landed);
        batch.hungry = hungry && landed.is_empty();
        batch.waker = landed.is_empty().then(|| context.waker().clone());
        // Room that came since the sender looked is told once only, and it was.
        if hungry && landed.is_empty() && self.batch_room() > 0 {
            self.call_driver();
        }
    }

    /// Whether a bulk send that wants it is to stop: many answers in a row blame the tokens.
    pub(crate) fn is_stopped(&self, options: &SendOptions) -> bool {
        options.on_suspicion == OnSuspicion::Stop && self.session.is_mix_up_suspected()
    }

    /// The end of a bulk send: what has not ended is cancelled.
    pub(crate) fn end_batch(&mut self, number: u32, now: Now) {
        let Some(batch) = self.batches.remove(&number) else {
            return;
        };
        if batch.in_flight == 0 {
            return;
        }
        let is_ours = |data: u64| (data >> 32) as u32 == number;
        let session = &mut self.session;
        let tickets = session.unfinished().map(|(ticket, _)| ticket);
        let ours: Vec<Ticket> = tickets
            .filter(|ticket| session.driver_data(*ticket).is_some_and(is_ours))
            .collect();
        for ticket in ours {
            session.cancel(ticket, now);
        }
        session.release_held(is_ours, now);
        self.call_driver();
    }

    // The whole client

    /// Returns whether the client is closed; the caller is woken when it is.
    pub(crate) fn poll_closed(&mut self, context: &Context<'_>) -> Poll<()> {
        // The session is closed before its sockets are.
        if self.gone {
            return Poll::Ready(());
        }
        if !self.closers.iter().any(|known| known.will_wake(context.waker())) {
            self.closers.push(context.waker().clone());
        }
        Poll::Pending
    }

    /// Takes no more messages.
    pub(crate) fn close(&mut self, now: Now) {
        self.closing = true;
        self.session.close(now);
        self.call_all();
        self.call_driver();
    }

    /// Wakes everybody who has something to submit: they learn that the client is closed.
    fn call_all(&mut self) {
        self.room.call(usize::MAX, &mut self.wake);
        for batch in self.batches.values_mut() {
            self.wake.extend(batch.waker.take());
        }
    }

    /// The next thing that happened.
    pub(crate) fn poll_event(&mut self) -> Option<SessionEvent> {
        // The driver task moves them here in the same turn in which they come up, and tells the log.
        self.events.pop_front()
    }
}

/// A request that is not a message.
pub(crate) enum Asked<'a, C: ?Sized> {
    /// One that the service's module makes.
    Call(&'a C),
    /// One of the caller's own.
    Request(&'a Request),
}

fn closed() -> Error {
    Error::new(
        ErrorKind::Closed,
        "the client is closed: the task that drives it has ended",
    )
}
