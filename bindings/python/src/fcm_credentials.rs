//! Firebase Cloud Messaging: credentials and hosts.

use std::sync::Arc;

use pushcore::Error;
use pushcore::fcm;
use pushcore::http::Authority;
use pushcore::secret::Secret;
use pyo3::prelude::*;
use pyo3::types::PyDict;

use crate::errors::OrRaise;
use crate::http::{Request, Response};
use crate::recipe::{PySecret, secret};
use crate::values::{SecretStr, Str, authority, clock, credential, duration, json_text};

/// A Google identity that sends for one project. Clients share its access token.
#[pyclass(frozen, extends = PySecret, module = "pushcore")]
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
    ) -> PyResult<Py<Self>> {
        let file = credential_file(file)?;
        let (file, trusted) = (file.expose_secret(), authority(py, token_host)?);
        let credentials = fcm::Credentials::service_account_for(file, project.as_deref(), trusted.as_ref());
        made(py, credentials.or_raise(py)?, trusted)
    }

    /// Any credential file of Google; `project` where the file names none.
    #[staticmethod]
    #[pyo3(signature = (file, *, project=None, token_host=None))]
    fn from_file(
        py: Python<'_>,
        file: &Bound<'_, PyAny>,
        project: Option<Str>,
        token_host: Option<Str>,
    ) -> PyResult<Py<Self>> {
        let file = credential_file(file)?;
        let (file, trusted) = (file.expose_secret(), authority(py, token_host)?);
        let credentials = match &trusted {
            Some(host) => fcm::Credentials::from_file_trusting(file, project.as_deref(), host),
            None => fcm::Credentials::from_file(file, project.as_deref()),
        };
        made(py, credentials.or_raise(py)?, trusted)
    }

    /// The identity of a machine in Google's cloud, asked of its metadata server over plain HTTP. `host`
    /// (`"host:port"`) is another server than `metadata.google.internal`, as `GCE_METADATA_HOST` names it.
    #[staticmethod]
    #[pyo3(signature = (project, *, host=None))]
    fn from_metadata_server(py: Python<'_>, project: Str, host: Option<Str>) -> PyResult<Py<Self>> {
        let project = fcm::ProjectId::new(&project).or_raise(py)?;
        let host = authority(py, host)?;
        made(py, fcm::Credentials::metadata_server(project), host)
    }

    /// Access tokens that the host mints and hands in with `supply_token`.
    #[staticmethod]
    fn from_access_tokens(py: Python<'_>, project: Str) -> PyResult<Py<Self>> {
        let project = fcm::ProjectId::new(&project).or_raise(py)?;
        made(py, fcm::Credentials::host_tokens(project), None)
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
        token: SecretStr,
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

    fn __repr__(&self) -> String {
        format!("<FcmCredentials project={:?}>", self.project())
    }
}

fn made(
    py: Python<'_>,
    credentials: fcm::Credentials,
    token_host: Option<Authority>,
) -> PyResult<Py<FcmCredentials>> {
    let credentials = match token_host {
        Some(host) => credentials.with_token_authority(host),
        None => credentials,
    };
    Py::new(py, secret(FcmCredentials(Arc::new(credentials))))
}

/// A path, the file's text, or a `dict` of it.
fn credential_file(file: &Bound<'_, PyAny>) -> PyResult<Secret<Vec<u8>>> {
    match file.cast::<PyDict>() {
        Ok(dict) => json_text(dict).map(Secret::new),
        Err(_) => credential(file),
    }
}

/// Google's hosts, or one host for everything.
pub(crate) fn hosts(host: Option<Str>) -> Result<fcm::Hosts, Error> {
    host.map_or_else(
        || Ok(fcm::Hosts::default()),
        |host| Ok(fcm::Hosts::all(&Authority::parse(&host)?)),
    )
}
