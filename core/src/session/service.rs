//! A service in use: its tokens under way, its habits, and what a series of answers has shown.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use crate::backend::{Authorization, Health, Profile, Traffic};
use crate::error::{Error, ErrorKind};
use crate::http::{Authority, HeaderBlock, Request, Response};
use crate::net::{ConnectionConfig, GoAway, Protocols, Security, h2};
use crate::oauth::{Fetch, TokenProgress, TokenState};
use crate::outcome::{Circumstances, Outcome};
use crate::printable::is_obeyed;
use crate::service::{self, MessageRef};
use crate::time::Now;

pub(super) use crate::service::Context;

use super::config::SessionConfig;

/// The next access token is wanted in an hour, so its connection need not be kept for longer, in seconds.
const TOKEN_IDLE: Duration = Duration::from_secs(10);

/// Token endpoints, and lists of channels, answer at greater length than pushes are answered, in bytes.
const LONG_BODY_LIMIT: usize = 1024 * 1024;

/// The longest word of a service that is kept from a GOAWAY, in characters.
const GO_AWAY_TEXT: usize = 256;

/// Whether requests may go out now, and with which authorization.
pub(super) enum Permit {
    Go {
        authorization: Option<Arc<HeaderBlock>>,
        fetch: Option<Request>,
    },
    /// Each with its own: ask [`Service::authorization_of`].
    Each,
    Wait {
        fetch: Option<Request>,
    },
    Refuse(Error),
}

/// A service, how to connect to it, and what its session has learned of it.
#[derive(Debug)]
pub(super) struct Service {
    service: service::Service,
    profile: Profile,
    /// For messages.
    push: Arc<ConnectionConfig>,
    /// For hosts that answer at length.
    long: Arc<ConnectionConfig>,
    /// For token endpoints.
    token: Arc<ConnectionConfig>,
    /// When a token fetch that was refused or failed may be tried again.
    wait_until: Option<Duration>,
    /// The last authorization that was shared by all requests, and when it was asked for: many messages
    /// are submitted at one moment, and what was good for the first is good for all.
    recent: Option<(Now, Option<Arc<HeaderBlock>>)>,
    /// How far the service's clock was ahead of ours when an answer last told, in seconds.
    clock_skew: Option<i64>,
}

impl Service {
    /// Makes the connections' configurations out of the service's habits and the caller's choices.
    ///
    /// # Errors
    /// `InvalidCredential` when the credentials are a certificate that `security` does not present.
    pub(super) fn new(
        service: service::Service,
        security: Security,
        config: &SessionConfig,
    ) -> Result<Self, Error> {
        let profile = service.profile();
        if profile.needs_certificate && !presents_certificate(&security) {
            let context = "the credentials are a certificate: give it to the tls configuration as well";
            return Err(Error::new(ErrorKind::InvalidCredential, context));
        }
        let mut token = ConnectionConfig::new(security.clone());
        token.body_limit = LONG_BODY_LIMIT;
        let mut push = ConnectionConfig::new(security);
        push.http2.huffman_literals = config.compact_headers;
        if let (Some(ping), Some(after)) = (&mut push.http2.ping, profile.ping_after) {
            ping.idle = after;
        }
        if let Some(limit) = profile.body_limit {
            push.body_limit = limit;
        }
        if profile.http2_only {
            push.protocols = Protocols::Http2Only;
            token.protocols = Protocols::Http2Only;
        }
        if let Some(http2) = &config.http2 {
            let habit = push.http2.ping.take();
            push.http2 = http2.clone();
            push.http2.huffman_literals |= config.compact_headers;
            let usual = h2::Config::default();
            // What is as it always is was not chosen: another setting does not take the service's habit away.
            if http2.ping == usual.ping {
                push.http2.ping = habit;
            }
            if http2.max_response_body != usual.max_response_body {
                push.body_limit = http2.max_response_body;
            }
        }
        // Pushes share it where one host does both (`Hosts::all`), so it has all that a push connection has.
        let mut long = push.clone();
        long.body_limit = LONG_BODY_LIMIT.max(push.body_limit);
        Ok(Self {
            service,
            profile,
            push: Arc::new(push),
            long: Arc::new(long),
            token: Arc::new(token),
            wait_until: None,
            recent: None,
            clock_skew: None,
        })
    }

