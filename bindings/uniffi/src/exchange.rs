//! A call under way.

use std::sync::{Arc, Mutex, PoisonError};

use pushcore::service::{AnyCall, Call as _};
use pushcore::session::SendOptions as CoreSendOptions;
use pushcore_client::{Client as CoreClient, Exchange as CoreExchange};

use crate::call::{Call, CallAnswer};
use crate::client::Client;
use crate::error::PushError;
use crate::options::SendOptions;
use crate::values::Seconds;

/// A call in the caller's own loop. The last reference that goes cancels the call.
#[derive(uniffi::Object)]
pub struct Exchange {
    call: AnyCall,
    client: Arc<CoreClient>,
    options: CoreSendOptions,
    /// `None` while the call waits for room in the queue or for an access token.
    begun: Mutex<Option<CoreExchange>>,
}

impl Exchange {
    pub(crate) fn of(client: &Client, call: &Call, options: &SendOptions) -> Result<Arc<Self>, PushError> {
        Ok(Arc::new(Self {
            call: call.read(client.service.policy())?,
            client: Arc::clone(&client.client),
            options: options.read()?,
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
            *begun = CoreExchange::call(Arc::clone(&self.client), &self.call, self.options)?;
        }
        let Some(exchange) = &mut *begun else {
            return Ok(None);
        };
        let response = exchange.wait(longest)?;
        Ok(response.map(|response| self.call.read(&response, pushcore_client::now()).into()))
    }
}
