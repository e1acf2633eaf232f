//! Firebase Cloud Messaging: credentials and messages.

use std::sync::Arc;

use pushcore::fcm::{self, Target};
use pushcore::http::Authority;
use pushcore::secret::Secret;
use pushcore::service::Message;
use pushcore::{Error, ErrorKind};
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict, PyString};

use crate::errors::OrRaise;
use crate::http::{Request, Response};
use crate::message::{Reduced, reduced};
use crate::outcome::outcome;
use crate::recipe::{hash_of, not_pickled};
use crate::values::{
    Str, authority, bytes, clock, credential, duration, json, json_object, json_text, string,
};

/// A Google identity that sends for one project. Clients share its access token.
#[pyclass(frozen, module = "pushcore")]
pub(crate) struct FcmCredentials(pub(crate) Arc<fcm::Credentials>);

#[pymethods]
impl FcmCredentials {
    /// A service account's key file: a path, its text, or its JSON as a dict.
    ///
    /// `project` wins over the file's own: an account may send for another project that lets it.
    /// `token_host` (`"host:port"`) replaces Google's token endpoint. Raises `CredentialError`.
    #[staticmethod]
    #[pyo3(signature = (file, *, project=None, token_host=None))]
    fn from_service_account(
        py: Python<'_>,
        file: &Bound<'_, PyAny>,
        project: Option<Str>,
        token_host: Option<Str>,
    ) -> PyResult<Self> {
        let file = credential_file(file)?;
        let (file, trusted) = (file.expose_secret(), authority(py, token_host)?);
        let credentials = fcm::Credentials::service_account_for(file, project.as_deref(), trusted.as_ref());
        Ok(made(credentials.or_raise(py)?, trusted))
    }

    /// Any credential file of Google; `project` where the file names none.
    #[staticmethod]
    #[pyo3(signature = (file, *, project=None, token_host=None))]
    fn from_file(
        py: Python<'_>,
        file: &Bound<'_, PyAny>,
        project: Option<Str>,
        token_host: Option<Str>,
    ) -> PyResult<Self> {
        let file = credential_file(file)?;
        let (file, trusted) = (file.expose_secret(), authority(py, token_host)?);
        let credentials = match &trusted {
            Some(host) => fcm::Credentials::from_file_trusting(file, project.as_deref(), host),
            None => fcm::Credentials::from_file(file, project.as_deref()),
        };
        Ok(made(credentials.or_raise(py)?, trusted))
    }

    /// The identity of a machine in Google's cloud, asked of its metadata server over plain HTTP. `host`
    /// (`"host:port"`) is another server than `metadata.google.internal`, as `GCE_METADATA_HOST` names it.
    #[staticmethod]
    #[pyo3(signature = (project, *, host=None))]
    fn from_metadata_server(py: Python<'_>, project: Str, host: Option<Str>) -> PyResult<Self> {
        let project = fcm::ProjectId::new(&project).or_raise(py)?;
        let host = authority(py, host)?;
        Ok(made(fcm::Credentials::metadata_server(project), host))
    }

    /// Access tokens that the host mints and hands in with `supply_token`.
    #[staticmethod]
    fn from_access_tokens(py: Python<'_>, project: Str) -> PyResult<Self> {
        let project = fcm::ProjectId::new(&project).or_raise(py)?;
        Ok(Self(Arc::new(fcm::Credentials::host_tokens(project))))
    }

    /// The project that messages are sent for.
    #[getter]
    fn project(&self) -> &str {
        self.0.project().as_str()
    }

    /// A token that the host minted, good for `lifetime` seconds.
    #[pyo3(signature = (token, *, lifetime, now=None))]
    fn supply_token(
        &self,
        py: Python<'_>,
        token: Str,
        lifetime: &Bound<'_, PyAny>,
        now: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<()> {
        self.0
            .supply_token(&token, duration(lifetime)?, clock(py, now)?)
            .or_raise(py)
    }

    /// The request that fetches an access token, for an HTTP client of one's own.
    #[pyo3(signature = (*, now=None))]
    fn token_request(&self, py: Python<'_>, now: Option<&Bound<'_, PyAny>>) -> PyResult<Request> {
        let now = clock(py, now)?;
        let call = py.detach(|| self.0.token_request(now)).or_raise(py)?;
        Ok(Request(call.request))
    }

    /// Takes the answer; `False` when another request is due.
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
        Err(not_pickled("FCM credentials"))
    }

