//! A session without sockets, for a program that has its own.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use pushcore::session::{Action as CoreAction, LinkId, Session as CoreSession, Ticket};
use pushcore::{Error, ErrorKind as Kind};

use crate::batch::Ended;
use crate::error::{ErrorKind, PushError};
use crate::event::{Event, Stats};
use crate::message::Message;
use crate::options::{ClientOptions, SendOptions};
use crate::service::Service;
use crate::values::{Seconds, Time};

/// A task for the owner of the sockets.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Enum)]
pub enum Action {
    /// Connect, then call `connected` or `connectFailed`.
    Connect {
        /// The connection.
        link: u64,
        /// The host.
        host: String,
        /// The port.
        port: u16,
    },
    /// Write what is left, as far as that goes without waiting, then close the socket.
    Disconnect {
        /// The connection, which is gone already.
        link: u64,
        /// The bytes that were left to write.
        final_bytes: Vec<u8>,
    },
}

/// A session without sockets: bytes in, bytes out, timers, ends. Proxies are the owner's affair.
#[derive(uniffi::Object)]
pub struct Session {
    session: Mutex<CoreSession>,
    service: Arc<Service>,
}

impl Session {
    /// Nothing in here panics half-way through a change; a poisoned lock is still whole.
    fn lock(&self) -> MutexGuard<'_, CoreSession> {
        self.session.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[uniffi::export]
impl Session {
    /// Returns a session of a service. `at` is for tests, here and below; nil is now.
    #[uniffi::constructor(default(at = None))]
    pub fn open(service: Arc<Service>, options: ClientOptions, at: Option<Time>) -> Result<Arc<Self>, PushError> {
        let security = options.security(service.identity.as_ref())?;
        let session = CoreSession::new(service.service.clone(), security, options.session()?, Time::now(at)?)?;
        Ok(Arc::new(Self { session: Mutex::new(session), service }))
    }

    /// Returns how many messages may be submitted now.
    pub fn capacity(&self) -> Result<u64, PushError> {
        Ok(self.lock().capacity() as u64)
    }

    /// Submits a message; returns its ticket. `tag` comes back with its end.
    #[uniffi::method(default(tag = 0, at = None))]
    pub fn submit(&self, message: Message, options: SendOptions, tag: u64, at: Option<Time>) -> Result<u64, PushError> {
        let (message, options) = (message.read(self.service.policy())?, options.read()?.user_data(tag));
        Ok(self.lock().submit(&message, options, Time::now(at)?)?.to_u64())
    }

    /// Writes what was submitted: once, after as many calls of `submit` as there are messages.
    #[uniffi::method(default(at = None))]
    pub fn flush(&self, at: Option<Time>) -> Result<(), PushError> {
        self.lock().flush(Time::now(at)?);
        Ok(())
    }

    /// Cancels a message. Returns false where it has ended already.
    #[uniffi::method(default(at = None))]
    pub fn cancel(&self, ticket: u64, at: Option<Time>) -> Result<bool, PushError> {
        Ok(self.lock().cancel(Ticket::from_u64(ticket), Time::now(at)?))
    }

    /// Returns the next task for the owner of the sockets; nil where there is none.
    pub fn poll_action(&self) -> Result<Option<Action>, PushError> {
        Ok(match self.lock().poll_action() {
            Some(CoreAction::Connect { link, authority }) => Some(Action::Connect {
                link: link.to_u64(),
                host: authority.host().to_owned(),
                port: authority.port(),
            }),
            Some(CoreAction::Close { link, final_bytes }) => {
                Some(Action::Disconnect { link: link.to_u64(), final_bytes })
            }
            _ => None,
        })
    }

    /// Says that a socket is connected.
    #[uniffi::method(default(at = None))]
    pub fn connected(&self, link: u64, at: Option<Time>) -> Result<(), PushError> {
        self.lock().connected(LinkId::from_u64(link), Time::now(at)?);
        Ok(())
    }

    /// Says that a socket could not be connected, and why.
    #[uniffi::method(default(at = None))]
    pub fn connect_failed(&self, link: u64, kind: ErrorKind, text: String, at: Option<Time>) -> Result<(), PushError> {
        let error = Error::new(Kind::from(kind), text);
        self.lock().connect_failed(LinkId::from_u64(link), error, Time::now(at)?);
        Ok(())
    }

    /// Returns the bytes to be written to a socket; say with `transmitted` how many were.
    pub fn transmit(&self, link: u64) -> Result<Vec<u8>, PushError> {
        Ok(self.lock().transmit(LinkId::from_u64(link)).to_vec())
    }

    /// Says how many bytes of `transmit` were written.
    pub fn transmitted(&self, link: u64, count: u64) -> Result<(), PushError> {
        let (mut session, link) = (self.lock(), LinkId::from_u64(link));
        let shown = session.transmit(link).len();
        let count = usize::try_from(count).unwrap_or(usize::MAX);
        if count > shown {
            return Err(Error::new(Kind::Misuse, "more bytes than transmit has shown").into());
        }
        session.transmitted(link, count);
        Ok(())
    }

    /// Takes bytes that a socket has read.
    #[uniffi::method(default(at = None))]
    pub fn receive(&self, link: u64, bytes: Vec<u8>, at: Option<Time>) -> Result<(), PushError> {
        self.lock().receive(LinkId::from_u64(link), &bytes, Time::now(at)?);
        Ok(())
    }

    /// Says that a socket has ended.
    #[uniffi::method(default(at = None))]
    pub fn receive_eof(&self, link: u64, at: Option<Time>) -> Result<(), PushError> {
        self.lock().receive_eof(LinkId::from_u64(link), Time::now(at)?);
        Ok(())
    }

    /// Returns how long nothing has to be done at most, unless a socket has something; nil is for ever.
    #[uniffi::method(default(at = None))]
    pub fn poll_timeout(&self, at: Option<Time>) -> Result<Option<Seconds>, PushError> {
        let now = Time::now(at)?;
        let until = self.lock().poll_timeout();
        Ok(until.map(|until| until.saturating_sub(now.monotonic).into()))
    }

    /// Does what is due.
    #[uniffi::method(default(at = None))]
    pub fn handle_timeout(&self, at: Option<Time>) -> Result<(), PushError> {
        self.lock().handle_timeout(Time::now(at)?);
        Ok(())
    }

    /// Returns every message that has ended since the last call.
    pub fn take_ended(&self) -> Result<Vec<Ended>, PushError> {
        let mut ended = VecDeque::new();
        self.lock().take_outcomes(&mut ended);
        Ok(ended.iter().map(Ended::from).collect())
    }

    /// Returns what has happened since the last call, at most the last 1,024 events.
    pub fn events(&self) -> Result<Vec<Event>, PushError> {
        let mut session = self.lock();
        let events = std::iter::from_fn(|| session.poll_event());
        Ok(events.map(|event| Event::from(&event)).collect())
    }

    /// Returns how many messages are where.
    pub fn stats(&self) -> Result<Stats, PushError> {
        Ok(Stats::from(&self.lock().stats()))
    }

    /// Takes no more messages; ends when those that were taken have ended.
    #[uniffi::method(default(at = None))]
    pub fn shutdown(&self, at: Option<Time>) -> Result<(), PushError> {
        self.lock().close(Time::now(at)?);
        Ok(())
    }

    /// Returns whether everything has ended and every connection is closed.
    pub fn is_finished(&self) -> Result<bool, PushError> {
        Ok(self.lock().is_closed())
    }
}
