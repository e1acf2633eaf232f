//! The message's fields and types, as Google's discovery document names them.

use serde_json::Value;
use std::collections::HashMap;
use std::fmt;

/// Type name to its fields.
pub(crate) struct Schema {
    types: HashMap<String, Fields>,
}

/// By either of a field's two proto3 names.
type Fields = HashMap<String, Kind>;

/// A type, and what the table and Google's errors call it.
#[derive(Clone)]
struct Kind {
    text: String,
    shape: Shape,
}

#[derive(Clone)]
enum Shape {
    List(Box<Kind>),
    Map(Box<Kind>),
    Enum(Vec<String>),
    String,
    Boolean,
    Int32,
    Float,
    Duration,
    Timestamp,
    /// A message of that name; where there is none, anything.
    Message,
}

impl Kind {
    fn of(text: &str) -> Self {
        let inside = |open, close| text.strip_prefix(open).and_then(|text| text.strip_suffix(close));
        let shape = match text {
            "string" => Shape::String,
            "boolean" => Shape::Boolean,
            "int32" => Shape::Int32,
            "float" => Shape::Float,
            "google-duration" => Shape::Duration,
            "google-datetime" => Shape::Timestamp,
            _ => match (inside('[', ']'), inside('{', '}'), text.strip_prefix("enum:")) {
                (Some(inner), ..) => Shape::List(Box::new(Self::of(inner))),
                (_, Some(inner), _) => Shape::Map(Box::new(Self::of(inner))),
                (.., Some(names)) => Shape::Enum(names.split('|').map(str::to_owned).collect()),
                _ => Shape::Message,
            },
        };
        let text = text.to_owned();
        Self { text, shape }
    }
}

/// Where a value is; it becomes text only for an error.
#[derive(Clone, Copy)]
enum Path<'a> {
    Root,
    Field(&'a Path<'a>, &'a str),
    Item(&'a Path<'a>, usize),
    Key(&'a Path<'a>, &'a str),
}

impl fmt::Display for Path<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Root => Ok(()),
            Self::Field(Self::Root, name) => f.write_str(&snake(name)),
            Self::Field(parent, name) => write!(f, "{parent}.{}", snake(name)),
            Self::Item(parent, at) => write!(f, "{parent}[{at}]"),
            Self::Key(parent, key) => write!(f, "{parent}[{key}]"),
        }
    }
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
                let fields = fields.filter_map(|(field, kind)| Some((field, Kind::of(kind.as_str()?))));
                let fields =
                    fields.flat_map(|(field, kind)| [(snake(field), kind.clone()), (field.clone(), kind)]);
                Some((name.clone(), fields.collect()))
            });
        Self {
            types: types.collect(),
        }
    }

    /// Checks a value against a type: the path and the description of the first fault.
    pub(crate) fn check(&self, kind: &str, value: &Value) -> Result<(), (String, String)> {
        self.value(&Kind::of(kind), value, Path::Root)
    }

    fn value(&self, kind: &Kind, value: &Value, path: Path<'_>) -> Result<(), (String, String)> {
        // proto3 JSON: null is the same as absent.
        if value.is_null() {
            return Ok(());
        }
        let good = match &kind.shape {
            Shape::List(inner) => {
                let Value::Array(items) = value else {
                    return wrong(kind, value, path);
                };
                let mut items = items.iter().enumerate();
                return items.try_for_each(|(at, item)| self.value(inner, item, Path::Item(&path, at)));
            }
            Shape::Map(inner) => {
                let Value::Object(entries) = value else {
                    return wrong(kind, value, path);
                };
                return entries.iter().try_for_each(|(key, item)| {
                    // A map's values may not be null.
                    if item.is_null() && matches!(inner.shape, Shape::String) {
                        return Err((
                            path.to_string(),
                            format!("Invalid value at '{path}[{key}]' (string), null"),
                        ));
                    }
                    self.value(inner, item, Path::Key(&path, key))
                });
            }
            Shape::Message => {
                let Some(fields) = self.types.get(&kind.text) else {
                    return Ok(());
                };
                let Value::Object(entries) = value else {
                    return wrong(kind, value, path);
                };
                let mut entries = entries.iter();
                return entries.try_for_each(|(key, item)| match fields.get(key) {
                    Some(kind) => self.value(kind, item, Path::Field(&path, key)),
                    None => Err(unknown(key, path)),
                });
            }
            Shape::Enum(names) => {
                let known = |text: &str| names.iter().any(|name| name.eq_ignore_ascii_case(text));
                value.as_str().is_some_and(known) || value.is_i64()
            }
            Shape::String => value.is_string(),
            Shape::Boolean => value.is_boolean(),
            Shape::Int32 => match value {
                Value::String(text) => text.parse::<i32>().is_ok(),
                other => other.as_i64().is_some_and(|number| i32::try_from(number).is_ok()),
            },
            Shape::Float => value.is_number(),
            Shape::Duration => value.as_str().is_some_and(is_duration),
            Shape::Timestamp => value.as_str().is_some_and(is_timestamp),
        };
        if good { Ok(()) } else { wrong(kind, value, path) }
    }
}

fn wrong(kind: &Kind, value: &Value, path: Path<'_>) -> Result<(), (String, String)> {
    let shown = match value {
        Value::String(text) => format!("\"{}\"", text.chars().take(40).collect::<String>()),
        Value::Object(_) | Value::Array(_) => "(composite)".to_owned(),
        other => other.to_string(),
    };
    let kind = &kind.text;
    Err((
        path.to_string(),
        format!("Invalid value at '{path}' ({kind}), {shown}"),
    ))
}

fn unknown(key: &str, path: Path<'_>) -> (String, String) {
    let at = match path {
        Path::Root => String::new(),
        path => format!(" at '{path}'"),
    };
    let text = format!("Invalid JSON payload received. Unknown name \"{key}\"{at}: Cannot find field.");
    (path.to_string(), text)
}

/// Whether `key` is the field `name`, which is in `snake_case`, in either spelling.
pub(super) fn is_field(key: &str, name: &str) -> bool {
    let mut name = name.bytes();
    let same = key.bytes().all(|byte| {
        (!byte.is_ascii_uppercase() || name.next() == Some(b'_'))
            && name.next() == Some(byte.to_ascii_lowercase())
    });
    same && name.next().is_none()
}

/// `camelCase` to `snake_case`.
fn snake(name: &str) -> String {
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

#[cfg(test)]
mod tests {
    use super::{is_field, snake};

    #[test]
    fn both_spellings_are_the_field() {
        for key in [
            "fcmOptions",
            "fcm_options",
            "FcmOptions",
            "fcm_Options",
            "fcmoptions",
            "fcm_option",
            "fid",
            "",
        ] {
            for name in ["fcm_options", "fid", ""] {
                assert_eq!(is_field(key, name), snake(key) == name, "{key} {name}");
            }
        }
    }
}
