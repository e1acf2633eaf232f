//! Calls about topics, as values.

use super::message::target::{RegistrationId, Topic};
use super::service::Service;
use super::topics::{BatchAction, legacy_batch, list, subscribe, unsubscribe};
#[cfg(doc)]
use super::topics::{LARGEST_BATCH, LARGEST_PAGE};
use crate::error::Error;
use crate::http::Request;
use crate::time::Now;

/// Subscribes one registration to a topic, see [`subscribe`]: a value that any language can hold
/// and that [`service::Call`](crate::service::Call) sends.
#[derive(Clone, Debug)]
pub struct Subscribe {
    registration: RegistrationId,
    topic: Topic,
}

impl Subscribe {
    /// Returns the call.
    pub fn new(registration: RegistrationId, topic: Topic) -> Self {
        Self { registration, topic }
    }

    pub(crate) fn request(&self, service: &Service, now: Now) -> Result<Request, Error> {
        let (credentials, hosts) = (service.credentials(), service.hosts());
        subscribe(&self.registration, &self.topic, credentials, hosts, now)
    }
}

/// Ends the subscription of one registration to a topic, see [`unsubscribe`].
#[derive(Clone, Debug)]
pub struct Unsubscribe {
    registration: RegistrationId,
    topic: Topic,
}

impl Unsubscribe {
    /// Returns the call.
    pub fn new(registration: RegistrationId, topic: Topic) -> Self {
        Self { registration, topic }
    }

    pub(crate) fn request(&self, service: &Service, now: Now) -> Result<Request, Error> {
        let (credentials, hosts) = (service.credentials(), service.hosts());
        unsubscribe(&self.registration, &self.topic, credentials, hosts, now)
    }
}

/// Lists the topics of one registration by the page, see [`list`].
#[derive(Clone, Debug)]
pub struct ListSubscriptions {
    registration: RegistrationId,
    page_size: Option<u16>,
    page_token: Option<String>,
}

impl ListSubscriptions {
    /// Returns the call for the first page, of the size that the service decides.
    pub fn new(registration: RegistrationId) -> Self {
        Self {
            registration,
            page_size: None,
            page_token: None,
        }
    }

    /// Asks for so many subscriptions a page, 1 to [`LARGEST_PAGE`].
    #[must_use]
    pub fn page_size(mut self, size: u16) -> Self {
        self.page_size = Some(size);
        self
    }

    /// Asks for the page that the page before named.
    #[must_use]
    pub fn page_token(mut self, token: impl Into<String>) -> Self {
        self.page_token = Some(token.into());
        self
    }

    pub(crate) fn request(&self, service: &Service, now: Now) -> Result<Request, Error> {
        let (credentials, hosts) = (service.credentials(), service.hosts());
        let page_token = self.page_token.as_deref();
        list(
            &self.registration,
            self.page_size,
            page_token,
            credentials,
            hosts,
            now,
        )
    }
}

/// Subscribes or unsubscribes many tokens with one request, see [`legacy_batch`].
#[derive(Clone, Debug)]
pub struct ChangeMany {
    action: BatchAction,
    topic: Topic,
    tokens: Vec<RegistrationId>,
}

impl ChangeMany {
    /// Returns the call, for 1 to [`LARGEST_BATCH`] tokens.
    pub fn new(action: BatchAction, topic: Topic, tokens: Vec<RegistrationId>) -> Self {
        Self {
            action,
            topic,
            tokens,
        }
    }

    /// Returns the number of tokens.
    pub fn len(&self) -> usize {
        self.tokens.len()
    }

    /// Returns whether there are no tokens, so that the call will be refused.
    pub fn is_empty(&self) -> bool {
        self.tokens.is_empty()
    }

    pub(crate) fn request(&self, service: &Service, now: Now) -> Result<Request, Error> {
        let (credentials, hosts) = (service.credentials(), service.hosts());
        legacy_batch(self.action, &self.topic, &self.tokens, credentials, hosts, now)
    }
}
