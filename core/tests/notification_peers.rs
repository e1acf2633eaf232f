//! One notification beside what other libraries make of it, field by field: every difference is listed here with its
//! reason, and no reason is kept that has no difference. Writes `docs/notification-peers.md`:
//! `PUSHCORE_WRITE_DOCS=1 cargo test -p pushcore --test notification_peers`.

#![allow(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    reason = "a test may read files, and may fail"
)]

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::time::Duration;

use pushcore::notification::{Device, Notification, message};
use pushcore::service::Message;
use pushcore::{Now, UnixTime, apns};
use serde_json::{Value, json};

const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/..");

fn record() -> Value {
    let path = format!("{ROOT}/tests/vectors/notification_peers.json");
    serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
}

/// The same notification as in `tests/interop/notification/record.py`.
fn ada_wrote() -> Value {
    json!({
        "title": "Ada wrote", "subtitle": "Chat", "body": "See you at six",
        "image": "https://img.example/a.png", "icon": "ic_chat",
        "action": {"url": "https://chat.example/7"},
        "badge": 3, "sound": "default", "thread": "chat-7", "category": "CHAT", "channel": "messages",
        "urgency": "high", "ttl": 3600, "collapse_key": "chat-7", "data": {"id": "7"},
    })
}

fn ours(service: &str, now: Now, buttons: bool) -> Message {
    let mut notification = ada_wrote();
    if buttons {
        notification["buttons"] = json!([{"id": "yes", "title": "Yes"}]);
    }
    let device = match service {
        "apns" => json!({"service": "apns", "app": "com.example.app", "token": "ab"}),
        "web_push" => {
            let keys = pushcore::webpush::ReceiverKeys::generate().unwrap();
            let text = keys.subscription_json("https://updates.push.services.mozilla.com/wpush/v2/abc");
            json!({"service": "web_push", "subscription": text})
        }
        other => json!({"service": other, "token": "t"}),
    };
    let notification = Notification::from_json(notification.to_string().as_bytes()).unwrap();
    let device = Device::from_json(device.to_string().as_bytes()).unwrap();
    message(&notification, &device, now).unwrap().0
}

fn walk(value: &Value, path: &str, leaves: &mut BTreeMap<String, String>) {
    match value {
        Value::Object(map) => {
            for (key, value) in map {
                let path = if path.is_empty() {
                    key.clone()
                } else {
                    format!("{path}.{key}")
                };
                walk(value, &path, leaves);
            }
        }
        other => {
            leaves.insert(path.to_owned(), other.to_string());
        }
    }
}

/// Every leaf of the body, and every header with a colon.
fn leaves(message: &Message) -> BTreeMap<String, String> {
    let mut leaves = BTreeMap::new();
    let body: Value = serde_json::from_slice(&message.payload()).unwrap();
    let root = match message {
        Message::Fcm(_) => &body["message"],
        _ => &body,
    };
    walk(root, "", &mut leaves);
    if let Message::Apns(message) = message {
        let credentials = apns::Credentials::token(
            apns::KeyId::parse("ABC123DEFG").unwrap(),
            apns::TeamId::parse("DEF123GHIJ").unwrap(),
            pushcore::crypto::Es256Key::generate().unwrap(),
        );
        let now = Now::new(Duration::ZERO, UnixTime::from_secs(1_764_422_769));
        let service =
            pushcore::service::Service::from(apns::Service::new(credentials, apns::Hosts::default()));
        for header in service.request(message, now).unwrap().all_headers() {
            if header.name.starts_with("apns-") {
                leaves.insert(format!("{}:", header.name), json!(header.value).to_string());
            }
        }
    }
    leaves
}

