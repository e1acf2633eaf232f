//! Pinpoint's dialect: recorded requests become the messages that were written by hand, and no request, answer or result
//! ends in anything but a reply.

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use pushcore::dialect::{Action, Ask, Dialect, Job, Reply, Send, Step, System};
use pushcore::http::{Incoming, Response};
use pushcore::outcome::Outcome;
use pushcore::{Error, ErrorKind, Now, UnixTime};
use pushcore_tests::sim::Rng;
use serde_json::{Map, Value, json};

const KEY: &str = "AKIDEXAMPLE";

fn recorded() -> Value {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("dialects/pinpoint.json");
    let text = fs::read_to_string(&file).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
    serde_json::from_str(&text).expect("json")
}

fn incoming(request: &Value) -> Incoming {
    let text = |name: &str| request[name].as_str().expect("a text");
    let mut incoming = Incoming::new(text("method"), text("target"), text("body")).expect("a target");
    for header in request["headers"].as_array().expect("headers") {
        let part = |at: usize| header[at].as_str().expect("a text").as_bytes().to_vec();
        incoming = incoming.with_header(part(0), part(1));
    }
    incoming
}

/// The store of the recorded requests.
fn store(ask: &Ask, app: &str, secret: &str) -> Value {
    let apns = json!({"BundleId": "com.example.app"});
    let channels =
        json!({"GCM": {}, "ADM": {}, "BAIDU": {}, "APNS": apns, "APNS_SANDBOX": apns, "APNS_VOIP": apns});
    let endpoints = json!({
        "ep-1": {"Address": "endpoint-token", "ChannelType": "GCM"},
        "phone": {"Address": "user-1-phone", "ChannelType": "GCM", "User": {"UserId": "user-1"}},
        "tablet": {"Address": "user-1-tablet", "ChannelType": "ADM", "User": {"UserId": "user-1"}},
        "other": {"Address": "user-2-phone", "ChannelType": "GCM", "User": {"UserId": "user-2"}},
    });
    match ask {
        Ask::Secret { access_key } if access_key == KEY => json!({"secret": secret}),
        Ask::Get { collection, ids, .. } => {
            let all = match serde_json::to_value(collection).expect("a name").as_str() {
                Some("apps") => json!({app: {"Name": "example"}}),
                Some("channels") => channels,
                Some("endpoints") => endpoints,
                _ => json!({"tpl/push/1": {"GCM": {"Title": "tpl title", "Sound": "bell"}}}),
            };
            let found = ids
                .iter()
                .filter_map(|id| Some((id.clone(), all.get(id)?.clone())));
            Value::Object(found.collect())
        }
        Ask::List { .. } => {
            let items: Vec<Value> = endpoints
                .as_object()
                .expect("an object")
                .iter()
                .filter(|(_, value)| value.get("User").is_some())
                .map(|(id, value)| json!({"id": id, "value": value}))
                .collect();
            json!({"total": items.len(), "items": items})
        }
        _ => Value::Null,
    }
}

/// JSON texts inside a form, as objects.
fn unpacked(form: &Value) -> Value {
    let mut form = form.get("message").unwrap_or(form).clone();
    let parsed = |value: &Value| serde_json::from_str(value.as_str().unwrap_or_default()).unwrap_or_default();
    if let Some(payload) = form.get("payload") {
        form["payload"] = parsed(&payload["raw"]);
    }
    if let Some(msg) = form.get("msg") {
        form["msg"] = parsed(msg);
    }
    for holder in ["data", "msg"] {
        for name in ["pinpoint", "pinpoint.jsonBody"] {
            if let Some(text) = form.get(holder).and_then(|holder| holder.get(name)) {
                form[holder][name] = parsed(text);
            }
        }
    }
    form
}

fn accepted(send: &Send) -> Outcome {
    let now = Now::new(Duration::ZERO, UnixTime::from_secs(1_800_000_000));
    let body = r#"{"name":"projects/p/messages/1","registrationID":"r","request_id":1,"response_params":{"msg_id":"1","send_time":1}}"#;
    send.message.outcome(&Response::new(200, body), now)
}

