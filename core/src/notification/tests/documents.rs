//! Writes the tables of `docs/notification.md`, and `docs/notification.schema.json`, from what the code does.
//! `PUSHCORE_WRITE_DOCS=1 cargo test -p pushcore --lib notification::tests` writes them anew.

#![allow(clippy::disallowed_methods, reason = "a test may read files")]

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::time::Duration;

use serde_json::{Map, Value, json};

use crate::crypto::Es256Key;
use crate::json::form::{Form, Table, anchor, reference};
use crate::notification::form::{
    ActivityForm, AttemptsForm, ChangeForm, DeviceForm, NotificationForm, RetriesForm, StartForm,
};
use crate::notification::{Device, LossKind, Notification, message};
use crate::service::tests::documents::{cell, nullable, one_line};
use crate::service::{Message, Service};
use crate::time::{Now, UnixTime};
use crate::{apns, baidu, webpush};

const NOW: Now = Now::new(Duration::ZERO, UnixTime::from_secs(1_764_422_709));

/// The forms that the page describes, by the name under `$defs`.
fn forms() -> Vec<(&'static str, Value, Vec<Table>)> {
    fn of<T: Form>(name: &'static str) -> (&'static str, Value, Vec<Table>) {
        let mut tables = Vec::new();
        T::tables(&mut tables);
        (name, T::schema(), tables)
    }
    vec![
        of::<NotificationForm>("notification"),
        of::<DeviceForm>("device"),
        of::<RetriesForm>("retries"),
        of::<AttemptsForm>("attempts"),
        of::<ActivityForm>("activity"),
        of::<StartForm>("start"),
        of::<ChangeForm>("change"),
    ]
}

fn schema() -> String {
    let mut defs = Map::new();
    let mut any = Vec::new();
    for (name, schema, tables) in forms() {
        any.push(reference(name));
        for table in tables {
            let mut properties = Map::new();
            let mut required = Vec::new();
            for row in &table.rows {
                let mut schema = match row.default {
                    "required" => row.schema.clone(),
                    _ => nullable(&row.schema),
                };
                if row.default == "required" {
                    required.push(row.name);
                }
                if let Value::Object(map) = &mut schema {
                    map.insert("description".to_owned(), row.about.as_str().into());
                }
                properties.insert(row.name.to_owned(), schema);
            }
            let mut object = json!({
                "type": "object",
                "title": table.title,
                "description": one_line(&table.about),
                "properties": properties,
                "additionalProperties": false,
            });
            if !required.is_empty() {
                object["required"] = json!(required);
            }
            defs.insert(anchor(table.title), object);
        }
        if !defs.contains_key(name) {
            defs.insert(name.to_owned(), schema);
        }
    }
    let schema = json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Notifications of pushcore",
        "description": "A notification, a device, and the state of sending again: see $defs. Written from the readers' tables; docs/notification.md says more.",
        "anyOf": any,
        "$defs": defs,
    });
    serde_json::to_string_pretty(&schema).unwrap() + "\n"
}

fn form_tables() -> String {
    let mut out = String::new();
    for (_, _, tables) in forms() {
        for table in tables {
            write!(out, "\n### {}\n\n{}\n\n", table.title, one_line(&table.about)).unwrap();
            out.push_str("| field | type | default | limits | what |\n|---|---|---|---|---|\n");
            for row in &table.rows {
                let (name, kind, default, limits) = (row.name, &row.kind, row.default, row.limits);
                writeln!(
                    out,
                    "| `{name}` | {kind} | {default} | {limits} | {} |",
                    cell(&row.about)
                )
                .unwrap();
            }
        }
    }
    out + "\n"
}

