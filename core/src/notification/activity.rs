//! A Live Activity over its life: started, updated, ended ("Starting and updating Live Activities with ActivityKit
//! push notifications").

use std::fmt;
use std::time::Duration;

use super::form::{ActivityForm, ChangeForm, Phase, StartForm};
use crate::apns::{
    self, Alert, Aps, Broadcast, BundleId, ChannelId, DeviceToken, InputPush, LiveActivity, Priority,
    PushType, Sound, StoragePolicy,
};
use crate::error::{Error, ErrorKind};
use crate::json::form::{Form, Word};
use crate::json::{Node, Object, Path};
use crate::outcome::Outcome;
use crate::service::Message;
use crate::time::UnixTime;

/// The longest that the system keeps an activity running (Apple, "Displaying live data with Live Activities").
const LONGEST_RUN: Duration = Duration::from_secs(8 * 3600);
/// The longest that an ended activity stays on the screen (the same page).
const LONGEST_END: Duration = Duration::from_secs(4 * 3600);

/// A change of a Live Activity: the new state, and how the user hears of it.
#[derive(Clone, Debug, PartialEq, Default)]
#[must_use]
pub struct Change {
    content_state: Option<serde_json::Value>,
    alert: Option<Alert>,
    sound: Option<Sound>,
    stale_date: Option<UnixTime>,
    dismissal_date: Option<UnixTime>,
    relevance_score: Option<f64>,
    priority: Option<Priority>,
    timestamp: Option<UnixTime>,
}

/// The beginning of a Live Activity: the names and values that the app's `ActivityAttributes` type decodes from.
#[derive(Clone, Debug, PartialEq)]
pub struct Start {
    attributes_type: String,
    attributes: serde_json::Value,
}

/// A Live Activity over its life, as the sender knows it. Refuses what APNs takes and no device acts on: an update
/// without a target, with an older timestamp, or after the end. Goes to JSON and back.
///
/// ```
/// use pushcore::apns::{Alert, BundleId, DeviceToken};
/// use pushcore::notification::{Activity, Change, Start};
/// use pushcore::UnixTime;
/// use serde_json::json;
///
/// # fn main() -> Result<(), pushcore::Error> {
/// let now = UnixTime::from_secs(1_764_422_709);
/// let mut activity = Activity::new(BundleId::parse("com.example.app")?);
/// let start = Start::new("TripAttributes", json!({"flight": "LH 454"}));
/// let boarding = Change::new(json!({"gate": "A13"})).alert(Alert::line("Boarding"));
/// let push_to_start = DeviceToken::parse(&"ab".repeat(40))?;
/// let message = activity.start(&start, &boarding, push_to_start, now)?;
///
/// // The app sends the update token that it was given, and only then there is somewhere to send updates to.
/// let departed = Change::new(json!({"gate": "-"}));
/// assert!(activity.update(&departed, now).is_err());
/// activity.token_received(DeviceToken::parse(&"cd".repeat(40))?)?;
/// let message = activity.update(&departed, now)?;
/// let message = activity.end(&departed, now)?;
/// assert!(activity.update(&departed, now).is_err());
/// # Ok(())
/// # }
/// ```
#[derive(Clone, PartialEq)]
pub struct Activity {
    bundle: BundleId,
    phase: Phase,
    route: Route,
    /// The push-to-start token that the activity was started by.
    started_by: Option<DeviceToken>,
    started_at: Option<UnixTime>,
    /// The timestamp of the last push, in whole seconds.
    timestamp: Option<u64>,
    stale_date: Option<UnixTime>,
    ended_at: Option<UnixTime>,
}

/// The way of updates to the device.
#[derive(Clone, PartialEq)]
enum Route {
    /// By the update token, once the app has sent that.
    Token(Option<DeviceToken>),
    Channel(ChannelId, StoragePolicy),
}

impl Start {
    /// Returns the beginning of an activity of the app's type `attributes_type`, with the attributes that do not change.
    pub fn new(attributes_type: impl Into<String>, attributes: serde_json::Value) -> Self {
        Self {
            attributes_type: attributes_type.into(),
            attributes,
        }
    }

