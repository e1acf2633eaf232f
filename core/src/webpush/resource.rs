//! What lives at the push service besides the endpoint: messages that can be taken
//! back, and the receipts of their delivery.

use std::time::Duration;

use super::credentials::Credentials;
use super::policy::EndpointPolicy;
use super::subscription::Subscription;
use crate::error::Error;
use crate::http::{Indexing, Method, Request, Response};
use crate::time::Now;

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
    to(Method::Delete, location, subscription, policy, credentials, now)
}

/// The request for receipts (RFC 8030 §6.3): `receipt` is
/// [`Accepted::receipt`](crate::outcome::Accepted::receipt) of a message's outcome, a URL or an
/// absolute path. No public push service gives any.
///
/// The service leaves the request open and *pushes* a response for each message, by
/// HTTP/2 server push; [`Receipt::read`] reads it, and the path of the pushed request is that of the
/// message's location. Connections of this crate do not take pushed responses (RFC 9113 §8.4
/// leaves that to the client): send this request with an HTTP client that does.
/// With `wait` the service is asked to answer within that time (`prefer: wait`, RFC 7240
/// §4.3, whole seconds), which a client that cannot wait for ever needs; it need not obey.
///
/// # Errors
/// As [`delete`].
pub fn receipts(
    receipt: &str,
    wait: Option<Duration>,
    subscription: &Subscription,
    policy: &EndpointPolicy,
    credentials: &Credentials,
    now: Now,
) -> Result<Request, Error> {
    let mut request = to(Method::Get, receipt, subscription, policy, credentials, now)?;
    if let Some(wait) = wait {
        let value = format!("wait={}", wait.as_secs());
        request.headers.push("prefer", &value, Indexing::Without)?;
    }
    Ok(request)
}

fn to(
    method: Method,
    location: &str,
    subscription: &Subscription,
    policy: &EndpointPolicy,
    credentials: &Credentials,
    now: Now,
) -> Result<Request, Error> {
    let resource = subscription.endpoint().join(location)?;
    // A token for another origin, sent there, is the sender's own choice, if the policy knows it.
    if resource.authority() != subscription.endpoint().authority() {
        policy.check(&resource)?;
    }
    let mut request = Request::new();
    request.method = method;
    request.authority = Some(resource.authority().clone());
    request.path.push_str(resource.path());
    request.authorization = Some(credentials.authorization(resource.authority(), now)?);
    Ok(request)
}

/// The fate of a message (RFC 8030 §6.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Receipt {
    /// The device has it, and said so.
    Delivered,
    /// It was not delivered within its time to live; the service has given up.
    Expired,
}

impl Receipt {
    /// Returns the receipt's name in every language: `delivered` or `expired`.
    pub const fn name(self) -> &'static str {
        match self {
            Receipt::Delivered => "delivered",
            Receipt::Expired => "expired",
        }
    }

    /// Reads a pushed response: 204 or 410. `None` for any other, which is no receipt.
    pub fn read(response: &Response) -> Option<Self> {
        match response.status {
            204 => Some(Receipt::Delivered),
            410 => Some(Receipt::Expired),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests;