/// Differences that are meant: peer, service, the beginning of the path, and the reason.
const MEANT: &[(&str, &str, &str, &str)] = &[
    (
        "firebase-admin (Python)",
        "fcm",
        "android.priority",
        "Google's schema names the word in capitals; its service takes both",
    ),
    (
        "node-pushnotifications",
        "apns",
        "aps.alert.subtitle",
        "its one notification has no subtitle",
    ),
    (
        "node-pushnotifications",
        "apns",
        "image",
        "it asks the app's service extension (`mutable-content`) and does not tell the extension the picture",
    ),
    (
        "node-pushnotifications",
        "fcm",
        "android.priority",
        "Google's schema names the word in capitals; its service takes both",
    ),
    (
        "node-pushnotifications",
        "fcm",
        "android.data",
        "it repeats the texts in Android's data, which replaces the message's data there and counts towards 4096 bytes",
    ),
    (
        "node-pushnotifications",
        "fcm",
        "android.notification.title",
        "it writes the texts for each platform; we write them once, in `notification`",
    ),
    (
        "node-pushnotifications",
        "fcm",
        "android.notification.body",
        "it writes the texts for each platform; we write them once, in `notification`",
    ),
    (
        "node-pushnotifications",
        "fcm",
        "android.notification.image",
        "it writes the texts for each platform; we write them once, in `notification`",
    ),
    (
        "node-pushnotifications",
        "fcm",
        "notification",
        "it writes the texts for each platform, so that a browser gets none",
    ),
    (
        "node-pushnotifications",
        "fcm",
        "android.notification.click_action",
        "it starts an activity by the name of Apple's category; `category` is Apple's alone here",
    ),
    (
        "node-pushnotifications",
        "fcm",
        "apns.headers.apns-topic",
        "FCM knows the app of an Apple device, and sets the topic itself",
    ),
    (
        "node-pushnotifications",
        "fcm",
        "apns.headers.apns-push-type",
        "FCM sets `alert` itself; we write the header for silent messages",
    ),
    (
        "node-pushnotifications",
        "fcm",
        "apns.payload.aps.alert.subtitle",
        "its one notification has no subtitle",
    ),
    (
        "node-pushnotifications",
        "fcm",
        "apns.fcm_options.image",
        "it shows no picture on Apple's devices behind FCM",
    ),
    (
        "node-pushnotifications",
        "fcm",
        "webpush",
        "it has no part for browsers: no link, urgency, time to live or topic there",
    ),
    (
        "node-pushnotifications",
        "adm",
        "data",
        "it puts every option that it was given into the data, numbers and flags too, where ADM documents texts",
    ),
    (
        "node-pushnotifications",
        "adm",
        "notification",
        "it sends data alone; the app has to draw the notification",
    ),
    (
        "node-pushnotifications",
        "adm",
        "consolidationKey",
        "it reads another option than its `collapseKey`, so that nothing is replaced",
    ),
    (
        "node-pushnotifications",
        "adm",
        "priority",
        "it puts the word into the data",
    ),
    (
        "node-pushnotifications",
        "web_push",
        "",
        "it sends its whole configuration to the browser, in a form that is no declarative message, without TTL, Urgency or Topic",
    ),
];

struct Compared {
    peer: String,
    service: String,
    equal: usize,
    differences: BTreeMap<String, (Option<String>, Option<String>)>,
}

fn compare() -> Vec<Compared> {
    let record = record();
    let now = Now::new(
        Duration::ZERO,
        UnixTime::from_secs(record["now"].as_u64().unwrap()),
    );
    let rows = record["messages"].as_array().unwrap();
    let mut compared = Vec::new();
    for row in rows {
        let (name, service) = (row["peer"].as_str().unwrap(), row["service"].as_str().unwrap());
        let mut theirs = BTreeMap::new();
        walk(&row["body"], "", &mut theirs);
        for (name, value) in row["headers"].as_object().into_iter().flatten() {
            theirs.insert(format!("{name}:"), value.to_string());
        }
        let ours = leaves(&ours(service, now, name.starts_with("firebase")));
        let paths: BTreeSet<&String> = theirs.keys().chain(ours.keys()).collect();
        let differences: BTreeMap<_, _> = paths
            .iter()
            .filter(|path| theirs.get(**path) != ours.get(**path))
            .map(|path| {
                (
                    (*path).clone(),
                    (theirs.get(*path).cloned(), ours.get(*path).cloned()),
                )
            })
            .collect();
        compared.push(Compared {
            peer: format!("{name} {}", row["version"].as_str().unwrap()),
            service: service.to_owned(),
            equal: paths.len() - differences.len(),
            differences,
        });
    }
    compared
}

