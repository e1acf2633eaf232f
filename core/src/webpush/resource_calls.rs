//! Calls about what lives at the push service besides the endpoint, as values.

use std::sync::Arc;
use std::time::Duration;

use super::resource::{delete, receipts};
use super::service::Service;
use super::subscription::Subscription;
use crate::error::Error;
use crate::http::Request;
use crate::time::Now;

/// Takes back a message that the device has not got yet, see [`delete`]: a value that any language
/// can hold and that [`service::Call`](crate::service::Call) sends.
#[derive(Clone, Debug)]
pub struct Withdraw {
    location: String,
    subscription: Arc<Subscription>,
}

impl Withdraw {
    /// Returns the call for the message at `location`.
    pub fn new(location: impl Into<String>, subscription: impl Into<Arc<Subscription>>) -> Self {
        Self {
            location: location.into(),
            subscription: subscription.into(),
        }
    }

    /// Returns the subscription that the message was sent to.
    pub fn subscription(&self) -> &Subscription {
        &self.subscription
    }

    pub(crate) fn request(&self, service: &Service, now: Now) -> Result<Request, Error> {
        let (policy, credentials) = (service.policy(), service.credentials());
        delete(&self.location, &self.subscription, policy, credentials, now)
    }
}

/// Asks for receipts, see [`receipts`].
#[derive(Clone, Debug)]
pub struct AskForReceipts {
    receipt: String,
    wait: Option<Duration>,
    subscription: Arc<Subscription>,
}

impl AskForReceipts {
    /// Returns the call for the receipts at `receipt`.
    pub fn new(receipt: impl Into<String>, subscription: impl Into<Arc<Subscription>>) -> Self {
        Self {
            receipt: receipt.into(),
            wait: None,
            subscription: subscription.into(),
        }
    }

    /// Asks the service to answer within this time, in whole seconds.
    #[must_use]
    pub fn wait(mut self, wait: Duration) -> Self {
        self.wait = Some(wait);
        self
    }

    /// Returns the subscription that the message was sent to.
    pub fn subscription(&self) -> &Subscription {
        &self.subscription
    }

    pub(crate) fn request(&self, service: &Service, now: Now) -> Result<Request, Error> {
        let (policy, credentials) = (service.policy(), service.credentials());
        receipts(
            &self.receipt,
            self.wait,
            &self.subscription,
            policy,
            credentials,
            now,
        )
    }
}
