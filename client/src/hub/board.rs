//! Which message of a hub is where, and what comes next: no socket, no clock.
//!
//! Both hubs, the blocking one and the one for tokio, are this board and a loop that moves messages between it and the clients.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};
use std::hash::{BuildHasher, Hasher, RandomState};
use std::time::Duration;

use pushcore::apns::ApnsId;
use pushcore::notification::{Attempts, Campaign, Cause, Feedback, Retries, Retry, Seen, Stop, feedback};
use pushcore::service::Message;
use pushcore::{Error, ErrorKind, Now, Outcome};

use super::delivery::{AsDevice, Delivery};
use crate::progress::Progress;

/// How long a service with a full lane may settle nothing before it counts as one that has stopped: short for those who wait for it, and
/// more than a busy machine takes for a round trip.
const SILENCE: Duration = Duration::from_secs(2);

/// The same for a service that has settled nothing yet: a name, a handshake and an access token take their time.
const COLD_SILENCE: Duration = Duration::from_secs(5);

/// How long the pace of a full lane is measured: answers come in bursts.
const PACE: Duration = Duration::from_secs(10);

/// How often messages that wait are searched for those whose time is over: a search looks at each of them.
const SEARCH: Duration = Duration::from_millis(50);

/// The messages of one service that wait in a hub beside those that its session has, unless the caller says otherwise: one to two
/// megabytes.
const QUEUE: usize = 5000;

/// The time in which a service has to clear its queue, unless the caller says otherwise: 17 messages a second with the default queue. Eight
/// connections that speak HTTP/1.1 (ADM, Baidu) manage 80 a second where an answer takes 100 ms, and are not to be taken for slow.
const PATIENCE: Duration = Duration::from_secs(300);

/// The devices that are remembered unless the caller says otherwise: as many as fit into a table of 2^20 places, which takes 9 MB when it is
/// full. A list of a million rows is a usual one.
const REMEMBERED: usize = (1 << 20) / 8 * 7;

/// How much a board holds.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// The most messages of one lane that wait here, those that rest before another attempt included.
    pub queue: usize,
    /// The time in which a lane's queue has to clear at its present pace; a lane that is slower is behind.
    pub patience: Duration,
    /// The number of devices that are remembered, to notice a token that comes twice ([`Seen::new`]).
    pub remembered: usize,
    /// The time from the moment at which a device is taken to its end at the latest; `None` is no limit.
    pub total: Option<Duration>,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            queue: QUEUE,
            patience: PATIENCE,
            remembered: REMEMBERED,
            total: None,
        }
    }
}

impl Limits {
    /// Refuses limits with which no message could be sent.
    ///
    /// # Errors
    /// `InvalidValue`.
    pub fn check(&self) -> Result<(), Error> {
        let refuse = |what: &'static str| Err(Error::new(ErrorKind::InvalidValue, what));
        if self.queue == 0 {
            return refuse("queue is 0: no message could be taken");
        }
        if self.total.is_some_and(|total| total.is_zero()) {
            return refuse("the total deadline is 0: every message would have expired");
        }
        Ok(())
    }
}

/// A message on the board.
#[derive(Debug)]
struct Post<T> {
    item: T,
    /// The message, where the source brought one; `None` where it is made from the notification.
    message: Option<Box<Message>>,
    lane: usize,
    attempts: Attempts,
    /// Whether the session has it.
    in_flight: bool,
    /// How the last attempt ended; `None` before the end of the first one.
    last: Option<Box<Result<Outcome, Error>>>,
    /// The end of the message's time on the monotonic clock; `None` is no limit.
    until: Option<Duration>,
}

impl<T> Post<T> {
    fn is_over(&self, now: Duration) -> bool {
        self.until.is_some_and(|until| until <= now)
    }
}

/// The messages of one client.
#[derive(Debug)]
struct Lane {
    /// The places of messages that wait for room in the session.
    queue: VecDeque<u32>,
    /// The messages that rest before another attempt.
    resting: usize,
    /// The messages that the session has.
    in_flight: usize,
    progress: Progress,
    /// How long the hub has waited for the sockets in the present window, in which the lane's pace is measured; `None` where the lane has
    /// room. Time in which the hub or its caller is busy says nothing of a service.
    watched: Option<Duration>,
    /// The messages that the service settled in the window. An end without an answer is no progress, nor is an answer that asks to come
    /// again.
    settled: usize,
    /// Whether the service has ever settled a message.
    warm: bool,
    /// How long the hub has waited since the service settled something, or since the lane is full.
    silent: Duration,
    /// Whether the last window showed too slow a pace.
    slow: bool,
    /// When the queue is searched next for messages whose time is over; no message that waits is over before. `None` where none has a
    /// limit.
    search: Option<Duration>,
}

impl Lane {
    fn new() -> Self {
        Self {
            queue: VecDeque::new(),
            resting: 0,
            in_flight: 0,
            progress: Progress::new(None),
            watched: None,
            settled: 0,
            warm: false,
            silent: Duration::ZERO,
            slow: false,
            search: None,
        }
    }

    /// A message with this limit goes into the queue.
    fn note_limit(&mut self, until: Option<Duration>) {
        self.search = match (self.search, until) {
            (Some(search), Some(until)) => Some(search.min(until)),
            (search, until) => search.or(until),
        };
    }

