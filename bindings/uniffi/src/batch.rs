//! A bulk send in steps: arrays of targets go down, arrays of results come up.

use std::collections::HashSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, TryLockError};
use std::time::Duration;

use pushcore::service::{self, Target as CoreTarget, Template};
use pushcore::session::{Ended as CoreEnded, SendOptions as CoreSendOptions, Ticket};
use pushcore::{Error, ErrorKind};
use pushcore_client::{Batch as CoreBatch, Progress as CoreProgress};

use crate::client::Client;
use crate::error::{Failure, PushError};
use crate::message::Message;
use crate::options::SendOptions;
use crate::outcome::Outcome;
use crate::service::Service;
use crate::values::Seconds;

/// How long a wait lasts before it looks whether the batch was cancelled: nobody notices a tenth of a second, and ten
/// looks a second cost nothing.
const SLICE: Duration = Duration::from_millis(100);

/// A target of a bulk send.
#[derive(Clone, PartialEq, Eq, uniffi::Record)]
pub struct Target {
    /// The device token, or for Web Push the subscription's JSON, or an object such as `{"topic": "news"}`.
    pub to: String,
    /// A number of the caller's own, which comes back with the end.
    #[uniffi(default = 0)]
    pub tag: u64,
}

/// A whole message of a bulk send.
#[derive(Clone, PartialEq, Eq, uniffi::Record)]
pub struct Tagged {
    /// The message, with its target.
    pub message: Message,
    /// A number of the caller's own, which comes back with the end.
    #[uniffi(default = 0)]
    pub tag: u64,
}

/// The end of one message: an outcome, or the reason why there is no answer.
#[derive(Clone, Debug, PartialEq, uniffi::Record)]
pub struct Ended {
    /// The number that the caller gave the message.
    pub tag: u64,
    /// The service's answer; nil where there is none.
    pub outcome: Option<Outcome>,
    /// Why there is no answer; nil where there is one.
    pub failure: Option<Failure>,
}

impl Ended {
    fn refused(tag: u64, error: &Error) -> Self {
        Self { tag, outcome: None, failure: Some(error.into()) }
    }
}

impl From<&CoreEnded> for Ended {
    fn from(ended: &CoreEnded) -> Self {
        let tag = ended.user_data;
        match ended.result() {
            Ok(outcome) => Self { tag, outcome: Some(outcome.into()), failure: None },
            Err(error) => Self::refused(tag, error),
        }
    }
}

/// What became of the messages that were offered.
#[derive(Clone, Debug, PartialEq, uniffi::Record)]
pub struct Submitted {
    /// How many of them, from the first, were taken or refused: offer the others again after a wait.
    pub taken: u32,
    /// Those that were refused, before anything was sent.
    pub refused: Vec<Ended>,
}

/// How far a bulk send is.
#[derive(Clone, Copy, Debug, PartialEq, uniffi::Record)]
pub struct Progress {
    /// How many messages there will be; nil where nobody knows.
    pub expected: Option<u64>,
    /// Taken.
    pub taken: u64,
    /// Taken, and not ended yet.
    pub in_flight: u64,
    /// Ended: taken by the service.
    pub accepted: u64,
    /// Ended: the token is dead.
    pub token_gone: u64,
    /// Ended: the token is blamed, and may be good.
    pub token_mismatch: u64,
    /// Ended: not now.
    pub retry_later: u64,
    /// Ended: the credentials are at fault.
    pub fix_credentials: u64,
    /// Ended: can never be accepted.
    pub rejected: u64,
    /// Ended: certainly not processed, cancelled, or expired in the queue.
    pub not_sent: u64,
    /// Ended: written, no answer.
    pub unknown: u64,
    /// Since the start.
    pub elapsed: Seconds,
}

