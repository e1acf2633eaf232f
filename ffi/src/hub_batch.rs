//! One notification to many devices in the caller's own loop: submit, wait, submit again.

use std::collections::VecDeque;
use std::sync::Arc;

use pushcore_client::hub::{AsDevice, Batch, Delivery};

use crate::batch::{CProgress, progress_of};
use crate::client::timeout;
use crate::error::ErrorObject;
use crate::guard::{Status, entry, give, value, wanted, write};
use crate::handle::{borrow, borrow_mut, free, handles};
use crate::hub::{End, Hub};
use crate::network::{CSendOptions, send_options};
use crate::notification::{Device, Feedback, Notification};
use crate::outcome::Outcome;
use crate::result::CResult;
use crate::view::{array, fill, room};

/// One notification to many devices of a hub. Used by one thread at a time; different batches of one hub may be used by different threads.
pub struct HubBatch {
    batch: Batch<Item>,
    /// Ended, and not handed over yet.
    ended: VecDeque<Delivery<Item>>,
    /// Handed over last: their outcomes and feedback can be asked for until the next ones are.
    last: Vec<End>,
    /// The number of devices that were taken: the number of the next one, where the caller gives none.
    taken: u64,
}

handles! {
    HubBatch = 41 "pushcore_hub_batch",
}

/// The end of one notification to one device of a batch. Its size never changes.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct HubResult {
    /// The result of the last attempt; `user_data` is the caller's number of the device.
    pub result: CResult,
    /// A PUSHCORE_FEEDBACK_ constant: what to do with the device.
    pub feedback: u32,
    /// How often the message was tried.
    pub attempts: u32,
    /// Zero: room for what comes.
    pub reserved: [u64; 2],
}

/// A device with the caller's number.
struct Item {
    device: pushcore::notification::Device,
    user_data: u64,
}

impl AsDevice for Item {
    fn as_device(&self) -> &pushcore::notification::Device {
        &self.device
    }
}

/// Begins to send a notification in steps. The hub stays alive as long as the batch; freeing the batch cancels what has not ended.
/// `options` may be NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pushcore_hub_batch_new(
    hub: *const Hub,
    notification: *const Notification,
    options: *const CSendOptions,
    out: *mut *mut HubBatch,
    error: *mut *mut ErrorObject,
) -> Status {
    entry!(error, {
        wanted(out, "the output")?;
        let (hub, notification) = (borrow(hub, "hub")?, borrow(notification, "notification")?);
        let options = send_options(options)?;
        let batch = Batch::of_notification(Arc::clone(&hub.hub), notification.notification.clone());
        give(
            out,
            HubBatch {
                batch: batch.options(options),
                ended: VecDeque::new(),
                last: Vec::new(),
                taken: 0,
            },
        )
    })
}

/// Submits devices, one after the other, until there are no more or a service has no room. `user_data` holds a number for each device that
/// comes back with its end; where it is NULL, the devices of the batch are counted from 0. `taken` gets how many were taken: after
/// pushcore_hub_batch_wait offer the rest. A device that nothing can be sent to is taken, and its end says why. The handles may be freed
/// afterwards.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pushcore_hub_batch_submit(
    batch: *mut HubBatch,
    devices: *const *const Device,
    user_data: *const u64,
    count: usize,
    taken: *mut usize,
    error: *mut *mut ErrorObject,
) -> Status {
    entry!(error, {
        wanted(taken, "taken")?;
        let mut batch = borrow_mut(batch, "batch")?;
        let devices = array(devices, count, "devices")?;
        let numbers = match user_data.is_null() {
            true => None,
            false => Some(array(user_data, count, "user_data")?),
        };
        if !batch.batch.is_open() {
            let context =
                "the batch takes no more devices: it is finished or cancelled, or its hub is closed";
            return Err(pushcore::Error::new(pushcore::ErrorKind::Closed, context).into());
        }
        // A handle that is none is told before anything is taken.
        for device in devices {
            borrow(*device, "device")?;
        }
        let mut done = 0;
        for (index, device) in devices.iter().enumerate() {
            let given = numbers.map(|numbers| numbers.get(index).copied().unwrap_or_default());
            let item = Item {
                device: borrow(*device, "device")?.device.clone(),
                user_data: given.unwrap_or(batch.taken),
            };
            if batch.batch.offer(item).is_err() {
                break;
            }
            batch.taken += 1;
            done += 1;
        }
        write(taken, done);
        Ok(())
    })
}

