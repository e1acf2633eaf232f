//! A message of any service, out of a Python object.

use pushcore::http::Authority;
use pushcore::service::{Kind, Message};
use pushcore::webpush::EndpointPolicy as Policy;
use pyo3::prelude::*;
use pyo3::types::PyTuple;

use crate::adm::AdmMessage;
use crate::adm_audience::AdmAudienceMessage;
use crate::apns::ApnsMessage;
use crate::apns_broadcast::ApnsBroadcast;
use crate::baidu::BaiduMessage;
use crate::base::PyMessage;
use crate::errors::OrRaise;
use crate::fcm::FcmMessage;
use crate::values::{Str, json_text, type_error};
use crate::webpush::EndpointPolicy;
use crate::webpush_message::WebPushMessage;

/// Returns the message that any of the message classes holds. Cheap: all that is large is shared.
pub(crate) fn message(value: &Bound<'_, PyAny>) -> PyResult<Message> {
    match value.cast::<PyMessage>() {
        Ok(message) => Ok(message.get().message().clone()),
        Err(_) => Err(type_error(
            value,
            "a message (ApnsMessage, FcmMessage, WebPushMessage, AdmMessage, BaiduMessage or ApnsBroadcast)",
        )),
    }
}

/// Returns what a bulk send hands back with the result, and what it sends: of a pair `(key, message)` its two halves,
/// otherwise the message is its own key.
pub(crate) fn keyed<'py>(item: &Bound<'py, PyAny>) -> PyResult<(Bound<'py, PyAny>, Bound<'py, PyAny>)> {
    match item.cast_exact::<PyTuple>() {
        Ok(pair) if pair.len() == 2 => Ok((pair.get_item(0)?, pair.get_item(1)?)),
        _ => Ok((item.clone(), item.clone())),
    }
}

/// Reads a message again under a policy that trusts its origin: what a client sends to is the client's policy.
#[pyfunction]
pub(crate) fn restore_message(
    py: Python<'_>,
    kind: Str,
    json: Str,
    origin: Option<Str>,
) -> PyResult<Py<PyAny>> {
    let policy = match origin {
        Some(origin) => Policy::default().trust(Authority::parse(&origin).or_raise(py)?),
        None => Policy::default(),
    };
    // No policy of this process has been asked about the endpoint.
    read(py, &kind, json.as_bytes(), &policy, false)
}

/// A message of any service out of its JSON form, which `docs/messages.md` describes: an `ApnsMessage`,
/// `ApnsBroadcast`, `FcmMessage`, `WebPushMessage`, `AdmMessage`, `AdmAudienceMessage` or `BaiduMessage`.
///
/// `kind` is `"apns"`, `"fcm"`, `"web_push"`, `"adm"` or `"baidu"`; `message` a dict, or JSON as `str` or
/// `bytes`, of which payloads are kept byte for byte. `policy` says where Web Push subscriptions may lead.
/// Raises `MessageError` with the path of the field.
#[pyfunction]
#[pyo3(signature = (kind, message, /, *, policy=None))]
pub(crate) fn message_from_json(
    py: Python<'_>,
    kind: Str,
    message: &Bound<'_, PyAny>,
    policy: Option<&EndpointPolicy>,
) -> PyResult<Py<PyAny>> {
    let policy = policy.map(|policy| policy.0.clone()).unwrap_or_default();
    read(py, &kind, &json_text(message)?, &policy, true)
}

fn read(py: Python<'_>, kind: &str, json: &[u8], policy: &Policy, checked: bool) -> PyResult<Py<PyAny>> {
    let kind = Kind::parse(kind).or_raise(py)?;
    instance(
        py,
        Message::from_json_under(kind, json, policy).or_raise(py)?,
        checked,
    )
}

/// A message as an instance of its service's class.
pub(crate) fn instance(py: Python<'_>, message: Message, checked: bool) -> PyResult<Py<PyAny>> {
    Ok(match message {
        Message::Adm(message) => Py::new(py, AdmMessage::instance(message))?.into_any(),
        Message::AdmAudience(message) => Py::new(py, AdmAudienceMessage::instance(message))?.into_any(),
        Message::Apns(message) => Py::new(py, ApnsMessage::instance(message))?.into_any(),
        Message::ApnsBroadcast(message) => Py::new(py, ApnsBroadcast::instance(message))?.into_any(),
        Message::Baidu(message) => Py::new(py, BaiduMessage::instance(message))?.into_any(),
        Message::Fcm(message) => Py::new(py, FcmMessage::instance(message))?.into_any(),
        Message::WebPush(message) => {
            Py::new(py, PyMessage::instance(message, checked, WebPushMessage))?.into_any()
        }
        // A message of a newer core: the base class says all that is known.
        other => Py::new(py, PyMessage::of(other))?.into_any(),
    })
}
