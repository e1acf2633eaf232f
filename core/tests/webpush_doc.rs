//! Keeps `docs/webpush.md` honest: every row names a test, every test named exists, every reason and every URL counted is there.

#![allow(clippy::unwrap_used, reason = "a test says what went wrong by failing")]

use std::collections::HashSet;
use std::path::Path;

const DOC: &str = include_str!("../../docs/webpush.md");

/// The names of all test functions in the Rust files below `path`.
fn tests_below(path: &Path, found: &mut HashSet<String>) {
    for entry in std::fs::read_dir(path).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            tests_below(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let source = std::fs::read_to_string(&path).unwrap();
            let mut lines = source.lines().map(str::trim);
            while lines
                .by_ref()
                .any(|line| line == "#[test]" || line.starts_with("#[tokio::test"))
            {
                let name = lines
                    .next()
                    .and_then(|line| line.trim_start_matches("async ").strip_prefix("fn "));
                found.extend(name.and_then(|name| name.split('(').next()).map(str::to_owned));
            }
        }
    }
}

/// The cells of the rows of all tables whose last column is called `test`.
fn rows() -> Vec<Vec<&'static str>> {
    let cells = |line: &'static str| {
        line.trim_matches('|')
            .split('|')
            .map(str::trim)
            .collect::<Vec<_>>()
    };
    let (mut rows, mut tested) = (Vec::new(), false);
    let mut lines = DOC.lines().peekable();
    while let Some(line) = lines.next() {
        let is_head = lines.peek().is_some_and(|next| next.starts_with("|---"));
        if is_head {
            tested = cells(line).last() == Some(&"test");
        } else if line.starts_with("| ") && tested {
            rows.push(cells(line));
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
    for folder in [
        "src/webpush",
        "src/crypto",
        "src/http",
        "src/session",
        "tests",
        "../tests/tests",
    ] {
        tests_below(&core.join(folder), &mut tests);
    }
    assert!(tests.contains("every_row_names_tests_that_exist") && !tests.contains("no_such_test"));
    let rows = rows();
    assert!(rows.len() >= 90, "{} rows", rows.len());
    for row in rows {
        let named: Vec<&str> = code_words(row.last().unwrap()).collect();
        assert!(!named.is_empty(), "no test: {row:?}");
        for test in named {
            assert!(tests.contains(test), "{test} does not exist: {row:?}");
        }
    }
}

#[test]
fn every_reason_of_the_vectors_has_a_row() {
    let words: HashSet<&str> = rows()
        .iter()
        .flat_map(|row| row.iter().rev().skip(1).copied().collect::<Vec<_>>())
        .flat_map(code_words)
        .collect();
    let vectors = include_str!("../../tests/vectors/webpush.json");
    let vectors: serde_json::Value = serde_json::from_str(vectors).unwrap();
    for row in vectors["decode"].as_array().unwrap() {
        let reason = row["expect"]["reason"].as_str().unwrap_or_default();
        let of_a_table = ["errno ", "Bad", "Payload", "Vapid", "Too"]
            .iter()
            .any(|start| reason.starts_with(start))
            || row["name"].as_str().unwrap().starts_with("fcm") && !reason.contains(' ');
        assert!(!of_a_table || words.contains(reason), "{reason}");
    }
    let endpoints = &vectors["endpoints"];
    let count = |name: &str| endpoints[name].as_array().unwrap().len();
    let urls = count("refused") + count("refused_by_default");
    assert!(
        DOC.contains(&format!("{urls} URLs")),
        "{urls} URLs are in the vectors"
    );
}
