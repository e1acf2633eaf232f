//! What the user sees.

use serde_json::Value;

use super::form::{AlertForm, LocalizedForm};
use crate::error::Error;
use crate::json::{Item, Members, Object, Path};

/// A text that is sent as it is, or that the app looks up in its own language files.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Text {
    /// The text itself.
    Plain(String),
    /// The key of a text in the app's `Localizable.strings`, and what to put into its placeholders.
    Localized {
        /// The key.
        key: String,
        /// The arguments, in the order of the placeholders.
        args: Vec<String>,
    },
}

impl Text {
    /// A text that the app looks up.
    pub fn localized(key: impl Into<String>, args: impl IntoIterator<Item = impl Into<String>>) -> Self {
        Text::Localized {
            key: key.into(),
            args: args.into_iter().map(Into::into).collect(),
        }
    }
}

impl Text {
    /// The text that a form describes.
    pub(super) fn from_form(form: LocalizedForm, at: &Path<'_>) -> Result<Self, Error> {
        let LocalizedForm { key, args } = form;
        Ok(Text::Localized {
            key: key.ok_or_else(|| at.missing("key"))?,
            args: args.unwrap_or_default(),
        })
    }
}

impl From<&str> for Text {
    fn from(text: &str) -> Self {
        Text::Plain(text.to_owned())
    }
}

impl From<String> for Text {
    fn from(text: String) -> Self {
        Text::Plain(text)
    }
}

/// The alert of a push ("Generating a remote notification", table 2).
///
/// One model serves both spellings that APNs has: a localised title becomes
/// `title-loc-key` in an ordinary push, and an object under `title` in a Live Activity's.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct Alert {
    line: Option<String>,
    title: Option<Text>,
    subtitle: Option<Text>,
    body: Option<Text>,
    launch_image: Option<String>,
    extra: Members,
}

impl Alert {
    /// An alert without anything in it yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// The alert that a form describes. A field that is added to either does not compile until
    /// it stands here.
    pub(super) fn from_form(form: AlertForm, _at: &Path<'_>) -> Result<Self, Error> {
        let AlertForm {
            title,
            subtitle,
            body,
            launch_image,
            extra,
        } = form;
        Ok(Self {
            // The short form, which is a string and not an object.
            line: None,
            title,
            subtitle,
            body,
            launch_image,
            extra: extra.unwrap_or_default(),
        })
    }

    /// The short form: `alert` is one string. What else is set turns it into the body.
    pub fn line(text: impl Into<String>) -> Self {
        Self {
            line: Some(text.into()),
            ..Self::default()
        }
    }

    /// `title`, or `title-loc-key` and `title-loc-args`.
    #[must_use]
    pub fn title(mut self, title: impl Into<Text>) -> Self {
        self.title = Some(title.into());
        self
    }

    /// `subtitle`, or `subtitle-loc-key` and `subtitle-loc-args`.
    #[must_use]
    pub fn subtitle(mut self, subtitle: impl Into<Text>) -> Self {
        self.subtitle = Some(subtitle.into());
        self
    }

    /// `body`, or `loc-key` and `loc-args`.
    #[must_use]
    pub fn body(mut self, body: impl Into<Text>) -> Self {
        self.body = Some(body.into());
        self
    }

    /// `launch-image`: the file to show while the app starts.
    #[must_use]
    pub fn launch_image(mut self, file: impl Into<String>) -> Self {
        self.launch_image = Some(file.into());
        self
    }

    /// Any other key: `action-loc-key`, `summary-arg`, or what Apple adds later. Wins over a typed one.
    #[must_use]
    pub fn extra(mut self, key: impl Into<String>, value: impl Into<Value>) -> Self {
        self.extra.insert(key.into(), value.into());
        self
    }

    /// Whether a person sees anything of it: a title or a body that is not empty.
    pub(crate) fn shows(&self) -> bool {
        let text = |text: &Option<Text>| match text {
            Some(Text::Plain(text)) => !text.is_empty(),
            Some(Text::Localized { key, .. }) => !key.is_empty(),
            None => false,
        };
        let keys = ["title", "body", "title-loc-key", "loc-key"];
        self.line.as_ref().is_some_and(|line| !line.is_empty())
            || text(&self.title)
            || text(&self.body)
            || keys
                .iter()
                .filter_map(|key| self.extra.iter().find(|(name, _)| *name == key))
                .any(|(_, value)| !value.is_blank())
    }

