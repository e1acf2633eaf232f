//! The shell around every entry point.

use std::panic::{AssertUnwindSafe, catch_unwind};

use pushcore::Error;

use crate::error::ErrorObject;
use crate::handle::{Handle, put};

/// PUSHCORE_OK, the number of an error kind (PUSHCORE_ERROR_...), or one of the numbers of the ABI itself.
pub type Status = i32;

pub(crate) const OK: Status = 0;
pub(crate) const NULL_ARGUMENT: Status = 810;
pub(crate) const INVALID_LENGTH: Status = 811;
pub(crate) const PANIC: Status = 901;

/// Why an entry point fails.
pub(crate) struct Failure {
    pub(crate) status: Status,
    pub(crate) message: String,
    /// The error of the core; `None` for the refusals of the ABI itself.
    pub(crate) error: Option<Error>,
}

impl Failure {
    pub(crate) fn new(status: Status, message: impl Into<String>) -> Self {
        Self {
            status,
            message: message.into(),
            error: None,
        }
    }

    /// The failure as an error of the core, for results that hold one.
    #[cfg(feature = "net")]
    pub(crate) fn into_error(self) -> Error {
        self.error
            .unwrap_or_else(|| Error::new(pushcore::ErrorKind::Misuse, self.message))
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self {
            status: Status::from(error.kind().code()),
            message: error.to_string(),
            error: Some(error),
        }
    }
}

/// Runs the body of an entry point inside [`guard`]. Every function that C calls is one `entry!` and nothing else.
macro_rules! entry {
    ($error:expr, $body:block) => {{
        // SAFETY: whoever calls from C keeps the rules at the top of pushcore.h: a pointer is NULL, a handle of this library
        // (live or freed), or memory that is readable or, for outputs, writable for its size.
        #[allow(unused_unsafe, reason = "some bodies need none")]
        unsafe {
            $crate::guard::guard($error, || -> Result<(), $crate::guard::Failure> { $body })
        }
    }};
}
pub(crate) use entry;

/// [`entry!`] for functions that give a plain value: `$default` on every failure.
macro_rules! value {
    ($default:expr, $body:block) => {{
        let mut result = $default;
        let _ = $crate::guard::entry!(std::ptr::null_mut(), {
            result = $body;
            Ok(())
        });
        result
    }};
}
pub(crate) use value;

/// Runs `body`; an error or a panic becomes a status, and an object in `error` unless that is null.
///
/// # Safety
/// `error` is null or points to a writable pointer.
pub(crate) unsafe fn guard(
    error: *mut *mut ErrorObject,
    body: impl FnOnce() -> Result<(), Failure>,
) -> Status {
    // Handles that the body was in are poisoned on the way out, so nothing half changed is seen again.
    let result = catch_unwind(AssertUnwindSafe(body))
        .unwrap_or_else(|_| Err(Failure::new(PANIC, "a bug in pushcore: please report it")));
    match result {
        Ok(()) => OK,
        Err(failure) => {
            let status = failure.status;
            if !error.is_null() {
                let object = put(ErrorObject::new(failure));
                // SAFETY: not null, and the caller says it is writable.
                unsafe { error.write(object) };
            }
            status
        }
    }
}

/// Refuses an output that is null, before anything is done for it.
pub(crate) fn wanted<T>(out: *mut T, name: &'static str) -> Result<(), Failure> {
    match out.is_null() {
        true => Err(Failure::new(NULL_ARGUMENT, format!("{name} is null"))),
        false => Ok(()),
    }
}

/// Hands a value over to the caller, as a handle.
///
/// # Safety
/// `out` is null or points to a writable pointer.
pub(crate) unsafe fn give<T: Handle>(out: *mut *mut T, value: T) -> Result<(), Failure> {
    wanted(out, "the output")?;
    // SAFETY: not null, and the caller says it is writable.
    unsafe { out.write(put(value)) };
    Ok(())
}

/// Writes a plain value to the caller, unless `out` is null.
///
/// # Safety
/// `out` is null or writable.
pub(crate) unsafe fn write<T>(out: *mut T, value: T) {
    if !out.is_null() {
        // SAFETY: not null, and the caller says it is writable.
        unsafe { out.write(value) };
    }
}
