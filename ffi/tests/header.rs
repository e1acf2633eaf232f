//! `include/pushcore.h` is what cbindgen makes of the sources. `make header` writes it anew.

use std::path::Path;

#[test]
fn the_committed_header_is_current() {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let config = cbindgen::Config::from_file(here.join("cbindgen.toml")).expect("cbindgen.toml reads");
    let bindings = cbindgen::Builder::new()
        .with_crate(here)
        .with_config(config)
        .generate()
        .expect("cbindgen reads the sources");
    let mut fresh = Vec::new();
    bindings.write(&mut fresh);
    let fresh = String::from_utf8(fresh).expect("utf-8");
    let path = here.join("../include/pushcore.h");
    if std::env::var_os("PUSHCORE_WRITE_HEADER").is_some() {
        std::fs::write(&path, &fresh).expect("the header can be written");
    }
    let committed = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        committed == fresh,
        "include/pushcore.h is stale: run `make header`"
    );
}

#[test]
fn the_version_in_the_header_is_the_crates() {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let header = std::fs::read_to_string(here.join("../include/pushcore.h")).expect("a header");
    let line = format!("#define PUSHCORE_VERSION \"{}\"", env!("CARGO_PKG_VERSION"));
    assert!(
        header.contains(&line),
        "cbindgen.toml and Cargo.toml differ on the version"
    );
    let abi = format!(
        "#define PUSHCORE_ABI_VERSION {}\n",
        pushcore_ffi::pushcore_abi_version()
    );
    assert!(header.contains(&abi));
}
