//! A list of devices in, a stream of deliveries out.

use std::collections::VecDeque;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use futures_core::Stream;
use pushcore::notification::{App, Campaign};
use pushcore::service::{AsMessage, Message};
use pushcore::session::{Ended, SendOptions};
use pushcore::{ErrorKind, Now};
use pushcore_client::hub::parts::{Board, Head, Known, Offer, within};
use pushcore_client::hub::{AsDevice, Delivery};
use pushcore_client::{Progress, now};
use tokio::time::{Sleep, sleep};

use super::Hub;
use crate::send_many::Iter;

/// The most items taken from one source, and the most messages of one service submitted, before other tasks get their turn.
const CHUNK: usize = 512;

pub(super) type Items<'s, T> = Pin<Box<dyn Stream<Item = (T, Option<Box<Message>>)> + Send + 's>>;

/// A stream of devices that come without messages.
pub(super) fn alone<'s, S: Stream + Send + 's>(devices: S) -> Items<'s, S::Item> {
    Box::pin(Alone(Box::pin(devices)))
}

struct Alone<S>(Pin<Box<S>>);

impl<S: Stream> Stream for Alone<S> {
    type Item = (S::Item, Option<Box<Message>>);

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let next = self.0.as_mut().poll_next(context);
        next.map(|item| item.map(|item| (item, None)))
    }
}

/// One source of devices.
struct Source<'s, T> {
    items: Items<'s, T>,
    /// An item whose service has no place for it.
    head: Option<Head<T>>,
    /// Whether the source has nothing now, and wakes the task when it has.
    waits: bool,
}

impl<'s, T> Source<'s, T> {
    fn new(items: Items<'s, T>) -> Self {
        Self {
            items,
            head: None,
            waits: false,
        }
    }
}

/// Yields every device of a source with its end, as they land. Made by [`Hub::notify`], [`Hub::notify_stream`] and
/// [`Hub::send_many`]; holds a handle of the hub.
#[must_use = "nothing is sent unless the results are fetched"]
pub struct Deliveries<'s, T> {
    hub: Hub,
    board: Board<T>,
    sources: Vec<Source<'s, T>>,
    known: Known,
    /// The number of the bulk send in each client; `None` where the client has not been opened.
    numbers: Vec<Option<u32>>,
    landed: VecDeque<Ended>,
    options: SendOptions,
    timer: Option<Pin<Box<Sleep>>>,
    /// What the timer is set to, on the clock of the sessions.
    timer_at: Option<Duration>,
    /// Since when the task waits with nothing to do; `None` while it is awake.
    waits_since: Option<Duration>,
    chunk: usize,
    started: Instant,
}

// The sources are pinned in their boxes; nothing else is.
impl<T> Unpin for Deliveries<'_, T> {}

impl<'s, T: AsDevice> Deliveries<'s, T> {
    pub(super) fn new(hub: Hub, campaign: Option<Campaign>, items: Items<'s, T>) -> Self {
        let lanes = hub.inner.lanes.all().len();
        Self {
            board: Board::new(lanes, campaign, hub.inner.retries, hub.inner.limits),
            hub,
            sources: vec![Source::new(items)],
            known: Known::default(),
            numbers: vec![None; lanes],
            landed: VecDeque::new(),
            options: SendOptions::default().bulk(),
            timer: None,
            timer_at: None,
            waits_since: None,
            chunk: 1,
            started: Instant::now(),
        }
    }

    /// Reads another source beside those before: where each service has a source of its own, none is ever in the way of another. Only
    /// for a notification: a device alone has no message.
    pub fn and<I>(self, devices: I) -> Self
    where
        I: IntoIterator<Item = T>,
        I::IntoIter: Send + 's,
    {
        self.and_stream(Iter::new(devices.into_iter()))
    }

