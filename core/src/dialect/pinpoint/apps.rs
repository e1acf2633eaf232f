//! CreateApp, GetApp, GetApps, DeleteApp.

use serde_json::{Map, Value, json};

use super::fault::{Fault, reply, request_id};
use super::request::text;
use super::store::{body, found, page, time};
use crate::crypto;
use crate::dialect::ask::{Ask, Collection, Record, Write};
use crate::dialect::reply::Reply;
use crate::dialect::run::{Run, Stop};

pub(super) fn run(run: &mut Run<'_>) -> Result<Reply, Stop> {
    match run.operation() {
        "CreateApp" => create(run),
        "GetApps" => list(run),
        "DeleteApp" => {
            let id = run.id("application-id").to_owned();
            let app = record(run)?;
            run.ask(Ask::Delete {
                collection: Collection::Apps,
                scope: None,
                ids: vec![id.clone()],
            })?;
            Ok(reply(run, 200, &response(&id, &app)))
        }
        _ => {
            let app = record(run)?;
            Ok(reply(run, 200, &response(run.id("application-id"), &app)))
        }
    }
}

fn create(run: &mut Run<'_>) -> Result<Reply, Stop> {
    let request = body(run)?;
    let name = text(&request, "Name").map_err(|fault| fault.stop(run))?;
    let name = name.ok_or_else(|| Fault::bad("Name must be specified").stop(run))?;
    // An id as Pinpoint has them, 32 hex digits; of the request, so that it is the same each time that the job is run.
    let mut id = crypto::hex(&crypto::sha256(request_id(run).as_bytes()));
    id.truncate(32);
    let mut app = Map::new();
    app.insert("Name".into(), name.into());
    app.insert("CreationDate".into(), time(run.began).into());
    if let Some(tags) = request.get("tags").filter(|tags| tags.is_object()) {
        app.insert("tags".into(), tags.clone());
    }
    let app = Value::Object(app);
    run.ask(Ask::Put {
        collection: Collection::Apps,
        scope: None,
        write: Write::Create,
        records: vec![Record::new(Some(id.clone()), app.clone())],
    })?;
    Ok(reply(run, 201, &response(&id, &app)))
}

fn list(run: &mut Run<'_>) -> Result<Reply, Stop> {
    let (offset, limit) = page(run)?;
    let answer = run.ask(Ask::List {
        collection: Collection::Apps,
        scope: None,
        filter: json!({}),
        offset,
        limit: Some(limit),
    })?;
    let (items, next) = found(&answer, offset);
    let items: Vec<Value> = items.iter().map(|(id, app)| response(id, app)).collect();
    let mut body = Map::new();
    body.insert("Item".into(), items.into());
    if let Some(next) = next {
        body.insert("NextToken".into(), next.into());
    }
    Ok(reply(run, 200, &Value::Object(body)))
}

/// The app of the path, which is there: the caller was checked against it.
fn record(run: &mut Run<'_>) -> Result<Value, Stop> {
    let id = run.id("application-id").to_owned();
    let answer = run.ask(Ask::Get {
        collection: Collection::Apps,
        scope: None,
        ids: vec![id.clone()],
    })?;
    let app = answer.get(&id).cloned();
    app.ok_or_else(|| Fault::not_found("Resource not found").stop(run))
}

fn response(id: &str, app: &Value) -> Value {
    let mut map = Map::new();
    map.insert(
        "Arn".into(),
        format!("arn:aws:mobiletargeting:local:000000000000:apps/{id}").into(),
    );
    map.insert("Id".into(), id.into());
    map.insert("Name".into(), app.get("Name").cloned().unwrap_or_else(|| id.into()));
    for name in ["tags", "CreationDate"] {
        if let Some(value) = app.get(name) {
            map.insert(name.into(), value.clone());
        }
    }
    Value::Object(map)
}
