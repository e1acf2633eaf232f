//! Bytes and text across the boundary.

use std::time::Duration;

use pushcore::{Now, UnixTime};

use crate::guard::{Failure, INVALID_LENGTH, NULL_ARGUMENT};

/// Bytes that somebody else owns.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct View {
    /// The first byte; may be NULL when `len` is 0.
    pub data: *const u8,
    /// The number of bytes.
    pub len: usize,
}

impl View {
    pub(crate) fn of(bytes: &[u8]) -> Self {
        Self {
            data: bytes.as_ptr(),
            len: bytes.len(),
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// # Safety
    /// `data` points to `len` readable bytes that nobody changes during the call, or `len` is 0.
    pub(crate) unsafe fn bytes(&self, name: &'static str) -> Result<&[u8], Failure> {
        if self.len == 0 {
            return Ok(&[]);
        }
        if self.data.is_null() {
            return Err(Failure::new(NULL_ARGUMENT, format!("{name} is null")));
        }
        if isize::try_from(self.len).is_err() {
            return Err(Failure::new(
                INVALID_LENGTH,
                format!("the length of {name} is impossible"),
            ));
        }
        // SAFETY: not null, the length fits, and the caller keeps the bytes alive and unchanged.
        Ok(unsafe { std::slice::from_raw_parts(self.data, self.len) })
    }

    /// # Safety
    /// As [`View::bytes`].
    pub(crate) unsafe fn text(&self, name: &'static str) -> Result<&str, Failure> {
        // SAFETY: the caller's promise is the same.
        let bytes = unsafe { self.bytes(name) }?;
        std::str::from_utf8(bytes).map_err(|_| {
            let context = format!("{name} is not utf-8");
            Failure::from(pushcore::Error::new(pushcore::ErrorKind::InvalidUtf8, context))
        })
    }
}

/// The time on the caller's clocks.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct CNow {
    /// Milliseconds since an epoch of the caller's choice; never goes backwards.
    pub monotonic_ms: u64,
    /// Milliseconds since 1970-01-01 UTC.
    pub unix_ms: u64,
}

impl From<CNow> for Now {
    fn from(now: CNow) -> Self {
        Now::new(
            Duration::from_millis(now.monotonic_ms),
            UnixTime::from_millis(now.unix_ms),
        )
    }
}