    /// Reads a beginning in the form of `docs/notification.md`.
    ///
    /// # Errors
    /// `InvalidPayload` for JSON that is not of this form, `MissingField`.
    pub fn from_json(json: &[u8]) -> Result<Self, Error> {
        let at = &Path::root("start");
        let StartForm {
            attributes_type,
            attributes,
        } = StartForm::read(Node::document(json, "start")?, at)?;
        Ok(Self {
            attributes_type: attributes_type.ok_or_else(|| at.missing("attributes_type"))?,
            attributes: attributes.ok_or_else(|| at.missing("attributes"))?.0,
        })
    }
}

impl Change {
    /// Returns a change to a new state, from which the app's `ContentState` decodes.
    pub fn new(content_state: serde_json::Value) -> Self {
        Self {
            content_state: Some(content_state),
            ..Self::default()
        }
    }

    /// Returns an end that leaves the last state standing.
    pub fn nothing() -> Self {
        Self::default()
    }

    /// Sets the alert that the user sees; a start needs one.
    pub fn alert(mut self, alert: impl Into<Alert>) -> Self {
        self.alert = Some(alert.into());
        self
    }

    /// Sets the sound of the alert.
    pub fn sound(mut self, sound: impl Into<Sound>) -> Self {
        self.sound = Some(sound.into());
        self
    }

    /// Sets the time from which on the state counts as out of date.
    pub fn stale_date(mut self, date: UnixTime) -> Self {
        self.stale_date = Some(date);
        self
    }

    /// Sets the time when an ended activity leaves the screen: at once if in the past, within four hours of the end.
    pub fn dismissal_date(mut self, date: UnixTime) -> Self {
        self.dismissal_date = Some(date);
        self
    }

    /// Sets which of several activities of the app is shown first: the one with the highest score.
    pub fn relevance_score(mut self, score: f64) -> Self {
        self.relevance_score = Some(score);
        self
    }

    /// Sets the priority: 10 at once, from a budget of the system's; 5 when it costs little power.
    pub fn priority(mut self, priority: Priority) -> Self {
        self.priority = Some(priority);
        self
    }

    /// Sets when the state was true. Without it that is now, or a second after the last push if that was not before.
    pub fn timestamp(mut self, time: UnixTime) -> Self {
        self.timestamp = Some(time);
        self
    }

    /// Reads a change in the form of `docs/notification.md`.
    ///
    /// # Errors
    /// `InvalidPayload` for JSON that is not of this form, `InvalidValue`.
    pub fn from_json(json: &[u8]) -> Result<Self, Error> {
        let at = &Path::root("change");
        let ChangeForm {
            content_state,
            alert,
            sound,
            stale_date,
            dismissal_date,
            relevance_score,
            priority,
            timestamp,
        } = ChangeForm::read(Node::document(json, "change")?, at)?;
        Ok(Self {
            content_state: content_state.map(|any| any.0),
            alert,
            sound,
            stale_date,
            dismissal_date,
            relevance_score,
            priority,
            timestamp,
        })
    }
}

impl Activity {
    /// Returns an activity that is to be started by a push, and updated by the token that the app then sends.
    pub fn new(bundle: BundleId) -> Self {
        Self {
            bundle,
            phase: Phase::New,
            route: Route::Token(None),
            started_by: None,
            started_at: None,
            timestamp: None,
            stale_date: None,
            ended_at: None,
        }
    }

    /// Returns an activity that is to be started by a push, and updated by broadcasts to a channel (iOS 18 and later;
    /// on older systems such a start starts nothing).
    pub fn on_channel(bundle: BundleId, channel: ChannelId, policy: StoragePolicy) -> Self {
        Self {
            route: Route::Channel(channel, policy),
            ..Self::new(bundle)
        }
    }

    /// Returns an activity that the app has started by itself, at `started` if that is known, with the update token that
    /// the app has sent.
    pub fn running(bundle: BundleId, token: DeviceToken, started: Option<UnixTime>) -> Self {
        Self {
            phase: Phase::Running,
            route: Route::Token(Some(token)),
            started_at: started,
            ..Self::new(bundle)
        }
    }

