//! A request as the log keeps it: bytes, which become JSON when somebody reads the log.

use crate::exchange::Exchange;
use crate::record::readable;
use crate::webpush::Sealed;
use serde_json::{Map, Value};

/// Headers and body of one request.
#[derive(Clone, Debug, Default)]
pub(crate) struct Raw {
    /// `name\nvalue\n`, as often as there are headers; neither can hold a line feed.
    headers: Box<[u8]>,
    body: Box<[u8]>,
    /// What opens the body, when it is encrypted and nobody has looked inside.
    sealed: Option<Sealed>,
}

impl Raw {
    /// What came in, without the credentials in its headers.
    pub(crate) fn of(exchange: &Exchange) -> Self {
        let mut length = 0;
        fields(exchange, |name, value| length += name.len() + value.len() + 2);
        let mut headers = Vec::with_capacity(length);
        fields(exchange, |name, value| {
            headers.extend_from_slice(name.as_bytes());
            headers.push(b'\n');
            headers.extend_from_slice(value);
            headers.push(b'\n');
        });
        Self {
            headers: headers.into_boxed_slice(),
            body: exchange.body.as_slice().into(),
            sealed: None,
        }
    }

    /// Forgets the body: it is a secret, or is shown in another form.
    pub(crate) fn hide_body(&mut self) {
        self.body = Box::default();
    }

    /// The body is looked into when somebody reads the log.
    pub(crate) fn seal(&mut self, sealed: Sealed) {
        self.sealed = Some(sealed);
    }

    /// What is inside, and the rule that the body breaks if it cannot be read.
    pub(crate) fn decrypted(&self) -> Option<(Value, Option<&'static str>)> {
        Some(self.sealed.as_ref()?.shown(&self.body))
    }

    /// Bytes that it takes beside itself.
    pub(crate) fn weight(&self) -> usize {
        self.headers.len() + self.body.len()
    }

    /// By name; of a header that came twice, the last.
    pub(crate) fn headers(&self) -> Value {
        let mut lines = self.headers.split(|byte| *byte == b'\n');
        let mut headers = Map::new();
        while let (Some(name), Some(value)) = (lines.next(), lines.next()) {
            let [name, value] = [name, value].map(|text| String::from_utf8_lossy(text).into_owned());
            headers.insert(name, Value::String(value));
        }
        Value::Object(headers)
    }

    /// JSON where it is JSON.
    pub(crate) fn body(&self) -> Value {
        readable(&self.body)
    }
}

/// Each header, without credentials, and then the pseudo-headers.
fn fields(exchange: &Exchange, mut each: impl FnMut(&str, &[u8])) {
    for (name, value) in &exchange.headers {
        let credential = name == "authorization" || name == "cookie";
        let value = if credential {
            b"(withheld)"
        } else {
            value.as_bytes()
        };
        each(name.as_str(), value);
    }
    each(":method", exchange.method.as_str().as_bytes());
    each(":path", exchange.path.as_bytes());
    each(":authority", exchange.authority.as_bytes());
}

#[cfg(test)]
mod tests {
    use super::Raw;
    use crate::exchange::{Exchange, Origin};
    use http::{HeaderMap, HeaderValue, Method};

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
            body: br#"{"aps":{}}"#.to_vec(),
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
    }
}
