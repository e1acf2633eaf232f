//! Recorded requests of every system with bytes changed anywhere, answered by a store that lies, and jobs and steps whose JSON
//! was changed: none panics, and each job ends in a reply.
//!
//! `PUSHCORE_FUZZ_DIALECTS` is the number of requests (a few thousand by default) and `PUSHCORE_FUZZ_SEED` where they begin;
//! `make fuzz-dialects` runs a million from a seed of the time.

use std::fs;
use std::path::Path;

use pushcore::UnixTime;
use pushcore::dialect::{Action, Ask, Dialect, Job, Selection, Step, System, TagExpression};
use pushcore::http::Incoming;
use pushcore_tests::sim::Rng;
use serde_json::{Value, json};

use super::host::NOW;

/// Pieces that a parser of any of the dialects knows.
const PIECES: &[&[u8]] = &[
    b"\"",
    b"{",
    b"}",
    b"[",
    b"]",
    b":",
    b",",
    b"null",
    b"true",
    b"-1",
    b"1e999",
    b"18446744073709551616",
    b"\\ud800",
    b"\\u0000",
    b"\xff\xfe",
    b"\xc3\xa9",
    b"%2F",
    b"%",
    b"%zz",
    b"..",
    b"/",
    b"//",
    b"?",
    b"&",
    b"=",
    b"+",
    b" ",
    b"\r\n",
    b"((((",
    b")",
    b"!",
    b"||",
    b"&&",
    b"{{name}}",
    b"{{",
    b"}}",
    b"\"aps\"",
    b"\"RawContent\":",
    b"'",
    b"\"uids\":[],",
    b"\"scheduled\":9,",
    b"send_at",
    b"2026-11-25T10:09",
    b"/topics/",
    b"key=",
    b"Basic ",
    b"Bearer ",
    b"Token token=",
    b"AWS4-HMAC-SHA256 Credential=",
    b"SignedHeaders=",
    b"Signature=",
    b"https://",
    b"application/json",
];

fn changed(rng: &mut Rng, bytes: &[u8]) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    for _ in 0..=rng.index(4) {
        let at = rng.index(bytes.len() + 1);
        let end = (at + rng.index(24)).min(bytes.len());
        match rng.index(6) {
            0 => drop(bytes.drain(at..end)),
            1 | 2 => drop(bytes.splice(at..at, rng.pick(PIECES).iter().copied())),
            3 => {
                let copy = bytes[at..end].to_vec();
                bytes.splice(at..at, copy);
            }
            4 if at < bytes.len() => bytes[at] ^= 1 << rng.index(8),
            _ => bytes.truncate(at),
        }
    }
    bytes
}

struct Request {
    system: System,
    method: String,
    target: String,
    headers: Vec<(String, String)>,
    body: String,
}

fn text(value: &Value) -> String {
    value.as_str().unwrap().to_owned()
}

fn read(path: &Path) -> Value {
    serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap()
}

fn request(system: System, value: &Value, names: (&str, &str)) -> Request {
    let headers = value["headers"].as_array().unwrap().iter();
    Request {
        system,
        method: text(&value["method"]),
        target: text(&value[names.0]),
        headers: headers.map(|pair| (text(&pair[0]), text(&pair[1]))).collect(),
        body: value[names.1].as_str().unwrap_or_default().to_owned(),
    }
}

/// Every request that an original client made.
fn corpus() -> Vec<Request> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut files: Vec<_> = fs::read_dir(root.join("recorded"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|end| end == "json"))
        .collect();
    files.sort();
    let mut all: Vec<Request> = files
        .iter()
        .map(|path| {
            let name = path.file_stem().unwrap().to_str().unwrap();
            let system = match name.split('_').next().unwrap() {
                "pushpad" => System::Pushpad,
                "ionic" => System::Ionic,
                "cozie" => System::Cozie,
                "hug" => System::FcmLegacy,
                other => panic!("{other} is the name of no system"),
            };
            request(system, &read(path), ("raw_target", "body_text"))
        })
        .collect();
    let pinpoint = read(&root.join("dialects/pinpoint.json"));
    let recorded = pinpoint["requests"].as_array().unwrap().iter();
    all.extend(recorded.map(|value| request(System::Pinpoint, value, ("target", "body"))));
    assert!(all.len() > 50, "{} requests", all.len());
    for system in System::ALL {
        assert!(
            all.iter().any(|one| one.system == *system),
            "{system} has no request"
        );
    }
    all
}

