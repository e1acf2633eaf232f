//! Outcomes as classes for `match`.

use pushcore::outcome::{self, Outcome};
use pyo3::PyClass;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyString, PyTuple};

use crate::values::{seconds, unix_time};

/// What a service said about one message, and what to do now.
///
/// One of `Accepted`, `TokenGone`, `RetryLater`, `FixCredentials`, `Rejected`.
#[pyclass(frozen, subclass, module = "pushcore", name = "Outcome")]
pub(crate) struct PyOutcome {
    outcome: Outcome,
    /// Whether the reason was known where the answer was read: a pickle says so in its own field.
    known: bool,
}

impl PyOutcome {
    fn new(outcome: Outcome) -> Self {
        let known = outcome.reason().is_some_and(outcome::Reason::is_known);
        Self { outcome, known }
    }
}

#[pymethods]
impl PyOutcome {
    /// The HTTP status.
    #[getter]
    fn status(&self) -> u16 {
        self.outcome.status()
    }

    /// The service's own word, as it was sent.
    #[getter]
    fn reason(&self) -> Option<&str> {
        self.outcome.reason().map(outcome::Reason::as_str)
    }

    /// Whether this version knows what the word means.
    #[getter]
    fn reason_is_known(&self) -> bool {
        self.known
    }

    /// The body as received, at most 64 KiB.
    #[getter]
    fn body<'py>(&self, py: Python<'py>) -> Bound<'py, PyBytes> {
        PyBytes::new(py, self.outcome.body())
    }

    /// What to do now, in a few words for a person.
    #[getter]
    fn advice(&self) -> &'static str {
        self.outcome.advice()
    }

    /// The service's own sentence about a refusal, with the field that it names; `None` where it says nothing
    /// beside its reason.
    #[getter]
    fn detail(&self) -> Option<String> {
        self.outcome.detail()
    }

    /// The arm's name as it stands in tables and result files.
    #[getter]
    fn name(&self) -> &'static str {
        self.outcome.name()
    }

    fn __eq__(&self, other: &Bound<'_, PyAny>) -> bool {
        other
            .cast::<Self>()
            .is_ok_and(|other| other.get().outcome == self.outcome)
    }

    fn __hash__(&self, py: Python<'_>) -> PyResult<isize> {
        let parts = (self.outcome.name(), self.outcome.status(), self.reason());
        parts.into_pyobject(py)?.as_any().hash()
    }

    fn __copy__(slf: Py<Self>) -> Py<Self> {
        slf
    }

    fn __deepcopy__(slf: Py<Self>, _memo: &Bound<'_, PyAny>) -> Py<Self> {
        slf
    }

    fn __reduce__<'py>(&self, py: Python<'py>) -> PyResult<(Bound<'py, PyAny>, Bound<'py, PyTuple>)> {
        let restore = py.import("pushcore._pushcore")?.getattr("restore_outcome")?;
        Ok((
            restore,
            crate::outcome_pickle::parts(py, &self.outcome, self.known)?,
        ))
    }

    fn __repr__(slf: &Bound<'_, Self>) -> PyResult<String> {
        let class = slf.get_type().name()?;
        let this = slf.get();
        Ok(match this.outcome.reason() {
            Some(reason) => format!(
                "<{class} status={} reason={:?}>",
                this.outcome.status(),
                reason.as_str()
            ),
            None => format!("<{class} status={}>", this.outcome.status()),
        })
    }
}

macro_rules! arm {
    ($(#[$doc:meta])* $class:ident = $name:literal, ($($field:literal),*)) => {
        $(#[$doc])*
        #[pyclass(frozen, extends = PyOutcome, module = "pushcore", name = $name)]
        pub(crate) struct $class;

        impl $class {
            const MATCH_ARGS: &'static [&'static str] = &[$($field),*];
        }
    };
}

arm!(
    /// The service took the message. That is all it promises: never read it as "delivered".
    Accepted = "Accepted", ("id", "replacement")
);
arm!(
    /// This device's token or subscription is dead: delete or replace it.
    TokenGone = "TokenGone", ("since", "replacement")
);
arm!(
    /// Not now: send again later.
    RetryLater = "RetryLater", ("after", "scope")
);
arm!(
    /// The credentials are the problem, not the message or the device.
    FixCredentials = "FixCredentials", ("reason", "refreshable")
);
arm!(
    /// This message can never be accepted as it is.
    Rejected = "Rejected", ("reason")
);

#[pymethods]
impl Accepted {
    #[classattr]
    fn __match_args__(py: Python<'_>) -> PyResult<Bound<'_, PyTuple>> {
        PyTuple::new(py, Self::MATCH_ARGS)
    }

    /// The service's id of the message.
    #[getter]
    fn id<'py>(slf: &Bound<'py, Self>) -> Option<Bound<'py, PyString>> {
        match &slf.as_super().get().outcome {
            Outcome::Accepted(arm) => arm.id.as_ref().map(|id| PyString::new(slf.py(), id.as_str())),
            _ => None,
        }
    }

    /// A new registration id to store in place of the one used (ADM).
    #[getter]
    fn replacement(slf: &Bound<'_, Self>) -> Option<String> {
        match &slf.as_super().get().outcome {
            Outcome::Accepted(arm) => arm.replacement().map(str::to_owned),
            _ => None,
        }
    }

    /// The id that APNs' console finds the push by (its sandbox environment only).
    #[getter]
    fn unique_id(slf: &Bound<'_, Self>) -> Option<String> {
        match &slf.as_super().get().outcome {
            Outcome::Accepted(arm) => arm.unique_id().map(str::to_owned),
            _ => None,
        }
    }

    /// Where the message lives at the push service (Web Push).
    #[getter]
    fn location(slf: &Bound<'_, Self>) -> Option<String> {
        match &slf.as_super().get().outcome {
            Outcome::Accepted(arm) => arm.location().map(str::to_owned),
            _ => None,
        }
    }

    /// Where receipts come from, if one was asked for (Web Push).
    #[getter]
    fn receipt(slf: &Bound<'_, Self>) -> Option<String> {
        match &slf.as_super().get().outcome {
            Outcome::Accepted(arm) => arm.receipt().map(str::to_owned),
            _ => None,
        }
    }

    /// The time to live that the service really applies, in seconds (Web Push).
    #[getter]
    fn ttl(slf: &Bound<'_, Self>) -> Option<f64> {
        match &slf.as_super().get().outcome {
            Outcome::Accepted(arm) => arm.ttl().map(|ttl| ttl.as_secs_f64()),
            _ => None,
        }
    }
}

