//! Keeps `docs/apns.md` honest: every row names a test, and every test named exists.

#![allow(clippy::unwrap_used, reason = "a test says what went wrong by failing")]

use std::collections::HashSet;
use std::path::Path;

use pushcore::apns::PushType;

const DOC: &str = include_str!("../../docs/apns.md");

/// The names of all test functions in the Rust files below `path`.
fn tests_below(path: &Path, found: &mut HashSet<String>) {
    for entry in std::fs::read_dir(path).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            tests_below(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let source = std::fs::read_to_string(&path).unwrap();
            let mut lines = source.lines().map(str::trim);
            while lines.by_ref().any(|line| line == "#[test]") {
                let name = lines.find_map(|line| line.strip_prefix("fn ")).unwrap();
                found.insert(name.split('(').next().unwrap().to_owned());
            }
        }
    }
}

/// The cells of the rows of all tables, without the heads.
fn rows() -> Vec<Vec<&'static str>> {
    let mut rows = Vec::new();
    let mut lines = DOC.lines().peekable();
    while let Some(line) = lines.next() {
        let is_head = lines.peek().is_some_and(|next| next.starts_with("|---"));
        if line.starts_with("| ") && !is_head {
            rows.push(line.trim_matches('|').split('|').map(str::trim).collect());
        }
    }
    rows
}

fn code_words(cell: &str) -> impl Iterator<Item = &str> {
    cell.split('`').skip(1).step_by(2)
}

#[test]
fn every_row_names_tests_that_exist() {
    let core = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut tests = HashSet::new();
    tests_below(&core.join("src"), &mut tests);
    tests_below(&core.join("tests"), &mut tests);
    tests_below(&core.join("../tests/tests"), &mut tests);
    tests_below(&core.join("../sandbox/tests"), &mut tests);
    assert!(tests.contains("every_row_names_tests_that_exist") && !tests.contains("no_such_test"));
    let rows = rows();
    assert!(rows.len() >= 130, "{} rows", rows.len());
    for row in rows {
        let named: Vec<&str> = code_words(row.last().unwrap()).collect();
        assert!(!named.is_empty(), "no test: {row:?}");
        for test in named {
            assert!(tests.contains(test), "{test} does not exist: {row:?}");
        }
    }
}

#[test]
fn every_push_type_and_every_reason_of_the_vectors_has_a_row() {
    let words: HashSet<&str> = rows()
        .iter()
        .flat_map(|row| row.iter().rev().skip(1).copied().collect::<Vec<_>>())
        .flat_map(code_words)
        .collect();
    for kind in PushType::ALL {
        assert!(words.contains(kind.as_str()), "{}", kind.as_str());
    }
    let vectors = include_str!("../../tests/vectors/apns.json");
    let vectors: serde_json::Value = serde_json::from_str(vectors).unwrap();
    for row in vectors["decode"].as_array().unwrap() {
        let outcome = &row["outcome"];
        if outcome["known"] == true {
            let reason = outcome["reason"].as_str().unwrap();
            assert!(words.contains(reason), "{reason}");
        }
    }
}
