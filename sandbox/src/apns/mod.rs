//! APNs: device pushes, broadcasts and channel management.

mod auth;
mod channels;
mod device;
mod registry;

pub use device::Check;
pub use registry::{DeviceToken, Environment, Gone};

use crate::exchange::{After, Exchange, Reply};
use crate::record::Record;
use crate::shared::{Door, Moment, Profile};
use auth::{Binding, Key};
use channels::Channels;
use std::collections::HashMap;

/// MAX_CONCURRENT_STREAMS once a connection is trusted (seen on the wire, 2021 and later).
const STREAMS: u32 = 1000;

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
    bindings: HashMap<u64, Binding>,
    channels: Channels,
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
            bindings: HashMap::new(),
            channels: Channels::default(),
        }
    }

    /// Registers a signing key by its public point.
    pub(crate) fn add_key(
        &mut self,
        kid: &str,
        team: &str,
        public_point: Vec<u8>,
        environment: Option<Environment>,
    ) {
        self.keys.push(Key::new(kid, team, public_point, environment));
    }

    /// MAX_CONCURRENT_STREAMS of a fresh connection.
    pub(crate) fn initial_streams(&self) -> u32 {
        if self.governor { 1 } else { STREAMS }
    }

    pub(crate) fn connection_closed(&mut self, connection: u64) {
        self.bindings.remove(&connection);
    }

    pub(crate) fn handle(&mut self, door: Door, exchange: &Exchange, now: Moment) -> (Reply, Record) {
        let mut record = Record::begin("apns", "push", exchange, now);
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
        let trusted = self.bindings.get(&connection).is_some_and(Binding::trusted);
        let max_streams = if !self.governor || !trusted {
            None
        } else if self.penalty && !record.accepted && record.status != 410 {
            Some(1)
        } else {
            Some(STREAMS)
        };
        After { max_streams }
    }
}

/// The error reply in Apple's shape.
fn refuse(refusal: &Refusal, id_header: &str, id: &str, record: &mut Record) -> Reply {
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
    let groups: Vec<&str> = text.split('-').collect();
    groups.iter().map(|group| group.len()).eq([8, 4, 4, 4, 12])
        && groups
            .iter()
            .all(|group| group.bytes().all(|byte| byte.is_ascii_hexdigit()))
}
