//! An outcome as one flat record: what bindings, pickles and result files read and write.
//!
//! Arms and their fields are taken apart here and nowhere else. Every `match` and every pattern in this file
//! is exhaustive on purpose: an arm or a field that is added and not handled here does not compile.

use std::time::Duration;

use super::{
    Accepted, Details, Evidence, FixCredentials, MessageId, Outcome, Reason, Rejected, RetryLater, Scope,
    Suspects, TokenGone, TokenMismatch, hidden,
};
use crate::error::{Error, ErrorKind};
use crate::time::UnixTime;

/// Which arm of [`Outcome`] an outcome is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum OutcomeKind {
    /// [`Outcome::Accepted`]
    Accepted,
    /// [`Outcome::TokenGone`]
    TokenGone,
    /// [`Outcome::TokenMismatch`]
    TokenMismatch,
    /// [`Outcome::RetryLater`]
    RetryLater,
    /// [`Outcome::FixCredentials`]
    FixCredentials,
    /// [`Outcome::Rejected`]
    #[default]
    Rejected,
}

impl OutcomeKind {
    /// All of them, in the order in which tables list them.
    pub const ALL: [OutcomeKind; 6] = [
        OutcomeKind::Accepted,
        OutcomeKind::TokenGone,
        OutcomeKind::TokenMismatch,
        OutcomeKind::RetryLater,
        OutcomeKind::FixCredentials,
        OutcomeKind::Rejected,
    ];

    /// The arm's name in snake case, as in tables, result files and the other languages.
    pub const fn name(self) -> &'static str {
        match self {
            OutcomeKind::Accepted => "accepted",
            OutcomeKind::TokenGone => "token_gone",
            OutcomeKind::TokenMismatch => "token_mismatch",
            OutcomeKind::RetryLater => "retry_later",
            OutcomeKind::FixCredentials => "fix_credentials",
            OutcomeKind::Rejected => "rejected",
        }
    }

    /// The arm of this name; `None` where there is none.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }
}

/// Everything that an [`Outcome`] says, in one record. Made by [`Outcome::parts`], read by
/// [`Outcome::from_parts`].
///
/// A field that the arm does not have is `None`, `false` or empty.
#[derive(Clone, PartialEq, Default)]
#[non_exhaustive]
pub struct OutcomeParts<'a> {
    /// The arm.
    pub kind: OutcomeKind,
    /// The HTTP status; 0 where there was none.
    pub status: u16,
    /// The service's own word; `None` where the service named no reason.
    pub reason: Option<&'a str>,
    /// Whether the word was known where the answer was read.
    pub reason_is_known: bool,
    /// The body as received.
    pub body: &'a [u8],
    /// [`Accepted::id`]; `None` where the service named none.
    pub id: Option<&'a str>,
    /// [`Accepted::unique_id`]; `None` where the service named none.
    pub unique_id: Option<&'a str>,
    /// [`Accepted::replacement`] or [`TokenGone::replacement`]; `None` where the service named none.
    pub replacement: Option<&'a str>,
    /// [`Accepted::location`]; `None` where the service named none.
    pub location: Option<&'a str>,
    /// [`Accepted::receipt`]; `None` where the service named none.
    pub receipt: Option<&'a str>,
    /// [`Accepted::ttl`]; `None` where the service named none.
    pub ttl: Option<Duration>,
    /// [`TokenGone::since`]; `None` where the service named no time.
    pub since: Option<UnixTime>,
    /// [`TokenMismatch::suspects`]
    pub suspects: Suspects,
    /// [`RetryLater::after`]; `None` where nothing names a time.
    pub after: Option<Duration>,
    /// [`RetryLater::scope`]; `None` for every other arm.
    pub scope: Option<Scope>,
    /// [`FixCredentials::refreshable`]
    pub refreshable: bool,
    /// [`FixCredentials::reconnect`]
    pub reconnect: bool,
    /// [`FixCredentials::clock_skew`], in seconds; `None` where the clock does not explain the answer.
    pub clock_skew: Option<i64>,
}

impl OutcomeParts<'_> {
    /// The parts of an arm, with nothing else in them yet.
    pub fn new(kind: OutcomeKind) -> Self {
        Self {
            kind,
            ..Self::default()
        }
    }

    /// The first part that is there although the arm has no such field.
    fn foreign(&self, made: &Self) -> Option<&'static str> {
        let Self {
            // These are every arm's.
            kind: _,
            status: _,
            reason: _,
            reason_is_known: _,
            body: _,
            id,
            unique_id,
            replacement,
            location,
            receipt,
            ttl,
            since,
            suspects,
            after,
            scope,
            refreshable,
            reconnect,
            clock_skew,
        } = self;
        let differ = [
            ("id", *id != made.id),
            ("unique_id", *unique_id != made.unique_id),
            ("replacement", *replacement != made.replacement),
            ("location", *location != made.location),
            ("receipt", *receipt != made.receipt),
            ("ttl", *ttl != made.ttl),
            ("since", *since != made.since),
            ("suspects", *suspects != made.suspects),
            ("after", *after != made.after),
            // An arm that has a scope has one in any case.
            ("scope", scope.is_some() && *scope != made.scope),
            ("refreshable", *refreshable != made.refreshable),
            ("reconnect", *reconnect != made.reconnect),
            ("clock_skew", *clock_skew != made.clock_skew),
        ];
        differ
            .into_iter()
            .find_map(|(name, differs)| differs.then_some(name))
    }
}

