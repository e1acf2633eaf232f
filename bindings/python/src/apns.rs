//! APNs: messages.

use std::cell::RefCell;

use pushcore::apns::{self, Aps, BundleId, Expiration};
use pushcore::{Error, ErrorKind};
use pyo3::prelude::*;
use pyo3::types::PyDict;

use crate::apns_parts::LiveActivity;
use crate::apns_payload::Parts;
use crate::base::{PyMessage, class_of};
use crate::errors::OrRaise;
use crate::target::{device, device_of};
use crate::values::{Str, Word, clock, date, integer, text, unix_time, unknown_word};

/// One push to one device.
///
/// What is shown comes from `alert` (a text, or a dict of the `alert` dictionary's own keys) or
/// from `title`, `subtitle` and `body`. `aps` adds keys to the `aps` dictionary, `custom` beside
/// it. `payload` is the whole payload instead, sent as it is. At most 4,096 bytes (VoIP 5,120).
///
/// `topic` is the whole topic, `bundle` the app's bundle id to which the push type's suffix is
/// added. `ttl` (seconds or a `timedelta`, counted from now) or `expiration` (seconds since 1970 or a `datetime`)
/// says how long APNs keeps it; 0 means one attempt and nothing stored; without either APNs decides.
/// Raises `MessageError` where APNs would refuse.
#[pyclass(frozen, extends = PyMessage, module = "pushcore")]
pub(crate) struct ApnsMessage;

class_of!(ApnsMessage, Apns(apns::Message));

thread_local! {
    /// The headers of the message that this thread made last: the next one mostly has the same.
    static LAST: RefCell<Option<apns::Template>> = const { RefCell::new(None) };
}

