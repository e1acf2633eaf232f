//! What the workspace depends on: how many, how new, and none with a known fault.
//!
//! `scripts/msrv.sh` compiles everything with Rust 1.85; this is the part that needs no second toolchain.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use serde_json::Value;

/// What a user of the core compiles, proc macros and the core itself included.
const MOST_CRATES_OF_THE_CORE: usize = 62;

fn root() -> PathBuf {
    let tests = Path::new(env!("CARGO_MANIFEST_DIR"));
    tests.parent().expect("tests/ lies in the root").to_path_buf()
}

fn read(path: &str) -> String {
    std::fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// `cargo metadata` of what is locked, for this machine's platform: nothing is fetched that the build did not need.
fn metadata() -> &'static Value {
    static METADATA: OnceLock<Value> = OnceLock::new();
    METADATA.get_or_init(|| {
        let rustc = Command::new("rustc").arg("-vV").output().expect("rustc");
        let version = String::from_utf8(rustc.stdout).expect("utf-8");
        let host = version
            .lines()
            .find_map(|line| line.strip_prefix("host: "))
            .expect("a host");
        let output = Command::new(env!("CARGO"))
            .args([
                "metadata",
                "--format-version=1",
                "--locked",
                "--filter-platform",
                host,
            ])
            .current_dir(root())
            .output()
            .expect("cargo");
        assert!(
            output.status.success(),
            "{}",
            String::from_utf8_lossy(&output.stderr)
        );
        serde_json::from_slice(&output.stdout).expect("json")
    })
}

fn list<'a>(value: &'a Value, key: &str) -> &'a [Value] {
    value[key].as_array().unwrap_or_else(|| panic!("{key} is a list"))
}

fn text<'a>(value: &'a Value, key: &str) -> &'a str {
    value[key]
        .as_str()
        .unwrap_or_else(|| panic!("{key} is text: {value}"))
}

/// `1`, `1.2` or `1.2.3` (with or without a suffix) as three numbers.
fn version(text: &str) -> [u64; 3] {
    let mut numbers = [0; 3];
    let plain = text.split(['-', '+']).next().expect("a first part");
    for (number, part) in numbers.iter_mut().zip(plain.trim().split('.')) {
        *number = part.parse().unwrap_or_else(|_| panic!("version {text}"));
    }
    numbers
}

/// The crates that a user of `package` alone compiles, itself and proc macros included.
///
/// Not from the metadata: there, what any member of the workspace switches on counts for all.
fn needed_by(package: &str) -> BTreeSet<String> {
    let output = Command::new(env!("CARGO"))
        .args([
            "tree",
            "--locked",
            "--edges=normal,build",
            "--prefix=none",
            "--format={p}",
        ])
        .args(["--package", package])
        .current_dir(root())
        .output()
        .expect("cargo");
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8(output.stdout)
        .expect("utf-8")
        .lines()
        .map(|line| line.split(' ').take(2).collect::<Vec<_>>().join(" "))
        .collect()
}

#[test]
fn every_crate_compiles_with_the_promised_rust() {
    let promised = list(metadata(), "packages")
        .iter()
        .find(|package| package["name"] == "pushcore")
        .map(|package| version(text(package, "rust_version")))
        .expect("the core");
    assert_eq!(promised, version("1.85"));
    let newer: Vec<String> = list(metadata(), "packages")
        .iter()
        .filter(|package| {
            let wanted = package["rust_version"].as_str();
            wanted.is_some_and(|wanted| version(wanted) > promised)
        })
        .map(|package| format!("{} {}", text(package, "name"), package["rust_version"]))
        .collect();
    assert!(
        newer.is_empty(),
        "cargo update -p <name> --precise <older>: {newer:#?}"
    );
}

#[test]
fn the_core_stays_small() {
    let needed = needed_by("pushcore");
    assert!(needed.len() > 20, "the tree was not read: {needed:#?}");
    assert!(
        needed.len() <= MOST_CRATES_OF_THE_CORE,
        "{} crates: {needed:#?}",
        needed.len()
    );
}

/// A row of `deny` in deny.toml: name, versions below which it is refused, crates that may use it all the same.
fn bans() -> Vec<(String, Option<[u64; 3]>, Vec<String>)> {
    let quoted = |line: &str, key: &str| -> Option<String> {
        let rest = &line[line.find(&format!("{key} = "))? + key.len() + 3..];
        Some(rest.trim_start_matches(['[', '"']).split('"').next()?.to_owned())
    };
    read("deny.toml")
        .lines()
        .map(str::trim)
        .filter(|line| line.starts_with("{ name = "))
        .map(|line| {
            let below = quoted(line, "version").map(|range| {
                version(
                    range
                        .strip_prefix('<')
                        .unwrap_or_else(|| panic!("{line}: only `<version` is understood here")),
                )
            });
            (
                quoted(line, "name").expect("a name"),
                below,
                quoted(line, "wrappers").into_iter().collect(),
            )
        })
        .collect()
}

