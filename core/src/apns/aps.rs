//! The `aps` dictionary ("Generating a remote notification", table 1).

use serde_json::{Number, Value, json};

use super::alert::Alert;
use super::form::ApsForm;
use super::live_activity::LiveActivity;
use super::push_type::PushType;
use super::sound::Sound;
use crate::error::{Error, ErrorKind};
use crate::json::{Item, Members, Object, Path};

/// How much a notification may interrupt (`interruption-level`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum InterruptionLevel {
    /// Into the list, without lighting up the screen.
    Passive,
    /// At once, with light and sound; the default.
    Active,
    /// Breaks through the user's controls, if the user lets it.
    TimeSensitive,
    /// Also sounds when muted; needs Apple's permission.
    Critical,
}

impl InterruptionLevel {
    /// The value of the key.
    pub const fn as_str(self) -> &'static str {
        match self {
            InterruptionLevel::Passive => "passive",
            InterruptionLevel::Active => "active",
            InterruptionLevel::TimeSensitive => "time-sensitive",
            InterruptionLevel::Critical => "critical",
        }
    }
}

/// The `aps` dictionary. What does not go with the push type is refused when the message is built.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct Aps {
    alert: Option<Alert>,
    badge: Option<u32>,
    sound: Option<Sound>,
    thread_id: Option<String>,
    category: Option<String>,
    content_available: bool,
    mutable_content: bool,
    target_content_id: Option<String>,
    interruption_level: Option<InterruptionLevel>,
    relevance_score: Option<f64>,
    filter_criteria: Option<String>,
    url_args: Option<Vec<String>>,
    content_changed: bool,
    /// Large, and rare.
    live_activity: Option<Box<LiveActivity>>,
    extra: Members,
}

impl Aps {
    /// Nothing in it yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// The whole `aps` of a background push: `content-available` and nothing else.
    pub fn background() -> Self {
        Self::new().content_available()
    }

    /// The dictionary that a form describes. A field that is added to either does not compile until
    /// it stands here.
    pub(super) fn from_form(form: ApsForm, _at: &Path<'_>) -> Result<Self, Error> {
        let ApsForm {
            alert,
            badge,
            sound,
            thread_id,
            category,
            content_available,
            mutable_content,
            target_content_id,
            interruption_level,
            relevance_score,
            filter_criteria,
            url_args,
            content_changed,
            live_activity,
            extra,
        } = form;
        Ok(Self {
            alert,
            badge,
            sound,
            thread_id,
            category,
            content_available: content_available.unwrap_or_default(),
            mutable_content: mutable_content.unwrap_or_default(),
            target_content_id,
            interruption_level,
            relevance_score,
            filter_criteria,
            url_args,
            content_changed: content_changed.unwrap_or_default(),
            live_activity: live_activity.map(Box::new),
            extra: extra.unwrap_or_default(),
        })
    }

    /// The text that the user sees.
    #[must_use]
    pub fn alert(mut self, alert: impl Into<Alert>) -> Self {
        self.alert = Some(alert.into());
        self
    }

    /// The number on the app's icon; 0 takes it away.
    #[must_use]
    pub fn badge(mut self, number: u32) -> Self {
        self.badge = Some(number);
        self
    }

    /// The sound that the user hears.
    #[must_use]
    pub fn sound(mut self, sound: impl Into<Sound>) -> Self {
        self.sound = Some(sound.into());
        self
    }

    /// Groups notifications.
    #[must_use]
    pub fn thread_id(mut self, id: impl Into<String>) -> Self {
        self.thread_id = Some(id.into());
        self
    }

    /// The notification's category: which buttons it has.
    #[must_use]
    pub fn category(mut self, category: impl Into<String>) -> Self {
        self.category = Some(category.into());
        self
    }

    /// Wakes the app to fetch content.
    #[must_use]
    pub fn content_available(mut self) -> Self {
        self.content_available = true;
        self
    }

    /// Hands the notification to the app's service extension first. Needs an alert.
    #[must_use]
    pub fn mutable_content(mut self) -> Self {
        self.mutable_content = true;
        self
    }

    /// Which window is brought forward.
    #[must_use]
    pub fn target_content_id(mut self, id: impl Into<String>) -> Self {
        self.target_content_id = Some(id.into());
        self
    }

    /// How much it may interrupt.
    #[must_use]
    pub fn interruption_level(mut self, level: InterruptionLevel) -> Self {
        self.interruption_level = Some(level);
        self
    }

    /// From 0 to 1: which notification the summary features. For a Live Activity any finite number.
    #[must_use]
    pub fn relevance_score(mut self, score: f64) -> Self {
        self.relevance_score = Some(score);
        self
    }

    /// The value that the system compares with the filter of the current Focus.
    #[must_use]
    pub fn filter_criteria(mut self, criteria: impl Into<String>) -> Self {
        self.filter_criteria = Some(criteria.into());
        self
    }

    /// Safari's website push (legacy): what to put into the URL's placeholders.
    #[must_use]
    pub fn url_args(mut self, args: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.url_args = Some(args.into_iter().map(Into::into).collect());
        self
    }

    /// Tells WidgetKit to reload; the whole `aps` of a `widgets` or `controls` push.
    #[must_use]
    pub fn content_changed(mut self) -> Self {
        self.content_changed = true;
        self
    }

