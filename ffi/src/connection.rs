//! One connection (L2): TLS and HTTP as a state machine.

use std::collections::HashMap;
use std::sync::Arc;

use pushcore::http::Authority;
use pushcore::net::{self, CloseReason, ConnectionConfig, Event, Processed, Protocols, RequestId, SendError};
use pushcore::{Error, ErrorKind};

use crate::error::ErrorObject;
use crate::guard::{Failure, Status, entry, give, value, wanted, write};
use crate::handle::{borrow, borrow_mut, free, handles, put};
use crate::http::{Request, Response};
use crate::network::{Network, NetworkOptions};
use crate::outcome::millis;
use crate::session::millis_up;
use crate::view::{CNow, View, no_such};

/// A connection. It opens no socket and reads no clock. Used by one thread at a time.
pub struct Connection {
    connection: net::Connection,
    /// The requests without an answer, by the caller's numbers and back.
    requests: HashMap<u64, RequestId>,
    numbers: HashMap<RequestId, u64>,
    next: u64,
}

handles! {
    Connection = 20 "pushcore_connection",
}

/// HTTP/2 or nothing.
pub const PUSHCORE_PROTOCOLS_HTTP2: u32 = 1;
/// HTTP/2 or HTTP/1.1, as the server chooses.
pub const PUSHCORE_PROTOCOLS_HTTP2_OR_HTTP1: u32 = 2;
/// HTTP/1.1 only.
pub const PUSHCORE_PROTOCOLS_HTTP1: u32 = 3;

/// Nothing happened.
pub const PUSHCORE_CONNECTION_NOTHING: u32 = 0;
/// Requests can be sent.
pub const PUSHCORE_CONNECTION_READY: u32 = 1;
/// The final response to `request`: `response`, to be freed.
pub const PUSHCORE_CONNECTION_RESPONSE: u32 = 2;
/// No response to `request` will come: `failure`, to be freed. `number` is 1 when the service may have acted on it, and 0 when it
/// certainly has not.
pub const PUSHCORE_CONNECTION_FAILED: u32 = 3;
/// The server changed its settings: `number` is MAX_CONCURRENT_STREAMS.
pub const PUSHCORE_CONNECTION_SETTINGS: u32 = 4;
/// The server sent GOAWAY: `number` is its error code. Requests that it may still answer go on.
pub const PUSHCORE_CONNECTION_DRAINING: u32 = 5;
/// A PING was answered: `number` is the round trip in milliseconds.
pub const PUSHCORE_CONNECTION_ROUND_TRIP: u32 = 6;
/// The end: `failure`, to be freed, or NULL for an orderly one.
pub const PUSHCORE_CONNECTION_CLOSED: u32 = 7;

/// An event of a connection.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct CConnectionEvent {
    /// A PUSHCORE_CONNECTION_ constant.
    pub kind: u32,
    /// Zero: takes the place of padding.
    pub reserved: u32,
    /// The request's number.
    pub request: u64,
    /// As the constants say.
    pub number: u64,
    /// As the constants say; otherwise NULL.
    pub response: *mut Response,
    /// As the constants say; otherwise NULL.
    pub failure: *mut ErrorObject,
}

/// Opens a connection to `authority` (`host:port`); `protocols` is a PUSHCORE_PROTOCOLS_ constant. Of `options`, which may be NULL, TLS,
/// `connect_timeout_ms` and `http2` count here.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pushcore_connection_new(
    authority: View,
    protocols: u32,
    options: *const NetworkOptions,
    now: CNow,
    out: *mut *mut Connection,
    error: *mut *mut ErrorObject,
) -> Status {
    entry!(error, {
        let authority = Authority::parse(authority.text("authority")?)?;
        let (session, security) = Network::read(options, None)?.of_session()?;
        let mut config = ConnectionConfig::new(security);
        config.handshake_timeout = session.connect_timeout;
        if let Some(http2) = session.http2 {
            config.http2 = http2;
        }
        config.http2.huffman_literals = session.compact_headers;
        config.protocols = match protocols {
            PUSHCORE_PROTOCOLS_HTTP2 => Protocols::Http2Only,
            PUSHCORE_PROTOCOLS_HTTP2_OR_HTTP1 => Protocols::Http2OrHttp1,
            PUSHCORE_PROTOCOLS_HTTP1 => Protocols::Http1Only,
            _ => return Err(no_such("protocols")),
        };
        let connection = net::Connection::new(&Arc::new(config), &authority, now.into())?;
        give(
            out,
            Connection {
                connection,
                requests: HashMap::new(),
                numbers: HashMap::new(),
                next: 1,
            },
        )
    })
}

