//! A session (L3): messages in, outcomes out, for event loops that own the sockets.

use std::collections::VecDeque;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use pushcore::http::Authority;
use pushcore::session::{self, Action, LinkId, Ticket};
use pushcore::webpush::EndpointPolicy;
use pushcore::{Error, ErrorKind};

use crate::call::Call;
use crate::client::policy_of;
use crate::error::ErrorObject;
use crate::event::{CStats, Event, give_stats};
use crate::guard::{Status, entry, give, value, wanted, write};
use crate::handle::{borrow, borrow_mut, free, handles, put};
use crate::http::{Request, Response};
use crate::message::{Message, Template};
use crate::network::{CSendOptions, Network, NetworkOptions, send_options};
use crate::offers::Offers;
use crate::outcome::Outcome;
use crate::result::{CResult, Ending, Handed, room};
use crate::service::Service;
use crate::view::{CNow, View, copy};

/// A session of one service. It opens no socket and reads no clock. Used by one thread at a time.
pub struct Session {
    pub(crate) session: session::Session,
    policy: Arc<EndpointPolicy>,
    /// The last action that was told, which views point into.
    action: Option<Action>,
    /// Ended in the session, and not handed over yet.
    ended: VecDeque<Ending>,
    taken: VecDeque<session::Ended>,
    handed: Handed,
    /// How many messages were taken: the number of the next one, where the caller gives none.
    count: u64,
    /// The tickets of the messages that were taken last; 0 of those that were refused.
    tickets: Vec<u64>,
}

handles! {
    Session = 19 "pushcore_session",
}

/// There is nothing to do.
pub const PUSHCORE_ACTION_NONE: u32 = 0;
/// Resolve the host, ask pushcore_session_allow_address about each address, connect, then call pushcore_session_connected or
/// pushcore_session_connect_failed.
pub const PUSHCORE_ACTION_CONNECT: u32 = 1;
/// Write `final_bytes` as far as that goes without waiting, then close the socket. There is nothing to report back.
pub const PUSHCORE_ACTION_CLOSE: u32 = 2;

/// A task for the owner of the sockets.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct CAction {
    /// A PUSHCORE_ACTION_ constant.
    pub kind: u32,
    /// The port to connect to.
    pub port: u16,
    /// 1 where the connection is made without a proxy: to the machine's metadata server.
    pub direct: u16,
    /// The connection.
    pub link: u64,
    /// The host to connect to, until the next pushcore_session_poll_action.
    pub host: View,
    /// The bytes that were left to write, until the next pushcore_session_poll_action.
    pub final_bytes: View,
}

/// Opens a session; `options` may be NULL. Proxies are the owner's: what is only of use to a client is refused.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pushcore_session_new(
    service: *const Service,
    options: *const NetworkOptions,
    now: CNow,
    out: *mut *mut Session,
    error: *mut *mut ErrorObject,
) -> Status {
    entry!(error, {
        let service = borrow(service, "service")?;
        let (config, security) = Network::read(options, service.identity.as_ref())?.of_session()?;
        let session = session::Session::new(service.service.clone(), security, config, now.into())?;
        let policy = policy_of(session.service());
        give(
            out,
            Session {
                session,
                policy,
                action: None,
                ended: VecDeque::new(),
                taken: VecDeque::new(),
                handed: Handed::default(),
                count: 0,
                tickets: Vec::new(),
            },
        )
    })
}

/// Takes a message; it leaves at the next pushcore_session_flush at the earliest. `user_data` comes back with its end. `options` and
/// `ticket` may be NULL. PUSHCORE_ERROR_QUEUE_FULL when there is no room.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pushcore_session_submit(
    session: *mut Session,
    message: *const Message,
    user_data: u64,
    options: *const CSendOptions,
    now: CNow,
    ticket: *mut u64,
    error: *mut *mut ErrorObject,
) -> Status {
    entry!(error, {
        let mut session = borrow_mut(session, "session")?;
        let message = borrow(message, "message")?;
        let options = send_options(options)?.user_data(user_data);
        let made = session.session.submit(&message.message, options, now.into())?;
        session.count += 1;
        write(ticket, made.to_u64());
        Ok(())
    })
}

