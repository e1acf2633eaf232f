//! How a session behaves. Every default is chosen so that most callers set nothing.

use std::time::Duration;

use crate::error::{Error, ErrorKind};
use crate::net::h2;
use crate::outcome::OnSuspicion;

/// Whether a message that was written and got no answer is sent again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum Delivery {
    /// It ends as `Unknown`: no message is ever sent twice.
    #[default]
    AtMostOnce,
    /// It is sent again with the same identifiers (`apns-id`, `Topic`), after a lost connection as after
    /// [`SessionConfig::response_timeout`], until its deadline and up to
    /// [`SessionConfig::max_requeues`] times: a device may see it twice.
    AtLeastOnce,
}

/// The order of a message among others to the same host.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum Priority {
    /// Somebody waits for it: it leaves before bulk messages that were submitted earlier.
    #[default]
    Interactive,
    /// One of a campaign: it leaves when no interactive message waits, and at every eighth stream at the latest.
    Bulk,
}

impl Priority {
    /// Returns the name in snake case, the same in every language.
    pub const fn name(self) -> &'static str {
        match self {
            Priority::Interactive => "interactive",
            Priority::Bulk => "bulk",
        }
    }

    /// Returns the priority of that name; `None` where there is none.
    pub fn from_name(name: &str) -> Option<Self> {
        let all = [Priority::Interactive, Priority::Bulk];
        all.into_iter().find(|priority| priority.name() == name)
    }
}

/// The options of one message.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct SendOptions {
    /// From `submit` to the end at the latest; `None` takes [`SessionConfig::deadline`].
    pub deadline: Option<Duration>,
    /// The token has never been seen good (an import, a guess): it goes over connections of its
    /// own, because APNs throttles a whole connection after a `BadDeviceToken`.
    pub suspect: bool,
    /// The message is one of many, whose sender waits for all of them: a doubtful answer
    /// ([`TokenMismatch`](crate::Outcome::TokenMismatch)) may be held back until other answers make it certain, for
    /// five seconds at most, and the deadline of the session begins again when a pause ends that the service has asked for.
    pub bulk: bool,
    /// The order of the message among others to the same host; messages of one priority keep the order of their submission. `None`
    /// is [`Priority::Bulk`] for one of many ([`SendOptions::bulk`]), and [`Priority::Interactive`] for a message alone.
    pub priority: Option<Priority>,
    /// The reaction to a suspicion that the configuration is wrong. `Stop` ends the message as `NotSent`, if it has not been
    /// written then.
    pub on_suspicion: OnSuspicion,
    /// A number of the caller's own for the message, which comes back with its end: a row of a table, a pointer. 0 unless set.
    pub user_data: u64,
    /// A number of the driver's own for the message, which comes back with its end: who waits for the message. 0 unless set. A driver
    /// such as `pushcore-client` sets the number itself; a caller of a driver uses [`SendOptions::user_data`].
    pub driver_data: u64,
}

impl SendOptions {
    /// With this deadline.
    #[must_use]
    pub fn deadline(mut self, deadline: Duration) -> Self {
        self.deadline = Some(deadline);
        self
    }

    /// With this number of the caller's.
    #[must_use]
    pub fn user_data(mut self, user_data: u64) -> Self {
        self.user_data = user_data;
        self
    }

    /// With this number of the driver's.
    #[must_use]
    pub fn driver_data(mut self, driver_data: u64) -> Self {
        self.driver_data = driver_data;
        self
    }

    /// As one of many.
    #[must_use]
    pub fn bulk(mut self) -> Self {
        self.bulk = true;
        self
    }

    /// With this priority.
    #[must_use]
    pub fn priority(mut self, priority: Priority) -> Self {
        self.priority = Some(priority);
        self
    }

    /// The priority that the message has, chosen or not.
    pub(super) fn effective_priority(&self) -> Priority {
        self.priority.unwrap_or(match self.bulk {
            true => Priority::Bulk,
            false => Priority::Interactive,
        })
    }

    /// With this reaction to a suspicion.
    #[must_use]
    pub fn on_suspicion(mut self, choice: OnSuspicion) -> Self {
        self.on_suspicion = choice;
        self
    }

    /// Over connections of its own.
    #[must_use]
    pub fn suspect(mut self) -> Self {
        self.suspect = true;
        self
    }
}

