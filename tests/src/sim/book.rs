//! The world's own accounts: what was submitted, what was handed over, how it ended.

use std::cmp::Reverse;
use std::collections::{BTreeSet, BinaryHeap, HashMap};
use std::time::Duration;

use pushcore::http::Authority;
use pushcore::net::Processed;
use pushcore::session::{LinkId, Ticket};
use pushcore::{Error, ErrorKind, Outcome};

use super::log::Log;

/// How a request on a stream ended, as far as the client has been told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fate {
    /// A complete response.
    Answered,
    /// RST_STREAM with REFUSED_STREAM.
    Refused,
    /// RST_STREAM with another code: no promise.
    Reset,
    /// Above the last stream id of a GOAWAY.
    Above,
}

#[derive(Clone, Debug)]
struct Record {
    ticket: Ticket,
    /// Where the message stands in the order of submission.
    place: u64,
    done: bool,
    /// The stream it was last put on, and how that ended.
    attempt: Option<(LinkId, u32)>,
    fate: Option<Fate>,
    /// An earlier attempt may have been processed.
    tainted: bool,
    /// Ended as something that promises that no server has acted on it.
    promised: bool,
    due: Duration,
}

impl Record {
    /// Whether the client knows that its last attempt was answered or not processed.
    fn excused(&self) -> bool {
        matches!(self.fate, Some(Fate::Answered | Fate::Refused | Fate::Above))
    }
}

/// Every message of a world.
#[derive(Debug)]
pub(super) struct Book {
    records: Vec<Record>,
    /// The message of each ticket whose outcome has not been fetched.
    tickets: HashMap<Ticket, usize>,
    due: BinaryHeap<Reverse<(Duration, usize)>>,
    /// Submitted in all processes.
    places: u64,
    /// The places of the messages that a GOAWAY has disowned, and that have not left again: they wait.
    disowned: BTreeSet<(u64, usize)>,
    /// A message that has left, and one before it that waited then.
    overtaken: Option<(usize, usize)>,
    /// The host that was dialled first; with others there is no one order.
    host: Option<Authority>,
    one_host: bool,
    /// Submitted in this process.
    pub(super) submitted: u64,
    /// Ended in this process.
    pub(super) done: u64,
    /// Attempts after one that may have been processed.
    pub(super) doubtful_resends: u64,
    pub(super) at_most_once: bool,
    /// Whether `Unknown` is wrong where the wire says that nothing was processed. Off where the
    /// server breaks HTTP/2: from then on the client believes nothing.
    pub(super) strict: bool,
    /// What the servers say is not what they did: only that each message ends, and once, can be
    /// looked at.
    pub(super) hostile: bool,
    /// The wire cannot be read (TLS): only what the servers did can be compared.
    pub(super) opaque: bool,
    /// What happened to each message, where a test wants to look at it.
    pub(super) results: Option<Vec<(usize, Result<Outcome, Error>)>>,
}

impl Book {
    pub(super) fn new(at_most_once: bool) -> Self {
        Self {
            records: Vec::new(),
            tickets: HashMap::new(),
            due: BinaryHeap::new(),
            places: 0,
            disowned: BTreeSet::new(),
            overtaken: None,
            host: None,
            one_host: true,
            submitted: 0,
            done: 0,
            doubtful_resends: 0,
            at_most_once,
            strict: true,
            hostile: false,
            opaque: false,
            results: Some(Vec::new()),
        }
    }

    /// The number of the next message.
    pub(super) fn next(&self) -> usize {
        self.records.len()
    }

    pub(super) fn submit(&mut self, number: usize, ticket: Ticket, due: Duration) {
        self.submitted += 1;
        self.tickets.insert(ticket, number);
        self.due.push(Reverse((due, number)));
        self.places += 1;
        let place = self.places;
        if let Some(record) = self.records.get_mut(number) {
            (record.ticket, record.due, record.done) = (ticket, due, false);
            record.place = place;
            return;
        }
        let record = Record {
            ticket,
            place,
            done: false,
            attempt: None,
            fate: None,
            tainted: false,
            promised: false,
            due,
        };
        self.records.push(record);
    }

    /// A process begins, and counts from nothing.
    pub(super) fn new_process(&mut self) {
        (self.submitted, self.done) = (0, 0);
        self.disowned.clear();
        self.overtaken = None;
    }

    /// The process was killed, and its journal says this of an unfinished message: is it so?
    pub(super) fn interrupted(
        &mut self,
        ticket: Ticket,
        processed: Processed,
        again: bool,
        log: &Log,
    ) -> Result<usize, String> {
        let number = self.tickets.remove(&ticket).unwrap_or(usize::MAX);
        let Some(record) = self.records.get_mut(number).filter(|record| !record.done) else {
            return Err(format!("the journal has {ticket:?}, which is not under way"));
        };
        // Done until it is submitted once more, or for good.
        record.done = true;
        match processed {
            Processed::No if record.attempt.is_some() && !record.excused() || record.tainted => Err(format!(
                "message {number} may have been processed; the journal says no"
            )),
            Processed::No if log.processed(number) > 0 => {
                Err(format!("message {number} was processed; the journal says no"))
            }
            Processed::Unknown if record.attempt.is_none() && !self.opaque => Err(format!(
                "message {number} was never handed over; the journal says it may have been"
            )),
            Processed::No => {
                record.attempt = None;
                Ok(number)
            }
            Processed::Unknown => {
                record.tainted |= again;
                Ok(number)
            }
        }
    }

    pub(super) fn ticket(&self, number: usize) -> Ticket {
        self.records[number].ticket
    }

    /// The session connects to this host.
    pub(super) fn note_host(&mut self, host: &Authority) {
        self.one_host &= self.host.get_or_insert_with(|| host.clone()) == host;
    }

