//! A session, a network and a clock.

mod check;
mod network;
mod process;
mod setup;
mod tokens;
mod transcript;

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use pushcore::http::Authority;
use pushcore::service::Message;
use pushcore::session::{Action, LinkId, SendOptions, Session, SessionConfig, SessionEvent, Stats, Ticket};
use pushcore::{Error, ErrorKind, Now, Outcome, UnixTime};

use super::book::Book;
use super::fixture;
use super::log::{Log, token_of};
use super::rng::Rng;
use super::wire::Wire;
use tokens::Tokens;
use transcript::Transcript;

/// Steps without the clock moving: more is a busy loop.
const MOST_STEPS_AT_ONCE: u32 = 200_000;

pub use setup::Dial;

/// What the network does with connection `nth` (from 1) to that host.
type Network = Box<dyn FnMut(u32, &Authority, &mut Rng) -> Dial>;
/// Changes bytes on their way.
type Garble = Box<dyn FnMut(&mut Vec<u8>, &mut Rng)>;
/// Makes a session.
type MakeSession = Box<dyn Fn(SessionConfig, Now) -> Session>;

/// See the [module](super).
pub struct World {
    /// The session under test.
    pub session: Session,
    /// What the servers did.
    pub log: Log,
    /// One way through the network.
    pub latency: Duration,
    /// The largest piece the client reads at once; 0 is no limit.
    pub read_at_most: u64,
    /// The largest piece the client writes at once; 0 is no limit.
    pub write_at_most: u64,
    /// How much fits into a socket.
    pub socket_buffer: usize,
    /// What message `number` is.
    pub message: Box<dyn Fn(usize) -> Message>,
    /// Makes the session, and another one after it has been killed.
    make: MakeSession,
    /// Its provider tokens, where they are the world's.
    tokens: Option<Tokens>,
    transcript: Transcript,
    config: SessionConfig,
    seed: u64,
    now: Now,
    rng: Rng,
    network: Network,
    dials: Vec<Duration>,
    dialling: BTreeMap<LinkId, (Option<Duration>, Dial)>,
    /// What the network makes of what servers say.
    garble: Option<Garble>,
    /// To be submitted once more after the process was killed.
    again: VecDeque<usize>,
    /// The most that was open at a time.
    most_open: u64,
    wires: BTreeMap<LinkId, Wire>,
    /// Closed by the client; what is under way still arrives.
    orphans: Vec<Wire>,
    book: Book,
    backlog: u64,
    deadline: Option<Duration>,
    /// The options of a bulk send; `None` where each message is alone.
    bulk: Option<SendOptions>,
    steps_at_once: u32,
    events: Vec<SessionEvent>,
    /// The last lines: when, what, how often in a row.
    trace: VecDeque<(Duration, String, u32)>,
    closed_links: u32,
}

impl World {
    /// The time.
    pub fn now(&self) -> Now {
        self.now
    }

    /// How many messages are where.
    pub fn stats(&self) -> Stats {
        self.session.stats()
    }

    /// When the session has asked for connections.
    pub fn dials(&self) -> &[Duration] {
        &self.dials
    }

    /// What the session has told of itself.
    pub fn events(&self) -> &[SessionEvent] {
        &self.events
    }

    /// The messages that have ended, with their ends.
    pub fn results(&self) -> &[(usize, Result<Outcome, Error>)] {
        self.book.results.as_deref().unwrap_or_default()
    }

    /// Keeps no results: for runs of many messages.
    pub fn forget_results(&mut self) {
        self.book.results = None;
    }

    /// Servers of this world break HTTP/2: `Unknown` is right even where frames after the breach
    /// would say more.
    pub fn lenient(&mut self) {
        self.book.strict = false;
    }

    /// A number for every octet that the client wrote, everything that it asked for and told, and when: the
    /// same for the same seed. (Not under TLS, which is random, and not for Web Push: every VAPID
    /// token is signed here.)
    pub fn transcript(&self) -> u64 {
        self.transcript.digest()
    }

    /// The session signs its provider tokens itself from the second one on: for tests about tokens. An
    /// ES256 signature is random, and the transcript with it.
    pub fn own_tokens(&mut self) {
        self.tokens = None;
    }

