//! Many messages of one caller in a session: their ends come back with what was handed in.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use pushcore::service::Message;
use pushcore::session::{SendOptions, Session, Ticket};
use pushcore::{Error, ErrorKind, Now, Outcome};
use pushcore_client::Progress;
use pyo3::PyTraverseError;
use pyo3::gc::PyVisit;
use pyo3::prelude::*;
use pyo3::types::PyList;

use crate::errors::{exception, refusal};
use crate::message::{keyed, message, retarget};
use crate::outcome::outcome;
use crate::progress::PyProgress;

/// The end of a message, and the place where its batch keeps what it belongs to.
type Landed = (u32, Result<Outcome, Error>);

/// Which message of a session belongs to which batch.
#[derive(Default)]
pub(crate) struct Batches {
    /// The number of a ticket's batch and the place in it, by the ticket's slot.
    owners: Vec<Option<(u64, u32)>>,
    /// What has ended and was not fetched yet, by the batch's number.
    landed: BTreeMap<u64, VecDeque<Landed>>,
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
                    if let Some(landed) = self.landed.get_mut(&number) {
                        landed.push_back((place, result));
                    }
                }
            }
        }
        others
    }

    fn begin(&mut self) -> u64 {
        self.last = self.last.wrapping_add(1);
        self.landed.insert(self.last, VecDeque::new());
        self.last
    }

    fn own(&mut self, ticket: Ticket, number: u64, place: u32) {
        if self.owners.len() <= ticket.slot() {
            self.owners.resize(ticket.slot() + 1, None);
        }
        if let Some(owner) = self.owners.get_mut(ticket.slot()) {
            *owner = Some((number, place));
        }
    }
}

/// What a session and its batches share.
pub(crate) struct Shared(Mutex<Inner>);

pub(crate) struct Inner {
    pub(crate) session: Session,
    pub(crate) batches: Batches,
    pub(crate) now: Now,
    /// What the process's own clock was ahead of the caller's, in seconds: credentials are shared
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

    /// The same, unless somebody else has the lock.
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
    template: Option<Message>,
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
}

impl Batch {
    pub(crate) fn new(session: Arc<Shared>, template: Option<Message>, options: SendOptions) -> Self {
        Self {
            number: session.with(|inner| inner.batches.begin()),
            session,
            template,
            options,
            held: Vec::new(),
            free: Vec::new(),
            refused: VecDeque::new(),
            landed: VecDeque::new(),
            counts: Progress::new(None),
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
        inner.batches.landed.remove(&self.number);
        for (ticket, _) in self.held.iter().flatten() {
            inner.session.cancel(*ticket, inner.now);
        }
    }
}

#[pymethods]
impl Batch {
    /// Takes messages (where there is a template: targets) from a list, to its end or as many as there
    /// is room for; says how many.
    fn submit(&mut self, py: Python<'_>, items: &Bound<'_, PyList>) -> PyResult<usize> {
        let room = self.session.with(|inner| inner.session.capacity());
        let mut made = Vec::with_capacity(room.min(items.len()));
        for item in items.iter().take(room) {
            let (item, sent) = keyed(&item)?;
            let one = match &self.template {
                Some(template) => retarget(template, &sent),
                None => message(&sent),
            };
            made.push(match one {
                Ok(message) => (Ok(message), item),
                // One malformed token among a million is a result, not the end of the run.
                Err(raised) => (Err(refusal(py, raised)?), item),
            });
        }
        let places: Vec<u32> = made.iter().map(|_| self.place()).collect();
        let (number, options) = (self.number, self.options);
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
        self.counts.taken += taken as u64;
        self.counts.in_flight += taken as u64;
        Ok(taken)
    }

    /// What has ended, as pairs of a message or target and its result; at most so many. They come with
    /// the session's `poll_outcomes`.
    #[pyo3(signature = (most=256))]
    fn take<'py>(&mut self, py: Python<'py>, most: usize) -> PyResult<Bound<'py, PyList>> {
        if self.landed.is_empty() {
            let (landed, number) = (&mut self.landed, self.number);
            self.session.with(|inner| {
                if let Some(there) = inner.batches.landed.get_mut(&number) {
                    std::mem::swap(there, landed);
                }
            });
        }
        let mut pairs = Vec::with_capacity(most.min(self.landed.len() + self.refused.len()));
        while pairs.len() < most {
            let Some((item, result)) = self.next() else { break };
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
        let landed = |inner: &mut Inner| inner.batches.landed.get(&self.number).map_or(0, VecDeque::len);
        self.refused.len() + self.landed.len() + self.session.with(landed)
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
