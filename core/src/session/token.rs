//! How the fetching of access tokens goes, and whether a refusal is about the token, as far as a session has to know.

use std::time::Duration;

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
    /// What became of tokens since one was refused; `None` while none is in doubt.
    doubt: Option<Doubt>,
}

/// The time after the refusal of a token in which another refusal may be about a message.
#[derive(Debug)]
struct Doubt {
    until: Duration,
    /// The token that the service took last; `None` where it took none.
    taken: Option<u64>,
    /// Refusals in a row of the token that was taken.
    refusals: u32,
}

/// The time for which a token stays in doubt, so that messages that are refused whatever the token cost one fetch a minute at
/// most (`docs/decisions/0014-refused-keys-and-pauses.md`).
const DOUBTED: Duration = Duration::from_secs(60);

/// The number of refusals in a row of a token that was taken before, from which on the token is to blame.
const REFUSALS: u32 = 3;

impl TokenFetch {
    /// Notes an authorization that was made without a fetch: another block is all there is to see of
    /// another token. Returns whether it is another one.
    pub(super) fn is_new(&mut self, block: &HeaderBlock) -> bool {
        let new = self.minted != Some(block.id());
        self.minted = Some(block.id());
        new
    }

    /// Whether acceptances have to be noted, because a token is in doubt.
    #[inline]
    pub(super) fn is_in_doubt(&self) -> bool {
        self.doubt.is_some()
    }

    /// Notes that the service took the token of the block `used`.
    pub(super) fn taken(&mut self, used: Option<u64>, now: Duration) {
        if let Some(doubt) = &mut self.doubt {
            doubt.taken = used;
            doubt.refusals = 0;
            if now >= doubt.until {
                self.doubt = None;
            }
        }
    }

    /// Whether a refusal of the token of the block `used` is the token's fault, so that another one may bring another answer.
    /// `again` says that the same message was refused before. A message is to blame that is refused with two tokens, or with
    /// one that the service takes from other messages.
    pub(super) fn is_to_blame(&mut self, used: Option<u64>, again: bool, now: Duration) -> bool {
        if again {
            return false;
        }
        if let Some(doubt) = self.doubt.as_mut().filter(|doubt| now < doubt.until) {
            if doubt.taken.is_some() && doubt.taken == used {
                doubt.refusals += 1;
                if doubt.refusals < REFUSALS {
                    return false;
                }
            }
        }
        self.doubt = Some(Doubt {
            until: now.saturating_add(DOUBTED),
            taken: None,
            refusals: 0,
        });
        true
    }

    /// Notes that a token is asked for: the answer may be another one than the last refusal.
    pub(super) fn asked(&mut self) {
        self.refused = false;
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
        fetch.asked();
        assert!(fetch.failure().is_some() && fetch.refusal().is_none());
        fetch.succeeded();
        assert!(fetch.failure().is_none() && fetch.refusal().is_none());
    }

    #[test]
    fn a_token_that_others_use_is_not_to_blame() {
        let second = Duration::from_secs(1);
        let mut fetch = TokenFetch::default();
        assert!(!fetch.is_in_doubt());
        assert!(
            fetch.is_to_blame(Some(1), false, second),
            "nothing is known of it"
        );
        assert!(fetch.is_in_doubt() && !fetch.is_to_blame(Some(2), true, second));
        assert!(
            fetch.is_to_blame(Some(2), false, second),
            "nobody used the second one yet"
        );
        fetch.taken(Some(3), second);
        assert!(!fetch.is_to_blame(Some(3), false, second) && !fetch.is_to_blame(Some(3), false, second));
        fetch.taken(Some(3), second);
        assert!(!fetch.is_to_blame(Some(3), false, second) && !fetch.is_to_blame(Some(3), false, second));
        assert!(fetch.is_to_blame(Some(3), false, second), "three in a row");
        fetch.taken(Some(4), second);
        let later = second + DOUBTED;
        assert!(
            fetch.is_to_blame(Some(4), false, later),
            "it may have been revoked since"
        );
        fetch.taken(Some(5), later + DOUBTED);
        assert!(!fetch.is_in_doubt());
    }

    #[test]
    fn answers_that_may_be_others_next_time() {
        let temporary = |status| is_temporary(&Response::new(status, ""));
        assert!([200, 299, 408, 429, 500, 599].into_iter().all(temporary));
        assert!(![199, 300, 400, 401, 403, 404, 600].into_iter().any(temporary));
    }
}
