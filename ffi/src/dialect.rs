//! Requests of other push systems, answered as those systems answer: docs/dialects.md.

use pushcore::dialect::{self, Action, Job, Step, System};
use pushcore::http::Incoming;
use pushcore::{Error, ErrorKind, Outcome as Answer, UnixTime};

use crate::bytes::Bytes;
use crate::error::ErrorObject;
use crate::guard::{Failure, Status, entry, give, value, wanted, write};
use crate::handle::{borrow, borrow_mut, free, handles};
use crate::message::{Message, Target};
use crate::outcome::Outcome;
use crate::view::{CNow, Pair, View, array, texts};

/// A push system whose requests are understood, with options: jobs are begun from it. Immutable; may be shared between threads.
pub struct Dialect {
    dialect: dialect::Dialect,
}

/// One request on its way through a dialect: steps that wait for answers, then a reply.
pub struct DialectJob {
    job: Job,
}

/// One thing that a job waits for. Immutable; may be shared between threads.
pub struct DialectStep {
    step: Step,
}

/// The answer to the client. Immutable; may be shared between threads.
pub struct DialectReply {
    reply: dialect::Reply,
}

/// The subscriptions that the filter of a Pushpad step means. Immutable; may be shared between threads.
pub struct DialectSelection {
    selection: dialect::Selection,
}

handles! {
    Dialect = 64 "pushcore_dialect",
    DialectJob = 65 "pushcore_dialect_job",
    DialectStep = 66 "pushcore_dialect_step",
    DialectReply = 67 "pushcore_dialect_reply",
    DialectSelection = 68 "pushcore_dialect_selection",
}

/// A question to the host's store, or a change to it: pushcore_dialect_job_answer.
pub const PUSHCORE_STEP_ASK: u32 = 1;
/// One message to one target: pushcore_dialect_job_sent.
pub const PUSHCORE_STEP_SEND: u32 = 2;
/// One message to everyone whom a filter selects: pushcore_dialect_job_answer.
pub const PUSHCORE_STEP_BROADCAST: u32 = 3;

fn nothing_at(what: &str) -> Failure {
    Error::new(ErrorKind::Misuse, format!("there is no {what} at this index")).into()
}

/// Returns the name of the system at a position, from 0 on, e.g. "pinpoint"; empty past the last one. The text is static.
#[unsafe(no_mangle)]
pub extern "C" fn pushcore_dialect_system_at(index: usize) -> View {
    View::of_text(System::ALL.get(index).map(|system| system.as_str()))
}

/// Makes the dialect of a system. `options` is one JSON object as docs/dialects.md lists them, or empty.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pushcore_dialect_new(
    system: View,
    options: View,
    out: *mut *mut Dialect,
    error: *mut *mut ErrorObject,
) -> Status {
    entry!(error, {
        let system = System::parse(system.text("system")?)?;
        let options = match options.bytes("options")? {
            [] => b"{}",
            options => options,
        };
        let dialect = dialect::Dialect::new(system, options)?;
        give(out, Dialect { dialect })
    })
}

/// Returns the name of the system; empty for NULL. The text is static.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pushcore_dialect_system(dialect: *const Dialect) -> View {
    value!(View::EMPTY, {
        View::of(borrow(dialect, "dialect")?.dialect.system().as_str().as_bytes())
    })
}

/// Returns the number of requests that are understood; 0 for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pushcore_dialect_route_count(dialect: *const Dialect) -> usize {
    value!(0, { borrow(dialect, "dialect")?.dialect.routes().len() })
}

/// Writes method, path and operation of a request that is understood, by its position, 0 to count - 1; `{name}` in a path stands for one
/// segment. PUSHCORE_ERROR_MISUSE when there is none at `index`. The texts are static.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pushcore_dialect_route_at(
    dialect: *const Dialect,
    index: usize,
    method: *mut View,
    path: *mut View,
    operation: *mut View,
) -> Status {
    entry!(std::ptr::null_mut(), {
        let dialect = borrow(dialect, "dialect")?;
        let route = dialect.dialect.routes().get(index);
        let route = route.ok_or_else(|| nothing_at("route"))?;
        write(method, View::of(route.method.as_str().as_bytes()));
        write(path, View::of(route.path.as_bytes()));
        write(operation, View::of(route.operation.as_bytes()));
        Ok(())
    })
}

