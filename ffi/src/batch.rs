//! Many messages, in the caller's own loop: submit, wait, submit again.

use std::collections::VecDeque;
use std::sync::Arc;

use pushcore::session::Ticket;
use pushcore::webpush::EndpointPolicy;

use crate::client::{Client, timeout};
use crate::error::ErrorObject;
use crate::guard::{Failure, Status, entry, give, value, wanted, write};
use crate::handle::{borrow, borrow_mut, free, handles};
use crate::message::{Message, Template};
use crate::network::{CSendOptions, send_options};
use crate::offers::Offers;
use crate::outcome::{Outcome, millis};
use crate::result::{CResult, Ending, Handed, room};
use crate::view::{Versioned, View, copy, fill};

/// Many messages of one caller. Used by one thread at a time; different batches of one client may be used by different threads.
pub struct Batch {
    batch: pushcore_client::Batch,
    policy: Arc<EndpointPolicy>,
    /// Ended, and not handed over yet.
    ended: VecDeque<Ending>,
    handed: Handed,
    /// How many messages were taken: the number of the next one, where the caller gives none.
    taken: u64,
    /// The tickets of the messages that were taken last; 0 of those that were refused.
    tickets: Vec<u64>,
}

handles! {
    Batch = 18 "pushcore_batch",
}

/// How far a batch is.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct CProgress {
    /// sizeof(pushcore_progress), set by the caller.
    pub struct_size: u32,
    /// Zero: takes the place of padding.
    pub reserved: u32,
    /// Messages taken.
    pub taken: u64,
    /// Taken, and not ended yet.
    pub in_flight: u64,
    /// Ended, in whatever way; those that pushcore_batch_wait has not handed over are among them.
    pub ended: u64,
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
    /// Ended: certainly not processed, cancelled, or expired in the queue.
    pub not_sent: u64,
    /// Ended: written, no answer.
    pub unknown: u64,
    /// Since the batch began, in milliseconds.
    pub elapsed_ms: u64,
}

// SAFETY: repr(C), begins with struct_size, zeroes are a value.
unsafe impl Versioned for CProgress {
    const FIRST: usize = size_of::<Self>();
}

impl CProgress {
    pub(crate) const EMPTY: Self = Self {
        struct_size: 0,
        reserved: 0,
        taken: 0,
        in_flight: 0,
        ended: 0,
        accepted: 0,
        token_gone: 0,
        token_mismatch: 0,
        retry_later: 0,
        fix_credentials: 0,
        rejected: 0,
        not_sent: 0,
        unknown: 0,
        elapsed_ms: 0,
    };

    /// Adds the counts of another batch that runs at the same time.
    pub(crate) fn add(&mut self, other: &Self) {
        self.taken += other.taken;
        self.in_flight += other.in_flight;
        self.ended += other.ended;
        self.accepted += other.accepted;
        self.token_gone += other.token_gone;
        self.token_mismatch += other.token_mismatch;
        self.retry_later += other.retry_later;
        self.fix_credentials += other.fix_credentials;
        self.rejected += other.rejected;
        self.not_sent += other.not_sent;
        self.unknown += other.unknown;
        self.elapsed_ms = self.elapsed_ms.max(other.elapsed_ms);
    }
}

pub(crate) fn progress_of(all: &pushcore_client::Progress) -> CProgress {
    CProgress {
        struct_size: 0,
        reserved: 0,
        taken: all.taken,
        in_flight: all.in_flight,
        ended: all.ended(),
        accepted: all.accepted,
        token_gone: all.token_gone,
        token_mismatch: all.token_mismatch,
        retry_later: all.retry_later,
        fix_credentials: all.fix_credentials,
        rejected: all.rejected,
        not_sent: all.not_sent,
        unknown: all.unknown,
        elapsed_ms: millis(all.elapsed),
    }
}