    fn waiting(&self) -> usize {
        self.queue.len() + self.resting
    }

    fn longest_silence(&self) -> Duration {
        match self.warm {
            true => SILENCE,
            false => COLD_SILENCE,
        }
    }

    /// Whether the service has stopped, or would take longer than the hub's patience for what waits. An endless patience waits for a
    /// service that has stopped, too.
    fn is_behind(&self, patience: Duration) -> bool {
        patience < Duration::MAX && (self.slow || self.silent >= self.longest_silence())
    }
}

/// An item that the source yielded, and that has not found a place yet.
#[derive(Debug)]
pub struct Head<T> {
    item: T,
    message: Option<Box<Message>>,
    lane: usize,
}

impl<T> Head<T> {
    /// The item.
    pub fn item(&self) -> &T {
        &self.item
    }
}

/// The decision about an item of the source.
#[derive(Debug)]
pub enum Offer<T> {
    /// It is on the board.
    Taken,
    /// Its lane is full: offer it again later, and read no further until then.
    Full(Head<T>),
}

/// The messages of one bulk send of a hub.
#[derive(Debug)]
pub struct Board<T> {
    posts: Vec<Option<Post<T>>>,
    free: Vec<u32>,
    lanes: Vec<Lane>,
    /// When which message rests no longer, on the monotonic clock.
    resting: BinaryHeap<Reverse<(Duration, u32)>>,
    ended: VecDeque<Delivery<T>>,
    campaign: Option<Campaign>,
    policy: Retries,
    limits: Limits,
    taken: u32,
    seen: Seen,
    /// Whether no message is sent again any more.
    stopping: bool,
}

impl<T: AsDevice> Board<T> {
    /// Returns an empty board. `campaign` makes the messages of items that come without one.
    pub fn new(lanes: usize, campaign: Option<Campaign>, policy: Retries, limits: Limits) -> Self {
        Self {
            posts: Vec::new(),
            free: Vec::new(),
            lanes: std::iter::repeat_with(Lane::new).take(lanes).collect(),
            resting: BinaryHeap::new(),
            ended: VecDeque::new(),
            campaign,
            policy,
            limits,
            taken: 0,
            seen: Seen::new(limits.remembered),
            stopping: false,
        }
    }

    // What comes in

    /// Adds a lane, for hubs whose clients are not known beforehand; returns its number.
    pub fn add_lane(&mut self) -> usize {
        self.lanes.push(Lane::new());
        self.lanes.len() - 1
    }

    /// Offers an item of the source whose device is served by `lane`. Where the notification went to a device with the same token, the item
    /// ends at once; a message of the item's own may be another one.
    pub fn offer(&mut self, item: T, message: Option<Box<Message>>, lane: usize, now: Now) -> Offer<T> {
        if message.is_none() && !self.seen.is_new(item.as_device()) {
            self.refuse(item, duplicate(), now);
            return Offer::Taken;
        }
        self.offer_again(Head { item, message, lane }, now)
    }

    /// Offers an item again that found its lane full.
    pub fn offer_again(&mut self, head: Head<T>, now: Now) -> Offer<T> {
        let most = self.limits.queue;
        let Some(lane) = self.lanes.get_mut(head.lane) else {
            self.refuse(head.item, internal(), now);
            return Offer::Taken;
        };
        if lane.waiting() < most {
            self.take(head, now);
            return Offer::Taken;
        }
        if lane.watched.is_none() {
            lane.watched = Some(Duration::ZERO);
            lane.silent = Duration::ZERO;
            lane.settled = 0;
        }
        if lane.is_behind(self.limits.patience) && self.somebody_starves(head.lane) {
            self.hand_back(head, now);
            return Offer::Taken;
        }
        Offer::Full(head)
    }

    /// Ends an item at once, because nothing can be sent to its device.
    pub fn refuse(&mut self, item: T, error: Error, now: Now) {
        let result = Err(error);
        let feedback = feedback(&result, item.as_device(), now.unix);
        let attempts = Attempts::begin(now.unix);
        self.ended.push_back(Delivery {
            item,
            result,
            feedback,
            attempts,
            stop: None,
        });
    }

    /// Ends an item at once, because no client is configured for its app.
    pub fn refuse_app(&mut self, item: T, now: Now) {
        let app = item.as_device().app();
        let name = app.name().unwrap_or("without a name");
        let text = format!(
            "no client of the hub serves {} {}, app {name}",
            app.service(),
            app.environment().name()
        );
        self.ended.push_back(Delivery {
            item,
            result: Err(Error::new(ErrorKind::Misuse, text)),
            feedback: Feedback::CheckConfiguration(Cause::Device),
            attempts: Attempts::begin(now.unix),
            stop: None,
        });
    }

    fn take(&mut self, head: Head<T>, now: Now) {
        self.taken = self.taken.wrapping_add(1);
        let mut attempts = Attempts::begin(now.unix).with_seed(self.taken);
        if self.policy.resends_unknown() {
            // What may have been taken is only the same message to the service if it has the same id.
            attempts = attempts.with_id(random_id());
        }
        let until = self.limits.total.map(|total| now.monotonic.saturating_add(total));
        let post = Post {
            item: head.item,
            message: head.message,
            lane: head.lane,
            attempts,
            in_flight: false,
            last: None,
            until,
        };
        let place = match self.free.pop() {
            Some(place) => {
                if let Some(there) = self.posts.get_mut(place as usize) {
                    *there = Some(post);
                }
                place
            }
            None => {
                self.posts.push(Some(post));
                // As many as the lanes hold: fewer than 2^32.
                (self.posts.len() - 1) as u32
            }
        };
        if let Some(lane) = self.lanes.get_mut(head.lane) {
            lane.queue.push_back(place);
            lane.note_limit(until);
            lane.progress.taken += 1;
            lane.progress.in_flight += 1;
        }
    }

