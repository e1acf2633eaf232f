//! A whole JSON document, checked once, with the path of what is wrong; and its values, each with
//! its own text.

use std::fmt;

use serde::de::{self, DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::Value;
use serde_json::value::RawValue;

use super::path::{Path, shorten, write_name};
use crate::error::{Error, ErrorKind};

/// The deepest nesting that is read: `serde_json`'s own limit, which bounds the stack.
const DEEPEST: usize = 127;

/// A value of a document that has been checked, with the text that the caller wrote for it.
#[derive(Clone, Copy)]
pub(crate) struct Node<'a>(&'a str);

impl<'a> Node<'a> {
    /// Checks a document: JSON (RFC 8259) in UTF-8 without a byte order mark, no key twice in an
    /// object, no number beyond a double's range, no lone surrogate, 127 levels at most.
    ///
    /// # Errors
    /// `InvalidPayload`, with the path of what is wrong; `root` names the document.
    pub(crate) fn document(text: &'a [u8], root: &str) -> Result<Self, Error> {
        let refuse = |what: &str| Path::root(root).error(ErrorKind::InvalidPayload, what);
        let text = std::str::from_utf8(text).map_err(|_| refuse("not utf-8"))?;
        if text.starts_with('\u{feff}') {
            return Err(refuse("begins with a byte order mark"));
        }
        let text = text.trim_matches([' ', '\t', '\r', '\n']);
        if text.is_empty() {
            return Err(refuse("empty"));
        }
        let mut at = Vec::new();
        let mut reader = serde_json::Deserializer::from_str(text);
        let checked = Check(&mut at)
            .deserialize(&mut reader)
            .and_then(|()| reader.end());
        match checked {
            Ok(()) => Ok(Self(text)),
            Err(error) => Err(broken(root, &at, &error)),
        }
    }

    /// The text of the value as the caller wrote it.
    pub(crate) fn text(self) -> &'a str {
        self.0
    }

    pub(crate) fn is_null(self) -> bool {
        self.0 == "null"
    }

    /// Whether the value is a string.
    pub(crate) fn is_text(self) -> bool {
        self.0.starts_with('"')
    }

    /// Whether the value is an object.
    pub(crate) fn is_object(self) -> bool {
        self.0.starts_with('{')
    }

    /// Whether the value is a number.
    pub(crate) fn is_number(self) -> bool {
        self.0.starts_with(|c: char| c == '-' || c.is_ascii_digit())
    }

    /// The value of a string.
    pub(crate) fn string(self) -> Option<String> {
        self.is_text().then(|| serde_json::from_str(self.0).ok())?
    }

    /// The members of an object, in their order.
    pub(crate) fn members(self) -> Option<Vec<(String, Node<'a>)>> {
        struct Members;
        impl<'de> Visitor<'de> for Members {
            type Value = Vec<(String, Node<'de>)>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Self::Value, A::Error> {
                let mut members = Vec::new();
                while let Some((key, value)) = access.next_entry::<String, &'de RawValue>()? {
                    members.push((key, Node(value.get())));
                }
                Ok(members)
            }
        }
        self.is_object().then(|| {
            serde_json::Deserializer::from_str(self.0)
                .deserialize_map(Members)
                .ok()
        })?
    }

    /// The items of an array.
    pub(crate) fn items(self) -> Option<Vec<Node<'a>>> {
        if !self.0.starts_with('[') {
            return None;
        }
        let items: Vec<&'a RawValue> = serde_json::from_str(self.0).ok()?;
        Some(items.into_iter().map(|item| Node(item.get())).collect())
    }

    /// The value as a tree. An integer of more than 64 bits becomes a double, as everywhere in
    /// JSON's own world; [`Node::text`] keeps its digits.
    pub(crate) fn value(self) -> Value {
        // The text was checked when the document was read.
        serde_json::from_str(self.0).unwrap_or_default()
    }
}

/// The error of a document that is not good, without any of its text: `serde_json`'s own may quote it.
fn broken(root: &str, at: &[Step], error: &serde_json::Error) -> Error {
    let mut path = String::new();
    // FCM's form may have the message inside a `message`, which is the same place as the root.
    let wrapped = matches!(at.first(), Some(Step::Name(name)) if name == root);
    write_name(root, &mut path);
    for step in at.iter().skip(usize::from(wrapped)) {
        match step {
            Step::Name(name) => {
                path.push('.');
                write_name(name, &mut path);
            }
            Step::Index(index) => path.push_str(&format!("[{index}]")),
        }
    }
    let path = shorten(&path);
    let what = if error.is_data() {
        "the key is there twice"
    } else if at.len() >= DEEPEST {
        "nested deeper than 127 levels"
    } else {
        "not json"
    };
    let context = format!(
        "{path}: {what} (line {}, column {})",
        error.line(),
        error.column()
    );
    Error::new(ErrorKind::InvalidPayload, context)
}

