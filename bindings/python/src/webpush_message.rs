//! Web Push: messages.

use pushcore::crypto::Es256PublicKey;
use pushcore::webpush::{self, Encoding, Padding, Topic, Urgency};
use pushcore::{Error, ErrorKind};
use pyo3::prelude::*;
use pyo3::types::PyBool;

use crate::base::{PyMessage, class_of};
use crate::calls::Call;
use crate::errors::OrRaise;
use crate::values::{Str, duration, json_text, string, unknown_word};
use crate::webpush::{EndpointPolicy, VapidCredentials};

/// One message to one subscription.
///
/// `payload` is encrypted for the receiver: a dict becomes JSON, text UTF-8; at most 3,993 bytes.
/// `ttl` in seconds (28 days); `topic` replaces an undelivered message of the same topic.
/// Where neither `policy` nor a `Subscription` is given, the client's policy decides about the endpoint.
/// `encoding="aesgcm"` is the legacy one (KaiOS, relays of Mastodon clients) and needs `vapid`: the credentials
/// that the message is sent with, or their public key. `pad_to` and `pad_to_multiple_of` hide the payload's length. `receipt` asks for a receipt, or (the
/// `receipt` of an earlier `Accepted`) for one where those come from.
#[pyclass(frozen, extends = PyMessage, module = "pushcore")]
pub(crate) struct WebPushMessage;

class_of!(WebPushMessage, WebPush(webpush::Message));

#[pymethods]
impl WebPushMessage {
    #[new]
    #[pyo3(signature = (
        *, subscription, payload=None, ttl=None, urgency=None, topic=None, pad_to=None, pad_to_multiple_of=None,
        receipt=None, policy=None, encoding=None, vapid=None,
    ))]
    #[allow(clippy::too_many_arguments, reason = "they are keyword arguments")]
    fn new(
        py: Python<'_>,
        subscription: &Bound<'_, PyAny>,
        payload: Option<&Bound<'_, PyAny>>,
        ttl: Option<&Bound<'_, PyAny>>,
        urgency: Option<Str>,
        topic: Option<Str>,
        pad_to: Option<usize>,
        pad_to_multiple_of: Option<usize>,
        receipt: Option<&Bound<'_, PyAny>>,
        policy: Option<&EndpointPolicy>,
        encoding: Option<Str>,
        vapid: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<PyClassInitializer<Self>> {
        let (target, checked) = crate::webpush::subscription(subscription, policy)?;
        let encoding = self::encoding(py, encoding, vapid)?;
        let payload = payload.map(json_text).transpose()?;
        let receipts = match receipt {
            Some(given) if !given.is_instance_of::<PyBool>() => {
                Some(target.endpoint().join(&string(given)?).or_raise(py)?)
            }
            _ => None,
        };
        let wanted = receipt.map_or(Ok(false), Bound::is_truthy)?;
        let mut builder = webpush::Message::builder(target).receipt(wanted);
        if let Some(receipts) = receipts {
            builder = builder.receipts_at(receipts);
        }
        if let Some(vapid) = encoding {
            builder = builder.encoding(Encoding::AesGcm { vapid });
        }
        if let Some(payload) = payload {
            builder = builder.payload(payload);
        }
        if let Some(ttl) = ttl {
            builder = builder.ttl(crate::values::ttl(ttl)?);
        }
        if let Some(name) = urgency {
            let all = [Urgency::VeryLow, Urgency::Low, Urgency::Normal, Urgency::High];
            let known = all.into_iter().find(|urgency| urgency.as_str() == &*name);
            builder = builder.urgency(known.ok_or_else(|| unknown_word("the urgency")).or_raise(py)?);
        }
        if let Some(topic) = topic {
            builder = builder.topic(Topic::new(&topic).or_raise(py)?);
        }
        builder = match (pad_to, pad_to_multiple_of) {
            (Some(_), Some(_)) => {
                return Err(Error::new(
                    ErrorKind::Conflict,
                    "two ways of padding exclude each other",
                ))
                .or_raise(py);
            }
            (Some(length), None) => builder.padding(Padding::ToLength(length)),
            (None, Some(step)) => builder.padding(Padding::ToMultipleOf(step)),
            (None, None) => builder,
        };
        Ok(PyMessage::instance(builder.build().or_raise(py)?, checked, Self))
    }

    /// Returns the same message to another subscription.
    #[pyo3(signature = (subscription, *, policy=None))]
    fn to(
        slf: &Bound<'_, Self>,
        subscription: &Bound<'_, PyAny>,
        policy: Option<&EndpointPolicy>,
    ) -> PyResult<Py<PyAny>> {
        slf.as_super().get().to(subscription, policy)
    }

    /// Takes back a message that the device has not got yet: what `Client.call` takes.
    ///
    /// `location` is that of the `Accepted` outcome of this message.
    fn withdraw(slf: &Bound<'_, Self>, location: Str) -> PyResult<Call> {
        let subscription = Self::inner(slf)?.subscription().clone();
        Ok(Call(webpush::Withdraw::new(location, subscription).into()))
    }

    /// Asks for receipts: a call whose request a client that takes HTTP/2 server push has to send, and
    /// whose `outcome` reads each pushed response: `"delivered"`, `"expired"`, or an outcome.
    ///
    /// `receipt` is that of the `Accepted` outcome; with `wait`, the service is asked to answer within
    /// so many seconds. No public push service gives receipts.
    #[pyo3(signature = (receipt, *, wait=None))]
    fn receipts(slf: &Bound<'_, Self>, receipt: Str, wait: Option<&Bound<'_, PyAny>>) -> PyResult<Call> {
        let mut call = webpush::AskForReceipts::new(receipt, Self::inner(slf)?.subscription().clone());
        if let Some(wait) = wait {
            call = call.wait(duration(wait)?);
        }
        Ok(Call(call.into()))
    }

    fn __repr__(slf: &Bound<'_, Self>) -> PyResult<String> {
        let message = Self::inner(slf)?;
        let (at, length) = (
            message.subscription().endpoint().authority(),
            message.template().body_len(),
        );
        Ok(format!("<WebPushMessage at {at} {length} bytes>"))
    }
}

/// The public key that the legacy encoding names; `None` for the usual encoding.
fn encoding(
    py: Python<'_>,
    name: Option<Str>,
    vapid: Option<&Bound<'_, PyAny>>,
) -> PyResult<Option<Es256PublicKey>> {
    let refuse = |kind, text: &'static str| Err(Error::new(kind, text)).or_raise(py);
    match (name.as_deref(), vapid) {
        (None | Some("aes128gcm"), None) => Ok(None),
        (Some("aesgcm"), Some(vapid)) => match vapid.cast::<VapidCredentials>() {
            Ok(credentials) => Ok(Some(*credentials.get().0.public_key())),
            Err(_) => Es256PublicKey::read(string(vapid)?.as_bytes())
                .map(Some)
                .or_raise(py),
        },
        (Some("aesgcm"), None) => refuse(
            ErrorKind::MissingField,
            "the encoding aesgcm needs vapid: the credentials that the message is sent with",
        ),
        (None | Some("aes128gcm"), Some(_)) => {
            refuse(ErrorKind::Conflict, "vapid is for the encoding aesgcm only")
        }
        (Some(_), _) => Err(unknown_word("the encoding")).or_raise(py),
    }
}
