//! Listens to what the client hands to the transport: which requests a server may have seen.

use super::frame::{self, PREFACE, Reader, flag, kind};
use super::log::number_of;

/// A request of which the whole header block has been handed over: before that no server can have
/// acted on it, because a frame that is not whole says nothing.
#[derive(Clone, Copy, Debug)]
pub(super) struct Begun {
    pub(super) stream: u32,
    /// The message; `None` for a request that is no push.
    pub(super) number: Option<usize>,
}

/// One client's byte stream.
pub(super) struct Tap {
    preface: usize,
    reader: Reader,
    decoder: fluke_hpack::Decoder<'static>,
}

impl Tap {
    pub(super) fn new() -> Self {
        Self {
            preface: 0,
            reader: Reader::default(),
            decoder: fluke_hpack::Decoder::new(),
        }
    }

    /// `bytes` have been handed over.
    pub(super) fn hand_over(&mut self, bytes: &[u8]) -> Vec<Begun> {
        let skipped = bytes.len().min(PREFACE.len() - self.preface);
        self.preface += skipped;
        self.reader.push(&bytes[skipped..]);
        let mut begun = Vec::new();
        while let Some(frame) = self.reader.next_frame() {
            if frame.kind == kind::HEADERS {
                begun.push(self.decode(&frame));
            }
        }
        begun
    }

    fn decode(&mut self, frame: &frame::Frame) -> Begun {
        assert!(
            frame.has(flag::END_HEADERS),
            "a push with more than one frame of headers"
        );
        let fields = self
            .decoder
            .decode(frame.content().unwrap_or_default())
            .expect("a header block");
        let path = fields.iter().find(|(name, _)| name == b":path");
        let number = path.and_then(|(_, path)| number_of(&String::from_utf8_lossy(path)));
        Begun {
            stream: frame.stream,
            number,
        }
    }
}
