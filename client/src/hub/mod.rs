//! One list of devices, one notification: a client for each service, and the results in one stream.

mod batch;
mod board;
mod deliveries;
mod delivery;
mod lanes;
mod wait;

use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use pushcore::notification::{App, Campaign, Notification, Retries};
use pushcore::service::{Message, Service};
use pushcore::session::Metrics;
use pushcore::{Error, ErrorKind};

/// The parts of a hub that open no socket, for hubs on another event loop. No part of the stable interface.
#[doc(hidden)]
pub mod parts {
    pub use super::board::{Board, Head, Limits, Offer};
    pub use super::lanes::{Known, Lanes, Served};
    pub use super::{PATIENCE, QUEUE, open_metrics};
}

pub use batch::Batch;
pub use deliveries::Deliveries;
pub use delivery::{AsDevice, Delivery};

use board::Limits;
use deliveries::Held;
use lanes::Lanes;

use crate::client::Client;
use crate::config::ClientConfig;

/// The messages of one service that wait in a hub beside those that its session has, unless the caller says otherwise: one to two
/// megabytes.
pub const QUEUE: usize = 5000;

/// The time in which a service has to clear its queue, unless the caller says otherwise: 17 messages a second with the default queue. Eight
/// connections that speak HTTP/1.1 (ADM, Baidu) manage 80 a second where an answer takes 100 ms, and are not to be taken for slow.
pub const PATIENCE: Duration = Duration::from_secs(300);

