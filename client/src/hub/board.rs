//! Which message of a hub is where, and what comes next: no socket, no clock.
//!
//! Both hubs, the blocking one and the one for tokio, are this board and a loop that moves messages between it and the clients.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};
use std::hash::{BuildHasher, Hasher, RandomState};
use std::time::Duration;

use pushcore::apns::ApnsId;
use pushcore::notification::{Attempts, Campaign, Cause, Feedback, Retries, Retry, Stop, feedback};
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

/// How much a board holds.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// The most messages of one lane that wait here, those that rest before another attempt included.
    pub queue: usize,
    /// The time in which a lane's queue has to clear at its present pace; a lane that is slower is behind.
    pub patience: Duration,
}

impl Limits {
    /// Refuses limits with which no message could be sent.
    ///
    /// # Errors
    /// `InvalidValue`.
    pub fn check(&self) -> Result<(), Error> {
        match self.queue {
            0 => Err(Error::new(
                ErrorKind::InvalidValue,
                "queue is 0: no message could be taken",
            )),
            _ => Ok(()),
        }
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
    /// How the last attempt ended, while the message rests; `None` otherwise.
    last: Option<Box<Result<Outcome, Error>>>,
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
}

impl Lane {
    fn waiting(&self) -> usize {
        self.queue.len() + self.resting
    }

    fn longest_silence(&self) -> Duration {
        match self.warm {
            true => SILENCE,
            false => COLD_SILENCE,
        }
    }

    /// Whether the service has stopped, or would take longer than the hub's patience for what waits.
    fn is_behind(&self) -> bool {
        self.slow || self.silent >= self.longest_silence()
    }
}

/// An item that the source yielded, and that has not found a place yet.
#[derive(Debug)]
pub struct Head<T> {
    item: T,
    message: Option<Box<Message>>,
    lane: usize,
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
    /// Whether no message is sent again any more.
    stopping: bool,
}

impl<T: AsDevice> Board<T> {
    /// Returns an empty board. `campaign` makes the messages of items that come without one.
    pub fn new(lanes: usize, campaign: Option<Campaign>, policy: Retries, limits: Limits) -> Self {
        let lane = || Lane {
            queue: VecDeque::new(),
            resting: 0,
            in_flight: 0,
            progress: Progress::new(None),
            watched: None,
            settled: 0,
            warm: false,
            silent: Duration::ZERO,
            slow: false,
        };
        Self {
            posts: Vec::new(),
            free: Vec::new(),
            lanes: std::iter::repeat_with(lane).take(lanes).collect(),
            resting: BinaryHeap::new(),
            ended: VecDeque::new(),
            campaign,
            policy,
            limits,
            taken: 0,
            stopping: false,
        }
    }

    // What comes in

    /// Offers an item of the source whose device is served by `lane`.
    pub fn offer(&mut self, item: T, message: Option<Box<Message>>, lane: usize, now: Now) -> Offer<T> {
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
        if lane.is_behind() && self.somebody_starves(head.lane) {
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
        let post = Post {
            item: head.item,
            message: head.message,
            lane: head.lane,
            attempts,
            last: None,
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

    /// Hands the messages of a lane to `submit`, at most `most`, until it says `QueueFull`. Another error ends the message.
    pub fn submit(
        &mut self,
        lane: usize,
        most: usize,
        now: Now,
        mut submit: impl FnMut(u32, &Message) -> Result<(), Error>,
    ) {
        for _ in 0..most {
            let Some(place) = self.lanes.get_mut(lane).and_then(|lane| lane.queue.pop_front()) else {
                return;
            };
            let Some(post) = self.posts.get_mut(place as usize).and_then(Option::as_mut) else {
                continue;
            };
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
            let submitted = message.and_then(|message| submit(place, message));
            match submitted {
                Ok(()) => {
                    post.attempts.start();
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

    /// An attempt has ended: the message rests before another one, or is over.
    pub fn attempt_ended(&mut self, place: u32, result: Result<Outcome, Error>, now: Now) {
        let Some(post) = self.posts.get_mut(place as usize).and_then(Option::as_mut) else {
            return;
        };
        let Some(lane) = self.lanes.get_mut(post.lane) else {
            return;
        };
        lane.in_flight = lane.in_flight.saturating_sub(1);
        match self.policy.next(&mut post.attempts, &result, now.unix) {
            Retry::Again { after, .. } if !self.stopping => {
                lane.resting += 1;
                post.last = Some(Box::new(result));
                let at = now.monotonic.saturating_add(after);
                self.resting.push(Reverse((at, place)));
            }
            Retry::Stop(stop) => self.end(place, result, Some(stop), now),
            _ => self.end(place, result, None, now),
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
        rested.into_iter().chain(judged).min()
    }

    /// Puts messages that have rested back into their queues.
    pub fn handle_timeout(&mut self, now: Duration) {
        while self.resting.peek().is_some_and(|Reverse((at, _))| *at <= now) {
            let Some(Reverse((_, place))) = self.resting.pop() else {
                break;
            };
            let Some(post) = self.posts.get_mut(place as usize).and_then(Option::as_mut) else {
                continue;
            };
            post.last = None;
            if let Some(lane) = self.lanes.get_mut(post.lane) {
                lane.resting = lane.resting.saturating_sub(1);
                lane.queue.push_back(place);
            }
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
        let Limits { queue, patience } = self.limits;
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

    /// The number of messages of the lane that its session has.
    pub fn in_flight(&self, lane: usize) -> usize {
        self.lanes.get(lane).map_or(0, |lane| lane.in_flight)
    }

    /// Whether no message is on the board: those that are over may still have to be fetched.
    pub fn is_empty(&self) -> bool {
        self.posts.len() == self.free.len()
    }

    /// How far the lane is.
    pub fn progress(&self, lane: usize) -> Option<&Progress> {
        self.lanes.get(lane).map(|lane| &lane.progress)
    }

    /// Whether a lane's queue would take longer than the hub's patience at its present pace.
    pub fn is_behind(&self, lane: usize) -> bool {
        self.lanes.get(lane).is_some_and(Lane::is_behind)
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
        board.submit(lane, usize::MAX, now, |place, _| {
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
        board.submit(0, 1, at(1200), |taken, _| {
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
                    board.submit(0, 1, at(second * 1000), |taken, _| {
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
        board.submit(0, 1, at(10), |taken, _| {
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
        board.handle_timeout(due);
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
            patience: Duration::from_secs(30),
        };
        let mut board = Board::new(1, Some(Campaign::new(notification)), policy, limits);
        let device = Device::builder(Kind::Apns)
            .app("com.example.app")
            .token(&"ab".repeat(32));
        let device = device.build().expect("a device");
        let ids = |board: &mut Board<Device>, now: Now| {
            let mut ids = Vec::new();
            board.submit(0, usize::MAX, now, |place, message| {
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
        board.handle_timeout(Duration::from_secs(60));
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
            board.submit(0, usize::MAX, at(0), |place, _| {
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
}
