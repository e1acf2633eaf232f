//! Broadcast channels: the management API and publishing.

use super::{Apns, Refusal, is_uuid, refuse};
use crate::exchange::{Exchange, Reply};
use crate::record::Record;
use crate::shared::Moment;
use http::Method;
use serde_json::{Value, json};
use std::collections::{BTreeMap, HashMap};

/// Channels an app may have in one environment.
const LIMIT: usize = 10_000;
/// Bytes of a broadcast's body.
const BODY_LIMIT: usize = 5120;

/// Bundle id to channel id to storage policy (0 none, 1 most recent).
#[derive(Default)]
pub(super) struct Channels {
    by_bundle: HashMap<String, BTreeMap<String, u64>>,
}

impl Apns {
    /// `/1/apps/<bundle>/channels` and `/all-channels`.
    pub(super) fn manage(&mut self, exchange: &Exchange, now: Moment, record: &mut Record) -> Reply {
        let id = request_id(exchange);
        match self.try_manage(exchange, now, record) {
            Ok(reply) => {
                record.accepted = true;
                reply.with("apns-request-id", id)
            }
            Err(refusal) => refuse(&refusal, "apns-request-id", &id, record),
        }
    }

    fn try_manage(
        &mut self,
        exchange: &Exchange,
        now: Moment,
        record: &mut Record,
    ) -> Result<Reply, Refusal> {
        "channel".clone_into(&mut record.operation);
        let not_allowed = Refusal::new(405, "MethodNotAllowed", "apns.channel.method");
        let bad_path = || Refusal::new(404, "BadPath", "apns.channel.path");
        let (bundle, what) = exchange
            .path
            .strip_prefix("/1/apps/")
            .and_then(|rest| rest.split_once('/'))
            .filter(|(_, what)| *what == "channels" || *what == "all-channels")
            .ok_or_else(bad_path)?;
        let operation = match (what, &exchange.method) {
            ("channels", &Method::POST) => "channel.create",
            ("channels", &Method::GET) => "channel.read",
            ("channels", &Method::DELETE) => "channel.delete",
            ("all-channels", &Method::GET) => "channel.list",
            _ => return Err(not_allowed),
        };
        operation.clone_into(&mut record.operation);
        self.authorize(exchange, now, record)?;
        self.broadcast_bundle(exchange, bundle)?;
        let channels = self.channels.by_bundle.entry(bundle.to_owned()).or_default();
        match operation {
            "channel.create" => {
                let policy = creation(&exchange.body)?;
                if channels.len() >= LIMIT {
                    return Err(Refusal::new(
                        400,
                        "CannotCreateChannelConfig",
                        "apns.channel.limit",
                    ));
                }
                let id = crate::ids::b64(&crate::ids::random::<16>());
                channels.insert(id.clone(), policy);
                record.target = Some(id.clone());
                Ok(Reply::status(201).with("apns-channel-id", id))
            }
            "channel.list" => {
                let ids: Vec<&String> = channels.keys().collect();
                Ok(Reply::json(200, &json!({ "channels": ids })))
            }
            _ => {
                let id = channel_id(exchange)?;
                record.target = Some(id.to_owned());
                let unknown = Refusal::new(400, "ChannelNotRegistered", "apns.channel.unknown");
                let policy = *channels.get(id).ok_or(unknown)?;
                if operation == "channel.delete" {
                    channels.remove(id);
                    return Ok(Reply::status(204));
                }
                Ok(Reply::json(
                    200,
                    &json!({ "message-storage-policy": policy, "push-type": "LiveActivity" }),
                ))
            }
        }
    }

    /// `POST /4/broadcasts/apps/<bundle>`.
    pub(super) fn broadcast(&mut self, exchange: &Exchange, now: Moment, record: &mut Record) -> Reply {
        "broadcast".clone_into(&mut record.operation);
        let id = request_id(exchange);
        record.id = Some(id.clone());
        match self.try_broadcast(exchange, now, record) {
            Ok(()) => {
                record.accepted = true;
                Reply::status(200).with("apns-request-id", id)
            }
            Err(refusal) => refuse(&refusal, "apns-request-id", &id, record),
        }
    }

