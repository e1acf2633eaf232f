//! CreatePushTemplate, UpdatePushTemplate, GetPushTemplate, DeletePushTemplate.
//!
//! A template is kept under `name/push`, its active version, and under `name/push/2` and the like.

use serde_json::{Map, Value};

use super::fault::{Fault, reply};
use super::request::Messages;
use super::store::{accepted, body, query, time};
use crate::dialect::ask::{Ask, Collection, Record, Write};
use crate::dialect::reply::Reply;
use crate::dialect::run::{Run, Stop};

/// Returns the id of a template's record.
pub(super) fn id(name: &str, version: Option<&str>) -> String {
    match version {
        None => format!("{name}/push"),
        Some(version) => format!("{name}/push/{version}"),
    }
}

pub(super) fn run(run: &mut Run<'_>) -> Result<Reply, Stop> {
    let name = run.id("template-name").to_owned();
    let wanted = id(&name, query(run, "version").as_deref());
    let answer = run.ask(Ask::Get {
        collection: Collection::Templates,
        scope: None,
        ids: vec![wanted.clone()],
    })?;
    let before = answer.get(&wanted);
    match (run.operation(), before) {
        ("CreatePushTemplate", Some(_)) => {
            let text = format!("Template already exists: {name}");
            Err(Fault::new(409, "ConflictException", text).stop(run))
        }
        ("CreatePushTemplate", None) => {
            let template = checked(run)?;
            write(run, &name, template, 1, None)?;
            let mut message = accepted(run, "Created");
            if let Value::Object(message) = &mut message {
                message.insert("Arn".into(), arn(&name).into());
            }
            Ok(reply(run, 201, &message))
        }
        (_, None) => Err(Fault::not_found("Template not found").stop(run)),
        ("UpdatePushTemplate", Some(before)) => {
            let version = before.get("Version").and_then(Value::as_str);
            let version: u64 = version.and_then(|version| version.parse().ok()).unwrap_or(1);
            let new = query(run, "create-new-version").as_deref() == Some("true");
            let created = before.get("CreationDate").cloned();
            let template = checked(run)?;
            write(run, &name, template, version + u64::from(new), created)?;
            Ok(reply(run, 202, &accepted(run, "Accepted")))
        }
        ("DeletePushTemplate", Some(before)) => {
            let version = before.get("Version").and_then(Value::as_str).unwrap_or("1");
            let ids = match query(run, "version") {
                Some(_) => vec![wanted.clone()],
                None => vec![wanted.clone(), id(&name, Some(version))],
            };
            run.ask(Ask::Delete {
                collection: Collection::Templates,
                scope: None,
                ids,
            })?;
            Ok(reply(run, 202, &accepted(run, "Accepted")))
        }
        (_, Some(before)) => {
            let mut map = before.as_object().cloned().unwrap_or_default();
            map.insert("Arn".into(), arn(&name).into());
            map.insert("TemplateName".into(), name.into());
            map.insert("TemplateType".into(), "PUSH".into());
            Ok(reply(run, 200, &Value::Object(map)))
        }
    }
}

fn checked(run: &Run<'_>) -> Result<Map<String, Value>, Stop> {
    let value = body(run)?;
    Messages::template(&value).map_err(|fault| fault.stop(run))?;
    Ok(value.as_object().cloned().unwrap_or_default())
}

fn write(
    run: &mut Run<'_>,
    name: &str,
    mut template: Map<String, Value>,
    version: u64,
    created: Option<Value>,
) -> Result<Value, Stop> {
    let now = time(run.began);
    let version = version.to_string();
    template.insert(
        "CreationDate".into(),
        created.unwrap_or_else(|| now.as_str().into()),
    );
    template.insert("LastModifiedDate".into(), now.into());
    template.insert("Version".into(), version.as_str().into());
    let template = Value::Object(template);
    run.ask(Ask::Put {
        collection: Collection::Templates,
        scope: None,
        write: Write::Replace,
        records: vec![
            Record::new(Some(id(name, None)), template.clone()),
            Record::new(Some(id(name, Some(&version))), template),
        ],
    })
}

fn arn(name: &str) -> String {
    format!("arn:aws:mobiletargeting:local:000000000000:templates/{name}/PUSH")
}
