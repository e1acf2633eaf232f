//! Declarative Web Push (W3C push-api, Safari 18.4 and later): a notification that
//! the browser shows by itself. The same JSON is readable by an ordinary service
//! worker, for the browsers that do not know the form: see `examples/webpush`.

use serde_json::{Map, Value, json};

use crate::error::{Error, ErrorKind};
use crate::time::UnixTime;

/// The member `web_push` of every declarative message: the number of the RFC.
const MARK: u64 = 8030;

const SILENT_VIBRATION: &str = "a silent notification cannot vibrate";

/// The direction of a notification's text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Direction {
    /// The browser's own choice.
    Auto,
    /// Left to right.
    Ltr,
    /// Right to left.
    Rtl,
}

/// The arguments of `ServiceWorkerRegistration.showNotification` (WHATWG notifications):
/// its title and its options. What a browser does not know, it ignores.
#[derive(Clone, Debug, PartialEq, Default)]
#[non_exhaustive]
pub struct Notification {
    /// The first line; never empty.
    pub title: String,
    /// Where a click leads: an absolute `http` or `https` URL.
    pub navigate: Option<String>,
    /// The direction of the text.
    pub dir: Option<Direction>,
    /// The language of the text (BCP 47).
    pub lang: Option<String>,
    /// The text.
    pub body: Option<String>,
    /// Replaces an earlier notification of the same tag.
    pub tag: Option<String>,
    /// The URL of a large picture.
    pub image: Option<String>,
    /// The URL of an icon.
    pub icon: Option<String>,
    /// The URL of a monochrome icon, for where there is little room.
    pub badge: Option<String>,
    /// Milliseconds of vibration, pause, vibration ...
    pub vibrate: Vec<u32>,
    /// The time that the notification is about.
    pub timestamp: Option<UnixTime>,
    /// Alert again when it replaces one of the same tag.
    pub renotify: bool,
    /// No sound and no vibration.
    pub silent: Option<bool>,
    /// Stay until the user acts.
    pub require_interaction: bool,
    /// Anything, for the app.
    pub data: Option<Value>,
    /// Buttons; browsers show two.
    pub actions: Vec<Action>,
}

/// A button of a notification.
#[derive(Clone, Debug, PartialEq, Default)]
#[non_exhaustive]
pub struct Action {
    /// The data that the service worker gets.
    pub action: String,
    /// The text.
    pub title: String,
    /// Where a click leads; a declarative message needs it.
    pub navigate: Option<String>,
    /// The URL of an icon.
    pub icon: Option<String>,
}

impl Action {
    /// A button that leads to a URL.
    pub fn new(action: impl Into<String>, title: impl Into<String>, navigate: impl Into<String>) -> Self {
        Self {
            action: action.into(),
            title: title.into(),
            navigate: Some(navigate.into()),
            icon: None,
        }
    }
}

impl Notification {
    /// A notification with a title and nothing else.
    pub fn new(title: impl Into<String>) -> Self {
        Self {
            title: title.into(),
            ..Self::default()
        }
    }

    /// The title and options as one JSON object, for a service worker.
    ///
    /// # Errors
    /// `Conflict` for what browsers throw a `TypeError` at: silent with vibration, renotify without
    /// a tag. `MissingField` without a title.
    pub fn to_json(&self) -> Result<Value, Error> {
        self.check()?;
        Ok(Value::Object(self.members()))
    }

    fn check(&self) -> Result<(), Error> {
        let conflict = |context| Err(Error::new(ErrorKind::Conflict, context));
        if self.title.is_empty() {
            return Err(missing("the notification has no title"));
        }
        if self.silent == Some(true) && !self.vibrate.is_empty() {
            return conflict(SILENT_VIBRATION);
        }
        if self.renotify && self.tag.as_deref().unwrap_or_default().is_empty() {
            return conflict("renotify needs a tag");
        }
        Ok(())
    }