/// The crates of Cargo.lock: name, version, and the names of what each needs.
fn locked() -> Vec<(String, [u64; 3], Vec<String>)> {
    let lock = read("Cargo.lock");
    lock.split("[[package]]")
        .skip(1)
        .map(|entry| {
            let field = |key: &str| {
                let line = entry
                    .lines()
                    .find_map(|line| line.strip_prefix(&format!("{key} = ")));
                line.unwrap_or_else(|| panic!("{key} in {entry}"))
                    .trim_matches('"')
            };
            let needs = entry
                .split_once("dependencies = [")
                .map_or("", |(_, rest)| rest)
                .lines()
                .map(|line| line.trim().trim_matches(['"', ',']))
                .filter_map(|line| line.split(' ').next())
                .map(str::to_owned);
            (
                field("name").to_owned(),
                version(field("version")),
                needs.collect(),
            )
        })
        .collect()
}

#[test]
fn nothing_that_is_banned_is_locked() {
    let bans = bans();
    assert!(bans.len() >= 15, "{} rows of deny.toml were read", bans.len());
    let locked = locked();
    assert!(locked.len() > 100, "{} locked crates were read", locked.len());
    for (name, below, wrappers) in &bans {
        for (found, version, _) in locked.iter().filter(|(found, ..)| found == name) {
            if let Some(below) = below {
                assert!(
                    version >= below,
                    "{found} {version:?} is below {below:?}: see deny.toml"
                );
                continue;
            }
            for (user, _, needs) in &locked {
                assert!(
                    !needs.contains(found) || wrappers.contains(user),
                    "{user} uses {found}: see deny.toml"
                );
            }
        }
    }
}

/// Whether an SPDX expression with at most one parenthesis can be met with `allowed`.
fn licence_is_allowed(expression: &str, allowed: &BTreeSet<String>) -> bool {
    if let Some((left, rest)) = expression.split_once('(') {
        let (inner, right) = rest.split_once(')').unwrap_or((rest, ""));
        // Only `( .. ) AND x` and `x AND ( .. )` occur.
        return [left, inner, right]
            .iter()
            .map(|part| part.trim().trim_start_matches("AND ").trim_end_matches(" AND"))
            .filter(|part| !part.is_empty())
            .all(|part| licence_is_allowed(part, allowed));
    }
    expression.replace('/', " OR ").split(" OR ").any(|choice| {
        choice
            .split(" AND ")
            .all(|name| allowed.contains(name.split(" WITH ").next().unwrap_or_default().trim()))
    })
}

#[test]
fn every_licence_is_one_that_we_accept() {
    let deny = read("deny.toml");
    let (_, list_of_names) = deny.split_once("\nallow = [").expect("a list of licences");
    let allowed: BTreeSet<String> = list_of_names
        .lines()
        .map_while(|line| (line.trim() != "]").then(|| line.split('"').nth(1)))
        .flatten()
        .map(str::to_owned)
        .collect();
    assert!(allowed.contains("MIT") && allowed.contains("Apache-2.0"));
    assert!(!licence_is_allowed("GPL-3.0", &allowed) && !licence_is_allowed("MIT AND GPL-3.0", &allowed));
    for package in list(metadata(), "packages") {
        let licence = text(package, "license");
        assert!(
            licence_is_allowed(licence, &allowed),
            "{}: {licence}",
            package["name"]
        );
    }
}

#[test]
fn every_direct_dependency_has_its_reason() {
    let decision = read("docs/decisions/0002-dependencies.md");
    let (decision, _) = decision
        .split_once("## The Python command")
        .expect("what is no crate comes last");
    let rows: BTreeSet<&str> = decision
        .lines()
        .filter_map(|line| line.strip_prefix("| `")?.split('`').next())
        .collect();
    let mut used = BTreeSet::new();
    for package in list(metadata(), "packages") {
        if package["source"].is_null() {
            let direct = list(package, "dependencies").iter().map(|d| text(d, "name"));
            used.extend(direct.filter(|name| !name.starts_with("pushcore")));
        }
    }
    assert!(used.contains("ring") && used.contains("h2"));
    let missing: Vec<_> = used.difference(&rows).collect();
    assert!(missing.is_empty(), "no row in 0002-dependencies.md: {missing:?}");
    let stale: Vec<_> = rows.difference(&used).collect();
    assert!(stale.is_empty(), "a row, but no such dependency: {stale:?}");
}

#[test]
fn versions_compare_as_numbers() {
    assert!(version("1.9") < version("1.85"));
    assert!(version("0.4.0-pre.1") == version("0.4"));
    assert!(version("0.23.46") > version("0.23.5"));
}
