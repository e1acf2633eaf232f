//! What does not travel in a pickle.

use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;

/// Why credentials, and what holds them, do not travel in a pickle.
pub(crate) fn not_pickled(what: &str) -> PyErr {
    PyTypeError::new_err(format!(
        "cannot pickle {what}: it holds secrets; make it anew where it is needed"
    ))
}
