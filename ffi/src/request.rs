//! A request, to be read.

use crate::guard::{Failure, Status, borrow, free, guard};
use crate::view::View;

/// One HTTPS request, complete.
pub struct Request {
    request: pushcore::http::Request,
    authority: String,
    headers: Vec<(String, String)>,
}

impl Request {
    pub(crate) fn new(request: pushcore::http::Request) -> Self {
        let headers = request
            .all_headers()
            .map(|h| (h.name.to_owned(), h.value.to_owned()))
            .collect();
        let authority = request
            .authority
            .as_ref()
            .map(|a| a.as_str().to_owned())
            .unwrap_or_default();
        Self {
            request,
            authority,
            headers,
        }
    }
}

/// "POST", "GET" ...; empty for NULL.
///
/// # Safety
/// `request` is NULL or a live request.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pushcore_request_method(request: *const Request) -> View {
    // SAFETY: the caller's promise.
    match unsafe { borrow(request, "request") } {
        Ok(request) => View::of(request.request.method.as_str().as_bytes()),
        Err(_) => View::of(&[]),
    }
}

/// Host, with the port unless it is 443; empty for NULL.
///
/// # Safety
/// `request` is NULL or a live request.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pushcore_request_authority(request: *const Request) -> View {
    // SAFETY: the caller's promise.
    match unsafe { borrow(request, "request") } {
        Ok(request) => View::of(request.authority.as_bytes()),
        Err(_) => View::of(&[]),
    }
}

/// Path and query, percent-encoded; empty for NULL.
///
/// # Safety
/// `request` is NULL or a live request.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pushcore_request_path(request: *const Request) -> View {
    // SAFETY: the caller's promise.
    match unsafe { borrow(request, "request") } {
        Ok(request) => View::of(request.request.path.as_bytes()),
        Err(_) => View::of(&[]),
    }
}

/// The body; empty for NULL.
///
/// # Safety
/// `request` is NULL or a live request.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pushcore_request_body(request: *const Request) -> View {
    // SAFETY: the caller's promise.
    match unsafe { borrow(request, "request") } {
        Ok(request) => View::of(request.request.body.as_bytes()),
        Err(_) => View::of(&[]),
    }
}

/// The number of headers; 0 for NULL.
///
/// # Safety
/// `request` is NULL or a live request.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pushcore_request_header_count(request: *const Request) -> usize {
    // SAFETY: the caller's promise.
    unsafe { borrow(request, "request") }.map_or(0, |request| request.headers.len())
}

/// A header by its position, 0 to count - 1. Misuse (800) when there is none at `index`.
///
/// # Safety
/// `request` is NULL or a live request; `name` and `value` are NULL or writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pushcore_request_header_at(
    request: *const Request,
    index: usize,
    name: *mut View,
    value: *mut View,
) -> Status {
    let body = || {
        // SAFETY: the caller's promise.
        let request = unsafe { borrow(request, "request") }?;
        let header = request.headers.get(index).ok_or_else(|| {
            Failure::from(pushcore::Error::new(
                pushcore::ErrorKind::Misuse,
                "there is no header at this index",
            ))
        })?;
        for (out, text) in [(name, &header.0), (value, &header.1)] {
            if !out.is_null() {
                // SAFETY: not null, and the caller says it is writable.
                unsafe { out.write(View::of(text.as_bytes())) };
            }
        }
        Ok(())
    };
    // SAFETY: a null error pointer is allowed.
    unsafe { guard(std::ptr::null_mut(), body) }
}

/// Gives the request back.
///
/// # Safety
/// `request` is NULL or a live request; it is dead afterwards.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pushcore_request_free(request: *mut Request) {
    // SAFETY: the caller's promise.
    unsafe { free(request) }
}
