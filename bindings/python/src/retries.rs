//! Sending again, as a policy.

use std::sync::{Mutex, MutexGuard, PoisonError};

use pushcore::apns::ApnsId;
use pushcore::notification;
use pushcore::outcome::Scope;
use pyo3::prelude::*;
use pyo3::types::{PyTuple, PyType};

use crate::base::PyMessage;
use crate::device::result;
use crate::errors::{OrRaise, exception};
use crate::message::instance;
use crate::values::{Str, clock, duration, integer, json_text, seconds};

/// A policy of sending again: how often, for how long, after which waits. Never changes.
///
/// Heeds a wait that the service names, with its scope. What the service may have taken is not sent again unless
/// `resend_unknown`.
#[pyclass(frozen, module = "pushcore", eq, hash)]
#[derive(PartialEq, Eq, Hash)]
pub(crate) struct Retries(notification::Retries);

impl Retries {
    pub(crate) fn policy(&self) -> notification::Retries {
        self.0
    }
}

#[pymethods]
impl Retries {
    /// A policy that differs from `standard()` in what is given. Times are seconds or a `timedelta`.
    #[new]
    #[pyo3(signature = (*, attempts=None, total=None, first_wait=None, longest_wait=None, resend_unknown=None))]
    fn new(
        py: Python<'_>,
        attempts: Option<&Bound<'_, PyAny>>,
        total: Option<&Bound<'_, PyAny>>,
        first_wait: Option<&Bound<'_, PyAny>>,
        longest_wait: Option<&Bound<'_, PyAny>>,
        resend_unknown: Option<bool>,
    ) -> PyResult<Self> {
        let mut builder = notification::Retries::custom();
        if let Some(attempts) = attempts {
            builder = builder.attempts(integer(attempts, "attempts is not from 1 to 1000")?);
        }
        if let Some(total) = total {
            builder = builder.total(duration(total)?);
        }
        if let Some(wait) = first_wait {
            builder = builder.first_wait(duration(wait)?);
        }
        if let Some(wait) = longest_wait {
            builder = builder.longest_wait(duration(wait)?);
        }
        if let Some(resend) = resend_unknown {
            builder = builder.resend_unknown(resend);
        }
        builder.build().map(Self).or_raise(py)
    }

    /// The policy of one attempt.
    #[staticmethod]
    fn none() -> Self {
        Self(notification::Retries::none())
    }

    /// The policy of five attempts within ten minutes, with waits of 1, 2, 4 and 8 seconds where the service names none.
    #[staticmethod]
    fn standard() -> Self {
        Self(notification::Retries::standard())
    }

    /// Reads a policy in the form of `docs/notification.md`: a dict, or JSON as `str` or `bytes`.
    #[classmethod]
    #[pyo3(signature = (retries, /))]
    fn from_json(cls: &Bound<'_, PyType>, retries: &Bound<'_, PyAny>) -> PyResult<Self> {
        notification::Retries::from_json(&json_text(retries)?)
            .map(Self)
            .or_raise(cls.py())
    }

    /// The policy as JSON.
    fn to_json(&self) -> String {
        self.0.to_json()
    }

    /// The most attempts, the first one included.
    #[getter]
    fn attempts(&self) -> u32 {
        self.0.attempts()
    }

    /// The longest time from the first attempt to the last, in seconds.
    #[getter]
    fn total(&self) -> f64 {
        self.0.total().as_secs_f64()
    }

    /// Whether a message that the service may have taken is sent again.
    #[getter]
    fn resend_unknown(&self) -> bool {
        self.0.resends_unknown()
    }

    /// Decides about a message whose attempt ended with `result`, an `Outcome` or an exception of `pushcore`, and
    /// counts the attempt.
    #[pyo3(signature = (attempts, result, *, now=None))]
    fn next(
        &self,
        py: Python<'_>,
        attempts: &Attempts,
        result: &Bound<'_, PyAny>,
        now: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<Retry> {
        let (result, now) = (self::result(result)?, clock(py, now)?.unix);
        Ok(Retry(self.0.next(&mut attempts.state(), &result, now)))
    }

    fn __copy__(slf: Py<Self>) -> Py<Self> {
        slf
    }

    fn __deepcopy__(slf: Py<Self>, _memo: &Bound<'_, PyAny>) -> Py<Self> {
        slf
    }

    fn __reduce__<'py>(slf: &Bound<'py, Self>) -> PyResult<(Bound<'py, PyAny>, Bound<'py, PyTuple>)> {
        let restore = slf.get_type().getattr("from_json")?;
        Ok((restore, (slf.get().to_json(),).into_pyobject(slf.py())?))
    }

    fn __repr__(&self) -> String {
        format!("<Retries {} attempts in {} s>", self.attempts(), self.total())
    }
}

/// The decision about a message after an attempt: true when it is to be sent again.
#[pyclass(frozen, module = "pushcore", eq)]
#[derive(PartialEq)]
pub(crate) struct Retry(notification::Retry);

