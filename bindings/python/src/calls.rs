//! Requests that are not messages: channels, topics, withdrawals.

use pushcore::Now;
use pushcore::http;
use pushcore::service::{self, AnyCall, CallAnswer};
use pyo3::prelude::*;

use crate::errors::OrRaise;
use crate::http::{Request, Response};
use crate::outcome::outcome;
use crate::results::{AdmGroupResult, TopicPage, TopicResult};
use crate::values::{Str, clock};
use crate::webpush::EndpointPolicy;

/// A request to a service that is not a message: `Client.call` sends it and reads the answer.
///
/// Made by `ApnsChannels`, `FcmTopics`, `AdmGroups`, `BaiduCalls` and `WebPushMessage.withdraw`. With an HTTP client of one's
/// own: send what `request` gives, and hand the answer to `outcome`.
#[pyclass(frozen, generic, module = "pushcore")]
pub(crate) struct Call(pub(crate) AnyCall);

impl Call {
    /// The meaning of the answer.
    pub(crate) fn read(&self, py: Python<'_>, response: &http::Response, now: Now) -> PyResult<Py<PyAny>> {
        answer(py, service::Call::read(&self.0, response, now))
    }
}

#[pymethods]
impl Call {
    /// The request for an HTTP client of one's own. FCM's credentials need a token first.
    #[pyo3(signature = (credentials, *, environment=None, host=None, policy=None, now=None))]
    fn request(
        &self,
        py: Python<'_>,
        credentials: &Bound<'_, PyAny>,
        environment: Option<Str>,
        host: Option<Str>,
        policy: Option<&EndpointPolicy>,
        now: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<Request> {
        let service = crate::service::of(credentials, environment, host, policy)?;
        let now = clock(py, now)?;
        py.detach(|| service::Call::request(&self.0, &service, now))
            .map(Request)
            .or_raise(py)
    }

    /// Returns the meaning of the answer to that request.
    #[pyo3(signature = (response, *, now=None))]
    fn outcome(
        &self,
        py: Python<'_>,
        response: &Response,
        now: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<Py<PyAny>> {
        self.read(py, &response.0, clock(py, now)?)
    }

    fn __repr__(&self) -> String {
        format!("<Call: {}>", self.0.name())
    }
}

/// The answer to a call as a Python value.
pub(crate) fn answer(py: Python<'_>, answer: CallAnswer) -> PyResult<Py<PyAny>> {
    match answer {
        CallAnswer::Text(text) => Ok(text.into_pyobject(py)?.into_any().unbind()),
        CallAnswer::Texts(texts) => Ok(texts.into_pyobject(py)?.into_any().unbind()),
        CallAnswer::Group { succeeded, failed } => {
            Ok(Py::new(py, AdmGroupResult::new(succeeded, failed))?.into_any())
        }
        CallAnswer::Json(value) => {
            let loads = py.import("json")?.getattr("loads")?;
            Ok(loads.call1((value.to_string(),))?.unbind())
        }
        CallAnswer::Page(page) => Ok(Py::new(py, TopicPage::from(page))?.into_any()),
        CallAnswer::Batch(results) => {
            let results: Vec<TopicResult> = results.into_iter().map(TopicResult::from).collect();
            Ok(results.into_pyobject(py)?.into_any().unbind())
        }
        CallAnswer::Outcome(answer) => outcome(py, answer),
    }
}