fn reason(peer: &str, service: &str, path: &str) -> Option<usize> {
    MEANT.iter().position(|(name, of, prefix, _)| {
        let rest = path.strip_prefix(prefix);
        let whole = prefix.is_empty() || rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('.'));
        peer.starts_with(name) && service == *of && whole
    })
}

/// Members of the peers' vocabularies, and the field of ours that says the same; a reason in place of a field begins
/// with "no:". A name that ends with `*` stands for all that begin so.
const VOCABULARY: &[(&str, &str)] = &[
    // Amazon Pinpoint
    ("Title", "title"),
    ("Body", "body"),
    ("Action", "action"),
    ("Url", "action"),
    ("Badge", "badge"),
    ("Sound", "sound"),
    ("Category", "category"),
    ("ThreadId", "thread"),
    ("CollapseId", "collapse_key"),
    ("CollapseKey", "collapse_key"),
    ("ConsolidationKey", "collapse_key"),
    ("Data", "data"),
    ("MediaUrl", "image"),
    ("ImageUrl", "image"),
    ("ImageIconUrl", "icon"),
    ("SmallImageIconUrl", "icon"),
    ("IconReference", "icon"),
    ("Priority", "urgency"),
    ("TimeToLive", "ttl"),
    ("ExpiresAfter", "ttl"),
    ("SilentPush", "silent"),
    ("RawContent", "overrides"),
    ("RestrictedPackageName", "overrides"),
    ("MD5", "overrides"),
    ("APNSPushType", "overrides"),
    ("PreferredAuthenticationMethod", "no: a client's credentials"),
    (
        "Substitutions",
        "no: a template engine's; the caller fills the texts",
    ),
    // OneSignal
    ("headings", "title"),
    ("subtitle", "subtitle"),
    ("contents", "body"),
    ("url", "action"),
    ("app_url", "action"),
    ("web_url", "action"),
    ("data", "data"),
    ("custom_data", "data"),
    ("big_picture", "image"),
    ("global_image", "image"),
    ("ios_attachments", "image"),
    ("adm_big_picture", "image"),
    ("chrome_big_picture", "image"),
    ("chrome_web_image", "image"),
    ("small_icon", "icon"),
    ("large_icon", "overrides"),
    ("adm_small_icon", "icon"),
    ("adm_large_icon", "overrides"),
    ("chrome_icon", "icon"),
    ("chrome_web_icon", "icon"),
    ("firefox_icon", "icon"),
    ("chrome_web_badge", "overrides"),
    ("buttons", "buttons"),
    ("web_buttons", "buttons"),
    ("ios_badgeCount", "badge"),
    ("ios_badgeType", "no: APNs knows no increase; the caller counts"),
    ("ios_sound", "sound"),
    ("android_sound", "sound"),
    ("adm_sound", "sound"),
    ("ios_category", "category"),
    ("thread_id", "thread"),
    (
        "android_group*",
        "no: FCM groups no notifications; the app does, by its data",
    ),
    (
        "adm_group*",
        "no: ADM groups no notifications; the app does, by its data",
    ),
    ("summary_arg*", "no: ignored since iOS 15"),
    ("android_channel_id", "channel"),
    ("existing_android_channel_id", "channel"),
    ("collapse_id", "collapse_key"),
    ("web_push_topic", "collapse_key"),
    ("priority", "urgency"),
    ("ttl", "ttl"),
    ("content_available", "silent"),
    ("mutable_content", "image"),
    ("android_accent_color", "overrides"),
    ("android_led_color", "overrides"),
    ("android_visibility", "overrides"),
    ("android_background_layout", "no: drawn by OneSignal's own SDK"),
    ("apns_alert", "overrides"),
    ("apns_push_type_override", "overrides"),
    ("ios_interruption_level", "overrides"),
    ("ios_relevance_score", "overrides"),
    ("target_content_identifier", "overrides"),
    ("huawei_*", "no: Huawei is not spoken"),
    ("wp_wns_sound", "no: WNS is spoken through Web Push only"),
    ("email_*", "no: not a push"),
    ("disable_email_click_tracking", "no: not a push"),
    ("sms_*", "no: not a push"),
    ("include_*", "no: targets are devices"),
    ("included_segments", "no: targets are devices"),
    ("excluded_segments", "no: targets are devices"),
    ("filters", "no: targets are devices"),
    ("target_channel", "no: targets are devices"),
    ("is*", "no: targets are devices"),
    ("aggregation", "no: statistics of a service of its own"),
    ("value", "no: statistics of a service of its own"),
    ("kind", "no: statistics of a service of its own"),
    ("app_id", "no: an app's credentials"),
    ("id", "no: an answer's"),
    ("external_id", "no: `Attempts` has the id"),
    ("idempotency_key", "no: `Attempts` has the id"),
    ("name", "no: a campaign's name is the caller's"),
    ("template_id", "no: a notification in JSON is the template"),
    ("send_after", "no: the caller's clock"),
    ("delayed_option", "no: the caller's clock"),
    ("delivery_time_of_day", "no: the caller's clock"),
    ("throttle_rate_per_minute", "no: an option of clients (`rate`)"),
];

