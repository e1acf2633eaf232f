//! One request on its way through a dialect.

use std::sync::Arc;

use serde_json::{Map, Value, json};

use super::Ask;
use super::System;
use super::caller::Caller;
use super::reply::{Reply, read_bytes, write_bytes};
use super::route::{Routed, Unrouted};
use super::run::{Memory, Run, Stop, lost};
use super::sent::Sent;
use super::step::{Action, Step};
use crate::error::{Error, ErrorKind};
use crate::http::Incoming;
use crate::json;
use crate::outcome::Outcome;
use crate::time::UnixTime;

/// The version of a job's JSON.
const VERSION: u64 = 1;

/// Headers that hold keys. They are dropped once the caller was read.
const SECRET_HEADERS: &[&str] = &[
    "authorization",
    "cookie",
    "proxy-authorization",
    "x-amz-security-token",
    "x-api-key",
    "x-ionic-api-token",
];

/// One request on its way through a dialect: [`steps`](Job::steps) that wait for answers, then a
/// [`reply`](Job::reply).
///
/// The same answers lead to the same steps and the same reply, whenever they are given: a job that was read back from JSON
/// goes on where it was.
#[derive(Debug)]
pub struct Job {
    system: System,
    options: Arc<Map<String, Value>>,
    incoming: Incoming,
    caller: Caller,
    began: UnixTime,
    routed: Result<Routed, Unrouted>,
    memory: Memory,
    pending: Vec<Step>,
    warnings: Vec<String>,
    reply: Option<Reply>,
}

impl Job {
    pub(super) fn begin(
        system: System,
        options: Arc<Map<String, Value>>,
        mut incoming: Incoming,
        now: UnixTime,
    ) -> Self {
        let caller = system.caller(&incoming);
        for name in SECRET_HEADERS {
            incoming.remove(name);
        }
        let mut job = Self::at_start(system, options, incoming, caller, now);
        job.advance(None);
        job
    }

    fn at_start(
        system: System,
        options: Arc<Map<String, Value>>,
        incoming: Incoming,
        caller: Caller,
        began: UnixTime,
    ) -> Self {
        let routed = Routed::find(system.routes(), &incoming);
        Self {
            system,
            options,
            incoming,
            caller,
            began,
            routed,
            memory: Memory::default(),
            pending: Vec::new(),
            warnings: Vec::new(),
            reply: None,
        }
    }

    /// Returns the steps that wait for an answer, in their order. All of them can be worked on at the same time; the next
    /// ones come when all are answered. Empty once there is a reply.
    pub fn steps(&self) -> &[Step] {
        &self.pending
    }

    /// Returns the answer to the client; `None` while steps wait.
    pub fn reply(&self) -> Option<&Reply> {
        self.reply.as_ref()
    }

    /// Returns what the translation lost or changed, in words, as far as it is known now.
    pub fn warnings(&self) -> &[String] {
        &self.warnings
    }

    /// Returns the system whose request it is.
    pub fn system(&self) -> System {
        self.system
    }

