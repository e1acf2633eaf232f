//! The parts of an outcome as a `dict`: what pickles hold, and what outcomes made by hand are given.

use pushcore::outcome::{Outcome, OutcomeKind, OutcomeParts, Scope, Suspect};
use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict, PyTuple};

use crate::errors::{OrRaise, raise};
use crate::values::{bytes, duration, integer, seconds, string, unix_time, unknown_word};

/// Every part that says something, by its name in [`OutcomeParts`].
pub(crate) fn to_dict<'py>(py: Python<'py>, outcome: &Outcome) -> PyResult<Bound<'py, PyDict>> {
    let (parts, default) = (outcome.parts(), OutcomeParts::default());
    let dict = PyDict::new(py);
    for (name, text) in [
        ("kind", Some(parts.kind.name())),
        ("reason", parts.reason),
        ("id", parts.id),
        ("unique_id", parts.unique_id),
        ("replacement", parts.replacement),
        ("location", parts.location),
        ("receipt", parts.receipt),
        ("scope", parts.scope.map(Scope::name)),
    ] {
        text.map_or(Ok(()), |text| dict.set_item(name, text))?;
    }
    for (name, number) in [
        ("ttl", parts.ttl.map(|ttl| ttl.as_secs_f64())),
        ("since", parts.since.map(seconds)),
        ("after", parts.after.map(|after| after.as_secs_f64())),
    ] {
        number.map_or(Ok(()), |number| dict.set_item(name, number))?;
    }
    for (name, flag) in [
        ("reason_is_known", parts.reason_is_known),
        ("refreshable", parts.refreshable),
        ("reconnect", parts.reconnect),
    ] {
        flag.then(|| dict.set_item(name, true)).transpose()?;
    }
    dict.set_item("status", parts.status)?;
    dict.set_item("body", PyBytes::new(py, parts.body))?;
    if parts.suspects != default.suspects {
        let names = parts.suspects.iter().map(Suspect::name);
        dict.set_item("suspects", PyTuple::new(py, names.collect::<Vec<_>>())?)?;
    }
    if let Some(skew) = parts.clock_skew {
        dict.set_item("clock_skew", skew)?;
    }
    Ok(dict)
}

/// The outcome of these parts; `None` is the same as absent.
pub(crate) fn from_dict(kind: OutcomeKind, dict: &Bound<'_, PyDict>) -> PyResult<Outcome> {
    let py = dict.py();
    let mut texts: Vec<(String, String)> = Vec::new();
    let mut body = Vec::new();
    let mut parts = OutcomeParts::new(kind);
    for (name, value) in dict.iter() {
        let name = string(&name)?;
        if value.is_none() {
            continue;
        }
        match name.as_str() {
            "kind" => {}
            "reason" | "id" | "unique_id" | "replacement" | "location" | "receipt" => {
                texts.push((name, string(&value)?));
            }
            "scope" => {
                let scope = Scope::from_name(&string(&value)?);
                parts.scope = Some(scope.ok_or_else(|| raise(py, &unknown_word("scope")))?);
            }
            "suspects" => {
                for name in value.try_iter()? {
                    let suspect = Suspect::from_name(&string(&name?)?);
                    let suspect = suspect.ok_or_else(|| raise(py, &unknown_word("a suspect")))?;
                    parts.suspects = parts.suspects.with(suspect);
                }
            }
            "status" => parts.status = integer(&value, "the status is not between 0 and 65535")?,
            "body" => body = bytes(&value)?,
            "ttl" => parts.ttl = Some(duration(&value)?),
            "after" => parts.after = Some(duration(&value)?),
            "since" => parts.since = Some(unix_time(&value)?),
            "clock_skew" => parts.clock_skew = Some(integer(&value, "clock_skew does not fit into 64 bits")?),
            "reason_is_known" => parts.reason_is_known = value.extract()?,
            "refreshable" => parts.refreshable = value.extract()?,
            "reconnect" => parts.reconnect = value.extract()?,
            _ => return Err(PyTypeError::new_err(format!("an outcome has no {name}"))),
        }
    }
    parts.body = &body;
    for (name, text) in &texts {
        let place = match name.as_str() {
            "reason" => &mut parts.reason,
            "id" => &mut parts.id,
            "unique_id" => &mut parts.unique_id,
            "replacement" => &mut parts.replacement,
            "location" => &mut parts.location,
            _ => &mut parts.receipt,
        };
        *place = Some(text);
    }
    Outcome::from_parts(&parts).or_raise(py)
}
