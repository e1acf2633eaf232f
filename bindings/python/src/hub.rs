//! The books of a hub's bulk send, for both hubs: which device is where, and what comes next. The hubs move messages
//! between the board and their clients.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use pushcore::notification::{self, App};
use pushcore::service::Message;
use pushcore::{Error, ErrorKind, Outcome};
use pushcore_client::hub::parts::{Board, Head, Limits, Offer};
use pushcore_client::hub::{AsDevice, Delivery};
use pushcore_client::now;
use pyo3::PyTraverseError;
use pyo3::exceptions::PyStopIteration;
use pyo3::gc::PyVisit;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyList, PyString, PyTuple};

use crate::base::PyMessage;
use crate::device::{Device, Feedback, result};
use crate::errors::{OrRaise, exception, raise, refusal};
use crate::message::instance;
use crate::notification::Notification;
use crate::outcome::outcome;
use crate::progress::PyProgress;
use crate::retries::{Attempts, Retries};
use crate::values::{optional_duration, type_error};

/// The most apps whose lane is remembered, and the most notifications of items that are. More are looked up each time.
const MOST_KNOWN: usize = 32;

/// One device of the list.
struct Entry {
    key: Py<PyAny>,
    device: Py<Device>,
    /// The result of the last attempt as the client gave it; `None` where there is none, and where another reason ends the device.
    last: Option<Py<PyAny>>,
}

impl AsDevice for Entry {
    fn as_device(&self) -> &notification::Device {
        self.device.get().device()
    }
}

/// What is behind the lock. No Python runs while it is held.
struct Books {
    board: Board<Entry>,
    /// Read, and without a place in its lane.
    head: Option<Head<Entry>>,
    known: Vec<(App, Option<usize>)>,
    /// Notifications that came with items: often the same one for the devices of one user, one after the other.
    campaigns: Vec<(Py<Notification>, notification::Campaign)>,
    has_campaign: bool,
}

/// The state of reading.
#[derive(Clone, Copy, PartialEq)]
enum Reading {
    /// There is more to read.
    More,
    /// The next device's lane is full.
    Full,
    /// The list has ended.
    Over,
}

/// The books of one `send` of a hub.
#[pyclass(frozen, module = "pushcore._pushcore")]
pub(crate) struct HubBoard {
    books: Mutex<Option<Books>>,
    /// Makes the named tuple of a result out of a tuple: `Landed._make`.
    landed: Py<PyAny>,
    /// The number of the lane for a device, which is added where it is new; `None` where no client is for the device.
    find: Py<PyAny>,
    keep: Py<Feedback>,
    started: Instant,
}

impl HubBoard {
    fn books(&self) -> MutexGuard<'_, Option<Books>> {
        // Nothing panics with the lock; if something did, the books are whole all the same.
        self.books.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Does something with the books; without them, because the send is closed, the result is the default.
    fn with<T: Default>(&self, work: impl FnOnce(&mut Books) -> T) -> T {
        self.books().as_mut().map(work).unwrap_or_default()
    }

    /// Offers one item of the list. Returns whether the next one may be read.
    fn offer(&self, py: Python<'_>, item: &Bound<'_, PyAny>) -> PyResult<bool> {
        let (key, device, what) = parts(py, item)?;
        let entry = Entry {
            key,
            device,
            last: None,
        };
        let at = now();
        let message = match self.message(py, &entry, what.as_ref()) {
            Ok(message) => message,
            Err(raised) => {
                let error = refusal(py, raised)?;
                self.with(|books| books.board.refuse(entry, error, at));
                return Ok(true);
            }
        };
        let Some(lane) = self.lane(py, &entry)? else {
            self.with(|books| books.board.refuse_app(entry, at));
            return Ok(true);
        };
        Ok(self.with(
            |books| match books.board.offer(entry, message.map(Box::new), lane, at) {
                Offer::Taken => true,
                Offer::Full(head) => {
                    books.head = Some(head);
                    false
                }
            },
        ))
    }

