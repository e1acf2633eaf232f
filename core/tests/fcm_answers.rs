//! The corpus of answers in `data/fcm_answers/`: each file has an answer as FCM gave
//! or may give it, where it comes from, and the verdict that it must get.

#![allow(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    reason = "a test may read files, and may fail"
)]

use std::path::Path;
use std::time::Duration;

use pushcore::http::Response;
use pushcore::outcome::Reason;
use pushcore::{Now, Outcome, UnixTime, fcm};
use serde_json::Value;

/// 30 seconds before the date that the corpus uses.
const NOW: Now = Now::new(Duration::ZERO, UnixTime::from_secs(784_111_747));

fn corpus() -> Vec<(String, Value)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/fcm_answers");
    let mut cases: Vec<_> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| {
            let path = entry.unwrap().path();
            let text = std::fs::read(&path).unwrap();
            let name = path.file_stem().unwrap().to_string_lossy().into_owned();
            (name, serde_json::from_slice(&text).unwrap())
        })
        .collect();
    cases.sort_by(|a, b| a.0.cmp(&b.0));
    cases
}

fn response(case: &Value) -> Response {
    let body = match &case["body"] {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    let status = u16::try_from(case["status"].as_u64().unwrap()).unwrap();
    let mut response = Response::new(status, body);
    for (name, value) in case["headers"].as_object().unwrap() {
        response = response.with_header(name, value.as_str().unwrap());
    }
    response
}

#[test]
fn every_answer_gets_its_verdict() {
    let corpus = corpus();
    assert!(corpus.len() >= 40, "{}", corpus.len());
    for (name, case) in corpus {
        let response = response(&case);
        let outcome = fcm::outcome(&response, NOW);
        let expect = &case["expect"];
        assert_eq!(outcome.name(), expect["outcome"], "{name}");
        assert_eq!(outcome.status(), response.status, "{name}");
        assert_eq!(outcome.body(), response.body, "{name}: the evidence is kept");
        assert_eq!(
            outcome.reason().map(Reason::as_str),
            expect["reason"].as_str(),
            "{name}"
        );
        if let Some(reason) = outcome.reason() {
            assert_eq!(reason.is_known(), expect["unknown_reason"].is_null(), "{name}");
        }
        match outcome {
            Outcome::Accepted(accepted) => {
                let id = accepted.id.as_ref().map(|id| id.as_str());
                assert_eq!(id, expect["id"].as_str(), "{name}");
            }
            Outcome::TokenMismatch(mismatch) => {
                let suspects: Vec<_> = mismatch.suspects.iter().map(|suspect| suspect.name()).collect();
                assert_eq!(Value::from(suspects), expect["suspects"], "{name}");
            }
            Outcome::RetryLater(later) => {
                let after = later.after.map(|after| after.as_secs());
                assert_eq!(after, expect["after"].as_u64(), "{name}");
                assert_eq!(later.scope.name(), expect["scope"], "{name}");
            }
            Outcome::FixCredentials(fix) => {
                assert_eq!(fix.refreshable, expect["refreshable"], "{name}");
                assert!(!fix.reconnect, "{name}");
            }
            _ => {}
        }
    }
}

/// Without its body, no answer drops a device: bodies get lost on the way.
#[test]
fn no_status_alone_drops_a_device() {
    for status in 0..=1000 {
        for body in [
            "",
            "{}",
            "null",
            "[]",
            "<html>",
            "{\"error\":null}",
            "{\"error\":\"x\"}",
            "\u{0}",
        ] {
            let outcome = fcm::outcome(&Response::new(status, body), NOW);
            assert_ne!(outcome.name(), "token_gone", "{status} {body}");
        }
    }
}

/// Whatever is cut off or overwritten, there is an outcome with the status that was sent.
#[test]
fn broken_bodies_never_lose_the_status() {
    for (name, case) in corpus() {
        let whole = response(&case);
        for cut in 0..whole.body.len() {
            let mut broken = whole.clone();
            broken.body.truncate(cut);
            broken.truncated = true;
            assert_eq!(
                fcm::outcome(&broken, NOW).status(),
                whole.status,
                "{name} cut at {cut}"
            );
            let mut broken = whole.clone();
            broken.body[cut] = 0xff;
            assert_eq!(
                fcm::outcome(&broken, NOW).status(),
                whole.status,
                "{name} broken at {cut}"
            );
        }
    }
    let deep = "[".repeat(100_000);
    assert_eq!(fcm::outcome(&Response::new(400, deep), NOW).name(), "rejected");
}
