//! A bulk send in steps, for callers who cannot lend an iterator: other languages.

use std::collections::VecDeque;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use pushcore::outcome::OnSuspicion;
use pushcore::service::AsMessage;
use pushcore::session::{Ended, SendOptions, Ticket};
use pushcore::{Error, ErrorKind, Outcome};

use crate::client::Client;
use crate::progress::Progress;
use crate::shared::{Waiting, stopped};

/// A bulk send in the caller's own loop: submit, wait, submit again, as [`Client::send_many`] does.
///
/// It keeps the client alive; dropping it cancels what has not ended.
pub struct Batch {
    client: Arc<Client>,
    number: u32,
    results: VecDeque<Ended>,
    progress: Progress,
    /// A message alone has no others to wait for.
    alone: bool,
    /// No message follows.
    finished: bool,
    /// An answer has blamed its token, and the caller wants to stop when many do.
    doubted: bool,
    on_suspicion: OnSuspicion,
}

impl Batch {
    /// Begins; `expected` is how many messages there will be, where that is known.
    ///
    /// # Errors
    /// `Misuse` in a forked child of the client's process.
    pub fn new(client: Arc<Client>, expected: Option<usize>) -> Result<Self, Error> {
        client.check_process()?;
        let number = client.lock().begin_batch();
        Ok(Self {
            client,
            number,
            results: VecDeque::new(),
            progress: Progress::new(expected),
            alone: expected == Some(1),
            finished: false,
            doubted: false,
            on_suspicion: OnSuspicion::default(),
        })
    }

    /// Submits messages one after the other, until there are no more or the queue is full. Each comes with a number of the
    /// caller's, [`Ended::user_data`] of its end.
    ///
    /// `taken` is told, for each, its ticket or why it cannot be sent. Returns whether all were
    /// taken: otherwise call [`Batch::wait`], and offer the message after the last one told again.
    ///
    /// Where more than one message is expected they are sent as many ([`SendOptions::bulk`]): a doubtful answer may be
    /// held back for five seconds. Call [`Batch::finish`] after the last message. Once [`Batch::is_stopped`] says so, every
    /// message is refused as `NotSent`.
    ///
    /// # Errors
    /// `Misuse` in a forked child; `Closed` when the client takes no more messages.
    pub fn submit<M: AsMessage>(
        &mut self,
        messages: impl IntoIterator<Item = (M, u64)>,
        options: SendOptions,
        mut taken: impl FnMut(Result<Ticket, Error>),
    ) -> Result<bool, Error> {
        self.client.check_process()?;
        let mut options = options;
        options.bulk |= !self.alone;
        self.on_suspicion = options.on_suspicion;
        let (mut shared, now) = self.client.lock_to_submit();
        if self.doubted && shared.is_stopped(&options) {
            drop(shared);
            for _ in messages {
                let error = stopped();
                self.refused(&error);
                taken(Err(error));
            }
            return Ok(true);
        }
        // What has ended is handed over first: its slots are free, and a table by slot is not.
        if shared.has_results(self.number) {
            return Ok(false);
        }
        if shared.driver.session.capacity() > 0 && shared.driver.session.capacity_for(&options) == 0 {
            // What has been submitted may leave the queue. Otherwise the service has asked for a pause, or what is left is for
            // interactive messages: more would only wait.
            self.client.nudge(&mut shared);
            if shared.has_results(self.number) || shared.driver.session.capacity_for(&options) == 0 {
                return Ok(false);
            }
        }
        for (message, user_data) in messages {
            let options = options.user_data(user_data);
            let waiting = Waiting::Batch(self.number, 0);
            let mut submitted = shared.submit_at(message.as_message(), options, waiting, now);
            if is_full(&submitted) {
                // A queue that is smaller than what the streams take is emptied by a write, and not by answers.
                self.client.nudge(&mut shared);
                if shared.has_results(self.number) || shared.driver.session.capacity_for(&options) == 0 {
                    return Ok(false);
                }
                submitted = shared.submit_at(message.as_message(), options, waiting, now);
            }
            match submitted {
                Ok(ticket) => {
                    self.progress.taken += 1;
                    self.progress.in_flight += 1;
                    taken(Ok(ticket));
                }
                Err(error) if error.kind() == ErrorKind::QueueFull => return Ok(false),
                Err(error) if error.kind() == ErrorKind::Closed => return Err(error),
                Err(error) => {
                    self.progress.taken += 1;
                    self.progress.count(Err(&error));
                    taken(Err(error));
                }
            }
        }
        Ok(true)
    }