    /// The message that comes with an item; `None` where it is made of the call's notification.
    fn message(
        &self,
        py: Python<'_>,
        entry: &Entry,
        what: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<Option<Message>> {
        let Some(what) = what else {
            return match self.with(|books| books.has_campaign) {
                true => Ok(None),
                false => {
                    let text = "neither the call nor the item has a notification";
                    Err(raise(py, &Error::new(ErrorKind::Misuse, text)))
                }
            };
        };
        if let Ok(message) = what.cast::<PyMessage>() {
            return Ok(Some(message.get().message().clone()));
        }
        let what = what.cast::<Notification>()?;
        let made = self.with(|books| {
            let known = books.campaigns.iter().position(|(known, _)| known.is(what));
            let at = known.unwrap_or_else(|| {
                if books.campaigns.len() >= MOST_KNOWN {
                    books.campaigns.swap_remove(0);
                }
                let campaign = notification::Campaign::new(what.get().notification().clone());
                books.campaigns.push((what.clone().unbind(), campaign));
                books.campaigns.len() - 1
            });
            let (_, campaign) = books.campaigns.get_mut(at)?;
            Some(campaign.message(entry.as_device(), now()))
        });
        made.transpose().or_raise(py)
    }

    /// The lane of a device; `None` where no client is for the device.
    fn lane(&self, py: Python<'_>, entry: &Entry) -> PyResult<Option<usize>> {
        let app = entry.as_device().app();
        let known = self.with(|books| {
            let known = books.known.iter().find(|(known, _)| known == app);
            known.map(|(_, lane)| *lane)
        });
        if let Some(lane) = known {
            return Ok(lane);
        }
        let lane: Option<usize> = self.find.call1(py, (&entry.device,))?.extract(py)?;
        self.with(|books| {
            // A client may be added later for an app that has none now.
            if lane.is_some() && books.known.len() < MOST_KNOWN {
                books.known.push((app.clone(), lane));
            }
        });
        Ok(lane)
    }

    /// Offers again what found its lane full. Returns whether the next item may be read.
    fn place_head(&self) -> bool {
        let at = now();
        self.with(|books| match books.head.take() {
            None => true,
            Some(head) => match books.board.offer_again(head, at) {
                Offer::Taken => true,
                Offer::Full(head) => {
                    books.head = Some(head);
                    false
                }
            },
        })
    }

    /// The tuple of a device that has landed.
    fn tuple<'py>(&self, py: Python<'py>, delivery: Delivery<Entry>) -> PyResult<Bound<'py, PyAny>> {
        let Entry { key, device, last } = delivery.item;
        let result = match (last, delivery.result) {
            (Some(last), _) => last,
            (None, Ok(answer)) => outcome(py, answer)?,
            (None, Err(error)) => exception(py, &error)?.unbind(),
        };
        let feedback = match delivery.feedback {
            notification::Feedback::Keep => self.keep.clone_ref(py),
            other => Py::new(py, Feedback::of(other))?,
        };
        let parts = PyTuple::new(py, [key, device.into_any(), result, feedback.into_any()])?;
        self.landed.bind(py).call1((parts,))
    }
}

/// The parts of an item: `device`, `(key, device)`, `(device, what)` or `(key, device, what)`.
#[allow(clippy::type_complexity, reason = "the three parts")]
fn parts<'py>(
    py: Python<'py>,
    item: &Bound<'py, PyAny>,
) -> PyResult<(Py<PyAny>, Py<Device>, Option<Bound<'py, PyAny>>)> {
    let own_key = |device: &Bound<'py, Device>| match device.get().device().key() {
        Some(key) => PyString::new(py, key).into_any().unbind(),
        None => py.None(),
    };
    let is_what = |item: &Bound<'py, PyAny>| {
        item.is_instance_of::<Notification>() || item.is_instance_of::<PyMessage>()
    };
    if let Ok(device) = item.cast::<Device>() {
        return Ok((own_key(device), device.clone().unbind(), None));
    }
    if let Ok(tuple) = item.cast_exact::<PyTuple>() {
        let all: Vec<Bound<'py, PyAny>> = tuple.iter().collect();
        let (rest, what) = match all.as_slice() {
            [rest @ .., what] if is_what(what) => (rest, Some(what.clone())),
            rest => (rest, None),
        };
        match rest {
            [device] => {
                if let Ok(device) = device.cast::<Device>() {
                    return Ok((own_key(device), device.clone().unbind(), what));
                }
            }
            [key, device] => {
                if let Ok(device) = device.cast::<Device>() {
                    return Ok((key.clone().unbind(), device.clone().unbind(), what));
                }
            }
            _ => {}
        }
    }
    let wanted = "a Device, (key, device), (device, what) or (key, device, what), where what is a Notification or a message";
    Err(type_error(item, wanted))
}

