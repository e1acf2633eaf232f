use pushcore::dialect::{Collection, System};
use serde_json::{Value, json};

use super::host::{Answer, Host};

const TOKEN: &str = "5374d7dfeffa2eb49965624ba7596a09";
const BEARER: &[(&str, &str)] = &[("Authorization", "Bearer 5374d7dfeffa2eb49965624ba7596a09")];
const P256DH: &str =
    "BCQVDTlYWdl05lal3lG5SKr3VxTrEWpZErbkxWrzknHrIKFwihDoZpc_2sH6Sh08h-CacUYI-H8gW4jH-uMYZQ4=";

fn subscription(path: &str, uid: Value, tags: Value) -> Value {
    json!({
        "project_id": 123, "endpoint": format!("https://example.com/push/{path}"), "p256dh": P256DH,
        "auth": "cdKMlhgVeSPzCXZ3V7FtgQ==", "uid": uid, "tags": tags, "created_at": "2016-07-06T10:09:14.835Z",
    })
}

/// A project as Pushpad's documentation shows one, with five subscriptions.
fn host() -> Host {
    let project = json!({
        "sender_id": 99, "name": "Demo", "website": "https://example.com", "icon_url": "https://example.com/icon.png",
        "badge_url": "https://example.com/badge.png", "notifications_ttl": 604_800,
        "notifications_require_interaction": false, "notifications_silent": false,
        "created_at": "2016-07-06T10:09:14.835Z",
    });
    let mut host = Host::new(System::Pushpad, &json!({}))
        .with_token(TOKEN, Value::Null)
        .with_token("of one project", json!(["123"]))
        .with(Collection::Apps, None, "123", project.clone())
        .with(Collection::Apps, None, "7", project)
        .with(
            Collection::Senders,
            None,
            "99",
            json!({"name": "News", "vapid_public_key": "public"}),
        );
    for (id, uid, tags) in [
        ("1", json!("user1"), json!(["segment1", "tag1"])),
        ("2", json!("user1"), json!(["tag3"])),
        ("3", json!("user2"), json!([])),
        ("4", Value::Null, json!(["zip_code:28865", "tag1", "tag2"])),
        ("9001", json!("exampleUid"), json!(["tag1", "paid"])),
    ] {
        host = host.with(
            Collection::Subscriptions,
            Some("123"),
            id,
            subscription(if id == "9001" { "f7Q1Eyf7EyfAb1" } else { id }, uid, tags),
        );
    }
    host
}

fn json_of(answer: &Answer, status: u16) -> Value {
    assert_eq!(answer.status, status, "{answer:?}");
    answer.json()
}

fn payload(host: &Host) -> Value {
    let form: Value = serde_json::from_str(&host.broadcasts.last().unwrap().template.to_json()).unwrap();
    match &form["payload_json"] {
        Value::Null => serde_json::from_str(form["payload"].as_str().unwrap()).unwrap(),
        value => value.clone(),
    }
}

fn form(host: &Host) -> Value {
    serde_json::from_str(&host.broadcasts.last().unwrap().template.to_json()).unwrap()
}

