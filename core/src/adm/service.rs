//! ADM as a service: credentials and host.

use std::sync::Arc;

use super::answer::outcome;
use super::audience::{AudienceMessage, audience_outcome};
use super::credentials::Credentials;
use super::message::Message;
use super::registration_id::RegistrationId;
use crate::backend::{Authorization, Backend, Profile, Takes, check_host, unauthorized};
use crate::error::Error;
use crate::http::{Authority, HeaderBlock, Request, Response};
use crate::oauth::{TokenProgress, TokenRequest};
use crate::outcome::Outcome;
use crate::time::Now;

/// ADM with the credentials of one app. Clones share their access token.
#[derive(Clone, Debug)]
pub struct Service {
    credentials: Arc<Credentials>,
    authority: Authority,
}

impl Service {
    /// Returns ADM with these credentials. `authority` is usually [`default_authority`](super::default_authority).
    pub fn new(credentials: impl Into<Arc<Credentials>>, authority: Authority) -> Self {
        Self {
            credentials: credentials.into(),
            authority,
        }
    }

    /// Returns the credentials.
    pub fn credentials(&self) -> &Arc<Credentials> {
        &self.credentials
    }

    /// Returns the host.
    pub fn authority(&self) -> &Authority {
        &self.authority
    }
}

impl Backend for Service {
    /// The registration id that the message was sent to, because the answer may name another one
    /// in its place. `None` for a message to a topic or group.
    type Context = Option<RegistrationId>;

    fn profile(&self) -> Profile {
        Profile::default()
    }

    fn authorize(&self, now: Now) -> Result<Authorization, Error> {
        Ok(Authorization::Token(self.credentials.token(now)))
    }

    fn authorization(
        &self,
        _: &Option<RegistrationId>,
        _: &Authority,
        now: Now,
    ) -> Result<Option<Arc<HeaderBlock>>, Error> {
        self.credentials.authorization(now).map(Some)
    }

    fn read(&self, response: &Response, context: &Option<RegistrationId>, now: Now) -> Outcome {
        match context {
            Some(target) => outcome(response, target, now),
            None => audience_outcome(response, now),
        }
    }

    fn read_call(&self, response: &Response, _: Now) -> Option<Outcome> {
        unauthorized(response)
    }

    fn refused(&self, _: &Outcome, _: Option<&Authority>, used: u64, now: Now) -> bool {
        self.credentials.token_refused(used, now);
        true
    }

    fn check_host(&self, request: &Request) -> Result<(), Error> {
        check_host(request, &[&self.authority])
    }

    fn token_request(&self, now: Now) -> Result<TokenRequest, Error> {
        self.credentials.token_request(now)
    }

    fn accept_token(&self, response: &Response, now: Now) -> Result<TokenProgress, Error> {
        self.credentials.accept_token(response, now)
    }

    fn token_failed(&self, now: Now) {
        self.credentials.token_failed(now);
    }
}

impl Takes<Message> for Service {
    fn write(&self, message: &Message, request: &mut Request, _: Now) -> Result<(), Error> {
        message.write(&self.authority, request)
    }

    fn context(&self, message: &Message) -> Option<RegistrationId> {
        Some(message.target().clone())
    }
}

impl Takes<AudienceMessage> for Service {
    fn write(&self, message: &AudienceMessage, request: &mut Request, _: Now) -> Result<(), Error> {
        request.clear();
        message.write(&self.authority, request);
        Ok(())
    }
}