    /// The state of a Live Activity.
    #[must_use]
    pub fn live_activity(mut self, activity: LiveActivity) -> Self {
        self.live_activity = Some(Box::new(activity));
        self
    }

    /// Any other key of `aps` that Apple may add; the app's own keys go beside
    /// `aps` ([`Payload::custom`](super::Payload::custom)). Wins over a typed one.
    #[must_use]
    pub fn extra(mut self, key: impl Into<String>, value: impl Into<Value>) -> Self {
        self.extra.insert(key.into(), value.into());
        self
    }

    pub(crate) fn starts_activity(&self) -> bool {
        self.live_activity.as_deref().is_some_and(LiveActivity::is_start)
    }

    pub(crate) fn encode(&self, kind: PushType) -> Result<Object<'_>, Error> {
        self.check(kind)?;
        let live = kind == PushType::LiveActivity;
        let mut object = Object::new();
        if let Some(activity) = &self.live_activity {
            activity.encode_into(&mut object);
        }
        let sound = self.sound.as_ref().map(Sound::encode);
        match (&self.alert, live) {
            (Some(alert), true) => object.insert("alert", alert.encode_live_activity(sound)),
            (alert, _) => {
                if let Some(alert) = alert {
                    object.insert("alert", alert.encode());
                }
                if let Some(sound) = sound {
                    object.insert("sound", sound);
                }
            }
        }
        let one = |set: bool| set.then_some(Item::Number(1));
        let rest = [
            ("badge", self.badge.map(Item::from)),
            ("thread-id", self.thread_id.as_ref().map(Item::from)),
            ("category", self.category.as_ref().map(Item::from)),
            ("content-available", one(self.content_available)),
            ("mutable-content", one(self.mutable_content)),
            (
                "target-content-id",
                self.target_content_id.as_ref().map(Item::from),
            ),
            (
                "interruption-level",
                self.interruption_level.map(|level| Item::Text(level.as_str())),
            ),
            (
                "relevance-score",
                self.relevance_score.and_then(number).map(Item::Own),
            ),
            ("filter-criteria", self.filter_criteria.as_ref().map(Item::from)),
            ("url-args", self.url_args.as_ref().map(Item::from)),
            (
                "content-changed",
                self.content_changed.then_some(Item::Flag(true)),
            ),
        ];
        for (key, item) in rest {
            if let Some(item) = item {
                object.insert(key, item);
            }
        }
        object.extend(&self.extra);
        Ok(object)
    }

    fn check(&self, kind: PushType) -> Result<(), Error> {
        let refuse = |kind, text: &'static str| Err(Error::new(kind, text));
        let seen = self.alert.is_some() || self.badge.is_some() || self.sound.is_some();
        let unknown = !self.extra.is_empty();
        if let Some(score) = self.relevance_score {
            let live = kind == PushType::LiveActivity;
            if !score.is_finite() || !(live || (0.0..=1.0).contains(&score)) {
                return refuse(
                    ErrorKind::InvalidValue,
                    "the relevance score is not between 0 and 1 (a live activity's: not finite)",
                );
            }
        }
        if self.mutable_content && self.alert.is_none() && !unknown {
            return refuse(ErrorKind::InvalidPayload, "mutable-content needs an alert");
        }
        if self.live_activity.is_some() && kind != PushType::LiveActivity {
            return refuse(
                ErrorKind::InvalidPayload,
                "a live activity's state needs the push type liveactivity (InvalidPushType)",
            );
        }
        match kind {
            PushType::Alert if !seen && !unknown && self.url_args.is_none() => refuse(
                ErrorKind::InvalidPayload,
                "a push of type alert has no alert, badge or sound; one that shows nothing is of type background (InvalidPushType)",
            ),
            PushType::Background if *self != Self::background().with_extra(&self.extra) => refuse(
                ErrorKind::InvalidPayload,
                "the aps of a background push is content-available and nothing else (InvalidPushType)",
            ),
            PushType::LiveActivity => match &self.live_activity {
                None if !unknown => refuse(
                    ErrorKind::MissingField,
                    "a push of type liveactivity has no event and timestamp",
                ),
                // APNs takes an empty alert, and the device then starts nothing.
                Some(activity) if activity.is_start() && !self.alert.as_ref().is_some_and(Alert::shows) => {
                    refuse(
                        ErrorKind::MissingField,
                        "the start of a live activity has no alert, or one without title and body",
                    )
                }
                Some(activity) => activity.check(),
                _ => Ok(()),
            },
            PushType::Widgets | PushType::Controls if !self.content_changed => refuse(
                ErrorKind::MissingField,
                "a push of type widgets or controls has no content-changed",
            ),
            _ => Ok(()),
        }
    }

    fn with_extra(mut self, extra: &Members) -> Self {
        self.extra = extra.clone();
        self
    }
}

/// Whole numbers are written without a fraction, as Apple's samples do.
fn number(value: f64) -> Option<Value> {
    if value.fract() == 0.0 && value.abs() < 1e15 {
        // In range by the check above, so nothing is lost.
        return Some(json!(value as i64));
    }
    Number::from_f64(value).map(Value::Number)
}

#[cfg(test)]
mod tests;
