//! Requests of other push systems: `pushcore.dialect`.

use std::sync::{Mutex, MutexGuard, PoisonError};

use pushcore::dialect::{self, Action, Job, Step, System};
use pushcore::http::Incoming;
use pushcore::service::Target;
use pushcore::{Error, ErrorKind, UnixTime};
use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict};

use crate::errors::{OrRaise, refusal};
use crate::message::instance;
use crate::outcome::PyOutcome;
use crate::values::{Str, bytes, clock, json, json_object, json_text, seconds};
use crate::webpush::EndpointPolicy;

/// A push system whose requests are understood, with options: jobs are begun from it.
#[pyclass(frozen, module = "pushcore.dialect")]
pub(crate) struct Dialect(dialect::Dialect);

#[pymethods]
impl Dialect {
    /// `system` is the name of a system, for example `"pinpoint"`; `options` are described in `docs/dialects.md`.
    /// Raises `MessageError`.
    #[new]
    #[pyo3(signature = (system, options=None))]
    fn new(py: Python<'_>, system: Str, options: Option<&Bound<'_, PyDict>>) -> PyResult<Self> {
        let system = System::parse(&system).or_raise(py)?;
        let options = options.map(json_object).transpose()?.unwrap_or_default();
        let text = serde_json::Value::Object(options).to_string();
        dialect::Dialect::new(system, text.as_bytes())
            .map(Self)
            .or_raise(py)
    }

    /// The names of all systems.
    #[staticmethod]
    fn systems() -> Vec<&'static str> {
        System::ALL.iter().map(|system| system.as_str()).collect()
    }

    /// The name of the system.
    #[getter]
    fn system(&self) -> &'static str {
        self.0.system().as_str()
    }

    /// Method, path and operation of every request that is understood; `{name}` in a path stands for one segment.
    #[getter]
    fn routes(&self) -> Vec<(&'static str, &'static str, &'static str)> {
        let routes = self.0.routes().iter();
        routes
            .map(|route| (route.method.as_str(), route.path, route.operation))
            .collect()
    }

    /// Begins the job of a request that came in.
    ///
    /// `target` is the raw target, path and query as they stood on the wire; `headers` are all headers in their order, as
    /// pairs of `bytes` or `str` (a `str` is taken as Latin-1, as WSGI has it); `body` the bytes of the body, without
    /// chunks. `now` is `time.time()` by default. Raises `MessageError` for a target that no HTTP server lets through.
    #[pyo3(signature = (method, target, headers, body, *, now=None))]
    fn begin(
        &self,
        py: Python<'_>,
        method: Str,
        target: Str,
        headers: &Bound<'_, PyAny>,
        body: &Bound<'_, PyAny>,
        now: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<DialectJob> {
        let mut incoming = Incoming::new(&method, &target, bytes(body)?).or_raise(py)?;
        for pair in headers.try_iter()? {
            let pair = pair?;
            if pair.len()? != 2 {
                return Err(PyTypeError::new_err("a header is a pair of name and value"));
            }
            // ASGI has lists, WSGI's servers have tuples.
            incoming = incoming.with_header(header(&pair.get_item(0)?)?, header(&pair.get_item(1)?)?);
        }
        let now: UnixTime = clock(py, now)?.unix;
        Ok(DialectJob(Mutex::new(self.0.begin(incoming, now))))
    }

    fn __repr__(&self) -> String {
        format!("<Dialect {}>", self.0.system())
    }
}

/// A header's bytes. WSGI's texts hold one byte in each character.
fn header(value: &Bound<'_, PyAny>) -> PyResult<Vec<u8>> {
    if value.is_instance_of::<pyo3::types::PyString>() {
        let encoded = value.call_method1("encode", ("latin-1",))?;
        return Ok(encoded.cast::<PyBytes>()?.as_bytes().to_vec());
    }
    bytes(value)
}

/// One request on its way through a dialect: steps that wait for answers, then a reply.
#[pyclass(frozen, module = "pushcore.dialect")]
pub(crate) struct DialectJob(Mutex<Job>);

impl DialectJob {
    fn job(&self) -> MutexGuard<'_, Job> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[pymethods]
impl DialectJob {
    /// Reads a job back from `to_json`. What it waited for it waits for again. Raises `MessageError`.
    #[staticmethod]
    fn from_json(py: Python<'_>, text: &Bound<'_, PyAny>) -> PyResult<Self> {
        let job = Job::from_json(&json_text(text)?).or_raise(py)?;
        Ok(Self(Mutex::new(job)))
    }

    /// The steps that wait for an answer. All of them can be worked on at the same time; the next ones come when all are
    /// answered.
    #[getter]
    fn steps(&self) -> Vec<DialectStep> {
        self.job().steps().iter().cloned().map(DialectStep).collect()
    }

    /// The answer to the client; `None` while steps wait.
    #[getter]
    fn reply(&self) -> Option<DialectReply> {
        self.job().reply().cloned().map(DialectReply)
    }

    /// What the translation lost or changed, in words, as far as it is known now.
    #[getter]
    fn warnings(&self) -> Vec<String> {
        self.job().warnings().to_vec()
    }

    /// The name of the system.
    #[getter]
    fn system(&self) -> &'static str {
        self.job().system().as_str()
    }