#[test]
fn m_pushpad_readme_of_2_0_0_to_its_end() {
    let mut host = host();
    // The README's user ids are nobody's here but user1's two devices and user2's; only the first has one of its tags.
    let created = json_of(&host.recorded("pushpad_seed_readme_baseurl"), 201);
    // Its send_at lies in the past, and is still that of a scheduled notification.
    assert_eq!(created, json!({"id": 101, "send_at": "2025-11-20T23:15:00.000Z"}));
    assert_eq!(host.broadcasts[0].at.unwrap().as_secs(), 1_763_680_500);
    assert_eq!(
        payload(&host),
        json!({
            "web_push": 8030,
            "notification": {
                "title": "Website Name", "body": "Hello world!", "navigate": "https://example.com",
                "icon": "https://example.com/assets/icon.png", "badge": "https://example.com/assets/badge.png",
                "image": "https://example.com/assets/image.png", "requireInteraction": true, "silent": false,
                "actions": [{
                    "action": "myActionName", "title": "My Button 1",
                    "icon": "https://example.com/assets/button-icon.png", "navigate": "https://example.com/button-link",
                }],
                "data": {
                    "notification_id": 101, "url": "https://example.com", "custom_data": "123",
                    "actions": [{"action": "myActionName", "target_url": "https://example.com/button-link"}],
                },
            },
        })
    );
    assert_eq!(
        (&form(&host)["ttl"], &form(&host)["urgency"]),
        (&json!(604_800), &json!("normal"))
    );
    let channel = &host.broadcasts[0].channel;
    assert_eq!((channel.scope.as_str(), channel.name.as_str()), ("123", "99"));
    let listed = json_of(&host.recorded("pushpad_seed_readme_baseurl.1"), 200);
    assert_eq!(listed.as_array().unwrap().len(), 1);
    let get = host.request("GET", "/api/v1/notifications/101", BEARER, "");
    let shown = json_of(&get, 200);
    for (name, value) in [
        ("id", json!(101)),
        ("project_id", json!(123)),
        ("title", json!("Website Name")),
        ("starred", json!(true)),
        ("custom_metrics", json!(["examples", "another_metric"])),
        ("uids", json!(["user1", "user2", "user3"])),
        ("tags", json!(["segment1", "segment2"])),
        ("created_at", json!("2026-11-22T00:00:00.000Z")),
        ("scheduled", json!(true)),
        ("cancelled", json!(false)),
        ("successfully_sent_count", json!(0)),
    ] {
        assert_eq!(shown[name], value, "{name}");
    }
    for _ in 0..2 {
        let cancelled = host.request("DELETE", "/api/v1/notifications/101/cancel", BEARER, "");
        assert_eq!((cancelled.status, cancelled.text.as_str()), (204, ""));
    }
    let shown = host
        .request("GET", "/api/v1/notifications/101", BEARER, "")
        .json();
    assert_eq!(shown["cancelled"], true);
}

#[test]
fn m_pushpad_1_0_0_nested_bodies() {
    let mut host = host();
    let created = json_of(&host.recorded("pushpad_v1_0_0_mitm"), 201);
    assert_eq!(created, json!({"id": 101, "send_at": "2026-11-25T10:09:00.000Z"}));
    assert_eq!(
        host.broadcasts[0].filter,
        json!({"uids": ["user1", "user2"], "tags": ["tag1 && tag2", "tag3"]})
    );
    let shown = &payload(&host)["notification"];
    assert_eq!(
        shown["actions"],
        json!([{"action": "pp-0", "title": "My Button 1"}])
    );
    assert_eq!(shown["requireInteraction"], true);
    // The second one names nobody: everybody gets it.
    let created = json_of(&host.recorded("pushpad_v1_0_0_mitm.1"), 201);
    assert_eq!(created, json!({"id": 102, "scheduled": 5}));
}

#[test]
fn m_pushpad_project_defaults_and_urgency() {
    let mut host = host();
    assert_eq!(
        json_of(&host.recorded("pushpad_create_min"), 201),
        json!({"id": 101, "scheduled": 5})
    );
    let shown = payload(&host);
    assert_eq!(
        shown["notification"],
        json!({
            "title": "Demo", "body": "Hello", "navigate": "https://example.com", "icon": "https://example.com/icon.png",
            "badge": "https://example.com/badge.png", "requireInteraction": false, "silent": false,
            "data": {"notification_id": 101, "url": "https://example.com"},
        })
    );
    let body = r#"{"body":"b","urgent":true,"ttl":60,"silent":true,"title":"t"}"#;
    host.request("POST", "/api/v1/projects/123/notifications", BEARER, body);
    assert_eq!(
        (&form(&host)["ttl"], &form(&host)["urgency"]),
        (&json!(60), &json!("high"))
    );
    assert_eq!(payload(&host)["notification"]["silent"], true);
}