#[pymethods]
impl HubBoard {
    #[new]
    #[pyo3(signature = (notification, retries, find, landed, *, queue, patience, remember, total_deadline))]
    #[allow(clippy::too_many_arguments, reason = "they are keyword arguments")]
    fn new(
        py: Python<'_>,
        notification: Option<&Notification>,
        retries: &Retries,
        find: Py<PyAny>,
        landed: Py<PyAny>,
        queue: Option<usize>,
        patience: f64,
        remember: Option<usize>,
        total_deadline: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<Self> {
        let mut limits = Limits {
            // Infinity, and what is longer than any queue takes, waits for every service.
            patience: Duration::try_from_secs_f64(patience).unwrap_or(Duration::MAX),
            total: optional_duration(total_deadline)?,
            ..Limits::default()
        };
        limits.queue = queue.unwrap_or(limits.queue);
        limits.remembered = remember.unwrap_or(limits.remembered);
        limits.check().or_raise(py)?;
        let campaign = notification.map(|one| notification::Campaign::new(one.notification().clone()));
        let books = Books {
            has_campaign: campaign.is_some(),
            board: Board::new(0, campaign, retries.policy(), limits),
            head: None,
            known: Vec::new(),
            campaigns: Vec::new(),
        };
        Ok(Self {
            books: Mutex::new(Some(books)),
            landed,
            find,
            keep: Py::new(py, Feedback::of(notification::Feedback::Keep))?,
            started: Instant::now(),
        })
    }

    // Reading

    /// Adds a lane; returns its number.
    fn add_lane(&self) -> usize {
        self.with(|books| books.board.add_lane())
    }

    /// Reads devices from an iterator, at most so many and for about so many seconds, as long as there is room and no more than
    /// `results` devices have landed. Returns `"more"`, `"full"` where the next device's lane has no room, and `"over"` at the end of
    /// the list. What the iterator raises is raised.
    fn read(
        &self,
        py: Python<'_>,
        items: &Bound<'_, PyAny>,
        most: usize,
        longest: f64,
        results: usize,
    ) -> PyResult<&'static str> {
        let reading = self.read_some(py, items, most, longest, results)?;
        Ok(match reading {
            Reading::More => "more",
            Reading::Full => "full",
            Reading::Over => "over",
        })
    }

    /// Takes one item; returns whether it found its place.
    fn take(&self, py: Python<'_>, item: &Bound<'_, PyAny>) -> PyResult<bool> {
        self.offer(py, item)
    }

    /// Gives what waits for room its place, if there is one; returns whether nothing waits any more.
    fn place(&self) -> bool {
        self.place_head()
    }

    // Sending