impl From<&CoreProgress> for Progress {
    fn from(progress: &CoreProgress) -> Self {
        Self {
            expected: progress.expected.map(|count| count as u64),
            taken: progress.taken,
            in_flight: progress.in_flight,
            accepted: progress.accepted,
            token_gone: progress.token_gone,
            token_mismatch: progress.token_mismatch,
            retry_later: progress.retry_later,
            fix_credentials: progress.fix_credentials,
            rejected: progress.rejected,
            not_sent: progress.not_sent,
            unknown: progress.unknown,
            elapsed: progress.elapsed.into(),
        }
    }
}

/// A bulk send in the caller's own loop: submit, wait, submit again. One thread drives it; `cancel` may come from another.
/// Destroying it cancels what has not ended.
#[derive(uniffi::Object)]
pub struct Batch {
    inner: Mutex<Inner>,
    service: Arc<Service>,
    template: Option<Template>,
    options: CoreSendOptions,
    cancelled: AtomicBool,
}

struct Inner {
    batch: CoreBatch,
    /// What has been taken and has not ended: what `cancel` has to cancel.
    open: HashSet<Ticket>,
}

impl Batch {
    pub(crate) fn of_template(
        client: &Client,
        template: &Message,
        options: &SendOptions,
        expected: Option<u64>,
    ) -> Result<Arc<Self>, PushError> {
        if template.target.is_some() {
            let text = "a template has no target: the targets of a bulk send come after it";
            return Err(Error::new(ErrorKind::InvalidTarget, text).into());
        }
        Self::new(client, Some(template.template()?), options, expected)
    }

    pub(crate) fn of_messages(
        client: &Client,
        options: &SendOptions,
        expected: Option<u64>,
    ) -> Result<Arc<Self>, PushError> {
        Self::new(client, None, options, expected)
    }

    fn new(
        client: &Client,
        template: Option<Template>,
        options: &SendOptions,
        expected: Option<u64>,
    ) -> Result<Arc<Self>, PushError> {
        let options = options.read()?;
        let expected = expected.map(|count| usize::try_from(count).unwrap_or(usize::MAX));
        let batch = CoreBatch::new(Arc::clone(&client.client), expected)?;
        Ok(Arc::new(Self {
            inner: Mutex::new(Inner { batch, open: HashSet::new() }),
            service: Arc::clone(&client.service),
            template,
            options,
            cancelled: AtomicBool::new(false),
        }))
    }

    /// Nothing in here panics half-way through a change; a poisoned lock is still whole.
    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Submits what could be read; what could not is refused at its place.
    fn submit_all(
        &self,
        messages: impl ExactSizeIterator<Item = (u64, Result<service::Message, Error>)>,
    ) -> Result<Submitted, PushError> {
        let mut submitted = Submitted { taken: 0, refused: Vec::new() };
        let mut inner = self.lock();
        let Inner { batch, open } = &mut *inner;
        let mut run = Vec::with_capacity(messages.len());
        let mut messages = messages.peekable();
        while messages.peek().is_some() {
            // Up to the next one that cannot be read, so that everything is told in its order.
            let mut unread = None;
            for (tag, message) in messages.by_ref() {
                match message {
                    Ok(message) => run.push((message, tag)),
                    Err(error) => {
                        unread = Some((tag, error));
                        break;
                    }
                }
            }
            let mut place = 0;
            let all = batch.submit(run.iter().map(|(message, tag)| (message, *tag)), self.options, |taken| {
                match taken {
                    Ok(ticket) => {
                        open.insert(ticket);
                    }
                    Err(error) => {
                        let tag = run.get(place).map_or(0, |(_, tag)| *tag);
                        submitted.refused.push(Ended::refused(tag, &error));
                    }
                }
                place += 1;
            })?;
            submitted.taken += u32::try_from(place).unwrap_or(u32::MAX);
            if !all {
                break;
            }
            run.clear();
            if let Some((tag, error)) = unread {
                batch.refused(&error);
                submitted.refused.push(Ended::refused(tag, &error));
                submitted.taken += 1;
            }
        }
        Ok(submitted)
    }

