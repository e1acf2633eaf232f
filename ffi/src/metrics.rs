//! What a client or a session counts and what its connections do, for monitoring.

use std::time::Duration;

use pushcore::session::{ConnectionReport, HostReport, Metrics, WaitsFor};
use pushcore::{Error, ErrorKind};

use crate::bytes::Bytes;
use crate::client::Client;
use crate::error::ErrorObject;
use crate::guard::{Failure, Status, entry, give, value, wanted};
use crate::handle::{borrow, borrow_mut, free, handles};
use crate::hub::Hub;
use crate::session::Session;
use crate::view::{Pair, Versioned, View, array, fill};

/// The connections and hosts of a client or a session at one moment. Immutable; may be shared between threads.
pub struct Report {
    connections: Vec<(String, ConnectionReport)>,
    hosts: Vec<(String, HostReport)>,
}

handles! {
    Report = 40 "pushcore_report",
}

/// Requests can be sent; without the flag the connection is being made.
pub const PUSHCORE_CONNECTION_IS_READY: u32 = 1;
/// No new request goes out: the connection ends when the requests in flight have ended.
pub const PUSHCORE_CONNECTION_IS_RETIRED: u32 = 2;
/// The connection is one beside others, which is let go when it has nothing to do for a minute.
pub const PUSHCORE_CONNECTION_IS_SURPLUS: u32 = 4;

/// The messages wait for the end of a pause that the service has asked for.
pub const PUSHCORE_WAITS_FOR_PAUSE: u32 = 1;
/// The messages wait for room for a connection: there are as many as `max_hosts` or the system's limit on descriptors allows.
pub const PUSHCORE_WAITS_FOR_ROOM: u32 = 2;
/// The messages wait for the end of a back-off after connections that failed.
pub const PUSHCORE_WAITS_FOR_BACK_OFF: u32 = 3;
/// The messages wait for a connection that is being made.
pub const PUSHCORE_WAITS_FOR_CONNECTION: u32 = 4;
/// The messages wait for a stream, for room in the flow-control window, a rate limit, an access token, or the first answer about a new key.
pub const PUSHCORE_WAITS_FOR_STREAM: u32 = 5;

/// A connection of a client or a session.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct CConnectionReport {
    /// sizeof(pushcore_connection_report), set by the caller.
    pub struct_size: u32,
    /// PUSHCORE_CONNECTION_IS_ flags.
    pub flags: u32,
    /// The number of the connection.
    pub link: u64,
    /// The `host:port` that the connection goes to. Lives as long as the report.
    pub authority: View,
    /// Requests without an answer.
    pub in_flight: u64,
    /// The requests that may be in flight at a time: the server's stream limit, or less after the server asked for calm.
    pub streams: u64,
    /// The octets of request bodies that the server's flow control allows now; UINT64_MAX on HTTP/1.1 and before the connection is ready.
    pub window: u64,
    /// The widest window that the server has granted so far, in octets; UINT64_MAX as for `window`.
    pub widest_window: u64,
    /// The time from a request to its answer, smoothed, in microseconds; UINT64_MAX before the first answer.
    pub round_trip_us: u64,
}

// SAFETY: repr(C), begins with struct_size, zeroes are a value.
unsafe impl Versioned for CConnectionReport {
    const FIRST: usize = size_of::<Self>();
}

/// A host that messages wait for, or that is connected.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct CHostReport {
    /// sizeof(pushcore_host_report), set by the caller.
    pub struct_size: u32,
    /// A PUSHCORE_WAITS_FOR_ constant; 0 where no message waits.
    pub waits_for: u32,
    /// The `host:port`. Lives as long as the report.
    pub authority: View,
    /// Messages that wait for a stream.
    pub waiting: u64,
    /// Requests without an answer.
    pub in_flight: u64,
    /// The connections, whatever their state.
    pub connections: u64,
}

// SAFETY: repr(C), begins with struct_size, zeroes are a value.
unsafe impl Versioned for CHostReport {
    const FIRST: usize = size_of::<Self>();
}

impl Report {
    fn new(connections: Vec<ConnectionReport>, hosts: Vec<HostReport>) -> Self {
        let connections = connections.into_iter();
        let hosts = hosts.into_iter();
        Self {
            connections: connections
                .map(|each| (each.authority.to_string(), each))
                .collect(),
            hosts: hosts.map(|each| (each.authority.to_string(), each)).collect(),
        }
    }
}

fn waits_for_number(waits_for: Option<WaitsFor>) -> u32 {
    match waits_for {
        None => 0,
        Some(WaitsFor::Pause) => PUSHCORE_WAITS_FOR_PAUSE,
        Some(WaitsFor::Room) => PUSHCORE_WAITS_FOR_ROOM,
        Some(WaitsFor::BackOff) => PUSHCORE_WAITS_FOR_BACK_OFF,
        Some(WaitsFor::Connection) => PUSHCORE_WAITS_FOR_CONNECTION,
        // The last one is said in the widest words.
        Some(_) => PUSHCORE_WAITS_FOR_STREAM,
    }
}

fn count(value: usize) -> u64 {
    u64::try_from(value).unwrap_or(u64::MAX)
}

fn micros(value: Duration) -> u64 {
    u64::try_from(value.as_micros()).unwrap_or(u64::MAX)
}

