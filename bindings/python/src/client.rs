//! The blocking client. Python is detached while it works, and looks at signals between steps.

use std::sync::Arc;
use std::time::Duration;

use pushcore::session::{SendOptions, SessionEvent, Stats};
use pushcore::{Error, ErrorKind, http};
use pushcore_client::{Batch, Client, ClientConfig, Exchange, Progress};
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::PyDict;

use crate::calls::Call;
use crate::errors::{OrRaise, raise};
use crate::http::{Request, Response};
use crate::message::message;
use crate::outcome::outcome;
use crate::send_many::SendMany;
use crate::service::{Room, Service};
use crate::values::optional_duration;

/// How long Python is away at most before it looks at signals (Ctrl-C).
pub(crate) const ATTENTION: Duration = Duration::from_millis(100);

/// How often a token that is being fetched is looked for.
const LOOK_AGAIN: Duration = Duration::from_millis(20);

/// The blocking client of one process.
#[pyclass(frozen, module = "pushcore._pushcore")]
pub(crate) struct BlockingClient {
    client: Arc<Client>,
    room: Arc<Room>,
    deadline: Duration,
}

#[pymethods]
impl BlockingClient {
    #[new]
    fn new(py: Python<'_>, service: &Service) -> PyResult<Self> {
        let mut config = ClientConfig::new();
        config.session = service.config();
        config.proxy = service.proxy().or_raise(py)?;
        let client = py.detach(|| Client::new(config, |config, now| service.open(config, now)));
        Ok(Self {
            client: Arc::new(client.or_raise(py)?),
            room: service.room(),
            deadline: service.config().deadline,
        })
    }

