//! Runs `tests/vectors/webpush.json`. The bodies in it are the RFC's, the drafts' and other
//! implementations'; the outcomes were written from the services' texts; Apple's topics were computed with Python's hashlib.

#![allow(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    reason = "a test may read files, and may fail"
)]

use std::time::Duration;

use pushcore::http::Response;
use pushcore::outcome::Reason;
use pushcore::service::{self, Kind};
use pushcore::webpush::{self, Endpoint, EndpointPolicy, ReceiverKeys, Subscription, Template, Topic};
use pushcore::{ErrorKind, Now, Outcome, UnixTime};
use serde_json::Value;

const NOW: Now = Now::new(Duration::ZERO, UnixTime::from_secs(784_111_747));

fn vectors() -> Value {
    serde_json::from_str(include_str!("../../tests/vectors/webpush.json")).unwrap()
}

fn texts(list: &Value) -> Vec<&str> {
    let list: Vec<&str> = list
        .as_array()
        .unwrap()
        .iter()
        .map(|text| text.as_str().unwrap())
        .collect();
    assert!(!list.is_empty());
    list
}

#[test]
fn the_table_of_attacks_is_refused() {
    let vectors = vectors();
    let endpoints = &vectors["endpoints"];
    let (default, any) = (
        EndpointPolicy::default(),
        EndpointPolicy::default().allow_any_public_host(),
    );
    let check = |policy: &EndpointPolicy, url: &str| Endpoint::parse(url).and_then(|it| policy.check(&it));
    for url in texts(&endpoints["allowed"]) {
        check(&default, url).unwrap_or_else(|error| panic!("{url}: {error}"));
    }
    let refused = texts(&endpoints["refused"]);
    assert!(refused.len() >= 40, "{}", refused.len());
    for url in refused {
        for policy in [&default, &any] {
            let kind = check(policy, url).expect_err(url).kind();
            let named = matches!(
                kind,
                ErrorKind::EndpointNotAllowed | ErrorKind::InvalidSubscription
            );
            assert!(named, "{url}: {kind}");
        }
    }
    for url in texts(&endpoints["refused_by_default"]) {
        assert_eq!(
            check(&default, url).expect_err(url).kind(),
            ErrorKind::EndpointNotAllowed
        );
        check(&any, url).unwrap_or_else(|error| panic!("{url}: {error}"));
    }
}

#[test]
fn topics() {
    let vectors = vectors();
    let apple =
        Subscription::without_keys("https://web.push.apple.com/x", &EndpointPolicy::default()).unwrap();
    for case in vectors["topics"].as_array().unwrap() {
        let topic = Topic::new(case["text"].as_str().unwrap());
        assert_eq!(topic.is_ok(), case["ok"].as_bool().unwrap(), "{case}");
        let Ok(topic) = topic else { continue };
        let message = Template::builder()
            .topic(topic)
            .build()
            .unwrap()
            .to(apple.clone())
            .unwrap();
        let key = pushcore::crypto::Es256Key::generate().unwrap();
        let credentials = webpush::Credentials::new(key, "mailto:push@example.com").unwrap();
        let request = webpush::request(&message, &credentials, NOW).unwrap();
        assert_eq!(request.header("topic"), case["apple"].as_str(), "{case}");
    }
}

