//! Projects: a website, with what its notifications have where they say nothing else.

use serde_json::{Map, Value, json};

use super::super::ask::{Collection, Record, Write};
use super::super::reply::Reply;
use super::super::run::{Run, Stop};
use super::fields::Fields;
use super::{Access, body, date, delete_record, get_record, id, id_text, list_records, listed, page, put_record};
use super::{query_of, refused};

const MEMBERS: &[&str] = &[
    "sender_id",
    "name",
    "website",
    "icon_url",
    "badge_url",
    "notifications_ttl",
    "notifications_require_interaction",
    "notifications_silent",
    "created_at",
];

/// Returns the project of a path, if it is the caller's.
pub(super) fn of_path(run: &mut Run<'_>, access: &Access) -> Result<Map<String, Value>, Stop> {
    let project = run.id("project-id");
    access.check(project)?;
    get_record(run, Collection::Apps, None, project)
}

pub(super) fn list(run: &mut Run<'_>, access: &Access) -> Result<Reply, Stop> {
    // A token's own projects are few, so they are asked for by their ids.
    if let Some(projects) = &access.projects {
        let mut items = Vec::new();
        for project in projects {
            match get_record(run, Collection::Apps, None, project) {
                Ok(record) => items.push(object(project, &record)),
                Err(Stop::Wait) => return Err(Stop::Wait),
                // A scope of the token that is no project any more.
                Err(Stop::Reply(_)) => {}
            }
        }
        let total = items.len() as u64;
        return Ok(listed(items, total));
    }
    let at = page(run, &query_of(run))?;
    let found = list_records(run, Collection::Apps, None, json!({}), at)?;
    let items = found.items.iter().map(|(id, record)| object(id, record)).collect();
    Ok(listed(items, found.total))
}

pub(super) fn create(run: &mut Run<'_>, access: &Access) -> Result<Reply, Stop> {
    access.everything()?;
    let body = body(run)?;
    Fields(&body).required("name")?;
    Fields(&body).required("website")?;
    if Fields(&body).get("sender_id").is_none() {
        return Err(refused(400, "sender_id is missing").into());
    }
    let mut record = read(&body)?;
    check_sender(run, &record)?;
    record.insert("created_at".into(), date::write(run.began).into());
    let made = Record::new(None, Value::Object(record.clone()));
    let id = put_record(run, Collection::Apps, None, Write::Create, made)?;
    let id = id.ok_or_else(|| refused(500, "the project has no id"))?;
    Ok(Reply::json(201, &object(&id, &record)))
}

pub(super) fn get(run: &mut Run<'_>, access: &Access) -> Result<Reply, Stop> {
    let record = of_path(run, access)?;
    Ok(Reply::json(200, &object(run.id("project-id"), &record)))
}

pub(super) fn update(run: &mut Run<'_>, access: &Access) -> Result<Reply, Stop> {
    let mut record = of_path(run, access)?;
    let body = body(run)?;
    let changes = read(&body)?;
    check_sender(run, &changes)?;
    let project = run.id("project-id");
    let merged = Record::new(Some(project.to_owned()), Value::Object(changes.clone()));
    put_record(run, Collection::Apps, None, Write::Merge, merged)?
        .ok_or_else(|| refused(404, "Not Found"))?;
    record.extend(changes);
    Ok(Reply::json(200, &object(project, &record)))
}

pub(super) fn delete(run: &mut Run<'_>, access: &Access) -> Result<Reply, Stop> {
    let project = run.id("project-id");
    access.check(project)?;
    delete_record(run, Collection::Apps, None, project)?;
    // "202: the project will be deleted" (Pushpad's REST documentation): its subscriptions go after it.
    Ok(Reply::new(202, ""))
}

/// Reads what a body says of a project; `null` stays, because it takes a member back.
fn read(body: &Map<String, Value>) -> Result<Map<String, Value>, Reply> {
    let fields = Fields(body);
    for name in ["name", "website", "icon_url", "badge_url"] {
        fields.text(name)?;
    }
    for name in ["notifications_require_interaction", "notifications_silent"] {
        fields.flag(name)?;
    }
    fields.number("notifications_ttl")?;
    let mut record = Map::new();
    for name in MEMBERS.iter().filter(|name| **name != "created_at") {
        if let Some(value) = body.get(*name) {
            record.insert((*name).to_owned(), value.clone());
        }
    }
    Ok(record)
}

fn check_sender(run: &mut Run<'_>, record: &Map<String, Value>) -> Result<(), Stop> {
    let Some(sender) = record.get("sender_id").filter(|sender| !sender.is_null()) else {
        return Ok(());
    };
    let unknown = || refused(422, "sender_id is no sender");
    let sender = id_text(sender).ok_or_else(unknown)?;
    match get_record(run, Collection::Senders, None, &sender) {
        Err(Stop::Reply(_)) => Err(unknown().into()),
        Err(Stop::Wait) => Err(Stop::Wait),
        Ok(_) => Ok(()),
    }
}

fn object(project: &str, record: &Map<String, Value>) -> Value {
    let mut object = Map::new();
    object.insert("id".into(), id(project));
    for name in MEMBERS {
        object.insert((*name).to_owned(), record.get(*name).cloned().unwrap_or_default());
    }
    Value::Object(object)
}
