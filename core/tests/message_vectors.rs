//! Runs `tests/vectors/{fcm,adm,baidu}.json`, which Python runs too (its messages in
//! `bindings/python/tests/test_messages_json.py`). The
//! checksums and signatures in them were computed by another implementation (Python's
//! hashlib), most of FCM's bodies equal what firebase-admin sends (`tests/interop/fcm`).

#![allow(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    reason = "a test may read files, and may fail"
)]

use std::time::Duration;

use pushcore::http::Response;
use pushcore::outcome::Reason;
use pushcore::service::{self, Kind};
use pushcore::{Now, Outcome, UnixTime, adm, baidu, fcm};
use serde_json::Value;

const NOW: Now = Now::new(Duration::ZERO, UnixTime::from_secs(784_111_747));

fn vectors(name: &str) -> Value {
    let path = format!("{}/../tests/vectors/{name}.json", env!("CARGO_MANIFEST_DIR"));
    serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
}

fn list<'a>(vectors: &'a Value, name: &str) -> &'a [Value] {
    let list = vectors[name].as_array().unwrap();
    assert!(!list.is_empty());
    list
}

/// The text of a form: the row's own, or the object's.
fn json_of(form: &Value) -> String {
    form.as_str().map_or_else(|| form.to_string(), str::to_owned)
}

/// Rows that must be refused, with the kind of the error and the beginning of its text.
fn check_refusals(kind: Kind, vectors: &Value) {
    for case in list(vectors, "invalid") {
        let form = case.get("message").unwrap_or(&case["json"]);
        let error = service::Message::from_json(kind, json_of(form).as_bytes()).unwrap_err();
        assert_eq!(error.kind().name(), case["error"], "{}: {error}", case["name"]);
        let path = case["path"].as_str().unwrap_or("message");
        assert!(error.context().starts_with(path), "{}: {error}", case["name"]);
    }
}

fn check_outcomes(vectors: &Value, read: impl Fn(&Response) -> Outcome) {
    for case in list(vectors, "decode") {
        let name = &case["name"];
        let body = match &case["body"] {
            Value::String(text) => text.clone(),
            other => other.to_string(),
        };
        let status = u16::try_from(case["status"].as_u64().unwrap()).unwrap();
        let mut response = Response::new(status, body);
        for (name, value) in case["headers"].as_object().unwrap() {
            response = response.with_header(name, value.as_str().unwrap());
        }
        let (outcome, expect) = (read(&response), &case["expect"]);
        assert_eq!(outcome.name(), expect["outcome"], "{name}");
        assert_eq!(
            outcome.reason().map(Reason::as_str),
            expect["reason"].as_str(),
            "{name}"
        );
        match outcome {
            Outcome::Accepted(it) => {
                assert_eq!(
                    it.id.as_ref().map(|id| id.as_str()),
                    expect["id"].as_str(),
                    "{name}"
                );
                assert_eq!(it.replacement(), expect["replacement"].as_str(), "{name}");
            }
            Outcome::TokenMismatch(it) => {
                let suspects: Vec<_> = it.suspects.iter().map(|suspect| suspect.name()).collect();
                assert_eq!(Value::from(suspects), expect["suspects"], "{name}");
            }
            Outcome::RetryLater(it) => {
                assert_eq!(
                    it.after.map(|after| after.as_secs()),
                    expect["after"].as_u64(),
                    "{name}"
                );
                assert_eq!(it.scope.name(), expect["scope"], "{name}");
            }
            Outcome::FixCredentials(it) => assert_eq!(it.refreshable, expect["refreshable"], "{name}"),
            _ => {}
        }
    }
}

#[test]
fn fcm_vectors() {
    let vectors = vectors("fcm");
    let project = fcm::ProjectId::new("my-app").unwrap();
    let credentials = fcm::Credentials::host_tokens(project);
    credentials
        .supply_token("t", Duration::from_secs(60), NOW)
        .unwrap();
    for case in list(&vectors, "encode") {
        let message = fcm::Message::from_json(case["json"].to_string().as_bytes()).unwrap();
        let request = fcm::request(&message, &credentials, &fcm::Hosts::default(), NOW).unwrap();
        let body: Value = serde_json::from_slice(request.body.as_bytes()).unwrap();
        assert_eq!(body, case["body"], "{}", case["name"]);
        let expected = &vectors["request"];
        assert_eq!(request.method.as_str(), expected["method"]);
        assert_eq!(request.path.as_str(), expected["path"]);
        assert_eq!(
            request.authority.as_ref().unwrap().as_str(),
            expected["authority"]
        );
        assert_eq!(request.header("authorization"), Some("Bearer t"));
    }
    check_refusals(Kind::Fcm, &vectors);
    check_outcomes(&vectors, |response| fcm::outcome(response, NOW));
}

