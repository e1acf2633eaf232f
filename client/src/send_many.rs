//! A stream of messages in, a stream of results out.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use pushcore::session::{AsMessage, SendOptions, Ticket};
use pushcore::{Error, ErrorKind, Outcome};

use crate::client::{Client, Waiting};
use crate::progress::Progress;

/// Yields every message of an iterator with its end, as they land. Made by [`Client::send_many`].
#[must_use = "nothing is sent unless the results are fetched"]
pub struct SendMany<'c, I: Iterator> {
    client: &'c Client,
    messages: I,
    number: u64,
    /// What was submitted and has not ended, by the ticket's slot.
    pending: Vec<Option<I::Item>>,
    results: VecDeque<(Ticket, Result<Outcome, Error>)>,
    /// Messages that were refused before anything was sent.
    refused: Vec<(I::Item, Error)>,
    /// Taken from the iterator, not submitted yet.
    fresh: VecDeque<I::Item>,
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
        let mut shared = client.lock();
        let number = shared.next_batch;
        shared.next_batch = number.wrapping_add(1);
        shared.batches.insert(number, Vec::new());
        drop(shared);
        let expected = messages.size_hint().1;
        Self {
            client,
            messages,
            number,
            pending: Vec::new(),
            results: VecDeque::new(),
            refused: Vec::new(),
            fresh: VecDeque::new(),
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

    /// Takes messages from the iterator as long as there is room for them, and submits them. The
    /// lock is not held while the caller's iterator runs; a slow one gets small chunks, so that
    /// results do not wait for it.
    fn take_messages(&mut self) {
        let room = self.client.lock().driver.session.capacity();
        let started = Instant::now();
        while self.fresh.len() < self.chunk.min(room) {
            let Some(message) = self.messages.next() else {
                self.exhausted = true;
                break;
            };
            self.fresh.push_back(message);
        }
        let quick = started.elapsed() < Duration::from_millis(2);
        self.chunk = if quick {
            (self.chunk * 2).min(MAX_CHUNK)
        } else {
            (self.chunk / 2).max(1)
        };
        let mut shared = self.client.lock();
        let now = shared.driver.clock.now();
        while let Some(message) = self.fresh.pop_front() {
            let waiting = Waiting::Batch(self.number);
            match shared.submit_at(message.as_message(), self.options, waiting, now) {
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
                // Another thread was faster.
                Err(error) if error.kind() == ErrorKind::QueueFull => {
                    self.fresh.push_front(message);
                    break;
                }
                Err(error) => {
                    // Those that were taken get their answer; no more are.
                    self.exhausted |= error.kind() == ErrorKind::Closed;
                    self.progress.taken += 1;
                    self.progress.count(&Err(Error::new(error.kind(), "")));
                    self.refused.push((message, error));
                }
            }
        }
    }

    /// Whether every message of the iterator has been submitted.
    fn all_taken(&self) -> bool {
        self.exhausted && self.fresh.is_empty()
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
            if let Some((message, error)) = self.refused.pop() {
                return Some((message, Err(error)));
            }
            while let Some((ticket, result)) = self.results.pop_front() {
                let message = self.pending.get_mut(ticket.slot()).and_then(Option::take);
                self.progress.in_flight = self.progress.in_flight.saturating_sub(1);
                self.progress.count(&result);
                if let Some(message) = message {
                    return Some((message, result));
                }
            }
            // Not for every result: it is a system call.
            if self.client.check_process().is_err() {
                return None;
            }
            if !self.all_taken() {
                self.take_messages();
            }
            if !self.refused.is_empty() {
                continue;
            }
            if self.all_taken() && self.progress.in_flight == 0 {
                self.tell(true);
                return None;
            }
            let mut shared = self.client.lock();
            // With room left for more messages the sockets only get a glance.
            let full = self.all_taken() || shared.driver.session.capacity() == 0;
            let wait = if full {
                self.report.as_ref().map(|report| report.every)
            } else {
                Some(Duration::ZERO)
            };
            self.client.nudge(&mut shared);
            if shared.batches.get(&self.number).is_none_or(Vec::is_empty) {
                shared = self.client.step(shared, wait);
            }
            if let Some(batch) = shared.batches.get_mut(&self.number) {
                // The two change places: nothing is copied, no room is lost.
                let room = Vec::from(std::mem::take(&mut self.results));
                self.results = VecDeque::from(std::mem::replace(batch, room));
            }
            drop(shared);
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
