//! What a result means for the caller's table of devices.

use std::fmt;

use super::device::Device;
use crate::error::{Error, ErrorKind};
use crate::outcome::{Outcome, Scope, Suspects};
use crate::time::UnixTime;

/// The change that a result asks for in the caller's table of devices. Says nothing about the message: whether to
/// send it again is for [`Retries`](super::Retries) to say.
#[derive(Clone, PartialEq)]
#[non_exhaustive]
pub enum Feedback {
    /// Nothing is wrong with the device, as far as the result tells.
    Keep,
    /// The token is dead, whatever is sent to it: delete the device.
    Delete,
    /// The service names another token for the device: store it ([`Device::with_token`]).
    Replace(Box<str>),
    /// Nothing more should be sent for a while.
    Wait {
        /// The earliest time of the next message; `None` where nothing names a time: then the sender's own back-off decides.
        until: Option<UnixTime>,
        /// The messages that have to wait.
        scope: Scope,
    },
    /// The configuration may be why it failed: keep the device.
    CheckConfiguration(Cause),
}

/// The part of the configuration that a result points at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Cause {
    /// The service blames the token, and one of these could be at fault in its place.
    Suspects(Suspects),
    /// The service refuses the credentials, or they cannot be read.
    Credentials,
    /// This machine's clock is wrong by this many seconds; positive when the service's clock is ahead.
    Clock(i64),
    /// The row of the device: its app, its token or its endpoint is not acceptable as it is, or another row has the same token.
    Device,
    /// The way to the service: a proxy, a certificate, an address that a policy refuses.
    Connection,
}

impl Cause {
    /// The name in snake case: `suspects`, `credentials`, `clock`, `device` or `connection`.
    pub const fn name(self) -> &'static str {
        match self {
            Cause::Suspects(_) => "suspects",
            Cause::Credentials => "credentials",
            Cause::Clock(_) => "clock",
            Cause::Device => "device",
            Cause::Connection => "connection",
        }
    }
}

/// Everything that a [`Feedback`] says, in one flat record for bindings and files. Made by [`Feedback::parts`], read by
/// [`Feedback::from_parts`].
///
/// A field that the arm does not have is `None` or empty.
#[derive(Clone, Copy, PartialEq)]
#[non_exhaustive]
pub struct FeedbackParts<'a> {
    /// The name of the arm: `keep`, `delete`, `replace`, `wait` or `check_configuration`.
    pub action: &'a str,
    /// The new token; `None` except for `replace`.
    pub replacement: Option<&'a str>,
    /// The earliest time of the next message; `None` except for `wait` with a known time.
    pub until: Option<UnixTime>,
    /// The messages that have to wait; `None` except for `wait`.
    pub scope: Option<Scope>,
    /// The name of the cause; `None` except for `check_configuration`.
    pub cause: Option<&'a str>,
    /// The settings to check; empty except for the cause `suspects`.
    pub suspects: Suspects,
    /// The error of this machine's clock in seconds; `None` except for the cause `clock`.
    pub clock_skew: Option<i64>,
}

impl Feedback {
    /// The name of the arm: `keep`, `delete`, `replace`, `wait` or `check_configuration`.
    pub const fn name(&self) -> &'static str {
        match self {
            Feedback::Keep => "keep",
            Feedback::Delete => "delete",
            Feedback::Replace(_) => "replace",
            Feedback::Wait { .. } => "wait",
            Feedback::CheckConfiguration(_) => "check_configuration",
        }
    }

    /// Everything that the feedback says, in one flat record.
    pub fn parts(&self) -> FeedbackParts<'_> {
        let mut parts = FeedbackParts::new(self.name());
        match self {
            Feedback::Keep | Feedback::Delete => {}
            Feedback::Replace(token) => parts.replacement = Some(token),
            Feedback::Wait { until, scope } => {
                parts.until = *until;
                parts.scope = Some(*scope);
            }
            Feedback::CheckConfiguration(cause) => {
                parts.cause = Some(cause.name());
                match cause {
                    Cause::Suspects(suspects) => parts.suspects = *suspects,
                    Cause::Clock(skew) => parts.clock_skew = Some(*skew),
                    Cause::Credentials | Cause::Device | Cause::Connection => {}
                }
            }
        }
        parts
    }
}

