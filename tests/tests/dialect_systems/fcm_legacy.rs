use pushcore::dialect::System;
use serde_json::{Value, json};

use super::host::{Answer, Host, NOW};

const HEADERS: &[(&str, &str)] = &[
    ("Authorization", "key=SERVER"),
    ("Content-Type", "application/json"),
];

fn host() -> Host {
    Host::new(System::FcmLegacy, &json!({}))
        .with_token("SERVER", json!(["project"]))
        .with_token("PROVIDER-API-KEY", json!(["blog"]))
}

fn send(host: &mut Host, body: &Value) -> Answer {
    host.request("POST", "/fcm/send", HEADERS, &body.to_string())
}

fn message(host: &Host) -> Value {
    let form: Value = serde_json::from_str(&host.sent.last().unwrap().message.to_json()).unwrap();
    form.get("message").cloned().unwrap_or(form)
}

/// An answer without the number that no two requests share.
fn counted(answer: &Answer) -> Value {
    assert_eq!(answer.status, 200, "{answer:?}");
    let mut body = answer.json();
    let number = body["multicast_id"].as_u64().unwrap();
    assert!((1..1 << 53).contains(&number), "{number}");
    body.as_object_mut().unwrap().remove("multicast_id");
    body
}

#[test]
fn m_hug_blog_send() {
    let mut host = host();
    let id = "projects/blog/messages/0:1500415314455276%31bd1c9631bd1c96";
    host.results.insert(
        "tok1".to_owned(),
        json!({"outcome": "accepted", "status": 200, "id": id}),
    );
    // The blog's app sends its key without a scheme, to /send.
    let answer = host.recorded("hug_blog_send_mitm");
    assert_eq!(
        counted(&answer),
        json!({
            "success": 1, "failure": 0, "canonical_ids": 0,
            "results": [{"message_id": "0:1500415314455276%31bd1c9631bd1c96"}],
        })
    );
    assert_eq!(
        message(&host),
        json!({"token": "tok1", "notification": {"title": "New Notification", "body": "hi"}})
    );
    assert_eq!(host.sent[0].channel.scope, "blog");
}

#[test]
fn m_every_field_of_the_legacy_reference() {
    let mut host = host();
    let body = json!({
        "registration_ids": ["a", "b"], "priority": "high", "time_to_live": 3600, "collapse_key": "k",
        "restricted_package_name": "com.example", "content_available": true, "mutable_content": true,
        "data": {"a": 1, "b": "x", "c": {"d": null}, "e": true},
        "notification": {
            "title": "T", "body": "B", "android_channel_id": "c", "icon": "i", "sound": "s", "tag": "t", "badge": "3",
            "color": "#ff0000", "click_action": "OPEN", "subtitle": "S", "body_loc_key": "k",
            "body_loc_args": "[\"x\",2]", "title_loc_key": "l", "title_loc_args": ["y"],
        },
    });
    let answer = send(&mut host, &body);
    assert_eq!(
        counted(&answer),
        json!({
            "success": 2, "failure": 0, "canonical_ids": 0,
            "results": [{"message_id": "id-1"}, {"message_id": "id-1"}],
        })
    );
    assert_eq!(
        message(&host),
        json!({
            "token": "b",
            "notification": {"title": "T", "body": "B"},
            "data": {"a": "1", "b": "x", "c": "{\"d\":null}", "e": "true"},
            "android": {
                "priority": "HIGH", "ttl": "3600s", "collapse_key": "k", "restricted_package_name": "com.example",
                "notification": {
                    "channel_id": "c", "icon": "i", "sound": "s", "tag": "t", "color": "#ff0000",
                    "click_action": "OPEN", "body_loc_key": "k", "body_loc_args": ["x", "2"], "title_loc_key": "l",
                    "title_loc_args": ["y"],
                },
            },
            "apns": {
                "headers": {
                    "apns-priority": "10", "apns-expiration": (NOW + 3600).to_string(), "apns-collapse-id": "k",
                },
                "payload": {"aps": {
                    "alert": {
                        "title": "T", "subtitle": "S", "body": "B", "title-loc-key": "l", "loc-key": "k",
                        "title-loc-args": ["y"], "loc-args": ["x", "2"],
                    },
                    "sound": "s", "category": "OPEN", "badge": 3, "content-available": 1, "mutable-content": 1,
                }},
            },
            "webpush": {"headers": {"TTL": "3600"}},
        })
    );
    assert!(host.warnings.is_empty(), "{:?}", host.warnings);
}

