//! A request, made to be cleared and filled again.

use std::fmt;
use std::sync::Arc;

use super::authority::Authority;
use super::block::HeaderBlock;
use super::body::Body;
use super::headers::{Header, Headers};

/// A request method.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum Method {
    /// `DELETE`
    Delete,
    /// `GET`
    Get,
    /// `HEAD`
    Head,
    /// `PATCH`
    Patch,
    /// `POST`
    #[default]
    Post,
    /// `PUT`
    Put,
}

impl Method {
    /// Every method, in the order of their names.
    pub const ALL: [Method; 6] = [
        Method::Delete,
        Method::Get,
        Method::Head,
        Method::Patch,
        Method::Post,
        Method::Put,
    ];

    /// The method as it is written on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Method::Delete => "DELETE",
            Method::Get => "GET",
            Method::Head => "HEAD",
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

/// Which block the last push had, by its number: two in a row make a campaign.
#[derive(Clone, Default)]
struct Last {
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
        self.last.in_campaign = false;
        self.authority = None;
        self.authorization = None;
        self.park();
    }

    /// Empties what is this request's own. What it shares with others stays where it is: the next push of a
    /// campaign shares it, too, and to count one user less and one more would cost more than all the
    /// rest. [`share`](Self::share) is what a parked request wants to be filled with; or clear it.
    pub(crate) fn park(&mut self) {
        self.method = Method::default();
        self.path.clear();
        self.headers.clear();
        match &mut self.body {
            Body::Own(bytes) => bytes.clear(),
            // The body of a single push is not held for longer than it has to be.
            body if !self.last.in_campaign => *body = Body::Empty,
            _ => {}
        }
        if !self.last.in_campaign {
            self.common = None;
        }
    }

    /// Fills in what it shares with many others: `authority`, `common` and a shared body.
    pub(crate) fn share(&mut self, authority: &Authority, common: &Arc<HeaderBlock>, body: &Arc<[u8]>) {
        let campaign = Some(common.id());
        self.last.in_campaign = self.last.campaign == campaign;
        self.last.campaign = campaign;
        if !self.authority.as_ref().is_some_and(|there| there.is(authority)) {
            self.authority = Some(authority.clone());
        }
        if !is_same(self.common.as_ref(), common) {
            self.common = Some(common.clone());
        }
        if !matches!(&self.body, Body::Shared(there) if Arc::ptr_eq(there, body)) {
            self.body = Body::Shared(body.clone());
        }
    }

    /// Fills in the authorization that it shares with others.
    pub(crate) fn authorize(&mut self, authorization: &Arc<HeaderBlock>) {
        if !is_same(self.authorization.as_ref(), authorization) {
            self.authorization = Some(authorization.clone());
        }
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

fn is_same(there: Option<&Arc<HeaderBlock>>, block: &Arc<HeaderBlock>) -> bool {
    there.is_some_and(|there| Arc::ptr_eq(there, block))
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
