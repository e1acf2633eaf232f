//! A message of any service, out of a Python object.

use pushcore::Error;
use pushcore::service::Message;
use pushcore::{adm, apns, baidu, fcm};
use pyo3::prelude::*;
use pyo3::types::{PyString, PyTuple};

use crate::adm::AdmMessage;
use crate::adm_audience::AdmAudienceMessage;
use crate::apns::{ApnsMessage, device};
use crate::apns_broadcast::ApnsBroadcast;
use crate::baidu::BaiduMessage;
use crate::errors::OrRaise;
use crate::fcm::FcmMessage;
use crate::values::{text, type_error};
use crate::webpush::subscription;
use crate::webpush_message::WebPushMessage;

/// What any of the message classes holds. Cheap: all that is large is shared.
pub(crate) fn message(value: &Bound<'_, PyAny>) -> PyResult<Message> {
    if let Ok(message) = value.cast::<ApnsMessage>() {
        Ok(message.get().0.clone().into())
    } else if let Ok(message) = value.cast::<FcmMessage>() {
        Ok(message.get().0.clone().into())
    } else if let Ok(message) = value.cast::<WebPushMessage>() {
        Ok(message.get().0.clone().into())
    } else if let Ok(message) = value.cast::<AdmMessage>() {
        Ok(message.get().0.clone().into())
    } else if let Ok(message) = value.cast::<BaiduMessage>() {
        Ok(message.get().0.clone().into())
    } else if let Ok(message) = value.cast::<ApnsBroadcast>() {
        Ok(message.get().0.clone().into())
    } else if let Ok(message) = value.cast::<AdmAudienceMessage>() {
        Ok(message.get().0.clone().into())
    } else {
        Err(type_error(
            value,
            "a message (ApnsMessage, FcmMessage, WebPushMessage, AdmMessage, BaiduMessage or ApnsBroadcast)",
        ))
    }
}

/// What a bulk send hands back with the result, and what it sends: of a pair `(key, message)` its two halves,
/// otherwise the message is its own key.
pub(crate) fn keyed<'py>(item: &Bound<'py, PyAny>) -> PyResult<(Bound<'py, PyAny>, Bound<'py, PyAny>)> {
    match item.cast_exact::<PyTuple>() {
        Ok(pair) if pair.len() == 2 => Ok((pair.get_item(0)?, pair.get_item(1)?)),
        _ => Ok((item.clone(), item.clone())),
    }
}

/// The message `template` to another target: a token, or for Web Push a subscription.
pub(crate) fn retarget(template: &Message, target: &Bound<'_, PyAny>) -> PyResult<Message> {
    let py = target.py();
    if let Message::Apns(message) = template {
        return Ok(message.to(device(target)?).into());
    }
    if let Message::WebPush(message) = template {
        return message
            .to(subscription(target, None)?.0)
            .map(Message::from)
            .or_raise(py);
    }
    let token = text(
        target
            .cast::<PyString>()
            .map_err(|_| type_error(target, "a token as str"))?,
    )?;
    let retargeted = match template {
        Message::Fcm(message) => fcm::Target::token(token).map(|target| message.to(target).into()),
        Message::Adm(message) => adm::RegistrationId::new(token).map(|id| message.to(id).into()),
        Message::Baidu(message) => baidu::Target::device(token).map(|target| message.to(target).into()),
        Message::Apns(message) => apns::DeviceToken::parse(token).map(|device| message.to(device).into()),
        other => Ok::<_, Error>(other.clone()),
    };
    retargeted.or_raise(py)
}
