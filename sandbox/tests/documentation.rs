//! docs/sandbox.md names every rule, and only rules that exist.

use std::collections::BTreeSet;
use std::path::Path;

/// Texts between `quote`s that look like a rule's id.
fn rules(text: &str, quote: char) -> BTreeSet<String> {
    text.split(quote)
        .filter(|part| {
            [
                "apns.", "fcm.", "webpush.", "adm.", "baidu.", "tls.", "http1.", "http2.",
            ]
            .iter()
            .any(|service| part.starts_with(service))
                && part
                    .bytes()
                    .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b".-".contains(&byte))
                && !part.ends_with(".p8")
                && !part.ends_with(".com")
        })
        .map(str::to_owned)
        .collect()
}

fn sources(folder: &Path, found: &mut BTreeSet<String>) {
    for entry in std::fs::read_dir(folder).expect("folder") {
        let path = entry.expect("entry").path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let source = std::fs::read_to_string(&path).expect("source");
            // A comment that names a rule provokes nothing.
            let code = source.lines().filter(|line| !line.trim_start().starts_with("//"));
            found.extend(rules(&code.collect::<Vec<_>>().join("\n"), '"'));
        }
    }
}

#[test]
fn the_rule_table_and_the_code_agree() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let documented = rules(
        &std::fs::read_to_string(root.join("../docs/sandbox.md")).expect("docs"),
        '`',
    );
    let mut coded = BTreeSet::new();
    sources(&root.join("src"), &mut coded);
    assert!(coded.len() > 150, "{}", coded.len());
    assert_eq!(
        documented.symmetric_difference(&coded).collect::<Vec<_>>(),
        Vec::<&String>::new()
    );
}

/// The sandbox makes no certificate without a form; a unit test of `apns/certificate.rs` reads some.
fn is_tested_otherwise(rule: &str) -> bool {
    rule == "apns.certificate.form"
}

#[test]
fn every_rule_is_provoked_by_a_test() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let document = std::fs::read_to_string(root.join("../docs/sandbox.md")).expect("docs");
    let mut named = BTreeSet::new();
    sources(&root.join("tests"), &mut named);
    let missing: Vec<String> = rules(&document, '`')
        .into_iter()
        .filter(|rule| !named.contains(rule) && !is_tested_otherwise(rule))
        .collect();
    assert_eq!(missing, [""; 0]);
}

/// Words that open a line of the source: options of the program, members of the settings,
/// kinds of actions, control calls.
fn words(source: &str, from: &str, to: &str, pick: impl Fn(&str) -> Option<String>) -> BTreeSet<String> {
    let (_, rest) = source.split_once(from).unwrap_or_else(|| panic!("{from}"));
    let (part, _) = rest.split_once(to).unwrap_or_else(|| panic!("{to}"));
    let found: BTreeSet<String> = part.lines().filter_map(|line| pick(line.trim())).collect();
    assert!(found.len() > 3, "{from}: {found:?}");
    found
}

#[test]
fn every_option_setting_call_and_action_is_documented() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let read = |path: &str| std::fs::read_to_string(root.join(path)).expect("a readable file");
    let document = read("../docs/sandbox.md");
    let field = |line: &str| {
        let (name, _) = line.strip_prefix("pub(super) ")?.split_once(": Option<")?;
        Some(format!("`{name}`"))
    };
    let words_of_control = read("src/control/words.rs");
    let control = read("src/control/mod.rs");
    let settings = words(&words_of_control, "struct Settings {", "}", field);
    let call = |line: &str| {
        let rest = line.strip_prefix("(&Method::")?;
        let (method, rest) = rest.split_once(", \"")?;
        Some(format!("`{method} {}", rest.split_once('"')?.0))
    };
    let calls = words(&control, "fn route(", "\n}", call);
    let kind = |line: &str| {
        Some(format!(
            "| `{}` |",
            line.split("=> \"").nth(1)?.split('"').next()?
        ))
    };
    let fault = read("src/fault.rs");
    let actions = words(&fault, "fn kind(", "\n    }", kind);
    let member = |line: &str| {
        let (name, _) = line.strip_prefix("pub ")?.split_once(": ")?;
        Some(format!("\"{name}\": "))
    };
    let members = words(&fault, "pub struct Fault {", "}", member);
    let help = std::process::Command::new(env!("CARGO_BIN_EXE_pushcore-sandbox"))
        .arg("--help")
        .output()
        .expect("runs");
    let help = String::from_utf8(help.stdout).expect("text");
    let options: BTreeSet<String> = help
        .split_whitespace()
        .filter(|word| word.starts_with("--") && !["--help", "--version"].contains(word))
        .map(|word| format!("`{word}"))
        .collect();
    assert!(options.len() > 15, "{options:?}");
    for word in [settings, calls, actions, members, options].iter().flatten() {
        assert!(
            document.contains(word.as_str()),
            "docs/sandbox.md does not say {word}"
        );
    }
}
