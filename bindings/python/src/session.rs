//! The session as a state machine: for event loops that own the sockets.

use std::sync::{Arc, MutexGuard};

use pushcore::http::Authority;
use pushcore::service::Message;
use pushcore::session::{self, Action, LinkId, Ticket};
use pushcore::{Error, ErrorKind, Now};
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict, PyList};

use crate::batch::{Batch, Inner, Shared};
use crate::calls::Call;
use crate::client::{bulk_options, connections, hosts, one_options, options, stats};
use crate::errors::{OrRaise, exception, kind_of, refused_item};
use crate::http::{Request, Response};
use crate::message::message;
use crate::metrics::PyMetrics;
use crate::outcome::outcome;
use crate::progress::event;
use crate::service::Service;
use crate::template::Pattern;
use crate::values::{Str, bytes, now};

/// Messages in, outcomes out: the state machine under both clients, for other event loops.
///
/// It opens no socket and reads no clock. Call `tick` with both clocks at every turn of the loop.
/// The run loop is in `examples/trio_client.py`.
#[pyclass(frozen, module = "pushcore")]
pub(crate) struct Session {
    shared: Arc<Shared>,
}

impl Session {
    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.shared.lock()
    }

    pub(crate) fn metrics_now(&self) -> session::Metrics {
        self.with(|session, _| session.metrics())
    }

    /// Does something with the session. The lock is free again when an error becomes an exception:
    /// that runs Python, which may give another thread its turn.
    fn with<T>(&self, work: impl FnOnce(&mut session::Session, Now) -> T) -> T {
        let mut inner = self.lock();
        let now = inner.now;
        work(&mut inner.session, now)
    }
}

/// Submits, then sends what was submitted: what Python hands in at one call leaves in one write.
fn flushed<T>(
    session: &mut session::Session,
    now: Now,
    submit: impl FnOnce(&mut session::Session) -> T,
) -> T {
    let submitted = submit(session);
    session.flush(now);
    submitted
}

#[pymethods]
impl Session {
    #[new]
    #[pyo3(signature = (service, *, monotonic, unix))]
    fn new(py: Python<'_>, service: &Service, monotonic: f64, unix: f64) -> PyResult<Self> {
        let ahead = pushcore_client::now().monotonic.as_secs_f64() - monotonic;
        let now = now(monotonic + ahead, unix)?;
        let session = service.session(now).or_raise(py)?;
        Ok(Self {
            shared: Arc::new(Shared::new(session, now, ahead)),
        })
    }

    /// Takes what the two clocks show, in seconds; the monotonic one may have any epoch.
    fn tick(&self, monotonic: f64, unix: f64) -> PyResult<()> {
        let mut inner = self.lock();
        inner.now = now(monotonic + inner.ahead, unix)?;
        Ok(())
    }

    /// How many more messages `submit` takes now.
    fn capacity(&self) -> usize {
        self.lock().session.capacity()
    }

    /// Takes a message, or the same message to another target; its ticket comes back with its end.
    #[pyo3(signature = (message, *, to=None, deadline=None, priority=None))]
    fn submit(
        &self,
        py: Python<'_>,
        message: &Bound<'_, PyAny>,
        to: Option<&Bound<'_, PyAny>>,
        deadline: Option<&Bound<'_, PyAny>>,
        priority: Option<Str>,
    ) -> PyResult<u64> {
        let mut message = self::message(message)?;
        if let Some(target) = to {
            message = Pattern::Message(message).to(target)?;
        }
        let options = one_options(py, deadline, priority)?;
        let ticket =
            self.with(|session, now| flushed(session, now, |session| session.submit(&message, options, now)));
        Ok(ticket.or_raise(py)?.to_u64())
    }