    /// Ends an item that its lane has no place for, so that the items behind it are reached.
    fn hand_back(&mut self, head: Head<T>, now: Now) {
        let cause = Error::new(
            ErrorKind::QueueFull,
            "its service is slower than the others can wait for: send it again later",
        );
        let error = Error::new(ErrorKind::NotSent, "handed back without an attempt").with_source(cause);
        if let Some(lane) = self.lanes.get_mut(head.lane) {
            lane.progress.taken += 1;
            lane.progress.count(Err(&error));
        }
        self.refuse(head.item, error, now);
    }

    /// Ends an item that found no place, because nothing is read any more.
    pub fn give_up(&mut self, head: Head<T>, now: Now) {
        let cause = Error::new(ErrorKind::Closed, "the hub takes no more");
        let error = Error::new(ErrorKind::NotSent, "read, and never tried").with_source(cause);
        self.refuse(head.item, error, now);
    }

    /// Whether a lane other than `full` has nothing to do.
    fn somebody_starves(&self, full: usize) -> bool {
        let mut others = self.lanes.iter().enumerate().filter(|(lane, _)| *lane != full);
        others.any(|(_, lane)| lane.queue.is_empty())
    }

    // What goes out

    /// Whether messages of a lane wait for room in its session.
    pub fn has_queued(&self, lane: usize) -> bool {
        self.lanes.get(lane).is_some_and(|lane| !lane.queue.is_empty())
    }

    /// Hands the messages of a lane to `submit`, at most `most`, until it says `QueueFull`. Another error ends the message. `submit` gets the
    /// message's place, and the time that the message has left; `None` is no limit.
    pub fn submit(
        &mut self,
        lane: usize,
        most: usize,
        now: Now,
        mut submit: impl FnMut(u32, &Message, Option<Duration>) -> Result<(), Error>,
    ) {
        for _ in 0..most {
            let Some(place) = self.lanes.get_mut(lane).and_then(|lane| lane.queue.pop_front()) else {
                return;
            };
            let Some(post) = self.posts.get_mut(place as usize).and_then(Option::as_mut) else {
                continue;
            };
            if post.is_over(now.monotonic) {
                self.time_is_over(place, now);
                continue;
            }
            let left = post.until.map(|until| until.saturating_sub(now.monotonic));
            let made;
            let message = match (&post.message, &mut self.campaign) {
                (Some(message), _) => Ok(&**message),
                (None, Some(campaign)) => {
                    made = campaign
                        .message(post.item.as_device(), now)
                        .map(|message| post.attempts.stable(message));
                    made.as_ref().map_err(Error::clone)
                }
                (None, None) => Err(internal()),
            };
            let submitted = message.and_then(|message| submit(place, message, left));
            match submitted {
                Ok(()) => {
                    post.attempts.start();
                    post.in_flight = true;
                    if let Some(lane) = self.lanes.get_mut(lane) {
                        lane.in_flight += 1;
                    }
                }
                Err(error) if error.kind() == ErrorKind::QueueFull => {
                    if let Some(lane) = self.lanes.get_mut(lane) {
                        lane.queue.push_front(place);
                    }
                    return;
                }
                Err(error) => self.end(place, Err(error), None, now),
            }
        }
    }

    /// Ends every message of a lane that waits here: its client could not be made, or takes no more.
    pub fn fail(&mut self, lane: usize, error: &Error, now: Now) {
        while let Some(place) = self.lanes.get_mut(lane).and_then(|lane| lane.queue.pop_front()) {
            self.end(place, Err(error.clone()), None, now);
        }
    }

    /// Takes a message back into its queue, to the front, that was handed out and found no room.
    pub fn put_back(&mut self, place: u32) {
        let Some(post) = self.posts.get_mut(place as usize).and_then(Option::as_mut) else {
            return;
        };
        if !std::mem::take(&mut post.in_flight) {
            return;
        }
        if let Some(lane) = self.lanes.get_mut(post.lane) {
            lane.in_flight = lane.in_flight.saturating_sub(1);
            lane.queue.push_front(place);
            lane.note_limit(post.until);
        }
    }

    /// Ends every message of a lane that the session has, and of which no end will be told: its client has failed.
    pub fn lose(&mut self, lane: usize, error: &Error, now: Now) {
        let lost: Vec<u32> = (0u32..)
            .zip(&self.posts)
            .filter(|(_, post)| {
                post.as_ref()
                    .is_some_and(|post| post.lane == lane && post.in_flight)
            })
            .map(|(place, _)| place)
            .collect();
        for place in lost {
            self.end(place, Err(error.clone()), None, now);
        }
        if let Some(lane) = self.lanes.get_mut(lane) {
            lane.in_flight = 0;
        }
    }