    fn try_broadcast(
        &mut self,
        exchange: &Exchange,
        now: Moment,
        record: &mut Record,
    ) -> Result<(), Refusal> {
        let bad = |reason, rule| Err(Refusal::new(400, reason, rule));
        if exchange.method != Method::POST {
            return Err(Refusal::new(405, "MethodNotAllowed", "apns.broadcast.method"));
        }
        let bundle = exchange
            .path
            .strip_prefix("/4/broadcasts/apps/")
            .filter(|bundle| !bundle.is_empty() && !bundle.contains('/'))
            .ok_or_else(|| Refusal::new(404, "BadPath", "apns.broadcast.path"))?;
        self.authorize(exchange, now, record)?;
        self.broadcast_bundle(exchange, bundle)?;
        match exchange.header("apns-push-type") {
            None => return bad("MissingPushType", "apns.broadcast.push-type.missing"),
            Some(kind) if kind.eq_ignore_ascii_case("liveactivity") => {}
            Some(_) => return bad("InvalidPushType", "apns.broadcast.push-type"),
        }
        if !matches!(exchange.header("apns-priority"), None | Some("1" | "5" | "10")) {
            return bad("BadPriority", "apns.broadcast.priority");
        }
        let expiration = match exchange.header("apns-expiration") {
            None => None,
            Some(text) => match text.parse::<u64>() {
                Ok(seconds) => Some(seconds),
                Err(_) => return bad("BadExpirationDate", "apns.broadcast.expiration"),
            },
        };
        let id = channel_id(exchange)?;
        record.target = Some(id.to_owned());
        let Some(policy) = self
            .channels
            .by_bundle
            .get(bundle)
            .and_then(|channels| channels.get(id))
        else {
            return bad("ChannelNotRegistered", "apns.channel.unknown");
        };
        if *policy == 0 && expiration.unwrap_or(0) != 0 {
            return bad("BadExpirationDate", "apns.broadcast.expiration.no-storage");
        }
        if exchange.body.is_empty() {
            return bad("PayloadEmpty", "apns.broadcast.payload.empty");
        }
        if exchange.body.len() > BODY_LIMIT {
            return Err(Refusal::new(
                413,
                "PayloadTooLarge",
                "apns.broadcast.payload.size",
            ));
        }
        match serde_json::from_slice::<Value>(&exchange.body) {
            // A broadcast updates or ends an activity, it cannot start one.
            Ok(body) if body["aps"]["event"] == "start" => bad("BadRequestPayload", "apns.broadcast.start"),
            Ok(Value::Object(_)) => Ok(()),
            _ => bad("BadRequestPayload", "apns.broadcast.payload.json"),
        }
    }

    fn broadcast_bundle(&self, exchange: &Exchange, bundle: &str) -> Result<(), Refusal> {
        if self.bundles.iter().any(|known| known == bundle) {
            return self.check_bundle(exchange.origin.connection, bundle);
        }
        Err(Refusal::new(400, "TopicDisallowed", "apns.broadcast.bundle"))
    }
}

fn request_id(exchange: &Exchange) -> String {
    let given = exchange
        .header("apns-request-id")
        .or_else(|| exchange.header("apns-id"));
    given
        .filter(|id| is_uuid(id))
        .map_or_else(crate::ids::uuid, str::to_owned)
}

fn channel_id(exchange: &Exchange) -> Result<&str, Refusal> {
    let id = exchange.header("apns-channel-id").filter(|id| !id.is_empty());
    let id = id.ok_or_else(|| Refusal::new(400, "MissingChannelId", "apns.channel.id.missing"))?;
    if crate::ids::from_b64_any(id).is_none() {
        return Err(Refusal::new(400, "BadChannelId", "apns.channel.id"));
    }
    Ok(id)
}

/// The storage policy asked for by a creation request.
fn creation(body: &[u8]) -> Result<u64, Refusal> {
    let bad = |reason, rule| Refusal::new(400, reason, rule);
    if body.is_empty() {
        return Err(bad("PayloadEmpty", "apns.channel.create.empty"));
    }
    let body: Value =
        serde_json::from_slice(body).map_err(|_| bad("BadRequestPayload", "apns.channel.create.json"))?;
    match body.get("push-type").and_then(Value::as_str) {
        Some(kind) if kind.eq_ignore_ascii_case("liveactivity") => {}
        Some(_) => return Err(bad("InvalidPushType", "apns.channel.create.push-type")),
        None => return Err(bad("MissingPushType", "apns.channel.create.push-type")),
    }
    match body.get("message-storage-policy") {
        None => Err(bad(
            "MissingChannelQueueSize",
            "apns.channel.create.policy.missing",
        )),
        Some(policy) => policy
            .as_u64()
            .filter(|policy| *policy <= 1)
            .ok_or_else(|| bad("BadRequestPayload", "apns.channel.create.policy")),
    }
}
