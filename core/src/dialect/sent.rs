//! What became of a push.

use serde::{Deserialize, Serialize};

use crate::error::{Error, ErrorKind};
use crate::outcome::{Outcome, OutcomeKind};

/// The largest part of a service's answer that a job keeps, in bytes: refusals are shorter, and a thousand of them stand in
/// one job.
const LONGEST_BODY: usize = 4096;

/// What became of one push, in the form that a job keeps and a store may hold.
#[derive(Clone, Debug, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct Sent {
    /// The outcome's name (`accepted`, `token_gone`, ...); `error` where there is no answer of the service, `scheduled` where
    /// the message is sent later.
    pub outcome: String,
    /// The HTTP status; 0 where there was none.
    pub status: u16,
    /// The service's own word; `None` where the service named no reason.
    pub reason: Option<String>,
    /// The service's answer, cut at 4096 bytes.
    pub body: String,
    /// The service's id of the message; `None` where the service gave none.
    pub id: Option<String>,
    /// The token to store in place of the one used; `None` where the service named none.
    pub replacement: Option<String>,
    /// The number of the error kind; `None` where the service answered.
    pub error: Option<u16>,
    /// The error in words; `None` where the service answered.
    pub text: Option<String>,
}

impl Sent {
    /// The form of a result.
    pub fn of(result: Result<&Outcome, &Error>) -> Self {
        match result {
            Ok(outcome) => {
                let parts = outcome.parts();
                let body = parts.body.get(..LONGEST_BODY).unwrap_or(parts.body);
                Self {
                    outcome: parts.kind.name().to_owned(),
                    status: parts.status,
                    reason: parts.reason.map(str::to_owned),
                    body: String::from_utf8_lossy(body).into_owned(),
                    id: parts.id.map(str::to_owned),
                    replacement: parts.replacement.map(str::to_owned),
                    error: None,
                    text: None,
                }
            }
            Err(error) => Self {
                outcome: "error".to_owned(),
                error: Some(error.kind().code()),
                text: Some(error.context().to_owned()),
                ..Self::default()
            },
        }
    }

    /// Returns whether the message was written down for later: the answer to a [`Send`](super::Send) with a time.
    pub fn is_scheduled(&self) -> bool {
        self.outcome == "scheduled"
    }

    /// Returns the arm of the outcome; `None` where there is no answer of the service.
    pub fn kind(&self) -> Option<OutcomeKind> {
        OutcomeKind::from_name(&self.outcome)
    }

    /// Returns the kind of the error; `None` where the service answered, or where this version does not know the number.
    pub fn error_kind(&self) -> Option<ErrorKind> {
        let code = self.error?;
        ErrorKind::ALL.iter().copied().find(|kind| kind.code() == code)
    }
}