    /// The service as a value.
    pub(super) fn value(&self) -> &service::Service {
        &self.service
    }

    /// Speaks HTTP/1.1 on every connection, for tests that read and write it by hand.
    #[cfg(test)]
    pub(super) fn speak_http1(&mut self) {
        for config in [&mut self.push, &mut self.long, &mut self.token] {
            Arc::make_mut(config).protocols = Protocols::Http1Only;
        }
    }

    /// The configuration of a connection to `authority`.
    pub(super) fn connection_config(&self, traffic: Traffic, authority: &Authority) -> Arc<ConnectionConfig> {
        match traffic {
            Traffic::Token => self.token.clone(),
            Traffic::Metadata => metadata_config(),
            Traffic::Main | Traffic::Suspect | Traffic::Calls => {
                match self.service.answers_at_length(authority) {
                    true => self.long.clone(),
                    false => self.push.clone(),
                }
            }
        }
    }

    /// Writes a message into a parked request, without authorization.
    #[inline]
    pub(super) fn write(
        &self,
        message: MessageRef<'_>,
        request: &mut Request,
        now: Now,
    ) -> Result<Context, Error> {
        self.service.write(message, request, now)
    }

    /// Reads the answer to a message.
    #[inline]
    pub(super) fn outcome(&self, response: &Response, context: &Context, now: Now) -> Outcome {
        self.service.read(response, context, now)
    }

    /// The authorization of now, for a batch of requests.
    pub(super) fn authorize(&mut self, now: Now) -> Permit {
        self.wait_until = None;
        if let Some((at, block)) = &self.recent {
            if *at == now {
                return Permit::Go {
                    authorization: block.clone(),
                    fetch: None,
                };
            }
        }
        match self.service.authorize(now) {
            Ok(Authorization::Shared(authorization)) => {
                self.recent = Some((now, authorization.clone()));
                Permit::Go {
                    authorization,
                    fetch: None,
                }
            }
            Ok(Authorization::Each) => Permit::Each,
            Ok(Authorization::Token(state)) => self.permit(state, now),
            Err(error) => {
                self.recent = None;
                Permit::Refuse(error)
            }
        }
    }

    /// The authorization of one message to `authority`, under [`Permit::Each`].
    pub(super) fn authorization_of(
        &self,
        context: &Context,
        authority: &Authority,
        now: Now,
    ) -> Result<Option<Arc<HeaderBlock>>, Error> {
        self.service.authorization_of(context, authority, now)
    }

    fn permit(&mut self, state: TokenState, now: Now) -> Permit {
        let fetch = match state.fetch() {
            Some(Fetch::Request) => match self.token_request(now) {
                Ok(request) => Some(request),
                Err(error) => {
                    self.token_failed(&error, now);
                    return Permit::Refuse(error);
                }
            },
            // The host brings the token: until then messages wait, up to their deadline.
            Some(Fetch::SubjectToken | Fetch::HostToken) | None => None,
        };
        match state {
            TokenState::Ready(block) | TokenState::ReadyAndFetch(block, _) => Permit::Go {
                authorization: Some(block),
                fetch,
            },
            TokenState::Wait { until } => {
                self.wait_until = Some(until);
                Permit::Wait { fetch }
            }
            TokenState::Fetch(_) => Permit::Wait { fetch },
        }
    }

    fn token_request(&self, now: Now) -> Result<Request, Error> {
        let token = self.service.token_request(now)?;
        // All other connections are encrypted; a secret must not slip out by this one.
        if token.plaintext != self.profile.tokens_from_metadata {
            let context = "a token request and its connection disagree on encryption";
            return Err(Error::new(ErrorKind::Internal, context));
        }
        Ok(token.request)
    }