    fn __repr__(&self) -> String {
        format!("<FcmCredentials project={:?}>", self.project())
    }
}

fn made(credentials: fcm::Credentials, token_host: Option<Authority>) -> FcmCredentials {
    let credentials = match token_host {
        Some(host) => credentials.with_token_authority(host),
        None => credentials,
    };
    FcmCredentials(Arc::new(credentials))
}

/// A path, the file's text, or a `dict` of it.
fn credential_file(file: &Bound<'_, PyAny>) -> PyResult<Secret<Vec<u8>>> {
    match file.cast::<PyDict>() {
        Ok(dict) => json_text(dict).map(Secret::new),
        Err(_) => credential(file),
    }
}

/// One message for one target.
///
/// Keywords are the fields of Google's own schema (`token`, `topic`, `condition` or `fid`;
/// `notification`, `data`, `android`, `apns`, `webpush`, `fcm_options`), with dicts inside. Or the
/// whole message as one dict or JSON text, with or without `{"message": ...}` around it.
/// `ttl` (seconds or a `timedelta`, at most four weeks) is set on each platform that says nothing itself.
/// Both `snake_case` and `camelCase` are read; a field that this version does not know is refused
/// unless it stands in a dict `extra` beside the known ones. Raises `MessageError` where FCM would refuse.
#[pyclass(frozen, module = "pushcore")]
pub(crate) struct FcmMessage(pub(crate) fcm::Message);

#[pymethods]
impl FcmMessage {
    /// The keywords are the fields of the service's own schema and become a JSON object of the
    /// same names, which the core reads and checks. What nearly all messages are made of takes a
    /// shorter way to the same.
    #[new]
    #[pyo3(signature = (
        message=None, /, *, validate_only=None, ttl=None, token=None, notification=None, data=None, **fields
    ))]
    #[allow(clippy::too_many_arguments, reason = "they are keyword arguments")]
    fn new(
        py: Python<'_>,
        message: Option<&Bound<'_, PyAny>>,
        validate_only: Option<bool>,
        ttl: Option<&Bound<'_, PyAny>>,
        token: Option<&Bound<'_, PyAny>>,
        notification: Option<&Bound<'_, PyAny>>,
        data: Option<&Bound<'_, PyAny>>,
        fields: Option<&Bound<'_, PyDict>>,
    ) -> PyResult<Self> {
        let named = [("token", token), ("notification", notification), ("data", data)];
        let keywords = fields.is_some() || named.iter().any(|(_, value)| value.is_some());
        let made = match message {
            Some(_) if keywords => {
                let text = "a whole message excludes keyword arguments";
                Err(Error::new(ErrorKind::Conflict, text))
            }
            Some(message) => match message.cast::<PyDict>() {
                Ok(dict) => fcm::Message::from_object(json_object(dict)?),
                Err(_) => fcm::Message::from_json(&bytes(message)?),
            },
            None => match plain(token, notification, data).filter(|_| fields.is_none()) {
                Some((builder, target)) => builder.build(target),
                None => {
                    let mut given = fields.map(json_object).transpose()?.unwrap_or_default();
                    for (name, value) in named {
                        if let Some(value) = value {
                            given.insert(name.to_owned(), json(value)?);
                        }
                    }
                    // A keyword that is None is one that was not given.
                    given.retain(|_, value| !value.is_null());
                    fcm::Message::from_object(given)
                }
            },
        };
        let mut message = made.or_raise(py)?;
        if let Some(ttl) = ttl {
            let (ttl, now) = (crate::values::ttl(ttl)?, clock(py, None)?);
            message = message.with_ttl(ttl, now).or_raise(py)?;
        }
        if let Some(validate_only) = validate_only {
            message = message.validate_only(validate_only);
        }
        Ok(Self(message))
    }

    /// The same message for another target; nothing is encoded again.
    #[pyo3(signature = (token=None, /, *, topic=None, condition=None, fid=None))]
    fn to(
        &self,
        py: Python<'_>,
        token: Option<&Bound<'_, PyAny>>,
        topic: Option<Str>,
        condition: Option<Str>,
        fid: Option<Str>,
    ) -> PyResult<Self> {
        let token = token.map(string).transpose()?;
        let target = match (token, topic, condition, fid) {
            (Some(token), None, None, None) => Target::token(&token),
            (None, Some(topic), None, None) => Target::topic(&topic),
            (None, None, Some(condition), None) => Target::condition(&condition),
            (None, None, None, Some(fid)) => Target::fid(&fid),
            _ => Err(Error::new(ErrorKind::InvalidTarget, "not exactly one target")),
        };
        Ok(Self(self.0.to(target.or_raise(py)?)))
    }

    /// The body of the request.
    #[getter]
    fn payload<'py>(&self, py: Python<'py>) -> Bound<'py, PyBytes> {
        PyBytes::new(py, &self.0.body())
    }

    /// Bytes of payload as the service counts them: at most 4,096, for topics 2,048.
    #[getter]
    fn payload_size(&self) -> usize {
        self.0.payload_size()
    }

    /// The request for an HTTP client of one's own; the credentials need a token first.
    #[pyo3(signature = (credentials, *, host=None, now=None))]
    fn request(
        &self,
        py: Python<'_>,
        credentials: &FcmCredentials,
        host: Option<Str>,
        now: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<Request> {
        let hosts = hosts(host).or_raise(py)?;
        fcm::request(&self.0, &credentials.0, &hosts, clock(py, now)?)
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
        outcome(py, fcm::outcome(&response.0, clock(py, now)?))
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
        other.is_ok_and(|other| self.0.body() == other.get().0.body())
    }

    fn __hash__(&self, py: Python<'_>) -> PyResult<isize> {
        hash_of(py, &self.0.body())
    }

    fn __repr__(&self) -> String {
        format!(
            "<FcmMessage {:?} {} bytes of payload>",
            self.0.target(),
            self.0.payload_size()
        )
    }
}

