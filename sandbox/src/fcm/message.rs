//! What Google checks in a message beyond its types.

use super::error::Problem;
use super::schema::is_field;
use crate::shared::Profile;
use serde_json::Value;

const TARGETS: [&str; 4] = ["fid", "token", "topic", "condition"];
const DIRECT_LIMIT: usize = 4096;
const TOPIC_LIMIT: usize = 2048;

/// A view of the request body that does not mind how names are spelt.
pub(super) struct Message<'a> {
    request: &'a Value,
    message: &'a Value,
}

/// The refusal of a message without exactly one target.
pub(super) fn no_target() -> Problem {
    invalid(
        "fcm.target.one",
        "message",
        "Exactly one of fid, token, topic or condition must be set.",
    )
}

fn invalid(rule: &'static str, field: &str, text: &str) -> Problem {
    Problem::new(400, "INVALID_ARGUMENT", rule, text)
        .fcm("INVALID_ARGUMENT")
        .violation(field, text)
}

/// The member, whichever of its two proto3 names was used.
fn get<'a>(value: &'a Value, name: &str) -> Option<&'a Value> {
    value
        .as_object()?
        .iter()
        .find(|(key, value)| is_field(key, name) && !value.is_null())
        .map(|(_, value)| value)
}

impl<'a> Message<'a> {
    pub(super) fn of(request: &'a Value) -> Self {
        Self {
            request,
            message: get(request, "message").unwrap_or(&Value::Null),
        }
    }

    pub(super) fn validate_only(&self) -> bool {
        get(self.request, "validate_only")
            .and_then(Value::as_bool)
            .unwrap_or(false)
    }

    /// The target's field and text, when there is exactly one.
    pub(super) fn target(&self) -> Option<(&'static str, &'a str)> {
        let mut targets = TARGETS
            .iter()
            .filter_map(|name| Some((*name, get(self.message, name)?.as_str()?)));
        let first = targets.next()?;
        targets.next().is_none().then_some(first)
    }

    pub(super) fn check(&self, profile: Profile) -> Result<(), Problem> {
        if self.message.is_null() {
            return Err(invalid(
                "fcm.message.missing",
                "message",
                "The message is not set.",
            ));
        }
        let (kind, target) = self.target().ok_or_else(no_target)?;
        match kind {
            "topic" if !is_topic(target) => {
                return Err(invalid(
                    "fcm.target.topic",
                    "message.topic",
                    "Malformed topic name.",
                ));
            }
            "condition" => condition(target)?,
            _ if target.is_empty() => return Err(no_target()),
            _ => {}
        }
        if get(self.message, "android").is_some() && get(self.message, "android_v2").is_some() {
            let text = "At most one of android and android_v2 may be set.";
            return Err(invalid("fcm.android.exclusive", "message.android_v2", text));
        }
        self.data(self.message, "message.data")?;
        for platform in ["android", "android_v2"] {
            let Some(config) = get(self.message, platform) else {
                continue;
            };
            self.data(config, &format!("message.{platform}.data"))?;
            self.ttl(config, &format!("message.{platform}.ttl"))?;
        }
        if profile != Profile::Lenient {
            self.apns()?;
        }
        self.labels(self.message, "message")?;
        self.size(kind)
    }

    /// Reserved keys of a data map.
    fn data(&self, config: &Value, path: &str) -> Result<(), Problem> {
        let Some(Value::Object(data)) = get(config, "data") else {
            return Ok(());
        };
        let reserved = |key: &str| {
            key == "from"
                || key == "message_type"
                || key.starts_with("google.")
                || key.starts_with("gcm.notification.")
        };
        match data.keys().find(|key| reserved(key)) {
            Some(key) => Err(invalid(
                "fcm.data.reserved",
                path,
                &format!("Invalid data payload key: {key}"),
            )),
            None => Ok(()),
        }
    }

    fn ttl(&self, config: &Value, path: &str) -> Result<(), Problem> {
        let Some(ttl) = get(config, "ttl").and_then(Value::as_str) else {
            return Ok(());
        };
        let whole = ttl.trim_end_matches('s').split('.').next().unwrap_or_default();
        match whole.parse::<u64>() {
            Ok(seconds) if seconds <= 2_419_200 => Ok(()),
            _ => Err(invalid(
                "fcm.android.ttl",
                path,
                "TTL must be between 0 and 2419200 seconds.",
            )),
        }
    }

    /// What Google checks of a message to Apple devices.
    fn apns(&self) -> Result<(), Problem> {
        let Some(apns) = get(self.message, "apns") else {
            return Ok(());
        };
        if let Some(payload) = get(apns, "payload") {
            aps(payload)?;
        }
        let aps = apns.pointer("/payload/aps");
        let header = |name: &str| {
            let headers = get(apns, "headers")?.as_object()?;
            headers
                .iter()
                .find(|(key, _)| key.eq_ignore_ascii_case(name))
                .and_then(|(_, value)| value.as_str())
        };
        let silent = aps
            .is_some_and(|aps| aps.get("content-available").is_some() && aps.get("alert").is_none())
            && get(self.message, "notification").is_none();
        if silent && header("apns-priority") == Some("10") {
            let text = "Priority 10 is not allowed for messages that carry data only.";
            return Err(invalid("fcm.apns.priority", "message.apns.headers", text));
        }
        match header("apns-collapse-id") {
            Some(id) if id.len() > 64 => Err(invalid(
                "fcm.apns.collapse-id",
                "message.apns.headers",
                "apns-collapse-id exceeds 64 bytes.",
            )),
            _ => Ok(()),
        }
    }