/// Begins the job of a request that came in. `target` is the raw target, path and query as they stood on the wire; `headers` are all headers in
/// their order, in any bytes; `body` is the whole body, without chunks. PUSHCORE_ERROR_INVALID_VALUE for a target that no HTTP server lets through.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pushcore_dialect_begin(
    dialect: *const Dialect,
    method: View,
    target: View,
    headers: *const Pair,
    count: usize,
    body: View,
    now: CNow,
    out: *mut *mut DialectJob,
    error: *mut *mut ErrorObject,
) -> Status {
    entry!(error, {
        wanted(out, "the output")?;
        let dialect = borrow(dialect, "dialect")?;
        let (method, target) = (method.text("method")?, target.text("target")?);
        let mut incoming = Incoming::new(method, target, body.bytes("body")?)?;
        for header in array(headers, count, "headers")? {
            incoming = incoming.with_header(header.name.bytes("headers")?, header.value.bytes("headers")?);
        }
        let job = dialect
            .dialect
            .begin(incoming, UnixTime::from_millis(now.unix_ms));
        give(out, DialectJob { job })
    })
}

/// Gives the dialect back.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pushcore_dialect_free(dialect: *mut Dialect) {
    value!((), { free(dialect) });
}

/// Reads a job back that pushcore_dialect_job_to_json wrote. What it waited for it waits for again, under the same numbers.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pushcore_dialect_job_from_json(
    json: View,
    out: *mut *mut DialectJob,
    error: *mut *mut ErrorObject,
) -> Status {
    entry!(error, {
        let job = Job::from_json(json.bytes("json")?)?;
        give(out, DialectJob { job })
    })
}

/// Writes the whole job as JSON, without a secret in it. PUSHCORE_ERROR_MISUSE for a request that brings credentials: its client has to
/// repeat it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pushcore_dialect_job_to_json(
    job: *const DialectJob,
    out: *mut *mut Bytes,
    error: *mut *mut ErrorObject,
) -> Status {
    entry!(error, {
        let json = borrow(job, "job")?.job.to_json()?;
        give(out, Bytes::new(json))
    })
}

/// Returns the name of the system; empty for NULL. The text is static.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pushcore_dialect_job_system(job: *const DialectJob) -> View {
    value!(View::EMPTY, {
        View::of(borrow(job, "job")?.job.system().as_str().as_bytes())
    })
}

/// Returns the operation of the routing table; empty where no route takes the request. The text is static.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pushcore_dialect_job_operation(job: *const DialectJob) -> View {
    value!(View::EMPTY, {
        View::of_text(borrow(job, "job")?.job.operation())
    })
}

/// Returns when the job began, in milliseconds since 1970; 0 for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pushcore_dialect_job_began_ms(job: *const DialectJob) -> u64 {
    value!(0, { borrow(job, "job")?.job.began().as_millis() })
}

/// Returns the number of steps that wait for an answer; 0 once there is a reply. All of them can be worked on at the same time; the next ones come
/// when all are answered.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pushcore_dialect_job_step_count(job: *const DialectJob) -> usize {
    value!(0, { borrow(job, "job")?.job.steps().len() })
}

/// Gives a copy of the step at a position, 0 to count - 1, to be freed. PUSHCORE_ERROR_MISUSE when there is none at `index`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pushcore_dialect_job_step_at(
    job: *const DialectJob,
    index: usize,
    out: *mut *mut DialectStep,
    error: *mut *mut ErrorObject,
) -> Status {
    entry!(error, {
        let job = borrow(job, "job")?;
        let step = job.job.steps().get(index).cloned();
        let step = step.ok_or_else(|| nothing_at("step"))?;
        give(out, DialectStep { step })
    })
}

/// Takes the answer to a step as JSON, in the form that docs/dialects.md says. After a refused answer the step waits on.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pushcore_dialect_job_answer(
    job: *mut DialectJob,
    id: u32,
    json: View,
    error: *mut *mut ErrorObject,
) -> Status {
    entry!(error, {
        let answer = json.bytes("json")?;
        Ok(borrow_mut(job, "job")?.job.answer(id, answer)?)
    })
}

/// Takes the result of a message: `outcome`, or `failure` for a message without an answer. Exactly one of the two is not NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pushcore_dialect_job_sent(
    job: *mut DialectJob,
    id: u32,
    outcome: *const Outcome,
    failure: *const ErrorObject,
    error: *mut *mut ErrorObject,
) -> Status {
    entry!(error, {
        let result: Result<Answer, Error> = match (outcome.is_null(), failure.is_null()) {
            (false, true) => Ok(borrow(outcome, "outcome")?.outcome.clone()),
            (true, false) => Err(borrow(failure, "failure")?.error()),
            _ => {
                let context = "exactly one of outcome and failure is wanted";
                return Err(Error::new(ErrorKind::Misuse, context).into());
            }
        };
        Ok(borrow_mut(job, "job")?.job.sent(id, result.as_ref())?)
    })
}