    fn members(&self) -> Map<String, Value> {
        let mut map = Map::new();
        map.insert("title".into(), self.title.as_str().into());
        let dir = self.dir.map(|dir| match dir {
            Direction::Auto => "auto",
            Direction::Ltr => "ltr",
            Direction::Rtl => "rtl",
        });
        for (name, value) in [
            ("navigate", self.navigate.as_deref()),
            ("dir", dir),
            ("lang", self.lang.as_deref()),
            ("body", self.body.as_deref()),
            ("tag", self.tag.as_deref()),
            ("image", self.image.as_deref()),
            ("icon", self.icon.as_deref()),
            ("badge", self.badge.as_deref()),
        ] {
            if let Some(value) = value {
                map.insert(name.into(), value.into());
            }
        }
        if !self.vibrate.is_empty() {
            map.insert("vibrate".into(), self.vibrate.as_slice().into());
        }
        if let Some(time) = self.timestamp {
            map.insert("timestamp".into(), time.as_millis().into());
        }
        if let Some(silent) = self.silent {
            map.insert("silent".into(), silent.into());
        }
        for (name, value) in [
            ("renotify", self.renotify),
            ("requireInteraction", self.require_interaction),
        ] {
            if value {
                map.insert(name.into(), true.into());
            }
        }
        if let Some(data) = &self.data {
            map.insert("data".into(), data.clone());
        }
        if !self.actions.is_empty() {
            map.insert("actions".into(), self.actions.iter().map(Action::value).collect());
        }
        map
    }
}

impl Action {
    fn value(&self) -> Value {
        let mut map = Map::new();
        map.insert("action".into(), self.action.as_str().into());
        map.insert("title".into(), self.title.as_str().into());
        for (name, value) in [("navigate", &self.navigate), ("icon", &self.icon)] {
            if let Some(value) = value {
                map.insert(name.into(), value.as_str().into());
            }
        }
        Value::Object(map)
    }
}

/// A declarative message: a notification, and what comes with it.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Declarative {
    /// The notification; [`Notification::navigate`] is required.
    pub notification: Notification,
    /// The number on the app's icon; 0 removes it.
    pub app_badge: Option<u64>,
    /// Let the service worker see the message first and replace the notification.
    pub mutable: bool,
}

impl Declarative {
    /// A message with a title and the URL that a click leads to.
    pub fn new(title: impl Into<String>, navigate: impl Into<String>) -> Self {
        let mut notification = Notification::new(title);
        notification.navigate = Some(navigate.into());
        Self::from(notification)
    }

    /// The payload: JSON that Safari 18.4 to 26, and a service worker, read. The
    /// badge is written in both places where Safari has looked for it.
    ///
    /// # Errors
    /// What would make the browser refuse the whole message: `MissingField` (title,
    /// `navigate`, a member of an action), `InvalidValue` (a URL that is not absolute), `Conflict`
    /// (silent with vibration, renotify without a tag).
    pub fn to_json(&self) -> Result<String, Error> {
        self.check()?;
        let mut notification = self.notification.members();
        let mut message = Map::new();
        message.insert("web_push".into(), MARK.into());
        if let Some(badge) = self.app_badge {
            notification.insert("app_badge".into(), badge.to_string().into());
        }
        message.insert("notification".into(), Value::Object(notification));
        if let Some(badge) = self.app_badge {
            message.insert("app_badge".into(), badge.into());
        }
        if self.mutable {
            message.insert("mutable".into(), true.into());
        }
        Ok(json!(message).to_string())
    }

    /// Reads a message as browsers do: members of a wrong type are ignored where
    /// they are optional.
    ///
    /// # Errors
    /// `InvalidPayload` when it is not a declarative message; the errors of
    /// [`Declarative::to_json`] when it is an invalid one.
    pub fn parse(text: &[u8]) -> Result<Self, Error> {
        parse(&crate::json::parse_object(text)?)
    }

    fn check(&self) -> Result<(), Error> {
        self.notification.check()?;
        let navigate = self.notification.navigate.as_deref();
        check_url(navigate.ok_or_else(|| missing("the notification has no navigate"))?)?;
        for action in &self.notification.actions {
            if action.action.is_empty() || action.title.is_empty() {
                return Err(missing("an action has no name or no title"));
            }
            let navigate = action.navigate.as_deref();
            check_url(navigate.ok_or_else(|| missing("an action has no navigate"))?)?;
        }
        Ok(())
    }
}