/// Sends a request. `number` comes back with its end. PUSHCORE_ERROR_QUEUE_FULL when no stream can be opened now,
/// PUSHCORE_ERROR_CLOSED when the connection is draining or closed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pushcore_connection_send(
    connection: *mut Connection,
    request: *const Request,
    now: CNow,
    number: *mut u64,
    error: *mut *mut ErrorObject,
) -> Status {
    entry!(error, {
        wanted(number, "number")?;
        let mut connection = borrow_mut(connection, "connection")?;
        let request = borrow(request, "request")?;
        let sent = connection.connection.send(&request.request, now.into());
        let id = sent.map_err(|refusal| match refusal {
            SendError::Full => Error::new(ErrorKind::QueueFull, "no stream can be opened now"),
            SendError::Closed => Error::new(ErrorKind::Closed, "the connection is draining or closed"),
            SendError::Invalid(error) => error,
            _ => Error::new(ErrorKind::Internal, "a refusal without a number"),
        })?;
        let made = connection.next;
        connection.next += 1;
        connection.requests.insert(made, id);
        connection.numbers.insert(id, made);
        write(number, made);
        Ok(())
    })
}

/// Resets the stream of a request. `cancelled` gets false when it has ended already; it may be NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pushcore_connection_cancel(
    connection: *mut Connection,
    number: u64,
    now: CNow,
    cancelled: *mut bool,
    error: *mut *mut ErrorObject,
) -> Status {
    entry!(error, {
        let mut connection = borrow_mut(connection, "connection")?;
        let id = connection.requests.remove(&number);
        let is_cancelled = id.is_some_and(|id| {
            connection.numbers.remove(&id);
            connection.connection.cancel(id, now.into())
        });
        write(cancelled, is_cancelled);
        Ok(())
    })
}

/// Takes bytes from the socket.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pushcore_connection_receive(
    connection: *mut Connection,
    bytes: View,
    now: CNow,
    error: *mut *mut ErrorObject,
) -> Status {
    entry!(error, {
        let bytes = bytes.bytes("bytes")?;
        borrow_mut(connection, "connection")?
            .connection
            .receive(bytes, now.into());
        Ok(())
    })
}

/// The socket has come to its end, or failed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pushcore_connection_receive_eof(
    connection: *mut Connection,
    now: CNow,
    error: *mut *mut ErrorObject,
) -> Status {
    entry!(error, {
        borrow_mut(connection, "connection")?
            .connection
            .receive_eof(now.into());
        Ok(())
    })
}

/// Time has passed. Calling it too often does no harm.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pushcore_connection_handle_timeout(
    connection: *mut Connection,
    now: CNow,
    error: *mut *mut ErrorObject,
) -> Status {
    entry!(error, {
        borrow_mut(connection, "connection")?
            .connection
            .handle_timeout(now.into());
        Ok(())
    })
}

/// Tells when pushcore_connection_handle_timeout has to be called, on the monotonic clock in milliseconds, rounded up; UINT64_MAX is never.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pushcore_connection_deadline(
    connection: *mut Connection,
    monotonic_ms: *mut u64,
    error: *mut *mut ErrorObject,
) -> Status {
    entry!(error, {
        wanted(monotonic_ms, "monotonic_ms")?;
        let deadline = borrow_mut(connection, "connection")?.connection.poll_timeout();
        write(monotonic_ms, deadline.map_or(u64::MAX, millis_up));
        Ok(())
    })
}

/// Shows the bytes that are to be written to the socket now, until the next call.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pushcore_connection_transmit(
    connection: *mut Connection,
    bytes: *mut View,
    error: *mut *mut ErrorObject,
) -> Status {
    entry!(error, {
        wanted(bytes, "bytes")?;
        let mut connection = borrow_mut(connection, "connection")?;
        write(bytes, View::of(connection.connection.transmit()));
        Ok(())
    })
}

/// The first `count` bytes of what pushcore_connection_transmit showed have been written.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pushcore_connection_transmitted(
    connection: *mut Connection,
    count: usize,
    error: *mut *mut ErrorObject,
) -> Status {
    entry!(error, {
        let mut connection = borrow_mut(connection, "connection")?;
        if count > connection.connection.transmit().len() {
            let context = "more bytes were written than there were to write";
            return Err(Error::new(ErrorKind::Misuse, context).into());
        }
        connection.connection.transmitted(count);
        Ok(())
    })
}

