//! One list of devices, one notification: a client for each service, and the results in one stream.

mod deliveries;

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use futures_core::Stream;
use pushcore::Error;
use pushcore::notification::{App, Campaign, Notification, Retries};
use pushcore::service::Message;
use pushcore::session::Metrics;
use pushcore_client::hub::parts::{self, Assemble, Lanes, Limits, Opened, Plan};

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
/// not hold the others back for longer than seconds: see [`HubBuilder::patience`](pushcore_client::hub::HubBuilder::patience).
///
/// A hub is a handle: its clones share the clients. Each client is a task of the runtime in which its first message was sent.
#[derive(Clone)]
pub struct Hub {
    inner: Arc<Inner>,
}

struct Inner {
    lanes: Lanes,
    opened: Opened<ClientConfig, Client>,
    retries: Retries,
    limits: Limits,
    closed: AtomicBool,
}

/// Makes a [`Hub`].
pub type HubBuilder = pushcore_client::hub::HubBuilder<Hub>;

impl Hub {
    /// Begins a hub.
    pub fn builder() -> HubBuilder {
        HubBuilder::begin()
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
        let all = self.inner.opened.all(&self.inner.lanes);
        all.map(|(app, client)| (app, client.metrics())).collect()
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
        self.inner.opened.all(&self.inner.lanes).map(|(_, client)| client)
    }

    fn is_closed(&self) -> bool {
        self.inner.closed.load(Ordering::Acquire)
    }

    /// The client of a lane.
    fn open(&self, lane: usize) -> Result<&Client, Error> {
        self.inner.opened.open(&self.inner.lanes, lane, Client::new)
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

impl Assemble for Hub {
    type Config = ClientConfig;
    type Client = Client;

    fn assemble(plan: Plan<Self>) -> Self {
        let inner = Inner {
            lanes: plan.lanes,
            opened: plan.opened,
            retries: plan.retries,
            limits: plan.limits,
            closed: AtomicBool::new(false),
        };
        Self {
            inner: Arc::new(inner),
        }
    }
}
