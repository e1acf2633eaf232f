//! Every public item of Rust is in the header, or in `parity.txt` with a reason; `docs/parity.md` says which.
//!
//! The items are found in the sources, because rustdoc's JSON needs a nightly compiler: what stands at the margin as `pub`, and the methods in an `impl` at the
//! margin. The lint `unreachable_pub` sees to it that whatever is `pub` can be reached. Items that a macro writes are not seen.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        let name = path
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        match path.is_dir() {
            true if name != "tests" => sources(&path, found),
            false if name.ends_with(".rs") && !name.ends_with("tests.rs") => found.push(path),
            _ => {}
        }
    }
}

fn word(text: &str) -> &str {
    text.split(|letter: char| !letter.is_alphanumeric() && letter != '_')
        .next()
        .unwrap_or_default()
}

/// The type that a line `impl ... {` at the margin is about; `None` for the implementation of a trait.
fn implemented(line: &str) -> Option<&str> {
    let mut rest = line.strip_prefix("impl")?;
    if rest.starts_with('<') {
        // Parameters have no brackets but their own.
        rest = &rest[rest.find("> ").map(|at| at + 1)?..];
    }
    match rest.contains(" for ") {
        true => None,
        false => Some(word(rest.trim_start())),
    }
}

/// `room::Type`, `room::Type::method` and `room::function` of one file.
fn items(room: &str, text: &str, found: &mut BTreeSet<String>) {
    let mut of = None;
    let mut lines = text.lines().peekable();
    while let Some(line) = lines.next() {
        if line == "#[cfg(test)]" && lines.peek().is_some_and(|next| next.ends_with('{')) {
            break;
        }
        if line.starts_with("impl") {
            of = implemented(line);
        } else if line == "}" {
            of = None;
        }
        let modifiers = |text: &'_ str| {
            text.trim_start_matches("const ")
                .trim_start_matches("unsafe ")
                .to_owned()
        };
        if let Some(rest) = line.strip_prefix("pub ") {
            let rest = match rest.strip_prefix("const ") {
                Some(rest) if !rest.starts_with("fn ") => format!("const {rest}"),
                _ => modifiers(rest),
            };
            for kind in ["struct ", "enum ", "trait ", "fn ", "type ", "const ", "static "] {
                if let Some(rest) = rest.strip_prefix(kind) {
                    found.insert(format!("{room}::{}", word(rest)));
                }
            }
        } else if let (Some(of), Some(rest)) = (of, line.strip_prefix("    pub ")) {
            if let Some(rest) = modifiers(rest).strip_prefix("fn ") {
                found.insert(format!("{room}::{of}::{}", word(rest)));
            }
        }
    }
}

/// Every public item of the core and of the client.
fn all_items() -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for (folder, own) in [("core/src", None), ("client/src", Some("client"))] {
        let folder = root().join(folder);
        let mut files = Vec::new();
        sources(&folder, &mut files);
        for file in files {
            let inside = file.strip_prefix(&folder).expect("a file of the folder");
            let first = inside
                .iter()
                .next()
                .unwrap_or_default()
                .to_string_lossy()
                .into_owned();
            let room = own.unwrap_or(first.strip_suffix(".rs").unwrap_or(&first));
            items(room, &fs::read_to_string(&file).expect("a source"), &mut found);
        }
    }
    found
}

/// Every function of the header.
fn functions() -> BTreeSet<String> {
    let header = fs::read_to_string(root().join("include/pushcore.h")).expect("a header");
    header
        .lines()
        .filter(|line| !line.starts_with([' ', '#', '/', '*']))
        .filter_map(|line| {
            let (before, _) = line.split_once('(')?;
            let name = before.rsplit([' ', '*']).next()?;
            name.starts_with("pushcore_").then(|| name.to_owned())
        })
        .collect()
}

#[derive(Default)]
struct List {
    reasons: BTreeMap<String, String>,
    /// Item to the names of the header.
    there: BTreeMap<String, Vec<String>>,
    /// Item to the key of a reason.
    absent: BTreeMap<String, String>,
}

fn list() -> List {
    let text = fs::read_to_string(root().join("ffi/parity.txt")).expect("a list");
    let mut list = List::default();
    for line in text
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
    {
        if let Some(rest) = line.strip_prefix("! ") {
            let (key, reason) = rest.split_once(' ').expect("a key and a reason");
            list.reasons.insert(key.to_owned(), reason.trim().to_owned());
        } else if let Some((items, names)) = line.split_once(" = ") {
            let names: Vec<String> = names.split_whitespace().map(str::to_owned).collect();
            for item in items.split_whitespace() {
                list.there.insert(item.to_owned(), names.clone());
            }
        } else {
            let (items, key) = line
                .split_once(" - ")
                .unwrap_or_else(|| panic!("no = and no -: {line}"));
            for item in items.split_whitespace() {
                list.absent.insert(item.to_owned(), key.trim().to_owned());
            }
        }
    }
    list
}

/// The line of an item: its own, or that of its type's other methods.
fn lines_of(item: &str, list: &List) -> Vec<String> {
    let known = |name: &str| list.there.contains_key(name) || list.absent.contains_key(name);
    if known(item) {
        return vec![item.to_owned()];
    }
    let star = item.rsplit_once("::").map(|(of, _)| format!("{of}::*"));
    let star = star.filter(|name| known(name) && name.matches("::").count() == 2);
    let room = || {
        let (room, _) = item.split_once("::")?;
        Some(format!("{room}::**")).filter(|name| known(name))
    };
    star.or_else(room).into_iter().collect()
}

