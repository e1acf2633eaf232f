//! Devices, feedback and retries by the vectors that every language reads.

#![allow(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    reason = "a test may read files, and may fail"
)]

use std::collections::BTreeSet;
use std::time::Duration;

use pushcore::notification::{Attempts, Device, Feedback, Retries, Retry, feedback};
use pushcore::outcome::{Outcome, OutcomeKind, OutcomeParts, Scope, Suspect};
use pushcore::service::Kind;
use pushcore::webpush::ReceiverKeys;
use pushcore::{Error, ErrorKind, UnixTime};
use serde_json::{Map, Value, json};

/// The time that the vectors of retries begin at.
const BEGAN: u64 = 1_764_422_709_000;

fn vectors() -> Value {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/vectors/notification.json");
    serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
}

fn rows<'a>(vectors: &'a Value, section: &str) -> &'a Vec<Value> {
    let rows = vectors[section].as_array().unwrap();
    assert!(!rows.is_empty(), "{section}");
    rows
}

fn device(json: &Value) -> Result<Device, Error> {
    Device::from_json(json.to_string().as_bytes())
}

fn kind(name: &Value) -> ErrorKind {
    let named = ErrorKind::ALL
        .iter()
        .find(|kind| kind.name() == name.as_str().unwrap());
    *named.unwrap_or_else(|| panic!("no error kind {name}"))
}

/// An error by its kinds, the outermost first.
fn error(kinds: &Value) -> Error {
    let mut made: Option<Error> = None;
    for name in kinds.as_array().unwrap().iter().rev() {
        let error = Error::new(kind(name), "of a vector");
        made = Some(match made {
            Some(cause) => error.with_source(cause),
            None => error,
        });
    }
    made.unwrap()
}

fn outcome(json: &Value) -> Outcome {
    let mut parts = OutcomeParts::new(OutcomeKind::from_name(json["kind"].as_str().unwrap()).unwrap());
    for (name, value) in json.as_object().unwrap() {
        let millis = || value.as_u64().unwrap();
        match name.as_str() {
            "kind" => {}
            "status" => parts.status = u16::try_from(millis()).unwrap(),
            "id" => parts.id = value.as_str(),
            "replacement" => parts.replacement = value.as_str(),
            "since_ms" => parts.since = Some(UnixTime::from_millis(millis())),
            "after_ms" => parts.after = Some(Duration::from_millis(millis())),
            "scope" => parts.scope = Scope::from_name(value.as_str().unwrap()),
            "clock_skew" => parts.clock_skew = value.as_i64(),
            "suspects" => {
                let names = value.as_array().unwrap().iter();
                parts.suspects = names
                    .map(|name| Suspect::from_name(name.as_str().unwrap()).unwrap())
                    .collect();
            }
            other => panic!("no part {other}"),
        }
    }
    Outcome::from_parts(&parts).unwrap()
}

fn result(row: &Value) -> Result<Outcome, Error> {
    match row.get("outcome") {
        Some(json) => Ok(outcome(json)),
        None => Err(error(&row["error"])),
    }
}

/// Feedback as the vectors write it.
fn flat(feedback: &Feedback) -> Value {
    let parts = feedback.parts();
    let mut map = Map::new();
    map.insert("action".into(), parts.action.into());
    if let Some(token) = parts.replacement {
        map.insert("replacement".into(), token.into());
    }
    if let Some(until) = parts.until {
        map.insert("until_ms".into(), until.as_millis().into());
    }
    if let Some(scope) = parts.scope {
        map.insert("scope".into(), scope.name().into());
    }
    if let Some(cause) = parts.cause {
        map.insert("cause".into(), cause.into());
        let suspects: Vec<&str> = parts.suspects.iter().map(Suspect::name).collect();
        map.insert("suspects".into(), json!(suspects));
    }
    if let Some(skew) = parts.clock_skew {
        map.insert("clock_skew".into(), skew.into());
    }
    map.into()
}

#[test]
fn devices_are_read_written_and_refused() {
    let vectors = vectors();
    for row in rows(&vectors, "devices") {
        let (name, read) = (&row["name"], device(&row["json"]));
        if let Some(expected) = row.get("error") {
            let error = read.expect_err(&name.to_string());
            assert_eq!(error.kind(), kind(expected), "{name}: {error}");
            if let Some(context) = row.get("context") {
                assert_eq!(error.context(), context, "{name}");
            }
            continue;
        }
        let read = read.unwrap_or_else(|error| panic!("{name}: {error}"));
        let back: Value = serde_json::from_str(&read.to_json()).unwrap();
        assert_eq!(back, *row.get("back").unwrap_or(&row["json"]), "{name}");
        assert_eq!(device(&back).unwrap(), read, "{name}");
        let token = read.token();
        assert!(
            !format!("{read:?}").contains(&token),
            "{name}: Debug tells the token"
        );
    }
}

