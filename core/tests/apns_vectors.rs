//! Runs `tests/vectors/apns.json`, which every language runs.

#![allow(clippy::unwrap_used, reason = "a test says what went wrong by failing")]

use std::time::Duration;

use pushcore::apns::{
    self, Alert, ApnsId, Aps, Broadcast, BundleId, ChannelCall, ChannelId, ChannelOutcome, CollapseId,
    Credentials, DeviceToken, Environment, Expiration, InputPush, InterruptionLevel, KeyId, LiveActivity,
    Message, Payload, Priority, PushType, Sound, StoragePolicy, TeamId, Text, Topic,
};
use pushcore::crypto::Es256Key;
use pushcore::http::{Request, Response};
use pushcore::{Error, Now, Outcome, UnixTime};
use serde_json::{Map, Value, json};

fn vectors() -> Value {
    serde_json::from_str(include_str!("../../tests/vectors/apns.json")).unwrap()
}

fn now() -> Now {
    Now::new(Duration::ZERO, UnixTime::from_secs(1_700_000_000))
}

fn str_of(value: &Value) -> &str {
    value.as_str().unwrap()
}

fn secs(value: &Value) -> UnixTime {
    UnixTime::from_secs(value.as_u64().unwrap())
}

fn strings(value: &Value) -> Vec<String> {
    value
        .as_array()
        .unwrap()
        .iter()
        .map(|item| str_of(item).to_owned())
        .collect()
}

fn text(value: &Value) -> Text {
    match value {
        Value::String(text) => Text::Plain(text.clone()),
        object => Text::localized(str_of(&object["key"]), strings(&object["args"])),
    }
}

fn alert(value: &Value) -> Alert {
    let Value::Object(parts) = value else {
        return Alert::line(str_of(value));
    };
    parts
        .iter()
        .fold(Alert::new(), |alert, (key, value)| match key.as_str() {
            "title" => alert.title(text(value)),
            "subtitle" => alert.subtitle(text(value)),
            "body" => alert.body(text(value)),
            "launch_image" => alert.launch_image(str_of(value)),
            other => panic!("{other}"),
        })
}

fn live_activity(value: &Value) -> LiveActivity {
    let timestamp = secs(&value["timestamp"]);
    let state = value["content_state"].clone();
    let mut activity = match str_of(&value["event"]) {
        "start" => {
            let attributes = value["attributes"].clone();
            LiveActivity::start(timestamp, str_of(&value["attributes_type"]), attributes, state)
        }
        "update" => LiveActivity::update(timestamp, state),
        _ => LiveActivity::end(timestamp, Some(state).filter(|state| !state.is_null())),
    };
    match &value["input_push"] {
        Value::Null => {}
        Value::String(_) => activity = activity.input_push(InputPush::Token),
        object => {
            let channel = ChannelId::parse(str_of(&object["channel"])).unwrap();
            activity = activity.input_push(InputPush::Channel(channel));
        }
    }
    if !value["stale_date"].is_null() {
        activity = activity.stale_date(secs(&value["stale_date"]));
    }
    if !value["dismissal_date"].is_null() {
        activity = activity.dismissal_date(secs(&value["dismissal_date"]));
    }
    activity
}

fn aps(keys: &Map<String, Value>) -> Result<Aps, Error> {
    let mut aps = Aps::new();
    for (key, value) in keys {
        aps = match key.as_str() {
            "alert" => aps.alert(alert(value)),
            "badge" => aps.badge(u32::try_from(value.as_u64().unwrap()).unwrap()),
            "sound" => match value {
                Value::String(name) => aps.sound(name.as_str()),
                object => aps.sound(Sound::critical(
                    str_of(&object["name"]),
                    object["volume"].as_f64().unwrap(),
                )?),
            },
            "thread_id" => aps.thread_id(str_of(value)),
            "category" => aps.category(str_of(value)),
            "content_available" => aps.content_available(),
            "mutable_content" => aps.mutable_content(),
            "target_content_id" => aps.target_content_id(str_of(value)),
            "interruption_level" => aps.interruption_level(match str_of(value) {
                "passive" => InterruptionLevel::Passive,
                "active" => InterruptionLevel::Active,
                "time-sensitive" => InterruptionLevel::TimeSensitive,
                _ => InterruptionLevel::Critical,
            }),
            "relevance_score" => aps.relevance_score(value.as_f64().unwrap()),
            "filter_criteria" => aps.filter_criteria(str_of(value)),
            "url_args" => aps.url_args(strings(value)),
            "live_activity" => aps.live_activity(live_activity(value)),
            other => panic!("{other}"),
        };
    }
    Ok(aps)
}