    /// Takes messages out of a lane, at most so many, to be sent now. Returns pieces: the seconds that the messages of a piece have left
    /// (`None` is no limit), and pairs of a place and a message.
    fn submit<'py>(
        &self,
        py: Python<'py>,
        lane: usize,
        most: usize,
    ) -> PyResult<Vec<(Option<f64>, Bound<'py, PyList>)>> {
        let mut all = self.take_out(lane, most).into_iter().peekable();
        let mut pieces = Vec::new();
        while let Some(first) = all.peek() {
            let left = first.left();
            let mut pairs = Vec::new();
            while let Some(one) = all.next_if(|one| one.left() == left) {
                pairs.push((one.place, instance(py, one.message, true)?));
            }
            pieces.push((left.map(|left| left.as_secs_f64()), PyList::new(py, pairs)?));
        }
        Ok(pieces)
    }

    /// Takes messages back that `submit` gave and that found no room: those of a list from an index on.
    #[pyo3(signature = (pairs, from_, /))]
    fn put_back(&self, pairs: &Bound<'_, PyList>, from_: usize) -> PyResult<()> {
        let mut places = Vec::new();
        for pair in pairs.iter().skip(from_) {
            places.push(pair.get_item(0)?.extract::<u32>()?);
        }
        self.with(|books| {
            for place in places.into_iter().rev() {
                books.board.put_back(place);
            }
        });
        Ok(())
    }

    /// Attempts have ended: pairs of a place and a result.
    fn end(&self, pairs: &Bound<'_, PyList>) -> PyResult<()> {
        let mut ended = Vec::with_capacity(pairs.len());
        for pair in pairs.iter() {
            let (place, value) = pair.extract::<(u32, Bound<'_, PyAny>)>()?;
            ended.push((place, result(&value)?, value.unbind()));
        }
        let at = now();
        self.with(|books| {
            for (place, result, value) in ended {
                if let Some(entry) = books.board.item_mut(place) {
                    entry.last = Some(value);
                }
                books.board.attempt_ended(place, result, at);
            }
        });
        Ok(())
    }

    /// The client of a lane cannot be opened, or takes nothing more: what waits ends with the first exception, what the client
    /// has with the second.
    fn fail(&self, lane: usize, waiting: &Bound<'_, PyAny>, sent: &Bound<'_, PyAny>) -> PyResult<()> {
        let error = |value| match result(value)? {
            Err(error) => Ok(error),
            Ok(_) => Err(type_error(value, "a PushcoreError")),
        };
        let (waiting, sent, at) = (error(waiting)?, error(sent)?, now());
        self.with(|books| {
            books.board.fail(lane, &waiting, at);
            books.board.lose(lane, &sent, at);
        });
        Ok(())
    }

    // What has landed

    /// The results that have landed, at most so many.
    fn fetch<'py>(&self, py: Python<'py>, most: usize) -> PyResult<Bound<'py, PyList>> {
        let mut deliveries = Vec::new();
        self.with(|books| {
            while deliveries.len() < most {
                match books.board.next_ended() {
                    Some(delivery) => deliveries.push(delivery),
                    None => break,
                }
            }
        });
        let tuples = deliveries.into_iter().map(|delivery| self.tuple(py, delivery));
        PyList::new(py, tuples.collect::<PyResult<Vec<_>>>()?)
    }

    /// The number of results that have landed and have not been fetched.
    #[getter]
    fn ended(&self) -> usize {
        self.with(|books| books.board.ended())
    }

    /// Whether a device waits for room in its lane.
    #[getter]
    fn is_full(&self) -> bool {
        self.with(|books| books.head.is_some())
    }

    /// Whether devices were read that have not landed.
    #[getter]
    fn is_open(&self) -> bool {
        self.with(|books| books.head.is_some() || !books.board.is_empty())
    }

    /// Whether messages of the lane wait to be sent.
    fn has_queued(&self, lane: usize) -> bool {
        self.with(|books| books.board.has_queued(lane))
    }

    /// The number of messages of the lane that its client has.
    fn in_flight(&self, lane: usize) -> usize {
        self.with(|books| books.board.in_flight(lane))
    }

    /// Whether the lane is behind.
    fn is_behind(&self, lane: usize) -> bool {
        self.with(|books| books.board.is_behind(lane))
    }

    /// Whether messages of the lane rest before another attempt.
    fn rests(&self, lane: usize) -> bool {
        self.with(|books| books.board.rests(lane))
    }

    /// How far the lane is.
    fn progress(&self, lane: usize) -> PyProgress {
        let elapsed = self.started.elapsed();
        let progress = self.with(|books| books.board.progress(lane).cloned());
        let mut progress = progress.unwrap_or_else(|| pushcore_client::Progress::new(None));
        progress.elapsed = elapsed;
        PyProgress::from(&progress)
    }

    /// What rests before another attempt: keys, devices and the states of their attempts.
    fn waiting(&self, py: Python<'_>) -> Vec<(Py<PyAny>, Py<Device>, Attempts)> {
        self.with(|books| {
            let resting = books.board.resting();
            resting
                .map(|(entry, attempts)| {
                    let (key, device) = (entry.key.clone_ref(py), entry.device.clone_ref(py));
                    (key, device, Attempts::of(*attempts))
                })
                .collect()
        })
    }

    // Time

    /// The seconds until something is due; `None` is never.
    fn due(&self) -> Option<f64> {
        let at = now().monotonic;
        let due = self.with(|books| books.board.poll_timeout(at));
        due.map(|due| due.saturating_sub(at).as_secs_f64())
    }

    /// Puts what has rested back into its lane, and ends what waits and whose time is over.
    fn handle_timeout(&self) {
        let at = now();
        self.with(|books| books.board.handle_timeout(at));
    }

    /// The hub has waited for its clients for so many seconds; judges the pace of lanes that are full.
    fn note_wait(&self, waited: f64) {
        let waited = Duration::try_from_secs_f64(waited).unwrap_or_default();
        self.with(|books| {
            books.board.note_wait(waited);
            books.board.judge();
        });
    }

    // The end

    /// Reads no further, and sends nothing again: what waits for another attempt lands with its last result.
    fn drain(&self) {
        let at = now();
        self.with(|books| {
            if let Some(head) = books.head.take() {
                books.board.give_up(head, at);
            }
            books.board.stop_retries(at);
        });
    }

    /// Forgets everything.
    fn clear(&self) {
        let books = self.books().take();
        // What was held may run Python when it goes: not under the lock.
        drop(books);
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        visit.call(&self.landed)?;
        visit.call(&self.find)?;
        // Where somebody has the lock, everything is in use.
        let Ok(books) = self.books.try_lock() else {
            return Ok(());
        };
        let Some(books) = books.as_ref() else {
            return Ok(());
        };
        let head = books.head.iter().map(Head::item);
        for entry in books.board.items().chain(head) {
            visit.call(&entry.key)?;
            visit.call(&entry.last)?;
        }
        Ok(())
    }

    fn __clear__(&self) {
        self.clear();
    }
}

