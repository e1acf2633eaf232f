//! Web Push as a service: a VAPID key, and the endpoints that may be sent to.

use std::net::IpAddr;
use std::sync::Arc;

use super::answer::{outcome, outcome_for};
use super::credentials::Credentials;
use super::endpoint::Endpoint;
use super::message::Message;
use super::policy::EndpointPolicy;
use crate::backend::{Authorization, Backend, Profile, Takes, host};
use crate::error::Error;
use crate::http::{Authority, HeaderBlock, Request, Response};
use crate::outcome::{Circumstances, Outcome};
use crate::time::Now;

/// Web Push with one VAPID key. Clones share their tokens.
#[derive(Clone, Debug)]
pub struct Service {
    credentials: Arc<Credentials>,
    policy: Arc<EndpointPolicy>,
}

impl Service {
    /// Returns Web Push with these credentials. `policy` says which endpoints may be sent to at all.
    pub fn new(credentials: impl Into<Arc<Credentials>>, policy: impl Into<Arc<EndpointPolicy>>) -> Self {
        Self {
            credentials: credentials.into(),
            policy: policy.into(),
        }
    }

    /// Returns the credentials.
    pub fn credentials(&self) -> &Arc<Credentials> {
        &self.credentials
    }

    /// Returns the rule for endpoints.
    pub fn policy(&self) -> &Arc<EndpointPolicy> {
        &self.policy
    }
}

impl Backend for Service {
    /// The message: its subscription's provider has a dialect, and an age. `None` for an answer to something else.
    type Context = Option<Message>;

    fn profile(&self) -> Profile {
        Profile {
            key_is_judged_by_origin: true,
            ..Profile::default()
        }
    }

    fn authorize(&self, _: Now) -> Result<Authorization, Error> {
        // A token is made for one origin and one encoding.
        Ok(Authorization::Each)
    }

    fn authorization(
        &self,
        context: &Option<Message>,
        authority: &Authority,
        now: Now,
    ) -> Result<Option<Arc<HeaderBlock>>, Error> {
        let block = match context {
            Some(message) => self.credentials.authorization_for(message, now),
            None => self.credentials.authorization(authority, now),
        };
        block.map(Some)
    }

    fn read(&self, response: &Response, context: &Option<Message>, now: Now) -> Outcome {
        let Some(message) = context else {
            return outcome(response, now);
        };
        let subscription = message.subscription();
        if matches!(response.status, 401 | 403) {
            let origin = subscription.endpoint().authority();
            self.credentials.observe_date(origin, response, now);
        }
        outcome_for(response, subscription, now)
    }

    fn refused(&self, outcome: &Outcome, authority: Option<&Authority>, used: u64, now: Now) -> bool {
        // Another token of the same key is no better, unless the service's clock has just been learned.
        let told = matches!(outcome, Outcome::FixCredentials(arm) if arm.clock_skew.is_some());
        let current = authority
            .filter(|_| told)
            .and_then(|authority| self.credentials.authorization(authority, now).ok());
        current.is_some_and(|current| current.id() != used)
    }

    fn check_host(&self, request: &Request) -> Result<(), Error> {
        host(request)?;
        self.policy.check(&Endpoint::parse(&request.url())?)
    }

    fn allow_address(&self, authority: &Authority, address: IpAddr) -> Result<(), Error> {
        self.policy.check_address(authority, address)
    }
}

impl Takes<Message> for Service {
    fn write(&self, message: &Message, request: &mut Request, _: Now) -> Result<(), Error> {
        request.clear();
        self.policy.check(message.subscription().endpoint())?;
        message.write(request)
    }

    fn context(&self, message: &Message) -> Option<Message> {
        Some(message.clone())
    }

    fn circumstances(&self, message: &Message) -> Option<Circumstances> {
        Some(message.circumstances())
    }
}
