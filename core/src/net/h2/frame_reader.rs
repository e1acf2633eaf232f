//! Frames out of octets that arrive in pieces of any size.

use super::fault::Fault;
use super::frame::{DEFAULT_MAX_FRAME, HEAD, Head};

/// Puts frames together. A frame that arrives whole is handled where it stands.
#[derive(Default)]
pub(super) struct FrameReader {
    /// The beginning of a frame; empty between frames.
    partial: Vec<u8>,
}

/// The meaning of the next octets.
pub(super) enum Next<'a> {
    /// A frame that stands in the input.
    Whole(Head, &'a [u8]),
    /// A frame that came in pieces, as [`Pieced`].
    Pieced(Head, Pieced),
    /// The beginning of a frame; the input is used up.
    More,
}

/// A frame in the reader's own buffer, which wants it [back](FrameReader::give_back).
pub(super) struct Pieced(Vec<u8>);

impl Pieced {
    pub(super) fn payload(&self) -> &[u8] {
        self.0.get(HEAD..).unwrap_or_default()
    }
}

impl FrameReader {
    /// Takes one frame, or its beginning, off the front of `input`.
    ///
    /// # Errors
    /// The frame is longer than our SETTINGS allow.
    #[inline(always)]
    pub(super) fn next<'a>(&mut self, input: &mut &'a [u8]) -> Result<Next<'a>, Fault> {
        if !self.partial.is_empty() {
            return self.pieced(input);
        }
        if let Some(head) = Head::parse(input) {
            check_length(head)?;
            if let Some(payload) = input.get(HEAD..HEAD + head.length) {
                *input = input.get(HEAD + head.length..).unwrap_or_default();
                return Ok(Next::Whole(head, payload));
            }
        }
        self.partial.extend_from_slice(input);
        *input = &[];
        Ok(Next::More)
    }

    #[cold]
    fn pieced<'a>(&mut self, input: &mut &'a [u8]) -> Result<Next<'a>, Fault> {
        self.gather(HEAD, input);
        let Some(head) = Head::parse(&self.partial) else {
            return Ok(Next::More);
        };
        check_length(head)?;
        self.gather(HEAD + head.length, input);
        if self.partial.len() < HEAD + head.length {
            return Ok(Next::More);
        }
        Ok(Next::Pieced(head, Pieced(std::mem::take(&mut self.partial))))
    }

    fn gather(&mut self, wanted: usize, input: &mut &[u8]) {
        let missing = wanted.saturating_sub(self.partial.len()).min(input.len());
        let (piece, rest) = input.split_at(missing);
        self.partial.extend_from_slice(piece);
        *input = rest;
    }

    /// Takes back the buffer of a frame that has been handled.
    pub(super) fn give_back(&mut self, frame: Pieced) {
        self.partial = frame.0;
        self.partial.clear();
    }

    /// Gives the memory back: nothing more will be read.
    pub(super) fn close(&mut self) {
        self.partial = Vec::new();
    }
}

fn check_length(head: Head) -> Result<(), Fault> {
    match head.length > DEFAULT_MAX_FRAME {
        true => Err(Fault::frame_size("frame is larger than allowed")),
        false => Ok(()),
    }
}

/// Returns the payload without its padding (§6.1).
#[inline]
pub(super) fn unpad(head: Head, payload: &[u8]) -> Result<&[u8], Fault> {
    if !head.has(super::frame::flag::PADDED) {
        return Ok(payload);
    }
    let (&padding, rest) = payload
        .split_first()
        .ok_or(Fault::frame_size("padded frame without a length"))?;
    rest.len()
        .checked_sub(usize::from(padding))
        .and_then(|length| rest.get(..length))
        .ok_or(Fault::protocol("padding is longer than the frame"))
}
