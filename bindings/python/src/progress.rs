//! What is told while work goes on: progress and events.

use pushcore::session::{LinkId, SessionEvent};
use pushcore_client::Progress;
use pyo3::prelude::*;

/// How far a bulk send is.
#[pyclass(frozen, module = "pushcore", name = "Progress", get_all)]
pub(crate) struct PyProgress {
    /// How many messages there are in all, if the iterable knows.
    expected: Option<usize>,
    /// Taken from the iterable.
    taken: u64,
    /// Submitted, not ended.
    in_flight: u64,
    /// Ended: taken by the service.
    accepted: u64,
    /// Ended: the token is dead.
    token_gone: u64,
    /// Ended: the token is blamed, and may be good.
    token_mismatch: u64,
    /// Ended: not now.
    retry_later: u64,
    /// Ended: the credentials are at fault.
    fix_credentials: u64,
    /// Ended: can never be accepted.
    rejected: u64,
    /// Ended: certainly not processed.
    not_sent: u64,
    /// Ended: written, no answer.
    unknown: u64,
    /// Ended, in whatever way.
    ended: u64,
    /// Seconds since the start.
    elapsed: f64,
    /// Ended messages a second.
    rate: f64,
}

impl From<&Progress> for PyProgress {
    fn from(progress: &Progress) -> Self {
        Self {
            expected: progress.expected,
            taken: progress.taken,
            in_flight: progress.in_flight,
            accepted: progress.accepted,
            token_gone: progress.token_gone,
            token_mismatch: progress.token_mismatch,
            retry_later: progress.retry_later,
            fix_credentials: progress.fix_credentials,
            rejected: progress.rejected,
            not_sent: progress.not_sent,
            unknown: progress.unknown,
            ended: progress.ended(),
            elapsed: progress.elapsed.as_secs_f64(),
            rate: progress.rate(),
        }
    }
}

#[pymethods]
impl PyProgress {
    /// For drivers written in Python.
    #[new]
    #[pyo3(signature = (
        *, expected, taken, in_flight, accepted, token_gone, retry_later, fix_credentials, rejected, not_sent,
        unknown, ended, elapsed, rate, token_mismatch=0,
    ))]
    #[allow(clippy::too_many_arguments, reason = "they are keyword arguments")]
    fn new(
        expected: Option<usize>,
        taken: u64,
        in_flight: u64,
        accepted: u64,
        token_gone: u64,
        retry_later: u64,
        fix_credentials: u64,
        rejected: u64,
        not_sent: u64,
        unknown: u64,
        ended: u64,
        elapsed: f64,
        rate: f64,
        token_mismatch: u64,
    ) -> Self {
        Self {
            expected,
            taken,
            in_flight,
            accepted,
            token_gone,
            token_mismatch,
            retry_later,
            fix_credentials,
            rejected,
            not_sent,
            unknown,
            ended,
            elapsed,
            rate,
        }
    }

    fn __repr__(&self) -> String {
        format!(
            "<Progress {} of {} ended, {:.0}/s>",
            self.ended, self.taken, self.rate
        )
    }
}

/// Something worth a line in a log: no secret, no token.
#[pyclass(frozen, module = "pushcore", get_all)]
pub(crate) struct Event {
    /// `dialling`, `let_go`, `connected`, `disconnected`, `settings_changed`, `go_away`, `token_renewed`, `token_failed`,
    /// `requeued`, `throttled`, `clock_skew`, `wedged`, `mix_up_suspected`, `credentials_refused`,
    /// `credentials_accepted`, `internal`; others may come.
    name: &'static str,
    /// Which connection.
    link: Option<u64>,
    /// An `ErrorKind`, a GOAWAY code, or the number of streams.
    code: Option<u32>,
    /// For how long, or how far a clock is off, in seconds.
    after: Option<f64>,
    /// The event in words, never empty.
    text: String,
}

#[pymethods]
impl Event {
    fn __repr__(&self) -> String {
        format!(
            "<Event {} link={:?} code={:?} {:?}>",
            self.name, self.link, self.code, self.text
        )
    }
}

/// An event of the session for Python.
pub(crate) fn event(py: Python<'_>, event: SessionEvent) -> PyResult<Bound<'_, PyAny>> {
    let parts = event.parts();
    let made = Event {
        name: parts.name,
        link: parts.link.map(LinkId::to_u64),
        code: parts.code,
        after: parts.after.map(|after| after.as_secs_f64()),
        text: parts.text,
    };
    Ok(Bound::new(py, made)?.into_any())
}
