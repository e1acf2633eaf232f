//! From a message of FCM's legacy HTTP API, which Google shut down in 2024, to one of FCM v1.

use serde_json::{Map, Value, json};

/// The names of the notification's fields whose place in FCM v1 is `android.notification`, with their names there.
const ANDROID: &[(&str, &str)] = &[
    ("android_channel_id", "channel_id"),
    ("body_loc_key", "body_loc_key"),
    ("click_action", "click_action"),
    ("color", "color"),
    ("icon", "icon"),
    ("notification_priority", "notification_priority"),
    ("sound", "sound"),
    ("tag", "tag"),
    ("ticker", "ticker"),
    ("title_loc_key", "title_loc_key"),
    ("visibility", "visibility"),
];

/// Returns the message of FCM v1, without a target, that says the same. A field that has no place there is a warning.
pub(super) fn message(legacy: &Map<String, Value>, warnings: &mut Vec<String>) -> Map<String, Value> {
    let (mut message, mut android) = (Map::new(), Map::new());
    for (name, value) in legacy {
        match (name.as_str(), value) {
            ("data", Value::Object(data)) => {
                let pairs = data.iter().map(|(name, value)| (name.clone(), text(value)));
                message.insert("data".into(), Value::Object(pairs.collect()));
            }
            ("notification", Value::Object(fields)) => {
                let (plain, own) = notification(fields, warnings);
                message.insert("notification".into(), Value::Object(plain));
                if !own.is_empty() {
                    android.insert("notification".into(), Value::Object(own));
                }
            }
            ("priority", _) => match text(value).as_str() {
                Some("high" | "10") => drop(android.insert("priority".into(), json!("HIGH"))),
                Some("normal" | "5") => drop(android.insert("priority".into(), json!("NORMAL"))),
                _ => warnings.push("priority is neither normal nor high: it is left out".to_owned()),
            },
            ("time_to_live", _) => {
                let seconds = text(value);
                let seconds = seconds.as_str().unwrap_or_default();
                android.insert("ttl".into(), json!(format!("{seconds}s")));
            }
            ("collapse_key" | "restricted_package_name", Value::String(_)) => {
                android.insert(name.clone(), value.clone());
            }
            ("direct_boot_ok", Value::Bool(_)) => drop(android.insert(name.clone(), value.clone())),
            ("fcm_options", Value::Object(_)) => drop(message.insert(name.clone(), value.clone())),
            // Without a meaning for Android, and no loss.
            ("content_available" | "mutable_content" | "delay_while_idle", _) => {
                warnings.push(format!(
                    "{name} is left out: nothing of FCM v1 for Android says it"
                ));
            }
            ("to" | "registration_ids" | "condition", _) => {
                warnings.push(format!("{name} is left out: the target is known"));
            }
            _ => {
                let shown: String = name.chars().take(40).filter(char::is_ascii_graphic).collect();
                warnings.push(format!("{shown} is no field of FCM's legacy API: it is left out"));
            }
        }
    }
    if !android.is_empty() {
        message.insert("android".into(), Value::Object(android));
    }
    message
}

/// Splits the fields of a legacy notification into those of every platform and those of Android.
fn notification(
    fields: &Map<String, Value>,
    warnings: &mut Vec<String>,
) -> (Map<String, Value>, Map<String, Value>) {
    let (mut plain, mut own) = (Map::new(), Map::new());
    for (name, value) in fields {
        match name.as_str() {
            "title" | "body" | "image" => drop(plain.insert(name.clone(), text(value))),
            "body_loc_args" | "title_loc_args" => {
                // The legacy API took an array, or the text of one.
                let args = match value {
                    Value::String(written) => serde_json::from_str(written).unwrap_or(Value::Null),
                    other => other.clone(),
                };
                match args {
                    Value::Array(args) => {
                        own.insert(name.clone(), args.iter().map(text).collect());
                    }
                    _ => warnings.push(format!("{name} is no array: it is left out")),
                }
            }
            other => match ANDROID.iter().find(|(known, _)| *known == other) {
                Some((_, new)) => drop(own.insert((*new).to_owned(), text(value))),
                None => {
                    let shown: String = other.chars().take(40).filter(char::is_ascii_graphic).collect();
                    warnings.push(format!(
                        "notification.{shown} has no place in FCM v1: it is left out"
                    ));
                }
            },
        }
    }
    (plain, own)
}

/// A value as a text, because FCM v1 takes texts where the legacy API took any value.
fn text(value: &Value) -> Value {
    match value {
        Value::String(_) => value.clone(),
        other => Value::String(other.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_field_has_its_place_or_a_warning() {
        // The fields of Amazon's page "Sending transactional messages", RawContent of GCM, and Google's legacy reference.
        let legacy = json!({
            "to": "token", "collapse_key": "k", "priority": "high", "time_to_live": 3600, "content_available": true,
            "restricted_package_name": "com.example", "data": {"a": 1, "b": "x", "c": {"d": null}},
            "notification": {"title": "T", "body": "B", "android_channel_id": "c", "icon": "i", "sound": "s", "tag": "t",
                "color": "#ff0000", "click_action": "OPEN", "body_loc_key": "k", "body_loc_args": "[\"x\",2]",
                "title_loc_key": "l", "title_loc_args": ["y"], "badge": 3},
        });
        let mut warnings = Vec::new();
        let made = message(legacy.as_object().unwrap(), &mut warnings);
        let expected = json!({
            "data": {"a": "1", "b": "x", "c": "{\"d\":null}"},
            "notification": {"title": "T", "body": "B"},
            "android": {"collapse_key": "k", "priority": "HIGH", "ttl": "3600s", "restricted_package_name": "com.example",
                "notification": {"channel_id": "c", "icon": "i", "sound": "s", "tag": "t", "color": "#ff0000",
                    "click_action": "OPEN", "body_loc_key": "k", "body_loc_args": ["x", "2"], "title_loc_key": "l",
                    "title_loc_args": ["y"]}},
        });
        assert_eq!(Value::Object(made), expected);
        assert_eq!(warnings.len(), 3, "{warnings:?}");
    }
}
