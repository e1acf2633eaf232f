//! Writes `docs/messages.md` and `docs/messages.schema.json` from the tables that the readers are made of.
//! `PUSHCORE_WRITE_DOCS=1 cargo test -p pushcore --lib service::tests::documents` writes them anew.

#![allow(clippy::disallowed_methods, reason = "a test may read files")]

use std::collections::BTreeSet;
use std::fmt::Write;

use serde_json::{Map, Value, json};

use crate::fcm::FORM as FCM_FORM;
use crate::json::form::{Form, Row, Table, anchor, reference};
use crate::service::Kind;
use crate::{adm, apns, baidu, webpush};

/// The tables of a service. The first ones are those of whole messages.
fn tables(kind: Kind) -> Vec<Table> {
    let mut tables = Vec::new();
    match kind {
        Kind::Adm => adm::form::MessageForm::tables(&mut tables),
        Kind::Apns => {
            apns::form::MessageForm::tables(&mut tables);
            apns::form::BroadcastForm::tables(&mut tables);
        }
        Kind::Baidu => baidu::form::MessageForm::tables(&mut tables),
        Kind::Fcm => {
            FCM_FORM(&mut tables);
            let message = tables.first_mut().unwrap();
            message.title = "FCM: message";
            let target = |name, about: &str| Row {
                name,
                about: about.to_owned(),
                kind: "string".to_owned(),
                default: "",
                limits: "",
                lands: "",
                schema: json!({"type": "string"}),
            };
            message.rows.splice(
                0..0,
                [
                    target(
                        "token",
                        "The registration token of a device: 1 to 4095 visible ASCII characters.",
                    ),
                    target(
                        "fid",
                        "The Firebase installation id of a device: 1 to 4095 visible ASCII characters.",
                    ),
                    target(
                        "topic",
                        "A topic, without `/topics/`: 1 to 900 of `a-z A-Z 0-9 - _ . ~ %`.",
                    ),
                    target("condition", "A condition on at most five topics."),
                ],
            );
        }
        Kind::WebPush => webpush::form::MessageForm::tables(&mut tables),
    }
    tables
}

/// The schema of whole messages to a service.
fn whole(kind: Kind) -> Value {
    match kind {
        Kind::Adm => reference("ADM: message"),
        Kind::Apns => json!({"anyOf": [reference("APNs: message"), reference("APNs: broadcast")]}),
        Kind::Baidu => reference("Baidu: message"),
        Kind::Fcm => {
            let message = reference("FCM: message");
            let request = json!({
                "type": "object",
                "properties": {
                    "message": message,
                    "validate_only": {"type": ["boolean", "null"]},
                    "validateOnly": {"type": ["boolean", "null"]},
                },
                "required": ["message"],
                "additionalProperties": false,
            });
            json!({"anyOf": [request, message]})
        }
        Kind::WebPush => reference("Web Push: message"),
    }
}

/// The same schema, which takes null too.
pub(crate) fn nullable(schema: &Value) -> Value {
    let mut schema = schema.clone();
    match &mut schema {
        Value::Bool(_) => {}
        Value::Object(map) => {
            if let Some(Value::String(name)) = map.get("type").cloned() {
                map.insert("type".to_owned(), json!([name, "null"]));
            } else if let Some(Value::Array(names)) = map.get_mut("type").or(None) {
                names.push("null".into());
            } else if let Some(Value::Array(words)) = map.get_mut("enum") {
                words.push(Value::Null);
            } else {
                return json!({"anyOf": [schema, {"type": "null"}]});
            }
        }
        other => panic!("{other}"),
    }
    schema
}

/// `snake_case` as `camelCase`.
fn camel(name: &str) -> String {
    let mut out = String::new();
    let mut upper = false;
    for c in name.chars() {
        match c {
            '_' => upper = true,
            c if upper => {
                out.push(c.to_ascii_uppercase());
                upper = false;
            }
            c => out.push(c),
        }
    }
    out
}

