//! Sending, and the answers of the legacy API.

use serde_json::{Map, Value, json};

use super::super::ask::Ask;
use super::super::caller::Caller;
use super::super::reply::Reply;
use super::super::run::{Item, Run, Stop};
use super::super::send::{Channel, Send};
use super::super::sent::Sent;
use super::message::{self, Made};
use super::request::{Request, To};
use super::text;
use crate::crypto;
use crate::error::ErrorKind;
use crate::outcome::OutcomeKind;
use crate::service::{Kind, Message};

pub(super) fn send(run: &mut Run<'_>) -> Result<Reply, Stop> {
    let project = project(run)?;
    let request = Request::read(run)?;
    let mut warnings = Vec::new();
    let made = message::make(&request.body, run.began, &mut warnings);
    for warning in warnings {
        run.warn(warning);
    }
    let targets: Vec<(&str, String)> = match &request.to {
        To::Tokens(tokens) => tokens.iter().map(|token| ("token", token.clone())).collect(),
        To::Topic(topic) => vec![("topic", topic.clone())],
        To::Condition(condition) => vec![("condition", condition.clone())],
    };
    let results = run.send(|_| {
        let item = |(field, target): &(&str, String)| match &made {
            Err(word) => known(word),
            Ok(_) if target.is_empty() => known("MissingRegistration"),
            Ok(made) => message_to(made, field, target, &project),
        };
        targets.iter().map(item).collect()
    })?;
    let is_test = made.is_ok_and(|made| made.validate_only);
    let results: Vec<Result<String, String>> =
        results.iter().map(|sent| result(sent, &request.to, is_test)).collect();
    Ok(match (&request.to, request.is_form) {
        (To::Tokens(_), true) => lines(&results),
        (To::Tokens(_), false) => many(run, &results),
        _ => one(run, &results),
    })
}

/// Returns the project that the server key is of.
fn project(run: &mut Run<'_>) -> Result<String, Stop> {
    // Google's own answer is a page of HTML, of which clients read the status alone.
    let unauthorized = || text(401, "INVALID_KEY");
    let Caller::Token { sha256 } = run.caller else {
        return Err(unauthorized().into());
    };
    let answer = run.ask(Ask::Token {
        sha256: sha256.clone(),
    })?;
    if answer.is_null() {
        return Err(unauthorized().into());
    }
    let scopes = answer.get("scopes").and_then(|scopes| scopes.get(0)?.as_str());
    Ok(scopes.unwrap_or_default().to_owned())
}

fn message_to(made: &Made, field: &str, target: &str, project: &str) -> Item {
    let mut message = made.message.clone();
    message.insert(field.to_owned(), target.into());
    let form = json!({"message": message, "validate_only": made.validate_only});
    match Message::from_json(Kind::Fcm, form.to_string().as_bytes()) {
        Ok(message) => {
            let channel = Channel::new(Kind::Fcm, project, "GCM");
            Item::Send(Box::new(Send::now(channel, target, None, message)))
        }
        Err(error) => known(match error.kind() {
            ErrorKind::PayloadTooLarge => "MessageTooBig",
            ErrorKind::ReservedKey => "InvalidDataKey",
            ErrorKind::InvalidToken | ErrorKind::InvalidTarget => "InvalidRegistration",
            _ => "InvalidParameters",
        }),
    }
}

/// A result that needs no service: the word of the legacy API.
fn known(word: &str) -> Item {
    Item::Known(Sent {
        outcome: "error".to_owned(),
        error: Some(ErrorKind::InvalidValue.code()),
        text: Some(word.to_owned()),
        ..Sent::default()
    })
}

/// Returns the id of the message, or the word of the legacy API for the refusal.
fn result(sent: &Sent, to: &To, is_test: bool) -> Result<String, String> {
    let is_topic = !matches!(to, To::Tokens(_));
    let word = match (sent.kind(), sent.reason.as_deref()) {
        (Some(OutcomeKind::Accepted), _) if is_test => return Ok("fake_message_id".to_owned()),
        (Some(OutcomeKind::Accepted), _) => {
            let id = sent.id.as_deref().unwrap_or_default();
            return Ok(id.rsplit('/').next().unwrap_or_default().to_owned());
        }
        // What FCM v1 says of a registration that is gone, or never was.
        (_, Some("UNREGISTERED")) | (Some(OutcomeKind::TokenGone), _) => "NotRegistered",
        (_, Some("SENDER_ID_MISMATCH")) => "MismatchSenderId",
        (_, Some("QUOTA_EXCEEDED")) if is_topic => "TopicsMessageRateExceeded",
        (_, Some("QUOTA_EXCEEDED")) => "DeviceMessageRateExceeded",
        (_, Some("THIRD_PARTY_AUTH_ERROR")) => "InvalidApnsCredential",
        (_, Some("UNAVAILABLE")) | (Some(OutcomeKind::RetryLater), _) => "Unavailable",
        (Some(OutcomeKind::TokenMismatch), _) => "InvalidRegistration",
        (Some(OutcomeKind::Rejected), Some("INVALID_ARGUMENT")) => "InvalidParameters",
        (Some(_), _) => "InternalServerError",
        (None, _) => match sent.error_kind() {
            // A word of ours, from before anything was sent.
            Some(ErrorKind::InvalidValue) => sent.text.as_deref().unwrap_or("InvalidParameters"),
            Some(ErrorKind::NotSent | ErrorKind::Unknown | ErrorKind::Expired | ErrorKind::Cancelled) => "Unavailable",
            _ => "InternalServerError",
        },
    };
    Err(word.to_owned())
}

/// The answer to a request for devices.
fn many(run: &Run<'_>, results: &[Result<String, String>]) -> Reply {
    let success = results.iter().filter(|result| result.is_ok()).count();
    let list: Vec<Value> = results
        .iter()
        .map(|result| match result {
            Ok(id) => json!({"message_id": id}),
            Err(word) => json!({"error": word}),
        })
        .collect();
    let mut body = Map::new();
    body.insert("multicast_id".into(), number(run).into());
    body.insert("success".into(), success.into());
    body.insert("failure".into(), (results.len() - success).into());
    body.insert("canonical_ids".into(), 0.into());
    body.insert("results".into(), list.into());
    Reply::json(200, &Value::Object(body))
}

/// The answer to a request for topics: the id is a number.
fn one(run: &Run<'_>, results: &[Result<String, String>]) -> Reply {
    let body = match results.first() {
        Some(Ok(id)) => json!({"message_id": id.parse::<u64>().unwrap_or_else(|_| number(run))}),
        Some(Err(word)) => json!({"error": word}),
        None => json!({"error": "InternalServerError"}),
    };
    Reply::json(200, &body)
}

/// The answer to a form.
fn lines(results: &[Result<String, String>]) -> Reply {
    let line = match results.first() {
        Some(Ok(id)) => format!("id={id}"),
        Some(Err(word)) => format!("Error={word}"),
        None => "Error=InternalServerError".to_owned(),
    };
    text(200, line)
}

/// Returns a number that tells this request from others. It is made of the request itself, because a job that is read
/// back has to give the same answer, and fits into a double, which JavaScript reads it as.
fn number(run: &Run<'_>) -> u64 {
    let mut bytes = run.began.as_millis().to_be_bytes().to_vec();
    bytes.extend_from_slice(run.incoming.body());
    let digest = crypto::sha256(&bytes);
    let first = digest.iter().take(8).fold(0_u64, |number, byte| number << 8 | u64::from(*byte));
    (first >> 11).max(1)
}
