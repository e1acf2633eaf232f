//! What a service answered, in one vocabulary for all services.

mod accepted;
mod detail;
mod mismatch;
mod parts;
mod witness;

use std::borrow::Cow;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::time::Duration;

pub use accepted::{Accepted, Details};
pub use mismatch::{Suspect, Suspects, TokenMismatch};
pub use parts::{OutcomeKind, OutcomeParts};
pub use witness::{Circumstances, Observed, OnSuspicion, Suspicion, Witness};

use crate::http::Response;
use crate::printable::Printable;
use crate::time::UnixTime;

/// The service's answer to one message, and the action that it asks for.
///
/// Total: an unknown reason, a broken body or an HTML page still becomes an
/// outcome that keeps the status, the text and the body.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Outcome {
    /// The service took the message. That is all it promises: never read it as "delivered".
    Accepted(Accepted),
    /// This device's token or subscription is dead, whatever is sent to it: delete or replace it.
    TokenGone(TokenGone),
    /// The service blames the token, but a wrong environment, topic, sender, VAPID key or payload could
    /// explain the answer: keep the token.
    TokenMismatch(TokenMismatch),
    /// Not now: send again later.
    RetryLater(RetryLater),
    /// The credentials are the problem, not the message or the device.
    FixCredentials(FixCredentials),
    /// This message can never be accepted as it is.
    Rejected(Rejected),
}

/// The token is dead.
#[derive(Clone, PartialEq, Default)]
#[non_exhaustive]
pub struct TokenGone {
    /// Since when, by the service's clock (APNs 410).
    pub since: Option<UnixTime>,
    /// The token that takes its place, if the service names one.
    pub replacement: Option<Box<str>>,
    /// The evidence: status, reason and body as the service sent them.
    pub evidence: Evidence,
}

/// The most bytes of a service's word that `Display` and `Debug` write; the longest documented reason has 38.
const LONGEST_SHOWN: usize = 128;
/// The wait after a success that cannot be the service's: as after a failure that names none.
const AFTER_NO_ID: Duration = Duration::from_secs(10);

/// Stands for a token, or for a URL that gives its holder power, in what is printed.
fn hidden<T>(value: &Option<T>) -> Option<fmt::Arguments<'static>> {
    value.as_ref().map(|_| format_args!("[redacted]"))
}

impl fmt::Debug for TokenGone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TokenGone")
            .field("since", &self.since)
            .field("replacement", &hidden(&self.replacement))
            .field("evidence", &self.evidence)
            .finish()
    }
}

impl TokenGone {
    /// Whether a token registered at `registered_at` is the one that died:
    /// false when the device registered again at or after [`TokenGone::since`].
    pub fn applies_to(&self, registered_at: UnixTime) -> bool {
        self.since.is_none_or(|since| registered_at < since)
    }
}

/// Not now.
#[derive(Clone, Debug, PartialEq, Default)]
#[non_exhaustive]
pub struct RetryLater {
    /// How long to wait at least, as the service asked or as its documentation says.
    pub after: Option<Duration>,
    /// The scope that has to wait.
    pub scope: Scope,
    /// The evidence: status, reason and body as the service sent them.
    pub evidence: Evidence,
}

/// The credentials are the problem.
#[derive(Clone, Debug, PartialEq, Default)]
#[non_exhaustive]
pub struct FixCredentials {
    /// A new access token or provider token made from the same key may help.
    pub refreshable: bool,
    /// This connection is spoiled: use another one.
    pub reconnect: bool,
    /// How many seconds the service's clock (its `date`) is ahead of ours, negative when it is behind; only
    /// where that is enough to be why the token was refused. Then this machine's clock has to be set.
    pub clock_skew: Option<i64>,
    /// The evidence: status, reason and body as the service sent them.
    pub evidence: Evidence,
}

/// The message cannot be accepted.
#[derive(Clone, Debug, PartialEq, Default)]
#[non_exhaustive]
pub struct Rejected {
    /// The evidence: status, reason and body as the service sent them.
    pub evidence: Evidence,
}

/// The scope that has to wait after [`Outcome::RetryLater`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum Scope {
    /// This message only.
    #[default]
    Message,
    /// Every message to this device.
    Device,
    /// Every message to this topic.
    Topic,
    /// Every message of this project, app or key.
    Project,
    /// Nothing but this connection: another one can be used at once.
    Connection,
}

/// The service's answer as it was sent, kept whole.
#[derive(Clone, PartialEq, Default)]
#[non_exhaustive]
pub struct Evidence {
    /// The HTTP status; 0 where the service refused the request without one (see
    /// [`apns::reset_outcome`](crate::apns::reset_outcome)).
    pub status: u16,
    /// `None` where the answer was a status and nothing else, as nearly every answer is.
    said: Option<Box<Said>>,
}

