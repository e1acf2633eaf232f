//! The blocking client. Python is detached while it works, and looks at signals between steps.

use std::sync::Arc;
use std::time::Duration;

use pushcore::outcome::OnSuspicion;
use pushcore::session::{ConnectionReport, HostReport, Priority, SendOptions, Stats};
use pushcore::{Error, ErrorKind, http};
use pushcore_client::{Batch, Client, Exchange, Patience};
use pyo3::PyTraverseError;
use pyo3::gc::PyVisit;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::PyDict;

use crate::blocking_batch::BlockingBatch;
use crate::calls::Call;
use crate::errors::{OrRaise, raise};
use crate::http::{Request, Response};
use crate::message::message;
use crate::metrics::PyMetrics;
use crate::outcome::outcome;
use crate::progress::event;
use crate::send_many::{ATTENTION, SendMany};
use crate::service::Service;
use crate::template::Pattern;
use crate::values::{Str, optional_duration};
use crate::watch::Watch;

/// The blocking client of one process.
#[pyclass(frozen, module = "pushcore._pushcore")]
pub(crate) struct BlockingClient {
    client: Arc<Client>,
    watch: Watch,
    deadline: Duration,
}

#[pymethods]
impl BlockingClient {
    /// Events are handed to `on_event` while the client is driven; without it they wait for `poll_event`.
    #[new]
    #[pyo3(signature = (service, on_event=None))]
    fn new(py: Python<'_>, service: &Service, on_event: Option<Py<PyAny>>) -> PyResult<Self> {
        let client = Arc::new(py.detach(|| service.client()).or_raise(py)?);
        Ok(Self {
            watch: Watch::new(Arc::clone(&client), on_event),
            client,
            deadline: service.longest(),
        })
    }

    /// Sends one message and waits for its end.
    #[pyo3(signature = (message, *, deadline=None, priority=None))]
    fn send(
        &self,
        py: Python<'_>,
        message: &Bound<'_, PyAny>,
        deadline: Option<&Bound<'_, PyAny>>,
        priority: Option<Str>,
    ) -> PyResult<Py<PyAny>> {
        let message = self::message(message)?;
        let options = one_options(py, deadline, priority)?;
        let patience = self.patience(options);
        let mut batch = Batch::new(Arc::clone(&self.client), Some(1)).or_raise(py)?;
        let mut waiting = true;
        loop {
            let step = self.watch.detached(py, || -> Result<_, Error> {
                let mut refused = None;
                let left = patience.left();
                if waiting {
                    let options = options.deadline(left);
                    waiting = !batch.submit([(&message, 0)], options, |taken| refused = taken.err())?;
                }
                match refused {
                    Some(error) => Err(error),
                    None if waiting && left.is_zero() => Err(Patience::expired()),
                    None if waiting => Ok(batch.wait(ATTENTION.min(left))?.next()),
                    None => Ok(batch.wait(ATTENTION)?.next()),
                }
            })?;
            match step.or_raise(py)? {
                Some(ended) => match ended.into_result() {
                    Ok(answer) => return outcome(py, answer),
                    Err(error) => return Err(raise(py, &error)),
                },
                // Raising drops the batch, which cancels the message.
                None => py.check_signals()?,
            }
        }
    }

