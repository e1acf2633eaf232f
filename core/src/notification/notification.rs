//! A notification: one thing to say, on every service.

use serde_json::{Map, Value};

use super::content::{Action, Button, Text, Urgency, check_url, not_empty};
use super::form::{NotificationForm, Overlay, OverridesForm};
use crate::error::{Error, ErrorKind};
use crate::json::form::{Form, Texts, Word};
use crate::json::{Item, Node, Object, Path};
use crate::service::Kind;

/// One thing to say, on every service. `docs/notification.md` says where each field lands, and what a service
/// cannot show.
///
/// ```
/// use pushcore::notification::{Action, Device, Notification, message};
/// use pushcore::service::Kind;
/// use pushcore::{Now, UnixTime};
/// use std::time::Duration;
///
/// # fn main() -> Result<(), pushcore::Error> {
/// let now = Now::new(Duration::ZERO, UnixTime::from_secs(1_764_422_709));
/// let notification = Notification::builder()
///     .title("Ada wrote")
///     .body("See you at six")
///     .action(Action::Url("https://chat.example/7".into()))
///     .build()?;
/// let device = Device::builder(Kind::Fcm).token("d:APA91b").build()?;
/// let (message, losses) = message(&notification, &device, now)?;
/// assert_eq!((message.kind(), losses.len()), (Kind::Fcm, 0));
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Notification {
    pub(super) title: Option<Text>,
    pub(super) subtitle: Option<Text>,
    pub(super) body: Option<Text>,
    pub(super) image: Option<String>,
    pub(super) icon: Option<String>,
    pub(super) action: Action,
    pub(super) buttons: Vec<Button>,
    pub(super) badge: Option<u32>,
    pub(super) sound: Option<String>,
    pub(super) thread: Option<String>,
    pub(super) category: Option<String>,
    pub(super) channel: Option<String>,
    pub(super) urgency: Option<Urgency>,
    pub(super) ttl: Option<u32>,
    pub(super) collapse_key: Option<String>,
    pub(super) data: Vec<(String, String)>,
    pub(super) silent: bool,
    pub(super) shorten: bool,
    overrides: Vec<(Kind, Map<String, Value>)>,
}

/// Makes a [`Notification`]. The last call of a kind counts, except that data, buttons and overrides add up.
#[derive(Clone, Debug)]
#[must_use]
pub struct NotificationBuilder {
    made: Notification,
}

impl Notification {
    /// Begins a notification.
    pub fn builder() -> NotificationBuilder {
        NotificationBuilder {
            made: Self {
                title: None,
                subtitle: None,
                body: None,
                image: None,
                icon: None,
                action: Action::Open,
                buttons: Vec::new(),
                badge: None,
                sound: None,
                thread: None,
                category: None,
                channel: None,
                urgency: None,
                ttl: None,
                collapse_key: None,
                data: Vec::new(),
                silent: false,
                shorten: false,
                overrides: Vec::new(),
            },
        }
    }

    /// Reads a notification in the form of `docs/notification.md`.
    ///
    /// # Errors
    /// The error's text begins with the path of the field. `InvalidPayload` for JSON that is not of this form;
    /// `MissingField`, `InvalidValue` and `Conflict` as [`NotificationBuilder::build`].
    pub fn from_json(json: &[u8]) -> Result<Self, Error> {
        let at = Path::root("notification");
        let NotificationForm {
            title,
            subtitle,
            body,
            image,
            icon,
            action,
            buttons,
            badge,
            sound,
            thread,
            category,
            channel,
            urgency,
            ttl,
            collapse_key,
            data,
            silent,
            shorten,
            overrides,
        } = NotificationForm::read(Node::document(json, "notification")?, &at)?;
        let OverridesForm {
            adm,
            apns,
            baidu,
            fcm,
            web_push,
        } = overrides.unwrap_or_default();
        let overrides = [
            (Kind::Adm, adm),
            (Kind::Apns, apns),
            (Kind::Baidu, baidu),
            (Kind::Fcm, fcm),
            (Kind::WebPush, web_push),
        ];
        let made = Self {
            title,
            subtitle,
            body,
            image,
            icon,
            action: action.unwrap_or_default(),
            buttons: buttons.unwrap_or_default(),
            badge,
            sound,
            thread,
            category,
            channel,
            urgency,
            ttl,
            collapse_key,
            data: data.map(|Texts(pairs)| pairs).unwrap_or_default(),
            silent: silent.unwrap_or_default(),
            shorten: shorten.unwrap_or_default(),
            overrides: overrides
                .into_iter()
                .filter_map(|(kind, overlay)| overlay.map(|Overlay(map)| (kind, map)))
                .collect(),
        };
        made.checked()
    }

