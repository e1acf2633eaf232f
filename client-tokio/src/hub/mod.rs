//! One list of devices, one notification: a client for each service, and the results in one stream.

mod deliveries;

use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use futures_core::Stream;
use pushcore::notification::{App, Campaign, Notification, Retries};
use pushcore::service::{Message, Service};
use pushcore::session::Metrics;
use pushcore::{Error, ErrorKind};
use pushcore_client::hub::parts::{self, Lanes, Limits};

use crate::client::Client;
use crate::config::ClientConfig;
use crate::send_many::Iter;

pub use deliveries::Deliveries;
pub use pushcore_client::hub::{AsDevice, Delivery};

/// Sends to the devices of several services: clients for the services, environments and apps that are configured, opened when
/// first needed.
///
/// ```no_run
/// use pushcore::notification::{App, Device, Feedback, Notification};
/// use pushcore::service::{Kind, Service};
/// use pushcore_tokio::ClientConfig;
/// use pushcore_tokio::hub::Hub;
/// # use futures_core::Stream;
/// # async fn next<S: Stream + Unpin>(stream: &mut S) -> Option<S::Item> {
/// #     std::future::poll_fn(|context| std::pin::Pin::new(&mut *stream).poll_next(context)).await
/// # }
///
/// # async fn send(apns: Service, fcm: Service, rows: Vec<(u64, Device)>) -> Result<(), pushcore::Error> {
/// let hub = Hub::builder()
///     .client(App::new(Kind::Apns), apns, ClientConfig::new())
///     .client(App::new(Kind::Fcm), fcm, ClientConfig::new())
///     .build()?;
/// let sale = Notification::builder().title("Sale").body("Everything must go").build()?;
/// let mut deliveries = hub.notify(sale, rows);
/// while let Some(delivery) = next(&mut deliveries).await { // `deliveries.next().await` with StreamExt
///     let (row, _device) = delivery.item;
///     match delivery.feedback {
///         Feedback::Delete => println!("delete {row}"),
///         Feedback::Replace(token) => println!("{row} has the new token {token}"),
///         _ => {}
///     }
/// }
/// hub.close().await;
/// # Ok(())
/// # }
/// ```
///
/// Results come as they land, in any order. Memory is bounded by the queues of the services, and one service that is slow or dead does
/// not hold the others back for longer than a second (five before its first answer): see [`HubBuilder::patience`].
///
/// A hub is a handle: its clones share the clients. Each client is a task of the runtime in which its first message was sent.
#[derive(Clone)]
pub struct Hub {
    inner: Arc<Inner>,
}

struct Inner {
    lanes: Lanes,
    opened: Vec<Opened>,
    retries: Retries,
    limits: Limits,
    closed: AtomicBool,
}

/// The client of a lane, from the first message on.
struct Opened {
    /// `None` when the client has been opened.
    config: Mutex<Option<ClientConfig>>,
    client: OnceLock<Result<Client, Error>>,
}

/// Makes a [`Hub`].
#[must_use]
pub struct HubBuilder {
    lanes: Lanes,
    configs: Vec<ClientConfig>,
    retries: Retries,
    limits: Limits,
    error: Option<Error>,
}

impl Hub {
    /// Begins a hub.
    pub fn builder() -> HubBuilder {
        HubBuilder {
            lanes: Lanes::default(),
            configs: Vec::new(),
            retries: Retries::standard(),
            limits: Limits {
                queue: parts::QUEUE,
                patience: parts::PATIENCE,
            },
            error: None,
        }
    }

    /// Sends one notification to every device of an iterator; yields each with its end.
    ///
    /// Devices are taken from the iterator as there is room for them, and their messages are made when it is their turn, so that an
    /// endless one costs no memory. Nothing is sent unless the results are fetched. Dropping the stream cancels what has not ended.
    pub fn notify<'s, I>(&self, notification: Notification, devices: I) -> Deliveries<'s, I::Item>
    where
        I: IntoIterator,
        I::IntoIter: Send + 's,
        I::Item: AsDevice,
    {
        self.notify_stream(notification, Iter::new(devices.into_iter()))
    }

    /// Sends one notification to every device of a stream, for example the rows of a database, as [`Hub::notify`] does with an
    /// iterator.
    pub fn notify_stream<'s, S>(&self, notification: Notification, devices: S) -> Deliveries<'s, S::Item>
    where
        S: Stream + Send + 's,
        S::Item: AsDevice,
    {
        let campaign = Some(Campaign::new(notification));
        Deliveries::new(self.clone(), campaign, deliveries::alone(devices))
    }

    /// Sends a message of its own to every device of an iterator, as [`Hub::notify`] sends one notification. The message has its target
    /// already: the device says which client sends the message, and what the result means.
    pub fn send_many<'s, I, D>(&self, messages: I) -> Deliveries<'s, D>
    where
        I: IntoIterator<Item = (D, Message)>,
        I::IntoIter: Send + 's,
        D: AsDevice,
    {
        let messages = messages
            .into_iter()
            .map(|(item, message)| (item, Some(Box::new(message))));
        Deliveries::new(self.clone(), None, Box::pin(Iter::new(messages)))
    }

    /// The client that serves an app, for calls and single messages; opened now where it was not. `None` where no client is configured
    /// for the app.
    ///
    /// # Errors
    /// As [`Client::new`], each time anew the same.
    pub fn client(&self, app: &App) -> Result<Option<&Client>, Error> {
        self.inner.lanes.find(app).map(|lane| self.open(lane)).transpose()
    }