    /// From now on this happens to what servers say, before it arrives.
    pub fn garble(&mut self, garble: impl FnMut(&mut Vec<u8>, &mut Rng) + 'static) {
        (self.book.hostile, self.book.opaque) = (true, true);
        self.garble = Some(Box::new(garble));
    }

    /// The calendar jumps; the monotonic clock does not.
    pub fn set_calendar(&mut self, unix: UnixTime) {
        self.now.unix = unix;
    }

    /// The ticket of message `number`.
    pub fn ticket(&self, number: usize) -> Ticket {
        self.book.ticket(number)
    }

    /// Messages submitted later have this long.
    pub fn set_deadline(&mut self, deadline: Duration) {
        self.deadline = Some(deadline);
    }

    /// Messages submitted later are those of one bulk send with these options: doubtful answers are held until its end, and
    /// a pause of the service's does not count.
    pub fn send_as_bulk(&mut self, options: SendOptions) {
        self.bulk = Some(options.bulk());
    }

    /// `count` more messages, handed in as the session takes them.
    pub fn submit(&mut self, count: u64) {
        self.backlog += count;
        self.settle();
    }

    /// Every message carries an `apns-id` of its own.
    pub fn with_ids(&mut self) {
        let template = fixture::message(64);
        self.message = Box::new(move |number| {
            template
                .to(fixture::device(number))
                .with_id(fixture::id(number))
                .into()
        });
    }

    /// The machine sleeps: the clock jumps, and nobody is called in between.
    pub fn sleep(&mut self, duration: Duration) {
        self.move_clock(duration);
        self.session.handle_timeout(self.now);
        self.settle();
    }

    /// Cancels message `number`.
    pub fn cancel(&mut self, number: usize) -> bool {
        let cancelled = self.session.cancel(self.book.ticket(number), self.now);
        self.settle();
        cancelled
    }

    /// Every message ends now.
    pub fn abandon(&mut self) {
        self.session.abandon(self.now);
        self.settle();
    }

    /// Until every message has ended.
    pub fn run(&mut self) {
        self.run_until(|world| {
            world.stats().queued + world.stats().open + world.stats().held + world.backlog == 0
        });
    }

    /// Until then, or until nothing can happen any more.
    pub fn run_until(&mut self, done: impl Fn(&Self) -> bool) {
        while !done(self) {
            let Some(at) = self.next_event() else {
                self.fail("nothing will ever happen, and messages have no end (I5)");
            };
            self.advance(at);
        }
    }

    /// For so long.
    pub fn run_for(&mut self, duration: Duration) {
        let end = self.now.monotonic + duration;
        while let Some(at) = self.next_event().filter(|at| *at <= end) {
            self.advance(at);
        }
        self.advance(end);
    }

    /// Runs to the end, closes the session, lets every server read what is under way, and checks
    /// that every promise was kept. Returns the last count.
    pub fn finish(&mut self) -> Stats {
        self.run();
        let stats = self.stats();
        self.session.close(self.now);
        let end = self.now.monotonic + Duration::from_secs(3600);
        self.settle();
        while !self.session.is_closed()
            || self
                .orphans
                .iter()
                .any(|wire| wire.next_event_of_orphan().is_some())
        {
            match self.next_event().filter(|at| *at <= end) {
                Some(at) => self.advance(at),
                None => self.fail("the session does not close"),
            }
        }
        if let Err(text) = self.book.audit(&self.log) {
            self.fail(&text);
        }
        stats
    }

    fn next_event(&self) -> Option<Duration> {
        let wires = self.wires.values().filter_map(Wire::next_event);
        let wires = wires.chain(self.orphans.iter().filter_map(Wire::next_event_of_orphan));
        let dials = self.dialling.values().filter_map(|(at, _)| *at);
        let next = wires.chain(dials).chain(self.session.poll_timeout()).min()?;
        Some(next.max(self.now.monotonic))
    }

    fn move_clock(&mut self, by: Duration) {
        self.now = self.now.after(by);
        if let Some(tokens) = &self.tokens {
            tokens.keep_fresh(self.now);
        }
    }

