//! The code in README is code that is compiled: the Rust of `client/examples/readme.rs`, the C of `tests/c/request.c`.
//! Python's blocks are type-checked by the Python tests.

use std::fs;
use std::path::Path;

fn read(path: &str) -> String {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .expect("tests/ lies in the root");
    fs::read_to_string(root.join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// The blocks of README in this language.
fn blocks(language: &str) -> Vec<String> {
    let readme = read("README.md");
    let opened = format!("```{language}\n");
    let parts = readme.split(&opened).skip(1);
    parts
        .map(|part| part.split("```").next().expect("a block").to_owned())
        .collect()
}

fn lines(text: &str) -> Vec<&str> {
    text.lines()
        .map(str::trim)
        .filter(|line| !line.is_empty())
        .collect()
}

#[test]
fn the_rust_of_readme_is_an_example() {
    let example = read("client/examples/readme.rs");
    let (_, rest) = example.split_once("// README begins.").expect("a beginning");
    let (body, _) = rest.split_once("// README ends.").expect("an end");
    let found = blocks("rust");
    assert_eq!(found.len(), 1, "one block of Rust");
    // rustfmt breaks the lines of the two at other places.
    let words = |text: &str| text.split_whitespace().collect::<String>();
    assert_eq!(words(&found[0]), words(body));
}

#[test]
fn the_c_of_readme_stands_in_the_test_program() {
    let program = read("tests/c/request.c");
    let program = lines(&program);
    let found = blocks("c");
    assert_eq!(found.len(), 1, "one block of C");
    for line in lines(&found[0]) {
        assert!(program.contains(&line), "not in tests/c/request.c: {line}");
    }
}