    /// Returns the counts and latencies of every client that has been opened, with the app that it serves.
    pub fn metrics(&self) -> Vec<(&App, Metrics)> {
        let lanes = self.inner.lanes.all().iter().zip(&self.inner.opened);
        lanes
            .filter_map(|(served, opened)| match opened.client.get() {
                Some(Ok(client)) => Some((served.app(), client.metrics())),
                _ => None,
            })
            .collect()
    }

    /// Returns [`Hub::metrics`] as text for a scraper ([`Metrics::open_metrics`]), with the labels `app` and `environment`.
    ///
    /// # Errors
    /// None that a hub's own labels could cause.
    pub fn open_metrics(&self) -> Result<String, Error> {
        parts::open_metrics(&self.metrics())
    }

    /// Takes no more messages; waits until those taken have ended and the connections are closed. [`Deliveries`] of other tasks read no
    /// further, and send nothing again.
    ///
    /// Put a `tokio::time::timeout` around it to wait no longer than that; the hub stays closed for new messages.
    pub async fn close(&self) {
        self.inner.closed.store(true, Ordering::Release);
        // All of them drain at the same time.
        for client in self.opened_clients() {
            client.begin_close();
        }
        for client in self.opened_clients() {
            client.close().await;
        }
    }

    fn opened_clients(&self) -> impl Iterator<Item = &Client> {
        let clients = self.inner.opened.iter().filter_map(|opened| opened.client.get());
        clients.filter_map(|client| client.as_ref().ok())
    }

    fn is_closed(&self) -> bool {
        self.inner.closed.load(Ordering::Acquire)
    }

    /// The client of a lane.
    fn open(&self, lane: usize) -> Result<&Client, Error> {
        let lanes = (self.inner.lanes.all().get(lane), self.inner.opened.get(lane));
        let (Some(served), Some(opened)) = lanes else {
            return Err(Error::new(ErrorKind::Internal, "a lane of the hub has no client"));
        };
        let client = opened.client.get_or_init(|| {
            let config = opened
                .config
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .take();
            Client::new(served.service().clone(), config.unwrap_or_default())
        });
        client.as_ref().map_err(Error::clone)
    }
}

impl fmt::Debug for Hub {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Hub")
            .field("lanes", &self.inner.lanes)
            .field("retries", &self.inner.retries)
            .field("limits", &self.inner.limits)
            .finish_non_exhaustive()
    }
}

impl HubBuilder {
    /// Adds a client: the credentials of a service, and the app whose devices it serves. An app without a name stands for all
    /// apps of the service in its environment that no other client serves by name.
    pub fn client(mut self, app: App, service: impl Into<Service>, config: ClientConfig) -> Self {
        match self.lanes.add(app, service.into()) {
            Ok(()) => self.configs.push(config),
            Err(error) => self.error = self.error.or(Some(error)),
        }
        self
    }

    /// Sets when a message is sent again; [`Retries::standard`] when nothing is said.
    pub fn retries(mut self, retries: Retries) -> Self {
        self.retries = retries;
        self
    }

    /// Sets how many messages of one service wait in the hub, those that rest before another attempt included; 5,000 when nothing is
    /// said. The session of each client has a queue of its own beside it
    /// ([`SessionConfig::max_queued`](pushcore::session::SessionConfig::max_queued)).
    pub fn queue(mut self, most: usize) -> Self {
        self.limits.queue = most;
        self
    }

    /// Sets the time in which a service has to clear its queue in the hub; five minutes when nothing is said, `Duration::MAX` waits for
    /// every service.
    ///
    /// The source is one list, so that a device whose service has a full queue is in the way of those behind it. Reading waits then, as
    /// long as the other services have work. Where one of them has none, it depends on the pace of the full one: a service that
    /// would clear its queue within this time is waited for; one that would not is *behind*, as its pace over one second shows (over five, before its first answer), and
    /// the device is handed back: not sent, with the cause `QueueFull` and the feedback `Wait`. So a service that stops holds
    /// the others back for one second, and nothing is lost. [`Deliveries::and`] reads one source for each service, where
    /// this never happens.
    pub fn patience(mut self, patience: Duration) -> Self {
        self.limits.patience = patience;
        self
    }

    /// Makes the hub. No client is opened yet.
    ///
    /// # Errors
    /// `Misuse` for an app of one service with credentials of another; `Conflict` for two clients of one app; `InvalidValue` for a queue
    /// without a place; `MissingField` without a client.
    pub fn build(self) -> Result<Hub, Error> {
        if let Some(error) = self.error {
            return Err(error);
        }
        self.limits.check()?;
        if self.configs.is_empty() {
            return Err(Error::new(ErrorKind::MissingField, "a hub needs a client"));
        }
        let opened = self.configs.into_iter().map(|config| Opened {
            config: Mutex::new(Some(config)),
            client: OnceLock::new(),
        });
        let inner = Inner {
            lanes: self.lanes,
            opened: opened.collect(),
            retries: self.retries,
            limits: self.limits,
            closed: AtomicBool::new(false),
        };
        Ok(Hub {
            inner: Arc::new(inner),
        })
    }
}

impl fmt::Debug for HubBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HubBuilder")
            .field("lanes", &self.lanes)
            .finish_non_exhaustive()
    }
}
