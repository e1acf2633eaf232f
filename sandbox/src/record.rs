//! The log: one record for each request that a service judged.

use crate::exchange::Exchange;
use crate::raw::Raw;
use crate::shared::{Door, Moment};
use serde::Serialize;
use serde_json::Value;

/// One judged request.
///
/// `accepted` records are the sandbox's oracle: a push is in the log as accepted
/// exactly as many times as the service took it, whatever became of the answer.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Record {
    /// Position in the log, from 1, never reused.
    pub seq: u64,
    /// The sandbox's clock, Unix milliseconds.
    pub at_ms: i64,
    /// `apns`, `fcm`, `webpush`, `adm` or `baidu`.
    pub service: String,
    /// `push`, `broadcast`, `channel.create`, `oauth.token`, ... (docs/sandbox.md lists them).
    pub operation: String,
    /// True when the service took it: the push counts as processed.
    pub accepted: bool,
    /// APNs took it and will not deliver it.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub dropped: bool,
    /// APNs took it and delivers it late.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub delayed: bool,
    /// The fate of a push that APNs took.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub delivery: Option<crate::apns::Delivery>,
    /// The status the service answered, or would have answered without a fault.
    pub status: u16,
    /// The service's reason word, when it refused.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Id of the rule that refused it; docs/sandbox.md has the table.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rule: Option<String>,
    /// Where another profile would have let the request pass: which one, and how to choose it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hint: Option<&'static str>,
    /// Things a lenient profile let pass, by rule id.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub warnings: Vec<String>,
    /// Connection number, from 1.
    pub connection: u64,
    /// HTTP/2 stream id; 0 on HTTP/1.1.
    pub stream: u32,
    /// Size in bytes of the HPACK block as it came over the wire; 0 on HTTP/1.1.
    pub header_block: usize,
    /// How the client coded it; absent on HTTP/1.1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hpack: Option<crate::exchange::HeaderAudit>,
    /// Device token, registration token, topic, subscription id, channel id ...
    #[serde(skip_serializing_if = "Option::is_none")]
    pub target: Option<String>,
    /// apns-id, message name, message location: what the service calls this push.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// How long the answer was held back on purpose, in microseconds: the service's latency
    /// and a script's delay.
    #[serde(skip_serializing_if = "is_zero")]
    pub delay_us: u64,
    /// Request headers without the credentials.
    pub headers: Value,
    /// The body: JSON where it is JSON, else text, else `{"base64": ...}`.
    pub body: Value,
    /// Web Push: the decrypted payload, JSON where it is JSON, else text, else base64.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub decrypted: Option<Value>,
    /// Kind of the scripted fault that shaped the answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fault: Option<String>,
    /// Headers and body as they came; empty once [`Record::shown`] has made JSON of them.
    #[serde(skip)]
    pub(crate) raw: Raw,
}

/// The hint of refusals that only the strict profile makes.
pub(crate) const LENIENT: &str = "real servers have been seen to let this pass and widely used clients rely on it; \
                                  start the sandbox with --profile lenient, or POST {\"profile\": \"lenient\"} to /settings";

impl Record {
    /// A push, broadcast or batch that the service took; not a token, channel or topic call.
    pub fn is_push(&self) -> bool {
        self.accepted
            && (self.operation == "push"
                || self.operation == "broadcast"
                || self.operation.starts_with("push/"))
    }
}

impl Record {
    /// A record of what came in; the service fills in the rest.
    pub(crate) fn begin(service: &str, operation: &str, exchange: &Exchange, now: Moment) -> Self {
        Self {
            at_ms: now.unix_ms,
            service: service.to_owned(),
            operation: operation.to_owned(),
            connection: exchange.origin.connection,
            stream: exchange.origin.stream,
            header_block: exchange.origin.header_block,
            hpack: exchange.origin.audit,
            raw: Raw::of(exchange),
            ..Self::default()
        }
    }

    /// A record of what was refused before it became a request.
    pub(crate) fn below_http(
        door: Door,
        connection: u64,
        stream: u32,
        rule: &str,
        reason: &str,
        now: Moment,
    ) -> Self {
        Self {
            at_ms: now.unix_ms,
            service: door.service().to_owned(),
            operation: "connection".to_owned(),
            reason: Some(reason.to_owned()),
            rule: Some(rule.to_owned()),
            connection,
            stream,
            ..Self::default()
        }
    }

    /// The record as the log is read: headers and body as JSON.
    pub(crate) fn shown(&self) -> Self {
        let mut shown = self.clone();
        let raw = std::mem::take(&mut shown.raw);
        shown.headers = raw.headers();
        if shown.body.is_null() {
            shown.body = raw.body();
        }
        if let Some((payload, warning)) = raw.decrypted() {
            shown.decrypted = Some(payload);
            shown.warnings.extend(warning.map(str::to_owned));
        }
        shown
    }

    /// The log does not show the body as it came, but only what this says.
    pub(crate) fn show_body(&mut self, instead: Value) {
        self.raw.hide_body();
        self.body = instead;
    }

    /// About how many bytes it takes in the log.
    pub(crate) fn weight(&self) -> usize {
        let text = |text: &Option<String>| text.as_ref().map_or(0, String::len);
        let texts = [&self.reason, &self.rule, &self.target, &self.id, &self.fault];
        let values = [Some(&self.body), self.decrypted.as_ref()];
        size_of::<Self>()
            + self.raw.weight()
            + self.service.len()
            + self.operation.len()
            + texts.into_iter().map(text).sum::<usize>()
            + self
                .warnings
                .iter()
                .map(|warning| size_of::<String>() + warning.len())
                .sum::<usize>()
            + values.into_iter().flatten().map(weight_of).sum::<usize>()
    }
}

/// About how many bytes a value takes beside itself.
fn weight_of(value: &Value) -> usize {
    match value {
        Value::Null | Value::Bool(_) | Value::Number(_) => 0,
        Value::String(text) => text.len(),
        Value::Array(items) => items
            .iter()
            .map(|item| size_of::<Value>() + weight_of(item))
            .sum(),
        // An entry of the map holds its key, its hash and its place in the index.
        Value::Object(entries) => {
            let entry = |(key, value): (&String, &Value)| 128 + key.len() + weight_of(value);
            entries.iter().map(entry).sum()
        }
    }
}

/// Serde asks by reference.
#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde's signature")]
fn is_zero(value: &u64) -> bool {
    *value == 0
}

/// Bytes as JSON, as text, or as base64, whichever is the most readable.
pub(crate) fn readable(bytes: &[u8]) -> Value {
    if bytes.is_empty() {
        return Value::Null;
    }
    if let Ok(value) = serde_json::from_slice(bytes) {
        return value;
    }
    match std::str::from_utf8(bytes) {
        Ok(text) => Value::String(text.to_owned()),
        Err(_) => serde_json::json!({ "base64": crate::ids::b64(bytes) }),
    }
}
