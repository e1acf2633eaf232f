//! Writing a JSON object whose parts are borrowed: one list, no map, no copies of texts.

use serde_json::Value;

/// Keys and values in the order of their insertion.
#[derive(Debug, Default)]
pub(crate) struct Object<'a>(Vec<(&'a str, Item<'a>)>);

/// A value.
#[derive(Debug)]
pub(crate) enum Item<'a> {
    Text(&'a str),
    Texts(&'a [String]),
    Number(u64),
    Flag(bool),
    Value(&'a Value),
    /// JSON text that was checked before.
    Raw(&'a str),
    Own(Value),
    Object(Object<'a>),
}

/// A value of the caller's own: a tree, or the text that the caller wrote, which is sent byte for byte.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Json {
    Value(Value),
    Text(Box<str>),
}

impl Json {
    /// Returns whether the value is null or an empty string.
    pub(crate) fn is_blank(&self) -> bool {
        match self {
            Json::Value(value) => value.is_null() || value.as_str() == Some(""),
            Json::Text(text) => matches!(text.trim(), "null" | "\"\""),
        }
    }
}

impl From<Value> for Json {
    fn from(value: Value) -> Self {
        Json::Value(value)
    }
}

impl<'a> From<&'a Json> for Item<'a> {
    fn from(json: &'a Json) -> Self {
        match json {
            Json::Value(value) => Item::Value(value),
            Json::Text(text) => Item::Raw(text),
        }
    }
}

impl<'a> Object<'a> {
    pub(crate) fn new() -> Self {
        // Enough for most, so that it is allocated once.
        Self(Vec::with_capacity(8))
    }

    /// Adds a key; one that is there already keeps its place and gets the new value.
    pub(crate) fn insert(&mut self, key: &'a str, item: impl Into<Item<'a>>) {
        let item = item.into();
        match self.0.iter_mut().find(|(known, _)| *known == key) {
            Some((_, place)) => *place = item,
            None => self.0.push((key, item)),
        }
    }

    /// Adds a key that is not there yet.
    pub(crate) fn insert_missing(&mut self, key: &'a str, item: impl Into<Item<'a>>) {
        if self.0.iter().all(|(known, _)| *known != key) {
            self.0.push((key, item.into()));
        }
    }

    /// Adds the members of another object, whose keys differ.
    pub(crate) fn append(&mut self, mut other: Object<'a>) {
        self.0.append(&mut other.0);
    }

    /// Adds every pair.
    pub(crate) fn extend(&mut self, pairs: &'a Members) {
        for (key, value) in pairs.iter() {
            self.insert(key, value);
        }
    }

    /// Appends the object as JSON text.
    pub(crate) fn write(&self, out: &mut Vec<u8>) {
        out.push(b'{');
        for (at, (key, item)) in self.0.iter().enumerate() {
            if at > 0 {
                out.push(b',');
            }
            text(key, out);
            out.push(b':');
            item.write(out);
        }
        out.push(b'}');
    }
}

/// Keys of the caller's own, in the order of their insertion. Nearly always there are none: then
/// this is one word, and nothing is allocated.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Members(Option<Box<Pairs>>);

#[derive(Clone, Debug, Default, PartialEq)]
struct Pairs(Vec<(String, Json)>);

impl Members {
    /// Adds a key; one that is there already keeps its place and gets the new value.
    pub(crate) fn insert(&mut self, key: String, value: impl Into<Json>) {
        let value = value.into();
        let pairs = &mut self.0.get_or_insert_default().0;
        match pairs.iter_mut().find(|(known, _)| *known == key) {
            Some((_, place)) => *place = value,
            None => pairs.push((key, value)),
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_none()
    }

    pub(crate) fn contains_key(&self, key: &str) -> bool {
        self.iter().any(|(known, _)| known == key)
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (&String, &Json)> {
        self.0
            .iter()
            .flat_map(|pairs| pairs.0.iter().map(|(key, value)| (key, value)))
    }
}

impl FromIterator<(String, Json)> for Members {
    /// The keys must differ.
    fn from_iter<I: IntoIterator<Item = (String, Json)>>(pairs: I) -> Self {
        let pairs: Vec<_> = pairs.into_iter().collect();
        Self((!pairs.is_empty()).then(|| Box::new(Pairs(pairs))))
    }
}

impl Item<'_> {
    /// Appends the value as JSON text.
    pub(crate) fn write(&self, out: &mut Vec<u8>) {
        match self {
            Item::Text(one) => text(one, out),
            Item::Texts(all) => {
                out.push(b'[');
                for (at, one) in all.iter().enumerate() {
                    if at > 0 {
                        out.push(b',');
                    }
                    text(one, out);
                }
                out.push(b']');
            }
            Item::Number(number) => write(number, out),
            Item::Flag(flag) => write(flag, out),
            Item::Value(value) => write(value, out),
            Item::Raw(text) => out.extend_from_slice(text.as_bytes()),
            Item::Own(value) => write(value, out),
            Item::Object(object) => object.write(out),
        }
    }
}

#[cfg(test)]
impl Item<'_> {
    pub(crate) fn to_text(&self) -> String {
        let mut out = Vec::new();
        self.write(&mut out);
        String::from_utf8(out).unwrap()
    }
}

/// Appends a quoted text. Most need no escape, and are copied at once.
pub(crate) fn text(text: &str, out: &mut Vec<u8>) {
    let special = |byte: u8| (byte < 0x20) | (byte == b'"') | (byte == b'\\');
    // Without an early exit it is done many octets at a time; what is short has not so many.
    let escape = match text.len() {
        ..16 => text.bytes().any(special),
        _ => text.bytes().fold(false, |any, byte| any | special(byte)),
    };
    if escape {
        return write(text, out);
    }
    out.reserve(text.len() + 2);
    out.push(b'"');
    out.extend_from_slice(text.as_bytes());
    out.push(b'"');
}

/// Appends any value as JSON text.
pub(crate) fn write<T: serde::Serialize + ?Sized>(value: &T, out: &mut Vec<u8>) {
    // Into memory, and no map has keys that are not text: it cannot fail.
    let _ = serde_json::to_writer(out, value);
}

impl<'a> From<&'a str> for Item<'a> {
    fn from(text: &'a str) -> Self {
        Item::Text(text)
    }
}

impl<'a> From<&'a String> for Item<'a> {
    fn from(text: &'a String) -> Self {
        Item::Text(text)
    }
}

