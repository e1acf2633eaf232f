//! Keyword arguments as the JSON form of a message (`docs/messages.md`), which the core reads and checks.

use pushcore::service::{Kind, Message};
use pushcore::{Error, ErrorKind};
use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList, PyString};
use serde_json::{Map, Value};

use crate::errors::{OrRaise, wrong};
use crate::values::{self, json_object, json_text, string};

/// A keyword, the path of the field that it fills, and how its value is written there. `Null` leaves the field out.
pub(crate) type Field = (
    &'static str,
    &'static str,
    fn(&Bound<'_, PyAny>) -> PyResult<Value>,
);

/// The form of one message.
#[derive(Default)]
pub(crate) struct Form(Map<String, Value>);

impl Form {
    /// Puts every keyword under its field. `None` is the same as a keyword that was not given.
    pub(crate) fn of(keywords: Option<&Bound<'_, PyDict>>, fields: &[Field]) -> PyResult<Self> {
        let mut form = Self::default();
        for (name, value) in keywords.into_iter().flat_map(|keywords| keywords.iter()) {
            let name = string(&name)?;
            let Some((_, path, write)) = fields.iter().find(|(known, ..)| *known == name) else {
                let text = format!("unexpected keyword argument {name:?}");
                return Err(PyTypeError::new_err(text));
            };
            if value.is_none() {
                continue;
            }
            if form.put(path, write(&value)?) {
                let text = format!("{path} is given under two names of one thing");
                return Err(Error::new(ErrorKind::Conflict, text)).or_raise(value.py());
            }
        }
        Ok(form)
    }

    /// Puts a value that is not null under a path of names with dots; says whether there was another.
    pub(crate) fn put(&mut self, path: &str, value: Value) -> bool {
        if value.is_null() {
            return false;
        }
        let mut at = &mut self.0;
        let mut names = path.split('.');
        let last = names.next_back().unwrap_or_default();
        for name in names {
            let inner = at.entry(name).or_insert_with(|| Map::new().into());
            // Only a path that goes on below a value is no object; no table has one.
            let Value::Object(inner) = inner else { return true };
            at = inner;
        }
        at.insert(last.to_owned(), value).is_some()
    }

    pub(crate) fn remove(&mut self, name: &str) {
        self.0.remove(name);
    }

    /// The form as JSON.
    pub(crate) fn json(self) -> String {
        Value::Object(self.0).to_string()
    }

    /// The message that the form describes.
    pub(crate) fn read(self, py: Python<'_>, service: Kind) -> PyResult<Message> {
        let json = self.json();
        Message::from_json(service, json.as_bytes()).or_raise(py)
    }
}

/// A `str`.
pub(crate) fn text(value: &Bound<'_, PyAny>) -> PyResult<Value> {
    string(value).map(Value::from)
}

/// A list of `str`.
pub(crate) fn texts(value: &Bound<'_, PyAny>) -> PyResult<Value> {
    let list = value
        .cast::<PyList>()
        .map_err(|_| values::type_error(value, "a list"))?;
    list.iter().map(|item| text(&item)).collect()
}

/// `True`; `False` is the same as absent.
pub(crate) fn set(value: &Bound<'_, PyAny>) -> PyResult<Value> {
    let set: bool = value.extract()?;
    Ok(if set { true.into() } else { Value::Null })
}

/// A `dict` of anything that JSON has.
pub(crate) fn object(value: &Bound<'_, PyAny>) -> PyResult<Value> {
    json_object(dict(value)?).map(Value::Object)
}

/// A `dict` of `str`. The error names the key, which is the caller's own word and tells which of many values it is.
pub(crate) fn pairs(value: &Bound<'_, PyAny>) -> PyResult<Value> {
    let pair = |(key, value): (Bound<'_, PyAny>, Bound<'_, PyAny>)| {
        let key = string(&key)?;
        if !value.is_instance_of::<PyString>() {
            let found = value.get_type().name()?;
            let text = format!("data[{key:?}]: expected str, not {found}");
            return Err(PyTypeError::new_err(text));
        }
        Ok((key, text(&value)?))
    };
    let pairs: PyResult<Map<_, _>> = dict(value)?.iter().map(pair).collect();
    pairs.map(Value::Object)
}

/// JSON as it is, or a `dict` of it.
pub(crate) fn raw(value: &Bound<'_, PyAny>) -> PyResult<Value> {
    let refuse = |_| wrong(value.py(), ErrorKind::InvalidUtf8, "the json is not utf-8");
    String::from_utf8(json_text(value)?)
        .map(Value::from)
        .map_err(refuse)
}

/// A time to live, in whole seconds.
pub(crate) fn ttl(value: &Bound<'_, PyAny>) -> PyResult<Value> {
    Ok(values::ttl(value)?.as_secs().into())
}

/// A date, in whole seconds since 1970.
pub(crate) fn date(value: &Bound<'_, PyAny>) -> PyResult<Value> {
    Ok(values::date(value, "time of sending")?.as_secs().into())
}

fn dict<'a, 'py>(value: &'a Bound<'py, PyAny>) -> PyResult<&'a Bound<'py, PyDict>> {
    value.cast().map_err(|_| values::type_error(value, "a dict"))
}