#[test]
fn recorded_requests_become_the_messages_written_by_hand() {
    let recorded = recorded();
    let (app, secret) = (
        recorded["app"].as_str().unwrap(),
        recorded["secret"].as_str().unwrap(),
    );
    let dialect = Dialect::new(System::Pinpoint, b"{}").unwrap();
    for request in recorded["requests"].as_array().unwrap() {
        let label = &request["label"];
        let now = UnixTime::from_secs(request["now"].as_u64().unwrap());
        let mut job = dialect.begin(incoming(request), now);
        let mut sends = Vec::new();
        while job.reply().is_none() {
            // Written down and read back before each step.
            job = Job::from_json(job.to_json().unwrap().as_bytes()).unwrap();
            let step = job.steps()[0].clone();
            let again = Step::from_json(step.to_json().as_bytes()).unwrap();
            assert_eq!((again.id(), again.to_json()), (step.id(), step.to_json()));
            match again.action() {
                Action::Ask(ask) => {
                    let answer = store(ask, app, secret).to_string();
                    job.answer(step.id(), answer.as_bytes()).unwrap();
                }
                Action::Send(send) => {
                    sends.push(unpacked(
                        &serde_json::from_str::<Value>(&step.to_json()).unwrap()["message"],
                    ));
                    job.sent(step.id(), Ok(&accepted(send))).unwrap();
                }
                other => panic!("{label}: {other:?}"),
            }
        }
        let expected: Vec<&Value> = request["sends"]
            .as_array()
            .unwrap()
            .iter()
            .map(|send| &send["message"])
            .collect();
        assert_eq!(sends.iter().collect::<Vec<_>>(), expected, "{label}");
        let status = job.reply().map(Reply::status);
        assert_eq!(
            status,
            Some(if expected.is_empty() { 404 } else { 200 }),
            "{label}"
        );
    }
}

/// Signs with `ring`, after AWS's description of the algorithm.
fn signed(method: &str, target: &str, body: &[u8], secret: &str, at: u64) -> Incoming {
    const DATE: &str = "20270115T080000Z"; // 1_800_000_000
    assert_eq!(at, 1_800_000_000, "the date above");
    let hex = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    let hash = |bytes: &[u8]| hex(ring::digest::digest(&ring::digest::SHA256, bytes).as_ref());
    let mac = |key: &[u8], text: &str| {
        let key = ring::hmac::Key::new(ring::hmac::HMAC_SHA256, key);
        ring::hmac::sign(&key, text.as_bytes()).as_ref().to_vec()
    };
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    assert!(query.is_empty(), "the paths of this test have no query");
    let segments = path
        .split('/')
        .filter(|segment| !segment.is_empty() && *segment != ".");
    let canonical_path: String = segments
        .map(|segment| format!("/{}", segment.replace('%', "%25")))
        .collect();
    let canonical = format!(
        "{method}\n{canonical_path}\n\nhost:localhost\nx-amz-date:{DATE}\n\nhost;x-amz-date\n{}",
        hash(body)
    );
    let scope = "20270115/eu-west-1/mobiletargeting/aws4_request";
    let to_sign = format!(
        "AWS4-HMAC-SHA256\n{DATE}\n{scope}\n{}",
        hash(canonical.as_bytes())
    );
    let mut key = format!("AWS4{secret}").into_bytes();
    for part in ["20270115", "eu-west-1", "mobiletargeting", "aws4_request"] {
        key = mac(&key, part);
    }
    let signature = hex(&mac(&key, &to_sign));
    Incoming::new(method, target, body)
        .expect("a target")
        .with_header("Host", "localhost")
        .with_header("X-Amz-Date", DATE)
        .with_header(
            "Authorization",
            format!("AWS4-HMAC-SHA256 Credential={KEY}/{scope}, SignedHeaders=host;x-amz-date, Signature={signature}"),
        )
}

