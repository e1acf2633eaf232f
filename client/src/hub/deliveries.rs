//! A list of devices in, a list of deliveries out.

use std::collections::VecDeque;
use std::fmt;
use std::ops::Deref;
use std::sync::Arc;
use std::time::Duration;

use pushcore::notification::{App, Campaign};
use pushcore::service::{AsMessage, Message};
use pushcore::session::{Ended, SendOptions};
use pushcore::{Error, ErrorKind, Now};

use super::Hub;
use super::board::{Board, Head, Offer};
use super::delivery::{AsDevice, Delivery};
use super::lanes::Known;
use super::wait::Wait;
use crate::clock::now;
use crate::progress::Progress;
use crate::shared::Waiting;

/// The most items taken from one source, and the most messages of one service submitted, before the sockets get their turn.
const CHUNK: usize = 512;

/// The items of a source: each with its message, where the source brings one.
type Items<'h, T> = dyn Iterator<Item = (T, Option<Box<Message>>)> + 'h;

/// The items of a bulk send that may go from thread to thread.
pub(super) type SendItems<T> = dyn Iterator<Item = (T, Option<Box<Message>>)> + Send;

/// The hub of a bulk send.
pub(super) enum Held<'h> {
    Borrowed(&'h Hub),
    /// For callers in steps, who keep the send beside the hub.
    Shared(Arc<Hub>),
}

impl Deref for Held<'_> {
    type Target = Hub;

    fn deref(&self) -> &Hub {
        match self {
            Self::Borrowed(hub) => hub,
            Self::Shared(hub) => hub,
        }
    }
}

/// One source of devices.
struct Source<T, I: ?Sized> {
    /// The items to come; `None` where the caller offers them one by one.
    items: Option<Box<I>>,
    /// Whether the caller offers no more.
    over: bool,
    /// An item whose service has no place for it.
    head: Option<Head<T>>,
}

impl<T, I: ?Sized> Source<T, I> {
    /// Whether the caller may offer items.
    fn is_offered(&self) -> bool {
        self.items.is_none() && !self.over
    }
}

/// Yields every device of a source with its end, as they land. Made by [`Hub::notify`] and [`Hub::send_many`].
#[must_use = "nothing is sent unless the results are fetched"]
pub struct Deliveries<'h, T, I: ?Sized = Items<'h, T>> {
    hub: Held<'h>,
    board: Board<T>,
    sources: Vec<Source<T, I>>,
    known: Known,
    /// The number of the bulk send in each client; `None` where the client has not been opened.
    numbers: Vec<Option<u32>>,
    landed: VecDeque<Ended>,
    options: SendOptions,
    wait: Wait,
    chunk: usize,
}

impl<'h, T: AsDevice> Deliveries<'h, T> {
    /// Reads another source beside those before: where each service has a source of its own, none is ever in the way of another. Only
    /// for a notification: a device alone has no message.
    pub fn and<I>(mut self, devices: I) -> Self
    where
        I: IntoIterator<Item = T>,
        I::IntoIter: 'h,
    {
        let items = Box::new(devices.into_iter().map(|item| (item, None)));
        self.sources.push(Source {
            items: Some(items),
            over: false,
            head: None,
        });
        self
    }
}