    /// Takes the token endpoint's answer. `Some` is the next request of several.
    pub(super) fn accept_token(&mut self, response: &Response, now: Now) -> Result<Option<Request>, Error> {
        match self.service.accept_token(response, now)? {
            TokenProgress::NextRequest => self.token_request(now).map(Some),
            TokenProgress::Done => Ok(None),
        }
    }

    /// Takes note that no token came.
    pub(super) fn token_failed(&mut self, error: &Error, now: Now) {
        // The cache knows already of an answer that was read.
        let read = [ErrorKind::TokenRefused, ErrorKind::TokenAnswerInvalid];
        if !read.contains(&error.kind()) {
            self.service.token_failed(now);
        }
    }

    /// The service at `authority` refused the authorization of the block `used`. True when sending again, with
    /// another authorization, makes sense.
    pub(super) fn refused(
        &mut self,
        outcome: &Outcome,
        authority: Option<&Authority>,
        used: Option<u64>,
        now: Now,
    ) -> bool {
        self.recent = None;
        used.is_some_and(|used| self.service.refused(outcome, authority, used, now))
    }

    /// Takes note of an outcome that refuses no authorization, but may say something about it.
    pub(super) fn heed(&mut self, outcome: &Outcome, now: Now) {
        self.service.observe(outcome, now);
    }

    /// When a token may be asked for again.
    pub(super) fn poll_timeout(&self) -> Option<Duration> {
        self.wait_until
    }

    /// The service's word in a GOAWAY, or its debug data as text.
    pub(super) fn go_away_reason(&self, goaway: &GoAway) -> String {
        match self.service.on_goaway(&goaway.debug_data).reason {
            Some(reason) => reason.to_string(),
            None => {
                let text = String::from_utf8_lossy(&goaway.debug_data);
                text.chars()
                    .filter(|c| !is_obeyed(*c))
                    .take(GO_AWAY_TEXT)
                    .collect()
            }
        }
    }

    /// Whether a GOAWAY says that the credentials are at fault.
    pub(super) fn refuses_credentials(&self, goaway: &GoAway) -> bool {
        self.service.on_goaway(&goaway.debug_data).refuses_credentials
    }

    /// Returns the outcome of a message whose stream the service reset with this code; `None` where
    /// it says nothing (RFC 9113 §7).
    pub(super) fn reset_outcome(&self, code: u32) -> Option<Outcome> {
        self.service.on_reset(code)
    }

    pub(super) fn allow_address(&self, authority: &Authority, address: IpAddr) -> Result<(), Error> {
        self.service.allow_address(authority, address)
    }

    /// Where requests for tokens go.
    pub(super) fn token_traffic(&self) -> Traffic {
        match self.profile.tokens_from_metadata {
            true => Traffic::Metadata,
            false => Traffic::Token,
        }
    }

    /// Whether a caller's own request goes to one of the service's hosts.
    pub(super) fn check_host(&self, request: &Request) -> Result<(), Error> {
        self.service.check_host(request)
    }

    /// Returns what the answer to a caller's own request says about the authorization and the connection.
    pub(super) fn verdict(&self, response: &Response, now: Now) -> Option<Outcome> {
        self.service.read_call(response, now)
    }

    /// How long an idle connection is kept; `None` is for ever.
    pub(super) fn idle_timeout(&self, traffic: Traffic, chosen: Option<Duration>) -> Option<Duration> {
        let timeout = chosen.or(self.profile.idle_timeout);
        match traffic {
            Traffic::Token | Traffic::Metadata => Some(timeout.unwrap_or(TOKEN_IDLE).min(TOKEN_IDLE)),
            Traffic::Main | Traffic::Suspect | Traffic::Calls => timeout,
        }
    }

    /// Returns how long a connection may be silent before it is asked whether it still works; `None` is for ever.
    pub(super) fn probe_after(&self, chosen: Option<Duration>) -> Option<Duration> {
        chosen.or(self.profile.probe_after)
    }

    /// Returns what an outcome says about the connection that it came over, and how many faults in a row
    /// mean that the connection is of no use.
    #[inline]
    pub(super) fn health(&self, outcome: &Outcome) -> (Health, u32) {
        let health = match outcome {
            Outcome::Accepted(_) => Health::Good,
            refusal => self.service.health(refusal),
        };
        (health, self.profile.faults_in_a_row)
    }