    /// Moves the clock and lets everything happen that is due.
    fn advance(&mut self, at: Duration) {
        if at > self.now.monotonic {
            self.move_clock(at - self.now.monotonic);
            self.steps_at_once = 0;
        }
        self.steps_at_once += 1;
        if self.steps_at_once > MOST_STEPS_AT_ONCE {
            self.fail("a busy loop: the clock does not move");
        }
        self.finish_dials();
        self.serve();
        for link in self.wires.keys().copied().collect::<Vec<_>>() {
            self.arrive(link);
        }
        if self
            .session
            .poll_timeout()
            .is_some_and(|due| due <= self.now.monotonic)
        {
            self.session.handle_timeout(self.now);
            self.settle();
        }
    }

    /// Does what the session wants, until it wants nothing more; then checks everything.
    fn settle(&mut self) {
        loop {
            self.feed();
            self.session.flush(self.now);
            let mut busy = self.act();
            for link in self.wires.keys().copied().collect::<Vec<_>>() {
                busy |= self.write(link);
            }
            busy |= self.fetch();
            let stats = self.stats();
            if self.bulk.is_some() && self.backlog + stats.queued + stats.open == 0 && stats.held > 0 {
                self.session.release_held(|_| true, self.now);
                busy |= self.fetch();
            }
            if !busy {
                break;
            }
        }
        self.check();
    }

    fn feed(&mut self) {
        while self.backlog > 0 {
            let number = self.again.front().copied().unwrap_or_else(|| self.book.next());
            let message = (self.message)(number);
            let mut options = self.bulk.unwrap_or_default();
            options.deadline = self.deadline;
            if options.bulk && self.session.capacity() > 0 && self.session.bulk_capacity() == 0 {
                return;
            }
            let room = self.session.capacity();
            let ticket = match self.session.submit(&message, options, self.now) {
                Ok(ticket) if room > 0 => ticket,
                // What a full queue has to say (I4).
                Err(error) if room == 0 && error.kind() == ErrorKind::QueueFull => return,
                other => self.fail(&format!("submit with room for {room}: {other:?} (I4)")),
            };
            let mut deadline = self.deadline.unwrap_or(self.config.deadline);
            if options.bulk {
                // Pauses of an hour are believed, and there may be several.
                deadline += Duration::from_secs(24 * 3600);
            }
            self.again.pop_front();
            self.book.submit(number, ticket, self.now.monotonic + deadline);
            self.backlog -= 1;
            self.most_open = self.most_open.max(self.stats().open);
        }
    }

    fn act(&mut self) -> bool {
        let mut busy = false;
        while let Some(action) = self.session.poll_action() {
            busy = true;
            match action {
                Action::Connect { link, authority } => self.dial(link, &authority),
                Action::Close { link, final_bytes } => {
                    self.note(|| format!("{link:?} is closed"));
                    self.transcript.wrote(self.now.monotonic, link, &final_bytes);
                    self.closed_links += 1;
                    self.dialling.remove(&link);
                    if let Some(mut wire) = self.wires.remove(&link) {
                        if let Err(text) = wire.hand_over(&final_bytes, &mut self.book) {
                            self.fail(&text);
                        }
                        wire.up.push(self.now.monotonic + self.latency, final_bytes);
                        self.orphans.push(wire);
                    }
                }
                other => self.fail(&format!("an action that nobody knows: {other:?}")),
            }
        }
        busy
    }

    fn fetch(&mut self) -> bool {
        let mut busy = false;
        while let Some(event) = self.session.poll_event() {
            let line = format!("{event:?}");
            self.transcript.line(self.now.monotonic, &line);
            self.note(|| line);
            if self.book.results.is_some() {
                self.events.push(event);
            }
        }
        while let Some((ticket, result)) = self.session.poll_outcome() {
            busy = true;
            let end = result.as_ref().map(Outcome::evidence).map_err(Error::kind);
            self.transcript.told(self.now.monotonic, &(ticket, end));
            if let Err(text) = self.book.end(ticket, result, &self.log) {
                self.fail(&text);
            }
        }
        busy
    }

    /// The device token of message `number`, as it is on the wire.
    pub fn token(number: usize) -> String {
        token_of(number)
    }
}
