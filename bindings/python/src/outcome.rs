//! Outcomes as classes for `match`.

use pushcore::outcome::{Outcome, OutcomeKind, OutcomeParts, Scope, Suspect};
use pyo3::PyClass;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict, PyTuple};

use crate::errors::raise;
use crate::outcome_parts::{from_dict, to_dict};
use crate::values::{seconds, string, unix_time, unknown_word};

/// The service's answer to one message, and the action that it asks for.
///
/// One of `Accepted`, `TokenGone`, `TokenMismatch`, `RetryLater`, `FixCredentials`, `Rejected`.
#[pyclass(frozen, subclass, module = "pushcore", name = "Outcome")]
pub(crate) struct PyOutcome(Outcome);

impl PyOutcome {
    pub(crate) fn outcome(&self) -> &Outcome {
        &self.0
    }
}

#[pymethods]
impl PyOutcome {
    /// The HTTP status.
    #[getter]
    fn status(&self) -> u16 {
        self.0.status()
    }

    /// The service's own word, as it was sent.
    #[getter]
    fn reason(&self) -> Option<&str> {
        self.0.parts().reason
    }

    /// Whether this version knows what the word means.
    #[getter]
    fn reason_is_known(&self) -> bool {
        self.0.parts().reason_is_known
    }

    /// The body as received, at most 64 KiB.
    #[getter]
    fn body<'py>(&self, py: Python<'py>) -> Bound<'py, PyBytes> {
        PyBytes::new(py, self.0.body())
    }

    /// Returns the action to take, in a few words for a person.
    #[getter]
    fn advice(&self) -> &'static str {
        self.0.advice()
    }

    /// The service's own sentence about a refusal, with the field that it names; `None` where it says nothing
    /// beside its reason.
    #[getter]
    fn detail(&self) -> Option<String> {
        self.0.detail()
    }

    /// The arm's name as it stands in tables and result files.
    #[getter]
    fn name(&self) -> &'static str {
        self.0.name()
    }

    fn __eq__(&self, other: &Bound<'_, PyAny>) -> bool {
        other.cast::<Self>().is_ok_and(|other| other.get().0 == self.0)
    }

    fn __hash__(&self, py: Python<'_>) -> PyResult<isize> {
        let parts = (self.0.name(), self.0.status(), self.reason());
        parts.into_pyobject(py)?.as_any().hash()
    }

    fn __copy__(slf: Py<Self>) -> Py<Self> {
        slf
    }

    fn __deepcopy__(slf: Py<Self>, _memo: &Bound<'_, PyAny>) -> Py<Self> {
        slf
    }

    fn __reduce__<'py>(&self, py: Python<'py>) -> PyResult<(Bound<'py, PyAny>, (Bound<'py, PyDict>,))> {
        let restore = py.import("pushcore._pushcore")?.getattr("restore_outcome")?;
        Ok((restore, (to_dict(py, &self.0)?,)))
    }

    fn __repr__(slf: &Bound<'_, Self>) -> PyResult<String> {
        let class = slf.get_type().name()?;
        let this = slf.get();
        // Its `Display` is bounded: a peer chose the word.
        Ok(match this.0.evidence().reason().map(ToString::to_string) {
            Some(reason) => format!("<{class} status={} reason={reason:?}>", this.status()),
            None => format!("<{class} status={}>", this.status()),
        })
    }
}

/// Reads the parts of an instance of an arm's class.
fn parts<'a, T: PyClass<BaseType = PyOutcome, Frozen = pyo3::pyclass::boolean_struct::True> + Sync>(
    slf: &'a Bound<'_, T>,
) -> OutcomeParts<'a> {
    slf.as_super().get().0.parts()
}

