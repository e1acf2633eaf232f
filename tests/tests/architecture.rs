//! Who may import whom (DESIGN §1), read off the sources.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .expect("tests/ lies in the root")
        .to_path_buf()
}

/// Every `.rs` file below `folder`, with comments and the tests at the end of a file cut off.
fn sources(folder: &Path) -> BTreeMap<PathBuf, String> {
    let mut found = BTreeMap::new();
    let mut folders = vec![folder.to_path_buf()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).unwrap_or_else(|e| panic!("{}: {e}", folder.display())) {
            let path = entry.expect("a readable entry").path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|e| e == "rs") && !is_test_file(&path) {
                let text = fs::read_to_string(&path).expect("utf-8");
                found.insert(path, code(&text));
            }
        }
    }
    found
}

fn is_test_file(path: &Path) -> bool {
    let stem = path
        .file_stem()
        .and_then(|stem| stem.to_str())
        .unwrap_or_default();
    let only_tests = ["tests", "stories", "wycheproof"];
    only_tests.contains(&stem)
        || stem.ends_with("_tests")
        || path.components().any(|part| part.as_os_str() == "tests")
}

fn code(text: &str) -> String {
    let end = text.find("#[cfg(test)]\nmod tests {").unwrap_or(text.len());
    let lines = text[..end]
        .lines()
        .map(|line| line.split("//").next().unwrap_or_default());
    lines.collect::<Vec<_>>().join("\n")
}