/// A message that was taken out of a lane: its place, and the time that it has left.
pub(crate) struct Outgoing {
    pub(crate) place: u32,
    pub(crate) message: Message,
    left: Option<Duration>,
}

impl Outgoing {
    /// The time that the message has left, to the hundredth of a second below, so that messages of one moment are submitted
    /// together; `None` is no limit.
    pub(crate) fn left(&self) -> Option<Duration> {
        const STEP: u64 = 10;
        let left = self.left?;
        let millis = u64::try_from(left.as_millis()).unwrap_or(u64::MAX);
        Some(Duration::from_millis(millis / STEP * STEP))
    }
}

/// For batches, which take messages from the board without a Python object for each.
impl HubBoard {
    /// Takes messages out of a lane, at most so many, to be sent now.
    pub(crate) fn take_out(&self, lane: usize, most: usize) -> Vec<Outgoing> {
        let mut all = Vec::new();
        self.with(|books| {
            books.board.submit(lane, most, now(), |place, message, left| {
                all.push(Outgoing {
                    place,
                    message: message.clone(),
                    left,
                });
                Ok(())
            });
        });
        self.forget_results(all.iter().map(|one| one.place));
        all
    }

    /// Takes messages back that found no room.
    pub(crate) fn take_back(&self, all: &[Outgoing]) {
        self.with(|books| {
            for one in all.iter().rev() {
                books.board.put_back(one.place);
            }
        });
    }

    /// Attempts have ended.
    pub(crate) fn ended_now(&self, all: impl Iterator<Item = (u32, Result<Outcome, Error>)>) {
        let at = now();
        self.with(|books| {
            for (place, result) in all {
                books.board.attempt_ended(place, result, at);
            }
        });
    }
}

impl HubBoard {
    fn read_some(
        &self,
        py: Python<'_>,
        items: &Bound<'_, PyAny>,
        most: usize,
        longest: f64,
        results: usize,
    ) -> PyResult<Reading> {
        if !self.place_head() {
            return Ok(Reading::Full);
        }
        let began = Instant::now();
        let next = items.getattr(intern!(py, "__next__"))?;
        for _ in 0..most {
            if self.ended() >= results || began.elapsed().as_secs_f64() >= longest {
                break;
            }
            let item = match next.call0() {
                Ok(item) => item,
                Err(raised) if raised.is_instance_of::<PyStopIteration>(py) => return Ok(Reading::Over),
                Err(raised) => return Err(raised),
            };
            if !self.offer(py, &item)? {
                return Ok(Reading::Full);
            }
        }
        Ok(Reading::More)
    }

    /// A new attempt begins for these messages: the result of the one before is no longer theirs.
    fn forget_results(&self, places: impl Iterator<Item = u32>) {
        let mut old = Vec::new();
        self.with(|books| {
            for place in places {
                old.extend(books.board.item_mut(place).and_then(|entry| entry.last.take()));
            }
        });
        // Dropped after the lock, because an exception may run Python when it goes.
        drop(old);
    }
}
