//! One pass of a dialect over a job.
//!
//! A dialect is written as if every question had its answer. Where an answer is missing the pass stops, and begins
//! again from the top once the answer is there: so a job is no more than its request and the answers in order, and
//! can be written down at any moment.

use std::any::Any;
use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::{Map, Value, json};

use super::ask::Ask;
use super::caller::Caller;
use super::reply::Reply;
use super::route::Routed;
use super::send::{self, Broadcast};
use super::sent::Sent;
use super::step::{Action, Step};
use crate::http::Incoming;
use crate::time::UnixTime;

/// Why a pass ends without the reply at its end.
pub(super) enum Stop {
    /// Answers are missing.
    Wait,
    /// The reply is known early: mostly a refusal.
    Reply(Box<Reply>),
}

impl From<Reply> for Stop {
    fn from(reply: Reply) -> Self {
        Stop::Reply(Box::new(reply))
    }
}

/// One target of a group of pushes.
pub(super) enum Item {
    /// A message is sent.
    Send(Box<send::Send>),
    /// Nothing is sent; the result is known here.
    Known(Sent),
}

/// A group of pushes as the first pass made it. Kept in memory, so that the passes after the first do not translate
/// again; made anew where a job was read back.
pub(super) struct Group {
    /// The results that were known at once, by the number of the step.
    known: BTreeMap<u32, Sent>,
    len: u32,
    warnings: Vec<String>,
}

/// The state of a job that outlives a pass.
#[derive(Default)]
pub(super) struct Memory {
    /// The answers, by the number of the step. A secret is never among them.
    pub(super) answers: BTreeMap<u32, Value>,
    /// The results of messages, by the number of the step.
    pub(super) sent: BTreeMap<u32, Sent>,
    pub(super) groups: BTreeMap<u32, Group>,
    /// The request as a dialect read it, so that the passes after the first do not read it again. Made anew where a job
    /// was read back.
    read: Option<Arc<dyn Any + Send + Sync>>,
}

/// One pass.
pub(super) struct Run<'a> {
    pub(super) incoming: &'a Incoming,
    pub(super) caller: &'a Caller,
    pub(super) options: &'a Map<String, Value>,
    /// When the job began: the time of the whole job.
    pub(super) began: UnixTime,
    pub(super) routed: Option<&'a Routed>,
    memory: &'a mut Memory,
    /// The answer to a question about a secret, which lives for this pass alone.
    secret: Option<(u32, &'a Value)>,
    next: u32,
    pub(super) wanted: Vec<Step>,
    pub(super) warnings: Vec<String>,
}

impl<'a> Run<'a> {
    #[allow(clippy::too_many_arguments)] // One caller, and a struct of the same names would only repeat them.
    pub(super) fn new(
        incoming: &'a Incoming,
        caller: &'a Caller,
        options: &'a Map<String, Value>,
        began: UnixTime,
        routed: Option<&'a Routed>,
        memory: &'a mut Memory,
        secret: Option<(u32, &'a Value)>,
    ) -> Self {
        Self {
            incoming,
            caller,
            options,
            began,
            routed,
            memory,
            secret,
            next: 0,
            wanted: Vec::new(),
            warnings: Vec::new(),
        }
    }

    /// Returns the operation's name; empty where no route takes the request.
    pub(super) fn operation(&self) -> &'static str {
        self.routed.map_or("", |routed| routed.route.operation)
    }

