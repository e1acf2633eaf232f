//! UpdateEndpoint, UpdateEndpointsBatch, GetEndpoint, DeleteEndpoint, GetUserEndpoints, DeleteUserEndpoints.
//!
//! AWS itself stopped serving these on 30 October 2026.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::fault::{Fault, reply};
use super::request::{CHANNEL_TYPES, short, text};
use super::store::{accepted, body, found, time};
use crate::dialect::ask::{Ask, Collection, Record, Write};
use crate::dialect::reply::Reply;
use crate::dialect::run::{Run, Stop};

/// The largest number of endpoints of one user, Pinpoint's own.
const MOST_OF_A_USER: usize = 15;

/// The largest number of endpoints of one batch, Pinpoint's own.
const MOST_OF_A_BATCH: usize = 100;

/// The members of `EndpointRequest`.
const FIELDS: &[&str] = &[
    "Address",
    "Attributes",
    "ChannelType",
    "Demographic",
    "EffectiveDate",
    "EndpointStatus",
    "Location",
    "Metrics",
    "OptOut",
    "RequestId",
    "User",
];

pub(super) fn run(run: &mut Run<'_>) -> Result<Reply, Stop> {
    let app = run.id("application-id").to_owned();
    match run.operation() {
        "UpdateEndpoint" => {
            let request = body(run)?;
            let id = run.id("endpoint-id").to_owned();
            update(run, app, vec![(id, request)])
        }
        "UpdateEndpointsBatch" => {
            let request = body(run)?;
            let items = items(&request).map_err(|fault| fault.stop(run))?;
            update(run, app, items)
        }
        "GetEndpoint" => {
            let (id, value) = one(run)?;
            Ok(reply(run, 200, &response(&app, &id, &value)))
        }
        "DeleteEndpoint" => {
            let (id, value) = one(run)?;
            delete(run, &app, vec![id.clone()])?;
            Ok(reply(run, 202, &response(&app, &id, &value)))
        }
        operation => {
            let user = run.id("user-id").to_owned();
            let (found, _) = found(&of_users(run, &app, vec![user])?, 0);
            if found.is_empty() {
                return Err(Fault::not_found("Resource not found").stop(run));
            }
            let items: Vec<Value> = found
                .iter()
                .map(|(id, value)| response(&app, id, value))
                .collect();
            let status = match operation {
                "DeleteUserEndpoints" => {
                    delete(run, &app, found.into_iter().map(|(id, _)| id).collect())?;
                    202
                }
                _ => 200,
            };
            Ok(reply(run, status, &json!({"Item": items})))
        }
    }
}

/// Reads `EndpointBatchRequest`.
fn items(request: &Value) -> Result<Vec<(String, Value)>, Fault> {
    let items = request.get("Item").and_then(Value::as_array);
    let items = items.ok_or_else(|| Fault::bad("Item must be specified"))?;
    if items.len() > MOST_OF_A_BATCH {
        return Err(Fault::bad(format!(
            "The number of endpoints exceeds the limit of {MOST_OF_A_BATCH}"
        )));
    }
    let item = |item: &Value| {
        let id = text(item, "Id")?.ok_or_else(|| Fault::bad("Id of an endpoint must be specified"))?;
        let map = item.as_object().into_iter().flatten();
        let rest = map.filter(|(name, value)| *name != "Id" && !value.is_null());
        let rest = rest.map(|(name, value)| (name.clone(), value.clone()));
        Ok((id, Value::Object(rest.collect())))
    };
    items.iter().map(item).collect()
}

