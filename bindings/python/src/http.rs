//! Requests and responses as values: for those who have an HTTP client of their own.

use pushcore::http::{self, Indexing, Method};
use pushcore::{Error, ErrorKind};
use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict, PyString};

use crate::errors::OrRaise;
use crate::recipe::not_pickled;
use crate::values::{Str, bytes, string, unknown_word};

/// One HTTPS request, complete: hand it to any HTTP client. APNs wants HTTP/2.
#[pyclass(frozen, module = "pushcore")]
pub(crate) struct Request(pub(crate) http::Request);

#[pymethods]
impl Request {
    /// One of one's own, for `Client.exchange`. `authority` is `host` or `host:port`, `path` begins
    /// with a slash and is percent-encoded. Raises `MessageError`.
    #[new]
    #[pyo3(signature = (method, authority, path, headers=None, body=None))]
    fn new(
        py: Python<'_>,
        method: Str,
        authority: Str,
        path: Str,
        headers: Option<&Bound<'_, PyAny>>,
        body: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<Self> {
        let known = Method::ALL.into_iter().find(|known| known.as_str() == &*method);
        let mut request = http::Request::new();
        request.method = known.ok_or_else(|| unknown_word("the method")).or_raise(py)?;
        request.authority = Some(http::Authority::parse(&authority).or_raise(py)?);
        request.path = path.into();
        if !request.path.starts_with('/') || !request.path.bytes().all(|byte| byte.is_ascii_graphic()) {
            let text = "a path begins with a slash and holds visible ascii only";
            return Err(Error::new(ErrorKind::InvalidValue, text)).or_raise(py);
        }
        for (name, value) in headers.map(pairs).transpose()?.into_iter().flatten() {
            let name = name.to_ascii_lowercase();
            let pushed = request.headers.push_sensitive(&name, &value, Indexing::Without);
            pushed.or_raise(py)?;
        }
        if let Some(body) = body {
            request.body = bytes(body)?.into();
        }
        Ok(Self(request))
    }

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

    fn __copy__(slf: Py<Self>) -> Py<Self> {
        slf
    }

    fn __deepcopy__(slf: Py<Self>, _memo: &Bound<'_, PyAny>) -> Py<Self> {
        slf
    }

    fn __reduce__(&self) -> PyResult<()> {
        Err(not_pickled("a request"))
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
        for (name, value) in headers.map(pairs).transpose()?.into_iter().flatten() {
            response = response.with_header(&name, &value);
        }
        Ok(Self(response))
    }

    /// The status.
    #[getter]
    fn status(&self) -> u16 {
        self.0.status
    }

    /// Names in lower case, in the order of the wire.
    #[getter]
    fn headers(&self) -> Vec<(String, String)> {
        let headers = self.0.headers.iter();
        headers
            .map(|header| (header.name.to_owned(), header.value.to_owned()))
            .collect()
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

/// Names and values: httpx, requests and urllib3 have mappings with `items`; http.client has pairs.
fn pairs(headers: &Bound<'_, PyAny>) -> PyResult<Vec<(String, String)>> {
    let pairs = match headers.cast::<PyDict>() {
        Ok(dict) => dict.items().into_any(),
        Err(_) if headers.hasattr("items")? => headers.call_method0("items")?,
        Err(_) => headers.clone(),
    };
    let pair = |pair: PyResult<Bound<'_, PyAny>>| {
        let (name, value): (Bound<'_, PyAny>, Bound<'_, PyAny>) = pair?.extract()?;
        Ok((header_text(&name)?, header_text(&value)?))
    };
    pairs.try_iter()?.map(pair).collect()
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