/// The part of an answer beside the status.
#[derive(Clone, PartialEq)]
struct Said {
    reason: Option<Reason>,
    body: Box<[u8]>,
}

impl Evidence {
    /// Status, reason and body as received.
    pub fn new(status: u16, reason: Option<Reason>, body: &[u8]) -> Self {
        let nothing = reason.is_none() && body.is_empty();
        let said = (!nothing).then(|| {
            Box::new(Said {
                reason,
                body: body.into(),
            })
        });
        Self { status, said }
    }

    /// The service's reason, if it named one.
    pub fn reason(&self) -> Option<&Reason> {
        self.said.as_ref()?.reason.as_ref()
    }

    /// Whether a wrong clock may be why the credentials were refused: the service's word is about a token that carries a
    /// date, and nothing else told of its clock.
    fn is_about_time(&self) -> bool {
        /// APNs, Apple's push service for browsers, Google and Baidu.
        const DATED: [&str; 8] = [
            "ExpiredProviderToken",
            "InvalidProviderToken",
            "BadJwtToken",
            "AccessTokenExpired",
            "ACCESS_TOKEN_EXPIRED",
            "ACCESS_TOKEN_INVALID",
            "30606",
            "invalid_grant",
        ];
        self.reason()
            .is_some_and(|reason| DATED.contains(&reason.as_str()))
    }

    /// The body as received, at most 64 KiB.
    pub fn body(&self) -> &[u8] {
        self.said.as_ref().map_or(&[], |said| &said.body)
    }
}

impl fmt::Debug for Evidence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // A body may quote the device token; its length is enough here.
        f.debug_struct("Evidence")
            .field("status", &self.status)
            .field("reason", &self.reason())
            .field("body_len", &self.body().len())
            .finish()
    }
}

/// A service's reason: its own word, kept as it was sent. `Display` and `Debug` write at most 128 bytes, without control characters.
#[derive(Clone)]
pub struct Reason {
    text: Cow<'static, str>,
    known: bool,
}

impl Reason {
    /// A reason that the service documents.
    pub const fn known(text: &'static str) -> Self {
        Self {
            text: Cow::Borrowed(text),
            known: true,
        }
    }

    /// A reason that this version does not know.
    pub fn other(text: impl Into<String>) -> Self {
        Self {
            text: Cow::Owned(text.into()),
            known: false,
        }
    }

    /// A reason out of [`OutcomeParts`], which say whether it was known where the answer was read.
    fn restored(text: &str, known: bool) -> Self {
        Self {
            text: Cow::Owned(text.to_owned()),
            known,
        }
    }

    /// The service's word.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Whether this version knows what the word means.
    pub fn is_known(&self) -> bool {
        self.known
    }
}

/// By the words alone.
impl PartialEq for Reason {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl Eq for Reason {}

impl Hash for Reason {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.text.hash(state);
    }
}

impl fmt::Debug for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reason")
            .field("text", &format_args!("{self}"))
            .field("known", &self.known)
            .finish()
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Printable::new(&self.text, LONGEST_SHOWN).fmt(f)
    }
}

/// A service's id of one message. Short ids (a UUID is 36 bytes) are held
/// without an allocation, because every answer of APNs carries one.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct MessageId(Repr);

#[derive(Clone, PartialEq, Eq, Hash)]
enum Repr {
    Inline { len: u8, bytes: [u8; MessageId::INLINE] },
    Heap(Box<str>),
}

impl MessageId {
    const INLINE: usize = 38;

    /// The id as the service wrote it.
    pub fn new(text: &str) -> Self {
        Self::from_utf8(text.as_bytes())
    }

    /// Makes an id of octets that are known to be text and need no second check.
    pub(crate) fn from_utf8(text: &[u8]) -> Self {
        let mut bytes = [0; Self::INLINE];
        match bytes.get_mut(..text.len()) {
            Some(inline) => {
                inline.copy_from_slice(text);
                Self(Repr::Inline {
                    len: text.len() as u8,
                    bytes,
                })
            }
            None => Self(Repr::Heap(String::from_utf8_lossy(text).into())),
        }
    }

    /// The id as the service wrote it.
    pub fn as_str(&self) -> &str {
        match &self.0 {
            Repr::Inline { len, bytes } => {
                std::str::from_utf8(&bytes[..usize::from(*len)]).unwrap_or_default()
            }
            Repr::Heap(text) => text,
        }
    }
}

impl fmt::Debug for MessageId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "MessageId({self})")
    }
}

impl fmt::Display for MessageId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Printable::new(self.as_str(), LONGEST_SHOWN).fmt(f)
    }
}

