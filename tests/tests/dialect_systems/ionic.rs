use pushcore::dialect::{Collection, System};
use serde_json::{Value, json};

use super::host::{Host, NOW};

const APP: &str = "YOUR_APP_ID";
/// `printf 'YOUR_PRIVATE_API_KEY:' | base64`
const HEADERS: &[(&str, &str)] = &[
    ("Authorization", "Basic WU9VUl9QUklWQVRFX0FQSV9LRVk6"),
    ("X-Ionic-Application-Id", APP),
    ("Content-Type", "application/json"),
];
const TOKEN: &str = "b284a6f7545368d2d3f753263e3e2f2b7795be5263ed7c95017f628730edeaad";
const SECOND: &str = "d609f7cba82fdd0a568d5ada649cddc5ebb65f08e7fc72599d8d47390bfc0f20";

fn host_with(options: &Value) -> Host {
    Host::new(System::Ionic, options)
        .with_token("YOUR_PRIVATE_API_KEY", json!([APP]))
        .with_token("another app's", json!(["other"]))
        .with(
            Collection::Channels,
            Some(APP),
            "APNS",
            json!({"BundleId": "com.example.app", "Sandbox": false}),
        )
}

fn host() -> Host {
    host_with(&json!({}))
}

/// The form of each message that was sent, with its payload read.
fn sent(host: &Host) -> Vec<Value> {
    host.sent
        .iter()
        .map(|send| {
            let mut form: Value = serde_json::from_str(&send.message.to_json()).unwrap();
            if let Some(raw) = form["payload"]["raw"].as_str() {
                form["payload"] = serde_json::from_str(raw).unwrap();
            }
            form
        })
        .collect()
}

fn push(host: &mut Host, body: &Value) -> (u16, Value) {
    let answer = host.request("POST", "/api/v1/push", HEADERS, &body.to_string());
    (answer.status, answer.json())
}

fn status(host: &mut Host, id: &str) -> Value {
    host.request("GET", &format!("/api/v1/status/{id}"), HEADERS, "")
        .json()
}

#[test]
fn m_ionic_both_bodies_of_its_documentation() {
    for label in [
        "ionic_body_1_py2_mitm",
        "ionic_body_1_py3_mitm",
        "ionic_body_1_py3_local",
    ] {
        let mut host = host();
        let answer = host.recorded(label);
        // 202, not 200: Ionic's command line takes nothing else for success.
        assert_eq!(
            (answer.status, answer.json()),
            (202, json!({"result": "queued", "message_id": "101"})),
            "{label}"
        );
        let messages = sent(&host);
        assert_eq!(messages.len(), 2);
        // The expiry of 2015 is sent as it is; the payload stands at the root and under `payload`.
        assert_eq!(
            messages[0],
            json!({
                "push_type": "alert", "topic": "com.example.app", "device": TOKEN, "expiration": 1_423_238_641,
                "priority": 10,
                "payload": {
                    "aps": {"alert": "Hello World!", "badge": 1, "sound": "ping.aiff", "content-available": 1},
                    "key1": "value", "key2": "value", "payload": {"key1": "value", "key2": "value"},
                },
            })
        );
        assert_eq!(host.sent[1].key, SECOND);
        assert!(!host.sent[0].channel.sandbox);
        assert!(host.warnings.is_empty(), "{:?}", host.warnings);
    }
    for label in [
        "ionic_body_2_state_py2_mitm",
        "ionic_body_2_state_py3_mitm",
        "ionic_body_2_state_py3_local",
    ] {
        let mut host = host();
        assert_eq!(host.recorded(label).status, 202, "{label}");
        let state = json!({"$state": "about", "$stateParams": "{\"id\": 1}"});
        assert_eq!(
            sent(&host)[0]["payload"],
            json!({
                "aps": {"alert": "Basic push!", "badge": 2},
                // $stateParams stays the text that the client parses.
                "$state": "about", "$stateParams": "{\"id\": 1}", "payload": state,
            })
        );
    }
}

