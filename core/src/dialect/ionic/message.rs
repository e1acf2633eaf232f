//! From a notification of Ionic's to a message of APNs or FCM.

use serde_json::{Map, Value, json};

use crate::error::Error;
use crate::service::{Kind, Message};

/// The largest payload of APNs, in bytes.
const APNS_LIMIT: usize = 4096;

/// The platform of a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Platform {
    Ios,
    Android,
    /// A token that Ionic's client made up while an app was in development: no service knows it.
    Development,
}

impl Platform {
    /// Returns the name of the platform in a status.
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Platform::Ios => "ios",
            Platform::Android => "android",
            Platform::Development => "development",
        }
    }

    /// Guesses the platform of a token that no registration tells: Ionic's API has no word for it.
    pub(super) fn of(token: &str, named: Option<&str>) -> Self {
        if token.starts_with("DEV-") {
            return Platform::Development;
        }
        match named {
            Some("ios") => Platform::Ios,
            Some("android") => Platform::Android,
            // 32 bytes in hex were every APNs token of that time, and no token of Google's is that short.
            _ if token.len() == 64 && token.bytes().all(|byte| byte.is_ascii_hexdigit()) => Platform::Ios,
            _ => Platform::Android,
        }
    }
}

/// The `notification` of a request.
pub(super) struct Notification<'a>(pub(super) &'a Map<String, Value>);

impl<'a> Notification<'a> {
    fn block(&self, name: &str) -> Option<&'a Map<String, Value>> {
        self.0.get(name).and_then(Value::as_object)
    }

    /// Returns a text of a platform's block, or of the notification where the block has none.
    fn text(&self, block: Option<&'a Map<String, Value>>, name: &str) -> Option<&'a str> {
        let get = |map: &'a Map<String, Value>| map.get(name).and_then(Value::as_str);
        block.and_then(get).or_else(|| get(self.0))
    }

    /// Makes the message to an iPhone.
    ///
    /// # Errors
    /// What APNs' own message finds wrong.
    pub(super) fn apns(&self, token: &str, bundle: &str, warnings: &mut Vec<String>) -> Result<Message, Error> {
        let ios = self.block("ios");
        let get = |name: &str| ios.and_then(|ios| ios.get(name)).filter(|value| !value.is_null());
        let mut aps = Map::new();
        match (self.text(ios, "title"), self.text(ios, "alert")) {
            (Some(title), Some(alert)) => drop(aps.insert("alert".into(), json!({"title": title, "body": alert}))),
            (Some(title), None) => drop(aps.insert("alert".into(), json!({"title": title}))),
            (None, Some(alert)) => drop(aps.insert("alert".into(), alert.into())),
            (None, None) => {}
        }
        for name in ["badge", "sound"] {
            if let Some(value) = get(name) {
                aps.insert(name.into(), value.clone());
            }
        }
        let is_silent = aps.is_empty();
        if get("contentAvailable").is_some_and(is_true) {
            aps.insert("content-available".into(), 1.into());
        }
        let payload = get("payload").and_then(Value::as_object);
        let mut form = Map::new();
        form.insert("push_type".into(), if is_silent { "background" } else { "alert" }.into());
        form.insert("bundle".into(), bundle.into());
        form.insert("device".into(), token.into());
        form.insert("lenient".into(), true.into());
        form.insert("payload".into(), json!({"raw": body(aps, payload, warnings)}));
        match get("priority").and_then(Value::as_u64) {
            None => {}
            Some(10) if is_silent => {
                warnings.push("ios.priority 10 is 5: APNs takes no other with content-available alone".to_owned());
            }
            Some(priority @ (5 | 10)) => drop(form.insert("priority".into(), priority.into())),
            Some(_) => warnings.push("ios.priority is neither 5 nor 10: it is left out".to_owned()),
        }
        match get("expiry").and_then(Value::as_u64) {
            None => {}
            Some(0) => drop(form.insert("expiration".into(), "once".into())),
            // In the past too: APNs tries once, then.
            Some(expiry) => drop(form.insert("expiration".into(), expiry.into())),
        }
        Message::from_json(Kind::Apns, Value::Object(form).to_string().as_bytes())
    }

    /// Makes the message to an Android device: data alone, as the Cordova plugins of that time read it.
    ///
    /// # Errors
    /// What FCM's own message finds wrong.
    pub(super) fn fcm(
        &self,
        token: &str,
        also_notification: bool,
        warnings: &mut Vec<String>,
    ) -> Result<Message, Error> {
        let block = self.block("android");
        let get = |name: &str| block.and_then(|block| block.get(name)).filter(|value| !value.is_null());
        let (mut data, mut shown) = (Map::new(), Map::new());
        for (name, plugin, field) in [("alert", "message", "body"), ("title", "title", "title")] {
            if let Some(text) = self.text(block, name) {
                data.insert(plugin.into(), text.into());
                shown.insert(field.into(), text.into());
            }
        }
        if let Some(payload) = get("payload") {
            // FCM's data are texts: the plugins parse this one.
            data.insert("payload".into(), payload.to_string().into());
        }
        let mut android = Map::new();
        if let Some(key) = get("collapseKey").and_then(Value::as_str) {
            android.insert("collapse_key".into(), key.into());
        }
        if let Some(seconds) = get("timeToLive").and_then(Value::as_u64) {
            android.insert("ttl".into(), format!("{seconds}s").into());
        }
        if get("delayWhileIdle").is_some_and(is_true) {
            android.insert("priority".into(), "NORMAL".into());
            warnings.push("android.delayWhileIdle is a normal priority: FCM ignores the rest of its meaning".to_owned());
        }
        let mut message = Map::new();
        message.insert("token".into(), token.into());
        message.insert("data".into(), Value::Object(data));
        if also_notification && !shown.is_empty() {
            message.insert("notification".into(), Value::Object(shown));
        }
        if !android.is_empty() {
            message.insert("android".into(), Value::Object(android));
        }
        Message::from_json(Kind::Fcm, Value::Object(message).to_string().as_bytes())
    }
}

/// Writes a payload. The first client read the app's own keys at the root of it, the later one under `payload`: both find
/// them, as long as there is room.
fn body(aps: Map<String, Value>, payload: Option<&Map<String, Value>>, warnings: &mut Vec<String>) -> String {
    let mut root = Map::new();
    root.insert("aps".into(), Value::Object(aps));
    for (name, value) in payload.into_iter().flatten() {
        if name == "aps" {
            warnings.push("ios.payload.aps is left out: it would replace the notification".to_owned());
        } else {
            root.insert(name.clone(), value.clone());
        }
    }
    let single = Value::Object(root.clone()).to_string();
    let Some(payload) = payload.filter(|payload| !payload.is_empty()) else {
        return single;
    };
    if root.contains_key("payload") {
        warnings.push("ios.payload has a key payload: the other keys stand at the root alone".to_owned());
        return single;
    }
    root.insert("payload".into(), Value::Object(payload.clone()));
    let double = Value::Object(root).to_string();
    if double.len() > APNS_LIMIT {
        warnings.push("ios.payload stands at the root alone: twice it is too large for APNs".to_owned());
        return single;
    }
    double
}

fn is_true(value: &Value) -> bool {
    *value == true || value.as_u64() == Some(1)
}
