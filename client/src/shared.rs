//! What a client's threads share: the session, and who waits for what.

use std::collections::VecDeque;
use std::collections::btree_map::{BTreeMap, Entry};
use std::time::Duration;

use pushcore::http::Response;
use pushcore::net::Processed;
use pushcore::outcome::OnSuspicion;
use pushcore::service::MessageRef;
use pushcore::session::{Ended, SendOptions, SessionEvent, Ticket};
use pushcore::{Error, ErrorKind, Now, Outcome};

use crate::driver::Driver;
use crate::gather::Gather;
use crate::watch::WATCHED;

/// The number of events that are kept for a caller that does not fetch them; as many as a session keeps.
const MAX_EVENTS: usize = 1024;

#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) driver: Driver,
    /// Somebody is in `poll`.
    pub(crate) polling: bool,
    /// The number of threads that wait for the thread that is polling.
    pub(crate) others: usize,
    /// Answers for `send`, until fetched.
    pub(crate) answered: BTreeMap<Ticket, Result<Outcome, Error>>,
    /// The calls whose answer somebody waits for, and the answer until it is fetched.
    calls: BTreeMap<Ticket, Option<Result<Response, Error>>>,
    /// Answers for `send_many`, by its number.
    batches: BTreeMap<u32, VecDeque<Ended>>,
    next_batch: u32,
    /// On its way from the session to those who wait; empty in between.
    ended: VecDeque<Ended>,
    /// Told to the log, and kept for [`Client::poll_event`](crate::Client::poll_event). Only where somebody listens.
    events: VecDeque<SessionEvent>,
    /// When the sockets were last looked at.
    pub(crate) looked_at: Duration,
    pub(crate) gather: Gather,
    /// How many wait for a single answer each.
    pub(crate) single: usize,
}

/// The waiter for a message, as the message's [`SendOptions::driver_data`] names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Waiting {
    /// `send`.
    One,
    /// The number of the batch, never 0, and what it calls the message.
    Batch(u32, u32),
}

impl Waiting {
    fn driver_data(self) -> u64 {
        match self {
            Waiting::One => 0,
            Waiting::Batch(number, name) => u64::from(number) << 32 | u64::from(name),
        }
    }

    #[inline]
    pub(crate) fn of(data: u64) -> Self {
        match ((data >> 32) as u32, (data & 0xffff_ffff) as u32) {
            (0, _) => Waiting::One,
            (number, name) => Waiting::Batch(number, name),
        }
    }
}

impl Shared {
    pub(crate) fn new(driver: Driver, gather: Gather) -> Self {
        Self {
            driver,
            polling: false,
            others: 0,
            answered: BTreeMap::new(),
            calls: BTreeMap::new(),
            batches: BTreeMap::new(),
            next_batch: 1,
            ended: VecDeque::new(),
            events: VecDeque::new(),
            looked_at: Duration::ZERO,
            gather,
            single: 0,
        }
    }

    /// Submits a message whose end one caller waits for.
    pub(crate) fn submit(
        &mut self,
        message: MessageRef<'_>,
        options: SendOptions,
        now: Now,
    ) -> Result<Ticket, Error> {
        let ticket = self.submit_at(message, options, Waiting::One, now)?;
        self.single += 1;
        Ok(ticket)
    }

    /// Submits one of many, which share one look at the clock.
    #[inline]
    pub(crate) fn submit_at(
        &mut self,
        message: MessageRef<'_>,
        options: SendOptions,
        waiting: Waiting,
        now: Now,
    ) -> Result<Ticket, Error> {
        let options = options.driver_data(waiting.driver_data());
        self.driver.session.submit(&message, options, now)
    }

    /// The events that no log has been told of yet; a copy of each is kept. Empty where nobody listens.
    pub(crate) fn unreported(&mut self) -> Vec<SessionEvent> {
        let mut new = Vec::new();
        while let Some(event) = WATCHED.then(|| self.driver.session.poll_event()).flatten() {
            if self.events.len() >= MAX_EVENTS {
                self.events.pop_front();
            }
            self.events.push_back(event.clone());
            new.push(event);
        }
        new
    }

    /// The next event for the caller.
    pub(crate) fn poll_event(&mut self) -> Option<SessionEvent> {
        match WATCHED {
            true => self.events.pop_front(),
            false => self.driver.session.poll_event(),
        }
    }

    /// Somebody waits for the answer to an exchange.
    pub(crate) fn expect_call(&mut self, ticket: Ticket) {
        self.calls.insert(ticket, None);
        self.single += 1;
    }

    /// The answer to an exchange, once it is there.
    pub(crate) fn fetch_call(&mut self, ticket: Ticket) -> Option<Result<Response, Error>> {
        self.calls.get(&ticket)?.as_ref()?;
        self.calls.remove(&ticket).flatten()
    }

    /// Nobody waits any more.
    pub(crate) fn forget_call(&mut self, ticket: Ticket) {
        if let Some(None) = self.calls.remove(&ticket) {
            self.single = self.single.saturating_sub(1);
            let now = self.driver.clock.now();
            self.driver.session.cancel(ticket, now);
        }
    }

    /// A number for a `send_many`, under which its results are kept.
    pub(crate) fn begin_batch(&mut self) -> u32 {
        loop {
            let number = self.next_batch;
            self.next_batch = number.wrapping_add(1).max(1);
            if let Entry::Vacant(place) = self.batches.entry(number) {
                place.insert(VecDeque::new());
                return number;
            }
        }
    }