/// A value of JSON that may stand anywhere.
fn any(rng: &mut Rng, depth: usize) -> Value {
    match rng.index(if depth == 0 { 9 } else { 11 }) {
        0 => Value::Null,
        1 => json!(rng.index(2) == 0),
        2 => json!(rng.index(1 << 20) as i64 - 1000),
        3 => json!(u64::MAX),
        4 => json!(0.5),
        5 => json!(""),
        6 => json!("{{name}} {'a':\"b\"} \u{0} é"),
        7 => json!("x".repeat(rng.index(6000))),
        8 => json!("{\"aps\":{\"alert\":\"x\"},\"data\":{\"a\":[1]}}"),
        9 => Value::Array((0..rng.index(3)).map(|_| any(rng, depth - 1)).collect()),
        _ => (0..rng.index(3))
            .map(|n| (["name", "Body", "x"][n].to_owned(), any(rng, depth - 1)))
            .collect::<Map<String, Value>>()
            .into(),
    }
}

/// Changes some values of a document.
fn mutate(rng: &mut Rng, value: &mut Value) {
    if rng.index(12) == 0 {
        *value = any(rng, 2);
        return;
    }
    match value {
        Value::Object(map) => {
            if rng.index(10) == 0 {
                map.insert("Unknown".into(), any(rng, 1));
            }
            map.values_mut().for_each(|value| mutate(rng, value));
        }
        Value::Array(items) => items.iter_mut().for_each(|value| mutate(rng, value)),
        _ => {}
    }
}

/// An answer of the right form, with anything in it.
fn answer(rng: &mut Rng, ask: &Ask, app: &str, secret: &str) -> Value {
    let object = |rng: &mut Rng| match any(rng, 2) {
        Value::Object(map) => Value::Object(map),
        other => {
            json!({"Address": other, "ChannelType": "GCM", "User": {"UserId": "user-1"}, "Version": "x"})
        }
    };
    match ask {
        Ask::Claim { .. } | Ask::Token { .. } => Value::Null,
        Ask::Put { records, .. } => json!({"ids": records.iter().map(|_| "id").collect::<Vec<_>>()}),
        Ask::Delete { ids, .. } => json!({"ids": ids}),
        _ if rng.index(3) > 0 => store(ask, app, secret),
        Ask::Get { ids, .. } => ids
            .iter()
            .map(|id| (id.clone(), object(rng)))
            .collect::<Map<_, _>>()
            .into(),
        Ask::List { .. } => json!({"items": [{"id": "e", "value": object(rng)}], "total": u64::MAX}),
        _ => store(ask, app, secret),
    }
}

/// Drives a job with random answers; returns the status of its reply.
fn drive(rng: &mut Rng, mut job: Job, app: &str, secret: &str) -> u16 {
    for _ in 0..2000 {
        let Some(step) = job.steps().first().cloned() else {
            break;
        };
        if rng.index(8) == 0 {
            if let Ok(text) = job.to_json() {
                assert!(!text.contains(secret), "a secret in the job");
                let again = Job::from_json(text.as_bytes()).expect("a job");
                let ids = |job: &Job| job.steps().iter().map(|step| step.to_json()).collect::<Vec<_>>();
                assert_eq!(ids(&again), ids(&job));
                job = again;
            }
        }
        // What is no answer leaves the step where it is.
        let nonsense = any(rng, 1).to_string();
        if matches!(step.action(), Action::Send(_) | Action::Broadcast(_)) && rng.index(4) == 0 {
            let _ = job.answer(step.id(), nonsense.as_bytes());
            if job.steps().first().map(|step| step.id()) != Some(step.id()) {
                continue;
            }
        }
        match step.action() {
            Action::Ask(ask) => {
                let answer = answer(rng, ask, app, secret).to_string();
                job.answer(step.id(), answer.as_bytes()).expect("the step waits");
            }
            Action::Send(send) => match rng.index(3) {
                0 => job.unknown(step.id()).expect("the step waits"),
                1 => {
                    let error = Error::new(*rng.pick(ErrorKind::ALL), "some error");
                    job.sent(step.id(), Err(&error)).expect("the step waits");
                }
                _ => {
                    let status = 100 + rng.index(500) as u16;
                    let now = Now::new(Duration::ZERO, UnixTime::from_secs(1_800_000_000));
                    let outcome = send.message.outcome(&Response::new(status, nonsense), now);
                    job.sent(step.id(), Ok(&outcome)).expect("the step waits");
                }
            },
            _ => job.unknown(step.id()).expect("the step waits"),
        }
    }
    let reply = job.reply().expect("a reply");
    assert!(!String::from_utf8_lossy(reply.body()).contains(secret));
    reply.status()
}

