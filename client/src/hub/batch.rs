//! A hub's bulk send in the caller's own loop.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use pushcore::notification::{App, Campaign, Notification};
use pushcore::service::Message;
use pushcore::session::SendOptions;

use super::Hub;
use super::deliveries::{Deliveries, Held, SendItems};
use super::delivery::{AsDevice, Delivery};
use crate::progress::Progress;

/// A bulk send of a [`Hub`] in steps: offer devices, wait, offer more. For callers who cannot hand over an iterator, or who look
/// around in between: bindings above all.
///
/// ```no_run
/// use std::sync::Arc;
/// use std::time::Duration;
/// use pushcore::notification::{Device, Notification};
/// use pushcore_client::hub::{Batch, Hub};
///
/// # fn send(hub: Arc<Hub>, sale: Notification, mut rows: std::vec::IntoIter<(u64, Device)>) {
/// let mut batch = Batch::of_notification(hub, sale);
/// let mut next = rows.next();
/// loop {
///     while let Some(row) = next.take() {
///         match batch.offer(row) {
///             Ok(()) => next = rows.next(),
///             // No room: offered again after a wait.
///             Err(row) => {
///                 next = Some(row);
///                 break;
///             }
///         }
///     }
///     if next.is_none() {
///         batch.finish();
///     }
///     for delivery in batch.wait(Duration::from_millis(100)) {
///         println!("{}: {:?}", delivery.item.0, delivery.feedback);
///     }
///     if next.is_none() && batch.is_idle() {
///         break;
///     }
/// }
/// # }
/// ```
///
/// Dropping the batch cancels what has not ended, without a word; [`Batch::cancel`] tells the ends.
pub struct Batch<T> {
    deliveries: Deliveries<'static, T, SendItems<T>>,
}

impl<T: AsDevice> Batch<T> {
    /// Begins to send one notification to the devices that are offered.
    pub fn of_notification(hub: Arc<Hub>, notification: Notification) -> Self {
        Self::new(hub, Some(Campaign::new(notification)))
    }

    /// Begins to send messages that come with their devices ([`Batch::offer_message`]).
    pub fn of_messages(hub: Arc<Hub>) -> Self {
        Self::new(hub, None)
    }

    fn new(hub: Arc<Hub>, campaign: Option<Campaign>) -> Self {
        Self {
            deliveries: Deliveries::new(Held::Shared(hub), campaign, None),
        }
    }

    /// Sets options for each attempt; see [`Deliveries::options`].
    #[must_use]
    pub fn options(mut self, options: SendOptions) -> Self {
        self.deliveries = self.deliveries.options(options);
        self
    }

    /// Takes a device; its message is made when it is its turn. A device that nothing can be sent to ends at once.
    ///
    /// # Errors
    /// The device comes back where its service has no room: call [`Batch::wait`], and offer the device again. It comes back for
    /// good where the batch takes no more ([`Batch::is_open`]).
    pub fn offer(&mut self, item: T) -> Result<(), T> {
        self.deliveries.offer(item, None)
    }

    /// Takes a message with its device, as [`Hub::send_many`] does.
    ///
    /// # Errors
    /// As [`Batch::offer`].
    pub fn offer_message(&mut self, item: T, message: Box<Message>) -> Result<(), T> {
        self.deliveries.offer(item, Some(message))
    }

    /// Moves bytes until something has ended, at most for `longest`; returns what has ended. Returns at once where nothing is under
    /// way.
    pub fn wait(&mut self, longest: Duration) -> impl Iterator<Item = Delivery<T>> {
        let started = Instant::now();
        loop {
            let left = longest.saturating_sub(started.elapsed());
            if self.deliveries.has_ended() || !self.deliveries.turn(left) {
                break;
            }
            if left.is_zero() || self.is_idle() || self.deliveries.is_forked() {
                break;
            }
        }
        self.deliveries.take_ended()
    }

    /// Says that no device follows, so that doubtful answers are held back no longer than for those that are under way.
    pub fn finish(&mut self) {
        self.deliveries.end_of_list();
    }

    /// Cancels what has not ended. Each device still gets its end from [`Batch::wait`]; what was written already may be shown.
    pub fn cancel(&mut self) {
        self.deliveries.cancel();
    }

    /// Whether devices are still taken: false after [`Batch::finish`] and [`Batch::cancel`], and when the hub is closed.
    pub fn is_open(&self) -> bool {
        self.deliveries.is_open()
    }

    /// Whether every device that was taken has its end. Ends may still have to be fetched.
    pub fn is_idle(&self) -> bool {
        self.deliveries.is_idle()
    }

    /// Returns how far each service is; see [`Deliveries::progress`].
    pub fn progress(&self) -> impl Iterator<Item = (&App, Progress)> {
        self.deliveries.progress()
    }
}

impl<T> fmt::Debug for Batch<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Batch").finish_non_exhaustive()
    }
}
