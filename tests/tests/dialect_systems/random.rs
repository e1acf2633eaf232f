//! Requests that were cut, doubled and scrambled: each of them gets a reply.

use pushcore::dialect::{Collection, System};
use serde_json::{Value, json};

use super::host::{Host, recorded};

/// Marsaglia's xorshift: the same requests at every run.
struct Chance(u64);

impl Chance {
    fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % end.max(1) as u64).unwrap()
    }
}

const PIECES: &[&str] = &[
    "\"",
    "{",
    "}",
    "[",
    "]",
    ":",
    ",",
    "null",
    "true",
    "-1",
    "1e999",
    "18446744073709551616",
    "\\u0000",
    "\\ud800",
    "é",
    "%",
    "&",
    "(",
    ")",
    "!",
    "||",
    "a && ",
    "\"aps\"",
    "\"payload\":",
    "\"uids\":[],",
    "\"tags\":\"a b\",",
    "/topics/",
    "DEV-",
    "999999999999",
    "\"notification\":",
    "https://",
    "=",
    "+",
    " ",
];

fn mutated(text: &str, chance: &mut Chance) -> String {
    let mut chars: Vec<char> = text.chars().collect();
    for _ in 0..=chance.below(6) {
        let at = chance.below(chars.len() + 1);
        match chance.below(4) {
            0 => {
                let end = (at + chance.below(8)).min(chars.len());
                chars.drain(at..end);
            }
            1 => {
                let piece = PIECES[chance.below(PIECES.len())];
                chars.splice(at..at, piece.chars());
            }
            2 => {
                let end = (at + chance.below(40)).min(chars.len());
                let copy: Vec<char> = chars[at..end].to_vec();
                chars.splice(at..at, copy);
            }
            _ => chars.truncate(at.max(1)),
        }
    }
    chars.into_iter().collect()
}

#[test]
fn every_request_gets_a_reply() {
    let mut chance = Chance(0x9E37_79B9_7F4A_7C15);
    let mut statuses = std::collections::BTreeMap::<u16, usize>::new();
    for (system, key, labels) in [
        (
            System::Pushpad,
            "5374d7dfeffa2eb49965624ba7596a09",
            &[
                "pushpad_seed_readme_baseurl",
                "pushpad_v1_0_0_mitm",
                "pushpad_subs_create",
                "pushpad_subs_list",
                "pushpad_projects_create",
                "pushpad_senders_create",
                "pushpad_create_tagexpr",
            ][..],
        ),
        (
            System::Ionic,
            "YOUR_PRIVATE_API_KEY",
            &[
                "ionic_body_1_py3_local",
                "ionic_body_2_state_py3_local",
                "ionic_curl_status",
            ],
        ),
        (
            System::Cozie,
            "XXX",
            &["cozie_seed_plain_local", "cozie_seed_buttons_local"],
        ),
        (System::FcmLegacy, "PROVIDER-API-KEY", &["hug_blog_send_mitm"]),
    ] {
        for label in labels {
            let request = recorded(label);
            let headers: Vec<(&str, &str)> = request
                .headers
                .iter()
                .map(|(name, value)| (name.as_str(), value.as_str()))
                .collect();
            for turn in 0..300 {
                let mut host = Host::new(system, &json!({}))
                    .with_token(key, Value::Null)
                    .with(
                        Collection::Apps,
                        None,
                        "123",
                        json!({"sender_id": 99, "name": "n", "website": "w"}),
                    )
                    .with(Collection::Senders, None, "99", json!({"name": "n"}))
                    .with(
                        Collection::Channels,
                        Some("YOUR_APP_ID"),
                        "APNS",
                        json!({"BundleId": "com.example"}),
                    );
                let body = mutated(&request.body, &mut chance);
                let mut target: String = match turn % 5 {
                    0 => mutated(&request.target, &mut chance),
                    _ => request.target.clone(),
                };
                // What no HTTP server lets through does not come to a dialect.
                target.retain(|c| c.is_ascii_graphic());
                if !target.starts_with('/') {
                    target.insert(0, '/');
                }
                let answer = host.request(&request.method, &target, &headers, &body);
                assert!(
                    (200..500).contains(&answer.status),
                    "{label}: {target} {body}: {answer:?}"
                );
                *statuses.entry(answer.status).or_default() += 1;
            }
        }
    }
    // The scrambling is neither without effect nor the end of everything.
    assert!(
        statuses.keys().filter(|status| **status < 300).count() >= 3,
        "{statuses:?}"
    );
    assert!(
        statuses.get(&400).is_some_and(|count| *count > 200),
        "{statuses:?}"
    );
}