impl Feedback {
    /// The feedback that these parts describe: the inverse of [`Feedback::parts`], for tests and pickles.
    ///
    /// # Errors
    /// `InvalidValue` for a name that is none, and for a part that the arm does not have or lacks.
    pub fn from_parts(parts: &FeedbackParts<'_>) -> Result<Self, Error> {
        let refuse = |what: String| Error::new(ErrorKind::InvalidValue, what);
        let lacks = |part: &str| refuse(format!("a feedback {} needs {part}", parts.action));
        let made = match parts.action {
            "keep" => Feedback::Keep,
            "delete" => Feedback::Delete,
            "replace" => Feedback::Replace(parts.replacement.ok_or_else(|| lacks("replacement"))?.into()),
            "wait" => Feedback::Wait {
                until: parts.until,
                scope: parts.scope.ok_or_else(|| lacks("scope"))?,
            },
            "check_configuration" => Feedback::CheckConfiguration(match parts.cause {
                Some("suspects") => Cause::Suspects(parts.suspects),
                Some("credentials") => Cause::Credentials,
                Some("clock") => Cause::Clock(parts.clock_skew.ok_or_else(|| lacks("clock_skew"))?),
                Some("device") => Cause::Device,
                Some("connection") => Cause::Connection,
                Some(_) => return Err(refuse("not the name of a cause".to_owned())),
                None => return Err(lacks("cause")),
            }),
            _ => return Err(refuse("not the name of a feedback".to_owned())),
        };
        match made.parts() == *parts {
            true => Ok(made),
            false => Err(refuse(format!("a feedback {} has no such part", made.name()))),
        }
    }
}

impl<'a> FeedbackParts<'a> {
    /// The parts of an arm, with nothing else in them yet.
    pub const fn new(action: &'a str) -> Self {
        Self {
            action,
            replacement: None,
            until: None,
            scope: None,
            cause: None,
            suspects: Suspects::NONE,
            clock_skew: None,
        }
    }
}

impl fmt::Debug for Feedback {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Feedback::Keep | Feedback::Delete => f.write_str(match self {
                Feedback::Keep => "Keep",
                _ => "Delete",
            }),
            // A token is its holder's power to send.
            Feedback::Replace(_) => f.write_str("Replace([redacted])"),
            Feedback::Wait { until, scope } => f
                .debug_struct("Wait")
                .field("until", until)
                .field("scope", scope)
                .finish(),
            Feedback::CheckConfiguration(cause) => f.debug_tuple("CheckConfiguration").field(cause).finish(),
        }
    }
}

impl fmt::Debug for FeedbackParts<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FeedbackParts")
            .field("action", &self.action)
            .field("has_replacement", &self.replacement.is_some())
            .field("until", &self.until)
            .field("scope", &self.scope)
            .field("cause", &self.cause)
            .field("suspects", &self.suspects)
            .field("clock_skew", &self.clock_skew)
            .finish()
    }
}

/// Returns what the result of one message means for its device. Total: every outcome and every error has an answer,
/// and only a service's word about the token itself deletes a device (`docs/notification.md` has the table).
///
/// `now` is the time of the answer, which a wait is counted from.
///
/// ```
/// use pushcore::notification::{Device, Feedback, feedback};
/// use pushcore::outcome::{Outcome, OutcomeKind, OutcomeParts};
/// use pushcore::service::Kind;
/// use pushcore::UnixTime;
///
/// # fn main() -> Result<(), pushcore::Error> {
/// let device = Device::builder(Kind::Fcm).token("d:APA91b").build()?;
/// let gone = Outcome::from_parts(&OutcomeParts::new(OutcomeKind::TokenGone))?;
/// assert_eq!(feedback(&Ok(gone), &device, UnixTime::from_secs(1_764_422_709)), Feedback::Delete);
/// # Ok(())
/// # }
/// ```
pub fn feedback(result: &Result<Outcome, Error>, device: &Device, now: UnixTime) -> Feedback {
    match result {
        Ok(outcome) => of_outcome(outcome, device, now),
        Err(error) => of_error(error),
    }
}

fn of_outcome(outcome: &Outcome, device: &Device, now: UnixTime) -> Feedback {
    match outcome {
        Outcome::Accepted(arm) => replaced(arm.replacement(), device).unwrap_or(Feedback::Keep),
        Outcome::TokenGone(arm) => {
            // Registered again since: it is another registration that died.
            if device.registered_at().is_some_and(|time| !arm.applies_to(time)) {
                return Feedback::Keep;
            }
            replaced(arm.replacement.as_deref(), device).unwrap_or(Feedback::Delete)
        }
        Outcome::TokenMismatch(arm) => Feedback::CheckConfiguration(Cause::Suspects(arm.suspects)),
        Outcome::RetryLater(arm) => Feedback::Wait {
            until: arm.after.map(|after| now.saturating_add(after)),
            scope: arm.scope,
        },
        Outcome::FixCredentials(arm) => Feedback::CheckConfiguration(match arm.clock_skew {
            Some(skew) => Cause::Clock(skew),
            None => Cause::Credentials,
        }),
        // The message is at fault.
        Outcome::Rejected(_) => Feedback::Keep,
    }
}