fn record(rng: &mut Rng) -> Value {
    let values = [
        json!({"Name": "n", "name": "n", "website": "https://example.com", "sender_id": 99, "BundleId": "com.example.app"}),
        json!({"Address": "a-token", "ChannelType": "GCM", "User": {"UserId": "u"}, "OptOut": "ALL"}),
        json!({"GCM": {"Title": "{{name}}"}, "Default": {"Body": 7}, "DefaultSubstitutions": "{"}),
        json!({"token": "ab".repeat(32), "password": "x", "player": "p", "sandbox": true, "send_at": "2026"}),
        json!({"targets": [{"platform": "ios", "token": "t"}, 7], "sent": {"t": {"outcome": 7}}, "scheduled": "x"}),
        json!({}),
    ];
    rng.pick(&values).clone()
}

/// What a store might say, or what none should.
fn answer(rng: &mut Rng, step: &Step) -> Value {
    if rng.one_in(12) {
        let wrong = [
            json!(7),
            json!([]),
            json!({"ids": 7}),
            json!({"reply": {}}),
            json!({"outcome": "scheduled"}),
            json!("x"),
        ];
        return rng.pick(&wrong).clone();
    }
    let ask = match step.action() {
        Action::Ask(ask) => ask,
        Action::Send(_) => {
            let ends = [
                json!({"outcome": "accepted", "status": 200, "id": "1"}),
                json!({"outcome": "token_gone", "status": 410, "reason": "Unregistered", "body": "{"}),
                json!({"outcome": "retry_later", "status": 429}),
                json!({"outcome": "error", "error": 501, "text": "nobody knows"}),
                json!({"outcome": "error", "error": 65535}),
            ];
            return rng.pick(&ends).clone();
        }
        _ => return json!({"id": "7", "count": 3}),
    };
    match ask {
        Ask::Secret { .. } => json!({"secret": "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"}),
        Ask::Token { .. } if rng.one_in(4) => json!({"scopes": ["123", "YOUR_APP_ID", "experiment"]}),
        Ask::Token { .. } => json!({}),
        Ask::Claim { .. } => Value::Null,
        Ask::Get { ids, .. } => {
            let found = ids.iter().map(|id| (id.clone(), record(rng)));
            Value::Object(found.collect())
        }
        Ask::List { .. } => {
            let items: Vec<Value> = (0..rng.index(4))
                .map(|at| json!({"id": at.to_string(), "value": record(rng)}))
                .collect();
            json!({"items": items, "total": items.len()})
        }
        Ask::Put { records, .. } => {
            let ids: Vec<Value> = records
                .iter()
                .map(|one| one.id.clone().unwrap_or_else(|| "7".to_owned()).into())
                .collect();
            json!({"ids": ids})
        }
        Ask::Delete { ids, .. } => json!({"ids": ids}),
        Ask::Forward { .. } => json!({"status": 200, "body": "{}"}),
        other => panic!("nobody answers {other:?}"),
    }
}

/// Drives a job to its reply; the status.
fn drive(rng: &mut Rng, mut job: Job) -> u16 {
    for _ in 0..500 {
        if let Some(reply) = job.reply() {
            assert!(
                reply
                    .headers()
                    .iter()
                    .all(|(_, value)| !value.contains(['\r', '\n']))
            );
            return reply.status();
        }
        let Some(step) = job.steps().first().cloned() else {
            panic!("a job that waits for nothing and has no reply");
        };
        let said = answer(rng, &step);
        if job.answer(step.id(), said.to_string().as_bytes()).is_err() {
            assert!(
                job.steps().iter().any(|there| there.id() == step.id()),
                "a step that waits on"
            );
        }
        if rng.one_in(4) {
            if let Ok(written) = job.to_json() {
                let again = Job::from_json(written.as_bytes()).expect("what was written is read");
                let steps = |job: &Job| job.steps().iter().map(Step::to_json).collect::<Vec<_>>();
                assert_eq!(steps(&again), steps(&job));
                assert_eq!(again.reply(), job.reply());
                job = again;
            }
        }
    }
    panic!("a job without an end");
}

