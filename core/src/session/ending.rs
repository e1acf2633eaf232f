//! How a message ends: answered, or in one of four ways without an answer.

use std::convert::Infallible;

use super::id::Ticket;
use crate::error::{Error, ErrorKind};
use crate::outcome::Outcome;

/// The one end of a message or request: the service's answer, or one of four ways to end without one.
///
/// The error of each of the four has the kind of the same name, and the reason as its
/// [`cause`](Error::cause) where one is known.
#[derive(Clone, Debug)]
#[allow(
    clippy::exhaustive_enums,
    reason = "a caller who forgets a case loses a message"
)]
pub enum Ending<T = Outcome> {
    /// The service answered.
    Answered(T),
    /// The service has certainly not processed the message.
    NotSent(Error),
    /// The message was written and no answer came: the service may have processed it.
    Unknown(Error),
    /// The deadline passed before the message was written.
    Expired(Error),
    /// The caller cancelled the message.
    Cancelled(Error),
}

impl<T> Ending<T> {
    /// Returns the answer, or the error that says why there is none.
    ///
    /// # Errors
    /// The error of the four endings without an answer: `NotSent`, `Unknown`, `Expired` or `Cancelled`.
    #[inline]
    pub fn result(&self) -> Result<&T, &Error> {
        match self {
            Ending::Answered(answer) => Ok(answer),
            Ending::NotSent(error)
            | Ending::Unknown(error)
            | Ending::Expired(error)
            | Ending::Cancelled(error) => Err(error),
        }
    }

    /// Returns the answer, or the error that says why there is none.
    ///
    /// # Errors
    /// As [`Ending::result`].
    #[inline]
    pub fn into_result(self) -> Result<T, Error> {
        match self {
            Ending::Answered(answer) => Ok(answer),
            Ending::NotSent(error)
            | Ending::Unknown(error)
            | Ending::Expired(error)
            | Ending::Cancelled(error) => Err(error),
        }
    }
}

/// An end without an answer, for a push or a call.
pub(super) type Unanswered = Ending<Infallible>;

impl Unanswered {
    pub(super) fn not_sent(context: &'static str) -> Self {
        Ending::NotSent(Error::new(ErrorKind::NotSent, context))
    }

    pub(super) fn unknown(context: &'static str) -> Self {
        Ending::Unknown(Error::new(ErrorKind::Unknown, context))
    }

    pub(super) fn expired(context: &'static str) -> Self {
        Ending::Expired(Error::new(ErrorKind::Expired, context))
    }

    pub(super) fn cancelled(context: &'static str) -> Self {
        Ending::Cancelled(Error::new(ErrorKind::Cancelled, context))
    }

    /// Returns the same ending with the error that caused it.
    pub(super) fn because_of(self, cause: Error) -> Self {
        match self {
            Ending::Answered(never) => match never {},
            Ending::NotSent(error) => Ending::NotSent(error.with_source(cause)),
            Ending::Unknown(error) => Ending::Unknown(error.with_source(cause)),
            Ending::Expired(error) => Ending::Expired(error.with_source(cause)),
            Ending::Cancelled(error) => Ending::Cancelled(error.with_source(cause)),
        }
    }

    /// Returns the ending of a message of which an earlier attempt was written and got no answer:
    /// nobody can say then that the service has not processed it.
    pub(super) fn in_doubt(self) -> Self {
        match self {
            Ending::NotSent(error) | Ending::Expired(error) => {
                Unanswered::unknown("an earlier attempt was written and got no answer").because_of(error)
            }
            other => other,
        }
    }

    /// Returns the error alone.
    pub(super) fn into_error(self) -> Error {
        match self.into_result() {
            Ok(never) => match never {},
            Err(error) => error,
        }
    }

    /// Returns the ending as that of something that could have been answered with a `T`.
    pub(super) fn of<T>(self) -> Ending<T> {
        match self {
            Ending::Answered(never) => match never {},
            Ending::NotSent(error) => Ending::NotSent(error),
            Ending::Unknown(error) => Ending::Unknown(error),
            Ending::Expired(error) => Ending::Expired(error),
            Ending::Cancelled(error) => Ending::Cancelled(error),
        }
    }
}

/// The end of one message.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Ended {
    /// The message's ticket.
    pub ticket: Ticket,
    /// The number that the caller gave the message: [`SendOptions::user_data`](super::SendOptions::user_data).
    pub user_data: u64,
    /// The number that the driver gave the message: [`SendOptions::driver_data`](super::SendOptions::driver_data).
    pub driver_data: u64,
    /// The answer, or the way in which the message ended without one.
    pub ending: Ending,
}

impl Ended {
    /// Returns the service's answer, or the error that says why there is none.
    ///
    /// # Errors
    /// As [`Ending::result`].
    #[inline]
    pub fn result(&self) -> Result<&Outcome, &Error> {
        self.ending.result()
    }

    /// Returns the service's answer, or the error that says why there is none.
    ///
    /// # Errors
    /// As [`Ending::result`].
    #[inline]
    pub fn into_result(self) -> Result<Outcome, Error> {
        self.ending.into_result()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kind_of_the_error_is_that_of_the_ending() {
        let endings = [
            (Unanswered::not_sent("a"), ErrorKind::NotSent),
            (Unanswered::unknown("a"), ErrorKind::Unknown),
            (Unanswered::expired("a"), ErrorKind::Expired),
            (Unanswered::cancelled("a"), ErrorKind::Cancelled),
        ];
        for (ending, kind) in endings {
            let cause = Error::new(ErrorKind::ConnectionLost, "b");
            let ending: Ending<u8> = ending.because_of(cause).of();
            assert_eq!(ending.result().map_err(Error::kind), Err(kind));
            let error = ending.into_result().expect_err("there is no answer");
            assert_eq!(
                (error.kind(), error.cause().map(Error::kind)),
                (kind, Some(ErrorKind::ConnectionLost))
            );
        }
        assert!(matches!(Ending::Answered(7).into_result(), Ok(7)));
    }

    #[test]
    fn a_message_in_doubt_does_not_end_as_certainly_not_processed() {
        let doubted = [
            (Unanswered::not_sent("a"), ErrorKind::Unknown),
            (Unanswered::expired("a"), ErrorKind::Unknown),
            (Unanswered::unknown("a"), ErrorKind::Unknown),
            (Unanswered::cancelled("a"), ErrorKind::Cancelled),
        ];
        for (ending, kind) in doubted {
            assert_eq!(ending.in_doubt().into_error().kind(), kind);
        }
    }

    /// A result per message is held until its owner fetches it: the states cost no room of their own.
    #[test]
    fn an_ending_is_no_larger_than_an_outcome_or_an_error() {
        assert_eq!(
            std::mem::size_of::<Ending>(),
            std::mem::size_of::<Result<Outcome, Error>>()
        );
    }
}
