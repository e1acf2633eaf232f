//! What is told while work goes on: progress and events.

use std::borrow::Cow;
use std::hash::{DefaultHasher, Hash, Hasher};

use pushcore::session::{EventLevel, LinkId, SessionEvent};
use pushcore::{Error, ErrorKind};
use pushcore_client::Progress;
use pyo3::prelude::*;
use pyo3::types::PyDict;

use crate::errors::OrRaise;
use crate::values::{Str, optional_duration};

/// How far a bulk send is.
#[derive(PartialEq)]
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
    /// A progress made by hand, for tests and for drivers written in Python. What is not given is 0.
    #[new]
    #[pyo3(signature = (
        *, expected=None, taken=0, in_flight=0, accepted=0, token_gone=0, retry_later=0, fix_credentials=0,
        rejected=0, not_sent=0, unknown=0, ended=0, elapsed=0.0, rate=0.0, token_mismatch=0,
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

    fn __eq__(&self, other: &Self) -> bool {
        self == other
    }

    fn __hash__(&self) -> u64 {
        let mut hasher = DefaultHasher::new();
        (self.taken, self.ended, self.in_flight, self.expected).hash(&mut hasher);
        hasher.finish()
    }

    fn __repr__(&self) -> String {
        format!(
            "<Progress {} of {} ended, {:.0}/s>",
            self.ended, self.taken, self.rate
        )
    }
}

/// Something worth a line in a log: no secret, no token.
#[derive(PartialEq)]
#[pyclass(frozen, module = "pushcore", get_all)]
pub(crate) struct Event {
    /// `dialling`, `let_go`, `connected`, `disconnected`, `settings_changed`, `go_away`, `token_renewed`, `token_failed`,
    /// `requeued`, `throttled`, `clock_skew`, `wedged`, `mix_up_suspected`, `credentials_refused`,
    /// `credentials_accepted`, `internal`; others may come.
    name: Cow<'static, str>,
    /// `error`, `warning`, `info` or `debug`: how much it matters in a log.
    level: &'static str,
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
    /// An event made by hand, for tests.
    #[new]
    #[pyo3(signature = (name, text, *, level=None, link=None, code=None, after=None))]
    fn new(
        py: Python<'_>,
        name: Str,
        text: Str,
        level: Option<Str>,
        link: Option<u64>,
        code: Option<u32>,
        after: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<Self> {
        let level = match level {
            Some(level) => EventLevel::from_name(&level).ok_or_else(|| {
                Error::new(
                    ErrorKind::InvalidValue,
                    "the level is none of \"error\", \"warning\", \"info\", \"debug\"",
                )
            }),
            None => Ok(EventLevel::Info),
        };
        Ok(Self {
            name: Cow::Owned(name.to_string()),
            level: level.or_raise(py)?.name(),
            link,
            code,
            after: optional_duration(after)?.map(|after| after.as_secs_f64()),
            text: text.to_string(),
        })
    }

    fn __eq__(&self, other: &Self) -> bool {
        self == other
    }

    fn __hash__(&self) -> u64 {
        let mut hasher = DefaultHasher::new();
        (&self.name, self.link, self.code, &self.text).hash(&mut hasher);
        hasher.finish()
    }

    fn __getnewargs_ex__<'py>(
        &'py self,
        py: Python<'py>,
    ) -> PyResult<((&'py str, &'py str), Bound<'py, PyDict>)> {
        let rest = PyDict::new(py);
        rest.set_item("level", self.level)?;
        rest.set_item("link", self.link)?;
        rest.set_item("code", self.code)?;
        rest.set_item("after", self.after)?;
        Ok(((&self.name, &self.text), rest))
    }

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
        name: Cow::Borrowed(parts.name),
        level: parts.level.name(),
        link: parts.link.map(LinkId::to_u64),
        code: parts.code,
        after: parts.after.map(|after| after.as_secs_f64()),
        text: parts.text,
    };
    Ok(Bound::new(py, made)?.into_any())
}