/// Takes note that nobody knows what became of a step that sends: the process that worked on it ended. Nothing is sent again by itself.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pushcore_dialect_job_unknown(
    job: *mut DialectJob,
    id: u32,
    error: *mut *mut ErrorObject,
) -> Status {
    entry!(error, { Ok(borrow_mut(job, "job")?.job.unknown(id)?) })
}

/// Gives the answer to the client, to be freed; NULL while steps wait.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pushcore_dialect_job_reply(
    job: *const DialectJob,
    out: *mut *mut DialectReply,
    error: *mut *mut ErrorObject,
) -> Status {
    entry!(error, {
        wanted(out, "the output")?;
        match borrow(job, "job")?.job.reply() {
            Some(reply) => give(out, DialectReply { reply: reply.clone() }),
            None => {
                write(out, std::ptr::null_mut());
                Ok(())
            }
        }
    })
}

/// Returns how many warnings there are of what the translation lost or changed, as far as it is known now; 0 for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pushcore_dialect_job_warning_count(job: *const DialectJob) -> usize {
    value!(0, { borrow(job, "job")?.job.warnings().len() })
}

/// Returns a warning by its position, 0 to count - 1; empty when there is none at `index`. Valid until the job is freed or changed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pushcore_dialect_job_warning_at(job: *const DialectJob, index: usize) -> View {
    value!(View::EMPTY, {
        let warnings = borrow(job, "job")?.lasting().job.warnings();
        View::of_text(warnings.get(index).map(String::as_str))
    })
}

/// Gives the job back.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pushcore_dialect_job_free(job: *mut DialectJob) {
    value!((), { free(job) });
}

/// Reads a step that pushcore_dialect_step_to_json wrote, in another process. Its answer goes to the job, wherever that is.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pushcore_dialect_step_from_json(
    json: View,
    out: *mut *mut DialectStep,
    error: *mut *mut ErrorObject,
) -> Status {
    entry!(error, {
        let step = Step::from_json(json.bytes("json")?)?;
        give(out, DialectStep { step })
    })
}

/// Writes the step as JSON: `{"id": 1, "step": "ask", "ask": "secret", ...}`. It may hold addresses and tokens.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pushcore_dialect_step_to_json(
    step: *const DialectStep,
    out: *mut *mut Bytes,
    error: *mut *mut ErrorObject,
) -> Status {
    entry!(error, {
        give(out, Bytes::new(borrow(step, "step")?.step.to_json()))
    })
}

/// Returns the number by which the answer goes in; 0 for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pushcore_dialect_step_id(step: *const DialectStep) -> u32 {
    value!(0, { borrow(step, "step")?.step.id() })
}

/// Returns a PUSHCORE_STEP_ constant; 0 for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pushcore_dialect_step_kind(step: *const DialectStep) -> u32 {
    value!(0, {
        match borrow(step, "step")?.step.action() {
            Action::Ask(_) => PUSHCORE_STEP_ASK,
            Action::Send(_) => PUSHCORE_STEP_SEND,
            Action::Broadcast(_) => PUSHCORE_STEP_BROADCAST,
            _ => 0,
        }
    })
}

/// Gives the message to send, complete with its target. PUSHCORE_ERROR_MISUSE for a step that is no PUSHCORE_STEP_SEND.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pushcore_dialect_step_message(
    step: *const DialectStep,
    out: *mut *mut Message,
    error: *mut *mut ErrorObject,
) -> Status {
    entry!(error, {
        let step = borrow(step, "step")?;
        let Action::Send(send) = step.step.action() else {
            return Err(Error::new(ErrorKind::Misuse, "the step sends no message").into());
        };
        let message = send.message.clone();
        give(out, Message { message })
    })
}

/// Gives the message of a broadcast to one of its targets. PUSHCORE_ERROR_MISUSE for a step that is no PUSHCORE_STEP_BROADCAST.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pushcore_dialect_step_message_to(
    step: *const DialectStep,
    target: *const Target,
    out: *mut *mut Message,
    error: *mut *mut ErrorObject,
) -> Status {
    entry!(error, {
        let (step, target) = (borrow(step, "step")?, borrow(target, "target")?);
        let Action::Broadcast(broadcast) = step.step.action() else {
            return Err(Error::new(ErrorKind::Misuse, "the step is no broadcast").into());
        };
        let message = broadcast.template.to(&target.target)?;
        give(out, Message { message })
    })
}

/// Gives the step back.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pushcore_dialect_step_free(step: *mut DialectStep) {
    value!((), { free(step) });
}

