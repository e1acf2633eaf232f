//! Runs `tests/vectors/apns.json`. Python runs the messages in it (`bindings/python/tests/test_messages_json.py`).

#![allow(clippy::unwrap_used, reason = "a test says what went wrong by failing")]

use std::time::Duration;

use pushcore::apns::{
    self, Aps, BundleId, ChannelCall, ChannelId, ChannelOutcome, Credentials, DeviceToken, Environment,
    KeyId, Message, PushType, StoragePolicy, TeamId,
};
use pushcore::crypto::Es256Key;
use pushcore::http::{Request, Response};
use pushcore::service::{self, Kind};
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

/// The text of a form: the row's own, or the object's.
fn json_of(form: &Value) -> String {
    form.as_str().map_or_else(|| form.to_string(), str::to_owned)
}

fn message(form: &Value) -> Result<Message, Error> {
    match service::Message::from_json(Kind::Apns, json_of(form).as_bytes())? {
        service::Message::Apns(message) => Ok(message),
        other => panic!("{other:?}"),
    }
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

fn broadcast(form: &Value) -> Result<Request, Error> {
    let broadcast = match service::Message::from_json(Kind::Apns, json_of(form).as_bytes())? {
        service::Message::ApnsBroadcast(broadcast) => broadcast,
        other => panic!("{other:?}"),
    };
    let hosts = Environment::Production.hosts();
    apns::broadcast_request(&broadcast, &credentials(), &hosts, now())
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
            let path = expected["path"].as_str().unwrap_or("message");
            assert!(
                error.context().starts_with(path) || row.get("broadcast").is_some(),
                "{name}: {error}"
            );
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
    assert!(rows.len() >= 100);
    for row in rows {
        check(str_of(&row["name"]), request(row), row);
    }
}

#[test]
fn broadcasts_become_these_requests() {
    let vectors = vectors();
    let rows = vectors["broadcasts"].as_array().unwrap();
    assert!(rows.len() >= 12);
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
