//! A request body: shared by many requests, or one request's own.

use std::sync::Arc;

/// A request body.
#[derive(Clone, Debug, Default)]
#[allow(clippy::exhaustive_enums, reason = "every owner of a body reads it whole")]
pub enum Body {
    /// No body.
    #[default]
    Empty,
    /// One body for many requests.
    Shared(Arc<[u8]>),
    /// This request's own.
    Own(Vec<u8>),
}

impl Body {
    /// The bytes.
    pub fn as_bytes(&self) -> &[u8] {
        match self {
            Body::Empty => &[],
            Body::Shared(bytes) => bytes,
            Body::Own(bytes) => bytes,
        }
    }

    /// The number of bytes.
    pub fn len(&self) -> usize {
        self.as_bytes().len()
    }

    /// Whether there is nothing in it.
    pub fn is_empty(&self) -> bool {
        self.as_bytes().is_empty()
    }

    /// Makes this the request's own body and hands out its cleared buffer, to be
    /// written into. The capacity of an earlier own body is kept.
    pub fn own(&mut self) -> &mut Vec<u8> {
        match self {
            Body::Own(bytes) => bytes.clear(),
            _ => *self = Body::Own(Vec::new()),
        }
        match self {
            Body::Own(bytes) => bytes,
            _ => unreachable!("set to Own above"),
        }
    }
}

impl From<Vec<u8>> for Body {
    fn from(bytes: Vec<u8>) -> Self {
        Body::Own(bytes)
    }
}

impl From<Arc<[u8]>> for Body {
    fn from(bytes: Arc<[u8]>) -> Self {
        Body::Shared(bytes)
    }
}
