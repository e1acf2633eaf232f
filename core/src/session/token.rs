//! How the fetching of access tokens goes, as far as a session has to know.

use crate::error::Error;
use crate::http::{HeaderBlock, Response};

/// The state of the fetch of an access token.
#[derive(Debug, Default)]
pub(super) struct TokenFetch {
    /// Why there is no token; `None` after a fetch that went well.
    failure: Option<Error>,
    /// Whether asking again would not help.
    refused: bool,
    /// The authorization last used, where tokens are made without a fetch; `None` before the first.
    minted: Option<u64>,
}

impl TokenFetch {
    /// Notes an authorization that was made without a fetch: another block is all there is to see of
    /// another token. Returns whether it is another one.
    pub(super) fn is_new(&mut self, block: &HeaderBlock) -> bool {
        let new = self.minted != Some(block.id());
        self.minted = Some(block.id());
        new
    }

    /// Notes that a token has come.
    pub(super) fn succeeded(&mut self) {
        self.failure = None;
        self.refused = false;
    }

    /// Notes that no token has come; `refused` says that asking again would not help.
    pub(super) fn failed(&mut self, error: Error, refused: bool) {
        self.failure = Some(error);
        self.refused = refused;
    }

    /// Why the last fetch failed; `None` where it went well.
    pub(super) fn failure(&self) -> Option<&Error> {
        self.failure.as_ref()
    }

    /// Why the last fetch failed, where asking again would not help.
    pub(super) fn refusal(&self) -> Option<&Error> {
        self.failure.as_ref().filter(|_| self.refused)
    }
}

/// Whether asking a token endpoint again may bring another answer than this one.
pub(super) fn is_temporary(response: &Response) -> bool {
    matches!(response.status, 200..300 | 408 | 429 | 500..600)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::ErrorKind;

    #[test]
    fn a_refusal_lasts_until_a_token_comes() {
        let mut fetch = TokenFetch::default();
        fetch.failed(Error::new(ErrorKind::ConnectionLost, "a"), false);
        assert!(fetch.failure().is_some() && fetch.refusal().is_none());
        fetch.failed(Error::new(ErrorKind::TokenRefused, "b"), true);
        assert_eq!(fetch.refusal().map(Error::kind), Some(ErrorKind::TokenRefused));
        fetch.succeeded();
        assert!(fetch.failure().is_none() && fetch.refusal().is_none());
    }

    #[test]
    fn answers_that_may_be_others_next_time() {
        let temporary = |status| is_temporary(&Response::new(status, ""));
        assert!([200, 299, 408, 429, 500, 599].into_iter().all(temporary));
        assert!(![199, 300, 400, 401, 403, 404, 600].into_iter().any(temporary));
    }
}
