//! Notifications: written down, sent by the host, read, cancelled.

use std::time::Duration;

use serde_json::{Map, Value, json};

use super::super::ask::{Collection, Record, Write};
use super::super::reply::Reply;
use super::super::run::{Run, Stop};
use super::super::send::{Broadcast, Channel};
use super::fields::Fields;
use super::selection::texts;
use super::{Access, body, date, get_record, id, id_text, list_records, listed, page, payload, project, put_record};
use super::{query_of, refused, subscription};
use crate::error::ErrorKind;
use crate::service::{Kind, Template};
use crate::time::UnixTime;

/// How far ahead a notification can be scheduled: "up to 5 days in advance" (Pushpad's documentation of `send_at`).
const FURTHEST: Duration = Duration::from_secs(5 * 86_400);
/// The time to live where neither the notification nor its project says one, in seconds: Pushpad's default of a week.
const TTL: u64 = 604_800;
/// The most metrics of a notification (Pushpad's documentation).
const METRICS: usize = 3;

const MEMBERS: &[&str] = &[
    "project_id",
    "title",
    "body",
    "target_url",
    "icon_url",
    "badge_url",
    "image_url",
    "ttl",
    "require_interaction",
    "silent",
    "urgent",
    "custom_data",
    "actions",
    "starred",
    "send_at",
    "custom_metrics",
    "uids",
    "tags",
    "created_at",
    "successfully_sent_count",
    "opened_count",
    "scheduled_count",
    "scheduled",
    "cancelled",
];

pub(super) fn create(run: &mut Run<'_>, access: &Access) -> Result<Reply, Stop> {
    let project = project::of_path(run, access)?;
    let body = body(run)?;
    // Clients before 2.0 put the notification into an object of its own and whom it is for beside that.
    let given = match Fields(&body).get("notification") {
        None => &body,
        Some(Value::Object(nested)) => nested,
        Some(_) => return Err(refused(400, "notification is not an object").into()),
    };
    let uids = texts(&body, "uids").map_err(|error| refused(422, error.context()))?;
    let tags = texts(&body, "tags").map_err(|error| refused(422, error.context()))?;
    let filter = subscription::filter(uids.clone(), tags.clone())?;
    let mut record = read(given, &project)?;
    let at = send_at(given, run.began)?;
    let urgent = record.get("urgent") == Some(&Value::Bool(true));
    let ttl = record.get("ttl").and_then(Value::as_u64).unwrap_or(TTL);
    let scope = run.id("project-id");
    // Tried with the longest id, so that what is too large is refused before anything is written down.
    template(&record, &json!(u64::MAX), ttl, urgent)?;
    record.insert("project_id".into(), id(scope));
    record.insert("send_at".into(), at.map_or(Value::Null, |at| date::write(at).into()));
    record.insert("scheduled".into(), at.is_some().into());
    record.insert("cancelled".into(), false.into());
    record.insert("created_at".into(), date::write(run.began).into());
    record.insert("uids".into(), uids.clone().map_or(Value::Null, Value::from));
    record.insert("tags".into(), tags.map_or(Value::Null, Value::from));
    let reached = match (&uids, at) {
        (Some(uids), None) if !uids.is_empty() => {
            let all = (0, None);
            let found = list_records(run, Collection::Subscriptions, Some(scope), filter.clone(), all)?;
            let there: Vec<_> = found.items.iter().filter_map(|(_, value)| value.get("uid")?.as_str()).collect();
            uids.iter().filter(|uid| there.contains(&uid.as_str())).cloned().collect()
        }
        _ => Vec::new(),
    };
    // The id stands in the payload, so it has to be there before the broadcast is.
    let made = Record::new(None, json!({"project_id": id(scope)}));
    let notification = put_record(run, Collection::Notifications, None, Write::Create, made)?;
    let notification = notification.ok_or_else(|| refused(500, "the notification has no id"))?;
    record.insert("id".into(), notification.as_str().into());
    let sender = project.get("sender_id").and_then(id_text).unwrap_or_default();
    let answer = run.broadcast(Broadcast {
        channel: Channel::new(Kind::WebPush, scope, &sender),
        template: template(&record, &id(&notification), ttl, urgent)?,
        collection: Collection::Subscriptions,
        filter,
        at,
        record: Value::Object(record),
    })?;
    let mut reply = Map::new();
    reply.insert("id".into(), id(&notification));
    match at {
        Some(at) => {
            reply.insert("send_at".into(), date::write(at).into());
        }
        None => {
            let count = answer.get("count").cloned().unwrap_or_default();
            reply.insert("scheduled".into(), count);
            if uids.is_some() {
                reply.insert("uids".into(), reached.into());
            }
        }
    }
    Ok(Reply::json(201, &Value::Object(reply)))
}

pub(super) fn list(run: &mut Run<'_>, access: &Access) -> Result<Reply, Stop> {
    project::of_path(run, access)?;
    let at = page(run, &query_of(run))?;
    let filter = json!({"project_id": id(run.id("project-id"))});
    let found = list_records(run, Collection::Notifications, None, filter, at)?;
    let items = found.items.iter().map(|(id, record)| object(id, record)).collect();
    Ok(listed(items, found.total))
}

pub(super) fn get(run: &mut Run<'_>, access: &Access) -> Result<Reply, Stop> {
    let record = of_path(run, access)?;
    Ok(Reply::json(200, &object(run.id("notification-id"), &record)))
}

