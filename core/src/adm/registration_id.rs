//! The id of one app on one device.

use std::fmt;
use std::sync::Arc;

use crate::error::{Error, ErrorKind};

/// The id of one app on one device.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct RegistrationId(Arc<str>);

impl RegistrationId {
    /// Takes what the app handed over.
    ///
    /// # Errors
    /// `InvalidToken` when it is empty, 4 KiB or longer, or holds anything but visible ASCII.
    pub fn new(text: &str) -> Result<Self, Error> {
        if text.is_empty() || text.len() >= 4096 || !text.bytes().all(|b| b.is_ascii_graphic()) {
            return Err(Error::new(
                ErrorKind::InvalidToken,
                "a registration id is 1 to 4095 visible ascii characters",
            ));
        }
        Ok(Self(text.into()))
    }

    /// The id.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for RegistrationId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RegistrationId([redacted])")
    }
}