#[test]
fn adm_vectors() {
    let vectors = vectors("adm");
    for case in list(&vectors, "md5") {
        let data = case["data"].as_object().unwrap();
        let pairs = data
            .iter()
            .map(|(key, value)| (key.as_str(), value.as_str().unwrap()));
        assert_eq!(adm::md5(pairs), case["md5"]);
    }
    let expected = &vectors["request"];
    let credentials = adm::Credentials::new("id", "secret").unwrap();
    credentials
        .supply_token("t", Duration::from_secs(60), NOW)
        .unwrap();
    for case in list(&vectors, "encode") {
        let name = &case["name"];
        let authority = adm::default_authority();
        let request =
            match service::Message::from_json(Kind::Adm, json_of(&case["message"]).as_bytes()).unwrap() {
                service::Message::Adm(message) => adm::request(&message, &credentials, &authority, NOW),
                service::Message::AdmAudience(message) => {
                    adm::audience_request(&message, &credentials, &authority, NOW)
                }
                other => panic!("{other:?}"),
            };
        let request = request.unwrap();
        match case["text"].as_str() {
            Some(text) => assert_eq!(request.body.as_bytes(), text.as_bytes(), "{name}"),
            None => {
                let body: Value = serde_json::from_slice(request.body.as_bytes()).unwrap();
                assert_eq!(body, case["body"], "{name}");
            }
        }
        let path = case.get("path").unwrap_or(&expected["path"]);
        assert_eq!(request.path.as_str(), path, "{name}");
        assert_eq!(
            request.authority.as_ref().unwrap().as_str(),
            expected["authority"]
        );
        assert_eq!(request.header("authorization"), Some("Bearer t"));
    }
    check_refusals(Kind::Adm, &vectors);
    let used = adm::RegistrationId::new("used").unwrap();
    check_outcomes(&vectors, |response| adm::outcome(response, &used, NOW));
}

#[test]
fn adm_fetches_its_token() {
    let credentials = adm::Credentials::new("amzn1.client", "a&b=c").unwrap();
    assert!(credentials.token(NOW).fetch().is_some());
    assert!(credentials.token(NOW).fetch().is_none(), "once");
    let call = credentials.token_request(NOW).unwrap();
    assert_eq!(call.url(), "https://api.amazon.com/auth/O2/token");
    assert_eq!(
        call.request.header("content-type"),
        Some("application/x-www-form-urlencoded;charset=UTF-8")
    );
    assert_eq!(
        std::str::from_utf8(call.request.body.as_bytes()).unwrap(),
        "grant_type=client_credentials&scope=messaging%3Apush&client_id=amzn1.client&client_secret=a%26b%3Dc"
    );
    let answer =
        r#"{"access_token":"Atc|MQEB","expires_in":3600,"scope":"messaging:push","token_type":"bearer"}"#;
    credentials
        .accept_token(&Response::new(200, answer), NOW)
        .unwrap();
    let block = credentials.authorization(NOW).unwrap();
    assert_eq!(block.headers().get("authorization"), Some("Bearer Atc|MQEB"));
    assert!(credentials.token_refused(block.id(), NOW));
    let refusal = Response::new(
        401,
        r#"{"error":"INVALID_CLIENT","error_description":"Client authentication failed"}"#,
    );
    let error = credentials.accept_token(&refusal, NOW).unwrap_err();
    assert!(
        error
            .to_string()
            .contains("INVALID_CLIENT (Client authentication failed)")
    );
    assert!(!format!("{credentials:?}").contains("a&b=c"));
}

#[test]
fn baidu_vectors() {
    let vectors = vectors("baidu");
    let credentials = baidu::Credentials::new("AK", "SK").unwrap();
    let now = Now::new(Duration::ZERO, UnixTime::from_secs(1_500_000_000));
    for case in list(&vectors, "encode") {
        let message = match service::Message::from_json(Kind::Baidu, json_of(&case["message"]).as_bytes()) {
            Ok(service::Message::Baidu(message)) => message,
            other => panic!("{}: {other:?}", case["name"]),
        };
        let request = baidu::request(&message, &credentials, &baidu::default_authority(), now).unwrap();
        let body = std::str::from_utf8(request.body.as_bytes()).unwrap();
        assert_eq!(body, case["body"], "{}", case["name"]);
        assert_eq!(request.path.as_str(), case["path"]);
    }
    check_refusals(Kind::Baidu, &vectors);
    check_outcomes(&vectors, |response| baidu::outcome(response, now));
}
