//! What the browser gets.

use serde_json::{Map, Value, json};

use super::fields::Fields;

/// Writes the JSON of a notification: Declarative Web Push, which Safari shows by itself, and at the same time what a
/// service worker hands to `showNotification`.
pub(super) fn write(notification: &Map<String, Value>, id: &Value) -> Value {
    let fields = Fields(notification);
    let mut shown = Map::new();
    for (name, from) in [
        ("title", "title"),
        ("body", "body"),
        ("navigate", "target_url"),
        ("icon", "icon_url"),
        ("badge", "badge_url"),
        ("image", "image_url"),
        ("requireInteraction", "require_interaction"),
        ("silent", "silent"),
    ] {
        if let Some(value) = fields.get(from) {
            shown.insert(name.into(), value.clone());
        }
    }
    let mut data = Map::new();
    data.insert("notification_id".into(), id.clone());
    for (name, from) in [("url", "target_url"), ("custom_data", "custom_data")] {
        if let Some(value) = fields.get(from) {
            data.insert(name.into(), value.clone());
        }
    }
    let actions = fields.get("actions").and_then(Value::as_array);
    if let Some(actions) = actions.filter(|actions| !actions.is_empty()) {
        let (shown_actions, urls) = actions.iter().enumerate().map(action).unzip::<_, _, Vec<_>, Vec<_>>();
        shown.insert("actions".into(), shown_actions.into());
        data.insert("actions".into(), urls.into());
    }
    shown.insert("data".into(), Value::Object(data));
    json!({"web_push": 8030, "notification": shown})
}

/// Returns an action as it is shown, and what a service worker opens by its name.
fn action((index, action): (usize, &Value)) -> (Value, Value) {
    let get = |name: &str| action.get(name).filter(|value| !value.is_null());
    let name = get("action").cloned().unwrap_or_else(|| format!("pp-{index}").into());
    let (mut shown, mut opened) = (Map::new(), Map::new());
    shown.insert("action".into(), name.clone());
    opened.insert("action".into(), name);
    for (name, from) in [("title", "title"), ("icon", "icon"), ("navigate", "target_url")] {
        if let Some(value) = get(from) {
            shown.insert(name.into(), value.clone());
        }
    }
    if let Some(url) = get("target_url") {
        opened.insert("target_url".into(), url.clone());
    }
    (Value::Object(shown), Value::Object(opened))
}
