//! Gives the shared library the name by which programs will ask for it, and keeps it where it was loaded.

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    let target = |key: &str| std::env::var(key).unwrap_or_default();
    let (os, family) = (target("CARGO_CFG_TARGET_OS"), target("CARGO_CFG_TARGET_FAMILY"));
    let arguments: &[&str] = match os.as_str() {
        "macos" | "ios" => &[
            "-Wl,-install_name,@rpath/libpushcore.0.dylib",
            "-Wl,-compatibility_version,0.1.0",
        ],
        // The name of a DLL stands in its import library: scripts/install-c.sh makes that for the installed name.
        "windows" => &[],
        // Threads that look names up may outlive a dlclose, and Rust's thread-local destructors point into the code: the library
        // stays mapped (nodelete).
        _ if family == "unix" => &["-Wl,-soname,libpushcore.so.0", "-Wl,-z,nodelete"],
        _ => &[],
    };
    for argument in arguments {
        println!("cargo:rustc-cdylib-link-arg={argument}");
    }
}
