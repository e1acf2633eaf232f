//! Baidu Cloud Push: credentials and messages.

use std::sync::Arc;

use pushcore::baidu::{self, AndroidNotification, DeployStatus, Message, OpenType, Target};
use pushcore::service::Message as AnyMessage;
use pushcore::{Error, ErrorKind};
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList, PyString};

use crate::errors::OrRaise;
use crate::http::{Request, Response};
use crate::message::{Reduced, reduced};
use crate::outcome::outcome;
use crate::recipe::{hash_of, not_pickled};
use crate::values::{Str, authority, clock, date, json_object, json_text, string};

/// An application's API key and secret key.
#[pyclass(frozen, module = "pushcore")]
pub(crate) struct BaiduCredentials(pub(crate) Arc<baidu::Credentials>);

#[pymethods]
impl BaiduCredentials {
    #[new]
    fn new(py: Python<'_>, api_key: Str, secret_key: Str) -> PyResult<Self> {
        let credentials = baidu::Credentials::new(&api_key, &secret_key).or_raise(py)?;
        Ok(Self(Arc::new(credentials)))
    }

    fn __copy__(slf: Py<Self>) -> Py<Self> {
        slf
    }

    fn __deepcopy__(slf: Py<Self>, _memo: &Bound<'_, PyAny>) -> Py<Self> {
        slf
    }

    fn __reduce__(&self) -> PyResult<()> {
        Err(not_pickled("Baidu credentials"))
    }

    fn __repr__(&self) -> String {
        "<BaiduCredentials>".to_owned()
    }
}

/// One message for one target: `channel_id`, `channel_ids`, `tag`, `selector` or `everyone`.
///
/// What it says: `text` (with `title`, `open_url`, `confirm`, `custom`, `extra`) for an Android
/// notification, `raw` for JSON that the Android app handles, `ios` for an APNs payload (with
/// `production`). `ttl` 1 second to a week (`expires_after` means the same).
#[pyclass(frozen, module = "pushcore")]
pub(crate) struct BaiduMessage(pub(crate) Message);

