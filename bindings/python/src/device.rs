//! Devices, and what a result says about them.

use pushcore::Error;
use pushcore::http::Authority;
use pushcore::notification::{self, FeedbackParts, Platform};
use pushcore::outcome::{Outcome, Scope, Suspect};
use pushcore::service::{Kind, Target};
use pushcore::webpush::EndpointPolicy as Policy;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyString, PyTuple, PyType};

use crate::errors::{OrRaise, kind_of};
use crate::fields::{self, Field, Form};
use crate::outcome::PyOutcome;
use crate::values::{Items, Str, clock, json_text, seconds, type_error, unix_time, unknown_word};
use crate::webpush::{EndpointPolicy, Subscription};

/// The keywords of a device, and the fields of its form.
const FIELDS: &[Field] = &[
    ("app", "app", fields::text),
    ("environment", "environment", fields::text),
    ("platform", "platform", fields::text),
    ("registered_at", "registered_at_ms", millis),
    ("key", "key", fields::text),
];

fn millis(value: &Bound<'_, PyAny>) -> PyResult<serde_json::Value> {
    Ok(unix_time(value)?.as_millis().into())
}

/// One row of a table of devices: a service, a token or subscription, its app, when it was registered, and a key of
/// the caller's own. Never changes.
///
/// A token that has the form of another service's is refused: `MessageError`.
#[pyclass(frozen, module = "pushcore")]
pub(crate) struct Device(notification::Device);

impl Device {
    pub(crate) fn device(&self) -> &notification::Device {
        &self.0
    }
}

#[pymethods]
impl Device {
    #[new]
    #[pyo3(signature = (service, token, *, policy=None, **fields))]
    fn new(
        py: Python<'_>,
        service: Str,
        token: &Bound<'_, PyAny>,
        policy: Option<&EndpointPolicy>,
        fields: Option<&Bound<'_, PyDict>>,
    ) -> PyResult<Self> {
        let kind = Kind::parse(&service).or_raise(py)?;
        let mut form = Form::of(fields, FIELDS)?;
        form.put("service", kind.as_str().into());
        if kind == Kind::WebPush {
            // A subscription that was read before has met its policy.
            if let Ok(known) = token.cast::<Subscription>() {
                let known = &known.get().0;
                let origin = known.endpoint().authority().clone();
                form.put("subscription", known.to_json().into());
                return read(py, form.json().as_bytes(), &Policy::default().trust(origin));
            }
            let text = String::from_utf8_lossy(&json_text(token)?).into_owned();
            form.put("subscription", text.into());
        } else if token.is_instance_of::<PyString>() {
            form.put("token", fields::text(token)?);
        } else if token.is_instance_of::<PyDict>() {
            form.put("token", fields::object(token)?);
        } else if kind == Kind::Apns {
            let device = crate::apns::device(token)?;
            form.put("token", Target::Apns(device).to_text().into());
        } else {
            return Err(type_error(token, "a token as str"));
        }
        let policy = policy.map(|policy| policy.0.clone()).unwrap_or_default();
        read(py, form.json().as_bytes(), &policy)
    }

    /// Reads a device in the form of `docs/notification.md`: a dict, or JSON as `str` or `bytes`.
    #[classmethod]
    #[pyo3(signature = (device, /, *, policy=None))]
    fn from_json(
        cls: &Bound<'_, PyType>,
        device: &Bound<'_, PyAny>,
        policy: Option<&EndpointPolicy>,
    ) -> PyResult<Self> {
        let policy = policy.map(|policy| policy.0.clone()).unwrap_or_default();
        read(cls.py(), &json_text(device)?, &policy)
    }

    /// The device as JSON, with its token: for the caller's own storage, not for logs.
    fn to_json(&self) -> String {
        self.0.to_json()
    }

