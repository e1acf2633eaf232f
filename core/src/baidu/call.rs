//! Calls that are no messages: reports, statistics, tags, timers, topics.

use std::borrow::Cow;
use std::fmt;

use serde_json::Value;

use super::answer::outcome;
use super::message::{DeviceType, sign_into};
use super::sign::Credentials;
use super::target::check_channel;
use crate::error::{Error, ErrorKind};
use crate::http::{Authority, Request, Response};
use crate::outcome::Outcome;
use crate::time::{Now, UnixTime};

/// Which part of a list: everything from the first entry on, a hundred entries at most, if nothing is said.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Page {
    /// The first entry, from 0.
    pub start: u32,
    /// 1 to 100 entries; of topics 1 to 20.
    pub limit: Option<u8>,
}

impl Page {
    /// `limit` entries from the `start`-th on.
    pub fn new(start: u32, limit: u8) -> Self {
        Self {
            start,
            limit: Some(limit),
        }
    }
}

/// One call. What it answers is in Baidu's words: see [`call_outcome`].
#[derive(Clone)]
pub struct Call {
    method: &'static str,
    parameters: Vec<(&'static str, Cow<'static, str>)>,
}

impl Call {
    /// Whether messages have been sent, and how many devices they reached: `report/query_msg_status`.
    ///
    /// # Errors
    /// `InvalidValue` without ids, or for one that is not 1 to 128 characters.
    pub fn message_status<'a>(ids: impl IntoIterator<Item = &'a str>) -> Result<Self, Error> {
        let ids: Vec<&str> = ids.into_iter().collect();
        for id in &ids {
            name("msg_id", id)?;
        }
        let text = match ids.as_slice() {
            [] => return Err(Error::new(ErrorKind::InvalidValue, "msg_id: none is given")),
            [one] => (*one).to_owned(),
            several => Value::from(several.to_vec()).to_string(),
        };
        Ok(Self::of("report/query_msg_status").with("msg_id", text))
    }

    /// Asks for the messages that timers have sent: `report/query_timer_records`.
    ///
    /// # Errors
    /// `InvalidValue` for an id that is not 1 to 128 characters, and for a page outside its range.
    pub fn timer_records(timer_id: Option<&str>, page: Page) -> Result<Self, Error> {
        let call = Self::of("report/query_timer_records").optional("timer_id", timer_id)?;
        call.page(page, 100)
    }

    /// Asks for the messages that were sent under a topic id: `report/query_topic_records`.
    ///
    /// # Errors
    /// As [`Call::timer_records`].
    pub fn topic_records(topic_id: &str, page: Page) -> Result<Self, Error> {
        let call = Self::of("report/query_topic_records").named("topic_id", topic_id)?;
        call.page(page, 100)
    }

    /// How many devices the app has: `report/statistic_device`.
    pub fn device_statistics() -> Self {
        Self::of("report/statistic_device")
    }

    /// How many messages of a topic id arrived: `report/statistic_topic`.
    ///
    /// # Errors
    /// `InvalidValue` for an id that is not 1 to 128 characters.
    pub fn topic_statistics(topic_id: &str) -> Result<Self, Error> {
        Self::of("report/statistic_topic").named("topic_id", topic_id)
    }

    /// The topic ids in use: `topic/query_list`. At most 20 on a page.
    ///
    /// # Errors
    /// `InvalidValue` for a page outside its range.
    pub fn topics(page: Page) -> Result<Self, Error> {
        Self::of("topic/query_list").page(page, 20)
    }

    /// The app's tags, or one of them: `app/query_tags`.
    ///
    /// # Errors
    /// As [`Call::timer_records`].
    pub fn tags(tag: Option<&str>, page: Page) -> Result<Self, Error> {
        Self::of("app/query_tags").optional("tag", tag)?.page(page, 100)
    }

    /// Makes a tag: `app/create_tag`.
    ///
    /// # Errors
    /// `InvalidValue` for a tag that is not 1 to 128 characters.
    pub fn create_tag(tag: &str) -> Result<Self, Error> {
        Self::of("app/create_tag").named("tag", tag)
    }

    /// Deletes a tag: `app/del_tag`.
    ///
    /// # Errors
    /// As [`Call::create_tag`].
    pub fn delete_tag(tag: &str) -> Result<Self, Error> {
        Self::of("app/del_tag").named("tag", tag)
    }

    /// Gives devices a tag: `tag/add_devices`. The answer has a result for each.
    ///
    /// # Errors
    /// As [`Call::create_tag`]; `InvalidTarget` without channel ids; `InvalidToken` for one that is not 1 to
    /// 256 visible ASCII characters.
    pub fn tag_devices<'a>(tag: &str, channel_ids: impl IntoIterator<Item = &'a str>) -> Result<Self, Error> {
        Self::of("tag/add_devices")
            .named("tag", tag)?
            .channels(channel_ids)
    }

    /// Takes a tag from devices: `tag/del_devices`.
    ///
    /// # Errors
    /// As [`Call::tag_devices`].
    pub fn untag_devices<'a>(
        tag: &str,
        channel_ids: impl IntoIterator<Item = &'a str>,
    ) -> Result<Self, Error> {
        Self::of("tag/del_devices")
            .named("tag", tag)?
            .channels(channel_ids)
    }

    /// How many devices have a tag: `tag/device_num`.
    ///
    /// # Errors
    /// As [`Call::create_tag`].
    pub fn devices_with_tag(tag: &str) -> Result<Self, Error> {
        Self::of("tag/device_num").named("tag", tag)
    }

    /// The timers that wait, or one of them: `timer/query_list`.
    ///
    /// # Errors
    /// As [`Call::timer_records`].
    pub fn timers(timer_id: Option<&str>, page: Page) -> Result<Self, Error> {
        let call = Self::of("timer/query_list").optional("timer_id", timer_id)?;
        call.page(page, 100)
    }

    /// Takes a message back whose time has not come ([`send_at`](super::MessageBuilder::send_at)): `timer/cancel`.
    ///
    /// # Errors
    /// `InvalidValue` for an id that is not 1 to 128 characters.
    pub fn cancel_timer(timer_id: &str) -> Result<Self, Error> {
        Self::of("timer/cancel").named("timer_id", timer_id)
    }

    /// Restricts the call to one platform; an app that has both needs this.
    #[must_use]
    pub fn of_device_type(self, device_type: DeviceType) -> Self {
        self.with("device_type", device_type.as_str())
    }

    /// Records of this time only (`range_start`, `range_end`); for [`Call::timer_records`] and
    /// [`Call::topic_records`].
    ///
    /// # Errors
    /// `Conflict` for other calls; `InvalidValue` for an end before its beginning.
    pub fn between(self, from: UnixTime, to: UnixTime) -> Result<Self, Error> {
        if !self.method.ends_with("_records") {
            return Err(Error::new(
                ErrorKind::Conflict,
                "a time range is for records only",
            ));
        }
        if to < from {
            return Err(Error::new(
                ErrorKind::InvalidValue,
                "the range ends before it begins",
            ));
        }
        let call = self.with("range_start", from.as_secs().to_string());
        Ok(call.with("range_end", to.as_secs().to_string()))
    }

    fn of(method: &'static str) -> Self {
        Self {
            method,
            parameters: Vec::new(),
        }
    }

    fn with(mut self, name: &'static str, value: impl Into<Cow<'static, str>>) -> Self {
        self.parameters.retain(|(known, _)| *known != name);
        self.parameters.push((name, value.into()));
        self
    }

    fn named(self, what: &'static str, text: &str) -> Result<Self, Error> {
        name(what, text)?;
        Ok(self.with(what, text.to_owned()))
    }

    fn optional(self, what: &'static str, text: Option<&str>) -> Result<Self, Error> {
        match text {
            Some(text) => self.named(what, text),
            None => Ok(self),
        }
    }

    fn page(self, page: Page, most: u8) -> Result<Self, Error> {
        let call = self.with("start", page.start.to_string());
        match page.limit {
            None => Ok(call),
            Some(limit) if (1..=most).contains(&limit) => Ok(call.with("limit", limit.to_string())),
            Some(_) => Err(Error::new(
                ErrorKind::InvalidValue,
                format!("limit is not 1 to {most}"),
            )),
        }
    }

    fn channels<'a>(self, ids: impl IntoIterator<Item = &'a str>) -> Result<Self, Error> {
        let mut list = Vec::new();
        for id in ids {
            check_channel(id)?;
            list.push(Value::from(id));
        }
        if list.is_empty() {
            return Err(Error::new(ErrorKind::InvalidTarget, "no channel id"));
        }
        Ok(self.with("channel_ids", Value::Array(list).to_string()))
    }
}

