//! docs/sandbox.md names every rule, and only rules that exist.

use std::collections::BTreeSet;
use std::path::Path;

/// Texts between `quote`s that look like a rule's id.
fn rules(text: &str, quote: char) -> BTreeSet<String> {
    text.split(quote)
        .filter(|part| {
            ["apns.", "fcm.", "webpush.", "adm.", "baidu."]
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
            found.extend(rules(&std::fs::read_to_string(&path).expect("source"), '"'));
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
