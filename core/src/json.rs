//! Reading JSON that a caller wrote: strict where services are lax. And writing it.

mod document;
pub(crate) mod form;
mod object;
mod path;

use std::fmt;

use serde::de::{self, Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};

use crate::error::{Error, ErrorKind};

pub(crate) use document::Node;
pub(crate) use object::{Item, Json, Members, Object, text as write_text, write};
pub(crate) use path::Path;

/// Parses one JSON object, in the order of its keys.
///
/// # Errors
/// `InvalidPayload` when it is not JSON (RFC 8259), not an object, holds a key
/// twice (services take the last one, silently), or is nested deeper than 127.
pub(crate) fn parse_object(text: &[u8]) -> Result<Map<String, Value>, Error> {
    match parse(text)? {
        Value::Object(map) => Ok(map),
        _ => Err(Error::new(
            ErrorKind::InvalidPayload,
            "the json text is not an object",
        )),
    }
}

/// Parses any JSON value under the rules of [`parse_object`].
pub(crate) fn parse(text: &[u8]) -> Result<Value, Error> {
    match serde_json::from_slice::<Strict>(text) {
        Ok(Strict(value)) => Ok(value),
        Err(error) => {
            // serde_json's own text may quote the input, which may be personal.
            let what = if error.is_data() {
                "json with a key twice"
            } else {
                "not json"
            };
            let context = format!("{what} at line {}, column {}", error.line(), error.column());
            Err(Error::new(ErrorKind::InvalidPayload, context))
        }
    }
}

/// A value without duplicate keys.
struct Strict(Value);

impl<'de> Deserialize<'de> for Strict {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(StrictVisitor).map(Strict)
    }
}

struct StrictVisitor;

impl<'de> Visitor<'de> for StrictVisitor {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a json value")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(Value::Number(value.into()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(Value::Number(value.into()))
    }

    fn visit_f64<E: de::Error>(self, value: f64) -> Result<Value, E> {
        Number::from_f64(value)
            .map(Value::Number)
            .ok_or_else(|| E::custom("not a finite number"))
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(Value::String(value.to_owned()))
    }

    fn visit_string<E>(self, value: String) -> Result<Value, E> {
        Ok(Value::String(value))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Value, A::Error> {
        let mut values = Vec::new();
        while let Some(Strict(value)) = seq.next_element()? {
            values.push(value);
        }
        Ok(Value::Array(values))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Value, A::Error> {
        let mut map = Map::new();
        while let Some((key, Strict(value))) = access.next_entry::<String, Strict>()? {
            if map.insert(key, value).is_some() {
                return Err(de::Error::custom("duplicate key"));
            }
        }
        Ok(Value::Object(map))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keeps_order_and_refuses_duplicates() {
        let map = parse_object(br#"{"b":1,"a":{"z":null,"y":[1.5,"x",true,-3]}}"#).unwrap();
        assert_eq!(
            serde_json::to_string(&map).unwrap(),
            r#"{"b":1,"a":{"z":null,"y":[1.5,"x",true,-3]}}"#
        );
        for bad in [
            r#"{"a":1,"a":2}"#,
            r#"{"a":{"b":1,"b":1}}"#,
            "[1]",
            "1",
            "",
            "{",
            r#"{"a":1}x"#,
            r#"{"a":1e400}"#,
            "\u{feff}{}",
        ] {
            let error = parse_object(bad.as_bytes()).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::InvalidPayload, "{bad}");
        }
        assert!(
            parse_object(br#"{"a":"\ud800"}"#).is_err(),
            "a lone surrogate is no text"
        );
        assert!(parse_object(b"{\"a\":\"\xff\"}").is_err(), "not utf-8");
        let nested = |depth: usize| format!("{}1{}", "{\"a\":".repeat(depth), "}".repeat(depth));
        assert!(parse_object(nested(127).as_bytes()).is_ok());
        assert!(parse_object(nested(128).as_bytes()).is_err());
        assert!(parse_object("[".repeat(100_000).as_bytes()).is_err());
    }
}
