//! Keys and credentials do not travel in a pickle.

use pyo3::PyClass;
use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;

/// The base class of keys and credentials: a copy is the same object, and there is no pickle.
#[pyclass(frozen, subclass, module = "pushcore._pushcore", name = "_Secret")]
pub(crate) struct PySecret;

/// A value of a class that derives from [`PySecret`].
pub(crate) fn secret<T: PyClass<BaseType = PySecret>>(value: T) -> PyClassInitializer<T> {
    PyClassInitializer::from(PySecret).add_subclass(value)
}

#[pymethods]
impl PySecret {
    fn __copy__(slf: Py<Self>) -> Py<Self> {
        slf
    }

    fn __deepcopy__(slf: Py<Self>, _memo: &Bound<'_, PyAny>) -> Py<Self> {
        slf
    }

    fn __reduce__(slf: &Bound<'_, Self>) -> PyResult<()> {
        Err(not_pickled(&slf.get_type().name()?.to_string_lossy()))
    }
}

/// Why credentials, and what holds them, do not travel in a pickle.
pub(crate) fn not_pickled(what: &str) -> PyErr {
    PyTypeError::new_err(format!(
        "cannot pickle {what}: it holds secrets; make it anew where it is needed"
    ))
}
