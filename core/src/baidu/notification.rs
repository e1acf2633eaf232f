//! Notifications that Baidu's Android SDK draws.

use serde_json::{Map, Value};

use crate::error::{Error, ErrorKind};
use crate::json::{self, Json, Members, Object};

/// The target that a tap on an Android notification opens.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum OpenType {
    /// A web page; the user is asked first if `confirm` says so.
    Url {
        /// The page.
        url: String,
        /// Whether the user is asked first.
        confirm: bool,
    },
    /// An intent, which `pkg_content` describes.
    Package(String),
    /// The app.
    App,
}

/// A notification that Baidu's Android SDK draws.
#[derive(Clone, Debug, PartialEq)]
pub struct AndroidNotification {
    members: Members,
    /// The text that it was read from, sent byte for byte until something is changed.
    text: Option<Box<str>>,
}

impl AndroidNotification {
    /// A notification with this text.
    pub fn new(description: impl Into<String>) -> Self {
        let empty = Self {
            members: Members::default(),
            text: None,
        };
        empty.with("description", description.into())
    }

    /// A notification from its JSON, as Baidu documents it.
    ///
    /// # Errors
    /// `InvalidPayload` when it is not one JSON object; `MissingField` without `description`.
    pub fn from_json(json: &[u8]) -> Result<Self, Error> {
        let map = json::parse_object(json)?;
        match map.get("description") {
            Some(Value::String(_)) => Ok(Self {
                members: map
                    .into_iter()
                    .map(|(name, value)| (name, value.into()))
                    .collect(),
                // It has been parsed, so it is UTF-8.
                text: Some(String::from_utf8_lossy(json.trim_ascii()).into()),
            }),
            _ => Err(Error::new(
                ErrorKind::MissingField,
                "msg: no text called description",
            )),
        }
    }

    fn with(self, name: &str, value: impl Into<Value>) -> Self {
        let value: Value = value.into();
        self.with_json(name, value.into())
    }

    pub(super) fn with_json(mut self, name: &str, value: Json) -> Self {
        self.members.insert(name.to_owned(), value);
        self.text = None;
        self
    }

    /// A member that is an object.
    pub(super) fn with_members(self, name: &str, members: &Members) -> Self {
        let text = object_text(members);
        self.with_json(name, Json::Text(text.into()))
    }

    /// The notification as it is sent.
    pub(super) fn into_text(self) -> String {
        let Self { members, text } = self;
        text.map_or_else(|| object_text(&members), String::from)
    }

    /// The title; the app's name if unset.
    #[must_use]
    pub fn title(self, title: impl Into<String>) -> Self {
        self.with("title", title.into())
    }

    /// A style that the app has registered, by number.
    #[must_use]
    pub fn builder_id(self, id: u32) -> Self {
        self.with("notification_builder_id", id)
    }

    /// Sound, vibration, and whether the user can clear it. All three if unset.
    #[must_use]
    pub fn basic_style(self, sound: bool, vibrate: bool, clearable: bool) -> Self {
        let bits = u8::from(sound) * 4 + u8::from(vibrate) * 2 + u8::from(clearable);
        self.with("notification_basic_style", bits)
    }

    /// Sets the target that a tap opens.
    #[must_use]
    pub fn open(self, open: OpenType) -> Self {
        match open {
            OpenType::Url { url, confirm } => self
                .with("open_type", 1)
                .with("url", url)
                .with("user_confirm", u8::from(confirm)),
            OpenType::Package(content) => self.with("open_type", 2).with("pkg_content", content),
            OpenType::App => self.with("open_type", 3),
        }
    }

    /// Sets the data that the app gets with the notification: any JSON.
    #[must_use]
    pub fn custom_content(self, content: Map<String, Value>) -> Self {
        self.with("custom_content", Value::Object(content))
    }

    /// A field that this version does not know, such as `net_support` or `pkg_version`.
    #[must_use]
    pub fn extra(self, name: &str, value: impl Into<Value>) -> Self {
        self.with(name, value)
    }
}

fn object_text(members: &Members) -> String {
    let mut object = Object::new();
    object.extend(members);
    let mut text = Vec::new();
    object.write(&mut text);
    // Written from texts.
    String::from_utf8_lossy(&text).into_owned()
}