/// Begins a batch of `expected` messages; 0 where their number is not known. It keeps the client alive; freeing it cancels what has not
/// ended.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pushcore_batch_new(
    client: *const Client,
    expected: usize,
    out: *mut *mut Batch,
    error: *mut *mut ErrorObject,
) -> Status {
    entry!(error, {
        let client = borrow(client, "client")?;
        let policy = client.policy()?;
        let expected = (expected > 0).then_some(expected);
        let batch = pushcore_client::Batch::new(Arc::clone(&client.client), expected)?;
        give(
            out,
            Batch {
                batch,
                policy,
                ended: VecDeque::new(),
                handed: Handed::default(),
                taken: 0,
                tickets: Vec::new(),
            },
        )
    })
}

impl Batch {
    /// Offers what is there, as far as there is room.
    fn submit(&mut self, offers: &Offers<'_>, options: *const CSendOptions) -> Result<usize, Failure> {
        // SAFETY: the entry's promise.
        let options = unsafe { send_options(options) }?;
        self.batch
            .submit(offers.iter(), options, |told| offers.told(told))?;
        self.taken += offers.done() as u64;
        self.tickets = offers.tickets();
        for (ending, is_counted) in offers.refusals() {
            if let (false, Err(error)) = (is_counted, &ending.result) {
                self.batch.refused(error);
            }
            self.ended.push_back(ending);
        }
        Ok(offers.done())
    }
}

/// Submits the message of `template` to `count` targets, one after the other, until there are no more or the queue is full. `targets`
/// are texts that pushcore_target_parse reads. `user_data` holds a number for each message that comes back with its end; where it is
/// NULL, the messages of the batch are counted from 0. `taken` gets how many were taken: after pushcore_batch_wait offer the rest. A
/// target that cannot be sent to is taken, and its end says why. `options` may be NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pushcore_batch_submit(
    batch: *mut Batch,
    template: *const Template,
    targets: *const View,
    user_data: *const u64,
    count: usize,
    options: *const CSendOptions,
    taken: *mut usize,
    error: *mut *mut ErrorObject,
) -> Status {
    entry!(error, {
        wanted(taken, "taken")?;
        let mut batch = borrow_mut(batch, "batch")?;
        let policy = Arc::clone(&batch.policy);
        let offers = Offers::of_targets(template, targets, user_data, count, &policy, batch.taken)?;
        write(taken, batch.submit(&offers, options)?);
        Ok(())
    })
}

/// pushcore_batch_submit for messages that have nothing in common. They may be freed afterwards.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pushcore_batch_submit_messages(
    batch: *mut Batch,
    messages: *const *const Message,
    user_data: *const u64,
    count: usize,
    options: *const CSendOptions,
    taken: *mut usize,
    error: *mut *mut ErrorObject,
) -> Status {
    entry!(error, {
        wanted(taken, "taken")?;
        let mut batch = borrow_mut(batch, "batch")?;
        let offers = Offers::of_messages(messages, user_data, count, batch.taken)?;
        write(taken, batch.submit(&offers, options)?);
        Ok(())
    })
}

/// Moves bytes until something has ended or `timeout_ms` is over (a signal may end the wait early), and hands over at most `capacity`
/// ends. With nothing under way it returns at once, with `count` 0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pushcore_batch_wait(
    batch: *mut Batch,
    timeout_ms: u64,
    results: *mut CResult,
    capacity: usize,
    count: *mut usize,
    error: *mut *mut ErrorObject,
) -> Status {
    entry!(error, {
        wanted(count, "count")?;
        room(results, capacity)?;
        let mut batch = borrow_mut(batch, "batch")?;
        let batch = &mut *batch;
        if batch.ended.is_empty() && batch.batch.progress().in_flight > 0 {
            let ended = batch.batch.wait(timeout(timeout_ms))?;
            batch.ended.extend(ended.map(Ending::from));
        }
        let handed = batch.handed.over(&mut batch.ended, results, capacity);
        write(count, handed);
        Ok(())
    })
}