fn schema() -> Value {
    let mut defs = Map::new();
    for kind in Kind::ALL {
        defs.insert(kind.as_str().to_owned(), whole(*kind));
    }
    for kind in Kind::ALL {
        for table in tables(*kind) {
            let mut properties = Map::new();
            let mut required = Vec::new();
            for row in &table.rows {
                let mut schema = match row.default {
                    "required" => {
                        required.push(row.name);
                        row.schema.clone()
                    }
                    _ => nullable(&row.schema),
                };
                if let Value::Object(map) = &mut schema {
                    map.insert("description".to_owned(), row.about.as_str().into());
                }
                // proto3 JSON takes both spellings.
                if *kind == Kind::Fcm && camel(row.name) != row.name {
                    properties.insert(camel(row.name), schema.clone());
                }
                properties.insert(row.name.to_owned(), schema);
            }
            let mut object = json!({
                "type": "object",
                "title": table.title,
                "description": table.about,
                "properties": properties,
                "additionalProperties": false,
            });
            if !required.is_empty() {
                object["required"] = json!(required);
            }
            assert!(defs.insert(anchor(table.title), object).is_none());
        }
    }
    let any: Vec<Value> = Kind::ALL
        .iter()
        .map(|kind| json!({"$ref": format!("#/$defs/{kind}")}))
        .collect();
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Messages of pushcore",
        "description": "A message to a service: see $defs, which has one schema for each. Written from the readers' tables; docs/messages.md says more.",
        "anyOf": any,
        "$defs": defs,
    })
}

const HEAD: &str = "\
# Messages as JSON

`pushcore::service::Message::from_json(kind, text)` reads these forms, `to_json` writes them. Which service a form is for is
said beside it (`apns`, `fcm`, `web_push`, `adm`, `baidu`); which type within the service, its target says. A template
(`Template::from_json`) is the same without the target. `messages.schema.json` is the same as a JSON Schema (2020-12), with one
`$defs` entry for each service. Both are written from the tables that the reader is made of.

* A field that is not listed is refused with its path, at every level: `message.notifcation: unknown field`. What a
  service adds tomorrow goes into the object `extra`, where there is one: its members are merged into the object beside it.
* `null` is the same as leaving a field out.
* Integers are digits: no fraction, no exponent, nothing that would wrap.
* A document is UTF-8 without a byte order mark, has no key twice in an object, no number beyond a double's range, no lone
  surrogate, and at most 127 levels.
* *Kept byte for byte*: the text of the value, from its first to its last character, is sent as it was written: its spacing,
  escapes, key order and forms of numbers. White space around the value is not part of it. Where members of our own stand in
  the same object (`custom`, `extra`), that holds for each value, not for the commas between them; the keys are written anew.
* A document that is stored by a program that parses it (a JSON column of a database) is not the same text when it comes
  back. A string survives that, so `to_json` writes payloads as strings (`raw`, `msg`, `payload`).
* `to_json` writes the message as it is sent: a typed APNs payload comes back as `raw`, a bundle id as its `topic`.
* The text holds the target: a device token, or a subscription with its `auth` secret. Store it as you store those.
* An error's text is the path and a short reason, never a value.
";

fn about(kind: Kind) -> (&'static str, &'static str) {
    match kind {
        Kind::Adm => (
            "ADM",
            "Amazon Device Messaging. A `topic` or `group` makes a message to an audience.",
        ),
        Kind::Apns => (
            "APNs",
            "Apple Push Notification service. A `channel` makes a broadcast. The names are our own, in `snake_case`; Apple's stand in the last column.",
        ),
        Kind::Baidu => ("Baidu", "Baidu Cloud Push."),
        Kind::Fcm => (
            "FCM",
            "Firebase Cloud Messaging: Google's own JSON, `{\"message\": {...}, \"validate_only\": true}` or the message alone, in `snake_case` or `camelCase`. Exactly one of `token`, `fid`, `topic` and `condition`. Fields land under their own names; `extra` is merged object by object, and a field that is also set by its type is refused. Values of free objects (`apns.payload`, `webpush.notification`, `extra`) keep their order and their value, not their spelling: Google parses them in any case.",
        ),
        Kind::WebPush => (
            "Web Push",
            "Web Push (RFC 8030). Subscriptions are read under the endpoint policy that is the default, or under the one that is given to `from_json_under`.",
        ),
    }
}

fn page() -> String {
    let mut out = HEAD.to_owned();
    for kind in Kind::ALL {
        let (title, text) = about(*kind);
        write!(out, "\n## {title} (`{kind}`)\n\n{text}\n").unwrap();
        for table in tables(*kind) {
            write!(out, "\n### {}\n\n{}\n\n", table.title, one_line(&table.about)).unwrap();
            if *kind == Kind::Fcm {
                out.push_str("| field | type | what |\n|---|---|---|\n");
                for row in &table.rows {
                    writeln!(out, "| `{}` | {} | {} |", row.name, row.kind, cell(&row.about)).unwrap();
                }
                continue;
            }
            out.push_str(
                "| field | type | default | limits | where it lands | what |\n|---|---|---|---|---|---|\n",
            );
            for row in &table.rows {
                let (kind, about) = (&row.kind, cell(&row.about));
                let Row {
                    name,
                    default,
                    limits,
                    lands,
                    ..
                } = row;
                writeln!(
                    out,
                    "| `{name}` | {kind} | {default} | {limits} | {lands} | {about} |"
                )
                .unwrap();
            }
        }
    }
    out
}