fn payload(value: &Value) -> Result<Payload, Error> {
    if let Some(raw) = value["raw"].as_str() {
        return Payload::raw(raw.as_bytes().to_vec());
    }
    if let Some(magic) = value["mdm"].as_str() {
        return Ok(Payload::mdm(magic));
    }
    if let Value::Object(keys) = &value["file_provider"] {
        return Ok(Payload::file_provider(
            str_of(&keys["container_identifier"]),
            str_of(&keys["domain"]),
        ));
    }
    let mut payload = Payload::new(aps(value["aps"].as_object().unwrap())?);
    for (key, value) in value["custom"].as_object().into_iter().flatten() {
        payload = payload.custom(key, value.clone())?;
    }
    Ok(payload)
}

fn message(value: &Value) -> Result<Message, Error> {
    let mut builder = Message::builder(PushType::from_name(str_of(&value["push_type"])).unwrap());
    for (key, value_of) in value.as_object().unwrap() {
        builder = match key.as_str() {
            "push_type" | "lenient" => builder,
            "bundle" => builder.bundle(BundleId::parse(str_of(value_of))?),
            "topic" => builder.topic(Topic::parse(str_of(value_of))?),
            "device" if value["lenient"] == Value::Bool(true) => {
                builder.device(DeviceToken::lenient(str_of(value_of))?)
            }
            "device" => builder.device(DeviceToken::parse(str_of(value_of))?),
            "id" => builder.id(ApnsId::parse(str_of(value_of))?),
            "expiration" if value_of.is_string() => builder.expiration(Expiration::Once),
            "expiration" => builder.expiration(Expiration::Until(secs(value_of))),
            "priority" => {
                let number = u8::try_from(value_of.as_u64().unwrap()).unwrap();
                builder.priority(Priority::from_u8(number).unwrap())
            }
            "collapse_id" => builder.collapse_id(CollapseId::parse(str_of(value_of))?),
            "payload" => builder.payload(payload(value_of)?),
            other => panic!("{other}"),
        };
    }
    builder.build()
}

fn credentials() -> Credentials {
    Credentials::token(
        KeyId::parse("ABC123DEFG").unwrap(),
        TeamId::parse("DEF123GHIJ").unwrap(),
        Es256Key::from_scalar(&[7; 32]).unwrap(),
    )
}

fn request(row: &Value) -> Result<Request, Error> {
    let environment = match str_of(&row["environment"]) {
        "sandbox" => Environment::Sandbox,
        _ => Environment::Production,
    };
    let message = message(&row["message"])?;
    apns::request(&message, &credentials(), &environment.hosts(), now())
}

fn broadcast(value: &Value) -> Result<Request, Error> {
    let mut builder = Broadcast::builder(
        BundleId::parse(str_of(&value["bundle"]))?,
        ChannelId::parse(str_of(&value["channel"]))?,
        policy(&value["storage_policy"]).unwrap(),
    )
    .payload(payload(&value["payload"])?);
    if !value["expiration"].is_null() {
        builder = builder.expiration(Expiration::Until(secs(&value["expiration"])));
    }
    if let Some(number) = value["priority"].as_u64() {
        builder = builder.priority(Priority::from_u8(u8::try_from(number).unwrap()).unwrap());
    }
    if let Some(id) = value["id"].as_str() {
        builder = builder.id(ApnsId::parse(id)?);
    }
    let hosts = Environment::Production.hosts();
    apns::broadcast_request(&builder.build()?, &credentials(), &hosts, now())
}

fn policy(value: &Value) -> Option<StoragePolicy> {
    StoragePolicy::from_u8(u8::try_from(value.as_u64()?).ok()?)
}

/// Compares a request, or an error, with what the row says.
fn check(name: &str, made: Result<Request, Error>, row: &Value) {
    match made {
        Ok(request) => {
            let expected = &row["request"];
            assert_eq!(request.method.as_str(), str_of(&expected["method"]), "{name}");
            assert_eq!(request.url(), str_of(&expected["url"]), "{name}");
            let body = str_of(&expected["body"]);
            assert_eq!(request.body.as_bytes(), body.as_bytes(), "{name}");
            let headers: Map<String, Value> = request
                .all_headers()
                .filter(|header| header.name != "authorization")
                .map(|header| (header.name.to_owned(), header.value.into()))
                .collect();
            assert_eq!(&Value::Object(headers), &expected["headers"], "{name}");
        }
        Err(error) => {
            let expected = row.get("error").unwrap_or_else(|| panic!("{name}: {error}"));
            assert_eq!(error.kind().name(), str_of(&expected["kind"]), "{name}");
            let word = expected["apns"].as_str().unwrap_or_default();
            assert!(error.to_string().contains(word), "{name}: {error}");
        }
    }
}

