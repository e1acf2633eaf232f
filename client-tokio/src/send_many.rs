//! A stream of messages in, a stream of results out.

use std::collections::VecDeque;
use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use futures_core::Stream;
use pushcore::outcome::OnSuspicion;
use pushcore::service::AsMessage;
use pushcore::session::{Ended, SendOptions};
use pushcore::{Error, ErrorKind, Outcome};
use pushcore_client::{Progress, now, stopped};

use crate::client::Client;

/// The most messages taken from the source before the sockets get their turn.
const MAX_CHUNK: usize = 512;

/// An iterator as a stream.
#[derive(Clone, Debug)]
pub struct Iter<I>(I);

impl<I> Iter<I> {
    pub(crate) fn new(iterator: I) -> Self {
        Self(iterator)
    }
}

// The iterator is never pinned.
impl<I> Unpin for Iter<I> {}

impl<I: Iterator> Stream for Iter<I> {
    type Item = I::Item;

    fn poll_next(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<I::Item>> {
        Poll::Ready(self.0.next())
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.0.size_hint()
    }
}

/// Yields every message of a source with its end, as they land. Made by [`Client::send_many`] and [`Client::send_stream`]; holds a
/// handle of the client.
#[must_use = "nothing is sent unless the results are fetched"]
pub struct SendMany<S: Stream> {
    client: Client,
    messages: Pin<Box<S>>,
    number: u32,
    /// Where messages stay from the source to their end; what else there is names their place.
    held: Vec<Option<S::Item>>,
    free: Vec<u32>,
    /// Taken from the source, not submitted yet.
    fresh: Vec<u32>,
    /// Refused before anything was sent.
    refused: VecDeque<(u32, Error)>,
    /// The results that have landed and have not been fetched.
    landed: VecDeque<Ended>,
    exhausted: bool,
    /// The source has nothing now, and wakes the task when it has.
    source_waits: bool,
    /// An answer of this send has blamed its token.
    doubted: bool,
    chunk: usize,
    options: SendOptions,
    progress: Progress,
    started: Instant,
}

// The source is pinned in its box; nothing else is.
impl<S: Stream> Unpin for SendMany<S> {}

impl<S> SendMany<S>
where
    S: Stream,
    S::Item: AsMessage,
{
    pub(crate) fn new(client: Client, messages: S) -> Self {
        let number = client.shared().lock().begin_batch();
        let expected = messages.size_hint().1;
        Self {
            client,
            messages: Box::pin(messages),
            number,
            held: Vec::new(),
            free: Vec::new(),
            fresh: Vec::new(),
            refused: VecDeque::new(),
            landed: VecDeque::new(),
            exhausted: false,
            source_waits: false,
            doubted: false,
            chunk: 1,
            options: SendOptions::default().bulk(),
            progress: Progress::new(expected),
            started: Instant::now(),
        }
    }

    /// Options for each message; a deadline runs from the moment at which the message is taken from the source.
    ///
    /// The messages are sent as many in any case ([`SendOptions::bulk`]): a doubtful answer may be held back for five seconds,
    /// until others make it certain.
    pub fn options(mut self, options: SendOptions) -> Self {
        self.options = options.bulk();
        self
    }

    /// The reaction when many answers in a row blame the tokens, which are most likely good then. With
    /// [`OnSuspicion::Stop`] no further message is taken from the source, what is under way ends, and what has not been
    /// written ends as `NotSent` with the cause `MixUpSuspected`.
    pub fn on_suspicion(mut self, choice: OnSuspicion) -> Self {
        self.options.on_suspicion = choice;
        self
    }

    /// Returns how far the bulk send is.
    pub fn progress(&self) -> Progress {
        let mut progress = self.progress.clone();
        progress.elapsed = self.started.elapsed();
        progress
    }

    /// Takes messages from the source as long as there is room for them, and submits them. The lock is not held while the
    /// caller's source runs; a slow one gets small chunks, so that results do not wait for it.
    fn take_messages(&mut self, context: &mut Context<'_>) {
        let state = self.client.shared().lock();
        if self.doubted && state.is_stopped(&self.options) {
            drop(state);
            return self.stop();
        }
        let room = match (state.session.capacity(), state.batch_room()) {
            // Others wait for that room, or the service has asked for a pause: more would only wait.
            (1.., 0) => return,
            // One at least: it is by submitting that one learns of a client that is closed.
            (_, room) => room.max(1),
        };
        drop(state);
        let started = Instant::now();
        self.source_waits = false;
        while self.fresh.len() < self.chunk.min(room) {
            match self.messages.as_mut().poll_next(context) {
                Poll::Ready(Some(message)) => {
                    let place = self.hold(message);
                    self.fresh.push(place);
                }
                Poll::Ready(None) => {
                    self.exhausted = true;
                    break;
                }
                Poll::Pending => {
                    self.source_waits = true;
                    break;
                }
            }
        }
        let quick = started.elapsed() < Duration::from_millis(2);
        self.chunk = if quick {
            (self.chunk * 2).min(MAX_CHUNK)
        } else {
            (self.chunk / 2).max(1)
        };
        let mut state = self.client.shared().lock();
        let (mut taken, now) = (0, now());
        for place in self.fresh.iter().copied() {
            let Some(message) = self.held.get(place as usize).and_then(Option::as_ref) else {
                taken += 1;
                continue;
            };
            match state.submit_of_batch(message.as_message(), self.options, self.number, place, now) {
                Ok(_) => {}
                // Another task was faster.
                Err(error) if error.kind() == ErrorKind::QueueFull => break,
                Err(error) => {
                    // No other message would be taken: the rest stays with the caller's source.
                    self.exhausted |= error.kind() == ErrorKind::Closed;
                    self.refused.push_back((place, error));
                }
            }
            taken += 1;
        }
        if taken > 0 {
            state.call_driver();
        }
        drop(state);
        self.fresh.drain(..taken);
        self.progress.taken += taken as u64;
        self.progress.in_flight += taken as u64;
    }

    /// Takes no further message: what was taken and not submitted is not sent.
    fn stop(&mut self) {
        self.exhausted = true;
        for place in std::mem::take(&mut self.fresh) {
            self.progress.taken += 1;
            self.progress.in_flight += 1;
            self.refused.push_back((place, stopped()));
        }
    }

    /// Gives a message a place.
    fn hold(&mut self, message: S::Item) -> u32 {
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

    /// The next message that has ended. Its place is free.
    fn next_ended(&mut self) -> Option<(S::Item, Result<Outcome, Error>)> {
        let (place, result) = match self.landed.pop_front() {
            Some(ended) => ((ended.driver_data & 0xffff_ffff) as u32, ended.into_result()),
            None => {
                let (place, error) = self.refused.pop_front()?;
                (place, Err(error))
            }
        };
        self.progress.in_flight = self.progress.in_flight.saturating_sub(1);
        self.progress.count(result.as_ref());
        self.free.push(place);
        let message = self.held.get_mut(place as usize).and_then(Option::take)?;
        Some((message, result))
    }

    /// Whether every message of the source has been submitted.
    fn all_taken(&self) -> bool {
        self.exhausted && self.fresh.is_empty()
    }
}

impl<S> Stream for SendMany<S>
where
    S: Stream,
    S::Item: AsMessage,
{
    type Item = (S::Item, Result<Outcome, Error>);

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = &mut *self;
        loop {
            if let Some(ended) = this.next_ended() {
                return Poll::Ready(Some(ended));
            }
            if !this.all_taken() {
                this.take_messages(context);
                if !this.refused.is_empty() {
                    continue;
                }
            }
            let all_taken = this.all_taken();
            if all_taken && this.progress.in_flight == 0 {
                return Poll::Ready(None);
            }
            let hungry = !all_taken && !this.source_waits;
            let mut state = this.client.shared().lock();
            state.poll_batch(this.number, &mut this.landed, hungry, all_taken, now(), context);
            drop(state);
            if this.landed.is_empty() {
                return Poll::Pending;
            }
            if this.options.on_suspicion == OnSuspicion::Stop {
                let doubtful = |ended: &Ended| matches!(ended.result(), Ok(Outcome::TokenMismatch(_)));
                this.doubted |= this.landed.iter().any(doubtful);
            }
        }
    }
}

impl<S: Stream> Drop for SendMany<S> {
    fn drop(&mut self) {
        self.client.shared().lock().end_batch(self.number, now());
    }
}

impl<S: Stream> fmt::Debug for SendMany<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SendMany")
            .field("progress", &self.progress)
            .finish_non_exhaustive()
    }
}
