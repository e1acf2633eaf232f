//! A stream of messages in, a stream of results out.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use pushcore::session::{AsMessage, SendOptions, Ticket};
use pushcore::{Error, ErrorKind, Outcome};

use crate::client::{Client, Ended, Waiting};
use crate::progress::Progress;

/// Yields every message of an iterator with its end, as they land. Made by [`Client::send_many`].
#[must_use = "nothing is sent unless the results are fetched"]
pub struct SendMany<'c, I: Iterator> {
    client: &'c Client,
    messages: I,
    number: u64,
    /// What was submitted and has not ended, by the ticket's slot.
    pending: Vec<Option<I::Item>>,
    /// What has ended, or was refused before anything was sent.
    results: VecDeque<(I::Item, Result<Outcome, Error>)>,
    /// Taken from the iterator while the queue was full.
    held: Option<I::Item>,
    exhausted: bool,
    chunk: usize,
    options: SendOptions,
    progress: Progress,
    report: Option<Report>,
}

struct Report {
    every: Duration,
    next: Instant,
    call: Box<dyn FnMut(&Progress) + Send>,
}

/// The most messages taken from the iterator before the sockets get their turn.
const MAX_CHUNK: usize = 512;

impl<'c, I> SendMany<'c, I>
where
    I: Iterator,
    I::Item: AsMessage,
{
    pub(crate) fn new(client: &'c Client, messages: I) -> Self {
        let number = match client.check_process() {
            Ok(()) => client.lock().begin_batch(),
            // Nothing will be submitted; the lock may have been held when the process forked.
            Err(_) => 0,
        };
        let expected = messages.size_hint().1;
        Self {
            client,
            messages,
            number,
            pending: Vec::new(),
            results: VecDeque::new(),
            held: None,
            exhausted: false,
            chunk: 1,
            options: SendOptions::default(),
            progress: Progress::new(expected),
            report: None,
        }
    }

    /// Options for each message; a deadline runs from the moment it is taken from the iterator.
    pub fn options(mut self, options: SendOptions) -> Self {
        self.options = options;
        self
    }

    /// Calls `report` every so often while results are fetched, and once at the end.
    pub fn on_progress(mut self, every: Duration, report: impl FnMut(&Progress) + Send + 'static) -> Self {
        self.report = Some(Report {
            every,
            next: Instant::now() + every,
            call: Box::new(report),
        });
        self
    }

    /// How far it is.
    pub fn progress(&self) -> &Progress {
        &self.progress
    }

    /// Takes messages from the iterator as long as there is room for them. The lock is not held
    /// while the caller's iterator runs; a slow one gets small chunks, so that results do not wait for it.
    fn take_messages(&mut self) {
        let started = Instant::now();
        for _ in 0..self.chunk {
            let Some(message) = self.held.take().or_else(|| self.messages.next()) else {
                self.exhausted = true;
                break;
            };
            match self.submit(&message) {
                Ok(ticket) => {
                    if self.pending.len() <= ticket.slot() {
                        self.pending.resize_with(ticket.slot() + 1, || None);
                    }
                    if let Some(place) = self.pending.get_mut(ticket.slot()) {
                        *place = Some(message);
                    }
                    self.progress.taken += 1;
                    self.progress.in_flight += 1;
                }
                Err(error) if error.kind() == ErrorKind::QueueFull => {
                    self.held = Some(message);
                    break;
                }
                Err(error) => {
                    // No other message would be taken: the rest stays with the caller's iterator.
                    self.exhausted |= error.kind() == ErrorKind::Closed;
                    self.progress.taken += 1;
                    let result = Err(error);
                    self.progress.count(&result);
                    self.results.push_back((message, result));
                }
            }
        }
        let quick = started.elapsed() < Duration::from_millis(2);
        self.chunk = if quick {
            (self.chunk * 2).min(MAX_CHUNK)
        } else {
            (self.chunk / 2).max(1)
        };
    }

    fn submit(&mut self, message: &I::Item) -> Result<Ticket, Error> {
        self.client.check_process()?;
        let mut shared = self.client.lock();
        // Another thread may have seen the end of one of ours, whose slot is free for this one:
        // the messages that have ended leave theirs first.
        let ended = shared.take_results(self.number);
        let ticket = shared.submit(message.as_message(), self.options, Waiting::Batch(self.number));
        drop(shared);
        self.settle(ended);
        ticket
    }

    /// Gives each result its message.
    fn settle(&mut self, ended: Vec<Ended>) {
        for (ticket, result) in ended {
            self.progress.in_flight = self.progress.in_flight.saturating_sub(1);
            self.progress.count(&result);
            if let Some(message) = self.pending.get_mut(ticket.slot()).and_then(Option::take) {
                self.results.push_back((message, result));
            }
        }
    }

    fn tell(&mut self, finished: bool) {
        let Some(report) = &mut self.report else { return };
        let now = Instant::now();
        if finished || now >= report.next {
            report.next = now + report.every;
            self.progress.elapsed = now.duration_since(self.progress.started);
            (report.call)(&self.progress);
        }
    }
}

impl<I> Iterator for SendMany<'_, I>
where
    I: Iterator,
    I::Item: AsMessage,
{
    type Item = (I::Item, Result<Outcome, Error>);

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if let Some(ended) = self.results.pop_front() {
                return Some(ended);
            }
            if !self.exhausted {
                self.take_messages();
                if !self.results.is_empty() {
                    continue;
                }
            }
            // In a forked child nothing that the parent had in flight will end.
            if (self.exhausted && self.progress.in_flight == 0) || self.client.check_process().is_err() {
                self.tell(true);
                return None;
            }
            // With room left for more messages the sockets only get a glance.
            let full = self.exhausted || self.held.is_some();
            let wait = if full {
                self.report.as_ref().map(|report| report.every)
            } else {
                Some(Duration::ZERO)
            };
            let mut shared = self.client.lock();
            self.client.nudge(&mut shared);
            let mut ended = shared.take_results(self.number);
            if ended.is_empty() {
                shared = self.client.step(shared, wait);
                ended = shared.take_results(self.number);
            }
            drop(shared);
            self.settle(ended);
            self.tell(false);
        }
    }
}

impl<I: Iterator> Drop for SendMany<'_, I> {
    fn drop(&mut self) {
        if self.client.check_process().is_err() {
            return;
        }
        let mut shared = self.client.lock();
        shared.cancel_batch(self.number);
        self.client.nudge(&mut shared);
        shared.batches.remove(&self.number);
    }
}
