//! Headers that many requests have in common.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use super::headers::Headers;

/// Headers shared by many requests: a campaign's constant headers, or the
/// authorization of a credential. A connection encodes a block once and repeats
/// the result as long as its compression table allows; [`HeaderBlock::id`] is
/// what it remembers the block by.
#[derive(Debug)]
pub struct HeaderBlock {
    id: u64,
    headers: Headers,
}

static NEXT_ID: AtomicU64 = AtomicU64::new(1);

impl HeaderBlock {
    /// A block that no other block of this process shares its id with.
    pub fn new(headers: Headers) -> Arc<Self> {
        Arc::new(Self {
            id: NEXT_ID.fetch_add(1, Ordering::Relaxed),
            headers,
        })
    }

    /// Unique in this process.
    pub fn id(&self) -> u64 {
        self.id
    }

    /// The headers.
    pub fn headers(&self) -> &Headers {
        &self.headers
    }
}
