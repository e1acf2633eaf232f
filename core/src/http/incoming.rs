//! A request that came in: what a server received, byte for byte.

use std::fmt;

use super::request::Method;
use crate::error::{Error, ErrorKind};

/// A request that came in, as the server received it: nothing decoded, joined, sorted or dropped.
///
/// A signature covers exactly these bytes, so a server hands over what stood on the wire and not what its framework
/// made of it. A chunked body is handed over whole, without the chunks.
#[derive(Clone, PartialEq, Eq)]
pub struct Incoming {
    method: String,
    target: String,
    headers: Vec<(Vec<u8>, Vec<u8>)>,
    body: Vec<u8>,
}

impl Incoming {
    /// A request of `method` for the raw `target` (path and query, percent-encoding untouched), without headers.
    ///
    /// # Errors
    /// `InvalidValue` when the target does not begin with a slash or holds anything but visible ASCII characters: no
    /// HTTP server lets such a target through.
    pub fn new(method: &str, target: &str, body: impl Into<Vec<u8>>) -> Result<Self, Error> {
        if !target.starts_with('/') || !target.bytes().all(|byte| byte.is_ascii_graphic()) {
            let text = "a raw target begins with a slash and holds visible ascii characters only";
            return Err(Error::new(ErrorKind::InvalidValue, text));
        }
        Ok(Self {
            method: method.to_owned(),
            target: target.to_owned(),
            headers: Vec::new(),
            body: body.into(),
        })
    }

    /// Returns the request with one more header, in the order of the wire.
    #[must_use]
    pub fn with_header(mut self, name: impl Into<Vec<u8>>, value: impl Into<Vec<u8>>) -> Self {
        self.headers.push((name.into(), value.into()));
        self
    }

    /// Returns the method; `None` for a method that this crate does not know.
    pub fn method(&self) -> Option<Method> {
        Method::ALL
            .into_iter()
            .find(|method| method.as_str() == self.method)
    }

    /// Returns the method as it was written.
    pub fn method_text(&self) -> &str {
        &self.method
    }

    /// Returns path and query as they were written.
    pub fn target(&self) -> &str {
        &self.target
    }

    /// Returns the path as it was written, without the query.
    pub fn path(&self) -> &str {
        self.target.split('?').next().unwrap_or_default()
    }

    /// Returns the query as it was written; `None` where there is no question mark.
    pub fn query(&self) -> Option<&str> {
        self.target.split_once('?').map(|(_, query)| query)
    }

    /// Returns names and values in the order of the wire.
    pub fn headers(&self) -> impl Iterator<Item = (&[u8], &[u8])> {
        self.headers.iter().map(|(name, value)| (&name[..], &value[..]))
    }

    /// Returns the values of every header called `name`, in whichever case the name was written.
    pub fn values<'a, 'n>(&'a self, name: &'n str) -> impl Iterator<Item = &'a [u8]> + use<'a, 'n> {
        self.headers()
            .filter(|(there, _)| there.eq_ignore_ascii_case(name.as_bytes()))
            .map(|(_, value)| value)
    }

    /// Returns the value of the only header called `name`, without the white space around it; `None` where there is
    /// no such header, more than one, or a value that is not UTF-8.
    pub fn header(&self, name: &str) -> Option<&str> {
        let mut values = self.values(name);
        let value = values.next()?;
        match values.next() {
            None => std::str::from_utf8(value).ok().map(str::trim),
            Some(_) => None,
        }
    }

    /// Returns the body.
    pub fn body(&self) -> &[u8] {
        &self.body
    }

    /// Removes every header called `name`.
    pub(crate) fn remove(&mut self, name: &str) {
        self.headers
            .retain(|(there, _)| !there.eq_ignore_ascii_case(name.as_bytes()));
    }
}

impl fmt::Debug for Incoming {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Headers and body hold keys, tokens and personal data.
        f.debug_struct("Incoming")
            .field("method", &self.method)
            .field("target_len", &self.target.len())
            .field("headers", &self.headers.len())
            .field("body_len", &self.body.len())
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_decoded_or_joined() {
        let request = Incoming::new("POST", "/v1/a%2Fb/c?x=%20&x=2", "body")
            .unwrap()
            .with_header("Host", " example.com ")
            .with_header("x", "1")
            .with_header("X", b"\xff".to_vec());
        assert_eq!(request.method(), Some(Method::Post));
        assert_eq!(
            (request.path(), request.query()),
            ("/v1/a%2Fb/c", Some("x=%20&x=2"))
        );
        assert_eq!(request.header("host"), Some("example.com"));
        assert_eq!(request.header("x"), None, "there are two");
        assert_eq!(request.values("x").collect::<Vec<_>>(), [&b"1"[..], b"\xff"]);
        assert_eq!(request.headers().count(), 3);
        assert!(!format!("{request:?}").contains("example"));
    }

    #[test]
    fn a_target_that_no_server_lets_through_is_refused() {
        for target in ["", "*", "a", "http://x/", "/a b", "/\r\n", "/é"] {
            assert!(Incoming::new("GET", target, "").is_err(), "{target:?}");
        }
        assert_eq!(Incoming::new("BREW", "/", "").unwrap().method(), None);
        assert_eq!(
            Incoming::new("HEAD", "/", "").unwrap().method(),
            Some(Method::Head)
        );
    }
}