    /// How many requests that are no messages the service takes in a second.
    pub(super) fn call_rate(&self) -> Option<u32> {
        self.profile.call_rate
    }

    /// Whether tokens are made here, and not fetched.
    pub(super) fn mints_tokens(&self) -> bool {
        self.profile.makes_tokens
    }

    /// How far the service's clock is ahead of ours, the first time that an answer tells: every
    /// request that is under way with the same token brings the same answer.
    pub(super) fn clock_is_wrong(&mut self, outcome: &Outcome) -> Option<i64> {
        let Outcome::FixCredentials(arm) = outcome else {
            return None;
        };
        let seconds = arm.clock_skew?;
        let known = self.clock_skew.is_some_and(|known| known.abs_diff(seconds) <= 60);
        self.clock_skew = Some(seconds);
        (!known).then_some(seconds)
    }

    /// Returns what could explain the answer to a message beside its token; `None` where nothing is known of that.
    #[inline]
    pub(super) fn circumstances(&self, message: MessageRef<'_>) -> Option<Circumstances> {
        self.service.circumstances(message)
    }

    /// Whether an outcome says that the service refuses the key, whatever the message.
    pub(super) fn refuses_key(&self, outcome: &Outcome) -> bool {
        self.service.refuses_key(outcome)
    }

    /// Whether each origin judges the key for itself.
    pub(super) fn key_is_judged_by_origin(&self) -> bool {
        self.profile.key_is_judged_by_origin
    }

    /// The part of a message's request that names its token.
    pub(super) fn token_in<'a>(&self, request: &'a Request) -> &'a [u8] {
        self.service.token_in(request)
    }
}

/// Made anew for each connection, because there is one in an hour.
fn metadata_config() -> Arc<ConnectionConfig> {
    let mut config = ConnectionConfig::new(Security::Cleartext);
    config.protocols = Protocols::Http1Only;
    Arc::new(config)
}

fn presents_certificate(security: &Security) -> bool {
    match security {
        Security::Tls(tls) => tls.identity().is_some(),
        Security::Cleartext => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fcm;

    fn service(http2: impl FnOnce(&mut h2::Config)) -> Service {
        let mut chosen = h2::Config::default();
        http2(&mut chosen);
        let config = SessionConfig {
            http2: Some(chosen),
            ..SessionConfig::default()
        };
        let credentials = fcm::Credentials::host_tokens(fcm::ProjectId::new("project").unwrap());
        let service = fcm::Service::new(credentials, fcm::Hosts::default());
        Service::new(service.into(), Security::Cleartext, &config).unwrap()
    }

    /// FCM's front end is asked after a minute of silence (`docs/decisions/0015-progress-and-order.md`).
    #[test]
    fn a_setting_does_not_take_the_services_habits_away() {
        let idle = |service: &Service| service.push.http2.ping.map(|ping| ping.idle);
        let other = service(|http2| http2.max_in_flight = 7);
        assert_eq!(idle(&other), Some(Duration::from_secs(60)));
        assert_eq!(other.push.http2.max_in_flight, 7);
        let chosen = service(|http2| http2.ping.as_mut().unwrap().idle = Duration::from_secs(20));
        assert_eq!(idle(&chosen), Some(Duration::from_secs(20)));
        assert_eq!(idle(&service(|http2| http2.ping = None)), None);
    }

    #[test]
    fn the_longest_body_can_be_chosen() {
        let usual = service(|_| {}).push.body_limit;
        let chosen = service(|http2| http2.max_response_body = 5);
        assert_eq!(
            (chosen.push.body_limit, chosen.long.body_limit),
            (5, LONG_BODY_LIMIT)
        );
        let huge = service(|http2| http2.max_response_body = 3 << 20);
        assert_eq!((huge.push.body_limit, huge.long.body_limit), (3 << 20, 3 << 20));
        assert_ne!(usual, 5);
    }
}