enum Step {
    Name(String),
    Index(usize),
}

/// Walks a value and leaves the path of the first fault behind.
struct Check<'p>(&'p mut Vec<Step>);

impl<'de> DeserializeSeed<'de> for Check<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Check<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a json value")
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_bool<E>(self, _: bool) -> Result<(), E> {
        Ok(())
    }

    fn visit_i64<E>(self, _: i64) -> Result<(), E> {
        Ok(())
    }

    fn visit_u64<E>(self, _: u64) -> Result<(), E> {
        Ok(())
    }

    fn visit_f64<E>(self, _: f64) -> Result<(), E> {
        Ok(())
    }

    fn visit_str<E>(self, _: &str) -> Result<(), E> {
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<(), A::Error> {
        self.0.push(Step::Index(0));
        while seq.next_element_seed(Check(self.0))?.is_some() {
            if let Some(Step::Index(index)) = self.0.last_mut() {
                *index += 1;
            }
        }
        self.0.pop();
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<(), A::Error> {
        // Sorted only when there are many: most objects are small.
        let mut seen = std::collections::BTreeSet::new();
        while let Some(key) = access.next_key::<String>()? {
            let twice = !seen.insert(key.clone());
            self.0.push(Step::Name(key));
            if twice {
                return Err(de::Error::custom("duplicate key"));
            }
            access.next_value_seed(Check(self.0))?;
            self.0.pop();
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_wrong_is_named_by_its_path() {
        let deep = format!("{}1{}", "{\"a\":".repeat(128), "}".repeat(128));
        let rows: &[(&[u8], &str)] = &[
            (b"", "message: empty"),
            (b" \n", "message: empty"),
            (b"\xef\xbb\xbf{}", "message: begins with a byte order mark"),
            (b"{\"a\":\"\xff\"}", "message: not utf-8"),
            (
                br#"{"a":{"b":[1,{"c":1,"c":2}]}}"#,
                "message.a.b[1].c: the key is there twice (line 1, column 23)",
            ),
            (
                br#"{"a":1,"\u0061":2}"#,
                "message.a: the key is there twice (line 1, column 15)",
            ),
            (br#"{"a":[1e400]}"#, "message.a[0]: not json (line 1, column 11)"),
            (br#"{"a":"\ud800"}"#, "message.a: not json (line 1, column 13)"),
            (b"{\"a\":\"\0\"}", "message.a: not json (line 1, column 7)"),
            (br#"{"a":1}x"#, "message: not json (line 1, column 8)"),
            (br#"{"a":NaN}"#, "message.a: not json (line 1, column 6)"),
            (br#"{"a":01}"#, "message.a: not json (line 1, column 7)"),
        ];
        for (text, expected) in rows {
            let error = Node::document(text, "message").err().unwrap();
            assert_eq!(error.kind(), ErrorKind::InvalidPayload);
            assert_eq!(error.context(), *expected, "{}", String::from_utf8_lossy(text));
        }
        let error = Node::document(deep.as_bytes(), "message").err().unwrap();
        assert!(
            error.context().contains("nested deeper than 127 levels"),
            "{error}"
        );
        assert!(error.context().len() <= 256);
        assert!(Node::document("[".repeat(100_000).as_bytes(), "message").is_err());
    }

    #[test]
    fn a_value_keeps_its_text() {
        let text =
            r#" { "a" : [ 1.0e3 , "\u00e9\/" ] , "b" : { "y":12345678901234567890123, "x" : -0.0 } } "#;
        let node = Node::document(text.as_bytes(), "message").unwrap();
        let members = node.members().unwrap();
        let texts: Vec<&str> = members.iter().map(|(_, node)| node.text()).collect();
        assert_eq!(
            texts,
            [
                r#"[ 1.0e3 , "\u00e9\/" ]"#,
                r#"{ "y":12345678901234567890123, "x" : -0.0 }"#,
            ]
        );
        let items = members[0].1.items().unwrap();
        assert_eq!(items[1].string().unwrap(), "é/");
        assert!(items[0].is_number() && items[0].string().is_none() && items[0].members().is_none());
    }
}
