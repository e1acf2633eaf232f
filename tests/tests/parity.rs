//! The same names in Rust, C, Python, Kotlin and Swift, read off the sources: what one language lacks stands in a list with
//! the reason, and a list that has gone stale fails as well.

#![allow(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    reason = "a test may read files, and may fail"
)]

use std::collections::BTreeSet;
use std::path::Path;

use pushcore::ErrorKind;
use pushcore::outcome::{OutcomeKind, Scope, Suspect};
use pushcore::service::Kind;
use pushcore::session::{SessionEvent, Stats};

fn read(path: &str) -> String {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    std::fs::read_to_string(root.join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

const KOTLIN: &str = "bindings/kotlin/src/generated/whole/pushcore.kt";
const SWIFT: &str = "bindings/swift/Sources/Pushcore/Generated/whole/Pushcore.swift";
const PYTHON: &str = "bindings/python/python/pushcore/_pushcore.pyi";

fn snake(camel: &str) -> String {
    let mut out = String::new();
    for (at, letter) in camel.char_indices() {
        let after = camel[..at].chars().next_back();
        if letter.is_ascii_uppercase() && after.is_some_and(|c| !c.is_ascii_uppercase() && c != '_') {
            out.push('_');
        }
        out.push(letter.to_ascii_lowercase());
    }
    out
}

/// The text between `begin` and the first `end` after it.
fn between<'a>(text: &'a str, begin: &str, end: &str) -> &'a str {
    let from = text.find(begin).unwrap_or_else(|| panic!("no {begin:?}")) + begin.len();
    let rest = &text[from..];
    &rest[..rest.find(end).unwrap_or(rest.len())]
}

/// The cases of an enum of Kotlin's, in snake case.
fn kotlin_enum(text: &str, name: &str) -> BTreeSet<String> {
    let body = between(text, &format!("enum class {name} {{"), "companion object");
    let words = body
        .lines()
        .map(str::trim)
        .filter(|line| !line.starts_with('*') && !line.starts_with("/*"));
    words
        .flat_map(|line| line.split([',', ';']))
        .map(str::trim)
        .filter(|word| {
            !word.is_empty()
                && word
                    .chars()
                    .all(|c| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_')
        })
        .map(str::to_ascii_lowercase)
        .collect()
}

/// The cases of an enum of Swift's, in snake case.
fn swift_enum(text: &str, name: &str) -> BTreeSet<String> {
    let body = between(text, &format!("public enum {name}:"), "\n}");
    let cases = body.lines().filter_map(|line| line.trim().strip_prefix("case "));
    cases.map(|case| snake(case.trim().trim_matches('`'))).collect()
}

/// The fields of a record of Kotlin's, in snake case.
fn kotlin_record(text: &str, name: &str) -> BTreeSet<String> {
    let body = between(text, &format!("data class {name} ("), "\n)");
    let fields = body.lines().filter_map(|line| line.trim().strip_prefix("val `"));
    fields
        .map(|field| snake(field.split('`').next().unwrap()))
        .collect()
}

/// The fields of a record of Swift's, in snake case.
fn swift_record(text: &str, name: &str) -> BTreeSet<String> {
    let body = between(text, &format!("public struct {name}:"), "\n}");
    let fields = body
        .lines()
        .filter_map(|line| line.trim().strip_prefix("public let "));
    fields
        .map(|field| snake(field.split(':').next().unwrap().trim_matches('`')))
        .collect()
}

fn set<'a>(names: impl IntoIterator<Item = &'a str>) -> BTreeSet<String> {
    names.into_iter().map(snake).collect()
}

#[test]
fn every_enum_has_every_case() {
    let (kotlin, swift) = (read(KOTLIN), read(SWIFT));
    for (name, expected) in [
        ("ErrorKind", set(ErrorKind::ALL.iter().map(|kind| kind.name()))),
        (
            "OutcomeKind",
            set(OutcomeKind::ALL.iter().map(|kind| kind.name())),
        ),
        ("Scope", set(Scope::ALL.iter().map(|scope| scope.name()))),
        ("Suspect", set(Suspect::ALL.iter().map(|suspect| suspect.name()))),
        ("ServiceKind", set(Kind::ALL.iter().map(|kind| kind.as_str()))),
    ] {
        // uniffi breaks words at capitals, and so breaks a name with a number elsewhere.
        let plain = |names: BTreeSet<String>| {
            names
                .iter()
                .map(|name| name.replace('_', ""))
                .collect::<BTreeSet<_>>()
        };
        assert_eq!(
            plain(kotlin_enum(&kotlin, name)),
            plain(expected.clone()),
            "Kotlin's {name}"
        );
        assert_eq!(plain(swift_enum(&swift, name)), plain(expected), "Swift's {name}");
    }
}

