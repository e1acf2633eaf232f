//! What became of a push.

use serde_json::{Map, Value, json};

use super::super::ask::{Ask, Collection};
use super::super::reply::Reply;
use super::super::run::{Run, Stop};
use super::super::sent::Sent;
use super::message::Platform;
use super::refused;
use crate::outcome::OutcomeKind;
use crate::time::UnixTime;

pub(super) fn get(run: &mut Run<'_>, app: &str) -> Result<Reply, Stop> {
    let id = run.id("message-id");
    let answer = run.ask(Ask::Get {
        collection: Collection::Notifications,
        scope: Some(app.to_owned()),
        ids: vec![id.to_owned()],
    })?;
    match answer.get(id) {
        Some(record @ Value::Object(_)) => Ok(Reply::json(200, &shown(app, record))),
        _ => Err(refused(404, "Not Found").into()),
    }
}

/// Returns what the client sees of a record. The host tells the ends of a push for later in the member `sent`.
fn shown(app: &str, record: &Value) -> Value {
    let Some(targets) = record.get("targets").and_then(Value::as_array) else {
        return record.clone();
    };
    let sent = record.get("sent").cloned().unwrap_or_default();
    let ends: Vec<End> = targets
        .iter()
        .filter_map(|target| End::read(target, &sent))
        .collect();
    let mut shown = ended(app, &ends);
    if let (Value::Object(shown), Some(at)) = (&mut shown, record.get("scheduled")) {
        shown.insert("scheduled".into(), at.clone());
    }
    shown
}

/// What became of a push to one token.
pub(super) struct End {
    platform: String,
    token: String,
    /// The result; `None` for a push that waits, and for a token that is nobody's.
    sent: Option<Sent>,
}

impl End {
    /// A push that is not sent yet.
    pub(super) fn planned(platform: Platform, token: &str) -> Self {
        Self {
            platform: platform.as_str().to_owned(),
            token: token.to_owned(),
            sent: None,
        }
    }

    pub(super) fn new(platform: Platform, token: &str, sent: Sent) -> Self {
        let is_known = platform != Platform::Development && !sent.is_scheduled();
        Self {
            sent: is_known.then_some(sent),
            ..Self::planned(platform, token)
        }
    }

    /// A push that a record keeps, with the end that was known when the record was written or, among `sent`, is known now.
    fn read(target: &Value, sent: &Value) -> Option<Self> {
        let text = |name: &str| target.get(name).and_then(Value::as_str);
        let token = text("token")?;
        let known = target.get("end").filter(|end| !end.is_null()).or_else(|| sent.get(token));
        Some(Self {
            platform: text("platform")?.to_owned(),
            token: token.to_owned(),
            sent: known.and_then(|end| serde_json::from_value(end.clone()).ok()),
        })
    }

    /// Returns whether the push is still to be sent. A token that Ionic's client made up is nobody's device.
    fn waits(&self) -> bool {
        self.sent.is_none() && self.platform != Platform::Development.as_str()
    }
}

/// What is known before anything was sent.
pub(super) fn queued(app: &str) -> Value {
    json!({"status": "Queued", "errors": [], "app_id": app, "ios": platform(0, ""), "android": platform(0, "")})
}

/// What is kept of a push for later: its tokens, with the ends of those that cannot be sent to.
pub(super) fn later(app: &str, at: UnixTime, ends: &[End]) -> Value {
    let mut record = queued(app);
    let target = |end: &End| json!({"platform": end.platform, "token": end.token, "end": end.sent});
    if let Value::Object(record) = &mut record {
        record.insert("scheduled".into(), at.as_secs().into());
        record.insert("targets".into(), ends.iter().map(target).collect());
    }
    record
}

/// What is known of every token.
pub(super) fn ended(app: &str, ends: &[End]) -> Value {
    let mut record = queued(app);
    let (mut errors, mut sent_to_any) = (Vec::new(), ends.is_empty());
    for which in [Platform::Ios, Platform::Android] {
        let name = which.as_str();
        let (mut sent, mut why) = (0_u64, String::new());
        for end in ends.iter().filter(|end| end.platform == name) {
            let Some(result) = &end.sent else { continue };
            if result.kind() == Some(OutcomeKind::Accepted) {
                sent += 1;
                continue;
            }
            let word = reason(result);
            errors.push(json!({"token": end.token, "platform": name, "error": word}));
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
    sent_to_any |= ends
        .iter()
        .any(|end| end.platform == Platform::Development.as_str());
    let status = match (ends.iter().any(End::waits), sent_to_any) {
        (true, _) => "Queued",
        (false, true) => "Sent",
        (false, false) => "Failed",
    };
    if let Value::Object(record) = &mut record {
        record.insert("status".into(), status.into());
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