/// A doc comment on one line, without links that only rustdoc follows.
pub(crate) fn one_line(text: &str) -> String {
    let text = text.lines().map(str::trim).collect::<Vec<_>>().join(" ");
    let mut out = String::new();
    let mut rest = text.as_str();
    while let Some((before, after)) = rest.split_once("](crate::") {
        let (head, label) = before.rsplit_once('[').unwrap();
        out.push_str(head);
        out.push_str(label);
        rest = after.split_once(')').unwrap().1;
    }
    out + rest
}

pub(crate) fn cell(text: &str) -> String {
    one_line(text).replace('|', "\\|")
}

#[test]
fn the_page_and_the_schema_are_current() {
    let docs = format!("{}/../docs/", env!("CARGO_MANIFEST_DIR"));
    let schema = serde_json::to_string_pretty(&schema()).unwrap() + "\n";
    for (name, text) in [("messages.md", page()), ("messages.schema.json", schema)] {
        let path = format!("{docs}{name}");
        if std::env::var_os("PUSHCORE_WRITE_DOCS").is_some() {
            std::fs::write(&path, &text).unwrap();
        }
        let found = std::fs::read_to_string(&path).unwrap_or_default();
        assert!(found == text, "docs/{name} is stale: see the head of this file");
    }
}

/// Marks the fields that a value uses.
fn mark(schema: &Value, defs: &Value, value: &Value, found: &mut BTreeSet<(String, String)>) {
    if let Some(name) = schema["$ref"]
        .as_str()
        .and_then(|text| text.strip_prefix("#/$defs/"))
    {
        let Value::Object(members) = value else { return };
        let def = &defs[name];
        if def["properties"].is_null() {
            return mark(def, defs, value, found);
        }
        for (key, value) in members {
            if let Some(schema) = def["properties"].get(key) {
                found.insert((name.to_owned(), key.clone()));
                mark(schema, defs, value, found);
            }
        }
    }
    for schema in schema["anyOf"].as_array().into_iter().flatten() {
        mark(schema, defs, value, found);
    }
    for item in value.as_array().into_iter().flatten() {
        mark(&schema["items"], defs, item, found);
    }
    for (key, value) in value.as_object().into_iter().flatten() {
        if let Some(schema) = schema["properties"].get(key) {
            mark(schema, defs, value, found);
        }
    }
}

#[test]
fn every_field_has_a_vector() {
    let schema = schema();
    let mut found = BTreeSet::new();
    for kind in Kind::ALL {
        let name = kind.as_str().replace('_', "");
        let path = format!("{}/../tests/vectors/{name}.json", env!("CARGO_MANIFEST_DIR"));
        let vectors: Value = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
        for row in ["encode", "broadcasts"]
            .iter()
            .flat_map(|name| vectors[name].as_array())
            .flatten()
        {
            if row.get("error").is_some() {
                continue;
            }
            let form = ["message", "broadcast", "json"]
                .iter()
                .find_map(|key| row.get(key))
                .unwrap();
            let form = match form {
                Value::String(text) => serde_json::from_str(text).unwrap(),
                other => other.clone(),
            };
            mark(&whole(*kind), &schema["$defs"], &form, &mut found);
        }
    }
    let mut missing = Vec::new();
    for table in Kind::ALL.iter().flat_map(|kind| tables(*kind)) {
        for row in &table.rows {
            let used = found.contains(&(anchor(table.title), row.name.to_owned()));
            // `extra` is the same code in every object of FCM's.
            let known = table.title.starts_with("FCM: ") && row.name == "extra";
            // A legacy encoding needs a feature, a certificate's topic a certificate.
            let elsewhere = matches!(row.name, "aesgcm" | "topic_of_certificate");
            if !used && !known && !elsewhere {
                missing.push(format!("{} {}", table.title, row.name));
            }
        }
    }
    assert!(missing.is_empty(), "no vector has {missing:#?}");
}