    /// Sends every message of an iterable, or `template` to every target of one.
    #[pyo3(signature = (
        source, *, template=None, deadline=None, on_progress=None, progress_every=None, on_suspicion=None,
        priority=None,
    ))]
    #[allow(clippy::too_many_arguments, reason = "they are keyword arguments")]
    fn send_many(
        &self,
        py: Python<'_>,
        source: &Bound<'_, PyAny>,
        template: Option<&Bound<'_, PyAny>>,
        deadline: Option<&Bound<'_, PyAny>>,
        on_progress: Option<Py<PyAny>>,
        progress_every: Option<&Bound<'_, PyAny>>,
        on_suspicion: Option<Str>,
        priority: Option<Str>,
    ) -> PyResult<SendMany> {
        let template = template.map(Pattern::read).transpose()?;
        let every = optional_duration(progress_every)?;
        let expected = source
            .call_method0(intern!(py, "__len__"))
            .and_then(|len| len.extract())
            .ok();
        let batch = Batch::new(Arc::clone(&self.client), expected).or_raise(py)?;
        let options = bulk_options(py, deadline, on_suspicion, priority)?;
        let longest = options.deadline.unwrap_or(Duration::MAX);
        let watch = self.watch.clone_ref(py);
        SendMany::new(
            batch,
            watch,
            source,
            template,
            options,
            longest,
            (on_progress, every),
        )
    }

    /// Many messages in the caller's own loop: submit, wait, submit again.
    #[pyo3(signature = (*, template=None, deadline=None, priority=None))]
    fn batch(
        &self,
        py: Python<'_>,
        template: Option<&Bound<'_, PyAny>>,
        deadline: Option<&Bound<'_, PyAny>>,
        priority: Option<Str>,
    ) -> PyResult<BlockingBatch> {
        let template = template.map(Pattern::read).transpose()?;
        let batch = Batch::new(Arc::clone(&self.client), None).or_raise(py)?;
        let watch = self.watch.clone_ref(py);
        let options = one_options(py, deadline, priority)?;
        Ok(BlockingBatch::new(batch, watch, template, options))
    }

    /// The counts and latencies of this client.
    fn metrics(&self, py: Python<'_>) -> PyResult<PyMetrics> {
        py.detach(|| self.client.metrics()).or_raise(py).map(PyMetrics)
    }

    /// How many messages are where.
    fn stats<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let now = py.detach(|| self.client.stats());
        stats(py, &now)
    }

    /// Every connection as it is now.
    fn connections<'py>(&self, py: Python<'py>) -> PyResult<Vec<Bound<'py, PyDict>>> {
        connections(py, &py.detach(|| self.client.connections()))
    }

    /// Every host that is connected or that messages wait for.
    fn hosts<'py>(&self, py: Python<'py>) -> PyResult<Vec<Bound<'py, PyDict>>> {
        hosts(py, &py.detach(|| self.client.hosts()))
    }

    /// Whether many answers in a row blame the tokens, so that the configuration is probably wrong.
    fn is_mix_up_suspected(&self, py: Python<'_>) -> bool {
        py.detach(|| self.client.is_mix_up_suspected())
    }

    /// Bytes of header blocks sent and received so far.
    fn header_bytes(&self, py: Python<'_>) -> (u64, u64) {
        let bytes = py.detach(|| self.client.header_bytes());
        (bytes.sent, bytes.received)
    }

    /// The next thing that happened; never waits.
    fn poll_event<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyAny>>> {
        let next = py.detach(|| self.client.poll_event());
        next.map(|next| event(py, next)).transpose()
    }

    /// Hands what has happened to `on_event`. Never waits.
    fn pump(&self, py: Python<'_>) -> PyResult<()> {
        self.watch.pump(py)
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        self.watch.traverse(&visit)
    }

    /// Sends a request that is not a message and reads the answer.
    #[pyo3(signature = (call, *, deadline=None))]
    fn call(
        &self,
        py: Python<'_>,
        call: &Bound<'_, Call>,
        deadline: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<Py<PyAny>> {
        let options = options(deadline)?;
        let call = call.get();
        let response = self.answer(py, options, |options| {
            Exchange::call(Arc::clone(&self.client), &call.0, options)
        })?;
        call.read(py, &response, pushcore_client::now())
    }

    /// Sends a request to one of the service's hosts; the answer is whatever came.
    #[pyo3(signature = (request, *, deadline=None))]
    fn exchange(
        &self,
        py: Python<'_>,
        request: &Bound<'_, Request>,
        deadline: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<Response> {
        let (request, options) = (request.get(), options(deadline)?);
        let begin = |options| Exchange::new(Arc::clone(&self.client), &request.0, options);
        self.answer(py, options, begin).map(Response)
    }

    /// Waits until what was taken has ended, then closes the connections.
    fn close(&self, py: Python<'_>) -> PyResult<()> {
        while !self
            .watch
            .detached(py, || self.client.close_for(ATTENTION))?
            .or_raise(py)?
        {
            // What is raised here leaves the rest to another `close`, or to the end of the client.
            py.check_signals()?;
        }
        Ok(())
    }
}

impl BlockingClient {
    fn patience(&self, options: SendOptions) -> Patience {
        Patience::new(options.deadline.unwrap_or(self.deadline))
    }

    /// Waits for the end of the exchange that `begin` begins, sooner or later.
    fn answer(
        &self,
        py: Python<'_>,
        options: SendOptions,
        begin: impl Fn(SendOptions) -> Result<Option<Exchange>, Error> + Sync,
    ) -> PyResult<http::Response> {
        let patience = self.patience(options);
        let mut exchange = None;
        loop {
            let step = self.watch.detached(py, || -> Result<_, Error> {
                let left = patience.left();
                match &mut exchange {
                    None => exchange = begin(options.deadline(left))?,
                    Some(exchange) => return exchange.wait(ATTENTION),
                }
                match exchange.is_none() && left.is_zero() {
                    true => Err(Patience::expired()),
                    false => Ok(None),
                }
            })?;
            match step.or_raise(py)? {
                Some(response) => return Ok(response),
                // Raising drops the exchange, which cancels it.
                None => py.check_signals()?,
            }
        }
    }
}

pub(crate) fn options(deadline: Option<&Bound<'_, PyAny>>) -> PyResult<SendOptions> {
    let mut options = SendOptions::default();
    options.deadline = optional_duration(deadline)?;
    Ok(options)
}

/// The options of one message, or of each of many.
pub(crate) fn one_options(
    py: Python<'_>,
    deadline: Option<&Bound<'_, PyAny>>,
    priority: Option<Str>,
) -> PyResult<SendOptions> {
    let mut options = options(deadline)?;
    if let Some(name) = priority {
        let choice = Priority::from_name(&name).ok_or_else(|| {
            Error::new(
                ErrorKind::InvalidValue,
                "priority is neither \"interactive\" nor \"bulk\"",
            )
        });
        options.priority = Some(choice.or_raise(py)?);
    }
    Ok(options)
}

/// The options of a bulk send.
pub(crate) fn bulk_options(
    py: Python<'_>,
    deadline: Option<&Bound<'_, PyAny>>,
    on_suspicion: Option<Str>,
    priority: Option<Str>,
) -> PyResult<SendOptions> {
    let mut options = one_options(py, deadline, priority)?.bulk();
    if let Some(name) = on_suspicion {
        let choice = OnSuspicion::from_name(&name).ok_or_else(|| {
            Error::new(
                ErrorKind::InvalidValue,
                "on_suspicion is neither \"go_on\" nor \"stop\"",
            )
        });
        options.on_suspicion = choice.or_raise(py)?;
    }
    Ok(options)
}

/// Connections as `dict`s.
pub(crate) fn connections<'py>(
    py: Python<'py>,
    reports: &[ConnectionReport],
) -> PyResult<Vec<Bound<'py, PyDict>>> {
    let dict = |report: &ConnectionReport| {
        let dict = PyDict::new(py);
        dict.set_item("link", report.link.to_u64())?;
        dict.set_item("authority", report.authority.as_str())?;
        dict.set_item("ready", report.ready)?;
        dict.set_item("retired", report.retired)?;
        dict.set_item("surplus", report.surplus)?;
        dict.set_item("in_flight", report.in_flight)?;
        dict.set_item("streams", report.streams)?;
        dict.set_item("window", report.window)?;
        dict.set_item("widest_window", report.widest_window)?;
        let round_trip = report.round_trip.map(|time| time.as_secs_f64());
        dict.set_item("round_trip", round_trip)?;
        Ok(dict)
    };
    reports.iter().map(dict).collect()
}

/// Hosts as `dict`s.
pub(crate) fn hosts<'py>(py: Python<'py>, reports: &[HostReport]) -> PyResult<Vec<Bound<'py, PyDict>>> {
    let dict = |report: &HostReport| {
        let dict = PyDict::new(py);
        dict.set_item("authority", report.authority.as_str())?;
        dict.set_item("waiting", report.waiting)?;
        dict.set_item("in_flight", report.in_flight)?;
        dict.set_item("connections", report.connections)?;
        dict.set_item("waits_for", report.waits_for.map(|reason| reason.name()))?;
        Ok(dict)
    };
    reports.iter().map(dict).collect()
}

/// The counters as a `dict`.
pub(crate) fn stats<'py>(py: Python<'py>, stats: &Stats) -> PyResult<Bound<'py, PyAny>> {
    let dict = PyDict::new(py);
    for (name, count) in stats.list() {
        dict.set_item(name, count)?;
    }
    Ok(dict.into_any())
}
