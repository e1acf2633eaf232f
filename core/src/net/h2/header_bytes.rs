//! The cost of headers.

/// Octets of header blocks, HPACK-coded, without the frame heads.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct HeaderBytes {
    /// Sent since the connection began.
    pub sent: u64,
    /// Received since the connection began.
    pub received: u64,
}

impl std::ops::AddAssign for HeaderBytes {
    /// Holds at the largest number rather than overflow.
    fn add_assign(&mut self, other: Self) {
        self.sent = self.sent.saturating_add(other.sent);
        self.received = self.received.saturating_add(other.received);
    }
}
