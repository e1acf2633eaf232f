//! Requests and responses as values: for those who have an HTTP client of their own.

use pushcore::http;
use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict, PyString};

use crate::values::{bytes, string};

/// One HTTPS request, complete: hand it to any HTTP client. APNs wants HTTP/2.
#[pyclass(frozen, module = "pushcore")]
pub(crate) struct Request(pub(crate) http::Request);

#[pymethods]
impl Request {
    /// `POST`, mostly.
    #[getter]
    fn method(&self) -> &'static str {
        self.0.method.as_str()
    }

    /// `https://authority/path`.
    #[getter]
    fn url(&self) -> String {
        self.0.url()
    }

    /// `host` or `host:port`.
    #[getter]
    fn authority(&self) -> &str {
        self.0.authority.as_ref().map_or("", http::Authority::as_str)
    }

    /// Path and query.
    #[getter]
    fn path(&self) -> &str {
        &self.0.path
    }

    /// Names in lower case, in the order of the wire. Holds the credentials.
    #[getter]
    fn headers(&self) -> Vec<(String, String)> {
        self.0
            .all_headers()
            .map(|header| (header.name.to_owned(), header.value.to_owned()))
            .collect()
    }

    /// The body.
    #[getter]
    fn body<'py>(&self, py: Python<'py>) -> Bound<'py, PyBytes> {
        PyBytes::new(py, self.0.body.as_bytes())
    }

    fn __repr__(&self) -> String {
        // The path and the headers hold tokens.
        format!(
            "<Request {} {} body of {} bytes>",
            self.0.method.as_str(),
            self.authority(),
            self.0.body.len()
        )
    }
}

/// An answer that another HTTP client received.
#[pyclass(frozen, module = "pushcore")]
pub(crate) struct Response(pub(crate) http::Response);

#[pymethods]
impl Response {
    #[new]
    #[pyo3(signature = (status, headers=None, body=None))]
    fn new(
        status: u16,
        headers: Option<&Bound<'_, PyAny>>,
        body: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<Self> {
        let body = body.map(bytes).transpose()?.unwrap_or_default();
        let mut response = http::Response::new(status, body);
        if let Some(headers) = headers {
            // httpx, requests and urllib3 have mappings with `items`; http.client has pairs.
            let pairs = match headers.cast::<PyDict>() {
                Ok(dict) => dict.items().into_any(),
                Err(_) if headers.hasattr("items")? => headers.call_method0("items")?,
                Err(_) => headers.clone(),
            };
            for pair in pairs.try_iter()? {
                let (name, value): (Bound<'_, PyAny>, Bound<'_, PyAny>) = pair?.extract()?;
                response = response.with_header(&header_text(&name)?, &header_text(&value)?);
            }
        }
        Ok(Self(response))
    }

    /// The status.
    #[getter]
    fn status(&self) -> u16 {
        self.0.status
    }

    /// The body.
    #[getter]
    fn body<'py>(&self, py: Python<'py>) -> Bound<'py, PyBytes> {
        PyBytes::new(py, &self.0.body)
    }

    fn __repr__(&self) -> String {
        format!("<Response {} body of {} bytes>", self.0.status, self.0.body.len())
    }
}

fn header_text(value: &Bound<'_, PyAny>) -> PyResult<String> {
    if value.is_instance_of::<PyString>() {
        return string(value);
    }
    match value.cast::<PyBytes>() {
        Ok(bytes) => Ok(String::from_utf8_lossy(bytes.as_bytes()).into_owned()),
        Err(_) => Err(PyTypeError::new_err("a header's name and value are str or bytes")),
    }
}
