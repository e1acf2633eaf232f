//! A service, a message and a target as values that every language can hold.
//!
//! ```
//! use std::time::Duration;
//! use pushcore::adm::{self, Message, RegistrationId};
//! use pushcore::http::Response;
//! use pushcore::service::{Kind, Service};
//! use pushcore::{Now, UnixTime};
//!
//! # fn main() -> Result<(), pushcore::Error> {
//! let credentials = adm::Credentials::new("amzn1.application-oa2-client.1", "client-secret")?;
//! let service = Service::from(adm::Service::new(credentials, adm::default_authority()));
//! assert_eq!(service.kind(), Kind::Adm);
//!
//! let now = Now::new(Duration::ZERO, UnixTime::from_secs(1_700_000_000));
//! let message = Message::builder().data("score", "3:1").build(RegistrationId::new("amzn1.adm-registration.v3.abc")?)?;
//! let outcome = service.outcome(&message, &Response::new(400, r#"{"reason":"Unregistered"}"#), now);
//! assert_eq!(outcome.name(), "token_gone");
//! # Ok(())
//! # }
//! ```

mod authorized;
mod call;
mod kind;
mod message;
mod target;
mod template;

pub use authorized::Authorized;
pub use call::{AnyCall, Call, CallAnswer};
pub use kind::Kind;
pub use message::{AsMessage, Message, MessageRef};
pub use target::Target;
pub use template::Template;

#[cfg(test)]
pub(crate) mod tests;

use std::net::IpAddr;
use std::sync::Arc;

use crate::backend::{self, Authorization, Backend, Farewell, Health, Profile, Takes};
use crate::error::{Error, ErrorKind};
use crate::http::{Authority, HeaderBlock, Request, Response};
use crate::oauth::{Fetch, TokenProgress, TokenRequest};
use crate::outcome::{Circumstances, Outcome};
use crate::time::Now;
use crate::{adm, apns, baidu, fcm, webpush};