fn update(run: &mut Run<'_>, app: String, requests: Vec<(String, Value)>) -> Result<Reply, Stop> {
    let ids: Vec<String> = requests.iter().map(|(id, _)| id.clone()).collect();
    let known = run.ask(Ask::Get {
        collection: Collection::Endpoints,
        scope: Some(app.clone()),
        ids,
    })?;
    let now = time(run.began);
    let mut records = Vec::new();
    // New endpoints by their user, because a user has 15 at most.
    let mut joining: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (id, request) in requests {
        let before = known.get(&id);
        let mut value = checked(run, &request, before.is_some()).map_err(|fault| fault.stop(run))?;
        let user = request.pointer("/User/UserId").and_then(Value::as_str);
        if let Some(user) = user {
            joining.entry(user.to_owned()).or_default().push(id.clone());
        }
        value
            .entry("EffectiveDate")
            .or_insert_with(|| now.as_str().into());
        if before.is_none() {
            value.insert("CreationDate".into(), now.as_str().into());
        }
        records.push(Record::new(Some(id), Value::Object(value)));
    }
    if !joining.is_empty() {
        let users = joining.keys().cloned().collect();
        let (there, _) = found(&of_users(run, &app, users)?, 0);
        for (user, new) in joining {
            let others = there.iter().filter(|(id, value)| {
                let of = value.pointer("/User/UserId").and_then(Value::as_str);
                of == Some(user.as_str()) && !new.contains(id)
            });
            if others.count() + new.len() > MOST_OF_A_USER {
                let text = format!("Exceeded maximum endpoint per user count {MOST_OF_A_USER}");
                return Err(Fault::bad(text).stop(run));
            }
        }
    }
    run.ask(Ask::Put {
        collection: Collection::Endpoints,
        scope: Some(app),
        write: Write::Upsert,
        records,
    })?;
    Ok(reply(run, 202, &accepted(run, "Accepted")))
}

/// The members that the model has, checked as far as a push depends on them.
fn checked(run: &mut Run<'_>, request: &Value, known: bool) -> Result<Map<String, Value>, Fault> {
    let mut value = Map::new();
    for (name, member) in request.as_object().into_iter().flatten() {
        match FIELDS.contains(&name.as_str()) {
            true => drop(value.insert(name.clone(), member.clone())),
            false => run.warn(format!("{} is no member that is known: nothing is done with it", short(name))),
        }
    }
    let channel = text(request, "ChannelType")?;
    if channel.as_ref().is_some_and(|channel| !CHANNEL_TYPES.contains(&channel.as_str())) {
        return Err(Fault::bad(format!(
            "ChannelType must be one of {}",
            CHANNEL_TYPES.join(", ")
        )));
    }
    for (name, words) in [("OptOut", ["ALL", "NONE"]), ("EndpointStatus", ["ACTIVE", "INACTIVE"])] {
        if text(request, name)?.is_some_and(|word| !words.contains(&word.as_str())) {
            return Err(Fault::bad(format!("{name} must be {} or {}", words[0], words[1])));
        }
    }
    let address = text(request, "Address")?;
    if !known && (channel.is_none() || address.is_none()) {
        return Err(Fault::bad("Address and ChannelType of a new endpoint must be specified"));
    }
    Ok(value)
}

fn one(run: &mut Run<'_>) -> Result<(String, Value), Stop> {
    let id = run.id("endpoint-id").to_owned();
    let answer = run.ask(Ask::Get {
        collection: Collection::Endpoints,
        scope: Some(run.id("application-id").to_owned()),
        ids: vec![id.clone()],
    })?;
    match answer.get(&id) {
        Some(value) => Ok((id, value.clone())),
        None => Err(Fault::not_found("Resource not found").stop(run)),
    }
}

fn of_users(run: &mut Run<'_>, app: &str, users: Vec<String>) -> Result<Value, Stop> {
    run.ask(Ask::List {
        collection: Collection::Endpoints,
        scope: Some(app.to_owned()),
        filter: json!({"users": users}),
        offset: 0,
        limit: None,
    })
}

fn delete(run: &mut Run<'_>, app: &str, ids: Vec<String>) -> Result<Value, Stop> {
    run.ask(Ask::Delete {
        collection: Collection::Endpoints,
        scope: Some(app.to_owned()),
        ids,
    })
}

/// `EndpointResponse`
fn response(app: &str, id: &str, value: &Value) -> Value {
    let mut map = Map::new();
    map.insert("ApplicationId".into(), app.into());
    map.insert("EndpointStatus".into(), "ACTIVE".into());
    map.insert("Id".into(), id.into());
    map.insert("OptOut".into(), "NONE".into());
    for (name, member) in value.as_object().into_iter().flatten() {
        if FIELDS.contains(&name.as_str()) || name == "CreationDate" {
            map.insert(name.clone(), member.clone());
        }
    }
    Value::Object(map)
}