fn response(row: &Value) -> Response {
    let status = u16::try_from(row["status"].as_u64().unwrap()).unwrap();
    let mut response = Response::new(status, str_of(&row["body"]));
    for (name, value) in row["headers"].as_object().unwrap() {
        response = response.with_header(name, str_of(value));
    }
    response
}

#[test]
fn messages_become_these_requests() {
    let vectors = vectors();
    let rows = vectors["encode"].as_array().unwrap();
    assert!(rows.len() >= 50);
    for row in rows {
        check(str_of(&row["name"]), request(row), row);
    }
}

#[test]
fn broadcasts_become_these_requests() {
    let vectors = vectors();
    let rows = vectors["broadcasts"].as_array().unwrap();
    assert!(rows.len() >= 7);
    for row in rows {
        check(str_of(&row["name"]), broadcast(&row["broadcast"]), row);
    }
}

#[test]
fn channel_calls_become_these_requests_and_results() {
    let vectors = vectors();
    let rows = vectors["channels"].as_array().unwrap();
    assert!(rows.len() >= 5);
    let bundle = BundleId::parse("com.example.app").unwrap();
    for row in rows {
        let (kind, argument) = row["call"].as_object().unwrap().iter().next().unwrap();
        let channel = || ChannelId::parse(str_of(argument)).unwrap();
        let call = match kind.as_str() {
            "create" => ChannelCall::Create(policy(argument).unwrap()),
            "read" => ChannelCall::Read(channel()),
            "delete" => ChannelCall::Delete(channel()),
            _ => ChannelCall::List,
        };
        let hosts = Environment::Production.hosts();
        let made = apns::channel_request(&call, &bundle, None, &credentials(), &hosts, now());
        check(kind, made, row);
        for answer in row["answers"].as_array().unwrap() {
            let result = match apns::channel_outcome(&call, &response(answer), now()) {
                ChannelOutcome::Created(id) => json!({"created": id.map(|id| id.as_str().to_owned())}),
                ChannelOutcome::Read(policy) => json!({"policy": policy.map(StoragePolicy::as_u8)}),
                ChannelOutcome::Deleted => json!({"deleted": true}),
                ChannelOutcome::Listed(ids) => {
                    json!({"channels": ids.iter().map(ChannelId::as_str).collect::<Vec<_>>()})
                }
                ChannelOutcome::Refused(outcome) => json!({"refused": described(&outcome)}),
                other => panic!("{other:?}"),
            };
            assert_eq!(result, answer["result"], "{kind}");
        }
    }
}

/// The outcome in the words of the vectors.
fn described(outcome: &Outcome) -> Map<String, Value> {
    let mut map = Map::new();
    map.insert("name".into(), outcome.name().into());
    if let Some(reason) = outcome.reason() {
        map.insert("reason".into(), reason.as_str().into());
        map.insert("known".into(), reason.is_known().into());
    }
    match outcome {
        Outcome::Accepted(arm) => {
            map.extend(arm.id.as_ref().map(|id| ("id".into(), id.as_str().into())));
            map.extend(arm.unique_id().map(|id| ("unique_id".into(), id.into())));
        }
        Outcome::TokenGone(arm) => {
            map.extend(
                arm.since
                    .map(|since| ("since_ms".into(), since.as_millis().into())),
            );
        }
        Outcome::TokenMismatch(arm) => {
            let suspects: Vec<_> = arm.suspects.iter().map(|suspect| suspect.name()).collect();
            map.insert("suspects".into(), suspects.into());
        }
        Outcome::RetryLater(arm) => {
            map.insert("scope".into(), arm.scope.name().into());
            map.extend(arm.after.map(|after| ("after_s".into(), after.as_secs().into())));
        }
        Outcome::FixCredentials(arm) => {
            map.insert("refreshable".into(), arm.refreshable.into());
            map.insert("reconnect".into(), arm.reconnect.into());
        }
        _ => {}
    }
    map
}

#[test]
fn responses_become_these_outcomes() {
    let vectors = vectors();
    let rows = vectors["decode"].as_array().unwrap();
    assert!(rows.len() >= 40);
    let plain = Message::builder(PushType::Alert)
        .bundle(BundleId::parse("a.b").unwrap())
        .device(DeviceToken::parse("ab").unwrap())
        .payload(Aps::new().alert("x"))
        .build()
        .unwrap();
    for row in rows {
        let response = response(row);
        let mut message = plain.clone();
        if let Some(millis) = row["registered_at_ms"].as_u64() {
            message = message.with_registered_at(UnixTime::from_millis(millis));
        }
        let outcome = message.judge(apns::outcome(&response, now()));
        assert_eq!(
            Value::Object(described(&outcome)),
            row["outcome"],
            "{}",
            row["name"]
        );
        assert_eq!(
            (outcome.status(), outcome.body()),
            (response.status, str_of(&row["body"]).as_bytes())
        );
    }
}