impl Outcome {
    /// An answer that nobody can read further: 2xx is accepted, everything else rejected; status and body are kept.
    pub(crate) fn unreadable(response: &Response) -> Self {
        let evidence = Evidence::new(response.status, None, &response.body);
        match response.status {
            200..300 => Outcome::Accepted(Accepted::new(None, evidence)),
            _ => Outcome::Rejected(Rejected { evidence }),
        }
    }

    /// Returns the outcome of a 2xx without the id that the service gives to every message it takes: a login page, a proxy's greeting or half
    /// an answer. Nobody knows whether the service has the message (`docs/decisions/0016-success-without-an-id.md`).
    pub(crate) fn without_id(response: &Response) -> Self {
        Outcome::RetryLater(RetryLater {
            after: Some(AFTER_NO_ID),
            scope: Scope::Message,
            evidence: Evidence::new(response.status, None, &response.body),
        })
    }

    /// The evidence: status, reason and body as the service sent them.
    pub fn evidence(&self) -> &Evidence {
        match self {
            Outcome::Accepted(arm) => &arm.evidence,
            Outcome::TokenGone(arm) => &arm.evidence,
            Outcome::TokenMismatch(arm) => &arm.evidence,
            Outcome::RetryLater(arm) => &arm.evidence,
            Outcome::FixCredentials(arm) => &arm.evidence,
            Outcome::Rejected(arm) => &arm.evidence,
        }
    }

    /// The HTTP status; 0 where there was none.
    pub fn status(&self) -> u16 {
        self.evidence().status
    }

    /// The service's reason, if it named one.
    pub fn reason(&self) -> Option<&Reason> {
        self.evidence().reason()
    }

    /// The body as received.
    pub fn body(&self) -> &[u8] {
        self.evidence().body()
    }

    /// Whether the service took the message.
    pub fn is_accepted(&self) -> bool {
        matches!(self, Outcome::Accepted(_))
    }

    /// The arm's name in the form used on the wire of tests, tables and the
    /// other languages: `accepted`, `token_gone`, `token_mismatch`, `retry_later`,
    /// `fix_credentials` or `rejected`.
    pub const fn name(&self) -> &'static str {
        self.kind().name()
    }

    /// Returns the action to take, in a few words for a person.
    pub fn advice(&self) -> &'static str {
        match (self, self.status()) {
            (Outcome::Accepted(_), _) => {}
            (Outcome::RetryLater(_), 200..=299) => {
                return "a success without the service's id: look at what answered (a proxy, a login page), then send again";
            }
            (_, 300..=399) => {
                return "a redirect is never followed: correct the host or the endpoint, or what stands between";
            }
            (_, 421) => return "send again on another connection: this one is not for that host",
            (_, 507) => return "the receiver's push server has no room: send again much later",
            _ => {}
        }
        match self {
            Outcome::Accepted(arm) if arm.replacement().is_some() => "store the replacement token",
            Outcome::Accepted(_) => "nothing to do",
            Outcome::TokenGone(arm) if arm.replacement.is_some() => "replace this device's token",
            Outcome::TokenGone(arm) if arm.since.is_some() => {
                "delete this device's token unless it was registered again since"
            }
            Outcome::TokenGone(_) => "delete this device's token",
            Outcome::TokenMismatch(arm) => arm.suspects.advice(),
            Outcome::RetryLater(arm) => match arm.scope {
                Scope::Message => "send this message again later",
                Scope::Device => "pause this device, then send again",
                Scope::Topic => "pause this topic, then send again",
                Scope::Project => "pause the whole project, then send again",
                Scope::Connection => "send again on another connection",
            },
            Outcome::FixCredentials(arm) if arm.clock_skew.is_some() => {
                "set this machine's clock, then send again"
            }
            Outcome::FixCredentials(arm) if arm.refreshable => "renew the access token, then send again",
            Outcome::FixCredentials(arm) if arm.evidence.is_about_time() => {
                "fix the credentials or set this machine's clock; keep the device's token"
            }
            Outcome::FixCredentials(_) => "fix the credentials; keep the device's token",
            Outcome::Rejected(_) => "fix the message; do not send it again as it is",
        }
    }
}

