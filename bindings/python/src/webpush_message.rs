//! Web Push: messages.

use pushcore::service::Message;
use pushcore::webpush::{self, Padding, Topic, Urgency};
use pushcore::{Error, ErrorKind};
use pyo3::prelude::*;
use pyo3::types::PyBool;

use crate::calls::Call;
use crate::errors::OrRaise;
use crate::http::{Request, Response};
use crate::message::{Reduced, reduced};
use crate::outcome::outcome;
use crate::recipe::hash_of;
use crate::values::{Str, clock, duration, json_text, string, unknown_word};
use crate::webpush::{EndpointPolicy, VapidCredentials};

/// One message to one subscription.
///
/// `payload` is encrypted for the receiver: a dict becomes JSON, text UTF-8; at most 3,993 bytes.
/// `ttl` in seconds (28 days); `topic` replaces an undelivered message of the same topic.
/// `pad_to` and `pad_to_multiple_of` hide the payload's length. `receipt` asks for a receipt, or (the
/// `receipt` of an earlier `Accepted`) for one where those come from.
#[pyclass(frozen, module = "pushcore")]
pub(crate) struct WebPushMessage(pub(crate) webpush::Message);

#[pymethods]
impl WebPushMessage {
    #[new]
    #[pyo3(signature = (
        *, subscription, payload=None, ttl=None, urgency=None, topic=None, pad_to=None, pad_to_multiple_of=None,
        receipt=None, policy=None,
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
    ) -> PyResult<Self> {
        let target = crate::webpush::subscription(subscription, policy)?;
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
        if let Some(payload) = payload {
            builder = builder.payload(payload);
        }
        if let Some(ttl) = ttl {
            builder = builder.ttl(duration(ttl)?);
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
        Ok(Self(builder.build().or_raise(py)?))
    }

    /// The same message to another subscription.
    #[pyo3(signature = (subscription, *, policy=None))]
    fn to(&self, subscription: &Bound<'_, PyAny>, policy: Option<&EndpointPolicy>) -> PyResult<Self> {
        let py = subscription.py();
        let target = crate::webpush::subscription(subscription, policy)?;
        Ok(Self(self.0.to(target).or_raise(py)?))
    }

    /// The request for an HTTP client of one's own: encrypted and signed.
    #[pyo3(signature = (credentials, *, now=None))]
    fn request(
        &self,
        py: Python<'_>,
        credentials: &VapidCredentials,
        now: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<Request> {
        let now = clock(py, now)?;
        py.detach(|| webpush::request(&self.0, &credentials.0, now))
            .map(Request)
            .or_raise(py)
    }

    /// Takes back a message that the device has not got yet: what `Client.call` takes.
    ///
    /// `location` is that of the `Accepted` outcome of this message.
    fn withdraw(&self, location: Str) -> Call {
        Call(webpush::Withdraw::new(location, self.0.subscription().clone()).into())
    }

    /// Asks for receipts: a call whose request a client that takes HTTP/2 server push has to send, and
    /// whose `outcome` reads each pushed response: `"delivered"`, `"expired"`, or an outcome.
    ///
    /// `receipt` is that of the `Accepted` outcome; with `wait`, the service is asked to answer within
    /// so many seconds. No public push service gives receipts.
    #[pyo3(signature = (receipt, *, wait=None))]
    fn receipts(&self, receipt: Str, wait: Option<&Bound<'_, PyAny>>) -> PyResult<Call> {
        let mut call = webpush::AskForReceipts::new(receipt, self.0.subscription().clone());
        if let Some(wait) = wait {
            call = call.wait(duration(wait)?);
        }
        Ok(Call(call.into()))
    }

    /// What the answer to that request means for this subscription.
    #[pyo3(signature = (response, *, now=None))]
    fn outcome(
        &self,
        py: Python<'_>,
        response: &Response,
        now: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<Py<PyAny>> {
        let answer = webpush::outcome_for(&response.0, self.0.subscription(), clock(py, now)?);
        outcome(py, answer)
    }

    fn __copy__(slf: Py<Self>) -> Py<Self> {
        slf
    }

    fn __deepcopy__(slf: Py<Self>, _memo: &Bound<'_, PyAny>) -> Py<Self> {
        slf
    }

    /// The message as JSON: `docs/messages.md`. `message_from_json` reads it.
    fn to_json(&self) -> String {
        Message::from(self.0.clone()).to_json()
    }

    fn __reduce__<'py>(&self, py: Python<'py>) -> PyResult<Reduced<'py>> {
        reduced(py, &self.0.clone().into())
    }

    fn __eq__(&self, other: &Bound<'_, PyAny>) -> bool {
        let other = other.cast::<Self>();
        other.is_ok_and(|other| self.to_json() == other.get().to_json())
    }

    fn __hash__(&self, py: Python<'_>) -> PyResult<isize> {
        hash_of(py, self.0.subscription().endpoint().url().as_bytes())
    }

    fn __repr__(&self) -> String {
        let at = self.0.subscription().endpoint().authority();
        format!("<WebPushMessage at {at} {} bytes>", self.0.template().body_len())
    }
}