#[test]
fn m_ionic_status() {
    let mut host = host();
    host.results.insert(
        SECOND.to_owned(),
        json!({"outcome": "token_gone", "status": 410, "reason": "Unregistered"}),
    );
    host.recorded("ionic_body_1_py3_local");
    let none = json!({"success": false, "failure_reason": "", "sent": 0});
    assert_eq!(
        status(&mut host, "101"),
        json!({
            "status": "Sent", "app_id": APP, "android": none,
            "errors": [{"token": SECOND, "platform": "ios", "error": "Unregistered"}],
            "ios": {"success": true, "failure_reason": "Unregistered", "sent": 1},
        })
    );
    host.results.insert(
        TOKEN.to_owned(),
        json!({"outcome": "token_gone", "status": 410, "reason": "Unregistered"}),
    );
    host.recorded("ionic_body_1_py3_local");
    let failed = status(&mut host, "102");
    assert_eq!(
        (&failed["status"], &failed["ios"]["success"]),
        (&json!("Failed"), &json!(false))
    );
    // The recorded request asks for an id that is nobody's here.
    let unknown = host.recorded("ionic_curl_status");
    assert_eq!(
        (unknown.status, unknown.json()),
        (404, json!({"result": "error", "message": "Not Found"}))
    );
}

#[test]
fn s_ionic_scheduled_is_written_down_and_told_when_it_was_sent() {
    let mut host = host();
    let at = NOW + 3600;
    let body = json!({
        "tokens": [TOKEN, SECOND, "an-android-token", "DEV-1"], "scheduled": at, "notification": {"alert": "later"},
    });
    assert_eq!(
        push(&mut host, &body),
        (202, json!({"result": "queued", "message_id": "101"}))
    );
    let told: Vec<_> = host
        .sent
        .iter()
        .map(|send| {
            (
                send.key.as_str(),
                send.at.unwrap().as_secs(),
                send.notification.as_deref(),
            )
        })
        .collect();
    assert_eq!(
        told,
        [
            (TOKEN, at, Some("101")),
            (SECOND, at, Some("101")),
            ("an-android-token", at, Some("101"))
        ]
    );
    let none = json!({"success": false, "failure_reason": "", "sent": 0});
    assert_eq!(
        status(&mut host, "101"),
        json!({"status": "Queued", "app_id": APP, "errors": [], "ios": none, "android": none, "scheduled": at})
    );
    host.tell(APP, "101", TOKEN, json!({"outcome": "accepted", "status": 200}));
    let gone = json!({"outcome": "token_gone", "status": 410, "reason": "Unregistered"});
    host.tell(APP, "101", SECOND, gone);
    let half = status(&mut host, "101");
    assert_eq!(
        (&half["status"], &half["ios"]["sent"]),
        (&json!("Queued"), &json!(1))
    );
    host.tell(
        APP,
        "101",
        "an-android-token",
        json!({"outcome": "error", "error": 501, "text": "nobody knows"}),
    );
    let over = status(&mut host, "101");
    assert_eq!(over["status"], "Sent");
    assert_eq!(
        over["ios"],
        json!({"success": true, "failure_reason": "Unregistered", "sent": 1})
    );
    assert_eq!(over["android"]["failure_reason"], "nobody knows");
    assert_eq!(over["errors"].as_array().unwrap().len(), 2);

    // A time that has passed is now; one in milliseconds is a mistake.
    let mut body = body;
    body["scheduled"] = json!(NOW - 1);
    host.sent.clear();
    assert_eq!(push(&mut host, &body).0, 202);
    assert!(host.sent.iter().all(|send| send.at.is_none()) && host.sent.len() == 3);
    body["scheduled"] = json!(at * 1000);
    let (code, text) = push(&mut host, &body);
    assert_eq!(
        (code, &text["message"]),
        (
            400,
            &json!("scheduled is more than a year ahead; it is in seconds")
        )
    );
    body["scheduled"] = Value::Null;
    assert_eq!(push(&mut host, &body).0, 202);
}

/// `scheduled` is an answer to a message that may wait, and to no other.
#[test]
fn a_message_for_now_is_not_scheduled() {
    let mut host = host();
    host.results
        .insert(TOKEN.to_owned(), json!({"outcome": "scheduled"}));
    let body = json!({"tokens": [TOKEN], "notification": {"alert": "now"}}).to_string();
    let refused = host.try_request("POST", "/api/v1/push", HEADERS, &body);
    assert_eq!(refused.unwrap_err().kind(), pushcore::ErrorKind::InvalidValue);
}

#[test]
fn m_ionic_an_app_without_a_certificate_has_ionics_own_error() {
    let mut host = Host::new(System::Ionic, &json!({})).with_token("YOUR_PRIVATE_API_KEY", Value::Null);
    assert_eq!(host.recorded("ionic_body_1_py3_local").status, 202);
    let status = status(&mut host, "101");
    assert_eq!(status["status"], "Failed");
    assert_eq!(
        status["ios"]["failure_reason"],
        "Push Error Code 302: See http://docs.ionic.io/docs/push-error-codes for more info."
    );
    assert!(host.sent.is_empty());
}

