//! A Live Activity over its life.

use std::sync::{Mutex, MutexGuard, PoisonError};

use pushcore::apns::{BundleId, ChannelId, StoragePolicy};
use pushcore::notification::{self, Change, Start};
use pushcore::{Error, ErrorKind};
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyTuple, PyType};

use crate::device::whole_seconds;
use crate::errors::OrRaise;
use crate::fields::{Field, Form};
use crate::message::instance;
use crate::outcome::PyOutcome;
use crate::target::device;
use crate::values::{Str, clock, json, json_text, seconds, unix_time};

/// The keywords of a change, and the fields of its form.
const CHANGE: &[Field] = &[
    ("content_state", "content_state", json),
    ("alert", "alert", json),
    ("sound", "sound", json),
    ("stale_date", "stale_date", whole_seconds),
    ("dismissal_date", "dismissal_date", whole_seconds),
    ("relevance_score", "relevance_score", json),
    ("priority", "priority", json),
    ("timestamp", "timestamp", whole_seconds),
];

/// A Live Activity over its life, as the sender knows it: refuses what APNs takes and no device acts on.
///
/// Started by a push and updated by the token that the app then sends, unless `channel` and `storage` are given, or the
/// `token` of an activity that the app has started by itself.
#[pyclass(frozen, module = "pushcore")]
pub(crate) struct Activity(Mutex<notification::Activity>);

impl Activity {
    fn of(activity: notification::Activity) -> Self {
        Self(Mutex::new(activity))
    }