    /// The notification in the form that [`Notification::from_json`] reads.
    pub fn to_json(&self) -> String {
        let Self {
            title,
            subtitle,
            body,
            image,
            icon,
            action,
            buttons,
            badge,
            sound,
            thread,
            category,
            channel,
            urgency,
            ttl,
            collapse_key,
            data,
            silent,
            shorten,
            overrides,
        } = self;
        let mut object = Object::new();
        for (name, text) in [("title", title), ("subtitle", subtitle), ("body", body)] {
            if let Some(text) = text {
                object.insert(name, text.item());
            }
        }
        for (name, text) in [("image", image), ("icon", icon)] {
            if let Some(text) = text {
                object.insert(name, text);
            }
        }
        if *action != Action::Open {
            object.insert("action", action.item());
        }
        let list = buttons_text(buttons);
        if !buttons.is_empty() {
            object.insert("buttons", Item::Raw(&list));
        }
        if let Some(number) = badge {
            object.insert("badge", *number);
        }
        for (name, text) in [
            ("sound", sound),
            ("thread", thread),
            ("category", category),
            ("channel", channel),
        ] {
            if let Some(text) = text {
                object.insert(name, text);
            }
        }
        if let Some(urgency) = urgency {
            object.insert("urgency", urgency.word());
        }
        if let Some(secs) = ttl {
            object.insert("ttl", *secs);
        }
        if let Some(key) = collapse_key {
            object.insert("collapse_key", key);
        }
        if !data.is_empty() {
            let mut texts = Object::new();
            for (key, value) in data {
                texts.insert(key, value);
            }
            object.insert("data", texts);
        }
        for (name, flag) in [("silent", *silent), ("shorten", *shorten)] {
            if flag {
                object.insert(name, true);
            }
        }
        if !overrides.is_empty() {
            let own: Map<String, Value> = overrides
                .iter()
                .map(|(kind, map)| (kind.as_str().to_owned(), Value::Object(map.clone())))
                .collect();
            object.insert("overrides", Value::Object(own));
        }
        let mut out = Vec::with_capacity(256);
        object.write(&mut out);
        // Written from texts.
        String::from_utf8(out).unwrap_or_default()
    }

    /// The members that replace or complete the message to a service; `None` where there are none.
    pub(super) fn overlay(&self, service: Kind) -> Option<&Map<String, Value>> {
        let own = self.overrides.iter().find(|(kind, _)| *kind == service);
        own.map(|(_, map)| map)
    }

    fn checked(self) -> Result<Self, Error> {
        let at = &Path::root("notification");
        for (name, text) in [
            ("title", &self.title),
            ("subtitle", &self.subtitle),
            ("body", &self.body),
        ] {
            if let Some(text) = text {
                text.check(&at.field(name))?;
            }
        }
        if let Some(url) = &self.image {
            check_url(url, &at.field("image"))?;
        }
        for (name, text) in [
            ("icon", &self.icon),
            ("sound", &self.sound),
            ("thread", &self.thread),
            ("category", &self.category),
            ("channel", &self.channel),
            ("collapse_key", &self.collapse_key),
        ] {
            if let Some(text) = text {
                not_empty(text, &at.field(name))?;
            }
        }
        self.action.check(&at.field("action"))?;
        for (index, button) in self.buttons.iter().enumerate() {
            let at = at.field("buttons");
            let at = at.item(index);
            button.check(&at)?;
            if self.buttons.iter().take(index).any(|other| other.id == button.id) {
                let what = "the id of another button";
                return Err(at.field("id").error(ErrorKind::Conflict, what));
            }
        }
        let image = self.image.as_deref().map(|url| ("image", url));
        for (key, value) in self.action.member().into_iter().chain(image) {
            if self
                .data
                .iter()
                .any(|(known, text)| known == key && text != value)
            {
                let what = "says another thing than the field of the notification that the app reads there";
                return Err(at.field("data").field(key).error(ErrorKind::Conflict, what));
            }
        }
        self.check_silence(at)?;
        Ok(self)
    }