impl<'h, T, I> Deliveries<'h, T, I>
where
    T: AsDevice,
    I: Iterator<Item = (T, Option<Box<Message>>)> + ?Sized,
{
    /// Returns a bulk send of `items`, or of what [`Deliveries::offer`] brings where there are none.
    pub(super) fn new(hub: Held<'h>, campaign: Option<Campaign>, items: Option<Box<I>>) -> Self {
        let lanes = hub.lanes.all().len();
        Self {
            board: Board::new(lanes, campaign, hub.retries, hub.limits),
            hub,
            sources: vec![Source {
                items,
                over: false,
                head: None,
            }],
            known: Known::default(),
            numbers: vec![None; lanes],
            landed: VecDeque::new(),
            options: SendOptions::default().bulk(),
            wait: Wait::default(),
            chunk: 1,
        }
    }

    /// Options for each attempt; a deadline runs from the moment at which the message is handed to its client. One for all attempts together
    /// is [`HubBuilder::total_deadline`](super::HubBuilder::total_deadline).
    ///
    /// The messages are sent as many in any case ([`SendOptions::bulk`]): a doubtful answer may be held back for five seconds,
    /// until others make it certain.
    pub fn options(mut self, options: SendOptions) -> Self {
        self.options = options.bulk();
        self
    }

    /// Returns how far each service is, by the app that its client serves. Devices without a client are counted nowhere.
    pub fn progress(&self) -> impl Iterator<Item = (&App, Progress)> {
        let served = self.hub.lanes.all().iter().enumerate();
        served.filter_map(|(lane, served)| {
            let mut progress = self.board.progress(lane)?.clone();
            progress.elapsed = progress.started.elapsed();
            Some((served.app(), progress))
        })
    }

    /// Whether the service of an app is behind: its queue would take longer than [`HubBuilder::patience`](super::HubBuilder::patience).
    /// False where no client serves the app.
    pub fn is_behind(&self, app: &App) -> bool {
        self.hub
            .lanes
            .find(app)
            .is_some_and(|lane| self.board.is_behind(lane))
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
    fn read(&mut self, process: &Result<(), Error>) {
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
        let mut taken = false;
        sources.retain_mut(|source| {
            if let Some(head) = source.head.take() {
                match board.offer_again(head, started) {
                    Offer::Taken => taken = true,
                    Offer::Full(head) => {
                        source.head = Some(head);
                        return true;
                    }
                }
            }
            let Some(items) = &mut source.items else {
                return !source.over;
            };
            for _ in 0..*chunk {
                let Some((item, message)) = items.next() else {
                    return false;
                };
                taken = true;
                source.head = place(hub, board, known, process, item, message, started);
                if source.head.is_some() {
                    return true;
                }
            }
            true
        });
        if taken {
            let quick = now().monotonic.saturating_sub(started.monotonic) < Duration::from_millis(2);
            *chunk = if quick {
                (*chunk * 2).min(CHUNK)
            } else {
                (*chunk / 2).max(1)
            };
        }
    }

    /// Whether a source has an item that could be read now.
    fn can_read(&self) -> bool {
        let mut sources = self.sources.iter();
        sources.any(|source| source.head.is_none() && source.items.is_some())
    }

    /// Takes an item that the caller offers, or gives the item back where there is no room for it yet, or no longer.
    pub(super) fn offer(&mut self, item: T, message: Option<Box<Message>>) -> Result<(), T> {
        let Self {
            hub,
            board,
            sources,
            known,
            ..
        } = self;
        let mut offered = sources.iter_mut().filter(|source| source.is_offered());
        let Some(source) = offered.next().filter(|source| source.head.is_none()) else {
            return Err(item);
        };
        let process = hub.check_process();
        source.head = place(hub, board, known, &process, item, message, now());
        Ok(())
    }

    /// Says that no item follows: those that were taken go on, with all their attempts.
    pub(super) fn end_of_list(&mut self) {
        for source in &mut self.sources {
            source.over = true;
        }
    }

    /// Whether items may still be offered.
    pub(super) fn is_open(&self) -> bool {
        !self.hub.is_closed() && self.sources.iter().any(Source::is_offered)
    }

    /// Whether every item that was taken has its end.
    pub(super) fn is_idle(&self) -> bool {
        self.board.is_empty() && self.sources.iter().all(|source| source.head.is_none())
    }

    /// Cancels what has not ended; every item still gets its end.
    pub(super) fn cancel(&mut self) {
        let at = now();
        self.finish_at(at);
        let cancelled = Error::new(ErrorKind::Cancelled, "the bulk send was cancelled");
        for lane in 0..self.numbers.len() {
            self.board.fail(lane, &cancelled, at);
            let number = self.numbers.get(lane).copied().flatten();
            if let (Some(client), Some(number), Ok(())) =
                (self.hub.opened(lane), number, self.hub.check_process())
            {
                let mut shared = client.lock();
                shared.cancel_batch(number);
                client.nudge(&mut shared);
                shared.swap_results(number, &mut self.landed);
                drop(shared);
                self.settle(number);
            }
        }
    }

    /// The ends that are there, without a wait.
    pub(super) fn take_ended(&mut self) -> impl Iterator<Item = Delivery<T>> {
        std::iter::from_fn(|| self.board.next_ended())
    }

    /// Whether this is a child of the process that the hub belongs to: nothing that is in flight ends here.
    pub(super) fn is_forked(&self) -> bool {
        self.hub.check_process().is_err()
    }

    /// Whether an end is there.
    pub(super) fn has_ended(&self) -> bool {
        self.board.has_ended()
    }

    /// Moves everything once, and waits at most `longest` for something to do where there is nothing. False where all have their ends.
    pub(super) fn turn(&mut self, longest: Duration) -> bool {
        let process = self.hub.check_process();
        if self.hub.is_closed() && !self.sources.is_empty() {
            self.finish_at(now());
        }
        self.board.handle_timeout(now());
        self.read(&process);
        if process.is_err() {
            // Nothing that the parent had in flight will end here.
            return !self.sources.is_empty() || self.board.has_ended();
        }
        let mut idle = true;
        for lane in 0..self.numbers.len() {
            idle &= self.pump(lane);
        }
        self.board.judge();
        if self.board.has_ended() {
            return true;
        }
        if self.sources.is_empty() && self.board.is_empty() {
            return false;
        }
        if idle && !self.can_read() {
            let since = now().monotonic;
            self.wait_for_something(longest);
            self.board.note_wait(now().monotonic.saturating_sub(since));
        }
        true
    }

    /// Moves the messages of one lane: submits what there is room for, moves bytes, takes over what has landed. Returns false where
    /// there is more to do at once.
    fn pump(&mut self, lane: usize) -> bool {
        let queued = self.board.has_queued(lane);
        let opened = self.numbers.get(lane).copied().flatten();
        if !queued && opened.is_none() {
            return true;
        }
        let client = match self.hub.open(lane) {
            Ok(client) => client,
            Err(error) => {
                self.board.fail(lane, &error, now());
                return true;
            }
        };
        let number = match opened {
            Some(number) => number,
            None => {
                let number = client.lock().begin_batch();
                if let Some(place) = self.numbers.get_mut(lane) {
                    *place = Some(number);
                }
                number
            }
        };
        let (mut shared, at) = client.lock_to_submit();
        let session = &shared.driver.session;
        // A closed session says so when a message is submitted.
        let room = match (session.capacity(), session.bulk_capacity()) {
            (1.., 0) => 0,
            (_, room) => room.max(1),
        };
        let (options, mut no_room) = (self.options, false);
        self.board
            .submit(lane, room.min(CHUNK), at, |place, message, left| {
                let waiting = Waiting::Batch(number, place);
                let options = within(options, left);
                let submitted = shared.submit_at(message.as_message(), options, waiting, at);
                no_room |= matches!(&submitted, Err(error) if error.kind() == ErrorKind::QueueFull);
                submitted.map(drop)
            });
        client.nudge(&mut shared);
        let all_submitted = !self.board.has_queued(lane);
        if self.sources.is_empty() && all_submitted && !shared.has_results(number) {
            shared.release_last(number, self.board.in_flight(lane) as u64);
        }
        shared.swap_results(number, &mut self.landed);
        // Sockets that were not looked at may be ready, of which no wait will tell again.
        let looks = self.landed.is_empty();
        if looks {
            shared = client.look(shared, Some(Duration::ZERO));
            shared.swap_results(number, &mut self.landed);
        }
        let full = no_room || shared.driver.session.bulk_capacity() == 0;
        drop(shared);
        self.settle(number);
        looks && (all_submitted || full)
    }

    /// Takes over the results of one lane.
    fn settle(&mut self, number: u32) {
        if self.landed.is_empty() {
            return;
        }
        let at = now();
        while let Some(ended) = self.landed.pop_front() {
            match Waiting::of(ended.driver_data) {
                Waiting::Batch(of, place) if of == number => {
                    self.board.attempt_ended(place, ended.into_result(), at);
                }
                // Left over from a bulk send that was dropped.
                _ => {}
            }
        }
    }

    /// Waits until a client has something to do, or the board has, at most `longest`.
    fn wait_for_something(&mut self, longest: Duration) {
        let at = now().monotonic;
        let mut busy = None;
        let mut several = false;
        let due = self.board.poll_timeout(at).map(|due| due.saturating_sub(at));
        let longest = due.unwrap_or(Duration::MAX).min(longest);
        for lane in 0..self.numbers.len() {
            if self.board.in_flight(lane) > 0 {
                several |= busy.is_some();
                busy = Some(lane);
            }
        }
        let alone = busy.filter(|_| !several).and_then(|lane| {
            let number = self.numbers.get(lane).copied().flatten()?;
            Some((self.hub.opened(lane)?, number))
        });
        if let Some((client, number)) = alone {
            // One client has work: its own wait is the cheapest.
            let mut shared = client.lock();
            client.nudge(&mut shared);
            if !shared.has_results(number) {
                shared = client.look(shared, Some(longest.min(LONGEST)));
            }
            shared.swap_results(number, &mut self.landed);
            drop(shared);
            return self.settle(number);
        }
        let mut longest = longest;
        for (lane, number) in self.numbers.iter().enumerate() {
            let (Some(client), Some(_)) = (self.hub.opened(lane), number) else {
                continue;
            };
            self.wait.add(lane, client);
            let shared = client.lock();
            if shared.polling {
                // Another thread is at its sockets, and tells nobody here.
                longest = longest.min(GLANCE);
            } else if let Some(wait) = shared.driver.wait(at) {
                longest = longest.min(wait);
            }
        }
        if !longest.is_zero() {
            self.wait.wait(longest);
        }
    }
}

/// The options of an attempt for a message that has so much time left; `None` is no limit.
pub fn within(mut options: SendOptions, left: Option<Duration>) -> SendOptions {
    if let Some(left) = left {
        // Without a deadline of its own an attempt has all that is left.
        options.deadline = Some(options.deadline.map_or(left, |deadline| deadline.min(left)));
    }
    options
}

/// The longest wait for one client: the hub may be closed by another thread.
const LONGEST: Duration = Duration::from_millis(100);

/// How long to leave a client alone that another thread drives.
const GLANCE: Duration = Duration::from_millis(2);

impl<T, I> Iterator for Deliveries<'_, T, I>
where
    T: AsDevice,
    I: Iterator<Item = (T, Option<Box<Message>>)> + ?Sized,
{
    type Item = Delivery<T>;

    fn next(&mut self) -> Option<Delivery<T>> {
        loop {
            if let Some(delivery) = self.board.next_ended() {
                return Some(delivery);
            }
            if !self.turn(Duration::MAX) {
                return None;
            }
        }
    }
}

/// Places an item of a source; gives it back where its lane has no room.
fn place<T: AsDevice>(
    hub: &Hub,
    board: &mut Board<T>,
    known: &mut Known,
    process: &Result<(), Error>,
    item: T,
    message: Option<Box<Message>>,
    at: Now,
) -> Option<Head<T>> {
    if let Err(error) = process {
        board.refuse(item, error.clone(), at);
        return None;
    }
    let Some(lane) = known.find(&hub.lanes, item.as_device().app()) else {
        board.refuse_app(item, at);
        return None;
    };
    match board.offer(item, message, lane, at) {
        Offer::Taken => None,
        Offer::Full(head) => Some(head),
    }
}

impl<T, I: ?Sized> Drop for Deliveries<'_, T, I> {
    fn drop(&mut self) {
        if self.hub.check_process().is_err() {
            return;
        }
        for (lane, number) in self.numbers.iter().enumerate() {
            let (Some(client), Some(number)) = (self.hub.opened(lane), number) else {
                continue;
            };
            let mut shared = client.lock();
            shared.end_batch(*number);
            client.nudge(&mut shared);
        }
    }
}

impl<T, I: ?Sized> fmt::Debug for Deliveries<'_, T, I> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Deliveries")
            .field("hub", &*self.hub)
            .field("sources", &self.sources.len())
            .finish_non_exhaustive()
    }
}
