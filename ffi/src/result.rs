//! The end of a message as a plain struct, and the outcomes and errors behind the last ones.

use pushcore::session::Ended;
use pushcore::{Error, ErrorKind, Outcome as Answer, UnixTime};

use crate::error::ErrorObject;
use crate::guard::{Failure, OK, Status, give};
use crate::kinds::{outcome_number, scope_number, suspects_number};
use crate::outcome::{Outcome, flags, millis};

/// The end of one message. Texts and bodies come through a handle, when they are asked for.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct CResult {
    /// The number that the caller gave the message.
    pub user_data: u64,
    /// The ticket; 0 where the message was refused before it got one, and UINT64_MAX for pushcore_client_send.
    pub ticket: u64,
    /// PUSHCORE_OK when the service answered, and otherwise the number of the error kind: PUSHCORE_ERROR_NOT_SENT and so on.
    pub status: Status,
    /// A PUSHCORE_OUTCOME_ constant; 0 without an answer.
    pub outcome: u32,
    /// The HTTP status; 0 without an answer.
    pub http_status: u32,
    /// A PUSHCORE_SCOPE_ constant: what has to wait; 0 where nothing has to.
    pub scope: u32,
    /// PUSHCORE_HAS_ and other flags of outcomes.
    pub flags: u32,
    /// PUSHCORE_SUSPECT_ bits.
    pub suspects: u32,
    /// Since when the token is dead, in milliseconds since 1970.
    pub since_ms: u64,
    /// How long to wait at least, in milliseconds.
    pub after_ms: u64,
    /// Zero: room for what comes.
    pub reserved: [u64; 2],
}

/// A message that has ended.
pub(crate) struct Ending {
    pub(crate) user_data: u64,
    pub(crate) ticket: u64,
    pub(crate) result: Result<Answer, Error>,
}

impl From<Ended> for Ending {
    fn from(ended: Ended) -> Self {
        Self {
            user_data: ended.user_data,
            ticket: ended.ticket.to_u64(),
            result: ended.into_result(),
        }
    }
}

impl Ending {
    pub(crate) fn plain(&self) -> CResult {
        let empty = CResult {
            user_data: self.user_data,
            ticket: self.ticket,
            status: OK,
            outcome: 0,
            http_status: 0,
            scope: 0,
            flags: 0,
            suspects: 0,
            since_ms: 0,
            after_ms: 0,
            reserved: [0; 2],
        };
        match &self.result {
            // By far the most frequent case.
            Ok(outcome @ Answer::Accepted(accepted)) if accepted.replacement().is_none() => {
                let parts = outcome.parts();
                CResult {
                    outcome: outcome_number(outcome),
                    http_status: u32::from(parts.status),
                    flags: flags(&parts),
                    ..empty
                }
            }
            Ok(outcome) => {
                let parts = outcome.parts();
                CResult {
                    outcome: outcome_number(outcome),
                    http_status: u32::from(parts.status),
                    scope: scope_number(parts.scope),
                    flags: flags(&parts),
                    suspects: suspects_number(parts.suspects),
                    since_ms: parts.since.map_or(0, UnixTime::as_millis),
                    after_ms: parts.after.map_or(0, millis),
                    ..empty
                }
            }
            Err(error) => CResult {
                status: Status::from(error.kind().code()),
                ..empty
            },
        }
    }
}

/// The messages that were handed over last: their outcomes and errors can be asked for until the next ones are.
#[derive(Default)]
pub(crate) struct Handed {
    last: Vec<Ending>,
}

impl Handed {
    /// Hands over as many of `endings` as there is room for.
    ///
    /// # Safety
    /// `results` has room for `capacity`.
    pub(crate) unsafe fn over(
        &mut self,
        endings: &mut std::collections::VecDeque<Ending>,
        results: *mut CResult,
        capacity: usize,
    ) -> usize {
        self.last.clear();
        let count = capacity.min(endings.len());
        for (index, ending) in endings.drain(..count).enumerate() {
            // SAFETY: `index` is below `capacity`.
            unsafe { results.add(index).write(ending.plain()) };
            self.last.push(ending);
        }
        count
    }

    fn at(&self, index: usize) -> Result<&Ending, Failure> {
        self.last.get(index).ok_or_else(|| {
            Error::new(
                ErrorKind::Misuse,
                "there is no result at this index among those of the last call",
            )
            .into()
        })
    }

    /// # Safety
    /// `out` is null or writable.
    pub(crate) unsafe fn give_outcome(&self, index: usize, out: *mut *mut Outcome) -> Result<(), Failure> {
        match &self.at(index)?.result {
            Ok(outcome) => {
                let outcome = outcome.clone();
                // SAFETY: the caller's promise.
                unsafe { give(out, Outcome { outcome }) }
            }
            Err(error) => Err(error.clone().into()),
        }
    }

    /// # Safety
    /// `out` is null or writable.
    pub(crate) unsafe fn give_error(&self, index: usize, out: *mut *mut ErrorObject) -> Result<(), Failure> {
        match &self.at(index)?.result {
            // SAFETY: the caller's promise.
            Err(error) => unsafe { give(out, ErrorObject::new(error.clone().into())) },
            Ok(_) => {
                Err(Error::new(ErrorKind::Misuse, "this message was answered: it has an outcome").into())
            }
        }
    }
}

/// Checks an array that results go to.
pub(crate) fn room(results: *mut CResult, capacity: usize) -> Result<(), Failure> {
    if capacity == 0 {
        return Ok(());
    }
    crate::guard::wanted(results, "results")?;
    let fits = capacity
        .checked_mul(size_of::<CResult>())
        .is_some_and(|bytes| isize::try_from(bytes).is_ok());
    match fits && results.is_aligned() {
        true => Ok(()),
        false => Err(Failure::new(
            crate::guard::INVALID_LENGTH,
            "the capacity of results is impossible",
        )),
    }
}
