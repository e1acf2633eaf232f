//! The prose rule of CONTRIBUTING: the first line of a doc comment is a sentence about its item.

use std::fs;
use std::path::{Path, PathBuf};

/// Beginnings of noun clauses and pronouns, which leave the item unnamed.
const RIDDLES: &[&str] = &[
    "What", "Who", "Whose", "Whom", "Those", "Of", "So many", "One that", "As", "Whatever", "The same",
];

/// The share of first lines that may begin so, in percent: now and then it is the plainest way.
const ALLOWED: usize = 3;

/// Words of ours that a reader cannot know.
const SLANG: &[&str] = &["lane", "lanes", "mouth"];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .expect("tests/ lies in the root")
        .to_path_buf()
}

fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        let name = path
            .file_name()
            .and_then(|name| name.to_str())
            .unwrap_or_default();
        if path.is_dir() && name != "tests" {
            sources(&path, found);
        } else if name.ends_with(".rs") && !name.ends_with("_tests.rs") && name != "tests.rs" {
            found.push(path);
        }
    }
}

fn begins_with_a_riddle(line: &str) -> bool {
    RIDDLES.iter().any(|riddle| {
        line.strip_prefix(riddle)
            .is_some_and(|rest| !rest.starts_with(|c: char| c.is_alphanumeric()))
    })
}

#[test]
fn the_first_line_of_a_doc_comment_names_its_subject() {
    for part in [
        "core/src",
        "client/src",
        "sandbox/src",
        "ffi/src",
        "bindings/python/src",
        "bindings/uniffi/src",
    ] {
        let (mut all, mut riddles) = (0, Vec::new());
        let mut files = Vec::new();
        sources(&root().join(part), &mut files);
        for file in files {
            let text = fs::read_to_string(&file).expect("utf-8");
            let mut before = "";
            for line in text.lines().map(str::trim_start) {
                if let Some(doc) = line.strip_prefix("/// ").filter(|_| !before.starts_with("///")) {
                    all += 1;
                    if begins_with_a_riddle(doc) {
                        riddles.push(format!("{}: {doc}", file.display()));
                    }
                }
                before = line;
            }
        }
        assert!(all > 20, "{part} has doc comments");
        assert!(
            riddles.len() * 100 <= all * ALLOWED,
            "{part}: {} of {all} first lines begin with a riddle:\n{}",
            riddles.len(),
            riddles.join("\n")
        );
    }
}

#[test]
fn the_rule_knows_a_riddle() {
    for riddle in [
        "What few answers say.",
        "So many wait for that one.",
        "Of calls; none",
        "As a caller",
    ] {
        assert!(begins_with_a_riddle(riddle), "{riddle}");
    }
    for plain in [
        "Asks the service.",
        "Offers a token.",
        "The number of threads.",
        "Whatsoever",
    ] {
        assert!(!begins_with_a_riddle(plain), "{plain}");
    }
}

#[test]
fn users_read_no_slang() {
    let mut faults = Vec::new();
    let mut pages = vec![root().join("README.md"), root().join("bindings/python/README.md")];
    for entry in fs::read_dir(root().join("docs")).expect("docs") {
        let path = entry.expect("an entry").path();
        if path.extension().is_some_and(|extension| extension == "md") {
            pages.push(path);
        }
    }
    for page in pages {
        let text = fs::read_to_string(&page).expect("utf-8").to_lowercase();
        let words = text.split(|c: char| !c.is_alphanumeric());
        for word in words.filter(|word| SLANG.contains(word)) {
            faults.push(format!("{}: {word}", page.display()));
        }
    }
    assert_eq!(faults, Vec::<String>::new());
}