#[test]
fn every_public_item_is_in_c_or_has_a_reason() {
    let (items, functions, list) = (all_items(), functions(), list());
    assert!(
        items.len() > 800,
        "{} items: the sources are not read",
        items.len()
    );
    assert!(
        functions.len() > 150,
        "{} functions: the header is not read",
        functions.len()
    );
    let mut faults = Vec::new();
    let mut used = BTreeSet::new();
    for item in &items {
        let lines = lines_of(item, &list);
        if lines.is_empty() {
            faults.push(format!("{item} is neither in the header nor in ffi/parity.txt"));
        }
        used.extend(lines);
    }
    for item in list.there.keys().chain(list.absent.keys()) {
        // A star may stand for methods that only a macro writes.
        if !used.contains(item) && !item.ends_with('*') {
            let is_written_by_a_macro = [
                "error::ErrorKind",
                "service::Service",
                "service::Kind",
                "service::Message",
                "service::MessageRef",
                "service::AnyCall",
                "outcome::Circumstances",
                "fcm::MessageBuilder",
            ]
            .contains(&item.as_str());
            if !is_written_by_a_macro && !item.starts_with("service::Service::") {
                faults.push(format!("{item} is listed, but is no public item"));
            }
        }
        if list.there.contains_key(item) && list.absent.contains_key(item) {
            faults.push(format!("{item} is listed twice"));
        }
    }
    let named: BTreeSet<&String> = list.there.values().flatten().collect();
    for name in &named {
        if !functions.contains(*name) {
            faults.push(format!("{name} is no function of the header"));
        }
    }
    let own = [
        "pushcore_version",
        "pushcore_abi_version",
        "pushcore_live_handles",
    ];
    for name in &functions {
        if !named.contains(name) && !own.contains(&name.as_str()) {
            faults.push(format!("{name} is nobody's counterpart in ffi/parity.txt"));
        }
    }
    for key in list.absent.values() {
        if !list.reasons.contains_key(key) {
            faults.push(format!("{key} is no reason"));
        }
    }
    assert!(faults.is_empty(), "\n{}", faults.join("\n"));
}

#[test]
fn the_committed_page_is_current() {
    let (items, list) = (all_items(), list());
    let mut page = String::from(
        "# Rust and C, side by side\n\nMade by `make header` from the sources, `include/pushcore.h` and `ffi/parity.txt`. Every public item of \
         `pushcore` and `pushcore-client` is here, but for the names of *inside*; one that is in neither the header nor the list of reasons fails `make test`.\n\n\
         Not in C, and why:\n\n| reason | items |\n|---|---|\n",
    );
    let mut absent: BTreeMap<&str, usize> = BTreeMap::new();
    let mut rooms: BTreeMap<String, Vec<(String, String)>> = BTreeMap::new();
    for item in &items {
        let Some(line) = lines_of(item, &list).pop() else {
            continue;
        };
        let (room, name) = item.split_once("::").unwrap_or_default();
        let told = match (list.there.get(&line), list.absent.get(&line)) {
            (Some(names), _) => names
                .iter()
                .map(|name| format!("`{name}`"))
                .collect::<Vec<_>>()
                .join(" "),
            (None, Some(key)) => {
                *absent.entry(key).or_default() += 1;
                // Those are for drivers in Rust: a reader of this page has no use for their names.
                if key == "inside" {
                    continue;
                }
                format!("*{key}*")
            }
            (None, None) => continue,
        };
        rooms
            .entry(room.to_owned())
            .or_default()
            .push((name.to_owned(), told));
    }
    for (key, count) in &absent {
        let reason = list.reasons.get(*key).map_or("", String::as_str);
        let _ = writeln!(page, "| *{key}*: {reason} | {count} |");
    }
    for (room, entries) in rooms {
        let _ = write!(page, "\n## {room}\n\n| Rust | C |\n|---|---|\n");
        // The methods of a type that share a line share a row.
        let mut rows: Vec<(Vec<String>, String)> = Vec::new();
        for (name, told) in entries {
            match rows.last_mut() {
                Some((names, same)) if *same == told => names.push(name),
                _ => rows.push((vec![name], told)),
            }
        }
        for (names, told) in rows {
            let names: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
            let _ = writeln!(page, "| {} | {told} |", names.join(" "));
        }
    }
    let path = root().join("docs/parity.md");
    if std::env::var_os("PUSHCORE_WRITE_HEADER").is_some() {
        fs::write(&path, &page).expect("the page can be written");
    }
    let committed = fs::read_to_string(&path).unwrap_or_default();
    assert!(committed == page, "docs/parity.md is stale: run `make header`");
}

#[test]
fn the_scan_finds_what_it_is_for() {
    let mut found = BTreeSet::new();
    let text = "pub struct A;\nimpl A {\n    pub const fn one(self) {}\n    pub(crate) fn two() {}\n}\nimpl From<B> for A {\n    pub fn no() {}\n}\n\
                pub const fn f() {}\npub const C: u8 = 1;\n#[cfg(test)]\nmod tests;\nimpl<T: X> G<T> {\n    pub fn g() {}\n}\n#[cfg(test)]\nmod tests {\npub fn t() {}\n";
    items("r", text, &mut found);
    let found: Vec<&str> = found.iter().map(String::as_str).collect();
    assert_eq!(found, ["r::A", "r::A::one", "r::C", "r::G::g", "r::f"]);
}