    /// The operation of the routing table; `None` where no route takes the request.
    #[getter]
    fn operation(&self) -> Option<&'static str> {
        self.job().operation()
    }

    /// When the job began, in seconds since 1970.
    #[getter]
    fn began(&self) -> f64 {
        seconds(self.job().began())
    }

    /// Takes the answer to a step, as `None`, `dict` or another JSON value in the form that `docs/dialects.md` says.
    /// Raises `MisuseError` or `MessageError`; the step waits on.
    fn answer(&self, py: Python<'_>, id: u32, answer: &Bound<'_, PyAny>) -> PyResult<()> {
        let text = json(answer)?.to_string();
        self.job().answer(id, text.as_bytes()).or_raise(py)
    }

    /// Takes the result of a message: an `Outcome`, or the exception that was raised in its place.
    fn sent(&self, py: Python<'_>, id: u32, result: &Bound<'_, PyAny>) -> PyResult<()> {
        if let Ok(outcome) = result.cast::<PyOutcome>() {
            return self.job().sent(id, Ok(outcome.get().outcome())).or_raise(py);
        }
        let error = refusal(py, PyErr::from_value(result.clone()))?;
        self.job().sent(id, Err(&error)).or_raise(py)
    }

    /// Takes note that nobody knows what became of a step that sends. Nothing is sent again by itself.
    fn unknown(&self, py: Python<'_>, id: u32) -> PyResult<()> {
        self.job().unknown(id).or_raise(py)
    }

    /// The whole job as JSON, without a secret in it; `Job.from_json` reads it. Raises `MisuseError` for a request that
    /// brings credentials.
    fn to_json(&self, py: Python<'_>) -> PyResult<String> {
        self.job().to_json().or_raise(py)
    }

    fn __repr__(&self) -> String {
        let job = self.job();
        let (operation, waiting) = (job.operation().unwrap_or("no operation"), job.steps().len());
        match job.reply() {
            Some(reply) => format!("<Job {} {operation}, replied {}>", job.system(), reply.status()),
            None => format!("<Job {} {operation}, {waiting} steps wait>", job.system()),
        }
    }
}

/// One thing that a job waits for.
#[pyclass(frozen, module = "pushcore.dialect")]
pub(crate) struct DialectStep(Step);

#[pymethods]
impl DialectStep {
    /// Reads a step back from `to_json`, for a worker in another process. Raises `MessageError`.
    #[staticmethod]
    fn from_json(py: Python<'_>, text: &Bound<'_, PyAny>) -> PyResult<Self> {
        Step::from_json(&json_text(text)?).map(Self).or_raise(py)
    }

    /// The number by which the answer goes in.
    #[getter]
    fn id(&self) -> u32 {
        self.0.id()
    }

    /// `"ask"`, `"send"` or `"broadcast"`.
    #[getter]
    fn kind(&self) -> &'static str {
        self.0.kind()
    }

    /// The step as a `dict`: `{"id": 1, "step": "ask", "ask": "secret", ...}`.
    #[getter]
    fn data<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        py.import("json")?.call_method1("loads", (self.0.to_json(),))
    }

    /// The message to send, complete with its target; `None` for a step that is no `send`.
    #[getter]
    fn message(&self, py: Python<'_>) -> PyResult<Option<Py<PyAny>>> {
        match self.0.action() {
            Action::Send(send) => instance(py, send.message.clone(), true).map(Some),
            _ => Ok(None),
        }
    }

    /// The message of a broadcast to one of its targets. Raises `MisuseError` for a step that is no `broadcast`.
    #[pyo3(signature = (target, *, policy=None))]
    fn message_to(
        &self,
        py: Python<'_>,
        target: &Bound<'_, PyAny>,
        policy: Option<&EndpointPolicy>,
    ) -> PyResult<Py<PyAny>> {
        let Action::Broadcast(broadcast) = self.0.action() else {
            let text = "the step is no broadcast";
            return Err(Error::new(ErrorKind::Misuse, text)).or_raise(py);
        };
        let text = String::from_utf8(json_text(target)?)
            .map_err(|_| Error::new(ErrorKind::InvalidUtf8, "the target is not utf-8"))
            .or_raise(py)?;
        let policy = policy.map(|policy| policy.0.clone()).unwrap_or_default();
        let target = Target::parse_under(broadcast.template.kind(), &text, &policy).or_raise(py)?;
        instance(py, broadcast.template.to(&target).or_raise(py)?, true)
    }

    /// The step as JSON.
    fn to_json(&self) -> String {
        self.0.to_json()
    }

    fn __repr__(&self) -> String {
        format!("<Step {} {}>", self.0.id(), self.0.kind())
    }
}

/// The answer to the client.
#[pyclass(frozen, module = "pushcore.dialect")]
pub(crate) struct DialectReply(dialect::Reply);

#[pymethods]
impl DialectReply {
    /// The HTTP status.
    #[getter]
    fn status(&self) -> u16 {
        self.0.status()
    }

    /// Names and values in order.
    #[getter]
    fn headers(&self) -> Vec<(String, String)> {
        self.0.headers().to_vec()
    }

    /// The body. The host adds `content-length`.
    #[getter]
    fn body<'py>(&self, py: Python<'py>) -> Bound<'py, PyBytes> {
        PyBytes::new(py, self.0.body())
    }

    /// The idempotency keys that the host stores this reply under, before the client gets it.
    #[getter]
    fn remember(&self) -> Vec<String> {
        self.0.remember().to_vec()
    }

    /// The time for which the reply is remembered, in seconds.
    #[getter]
    fn remember_seconds(&self) -> u64 {
        self.0.remember_seconds()
    }

    /// The reply as JSON: `{"reply": json.loads(...)}` answers a claim later.
    fn to_json(&self) -> String {
        self.0.to_json()
    }

    fn __repr__(&self) -> String {
        format!(
            "<Reply {} body of {} bytes>",
            self.0.status(),
            self.0.body().len()
        )
    }
}

/// The SHA-256 of an API key or bearer token, as a job asks for it and a store keeps it.
#[pyfunction]
pub(crate) fn token_digest(key: Str) -> String {
    dialect::token_digest(&key)
}
