//! Forms: what a message looks like as JSON. One table a type says how a field is read, what the
//! page and the schema in `docs/` say of it, and (by its struct) that no field is forgotten.

#[cfg(test)]
use serde_json::{Value, json};

use super::{Json, Members, Node, Path};
use crate::error::{Error, ErrorKind};
use crate::time::UnixTime;

/// The last second that [`UnixTime`] holds.
pub(crate) const LAST_SECOND: u64 = u64::MAX / 1000;

/// A value of a form.
pub(crate) trait Form: Sized {
    /// Reads a value that is not null.
    ///
    /// # Errors
    /// The context begins with the path.
    fn read(node: Node<'_>, at: &Path<'_>) -> Result<Self, Error>;

    /// The JSON Schema of the value.
    #[cfg(test)]
    fn schema() -> Value;

    /// The words for the value in the column "type" of the page.
    #[cfg(test)]
    fn kind() -> String;

    /// Adds the table of an object, and of the objects in it.
    #[cfg(test)]
    fn tables(_into: &mut Vec<Table>) {}
}

/// The table of one object, for the page and the schema.
#[cfg(test)]
pub(crate) struct Table {
    pub(crate) title: &'static str,
    pub(crate) about: String,
    pub(crate) rows: Vec<Row>,
}

/// One field of a [`Table`].
#[cfg(test)]
pub(crate) struct Row {
    pub(crate) name: &'static str,
    pub(crate) about: String,
    pub(crate) kind: String,
    pub(crate) default: &'static str,
    pub(crate) limits: &'static str,
    pub(crate) lands: &'static str,
    pub(crate) schema: Value,
}

