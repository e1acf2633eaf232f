//! FCM as a service: credentials and hosts.

use std::net::IpAddr;
use std::sync::Arc;

use super::answer::outcome;
use super::credentials::{Credentials, allow_metadata_address};
use super::message::Message;
use super::message::target::Target;
use super::project::Hosts;
use super::topics;
use crate::backend::{Authorization, Backend, Profile, Takes, check_host, unauthorized};
use crate::error::Error;
use crate::http::{Authority, HeaderBlock, Request, Response};
use crate::oauth::{TokenProgress, TokenRequest};
use crate::outcome::{Circumstances, Outcome, Reason};
use crate::time::Now;

/// Lists of topics come by the page, from the host that takes messages.
const BODY_LIMIT: usize = 1024 * 1024;

/// FCM with one Google identity. Clones share their access token.
#[derive(Clone, Debug)]
pub struct Service {
    credentials: Arc<Credentials>,
    hosts: Hosts,
}

impl Service {
    /// Returns FCM with these credentials. `hosts` is usually the default.
    pub fn new(credentials: impl Into<Arc<Credentials>>, hosts: Hosts) -> Self {
        Self {
            credentials: credentials.into(),
            hosts,
        }
    }

    /// Returns the credentials.
    pub fn credentials(&self) -> &Arc<Credentials> {
        &self.credentials
    }

    /// Returns the hosts of the service.
    pub fn hosts(&self) -> &Hosts {
        &self.hosts
    }
}

impl Backend for Service {
    type Context = ();

    fn profile(&self) -> Profile {
        Profile {
            body_limit: Some(BODY_LIMIT),
            call_rate: Some(topics::CALLS_PER_SECOND),
            tokens_from_metadata: self.credentials.is_of_metadata_server(),
            ..Profile::default()
        }
    }

    fn authorize(&self, now: Now) -> Result<Authorization, Error> {
        Ok(Authorization::Token(self.credentials.token(now)))
    }

    fn authorization(&self, _: &(), _: &Authority, now: Now) -> Result<Option<Arc<HeaderBlock>>, Error> {
        self.credentials.authorization(now).map(Some)
    }

    fn read(&self, response: &Response, _: &(), now: Now) -> Outcome {
        outcome(response, now)
    }

    fn read_call(&self, response: &Response, _: Now) -> Option<Outcome> {
        unauthorized(response)
    }

    fn refused(&self, _: &Outcome, _: Option<&Authority>, used: u64, now: Now) -> bool {
        self.credentials.token_refused(used, now);
        true
    }

    fn refuses_key(&self, outcome: &Outcome) -> bool {
        // These are about the project's APNs key or web push key, which only some devices need.
        matches!(outcome, Outcome::FixCredentials(_))
            && !matches!(
                outcome.reason().map(Reason::as_str),
                Some("THIRD_PARTY_AUTH_ERROR" | "APNS_AUTH_ERROR")
            )
    }

    fn token_in<'a>(&self, request: &'a Request) -> &'a [u8] {
        // The target stands in the body, and all else in it is the same in a campaign.
        request.body.as_bytes()
    }

    fn check_host(&self, request: &Request) -> Result<(), Error> {
        check_host(request, &[&self.hosts.fcm, &self.hosts.iid])
    }

    fn allow_address(&self, authority: &Authority, address: IpAddr) -> Result<(), Error> {
        allow_metadata_address(authority, address)
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
        request.clear();
        message.write(&self.hosts, self.credentials.project(), request)
    }

    fn circumstances(&self, message: &Message) -> Option<Circumstances> {
        matches!(message.target(), Target::Fid(_) | Target::Token(_)).then(|| message.circumstances())
    }
}
