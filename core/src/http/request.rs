//! A request, made to be cleared and filled again.

use std::fmt;
use std::sync::Arc;

use super::authority::Authority;
use super::block::HeaderBlock;
use super::body::Body;
use super::headers::{Header, Headers};

/// A request method.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
pub enum Method {
    /// `DELETE`
    Delete,
    /// `GET`
    Get,
    /// `PATCH`
    Patch,
    /// `POST`
    #[default]
    Post,
    /// `PUT`
    Put,
}

impl Method {
    /// The method as it is written on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Method::Delete => "DELETE",
            Method::Get => "GET",
            Method::Patch => "PATCH",
            Method::Post => "POST",
            Method::Put => "PUT",
        }
    }
}

/// One HTTPS request, complete: hand it to any HTTP client, or to a connection of this crate.
///
/// `authorization` and `common` are header blocks shared with other requests;
/// `headers` are this request's own. On the wire they stand in that order.
#[derive(Clone, Default)]
pub struct Request {
    /// The method.
    pub method: Method,
    /// Host and port; `None` only in a request that has not been filled yet.
    pub authority: Option<Authority>,
    /// Path and query, beginning with `/`, already percent-encoded.
    pub path: String,
    /// The credential's headers.
    pub authorization: Option<Arc<HeaderBlock>>,
    /// The headers that a campaign has in common.
    pub common: Option<Arc<HeaderBlock>>,
    /// The headers of this request alone.
    pub headers: Headers,
    /// The body.
    pub body: Body,
    last: Last,
}

/// What a request was filled with before it was cleared: the next push of a campaign shares it, and
/// takes it over. To count one user less and one more would cost more than all the rest.
#[derive(Clone, Default)]
struct Last {
    authority: Option<Authority>,
    authorization: Option<Arc<HeaderBlock>>,
    common: Option<Arc<HeaderBlock>>,
    body: Option<Arc<[u8]>>,
    /// The block of the push before, by its number: two in a row make a campaign. The body of
    /// a single push is not held for longer than it has to be.
    campaign: Option<u64>,
    in_campaign: bool,
}

impl Request {
    /// An empty request, to be filled.
    pub fn new() -> Self {
        Self::default()
    }

    /// Back to an empty request; the path's, the headers' and an own body's capacity are kept.
    pub fn clear(&mut self) {
        self.method = Method::default();
        self.path.clear();
        self.last.authorization = self.authorization.take();
        self.headers.clear();
        self.last.authority = self.authority.take();
        self.last.common = self.common.take().filter(|_| self.last.in_campaign);
        self.last.body = match &mut self.body {
            Body::Own(bytes) => {
                bytes.clear();
                None
            }
            other => match std::mem::take(other) {
                Body::Shared(body) => Some(body).filter(|_| self.last.in_campaign),
                _ => None,
            },
        };
    }

    /// Fills in what it shares with many others: `authority`, `common` and a shared body.
    pub(crate) fn share(&mut self, authority: &Authority, common: &Arc<HeaderBlock>, body: &Arc<[u8]>) {
        let last = &mut self.last;
        last.in_campaign = last.campaign == Some(common.id());
        last.campaign = Some(common.id());
        let same = last.authority.take().filter(|last| last.is(authority));
        self.authority = Some(same.unwrap_or_else(|| authority.clone()));
        let same = last.common.take().filter(|last| Arc::ptr_eq(last, common));
        self.common = Some(same.unwrap_or_else(|| common.clone()));
        let same = last.body.take().filter(|last| Arc::ptr_eq(last, body));
        self.body = Body::Shared(same.unwrap_or_else(|| body.clone()));
    }

    /// Fills in the authorization that it shares with others.
    pub(crate) fn authorize(&mut self, authorization: &Arc<HeaderBlock>) {
        let last = self.last.authorization.take().or(self.authorization.take());
        let same = last.filter(|last| Arc::ptr_eq(last, authorization));
        self.authorization = Some(same.unwrap_or_else(|| authorization.clone()));
    }

    /// All headers in the order of the wire, without the pseudo-headers.
    pub fn all_headers(&self) -> impl Iterator<Item = Header<'_>> {
        let blocks = [self.authorization.as_deref(), self.common.as_deref()];
        blocks
            .into_iter()
            .flatten()
            .flat_map(|block| block.headers().iter())
            .chain(self.headers.iter())
    }

    /// The value of the first header called `name` (lower-case).
    pub fn header(&self, name: &str) -> Option<&str> {
        self.all_headers()
            .find(|header| header.name == name)
            .map(|header| header.value)
    }

    /// `https://authority/path`, for HTTP clients that want a URL.
    pub fn url(&self) -> String {
        let authority = self.authority.as_ref().map_or("", Authority::as_str);
        format!("https://{authority}{}", self.path)
    }
}

impl fmt::Debug for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The path holds a device token or is a capability itself (Web Push).
        f.debug_struct("Request")
            .field("method", &self.method)
            .field("authority", &self.authority)
            .field("path_len", &self.path.len())
            .field(
                "authorization",
                &self.authorization.as_ref().map(|_| "[redacted]"),
            )
            .field("common", &self.common.as_ref().map(|block| block.headers()))
            .field("headers", &self.headers)
            .field("body_len", &self.body.len())
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::Indexing;

    #[test]
    fn headers_come_in_wire_order() {
        let mut authorization = Headers::new();
        authorization
            .push_sensitive("authorization", "bearer x", Indexing::Incremental)
            .unwrap();
        let mut common = Headers::new();
        common.push("apns-topic", "a.b", Indexing::Incremental).unwrap();
        let mut request = Request::new();
        request.authorization = Some(HeaderBlock::new(authorization));
        request.common = Some(HeaderBlock::new(common));
        request.headers.push("apns-id", "1", Indexing::Without).unwrap();
        let names: Vec<_> = request.all_headers().map(|h| h.name).collect();
        assert_eq!(names, ["authorization", "apns-topic", "apns-id"]);
        assert_eq!(request.header("apns-topic"), Some("a.b"));
        assert!(!format!("{request:?}").contains("bearer"));
    }

    #[test]
    fn clearing_keeps_capacity() {
        let mut request = Request::new();
        request.path.push_str("/3/device/0123456789");
        request.body.own().extend_from_slice(&[7; 100]);
        request.clear();
        assert!(request.path.is_empty() && request.path.capacity() >= 20);
        assert!(request.body.is_empty());
        assert!(matches!(&request.body, Body::Own(bytes) if bytes.capacity() >= 100));
    }
}
