//! What happened beside outcomes: for logs and metrics. And counts.

use pushcore::net::h2::HeaderBytes;
use pushcore::session::{EventParts, Stats};

use crate::error::ErrorObject;
use crate::guard::{Failure, Status, entry, value};
use crate::handle::{borrow, free, handles};
use crate::outcome::millis;
use crate::view::{Versioned, View, fill};

/// Something worth a line in a log or a tick of a counter. Immutable; may be shared between threads.
pub struct Event {
    parts: EventParts,
}

handles! {
    Event = 16 "pushcore_event",
}

impl Event {
    pub(crate) fn new(parts: EventParts) -> Self {
        Self { parts }
    }
}

/// `link` is there.
pub const PUSHCORE_EVENT_HAS_LINK: u32 = 1;
/// `code` is there.
pub const PUSHCORE_EVENT_HAS_CODE: u32 = 2;
/// `after_ms` is there.
pub const PUSHCORE_EVENT_HAS_AFTER: u32 = 4;

/// Everything that an event says.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct CEventParts {
    /// sizeof(pushcore_event_parts), set by the caller.
    pub struct_size: u32,
    /// PUSHCORE_EVENT_HAS_ bits.
    pub flags: u32,
    /// The event's name in every language, e.g. "go_away". The text is static.
    pub name: View,
    /// The event in words.
    pub text: View,
    /// The connection that the event is about.
    pub link: u64,
    /// How long something has to wait, or how far a clock is off, in milliseconds.
    pub after_ms: u64,
    /// The number of an error kind, the error code of a GOAWAY, or the number of streams.
    pub code: u32,
    /// Zero: takes the place of padding.
    pub reserved: u32,
}

// SAFETY: repr(C), begins with struct_size, zeroes are a value.
unsafe impl Versioned for CEventParts {
    const FIRST: usize = size_of::<Self>();
}

/// Fills in everything that the event says, up to `struct_size`. The views live as long as the event.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pushcore_event_parts_of(
    event: *const Event,
    parts: *mut CEventParts,
    error: *mut *mut ErrorObject,
) -> Status {
    entry!(error, {
        let event = borrow(event, "event")?;
        let all = &event.lasting().parts;
        let flag = |is: bool, bit: u32| if is { bit } else { 0 };
        let made = CEventParts {
            struct_size: 0,
            flags: flag(all.link.is_some(), PUSHCORE_EVENT_HAS_LINK)
                | flag(all.code.is_some(), PUSHCORE_EVENT_HAS_CODE)
                | flag(all.after.is_some(), PUSHCORE_EVENT_HAS_AFTER),
            name: View::of(all.name.as_bytes()),
            text: View::of(all.text.as_bytes()),
            link: all.link.map_or(0, |link| link.to_u64()),
            after_ms: all.after.map_or(0, millis),
            code: all.code.unwrap_or_default(),
            reserved: 0,
        };
        fill(parts, &made, "parts")
    })
}

/// Gives the event back.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pushcore_event_free(event: *mut Event) {
    value!((), { free(event) });
}

/// How many messages are where. `submitted` is the sum of `queued`, `open`, `held` and everything that has ended.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct CStats {
    /// sizeof(pushcore_stats), set by the caller.
    pub struct_size: u32,
    /// Zero: takes the place of padding.
    pub reserved: u32,
    /// Messages taken.
    pub submitted: u64,
    /// Waiting for a stream.
    pub queued: u64,
    /// On a stream, no answer yet.
    pub open: u64,
    /// Answered by a doubtful refusal that waits for other answers.
    pub held: u64,
    /// Ended: taken by the service.
    pub accepted: u64,
    /// Ended: the token is dead.
    pub token_gone: u64,
    /// Ended: the token is blamed, and may be good.
    pub token_mismatch: u64,
    /// Ended: not now.
    pub retry_later: u64,
    /// Ended: the credentials are at fault.
    pub fix_credentials: u64,
    /// Ended: can never be accepted.
    pub rejected: u64,
    /// Ended: a call that was answered, whatever the answer.
    pub answered: u64,
    /// Ended: certainly not processed.
    pub not_sent: u64,
    /// Ended: written, no answer.
    pub unknown: u64,
    /// Ended: the deadline passed before it was written.
    pub expired: u64,
    /// Ended: cancelled by the caller.
    pub cancelled: u64,
    /// Times a message went back to the queue.
    pub requeued: u64,
    /// The bytes of header blocks that were sent (HTTP/2).
    pub header_bytes_sent: u64,
    /// The bytes of header blocks that were received (HTTP/2).
    pub header_bytes_received: u64,
}

// SAFETY: repr(C), begins with struct_size, zeroes are a value.
unsafe impl Versioned for CStats {
    const FIRST: usize = size_of::<Self>();
}

/// # Safety
/// `out` is null or writable for its `struct_size`.
pub(crate) unsafe fn give_stats(stats: Stats, bytes: HeaderBytes, out: *mut CStats) -> Result<(), Failure> {
    let made = CStats {
        struct_size: 0,
        reserved: 0,
        submitted: stats.submitted,
        queued: stats.queued,
        open: stats.open,
        held: stats.held,
        accepted: stats.accepted,
        token_gone: stats.token_gone,
        token_mismatch: stats.token_mismatch,
        retry_later: stats.retry_later,
        fix_credentials: stats.fix_credentials,
        rejected: stats.rejected,
        answered: stats.exchanges_answered,
        not_sent: stats.not_sent,
        unknown: stats.unknown,
        expired: stats.expired,
        cancelled: stats.cancelled,
        requeued: stats.requeued,
        header_bytes_sent: bytes.sent,
        header_bytes_received: bytes.received,
    };
    // SAFETY: the caller's promise.
    unsafe { fill(out, &made, "stats") }
}