    /// Sends one message and waits for its end.
    #[pyo3(signature = (message, *, deadline=None))]
    fn send(
        &self,
        py: Python<'_>,
        message: &Bound<'_, PyAny>,
        deadline: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<Py<PyAny>> {
        let message = self::message(message)?;
        let options = options(deadline)?;
        let mut batch = Batch::new(Arc::clone(&self.client), Some(1)).or_raise(py)?;
        let mut waiting = true;
        loop {
            let step = py.detach(|| -> Result<_, Error> {
                let mut refused = None;
                if waiting {
                    waiting = !batch.submit([&message], options, |taken| refused = taken.err())?;
                }
                match refused {
                    Some(error) => Err(error),
                    None => Ok(batch.wait(ATTENTION)?.next()),
                }
            });
            match step.or_raise(py)? {
                Some((_, Ok(answer))) => return outcome(py, answer),
                Some((_, Err(error))) => return Err(raise(py, &error)),
                // Raising drops the batch, which cancels the message.
                None => py.check_signals()?,
            }
        }
    }

    /// Sends every message of an iterable, or `template` to every target of one.
    #[pyo3(signature = (source, *, template=None, deadline=None, on_progress=None, progress_every=None))]
    fn send_many(
        &self,
        py: Python<'_>,
        source: &Bound<'_, PyAny>,
        template: Option<&Bound<'_, PyAny>>,
        deadline: Option<&Bound<'_, PyAny>>,
        on_progress: Option<Py<PyAny>>,
        progress_every: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<SendMany> {
        let template = template.map(self::message).transpose()?;
        let every = optional_duration(progress_every)?;
        let expected = source
            .call_method0(intern!(py, "__len__"))
            .and_then(|len| len.extract())
            .ok();
        let batch = Batch::new(Arc::clone(&self.client), expected).or_raise(py)?;
        SendMany::new(batch, source, template, options(deadline)?, on_progress, every)
    }

    /// How many messages are where.
    fn stats<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let now = py.detach(|| self.client.stats());
        stats(py, &now)
    }

    /// Whether the answers look as if the tokens were of another environment or sender.
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

    /// Sends a request that is not a message and reads the answer.
    #[pyo3(signature = (call, *, deadline=None))]
    fn call(
        &self,
        py: Python<'_>,
        call: &Bound<'_, Call>,
        deadline: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<Py<PyAny>> {
        let options = options(deadline)?;
        let give_up = options.deadline.unwrap_or(self.deadline);
        let started = pushcore_client::now().monotonic;
        let call = call.get();
        let request = loop {
            let now = pushcore_client::now();
            match py.detach(|| call.make(&self.room, now)) {
                Err(error) if error.kind() == ErrorKind::TokenNeeded => {
                    let waited = now.monotonic.saturating_sub(started);
                    if waited >= give_up {
                        let error = Error::new(ErrorKind::Expired, "no access token came in time");
                        return Err(error).or_raise(py);
                    }
                    py.detach(|| self.client.authorization_for(LOOK_AGAIN))
                        .or_raise(py)?;
                    py.check_signals()?;
                }
                made => break made.or_raise(py)?,
            }
        };
        let response = self.answer(py, &request, options)?;
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
        self.answer(py, &request.get().0, options(deadline)?)
            .map(Response)
    }

    /// Waits until what was taken has ended, then closes the connections.
    fn close(&self, py: Python<'_>) -> PyResult<()> {
        while !py.detach(|| self.client.close_for(ATTENTION)).or_raise(py)? {
            // What is raised here leaves the rest to another `close`, or to the end of the client.
            py.check_signals()?;
        }
        Ok(())
    }
}

impl BlockingClient {
    fn answer(
        &self,
        py: Python<'_>,
        request: &http::Request,
        options: SendOptions,
    ) -> PyResult<http::Response> {
        let mut exchange = None;
        loop {
            let step = py.detach(|| -> Result<_, Error> {
                let exchange = match &mut exchange {
                    Some(exchange) => exchange,
                    empty => match Exchange::new(Arc::clone(&self.client), request, options)? {
                        Some(begun) => empty.insert(begun),
                        None => return Ok(None),
                    },
                };
                exchange.wait(ATTENTION)
            });
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
        unknown, ended, elapsed, rate,
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
    ) -> Self {
        Self {
            expected,
            taken,
            in_flight,
            accepted,
            token_gone,
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
    /// `connected`, `disconnected`, `settings_changed`, `go_away`, `token_renewed`, `token_failed`,
    /// `requeued`, `throttled`, `wedged`; others may come.
    name: &'static str,
    /// Which connection.
    link: Option<u64>,
    /// An `ErrorKind`, a GOAWAY code, or the number of streams.
    code: Option<u32>,
    /// For how long, in seconds.
    after: Option<f64>,
    /// The same in words.
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
    let make = |name, link, code, text| Event {
        name,
        link,
        code,
        after: None,
        text,
    };
    let number = |kind: ErrorKind| Some(u32::from(kind.code()));
    let made = match event {
        SessionEvent::Connected { link } => make("connected", Some(link.to_u64()), None, String::new()),
        SessionEvent::Disconnected { link, error, text } => make(
            "disconnected",
            Some(link.to_u64()),
            error.and_then(number),
            text.into(),
        ),
        SessionEvent::SettingsChanged {
            link,
            max_concurrent_streams,
        } => make(
            "settings_changed",
            Some(link.to_u64()),
            Some(max_concurrent_streams),
            String::new(),
        ),
        SessionEvent::GoAway { link, code, reason } => {
            make("go_away", Some(link.to_u64()), Some(code), reason.into())
        }
        SessionEvent::TokenRenewed => make("token_renewed", None, None, String::new()),
        SessionEvent::TokenFailed { error, text } => make("token_failed", None, number(error), text.into()),
        SessionEvent::Requeued { error } => make("requeued", None, number(error), error.name().to_owned()),
        SessionEvent::Throttled { scope, after } => Event {
            after: Some(after.as_secs_f64()),
            ..make("throttled", None, None, scope.name().to_owned())
        },
        SessionEvent::Wedged { link } => make("wedged", Some(link.to_u64()), None, String::new()),
        other => make("other", None, None, format!("{other:?}")),
    };
    Ok(Bound::new(py, made)?.into_any())
}

/// The counters as a `dict`.
pub(crate) fn stats<'py>(py: Python<'py>, stats: &Stats) -> PyResult<Bound<'py, PyAny>> {
    let dict = PyDict::new(py);
    for (name, count) in [
        ("submitted", stats.submitted),
        ("queued", stats.queued),
        ("open", stats.open),
        ("accepted", stats.accepted),
        ("token_gone", stats.token_gone),
        ("retry_later", stats.retry_later),
        ("fix_credentials", stats.fix_credentials),
        ("rejected", stats.rejected),
        ("answered", stats.answered),
        ("not_sent", stats.not_sent),
        ("unknown", stats.unknown),
        ("expired", stats.expired),
        ("cancelled", stats.cancelled),
        ("requeued", stats.requeued),
    ] {
        dict.set_item(name, count)?;
    }
    Ok(dict.into_any())
}
