//! Baidu Cloud Push as a service: credentials and host.

use std::sync::Arc;

use super::answer::outcome;
use super::message::Message;
use super::sign::Credentials;
use super::target::Kind;
use crate::backend::{Backend, Profile, Takes, check_host};
use crate::error::Error;
use crate::http::{Authority, HeaderBlock, Request, Response};
use crate::outcome::{Circumstances, Outcome, Reason};
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

    fn refuses_key(&self, outcome: &Outcome) -> bool {
        // The others are about one method, or about the iOS certificate.
        let reason = outcome.reason().map(Reason::as_str);
        matches!(outcome, Outcome::FixCredentials(_))
            && !reason.is_some_and(|code| matches!(code, "30617" | "30618") || code.starts_with("400"))
    }

    fn token_in<'a>(&self, request: &'a Request) -> &'a [u8] {
        // The time and the signature beside it differ from request to request.
        channel_id(request.body.as_bytes())
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

    fn circumstances(&self, message: &Message) -> Option<Circumstances> {
        matches!(message.target().0, Kind::Device(_)).then(|| message.circumstances())
    }
}

/// The value of `channel_id` in a form; the whole form where it has none.
fn channel_id(form: &[u8]) -> &[u8] {
    let mut members = form.split(|byte| *byte == b'&');
    members
        .find_map(|member| member.strip_prefix(b"channel_id="))
        .unwrap_or(form)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_told_from_others_by_its_channel_alone() {
        assert_eq!(channel_id(b"apikey=k&channel_id=123&timestamp=1&sign=a"), b"123");
        assert_eq!(channel_id(b"channel_id=123"), b"123");
        assert_eq!(channel_id(b"tag=a&sign=b"), b"tag=a&sign=b");
    }
}