#[pymethods]
impl ApnsMessage {
    #[new]
    #[pyo3(signature = (
        *, token, topic=None, bundle=None, push_type=None, alert=None, title=None, subtitle=None, body=None,
        badge=None, sound=None, critical_volume=None, thread_id=None, category=None, content_available=false,
        mutable_content=false, target_content_id=None, interruption_level=None, relevance_score=None,
        filter_criteria=None, live_activity=None, aps=None, custom=None, payload=None, priority=None,
        collapse_id=None, expiration=None, ttl=None, id=None, registered_at=None,
    ))]
    #[allow(clippy::too_many_arguments, reason = "they are keyword arguments")]
    fn new(
        py: Python<'_>,
        token: &Bound<'_, PyAny>,
        topic: Option<Word<'_>>,
        bundle: Option<Word<'_>>,
        push_type: Option<Word<'_>>,
        alert: Option<&Bound<'_, PyAny>>,
        title: Option<&Bound<'_, PyAny>>,
        subtitle: Option<&Bound<'_, PyAny>>,
        body: Option<&Bound<'_, PyAny>>,
        badge: Option<&Bound<'_, PyAny>>,
        sound: Option<Word<'_>>,
        critical_volume: Option<f64>,
        thread_id: Option<Str>,
        category: Option<Str>,
        content_available: bool,
        mutable_content: bool,
        target_content_id: Option<Str>,
        interruption_level: Option<Word<'_>>,
        relevance_score: Option<f64>,
        filter_criteria: Option<Str>,
        live_activity: Option<PyRef<'_, LiveActivity>>,
        aps: Option<&Bound<'_, PyDict>>,
        custom: Option<&Bound<'_, PyDict>>,
        payload: Option<&Bound<'_, PyAny>>,
        priority: Option<&Bound<'_, PyAny>>,
        collapse_id: Option<Word<'_>>,
        expiration: Option<&Bound<'_, PyAny>>,
        ttl: Option<&Bound<'_, PyAny>>,
        id: Option<&Bound<'_, PyAny>>,
        registered_at: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<PyClassInitializer<Self>> {
        let mut parts = Parts::default();
        parts.alert(alert, title, subtitle, body)?;
        parts.badge(badge)?;
        parts.sound(sound, critical_volume).or_raise(py)?;
        parts.maybe(thread_id, Aps::thread_id);
        parts.maybe(category, Aps::category);
        parts.maybe(content_available.then_some(()), |aps, ()| aps.content_available());
        parts.maybe(mutable_content.then_some(()), |aps, ()| aps.mutable_content());
        parts.maybe(target_content_id, Aps::target_content_id);
        parts.interruption_level(interruption_level).or_raise(py)?;
        parts.maybe(relevance_score, Aps::relevance_score);
        parts.maybe(filter_criteria, Aps::filter_criteria);
        parts.live_activity(live_activity.as_deref());
        let body = parts.finish(py, aps, custom, payload)?;

        let kind = match push_type {
            Some(name) => apns::PushType::from_name(&name)
                .ok_or_else(|| unknown_word("the push type"))
                .or_raise(py)?,
            None => apns::PushType::Alert,
        };
        let mut builder = apns::Message::builder(kind).device(device(token)?);
        match (topic, bundle) {
            (Some(_), Some(_)) => {
                return Err(Error::new(
                    ErrorKind::Conflict,
                    "topic and bundle exclude each other",
                ))
                .or_raise(py);
            }
            (Some(topic), None) => builder = builder.topic(apns::Topic::parse(&topic).or_raise(py)?),
            (None, Some(bundle)) => builder = builder.bundle(BundleId::parse(&bundle).or_raise(py)?),
            (None, None) => {}
        }
        if let Some(body) = body {
            builder = builder.payload(body);
        }
        if let Some(value) = priority {
            builder = builder.priority(self::priority(value)?);
        }
        if let Some(id) = collapse_id {
            builder = builder.collapse_id(apns::CollapseId::parse(&id).or_raise(py)?);
        }
        if let Some(expiration) = expires(py, expiration, ttl)? {
            builder = builder.expiration(expiration);
        }
        if let Some(id) = id {
            builder = builder.id(apns_id(id)?);
        }
        if let Some(time) = registered_at {
            builder = builder.registered_at(date(time, "time of registration")?);
        }
        let made = LAST.with_borrow_mut(|last| {
            if let Some(last) = last {
                builder = builder.alike(last);
            }
            let made = builder.build()?;
            *last = Some(made.template());
            Ok(made)
        });
        made.map(Self::instance).or_raise(py)
    }

    /// Returns the same notification to another device; nothing is encoded again.
    #[pyo3(signature = (token, *, id=None, expiration=None, ttl=None, registered_at=None))]
    fn to<'py>(
        slf: &Bound<'py, Self>,
        token: &Bound<'py, PyAny>,
        id: Option<&Bound<'_, PyAny>>,
        expiration: Option<&Bound<'_, PyAny>>,
        ttl: Option<&Bound<'_, PyAny>>,
        registered_at: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<Bound<'py, Self>> {
        let mut message = Self::inner(slf)?.to(device_of(token)?);
        if let Some(id) = id {
            message = message.with_id(apns_id(id)?);
        }
        if let Some(expiration) = expires(token.py(), expiration, ttl)? {
            message = message.with_expiration(expiration);
        }
        if let Some(time) = registered_at {
            message = message.with_registered_at(date(time, "time of registration")?);
        }
        Bound::new(slf.py(), Self::instance(message))
    }

    /// The device token, in lower-case hex.
    #[getter]
    fn token<'a>(slf: &'a Bound<'_, Self>) -> PyResult<&'a str> {
        Ok(Self::inner(slf)?.device().as_str())
    }

    /// The topic.
    #[getter]
    fn topic<'a>(slf: &'a Bound<'_, Self>) -> PyResult<Option<&'a str>> {
        Ok(Self::inner(slf)?.topic())
    }

    /// The push type.
    #[getter]
    fn push_type(slf: &Bound<'_, Self>) -> PyResult<&'static str> {
        Ok(Self::inner(slf)?.push_type().as_str())
    }

    /// The id that the caller gave.
    #[getter]
    fn id(slf: &Bound<'_, Self>) -> PyResult<Option<String>> {
        Ok(Self::inner(slf)?.id().map(|id| id.as_str().to_owned()))
    }

    fn __repr__(slf: &Bound<'_, Self>) -> PyResult<String> {
        let message = Self::inner(slf)?;
        let (kind, topic) = (message.push_type().as_str(), message.topic().unwrap_or_default());
        Ok(format!(
            "<ApnsMessage {kind} {topic:?} {} bytes>",
            message.body().len()
        ))
    }
}

/// 10, 5 or 1.
pub(crate) fn priority(value: &Bound<'_, PyAny>) -> PyResult<apns::Priority> {
    let number = integer(value, "the priority is not one of those that exist")?;
    let known = apns::Priority::from_u8(number).ok_or_else(|| unknown_word("the priority"));
    known.or_raise(value.py())
}

/// An absolute time (0 is "once") or a time to live; `None` where neither is given.
pub(crate) fn expires(
    py: Python<'_>,
    expiration: Option<&Bound<'_, PyAny>>,
    ttl: Option<&Bound<'_, PyAny>>,
) -> PyResult<Option<Expiration>> {
    match (expiration, ttl) {
        (Some(_), Some(_)) => Err(Error::new(
            ErrorKind::Conflict,
            "expiration and ttl exclude each other",
        ))
        .or_raise(py),
        (Some(value), None) if unix_time(value)?.as_millis() == 0 => Ok(Some(Expiration::Once)),
        (Some(value), None) => Ok(Some(Expiration::Until(date(value, "expiration")?))),
        (None, Some(value)) => Ok(Some(Expiration::after(
            crate::values::ttl(value)?,
            clock(py, None)?,
        ))),
        (None, None) => Ok(None),
    }
}

/// A `str` or a `uuid.UUID`.
pub(crate) fn apns_id(value: &Bound<'_, PyAny>) -> PyResult<apns::ApnsId> {
    let written = value.str()?;
    apns::ApnsId::parse(text(&written)?).or_raise(value.py())
}
