//! The cost of a sixth service: a toy is added to a copy of the core, and the shared files that change for it are counted.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::Command;

/// A line of a shared file, by its beginning, and the text that is written before it.
type Edit = (&'static str, &'static str, &'static str);

/// Every change outside the service's own folder. The core's other files are as they are.
const EDITS: &[Edit] = &[
    ("lib.rs", "pub mod webpush;", "pub mod toy;\n"),
    // The name.
    (
        "service/kind.rs",
        "    /// Web Push.\n",
        "    /// Toy.\n    Toy = \"toy\",\n",
    ),
    // The service and its dispatch.
    (
        "service/mod.rs",
        "    /// Web Push.\n    WebPush(webpush)",
        "    /// Toy.\n    Toy(toy): Toy,\n",
    ),
    ("service/mod.rs", "use crate::{adm,", "use crate::toy;\n"),
    // The message.
    (
        "service/message.rs",
        "    /// Web Push.\n    WebPush:",
        "    /// Toy.\n    Toy: toy::Message,\n",
    ),
    ("service/message.rs", "use crate::{adm,", "use crate::toy;\n"),
    (
        "service/message.rs",
        "            Kind::WebPush => webpush::form::read",
        "            Kind::Toy => toy::Message::read(node, at).map(Message::Toy),\n",
    ),
    (
        "service/message.rs",
        "            Message::WebPush(message) => message.write_form",
        "            Message::Toy(message) => message.write_form(&mut out),\n",
    ),
    (
        "service/message.rs",
        "            Message::WebPush(message) => webpush::outcome_for",
        "            Message::Toy(_) => toy::outcome(response),\n",
    ),
    (
        "service/message.rs",
        "            Message::WebPush(message) => message.template().payload",
        "            Message::Toy(message) => message.template().body().to_vec().into(),\n",
    ),
    (
        "service/message.rs",
        "            Message::WebPush(_) => Kind::WebPush",
        "            Message::Toy(_) => Kind::Toy,\n",
    ),
    (
        "service/message.rs",
        "            Message::WebPush(message) => Target::WebPush",
        "            Message::Toy(message) => Target::Toy(message.device().clone()),\n",
    ),
    (
        "service/message.rs",
        "            Message::WebPush(message) => Template::WebPush",
        "            Message::Toy(message) => Template::Toy(message.template()),\n",
    ),
    // The target.
    (
        "service/target.rs",
        "    /// A Web Push subscription.",
        "    /// A toy.\n    Toy(toy::Device),\n",
    ),
    ("service/target.rs", "use crate::{adm,", "use crate::toy;\n"),
    (
        "service/target.rs",
        "            Kind::WebPush => Err(",
        "            Kind::Toy => toy::Device::new(text).map(Target::Toy),\n",
    ),
    (
        "service/target.rs",
        "            Target::WebPush(_) => Kind::WebPush",
        "            Target::Toy(_) => Kind::Toy,\n",
    ),
    (
        "service/target.rs",
        "            Target::WebPush(subscription) => subscription",
        "            Target::Toy(device) => device.as_str().to_owned(),\n",
    ),
    // The template.
    (
        "service/template.rs",
        "    /// Web Push.",
        "    /// Toy.\n    Toy(toy::Template),\n",
    ),
    ("service/template.rs", "use crate::{adm,", "use crate::toy;\n"),
    (
        "service/template.rs",
        "            Kind::WebPush => webpush",
        "            Kind::Toy => toy::Template::read(node, at).map(Template::Toy),\n",
    ),
    (
        "service/template.rs",
        "            Template::WebPush(template) => template.write_form",
        "            Template::Toy(template) => template.write_form(&mut out),\n",
    ),
    (
        "service/template.rs",
        "            Template::WebPush(_) => Kind::WebPush",
        "            Template::Toy(_) => Kind::Toy,\n",
    ),
    (
        "service/template.rs",
        "            (Template::WebPush(template)",
        "            (Template::Toy(template), Target::Toy(device)) => Ok(template.to(device.clone()).into()),\n",
    ),
    // What a notification becomes on it.
    (
        "notification/app.rs",
        "            Kind::Adm | Kind::Baidu | Kind::WebPush => {",
        "            Kind::Toy => {}\n",
    ),
    (
        "notification/app.rs",
        "            Kind::Fcm => true,",
        "            Kind::Toy => true,\n",
    ),
    (
        "notification/device.rs",
        "        Target::Adm(_) | Target::Apns(_) | Target::WebPush(_) => true",
        "        Target::Toy(_) => true,\n",
    ),
    (
        "notification/render/mod.rs",
        "        Kind::WebPush => web_push",
        "        Kind::Toy => Form::new(),\n",
    ),
];

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("a folder");
    for entry in fs::read_dir(from).expect("a folder") {
        let entry = entry.expect("an entry");
        let (from, to) = (entry.path(), to.join(entry.file_name()));
        match entry.file_type().expect("a type").is_dir() {
            true => copy(&from, &to),
            false => fs::copy(&from, &to).map(|_| ()).expect("a copy"),
        }
    }
}

#[test]
fn a_sixth_service_is_a_folder_and_a_few_shared_files() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .expect("the checkout");
    let copied = Path::new(env!("CARGO_TARGET_TMPDIR")).join("sixth_service");
    let _ = fs::remove_dir_all(&copied);
    copy(&root.join("core"), &copied.join("core"));
    copy(
        &root.join("tests/sixth_service/toy"),
        &copied.join("core/src/toy"),
    );
    copy(&root.join("tests/sixth_service/check"), &copied.join("check"));
    fs::copy(root.join("Cargo.lock"), copied.join("Cargo.lock")).expect("the lock");
    let manifest = fs::read_to_string(root.join("Cargo.toml")).expect("a manifest");
    let alone = |line: &&str| !line.starts_with("exclude =") && !line.starts_with("pushcore-");
    let manifest: String = manifest
        .lines()
        .filter(alone)
        .map(|line| match line.starts_with("members =") {
            true => "members = [\"core\", \"check\"]\n".to_owned(),
            false => format!("{line}\n"),
        })
        .collect();
    fs::write(copied.join("Cargo.toml"), manifest).expect("a manifest");

    let mut shared = BTreeSet::new();
    for (file, before, text) in EDITS {
        let path = copied.join("core/src").join(file);
        let source = fs::read_to_string(&path).expect("a source");
        assert_eq!(
            source.matches(before).count(),
            1,
            "{file} has this once: {before}"
        );
        fs::write(&path, source.replacen(before, &format!("{text}{before}"), 1)).expect("a source");
        shared.insert(*file);
    }
    // CONTRIBUTING names the same files.
    let contributing = fs::read_to_string(root.join("CONTRIBUTING.md")).expect("a guide");
    for file in &shared {
        assert!(
            contributing.contains(&format!("`core/src/{file}`")),
            "CONTRIBUTING does not name {file}"
        );
    }
    assert_eq!(shared.len(), 9, "{shared:?}");

    // A program outside the crate uses it; the workspace's target folder has the dependencies.
    let target = Path::new(env!("CARGO_TARGET_TMPDIR"))
        .parent()
        .expect("the target folder");
    let output = Command::new(env!("CARGO"))
        .args(["run", "--offline", "--quiet", "-p", "toy-check"])
        .current_dir(&copied)
        .env("CARGO_TARGET_DIR", target)
        .output()
        .expect("cargo runs");
    let said = String::from_utf8_lossy(&output.stdout);
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(
        output.status.success() && said.contains("3 passed"),
        "{said}\n{errors}"
    );
}
