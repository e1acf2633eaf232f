//! A stream of messages in, a stream of results out.
//!
//! Python is visited in chunks: some hundred messages are taken from the iterable, then it is
//! detached while they are submitted and bytes move, then some hundred results are handed out
//! one by one. What a result holds is made when it is handed out.

use std::collections::VecDeque;
use std::time::Duration;

use pushcore::service::Message;
use pushcore::session::{SendOptions, Ticket};
use pushcore::{Error, Outcome};
use pushcore_client::{Batch, Patience};
use pyo3::PyTraverseError;
use pyo3::gc::PyVisit;
use pyo3::prelude::*;
use pyo3::types::PyIterator;

use crate::errors::{OrRaise, exception, refused_item};
use crate::message::{keyed, message};
use crate::outcome::outcome;
use crate::progress::PyProgress;
use crate::template::Pattern;
use crate::watch::Watch;

/// How long Python is away at most before it looks at signals (Ctrl-C).
pub(crate) const ATTENTION: Duration = Duration::from_millis(100);

/// The most messages taken from the iterable in one visit.
const MAX_CHUNK: usize = 512;

/// A visit that takes longer is followed by a shorter one: results must not wait for a slow iterable.
const QUICK: Duration = Duration::from_millis(2);

/// How often progress is reported unless told otherwise.
const EVERY: Duration = Duration::from_millis(250);

/// Yields pairs of what was sent and its result, as they land.
#[pyclass(generic, module = "pushcore")]
pub(crate) struct SendMany {
    /// `None` when it is over: dropping it cancelled what had not ended.
    batch: Option<Batch>,
    watch: Watch,
    source: Option<Py<PyIterator>>,
    template: Option<Pattern>,
    options: SendOptions,
    /// From the submission of a message to its end, as the client or the call has it.
    deadline: Duration,
    /// The deadline of the messages that were taken last: it runs while they wait for room.
    patience: Patience,
    on_progress: Option<Py<PyAny>>,
    every: Duration,
    next_report: Duration,
    chunk: usize,
    /// Taken from the iterable, not submitted yet; `keys` and `messages` run in parallel.
    keys: VecDeque<Py<PyAny>>,
    messages: VecDeque<Message>,
    /// The tickets of what was submitted last; empty but while they are looked at.
    tickets: Vec<Result<Ticket, Error>>,
    /// Submitted, by the ticket's slot.
    pending: Vec<Option<Py<PyAny>>>,
    /// Ended, with what they belong to: those that were refused before they were submitted.
    ready: VecDeque<(Py<PyAny>, Result<Outcome, Error>)>,
    /// The results that have landed, by ticket. All are handed out before more is submitted: until then the
    /// slots of `pending` are theirs.
    landed: VecDeque<(Ticket, Result<Outcome, Error>)>,
    /// The exception of the iterable; `None` while it has raised none.
    raised: Option<PyErr>,
}

impl SendMany {
    pub(crate) fn new(
        batch: Batch,
        watch: Watch,
        source: &Bound<'_, PyAny>,
        template: Option<Pattern>,
        options: SendOptions,
        deadline: Duration,
        (on_progress, every): (Option<Py<PyAny>>, Option<Duration>),
    ) -> PyResult<Self> {
        let every = every.unwrap_or(EVERY);
        Ok(Self {
            batch: Some(batch),
            watch,
            source: Some(source.try_iter()?.unbind()),
            template,
            options,
            deadline,
            patience: Patience::new(deadline),
            on_progress,
            every,
            next_report: every,
            chunk: 1,
            keys: VecDeque::new(),
            messages: VecDeque::new(),
            tickets: Vec::new(),
            pending: Vec::new(),
            ready: VecDeque::new(),
            landed: VecDeque::new(),
            raised: None,
        })
    }

    /// Takes a chunk from the iterable.
    fn take(&mut self, py: Python<'_>) -> PyResult<()> {
        let (Some(source), Some(batch)) = (&self.source, &mut self.batch) else {
            return Ok(());
        };
        if batch.is_stopped() {
            self.source = None;
            batch.finish();
            return Ok(());
        }
        let started = batch.progress().elapsed;
        self.patience = Patience::new(self.deadline);
        let mut source = source.bind(py).clone();
        for _ in 0..self.chunk {
            let item = match source.next() {
                Some(Ok(item)) => item,
                over => {
                    // What raised is raised again when everything that was taken has its result.
                    self.raised = over.and_then(Result::err);
                    self.source = None;
                    batch.finish();
                    break;
                }
            };
            let (item, sent) = keyed(&item)?;
            let made = match &self.template {
                Some(template) => template.to(&sent),
                None => message(&sent),
            };
            match made {
                Ok(message) => {
                    self.keys.push_back(item.unbind());
                    self.messages.push_back(message);
                }
                // One malformed token among a million is a result, not the end of the run.
                Err(raised) => {
                    let error = refused_item(py, raised)?;
                    batch.refused(&error);
                    self.ready.push_back((item.unbind(), Err(error)));
                }
            }
        }
        let quick = batch.progress().elapsed.saturating_sub(started) < QUICK;
        self.chunk = if quick {
            (self.chunk * 2).min(MAX_CHUNK)
        } else {
            (self.chunk / 2).max(1)
        };
        Ok(())
    }

