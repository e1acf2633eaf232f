//! Subscriptions: a browser, with its user's id and tags.

use serde_json::{Map, Value, json};

use super::super::ask::{Collection, Record, Write};
use super::super::reply::Reply;
use super::super::run::{Run, Stop};
use super::fields::Fields;
use super::selection::{Selection, texts};
use super::tags::is_tag;
use super::{Access, body, counted, date, delete_record, get_record, id, list_records, listed, page, project};
use super::{put_record, query_of, refused};
use crate::crypto::base64;

const MEMBERS: &[&str] = &[
    "project_id",
    "endpoint",
    "p256dh",
    "auth",
    "uid",
    "tags",
    "last_click_at",
    "created_at",
];

pub(super) fn list(run: &mut Run<'_>, access: &Access) -> Result<Reply, Stop> {
    project::of_path(run, access)?;
    let query = query_of(run);
    let values = |names: [&str; 2]| {
        let mut named = query.iter().filter(|(name, _)| names.contains(&name.as_str())).peekable();
        named.peek()?;
        Some(named.map(|(_, value)| value.clone()).collect::<Vec<_>>())
    };
    let filter = filter(values(["uids[]", "uids"]), values(["tags[]", "tags"]))?;
    let at = page(run, &query)?;
    let scope = run.id("project-id");
    let found = list_records(run, Collection::Subscriptions, Some(scope), filter, at)?;
    let items = found.items.iter().map(|(id, record)| object(id, record)).collect();
    match run.operation() {
        "CountSubscriptions" => Ok(counted(Reply::new(200, ""), found.total)),
        _ => Ok(listed(items, found.total)),
    }
}

pub(super) fn create(run: &mut Run<'_>, access: &Access) -> Result<Reply, Stop> {
    project::of_path(run, access)?;
    let body = body(run)?;
    let fields = Fields(&body);
    let endpoint = fields.required("endpoint")?;
    if !endpoint.starts_with("https://") {
        return Err(refused(422, "endpoint is not an https URL").into());
    }
    let (p256dh, auth) = (key::<65>(&fields, "p256dh")?, key::<16>(&fields, "auth")?);
    let scope = run.id("project-id");
    let mut record = changes(&body)?;
    record.entry("uid").or_insert(Value::Null);
    record.entry("tags").or_insert_with(|| json!([]));
    record.insert("project_id".into(), id(scope));
    for name in ["endpoint", "p256dh", "auth"] {
        record.insert(name.into(), body.get(name).cloned().unwrap_or_default());
    }
    record.insert("created_at".into(), date::write(run.began).into());
    record.insert("last_click_at".into(), Value::Null);
    let target = json!({"endpoint": endpoint, "keys": {"p256dh": p256dh, "auth": auth}});
    record.insert("target".into(), target.to_string().into());
    // A browser that comes again is the same browser: no user gets a notification twice.
    let same = json!({"endpoint": endpoint});
    let known = list_records(run, Collection::Subscriptions, Some(scope), same, (0, Some(1)))?;
    let (write, known) = match known.items.into_iter().next() {
        Some((id, old)) => {
            let created = old.get("created_at").cloned().unwrap_or_default();
            record.insert("created_at".into(), created);
            (Write::Replace, Some(id))
        }
        None => (Write::Create, None),
    };
    let made = Record::new(known, Value::Object(record.clone()));
    let id = put_record(run, Collection::Subscriptions, Some(scope), write, made)?;
    let id = id.ok_or_else(|| refused(500, "the subscription has no id"))?;
    Ok(Reply::json(201, &object(&id, &record)))
}

pub(super) fn get(run: &mut Run<'_>, access: &Access) -> Result<Reply, Stop> {
    project::of_path(run, access)?;
    let (scope, subscription) = (run.id("project-id"), run.id("subscription-id"));
    let record = get_record(run, Collection::Subscriptions, Some(scope), subscription)?;
    Ok(Reply::json(200, &object(subscription, &record)))
}

pub(super) fn update(run: &mut Run<'_>, access: &Access) -> Result<Reply, Stop> {
    project::of_path(run, access)?;
    let body = body(run)?;
    let mut changes = changes(&body)?;
    // Tags that are taken back are no tags; a uid that is taken back is nobody.
    if changes.get("tags") == Some(&Value::Null) {
        changes.insert("tags".into(), json!([]));
    }
    let (scope, subscription) = (run.id("project-id"), run.id("subscription-id"));
    let merged = Record::new(Some(subscription.to_owned()), Value::Object(changes));
    put_record(run, Collection::Subscriptions, Some(scope), Write::Merge, merged)?
        .ok_or_else(|| refused(404, "Not Found"))?;
    let record = get_record(run, Collection::Subscriptions, Some(scope), subscription)?;
    Ok(Reply::json(200, &object(subscription, &record)))
}

pub(super) fn delete(run: &mut Run<'_>, access: &Access) -> Result<Reply, Stop> {
    project::of_path(run, access)?;
    let (scope, subscription) = (run.id("project-id"), run.id("subscription-id"));
    delete_record(run, Collection::Subscriptions, Some(scope), subscription)?;
    Ok(Reply::new(204, ""))
}

/// Returns the filter of a request, after it was read once: what cannot be read is refused here and not in the store.
pub(super) fn filter(uids: Option<Vec<String>>, tags: Option<Vec<String>>) -> Result<Value, Reply> {
    let mut filter = Map::new();
    for (name, values) in [("uids", uids), ("tags", tags)] {
        if let Some(values) = values {
            filter.insert(name.into(), values.into());
        }
    }
    Selection::read(&filter).map_err(|error| refused(422, error.context()))?;
    Ok(Value::Object(filter))
}

/// Reads uid and tags; `null` stays, because it takes them back.
fn changes(body: &Map<String, Value>) -> Result<Map<String, Value>, Reply> {
    let mut changes = Map::new();
    match body.get("uid") {
        None => {}
        Some(Value::Number(number)) => {
            changes.insert("uid".into(), number.to_string().into());
        }
        Some(uid @ (Value::Null | Value::String(_))) => {
            changes.insert("uid".into(), uid.clone());
        }
        Some(_) => return Err(refused(422, "uid is not a text")),
    }
    if let Some(value) = body.get("tags") {
        let tags = texts(body, "tags").map_err(|error| refused(422, error.context()))?;
        for tag in tags.iter().flatten() {
            if tag.is_empty() || !tag.bytes().all(is_tag) {
                return Err(refused(
                    422,
                    "a tag is made of a-z, A-Z, 0-9, _, -, ., :, @ and #",
                ));
            }
        }
        let tags = tags.map_or_else(|| value.clone(), Value::from);
        changes.insert("tags".into(), tags);
    }
    Ok(changes)
}

/// Reads a key of a subscription; returns it in base64url, which every browser writes.
fn key<const N: usize>(fields: &Fields<'_>, name: &str) -> Result<String, Reply> {
    match base64::decode_array::<N>(fields.required(name)?) {
        Some(bytes) => Ok(base64::encode(&bytes)),
        None => Err(refused(422, format!("{name} is not base64 of {N} bytes"))),
    }
}

fn object(subscription: &str, record: &Map<String, Value>) -> Value {
    let mut object = Map::new();
    object.insert("id".into(), id(subscription));
    for name in MEMBERS {
        object.insert((*name).to_owned(), record.get(*name).cloned().unwrap_or_default());
    }
    Value::Object(object)
}
