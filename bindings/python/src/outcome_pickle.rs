//! Outcomes in a pickle: chunks of results travel between the workers of a job.

use std::time::Duration;

use pushcore::outcome::{
    Accepted, Details, Evidence, FixCredentials, MessageId, Outcome, Reason, Rejected, RetryLater, Scope,
    TokenGone,
};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyTuple};

use crate::outcome::restored;
use crate::values::{seconds, unix_time};

/// The arguments of [`restore_outcome`].
pub(crate) fn parts<'py>(py: Python<'py>, outcome: &Outcome, known: bool) -> PyResult<Bound<'py, PyTuple>> {
    let rest = match outcome {
        Outcome::Accepted(arm) => (
            arm.id.as_ref().map(MessageId::as_str),
            arm.unique_id(),
            arm.replacement(),
            arm.location(),
            arm.ttl().map(|ttl| ttl.as_secs_f64()),
            arm.receipt(),
        )
            .into_pyobject(py)?,
        Outcome::TokenGone(arm) => (arm.since.map(seconds), arm.replacement.as_deref()).into_pyobject(py)?,
        Outcome::RetryLater(arm) => {
            (arm.after.map(|after| after.as_secs_f64()), arm.scope.name()).into_pyobject(py)?
        }
        Outcome::FixCredentials(arm) => (arm.refreshable, arm.reconnect).into_pyobject(py)?,
        _ => PyTuple::empty(py),
    };
    let reason = outcome.reason().map(Reason::as_str);
    let body = PyBytes::new(py, outcome.body());
    (outcome.name(), outcome.status(), reason, known, body, rest).into_pyobject(py)
}

/// An outcome out of a pickle.
#[pyfunction]
pub(crate) fn restore_outcome(
    py: Python<'_>,
    name: &str,
    status: u16,
    reason: Option<String>,
    known: bool,
    body: Vec<u8>,
    rest: &Bound<'_, PyTuple>,
) -> PyResult<Py<PyAny>> {
    let evidence = Evidence::new(status, reason.map(Reason::other), &body);
    let outcome = match name {
        "accepted" => {
            type Rest = (
                Option<String>,
                Option<String>,
                Option<String>,
                Option<String>,
                Option<f64>,
                Option<String>,
            );
            let (id, unique_id, replacement, location, ttl, receipt): Rest = rest.extract()?;
            let mut details = Details::default();
            details.unique_id = unique_id.map(Into::into);
            details.replacement = replacement.map(Into::into);
            details.location = location.map(Into::into);
            details.ttl = ttl.map(span).transpose()?;
            details.receipt = receipt.map(Into::into);
            let arm = Accepted::new(id.as_deref().map(MessageId::new), evidence);
            Outcome::Accepted(arm.with_details(details))
        }
        "token_gone" => {
            let (since, replacement): (Option<Bound<'_, PyAny>>, Option<String>) = rest.extract()?;
            let mut arm = TokenGone::default();
            arm.since = since.as_ref().map(unix_time).transpose()?;
            arm.replacement = replacement.map(Into::into);
            arm.evidence = evidence;
            Outcome::TokenGone(arm)
        }
        "retry_later" => {
            let (after, scope): (Option<f64>, String) = rest.extract()?;
            let all = [
                Scope::Message,
                Scope::Device,
                Scope::Topic,
                Scope::Project,
                Scope::Connection,
            ];
            let mut arm = RetryLater::default();
            arm.after = after.map(span).transpose()?;
            arm.scope = all
                .into_iter()
                .find(|one| one.name() == scope)
                .unwrap_or_default();
            arm.evidence = evidence;
            Outcome::RetryLater(arm)
        }
        "fix_credentials" => {
            let mut arm = FixCredentials::default();
            (arm.refreshable, arm.reconnect) = rest.extract()?;
            arm.evidence = evidence;
            Outcome::FixCredentials(arm)
        }
        "rejected" => {
            let mut arm = Rejected::default();
            arm.evidence = evidence;
            Outcome::Rejected(arm)
        }
        _ => return Err(PyValueError::new_err("no outcome has this name")),
    };
    restored(py, outcome, known)
}

fn span(seconds: f64) -> PyResult<Duration> {
    Duration::try_from_secs_f64(seconds).map_err(|_| PyValueError::new_err("not a span of time"))
}