    /// The item of a message that is on the board.
    pub fn item_mut(&mut self, place: u32) -> Option<&mut T> {
        let post = self.posts.get_mut(place as usize)?.as_mut()?;
        Some(&mut post.item)
    }

    /// An attempt has ended: the message rests before another one, or is over.
    pub fn attempt_ended(&mut self, place: u32, result: Result<Outcome, Error>, now: Now) {
        let Some(post) = self.posts.get_mut(place as usize).and_then(Option::as_mut) else {
            return;
        };
        let Some(lane) = self.lanes.get_mut(post.lane) else {
            return;
        };
        lane.in_flight = lane.in_flight.saturating_sub(1);
        post.in_flight = false;
        match self.policy.next(&mut post.attempts, &result, now.unix) {
            Retry::Again { after, .. } if !self.stopping => {
                let at = now.monotonic.saturating_add(after);
                if post.is_over(at) {
                    return self.end(place, result, Some(Stop::Time), now);
                }
                lane.resting += 1;
                post.last = Some(Box::new(result));
                self.resting.push(Reverse((at, place)));
            }
            Retry::Stop(stop) => self.end(place, result, Some(stop), now),
            _ => self.end(place, result, None, now),
        }
    }

    /// Ends a message that waits, because its time is over: with the result of its last attempt, where there was one.
    fn time_is_over(&mut self, place: u32, now: Now) {
        let post = self.posts.get_mut(place as usize).and_then(Option::as_mut);
        match post.and_then(|post| post.last.take()) {
            Some(last) => self.end(place, *last, Some(Stop::Time), now),
            None => self.end(place, Err(expired()), None, now),
        }
    }

    fn end(&mut self, place: u32, result: Result<Outcome, Error>, stop: Option<Stop>, now: Now) {
        let Some(post) = self.posts.get_mut(place as usize).and_then(Option::take) else {
            return;
        };
        self.free.push(place);
        if let Some(lane) = self.lanes.get_mut(post.lane) {
            lane.progress.in_flight = lane.progress.in_flight.saturating_sub(1);
            lane.progress.count(result.as_ref());
            let settled = matches!(&result, Ok(outcome) if !matches!(outcome, Outcome::RetryLater(_)));
            lane.settled += usize::from(settled);
            if settled {
                lane.warm = true;
                lane.silent = Duration::ZERO;
            }
        }
        let feedback = feedback(&result, post.item.as_device(), now.unix);
        self.ended.push_back(Delivery {
            item: post.item,
            result,
            feedback,
            attempts: post.attempts,
            stop,
        });
    }

    /// Whether messages are over and have not been fetched.
    pub fn has_ended(&self) -> bool {
        !self.ended.is_empty()
    }

    /// The next message that is over.
    pub fn next_ended(&mut self) -> Option<Delivery<T>> {
        self.ended.pop_front()
    }

    // Time

    /// When [`Board::handle_timeout`] or [`Board::judge`] has to be called, where it is `now`; `None` is never.
    pub fn poll_timeout(&self, now: Duration) -> Option<Duration> {
        let rested = self.resting.peek().map(|Reverse((at, _))| *at);
        let judged = self.lanes.iter().filter_map(|lane| {
            let left = PACE.saturating_sub(lane.watched?);
            let silence = lane.longest_silence().saturating_sub(lane.silent);
            let left = if silence.is_zero() {
                left
            } else {
                left.min(silence)
            };
            Some(now.saturating_add(left))
        });
        let searched = self.lanes.iter().filter(|lane| !lane.queue.is_empty());
        let searched = searched.filter_map(|lane| lane.search);
        rested.into_iter().chain(judged).chain(searched).min()
    }

    /// Puts messages that have rested back into their queues, and ends those that wait there and whose time is over.
    pub fn handle_timeout(&mut self, at: Now) {
        let now = at.monotonic;
        while self.resting.peek().is_some_and(|Reverse((at, _))| *at <= now) {
            let Some(Reverse((_, place))) = self.resting.pop() else {
                break;
            };
            let Some(post) = self.posts.get_mut(place as usize).and_then(Option::as_mut) else {
                continue;
            };
            if let Some(lane) = self.lanes.get_mut(post.lane) {
                lane.resting = lane.resting.saturating_sub(1);
                lane.queue.push_back(place);
                lane.note_limit(post.until);
            }
        }
        for lane in 0..self.lanes.len() {
            self.search(lane, at);
        }
    }

    /// Ends the messages of a lane's queue whose time is over, where it is time to look for them.
    fn search(&mut self, lane: usize, now: Now) {
        let Some(found) = self.lanes.get_mut(lane) else {
            return;
        };
        if found.search.is_none_or(|search| search > now.monotonic) {
            return;
        }
        let (posts, mut over, mut next) = (&self.posts, Vec::new(), None::<Duration>);
        found.queue.retain(|place| {
            let Some(Some(post)) = posts.get(*place as usize) else {
                return true;
            };
            if post.is_over(now.monotonic) {
                over.push(*place);
                return false;
            }
            next = next.into_iter().chain(post.until).min();
            true
        });
        found.search = next.map(|next| next.max(now.monotonic.saturating_add(SEARCH)));
        for place in over {
            self.time_is_over(place, now);
        }
    }

    /// The hub has waited for its sockets for so long, because there was nothing else to do.
    pub fn note_wait(&mut self, waited: Duration) {
        for lane in &mut self.lanes {
            if let Some(watched) = &mut lane.watched {
                *watched = watched.saturating_add(waited);
                lane.silent = lane.silent.saturating_add(waited);
            }
        }
    }