    /// Starts the activity on a device, by the app's push-to-start token. An activity on a channel may be started on
    /// many devices; any other on one.
    ///
    /// # Errors
    /// `Misuse` when it has been started or has ended; `MissingField` without an alert or a state;
    /// `InvalidValue` and `Conflict` for dates that make no sense; and what the message refuses.
    pub fn start(
        &mut self,
        start: &Start,
        change: &Change,
        push_to_start: DeviceToken,
        now: UnixTime,
    ) -> Result<Message, Error> {
        let again = matches!(self.route, Route::Channel(..)) && self.phase == Phase::Running;
        if self.phase != Phase::New && !again {
            return Err(misuse("the live activity has been started before"));
        }
        for (what, value) in [
            ("attributes", Some(&start.attributes)),
            ("content_state", change.content_state.as_ref()),
        ] {
            if value.is_none_or(serde_json::Value::is_null) {
                let text = format!("the start of a live activity needs {what}");
                return Err(Error::new(ErrorKind::MissingField, text));
            }
        }
        let timestamp = match again {
            // Another device: its first push, and no rival of an update.
            true => change
                .timestamp
                .unwrap_or(now)
                .as_secs()
                .max(self.timestamp.unwrap_or_default()),
            false => self.next_timestamp(change, now)?,
        };
        let state = change.content_state.clone().unwrap_or_default();
        let time = UnixTime::from_secs(timestamp);
        let input = match &self.route {
            Route::Token(_) => InputPush::Token,
            Route::Channel(channel, _) => InputPush::Channel(channel.clone()),
        };
        let content = LiveActivity::start(time, &start.attributes_type, start.attributes.clone(), state)
            .input_push(input);
        let aps = self.aps(content, change, timestamp)?;
        let message = self.to_device(aps, change, push_to_start.clone())?;
        self.phase = match self.route {
            Route::Token(_) => Phase::Starting,
            Route::Channel(..) => Phase::Running,
        };
        if !again {
            self.started_at = Some(now);
            self.started_by = Some(push_to_start);
        }
        self.note(change, timestamp);
        Ok(message)
    }

    /// Takes the update token that the app has sent: after a start, and again whenever the system replaces the token.
    ///
    /// # Errors
    /// `Misuse` after the end, before the start, and for an activity on a channel; `InvalidToken` for the
    /// push-to-start token, which takes no updates.
    pub fn token_received(&mut self, token: DeviceToken) -> Result<(), Error> {
        if self.started_by.as_ref() == Some(&token) {
            let what = "this is the push-to-start token, to which no update goes";
            return Err(Error::new(ErrorKind::InvalidToken, what));
        }
        match (self.phase, &mut self.route) {
            (_, Route::Channel(..)) => Err(misuse("the live activity is updated by its channel")),
            (Phase::New, _) => Err(misuse("the live activity has not been started")),
            (Phase::Ended, _) => Err(misuse("the live activity has ended")),
            (Phase::Starting | Phase::Running, Route::Token(place)) => {
                *place = Some(token);
                self.phase = Phase::Running;
                Ok(())
            }
        }
    }

    /// Updates the activity: a message to the update token, or a broadcast to the channel.
    ///
    /// # Errors
    /// `Misuse` before the start, after the end, eight hours after the start (the system has ended the activity), and while no update token is
    /// known; `MissingField` without a state; `InvalidValue` for a timestamp that is not later than the last one, and for a
    /// stale date that is not later than the timestamp; `Conflict` for a dismissal date; and what the message refuses.
    pub fn update(&mut self, change: &Change, now: UnixTime) -> Result<Message, Error> {
        let ran = self.started_at.map(|started| now.saturating_since(started));
        if ran.is_some_and(|ran| ran >= LONGEST_RUN) {
            return Err(misuse(
                "the system ends a live activity eight hours after its start",
            ));
        }
        let Some(state) = change.content_state.as_ref().filter(|state| !state.is_null()) else {
            let what = "the update of a live activity needs content_state";
            return Err(Error::new(ErrorKind::MissingField, what));
        };
        if change.dismissal_date.is_some() {
            let what = "only the end of a live activity has a dismissal date";
            return Err(Error::new(ErrorKind::Conflict, what));
        }
        let timestamp = self.next_timestamp(change, now)?;
        let content = LiveActivity::update(UnixTime::from_secs(timestamp), state.clone());
        let message = self.push(content, change, timestamp)?;
        self.note(change, timestamp);
        Ok(message)
    }