/// Takes the message of `template` to `count` targets, one after the other, until there are no more or the queue is full, as
/// pushcore_batch_submit does, and flushes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pushcore_session_submit_targets(
    session: *mut Session,
    template: *const Template,
    targets: *const View,
    user_data: *const u64,
    count: usize,
    options: *const CSendOptions,
    now: CNow,
    taken: *mut usize,
    error: *mut *mut ErrorObject,
) -> Status {
    entry!(error, {
        wanted(taken, "taken")?;
        let mut session = borrow_mut(session, "session")?;
        let session = &mut *session;
        let policy = Arc::clone(&session.policy);
        let offers = Offers::of_targets(template, targets, user_data, count, &policy, session.count)?;
        let options = send_options(options)?;
        let mut closed = None;
        for (message, number) in offers.iter() {
            let made = session
                .session
                .submit(&message, options.user_data(number), now.into());
            match made {
                Ok(ticket) => offers.told(Ok(ticket)),
                Err(error) if error.kind() == ErrorKind::QueueFull => break,
                Err(error) if error.kind() == ErrorKind::Closed => {
                    closed = Some(error);
                    break;
                }
                Err(error) => offers.told(Err(error)),
            }
        }
        session.session.flush(now.into());
        if let Some(error) = closed {
            return Err(error.into());
        }
        session.count += offers.done() as u64;
        session.tickets = offers.tickets();
        session.ended.extend(offers.refusals().map(|(ending, _)| ending));
        write(taken, offers.done());
        Ok(())
    })
}

/// Writes the tickets of the messages that the last pushcore_session_submit_targets took, in their order, for pushcore_session_cancel: at
/// most `capacity`, and `count` gets how many there are. The ticket of a message that was refused is 0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pushcore_session_tickets(
    session: *mut Session,
    tickets: *mut u64,
    capacity: usize,
    count: *mut usize,
    error: *mut *mut ErrorObject,
) -> Status {
    entry!(error, {
        wanted(count, "count")?;
        let session = borrow_mut(session, "session")?;
        copy(&session.tickets, tickets, capacity, "tickets")?;
        write(count, session.tickets.len());
        Ok(())
    })
}

/// Takes a call. `ticket` comes back from pushcore_session_poll_response. `taken` gets false, and nothing else happens, while the access
/// token that the call needs is being fetched: ask again.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pushcore_session_call(
    session: *mut Session,
    call: *const Call,
    options: *const CSendOptions,
    now: CNow,
    taken: *mut bool,
    ticket: *mut u64,
    error: *mut *mut ErrorObject,
) -> Status {
    entry!(error, {
        wanted(taken, "taken")?;
        let mut session = borrow_mut(session, "session")?;
        let call = borrow(call, "call")?;
        let made = session
            .session
            .call(&call.call, send_options(options)?, now.into())?;
        session.session.flush(now.into());
        write(taken, made.is_some());
        if let Some(made) = made {
            write(ticket, made.to_u64());
        }
        Ok(())
    })
}

/// Takes a request to one of the service's hosts. `ticket` comes back from pushcore_session_poll_response.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pushcore_session_exchange(
    session: *mut Session,
    request: *const Request,
    options: *const CSendOptions,
    now: CNow,
    ticket: *mut u64,
    error: *mut *mut ErrorObject,
) -> Status {
    entry!(error, {
        let mut session = borrow_mut(session, "session")?;
        let request = borrow(request, "request")?;
        let options = send_options(options)?;
        let made = session
            .session
            .exchange(request.request.clone(), options, now.into())?;
        session.session.flush(now.into());
        write(ticket, made.to_u64());
        Ok(())
    })
}

/// Puts the messages that were submitted on streams. Call it once after many submissions: then they leave in one write.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pushcore_session_flush(
    session: *mut Session,
    now: CNow,
    error: *mut *mut ErrorObject,
) -> Status {
    entry!(error, {
        borrow_mut(session, "session")?.session.flush(now.into());
        Ok(())
    })
}