/// Returns the HTTP status; 0 for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pushcore_dialect_reply_status(reply: *const DialectReply) -> u16 {
    value!(0, { borrow(reply, "reply")?.reply.status() })
}

/// Returns the body; empty for NULL. The host adds content-length.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pushcore_dialect_reply_body(reply: *const DialectReply) -> View {
    value!(View::EMPTY, {
        View::of(borrow(reply, "reply")?.lasting().reply.body())
    })
}

/// Returns the number of headers; 0 for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pushcore_dialect_reply_header_count(reply: *const DialectReply) -> usize {
    value!(0, { borrow(reply, "reply")?.reply.headers().len() })
}

/// Writes a header by its position, 0 to count - 1. PUSHCORE_ERROR_MISUSE when there is none at `index`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pushcore_dialect_reply_header_at(
    reply: *const DialectReply,
    index: usize,
    name: *mut View,
    value: *mut View,
) -> Status {
    entry!(std::ptr::null_mut(), {
        let headers = borrow(reply, "reply")?.lasting().reply.headers();
        let (n, v) = headers.get(index).ok_or_else(|| nothing_at("header"))?;
        write(name, View::of(n.as_bytes()));
        write(value, View::of(v.as_bytes()));
        Ok(())
    })
}

/// Returns the number of idempotency keys; 0 where nothing is to be remembered. The host stores the reply under each of them before the
/// client gets it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pushcore_dialect_reply_remember_count(reply: *const DialectReply) -> usize {
    value!(0, { borrow(reply, "reply")?.reply.remember().len() })
}

/// Returns an idempotency key by its position, 0 to count - 1; empty when there is none at `index`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pushcore_dialect_reply_remember_at(
    reply: *const DialectReply,
    index: usize,
) -> View {
    value!(View::EMPTY, {
        let keys = borrow(reply, "reply")?.lasting().reply.remember();
        View::of_text(keys.get(index).map(String::as_str))
    })
}

/// Returns the time for which the reply is remembered, in seconds; 0 where nothing is to be remembered.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pushcore_dialect_reply_remember_s(reply: *const DialectReply) -> u64 {
    value!(0, { borrow(reply, "reply")?.reply.remember_seconds() })
}

/// Writes the reply as JSON: `{"reply": ...}` with it answers a claim later.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pushcore_dialect_reply_to_json(
    reply: *const DialectReply,
    out: *mut *mut Bytes,
    error: *mut *mut ErrorObject,
) -> Status {
    entry!(error, {
        give(out, Bytes::new(borrow(reply, "reply")?.reply.to_json()))
    })
}

/// Gives the reply back.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pushcore_dialect_reply_free(reply: *mut DialectReply) {
    value!((), { free(reply) });
}

/// Reads the filter of a Pushpad step, one JSON object with the members `uids` and `tags`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pushcore_dialect_selection_new(
    filter: View,
    out: *mut *mut DialectSelection,
    error: *mut *mut ErrorObject,
) -> Status {
    entry!(error, {
        let selection = dialect::Selection::from_json(filter.bytes("filter")?)?;
        give(out, DialectSelection { selection })
    })
}

/// Returns whether a subscription with this uid and these tags is selected. `uid` is empty for a subscription of nobody in particular. False for
/// NULL and for text that is not UTF-8.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pushcore_dialect_selection_selects(
    selection: *const DialectSelection,
    uid: View,
    tags: *const View,
    count: usize,
) -> bool {
    value!(false, {
        let selection = borrow(selection, "selection")?;
        let (uid, tags) = (uid.optional("uid")?, texts(tags, count, "tags")?);
        selection.selection.selects(uid, &tags)
    })
}

/// Gives the selection back.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pushcore_dialect_selection_free(selection: *mut DialectSelection) {
    value!((), { free(selection) });
}

/// Writes the SHA-256 of an API key or bearer token, as a job asks for it and a store keeps it: 64 lower-case hex digits.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pushcore_dialect_token_digest(
    key: View,
    out: *mut *mut Bytes,
    error: *mut *mut ErrorObject,
) -> Status {
    entry!(error, {
        give(out, Bytes::new(dialect::token_digest(key.text("key")?)))
    })
}

/// Writes the signature with which a page proves a user's id to Pushpad's part in the browser.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pushcore_dialect_pushpad_signature(
    token: View,
    uid: View,
    out: *mut *mut Bytes,
    error: *mut *mut ErrorObject,
) -> Status {
    entry!(error, {
        let signature = dialect::pushpad_signature(token.text("token")?, uid.text("uid")?);
        give(out, Bytes::new(signature))
    })
}