impl std::fmt::Debug for OutcomeParts<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // The same is hidden as in the arms.
        f.debug_struct("OutcomeParts")
            .field("kind", &self.kind)
            .field("status", &self.status)
            .field("reason", &self.reason)
            .field("id", &self.id)
            .field("replacement", &hidden(&self.replacement))
            .field("since", &self.since)
            .field("suspects", &self.suspects)
            .field("after", &self.after)
            .field("scope", &self.scope)
            .field("body_len", &self.body.len())
            .finish_non_exhaustive()
    }
}

impl Outcome {
    /// Which arm this is.
    pub const fn kind(&self) -> OutcomeKind {
        match self {
            Outcome::Accepted(_) => OutcomeKind::Accepted,
            Outcome::TokenGone(_) => OutcomeKind::TokenGone,
            Outcome::TokenMismatch(_) => OutcomeKind::TokenMismatch,
            Outcome::RetryLater(_) => OutcomeKind::RetryLater,
            Outcome::FixCredentials(_) => OutcomeKind::FixCredentials,
            Outcome::Rejected(_) => OutcomeKind::Rejected,
        }
    }

    /// Everything that the outcome says, in one flat record.
    pub fn parts(&self) -> OutcomeParts<'_> {
        let reason = self.reason();
        let every = OutcomeParts {
            kind: self.kind(),
            status: self.status(),
            reason: reason.map(Reason::as_str),
            reason_is_known: reason.is_some_and(Reason::is_known),
            body: self.body(),
            ..OutcomeParts::default()
        };
        match self {
            Outcome::Accepted(Accepted {
                id,
                evidence: _,
                details,
            }) => {
                let id = id.as_ref().map(MessageId::as_str);
                match details.as_deref() {
                    None => OutcomeParts { id, ..every },
                    Some(Details {
                        unique_id,
                        replacement,
                        location,
                        receipt,
                        ttl,
                    }) => OutcomeParts {
                        id,
                        unique_id: unique_id.as_deref(),
                        replacement: replacement.as_deref(),
                        location: location.as_deref(),
                        receipt: receipt.as_deref(),
                        ttl: *ttl,
                        ..every
                    },
                }
            }
            Outcome::TokenGone(TokenGone {
                since,
                replacement,
                evidence: _,
            }) => OutcomeParts {
                since: *since,
                replacement: replacement.as_deref(),
                ..every
            },
            Outcome::TokenMismatch(TokenMismatch {
                suspects,
                evidence: _,
            }) => OutcomeParts {
                suspects: *suspects,
                ..every
            },
            Outcome::RetryLater(RetryLater {
                after,
                scope,
                evidence: _,
            }) => OutcomeParts {
                after: *after,
                scope: Some(*scope),
                ..every
            },
            Outcome::FixCredentials(FixCredentials {
                refreshable,
                reconnect,
                clock_skew,
                evidence: _,
            }) => OutcomeParts {
                refreshable: *refreshable,
                reconnect: *reconnect,
                clock_skew: *clock_skew,
                ..every
            },
            Outcome::Rejected(Rejected { evidence: _ }) => every,
        }
    }

    /// The outcome that these parts describe: the inverse of [`Outcome::parts`].
    ///
    /// # Errors
    /// `InvalidValue` when a part is set that the arm does not have.
    pub fn from_parts(parts: &OutcomeParts<'_>) -> Result<Self, Error> {
        let reason = parts
            .reason
            .map(|text| Reason::restored(text, parts.reason_is_known));
        let evidence = Evidence::new(parts.status, reason, parts.body);
        let text = |part: Option<&str>| part.map(Into::into);
        let outcome = match parts.kind {
            OutcomeKind::Accepted => Outcome::Accepted(
                Accepted::new(parts.id.map(MessageId::new), evidence).with_details(Details {
                    unique_id: text(parts.unique_id),
                    replacement: text(parts.replacement),
                    location: text(parts.location),
                    receipt: text(parts.receipt),
                    ttl: parts.ttl,
                }),
            ),
            OutcomeKind::TokenGone => Outcome::TokenGone(TokenGone {
                since: parts.since,
                replacement: text(parts.replacement),
                evidence,
            }),
            OutcomeKind::TokenMismatch => Outcome::TokenMismatch(TokenMismatch {
                suspects: parts.suspects,
                evidence,
            }),
            OutcomeKind::RetryLater => Outcome::RetryLater(RetryLater {
                after: parts.after,
                scope: parts.scope.unwrap_or_default(),
                evidence,
            }),
            OutcomeKind::FixCredentials => Outcome::FixCredentials(FixCredentials {
                refreshable: parts.refreshable,
                reconnect: parts.reconnect,
                clock_skew: parts.clock_skew,
                evidence,
            }),
            OutcomeKind::Rejected => Outcome::Rejected(Rejected { evidence }),
        };
        match parts.foreign(&outcome.parts()) {
            None => Ok(outcome),
            Some(part) => Err(Error::new(
                ErrorKind::InvalidValue,
                format!("an outcome {} has no {part}", parts.kind.name()),
            )),
        }
    }
}

