//! Cozie: surveys on a watch. Its researchers' API, and what its app tells of itself.

mod notification;
mod registration;

use serde_json::{Map, Value, json};

use super::ask::Ask;
use super::caller::Caller;
use super::reply::Reply;
use super::route::{Route, Unrouted};
use super::run::{Run, Stop};
use crate::crypto;
use crate::error::{Error, ErrorKind};
use crate::http::{Incoming, Method};

// Secret, because the participant's password is in each body.
pub(super) const ROUTES: &[Route] = &[
    Route::new(Method::Post, "/prod/notification", "Notify").secret(),
    Route::new(Method::Post, "/prod/write", "Write").secret(),
    Route::new(Method::Post, "/cozie/register", "Register").secret(),
];

pub(super) fn check(options: &Map<String, Value>) -> Result<(), Error> {
    super::only(options, &["envelope", "onesignal_app_id"])?;
    super::flag(options, "envelope", false)?;
    match options.get("onesignal_app_id") {
        None | Some(Value::String(_)) => Ok(()),
        Some(_) => Err(Error::new(
            ErrorKind::InvalidValue,
            "the option onesignal_app_id is a text",
        )),
    }
}

pub(super) fn caller(incoming: &Incoming) -> Caller {
    match incoming.values("x-api-key").count() {
        0 => Caller::Unnamed,
        1 => match incoming.header("x-api-key") {
            None | Some("") => Caller::Unreadable {
                fault: "empty".to_owned(),
            },
            Some(key) => Caller::token(key),
        },
        _ => Caller::Unreadable {
            fault: "twice".to_owned(),
        },
    }
}

pub(super) fn run(run: &mut Run<'_>) -> Result<Reply, Stop> {
    let Caller::Token { sha256 } = run.caller else {
        return Err(forbidden().into());
    };
    let key = run.ask(Ask::Token {
        sha256: sha256.clone(),
    })?;
    if key.is_null() {
        return Err(forbidden().into());
    }
    let reply = match run.operation() {
        "Notify" => notification::notify(run, &key),
        "Write" => registration::rows(run, &key),
        _ => registration::register(run, &key),
    };
    match reply {
        Err(Stop::Reply(reply)) => Ok(enveloped(run, *reply)),
        Ok(reply) => Ok(enveloped(run, reply)),
        waiting => waiting,
    }
}

pub(super) fn unrouted(_run: &mut Run<'_>, _why: Unrouted) -> Reply {
    // What Amazon's API Gateway says of every path and method that it does not know.
    Reply::json(403, &json!({"message": "Missing Authentication Token"}))
}

fn forbidden() -> Reply {
    Reply::json(403, &json!({"message": "Forbidden"}))
}

/// Puts a reply into the envelope that Cozie's own function returns. Where Amazon's gateway hands that on as it is, the
/// status is 200 and the true one stands inside.
fn enveloped(run: &Run<'_>, reply: Reply) -> Reply {
    if !run.option("envelope", false) || reply.status() == 403 {
        return reply;
    }
    let body = String::from_utf8_lossy(reply.body()).into_owned();
    let headers = json!({"Content-Type": "application/json"});
    Reply::json(200, &json!({"headers": headers, "statusCode": reply.status(), "body": body}))
}

/// Refuses an experiment that is not the key's.
fn check_scope(key: &Value, experiment: &str) -> Result<(), Reply> {
    let scopes = key.get("scopes").and_then(Value::as_array);
    match scopes.is_none_or(|scopes| scopes.iter().any(|scope| scope == experiment)) {
        true => Ok(()),
        false => Err(forbidden()),
    }
}

/// A participant of an experiment, as every request names one.
struct Participant<'a> {
    experiment: &'a str,
    participant: &'a str,
    password: &'a str,
}

impl<'a> Participant<'a> {
    /// Reads a participant, with the words of Cozie's own function for what is missing, in its order.
    fn read(body: &'a Map<String, Value>) -> Result<Self, Reply> {
        let get = |name: &str, missing: &str| match body.get(name) {
            Some(Value::String(text)) => Ok(text.as_str()),
            None | Some(Value::Null) => Err(Reply::json(400, &missing.into())),
            // Cozie's own function ends with a fault on anything else.
            Some(_) => Err(Reply::json(400, &format!("{name} is not a string").into())),
        };
        Ok(Self {
            experiment: get("id_experiment", "Experiment ID is missing")?,
            participant: get("id_participant", "Participant ID is missing")?,
            password: get("id_password", "id_password is missing")?,
        })
    }

    /// Returns the id of the participant's record: without the password nobody finds it, and no store holds the password.
    fn id(&self) -> String {
        let text = format!("{}\0{}", self.participant, self.password);
        crypto::hex(&crypto::sha256(text.as_bytes()))
    }
}