/// How a [`Session`](super::Session) behaves.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct SessionConfig {
    /// At most once (the default), or at least once.
    pub delivery: Delivery,
    /// How many messages may wait for a stream; `submit` says `QueueFull` above. An eighth of the places is kept for
    /// [interactive](Priority::Interactive) messages. Default 2,000.
    pub max_queued: usize,
    /// How many connections to one host at most. Default 32: how many there are is planned from stream limit, window, round
    /// trip and backlog, see `docs/connections.md`.
    pub max_connections: usize,
    /// How many connections to one host may be made in a minute, beside the first one after there was none. They may be made
    /// at once, and come back one by one. Default 60; 0 never has more than one connection to a host.
    pub dials_per_minute: u32,
    /// How many hosts may be connected at a time. Above that, the host that has been idle for longest is let go, and
    /// where none is idle the messages for other hosts wait. It bounds what endpoints chosen by others cost on Web Push. At
    /// least 2. Default 1,000; the system's limit on descriptors may be lower, and is respected.
    pub max_hosts: usize,
    /// How often one message goes back to the queue, for reasons that may be its own, before it ends as
    /// `NotSent`. Default 3. What a connection disowns in an orderly end (GOAWAY with NO_ERROR or
    /// ENHANCE_YOUR_CALM) or never took does not count, and a refused stream (REFUSED_STREAM) does not while
    /// the host answers other messages: how often that happens is bounded by the back-off for
    /// connections that answer nothing, and how long by the deadline.
    pub max_requeues: u8,
    /// From `submit` to the end at the latest. Default 60 s.
    pub deadline: Duration,
    /// From the opening of the stream to the answer at the latest. Default 30 s.
    pub response_timeout: Duration,
    /// The whole way to a usable connection: dialling, TLS, SETTINGS. Default 10 s.
    pub connect_timeout: Duration,
    /// The first wait after a failed connection; it doubles up to [`SessionConfig::longest_backoff`]. Default 1 s.
    pub first_backoff: Duration,
    /// The longest wait between connections. Default 60 s.
    pub longest_backoff: Duration,
    /// A connection with nothing to do is closed after this long; `Duration::MAX` keeps it.
    /// `None`, the default, is the service's own habit: 10 min, but never for APNs, because Apple
    /// asks to keep connections. Those to token endpoints go after 10 s at the latest.
    pub idle_timeout: Option<Duration>,
    /// A connection from which nothing was heard for this long is asked whether it still works (PING) before the next
    /// message is entrusted to it; over HTTP/1.1, which cannot ask, it is replaced. Something on the
    /// way may have forgotten it meanwhile. `None`, the default, is the service's own habit: a minute for APNs, three
    /// for the others. `Duration::MAX` trusts it for ever.
    pub probe_after: Option<Duration>,
    /// How long the oldest message may wait for a stream at most before more connections are made. Once a round trip has been
    /// measured, a quarter of it is enough, but 10 ms at least. Default 100 ms.
    pub queue_wait_before_dial: Duration,
    /// The settings of HTTP/2 on the connections that carry pushes: stream and flood limits,
    /// PINGs, HPACK. `None`, the default, is the service's own habit: APNs is asked with a PING
    /// after 15 s of silence with pushes in flight, the others after 60 s. Some front
    /// ends end the connection of a client that asks more often.
    pub http2: Option<h2::Config>,
    /// Messages a second at most; `None` is no limit. FCM's project quota is 10,000.
    pub rate: Option<u32>,
    /// Requests other than messages ([`Session::exchange`](super::Session::exchange)) a second at most. `None`, the
    /// default, is the service's own limit: FCM takes 3,000 topic calls a second for a project, the others name none.
    /// `u32::MAX` is as good as no limit. Calls that are bounded go over connections of their own, so that pushes do
    /// not wait behind them, and are not counted in [`SessionConfig::rate`].
    pub call_rate: Option<u32>,
    /// Whether the text that differs in every request (the device's token in the path) is Huffman-coded
    /// in HTTP/2: a quarter fewer octets of headers, for about a fifth more work. The text that many requests
    /// have in common always is, once. Default: no.
    pub compact_headers: bool,
    /// Seed of the jitter of back-off; `None` takes the system's randomness.
    pub seed: Option<u64>,
}

impl Default for SessionConfig {
    fn default() -> Self {
        Self {
            delivery: Delivery::AtMostOnce,
            max_queued: 2000,
            max_connections: 32,
            dials_per_minute: 60,
            max_hosts: 1000,
            max_requeues: 3,
            deadline: Duration::from_secs(60),
            response_timeout: Duration::from_secs(30),
            connect_timeout: Duration::from_secs(10),
            first_backoff: Duration::from_secs(1),
            longest_backoff: Duration::from_secs(60),
            idle_timeout: None,
            probe_after: None,
            queue_wait_before_dial: Duration::from_millis(100),
            http2: None,
            rate: None,
            call_rate: None,
            compact_headers: false,
            seed: None,
        }
    }
}

impl SessionConfig {
    /// Refuses settings with which no message could ever be sent. [`Session::new`](super::Session::new) does, too.
    ///
    /// # Errors
    /// `InvalidValue`, with the name of the setting.
    pub fn check(&self) -> Result<(), Error> {
        let zero = |is_zero: bool, text: &'static str| match is_zero {
            true => Err(Error::new(ErrorKind::InvalidValue, text)),
            false => Ok(()),
        };
        zero(self.max_queued == 0, "max_queued is 0: no message could be taken")?;
        zero(
            self.max_connections == 0,
            "max_connections is 0: no message could be sent",
        )?;
        zero(
            self.rate == Some(0),
            "rate is 0 messages a second: no message could be sent",
        )?;
        zero(
            self.call_rate == Some(0),
            "call_rate is 0 requests a second: no request could be sent",
        )?;
        zero(
            self.deadline.is_zero(),
            "deadline is 0: every message would have expired",
        )?;
        zero(
            self.response_timeout.is_zero(),
            "response_timeout is 0: no answer could be in time",
        )?;
        zero(
            self.connect_timeout.is_zero(),
            "connect_timeout is 0: no connection could be made",
        )
    }
}