#[pymethods]
impl BaiduMessage {
    #[new]
    #[pyo3(signature = (
        *, channel_id=None, channel_ids=None, tag=None, selector=None, everyone=false,
        text=None, title=None, open_url=None, confirm=false, custom=None, extra=None, raw=None, ios=None,
        production=None, ttl=None, expires_after=None, topic_id=None, send_at=None,
    ))]
    #[allow(clippy::too_many_arguments, reason = "they are keyword arguments")]
    fn new(
        py: Python<'_>,
        channel_id: Option<&Bound<'_, PyAny>>,
        channel_ids: Option<&Bound<'_, PyList>>,
        tag: Option<Str>,
        selector: Option<&Bound<'_, PyAny>>,
        everyone: bool,
        text: Option<Str>,
        title: Option<Str>,
        open_url: Option<Str>,
        confirm: bool,
        custom: Option<&Bound<'_, PyDict>>,
        extra: Option<&Bound<'_, PyDict>>,
        raw: Option<&Bound<'_, PyAny>>,
        ios: Option<&Bound<'_, PyAny>>,
        production: Option<bool>,
        ttl: Option<&Bound<'_, PyAny>>,
        expires_after: Option<&Bound<'_, PyAny>>,
        topic_id: Option<Str>,
        send_at: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<Self> {
        let expires_after = crate::adm::either_ttl(py, ttl, expires_after)?;
        let refuse = |kind, text: &'static str| Err(Error::new(kind, text)).or_raise(py);
        let builder = match (text, raw, ios) {
            (Some(text), None, None) => {
                let mut notification = AndroidNotification::new(text);
                if let Some(title) = title {
                    notification = notification.title(title);
                }
                if let Some(url) = open_url {
                    notification = notification.open(OpenType::Url {
                        url: url.to_owned(),
                        confirm,
                    });
                }
                if let Some(custom) = custom {
                    notification = notification.custom_content(json_object(custom)?);
                }
                for (name, value) in extra.map(json_object).transpose()?.into_iter().flatten() {
                    notification = notification.extra(&name, value);
                }
                Message::android(notification)
            }
            (None, Some(raw), None) => Message::android_raw(&json_text(raw)?),
            (None, None, Some(payload)) => Message::ios(&json_text(payload)?),
            _ => return refuse(ErrorKind::Conflict, "not exactly one of text, raw and ios"),
        };
        let mut builder = builder.or_raise(py)?;
        if let Some(production) = production {
            let status = if production {
                DeployStatus::Production
            } else {
                DeployStatus::Development
            };
            builder = builder.deploy_status(status);
        }
        if let Some(life) = expires_after {
            builder = builder.ttl(crate::values::ttl(life)?);
        }
        if let Some(id) = topic_id {
            builder = builder.topic_id(id);
        }
        if let Some(time) = send_at {
            builder = builder.send_at(date(time, "time of sending")?);
        }
        let target = match (channel_id, channel_ids, tag, selector, everyone) {
            (Some(id), None, None, None, false) => Target::device(&string(id)?),
            (None, Some(ids), None, None, false) => {
                let ids = ids.iter().map(|id| string(&id)).collect::<PyResult<Vec<_>>>()?;
                Target::devices(ids.iter().map(String::as_str))
            }
            (None, None, Some(tag), None, false) => Target::tag(&tag),
            (None, None, None, Some(selector), false) => Target::selector(&json_text(selector)?),
            (None, None, None, None, true) => Ok(Target::all()),
            _ => return refuse(ErrorKind::InvalidTarget, "not exactly one target"),
        };
        let message = builder.build(target.or_raise(py)?).or_raise(py)?;
        Ok(Self(message))
    }

    /// Returns the same message for another device.
    fn to(&self, channel_id: &Bound<'_, PyAny>) -> PyResult<Self> {
        let py = channel_id.py();
        let text = channel_id
            .cast::<PyString>()
            .map_err(|_| crate::values::type_error(channel_id, "str"))?;
        let target = Target::device(crate::values::text(text)?).or_raise(py)?;
        Ok(Self(self.0.to(target)))
    }

    /// The signed request for an HTTP client of one's own; valid for ten minutes.
    #[pyo3(signature = (credentials, *, host=None, now=None))]
    fn request(
        &self,
        py: Python<'_>,
        credentials: &BaiduCredentials,
        host: Option<Str>,
        now: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<Request> {
        let host = authority(py, host)?.unwrap_or_else(baidu::default_authority);
        baidu::request(&self.0, &credentials.0, &host, clock(py, now)?)
            .map(Request)
            .or_raise(py)
    }

    /// What the answer to that request means.
    #[pyo3(signature = (response, *, now=None))]
    fn outcome(
        &self,
        py: Python<'_>,
        response: &Response,
        now: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<Py<PyAny>> {
        outcome(py, baidu::outcome(&response.0, clock(py, now)?))
    }

    fn __copy__(slf: Py<Self>) -> Py<Self> {
        slf
    }

    fn __deepcopy__(slf: Py<Self>, _memo: &Bound<'_, PyAny>) -> Py<Self> {
        slf
    }

    /// The message as JSON: `docs/messages.md`. `message_from_json` reads it.
    fn to_json(&self) -> String {
        AnyMessage::from(self.0.clone()).to_json()
    }

    fn __reduce__<'py>(&self, py: Python<'py>) -> PyResult<Reduced<'py>> {
        reduced(py, &self.0.clone().into())
    }

    fn __eq__(&self, other: &Bound<'_, PyAny>) -> bool {
        let other = other.cast::<Self>();
        other.is_ok_and(|other| self.to_json() == other.get().to_json())
    }

    fn __hash__(&self, py: Python<'_>) -> PyResult<isize> {
        hash_of(py, self.to_json().as_bytes())
    }

    fn __repr__(&self) -> String {
        format!("<BaiduMessage {:?}>", self.0)
    }
}