#[test]
fn m_pushpad_uids_tags_and_nobody() {
    let mut host = host();
    // user2 and user1 have subscriptions; user3 has none and is not named.
    let post = |host: &mut Host, body: &str| {
        json_of(
            &host.request("POST", "/api/v1/projects/123/notifications", BEARER, body),
            201,
        )
    };
    assert_eq!(
        post(&mut host, r#"{"body":"b","uids":["user3","user2","user1"]}"#),
        json!({"id": 101, "scheduled": 3, "uids": ["user2", "user1"]})
    );
    assert_eq!(
        post(&mut host, r#"{"body":"b","uids":[]}"#),
        json!({"id": 102, "scheduled": 0, "uids": []})
    );
    assert_eq!(
        post(&mut host, r#"{"body":"b","tags":[]}"#),
        json!({"id": 103, "scheduled": 0})
    );
    // Go's client writes null for what it was not given.
    assert_eq!(
        post(
            &mut host,
            r#"{"body":"b","uids":null,"tags":null,"title":null,"actions":null}"#
        ),
        json!({"id": 104, "scheduled": 5})
    );
    assert_eq!(
        post(&mut host, r#"{"body":"b","tags":["tag1 && tag2","tag3"]}"#),
        json!({"id": 105, "scheduled": 2})
    );
    assert_eq!(
        post(&mut host, r#"{"body":"b","tags":"!tag1"}"#),
        json!({"id": 106, "scheduled": 2})
    );
    let recorded = json_of(&host.recorded("pushpad_create_tagexpr"), 201);
    assert_eq!(recorded, json!({"id": 107, "scheduled": 2}));
    let recorded = json_of(&host.recorded("pushpad_create_uids"), 201);
    assert_eq!(
        recorded,
        json!({"id": 108, "scheduled": 3, "uids": ["user1", "user2"]})
    );
}

#[test]
fn m_pushpad_send_at_up_to_five_days() {
    let mut host = host();
    let created = json_of(&host.recorded("pushpad_create_sched"), 201);
    assert_eq!(created, json!({"id": 101, "send_at": "2026-11-25T10:00:00.000Z"}));
    let mut status = |at: &str| {
        let body = json!({"body": "b", "send_at": at}).to_string();
        let answer = host.request("POST", "/api/v1/projects/123/notifications", BEARER, &body);
        (answer.status, answer.json())
    };
    assert_eq!(status("2026-11-27T00:00:00Z").0, 201);
    let far = (422, json!({"error": "send_at is more than 5 days ahead"}));
    assert_eq!(status("2026-11-27T00:00:01Z"), far);
    assert_eq!(status("9999-12-31T23:59:59Z"), far);
    assert_eq!(
        status("tomorrow"),
        (422, json!({"error": "send_at is not a time of ISO 8601"}))
    );
    assert_eq!(host.broadcasts.len(), 2);
}

#[test]
fn m_pushpad_auth() {
    let mut host = host();
    let mut get = |headers: &[(&str, &str)]| host.request("GET", "/api/v1/projects/123", headers, "");
    for value in [
        "Bearer 5374d7dfeffa2eb49965624ba7596a09",
        "bearer  5374d7dfeffa2eb49965624ba7596a09 ",
        "Token token=\"5374d7dfeffa2eb49965624ba7596a09\"",
        "Token token=5374d7dfeffa2eb49965624ba7596a09",
        "Bearer of one project",
    ] {
        assert_eq!(get(&[("authorization", value)]).status, 200, "{value}");
    }
    for value in [
        "Bearer 5374d7dfeffa2eb49965624ba7596a0",
        "Bearer",
        "Bearer ",
        "5374d7dfeffa2eb49965624ba7596a09",
        "Basic 5374d7dfeffa2eb49965624ba7596a09",
        "Token 5374d7dfeffa2eb49965624ba7596a09",
        "Token token=\"\"",
        "",
    ] {
        let answer = get(&[("Authorization", value)]);
        assert_eq!(
            (answer.status, answer.json()),
            (401, json!({"error": "Unauthorized"})),
            "{value}"
        );
    }
    assert_eq!(get(&[]).status, 401);
    // A header that is there twice is nobody's, because a proxy may have read the other one.
    assert_eq!(get(&[BEARER[0], BEARER[0]]).status, 401);
    let one = &[("Authorization", "Bearer of one project")][..];
    for (method, target, body, status) in [
        ("GET", "/api/v1/projects/123/subscriptions", "", 200),
        ("GET", "/api/v1/projects/7", "", 403),
        ("POST", "/api/v1/projects/7/notifications", r#"{"body":"b"}"#, 403),
        ("POST", "/api/v1/projects", r#"{"name":"n"}"#, 403),
        ("GET", "/api/v1/senders", "", 403),
        ("DELETE", "/api/v1/senders/99", "", 403),
    ] {
        let answer = host.request(method, target, one, body);
        assert_eq!(answer.status, status, "{method} {target}: {answer:?}");
    }
    let listed = host.request("GET", "/api/v1/projects", one, "");
    assert_eq!(listed.json()[0]["id"], 123);
    assert_eq!(listed.header("X-Total-Count"), Some("1"));
}

#[test]
fn m_pushpad_a_notification_of_another_project_is_forbidden() {
    let foreign = json!({"project_id": 7, "body": "b", "send_at": "2026-11-23T00:00:00.000Z"});
    let mut host = host().with(Collection::Notifications, None, "55", foreign);
    let one = &[("Authorization", "Bearer of one project")][..];
    assert_eq!(
        host.request("GET", "/api/v1/notifications/55", one, "").status,
        403
    );
    assert_eq!(
        host.request("DELETE", "/api/v1/notifications/55/cancel", one, "")
            .status,
        403
    );
    assert_eq!(
        host.record(Collection::Notifications, None, "55").unwrap()["cancelled"],
        Value::Null
    );
    assert_eq!(
        host.request("GET", "/api/v1/notifications/55", BEARER, "").status,
        200
    );
}

#[test]
fn m_pushpad_subscriptions() {
    let mut host = host();
    let counted = host.recorded("pushpad_subs_count");
    assert_eq!(counted.header("X-Total-Count"), Some("1"));
    let created = json_of(&host.recorded("pushpad_subs_create"), 201);
    // The endpoint of the recorded request is known: the browser is the same.
    assert_eq!(created["uid"], "exampleUid");
    let id = created["id"].clone();
    let record = host
        .record(Collection::Subscriptions, Some("123"), &id.to_string())
        .unwrap();
    let target: Value = serde_json::from_str(record["target"].as_str().unwrap()).unwrap();
    assert_eq!(
        target,
        json!({
            "endpoint": "https://example.com/push/f7Q1Eyf7EyfAb1",
            "keys": {"p256dh": P256DH.trim_end_matches('='), "auth": "cdKMlhgVeSPzCXZ3V7FtgQ"},
        })
    );
    let new =
        json!({"endpoint": "https://example.com/new", "p256dh": P256DH, "auth": "cdKMlhgVeSPzCXZ3V7FtgQ"});
    let created = json_of(
        &host.request(
            "POST",
            "/api/v1/projects/123/subscriptions",
            BEARER,
            &new.to_string(),
        ),
        201,
    );
    assert_eq!(
        (&created["id"], &created["uid"], &created["tags"]),
        (&json!(101), &Value::Null, &json!([]))
    );
    let listed = host.recorded("pushpad_subs_list");
    // Of user1 and user2, and with tag1 but without tag2.
    assert_eq!(listed.header("X-Total-Count"), Some("1"));
    let all = host.request("HEAD", "/api/v1/projects/123/subscriptions", BEARER, "");
    assert_eq!(
        (all.status, all.header("X-Total-Count"), all.text.as_str()),
        (200, Some("6"), "")
    );
    // Ruby's way to say one expression.
    let ruby = "/api/v1/projects/123/subscriptions?tags=tag1+%26%26+!paid&per_page=1";
    let listed = host.request("GET", ruby, BEARER, "");
    assert_eq!(
        (
            listed.header("X-Total-Count"),
            listed.json().as_array().unwrap().len()
        ),
        (Some("2"), 1)
    );
    assert_eq!(host.recorded("pushpad_subs_get").json()["id"], 9001);
    let patch = |host: &mut Host, body: &str| {
        host.request("PATCH", "/api/v1/projects/123/subscriptions/9001", BEARER, body)
    };
    let patched = json_of(&patch(&mut host, r#"{"uid":null,"tags":["new:tag"]}"#), 200);
    assert_eq!(
        (&patched["uid"], &patched["tags"]),
        (&Value::Null, &json!(["new:tag"]))
    );
    assert_eq!(
        json_of(&patch(&mut host, r#"{"uid":"x"}"#), 200)["tags"],
        json!(["new:tag"])
    );
    assert_eq!(patch(&mut host, r#"{"tags":["a b"]}"#).status, 422);
    assert_eq!(host.recorded("pushpad_subs_delete").status, 204);
    assert_eq!(host.recorded("pushpad_subs_delete").status, 404);
    assert_eq!(patch(&mut host, "{}").status, 404);
}

#[test]
fn m_pushpad_projects() {
    let mut host = host();
    let created = json_of(&host.recorded("pushpad_projects_create"), 201);
    assert_eq!(
        created,
        json!({
            "id": 101, "sender_id": 99, "name": "Demo", "website": "https://example.com",
            "icon_url": "https://example.com/icon.png", "badge_url": "https://example.com/badge.png",
            "notifications_ttl": 604_800, "notifications_require_interaction": false, "notifications_silent": false,
            "created_at": "2026-11-22T00:00:00.000Z",
        })
    );
    let listed = host.recorded("pushpad_projects_list");
    assert_eq!(
        (
            listed.json().as_array().unwrap().len(),
            listed.header("X-Total-Count")
        ),
        (3, Some("3"))
    );
    assert_eq!(host.recorded("pushpad_projects_get").json()["name"], "Demo");
    let updated = json_of(&host.recorded("pushpad_projects_update"), 200);
    assert_eq!(
        (&updated["name"], &updated["website"]),
        (&json!("New"), &json!("https://example.com"))
    );
    assert_eq!(host.recorded("pushpad_projects_get").json()["name"], "New");
    // The one call that is answered with 202.
    let deleted = host.recorded("pushpad_projects_delete");
    assert_eq!((deleted.status, deleted.text.as_str()), (202, ""));
    assert_eq!(host.recorded("pushpad_projects_get").status, 404);
    let body = r#"{"sender_id":1,"name":"n","website":"https://example.com"}"#;
    let unknown = host.request("POST", "/api/v1/projects", BEARER, body);
    assert_eq!(
        (unknown.status, unknown.json()),
        (422, json!({"error": "sender_id is no sender"}))
    );
}

#[test]
fn m_pushpad_senders() {
    let mut host = host();
    let created = json_of(&host.recorded("pushpad_senders_create"), 201);
    assert_eq!((&created["id"], &created["name"]), (&json!(101), &json!("News")));
    let private = created["vapid_private_key"].as_str().unwrap();
    let public = created["vapid_public_key"].as_str().unwrap();
    assert!(private.starts_with("-----BEGIN EC PRIVATE KEY-----"), "{private}");
    assert!(public.starts_with("-----BEGIN PUBLIC KEY-----"), "{public}");
    // The pair that is told is the pair that is stored, and both are one pair.
    let stored = host.record(Collection::Senders, None, "101").unwrap();
    assert_eq!(stored["vapid_private_key"], private);
    let key = pushcore::crypto::Es256Key::read(private.as_bytes()).unwrap();
    assert_eq!(key.public_key().to_pem().trim(), public.trim());
    let body = json!({"name": "own", "vapid_private_key": private, "vapid_public_key": public}).to_string();
    let own = json_of(&host.request("POST", "/api/v1/senders", BEARER, &body), 201);
    assert_eq!(own["vapid_private_key"], private);
    let body = json!({"name": "own", "vapid_private_key": "x"}).to_string();
    assert_eq!(host.request("POST", "/api/v1/senders", BEARER, &body).status, 422);
    assert_eq!(host.recorded("pushpad_senders_get").json()["name"], "News");
    assert_eq!(
        json_of(&host.recorded("pushpad_senders_update"), 200)["name"],
        "N2"
    );
    assert_eq!(
        host.recorded("pushpad_senders_list")
            .json()
            .as_array()
            .unwrap()
            .len(),
        3
    );
    let body = json!({"vapid_private_key": private}).to_string();
    assert_eq!(
        host.request("PATCH", "/api/v1/senders/99", BEARER, &body).status,
        422
    );
    assert_eq!(host.recorded("pushpad_senders_delete").status, 204);
    assert_eq!(host.recorded("pushpad_senders_get").status, 404);
}

#[test]
fn m_pushpad_status_and_error_of_bad_input() {
    let mut host = host();
    let nested = format!("{{\"body\":\"b\",\"x\":{}1{}}}", "[".repeat(200), "]".repeat(200));
    let large = json!({"body": "x".repeat(4000)}).to_string();
    let parentheses =
        json!({"body": "b", "tags": [format!("{}a{}", "(".repeat(500), ")".repeat(500))]}).to_string();
    for (body, status, text) in [
        ("", 400, "not json at line 1, column 0"),
        ("{", 400, "not json at line 1, column 1"),
        ("[]", 400, "the json text is not an object"),
        (
            r#"{"body":"a","body":"b"}"#,
            400,
            "json with a key twice at line 1, column 23",
        ),
        (nested.as_str(), 400, "not json at line 1, column 143"),
        ("{}", 400, "body is missing"),
        (r#"{"body":""}"#, 400, "body is missing"),
        (r#"{"body":1}"#, 422, "body is not a text"),
        (r#"{"notification":[]}"#, 400, "notification is not an object"),
        (r#"{"notification":{"title":"t"}}"#, 400, "body is missing"),
        (
            r#"{"body":"b","ttl":"60"}"#,
            422,
            "ttl is not a whole number from 0 on",
        ),
        (
            r#"{"body":"b","ttl":-1}"#,
            422,
            "ttl is not a whole number from 0 on",
        ),
        (
            r#"{"body":"b","urgent":"yes"}"#,
            422,
            "urgent is not true or false",
        ),
        (
            r#"{"body":"b","uids":{"a":1}}"#,
            422,
            "uids is not a list of texts",
        ),
        (
            r#"{"body":"b","tags":["a &"]}"#,
            422,
            "not a tag expression from byte 2 on",
        ),
        (
            parentheses.as_str(),
            422,
            "a tag expression has more than 64 parentheses open",
        ),
        (r#"{"body":"b","actions":{}}"#, 422, "actions is not a list"),
        (
            r#"{"body":"b","actions":["x"]}"#,
            422,
            "an action is not an object",
        ),
        (
            r#"{"body":"b","actions":[{"action":"x"}]}"#,
            422,
            "an action has no title",
        ),
        (
            r#"{"body":"b","custom_metrics":["a","b","c","d"]}"#,
            422,
            "custom_metrics has more than 3 metrics",
        ),
        (large.as_str(), 422, "the notification is larger than 3993 bytes"),
    ] {
        let answer = host.request("POST", "/api/v1/projects/123/notifications", BEARER, body);
        assert_eq!(
            (answer.status, answer.json()),
            (status, json!({"error": text})),
            "{body:.100}"
        );
    }
    assert!(host.broadcasts.is_empty());
    assert!(
        host.record(Collection::Notifications, None, "101").is_none(),
        "nothing is written for a refusal"
    );
    for (method, target, status) in [
        ("GET", "/api/v1/projects/404", 404),
        ("POST", "/api/v1/projects/404/notifications", 404),
        ("GET", "/api/v1/notifications/404", 404),
        ("PUT", "/api/v1/projects/123", 405),
        ("GET", "/api/v1/nothing", 404),
        ("GET", "/", 404),
        // An encoded slash is a part of the id.
        ("GET", "/api/v1/projects/1%2F23", 404),
        ("GET", "/api/v1/projects/123/subscriptions?page=0", 422),
        ("GET", "/api/v1/projects/123/subscriptions?per_page=x", 422),
        ("GET", "/api/v1/projects/123/subscriptions?tags[]=%26", 422),
        // Ids come from the path and nowhere else.
        ("GET", "/api/v1/projects/404?project-id=123&project_id=123", 404),
    ] {
        let answer = host.request(
            method,
            target,
            BEARER,
            r#"{"body":"b","project-id":"123","project_id":123}"#,
        );
        assert_eq!(answer.status, status, "{method} {target}: {answer:?}");
        assert!(answer.json()["error"].is_string());
    }
    for (body, text) in [
        (
            json!({"p256dh": P256DH, "auth": "cdKMlhgVeSPzCXZ3V7FtgQ"}),
            "endpoint is missing",
        ),
        (
            json!({"endpoint": "http://example.com", "p256dh": P256DH, "auth": "cdKMlhgVeSPzCXZ3V7FtgQ"}),
            "endpoint is not an https URL",
        ),
        (
            json!({"endpoint": "https://example.com", "p256dh": "AAAA", "auth": "cdKMlhgVeSPzCXZ3V7FtgQ"}),
            "p256dh is not base64 of 65 bytes",
        ),
        (
            json!({"endpoint": "https://example.com", "p256dh": P256DH}),
            "auth is missing",
        ),
        (
            json!({"endpoint": "https://example.com", "p256dh": P256DH, "auth": "cdKMlhgVeSPzCXZ3V7FtgQ", "tags": ["a|b"]}),
            "a tag is made of a-z, A-Z, 0-9, _, -, ., :, @ and #",
        ),
    ] {
        let answer = host.request(
            "POST",
            "/api/v1/projects/123/subscriptions",
            BEARER,
            &body.to_string(),
        );
        assert_eq!(answer.json(), json!({"error": text}));
    }
    let immediate = host
        .request(
            "POST",
            "/api/v1/projects/123/notifications",
            BEARER,
            r#"{"body":"b"}"#,
        )
        .json();
    let cancel = format!("/api/v1/notifications/{}/cancel", immediate["id"]);
    assert_eq!(host.request("DELETE", &cancel, BEARER, "").status, 422);
}

#[test]
fn m_pushpad_signature_for() {
    // The vector of Pushpad's own tests.
    assert_eq!(
        pushcore::dialect::pushpad_signature(TOKEN, "user12345"),
        "6627820dab00a1971f2a6d3ff16a5ad8ba4048a02b2d402820afc61aefd0b69f"
    );
}