fn meaning(member: &str) -> Option<usize> {
    let exact = VOCABULARY.iter().position(|(name, _)| *name == member);
    exact.or_else(|| {
        VOCABULARY.iter().position(|(name, _)| {
            name.strip_suffix('*')
                .is_some_and(|beginning| member.starts_with(beginning))
        })
    })
}

fn members(vocabulary: &Value) -> BTreeSet<String> {
    let names = |list: &Value| -> Vec<String> {
        let list = list.as_array().unwrap().iter();
        list.map(|name| name.as_str().unwrap().to_owned()).collect()
    };
    match &vocabulary["members"] {
        Value::Object(map) => map.values().flat_map(names).collect(),
        list => names(list).into_iter().collect(),
    }
}

fn examples() -> Vec<Value> {
    let path = format!("{ROOT}/tests/vectors/notification_examples.json");
    let all: Value = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
    all["examples"].as_array().unwrap().clone()
}

/// What an example says for each field of ours: paths with their values. Members for which no field stands are left out.
fn said(example: &Value) -> BTreeMap<&'static str, Vec<(String, Value)>> {
    let mut said: BTreeMap<&str, Vec<(String, Value)>> = BTreeMap::new();
    let mut note = |path: String, member: &str, value: &Value| {
        let meant = meaning(member).unwrap_or_else(|| panic!("{path} is in no vocabulary"));
        let field = VOCABULARY[meant].1;
        if !field.starts_with("no: ") {
            said.entry(field).or_default().push((path, value.clone()));
        }
    };
    for (name, value) in example["says"].as_object().unwrap() {
        match value {
            // Pinpoint has a message for each service.
            Value::Object(members) if name.ends_with("Message") => {
                for (member, value) in members {
                    note(format!("{name}.{member}"), member, value);
                }
            }
            _ => note(name.clone(), name, value),
        }
    }
    said
}

