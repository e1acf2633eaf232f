//! Parts of an APNs message that are values of their own.

use pushcore::apns::{self, ChannelId, InputPush, Text};
use pushcore::{Error, ErrorKind};
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyTuple};
use serde_json::Value;

use crate::errors::OrRaise;
use crate::values::{Items, Str, date, json_object, string, unix_time};

/// A text that the app looks up in its own language files.
#[pyclass(frozen, module = "pushcore", eq, hash)]
#[derive(PartialEq, Eq, Hash)]
pub(crate) struct Localized {
    #[pyo3(get)]
    key: String,
    #[pyo3(get)]
    args: Vec<String>,
}

#[pymethods]
impl Localized {
    #[new]
    #[pyo3(signature = (key, *args))]
    fn new(key: Str, args: Items<Str>) -> Self {
        Self {
            key: key.into(),
            args: args.into_iter().map(String::from).collect(),
        }
    }

    fn __getnewargs__<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyTuple>> {
        let all: Vec<_> = std::iter::once(&self.key).chain(&self.args).collect();
        PyTuple::new(py, all)
    }

    fn __repr__(&self) -> String {
        format!("Localized({:?}, {} arguments)", self.key, self.args.len())
    }
}

impl Localized {
    /// The key, and the texts for the placeholders.
    pub(crate) fn parts(&self) -> (&str, &[String]) {
        (&self.key, &self.args)
    }
}

/// A `str` or a [`Localized`].
pub(crate) fn localized(value: &Bound<'_, PyAny>) -> PyResult<Text> {
    match value.cast::<Localized>() {
        Ok(text) => Ok(Text::localized(text.get().key.clone(), text.get().args.clone())),
        Err(_) => string(value).map(Text::from),
    }
}

/// The content of a Live Activity push. Times are seconds since 1970 or a `datetime`.
#[pyclass(frozen, module = "pushcore")]
pub(crate) struct LiveActivity(pub(crate) apns::LiveActivity);

#[pymethods]
impl LiveActivity {
    /// Starts an activity; the push needs an alert as well.
    #[staticmethod]
    #[pyo3(signature = (
        *, timestamp, attributes_type, attributes, content_state, input_token=false, input_channel=None,
        stale_date=None,
    ))]
    #[allow(clippy::too_many_arguments, reason = "they are keyword arguments")]
    fn start(
        py: Python<'_>,
        timestamp: &Bound<'_, PyAny>,
        attributes_type: Str,
        attributes: &Bound<'_, PyDict>,
        content_state: &Bound<'_, PyDict>,
        input_token: bool,
        input_channel: Option<Str>,
        stale_date: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<Self> {
        if input_token && input_channel.is_some() {
            let text = "a live activity is updated by a token or by a channel, not by both";
            return Err(Error::new(ErrorKind::Conflict, text)).or_raise(py);
        }
        let (attributes, state) = (object(attributes)?, object(content_state)?);
        let mut activity =
            apns::LiveActivity::start(date(timestamp, "timestamp")?, attributes_type, attributes, state);
        if input_token {
            activity = activity.input_push(InputPush::Token);
        }
        if let Some(channel) = input_channel {
            activity = activity.input_push(InputPush::Channel(ChannelId::parse(&channel).or_raise(py)?));
        }
        stale(activity, stale_date)
    }

    /// Updates an activity.
    #[staticmethod]
    #[pyo3(signature = (*, timestamp, content_state, stale_date=None))]
    fn update(
        timestamp: &Bound<'_, PyAny>,
        content_state: &Bound<'_, PyDict>,
        stale_date: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<Self> {
        let activity = apns::LiveActivity::update(date(timestamp, "timestamp")?, object(content_state)?);
        stale(activity, stale_date)
    }

    /// Ends an activity.
    #[staticmethod]
    #[pyo3(signature = (*, timestamp, content_state=None, dismissal_date=None))]
    fn end(
        timestamp: &Bound<'_, PyAny>,
        content_state: Option<&Bound<'_, PyDict>>,
        dismissal_date: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<Self> {
        let state = content_state.map(object).transpose()?;
        let mut activity = apns::LiveActivity::end(date(timestamp, "timestamp")?, state);
        if let Some(given) = dismissal_date {
            // 0 is a usual way to write "at once".
            let dismissal = match unix_time(given)? {
                zero if zero.as_millis() == 0 => zero,
                _ => date(given, "dismissal date")?,
            };
            activity = activity.dismissal_date(dismissal);
        }
        Ok(Self(activity))
    }

    fn __repr__(&self) -> String {
        "<LiveActivity>".to_owned()
    }
}

fn stale(activity: apns::LiveActivity, given: Option<&Bound<'_, PyAny>>) -> PyResult<LiveActivity> {
    Ok(LiveActivity(match given {
        Some(given) => activity.stale_date(date(given, "stale date")?),
        None => activity,
    }))
}

fn object(dict: &Bound<'_, PyDict>) -> PyResult<Value> {
    json_object(dict).map(Value::Object)
}
