//! The blocking client.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, TryLockError};
use std::time::Duration;

use pushcore::net::h2::HeaderBytes;
use pushcore::service::{AsMessage, Service};
use pushcore::session::{ConnectionReport, HostReport, Metrics, SendOptions, Session, SessionEvent, Stats};
use pushcore::{Error, ErrorKind, Now, Outcome};

use crate::clock::Clock;
use crate::config::ClientConfig;
use crate::driver::{Driver, WAKER};
use crate::gather::Gather;
use crate::lookups::Lookups;
use crate::patience::Patience;
use crate::send_many::SendMany;
use crate::shared::Shared;
use crate::watch::{WATCHED, report};

/// After so long without a look at the sockets, it takes one before the next message.
const STALE: Duration = Duration::from_millis(100);

/// How long the lock is left to others between turns. Threads wake up within tens of microseconds.
const MAKE_WAY: Duration = Duration::from_micros(100);

/// Sends messages to one service, over as many connections as the load asks for.
///
/// Blocking: the thread that waits for an answer is the thread that moves the bytes, for itself
/// and for everyone else who waits. The client's only threads are short-lived ones that look names up
/// ([`Resolver`](crate::Resolver)). Share it between threads by reference or in an `Arc`.
///
/// Dropping it closes its connections. It must not be used on both sides of a `fork`: a child
/// process gets `Misuse`, makes a client of its own, and leaves the parent's connections alone.
#[derive(Debug)]
pub struct Client {
    shared: Mutex<Shared>,
    /// An outcome was delivered, or nobody is waiting for the sockets any more.
    changed: Condvar,
    poll: Mutex<Poll>,
    waker: Arc<mio::Waker>,
    /// Set when a waiting thread has to look at the session again.
    woken: AtomicBool,
    /// How many threads wait for the lock of `shared`.
    wanting: AtomicUsize,
    process: u32,
    /// The descriptor of `poll`, which lives as long as the client.
    #[cfg(unix)]
    event_queue: std::os::fd::RawFd,
}

#[derive(Debug)]
struct Poll {
    poll: mio::Poll,
    events: mio::Events,
}

impl Client {
    /// Opens a client that sends messages of one service with one set of credentials. No connection is
    /// made before the first message.
    ///
    /// # Errors
    /// As [`Session::new`]; `Internal` when the system has no more descriptors; what is wrong with the
    /// trust anchors where `config` names none.
    pub fn new(service: impl Into<Service>, mut config: ClientConfig) -> Result<Self, Error> {
        let system = |source: std::io::Error| {
            Error::new(ErrorKind::Internal, "the system gives no event queue").with_source(source)
        };
        let clock = Clock::new();
        let security = config.take_security()?;
        let session = Session::new(service, security, config.session, clock.now())?;
        let poll = mio::Poll::new().map_err(system)?;
        let waker = Arc::new(mio::Waker::new(poll.registry(), WAKER).map_err(system)?);
        let lookups = Lookups::new(config.resolver, Arc::clone(&waker));
        let registry = poll.registry().try_clone().map_err(system)?;
        #[cfg(unix)]
        let event_queue = std::os::fd::AsRawFd::as_raw_fd(&poll);
        Ok(Self {
            #[cfg(unix)]
            event_queue,
            shared: Mutex::new(Shared::new(
                Driver::new(session, clock, registry, config.proxy, lookups),
                Gather::new(config.gather),
            )),
            changed: Condvar::new(),
            poll: Mutex::new(Poll {
                poll,
                events: mio::Events::with_capacity(256),
            }),
            waker,
            woken: AtomicBool::new(false),
            wanting: AtomicUsize::new(0),
            process: std::process::id(),
        })
    }

    /// Sends one message and waits for its end, at most for the configured deadline.
    ///
    /// # Errors
    /// The message's own error before anything is sent; otherwise `NotSent`, `Unknown` or `Expired`.
    /// A service's "no" is not an error: see [`Outcome`].
    pub fn send(&self, message: &(impl AsMessage + ?Sized)) -> Result<Outcome, Error> {
        self.send_with(message, SendOptions::default())
    }