/// Ends a message as cancelled. `cancelled` gets false when it has ended already; it may be NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pushcore_session_cancel(
    session: *mut Session,
    ticket: u64,
    now: CNow,
    cancelled: *mut bool,
    error: *mut *mut ErrorObject,
) -> Status {
    entry!(error, {
        let mut session = borrow_mut(session, "session")?;
        let is_cancelled = session.session.cancel(Ticket::from_u64(ticket), now.into());
        write(cancelled, is_cancelled);
        Ok(())
    })
}

/// Ends the messages whose doubtful answers are held back (PUSHCORE_SEND_BULK): call it when the last message of many was answered.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pushcore_session_release_held(
    session: *mut Session,
    now: CNow,
    error: *mut *mut ErrorObject,
) -> Status {
    entry!(error, {
        borrow_mut(session, "session")?
            .session
            .release_held(|_| true, now.into());
        Ok(())
    })
}

/// Gives the next thing to do: PUSHCORE_ACTION_NONE when there is none.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pushcore_session_poll_action(
    session: *mut Session,
    out: *mut CAction,
    error: *mut *mut ErrorObject,
) -> Status {
    entry!(error, {
        wanted(out, "the output")?;
        let mut session = borrow_mut(session, "session")?;
        session.action = session.session.poll_action();
        let empty = CAction {
            kind: PUSHCORE_ACTION_NONE,
            port: 0,
            direct: 0,
            link: 0,
            host: View::EMPTY,
            final_bytes: View::EMPTY,
        };
        let made = match &session.action {
            Some(Action::Connect { link, authority }) => CAction {
                kind: PUSHCORE_ACTION_CONNECT,
                link: link.to_u64(),
                host: View::of(authority.host().as_bytes()),
                port: authority.port(),
                direct: u16::from(session.session.is_direct(*link)),
                ..empty
            },
            Some(Action::Close { link, final_bytes }) => CAction {
                kind: PUSHCORE_ACTION_CLOSE,
                link: link.to_u64(),
                final_bytes: View::of(final_bytes),
                ..empty
            },
            None => empty,
            Some(_) => return Err(Error::new(ErrorKind::Internal, "an action without a number").into()),
        };
        write(out, made);
        Ok(())
    })
}

/// Says whether the owner may connect to an address, as text, for a host: the endpoint policy's last word after name resolution.
/// PUSHCORE_ERROR_ADDRESS_NOT_ALLOWED when not.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pushcore_session_allow_address(
    session: *mut Session,
    host: View,
    port: u16,
    address: View,
    error: *mut *mut ErrorObject,
) -> Status {
    entry!(error, {
        let session = borrow_mut(session, "session")?;
        let authority = Authority::new(host.text("host")?, port)?;
        let address: IpAddr = address
            .text("address")?
            .parse()
            .map_err(|_| Error::new(ErrorKind::InvalidValue, "not an address"))?;
        session.session.allow_address(&authority, address)?;
        Ok(())
    })
}

/// The socket of `link` is connected.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pushcore_session_connected(
    session: *mut Session,
    link: u64,
    now: CNow,
    error: *mut *mut ErrorObject,
) -> Status {
    entry!(error, {
        borrow_mut(session, "session")?
            .session
            .connected(LinkId::from_u64(link), now.into());
        Ok(())
    })
}

/// The socket of `link` could not be connected: `status` is a PUSHCORE_ERROR_ number such as PUSHCORE_ERROR_CONNECT_REFUSED, `text` says
/// why.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pushcore_session_connect_failed(
    session: *mut Session,
    link: u64,
    status: Status,
    text: View,
    now: CNow,
    error: *mut *mut ErrorObject,
) -> Status {
    entry!(error, {
        let kind = ErrorKind::ALL
            .iter()
            .find(|kind| Status::from(kind.code()) == status)
            .ok_or_else(|| crate::view::no_such("status"))?;
        let failure = Error::new(*kind, text.text("text")?.to_owned());
        borrow_mut(session, "session")?
            .session
            .connect_failed(LinkId::from_u64(link), failure, now.into());
        Ok(())
    })
}

/// Takes bytes from the socket of `link`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pushcore_session_receive(
    session: *mut Session,
    link: u64,
    bytes: View,
    now: CNow,
    error: *mut *mut ErrorObject,
) -> Status {
    entry!(error, {
        let bytes = bytes.bytes("bytes")?;
        borrow_mut(session, "session")?
            .session
            .receive(LinkId::from_u64(link), bytes, now.into());
        Ok(())
    })
}