impl From<Notification> for Declarative {
    fn from(notification: Notification) -> Self {
        Self {
            notification,
            app_badge: None,
            mutable: false,
        }
    }
}

/// [`Declarative::parse`] of an object that is parsed already.
pub(super) fn parse(map: &Map<String, Value>) -> Result<Declarative, Error> {
    let not = |context| Error::new(ErrorKind::InvalidPayload, context);
    // A JavaScript number: 8030.0 is the same; a string is not.
    if map.get("web_push").and_then(Value::as_f64) != Some(8030.0) {
        return Err(not("not a declarative message: web_push is not 8030"));
    }
    let from = map
        .get("notification")
        .and_then(Value::as_object)
        .ok_or_else(|| not("the declarative message has no notification"))?;
    let text = |map: &Map<String, Value>, name| map.get(name).and_then(Value::as_str).map(str::to_owned);
    let flag = |name| from.get(name).and_then(Value::as_bool);
    let vibrate = match from.get("vibrate") {
        Some(Value::Array(list)) => list.as_slice(),
        Some(one @ Value::Number(_)) => std::slice::from_ref(one),
        _ => &[],
    };
    let millis = |value: &Value| value.as_u64().and_then(|millis| u32::try_from(millis).ok());
    let actions = from.get("actions").and_then(Value::as_array);
    let action = |value: &Value| {
        let map = value.as_object();
        let member = |name| map.and_then(|map| text(map, name));
        Action {
            action: member("action").unwrap_or_default(),
            title: member("title").unwrap_or_default(),
            navigate: member("navigate"),
            icon: member("icon"),
        }
    };
    let notification = Notification {
        title: text(from, "title").unwrap_or_default(),
        navigate: text(from, "navigate"),
        dir: match from.get("dir").and_then(Value::as_str) {
            Some("auto") => Some(Direction::Auto),
            Some("ltr") => Some(Direction::Ltr),
            Some("rtl") => Some(Direction::Rtl),
            _ => None,
        },
        lang: text(from, "lang"),
        body: text(from, "body"),
        tag: text(from, "tag"),
        image: text(from, "image"),
        icon: text(from, "icon"),
        badge: text(from, "badge"),
        vibrate: vibrate.iter().filter_map(millis).collect(),
        timestamp: from
            .get("timestamp")
            .and_then(Value::as_u64)
            .map(UnixTime::from_millis),
        renotify: flag("renotify").unwrap_or_default(),
        silent: flag("silent"),
        require_interaction: flag("requireInteraction").unwrap_or_default(),
        data: from.get("data").cloned(),
        actions: actions.into_iter().flatten().map(action).collect(),
    };
    let badge = |value: &Value| value.as_u64().or_else(|| value.as_str()?.parse().ok());
    // To a browser, a pattern of no vibration is one all the same.
    if notification.silent == Some(true) && matches!(from.get("vibrate"), Some(Value::Array(_))) {
        return Err(Error::new(ErrorKind::Conflict, SILENT_VIBRATION));
    }
    let message = Declarative {
        notification,
        app_badge: map
            .get("app_badge")
            .or_else(|| from.get("app_badge"))
            .and_then(badge),
        mutable: map.get("mutable").and_then(Value::as_bool).unwrap_or_default(),
    };
    message.check()?;
    Ok(message)
}

/// Older Safari takes absolute URLs only, so nothing else is let through.
fn check_url(url: &str) -> Result<(), Error> {
    let lower = url.get(..8).unwrap_or(url).to_ascii_lowercase();
    let rest = match (lower.starts_with("https://"), lower.starts_with("http://")) {
        (true, _) => url.get(8..),
        (_, true) => url.get(7..),
        _ => None,
    };
    let host = rest
        .and_then(|rest| rest.split(['/', '?', '#']).next())
        .unwrap_or_default();
    if host.is_empty() || url.chars().any(|c| c.is_control() || c == ' ') {
        return Err(Error::new(
            ErrorKind::InvalidValue,
            "navigate is not an absolute http url",
        ));
    }
    Ok(())
}

fn missing(context: &'static str) -> Error {
    Error::new(ErrorKind::MissingField, context)
}

#[cfg(test)]
mod tests;
