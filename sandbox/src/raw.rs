//! A request as the log keeps it: bytes, which become JSON when somebody reads the log.

use crate::exchange::Exchange;
use crate::record::readable;
use crate::webpush::Sealed;
use serde_json::{Map, Value};
use std::cell::RefCell;
use std::sync::Arc;

/// Headers and body of one request.
#[derive(Clone, Debug, Default)]
pub(crate) struct Raw {
    /// `name\nvalue\n`, as often as there are headers; neither can hold a line feed. Shared
    /// with requests before it that had the same.
    headers: Arc<[u8]>,
    /// The pseudo-header that is seldom the same.
    path: Box<str>,
    body: Arc<[u8]>,
    /// The key that opens the body, when it is encrypted and has not been opened.
    sealed: Option<Box<Sealed>>,
}

/// The latest headers that a thread has seen, and room to write the next ones down.
#[derive(Default)]
struct Latest {
    headers: Arc<[u8]>,
    room: Vec<u8>,
}

impl Latest {
    /// The headers, without the credentials.
    fn headers(&mut self, exchange: &Exchange) -> Arc<[u8]> {
        let mut put = |name: &str, value: &[u8]| {
            for part in [name.as_bytes(), b"\n", value, b"\n"] {
                self.room.extend_from_slice(part);
            }
        };
        for (name, value) in &exchange.headers {
            let credential = name == "authorization" || name == "cookie";
            let value = if credential {
                b"(withheld)"
            } else {
                value.as_bytes()
            };
            put(name.as_str(), value);
        }
        put(":method", exchange.method.as_str().as_bytes());
        put(":authority", exchange.authority.as_bytes());
        if *self.headers != *self.room {
            self.headers = Arc::from(self.room.as_slice());
        }
        self.room.clear();
        self.headers.clone()
    }
}

impl Raw {
    /// The request as it came in, without the credentials in its headers.
    pub(crate) fn of(exchange: &Exchange) -> Self {
        thread_local!(static LATEST: RefCell<Latest> = RefCell::default());
        Self {
            headers: LATEST.with_borrow_mut(|latest| latest.headers(exchange)),
            path: exchange.path.as_str().into(),
            body: exchange.body.clone(),
            sealed: None,
        }
    }

    /// Forgets the body: it is a secret, or is shown in another form.
    pub(crate) fn hide_body(&mut self) {
        self.body = Arc::default();
    }

    /// The body is looked into when somebody reads the log.
    pub(crate) fn seal(&mut self, sealed: Sealed) {
        self.sealed = Some(Box::new(sealed));
    }

    /// Returns the content, and the rule that the body breaks if it cannot be read.
    pub(crate) fn decrypted(&self) -> Option<(Value, Option<&'static str>)> {
        Some(self.sealed.as_ref()?.shown(&self.body))
    }

    /// Bytes that it takes beside itself, at most: what it shares is counted as if it did not.
    pub(crate) fn weight(&self) -> usize {
        self.headers.len() + self.path.len() + self.body.len()
    }

    /// By name; of a header that came twice, the last.
    pub(crate) fn headers(&self) -> Value {
        let mut lines = self.headers.split(|byte| *byte == b'\n');
        let mut headers = Map::new();
        while let (Some(name), Some(value)) = (lines.next(), lines.next()) {
            let [name, value] = [name, value].map(|text| String::from_utf8_lossy(text).into_owned());
            headers.insert(name, Value::String(value));
        }
        headers.insert(":path".to_owned(), Value::String(self.path.to_string()));
        Value::Object(headers)
    }

    /// JSON where it is JSON.
    pub(crate) fn body(&self) -> Value {
        readable(&self.body)
    }
}

#[cfg(test)]
mod tests {
    use super::Raw;
    use crate::exchange::{Exchange, Origin};
    use http::{HeaderMap, HeaderValue, Method};
    use std::sync::Arc;

    #[test]
    fn credentials_are_withheld_and_the_rest_is_as_it_came() {
        let mut headers = HeaderMap::new();
        headers.insert("authorization", HeaderValue::from_static("bearer secret"));
        headers.insert("cookie", HeaderValue::from_static("secret"));
        headers.append("apns-topic", HeaderValue::from_static("first"));
        headers.append("apns-topic", HeaderValue::from_static(""));
        headers.insert("x-odd", HeaderValue::from_bytes(b"\xff\t:").expect("a value"));
        let exchange = Exchange {
            method: Method::POST,
            path: "/3/device/ab".to_owned(),
            query: None,
            authority: "localhost:1".to_owned(),
            headers,
            body: br#"{"aps":{}}"#.as_slice().into(),
            origin: Origin {
                connection: 1,
                stream: 1,
                header_block: 0,
                audit: None,
            },
        };
        let mut raw = Raw::of(&exchange);
        let shown = raw.headers();
        assert_eq!(shown["authorization"], "(withheld)");
        assert_eq!(shown["cookie"], "(withheld)");
        assert_eq!(shown["apns-topic"], "");
        assert_eq!(shown["x-odd"], "\u{fffd}\t:");
        assert_eq!(shown[":method"], "POST");
        assert_eq!(shown[":path"], "/3/device/ab");
        assert_eq!(shown[":authority"], "localhost:1");
        assert_eq!(shown.as_object().map(serde_json::Map::len), Some(7));
        assert!(!String::from_utf8_lossy(&raw.headers).contains("secret"));
        assert!(raw.body()["aps"].is_object());
        raw.hide_body();
        assert!(raw.body().is_null());
        // The next request shares what is the same, and only then.
        let mut exchange = exchange;
        exchange.path = "/3/device/cd".to_owned();
        let next = Raw::of(&exchange);
        assert!(Arc::ptr_eq(&next.headers, &raw.headers) && Arc::ptr_eq(&next.body, &exchange.body));
        assert_eq!(next.headers()[":path"], "/3/device/cd");
        exchange
            .headers
            .insert("apns-topic", HeaderValue::from_static("second"));
        assert_eq!(Raw::of(&exchange).headers()["apns-topic"], "second");
        assert_eq!(next.headers()["apns-topic"], "");
    }
}