#[test]
fn the_error_numbers_are_those_of_c_and_python() {
    let (header, python) = (
        read("include/pushcore.h"),
        read("bindings/python/python/pushcore/_kinds.py"),
    );
    // Every line that sets a name to a number, with the words squeezed together: HTTP2 is split in more than one way.
    let numbers = |text: &str, prefix: &str| -> BTreeSet<String> {
        let lines = text.lines().filter_map(|line| line.trim().strip_prefix(prefix));
        lines.map(|line| line.replace([' ', '_', '='], "")).collect()
    };
    let header = numbers(&header, "#define PUSHCORE_ERROR_");
    let python = numbers(&python, "");
    for kind in ErrorKind::ALL {
        let line = format!("{}{}", kind.name().to_ascii_uppercase(), kind.code());
        assert!(header.contains(&line), "{line} is not in include/pushcore.h");
        assert!(python.contains(&line), "{line} is not in Python's kinds");
    }
}

#[test]
fn every_field_of_an_outcome_is_there() {
    let parts = read("core/src/outcome/parts.rs");
    let body = between(&parts, "pub struct OutcomeParts<'a> {", "\n}");
    let fields = body.lines().filter_map(|line| line.trim().strip_prefix("pub "));
    let mut expected: BTreeSet<String> = fields
        .map(|field| field.split(':').next().unwrap().to_owned())
        .collect();
    assert!(expected.len() >= 18, "{expected:?}");
    expected.insert("advice".into());
    assert_eq!(kotlin_record(&read(KOTLIN), "Outcome"), expected);
    assert_eq!(swift_record(&read(SWIFT), "Outcome"), expected);
}

#[test]
fn every_count_is_there() {
    let expected: BTreeSet<String> = Stats::default()
        .list()
        .iter()
        .map(|(name, _)| (*name).to_owned())
        .collect();
    assert_eq!(kotlin_record(&read(KOTLIN), "Stats"), expected);
    assert_eq!(swift_record(&read(SWIFT), "Stats"), expected);
}

/// The public fields of a struct of Rust's.
fn rust_record(path: &str, name: &str) -> BTreeSet<String> {
    let source = read(path);
    let body = between(&source, &format!("pub struct {name} {{"), "\n}");
    let fields = body.lines().filter_map(|line| line.trim().strip_prefix("pub "));
    set(fields.filter_map(|field| field.split(':').next()))
}

#[test]
fn every_field_of_a_report_is_there() {
    let (kotlin, swift) = (read(KOTLIN), read(SWIFT));
    for (path, name) in [
        ("client/src/progress.rs", "Progress"),
        ("core/src/session/metrics.rs", "Metrics"),
        ("core/src/session/report.rs", "ConnectionReport"),
        ("core/src/session/report.rs", "HostReport"),
    ] {
        let mut expected = rust_record(path, name);
        assert!(expected.len() >= 3, "{name}: {expected:?}");
        // A point on a clock that no other language has; `elapsed` says the same.
        expected.remove("started");
        assert_eq!(kotlin_record(&kotlin, name), expected, "Kotlin's {name}");
        assert_eq!(swift_record(&swift, name), expected, "Swift's {name}");
    }
}

/// An event travels as the record that the core makes of it, so that a new one needs nothing in a binding; the record has
/// to be whole.
#[test]
fn an_event_is_whole() {
    let parts = SessionEvent::TokenRenewed.parts();
    let pushcore::session::EventParts {
        name: _,
        level: _,
        link: _,
        code: _,
        after: _,
        text: _,
        ..
    } = parts;
    let expected = set(["name", "level", "link", "code", "after", "text"]);
    assert_eq!(kotlin_record(&read(KOTLIN), "Event"), expected);
    assert_eq!(swift_record(&read(SWIFT), "Event"), expected);
    let source = read("core/src/session/event.rs");
    let body = between(&source, "pub struct EventParts {", "\n}");
    assert_eq!(
        body.matches("pub ").count(),
        expected.len(),
        "EventParts has a new field"
    );
}

