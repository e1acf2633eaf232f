//! One message, or one call, under way.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use pushcore::service::{AnyCall, Call as _, Message as CoreMessage};
use pushcore::session::{SendOptions as CoreSendOptions, Ticket};
use pushcore::{Error, ErrorKind};
use pushcore_client::{Batch, Client as CoreClient, Exchange as CoreExchange, Patience};

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
    cancelled: AtomicBool,
    /// The message's own batch, and its ticket when it is submitted.
    inner: Mutex<(Batch, Option<Ticket>)>,
}

impl SingleSend {
    pub(crate) fn of(
        client: &Client,
        message: &Message,
        options: &SendOptions,
    ) -> Result<Arc<Self>, PushError> {
        let options = options.read()?;
        Ok(Arc::new(Self {
            message: message.read(client.service.policy())?,
            options,
            patience: client.patience(options),
            cancelled: AtomicBool::new(false),
            inner: Mutex::new((Batch::new(Arc::clone(&client.client), Some(1))?, None)),
        }))
    }
}

#[uniffi::export]
impl SingleSend {
    /// Waits on the calling thread for the end, about as long as `longest`; nil where it has not come yet.
    pub fn wait(&self, longest: Seconds) -> Result<Option<Ended>, PushError> {
        let longest = longest.duration()?;
        let cancelled = self.cancelled.load(Ordering::Acquire);
        // Nothing panics half-way through a change; a poisoned lock is still whole.
        let mut inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        let (batch, ticket) = &mut *inner;
        match *ticket {
            Some(ticket) if cancelled => {
                batch.cancel(ticket);
            }
            Some(_) => {}
            None if cancelled => {
                let error = Error::new(ErrorKind::Cancelled, "cancelled before it was submitted");
                return Ok(Some(Ended::refused(0, &error)));
            }
            None => {
                let left = self.patience.left();
                if left.is_zero() {
                    return Ok(Some(Ended::refused(0, &Patience::expired())));
                }
                let mut refused = None;
                batch.submit(
                    [(&self.message, 0)],
                    self.options.deadline(left),
                    |taken| match taken {
                        Ok(taken) => *ticket = Some(taken),
                        Err(error) => refused = Some(Ended::refused(0, &error)),
                    },
                )?;
                batch.finish();
                if refused.is_some() {
                    return Ok(refused);
                }
            }
        }
        let ended = batch.wait(longest)?.next();
        Ok(ended.as_ref().map(Ended::from))
    }

    /// Cancels the message: its end comes from `wait` like any other. May be called while another thread waits, which sees it when
    /// its wait is over.
    pub fn cancel(&self) -> Result<(), PushError> {
        self.cancelled.store(true, Ordering::Release);
        Ok(())
    }
}
