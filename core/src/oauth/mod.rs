//! OAuth 2.0 access tokens (RFC 6749), as FCM and ADM use them: one cache that
//! asks for a token once however many threads want it, and the reading of a
//! token endpoint's answer.
//!
//! Nothing is fetched here. [`TokenCache::poll`] says what to do, the service's
//! `Credentials` writes the request, the owner sends it and hands the answer
//! back.

mod answer;
mod cache;

pub use answer::Grant;
pub(crate) use answer::{Failure, failure, grant};
pub use cache::{Fetch, TokenCache, TokenState};

use std::fmt;

use crate::http::Request;

/// A request to a token endpoint.
#[derive(Clone)]
#[non_exhaustive]
pub struct TokenRequest {
    /// The request.
    pub request: Request,
    /// Whether it goes over plain HTTP: only ever to a cloud's metadata server,
    /// which is reached without leaving the machine.
    pub plaintext: bool,
}

impl TokenRequest {
    pub(crate) fn tls(request: Request) -> Self {
        Self {
            request,
            plaintext: false,
        }
    }

    /// The request's URL, for HTTP clients that want one.
    pub fn url(&self) -> String {
        let url = self.request.url();
        match url.strip_prefix("https") {
            Some(rest) if self.plaintext => format!("http{rest}"),
            _ => url,
        }
    }
}

impl fmt::Debug for TokenRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TokenRequest")
            .field("authority", &self.request.authority)
            .field("plaintext", &self.plaintext)
            .finish_non_exhaustive()
    }
}

/// The result of [`Credentials::accept_token`](crate::fcm::Credentials::accept_token).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum TokenProgress {
    /// The token is there: poll again.
    Done,
    /// This was one step of several: ask for the next token request and send it.
    NextRequest,
}
