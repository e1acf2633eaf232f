//! The parts of a notification.

use super::form::{ActionForm, ButtonForm, TextForm};
use crate::error::{Error, ErrorKind};
use crate::json::{Item, Object, Path};

/// A text that the user sees: as it is, or looked up by the app in its own resources.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Text {
    pub(super) lookup: Option<Lookup>,
    /// The text as it is, or for services that look up nothing.
    pub(super) plain: Option<String>,
}

/// A text of the app's resources.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Lookup {
    pub(super) key: String,
    pub(super) args: Vec<String>,
}

impl Text {
    /// Returns a text that is shown as it is.
    pub fn plain(text: impl Into<String>) -> Self {
        Self {
            lookup: None,
            plain: Some(text.into()),
        }
    }

    /// Returns a text that the app looks up under `key`, with texts for its placeholders. APNs, FCM (Android and
    /// Apple's devices) and ADM can do that.
    pub fn localized(key: impl Into<String>, args: impl IntoIterator<Item = impl Into<String>>) -> Self {
        Self {
            lookup: Some(Lookup {
                key: key.into(),
                args: args.into_iter().map(Into::into).collect(),
            }),
            plain: None,
        }
    }

    /// Returns the text with another one for services that look up nothing.
    #[must_use]
    pub fn or(mut self, text: impl Into<String>) -> Self {
        self.plain = Some(text.into());
        self
    }

    pub(super) fn from_form(form: TextForm, at: &Path<'_>) -> Result<Self, Error> {
        let TextForm { key, args, text } = form;
        let lookup = Lookup {
            key: key.ok_or_else(|| at.missing("key"))?,
            args: args.unwrap_or_default(),
        };
        Ok(Self {
            lookup: Some(lookup),
            plain: text,
        })
    }

    pub(super) fn check(&self, at: &Path<'_>) -> Result<(), Error> {
        if let Some(lookup) = &self.lookup {
            not_empty(&lookup.key, &at.field("key"))?;
        }
        match (&self.plain, &self.lookup) {
            (Some(text), None) => not_empty(text, at),
            (Some(text), Some(_)) => not_empty(text, &at.field("text")),
            (None, _) => Ok(()),
        }
    }

    pub(super) fn item(&self) -> Item<'_> {
        match (&self.lookup, &self.plain) {
            (None, text) => Item::Text(text.as_deref().unwrap_or_default()),
            (Some(lookup), text) => {
                let mut object = Object::new();
                object.insert("key", &lookup.key);
                if !lookup.args.is_empty() {
                    object.insert("args", &lookup.args);
                }
                if let Some(text) = text {
                    object.insert("text", text);
                }
                object.into()
            }
        }
    }
}

impl From<&str> for Text {
    fn from(text: &str) -> Self {
        Self::plain(text)
    }
}

impl From<String> for Text {
    fn from(text: String) -> Self {
        Self::plain(text)
    }
}

/// The target of a tap on a notification.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Action {
    /// The app itself.
    #[default]
    Open,
    /// A web page.
    Url(String),
    /// A place in the app.
    DeepLink(String),
}

impl Action {
    pub(super) fn from_form(form: ActionForm, at: &Path<'_>) -> Result<Self, Error> {
        match form {
            ActionForm {
                url: Some(url),
                deep_link: None,
            } => Ok(Action::Url(url)),
            ActionForm {
                url: None,
                deep_link: Some(link),
            } => Ok(Action::DeepLink(link)),
            _ => Err(at.error(ErrorKind::Conflict, "not exactly one of url and deep_link")),
        }
    }

    pub(super) fn check(&self, at: &Path<'_>) -> Result<(), Error> {
        match self {
            Action::Open => Ok(()),
            Action::Url(url) => check_url(url, &at.field("url")),
            Action::DeepLink(link) => check_link(link, &at.field("deep_link")),
        }
    }

    /// The key and the text of the app's own data that tell the app the target; `None` where a tap opens the app.
    pub(super) fn member(&self) -> Option<(&'static str, &str)> {
        match self {
            Action::Open => None,
            Action::Url(url) => Some(("url", url)),
            Action::DeepLink(link) => Some(("deep_link", link)),
        }
    }

