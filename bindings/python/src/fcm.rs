//! Firebase Cloud Messaging: credentials and messages.

use pushcore::fcm::{self, Target};
use pushcore::{Error, ErrorKind};
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyString};

use crate::base::{PyMessage, class_of};
use crate::errors::OrRaise;
use crate::target::is_target;
use crate::values::{Str, bytes, clock, json, json_object, string};

/// One message for one target.
///
/// Keywords are the fields of Google's own schema (`token`, `topic`, `condition` or `fid`;
/// `notification`, `data`, `android`, `apns`, `webpush`, `fcm_options`), with dicts inside. Or the
/// whole message as one dict or JSON text, with or without `{"message": ...}` around it.
/// `ttl` (seconds or a `timedelta`, at most four weeks) is set on each platform that says nothing itself.
/// Both `snake_case` and `camelCase` are read; a field that this version does not know is refused
/// unless it stands in a dict `extra` beside the known ones. Raises `MessageError` where FCM would refuse.
#[pyclass(frozen, extends = PyMessage, module = "pushcore")]
pub(crate) struct FcmMessage;

class_of!(FcmMessage, Fcm(fcm::Message));

#[pymethods]
impl FcmMessage {
    /// The keywords are the fields of the service's own schema and become a JSON object of the
    /// same names, which the core reads and checks. What nearly all messages are made of takes a
    /// shorter way to the same.
    #[new]
    #[pyo3(signature = (
        message=None, /, *, validate_only=None, ttl=None, token=None, notification=None, data=None, **fields
    ))]
    #[allow(clippy::too_many_arguments, reason = "they are keyword arguments")]
    fn new(
        py: Python<'_>,
        message: Option<&Bound<'_, PyAny>>,
        validate_only: Option<bool>,
        ttl: Option<&Bound<'_, PyAny>>,
        token: Option<&Bound<'_, PyAny>>,
        notification: Option<&Bound<'_, PyAny>>,
        data: Option<&Bound<'_, PyAny>>,
        fields: Option<&Bound<'_, PyDict>>,
    ) -> PyResult<PyClassInitializer<Self>> {
        let named = [("token", token), ("notification", notification), ("data", data)];
        let keywords = fields.is_some() || named.iter().any(|(_, value)| value.is_some());
        let made = match message {
            Some(_) if keywords => {
                let text = "a whole message excludes keyword arguments";
                Err(Error::new(ErrorKind::Conflict, text))
            }
            Some(message) => match message.cast::<PyDict>() {
                Ok(dict) => fcm::Message::from_object(json_object(dict)?),
                Err(_) => fcm::Message::from_json(&bytes(message)?),
            },
            None => match plain(token, notification, data).filter(|_| fields.is_none()) {
                Some((builder, target)) => builder.build(target),
                None => {
                    let mut given = fields.map(json_object).transpose()?.unwrap_or_default();
                    for (name, value) in named {
                        if let Some(value) = value {
                            given.insert(name.to_owned(), json(value)?);
                        }
                    }
                    // A keyword that is None is one that was not given.
                    given.retain(|_, value| !value.is_null());
                    fcm::Message::from_object(given)
                }
            },
        };
        let mut message = made.or_raise(py)?;
        if let Some(ttl) = ttl {
            let (ttl, now) = (crate::values::ttl(ttl)?, clock(py, None)?);
            message = message.with_ttl(ttl, now).or_raise(py)?;
        }
        if let Some(validate_only) = validate_only {
            message = message.validate_only(validate_only);
        }
        Ok(Self::instance(message))
    }

    /// Returns the same message for another target; nothing is encoded again.
    #[pyo3(signature = (token=None, /, *, topic=None, condition=None, fid=None))]
    fn to<'py>(
        slf: &Bound<'py, Self>,
        token: Option<&Bound<'_, PyAny>>,
        topic: Option<Str>,
        condition: Option<Str>,
        fid: Option<Str>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let py = slf.py();
        if let (Some(target), None, None, None) =
            (token.filter(|one| is_target(one)), &topic, &condition, &fid)
        {
            return slf
                .as_super()
                .get()
                .to(target, None)
                .map(|made| made.into_bound(py));
        }
        let token = token.map(string).transpose()?;
        let target = match (token, topic, condition, fid) {
            (Some(token), None, None, None) => Target::token(&token),
            (None, Some(topic), None, None) => Target::topic(&topic),
            (None, None, Some(condition), None) => Target::condition(&condition),
            (None, None, None, Some(fid)) => Target::fid(&fid),
            _ => Err(Error::new(ErrorKind::InvalidTarget, "not exactly one target")),
        };
        let message = Self::inner(slf)?.to(target.or_raise(py)?);
        Ok(Bound::new(py, Self::instance(message))?.into_any())
    }

    /// Bytes of payload as the service counts them: at most 4,096, for topics 2,048.
    #[getter]
    fn payload_size(slf: &Bound<'_, Self>) -> PyResult<usize> {
        Ok(Self::inner(slf)?.payload_size())
    }

    fn __repr__(slf: &Bound<'_, Self>) -> PyResult<String> {
        let message = Self::inner(slf)?;
        let (target, size) = (message.target(), message.payload_size());
        Ok(format!("<FcmMessage {target:?} {size} bytes of payload>"))
    }
}

/// A message of nothing but texts, where the arguments make one: without a JSON object in between.
fn plain(
    token: Option<&Bound<'_, PyAny>>,
    notification: Option<&Bound<'_, PyAny>>,
    data: Option<&Bound<'_, PyAny>>,
) -> Option<(fcm::MessageBuilder, Target)> {
    let mut builder = fcm::Message::builder();
    if let Some(notification) = notification {
        let mut shown = fcm::Notification::new();
        for (key, value) in notification.cast::<PyDict>().ok()?.iter() {
            let place = match text_of(&key)? {
                "title" => &mut shown.title,
                "body" => &mut shown.body,
                "image" => &mut shown.image,
                _ => return None,
            };
            *place = Some(text_of(&value)?.to_owned());
        }
        builder.notification = Some(shown);
    }
    if let Some(data) = data {
        let entries = data.cast::<PyDict>().ok()?.iter();
        let entry = |(key, value): (Bound<'_, PyAny>, Bound<'_, PyAny>)| {
            Some((text_of(&key)?.to_owned(), text_of(&value)?.to_owned()))
        };
        builder.data = Some(entries.map(entry).collect::<Option<fcm::StringMap>>()?);
    }
    // What is wrong with a token is said on the longer way.
    Some((builder, Target::token(text_of(token?)?).ok()?))
}

/// The text of a `str` that has a UTF-8 form.
fn text_of<'a>(value: &'a Bound<'_, PyAny>) -> Option<&'a str> {
    value.cast::<PyString>().ok()?.to_str().ok()
}