/// Moves bytes until something has ended or `timeout_ms` is over, and hands over at most `capacity` ends. With nothing under way it returns
/// at once, with `count` 0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pushcore_hub_batch_wait(
    batch: *mut HubBatch,
    timeout_ms: u64,
    results: *mut HubResult,
    capacity: usize,
    count: *mut usize,
    error: *mut *mut ErrorObject,
) -> Status {
    entry!(error, {
        wanted(count, "count")?;
        // An end that was fetched and could not be told would be lost: the array is looked at first.
        room(results, capacity, "results")?;
        let mut batch = borrow_mut(batch, "batch")?;
        let batch = &mut *batch;
        if batch.ended.is_empty() {
            batch.ended.extend(batch.batch.wait(timeout(timeout_ms)));
        }
        batch.last.clear();
        let handed = capacity.min(batch.ended.len());
        for (index, delivery) in batch.ended.drain(..handed).enumerate() {
            let user_data = delivery.item.user_data;
            let end = End::of(delivery);
            let made = HubResult {
                result: end.plain(user_data),
                feedback: end.action(),
                attempts: end.attempts(),
                reserved: [0; 2],
            };
            // The index is below `capacity`.
            results.add(index).write(made);
            batch.last.push(end);
        }
        write(count, handed);
        Ok(())
    })
}

/// Gives the outcome of a device that the last pushcore_hub_batch_wait handed over, by its position there. When the message had no answer,
/// the failure is the message's own error.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pushcore_hub_batch_outcome(
    batch: *mut HubBatch,
    index: usize,
    out: *mut *mut Outcome,
    error: *mut *mut ErrorObject,
) -> Status {
    entry!(error, {
        wanted(out, "the output")?;
        let batch = borrow_mut(batch, "batch")?;
        give(out, End::at(&batch.last, index)?.outcome()?)
    })
}

/// Gives what the end of a device that the last pushcore_hub_batch_wait handed over means for the caller's table of devices.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pushcore_hub_batch_feedback(
    batch: *mut HubBatch,
    index: usize,
    out: *mut *mut Feedback,
    error: *mut *mut ErrorObject,
) -> Status {
    entry!(error, {
        wanted(out, "the output")?;
        let batch = borrow_mut(batch, "batch")?;
        give(out, End::at(&batch.last, index)?.feedback())
    })
}

/// Says that no device follows: doubtful answers are held back no longer than for those that are under way.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pushcore_hub_batch_finish(
    batch: *mut HubBatch,
    error: *mut *mut ErrorObject,
) -> Status {
    entry!(error, {
        borrow_mut(batch, "batch")?.batch.finish();
        Ok(())
    })
}

/// Cancels what has not ended. Each device that was taken still gets its end; what was written already may be shown.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pushcore_hub_batch_cancel(
    batch: *mut HubBatch,
    error: *mut *mut ErrorObject,
) -> Status {
    entry!(error, {
        borrow_mut(batch, "batch")?.batch.cancel();
        Ok(())
    })
}

/// Tells whether every device that was taken has its end. Ends may still have to be fetched.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pushcore_hub_batch_is_idle(
    batch: *mut HubBatch,
    idle: *mut bool,
    error: *mut *mut ErrorObject,
) -> Status {
    entry!(error, {
        wanted(idle, "idle")?;
        let batch = borrow_mut(batch, "batch")?;
        write(idle, batch.batch.is_idle());
        Ok(())
    })
}

/// Counts how far the batch is, over all services, up to `struct_size`. Devices without a client are counted as ended alone.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pushcore_hub_batch_progress(
    batch: *mut HubBatch,
    progress: *mut CProgress,
    error: *mut *mut ErrorObject,
) -> Status {
    entry!(error, {
        wanted(progress, "progress")?;
        let batch = borrow_mut(batch, "batch")?;
        let mut made = CProgress::EMPTY;
        for (_, of_one) in batch.batch.progress() {
            made.add(&progress_of(&of_one));
        }
        fill(progress, &made, "progress")
    })
}

/// Cancels what has not ended, and gives the batch back.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pushcore_hub_batch_free(batch: *mut HubBatch) {
    value!((), { free(batch) });
}