#[pymethods]
impl TokenGone {
    #[classattr]
    fn __match_args__(py: Python<'_>) -> PyResult<Bound<'_, PyTuple>> {
        PyTuple::new(py, Self::MATCH_ARGS)
    }

    /// Since when, in seconds since 1970 by the service's clock (APNs 410).
    #[getter]
    fn since(slf: &Bound<'_, Self>) -> Option<f64> {
        match &slf.as_super().get().outcome {
            Outcome::TokenGone(arm) => arm.since.map(seconds),
            _ => None,
        }
    }

    /// The token that takes its place, if the service names one.
    #[getter]
    fn replacement(slf: &Bound<'_, Self>) -> Option<String> {
        match &slf.as_super().get().outcome {
            Outcome::TokenGone(arm) => arm.replacement.as_deref().map(str::to_owned),
            _ => None,
        }
    }

    /// Whether a token registered at that time is the one that died.
    fn applies_to(slf: &Bound<'_, Self>, registered_at: &Bound<'_, PyAny>) -> PyResult<bool> {
        let registered_at = unix_time(registered_at)?;
        Ok(match &slf.as_super().get().outcome {
            Outcome::TokenGone(arm) => arm.applies_to(registered_at),
            _ => false,
        })
    }
}

#[pymethods]
impl RetryLater {
    #[classattr]
    fn __match_args__(py: Python<'_>) -> PyResult<Bound<'_, PyTuple>> {
        PyTuple::new(py, Self::MATCH_ARGS)
    }

    /// How long to wait at least, in seconds.
    #[getter]
    fn after(slf: &Bound<'_, Self>) -> Option<f64> {
        match &slf.as_super().get().outcome {
            Outcome::RetryLater(arm) => arm.after.map(|after| after.as_secs_f64()),
            _ => None,
        }
    }

    /// What has to wait.
    #[getter]
    fn scope(slf: &Bound<'_, Self>) -> Option<&'static str> {
        match &slf.as_super().get().outcome {
            Outcome::RetryLater(arm) => Some(arm.scope.name()),
            _ => None,
        }
    }
}

#[pymethods]
impl FixCredentials {
    #[classattr]
    fn __match_args__(py: Python<'_>) -> PyResult<Bound<'_, PyTuple>> {
        PyTuple::new(py, Self::MATCH_ARGS)
    }

    /// A new token made from the same key may help.
    #[getter]
    fn refreshable(slf: &Bound<'_, Self>) -> bool {
        matches!(&slf.as_super().get().outcome, Outcome::FixCredentials(arm) if arm.refreshable)
    }

    /// The connection is spoiled; the client replaces it by itself.
    #[getter]
    fn reconnect(slf: &Bound<'_, Self>) -> bool {
        matches!(&slf.as_super().get().outcome, Outcome::FixCredentials(arm) if arm.reconnect)
    }
}

#[pymethods]
impl Rejected {
    #[classattr]
    fn __match_args__(py: Python<'_>) -> PyResult<Bound<'_, PyTuple>> {
        PyTuple::new(py, Self::MATCH_ARGS)
    }
}

/// An outcome as an instance of its class.
pub(crate) fn outcome(py: Python<'_>, outcome: Outcome) -> PyResult<Py<PyAny>> {
    instance(py, PyOutcome::new(outcome))
}

/// [`outcome`] out of a pickle.
pub(crate) fn restored(py: Python<'_>, outcome: Outcome, known: bool) -> PyResult<Py<PyAny>> {
    instance(py, PyOutcome { outcome, known })
}

fn instance(py: Python<'_>, base: PyOutcome) -> PyResult<Py<PyAny>> {
    fn make<T>(py: Python<'_>, base: PyOutcome, arm: T) -> PyResult<Py<PyAny>>
    where
        T: PyClass<BaseType = PyOutcome>,
    {
        let parts = PyClassInitializer::from(base).add_subclass(arm);
        Ok(Py::new(py, parts)?.into_any())
    }
    match base.outcome {
        Outcome::Accepted(_) => make(py, base, Accepted),
        Outcome::TokenGone(_) => make(py, base, TokenGone),
        Outcome::RetryLater(_) => make(py, base, RetryLater),
        Outcome::FixCredentials(_) => make(py, base, FixCredentials),
        Outcome::Rejected(_) => make(py, base, Rejected),
        // A sixth arm of a newer core: the base class says all that is known.
        _ => Ok(Py::new(py, base)?.into_any()),
    }
}
