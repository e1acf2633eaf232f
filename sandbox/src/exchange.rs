//! One request and one reply, whatever wire they travelled on.

use http::{HeaderMap, Method};
use serde::Serialize;
use serde_json::Value;
use std::borrow::Cow;
use std::sync::Arc;

/// Which connection a request came in on. APNs binds rules to connections.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Origin {
    /// Counts all connections of this sandbox, from 1.
    pub(crate) connection: u64,
    /// The HTTP/2 stream; 0 on HTTP/1.1.
    pub(crate) stream: u32,
    /// Bytes of the HPACK header block on the wire; 0 on HTTP/1.1.
    pub(crate) header_block: usize,
    /// How it was coded; `None` on HTTP/1.1, and where it could not be followed.
    pub(crate) audit: Option<HeaderAudit>,
}

/// How a client coded one request's headers (RFC 7541).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct HeaderAudit {
    /// `:path`.
    pub path: Option<Coding>,
    /// `authorization`, when there is one.
    pub authorization: Option<Coding>,
    /// Entries that the request added to the table.
    pub inserted: u32,
    /// Entries that it pushed out of the table.
    pub evicted: u32,
}

/// How one header field was coded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Coding {
    /// Returns the service as an index: a byte or two.
    Indexed,
    /// Written out, and put into the table.
    Incremental,
    /// Written out, not put into the table.
    Without,
    /// Written out, and no proxy may ever put it into a table.
    Never,
}

/// A request, read to its end.
#[derive(Clone, Debug)]
pub(crate) struct Exchange {
    pub(crate) method: Method,
    /// Path without the query.
    pub(crate) path: String,
    pub(crate) query: Option<String>,
    /// `:authority`, or the `host` header.
    pub(crate) authority: String,
    pub(crate) headers: HeaderMap,
    /// Shared with the log, and with requests before it that had the same one.
    pub(crate) body: Arc<[u8]>,
    pub(crate) origin: Origin,
}

impl Exchange {
    /// The header's text, when it is present once or more; the first wins.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }

    /// Decoded query or form pairs, in order.
    pub(crate) fn form(text: &str) -> Vec<(String, String)> {
        text.split('&')
            .filter(|pair| !pair.is_empty())
            .map(|pair| {
                let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
                (percent_decode(key, true), percent_decode(value, true))
            })
            .collect()
    }
}

/// Percent-decoding; `+` is a space in forms. Broken escapes stay as they are.
pub(crate) fn percent_decode(text: &str, plus: bool) -> String {
    let bytes = text.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut i = 0;
    while let Some(&byte) = bytes.get(i) {
        let hex = (byte == b'%')
            .then(|| bytes.get(i + 1..i + 3))
            .flatten()
            .and_then(|pair| std::str::from_utf8(pair).ok())
            .and_then(|pair| u8::from_str_radix(pair, 16).ok());
        match hex {
            Some(value) => {
                out.push(value);
                i += 3;
            }
            None => {
                out.push(if plus && byte == b'+' { b' ' } else { byte });
                i += 1;
            }
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}

/// The reply of a service.
#[derive(Clone, Debug, Default)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(Cow<'static, str>, String)>,
    pub(crate) body: Vec<u8>,
    /// Changes of the connection that go with the answer.
    pub(crate) after: After,
}

/// The action of the connection beside sending the reply.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct After {
    /// Announce this MAX_CONCURRENT_STREAMS (the APNs stream governor).
    pub(crate) max_streams: Option<u32>,
    /// The answer has no `date`, on HTTP/1.1 either.
    pub(crate) no_date: bool,
}

impl Reply {
    pub(crate) fn status(status: u16) -> Self {
        Self {
            status,
            ..Self::default()
        }
    }

    pub(crate) fn json(status: u16, body: &Value) -> Self {
        Self::status(status)
            .with("content-type", "application/json")
            .with_body(serde_json::to_vec(body).unwrap_or_default())
    }

    pub(crate) fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((Cow::Borrowed(name), value.into()));
        self
    }

    pub(crate) fn with_body(mut self, body: impl Into<Vec<u8>>) -> Self {
        self.body = body.into();
        self
    }
}
