//! Keeps `docs/errors.md` and `docs/bad-input.md` true.
//!
//! `PUSHCORE_WRITE_DOCS=1 cargo test -p pushcore-tests --test documents` writes the first anew.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use pushcore::ErrorKind;

fn root() -> PathBuf {
    let tests = Path::new(env!("CARGO_MANIFEST_DIR"));
    tests.parent().expect("tests/ lies in the root").to_path_buf()
}

fn read(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// The documentation of each kind in core/src/error.rs, by its number.
fn meanings() -> BTreeMap<u16, String> {
    let source = read("core/src/error.rs");
    let (_, list) = source.split_once("\nkinds! {").expect("the list of kinds");
    let (mut found, mut doc) = (BTreeMap::new(), Vec::new());
    for line in list.lines().map(str::trim).take_while(|line| *line != "}") {
        if let Some(text) = line.strip_prefix("/// ") {
            doc.push(text);
        } else if let Some((_, number)) = line.trim_end_matches(',').split_once(" = ") {
            found.insert(number.parse().expect("a number"), doc.join(" "));
            doc.clear();
        }
    }
    found
}

/// Python's name and exception of each kind, from the package's own table.
fn python() -> BTreeMap<u16, (String, String)> {
    let kinds = read("bindings/python/python/pushcore/_kinds.py");
    let source = read("bindings/python/python/pushcore/_errors.py");
    let (_, classes) = source.split_once("CLASSES").expect("the table of classes");
    let mut names = BTreeMap::new();
    for line in kinds.lines() {
        if let Some((name, number)) = line.trim().split_once(" = ") {
            let is_name = name
                .bytes()
                .all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'_');
            if let (true, Ok(number)) = (is_name, number.parse::<u16>()) {
                names.insert(number, name.to_owned());
            }
        }
    }
    let class = |key: &str| {
        let row = classes
            .lines()
            .find_map(|line| line.trim().strip_prefix(&format!("{key}: ")));
        row.map(|class| class.trim_end_matches(',').to_owned())
    };
    names
        .into_iter()
        .map(|(number, name)| {
            let own = class(&number.to_string());
            let class = own.or_else(|| class(&(number / 100).to_string()));
            (number, (name, class.expect("a class")))
        })
        .collect()
}

#[test]
fn the_table_of_errors_is_current() {
    let (meanings, python) = (meanings(), python());
    let mut text = String::from(
        "# Errors\n\n\
        Why there is no answer. A service's \"no\" is not here: it is an outcome. The numbers are the same in every language and are never\n\
        used for anything else. Below 300 the input was refused and nothing was sent. C's statuses are these numbers; 810, 811 and 901 exist in C only.\n\n\
        Generated from `core/src/error.rs` by `PUSHCORE_WRITE_DOCS=1 cargo test -p pushcore-tests --test documents`.\n\n\
        | code | name | Python | meaning |\n|---|---|---|---|\n",
    );
    for kind in ErrorKind::ALL {
        let meaning = meanings
            .get(&kind.code())
            .unwrap_or_else(|| panic!("{kind} has no words"));
        let (name, class) = python
            .get(&kind.code())
            .unwrap_or_else(|| panic!("{kind} is missing in Python"));
        let simplified = |name: &str| name.replace('_', "").to_lowercase();
        assert_eq!(simplified(name), simplified(kind.name()), "{}", kind.code());
        text += &format!(
            "| {} | `{kind}` | `{class}`, `{name}` | {meaning} |\n",
            kind.code()
        );
    }
    assert_eq!(python.len(), ErrorKind::ALL.len(), "kinds that only Python has");
    if std::env::var_os("PUSHCORE_WRITE_DOCS").is_some() {
        fs::write(root().join("docs/errors.md"), &text).expect("written");
    }
    assert_eq!(
        read("docs/errors.md"),
        text,
        "docs/errors.md is stale: see the head of this file"
    );
}

/// The names of all tests in the sources below `folder`: Rust's and Python's.
fn tests_below(folder: &Path, found: &mut BTreeSet<String>) {
    for entry in fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display())) {
        let path = entry.expect("a readable entry").path();
        if path.is_dir() {
            tests_below(&path, found);
            continue;
        }
        let extension = path.extension().and_then(|e| e.to_str()).unwrap_or_default();
        if !matches!(extension, "rs" | "py") {
            continue;
        }
        let source = fs::read_to_string(&path).expect("utf-8");
        let mut is_test = false;
        for line in source.lines().map(str::trim) {
            let python = line.strip_prefix("async ").unwrap_or(line).strip_prefix("def ");
            let name = match python {
                Some(name) if name.starts_with("test_") => Some(name),
                _ if is_test => line.trim_start_matches("async ").strip_prefix("fn "),
                _ => None,
            };
            if let Some(name) = name {
                found.insert(name.split('(').next().unwrap_or_default().to_owned());
                is_test = false;
            }
            is_test |= line == "#[test]" || line.starts_with("#[tokio::test");
        }
    }
}

