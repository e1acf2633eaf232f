//! An ordered list of headers in one buffer, made to be cleared and filled again.

use std::fmt;

use crate::error::{Error, ErrorKind};

/// Whether a header's value may enter a compression table (HPACK, RFC 7541 §6.2).
/// HTTP/1.1 ignores it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
#[allow(clippy::exhaustive_enums, reason = "RFC 7541 section 6.2 has three")]
pub enum Indexing {
    /// The value repeats on this connection: store it once, then refer to it (§6.2.1).
    #[default]
    Incremental,
    /// The value differs in every request: name by index, value as it is (§6.2.2).
    Without,
    /// A secret that no intermediary may put into a table either (§6.2.3).
    Never,
}

#[derive(Clone, Copy, PartialEq, Eq)]
struct Field {
    name_end: u32,
    value_end: u32,
    indexing: Indexing,
    sensitive: bool,
}

/// An ordered list of header fields. Names are lower-case. Clearing keeps the capacity.
#[derive(Default, PartialEq, Eq)]
pub struct Headers {
    /// UTF-8: names are ASCII, values are what `&str`s held, or ASCII, or were made readable.
    text: Vec<u8>,
    fields: Vec<Field>,
}

impl Clone for Headers {
    fn clone(&self) -> Self {
        Self {
            text: self.text.clone(),
            fields: self.fields.clone(),
        }
    }

    /// Uses the room that is there.
    fn clone_from(&mut self, source: &Self) {
        self.text.clone_from(&source.text);
        self.fields.clone_from(&source.fields);
    }
}

/// One header field of a [`Headers`] list.
#[derive(Clone, Copy)]
pub struct Header<'a> {
    /// The name, lower-case.
    pub name: &'a str,
    /// The value.
    pub value: &'a str,
    /// Whether the value may enter a compression table.
    pub indexing: Indexing,
    /// Whether the value must never be printed.
    pub sensitive: bool,
}

impl Headers {
    /// An empty list.
    pub const fn new() -> Self {
        Self {
            text: Vec::new(),
            fields: Vec::new(),
        }
    }

    /// An empty list with room for so many fields, and so many bytes of names and values.
    pub(crate) fn with_capacity(fields: usize, bytes: usize) -> Self {
        Self {
            text: Vec::with_capacity(bytes),
            fields: Vec::with_capacity(fields),
        }
    }

    /// Appends a field.
    ///
    /// # Errors
    /// `InvalidHeader` when the name is not a lower-case token or the value holds a control
    /// character of ASCII (so no CR, LF, NUL, tab or 0x7f), or begins or ends with a space.
    /// Octets from 0x80 on are `obs-text` (RFC 9110 §5.5): HTTP carries them as they are.
    pub fn push(&mut self, name: &str, value: &str, indexing: Indexing) -> Result<(), Error> {
        check(name, value)?;
        self.append(name.as_bytes(), value.as_bytes(), indexing, false);
        Ok(())
    }

    /// Appends a field whose value must never be printed (a bearer token).
    ///
    /// # Errors
    /// As [`Headers::push`].
    pub fn push_sensitive(&mut self, name: &str, value: &str, indexing: Indexing) -> Result<(), Error> {
        check(name, value)?;
        self.append(name.as_bytes(), value.as_bytes(), indexing, true);
        Ok(())
    }

    /// Appends a field received from a peer, whose bytes the connection has checked.
    /// Bytes of a value outside ASCII are kept as U+FFFD.
    pub(crate) fn push_received(&mut self, name: &[u8], value: &[u8]) {
        match value.is_ascii() {
            true => self.append(name, value, Indexing::Incremental, false),
            false => {
                let value = String::from_utf8_lossy(value);
                self.append(name, value.as_bytes(), Indexing::Incremental, false);
            }
        }
    }

    fn append(&mut self, name: &[u8], value: &[u8], indexing: Indexing, sensitive: bool) {
        self.text.extend_from_slice(name);
        let name_end = self.text.len() as u32;
        self.text.extend_from_slice(value);
        let value_end = self.text.len() as u32;
        self.fields.push(Field {
            name_end,
            value_end,
            indexing,
            sensitive,
        });
    }

    /// Removes all fields; keeps the capacity.
    pub fn clear(&mut self) {
        self.text.clear();
        self.fields.clear();
    }

    /// The number of fields.
    pub fn len(&self) -> usize {
        self.fields.len()
    }

