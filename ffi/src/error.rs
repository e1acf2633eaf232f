//! The error object.

use pushcore::{Error, ErrorKind};

use crate::guard::{Failure, INVALID_LENGTH, NULL_ARGUMENT, OK, PANIC, Status, entry, give, value, write};
use crate::handle::{borrow, free, handles};
use crate::view::View;

/// Why a call failed. Immutable; may be shared between threads.
pub struct ErrorObject {
    status: Status,
    message: String,
    /// The error of the core; `None` for the refusals of the ABI itself.
    error: Option<Error>,
}

handles! {
    ErrorObject = 1 "pushcore_error",
}

impl ErrorObject {
    pub(crate) fn new(failure: Failure) -> Self {
        Self {
            status: failure.status,
            message: failure.message,
            error: failure.error,
        }
    }
}

impl ErrorObject {
    /// The failure as an error of the core.
    pub(crate) fn error(&self) -> Error {
        match &self.error {
            Some(error) => error.clone(),
            None => Error::new(ErrorKind::Misuse, self.message.clone()),
        }
    }
}

/// The name of a status; `None` for a number that means nothing.
fn name(status: Status) -> Option<&'static str> {
    match status {
        OK => Some("Ok"),
        NULL_ARGUMENT => Some("NullArgument"),
        INVALID_LENGTH => Some("InvalidLength"),
        PANIC => Some("Panic"),
        _ => {
            let known = ErrorKind::ALL
                .iter()
                .find(|kind| Status::from(kind.code()) == status);
            known.map(|kind| kind.name())
        }
    }
}

/// Returns the name of a status, the same in every language, e.g. "NotSent"; empty for a number that is none. The text is
/// static.
#[unsafe(no_mangle)]
pub extern "C" fn pushcore_status_name(status: Status) -> View {
    View::of(name(status).unwrap_or_default().as_bytes())
}

/// The status that the failed call returned; PUSHCORE_NULL_ARGUMENT for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pushcore_error_code(error: *const ErrorObject) -> Status {
    value!(NULL_ARGUMENT, { borrow(error, "error")?.status })
}

/// Returns the name of the error's kind, the same in every language, e.g. "NotSent"; empty for NULL. The text is static.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pushcore_error_name(error: *const ErrorObject) -> View {
    value!(View::EMPTY, {
        View::of(
            name(borrow(error, "error")?.status)
                .unwrap_or_default()
                .as_bytes(),
        )
    })
}

/// Returns what to fix, in one lower-case line with the causes; empty for NULL. Holds no secret and no device token.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pushcore_error_message(error: *const ErrorObject) -> View {
    value!(View::EMPTY, {
        View::of(borrow(error, "error")?.lasting().message.as_bytes())
    })
}

/// Gives the error underneath, to be freed; NULL where there is none.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pushcore_error_cause(
    error: *const ErrorObject,
    out: *mut *mut ErrorObject,
) -> Status {
    entry!(std::ptr::null_mut(), {
        let error = borrow(error, "error")?;
        match error.error.as_ref().and_then(Error::cause) {
            Some(cause) => give(out, ErrorObject::new(cause.clone().into())),
            None => {
                crate::guard::wanted(out, "the output")?;
                write(out, std::ptr::null_mut());
                Ok(())
            }
        }
    })
}

/// Returns whether the server named an HTTP/2 error code (RFC 9113 section 7) for the failure, and writes the code.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pushcore_error_http2_code(error: *const ErrorObject, code: *mut u32) -> bool {
    value!(false, {
        let error = borrow(error, "error")?;
        let found = error.error.as_ref().and_then(Error::http2_code);
        if let Some(number) = found {
            write(code, number);
        }
        found.is_some()
    })
}

/// Returns whether the server ended the connection with a TLS alert (RFC 8446 section 6), and writes its number.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pushcore_error_tls_alert(error: *const ErrorObject, alert: *mut u8) -> bool {
    value!(false, {
        let error = borrow(error, "error")?;
        let found = error.error.as_ref().and_then(Error::tls_alert);
        if let Some(number) = found {
            write(alert, number);
        }
        found.is_some()
    })
}

/// Gives the object back.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pushcore_error_free(error: *mut ErrorObject) {
    value!((), { free(error) });
}
