//! The client whose calls are awaited.

use std::future::poll_fn;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use futures_core::Stream;
#[cfg(doc)]
use pushcore::Outcome;
use pushcore::http::{Request, Response};
use pushcore::net::h2::HeaderBytes;
use pushcore::service::{AsMessage, Call, Service};
use pushcore::session::{
    ConnectionReport, HostReport, Metrics, SendOptions, Session, SessionEvent, Stats, Ticket,
};
use pushcore::{Error, ErrorKind};
use pushcore_client::{Patience, now};
use tokio::runtime::Handle as Runtime;

use crate::config::ClientConfig;
use crate::driver::Driver;
use crate::send_many::{Iter, SendMany};
use crate::sending::Sending;
use crate::shared::{Asked, Shared};

/// How long to wait for room in the queue, or for a token, before a call is offered again.
const LOOK_AGAIN: Duration = Duration::from_millis(20);

/// Sends messages to one service, over as many connections as the load asks for.
///
/// A client is a handle: its clones share one session, which one task of the runtime drives that
/// [`Client::new`] was called in. The client starts no other task and no thread; the system's resolver uses tokio's threads for
/// blocking calls. When the last handle and the last bulk send are gone, the connections are closed and the task ends;
/// [`Client::close`] waits for what is under way first.
///
/// The clock is the machine's own: tokio's paused clock (`start_paused`) is not followed.
#[derive(Clone, Debug)]
pub struct Client {
    handle: Arc<Handle>,
}

#[derive(Debug)]
struct Handle {
    shared: Arc<Shared>,
}

impl Drop for Handle {
    fn drop(&mut self) {
        self.shared.lock().leave();
    }
}

impl Client {
    /// Opens a client that sends messages of one service with one set of credentials. No connection is made before the first
    /// message.
    ///
    /// # Errors
    /// As [`Session::new`]; `Misuse` outside a tokio runtime; what is wrong with the trust anchors where `config` names none.
    pub fn new(service: impl Into<Service>, mut config: ClientConfig) -> Result<Self, Error> {
        let runtime = Runtime::try_current().map_err(|source| {
            Error::new(ErrorKind::Misuse, "a client is made inside a tokio runtime").with_source(source)
        })?;
        let security = config.take_security()?;
        let session = Session::new(service, security, config.session, now())?;
        let shared = Arc::new(Shared::new(session));
        let driver = Driver::new(Arc::clone(&shared), config.resolver, config.proxy);
        runtime.spawn(driver);
        Ok(Self {
            handle: Arc::new(Handle { shared }),
        })
    }

    pub(crate) fn shared(&self) -> &Shared {
        &self.handle.shared
    }

    /// Sends one message and waits for its end, at most for the configured deadline.
    ///
    /// Dropping the future cancels the message; what was written already may still be shown by a device.
    ///
    /// # Errors
    /// The message's own error before anything is sent; otherwise `NotSent`, `Unknown` or `Expired`. A service's "no" is not an
    /// error: see [`Outcome`].
    pub fn send<'a>(&'a self, message: &'a (impl AsMessage + ?Sized)) -> Sending<'a> {
        self.send_with(message, SendOptions::default())
    }

