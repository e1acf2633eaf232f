//! What becomes of a message whose attempt failed or was refused: pure decisions, which change nothing.

use std::time::Duration;

use super::config::{Delivery, SessionConfig};
use super::ending::Unanswered;
use super::ledger::{Again, Attempt, Purpose, Withdrawal};
use crate::error::{Error, ErrorKind};
use crate::net::Processed;
use crate::net::h2::error_code as code;
use crate::outcome::{Outcome, Scope};

/// The first wait of a message whose stream is refused a second time in a row; it doubles with every
/// refusal more. The first time the message goes out again at once, because the server only asked for that.
const REFUSED_TWICE: Duration = Duration::from_millis(50);

/// The alerts about our certificate (RFC 8446 §6.2): bad, unsupported, revoked, expired, unknown, of an
/// unknown authority, without access, missing.
const REFUSED_CERTIFICATE: [u8; 8] = [42, 43, 44, 45, 46, 48, 49, 116];

/// The decision about a message whose attempt got no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum AfterFailure {
    /// The message goes back to the queue.
    SendAgain(Again),
    /// The message was withdrawn, and ends as the withdrawal says.
    Withdrawn(Withdrawal),
    /// A request for a token failed.
    TokenFailed,
    /// The message or call ends without an answer: [`no_answer`].
    End,
}

/// Decides about a message whose attempt got no answer; `progress` is whether its host has answered anything
/// since the message went back to the queue for the last time.
pub(super) fn after_failure(
    attempt: &Attempt,
    processed: Processed,
    error: &Error,
    progress: bool,
    config: &SessionConfig,
) -> AfterFailure {
    let repeatable = match (processed, attempt.purpose) {
        // To ask for a token twice does no harm.
        (Processed::No, _) | (Processed::Unknown, Purpose::Token) => true,
        (Processed::Unknown, Purpose::Push) => config.delivery == Delivery::AtLeastOnce,
        // A call may be anything, and need not be safe to repeat.
        (Processed::Unknown, Purpose::Call) => false,
    };
    // A time-out of this attempt is not the end of the message while its deadline is to come.
    let wanted = matches!(attempt.withdrawal, None | Some(Withdrawal::TimedOut));
    let counts = processed == Processed::Unknown || is_about_the_message(error, progress);
    let attempts_left = !counts || attempt.requeues < config.max_requeues;
    if repeatable && wanted && attempt.in_time && attempts_left {
        return AfterFailure::SendAgain(Again {
            counts,
            in_doubt: processed == Processed::Unknown,
            refused: is_reset_with(error, code::REFUSED_STREAM),
            reported: match attempt.withdrawal {
                Some(_) => ErrorKind::Unknown,
                None => error.kind(),
            },
        });
    }
    match (attempt.withdrawal, attempt.purpose) {
        (Some(withdrawal), _) => AfterFailure::Withdrawn(withdrawal),
        (None, Purpose::Token) => AfterFailure::TokenFailed,
        (None, Purpose::Push | Purpose::Call) => AfterFailure::End,
    }
}

/// Whether an attempt that was not processed may have failed because of its message, so that the attempts
/// are to be counted (`docs/decisions/0015-progress-and-order.md`). What a connection disowns in an
/// orderly end, or took no octet of, is not about the message: that is bounded by the
/// deadline, and by the back-off of a host whose connections answer nothing.
fn is_about_the_message(error: &Error, progress: bool) -> bool {
    match error.kind() {
        // Another code says that the server found a fault, perhaps in this message.
        ErrorKind::GoAway => {
            let orderly = [Some(code::NO_ERROR), Some(code::ENHANCE_YOUR_CALM)];
            !orderly.contains(&error.http2_code())
        }
        // A busy server refuses some streams and answers others; one that answers none may mean this one.
        ErrorKind::StreamReset => !(progress && is_reset_with(error, code::REFUSED_STREAM)),
        ErrorKind::ConnectionLost | ErrorKind::PeerSilent => false,
        _ => true,
    }
}

/// Whether a failure to connect is that of a server that is not there for the moment: nobody listens, or
/// the connection ended while it was made.
pub(super) fn is_absence(error: &Error) -> bool {
    matches!(
        error.kind(),
        ErrorKind::ConnectRefused | ErrorKind::ConnectionLost
    )
}

