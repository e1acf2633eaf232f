//! A bulk send in steps: the caller decides when messages are submitted, and may write a journal before.

use std::collections::VecDeque;
use std::time::Duration;

use pushcore::service::Message;
use pushcore::session::{SendOptions, Ticket};
use pushcore::{Error, Outcome};
use pushcore_client::Batch;
use pushcore_client::hub::parts::within;
use pyo3::PyTraverseError;
use pyo3::gc::PyVisit;
use pyo3::prelude::*;
use pyo3::types::PyList;

use crate::errors::{OrRaise, exception, refused_item};
use crate::hub::{HubBoard, Outgoing};
use crate::message::message;
use crate::outcome::outcome;
use crate::send_many::ATTENTION;
use crate::template::Pattern;
use crate::values::{duration, type_error};
use crate::watch::Watch;

/// Many messages of one caller: every result comes back with the key that was submitted with its message.
#[pyclass(module = "pushcore")]
pub(crate) struct BlockingBatch {
    /// `None` after `cancel`: dropping the batch cancelled what had not ended.
    batch: Option<Batch>,
    watch: Watch,
    template: Option<Pattern>,
    options: SendOptions,
    /// The keys of what was submitted and has not been handed out, by the ticket's slot.
    pending: Vec<Option<Py<PyAny>>>,
    /// Refused before anything was sent.
    refused: VecDeque<(Py<PyAny>, Error)>,
    in_flight: usize,
}

impl BlockingBatch {
    pub(crate) fn new(batch: Batch, watch: Watch, template: Option<Pattern>, options: SendOptions) -> Self {
        Self {
            batch: Some(batch),
            watch,
            template,
            options,
            pending: Vec::new(),
            refused: VecDeque::new(),
            in_flight: 0,
        }
    }

    /// Moves bytes until something has ended or `longest` is over; returns what has ended.
    fn move_bytes(
        &mut self,
        py: Python<'_>,
        longest: Duration,
    ) -> PyResult<Vec<(Ticket, Result<Outcome, Error>)>> {
        // Before anything has landed, because an interrupt in the callable must not lose results.
        self.watch.pump(py)?;
        let longest = match self.refused.is_empty() {
            true => longest.min(ATTENTION),
            false => Duration::ZERO,
        };
        let Some(batch) = &mut self.batch else {
            return Ok(Vec::new());
        };
        py.detach(|| {
            let ended = batch.wait(longest)?;
            Ok(ended.map(|ended| (ended.ticket, ended.into_result())).collect())
        })
        .or_raise(py)
    }

    fn hold(&mut self, ticket: Ticket, key: Py<PyAny>) {
        let slot = ticket.slot();
        if self.pending.len() <= slot {
            self.pending.resize_with(slot + 1, || None);
        }
        if let Some(place) = self.pending.get_mut(slot) {
            *place = Some(key);
        }
    }
}

#[pymethods]
impl BlockingBatch {
    /// Takes pairs of a key and a message (where there is a template: a target) from a list; returns the
    /// number of pairs taken. It is smaller than the list when the queue is full or when results wait.
    fn submit(&mut self, py: Python<'_>, pairs: &Bound<'_, PyList>) -> PyResult<usize> {
        let Some(batch) = &mut self.batch else {
            return Ok(0);
        };
        let mut keys = Vec::with_capacity(pairs.len());
        let mut made = Vec::with_capacity(pairs.len());
        for pair in pairs.iter() {
            let Ok((key, item)) = pair.extract::<(Py<PyAny>, Bound<'_, PyAny>)>() else {
                return Err(type_error(&pair, "a pair of a key and a message or target"));
            };
            let one = match &self.template {
                Some(template) => template.to(&item),
                None => message(&item),
            };
            keys.push(key);
            made.push(match one {
                Ok(message) => Ok(message),
                // A malformed token is a result, not the end of the run.
                Err(raised) => Err(refused_item(py, raised)?),
            });
        }
        let options = self.options;
        // One entry for each pair that was taken.
        let mut taken: Vec<Result<Ticket, Error>> = Vec::with_capacity(made.len());
        py.detach(|| -> Result<(), Error> {
            let mut made = made.into_iter().peekable();
            while made.peek().is_some() {
                if let Some(Err(error)) = made.next_if(Result::is_err) {
                    batch.refused(&error);
                    taken.push(Err(error));
                    continue;
                }
                let some: Vec<Message> = std::iter::from_fn(|| made.next_if(Result::is_ok)?.ok()).collect();
                if !batch.submit(some.iter().map(|message| (message, 0)), options, |result| {
                    taken.push(result)
                })? {
                    break;
                }
            }
            Ok(())
        })
        .or_raise(py)?;
        let count = taken.len();
        for (key, result) in keys.into_iter().zip(taken) {
            match result {
                Ok(ticket) => self.hold(ticket, key),
                Err(error) => self.refused.push_back((key, error)),
            }
        }
        self.in_flight += count;
        Ok(count)
    }