/// Sends to the devices of several services: clients for the services, environments and apps that are configured, opened when
/// first needed.
///
/// ```no_run
/// use pushcore::notification::{App, Device, Feedback, Notification};
/// use pushcore::service::{Kind, Service};
/// use pushcore_client::ClientConfig;
/// use pushcore_client::hub::Hub;
///
/// # fn send(apns: Service, fcm: Service, rows: impl Iterator<Item = (u64, Device)>) -> Result<(), pushcore::Error> {
/// let hub = Hub::builder()
///     .client(App::new(Kind::Apns), apns, ClientConfig::new())
///     .client(App::new(Kind::Fcm), fcm, ClientConfig::new())
///     .build()?;
/// let sale = Notification::builder().title("Sale").body("Everything must go").build()?;
/// for delivery in hub.notify(sale, rows) {
///     let (row, _device) = delivery.item;
///     match delivery.feedback {
///         Feedback::Delete => println!("delete {row}"),
///         Feedback::Replace(token) => println!("{row} has the new token {token}"),
///         _ => {}
///     }
/// }
/// hub.close()
/// # }
/// ```
///
/// Results come as they land, in any order. Memory is bounded by the queues of the services, and one service that is slow or dead does
/// not hold the others back for longer than seconds: see [`HubBuilder::patience`].
///
/// The hub starts no thread. Share it between threads by reference or in an `Arc`; each [`Deliveries`] belongs to one thread.
pub struct Hub {
    lanes: Lanes,
    opened: Vec<Opened>,
    retries: Retries,
    limits: Limits,
    closed: AtomicBool,
    process: u32,
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
                queue: QUEUE,
                patience: PATIENCE,
            },
            error: None,
        }
    }

    /// Sends one notification to every device of an iterator; yields each with its end.
    ///
    /// Devices are taken from the iterator as there is room for them, and their messages are made when it is their turn, so that an
    /// endless one costs no memory. Nothing is sent unless the results are fetched. Dropping the result cancels what has not ended.
    pub fn notify<'h, I>(&'h self, notification: Notification, devices: I) -> Deliveries<'h, I::Item>
    where
        I: IntoIterator,
        I::IntoIter: 'h,
        I::Item: AsDevice,
    {
        let source = devices.into_iter().map(|item| (item, None));
        Deliveries::new(
            Held::Borrowed(self),
            Some(Campaign::new(notification)),
            Some(Box::new(source)),
        )
    }

    /// Sends a message of its own to every device of an iterator, as [`Hub::notify`] sends one notification. The message has its target
    /// already: the device says which client sends the message, and what the result means.
    pub fn send_many<'h, I, D>(&'h self, messages: I) -> Deliveries<'h, D>
    where
        I: IntoIterator<Item = (D, Message)>,
        I::IntoIter: 'h,
        D: AsDevice,
    {
        let source = messages
            .into_iter()
            .map(|(item, message)| (item, Some(Box::new(message))));
        Deliveries::new(Held::Borrowed(self), None, Some(Box::new(source)))
    }

    /// The client that serves an app, for calls and single messages; opened now where it was not. `None` where no client is configured
    /// for the app.
    ///
    /// # Errors
    /// As [`Client::new`], each time anew the same.
    pub fn client(&self, app: &App) -> Result<Option<&Client>, Error> {
        self.lanes.find(app).map(|lane| self.open(lane)).transpose()
    }

    /// Returns the counts and latencies of every client that has been opened, with the app that it serves.
    ///
    /// # Errors
    /// `Misuse` in a forked child.
    pub fn metrics(&self) -> Result<Vec<(&App, Metrics)>, Error> {
        let mut all = Vec::new();
        for (served, opened) in self.lanes.all().iter().zip(&self.opened) {
            if let Some(Ok(client)) = opened.client.get() {
                all.push((served.app(), client.metrics()?));
            }
        }
        Ok(all)
    }

    /// Returns [`Hub::metrics`] as text for a scraper ([`Metrics::open_metrics`]), with the labels `app` and `environment`.
    ///
    /// # Errors
    /// `Misuse` in a forked child.
    pub fn open_metrics(&self) -> Result<String, Error> {
        open_metrics(&self.metrics()?)
    }

    /// Takes no more messages; waits until those taken have ended and the connections are closed. A [`Deliveries`] that another thread
    /// fetches reads no further, sends what it has queued, if its clients still take it, and sends nothing again.
    ///
    /// # Errors
    /// `Misuse` in a forked child.
    pub fn close(&self) -> Result<(), Error> {
        self.closed.store(true, Ordering::Release);
        self.opened_clients().try_for_each(Client::close)
    }

    /// [`Hub::close`] for at most `longest`: true when everything has ended and every connection is closed.
    ///
    /// # Errors
    /// `Misuse` in a forked child.
    pub fn close_for(&self, longest: Duration) -> Result<bool, Error> {
        self.closed.store(true, Ordering::Release);
        let until = Instant::now() + longest;
        let mut all = true;
        for client in self.opened_clients() {
            all &= client.close_for(until.saturating_duration_since(Instant::now()))?;
        }
        Ok(all)
    }

    fn opened_clients(&self) -> impl Iterator<Item = &Client> {
        let clients = self.opened.iter().filter_map(|opened| opened.client.get());
        clients.filter_map(|client| client.as_ref().ok())
    }

    fn is_closed(&self) -> bool {
        self.closed.load(Ordering::Acquire)
    }

    /// The client of a lane.
    fn open(&self, lane: usize) -> Result<&Client, Error> {
        let (Some(served), Some(opened)) = (self.lanes.all().get(lane), self.opened.get(lane)) else {
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

    /// The client of a lane, where it has been opened.
    fn opened(&self, lane: usize) -> Option<&Client> {
        self.opened.get(lane)?.client.get()?.as_ref().ok()
    }

    fn check_process(&self) -> Result<(), Error> {
        if self.process == std::process::id() {
            return Ok(());
        }
        let context = "this hub belongs to the parent process: make one after fork";
        Err(Error::new(ErrorKind::Misuse, context))
    }
}

/// The text of all clients of a hub, for both kinds of hub.
///
/// # Errors
/// None that a hub's own labels could cause.
pub fn open_metrics(all: &[(&App, Metrics)]) -> Result<String, Error> {
    let labels: Vec<[(&str, &str); 2]> = all
        .iter()
        .map(|(app, _)| {
            [
                ("app", app.name().unwrap_or_default()),
                ("environment", app.environment().name()),
            ]
        })
        .collect();
    let sessions: Vec<(&[(&str, &str)], Metrics)> = labels
        .iter()
        .zip(all)
        .map(|(labels, (_, metrics))| (labels.as_slice(), *metrics))
        .collect();
    Metrics::open_metrics(&sessions)
}

impl fmt::Debug for Hub {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Hub")
            .field("lanes", &self.lanes)
            .field("retries", &self.retries)
            .field("limits", &self.limits)
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
    /// would clear its queue within this time is waited for; one that would not is *behind*, as its pace over ten seconds shows, or two seconds without an answer (five before the first one), and
    /// the device is handed back: not sent, with the cause `QueueFull` and the feedback `Wait`. So a service that stops holds
    /// the others back for two seconds, and nothing is lost. [`Deliveries::and`] reads one source for each service, where
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
        Ok(Hub {
            lanes: self.lanes,
            opened: opened.collect(),
            retries: self.retries,
            limits: self.limits,
            closed: AtomicBool::new(false),
            process: std::process::id(),
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