    /// Returns the operation of the routing table; `None` where no route takes the request.
    pub fn operation(&self) -> Option<&'static str> {
        self.routed.as_ref().ok().map(|routed| routed.route.operation)
    }

    /// Returns when the job began.
    pub fn began(&self) -> UnixTime {
        self.began
    }

    /// Takes the answer to a step: JSON in the form that [`Ask`] says; for a message the JSON of [`Sent`], for one that is
    /// sent later `{"outcome": "scheduled"}`, for a broadcast `{"id": "...", "count": 7}`.
    ///
    /// # Errors
    /// `Misuse` when no step of that number waits; `InvalidPayload` for what is not JSON; `InvalidValue` for JSON of
    /// another form. The step waits on.
    pub fn answer(&mut self, id: u32, answer: &[u8]) -> Result<(), Error> {
        let mut answer = json::parse(answer)?;
        let step = self.waiting(id)?;
        match step.action() {
            Action::Ask(ask) => {
                ask.check(&answer)?;
                ask.without_secrets(&mut answer);
                if matches!(ask, Ask::Secret { .. }) {
                    self.pending.retain(|step| step.id() != id);
                    self.advance(Some((id, &answer)));
                    return Ok(());
                }
            }
            Action::Send(send) => {
                let may_wait = send.at.is_some();
                let sent: Result<Sent, _> = serde_json::from_value(answer);
                let sent = sent.ok().filter(|sent| {
                    sent.kind().is_some() || sent.error.is_some() || (may_wait && sent.is_scheduled())
                });
                let sent = sent.ok_or_else(|| wrong_answer("the answer to a message is a result"))?;
                self.memory.sent.insert(id, sent);
                self.answered(id);
                return Ok(());
            }
            Action::Broadcast(_) => {
                let fine = answer.get("id").is_some_and(Value::is_string)
                    && answer.get("count").is_some_and(Value::is_u64);
                if !fine {
                    return Err(wrong_answer(
                        "the answer to a broadcast is {\"id\": \"...\", \"count\": 7}",
                    ));
                }
            }
        }
        self.memory.answers.insert(id, answer);
        self.answered(id);
        Ok(())
    }

    /// Takes the result of a message.
    ///
    /// # Errors
    /// `Misuse` when no message of that number waits.
    pub fn sent(&mut self, id: u32, result: Result<&Outcome, &Error>) -> Result<(), Error> {
        if !matches!(self.waiting(id)?.action(), Action::Send(_)) {
            return Err(Error::new(
                ErrorKind::Misuse,
                "the step of that number sends no message",
            ));
        }
        self.memory.sent.insert(id, Sent::of(result));
        self.answered(id);
        Ok(())
    }

    /// Takes note that nobody knows what became of a step that sends: the process that worked on it ended. Nothing is sent
    /// again by itself.
    ///
    /// # Errors
    /// `Misuse` when no step of that number waits, or when the step asks the store: ask again.
    pub fn unknown(&mut self, id: u32) -> Result<(), Error> {
        let error = Error::new(ErrorKind::Unknown, "the process ended while the message was sent");
        match self.waiting(id)?.action() {
            Action::Send(_) => self.sent(id, Err(&error)),
            Action::Broadcast(_) => {
                self.memory.answers.insert(id, json!({"id": "", "count": 0}));
                self.answered(id);
                Ok(())
            }
            Action::Ask(Ask::Forward { .. }) => {
                self.memory.answers.insert(id, json!({"status": 0, "body": ""}));
                self.answered(id);
                Ok(())
            }
            Action::Ask(_) => Err(Error::new(ErrorKind::Misuse, "a question can be asked again")),
        }
    }

    /// Returns the whole job as JSON, which [`Job::from_json`] reads. There is no secret in it: keys were dropped when the
    /// job began, and the answer to [`Ask::Secret`] is not kept. Addresses, tokens and texts are in it.
    ///
    /// # Errors
    /// `Misuse` for a request that brings credentials of a push service to be stored: nothing of it may be lost by asking
    /// the client to repeat it.
    pub fn to_json(&self) -> Result<String, Error> {
        if self.routed.as_ref().is_ok_and(|routed| routed.route.secret) {
            return Err(Error::new(
                ErrorKind::Misuse,
                "a request that brings credentials is not written down",
            ));
        }
        let mut map = Map::new();
        map.insert("version".into(), VERSION.into());
        map.insert("system".into(), self.system.as_str().into());
        map.insert("options".into(), Value::Object((*self.options).clone()));
        map.insert("began_ms".into(), self.began.as_millis().into());
        map.insert("caller".into(), json!(self.caller));
        map.insert("method".into(), self.incoming.method_text().into());
        map.insert("target".into(), self.incoming.target().into());
        let headers = self.incoming.headers().map(|(name, value)| {
            let mut header = Map::new();
            write_bytes(&mut header, "name", name);
            write_bytes(&mut header, "value", value);
            Value::Object(header)
        });
        map.insert("headers".into(), headers.collect());
        write_bytes(&mut map, "body", self.incoming.body());
        let answers = self.memory.answers.iter();
        let answers = answers.map(|(id, answer)| (id.to_string(), answer.clone()));
        map.insert("answers".into(), Value::Object(answers.collect()));
        let sent = self.memory.sent.iter();
        let sent = sent.map(|(id, sent)| (id.to_string(), json!(sent)));
        map.insert("sent".into(), Value::Object(sent.collect()));
        Ok(Value::Object(map).to_string())
    }

    /// Reads a job back. What it waited for it waits for again: the host knows which messages were on their way, and
    /// answers those with [`Job::unknown`].
    ///
    /// # Errors
    /// `InvalidPayload` for what [`Job::to_json`] did not write; `InvalidValue` for a system or an option that this version
    /// does not know.
    pub fn from_json(text: &[u8]) -> Result<Self, Error> {
        let map = Value::Object(json::parse_object(text)?);
        if map.get("version") != Some(&Value::from(VERSION)) {
            return Err(no_job());
        }
        let text = |name: &str| map.get(name).and_then(Value::as_str).ok_or_else(no_job);
        let system = System::parse(text("system")?)?;
        let options = map.get("options").and_then(Value::as_object).ok_or_else(no_job)?;
        system.check(options)?;
        let began = map.get("began_ms").and_then(Value::as_u64).ok_or_else(no_job)?;
        let caller = map.get("caller").cloned().unwrap_or_default();
        let caller = serde_json::from_value(caller).map_err(|_| no_job())?;
        let body = read_bytes(&map, "body").ok_or_else(no_job)?;
        let mut incoming = Incoming::new(text("method")?, text("target")?, body)?;
        for header in map.get("headers").and_then(Value::as_array).ok_or_else(no_job)? {
            let name = read_bytes(header, "name").ok_or_else(no_job)?;
            let value = read_bytes(header, "value").ok_or_else(no_job)?;
            incoming = incoming.with_header(name, value);
        }
        let options = Arc::new(options.clone());
        let mut job = Self::at_start(system, options, incoming, caller, UnixTime::from_millis(began));
        let numbered = |name: &str| -> Result<Vec<(u32, Value)>, Error> {
            let there = map.get(name).and_then(Value::as_object).ok_or_else(no_job)?;
            let number =
                |(id, value): (&String, &Value)| Ok((id.parse().map_err(|_| no_job())?, value.clone()));
            there.iter().map(number).collect()
        };
        job.memory.answers.extend(numbered("answers")?);
        for (id, sent) in numbered("sent")? {
            let sent = serde_json::from_value(sent).map_err(|_| no_job())?;
            job.memory.sent.insert(id, sent);
        }
        job.advance(None);
        Ok(job)
    }

    fn waiting(&self, id: u32) -> Result<&Step, Error> {
        let waiting = self.pending.iter().find(|step| step.id() == id);
        waiting.ok_or_else(|| Error::new(ErrorKind::Misuse, "no step of that number waits for an answer"))
    }

    fn answered(&mut self, id: u32) {
        self.pending.retain(|step| step.id() != id);
        if self.pending.is_empty() {
            self.advance(None);
        }
    }

    fn advance(&mut self, secret: Option<(u32, &Value)>) {
        let mut run = Run::new(
            &self.incoming,
            &self.caller,
            &self.options,
            self.began,
            self.routed.as_ref().ok(),
            &mut self.memory,
            secret,
        );
        let end = match &self.routed {
            Ok(_) => self.system.run(&mut run),
            Err(why) => Ok(self.system.unrouted(&mut run, *why)),
        };
        self.warnings = std::mem::take(&mut run.warnings);
        self.pending = std::mem::take(&mut run.wanted);
        self.reply = match end {
            Ok(reply) => Some(reply),
            Err(Stop::Reply(reply)) => Some(*reply),
            // Answers of another version of the dialect, read back: there is no way on.
            Err(Stop::Wait) if self.pending.is_empty() => Some(lost()),
            Err(Stop::Wait) => None,
        };
        if self.reply.is_some() {
            self.pending.clear();
        }
    }
}

impl std::fmt::Debug for Memory {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Memory")
            .field("answers", &self.answers.len())
            .finish_non_exhaustive()
    }
}

fn wrong_answer(text: &'static str) -> Error {
    Error::new(ErrorKind::InvalidValue, text)
}

fn no_job() -> Error {
    Error::new(ErrorKind::InvalidPayload, "not the json of a job")
}
