//! The error object.

use crate::guard::{Failure, NULL_ARGUMENT, Status, borrow, free};
use crate::view::View;

/// Why a call failed.
pub struct ErrorObject {
    status: Status,
    message: String,
}

impl ErrorObject {
    pub(crate) fn new(failure: Failure) -> Self {
        Self {
            status: failure.status,
            message: failure.message,
        }
    }
}

/// The status that the failed call returned; PUSHCORE_NULL_ARGUMENT for NULL.
///
/// # Safety
/// `error` is NULL or a live error object.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pushcore_error_code(error: *const ErrorObject) -> Status {
    // SAFETY: the caller's promise.
    match unsafe { borrow(error, "error") } {
        Ok(error) => error.status,
        Err(_) => NULL_ARGUMENT,
    }
}

/// Returns what to fix, in one lower-case line; empty for NULL. Holds no secret and no device token.
///
/// # Safety
/// `error` is NULL or a live error object.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pushcore_error_message(error: *const ErrorObject) -> View {
    // SAFETY: the caller's promise.
    match unsafe { borrow(error, "error") } {
        Ok(error) => View::of(error.message.as_bytes()),
        Err(_) => View::of(&[]),
    }
}

/// Gives the object back.
///
/// # Safety
/// `error` is NULL or a live error object; it is dead afterwards.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pushcore_error_free(error: *mut ErrorObject) {
    // SAFETY: the caller's promise.
    unsafe { free(error) }
}
