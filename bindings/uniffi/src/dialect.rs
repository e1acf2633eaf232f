//! Requests of other push systems, answered as those systems answer: docs/dialects.md.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use pushcore::dialect::{self, Action, Job, Reply, Selection, Step, System};
use pushcore::http::Incoming;
use pushcore::outcome::{self, OutcomeParts};
use pushcore::service::Target;
use pushcore::webpush::EndpointPolicy;
use pushcore::{Error, ErrorKind};

use crate::error::{Failure, PushError};
use crate::message::Message;
use crate::outcome::{Outcome, OutcomeKind};
use crate::request::Header;
use crate::values::Time;

/// A request that a dialect understands.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct DialectRoute {
    /// The method.
    pub method: String,
    /// The path, in which `{name}` stands for one segment.
    pub path: String,
    /// The name of the operation.
    pub operation: String,
}

/// One header of a request that came in.
#[derive(Clone, PartialEq, Eq, uniffi::Record)]
pub struct IncomingHeader {
    /// The name, in whichever case it was written.
    pub name: String,
    /// The value's bytes.
    pub value: Vec<u8>,
}

/// A request that came in, as the server received it: nothing decoded, joined, sorted or dropped.
#[derive(Clone, PartialEq, Eq, uniffi::Record)]
pub struct IncomingRequest {
    /// The method.
    pub method: String,
    /// The raw target: path and query as they stood on the wire.
    pub target: String,
    /// All headers in their order.
    #[uniffi(default)]
    pub headers: Vec<IncomingHeader>,
    /// The whole body, without chunks.
    #[uniffi(default)]
    pub body: Vec<u8>,
}

/// The kind of a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq, uniffi::Enum)]
pub enum DialectStepKind {
    /// A question to the host's store, or a change to it: `answer`.
    Ask,
    /// One message to one target: `sent` or `failed`.
    Send,
    /// One message to everyone whom a filter selects: `answer`.
    Broadcast,
}

/// One thing that a job waits for.
#[derive(Clone, PartialEq, Eq, uniffi::Record)]
pub struct DialectStep {
    /// The number by which the answer goes in.
    pub id: u32,
    /// The kind of the step.
    pub kind: DialectStepKind,
    /// The step as JSON, in the form of docs/dialects.md: a worker in another process reads it.
    pub json: String,
    /// The message to send, complete with its target; nil for a step that sends none.
    pub message: Option<Message>,
}

impl From<&Step> for DialectStep {
    fn from(step: &Step) -> Self {
        let (kind, message) = match step.action() {
            Action::Send(send) => (DialectStepKind::Send, Some(whole(&send.message))),
            Action::Broadcast(_) => (DialectStepKind::Broadcast, None),
            _ => (DialectStepKind::Ask, None),
        };
        Self {
            id: step.id(),
            kind,
            json: step.to_json(),
            message,
        }
    }
}

fn whole(message: &pushcore::service::Message) -> Message {
    Message {
        service: message.kind().into(),
        json: message.to_json(),
        target: None,
    }
}

/// The answer to the client.
#[derive(Clone, PartialEq, Eq, uniffi::Record)]
pub struct DialectReply {
    /// The HTTP status.
    pub status: u16,
    /// Names and values in order, without `content-length`.
    pub headers: Vec<Header>,
    /// The body.
    pub body: Vec<u8>,
    /// The idempotency keys that the host stores this reply under, before the client gets it.
    pub remember: Vec<String>,
    /// The time for which the reply is remembered, in seconds.
    pub remember_seconds: u64,
    /// The reply as JSON, which answers a claim later.
    pub json: String,
}

impl From<&Reply> for DialectReply {
    fn from(reply: &Reply) -> Self {
        let headers = reply.headers().iter();
        Self {
            status: reply.status(),
            headers: headers
                .map(|(name, value)| Header {
                    name: name.clone(),
                    value: value.clone(),
                })
                .collect(),
            body: reply.body().to_vec(),
            remember: reply.remember().to_vec(),
            remember_seconds: reply.remember_seconds(),
            json: reply.to_json(),
        }
    }
}