    /// Whether there is no field.
    pub fn is_empty(&self) -> bool {
        self.fields.is_empty()
    }

    /// The fields in order.
    pub fn iter(&self) -> impl Iterator<Item = Header<'_>> {
        self.octets()
            .zip(&self.fields)
            .map(|((name, value, _), field)| Header {
                name: readable(name),
                value: readable(value),
                indexing: field.indexing,
                sensitive: field.sensitive,
            })
    }

    /// Names and values as they are on the wire, without a look at whether they are text: they are.
    #[inline]
    pub(crate) fn octets(&self) -> impl Iterator<Item = (&[u8], &[u8], Indexing)> {
        let mut start = 0usize;
        self.fields.iter().map(move |field| {
            let (name_end, value_end) = (field.name_end as usize, field.value_end as usize);
            let name = self.text.get(start..name_end).unwrap_or_default();
            let value = self.text.get(name_end..value_end).unwrap_or_default();
            start = value_end;
            (name, value, field.indexing)
        })
    }

    /// The value of the first field called `name` (lower-case).
    pub fn get(&self, name: &str) -> Option<&str> {
        let mut octets = self.octets();
        let (_, value, _) = octets.find(|(there, ..)| *there == name.as_bytes())?;
        Some(readable(value))
    }
}

fn readable(octets: &[u8]) -> &str {
    std::str::from_utf8(octets).unwrap_or_default()
}

/// The characters of a lower-case token (RFC 9110 §5.6.2, RFC 9113 §8.2.1). A table, because
/// every header of every request and response passes here.
static NAME: [bool; 256] = {
    let mut table = [false; 256];
    let all = b"!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyz";
    let mut at = 0;
    while at < all.len() {
        table[all[at] as usize] = true;
        at += 1;
    }
    table
};

/// Whether `name` is a lower-case token.
pub(crate) fn is_name(name: &[u8]) -> bool {
    // Without an early end: names are short, and good.
    !name.is_empty() && name.iter().fold(true, |good, &b| good & NAME[usize::from(b)])
}

fn check(name: &str, value: &str) -> Result<(), Error> {
    if !is_name(name.as_bytes()) {
        return Err(Error::new(
            ErrorKind::InvalidHeader,
            "header name is not a lower-case token",
        ));
    }
    // No early exit: this way it is done many octets at a time.
    let visible = value
        .bytes()
        .fold(true, |good, b| good & (b >= 0x20) & (b != 0x7f));
    if !visible || value.starts_with(' ') || value.ends_with(' ') {
        return Err(Error::new(
            ErrorKind::InvalidHeader,
            format!("value of {name} holds a control character, or a space at an end"),
        ));
    }
    Ok(())
}

impl fmt::Debug for Headers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map()
            .entries(
                self.iter()
                    .map(|h| (h.name, if h.sensitive { "[redacted]" } else { h.value })),
            )
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keeps_order_and_duplicates() {
        let mut headers = Headers::new();
        headers.push("ttl", "60", Indexing::Incremental).unwrap();
        headers.push("apns-id", "", Indexing::Without).unwrap();
        headers.push("ttl", "61", Indexing::Incremental).unwrap();
        let seen: Vec<_> = headers.iter().map(|h| (h.name, h.value)).collect();
        assert_eq!(seen, [("ttl", "60"), ("apns-id", ""), ("ttl", "61")]);
        assert_eq!(headers.get("ttl"), Some("60"));
        headers.clear();
        assert!(headers.is_empty() && headers.get("ttl").is_none());
    }

    #[test]
    fn refuses_injection() {
        let mut headers = Headers::new();
        for value in ["a\r\nb", "a\nb", "a\0b", "a\x7fb", "é\n", " a", "a ", "\t"] {
            assert!(
                headers.push("topic", value, Indexing::Without).is_err(),
                "{value:?}"
            );
        }
        for name in ["", "Topic", "to pic", "to:pic", "topic\n", "tópic"] {
            assert!(headers.push(name, "a", Indexing::Without).is_err(), "{name:?}");
        }
        assert!(headers.is_empty());
    }

    #[test]
    fn debug_hides_sensitive_values() {
        let mut headers = Headers::new();
        headers
            .push_sensitive("authorization", "bearer abc", Indexing::Incremental)
            .unwrap();
        assert!(!format!("{headers:?}").contains("abc"));
    }
}
