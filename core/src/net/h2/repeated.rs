//! Responses that come again.

use super::incoming::{Incoming, is_complete};
use crate::http::Response;

/// A header block of a final response, and its meaning. Under load a service answers most requests with
/// the same few octets, which need not be decoded each time.
#[derive(Default)]
pub(super) struct RepeatedHeaders {
    block: Vec<u8>,
    /// The state of the decoder's table in which the block has that meaning; `None` while there is no block.
    generation: Option<u64>,
    response: Response,
    content_length: Option<u64>,
    /// The length of the block before, and its last octets.
    latest: (usize, [u8; 4]),
    /// The number of queued events that refer to the response; it stays as it is until they have been fetched.
    queued: usize,
}

impl RepeatedHeaders {
    /// Returns whether `block` means what the remembered one does.
    #[inline]
    pub(super) fn matches(&self, block: &[u8], generation: Option<u64>) -> bool {
        generation.is_some() && self.generation == generation && self.block == block
    }

    /// Returns whether the block before looked like this one: blocks that each bring an id are not worth remembering.
    #[inline]
    pub(super) fn comes_again(&mut self, block: &[u8]) -> bool {
        let end = block.last_chunk().copied().unwrap_or_default();
        let latest = (block.len(), end);
        std::mem::replace(&mut self.latest, latest) == latest
    }

    /// Remembers a block and its meaning.
    pub(super) fn remember(&mut self, block: &[u8], generation: Option<u64>, incoming: &Incoming) {
        if self.queued > 0 {
            return;
        }
        self.block.clear();
        self.block.extend_from_slice(block);
        self.generation = generation;
        self.response.status = incoming.response().status;
        self.response.headers.clone_from(&incoming.response().headers);
        self.content_length = incoming.content_length();
    }

    /// Returns whether the response is complete without a body.
    #[inline]
    pub(super) fn is_complete(&self) -> bool {
        is_complete(self.response.status, self.content_length, 0)
    }

    /// Counts one more event that refers to the response.
    #[inline]
    pub(super) fn retain(&mut self) {
        self.queued += 1;
    }

    /// Returns the response for one of the events that refer to it.
    #[inline]
    pub(super) fn take(&mut self) -> &Response {
        self.queued = self.queued.saturating_sub(1);
        &self.response
    }

    /// Copies the remembered headers.
    pub(super) fn fill(&self, incoming: &mut Incoming) {
        incoming.response_mut().status = self.response.status;
        incoming.response_mut().headers.clone_from(&self.response.headers);
        incoming.set_content_length(self.content_length);
    }
}