    /// Refuses everything that is offered to a batch that was cancelled.
    fn refuse_all(&self, tags: impl Iterator<Item = u64>) -> Submitted {
        let error = Error::new(ErrorKind::Cancelled, "the batch was cancelled");
        let mut inner = self.lock();
        let refused = tags.map(|tag| {
            inner.batch.refused(&error);
            Ended::refused(tag, &error)
        });
        let refused: Vec<_> = refused.collect();
        Submitted { taken: u32::try_from(refused.len()).unwrap_or(u32::MAX), refused }
    }

    fn is_cancelled(&self) -> bool {
        self.cancelled.load(Ordering::Acquire)
    }
}

impl Inner {
    fn cancel(&mut self) {
        for ticket in self.open.drain() {
            // Those that have ended meanwhile come with the end that they had.
            self.batch.cancel(ticket);
        }
    }
}

#[uniffi::export]
impl Batch {
    /// Submits targets for the template, in their order, until there are no more or the queue is full.
    ///
    /// A target that cannot be read is refused by itself. Where fewer are taken than were offered, call `wait` and offer the
    /// others again.
    pub fn submit(&self, targets: Vec<Target>) -> Result<Submitted, PushError> {
        let Some(template) = &self.template else {
            return Err(Error::new(ErrorKind::Misuse, "this batch has no template: submit whole messages").into());
        };
        if self.is_cancelled() {
            return Ok(self.refuse_all(targets.iter().map(|target| target.tag)));
        }
        let (kind, policy) = (self.service.service.kind(), self.service.policy());
        let read = |target: &Target| {
            let to = CoreTarget::parse_under(kind, &target.to, policy);
            (target.tag, to.and_then(|to| template.to(&to)))
        };
        self.submit_all(targets.iter().map(read))
    }

    /// Submits whole messages, as `submit` does targets.
    pub fn submit_messages(&self, messages: Vec<Tagged>) -> Result<Submitted, PushError> {
        if self.is_cancelled() {
            return Ok(self.refuse_all(messages.iter().map(|message| message.tag)));
        }
        let policy = self.service.policy();
        self.submit_all(messages.iter().map(|tagged| (tagged.tag, tagged.message.read(policy))))
    }

    /// Waits on the calling thread until something has ended, at most for `longest`; returns what has ended.
    pub fn wait(&self, longest: Seconds) -> Result<Vec<Ended>, PushError> {
        let until = pushcore_client::now().monotonic.saturating_add(longest.duration()?);
        loop {
            let left = until.saturating_sub(pushcore_client::now().monotonic);
            let mut inner = self.lock();
            if self.is_cancelled() {
                inner.cancel();
            }
            let Inner { batch, open } = &mut *inner;
            let ended: Vec<_> = batch
                .wait(left.min(SLICE))?
                .map(|ended| {
                    open.remove(&ended.ticket);
                    Ended::from(&ended)
                })
                .collect();
            let idle = inner.batch.progress().in_flight == 0;
            drop(inner);
            if !ended.is_empty() || left.is_zero() || idle {
                return Ok(ended);
            }
        }
    }

    /// Says that no message follows, so that doubtful answers are not held back for others.
    pub fn finish(&self) -> Result<(), PushError> {
        self.lock().batch.finish();
        Ok(())
    }

    /// Cancels what has not ended: its ends come from `wait` like any other. May be called while another thread waits.
    pub fn cancel(&self) -> Result<(), PushError> {
        self.cancelled.store(true, Ordering::Release);
        match self.inner.try_lock() {
            Ok(mut inner) => inner.cancel(),
            Err(TryLockError::Poisoned(poisoned)) => poisoned.into_inner().cancel(),
            // The thread that waits sees the mark within a slice.
            Err(TryLockError::WouldBlock) => {}
        }
        Ok(())
    }

    /// Returns whether the batch takes no further message, because many answers in a row blame the tokens.
    pub fn is_stopped(&self) -> Result<bool, PushError> {
        Ok(self.lock().batch.is_stopped())
    }

    /// Returns how far the batch is.
    pub fn progress(&self) -> Result<Progress, PushError> {
        Ok(Progress::from(self.lock().batch.progress()))
    }
}
