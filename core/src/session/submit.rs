//! Messages on their way into the queue of their host.

use super::entry::{Purpose, State};
use super::pool::{Lane, PoolId};
use super::service::Context;
use super::{SendOptions, Session, Ticket};
use crate::error::{Error, ErrorKind};
use crate::http::Authority;
use crate::service::AsMessage;
use crate::time::Now;

impl Session {
    /// Takes a message, to be sent as soon as a stream is free.
    ///
    /// # Errors
    /// `QueueFull` above [`SessionConfig::max_queued`], and where [`SessionConfig::max_hosts`] are
    /// all busy; `Closed` after [`Session::close`]; `Misuse`
    /// when the message is for another service; and what the message's room finds wrong with it.
    /// A message that is not taken is not counted.
    pub fn submit(
        &mut self,
        message: &(impl AsMessage + ?Sized),
        options: SendOptions,
        now: Now,
    ) -> Result<Ticket, Error> {
        let now = self.tick(now);
        self.check_room()?;
        let slot = self.entries.reserve()?;
        let written = match self.entries.get_mut(slot) {
            Some(entry) => self.service.write(message.as_message(), &mut entry.request, now),
            None => Err(missing()),
        };
        let context = match written {
            Ok(context) => context,
            Err(error) => {
                self.entries.release(slot);
                return Err(error);
            }
        };
        self.enqueue(slot, Purpose::Push, context, options, now)
    }

    #[inline]
    pub(super) fn check_room(&self) -> Result<(), Error> {
        if self.closing {
            return Err(Error::new(ErrorKind::Closed, "the session is closed"));
        }
        match self.capacity() {
            0 => Err(Error::new(
                ErrorKind::QueueFull,
                "the queue is full: fetch outcomes first",
            )),
            _ => Ok(()),
        }
    }

    /// Puts a slot whose request has been written into the queue of its host.
    #[inline]
    pub(super) fn enqueue(
        &mut self,
        slot: u32,
        purpose: Purpose,
        context: Context,
        options: SendOptions,
        now: Now,
    ) -> Result<Ticket, Error> {
        let lane = match purpose {
            Purpose::Call if self.calls.is_some() => Lane::Calls,
            _ if options.suspect => Lane::Suspect,
            _ => Lane::Main,
        };
        let pool = match self.pool_of(slot, lane, now) {
            Ok(pool) => pool,
            Err(error) => {
                self.entries.release(slot);
                return Err(error);
            }
        };
        let Some(entry) = self.entries.get_mut(slot) else {
            return Err(missing());
        };
        let ticket = entry.ticket(slot);
        entry.purpose = purpose;
        entry.tag = options.tag;
        entry.state = State::Queued;
        entry.pool = pool;
        let deadline = options.deadline.unwrap_or(self.config.deadline);
        entry.deadline = now.monotonic.saturating_add(deadline);
        entry.due = entry.deadline;
        entry.queued_at = now.monotonic;
        // It is `None` here already, as it nearly always stays.
        if !matches!(context, Context::None) {
            entry.context = context;
        }
        if self.next_due.is_none_or(|next| entry.due < next) {
            self.next_due = Some(entry.due);
        }
        self.stats.submitted += 1;
        self.stats.queued += 1;
        if let Some(there) = self.pools.get_mut(pool.index()) {
            there.waiting.push_back(ticket);
            there.used_at = now.monotonic;
            if !there.fed {
                there.fed = true;
                self.fed.push(pool);
            }
        }
        Ok(ticket)
    }

    /// Sends what has been submitted since the last look at the session, as far as that goes now.
    pub(super) fn catch_up(&mut self) {
        while let Some(id) = self.fed.pop() {
            if let Some(pool) = self.pools.get_mut(id.index()) {
                pool.fed = false;
            }
            self.pump(id, self.now);
        }
    }

    /// The pool for the request in a slot.
    #[inline]
    fn pool_of(&mut self, slot: u32, lane: Lane, now: Now) -> Result<PoolId, Error> {
        let authority = self
            .entries
            .get(slot)
            .and_then(|entry| entry.request.authority.as_ref());
        let Some(authority) = authority else {
            return Err(Error::new(ErrorKind::Misuse, "the request names no host"));
        };
        if let Some(id) = self.known_pool(authority, lane) {
            return Ok(id);
        }
        let authority = authority.clone();
        self.pool(&authority, lane, now).ok_or_else(|| {
            Error::new(
                ErrorKind::QueueFull,
                "too many hosts at once: fetch outcomes first",
            )
        })
    }

    #[inline]
    pub(super) fn known_pool(&self, authority: &Authority, lane: Lane) -> Option<PoolId> {
        let mut pools = self.pools.iter();
        let index = pools.position(|pool| pool.lane == lane && pool.authority.same(authority))?;
        Some(PoolId(index as u32))
    }
}

/// Never: slots are reserved before they are filled.
fn missing() -> Error {
    Error::new(ErrorKind::Internal, "a reserved slot is missing")
}