macro_rules! services {
    ($($(#[$doc:meta])* $name:ident($room:ident): $($message:ident)+,)*) => {
        /// A push service with its credentials and hosts: a value that can be cloned, sent to
        /// another thread and shared. Clones share their tokens.
        ///
        /// Made with `from` or `into` out of a service's own type, for example [`apns::Service`].
        #[derive(Clone, Debug)]
        #[non_exhaustive]
        pub enum Service {
            $($(#[$doc])* $name($room::Service),)*
        }

        $(
            impl From<$room::Service> for Service {
                fn from(service: $room::Service) -> Self {
                    Service::$name(service)
                }
            }
        )*

        /// The knowledge that an answer has to be read against. Made when a message is written, kept until
        /// the answer comes.
        #[derive(Debug, Default)]
        pub(crate) enum Context {
            /// The answer speaks for itself.
            #[default]
            None,
            $($name(<$room::Service as Backend>::Context),)*
        }

        impl Service {
            /// Returns the name of the service.
            pub const fn kind(&self) -> Kind {
                match self {
                    $(Service::$name(_) => Kind::$name,)*
                }
            }

            /// Writes a message into a parked request, without authorization.
            ///
            /// # Errors
            /// `Misuse` when the message is for another service; what the service finds wrong with the message.
            #[inline]
            pub(crate) fn write(
                &self,
                message: MessageRef<'_>,
                request: &mut Request,
                now: Now,
            ) -> Result<Context, Error> {
                match (self, message) {
                    $($(
                        (Service::$name(service), MessageRef::$message(message)) => {
                            service.write(message, request, now)?;
                            Ok(Context::$name(service.context(message)))
                        }
                    )+)*
                    _ => Err(another_service()),
                }
            }

            /// Returns what the answer to a message has to be read against.
            fn context(&self, message: MessageRef<'_>) -> Context {
                match (self, message) {
                    $($(
                        (Service::$name(service), MessageRef::$message(message)) => {
                            Context::$name(service.context(message))
                        }
                    )+)*
                    _ => Context::None,
                }
            }

            /// Returns what could explain the answer to a message beside its token.
            #[inline]
            pub(crate) fn circumstances(&self, message: MessageRef<'_>) -> Option<Circumstances> {
                match (self, message) {
                    $($(
                        (Service::$name(service), MessageRef::$message(message)) => service.circumstances(message),
                    )+)*
                    _ => None,
                }
            }

            /// Reads the answer to a message.
            #[inline]
            pub(crate) fn read(&self, response: &Response, context: &Context, now: Now) -> Outcome {
                match (self, context) {
                    $((Service::$name(service), Context::$name(context)) => service.read(response, context, now),)*
                    $((Service::$name(service), _) => service.read(response, &Default::default(), now),)*
                }
            }

            /// Returns the authorization of a single request to `authority`.
            pub(crate) fn authorization_of(
                &self,
                context: &Context,
                authority: &Authority,
                now: Now,
            ) -> Result<Option<Arc<HeaderBlock>>, Error> {
                match (self, context) {
                    $((Service::$name(service), Context::$name(context)) => {
                        service.authorization(context, authority, now)
                    })*
                    $((Service::$name(service), _) => service.authorization(&Default::default(), authority, now),)*
                }
            }
        }

        /// Calls a method of [`Backend`] on whichever service it is.
        macro_rules! dispatch {
            ($self:ident, $service:ident => $call:expr) => {
                match $self {
                    $(Service::$name($service) => $call,)*
                }
            };
        }
    };
}

// One line a service: its name, its folder, and the messages that it takes.
services! {
    /// Amazon Device Messaging.
    Adm(adm): Adm AdmAudience,
    /// Apple Push Notification service.
    Apns(apns): Apns ApnsBroadcast,
    /// Baidu Cloud Push.
    Baidu(baidu): Baidu,
    /// Firebase Cloud Messaging.
    Fcm(fcm): Fcm,
    /// Web Push.
    WebPush(webpush): WebPush,
}

/// L1: requests and answers, for callers with an HTTP client of their own.
impl Service {
    /// Returns the request that sends `message`, complete with its authorization.
    ///
    /// # Errors
    /// `Misuse` when the message is for another service; `TokenNeeded` when an access token has
    /// to be fetched first, see [`Service::authorization`]; what the service finds wrong with the message.
    pub fn request(&self, message: &(impl AsMessage + ?Sized), now: Now) -> Result<Request, Error> {
        let mut request = Request::new();
        let context = self.write(message.as_message(), &mut request, now)?;
        let host = backend::host(&request)?;
        let authorization = self.authorization_of(&context, host, now)?;
        request.authorization = authorization;
        Ok(request)
    }

    /// Reads the answer to `message`. Knows by itself what the answer has to be read against: when
    /// the token was registered (APNs), the registration id (ADM), the subscription (Web Push).
    pub fn outcome(&self, message: &(impl AsMessage + ?Sized), response: &Response, now: Now) -> Outcome {
        self.read(response, &self.context(message.as_message()), now)
    }

    /// Returns whether requests can be authorized now, and the request to send first where an
    /// access token is wanted. Its answer goes to [`Service::accept_token`].
    ///
    /// Only one of all callers that share the credentials is given the request. Whoever is given it must end it with
    /// [`Service::accept_token`] or [`Service::token_failed`].
    ///
    /// # Errors
    /// What makes an authorization or a token request impossible.
    pub fn authorization(&self, now: Now) -> Result<Authorized, Error> {
        match self.authorize(now)? {
            Authorization::Shared(_) | Authorization::Each => Ok(Authorized::Ready { renew: None }),
            Authorization::Token(state) => {
                let request = match state.fetch() {
                    Some(Fetch::Request) => Some(self.token_request(now)?),
                    Some(Fetch::SubjectToken | Fetch::HostToken) | None => None,
                };
                Ok(Authorized::of(&state, request))
            }
        }
    }

    /// Takes the token endpoint's answer to the request of [`Service::authorization`].
    ///
    /// # Errors
    /// `TokenRefused` when the endpoint refuses the credentials; `TokenAnswerInvalid` when its answer makes no sense.
    pub fn accept_token(&self, response: &Response, now: Now) -> Result<TokenProgress, Error> {
        dispatch!(self, service => service.accept_token(response, now))
    }

    /// Takes note that the request of [`Service::authorization`] got no answer.
    pub fn token_failed(&self, now: Now) {
        dispatch!(self, service => service.token_failed(now))
    }
}

/// The questions of a session; see [`Backend`] for each.
impl Service {
    pub(crate) fn profile(&self) -> Profile {
        dispatch!(self, service => service.profile())
    }

    #[inline]
    pub(crate) fn authorize(&self, now: Now) -> Result<Authorization, Error> {
        dispatch!(self, service => service.authorize(now))
    }

    pub(crate) fn read_call(&self, response: &Response, now: Now) -> Option<Outcome> {
        dispatch!(self, service => service.read_call(response, now))
    }

    pub(crate) fn refused(
        &self,
        outcome: &Outcome,
        authority: Option<&Authority>,
        used: u64,
        now: Now,
    ) -> bool {
        dispatch!(self, service => service.refused(outcome, authority, used, now))
    }

    pub(crate) fn observe(&self, outcome: &Outcome, now: Now) {
        dispatch!(self, service => service.observe(outcome, now))
    }

    pub(crate) fn check_host(&self, request: &Request) -> Result<(), Error> {
        dispatch!(self, service => service.check_host(request))
    }

    pub(crate) fn allow_address(&self, authority: &Authority, address: IpAddr) -> Result<(), Error> {
        dispatch!(self, service => service.allow_address(authority, address))
    }

    pub(crate) fn answers_at_length(&self, authority: &Authority) -> bool {
        dispatch!(self, service => service.answers_at_length(authority))
    }

    pub(crate) fn token_request(&self, now: Now) -> Result<TokenRequest, Error> {
        dispatch!(self, service => service.token_request(now))
    }

    pub(crate) fn on_goaway(&self, debug_data: &[u8]) -> Farewell {
        dispatch!(self, service => service.on_goaway(debug_data))
    }

    pub(crate) fn on_reset(&self, code: u32) -> Option<Outcome> {
        dispatch!(self, service => service.on_reset(code))
    }

    pub(crate) fn refuses_key(&self, outcome: &Outcome) -> bool {
        dispatch!(self, service => service.refuses_key(outcome))
    }

    pub(crate) fn token_in<'a>(&self, request: &'a Request) -> &'a [u8] {
        dispatch!(self, service => service.token_in(request))
    }

    pub(crate) fn health(&self, outcome: &Outcome) -> Health {
        dispatch!(self, service => service.health(outcome))
    }
}

fn another_service() -> Error {
    Error::new(ErrorKind::Misuse, "this message is for another service")
}
