//! `pushcore-bindgen kotlin LIBRARY FOLDER` and `pushcore-bindgen swift ...`: uniffi's own generators.

fn main() {
    uniffi::uniffi_bindgen_main();
}
