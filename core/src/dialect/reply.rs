//! The answer to the client.

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value, json};

/// The answer to the client: a job's end.
#[derive(Clone, PartialEq)]
pub struct Reply {
    status: u16,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
    remember: Vec<String>,
    remember_seconds: u64,
}

impl Reply {
    pub(super) fn new(status: u16, body: impl Into<Vec<u8>>) -> Self {
        Self {
            status,
            headers: Vec::new(),
            body: body.into(),
            remember: Vec::new(),
            remember_seconds: 0,
        }
    }

    /// A JSON body with its content type.
    pub(super) fn json(status: u16, body: &Value) -> Self {
        Self::new(status, body.to_string()).with_header("Content-Type", "application/json")
    }

    #[must_use]
    pub(super) fn with_header(mut self, name: &str, value: &str) -> Self {
        // A value may hold a part of the request: it must not end the header.
        let value = value.chars().filter(|c| !c.is_control()).collect();
        self.headers.push((name.to_owned(), value));
        self
    }

    #[must_use]
    pub(super) fn remembered(mut self, keys: &[String], seconds: u64) -> Self {
        self.remember = keys.to_vec();
        self.remember_seconds = seconds;
        self
    }

    /// Returns the HTTP status.
    pub fn status(&self) -> u16 {
        self.status
    }

    /// Returns names and values in order.
    pub fn headers(&self) -> &[(String, String)] {
        &self.headers
    }

    /// Returns the body. The host adds `content-length`.
    pub fn body(&self) -> &[u8] {
        &self.body
    }

    /// Returns the idempotency keys that the host stores this reply under, before the client gets it; empty where nothing
    /// is to be remembered.
    pub fn remember(&self) -> &[String] {
        &self.remember
    }

    /// Returns the time for which the reply is remembered, in seconds.
    pub fn remember_seconds(&self) -> u64 {
        self.remember_seconds
    }

    /// Returns the reply as JSON, which answers [`Ask::Claim`](super::Ask::Claim) later.
    pub fn to_json(&self) -> String {
        self.value().to_string()
    }

    pub(super) fn value(&self) -> Value {
        let mut map = Map::new();
        map.insert("status".into(), self.status.into());
        map.insert("headers".into(), json!(self.headers));
        write_bytes(&mut map, "body", &self.body);
        map.insert("remember".into(), json!(self.remember));
        map.insert("remember_seconds".into(), self.remember_seconds.into());
        Value::Object(map)
    }

    /// Reads what [`Reply::to_json`] wrote; `None` for anything else.
    pub(super) fn read(value: &Value) -> Option<Self> {
        let strings = |value: &Value| -> Option<Vec<String>> {
            let texts = value.as_array()?.iter();
            texts.map(|text| text.as_str().map(str::to_owned)).collect()
        };
        let pair = |pair: &Value| match strings(pair)?.as_slice() {
            [name, value] => Some((name.clone(), value.clone())),
            _ => None,
        };
        let headers = value.get("headers")?.as_array()?.iter();
        Some(Self {
            status: u16::try_from(value.get("status")?.as_u64()?).ok()?,
            headers: headers.map(pair).collect::<Option<_>>()?,
            body: read_bytes(value, "body")?,
            remember: strings(value.get("remember")?)?,
            remember_seconds: value.get("remember_seconds")?.as_u64()?,
        })
    }
}

impl fmt::Debug for Reply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The body names device tokens.
        f.debug_struct("Reply")
            .field("status", &self.status)
            .field("headers", &self.headers)
            .field("body_len", &self.body.len())
            .finish()
    }
}

/// Adds bytes to an object: as text where they are UTF-8, else as base64 under another name.
pub(super) fn write_bytes(map: &mut Map<String, Value>, name: &str, bytes: &[u8]) {
    match std::str::from_utf8(bytes) {
        Ok(text) => map.insert(name.to_owned(), text.into()),
        Err(_) => map.insert(format!("{name}_base64"), STANDARD.encode(bytes).into()),
    };
}

/// Reads what [`write_bytes`] wrote.
pub(super) fn read_bytes(value: &Value, name: &str) -> Option<Vec<u8>> {
    match value.get(name) {
        Some(text) => Some(text.as_str()?.as_bytes().to_vec()),
        None => {
            let text = value.get(format!("{name}_base64"))?.as_str()?;
            STANDARD.decode(text).ok()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reply_comes_back_from_its_json() {
        let reply = Reply::json(202, &json!({"a": "é"}))
            .with_header("x-id", "1\r\nset-cookie: x")
            .remembered(&["k".to_owned()], 300);
        assert_eq!(reply.headers()[1].1, "1set-cookie: x");
        for reply in [reply, Reply::new(200, vec![0xff, 0]), Reply::new(204, "")] {
            let value: Value = serde_json::from_str(&reply.to_json()).unwrap();
            assert_eq!(Reply::read(&value).unwrap(), reply);
        }
        for text in [
            "null",
            "{}",
            r#"{"status":70000,"headers":[],"body":"","remember":[],"remember_seconds":0}"#,
        ] {
            assert!(
                Reply::read(&serde_json::from_str(text).unwrap()).is_none(),
                "{text}"
            );
        }
    }
}
