//! APNs: device pushes, broadcasts and channel management.

mod auth;
mod certificate;
mod channels;
mod content;
mod delivery;
mod device;
mod issue;
mod registry;
mod request;
mod stored;
mod topic;

pub(crate) use auth::Key;
pub use content::ContentMismatch;
pub use delivery::{Delivery, Fate};
pub use device::Check;
pub(crate) use issue::certificates;
pub use registry::{DeviceToken, Environment, EnvironmentKeyReason, Gone};
pub use stored::StoredNotification;

use crate::exchange::{After, Exchange, Reply};
use crate::record::Record;
use crate::shared::{Door, Moment, Profile};
use auth::Binding;
use channels::Channels;
use delivery::News;
use foldhash::{HashMap, HashMapExt};
use rustls::server::danger::ClientCertVerifier;
use std::sync::Arc;
use stored::Store;

/// MAX_CONCURRENT_STREAMS once a connection is trusted (seen on the wire, 2021 and later).
const STREAMS: u32 = 1000;

/// MAX_HEADER_LIST_SIZE, as announced.
const HEADER_LIST: usize = 8000;

/// A refusal: what goes to the client and the rule that says so.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Refusal {
    pub(crate) status: u16,
    pub(crate) reason: &'static str,
    pub(crate) rule: &'static str,
    /// Unix milliseconds; only with 410.
    pub(crate) timestamp: Option<i64>,
}

impl Refusal {
    pub(crate) fn new(status: u16, reason: &'static str, rule: &'static str) -> Self {
        Self {
            status,
            reason,
            rule,
            timestamp: None,
        }
    }
}

/// The APNs world of one sandbox.
pub(crate) struct Apns {
    pub(crate) profile: Profile,
    pub(crate) environment: Environment,
    pub(crate) keys: Vec<Key>,
    /// Bundle ids the key may push to.
    pub(crate) bundles: Vec<String>,
    /// Device tokens, lower-case hex.
    pub(crate) tokens: HashMap<String, DeviceToken>,
    /// The order in which the rules are tried.
    pub(crate) order: Vec<Check>,
    /// 1 stream until the first good token.
    pub(crate) governor: bool,
    /// Back to 1 stream after a rejection, until the next success.
    pub(crate) penalty: bool,
    /// Exceeding the limit ends the connection with GOAWAY instead of REFUSED_STREAM.
    pub(crate) over_limit_goaway: bool,
    /// The treatment of bodies that are not of their push type.
    pub(crate) content_mismatch: ContentMismatch,
    /// How late a delayed one is delivered, milliseconds.
    pub(crate) content_delay_ms: i64,
    /// Which spelling a key of the other environment is refused with.
    pub(crate) environment_key_reason: Option<EnvironmentKeyReason>,
    /// The issuer of client certificates.
    pub(crate) issuer: Option<Arc<dyn ClientCertVerifier>>,
    bindings: HashMap<u64, Binding>,
    channels: Channels,
    stored: Store,
    news: News,
    content: Option<content::Latest>,
    /// The `seq` that the record of the present request will have.
    pub(crate) next_seq: u64,
}

impl Apns {
    pub(crate) fn new(
        profile: Profile,
        environment: Environment,
        bundles: Vec<String>,
        governor: bool,
    ) -> Self {
        Self {
            profile,
            environment,
            keys: Vec::new(),
            bundles,
            tokens: HashMap::new(),
            order: Check::ALL.to_vec(),
            governor,
            penalty: false,
            over_limit_goaway: false,
            content_mismatch: ContentMismatch::default(),
            content_delay_ms: 60_000,
            environment_key_reason: None,
            issuer: None,
            bindings: HashMap::new(),
            channels: Channels::default(),
            stored: Store::default(),
            news: News::new(),
            content: None,
            next_seq: 0,
        }
    }

    /// MAX_CONCURRENT_STREAMS of a fresh connection: a certificate has been seen by then,
    /// a provider token has not.
    pub(crate) fn initial_streams(&self, connection: u64) -> u32 {
        if self.governor && !self.trusts(connection) {
            1
        } else {
            STREAMS
        }
    }

    fn trusts(&self, connection: u64) -> bool {
        self.bindings.get(&connection).is_some_and(Binding::trusted)
    }

    /// Forgets what is in store.
    pub(crate) fn clear_stored(&mut self) {
        self.stored.clear();
        self.news.clear();
    }

    pub(crate) fn connection_closed(&mut self, connection: u64) {
        self.bindings.remove(&connection);
    }

    pub(crate) fn handle(&mut self, door: Door, exchange: &Exchange, now: Moment) -> (Reply, Record) {
        let mut record = Record::begin("apns", "push", exchange, now);
        if header_list(exchange) > HEADER_LIST {
            record.status = 431;
            record.rule = Some("apns.header.list".to_owned());
            return (Reply::status(431), record);
        }
        let mut reply = if door == Door::ApnsManagement {
            self.manage(exchange, now, &mut record)
        } else if exchange.path.starts_with("/4/broadcasts/") || door == Door::ApnsBroadcast {
            self.broadcast(exchange, now, &mut record)
        } else {
            self.push(exchange, now, &mut record)
        };
        reply.after = self.govern(exchange.origin.connection, &record);
        record.status = reply.status;
        (reply, record)
    }

    /// The stream governor: 1 until the first good token, N then; with the penalty
    /// on, 1 again after a rejection. A 410 is not counted as an error.
    fn govern(&self, connection: u64, record: &Record) -> After {
        let max_streams = if !self.governor || !self.trusts(connection) {
            None
        } else if self.penalty && !record.accepted && record.status != 410 {
            Some(1)
        } else {
            Some(STREAMS)
        };
        After {
            max_streams,
            ..After::default()
        }
    }
}

/// The size of the header list as RFC 9113 §6.5.2 counts it.
fn header_list(exchange: &Exchange) -> usize {
    let query = exchange.query.as_ref().map_or(0, |query| query.len() + 1);
    let pseudo = ":method:path:scheme:authorityhttps".len()
        + exchange.method.as_str().len()
        + exchange.path.len()
        + query
        + exchange.authority.len()
        + 4 * 32;
    let field =
        |(name, value): (&http::HeaderName, &http::HeaderValue)| name.as_str().len() + value.len() + 32;
    pseudo + exchange.headers.iter().map(field).sum::<usize>()
}

/// The error reply in Apple's shape.
fn refuse(refusal: &Refusal, id_header: &'static str, id: &str, record: &mut Record) -> Reply {
    record.reason = Some(refusal.reason.to_owned());
    record.rule = Some(refusal.rule.to_owned());
    record.status = refusal.status;
    let mut body = serde_json::json!({ "reason": refusal.reason });
    if let Some(timestamp) = refusal.timestamp {
        body["timestamp"] = timestamp.into();
    }
    Reply::json(refusal.status, &body).with(id_header, id)
}

/// A canonical UUID: 8-4-4-4-12, hexadecimal.
fn is_uuid(text: &str) -> bool {
    let mut bytes = text.bytes().enumerate();
    text.len() == 36
        && bytes.all(|(at, byte)| match at {
            8 | 13 | 18 | 23 => byte == b'-',
            _ => byte.is_ascii_hexdigit(),
        })
}
