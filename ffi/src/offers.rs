//! Many messages at a time, out of arrays of the caller's.

use std::cell::{Cell, RefCell};

use pushcore::Error;
use pushcore::service::{Message as Any, Target, Template as Shape};
use pushcore::session::Ticket;
use pushcore::webpush::EndpointPolicy;

use crate::guard::Failure;
use crate::handle::{Shared, borrow};
use crate::message::{Message, Template};
use crate::result::Ending;
use crate::view::{View, array};

/// The source of each message.
enum Source<'a> {
    Targets {
        template: Shared<'a, Template>,
        targets: &'a [View],
        policy: &'a EndpointPolicy,
    },
    Messages(&'a [*const Message]),
}

/// Messages that are offered one after the other, each with its number: by what is asked, not before.
pub(crate) struct Offers<'a> {
    source: Source<'a>,
    user_data: Option<&'a [u64]>,
    /// The number of the first, where the caller gives none.
    first: u64,
    /// How many were looked at.
    looked_at: Cell<usize>,
    /// Whether the last one that was offered has not been taken yet.
    pending: Cell<bool>,
    /// The numbers and errors of those that ended here, and whether they had been offered.
    refused: RefCell<Vec<(u64, Error, bool)>>,
    /// The ticket of each that is done with, in the caller's order; 0 of one without.
    tickets: RefCell<Vec<u64>>,
}

impl<'a> Offers<'a> {
    /// # Safety
    /// `template` is NULL or a handle, the arrays have `count` readable items, or are NULL.
    pub(crate) unsafe fn of_targets(
        template: *const Template,
        targets: *const View,
        user_data: *const u64,
        count: usize,
        policy: &'a EndpointPolicy,
        first: u64,
    ) -> Result<Self, Failure> {
        // SAFETY: the caller's promise.
        let (template, targets) =
            unsafe { (borrow(template, "template")?, array(targets, count, "targets")?) };
        let source = Source::Targets {
            template,
            targets,
            policy,
        };
        // SAFETY: the caller's promise.
        unsafe { Self::new(source, user_data, count, first) }
    }

    /// # Safety
    /// The arrays have `count` readable items, or are NULL; the messages are handles or NULL.
    pub(crate) unsafe fn of_messages(
        messages: *const *const Message,
        user_data: *const u64,
        count: usize,
        first: u64,
    ) -> Result<Self, Failure> {
        // SAFETY: the caller's promise.
        let messages = unsafe { array(messages, count, "messages") }?;
        // SAFETY: the caller's promise.
        unsafe { Self::new(Source::Messages(messages), user_data, count, first) }
    }

    /// # Safety
    /// `user_data` has `count` readable items, or is NULL.
    unsafe fn new(
        source: Source<'a>,
        user_data: *const u64,
        count: usize,
        first: u64,
    ) -> Result<Self, Failure> {
        let user_data = match user_data.is_null() {
            true => None,
            // SAFETY: the caller's promise.
            false => Some(unsafe { array(user_data, count, "user_data") }?),
        };
        Ok(Self {
            source,
            user_data,
            first,
            looked_at: Cell::new(0),
            pending: Cell::new(false),
            refused: RefCell::default(),
            tickets: RefCell::default(),
        })
    }

    fn len(&self) -> usize {
        match &self.source {
            Source::Targets { targets, .. } => targets.len(),
            Source::Messages(messages) => messages.len(),
        }
    }

    fn number(&self, index: usize) -> u64 {
        match self.user_data {
            Some(numbers) => numbers.get(index).copied().unwrap_or_default(),
            None => self.first.wrapping_add(index as u64),
        }
    }

    fn message(&self, index: usize) -> Result<Any, Error> {
        // SAFETY: whoever made the offers promised for every item.
        let made = unsafe {
            match &self.source {
                Source::Targets {
                    template,
                    targets,
                    policy,
                } => targets[index]
                    .text("target")
                    .and_then(|text| to(&template.template, text, policy)),
                Source::Messages(messages) => {
                    borrow(messages[index], "message").map(|message| message.message.clone())
                }
            }
        };
        made.map_err(Failure::into_error)
    }

    /// The messages from the first to the last that can be offered.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (Any, u64)> {
        std::iter::from_fn(move || {
            loop {
                let index = self.looked_at.get();
                if index >= self.len() {
                    return None;
                }
                self.looked_at.set(index + 1);
                match self.message(index) {
                    Ok(message) => {
                        self.pending.set(true);
                        return Some((message, self.number(index)));
                    }
                    Err(error) => {
                        let refusal = (self.number(index), error, false);
                        self.refused.borrow_mut().push(refusal);
                        self.tickets.borrow_mut().push(0);
                    }
                }
            }
        })
    }

    /// The last one that was offered has been taken, or was refused by whom it was offered to.
    pub(crate) fn told(&self, taken: Result<Ticket, Error>) {
        self.pending.set(false);
        let ticket = taken.as_ref().map_or(0, |ticket| ticket.to_u64());
        self.tickets.borrow_mut().push(ticket);
        if let Err(error) = taken {
            let index = self.looked_at.get().saturating_sub(1);
            self.refused.borrow_mut().push((self.number(index), error, true));
        }
    }

    /// The tickets of those that are done with, in the caller's order; 0 of those that were refused.
    pub(crate) fn tickets(&self) -> Vec<u64> {
        self.tickets.take()
    }

    /// How many are done with, taken or refused: the rest is to be offered again.
    pub(crate) fn done(&self) -> usize {
        self.looked_at.get() - usize::from(self.pending.get())
    }

    /// The ends of those that were refused, each with whether whoever it was offered to knows of it.
    pub(crate) fn refusals(&self) -> impl Iterator<Item = (Ending, bool)> {
        self.refused
            .take()
            .into_iter()
            .map(|(user_data, error, offered)| {
                let ending = Ending {
                    user_data,
                    ticket: 0,
                    result: Err(error),
                };
                (ending, offered)
            })
    }
}

fn to(template: &Shape, text: &str, policy: &EndpointPolicy) -> Result<Any, Failure> {
    let target = Target::parse_under(template.kind(), text, policy)?;
    Ok(template.to(&target)?)
}
