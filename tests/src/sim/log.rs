//! What the servers did: the oracle of "exactly once".

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// Shared by all peers of a test.
#[derive(Clone, Debug, Default)]
pub struct Log(Arc<Mutex<Inner>>);

/// One request, as the log of a recording server has it.
#[derive(Clone, Debug)]
pub struct Request {
    /// The message, where the request is one.
    pub number: Option<usize>,
    /// Its `apns-id`.
    pub id: Option<String>,
    /// How its stream ended; `open` until then.
    pub end: String,
}

/// What a server knows of a TLS handshake.
#[derive(Clone, Debug)]
pub struct Handshake {
    /// It went on from an earlier session.
    pub resumed: bool,
    /// The version of TLS.
    pub version: Option<rustls::ProtocolVersion>,
    /// The name that the client asked for (SNI).
    pub server_name: Option<String>,
    /// The client's certificate, in DER.
    pub client_certificate: Option<Vec<u8>>,
}

#[derive(Debug, Default)]
struct Inner {
    /// By message number: how often a server acted on it, and with which apns-id.
    pushes: Vec<Push>,
    others: HashMap<String, u32>,
    /// When each was first and last seen.
    authorizations: HashMap<String, (Duration, Duration)>,
    violations: Vec<String>,
    duplicates: u64,
    ignored: u64,
    requests: u64,
    connections: u32,
    ended: u32,
    pings: u64,
    acknowledgements: u64,
    goaways: Vec<u32>,
    resets: Vec<u32>,
    handshakes: Vec<Handshake>,
    /// By connection and stream; `None` unless somebody asked, because a storm has millions.
    recorded: Option<BTreeMap<(u32, u32), Request>>,
    transports: Vec<(u32, &'static str)>,
    close_notifies: u32,
}

#[derive(Clone, Copy, Debug, Default)]
struct Push {
    processed: u32,
    id: u64,
    ids_differ: bool,
}

impl Log {
    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn connection(&self) -> u32 {
        let mut inner = self.lock();
        inner.connections += 1;
        inner.connections
    }

    pub(super) fn connection_ended(&self) {
        self.lock().ended += 1;
    }

    pub(super) fn request(&self, authorization: Option<&str>, now: Duration) {
        let mut inner = self.lock();
        inner.requests += 1;
        let Some(value) = authorization else { return };
        match inner.authorizations.get_mut(value) {
            Some((_, last)) => *last = now,
            None => {
                inner.authorizations.insert(value.to_owned(), (now, now));
            }
        }
    }

    pub(super) fn stream(&self, connection: u32, stream: u32, number: Option<usize>, id: Option<&str>) {
        if let Some(recorded) = &mut self.lock().recorded {
            let (id, end) = (id.map(str::to_owned), "open".to_owned());
            recorded.insert((connection, stream), Request { number, id, end });
        }
    }

    pub(super) fn stream_ended(&self, connection: u32, stream: u32, end: impl FnOnce() -> String) {
        if let Some(recorded) = &mut self.lock().recorded {
            if let Some(request) = recorded.get_mut(&(connection, stream)) {
                request.end = end();
            }
        }
    }

    pub(super) fn transport_ended(&self, connection: u32, how: &'static str) {
        self.lock().transports.push((connection, how));
    }

    pub(super) fn close_notify(&self) {
        self.lock().close_notifies += 1;
    }

    /// Keeps every request from now on, for [`Log::recorded`].
    pub fn record(&self) {
        self.lock().recorded.get_or_insert_default();
    }

    /// Every request since [`Log::record`], by connection and stream.
    pub fn recorded(&self) -> BTreeMap<(u32, u32), Request> {
        self.lock().recorded.clone().unwrap_or_default()
    }

    /// How the transport of each connection over sockets ended.
    pub fn transports(&self) -> Vec<(u32, &'static str)> {
        self.lock().transports.clone()
    }

    /// Connections whose clients said close_notify (TLS).
    pub fn close_notifies(&self) -> u32 {
        self.lock().close_notifies
    }

    pub(super) fn ping(&self) {
        self.lock().pings += 1;
    }

    pub(super) fn acknowledgement(&self) {
        self.lock().acknowledgements += 1;
    }

    pub(super) fn goaway(&self, code: u32) {
        self.lock().goaways.push(code);
    }

    pub(super) fn reset(&self, code: u32) {
        self.lock().resets.push(code);
    }

    pub(super) fn handshake(&self, handshake: Handshake) {
        self.lock().handshakes.push(handshake);
    }