/// A message of nothing but texts, where the arguments make one: without a JSON object in between.
fn plain(
    token: Option<&Bound<'_, PyAny>>,
    notification: Option<&Bound<'_, PyAny>>,
    data: Option<&Bound<'_, PyAny>>,
) -> Option<(fcm::MessageBuilder, Target)> {
    let mut builder = fcm::Message::builder();
    if let Some(notification) = notification {
        let mut shown = fcm::Notification::new();
        for (key, value) in notification.cast::<PyDict>().ok()?.iter() {
            let place = match text_of(&key)? {
                "title" => &mut shown.title,
                "body" => &mut shown.body,
                "image" => &mut shown.image,
                _ => return None,
            };
            *place = Some(text_of(&value)?.to_owned());
        }
        builder.notification = Some(shown);
    }
    if let Some(data) = data {
        let entries = data.cast::<PyDict>().ok()?.iter();
        let entry = |(key, value): (Bound<'_, PyAny>, Bound<'_, PyAny>)| {
            Some((text_of(&key)?.to_owned(), text_of(&value)?.to_owned()))
        };
        builder.data = Some(entries.map(entry).collect::<Option<fcm::StringMap>>()?);
    }
    // What is wrong with a token is said on the longer way.
    Some((builder, Target::token(text_of(token?)?).ok()?))
}

/// The text of a `str` that has a UTF-8 form.
fn text_of<'a>(value: &'a Bound<'_, PyAny>) -> Option<&'a str> {
    value.cast::<PyString>().ok()?.to_str().ok()
}

/// Google's hosts, or one host for everything.
pub(crate) fn hosts(host: Option<Str>) -> Result<fcm::Hosts, Error> {
    host.map_or_else(
        || Ok(fcm::Hosts::default()),
        |host| Ok(fcm::Hosts::all(&Authority::parse(&host)?)),
    )
}
