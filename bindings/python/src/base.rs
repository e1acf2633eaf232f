//! The base class of all messages: each of them can do the same, whichever service it is for.

use pushcore::service::Message;
use pushcore::webpush::EndpointPolicy as Policy;
use pushcore::{Error, ErrorKind};
use pyo3::PyClass;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyTuple};

use crate::errors::{OrRaise, raise};
use crate::http::{Request, Response};
use crate::message::instance;
use crate::outcome::outcome;
use crate::target::{is_checked, target};
use crate::template::PyTemplate;
use crate::values::{Str, clock};
use crate::webpush::EndpointPolicy;

/// A message to any of the services: the base class of `ApnsMessage`, `ApnsBroadcast`, `FcmMessage`, `WebPushMessage`,
/// `AdmMessage`, `AdmAudienceMessage` and `BaiduMessage`.
///
/// Never changes. Two messages are equal when `to_json` writes the same of both.
#[pyclass(frozen, subclass, generic, module = "pushcore", name = "BaseMessage")]
pub(crate) struct PyMessage {
    message: Message,
    /// Whether a policy of this process has been asked about a Web Push endpoint. Without meaning for other services.
    checked: bool,
}

impl PyMessage {
    pub(crate) fn message(&self) -> &Message {
        &self.message
    }

    /// The same message to another target: a `Target`, or what one is made from.
    pub(crate) fn to(
        &self,
        target: &Bound<'_, PyAny>,
        policy: Option<&EndpointPolicy>,
    ) -> PyResult<Py<PyAny>> {
        let py = target.py();
        let checked = policy.is_some() || is_checked(target);
        let target = self::target(self.message.kind(), target, policy)?;
        instance(py, self.message.to(&target).or_raise(py)?, checked)
    }

    /// A message whose service has no class here.
    pub(crate) fn of(message: Message) -> Self {
        Self {
            message,
            checked: true,
        }
    }

    /// An instance of a service's class.
    pub(crate) fn instance<T>(message: impl Into<Message>, checked: bool, class: T) -> PyClassInitializer<T>
    where
        T: PyClass<BaseType = PyMessage>,
    {
        let message = message.into();
        PyClassInitializer::from(Self { message, checked }).add_subclass(class)
    }
}

#[pymethods]
impl PyMessage {
    /// The name of the service: `apns`, `fcm`, `web_push`, `adm` or `baidu`.
    #[getter]
    fn service(&self) -> &'static str {
        self.message.kind().as_str()
    }

    /// The target as text: a token, a subscription as JSON with its `auth` secret, or an object that names a topic, a group, a
    /// tag or a condition. `None` for a broadcast. For the caller's own storage, not for logs.
    #[getter]
    fn target(&self) -> Option<String> {
        self.message.target().map(|target| target.to_text())
    }

    /// The message without its target. A broadcast has none: `MessageError`.
    fn template(&self, py: Python<'_>) -> PyResult<PyTemplate> {
        crate::template::of(py, self)
    }

    /// The payload: the body of the request as it is sent (APNs, FCM, ADM), the text or bytes before they are
    /// encrypted (Web Push; empty without a payload), or `msg` (Baidu).
    #[getter]
    fn payload<'py>(&self, py: Python<'py>) -> Bound<'py, PyBytes> {
        PyBytes::new(py, &self.message.payload())
    }

    /// The request for an HTTP client of one's own, complete with its authorization; APNs wants HTTP/2. FCM's and
    /// ADM's credentials need a token first.
    ///
    /// `environment` is for APNs, `host` for all but Web Push, `policy` for Web Push: an endpoint that no policy has
    /// been asked about is checked with `policy`, or with the default one.
    #[pyo3(signature = (credentials, *, environment=None, host=None, policy=None, now=None))]
    fn request(
        &self,
        py: Python<'_>,
        credentials: &Bound<'_, PyAny>,
        environment: Option<Str>,
        host: Option<Str>,
        policy: Option<&EndpointPolicy>,
        now: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<Request> {
        // An endpoint that a policy allowed before is not refused by the default one now.
        let origin = match (&self.message, policy) {
            (Message::WebPush(message), None) if self.checked => {
                let origin = message.subscription().endpoint().authority().clone();
                Some(EndpointPolicy(Policy::default().trust(origin)))
            }
            _ => None,
        };
        let (kind, policy) = (self.message.kind(), policy.or(origin.as_ref()));
        let service = crate::service::of_kind(kind, credentials, environment, host, policy)?;
        let now = clock(py, now)?;
        py.detach(|| service.request(&self.message, now))
            .map(Request)
            .or_raise(py)
    }

    /// Returns the meaning of the answer to that request for this message and its target.
    #[pyo3(signature = (response, *, now=None))]
    fn outcome(
        &self,
        py: Python<'_>,
        response: &Response,
        now: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<Py<PyAny>> {
        outcome(py, self.message.outcome(&response.0, clock(py, now)?))
    }

    /// The message as JSON: `docs/messages.md`. `message_from_json` reads it.
    fn to_json(&self) -> String {
        self.message.to_json()
    }

    fn __copy__(slf: Py<Self>) -> Py<Self> {
        slf
    }

    fn __deepcopy__(slf: Py<Self>, _memo: &Bound<'_, PyAny>) -> Py<Self> {
        slf
    }

    /// The message in its form, and who reads it.
    fn __reduce__<'py>(&self, py: Python<'py>) -> PyResult<(Bound<'py, PyAny>, Bound<'py, PyTuple>)> {
        let origin = match &self.message {
            Message::WebPush(message) => Some(message.subscription().endpoint().authority().as_str()),
            _ => None,
        };
        let restore = py.import("pushcore._pushcore")?.getattr("restore_message")?;
        let arguments = (self.message.kind().as_str(), self.to_json(), origin).into_pyobject(py)?;
        Ok((restore, arguments))
    }

    fn __eq__(&self, other: &Bound<'_, PyAny>) -> bool {
        other.cast::<Self>().is_ok_and(|other| {
            let other = &other.get().message;
            self.message.kind() == other.kind() && self.to_json() == other.to_json()
        })
    }

    fn __hash__(&self, py: Python<'_>) -> PyResult<isize> {
        self.to_json().into_pyobject(py)?.as_any().hash()
    }

    fn __repr__(slf: &Bound<'_, Self>) -> PyResult<String> {
        let (class, length) = (slf.get_type().name()?, slf.get().message.payload().len());
        Ok(format!("<{class} {length} bytes>"))
    }
}

/// An instance whose class is not that of its message: no constructor makes one.
pub(crate) fn of_another_class(py: Python<'_>) -> PyErr {
    raise(py, &Error::new(ErrorKind::Internal, "a message of another class"))
}

/// Ties a class to its arm of [`Message`].
macro_rules! class_of {
    ($class:ident, $arm:ident($type:ty)) => {
        #[allow(dead_code, reason = "not every class needs both")]
        impl $class {
            /// An instance of the class.
            pub(crate) fn instance(message: $type) -> pyo3::PyClassInitializer<Self> {
                $crate::base::PyMessage::instance(message, true, Self)
            }

            /// The message that an instance of the class holds.
            fn inner<'a>(slf: &'a pyo3::Bound<'_, Self>) -> pyo3::PyResult<&'a $type> {
                match slf.as_super().get().message() {
                    pushcore::service::Message::$arm(message) => Ok(message),
                    _ => Err($crate::base::of_another_class(slf.py())),
                }
            }
        }
    };
}

pub(crate) use class_of;