/// Declares a form: a struct with an optional member for each field, whose reader refuses every
/// other. Each field has its type, its default (`"required"` for none), its limits, and where it
/// lands in the request. The struct is taken apart without `..` where the message is built, so a
/// field that is added here and not used there does not compile.
macro_rules! form {
    (
        $(#[doc = $about:literal])*
        $name:ident $title:literal
        {
            $(
                $(#[doc = $doc:literal])*
                $field:ident: $type:ty, $default:literal, $limits:literal, $lands:literal;
            )*
        }
    ) => {
        $(#[doc = $about])*
        #[derive(Default)]
        pub(crate) struct $name {
            $($(#[doc = $doc])* pub(crate) $field: Option<$type>,)*
        }

        impl $crate::json::form::Form for $name {
            fn read(
                node: $crate::json::Node<'_>,
                at: &$crate::json::Path<'_>,
            ) -> Result<Self, $crate::error::Error> {
                let Some(members) = node.members() else {
                    return Err(at.error($crate::error::ErrorKind::InvalidPayload, "not an object"));
                };
                let mut form = Self::default();
                for (key, value) in members {
                    match key.as_str() {
                        $(
                            stringify!($field) if value.is_null() => {}
                            stringify!($field) => {
                                let at = at.field(stringify!($field));
                                form.$field = Some($crate::json::form::Form::read(value, &at)?);
                            }
                        )*
                        _ => return Err(at.unknown(&key)),
                    }
                }
                Ok(form)
            }

            #[cfg(test)]
            fn schema() -> serde_json::Value {
                $crate::json::form::reference($title)
            }

            #[cfg(test)]
            fn kind() -> String {
                format!("[object](#{})", $crate::json::form::anchor($title))
            }

            #[cfg(test)]
            fn tables(into: &mut Vec<$crate::json::form::Table>) {
                if into.iter().any(|table| table.title == $title) {
                    return;
                }
                into.push($crate::json::form::Table {
                    title: $title,
                    about: concat!($($about, "\n"),*).trim().to_owned(),
                    rows: vec![$($crate::json::form::Row {
                        name: stringify!($field),
                        about: concat!($($doc, "\n"),*).trim().to_owned(),
                        kind: <$type as $crate::json::form::Form>::kind(),
                        default: $default,
                        limits: $limits,
                        lands: $lands,
                        schema: <$type as $crate::json::form::Form>::schema(),
                    },)*],
                });
                $(<$type as $crate::json::form::Form>::tables(into);)*
            }
        }
    };
}

/// Declares how a type that is read from text stands in a form.
macro_rules! text_form {
    ($type:ty, $parse:expr, $what:literal, $schema:tt) => {
        impl $crate::json::form::Form for $type {
            fn read(
                node: $crate::json::Node<'_>,
                at: &$crate::json::Path<'_>,
            ) -> Result<Self, $crate::error::Error> {
                let text = <String as $crate::json::form::Form>::read(node, at)?;
                let parse: fn(&str) -> Result<$type, $crate::error::Error> = $parse;
                parse(&text).map_err(|error| at.wrap(&error))
            }

            #[cfg(test)]
            fn schema() -> serde_json::Value {
                serde_json::json!($schema)
            }

            #[cfg(test)]
            fn kind() -> String {
                $what.to_owned()
            }
        }
    };
}

/// Declares the words of an enumeration in a form. A variant without a word does not compile.
macro_rules! word_form {
    ($type:ty { $($variant:pat => $word:literal = $value:expr,)+ }) => {
        impl $crate::json::form::Word for $type {
            fn word(&self) -> &'static str {
                match self {
                    $($variant => $word,)+
                }
            }
        }

        impl $crate::json::form::Form for $type {
            fn read(
                node: $crate::json::Node<'_>,
                at: &$crate::json::Path<'_>,
            ) -> Result<Self, $crate::error::Error> {
                match <String as $crate::json::form::Form>::read(node, at)?.as_str() {
                    $($word => Ok($value),)+
                    _ => Err(at.error(
                        $crate::error::ErrorKind::InvalidValue,
                        concat!("not one of", $(" ", $word),+),
                    )),
                }
            }

            #[cfg(test)]
            fn schema() -> serde_json::Value {
                serde_json::json!({"enum": [$($word),+]})
            }

            #[cfg(test)]
            fn kind() -> String {
                [$(concat!("`\"", $word, "\"`")),+].join(", ")
            }
        }
    };
}

pub(crate) use {form, text_form, word_form};

/// The word of an enumeration's value in a form.
pub(crate) trait Word {
    fn word(&self) -> &'static str;
}

/// The schema of the object with that heading.
#[cfg(test)]
pub(crate) fn reference(title: &str) -> Value {
    json!({"$ref": format!("#/$defs/{}", anchor(title))})
}

/// The anchor of a heading on the page.
#[cfg(test)]
pub(crate) fn anchor(title: &str) -> String {
    let keep = |c: char| match c {
        ' ' => Some('-'),
        c if c.is_ascii_alphanumeric() || c == '_' || c == '-' => Some(c.to_ascii_lowercase()),
        _ => None,
    };
    title.chars().filter_map(keep).collect()
}

impl Form for String {
    fn read(node: Node<'_>, at: &Path<'_>) -> Result<Self, Error> {
        node.string()
            .ok_or_else(|| at.error(ErrorKind::InvalidPayload, "not a string"))
    }

    #[cfg(test)]
    fn schema() -> Value {
        json!({"type": "string"})
    }

    #[cfg(test)]
    fn kind() -> String {
        "string".to_owned()
    }
}

impl Form for bool {
    fn read(node: Node<'_>, at: &Path<'_>) -> Result<Self, Error> {
        match node.text() {
            "true" => Ok(true),
            "false" => Ok(false),
            _ => Err(at.error(ErrorKind::InvalidPayload, "not true or false")),
        }
    }

    #[cfg(test)]
    fn schema() -> Value {
        json!({"type": "boolean"})
    }

    #[cfg(test)]
    fn kind() -> String {
        "true or false".to_owned()
    }
}

/// Reads an integer of any width. No fraction, no exponent, no sign where there is none to have.
macro_rules! integer_form {
    ($($type:ty)*) => {$(
        impl Form for $type {
            fn read(node: Node<'_>, at: &Path<'_>) -> Result<Self, Error> {
                if !node.is_number() {
                    return Err(at.error(ErrorKind::InvalidPayload, "not a number"));
                }
                // Written out as digits only, because 1.0 and 1e3 are doubles to most writers of JSON.
                node.text().parse().map_err(|_| {
                    let what = format!("not an integer from {} to {}", <$type>::MIN, <$type>::MAX);
                    at.error(ErrorKind::InvalidValue, what)
                })
            }

            #[cfg(test)]
            fn schema() -> Value {
                json!({"type": "integer", "minimum": <$type>::MIN, "maximum": <$type>::MAX})
            }

            #[cfg(test)]
            fn kind() -> String {
                "integer".to_owned()
            }
        }
    )*};
}

integer_form!(u8 u32 u64);

impl Form for usize {
    fn read(node: Node<'_>, at: &Path<'_>) -> Result<Self, Error> {
        u32::read(node, at).map(|number| usize::try_from(number).unwrap_or(usize::MAX))
    }

    #[cfg(test)]
    fn schema() -> Value {
        u32::schema()
    }

    #[cfg(test)]
    fn kind() -> String {
        u32::kind()
    }
}

impl Form for f64 {
    fn read(node: Node<'_>, at: &Path<'_>) -> Result<Self, Error> {
        if !node.is_number() {
            return Err(at.error(ErrorKind::InvalidPayload, "not a number"));
        }
        let number = node.text().parse().ok().filter(|number: &f64| number.is_finite());
        number.ok_or_else(|| at.error(ErrorKind::InvalidValue, "not a finite number"))
    }

    #[cfg(test)]
    fn schema() -> Value {
        json!({"type": "number"})
    }

    #[cfg(test)]
    fn kind() -> String {
        "number".to_owned()
    }
}

/// Whole seconds since 1970.
impl Form for UnixTime {
    fn read(node: Node<'_>, at: &Path<'_>) -> Result<Self, Error> {
        let secs = u64::read(node, at)?;
        // Counted in milliseconds inside, where more would not fit.
        if secs > LAST_SECOND {
            return Err(at.error(ErrorKind::InvalidValue, "not a time in seconds since 1970"));
        }
        Ok(UnixTime::from_secs(secs))
    }

    #[cfg(test)]
    fn schema() -> Value {
        json!({"type": "integer", "minimum": 0, "maximum": LAST_SECOND})
    }

    #[cfg(test)]
    fn kind() -> String {
        "seconds since 1970".to_owned()
    }
}

impl<T: Form> Form for Vec<T> {
    fn read(node: Node<'_>, at: &Path<'_>) -> Result<Self, Error> {
        let items = node
            .items()
            .ok_or_else(|| at.error(ErrorKind::InvalidPayload, "not an array"))?;
        let item = |(index, item)| T::read(item, &at.item(index));
        items.into_iter().enumerate().map(item).collect()
    }

    #[cfg(test)]
    fn schema() -> Value {
        json!({"type": "array", "items": T::schema()})
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

impl<T: Form> Form for Box<T> {
    fn read(node: Node<'_>, at: &Path<'_>) -> Result<Self, Error> {
        T::read(node, at).map(Box::new)
    }

    #[cfg(test)]
    fn schema() -> Value {
        T::schema()
    }

    #[cfg(test)]
    fn kind() -> String {
        T::kind()
    }

    #[cfg(test)]
    fn tables(into: &mut Vec<Table>) {
        T::tables(into);
    }
}

/// Pairs of text, in their order.
pub(crate) struct Texts(pub(crate) Vec<(String, String)>);

impl Form for Texts {
    fn read(node: Node<'_>, at: &Path<'_>) -> Result<Self, Error> {
        let members = node
            .members()
            .ok_or_else(|| at.error(ErrorKind::InvalidPayload, "not an object of strings"))?;
        let pair = |(key, value): (String, Node<'_>)| {
            let text = String::read(value, &at.field(&key))?;
            Ok((key, text))
        };
        members.into_iter().map(pair).collect::<Result<_, _>>().map(Self)
    }

    #[cfg(test)]
    fn schema() -> Value {
        json!({"type": "object", "additionalProperties": {"type": "string"}})
    }

    #[cfg(test)]
    fn kind() -> String {
        "object of strings".to_owned()
    }
}

/// Any value, kept as the caller wrote it.
impl Form for Json {
    fn read(node: Node<'_>, _at: &Path<'_>) -> Result<Self, Error> {
        Ok(Json::Text(node.text().into()))
    }

    #[cfg(test)]
    fn schema() -> Value {
        json!(true)
    }

    #[cfg(test)]
    fn kind() -> String {
        "any JSON, kept byte for byte".to_owned()
    }
}

/// An object of the caller's own, each of whose values is kept as the caller wrote it.
impl Form for Members {
    fn read(node: Node<'_>, at: &Path<'_>) -> Result<Self, Error> {
        let members = node
            .members()
            .ok_or_else(|| at.error(ErrorKind::InvalidPayload, "not an object"))?;
        let pair = |(key, value): (String, Node<'_>)| (key, Json::Text(value.text().into()));
        Ok(members.into_iter().map(pair).collect())
    }

    #[cfg(test)]
    fn schema() -> Value {
        json!({"type": "object"})
    }

    #[cfg(test)]
    fn kind() -> String {
        "object, its values kept byte for byte".to_owned()
    }
}

/// JSON text of the caller's own, sent byte for byte: as an object, or inside a string (for
/// languages whose JSON writers cannot pass text through).
pub(crate) struct RawText(pub(crate) String);

impl Form for RawText {
    fn read(node: Node<'_>, at: &Path<'_>) -> Result<Self, Error> {
        match node.string() {
            Some(text) => Ok(Self(text)),
            None if node.is_object() => Ok(Self(node.text().to_owned())),
            None => Err(at.error(
                ErrorKind::InvalidPayload,
                "not an object, nor a string that holds one",
            )),
        }
    }

    #[cfg(test)]
    fn schema() -> Value {
        json!({"type": ["object", "string"]})
    }

    #[cfg(test)]
    fn kind() -> String {
        "object, or a string that holds one; kept byte for byte".to_owned()
    }
}
