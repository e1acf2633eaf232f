//! What a server says to one request.

use super::frame;
use super::hpack;

/// A response, as plain or as odd as a test wants it.
#[derive(Clone, Debug)]
pub struct Answer {
    /// `:status`, as text so that it may be nonsense.
    pub status: String,
    /// The other fields of the header section.
    pub fields: Vec<(Vec<u8>, Vec<u8>)>,
    /// The body.
    pub body: Vec<u8>,
    /// Interim responses before the final one.
    pub informational: Vec<u16>,
    /// Octets of body in one DATA frame.
    pub chunk: usize,
    /// Padding of each DATA frame.
    pub pad: Option<u8>,
    /// Octets of header block in one frame; the rest goes into CONTINUATION.
    pub header_chunk: usize,
    /// A trailer section.
    pub trailers: Option<Vec<(Vec<u8>, Vec<u8>)>>,
    /// Whether the server acts on the request; by default when the status is 2xx.
    pub acts: bool,
    /// Written instead of the header block.
    pub block: Option<Vec<u8>>,
    /// RST_STREAM codes sent after the end of the response.
    pub resets: Vec<u32>,
    /// Whether END_STREAM is ever set.
    pub ends: bool,
}

impl Answer {
    /// A response without a body.
    pub fn status(status: u16) -> Self {
        Self {
            status: status.to_string(),
            fields: Vec::new(),
            body: Vec::new(),
            informational: Vec::new(),
            chunk: 16_384,
            pad: None,
            header_chunk: 16_384,
            trailers: None,
            acts: (200..300).contains(&status),
            block: None,
            resets: Vec::new(),
            ends: true,
        }
    }

    /// 200: the message is taken.
    pub fn ok() -> Self {
        Self::status(200)
    }

    /// An APNs refusal: a status and `{"reason": ...}`.
    pub fn refusal(status: u16, reason: &str) -> Self {
        Self::status(status).with_body(format!("{{\"reason\":\"{reason}\"}}"))
    }

    /// With a body.
    #[must_use]
    pub fn with_body(mut self, body: impl Into<Vec<u8>>) -> Self {
        self.body = body.into();
        self
    }

    /// With one more field.
    #[must_use]
    pub fn with_field(mut self, name: impl Into<Vec<u8>>, value: impl Into<Vec<u8>>) -> Self {
        self.fields.push((name.into(), value.into()));
        self
    }

    /// With the body in pieces of `size` octets.
    #[must_use]
    pub fn in_pieces(mut self, size: usize) -> Self {
        self.chunk = size.max(1);
        self
    }

    /// With a trailer section.
    #[must_use]
    pub fn with_trailers(mut self, fields: &[(&str, &str)]) -> Self {
        self.trailers = Some(
            fields
                .iter()
                .map(|(n, v)| (n.as_bytes().to_vec(), v.as_bytes().to_vec()))
                .collect(),
        );
        self
    }

    /// After interim responses.
    #[must_use]
    pub fn after(mut self, informational: &[u16]) -> Self {
        self.informational = informational.to_vec();
        self
    }

    /// The frames up to the body, and whether they end the stream.
    pub(super) fn head(&self, stream: u32) -> (Vec<u8>, bool) {
        let mut out = Vec::new();
        for status in &self.informational {
            let block = hpack::block(&[(":status", status.to_string())]);
            out.extend(frame::headers(stream, false, &block));
        }
        let block = self.block.clone().unwrap_or_else(|| {
            let mut block = Vec::new();
            if self.status == "200" {
                hpack::indexed(&mut block, 8);
            } else {
                hpack::literal(&mut block, b":status", self.status.as_bytes());
            }
            for (name, value) in &self.fields {
                hpack::literal(&mut block, name, value);
            }
            block
        });
        let end = self.body.is_empty() && self.trailers.is_none() && self.ends;
        out.extend(frame::split_headers(stream, end, &block, self.header_chunk));
        (out, end)
    }

    /// The trailer section, if there is one.
    pub(super) fn tail(&self, stream: u32) -> Vec<u8> {
        let trailers = self.trailers.as_ref();
        trailers
            .map(|fields| frame::headers(stream, self.ends, &hpack::block(fields)))
            .unwrap_or_default()
    }
}