/// One column of the table: a device of each form of message.
fn columns() -> Vec<(&'static str, Device)> {
    let subscription = webpush::ReceiverKeys::generate()
        .unwrap()
        .subscription_json("https://updates.push.services.mozilla.com/wpush/v2/abc");
    let subscription: Value = serde_json::from_str(&subscription).unwrap();
    [
        (
            "APNs",
            json!({"service": "apns", "app": "com.example.app", "token": "ab"}),
        ),
        (
            "FCM: Android",
            json!({"service": "fcm", "platform": "android", "token": "t"}),
        ),
        (
            "FCM: Apple",
            json!({"service": "fcm", "platform": "apple", "token": "t"}),
        ),
        (
            "FCM: web",
            json!({"service": "fcm", "platform": "web", "token": "t"}),
        ),
        (
            "Web Push",
            json!({"service": "web_push", "subscription": subscription}),
        ),
        ("ADM", json!({"service": "adm", "token": "t"})),
        ("Baidu", json!({"service": "baidu", "token": "1"})),
        (
            "Baidu: Apple",
            json!({"service": "baidu", "platform": "apple", "token": "1"}),
        ),
    ]
    .into_iter()
    .map(|(title, json)| (title, Device::from_json(json.to_string().as_bytes()).unwrap()))
    .collect()
}

/// A value of each field, and what else the notification needs to have the field.
fn sample(field: &str) -> Option<(Value, Value)> {
    let two_lines = json!({"title": "T", "body": "B"});
    let value = match field {
        "title" => return Some((json!({"body": "B"}), json!({"title": "x"}))),
        "body" => return Some((json!({"title": "T"}), json!({"body": "x"}))),
        // A wake-up without data is nothing that ADM takes.
        "silent" => return Some((json!({"data": {"k": "v"}}), json!({"silent": true}))),
        "subtitle" | "sound" | "thread" | "category" | "channel" | "collapse_key" => json!("xyz"),
        "image" => json!("https://img.example/a.png"),
        "icon" => json!("https://img.example/a.png"),
        "icon (drawable)" => return Some((two_lines, json!({"icon": "ic_x"}))),
        "action" => json!({"url": "https://a.example/"}),
        "action (deep_link)" => return Some((two_lines, json!({"action": {"deep_link": "app://x"}}))),
        "title (key)" => {
            return Some((
                json!({"body": "B"}),
                json!({"title": {"key": "K", "args": ["a"], "text": "x"}}),
            ));
        }
        "body (key)" => {
            return Some((
                json!({"title": "T"}),
                json!({"body": {"key": "K", "args": ["a"]}}),
            ));
        }
        "buttons" => json!([{"id": "a", "title": "A"}]),
        "badge" => json!(3),
        "urgency" => json!("high"),
        "ttl" => json!(3600),
        "data" => json!({"k": "v"}),
        // They land nowhere themselves.
        "shorten" | "overrides" => return None,
        other => panic!("no sample for {other}: give one here"),
    };
    Some((two_lines, json!({field: value})))
}

struct Senders {
    apns: Service,
    web_push: Service,
    baidu: Service,
}

impl Senders {
    fn new() -> Self {
        let key = || Es256Key::generate().unwrap();
        let credentials = apns::Credentials::token(
            apns::KeyId::parse("ABC123DEFG").unwrap(),
            apns::TeamId::parse("DEF123GHIJ").unwrap(),
            key(),
        );
        Self {
            apns: apns::Service::new(credentials, apns::Hosts::default()).into(),
            web_push: webpush::Service::new(
                webpush::Credentials::new(key(), "mailto:a@example.com").unwrap(),
                webpush::EndpointPolicy::default(),
            )
            .into(),
            baidu: baidu::Service::new(
                baidu::Credentials::new("AK", "SK").unwrap(),
                baidu::default_authority(),
            )
            .into(),
        }
    }

    /// Every leaf of a message: paths of the body, and headers or parameters with a colon.
    fn leaves(&self, message: &Message) -> BTreeMap<String, String> {
        let mut leaves = BTreeMap::new();
        if let Ok(body) = serde_json::from_slice::<Value>(&message.payload()) {
            let root = match message {
                Message::Fcm(_) => body["message"].clone(),
                _ => body,
            };
            walk(&root, "", &mut leaves);
        }
        let service = match message {
            Message::Apns(_) => &self.apns,
            Message::WebPush(_) => &self.web_push,
            Message::Baidu(_) => &self.baidu,
            _ => return leaves,
        };
        let request = service.request(message, NOW).unwrap();
        for header in request.all_headers() {
            if !["authorization", "content-length"].contains(&header.name) {
                leaves.insert(format!("{}:", header.name), header.value.to_owned());
            }
        }
        if let Message::Baidu(_) = message {
            let body = String::from_utf8(request.body.as_bytes().to_vec()).unwrap();
            for (name, value) in body.split('&').filter_map(|pair| pair.split_once('=')) {
                if !["msg", "sign", "timestamp", "apikey"].contains(&name) {
                    leaves.insert(format!("{name}:"), value.to_owned());
                }
            }
        }
        leaves
    }
}

