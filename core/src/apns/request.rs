//! The push as an HTTP request.

use super::credentials::Credentials;
use super::environment::Hosts;
use super::message::Message;
use crate::error::Error;
use crate::http::Request;
use crate::time::Now;

/// The HTTP/2 request that sends `message`: for any HTTP client, or for a connection of this crate.
///
/// # Errors
/// What [`Credentials::permits`] and [`Credentials::authorization`] say, and
/// `InvalidValue` when the message's own expiration is in 1970.
pub fn request(
    message: &Message,
    credentials: &Credentials,
    hosts: &Hosts,
    now: Now,
) -> Result<Request, Error> {
    credentials.permits(message)?;
    let mut request = Request::new();
    message.write(hosts, &mut request)?;
    request.authorization = credentials.authorization(now)?;
    Ok(request)
}

#[cfg(test)]
mod tests;