macro_rules! arm {
    ($(#[$doc:meta])* $class:ident = $name:literal, ($($field:literal),*), $signature:literal, { $($method:tt)* }) => {
        $(#[$doc])*
        #[pyclass(frozen, extends = PyOutcome, module = "pushcore", name = $name)]
        pub(crate) struct $class;

        #[pymethods]
        impl $class {
            #[classattr]
            fn __match_args__(py: Python<'_>) -> PyResult<Bound<'_, PyTuple>> {
                let fields: &[&str] = &[$($field),*];
                PyTuple::new(py, fields)
            }

            #[new]
            #[pyo3(signature = (**parts), text_signature = $signature)]
            fn new(py: Python<'_>, parts: Option<Bound<'_, PyDict>>) -> PyResult<PyClassInitializer<Self>> {
                let parts = parts.unwrap_or_else(|| PyDict::new(py));
                let made = from_dict(OutcomeKind::$class, &parts)?;
                Ok(PyClassInitializer::from(PyOutcome(made)).add_subclass($class))
            }

            $($method)*
        }
    };
}

arm!(
    /// The service took the message. That is all it promises: never read it as "delivered".
    Accepted = "Accepted", ("id", "replacement"),
    "(*, status=0, reason=None, reason_is_known=False, body=b'', id=None, replacement=None, unique_id=None, location=None, receipt=None, ttl=None)",
    {
        /// The service's id of the message.
        #[getter]
        fn id<'a>(slf: &'a Bound<'_, Self>) -> Option<&'a str> {
            parts(slf).id
        }

        /// A new registration id to store in place of the one used (ADM).
        #[getter]
        fn replacement<'a>(slf: &'a Bound<'_, Self>) -> Option<&'a str> {
            parts(slf).replacement
        }

        /// The id that APNs' console finds the push by (its sandbox environment only).
        #[getter]
        fn unique_id<'a>(slf: &'a Bound<'_, Self>) -> Option<&'a str> {
            parts(slf).unique_id
        }

        /// Where the message lives at the push service (Web Push).
        #[getter]
        fn location<'a>(slf: &'a Bound<'_, Self>) -> Option<&'a str> {
            parts(slf).location
        }

        /// Where receipts come from, if one was asked for (Web Push).
        #[getter]
        fn receipt<'a>(slf: &'a Bound<'_, Self>) -> Option<&'a str> {
            parts(slf).receipt
        }

        /// The time to live that the service really applies, in seconds (Web Push).
        #[getter]
        fn ttl(slf: &Bound<'_, Self>) -> Option<f64> {
            parts(slf).ttl.map(|ttl| ttl.as_secs_f64())
        }
    }
);
arm!(
    /// This device's token or subscription is dead, whatever is sent to it: delete or replace it.
    TokenGone = "TokenGone", ("since", "replacement"),
    "(*, status=0, reason=None, reason_is_known=False, body=b'', since=None, replacement=None)",
    {
        /// Since when, in seconds since 1970 by the service's clock (APNs 410).
        #[getter]
        fn since(slf: &Bound<'_, Self>) -> Option<f64> {
            parts(slf).since.map(seconds)
        }

        /// The token that takes its place, if the service names one.
        #[getter]
        fn replacement<'a>(slf: &'a Bound<'_, Self>) -> Option<&'a str> {
            parts(slf).replacement
        }

        /// Whether a token registered at that time is the one that died.
        fn applies_to(slf: &Bound<'_, Self>, registered_at: &Bound<'_, PyAny>) -> PyResult<bool> {
            let registered_at = unix_time(registered_at)?;
            let outcome = &slf.as_super().get().0;
            Ok(matches!(outcome, Outcome::TokenGone(arm) if arm.applies_to(registered_at)))
        }
    }
);
arm!(
    /// The service blames the token, but a wrong environment, topic, sender, VAPID key or payload could explain the
    /// answer: keep the token.
    TokenMismatch = "TokenMismatch", ("reason", "suspects"),
    "(*, status=0, reason=None, reason_is_known=False, body=b'', suspects=())",
    {
        /// Everything that could be at fault in place of the token.
        #[getter]
        fn suspects<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyTuple>> {
            let names: Vec<_> = parts(slf).suspects.iter().map(Suspect::name).collect();
            PyTuple::new(slf.py(), names)
        }
    }
);
arm!(
    /// Not now: send again later.
    RetryLater = "RetryLater", ("after", "scope"),
    "(*, status=0, reason=None, reason_is_known=False, body=b'', after=None, scope='message')",
    {
        /// How long to wait at least, in seconds.
        #[getter]
        fn after(slf: &Bound<'_, Self>) -> Option<f64> {
            parts(slf).after.map(|after| after.as_secs_f64())
        }

        /// The scope that has to wait.
        #[getter]
        fn scope(slf: &Bound<'_, Self>) -> Option<&'static str> {
            parts(slf).scope.map(Scope::name)
        }
    }
);
arm!(
    /// The credentials are the problem, not the message or the device.
    FixCredentials = "FixCredentials", ("reason", "refreshable"),
    "(*, status=0, reason=None, reason_is_known=False, body=b'', refreshable=False, reconnect=False, clock_skew=None)",
    {
        /// A new token made from the same key may help.
        #[getter]
        fn refreshable(slf: &Bound<'_, Self>) -> bool {
            parts(slf).refreshable
        }

        /// The connection is spoiled; the client replaces it by itself.
        #[getter]
        fn reconnect(slf: &Bound<'_, Self>) -> bool {
            parts(slf).reconnect
        }

        /// How many seconds the service's clock is ahead of this machine's, where that explains the answer.
        #[getter]
        fn clock_skew(slf: &Bound<'_, Self>) -> Option<i64> {
            parts(slf).clock_skew
        }
    }
);
arm!(
    /// This message can never be accepted as it is.
    Rejected = "Rejected", ("reason"),
    "(*, status=0, reason=None, reason_is_known=False, body=b'')",
    {}
);

/// An outcome as an instance of its class.
pub(crate) fn outcome(py: Python<'_>, outcome: Outcome) -> PyResult<Py<PyAny>> {
    fn make<T>(py: Python<'_>, base: PyOutcome, arm: T) -> PyResult<Py<PyAny>>
    where
        T: PyClass<BaseType = PyOutcome>,
    {
        let parts = PyClassInitializer::from(base).add_subclass(arm);
        Ok(Py::new(py, parts)?.into_any())
    }
    let base = PyOutcome(outcome);
    match base.0.kind() {
        OutcomeKind::Accepted => make(py, base, Accepted),
        OutcomeKind::TokenGone => make(py, base, TokenGone),
        OutcomeKind::TokenMismatch => make(py, base, TokenMismatch),
        OutcomeKind::RetryLater => make(py, base, RetryLater),
        OutcomeKind::FixCredentials => make(py, base, FixCredentials),
        OutcomeKind::Rejected => make(py, base, Rejected),
        // An arm of a newer core: the base class says all that is known.
        _ => Ok(Py::new(py, base)?.into_any()),
    }
}

/// An outcome out of a pickle.
#[pyfunction]
pub(crate) fn restore_outcome(py: Python<'_>, parts: &Bound<'_, PyDict>) -> PyResult<Py<PyAny>> {
    let name = parts.get_item("kind")?.map(|name| string(&name)).transpose()?;
    let kind = name.as_deref().and_then(OutcomeKind::from_name);
    let kind = kind.ok_or_else(|| raise(py, &unknown_word("an outcome's kind")))?;
    outcome(py, from_dict(kind, parts)?)
}