/// The rooms of the core that `text` names, as `crate::room` or in a `crate::{...}` group.
fn rooms_named(text: &str, rooms: &[&'static str]) -> Vec<&'static str> {
    let flat: String = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let mut named = Vec::new();
    for (at, _) in flat.match_indices("crate::") {
        let rest = &flat[at + "crate::".len()..];
        let names: Vec<&str> = match rest.strip_prefix('{') {
            Some(group) => top_level(group),
            None => vec![rest],
        };
        for name in names {
            let word: String = name
                .trim_start()
                .chars()
                .take_while(|c| c.is_alphanumeric() || *c == '_')
                .collect();
            named.extend(rooms.iter().copied().filter(|room| *room == word));
        }
    }
    named
}

/// The members of a `use crate::{a::{b, c}, d}` group, without what is nested in them.
fn top_level(group: &str) -> Vec<&str> {
    let (mut depth, mut start, mut members) = (0, 0, Vec::new());
    for (at, c) in group.char_indices() {
        match c {
            '{' => depth += 1,
            '}' if depth == 0 => {
                members.push(&group[start..at]);
                break;
            }
            '}' => depth -= 1,
            ',' if depth == 0 => {
                members.push(&group[start..at]);
                start = at + 1;
            }
            _ => {}
        }
    }
    members
}

const WORDS: &[&str] = &["error", "time", "secret"];

fn allowed(room: &str) -> Vec<&'static str> {
    let also: &[&str] = match room {
        "error" | "time" | "secret" => &[],
        "json" | "percent" | "http" | "printable" => &[],
        // Keys come as JWK, too.
        "crypto" => &["json"],
        "net" => &["http"],
        "oauth" => &["http", "json", "percent"],
        "outcome" => &["http"],
        // The seam between the services and those who handle them without knowing which.
        "backend" => &["http", "outcome", "oauth"],
        "adm" | "apns" | "baidu" | "fcm" | "webpush" => {
            &["backend", "http", "outcome", "crypto", "json", "percent", "oauth"]
        }
        "dialect" => &[
            "http", "outcome", "crypto", "json", "percent", "service", "adm", "apns", "baidu", "fcm",
            "webpush",
        ],
        "service" => &[
            "backend", "http", "outcome", "oauth", "json", "adm", "apns", "baidu", "fcm", "webpush",
        ],
        // Pure: a notification becomes a service's message, in the words of its form.
        "notification" => &[
            "http", "outcome", "json", "service", "adm", "apns", "baidu", "fcm", "webpush",
        ],
        // Never a service by its name.
        "session" => &["backend", "http", "net", "outcome", "oauth", "crypto", "service"],
        other => panic!("core/src/{other} is a new room: say here who it may import"),
    };
    WORDS.iter().chain(also).copied().collect()
}

#[test]
fn rooms_of_the_core_import_one_way() {
    let src = root().join("core/src");
    let rooms: &[&str] = &[
        "error",
        "time",
        "secret",
        "json",
        "percent",
        "crypto",
        "http",
        "net",
        "oauth",
        "outcome",
        "adm",
        "apns",
        "baidu",
        "fcm",
        "webpush",
        "service",
        "notification",
        "dialect",
        "session",
    ];
    let mut wrong = Vec::new();
    for (path, text) in sources(&src) {
        let inside = path.strip_prefix(&src).expect("below src");
        let first = inside
            .components()
            .next()
            .expect("a name")
            .as_os_str()
            .to_string_lossy()
            .into_owned();
        let room = first.strip_suffix(".rs").unwrap_or(&first);
        if room == "lib" {
            continue;
        }
        let allowed = allowed(room);
        for named in rooms_named(&text, rooms) {
            if named != room && !allowed.contains(&named) {
                wrong.push(format!("{} imports {named}", inside.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// The drawing in `ARCHITECTURE.md`: each room and whom it may import, besides the words.
fn drawing() -> BTreeMap<String, BTreeSet<String>> {
    let text = fs::read_to_string(root().join("ARCHITECTURE.md")).expect("a readable file");
    let (_, rest) = text.split_once("```text\n").expect("a drawing");
    let (drawn, _) = rest.split_once("```").expect("its end");
    let mut rooms = BTreeMap::new();
    for line in drawn.lines() {
        let (left, right) = line.split_once("->").expect("an arrow in every line");
        let right: BTreeSet<String> = match right.trim() {
            "(nothing)" => BTreeSet::new(),
            names => names.split(' ').map(str::to_owned).collect(),
        };
        for room in left.split_whitespace() {
            assert!(
                rooms.insert(room.to_owned(), right.clone()).is_none(),
                "{room} twice"
            );
        }
    }
    rooms
}

#[test]
fn the_drawing_says_what_the_rules_say() {
    let drawn = drawing();
    for (room, may) in &drawn {
        let ruled: BTreeSet<String> = allowed(room)
            .into_iter()
            .filter(|other| !WORDS.contains(other))
            .map(str::to_owned)
            .collect();
        assert_eq!(*may, ruled, "{room}");
    }
    // And every room that there is has been drawn.
    for entry in fs::read_dir(root().join("core/src")).expect("the core") {
        let name = entry.expect("an entry").file_name();
        let name = name.to_string_lossy();
        let room = name.strip_suffix(".rs").unwrap_or(&name);
        assert!(
            room == "lib" || drawn.contains_key(room),
            "{room} is not in ARCHITECTURE.md"
        );
    }
}

#[test]
fn libraries_have_one_importer() {
    let src = root().join("core/src");
    for (path, text) in sources(&src) {
        let inside = path
            .strip_prefix(&src)
            .expect("below src")
            .to_string_lossy()
            .into_owned();
        let in_crypto = inside.starts_with("crypto/") || inside == "crypto.rs";
        let in_tls = inside.starts_with("net/tls");
        for (library, fine) in [("ring::", in_crypto), ("p256::", in_crypto), ("rustls::", in_tls)] {
            let uses = text.match_indices(library).any(|(at, _)| {
                let before = text[..at].chars().next_back();
                !before.is_some_and(|c| c.is_alphanumeric() || c == '_' || c == ':')
            });
            // rustls::crypto::ring is rustls's name for its provider, not the crate.
            assert!(!uses || fine, "{inside} imports {library}");
        }
    }
}

#[test]
fn the_core_reads_no_clock_and_opens_no_socket() {
    for (path, text) in sources(&root().join("core/src")) {
        for word in [
            "Instant::now",
            "SystemTime::now",
            "thread::spawn",
            "TcpStream",
            "env::var",
            "fs::read",
            "UdpSocket",
        ] {
            assert!(!text.contains(word), "{} says {word}", path.display());
        }
    }
}

#[test]
fn bindings_hold_no_logic() {
    let root = root();
    for folder in ["ffi/src", "bindings/python/src", "bindings/uniffi/src"] {
        for (path, text) in sources(&root.join(folder)) {
            // Swift's and Kotlin's build without sockets has no driver that reads the clock for it.
            let reads_clocks = path.ends_with("uniffi/src/values.rs");
            for word in [
                "\"apns-",
                "\"authorization",
                "/3/device",
                "googleapis",
                "push.apple.com",
                "\"crypto-key",
                "\"content-encoding",
                "\"retry-after",
                "Instant::now",
                "SystemTime",
                "thread::spawn",
                "rustls",
                "serde_json::json!",
            ] {
                let clock = matches!(word, "Instant::now" | "SystemTime");
                let said = text.contains(word) && !(clock && reads_clocks);
                assert!(!said, "{} says {word}", path.display());
            }
        }
    }
}

#[test]
fn the_sandbox_shares_nothing_with_the_core() {
    let manifest = fs::read_to_string(root().join("sandbox/Cargo.toml")).expect("a manifest");
    let depends = manifest.lines().any(|line| {
        let name = line.split(['=', '.', ' ']).next().unwrap_or_default();
        name == "pushcore" || name == "pushcore-client"
    });
    assert!(!depends, "sandbox/Cargo.toml depends on the core");
    for (path, text) in sources(&root().join("sandbox/src")) {
        assert!(!text.contains("pushcore::"), "{} names the core", path.display());
    }
}

#[test]
fn the_rules_catch_what_they_are_for() {
    let rooms: &[&str] = &["apns", "net", "http", "error"];
    assert_eq!(rooms_named("use crate::net::Connection;", rooms), ["net"]);
    assert_eq!(
        rooms_named("use crate::{\n    error::{Error, net::x},\n    apns,\n};", rooms),
        ["error", "apns"]
    );
    assert_eq!(
        rooms_named("let x = crate::http::Request::new();", rooms),
        ["http"]
    );
    assert_eq!(code("a // crate::net\nb\n#[cfg(test)]\nmod tests {\n c"), "a \nb");
}