#[test]
fn a_subscription_keeps_its_age_and_its_keys() {
    let keys = ReceiverKeys::generate().unwrap();
    let endpoint = "https://updates.push.services.mozilla.com/wpush/v2/abc";
    let json = keys.subscription_json(endpoint);
    let made = UnixTime::from_millis(BEGAN);
    let device = Device::builder(Kind::WebPush)
        .token(&json)
        .registered_at(made)
        .key("row 7")
        .build()
        .unwrap();
    let pushcore::service::Target::WebPush(subscription) = device.target() else {
        panic!("{device:?}");
    };
    assert_eq!(subscription.created(), Some(made));
    let back = Device::from_json(device.to_json().as_bytes()).unwrap();
    assert_eq!((back.to_json(), back.key()), (device.to_json(), Some("row 7")));
    assert_eq!(back, device);
    // The auth secret is in the text for storage, and not in what is printed.
    let text: Value = serde_json::from_str(&json).unwrap();
    let auth = text["keys"]["auth"].as_str().unwrap();
    assert!(device.to_json().contains(auth) && !format!("{device:?}").contains(auth));
}

#[test]
fn a_replacement_makes_the_next_device() {
    let vectors = vectors();
    let first =
        device(&json!({"service": "adm", "app": "shop", "token": "amzn1.adm-registration.v3.a", "key": "7"}))
            .unwrap();
    let now = UnixTime::from_millis(vectors["now_ms"].as_u64().unwrap());
    let next = first.with_token("amzn1.adm-registration.v3.b", now).unwrap();
    assert_eq!(
        (next.token().as_str(), next.key()),
        ("amzn1.adm-registration.v3.b", Some("7"))
    );
    assert_eq!((next.app(), next.registered_at()), (first.app(), Some(now)));
    let error = first.with_token(&"ab".repeat(32), now).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidToken);
}

#[test]
fn every_result_has_its_feedback() {
    let vectors = vectors();
    let now = UnixTime::from_millis(vectors["now_ms"].as_u64().unwrap());
    let (mut outcomes, mut errors) = (BTreeSet::new(), BTreeSet::new());
    for row in rows(&vectors, "feedback") {
        let result = result(row);
        match &result {
            Ok(outcome) => outcomes.insert(outcome.name()),
            Err(error) => errors.insert(error.kind().code()),
        };
        let told = feedback(&result, &device(&row["device"]).unwrap(), now);
        assert_eq!(flat(&told), row["feedback"], "{row}");
        assert!(
            !format!("{told:?} {:?}", told.parts()).contains("registration.v3.new"),
            "{told:?}"
        );
    }
    assert_eq!(outcomes.len(), OutcomeKind::ALL.len(), "every arm has a row");
    assert_eq!(
        errors.len(),
        ErrorKind::ALL.len(),
        "every kind of error has a row"
    );
}

#[test]
fn retries_follow_the_policy() {
    let vectors = vectors();
    let mut errors = BTreeSet::new();
    for row in rows(&vectors, "retries") {
        let policy = Retries::from_json(row["policy"].to_string().as_bytes()).unwrap();
        assert_eq!(Retries::from_json(policy.to_json().as_bytes()).unwrap(), policy);
        for seed in [0, 1, 2, 77, u32::MAX] {
            let mut attempts = Attempts::begin(UnixTime::from_millis(BEGAN)).with_seed(seed);
            for step in row["steps"].as_array().unwrap() {
                let now = UnixTime::from_millis(BEGAN + step["at_ms"].as_u64().unwrap());
                let result = result(&step["result"]);
                if let Err(error) = &result {
                    errors.insert(error.kind().code());
                }
                attempts.start();
                // Over a restart, between any two steps.
                attempts = Attempts::from_json(attempts.to_json().as_bytes()).unwrap();
                let decided = policy.next(&mut attempts, &result, now);
                let name = format!("{} seed {seed}: {decided:?}", row["name"]);
                match (decided, &step["expect"]) {
                    (Retry::Stop(stop), Value::String(expected)) => {
                        assert_eq!(stop.name(), expected, "{name}");
                        assert_eq!(attempts.next(), None);
                    }
                    (Retry::Again { at, after, scope }, Value::Object(expected)) => {
                        let wait = u64::try_from(after.as_millis()).unwrap();
                        let (least, most) = (&expected["again"][0], &expected["again"][1]);
                        assert!(
                            (least.as_u64().unwrap()..=most.as_u64().unwrap()).contains(&wait),
                            "{name}"
                        );
                        assert_eq!(scope.name(), expected["scope"], "{name}");
                        assert_eq!(at, now.saturating_add(after), "{name}");
                        assert_eq!(attempts.next(), Some((at, scope)), "{name}");
                    }
                    (_, expected) => panic!("{name}, not {expected}"),
                }
                assert_eq!(
                    Attempts::from_json(attempts.to_json().as_bytes()).unwrap(),
                    attempts
                );
            }
        }
    }
    assert_eq!(
        errors.len(),
        ErrorKind::ALL.len(),
        "every kind of error has a row"
    );
}