    /// [`Client::send`] with options of its own.
    ///
    /// # Errors
    /// As [`Client::send`].
    pub fn send_with(
        &self,
        message: &(impl AsMessage + ?Sized),
        options: SendOptions,
    ) -> Result<Outcome, Error> {
        self.check_process()?;
        let message = message.as_message();
        let started = crate::now().monotonic;
        let (mut shared, mut now) = self.lock_to_submit();
        let deadline = options
            .deadline
            .unwrap_or(shared.driver.session.config().deadline);
        let ticket = loop {
            let left = deadline.saturating_sub(now.monotonic.saturating_sub(started));
            match shared.submit(message, options.deadline(left), now) {
                Err(error) if error.kind() == ErrorKind::QueueFull => {
                    if left.is_zero() {
                        return Err(Patience::expired());
                    }
                    // What others have submitted may leave the queue now.
                    self.nudge(&mut shared);
                    if shared.driver.session.capacity() == 0 {
                        shared = self.look(shared, Some(left));
                    }
                    now = shared.driver.clock.now();
                }
                other => break other?,
            }
        };
        self.nudge(&mut shared);
        if shared.answered.is_empty() {
            shared = self.look(shared, None);
        }
        loop {
            if let Some(result) = shared.answered.remove(&ticket) {
                return result;
            }
            shared = self.step(shared, None);
        }
    }

    /// Sends every message of an iterator; yields each with its end, as they land, in any order.
    ///
    /// Messages are taken from the iterator as there is room for them, so that an endless one
    /// costs no memory. Dropping the result cancels what has not ended yet.
    pub fn send_many<I>(&self, messages: I) -> SendMany<'_, I::IntoIter>
    where
        I: IntoIterator,
        I::Item: AsMessage,
    {
        SendMany::new(self, messages.into_iter())
    }

    /// How many messages of this client are where. In a forked child: nothing is anywhere.
    pub fn stats(&self) -> Stats {
        match self.check_process() {
            Ok(()) => self.lock().driver.session.stats(),
            // The lock may have been held when the process forked.
            Err(_) => Stats::default(),
        }
    }

    /// Returns every connection as it is now: its streams, window and round trip. In a forked child: none.
    pub fn connections(&self) -> Vec<ConnectionReport> {
        match self.check_process() {
            Ok(()) => self.lock().driver.session.connections(),
            Err(_) => Vec::new(),
        }
    }

    /// Returns every host that is connected or that messages wait for, with what they wait for. In a forked child: none.
    pub fn hosts(&self) -> Vec<HostReport> {
        match self.check_process() {
            Ok(()) => self.lock().driver.session.hosts(),
            Err(_) => Vec::new(),
        }
    }

    /// Returns the counts and latencies of this client, for a monitoring system; see [`Metrics::open_metrics`].
    ///
    /// # Errors
    /// `Misuse` in a forked child.
    pub fn metrics(&self) -> Result<Metrics, Error> {
        self.check_process()?;
        Ok(self.lock().driver.session.metrics())
    }

    /// Returns the bytes of header blocks so far; see [`Session::header_bytes`]. In a forked
    /// child: nothing.
    pub fn header_bytes(&self) -> HeaderBytes {
        match self.check_process() {
            Ok(()) => self.lock().driver.session.header_bytes(),
            Err(_) => HeaderBytes::default(),
        }
    }

    /// Whether many answers in a row blame the tokens, so that the configuration is probably wrong; see
    /// [`Session::is_mix_up_suspected`].
    pub fn is_mix_up_suspected(&self) -> bool {
        self.check_process().is_ok() && self.lock().driver.session.is_mix_up_suspected()
    }

    /// The next thing that happened, for logs and metrics. Never waits.
    pub fn poll_event(&self) -> Option<SessionEvent> {
        self.check_process().ok()?;
        self.tell_log(self.lock()).poll_event()
    }

