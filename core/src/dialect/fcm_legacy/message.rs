//! From a message of the legacy API to one of FCM v1, for every platform that the old servers reached.

use serde_json::{Map, Value, json};

use crate::time::UnixTime;

/// The longest time to live, in seconds: four weeks (Google's legacy reference).
const LONGEST_TTL: u64 = 2_419_200;

/// Fields of the legacy notification whose place is `android.notification`, with their names there.
const ANDROID: &[(&str, &str)] = &[
    ("android_channel_id", "channel_id"),
    ("body_loc_key", "body_loc_key"),
    ("click_action", "click_action"),
    ("color", "color"),
    ("icon", "icon"),
    ("sound", "sound"),
    ("tag", "tag"),
    ("title_loc_key", "title_loc_key"),
];
/// Fields of the legacy notification whose place is `aps.alert`, with their names there.
const ALERT: &[(&str, &str)] = &[
    ("title", "title"),
    ("subtitle", "subtitle"),
    ("body", "body"),
    ("title_loc_key", "title-loc-key"),
    ("body_loc_key", "loc-key"),
];
const KNOWN: &[&str] = &[
    "to",
    "registration_ids",
    "condition",
    "notification",
    "data",
    "priority",
    "time_to_live",
    "collapse_key",
    "restricted_package_name",
    "content_available",
    "mutable_content",
    "dry_run",
    "delay_while_idle",
];

/// A message without a target.
#[derive(Debug)]
pub(in crate::dialect) struct Made {
    pub(in crate::dialect) message: Map<String, Value>,
    pub(in crate::dialect) validate_only: bool,
}

/// Makes the message.
///
/// # Errors
/// The word of the legacy API for what is wrong with it.
pub(in crate::dialect) fn make(
    legacy: &Map<String, Value>,
    now: UnixTime,
    warnings: &mut Vec<String>,
) -> Result<Made, &'static str> {
    let get = |name: &str| legacy.get(name).filter(|value| !value.is_null());
    let notification = get("notification").and_then(Value::as_object);
    // PyFCM sends an empty one beside data.
    let notification = notification.filter(|fields| !fields.is_empty());
    let mut message = Map::new();
    if let Some(data) = get("data").and_then(Value::as_object).filter(|data| !data.is_empty()) {
        message.insert("data".into(), read_data(data)?);
    }
    let (mut android, mut headers, mut aps, mut webpush) = (Map::new(), Map::new(), Map::new(), Map::new());
    if let Some(fields) = notification {
        let (plain, own) = of_android(fields, warnings);
        message.insert("notification".into(), Value::Object(plain));
        if !own.is_empty() {
            android.insert("notification".into(), Value::Object(own));
        }
        of_apple(fields, &mut aps, warnings);
        if let Some(link) = fields.get("click_action").and_then(Value::as_str) {
            // In a browser the action was an address; everywhere else it is a name.
            if link.starts_with("https://") {
                webpush.insert("fcm_options".into(), json!({"link": link}));
            }
        }
    }
    if get("content_available").is_some_and(is_true) {
        aps.insert("content-available".into(), 1.into());
    }
    if get("mutable_content").is_some_and(is_true) {
        aps.insert("mutable-content".into(), 1.into());
    }
    match get("priority").map(text).as_deref() {
        None => {}
        Some("high" | "10") => {
            android.insert("priority".into(), "HIGH".into());
            // A push that only wakes the app has 5, whatever is asked for: APNs takes no other.
            let priority = if notification.is_some() { "10" } else { "5" };
            headers.insert("apns-priority".into(), priority.into());
        }
        Some("normal" | "5") => {
            android.insert("priority".into(), "NORMAL".into());
            headers.insert("apns-priority".into(), "5".into());
        }
        Some(_) => warnings.push("priority is neither normal nor high: it is left out".to_owned()),
    }
    if let Some(value) = get("time_to_live") {
        let seconds = text(value).parse::<u64>().map_err(|_| "InvalidTtl")?;
        if seconds > LONGEST_TTL {
            return Err("InvalidTtl");
        }
        android.insert("ttl".into(), format!("{seconds}s").into());
        let until = match seconds {
            0 => 0,
            _ => now.as_secs().saturating_add(seconds),
        };
        headers.insert("apns-expiration".into(), until.to_string().into());
        webpush.insert("headers".into(), json!({"TTL": seconds.to_string()}));
    }
    if let Some(key) = get("collapse_key").map(text) {
        // The longest that APNs takes.
        if key.len() <= 64 {
            headers.insert("apns-collapse-id".into(), key.clone().into());
        } else {
            warnings.push("collapse_key is longer than 64 bytes: iPhones do not get it".to_owned());
        }
        android.insert("collapse_key".into(), key.into());
    }
    if let Some(name) = get("restricted_package_name").map(text) {
        android.insert("restricted_package_name".into(), name.into());
    }
    if get("delay_while_idle").is_some_and(is_true) {
        warnings.push("delay_while_idle is left out: Google ignores it since 2016".to_owned());
    }
    for name in legacy.keys().filter(|name| !KNOWN.contains(&name.as_str())) {
        let shown: String = name.chars().take(40).filter(char::is_ascii_graphic).collect();
        warnings.push(format!("{shown} is no field of FCM's legacy API: it is left out"));
    }
    if !android.is_empty() {
        message.insert("android".into(), Value::Object(android));
    }
    let mut apns = Map::new();
    if !headers.is_empty() {
        apns.insert("headers".into(), Value::Object(headers));
    }
    if !aps.is_empty() {
        apns.insert("payload".into(), json!({"aps": aps}));
    }
    if !apns.is_empty() {
        message.insert("apns".into(), Value::Object(apns));
    }
    if !webpush.is_empty() {
        message.insert("webpush".into(), Value::Object(webpush));
    }
    Ok(Made {
        message,
        validate_only: get("dry_run").is_some_and(is_true),
    })
}

