//! Amazon Device Messaging: credentials and messages.

use std::sync::Arc;

use pushcore::adm::{self, Priority, RegistrationId};
use pushcore::service::Message;
use pushcore::{Error, ErrorKind};
use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict, PyString};

use crate::errors::OrRaise;
use crate::http::{Request, Response};
use crate::message::{Reduced, reduced};
use crate::outcome::outcome;
use crate::recipe::{hash_of, not_pickled};
use crate::values::{Str, authority, clock, json_object, json_text, string, text, type_error, unknown_word};

/// A security profile of Amazon's developer console. Clients share its access token.
#[pyclass(frozen, module = "pushcore")]
pub(crate) struct AdmCredentials(pub(crate) Arc<adm::Credentials>);

#[pymethods]
impl AdmCredentials {
    #[new]
    #[pyo3(signature = (client_id, client_secret, *, token_host=None))]
    fn new(py: Python<'_>, client_id: Str, client_secret: Str, token_host: Option<Str>) -> PyResult<Self> {
        let credentials = adm::Credentials::new(&client_id, &client_secret).or_raise(py)?;
        let credentials = match authority(py, token_host)? {
            Some(host) => credentials.with_token_authority(host),
            None => credentials,
        };
        Ok(Self(Arc::new(credentials)))
    }

    /// The request that fetches an access token, for an HTTP client of one's own.
    #[pyo3(signature = (*, now=None))]
    fn token_request(&self, py: Python<'_>, now: Option<&Bound<'_, PyAny>>) -> PyResult<Request> {
        let call = self.0.token_request(clock(py, now)?).or_raise(py)?;
        Ok(Request(call.request))
    }

    /// Takes the answer.
    #[pyo3(signature = (response, *, now=None))]
    fn accept_token(
        &self,
        py: Python<'_>,
        response: &Response,
        now: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<bool> {
        let progress = self.0.accept_token(&response.0, clock(py, now)?).or_raise(py)?;
        Ok(progress == pushcore::oauth::TokenProgress::Done)
    }

    fn __copy__(slf: Py<Self>) -> Py<Self> {
        slf
    }

    fn __deepcopy__(slf: Py<Self>, _memo: &Bound<'_, PyAny>) -> Py<Self> {
        slf
    }

    fn __reduce__(&self) -> PyResult<()> {
        Err(not_pickled("ADM credentials"))
    }

    fn __repr__(&self) -> String {
        "<AdmCredentials>".to_owned()
    }
}

/// One message for one device: at most 6,144 bytes of data and notification.
///
/// `ttl` 60 seconds to 31 days (`expires_after` means the same); `consolidation_key` replaces messages of the same key
/// while the device is away.
#[pyclass(frozen, module = "pushcore")]
pub(crate) struct AdmMessage(pub(crate) adm::Message);

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
    ) -> PyResult<Self> {
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
        let message = builder.build(target(registration_id)?).or_raise(py)?;
        Ok(Self(message))
    }

    /// Returns the same message for another device.
    fn to(&self, registration_id: &Bound<'_, PyAny>) -> PyResult<Self> {
        Ok(Self(self.0.to(target(registration_id)?)))
    }

    /// The body of the request.
    #[getter]
    fn payload<'py>(&self, py: Python<'py>) -> Bound<'py, PyBytes> {
        PyBytes::new(py, self.0.body())
    }

    /// The request for an HTTP client of one's own; the credentials need a token first.
    #[pyo3(signature = (credentials, *, host=None, now=None))]
    fn request(
        &self,
        py: Python<'_>,
        credentials: &AdmCredentials,
        host: Option<Str>,
        now: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<Request> {
        let host = authority(py, host)?.unwrap_or_else(adm::default_authority);
        adm::request(&self.0, &credentials.0, &host, clock(py, now)?)
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
        outcome(py, adm::outcome(&response.0, self.0.target(), clock(py, now)?))
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
        other.cast::<Self>().is_ok_and(|other| {
            let other = &other.get().0;
            self.0.body() == other.body() && self.0.target() == other.target()
        })
    }

    fn __hash__(&self, py: Python<'_>) -> PyResult<isize> {
        hash_of(py, self.0.body())
    }

    fn __repr__(&self) -> String {
        format!("<AdmMessage {} bytes>", self.0.body().len())
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
