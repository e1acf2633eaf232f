//! APNs as a service: credentials and hosts.

use std::sync::Arc;

use super::answer::outcome;
use super::broadcast::{Broadcast, broadcast_outcome};
use super::credentials::{Credentials, Reaction};
use super::environment::Hosts;
use super::go_away::{go_away_outcome, go_away_reason, reset_outcome};
use super::message::{Message, judge};
use crate::backend::{Authorization, Backend, Farewell, Health, Profile, Takes, check_host};
use crate::error::Error;
use crate::http::{Authority, HeaderBlock, Request, Response};
use crate::outcome::{Circumstances, Outcome, Reason};
use crate::time::{Now, UnixTime};

/// APNs with one set of credentials, in one environment. Clones share their tokens.
#[derive(Clone, Debug)]
pub struct Service {
    credentials: Credentials,
    hosts: Hosts,
}

impl Service {
    /// Returns APNs with these credentials. `hosts` is usually an
    /// [`Environment`](super::Environment).
    pub fn new(credentials: Credentials, hosts: impl Into<Hosts>) -> Self {
        Self {
            credentials,
            hosts: hosts.into(),
        }
    }

    /// Returns the credentials.
    pub fn credentials(&self) -> &Credentials {
        &self.credentials
    }

    /// Returns the hosts of the environment.
    pub fn hosts(&self) -> &Hosts {
        &self.hosts
    }
}

/// The knowledge that an answer of APNs is read against.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) enum Context {
    /// A push of which nothing more is known.
    #[default]
    Push,
    /// A push to a token that was registered at this time.
    Registered(UnixTime),
    /// A broadcast, which has no device.
    Broadcast,
}

/// A run of this many `InternalServerError` with nothing else between them is no coincidence: APNs
/// then answers everything on that connection so, for hours, while another connection is fine.
const INTERNAL_ERRORS_IN_A_ROW: u32 = 8;

impl Backend for Service {
    type Context = Context;

    fn profile(&self) -> Profile {
        Profile {
            http2_only: true,
            needs_certificate: self.credentials.needs_certificate(),
            // Apple asks to keep connections open.
            idle_timeout: None,
            ping_after: None,
            // Apple minds no PING, and pushes that come minutes apart are its normal case.
            probe_after: Some(std::time::Duration::from_secs(60)),
            makes_tokens: true,
            faults_in_a_row: INTERNAL_ERRORS_IN_A_ROW,
            ..Profile::default()
        }
    }

    fn authorize(&self, now: Now) -> Result<Authorization, Error> {
        self.credentials.authorization(now).map(Authorization::Shared)
    }

    fn authorization(&self, _: &Context, _: &Authority, now: Now) -> Result<Option<Arc<HeaderBlock>>, Error> {
        self.credentials.authorization(now)
    }

    #[inline]
    fn read(&self, response: &Response, context: &Context, now: Now) -> Outcome {
        if response.status == 403 {
            self.credentials.observe_date(response, now);
        }
        match context {
            Context::Push => outcome(response, now),
            Context::Registered(at) => judge(outcome(response, now), Some(*at)),
            Context::Broadcast => broadcast_outcome(response, now),
        }
    }

    fn read_call(&self, response: &Response, now: Now) -> Option<Outcome> {
        Some(self.read(response, &Context::Broadcast, now))
    }

    fn refused(&self, outcome: &Outcome, _: Option<&Authority>, used: u64, now: Now) -> bool {
        let renewed = self.credentials.react(outcome, now) == Reaction::Renewed;
        // Another answer may have renewed the token already.
        let current = self.credentials.authorization(now).ok().flatten();
        renewed || current.is_some_and(|current| current.id() != used)
    }

    fn observe(&self, outcome: &Outcome, now: Now) {
        // APNs may say that it sees too many provider tokens: then none is made for a while.
        self.credentials.react(outcome, now);
    }

    fn refuses_key(&self, outcome: &Outcome) -> bool {
        // The others are about one app of the team or one action.
        matches!(outcome, Outcome::FixCredentials(_))
            && !matches!(
                outcome.reason().map(Reason::as_str),
                Some("TopicDisallowed" | "TopicMismatch" | "Forbidden" | "FeatureNotEnabled")
            )
    }