impl Scope {
    /// The scope's name in lower case.
    pub const fn name(self) -> &'static str {
        match self {
            Scope::Message => "message",
            Scope::Device => "device",
            Scope::Topic => "topic",
            Scope::Project => "project",
            Scope::Connection => "connection",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(status: u16, word: &str) -> Evidence {
        Evidence::new(status, Some(Reason::other(word)), b"")
    }

    /// Each piece of advice, by a word that no other has.
    #[test]
    fn advice_is_for_the_case() {
        let later = |status, scope| {
            Outcome::RetryLater(RetryLater {
                after: None,
                scope,
                evidence: said(status, "x"),
            })
        };
        let fix = |word, refreshable, clock_skew| {
            Outcome::FixCredentials(FixCredentials {
                refreshable,
                clock_skew,
                evidence: said(403, word),
                ..FixCredentials::default()
            })
        };
        let gone = |since, replacement: Option<&str>| {
            Outcome::TokenGone(TokenGone {
                since,
                replacement: replacement.map(Into::into),
                ..TokenGone::default()
            })
        };
        let rejected = |status| {
            Outcome::Rejected(Rejected {
                evidence: said(status, "x"),
            })
        };
        for (outcome, word) in [
            (
                Outcome::Accepted(Accepted::new(None, said(200, "x"))),
                "nothing to do",
            ),
            // Not even where the status is one of those below.
            (
                Outcome::Accepted(Accepted::new(None, said(421, "x"))),
                "nothing to do",
            ),
            (later(200, Scope::Message), "proxy"),
            (later(299, Scope::Project), "proxy"),
            (later(503, Scope::Message), "this message again"),
            (later(429, Scope::Device), "pause this device"),
            (later(429, Scope::Topic), "pause this topic"),
            (later(429, Scope::Project), "whole project"),
            (later(500, Scope::Connection), "on another connection"),
            (later(421, Scope::Connection), "not for that host"),
            (later(507, Scope::Device), "no room"),
            (rejected(300), "redirect"),
            (rejected(399), "redirect"),
            (rejected(400), "fix the message"),
            (gone(None, None), "delete this device's token"),
            (gone(Some(UnixTime::from_secs(1)), None), "registered again since"),
            (
                gone(Some(UnixTime::from_secs(1)), Some("new")),
                "replace this device's token",
            ),
            (
                fix("ExpiredProviderToken", true, Some(3600)),
                "set this machine's clock, then",
            ),
            (fix("ExpiredProviderToken", true, None), "renew the access token"),
            (
                fix("InvalidProviderToken", false, None),
                "or set this machine's clock",
            ),
            (
                fix("MissingProviderToken", false, None),
                "fix the credentials; keep",
            ),
        ] {
            assert!(
                outcome.advice().contains(word),
                "{outcome:?}: {}",
                outcome.advice()
            );
        }
        assert_eq!(gone(None, None).advice(), "delete this device's token");
    }

    #[test]
    fn an_answer_that_nobody_can_read_is_taken_by_its_status() {
        for (status, name) in [
            (199, "rejected"),
            (200, "accepted"),
            (299, "accepted"),
            (300, "rejected"),
        ] {
            assert_eq!(
                Outcome::unreadable(&Response::new(status, "x")).name(),
                name,
                "{status}"
            );
        }
    }

    /// Reasons are one by their words, so that they count and find themselves in sets.
    #[test]
    fn reasons_are_compared_by_their_words() {
        let (one, same, other) = (
            Reason::known("BadTopic"),
            Reason::other("BadTopic"),
            Reason::other("badtopic"),
        );
        assert!(one == same && one != other);
        let set = std::collections::HashSet::from([one, same, other]);
        assert_eq!(set.len(), 2);
    }

    #[test]
    fn message_ids_of_any_length_come_back() {
        for len in [0, 1, 36, 37, 38, 39, 40, 200] {
            let text = "x".repeat(len);
            assert_eq!(MessageId::new(&text).as_str(), text);
        }
    }

    #[test]
    fn a_token_registered_again_is_not_gone() {
        let gone = TokenGone {
            since: Some(UnixTime::from_secs(100)),
            ..TokenGone::default()
        };
        assert!(gone.applies_to(UnixTime::from_secs(99)));
        assert!(!gone.applies_to(UnixTime::from_secs(100)));
        assert!(TokenGone::default().applies_to(UnixTime::from_secs(101)));
    }

    /// A log line or a terminal must survive what a peer writes.
    #[test]
    fn a_hostile_word_is_shown_tamed_and_kept_whole() {
        let hostile = format!("\u{1b}]0;owned\u{7}\r\n{}", "x".repeat(70_000));
        let reason = Reason::other(hostile.clone());
        let id = MessageId::new(&hostile);
        assert_eq!(
            (reason.as_str(), id.as_str()),
            (hostile.as_str(), hostile.as_str())
        );
        let outcome = Outcome::Rejected(Rejected {
            evidence: Evidence::new(400, Some(reason.clone()), hostile.as_bytes()),
        });
        for shown in [
            reason.to_string(),
            format!("{reason:?}"),
            id.to_string(),
            format!("{id:?}"),
            format!("{outcome:?}"),
        ] {
            assert!(shown.len() < 400, "{} bytes", shown.len());
            assert!(!shown.contains(char::is_control), "{shown:?}");
        }
    }
}
