//! Messages to FCM: data alone, as AWS's Android SDK reads them.

use serde_json::{Map, Value, json};

use super::content::Content;
use super::data;
use super::plan::{Extra, Made, Switches};
use crate::dialect::fcm_legacy::message::make;
use crate::fcm;
use crate::service::Template;
use crate::time::UnixTime;

pub(super) fn template(content: &Content, extra: &Extra, switches: Switches, began: UnixTime) -> Made {
    let mut warnings = Vec::new();
    let mut message = match &content.raw {
        Some(raw) => {
            if extra.context().is_some() {
                warnings.push("Context and TraceId are not added to RawContent".to_owned());
            }
            let raw = data::raw(raw).ok_or("RawContent is not a JSON object")?;
            raw_message(raw, content, began, &mut warnings)?
        }
        None => {
            let mut message = Map::new();
            message.insert("data".into(), data::object(&data::flat(content, extra)));
            if switches.also_notification && !content.silent.unwrap_or_default() {
                let mut notification = Map::new();
                for (name, text) in [
                    ("title", &content.title),
                    ("body", &content.body),
                    ("image", &content.image_url),
                ] {
                    if let Some(text) = text {
                        notification.insert(name.into(), text.as_str().into());
                    }
                }
                message.insert("notification".into(), Value::Object(notification));
            }
            message
        }
    };
    let mut android = match message.remove("android") {
        Some(Value::Object(android)) => android,
        _ => Map::new(),
    };
    let mut set = |name: &str, value: Value| {
        android.insert(name.to_owned(), value);
    };
    if let Some(key) = &content.collapse {
        set("collapse_key", json!(key));
    }
    match content.priority.as_deref() {
        Some("10" | "high") => set("priority", json!("HIGH")),
        Some("5" | "normal") => set("priority", json!("NORMAL")),
        Some(_) => return Err("Priority is none of normal, high, 5, 10".to_owned()),
        None => {}
    }
    if let Some(seconds) = content.time_to_live {
        let seconds = u64::try_from(seconds).map_err(|_| "TimeToLive is negative")?;
        set("ttl", json!(format!("{seconds}s")));
    }
    if let Some(package) = &content.package {
        set("restricted_package_name", json!(package));
    }
    if !android.is_empty() {
        message.insert("android".into(), Value::Object(android));
    }
    let template = fcm::Template::from_object(message).map_err(|error| error.context().to_owned())?;
    Ok((Template::Fcm(template), warnings))
}

/// Raw content: a message of FCM v1 in one of the wrappers that AWS documents, or one of the legacy API.
fn raw_message(
    mut raw: Map<String, Value>,
    content: &Content,
    began: UnixTime,
    warnings: &mut Vec<String>,
) -> Result<Map<String, Value>, String> {
    let inner = match raw.remove("fcmV1Message") {
        Some(Value::Object(mut wrapper)) => wrapper.remove("message"),
        Some(_) => return Err("fcmV1Message is not an object".to_owned()),
        None => raw.remove("message"),
    };
    match inner {
        Some(Value::Object(mut message)) => {
            for target in ["token", "topic", "condition", "fid"] {
                if message.remove(target).is_some() {
                    warnings.push(format!("{target} in RawContent is not used: the address is the target"));
                }
            }
            Ok(message)
        }
        Some(_) => Err("message in RawContent is not an object".to_owned()),
        None => {
            // The fields beside raw content count, for the platforms that the translation knows, too.
            for (name, value) in [
                ("priority", content.priority.as_ref().map(|priority| json!(priority))),
                ("time_to_live", content.time_to_live.map(|seconds| json!(seconds))),
                ("collapse_key", content.collapse.as_ref().map(|key| json!(key))),
            ] {
                if let Some(value) = value {
                    raw.insert(name.to_owned(), value);
                }
            }
            match make(&raw, began, warnings) {
                Ok(made) => {
                    if made.validate_only {
                        warnings.push("dry_run in RawContent is not used: the message is sent".to_owned());
                    }
                    Ok(made.message)
                }
                Err(word) => Err(format!("RawContent is no message of FCM: {word}")),
            }
        }
    }
}
