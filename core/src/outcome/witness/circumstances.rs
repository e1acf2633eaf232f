//! What could explain an answer, reduced to two numbers.

use std::hash::{DefaultHasher, Hasher};

use crate::outcome::{Suspect, Suspects};

/// Everything that could explain an answer: the token, and beside it topic, sender, VAPID key and message. The
/// environment is the session's.
///
/// No text is kept. The order in which the parts are added does not matter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Circumstances {
    pub(super) token: u64,
    pub(super) key: u64,
    /// Some devices get other parts of the message than others.
    varies: bool,
}

impl Circumstances {
    /// The circumstances of a message to this token, subscription or registration id.
    pub fn new(token: &[u8]) -> Self {
        Self {
            token: hash(None, token),
            key: 0,
            varies: false,
        }
    }

    /// The circumstances with a part that could be at fault: a topic, a project id, a VAPID key and the push
    /// service's origin, or the message without its token.
    #[must_use]
    pub fn with(self, suspect: Suspect, part: &[u8]) -> Self {
        self.with_id(suspect, hash(Some(suspect), part))
    }

    /// The circumstances with a part that has a number already, for example that of a template.
    #[must_use]
    pub fn with_id(mut self, suspect: Suspect, id: u64) -> Self {
        let mut hasher = DefaultHasher::new();
        hasher.write_u8(suspect as u8);
        hasher.write_u64(id);
        self.key = self.key.wrapping_add(hasher.finish());
        self
    }

    /// The circumstances of a message with a part that only some devices get, as FCM's `apns` is. That another
    /// device took the message says nothing of that part, so no witness clears the payload.
    #[must_use]
    pub fn that_vary(mut self) -> Self {
        self.varies = true;
        self
    }

    /// Whether a witness can clear all of these suspects.
    pub(super) fn can_turn(self, suspects: Suspects) -> bool {
        // A token of another app is alive, and a wrong topic is what asks for it.
        let alive = suspects.is_empty() || suspects.contains(Suspect::Topic);
        !alive && !(self.varies && suspects.contains(Suspect::Payload))
    }
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
        let one = Circumstances::new(b"t")
            .with(Suspect::Topic, b"a")
            .with(Suspect::Payload, b"b");
        let same = Circumstances::new(b"t")
            .with(Suspect::Payload, b"b")
            .with(Suspect::Topic, b"a");
        let swapped = Circumstances::new(b"t")
            .with(Suspect::Topic, b"b")
            .with(Suspect::Payload, b"a");
        assert_eq!(one, same);
        assert_ne!(one.key, swapped.key);
        assert_ne!(one.key, Circumstances::new(b"t").with(Suspect::Topic, b"a").key);
    }

    #[test]
    fn the_token_is_no_part_of_the_key() {
        let of = |token: &[u8]| Circumstances::new(token).with(Suspect::Topic, b"a");
        assert_eq!(of(b"x").key, of(b"y").key);
        assert_ne!(of(b"x").token, of(b"y").token);
    }
}