    /// Moves bytes until something of this batch has ended, `longest` is over, or a signal came;
    /// hands over what has ended.
    ///
    /// # Errors
    /// `Misuse` in a forked child.
    pub fn wait(&mut self, longest: Duration) -> Result<impl Iterator<Item = Ended>, Error> {
        self.client.check_process()?;
        self.results.clear();
        let mut shared = self.client.lock();
        self.client.nudge(&mut shared);
        if self.finished && !shared.has_results(self.number) {
            shared.release_last(self.number, self.progress.in_flight);
        }
        if !shared.has_results(self.number) {
            shared = self.client.look(shared, Some(longest));
        }
        shared.swap_results(self.number, &mut self.results);
        drop(shared);
        let ours = |ended: &Ended| matches!(Waiting::of(ended.driver_data), Waiting::Batch(number, _) if number == self.number);
        self.results.retain(ours);
        let stops = self.on_suspicion == OnSuspicion::Stop;
        for ended in &self.results {
            self.doubted |= stops && matches!(ended.result(), Ok(Outcome::TokenMismatch(_)));
            self.progress.in_flight = self.progress.in_flight.saturating_sub(1);
            self.progress.count(ended.result());
        }
        Ok(self.results.drain(..))
    }

    /// Cancels one message of this batch. Its end, `Cancelled`, comes from [`Batch::wait`] like any other;
    /// what was written already may still be shown by a device.
    ///
    /// False when the message has ended already, is of another batch, or in a forked child.
    pub fn cancel(&mut self, ticket: Ticket) -> bool {
        self.canceller().cancel(ticket)
    }

    /// Returns a handle that cancels messages of this batch from another thread, while this one waits.
    pub fn canceller(&self) -> Canceller {
        Canceller {
            client: Arc::clone(&self.client),
            number: self.number,
        }
    }

    /// Cancels every message of this batch of which the service cannot have seen a byte: what waits for a
    /// stream, and what GOAWAY disowned. Each of them ends as `Cancelled` in [`Batch::wait`]; the others go
    /// on to their own ends. A journal can so tell what may be sent again from what may not.
    ///
    /// Returns the number of messages that were cancelled, 0 in a forked child.
    pub fn withdraw(&mut self) -> usize {
        if self.client.check_process().is_err() {
            return 0;
        }
        let mut shared = self.client.lock();
        let withdrawn = shared.withdraw_of_batch(self.number);
        self.client.nudge(&mut shared);
        withdrawn
    }

    /// Says that no message follows: doubtful answers are held back no longer than for those that are under way.
    pub fn finish(&mut self) {
        self.finished = true;
    }

    /// Whether the batch takes no further message, because many answers in a row blame the tokens and
    /// [`SendOptions::on_suspicion`] is `Stop`.
    pub fn is_stopped(&self) -> bool {
        let mut options = SendOptions::default();
        options.on_suspicion = self.on_suspicion;
        self.doubted && self.client.check_process().is_ok() && self.client.lock().is_stopped(&options)
    }

    /// A message that was refused before it was offered: it counts as ended.
    pub fn refused(&mut self, error: &Error) {
        self.progress.taken += 1;
        self.progress.count(Err(error));
    }

    /// How far it is.
    pub fn progress(&mut self) -> &Progress {
        self.progress.elapsed = self.progress.started.elapsed();
        &self.progress
    }
}

/// Cancels messages of a [`Batch`] from any thread; made by [`Batch::canceller`].
#[derive(Clone, Debug)]
pub struct Canceller {
    client: Arc<Client>,
    number: u32,
}

impl Canceller {
    /// Cancels one message at once, as [`Batch::cancel`] does. A thread that waits for the batch is woken by the end.
    pub fn cancel(&self, ticket: Ticket) -> bool {
        if self.client.check_process().is_err() {
            return false;
        }
        let mut shared = self.client.lock();
        let cancelled = shared.cancel_of_batch(self.number, ticket);
        self.client.nudge(&mut shared);
        cancelled
    }
}

/// Whether a message was not taken because the queue is full.
fn is_full(submitted: &Result<Ticket, Error>) -> bool {
    matches!(submitted, Err(error) if error.kind() == ErrorKind::QueueFull)
}

impl fmt::Debug for Batch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Batch")
            .field("progress", &self.progress)
            .finish_non_exhaustive()
    }
}

impl Drop for Batch {
    fn drop(&mut self) {
        if self.client.check_process().is_err() {
            return;
        }
        let mut shared = self.client.lock();
        shared.end_batch(self.number);
        self.client.nudge(&mut shared);
    }
}
