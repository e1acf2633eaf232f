//! The response of one stream, as far as it has come.

use crate::http::Response;

/// A response, what its headers promised of its body, and the windows of its stream. Kept for another stream
/// when it has been read.
#[derive(Default)]
pub(super) struct Incoming {
    response: Response,
    /// The promised length of the body; `None` when none was promised.
    content_length: Option<u64>,
    received: u64,
    /// The octets that the server may still send.
    window: i64,
    /// The octets received since the last WINDOW_UPDATE.
    consumed: u32,
}

impl Incoming {
    /// Empties it for a stream that may bring `window` octets; the buffers stay.
    pub(super) fn begin(&mut self, window: u32) {
        self.response.clear();
        self.content_length = None;
        self.received = 0;
        self.window = i64::from(window);
        self.consumed = 0;
    }

    #[inline]
    pub(super) fn response(&self) -> &Response {
        &self.response
    }

    #[inline]
    pub(super) fn response_mut(&mut self) -> &mut Response {
        &mut self.response
    }

    pub(super) fn content_length(&self) -> Option<u64> {
        self.content_length
    }

    pub(super) fn set_content_length(&mut self, length: Option<u64>) {
        self.content_length = length;
    }

    /// Takes `octets` from the stream's window; `false` when they are too many.
    pub(super) fn spend_window(&mut self, octets: usize) -> bool {
        self.window -= octets as i64;
        self.window >= 0
    }

    /// Appends to the body what `limit` allows; `false` when that is not all.
    pub(super) fn append(&mut self, data: &[u8], limit: usize) -> bool {
        self.received += data.len() as u64;
        let body = &mut self.response.body;
        let space = limit.saturating_sub(body.len());
        match data.get(..space) {
            Some(fits) if fits.len() < data.len() => {
                body.extend_from_slice(fits);
                self.response.truncated = true;
                false
            }
            _ => {
                body.extend_from_slice(data);
                true
            }
        }
    }

    /// Counts `octets` as consumed; returns the increment of the WINDOW_UPDATE that is due once they are `half` a window.
    pub(super) fn consume(&mut self, octets: u32, half: u32) -> Option<u32> {
        self.consumed += octets;
        if self.consumed < half {
            return None;
        }
        self.window += i64::from(self.consumed);
        Some(std::mem::take(&mut self.consumed))
    }

    /// Marks the response as cut unless its body is as long as promised.
    pub(super) fn finish(&mut self) {
        if !is_complete(self.response.status, self.content_length, self.received) {
            self.response.truncated = true;
        }
    }

    /// Marks the response as cut.
    pub(super) fn cut(&mut self) {
        self.response.truncated = true;
    }
}

/// Returns whether `received` octets are the whole body of such a response.
pub(super) fn is_complete(status: u16, content_length: Option<u64>, received: u64) -> bool {
    // 204 and 304 have no body, whatever the length says (RFC 9110 §8.6).
    matches!(status, 204 | 304) || content_length.is_none_or(|length| length == received)
}
