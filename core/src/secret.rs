//! Values that must not be printed, copied by accident, or left in memory.

#[cfg(any(feature = "net", feature = "certificate"))]
mod pem;

use std::fmt;

use zeroize::{Zeroize, Zeroizing};

#[cfg(any(feature = "net", feature = "certificate"))]
pub(crate) use pem::PemBlock;

/// Something secret: a key, a bearer token, a password.
///
/// The bytes are overwritten when it is dropped. `Debug` prints the type and
/// `[redacted]`; there is no `Display`, no `Serialize`, no `Clone`.
///
/// `ring` keeps its own copy of imported keys and does not overwrite it; see
/// `docs/decisions/0003-ring.md` for what stays in memory.
pub struct Secret<T: Zeroize>(Zeroizing<T>);

impl<T: Zeroize> Secret<T> {
    /// Takes ownership of a secret value.
    pub fn new(value: T) -> Self {
        Self(Zeroizing::new(value))
    }

    /// The value itself. The name is long so that a reader of the code notices it.
    pub fn expose_secret(&self) -> &T {
        &self.0
    }
}

impl<T: Zeroize> From<T> for Secret<T> {
    fn from(value: T) -> Self {
        Self::new(value)
    }
}

impl<T: Zeroize> fmt::Debug for Secret<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret([redacted])")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_never_shows_the_value() {
        let secret = Secret::new(String::from("hunter2"));
        assert_eq!(format!("{secret:?}"), "Secret([redacted])");
        assert_eq!(secret.expose_secret(), "hunter2");
    }
}
