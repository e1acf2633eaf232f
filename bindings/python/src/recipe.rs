//! Hashes of values that never change, and what does not travel in a pickle.

use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::types::PyBytes;

/// The hash of bytes, as Python counts it.
pub(crate) fn hash_of(py: Python<'_>, bytes: &[u8]) -> PyResult<isize> {
    PyBytes::new(py, bytes).as_any().hash()
}

/// Why credentials, and what holds them, do not travel in a pickle.
pub(crate) fn not_pickled(what: &str) -> PyErr {
    PyTypeError::new_err(format!(
        "cannot pickle {what}: it holds secrets; make it anew where it is needed"
    ))
}