    /// The order in which messages leave (I6): none leaves while an earlier one of its host waits that a GOAWAY
    /// has disowned. `at_once` is whether what is put on streams is handed over at the same moment,
    /// and does not wait for room in the socket. A message whose stream was refused rests, and may be overtaken.
    pub(super) fn note_leaving(&mut self, number: usize, at_once: bool) {
        let Some(record) = self.records.get(number) else {
            return;
        };
        self.disowned.remove(&(record.place, number));
        let first = self.disowned.first().filter(|(place, _)| *place < record.place);
        if let Some((_, earlier)) = first.filter(|_| at_once && self.one_host) {
            self.overtaken = Some((number, *earlier));
        }
    }

    /// Whether a message has left before an earlier one that still waits (I6).
    pub(super) fn take_overtaken(&mut self) -> Option<(usize, usize)> {
        let (later, earlier) = self.overtaken.take()?;
        let record = self.records.get(earlier)?;
        let waits = !record.done && self.disowned.contains(&(record.place, earlier));
        waits.then_some((later, earlier))
    }

    /// All octets of a message's HEADERS have been handed over.
    pub(super) fn handed_over(&mut self, number: usize, link: LinkId, stream: u32) -> Result<(), String> {
        let at_most_once = self.at_most_once;
        let Some(record) = self.records.get_mut(number) else {
            return Err(format!("message {number} was sent before `submit` returned"));
        };
        if record.done {
            return Err(format!(
                "message {number} is put on {link:?}/{stream} after its end"
            ));
        }
        if let Some(attempt) = record.attempt.replace((link, stream)) {
            let excused = record.excused();
            record.tainted |= !excused;
            self.doubtful_resends += u64::from(record.tainted);
            if !excused && at_most_once {
                return Err(format!(
                    "message {number} is sent again, but {attempt:?} may have been processed"
                ));
            }
        }
        record.fate = None;
        Ok(())
    }

    /// The client has been told how a stream ended.
    pub(super) fn settle(&mut self, number: usize, link: LinkId, stream: u32, fate: Fate) {
        if let Some(record) = self.records.get_mut(number) {
            if record.attempt == Some((link, stream)) && record.fate.is_none() {
                record.fate = Some(fate);
                if fate == Fate::Above && !record.done {
                    self.disowned.insert((record.place, number));
                }
            }
        }
    }

    /// A message has ended: is that what happened?
    pub(super) fn end(
        &mut self,
        ticket: Ticket,
        result: Result<Outcome, Error>,
        log: &Log,
    ) -> Result<(), String> {
        let number = self.tickets.remove(&ticket).unwrap_or(usize::MAX);
        let Some(record) = self
            .records
            .get_mut(number)
            .filter(|record| record.ticket == ticket)
        else {
            return Err(format!(
                "an outcome for {ticket:?}, which was never submitted or has ended"
            ));
        };
        if std::mem::replace(&mut record.done, true) {
            return Err(format!("message {number} ends twice: {result:?}"));
        }
        self.done += 1;
        self.disowned.remove(&(record.place, number));
        if self.hostile {
            if let Some(results) = &mut self.results {
                results.push((number, result));
            }
            return Ok(());
        }
        let processed = log.processed(number);
        let told = |what: &str| {
            let (on, fate, tainted) = (record.attempt, record.fate, record.tainted);
            format!(
                "{what}: message {number}: {result:?}, last on {on:?}, which ended {fate:?}, tainted {tainted}, processed {processed} times"
            )
        };
        let kind = result.as_ref().err().map(Error::kind);
        let never = record.attempt.is_none() || record.excused();
        match (&result, kind) {
            (Ok(outcome), _) if outcome.is_accepted() && processed == 0 => {
                return Err(told("accepted, but no server knows it"));
            }
            (_, Some(ErrorKind::NotSent | ErrorKind::Expired)) => {
                record.promised = true;
                if record.tainted || !never || processed > 0 {
                    return Err(told("may have been processed"));
                }
            }
            (_, Some(ErrorKind::Unknown)) => {
                if record.attempt.is_none() && !self.opaque {
                    return Err(told("was never handed over"));
                }
                if self.strict && !record.tainted && record.excused() {
                    return Err(told("is known"));
                }
            }
            (Ok(_), _) | (_, Some(ErrorKind::Cancelled)) => {}
            (_, Some(other)) => return Err(told(&format!("{other} is no end"))),
            (Err(_), None) => {}
        }
        if self.at_most_once && processed > 1 {
            return Err(told("duplicate"));
        }
        if let Some(results) = &mut self.results {
            results.push((number, result));
        }
        Ok(())
    }

    /// The message that should have ended first, with the time.
    pub(super) fn most_overdue(&mut self) -> Option<(Duration, usize)> {
        while let Some(Reverse((due, number))) = self.due.peek().copied() {
            if !self.records[number].done {
                return Some((due, number));
            }
            self.due.pop();
        }
        None
    }

    /// At the very end, when every server has read everything: was every promise kept?
    pub(super) fn audit(&self, log: &Log) -> Result<(), String> {
        for (number, record) in self.records.iter().enumerate() {
            let processed = log.processed(number);
            if !record.done {
                return Err(format!("message {number} was lost (due {:?})", record.due));
            }
            if self.hostile {
                continue;
            }
            if record.promised && processed > 0 {
                return Err(format!(
                    "message {number} was promised not to be processed, and was, {processed} times"
                ));
            }
            if self.at_most_once && processed > 1 {
                return Err(format!("message {number} was processed {processed} times"));
            }
        }
        if log.copies_with_other_ids() > 0 {
            return Err("copies of one message carry different ids".to_owned());
        }
        Ok(())
    }
}