impl Scope {
    /// All of them.
    pub const ALL: [Scope; 5] = [
        Scope::Message,
        Scope::Device,
        Scope::Topic,
        Scope::Project,
        Scope::Connection,
    ];

    /// The scope of this name; `None` where there is none.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|scope| scope.name() == name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::outcome::Suspect;

    /// Every arm with every field that it has.
    fn full() -> Vec<Outcome> {
        let known = || Evidence::new(400, Some(Reason::known("Word")), b"{\"reason\":\"Word\"}");
        let unknown = || Evidence::new(418, Some(Reason::other("NewWord")), b"");
        let silent = || Evidence::new(0, None, b"");
        vec![
            Outcome::Accepted(
                Accepted::new(Some(MessageId::new("id")), silent()).with_details(Details {
                    unique_id: Some("unique".into()),
                    replacement: Some("next".into()),
                    location: Some("https://push.example/m/1".into()),
                    receipt: Some("https://push.example/r/1".into()),
                    ttl: Some(Duration::from_millis(1500)),
                }),
            ),
            Outcome::Accepted(Accepted::default()),
            Outcome::TokenGone(TokenGone {
                since: Some(UnixTime::from_millis(1_454_402_113_123)),
                replacement: Some("next".into()),
                evidence: known(),
            }),
            Outcome::TokenMismatch(TokenMismatch {
                suspects: Suspects::only(Suspect::Topic).with(Suspect::Key),
                evidence: known(),
            }),
            Outcome::RetryLater(RetryLater {
                after: Some(Duration::from_secs(900)),
                scope: Scope::Project,
                evidence: unknown(),
            }),
            Outcome::FixCredentials(FixCredentials {
                refreshable: true,
                reconnect: true,
                clock_skew: Some(-3720),
                evidence: unknown(),
            }),
            Outcome::Rejected(Rejected { evidence: known() }),
        ]
    }

    #[test]
    fn parts_and_back_is_the_same_outcome() {
        for outcome in full() {
            let parts = outcome.parts();
            let again = Outcome::from_parts(&parts).unwrap();
            assert_eq!(again, outcome);
            assert_eq!(again.parts(), parts, "known or not, too");
            assert_eq!(parts.kind.name(), outcome.name());
        }
    }

    #[test]
    fn a_part_that_the_arm_does_not_have_is_refused_by_its_name() {
        let all = full();
        for (kind, donor, part) in [
            (OutcomeKind::Rejected, 0, "id"),
            (OutcomeKind::Rejected, 2, "replacement"),
            (OutcomeKind::Accepted, 2, "since"),
            (OutcomeKind::TokenGone, 3, "suspects"),
            (OutcomeKind::TokenMismatch, 4, "after"),
            (OutcomeKind::RetryLater, 5, "refreshable"),
        ] {
            let parts = OutcomeParts {
                kind,
                ..all[donor].parts()
            };
            let error = Outcome::from_parts(&parts).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::InvalidValue);
            let words = error.to_string();
            assert!(
                words.ends_with(&format!("{} has no {part}", kind.name())),
                "{words}"
            );
        }
        let scope = OutcomeParts {
            scope: Some(Scope::Message),
            ..OutcomeParts::new(OutcomeKind::Rejected)
        };
        assert!(Outcome::from_parts(&scope).is_err());
    }

    #[test]
    fn names_come_back() {
        for kind in OutcomeKind::ALL {
            assert_eq!(OutcomeKind::from_name(kind.name()), Some(kind));
        }
        for scope in Scope::ALL {
            assert_eq!(Scope::from_name(scope.name()), Some(scope));
        }
        assert_eq!(OutcomeKind::from_name("TokenGone"), None);
    }

    #[test]
    fn what_is_printed_hides_the_replacement() {
        let text = format!("{:?}", full()[2].parts());
        assert!(!text.contains("next") && text.contains("[redacted]"), "{text}");
    }
}