#[test]
fn no_request_and_no_answer_ends_in_anything_but_a_reply() {
    let recorded = recorded();
    let (app, secret) = (
        recorded["app"].as_str().unwrap(),
        recorded["secret"].as_str().unwrap(),
    );
    let mut bodies: Vec<Value> = recorded["requests"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|request| serde_json::from_str(request["body"].as_str()?).ok())
        .collect();
    bodies.push(json!({"Name": "x", "tags": {"a": "b"}}));
    bodies.push(json!({"Address": "t", "ChannelType": "GCM", "OptOut": "ALL", "User": {"UserId": "u", "UserAttributes": {"a": ["b"]}}}));
    bodies
        .push(json!({"Item": [{"Id": "e", "Address": "t", "ChannelType": "GCM", "User": {"UserId": "u"}}]}));
    bodies.push(json!({"ServiceJson": "{}", "Enabled": true, "BundleId": "com.example.app", "TokenKey": "k", "ClientId": "c"}));
    bodies.push(
        json!({"Default": {"Title": "t"}, "GCM": {"Body": "b"}, "DefaultSubstitutions": "{\"a\":\"b\"}"}),
    );
    let mut statuses = std::collections::BTreeMap::<u16, u32>::new();
    let started = Instant::now();
    for seed in 0..4000 {
        let mut rng = Rng::new(seed);
        let rng = &mut rng;
        let route = rng.pick(System::Pinpoint.routes());
        let target: String = route
            .path
            .split('/')
            .skip(1)
            .map(|segment| match segment {
                "{application-id}" => format!("/{app}"),
                "{channel}" => format!(
                    "/{}",
                    rng.pick(&["gcm", "apns", "adm", "baidu", "apns_voip_sandbox", "x"])
                ),
                other if other.starts_with('{') => {
                    format!("/{}", rng.pick(&["e", "user-1", "a%2Fb", "%C3%A9", "..", "%FF"]))
                }
                other => format!("/{other}"),
            })
            .collect();
        let mut body = rng.pick(&bodies).clone();
        for _ in 0..rng.index(3) {
            mutate(rng, &mut body);
        }
        let mut body = body.to_string().into_bytes();
        if rng.index(10) == 0 && !body.is_empty() {
            let at = rng.index(body.len());
            body[at] ^= 1 << rng.index(8);
        }
        let options = rng.pick(&[
            "{}",
            r#"{"also_notification":true,"replay":"allow"}"#,
            r#"{"content_available":false}"#,
        ]);
        let dialect = Dialect::new(System::Pinpoint, options.as_bytes()).unwrap();
        let incoming = signed(route.method.as_str(), &target, &body, secret, 1_800_000_000);
        let job = dialect.begin(incoming, UnixTime::from_secs(1_800_000_000));
        *statuses.entry(drive(rng, job, app, secret)).or_default() += 1;
    }
    // The random requests come as far as the sends, and are refused in every way that there is.
    for status in [200, 201, 202, 400, 404] {
        assert!(
            statuses.get(&status).is_some_and(|count| *count > 20),
            "{statuses:?}"
        );
    }
    assert!(
        statuses
            .keys()
            .all(|status| [200, 201, 202, 400, 403, 404, 409].contains(status)),
        "{statuses:?}"
    );
    assert!(
        started.elapsed() < Duration::from_secs(120),
        "{:?}",
        started.elapsed()
    );
}