#[test]
fn m_results_are_in_the_order_of_the_request() {
    let mut host = host();
    let tokens = [
        "fine", "gone", "other", "quota", "down", "apple", "strange", "lost", "login",
    ];
    for (token, answer) in [
        (
            "gone",
            json!({"outcome": "token_gone", "status": 404, "reason": "UNREGISTERED"}),
        ),
        (
            "other",
            json!({"outcome": "token_mismatch", "status": 403, "reason": "SENDER_ID_MISMATCH"}),
        ),
        (
            "quota",
            json!({"outcome": "retry_later", "status": 429, "reason": "QUOTA_EXCEEDED"}),
        ),
        (
            "down",
            json!({"outcome": "retry_later", "status": 503, "reason": "UNAVAILABLE"}),
        ),
        (
            "apple",
            json!({"outcome": "fix_credentials", "status": 401, "reason": "THIRD_PARTY_AUTH_ERROR"}),
        ),
        (
            "strange",
            json!({"outcome": "token_mismatch", "status": 400, "reason": "INVALID_ARGUMENT"}),
        ),
        // 501: written, no answer.
        (
            "lost",
            json!({"outcome": "error", "error": 501, "text": "no answer"}),
        ),
        (
            "login",
            json!({"outcome": "fix_credentials", "status": 401, "reason": "UNAUTHENTICATED"}),
        ),
    ] {
        host.results.insert(token.to_owned(), answer);
    }
    let answer = send(
        &mut host,
        &json!({"registration_ids": tokens, "data": {"a": "b"}}),
    );
    let body = counted(&answer);
    assert_eq!((&body["success"], &body["failure"]), (&json!(1), &json!(8)));
    let words: Vec<&str> = body["results"].as_array().unwrap()[1..]
        .iter()
        .map(|result| result["error"].as_str().unwrap())
        .collect();
    assert_eq!(
        words,
        [
            "NotRegistered",
            "MismatchSenderId",
            "DeviceMessageRateExceeded",
            "Unavailable",
            "InvalidApnsCredential",
            "InvalidRegistration",
            "Unavailable",
            "InternalServerError",
        ]
    );
}

#[test]
fn m_topics_and_conditions() {
    let mut host = host();
    let id =
        json!({"outcome": "accepted", "status": 200, "id": "projects/project/messages/6177433633397011933"});
    host.results.insert("news".to_owned(), id.clone());
    let answer = send(
        &mut host,
        &json!({"to": "/topics/news", "notification": {"body": "b"}}),
    );
    assert_eq!(
        (answer.status, answer.json()),
        (200, json!({"message_id": 6_177_433_633_397_011_933_u64}))
    );
    assert_eq!(
        message(&host),
        json!({"topic": "news", "notification": {"body": "b"}})
    );
    let condition = "'a' in topics && 'b' in topics";
    host.results.insert(condition.to_owned(), id);
    let answer = send(&mut host, &json!({"condition": condition, "data": {"a": "b"}}));
    assert_eq!(answer.json()["message_id"], 6_177_433_633_397_011_933_u64);
    assert_eq!(message(&host)["condition"], condition);
    let quota = json!({"outcome": "retry_later", "status": 429, "reason": "QUOTA_EXCEEDED"});
    host.results.insert("news".to_owned(), quota);
    let answer = send(&mut host, &json!({"to": "/topics/news", "data": {"a": "b"}}));
    assert_eq!(
        (answer.status, answer.json()),
        (200, json!({"error": "TopicsMessageRateExceeded"}))
    );
}

#[test]
fn m_a_dry_run_sends_nothing() {
    let mut host = host();
    let answer = send(
        &mut host,
        &json!({"to": "t", "dry_run": true, "data": {"a": "b"}}),
    );
    assert_eq!(
        counted(&answer)["results"],
        json!([{"message_id": "fake_message_id"}])
    );
    let form: Value = serde_json::from_str(&host.sent[0].message.to_json()).unwrap();
    assert_eq!(form["validate_only"], true);
}

#[test]
fn m_what_pyfcm_and_browsers_send() {
    let mut host = host();
    // PyFCM has an empty notification beside data, and a high priority always.
    send(
        &mut host,
        &json!({"to": "t", "priority": "high", "notification": {}, "data": {"a": "b"}}),
    );
    assert_eq!(
        message(&host),
        json!({
            "token": "t", "data": {"a": "b"}, "android": {"priority": "HIGH"},
            "apns": {"headers": {"apns-priority": "5"}},
        })
    );
    let link = json!({"to": "t", "notification": {"title": "t", "click_action": "https://example.com/"}});
    send(&mut host, &link);
    assert_eq!(
        message(&host)["webpush"],
        json!({"fcm_options": {"link": "https://example.com/"}})
    );
    send(
        &mut host,
        &json!({"to": "t", "data": {"a": "b"}, "delay_while_idle": true, "foo": 1}),
    );
    assert_eq!(
        host.warnings,
        [
            "delay_while_idle is left out: Google ignores it since 2016",
            "foo is no field of FCM's legacy API: it is left out",
        ]
    );
}

