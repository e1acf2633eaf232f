//! Whether a refusal is about the access token, or about the message that was sent with it.

use std::time::Duration;

/// The time for which a token stays in doubt, so that messages that are refused whatever the token cost one fetch a minute at
/// most (`docs/decisions/0014-refused-keys-and-pauses.md`).
const DOUBTED: Duration = Duration::from_secs(60);

/// The number of refusals in a row of a token that was taken before, from which on the token is to blame.
const REFUSALS: u32 = 3;

/// The number of refusals, while a token is in doubt, that another token is fetched for although the service took the refused one
/// before: a token may be revoked twice in a minute.
const SPARE: u32 = 1;

/// What became of the access tokens since one was refused.
#[derive(Debug, Default)]
pub(super) struct TokenDoubt {
    /// The doubt; `None` while no token was refused for long.
    doubt: Option<Doubt>,
    /// The token that was found to be at fault last; `None` before the first. The ids of tokens ascend.
    dropped: Option<u64>,
}

/// The time after the refusal of a token in which another refusal may be about a message.
#[derive(Debug)]
struct Doubt {
    until: Duration,
    /// The token that the service took last; `None` where it took none.
    taken: Option<u64>,
    /// Refusals in a row of the token that was taken.
    refusals: u32,
    /// The number of refusals left that another token is fetched for all the same.
    spare: u32,
    /// Whether the service took the dropped token after it had refused the token.
    was_good: bool,
}

impl TokenDoubt {
    /// Whether acceptances have to be noted, because a token is in doubt.
    #[inline]
    pub(super) fn is_in_doubt(&self) -> bool {
        self.doubt.is_some()
    }

    /// Notes that the service took the token of the block `used`.
    pub(super) fn taken(&mut self, used: Option<u64>, now: Duration) {
        if self.is_dropped(used) {
            // A part of the service that does not know yet, or a message that is refused whatever the token: neither says anything of
            // the token that came after.
            if let Some(doubt) = &mut self.doubt {
                doubt.was_good = true;
            }
            return;
        }
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
        if self.is_dropped(used) {
            // The others have another token already, which costs this one nothing.
            return true;
        }
        let mut spare = SPARE;
        if let Some(doubt) = self.doubt.as_mut().filter(|doubt| now < doubt.until) {
            if doubt.taken.is_some() && doubt.taken == used {
                doubt.refusals += 1;
                if doubt.refusals < REFUSALS {
                    match doubt.spare.checked_sub(1) {
                        Some(left) => doubt.spare = left,
                        None => return false,
                    }
                }
            }
            spare = doubt.spare;
        }
        self.doubt = Some(Doubt {
            until: now.saturating_add(DOUBTED),
            taken: None,
            refusals: 0,
            spare,
            was_good: false,
        });
        self.dropped = self.dropped.max(used);
        true
    }

    /// Whether messages that are refused again, with another token, are at fault rather than the key: the service took the dropped
    /// token from others all the while.
    pub(super) fn key_is_good(&self, now: Duration) -> bool {
        let doubt = self.doubt.as_ref().filter(|doubt| now < doubt.until);
        doubt.is_some_and(|doubt| doubt.was_good)
    }

    /// Whether a token was found to be at fault before, or is older than one that was.
    fn is_dropped(&self, used: Option<u64>) -> bool {
        used.is_some() && used <= self.dropped
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
        doubt.taken(Some(4), second);
        assert!(
            doubt.is_to_blame(Some(4), false, second),
            "revoked twice in a minute"
        );
        assert!(!doubt.key_is_good(second));
        doubt.taken(Some(4), second);
        assert!(doubt.key_is_good(second) && !doubt.key_is_good(second + DOUBTED));
        for _ in 0..5 {
            assert!(doubt.is_to_blame(Some(4), false, second), "dropped before");
        }
        doubt.taken(Some(5), second);
        assert!(!doubt.is_to_blame(Some(5), false, second) && !doubt.is_to_blame(Some(5), false, second));
        doubt.taken(Some(5), second);
        assert!(!doubt.is_to_blame(Some(5), false, second) && !doubt.is_to_blame(Some(5), false, second));
        assert!(doubt.is_to_blame(Some(5), false, second), "three in a row");
        doubt.taken(Some(6), second);
        let later = second + DOUBTED;
        assert!(
            doubt.is_to_blame(Some(6), false, later),
            "it may have been revoked since"
        );
        doubt.taken(Some(7), later + DOUBTED);
        assert!(!doubt.is_in_doubt());
    }
}