#[pymethods]
impl Retry {
    /// The earliest time of the next attempt, in seconds since 1970; `None` when there is none.
    #[getter]
    fn at(&self) -> Option<f64> {
        match self.0 {
            notification::Retry::Again { at, .. } => Some(seconds(at)),
            _ => None,
        }
    }

    /// The wait from now to that time, in seconds; `None` when there is no next attempt.
    #[getter]
    fn after(&self) -> Option<f64> {
        match self.0 {
            notification::Retry::Again { after, .. } => Some(after.as_secs_f64()),
            _ => None,
        }
    }

    /// The messages that have to wait as long; `None` when there is no next attempt.
    #[getter]
    fn scope(&self) -> Option<&'static str> {
        match self.0 {
            notification::Retry::Again { scope, .. } => Some(Scope::name(scope)),
            _ => None,
        }
    }

    /// The reason why it is not sent again: `accepted`, `final`, `in_doubt`, `attempts` or `time`; `None` when it is.
    #[getter]
    fn stop(&self) -> Option<&'static str> {
        match self.0 {
            notification::Retry::Stop(stop) => Some(notification::Stop::name(stop)),
            _ => None,
        }
    }

    fn __bool__(&self) -> bool {
        matches!(self.0, notification::Retry::Again { .. })
    }

    fn __repr__(&self) -> String {
        match (self.after(), self.stop()) {
            (Some(after), _) => format!("<Retry after {after} s>"),
            (None, stop) => format!("<Retry stop {}>", stop.unwrap_or_default()),
        }
    }
}

/// The state of one message under a policy: how often and since when. Goes to JSON and back, over a restart.
#[pyclass(frozen, module = "pushcore")]
pub(crate) struct Attempts(Mutex<notification::Attempts>);

impl Attempts {
    pub(crate) fn of(state: notification::Attempts) -> Self {
        Self(Mutex::new(state))
    }

    fn state(&self) -> MutexGuard<'_, notification::Attempts> {
        // Nothing panics with the lock; if something did, the state is whole all the same.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[pymethods]
impl Attempts {
    /// The state of a message that is about to be sent for the first time. `id` is one that all attempts have in
    /// common (APNs); `seed` makes messages that fail together wait differently long.
    #[new]
    #[pyo3(signature = (*, id=None, seed=None, now=None))]
    fn new(
        py: Python<'_>,
        id: Option<Str>,
        seed: Option<&Bound<'_, PyAny>>,
        now: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<Self> {
        let mut state = notification::Attempts::begin(clock(py, now)?.unix);
        if let Some(id) = id {
            state = state.with_id(ApnsId::parse(&id).or_raise(py)?);
        }
        if let Some(seed) = seed {
            state = state.with_seed(integer(seed, "the seed does not fit into 32 bits")?);
        }
        Ok(Self::of(state))
    }

    /// Reads a state in the form of `docs/notification.md`: a dict, or JSON as `str` or `bytes`.
    #[classmethod]
    #[pyo3(signature = (attempts, /))]
    fn from_json(cls: &Bound<'_, PyType>, attempts: &Bound<'_, PyAny>) -> PyResult<Self> {
        notification::Attempts::from_json(&json_text(attempts)?)
            .map(Self::of)
            .or_raise(cls.py())
    }

    /// The state as JSON.
    fn to_json(&self) -> String {
        self.state().to_json()
    }

    /// Notes that an attempt is under way.
    fn start(&self) {
        self.state().start();
    }

    /// Returns the exception for an attempt that was under way when the process ended, to decide by; `None` when none was.
    fn lost<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyAny>>> {
        let lost = self.state().lost();
        lost.map(|error| exception(py, &error)).transpose()
    }

    /// Returns the message with the id that all attempts have in common.
    fn stable(&self, py: Python<'_>, message: &Bound<'_, PyMessage>) -> PyResult<Py<PyAny>> {
        let message = self.state().stable(message.get().message().clone());
        instance(py, message, true)
    }

    /// The number of attempts that have ended.
    #[getter]
    fn made(&self) -> u32 {
        self.state().made()
    }

    /// The time when the state was begun, in seconds since 1970.
    #[getter]
    fn began(&self) -> f64 {
        seconds(self.state().began())
    }

    /// The earliest time of the next attempt, in seconds since 1970; `None` before the first and after the last.
    #[getter]
    fn next_at(&self) -> Option<f64> {
        self.state().next().map(|(time, _)| seconds(time))
    }

    /// The id that all attempts have in common; `None` when there is none.
    #[getter]
    fn id(&self) -> Option<String> {
        self.state().id().map(|id| id.as_str().to_owned())
    }

    fn __reduce__<'py>(slf: &Bound<'py, Self>) -> PyResult<(Bound<'py, PyAny>, Bound<'py, PyTuple>)> {
        let restore = slf.get_type().getattr("from_json")?;
        Ok((restore, (slf.get().to_json(),).into_pyobject(slf.py())?))
    }

    fn __repr__(&self) -> String {
        format!("<Attempts {} made>", self.made())
    }
}
