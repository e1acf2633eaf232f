//! Toy as a service: one host, no credentials.

use std::sync::Arc;

use super::message::Message;
use crate::backend::{Backend, Profile, Takes, check_host};
use crate::error::Error;
use crate::http::{Authority, HeaderBlock, Method, Request, Response};
use crate::outcome::{Accepted, Evidence, Outcome, Rejected, TokenGone};
use crate::time::Now;

/// Toy at one host.
#[derive(Clone, Debug)]
pub struct Service {
    host: Authority,
    common: Arc<HeaderBlock>,
}

impl Service {
    /// Toy at `host`.
    pub fn new(host: Authority) -> Self {
        Self {
            host,
            common: HeaderBlock::new(crate::http::Headers::new()),
        }
    }
}

/// Reads an answer: 200 took it, 410 knows no such device.
pub fn outcome(response: &Response) -> Outcome {
    let evidence = Evidence::new(response.status, None, &response.body);
    match response.status {
        200 => Outcome::Accepted(Accepted::new(None, evidence)),
        410 => Outcome::TokenGone(TokenGone {
            evidence,
            ..TokenGone::default()
        }),
        _ => Outcome::Rejected(Rejected { evidence }),
    }
}

impl Backend for Service {
    type Context = ();

    fn profile(&self) -> Profile {
        Profile::default()
    }

    fn authorization(&self, _: &(), _: &Authority, _: Now) -> Result<Option<Arc<HeaderBlock>>, Error> {
        Ok(None)
    }

    fn read(&self, response: &Response, _: &(), _: Now) -> Outcome {
        outcome(response)
    }

    fn check_host(&self, request: &Request) -> Result<(), Error> {
        check_host(request, &[&self.host])
    }
}

impl Takes<Message> for Service {
    fn write(&self, message: &Message, request: &mut Request, _: Now) -> Result<(), Error> {
        request.park();
        request.share(&self.host, &self.common, message.template().body());
        request.method = Method::Post;
        request.path.push_str("/toys/");
        request.path.push_str(message.device().as_str());
        Ok(())
    }
}
