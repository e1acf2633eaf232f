//! One list of devices, one notification: a client for each service, and the results in one stream.

mod batch;
mod board;
mod builder;
mod deliveries;
mod delivery;
mod lanes;
mod opened;
mod wait;

use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use pushcore::notification::{App, Campaign, Notification, Retries};
use pushcore::service::Message;
use pushcore::session::Metrics;
use pushcore::{Error, ErrorKind};

/// The parts of a hub that open no socket, for hubs on another event loop. No part of the stable interface.
#[doc(hidden)]
pub mod parts {
    pub use super::board::{Board, Head, Limits, Offer};
    pub use super::builder::{Assemble, Plan};
    pub use super::deliveries::within;
    pub use super::lanes::{Known, Lanes, Served};
    pub use super::open_metrics;
    pub use super::opened::Opened;
}

pub use batch::Batch;
pub use builder::HubBuilder;
pub use deliveries::Deliveries;
pub use delivery::{AsDevice, Delivery};

use board::Limits;
use builder::{Assemble, Plan};
use deliveries::Held;
use lanes::Lanes;
use opened::Opened;

use crate::client::Client;
use crate::config::ClientConfig;

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
    opened: Opened<ClientConfig, Client>,
    retries: Retries,
    limits: Limits,
    closed: AtomicBool,
    process: u32,
}

impl Hub {
    /// Begins a hub.
    pub fn builder() -> HubBuilder {
        HubBuilder::begin()
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
        let all = self.opened.all(&self.lanes);
        all.map(|(app, client)| Ok((app, client.metrics()?))).collect()
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
        self.opened.all(&self.lanes).map(|(_, client)| client)
    }

    fn is_closed(&self) -> bool {
        self.closed.load(Ordering::Acquire)
    }

    /// The client of a lane.
    fn open(&self, lane: usize) -> Result<&Client, Error> {
        self.opened.open(&self.lanes, lane, Client::new)
    }

    /// The client of a lane, where it has been opened.
    fn opened(&self, lane: usize) -> Option<&Client> {
        self.opened.get(lane)
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

impl Assemble for Hub {
    type Config = ClientConfig;
    type Client = Client;

    fn assemble(plan: Plan<Self>) -> Self {
        Self {
            lanes: plan.lanes,
            opened: plan.opened,
            retries: plan.retries,
            limits: plan.limits,
            closed: AtomicBool::new(false),
            process: std::process::id(),
        }
    }
}