    /// Refuses a notification that shows nothing without being silent, and a silent one that shows something.
    fn check_silence(&self, at: &Path<'_>) -> Result<(), Error> {
        let shown = [
            ("title", self.title.is_some()),
            ("subtitle", self.subtitle.is_some()),
            ("body", self.body.is_some()),
            ("image", self.image.is_some()),
            ("icon", self.icon.is_some()),
            ("action", self.action != Action::Open),
            ("buttons", !self.buttons.is_empty()),
            ("badge", self.badge.is_some()),
            ("sound", self.sound.is_some()),
            ("thread", self.thread.is_some()),
            ("category", self.category.is_some()),
            ("channel", self.channel.is_some()),
        ];
        if self.silent {
            return match shown.into_iter().find(|(_, set)| *set) {
                None => Ok(()),
                Some((name, _)) => {
                    let what = "a silent notification shows nothing";
                    Err(at.field(name).error(ErrorKind::Conflict, what))
                }
            };
        }
        if self.title.is_none() && self.body.is_none() && self.badge.is_none() {
            let what = "neither title, body nor badge, and not silent";
            return Err(at.error(ErrorKind::MissingField, what));
        }
        Ok(())
    }
}

fn buttons_text(buttons: &[Button]) -> String {
    let mut out = vec![b'['];
    for (at, button) in buttons.iter().enumerate() {
        if at > 0 {
            out.push(b',');
        }
        button.object().write(&mut out);
    }
    out.push(b']');
    // Written from texts.
    String::from_utf8(out).unwrap_or_default()
}

macro_rules! texts {
    ($($(#[$doc:meta])* $name:ident: $type:ty,)*) => {
        $(
            $(#[$doc])*
            pub fn $name(mut self, value: impl Into<$type>) -> Self {
                self.made.$name = Some(value.into());
                self
            }
        )*
    };
}

impl NotificationBuilder {
    texts! {
        /// Sets the first line.
        title: Text,
        /// Sets the second line.
        subtitle: Text,
        /// Sets the text.
        body: Text,
        /// Sets the URL of a picture.
        image: String,
        /// Sets the icon: a URL for browsers, or the name of a drawable of the app for Android.
        icon: String,
        /// Sets the sound: a file of the app, or `default`.
        sound: String,
        /// Sets the thread, which groups notifications.
        thread: String,
        /// Sets the category, under which an app for Apple's devices registers buttons.
        category: String,
        /// Sets the notification channel of Android 8 and later.
        channel: String,
        /// Sets the key: a notification with the same key replaces this one, delivered or not.
        collapse_key: String,
    }

    /// Sets the target of a tap.
    pub fn action(mut self, action: Action) -> Self {
        self.made.action = action;
        self
    }

    /// Adds a button.
    pub fn button(mut self, button: Button) -> Self {
        self.made.buttons.push(button);
        self
    }

    /// Sets the number on the app's icon; 0 removes the number.
    pub fn badge(mut self, number: u32) -> Self {
        self.made.badge = Some(number);
        self
    }

    /// Sets how soon the device is woken.
    pub fn urgency(mut self, urgency: Urgency) -> Self {
        self.made.urgency = Some(urgency);
        self
    }

    /// Sets how many seconds the service keeps the notification for a device that is away. What a service does not
    /// take is raised or lowered, and told as a [`Loss`](super::Loss).
    pub fn ttl(mut self, secs: u32) -> Self {
        self.made.ttl = Some(secs);
        self
    }

    /// Adds a text for the app. A key that is there already gets the new text.
    pub fn data(mut self, key: impl Into<String>, value: impl Into<String>) -> Self {
        let (key, value) = (key.into(), value.into());
        match self.made.data.iter_mut().find(|(known, _)| *known == key) {
            Some((_, place)) => *place = value,
            None => self.made.data.push((key, value)),
        }
        self
    }

    /// Makes the notification silent: nothing is shown, and the app is woken with the data.
    pub fn silent(mut self) -> Self {
        self.made.silent = true;
        self
    }

    /// Asks to cut texts that are too long for a service, at a character and with an ellipsis. The body is cut
    /// first, then the subtitle, then the title.
    pub fn shorten(mut self) -> Self {
        self.made.shorten = true;
        self
    }

    /// Sets members of the message to one service, in the form of `docs/messages.md` without a target. Objects are
    /// merged member by member; any other value replaces ours, and null removes ours.
    pub fn override_for(mut self, service: Kind, members: Map<String, Value>) -> Self {
        match self.made.overrides.iter_mut().find(|(kind, _)| *kind == service) {
            Some((_, known)) => known.extend(members),
            None => self.made.overrides.push((service, members)),
        }
        self
    }

    /// Makes the notification.
    ///
    /// # Errors
    /// `MissingField` without title, body and badge, unless it is silent; `InvalidValue` for an empty text, and for a
    /// URL that is none; `Conflict` for a silent notification that shows something, two buttons of one id, and data
    /// under a key that the app reads `action` or `image` from. What a service refuses is refused by [`message`](super::message).
    pub fn build(self) -> Result<Notification, Error> {
        self.made.checked()
    }
}
