//! Whom a Pushpad notification is for: `pushcore.dialect.Selection`.

use pushcore::dialect;
use pyo3::prelude::*;

use crate::errors::OrRaise;
use crate::values::{Items, Str, json_text};

/// The subscriptions that a filter of Pushpad's steps means.
#[pyclass(frozen, module = "pushcore.dialect")]
pub(crate) struct Selection(dialect::Selection);

#[pymethods]
impl Selection {
    /// `filter` is a `dict` or JSON with the members `uids` and `tags`. Raises `MessageError`.
    #[new]
    fn new(py: Python<'_>, filter: &Bound<'_, PyAny>) -> PyResult<Self> {
        dialect::Selection::from_json(&json_text(filter)?)
            .map(Self)
            .or_raise(py)
    }

    /// Whether a subscription with this uid and these tags is selected.
    fn selects(&self, uid: Option<Str>, tags: Items<Str>) -> bool {
        let tags: Vec<&str> = tags.iter().map(|tag| &**tag).collect();
        self.0.selects(uid.as_deref(), &tags)
    }

    fn __repr__(&self) -> String {
        format!("<{:?}>", self.0)
    }
}

/// A condition on the tags of a subscription.
#[pyclass(frozen, module = "pushcore.dialect")]
pub(crate) struct TagExpression(dialect::TagExpression);

#[pymethods]
impl TagExpression {
    /// Reads an expression, for example `"paid && !trial || staff"`. Raises `MessageError`.
    #[new]
    fn new(py: Python<'_>, text: Str) -> PyResult<Self> {
        dialect::TagExpression::parse(&text).map(Self).or_raise(py)
    }

    /// Whether a subscription with these tags is meant.
    fn matches(&self, tags: Items<Str>) -> bool {
        let tags: Vec<&str> = tags.iter().map(|tag| &**tag).collect();
        self.0.matches(&tags)
    }

    fn __repr__(&self) -> String {
        format!("<{:?}>", self.0)
    }
}

/// The signature with which a page proves a user's id to Pushpad's part in the browser.
#[pyfunction]
pub(crate) fn pushpad_signature(token: Str, uid: Str) -> String {
    dialect::pushpad_signature(&token, &uid)
}