#[test]
fn messages_that_fail_together_wait_differently() {
    let policy = Retries::standard();
    let now = UnixTime::from_millis(BEGAN);
    let waits: BTreeSet<Duration> = (0..100)
        .map(|seed| {
            let mut attempts = Attempts::begin(now).with_seed(seed);
            let not_sent = Err(Error::new(ErrorKind::NotSent, "no connection"));
            let Retry::Again { after, .. } = policy.next(&mut attempts, &not_sent, now) else {
                panic!("not again");
            };
            after
        })
        .collect();
    assert!(waits.len() > 90, "{} different waits", waits.len());
}

#[test]
fn an_attempt_without_an_end_is_in_doubt() {
    let now = UnixTime::from_millis(BEGAN);
    let mut attempts = Attempts::begin(now);
    assert!(attempts.lost().is_none());
    attempts.start();
    let mut back = Attempts::from_json(attempts.to_json().as_bytes()).unwrap();
    let lost = Err(back.lost().expect("an attempt was under way"));
    let mut copy = back;
    assert_eq!(
        Retries::standard().next(&mut back, &lost, now),
        Retry::Stop(pushcore::notification::Stop::InDoubt)
    );
    let asked = Retries::custom().resend_unknown(true).build().unwrap();
    assert!(matches!(asked.next(&mut copy, &lost, now), Retry::Again { .. }));
}

#[test]
fn the_id_is_the_same_in_every_attempt() {
    use pushcore::apns::{Alert, Aps, BundleId, DeviceToken, Message, PushType};
    let message = Message::builder(PushType::Alert)
        .bundle(BundleId::parse("com.example.app").unwrap())
        .payload(Aps::new().alert(Alert::line("Hi")))
        .device(DeviceToken::parse("ab").unwrap())
        .build()
        .unwrap();
    let id = pushcore::apns::ApnsId::parse("123e4567-e89b-12d3-a456-42665544000a").unwrap();
    let attempts = Attempts::begin(UnixTime::from_millis(BEGAN)).with_id(id);
    let back = Attempts::from_json(attempts.to_json().as_bytes()).unwrap();
    let pushcore::service::Message::Apns(sent) = back.stable(message.into()) else {
        panic!("another service");
    };
    assert_eq!(sent.id(), Some(id));
}

#[test]
fn policies_and_states_that_make_no_sense_are_refused() {
    for (json, kind, word) in [
        (
            json!({"attempts": 0}),
            ErrorKind::InvalidValue,
            "retries: attempts",
        ),
        (
            json!({"attempts": 1001}),
            ErrorKind::InvalidValue,
            "retries: attempts",
        ),
        (
            json!({"total_ms": 2_419_200_001_u64}),
            ErrorKind::InvalidValue,
            "retries: total",
        ),
        (
            json!({"first_wait_ms": 60_001}),
            ErrorKind::InvalidValue,
            "retries: first_wait",
        ),
        (
            json!({"longest_wait_ms": 2_419_200_001_u64}),
            ErrorKind::InvalidValue,
            "retries: longest_wait",
        ),
        (
            json!({"atempts": 1}),
            ErrorKind::InvalidPayload,
            "retries.atempts",
        ),
    ] {
        let error = Retries::from_json(json.to_string().as_bytes()).unwrap_err();
        assert_eq!(error.kind(), kind, "{json}: {error}");
        assert!(error.context().starts_with(word), "{json}: {error}");
    }
    for (json, kind, word) in [
        (json!({}), ErrorKind::MissingField, "attempts.began_at_ms"),
        (
            json!({"began_at_ms": 1, "scope": "device"}),
            ErrorKind::MissingField,
            "attempts.next_at_ms",
        ),
        (
            json!({"began_at_ms": 1, "id": "x"}),
            ErrorKind::InvalidHeader,
            "attempts.id",
        ),
        (
            json!({"began_at_ms": -1}),
            ErrorKind::InvalidValue,
            "attempts.began_at_ms",
        ),
    ] {
        let error = Attempts::from_json(json.to_string().as_bytes()).unwrap_err();
        assert_eq!(error.kind(), kind, "{json}: {error}");
        assert!(error.context().starts_with(word), "{json}: {error}");
    }
}