/// Pages of tables whose last column names tests, and the fewest rows that they have.
const PAGES: [(&str, usize); 3] = [
    ("docs/bad-input.md", 30),
    ("docs/field.md", 60),
    ("docs/other-libraries.md", 35),
];

#[test]
fn every_bad_input_names_tests_that_exist() {
    let mut tests = BTreeSet::new();
    for folder in [
        "core/src",
        "core/tests",
        "client/src",
        "ffi",
        "sandbox/tests",
        "tests/tests",
        "bindings/python/tests",
    ] {
        tests_below(&root().join(folder), &mut tests);
    }
    assert!(tests.contains("the_table_of_errors_is_current") && !tests.contains("no_such_test"));
    for (page, least) in PAGES {
        let document = read(page);
        // The line before the rule is the head of its table.
        let lines: Vec<&str> = document.lines().collect();
        let is_head = |at: usize| lines.get(at + 1).is_some_and(|line| line.starts_with("|---"));
        let rows: Vec<&str> = (0..lines.len())
            .filter(|at| lines[*at].starts_with("| ") && !is_head(*at))
            .map(|at| lines[at])
            .collect();
        assert!(rows.len() >= least, "{page}: {} rows", rows.len());
        for row in rows {
            let last = row.trim_end_matches('|').rsplit('|').next().unwrap_or_default();
            let named: Vec<&str> = last.split('`').skip(1).step_by(2).collect();
            assert!(!named.is_empty(), "{page}: no test: {row}");
            for test in named {
                assert!(tests.contains(test), "{page}: {test} does not exist: {row}");
            }
        }
    }
}

/// Every Rust file of the workspace that may hold tests.
fn rust_files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display())) {
        let path = entry.expect("a readable entry").path();
        if path.is_dir() {
            if path.file_name().is_none_or(|name| name != "target") {
                rust_files(&path, found);
            }
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

/// The lines of the test that begins behind `at`, the attribute, as far as the brace that closes it.
fn body_of_test<'a>(lines: &[&'a str], at: usize) -> Vec<&'a str> {
    let indent = lines[at].len() - lines[at].trim_start().len();
    let closes = |line: &&str| line.trim_end() == format!("{}}}", " ".repeat(indent));
    lines[at..]
        .iter()
        .copied()
        .take_while(|line| !closes(line))
        .collect()
}

/// Tests that leave early, each with the reason why it has tested something by then.
const MAY_RETURN: [&str; 4] = [
    // The other half of the test: it runs itself as a child, which has asserted before.
    "a_proxy_from_the_environment",
    // Without the feature the error is asserted, with it the request.
    "what_needs_a_certificate_or_a_feature",
    // In a loop of attempts; after the last the test panics.
    "it_starts_and_stops_inside_another_runtime",
    // Without a form it is no child: its parent tests it.
    "the_child_reads_a_key",
];

/// The tables in `docs/` say that a test shows something. A name in a table is the name of a test that ran and asserted, as long
/// as no test can be left out or leave early: none is ignored, none says that it is skipped, none returns.
#[test]
fn no_test_is_counted_without_having_run() {
    let mut files = Vec::new();
    for folder in ["core", "client", "sandbox", "ffi", "tests"] {
        rust_files(&root().join(folder), &mut files);
    }
    // Put together, so that this file does not hold the words.
    let (ignored, skipped) = (["#[ig", "nore"].concat(), ["\"skip", "ped"].concat());
    let left = ["ret", "urn"].concat();
    let (mut tests, mut faults) = (0, Vec::new());
    for path in files {
        let source = fs::read_to_string(&path).expect("utf-8");
        let lines: Vec<&str> = source.lines().collect();
        for (at, line) in lines.iter().enumerate() {
            let text = line.trim();
            if text.starts_with(&ignored) || text.contains(&skipped) {
                faults.push(format!("{}:{}: {text}", path.display(), at + 1));
            }
            if text != "#[test]" && !text.starts_with("#[tokio::test") {
                continue;
            }
            tests += 1;
            let body = body_of_test(&lines, at);
            let leaves =
                |line: &&&str| line.contains(&format!("{left};")) || line.contains(&format!("{left} }}"));
            let may = MAY_RETURN
                .iter()
                .any(|name| body.iter().any(|line| line.contains(&format!("fn {name}("))));
            if let Some(line) = body.iter().find(leaves).filter(|_| !may) {
                faults.push(format!("{}:{}: {}", path.display(), at + 1, line.trim()));
            }
        }
    }
    assert!(tests > 1000, "{tests} tests");
    assert!(faults.is_empty(), "{faults:#?}");
}