    /// No more messages; waits until those taken have ended and the connections are closed.
    ///
    /// # Errors
    /// `Misuse` in a forked child.
    pub fn close(&self) -> Result<(), Error> {
        self.check_process()?;
        let mut shared = self.lock();
        let now = shared.driver.clock.now();
        shared.driver.session.close(now);
        self.nudge(&mut shared);
        while !shared.driver.session.is_closed() {
            shared = self.step(shared, None);
        }
        drop(self.tell_log(shared));
        Ok(())
    }

    /// [`Client::close`] for at most `longest`: true when everything has ended and every connection is
    /// closed. No message is taken after the first call, whatever it says.
    ///
    /// # Errors
    /// `Misuse` in a forked child.
    pub fn close_for(&self, longest: Duration) -> Result<bool, Error> {
        self.check_process()?;
        let mut shared = self.lock();
        let now = shared.driver.clock.now();
        shared.driver.session.close(now);
        self.nudge(&mut shared);
        if !shared.driver.session.is_closed() {
            shared = self.step(shared, Some(longest));
        }
        Ok(shared.driver.session.is_closed())
    }

    /// Waits at most `longest` for an authorization that requests can be made with, and has an access
    /// token fetched where one is needed. Returns whether there is one now.
    ///
    /// # Errors
    /// `Misuse` in a forked child; what keeps the token from being fetched.
    pub fn authorization_for(&self, longest: Duration) -> Result<bool, Error> {
        self.check_process()?;
        let mut shared = self.lock();
        let now = shared.driver.clock.now();
        let ready = shared.driver.session.fetch_authorization(now)?;
        if !ready {
            self.nudge(&mut shared);
            drop(self.step(shared, Some(longest)));
        }
        Ok(ready)
    }

    pub(crate) fn check_process(&self) -> Result<(), Error> {
        if self.process == std::process::id() {
            return Ok(());
        }
        let context = "this client belongs to the parent process: make one after fork";
        Err(Error::new(ErrorKind::Misuse, context))
    }

    /// The event queue of the client's sockets, to be waited for with those of others.
    #[cfg(unix)]
    pub(crate) fn event_queue(&self) -> std::os::fd::RawFd {
        self.event_queue
    }

