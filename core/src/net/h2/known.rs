//! Responses that come again.

use super::respond::is_whole;
use super::stream::Incoming;
use crate::http::Response;

/// A header block of a final response, and what it says. Under load a service answers most requests with
/// the same few octets.
#[derive(Default)]
pub(super) struct Known {
    block: Vec<u8>,
    /// The state of the decoder's table in which it says that.
    generation: Option<u64>,
    response: Response,
    content_length: Option<u64>,
    /// How long the block before was, and how it ended.
    latest: (usize, [u8; 4]),
    /// So many events refer to it: it stays as it is until they have been fetched.
    queued: usize,
}

impl Known {
    pub(super) fn is(&self, block: &[u8], generation: Option<u64>) -> bool {
        generation.is_some() && self.generation == generation && self.block == block
    }

    /// Whether the block before looked like this one: not worth learning are those that each bring an id.
    pub(super) fn comes_again(&mut self, block: &[u8]) -> bool {
        let end = block.last_chunk().copied().unwrap_or_default();
        let latest = (block.len(), end);
        std::mem::replace(&mut self.latest, latest) == latest
    }

    pub(super) fn learn(&mut self, block: &[u8], generation: Option<u64>, incoming: &Incoming) {
        if self.queued > 0 {
            return;
        }
        self.block.clear();
        self.block.extend_from_slice(block);
        self.generation = generation;
        self.response.status = incoming.response.status;
        self.response.headers.clone_from(&incoming.response.headers);
        self.content_length = incoming.content_length;
    }

    /// Whether the response is complete without a body.
    pub(super) fn is_whole(&self) -> bool {
        is_whole(self.response.status, self.content_length, 0)
    }

    /// One more event refers to it.
    pub(super) fn quote(&mut self) {
        self.queued += 1;
    }

    /// The response, for one of the events that refer to it.
    pub(super) fn fetch(&mut self) -> &Response {
        self.queued = self.queued.saturating_sub(1);
        &self.response
    }

    pub(super) fn tell(&self, incoming: &mut Incoming) {
        incoming.response.status = self.response.status;
        incoming.response.headers.clone_from(&self.response.headers);
        incoming.content_length = self.content_length;
    }
}