fn walk(value: &Value, path: &str, leaves: &mut BTreeMap<String, String>) {
    match value {
        Value::Object(map) => {
            for (key, value) in map {
                let path = if path.is_empty() {
                    key.clone()
                } else {
                    format!("{path}.{key}")
                };
                walk(value, &path, leaves);
            }
        }
        other => {
            leaves.insert(path.to_owned(), other.to_string());
        }
    }
}

fn lands() -> String {
    let (columns, senders) = (columns(), Senders::new());
    let mut out = String::from("\n| field |");
    for (title, _) in &columns {
        write!(out, " {title} |").unwrap();
    }
    write!(out, "\n|---|{}\n", "---|".repeat(columns.len())).unwrap();
    let mut tables = Vec::new();
    NotificationForm::tables(&mut tables);
    for row in &tables[0].rows {
        let variants: &[&str] = match row.name {
            "title" => &["title", "title (key)"],
            "body" => &["body", "body (key)"],
            "icon" => &["icon", "icon (drawable)"],
            "action" => &["action", "action (deep_link)"],
            name => &[name],
        };
        for field in variants {
            let Some((base, more)) = sample(field) else {
                continue;
            };
            let mut whole = base.as_object().unwrap().clone();
            whole.extend(more.as_object().unwrap().clone());
            let parse = |map: &Map<String, Value>| Notification::from_json(json!(map).to_string().as_bytes());
            let notification = parse(&whole).unwrap();
            write!(out, "| {} |", field_name(field)).unwrap();
            for (title, device) in &columns {
                let before = match parse(base.as_object().unwrap()) {
                    Ok(base) => senders.leaves(&message(&base, device, NOW).unwrap().0),
                    Err(_) => BTreeMap::new(),
                };
                let (made, losses) = message(&notification, device, NOW).unwrap();
                let after = senders.leaves(&made);
                let mut paths: BTreeSet<String> = after
                    .iter()
                    .filter(|(path, value)| before.get(*path) != Some(value))
                    .map(|(path, _)| path.clone())
                    .collect();
                if *field == "silent" {
                    // Its base is no message at all.
                    paths.retain(|path| !SAME_IN_ALL.contains(&path.as_str()) && after[path] != "\"v\"");
                }
                let name = field.split(' ').next().unwrap();
                let lost = losses.iter().find(|loss| loss.field == name);
                let mark = match lost.map(|loss| loss.kind) {
                    Some(LossKind::Dropped) if paths.is_empty() => " –",
                    Some(LossKind::Dropped | LossKind::Changed) => " (changed)",
                    Some(LossKind::Shortened) => panic!("nothing is too long"),
                    None => {
                        let nowhere = paths.is_empty() && *field != "silent";
                        assert!(!nowhere, "{field} lands nowhere in {title}, and no loss says so");
                        if paths.is_empty() {
                            "nothing but `data`"
                        } else {
                            ""
                        }
                    }
                };
                let paths: Vec<String> = paths.iter().map(|path| format!("`{path}`")).collect();
                let cell = format!(" {}{mark}", paths.join(", "));
                write!(out, " {} |", cell.trim()).unwrap();
            }
            out.push('\n');
        }
    }
    out + "\n"
}

/// Headers and parameters that every message of a service has.
const SAME_IN_ALL: [&str; 9] = [
    "token",
    "apns-topic:",
    "content-type:",
    "content-encoding:",
    "ttl:",
    "user-agent:",
    "channel_id:",
    "device_type:",
    "deploy_status:",
];

fn field_name(field: &str) -> String {
    match field.split_once(' ') {
        Some((name, variant)) => format!("`{name}` {variant}"),
        None => format!("`{field}`"),
    }
}

