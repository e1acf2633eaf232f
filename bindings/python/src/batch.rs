//! Many messages of one caller in a session: their ends come back with what was handed in.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use pushcore::outcome::OnSuspicion;
use pushcore::session::{SendOptions, Session, Ticket};
use pushcore::{Error, ErrorKind, Now, Outcome};
use pushcore_client::{Patience, Progress};
use pyo3::PyTraverseError;
use pyo3::gc::PyVisit;
use pyo3::prelude::*;
use pyo3::types::PyList;

use crate::errors::{exception, refused_item};
use crate::message::{keyed, message};
use crate::outcome::outcome;
use crate::progress::PyProgress;
use crate::template::Pattern;

/// The end of a message, and the place where its batch keeps what it belongs to.
type Landed = (u32, Result<Outcome, Error>);

/// The state of one batch.
#[derive(Default)]
struct Place {
    /// The results that have not been fetched.
    landed: VecDeque<Landed>,
    /// How many messages have not ended.
    under_way: usize,
    /// No message follows.
    finished: bool,
}

/// Which message of a session belongs to which batch.
#[derive(Default)]
pub(crate) struct Batches {
    /// The number of a ticket's batch and the place in it, by the ticket's slot.
    owners: Vec<Option<(u64, u32)>>,
    /// By the batch's number.
    batches: BTreeMap<u64, Place>,
    last: u64,
}

impl Batches {
    /// Takes everything that has ended out of the session; hands back what is of no batch.
    pub(crate) fn sort(&mut self, session: &mut Session) -> Vec<(Ticket, Result<Outcome, Error>)> {
        let mut others = Vec::new();
        while let Some((ticket, result)) = session.poll_outcome() {
            match self.owners.get_mut(ticket.slot()).and_then(Option::take) {
                None => others.push((ticket, result)),
                Some((number, place)) => {
                    // Where it is gone nobody waits.
                    if let Some(batch) = self.batches.get_mut(&number) {
                        batch.under_way = batch.under_way.saturating_sub(1);
                        batch.landed.push_back((place, result));
                    }
                }
            }
        }
        others
    }

    fn begin(&mut self) -> u64 {
        self.last = self.last.wrapping_add(1);
        self.batches.insert(self.last, Place::default());
        self.last
    }

    /// Ends what is held back in batches in which nothing else is under way. Returns whether there was something.
    pub(crate) fn release(&mut self, session: &mut Session, now: Now) -> bool {
        let mut any = false;
        for (number, batch) in &self.batches {
            if !batch.finished || batch.under_way == 0 {
                continue;
            }
            if session.held(|data| data == *number) == batch.under_way {
                session.release_held(|data| data == *number, now);
                any = true;
            }
        }
        any
    }

    fn own(&mut self, ticket: Ticket, number: u64, place: u32) {
        if self.owners.len() <= ticket.slot() {
            self.owners.resize(ticket.slot() + 1, None);
        }
        if let Some(owner) = self.owners.get_mut(ticket.slot()) {
            *owner = Some((number, place));
        }
        if let Some(batch) = self.batches.get_mut(&number) {
            batch.under_way += 1;
        }
    }
}

/// The state that a session and its batches share.
pub(crate) struct Shared(Mutex<Inner>);

pub(crate) struct Inner {
    pub(crate) session: Session,
    pub(crate) batches: Batches,
    pub(crate) now: Now,
    /// The seconds that the process's own clock was ahead of the caller's: credentials are shared
    /// with clients, and a token's age has to be the same to all of them.
    pub(crate) ahead: f64,
}

impl Shared {
    pub(crate) fn new(session: Session, now: Now, ahead: f64) -> Self {
        let batches = Batches::default();
        Self(Mutex::new(Inner {
            session,
            batches,
            now,
            ahead,
        }))
    }

    pub(crate) fn lock(&self) -> MutexGuard<'_, Inner> {
        // The core does not panic; a poisoned lock is still whole.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Does something under the lock, in which no Python runs.
    pub(crate) fn with<T>(&self, work: impl FnOnce(&mut Inner) -> T) -> T {
        work(&mut self.lock())
    }

    /// Runs the same, unless somebody else has the lock.
    pub(crate) fn try_with(&self, work: impl FnOnce(&mut Inner)) {
        if let Ok(mut inner) = self.0.try_lock() {
            work(&mut inner);
        }
    }
}