/// The labels of the caller.
///
/// # Safety
/// `labels` has `count` readable items, whose views are readable.
unsafe fn scraped(counted: Metrics, labels: *const Pair, count: usize) -> Result<Bytes, Failure> {
    // SAFETY: the caller's promise.
    let labels = unsafe { array(labels, count, "labels") }?;
    let labels = labels
        .iter()
        // SAFETY: the caller's promise.
        .map(|label| unsafe { label.texts("labels") });
    let labels = labels.collect::<Result<Vec<_>, _>>()?;
    Ok(Bytes::new(Metrics::open_metrics(&[(&labels, counted)])?))
}

/// Writes the counts and latencies of a client as text in the format OpenMetrics, for a scraper: each sample has the `label_count` labels.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pushcore_client_metrics(
    client: *const Client,
    labels: *const Pair,
    label_count: usize,
    out: *mut *mut Bytes,
    error: *mut *mut ErrorObject,
) -> Status {
    entry!(error, {
        wanted(out, "the output")?;
        let counted = borrow(client, "client")?.client.metrics()?;
        give(out, scraped(counted, labels, label_count)?)
    })
}

/// Writes the counts and latencies of a session, as pushcore_client_metrics does.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pushcore_session_metrics(
    session: *mut Session,
    labels: *const Pair,
    label_count: usize,
    out: *mut *mut Bytes,
    error: *mut *mut ErrorObject,
) -> Status {
    entry!(error, {
        wanted(out, "the output")?;
        let counted = borrow_mut(session, "session")?.session.metrics();
        give(out, scraped(counted, labels, label_count)?)
    })
}

/// Writes the counts and latencies of every client that the hub has opened, as text in the format OpenMetrics, with the labels `app` and
/// `environment`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pushcore_hub_metrics(
    hub: *const Hub,
    out: *mut *mut Bytes,
    error: *mut *mut ErrorObject,
) -> Status {
    entry!(error, {
        wanted(out, "the output")?;
        give(out, Bytes::new(borrow(hub, "hub")?.hub.open_metrics()?))
    })
}

/// Tells the connections and hosts of a client at this moment. Empty in the child of a fork.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pushcore_client_report(
    client: *const Client,
    out: *mut *mut Report,
    error: *mut *mut ErrorObject,
) -> Status {
    entry!(error, {
        wanted(out, "the output")?;
        let client = borrow(client, "client")?;
        let made = Report::new(client.client.connections(), client.client.hosts());
        give(out, made)
    })
}

/// Tells the connections and hosts of a session at this moment.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pushcore_session_report(
    session: *mut Session,
    out: *mut *mut Report,
    error: *mut *mut ErrorObject,
) -> Status {
    entry!(error, {
        wanted(out, "the output")?;
        let session = borrow_mut(session, "session")?;
        let made = Report::new(session.session.connections(), session.session.hosts());
        give(out, made)
    })
}

/// Returns the number of connections; 0 for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pushcore_report_connection_count(report: *const Report) -> usize {
    value!(0, { borrow(report, "report")?.connections.len() })
}

/// Returns the number of hosts; 0 for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pushcore_report_host_count(report: *const Report) -> usize {
    value!(0, { borrow(report, "report")?.hosts.len() })
}

fn no_such_index() -> Failure {
    Error::new(ErrorKind::Misuse, "the report has no entry at this index").into()
}

/// Fills in a connection by its index, up to `struct_size`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pushcore_report_connection_at(
    report: *const Report,
    index: usize,
    connection: *mut CConnectionReport,
    error: *mut *mut ErrorObject,
) -> Status {
    entry!(error, {
        wanted(connection, "connection")?;
        let report = borrow(report, "report")?;
        let found = report.lasting().connections.get(index);
        let (authority, told) = found.ok_or_else(no_such_index)?;
        let flag = |is: bool, flag: u32| if is { flag } else { 0 };
        let made = CConnectionReport {
            struct_size: 0,
            flags: flag(told.ready, PUSHCORE_CONNECTION_IS_READY)
                | flag(told.retired, PUSHCORE_CONNECTION_IS_RETIRED)
                | flag(told.surplus, PUSHCORE_CONNECTION_IS_SURPLUS),
            link: told.link.to_u64(),
            authority: View::of(authority.as_bytes()),
            in_flight: count(told.in_flight),
            streams: count(told.streams),
            window: told.window.map_or(u64::MAX, count),
            widest_window: told.widest_window.map_or(u64::MAX, count),
            round_trip_us: told.round_trip.map_or(u64::MAX, micros),
        };
        fill(connection, &made, "connection")
    })
}

/// Fills in a host by its index, up to `struct_size`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pushcore_report_host_at(
    report: *const Report,
    index: usize,
    host: *mut CHostReport,
    error: *mut *mut ErrorObject,
) -> Status {
    entry!(error, {
        wanted(host, "host")?;
        let report = borrow(report, "report")?;
        let found = report.lasting().hosts.get(index);
        let (authority, told) = found.ok_or_else(no_such_index)?;
        let made = CHostReport {
            struct_size: 0,
            waits_for: waits_for_number(told.waits_for),
            authority: View::of(authority.as_bytes()),
            waiting: count(told.waiting),
            in_flight: count(told.in_flight),
            connections: count(told.connections),
        };
        fill(host, &made, "host")
    })
}

/// Gives the report back.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pushcore_report_free(report: *mut Report) {
    value!((), { free(report) });
}
