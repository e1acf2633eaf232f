//! What a client's threads share: the session, and who waits for what.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::time::Duration;

use pushcore::http::Response;
use pushcore::session::{MessageRef, SendOptions, Ticket};
use pushcore::{Error, Now, Outcome};

use crate::driver::Driver;
use crate::gather::Gather;

/// A message of a batch that has ended, what its batch calls it, and how it ended.
pub(crate) type Ended = (Ticket, u32, Result<Outcome, Error>);

#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) driver: Driver,
    /// Somebody is in `poll`.
    pub(crate) polling: bool,
    /// So many wait for that one.
    pub(crate) others: usize,
    /// Who waits for which ticket, by the ticket's slot.
    pub(crate) waiting: Vec<Option<(Ticket, Waiting)>>,
    /// Answers for `send`, until fetched.
    pub(crate) answered: HashMap<Ticket, Result<Outcome, Error>>,
    /// Answers for `exchange`, until fetched.
    pub(crate) responses: HashMap<Ticket, Result<Response, Error>>,
    /// Answers for `send_many`, by its number.
    pub(crate) batches: BTreeMap<u64, VecDeque<Ended>>,
    pub(crate) next_batch: u64,
    /// When the sockets were last looked at.
    pub(crate) looked_at: Duration,
    pub(crate) gather: Gather,
    /// How many wait for a single answer each.
    pub(crate) single: usize,
}

#[derive(Clone, Copy, Debug)]
pub(crate) enum Waiting {
    One,
    Call,
    /// The batch, and what it calls the message.
    Batch(u64, u32),
}

impl Shared {
    pub(crate) fn submit(
        &mut self,
        message: MessageRef<'_>,
        options: SendOptions,
        waiting: Waiting,
    ) -> Result<Ticket, Error> {
        let now = self.driver.clock.now();
        self.submit_at(message, options, waiting, now)
    }

    /// [`Shared::submit`] for many at a time, which share one look at the clock.
    pub(crate) fn submit_at(
        &mut self,
        message: MessageRef<'_>,
        options: SendOptions,
        waiting: Waiting,
        now: Now,
    ) -> Result<Ticket, Error> {
        let ticket = self.driver.session.submit(&message, options, now)?;
        self.expect(ticket, waiting);
        Ok(ticket)
    }

    pub(crate) fn expect(&mut self, ticket: Ticket, waiting: Waiting) {
        if self.waiting.len() <= ticket.slot() {
            self.waiting.resize(ticket.slot() + 1, None);
        }
        if let Some(place) = self.waiting.get_mut(ticket.slot()) {
            *place = Some((ticket, waiting));
        }
        self.single += usize::from(!matches!(waiting, Waiting::Batch(..)));
    }

    /// A number for a `send_many`, under which its results are kept.
    pub(crate) fn begin_batch(&mut self) -> u64 {
        let number = self.next_batch;
        self.next_batch = number.wrapping_add(1);
        self.batches.insert(number, VecDeque::new());
        number
    }

    /// The results of a `send_many` that have landed, in exchange for an empty list whose room is
    /// used for the next ones.
    pub(crate) fn swap_results(&mut self, number: u64, empty: &mut VecDeque<Ended>) {
        if let Some(batch) = self.batches.get_mut(&number) {
            std::mem::swap(batch, empty);
        }
    }

    /// Cancels what a `send_many` has not got an answer for.
    pub(crate) fn cancel_batch(&mut self, number: u64) {
        let now = self.driver.clock.now();
        for place in &mut self.waiting {
            if let Some((ticket, Waiting::Batch(batch, _))) = *place {
                if batch == number {
                    *place = None;
                    self.driver.session.cancel(ticket, now);
                }
            }
        }
    }

    /// Cancels one message of a [`Batch`](crate::Batch), which is still told its end.
    pub(crate) fn cancel_of_batch(&mut self, number: u64, ticket: Ticket) -> bool {
        let now = self.driver.clock.now();
        let place = self.waiting.get(ticket.slot()).copied().flatten();
        let ours = place.is_some_and(|(waiting, who)| {
            waiting == ticket && matches!(who, Waiting::Batch(batch, _) if batch == number)
        });
        ours && self.driver.session.cancel(ticket, now)
    }

    /// Hands every outcome to the one who waits for it, and counts them.
    pub(crate) fn deliver(&mut self) -> u64 {
        let mut ended = 0;
        while let Some((ticket, result)) = self.driver.session.poll_outcome() {
            ended += 1;
            match self.waiting.get_mut(ticket.slot()).and_then(Option::take) {
                Some((_, Waiting::One)) => {
                    self.single = self.single.saturating_sub(1);
                    self.answered.insert(ticket, result);
                }
                Some((_, Waiting::Batch(number, name))) => {
                    if let Some(batch) = self.batches.get_mut(&number) {
                        batch.push_back((ticket, name, result));
                    }
                }
                _ => {}
            }
        }
        while let Some((ticket, result)) = self.driver.session.poll_response() {
            ended += 1;
            if self
                .waiting
                .get_mut(ticket.slot())
                .and_then(Option::take)
                .is_some()
            {
                self.single = self.single.saturating_sub(1);
                self.responses.insert(ticket, result);
            }
        }
        ended
    }
}
