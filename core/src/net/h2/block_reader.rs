//! Header blocks out of HEADERS and CONTINUATION frames (RFC 9113 §4.3, §6.10).

use super::fault::Fault;
use super::frame::{Head, flag, kind};
use super::frame_reader::unpad;

/// The most CONTINUATION frames of one block: a header list within our limit (16 KiB) fits into one.
const MAX_CONTINUATIONS: u32 = 5;

/// Puts header blocks together.
#[derive(Default)]
pub(super) struct BlockReader {
    octets: Vec<u8>,
    /// The block under way; `None` between blocks.
    open: Option<Open>,
}

struct Open {
    stream: u32,
    end_stream: bool,
    continuations: u32,
}

/// A whole block that came in pieces, in the reader's own buffer, which wants it [back](BlockReader::give_back).
pub(super) struct Block {
    pub(super) stream: u32,
    pub(super) end_stream: bool,
    octets: Vec<u8>,
}

impl Block {
    pub(super) fn octets(&self) -> &[u8] {
        &self.octets
    }
}

impl BlockReader {
    /// Checks that `head` may follow: between HEADERS and the end of the block, CONTINUATION alone may.
    #[inline(always)]
    pub(super) fn check(&self, head: Head) -> Result<(), Fault> {
        match &self.open {
            Some(open) if head.kind != kind::CONTINUATION || head.stream != open.stream => {
                Err(Fault::protocol("header block interrupted by another frame"))
            }
            _ => Ok(()),
        }
    }

    /// Takes HEADERS; returns the block when it is whole.
    #[inline(always)]
    pub(super) fn headers<'a>(&mut self, head: Head, payload: &'a [u8]) -> Result<Option<&'a [u8]>, Fault> {
        let mut fragment = unpad(head, payload)?;
        if head.has(flag::PRIORITY) {
            fragment = fragment
                .get(5..)
                .ok_or(Fault::frame_size("headers too short for their priority"))?;
        }
        if head.has(flag::END_HEADERS) {
            return Ok(Some(fragment));
        }
        self.octets.extend_from_slice(fragment);
        self.open = Some(Open {
            stream: head.stream,
            end_stream: head.has(flag::END_STREAM),
            continuations: 0,
        });
        Ok(None)
    }

    /// Takes CONTINUATION; returns the block when it is whole.
    pub(super) fn continuation(&mut self, head: Head, payload: &[u8]) -> Result<Option<Block>, Fault> {
        let Some(open) = &mut self.open else {
            return Err(Fault::protocol("continuation without headers"));
        };
        open.continuations += 1;
        if open.continuations > MAX_CONTINUATIONS {
            return Err(Fault::flood("too many continuation frames"));
        }
        self.octets.extend_from_slice(payload);
        if !head.has(flag::END_HEADERS) {
            return Ok(None);
        }
        let (stream, end_stream) = (open.stream, open.end_stream);
        self.open = None;
        Ok(Some(Block {
            stream,
            end_stream,
            octets: std::mem::take(&mut self.octets),
        }))
    }

    /// Takes back the buffer of a block that has been handled.
    pub(super) fn give_back(&mut self, block: Block) {
        self.octets = block.octets;
        self.octets.clear();
    }

    /// Gives the memory back: nothing more will be read.
    pub(super) fn close(&mut self) {
        *self = Self::default();
    }
}
