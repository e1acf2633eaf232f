//! The code in README is code that is compiled and run: each block stands in an example. Python's blocks are type-checked by the
//! Python tests.

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

/// Every line of a language's one block stands in a program that the tests build and run.
fn stands_in(language: &str, path: &str) {
    let program = read(path);
    let program = lines(&program);
    let found = blocks(language);
    assert_eq!(found.len(), 1, "one block of {language}");
    for line in lines(&found[0]) {
        assert!(program.contains(&line), "not in {path}: {line}");
    }
}

#[test]
fn the_c_of_readme_is_an_example() {
    stands_in("c", "examples/c/bulk.c");
}

#[test]
fn the_kotlin_of_readme_is_the_first_program() {
    stands_in("kotlin", "bindings/kotlin/src/test/whole/First.kt");
}

#[test]
fn the_swift_of_readme_is_the_first_program() {
    stands_in("swift", "bindings/swift/Sources/First/main.swift");
}
