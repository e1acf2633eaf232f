//! A message without a target: what a campaign has in common.

use pushcore::Error;
use pushcore::service::{Kind, Message, Template};
use pyo3::prelude::*;
use pyo3::types::PyTuple;

use crate::base::PyMessage;
use crate::errors::OrRaise;
use crate::message::{instance, message};
use crate::target::{is_checked, target};
use crate::values::{Str, json_text};
use crate::webpush::EndpointPolicy;

/// A checked message without a target, encoded once: for `send_many`, `batch` and `to`.
#[pyclass(frozen, module = "pushcore", name = "Template")]
pub(crate) struct PyTemplate(pub(crate) Template);

#[pymethods]
impl PyTemplate {
    /// Reads a message without a target in the form of `docs/messages.md`.
    #[new]
    fn new(py: Python<'_>, service: Str, message: &Bound<'_, PyAny>) -> PyResult<Self> {
        let kind = Kind::parse(&service).or_raise(py)?;
        Template::from_json(kind, &json_text(message)?)
            .or_raise(py)
            .map(Self)
    }

    /// The name of the service: `apns`, `fcm`, `web_push`, `adm` or `baidu`.
    #[getter]
    fn service(&self) -> &'static str {
        self.0.kind().as_str()
    }

    /// The message to a target: a `Target`, or what one is made from.
    #[pyo3(signature = (target, /, *, policy=None))]
    fn to(
        &self,
        target: &Bound<'_, PyAny>,
        policy: Option<&Bound<'_, EndpointPolicy>>,
    ) -> PyResult<Py<PyAny>> {
        let py = target.py();
        // A subscription that no policy was asked about is checked when the message is sent.
        let checked = policy.is_some() || is_checked(target);
        let target = self::target(self.0.kind(), target, policy.map(|policy| policy.get()))?;
        instance(py, self.0.to(&target).or_raise(py)?, checked)
    }

    /// The template as JSON, which the constructor reads.
    fn to_json(&self) -> String {
        self.0.to_json()
    }

    fn __getnewargs__<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyTuple>> {
        (self.service(), self.to_json()).into_pyobject(py)
    }

    fn __eq__(&self, other: &Bound<'_, PyAny>) -> bool {
        other.cast::<Self>().is_ok_and(|other| {
            let other = &other.get().0;
            self.0.kind() == other.kind() && self.to_json() == other.to_json()
        })
    }

    fn __hash__(&self, py: Python<'_>) -> PyResult<isize> {
        self.to_json().into_pyobject(py)?.hash()
    }

    fn __repr__(&self) -> String {
        format!("<Template {}>", self.service())
    }
}

/// The common part of a bulk send: a message, whose own target does not matter, or a template.
pub(crate) enum Pattern {
    Message(Message),
    Template(Template),
}

impl Pattern {
    /// Reads either.
    pub(crate) fn read(value: &Bound<'_, PyAny>) -> PyResult<Self> {
        match value.cast::<PyTemplate>() {
            Ok(template) => Ok(Self::Template(template.get().0.clone())),
            Err(_) => message(value).map(Self::Message),
        }
    }

    /// The message to a target.
    pub(crate) fn to(&self, value: &Bound<'_, PyAny>) -> PyResult<Message> {
        let made: Result<Message, Error> = match self {
            Self::Message(message) => message.to(&target(message.kind(), value, None)?),
            Self::Template(template) => template.to(&target(template.kind(), value, None)?),
        };
        made.or_raise(value.py())
    }
}

/// The template of a message, for `BaseMessage.template`.
pub(crate) fn of(py: Python<'_>, message: &PyMessage) -> PyResult<PyTemplate> {
    message.message().template().or_raise(py).map(PyTemplate)
}
