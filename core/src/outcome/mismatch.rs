//! A token that is blamed for what a configuration or a payload could explain.

use std::fmt;

use super::Evidence;

/// The service blames the token, but something on the sender's side could explain the answer. Keep the token.
///
/// A wrong environment, topic, sender, VAPID key or payload brings this answer for every device. Only a
/// [`Witness`](super::Witness), which knows the other answers of a session, turns a mismatch into
/// [`Outcome::TokenGone`](super::Outcome::TokenGone).
#[derive(Clone, Debug, PartialEq, Default)]
#[non_exhaustive]
pub struct TokenMismatch {
    /// Everything that could be at fault in place of the token.
    pub suspects: Suspects,
    /// The status, the reason and the body that the service sent.
    pub evidence: Evidence,
}

/// One thing that could be at fault in place of the token.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Suspect {
    /// The environment: production or development (APNs; Baidu's `deploy_status`).
    Environment,
    /// The topic, which is the app's bundle id (APNs).
    Topic,
    /// The sender: the project that the credentials belong to (FCM).
    Sender,
    /// The VAPID key, which is not the one that the subscription was made with (Web Push).
    Key,
    /// The payload: FCM blames the token for some malformed payloads, too.
    Payload,
}

impl Suspect {
    /// All of them, in the order in which they are listed.
    pub const ALL: [Suspect; 5] = [
        Suspect::Environment,
        Suspect::Topic,
        Suspect::Sender,
        Suspect::Key,
        Suspect::Payload,
    ];

    /// The suspect's name in lower case.
    pub const fn name(self) -> &'static str {
        match self {
            Suspect::Environment => "environment",
            Suspect::Topic => "topic",
            Suspect::Sender => "sender",
            Suspect::Key => "key",
            Suspect::Payload => "payload",
        }
    }

    /// The suspect of this name; `None` where there is none.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|suspect| suspect.name() == name)
    }

    const fn bit(self) -> u8 {
        1 << self as u8
    }

    const fn advice(self) -> &'static str {
        match self {
            Suspect::Environment => "keep the token; check the environment (production or development)",
            Suspect::Topic => "keep the token; check the topic (the app's bundle id)",
            Suspect::Sender => "keep the token; check the sender (the project of the credentials)",
            Suspect::Key => "keep the token; check the VAPID key (the one the subscription was made with)",
            Suspect::Payload => "keep the token; check the payload",
        }
    }
}

/// A small set of [`Suspect`]s.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Suspects(u8);

impl Suspects {
    /// The set of no suspect.
    pub const NONE: Suspects = Suspects(0);

    /// The set of this suspect alone.
    pub const fn only(suspect: Suspect) -> Self {
        Self(suspect.bit())
    }

    /// The set with this suspect added.
    #[must_use]
    pub const fn with(self, suspect: Suspect) -> Self {
        Self(self.0 | suspect.bit())
    }

    /// The set of those that are in either of the two.
    #[must_use]
    pub const fn union(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// The set of those that are in this one and not in the other.
    #[must_use]
    pub const fn without(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }

    /// Whether the suspect is in the set.
    pub const fn contains(self, suspect: Suspect) -> bool {
        self.0 & suspect.bit() != 0
    }

    /// Whether the set is empty.
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// The suspects, in the order of [`Suspect::ALL`].
    pub fn iter(self) -> impl Iterator<Item = Suspect> {
        Suspect::ALL
            .into_iter()
            .filter(move |suspect| self.contains(*suspect))
    }

    /// Returns in a few words for a person which settings to check.
    pub(super) fn advice(self) -> &'static str {
        let mut suspects = self.iter();
        match (suspects.next(), suspects.next()) {
            (Some(suspect), None) => suspect.advice(),
            _ => "keep the token; check environment, topic, sender, key and payload",
        }
    }
}

impl FromIterator<Suspect> for Suspects {
    fn from_iter<I: IntoIterator<Item = Suspect>>(suspects: I) -> Self {
        suspects.into_iter().fold(Self::NONE, Self::with)
    }
}

impl From<Suspect> for Suspects {
    fn from(suspect: Suspect) -> Self {
        Self::only(suspect)
    }
}

impl fmt::Debug for Suspects {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.iter()).finish()
    }
}

/// The names with commas between them; nothing for the empty set.
impl fmt::Display for Suspects {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, suspect) in self.iter().enumerate() {
            f.write_str(if index == 0 { "" } else { ", " })?;
            f.write_str(suspect.name())?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_set_holds_what_was_put_in_and_lists_it_in_one_order() {
        let set: Suspects = [Suspect::Payload, Suspect::Environment].into_iter().collect();
        assert_eq!(set.to_string(), "environment, payload");
        assert_eq!(
            set.iter().collect::<Vec<_>>(),
            [Suspect::Environment, Suspect::Payload]
        );
        assert!(!set.contains(Suspect::Topic));
        assert_eq!(set.without(Suspect::Payload.into()), Suspect::Environment.into());
        assert!(Suspects::NONE.is_empty());
        assert_eq!(Suspects::NONE.to_string(), "");
    }

    #[test]
    fn names_come_back() {
        for suspect in Suspect::ALL {
            assert_eq!(Suspect::from_name(suspect.name()), Some(suspect));
        }
        assert_eq!(Suspect::from_name("Topic"), None);
    }

    #[test]
    fn every_advice_keeps_the_token_and_names_what_to_check() {
        for suspect in Suspect::ALL {
            let advice = Suspects::only(suspect).advice();
            assert!(advice.starts_with("keep the token; check"), "{advice}");
            assert!(advice.contains(suspect.name()), "{advice}");
        }
        let two = Suspects::only(Suspect::Topic).with(Suspect::Sender).advice();
        assert_ne!(Suspects::only(Suspect::Topic).advice(), two);
        for suspect in Suspect::ALL {
            assert!(two.contains(suspect.name()), "{two}");
        }
    }
}