#[test]
fn m_ionic_android() {
    let body = json!({
        "tokens": ["APA91bAndroid"],
        "notification": {
            "alert": "Hello", "title": "T",
            "android": {
                "title": "A", "collapseKey": "foo", "delayWhileIdle": true, "timeToLive": 300,
                "payload": {"$state": "about", "$stateParams": "{\"id\": 1}"},
            },
        },
    });
    let mut host = host();
    assert_eq!(push(&mut host, &body).0, 202);
    let expected = json!({
        "token": "APA91bAndroid",
        "data": {
            "message": "Hello", "title": "A", "payload": "{\"$state\":\"about\",\"$stateParams\":\"{\\\"id\\\": 1}\"}",
        },
        "android": {"collapse_key": "foo", "ttl": "300s", "priority": "NORMAL"},
    });
    let message = |host: &Host| {
        let form = sent(host).remove(0);
        form.get("message").cloned().unwrap_or(form)
    };
    assert_eq!(message(&host), expected);
    assert_eq!(
        host.warnings,
        ["android.delayWhileIdle is a normal priority: FCM ignores the rest of its meaning"]
    );
    let mut host = host_with(&json!({"also_notification": true}));
    push(&mut host, &body);
    assert_eq!(
        message(&host)["notification"],
        json!({"title": "A", "body": "Hello"})
    );
}

#[test]
fn m_ionic_platform_of_a_token() {
    let registered = |token: &str, channel: &str, user: &str| json!({"Address": token, "ChannelType": channel, "User": {"UserId": user}});
    let hex = "ab".repeat(32);
    let mut host = host()
        .with(
            Collection::Endpoints,
            Some(APP),
            "1",
            registered("known", "APNS_SANDBOX", "anna"),
        )
        .with(
            Collection::Endpoints,
            Some(APP),
            "2",
            registered(&hex, "GCM", "anna"),
        )
        .with(
            Collection::Endpoints,
            Some(APP),
            "3",
            registered("amazon", "ADM", "anna"),
        )
        .with(
            Collection::Endpoints,
            Some(APP),
            "4",
            registered("bens", "GCM", "ben"),
        )
        .with(
            Collection::Endpoints,
            Some("other"),
            "5",
            registered("others", "GCM", "anna"),
        );
    let keys = |host: &Host| -> Vec<(String, String, bool)> {
        let sent = host.sent.iter();
        sent.map(|send| {
            (
                send.channel.service.as_str().to_owned(),
                send.key.clone(),
                send.channel.sandbox,
            )
        })
        .collect()
    };
    let notification = json!({"alert": "a"});
    let tokens = json!([
        "known",
        hex,
        TOKEN,
        "APA91b",
        "DEV-00000000-0000-0000-0000-000000000000",
        "APA91b"
    ]);
    assert_eq!(
        push(
            &mut host,
            &json!({"tokens": tokens, "notification": notification})
        )
        .0,
        202
    );
    let expected = [
        ("apns", "known", true),
        ("fcm", hex.as_str(), false),
        ("apns", TOKEN, false),
        ("fcm", "APA91b", false),
    ];
    assert_eq!(
        keys(&host),
        expected.map(|(service, key, sandbox)| (service.to_owned(), key.to_owned(), sandbox))
    );
    host.sent.clear();
    push(
        &mut host,
        &json!({"user_ids": ["anna"], "notification": notification}),
    );
    assert_eq!(
        keys(&host).len(),
        2,
        "the two of anna's devices that Ionic's API reaches"
    );
    host.sent.clear();
    let body =
        json!({"tokens": ["short"], "platform": "ios", "production": false, "notification": notification});
    push(&mut host, &body);
    assert_eq!(keys(&host), [("apns".to_owned(), "short".to_owned(), true)]);
    host.sent.clear();
    push(
        &mut host,
        &json!({"tokens": ["DEV-1"], "notification": notification}),
    );
    assert!(host.sent.is_empty());
    assert_eq!(status(&mut host, "104")["status"], "Sent");
}