    /// Returns an id out of the path.
    pub(super) fn id(&self, name: &str) -> &'a str {
        self.routed.map_or("", |routed| routed.id(name))
    }

    /// Returns whether an option is on. Options were checked when the dialect was made.
    pub(super) fn option(&self, name: &str, default: bool) -> bool {
        super::flag(self.options, name, default).unwrap_or(default)
    }

    /// Notes that something is lost or changed in the translation.
    pub(super) fn warn(&mut self, text: impl Into<String>) {
        let text = text.into();
        if !self.warnings.contains(&text) {
            self.warnings.push(text);
        }
    }

    /// Returns what `read` makes of the request; called once, or again where the job was read back. A refusal is not kept,
    /// because it ends the job.
    pub(super) fn once<T: Any + Send + Sync>(
        &mut self,
        read: impl FnOnce(&Self) -> Result<T, Stop>,
    ) -> Result<Arc<T>, Stop> {
        let known = self.memory.read.clone().map(Arc::downcast::<T>);
        if let Some(Ok(known)) = known {
            return Ok(known);
        }
        let made = Arc::new(read(self)?);
        self.memory.read = Some(Arc::clone(&made) as Arc<dyn Any + Send + Sync>);
        Ok(made)
    }

    /// Asks the host's store.
    pub(super) fn ask(&mut self, ask: Ask) -> Result<Value, Stop> {
        let id = self.take_id();
        match self.memory.answers.get(&id) {
            Some(answer) => Ok(answer.clone()),
            None => self.want(id, Action::Ask(ask)),
        }
    }

    /// Asks the host's store for a secret, and keeps what `judge` makes of the answer in its place.
    pub(super) fn judge(&mut self, ask: Ask, judge: impl FnOnce(&Value) -> Value) -> Result<Value, Stop> {
        let id = self.take_id();
        if let Some(verdict) = self.memory.answers.get(&id) {
            return Ok(verdict.clone());
        }
        match self.secret {
            Some((answered, answer)) if answered == id => {
                let verdict = judge(answer);
                self.memory.answers.insert(id, verdict.clone());
                Ok(verdict)
            }
            _ => self.want(id, Action::Ask(ask)),
        }
    }

    /// Has a broadcast written down: the answer is `{"id": "...", "count": 7}`.
    pub(super) fn broadcast(&mut self, broadcast: Broadcast) -> Result<Value, Stop> {
        let id = self.take_id();
        match self.memory.answers.get(&id) {
            Some(answer) => Ok(answer.clone()),
            None => self.want(id, Action::Broadcast(Box::new(broadcast))),
        }
    }

    /// Has a group of messages sent. `make` is called once, or again where the job was read back; the results come in the
    /// order of its items.
    pub(super) fn send(&mut self, make: impl FnOnce(&mut Self) -> Vec<Item>) -> Result<Vec<Sent>, Stop> {
        let first = self.next;
        if !self.memory.groups.contains_key(&first) {
            let before = std::mem::take(&mut self.warnings);
            let items = make(self);
            let warnings = std::mem::replace(&mut self.warnings, before);
            let (mut known, mut id) = (BTreeMap::new(), first);
            for item in items {
                match item {
                    Item::Known(sent) => {
                        known.insert(id, sent);
                    }
                    Item::Send(send) => {
                        if !self.memory.sent.contains_key(&id) {
                            self.wanted.push(Step::new(id, Action::Send(send)));
                        }
                    }
                }
                id = id.saturating_add(1);
            }
            let len = id - first;
            self.memory.groups.insert(first, Group { known, len, warnings });
        }
        let Some(group) = self.memory.groups.get(&first) else {
            return Err(Stop::Wait);
        };
        for warning in &group.warnings {
            if !self.warnings.contains(warning) {
                self.warnings.push(warning.clone());
            }
        }
        self.next = first.saturating_add(group.len);
        let result = |id: u32| {
            let sent = group.known.get(&id).or_else(|| self.memory.sent.get(&id));
            sent.cloned()
        };
        let results: Option<Vec<Sent>> = (first..self.next).map(result).collect();
        results.ok_or(Stop::Wait)
    }

    fn take_id(&mut self) -> u32 {
        let id = self.next;
        self.next = id.saturating_add(1);
        id
    }

    fn want<T>(&mut self, id: u32, action: Action) -> Result<T, Stop> {
        self.wanted.push(Step::new(id, action));
        Err(Stop::Wait)
    }
}

/// The reply of a job whose own books do not fit: a fault of ours, which no request reaches.
pub(super) fn lost() -> Reply {
    Reply::json(500, &json!({"message": "internal error"}))
}
