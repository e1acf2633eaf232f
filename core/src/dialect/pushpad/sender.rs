//! Senders: the VAPID key pair that a project's subscriptions were made with.

use serde_json::{Map, Value, json};

use super::super::ask::{Collection, Record, Write};
use super::super::reply::Reply;
use super::super::run::{Run, Stop};
use super::fields::Fields;
use super::{Access, body, date, delete_record, get_record, id, list_records, listed, page, put_record, query_of};
use super::refused;
use crate::crypto::{Es256Key, Es256PublicKey};

const MEMBERS: &[&str] = &["name", "vapid_private_key", "vapid_public_key", "created_at"];

pub(super) fn list(run: &mut Run<'_>, access: &Access) -> Result<Reply, Stop> {
    access.everything()?;
    let at = page(run, &query_of(run))?;
    let found = list_records(run, Collection::Senders, None, json!({}), at)?;
    let items = found.items.iter().map(|(id, record)| object(id, record)).collect();
    Ok(listed(items, found.total))
}

pub(super) fn create(run: &mut Run<'_>, access: &Access) -> Result<Reply, Stop> {
    access.everything()?;
    let body = body(run)?;
    let fields = Fields(&body);
    let name = fields.required("name")?;
    let pair = match fields.text("vapid_private_key")? {
        None => Es256Key::generate().map_err(|error| refused(500, error.context()))?,
        Some(text) => Es256Key::read(text.as_bytes())
            .map_err(|error| refused(422, format!("vapid_private_key: {}", error.context())))?,
    };
    if let Some(public) = fields.text("vapid_public_key")? {
        let fits = Es256PublicKey::read(public.as_bytes()).is_ok_and(|public| public == *pair.public_key());
        if !fits {
            return Err(refused(422, "vapid_public_key is not of vapid_private_key").into());
        }
    }
    let record = json!({
        "name": name,
        "vapid_private_key": pair.to_sec1_pem().expose_secret(),
        "vapid_public_key": pair.public_key().to_pem(),
        "created_at": date::write(run.began),
    });
    let id = put_record(run, Collection::Senders, None, Write::Create, Record::new(None, record))?;
    let id = id.ok_or_else(|| refused(500, "the sender has no id"))?;
    // Read back, because this pass made another key than the one that was written.
    let record = get_record(run, Collection::Senders, None, &id)?;
    Ok(Reply::json(201, &object(&id, &record)))
}

pub(super) fn get(run: &mut Run<'_>, access: &Access) -> Result<Reply, Stop> {
    access.everything()?;
    let sender = run.id("sender-id");
    let record = get_record(run, Collection::Senders, None, sender)?;
    Ok(Reply::json(200, &object(sender, &record)))
}

pub(super) fn update(run: &mut Run<'_>, access: &Access) -> Result<Reply, Stop> {
    access.everything()?;
    let body = body(run)?;
    let sender = run.id("sender-id");
    // The keys stay: every subscription was made with them, and is dead without them.
    for name in ["vapid_private_key", "vapid_public_key"] {
        if Fields(&body).get(name).is_some() {
            return Err(refused(422, format!("{name} cannot be changed")).into());
        }
    }
    let mut changes = Map::new();
    if let Some(name) = Fields(&body).text("name")? {
        changes.insert("name".into(), name.into());
    }
    let merged = Record::new(Some(sender.to_owned()), Value::Object(changes));
    put_record(run, Collection::Senders, None, Write::Merge, merged)?
        .ok_or_else(|| refused(404, "Not Found"))?;
    let record = get_record(run, Collection::Senders, None, sender)?;
    Ok(Reply::json(200, &object(sender, &record)))
}

pub(super) fn delete(run: &mut Run<'_>, access: &Access) -> Result<Reply, Stop> {
    access.everything()?;
    delete_record(run, Collection::Senders, None, run.id("sender-id"))?;
    Ok(Reply::new(204, ""))
}

fn object(sender: &str, record: &Map<String, Value>) -> Value {
    let mut object = Map::new();
    object.insert("id".into(), id(sender));
    for name in MEMBERS {
        object.insert((*name).to_owned(), record.get(*name).cloned().unwrap_or_default());
    }
    Value::Object(object)
}