/// Many messages of one caller: what `take` hands out is what `submit` was given, with its result.
#[pyclass(module = "pushcore._pushcore")]
pub(crate) struct Batch {
    session: Arc<Shared>,
    number: u64,
    template: Option<Pattern>,
    options: SendOptions,
    /// Submitted, and not handed out yet.
    held: Vec<Option<(Ticket, Py<PyAny>)>>,
    /// Places of `held` with nothing in them.
    free: Vec<u32>,
    /// Refused before they were submitted.
    refused: VecDeque<(Py<PyAny>, Error)>,
    /// Ended, and no longer with the session.
    landed: VecDeque<Landed>,
    counts: Progress,
    /// An answer has blamed its token.
    doubted: bool,
}

impl Batch {
    pub(crate) fn new(session: Arc<Shared>, template: Option<Pattern>, options: SendOptions) -> Self {
        let number = session.with(|inner| inner.batches.begin());
        Self {
            number,
            session,
            template,
            options: options.driver_data(number),
            held: Vec::new(),
            free: Vec::new(),
            refused: VecDeque::new(),
            landed: VecDeque::new(),
            counts: Progress::new(None),
            doubted: false,
        }
    }

    /// A place in `held`.
    fn place(&mut self) -> u32 {
        self.free.pop().unwrap_or_else(|| {
            self.held.push(None);
            // As many places as messages that have not ended: the session holds fewer than 2^32.
            u32::try_from(self.held.len() - 1).unwrap_or(u32::MAX)
        })
    }

    /// Refuses every message, because the batch was stopped; says how many.
    fn refuse_all(&mut self, items: &Bound<'_, PyList>) -> usize {
        for item in items.iter() {
            self.refused
                .push_back((item.unbind(), pushcore_client::stopped()));
        }
        self.counts.taken += items.len() as u64;
        self.counts.in_flight += items.len() as u64;
        items.len()
    }

    /// The next message that has ended, of those that were brought over.
    fn next(&mut self) -> Option<(Py<PyAny>, Result<Outcome, Error>)> {
        if let Some((item, error)) = self.refused.pop_front() {
            return Some((item, Err(error)));
        }
        while let Some((place, result)) = self.landed.pop_front() {
            if let Some((_, item)) = self.held.get_mut(place as usize).and_then(Option::take) {
                self.free.push(place);
                return Some((item, result));
            }
        }
        None
    }

    /// Forgets what has landed and cancels what has not ended.
    fn stop(&self, inner: &mut Inner) {
        inner.batches.batches.remove(&self.number);
        let tickets: Vec<_> = self.held.iter().flatten().map(|(ticket, _)| *ticket).collect();
        inner.session.cancel_all(&tickets, inner.now);
        inner.session.release_held(|data| data == self.number, inner.now);
    }
}

#[pymethods]
impl Batch {
    /// Takes messages (where there is a template: targets) from a list, to its end or as many as there
    /// is room for; says how many. They have waited for room for so many seconds, which count in a deadline that was
    /// given: when it is over, all are taken, and those without room end as expired. The session's own deadline
    /// begins when a message is taken, because a pause that the service asked for is no reason to give messages up.
    #[pyo3(signature = (items, *, waited=0.0))]
    fn submit(&mut self, py: Python<'_>, items: &Bound<'_, PyList>, waited: f64) -> PyResult<usize> {
        let waited = Duration::try_from_secs_f64(waited).unwrap_or_default();
        let left = self
            .options
            .deadline
            .map(|deadline| deadline.saturating_sub(waited));
        let all = items;
        let room = match self.stopped() {
            true => return Ok(self.refuse_all(items)),
            false => self.session.with(|inner| inner.session.bulk_capacity()),
        };
        let mut made = Vec::with_capacity(room.min(items.len()));
        for item in items.iter().take(room) {
            let (item, sent) = keyed(&item)?;
            let one = match &self.template {
                Some(template) => template.to(&sent),
                None => message(&sent),
            };
            made.push(match one {
                Ok(message) => (Ok(message), item),
                // One malformed token among a million is a result, not the end of the run.
                Err(raised) => (Err(refused_item(py, raised)?), item),
            });
        }
        let places: Vec<u32> = made.iter().map(|_| self.place()).collect();
        let (number, mut options) = (self.number, self.options);
        options.deadline = left;
        let mut items = Vec::with_capacity(made.len());
        let mut messages = Vec::with_capacity(made.len());
        for (message, item) in made {
            items.push(item.unbind());
            messages.push(message);
        }
        let tickets = py.detach(|| {
            self.session.with(|inner| {
                let mut tickets = Vec::with_capacity(messages.len());
                for (message, place) in messages.into_iter().zip(&places) {
                    let ticket = message.and_then(|one| inner.session.submit(&one, options, inner.now));
                    match &ticket {
                        Ok(ticket) => inner.batches.own(*ticket, number, *place),
                        Err(error) if error.kind() == ErrorKind::QueueFull => break,
                        Err(_) => {}
                    }
                    tickets.push(ticket);
                }
                inner.session.flush(inner.now);
                tickets
            })
        });
        let taken = tickets.len();
        let mut tickets = tickets.into_iter();
        for (item, place) in items.into_iter().zip(places) {
            match (tickets.next(), self.held.get_mut(place as usize)) {
                (Some(Ok(ticket)), Some(held)) => *held = Some((ticket, item)),
                (refused, _) => {
                    self.free.push(place);
                    if let Some(Err(error)) = refused {
                        self.refused.push_back((item, error));
                    }
                }
            }
        }
        let mut taken = taken;
        if left.is_some_and(|left| left.is_zero()) {
            for item in all.iter().skip(taken) {
                self.refused
                    .push_back((keyed(&item)?.0.unbind(), Patience::expired()));
                taken += 1;
            }
        }
        self.counts.taken += taken as u64;
        self.counts.in_flight += taken as u64;
        Ok(taken)
    }