/// The replacement, unless it is the token that the device has.
fn replaced(token: Option<&str>, device: &Device) -> Option<Feedback> {
    let token = token.filter(|token| *token != device.token())?;
    Some(Feedback::Replace(token.into()))
}

pub(super) fn of_error(error: &Error) -> Feedback {
    let waits = |scope| Feedback::Wait { until: None, scope };
    match blamed(error.kind()) {
        Blame::Token => Feedback::Delete,
        Blame::Configuration(cause) => Feedback::CheckConfiguration(cause),
        Blame::Time(scope) => waits(scope),
        // `NotSent`, `Unknown` and `Expired` have the reason underneath. A dead token is never found there.
        Blame::Cause(otherwise) => match error.cause().map(of_error) {
            Some(Feedback::CheckConfiguration(cause)) => Feedback::CheckConfiguration(cause),
            Some(Feedback::Wait { until, scope }) if otherwise.is_some() => Feedback::Wait { until, scope },
            _ => otherwise.map_or(Feedback::Keep, waits),
        },
        Blame::Nothing => Feedback::Keep,
    }
}

/// Whom an error blames.
enum Blame {
    /// The token, for good.
    Token,
    /// A setting of the sender's.
    Configuration(Cause),
    /// The moment: the scope waits.
    Time(Scope),
    /// The error underneath; without one the scope waits, or with `None` nothing does.
    Cause(Option<Scope>),
    /// The message, the caller, or nobody that concerns the device.
    Nothing,
}

/// Exhaustive on purpose: a kind that is added and not handled here does not compile.
fn blamed(kind: ErrorKind) -> Blame {
    use ErrorKind as K;
    match kind {
        K::SubscriptionRemoved => Blame::Token,
        K::InvalidKey
        | K::WrongKeyType
        | K::WrongCurve
        | K::EncryptedKey
        | K::KeyMismatch
        | K::InvalidCredential
        | K::WrongPassword
        | K::TokenEndpointNotAllowed
        | K::TokenRefused
        | K::TokenAnswerInvalid
        | K::CredentialsRefused => Blame::Configuration(Cause::Credentials),
        // Many tokens are blamed in a row; which setting is at fault is for the session's suspicion to say.
        K::MixUpSuspected => Blame::Configuration(Cause::Suspects(Suspects::NONE)),
        K::InvalidToken
        | K::InvalidTopic
        | K::InvalidTarget
        | K::InvalidSubscription
        | K::EndpointNotAllowed
        | K::DuplicateDevice => Blame::Configuration(Cause::Device),
        K::CertificateExpired
        | K::CertificateNotYetValid
        | K::CertificateWrongName
        | K::CertificateUnknownIssuer
        | K::CertificateInvalid
        | K::NoApplicationProtocol
        | K::TlsIncompatible
        | K::TlsAlert
        | K::TlsProtocol
        | K::AddressNotAllowed
        | K::ProxyRefused => Blame::Configuration(Cause::Connection),
        K::TokenNeeded | K::Paused => Blame::Time(Scope::Project),
        K::ConnectRefused
        | K::OutOfDescriptors
        | K::ConnectTimeout
        | K::NameNotResolved
        | K::ConnectionLost
        | K::Http2Protocol
        | K::Http1Protocol
        | K::LimitExceeded
        | K::GoAway
        | K::StreamReset
        | K::PeerSilent => Blame::Time(Scope::Connection),
        K::QueueFull => Blame::Time(Scope::Message),
        K::NotSent => Blame::Cause(Some(Scope::Message)),
        K::Unknown | K::Expired => Blame::Cause(None),
        K::InvalidHeader
        | K::InvalidPayload
        | K::PayloadTooLarge
        | K::PayloadEmpty
        | K::InvalidUtf8
        | K::ReservedKey
        | K::InvalidValue
        | K::Conflict
        | K::InvalidCondition
        | K::MissingField
        | K::InvalidCiphertext
        | K::DecryptionFailed
        | K::Cancelled
        | K::Misuse
        | K::Closed
        | K::Internal => Blame::Nothing,
    }
}