    /// Whether results of a `send_many` have landed.
    pub(crate) fn has_results(&self, number: u32) -> bool {
        self.batches.get(&number).is_some_and(|batch| !batch.is_empty())
    }

    /// The results of a `send_many` that have landed, in exchange for an empty list whose room is
    /// used for the next ones. Some may be of a batch before it: [`Ended::driver_data`] tells.
    pub(crate) fn swap_results(&mut self, number: u32, empty: &mut VecDeque<Ended>) {
        if let Some(batch) = self.batches.get_mut(&number) {
            std::mem::swap(batch, empty);
        }
    }

    /// Ends the messages of a `send_many` whose doubtful answers are held back, when these are all that is left of
    /// it. `left` is how many messages have not ended.
    pub(crate) fn release_last(&mut self, number: u32, left: u64) {
        let session = &mut self.driver.session;
        let held = session.held(|data| is_of(data, number)) as u64;
        if held > 0 && held == left {
            let now = self.driver.clock.now();
            session.release_held(|data| is_of(data, number), now);
            self.deliver();
        }
    }

    /// Whether a bulk send that wants it is to stop: many answers in a row blame the tokens.
    pub(crate) fn is_stopped(&self, options: &SendOptions) -> bool {
        options.on_suspicion == OnSuspicion::Stop && self.driver.session.is_mix_up_suspected()
    }

    /// The end of a `send_many`: what it has not got an answer for is cancelled.
    pub(crate) fn end_batch(&mut self, number: u32) {
        self.cancel_all_of_batch(number);
        self.batches.remove(&number);
    }

    /// Cancels what has not ended of a bulk send, which is still told the ends.
    pub(crate) fn cancel_batch(&mut self, number: u32) {
        self.cancel_all_of_batch(number);
        self.deliver();
    }

    fn cancel_all_of_batch(&mut self, number: u32) {
        let session = &mut self.driver.session;
        let is_ours = |ticket: &Ticket| {
            session
                .driver_data(*ticket)
                .is_some_and(|data| is_of(data, number))
        };
        let tickets = session.unfinished().map(|(ticket, _)| ticket);
        let ours: Vec<Ticket> = tickets.filter(is_ours).collect();
        let now = self.driver.clock.now();
        session.cancel_all(&ours, now);
        session.release_held(|data| is_of(data, number), now);
    }

    /// Cancels every message of a [`Batch`](crate::Batch) of which the service cannot have seen anything;
    /// each of them still ends as `Cancelled`. Returns the number of messages that were cancelled.
    pub(crate) fn withdraw_of_batch(&mut self, number: u32) -> usize {
        let now = self.driver.clock.now();
        let session = &mut self.driver.session;
        let unseen = session
            .unfinished()
            .filter(|(_, processed)| *processed == Processed::No);
        let tickets: Vec<Ticket> = unseen.map(|(ticket, _)| ticket).collect();
        let ours = tickets.into_iter().filter(|ticket| {
            session
                .driver_data(*ticket)
                .is_some_and(|data| is_of(data, number))
        });
        let ours: Vec<Ticket> = ours.collect();
        session.cancel_all(&ours, now)
    }

    /// Cancels one message of a [`Batch`](crate::Batch), which is still told its end.
    pub(crate) fn cancel_of_batch(&mut self, number: u32, ticket: Ticket) -> bool {
        let now = self.driver.clock.now();
        let session = &mut self.driver.session;
        session
            .driver_data(ticket)
            .is_some_and(|data| is_of(data, number))
            && session.cancel(ticket, now)
    }

    /// Hands every outcome to the one who waits for it, and counts them.
    pub(crate) fn deliver(&mut self) -> u64 {
        let mut ended = std::mem::take(&mut self.ended);
        self.driver.session.take_outcomes(&mut ended);
        let mut count = ended.len() as u64;
        let alone = self.single == 0 && self.batches.len() == 1;
        match self.batches.values_mut().next() {
            // By far the most frequent case: all of them at once.
            Some(batch) if alone && batch.is_empty() => std::mem::swap(batch, &mut ended),
            _ => {
                for one in ended.drain(..) {
                    self.hand_over(one);
                }
            }
        }
        self.ended = ended;
        while let Some((ticket, result)) = self.driver.session.poll_response() {
            count += 1;
            if let Some(place) = self.calls.get_mut(&ticket) {
                *place = Some(result);
                self.single = self.single.saturating_sub(1);
            }
        }
        count
    }

    fn hand_over(&mut self, ended: Ended) {
        match Waiting::of(ended.driver_data) {
            Waiting::One => {
                self.single = self.single.saturating_sub(1);
                self.answered.insert(ended.ticket, ended.into_result());
            }
            Waiting::Batch(number, _) => {
                if let Some(batch) = self.batches.get_mut(&number) {
                    batch.push_back(ended);
                }
            }
        }
    }
}

/// The end of a message that a stopped bulk send has taken and not sent.
///
/// For those who drive a [`Session`](pushcore::session::Session) themselves and want the same ends.
pub fn stopped() -> Error {
    let cause = Error::new(
        ErrorKind::MixUpSuspected,
        "many answers in a row blame the tokens: check the configuration first",
    );
    Error::new(ErrorKind::NotSent, "the bulk send was stopped").with_source(cause)
}

fn is_of(data: u64, number: u32) -> bool {
    matches!(Waiting::of(data), Waiting::Batch(batch, _) if batch == number)
}