/// The socket of `link` has come to its end, or failed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pushcore_session_receive_eof(
    session: *mut Session,
    link: u64,
    now: CNow,
    error: *mut *mut ErrorObject,
) -> Status {
    entry!(error, {
        borrow_mut(session, "session")?
            .session
            .receive_eof(LinkId::from_u64(link), now.into());
        Ok(())
    })
}

/// Shows the bytes that are to be written to the socket of `link` now, until the next call.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pushcore_session_transmit(
    session: *mut Session,
    link: u64,
    bytes: *mut View,
    error: *mut *mut ErrorObject,
) -> Status {
    entry!(error, {
        wanted(bytes, "bytes")?;
        let mut session = borrow_mut(session, "session")?;
        write(bytes, View::of(session.session.transmit(LinkId::from_u64(link))));
        Ok(())
    })
}

/// The first `count` bytes of what pushcore_session_transmit showed have been written.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pushcore_session_transmitted(
    session: *mut Session,
    link: u64,
    count: usize,
    error: *mut *mut ErrorObject,
) -> Status {
    entry!(error, {
        let mut session = borrow_mut(session, "session")?;
        let link = LinkId::from_u64(link);
        if count > session.session.transmit(link).len() {
            let context = "more bytes were written than there were to write";
            return Err(Error::new(ErrorKind::Misuse, context).into());
        }
        session.session.transmitted(link, count);
        Ok(())
    })
}

/// Tells when pushcore_session_handle_timeout has to be called, on the monotonic clock in milliseconds, rounded up; UINT64_MAX is never.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pushcore_session_deadline(
    session: *mut Session,
    monotonic_ms: *mut u64,
    error: *mut *mut ErrorObject,
) -> Status {
    entry!(error, {
        wanted(monotonic_ms, "monotonic_ms")?;
        let deadline = borrow_mut(session, "session")?.session.poll_timeout();
        write(monotonic_ms, deadline.map_or(u64::MAX, millis_up));
        Ok(())
    })
}

/// Milliseconds, rounded up: a timer that fires too early fires again at once, and for nothing.
pub(crate) fn millis_up(time: Duration) -> u64 {
    u64::try_from(time.as_nanos().div_ceil(1_000_000)).unwrap_or(u64::MAX)
}

/// Time has passed. Calling it too often does no harm.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pushcore_session_handle_timeout(
    session: *mut Session,
    now: CNow,
    error: *mut *mut ErrorObject,
) -> Status {
    entry!(error, {
        borrow_mut(session, "session")?.session.handle_timeout(now.into());
        Ok(())
    })
}

/// Hands over at most `capacity` messages that have ended. Never waits.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pushcore_session_results(
    session: *mut Session,
    results: *mut CResult,
    capacity: usize,
    count: *mut usize,
    error: *mut *mut ErrorObject,
) -> Status {
    entry!(error, {
        wanted(count, "count")?;
        room(results, capacity)?;
        let mut session = borrow_mut(session, "session")?;
        let session = &mut *session;
        if session.ended.len() < capacity {
            session.session.take_outcomes(&mut session.taken);
            session.ended.extend(session.taken.drain(..).map(Ending::from));
        }
        let handed = session.handed.over(&mut session.ended, results, capacity);
        write(count, handed);
        Ok(())
    })
}

/// Gives the outcome of a message that the last pushcore_session_results handed over, by its position there. When the message had no
/// answer, the failure is the message's own error.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pushcore_session_outcome(
    session: *mut Session,
    index: usize,
    out: *mut *mut Outcome,
    error: *mut *mut ErrorObject,
) -> Status {
    entry!(error, {
        wanted(out, "the output")?;
        borrow_mut(session, "session")?.handed.give_outcome(index, out)
    })
}

/// Gives the error of a message without an answer that the last pushcore_session_results handed over, by its position there.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pushcore_session_error(
    session: *mut Session,
    index: usize,
    out: *mut *mut ErrorObject,
    error: *mut *mut ErrorObject,
) -> Status {
    entry!(error, {
        wanted(out, "the output")?;
        borrow_mut(session, "session")?.handed.give_error(index, out)
    })
}

