//! The blocking client.

use std::sync::Arc;
use std::time::Duration;

use crate::call::{Answer, Call};
use crate::error::ErrorObject;
use crate::event::{CStats, Event, give_stats};
use crate::guard::{Failure, Status, entry, give, value, wanted, write};
use crate::handle::{borrow, free, handles, put};
use crate::http::{Request, Response};
use crate::message::Message;
use crate::network::{CSendOptions, Network, NetworkOptions, send_options};
use crate::outcome::Outcome;
use crate::result::{CResult, Ending};
use crate::service::Service;
use crate::view::CNow;

/// The longest time that one call waits, in milliseconds: a day. Systems count the time-outs of their polls in 32 bits.
const LONGEST_WAIT: u64 = 24 * 3600 * 1000;

/// A client of one service, over as many connections as the load asks for. Share it between threads.
pub struct Client {
    pub(crate) client: Arc<pushcore_client::Client>,
}

handles! {
    Client = 17 "pushcore_client",
}

/// A time-out of the caller's.
pub(crate) fn timeout(ms: u64) -> Duration {
    Duration::from_millis(ms.min(LONGEST_WAIT))
}

/// Reads both clocks as clients do, for functions that take a pushcore_now. Whoever shares a service between a client and other uses takes
/// the time from here, because the age of a token is measured by the monotonic clock.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pushcore_clock_now(out: *mut CNow) -> Status {
    entry!(std::ptr::null_mut(), {
        wanted(out, "the output")?;
        let now = pushcore_client::now();
        write(
            out,
            CNow {
                monotonic_ms: crate::outcome::millis(now.monotonic),
                unix_ms: now.unix.as_millis(),
            },
        );
        Ok(())
    })
}

/// Opens a client; `options` may be NULL. No connection is made before the first message.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pushcore_client_new(
    service: *const Service,
    options: *const NetworkOptions,
    out: *mut *mut Client,
    error: *mut *mut ErrorObject,
) -> Status {
    entry!(error, {
        let service = borrow(service, "service")?;
        let network = Network::read(options, service.identity.as_ref())?;
        let client = pushcore_client::Client::new(service.service.clone(), network.of_client())?;
        give(
            out,
            Client {
                client: Arc::new(client),
            },
        )
    })
}

/// Sends one message and waits for its end, at most for the deadline. `result` and `outcome` may each be NULL. A message that ends
/// without an answer is a failure: PUSHCORE_ERROR_NOT_SENT, PUSHCORE_ERROR_UNKNOWN and so on. `options` may be NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pushcore_client_send(
    client: *const Client,
    message: *const Message,
    options: *const CSendOptions,
    result: *mut CResult,
    outcome: *mut *mut Outcome,
    error: *mut *mut ErrorObject,
) -> Status {
    entry!(error, {
        let (client, message) = (borrow(client, "client")?, borrow(message, "message")?);
        let options = send_options(options)?;
        let answer = client.client.send_with(&message.message, options)?;
        let ending = Ending {
            user_data: 0,
            ticket: u64::MAX,
            result: Ok(answer),
        };
        write(result, ending.plain());
        if let (false, Ok(answer)) = (outcome.is_null(), ending.result) {
            give(outcome, Outcome { outcome: answer })?;
        }
        Ok(())
    })
}

/// Makes a call and waits for its answer, at most for the deadline of the client. Access tokens are fetched by itself.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pushcore_client_call(
    client: *const Client,
    call: *const Call,
    out: *mut *mut Answer,
    error: *mut *mut ErrorObject,
) -> Status {
    entry!(error, {
        wanted(out, "the output")?;
        let (client, call) = (borrow(client, "client")?, borrow(call, "call")?);
        let answer = client.client.call(&call.call)?;
        give(out, Answer::new(answer))
    })
}

/// Sends a request to one of the service's hosts and waits for the answer, whatever it is. The service's authorization is added where
/// the request has none.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pushcore_client_exchange(
    client: *const Client,
    request: *const Request,
    out: *mut *mut Response,
    error: *mut *mut ErrorObject,
) -> Status {
    entry!(error, {
        wanted(out, "the output")?;
        let (client, request) = (borrow(client, "client")?, borrow(request, "request")?);
        let response = client.client.exchange(&request.request)?;
        give(out, Response { response })
    })
}

/// Waits at most `timeout_ms` for an authorization, and has an access token fetched where one is needed. `ready` gets whether there is
/// one now.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pushcore_client_authorize(
    client: *const Client,
    timeout_ms: u64,
    ready: *mut bool,
    error: *mut *mut ErrorObject,
) -> Status {
    entry!(error, {
        let client = borrow(client, "client")?;
        write(ready, client.client.authorization_for(timeout(timeout_ms))?);
        Ok(())
    })
}

/// Counts how many messages of this client are where, up to `struct_size`. In the child of a fork every count is 0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pushcore_client_stats(
    client: *const Client,
    stats: *mut CStats,
    error: *mut *mut ErrorObject,
) -> Status {
    entry!(error, {
        let client = borrow(client, "client")?;
        give_stats(client.client.stats(), client.client.header_bytes(), stats)
    })
}

/// Gives the next thing that happened, for logs and metrics; NULL when there is none. Never waits.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pushcore_client_poll_event(
    client: *const Client,
    out: *mut *mut Event,
    error: *mut *mut ErrorObject,
) -> Status {
    entry!(error, {
        wanted(out, "the output")?;
        let client = borrow(client, "client")?;
        let event = client.client.poll_event();
        write(
            out,
            event.map_or(std::ptr::null_mut(), |event| put(Event::new(event.parts()))),
        );
        Ok(())
    })
}

/// Returns whether many answers in a row blame the tokens, so that the configuration is probably wrong.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pushcore_client_is_mix_up_suspected(client: *const Client) -> bool {
    value!(false, { borrow(client, "client")?.client.is_mix_up_suspected() })
}

/// Takes no more messages, and waits at most `timeout_ms` until those taken have ended and the connections are closed. `closed` gets
/// whether that is so.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pushcore_client_close(
    client: *const Client,
    timeout_ms: u64,
    closed: *mut bool,
    error: *mut *mut ErrorObject,
) -> Status {
    entry!(error, {
        let client = borrow(client, "client")?;
        let end = pushcore_client::now().monotonic + timeout(timeout_ms);
        let is_closed = loop {
            let left = end.saturating_sub(pushcore_client::now().monotonic);
            // One step at a time: each returns as soon as anything has happened.
            let is_closed = client.client.close_for(left)?;
            if is_closed || left.is_zero() {
                break is_closed;
            }
        };
        write(closed, is_closed);
        Ok(())
    })
}

/// Gives the client back. Batches that were begun keep it alive; without any its connections are closed at once.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pushcore_client_free(client: *mut Client) {
    value!((), { free(client) });
}

/// The endpoints that the client's service accepts.
pub(crate) fn policy_of(service: &pushcore::service::Service) -> Arc<pushcore::webpush::EndpointPolicy> {
    match service {
        pushcore::service::Service::WebPush(service) => Arc::clone(service.policy()),
        _ => Arc::default(),
    }
}

impl Client {
    pub(crate) fn policy(&self) -> Result<Arc<pushcore::webpush::EndpointPolicy>, Failure> {
        Ok(policy_of(&self.client.service()?))
    }
}
