//! Copying, comparing and pickling of values that never change.

use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict, PyString, PyTuple};

/// The keyword arguments that make a message anew in another process. What can be changed outside is
/// copied.
pub(crate) struct Recipe(Py<PyDict>);

impl Recipe {
    pub(crate) fn new(py: Python<'_>) -> Self {
        Self(PyDict::new(py).unbind())
    }

    /// Adds an argument that was given.
    pub(crate) fn put<'py, T>(self, py: Python<'py>, name: &str, value: Option<T>) -> PyResult<Self>
    where
        T: IntoPyObject<'py>,
    {
        if let Some(value) = value {
            self.0.bind(py).set_item(name, value)?;
        }
        Ok(self)
    }

    /// Adds an argument that may be changed outside later.
    pub(crate) fn put_copy(
        self,
        py: Python<'_>,
        name: &str,
        value: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<Self> {
        match value {
            Some(value) => {
                let copy = py.import("copy")?.call_method1("deepcopy", (value,))?;
                self.put(py, name, Some(copy))
            }
            None => Ok(self),
        }
    }

    /// The same with another value of one argument.
    pub(crate) fn with<'py, T>(&self, py: Python<'py>, name: &str, value: T) -> PyResult<Self>
    where
        T: IntoPyObject<'py>,
    {
        Self(self.0.bind(py).copy()?.unbind()).put(py, name, Some(value))
    }

    /// With what `rest` has besides, but for `others`.
    pub(crate) fn and_the_rest_of(self, py: Python<'_>, rest: &Self, others: &[&str]) -> PyResult<Self> {
        let all = rest.0.bind(py).copy()?;
        for name in others {
            if all.contains(name)? {
                all.del_item(name)?;
            }
        }
        self.0.bind(py).update(all.as_mapping())?;
        Ok(self)
    }

    /// What `__getnewargs_ex__` returns.
    pub(crate) fn arguments<'py>(
        &self,
        py: Python<'py>,
    ) -> PyResult<(Bound<'py, PyTuple>, Bound<'py, PyDict>)> {
        Ok((PyTuple::empty(py), self.0.bind(py).copy()?))
    }

    /// A hash of the arguments that are plain text.
    pub(crate) fn hash_of_text(&self, py: Python<'_>) -> PyResult<isize> {
        let mut all = 0_isize;
        for (name, value) in self.0.bind(py).iter() {
            if value.is_instance_of::<PyString>() {
                all ^= PyTuple::new(py, [name, value])?.as_any().hash()?;
            }
        }
        Ok(all)
    }

    /// Whether both make the same.
    pub(crate) fn same_as(&self, py: Python<'_>, other: &Self) -> PyResult<bool> {
        self.0.bind(py).eq(other.0.bind(py))
    }
}

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