    fn check_host(&self, request: &Request) -> Result<(), Error> {
        let hosts = &self.hosts;
        check_host(request, &[hosts.device(), hosts.broadcast(), hosts.management()])
    }

    fn answers_at_length(&self, authority: &Authority) -> bool {
        // The list of an app's channels is far longer than the answer to a push.
        authority == self.hosts.management()
    }

    fn on_goaway(&self, debug_data: &[u8]) -> Farewell {
        let refusal = go_away_outcome(debug_data);
        Farewell {
            reason: go_away_reason(debug_data),
            refuses_credentials: matches!(
                refusal,
                Some(Outcome::FixCredentials(arm)) if !arm.refreshable && !arm.reconnect
            ),
        }
    }

    fn on_reset(&self, code: u32) -> Option<Outcome> {
        reset_outcome(code)
    }

    fn health(&self, outcome: &Outcome) -> Health {
        match outcome.reason().map(Reason::as_str) {
            // After it APNs refuses everything on that connection, whatever token comes.
            Some("ExpiredProviderToken") => Health::Spoiled,
            Some("InternalServerError") => Health::Fault,
            _ => Health::Good,
        }
    }
}

impl Takes<Message> for Service {
    fn write(&self, message: &Message, request: &mut Request, _: Now) -> Result<(), Error> {
        self.credentials.permits(message)?;
        message.write(&self.hosts, request)
    }

    fn context(&self, message: &Message) -> Context {
        message.registered_at().map_or(Context::Push, Context::Registered)
    }

    fn circumstances(&self, message: &Message) -> Option<Circumstances> {
        Some(message.circumstances())
    }
}

impl Takes<Broadcast> for Service {
    fn write(&self, broadcast: &Broadcast, request: &mut Request, now: Now) -> Result<(), Error> {
        broadcast.check(&self.credentials, now)?;
        broadcast.write(&self.hosts, request)
    }

    fn context(&self, _: &Broadcast) -> Context {
        Context::Broadcast
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::apns::{Environment, KeyId, TeamId};
    use crate::crypto::Es256Key;

    fn service() -> Service {
        let (key_id, team_id) = (KeyId::parse("ABC123DEFG"), TeamId::parse("DEF123GHIJ"));
        let key = Es256Key::generate().unwrap();
        let credentials = Credentials::token(key_id.unwrap(), team_id.unwrap(), key);
        Service::new(credentials, Environment::Sandbox)
    }

    fn health(status: u16, reason: &str) -> Health {
        let now = Now::new(Duration::ZERO, UnixTime::from_secs(0));
        let response = Response::new(status, format!(r#"{{"reason":"{reason}"}}"#));
        service().health(&outcome(&response, now))
    }

    #[test]
    fn an_expired_token_spoils_its_connection_and_server_errors_make_one_doubt_it() {
        assert_eq!(health(403, "ExpiredProviderToken"), Health::Spoiled);
        assert_eq!(health(500, "InternalServerError"), Health::Fault);
        assert_eq!(health(403, "InvalidProviderToken"), Health::Good);
        assert_eq!(health(410, "Unregistered"), Health::Good);
        assert_eq!(service().profile().faults_in_a_row, 8);
    }

    #[test]
    fn a_service_has_one_key_and_its_clones_share_the_token() {
        let now = Now::new(Duration::ZERO, UnixTime::from_secs(1_700_000_000));
        let block = |service: &Service| match service.authorize(now) {
            Ok(Authorization::Shared(Some(block))) => block.id(),
            _ => panic!("a provider token"),
        };
        let one = service();
        assert_eq!(block(&one), block(&one.clone()));
        assert_ne!(block(&one), block(&service()), "another key");
    }

    #[test]
    fn a_refused_certificate_is_told_by_goaway() {
        let refused = service().on_goaway(br#"{"reason":"BadCertificate"}"#);
        assert!(refused.refuses_credentials);
        assert_eq!(refused.reason.unwrap().as_str(), "BadCertificate");
        assert!(!service().on_goaway(b"").refuses_credentials);
    }
}
