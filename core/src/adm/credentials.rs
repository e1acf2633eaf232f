//! Who sends: a security profile's client id and secret, and the access token made from them.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use crate::error::{Error, ErrorKind};
use crate::http::{Authority, HeaderBlock, Indexing, Request, Response};
use crate::oauth::{self, Fetch, Grant, TokenCache, TokenProgress, TokenRequest, TokenState};
use crate::percent;
use crate::secret::Secret;
use crate::time::Now;

/// A security profile of Amazon's developer console, and its access token: fetched once,
/// refreshed early, shared by every thread and connection. The loop of an owner is that of
/// [`fcm::Credentials`](crate::fcm::Credentials).
pub struct Credentials {
    client_id: String,
    client_secret: Secret<String>,
    authority: Authority,
    cache: TokenCache,
}

impl Credentials {
    /// The client id and secret as the console shows them.
    ///
    /// # Errors
    /// `InvalidCredential` when one is empty, longer than 1 KiB, or not visible ASCII.
    pub fn new(client_id: &str, client_secret: &str) -> Result<Self, Error> {
        for (name, text) in [("client id", client_id), ("client secret", client_secret)] {
            if text.is_empty() || text.len() > 1024 || !text.bytes().all(|b| b.is_ascii_graphic()) {
                return Err(Error::new(
                    ErrorKind::InvalidCredential,
                    format!("the {name} is empty, too long, or not visible ascii"),
                ));
            }
        }
        Ok(Self {
            client_id: client_id.to_owned(),
            client_secret: Secret::new(client_secret.to_owned()),
            authority: super::default_authority(),
            cache: TokenCache::new(),
        })
    }

    /// Sends token requests to `authority` instead of `api.amazon.com`.
    #[must_use]
    pub fn with_token_authority(mut self, authority: Authority) -> Self {
        self.authority = authority;
        self
    }

    /// The access token, or what to do for one.
    pub fn token(&self, now: Now) -> TokenState {
        self.cache.poll(Fetch::Request, now)
    }

    /// The authorization of a request, from the token at hand.
    ///
    /// # Errors
    /// `TokenNeeded` when there is none: see [`Credentials::token`].
    pub fn authorization(&self, now: Now) -> Result<Arc<HeaderBlock>, Error> {
        self.cache
            .current(now)
            .ok_or_else(|| Error::new(ErrorKind::TokenNeeded, "no access token: fetch one first"))
    }

    /// The request that fetches a token (the client credentials grant, RFC 6749 §4.4).
    ///
    /// # Errors
    /// None in practice: its headers are constant.
    pub fn token_request(&self, _now: Now) -> Result<TokenRequest, Error> {
        let mut body = String::new();
        for (name, value) in [
            ("grant_type", "client_credentials"),
            ("scope", "messaging:push"),
            ("client_id", &self.client_id),
            ("client_secret", self.client_secret.expose_secret()),
        ] {
            percent::pair(&mut body, name, value);
        }
        let mut request = Request::new();
        request.authority = Some(self.authority.clone());
        request.path.push_str("/auth/O2/token");
        request.headers.push(
            "content-type",
            "application/x-www-form-urlencoded;charset=UTF-8",
            Indexing::Incremental,
        )?;
        request
            .headers
            .push("accept", "application/json", Indexing::Incremental)?;
        request.body = body.into_bytes().into();
        Ok(TokenRequest::tls(request))
    }

    /// Takes the answer to [`Credentials::token_request`].
    ///
    /// # Errors
    /// `TokenRefused` with Amazon's own word and description, `TokenAnswerInvalid` when the
    /// answer makes no sense. The next fetch is held back (see [`TokenCache`]).
    pub fn accept_token(&self, response: &Response, now: Now) -> Result<TokenProgress, Error> {
        let grant = oauth::grant(response, now).map_err(|failure| self.cache.fail_with(failure, now))?;
        self.cache.accept(&grant, now)?;
        Ok(TokenProgress::Done)
    }

    /// The fetch came to nothing: no connection, no answer.
    pub fn token_failed(&self, now: Now) {
        self.cache.fail(true, None, now);
    }

    /// ADM refused the token of the header block with this id (`AccessTokenExpired`). True
    /// when it was the current one, and a new one has to be fetched. Either way the message
    /// may be sent once more.
    pub fn token_refused(&self, id: u64, now: Now) -> bool {
        self.cache.invalidate(id, now)
    }

    /// A token that the host minted, good for `lifetime` (clamped to 1 second … 1 hour).
    ///
    /// # Errors
    /// `TokenAnswerInvalid` when it cannot be a header.
    pub fn supply_token(&self, token: &str, lifetime: Duration, now: Now) -> Result<(), Error> {
        self.cache.accept(&Grant::new(token, lifetime)?, now)
    }
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credentials")
            .field("client_id", &self.client_id)
            .field("cache", &self.cache)
            .finish_non_exhaustive()
    }
}