fn name(what: &str, text: &str) -> Result<(), Error> {
    if text.is_empty() || text.chars().count() > 128 {
        return Err(Error::new(
            ErrorKind::InvalidValue,
            format!("{what} is not 1 to 128 characters"),
        ));
    }
    Ok(())
}

impl fmt::Debug for Call {
    /// Channel ids are not shown.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Call({})", self.method)
    }
}

/// One complete, signed request. Valid for ten minutes after `now`. Read the answer with [`call_outcome`].
///
/// # Errors
/// None today; a rule that depends on the time would show here.
pub fn call_request(
    call: &Call,
    credentials: &Credentials,
    authority: &Authority,
    now: Now,
) -> Result<Request, Error> {
    let mut request = Request::new();
    let parameters = call.parameters.iter().map(|(name, value)| (*name, &**value));
    sign_into(call.method, parameters, authority, credentials, now, &mut request);
    Ok(request)
}

/// The result of a [`Call`].
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum CallOutcome {
    /// Baidu's `response_params`: lists have `total_num` and `result`, tags `tag` and `result` (0 is done),
    /// [`Call::devices_with_tag`] has `device_num`.
    Answered(Value),
    /// Baidu refused.
    Refused(Outcome),
}

/// Reads the answer to a [`Call`].
pub fn call_outcome(response: &Response, now: Now) -> CallOutcome {
    match outcome(response, now) {
        Outcome::Accepted(_) => {
            let body: Value = serde_json::from_slice(&response.body).unwrap_or_default();
            match body {
                Value::Object(mut body) if body.contains_key("response_params") => {
                    CallOutcome::Answered(body.remove("response_params").unwrap_or_default())
                }
                _ => CallOutcome::Refused(Outcome::unreadable(response)),
            }
        }
        refused => CallOutcome::Refused(refused),
    }
}

#[cfg(test)]
#[path = "call_tests.rs"]
mod tests;
