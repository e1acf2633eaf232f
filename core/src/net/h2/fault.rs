//! Connection errors (RFC 9113 §5.4.1).

use super::error_code as code;
use crate::error::ErrorKind;

/// The reason why a connection cannot go on, as GOAWAY and as the owner's error say it.
#[derive(Clone, Debug)]
pub(super) struct Fault {
    code: u32,
    kind: ErrorKind,
    text: &'static str,
}

impl Fault {
    fn new(code: u32, kind: ErrorKind, text: &'static str) -> Self {
        Self { code, kind, text }
    }

    pub(super) fn protocol(text: &'static str) -> Self {
        Self::new(code::PROTOCOL_ERROR, ErrorKind::Http2Protocol, text)
    }

    pub(super) fn frame_size(text: &'static str) -> Self {
        Self::new(code::FRAME_SIZE_ERROR, ErrorKind::Http2Protocol, text)
    }

    pub(super) fn flow(text: &'static str) -> Self {
        Self::new(code::FLOW_CONTROL_ERROR, ErrorKind::Http2Protocol, text)
    }

    pub(super) fn closed(text: &'static str) -> Self {
        Self::new(code::STREAM_CLOSED, ErrorKind::Http2Protocol, text)
    }

    pub(super) fn compression(text: &'static str) -> Self {
        Self::new(code::COMPRESSION_ERROR, ErrorKind::Http2Protocol, text)
    }

    pub(super) fn flood(text: &'static str) -> Self {
        Self::new(code::ENHANCE_YOUR_CALM, ErrorKind::LimitExceeded, text)
    }

    pub(super) fn settings_timeout(text: &'static str) -> Self {
        Self::new(code::SETTINGS_TIMEOUT, ErrorKind::PeerSilent, text)
    }

    pub(super) fn silent(text: &'static str) -> Self {
        Self::new(code::NO_ERROR, ErrorKind::PeerSilent, text)
    }

    /// Returns the error code for GOAWAY.
    pub(super) fn code(&self) -> u32 {
        self.code
    }

    /// Returns the kind of the owner's error.
    pub(super) fn kind(&self) -> ErrorKind {
        self.kind
    }

    /// Returns the text of both.
    pub(super) fn text(&self) -> &'static str {
        self.text
    }
}
