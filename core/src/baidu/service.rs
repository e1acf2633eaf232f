//! Baidu Cloud Push as a service: credentials and host.

use std::sync::Arc;

use super::answer::outcome;
use super::message::Message;
use super::sign::Credentials;
use crate::backend::{Backend, Profile, Takes, check_host};
use crate::error::Error;
use crate::http::{Authority, HeaderBlock, Request, Response};
use crate::outcome::Outcome;
use crate::time::Now;

/// Baidu Cloud Push with the keys of one app.
#[derive(Clone, Debug)]
pub struct Service {
    credentials: Arc<Credentials>,
    authority: Authority,
}

impl Service {
    /// Returns Baidu Cloud Push with these credentials. `authority` is usually
    /// [`default_authority`](super::default_authority).
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
    type Context = ();

    fn profile(&self) -> Profile {
        Profile::default()
    }

    fn authorization(&self, _: &(), _: &Authority, _: Now) -> Result<Option<Arc<HeaderBlock>>, Error> {
        // A request is signed as a whole when it is written.
        Ok(None)
    }

    fn read(&self, response: &Response, _: &(), now: Now) -> Outcome {
        outcome(response, now)
    }

    fn check_host(&self, request: &Request) -> Result<(), Error> {
        check_host(request, &[&self.authority])
    }
}

impl Takes<Message> for Service {
    fn write(&self, message: &Message, request: &mut Request, now: Now) -> Result<(), Error> {
        request.clear();
        message.write(&self.authority, &self.credentials, now, request)
    }
}