    pub(crate) fn lock(&self) -> MutexGuard<'_, Shared> {
        // Nothing in here panics half-way through a change; a poisoned lock is still whole.
        match self.shared.try_lock() {
            Ok(shared) => shared,
            Err(TryLockError::Poisoned(poisoned)) => poisoned.into_inner(),
            Err(TryLockError::WouldBlock) => {
                self.wanting.fetch_add(1, Ordering::Relaxed);
                let shared = self.shared.lock().unwrap_or_else(PoisonError::into_inner);
                self.wanting.fetch_sub(1, Ordering::Relaxed);
                shared
            }
        }
    }

    /// The lock, for submitting. After a pause in which nobody moved bytes, the sockets are looked at
    /// first: what goes out over a connection that the server closed meanwhile would end as `Unknown`.
    /// Says when that was, too: clocks are not for nothing.
    pub(crate) fn lock_to_submit(&self) -> (MutexGuard<'_, Shared>, Now) {
        let shared = self.lock();
        let now = shared.driver.clock.now();
        if now.monotonic.saturating_sub(shared.looked_at) <= STALE {
            return (shared, now);
        }
        let shared = self.step(shared, Some(Duration::ZERO));
        let now = shared.driver.clock.now();
        (shared, now)
    }

    /// Writes what has been submitted, and makes a thread that waits for the sockets look again.
    pub(crate) fn nudge(&self, shared: &mut Shared) {
        shared.driver.flush();
        if shared.deliver() > 0 {
            // Not all of it need be ours.
            self.tell_others(shared);
        }
        if shared.polling && !self.woken.swap(true, Ordering::AcqRel) {
            // Without it the other thread wakes at its own time-out: late, not lost.
            let _ = self.waker.wake();
        }
    }

    /// Waits for something to happen, at most `longest`: in the poll if nobody else is there,
    /// otherwise for the one who is.
    pub(crate) fn step<'a>(
        &'a self,
        mut shared: MutexGuard<'a, Shared>,
        longest: Option<Duration>,
    ) -> MutexGuard<'a, Shared> {
        if !shared.polling {
            shared.driver.flush();
            if shared.deliver() > 0 {
                self.tell_others(&shared);
                return shared;
            }
        }
        self.look(shared, longest)
    }

    /// [`Client::step`] right after [`Client::nudge`], under the same lock: all is written and delivered.
    pub(crate) fn look<'a>(
        &'a self,
        mut shared: MutexGuard<'a, Shared>,
        longest: Option<Duration>,
    ) -> MutexGuard<'a, Shared> {
        if shared.polling {
            let longest = longest.unwrap_or(Duration::from_secs(1));
            shared.others += 1;
            let waited = self.changed.wait_timeout(shared, longest);
            let mut shared = waited.unwrap_or_else(PoisonError::into_inner).0;
            shared.others -= 1;
            return shared;
        }
        let wait = shared.driver.wait(shared.driver.clock.monotonic());
        let wait = match (wait, longest) {
            (Some(wait), Some(longest)) => Some(wait.min(longest)),
            (wait, longest) => wait.or(longest),
        };
        let in_flight = shared.driver.session.stats().open;
        let (glance, single) = (wait == Some(Duration::ZERO), shared.single > 0);
        let crowded = shared.driver.is_unfinished() && shared.others > 0;
        let pause = match glance || single {
            true => Duration::ZERO,
            false => shared.gather.pause(in_flight),
        };
        shared.polling = true;
        self.woken.store(false, Ordering::Release);
        drop(shared);
        if !pause.is_zero() {
            std::thread::sleep(wait.map_or(pause, |wait| wait.min(pause)));
        }
        if glance && (crowded || self.wanting.load(Ordering::Relaxed) > 0) {
            // The lock is not fair: a thread that waits for it needs longer to wake up than a glance lasts, and sockets that
            // always have more to read would keep it out for good.
            std::thread::sleep(MAKE_WAY);
        }
        let mut guard = self.poll.lock().unwrap_or_else(PoisonError::into_inner);
        let Poll { poll, events } = &mut *guard;
        // An interrupted wait (a signal) is a short one.
        if poll.poll(events, wait).is_err() {
            events.clear();
        }
        let mut shared = self.lock();
        shared.polling = false;
        shared.looked_at = shared.driver.process(events.iter());
        let ended = shared.deliver();
        if !glance && ended > 0 {
            shared.gather.learn(ended, in_flight);
        }
        drop(guard);
        self.tell_others(&shared);
        self.tell_log(shared)
    }

    /// Tells the program's log what happened. The lock is free meanwhile, because a log may send messages, too.
    fn tell_log<'a>(&'a self, mut shared: MutexGuard<'a, Shared>) -> MutexGuard<'a, Shared> {
        if !WATCHED {
            return shared;
        }
        let events = shared.unreported();
        if events.is_empty() {
            return shared;
        }
        let service = shared.driver.session.service().kind();
        drop(shared);
        for event in &events {
            report(service, event);
        }
        self.lock()
    }

    /// Wakes those who wait for the one at the sockets. With nobody there it spares a system call.
    fn tell_others(&self, shared: &Shared) {
        if shared.others > 0 {
            self.changed.notify_all();
        }
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        if self.process != std::process::id() {
            return;
        }
        let shared = self.shared.get_mut().unwrap_or_else(PoisonError::into_inner);
        let now = shared.driver.clock.now();
        shared.driver.session.abandon(now);
        // One last write (GOAWAY, close_notify); nobody waits for the answer.
        shared.driver.flush();
        let service = shared.driver.session.service().kind();
        for event in shared.unreported() {
            report(service, &event);
        }
    }
}
