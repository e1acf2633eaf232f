//! Walks Google's discovery document of FCM v1 (its schemas, without their texts, in
//! `data/fcm.v1.json`): every field that can be sent has a typed home, and no typed
//! home is for a field that does not exist.

#![allow(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    reason = "a test may read files, and may fail"
)]

use std::collections::BTreeSet;

use pushcore::fcm::{
    AndroidBackgroundSyncMessage, AndroidConfig, AndroidConfigV2, AndroidFcmOptions, AndroidNotification,
    AndroidNotificationV2, AndroidRemoteNotification, ApnsConfig, ApnsFcmOptions, FcmOptions, LightSettings,
    Message, MessageBuilder, Notification, WebpushConfig, WebpushFcmOptions,
};
use serde_json::{Map, Value, json};

fn document() -> Value {
    serde_json::from_str(include_str!("data/fcm.v1.json")).unwrap()
}

/// The fields that our type of this schema has.
fn typed(schema: &str) -> Vec<&'static str> {
    match schema {
        "SendMessageRequest" => vec!["message", "validate_only"],
        "Message" => [
            MessageBuilder::FIELDS,
            // Targets, and the id that an answer carries.
            &["fid", "token", "topic", "condition", "name"],
        ]
        .concat(),
        "Notification" => Notification::FIELDS.to_vec(),
        "AndroidConfig" => AndroidConfig::FIELDS.to_vec(),
        "AndroidFcmOptions" => AndroidFcmOptions::FIELDS.to_vec(),
        "AndroidNotification" => AndroidNotification::FIELDS.to_vec(),
        "LightSettings" | "GoogleFirebaseFcmV1AndroidNotificationV2LightSettings" => {
            LightSettings::FIELDS.to_vec()
        }
        "AndroidConfigV2" => AndroidConfigV2::FIELDS.to_vec(),
        "AndroidRemoteNotification" => AndroidRemoteNotification::FIELDS.to_vec(),
        "AndroidBackgroundSyncMessage" => AndroidBackgroundSyncMessage::FIELDS.to_vec(),
        "AndroidNotificationV2" => AndroidNotificationV2::FIELDS.to_vec(),
        "WebpushConfig" => WebpushConfig::FIELDS.to_vec(),
        "WebpushFcmOptions" => WebpushFcmOptions::FIELDS.to_vec(),
        "ApnsConfig" => ApnsConfig::FIELDS.to_vec(),
        "ApnsFcmOptions" => ApnsFcmOptions::FIELDS.to_vec(),
        "FcmOptions" => FcmOptions::FIELDS.to_vec(),
        "Color" => vec!["red", "green", "blue", "alpha"],
        other => panic!("no type for the schema {other}"),
    }
}

fn snake(key: &str) -> String {
    key.chars()
        .flat_map(|c| {
            let upper = c.is_ascii_uppercase();
            upper.then_some('_').into_iter().chain([c.to_ascii_lowercase()])
        })
        .collect()
}

/// Every schema that is reached from a request.
fn reached(document: &Value) -> BTreeSet<String> {
    let mut reached = BTreeSet::new();
    let mut todo = vec!["SendMessageRequest".to_owned()];
    while let Some(name) = todo.pop() {
        if !reached.insert(name.clone()) {
            continue;
        }
        for property in properties(document, &name).values() {
            for place in [property, &property["items"]] {
                todo.extend(place["$ref"].as_str().map(str::to_owned));
            }
        }
    }
    reached
}

fn properties(document: &Value, schema: &str) -> Map<String, Value> {
    let schema = &document["schemas"][schema];
    assert!(schema.is_object());
    schema["properties"].as_object().cloned().unwrap_or_default()
}

#[test]
fn every_field_has_a_typed_home() {
    let document = document();
    assert!(document["revision"].as_str().unwrap() >= "20261023");
    let schemas = reached(&document);
    assert_eq!(schemas.len(), 18, "{schemas:?}");
    for schema in schemas {
        let theirs: BTreeSet<String> = properties(&document, &schema)
            .keys()
            .map(|key| snake(key))
            .collect();
        let ours: BTreeSet<String> = typed(&schema).into_iter().map(str::to_owned).collect();
        assert_eq!(ours, theirs, "{schema}");
    }
}