fn examples_page(out: &mut String) {
    out.push_str(
        "\n## The same notification in the words of Pinpoint and OneSignal\n\nThe requests are in `tests/vectors/notification_examples.json`, with members of the vocabularies below.\n\n",
    );
    let examples = examples();
    out.push_str("| ours |");
    for example in &examples {
        write!(
            out,
            " {}, {} |",
            example["peer"].as_str().unwrap(),
            example["call"].as_str().unwrap()
        )
        .unwrap();
    }
    out.push_str("\n|---|---|---|\n");
    for (field, value) in ada_wrote().as_object().unwrap() {
        write!(out, "| `{field}`: `{value}` |").unwrap();
        for example in &examples {
            let cell = match said(example).get(field.as_str()) {
                Some(members) => {
                    let members: Vec<String> = members
                        .iter()
                        .map(|(path, value)| format!("`{path}`: `{value}`"))
                        .collect();
                    members.join(", ")
                }
                None => format!("– ({})", example["unsaid"][field].as_str().unwrap()),
            };
            write!(out, " {cell} |").unwrap();
        }
        out.push('\n');
    }
}

fn page() -> String {
    let mut out = String::from(
        "# One notification beside other libraries

What other libraries make of the notification \"Ada wrote\" (title, subtitle, body, picture, icon, link, badge, sound, thread, category, channel, urgency, an hour to live,
a collapse key, data) beside [ours](notification.md), field by field. `tests/interop/notification/record.py` records them without sending anything;
`core/tests/notification_peers.rs` compares, and writes this page. A difference without a reason fails that test, and so does a reason without a difference.
",
    );
    for row in compare() {
        let Compared {
            peer,
            service,
            equal,
            differences,
        } = row;
        write!(out, "\n## {peer}, `{service}`\n\n{equal} fields are equal").unwrap();
        if differences.is_empty() {
            out.push_str(", and none differs.\n");
            continue;
        }
        write!(
            out,
            "; {} differ:\n\n| fields | theirs | ours | reason |\n|---|---|---|---|\n",
            differences.len()
        )
        .unwrap();
        let mut groups: BTreeMap<usize, Vec<&String>> = BTreeMap::new();
        for path in differences.keys() {
            groups
                .entry(reason(&peer, &service, path).unwrap())
                .or_default()
                .push(path);
        }
        for (meant, paths) in groups {
            let (theirs, ours) = match paths.as_slice() {
                [path] => {
                    let shown = |value: &Option<String>| match value {
                        Some(text) => format!("`{text}`"),
                        None => "–".to_owned(),
                    };
                    let (theirs, ours) = &differences[*path];
                    (shown(theirs), shown(ours))
                }
                many => {
                    let count = |pick: fn(&(Option<String>, Option<String>)) -> bool| {
                        many.iter()
                            .filter(|path| pick(&differences[**path]))
                            .count()
                            .to_string()
                    };
                    (count(|pair| pair.0.is_some()), count(|pair| pair.1.is_some()))
                }
            };
            let name = MEANT[meant].2;
            let name = match (name, paths.as_slice()) {
                ("", _) => "everything".to_owned(),
                (name, [path]) if *path == name => format!("`{name}`"),
                (name, _) => format!("`{name}.*`"),
            };
            writeln!(out, "| {name} | {theirs} | {ours} | {} |", MEANT[meant].3).unwrap();
        }
    }
    examples_page(&mut out);
    out.push_str("\n## Vocabularies\n\nMembers of the messages of services that take one notification for several platforms, and the field of ours that says the same.\n");
    for vocabulary in record()["vocabularies"].as_array().unwrap() {
        let (peer, version) = (
            vocabulary["peer"].as_str().unwrap(),
            vocabulary["version"].as_str().unwrap(),
        );
        write!(out, "\n### {peer} {version}\n\n| ours | theirs |\n|---|---|\n").unwrap();
        let mut groups: BTreeMap<&str, Vec<String>> = BTreeMap::new();
        for member in members(vocabulary) {
            groups
                .entry(VOCABULARY[meaning(&member).unwrap()].1)
                .or_default()
                .push(format!("`{member}`"));
        }
        for (ours, theirs) in groups {
            let ours = match ours.strip_prefix("no: ") {
                Some(reason) => format!("– ({reason})"),
                None => format!("`{ours}`"),
            };
            writeln!(out, "| {ours} | {} |", theirs.join(", ")).unwrap();
        }
    }
    out
}