#[test]
fn nothing_that_is_printed_holds_a_token_a_credential_or_a_signature() {
    let recorded = recorded();
    let (app, secret) = (
        recorded["app"].as_str().unwrap(),
        recorded["secret"].as_str().unwrap(),
    );
    let body = r#"{"ServiceJson":"the-service-json"}"#;
    let target = format!("/v1/apps/{app}/channels/gcm");
    let begin = |method: &str, target: &str, body: &str| {
        let dialect = Dialect::new(System::Pinpoint, b"{}").unwrap();
        let incoming = signed(method, target, body.as_bytes(), secret, 1_800_000_000);
        dialect.begin(incoming, UnixTime::from_secs(1_800_000_000))
    };
    let messages = r#"{"Addresses":{"the-token":{"ChannelType":"GCM"}},"MessageConfiguration":{"DefaultMessage":{"Body":"the-text"}}}"#;
    let mut printed = String::new();
    for mut job in [
        begin("PUT", &target, body),
        begin("POST", &format!("/v1/apps/{app}/messages"), messages),
    ] {
        while job.reply().is_none() {
            printed += &format!("{job:?}");
            let step = job.steps()[0].clone();
            match step.action() {
                Action::Ask(ask @ Ask::Put { .. }) => {
                    assert!(
                        step.to_json().contains("the-service-json"),
                        "the store gets the credentials"
                    );
                    printed += &format!("{ask:?}");
                    job.answer(step.id(), br#"{"ids":["GCM"]}"#).unwrap();
                }
                Action::Ask(ask) => {
                    let answer = store(ask, app, secret).to_string();
                    job.answer(step.id(), answer.as_bytes()).unwrap();
                }
                _ => job.unknown(step.id()).unwrap(),
            }
        }
        assert_eq!(job.reply().map(Reply::status), Some(200));
        printed += &format!("{job:?}");
    }
    for secret in ["the-service-json", "the-token", "the-text", secret] {
        assert!(!printed.contains(secret), "{secret} is printed");
    }
    assert!(
        printed.contains("Put {") && printed.contains("Send {"),
        "{printed}"
    );
}

#[test]
fn unsigned_garbage_to_every_dialect_is_refused_without_a_question() {
    for system in System::ALL {
        let dialect = Dialect::new(*system, b"{}").unwrap();
        for seed in 0..500 {
            let mut rng = Rng::new(seed);
            let rng = &mut rng;
            let route = rng.pick(system.routes());
            let target: String = (0..rng.index(30))
                .map(|_| *rng.pick(&['/', 'a', '%', '2', 'F', '?', '&', '=', '.', '{', '[', '~']))
                .collect();
            let target = match rng.index(2) {
                0 => format!("/{target}"),
                _ => format!("{}{target}", route.path.replace(['{', '}'], "")),
            };
            let body = any(rng, 3).to_string();
            let mut incoming = Incoming::new(route.method.as_str(), &target, body).unwrap();
            for _ in 0..rng.index(4) {
                let value = any(rng, 0).to_string();
                let name = *rng.pick(&["Authorization", "Host", "X-Amz-Date", "X-Api-Key", "\u{0}é"]);
                incoming = incoming.with_header(name, value);
            }
            let job = dialect.begin(incoming, UnixTime::from_secs(rng.next_u64()));
            match job.reply() {
                Some(reply) => assert!(
                    (400..500).contains(&reply.status()) || reply.status() == 200,
                    "{system}: {target}"
                ),
                // A dialect that asks about what was presented as a key.
                None => assert!(
                    matches!(job.steps()[0].action(), Action::Ask(_)),
                    "{system}: {target}"
                ),
            }
        }
    }
}
