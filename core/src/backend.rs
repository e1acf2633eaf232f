//! What the rest of the crate asks of a push service: the seam between the
//! services below and everything that handles them without knowing which one it has.
//!
//! A service implements [`Backend`] in its `service.rs`, and [`Takes`] for each type of
//! message that it takes; one line in `service/mod.rs` adds it to the enum. Only
//! [`Backend::profile`], [`Backend::authorization`], [`Backend::read`] and
//! [`Backend::check_host`] have no default.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use crate::error::{Error, ErrorKind};
use crate::http::{Authority, HeaderBlock, Request, Response};
use crate::oauth::{TokenProgress, TokenRequest, TokenState};
use crate::outcome::{Circumstances, FixCredentials, Outcome, Reason};
use crate::time::Now;

/// A push service with its credentials and hosts.
pub(crate) trait Backend {
    /// The knowledge that an answer has to be read against, besides the response itself. The default value
    /// stands for an answer about which nothing is known.
    type Context: Default;

    /// Returns the habits of the service that do not change while it is used.
    fn profile(&self) -> Profile;

    /// Returns the authorization of now for a batch of requests.
    fn authorize(&self, now: Now) -> Result<Authorization, Error> {
        let _ = now;
        Ok(Authorization::Shared(None))
    }

    /// Returns the authorization of a single request to `authority`; `None` where the service
    /// puts none into a header. Never asks for a token to be fetched.
    ///
    /// # Errors
    /// `TokenNeeded` when an access token has to be fetched first.
    fn authorization(
        &self,
        context: &Self::Context,
        authority: &Authority,
        now: Now,
    ) -> Result<Option<Arc<HeaderBlock>>, Error>;

    /// Reads the answer to a message. Total: every response has an outcome.
    fn read(&self, response: &Response, context: &Self::Context, now: Now) -> Outcome;

    /// Returns what the answer to a caller's own request says about the authorization and the
    /// connection; `None` where it says nothing.
    fn read_call(&self, response: &Response, now: Now) -> Option<Outcome> {
        let _ = (response, now);
        None
    }

    /// Takes note of an outcome that is about an authorization whose block had the number `used`.
    /// Returns whether the same message, sent with the authorization of now, may be accepted.
    fn refused(&self, outcome: &Outcome, authority: Option<&Authority>, used: u64, now: Now) -> bool {
        let _ = (outcome, authority, used, now);
        false
    }

    /// Takes note of an outcome that refuses no authorization, but may say something about it.
    fn observe(&self, outcome: &Outcome, now: Now) {
        let _ = (outcome, now);
    }

    /// Returns whether an outcome says that the service refuses the key itself, whatever the message. The session
    /// then stops sending with it.
    fn refuses_key(&self, outcome: &Outcome) -> bool {
        matches!(outcome, Outcome::FixCredentials(_))
    }

    /// Returns the part of a message's request that names its token: enough to tell two tokens apart among the
    /// messages of one campaign.
    fn token_in<'a>(&self, request: &'a Request) -> &'a [u8] {
        request.path.as_bytes()
    }

    /// Checks that a caller's own request goes to one of the service's hosts, because the
    /// session adds its credentials.
    fn check_host(&self, request: &Request) -> Result<(), Error>;

    /// Checks an address that a host's name was resolved to.
    fn allow_address(&self, authority: &Authority, address: IpAddr) -> Result<(), Error> {
        let _ = (authority, address);
        Ok(())
    }

    /// Returns whether `authority` answers at length (lists), beyond what answers to pushes need.
    fn answers_at_length(&self, authority: &Authority) -> bool {
        let _ = authority;
        false
    }

    /// Returns the next request to the token endpoint.
    fn token_request(&self, now: Now) -> Result<TokenRequest, Error> {
        let _ = now;
        Err(Error::new(
            ErrorKind::Internal,
            "this service has no token endpoint",
        ))
    }

    /// Takes the token endpoint's answer.
    fn accept_token(&self, response: &Response, now: Now) -> Result<TokenProgress, Error> {
        let _ = (response, now);
        Ok(TokenProgress::Done)
    }

    /// Takes note that a request to the token endpoint got no answer.
    fn token_failed(&self, now: Now) {
        let _ = now;
    }

    /// Reads the debug data of a GOAWAY.
    fn on_goaway(&self, debug_data: &[u8]) -> Farewell {
        let _ = debug_data;
        Farewell::default()
    }

    /// Returns what it says about a message that the service reset its stream with this error code
    /// (RFC 9113 §7); `None` where the code says no more than that there is no answer.
    fn on_reset(&self, code: u32) -> Option<Outcome> {
        let _ = code;
        None
    }

    /// Returns what a refusal says about the connection that it came over, together with the
    /// refusals before it.
    fn health(&self, outcome: &Outcome) -> Health {
        let _ = outcome;
        Health::Good
    }
}

/// A type of message that a service takes.
pub(crate) trait Takes<M>: Backend {
    /// Writes the message into a parked request, without authorization.
    fn write(&self, message: &M, request: &mut Request, now: Now) -> Result<(), Error>;

    /// Returns what the answer to the message has to be read against.
    fn context(&self, message: &M) -> Self::Context {
        let _ = message;
        Self::Context::default()
    }

