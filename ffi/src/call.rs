//! Requests that are not messages, and what their answers mean.

use pushcore::fcm::topics::BatchResult;
use pushcore::service::{AnyCall, Call as _, CallAnswer};
use pushcore::{Error, ErrorKind};

use crate::error::ErrorObject;
use crate::guard::{Status, entry, give, value, wanted, write};
use crate::handle::{borrow, free, handles};
use crate::http::{Request, Response};
use crate::outcome::Outcome;
use crate::service::Service;
use crate::view::{CNow, View};

/// A request to a service that is not a message: channels, topics, groups, reports, withdrawals. Immutable; may be shared between threads.
pub struct Call {
    pub(crate) call: AnyCall,
}

/// The meaning of the answer to a call. Immutable; may be shared between threads.
pub struct Answer {
    answer: CallAnswer,
    /// The text of the answer: a JSON document is written once.
    text: String,
}

handles! {
    Call = 14 "pushcore_call",
    Answer = 15 "pushcore_answer",
}

/// A text: the id of a channel, its policy, a receipt.
pub const PUSHCORE_ANSWER_TEXT: u32 = 1;
/// Texts: the ids of channels.
pub const PUSHCORE_ANSWER_TEXTS: u32 = 2;
/// A group: pushcore_answer_succeeded counts the members that it worked for, the items are the registration ids of the others.
pub const PUSHCORE_ANSWER_GROUP: u32 = 3;
/// JSON in the service's own words (Baidu): the text.
pub const PUSHCORE_ANSWER_JSON: u32 = 4;
/// A page of subscriptions: the items are topics, the text is the token of the next page.
pub const PUSHCORE_ANSWER_PAGE: u32 = 5;
/// A result for each token, in their order: the items are the service's words, and their kinds are PUSHCORE_OUTCOME_ constants.
pub const PUSHCORE_ANSWER_BATCH: u32 = 6;
/// An outcome: done without more to say, or refused.
pub const PUSHCORE_ANSWER_OUTCOME: u32 = 7;

impl Answer {
    pub(crate) fn new(answer: CallAnswer) -> Self {
        let text = match &answer {
            CallAnswer::Text(text) => text.clone(),
            CallAnswer::Json(value) => value.to_string(),
            CallAnswer::Page(page) => page.next_page_token.clone().unwrap_or_default(),
            _ => String::new(),
        };
        Self { answer, text }
    }

    fn item(&self, index: usize) -> Option<(&str, u32)> {
        use crate::kinds::{
            PUSHCORE_OUTCOME_ACCEPTED, PUSHCORE_OUTCOME_REJECTED, PUSHCORE_OUTCOME_RETRY_LATER,
            PUSHCORE_OUTCOME_TOKEN_GONE,
        };
        match &self.answer {
            CallAnswer::Texts(texts) | CallAnswer::Group { failed: texts, .. } => {
                texts.get(index).map(|text| (text.as_str(), 0))
            }
            CallAnswer::Page(page) => page.subscriptions.get(index).map(|one| (one.topic.as_str(), 0)),
            CallAnswer::Batch(results) => results.get(index).map(|result| match result {
                BatchResult::Done => ("", PUSHCORE_OUTCOME_ACCEPTED),
                BatchResult::TokenGone => ("", PUSHCORE_OUTCOME_TOKEN_GONE),
                BatchResult::RetryLater(word) => (word.as_str(), PUSHCORE_OUTCOME_RETRY_LATER),
                BatchResult::Rejected(word) => (word.as_str(), PUSHCORE_OUTCOME_REJECTED),
                // A result of tomorrow: what is not known to be done is not done.
                _ => ("", PUSHCORE_OUTCOME_REJECTED),
            }),
            _ => None,
        }
    }
}

/// Returns the name of the call's kind, for logs; empty for NULL. The text is static.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pushcore_call_name(call: *const Call) -> View {
    value!(View::EMPTY, {
        View::of(borrow(call, "call")?.call.name().as_bytes())
    })
}

