//! Maps of strings, and free JSON objects.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use super::{Path, Wire};
use crate::error::{Error, ErrorKind};
use crate::json;

/// The number of keys up to which comparing each with each is cheaper than a set.
const FEW: usize = 8;

/// A map of text to text that keeps its order. A key given twice is refused when
/// the message is built: FCM would take the last one silently.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StringMap(Vec<(String, String)>);

impl StringMap {
    /// An empty map.
    pub fn new() -> Self {
        Self::default()
    }

    /// Appends an entry.
    #[must_use]
    pub fn entry(mut self, key: impl Into<String>, value: impl Into<String>) -> Self {
        self.0.push((key.into(), value.into()));
        self
    }

    /// The entries in order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(key, value)| (key.as_str(), value.as_str()))
    }

    /// The first value of `name`, whatever its case.
    pub(crate) fn get_header(&self, name: &str) -> Option<&str> {
        self.iter()
            .find(|(key, _)| key.eq_ignore_ascii_case(name))
            .map(|(_, value)| value)
    }

    /// Bytes of all keys and values.
    pub(crate) fn size(&self) -> usize {
        self.iter().fold(0, |sum, (key, value)| {
            sum.saturating_add(key.len()).saturating_add(value.len())
        })
    }
}

impl<K: Into<String>, V: Into<String>> FromIterator<(K, V)> for StringMap {
    fn from_iter<I: IntoIterator<Item = (K, V)>>(entries: I) -> Self {
        Self(entries.into_iter().map(|(k, v)| (k.into(), v.into())).collect())
    }
}

impl<K: Into<String>, V: Into<String>, const N: usize> From<[(K, V); N]> for StringMap {
    fn from(entries: [(K, V); N]) -> Self {
        entries.into_iter().collect()
    }
}

impl Wire for StringMap {
    fn to_value(&self, _at: &Path<'_>) -> Result<Value, Error> {
        let map: Map<String, Value> = self
            .0
            .iter()
            .map(|(k, v)| (k.clone(), v.clone().into()))
            .collect();
        Ok(Value::Object(map))
    }

    fn write(&self, _at: &Path<'_>, out: &mut Vec<u8>) -> Result<(), Error> {
        // A key that is there twice is refused before anything is written.
        out.push(b'{');
        for (number, (key, value)) in self.iter().enumerate() {
            if number > 0 {
                out.push(b',');
            }
            json::write_text(key, out);
            out.push(b':');
            json::write_text(value, out);
        }
        out.push(b'}');
        Ok(())
    }

    fn read(value: Value, at: &Path<'_>) -> Result<Self, Error> {
        let Value::Object(map) = value else {
            return Err(at.error(ErrorKind::InvalidPayload, "not an object of strings"));
        };
        let entry = |(key, value): (String, Value)| match value {
            Value::String(text) => Ok((key, text)),
            _ => Err(at.field(&key).error(ErrorKind::InvalidPayload, "not a string")),
        };
        map.into_iter().map(entry).collect::<Result<_, _>>().map(Self)
    }

    fn check(&self, at: &Path<'_>) -> Result<(), Error> {
        let twice = |key| Err(at.field(key).error(ErrorKind::Conflict, "the key is given twice"));
        if self.0.len() <= FEW {
            for (number, (key, _)) in self.iter().enumerate() {
                if self.iter().take(number).any(|(other, _)| other == key) {
                    return twice(key);
                }
            }
            return Ok(());
        }
        let mut seen = BTreeSet::new();
        self.iter()
            .find(|(key, _)| !seen.insert(*key))
            .map_or(Ok(()), |(key, _)| twice(key))
    }

    #[cfg(test)]
    fn schema() -> Value {
        serde_json::json!({"type": "object", "additionalProperties": {"type": "string"}})
    }

    #[cfg(test)]
    fn kind() -> String {
        "object of strings".to_owned()
    }
}

/// A JSON object of the caller's making.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct JsonObject(Map<String, Value>);

impl JsonObject {
    /// Reads one JSON object.
    ///
    /// # Errors
    /// `InvalidPayload` when it is not JSON, not an object, or holds a key twice.
    pub fn parse(text: &[u8]) -> Result<Self, Error> {
        json::parse_object(text).map(Self)
    }

    /// The members in order.
    pub fn as_map(&self) -> &Map<String, Value> {
        &self.0
    }
}

impl From<Map<String, Value>> for JsonObject {
    fn from(map: Map<String, Value>) -> Self {
        Self(map)
    }
}

impl Wire for JsonObject {
    fn to_value(&self, _at: &Path<'_>) -> Result<Value, Error> {
        Ok(Value::Object(self.0.clone()))
    }

    fn write(&self, _at: &Path<'_>, out: &mut Vec<u8>) -> Result<(), Error> {
        json::write(&self.0, out);
        Ok(())
    }

    fn read(value: Value, at: &Path<'_>) -> Result<Self, Error> {
        match value {
            Value::Object(map) => Ok(Self(map)),
            _ => Err(at.error(ErrorKind::InvalidPayload, "not an object")),
        }
    }

    #[cfg(test)]
    fn schema() -> Value {
        serde_json::json!({"type": "object"})
    }

    #[cfg(test)]
    fn kind() -> String {
        "object".to_owned()
    }
}