#[test]
fn every_difference_has_a_reason() {
    let mut used = BTreeSet::new();
    for row in compare() {
        for (path, values) in &row.differences {
            let found = reason(&row.peer, &row.service, path);
            let found = found.unwrap_or_else(|| panic!("{} {} {path}: {values:?}", row.peer, row.service));
            used.insert(found);
        }
        assert!(
            row.equal > 0 || row.service == "web_push",
            "{} {}",
            row.peer,
            row.service
        );
    }
    for (number, meant) in MEANT.iter().enumerate() {
        assert!(used.contains(&number), "a reason without a difference: {meant:?}");
    }
}

#[test]
fn every_member_of_a_vocabulary_is_a_field_or_left_out_for_a_reason() {
    let schema = std::fs::read(format!("{ROOT}/docs/notification.schema.json")).unwrap();
    let schema: Value = serde_json::from_slice(&schema).unwrap();
    let fields = schema["$defs"]["notification"]["properties"].as_object().unwrap();
    let mut used = BTreeSet::new();
    for vocabulary in record()["vocabularies"].as_array().unwrap() {
        for member in members(vocabulary) {
            let meant = meaning(&member).unwrap_or_else(|| panic!("{member}: no field, and no reason"));
            used.insert(meant);
        }
    }
    for (number, (name, ours)) in VOCABULARY.iter().enumerate() {
        assert!(used.contains(&number), "nobody says {name}");
        assert!(
            ours.starts_with("no: ") || fields.contains_key(*ours),
            "{name}: no field {ours}"
        );
    }
    // The other way round: a field that neither has.
    let known: BTreeSet<&str> = VOCABULARY.iter().map(|(_, ours)| *ours).collect();
    let alone: Vec<&String> = fields
        .keys()
        .filter(|field| !known.contains(field.as_str()))
        .collect();
    assert_eq!(alone, ["shorten"], "fields that neither vocabulary has");
}

/// Every field of ours is said by an example with the same value, or is left unsaid for a reason.
#[test]
fn the_examples_say_the_same() {
    let notification = ada_wrote();
    let fields = notification.as_object().unwrap();
    let vocabularies = record()["vocabularies"].as_array().unwrap().clone();
    for (example, vocabulary) in examples().iter().zip(&vocabularies) {
        let peer = example["peer"].as_str().unwrap();
        assert!(vocabulary["peer"].as_str().unwrap().starts_with(peer));
        let members = members(vocabulary);
        let said = said(example);
        for (field, said) in &said {
            let expected = fields
                .get(*field)
                .unwrap_or_else(|| panic!("{peer} says {field}"));
            for (path, value) in said {
                let member = path.rsplit('.').next().unwrap();
                assert!(members.contains(member), "{peer} has no {member}");
                let text = |value: &Value| match value {
                    // A text by language, an attachment by its name.
                    Value::Object(map) if *field != "data" => {
                        map.values().next().unwrap().as_str().unwrap().to_owned()
                    }
                    Value::String(text) => text.clone(),
                    other => other.to_string(),
                };
                let same = match (*field, member) {
                    // Apple's and OneSignal's word for high is 10.
                    ("urgency", _) => ["10", "high"].contains(&text(value).as_str()),
                    ("action", "Action") => text(value) == "URL",
                    ("action", _) => *value == expected["url"],
                    _ => text(value) == text(expected),
                };
                assert!(same, "{peer}, {path}: {value}, where ours is {expected}");
            }
        }
        for field in fields.keys() {
            let reason = example["unsaid"].get(field).is_some();
            assert_ne!(
                said.contains_key(field.as_str()),
                reason,
                "{peer}, {field}: said or a reason, and not both"
            );
        }
    }
}

#[test]
fn the_page_is_current() {
    let path = format!("{ROOT}/docs/notification-peers.md");
    let text = page();
    if std::env::var_os("PUSHCORE_WRITE_DOCS").is_some() {
        std::fs::write(&path, &text).unwrap();
    }
    let found = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        found == text,
        "docs/notification-peers.md is stale: see the head of this file"
    );
}
