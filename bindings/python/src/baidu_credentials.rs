//! Baidu Cloud Push: credentials.

use std::sync::Arc;

use pushcore::baidu;
use pyo3::prelude::*;

use crate::errors::OrRaise;
use crate::recipe::not_pickled;
use crate::values::Str;

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
