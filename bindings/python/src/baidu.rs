//! Baidu Cloud Push: messages.

use pushcore::baidu::Message;
use pushcore::service::Kind;
use pushcore::{Error, ErrorKind};
use pyo3::prelude::*;
use pyo3::types::PyDict;
use serde_json::Value;

use crate::base::{PyMessage, class_of};
use crate::errors::OrRaise;
use crate::fields::{self, Field, Form};
use crate::values::Str;

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
    #[pyo3(
        signature = (*, text=None, open_url=None, confirm=false, raw=None, ios=None, **fields),
        text_signature = "(*, channel_id=None, channel_ids=None, tag=None, selector=None, everyone=False, text=None, \
            title=None, open_url=None, confirm=False, custom=None, extra=None, raw=None, ios=None, production=None, \
            ttl=None, expires_after=None, topic_id=None, send_at=None)",
    )]
    fn new(
        py: Python<'_>,
        text: Option<&Bound<'_, PyAny>>,
        open_url: Option<Str>,
        confirm: bool,
        raw: Option<&Bound<'_, PyAny>>,
        ios: Option<&Bound<'_, PyAny>>,
        fields: Option<&Bound<'_, PyDict>>,
    ) -> PyResult<PyClassInitializer<Self>> {
        let mut form = Form::of(fields, &FIELDS)?;
        let (kind, path, said) = match (text, raw, ios) {
            (Some(text), None, None) => ("android", "notification.description", fields::text(text)?),
            (None, Some(raw), None) => ("android_raw", "msg", fields::raw(raw)?),
            (None, None, Some(payload)) => ("ios", "msg", fields::raw(payload)?),
            _ => {
                let text = "not exactly one of text, raw and ios";
                return Err(Error::new(ErrorKind::Conflict, text)).or_raise(py);
            }
        };
        if let Some(url) = open_url {
            form.put("notification.open.url", String::from(url).into());
            form.put("notification.open.confirm", confirm.into());
        }
        // The keywords of a notification say nothing beside a whole message.
        if path == "msg" {
            form.remove("notification");
        }
        form.put("kind", kind.into());
        form.put(path, said);
        Ok(PyMessage::instance(form.read(py, Kind::Baidu)?, true, Self))
    }

    /// Returns the same message for another device.
    fn to(slf: &Bound<'_, Self>, channel_id: &Bound<'_, PyAny>) -> PyResult<Py<PyAny>> {
        slf.as_super().get().to(channel_id, None)
    }

    fn __repr__(slf: &Bound<'_, Self>) -> PyResult<String> {
        Ok(format!("<BaiduMessage {:?}>", Self::inner(slf)?))
    }
}

const FIELDS: [Field; 13] = [
    ("channel_id", "target.device", fields::text),
    ("channel_ids", "target.devices", fields::texts),
    ("tag", "target.tag", fields::text),
    ("selector", "target.selector", fields::raw),
    ("everyone", "target.all", fields::set),
    ("title", "notification.title", fields::text),
    ("custom", "notification.custom_content", fields::object),
    ("extra", "notification.extra", fields::object),
    ("production", "deploy_status", deploy_status),
    ("ttl", "expires_after", fields::ttl),
    ("expires_after", "expires_after", fields::ttl),
    ("topic_id", "topic_id", fields::text),
    ("send_at", "send_at", fields::date),
];

fn deploy_status(production: &Bound<'_, PyAny>) -> PyResult<Value> {
    let production = production.extract()?;
    Ok(if production { "production" } else { "development" }.into())
}
