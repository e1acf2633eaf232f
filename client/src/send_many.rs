//! A stream of messages in, a stream of results out.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use pushcore::outcome::OnSuspicion;
use pushcore::service::AsMessage;
use pushcore::session::{Ended, SendOptions};
use pushcore::{Error, ErrorKind, Outcome};

use crate::client::Client;
use crate::progress::Progress;
use crate::shared::{Shared, Waiting, stopped};

/// Yields every message of an iterator with its end, as they land. Made by [`Client::send_many`].
#[must_use = "nothing is sent unless the results are fetched"]
pub struct SendMany<'c, I: Iterator> {
    client: &'c Client,
    messages: I,
    number: u32,
    /// Where messages stay from the iterator to their end; what else there is names their place.
    held: Vec<Option<I::Item>>,
    free: Vec<u32>,
    /// Taken from the iterator, not submitted yet.
    fresh: Vec<u32>,
    /// Refused before anything was sent.
    refused: VecDeque<(u32, Error)>,
    /// The results that have landed and have not been fetched.
    landed: VecDeque<Ended>,
    exhausted: bool,
    /// An answer of this send has blamed its token.
    doubted: bool,
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
            held: Vec::new(),
            free: Vec::new(),
            fresh: Vec::new(),
            refused: VecDeque::new(),
            landed: VecDeque::new(),
            exhausted: false,
            doubted: false,
            chunk: 1,
            options: SendOptions::default().bulk(),
            progress: Progress::new(expected),
            report: None,
        }
    }

    /// Options for each message; a deadline runs from the moment it is taken from the iterator.
    ///
    /// They are sent as many in any case ([`SendOptions::bulk`]): a doubtful answer may be held back for five seconds,
    /// until others make it certain.
    pub fn options(mut self, options: SendOptions) -> Self {
        self.options = options.bulk();
        self
    }

    /// The reaction when many answers in a row blame the tokens, which are most likely good then. With
    /// [`OnSuspicion::Stop`] no further message is taken from the iterator, what is under way ends, and what has not been
    /// written ends as `NotSent` with the cause `MixUpSuspected`.
    pub fn on_suspicion(mut self, choice: OnSuspicion) -> Self {
        self.options.on_suspicion = choice;
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
            Ok(()) => {
                let shared = client.lock_to_submit().0;
                if self.doubted && shared.is_stopped(&self.options) {
                    drop(shared);
                    return self.stop();
                }
                let session = &shared.driver.session;
                match (session.capacity(), session.capacity_for(&self.options)) {
                    // The service has asked for a pause, or what is left is for interactive messages: more would only wait.
                    (1.., 0) => return,
                    (_, room) => room.max(1),
                }
            }
            Err(_) => 1,
        };
        let started = Instant::now();
        while self.fresh.len() < self.chunk.min(room) {
            let Some(message) = self.messages.next() else {
                self.exhausted = true;
                break;
            };
            let place = self.hold(message);
            self.fresh.push(place);
        }
        let quick = started.elapsed() < Duration::from_millis(2);
        self.chunk = if quick {
            (self.chunk * 2).min(MAX_CHUNK)
        } else {
            (self.chunk / 2).max(1)
        };
        if let Err(error) = process {
            for place in std::mem::take(&mut self.fresh) {
                self.refuse(place, Error::new(error.kind(), error.context().to_owned()));
            }
            return;
        }
        // The caller may have taken its time over these messages.
        let (mut shared, now) = client.lock_to_submit();
        let mut taken = 0;
        for place in self.fresh.iter().copied() {
            let Some(message) = self.held.get(place as usize).and_then(Option::as_ref) else {
                taken += 1;
                continue;
            };
            let waiting = Waiting::Batch(self.number, place);
            match shared.submit_at(message.as_message(), self.options, waiting, now) {
                Ok(_) => {}
                // Another thread was faster.
                Err(error) if error.kind() == ErrorKind::QueueFull => break,
                Err(error) => {
                    // No other message would be taken: the rest stays with the caller's iterator.
                    self.exhausted |= error.kind() == ErrorKind::Closed;
                    self.refused.push_back((place, error));
                }
            }
            taken += 1;
        }
        self.fresh.drain(..taken);
        self.progress.taken += taken as u64;
        self.progress.in_flight += taken as u64;
    }

    /// Takes no further message: what was taken and not submitted is not sent.
    fn stop(&mut self) {
        self.exhausted = true;
        for place in std::mem::take(&mut self.fresh) {
            self.refuse(place, stopped());
        }
    }

    /// Takes over what has landed.
    fn fetch(&mut self, shared: &mut Shared) {
        shared.swap_results(self.number, &mut self.landed);
        if self.options.on_suspicion == OnSuspicion::Stop {
            let doubtful = |ended: &Ended| matches!(ended.result(), Ok(Outcome::TokenMismatch(_)));
            self.doubted |= self.landed.iter().any(doubtful);
        }
    }

    /// Gives a message a place.
    fn hold(&mut self, message: I::Item) -> u32 {
        if let Some(place) = self.free.pop() {
            if let Some(there) = self.held.get_mut(place as usize) {
                *there = Some(message);
            }
            return place;
        }
        // As many places as messages that have not ended: the session holds fewer than 2^32.
        self.held.push(Some(message));
        (self.held.len() - 1) as u32
    }

    fn refuse(&mut self, place: u32, error: Error) {
        self.progress.taken += 1;
        self.progress.in_flight += 1;
        self.refused.push_back((place, error));
    }

    /// The next message that has ended. Its place is free.
    fn next_ended(&mut self) -> Option<(I::Item, Result<Outcome, Error>)> {
        let (place, result) = loop {
            match self.landed.pop_front() {
                Some(ended) => match Waiting::of(ended.driver_data) {
                    Waiting::Batch(number, place) if number == self.number => {
                        break (place, ended.into_result());
                    }
                    // Left over from a batch that was dropped.
                    _ => {}
                },
                None => {
                    let (place, error) = self.refused.pop_front()?;
                    break (place, Err(error));
                }
            }
        };
        self.progress.in_flight = self.progress.in_flight.saturating_sub(1);
        self.progress.count(result.as_ref());
        self.free.push(place);
        let message = self.held.get_mut(place as usize).and_then(Option::take)?;
        Some((message, result))
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
            if let Some(ended) = self.next_ended() {
                return Some(ended);
            }
            if !self.all_taken() {
                self.take_messages();
                if !self.refused.is_empty() {
                    continue;
                }
            }
            // In a forked child nothing that the parent had in flight will end.
            if (self.all_taken() && self.progress.in_flight == 0) || self.client.check_process().is_err() {
                self.tell(true);
                return None;
            }
            let mut shared = self.client.lock();
            self.client.nudge(&mut shared);
            // Only now, because what was submitted may have left the queue. With room for more messages the sockets
            // only get a glance.
            let full = self.all_taken() || shared.driver.session.capacity_for(&self.options) == 0;
            let wait = if full {
                self.report.as_ref().map(|report| report.every)
            } else {
                Some(Duration::ZERO)
            };
            if self.all_taken() && !shared.has_results(self.number) {
                shared.release_last(self.number, self.progress.in_flight);
            }
            self.fetch(&mut shared);
            if self.landed.is_empty() {
                shared = self.client.look(shared, wait);
                self.fetch(&mut shared);
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
        shared.end_batch(self.number);
        self.client.nudge(&mut shared);
    }
}