fn number(name: &str, default: u64) -> u64 {
    std::env::var(name).map_or(default, |text| text.parse().expect("a number"))
}

#[test]
fn whatever_comes_in_is_answered() {
    let (seed, rounds) = (
        number("PUSHCORE_FUZZ_SEED", 20),
        number("PUSHCORE_FUZZ_DIALECTS", 4000),
    );
    let corpus = corpus();
    let dialects: Vec<Dialect> = System::ALL
        .iter()
        .map(|one| Dialect::new(*one, b"{}").unwrap())
        .collect();
    let mut statuses = std::collections::BTreeMap::<u16, u64>::new();
    let mut read_back = 0_u64;
    for round in 0..rounds {
        // Each round has a seed of its own, so that the one that fails is run by itself.
        let mut rng = Rng::new(seed.wrapping_add(round));
        let request = rng.pick(&corpus);
        let lossy = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
        let mut body = request.body.clone().into_bytes();
        if !rng.one_in(8) {
            body = changed(&mut rng, &body);
        }
        let target = match rng.one_in(3) {
            true => lossy(changed(&mut rng, request.target.as_bytes())),
            false => request.target.clone(),
        };
        let Ok(mut incoming) = Incoming::new(&request.method, &target, body) else {
            continue;
        };
        for (name, value) in &request.headers {
            if rng.one_in(30) {
                continue;
            }
            let value = match rng.one_in(10) {
                true => changed(&mut rng, value.as_bytes()),
                false => value.clone().into_bytes(),
            };
            for _ in 0..=usize::from(rng.one_in(30)) {
                incoming = incoming.with_header(name.as_bytes(), value.clone());
            }
        }
        // Pinpoint's signatures are of the time when they were recorded.
        let now = if request.system == System::Pinpoint {
            1_795_321_710
        } else {
            NOW
        };
        let dialect = dialects
            .iter()
            .find(|one| one.system() == request.system)
            .unwrap();
        let job = dialect.begin(incoming, UnixTime::from_secs(now));
        if let (true, Ok(written)) = (rng.one_in(6), job.to_json()) {
            // A job out of a store that somebody wrote to.
            let bytes = changed(&mut rng, written.as_bytes());
            if let Ok(job) = Job::from_json(&bytes) {
                read_back += 1;
                drive(&mut rng, job);
            }
            for step in job.steps() {
                let bytes = changed(&mut rng, step.to_json().as_bytes());
                drop(Step::from_json(&bytes).map(|step| step.to_json()));
            }
        }
        let tags = lossy(changed(&mut rng, b"paid && !(trial || a-b) || staff"));
        drop(TagExpression::parse(&tags).map(|tags| tags.matches(&["paid"])));
        let filter = changed(&mut rng, br#"{"uids":["a",7],"tags":["paid && !trial"]}"#);
        drop(Selection::from_json(&filter).map(|filter| filter.selects(Some("a"), &["paid"])));
        let status = drive(&mut rng, job);
        assert!(
            (200..500).contains(&status) || status == 500,
            "round {}: {status}",
            seed + round
        );
        *statuses.entry(status).or_default() += 1;
    }
    println!("{rounds} from {seed}: {statuses:?}, {read_back} jobs read back after a change");
    // A lying store leads to 500 now and then ("the message has no id"), the requests themselves to none.
    let good: u64 = statuses.range(200..300).map(|(_, count)| count).sum();
    assert!(good > rounds / 50, "{statuses:?}");
    assert!(
        statuses.keys().filter(|status| **status >= 400).count() >= 4,
        "{statuses:?}"
    );
    assert!(read_back > 0);
}
