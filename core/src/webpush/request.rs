//! Requests to a push service, complete with their authorization.

use super::credentials::Credentials;
use super::message::Message;
use crate::error::Error;
use crate::http::Request;
use crate::time::Now;

/// The request that delivers a message: encrypted, signed, ready for any HTTP client.
///
/// # Errors
/// `Internal` when the system gives no randomness; `KeyMismatch` when the legacy encoding
/// names another key than the credentials'.
pub fn request(message: &Message, credentials: &Credentials, now: Now) -> Result<Request, Error> {
    let mut request = Request::new();
    request_into(&mut request, message, credentials, now)?;
    Ok(request)
}

/// [`request`] into a request that is used again and again: for many recipients, on
/// as many threads as the caller likes, without an allocation for each.
///
/// # Errors
/// As [`request`].
pub fn request_into(
    request: &mut Request,
    message: &Message,
    credentials: &Credentials,
    now: Now,
) -> Result<(), Error> {
    request.clear();
    request.authorization = Some(credentials.authorization_for(message, now)?);
    message.write(request)
}