    /// The web page that a browser can open.
    pub(super) fn web_page(&self) -> Option<&str> {
        match self {
            Action::Open => None,
            Action::Url(url) => Some(url),
            Action::DeepLink(link) => Some(link.as_str()).filter(|link| is_web_url(link)),
        }
    }

    pub(super) fn item(&self) -> Item<'_> {
        match self.member() {
            None => Item::Text("open"),
            Some((name, text)) => {
                let mut object = Object::new();
                object.insert(name, text);
                object.into()
            }
        }
    }
}

/// A button of a notification.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Button {
    pub(super) id: String,
    pub(super) title: String,
    pub(super) url: Option<String>,
    pub(super) icon: Option<String>,
}

impl Button {
    /// Returns a button: the id that the app is told, and the text.
    pub fn new(id: impl Into<String>, title: impl Into<String>) -> Self {
        Self {
            id: id.into(),
            title: title.into(),
            url: None,
            icon: None,
        }
    }

    /// Returns the button with the web page that it opens.
    #[must_use]
    pub fn url(mut self, url: impl Into<String>) -> Self {
        self.url = Some(url.into());
        self
    }

    /// Returns the button with the URL of an icon.
    #[must_use]
    pub fn icon(mut self, url: impl Into<String>) -> Self {
        self.icon = Some(url.into());
        self
    }

    pub(super) fn from_form(form: ButtonForm, at: &Path<'_>) -> Result<Self, Error> {
        let ButtonForm { id, title, url, icon } = form;
        Ok(Self {
            id: id.ok_or_else(|| at.missing("id"))?,
            title: title.ok_or_else(|| at.missing("title"))?,
            url,
            icon,
        })
    }

    pub(super) fn check(&self, at: &Path<'_>) -> Result<(), Error> {
        not_empty(&self.id, &at.field("id"))?;
        not_empty(&self.title, &at.field("title"))?;
        for (name, url) in [("url", &self.url), ("icon", &self.icon)] {
            if let Some(url) = url {
                check_url(url, &at.field(name))?;
            }
        }
        Ok(())
    }

    pub(super) fn object(&self) -> Object<'_> {
        let mut object = Object::new();
        object.insert("id", &self.id);
        object.insert("title", &self.title);
        for (name, url) in [("url", &self.url), ("icon", &self.icon)] {
            if let Some(url) = url {
                object.insert(name, url);
            }
        }
        object
    }
}

/// How soon the device is woken for a notification.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Urgency {
    /// When the device is used anyway.
    VeryLow,
    /// When it costs little power.
    Low,
    /// Soon.
    Normal,
    /// At once.
    High,
}

pub(super) fn not_empty(text: &str, at: &Path<'_>) -> Result<(), Error> {
    match text.is_empty() {
        true => Err(at.error(ErrorKind::InvalidValue, "empty")),
        false => Ok(()),
    }
}

/// Refuses what is not an absolute URL of the web: a browser would refuse the whole message for it.
pub(super) fn check_url(url: &str, at: &Path<'_>) -> Result<(), Error> {
    match is_web_url(url) {
        true => Ok(()),
        false => Err(at.error(ErrorKind::InvalidValue, "not an absolute http or https url")),
    }
}

/// Whether the text is an absolute `http` or `https` URL.
pub(super) fn is_web_url(url: &str) -> bool {
    let Some((scheme, rest)) = url.split_once("://") else {
        return false;
    };
    let host = rest.split(['/', '?', '#']).next().unwrap_or_default();
    (scheme.eq_ignore_ascii_case("https") || scheme.eq_ignore_ascii_case("http"))
        && !host.is_empty()
        && !has_gaps(url)
}

/// Refuses what is not a URL of some scheme (RFC 3986 §3.1).
fn check_link(link: &str, at: &Path<'_>) -> Result<(), Error> {
    let scheme = link.split_once(':').map(|(scheme, _)| scheme).unwrap_or_default();
    let begins = scheme.starts_with(|c: char| c.is_ascii_alphabetic());
    let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '+' | '-' | '.');
    if !begins || !scheme.chars().all(fits) || has_gaps(link) {
        return Err(at.error(ErrorKind::InvalidValue, "not a url with a scheme"));
    }
    Ok(())
}

fn has_gaps(url: &str) -> bool {
    url.chars().any(|c| c.is_control() || c == ' ')
}