pub(super) fn cancel(run: &mut Run<'_>, access: &Access) -> Result<Reply, Stop> {
    let record = of_path(run, access)?;
    if record.get("send_at").is_none_or(Value::is_null) {
        return Err(refused(422, "the notification is not scheduled").into());
    }
    // A notification that was cancelled, or sent, is cancelled again without a fault: clients repeat themselves.
    let notification = run.id("notification-id").to_owned();
    let merged = Record::new(Some(notification), json!({"cancelled": true}));
    put_record(run, Collection::Notifications, None, Write::Merge, merged)?;
    Ok(Reply::new(204, ""))
}

/// Returns the notification of a path, if its project is the caller's.
fn of_path(run: &mut Run<'_>, access: &Access) -> Result<Map<String, Value>, Stop> {
    let notification = run.id("notification-id");
    let record = get_record(run, Collection::Notifications, None, notification)?;
    let project = record.get("project_id").and_then(id_text).unwrap_or_default();
    access.check(&project)?;
    Ok(record)
}

/// Reads what a body says of a notification; the project says the rest.
fn read(given: &Map<String, Value>, project: &Map<String, Value>) -> Result<Map<String, Value>, Reply> {
    let fields = Fields(given);
    let mut record = Map::new();
    record.insert("body".into(), fields.required("body")?.into());
    for (name, default) in [
        ("title", "name"),
        ("target_url", "website"),
        ("icon_url", "icon_url"),
        ("badge_url", "badge_url"),
        ("image_url", ""),
        ("custom_data", ""),
    ] {
        let own = fields.text(name)?.map(Value::from);
        let value = own.or_else(|| project.get(default).filter(|value| value.is_string()).cloned());
        record.insert(name.into(), value.unwrap_or_default());
    }
    for (name, default) in [
        ("require_interaction", "notifications_require_interaction"),
        ("silent", "notifications_silent"),
        ("urgent", ""),
        ("starred", ""),
    ] {
        let default = || project.get(default).and_then(Value::as_bool).unwrap_or_default();
        record.insert(name.into(), fields.flag(name)?.unwrap_or_else(default).into());
    }
    let ttl = fields.number("ttl")?;
    let ttl = ttl.or_else(|| project.get("notifications_ttl").and_then(Value::as_u64));
    record.insert("ttl".into(), ttl.unwrap_or(TTL).into());
    record.insert("actions".into(), actions(&fields)?);
    let metrics = texts(given, "custom_metrics").map_err(|error| refused(422, error.context()))?;
    let metrics = metrics.unwrap_or_default();
    if metrics.len() > METRICS {
        return Err(refused(422, "custom_metrics has more than 3 metrics"));
    }
    record.insert("custom_metrics".into(), metrics.into());
    Ok(record)
}

fn actions(fields: &Fields<'_>) -> Result<Value, Reply> {
    let given = match fields.get("actions") {
        None => return Ok(json!([])),
        Some(Value::Array(given)) => given,
        Some(_) => return Err(refused(422, "actions is not a list")),
    };
    let mut actions = Vec::new();
    for action in given {
        let Value::Object(action) = action else {
            return Err(refused(422, "an action is not an object"));
        };
        let fields = Fields(action);
        if fields.text("title")?.is_none_or(str::is_empty) {
            return Err(refused(422, "an action has no title"));
        }
        let mut read = Map::new();
        for name in ["title", "target_url", "icon", "action"] {
            read.insert(name.into(), fields.text(name)?.map_or(Value::Null, Value::from));
        }
        actions.push(Value::Object(read));
    }
    Ok(Value::Array(actions))
}

/// Reads when a notification is due. A time in the past is now, but still a scheduled notification, which can be cancelled.
fn send_at(given: &Map<String, Value>, now: UnixTime) -> Result<Option<UnixTime>, Reply> {
    let Some(text) = Fields(given).text("send_at")? else {
        return Ok(None);
    };
    let at = date::read(text).ok_or_else(|| refused(422, "send_at is not a time of ISO 8601"))?;
    match at.saturating_since(now) > FURTHEST {
        true => Err(refused(422, "send_at is more than 5 days ahead")),
        false => Ok(Some(at)),
    }
}

fn template(record: &Map<String, Value>, id: &Value, ttl: u64, urgent: bool) -> Result<Template, Reply> {
    let urgency = if urgent { "high" } else { "normal" };
    let payload = payload::write(record, id);
    let form = json!({"payload_json": payload, "ttl": ttl, "urgency": urgency});
    Template::from_json(Kind::WebPush, form.to_string().as_bytes()).map_err(|error| match error.kind() {
        ErrorKind::PayloadTooLarge => refused(422, "the notification is larger than 3993 bytes"),
        _ => refused(422, error.context()),
    })
}

fn object(notification: &str, record: &Map<String, Value>) -> Value {
    let mut object = Map::new();
    object.insert("id".into(), id(notification));
    for name in MEMBERS {
        let value = record.get(*name).cloned().unwrap_or_default();
        // What the host has not counted yet is nothing so far.
        let value = match value {
            Value::Null if name.ends_with("_count") => 0.into(),
            value => value,
        };
        object.insert((*name).to_owned(), value);
    }
    Value::Object(object)
}
