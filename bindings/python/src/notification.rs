//! Notifications: one thing to say, and the message of each service.

use std::sync::Mutex;

use pushcore::notification::{self, Loss, LossKind, Platform};
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyTuple, PyType};
use serde_json::{Value, json};

use crate::apns_parts::Localized;
use crate::device::Device;
use crate::errors::OrRaise;
use crate::fields::{self, Field, Form};
use crate::message::instance;
use crate::values::{clock, json_text, string};

/// The keywords of a notification, and the fields of its form.
const FIELDS: &[Field] = &[
    ("title", "title", line),
    ("subtitle", "subtitle", line),
    ("body", "body", line),
    ("image", "image", fields::text),
    ("icon", "icon", fields::text),
    ("url", "action.url", fields::text),
    ("deep_link", "action.deep_link", fields::text),
    ("buttons", "buttons", crate::values::json),
    ("badge", "badge", crate::values::json),
    ("sound", "sound", fields::text),
    ("thread", "thread", fields::text),
    ("category", "category", fields::text),
    ("channel", "channel", fields::text),
    ("urgency", "urgency", fields::text),
    ("ttl", "ttl", fields::ttl),
    ("collapse_key", "collapse_key", fields::text),
    ("data", "data", fields::pairs),
    ("silent", "silent", fields::set),
    ("shorten", "shorten", fields::set),
    ("overrides", "overrides", fields::object),
];

/// A `str`, a `Localized`, or a `dict` of the form.
fn line(value: &Bound<'_, PyAny>) -> PyResult<Value> {
    if let Ok(text) = value.cast::<Localized>() {
        let (key, args) = text.get().parts();
        return Ok(json!({"key": key, "args": args}));
    }
    match value.cast::<PyDict>() {
        Ok(_) => fields::object(value),
        Err(_) => string(value).map(Value::from),
    }
}

/// One thing to say, on every service: `docs/notification.md` says where each field lands, and what a service cannot
/// show. Never changes.
#[pyclass(frozen, module = "pushcore")]
pub(crate) struct Notification(notification::Notification);

impl Notification {
    pub(crate) fn notification(&self) -> &notification::Notification {
        &self.0
    }
}

#[pymethods]
impl Notification {
    #[new]
    #[pyo3(signature = (**fields))]
    fn new(py: Python<'_>, fields: Option<&Bound<'_, PyDict>>) -> PyResult<Self> {
        read(py, Form::of(fields, FIELDS)?.json().as_bytes())
    }

    /// Reads a notification in the form of `docs/notification.md`: a dict, or JSON as `str` or `bytes`.
    #[classmethod]
    #[pyo3(signature = (notification, /))]
    fn from_json(cls: &Bound<'_, PyType>, notification: &Bound<'_, PyAny>) -> PyResult<Self> {
        read(cls.py(), &json_text(notification)?)
    }

    /// The notification as JSON.
    fn to_json(&self) -> String {
        self.0.to_json()
    }

    /// Makes the message to one device, and the list of what the device's service cannot show. For many devices
    /// `Campaign` encodes once.
    #[pyo3(signature = (device, *, now=None))]
    fn message(
        &self,
        py: Python<'_>,
        device: &Device,
        now: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<(Py<PyAny>, Vec<NotificationLoss>)> {
        let now = clock(py, now)?;
        let (message, losses) = notification::message(&self.0, device.device(), now).or_raise(py)?;
        Ok((instance(py, message, true)?, self::losses(&losses)))
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

    fn __eq__(&self, other: &Bound<'_, PyAny>) -> bool {
        other.cast::<Self>().is_ok_and(|other| other.get().0 == self.0)
    }

    fn __hash__(&self, py: Python<'_>) -> PyResult<isize> {
        self.to_json().into_pyobject(py)?.as_any().hash()
    }

    fn __repr__(&self) -> String {
        // What is said to a person is nobody else's.
        "<Notification>".to_owned()
    }
}

fn read(py: Python<'_>, json: &[u8]) -> PyResult<Notification> {
    notification::Notification::from_json(json)
        .map(Notification)
        .or_raise(py)
}

/// One notification to many devices: the message to each app is made when its first device asks, and encoded once.
/// May be used from several threads.
#[pyclass(frozen, module = "pushcore")]
pub(crate) struct Campaign(Mutex<notification::Campaign>);

#[pymethods]
impl Campaign {
    #[new]
    fn new(notification: &Notification) -> Self {
        Self(Mutex::new(notification::Campaign::new(notification.0.clone())))
    }

    /// Makes the message to one device.
    #[pyo3(signature = (device, *, now=None))]
    fn message(
        &self,
        py: Python<'_>,
        device: &Device,
        now: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<Py<PyAny>> {
        let now = clock(py, now)?;
        let message = self.campaign().message(device.device(), now).or_raise(py)?;
        instance(py, message, true)
    }

    /// Returns what the service of a device cannot show.
    #[pyo3(signature = (device, *, now=None))]
    fn losses(
        &self,
        py: Python<'_>,
        device: &Device,
        now: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<Vec<NotificationLoss>> {
        let now = clock(py, now)?;
        let mut campaign = self.campaign();
        let rendered = campaign.rendered(device.device().app(), now).or_raise(py)?;
        Ok(losses(rendered.losses()))
    }
}

impl Campaign {
    fn campaign(&self) -> std::sync::MutexGuard<'_, notification::Campaign> {
        // Whoever panicked with the lock was a bug of ours; the campaign is whole between calls.
        self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

/// A part of a notification that a service does not take as it is.
#[pyclass(frozen, module = "pushcore", eq, hash)]
#[derive(PartialEq, Eq, Hash)]
pub(crate) struct NotificationLoss {
    /// The field of the notification.
    #[pyo3(get)]
    field: &'static str,
    /// The platform that loses the field; `None` when every device of the app does.
    #[pyo3(get)]
    platform: Option<&'static str>,
    /// `dropped`, `changed` or `shortened`.
    #[pyo3(get)]
    kind: &'static str,
    /// The reason, in a few words for a person.
    #[pyo3(get)]
    reason: &'static str,
}

#[pymethods]
impl NotificationLoss {
    fn __repr__(&self) -> String {
        let Self {
            field,
            platform,
            kind,
            reason,
        } = self;
        match platform {
            Some(platform) => format!("<NotificationLoss {field} {kind} on {platform}: {reason}>"),
            None => format!("<NotificationLoss {field} {kind}: {reason}>"),
        }
    }
}

fn losses(losses: &[Loss]) -> Vec<NotificationLoss> {
    losses
        .iter()
        .map(|loss| NotificationLoss {
            field: loss.field,
            platform: loss.platform.map(Platform::as_str),
            kind: LossKind::name(loss.kind),
            reason: loss.reason,
        })
        .collect()
}
