//! A response, made to be cleared and filled again.

use std::fmt;

use super::headers::Headers;

/// The final response to one request: never a 1xx.
#[derive(Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Response {
    /// The status.
    pub status: u16,
    /// The headers, names in lower case, without the pseudo-headers.
    pub headers: Headers,
    /// The body, cut at the connection's limit (64 KiB, 1 MiB for token endpoints).
    pub body: Vec<u8>,
    /// Whether the body is incomplete: longer than the limit, or not as long as
    /// `content-length` said. The status counts all the same.
    pub truncated: bool,
}

impl Response {
    /// A response made by hand: by users of another HTTP client, and by tests.
    pub fn new(status: u16, body: impl Into<Vec<u8>>) -> Self {
        Self {
            status,
            headers: Headers::new(),
            body: body.into(),
            truncated: false,
        }
    }

    /// Adds a header as received; bytes outside ASCII are replaced.
    #[must_use]
    pub fn with_header(mut self, name: &str, value: &str) -> Self {
        self.headers
            .push_received(name.to_ascii_lowercase().as_bytes(), value.as_bytes());
        self
    }

    /// The value of the first header called `name` (lower-case).
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)
    }

    /// Back to an empty response; the capacity is kept.
    pub fn clear(&mut self) {
        self.status = 0;
        self.headers.clear();
        self.body.clear();
        self.truncated = false;
    }
}

impl fmt::Debug for Response {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Response")
            .field("status", &self.status)
            .field("headers", &self.headers)
            .field("body_len", &self.body.len())
            .field("truncated", &self.truncated)
            .finish()
    }
}
