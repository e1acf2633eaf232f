//! `include/pushcore.h` is what cbindgen makes of the sources. `make header` writes it anew.

use std::path::Path;

use pushcore::ErrorKind;

/// The version and the numbers, which are taken from where they are decided and never typed.
fn generated() -> String {
    let version = env!("CARGO_PKG_VERSION");
    let mut numbers = version
        .split(['.', '-', '+'])
        .map(|part| part.parse().unwrap_or(0));
    let mut next = || numbers.next().unwrap_or(0_u32);
    let (major, minor, patch) = (next(), next(), next());
    let abi = pushcore_ffi::pushcore_abi_version();
    let mut text = format!(
        "
#define PUSHCORE_VERSION \"{version}\"
#define PUSHCORE_VERSION_MAJOR {major}
#define PUSHCORE_VERSION_MINOR {minor}
#define PUSHCORE_VERSION_PATCH {patch}
/* Raised when something that existed changes; additions do not raise it. */
#define PUSHCORE_ABI_VERSION {abi}

/* The library comes in three builds. The whole one has everything. The minimal one has no clients, sessions, connections and
 * dialects: compile with PUSHCORE_MINIMAL. The receiver has the keys of Web Push subscriptions and decrypts: compile with PUSHCORE_RECEIVER. */
#ifndef PUSHCORE_RECEIVER
#define PUSHCORE_L1
#ifndef PUSHCORE_MINIMAL
#define PUSHCORE_NET
#define PUSHCORE_DIALECTS
#endif
#endif

/* A pushcore_status that is not the number of an error kind. */
#define PUSHCORE_OK 0
#define PUSHCORE_NULL_ARGUMENT 810
#define PUSHCORE_INVALID_LENGTH 811
#define PUSHCORE_PANIC 901

/* The kinds of errors, as docs/errors.md describes them. A number is never used again. */
"
    );
    for kind in ErrorKind::ALL {
        text += &format!(
            "#define PUSHCORE_ERROR_{} {}\n",
            screaming(kind.name()),
            kind.code()
        );
    }
    text
}

/// `NotSent` as `NOT_SENT`.
fn screaming(name: &str) -> String {
    let mut out = String::new();
    for (index, letter) in name.chars().enumerate() {
        if index > 0 && letter.is_ascii_uppercase() {
            out.push('_');
        }
        out.push(letter.to_ascii_uppercase());
    }
    out
}

fn committed() -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../include/pushcore.h");
    std::fs::read_to_string(path).unwrap_or_default()
}

#[test]
fn the_committed_header_is_current() {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut config = cbindgen::Config::from_file(here.join("cbindgen.toml")).expect("cbindgen.toml reads");
    config.after_includes = Some(generated());
    let bindings = cbindgen::Builder::new()
        .with_crate(here)
        .with_config(config)
        .generate()
        .expect("cbindgen reads the sources");
    let mut fresh = Vec::new();
    bindings.write(&mut fresh);
    let fresh = String::from_utf8(fresh).expect("utf-8");
    if std::env::var_os("PUSHCORE_WRITE_HEADER").is_some() {
        std::fs::write(here.join("../include/pushcore.h"), &fresh).expect("the header can be written");
    }
    assert!(
        committed() == fresh,
        "include/pushcore.h is stale: run `make header`"
    );
}

#[test]
fn every_error_kind_and_the_versions_are_in_the_header() {
    let header = committed();
    for line in [
        format!("#define PUSHCORE_VERSION \"{}\"\n", env!("CARGO_PKG_VERSION")),
        format!(
            "#define PUSHCORE_ABI_VERSION {}\n",
            pushcore_ffi::pushcore_abi_version()
        ),
        // Spelled out, so that the making of the names is tested, too.
        "#define PUSHCORE_ERROR_NOT_SENT 500\n".to_owned(),
        "#define PUSHCORE_ERROR_MISUSE 800\n".to_owned(),
    ] {
        assert!(header.contains(&line), "{line}");
    }
    for kind in ErrorKind::ALL {
        let number = format!(" {}\n", kind.code());
        assert!(
            header
                .lines()
                .any(|line| line.starts_with("#define PUSHCORE_ERROR_")
                    && format!("{line}\n").ends_with(&number)),
            "{kind:?}"
        );
    }
}

/// Names without a prefix, and types that C would not find, mean that a rename is missing in cbindgen.toml.
#[test]
fn every_name_in_the_header_has_the_prefix() {
    for line in committed().lines() {
        let declared = line
            .strip_prefix("typedef struct ")
            .or_else(|| line.strip_prefix("#define "))
            .or_else(|| line.strip_prefix("} "));
        if let Some(name) = declared.and_then(|rest| rest.split([' ', ';', '(']).next()) {
            let own = name.starts_with("pushcore_") || name.starts_with("PUSHCORE_");
            assert!(own || name.is_empty(), "{line}");
        }
    }
}
