//! A service with its credentials, and what it says of messages without a connection (L1).

use std::time::Duration;

use pushcore::service::{self, Authorized, Service as Value};
use pushcore::{Error, ErrorKind};

use crate::error::ErrorObject;
use crate::guard::{Status, entry, give, value, wanted, write};
use crate::handle::{borrow, free, handles, put};
use crate::http::{Request, Response};
use crate::kinds::service_number;
use crate::message::Message;
use crate::outcome::{Outcome, millis};
use crate::view::{CNow, Versioned, View, fill};

/// A push service with its credentials and hosts. May be shared between threads; what is made from it shares its tokens.
pub struct Service {
    pub(crate) service: Value,
    /// The client certificate of the credentials; `None` where they are no certificate.
    #[cfg(feature = "net")]
    pub(crate) identity: Option<pushcore::net::tls::ClientIdentity>,
}

handles! {
    Service = 9 "pushcore_service",
}

impl Service {
    pub(crate) fn new(service: impl Into<Value>) -> Self {
        Self {
            service: service.into(),
            #[cfg(feature = "net")]
            identity: None,
        }
    }
}

/// Requests can be made.
pub const PUSHCORE_AUTHORIZATION_READY: u32 = 1;
/// An access token has to be fetched first: send the request.
pub const PUSHCORE_AUTHORIZATION_FETCH: u32 = 2;
/// There is no access token and nothing to send: ask again at `until_ms`, or hand one in.
pub const PUSHCORE_AUTHORIZATION_WAIT: u32 = 3;

/// Whether requests can be authorized now.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct Authorization {
    /// sizeof(pushcore_authorization), set by the caller.
    pub struct_size: u32,
    /// A PUSHCORE_AUTHORIZATION_ constant.
    pub state: u32,
    /// When to ask again, on the monotonic clock; UINT64_MAX where the caller brings the tokens, 0 where nothing waits.
    pub until_ms: u64,
}

// SAFETY: repr(C), begins with struct_size, zeroes are a value.
unsafe impl Versioned for Authorization {
    const FIRST: usize = size_of::<Self>();
}

/// Returns the PUSHCORE_SERVICE_ constant; 0 for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pushcore_service_kind(service: *const Service) -> u32 {
    value!(0, { service_number(borrow(service, "service")?.service.kind()) })
}

/// The request that sends the message, complete with its authorization, for any HTTP client. PUSHCORE_ERROR_TOKEN_NEEDED when an access
/// token has to be fetched first: see pushcore_service_authorization.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pushcore_service_request(
    service: *const Service,
    message: *const Message,
    now: CNow,
    out: *mut *mut Request,
    error: *mut *mut ErrorObject,
) -> Status {
    entry!(error, {
        let (service, message) = (borrow(service, "service")?, borrow(message, "message")?);
        let request = service.service.request(&message.message, now.into())?;
        give(out, Request::new(request))
    })
}

/// Reads the answer to the message. Never fails for anything that a server can send.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pushcore_service_outcome(
    service: *const Service,
    message: *const Message,
    response: *const Response,
    now: CNow,
    out: *mut *mut Outcome,
    error: *mut *mut ErrorObject,
) -> Status {
    entry!(error, {
        let (service, message) = (borrow(service, "service")?, borrow(message, "message")?);
        let response = borrow(response, "response")?;
        let outcome = service
            .service
            .outcome(&message.message, &response.response, now.into());
        give(out, Outcome { outcome })
    })
}

/// Tells whether requests can be authorized now. `request` gets the request of an access token that has to be sent (or, when the state is
/// ready, may be sent meanwhile), and NULL where there is none. Only one of all callers that share the credentials is given it, and ends
/// it with pushcore_service_accept_token or pushcore_service_token_failed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pushcore_service_authorization(
    service: *const Service,
    now: CNow,
    state: *mut Authorization,
    request: *mut *mut Request,
    error: *mut *mut ErrorObject,
) -> Status {
    entry!(error, {
        let service = borrow(service, "service")?;
        wanted(state, "state")?;
        wanted(request, "request")?;
        // The struct is looked at first, because a request that was handed out and not delivered would hold up all others.
        fill(
            state,
            &Authorization {
                struct_size: 0,
                state: 0,
                until_ms: 0,
            },
            "state",
        )?;
        let (number, until, token) = match service.service.authorization(now.into())? {
            Authorized::Ready { renew } => (PUSHCORE_AUTHORIZATION_READY, 0, renew),
            Authorized::Fetch(token) => (PUSHCORE_AUTHORIZATION_FETCH, 0, Some(token)),
            Authorized::Wait { until } => (PUSHCORE_AUTHORIZATION_WAIT, until.map_or(u64::MAX, millis), None),
            _ => return Err(Error::new(ErrorKind::Internal, "an authorization without a number").into()),
        };
        let made = Authorization {
            struct_size: 0,
            state: number,
            until_ms: until,
        };
        fill(state, &made, "state")?;
        let handle = token.map_or(std::ptr::null_mut(), |token| put(Request::of_token(token)));
        write(request, handle);
        Ok(())
    })
}

/// Takes the token endpoint's answer. `done` gets false when it was one step of several: ask pushcore_service_authorization again.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pushcore_service_accept_token(
    service: *const Service,
    response: *const Response,
    now: CNow,
    done: *mut bool,
    error: *mut *mut ErrorObject,
) -> Status {
    entry!(error, {
        let (service, response) = (borrow(service, "service")?, borrow(response, "response")?);
        let progress = service.service.accept_token(&response.response, now.into())?;
        write(done, progress == pushcore::oauth::TokenProgress::Done);
        Ok(())
    })
}

/// Takes note that the token request got no answer.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pushcore_service_token_failed(
    service: *const Service,
    now: CNow,
    error: *mut *mut ErrorObject,
) -> Status {
    entry!(error, {
        borrow(service, "service")?.service.token_failed(now.into());
        Ok(())
    })
}

/// Hands in a token that the caller has: an access token of FCM or ADM with its lifetime, or a provider token of APNs, which knows its own
/// age (`lifetime_ms` is 0 then). `taken` gets false when APNs's is older than the one there is.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pushcore_service_supply_token(
    service: *const Service,
    token: View,
    lifetime_ms: u64,
    now: CNow,
    taken: *mut bool,
    error: *mut *mut ErrorObject,
) -> Status {
    entry!(error, {
        let service = borrow(service, "service")?;
        let (token, lifetime) = (token.text("token")?, Duration::from_millis(lifetime_ms));
        let is_taken = match &service.service {
            service::Service::Apns(apns) => apns.credentials().import_token(token, now.into())?,
            service::Service::Fcm(fcm) => {
                fcm.credentials().supply_token(token, lifetime, now.into())?;
                true
            }
            service::Service::Adm(adm) => {
                adm.credentials().supply_token(token, lifetime, now.into())?;
                true
            }
            other => {
                let context = format!("{} has no tokens", other.kind());
                return Err(Error::new(ErrorKind::Misuse, context).into());
            }
        };
        write(taken, is_taken);
        Ok(())
    })
}

/// Gives the service back. Clients and sessions that were made from it go on.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pushcore_service_free(service: *mut Service) {
    value!((), { free(service) });
}