/// A push system whose requests are understood, with options: jobs are begun from it.
#[derive(uniffi::Object)]
pub struct Dialect(dialect::Dialect);

#[uniffi::export]
impl Dialect {
    /// Returns the dialect of a system, for example `pinpoint`, with the options of docs/dialects.md as one JSON object.
    #[uniffi::constructor(default(options_json = None))]
    pub fn open(system: String, options_json: Option<String>) -> Result<Arc<Self>, PushError> {
        let options = options_json.unwrap_or_else(|| "{}".to_owned());
        let dialect = dialect::Dialect::new(System::parse(&system)?, options.as_bytes())?;
        Ok(Arc::new(Self(dialect)))
    }

    /// Returns the name of the system.
    pub fn system(&self) -> String {
        self.0.system().as_str().to_owned()
    }

    /// Returns every request that is understood.
    pub fn routes(&self) -> Vec<DialectRoute> {
        let routes = self.0.routes().iter();
        routes
            .map(|route| DialectRoute {
                method: route.method.as_str().to_owned(),
                path: route.path.to_owned(),
                operation: route.operation.to_owned(),
            })
            .collect()
    }

    /// Begins the job of a request that came in, at this time or at `at`. An error is a target that no HTTP server lets through.
    #[uniffi::method(default(at = None))]
    pub fn begin(&self, incoming: IncomingRequest, at: Option<Time>) -> Result<Arc<DialectJob>, PushError> {
        let now = Time::now(at)?;
        let mut request = Incoming::new(&incoming.method, &incoming.target, incoming.body)?;
        for header in incoming.headers {
            request = request.with_header(header.name, header.value);
        }
        Ok(DialectJob::holding(self.0.begin(request, now.unix)))
    }
}

/// One request on its way through a dialect: steps that wait for answers, then a reply.
#[derive(uniffi::Object)]
pub struct DialectJob(Mutex<Job>);

impl DialectJob {
    fn holding(job: Job) -> Arc<Self> {
        Arc::new(Self(Mutex::new(job)))
    }

    /// A poisoned lock is still whole: nothing in here panics half-way through a change.
    fn job(&self) -> MutexGuard<'_, Job> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[uniffi::export]
impl DialectJob {
    /// Reads a job back from `toJson`. What it waited for it waits for again, under the same numbers.
    #[uniffi::constructor]
    pub fn from_json(json: String) -> Result<Arc<Self>, PushError> {
        Ok(Self::holding(Job::from_json(json.as_bytes())?))
    }

    /// Returns the whole job as JSON, without a secret in it. An error is a request that brings credentials: its client has to
    /// repeat it.
    pub fn to_json(&self) -> Result<String, PushError> {
        Ok(self.job().to_json()?)
    }

    /// Returns the name of the system.
    pub fn system(&self) -> String {
        self.job().system().as_str().to_owned()
    }

    /// Returns the operation of the routing table; nil where no route takes the request.
    pub fn operation(&self) -> Option<String> {
        self.job().operation().map(str::to_owned)
    }

    /// Returns when the job began.
    pub fn began(&self) -> Time {
        Time::from(self.job().began())
    }

    /// Returns the steps that wait for an answer. All of them can be worked on at the same time; the next ones come when all
    /// are answered. None are left once there is a reply.
    pub fn steps(&self) -> Vec<DialectStep> {
        self.job().steps().iter().map(DialectStep::from).collect()
    }

    /// Returns the answer to the client; nil while steps wait.
    pub fn reply(&self) -> Option<DialectReply> {
        self.job().reply().map(DialectReply::from)
    }

    /// Returns what the translation lost or changed, in words, as far as it is known now.
    pub fn warnings(&self) -> Vec<String> {
        self.job().warnings().to_vec()
    }

    /// Takes the answer to a step as JSON, in the form that docs/dialects.md says. After a refused answer the step waits on.
    pub fn answer(&self, id: u32, json: String) -> Result<(), PushError> {
        Ok(self.job().answer(id, json.as_bytes())?)
    }