/// Returns the ending of a message whose last attempt failed with `error`.
pub(super) fn no_answer(processed: Processed, error: Error) -> Unanswered {
    let ending = match processed {
        Processed::No => Unanswered::not_sent("not processed by the service, and no attempt is left"),
        Processed::Unknown => Unanswered::unknown("written, but no answer came"),
    };
    ending.because_of(error)
}

/// Returns the ending of a message that was withdrawn. `trouble` is what has kept messages waiting, where
/// that is known: the reason why a message that waited has expired.
pub(super) fn withdrawn(
    withdrawal: Withdrawal,
    processed: Processed,
    trouble: impl FnOnce() -> Option<Error>,
) -> Unanswered {
    match (withdrawal, processed) {
        (Withdrawal::Cancelled, Processed::No) => Unanswered::cancelled("cancelled before it was written"),
        (Withdrawal::Cancelled, Processed::Unknown) => {
            Unanswered::cancelled("cancelled after it had been written")
        }
        (Withdrawal::TimedOut, Processed::Unknown) => {
            Unanswered::unknown("written, but no answer came in time")
        }
        (Withdrawal::TimedOut, Processed::No) => {
            let expired = Unanswered::expired("the deadline passed before it was written");
            match trouble() {
                Some(cause) => expired.because_of(cause),
                None => expired,
            }
        }
        (Withdrawal::Abandoned, Processed::Unknown) => {
            Unanswered::unknown("abandoned after it had been written")
        }
        (Withdrawal::Abandoned, Processed::No) => Unanswered::not_sent("abandoned before it was written"),
    }
}

/// The decision about a message whose answer may be about the credential or the connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Remedy {
    /// The answer is about the message, and no other attempt would bring another answer.
    None,
    /// Another authorization may bring another answer; with `reconnect`, over another connection.
    Reauthorize { reconnect: bool },
    /// The connection is spoiled by its credential; another connection may bring another answer.
    Reconnect,
    /// The service has not processed the message because of the connection, which is to be left.
    Leave,
}

impl Remedy {
    /// Whether the connection is of no use any more.
    pub(super) fn spoils_connection(self) -> bool {
        match self {
            Remedy::None => false,
            Remedy::Reauthorize { reconnect } => reconnect,
            Remedy::Reconnect | Remedy::Leave => true,
        }
    }
}

/// Decides what an answer asks for.
#[inline]
pub(super) fn after_answer(outcome: &Outcome) -> Remedy {
    match outcome {
        Outcome::FixCredentials(arm) if arm.refreshable => Remedy::Reauthorize {
            reconnect: arm.reconnect,
        },
        Outcome::FixCredentials(arm) if arm.reconnect => Remedy::Reconnect,
        Outcome::RetryLater(arm) if arm.scope == Scope::Connection => Remedy::Leave,
        _ => Remedy::None,
    }
}

/// Whether an answered message may be sent once more: once only, and not where its caller has cancelled
/// it or it has run out of time.
pub(super) fn may_replay(attempt: &Attempt) -> bool {
    attempt.replays == 0 && attempt.withdrawal.is_none() && attempt.in_time
}

/// Returns how long a message waits whose stream has been refused `times` times in a row.
pub(super) fn rest_after_refusals(times: u8, longest: Duration) -> Duration {
    match times.checked_sub(2) {
        None => Duration::ZERO,
        Some(doublings) => REFUSED_TWICE
            .saturating_mul(1 << u32::from(doublings).min(16))
            .min(longest),
    }
}

/// Whether a stream was reset because the client asks for too much (ENHANCE_YOUR_CALM).
pub(super) fn asks_for_calm(error: &Error) -> bool {
    is_reset_with(error, code::ENHANCE_YOUR_CALM)
}

fn is_reset_with(error: &Error, code: u32) -> bool {
    error.kind() == ErrorKind::StreamReset && error.http2_code() == Some(code)
}

/// Whether the next attempt to connect would fail like this one: then messages that wait hear of it now.
pub(super) fn is_permanent(error: &Error) -> bool {
    let alert = error.tls_alert();
    alert.is_some_and(|alert| REFUSED_CERTIFICATE.contains(&alert))
        || matches!(
            error.kind(),
            ErrorKind::CertificateExpired
                | ErrorKind::CertificateNotYetValid
                | ErrorKind::CertificateWrongName
                | ErrorKind::CertificateUnknownIssuer
                | ErrorKind::CertificateInvalid
                | ErrorKind::NoApplicationProtocol
                | ErrorKind::TlsIncompatible
                | ErrorKind::AddressNotAllowed
        )
}

#[cfg(test)]
mod tests;