    /// Analytics labels, wherever an `fcm_options` is.
    fn labels(&self, value: &Value, path: &str) -> Result<(), Problem> {
        let Some(entries) = value.as_object() else {
            return Ok(());
        };
        for (key, inner) in entries {
            if is_field(key, "analytics_label") && !inner.as_str().is_some_and(is_label) {
                let path = format!("{path}.analytics_label");
                return Err(invalid("fcm.options.label", &path, "Invalid analytics label."));
            }
            let parts = ["android", "android_v2", "apns", "webpush", "fcm_options"];
            if let Some(name) = parts.into_iter().find(|name| is_field(key, name)) {
                self.labels(inner, &format!("{path}.{name}"))?;
            }
        }
        Ok(())
    }

    /// Keys and values of data and notification count.
    fn size(&self, kind: &str) -> Result<(), Problem> {
        let limit = if kind == "topic" || kind == "condition" {
            TOPIC_LIMIT
        } else {
            DIRECT_LIMIT
        };
        let used: usize = ["data", "notification"]
            .iter()
            .filter_map(|name| get(self.message, name))
            .map(weight)
            .sum();
        let apns = get(self.message, "apns").and_then(|apns| apns.get("payload"));
        let apns = apns.map_or(0, |payload| payload.to_string().len());
        if used > limit || apns > DIRECT_LIMIT {
            return Err(invalid("fcm.message.size", "message", "Message too big."));
        }
        Ok(())
    }
}

/// The `aps` dictionary of an APNs payload. The sentences are Google's own.
fn aps(payload: &Value) -> Result<(), Problem> {
    let path = "message.apns.payload";
    let Some(aps) = payload.get("aps") else {
        let text = "Payload of Apple Push Notification Service must contain an [aps] key.";
        return Err(invalid("fcm.apns.aps.missing", path, text));
    };
    let entries = match aps {
        Value::Object(entries) if !entries.is_empty() => entries,
        _ => {
            let text = "Value of [aps] must be a non-empty dictionary.";
            return Err(invalid("fcm.apns.aps.empty", &format!("{path}.aps"), text));
        }
    };
    let strings = |dictionary: &serde_json::Map<String, Value>, keys: &[&str], path: &str| {
        let wrong = keys
            .iter()
            .find(|key| dictionary.get(**key).is_some_and(|value| !value.is_string()));
        wrong.map_or(Ok(()), |key| {
            let text = format!("Value type for APS key [{key}] is a String.");
            Err(invalid("fcm.apns.aps.type", &format!("{path}.{key}"), &text))
        })
    };
    strings(entries, &["category", "thread-id"], &format!("{path}.aps"))?;
    match entries.get("alert") {
        Some(Value::Object(alert)) => strings(
            alert,
            &["title", "subtitle", "body"],
            &format!("{path}.aps.alert"),
        ),
        _ => Ok(()),
    }
}

fn weight(value: &Value) -> usize {
    match value {
        Value::Object(entries) => entries.iter().map(|(key, value)| key.len() + weight(value)).sum(),
        Value::String(text) => text.len(),
        other => other.to_string().len(),
    }
}

/// `[a-zA-Z0-9-_.~%]+`, at most 900.
pub(super) fn is_topic(text: &str) -> bool {
    !text.is_empty()
        && text.len() <= 900
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"-_.~%".contains(&byte))
}

fn is_label(text: &str) -> bool {
    is_topic(text) && text.len() <= 50
}

/// `'a' in topics && !('b' in topics || 'c' in topics)`, at most five topics.
fn condition(text: &str) -> Result<(), Problem> {
    let bad = |text| Err(invalid("fcm.target.condition", "message.condition", text));
    let mut parser = Condition {
        rest: text,
        topics: 0,
        depth: 0,
    };
    if parser.any().is_none() || !parser.rest.trim().is_empty() {
        return bad("Invalid condition expression provided.");
    }
    if parser.topics > 5 {
        return bad("A condition may name at most five topics.");
    }
    Ok(())
}

struct Condition<'a> {
    rest: &'a str,
    topics: usize,
    depth: usize,
}

impl Condition<'_> {
    fn eat(&mut self, token: &str) -> Option<()> {
        self.rest = self.rest.trim_start().strip_prefix(token)?;
        Some(())
    }

    fn any(&mut self) -> Option<()> {
        self.term()?;
        while self.eat("&&").or_else(|| self.eat("||")).is_some() {
            self.term()?;
        }
        Some(())
    }

    fn term(&mut self) -> Option<()> {
        let _ = self.eat("!");
        if self.eat("(").is_some() {
            self.depth += 1;
            if self.depth > 16 {
                return None;
            }
            self.any()?;
            self.depth -= 1;
            return self.eat(")");
        }
        self.eat("'")?;
        let (topic, rest) = self.rest.split_once('\'')?;
        self.rest = rest;
        self.topics += 1;
        is_topic(topic).then_some(())?;
        self.eat("in")?;
        self.eat("topics")
    }
}
