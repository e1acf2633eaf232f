//! One thing that a job waits for.

use serde_json::{Map, Value};

use super::ask::Ask;
use super::send::{Broadcast, Send};
use crate::error::{Error, ErrorKind};

/// One thing that a job waits for, with the number that its answer goes in by.
#[derive(Clone, Debug)]
pub struct Step {
    id: u32,
    action: Action,
}

/// The thing that a job waits for.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Action {
    /// The host's store is asked.
    Ask(Ask),
    /// One message is sent.
    Send(Box<Send>),
    /// A broadcast is written down.
    Broadcast(Box<Broadcast>),
}

impl Step {
    pub(super) fn new(id: u32, action: Action) -> Self {
        Self { id, action }
    }

    /// Returns the number by which the answer goes in.
    pub fn id(&self) -> u32 {
        self.id
    }

    /// Returns the thing that is waited for.
    pub fn action(&self) -> &Action {
        &self.action
    }

    /// Returns `ask`, `send` or `broadcast`.
    pub fn kind(&self) -> &'static str {
        match &self.action {
            Action::Ask(_) => "ask",
            Action::Send(_) => "send",
            Action::Broadcast(_) => "broadcast",
        }
    }

    /// Returns the step as JSON: `{"id": 1, "step": "ask", ...}`, with the members of the action.
    pub fn to_json(&self) -> String {
        let mut map = Map::new();
        map.insert("id".into(), self.id.into());
        map.insert("step".into(), self.kind().into());
        let action = match &self.action {
            Action::Ask(ask) => serde_json::to_value(ask).unwrap_or_default(),
            Action::Send(send) => send.value(),
            Action::Broadcast(broadcast) => broadcast.value(),
        };
        if let Value::Object(action) = action {
            map.extend(action);
        }
        Value::Object(map).to_string()
    }

    /// Reads what [`Step::to_json`] wrote: for a worker in another process. The answer goes to the job, wherever that is.
    /// Endpoints of Web Push are under the [`EndpointPolicy`](crate::webpush::EndpointPolicy) that is the default.
    ///
    /// # Errors
    /// `InvalidPayload` for anything else; the errors of [`Message::from_json`](crate::service::Message::from_json).
    pub fn from_json(text: &[u8]) -> Result<Self, Error> {
        let value = Value::Object(crate::json::parse_object(text)?);
        let id = value.get("id").and_then(Value::as_u64);
        let id = id.and_then(|id| u32::try_from(id).ok()).ok_or_else(no_step)?;
        let action = match value.get("step").and_then(Value::as_str) {
            Some("ask") => Action::Ask(serde_json::from_value(value).map_err(|_| no_step())?),
            Some("send") => Action::Send(Box::new(Send::read(&value)?)),
            Some("broadcast") => Action::Broadcast(Box::new(Broadcast::read(&value)?)),
            _ => return Err(no_step()),
        };
        Ok(Self { id, action })
    }
}

pub(super) fn no_step() -> Error {
    Error::new(ErrorKind::InvalidPayload, "not the json of a step")
}
