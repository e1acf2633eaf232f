//! A target of any service: a device, a topic, a group, a tag, a condition or a subscription.

use pushcore::apns::DeviceToken;
use pushcore::service::{Kind, Target};
use pushcore::webpush::EndpointPolicy as Policy;
use pushcore::{Error, ErrorKind};
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict, PyString};

use crate::errors::{OrRaise, raise};
use crate::values::{Str, json_object, text, type_error};
use crate::webpush::{EndpointPolicy, Subscription, subscription};

/// A checked target of one of the services, which never changes.
#[pyclass(frozen, module = "pushcore", name = "Target")]
pub(crate) struct PyTarget(Target);

#[pymethods]
impl PyTarget {
    /// Reads a target: a token, an object that names a topic, group, tag or condition, or a Web Push subscription.
    #[new]
    #[pyo3(signature = (service, target, /, *, policy=None))]
    fn new(
        py: Python<'_>,
        service: Str,
        target: &Bound<'_, PyAny>,
        policy: Option<&EndpointPolicy>,
    ) -> PyResult<Self> {
        let kind = Kind::parse(&service).or_raise(py)?;
        let default = EndpointPolicy(Policy::default());
        self::target(kind, target, Some(policy.unwrap_or(&default))).map(Self)
    }

    /// The name of the service: `apns`, `fcm`, `web_push`, `adm` or `baidu`.
    #[getter]
    fn service(&self) -> &'static str {
        self.0.kind().as_str()
    }

    /// The text that the constructor reads: a token, an object, or a subscription with its `auth` secret.
    fn to_text(&self) -> String {
        self.0.to_text()
    }

    /// The service, and what the constructor reads; a subscription as one, because its policy has been asked.
    fn __getnewargs__<'py>(&self, py: Python<'py>) -> PyResult<(&'static str, Bound<'py, PyAny>)> {
        let target = match &self.0 {
            Target::WebPush(inner) => Bound::new(py, Subscription(inner.clone()))?.into_any(),
            target => target.to_text().into_pyobject(py)?.into_any(),
        };
        Ok((self.service(), target))
    }

    fn __copy__(slf: Py<Self>) -> Py<Self> {
        slf
    }

    fn __deepcopy__(slf: Py<Self>, _memo: &Bound<'_, PyAny>) -> Py<Self> {
        slf
    }

    fn __eq__(&self, other: &Bound<'_, PyAny>) -> bool {
        other.cast::<Self>().is_ok_and(|other| {
            self.0.kind() == other.get().0.kind() && self.to_text() == other.get().to_text()
        })
    }

    fn __hash__(&self, py: Python<'_>) -> PyResult<isize> {
        (self.service(), self.to_text()).into_pyobject(py)?.hash()
    }

    fn __repr__(&self) -> String {
        // A token or an endpoint is a secret.
        format!("<Target {}>", self.service())
    }
}

/// A target of a service out of a [`PyTarget`] or what one is made from, under `policy`.
pub(crate) fn target(
    kind: Kind,
    value: &Bound<'_, PyAny>,
    policy: Option<&EndpointPolicy>,
) -> PyResult<Target> {
    if let Ok(target) = value.cast::<PyTarget>() {
        return Ok(target.get().0.clone());
    }
    if kind == Kind::WebPush {
        return Ok(Target::WebPush(subscription(value, policy)?.0));
    }
    let parsed = match (value.cast::<PyString>(), value.cast::<PyDict>()) {
        (Ok(given), _) => Target::parse(kind, text(given)?),
        (_, Ok(object)) => Target::parse(kind, &serde_json::Value::Object(json_object(object)?).to_string()),
        // A device token of Apple's may be bytes.
        _ if kind == Kind::Apns => return device(value).map(Target::Apns),
        _ => return Err(type_error(value, "a token as str")),
    };
    parsed.or_raise(value.py())
}

/// Whether it is a target by itself, and not what one is made from.
pub(crate) fn is_target(value: &Bound<'_, PyAny>) -> bool {
    value.is_instance_of::<PyTarget>()
}

/// A token in hex, or its bytes as the device's operating system hands them out.
pub(crate) fn device(token: &Bound<'_, PyAny>) -> PyResult<DeviceToken> {
    let py = token.py();
    match token.cast::<PyString>() {
        Ok(hex) => DeviceToken::parse(text(hex)?).or_raise(py),
        Err(_) => match token.cast::<PyBytes>() {
            Ok(raw) => DeviceToken::from_text_or_bytes(raw.as_bytes()).or_raise(py),
            Err(_) => Err(type_error(
                token,
                "a device token as str (hex) or bytes (hex or raw)",
            )),
        },
    }
}

/// A device of Apple's out of a [`PyTarget`] or what one is made from.
pub(crate) fn device_of(value: &Bound<'_, PyAny>) -> PyResult<DeviceToken> {
    match target(Kind::Apns, value, None)? {
        Target::Apns(device) => Ok(device),
        _ => {
            let error = Error::new(ErrorKind::InvalidTarget, "the target is of another service");
            Err(raise(value.py(), &error))
        }
    }
}

/// Whether a policy has been asked about the endpoint of this target, where it has one.
pub(crate) fn is_checked(value: &Bound<'_, PyAny>) -> bool {
    value.is_instance_of::<PyTarget>() || value.is_instance_of::<Subscription>()
}
