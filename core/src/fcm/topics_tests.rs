use std::time::Duration;

use super::*;
use crate::fcm::ProjectId;
use crate::outcome::Reason;
use crate::time::UnixTime;

const NOW: Now = Now::new(Duration::ZERO, UnixTime::from_secs(1_700_000_000));

fn credentials() -> Credentials {
    let credentials = Credentials::host_tokens(ProjectId::new("my-app").unwrap());
    credentials
        .supply_token("t", Duration::from_secs(3600), NOW)
        .unwrap();
    credentials
}

fn id(text: &str) -> RegistrationId {
    RegistrationId::new(text).unwrap()
}

fn news() -> Topic {
    Topic::new("news~%").unwrap()
}

#[test]
fn subscriptions_are_written_idempotently() {
    let (credentials, hosts) = (credentials(), Hosts::default());
    let request = subscribe(&id("a:b/c"), &news(), &credentials, &hosts, NOW).unwrap();
    let url = "https://fcm.googleapis.com/v1/projects/my-app/registrations/a%3Ab%2Fc/topicSubscriptions";
    assert_eq!(request.method, Method::Patch);
    assert_eq!(request.url(), format!("{url}/news~%25?allow_missing=true"));
    assert_eq!(request.body.as_bytes(), b"{}");
    assert_eq!(request.header("authorization"), Some("Bearer t"));
    assert_eq!(request.header("content-type"), Some("application/json"));
    let request = unsubscribe(&id("a:b/c"), &news(), &credentials, &hosts, NOW).unwrap();
    assert_eq!(request.method, Method::Delete);
    assert_eq!(request.url(), format!("{url}/news~%25?allow_missing=true"));
    assert!(request.body.is_empty());
    let request = list(&id("a"), Some(2000), Some("p/+"), &credentials, &hosts, NOW).unwrap();
    assert_eq!(request.method, Method::Get);
    assert!(
        request
            .path
            .ends_with("/a/topicSubscriptions?page_size=2000&page_token=p%2F%2B")
    );
    let request = list(&id("a"), None, None, &credentials, &hosts, NOW).unwrap();
    assert!(request.path.ends_with("/a/topicSubscriptions"));
    for size in [0, 2001] {
        assert!(list(&id("a"), Some(size), None, &credentials, &hosts, NOW).is_err());
    }
    let dry = Credentials::host_tokens(ProjectId::new("my-app").unwrap());
    let error = subscribe(&id("a"), &news(), &dry, &hosts, NOW).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::TokenNeeded);
}

#[test]
fn already_subscribed_is_a_success() {
    let exists = r#"{"error":{"code":409,"message":"exists","status":"ALREADY_EXISTS"}}"#;
    for (status, body, name) in [
        (
            200,
            r#"{"name":"projects/p/registrations/r/topicSubscriptions/t"}"#,
            "accepted",
        ),
        (409, exists, "accepted"),
        (429, "", "retry_later"),
        (403, "", "fix_credentials"),
        (404, "", "fix_credentials"),
        (400, "", "rejected"),
    ] {
        assert_eq!(
            outcome(&Response::new(status, body), NOW).name(),
            name,
            "{status}"
        );
    }
    let again = outcome(&Response::new(409, exists), NOW);
    assert_eq!(again.reason().map(Reason::as_str), Some("ALREADY_EXISTS"));
}

#[test]
fn pages_are_read_in_both_spellings() {
    let body = r#"{"topicSubscriptions":[
        {"name":"projects/p/registrations/r/topicSubscriptions/a","topicName":"a","createTime":"2026-01-02T03:04:05Z"},
        {"name":"projects/p/registrations/r/topicSubscriptions/b"}, 7],"nextPageToken":"next"}"#;
    let read = page(&Response::new(200, body), NOW).unwrap();
    assert_eq!(read.next_page_token.as_deref(), Some("next"));
    let topics: Vec<_> = read.subscriptions.iter().map(|it| it.topic.as_str()).collect();
    assert_eq!(topics, ["a", "b"]);
    assert_eq!(
        read.subscriptions[0].create_time,
        Timestamp::parse("2026-01-02T03:04:05Z").ok()
    );
    let body =
        r#"{"topic_subscriptions":[{"name":"x","topic_name":"c","create_time":"?"}],"next_page_token":""}"#;
    let read = page(&Response::new(200, body), NOW).unwrap();
    assert_eq!((read.subscriptions.len(), read.next_page_token), (1, None));
    assert_eq!(page(&Response::new(200, "{}"), NOW).unwrap(), Page::default());
    assert_eq!(
        page(&Response::new(200, "<html>"), NOW).unwrap_err().status(),
        200
    );
    assert_eq!(
        page(&Response::new(503, ""), NOW).unwrap_err().name(),
        "retry_later"
    );
}

#[test]
fn legacy_batches_answer_by_position() {
    let (credentials, hosts) = (credentials(), Hosts::default());
    let tokens = [id("a"), id("b\"")];
    let request = legacy_batch(BatchAction::Add, &news(), &tokens, &credentials, &hosts, NOW).unwrap();
    assert_eq!(request.url(), "https://iid.googleapis.com/iid/v1:batchAdd");
    assert_eq!(request.header("access_token_auth"), Some("true"));
    assert_eq!(
        request.body.as_bytes(),
        br#"{"to":"/topics/news~%","registration_tokens":["a","b\""]}"#
    );
    let request = legacy_batch(BatchAction::Remove, &news(), &tokens, &credentials, &hosts, NOW).unwrap();
    assert!(request.path.ends_with(":batchRemove"));
    let many = vec![id("a"); LARGEST_BATCH + 1];
    assert!(legacy_batch(BatchAction::Add, &news(), &many, &credentials, &hosts, NOW).is_err());
    assert!(legacy_batch(BatchAction::Add, &news(), &[], &credentials, &hosts, NOW).is_err());

    let body = r#"{"results":[{},{"error":"NOT_FOUND"},{"error":"INTERNAL"},{"error":"TOO_MANY_TOPICS"},{"error":7}]}"#;
    let results = batch_results(&Response::new(200, body), 5, NOW).unwrap();
    assert_eq!(
        results,
        [
            BatchResult::Done,
            BatchResult::TokenGone,
            BatchResult::RetryLater("INTERNAL".into()),
            BatchResult::Rejected("TOO_MANY_TOPICS".into()),
            BatchResult::RetryLater("UNKNOWN".into()),
        ]
    );
    assert!(
        batch_results(&Response::new(200, body), 4, NOW).is_err(),
        "another count"
    );
    let whole = batch_results(&Response::new(401, r#"{"error":"Unauthorized"}"#), 1, NOW).unwrap_err();
    assert_eq!(whole.name(), "fix_credentials");
}