    /// Ends the activity.
    ///
    /// # Errors
    /// As [`Activity::update`], but for the state and the dismissal date; `InvalidValue` for a dismissal date more than
    /// four hours ahead, because the system removes the activity by then.
    pub fn end(&mut self, change: &Change, now: UnixTime) -> Result<Message, Error> {
        let timestamp = self.next_timestamp(change, now)?;
        if let Some(date) = change.dismissal_date {
            if date.saturating_since(now) > LONGEST_END {
                let what = "an ended live activity leaves the screen after four hours at the latest";
                return Err(Error::new(ErrorKind::InvalidValue, what));
            }
        }
        if change
            .content_state
            .as_ref()
            .is_some_and(serde_json::Value::is_null)
        {
            let what = "content_state is null: leave it out, and the last state stands";
            return Err(Error::new(ErrorKind::InvalidValue, what));
        }
        let time = UnixTime::from_secs(timestamp);
        let mut content = LiveActivity::end(time, change.content_state.clone());
        if let Some(date) = change.dismissal_date {
            content = content.dismissal_date(date);
        }
        let message = self.push(content, change, timestamp)?;
        self.note(change, timestamp);
        self.phase = Phase::Ended;
        self.ended_at = Some(now);
        Ok(message)
    }

    /// Takes note of the answer to a push of the activity: an update token that is gone means that the user or the
    /// system has ended the activity, a push-to-start token that is gone that the activity has not begun.
    pub fn answered(&mut self, outcome: &Outcome, now: UnixTime) {
        let Outcome::TokenGone(_) = outcome else {
            return;
        };
        match (self.phase, &self.route) {
            (Phase::Starting | Phase::Running, Route::Token(_)) => {
                self.phase = Phase::Ended;
                self.ended_at = Some(now);
            }
            // One device of many.
            (_, Route::Channel(..)) | (Phase::New | Phase::Ended, _) => {}
        }
    }

