//! Objects of the schema: typed fields, and room for those of tomorrow.

use serde_json::{Map, Value};

use super::Path;
use crate::error::{Error, ErrorKind};

/// Declares an object of the schema. Each field is optional, has the name it has
/// on the wire, and a setter of that name. `rules` names a function that checks
/// what no single field can tell.
macro_rules! object {
    (
        $(#[doc = $doc:literal])*
        $name:ident, rules = $rules:expr,
        { $($(#[doc = $fdoc:literal])* $field:ident: $ty:ty,)* }
    ) => {
        $(#[doc = $doc])*
        #[derive(Clone, Debug, Default, PartialEq)]
        #[non_exhaustive]
        pub struct $name {
            $($(#[doc = $fdoc])* pub $field: Option<$ty>,)*
            /// Fields that this version does not know, merged into the object as they are.
            pub extra: serde_json::Map<String, serde_json::Value>,
        }

        impl $name {
            /// The wire names of the typed fields.
            pub const FIELDS: &'static [&'static str] = &[$(stringify!($field),)*];

            /// Nothing set.
            pub fn new() -> Self {
                Self::default()
            }

            $(
                $(#[doc = $fdoc])*
                #[must_use]
                pub fn $field(mut self, value: impl Into<$ty>) -> Self {
                    self.$field = Some(value.into());
                    self
                }
            )*

            /// Adds a field that this version does not know. Objects are merged member by
            /// member; a value for a field that is also set by its type is refused when the
            /// message is built.
            #[must_use]
            pub fn extra(mut self, name: impl Into<String>, value: impl Into<serde_json::Value>) -> Self {
                self.extra.insert(name.into(), value.into());
                self
            }
        }

        impl $crate::fcm::wire::Wire for $name {
            fn to_value(
                &self,
                at: &$crate::fcm::wire::Path<'_>,
            ) -> Result<serde_json::Value, $crate::error::Error> {
                let mut map = serde_json::Map::new();
                $(
                    if let Some(value) = &self.$field {
                        let at = at.field(stringify!($field));
                        let value = $crate::fcm::wire::Wire::to_value(value, &at)?;
                        map.insert(stringify!($field).to_owned(), value);
                    }
                )*
                $crate::fcm::wire::object::merge(&mut map, &self.extra, at)?;
                Ok(serde_json::Value::Object(map))
            }

            fn write(
                &self,
                at: &$crate::fcm::wire::Path<'_>,
                out: &mut Vec<u8>,
            ) -> Result<(), $crate::error::Error> {
                if !self.extra.is_empty() {
                    // Members may have to be merged.
                    $crate::json::write(&$crate::fcm::wire::Wire::to_value(self, at)?, out);
                    return Ok(());
                }
                let start = out.len();
                $(
                    if let Some(value) = &self.$field {
                        out.push(if out.len() == start { b'{' } else { b',' });
                        out.extend_from_slice(concat!("\"", stringify!($field), "\":").as_bytes());
                        $crate::fcm::wire::Wire::write(value, &at.field(stringify!($field)), out)?;
                    }
                )*
                if out.len() == start {
                    out.push(b'{');
                }
                out.push(b'}');
                Ok(())
            }

            fn read(
                value: serde_json::Value,
                at: &$crate::fcm::wire::Path<'_>,
            ) -> Result<Self, $crate::error::Error> {
                let serde_json::Value::Object(map) = value else {
                    return Err(at.error($crate::error::ErrorKind::InvalidPayload, "not an object"));
                };
                let mut object = Self::default();
                for (key, value) in map {
                    match $crate::fcm::wire::object::snake(&key).as_ref() {
                        $(
                            stringify!($field) if value.is_null() => {}
                            stringify!($field) => {
                                let at = at.field(stringify!($field));
                                if object.$field.is_some() {
                                    return Err(at.error(
                                        $crate::error::ErrorKind::Conflict,
                                        "given twice, in snake_case and in camelCase",
                                    ));
                                }
                                object.$field = Some($crate::fcm::wire::Wire::read(value, &at)?);
                            }
                        )*
                        "extra" if value.is_null() => {}
                        "extra" => {
                            let serde_json::Value::Object(extra) = value else {
                                let at = at.field("extra");
                                return Err(at.error($crate::error::ErrorKind::InvalidPayload, "not an object"));
                            };
                            object.extra = extra;
                        }
                        _ => return Err(at.unknown(&key)),
                    }
                }
                Ok(object)
            }

            fn to_form(
                &self,
                at: &$crate::fcm::wire::Path<'_>,
            ) -> Result<serde_json::Value, $crate::error::Error> {
                let mut map = serde_json::Map::new();
                let _ = at; // an object may have no field
                $(
                    if let Some(value) = &self.$field {
                        let at = at.field(stringify!($field));
                        let value = $crate::fcm::wire::Wire::to_form(value, &at)?;
                        map.insert(stringify!($field).to_owned(), value);
                    }
                )*
                if !self.extra.is_empty() {
                    map.insert("extra".to_owned(), self.extra.clone().into());
                }
                Ok(serde_json::Value::Object(map))
            }

            fn has_extra(&self) -> bool {
                !self.extra.is_empty()
                    $(|| self.$field.as_ref().is_some_and($crate::fcm::wire::Wire::has_extra))*
            }

            #[cfg(test)]
            fn schema() -> serde_json::Value {
                $crate::json::form::reference(concat!("FCM: ", stringify!($name)))
            }

            #[cfg(test)]
            fn kind() -> String {
                let title = concat!("FCM: ", stringify!($name));
                format!("[object](#{})", $crate::json::form::anchor(title))
            }

            #[cfg(test)]
            fn tables(into: &mut Vec<$crate::json::form::Table>) {
                use $crate::json::form::Row;
                let title = concat!("FCM: ", stringify!($name));
                if into.iter().any(|table| table.title == title) {
                    return;
                }
                let mut rows: Vec<Row> = vec![$(Row {
                    name: stringify!($field),
                    about: concat!($($fdoc, "\n"),*).trim().to_owned(),
                    kind: <$ty as $crate::fcm::wire::Wire>::kind(),
                    default: "",
                    limits: "",
                    lands: "",
                    schema: <$ty as $crate::fcm::wire::Wire>::schema(),
                },)*];
                rows.push(Row {
                    name: "extra",
                    about: "Fields that this version does not know, merged into the object.".to_owned(),
                    kind: "object".to_owned(),
                    default: "",
                    limits: "",
                    lands: "",
                    schema: serde_json::json!({"type": "object"}),
                });
                into.push($crate::json::form::Table {
                    title,
                    about: concat!($($doc, "\n"),*).trim().to_owned(),
                    rows,
                });
                $(<$ty as $crate::fcm::wire::Wire>::tables(into);)*
            }

            fn check(
                &self,
                at: &$crate::fcm::wire::Path<'_>,
            ) -> Result<(), $crate::error::Error> {
                $(
                    if let Some(value) = &self.$field {
                        $crate::fcm::wire::Wire::check(value, &at.field(stringify!($field)))?;
                    }
                )*
                let rules: fn(&Self, &$crate::fcm::wire::Path<'_>) -> Result<(), $crate::error::Error> = $rules;
                rules(self, at)
            }
        }
    };
}

pub(crate) use object;

/// The rule of an object that has none of its own.
pub(crate) fn no_rules<T>(_object: &T, _at: &Path<'_>) -> Result<(), Error> {
    Ok(())
}

/// Merges what the caller adds into what the types gave.
pub(crate) fn merge(
    into: &mut Map<String, Value>,
    extra: &Map<String, Value>,
    at: &Path<'_>,
) -> Result<(), Error> {
    for (key, value) in extra {
        let at = at.field(key);
        let twice = || at.error(ErrorKind::Conflict, "set by its type and in extra");
        let snake = snake(key);
        if snake.as_ref() != key && into.contains_key(snake.as_ref()) {
            return Err(twice());
        }
        match (into.get_mut(key), value) {
            (None, _) => {
                into.insert(key.clone(), value.clone());
            }
            (Some(Value::Object(typed)), Value::Object(added)) => merge(typed, added, &at)?,
            (Some(_), _) => return Err(twice()),
        }
    }
    Ok(())
}

/// `camelCase` as `snake_case`; proto3 JSON takes both.
pub(crate) fn snake(key: &str) -> std::borrow::Cow<'_, str> {
    if !key.bytes().any(|b| b.is_ascii_uppercase()) {
        return key.into();
    }
    let mut out = String::with_capacity(key.len() + 4);
    for c in key.chars() {
        if c.is_ascii_uppercase() {
            out.push('_');
        }
        out.push(c.to_ascii_lowercase());
    }
    out.into()
}
