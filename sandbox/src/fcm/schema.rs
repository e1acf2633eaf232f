//! The message's fields and types, as Google's discovery document names them.

use serde_json::Value;
use std::collections::HashMap;

/// Type name to field name (camelCase) to type.
pub(crate) struct Schema {
    types: HashMap<String, HashMap<String, String>>,
}

impl Schema {
    /// Reads the table that is compiled in.
    pub(crate) fn load() -> Self {
        let table: Value = serde_json::from_str(include_str!("schema.json")).unwrap_or_default();
        let types = table
            .as_object()
            .into_iter()
            .flatten()
            .filter_map(|(name, fields)| {
                let fields = fields.as_object()?.iter();
                let fields =
                    fields.filter_map(|(field, kind)| Some((field.clone(), kind.as_str()?.to_owned())));
                Some((name.clone(), fields.collect()))
            });
        Self {
            types: types.collect(),
        }
    }

    /// Checks a value against a type: the path and the description of the first fault.
    pub(crate) fn check(&self, kind: &str, value: &Value) -> Result<(), (String, String)> {
        self.value(kind, value, "")
    }

    fn value(&self, kind: &str, value: &Value, path: &str) -> Result<(), (String, String)> {
        // proto3 JSON: null is the same as absent.
        if value.is_null() {
            return Ok(());
        }
        let wrong = || {
            let shown = match value {
                Value::String(text) => format!("\"{}\"", text.chars().take(40).collect::<String>()),
                Value::Object(_) | Value::Array(_) => "(composite)".to_owned(),
                other => other.to_string(),
            };
            Err((
                path.to_owned(),
                format!("Invalid value at '{path}' ({kind}), {shown}"),
            ))
        };
        if let Some(inner) = kind.strip_prefix('[').and_then(|kind| kind.strip_suffix(']')) {
            let Value::Array(items) = value else {
                return wrong();
            };
            return items
                .iter()
                .enumerate()
                .try_for_each(|(i, item)| self.value(inner, item, &format!("{path}[{i}]")));
        }
        if let Some(inner) = kind.strip_prefix('{').and_then(|kind| kind.strip_suffix('}')) {
            let Value::Object(entries) = value else {
                return wrong();
            };
            return entries.iter().try_for_each(|(key, item)| {
                // A map's values may not be null.
                if item.is_null() && inner == "string" {
                    return Err((
                        path.to_owned(),
                        format!("Invalid value at '{path}[{key}]' (string), null"),
                    ));
                }
                self.value(inner, item, &format!("{path}[{key}]"))
            });
        }
        if let Some(fields) = self.types.get(kind) {
            let Value::Object(entries) = value else {
                return wrong();
            };
            return entries
                .iter()
                .try_for_each(|(key, item)| self.field(fields, key, item, path));
        }
        if let Some(names) = kind.strip_prefix("enum:") {
            let known = |text: &str| names.split('|').any(|name| name.eq_ignore_ascii_case(text));
            return if value.as_str().is_some_and(known) || value.is_i64() {
                Ok(())
            } else {
                wrong()
            };
        }
        let good = match kind {
            "string" => value.is_string(),
            "boolean" => value.is_boolean(),
            "int32" => match value {
                Value::String(text) => text.parse::<i32>().is_ok(),
                other => other.as_i64().is_some_and(|number| i32::try_from(number).is_ok()),
            },
            "float" => value.is_number(),
            "google-duration" => value.as_str().is_some_and(is_duration),
            "google-datetime" => value.as_str().is_some_and(is_timestamp),
            _ => true,
        };
        if good { Ok(()) } else { wrong() }
    }

    fn field(
        &self,
        fields: &HashMap<String, String>,
        key: &str,
        value: &Value,
        path: &str,
    ) -> Result<(), (String, String)> {
        let Some((_, kind)) = fields.iter().find(|(name, _)| *name == key || snake(name) == key) else {
            let at = if path.is_empty() {
                String::new()
            } else {
                format!(" at '{path}'")
            };
            let text =
                format!("Invalid JSON payload received. Unknown name \"{key}\"{at}: Cannot find field.");
            return Err((path.to_owned(), text));
        };
        let path = if path.is_empty() {
            snake(key)
        } else {
            format!("{path}.{}", snake(key))
        };
        self.value(kind, value, &path)
    }
}

/// `camelCase` to `snake_case`.
pub(super) fn snake(name: &str) -> String {
    name.chars()
        .fold(String::with_capacity(name.len() + 4), |mut out, c| {
            if c.is_ascii_uppercase() {
                out.push('_');
            }
            out.push(c.to_ascii_lowercase());
            out
        })
}

/// `"3s"`, `"3.5s"`: seconds, at most nine fraction digits.
pub(super) fn is_duration(text: &str) -> bool {
    let Some(number) = text.strip_suffix('s') else {
        return false;
    };
    let number = number.strip_prefix('-').unwrap_or(number);
    let (whole, fraction) = number.split_once('.').unwrap_or((number, "0"));
    let digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    digits(whole) && whole.len() <= 12 && digits(fraction) && fraction.len() <= 9
}

/// RFC 3339, by shape only.
fn is_timestamp(text: &str) -> bool {
    let bytes = text.as_bytes();
    let punctuation = [(4, b'-'), (7, b'-'), (10, b'T'), (13, b':'), (16, b':')];
    bytes.len() >= 20
        && punctuation.iter().all(|(at, byte)| bytes.get(*at) == Some(byte))
        && bytes
            .iter()
            .take(19)
            .enumerate()
            .all(|(i, b)| punctuation.iter().any(|(at, _)| *at == i) || b.is_ascii_digit())
        && (text.ends_with('Z') || text[19..].contains(['+', '-']))
}
