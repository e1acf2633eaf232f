//! The state of a Live Activity ("Starting and updating Live Activities with
//! ActivityKit push notifications").

use serde_json::Value;

use super::channels::ChannelId;
use super::form::{self, InputChannelForm, LiveActivityForm};
use crate::error::{Error, ErrorKind};
use crate::json::{Json, Object, Path};
use crate::time::UnixTime;

/// How the started activity gets its updates (iOS 18 and later).
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum InputPush {
    /// `input-push-token`: the app is given an update token of its own.
    Token,
    /// `input-push-channel`: from the broadcasts of a channel. On older systems the activity does not start.
    Channel(ChannelId),
}

/// The content of a Live Activity push. Every push carries a `timestamp`, so that the
/// newest one wins whatever order they arrive in.
#[derive(Clone, Debug, PartialEq)]
pub struct LiveActivity {
    event: Event,
    timestamp: UnixTime,
    content_state: Option<Json>,
    stale_date: Option<UnixTime>,
    dismissal_date: Option<UnixTime>,
    /// Something was asked for that this event has no place for.
    misplaced: Option<&'static str>,
}

#[derive(Clone, Debug, PartialEq)]
enum Event {
    Start {
        attributes_type: String,
        attributes: Json,
        input: Option<InputPush>,
    },
    Update,
    End,
}

impl InputPush {
    /// The channel that a form describes.
    pub(super) fn from_form(form: InputChannelForm, at: &Path<'_>) -> Result<Self, Error> {
        let InputChannelForm { channel } = form;
        channel
            .map(InputPush::Channel)
            .ok_or_else(|| at.missing("channel"))
    }
}

impl LiveActivity {
    /// The state that a form describes. A field that is added to either does not compile until
    /// it stands here.
    pub(super) fn from_form(form: LiveActivityForm, at: &Path<'_>) -> Result<Self, Error> {
        let LiveActivityForm {
            event,
            timestamp,
            content_state,
            attributes_type,
            attributes,
            input_push,
            stale_date,
            dismissal_date,
        } = form;
        let kind = event.ok_or_else(|| at.missing("event"))?;
        let event = match kind {
            form::Event::Start => Event::Start {
                attributes_type: attributes_type.ok_or_else(|| at.missing("attributes_type"))?,
                attributes: attributes.ok_or_else(|| at.missing("attributes"))?,
                input: input_push,
            },
            form::Event::Update | form::Event::End => {
                for (name, set) in [
                    ("attributes_type", attributes_type.is_some()),
                    ("attributes", attributes.is_some()),
                    ("input_push", input_push.is_some()),
                ] {
                    if set {
                        return Err(at.field(name).error(ErrorKind::Conflict, "is for a start only"));
                    }
                }
                match kind {
                    form::Event::End => Event::End,
                    _ => Event::Update,
                }
            }
        };
        if content_state.is_none() && kind != form::Event::End {
            return Err(at.missing("content_state"));
        }
        Ok(Self {
            event,
            timestamp: timestamp.ok_or_else(|| at.missing("timestamp"))?,
            content_state,
            stale_date,
            dismissal_date,
            misplaced: None,
        })
    }

    /// Starts an activity. The push needs an alert as well. `attributes_type` is
    /// the name of the app's `ActivityAttributes` type; `attributes` and
    /// `content_state` are what that type and its state decode from.
    pub fn start(
        timestamp: UnixTime,
        attributes_type: impl Into<String>,
        attributes: Value,
        content_state: Value,
    ) -> Self {
        Self {
            event: Event::Start {
                attributes_type: attributes_type.into(),
                attributes: attributes.into(),
                input: None,
            },
            timestamp,
            content_state: Some(content_state.into()),
            stale_date: None,
            dismissal_date: None,
            misplaced: None,
        }
    }

    /// Updates an activity.
    pub fn update(timestamp: UnixTime, content_state: Value) -> Self {
        Self {
            event: Event::Update,
            timestamp,
            content_state: Some(content_state.into()),
            stale_date: None,
            dismissal_date: None,
            misplaced: None,
        }
    }

    /// Ends an activity; `content_state` is what it shows until it is dismissed.
    /// `None` leaves the last state standing.
    pub fn end(timestamp: UnixTime, content_state: Option<Value>) -> Self {
        Self {
            event: Event::End,
            timestamp,
            content_state: content_state.map(Json::from),
            stale_date: None,
            dismissal_date: None,
            misplaced: None,
        }
    }

    /// From when on the content counts as out of date.
    #[must_use]
    pub fn stale_date(mut self, date: UnixTime) -> Self {
        self.stale_date = Some(date);
        self
    }

    /// When an ended activity leaves the screen: at once if in the past, after four hours at the latest.
    #[must_use]
    pub fn dismissal_date(mut self, date: UnixTime) -> Self {
        self.dismissal_date = Some(date);
        self
    }

    /// How a started activity gets its updates: one way, on a start alone. Anything else is refused when the
    /// push is made.
    #[must_use]
    pub fn input_push(mut self, how: InputPush) -> Self {
        match &mut self.event {
            Event::Start { input: Some(_), .. } => {
                self.misplaced = Some("a live activity is updated by a token or by a channel, not by both");
            }
            Event::Start { input, .. } => *input = Some(how),
            _ => self.misplaced = Some("only the start of a live activity says how it is updated"),
        }
        self
    }

    /// Refuses content that APNs takes and that no device acts on.
    ///
    /// # Errors
    /// `Conflict` for what the event has no place for; `InvalidValue` for a time that is no date.
    pub(crate) fn check(&self) -> Result<(), Error> {
        if let Some(text) = self.misplaced {
            return Err(Error::new(ErrorKind::Conflict, text));
        }
        if self.dismissal_date.is_some() && self.event != Event::End {
            return Err(Error::new(
                ErrorKind::Conflict,
                "only the end of a live activity has a dismissal date",
            ));
        }
        self.timestamp.check_date("timestamp")?;
        if let Some(date) = self.stale_date {
            date.check_date("stale date")?;
        }
        match self.dismissal_date {
            // 0 is a usual way to write "in the past": at once.
            Some(date) if date.as_millis() > 0 => date.check_date("dismissal date"),
            _ => Ok(()),
        }
    }

    pub(crate) fn is_start(&self) -> bool {
        matches!(self.event, Event::Start { .. })
    }

    /// Times are whole seconds; milliseconds are rounded down.
    pub(crate) fn encode_into<'a>(&'a self, aps: &mut Object<'a>) {
        aps.insert("timestamp", self.timestamp.as_secs());
        let event = match &self.event {
            Event::Start { .. } => "start",
            Event::Update => "update",
            Event::End => "end",
        };
        aps.insert("event", event);
        if let Some(state) = &self.content_state {
            aps.insert("content-state", state);
        }
        if let Event::Start {
            attributes_type,
            attributes,
            input,
        } = &self.event
        {
            aps.insert("attributes-type", attributes_type);
            aps.insert("attributes", attributes);
            match input {
                Some(InputPush::Token) => aps.insert("input-push-token", 1_u32),
                Some(InputPush::Channel(id)) => aps.insert("input-push-channel", id.as_str()),
                None => {}
            }
        }
        if let Some(date) = self.stale_date {
            aps.insert("stale-date", date.as_secs());
        }
        if let Some(date) = self.dismissal_date {
            aps.insert("dismissal-date", date.as_secs());
        }
    }
}