    /// Reads a stream beside the sources before, as [`Deliveries::and`] does with an iterator.
    pub fn and_stream(mut self, devices: impl Stream<Item = T> + Send + 's) -> Self {
        self.sources.push(Source::new(alone(devices)));
        self
    }

    /// Options for each attempt; a deadline runs from the moment at which the message is handed to its client. One for all attempts together
    /// is [`HubBuilder::total_deadline`](pushcore_client::hub::HubBuilder::total_deadline).
    ///
    /// The messages are sent as many in any case ([`SendOptions::bulk`]): a doubtful answer may be held back for five seconds,
    /// until others make it certain.
    pub fn options(mut self, options: SendOptions) -> Self {
        self.options = options.bulk();
        self
    }

    /// Returns how far each service is, by the app that its client serves. Devices without a client are counted nowhere.
    pub fn progress(&self) -> impl Iterator<Item = (&App, Progress)> {
        let served = self.hub.inner.lanes.all().iter().enumerate();
        served.filter_map(|(lane, served)| {
            let mut progress = self.board.progress(lane)?.clone();
            progress.elapsed = self.started.elapsed();
            Some((served.app(), progress))
        })
    }

    /// Whether the service of an app is behind: its queue would take longer than [`HubBuilder::patience`](pushcore_client::hub::HubBuilder::patience).
    /// False where no client serves the app.
    pub fn is_behind(&self, app: &App) -> bool {
        let lane = self.hub.inner.lanes.find(app);
        lane.is_some_and(|lane| self.board.is_behind(lane))
    }

    /// Reads no further, and sends nothing again: what was read goes on to its end. What the sources have left stays with them.
    pub fn finish(&mut self) {
        self.finish_at(now());
    }

    fn finish_at(&mut self, now: Now) {
        for source in std::mem::take(&mut self.sources) {
            if let Some(head) = source.head {
                self.board.give_up(head, now);
            }
        }
        self.board.stop_retries(now);
    }

    /// Takes items from the sources as long as their services have places for them. A slow source gets small chunks, so that
    /// results do not wait for it.
    fn read(&mut self, context: &mut Context<'_>) {
        if self.sources.is_empty() {
            return;
        }
        let started = now();
        let Self {
            hub,
            board,
            sources,
            known,
            chunk,
            ..
        } = self;
        sources.retain_mut(|source| {
            if let Some(head) = source.head.take() {
                if let Offer::Full(head) = board.offer_again(head, started) {
                    source.head = Some(head);
                    return true;
                }
            }
            source.waits = false;
            for _ in 0..*chunk {
                let (item, message) = match source.items.as_mut().poll_next(context) {
                    Poll::Ready(Some(next)) => next,
                    Poll::Ready(None) => return false,
                    Poll::Pending => {
                        source.waits = true;
                        return true;
                    }
                };
                let Some(lane) = known.find(&hub.inner.lanes, item.as_device().app()) else {
                    board.refuse_app(item, started);
                    continue;
                };
                if let Offer::Full(head) = board.offer(item, message, lane, started) {
                    source.head = Some(head);
                    return true;
                }
            }
            true
        });
        let quick = now().monotonic.saturating_sub(started.monotonic) < Duration::from_millis(2);
        *chunk = if quick {
            (*chunk * 2).min(CHUNK)
        } else {
            (*chunk / 2).max(1)
        };
    }

