//! A stream of messages in, a stream of results out.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use pushcore::session::{AsMessage, SendOptions};
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
    /// What has landed, on its way to `results`: empty but for that.
    ended: Vec<Ended>,
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
            ended: Vec::new(),
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
        let client = self.client;
        // Once for many messages: it is a system call.
        let process = client.check_process();
        let room = match process {
            // One at least: it is by submitting that one learns of a client that is closed.
            Ok(()) => client.lock_to_submit().driver.session.capacity().max(1),
            Err(_) => 1,
        };
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
        if let Err(error) = process {
            while let Some(message) = self.fresh.pop_front() {
                self.refuse(message, Error::new(error.kind(), error.context().to_owned()));
            }
            return;
        }
        // The caller may have taken its time over these messages.
        let mut shared = client.lock_to_submit();
        // Another thread may have seen the end of one of ours, whose slot is free for a new one:
        // the messages that have ended leave theirs first. No more end while the lock is held.
        shared.swap_results(self.number, &mut self.ended);
        self.settle();
        let now = shared.driver.clock.now();
        while let Some(message) = self.fresh.pop_front() {
            match shared.submit_at(
                message.as_message(),
                self.options,
                Waiting::Batch(self.number),
                now,
            ) {
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
                    // No other message would be taken: the rest stays with the caller's iterator.
                    self.exhausted |= error.kind() == ErrorKind::Closed;
                    self.refuse(message, error);
                }
            }
        }
    }

    fn refuse(&mut self, message: I::Item, error: Error) {
        self.progress.taken += 1;
        let result = Err(error);
        self.progress.count(&result);
        self.results.push_back((message, result));
    }

    /// Gives each result its message.
    fn settle(&mut self) {
        for (ticket, result) in self.ended.drain(..) {
            self.progress.in_flight = self.progress.in_flight.saturating_sub(1);
            self.progress.count(&result);
            if let Some(message) = self.pending.get_mut(ticket.slot()).and_then(Option::take) {
                self.results.push_back((message, result));
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
            if let Some(ended) = self.results.pop_front() {
                return Some(ended);
            }
            if !self.all_taken() {
                self.take_messages();
                if !self.results.is_empty() {
                    continue;
                }
            }
            // In a forked child nothing that the parent had in flight will end.
            if (self.all_taken() && self.progress.in_flight == 0) || self.client.check_process().is_err() {
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
            shared.swap_results(self.number, &mut self.ended);
            if self.ended.is_empty() {
                shared = self.client.step(shared, wait);
                shared.swap_results(self.number, &mut self.ended);
            }
            drop(shared);
            self.settle();
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