/// Python's public classes, and what Swift and Kotlin have in their place: a type of theirs, or `-` and the reason why none.
const CLASSES: &[(&str, &str)] = &[
    ("Outcome", "Outcome"),
    ("Accepted", "OutcomeKind"),
    ("TokenGone", "OutcomeKind"),
    ("TokenMismatch", "OutcomeKind"),
    ("RetryLater", "OutcomeKind"),
    ("FixCredentials", "OutcomeKind"),
    ("Rejected", "OutcomeKind"),
    ("Request", "Request"),
    ("Response", "Response"),
    (
        "SigningKey",
        "- apps and their servers have keys; making one is the command's affair",
    ),
    ("ApnsCredentials", "Service"),
    ("Localized", "- the JSON of docs/messages.md says it"),
    ("LiveActivity", "ApnsLiveActivity"),
    ("BaseMessage", "Message"),
    ("ApnsMessage", "ApnsAlert"),
    (
        "ApnsBroadcast",
        "- the JSON of docs/messages.md says it: a form with a channel",
    ),
    ("ApnsChannels", "Call"),
    ("FcmCredentials", "Service"),
    ("FcmMessage", "FcmNotification"),
    ("FcmTopics", "Call"),
    ("TopicPage", "CallAnswer"),
    ("TopicSubscription", "TopicSubscription"),
    ("TopicResult", "TopicResult"),
    ("VapidCredentials", "Service"),
    ("EndpointPolicy", "EndpointPolicy"),
    (
        "Subscription",
        "- a subscription is its JSON, as the target of a message",
    ),
    ("WebPushMessage", "WebPushPayload"),
    ("ReceiverKeys", "ReceiverKeys"),
    ("AdmCredentials", "Service"),
    ("AdmMessage", "Message"),
    (
        "AdmAudienceMessage",
        "- the JSON of docs/messages.md says it: a form with a topic or a group",
    ),
    ("AdmGroups", "Call"),
    ("AdmGroupResult", "CallAnswer"),
    ("BaiduCredentials", "Service"),
    ("BaiduMessage", "Message"),
    ("BaiduCalls", "BaiduSubject"),
    ("Call", "Call"),
    ("Service", "Service"),
    ("Progress", "Progress"),
    ("Event", "Event"),
    ("SendMany", "Ended"),
    ("BlockingClient", "Client"),
    ("BlockingBatch", "Batch"),
    ("Batch", "Batch"),
    ("Session", "Session"),
    (
        "Tunnel",
        "- proxies of a session are the owner's affair; the client has its own",
    ),
    ("Activity", "- the JSON of docs/notification.md says it"),
    (
        "Attempts",
        "- a hub tries again by itself; Delivered says how often",
    ),
    ("Campaign", "- the hub makes the messages"),
    ("Device", "Recipient"),
    ("HubBoard", "HubBatch"),
    ("Dialect", "Dialect"),
    ("DialectJob", "DialectJob"),
    ("DialectReply", "DialectReply"),
    ("DialectStep", "DialectStep"),
    ("Feedback", "Feedback"),
    ("Histogram", "Histogram"),
    ("Metrics", "Metrics"),
    ("Notification", "- the JSON of docs/notification.md says it"),
    ("NotificationLoss", "NotificationLoss"),
    ("Retries", "Retries"),
    ("Retry", "- a hub tries again by itself"),
    ("Selection", "DialectSelection"),
    (
        "TagExpression",
        "- a DialectSelection of one expression says the same",
    ),
    ("Target", "Target"),
    ("Template", "Message"),
];

#[test]
fn every_public_class_is_there_or_has_a_reason() {
    let (python, kotlin, swift) = (read(PYTHON), read(KOTLIN), read(SWIFT));
    let classes = python.lines().filter_map(|line| line.strip_prefix("class "));
    let classes = classes.map(|line| line.split(['(', ':']).next().unwrap_or_default());
    let mut listed: Vec<&str> = CLASSES.iter().map(|(name, _)| *name).collect();
    for name in classes.filter(|name| !name.starts_with('_')) {
        let found = CLASSES.iter().find(|(listed, _)| *listed == name);
        let (_, there) =
            found.unwrap_or_else(|| panic!("Python's {name} is new: what have Swift and Kotlin?"));
        listed.retain(|listed| *listed != name);
        if there.starts_with("- ") {
            // The reason is stale when there is such a type.
            assert!(
                !kotlin.contains(&format!("class {name} ")) && !kotlin.contains(&format!("class `{name}`")),
                "{name}"
            );
            continue;
        }
        let kotlin_has = ["class", "enum class", "open class"].iter().any(|word| {
            [' ', ':', '(']
                .iter()
                .any(|after| kotlin.contains(&format!("{word} {there}{after}")))
        });
        assert!(kotlin_has, "Kotlin has no {there} for {name}");
        let swift_has = ["class", "struct", "enum"]
            .iter()
            .any(|word| swift.contains(&format!("{word} {there}:")));
        assert!(swift_has, "Swift has no {there} for {name}");
    }
    assert!(listed.is_empty(), "no longer in Python: {listed:?}");
}
