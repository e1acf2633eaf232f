//! One message, or one call, under way.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use pushcore::service::{AnyCall, Call as _, Message as CoreMessage};
use pushcore::session::{SendOptions as CoreSendOptions, Ticket};
use pushcore::{Error, ErrorKind};
use pushcore_client::{Batch, Canceller, Client as CoreClient, Exchange as CoreExchange, Patience};

use crate::batch::Ended;
use crate::call::{Call, CallAnswer};
use crate::client::Client;
use crate::error::PushError;
use crate::message::Message;
use crate::options::SendOptions;
use crate::values::Seconds;

/// A call in the caller's own loop. The last reference that goes cancels the call.
#[derive(uniffi::Object)]
pub struct Exchange {
    call: AnyCall,
    client: Arc<CoreClient>,
    options: CoreSendOptions,
    /// From the call, and not from the submission: the queue may be full, or an access token may be on its way.
    patience: Patience,
    /// `None` until the call is submitted.
    begun: Mutex<Option<CoreExchange>>,
}

impl Exchange {
    pub(crate) fn of(client: &Client, call: &Call, options: &SendOptions) -> Result<Arc<Self>, PushError> {
        let options = options.read()?;
        Ok(Arc::new(Self {
            call: call.read(client.service.policy())?,
            client: Arc::clone(&client.client),
            options,
            patience: client.patience(options),
            begun: Mutex::new(None),
        }))
    }
}

#[uniffi::export]
impl Exchange {
    /// Waits on the calling thread for the answer, about as long as `longest`; nil where it has not come yet.
    pub fn wait(&self, longest: Seconds) -> Result<Option<CallAnswer>, PushError> {
        let longest = longest.duration()?;
        // Nothing panics half-way through a change; a poisoned lock is still whole.
        let mut begun = self.begun.lock().unwrap_or_else(PoisonError::into_inner);
        if begun.is_none() {
            let left = self.patience.left();
            if left.is_zero() {
                return Err(Patience::expired().into());
            }
            let options = self.options.deadline(left);
            *begun = CoreExchange::call(Arc::clone(&self.client), &self.call, options)?;
        }
        let Some(exchange) = &mut *begun else {
            return Ok(None);
        };
        let response = exchange.wait(longest)?;
        Ok(response.map(|response| self.call.read(&response, pushcore_client::now()).into()))
    }
}

/// One message in the caller's own loop. The last reference that goes cancels the message.
#[derive(uniffi::Object)]
pub struct SingleSend {
    message: CoreMessage,
    options: CoreSendOptions,
    /// From the call, and not from the submission: the queue may be full.
    patience: Patience,
    /// The message's own batch.
    batch: Mutex<Batch>,
    canceller: Canceller,
    /// The message's ticket; not set until the message is submitted.
    ticket: OnceLock<Ticket>,
    cancelled: AtomicBool,
}

impl SingleSend {
    pub(crate) fn of(
        client: &Client,
        message: &Message,
        options: &SendOptions,
    ) -> Result<Arc<Self>, PushError> {
        let options = options.read()?;
        let batch = Batch::new(Arc::clone(&client.client), Some(1))?;
        let single = Self {
            message: message.read(client.service.policy())?,
            options,
            patience: client.patience(options),
            canceller: batch.canceller(),
            batch: Mutex::new(batch),
            ticket: OnceLock::new(),
            cancelled: AtomicBool::new(false),
        };
        {
            // Now, and not when a thread to wait on is found. What goes wrong here goes wrong again in `wait`, which tells it.
            let mut batch = single.batch.lock().unwrap_or_else(PoisonError::into_inner);
            let _ = single.submit(&mut batch);
        }
        Ok(Arc::new(single))
    }

    /// Submits the message. Returns its end where it cannot be sent; nil where the queue is full, too.
    fn submit(&self, batch: &mut Batch) -> Result<Option<Ended>, PushError> {
        if self.cancelled.load(Ordering::SeqCst) {
            let error = Error::new(ErrorKind::Cancelled, "cancelled before it was submitted");
            return Ok(Some(Ended::refused(0, &error)));
        }
        let left = self.patience.left();
        if left.is_zero() {
            return Ok(Some(Ended::refused(0, &Patience::expired())));
        }
        let mut refused = None;
        batch.submit(
            [(&self.message, 0)],
            self.options.deadline(left),
            |taken| match taken {
                Ok(ticket) => {
                    // The first and only one.
                    let _ = self.ticket.set(ticket);
                }
                Err(error) => refused = Some(Ended::refused(0, &error)),
            },
        )?;
        batch.finish();
        // Whoever cancels in between has not seen the ticket.
        if self.cancelled.load(Ordering::SeqCst) {
            self.cancel()?;
        }
        Ok(refused)
    }
}

#[uniffi::export]
impl SingleSend {
    /// Waits on the calling thread for the end, about as long as `longest`; nil where it has not come yet.
    pub fn wait(&self, longest: Seconds) -> Result<Option<Ended>, PushError> {
        let longest = longest.duration()?;
        // Nothing panics half-way through a change; a poisoned lock is still whole.
        let mut batch = self.batch.lock().unwrap_or_else(PoisonError::into_inner);
        if self.ticket.get().is_none() {
            let end = self.submit(&mut batch)?;
            if end.is_some() {
                return Ok(end);
            }
        }
        let ended = batch.wait(longest)?.next();
        Ok(ended.as_ref().map(Ended::from))
    }

    /// Cancels the message at once, also while another thread waits for the end, which comes from `wait` like any other.
    pub fn cancel(&self) -> Result<(), PushError> {
        self.cancelled.store(true, Ordering::SeqCst);
        if let Some(ticket) = self.ticket.get() {
            self.canceller.cancel(*ticket);
        }
        Ok(())
    }
}