impl<'a> From<&'a Vec<String>> for Item<'a> {
    fn from(texts: &'a Vec<String>) -> Self {
        Item::Texts(texts)
    }
}

impl From<u64> for Item<'_> {
    fn from(number: u64) -> Self {
        Item::Number(number)
    }
}

impl From<u32> for Item<'_> {
    fn from(number: u32) -> Self {
        Item::Number(number.into())
    }
}

impl From<bool> for Item<'_> {
    fn from(flag: bool) -> Self {
        Item::Flag(flag)
    }
}

impl<'a> From<&'a Value> for Item<'a> {
    fn from(value: &'a Value) -> Self {
        Item::Value(value)
    }
}

impl From<Value> for Item<'_> {
    fn from(value: Value) -> Self {
        Item::Own(value)
    }
}

impl<'a> From<Object<'a>> for Item<'a> {
    fn from(object: Object<'a>) -> Self {
        Item::Object(object)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn writes_what_serde_json_writes() {
        let (value, texts) = (
            json!({"b": [1.5, null], "a": "x"}),
            vec!["a".to_owned(), "\"".to_owned()],
        );
        let awkward = "\u{0}\u{1f}\"\\/\u{7f}\u{2028}é😀\n\t\r\u{8}\u{c}";
        let mut inner = Object::new();
        inner.insert("k", awkward);
        let mut object = Object::new();
        object.insert(awkward, "plain");
        object.insert("texts", &texts);
        object.insert("number", u64::MAX);
        object.insert("flag", true);
        object.insert("value", &value);
        object.insert("own", json!(-1));
        object.insert("inner", inner);
        object.insert("number", 7_u32);
        object.insert_missing("flag", false);
        object.insert_missing("empty", Object::new());
        let mut out = Vec::new();
        object.write(&mut out);
        let same = json!({
            awkward: "plain", "texts": texts, "number": 7, "flag": true, "value": value, "own": -1,
            "inner": {"k": awkward}, "empty": {},
        });
        assert_eq!(String::from_utf8(out).unwrap(), same.to_string());
    }
}