    /// Returns results as pairs of a message or target and its result; at most so many. They come with
    /// the session's `poll_outcomes`.
    #[pyo3(signature = (most=256))]
    fn take<'py>(&mut self, py: Python<'py>, most: usize) -> PyResult<Bound<'py, PyList>> {
        if self.landed.is_empty() {
            let (landed, number) = (&mut self.landed, self.number);
            self.session.with(|inner| {
                if let Some(batch) = inner.batches.batches.get_mut(&number) {
                    std::mem::swap(&mut batch.landed, landed);
                }
            });
        }
        let mut pairs = Vec::with_capacity(most.min(self.landed.len() + self.refused.len()));
        while pairs.len() < most {
            let Some((item, result)) = self.next() else { break };
            self.doubted |= matches!(result, Ok(Outcome::TokenMismatch(_)));
            self.counts.count(result.as_ref());
            self.counts.in_flight = self.counts.in_flight.saturating_sub(1);
            let result = match result {
                Ok(answer) => outcome(py, answer)?,
                Err(error) => exception(py, &error)?.unbind(),
            };
            pairs.push((item, result));
        }
        PyList::new(py, pairs)
    }

    /// How many `take` would hand out now, were there no limit.
    #[getter]
    fn ready(&self) -> usize {
        let landed = |inner: &mut Inner| {
            let batch = inner.batches.batches.get(&self.number);
            batch.map_or(0, |batch| batch.landed.len())
        };
        self.refused.len() + self.landed.len() + self.session.with(landed)
    }

    /// Whether no further message is taken, because many answers in a row blame the tokens.
    #[getter]
    fn stopped(&self) -> bool {
        let suspected = || self.session.with(|inner| inner.session.is_mix_up_suspected());
        self.options.on_suspicion == OnSuspicion::Stop && self.doubted && suspected()
    }

    /// Says that no message follows: doubtful answers are held back no longer than for those that are under way.
    fn finish(&mut self) {
        let number = self.number;
        self.session.with(|inner| {
            if let Some(batch) = inner.batches.batches.get_mut(&number) {
                batch.finished = true;
            }
        });
    }

    /// How many were taken and have not been handed out with their results.
    #[getter]
    fn in_flight(&self) -> u64 {
        self.counts.in_flight
    }

    /// How far it is, so many seconds after its start.
    #[pyo3(signature = (*, elapsed, expected=None))]
    fn progress(&mut self, elapsed: f64, expected: Option<usize>) -> PyProgress {
        self.counts.expected = expected;
        self.counts.elapsed = Duration::try_from_secs_f64(elapsed).unwrap_or_default();
        PyProgress::from(&self.counts)
    }

    /// Cancels what has not ended and lets go of everything; nobody is told.
    fn cancel(&mut self) {
        self.session.with(|inner| self.stop(inner));
        self.__clear__();
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        for (_, item) in self.held.iter().flatten() {
            visit.call(item)?;
        }
        self.refused.iter().try_for_each(|(item, _)| visit.call(item))
    }

    fn __clear__(&mut self) {
        self.held.clear();
        self.free.clear();
        self.refused.clear();
        self.landed.clear();
    }
}

impl Drop for Batch {
    fn drop(&mut self) {
        // The lock may have been held when the process forked: then nothing is waited for.
        self.session.try_with(|inner| self.stop(inner));
    }
}
