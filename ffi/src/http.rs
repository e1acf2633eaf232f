//! Requests to be read, responses to be handed in or read.

use pushcore::http;
use pushcore::oauth::TokenRequest;
use pushcore::{Error, ErrorKind};

use crate::error::ErrorObject;
use crate::guard::{Failure, Status, entry, give, value, write};
use crate::handle::{borrow, borrow_mut, free, handles};
use crate::view::View;

/// One HTTPS request, complete. Immutable; may be shared between threads.
pub struct Request {
    pub(crate) request: http::Request,
    authority: String,
    url: String,
    headers: Vec<(String, String)>,
}

/// The answer to a request.
pub struct Response {
    pub(crate) response: http::Response,
}

handles! {
    Request = 6 "pushcore_request",
    Response = 7 "pushcore_response",
}

impl Request {
    pub(crate) fn new(request: http::Request) -> Self {
        let url = request.url();
        Self::with_url(request, url)
    }

    /// A token request, which goes in plain text to a cloud's metadata server.
    pub(crate) fn of_token(token: TokenRequest) -> Self {
        let url = token.url();
        Self::with_url(token.request, url)
    }

    fn with_url(request: http::Request, url: String) -> Self {
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
            url,
            headers,
        }
    }
}

/// Writes the header at a position.
///
/// # Safety
/// `name` and `value` are NULL or writable.
unsafe fn header_at<'a>(
    header: Option<(&'a str, &'a str)>,
    name: *mut View,
    value: *mut View,
) -> Result<(), Failure> {
    let (n, v) = header.ok_or_else(|| Error::new(ErrorKind::Misuse, "there is no header at this index"))?;
    // SAFETY: the caller's promise.
    unsafe {
        write(name, View::of(n.as_bytes()));
        write(value, View::of(v.as_bytes()));
    }
    Ok(())
}

/// "POST", "GET" ...; empty for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pushcore_request_method(request: *const Request) -> View {
    value!(View::EMPTY, {
        View::of(borrow(request, "request")?.request.method.as_str().as_bytes())
    })
}

/// Host, with the port unless it is 443; empty for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pushcore_request_authority(request: *const Request) -> View {
    value!(View::EMPTY, {
        View::of(borrow(request, "request")?.lasting().authority.as_bytes())
    })
}

/// Path and query, percent-encoded; empty for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pushcore_request_path(request: *const Request) -> View {
    value!(View::EMPTY, {
        View::of(borrow(request, "request")?.lasting().request.path.as_bytes())
    })
}

/// Returns the whole URL, for HTTP clients that want one; empty for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pushcore_request_url(request: *const Request) -> View {
    value!(View::EMPTY, {
        View::of(borrow(request, "request")?.lasting().url.as_bytes())
    })
}

/// The body; empty for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pushcore_request_body(request: *const Request) -> View {
    value!(View::EMPTY, {
        View::of(borrow(request, "request")?.lasting().request.body.as_bytes())
    })
}

/// The number of headers; 0 for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pushcore_request_header_count(request: *const Request) -> usize {
    value!(0, { borrow(request, "request")?.headers.len() })
}

/// A header by its position, 0 to count - 1. PUSHCORE_ERROR_MISUSE when there is none at `index`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pushcore_request_header_at(
    request: *const Request,
    index: usize,
    name: *mut View,
    value: *mut View,
) -> Status {
    entry!(std::ptr::null_mut(), {
        let request = borrow(request, "request")?;
        let header = request.lasting().headers.get(index);
        header_at(header.map(|(n, v)| (n.as_str(), v.as_str())), name, value)
    })
}

/// Gives the request back.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pushcore_request_free(request: *mut Request) {
    value!((), { free(request) });
}

/// Makes a response out of what another HTTP client received. Add its headers, then hand it in.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pushcore_response_new(
    status: u16,
    body: View,
    out: *mut *mut Response,
    error: *mut *mut ErrorObject,
) -> Status {
    entry!(error, {
        let response = http::Response::new(status, body.bytes("body")?);
        give(out, Response { response })
    })
}

/// Adds a header as received. Bytes of the value that are not UTF-8 are replaced. Not while another thread reads the response.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pushcore_response_add_header(
    response: *mut Response,
    name: View,
    value: View,
    error: *mut *mut ErrorObject,
) -> Status {
    entry!(error, {
        let mut response = borrow_mut(response, "response")?;
        let name = name.text("name")?;
        let value = String::from_utf8_lossy(value.bytes("value")?);
        let made = std::mem::take(&mut response.response);
        response.response = made.with_header(name, &value);
        Ok(())
    })
}

/// The HTTP status; 0 for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pushcore_response_status(response: *const Response) -> u16 {
    value!(0, { borrow(response, "response")?.response.status })
}

/// The body; empty for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pushcore_response_body(response: *const Response) -> View {
    value!(View::EMPTY, {
        View::of(&borrow(response, "response")?.lasting().response.body)
    })
}

/// Returns whether the body is incomplete: longer than the limit of its connection, or shorter than its length said.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pushcore_response_is_truncated(response: *const Response) -> bool {
    value!(false, { borrow(response, "response")?.response.truncated })
}

/// The number of headers; 0 for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pushcore_response_header_count(response: *const Response) -> usize {
    value!(0, { borrow(response, "response")?.response.headers.len() })
}

/// A header by its position, 0 to count - 1, its name in lower case. PUSHCORE_ERROR_MISUSE when there is none at `index`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pushcore_response_header_at(
    response: *const Response,
    index: usize,
    name: *mut View,
    value: *mut View,
) -> Status {
    entry!(std::ptr::null_mut(), {
        let response = borrow(response, "response")?;
        let header = response.lasting().response.headers.iter().nth(index);
        header_at(header.map(|h| (h.name, h.value)), name, value)
    })
}

/// Gives the response back.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pushcore_response_free(response: *mut Response) {
    value!((), { free(response) });
}
