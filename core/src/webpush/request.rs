//! Requests to a push service, complete with their authorization.

use super::credentials::Credentials;
use super::endpoint::Endpoint;
use super::message::Message;
use super::policy::EndpointPolicy;
use super::subscription::Subscription;
use crate::error::{Error, ErrorKind};
use crate::http::{Method, Request};
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

/// The request that takes back a message which the device has not got yet (RFC 8030
/// §6.2): `location` is [`Accepted::location`](crate::outcome::Accepted::location) of its
/// outcome, a URL or an absolute path.
///
/// # Errors
/// `EndpointNotAllowed` when the location leads to another origin that `policy` refuses;
/// `InvalidSubscription` when it is not a URL.
pub fn delete(
    location: &str,
    subscription: &Subscription,
    policy: &EndpointPolicy,
    credentials: &Credentials,
    now: Now,
) -> Result<Request, Error> {
    let origin = subscription.endpoint().authority();
    let resource = match location.strip_prefix('/') {
        Some(rest) if rest.starts_with('/') => {
            return Err(Error::new(
                ErrorKind::EndpointNotAllowed,
                "the location names a host without a scheme",
            ));
        }
        Some(_) => Endpoint::parse(&format!("https://{origin}{location}"))?,
        None => Endpoint::parse(location)?,
    };
    if resource.authority() != origin {
        policy.check(&resource)?;
    }
    let mut request = Request::new();
    request.method = Method::Delete;
    request.authority = Some(resource.authority().clone());
    request.path.push_str(resource.path());
    request.authorization = Some(credentials.authorization(resource.authority(), now)?);
    Ok(request)
}
