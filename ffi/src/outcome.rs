//! The meaning of an answer.

use std::time::Duration;

use pushcore::UnixTime;
use pushcore::outcome::{Outcome as Answer, OutcomeParts};

use crate::bytes::Bytes;
use crate::error::ErrorObject;
use crate::guard::{Status, entry, give, value};
use crate::handle::{borrow, free, handles};
use crate::kinds::{outcome_number, scope_number, suspects_number};
use crate::view::{Versioned, View, fill};

/// The meaning of an answer. Immutable; may be shared between threads.
pub struct Outcome {
    pub(crate) outcome: Answer,
}

handles! {
    Outcome = 8 "pushcore_outcome",
}

/// `since_ms` is there.
pub const PUSHCORE_HAS_SINCE: u32 = 1;
/// `after_ms` is there.
pub const PUSHCORE_HAS_AFTER: u32 = 2;
/// `ttl_ms` is there.
pub const PUSHCORE_HAS_TTL: u32 = 4;
/// `clock_skew_s` is there: set this machine's clock.
pub const PUSHCORE_HAS_CLOCK_SKEW: u32 = 8;
/// The service's reason is one that this version knows.
pub const PUSHCORE_REASON_IS_KNOWN: u32 = 16;
/// A new access or provider token made from the same key may help.
pub const PUSHCORE_REFRESHABLE: u32 = 32;
/// The connection is spoiled: use another one.
pub const PUSHCORE_RECONNECT: u32 = 64;
/// There is a replacement token: store it.
pub const PUSHCORE_HAS_REPLACEMENT: u32 = 128;

/// Everything that an outcome says. A field that its kind does not have is 0 or empty.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct COutcomeParts {
    /// sizeof(pushcore_outcome_parts), set by the caller.
    pub struct_size: u32,
    /// A PUSHCORE_OUTCOME_ constant.
    pub kind: u32,
    /// The HTTP status; 0 where there was none.
    pub http_status: u32,
    /// PUSHCORE_HAS_ and other flags.
    pub flags: u32,
    /// A PUSHCORE_SCOPE_ constant: what has to wait; 0 where nothing has to.
    pub scope: u32,
    /// PUSHCORE_SUSPECT_ bits.
    pub suspects: u32,
    /// Since when the token is dead, in milliseconds since 1970.
    pub since_ms: u64,
    /// How long to wait at least, in milliseconds.
    pub after_ms: u64,
    /// For how long the service keeps the message, in milliseconds.
    pub ttl_ms: u64,
    /// How far the service's clock is ahead of ours, in seconds.
    pub clock_skew_s: i64,
    /// The service's own word.
    pub reason: View,
    /// The body as received.
    pub body: View,
    /// The service's id of the message.
    pub id: View,
    /// Apple's id in the development environment, for its Console.
    pub unique_id: View,
    /// The token that takes the place of the one that was sent to.
    pub replacement: View,
    /// The URL by which the message can be taken back (Web Push).
    pub location: View,
    /// The URL that receipts come from (Web Push).
    pub receipt: View,
}

// SAFETY: repr(C), begins with struct_size, zeroes are a value.
unsafe impl Versioned for COutcomeParts {
    const FIRST: usize = size_of::<Self>();
}

/// Milliseconds, as far as they go.
pub(crate) fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

/// The numbers and flags of an outcome.
pub(crate) fn flags(parts: &OutcomeParts<'_>) -> u32 {
    [
        (parts.since.is_some(), PUSHCORE_HAS_SINCE),
        (parts.after.is_some(), PUSHCORE_HAS_AFTER),
        (parts.ttl.is_some(), PUSHCORE_HAS_TTL),
        (parts.clock_skew.is_some(), PUSHCORE_HAS_CLOCK_SKEW),
        (parts.reason_is_known, PUSHCORE_REASON_IS_KNOWN),
        (parts.refreshable, PUSHCORE_REFRESHABLE),
        (parts.reconnect, PUSHCORE_RECONNECT),
        (parts.replacement.is_some(), PUSHCORE_HAS_REPLACEMENT),
    ]
    .into_iter()
    .fold(0, |flags, (is, flag)| if is { flags | flag } else { flags })
}

/// Returns the PUSHCORE_OUTCOME_ constant; 0 for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pushcore_outcome_kind(outcome: *const Outcome) -> u32 {
    value!(0, { outcome_number(&borrow(outcome, "outcome")?.outcome) })
}

/// Returns the action to take, in a few words for a person; empty for NULL. The text is static.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pushcore_outcome_advice(outcome: *const Outcome) -> View {
    value!(View::EMPTY, {
        View::of(borrow(outcome, "outcome")?.outcome.advice().as_bytes())
    })
}

/// Fills in everything that the outcome says, up to `struct_size`. The views live as long as the outcome.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pushcore_outcome_parts_of(
    outcome: *const Outcome,
    parts: *mut COutcomeParts,
    error: *mut *mut ErrorObject,
) -> Status {
    entry!(error, {
        let outcome = borrow(outcome, "outcome")?;
        let all = outcome.lasting().outcome.parts();
        let made = COutcomeParts {
            struct_size: 0,
            kind: outcome_number(&outcome.outcome),
            http_status: u32::from(all.status),
            flags: flags(&all),
            scope: scope_number(all.scope),
            suspects: suspects_number(all.suspects),
            since_ms: all.since.map_or(0, UnixTime::as_millis),
            after_ms: all.after.map_or(0, millis),
            ttl_ms: all.ttl.map_or(0, millis),
            clock_skew_s: all.clock_skew.unwrap_or_default(),
            reason: View::of_text(all.reason),
            body: View::of(all.body),
            id: View::of_text(all.id),
            unique_id: View::of_text(all.unique_id),
            replacement: View::of_text(all.replacement),
            location: View::of_text(all.location),
            receipt: View::of_text(all.receipt),
        };
        fill(parts, &made, "parts")
    })
}

/// Writes the service's own explanation in its body, where it has one beside the reason; empty where it has none.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pushcore_outcome_detail(
    outcome: *const Outcome,
    out: *mut *mut Bytes,
    error: *mut *mut ErrorObject,
) -> Status {
    entry!(error, {
        let detail = borrow(outcome, "outcome")?.outcome.detail();
        give(out, Bytes::new(detail.unwrap_or_default()))
    })
}

/// Returns whether the answer, if it says that a token is gone, is about a token that was registered at `registered_ms`: false when the
/// device registered again since.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pushcore_outcome_applies_to(outcome: *const Outcome, registered_ms: u64) -> bool {
    value!(false, {
        match &borrow(outcome, "outcome")?.outcome {
            Answer::TokenGone(gone) => gone.applies_to(UnixTime::from_millis(registered_ms)),
            _ => false,
        }
    })
}

/// Gives the outcome back.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pushcore_outcome_free(outcome: *mut Outcome) {
    value!((), { free(outcome) });
}