    /// The name of the service.
    #[getter]
    fn service(&self) -> &'static str {
        self.0.service().as_str()
    }

    /// The token, or the subscription as JSON with its `auth` secret.
    #[getter]
    fn token(&self) -> String {
        self.0.token()
    }

    /// The app: bundle id, project id or a name of the caller's own; `None` when it was not given.
    #[getter]
    fn app(&self) -> Option<&str> {
        self.0.app().name()
    }

    /// The environment; `production` for a service that has only one.
    #[getter]
    fn environment(&self) -> &'static str {
        self.0.app().environment().name()
    }

    /// The platform; `None` when it was not given.
    #[getter]
    fn platform(&self) -> Option<&'static str> {
        self.0.app().platform().map(Platform::as_str)
    }

    /// When the app registered the token, in seconds since 1970; `None` when the caller did not say.
    #[getter]
    fn registered_at(&self) -> Option<f64> {
        self.0.registered_at().map(seconds)
    }

    /// The caller's own key; `None` when there is none.
    #[getter]
    fn key(&self) -> Option<&str> {
        self.0.key()
    }

    /// Returns the same device with the token that a service named in place of the old one, registered now.
    #[pyo3(signature = (token, *, now=None))]
    fn with_token(&self, py: Python<'_>, token: Str, now: Option<&Bound<'_, PyAny>>) -> PyResult<Self> {
        let now = clock(py, now)?.unix;
        self.0.with_token(&token, now).map(Self).or_raise(py)
    }

    fn __copy__(slf: Py<Self>) -> Py<Self> {
        slf
    }

    fn __deepcopy__(slf: Py<Self>, _memo: &Bound<'_, PyAny>) -> Py<Self> {
        slf
    }

    fn __reduce__<'py>(&self, py: Python<'py>) -> PyResult<(Bound<'py, PyAny>, Bound<'py, PyTuple>)> {
        let origin = match self.0.target() {
            Target::WebPush(subscription) => Some(subscription.endpoint().authority().as_str()),
            _ => None,
        };
        let restore = py.import("pushcore._pushcore")?.getattr("restore_device")?;
        Ok((restore, (self.to_json(), origin).into_pyobject(py)?))
    }

    fn __eq__(&self, other: &Bound<'_, PyAny>) -> bool {
        other.cast::<Self>().is_ok_and(|other| other.get().0 == self.0)
    }

    fn __hash__(&self, py: Python<'_>) -> PyResult<isize> {
        self.to_json().into_pyobject(py)?.as_any().hash()
    }

    fn __repr__(&self) -> String {
        // The token is its holder's power to send, and the key may be personal.
        match self.app() {
            Some(app) => format!("<Device {} {app}>", self.service()),
            None => format!("<Device {}>", self.service()),
        }
    }
}

fn read(py: Python<'_>, json: &[u8], policy: &Policy) -> PyResult<Device> {
    notification::Device::from_json_under(json, policy)
        .map(Device)
        .or_raise(py)
}

/// A device out of a pickle: what a client sends to is the client's policy.
#[pyfunction]
pub(crate) fn restore_device(py: Python<'_>, json: Str, origin: Option<Str>) -> PyResult<Device> {
    let policy = match origin {
        Some(origin) => Policy::default().trust(Authority::parse(&origin).or_raise(py)?),
        None => Policy::default(),
    };
    read(py, json.as_bytes(), &policy)
}

/// The change that a result asks for in a table of devices; `match feedback.action`.
#[pyclass(frozen, module = "pushcore")]
pub(crate) struct Feedback(notification::Feedback);

impl Feedback {
    pub(crate) fn of(feedback: notification::Feedback) -> Self {
        Self(feedback)
    }
}

#[pymethods]
impl Feedback {
    #[classattr]
    fn __match_args__() -> (&'static str,) {
        ("action",)
    }