    /// Judges the pace of the lanes that were full, where the hub has waited long enough. Call it when the results that came meanwhile are
    /// taken over.
    pub fn judge(&mut self) {
        let Limits { queue, patience, .. } = self.limits;
        for lane in &mut self.lanes {
            let Some(watched) = lane.watched.filter(|watched| *watched >= PACE) else {
                continue;
            };
            // settled / watched < queue / patience, without a division. One that settles nothing is silent, and not slow: it may come back
            // at full speed.
            let cleared = lane.settled as u128 * patience.as_millis();
            lane.slow = lane.settled > 0 && cleared < queue as u128 * watched.as_millis();
            lane.watched = (lane.waiting() >= queue).then_some(Duration::ZERO);
            lane.settled = 0;
        }
    }

    // The whole

    /// Whether messages of the lane rest before another attempt.
    pub fn rests(&self, lane: usize) -> bool {
        self.lanes.get(lane).is_some_and(|lane| lane.resting > 0)
    }

    /// The number of messages of the lane that its session has.
    pub fn in_flight(&self, lane: usize) -> usize {
        self.lanes.get(lane).map_or(0, |lane| lane.in_flight)
    }

    /// Whether no message is on the board: those that are over may still have to be fetched.
    pub fn is_empty(&self) -> bool {
        self.posts.len() == self.free.len()
    }

    /// Every item: of the messages on the board, and of those that are over and have not been fetched.
    pub fn items(&self) -> impl Iterator<Item = &T> {
        let posts = self.posts.iter().flatten().map(|post| &post.item);
        posts.chain(self.ended.iter().map(|delivery| &delivery.item))
    }

    /// The number of messages that are over and have not been fetched.
    pub fn ended(&self) -> usize {
        self.ended.len()
    }

    /// The messages that rest before another attempt, with their states.
    pub fn resting(&self) -> impl Iterator<Item = (&T, &Attempts)> {
        self.resting.iter().filter_map(|Reverse((_, place))| {
            let post = self.posts.get(*place as usize)?.as_ref()?;
            Some((&post.item, &post.attempts))
        })
    }

    /// How far the lane is.
    pub fn progress(&self, lane: usize) -> Option<&Progress> {
        self.lanes.get(lane).map(|lane| &lane.progress)
    }

    /// Whether a lane's queue would take longer than the hub's patience at its present pace.
    pub fn is_behind(&self, lane: usize) -> bool {
        let patience = self.limits.patience;
        self.lanes.get(lane).is_some_and(|lane| lane.is_behind(patience))
    }

    /// Sends nothing again from now on: what rests ends with the result that it has; what waits in a queue is still sent.
    pub fn stop_retries(&mut self, now: Now) {
        self.stopping = true;
        for Reverse((_, place)) in std::mem::take(&mut self.resting) {
            let Some(post) = self.posts.get_mut(place as usize).and_then(Option::as_mut) else {
                continue;
            };
            let last = post.last.take();
            if let Some(lane) = self.lanes.get_mut(post.lane) {
                lane.resting = lane.resting.saturating_sub(1);
            }
            let result = last.map_or_else(|| Err(internal()), |last| *last);
            self.end(place, result, None, now);
        }
    }
}

/// An id from the randomness that the standard library has for its maps.
fn random_id() -> ApnsId {
    let half = || RandomState::new().build_hasher().finish().to_be_bytes();
    let mut bytes = [0; 16];
    for (byte, random) in bytes.iter_mut().zip(half().into_iter().chain(half())) {
        *byte = random;
    }
    ApnsId::from_bytes(bytes)
}

fn duplicate() -> Error {
    Error::new(
        ErrorKind::DuplicateDevice,
        "an earlier device of the list has the same token, and one notification is enough",
    )
}

fn expired() -> Error {
    Error::new(
        ErrorKind::Expired,
        "the hub's total deadline passed before it was sent",
    )
}

fn internal() -> Error {
    Error::new(
        ErrorKind::Internal,
        "a message of the hub has no client or no text",
    )
}

#[cfg(test)]
mod tests {
    use pushcore::UnixTime;
    use pushcore::notification::{Device, Notification};
    use pushcore::outcome::{OutcomeKind, OutcomeParts};
    use pushcore::service::Kind;

    use super::*;

    fn at(millis: u64) -> Now {
        Now::new(
            Duration::from_millis(millis),
            UnixTime::from_millis(1_764_422_709_000 + millis),
        )
    }

    fn device(lane: usize, number: u32) -> (u32, Device) {
        let kind = [Kind::Fcm, Kind::Adm][lane];
        let builder = Device::builder(kind).token(&format!("token-{number}"));
        (number, builder.build().expect("a device"))
    }

    fn board(queue: usize, policy: Retries) -> Board<(u32, Device)> {
        let notification = Notification::builder()
            .title("Hello")
            .build()
            .expect("a notification");
        let limits = Limits {
            queue,
            patience: Duration::from_secs(30),
            ..Limits::default()
        };
        Board::new(2, Some(Campaign::new(notification)), policy, limits)
    }

    fn outcome(kind: OutcomeKind) -> Result<Outcome, Error> {
        Ok(Outcome::from_parts(&OutcomeParts::new(kind)).expect("an outcome"))
    }