    /// Sends one message with options of its own, as [`Client::send`] does.
    ///
    /// # Errors
    /// As [`Client::send`].
    pub fn send_with<'a>(
        &'a self,
        message: &'a (impl AsMessage + ?Sized),
        options: SendOptions,
    ) -> Sending<'a> {
        Sending::new(self, message.as_message(), options)
    }

    /// Sends every message of an iterator; yields each with its end, as they land, in any order.
    ///
    /// Messages are taken from the iterator as there is room for them, so that an endless one costs no memory. Nothing is sent
    /// unless the results are fetched. Dropping the stream cancels what has not ended.
    pub fn send_many<I>(&self, messages: I) -> SendMany<Iter<I::IntoIter>>
    where
        I: IntoIterator,
        I::Item: AsMessage,
    {
        SendMany::new(self.clone(), Iter::new(messages.into_iter()))
    }

    /// Sends every message of a stream, for example the rows of a database, as [`Client::send_many`] does with an iterator.
    pub fn send_stream<S>(&self, messages: S) -> SendMany<S>
    where
        S: Stream,
        S::Item: AsMessage,
    {
        SendMany::new(self.clone(), messages)
    }

    /// Sends a call and reads its answer: channels, topics, groups, withdrawals.
    ///
    /// # Errors
    /// As [`Call::request`]; `NotSent`, `Unknown` or `Expired`; what keeps the access token from being fetched.
    pub async fn call<C: Call + ?Sized>(&self, call: &C) -> Result<C::Output, Error> {
        let response = self.answer(Asked::Call(call)).await?;
        Ok(call.read(&response, now()))
    }

    /// Sends a request to one of the service's hosts and waits for the answer, whatever it is. The session's authorization is
    /// added where the request has none.
    ///
    /// # Errors
    /// As [`Session::exchange`]; `NotSent`, `Unknown` or `Expired`.
    pub async fn exchange(&self, request: &Request) -> Result<Response, Error> {
        self.answer(Asked::<dyn Call<Output = ()> + Sync>::Request(request))
            .await
    }

    async fn answer<C: Call + ?Sized>(&self, asked: Asked<'_, C>) -> Result<Response, Error> {
        let shared = self.shared();
        let patience = Patience::new(shared.lock().session.config().deadline);
        let ticket = loop {
            let left = patience.left();
            if left.is_zero() {
                return Err(Patience::expired());
            }
            let options = SendOptions::default().deadline(left);
            let offer =
                poll_fn(|context| Poll::Ready(shared.lock().submit_call(&asked, options, now(), context)));
            match offer.await {
                Poll::Ready(taken) => break taken?,
                Poll::Pending => tokio::time::sleep(LOOK_AGAIN.min(left)).await,
            }
        };
        let waiting = Waiting {
            shared,
            ticket: Some(ticket),
        };
        waiting.answer().await
    }

    /// Returns the service that the client sends to.
    pub fn service(&self) -> Service {
        self.shared().lock().session.service().clone()
    }

    /// Returns how many messages of this client are where.
    pub fn stats(&self) -> Stats {
        self.shared().lock().session.stats()
    }

    /// Returns the counts and latencies of this client, for a monitoring system; see [`Metrics::open_metrics`].
    pub fn metrics(&self) -> Metrics {
        self.shared().lock().session.metrics()
    }

    /// Returns every connection as it is now: its streams, window and round trip.
    pub fn connections(&self) -> Vec<ConnectionReport> {
        self.shared().lock().session.connections()
    }

    /// Returns every host that is connected or that messages wait for, with what they wait for.
    pub fn hosts(&self) -> Vec<HostReport> {
        self.shared().lock().session.hosts()
    }

    /// Returns the bytes of header blocks so far; see [`Session::header_bytes`].
    pub fn header_bytes(&self) -> HeaderBytes {
        self.shared().lock().session.header_bytes()
    }

    /// Whether many answers in a row blame the tokens, so that the configuration is probably wrong; see
    /// [`Session::is_mix_up_suspected`].
    pub fn is_mix_up_suspected(&self) -> bool {
        self.shared().lock().session.is_mix_up_suspected()
    }

    /// Returns the next thing that happened, for logs and metrics; `None` where there is nothing new. The last 1,024 are kept.
    pub fn poll_event(&self) -> Option<SessionEvent> {
        self.shared().lock().poll_event()
    }

    /// Takes no more messages from now on.
    pub(crate) fn begin_close(&self) {
        self.shared().lock().close(now());
    }

    /// Takes no more messages; waits until those taken have ended and the connections are closed.
    ///
    /// Put a `tokio::time::timeout` around it to wait no longer than that; the client stays closed for new messages.
    pub async fn close(&self) {
        self.begin_close();
        poll_fn(|context| self.shared().lock().poll_closed(context)).await;
    }
}

/// A request on its way; dropping it cancels the request.
struct Waiting<'a> {
    shared: &'a Shared,
    /// `None` when it has ended.
    ticket: Option<Ticket>,
}

impl Waiting<'_> {
    async fn answer(mut self) -> Result<Response, Error> {
        poll_fn(|context| {
            let Some(ticket) = self.ticket else {
                return Poll::Pending;
            };
            let polled = self.shared.lock().poll_call(ticket, context);
            if polled.is_ready() {
                self.ticket = None;
            }
            polled
        })
        .await
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        if let Some(ticket) = self.ticket {
            self.shared.lock().forget_call(ticket, now());
        }
    }
}