/// A value that fits a property; of an enumeration its last word but `nth`, round and round.
fn sample(document: &Value, name: &str, property: &Value, nth: usize) -> Value {
    if let Some(schema) = property["$ref"].as_str() {
        return object(document, schema, nth);
    }
    if let Some(words) = property["enum"].as_array() {
        return words[words.len() - 1 - nth % words.len()].clone();
    }
    match (
        property["type"].as_str().unwrap(),
        property["format"].as_str(),
        name,
    ) {
        ("string", Some("google-duration"), _) => json!("1.500s"),
        ("string", Some("google-datetime"), _) => json!("2026-11-22T07:00:00Z"),
        ("string", None, "color") => json!("#0aff00"),
        ("string", None, "link" | "image") => json!("https://a.example/x.png"),
        ("string", None, _) => json!("text"),
        ("boolean", _, _) => json!(true),
        ("integer", _, _) => json!(7),
        ("number", _, _) => json!(0.4),
        ("array", _, _) => json!([sample(document, name, &property["items"], nth)]),
        ("object", _, "headers") => json!({}),
        ("object", _, "payload") => json!({ "aps": { "alert": "hi" } }),
        ("object", _, _) => json!({ "key": "value" }),
        other => panic!("{name}: {other:?}"),
    }
}

fn object(document: &Value, schema: &str, nth: usize) -> Value {
    let mut object = Map::new();
    for (key, property) in properties(document, schema) {
        object.insert(snake(&key), sample(document, &key, &property, nth));
    }
    Value::Object(object)
}

/// The number of words of the longest enumeration that a request can hold.
fn most_words(document: &Value) -> usize {
    let of_a_schema = |schema: &String| {
        let properties = properties(document, schema);
        let places = properties
            .values()
            .flat_map(|value| [&value["enum"], &value["items"]["enum"]]);
        let lengths: Vec<usize> = places.filter_map(Value::as_array).map(Vec::len).collect();
        lengths.into_iter().max()
    };
    reached(document).iter().filter_map(of_a_schema).max().unwrap()
}

/// A message that fills everything, with every word of every enumeration in its turn, goes through the types and comes out as it was, in
/// either spelling, and no field of it landed in `extra`.
#[test]
fn a_message_with_every_field_comes_through() {
    let document = document();
    // PRIORITY_UNSPECIFIED, MIN, LOW, DEFAULT, HIGH, MAX.
    let most = most_words(&document);
    assert_eq!(most, 6);
    let sent: usize = (0..most).map(|nth| comes_through(&document, nth)).sum();
    assert_eq!(sent, 3 * most);
}

/// Sends the full message whose enumerations have their last words but `nth`, and returns how many messages that makes.
fn comes_through(document: &Value, nth: usize) -> usize {
    let mut full = object(document, "Message", nth);
    let message = full.as_object_mut().unwrap();
    for name in ["name", "fid", "topic", "condition"] {
        message.remove(name);
    }
    let mut sent = 0;
    for (excluded, union) in [
        ("android", "background_sync"),
        ("android", "remote_notification"),
        ("android_v2", ""),
    ] {
        let mut message = full.clone();
        message.as_object_mut().unwrap().remove(excluded);
        if let Some(v2) = message.get_mut("android_v2").and_then(Value::as_object_mut) {
            v2.remove(union);
        }
        let request = json!({ "message": message, "validate_only": true });
        let parsed = Message::from_json(request.to_string().as_bytes()).unwrap();
        let body: Value = serde_json::from_slice(&parsed.body()).unwrap();
        assert_eq!(body, request);
        let camel = camelize(&request);
        let parsed = Message::from_json(camel.to_string().as_bytes()).unwrap();
        let body: Value = serde_json::from_slice(&parsed.body()).unwrap();
        assert_eq!(body, request);
        sent += 1;
    }
    sent
}

fn camelize(value: &Value) -> Value {
    match value {
        Value::Object(map) => map
            .iter()
            .map(|(key, value)| {
                let mut camel = String::new();
                let mut upper = false;
                for c in key.chars() {
                    if c == '_' {
                        upper = true;
                    } else {
                        camel.push(if upper { c.to_ascii_uppercase() } else { c });
                        upper = false;
                    }
                }
                (camel, camelize(value))
            })
            .collect(),
        Value::Array(items) => items.iter().map(camelize).collect(),
        other => other.clone(),
    }
}
