//! What a server does, and when.

use std::fmt;
use std::time::Duration;

use super::Answer;
use super::frame::setting;
use super::rng::Rng;

/// One thing a server does. A list of them is done in order.
#[derive(Clone, Debug)]
pub enum Act {
    /// The rest of the list happens this much later.
    Wait(Duration),
    /// Acts on the request and answers it.
    Answer(Answer),
    /// Acts on the request, and does not answer (yet).
    Process,
    /// Resets the stream of the request.
    Reset(u32),
    /// Answers every request that has no answer, in the order of their streams.
    AnswerHeld(Answer),
    /// GOAWAY.
    GoAway(Last, u32, Vec<u8>),
    /// SETTINGS.
    Settings(Vec<(u16, u32)>),
    /// WINDOW_UPDATE for the connection.
    ConnectionWindow(u32),
    /// WINDOW_UPDATE for the stream of the request.
    StreamWindow(u32),
    /// PING.
    Ping([u8; 8]),
    /// These octets, whatever they are.
    Raw(Vec<u8>),
    /// What this makes of the stream of the request.
    RawFor(fn(u32) -> Vec<u8>),
    /// These octets, one by one, with a pause before each.
    Trickle(Vec<u8>, Duration),
    /// The server knows nothing of this stream any more, and says nothing about it.
    Forget(u32),
    /// A fatal TLS alert, and the end.
    Alert(u8),
    /// FIN, after what has been said has gone out.
    Close,
    /// RST of the transport: what has not arrived yet is lost.
    Abort,
    /// For so long nothing is read and nothing is said; then the server goes on.
    Pause(Duration),
    /// From now on: nothing is read, nothing is said, the transport stays open.
    Silence,
}

/// The last stream id of a GOAWAY.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Last {
    /// 2^31-1: a warning that a GOAWAY will follow.
    Max,
    /// This one.
    Id(u32),
    /// The highest stream that the server has acted on.
    Processed,
    /// The highest stream that the server has seen.
    Seen,
}

/// What happens to the client's PINGs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pings {
    /// Acknowledged.
    Answer,
    /// Acknowledged this much later.
    Late(Duration),
    /// Acknowledged with another payload.
    Wrong,
    /// Not acknowledged.
    Ignore,
}

/// A request as the server sees it.
#[derive(Clone, Debug)]
pub struct Seen {
    /// Which connection of the test, from 1.
    pub connection: u32,
    /// Which request of this connection, from 1.
    pub nth: u32,
    /// The stream.
    pub stream: u32,
    /// When its header section came, on the clock of the test.
    pub at: Duration,
    /// How many streams were open then, this one included.
    pub open: usize,
    /// The fields, pseudo-header fields included.
    pub fields: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
}

impl Seen {
    /// The value of the first field called `name`.
    pub fn field(&self, name: &str) -> Option<&str> {
        self.fields
            .iter()
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.as_str())
    }

    /// The path.
    pub fn path(&self) -> &str {
        self.field(":path").unwrap_or_default()
    }

    /// Which message of the test this is.
    pub fn number(&self) -> Option<usize> {
        super::log::number_of(self.path()).or_else(|| super::log::number_in(&self.body))
    }
}

/// Decides what follows a request.
pub type Respond = Box<dyn FnMut(&Seen, &mut Rng) -> Vec<Act> + Send>;

/// Decides what follows a PING that came so long after the connection began, with so many streams open.
pub type OnPing = Box<dyn FnMut(Duration, usize) -> Vec<Act> + Send>;

/// What one server does on one connection.
pub struct Script {
    /// First of all. The usual greeting is SETTINGS.
    pub greeting: Vec<Act>,
    /// For each complete request.
    pub respond: Respond,
    /// For each request when its header section is there, before the body.
    pub on_headers: Option<Respond>,
    /// Whether what the client says is not even looked at (it may be TLS).
    pub deaf: bool,
    /// At times after the connection began.
    pub timed: Vec<(Duration, Vec<Act>)>,
    /// Whether SETTINGS of the client are acknowledged.
    pub acknowledge: bool,
    /// What happens to PINGs.
    pub pings: Pings,
    /// What else a PING leads to.
    pub on_ping: Option<OnPing>,
    /// Whether windows are opened again as the client's DATA arrives.
    pub replenish: bool,
    /// Whether to complain when the script makes the server break RFC 9113 §6.8 or §8.7.
    pub conforming: bool,
}

impl Script {
    /// A server that takes everything, with 100 streams at a time.
    pub fn accepting() -> Self {
        Self::new(|_, _| vec![Act::Answer(Answer::ok())])
    }

    /// A server that greets in the usual way and does this for each request.
    pub fn new(respond: impl FnMut(&Seen, &mut Rng) -> Vec<Act> + Send + 'static) -> Self {
        Self {
            greeting: vec![Act::Settings(vec![(setting::MAX_CONCURRENT_STREAMS, 100)])],
            respond: Box::new(respond),
            on_headers: None,
            deaf: false,
            timed: Vec::new(),
            acknowledge: true,
            pings: Pings::Answer,
            on_ping: None,
            replenish: true,
            conforming: true,
        }
    }

    /// With this greeting.
    #[must_use]
    pub fn greeting(mut self, acts: impl Into<Vec<Act>>) -> Self {
        self.greeting = acts.into();
        self
    }

    /// With `count` streams at a time.
    #[must_use]
    pub fn streams(self, count: u32) -> Self {
        self.greeting([Act::Settings(vec![(setting::MAX_CONCURRENT_STREAMS, count)])])
    }

    /// Does this so long after the connection began.
    #[must_use]
    pub fn at(mut self, after: Duration, acts: impl Into<Vec<Act>>) -> Self {
        self.timed.push((after, acts.into()));
        self
    }

    /// Treats PINGs like this.
    #[must_use]
    pub fn pings(mut self, pings: Pings) -> Self {
        self.pings = pings;
        self
    }
}

impl fmt::Debug for Script {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Script")
            .field("greeting", &self.greeting)
            .field("timed", &self.timed)
            .finish_non_exhaustive()
    }
}
