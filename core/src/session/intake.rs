//! What a session takes: whether there is room, and where it waits.

use super::config::{Priority, SendOptions};
use super::id::Ticket;
use super::ledger::{Entrant, Manner, Marks, Purpose};
use super::service::Context;
use super::shared::Shared;
use crate::backend::Traffic;
use crate::error::{Error, ErrorKind};
use crate::http::Request;
use crate::net::SendError;
use crate::net::h2::check_path;
use crate::outcome::Circumstances;
use crate::service::MessageRef;
use crate::time::Now;

/// The part of a session that takes messages and calls.
#[derive(Debug, Default)]
pub(super) struct Intake {
    closed: bool,
}

impl Intake {
    // Getters

    /// Whether nothing is taken any more.
    pub(super) fn is_closed(&self) -> bool {
        self.closed
    }

    /// How many more messages are taken now.
    #[inline]
    pub(super) fn capacity(&self, shared: &Shared) -> usize {
        if self.closed {
            0
        } else {
            shared
                .config
                .max_queued
                .saturating_sub(shared.ledger.queued() as usize)
        }
    }

    /// How many more messages with these options are to be handed in now.
    pub(super) fn capacity_for(&self, shared: &Shared, options: &SendOptions, now: Now) -> usize {
        match options.bulk && shared.ledger.queued() > 0 && shared.hosts.are_paused(now.monotonic) {
            true => 0,
            false => self.capacity_of(shared, options.effective_priority()),
        }
    }

    /// How many more messages of a priority are taken now.
    #[inline]
    fn capacity_of(&self, shared: &Shared, priority: Priority) -> usize {
        let capacity = self.capacity(shared);
        match priority {
            Priority::Interactive => capacity,
            Priority::Bulk => capacity.saturating_sub(shared.config.max_queued / 8),
        }
    }

    /// # Errors
    /// `Closed` where nothing is taken any more.
    #[inline]
    pub(super) fn check_open(&self) -> Result<(), Error> {
        match self.closed {
            true => Err(Error::new(ErrorKind::Closed, "the session is closed")),
            false => Ok(()),
        }
    }

    /// # Errors
    /// `Closed` where nothing is taken any more, `QueueFull` where there is no room.
    #[inline]
    fn check_capacity(&self, shared: &Shared, options: SendOptions) -> Result<(), Error> {
        self.check_open()?;
        match self.capacity_of(shared, options.effective_priority()) {
            0 => Err(Error::new(
                ErrorKind::QueueFull,
                "the queue is full: fetch outcomes first",
            )),
            _ => Ok(()),
        }
    }

    // Commands

    /// Takes nothing any more.
    pub(super) fn close(&mut self) {
        self.closed = true;
    }

    /// Takes a message, which waits in the queue of its host from then on.
    ///
    /// # Errors
    /// As [`Session::submit`](super::Session::submit).
    #[inline]
    pub(super) fn take_message(
        &self,
        shared: &mut Shared,
        message: MessageRef<'_>,
        options: SendOptions,
        now: Now,
    ) -> Result<Ticket, Error> {
        self.check_capacity(shared, options)?;
        let (slot, request) = shared.ledger.reserve()?;
        match shared.service.write(message, request, now) {
            Ok(context) => {
                let circumstances = shared.service.circumstances(message);
                Self::enqueue(shared, slot, Purpose::Push, context, circumstances, options, now)
            }
            Err(error) => {
                shared.ledger.release(slot);
                Err(error)
            }
        }
    }

    /// Takes a request to one of the service's hosts, which waits in its queue from then on.
    ///
    /// # Errors
    /// As [`Session::exchange`](super::Session::exchange).
    pub(super) fn take_request(
        &self,
        shared: &mut Shared,
        request: Request,
        options: SendOptions,
        now: Now,
    ) -> Result<Ticket, Error> {
        self.check_capacity(shared, options)?;
        shared.service.check_host(&request)?;
        if let Err(SendError::Invalid(error)) = check_path(&request.path) {
            return Err(error);
        }
        let slot = shared.ledger.reserve_with(request)?;
        Self::enqueue(shared, slot, Purpose::Call, Context::None, None, options, now)
    }

    /// Puts a slot whose request has been written into the queue of its host.
    #[inline]
    fn enqueue(
        shared: &mut Shared,
        slot: u32,
        purpose: Purpose,
        context: Context,
        circumstances: Option<Circumstances>,
        options: SendOptions,
        now: Now,
    ) -> Result<Ticket, Error> {
        let traffic = match purpose {
            Purpose::Call if shared.limits.bound_calls() => Traffic::Calls,
            _ if options.suspect => Traffic::Suspect,
            _ => Traffic::Main,
        };
        let host = match shared.host_of(slot, traffic, now) {
            Ok(host) => host,
            Err(error) => {
                shared.ledger.release(slot);
                return Err(error);
            }
        };
        let deadline = options.deadline.unwrap_or(shared.config.deadline);
        let manner = Manner {
            bulk: options.bulk,
            patient: options.bulk && options.deadline.is_none(),
            priority: options.effective_priority(),
            on_suspicion: options.on_suspicion,
        };
        let begins = match manner.patient {
            true => shared
                .hosts
                .get(host)
                .map_or(now.monotonic, |host| host.sends_from(now.monotonic)),
            false => now.monotonic,
        };
        let entrant = Entrant {
            purpose,
            host,
            marks: Marks {
                user_data: options.user_data,
                driver_data: options.driver_data,
            },
            deadline: begins.saturating_add(deadline),
            circumstances,
            manner,
        };
        let ticket = shared.ledger.queue(slot, entrant, context, now.monotonic)?;
        shared
            .hosts
            .push_back(host, manner.priority, ticket, now.monotonic);
        Ok(ticket)
    }
}