    fn waited(board: &mut Board<(u32, Device)>, millis: u64) {
        board.note_wait(Duration::from_millis(millis));
        board.judge();
    }

    fn submitted(board: &mut Board<(u32, Device)>, lane: usize, now: Now) -> Vec<u32> {
        let mut places = Vec::new();
        board.submit(lane, usize::MAX, now, |place, _, _| {
            places.push(place);
            Ok(())
        });
        places
    }

    /// A dead service holds the others back for one window, and no longer.
    #[test]
    fn what_a_dead_service_has_no_place_for_is_handed_back() {
        let mut board = board(10, Retries::standard());
        for number in 0..10 {
            let (key, device) = device(0, number);
            assert!(matches!(board.offer((key, device), None, 0, at(0)), Offer::Taken));
        }
        let Offer::Full(head) = board.offer(device(0, 10), None, 0, at(0)) else {
            panic!("the lane is full")
        };
        // It may be about to answer for the first time.
        assert_eq!(board.poll_timeout(Duration::ZERO), Some(Duration::from_secs(5)));
        waited(&mut board, 4999);
        let Offer::Full(head) = board.offer_again(head, at(4999)) else {
            panic!("its pace is not known yet")
        };
        waited(&mut board, 1);
        assert!(board.is_behind(0));
        assert!(matches!(board.offer_again(head, at(5000)), Offer::Taken));
        let delivery = board.next_ended().expect("handed back");
        assert_eq!(delivery.item.0, 10);
        let error = delivery.result.expect_err("not sent");
        assert_eq!(error.kind(), ErrorKind::NotSent);
        assert_eq!(error.cause().map(Error::kind), Some(ErrorKind::QueueFull));
        assert!(matches!(delivery.feedback, Feedback::Wait { .. }));
        assert_eq!((delivery.attempts.made(), delivery.stop), (0, None));
        // The other lane goes on.
        assert!(matches!(
            board.offer(device(1, 11), None, 1, at(5000)),
            Offer::Taken
        ));
        assert_eq!(submitted(&mut board, 1, at(5000)).len(), 1);
        let progress = board.progress(0).expect("a lane");
        assert_eq!(
            (progress.taken, progress.not_sent, progress.in_flight),
            (11, 1, 10)
        );
    }

    /// An endless patience waits for a dead service, whatever the others do.
    #[test]
    fn an_endless_patience_hands_nothing_back() {
        let mut board = board(1, Retries::standard());
        board.limits.patience = Duration::MAX;
        board.offer(device(0, 0), None, 0, at(0));
        let Offer::Full(head) = board.offer(device(0, 1), None, 0, at(0)) else {
            panic!("the lane is full")
        };
        waited(&mut board, 3_600_000);
        assert!(!board.is_behind(0));
        assert!(matches!(board.offer_again(head, at(3_600_000)), Offer::Full(_)));
    }

    /// While the others have work, reading waits, however slow the service is.
    #[test]
    fn nothing_is_handed_back_while_the_others_are_busy() {
        let mut board = board(1, Retries::standard());
        assert!(matches!(board.offer(device(0, 0), None, 0, at(0)), Offer::Taken));
        assert!(matches!(board.offer(device(1, 1), None, 1, at(0)), Offer::Taken));
        let Offer::Full(head) = board.offer(device(0, 2), None, 0, at(0)) else {
            panic!("the lane is full")
        };
        waited(&mut board, 5000);
        assert!(board.is_behind(0));
        assert!(matches!(board.offer_again(head, at(5000)), Offer::Full(_)));
    }

    /// A service that has worked before is found out after two seconds without an answer.
    #[test]
    fn a_service_that_stops_is_found_out_in_two_seconds() {
        let mut board = board(10, Retries::standard());
        board.offer(device(0, 0), None, 0, at(0));
        let place = submitted(&mut board, 0, at(0))[0];
        board.attempt_ended(place, outcome(OutcomeKind::Accepted), at(20));
        for number in 1..=10 {
            board.offer(device(0, number), None, 0, at(100));
        }
        assert!(matches!(
            board.offer(device(0, 11), None, 0, at(100)),
            Offer::Full(_)
        ));
        waited(&mut board, 1999);
        assert!(!board.is_behind(0));
        waited(&mut board, 1);
        assert!(board.is_behind(0));
        // And is waited for again when it moves.
        let mut place = None;
        board.submit(0, 1, at(1200), |taken, _, _| {
            place = Some(taken);
            Ok(())
        });
        board.attempt_ended(place.expect("a place"), outcome(OutcomeKind::Accepted), at(1300));
        waited(&mut board, 1000);
        assert!(!board.is_behind(0));
    }

    /// Ten seconds decide whether a service that moves is too slow for the hub's patience.
    #[test]
    fn a_slow_service_is_found_out_by_its_pace() {
        // Seven in ten seconds: a queue of ten clears in fourteen.
        for (patience, slow) in [(10, true), (30, false)] {
            let mut board = board(10, Retries::standard());
            board.limits.patience = Duration::from_secs(patience);
            for number in 0..10 {
                board.offer(device(0, number), None, 0, at(0));
            }
            assert!(matches!(
                board.offer(device(0, 10), None, 0, at(0)),
                Offer::Full(_)
            ));
            for second in 1..=10 {
                if second % 3 > 0 {
                    let mut place = None;
                    board.submit(0, 1, at(second * 1000), |taken, _, _| {
                        place = Some(taken);
                        Ok(())
                    });
                    let place = place.expect("a place");
                    board.attempt_ended(place, outcome(OutcomeKind::Accepted), at(second * 1000));
                }
                assert!(!board.is_behind(0), "second {second}");
                waited(&mut board, 1000);
            }
            assert_eq!(board.is_behind(0), slow);
        }
    }