    /// The value of `aps.alert` in an ordinary push.
    pub(crate) fn encode(&self) -> Item<'_> {
        let parts = [&self.title, &self.subtitle, &self.body];
        if let Some(line) = &self.line {
            if parts.iter().all(|part| part.is_none()) && self.launch_image.is_none() && self.extra.is_empty()
            {
                return Item::Text(line);
            }
        }
        let mut object = Object::new();
        let names = [
            ("title", "title-loc-key", "title-loc-args"),
            ("subtitle", "subtitle-loc-key", "subtitle-loc-args"),
            ("body", "loc-key", "loc-args"),
        ];
        for (part, (plain, loc_key, loc_args)) in parts.into_iter().zip(names) {
            match part {
                Some(Text::Plain(text)) => object.insert(plain, text),
                Some(Text::Localized { key, args }) => {
                    object.insert(loc_key, key);
                    if !args.is_empty() {
                        object.insert(loc_args, args);
                    }
                }
                None => {}
            }
        }
        self.finish(object)
    }

    /// The value of `aps.alert` in a Live Activity's push: texts are strings or
    /// objects, and the sound sits inside.
    pub(crate) fn encode_live_activity<'a>(&'a self, sound: Option<Item<'a>>) -> Item<'a> {
        let mut object = Object::new();
        let parts = [
            ("title", &self.title),
            ("subtitle", &self.subtitle),
            ("body", &self.body),
        ];
        for (name, part) in parts {
            match part {
                Some(Text::Plain(text)) => object.insert(name, text),
                Some(Text::Localized { key, args }) => {
                    let mut localized = Object::new();
                    localized.insert("loc-key", key);
                    if !args.is_empty() {
                        localized.insert("loc-args", args);
                    }
                    object.insert(name, localized);
                }
                None => {}
            }
        }
        if let Some(sound) = sound {
            object.insert("sound", sound);
        }
        self.finish(object)
    }

    fn finish<'a>(&'a self, mut object: Object<'a>) -> Item<'a> {
        if let Some(line) = &self.line {
            object.insert_missing("body", line);
        }
        if let Some(file) = &self.launch_image {
            object.insert("launch-image", file);
        }
        object.extend(&self.extra);
        object.into()
    }
}

impl From<&str> for Alert {
    fn from(text: &str) -> Self {
        Self::line(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_alert_has_every_documented_key() {
        let plain = Alert::new()
            .title("T")
            .subtitle("S")
            .body("B")
            .launch_image("L.png");
        assert_eq!(
            plain.encode().to_text(),
            r#"{"title":"T","subtitle":"S","body":"B","launch-image":"L.png"}"#
        );
        let localized = Alert::new()
            .title(Text::localized("TK", ["a"]))
            .subtitle(Text::localized("SK", ["b", "c"]))
            .body(Text::localized("BK", Vec::<String>::new()))
            .extra("action-loc-key", "OPEN");
        assert_eq!(
            localized.encode().to_text(),
            r#"{"title-loc-key":"TK","title-loc-args":["a"],"subtitle-loc-key":"SK","subtitle-loc-args":["b","c"],"loc-key":"BK","action-loc-key":"OPEN"}"#
        );
        assert_eq!(Alert::line("hi").encode().to_text(), r#""hi""#);
        assert_eq!(
            Alert::line("hi").title("T").encode().to_text(),
            r#"{"title":"T","body":"hi"}"#
        );
    }

    #[test]
    fn a_live_activity_alert_holds_objects_and_the_sound() {
        let alert = Alert::new()
            .title(Text::localized("%@ is knocked down!", ["Power Panda"]))
            .body("Use a potion to heal");
        assert_eq!(
            alert
                .encode_live_activity(Some(Item::Text("HeroDown.mp4")))
                .to_text(),
            r#"{"title":{"loc-key":"%@ is knocked down!","loc-args":["Power Panda"]},"body":"Use a potion to heal","sound":"HeroDown.mp4"}"#
        );
    }
}