#[test]
fn m_ionic_silent_pushes_and_payloads_without_room() {
    let mut host = host();
    let body = json!({"tokens": [TOKEN], "notification": {"ios": {"contentAvailable": 1, "priority": 10, "expiry": 0}}});
    push(&mut host, &body);
    let form = sent(&host).remove(0);
    assert_eq!(
        (&form["push_type"], &form["priority"]),
        (&json!("background"), &json!(5))
    );
    assert_eq!(
        (&form["payload"], &form["expiration"]),
        (&json!({"aps": {"content-available": 1}}), &json!("once"))
    );
    assert_eq!(
        host.warnings,
        ["ios.priority 10 is 5: APNs takes no other with content-available alone"]
    );
    host.sent.clear();
    let large = "x".repeat(2500);
    let body = json!({"tokens": [TOKEN], "notification": {"alert": "a", "ios": {"payload": {"k": large}}}});
    push(&mut host, &body);
    assert_eq!(
        sent(&host)[0]["payload"],
        json!({"aps": {"alert": "a"}, "k": large})
    );
    assert_eq!(
        host.warnings,
        ["ios.payload stands at the root alone: twice it is too large for APNs"]
    );
    host.sent.clear();
    let body =
        json!({"tokens": [TOKEN], "notification": {"alert": "a", "ios": {"payload": {"aps": {}, "k": 1}}}});
    push(&mut host, &body);
    assert_eq!(
        sent(&host)[0]["payload"],
        json!({"aps": {"alert": "a"}, "k": 1, "payload": {"aps": {}, "k": 1}})
    );
    // Too large by any means: the status says so, in words.
    let body = json!({"tokens": [TOKEN], "notification": {"alert": "x".repeat(5000)}});
    assert_eq!(push(&mut host, &body).0, 202);
    let failed = status(&mut host, "104");
    assert_eq!(failed["status"], "Failed");
    assert!(
        failed["ios"]["failure_reason"]
            .as_str()
            .unwrap()
            .contains("924 more than apns takes"),
        "{failed}"
    );
}

#[test]
fn m_ionic_auth_and_bad_input() {
    let mut host = host();
    let body = json!({"tokens": [TOKEN], "notification": {"alert": "a"}}).to_string();
    let basic = HEADERS[0];
    for (headers, status) in [
        (
            vec![
                ("authorization", "basic WU9VUl9QUklWQVRFX0FQSV9LRVk6"),
                HEADERS[1],
            ],
            202,
        ),
        (
            vec![("authorization", "Basic WU9VUl9QUklWQVRFX0FQSV9LRVk"), HEADERS[1]],
            202,
        ),
        (vec![HEADERS[1]], 403),
        (
            vec![
                ("Authorization", "Bearer WU9VUl9QUklWQVRFX0FQSV9LRVk6"),
                HEADERS[1],
            ],
            403,
        ),
        (vec![("Authorization", "Basic !"), HEADERS[1]], 403),
        (vec![("Authorization", "Basic Og=="), HEADERS[1]], 403),
        // printf "another app's:" | base64
        (
            vec![("Authorization", "Basic YW5vdGhlciBhcHAnczo="), HEADERS[1]],
            403,
        ),
        (vec![basic, basic, HEADERS[1]], 403),
        (vec![basic, ("X-Ionic-Application-Id", "other")], 403),
        (vec![basic], 400),
        (vec![basic, HEADERS[1], HEADERS[1]], 400),
    ] {
        let answer = host.request("POST", "/api/v1/push", &headers, &body);
        assert_eq!(answer.status, status, "{headers:?}: {answer:?}");
    }
    host.sent.clear();
    for (body, text) in [
        ("", "not json at line 1, column 0"),
        ("[]", "the json text is not an object"),
        (r#"{"tokens":["a"]}"#, "notification is missing"),
        (
            r#"{"tokens":["a"],"notification":"x"}"#,
            "notification is missing",
        ),
        (r#"{"notification":{"alert":"a"}}"#, "tokens is missing"),
        (
            r#"{"tokens":[],"notification":{"alert":"a"}}"#,
            "tokens is missing",
        ),
        (
            r#"{"tokens":"a","notification":{"alert":"a"}}"#,
            "tokens is not a list of texts",
        ),
        (
            r#"{"tokens":[1],"notification":{"alert":"a"}}"#,
            "tokens is not a list of texts",
        ),
        (
            r#"{"tokens":["a"],"notification":{},"scheduled":"tomorrow"}"#,
            "scheduled is not a time in whole seconds since 1970",
        ),
    ] {
        let answer = host.request("POST", "/api/v1/push", HEADERS, body);
        assert_eq!(
            (answer.status, answer.json()),
            (400, json!({"result": "error", "message": text})),
            "{body}"
        );
    }
    assert!(host.sent.is_empty());
    assert_eq!(host.request("GET", "/api/v1/push", HEADERS, "").status, 405);
    assert_eq!(host.request("POST", "/api/v2/push", HEADERS, "").status, 404);
}