    /// Submits what was taken and moves bytes; collects what has ended.
    fn work(&mut self, py: Python<'_>) -> PyResult<()> {
        let Some(batch) = &mut self.batch else {
            return Ok(());
        };
        let left = self.patience.left();
        let (messages, mut options) = (&mut self.messages, self.options);
        // Only a deadline that the caller gave runs while messages wait for room.
        options.deadline = options.deadline.map(|_| left);
        let exhausted = self.source.is_none();
        let (landed, tickets) = (&mut self.landed, &mut self.tickets);
        let wait_for_results = self.ready.is_empty();
        let work = || -> Result<_, Error> {
            let all = batch.submit(messages.iter().map(|message| (message, 0)), options, |result| {
                tickets.push(result)
            })?;
            // With room left for more messages the sockets only get a glance.
            let longest = match wait_for_results && (exhausted || !all) {
                true if all => ATTENTION,
                true => ATTENTION.min(left),
                false => Duration::ZERO,
            };
            messages.drain(..tickets.len().min(messages.len()));
            landed.extend(
                batch
                    .wait(longest)?
                    .map(|ended| (ended.ticket, ended.into_result())),
            );
            Ok(())
        };
        self.watch.detached(py, work)?.or_raise(py)?;
        for taken in self.tickets.drain(..) {
            let Some(key) = self.keys.pop_front() else { break };
            match taken {
                Ok(ticket) => {
                    let slot = ticket.slot();
                    if self.pending.len() <= slot {
                        self.pending.resize_with(slot + 1, || None);
                    }
                    if let Some(place) = self.pending.get_mut(slot) {
                        *place = Some(key);
                    }
                }
                Err(error) => self.ready.push_back((key, Err(error))),
            }
        }
        if left.is_zero() {
            // There was no room for them in time.
            for (key, _) in self.keys.drain(..).zip(self.messages.drain(..)) {
                let error = Patience::expired();
                batch.refused(&error);
                self.ready.push_back((key, Err(error)));
            }
        }
        py.check_signals()
    }

    fn report(&mut self, py: Python<'_>, last: bool) -> PyResult<()> {
        let (Some(call), Some(batch)) = (&self.on_progress, &mut self.batch) else {
            return Ok(());
        };
        let progress = batch.progress();
        if last || progress.elapsed >= self.next_report {
            self.next_report = progress.elapsed.saturating_add(self.every);
            let progress = PyProgress::from(progress);
            call.call1(py, (progress,))?;
        }
        Ok(())
    }

    /// The next result there is.
    fn next_result(&mut self) -> Option<(Py<PyAny>, Result<Outcome, Error>)> {
        if let Some(ready) = self.ready.pop_front() {
            return Some(ready);
        }
        while let Some((ticket, result)) = self.landed.pop_front() {
            if let Some(key) = self.pending.get_mut(ticket.slot()).and_then(Option::take) {
                return Some((key, result));
            }
        }
        None
    }

    fn advance(&mut self, py: Python<'_>) -> PyResult<()> {
        while self.ready.is_empty() && self.landed.is_empty() {
            let Some(batch) = &mut self.batch else {
                return Ok(());
            };
            if self.source.is_none() && self.keys.is_empty() && batch.progress().in_flight == 0 {
                self.report(py, true)?;
                let raised = self.raised.take();
                self.stop(py);
                return raised.map_or(Ok(()), Err);
            }
            if self.keys.is_empty() {
                self.take(py)?;
            }
            self.work(py)?;
            self.report(py, false)?;
        }
        Ok(())
    }

    /// Cancels what has not ended and lets go of the iterable.
    fn stop(&mut self, py: Python<'_>) {
        let batch = self.batch.take();
        py.detach(|| drop(batch));
        self.source = None;
        self.on_progress = None;
        self.keys.clear();
        self.messages.clear();
        // What had ended before stays to be fetched.
        for (ticket, result) in self.landed.drain(..) {
            if let Some(key) = self.pending.get_mut(ticket.slot()).and_then(Option::take) {
                self.ready.push_back((key, result));
            }
        }
        self.pending.clear();
    }
}

#[pymethods]
impl SendMany {
    fn __iter__(slf: PyRef<'_, Self>) -> PyRef<'_, Self> {
        slf
    }

    fn __next__(&mut self, py: Python<'_>) -> PyResult<Option<(Py<PyAny>, Py<PyAny>)>> {
        let next = match self.next_result() {
            None => {
                if let Err(error) = self.advance(py) {
                    self.stop(py);
                    return Err(error);
                }
                self.next_result()
            }
            some => some,
        };
        let Some((key, result)) = next else {
            return Ok(None);
        };
        let result = match result {
            Ok(answer) => outcome(py, answer)?,
            Err(error) => exception(py, &error)?.unbind(),
        };
        Ok(Some((key, result)))
    }

    /// How far it is; `None` when it is over.
    #[getter]
    fn progress(&mut self) -> Option<PyProgress> {
        self.batch
            .as_mut()
            .map(|batch| PyProgress::from(batch.progress()))
    }

    /// Cancels what has not ended.
    fn close(&mut self, py: Python<'_>) {
        self.stop(py);
        self.ready.clear();
    }

    fn __enter__(slf: PyRef<'_, Self>) -> PyRef<'_, Self> {
        slf
    }

    fn __exit__(
        &mut self,
        py: Python<'_>,
        _kind: &Bound<'_, PyAny>,
        _value: &Bound<'_, PyAny>,
        _traceback: &Bound<'_, PyAny>,
    ) {
        self.close(py);
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        self.watch.traverse(&visit)?;
        visit.call(&self.source)?;
        visit.call(&self.on_progress)?;
        for key in self.keys.iter().chain(self.pending.iter().flatten()) {
            visit.call(key)?;
        }
        self.ready.iter().try_for_each(|(key, _)| visit.call(key))
    }

    fn __clear__(&mut self) {
        self.batch = None;
        self.watch.clear();
        self.source = None;
        self.on_progress = None;
        self.keys.clear();
        self.pending.clear();
        self.ready.clear();
        self.landed.clear();
    }
}
