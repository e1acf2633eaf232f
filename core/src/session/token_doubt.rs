//! Whether a refusal is about the access token, or about the message that was sent with it.

use std::time::Duration;

/// The time for which a token stays in doubt, so that messages that are refused whatever the token cost one fetch a minute at
/// most (`docs/decisions/0014-refused-keys-and-pauses.md`).
const DOUBTED: Duration = Duration::from_secs(60);

/// The number of refusals in a row of a token that was taken before, from which on the token is to blame.
const REFUSALS: u32 = 3;

/// What became of the access tokens since one was refused.
#[derive(Debug, Default)]
pub(super) struct TokenDoubt {
    /// The doubt; `None` while no token was refused for long.
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

impl TokenDoubt {
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
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_that_others_use_is_not_to_blame() {
        let second = Duration::from_secs(1);
        let mut doubt = TokenDoubt::default();
        assert!(!doubt.is_in_doubt());
        assert!(
            doubt.is_to_blame(Some(1), false, second),
            "nothing is known of it"
        );
        assert!(doubt.is_in_doubt() && !doubt.is_to_blame(Some(2), true, second));
        assert!(
            doubt.is_to_blame(Some(2), false, second),
            "nobody used the second one yet"
        );
        doubt.taken(Some(3), second);
        assert!(!doubt.is_to_blame(Some(3), false, second) && !doubt.is_to_blame(Some(3), false, second));
        doubt.taken(Some(3), second);
        assert!(!doubt.is_to_blame(Some(3), false, second) && !doubt.is_to_blame(Some(3), false, second));
        assert!(doubt.is_to_blame(Some(3), false, second), "three in a row");
        doubt.taken(Some(4), second);
        let later = second + DOUBTED;
        assert!(
            doubt.is_to_blame(Some(4), false, later),
            "it may have been revoked since"
        );
        doubt.taken(Some(5), later + DOUBTED);
        assert!(!doubt.is_in_doubt());
    }
}
