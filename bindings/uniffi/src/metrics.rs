//! Counts, latencies, connections: for a monitoring system, and for a look at what is going on.

use pushcore::session::{self, WaitsFor as CoreWaitsFor};

use crate::event::Stats;
use crate::message::ServiceKind;
use crate::values::Seconds;

/// A label of the caller's own in the text for a scraper.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct Label {
    /// The name: letters, digits and `_`, not a digit first.
    pub name: String,
    /// The value.
    pub value: String,
}

impl Label {
    pub(crate) fn pair(&self) -> (&str, &str) {
        (&self.name, &self.value)
    }
}

/// A step of a histogram.
#[derive(Clone, Copy, Debug, PartialEq, uniffi::Record)]
pub struct Step {
    /// The longest duration that counts here; nil for the last step.
    pub bound: Option<Seconds>,
    /// The number of durations in this step alone.
    pub count: u64,
}

/// How long messages took, counted in steps.
#[derive(Clone, Debug, PartialEq, uniffi::Record)]
pub struct Histogram {
    /// The part of the way: `queue` (waiting for a stream), `wire` (request to answer), `whole`.
    pub phase: String,
    /// The steps, the shortest first.
    pub steps: Vec<Step>,
    /// The number of durations.
    pub count: u64,
    /// The sum of all durations.
    pub sum: Seconds,
}

/// The counts and latencies of one client.
#[derive(Clone, Debug, PartialEq, uniffi::Record)]
pub struct Metrics {
    /// The service that the client sends to.
    pub service: ServiceKind,
    /// How many messages are where.
    pub stats: Stats,
    /// How long messages took.
    pub latencies: Vec<Histogram>,
}

impl From<&session::Metrics> for Metrics {
    fn from(metrics: &session::Metrics) -> Self {
        let histogram = |(phase, histogram): (&str, &session::Histogram)| Histogram {
            phase: phase.to_owned(),
            steps: histogram
                .steps()
                .map(|(bound, count)| Step {
                    bound: bound.map(Seconds::from),
                    count,
                })
                .collect(),
            count: histogram.count(),
            sum: histogram.sum().into(),
        };
        Self {
            service: metrics.service.into(),
            stats: Stats::from(&metrics.stats),
            latencies: metrics.latencies.list().into_iter().map(histogram).collect(),
        }
    }
}

/// A connection as it is now.
#[derive(Clone, Debug, PartialEq, uniffi::Record)]
pub struct ConnectionReport {
    /// The connection.
    pub link: u64,
    /// The host and port that it goes to.
    pub authority: String,
    /// Whether requests can be sent; false while it is being made.
    pub ready: bool,
    /// Whether no new request goes out here.
    pub retired: bool,
    /// Whether it is one beside others, which is let go when it has nothing to do for a minute.
    pub surplus: bool,
    /// Requests without an answer.
    pub in_flight: u64,
    /// The requests that may be in flight at a time.
    pub streams: u64,
    /// The octets of request bodies that the server's flow control allows now; nil on HTTP/1.1 and before it is ready.
    pub window: Option<u64>,
    /// The widest window that the server has granted so far, in octets; nil as for `window`.
    pub widest_window: Option<u64>,
    /// The time from a request to its answer, smoothed; nil before the first answer.
    pub round_trip: Option<Seconds>,
}

impl From<&session::ConnectionReport> for ConnectionReport {
    fn from(report: &session::ConnectionReport) -> Self {
        Self {
            link: report.link.to_u64(),
            authority: report.authority.to_string(),
            ready: report.ready,
            retired: report.retired,
            surplus: report.surplus,
            in_flight: report.in_flight as u64,
            streams: report.streams as u64,
            window: report.window.map(|octets| octets as u64),
            widest_window: report.widest_window.map(|octets| octets as u64),
            round_trip: report.round_trip.map(Seconds::from),
        }
    }
}

/// A host that messages wait for, or that is connected.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct HostReport {
    /// The host and port.
    pub authority: String,
    /// Messages that wait for a stream.
    pub waiting: u64,
    /// Requests without an answer.
    pub in_flight: u64,
    /// The connections, whatever their state.
    pub connections: u64,
    /// The reason why messages wait, in a word of docs/connections.md such as `back_off`; nil where none waits.
    pub waits_for: Option<String>,
}

impl From<&session::HostReport> for HostReport {
    fn from(report: &session::HostReport) -> Self {
        Self {
            authority: report.authority.to_string(),
            waiting: report.waiting as u64,
            in_flight: report.in_flight as u64,
            connections: report.connections as u64,
            waits_for: report.waits_for.map(CoreWaitsFor::name).map(str::to_owned),
        }
    }
}
