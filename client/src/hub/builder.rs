//! The settings of a hub, for the blocking hub and the one on tokio.

use std::fmt;
use std::time::Duration;

use pushcore::notification::{App, Retries};
use pushcore::service::Service;
use pushcore::{Error, ErrorKind};

use super::Hub;
use super::board::Limits;
use super::lanes::Lanes;
use super::opened::Opened;

/// Makes a hub: the blocking [`Hub`], or the one of `pushcore-tokio`.
#[must_use]
pub struct HubBuilder<H: Assemble = Hub> {
    lanes: Lanes,
    configs: Vec<H::Config>,
    retries: Retries,
    limits: Limits,
    error: Option<Error>,
}

/// A hub that is made of these parts. Of no use to callers: [`HubBuilder::build`] makes a hub.
#[doc(hidden)]
pub trait Assemble: Sized {
    /// The settings of a client.
    type Config;
    /// A client.
    type Client;

    /// Makes the hub of its parts.
    fn assemble(plan: Plan<Self>) -> Self;
}

/// The parts of a hub that every kind of hub has.
#[doc(hidden)]
pub struct Plan<H: Assemble> {
    /// The clients that are configured.
    pub lanes: Lanes,
    /// The clients that have been opened.
    pub opened: Opened<H::Config, H::Client>,
    /// When a message is sent again.
    pub retries: Retries,
    /// How much a bulk send holds.
    pub limits: Limits,
}

impl<H: Assemble> HubBuilder<H> {
    /// Begins a hub, as `Hub::builder` does.
    #[doc(hidden)]
    pub fn begin() -> Self {
        Self {
            lanes: Lanes::default(),
            configs: Vec::new(),
            retries: Retries::standard(),
            limits: Limits::default(),
            error: None,
        }
    }

    /// Adds a client: the credentials of a service, and the app whose devices it serves. An app without a name stands for all
    /// apps of the service in its environment that no other client serves by name.
    pub fn client(mut self, app: App, service: impl Into<Service>, config: H::Config) -> Self {
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
    /// the others back for two seconds, and nothing is lost. `Deliveries::and` reads one source for each service, where
    /// this never happens.
    pub fn patience(mut self, patience: Duration) -> Self {
        self.limits.patience = patience;
        self
    }

    /// Sets how many devices of a list are remembered, to notice a token that comes twice; 917,504 when nothing is said, 0 sends to
    /// every row.
    ///
    /// The second device of a token ends at once with `DuplicateDevice` and the feedback `CheckConfiguration`: the notification is on
    /// its way to the token already. A token is known again as long as no more than `most` others have come since
    /// ([`Seen`](pushcore::notification::Seen)), in 9 to 18 bytes for each device, and at most twice as many devices as `most`: 19 MB when
    /// nothing is said, for a list of two million. Messages of one's own (`send_many`) are sent to every row.
    pub fn remember(mut self, most: usize) -> Self {
        self.limits.remembered = most;
        self
    }

    /// Sets the longest time from the moment at which a device is taken from its list to its end, all attempts and the waits between
    /// them included; no limit when nothing is said.
    ///
    /// A message that waits in the hub or in its client ends as `Expired` then, or with the answer of its last attempt. A wait
    /// that would end later is not begun.
    pub fn total_deadline(mut self, longest: Duration) -> Self {
        self.limits.total = Some(longest);
        self
    }

    /// Makes the hub. No client is opened yet.
    ///
    /// # Errors
    /// `Misuse` for an app of one service with credentials of another; `Conflict` for two clients of one app; `InvalidValue` for a queue
    /// without a place and for a total deadline of 0; `MissingField` without a client.
    pub fn build(self) -> Result<H, Error> {
        if let Some(error) = self.error {
            return Err(error);
        }
        self.limits.check()?;
        if self.configs.is_empty() {
            return Err(Error::new(ErrorKind::MissingField, "a hub needs a client"));
        }
        Ok(H::assemble(Plan {
            lanes: self.lanes,
            opened: Opened::new(self.configs),
            retries: self.retries,
            limits: self.limits,
        }))
    }
}

impl<H: Assemble> fmt::Debug for HubBuilder<H> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HubBuilder")
            .field("lanes", &self.lanes)
            .finish_non_exhaustive()
    }
}