    /// `submit` of many, to the end of the list or of the room: for each that was looked at its
    /// ticket, or the exception that says why it cannot be sent.
    #[pyo3(signature = (items, *, template=None, deadline=None))]
    fn submit_many(
        &self,
        py: Python<'_>,
        items: &Bound<'_, PyList>,
        template: Option<&Bound<'_, PyAny>>,
        deadline: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<Vec<Py<PyAny>>> {
        let template = template.map(Pattern::read).transpose()?;
        let options = options(deadline)?;
        let room = self.with(|session, _| session.capacity());
        let mut made = Vec::with_capacity(room.min(items.len()));
        for item in items.iter().take(room) {
            let one = match &template {
                Some(template) => template.to(&item),
                None => message(&item),
            };
            made.push(match one {
                Ok(message) => Ok(message),
                Err(raised) => Err(refused_item(py, raised)?),
            });
        }
        let tickets = py.detach(|| {
            self.with(|session, now| {
                flushed(session, now, |session| {
                    let submit = |one: Result<Message, Error>| session.submit(&one?, options, now);
                    made.into_iter().map(submit).collect::<Vec<_>>()
                })
            })
        });
        let told = tickets.into_iter().map(|ticket| match ticket {
            Ok(ticket) => Ok(ticket.to_u64().into_pyobject(py)?.into_any().unbind()),
            Err(error) => exception(py, &error).map(Bound::unbind),
        });
        told.collect()
    }

    /// Many messages of one caller: their results come back with what was submitted, not by tickets.
    #[pyo3(signature = (*, template=None, deadline=None, on_suspicion=None, priority=None))]
    fn batch(
        &self,
        py: Python<'_>,
        template: Option<&Bound<'_, PyAny>>,
        deadline: Option<&Bound<'_, PyAny>>,
        on_suspicion: Option<Str>,
        priority: Option<Str>,
    ) -> PyResult<Batch> {
        let template = template.map(Pattern::read).transpose()?;
        let options = bulk_options(py, deadline, on_suspicion, priority)?;
        Ok(Batch::new(Arc::clone(&self.shared), template, options))
    }

    /// Takes a request that is not a message; its ticket comes back in `poll_responses`. `None` while
    /// the access token that it needs is being fetched: ask again.
    #[pyo3(signature = (call, *, deadline=None))]
    fn call(
        &self,
        py: Python<'_>,
        call: &Bound<'_, Call>,
        deadline: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<Option<u64>> {
        let options = options(deadline)?;
        let call = call.get();
        let ticket =
            self.with(|session, now| flushed(session, now, |session| session.call(&call.0, options, now)));
        Ok(ticket.or_raise(py)?.map(Ticket::to_u64))
    }

    /// Takes a request to one of the service's hosts; its ticket comes back in `poll_responses`.
    #[pyo3(signature = (request, *, deadline=None))]
    fn exchange(
        &self,
        py: Python<'_>,
        request: &Bound<'_, Request>,
        deadline: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<u64> {
        let options = options(deadline)?;
        let request = request.get().0.clone();
        let ticket = self
            .with(|session, now| flushed(session, now, |session| session.exchange(request, options, now)));
        Ok(ticket.or_raise(py)?.to_u64())
    }

    /// Every request of `call` and `exchange` that has ended: tickets with their answer or exception.
    fn poll_responses(&self, py: Python<'_>) -> PyResult<Vec<(u64, Py<PyAny>)>> {
        let mut ended = Vec::new();
        {
            let mut inner = self.lock();
            while let Some(end) = inner.session.poll_response() {
                ended.push(end);
            }
        }
        let result = |result| match result {
            Ok(answer) => Py::new(py, Response(answer)).map(Py::into_any),
            Err(error) => exception(py, &error).map(Bound::unbind),
        };
        ended
            .into_iter()
            .map(|(ticket, end)| Ok((ticket.to_u64(), result(end)?)))
            .collect()
    }

    /// Ends a message as cancelled; `False` when it has ended already.
    fn cancel(&self, ticket: u64) -> bool {
        self.with(|session, now| session.cancel(Ticket::from_u64(ticket), now))
    }

    /// The next thing to do: `("connect", link, host, port)` or `("close", link, last_words)`.
    fn poll_action<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyAny>>> {
        let action = self.lock().session.poll_action();
        Ok(match action {
            Some(Action::Connect { link, authority }) => {
                let parts = ("connect", link.to_u64(), authority.host(), authority.port());
                Some(parts.into_pyobject(py)?.into_any())
            }
            Some(Action::Close { link, final_bytes }) => {
                let words = PyBytes::new(py, &final_bytes);
                Some(("close", link.to_u64(), words).into_pyobject(py)?.into_any())
            }
            _ => None,
        })
    }

    /// Whether that connection is made without the proxy: to the machine's metadata server.
    fn is_direct(&self, link: u64) -> bool {
        self.lock().session.is_direct(LinkId::from_u64(link))
    }

    /// Raises if the policy refuses to connect to that address.
    fn allow_address(&self, py: Python<'_>, host: Str, port: u16, address: Str) -> PyResult<()> {
        let authority = Authority::new(&host, port).or_raise(py)?;
        let parsed = address
            .parse()
            .map_err(|_| Error::new(ErrorKind::InvalidValue, "not an address"));
        let address = parsed.or_raise(py)?;
        self.with(|session, _| session.allow_address(&authority, address))
            .or_raise(py)
    }

    /// The socket of `link` is connected.
    fn connected(&self, link: u64) {
        self.with(|session, now| session.connected(LinkId::from_u64(link), now));
    }

    /// The socket of `link` could not be connected; `code` is an `ErrorKind`.
    fn connect_failed(&self, link: u64, code: u16, text: Str) {
        let error = Error::new(
            kind_of(code).unwrap_or(ErrorKind::ConnectRefused),
            String::from(text),
        );
        self.with(|session, now| session.connect_failed(LinkId::from_u64(link), error, now));
    }

    /// Bytes from the socket of `link`.
    fn receive(&self, py: Python<'_>, link: u64, data: &Bound<'_, PyAny>) -> PyResult<()> {
        let owned;
        // Loops hand out bytes (asyncio) or a view of their buffer.
        let data: &[u8] = match data.cast::<PyBytes>() {
            Ok(data) => data.as_bytes(),
            Err(_) => {
                owned = bytes(data)?;
                &owned
            }
        };
        py.detach(|| {
            let mut inner = self.lock();
            let now = inner.now;
            inner.session.receive(LinkId::from_u64(link), data, now);
        });
        Ok(())
    }

    /// The socket of `link` has come to its end.
    fn receive_eof(&self, link: u64) {
        self.with(|session, now| session.receive_eof(LinkId::from_u64(link), now));
    }

    /// What is to be written to the socket of `link` now, at most `most` bytes of it; it counts as written.
    #[pyo3(signature = (link, most = None))]
    fn data_to_send<'py>(&self, py: Python<'py>, link: u64, most: Option<usize>) -> Bound<'py, PyBytes> {
        let link = LinkId::from_u64(link);
        let most = most.unwrap_or(usize::MAX);
        let all = self.with(|session, _| {
            let mut all = Vec::new();
            loop {
                let data = session.transmit(link);
                let data = data.get(..most - all.len()).unwrap_or(data);
                if data.is_empty() {
                    break all;
                }
                let count = data.len();
                all.extend_from_slice(data);
                session.transmitted(link, count);
            }
        });
        PyBytes::new(py, &all)
    }

    /// The next connection that may have bytes to write, told once after each change; `None` when there is no more.
    fn poll_writable(&self) -> Option<u64> {
        self.lock().session.poll_writable().map(LinkId::to_u64)
    }

    /// Every connection as it is now.
    fn connections<'py>(&self, py: Python<'py>) -> PyResult<Vec<Bound<'py, PyDict>>> {
        connections(py, &self.with(|session, _| session.connections()))
    }

    /// Every host that is connected or that messages wait for.
    fn hosts<'py>(&self, py: Python<'py>) -> PyResult<Vec<Bound<'py, PyDict>>> {
        hosts(py, &self.with(|session, _| session.hosts()))
    }

    /// Every connection there is.
    fn links(&self) -> Vec<u64> {
        self.lock().session.links().map(LinkId::to_u64).collect()
    }

    /// When `handle_timeout` has to be called, on the monotonic clock; `None` is never.
    fn poll_timeout(&self) -> Option<f64> {
        let inner = self.lock();
        let due = inner.session.poll_timeout()?;
        Some(due.as_secs_f64() - inner.ahead)
    }

    /// Time has passed.
    fn handle_timeout(&self, py: Python<'_>) {
        py.detach(|| {
            let mut inner = self.lock();
            let now = inner.now;
            inner.session.handle_timeout(now);
        });
    }

    /// Everything that has ended: tickets with their outcome or exception. What belongs to a batch goes
    /// there.
    fn poll_outcomes(&self, py: Python<'_>) -> PyResult<Vec<(u64, Py<PyAny>)>> {
        let ended = self.shared.with(|inner| {
            let mut ended = inner.batches.sort(&mut inner.session);
            if inner.batches.release(&mut inner.session, inner.now) {
                ended.extend(inner.batches.sort(&mut inner.session));
            }
            ended
        });
        let result = |result: Result<_, Error>| match result {
            Ok(answer) => outcome(py, answer),
            Err(error) => exception(py, &error).map(Bound::unbind),
        };
        ended
            .into_iter()
            .map(|(ticket, end)| Ok((ticket.to_u64(), result(end)?)))
            .collect()
    }

    /// The next thing that happened.
    fn poll_event<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyAny>>> {
        let next = self.lock().session.poll_event();
        next.map(|next| event(py, next)).transpose()
    }

    /// The stats of a session that was given nothing.
    #[staticmethod]
    fn no_stats(py: Python<'_>) -> PyResult<Bound<'_, PyAny>> {
        stats(py, &session::Stats::default())
    }

    /// The counts and latencies of this session.
    fn metrics(&self) -> PyMetrics {
        PyMetrics(self.metrics_now())
    }

    /// How many messages are where.
    fn stats<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let now = self.with(|session, _| session.stats());
        stats(py, &now)
    }

    /// Whether many answers in a row blame the tokens, so that the configuration is probably wrong.
    fn is_mix_up_suspected(&self) -> bool {
        self.with(|session, _| session.is_mix_up_suspected())
    }

    /// Bytes of header blocks sent and received so far.
    fn header_bytes(&self) -> (u64, u64) {
        let bytes = self.with(|session, _| session.header_bytes());
        (bytes.sent, bytes.received)
    }

    /// No more messages; those taken go on to their end.
    fn close(&self) {
        self.with(|session, now| session.close(now));
    }

    /// Ends every message now.
    fn abandon(&self) {
        self.with(|session, now| session.abandon(now));
    }

    /// Whether every message has ended and every connection is gone.
    fn is_closed(&self) -> bool {
        self.lock().session.is_closed()
    }
}