/// Gives the next call or exchange that has ended: its ticket, and its response, or its failure in `failure`. Both are NULL when none has.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pushcore_session_poll_response(
    session: *mut Session,
    ticket: *mut u64,
    response: *mut *mut Response,
    failure: *mut *mut ErrorObject,
    error: *mut *mut ErrorObject,
) -> Status {
    entry!(error, {
        wanted(ticket, "ticket")?;
        wanted(response, "response")?;
        wanted(failure, "failure")?;
        let ended = borrow_mut(session, "session")?.session.poll_response();
        write(response, std::ptr::null_mut());
        write(failure, std::ptr::null_mut());
        match ended {
            None => Ok(()),
            Some((made, result)) => {
                write(ticket, made.to_u64());
                match result {
                    Ok(answer) => write(response, put(Response { response: answer })),
                    Err(error) => write(failure, put(ErrorObject::new(error.into()))),
                }
                Ok(())
            }
        }
    })
}

/// Gives the next thing that happened, for logs and metrics; NULL when there is none.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pushcore_session_poll_event(
    session: *mut Session,
    out: *mut *mut Event,
    error: *mut *mut ErrorObject,
) -> Status {
    entry!(error, {
        wanted(out, "the output")?;
        let event = borrow_mut(session, "session")?.session.poll_event();
        write(
            out,
            event.map_or(std::ptr::null_mut(), |event| put(Event::new(event.parts()))),
        );
        Ok(())
    })
}

/// Tells how many more messages the session takes now; with `bulk`, how many more of a bulk send: none while a pause that the service has
/// asked for lasts.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pushcore_session_capacity(
    session: *mut Session,
    bulk: bool,
    capacity: *mut usize,
    error: *mut *mut ErrorObject,
) -> Status {
    entry!(error, {
        wanted(capacity, "capacity")?;
        let session = borrow_mut(session, "session")?;
        let room = match bulk {
            true => session.session.bulk_capacity(),
            false => session.session.capacity(),
        };
        write(capacity, room);
        Ok(())
    })
}

/// Counts how many messages are where, up to `struct_size`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pushcore_session_stats(
    session: *mut Session,
    stats: *mut CStats,
    error: *mut *mut ErrorObject,
) -> Status {
    entry!(error, {
        let session = borrow_mut(session, "session")?;
        give_stats(session.session.stats(), session.session.header_bytes(), stats)
    })
}

/// Tells whether many answers in a row blame the tokens, so that the configuration is probably wrong.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pushcore_session_is_mix_up_suspected(
    session: *mut Session,
    suspected: *mut bool,
    error: *mut *mut ErrorObject,
) -> Status {
    entry!(error, {
        wanted(suspected, "suspected")?;
        let is = borrow_mut(session, "session")?.session.is_mix_up_suspected();
        write(suspected, is);
        Ok(())
    })
}

/// Takes no more messages; those taken go on to their end, then the connections are closed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pushcore_session_close(
    session: *mut Session,
    now: CNow,
    error: *mut *mut ErrorObject,
) -> Status {
    entry!(error, {
        borrow_mut(session, "session")?.session.close(now.into());
        Ok(())
    })
}

/// Ends every message now: not sent where nothing was written, unknown otherwise. The results can still be fetched.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pushcore_session_abandon(
    session: *mut Session,
    now: CNow,
    error: *mut *mut ErrorObject,
) -> Status {
    entry!(error, {
        borrow_mut(session, "session")?.session.abandon(now.into());
        Ok(())
    })
}

/// Tells whether every message has ended and every connection is gone, after pushcore_session_close.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pushcore_session_is_closed(
    session: *mut Session,
    closed: *mut bool,
    error: *mut *mut ErrorObject,
) -> Status {
    entry!(error, {
        wanted(closed, "closed")?;
        write(closed, borrow_mut(session, "session")?.session.is_closed());
        Ok(())
    })
}

/// Gives the session back. Its sockets are the owner's to close.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pushcore_session_free(session: *mut Session) {
    value!((), { free(session) });
}