/// Gives the next event: PUSHCORE_CONNECTION_NOTHING when there is none.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pushcore_connection_poll_event(
    connection: *mut Connection,
    out: *mut CConnectionEvent,
    error: *mut *mut ErrorObject,
) -> Status {
    entry!(error, {
        wanted(out, "the output")?;
        let mut connection = borrow_mut(connection, "connection")?;
        write(out, event(&mut connection)?);
        Ok(())
    })
}

fn event(connection: &mut Connection) -> Result<CConnectionEvent, Failure> {
    let Connection {
        connection,
        requests,
        numbers,
        ..
    } = connection;
    let empty = CConnectionEvent {
        kind: PUSHCORE_CONNECTION_NOTHING,
        reserved: 0,
        request: 0,
        number: 0,
        response: std::ptr::null_mut(),
        failure: std::ptr::null_mut(),
    };
    let mut ended = |id: RequestId| {
        let number = numbers.remove(&id).unwrap_or_default();
        requests.remove(&number);
        number
    };
    let failed = |error: &Error| put(ErrorObject::new(error.clone().into()));
    Ok(match connection.poll_event() {
        None => empty,
        Some(Event::Ready) => CConnectionEvent {
            kind: PUSHCORE_CONNECTION_READY,
            ..empty
        },
        Some(Event::Response { id, response }) => CConnectionEvent {
            kind: PUSHCORE_CONNECTION_RESPONSE,
            request: ended(id),
            response: put(Response {
                response: response.clone(),
            }),
            ..empty
        },
        Some(Event::Failed { id, processed, error }) => CConnectionEvent {
            kind: PUSHCORE_CONNECTION_FAILED,
            request: ended(id),
            number: u64::from(processed == Processed::Unknown),
            failure: failed(error),
            ..empty
        },
        Some(Event::SettingsChanged {
            max_concurrent_streams,
        }) => CConnectionEvent {
            kind: PUSHCORE_CONNECTION_SETTINGS,
            number: u64::from(max_concurrent_streams),
            ..empty
        },
        Some(Event::Draining(away)) => CConnectionEvent {
            kind: PUSHCORE_CONNECTION_DRAINING,
            number: u64::from(away.code),
            ..empty
        },
        Some(Event::RoundTrip(time)) => CConnectionEvent {
            kind: PUSHCORE_CONNECTION_ROUND_TRIP,
            number: millis(time),
            ..empty
        },
        Some(Event::Closed(reason)) => CConnectionEvent {
            kind: PUSHCORE_CONNECTION_CLOSED,
            failure: match reason {
                CloseReason::Failed(error) => failed(error),
                _ => std::ptr::null_mut(),
            },
            ..empty
        },
        Some(_) => return Err(Error::new(ErrorKind::Internal, "an event without a number").into()),
    })
}

/// Tells how many requests can be sent now.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pushcore_connection_capacity(
    connection: *mut Connection,
    capacity: *mut usize,
    error: *mut *mut ErrorObject,
) -> Status {
    entry!(error, {
        wanted(capacity, "capacity")?;
        write(
            capacity,
            borrow_mut(connection, "connection")?.connection.capacity(),
        );
        Ok(())
    })
}

/// Sends a PING. `sent` gets false over HTTP/1.1 and while one is under way; it may be NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pushcore_connection_ping(
    connection: *mut Connection,
    now: CNow,
    sent: *mut bool,
    error: *mut *mut ErrorObject,
) -> Status {
    entry!(error, {
        let is_sent = borrow_mut(connection, "connection")?.connection.ping(now.into());
        write(sent, is_sent);
        Ok(())
    })
}

/// Takes no more requests; closes the connection when those under way have ended.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pushcore_connection_close(
    connection: *mut Connection,
    now: CNow,
    error: *mut *mut ErrorObject,
) -> Status {
    entry!(error, {
        borrow_mut(connection, "connection")?.connection.close(now.into());
        Ok(())
    })
}

/// Tells whether the connection is over: when nothing is left to write either, close the socket.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pushcore_connection_is_closed(
    connection: *mut Connection,
    closed: *mut bool,
    error: *mut *mut ErrorObject,
) -> Status {
    entry!(error, {
        wanted(closed, "closed")?;
        write(
            closed,
            borrow_mut(connection, "connection")?.connection.is_closed(),
        );
        Ok(())
    })
}

/// Gives the connection back. Its socket is the owner's to close.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pushcore_connection_free(connection: *mut Connection) {
    value!((), { free(connection) });
}