#[test]
fn messages_become_these_requests() {
    use base64::Engine;
    let vectors = vectors();
    let receiver = &vectors["receive"][0];
    let text = |name: &str| receiver[name].as_str().unwrap();
    let keys = ReceiverKeys::import(text("private_key").as_bytes(), text("auth")).unwrap();
    let key = pushcore::crypto::Es256Key::generate().unwrap();
    let credentials = webpush::Credentials::new(key, "mailto:push@example.com").unwrap();
    let rows = vectors["encode"].as_array().unwrap();
    assert!(rows.len() >= 20);
    for row in rows {
        let name = &row["name"];
        let form = &row["message"];
        let form = form.as_str().map_or_else(|| form.to_string(), str::to_owned);
        let message = match service::Message::from_json(Kind::WebPush, form.as_bytes()) {
            Ok(service::Message::WebPush(message)) => message,
            Ok(other) => panic!("{name}: {other:?}"),
            Err(error) => {
                assert_eq!(error.kind().name(), row["error"], "{name}: {error}");
                assert!(
                    error.context().starts_with(row["path"].as_str().unwrap()),
                    "{name}: {error}"
                );
                continue;
            }
        };
        let request = webpush::request(&message, &credentials, NOW).unwrap();
        assert_eq!(request.method.as_str(), "POST", "{name}");
        assert_eq!(request.url(), row["url"].as_str().unwrap(), "{name}");
        let headers: serde_json::Map<String, Value> = request
            .all_headers()
            .filter(|header| header.name != "authorization")
            .map(|header| (header.name.to_owned(), header.value.into()))
            .collect();
        assert_eq!(&Value::Object(headers), &row["headers"], "{name}");
        let length = request.body.as_bytes().len().to_string();
        assert_eq!(row["headers"]["content-length"], length, "{name}");
        let base64 = base64::engine::general_purpose::URL_SAFE_NO_PAD;
        let plain = row["plain"].as_str().map(|text| text.as_bytes().to_vec());
        let plain = plain.or_else(|| {
            row["plain_base64"]
                .as_str()
                .map(|text| base64.decode(text).unwrap())
        });
        match plain {
            Some(plain) => assert_eq!(keys.decrypt(request.body.as_bytes()).unwrap(), plain, "{name}"),
            None => assert_eq!(length, "0", "{name}"),
        }
    }
}

#[test]
fn what_is_received() {
    use base64::Engine;
    let vectors = vectors();
    for case in vectors["receive"].as_array().unwrap() {
        let text = |name: &str| case[name].as_str().unwrap_or_default();
        let keys = ReceiverKeys::import(text("private_key").as_bytes(), text("auth")).unwrap();
        let body = base64::engine::general_purpose::URL_SAFE_NO_PAD
            .decode(text("body"))
            .unwrap();
        let plain = match case.get("crypto_key") {
            Some(_) => keys.decrypt_aesgcm(&body, text("crypto_key"), text("encryption")),
            None => keys.decrypt(&body),
        };
        match plain {
            Ok(plain) => assert_eq!(String::from_utf8(plain).unwrap(), text("plain"), "{case}"),
            Err(error) => assert_eq!(error.kind().name(), text("error"), "{case}"),
        }
    }
}

#[test]
fn answers() {
    let vectors = vectors();
    let rows = vectors["decode"].as_array().unwrap();
    assert!(rows.len() >= 80, "{}", rows.len());
    for case in rows {
        let name = &case["name"];
        let body = match &case["body"] {
            Value::String(text) => text.clone(),
            other => other.to_string(),
        };
        let mut response = Response::new(u16::try_from(case["status"].as_u64().unwrap()).unwrap(), body);
        for (name, value) in case["headers"].as_object().unwrap() {
            response = response.with_header(name, value.as_str().unwrap());
        }
        let (outcome, expect) = (webpush::outcome(&response, NOW), &case["expect"]);
        assert_eq!(outcome.name(), expect["outcome"], "{name}");
        assert_eq!(
            outcome.reason().map(Reason::as_str),
            expect["reason"].as_str(),
            "{name}"
        );
        match outcome {
            Outcome::Accepted(it) => {
                let seconds = it.ttl().map(|ttl| ttl.as_secs());
                assert_eq!(
                    it.id.as_ref().map(|id| id.as_str()),
                    expect["id"].as_str(),
                    "{name}"
                );
                assert_eq!(it.location(), expect["location"].as_str(), "{name}");
                assert_eq!(it.receipt(), expect["receipt"].as_str(), "{name}");
                assert_eq!(seconds, expect["ttl"].as_u64(), "{name}");
            }
            Outcome::TokenMismatch(it) => {
                let suspects: Vec<_> = it.suspects.iter().map(|suspect| suspect.name()).collect();
                assert_eq!(Value::from(suspects), expect["suspects"], "{name}");
            }
            Outcome::RetryLater(it) => {
                let seconds = it.after.map(|after| after.as_secs());
                assert_eq!(seconds, expect["after"].as_u64(), "{name}");
                assert_eq!(it.scope.name(), expect["scope"], "{name}");
            }
            Outcome::FixCredentials(it) => {
                assert_eq!(it.refreshable, expect["refreshable"], "{name}");
                assert_eq!(it.clock_skew, expect["clock_skew"].as_i64(), "{name}");
            }
            _ => {}
        }
    }
}