/// Reads data: FCM v1 takes texts, where the legacy API made texts of other values itself.
fn read_data(data: &Map<String, Value>) -> Result<Value, &'static str> {
    let mut texts = Map::new();
    for (name, value) in data {
        // "The key should not be a reserved word (from, message_type, or any word starting with google or gcm)."
        if matches!(name.as_str(), "from" | "message_type" | "gcm") || name.starts_with("google") || name.starts_with("gcm.") {
            return Err("InvalidDataKey");
        }
        texts.insert(name.clone(), text(value).into());
    }
    Ok(Value::Object(texts))
}

/// Splits a notification into the fields of every platform and those of Android.
fn of_android(fields: &Map<String, Value>, warnings: &mut Vec<String>) -> (Map<String, Value>, Map<String, Value>) {
    let (mut plain, mut own) = (Map::new(), Map::new());
    for (name, value) in fields.iter().filter(|(_, value)| !value.is_null()) {
        match name.as_str() {
            "title" | "body" | "image" => drop(plain.insert(name.clone(), text(value).into())),
            "body_loc_args" | "title_loc_args" => {
                if let Some(args) = args(name, value, warnings) {
                    own.insert(name.clone(), args);
                }
            }
            // Apple's alone.
            "badge" | "subtitle" => {}
            other => match ANDROID.iter().find(|(known, _)| *known == other) {
                Some((_, new)) => drop(own.insert((*new).to_owned(), text(value).into())),
                None => {
                    let shown: String = other.chars().take(40).filter(char::is_ascii_graphic).collect();
                    warnings.push(format!("notification.{shown} has no place in FCM v1: it is left out"));
                }
            },
        }
    }
    (plain, own)
}

fn of_apple(fields: &Map<String, Value>, aps: &mut Map<String, Value>, warnings: &mut Vec<String>) {
    let get = |name: &str| fields.get(name).filter(|value| !value.is_null());
    // FCM makes an alert of title and body by itself. One of our own replaces that whole, so it has everything.
    if ["subtitle", "title_loc_key", "body_loc_key"].iter().any(|name| get(name).is_some()) {
        let mut alert = Map::new();
        for (name, new) in ALERT {
            if let Some(value) = get(name) {
                alert.insert((*new).to_owned(), text(value).into());
            }
        }
        for (name, new) in [("title_loc_args", "title-loc-args"), ("body_loc_args", "loc-args")] {
            if let Some(args) = get(name).and_then(|value| args(name, value, warnings)) {
                alert.insert(new.to_owned(), args);
            }
        }
        aps.insert("alert".into(), Value::Object(alert));
    }
    if let Some(sound) = get("sound") {
        aps.insert("sound".into(), text(sound).into());
    }
    if let Some(action) = get("click_action") {
        aps.insert("category".into(), text(action).into());
    }
    match get("badge").map(|badge| text(badge).parse::<u64>()) {
        None => {}
        Some(Ok(badge)) => drop(aps.insert("badge".into(), badge.into())),
        Some(Err(_)) => warnings.push("notification.badge is no number: it is left out".to_owned()),
    }
}

/// Reads arguments: an array, or the text of one.
fn args(name: &str, value: &Value, warnings: &mut Vec<String>) -> Option<Value> {
    let read = match value {
        Value::String(written) => serde_json::from_str(written).unwrap_or_default(),
        other => other.clone(),
    };
    match read {
        Value::Array(args) => Some(args.iter().map(|arg| Value::from(text(arg))).collect()),
        _ => {
            let warning = format!("notification.{name} is no array: it is left out");
            if !warnings.contains(&warning) {
                warnings.push(warning);
            }
            None
        }
    }
}

fn text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

fn is_true(value: &Value) -> bool {
    matches!(text(value).as_str(), "true" | "1")
}