    /// The name of the phase: `new`, `starting` (no update token yet), `running` or `ended`.
    pub fn phase(&self) -> &'static str {
        self.phase.word()
    }

    /// The update token; `None` while none is known, and on a channel.
    pub fn token(&self) -> Option<&DeviceToken> {
        match &self.route {
            Route::Token(token) => token.as_ref(),
            Route::Channel(..) => None,
        }
    }

    /// Whether the last state has passed its stale date.
    pub fn is_stale(&self, now: UnixTime) -> bool {
        self.phase != Phase::Ended && self.stale_date.is_some_and(|date| now >= date)
    }

    /// The timestamp of the last push; `None` before the first.
    pub fn timestamp(&self) -> Option<UnixTime> {
        self.timestamp.map(UnixTime::from_secs)
    }

    /// Reads an activity in the form of `docs/notification.md`.
    ///
    /// # Errors
    /// `InvalidPayload` for JSON that is not of this form, `MissingField`, `Conflict`, and the errors of tokens and ids.
    pub fn from_json(json: &[u8]) -> Result<Self, Error> {
        let at = &Path::root("activity");
        let ActivityForm {
            bundle,
            phase,
            token,
            channel,
            storage_policy,
            started_by,
            started_at,
            timestamp,
            stale_date,
            ended_at,
        } = ActivityForm::read(Node::document(json, "activity")?, at)?;
        let phase = phase.ok_or_else(|| at.missing("phase"))?;
        let parse = |name: &str, text: Option<String>| -> Result<Option<DeviceToken>, Error> {
            let token = text.map(|text| DeviceToken::parse(&text)).transpose();
            token.map_err(|error| at.field(name).wrap(&error))
        };
        let route = match (channel, storage_policy, token) {
            (None, None, token) => Route::Token(parse("token", token)?),
            (Some(channel), Some(policy), None) => Route::Channel(channel, policy),
            (Some(_), None, _) => return Err(at.missing("storage_policy")),
            (None, Some(_), _) => return Err(at.missing("channel")),
            (Some(_), Some(_), Some(_)) => {
                let what = "a live activity is updated by a token or by a channel";
                return Err(at.field("token").error(ErrorKind::Conflict, what));
            }
        };
        if phase == Phase::Running && matches!(route, Route::Token(None)) {
            return Err(at.missing("token"));
        }
        Ok(Self {
            bundle: bundle.ok_or_else(|| at.missing("bundle"))?,
            phase,
            route,
            started_by: parse("started_by", started_by)?,
            started_at,
            timestamp,
            stale_date,
            ended_at,
        })
    }

    /// The activity in the form that [`Activity::from_json`] reads. It holds the tokens: for the caller's own storage,
    /// not for logs.
    pub fn to_json(&self) -> String {
        let Self {
            bundle,
            phase,
            route,
            started_by,
            started_at,
            timestamp,
            stale_date,
            ended_at,
        } = self;
        let mut object = Object::new();
        object.insert("bundle", bundle.as_str());
        object.insert("phase", phase.word());
        match route {
            Route::Token(None) => {}
            Route::Token(Some(token)) => object.insert("token", token.as_str()),
            Route::Channel(channel, policy) => {
                object.insert("channel", channel.as_str());
                object.insert("storage_policy", u32::from(policy.as_u8()));
            }
        }
        if let Some(token) = started_by {
            object.insert("started_by", token.as_str());
        }
        for (name, time) in [
            ("started_at", started_at),
            ("stale_date", stale_date),
            ("ended_at", ended_at),
        ] {
            if let Some(time) = time {
                object.insert(name, time.as_secs());
            }
        }
        if let Some(secs) = timestamp {
            object.insert("timestamp", *secs);
        }
        let mut out = Vec::with_capacity(256);
        object.write(&mut out);
        // Written from texts.
        String::from_utf8(out).unwrap_or_default()
    }

    /// The timestamp of the next push: later than the last one, or the device would ignore the push.
    fn next_timestamp(&self, change: &Change, now: UnixTime) -> Result<u64, Error> {
        let last = self.timestamp;
        match change.timestamp.map(UnixTime::as_secs) {
            Some(asked) if last.is_some_and(|last| asked <= last) => {
                let what =
                    "the timestamp is not later than that of the last push: the device would ignore it";
                Err(Error::new(ErrorKind::InvalidValue, what))
            }
            Some(asked) => Ok(asked),
            None => Ok(now.as_secs().max(last.map_or(0, |last| last.saturating_add(1)))),
        }
    }

    fn aps(&self, mut content: LiveActivity, change: &Change, timestamp: u64) -> Result<Aps, Error> {
        if let Some(date) = change.stale_date {
            if date.as_secs() <= timestamp {
                let what =
                    "the stale date is not later than the timestamp: the state would be out of date at once";
                return Err(Error::new(ErrorKind::InvalidValue, what));
            }
            content = content.stale_date(date);
        }
        let mut aps = Aps::new().live_activity(content);
        if let Some(alert) = &change.alert {
            aps = aps.alert(alert.clone());
        }
        if let Some(sound) = &change.sound {
            aps = aps.sound(sound.clone());
        }
        if let Some(score) = change.relevance_score {
            aps = aps.relevance_score(score);
        }
        Ok(aps)
    }

    /// The push of an update or an end.
    fn push(&self, content: LiveActivity, change: &Change, timestamp: u64) -> Result<Message, Error> {
        match self.phase {
            Phase::New => return Err(misuse("the live activity has not been started")),
            Phase::Ended => return Err(misuse("the live activity has ended")),
            Phase::Starting | Phase::Running => {}
        }
        let aps = self.aps(content, change, timestamp)?;
        match &self.route {
            Route::Token(Some(token)) => self.to_device(aps, change, token.clone()),
            Route::Token(None) => Err(misuse("the app has not sent the update token yet")),
            Route::Channel(channel, policy) => {
                let mut builder =
                    Broadcast::builder(self.bundle.clone(), channel.clone(), *policy).payload(aps);
                if let Some(priority) = change.priority {
                    builder = builder.priority(priority);
                }
                builder.build().map(Message::from)
            }
        }
    }

    fn to_device(&self, aps: Aps, change: &Change, token: DeviceToken) -> Result<Message, Error> {
        let mut builder = apns::Message::builder(PushType::LiveActivity)
            .bundle(self.bundle.clone())
            .payload(aps)
            .device(token);
        if let Some(priority) = change.priority {
            builder = builder.priority(priority);
        }
        builder.build().map(Message::from)
    }

    fn note(&mut self, change: &Change, timestamp: u64) {
        self.timestamp = Some(timestamp);
        self.stale_date = change.stale_date;
    }
}

impl fmt::Debug for Activity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Activity")
            .field("bundle", &self.bundle)
            .field("phase", &self.phase())
            .field("timestamp", &self.timestamp())
            .finish_non_exhaustive()
    }
}

fn misuse(text: &'static str) -> Error {
    Error::new(ErrorKind::Misuse, text)
}
