//! The shell around every entry point.

use std::panic::{AssertUnwindSafe, catch_unwind};

use pushcore::Error;

use crate::error::ErrorObject;

/// PUSHCORE_OK, the number of an error kind, or one of the PUSHCORE_ numbers of the ABI itself.
pub type Status = i32;

pub(crate) const OK: Status = 0;
pub(crate) const NULL_ARGUMENT: Status = 810;
pub(crate) const INVALID_LENGTH: Status = 811;
pub(crate) const PANIC: Status = 901;

/// Why an entry point fails.
pub(crate) struct Failure {
    pub(crate) status: Status,
    pub(crate) message: String,
}

impl Failure {
    pub(crate) fn new(status: Status, message: impl Into<String>) -> Self {
        Self {
            status,
            message: message.into(),
        }
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::new(Status::from(error.kind().code()), error.to_string())
    }
}

/// Runs `body`; an error or a panic becomes a status, and an object in `error` unless that is null.
///
/// # Safety
/// `error` is null or points to a writable pointer.
pub(crate) unsafe fn guard(
    error: *mut *mut ErrorObject,
    body: impl FnOnce() -> Result<(), Failure>,
) -> Status {
    // A handle that was being changed when the panic came is given up: only its free is legal.
    let result = catch_unwind(AssertUnwindSafe(body))
        .unwrap_or_else(|_| Err(Failure::new(PANIC, "a bug in pushcore: please report it")));
    match result {
        Ok(()) => OK,
        Err(failure) => {
            let status = failure.status;
            if !error.is_null() {
                let object = Box::into_raw(Box::new(ErrorObject::new(failure)));
                // SAFETY: not null, and the caller says it is writable.
                unsafe { error.write(object) };
            }
            status
        }
    }
}

/// # Safety
/// `pointer` is null or points to a live value of this type that nobody changes meanwhile.
pub(crate) unsafe fn borrow<'a, T>(pointer: *const T, name: &'static str) -> Result<&'a T, Failure> {
    // SAFETY: null is checked by as_ref; the rest is the caller's promise.
    unsafe { pointer.as_ref() }.ok_or_else(|| Failure::new(NULL_ARGUMENT, format!("{name} is null")))
}

/// Hands a value over to the caller.
///
/// # Safety
/// `out` is null or points to a writable pointer.
pub(crate) unsafe fn give<T>(out: *mut *mut T, value: T) -> Result<(), Failure> {
    if out.is_null() {
        return Err(Failure::new(NULL_ARGUMENT, "the output is null"));
    }
    // SAFETY: not null, and the caller says it is writable.
    unsafe { out.write(Box::into_raw(Box::new(value))) };
    Ok(())
}

/// # Safety
/// `pointer` is null or came from [`give`] and has not been freed.
pub(crate) unsafe fn free<T>(pointer: *mut T) {
    if pointer.is_null() {
        return;
    }
    // SAFETY: it came from Box::into_raw and is given back once.
    let owned = unsafe { Box::from_raw(pointer) };
    // A destructor that panics must not unwind into C.
    let _ = catch_unwind(AssertUnwindSafe(move || drop(owned)));
}
