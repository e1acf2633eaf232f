//! What a service says of a message that it took.

use std::fmt;
use std::time::Duration;

use super::{Evidence, MessageId, hidden};

/// The service took the message.
#[derive(Clone, PartialEq, Default)]
#[non_exhaustive]
pub struct Accepted {
    /// The service's id of the message: `apns-id`, FCM's `name`, ADM's request id, Baidu's `msg_id`.
    pub id: Option<MessageId>,
    /// The evidence: status, reason and body as the service sent them.
    pub evidence: Evidence,
    /// Rare fields, boxed: almost every outcome is `Accepted`, and it should stay small.
    pub(super) details: Option<Box<Details>>,
}

/// The rare fields of [`Accepted`]; see its methods.
#[derive(Clone, PartialEq, Default)]
#[non_exhaustive]
pub struct Details {
    /// [`Accepted::unique_id`]
    pub unique_id: Option<Box<str>>,
    /// [`Accepted::replacement`]
    pub replacement: Option<Box<str>>,
    /// [`Accepted::location`]
    pub location: Option<Box<str>>,
    /// [`Accepted::receipt`]
    pub receipt: Option<Box<str>>,
    /// [`Accepted::ttl`]
    pub ttl: Option<Duration>,
}

impl Accepted {
    /// One with nothing but these.
    pub fn new(id: Option<MessageId>, evidence: Evidence) -> Self {
        Self {
            id,
            evidence,
            details: None,
        }
    }

    /// Returns the same outcome with these details.
    #[must_use]
    pub fn with_details(mut self, details: Details) -> Self {
        self.details = Some(details)
            .filter(|details| *details != Details::default())
            .map(Box::new);
        self
    }

    fn details(&self) -> Option<&Details> {
        self.details.as_deref()
    }

    /// A second id, under which Apple's Push Console shows the delivery (APNs sandbox, `apns-unique-id`).
    pub fn unique_id(&self) -> Option<&str> {
        self.details()?.unique_id.as_deref()
    }

    /// A new registration id to store in place of the one used (ADM).
    pub fn replacement(&self) -> Option<&str> {
        self.details()?.replacement.as_deref()
    }

    /// Where the message lives at the push service, to be deleted there (Web Push `Location`).
    pub fn location(&self) -> Option<&str> {
        self.details()?.location.as_deref()
    }

    /// Where receipts come from, if one was asked for (Web Push `Link`, relation `urn:ietf:params:push:receipt`).
    pub fn receipt(&self) -> Option<&str> {
        self.details()?.receipt.as_deref()
    }

    /// The time to live that the service really applies (Web Push `TTL`).
    pub fn ttl(&self) -> Option<Duration> {
        self.details()?.ttl
    }
}

impl fmt::Debug for Accepted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Accepted")
            .field("id", &self.id)
            .field("unique_id", &self.unique_id())
            .field("replacement", &hidden(&self.replacement()))
            .field("location", &hidden(&self.location()))
            .field("receipt", &hidden(&self.receipt()))
            .field("ttl", &self.ttl())
            .field("evidence", &self.evidence)
            .finish()
    }
}
