//! What became of a push.

use serde_json::{Map, Value, json};

use super::super::ask::{Ask, Collection};
use super::super::reply::Reply;
use super::super::run::{Run, Stop};
use super::super::sent::Sent;
use super::message::Platform;
use super::refused;
use crate::outcome::OutcomeKind;

pub(super) fn get(run: &mut Run<'_>, app: &str) -> Result<Reply, Stop> {
    let id = run.id("message-id");
    let answer = run.ask(Ask::Get {
        collection: Collection::Notifications,
        scope: Some(app.to_owned()),
        ids: vec![id.to_owned()],
    })?;
    match answer.get(id) {
        Some(record @ Value::Object(_)) => Ok(Reply::json(200, record)),
        _ => Err(refused(404, "Not Found").into()),
    }
}

/// What is known before anything was sent.
pub(super) fn queued(app: &str) -> Value {
    json!({"status": "Queued", "errors": [], "app_id": app, "ios": platform(0, ""), "android": platform(0, "")})
}

/// What is known of every token.
pub(super) fn ended(app: &str, results: &[(Platform, &str, Option<&Sent>)]) -> Value {
    let mut record = queued(app);
    let (mut errors, mut sent_to_any) = (Vec::new(), results.is_empty());
    for (name, which) in [("ios", Platform::Ios), ("android", Platform::Android)] {
        let (mut sent, mut why) = (0_u64, String::new());
        for (_, token, result) in results.iter().filter(|(platform, ..)| *platform == which) {
            let Some(result) = result else { continue };
            if result.kind() == Some(OutcomeKind::Accepted) {
                sent += 1;
                continue;
            }
            let word = reason(result);
            errors.push(json!({"token": token, "platform": name, "error": word}));
            if why.is_empty() {
                why = word;
            }
        }
        sent_to_any |= sent > 0;
        if let Value::Object(record) = &mut record {
            record.insert(name.to_owned(), platform(sent, &why));
        }
    }
    // A development token is nobody's device: the push ends with being written down.
    sent_to_any |= results.iter().any(|(platform, ..)| *platform == Platform::Development);
    if let Value::Object(record) = &mut record {
        record.insert("status".into(), if sent_to_any { "Sent" } else { "Failed" }.into());
        record.insert("errors".into(), errors.into());
    }
    record
}

/// The service's own word, by which clients find dead tokens.
fn reason(result: &Sent) -> String {
    let own = result.reason.clone().or_else(|| result.text.clone());
    own.unwrap_or_else(|| result.outcome.clone())
}

fn platform(sent: u64, why: &str) -> Value {
    let mut map = Map::new();
    map.insert("success".into(), (sent > 0).into());
    map.insert("failure_reason".into(), why.into());
    map.insert("sent".into(), sent.into());
    Value::Object(map)
}