    pub(super) fn process(&self, number: Option<usize>, path: &str, id: Option<&str>) {
        let mut inner = self.lock();
        let Some(number) = number else {
            *inner.others.entry(path.to_owned()).or_default() += 1;
            return;
        };
        if inner.pushes.len() <= number {
            inner.pushes.resize(number + 1, Push::default());
        }
        let hash = id
            .unwrap_or_default()
            .bytes()
            .fold(0xcbf2_9ce4_8422_2325, |hash: u64, byte| {
                (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
            });
        let push = &mut inner.pushes[number];
        push.ids_differ |= push.processed > 0 && push.id != hash;
        push.id = hash;
        push.processed += 1;
        let copy = u64::from(push.processed > 1);
        inner.duplicates += copy;
    }

    pub(super) fn ignored(&self) {
        self.lock().ignored += 1;
    }

    pub(super) fn violation(&self, text: String) {
        self.lock().violations.push(text);
    }

    /// How often a server acted on message `number`.
    pub fn processed(&self, number: usize) -> u32 {
        self.lock().pushes.get(number).map_or(0, |push| push.processed)
    }

    /// All actions of all servers on pushes.
    pub fn total_processed(&self) -> u64 {
        self.lock()
            .pushes
            .iter()
            .map(|push| u64::from(push.processed))
            .sum()
    }

    /// Actions beyond the first on the same message.
    pub fn duplicates(&self) -> u64 {
        self.lock().duplicates
    }

    /// Messages whose copies did not carry the same apns-id.
    pub fn copies_with_other_ids(&self) -> usize {
        self.lock().pushes.iter().filter(|push| push.ids_differ).count()
    }

    /// What clients did that RFC 9113 forbids.
    pub fn violations(&self) -> Vec<String> {
        self.lock().violations.clone()
    }

    pub(super) fn has_violations(&self) -> bool {
        !self.lock().violations.is_empty()
    }

    /// Complete requests that reached a server, whether it acted on them or not.
    pub fn requests(&self) -> u64 {
        self.lock().requests
    }

    /// Requests that arrived above the last stream id of a GOAWAY.
    pub fn requests_ignored(&self) -> u64 {
        self.lock().ignored
    }

    /// Connections that reached a server.
    pub fn connections(&self) -> u32 {
        self.lock().connections
    }

    /// Connections over sockets that a server has closed, or seen closed.
    pub fn ended(&self) -> u32 {
        self.lock().ended
    }

    /// PINGs (not their acknowledgements) that reached a server.
    pub fn pings(&self) -> u64 {
        self.lock().pings
    }

    /// Acknowledgements of the servers' PINGs.
    pub fn acknowledgements(&self) -> u64 {
        self.lock().acknowledgements
    }

    /// The codes of the clients' GOAWAYs.
    pub fn goaways(&self) -> Vec<u32> {
        self.lock().goaways.clone()
    }

    /// The codes of the clients' RST_STREAMs.
    pub fn resets(&self) -> Vec<u32> {
        self.lock().resets.clone()
    }

    /// The TLS handshakes that were completed.
    pub fn handshakes(&self) -> Vec<Handshake> {
        self.lock().handshakes.clone()
    }

    /// When each `authorization` was first and last seen, in the order of the first times.
    pub fn authorization_times(&self) -> Vec<(Duration, Duration)> {
        let mut times: Vec<_> = self.lock().authorizations.values().copied().collect();
        times.sort_unstable();
        times
    }

    /// Different `authorization` values seen.
    pub fn authorizations(&self) -> usize {
        self.lock().authorizations.len()
    }
}

/// The path of a push to the device of message `number`.
pub fn path_of(number: usize) -> String {
    format!("/3/device/{}", token_of(number))
}

/// The device token of message `number`: 32 octets in hexadecimal.
pub fn token_of(number: usize) -> String {
    format!("{number:064x}")
}

/// The message of a path (APNs, Web Push); `None` for a path that is no push of ours.
pub fn number_of(path: &str) -> Option<usize> {
    let token = path
        .strip_prefix("/3/device/")
        .or_else(|| path.strip_prefix("/p/"))?;
    usize::from_str_radix(token.get(48..64)?, 16).ok()
}

/// The message of a body (FCM), where it names a token of ours.
pub fn number_in(body: &[u8]) -> Option<usize> {
    let text = std::str::from_utf8(body).ok()?;
    let (_, rest) = text.split_once("\"token\":\"")?;
    usize::from_str_radix(rest.get(48..64)?, 16).ok()
}
