//! Baidu Cloud Push: credentials.

use std::sync::Arc;

use pushcore::baidu;
use pyo3::prelude::*;

use crate::errors::OrRaise;
use crate::recipe::{PySecret, secret};
use crate::values::{SecretStr, Str};

/// An application's API key and secret key.
#[pyclass(frozen, extends = PySecret, module = "pushcore")]
pub(crate) struct BaiduCredentials(pub(crate) Arc<baidu::Credentials>);

#[pymethods]
impl BaiduCredentials {
    #[new]
    fn new(py: Python<'_>, api_key: Str, secret_key: SecretStr) -> PyResult<PyClassInitializer<Self>> {
        let credentials = baidu::Credentials::new(&api_key, &secret_key).or_raise(py)?;
        Ok(secret(Self(Arc::new(credentials))))
    }

    fn __repr__(&self) -> String {
        "<BaiduCredentials>".to_owned()
    }
}