    /// Moves the messages of one lane: submits what there is room for, takes over what has landed. The lane's client wakes the task
    /// when there is more. Returns false where more could be submitted at once.
    fn pump(&mut self, lane: usize, context: &mut Context<'_>) -> bool {
        let opened = self.numbers.get(lane).copied().flatten();
        if !self.board.has_queued(lane) && opened.is_none() {
            return true;
        }
        let client = match self.hub.open(lane) {
            Ok(client) => client,
            Err(error) => {
                self.board.fail(lane, &error, now());
                return true;
            }
        };
        let mut state = client.shared().lock();
        let number = match opened {
            Some(number) => number,
            None => {
                let number = state.begin_batch();
                if let Some(place) = self.numbers.get_mut(lane) {
                    *place = Some(number);
                }
                number
            }
        };
        // A closed session says so when a message is submitted.
        let room = match (state.session.capacity(), state.batch_room()) {
            (1.., 0) => 0,
            (_, room) => room.max(1),
        };
        let (options, at, mut submitted, mut no_room) = (self.options, now(), false, false);
        self.board
            .submit(lane, room.min(CHUNK), at, |place, message, left| {
                let options = within(options, left);
                let result = state.submit_of_batch(message.as_message(), options, number, place, at);
                submitted |= result.is_ok();
                no_room |= matches!(&result, Err(error) if error.kind() == ErrorKind::QueueFull);
                result.map(drop)
            });
        if submitted {
            state.call_driver();
        }
        let all_submitted = !self.board.has_queued(lane);
        let finished = self.sources.is_empty() && all_submitted;
        state.poll_batch(number, &mut self.landed, !all_submitted, finished, at, context);
        let full = no_room || state.batch_room() == 0;
        drop(state);
        while let Some(ended) = self.landed.pop_front() {
            let place = (ended.driver_data & 0xffff_ffff) as u32;
            self.board.attempt_ended(place, ended.into_result(), at);
        }
        all_submitted || full
    }

    /// Sets the timer to what the board asks for. Returns false where that time has come.
    fn set_timer(&mut self, context: &mut Context<'_>) -> bool {
        let Some(due) = self.board.poll_timeout(now().monotonic) else {
            return true;
        };
        // A timer that is set too early costs one look; setting it anew in every turn costs more.
        if self.timer_at.is_none_or(|at| at > due) {
            let left = due.saturating_sub(now().monotonic);
            self.timer = Some(Box::pin(sleep(left)));
            self.timer_at = Some(due);
        }
        let fired = self
            .timer
            .as_mut()
            .is_some_and(|timer| timer.as_mut().poll(context).is_ready());
        if fired {
            self.timer_at = None;
        }
        !fired
    }
}

impl<T: AsDevice> Stream for Deliveries<'_, T> {
    type Item = Delivery<T>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Delivery<T>>> {
        let this = &mut *self;
        if let Some(delivery) = this.board.next_ended() {
            return Poll::Ready(Some(delivery));
        }
        if this.hub.is_closed() && !this.sources.is_empty() {
            this.finish_at(now());
        }
        let now = now();
        let at = now.monotonic;
        if let Some(since) = this.waits_since.take() {
            this.board.note_wait(at.saturating_sub(since));
        }
        this.board.handle_timeout(now);
        this.read(context);
        let mut idle = true;
        for lane in 0..this.numbers.len() {
            idle &= this.pump(lane, context);
        }
        this.board.judge();
        if let Some(delivery) = this.board.next_ended() {
            return Poll::Ready(Some(delivery));
        }
        if this.sources.is_empty() && this.board.is_empty() {
            return Poll::Ready(None);
        }
        let can_read = this
            .sources
            .iter()
            .any(|source| source.head.is_none() && !source.waits);
        if !this.set_timer(context) || can_read || !idle {
            // One pass at a time: other tasks of the runtime want to run, too.
            context.waker().wake_by_ref();
        } else {
            this.waits_since = Some(pushcore_client::now().monotonic);
        }
        Poll::Pending
    }
}

impl<T> Drop for Deliveries<'_, T> {
    fn drop(&mut self) {
        for (lane, number) in self.numbers.iter().enumerate() {
            if let (Ok(client), Some(number)) = (self.hub.open(lane), number) {
                client.shared().lock().end_batch(*number, now());
            }
        }
    }
}

impl<T> fmt::Debug for Deliveries<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Deliveries")
            .field("hub", &self.hub)
            .field("sources", &self.sources.len())
            .finish_non_exhaustive()
    }
}
