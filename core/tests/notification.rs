//! Devices, notifications, feedback, retries and Live Activities by the vectors that every language reads.

#![allow(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    reason = "a test may read files, and may fail"
)]

use std::collections::BTreeSet;
use std::time::Duration;

use pushcore::notification::{
    Attempts, Campaign, Device, Feedback, Notification, Retries, Retry, feedback, message,
};
use pushcore::outcome::{Outcome, OutcomeKind, OutcomeParts, Scope, Suspect};
use pushcore::service::{Kind, Message};
use pushcore::webpush::ReceiverKeys;
use pushcore::{Error, ErrorKind, Now, UnixTime};
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

fn now(vectors: &Value) -> Now {
    let unix = UnixTime::from_millis(vectors["now_ms"].as_u64().unwrap());
    Now::new(Duration::ZERO, unix)
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
        assert_eq!(Feedback::from_parts(&told.parts()).unwrap(), told, "{row}");
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
fn feedback_by_hand_has_the_parts_of_its_arm() {
    use pushcore::notification::FeedbackParts;
    let with = |action, change: fn(&mut FeedbackParts<'static>)| {
        let mut parts = FeedbackParts::new(action);
        change(&mut parts);
        Feedback::from_parts(&parts).map_err(|error| error.context().to_owned())
    };
    assert_eq!(with("keep", |_| {}), Ok(Feedback::Keep));
    for (made, words) in [
        (with("kept", |_| {}), "not the name of a feedback"),
        (with("replace", |_| {}), "a feedback replace needs replacement"),
        (with("wait", |_| {}), "a feedback wait needs scope"),
        (
            with("check_configuration", |_| {}),
            "a feedback check_configuration needs cause",
        ),
        (
            with("check_configuration", |parts| parts.cause = Some("luck")),
            "not the name of a cause",
        ),
        (
            with("check_configuration", |parts| parts.cause = Some("clock")),
            "a feedback check_configuration needs clock_skew",
        ),
        (
            with("keep", |parts| parts.scope = Some(Scope::Device)),
            "a feedback keep has no such part",
        ),
        (
            with("delete", |parts| parts.replacement = Some("x")),
            "a feedback delete has no such part",
        ),
    ] {
        assert_eq!(made, Err(words.to_owned()));
    }
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
                assert!(attempts.lost().is_none(), "the attempt has ended");
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
    use pushcore::apns::{Alert, Aps, BundleId, DeviceToken, PushType};
    let message = pushcore::apns::Message::builder(PushType::Alert)
        .bundle(BundleId::parse("com.example.app").unwrap())
        .payload(Aps::new().alert(Alert::line("Hi")))
        .device(DeviceToken::parse("ab").unwrap())
        .build()
        .unwrap();
    let id = pushcore::apns::ApnsId::parse("123e4567-e89b-12d3-a456-42665544000a").unwrap();
    let attempts = Attempts::begin(UnixTime::from_millis(BEGAN)).with_id(id);
    let back = Attempts::from_json(attempts.to_json().as_bytes()).unwrap();
    let Message::Apns(sent) = back.stable(message.into()) else {
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

#[test]
fn notifications_are_refused_and_come_back() {
    let vectors = vectors();
    for row in rows(&vectors, "notifications") {
        let error = Notification::from_json(row["json"].to_string().as_bytes()).expect_err(&row.to_string());
        assert_eq!(error.kind(), kind(&row["error"]), "{row}: {error}");
        if let Some(context) = row.get("context") {
            assert_eq!(error.context(), context, "{row}");
        }
    }
    for row in rows(&vectors, "messages") {
        let read = Notification::from_json(row["notification"].to_string().as_bytes()).unwrap();
        let back: Value = serde_json::from_str(&read.to_json()).unwrap();
        assert_eq!(back, row["notification"], "{}", row["name"]);
    }
}

/// Parses the strings that hold a payload, because the order of its keys is not the point here.
fn unfolded(mut value: Value) -> Value {
    fn walk(value: &mut Value) {
        for (key, member) in value.as_object_mut().into_iter().flatten() {
            let holds_json = ["raw", "msg", "payload", "notification"].contains(&key.as_str());
            match member {
                Value::String(text) if holds_json => {
                    if let Ok(parsed @ Value::Object(_)) = serde_json::from_str(text) {
                        *member = parsed;
                    }
                }
                Value::Object(_) => walk(member),
                _ => {}
            }
        }
    }
    walk(&mut value);
    value
}

#[test]
fn every_service_gets_its_message() {
    let vectors = vectors();
    let now = now(&vectors);
    for row in rows(&vectors, "messages") {
        let name = &row["name"];
        let notification = Notification::from_json(row["notification"].to_string().as_bytes()).unwrap();
        let device = device(&row["device"]).unwrap();
        let made = message(&notification, &device, now);
        if let Some(expected) = row.get("error") {
            let error = made.expect_err(&name.to_string());
            assert_eq!(error.kind(), kind(expected), "{name}: {error}");
            if let Some(context) = row.get("context") {
                assert_eq!(error.context(), context, "{name}");
            }
            // The same to every device of the app, and of a campaign.
            let mut campaign = Campaign::new(notification);
            assert_eq!(
                campaign.message(&device, now).unwrap_err().to_string(),
                error.to_string()
            );
            continue;
        }
        let (made, losses) = made.unwrap_or_else(|error| panic!("{name}: {error}"));
        let found = unfolded(serde_json::from_str(&made.to_json()).unwrap());
        assert_eq!(found, row["message"], "{name}:\n{found}\n{}", row["message"]);
        let losses: BTreeSet<String> = losses
            .iter()
            .map(|loss| {
                let platform = loss.platform.map_or("all", |platform| platform.as_str());
                format!("{} {platform} {}", loss.field, loss.kind.name())
            })
            .collect();
        let expected: BTreeSet<String> = row["losses"]
            .as_array()
            .unwrap()
            .iter()
            .map(|loss| loss.as_str().unwrap().to_owned())
            .collect();
        assert_eq!(losses, expected, "{name}");
        let mut campaign = Campaign::new(notification);
        assert_eq!(
            campaign.message(&device, now).unwrap().to_json(),
            made.to_json(),
            "{name}"
        );
    }
}

#[test]
fn a_text_is_cut_at_a_character_as_late_as_the_service_allows() {
    let vectors = vectors();
    let now = now(&vectors);
    // A family is one character of 25 bytes, a letter with its accent one of three.
    for unit in ["x", "e\u{301}", "👨‍👩‍👧‍👦", "界", "🇩🇪"] {
        for row in [
            "two lines, apns",
            "two lines, fcm",
            "two lines, web push: no page to open, so the service worker shows it",
            "two lines, adm",
            "two lines, baidu",
            "two lines, baidu on apple",
        ] {
            let row = rows(&vectors, "messages")
                .iter()
                .find(|found| found["name"] == row)
                .unwrap();
            let device = device(&row["device"]).unwrap();
            let build = |count: usize| {
                let body = unit.repeat(count);
                Notification::builder().title("T").body(body).build().unwrap()
            };
            let whole = build(7000 / unit.len() + 1);
            let error = message(&whole, &device, now).unwrap_err();
            assert_eq!(
                error.kind(),
                ErrorKind::PayloadTooLarge,
                "{unit} {}",
                device.service()
            );
            let asked = Notification::builder()
                .title("T")
                .body(unit.repeat(7000 / unit.len() + 1))
                .shorten()
                .build()
                .unwrap();
            let (made, losses) = message(&asked, &device, now).unwrap();
            assert!(
                losses
                    .iter()
                    .any(|loss| loss.field == "body" && loss.kind.name() == "shortened")
            );
            let payload = String::from_utf8(made.payload().into_owned()).unwrap();
            let (before, _) = payload.split_once('…').unwrap();
            let kept = before.matches(unit).count();
            assert!(
                before.ends_with(unit) && kept > 100,
                "{unit} {}",
                device.service()
            );
            // One more, with the ellipsis, is too many.
            let one_more = Notification::builder()
                .title("T")
                .body(unit.repeat(kept + 1) + "…")
                .build()
                .unwrap();
            let error = message(&one_more, &device, now).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::PayloadTooLarge);
            let same = Notification::builder()
                .title("T")
                .body(unit.repeat(kept) + "…")
                .build()
                .unwrap();
            assert_eq!(message(&same, &device, now).unwrap().0.payload(), made.payload());
        }
    }
}

#[test]
fn no_white_space_stands_before_the_ellipsis() {
    let vectors = vectors();
    let device = device(&json!({"service": "apns", "app": "com.example.app", "token": "ab"})).unwrap();
    // One of these ends at a word, and another behind it.
    for offset in 0..5 {
        let body = "x".repeat(offset) + &"word ".repeat(1000);
        let notification = Notification::builder().body(body).shorten().build().unwrap();
        let (made, _) = message(&notification, &device, now(&vectors)).unwrap();
        let payload: Value = serde_json::from_slice(&made.payload()).unwrap();
        let body = payload["aps"]["alert"]["body"].as_str().unwrap();
        assert!(
            !body.contains(" …") && body.ends_with('…'),
            "{}",
            &body[body.len() - 20..]
        );
    }
}

#[test]
fn a_campaign_keeps_no_more_apps_than_there_are_in_earnest() {
    let vectors = vectors();
    let mut campaign = Campaign::new(Notification::builder().title("Sale").build().unwrap());
    for number in 0..600 {
        let app = format!("com.example.a{number}");
        let device = device(&json!({"service": "apns", "app": app, "token": "ab"})).unwrap();
        campaign.message(&device, now(&vectors)).unwrap();
    }
    let kept = format!("{campaign:?}").matches("Rendered {").count();
    assert!((1..=256).contains(&kept), "{kept} apps are kept");
}

#[test]
fn activities_that_make_no_sense_are_refused() {
    use pushcore::notification::Activity;
    for (json, kind, word) in [
        (
            json!({"bundle": "com.example.app"}),
            ErrorKind::MissingField,
            "activity.phase",
        ),
        (
            json!({"phase": "new"}),
            ErrorKind::MissingField,
            "activity.bundle",
        ),
        (
            json!({"bundle": "a.b", "phase": "running"}),
            ErrorKind::MissingField,
            "activity.token",
        ),
        (
            json!({"bundle": "a.b", "phase": "new", "channel": "abcd"}),
            ErrorKind::MissingField,
            "activity.storage_policy",
        ),
        (
            json!({"bundle": "a.b", "phase": "new", "storage_policy": 1}),
            ErrorKind::MissingField,
            "activity.channel",
        ),
        (
            json!({"bundle": "a.b", "phase": "running", "channel": "abcd", "storage_policy": 1, "token": "ab"}),
            ErrorKind::Conflict,
            "activity.token",
        ),
        (
            json!({"bundle": "a.b", "phase": "gone"}),
            ErrorKind::InvalidValue,
            "activity.phase",
        ),
        (
            json!({"bundle": "a.b", "phase": "running", "token": "xyz"}),
            ErrorKind::InvalidToken,
            "activity.token",
        ),
    ] {
        let error = Activity::from_json(json.to_string().as_bytes()).unwrap_err();
        assert_eq!(error.kind(), kind, "{json}: {error}");
        assert!(error.context().starts_with(word), "{json}: {error}");
    }
}

#[test]
fn the_subtitle_and_the_title_are_cut_when_the_body_does_not_suffice() {
    let vectors = vectors();
    let device = device(&json!({"service": "apns", "app": "com.example.app", "token": "ab"})).unwrap();
    let notification = Notification::builder()
        .title("t".repeat(5000))
        .subtitle("s".repeat(5000))
        .body("b".repeat(5000))
        .shorten()
        .build()
        .unwrap();
    let (made, losses) = message(&notification, &device, now(&vectors)).unwrap();
    let fields: Vec<&str> = losses.iter().map(|loss| loss.field).collect();
    assert_eq!(fields, ["body", "subtitle", "title"]);
    let payload: Value = serde_json::from_slice(&made.payload()).unwrap();
    let alert = &payload["aps"]["alert"];
    assert_eq!((&alert["body"], &alert["subtitle"]), (&json!("…"), &json!("…")));
    assert!(alert["title"].as_str().unwrap().ends_with("t…"));
    assert_eq!(made.payload().len(), 4096);
}

#[test]
fn a_campaign_encodes_once_for_an_app() {
    let vectors = vectors();
    let first = now(&vectors);
    let notification = Notification::builder().title("Sale").ttl(160).build().unwrap();
    let mut campaign = Campaign::new(notification);
    let apns =
        |app: &str, token: &str| device(&json!({"service": "apns", "app": app, "token": token})).unwrap();
    let body = |message: Message| match message {
        Message::Apns(message) => message.body().clone(),
        other => panic!("{other:?}"),
    };
    let one = body(campaign.message(&apns("com.example.a", "ab"), first).unwrap());
    let two = body(campaign.message(&apns("com.example.a", "cd"), first).unwrap());
    assert!(std::sync::Arc::ptr_eq(&one, &two), "the body is shared");
    // The time to live counts from each message.
    let later = first.after(Duration::from_secs(100));
    let Message::Apns(message) = campaign.message(&apns("com.example.b", "ab"), later).unwrap() else {
        panic!("another service");
    };
    let until = UnixTime::from_secs(later.unix.as_secs() + 160);
    assert_eq!(message.expiration(), pushcore::apns::Expiration::Until(until));
    // FCM takes none for Apple's devices, so that its message is made anew before it is far off.
    let fcm = device(&json!({"service": "fcm", "token": "t"})).unwrap();
    let mut expirations = Vec::new();
    for secs in [0, 10, 11] {
        let at = first.after(Duration::from_secs(secs));
        let payload: Value = serde_json::from_slice(&campaign.message(&fcm, at).unwrap().payload()).unwrap();
        let text = payload["message"]["apns"]["headers"]["apns-expiration"]
            .as_str()
            .unwrap()
            .to_owned();
        expirations.push(text.parse::<u64>().unwrap() - first.unix.as_secs());
    }
    assert_eq!(expirations, [160, 160, 171]);
}

#[test]
fn a_message_is_for_the_devices_of_its_app() {
    let vectors = vectors();
    let notification = Notification::builder().title("Sale").build().unwrap();
    let a = device(&json!({"service": "apns", "app": "com.example.a", "token": "ab"})).unwrap();
    let b = device(&json!({"service": "apns", "app": "com.example.b", "token": "ab"})).unwrap();
    let rendered = notification.render(a.app(), now(&vectors)).unwrap();
    assert_eq!(
        rendered.to(&b, now(&vectors)).unwrap_err().kind(),
        ErrorKind::Misuse
    );
    // A template goes to topics as well.
    let fcm = device(&json!({"service": "fcm", "token": "t"})).unwrap();
    let rendered = notification.render(fcm.app(), now(&vectors)).unwrap();
    let topic = pushcore::service::Target::parse(Kind::Fcm, r#"{"topic":"news"}"#).unwrap();
    assert!(rendered.template().to(&topic).is_ok());
}

fn token(text: &Value) -> pushcore::apns::DeviceToken {
    pushcore::apns::DeviceToken::parse(text.as_str().unwrap()).unwrap()
}

#[test]
fn live_activities_refuse_what_a_device_would_ignore() {
    use pushcore::apns::{BundleId, ChannelId, StoragePolicy};
    use pushcore::notification::{Activity, Change, Start};
    let vectors = vectors();
    for row in rows(&vectors, "activities") {
        let bundle = BundleId::parse(row["bundle"].as_str().unwrap()).unwrap();
        let mut activity = match (row.get("channel"), row.get("running")) {
            (Some(channel), _) => {
                let policy = u8::try_from(row["storage_policy"].as_u64().unwrap()).unwrap();
                Activity::on_channel(
                    bundle,
                    ChannelId::parse(channel.as_str().unwrap()).unwrap(),
                    StoragePolicy::from_u8(policy).unwrap(),
                )
            }
            (_, Some(update_token)) => Activity::running(bundle, token(update_token), None),
            _ => Activity::new(bundle),
        };
        for (number, step) in row["steps"].as_array().unwrap().iter().enumerate() {
            let name = format!("{} step {number}: {step}", row["name"]);
            // Over a restart, between any two steps.
            let before = activity.to_json();
            activity =
                Activity::from_json(before.as_bytes()).unwrap_or_else(|error| panic!("{name}: {error}"));
            assert_eq!(activity.to_json(), before, "{name}");
            let at = UnixTime::from_secs(step["at"].as_u64().unwrap());
            let change = || Change::from_json(step["change"].to_string().as_bytes()).unwrap();
            let made = match step["do"].as_str().unwrap() {
                "start" => {
                    let start = Start::from_json(step["start"].to_string().as_bytes()).unwrap();
                    activity
                        .start(&start, &change(), token(&step["token"]), at)
                        .map(Some)
                }
                "update" => activity.update(&change(), at).map(Some),
                "end" => activity.end(&change(), at).map(Some),
                "token" => activity.token_received(token(&step["token"])).map(|()| None),
                "answer" => {
                    activity.answered(&outcome(&json!({"kind": step["outcome"]})), at);
                    Ok(None)
                }
                other => panic!("{other}"),
            };
            if let Some(expected) = step.get("error") {
                let error = made.expect_err(&name);
                if expected != "*" {
                    assert_eq!(error.kind(), kind(expected), "{name}: {error}");
                }
                if let Some(context) = step.get("context") {
                    assert_eq!(error.context(), context, "{name}");
                }
                assert_eq!(
                    activity.to_json(),
                    before,
                    "what is refused changes nothing: {name}"
                );
                continue;
            }
            let made = made.unwrap_or_else(|error| panic!("{name}: {error}"));
            if let Some(body) = step.get("body") {
                let made = made.unwrap();
                let payload: Value = serde_json::from_slice(&made.payload()).unwrap();
                assert_eq!(payload, *body, "{name}");
                let form: Value = serde_json::from_str(&made.to_json()).unwrap();
                for (member, field) in [
                    ("to", "device"),
                    ("channel", "channel"),
                    ("topic", "topic"),
                    ("priority", "priority"),
                ] {
                    if let Some(expected) = step.get(member) {
                        assert_eq!(form[field], *expected, "{name}");
                    }
                }
            }
            assert_eq!(activity.phase(), step["phase"], "{name}");
            if let Some(stale) = step.get("stale") {
                assert_eq!(activity.is_stale(at), *stale, "{name}");
            }
            assert!(!format!("{activity:?}").contains("cdcd"), "Debug tells a token");
        }
    }
}

/// A generator of small numbers (splitmix64): the same in every run.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, limit: usize) -> usize {
        usize::try_from(self.next() % limit as u64).unwrap()
    }

    fn text(&mut self) -> String {
        const PARTS: &[&str] = &[
            "a",
            "\"",
            "\\",
            "\n",
            "\u{0}",
            "é",
            "e\u{301}",
            "😀",
            "👨‍👩‍👧",
            "\u{2028}",
            "%",
        ];
        let count = 1 + self.below(12);
        (0..count).map(|_| PARTS[self.below(PARTS.len())]).collect()
    }
}

/// A notification of random fields, with texts of up to a multiple of what services take.
fn random(random: &mut Random) -> Value {
    let mut map = Map::new();
    let mut maybe =
        |map: &mut Map<String, Value>, name: &str, value: &mut dyn FnMut(&mut Random) -> Value| {
            if random.below(2) == 0 {
                map.insert(name.into(), value(random));
            }
        };
    for name in ["title", "subtitle", "body"] {
        maybe(&mut map, name, &mut |random| match random.below(4) {
            0 => json!({"key": random.text(), "args": [random.text()], "text": random.text()}),
            1 => json!({"key": random.text()}),
            2 => random.text().repeat(1 + random.below(2000)).into(),
            _ => random.text().into(),
        });
    }
    for name in ["sound", "thread", "category", "channel", "collapse_key", "icon"] {
        maybe(&mut map, name, &mut |random| random.text().into());
    }
    maybe(&mut map, "image", &mut |_| "https://img.example/a.png".into());
    maybe(&mut map, "badge", &mut |random| (random.next() as u32).into());
    maybe(&mut map, "ttl", &mut |random| (random.next() as u32).into());
    maybe(&mut map, "data", &mut |random| {
        let (key, value) = (random.text(), random.text().repeat(1 + random.below(50)));
        json!({key: value})
    });
    maybe(&mut map, "urgency", &mut |random| {
        ["very_low", "low", "normal", "high"][random.below(4)].into()
    });
    maybe(&mut map, "action", &mut |random| match random.below(3) {
        0 => json!({"url": "https://a.example/x"}),
        1 => json!({"deep_link": "app:x"}),
        _ => "open".into(),
    });
    maybe(
        &mut map,
        "buttons",
        &mut |random| json!([{"id": random.text(), "title": random.text()}]),
    );
    maybe(&mut map, "shorten", &mut |_| true.into());
    map.into()
}

#[test]
fn any_notification_is_a_message_or_a_typed_refusal() {
    let vectors = vectors();
    let now = now(&vectors);
    let devices: Vec<Device> = rows(&vectors, "messages")
        .iter()
        .filter(|row| row["name"].as_str().unwrap().starts_with("everything"))
        .map(|row| device(&row["device"]).unwrap())
        .collect();
    assert_eq!(devices.len(), 9);
    let mut numbers = Random(18);
    let (mut made, mut refused) = (0, BTreeSet::new());
    for _ in 0..100 {
        let json = random(&mut numbers);
        let notification = match Notification::from_json(json.to_string().as_bytes()) {
            Ok(notification) => notification,
            Err(error) => {
                assert_eq!(error.kind(), ErrorKind::MissingField, "{error}");
                continue;
            }
        };
        let back = Notification::from_json(notification.to_json().as_bytes()).unwrap();
        assert_eq!(back, notification);
        for device in &devices {
            match message(&notification, device, now) {
                Ok((message, losses)) => {
                    made += 1;
                    // The service's own form reads back to the same request.
                    let again = Message::from_json(message.kind(), message.to_json().as_bytes()).unwrap();
                    assert_eq!(again.payload(), message.payload());
                    for loss in losses {
                        assert!(json.get(loss.field).is_some(), "{} is not in {json}", loss.field);
                    }
                }
                Err(error) => {
                    refused.insert(error.kind().name());
                    // A text that is too long for one field is not quoted.
                    assert!(error.to_string().len() < 300, "{error}");
                }
            }
        }
    }
    assert!(made > 500, "{made} messages");
    let expected = ["MissingField", "PayloadTooLarge"];
    assert_eq!(refused.into_iter().collect::<Vec<_>>(), expected);
}

#[test]
fn damaged_json_is_refused_and_never_more() {
    let vectors = vectors();
    let mut numbers = Random(7);
    let mut texts: Vec<String> = Vec::new();
    for (section, member) in [
        ("devices", "json"),
        ("messages", "notification"),
        ("retries", "policy"),
    ] {
        texts.extend(rows(&vectors, section).iter().map(|row| row[member].to_string()));
    }
    texts.push(Attempts::begin(now(&vectors).unix).to_json());
    texts.push(r#"{"bundle":"com.example.app","phase":"running","token":"abab","timestamp":1}"#.into());
    for text in &texts {
        for _ in 0..40 {
            let mut bytes = text.clone().into_bytes();
            if bytes.len() > 3000 {
                continue;
            }
            for _ in 0..1 + numbers.below(3) {
                let at = numbers.below(bytes.len());
                match numbers.below(4) {
                    0 => bytes[at] = numbers.next() as u8,
                    1 => drop(bytes.remove(at)),
                    2 => bytes.insert(at, b"{}[]\",:0-\\"[numbers.below(10)]),
                    _ => bytes.truncate(at.max(1)),
                }
                if bytes.is_empty() {
                    break;
                }
            }
            let known = |result: Result<(), Error>| {
                if let Err(error) = result {
                    assert_ne!(error.kind(), ErrorKind::Internal, "{error}");
                    assert!(error.to_string().len() < 300, "{error}");
                }
            };
            known(Device::from_json(&bytes).map(drop));
            known(Notification::from_json(&bytes).map(drop));
            known(Retries::from_json(&bytes).map(drop));
            known(Attempts::from_json(&bytes).map(drop));
            known(pushcore::notification::Activity::from_json(&bytes).map(drop));
            known(pushcore::notification::Change::from_json(&bytes).map(drop));
            known(pushcore::notification::Start::from_json(&bytes).map(drop));
        }
    }
}
