//! Bytes that the library made and the caller owns.

use pushcore::Secret;

use crate::guard::value;
use crate::handle::{borrow, free, handles};
use crate::view::View;

/// Text or bytes that a function made: a document, an exported key, a decrypted payload. Overwritten with zeroes when it is freed.
pub struct Bytes {
    bytes: Secret<Vec<u8>>,
}

handles! {
    Bytes = 2 "pushcore_bytes",
}

impl Bytes {
    pub(crate) fn new(bytes: impl Into<Vec<u8>>) -> Self {
        Self {
            bytes: Secret::new(bytes.into()),
        }
    }
}

/// Returns the bytes; empty for NULL. Not NUL-terminated.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pushcore_bytes_view(bytes: *const Bytes) -> View {
    value!(View::EMPTY, {
        View::of(borrow(bytes, "bytes")?.lasting().bytes.expose_secret())
    })
}

/// Overwrites the bytes and gives them back.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pushcore_bytes_free(bytes: *mut Bytes) {
    value!((), { free(bytes) });
}