    /// Returns what could explain the answer beside the token; `None` for a message to no single device.
    fn circumstances(&self, message: &M) -> Option<Circumstances> {
        let _ = message;
        None
    }
}

/// The habits of a service: data for whoever makes its connections.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Profile {
    /// Whether the service speaks nothing but HTTP/2.
    pub(crate) http2_only: bool,
    /// Whether requests are authorized by the certificate that a connection presents.
    pub(crate) needs_certificate: bool,
    /// How long an idle connection is kept; `None` is for ever.
    pub(crate) idle_timeout: Option<Duration>,
    /// How long a connection with requests in flight may be silent before it is asked by a PING;
    /// `None` is the HTTP/2 engine's own habit.
    pub(crate) ping_after: Option<Duration>,
    /// How long a connection may be silent before it is asked whether it still works, ahead of the next message;
    /// `None` trusts it for ever.
    pub(crate) probe_after: Option<Duration>,
    /// The longest answer that is kept, in bytes; `None` is the connection's own limit.
    pub(crate) body_limit: Option<usize>,
    /// How many requests that are not messages the service takes in a second; `None` is any number.
    pub(crate) call_rate: Option<u32>,
    /// Whether authorizations are made here, without a fetch.
    pub(crate) makes_tokens: bool,
    /// Whether the token endpoint is the machine's metadata server: plain HTTP, never through a proxy.
    pub(crate) tokens_from_metadata: bool,
    /// How many faults in a row ([`Health::Fault`]) mean that a connection is of no use.
    pub(crate) faults_in_a_row: u32,
    /// Whether each origin judges the key for itself, as push services do with a VAPID key.
    pub(crate) key_is_judged_by_origin: bool,
}

impl Default for Profile {
    fn default() -> Self {
        Self {
            http2_only: false,
            needs_certificate: false,
            // A connection costs a push service memory; ten minutes bridge the pauses of a busy sender.
            idle_timeout: Some(Duration::from_secs(600)),
            // Front ends of the gRPC kind end the connection of a client that asks more often than
            // every few minutes without requests, and count all PINGs.
            ping_after: Some(Duration::from_secs(60)),
            // The gateways of clouds forget a flow that is idle for four minutes or longer. A request follows each of
            // these PINGs, and its answer makes a front end of the gRPC kind forget that there was one.
            probe_after: Some(Duration::from_secs(180)),
            body_limit: None,
            call_rate: None,
            makes_tokens: false,
            tokens_from_metadata: false,
            faults_in_a_row: u32::MAX,
            key_is_judged_by_origin: false,
        }
    }
}

/// The authorization of a batch of requests.
pub(crate) enum Authorization {
    /// One header block for every request; `None` where the service puts nothing into a header.
    Shared(Option<Arc<HeaderBlock>>),
    /// A block of its own for every request: ask [`Backend::authorization`].
    Each,
    /// An access token that is fetched from a token endpoint.
    Token(TokenState),
}

/// The content of a GOAWAY.
#[derive(Debug, Default)]
pub(crate) struct Farewell {
    /// The service's word; `None` where the debug data is not in the service's form.
    pub(crate) reason: Option<Reason>,
    /// Whether the service refuses the credentials, so that another connection would end the same way.
    pub(crate) refuses_credentials: bool,
}

/// The health of a connection, as a refusal that came over it shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Health {
    /// The connection works.
    Good,
    /// One of these proves nothing, many in a row do.
    Fault,
    /// The connection will bring nothing but refusals.
    Spoiled,
}

/// Which requests share connections; two classes to one host never do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Traffic {
    /// Messages.
    Main,
    /// Messages to tokens that were never seen good, because a `BadDeviceToken` throttles its whole
    /// APNs connection.
    Suspect,
    /// A caller's own requests, where the service bounds their rate, so that messages do not wait behind them.
    Calls,
    /// Requests to a token endpoint.
    Token,
    /// Requests to the machine's metadata server: plain HTTP/1.1, never through a proxy.
    Metadata,
}

impl Traffic {
    /// Returns whether the session's own requests for tokens go here, and no caller's.
    pub(crate) fn is_for_tokens(self) -> bool {
        matches!(self, Traffic::Token | Traffic::Metadata)
    }
}

/// Checks that a request goes to one of these hosts.
///
/// # Errors
/// `Misuse` when the request names no host, or another one.
pub(crate) fn check_host(request: &Request, hosts: &[&Authority]) -> Result<(), Error> {
    let host = host(request)?;
    match hosts.contains(&host) {
        true => Ok(()),
        false => Err(Error::new(
            ErrorKind::Misuse,
            "the request is for another host than the service's",
        )),
    }
}

/// Returns the host of a request.
///
/// # Errors
/// `Misuse` when the request names none.
pub(crate) fn host(request: &Request) -> Result<&Authority, Error> {
    let host = request.authority.as_ref();
    host.ok_or_else(|| Error::new(ErrorKind::Misuse, "the request names no host"))
}

/// Returns what a 401 says about an access token: a new one may help.
pub(crate) fn unauthorized(response: &Response) -> Option<Outcome> {
    let renewable = FixCredentials {
        refreshable: true,
        ..FixCredentials::default()
    };
    (response.status == 401).then_some(Outcome::FixCredentials(renewable))
}