    /// Takes the service's answer to a message.
    pub fn sent(&self, id: u32, outcome: Outcome) -> Result<(), PushError> {
        let kind = match outcome.kind {
            OutcomeKind::Accepted => outcome::OutcomeKind::Accepted,
            OutcomeKind::TokenGone => outcome::OutcomeKind::TokenGone,
            OutcomeKind::TokenMismatch => outcome::OutcomeKind::TokenMismatch,
            OutcomeKind::RetryLater => outcome::OutcomeKind::RetryLater,
            OutcomeKind::FixCredentials => outcome::OutcomeKind::FixCredentials,
            OutcomeKind::Rejected => outcome::OutcomeKind::Rejected,
        };
        // What a dialect tells its client; the other parts of an outcome are for the host.
        let mut parts = OutcomeParts::new(kind);
        parts.status = outcome.status;
        parts.reason = outcome.reason.as_deref();
        parts.reason_is_known = outcome.reason_is_known;
        parts.body = &outcome.body;
        parts.id = outcome.id.as_deref();
        parts.replacement = outcome.replacement.as_deref();
        let outcome = outcome::Outcome::from_parts(&parts)?;
        Ok(self.job().sent(id, Ok(&outcome))?)
    }

    /// Takes the reason why a message has no answer.
    pub fn failed(&self, id: u32, failure: Failure) -> Result<(), PushError> {
        let error = Error::new(failure.kind.into(), failure.text);
        Ok(self.job().sent(id, Err(&error))?)
    }

    /// Takes note that nobody knows what became of a step that sends: the process that worked on it ended. Nothing is sent again
    /// by itself.
    pub fn unknown(&self, id: u32) -> Result<(), PushError> {
        Ok(self.job().unknown(id)?)
    }
}

/// Returns the message of a broadcast to one of its targets. `step_json` is the step's; `target` a token, or for Web Push the
/// subscription's JSON.
#[uniffi::export]
pub fn broadcast_message(step_json: String, target: String) -> Result<Message, PushError> {
    let step = Step::from_json(step_json.as_bytes())?;
    let Action::Broadcast(broadcast) = step.action() else {
        return Err(Error::new(ErrorKind::Misuse, "the step is no broadcast").into());
    };
    // An endpoint is judged where it is sent to, by the policy of its service.
    let policy = EndpointPolicy::default().allow_any_public_host();
    let target = Target::parse_under(broadcast.template.kind(), &target, &policy)?;
    Ok(whole(&broadcast.template.to(&target)?))
}

/// The subscriptions that the filter of a Pushpad step means.
#[derive(uniffi::Object)]
pub struct DialectSelection(Selection);

#[uniffi::export]
impl DialectSelection {
    /// Reads a filter, one JSON object with the members `uids` and `tags`.
    #[uniffi::constructor]
    pub fn of(filter_json: String) -> Result<Arc<Self>, PushError> {
        Ok(Arc::new(Self(Selection::from_json(filter_json.as_bytes())?)))
    }

    /// Returns whether a subscription with this uid and these tags is selected; `uid` is nil for a subscription of nobody in
    /// particular.
    pub fn selects(&self, uid: Option<String>, tags: Vec<String>) -> bool {
        self.0.selects(uid.as_deref(), &tags)
    }
}

/// Returns the names of all systems.
#[uniffi::export]
pub fn dialect_systems() -> Vec<String> {
    System::ALL
        .iter()
        .map(|system| system.as_str().to_owned())
        .collect()
}

/// Returns the SHA-256 of an API key or bearer token, as a job asks for it and a store keeps it.
#[uniffi::export]
pub fn token_digest(key: String) -> String {
    dialect::token_digest(&key)
}

/// Returns the signature with which a page proves a user's id to Pushpad's part in the browser.
#[uniffi::export]
pub fn pushpad_signature(token: String, uid: String) -> String {
    dialect::pushpad_signature(&token, &uid)
}
