//! How typed values become proto3 JSON and back.

pub(crate) mod color;
pub(crate) mod duration;
pub(crate) mod map;
pub(crate) mod object;
pub(crate) mod timestamp;
pub(crate) mod words;

use std::fmt;

use serde_json::Value;

use crate::error::{Error, ErrorKind};
use crate::json;

/// A value of FCM's schema.
pub(crate) trait Wire: Sized {
    /// As it goes into the message.
    fn to_value(&self, at: &Path<'_>) -> Result<Value, Error>;

    /// The same as JSON text: without a tree of it, where there is a shorter way.
    fn write(&self, at: &Path<'_>, out: &mut Vec<u8>) -> Result<(), Error> {
        json::write(&self.to_value(at)?, out);
        Ok(())
    }

    /// As a caller's JSON gives it; never null.
    fn read(value: Value, at: &Path<'_>) -> Result<Self, Error>;

    /// What the service would refuse.
    fn check(&self, _at: &Path<'_>) -> Result<(), Error> {
        Ok(())
    }
}

/// Where in the message a value stands: `message.android.ttl`.
#[derive(Clone, Copy)]
pub(crate) struct Path<'a> {
    parent: Option<&'a Path<'a>>,
    name: &'a str,
}

impl<'a> Path<'a> {
    pub(crate) const MESSAGE: Path<'static> = Path {
        parent: None,
        name: "message",
    };

    pub(crate) fn field(&'a self, name: &'a str) -> Path<'a> {
        Path {
            parent: Some(self),
            name,
        }
    }

    pub(crate) fn error(&self, kind: ErrorKind, what: impl fmt::Display) -> Error {
        Error::new(kind, format!("{self}: {what}"))
    }
}

impl fmt::Display for Path<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(parent) = self.parent {
            write!(f, "{parent}.")?;
        }
        // A key of the caller's may be anything; the schema's own names fit whole.
        let mut shown = 0;
        for c in self.name.chars().take(40) {
            let c = if c.is_ascii_graphic() { c } else { '?' };
            write!(f, "{c}")?;
            shown += 1;
        }
        if self.name.chars().nth(shown).is_some() {
            f.write_str("..")?;
        }
        Ok(())
    }
}

impl Wire for String {
    fn to_value(&self, _at: &Path<'_>) -> Result<Value, Error> {
        Ok(Value::String(self.clone()))
    }

    fn write(&self, _at: &Path<'_>, out: &mut Vec<u8>) -> Result<(), Error> {
        json::write_text(self, out);
        Ok(())
    }

    fn read(value: Value, at: &Path<'_>) -> Result<Self, Error> {
        match value {
            Value::String(text) => Ok(text),
            _ => Err(at.error(ErrorKind::InvalidPayload, "not a string")),
        }
    }
}

impl Wire for bool {
    fn to_value(&self, _at: &Path<'_>) -> Result<Value, Error> {
        Ok(Value::Bool(*self))
    }

    fn read(value: Value, at: &Path<'_>) -> Result<Self, Error> {
        match value {
            Value::Bool(flag) => Ok(flag),
            _ => Err(at.error(ErrorKind::InvalidPayload, "not a boolean")),
        }
    }
}

impl Wire for i32 {
    fn to_value(&self, _at: &Path<'_>) -> Result<Value, Error> {
        Ok(Value::from(*self))
    }

    fn read(value: Value, at: &Path<'_>) -> Result<Self, Error> {
        value
            .as_i64()
            .and_then(|number| i32::try_from(number).ok())
            .ok_or_else(|| at.error(ErrorKind::InvalidPayload, "not a 32-bit integer"))
    }
}

impl<T: Wire> Wire for Vec<T> {
    fn to_value(&self, at: &Path<'_>) -> Result<Value, Error> {
        self.iter().map(|item| item.to_value(at)).collect()
    }

    fn read(value: Value, at: &Path<'_>) -> Result<Self, Error> {
        match value {
            Value::Array(items) => items.into_iter().map(|item| T::read(item, at)).collect(),
            _ => Err(at.error(ErrorKind::InvalidPayload, "not an array")),
        }
    }

    fn check(&self, at: &Path<'_>) -> Result<(), Error> {
        self.iter().try_for_each(|item| item.check(at))
    }
}
