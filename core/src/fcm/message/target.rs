//! Whom a message is for.

use std::fmt;
use std::sync::Arc;

use super::condition;
use crate::error::{Error, ErrorKind};

/// The one target of a message.
#[derive(Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Target {
    /// A Firebase Installation ID.
    Fid(RegistrationId),
    /// A registration token. During Google's move to installation ids this field
    /// takes those too, so it is the right one for an id of unknown kind.
    Token(RegistrationId),
    /// Everyone subscribed to a topic.
    Topic(Topic),
    /// Everyone whose topics fulfil a condition of at most five topics:
    /// `'a' in topics && ('b' in topics || !('c' in topics))`.
    Condition(Arc<str>),
}

impl Target {
    /// A Firebase Installation ID.
    ///
    /// # Errors
    /// As [`RegistrationId::new`].
    pub fn fid(id: &str) -> Result<Self, Error> {
        RegistrationId::new(id).map(Self::Fid)
    }

    /// A registration token.
    ///
    /// # Errors
    /// As [`RegistrationId::new`].
    pub fn token(token: &str) -> Result<Self, Error> {
        RegistrationId::new(token).map(Self::Token)
    }

    /// A topic.
    ///
    /// # Errors
    /// As [`Topic::new`].
    pub fn topic(name: &str) -> Result<Self, Error> {
        Topic::new(name).map(Self::Topic)
    }

    /// A condition on topics.
    ///
    /// # Errors
    /// `InvalidCondition` when it does not parse, names more than five topics, or
    /// is longer than 8 KiB.
    pub fn condition(text: &str) -> Result<Self, Error> {
        condition::check(text)?;
        Ok(Self::Condition(text.into()))
    }

    /// The name of the field, and its value.
    pub(crate) fn field(&self) -> (&'static str, &str) {
        match self {
            Target::Fid(id) => ("fid", id.as_str()),
            Target::Token(token) => ("token", token.as_str()),
            Target::Topic(topic) => ("topic", topic.as_str()),
            Target::Condition(text) => ("condition", text),
        }
    }

    /// Whether the value stands in JSON as it is. The others are visible ASCII too (spaces too in a
    /// condition), but nobody has looked for the two characters that need an escape.
    pub(crate) fn is_plain(&self) -> bool {
        match self {
            Target::Fid(id) | Target::Token(id) => id.plain,
            Target::Topic(_) | Target::Condition(_) => false,
        }
    }

    /// The most bytes of payload that this target takes.
    pub(crate) fn limit(&self) -> usize {
        match self {
            Target::Fid(_) | Target::Token(_) => 4096,
            Target::Topic(_) | Target::Condition(_) => 2048,
        }
    }
}

impl fmt::Debug for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Target::Fid(_) => f.write_str("Fid([redacted])"),
            Target::Token(_) => f.write_str("Token([redacted])"),
            Target::Topic(topic) => write!(f, "Topic({})", topic.as_str()),
            Target::Condition(text) => write!(f, "Condition({text})"),
        }
    }
}

/// A registration token or Firebase Installation ID.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct RegistrationId {
    text: Arc<str>,
    /// Whether it stands in JSON as it is.
    plain: bool,
}

impl RegistrationId {
    /// Takes what the app handed over; its inner form is the service's business.
    ///
    /// # Errors
    /// `InvalidToken` when it is empty, 4 KiB or longer, or holds anything but visible ASCII.
    pub fn new(text: &str) -> Result<Self, Error> {
        // Without a branch for each character: every message brings its token.
        let look = |(graphic, plain), byte: u8| {
            let graphic: bool = graphic & byte.is_ascii_graphic();
            let plain: bool = plain & (byte != b'"') & (byte != b'\\');
            (graphic, plain)
        };
        let (graphic, plain) = text.bytes().fold((true, true), look);
        if text.is_empty() || text.len() >= 4096 || !graphic {
            return Err(Error::new(
                ErrorKind::InvalidToken,
                "a registration token is 1 to 4095 visible ascii characters",
            ));
        }
        let text = text.into();
        Ok(Self { text, plain })
    }

    /// The token.
    pub fn as_str(&self) -> &str {
        &self.text
    }
}

impl fmt::Debug for RegistrationId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RegistrationId([redacted])")
    }
}

/// The bare name of a topic.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Topic(Arc<str>);

impl Topic {
    /// A topic's name, without `/topics/`.
    ///
    /// # Errors
    /// `InvalidTopic` when it is not 1 to 900 of `A-Z a-z 0-9 - _ . ~ %`.
    pub fn new(name: &str) -> Result<Self, Error> {
        if name.starts_with("/topics/") {
            return Err(Error::new(
                ErrorKind::InvalidTopic,
                "a topic is named without the prefix /topics/",
            ));
        }
        if name.is_empty() || name.len() > 900 || !name.bytes().all(condition::is_topic_byte) {
            return Err(Error::new(
                ErrorKind::InvalidTopic,
                "a topic is 1 to 900 of the characters a-z A-Z 0-9 - _ . ~ %",
            ));
        }
        Ok(Self(name.into()))
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Topic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Topic({})", self.0)
    }
}