/// Gives the outcome of a message that the last pushcore_batch_wait handed over, by its position there. When the message had no answer,
/// the failure is the message's own error.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pushcore_batch_outcome(
    batch: *mut Batch,
    index: usize,
    out: *mut *mut Outcome,
    error: *mut *mut ErrorObject,
) -> Status {
    entry!(error, {
        wanted(out, "the output")?;
        borrow_mut(batch, "batch")?.handed.give_outcome(index, out)
    })
}

/// Gives the error of a message without an answer that the last pushcore_batch_wait handed over, by its position there.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pushcore_batch_error(
    batch: *mut Batch,
    index: usize,
    out: *mut *mut ErrorObject,
    error: *mut *mut ErrorObject,
) -> Status {
    entry!(error, {
        wanted(out, "the output")?;
        borrow_mut(batch, "batch")?.handed.give_error(index, out)
    })
}

/// Writes the tickets of the messages that the last pushcore_batch_submit or pushcore_batch_submit_messages took, in their order, for
/// pushcore_batch_cancel: at most `capacity`, and `count` gets how many there are. The ticket of a message that was refused is 0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pushcore_batch_tickets(
    batch: *mut Batch,
    tickets: *mut u64,
    capacity: usize,
    count: *mut usize,
    error: *mut *mut ErrorObject,
) -> Status {
    entry!(error, {
        wanted(count, "count")?;
        let batch = borrow_mut(batch, "batch")?;
        copy(&batch.tickets, tickets, capacity, "tickets")?;
        write(count, batch.tickets.len());
        Ok(())
    })
}

/// Cancels one message by its ticket. Its end, PUSHCORE_ERROR_CANCELLED, comes like any other. `cancelled` gets false when it has ended
/// already; it may be NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pushcore_batch_cancel(
    batch: *mut Batch,
    ticket: u64,
    cancelled: *mut bool,
    error: *mut *mut ErrorObject,
) -> Status {
    entry!(error, {
        let is_cancelled = borrow_mut(batch, "batch")?.batch.cancel(Ticket::from_u64(ticket));
        write(cancelled, is_cancelled);
        Ok(())
    })
}

/// Cancels every message of which the service cannot have seen a byte; the others go on to their own ends. `count` gets how many, and
/// may be NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pushcore_batch_withdraw(
    batch: *mut Batch,
    count: *mut usize,
    error: *mut *mut ErrorObject,
) -> Status {
    entry!(error, {
        let withdrawn = borrow_mut(batch, "batch")?.batch.withdraw();
        write(count, withdrawn);
        Ok(())
    })
}

/// Says that no message follows: doubtful answers are held back no longer than for those that are under way.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pushcore_batch_finish(batch: *mut Batch, error: *mut *mut ErrorObject) -> Status {
    entry!(error, {
        borrow_mut(batch, "batch")?.batch.finish();
        Ok(())
    })
}

/// Tells whether the batch takes no further message, because many answers blame the tokens and PUSHCORE_SEND_STOP_ON_SUSPICION is set.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pushcore_batch_is_stopped(
    batch: *mut Batch,
    stopped: *mut bool,
    error: *mut *mut ErrorObject,
) -> Status {
    entry!(error, {
        wanted(stopped, "stopped")?;
        write(stopped, borrow_mut(batch, "batch")?.batch.is_stopped());
        Ok(())
    })
}

/// Counts how far the batch is, up to `struct_size`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pushcore_batch_progress(
    batch: *mut Batch,
    progress: *mut CProgress,
    error: *mut *mut ErrorObject,
) -> Status {
    entry!(error, {
        let mut batch = borrow_mut(batch, "batch")?;
        let made = progress_of(batch.batch.progress());
        fill(progress, &made, "progress")
    })
}

/// Cancels what has not ended, and gives the batch back.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pushcore_batch_free(batch: *mut Batch) {
    value!((), { free(batch) });
}