    /// A feedback made by hand, for tests.
    #[new]
    #[pyo3(signature = (
        action, *, replacement=None, until=None, scope=None, cause=None, suspects=Items::default(), clock_skew=None
    ))]
    #[allow(clippy::too_many_arguments, reason = "they are keyword arguments")]
    fn new(
        py: Python<'_>,
        action: Str,
        replacement: Option<Str>,
        until: Option<&Bound<'_, PyAny>>,
        scope: Option<Str>,
        cause: Option<Str>,
        suspects: Items<Str>,
        clock_skew: Option<i64>,
    ) -> PyResult<Self> {
        let mut parts = FeedbackParts::new(&action);
        parts.replacement = replacement.as_deref();
        parts.until = until.map(unix_time).transpose()?;
        if let Some(scope) = scope {
            let scope = Scope::from_name(&scope).ok_or_else(|| unknown_word("scope"));
            parts.scope = Some(scope.or_raise(py)?);
        }
        parts.cause = cause.as_deref();
        for name in suspects {
            let suspect = Suspect::from_name(&name).ok_or_else(|| unknown_word("a suspect"));
            parts.suspects = parts.suspects.with(suspect.or_raise(py)?);
        }
        parts.clock_skew = clock_skew;
        notification::Feedback::from_parts(&parts).map(Self).or_raise(py)
    }

    /// `keep`, `delete`, `replace`, `wait` or `check_configuration`.
    #[getter]
    fn action(&self) -> &'static str {
        self.0.name()
    }

    /// The new token; `None` except for `replace`.
    #[getter]
    fn replacement(&self) -> Option<&str> {
        self.0.parts().replacement
    }

    /// The earliest time of the next message, in seconds since 1970; `None` except for `wait` with a known time.
    #[getter]
    fn until(&self) -> Option<f64> {
        self.0.parts().until.map(seconds)
    }

    /// The messages that have to wait; `None` except for `wait`.
    #[getter]
    fn scope(&self) -> Option<&'static str> {
        self.0.parts().scope.map(Scope::name)
    }

    /// The part of the configuration to check: `suspects`, `credentials`, `clock`, `device` or `connection`; `None`
    /// except for `check_configuration`.
    #[getter]
    fn cause(&self) -> Option<&str> {
        self.0.parts().cause
    }

    /// The settings to check, for the cause `suspects`.
    #[getter]
    fn suspects<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyTuple>> {
        let names: Vec<_> = self.0.parts().suspects.iter().map(Suspect::name).collect();
        PyTuple::new(py, names)
    }

    /// The error of this machine's clock in seconds; `None` except for the cause `clock`.
    #[getter]
    fn clock_skew(&self) -> Option<i64> {
        self.0.parts().clock_skew
    }

    fn __eq__(&self, other: &Bound<'_, PyAny>) -> bool {
        other.cast::<Self>().is_ok_and(|other| other.get().0 == self.0)
    }

    fn __hash__(&self, py: Python<'_>) -> PyResult<isize> {
        let parts = (self.action(), self.scope(), self.cause());
        parts.into_pyobject(py)?.as_any().hash()
    }

    fn __copy__(slf: Py<Self>) -> Py<Self> {
        slf
    }

    fn __deepcopy__(slf: Py<Self>, _memo: &Bound<'_, PyAny>) -> Py<Self> {
        slf
    }

    /// The arguments that make the same feedback, by their names.
    fn __getnewargs_ex__<'py>(&self, py: Python<'py>) -> PyResult<((&'static str,), Bound<'py, PyDict>)> {
        let keywords = PyDict::new(py);
        keywords.set_item("replacement", self.replacement())?;
        keywords.set_item("until", self.until())?;
        keywords.set_item("scope", self.scope())?;
        keywords.set_item("cause", self.cause())?;
        keywords.set_item("suspects", self.suspects(py)?)?;
        keywords.set_item("clock_skew", self.clock_skew())?;
        Ok(((self.action(),), keywords))
    }

    fn __repr__(&self) -> String {
        format!("<Feedback {}>", self.action())
    }
}

/// Returns what the result of one message, an `Outcome` or an exception of `pushcore`, means for its device. `now` is the
/// time of the answer, which a wait is counted from.
#[pyfunction]
#[pyo3(signature = (result, device, *, now=None))]
pub(crate) fn feedback(
    py: Python<'_>,
    result: &Bound<'_, PyAny>,
    device: &Device,
    now: Option<&Bound<'_, PyAny>>,
) -> PyResult<Feedback> {
    let (result, now) = (self::result(result)?, clock(py, now)?.unix);
    Ok(Feedback(notification::feedback(&result, &device.0, now)))
}

/// A result as a bulk send yields it: an outcome, or an exception.
pub(crate) fn result(value: &Bound<'_, PyAny>) -> PyResult<Result<Outcome, Error>> {
    if let Ok(outcome) = value.cast::<PyOutcome>() {
        return Ok(Ok(outcome.get().outcome().clone()));
    }
    match error(value, 0)? {
        Some(error) => Ok(Err(error)),
        None => Err(type_error(value, "an Outcome or a PushcoreError")),
    }
}

/// The deepest chain of causes that is read.
const MOST_CAUSES: u8 = 16;

/// An exception of `pushcore` with its causes; `None` for any other value.
fn error(value: &Bound<'_, PyAny>, depth: u8) -> PyResult<Option<Error>> {
    let code = value.getattr("code").and_then(|code| code.extract::<u16>());
    let Some(kind) = code.ok().and_then(kind_of) else {
        return Ok(None);
    };
    let error = Error::new(kind, value.str()?.to_string());
    if depth >= MOST_CAUSES {
        return Ok(Some(error));
    }
    let cause = match value.getattr("__cause__") {
        Ok(cause) => self::error(&cause, depth + 1)?,
        Err(_) => None,
    };
    Ok(Some(match cause {
        Some(cause) => error.with_source(cause),
        None => error,
    }))
}

/// A time as a keyword of a form, in whole seconds.
pub(crate) fn whole_seconds(value: &Bound<'_, PyAny>) -> PyResult<serde_json::Value> {
    Ok(unix_time(value)?.as_secs().into())
}
