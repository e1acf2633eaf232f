//! Amazon Device Messaging: credentials and messages.

use pushcore::adm::{self, Priority, RegistrationId};
use pushcore::{Error, ErrorKind};
use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyString};

use crate::base::{PyMessage, class_of};
use crate::errors::OrRaise;
use crate::values::{Str, json_object, json_text, string, text, type_error, unknown_word};

/// One message for one device: at most 6,144 bytes of data and notification.
///
/// `ttl` 60 seconds to 31 days (`expires_after` means the same); `consolidation_key` replaces messages of the same key
/// while the device is away.
#[pyclass(frozen, extends = PyMessage, module = "pushcore")]
pub(crate) struct AdmMessage;

class_of!(AdmMessage, Adm(adm::Message));

#[pymethods]
impl AdmMessage {
    #[new]
    #[pyo3(signature = (
        *, registration_id, data=None, notification=None, priority=None, consolidation_key=None,
        ttl=None, expires_after=None, md5=false, extra=None,
    ))]
    #[allow(clippy::too_many_arguments, reason = "they are keyword arguments")]
    fn new(
        py: Python<'_>,
        registration_id: &Bound<'_, PyAny>,
        data: Option<&Bound<'_, PyDict>>,
        notification: Option<&Bound<'_, PyAny>>,
        priority: Option<Str>,
        consolidation_key: Option<Str>,
        ttl: Option<&Bound<'_, PyAny>>,
        expires_after: Option<&Bound<'_, PyAny>>,
        md5: bool,
        extra: Option<&Bound<'_, PyDict>>,
    ) -> PyResult<PyClassInitializer<Self>> {
        let expires_after = either_ttl(py, ttl, expires_after)?;
        let builder = parts(
            py,
            data,
            notification,
            priority,
            consolidation_key,
            expires_after,
            md5,
            extra,
        )?;
        builder
            .build(target(registration_id)?)
            .map(Self::instance)
            .or_raise(py)
    }

    /// The same message for another device.
    fn to<'py>(slf: &Bound<'py, Self>, registration_id: &Bound<'_, PyAny>) -> PyResult<Bound<'py, Self>> {
        let message = Self::inner(slf)?.to(target(registration_id)?);
        Bound::new(slf.py(), Self::instance(message))
    }
}

pub(crate) fn target(id: &Bound<'_, PyAny>) -> PyResult<RegistrationId> {
    let text =
        string(id).map_err(
            |error| match error.is_instance_of::<pyo3::exceptions::PyTypeError>(id.py()) {
                true => type_error(id, "a registration id as str"),
                false => error,
            },
        )?;
    RegistrationId::new(&text).or_raise(id.py())
}

/// What a message says.
#[allow(clippy::too_many_arguments, reason = "they are keyword arguments")]
pub(crate) fn parts(
    py: Python<'_>,
    data: Option<&Bound<'_, PyDict>>,
    notification: Option<&Bound<'_, PyAny>>,
    priority: Option<Str>,
    consolidation_key: Option<Str>,
    expires_after: Option<&Bound<'_, PyAny>>,
    md5: bool,
    extra: Option<&Bound<'_, PyDict>>,
) -> PyResult<adm::MessageBuilder> {
    let notification = notification.map(json_text).transpose()?;
    let mut builder = adm::Message::builder();
    for (key, value) in data.into_iter().flat_map(|data| data.iter()) {
        let key = string(&key)?;
        // The key is the caller's own word and tells which of many values it is.
        let value = value.cast::<PyString>().map_err(|_| {
            let found = value
                .get_type()
                .name()
                .map(|name| name.to_string())
                .unwrap_or_default();
            PyTypeError::new_err(format!("data[{key:?}]: expected str, not {found}"))
        })?;
        builder = builder.data(key, text(value)?);
    }
    if let Some(notification) = notification {
        builder = builder.notification(&notification).or_raise(py)?;
    }
    if let Some(name) = priority {
        let known = match &*name {
            "normal" => Ok(Priority::Normal),
            "high" => Ok(Priority::High),
            _ => Err(unknown_word("the priority")),
        };
        builder = builder.priority(known.or_raise(py)?);
    }
    if let Some(key) = consolidation_key {
        builder = builder.consolidation_key(key);
    }
    if let Some(life) = expires_after {
        builder = builder.ttl(crate::values::ttl(life)?);
    }
    if md5 {
        builder = builder.with_md5();
    }
    for (name, value) in extra.map(json_object).transpose()?.into_iter().flatten() {
        builder = builder.extra(name, value);
    }
    Ok(builder)
}

/// A time to live under its usual name or under the service's own.
pub(crate) fn either_ttl<'a, 'py>(
    py: Python<'py>,
    ttl: Option<&'a Bound<'py, PyAny>>,
    expires_after: Option<&'a Bound<'py, PyAny>>,
) -> PyResult<Option<&'a Bound<'py, PyAny>>> {
    match (ttl, expires_after) {
        (Some(_), Some(_)) => Err(Error::new(
            ErrorKind::Conflict,
            "ttl and expires_after are two names of one thing",
        ))
        .or_raise(py),
        (ttl, expires_after) => Ok(ttl.or(expires_after)),
    }
}
