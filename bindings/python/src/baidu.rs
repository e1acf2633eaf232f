//! Baidu Cloud Push: credentials and messages.

use pushcore::baidu::{AndroidNotification, DeployStatus, Message, OpenType, Target};
use pushcore::{Error, ErrorKind};
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList, PyString};

use crate::base::{PyMessage, class_of};
use crate::errors::OrRaise;
use crate::values::{Str, date, json_object, json_text, string};

/// One message for one target: `channel_id`, `channel_ids`, `tag`, `selector` or `everyone`.
///
/// What it says: `text` (with `title`, `open_url`, `confirm`, `custom`, `extra`) for an Android
/// notification, `raw` for JSON that the Android app handles, `ios` for an APNs payload (with
/// `production`). `ttl` 1 second to a week (`expires_after` means the same).
#[pyclass(frozen, extends = PyMessage, module = "pushcore")]
pub(crate) struct BaiduMessage;

class_of!(BaiduMessage, Baidu(Message));

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
    ) -> PyResult<PyClassInitializer<Self>> {
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
        builder
            .build(target.or_raise(py)?)
            .map(Self::instance)
            .or_raise(py)
    }

    /// The same message for another device.
    fn to<'py>(slf: &Bound<'py, Self>, channel_id: &Bound<'_, PyAny>) -> PyResult<Bound<'py, Self>> {
        let py = slf.py();
        let text = channel_id
            .cast::<PyString>()
            .map_err(|_| crate::values::type_error(channel_id, "str"))?;
        let target = Target::device(crate::values::text(text)?).or_raise(py)?;
        Bound::new(py, Self::instance(Self::inner(slf)?.to(target)))
    }

    fn __repr__(slf: &Bound<'_, Self>) -> PyResult<String> {
        Ok(format!("<BaiduMessage {:?}>", Self::inner(slf)?))
    }
}
