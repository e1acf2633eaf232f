//! The core's errors as Python exceptions: the one place where one becomes the other.
//!
//! The classes are written in Python (`pushcore/_errors.py`), because each of them derives from
//! two bases and from one builtin.

use pushcore::{Error, ErrorKind};
use pyo3::exceptions::{PyOverflowError, PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::PyDict;

static CLASSES: PyOnceLock<Py<PyDict>> = PyOnceLock::new();

/// An exception to be raised.
pub(crate) fn raise(py: Python<'_>, error: &Error) -> PyErr {
    match exception(py, error) {
        Ok(exception) => PyErr::from_value(exception),
        Err(other) => other,
    }
}

/// An exception to be handed out: `send_many` yields them.
pub(crate) fn exception<'py>(py: Python<'py>, error: &Error) -> PyResult<Bound<'py, PyAny>> {
    let exception = make(py, error.kind(), &error.to_string())?;
    // The class of the cause says what the class of the end cannot: whether a key, a certificate, a port
    // or a proxy is why a message was not sent.
    if let Some(cause) = error.cause() {
        exception.setattr("__cause__", self::exception(py, cause)?)?;
    }
    Ok(exception)
}

/// An exception that the binding itself raises about an argument.
pub(crate) fn wrong(py: Python<'_>, kind: ErrorKind, text: &str) -> PyErr {
    match make(py, kind, text) {
        Ok(exception) => PyErr::from_value(exception),
        Err(other) => other,
    }
}

fn make<'py>(py: Python<'py>, kind: ErrorKind, text: &str) -> PyResult<Bound<'py, PyAny>> {
    let classes = CLASSES.get_or_try_init(py, || -> PyResult<_> {
        let classes = py.import("pushcore._errors")?.getattr("CLASSES")?;
        Ok(classes.cast_into::<PyDict>()?.unbind())
    })?;
    // By the kind's own number first, by its hundred otherwise.
    let classes = classes.bind(py);
    let class = match classes.get_item(kind.code())? {
        Some(class) => Some(class),
        None => classes.get_item(kind.code() / 100)?,
    };
    let class = match class {
        Some(class) => class,
        None => classes.as_any().get_item(ErrorKind::Internal.code() / 100)?,
    };
    class.call1((text, kind.code(), kind.name()))
}

/// `Result<T, Error>` to `PyResult<T>`.
pub(crate) trait OrRaise<T> {
    fn or_raise(self, py: Python<'_>) -> PyResult<T>;
}

impl<T> OrRaise<T> for Result<T, Error> {
    fn or_raise(self, py: Python<'_>) -> PyResult<T> {
        self.map_err(|error| raise(py, &error))
    }
}

/// Every kind with its number, for the check that all languages agree.
#[pyfunction]
pub(crate) fn error_kinds() -> Vec<(&'static str, u16)> {
    ErrorKind::ALL
        .iter()
        .map(|kind| (kind.name(), kind.code()))
        .collect()
}

/// The kind with that number: for errors that a Python driver reports to the session.
pub(crate) fn kind_of(code: u16) -> Option<ErrorKind> {
    ErrorKind::ALL.iter().copied().find(|kind| kind.code() == code)
}

/// An exception about one item as its result; any other exception goes on its way.
pub(crate) fn refusal(py: Python<'_>, raised: PyErr) -> PyResult<Error> {
    let code = raised
        .value(py)
        .getattr("code")
        .and_then(|code| code.extract::<u16>());
    match code.ok().and_then(kind_of) {
        Some(kind) => Ok(Error::new(kind, raised.value(py).str()?.to_string())),
        None => Err(raised),
    }
}

/// Returns the result of an item of a bulk send that is no message and no target: one item is one result, and never the
/// end of the run. What is not about the item (Ctrl-C, lack of memory) is raised.
pub(crate) fn refused_item(py: Python<'_>, raised: PyErr) -> PyResult<Error> {
    let about_the_item = raised.is_instance_of::<PyTypeError>(py)
        || raised.is_instance_of::<PyValueError>(py)
        || raised.is_instance_of::<PyOverflowError>(py);
    match refusal(py, raised) {
        Err(raised) if about_the_item => {
            let text = raised.value(py).str()?.to_string();
            Ok(Error::new(ErrorKind::InvalidTarget, text))
        }
        other => other,
    }
}