fn feedback_table() -> String {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/vectors/notification.json");
    let vectors: Value = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
    let mut out = String::from("\n| result | feedback |\n|---|---|\n");
    let mut errors: Vec<(String, Vec<String>)> = Vec::new();
    let now = vectors["now_ms"].as_u64().unwrap();
    for row in vectors["feedback"].as_array().unwrap() {
        let told = told(&row["feedback"], now);
        if let Some(outcome) = row.get("outcome") {
            writeln!(out, "| {} | {told} |", outcome_words(outcome, &row["device"])).unwrap();
            continue;
        }
        let kinds: Vec<String> = row["error"]
            .as_array()
            .unwrap()
            .iter()
            .map(|kind| format!("`{}`", kind.as_str().unwrap()))
            .collect();
        let words = kinds.join(" because of ");
        match errors.iter_mut().find(|(known, _)| *known == told) {
            Some((_, all)) => all.push(words),
            None => errors.push((told, vec![words])),
        }
    }
    for (told, kinds) in errors {
        writeln!(out, "| error {} | {told} |", kinds.join(", ")).unwrap();
    }
    out + "\n"
}

fn told(feedback: &Value, now: u64) -> String {
    let mut out = format!("`{}`", feedback["action"].as_str().unwrap());
    for (name, value) in feedback.as_object().unwrap() {
        match (name.as_str(), value) {
            ("action", _) => {}
            ("until_ms", value) => write!(out, ", until {} ms later", value.as_u64().unwrap() - now).unwrap(),
            ("replacement", _) => out.push_str(" by that token"),
            ("suspects", Value::Array(all)) if all.is_empty() => {}
            ("suspects", Value::Array(all)) => {
                let words: Vec<&str> = all.iter().map(|word| word.as_str().unwrap()).collect();
                write!(out, ": {}", words.join(", ")).unwrap();
            }
            (_, Value::String(text)) => write!(out, ", {}", text).unwrap(),
            (_, other) => write!(out, ", {other} s").unwrap(),
        }
    }
    out
}

fn outcome_words(outcome: &Value, device: &Value) -> String {
    let mut out = format!("`{}`", outcome["kind"].as_str().unwrap());
    for (name, value) in outcome.as_object().unwrap() {
        match name.as_str() {
            "kind" | "id" | "status" => {}
            "replacement" if *value == device["token"] => out.push_str(" with the token that the device has"),
            "replacement" => out.push_str(" with another token"),
            "since_ms" => match device["registered_at_ms"].as_u64() {
                None => out.push_str(" since a time, and the device was registered at an unknown one"),
                Some(time) if time < value.as_u64().unwrap() => {
                    out.push_str(" since a time after the registration of the device");
                }
                Some(_) => out.push_str(" since a time before, and the device was registered again"),
            },
            "after_ms" => write!(out, ", after {value} ms").unwrap(),
            other => write!(out, ", `{other}` {}", value.to_string().replace('"', "")).unwrap(),
        }
    }
    out
}

/// The page with the text between two marks replaced.
fn with(page: &str, mark: &str, text: &str) -> String {
    let begin = format!("<!-- {mark} -->\n");
    let (before, rest) = page
        .split_once(&begin)
        .unwrap_or_else(|| panic!("no mark {mark}"));
    let (_, after) = rest.split_once("<!-- end -->").unwrap();
    format!("{before}{begin}{text}<!-- end -->{after}")
}

#[test]
fn the_page_and_the_schema_are_current() {
    let docs = format!("{}/../docs/", env!("CARGO_MANIFEST_DIR"));
    let found = std::fs::read_to_string(format!("{docs}notification.md")).unwrap();
    let page = with(&found, "lands", &lands());
    let page = with(&page, "feedback", &feedback_table());
    let page = with(&page, "forms", &form_tables());
    for (name, text) in [("notification.md", page), ("notification.schema.json", schema())] {
        let path = format!("{docs}{name}");
        if std::env::var_os("PUSHCORE_WRITE_DOCS").is_some() {
            std::fs::write(&path, &text).unwrap();
        }
        let found = std::fs::read_to_string(&path).unwrap_or_default();
        assert!(found == text, "docs/{name} is stale: see the head of this file");
    }
}