    /// A service that clears its queue in good time is waited for.
    #[test]
    fn a_service_that_moves_is_waited_for() {
        let mut board = board(10, Retries::standard());
        for number in 0..10 {
            board.offer(device(0, number), None, 0, at(0));
        }
        let Offer::Full(head) = board.offer(device(0, 10), None, 0, at(0)) else {
            panic!("the lane is full")
        };
        // One of ten in a second clears the queue in ten seconds.
        let mut place = None;
        board.submit(0, 1, at(10), |taken, _, _| {
            place = Some(taken);
            Ok(())
        });
        board.attempt_ended(place.expect("a place"), outcome(OutcomeKind::Accepted), at(20));
        waited(&mut board, 1000);
        assert!(!board.is_behind(0));
        assert!(matches!(board.offer_again(head, at(1000)), Offer::Taken));
        assert!(board.next_ended().expect("accepted").result.is_ok());
        assert!(board.next_ended().is_none());
    }

    #[test]
    fn a_message_rests_as_long_as_its_policy_says_and_ends_once() {
        let mut board = board(10, Retries::custom().attempts(2).build().expect("a policy"));
        board.offer(device(0, 7), None, 0, at(0));
        let place = submitted(&mut board, 0, at(0))[0];
        board.attempt_ended(place, outcome(OutcomeKind::RetryLater), at(100));
        assert!(board.next_ended().is_none() && !board.is_empty());
        let due = board.poll_timeout(Duration::ZERO).expect("a rest");
        // Half of a second to a second: the policy's first wait.
        assert!((600..=1100).contains(&due.as_millis()), "{due:?}");
        board.handle_timeout(at(due.as_millis() as u64 + 1));
        let again = submitted(&mut board, 0, at(1100));
        assert_eq!(again, [place]);
        board.attempt_ended(place, outcome(OutcomeKind::RetryLater), at(1200));
        let delivery = board.next_ended().expect("over");
        assert_eq!(
            (delivery.stop, delivery.attempts.made()),
            (Some(Stop::Attempts), 2)
        );
        assert!(board.is_empty() && board.next_ended().is_none());
    }

    #[test]
    fn a_stop_ends_what_rests_with_what_is_known() {
        let mut board = board(10, Retries::standard());
        board.offer(device(0, 7), None, 0, at(0));
        let place = submitted(&mut board, 0, at(0))[0];
        board.attempt_ended(place, outcome(OutcomeKind::RetryLater), at(100));
        board.stop_retries(at(200));
        let delivery = board.next_ended().expect("over");
        assert_eq!(delivery.result.expect("the answer").name(), "retry_later");
        assert!(board.is_empty());
    }

    /// A policy that risks a second push gives all attempts of a message to Apple one id, and each message another.
    #[test]
    fn attempts_that_may_be_seen_twice_have_one_id() {
        let policy = Retries::custom().resend_unknown(true).build().expect("a policy");
        let notification = Notification::builder()
            .title("Hello")
            .build()
            .expect("a notification");
        let limits = Limits {
            queue: 10,
            remembered: 0,
            ..Limits::default()
        };
        let mut board = Board::new(1, Some(Campaign::new(notification)), policy, limits);
        let device = Device::builder(Kind::Apns)
            .app("com.example.app")
            .token(&"ab".repeat(32));
        let device = device.build().expect("a device");
        let ids = |board: &mut Board<Device>, now: Now| {
            let mut ids = Vec::new();
            board.submit(0, usize::MAX, now, |place, message, _| {
                let Message::Apns(message) = message else {
                    panic!("not for Apple")
                };
                ids.push((place, message.id().expect("an id")));
                Ok(())
            });
            ids
        };
        for _ in 0..2 {
            assert!(matches!(
                board.offer(device.clone(), None, 0, at(0)),
                Offer::Taken
            ));
        }
        let first = ids(&mut board, at(0));
        assert_ne!(first[0].1, first[1].1);
        for (place, _) in &first {
            let lost = Err(Error::new(ErrorKind::Unknown, "no answer"));
            board.attempt_ended(*place, lost, at(100));
        }
        board.handle_timeout(at(60_000));
        let mut again = ids(&mut board, at(60_000));
        again.sort_by_key(|(place, _)| *place);
        let mut expected = first;
        expected.sort_by_key(|(place, _)| *place);
        assert_eq!(again, expected);
    }

    #[test]
    fn a_full_session_keeps_the_order() {
        let mut board = board(10, Retries::none());
        for number in 0..3 {
            board.offer(device(0, number), None, 0, at(0));
        }
        let mut room = 1;
        let mut seen = Vec::new();
        for _ in 0..3 {
            board.submit(0, usize::MAX, at(0), |place, _, _| {
                if room == 0 {
                    return Err(Error::new(ErrorKind::QueueFull, "full"));
                }
                room -= 1;
                seen.push(place);
                Ok(())
            });
            room = 1;
        }
        assert_eq!(seen, [0, 1, 2]);
    }