    fn state(&self) -> MutexGuard<'_, notification::Activity> {
        // Nothing panics with the lock; if something did, the state is whole all the same.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[pymethods]
impl Activity {
    #[new]
    #[pyo3(signature = (bundle, *, channel=None, storage=None, token=None, started_at=None))]
    fn new(
        py: Python<'_>,
        bundle: Str,
        channel: Option<Str>,
        storage: Option<Str>,
        token: Option<&Bound<'_, PyAny>>,
        started_at: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<Self> {
        let bundle = BundleId::parse(&bundle).or_raise(py)?;
        let started = started_at.map(unix_time).transpose()?;
        let activity = match (channel, storage, token) {
            (None, None, None) if started.is_none() => notification::Activity::new(bundle),
            (None, None, Some(token)) => notification::Activity::running(bundle, device(token)?, started),
            (Some(channel), Some(storage), None) if started.is_none() => {
                let policy = StoragePolicy::from_name(&storage)
                    .ok_or_else(|| {
                        Error::new(
                            ErrorKind::InvalidValue,
                            "storage is not no_storage or most_recent",
                        )
                    })
                    .or_raise(py)?;
                let channel = ChannelId::parse(&channel).or_raise(py)?;
                notification::Activity::on_channel(bundle, channel, policy)
            }
            _ => {
                let text = "channel and storage go together, and started_at goes with token";
                return Err(Error::new(ErrorKind::Conflict, text)).or_raise(py);
            }
        };
        Ok(Self::of(activity))
    }

    /// Reads an activity in the form of `docs/notification.md`: a dict, or JSON as `str` or `bytes`.
    #[classmethod]
    #[pyo3(signature = (activity, /))]
    fn from_json(cls: &Bound<'_, PyType>, activity: &Bound<'_, PyAny>) -> PyResult<Self> {
        notification::Activity::from_json(&json_text(activity)?)
            .map(Self::of)
            .or_raise(cls.py())
    }

    /// The activity as JSON, with its tokens: for the caller's own storage, not for logs.
    fn to_json(&self) -> String {
        self.state().to_json()
    }

    /// Starts the activity on a device, by the app's push-to-start token. `content_state` and `alert` are required;
    /// see `update` for the other keywords.
    #[pyo3(signature = (token, *, attributes_type, attributes, now=None, **change))]
    fn start(
        &self,
        py: Python<'_>,
        token: &Bound<'_, PyAny>,
        attributes_type: Str,
        attributes: &Bound<'_, PyAny>,
        now: Option<&Bound<'_, PyAny>>,
        change: Option<&Bound<'_, PyDict>>,
    ) -> PyResult<Py<PyAny>> {
        let start = Start::new(attributes_type, json(attributes)?);
        let (change, token, now) = (self::change(py, change)?, device(token)?, clock(py, now)?.unix);
        let message = self.state().start(&start, &change, token, now).or_raise(py)?;
        instance(py, message, true)
    }

    /// Takes the update token that the app has sent: after a start, and whenever the system replaces the token.
    fn token_received(&self, py: Python<'_>, token: &Bound<'_, PyAny>) -> PyResult<()> {
        let token = device(token)?;
        self.state().token_received(token).or_raise(py)
    }

    /// Updates the activity: a message to the update token, or a broadcast to the channel. `content_state` is required;
    /// `alert` is a text or a dict of the message's form, times are seconds since 1970 or a `datetime`.
    #[pyo3(signature = (*, now=None, **change))]
    fn update(
        &self,
        py: Python<'_>,
        now: Option<&Bound<'_, PyAny>>,
        change: Option<&Bound<'_, PyDict>>,
    ) -> PyResult<Py<PyAny>> {
        let (change, now) = (self::change(py, change)?, clock(py, now)?.unix);
        let message = self.state().update(&change, now).or_raise(py)?;
        instance(py, message, true)
    }

    /// Ends the activity. Without `content_state` the last state stands; `dismissal_date` is within four hours.
    #[pyo3(signature = (*, now=None, **change))]
    fn end(
        &self,
        py: Python<'_>,
        now: Option<&Bound<'_, PyAny>>,
        change: Option<&Bound<'_, PyDict>>,
    ) -> PyResult<Py<PyAny>> {
        let (change, now) = (self::change(py, change)?, clock(py, now)?.unix);
        let message = self.state().end(&change, now).or_raise(py)?;
        instance(py, message, true)
    }

    /// Takes note of the answer to a push: a token that is gone ends the activity.
    #[pyo3(signature = (outcome, *, now=None))]
    fn answered(
        &self,
        py: Python<'_>,
        outcome: &Bound<'_, PyOutcome>,
        now: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<()> {
        let now = clock(py, now)?.unix;
        self.state().answered(outcome.get().outcome(), now);
        Ok(())
    }

    /// `new`, `starting` (no update token yet), `running` or `ended`.
    #[getter]
    fn phase(&self) -> &'static str {
        self.state().phase()
    }

    /// The update token; `None` while none is known, and on a channel.
    #[getter]
    fn token(&self) -> Option<String> {
        self.state().token().map(|token| token.as_str().to_owned())
    }

    /// The timestamp of the last push, in seconds since 1970; `None` before the first.
    #[getter]
    fn timestamp(&self) -> Option<f64> {
        self.state().timestamp().map(seconds)
    }

    /// Whether the last state has passed its stale date.
    #[pyo3(signature = (*, now=None))]
    fn is_stale(&self, py: Python<'_>, now: Option<&Bound<'_, PyAny>>) -> PyResult<bool> {
        let now = clock(py, now)?.unix;
        Ok(self.state().is_stale(now))
    }

    fn __reduce__<'py>(slf: &Bound<'py, Self>) -> PyResult<(Bound<'py, PyAny>, Bound<'py, PyTuple>)> {
        let restore = slf.get_type().getattr("from_json")?;
        Ok((restore, (slf.get().to_json(),).into_pyobject(slf.py())?))
    }

    fn __repr__(&self) -> String {
        format!("<Activity {}>", self.phase())
    }
}

fn change(py: Python<'_>, keywords: Option<&Bound<'_, PyDict>>) -> PyResult<Change> {
    let form = Form::of(keywords, CHANGE)?.json();
    Change::from_json(form.as_bytes()).or_raise(py)
}