#[test]
fn m_forms_of_gcm_clients() {
    let mut host = host();
    let headers = &[
        ("Authorization", "key=SERVER"),
        ("Content-Type", "application/x-www-form-urlencoded;charset=UTF-8"),
    ][..];
    let body =
        "registration_id=t+1%2F&collapse_key=k&data.score=5%3A1&data.name=%C3%A9&time_to_live=60&dry_run=0";
    let answer = host.request("POST", "/gcm/send", headers, body);
    assert_eq!(
        (answer.status, answer.text.as_str()),
        (200, "Error=InvalidRegistration")
    );
    let answer = host.request("POST", "/gcm/send", headers, &body.replace("t+1%2F", "t1"));
    assert_eq!((answer.status, answer.text.as_str()), (200, "id=id-1"));
    let sent = message(&host);
    assert_eq!(
        (&sent["token"], &sent["data"]),
        (&json!("t1"), &json!({"score": "5:1", "name": "é"}))
    );
    assert_eq!(
        (&sent["android"]["ttl"], &sent["android"]["collapse_key"]),
        (&json!("60s"), &json!("k"))
    );
    host.results.insert(
        "t1".to_owned(),
        json!({"outcome": "token_gone", "status": 404, "reason": "UNREGISTERED"}),
    );
    assert_eq!(
        host.request("POST", "/gcm/send", headers, "registration_id=t1")
            .text,
        "Error=NotRegistered"
    );
    assert_eq!(
        host.request("POST", "/gcm/send", headers, "data.a=b").text,
        "Error=MissingRegistration"
    );
}

#[test]
fn m_auth_401() {
    let mut host = host();
    let body = r#"{"to":"t","data":{"a":"b"}}"#;
    for (value, status) in [
        ("key=SERVER", 200),
        ("key = SERVER", 200),
        ("Key=SERVER", 200),
        ("SERVER", 200),
        ("key=other", 401),
        ("key=", 401),
        ("", 401),
        ("Bearer SERVER", 401),
    ] {
        let headers = &[("Authorization", value), HEADERS[1]];
        assert_eq!(
            host.request("POST", "/fcm/send", headers, body).status,
            status,
            "{value}"
        );
    }
    assert_eq!(host.request("POST", "/fcm/send", &HEADERS[1..], body).status, 401);
    let twice = &[HEADERS[0], HEADERS[0], HEADERS[1]];
    assert_eq!(host.request("POST", "/fcm/send", twice, body).status, 401);
}

#[test]
fn m_bad_input() {
    let mut host = host();
    let many: Vec<String> = (0..1001).map(|number| number.to_string()).collect();
    let many = json!({"registration_ids": many}).to_string();
    for (body, text) in [
        ("", "JSON_PARSING_ERROR: not json at line 1, column 0"),
        ("{", "JSON_PARSING_ERROR: not json at line 1, column 1"),
        ("[]", "JSON_TYPE_ERROR: the body is not a JSON object"),
        ("{}", "to"),
        (r#"{"to":1}"#, "Field \"to\" must be a JSON string"),
        (r#"{"to":"t","data":"x"}"#, "Field \"data\" must be a JSON object"),
        (
            r#"{"registration_ids":"t"}"#,
            "Field \"registration_ids\" must be a JSON array",
        ),
        (
            r#"{"registration_ids":[]}"#,
            "\"registration_ids\" field cannot be empty",
        ),
        (
            r#"{"registration_ids":[1]}"#,
            "Field \"registration_ids\" must be an array of JSON strings",
        ),
        (
            many.as_str(),
            "Number of messages on bulk (1001) exceeds maximum allowed (1000)",
        ),
        (
            r#"{"to":"t","registration_ids":["t"]}"#,
            "Must use exactly one of the fields \"to\", \"registration_ids\" and \"condition\"",
        ),
    ] {
        let answer = host.request("POST", "/fcm/send", HEADERS, body);
        assert_eq!((answer.status, answer.text.as_str()), (400, text), "{body:.80}");
    }
    for (body, word) in [
        (json!({"to": "", "data": {"a": "b"}}), "MissingRegistration"),
        (json!({"to": "a b", "data": {"a": "b"}}), "InvalidRegistration"),
        (json!({"to": "t", "data": {"from": "b"}}), "InvalidDataKey"),
        (json!({"to": "t", "data": {"google.x": "b"}}), "InvalidDataKey"),
        (
            json!({"to": "t", "data": {"a": "x".repeat(5000)}}),
            "MessageTooBig",
        ),
        (json!({"to": "t", "time_to_live": 2_419_201}), "InvalidTtl"),
        (json!({"to": "t", "time_to_live": -1}), "InvalidTtl"),
    ] {
        let answer = send(&mut host, &body);
        let expected = json!({"success": 0, "failure": 1, "canonical_ids": 0, "results": [{"error": word}]});
        assert_eq!(counted(&answer), expected, "{word}");
    }
    assert!(host.sent.is_empty());
    assert_eq!(host.request("GET", "/fcm/send", HEADERS, "").status, 405);
    assert_eq!(host.request("POST", "/", HEADERS, "").status, 404);
}
