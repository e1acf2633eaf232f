//! The explanations of an answer, reduced to a number.

use std::hash::{DefaultHasher, Hasher};

use crate::outcome::{Suspect, Suspects};

/// Everything beside the token that could explain an answer: topic, sender, VAPID key and message. The environment is
/// the session's.
///
/// The circumstances of a template are made once and copied: no text is kept. The order in which the parts are added
/// does not matter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Circumstances {
    pub(super) key: u64,
    /// Some devices get other parts of the message than others.
    varies: bool,
}

impl Circumstances {
    /// Circumstances without any part.
    pub const fn new() -> Self {
        Self {
            key: 0,
            varies: false,
        }
    }

    /// The circumstances with a part that could be at fault: a topic, a project id, a VAPID key and the push
    /// service's origin, or the message without its token.
    #[must_use]
    pub fn with(mut self, suspect: Suspect, part: &[u8]) -> Self {
        self.key = self.key.wrapping_add(hash(Some(suspect), part));
        self
    }

    /// The circumstances with the parts of the other ones added, for example those of the credentials to those of a
    /// template.
    #[must_use]
    pub const fn and(self, other: Self) -> Self {
        Self {
            key: self.key.wrapping_add(other.key),
            varies: self.varies || other.varies,
        }
    }

    /// The circumstances of a message with a part that only some devices get, as FCM's `apns` is. That another
    /// device took the message says nothing of that part, so no witness clears the payload.
    #[must_use]
    pub const fn that_vary(mut self) -> Self {
        self.varies = true;
        self
    }

    /// Whether a witness can clear all of these suspects.
    pub(super) fn can_turn(self, suspects: Suspects) -> bool {
        // A token of another app is alive, and a wrong topic is what asks for it.
        if suspects.is_empty() || suspects.contains(Suspect::Topic) {
            return false;
        }
        !self.varies || !suspects.contains(Suspect::Payload)
    }
}

/// The number that stands for a token.
pub(super) fn token(token: &[u8]) -> u64 {
    hash(None, token)
}

fn hash(suspect: Option<Suspect>, part: &[u8]) -> u64 {
    let mut hasher = DefaultHasher::new();
    hasher.write_u8(suspect.map_or(u8::MAX, |suspect| suspect as u8));
    hasher.write(part);
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_count_whatever_their_order() {
        let topic = |text: &[u8]| Circumstances::new().with(Suspect::Topic, text);
        let payload = |text: &[u8]| Circumstances::new().with(Suspect::Payload, text);
        let one = topic(b"a").with(Suspect::Payload, b"b");
        assert_eq!(one, payload(b"b").with(Suspect::Topic, b"a"));
        assert_eq!(one, payload(b"b").and(topic(b"a")));
        assert_ne!(one, topic(b"b").and(payload(b"a")));
        assert_ne!(one, topic(b"a"));
        assert_ne!(one, one.that_vary());
    }
}