    /// The same notification twice to one token is one too many; two messages of the caller's may be two things to say.
    #[test]
    fn the_second_device_of_a_token_ends_alone_and_unsent() {
        let mut board = board(10, Retries::standard());
        let second = |board: &mut Board<(u32, Device)>, number: u32, message: Option<Box<Message>>| {
            let (_, device) = device(0, 7);
            assert!(matches!(
                board.offer((number, device), message, 0, at(0)),
                Offer::Taken
            ));
        };
        second(&mut board, 1, None);
        second(&mut board, 2, None);
        let delivery = board.next_ended().expect("the second one");
        assert_eq!(delivery.item.0, 2);
        let error = delivery.result.expect_err("a duplicate");
        assert_eq!(error.kind(), ErrorKind::DuplicateDevice);
        assert_eq!(delivery.feedback, Feedback::CheckConfiguration(Cause::Device));
        assert_eq!((delivery.attempts.made(), delivery.stop), (0, None));
        assert!(board.next_ended().is_none());
        assert_eq!(submitted(&mut board, 0, at(0)).len(), 1);
        // What was never taken counts nowhere.
        assert_eq!(board.progress(0).expect("a lane").taken, 1);
        let mut campaign = Campaign::new(Notification::builder().title("Other").build().expect("one"));
        for number in [3, 4] {
            let message = campaign.message(&device(0, 7).1, at(0)).expect("a message");
            second(&mut board, number, Some(Box::new(message)));
        }
        assert_eq!(submitted(&mut board, 0, at(0)).len(), 2);
        assert!(board.next_ended().is_none());
    }

    /// One that found no place the first time is not its own duplicate.
    #[test]
    fn an_item_that_waits_for_a_place_is_no_duplicate_of_itself() {
        let mut board = board(1, Retries::standard());
        board.offer(device(0, 0), None, 0, at(0));
        let Offer::Full(head) = board.offer(device(0, 1), None, 0, at(0)) else {
            panic!("the lane is full")
        };
        submitted(&mut board, 0, at(0));
        assert!(matches!(board.offer_again(head, at(1)), Offer::Taken));
        assert!(board.next_ended().is_none());
        assert_eq!(submitted(&mut board, 0, at(1)).len(), 1);
    }

    fn limited(total: u64, policy: Retries) -> Board<(u32, Device)> {
        let mut board = board(10, policy);
        board.limits.total = Some(Duration::from_secs(total));
        board
    }

    #[test]
    fn what_waits_ends_when_its_time_is_over() {
        let mut board = limited(3, Retries::standard());
        board.offer(device(0, 0), None, 0, at(0));
        board.offer(device(0, 1), None, 0, at(1000));
        assert_eq!(board.poll_timeout(Duration::ZERO), Some(Duration::from_secs(3)));
        board.handle_timeout(at(2999));
        assert!(board.next_ended().is_none());
        board.handle_timeout(at(3000));
        let delivery = board.next_ended().expect("over");
        assert_eq!(delivery.item.0, 0);
        assert_eq!(
            delivery.result.expect_err("never sent").kind(),
            ErrorKind::Expired
        );
        assert_eq!((delivery.attempts.made(), delivery.stop), (0, None));
        assert!(board.next_ended().is_none());
        // The other one has a second left, and a session hears of it.
        let mut lefts = Vec::new();
        board.submit(0, usize::MAX, at(3000), |place, _, left| {
            lefts.push((place, left));
            Ok(())
        });
        assert_eq!(lefts, [(1, Some(Duration::from_secs(1)))]);
        assert_eq!(board.poll_timeout(Duration::from_secs(3)), None);
        let progress = board.progress(0).expect("a lane");
        assert_eq!((progress.not_sent, progress.in_flight), (1, 1));
    }

    /// A message whose next attempt would come too late ends at once, with the answer that it has.
    #[test]
    fn a_rest_beyond_the_end_is_not_begun() {
        let mut board = limited(1, Retries::standard());
        board.offer(device(0, 7), None, 0, at(0));
        let place = submitted(&mut board, 0, at(0))[0];
        board.attempt_ended(place, outcome(OutcomeKind::RetryLater), at(600));
        let delivery = board.next_ended().expect("over");
        assert_eq!(delivery.result.expect("the answer").name(), "retry_later");
        assert_eq!((delivery.attempts.made(), delivery.stop), (1, Some(Stop::Time)));
        assert!(board.is_empty());
    }

    /// A message that waits for room once more ends with the answer of its last attempt.
    #[test]
    fn the_last_answer_is_not_lost_in_the_queue() {
        let mut board = limited(10, Retries::standard());
        board.offer(device(0, 7), None, 0, at(0));
        let place = submitted(&mut board, 0, at(0))[0];
        board.attempt_ended(place, outcome(OutcomeKind::RetryLater), at(100));
        board.handle_timeout(at(2000));
        assert!(board.next_ended().is_none() && board.has_queued(0));
        board.handle_timeout(at(10_000));
        let delivery = board.next_ended().expect("over");
        assert_eq!(delivery.result.expect("the answer").name(), "retry_later");
        assert_eq!(delivery.stop, Some(Stop::Time));
    }
}