    /// Moves bytes until something has ended or `longest` is over; returns pairs of a key and its result.
    #[pyo3(signature = (longest=None))]
    fn wait<'py>(
        &mut self,
        py: Python<'py>,
        longest: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyList>> {
        let longest = match longest {
            Some(longest) => duration(longest)?,
            None => ATTENTION,
        };
        let landed = self.move_bytes(py, longest)?;
        let mut pairs = Vec::with_capacity(self.refused.len() + landed.len());
        for (key, error) in self.refused.drain(..) {
            pairs.push((key, exception(py, &error)?.unbind()));
        }
        for (ticket, result) in landed {
            let Some(key) = self.pending.get_mut(ticket.slot()).and_then(Option::take) else {
                continue;
            };
            let result = match result {
                Ok(answer) => outcome(py, answer)?,
                Err(error) => exception(py, &error)?.unbind(),
            };
            pairs.push((key, result));
        }
        self.in_flight = self.in_flight.saturating_sub(pairs.len());
        PyList::new(py, pairs)
    }

    /// Takes messages from a lane of a hub's board, at most so many, without an object for each; returns whether there may be room for
    /// more.
    fn submit_from(&mut self, py: Python<'_>, board: &HubBoard, lane: usize, most: usize) -> PyResult<bool> {
        let Some(batch) = &mut self.batch else {
            return Ok(false);
        };
        let all = board.take_out(lane, most);
        let options = self.options;
        let mut taken: Vec<Result<Ticket, Error>> = Vec::with_capacity(all.len());
        let submitted = py.detach(|| -> Result<(), Error> {
            for some in all.chunk_by(|one, next| one.left() == next.left()) {
                let options = within(options, some.first().and_then(Outgoing::left));
                let messages = some.iter().map(|one| (&one.message, 0));
                if !batch.submit(messages, options, |result| taken.push(result))? {
                    break;
                }
            }
            Ok(())
        });
        let (sent, rest) = all.split_at(taken.len().min(all.len()));
        board.take_back(rest);
        self.in_flight += sent.len();
        for (one, result) in sent.iter().zip(taken) {
            let key = one.place.into_pyobject(py)?.into_any().unbind();
            match result {
                Ok(ticket) => self.hold(ticket, key),
                Err(error) => self.refused.push_back((key, error)),
            }
        }
        submitted.or_raise(py)?;
        Ok(rest.is_empty())
    }

    /// Moves bytes until something has ended or so many seconds are over; tells the board what has ended. Returns the number of messages.
    fn wait_for(&mut self, py: Python<'_>, board: &HubBoard, longest: f64) -> PyResult<usize> {
        let longest = Duration::try_from_secs_f64(longest).unwrap_or(ATTENTION);
        let landed = self.move_bytes(py, longest)?;
        let mut ended = Vec::with_capacity(self.refused.len() + landed.len());
        for (key, error) in self.refused.drain(..) {
            ended.push((key.extract::<u32>(py)?, Err(error)));
        }
        for (ticket, result) in landed {
            if let Some(key) = self.pending.get_mut(ticket.slot()).and_then(Option::take) {
                ended.push((key.extract::<u32>(py)?, result));
            }
        }
        let count = ended.len();
        self.in_flight = self.in_flight.saturating_sub(count);
        board.ended_now(ended.into_iter());
        Ok(count)
    }

    /// Says that no message follows: doubtful answers are held back no longer than for those that are under way.
    fn finish(&mut self) {
        if let Some(batch) = &mut self.batch {
            batch.finish();
        }
    }

    /// Cancels every message of which the service cannot have seen a byte; each ends as `Cancelled`.
    /// Returns the number of messages that were cancelled.
    fn withdraw(&mut self, py: Python<'_>) -> usize {
        match &mut self.batch {
            Some(batch) => py.detach(|| batch.withdraw()),
            None => 0,
        }
    }

    /// The number of messages that were taken and whose results `wait` has not handed out.
    #[getter]
    fn in_flight(&self) -> usize {
        self.in_flight
    }

    /// Cancels what has not ended and lets go of everything; no result comes any more.
    fn cancel(&mut self, py: Python<'_>) {
        let batch = self.batch.take();
        py.detach(|| drop(batch));
        self.__clear__();
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        self.watch.traverse(&visit)?;
        for key in self.pending.iter().flatten() {
            visit.call(key)?;
        }
        self.refused.iter().try_for_each(|(key, _)| visit.call(key))
    }

    fn __clear__(&mut self) {
        self.watch.clear();
        self.pending.clear();
        self.refused.clear();
        self.in_flight = 0;
    }
}
