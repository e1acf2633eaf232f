//! Everything that left the session, and when, as one number.

use std::fmt::Debug;
use std::time::Duration;

use pushcore::session::LinkId;
use ring::digest::{Context, SHA256};

/// A digest of every octet the client wrote and of everything it told, in order.
pub(super) struct Transcript(Context);

impl Transcript {
    pub(super) fn new() -> Self {
        Self(Context::new(&SHA256))
    }

    /// The client wrote these octets.
    pub(super) fn wrote(&mut self, at: Duration, link: LinkId, bytes: &[u8]) {
        self.told(at, &(link, bytes.len()));
        self.0.update(bytes);
    }

    /// The client wanted, told or ended something.
    pub(super) fn told(&mut self, at: Duration, what: &impl Debug) {
        self.line(at, &format!("{what:?}"));
    }

    pub(super) fn line(&mut self, at: Duration, line: &str) {
        self.0.update(&at.as_nanos().to_be_bytes());
        self.0.update(line.as_bytes());
        self.0.update(b"\n");
    }

    /// The first 64 bits of what has been so far.
    pub(super) fn digest(&self) -> u64 {
        let digest = self.0.clone().finish();
        let first = digest.as_ref().iter().take(8);
        first.fold(0, |number, byte| number << 8 | u64::from(*byte))
    }
}