/// The request that makes the call, for any HTTP client. PUSHCORE_ERROR_TOKEN_NEEDED when an access token has to be fetched first.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pushcore_call_request(
    call: *const Call,
    service: *const Service,
    now: CNow,
    out: *mut *mut Request,
    error: *mut *mut ErrorObject,
) -> Status {
    entry!(error, {
        let (call, service) = (borrow(call, "call")?, borrow(service, "service")?);
        let request = call.call.request(&service.service, now.into())?;
        give(out, Request::new(request))
    })
}

/// Reads the answer to the call. A refusal is an answer.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pushcore_call_read(
    call: *const Call,
    response: *const Response,
    now: CNow,
    out: *mut *mut Answer,
    error: *mut *mut ErrorObject,
) -> Status {
    entry!(error, {
        let (call, response) = (borrow(call, "call")?, borrow(response, "response")?);
        let answer = call.call.read(&response.response, now.into());
        give(out, Answer::new(answer))
    })
}

/// Gives the call back.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pushcore_call_free(call: *mut Call) {
    value!((), { free(call) });
}

/// Returns the PUSHCORE_ANSWER_ constant; 0 for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pushcore_answer_kind(answer: *const Answer) -> u32 {
    value!(0, {
        match &borrow(answer, "answer")?.answer {
            CallAnswer::Text(_) => PUSHCORE_ANSWER_TEXT,
            CallAnswer::Texts(_) => PUSHCORE_ANSWER_TEXTS,
            CallAnswer::Group { .. } => PUSHCORE_ANSWER_GROUP,
            CallAnswer::Json(_) => PUSHCORE_ANSWER_JSON,
            CallAnswer::Page(_) => PUSHCORE_ANSWER_PAGE,
            CallAnswer::Batch(_) => PUSHCORE_ANSWER_BATCH,
            CallAnswer::Outcome(_) => PUSHCORE_ANSWER_OUTCOME,
        }
    })
}

/// Returns the text of the answer, as PUSHCORE_ANSWER_ constants say; empty where it has none.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pushcore_answer_text(answer: *const Answer) -> View {
    value!(View::EMPTY, {
        View::of(borrow(answer, "answer")?.lasting().text.as_bytes())
    })
}

/// Returns the number of members that a group call worked for; 0 for other answers.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pushcore_answer_succeeded(answer: *const Answer) -> u64 {
    value!(0, {
        match &borrow(answer, "answer")?.answer {
            CallAnswer::Group { succeeded, .. } => *succeeded,
            _ => 0,
        }
    })
}

/// Returns the number of items; 0 where the answer has none.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pushcore_answer_item_count(answer: *const Answer) -> usize {
    value!(0, {
        match &borrow(answer, "answer")?.answer {
            CallAnswer::Texts(texts) | CallAnswer::Group { failed: texts, .. } => texts.len(),
            CallAnswer::Page(page) => page.subscriptions.len(),
            CallAnswer::Batch(results) => results.len(),
            _ => 0,
        }
    })
}

/// An item by its position: its text, and for PUSHCORE_ANSWER_BATCH its PUSHCORE_OUTCOME_ constant. PUSHCORE_ERROR_MISUSE when there is
/// none at `index`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pushcore_answer_item_at(
    answer: *const Answer,
    index: usize,
    text: *mut View,
    outcome: *mut u32,
) -> Status {
    entry!(std::ptr::null_mut(), {
        let answer = borrow(answer, "answer")?;
        let (word, kind) = answer
            .lasting()
            .item(index)
            .ok_or_else(|| Error::new(ErrorKind::Misuse, "there is no item at this index"))?;
        write(text, View::of(word.as_bytes()));
        write(outcome, kind);
        Ok(())
    })
}

/// Gives the outcome of an answer that is one. PUSHCORE_ERROR_MISUSE for other answers.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pushcore_answer_outcome(
    answer: *const Answer,
    out: *mut *mut Outcome,
    error: *mut *mut ErrorObject,
) -> Status {
    entry!(error, {
        wanted(out, "the output")?;
        match &borrow(answer, "answer")?.answer {
            CallAnswer::Outcome(outcome) => give(
                out,
                Outcome {
                    outcome: outcome.clone(),
                },
            ),
            _ => Err(Error::new(ErrorKind::Misuse, "this answer is no outcome").into()),
        }
    })
}

/// Gives the answer back.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pushcore_answer_free(answer: *mut Answer) {
    value!((), { free(answer) });
}
