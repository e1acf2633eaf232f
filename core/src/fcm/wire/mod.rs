//! How typed values become proto3 JSON and back.

pub(crate) mod color;
pub(crate) mod duration;
pub(crate) mod map;
pub(crate) mod object;
pub(crate) mod timestamp;
pub(crate) mod words;

use serde_json::Value;

use crate::error::{Error, ErrorKind};
use crate::json;
pub(crate) use crate::json::Path;
#[cfg(test)]
use crate::json::form::Table;

/// A value of FCM's schema.
pub(crate) trait Wire: Sized {
    /// Returns the value as it goes into the message.
    fn to_value(&self, at: &Path<'_>) -> Result<Value, Error>;

    /// Writes the value as JSON text, without building a tree where there is a shorter way.
    fn write(&self, at: &Path<'_>, out: &mut Vec<u8>) -> Result<(), Error> {
        json::write(&self.to_value(at)?, out);
        Ok(())
    }

    /// The value in the form of [`Message::from_json`](crate::fcm::Message::from_json): what the types do not
    /// know stands under `extra`.
    fn to_form(&self, at: &Path<'_>) -> Result<Value, Error> {
        self.to_value(at)
    }

    /// Whether anything in the value has an `extra`, so that the form is not what is sent.
    fn has_extra(&self) -> bool {
        false
    }

    /// The JSON Schema of the form.
    #[cfg(test)]
    fn schema() -> Value;

    /// The words for the value in the column "type" of `docs/messages.md`.
    #[cfg(test)]
    fn kind() -> String;

    /// Adds the table of an object, and of the objects in it.
    #[cfg(test)]
    fn tables(_into: &mut Vec<Table>) {}

    /// Reads the value from a caller's JSON; never null.
    fn read(value: Value, at: &Path<'_>) -> Result<Self, Error>;

    /// Refuses what the service would refuse.
    fn check(&self, _at: &Path<'_>) -> Result<(), Error> {
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

    #[cfg(test)]
    fn schema() -> Value {
        serde_json::json!({"type": "string"})
    }

    #[cfg(test)]
    fn kind() -> String {
        "string".to_owned()
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

    #[cfg(test)]
    fn schema() -> Value {
        serde_json::json!({"type": "boolean"})
    }

    #[cfg(test)]
    fn kind() -> String {
        "true or false".to_owned()
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

    #[cfg(test)]
    fn schema() -> Value {
        serde_json::json!({"type": "integer", "minimum": i32::MIN, "maximum": i32::MAX})
    }

    #[cfg(test)]
    fn kind() -> String {
        "integer of 32 bits".to_owned()
    }
}

impl<T: Wire> Wire for Vec<T> {
    fn to_value(&self, at: &Path<'_>) -> Result<Value, Error> {
        self.iter().map(|item| item.to_value(at)).collect()
    }

    fn read(value: Value, at: &Path<'_>) -> Result<Self, Error> {
        match value {
            Value::Array(items) => {
                let item = |(index, item)| T::read(item, &at.item(index));
                items.into_iter().enumerate().map(item).collect()
            }
            _ => Err(at.error(ErrorKind::InvalidPayload, "not an array")),
        }
    }

    fn check(&self, at: &Path<'_>) -> Result<(), Error> {
        self.iter().try_for_each(|item| item.check(at))
    }

    fn to_form(&self, at: &Path<'_>) -> Result<Value, Error> {
        self.iter().map(|item| item.to_form(at)).collect()
    }

    fn has_extra(&self) -> bool {
        self.iter().any(Wire::has_extra)
    }

    #[cfg(test)]
    fn schema() -> Value {
        serde_json::json!({"type": "array", "items": T::schema()})
    }

    #[cfg(test)]
    fn kind() -> String {
        format!("array of {}", T::kind())
    }

    #[cfg(test)]
    fn tables(into: &mut Vec<Table>) {
        T::tables(into);
    }
}
