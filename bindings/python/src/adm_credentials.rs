//! Amazon Device Messaging: credentials.

use std::sync::Arc;

use pushcore::adm;
use pyo3::prelude::*;

use crate::errors::OrRaise;
use crate::http::{Request, Response};
use crate::recipe::{PySecret, secret};
use crate::values::{SecretStr, Str, authority, clock};

/// A security profile of Amazon's developer console. Clients share its access token.
#[pyclass(frozen, extends = PySecret, module = "pushcore")]
pub(crate) struct AdmCredentials(pub(crate) Arc<adm::Credentials>);

#[pymethods]
impl AdmCredentials {
    #[new]
    #[pyo3(signature = (client_id, client_secret, *, token_host=None))]
    fn new(
        py: Python<'_>,
        client_id: Str,
        client_secret: SecretStr,
        token_host: Option<Str>,
    ) -> PyResult<PyClassInitializer<Self>> {
        let credentials = adm::Credentials::new(&client_id, &client_secret).or_raise(py)?;
        let credentials = match authority(py, token_host)? {
            Some(host) => credentials.with_token_authority(host),
            None => credentials,
        };
        Ok(secret(Self(Arc::new(credentials))))
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

    fn __repr__(&self) -> String {
        "<AdmCredentials>".to_owned()
    }
}
